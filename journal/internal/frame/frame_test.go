package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

const limit = 1 << 16

func record(n uint64, body string) Record {
	return Record{Number: n, At: 1763781120000 + int64(n), Body: []byte(body)}
}

func written(salt uint64, records ...Record) []byte {
	var b []byte
	for _, r := range records {
		b = Append(b, salt, r)
	}
	return b
}

func bodies(b []byte, salt uint64) (string, Found) {
	var out []string
	found, _ := Scan(b, salt, limit, func(r Record) error {
		out = append(out, string(r.Body))
		return nil
	})
	return strings.Join(out, " "), found
}

func TestScanFindsWhatIsWhole(t *testing.T) {
	const salt = 7
	one, two, three := record(1, "one"), record(2, "two"), record(3, "three")
	all := written(salt, one, two, three)
	size := func(r Record) int { return HeaderSize + len(r.Body) }
	flipped := func(at int) []byte {
		b := bytes.Clone(all)
		b[at] ^= 0x10
		return b
	}
	zeroed := bytes.Clone(all)
	clear(zeroed[size(one)+4 : size(one)+size(two)])
	inner := written(salt+1, record(9, "forged"))
	cases := []struct {
		name    string
		b       []byte
		want    string
		missing uint64
	}{
		{"empty", nil, "", 0},
		{"all", all, "one two three", 0},
		{"zeros behind", append(bytes.Clone(all), make([]byte, 4096)...), "one two three", 0},
		{"cut in the last body", all[:len(all)-1], "one two", 1},
		{"cut behind the last header", all[:len(all)-5], "one two", 1},
		{"cut in the last header", all[:len(all)-6], "one two", 0},
		{"body flipped", flipped(size(one) + HeaderSize), "one three", 1},
		{"length flipped", flipped(size(one) + 7), "one three", 1},
		{"number flipped", flipped(size(one) + 15), "one three", 1},
		{"time flipped", flipped(size(one) + 20), "one three", 1},
		{"first magic flipped", flipped(0), "two three", 1},
		{"a page of zeros", zeroed, "one three", 1},
		{"under another salt", written(salt+1, one), "", 0},
		{"a record inside a torn body", append(written(salt, one, record(2, string(inner)+"tail"))[:size(one)+HeaderSize+len(inner)], 0), "one", 1},
		{"left over from before", append(written(salt, one, three), written(salt, two)...), "one three", 1},
		{"body over the limit", written(salt, record(1, strings.Repeat("x", limit+1)), two), "two", 1},
		{"empty body", written(salt, record(1, "")), "", 0},
	}
	for _, c := range cases {
		got, found := bodies(c.b, salt)
		if got != c.want || found.Missing() != c.missing {
			t.Errorf("%s: got %q, %d missing; want %q, %d", c.name, got, found.Missing(), c.want, c.missing)
		}
	}
}

func TestScanStopsWhereYieldSays(t *testing.T) {
	enough := errors.New("enough")
	b := written(1, record(1, "one"), record(2, "two"))
	found, err := Scan(b, 1, limit, func(Record) error { return enough })
	if !errors.Is(err, enough) || found.Whole != 1 {
		t.Errorf("got %v after %d", err, found.Whole)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(written(3, record(1, "one"), record(2, "two")), uint64(3))
	f.Add(written(3, record(1, "one"), record(1<<63, "two"))[:40], uint64(3))
	f.Add([]byte(strings.Repeat(magic, 40)), uint64(0))
	f.Add(append(written(0, record(5, "")), 0xff), uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, salt uint64) {
		var again []byte
		var last uint64
		found, err := Scan(b, salt, limit, func(r Record) error {
			if r.Number <= last || len(r.Body) > limit {
				t.Fatalf("number %d after %d, %d bytes", r.Number, last, len(r.Body))
			}
			last = r.Number
			again = Append(again, salt, r)
			if !bytes.Contains(b, Append(nil, salt, r)) {
				t.Fatal("found a record that is not in the file")
			}
			return nil
		})
		if err != nil || found.End > len(b) || found.Whole > found.Last {
			t.Fatalf("%+v, %v", found, err)
		}
		refound, _ := Scan(again, salt, limit, func(Record) error { return nil })
		if refound.Whole != found.Whole {
			t.Fatalf("%d records written again, %d found", found.Whole, refound.Whole)
		}
	})
}
