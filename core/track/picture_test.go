package track

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func after(s float64) time.Time { return noon.Add(time.Duration(s * 1e9)) }

var here = geo.Position{Point: geo.Point{Lat: 50, Lon: 30}, Height: 150}

// radar is a three-dimensional radar at here, or a little aside.
func radar(id string, east float64) observation.Source {
	site := geo.NewENU(here).From([3]float64{east, 0, 0}).Position()
	site.Height = here.Height
	return observation.Source{ID: id, Kind: "asterix", Site: site, HasSite: true, Period: 4 * time.Second, Detection: 0.9, Clutter: 2,
		Errors:   observation.Errors{Range: 50, Azimuth: 0.1, Elevation: 0.2},
		Coverage: observation.Coverage{Range: 150e3, Floor: 50}}
}

// mover is an object of a test: a place and a velocity, in metres east, north, up of here.
type mover struct{ p, v [3]float64 }

func (m mover) at(t float64) [3]float64 {
	return [3]float64{m.p[0] + m.v[0]*t, m.p[1] + m.v[1]*t, m.p[2] + m.v[2]*t}
}

// plotOf is what a radar measures of a place, with noise.
func plotOf(s observation.Source, place [3]float64, rng *rand.Rand) observation.Plot {
	e := geo.NewENU(here).From(place)
	d := geo.NewENU(s.Site).To(e)
	r := math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2])
	p := observation.Plot{
		Range:     geo.Metres(r + float64(s.Errors.Range)*rng.NormFloat64()),
		Azimuth:   geo.FromRadians(math.Atan2(d[0], d[1])) + s.Errors.Azimuth*geo.Degrees(rng.NormFloat64()),
		Elevation: geo.FromRadians(math.Asin(d[2]/r)) + s.Errors.Elevation*geo.Degrees(rng.NormFloat64()), HasElevation: true}
	return p
}

func observed(s observation.Source, t float64, b observation.Body) observation.Observation {
	return observation.Observation{Source: s.ID, ObservedAt: after(t), ReceivedAt: after(t), Body: b}
}

// look lets a radar report every mover at t and say that it saw nothing more.
func scan(p *Picture, s observation.Source, t float64, rng *rand.Rand, movers ...mover) []Change {
	var out []Change
	for _, m := range movers {
		out = append(out, p.Observe(after(t), observed(s, t, plotOf(s, m.at(t), rng)))...)
	}
	return append(out, p.Observe(after(t), observed(s, t, observation.Absence{}))...)
}

func rng() *rand.Rand { return rand.New(rand.NewPCG(3, 5)) }

func off(tr Track, place [3]float64) float64 {
	d := geo.NewENU(here).To(tr.State.Position)
	return math.Sqrt((d[0]-place[0])*(d[0]-place[0]) + (d[1]-place[1])*(d[1]-place[1]) + (d[2]-place[2])*(d[2]-place[2]))
}

// Three looks make a track; its id stays; what it is, is seen by how it moves.
func TestConfirmedAfterThreeLooks(t *testing.T) {
	s := radar("r", 0)
	p := NewPicture(Config{Sources: []observation.Source{s}, Prefix: "x", Looks: 3})
	m := mover{p: [3]float64{20e3, 10e3, 700}, v: [3]float64{-50, 0, 0}}
	g := rng()
	for i := range 20 {
		at := float64(i) * 4
		for _, c := range scan(p, s, at, g, m) {
			if i < 2 {
				t.Fatalf("look %d already gives %+v", i+1, c)
			}
			if want := WasConfirmed; i == 2 && c.Kind != want {
				t.Errorf("look 3 gives kind %d", c.Kind)
			}
			if c.Track.ID != "x1" || c.Track.Updates != i+1 {
				t.Errorf("track %s with %d updates after look %d", c.Track.ID, c.Track.Updates, i+1)
			}
		}
	}
	trs := p.Tracks(after(76))
	if len(trs) != 1 {
		t.Fatalf("%d tracks, want 1", len(trs))
	}
	if d := off(trs[0], m.at(76)); d > 150 {
		t.Errorf("the track is %.0f m off", d)
	}
	if best := trs[0].Class.Best(); best != class.Drone {
		t.Errorf("class %s (%v), want a drone", best, trs[0].Class)
	}
	if trs[0].Existence < 0.99 || len(trs[0].Recent) != 8 || len(trs[0].Sources) != 1 {
		t.Errorf("existence %.3f, %d recent, %d sources", trs[0].Existence, len(trs[0].Recent), len(trs[0].Sources))
	}
}

