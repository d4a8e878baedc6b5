// Package hostile makes bytes that mean harm, for the tests of everything that reads bytes
// from outside.
//
// In: good inputs of a decoder. Out: mutations of them, the same ones each time, and a
// verdict on the decoder: it never panics, never takes over a second for one input and never
// allocates over 64 MiB for one. It is used by tests alone and judges no meaning: what a
// decoder may take and what not is for the decoder's own tests.
package hostile

import (
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// The bounds that goals set for one input.
const (
	MaxTime  = time.Second
	MaxAlloc = 64 << 20 // bytes
)

// Short is how many inputs a run tries where TOCSIN_MUTATIONS says nothing.
const Short = 3000

// hangs is after how long with one input the run is ended with the input in its mouth.
const hangs = time.Minute

// Decoder is what is tried.
type Decoder struct {
	Name  string // for the table of the long run: the room and what it reads
	Seeds [][]byte
	// Part is for decoders that go over files: one in so many of the inputs is tried. Zero is one.
	Part int
	// Decode reads one input and says whether it took it. The input is its own to keep.
	Decode func([]byte) bool
}

// Outcome is what a run came to.
type Outcome struct {
	Inputs, Taken int
	Took          time.Duration
	Slowest       time.Duration
	Largest       uint64 // bytes allocated for one input
}

// Run tries a decoder with as many mutations as TOCSIN_MUTATIONS says, and fails the test at
// the first that it does not bear. Tests that run beside it add to what it measures.
func Run(t *testing.T, d Decoder) Outcome {
	t.Helper()
	n := Short
	if s := os.Getenv("TOCSIN_MUTATIONS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("TOCSIN_MUTATIONS: %v", err)
		}
	}
	o, err := Try(d, n/max(1, d.Part))
	if err != nil {
		t.Fatal(err)
	}
	// scripts/fuzz.sh makes its table of these lines.
	t.Logf("mutations|%s|%d|%d|%s|%s|%.1f KiB", d.Name, o.Inputs, o.Taken, o.Took.Round(time.Millisecond), o.Slowest.Round(time.Microsecond), float64(o.Largest)/1024)
	return o
}

// Try is Run without a test.
func Try(d Decoder, n int) (Outcome, error) {
	var o Outcome
	if len(d.Seeds) == 0 {
		return o, fmt.Errorf("hostile: %s: no seed: nothing would be tried", d.Name)
	}
	for i, s := range d.Seeds {
		if err := o.one(d, s, false); err != nil {
			return o, fmt.Errorf("hostile: %s: seed %d: %w", d.Name, i, err)
		}
	}
	o.Taken = 0
	began := time.Now()
	for i, input := range Inputs(d.Name, d.Seeds, n) {
		if err := o.one(d, input, true); err != nil {
			return o, fmt.Errorf("hostile: %s: input %d: %w", d.Name, i, err)
		}
		o.Inputs++
	}
	o.Took = time.Since(began)
	return o, nil
}

// Inputs are the mutations that a decoder of that name is tried with, for tests that hold it
// to another judge as well. There must be a seed.
func Inputs(name string, seeds [][]byte, n int) iter.Seq2[int, []byte] {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	return func(yield func(int, []byte) bool) {
		m := mutator{seeds: seeds}
		for i := range n {
			// Each input is drawn by itself, so that one that fails is made again at once.
			m.rand = rand.New(rand.NewPCG(hash.Sum64(), uint64(i)))
			if !yield(i, m.input()) {
				return
			}
		}
	}
}

// one tries one input. What was slow is tried again by the time that the processor gave to
// it: a machine with other work to do makes anything slow.
func (o *Outcome) one(d Decoder, input []byte, counts bool) error {
	watch := time.AfterFunc(hangs, func() { panic(fmt.Sprintf("hostile: %s hangs in %s", d.Name, shown(input))) })
	defer watch.Stop()
	took, allocated, taken, err := measure(d.Decode, input)
	for try := 0; err == nil && took > MaxTime && try < 3; try++ {
		before := processTime()
		var again time.Duration
		again, _, _, err = measure(d.Decode, input)
		if used := processTime() - before; used > 0 {
			again = min(again, used)
		}
		took = min(took, again)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w\nof %s", err, shown(input))
	case took > MaxTime:
		return fmt.Errorf("%s for %d bytes: %s", took, len(input), shown(input))
	case allocated > MaxAlloc:
		return fmt.Errorf("%d bytes allocated for %d: %s", allocated, len(input), shown(input))
	}
	if counts {
		o.Slowest, o.Largest = max(o.Slowest, took), max(o.Largest, allocated)
	}
	if taken {
		o.Taken++
	}
	return nil
}

// measure runs a decoder on a copy, so that what it does to its input is seen by nobody.
func measure(decode func([]byte) bool, input []byte) (took time.Duration, allocated uint64, taken bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	own := append(make([]byte, 0, len(input)), input...)
	before := allocations()
	start := time.Now()
	taken = decode(own)
	return time.Since(start), allocations() - before, taken, nil
}

// processTime is the processor time that this process has used, the collector's with it.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0 // then only the wall clock counts
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func allocations() uint64 {
	sample := [1]metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample[:])
	return sample[0].Value.Uint64()
}

// shown is an input for a message, whole as far as that helps.
func shown(b []byte) string {
	const most = 1024
	if len(b) <= most {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q and %d bytes more", b[:most], len(b)-most)
}
