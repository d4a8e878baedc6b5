package recording

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/journal/internal/frame"
	"tocsin/wire/hostile"
)

// long is a body that no compression and no shift of a part leaves as it is.
func long(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func bodiesIn(t *testing.T, dir string) (all [][]byte, found Found) {
	t.Helper()
	found, err := Read(context.Background(), dir, time.Time{}, time.Time{}, func(_ time.Time, body []byte) error {
		all = append(all, bytes.Clone(body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, found
}

// A body of several parts comes back whole, over the border of two segments too; where one
// part is damaged it is counted, and those around it are whole.
func TestLongBodies(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{SegmentBytes: minSegmentBytes, Segments: 8})
	want := [][]byte{[]byte("before"), long(1, maxPart), long(2, maxPart+1), long(3, 5*maxRecord+17), {}, []byte("behind")}
	for _, b := range want {
		if err := r.Write(night, b); err != nil {
			t.Fatal(err)
		}
	}
	if s := r.Stats(); s.Records != int64(len(want)) || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
	if err := r.Write(night, make([]byte, 4*minSegmentBytes+1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("over half of what fits: %v", err)
	}
	r.Close()
	got, found := bodiesIn(t, dir)
	if len(got) != len(want) || found.Records != int64(len(want)) || found.Torn+found.Missing != 0 {
		t.Fatalf("%d bodies, %+v", len(got), found)
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("body %d is another", i)
		}
	}
	segments, err := list(dir)
	if err != nil || len(segments) < 4 {
		t.Fatal(segments, err)
	}
	torn := int64(0)
	for i, s := range segments { // each time one segment is gone
		name := filepath.Join(dir, s.name)
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		got, found := bodiesIn(t, dir)
		torn += found.Torn
		if len(got) >= len(want) {
			t.Errorf("without segment %d: %d bodies, %+v", i, len(got), found)
		}
		for _, b := range got {
			if !slicesContain(want, b) {
				t.Errorf("without segment %d a body of %d bytes was put together", i, len(b))
			}
		}
		if err := os.WriteFile(name, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if torn < 4 { // the long body lies in three segments at least, another in two
		t.Errorf("%d bodies were found torn", torn)
	}
}

func slicesContain(all [][]byte, b []byte) bool {
	for _, one := range all {
		if bytes.Equal(one, b) {
			return true
		}
	}
	return false
}

// Records in any order and with anything in them: nothing is put together that is not one
// body's parts in their order.
func TestPartsInAnyOrder(t *testing.T) {
	record := func(body uint64, place, count int, text string) []byte {
		return append(partHead(nil, body, place, count), text...)
	}
	a, b := [][]byte{record(1, 0, 3, "a0"), record(1, 1, 3, "a1"), record(1, 2, 3, "a2")}, [][]byte{record(2, 0, 2, "b0"), record(2, 1, 2, "b1")}
	single := []byte("wsingle")
	cases := []struct {
		name    string
		records [][]byte
		want    string
		torn    int64
	}{
		{"both", [][]byte{a[0], a[1], a[2], b[0], b[1]}, "a0a1a2 b0b1 ", 0},
		{"first missing", [][]byte{a[1], a[2], b[0], b[1]}, "b0b1 ", 1},
		{"middle missing", [][]byte{a[0], a[2], b[0], b[1]}, "b0b1 ", 1},
		{"last missing", [][]byte{a[0], a[1], b[0], b[1]}, "b0b1 ", 1},
		{"last missing at the end", [][]byte{a[0], a[1]}, "", 1},
		{"one between", [][]byte{a[0], single, a[1], a[2]}, "single ", 1},
		{"another's between, which we never write", [][]byte{a[0], b[0], a[1], a[2], b[1]}, "", 4},
		{"twice", [][]byte{a[0], a[0], a[1], a[2]}, "a0a1a2 ", 1},
		{"another count", [][]byte{a[0], record(1, 1, 2, "x")}, "", 1},
		{"a part of one", [][]byte{record(5, 0, 1, "x"), single}, "single ", 1},
		{"more than fits", [][]byte{record(5, 0, 65535, "x"), single}, "single ", 1},
		{"nothing", [][]byte{{}, []byte("p"), []byte("x?"), single}, "single ", 3},
	}
	for _, c := range cases {
		var found Found
		j, got := joiner{found: &found}, ""
		for i, r := range c.records {
			if body, ok := j.take(frame.Record{Number: uint64(i + 1), At: 7, Body: r}); ok {
				got += string(body) + " "
			}
		}
		j.drop()
		if got != c.want || found.Torn != c.torn {
			t.Errorf("%s: %q and %d torn, want %q and %d", c.name, got, found.Torn, c.want, c.torn)
		}
	}
}

func TestPacking(t *testing.T) {
	var p Packer
	for _, body := range [][]byte{nil, []byte("one"), long(4, 100_000), bytes.Repeat([]byte("observed "), 50_000)} {
		packed := bytes.Clone(p.Pack(Begins, body))
		got, err := Unpack(packed, len(body))
		if err != nil || !bytes.Equal(got, body) || MarkOf(packed) != Begins {
			t.Errorf("%d bytes: %v", len(body), err)
		}
		unmarked := bytes.Clone(packed)
		unmarked[0] = 0
		for name, bad := range map[string][]byte{"cut": packed[:len(packed)-1], "more behind": append(bytes.Clone(packed), 0), "nothing": nil, "no mark": unmarked} {
			if _, err := Unpack(bad, len(body)); !errors.Is(err, ErrPacked) {
				t.Errorf("%d bytes, %s: %v", len(body), name, err)
			}
		}
		if len(body) > 0 {
			if _, err := Unpack(packed, len(body)-1); !errors.Is(err, ErrPacked) {
				t.Errorf("%d bytes over the limit: %v", len(body), err)
			}
		}
	}
	// Sixteen megabytes of zeros are some kilobytes: they are not unpacked.
	if _, err := Unpack(p.Pack(GoesOn, make([]byte, 16<<20)), 1<<20); !errors.Is(err, ErrPacked) {
		t.Errorf("a bomb: %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	var p Packer
	f.Add(bytes.Clone(p.Pack(Begins, []byte("observed observed observed"))))
	f.Add(bytes.Clone(p.Pack(GoesOn, nil)))
	f.Add([]byte{0, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Unpack(b, 1<<16)
		if err != nil {
			return
		}
		var p Packer
		if again, err := Unpack(p.Pack(GoesOn, got), 1<<16); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%d bytes: %v", len(got), err)
		}
	})
}

// Any packed body.
func TestPackedMutations(t *testing.T) {
	var p Packer
	seeds := [][]byte{bytes.Clone(p.Pack(Begins, bytes.Repeat([]byte(`{"n":1,"now":2,"ticked":{}}`+"\n"), 50))), bytes.Clone(p.Pack(GoesOn, make([]byte, 1<<18)))}
	hostile.Run(t, hostile.Decoder{Name: "journal/recording packed", Seeds: seeds, Decode: func(b []byte) bool {
		_, err := Unpack(b, 1<<20)
		return err == nil
	}})
}
