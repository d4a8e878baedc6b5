package registration

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func after(s float64) time.Time { return noon.Add(time.Duration(s * 1e9)) }

var here = geo.Position{Point: geo.Point{Lat: 50, Lon: 30}, Height: 150}

// radar is a simulated sensor: what it is registered as, and what is wrong with it.
type radar struct {
	Sensor
	frame     geo.ENU
	period    float64
	bias      [each]float64 // metres, degrees, degrees, seconds
	elevation bool
	own       bool // no radar: aircraft that say where they are
	mad       bool // reports places at random
}

func at(id string, east, north, period float64, bias [each]float64) *radar {
	site := geo.NewENU(here).From(vec3{east, north, 0}).Position()
	f := geo.NewENU(site)
	return &radar{frame: f, period: period, bias: bias, elevation: true, Sensor: Sensor{
		ID: id, Site: site.ECEF(), Axes: f.Rotation(), Period: time.Duration(period * 1e9),
		Errors: observation.Errors{Range: 60, Azimuth: 0.2, Elevation: 0.5}}}
}

// object flies straight.
type object struct{ p, v vec3 }

func (o object) when(t float64) vec3 { return sum(o.p, scaled(o.v, t)) }

// see is what a radar says of an object that it meets at a true time.
func (r *radar) see(g *rand.Rand, o object, t float64) *observation.Observation {
	stamp := t + r.bias[inClock]
	out := &observation.Observation{Source: r.ID, ObservedAt: after(stamp), ReceivedAt: after(t)}
	place := geo.NewENU(here).From(o.when(t))
	if r.own {
		p := place.Position()
		out.Body = observation.Cooperative{Position: p, Error: 30}
		return out
	}
	if r.mad {
		out.Body = observation.Plot{Range: geo.Metres(1000 + 60e3*g.Float64()), Azimuth: geo.Degrees(360 * g.Float64()), Elevation: 3, HasElevation: true}
		return out
	}
	d := r.frame.To(place)
	rng := norm(d)
	b := observation.Plot{
		Range:   geo.Metres(rng + r.bias[inRange] + float64(r.Errors.Range)*g.NormFloat64()),
		Azimuth: geo.Degrees(math.Atan2(d[0], d[1])/degree + r.bias[inAzimuth] + float64(r.Errors.Azimuth)*g.NormFloat64()),
	}
	if r.elevation {
		b.HasElevation = true
		b.Elevation = geo.Degrees(math.Asin(d[2]/rng)/degree + r.bias[inTilt] + float64(r.Errors.Elevation)*g.NormFloat64())
	}
	out.Body = b
	return out
}

// world lets radars look at objects and a registrar learn from it, second by second.
type world struct {
	g       *rand.Rand
	radars  []*radar
	objects []object
	reg     *Registrar
	recent  [][]*observation.Observation
	order   func([]Sample)
}

func newWorld(seed uint64, radars ...*radar) *world {
	w := &world{g: rand.New(rand.NewPCG(seed, 3)), radars: radars, reg: New()}
	for range 12 {
		course := 2 * math.Pi * w.g.Float64()
		speed := 60 + 180*w.g.Float64()
		w.objects = append(w.objects, object{
			p: vec3{30e3 * (w.g.Float64() - 0.5), 30e3 * (w.g.Float64() - 0.5), 1000 + 4000*w.g.Float64()},
			v: vec3{speed * math.Sin(course), speed * math.Cos(course), 0}})
	}
	w.recent = make([][]*observation.Observation, len(w.objects))
	w.reg.SetSensors(w.sensors())
	return w
}

func (w *world) sensors() (out []Sensor) {
	for _, r := range w.radars {
		s := r.Sensor
		s.Truth = r.own
		out = append(out, s)
	}
	return out
}

// run lets time pass from a second to another.
func (w *world) run(from, till int) {
	enu := geo.NewENU(here)
	for sec := from; sec < till; sec++ {
		for i, o := range w.objects {
			for k, r := range w.radars {
				if n := math.Floor((float64(sec)+1)/r.period) - math.Floor(float64(sec)/r.period); n > 0 && w.g.Float64() < 0.9 {
					t := float64(sec) + float64(k)*0.31 + w.g.Float64()*0.2
					w.recent[i] = append(w.recent[i], r.see(w.g, o, t))
				}
			}
			w.recent[i] = w.recent[i][max(0, len(w.recent[i])-8):]
		}
		var samples []Sample
		for i, o := range w.objects {
			samples = append(samples, Sample{Track: uint64(i + 1), At: after(float64(sec)), Position: enu.From(o.when(float64(sec))),
				Velocity: enu.FromVelocity(o.v), Depth: 300, Recent: w.recent[i]})
		}
		if w.order != nil {
			w.order(samples)
		}
		w.reg.Learn(after(float64(sec)+1), samples)
	}
}

