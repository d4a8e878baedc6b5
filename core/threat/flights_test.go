package threat

import (
	"math"
	"math/rand/v2"
	"slices"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// Flights to be forecast, by rules that are not those of the habits: routes of way-points
// to a place that somebody chose, straight lines, wanderers that go nowhere, loops, bodies
// that fall through another air. What is reached is told by the zones' exact borders.

// field is metres east and north of a middle; the earth is near enough a plane there.
type field struct {
	zones  *zone.Set
	middle geo.Point
	half   float64 // metres from the middle to where flights begin
	rng    *rand.Rand
	towns  []int // zone indices, drawn by how many live there
}

func newField(zones *zone.Set, middle geo.Point, half float64, seed uint64) *field {
	f := &field{zones: zones, middle: middle, half: half, rng: rand.New(rand.NewPCG(seed, 17))}
	for i := range zones.Len() {
		z := zones.ByIndex(i)
		x, y := f.metres(z.Label)
		if math.Abs(x) > half*0.8 || math.Abs(y) > half*0.8 {
			continue
		}
		n := 1
		if z.PopulationKnown {
			n = 1 + int(math.Sqrt(float64(z.Population))/20)
		}
		for range n {
			f.towns = append(f.towns, i)
		}
	}
	return f
}

func (f *field) point(x, y float64) geo.Point {
	lat := float64(f.middle.Lat) + y/metresPerDegree
	return geo.Point{Lat: geo.Degrees(lat), Lon: f.middle.Lon + geo.Degrees(x/(metresPerDegree*math.Cos(lat*degree)))}
}

func (f *field) metres(p geo.Point) (x, y float64) {
	return float64(p.Lon-f.middle.Lon) * metresPerDegree * math.Cos(float64(p.Lat)*degree), float64(p.Lat-f.middle.Lat) * metresPerDegree
}

// spot is where an object is at a second of its flight: metres east, north, up.
type spot struct{ x, y, z float64 }

// flown is one whole flight, a spot a second. Of what falls or glides only the end counts.
type flown struct {
	class class.Class
	style string
	path  []spot
	ends  bool // reaches what lies under its last spot alone
}

// someone flies: a class by share, a style by chance.
func (f *field) flight(c class.Class) flown {
	switch c {
	case class.BallisticMissile, class.Rocket:
		return f.falls(c)
	case class.GlideBomb:
		return f.glides()
	}
	speed := map[class.Class][2]float64{class.Drone: {38, 60}, class.CruiseMissile: {190, 280}, class.Aircraft: {120, 240}}[c]
	v := speed[0] + (speed[1]-speed[0])*f.rng.Float64()
	high := 100 + 600*f.rng.Float64()
	switch k := f.rng.Float64(); {
	case k < 0.5:
		return f.route(c, "route", v, high, 1+f.rng.IntN(4))
	case k < 0.7:
		return f.route(c, "straight", v, high, 0)
	case k < 0.85:
		return f.wanders(c, v, high)
	default:
		return f.loops(c, v, high)
	}
}

// edge is a place on a side of the field.
func (f *field) edge() (x, y float64) {
	along := (2*f.rng.Float64() - 1) * f.half
	switch f.rng.IntN(4) {
	case 0:
		return -f.half, along
	case 1:
		return f.half, along
	case 2:
		return along, -f.half
	default:
		return along, f.half
	}
}

// town is a place that somebody would send something to.
func (f *field) town() (x, y float64) {
	x, y = f.metres(f.zones.ByIndex(f.towns[f.rng.IntN(len(f.towns))]).Label)
	return x + 1500*f.rng.NormFloat64(), y + 1500*f.rng.NormFloat64()
}

// route flies by way-points beside the straight line to a town, and ends there.
func (f *field) route(c class.Class, style string, v, high float64, points int) flown {
	x, y := f.edge()
	tx, ty := f.town()
	var way []spot
	for i := range points {
		s := (float64(i) + 0.3 + 0.6*f.rng.Float64()) / float64(points+1)
		off := 0.18 * math.Hypot(tx-x, ty-y) * f.rng.NormFloat64()
		d := math.Max(math.Hypot(tx-x, ty-y), 1)
		way = append(way, spot{x + (tx-x)*s - (ty-y)/d*off, y + (ty-y)*s + (tx-x)/d*off, high})
	}
	way = append(way, spot{tx, ty, high})
	p := pilot{x: x, y: y, v: v, rate: turning(c)}
	p.course = math.Atan2(way[0].x-x, way[0].y-y)
	for _, w := range way {
		p.to(w.x, w.y, high)
	}
	return flown{class: c, style: style, path: p.path}
}

// wanders turns by chance and ends by chance.
func (f *field) wanders(c class.Class, v, high float64) flown {
	x, y := f.edge()
	p := pilot{x: x, y: y, v: v, rate: turning(c), course: math.Atan2(-x, -y) + 0.4*f.rng.NormFloat64()}
	ends := int(600 + 1500*f.rng.Float64())
	held := p.course
	for len(p.path) < ends {
		leg := int(60 + 300*f.rng.ExpFloat64())
		for range min(leg, ends-len(p.path)) {
			p.step(held, high)
		}
		held = p.course + 0.7*f.rng.NormFloat64()
	}
	return flown{class: c, style: "wanders", path: p.path}
}

// loops flies to a town, circles on its way once or twice, or turns back.
func (f *field) loops(c class.Class, v, high float64) flown {
	x, y := f.edge()
	tx, ty := f.town()
	p := pilot{x: x, y: y, v: v, rate: turning(c), course: math.Atan2(tx-x, ty-y)}
	at := 0.2 + 0.6*f.rng.Float64()
	p.to(x+(tx-x)*at, y+(ty-y)*at, high)
	if f.rng.Float64() < 0.3 {
		p.to(x+(tx-x)*0.2*f.rng.Float64()+5000*f.rng.NormFloat64(), y+(ty-y)*0.2*f.rng.Float64(), high)
		return flown{class: c, style: "back", path: p.path}
	}
	circle := v / (1500 + 2500*f.rng.Float64()) // radians a second
	for turned := 0.0; turned < 2*math.Pi*(0.7+f.rng.Float64()); turned += circle {
		p.course += circle
		p.step(p.course, high)
	}
	p.to(tx, ty, high)
	return flown{class: c, style: "loop", path: p.path}
}

func turning(c class.Class) float64 {
	return map[class.Class]float64{class.Drone: 6, class.CruiseMissile: 3, class.Aircraft: 2}[c] * degree
}

// pilot keeps where it is and how it came there.
type pilot struct {
	x, y, v, course, rate float64
	path                  []spot
}

func (p *pilot) step(want, high float64) {
	p.course += min(max(math.Remainder(want-p.course, 2*math.Pi), -p.rate), p.rate)
	p.x += p.v * math.Sin(p.course)
	p.y += p.v * math.Cos(p.course)
	p.path = append(p.path, spot{p.x, p.y, high})
}

func (p *pilot) to(x, y, high float64) {
	wide := math.Max(p.v, 1.5*p.v/p.rate)
	for range 20000 {
		left := math.Hypot(x-p.x, y-p.y)
		if left <= p.v || left <= wide && math.Abs(math.Remainder(math.Atan2(x-p.x, y-p.y)-p.course, 2*math.Pi)) > 1 {
			return
		}
		p.step(math.Atan2(x-p.x, y-p.y), high)
	}
}

// falls comes from beyond the field through an exponential air of another scale height.
func (f *field) falls(c class.Class) flown {
	tx, ty := f.town()
	from, low, high := 30e3+60e3*f.rng.Float64(), 5e-5, 3e-4
	if c == class.BallisticMissile {
		from, low, high = 120e3+250e3*f.rng.Float64(), 2e-5, 1.5e-4
	}
	course := 2 * math.Pi * f.rng.Float64()
	drag := low * math.Exp(f.rng.Float64()*math.Log(high/low))
	if f.rng.Float64() < 0.3 { // another's simulation may know no air
		drag = 0
	}
	sin, cos := math.Sincos(course)
	up := (38 + 17*f.rng.Float64()) * degree
	speed := math.Sqrt(from * gravity / math.Sin(2*up))
	p := [3]float64{}
	v := [3]float64{speed * math.Cos(up) * sin, speed * math.Cos(up) * cos, speed * math.Sin(up)}
	out := flown{class: c, style: "falls", ends: true}
	const dt = 0.1
	for i := 0; p[2] >= 0; i++ {
		if i%10 == 0 {
			out.path = append(out.path, spot{p[0], p[1], p[2]})
		}
		w := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
		k := 1.2 * math.Exp(-p[2]/7600) * drag * w / 2
		for j := range 3 {
			p[j] += v[j] * dt
			v[j] -= k * v[j] * dt
		}
		v[2] -= gravity * dt
	}
	out.path = append(out.path, spot{p[0], p[1], 0})
	dx, dy := tx-p[0], ty-p[1] // it was aimed well
	for i := range out.path {
		out.path[i].x += dx
		out.path[i].y += dy
	}
	return out
}

// glides from 8 to 12 km down to a town, a little faster in thin air, and dives at the end.
func (f *field) glides() flown {
	tx, ty := f.town()
	course := 2 * math.Pi * f.rng.Float64()
	from := 35e3 + 25e3*f.rng.Float64()
	high := 8e3 + 4e3*f.rng.Float64()
	bend := 0.15 * f.rng.NormFloat64() // it is let go beside the line
	p := pilot{x: tx - from*math.Sin(course+bend), y: ty - from*math.Cos(course+bend), rate: 3 * degree, course: course}
	out := flown{class: class.GlideBomb, style: "glides", ends: true}
	for z := high; z > 0; {
		left := math.Hypot(tx-p.x, ty-p.y)
		p.v = 190 + 5*z/1000
		if left < 2*p.v {
			break
		}
		down := p.v * z / math.Max(left, 1)
		z -= down
		p.step(math.Atan2(tx-p.x, ty-p.y), z)
	}
	out.path = append(p.path, spot{tx, ty, 0})
	return out
}

// track is what a picture would believe of the flight after so many seconds.
func (f *field) track(fl *flown, at int) track.Track {
	sp, sv := 80.0, 3.0
	a, b := fl.path[at], fl.path[at+1]
	g := f.rng.NormFloat64
	p := geo.Position{Point: f.point(a.x+sp*g(), a.y+sp*g()), Height: geo.Metres(a.z + sp*g())}
	tr := track.Track{ID: "t1", Revision: at, At: noon, SeenAt: noon, Status: track.Confirmed, Class: class.Of(fl.class), Existence: 1, Updates: 10,
		Sources: []track.Contribution{{Source: "a", Kind: "asterix"}}}
	tr.Modes.Steady = 1
	if fl.style == "falls" {
		tr.Modes = track.Modes{Ballistic: 1}
	}
	if at > 3 {
		c := fl.path[at-3]
		before, now := math.Atan2(a.x-c.x, a.y-c.y), math.Atan2(b.x-a.x, b.y-a.y)
		if math.Abs(math.Remainder(now-before, 2*math.Pi)) > 3*degree && !fl.ends {
			tr.Modes = track.Modes{Steady: 0.2, Manoeuvre: 0.8}
		}
	}
	tr.State.Position = p.ECEF()
	tr.State.Velocity = geo.NewENU(p).FromVelocity([3]float64{b.x - a.x + sv*g(), b.y - a.y + sv*g(), b.z - a.z + sv*g()})
	for i := range 3 {
		tr.State.Covariance[i][i], tr.State.Covariance[i+3][i+3] = sp*sp, sv*sv
	}
	return tr
}

// reached is per zone index the seconds after at when it is reached first.
func (f *field) reached(fl *flown, at int) map[int]float64 {
	out := map[int]float64{}
	radius := math.Max(Beside, defaults[fl.class].Radius)
	enter := func(s spot, after float64) {
		f.zones.InCircle(geo.Circle{Centre: f.point(s.x, s.y), Radius: geo.Metres(radius)}, func(i int) {
			if _, was := out[i]; !was {
				out[i] = after
			}
		})
	}
	if fl.ends {
		enter(fl.path[len(fl.path)-1], float64(len(fl.path)-1-at))
		return out
	}
	far := 0.0
	for k := at; k < len(fl.path); k++ {
		if far -= 1; k > at && k+1 < len(fl.path) && far > 0 {
			continue
		}
		enter(fl.path[k], float64(k-at))
		far = 100 / math.Max(math.Hypot(fl.path[k].x-fl.path[max(k-1, 0)].x, fl.path[k].y-fl.path[max(k-1, 0)].y), 1)
	}
	return out
}

// near are the zones whose label lies within so many metres of a spot, ascending: the
// region that a raid touches.
func (f *field) near(s spot, within float64) []int {
	var out []int
	for i := range f.zones.Len() {
		x, y := f.metres(f.zones.ByIndex(i).Label)
		if math.Hypot(x-s.x, y-s.y) < within {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}
