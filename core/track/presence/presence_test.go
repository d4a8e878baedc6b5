package presence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func after(s float64) time.Time { return noon.Add(time.Duration(s * 1e9)) }

var here = geo.Position{Point: geo.Point{Lat: 50, Lon: 30}}

func spot(x, y float64) geo.Position { return geo.NewENU(here).From([3]float64{x, y, 0}).Position() }

// drone flies straight through a test.
type drone struct{ p, v vec2 }

func (d drone) when(t float64) vec2 { return vec2{d.p[0] + d.v[0]*t, d.p[1] + d.v[1]*t} }

// emitted is when the sound left that is heard at a place at t.
func (d drone) emitted(t float64, x, y float64) float64 {
	te := t
	for range 60 {
		q := d.when(te)
		te = t - math.Hypot(q[0]-x, q[1]-y)/sound
	}
	return te
}

// node is an acoustic node or a direction finder of a test.
type node struct {
	observation.Source
	x, y  float64
	width float64 // degrees; 0: it only hears
}

func listener(id string, x, y float64) node {
	s := spot(x, y)
	s.Height = 0
	return node{x: x, y: y, Source: observation.Source{ID: id, Kind: Acoustic, Site: s, HasSite: true, Period: 5 * time.Second, Detection: 0.8,
		Trust: 0.85, Coverage: observation.Coverage{Range: 5000}}}
}

func finder(id string, x, y, width float64) node {
	n := listener(id, x, y)
	n.Kind, n.width, n.Coverage.Range = "direction-finder", width, 30e3
	return n
}

// say is what a node says at t of drones: something or that it heard nothing.
func (n node) say(g *rand.Rand, t float64, drones ...drone) []observation.Observation {
	o := observation.Observation{Source: n.ID, ObservedAt: after(t), ReceivedAt: after(t)}
	var out []observation.Observation
	for _, d := range drones {
		te := t
		if n.Kind == Acoustic {
			te = d.emitted(t, n.x, n.y)
		}
		q := d.when(te)
		dist := math.Hypot(q[0]-n.x, q[1]-n.y)
		if dist > float64(n.Coverage.Range)*(1+0.1*g.NormFloat64()) || g.Float64() > n.Detection {
			continue
		}
		o.Body = observation.Presence{At: n.Site.Point, Reach: n.Coverage.Range}
		if n.width > 0 {
			az := math.Atan2(q[0]-n.x, q[1]-n.y)/degree + n.width*g.NormFloat64()
			o.Body = observation.Bearing{Azimuth: geo.Degrees(az), Width: geo.Degrees(n.width)}
		}
		out = append(out, o)
	}
	if len(out) == 0 {
		o.Body = observation.Absence{}
		out = append(out, o)
	}
	return out
}

// tally is how good the firm candidates of a run were.
type tally struct {
	epochs, covered, covered2 int
	err, sigma                float64
	first                     float64
	most                      int
}

// play lets nodes speak in turn for a time and compares with one drone.
func play(f *Field, seed uint64, lasts float64, nodes []node, d drone, others ...drone) tally {
	g := rand.New(rand.NewPCG(seed, 5))
	enu := geo.NewENU(here)
	r := tally{first: -1}
	for t := 0.0; t < lasts; t++ {
		for i, n := range nodes {
			if int(t)%5 == i%5 {
				for _, o := range n.say(g, t, append(others, d)...) {
					if err := f.Hear(after(t), &n.Source, &o); err != nil {
						panic(err)
					}
				}
			}
		}
		firm := 0
		for _, c := range f.Tick(after(t)) {
			firm++
			if r.first < 0 {
				r.first = t
			}
			at := enu.To(c.Position)
			cov := enu.ToCovariance(block(c.Covariance))
			q := d.when(t)
			r.epochs++
			ex, ey := at[0]-q[0], at[1]-q[1]
			if math.Abs(ex) < 2*math.Sqrt(cov[0][0]) {
				r.covered++
			}
			if math.Abs(ey) < 2*math.Sqrt(cov[1][1]) {
				r.covered2++
			}
			r.err += math.Hypot(ex, ey)
			r.sigma += math.Sqrt(cov[0][0] + cov[1][1])
		}
		r.most = max(r.most, firm)
	}
	n := math.Max(float64(r.epochs), 1)
	r.err, r.sigma = r.err/n, r.sigma/n
	return r
}

