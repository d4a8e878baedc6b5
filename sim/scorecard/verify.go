package scorecard

import (
	"maps"
	"math"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/sim/raid"
)

// leads are how far ahead forecasts are verified.
var leads = [...]time.Duration{2 * time.Minute, 10 * time.Minute}

const bins = 10

// noThreat stands for tracks that are of no hostile object, beside the classes.
const noThreat = class.Count

// bin is the cases of one range of probability: how many, the sum of what was said, and
// how often it happened.
type bin struct {
	cases, said, happened float64
}

// tally is the cases of one kind: their squared errors, and the reliability diagram.
type tally struct {
	cases     float64 // zones at moments, those of which nothing was said included
	happened  float64
	squares   float64 // sum of (p-o)²
	reference float64 // the same sum for the raid's own mean rate
	bins      [bins]bin
}

// enter counts one case in which p was said, and whether it happened. What is not entered
// is a case in which 0 was said and nothing happened.
func (t *tally) enter(p float64, happened bool) {
	o := 0.0
	if happened {
		o = 1
	}
	t.happened += o
	t.squares += (p - o) * (p - o)
	b := &t.bins[min(int(p*bins), bins-1)]
	b.cases++
	b.said += p
	b.happened += o
}

// refer closes a raid's tally: its own mean rate, said in every case, has this error.
func (t *tally) refer() {
	if t.cases > 0 {
		t.reference = t.happened * (1 - t.happened/t.cases)
	}
}

func (t *tally) add(u *tally) {
	t.cases += u.cases
	t.happened += u.happened
	t.squares += u.squares
	t.reference += u.reference
	for i := range t.bins {
		t.bins[i].cases += u.bins[i].cases
		t.bins[i].said += u.bins[i].said
		t.bins[i].happened += u.bins[i].happened
	}
}

// arrivals is how well times of arrival were foretold, by lead.
type arrivals struct {
	inside, early, late float64
	off                 []float64 // seconds between likely and actual, at the lead
}

// verification is the forecasts of one raid against what happened.
type verification struct {
	touched []bool // zones of the touched regions
	count   float64
	whole   [len(leads)]tally
	classes [class.Count + 1][len(leads)]tally
	arrive  [class.Count]arrivals // at 2 minutes
	far     [class.Count]arrivals // at every moment up to 10 minutes
}

func newVerification(p *play) verification {
	v := verification{touched: make([]bool, p.raid.Zones.Len())}
	for _, pass := range p.truth.Passages {
		for _, z := range p.ground.in[byRegion][p.ground.region[pass.Zone]] {
			v.touched[z] = true
		}
	}
	for _, is := range v.touched {
		if is {
			v.count++
		}
	}
	return v
}

// key is a zone, and the object that may reach it.
type key struct{ object, zone int }

// moment verifies what is forecast at a time.
func (v *verification) moment(p *play, at time.Duration) {
	for k, lead := range leads {
		if at+lead > p.raid.Lasts {
			continue
		}
		until := raid.Start.Add(at + lead)
		none := map[key]float64{}           // that the object does not reach the zone, by what is said
		zones := map[int]*threat.Together{} // that nothing does
		tracked := map[int]bool{}
		for _, s := range p.inOrder() {
			if !counts(s.forecast.Standing) {
				continue
			}
			tracked[s.object] = true
			for _, r := range s.forecast.Reaches {
				z, ok := p.raid.Zones.Index(r.Zone)
				if !ok || !v.touched[z] {
					continue
				}
				q := r.P * s.forecast.Existence * share(r.Arrival, until)
				id := key{s.object, z}
				if old, ok := none[id]; ok {
					q = 1 - old*(1-q)
				}
				none[id] = 1 - q
				if zones[z] == nil {
					zones[z] = &threat.Together{}
					zones[z].Reset()
				}
				zones[z].Add(s.forecast.Salvo, r.Lots, r.P*s.forecast.Existence*share(r.Arrival, until))
			}
		}
		v.window(p, k, at, none, zones, tracked)
	}
	v.times(p, at)
}

