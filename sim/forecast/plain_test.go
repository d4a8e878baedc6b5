package forecast

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/zone"
	"tocsin/sim/tracking"
)

// A second generator of raids, as plain as such things commonly are, so that nothing is
// fitted to sim/raid alone: a flat world without air; what flies level goes from point to
// point at constant speed and height and is gone when it is there; what falls flies a
// parabola; what glides comes down along a straight line. One radar without heights over a
// square, or one to three with.

// plainPath is a polyline, or a parabola.
type plainPath struct {
	class  class.Class
	starts float64
	ends   float64
	points [][3]float64 // of a polyline
	times  []float64
	throw  [3]float64 // velocity at points[0] of a parabola
	falls  bool
}

func (p *plainPath) at(t float64) (x [3]float64, ok bool) {
	if t < p.starts || t > p.ends {
		return x, false
	}
	if p.falls {
		d := t - p.starts
		for i := range 3 {
			x[i] = p.points[0][i] + p.throw[i]*d
		}
		x[2] -= 9.81 * d * d / 2
		return x, true
	}
	k := min(max(sortedBefore(p.times, t), 0), len(p.times)-2)
	f := (t - p.times[k]) / (p.times[k+1] - p.times[k])
	for i := range 3 {
		x[i] = p.points[k][i] + f*(p.points[k+1][i]-p.points[k][i])
	}
	return x, true
}

// sortedBefore is the last place whose time is not after t.
func sortedBefore(times []float64, t float64) int {
	n, _ := slices.BinarySearch(times, t)
	if n < len(times) && times[n] == t {
		return n
	}
	return n - 1
}

// plainSensor is one of the file's, and when its first look is.
type plainSensor struct {
	tracking.Sensor
	offset float64
}

// plainRaid is what is drawn.
type plainRaid struct {
	rng     *rand.Rand
	half    float64 // metres, of the square
	lasts   float64
	paths   []plainPath
	sensors []plainSensor
	aim     func() [2]float64
}

func drawPlain(t *testing.T, seed uint64, country string, zones *zone.Set) attack {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0x706c61696e))
	r := plainRaid{rng: rng, lasts: 900}
	focus := zones.ByIndex(rng.IntN(zones.Len())).Label
	names := []string{"drones", "cruise missiles", "ballistic missiles", "rockets", "glide bombs", "mixed"}
	name := names[rng.IntN(len(names))]
	r.half = map[string]float64{"drones": 40e3, "cruise missiles": 100e3, "ballistic missiles": 150e3, "rockets": 60e3, "glide bombs": 80e3, "mixed": 100e3}[name]
	spread := 0.35 * r.half
	if country == "il" {
		spread = min(spread, 20e3)
	}
	r.aim = func() [2]float64 {
		for range 100 {
			x := [2]float64{spread * rng.NormFloat64(), spread * rng.NormFloat64()}
			if onLand(zones, placeOf(focus, x)) {
				return x
			}
		}
		return [2]float64{}
	}
	n := 4 + rng.IntN(12)
	for range n {
		kind := name
		if name == "mixed" {
			kind = names[rng.IntN(5)]
		}
		switch kind {
		case "drones":
			r.level(class.Drone, uniform(rng, 40, 60), uniform(rng, 100, 2000), rng.IntN(3), 0)
		case "cruise missiles":
			r.level(class.CruiseMissile, uniform(rng, 200, 250), uniform(rng, 50, 500), 1+rng.IntN(4), 0)
		case "ballistic missiles":
			r.throw(class.BallisticMissile, uniform(rng, 100e3, 400e3))
		case "rockets":
			r.throw(class.Rocket, uniform(rng, 10e3, 70e3))
		case "glide bombs":
			r.glide()
		}
	}
	r.watchers()
	w := attack{name: name, seed: seed, dir: t.TempDir(), origin: focus, lasts: r.lasts, objects: len(r.paths)}
	w.of = func(i int) (class.Class, bool) { return r.paths[i].class, true }
	w.where = func(i int, at float64) (geo.Point, bool) {
		x, ok := r.paths[i].at(at)
		return placeOf(focus, [2]float64{x[0], x[1]}), ok
	}
	w.passages = r.passages(focus, zones)
	r.write(t, w.dir)
	return w
}

func uniform(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }

func placeOf(origin geo.Point, x [2]float64) geo.Point {
	return geo.Destination(origin, geo.FromRadians(math.Atan2(x[0], x[1])).Normal(), geo.Metres(math.Hypot(x[0], x[1])))
}

