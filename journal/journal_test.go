package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	ctx   = context.Background()
	night = time.Date(2026, 11, 22, 3, 12, 0, 123_456_789, time.UTC)
)

func open(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func entry(kind, body string) New { return New{At: night, Kind: kind, Body: []byte(body)} }

func mustAppend(t testing.TB, j *Journal, entries ...New) Position {
	t.Helper()
	p, err := j.Append(ctx, entries...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// filled makes a closed journal of n entries, some of them longer than a page of SQLite.
func filled(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	j := open(t, dir)
	for i := range n {
		mustAppend(t, j, entry("alert", fmt.Sprintf("body %03d %s", i+1, strings.Repeat("x", i%7*1500))))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// readAll reads everything that can be read, going on behind what is corrupt.
func readAll(t testing.TB, j *Journal) (good []Position, bad []*CorruptError) {
	t.Helper()
	for from := Position(1); ; {
		err := j.Read(ctx, from, func(e Entry) error {
			good = append(good, e.Position)
			return nil
		})
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			if err != nil {
				t.Fatal(err)
			}
			return good, bad
		}
		if corrupt.Next <= corrupt.Position {
			t.Fatalf("no way on: %+v", corrupt)
		}
		bad, from = append(bad, corrupt), corrupt.Next
	}
}

func TestAppendReadAndReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a folder", "with #, ? and %41")
	kyiv := time.FixedZone("", 2*3600)
	long := strings.Repeat("ї", 3<<20)
	want := []New{
		{night, "decision", []byte("first")},
		{night.In(kyiv), "alert", nil},
		{time.Time{}, "a/b-c_d.9", []byte{0, 1, 2, 255}},
		{time.UnixMilli(-1), strings.Repeat("k", MaxKind), []byte(long)},
	}
	j := open(t, dir)
	if p, h := j.Head(); p != 0 || h != [32]byte{} {
		t.Errorf("a new journal has the head %d", p)
	}
	if p := mustAppend(t, j, want[:2]...); p != 2 {
		t.Errorf("two entries end at %d", p)
	}
	if p := mustAppend(t, j, want[2]); p != 3 {
		t.Errorf("the third stands at %d", p)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	if p := mustAppend(t, j, want[3]); p != 4 {
		t.Errorf("the fourth stands at %d after a reopen", p)
	}
	var got []Entry
	if err := j.Read(ctx, 1, func(e Entry) error { got = append(got, e); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("read %d", len(got))
	}
	for i, e := range got {
		w := want[i]
		if e.Position != Position(i+1) || !e.At.Equal(time.UnixMilli(w.At.UnixMilli())) || e.At.Location() != time.UTC ||
			e.Kind != w.Kind || !bytes.Equal(e.Body, w.Body) || e.Hash != e.sum() {
			t.Errorf("entry %d is %d %v %s, %d bytes", i, e.Position, e.At, e.Kind, len(e.Body))
		}
		if i > 0 && e.Previous != got[i-1].Hash {
			t.Errorf("entry %d does not name the one before", i)
		}
	}
	if p, h := j.Head(); p != 4 || h != got[3].Hash {
		t.Errorf("the head is %d", p)
	}
	for _, from := range []Position{4, 5, 100} {
		n := 0
		if err := j.Read(ctx, from, func(Entry) error { n++; return nil }); err != nil || n != max(0, 5-int(from)) {
			t.Errorf("from %d: %d entries, %v", from, n, err)
		}
	}
	for _, name := range []string{fileName, fileName + "-wal", witnessName, lockName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestHashIsAsDocumented holds the encoding: a journal must be readable by the next version,
// and by a program that only has entry.go's comment.
func TestHashIsAsDocumented(t *testing.T) {
	e := Entry{Position: 2, At: time.UnixMilli(1_763_781_120_123), Kind: "alert", Body: []byte("body")}
	for i := range e.Previous {
		e.Previous[i] = byte(i)
	}
	const want = "69960b6f8d434378fd4221fd82dbcee2bd99c690b55ba2e31924b9fa04fce56c"
	if got := fmt.Sprintf("%x", e.sum()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	other := e
	other.Kind, other.Body = "alertb", []byte("ody")
	if other.sum() == e.sum() {
		t.Error("a byte moved from body to kind leaves the hash as it was")
	}
}

func TestAppendRefuses(t *testing.T) {
	j := open(t, t.TempDir())
	many := make([]New, MaxAppend+1)
	for i := range many {
		many[i] = entry("k", "")
	}
	for name, entries := range map[string][]New{
		"nothing":          nil,
		"too many":         many,
		"no kind":          {entry("", "x")},
		"long kind":        {entry(strings.Repeat("k", MaxKind+1), "")},
		"kind with space":  {entry("a b", "")},
		"kind with NUL":    {entry("a\x00", "")},
		"kind in capitals": {entry("Alert", "")},
		"long body":        {{night, "k", make([]byte, MaxBody+1)}},
		"second one bad":   {entry("k", ""), entry("K", "")},
		"long together":    {{night, "k", make([]byte, MaxBody)}, {night, "k", make([]byte, MaxBody)}, entry("k", "x")},
	} {
		if _, err := j.Append(ctx, entries...); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.Read(ctx, 0, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("reading from 0: %v", err)
	}
	if p, _ := j.Head(); p != 0 {
		t.Errorf("something was kept: %d", p)
	}
}

func TestConcurrentAppendsShareASync(t *testing.T) {
	j := open(t, t.TempDir())
	const callers, each = 32, 20
	var mu sync.Mutex
	at := make(map[Position]string)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				pair := []New{entry("k", fmt.Sprintf("%d/%d/a", c, i)), entry("k", fmt.Sprintf("%d/%d/b", c, i))}
				p, err := j.Append(ctx, pair...)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at[p-1], at[p] = string(pair[0].Body), string(pair[1].Body)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	n := 0
	if err := j.Read(ctx, 1, func(e Entry) error {
		n++
		if at[e.Position] != string(e.Body) {
			t.Errorf("at %d stands %s, promised was %s", e.Position, e.Body, at[e.Position])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	stats := j.Stats()
	if n != 2*callers*each || stats.Entries != int64(n) || stats.Commits >= callers*each {
		t.Errorf("%d entries, %+v", n, stats)
	}
}

func TestStartKeepsOrder(t *testing.T) {
	j := open(t, t.TempDir())
	var all []*Pending
	for i := range 300 {
		p, err := j.Start(ctx, entry("k", fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	for i, p := range all {
		<-p.Done()
		if at, err := p.Result(); err != nil || at != Position(i+1) {
			t.Fatalf("%d stands at %d: %v", i, at, err)
		}
	}
}

// TestContextLeavesNothingUnknown ends contexts at every moment of an append: what returned
// the context's error must not be there, everything else must.
func TestContextLeavesNothingUnknown(t *testing.T) {
	j := open(t, t.TempDir())
	promised := make(map[string]bool)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() {
			for i := range 60 {
				body := fmt.Sprintf("%d/%d", c, i)
				limited, cancel := context.WithTimeout(ctx, time.Duration(i)*20*time.Microsecond)
				_, err := j.Append(limited, entry("k", body))
				cancel()
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				mu.Lock()
				promised[body] = err == nil
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	kept := make(map[string]bool)
	if err := j.Read(ctx, 1, func(e Entry) error { kept[string(e.Body)] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	given := 0
	for body, is := range promised {
		if kept[body] != is {
			t.Errorf("%s: promised %v, kept %v", body, is, kept[body])
		}
		if !is {
			given++
		}
	}
	t.Logf("%d of %d given up", given, len(promised))
}

func TestCloseRefusesAndSettlesEveryone(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	kept := make(chan int)
	for range 16 {
		go func() {
			n := 0
			for {
				if _, err := j.Append(ctx, entry("k", "x")); err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					kept <- n
					return
				}
				n++
			}
		}()
	}
	mustAppend(t, j, entry("k", "one at least"))
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	total := 1
	for range 16 {
		total += <-kept
	}
	if err := j.Read(ctx, 1, func(Entry) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("reading a closed journal: %v", err)
	}
	j = open(t, dir)
	if p, _ := j.Head(); int(p) != total {
		t.Errorf("%d promised, %d there", total, p)
	}
}

func TestFollow(t *testing.T) {
	j := open(t, t.TempDir())
	mustAppend(t, j, entry("k", "1"), entry("k", "2"))
	seen := make(chan Position)
	ended := make(chan error)
	limited, cancel := context.WithCancel(ctx)
	go func() {
		ended <- j.Follow(limited, 2, func(e Entry) error { seen <- e.Position; return nil })
	}()
	if p := <-seen; p != 2 {
		t.Fatalf("begins with %d", p)
	}
	for want := Position(3); want < 20; want++ {
		mustAppend(t, j, entry("k", "x"))
		if p := <-seen; p != want {
			t.Fatalf("%d, want %d", p, want)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
	enough := errors.New("enough")
	if err := j.Follow(ctx, 1, func(Entry) error { return enough }); err != enough {
		t.Errorf("yield's error: %v", err)
	}
	go func() { ended <- j.Follow(ctx, 100, func(Entry) error { return nil }) }()
	mustAppend(t, j, entry("k", "x"))
	j.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestWriteAheadLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	// A follower reads all the time, as the desk does.
	limited, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- j.Follow(limited, 1, func(Entry) error { return nil }) }()
	body := strings.Repeat("x", 100<<10)
	var largest int64
	for range 100 {
		mustAppend(t, j, entry("k", body), entry("k", body), entry("k", body), entry("k", body))
		info, err := os.Stat(filepath.Join(dir, fileName+"-wal"))
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	cancel()
	<-ended
	if limit := int64((walPatience + 2) * walBytes); largest > limit || j.Stats().Checkpoints == 0 {
		t.Errorf("the log grew to %d bytes, %+v", largest, j.Stats())
	}
	t.Logf("40 MB written, log at most %d KiB, %d checkpoints", largest>>10, j.Stats().Checkpoints)
}

func TestASecondOpenerIsToldWhoHoldsIt(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	_, err := Open(ctx, dir, Options{})
	var held *HeldError
	if !errors.Is(err, ErrHeld) || !errors.As(err, &held) {
		t.Fatalf("a second opener: %v", err)
	}
	if held.PID != os.Getpid() || !strings.Contains(held.Command, "journal.test") || held.Since.IsZero() || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("told %+v", held)
	}
	mustAppend(t, j, entry("k", "still mine"))
	for name, text := range map[string]string{
		"empty": "", "garbage": "\x00\xff{", "of the dead": `{"pid":2147483646}`, "negative": `{"pid":-1}`,
		"endless": strings.Repeat("[", 1<<20),
	} {
		if err := os.WriteFile(filepath.Join(dir, lockName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, dir, Options{}); !errors.As(err, &held) || held.PID != 0 {
			t.Errorf("lock file %s: %v", name, err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestOpenRefusesWhatIsNoJournal(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		"not SQLite": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, fileName), bytes.Repeat([]byte("hello "), 1000), 0o600)
		},
		"a foreign database": func(dir string) error { return execute(dir, "CREATE TABLE t (x); PRAGMA application_id=7") },
		"no tables":          func(dir string) error { return execute(dir, fmt.Sprintf("PRAGMA application_id=%d", applicationID)) },
	} {
		dir := t.TempDir()
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, dir, Options{}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, file, Options{}); err == nil {
		t.Error("a file in place of the folder was taken")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Open(ended, t.TempDir(), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}