func block(c [6][6]float64) (b [3][3]float64) {
	for i := range 3 {
		for j := range 3 {
			b[i][j] = c[i][j]
		}
	}
	return b
}

// field of listeners: a net of so many by so many, so far apart.
func net(n int, apart float64) (out []node) {
	for i := range n {
		for j := range n {
			out = append(out, listener(fmt.Sprintf("n%d-%d", i, j), (float64(i)-float64(n-1)/2)*apart, (float64(j)-float64(n-1)/2)*apart))
		}
	}
	return out
}

// The place of what flies through a net of listeners, or past finders, is known as well as
// it is said to be.
func TestFollowsOneDrone(t *testing.T) {
	finders := []node{finder("a", -15e3, -5e3, 3), finder("b", 12e3, -8e3, 3), finder("c", 0, 18e3, 3)}
	for name, nodes := range map[string][]node{"listeners": net(5, 6e3), "finders": finders} {
		n, covered, most := 0, 0, 0
		err := 0.0
		for seed := range uint64(3) {
			a := float64(seed) * 2.1
			s, c := math.Sincos(a)
			r := play(New(Config{}), seed, 420, nodes, drone{p: vec2{-12e3 * s, -12e3 * c}, v: vec2{50 * s, 50 * c}})
			if r.first < 0 || r.first > 300 {
				t.Errorf("%s, seed %d: found after %.0f s", name, seed, r.first)
			}
			n, covered, most = n+2*r.epochs, covered+r.covered+r.covered2, max(most, r.most)
			err += r.err / 3
		}
		if share := float64(covered) / float64(n); share < 0.9 || err > 1800 || most > 2 {
			t.Errorf("%s: coverage %.3f, %.0f m off, at most %d tracks of one drone", name, share, err, most)
		}
	}
}

// hear lets sources speak at a time, and ticks.
func hear(t testing.TB, f *Field, at float64, words ...said) []Candidate {
	t.Helper()
	for _, w := range words {
		if err := f.Hear(after(at), &w.s, &w.o); err != nil {
			t.Fatal(err)
		}
	}
	return f.Tick(after(at))
}

// said is an observation with its source.
type said struct {
	s observation.Source
	o observation.Observation
}

var citizens = observation.Source{ID: "citizens", Kind: Crowd, Trust: 0.75}

func report(at, x, y float64, who string) said {
	return said{citizens, observation.Observation{Source: "citizens", Key: who, ObservedAt: after(at), Body: observation.Presence{At: spot(x, y).Point, Reach: 3000}}}
}

// A thousand copies of one lie, each under another name, weigh as one report.
func TestCopiesWeighAsOne(t *testing.T) {
	one, many := New(Config{}), New(Config{})
	g := rand.New(rand.NewPCG(1, 1))
	for s := 0.0; s < 50; s++ {
		hear(t, one, s, report(s, 0, 0, "a"))
		for k := range 20 {
			hear(t, many, s, report(s, 150*(g.Float64()-0.5), 150*(g.Float64()-0.5), fmt.Sprint(s, k)))
		}
		if c := many.Tick(after(s)); len(c) != 0 {
			t.Fatalf("after %.0f s a track of lies: %+v", s, c)
		}
	}
	if len(one.clouds) != 1 || len(many.clouds) != 1 {
		t.Fatalf("%d and %d clouds", len(one.clouds), len(many.clouds))
	}
	if a, b := one.clouds[0].odds, many.clouds[0].odds; math.Abs(a-b) > 0.3 || b > -math.Log(1-citizens.Trust)+1e-9 {
		t.Errorf("one report gives log-odds %.2f, a thousand copies %.2f", a, b)
	}
	if many.Copies < 900 {
		t.Errorf("%d copies were counted", many.Copies)
	}
}