// The picture does not depend on the order in which the plots of one look come, and
// is the same to the last bit when run again.
func TestOrderOfPlotsDoesNotMatter(t *testing.T) {
	s := radar("r", 0)
	run := func(reverse bool) string {
		p := NewPicture(Config{Sources: []observation.Source{s}})
		g := rng()
		a, b := mover{p: [3]float64{20e3, 0, 500}, v: [3]float64{0, 50, 0}}, mover{p: [3]float64{20e3, 3000, 500}, v: [3]float64{0, -50, 0}}
		for i := range 20 { // they pass one another, close by
			at := float64(i) * 4
			var os []observation.Observation
			for _, m := range []mover{a, b, {p: [3]float64{20e3 + 300, 1500, 600}}} {
				os = append(os, observed(s, at, plotOf(s, m.at(at), g)))
			}
			if reverse {
				os[0], os[2] = os[2], os[0]
			}
			for _, o := range os {
				p.Observe(after(at), o)
			}
			p.Observe(after(at), observed(s, at, observation.Absence{}))
		}
		out := map[string]int{}
		for _, tr := range p.Tracks(after(80)) {
			out[fmt.Sprintf("%.6f %.6f %v", tr.State.Position, tr.State.Velocity, tr.Updates)]++
		}
		return fmt.Sprint(len(out), out)
	}
	one, again, other := run(false), run(false), run(true)
	if one != again {
		t.Errorf("two runs differ:\n%s\n%s", one, again)
	}
	if one != other {
		t.Errorf("the order of plots matters:\n%s\n%s", one, other)
	}
}

// A plot that comes late gives the belief it would have given in time.
func TestLatePlotsGiveTheSameBelief(t *testing.T) {
	s, s2 := radar("r", 0), radar("q", 30e3)
	s2.Period = 5 * time.Second
	type arrival struct {
		at float64
		o  observation.Observation
	}
	g := rng()
	m := mover{p: [3]float64{20e3, 10e3, 900}, v: [3]float64{-60, 20, 0}}
	var inTime, late []arrival
	for i := range 30 {
		at := float64(i)*4 + 1
		inTime = append(inTime, arrival{at, observed(s, at, plotOf(s, m.at(at), g))})
	}
	for i := range 20 {
		at := 25 + float64(i)*4.1
		inTime = append(inTime, arrival{at, observed(s2, at, plotOf(s2, m.at(at), g))})
	}
	late = append(late, inTime...)
	for i := range late {
		if late[i].o.Source == "q" {
			late[i].at += []float64{0.2, 3, 11, 26}[i%4]
		}
	}
	run := func(as []arrival) Track {
		p := NewPicture(Config{Sources: []observation.Source{s, s2}})
		for t0 := 0.0; t0 < 140; t0 += 0.1 {
			for _, a := range as {
				if a.at >= t0 && a.at < t0+0.1 {
					p.Observe(after(a.at), a.o)
				}
			}
		}
		trs := p.Tracks(after(140))
		if len(trs) != 1 {
			t.Fatalf("%d tracks, want 1", len(trs))
		}
		return trs[0]
	}
	a, b := run(inTime), run(late)
	if a.Updates != b.Updates || a.Updates != 50 {
		t.Errorf("updates in time %d, late %d, want 50", a.Updates, b.Updates)
	}
	for i := range 3 {
		if math.Abs(a.State.Position[i]-b.State.Position[i]) > 1e-3 || math.Abs(a.State.Velocity[i]-b.State.Velocity[i]) > 1e-5 {
			t.Errorf("axis %d: in time %v %v, late %v %v", i, a.State.Position[i], a.State.Velocity[i], b.State.Position[i], b.State.Velocity[i])
		}
	}
}

// The filter is as sure as it should be: the normalised error squared of an object that
// flies as assumed averages its six dimensions.
func TestConsistency(t *testing.T) {
	s := radar("r", 0)
	sum, n := 0.0, 0
	for run := range 60 {
		g := rand.New(rand.NewPCG(uint64(run), 9))
		p := NewPicture(Config{Sources: []observation.Source{s}})
		m := mover{p: [3]float64{15e3 + 300*float64(run), 20e3, 1500}, v: [3]float64{60, -30, 0}}
		for i := range 25 {
			scan(p, s, float64(i)*4, g, m)
		}
		for _, tr := range p.Tracks(after(96)) {
			f := geo.NewENU(here)
			truth, v := f.From(m.at(96)), f.FromVelocity(m.v)
			var d [6]float64
			for i := range 3 {
				d[i], d[i+3] = tr.State.Position[i]-truth[i], tr.State.Velocity[i]-v[i]
			}
			sum += mahalanobis(tr.State.Covariance, d)
			n++
		}
	}
	if mean := sum / float64(n); n < 60 || mean < 2.5 || mean > 7.5 {
		t.Errorf("mean normalised error squared %.2f over %d runs, want about 6", mean, n)
	}
}

