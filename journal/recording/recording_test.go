package recording

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var night = time.Date(2026, 11, 22, 3, 12, 0, 0, time.UTC)

func open(t testing.TB, dir string, opts Options) *Recording {
	t.Helper()
	r, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func read(t testing.TB, dir string, from, to time.Time) ([]string, Found) {
	t.Helper()
	var out []string
	found, err := Read(context.Background(), dir, from, to, func(at time.Time, body []byte) error {
		out = append(out, fmt.Sprintf("%d:%s", at.Sub(night).Milliseconds(), body[:min(len(body), 12)]))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, found
}

func TestWhatIsWrittenIsReadInItsOrderAndTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recording")
	for start := range 3 { // each start begins a segment of its own
		r := open(t, dir, Options{})
		for i := range 4 {
			n := start*4 + i
			if err := r.Write(night.Add(time.Duration(n)*time.Second), fmt.Appendf(nil, "plot %d", n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if err := r.Write(night, nil); !errors.Is(err, os.ErrClosed) {
			t.Errorf("writing after Close: %v", err)
		}
	}
	for _, c := range []struct {
		from, to time.Time
		first    string
		n        int
	}{
		{time.Time{}, time.Time{}, "0:plot 0", 12},
		{night.Add(3 * time.Second), night.Add(9 * time.Second), "3000:plot 3", 6},
		{night.Add(9 * time.Second), time.Time{}, "9000:plot 9", 3},
	} {
		got, found := read(t, dir, c.from, c.to)
		if len(got) != c.n || got[0] != c.first || found.Records != 12 || found.Segments != 3 || found.Missing != 0 {
			t.Errorf("from %v to %v: %v, %+v", c.from, c.to, got, found)
		}
	}
}

func TestTheOldestGoesAndIsCounted(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "notes.rec")
	if err := os.WriteFile(foreign, []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	const limit = 3 * minSegmentBytes
	r := open(t, dir, Options{SegmentBytes: minSegmentBytes, Segments: 3})
	body := bytes.Repeat([]byte("x"), 300_000)
	for i := range 60 {
		if err := r.Write(night.Add(time.Duration(i)*time.Millisecond), append(fmt.Appendf(nil, "%02d ", i), body...)); err != nil {
			t.Fatal(err)
		}
		segments, err := list(dir)
		if err != nil {
			t.Fatal(err)
		}
		var onDisk int64
		for _, s := range segments {
			onDisk += s.bytes
		}
		if stats := r.Stats(); onDisk > limit || len(segments) > 3 || stats.Bytes != onDisk {
			t.Fatalf("after %d: %d bytes in %d segments, told %d", i, onDisk, len(segments), stats.Bytes)
		}
	}
	got, found := read(t, dir, time.Time{}, time.Time{})
	if stats := r.Stats(); stats.Dropped == 0 || stats.Records != 60 || found.Missing != 0 {
		t.Errorf("%+v, %+v", stats, found)
	}
	for i, s := range got { // the newest, without a hole
		if want := fmt.Sprintf("%d:%02d ", 60-len(got)+i, 60-len(got)+i); !strings.HasPrefix(s, want) {
			t.Fatalf("record %d is %q, want %q", i, s, want)
		}
	}
	for r.DropOldest() {
	}
	if segments, _ := list(dir); len(segments) != 1 {
		t.Errorf("%d segments left, want the one being written", len(segments))
	}
	if err := r.Write(night, []byte("after")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("a file that is not ours was touched")
	}
	// Smaller bounds at the next start are kept at once.
	r.Close()
	for range 4 {
		r := open(t, dir, Options{SegmentBytes: minSegmentBytes, Segments: 2})
		if err := r.Write(night, []byte("one")); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if segments, _ := list(dir); len(segments) > 2 {
			t.Errorf("%d segments, want at most 2", len(segments))
		}
	}
}

func TestTornAndFlippedSegments(t *testing.T) {
	dir := t.TempDir()
	for s := range 2 {
		r := open(t, dir, Options{})
		for i := range 5 {
			if err := r.Write(night.Add(time.Duration(s*5+i)*time.Millisecond), fmt.Appendf(nil, "plot %d", s*5+i)); err != nil {
				t.Fatal(err)
			}
		}
		r.Close()
	}
	segments, err := list(dir)
	if err != nil || len(segments) != 2 {
		t.Fatal(segments, err)
	}
	name := filepath.Join(dir, segments[0].name)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) {
		if err := os.WriteFile(name, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got, _ := read(t, dir, time.Time{}, time.Time{})
		if want := cut/(len(whole)/5) + 5; len(got) != want {
			t.Fatalf("cut at %d: %d records, want %d", cut, len(got), want)
		}
	}
	for at := range len(whole) {
		b := bytes.Clone(whole)
		b[at] ^= 1
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, found := read(t, dir, time.Time{}, time.Time{})
		inLast := at >= len(whole)/5*4 // the loss of the last header leaves no trace
		if len(got) != 9 || (found.Missing != 1 && !inLast) {
			t.Fatalf("flipped at %d: %d records, %d missing", at, len(got), found.Missing)
		}
	}
}

func TestRefused(t *testing.T) {
	if _, err := Open(t.TempDir(), Options{SegmentBytes: 1}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a segment of one byte: %v", err)
	}
	r := open(t, t.TempDir(), Options{})
	if err := r.Write(night, make([]byte, MaxBody+1)); !errors.Is(err, ErrInvalid) || r.Stats().Lost != 1 {
		t.Errorf("too long: %v, %+v", err, r.Stats())
	}
	stop := errors.New("enough")
	dir := t.TempDir()
	w := open(t, dir, Options{})
	w.Write(night, []byte("one"))
	w.Write(night, []byte("two"))
	n := 0
	if _, err := Read(context.Background(), dir, time.Time{}, time.Time{}, func(time.Time, []byte) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("yield's error: %v after %d", err, n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Read(ctx, dir, time.Time{}, time.Time{}, func(time.Time, []byte) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
	if _, err := Read(context.Background(), filepath.Join(dir, "absent"), time.Time{}, time.Time{}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	r := open(f, dir, Options{})
	for i := range 3 {
		r.Write(night, fmt.Appendf(nil, "plot %d", i))
	}
	r.Close()
	segments, _ := list(dir)
	b, err := os.ReadFile(filepath.Join(dir, segments[0].name))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(segments[0].name, b)
	f.Add(segments[0].name, b[:len(b)-3])
	f.Add("000000000001-zz00000000000000.rec", b)
	f.Add("999999999999-0000000000000000.rec", []byte("TcF1TcF1"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		if s, ok := parseName(name); ok && s.fileName() != name {
			t.Fatalf("%q taken for %q", name, s.fileName())
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "000000000007-"+fmt.Sprintf("%016x", segments[0].salt)+".rec"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(context.Background(), dir, time.Time{}, time.Time{}, func(_ time.Time, body []byte) error {
			if len(body) > MaxBody {
				t.Fatalf("%d bytes", len(body))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		r, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Write(night, []byte("after")), r.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	r := open(b, b.TempDir(), Options{Segments: 4})
	body := bytes.Repeat([]byte("p"), 200)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Write(night, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	r := open(b, dir, Options{Segments: 4})
	body := bytes.Repeat([]byte("p"), 200)
	for range 100_000 {
		r.Write(night, body)
	}
	b.SetBytes(r.Stats().Bytes)
	for b.Loop() {
		if _, err := Read(context.Background(), dir, time.Time{}, time.Time{}, func(time.Time, []byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
