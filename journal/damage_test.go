package journal

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// execute changes a closed journal's file behind the journal's back.
func execute(dir, statement string, args ...any) error {
	db, err := sql.Open("sqlite", filepath.Join(dir, fileName))
	if err != nil {
		return err
	}
	_, err = db.Exec(statement, args...)
	return errors.Join(err, db.Close())
}

func mustExecute(t testing.TB, dir, statement string, args ...any) {
	t.Helper()
	if err := execute(dir, statement, args...); err != nil {
		t.Fatal(err)
	}
}

// integrity is what SQLite itself thinks of the file.
func integrity(t testing.TB, dir string) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var text string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&text); err != nil {
		return err.Error()
	}
	return text
}

const rowCount = 40

// TestWhatIsAlteredIsToldWhereItStands changes the file in ways that SQLite takes for good.
func TestWhatIsAlteredIsToldWhereItStands(t *testing.T) {
	flip := func(column string, at int) string {
		return fmt.Sprintf("UPDATE entries SET %s = %s WHERE position = %d", column, map[string]string{
			"at":       "at + 1",
			"kind":     "'blert'",
			"body":     "CAST('c' || substr(body, 2) AS BLOB)",
			"previous": "CAST(x'00' || substr(previous, 2) AS BLOB)",
			"hash":     "CAST(x'00' || substr(hash, 2) AS BLOB)",
		}[column], at)
	}
	cases := []struct {
		name   string
		change string
		bad    []Position // where reading stumbles
		good   int        // entries that can be read all the same
		open   Position   // where Open finds damage; 0 for nowhere
	}{
		{"time", flip("at", 7), []Position{7}, 39, 0},
		{"kind", flip("kind", 7), []Position{7}, 39, 0},
		{"body", flip("body", 7), []Position{7}, 39, 0},
		{"previous", flip("previous", 7), []Position{7}, 39, 0},
		{"hash", flip("hash", 7), []Position{7}, 39, 0},
		{"first", flip("body", 1), []Position{1}, 39, 0},
		{"last", flip("body", 40), []Position{40}, 39, 40},
		{"column lengths", "UPDATE entries SET hash = x'00', previous = zeroblob(1000) WHERE position = 7", []Position{7}, 39, 0},
		{"empty kind", "UPDATE entries SET kind = '' WHERE position = 7", []Position{7}, 39, 0},
		{"long kind", "UPDATE entries SET kind = hex(zeroblob(1000000)) WHERE position = 7", []Position{7}, 39, 0},
		{"taken out", "DELETE FROM entries WHERE position = 7", []Position{7}, 39, 0},
		{"many taken out", "DELETE FROM entries WHERE position BETWEEN 7 AND 16", []Position{7}, 30, 0},
		{"first taken out", "DELETE FROM entries WHERE position = 1", []Position{1}, 39, 0},
		{"exchanged", "UPDATE entries SET position = -1 WHERE position = 7; UPDATE entries SET position = 7 WHERE position = 8; UPDATE entries SET position = 8 WHERE position = -1", []Position{7, 8}, 38, 0},
		{"closed up", "DELETE FROM entries WHERE position = 7; UPDATE entries SET position = position - 1 WHERE position > 7", nil, 0, 40},
		{"tail cut", "DELETE FROM entries WHERE position > 37", []Position{38}, 37, 38},
		{"all cut", "DELETE FROM entries", []Position{1}, 0, 1},
		{"tail and table head cut", "DELETE FROM entries WHERE position > 37; DELETE FROM head", []Position{38}, 37, 38},
		{"table head gone", "DELETE FROM head", nil, 40, 40},
		{"table head altered", "UPDATE head SET statement = CAST(x'7f' || substr(statement, 2) AS BLOB)", nil, 40, 40},
		{"table head of another type", "UPDATE head SET statement = x''", nil, 40, 40},
		{"a row behind the end", "INSERT INTO entries SELECT 41, at, kind, body, previous, hash FROM entries WHERE position = 40", nil, 40, 41},
		{"a row far behind the end", "INSERT INTO entries SELECT 9223372036854775807, at, kind, body, previous, hash FROM entries WHERE position = 40", nil, 40, 41},
		{"rows before the beginning", "INSERT INTO entries SELECT -5, at, kind, body, previous, hash FROM entries WHERE position = 40", nil, 40, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := filled(t, rowCount)
			mustExecute(t, dir, c.change)
			if text := integrity(t, dir); text != "ok" {
				t.Fatalf("SQLite sees it itself: %s", text)
			}
			j := open(t, dir)
			if damage := j.Damage(); (damage == nil) != (c.open == 0) || (damage != nil && damage.Position != c.open) {
				t.Errorf("Open finds %v, want at %d", damage, c.open)
			}
			if p := mustAppend(t, j, entry("k", "life goes on")); p != rowCount+1 {
				t.Errorf("the next entry stands at %d: a position is given out twice or skipped", p)
			}
			good, bad := readAll(t, j)
			if c.name == "closed up" { // every row from 7 on is out of place
				if len(good) != 7 || len(bad) == 0 || bad[0].Position != 7 {
					t.Errorf("good %v, bad %v", good, bad)
				}
				return
			}
			if len(good) != c.good+1 || len(bad) != len(c.bad) {
				t.Fatalf("%d good, bad: %v", len(good), bad)
			}
			for i, b := range bad {
				if b.Position != c.bad[i] || !errors.Is(b, ErrCorrupt) {
					t.Errorf("stumbles at %v, want %d", b, c.bad[i])
				}
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if j = open(t, dir); j.Damage() != nil {
				t.Errorf("the end is whole again, and Open finds %v", j.Damage())
			}
			if again, _ := readAll(t, j); len(again) != len(good) {
				t.Errorf("%d entries after another start, %d before", len(again), len(good))
			}
		})
	}
}

