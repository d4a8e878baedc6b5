package board

import (
	"testing"
	"time"

	"tocsin/wire/hostile"
)

// Any payload, behind its signature: a statement or an error.
func TestMutatedPayloads(t *testing.T) {
	g := newTarget(t)
	var seeds [][]byte
	for _, line := range g.lines {
		tok, err := split(line)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, tok.payload)
	}
	hostile.Run(t, hostile.Decoder{Name: "board payloads", Seeds: seeds, Decode: func(b []byte) bool {
		_, frame := Decode(b)
		_, keys := decodeKeys(b)
		return frame == nil || keys == nil
	}})
}

// Any line: none but those that were signed is taken.
func TestMutatedLines(t *testing.T) {
	g := newTarget(t)
	c := g.client(t)
	now := t0.Add(11 * time.Second)
	hostile.Run(t, hostile.Decoder{Name: "board lines", Seeds: g.lines, Decode: func(b []byte) bool {
		if g.known(b) {
			return false
		}
		taken := c.Take(b, now).Accepted() || c.Keys(b, now) == Taken
		if taken {
			t.Errorf("taken: %q", b)
		}
		return taken
	}})
}
