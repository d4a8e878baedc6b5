package asterix

import (
	"testing"

	"tocsin/wire/hostile"
)

// Any octets, in every category and edition known: no panic, bounded time and memory, and
// what is decoded can be printed.
func TestMutations(t *testing.T) {
	seeds := [][]byte{octets(t, plot)}
	for i, form := range formats(t) {
		r := newRandom(uint64(i))
		b, err := Encode(r.record(form, -1), r.record(form, 1))
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	next := 0
	var line []byte
	hostile.Run(t, hostile.Decoder{Name: "wire/asterix", Seeds: seeds, Decode: func(b []byte) bool {
		next++
		records, _ := Decode(b, editionSets[next%len(editionSets)])
		for i := range records {
			line = records[i].AppendJSON(line[:0])
		}
		return len(records) > 0
	}})
}