// raw is the whole estimate of a sensor, in metres, degrees, degrees, seconds, and its deviations.
func (w *world) raw(id string) (x, sd [each]float64) {
	i := w.reg.index[id]
	x, sd = w.reg.filter.of(i), w.reg.filter.deviations(i)
	for _, k := range []int{inAzimuth, inTilt} {
		x[k], sd[k] = x[k]/degree, sd[k]/degree
	}
	return x, sd
}

// Whatever is wrong with two radars, it is found: every kind of bias to what its
// uncertainty says, clocks but for what they have in common.
func TestConverges(t *testing.T) {
	sizes := [][2][each]float64{
		{{}, {50, 0.1, 0, 0.1}},
		{{}, {500, 0, 0, 0}},
		{{}, {0, 1, 0, 0}},
		{{}, {0, 0, 0, 1}},
		{{}, {-300, 0.5, 0.2, -0.5}},
		{{200, -0.4, 0, -0.3}, {-150, 0.3, 0, 0.3}},
	}
	misses, all := 0, 0
	for i, bias := range sizes {
		for seed := range uint64(4) {
			w := newWorld(seed+100*uint64(i), at("a", -25e3, 0, 4, bias[0]), at("b", 25e3, 5e3, 5, bias[1]))
			w.run(0, 180)
			xa, sa := w.raw("a")
			xb, sb := w.raw("b")
			for k := range each {
				off := [2]float64{xa[k] - bias[0][k], xb[k] - bias[1][k]}
				sd := [2]float64{sa[k], sb[k]}
				if k == inClock { // the mean of the clocks is nobody's to know
					off = [2]float64{(xb[k] - xa[k]) - (bias[1][k] - bias[0][k]), 0}
					sd = [2]float64{0.05, 1}
				}
				limit := [each]float64{60, 0.08, 0.25, 0.2}[k]
				for j := range off {
					all++
					if math.Abs(off[j]) > 3*sd[j] {
						misses++
					}
					if math.Abs(off[j]) > limit {
						t.Errorf("bias %v seed %d sensor %d kind %d: off by %.3f", bias, seed, j, k, off[j])
					}
				}
			}
		}
	}
	if misses > all/20 {
		t.Errorf("%d of %d estimates are off by more than three deviations", misses, all)
	}
}

// Aircraft that say where they are make everything known, the clocks too.
func TestCooperativeAircraftAreTruth(t *testing.T) {
	own := at("own", 0, 0, 2, [each]float64{})
	own.own = true
	w := newWorld(5, at("a", -25e3, 0, 4, [each]float64{-200, 0.5, 0, 0.6}), own)
	w.run(0, 240)
	x, sd := w.raw("a")
	for k, want := range [each]float64{-200, 0.5, 0, 0.6} {
		if math.Abs(x[k]-want) > [each]float64{40, 0.05, 0.25, 0.15}[k] {
			t.Errorf("kind %d: %.3f±%.3f, want %.3f", k, x[k], sd[k], want)
		}
	}
	if b, _ := w.reg.Of("own"); b.Shown || b.Range != 0 || b.Clock != 0 {
		t.Errorf("the aircraft were corrected: %+v", b)
	}
}

// What has no bias is not corrected, and its uncertainty is soon small.
func TestUnbiasedIsLeftAlone(t *testing.T) {
	for seed := range uint64(6) {
		w := newWorld(seed, at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{}))
		for sec := 0; sec < 180; sec += 10 {
			w.run(sec, sec+10)
			for _, b := range w.reg.Figures() {
				if b.Shown {
					t.Fatalf("seed %d: after %d s %+v", seed, sec, b)
				}
			}
		}
		for _, b := range w.reg.Figures() {
			if b.Pairs == 0 || b.Errors.Range > 40 || b.Errors.Azimuth > 0.1 {
				t.Errorf("seed %d: %+v", seed, b)
			}
		}
	}
}

// Radars without elevation are registered in range, azimuth and time.
func TestFlatRadars(t *testing.T) {
	a, b := at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{250, 0.5, 0, 0.4})
	a.elevation, b.elevation = false, false
	w := newWorld(9, a, b)
	w.run(0, 240)
	xa, _ := w.raw("a")
	xb, _ := w.raw("b")
	if math.Abs(xb[inRange]-250) > 60 || math.Abs(xb[inAzimuth]-0.5) > 0.08 || math.Abs(xb[inClock]-xa[inClock]-0.4) > 0.2 {
		t.Errorf("estimated %v and %v", xa, xb)
	}
}

