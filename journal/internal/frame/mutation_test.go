package frame

import (
	"testing"

	"tocsin/wire/hostile"
)

// Any segment: the records that are whole, and where they end.
func TestMutations(t *testing.T) {
	seeds := [][]byte{written(3, record(1, "one"), record(2, "two"), record(7, "and a longer one")), written(3, record(1, ""))}
	hostile.Run(t, hostile.Decoder{Name: "journal frames", Seeds: seeds, Decode: func(b []byte) bool {
		found, err := Scan(b, 3, limit, func(Record) error { return nil })
		return err == nil && found.Whole > 0
	}})
}
