package scorecard

import (
	"math"
	"slices"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/pipeline"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/raid"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestTally(t *testing.T) {
	tl := tally{cases: 10}
	tl.enter(0.8, true)
	tl.enter(0.25, false)
	tl.refer()
	near(t, "squares", tl.squares, 0.04+0.0625)
	near(t, "reference", tl.reference, 1*(1-0.1)) // rate 0.1: 0.9² once, 0.1² nine times
	l := tl.figures(0)
	near(t, "skill", *l.Skill, 1-0.1025/0.9)
	near(t, "Brier", *l.Brier, 0.01025)
	if len(l.Reliability) != 2 || l.Reliability[0].Observed != 0 || l.Reliability[1].Observed != 1 || l.Worst != nil {
		t.Errorf("reliability %+v, worst %v", l.Reliability, l.Worst)
	}
	for range 300 {
		tl.enter(0.5, false)
	}
	near(t, "worst", *tl.figures(0).Worst, 0.5)
}

func TestShare(t *testing.T) {
	at := func(s float64) time.Time { return raid.Start.Add(time.Duration(s * 1e9)) }
	a := threat.Arrival{Earliest: at(100), Likely: at(200), Latest: at(400)}
	for _, c := range []struct{ until, want float64 }{{100, 0.05}, {150, 0.275}, {200, 0.5}, {300, 0.725}, {400, 0.95}, {50, 0}, {422.3, 1}, {0, 0}, {1000, 1}} {
		got := share(a, at(c.until))
		if math.Abs(got-c.want) > 1e-3 {
			t.Errorf("until %v: %v, want %v", c.until, got, c.want)
		}
	}
	now := threat.Arrival{Earliest: at(0), Likely: at(0), Latest: at(0)}
	if share(now, at(0)) != 1 || share(now, at(-1)) != 0 || share(threat.Arrival{}, at(0)) != 1 {
		t.Error("an arrival without width, or unknown")
	}
}

func TestQuantile(t *testing.T) {
	v := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, c := range []struct{ q, want float64 }{{0.05, 1}, {0.5, 5}, {0.9, 9}, {0.95, 10}, {1, 10}, {0, 1}} {
		near(t, "quantile", quantile(v, c.q), c.want)
	}
}

// row is four zones side by side, each with people in hundreds of its number; the first
// two are one region, the others another.
func row(t *testing.T) *zone.Set {
	t.Helper()
	var all []zone.Zone
	for i := range 4 {
		w, e := geo.Degrees(30+0.1*float64(i)), geo.Degrees(30.1+0.1*float64(i))
		all = append(all, zone.Zone{
			ID: zone.ID('a' + rune(i)), Level: 2, Region: zone.ID([]string{"R", "S"}[i/2]), Population: 100 * (i + 1), PopulationKnown: true,
			Shape: geo.MultiPolygon{{Outer: geo.Ring{{Lat: 50, Lon: w}, {Lat: 50, Lon: e}, {Lat: 50.1, Lon: e}, {Lat: 50.1, Lon: w}, {Lat: 50, Lon: w}}}},
		})
	}
	set, err := zone.NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const minute = time.Minute

// scene is a raid of one drone that is over zone a from minute 10 to 14 and over zone b
// from 14 to 18, first seen in minute 2; c is passed low nearby.
func scene(t *testing.T) *play {
	t.Helper()
	set := row(t)
	r := &raid.Raid{Name: "test", Zones: set, Lasts: 40 * minute, Objects: []raid.Object{{Class: class.Drone, Role: raid.Attack}}}
	p := &play{raid: r, ground: survey(set)}
	p.truth = raid.Truth{
		Passages: []raid.Passage{{Object: 0, Zone: 0, Enter: 10 * minute, Leave: 14 * minute}, {Object: 0, Zone: 1, Enter: 14 * minute, Leave: 18 * minute}},
		Near:     []bool{true, true, true, false},
	}
	p.facts = facts{plots: [][3]time.Duration{{2 * minute, 3 * minute, 4 * minute}}, tracked: []time.Duration{5 * minute}, best: []float64{0.9, 0.9}}
	return p
}

// told makes a log of shelters: zone, from, to in minutes.
func told(p *play, shelters ...[3]int) *stagelog {
	l := newStagelog(p.raid.Zones)
	for _, s := range shelters {
		l.spans[s[0]] = append(l.spans[s[0]], span{stage: warning.Shelter, from: time.Duration(s[1]) * minute, to: time.Duration(s[2]) * minute})
	}
	return l
}

func TestJudge(t *testing.T) {
	p := scene(t)
	policy := warning.DefaultPolicy()
	// a in time (5 min less 2 min 15 s), b late (1 min less the same), c needless but near, d needless.
	d := p.judge(told(p, [3]int{0, 5, 16}, [3]int{1, 13, 20}, [3]int{2, 10, 15}, [3]int{3, 10, 20}), policy)
	f := d.figures()
	near(t, "POD", *f.Zones.POD, 1)
	near(t, "FAR", *f.Zones.FAR, 0.5)
	near(t, "CSI", *f.Zones.CSI, 0.5)
	near(t, "FAR per person", *f.Persons.FAR, 700.0/1000)
	near(t, "CSI per person", *f.Persons.CSI, 300.0/1000)
	near(t, "in time", *f.Reached.InTime, 0.5)
	near(t, "late", *f.Reached.Late, 0.5)
	near(t, "missed", *f.Reached.Missed, 0)
	near(t, "margin of the later", f.Reached.Margin.P5, 60-135)
	near(t, "margin of the sooner", f.Reached.Margin.P95, 300-135)
	near(t, "all minutes", d.cost.all, 100*11+200*7+300*5+400*10)
	near(t, "unreached", d.cost.unreached, 300*5+400*10)
	near(t, "far", d.cost.far, 400*10)
	near(t, "needless", *f.Life.Needless, 0.5)
	near(t, "bare", *f.Life.Bare, 0.25)
	near(t, "zone-hours", f.Life.ZoneHours, 33.0/60)
}

// TestJudgeMisses: the first thing on the way that was missing is named.
func TestJudgeMisses(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(p *play)
		want cause
	}{
		{"nothing seen", func(p *play) { p.facts.plots[0] = [3]time.Duration{never, never, never} }, unseen},
		{"seen when it was there", func(p *play) { p.facts.plots[0] = [3]time.Duration{11 * minute, 12 * minute, 13 * minute} }, unseen},
		{"two plots", func(p *play) { p.facts.plots[0][2] = never }, hurried},
		{"the third plot a second before", func(p *play) { p.facts.plots[0][2] = 10*minute - time.Second }, hurried},
		{"no track", func(p *play) { p.facts.tracked[0] = never }, untracked},
		{"low", func(p *play) { p.facts.best[0] = 0.1 }, unsaid},
		{"said", func(p *play) {}, undecided},
	} {
		p := scene(t)
		c.edit(p)
		d := p.judge(told(p, [3]int{0, 3, 9}, [3]int{1, 3, 20}), warning.DefaultPolicy()) // a ended a minute too soon
		if d.whole.missed[c.want] != 1 {
			t.Errorf("%s: missed %v, want one %q", c.name, d.whole.missed, causeNames[c.want])
		}
	}
}

func TestEvents(t *testing.T) {
	at := func(m int) time.Duration { return time.Duration(m) * minute }
	all := events(raid.Truth{Passages: []raid.Passage{
		{Zone: 1, Enter: at(1), Leave: at(2)}, {Zone: 2, Enter: at(2), Leave: at(2)}, {Zone: 1, Enter: at(5), Leave: at(6)}, {Zone: 1, Enter: at(10), Leave: at(10)},
	}})
	var got [][]int
	for _, e := range all {
		got = append(got, e.passages)
	}
	if want := [][]int{{0, 2}, {1}, {3}}; !slices.EqualFunc(got, want, slices.Equal[[]int]) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestFlips(t *testing.T) {
	at := func(stage warning.Stage, from, to int) span {
		return span{stage: stage, from: time.Duration(from) * minute, to: time.Duration(to) * minute}
	}
	const P, S = warning.Prepare, warning.Shelter
	for _, c := range []struct {
		name             string
		spans            []span
		flips, in, again float64
	}{
		{"up and down", []span{at(P, 0, 5), at(S, 5, 10)}, 0, 0, 0},
		{"twice soon", []span{at(S, 0, 5), at(S, 19, 25)}, 1, 1, 1},
		{"twice late", []span{at(S, 0, 5), at(S, 21, 25)}, 0, 0, 0},
		{"prepare, nothing, prepare, shelter", []span{at(P, 0, 5), at(P, 6, 7), at(S, 7, 9)}, 1, 0, 0},
		{"shelter, prepare, shelter", []span{at(S, 0, 5), at(P, 5, 8), at(S, 8, 9)}, 1, 1, 1},
		{"thrice", []span{at(S, 0, 5), at(S, 6, 9), at(S, 10, 11)}, 2, 2, 2},
		{"prepare after shelter", []span{at(S, 0, 5), at(P, 7, 9)}, 1, 0, 0},
	} {
		p := scene(t)
		l := newStagelog(p.raid.Zones)
		l.spans[3] = c.spans
		d := p.judge(l, warning.DefaultPolicy())
		if d.flips != c.flips || d.outAndIn != c.in || d.again != c.again {
			t.Errorf("%s: %v flips, %v to shelter, %v again, want %v, %v and %v", c.name, d.flips, d.outAndIn, d.again, c.flips, c.in, c.again)
		}
	}
}

func TestBlankets(t *testing.T) {
	p := scene(t)
	region, middle, _ := p.blankets()
	// R: a and b from minute 2 (a: its first plot, not ten minutes before) to 23; nobody else.
	near(t, "region", region.all, 300*21)
	near(t, "region, not reached", region.unreached, 0)
	// No level between: squares of 25 km stand for it, and all four fit into at most two.
	if middle.all <= 0 || middle.all > 300*21 {
		t.Errorf("middle level %v", middle.all)
	}
	p.truth.Passages = p.truth.Passages[:1]
	region, _, _ = p.blankets()
	near(t, "region with one zone reached", region.all, 300*17)
	near(t, "region, the other zone", region.unreached, 200*17)
	near(t, "region, near", region.far, 0)
}

func TestTogether(t *testing.T) {
	got := together([]alarm{{5 * minute, 7 * minute}, {0, 2 * minute}, {1 * minute, 3 * minute}, {6 * minute, 6 * minute}})
	if got != 5*minute {
		t.Errorf("%s, want 5m", got)
	}
}

// TestStagelog: where two warnings hold a zone the graver stage counts, as long as it does.
func TestStagelog(t *testing.T) {
	l := newStagelog(row(t))
	w := func(id string, stage warning.Stage, zones ...zone.ID) warning.Warning {
		x := warning.Warning{ID: warning.ID(id)}
		for _, z := range zones {
			x.Zones = append(x.Zones, warning.ZoneState{Zone: z, Stage: stage, Threat: class.Drone})
		}
		return x
	}
	l.take(1*minute, w("1", warning.Prepare, "a", "b"))
	l.take(2*minute, w("2", warning.Shelter, "a"))
	l.take(3*minute, w("2", warning.Shelter))
	l.take(4*minute, w("1", warning.Prepare, "b"))
	l.close(5 * minute)
	want := map[int][]span{
		0: {{warning.Prepare, class.Drone, 1 * minute, 2 * minute, false}, {warning.Shelter, class.Drone, 2 * minute, 3 * minute, false}, {warning.Prepare, class.Drone, 3 * minute, 4 * minute, false}},
		1: {{warning.Prepare, class.Drone, 1 * minute, 5 * minute, true}},
	}
	for i, spans := range l.spans {
		if !slices.Equal(spans, want[i]) {
			t.Errorf("zone %d: %v, want %v", i, spans, want[i])
		}
	}
}

func TestArrivals(t *testing.T) {
	at := func(s int) time.Time { return raid.Start.Add(time.Duration(s) * time.Second) }
	var a arrivals
	said := threat.Arrival{Earliest: at(10), Likely: at(20), Latest: at(40)}
	for _, actual := range []int{5, 10, 25, 50} {
		a.enter(said, at(actual))
	}
	f := a.figures()
	near(t, "inside", *f.Inside, 0.5)
	near(t, "sooner", *f.Sooner, 0.25)
	near(t, "later", *f.Later, 0.25)
	near(t, "half", *f.Half, 10) // 5, 10, 15, 30
	near(t, "nine tenths", *f.Most, 30)
}

// Every track's newest forecast is the one that is verified, whichever of a step's tracks it
// is of, and also where it comes in a later step.
func TestTakesEveryForecast(t *testing.T) {
	p := scene(t)
	p.tracks = map[track.ID]*seenTrack{}
	told := func(id track.ID) pipeline.Change { return pipeline.TrackUpdated{Track: track.Track{ID: id}} }
	said := func(id track.ID, revision int) pipeline.Change {
		return pipeline.Forecast{Forecast: threat.Forecast{Track: id, Revision: revision}}
	}
	p.take(time.Second, []pipeline.Change{told("a"), told("b"), told("c"), said("a", 1), said("b", 1)})
	p.take(2*time.Second, []pipeline.Change{told("b"), said("c", 2), said("a", 2), pipeline.TrackEnded{Track: track.Track{ID: "d"}}, said("d", 2)})
	for id, want := range map[track.ID]int{"a": 2, "b": 1, "c": 2} {
		if s := p.tracks[id]; s == nil || s.forecast.Revision != want {
			t.Errorf("track %s: %+v is held, not its forecast of revision %d", id, s, want)
		}
	}
	if p.tracks["d"] != nil {
		t.Error("a track that ended is held")
	}
}