func onLand(zones *zone.Set, p geo.Point) (found bool) {
	zones.InBox(geo.Box{South: p.Lat, North: p.Lat, West: p.Lon, East: p.Lon}, func(i int) { found = found || zones.Shape(i).Contains(p) })
	return found
}

// level flies from the edge of the square over some points to an aim.
func (r *plainRaid) level(c class.Class, speed, height float64, turns int, late float64) {
	rng := r.rng
	aim := r.aim()
	from := [2]float64{r.half * math.Copysign(1, rng.Float64()-0.5), uniform(rng, -r.half, r.half)}
	if rng.IntN(2) == 0 {
		from[0], from[1] = from[1], from[0]
	}
	p := plainPath{class: c, starts: uniform(rng, 0, 200)}
	add := func(x, y float64) { p.points = append(p.points, [3]float64{x, y, height}) }
	add(from[0], from[1])
	for k := range turns {
		f := (float64(k) + uniform(rng, 0.5, 1.2)) / float64(turns+1)
		off := 0.12 * r.half
		add(from[0]+f*(aim[0]-from[0])+off*rng.NormFloat64(), from[1]+f*(aim[1]-from[1])+off*rng.NormFloat64())
	}
	add(aim[0], aim[1])
	p.times = []float64{p.starts}
	for k := 1; k < len(p.points); k++ {
		d := math.Hypot(p.points[k][0]-p.points[k-1][0], p.points[k][1]-p.points[k-1][1])
		p.times = append(p.times, p.times[k-1]+math.Max(d, 1)/speed)
	}
	p.ends = min(p.times[len(p.times)-1], r.lasts)
	r.paths = append(r.paths, p)
}

// throw is a parabola from afar to an aim.
func (r *plainRaid) throw(c class.Class, far float64) {
	rng := r.rng
	aim, b, el := r.aim(), uniform(rng, 0, 2*math.Pi), uniform(rng, 38, 55)*math.Pi/180
	speed := math.Sqrt(far * 9.81 / math.Sin(2*el))
	p := plainPath{class: c, falls: true, starts: uniform(rng, 0, 300)}
	p.points = [][3]float64{{aim[0] - far*math.Sin(b), aim[1] - far*math.Cos(b), 0}}
	p.throw = [3]float64{speed * math.Cos(el) * math.Sin(b), speed * math.Cos(el) * math.Cos(b), speed * math.Sin(el)}
	p.ends = p.starts + 2*speed*math.Sin(el)/9.81
	r.paths = append(r.paths, p)
}

// glide comes down from some 10 km to an aim, straight.
func (r *plainRaid) glide() {
	rng := r.rng
	aim, b, far, speed := r.aim(), uniform(rng, 0, 2*math.Pi), uniform(rng, 40e3, 70e3), uniform(rng, 200, 280)
	p := plainPath{class: class.GlideBomb, starts: uniform(rng, 0, 400)}
	p.points = [][3]float64{{aim[0] - far*math.Sin(b), aim[1] - far*math.Cos(b), uniform(rng, 8e3, 12e3)}, {aim[0], aim[1], 0}}
	p.ends = p.starts + far/speed
	p.times = []float64{p.starts, p.ends}
	r.paths = append(r.paths, p)
}

// watchers are one radar without heights over the square, where nothing falls, or radars.
func (r *plainRaid) watchers() {
	rng := r.rng
	high := slices.ContainsFunc(r.paths, func(p plainPath) bool { return p.falls || p.class == class.GlideBomb })
	if !high && rng.IntN(2) == 0 {
		sigma := uniform(rng, 40, 120)
		r.sensors = []plainSensor{{Sensor: tracking.Sensor{
			Name: "P", Kind: "pos2d", Period: float64(1 + rng.IntN(4)), Pd: 0.9, Sigma: []float64{sigma, sigma}, Clutter: uniform(rng, 2, 30),
		}}}
		return
	}
	for k := range 1 + rng.IntN(3) {
		reach, least := uniform(rng, 0.8, 1.4)*r.half, uniform(rng, 0, 0.5)
		r.sensors = append(r.sensors, plainSensor{Sensor: tracking.Sensor{
			Name: fmt.Sprintf("R%d", k+1), Kind: "rae", Period: float64(1 + rng.IntN(8)), Pd: uniform(rng, 0.85, 0.95),
			Sigma: []float64{uniform(rng, 30, 100), uniform(rng, 0.1, 0.3), uniform(rng, 0.2, 0.7)}, Clutter: uniform(rng, 1, 10),
			Pos: [3]float64{uniform(rng, -0.4, 0.4) * r.half, uniform(rng, -0.4, 0.4) * r.half, 0}, RMax: &reach, MinEl: &least,
		}, offset: rng.Float64()})
	}
}

