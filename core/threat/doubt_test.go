package threat

import (
	"testing"

	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/track"
)

// What is young, or not seen where it was seen, is believed less; what nobody looked at
// is believed as before, and silence alone never takes all of it.
func TestExistenceIsDoubted(t *testing.T) {
	one := []track.Contribution{{Source: "a", Kind: "asterix"}}
	for _, c := range []struct {
		name            string
		updates, missed int
		sources         []track.Contribution
		least, most     float64
	}{
		{name: "long followed", updates: 200, sources: one, least: 0.98, most: 1},
		{name: "three plots", updates: 3, sources: one, least: 0.7, most: 0.85},
		{name: "three plots of two sensors", updates: 3, sources: append(one, track.Contribution{Source: "b"}), least: 0.98, most: 1},
		{name: "missed thrice", updates: 200, missed: 3, sources: one, least: 0.9, most: 0.99},
		{name: "missed ten times", updates: 200, missed: 10, sources: one, least: 0.2, most: 0.6},
		{name: "missed a thousand times", updates: 200, missed: 1000, sources: one, least: 0.1, most: 0.2},
		{name: "young and missed", updates: 3, missed: 4, sources: one, least: 0.1, most: 0.35},
	} {
		tr := track.Track{Status: track.Confirmed, Existence: 0.999, Updates: c.updates, Missed: c.missed, Sources: c.sources}
		if p := existence(&tr); p < c.least || p > c.most {
			t.Errorf("%s: existence %.3f, want %.2f to %.2f", c.name, p, c.least, c.most)
		}
		tr.Existence = 0.05
		if p := existence(&tr); p > 0.05 {
			t.Errorf("%s: existence %.3f is more than the filter's", c.name, p)
		}
	}
}

// An aircraft of nobody knows whose, high over a town, is hardly a threat to it; low it is
// one, and so is one that is shown to be hostile, at any height.
func TestAircraftOfNobodyKnowsWhose(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	over := func(height float64, whose observation.Allegiance) float64 {
		tr := flying(class.Aircraft, 0, 0, height, [3]float64{0, 230, 0}, 100, 3)
		tr.Identity.Standing = whose
		return chance(Predict(tr, zones, m, ""), "r010c010")
	}
	if p := over(10e3, observation.Unstated); p > 0.3 {
		t.Errorf("high over it: p %.2f", p)
	}
	if low, high := over(600, observation.Unstated), over(10e3, observation.Unstated); low < 2*high {
		t.Errorf("low over it p %.2f, high over it %.2f", low, high)
	}
	if p := over(10e3, observation.Foe); p < 0.95 {
		t.Errorf("hostile: p %.2f", p)
	}
}

// What comes down reaches what is under its path's end, and nothing far beyond.
func TestWhatComesDownEnds(t *testing.T) {
	zones := checkerboard(t, 41, 3e3)
	m := DefaultModels().On(zones)
	f := Predict(flying(class.Drone, 0, 0, 300, [3]float64{0, 55, -30}, 60, 2), zones, m, "")
	if p := chance(f, "r020c020"); p < 0.9 {
		t.Errorf("the zone it dives into has p %.2f", p)
	}
	if p := chance(f, "r023c020"); p > 0.1 {
		t.Errorf("9 km on p is %.2f", p)
	}
}

// What is on no line of the table and falls fast from far above does not pass over
// everything on its way as if it flew level.
func TestTheUnknownThatFalls(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	f := Predict(flying(class.Unknown, 0, -60e3, 30e3, [3]float64{0, 900, -900}, 200, 10), zones, m, "")
	if p := chance(f, "r017c010"); p > 0.3 {
		t.Errorf("the zone 130 km on, far behind where it comes down, has p %.2f", p)
	}
}