// inOrder is the tracks that are held, by their ids: sums of floats depend on it.
func (p *play) inOrder() []*seenTrack {
	out := make([]*seenTrack, 0, len(p.tracks))
	for _, id := range slices.Sorted(maps.Keys(p.tracks)) {
		out = append(out, p.tracks[id])
	}
	return out
}

// window enters the cases of one moment and lead: per zone, and per object and zone.
func (v *verification) window(p *play, k int, at time.Duration, none map[key]float64, zones map[int]*threat.Together, tracked map[int]bool) {
	happens := map[key]bool{}
	for _, pass := range p.truth.Passages {
		if pass.Enter <= at+leads[k] && pass.Leave >= at {
			happens[key{pass.Object, pass.Zone}] = true
		}
	}
	reached := map[int]bool{}
	for _, id := range ordered(none) {
		v.classes[p.kind(id.object)][k].enter(1-none[id], happens[id])
	}
	for id := range happens {
		reached[id.zone] = true
		if _, said := none[id]; !said && tracked[id.object] {
			v.classes[p.kind(id.object)][k].enter(0, true)
		}
	}
	for object := range tracked {
		v.classes[p.kind(object)][k].cases += v.count
	}
	v.whole[k].cases += v.count
	for _, z := range ordered(zones) {
		v.whole[k].enter(1-zones[z].None(), reached[z])
	}
	for z := range reached {
		if _, said := zones[z]; !said {
			v.whole[k].enter(0, true)
		}
	}
}

// ordered is the keys of a map in an order of their own: sums of floats depend on it.
func ordered[K comparable, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b K) int {
		x, y := any(a), any(b)
		switch a := x.(type) {
		case int:
			return a - y.(int)
		case key:
			b := y.(key)
			if a.object != b.object {
				return a.object - b.object
			}
			return a.zone - b.zone
		}
		return 0
	})
	return keys
}

// kind is the class of an object, or noThreat.
func (p *play) kind(object int) class.Class {
	if object < 0 || !p.raid.Objects[object].Role.Hostile() {
		return class.Class(noThreat)
	}
	return p.raid.Objects[object].Class
}

// share is the part of an arrival that falls before a time: a line through the quantiles
// that are given, and on beyond them.
func share(a threat.Arrival, until time.Time) float64 {
	if !a.Known() {
		return 1
	}
	x := until.Sub(a.Likely).Seconds()
	side := a.Latest.Sub(a.Likely).Seconds()
	if x < 0 {
		side = a.Likely.Sub(a.Earliest).Seconds()
	}
	if side <= 0 {
		if x < 0 {
			return 0
		}
		return 1
	}
	return math.Min(math.Max(0.5+0.45*x/side, 0), 1)
}

// times compares what is said of arrivals with those that come.
func (v *verification) times(p *play, at time.Duration) {
	for _, pass := range p.truth.Passages {
		lead := pass.Enter - at
		if lead <= 0 || lead > leads[1] {
			continue
		}
		s := p.newest(pass.Object)
		if s == nil {
			continue
		}
		r, ok := reachOf(&s.forecast, p.raid.Zones.ByIndex(pass.Zone).ID)
		if !ok || !r.Arrival.Known() {
			continue
		}
		a := r.Arrival
		actual := raid.Start.Add(pass.Enter)
		k := p.raid.Objects[pass.Object].Class
		v.far[k].enter(a, actual)
		if lead > leads[0]-step/2 && lead <= leads[0]+step/2 {
			v.arrive[k].enter(a, actual)
		}
	}
}

func (a *arrivals) enter(said threat.Arrival, actual time.Time) {
	switch {
	case actual.Before(said.Earliest):
		a.early++
	case actual.After(said.Latest):
		a.late++
	default:
		a.inside++
	}
	a.off = append(a.off, actual.Sub(said.Likely).Seconds())
}

// newest is the track of an object with the newest forecast, nil where there is none.
func (p *play) newest(object int) *seenTrack {
	var best *seenTrack
	for _, s := range p.tracks {
		if s.object != object {
			continue
		}
		if best == nil || s.forecast.At.After(best.forecast.At) || s.forecast.At.Equal(best.forecast.At) && s.track.ID < best.track.ID {
			best = s
		}
	}
	return best
}