// Citizens at three places make a track, and it is marked as theirs alone; at two they do not.
func TestCrowdNeedsThreePlaces(t *testing.T) {
	for places := 1; places <= 4; places++ {
		f := New(Config{})
		var last []Candidate
		for s := 0.0; s < 60; s += 10 {
			var words []said
			for k := range places {
				a := 2 * math.Pi * float64(k) / 4
				words = append(words, report(s, 1800*math.Sin(a), 1800*math.Cos(a), fmt.Sprint("c", k)))
			}
			last = hear(t, f, s, words...)
		}
		if firm := len(last) == 1; firm != (places >= 3) {
			t.Errorf("%d places: %d tracks", places, len(last))
		}
		for _, c := range last {
			if len(c.Sources) != 1 || c.Sources[0].Kind != Crowd || c.Existence > 0.97 {
				t.Errorf("%d places: %+v existence %.3f", places, c.Sources, c.Existence)
			}
		}
	}
}

// Two bearings that cross at a sharp angle give a wedge, not a point; it holds the truth.
func TestSharpCrossingIsAWedge(t *testing.T) {
	held := 0
	const runs = 20
	for seed := range uint64(runs) {
		g := rand.New(rand.NewPCG(seed, 2))
		f := New(Config{})
		a, b := finder("a", 0, 0, 2), finder("b", 2500, 0, 2) // seen from 16 km: 9 degrees apart
		d := drone{p: vec2{1000, 16e3}}
		var last []Candidate
		for s := 0.0; s < 30; s += 5 {
			var words []said
			for _, n := range []node{a, b} {
				n.Detection = 1
				words = append(words, said{n.Source, n.say(g, s, d)[0]})
			}
			last = hear(t, f, s, words...)
		}
		c := f.clouds[0]
		var mean [4]float64
		cov := c.covariance(&mean)
		if long, across := math.Sqrt(cov[1][1]), math.Sqrt(cov[0][0]); long < 2000 || long < 2*across {
			t.Errorf("seed %d: %.0f m along the bearings, %.0f across", seed, long, across)
		}
		q := c.frame.To(geo.NewENU(here).From([3]float64{d.p[0], d.p[1], 0}))
		dx, dy := q[0]-mean[0], q[1]-mean[1]
		det := cov[0][0]*cov[1][1] - cov[0][1]*cov[0][1]
		if d2 := (cov[1][1]*dx*dx - 2*cov[0][1]*dx*dy + cov[0][0]*dy*dy) / det; d2 < 6.2 {
			held++
		}
		_ = last
	}
	if held < runs*8/10 {
		t.Errorf("the truth is within two deviations in %d of %d runs", held, runs)
	}
}

// What is heard is held against where the object was when it made the sound: it is not
// followed half a kilometre behind.
func TestSoundIsOld(t *testing.T) {
	behind, n := 0.0, 0.0
	for seed := range uint64(6) {
		var nodes []node
		for i := range 4 { // arrays that hear 8 km far and know the direction
			a := listener(fmt.Sprint("array", i), -9e3+6e3*float64(i), []float64{5e3, -5e3}[i%2])
			a.width, a.Coverage.Range = 4, 9000
			nodes = append(nodes, a)
		}
		f := New(Config{})
		g := rand.New(rand.NewPCG(seed, 4))
		d := drone{p: vec2{-9e3, 0}, v: vec2{60, 0}}
		for s := 0.0; s < 240; s++ {
			var words []said
			for i, a := range nodes {
				if int(s)%5 == i {
					words = append(words, said{a.Source, a.say(g, s, d)[0]})
				}
			}
			for _, c := range hear(t, f, s, words...) {
				if s > 60 {
					at := geo.NewENU(here).To(c.Position)
					behind += d.when(c.At.Sub(noon).Seconds())[0] - at[0]
					n++
				}
			}
		}
	}
	if n < 600 || math.Abs(behind/n) > 250 {
		t.Errorf("over %.0f epochs it is followed %.0f m behind; its sound is 700 to 1500 m behind", n, behind/math.Max(n, 1))
	}
}

// The way of the sound solves its equation.
func TestTravel(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		x, y := 2e4*(g.Float64()-0.5), 2e4*(g.Float64()-0.5)
		v := vec2{580 * (g.Float64() - 0.5), 100 * (g.Float64() - 0.5)}
		tau := travel(x, y, v)
		if tau < 0 || math.Abs(math.Hypot(x-v[0]*tau, y-v[1]*tau)-sound*tau) > 1e-6 {
			t.Fatalf("%v %v %v: %v", x, y, v, tau)
		}
	}
	if tau := travel(5000, 0, vec2{2000, 0}); !finite(tau) || tau < 0 {
		t.Errorf("what outruns its sound: %v", tau)
	}
}

