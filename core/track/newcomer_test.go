package track

import (
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

// places is a source of places without heights among many false plots.
func places() observation.Source {
	return observation.Source{ID: "p", Kind: "fixes", Period: 4 * time.Second, Detection: 0.9, Clutter: 1000}
}

func placeAt(p [3]float64) observation.Fix {
	return observation.Fix{Position: geo.NewENU(here).From(p).Position(), Covariance: [3][3]float64{{2500}, {0, 2500}, {0, 0, 1e8}}}
}

// A false plot that only something very fast could have come from does not swallow the first
// word of what has just come: three looks make a track, whatever lay near the first.
func TestStrayPlotSwallowsNothing(t *testing.T) {
	s := places()
	for _, off := range []float64{1200, 1400, 1700} {
		p := NewPicture(Config{Sources: []observation.Source{s}})
		p.Observe(after(0), observed(s, 0, placeAt([3]float64{0, off, 0})))
		for k := range 3 {
			at := 4 * float64(k+1)
			p.Observe(after(at), observed(s, at, placeAt([3]float64{50 * at, 0, 0})))
		}
		if n := len(p.Tracks(after(12))); n != 1 {
			t.Errorf("a stray plot %.0f m away: %d tracks after three looks", off, n)
		}
	}
}

// Where many have come of late, what looks like one more is believed sooner; on a quiet
// night the same two looks are not enough.
func TestManyMakeOneMoreLikely(t *testing.T) {
	s := radar("r", 0)
	s.Clutter = 40
	g := rng()
	twoLooks := func(p *Picture, from float64) int {
		m := mover{p: [3]float64{-40e3, -20e3, 1500}, v: [3]float64{60, 10, 0}}
		before := len(p.Tracks(after(from)))
		for k := range 2 {
			at := from + 4*float64(k)
			p.Observe(after(at), observed(s, at, plotOf(s, m.at(at), g)))
		}
		return len(p.Tracks(after(from+4))) - before
	}
	if n := twoLooks(NewPicture(Config{Sources: []observation.Source{s}}), 0); n != 0 {
		t.Errorf("on a quiet night two looks made %d tracks", n)
	}
	p := NewPicture(Config{Sources: []observation.Source{s}})
	var ms []mover
	for i := range 12 {
		ms = append(ms, mover{p: [3]float64{20e3 + 3e3*float64(i), 10e3, 1500}, v: [3]float64{-60, 20, 0}})
	}
	for k := range 4 {
		scan(p, s, 4*float64(k), g, ms...)
	}
	if n := twoLooks(p, 17); n != 1 {
		t.Errorf("after twelve others two looks made %d tracks", n)
	}
}

// A raid that comes all at once is no clutter: what begins in one look is counted as
// false only when a look later nothing more was seen of it.
func TestRaidAtOnceIsNoClutter(t *testing.T) {
	s := places()
	s.Clutter = 40
	g := rng()
	p := NewPicture(Config{Sources: []observation.Source{s}})
	var ms []mover
	for range 400 {
		ms = append(ms, mover{p: [3]float64{60e3 * g.NormFloat64(), 60e3 * g.NormFloat64(), 0}, v: [3]float64{100 * g.NormFloat64(), 100 * g.NormFloat64(), 0}})
	}
	for k := range 4 {
		at := 4 * float64(k)
		for _, m := range ms {
			q := m.at(at)
			p.Observe(after(at), observed(s, at, placeAt([3]float64{q[0] + 50*g.NormFloat64(), q[1] + 50*g.NormFloat64(), 0})))
		}
		p.Observe(after(at), observed(s, at, observation.Absence{}))
	}
	if n := len(p.Tracks(after(12))); n < 380 {
		t.Errorf("of 400 that were seen in four looks %d are tracks", n)
	}
}
