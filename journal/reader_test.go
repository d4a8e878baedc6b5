package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestReaderBesideAWriter: what is kept is read while another holds the folder, also what
// comes later; and after it ended, and from a folder that cannot be written to.
func TestReaderBesideAWriter(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReader(t.Context(), dir); !errors.Is(err, ErrNoJournal) {
		t.Errorf("an empty folder: %v", err)
	}
	j, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(from, to int) {
		t.Helper()
		for i := from; i <= to; i++ {
			if _, err := j.Append(t.Context(), New{At: time.UnixMilli(int64(i)), Kind: "test", Body: fmt.Appendf(nil, "%d", i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	keep(1, 10)
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	count := func(r *Reader, want int) {
		t.Helper()
		n := 0
		if err := r.Read(t.Context(), 1, func(e Entry) error {
			if n++; string(e.Body) != fmt.Sprint(n) {
				t.Errorf("entry %d is %s", n, e.Body)
			}
			return nil
		}); err != nil || n != want {
			t.Errorf("%d entries, want %d: %v", n, want, err)
		}
	}
	count(r, 10)
	keep(11, 15)
	count(r, 15)
	if !r.Held() {
		t.Error("the folder is held and is not said to be")
	}
	if err := errors.Join(r.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	if r, err = OpenReader(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if r.Held() {
		t.Error("nobody holds the folder")
	}
	count(r, 15)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	// The reader took nothing: the folder can be had.
	if j, err = Open(t.Context(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, fileName), []byte("no database at all, but long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), other); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a file that is no journal: %v", err)
	}
}
