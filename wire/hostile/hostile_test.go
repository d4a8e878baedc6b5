package hostile

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var sink []byte

// What a decoder must not do is found when it does it, and what it may do is not.
func TestTryFinds(t *testing.T) {
	seeds := [][]byte{[]byte(`{"count": 17, "name": "a"}`), {0x30, 0, 6, 0x80, 0x19, 1}}
	for name, c := range map[string]struct {
		decode func([]byte) bool
		says   string
	}{
		"a panic":           {func(b []byte) bool { return b[len(b)-1] > 0 }, "panic: "},
		"a number believed": {func(b []byte) bool { return bytes.Contains(b, []byte("4294967296")) && b[1<<40] == 0 }, "panic: "},
		"too much": {func(b []byte) bool {
			if len(b) > 1000 {
				sink = make([]byte, MaxAlloc+1)
			}
			return true
		}, "bytes allocated"},
		"nothing": {func(b []byte) bool { return len(b)%2 == 0 }, ""},
	} {
		o, err := Try(Decoder{Name: name, Seeds: seeds, Decode: c.decode}, 20_000)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (o.Inputs != 20_000 || o.Taken < 1000 || o.Taken > 19_000 || o.Took <= 0 || o.Slowest <= 0) {
			t.Errorf("%s: %+v", name, o)
		}
	}
	slow := Decoder{Name: "slow", Seeds: seeds, Decode: func([]byte) bool {
		for end := processTime() + MaxTime + 10*time.Millisecond; processTime() < end; {
		}
		return true
	}}
	if _, err := Try(slow, 1); err == nil || !strings.Contains(err.Error(), "for 26 bytes") {
		t.Errorf("slow: %v", err)
	}
	if _, err := Try(Decoder{Name: "empty"}, 1); err == nil {
		t.Error("no seed, and no complaint")
	}
}

// A busy machine is not a slow decoder: what is slow once is tried again.
func TestTryTriesAgain(t *testing.T) {
	calls := 0
	_, err := Try(Decoder{Name: "once", Seeds: [][]byte{{1}}, Decode: func([]byte) bool {
		if calls++; calls == 1 {
			for end := time.Now().Add(MaxTime + time.Millisecond); time.Now().Before(end); {
			}
		}
		return true
	}}, 10)
	if err != nil {
		t.Error(err)
	}
}

// Inputs are the same each time, differ from one another, and are bounded.
func TestInputs(t *testing.T) {
	seeds := [][]byte{[]byte(strings.Repeat("name: value 12.5\n", 50)), nil, bytes.Repeat([]byte{7}, 100)}
	distinct := map[string]bool{}
	longest := 0
	for i := range uint64(5000) {
		a := mutator{seeds, rand.New(rand.NewPCG(1, i))}
		b := mutator{seeds, rand.New(rand.NewPCG(1, i))}
		x := a.input()
		if !bytes.Equal(x, b.input()) {
			t.Fatalf("input %d is not the same again", i)
		}
		distinct[string(x)] = true
		longest = max(longest, len(x))
	}
	if len(distinct) < 4000 || longest > maxInput || longest < 10_000 {
		t.Errorf("%d distinct inputs of 5000, the longest %d bytes", len(distinct), longest)
	}
	if len(seeds[1]) != 0 || !bytes.Equal(seeds[2], bytes.Repeat([]byte{7}, 100)) {
		t.Error("a seed was changed")
	}
}
