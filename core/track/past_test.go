package track

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/health"
)

// arrival is an observation and when it comes.
type arrival struct {
	at float64
	o  observation.Observation
}

// night is what a radar and another source say of a few objects and of nothing, in the order of its times.
func night(g *rand.Rand, a, b observation.Source, objects int, wide float64) []arrival {
	var ms []mover
	for range objects {
		ms = append(ms, mover{p: [3]float64{10e3 + wide*g.Float64(), wide*g.Float64() - 5e3, 500 + wide*g.Float64()/10},
			v: [3]float64{300*g.Float64() - 150, 300*g.Float64() - 150, 0}})
	}
	var out []arrival
	// The second gives places: what registration learns of a radar comes of when it is asked, and is
	// not part of what is promised.
	say := func(s observation.Source, place [3]float64) observation.Body {
		if s.HasSite {
			return plotOf(s, place, g)
		}
		for i := range place {
			place[i] += 60 * g.NormFloat64()
		}
		return observation.Fix{Position: geo.NewENU(here).From(place).Position(), Covariance: [3][3]float64{{3600}, {0, 3600}, {0, 0, 3600}}}
	}
	look := func(s observation.Source, from float64) {
		at := from
		for _, m := range ms {
			at += 0.011
			if g.Float64() < 0.9 {
				out = append(out, arrival{at, observed(s, at, say(s, m.at(at)))})
			}
		}
		for range g.IntN(3) {
			at += 0.007
			out = append(out, arrival{at, observed(s, at, say(s, [3]float64{60e3*g.Float64() - 30e3, 60e3*g.Float64() - 30e3, 4000 * g.Float64()}))})
		}
		out = append(out, arrival{at + 0.005, observed(s, at+0.005, observation.Absence{})})
	}
	period := a.Period.Seconds()
	for k := range int(48 / period) {
		look(a, period*float64(k)+0.3)
		look(b, period*(float64(k)+0.525))
	}
	slices.SortStableFunc(out, byArrival)
	return out
}

func byArrival(a, b arrival) int {
	switch {
	case a.at < b.at:
		return -1
	case a.at > b.at:
		return 1
	}
	return 0
}

// told follows the changes as a receiver does, and holds them to what they promise.
type told struct {
	t    rapid.TB
	live map[ID]Track
	over map[ID]bool
}

func (r *told) take(cs []Change) {
	for _, c := range cs {
		id, was := c.Track.ID, r.live[c.Track.ID]
		switch {
		case id == "" || r.over[id]:
			r.t.Fatalf("a change of %q, which has no name or has ended", id)
		case c.Kind == WasConfirmed && was.ID != "":
			r.t.Fatalf("%s is confirmed twice", id)
		case c.Kind != WasConfirmed && was.ID == "":
			r.t.Fatalf("%s changes before it is confirmed", id)
		case c.Track.Revision <= was.Revision:
			r.t.Fatalf("%s goes from revision %d to %d", id, was.Revision, c.Track.Revision)
		}
		finiteTrack(r.t, c.Track)
		r.live[id] = c.Track
		if c.Kind == WasEnded {
			delete(r.live, id)
			r.over[id] = true
		}
	}
}

// holds is the invariant of reconcile.go: the ids told and not ended are those of the
// confirmed objects, one each; and no id stands twice in what is said of a past time.
func (r *told) holds(p *Picture) {
	n := 0
	for _, o := range p.engine.objects {
		if o.gone || o.status == Tentative {
			continue
		}
		n++
		if _, ok := r.live[o.id]; !ok {
			r.t.Fatalf("%q is believed and was not told, or has ended", o.id)
		}
	}
	if n != len(r.live) {
		r.t.Fatalf("%d are believed, %d were told and have not ended", n, len(r.live))
	}
	for _, c := range p.past.points {
		for _, o := range c.engine.objects {
			if o.id != "" {
				r.t.Fatalf("a checkpoint knows %s", o.id)
			}
		}
	}
	seen := map[ID]bool{}
	for _, id := range p.past.given {
		if seen[id] {
			r.t.Fatalf("%s is given twice", id)
		}
		seen[id] = true
	}
}