// A bias that jumps is found again and told; so is one that goes away.
func TestBiasMoves(t *testing.T) {
	b := at("b", 25e3, 5e3, 5, [each]float64{})
	w := newWorld(2, at("a", -25e3, 0, 4, [each]float64{}), b)
	w.run(0, 120)
	if f := w.reg.Faults(); len(f) != 0 {
		t.Fatalf("told without cause: %+v", f)
	}
	b.bias = [each]float64{600, 1.5, 0, 0}
	w.run(120, 360)
	x, _ := w.raw("b")
	if math.Abs(x[inRange]-600) > 80 || math.Abs(x[inAzimuth]-1.5) > 0.1 {
		t.Errorf("after the jump: %v", x)
	}
	told := w.reg.Faults()
	if !slices.ContainsFunc(told, func(f Fault) bool { return f.Name == Biased && f.Sensor == "b" && f.Raised }) {
		t.Errorf("the jump was not told: %+v", told)
	}
	b.bias = [each]float64{}
	w.run(360, 600)
	if told := w.reg.Faults(); !slices.ContainsFunc(told, func(f Fault) bool { return f.Name == Biased && f.Sensor == "b" && !f.Raised }) {
		x, sd := w.raw("b")
		t.Errorf("its end was not told: %+v; estimate %v±%v", told, x, sd)
	}
}

// A sensor that reports at random moves no other's bias, and is the one that is named.
func TestMadSensorIsNamed(t *testing.T) {
	c := at("c", 0, 25e3, 4, [each]float64{})
	c.mad = true
	w := newWorld(4, at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{300, 0, 0, 0}), c)
	w.run(0, 240)
	for _, want := range []struct {
		id   string
		bias [each]float64
	}{{"a", [each]float64{}}, {"b", [each]float64{300, 0, 0, 0}}} {
		x, _ := w.raw(want.id)
		if math.Abs(x[inRange]-want.bias[inRange]) > 80 || math.Abs(x[inAzimuth]) > 0.15 {
			t.Errorf("%s: %v, want %v", want.id, x, want.bias)
		}
	}
	named := map[string]bool{}
	for _, f := range w.reg.Faults() {
		if f.Name == Disagrees && f.Raised {
			named[f.Sensor] = true
		}
	}
	if !reflect.DeepEqual(named, map[string]bool{"c": true}) {
		t.Errorf("named %v", named)
	}
}

// The order of samples changes nothing, to the last bit.
func TestOrderOfSamples(t *testing.T) {
	run := func(order func([]Sample)) string {
		w := newWorld(11, at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{200, 0.3, 0, 0.2}))
		w.order = order
		w.run(0, 90)
		return fmt.Sprint(w.reg.filter.x, w.reg.Figures())
	}
	g := rand.New(rand.NewPCG(1, 1))
	one := run(nil)
	other := run(func(s []Sample) { g.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) })
	if one != other {
		t.Errorf("the order of samples matters:\n%s\n%s", one, other)
	}
}

// Tracks of one sensor each are held against one another when they must be one object.
func TestPair(t *testing.T) {
	a, b := at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{-500, 0.6, 0, 0})
	w := newWorld(21, a, b)
	w.objects = w.objects[:6]
	enu := geo.NewENU(here)
	var ra, rb [6][]*observation.Observation
	for sec := range 240 {
		var samples []Sample
		for i, o := range w.objects {
			if sec%4 == 0 {
				ra[i] = append(ra[i], a.see(w.g, o, float64(sec)))
			}
			if sec%5 == 0 {
				rb[i] = append(rb[i], b.see(w.g, o, float64(sec)+0.4))
			}
			ra[i], rb[i] = ra[i][max(0, len(ra[i])-8):], rb[i][max(0, len(rb[i])-8):]
			s := Sample{Track: uint64(2 * i), At: after(float64(sec)), Position: enu.From(o.when(float64(sec))), Velocity: enu.FromVelocity(o.v), Depth: 300, Recent: ra[i]}
			s2 := s
			s2.Track, s2.Recent = s.Track+1, rb[i]
			s2.Position = enu.From(sum(o.when(float64(sec)), vec3{600, 300, 0}))
			samples = append(samples, s, s2)
		}
		if sec%4 == 3 {
			w.reg.Pair(after(float64(sec)), samples)
		}
	}
	x, sd := w.raw("b")
	if got, _ := w.reg.Of("b"); !got.Shown || math.Abs(x[inRange]+500) > 120 || math.Abs(x[inAzimuth]-0.6) > 0.15 {
		t.Errorf("%v±%v %+v", x, sd, got)
	}
}