// passages is over what a path passes, or where it comes down.
func (r *plainRaid) passages(focus geo.Point, zones *zone.Set) (all []passage) {
	for i := range r.paths {
		p := &r.paths[i]
		if p.falls || p.class == class.GlideBomb {
			x, _ := p.at(p.ends)
			end := placeOf(focus, [2]float64{x[0], x[1]})
			zones.InBox(geo.Box{South: end.Lat, North: end.Lat, West: end.Lon, East: end.Lon}, func(z int) {
				if zones.Shape(z).Contains(end) {
					all = append(all, passage{i, z, p.ends, p.ends})
				}
			})
			continue
		}
		open := map[int]int{}
		for t := p.starts; t <= p.ends; t++ {
			x, _ := p.at(t)
			here := placeOf(focus, [2]float64{x[0], x[1]})
			zones.InBox(geo.Box{South: here.Lat, North: here.Lat, West: here.Lon, East: here.Lon}, func(z int) {
				if !zones.Shape(z).Contains(here) {
					return
				}
				if k, ok := open[z]; ok && t-all[k].leave < 120 {
					all[k].leave = t
					return
				}
				open[z] = len(all)
				all = append(all, passage{i, z, t, t})
			})
		}
	}
	slices.SortFunc(all, func(a, b passage) int {
		return cmp.Or(cmp.Compare(a.enter, b.enter), cmp.Compare(a.object, b.object), cmp.Compare(a.zone, b.zone))
	})
	return all
}

func (r *plainRaid) write(t *testing.T, dir string) {
	t.Helper()
	head, err := json.Marshal(map[string]any{
		"name": "plain", "area": [2][2]float64{{-r.half, r.half}, {-r.half, r.half}}, "gospa": map[string]float64{"c": 1000, "p": 2, "alpha": 2}, "sensors": r.sensors,
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("det,scan,t,t_recv,sensor,kind,m1,m2,m3\n")
	type look struct {
		at     float64
		sensor int
	}
	var looks []look
	for k, s := range r.sensors {
		for at := s.offset; at < r.lasts; at += s.Period {
			looks = append(looks, look{at, k})
		}
	}
	slices.SortFunc(looks, func(a, b look) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.sensor, b.sensor)) })
	n := 0
	for scan, l := range looks {
		for _, m := range r.look(&r.sensors[l.sensor], l.at) {
			s := &r.sensors[l.sensor]
			fmt.Fprintf(&b, "%d,%d,%.3f,%.3f,%s,%s,%.2f,%.4f,", n, scan, l.at, l.at, s.Name, s.Kind, m[0], m[1])
			if s.Kind == "rae" {
				fmt.Fprintf(&b, "%.4f", m[2])
			}
			b.WriteByte('\n')
			n++
		}
	}
	for name, text := range map[string][]byte{"scenario.json": head, "detections.csv": []byte(b.String())} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// look is what a sensor measures in one look.
func (r *plainRaid) look(s *plainSensor, at float64) (out [][3]float64) {
	rng := r.rng
	for i := range r.paths {
		x, ok := r.paths[i].at(at)
		if !ok || rng.Float64() > s.Pd {
			continue
		}
		if s.Kind == "pos2d" {
			if math.Max(math.Abs(x[0]), math.Abs(x[1])) <= r.half {
				out = append(out, [3]float64{x[0] + s.Sigma[0]*rng.NormFloat64(), x[1] + s.Sigma[1]*rng.NormFloat64()})
			}
			continue
		}
		e, n, u := x[0]-s.Pos[0], x[1]-s.Pos[1], x[2]-s.Pos[2]
		far := math.Sqrt(e*e + n*n + u*u)
		el := math.Asin(u/far) * 180 / math.Pi
		if far > *s.RMax || el < *s.MinEl {
			continue
		}
		az := math.Mod(math.Atan2(e, n)*180/math.Pi+s.Sigma[1]*rng.NormFloat64()+720, 360)
		out = append(out, [3]float64{far + s.Sigma[0]*rng.NormFloat64(), az, el + s.Sigma[2]*rng.NormFloat64()})
	}
	mean := s.Clutter
	for limit, product := math.Exp(-mean), rng.Float64(); product > limit; product *= rng.Float64() {
		if s.Kind == "pos2d" {
			out = append(out, [3]float64{uniform(rng, -r.half, r.half), uniform(rng, -r.half, r.half)})
			continue
		}
		out = append(out, [3]float64{*s.RMax * math.Sqrt(rng.Float64()), 360 * rng.Float64(), uniform(rng, *s.MinEl, 20)})
	}
	return out
}