// mahalanobis is dᵀ c⁻¹ d, by Gaussian elimination.
func mahalanobis(c [6][6]float64, d [6]float64) float64 {
	x := d
	for i := range 6 {
		for k := i + 1; k < 6; k++ {
			f := c[k][i] / c[i][i]
			for j := i; j < 6; j++ {
				c[k][j] -= f * c[i][j]
			}
			x[k] -= f * x[i]
		}
	}
	for i := 5; i >= 0; i-- {
		for j := i + 1; j < 6; j++ {
			x[i] -= c[i][j] * x[j]
		}
		x[i] /= c[i][i]
	}
	sum := 0.0
	for i := range 6 {
		sum += d[i] * x[i]
	}
	return sum
}

// Silence of a dead feed is no evidence; a live radar that looks and sees nothing is.
func TestLostOnlyByEvidenceOrAge(t *testing.T) {
	s := radar("r", 0)
	start := func() *Picture {
		p := NewPicture(Config{Sources: []observation.Source{s}, Coast: 3 * time.Minute})
		for i := range 10 {
			scan(p, s, float64(i)*4, rng(), mover{p: [3]float64{30e3, 0, 1000}, v: [3]float64{0, 50, 0}})
		}
		return p
	}
	dead := start()
	var seen []string
	for at := 37.0; at < 400; at++ {
		for _, c := range dead.Tick(after(at)) {
			seen = append(seen, fmt.Sprintf("%s %s %.0f", c.Track.Status, c.Track.Reason, at))
		}
	}
	if want := []string{"coasting  49", "ended lost 217"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("of a dead feed: %q, want %q", seen, want)
	}
	live, gone := start(), 0.0
	for i := 10; i < 30 && gone == 0; i++ {
		for _, c := range scan(live, s, float64(i)*4, rng()) {
			if c.Kind == WasEnded && c.Track.Reason == Lost {
				gone = float64(i)*4 - 36
			}
		}
	}
	if gone < 12 || gone > 40 {
		t.Errorf("unseen by a live radar it is lost after %.0f s, want 12 to 40", gone)
	}
}

// A rocket's track ends as landed when it must have come down, and not before.
func TestLanded(t *testing.T) {
	s := radar("r", 0)
	s.Period = 2 * time.Second
	p := NewPicture(Config{Sources: []observation.Source{s}})
	g := rng()
	var ended *Track
	var last Track
	down := (300 + math.Sqrt(300*300+2*gravity*2000)) / gravity // seconds, from 2,000 m up at 300 m/s
	for at := 0.0; at < down+30 && ended == nil; at += 2 {
		h := 2000 + 300*at - gravity*at*at/2
		var cs []Change
		if h > 500 {
			o := observed(s, at, plotOf(s, [3]float64{20e3, 5e3 + 400*at, h + 150}, g))
			cs = p.Observe(after(at), o)
		} else {
			cs = p.Tick(after(at))
		}
		for _, c := range cs {
			last = c.Track
			if c.Kind == WasEnded {
				ended = &c.Track
				if at < down {
					t.Errorf("ended %.0f s before it was down", down-at)
				}
			}
		}
	}
	if ended == nil || ended.Reason != Landed {
		t.Fatalf("it did not land: %+v", last.Status)
	}
	if last.Modes.Ballistic < 0.8 || last.Class[class.Rocket] < 0.5 {
		t.Errorf("ballistic %.2f, rocket %.2f", last.Modes.Ballistic, last.Class[class.Rocket])
	}
}