// What is known of a sensor outlives a change of others, and not its own removal.
func TestSetSensors(t *testing.T) {
	w := newWorld(8, at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{300, 0, 0, 0}))
	w.run(0, 120)
	before, _ := w.reg.Of("b")
	c := at("c", 0, -30e3, 4, [each]float64{})
	w.reg.SetSensors(append([]Sensor{c.Sensor}, w.sensors()...))
	if got, _ := w.reg.Of("b"); !got.Shown || math.Abs(float64(got.Range-before.Range)) > 1 {
		t.Errorf("a new sensor changed %+v to %+v", before, got)
	}
	moved := w.sensors()
	moved[1].Site[0] += 100
	w.reg.SetSensors(moved)
	if got, _ := w.reg.Of("b"); got.Pairs != 0 || got.Range != 0 {
		t.Errorf("a sensor that was moved keeps %+v", got)
	}
	w.reg.SetSensors(nil)
	if _, ok := w.reg.Of("b"); ok || len(w.reg.Figures()) != 0 {
		t.Error("a sensor that is gone is known")
	}
	var many []Sensor
	for i := range 3 * MaxSensors {
		many = append(many, at(fmt.Sprint(i), float64(i), 0, 4, [each]float64{}).Sensor)
	}
	w.reg.SetSensors(many)
	if n := len(w.reg.Figures()); n != MaxSensors {
		t.Errorf("%d sensors are kept, the bound is %d", n, MaxSensors)
	}
}

// What a track inherits of its sensors' biases is a covariance, and grows with distance.
func TestCarried(t *testing.T) {
	w := newWorld(8, at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{300, 0.4, 0, 0}))
	near, far := geo.NewENU(here).From(vec3{-20e3, 0, 1000}), geo.NewENU(here).From(vec3{-200e3, 0, 1000})
	v := vec3{100, 0, 0}
	trace := func(m mat3) float64 { return m[0][0] + m[1][1] + m[2][2] }
	if c := w.reg.Carried(near, v, []string{"a"}, []float64{1}); trace(c) != 0 {
		t.Errorf("of a sensor nothing is known of: %v", c)
	}
	w.run(0, 60)
	c, d := w.reg.Carried(near, v, []string{"a", "b"}, []float64{0.6, 0.4}), w.reg.Carried(far, v, []string{"a", "b"}, []float64{0.6, 0.4})
	if !(trace(c) > 0) || trace(d) < trace(c) {
		t.Errorf("near %v far %v", c, d)
	}
	s := spread(c)
	for i := range 3 {
		s[i][i] += 1e-6
	}
	if _, ok := s.root(); !ok {
		t.Errorf("no covariance: %v", c)
	}
}

// Nothing that is fed in makes a number that is none, and nothing grows without bound.
func FuzzLearn(f *testing.F) {
	f.Add(uint64(1), 1000.0, 10.0, 5.0, 0.0, 1.0)
	f.Add(uint64(2), math.Inf(1), math.NaN(), 90.0, -1e300, 1e300)
	f.Add(uint64(3), 1e-300, 1e300, -90.0, 1e9, 1e-9)
	f.Fuzz(func(t *testing.T, seed uint64, rng, az, el, shift, scale float64) {
		w := newWorld(seed, at("a", -25e3, 0, 4, [each]float64{}), at("b", 25e3, 5e3, 5, [each]float64{}))
		w.order = func(ss []Sample) {
			for i := range ss {
				s := &ss[i]
				s.Recent = slices.Clone(s.Recent)
				if i%3 == 0 && len(s.Recent) > 0 {
					o := *s.Recent[len(s.Recent)-1]
					o.Body = observation.Plot{Range: geo.Metres(rng), Azimuth: geo.Degrees(az), Elevation: geo.Degrees(el), HasElevation: i%2 == 0}
					s.Recent[len(s.Recent)-1] = &o
				}
				if i%4 == 1 {
					s.Velocity[0] = shift
					s.Position[1] += shift
					s.Depth = scale
				}
			}
		}
		w.run(0, 12)
		w.reg.Pair(after(12), nil)
		for _, v := range w.reg.filter.x {
			if !finite(v) {
				t.Fatalf("estimate %v", w.reg.filter.x)
			}
		}
		for i := range w.reg.filter.p {
			if !finite(w.reg.filter.p[i]...) || w.reg.filter.p[i][i] < 0 {
				t.Fatalf("covariance %v", w.reg.filter.p[i])
			}
		}
	})
}

// BenchmarkLearn is one second of a picture that gives all it is asked for.
func BenchmarkLearn(b *testing.B) {
	for _, n := range []int{2, 8, 32} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var radars []*radar
			for i := range n {
				a := 2 * math.Pi * float64(i) / float64(n)
				radars = append(radars, at(fmt.Sprint(i), 30e3*math.Sin(a), 30e3*math.Cos(a), 4+0.1*float64(i), [each]float64{}))
			}
			w := newWorld(1, radars...)
			w.run(0, 20)
			sec := 20
			for b.Loop() {
				w.run(sec, sec+1)
				sec++
			}
		})
	}
}
