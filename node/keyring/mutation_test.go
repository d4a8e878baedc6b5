package keyring

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/wire/hostile"
)

// Any polygon of a jurisdiction: one, or an error.
func TestMutatedPolygons(t *testing.T) {
	seeds := [][]byte{
		[]byte(`[[[[0,0],[1,0],[1,1],[0,0]]]]`), []byte(`[[[[179,0],[-179,0],[-179,1],[179,0]]]]`),
		[]byte(`[[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]]`),
	}
	hostile.Run(t, hostile.Decoder{Name: "node/keyring polygon", Seeds: seeds, Decode: func(b []byte) bool {
		_, err := ParsePolygon(b)
		return err == nil
	}})
}

// One hole a thousand times over: ten million mutations found that each pair of them was paid
// for with memory.
func TestManyHolesAreCheap(t *testing.T) {
	b := []byte("[[[[0,0],[9,0],[9,9],[0,9],[0,0]]" + strings.Repeat(",[[1,1],[2,1],[2,2],[1,1]]", 1900) + "]]")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ParsePolygon(b)
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Error("a polygon with the same hole 1,900 times was taken")
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > hostile.MaxAlloc {
		t.Errorf("%d bytes were allocated for %d", took, len(b))
	}
}

// Any file among the keys: a ring or an error, and never another root.
func TestMutatedKeys(t *testing.T) {
	dir := t.TempDir()
	r, err := Init(dir, alert.Live, time.Now(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err = r.AddToken(time.Now(), "sumy", []string{"read"}, board.Everything(), 0); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(Folder(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Join(Folder(dir), f.Name())
		b, err := os.ReadFile(name)
		if err != nil || len(b) == 0 {
			continue
		}
		o := hostile.Run(t, hostile.Decoder{Name: "node/keyring " + filepath.Ext(f.Name()), Part: 30, Seeds: [][]byte{b}, Decode: func(b []byte) bool {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			again, err := Open(dir, alert.Live)
			if err != nil || again.RootText() != r.RootText() {
				return false
			}
			// Open does not need the root's private half, which may be elsewhere.
			root, err := again.rootKey("")
			if err == nil && !r.root.Equal(root.Public()) {
				t.Errorf("the key of another root was taken: %q", b)
			}
			return err == nil
		}})
		if o.Taken == o.Inputs {
			t.Errorf("nothing reads %s: whatever was in it was taken", f.Name())
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
