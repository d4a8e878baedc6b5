package warning

import (
	"testing"

	"tocsin/wire/hostile"
)

// Any policy file: a policy or an error.
func TestMutations(t *testing.T) {
	hostile.Run(t, hostile.Decoder{Name: "core/warning policy", Seeds: [][]byte{shipped}, Decode: func(b []byte) bool {
		_, err := ReadPolicy(b)
		return err == nil
	}})
}