// An airliner is civil by its own report; when it dives at the ground it is not any more.
func TestIdentityByEvidenceAndAgainstIt(t *testing.T) {
	adsb := observation.Source{ID: "adsb", Kind: "adsb", Period: 2 * time.Second, Clutter: 0.01}
	s := radar("r", 0)
	p := NewPicture(Config{Sources: []observation.Source{s, adsb}})
	g := rng()
	fly := func(from float64, m mover) (last Track) {
		for i := range 12 {
			at := from + float64(i)*4
			place := geo.NewENU(here).From(m.at(at - from)).Position()
			o := observed(adsb, at, observation.Cooperative{Position: place, Error: 30, Velocity: m.v, HasVelocity: true})
			o.Identity = observation.Identity{Address: 0x3c6444, Flight: "DLH9C"}
			p.Observe(after(at), o)
			scan(p, s, at, g, mover{p: m.at(at - from)})
			if trs := p.Tracks(after(at)); len(trs) == 1 {
				last = trs[0]
			}
		}
		return last
	}
	level := mover{p: [3]float64{30e3, 10e3, 8000}, v: [3]float64{0, 150, 0}}
	tr := fly(0, level)
	if tr.Identity.Standing != observation.Neutral || tr.Identity.Known.Address != 0x3c6444 || len(tr.Sources) != 2 {
		t.Fatalf("identity %+v of %d sources", tr.Identity, len(tr.Sources))
	}
	tr = fly(48, mover{p: level.at(48), v: [3]float64{0, 150, -130}})
	if tr.Identity.Standing != observation.Unstated {
		t.Errorf("a diving aircraft is still %v: %q", tr.Identity.Standing, tr.Identity.Evidence)
	}
	o := observed(s, 96, plotOf(s, [3]float64{30e3, 10e3 + 150*96, 8000 - 130*48}, g))
	o.Identity = observation.Identity{Answer: observation.Friend, Word: true}
	p.Observe(after(96), o)
	if trs := p.Tracks(after(96)); len(trs) != 1 || trs[0].Identity.Standing != observation.Friend {
		t.Errorf("a person's word does not count: %d tracks", len(trs))
	}
}

// Two-dimensional radars: slant range and azimuth alone give the place within what the
// unknown height leaves open.
func TestHeightUnknown(t *testing.T) {
	s := radar("r", 0)
	p := NewPicture(Config{Sources: []observation.Source{s}})
	g := rng()
	m := mover{p: [3]float64{-40e3, 30e3, 9500}, v: [3]float64{200, 0, 0}}
	for i := range 15 {
		at := float64(i) * 4
		b := plotOf(s, m.at(at), g)
		b.HasElevation, b.Elevation = false, 0
		p.Observe(after(at), observed(s, at, b))
		p.Observe(after(at), observed(s, at, observation.Absence{}))
	}
	trs := p.Tracks(after(56))
	if len(trs) != 1 {
		t.Fatalf("%d tracks", len(trs))
	}
	d := geo.NewENU(here).To(trs[0].State.Position)
	truth := m.at(56)
	if flat := math.Hypot(d[0]-truth[0], d[1]-truth[1]); flat > 1200 {
		t.Errorf("%.0f m off on the ground", flat)
	}
	up := trs[0].State.Position.Position().Height
	sigma := math.Sqrt(trs[0].State.Covariance[0][0] + trs[0].State.Covariance[1][1] + trs[0].State.Covariance[2][2])
	if up < 0 || up > 12000 || sigma < 1000 {
		t.Errorf("height %.0f with sigma %.0f of something that nobody measured", up, sigma)
	}
}

func TestConditions(t *testing.T) {
	s := radar("r", 0)
	p := NewPicture(Config{Sources: []observation.Source{s}, MaxTentative: 3})
	g := rng()
	for i := range 300 {
		p.Observe(after(0), observation.Observation{Source: fmt.Sprintf("stranger-%d", i), ObservedAt: after(0), Body: observation.Absence{}})
	}
	p.Observe(after(60), observed(s, 0, plotOf(s, [3]float64{9e3, 0, 500}, g)))
	p.Observe(after(60), observed(s, 90, plotOf(s, [3]float64{9e3, 0, 500}, g)))
	p.Observe(after(60), observed(s, 60, observation.Plot{Range: geo.Metres(math.NaN())}))
	p.Observe(after(60), observed(s, 60, nil))
	for i := range 10 {
		p.Observe(after(61), observed(s, 61, plotOf(s, [3]float64{9e3 + 9e3*float64(i), 0, 500}, g)))
	}
	names := map[string]int{}
	cs := p.Conditions()
	for i, c := range cs {
		names[c.Name] += c.Count
		if i > 0 && c.Key() <= cs[i-1].Key() {
			t.Error("conditions are not in order")
		}
	}
	if len(cs) > maxFaults+8 || names["source-unknown"] != 300 || names["observation-late"] != 1 || names["observation-refused"] != 3 || names["track-table-full"] != 7 {
		t.Errorf("%d conditions: %v", len(cs), names)
	}
	if len(p.Conditions()) != 0 {
		t.Error("conditions are told twice")
	}
}

