package sim

import (
	"testing"

	shipped "tocsin/scenarios"
	"tocsin/wire/hostile"
)

// Any scenario: a world that can be run, or an error.
func TestMutations(t *testing.T) {
	var seeds [][]byte
	for _, name := range []string{"demo/ua.txt", "demo/il.txt"} {
		b, err := shipped.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := Split(b)
		seeds = append(seeds, text)
	}
	hostile.Run(t, hostile.Decoder{Name: "sim scenario", Seeds: seeds, Decode: func(b []byte) bool {
		text, _ := Split(b)
		w, err := Read(text)
		return err == nil && len(w.Sources()) > 0
	}})
}
