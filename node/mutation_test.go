package node

import (
	"testing"

	"tocsin/wire/hostile"
)

// Any configuration: one that is sound, or an error.
func TestMutations(t *testing.T) {
	hostile.Run(t, hostile.Decoder{Name: "node configuration", Seeds: [][]byte{[]byte(good)}, Decode: func(b []byte) bool {
		_, err := parseConfig(b)
		return err == nil
	}})
}
