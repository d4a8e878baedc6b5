package desk

import (
	"testing"

	"tocsin/wire/hostile"
)

// Any body: a command, or the field that is wrong with it.
func TestMutations(t *testing.T) {
	var seeds [][]byte
	for _, body := range []string{declare, extend, end, fix, bearing, cue} {
		seeds = append(seeds, []byte(body))
	}
	hostile.Run(t, hostile.Decoder{Name: "desk commands", Seeds: seeds, Decode: func(b []byte) bool {
		c, no := decode(b)
		return no == nil && c.content("x") != ""
	}})
}
