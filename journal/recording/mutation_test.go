package recording

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/wire/hostile"
)

// Any segment in a folder: what is whole in it is read, and nothing else.
func TestMutations(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	for i := range 3 {
		r.Write(night, fmt.Appendf(nil, "plot %d", i))
	}
	r.Close()
	segments, _ := list(dir)
	name := filepath.Join(dir, segments[0].name)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	hostile.Run(t, hostile.Decoder{Name: "journal/recording", Part: 20, Seeds: [][]byte{b}, Decode: func(b []byte) bool {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := readAll(dir, &n)
		return err == nil && n > 0
	}})
}

func readAll(dir string, n *int) error {
	_, err := Read(context.Background(), dir, time.Time{}, time.Time{}, func(time.Time, []byte) error {
		*n++
		return nil
	})
	return err
}