// A node that always hears makes no track, hides none, and is named.
func TestMadNode(t *testing.T) {
	run := func(mad bool) (first float64, named []Distrust) {
		nodes := net(4, 5e3)
		f := New(Config{})
		g := rand.New(rand.NewPCG(7, 7))
		s, c := math.Sincos(0.7)
		d := drone{p: vec2{-45e3 * s, -45e3 * c}, v: vec2{50 * s, 50 * c}} // there after ten minutes
		first = -1
		for at := 0.0; at < 1000; at++ {
			var words []said
			for i, n := range nodes {
				if int(at)%5 != i%5 {
					continue
				}
				o := n.say(g, at, d)[0]
				if mad && i == 5 {
					o.Body = observation.Presence{At: n.Site.Point, Reach: 5000}
				}
				words = append(words, said{n.Source, o})
			}
			for _, got := range hear(t, f, at, words...) {
				p := geo.NewENU(here).To(got.Position)
				if q := d.when(at); first < 0 && math.Hypot(p[0]-q[0], p[1]-q[1]) < 6000 {
					first = at
				} else if first < 0 {
					t.Fatalf("mad %v: a track after %.0f s, %.0f m from the drone", mad, at, math.Hypot(p[0]-q[0], p[1]-q[1]))
				}
			}
			named = append(named, f.Distrusts()...)
		}
		return first, named
	}
	sane, none := run(false)
	mad, named := run(true)
	if sane < 0 || mad < 0 || mad > sane+60 {
		t.Errorf("found after %.0f s, with a mad node after %.0f s", sane, mad)
	}
	if len(none) != 0 {
		t.Errorf("named without cause: %+v", none)
	}
	if len(named) == 0 || named[0].Source != "n1-1" || !named[0].Gone {
		t.Errorf("named %+v, want n1-1", named)
	}
}

// The order in which words of one second come changes nothing, to the last bit.
func TestOrderOfWords(t *testing.T) {
	run := func(shuffle bool) string {
		f := New(Config{})
		g, h := rand.New(rand.NewPCG(5, 5)), rand.New(rand.NewPCG(6, 6))
		nodes := net(4, 5e3)
		d := drone{p: vec2{-9e3, -2e3}, v: vec2{50, 5}}
		out := ""
		for s := 0.0; s < 120; s++ {
			var words []said
			for i, n := range nodes {
				if int(s)%5 == i%5 {
					words = append(words, said{n.Source, n.say(g, s, d)[0]})
				}
			}
			if int(s)%7 == 0 {
				q := d.when(s)
				words = append(words, report(s, q[0], q[1]+1500, "x"), report(s, q[0], q[1]-1500, "y"))
			}
			if shuffle {
				h.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
			}
			out = fmt.Sprintf("%.9v", hear(t, f, s, words...))
		}
		return out
	}
	one, other := run(false), run(true)
	if one != other {
		t.Errorf("the order matters:\n%s\n%s", one, other)
	}
	if len(one) < 100 {
		t.Errorf("no track: it proves nothing: %s", one)
	}
}

// A flood of one source leaves room for the others, and is counted.
func TestFlood(t *testing.T) {
	f := New(Config{})
	for k := range 5000 {
		w := report(0, 1e4*math.Sin(float64(k)), 1e4*math.Cos(float64(k)), fmt.Sprint(k))
		if err := f.Hear(after(0), &w.s, &w.o); err != nil {
			t.Fatal(err)
		}
	}
	n := listener("n", 30e3, 30e3)
	o := observation.Observation{Source: n.ID, ObservedAt: after(0), Body: observation.Presence{At: n.Site.Point, Reach: 5000}}
	if err := f.Hear(after(0), &n.Source, &o); err != nil {
		t.Fatal(err)
	}
	f.Tick(after(1))
	heard := false
	for _, c := range f.clouds {
		heard = heard || c.sources[0].Source == "n"
	}
	if !heard || f.Shed < 4000 || len(f.clouds) > MaxClouds {
		t.Errorf("heard %v, shed %d, clouds %d", heard, f.Shed, len(f.clouds))
	}
}

