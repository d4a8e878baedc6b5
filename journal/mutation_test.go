package journal

import (
	"os"
	"path/filepath"
	"testing"

	"tocsin/wire/hostile"
)

// Any octets for a spoken.log: it opens, gives what was written and nothing else, in the order
// of writing, and what is said then is kept.
func TestMutatedSpoken(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir)
	known := map[string]int{"one": 1, "two": 2, "three": 3, "four": 4, "after": 5}
	for _, body := range []string{"one", "two", "three", "four"} {
		if err := s.Append(entry("alert", body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, spokenName)
	seed, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	hostile.Run(t, hostile.Decoder{Name: "journal spoken", Part: 20, Seeds: [][]byte{seed}, Decode: func(b []byte) bool {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openSpoken(dir, 0)
		if err != nil {
			t.Fatalf("a damaged log does not open: %v", err)
		}
		defer s.Close()
		waiting := s.State().Records
		if err := s.Append(entry("alert", "after")); err != nil {
			t.Fatal(err)
		}
		last, read := 0, 0
		if err := s.Read(func(n New) error {
			if at := known[string(n.Body)]; n.Kind != "alert" || at <= last {
				t.Errorf("read %q of kind %s after number %d", n.Body, n.Kind, last)
			} else {
				last = at
			}
			read++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if last != 5 || read != waiting+1 {
			t.Errorf("%d waited and one was said; read %d, the last of them number %d", waiting, read, last)
		}
		return waiting > 0
	}})
}