// play gives observations as they arrive to a picture, lets time pass, and returns what
// is believed at the end. What was told on the way must be what is believed.
func play(t rapid.TB, c Config, as []arrival, end float64) []string {
	p := NewPicture(c)
	r := &told{t, map[ID]Track{}, map[ID]bool{}}
	now := 0.0
	for _, a := range as {
		for math.Floor(now)+1 < a.at {
			now = math.Floor(now) + 1
			r.take(p.Tick(after(now)))
			r.holds(p)
		}
		now = a.at
		r.take(p.Observe(after(now), a.o))
		r.holds(p)
	}
	for now < end {
		now++
		r.take(p.Tick(after(now)))
		r.holds(p)
	}
	var out []string
	for _, tr := range p.Tracks(after(end)) {
		if _, ok := r.live[tr.ID]; !ok {
			t.Fatalf("%s is believed and was not told", tr.ID)
		}
		delete(r.live, tr.ID)
		out = append(out, fmt.Sprintf("%.4f %.4f updates %d existence %.6f %s", tr.State.Position, tr.State.Velocity, tr.Updates, tr.Existence, tr.Status))
	}
	for id := range r.live {
		t.Fatalf("%s was told, has not ended and is not believed", id)
	}
	slices.Sort(out)
	return out
}

// Whatever comes within the lag gives the picture that it gives in order.
func TestOrderWithinTheLagDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lateNight{seed: rapid.Uint64().Draw(t, "seed"), objects: rapid.IntRange(1, 3).Draw(t, "objects"),
			over:     rapid.SampledFrom([]float64{30e3, 1e3, 100}).Draw(t, "over"),
			lateness: rapid.SampledFrom([]float64{0.05, 0.8, 5, 27}).Draw(t, "lateness"),
			period:   rapid.SampledFrom([]int{4, 1}).Draw(t, "period"), looks: rapid.SampledFrom([]int{0, 1}).Draw(t, "looks")}
		l.check(t)
	})
}

// A track that a replay made tentative again was confirmed once more under the id that
// it had been told to have ended by; one of some hundreds of nights.
func TestEndedIsNotConfirmedAgain(t *testing.T) {
	lateNight{seed: 0x390d9c1ad8b17, objects: 3, over: 1e3, lateness: 27, period: 4}.check(t)
}

// lateNight is a night of which half of what a radar says, and all that another source
// does, comes late.
type lateNight struct {
	seed           uint64
	objects        int
	over, lateness float64 // metres, seconds
	period, looks  int     // seconds; as in Config
}

func (l lateNight) check(t rapid.TB) {
	g := rand.New(rand.NewPCG(l.seed, 7))
	a, b := radar("a", 0), observation.Source{ID: "b", Kind: "fixes", Detection: 0.9, Clutter: 1}
	a.Period = time.Duration(l.period) * time.Second
	b.Period = a.Period
	inOrder := night(g, a, b, l.objects, l.over)
	late := slices.Clone(inOrder)
	for i := range late {
		if late[i].o.Source == "b" || g.IntN(2) == 0 {
			late[i].at += l.lateness * g.Float64()
		}
	}
	slices.SortStableFunc(late, byArrival)
	c := Config{Sources: []observation.Source{a, b}, Looks: l.looks}
	if want, got := play(t, c, inOrder, 90), play(t, c, late, 90); !slices.Equal(want, got) {
		t.Fatalf("in order:\n%q\nup to %.2f s late:\n%q", want, l.lateness, got)
	}
}