func TestLive(t *testing.T) {
	s, q := radar("r", 0), radar("q", 9e3)
	p := NewPicture(Config{Sources: []observation.Source{s, q}})
	p.Observe(after(0), observed(s, 0, observation.Absence{}))
	for _, test := range []struct {
		at   float64
		want []bool // q, r
	}{{1, []bool{false, true}}, {14, []bool{false, true}}, {16, []bool{false, false}}} {
		for i, l := range p.Live(after(test.at)) {
			if l.Alive != test.want[i] {
				t.Errorf("at %.0f s %s alive: %v", test.at, l.Source.ID, l.Alive)
			}
		}
	}
}

// A source that is heard and never usable is not alive: nobody sees through it, and it must
// not be said that somebody does.
func TestRefusedIsNotAlive(t *testing.T) {
	s := radar("r", 0)
	for name, o := range map[string]observation.Observation{
		"of the future":         observed(s, 3600, observation.Plot{Range: 20e3, Azimuth: 10}),
		"absence of the future": observed(s, 3600, observation.Absence{}),
		"far too late":          observed(s, -86400, observation.Plot{Range: 20e3, Azimuth: 10}),
		"without a body":        observed(s, 0, nil),
		"not measurable":        observed(s, 0, observation.Plot{Range: geo.Metres(math.NaN())}),
	} {
		p := NewPicture(Config{Sources: []observation.Source{s}})
		p.Observe(after(0), o)
		if p.Live(after(0))[0].Alive {
			t.Errorf("%s: alive", name)
		}
		if c := p.Conditions(); len(c) != 1 || c[0].Subject != "r" || !c[0].Raised {
			t.Errorf("%s: no condition names it: %v", name, c)
		}
		p.Observe(after(1), observed(s, 1, observation.Plot{Range: 20e3, Azimuth: 10}))
		if !p.Live(after(1))[0].Alive {
			t.Errorf("%s: not alive after a good one", name)
		}
	}
}

// A sensor's own track that began far off and has come to be the same object is merged
// into the older track, and its reports go there from then on.
func TestMerged(t *testing.T) {
	s := radar("r", 0)
	own := observation.Source{ID: "own", Kind: "asterix-062", Period: 4 * time.Second}
	p := NewPicture(Config{Sources: []observation.Source{s, own}})
	g := rng()
	m := mover{p: [3]float64{30e3, 0, 2000}, v: [3]float64{0, 100, 0}}
	var cov [6][6]float64
	for i := range 3 {
		cov[i][i], cov[i+3][i+3] = 100*100, 40*40
	}
	merged := false
	for i := range 40 {
		at := float64(i) * 4
		cs := p.Observe(after(at), observed(s, at, plotOf(s, m.at(at), g))) // and no word of what it did not see
		place := m.at(at)
		place[0] += 4000 * math.Max(0, 1-float64(i)/20) // its own bias goes away
		st := observation.SensorTrack{Position: geo.NewENU(here).From(place).Position(), Velocity: m.v, HasVelocity: true, Covariance: cov}
		o := observed(own, at+1, st)
		o.Key = "77"
		cs = append(cs, p.Observe(after(at+1), o)...)
		for _, c := range cs {
			if c.Kind == WasEnded {
				if c.Track.Reason != Merged || c.Track.Into != "t1" {
					t.Fatalf("ended %s into %q", c.Track.Reason, c.Track.Into)
				}
				merged = true
			}
		}
	}
	trs := p.Tracks(after(160))
	if !merged || len(trs) != 1 || len(trs[0].Sources) != 2 {
		t.Fatalf("merged %v, %d tracks", merged, len(trs))
	}
}

// A launch cue makes what starts near it be of its kind, and be confirmed sooner in clutter.
func TestCue(t *testing.T) {
	s := radar("r", 0)
	s.Clutter = 5000
	desk := observation.Source{ID: "desk", Kind: "authority"}
	looks := func(cued bool) (n int, rocket float64) {
		p := NewPicture(Config{Sources: []observation.Source{s, desk}})
		g := rng()
		m := mover{p: [3]float64{60e3, 0, 3000}, v: [3]float64{-150, 0, 30}}
		if cued {
			at := geo.NewENU(here).From(m.p).Position()
			o := observed(desk, 0, observation.Cue{Area: geo.Circle{Centre: at.Point, Radius: 5000}, LaunchedAt: after(-5)})
			o.Says = class.Of(class.Rocket)
			p.Observe(after(0), o)
		}
		for i := range 20 {
			for _, c := range scan(p, s, float64(i)*4, g, m) {
				return i + 1, c.Track.Class[class.Rocket]
			}
		}
		return 99, 0
	}
	without, plain := looks(false)
	with, told := looks(true)
	if with >= without || told < 3*plain {
		t.Errorf("confirmed after %d looks with the cue and %d without; a rocket with %.3f and %.3f", with, without, told, plain)
	}
}