func TestRowsPutAsideAreKept(t *testing.T) {
	dir := filled(t, 3)
	mustExecute(t, dir, "INSERT INTO entries SELECT 9, 5, kind, body, previous, hash FROM entries WHERE position = 3")
	open(t, dir).Close()
	db, err := sql.Open("sqlite", filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var position, at int
	if err := db.QueryRow("SELECT position, at FROM strays").Scan(&position, &at); err != nil || position != 9 || at != 5 {
		t.Errorf("kept %d at %d: %v", position, at, err)
	}
}

// TestAFlippedBitAnywhere flips bits in the file itself, in pages of rows: whatever SQLite
// makes of it, no altered entry is handed out and nothing panics.
func TestAFlippedBitAnywhere(t *testing.T) {
	dir := filled(t, 12)
	name := filepath.Join(dir, fileName)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var written []Entry
	j := open(t, dir)
	if err := j.Read(ctx, 1, func(e Entry) error { written = append(written, e); return nil }); err != nil {
		t.Fatal(err)
	}
	j.Close()
	step := 397
	if testing.Short() {
		step = 1997
	}
	told, silent, unopened := 0, 0, 0
	for at := 0; at < len(whole); at += step {
		b := bytes.Clone(whole)
		b[at] ^= 1 << (at % 8)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := Open(ctx, dir, Options{})
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d: %v", at, err)
			}
			unopened++
			continue
		}
		good := 0
		var bad *CorruptError
		for from := Position(1); from > 0; {
			err := j.Read(ctx, from, func(e Entry) error {
				w := written[e.Position-1]
				if e.Hash != w.Hash || e.Kind != w.Kind || !e.At.Equal(w.At) || !bytes.Equal(e.Body, w.Body) {
					t.Fatalf("byte %d: entry %d is handed out altered", at, e.Position)
				}
				good++
				return nil
			})
			from = 0
			if errors.As(err, &bad) {
				from = bad.Next
			} else if err != nil {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
		switch {
		case good < len(written) && bad == nil:
			t.Fatalf("byte %d: %d of %d entries and not a word", at, good, len(written))
		case bad != nil || j.Damage() != nil:
			told++
		default:
			silent++ // free space, or fields that nobody reads
		}
		if err := j.Close(); err != nil && !errors.Is(err, ErrBroken) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
	t.Logf("%d told, %d not opened, %d without effect", told, unopened, silent)
	if told == 0 {
		t.Error("no flipped bit was told: the test tests nothing")
	}
}

// TestALostTailIsKnown takes away what a crash must not: the write-ahead log, or the newest
// state of the file.
func TestALostTailIsKnown(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	for range 10 {
		mustAppend(t, j, entry("k", "before"))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	for range 5 {
		mustAppend(t, j, entry("k", "lost"))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fileName), old, 0o600); err != nil {
		t.Fatal(err)
	}
	j = open(t, dir)
	if d := j.Damage(); d == nil || d.Position != 11 || d.Next != 16 {
		t.Fatalf("an older copy of the file: %v", d)
	}
	if p := mustAppend(t, j, entry("k", "after")); p != 16 {
		t.Errorf("the next entry stands at %d, a position given out before", p)
	}
	good, bad := readAll(t, j)
	if len(good) != 11 || len(bad) != 1 || bad[0].Position != 11 || bad[0].Next != 16 {
		t.Errorf("good %v, bad %v", good, bad)
	}
	j.Close()
	// The whole file gone.
	for _, name := range []string{fileName, fileName + "-wal", fileName + "-shm"} {
		os.Remove(filepath.Join(dir, name))
	}
	j = open(t, dir)
	if d := j.Damage(); d == nil || d.Next != 17 {
		t.Fatalf("the file gone: %v", d)
	}
	if p := mustAppend(t, j, entry("k", "after")); p != 17 {
		t.Errorf("the next entry stands at %d", p)
	}
}

func TestAFileBeyondReadingIsPutAside(t *testing.T) {
	dir := filled(t, 5)
	name := filepath.Join(dir, fileName)
	ruin := bytes.Repeat([]byte("ruin"), 3000)
	if err := os.WriteFile(name, ruin, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, dir, Options{}); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("without PutAside: %v", err)
	}
	j, err := Open(ctx, dir, Options{PutAside: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if d := j.Damage(); d == nil || d.Position != 1 || d.Next != 6 {
		t.Errorf("told %v", d)
	}
	if p := mustAppend(t, j, entry("k", "on")); p != 6 {
		t.Errorf("goes on at %d", p)
	}
	aside, err := filepath.Glob(name + ".*")
	if err != nil || len(aside) == 0 {
		t.Fatalf("put aside: %v, %v", aside, err)
	}
	if b, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(b, ruin) {
		t.Errorf("what was put aside is not what was there: %v", err)
	}
	foreign := t.TempDir()
	mustExecute(t, foreign, "CREATE TABLE t (x)")
	if _, err := Open(ctx, foreign, Options{PutAside: true}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a sound file of another program: %v", err)
	}
}

// TestTheWitnessMayLag is what a power cut does to a file that is not synced.
func TestTheWitnessMayLag(t *testing.T) {
	dir := filled(t, 5)
	name := filepath.Join(dir, witnessName)
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	j := open(t, dir)
	mustAppend(t, j, entry("k", "6"), entry("k", "7"))
	j.Close()
	for what, b := range map[string][]byte{"older": old, "empty": nil, "short": old[:slotSize/2], "zeros": make([]byte, slotsEnd), "garbage": bytes.Repeat([]byte{0xa5}, slotsEnd)} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		j := open(t, dir)
		if p, _ := j.Head(); p != 7 || j.Damage() != nil {
			t.Errorf("witness %s: head %d, %v", what, p, j.Damage())
		}
		j.Close()
	}
	// Witness and table head both gone: the entries themselves are left to tell.
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	mustExecute(t, dir, "DELETE FROM head; UPDATE entries SET at = 1 WHERE position = 7")
	j = open(t, dir)
	if p, _ := j.Head(); p != 6 || j.Damage() == nil {
		t.Errorf("head %d, %v", p, j.Damage())
	}
	if p := mustAppend(t, j, entry("k", "7 again")); p != 7 {
		t.Errorf("the next entry stands at %d", p)
	}
}

func FuzzSlots(f *testing.F) {
	dir := f.TempDir()
	s, err := openSlots(filepath.Join(dir, "seed"))
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		if err := s.write(head{position: Position(i + 1)}.statement()); err != nil {
			f.Fatal(err)
		}
	}
	b, err := os.ReadFile(s.f.Name())
	if err != nil {
		f.Fatal(err)
	}
	s.f.Close()
	f.Add(b)
	f.Add(b[:slotStride+10])
	f.Add(bytes.Repeat([]byte(slotMagic), 1200))
	f.Fuzz(func(t *testing.T, b []byte) {
		name := filepath.Join(t.TempDir(), "slots")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openSlots(name)
		if err != nil {
			t.Fatal(err)
		}
		next := head{position: 42}
		binary.BigEndian.PutUint64(next.hash[:], s.generation)
		if err := errors.Join(s.write(next.statement()), s.f.Close()); err != nil {
			t.Fatal(err)
		}
		again, err := openSlots(name)
		if err != nil {
			t.Fatal(err)
		}
		defer again.f.Close()
		if !again.whole || (again.statement != next.statement() && s.generation != 0) {
			t.Fatal("what was written is not what counts")
		}
	})
}