// A second sensor that sees the same never makes the first track come later.
func TestAgreeingSensorDelaysNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := radar("a", 0), radar("b", 15e3)
		seed := rapid.Uint64().Draw(t, "seed")
		g := rand.New(rand.NewPCG(seed, 3))
		m := mover{p: [3]float64{20e3, 10e3, 1500}, v: [3]float64{200*g.Float64() - 100, 200*g.Float64() - 100, 0}}
		alone := looks(rand.New(rand.NewPCG(seed, 4)), a, m, 0.3, 0.9)
		both := append(slices.Clone(alone), looks(rand.New(rand.NewPCG(seed, 5)), b, m, 2.1, 1)...)
		slices.SortStableFunc(both, byArrival)
		first := func(as []arrival) float64 {
			p := NewPicture(Config{Sources: []observation.Source{a, b}})
			for _, x := range as {
				for _, c := range p.Observe(after(x.at), x.o) {
					if c.Kind == WasConfirmed {
						return x.at
					}
				}
			}
			return math.Inf(1)
		}
		if one, two := first(alone), first(both); two > one {
			t.Fatalf("confirmed after %.1f s by one, after %.1f s by two", one, two)
		}
	})
}

// looks is what one radar says of one object that it sees so often.
func looks(g *rand.Rand, s observation.Source, m mover, from, detection float64) (out []arrival) {
	for k := range 12 {
		at := from + 4*float64(k)
		if g.Float64() < detection {
			out = append(out, arrival{at, observed(s, at, plotOf(s, m.at(at), g))})
		}
		out = append(out, arrival{at + 0.01, observed(s, at+0.01, observation.Absence{})})
	}
	return out
}

// A sensor gone mad is named; what the others see is seen, and what it invents is not.
func TestOneMadSensor(t *testing.T) {
	a, mad := radar("a", 0), radar("mad", 10e3)
	p := NewPicture(Config{Sources: []observation.Source{a, mad}, MaxTentative: 4000})
	g := rng()
	ms := []mover{{p: [3]float64{30e3, 0, 1500}, v: [3]float64{-60, 20, 0}}, {p: [3]float64{-20e3, 15e3, 900}, v: [3]float64{50, 0, 0}}}
	named, worst := map[string]bool{}, 0
	for k := range 45 {
		at := 4 * float64(k)
		scan(p, a, at, g, ms...)
		for range 500 {
			place := [3]float64{120e3*g.Float64() - 60e3, 120e3*g.Float64() - 60e3, 6000 * g.Float64()}
			p.Observe(after(at+1), observed(mad, at+1, plotOf(mad, place, g)))
		}
		p.Observe(after(at+1), observed(mad, at+1, observation.Absence{}))
		for _, c := range p.Conditions() {
			named[c.Name+" "+c.Subject] = true
		}
		trs := p.Tracks(after(at))
		if k > 20 {
			worst = max(worst, len(trs)-len(ms))
		}
		for _, m := range ms {
			if k > 3 && !slices.ContainsFunc(trs, func(tr Track) bool { return off(tr, m.at(at)) < 400 }) {
				t.Fatalf("after %.0f s the object at %.0f is not seen", at, m.at(at))
			}
		}
	}
	if !named["source-clutter mad"] || named["source-clutter a"] {
		t.Errorf("named: %v", named)
	}
	if worst > 2 {
		t.Errorf("%d tracks of nothing", worst)
	}
}

// A sensor that goes mad between two looks invents next to nothing, from its first mad look
// on: that what has come at once may be a raid makes it no easier to believe.
func TestMadAtOnce(t *testing.T) {
	a, mad := radar("a", 0), radar("mad", 10e3)
	p := NewPicture(Config{Sources: []observation.Source{a, mad}, MaxTentative: 4000})
	g := rng()
	ms := []mover{{p: [3]float64{30e3, 0, 1500}, v: [3]float64{-60, 20, 0}}, {p: [3]float64{-20e3, 15e3, 900}, v: [3]float64{50, 0, 0}}}
	worst := 0
	for k := range 32 {
		at := 4 * float64(k)
		scan(p, a, at, g, ms...)
		for range 500 * (k / 20) {
			place := [3]float64{120e3*g.Float64() - 60e3, 120e3*g.Float64() - 60e3, 6000 * g.Float64()}
			p.Observe(after(at+1), observed(mad, at+1, plotOf(mad, place, g)))
		}
		p.Observe(after(at+1), observed(mad, at+1, observation.Absence{}))
		worst = max(worst, len(p.Tracks(after(at)))-len(ms))
	}
	if worst > 6 {
		t.Errorf("%d tracks of nothing", worst)
	}
}

