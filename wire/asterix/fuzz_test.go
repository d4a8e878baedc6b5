package asterix

import (
	"bytes"
	"encoding/json"
	"testing"
)

// editionSets are what a fuzzed datagram is decoded with.
var editionSets = []Editions{nil, {34: "1.27", 48: "1.29+1.11", 62: "1.17+1.2"}, {48: "1.32", 62: "1.21"}, {48: "no", 62: ""}}

// FuzzDecode holds what is true of any octets at all: no panic, bounded faults, values that
// can be read, and records that encode to something that decodes to them again.
func FuzzDecode(f *testing.F) {
	f.Add(octets(f, plot), uint8(0))
	for i, form := range formats(f) {
		r := newRandom(uint64(i))
		b, err := Encode(r.record(form, -1), r.record(form, 1))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(i))
		f.Add(b[:len(b)*2/3], uint8(i))
	}
	f.Add([]byte{}, uint8(0))
	f.Add(bytes.Repeat([]byte{7, 0, 3}, 100), uint8(1))
	f.Add(octets(f, "02 000e 81 02 1901 03 02 01 04 000080 03 40"), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, set uint8) {
		editions := editionSets[int(set)%len(editionSets)]
		records, faults := Decode(b, editions)
		if len(faults) > MaxFaults {
			t.Fatalf("%d faults", len(faults))
		}
		for _, fault := range faults {
			if fault.Error() == "" || fault.Offset < 0 || fault.Offset > len(b) {
				t.Fatalf("fault %+v", fault)
			}
		}
		for i := range records {
			if !json.Valid(records[i].AppendJSON(nil)) {
				t.Fatalf("not JSON: %s", records[i].AppendJSON(nil))
			}
			for v := range records[i].Items() {
				leaves(v, nil, func(path []string, leaf Value) {
					again, ok := v.At(path...)
					if !ok || again.Uint() != leaf.Uint() {
						t.Fatalf("I%03d/%s %v is not found again", records[i].Category, v.Name(), path)
					}
				})
			}
		}
		if len(records) == 0 {
			return
		}
		out, err := Encode(records...)
		if err != nil {
			t.Fatal(err)
		}
		back, _ := Decode(out, editions)
		if len(back) != len(records) {
			t.Fatalf("%d records, %d when encoded and decoded", len(records), len(back))
		}
		for i := range back {
			same(t, &records[i], &back[i])
		}
	})
}

// FuzzBuild takes a record of any octets apart and builds it again from its values.
func FuzzBuild(f *testing.F) {
	for i := range formats(f) {
		f.Add(uint64(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, seed uint64, pick uint8) {
		all := formats(t)
		form := all[int(pick)%len(all)]
		in := newRandom(seed).record(form, -1)
		b, err := NewBuilder(form.category, form.edition)
		if err != nil {
			t.Fatal(err)
		}
		rebuildFrom(b, &in)
		out, err := b.Record()
		if err != nil {
			t.Fatal(err)
		}
		same(t, &in, &out)
		datagram, err := Encode(out)
		if err != nil {
			t.Fatal(err)
		}
		if back, faults := Decode(datagram, Editions{form.category: form.edition}); len(back) != 1 || len(faults) != 0 {
			t.Fatalf("%d records, %v", len(back), faults)
		}
	})
}
