package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func openSpokenLog(t testing.TB, dir string) *Spoken {
	t.Helper()
	s, err := OpenSpoken(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// openSmall sets nothing aside, which takes most of the time of opening a new file.
func openSmall(t testing.TB, dir string) *Spoken {
	t.Helper()
	s, err := openSpoken(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func spokenBodies(t testing.TB, s *Spoken) string {
	t.Helper()
	var out []string
	if err := s.Read(func(n New) error {
		if n.Kind != "alert" || !n.At.Equal(night.Truncate(time.Millisecond)) {
			t.Errorf("read %s at %v", n.Kind, n.At)
		}
		out = append(out, string(n.Body))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestSpokenOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	s := openSpokenLog(t, dir)
	if st := s.State(); st.Records != 0 || st.Missing != 0 {
		t.Errorf("a new log holds %+v", st)
	}
	if err := errors.Join(s.Append(entry("alert", "one")), s.Append(entry("alert", "two"), entry("alert", ""))); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(entry("Alert", "x")); !errors.Is(err, ErrInvalid) {
		t.Errorf("a kind that is none: %v", err)
	}
	for range 2 { // reading takes nothing away, closing neither
		if got := spokenBodies(t, s); got != "one two " || s.State().Records != 3 {
			t.Errorf("read %q, %+v", got, s.State())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openSpokenLog(t, dir)
	}
	if err := s.Append(entry("alert", "four")); err != nil {
		t.Fatal(err)
	}
	if got := spokenBodies(t, s); got != "one two  four" {
		t.Errorf("read %q", got)
	}
	enough := errors.New("enough")
	if err := s.Read(func(New) error { return enough }); err != enough {
		t.Errorf("yield's error: %v", err)
	}
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, st := spokenBodies(t, s), s.State(); got != "" || st.Records != 0 || st.Missing != 0 {
			t.Errorf("after Reset: %q, %+v", got, st)
		}
		s.Close()
		s = openSpokenLog(t, dir)
	}
	if err := s.Append(entry("alert", "new")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	// Behind the new record lie old ones, whole; they must not come back.
	s = openSpokenLog(t, dir)
	if got, st := spokenBodies(t, s), s.State(); got != "new" || st.Missing != 0 {
		t.Errorf("after Reset and a new record: %q, %+v", got, st)
	}
}

// TestSpokenTornAnywhere cuts the file, and zeroes it from there as a power cut does, at
// every byte.
func TestSpokenTornAnywhere(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir)
	for _, body := range []string{"one", "two", "three"} {
		if err := s.Append(entry("alert", body)); err != nil {
			t.Fatal(err)
		}
	}
	end := s.State().Bytes
	s.Close()
	name := filepath.Join(dir, spokenName)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	whole = append(whole, make([]byte, 100)...)
	all := "one two three"
	for cut := slotsEnd; cut <= len(whole); cut++ {
		zeroed := bytes.Clone(whole)
		clear(zeroed[cut:])
		for what, b := range map[string][]byte{"cut": whole[:cut], "zeroed": zeroed} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			s := openSmall(t, dir)
			got := spokenBodies(t, s)
			if !strings.HasPrefix(all, got) || (cut >= int(end) && got != all) {
				t.Fatalf("%s at %d: %q", what, cut, got)
			}
			if err := s.Append(entry("alert", "next")); err != nil {
				t.Fatal(err)
			}
			s.Close()
			s = openSmall(t, dir)
			if again := spokenBodies(t, s); strings.TrimSpace(got+" next") != strings.TrimSpace(again) {
				t.Fatalf("%s at %d, next start: %q, before %q", what, cut, again, got)
			}
			s.Close()
		}
	}
}

func TestSpokenFlippedAnywhere(t *testing.T) {
	dir := t.TempDir()
	s := openSmall(t, dir)
	for _, body := range []string{"one", "two", "three"} {
		if err := s.Append(entry("alert", body)); err != nil {
			t.Fatal(err)
		}
	}
	end := int(s.State().Bytes)
	s.Close()
	name := filepath.Join(dir, spokenName)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	third := end - 32 - 1 - len("alert") - len("three")
	for at := slotsEnd; at < end; at++ {
		b := append(bytes.Clone(whole), make([]byte, 50)...)
		b[at] ^= 4
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openSmall(t, dir)
		got := spokenBodies(t, s)
		if len(strings.Fields(got)) != 2 || (s.State().Missing != 1 && at < third) {
			t.Fatalf("flipped at %d: %q, %+v", at, got, s.State())
		}
		s.Close()
	}
	// Both heads gone: nothing can be told, and that is told.
	b := bytes.Clone(whole)
	b[0] ^= 1
	b[slotStride] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s = openSmall(t, dir)
	if got, st := spokenBodies(t, s), s.State(); got != "" || st.Missing == 0 {
		t.Errorf("without a head: %q, %+v", got, st)
	}
	if err := errors.Join(s.Append(entry("alert", "next")), s.Reset()); err != nil || s.State().Missing != 0 {
		t.Errorf("%v, %+v", err, s.State())
	}
}

func TestSpokenIsBounded(t *testing.T) {
	dir := t.TempDir()
	s := openSpokenLog(t, dir)
	body := New{night, "alert", make([]byte, MaxBody)}
	n := 0
	var err error
	for ; err == nil && n < 20; n++ {
		err = s.Append(body)
	}
	if !errors.Is(err, ErrFull) || n != 8 {
		t.Fatalf("%v after %d", err, n)
	}
	if err := s.Append(entry("alert", "short")); err != nil {
		t.Errorf("a short one still fits: %v", err)
	}
	if st := s.State(); st.Records != 8 || st.Bytes > spokenLimit {
		t.Errorf("%+v", st)
	}
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, spokenName)); err != nil || info.Size() != spokenReserve {
		t.Errorf("after Reset %d bytes, %v", info.Size(), err)
	}
	s.Close()
	if err := s.Append(entry("alert", "x")); err == nil {
		t.Error("a closed log took an entry")
	}
}

func FuzzSpoken(f *testing.F) {
	dir := f.TempDir()
	s := openSmall(f, dir)
	for i := range 3 {
		if err := s.Append(entry("alert", fmt.Sprint(i))); err != nil {
			f.Fatal(err)
		}
	}
	end := s.State().Bytes
	s.Close()
	whole, err := os.ReadFile(filepath.Join(dir, spokenName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[slotsEnd:end], true)
	f.Add(whole[slotsEnd:end-1], true)
	f.Add(whole[:end], false)
	f.Add(bytes.Repeat([]byte("TcF1\x00\x00\x00\x00"), 50), true)
	f.Fuzz(func(t *testing.T, b []byte, behindHead bool) {
		dir := t.TempDir()
		if behindHead {
			b = append(bytes.Clone(whole[:slotsEnd]), b...)
		}
		if err := os.WriteFile(filepath.Join(dir, spokenName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openSmall(t, dir)
		n := 0
		count := func(e New) error {
			if !isKind(e.Kind) || len(e.Body) > MaxBody {
				t.Fatalf("read %q, %d bytes", e.Kind, len(e.Body))
			}
			n++
			return nil
		}
		if err := errors.Join(s.Read(count), s.Append(entry("alert", "next"))); err != nil {
			t.Fatal(err)
		}
		before := n
		n = 0
		if err := s.Read(count); err != nil || n != before+1 {
			t.Fatalf("%d entries, and %d with one more: %v", before, n, err)
		}
	})
}