// What is said twice counts once, and that is counted; so is a source that stands twice.
func TestSaidTwice(t *testing.T) {
	s := radar("r", 0)
	p := NewPicture(Config{Sources: []observation.Source{s, radar("r", 9e3)}})
	g := rng()
	m := mover{p: [3]float64{30e3, 0, 1500}, v: [3]float64{-60, 20, 0}}
	for k := range 6 {
		at := 4 * float64(k)
		o := observed(s, at, plotOf(s, m.at(at), g))
		for d := range 3 {
			p.Observe(after(at+0.4*float64(d)), o)
		}
	}
	counts := map[string]int{}
	for _, c := range p.Conditions() {
		counts[c.Name] += c.Count
	}
	if trs := p.Tracks(after(21)); len(trs) != 1 || trs[0].Updates != 6 || counts["observation-repeated"] != 12 || counts["source-twice"] != 1 {
		t.Errorf("%d tracks, %v", len(trs), counts)
	}
}

// What is kept for what comes late is bounded.
func TestPastIsBounded(t *testing.T) {
	s := radar("r", 0)
	p := NewPicture(Config{Sources: []observation.Source{s}})
	g := rng()
	m := mover{p: [3]float64{30e3, 0, 1500}, v: [3]float64{-6, 2, 0}}
	for k := range 300 {
		at := 2 * float64(k)
		p.Observe(after(at), observed(s, at, plotOf(s, m.at(at), g)))
		p.Observe(after(at+0.1), observed(s, at-float64(k%14), plotOf(s, m.at(at), g)))
		if n, c := len(p.past.entries), len(p.past.points); n > 150 || c > 40 {
			t.Fatalf("after %.0f s %d entries and %d checkpoints are kept", at, n, c)
		}
	}
	if age := p.engine.head - p.past.points[0].at; age.seconds() < 30 {
		t.Errorf("the oldest checkpoint is %.0f s old", age.seconds())
	}
	if p.Observe(after(700), observed(s, 660, plotOf(s, m.at(660), g))); !slices.ContainsFunc(p.Conditions(), func(c health.Condition) bool { return c.Name == "observation-late" }) {
		t.Error("what is too late is not counted")
	}
}

// A radar that is set up elsewhere, or under another name, goes on with the tracks that it
// had: they keep their ids, and what is still said under the name that is gone is counted.
func TestSensorMovesAndIsRenamed(t *testing.T) {
	s := radar("r", 0)
	p := NewPicture(Config{Sources: []observation.Source{s}})
	g := rng()
	m := mover{p: [3]float64{30e3, 0, 1500}, v: [3]float64{-60, 20, 0}}
	id := ID("")
	for k := range 36 {
		at := 4 * float64(k)
		switch k {
		case 12:
			s = radar("r", 9e3)
			p.SetSources([]observation.Source{s})
		case 24:
			old := s
			s = radar("q", 9e3)
			p.SetSources([]observation.Source{s})
			p.Observe(after(at), observed(old, at, plotOf(old, m.at(at), g)))
		}
		scan(p, s, at, g, m)
		trs := p.Tracks(after(at))
		if k < 4 {
			continue
		}
		if len(trs) != 1 || off(trs[0], m.at(at)) > 400 || id != "" && trs[0].ID != id {
			t.Fatalf("after %.0f s: %d tracks, %+v, want one under %q", at, len(trs), trs, id)
		}
		id = trs[0].ID
	}
	if !slices.ContainsFunc(p.Conditions(), func(c health.Condition) bool { return c.Name == "source-unknown" && c.Subject == "r" }) {
		t.Error("what is said under the name that is gone is not counted")
	}
}