// Whatever is said, no number is none, nothing grows without bound, nothing panics.
func FuzzHear(f *testing.F) {
	f.Add(uint64(1), 50.0, 30.0, 5000.0, 90.0, 3.0, int64(0))
	f.Add(uint64(2), math.NaN(), math.Inf(1), -1.0, 1e300, 0.0, int64(1)<<62)
	f.Add(uint64(3), 90.0, 180.0, 1e9, -720.0, 1e-300, int64(-5))
	f.Fuzz(func(t *testing.T, seed uint64, lat, lon, reach, az, width float64, shift int64) {
		fd := New(Config{})
		g := rand.New(rand.NewPCG(seed, 1))
		at := geo.Point{Lat: geo.Degrees(lat), Lon: geo.Degrees(lon)}
		for s := range 12 {
			now := after(float64(s))
			for k := range 4 {
				src := observation.Source{ID: fmt.Sprint(k), Kind: []string{Acoustic, Crowd, "camera", ""}[k], HasSite: true,
					Site: geo.Position{Point: at, Height: geo.Metres(width)}, Trust: width, Coverage: observation.Coverage{Range: geo.Metres(reach)}}
				o := observation.Observation{Source: src.ID, ObservedAt: now.Add(time.Duration(shift % int64(40*time.Second)))}
				switch g.IntN(3) {
				case 0:
					o.Body = observation.Presence{At: at, Reach: geo.Metres(reach)}
				case 1:
					o.Body = observation.Bearing{Azimuth: geo.Degrees(az), Width: geo.Degrees(width)}
				default:
					o.Body = observation.Absence{}
				}
				_ = fd.Hear(now, &src, &o) // what is not usable is refused: that is what is tried here
			}
			for _, c := range fd.Tick(now) {
				for i := range 6 {
					if !finite(c.Covariance[i][:]...) || c.Covariance[i][i] < 0 {
						t.Fatalf("covariance %v", c.Covariance)
					}
				}
				if !finite(c.Position[0], c.Position[1], c.Position[2], c.Velocity[0], c.Existence) {
					t.Fatalf("%+v", c)
				}
			}
		}
		for _, c := range fd.clouds {
			if !finite(c.odds, c.centre[0], c.centre[1], c.radius) || len(c.clusters) > maxClusters {
				t.Fatalf("cloud %v %v", c.odds, c.centre)
			}
		}
	})
}

// BenchmarkTick is one second of 100 listeners with a drone among them.
func BenchmarkTick(b *testing.B) {
	f := New(Config{})
	g := rand.New(rand.NewPCG(1, 1))
	nodes := net(10, 5e3)
	s := 0.0
	for b.Loop() {
		d := drone{p: vec2{-20e3 + 50*math.Mod(s, 800), 1000}}
		for i, n := range nodes {
			if int(s)%5 == i%5 {
				for _, o := range n.say(g, s, d) {
					if err := f.Hear(after(s), &n.Source, &o); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		f.Tick(after(s))
		s++
	}
}

// What a node is known to confuse is weighed as that.
func TestNodesAreWeighedByTheirMatrix(t *testing.T) {
	n := listener("n", 0, 0)
	o := observation.Observation{Source: n.ID, ObservedAt: after(0), Says: class.Of(class.Drone), Body: observation.Presence{At: n.Site.Point, Reach: 3000}}
	if e, err := read(&n.Source, &o); err != nil || e.says != o.Says {
		t.Fatalf("at its word: %v, %v", e.says, err)
	}
	for k := range n.Confusion {
		n.Confusion[k] = class.Of(class.Class(k))
	}
	n.Confusion[class.Aircraft] = class.Mix{class.Drone: 0.5, class.Aircraft: 0.5}
	e, err := read(&n.Source, &o)
	if err != nil || !(e.says[class.Aircraft] > 0.3 && e.says[class.Aircraft] < e.says[class.Drone]) {
		t.Errorf("by its matrix: %v, %v", e.says, err)
	}
}
