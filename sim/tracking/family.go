package tracking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
)

// World is a scenario in memory: what the sensors said, and what was really there.
type World struct {
	Scenario   Scenario
	Detections []Detection // in the order in which they arrived
	truth      map[int64][]place
}

// Families are the scenarios that Make knows, by name. Those that end in a number of
// objects are of the families of the shared scenarios; the others stand where those are silent.
var Families = []string{
	"a_crossing_10", "a_crossing_50", "a_crossing_100", "b_cruise_10", "b_cruise_50", "c_ballistic_5", "c_ballistic_20",
	"d_clutter_20", "e_two_radars_20", "e_two_radars_biased_20", "late_two_radars", "same_speed", "launch", "reentry", "crowd_1000", "crowd_10000",
}

// maker builds one world.
type maker struct {
	g      *rand.Rand
	w      *World
	length float64 // seconds
	crafts []craft
}

// craft is one object: where it is at a time, and from when till when.
type craft struct {
	from, till float64
	at         func(t float64) [3]float64
}

// Make builds a world of a family from a seed: the same seed, the same world.
func Make(family string, seed uint64) (*World, error) {
	m := &maker{g: rand.New(rand.NewPCG(seed, 0x70C51)), w: &World{truth: map[int64][]place{}}, length: 300}
	s := &m.w.Scenario
	s.Name, s.GOSPA.P, s.GOSPA.Alpha = family, 2, 2
	plane := func(half, c, pd, sigma, clutter float64) {
		s.Area, s.GOSPA.C = [2][2]float64{{-half, half}, {-half, half}}, c
		s.Sensors = []Sensor{{Name: "P", Kind: pos2d, Period: 2, Pd: pd, Sigma: []float64{sigma, sigma}, Clutter: clutter}}
	}
	var n int
	switch {
	case scans(family, "a_crossing_%d", &n):
		plane(20e3, 500, 0.9, 50, 20)
		m.drones(n, 5e3)
	case scans(family, "b_cruise_%d", &n):
		plane(75e3, 1000, 0.9, 100, 20)
		m.cruise(n, 67.3e3)
	case scans(family, "c_ballistic_%d", &n):
		m.length = 180
		s.Area, s.GOSPA.C = [2][2]float64{{-75e3, 75e3}, {-75e3, 75e3}}, 2000
		s.Sensors = []Sensor{radarAt("R1", 0, 1, 0.9, 50, 0.3, 0.3, 5, 150e3, 0.5)}
		m.arcs(n)
	case scans(family, "d_clutter_%d", &n):
		plane(20e3, 500, 0.8, 50, 200)
		m.drones(n, 5e3)
	case family == "same_speed":
		plane(20e3, 500, 0.9, 50, 20)
		m.pairs(10)
	case family == "launch":
		m.length = 240
		s.Area, s.GOSPA.C = [2][2]float64{{-75e3, 75e3}, {-75e3, 75e3}}, 1000
		s.Sensors = []Sensor{radarAt("R1", 0, 2, 0.9, 50, 0.2, 0.3, 5, 150e3, 0.2)}
		m.launches(8)
	case family == "reentry":
		m.length = 240
		s.Area, s.GOSPA.C = [2][2]float64{{-150e3, 150e3}, {-150e3, 150e3}}, 1000
		s.Sensors = []Sensor{radarAt("R1", 0, 2, 0.9, 50, 0.2, 0.3, 5, 150e3, 0.2)}
		m.reentries(10)
	case scans(family, "crowd_%d", &n):
		m.length = 60
		plane(200e3, 500, 0.9, 50, float64(n)/5)
		m.crowd(n, 190e3)
	case scans(family, "e_two_radars_%d", &n), scans(family, "e_two_radars_biased_%d", &n), family == "late_two_radars":
		m.twoRadars(family == "late_two_radars", len(family) > len("e_two_radars_20") && family[0] == 'e', max(n, 20))
	default:
		return nil, fmt.Errorf("tracking: no family %q", family)
	}
	m.look()
	return m.w, nil
}

func scans(s, format string, n *int) bool {
	k, err := fmt.Sscanf(s, format, n)
	return err == nil && k == 1 && s == fmt.Sprintf(format, *n) && *n > 0 && *n <= 100_000
}

func radarAt(name string, east, period, pd, r, az, el, clutter, rmax, minEl float64) Sensor {
	return Sensor{Name: name, Kind: rae, Period: period, Pd: pd, Sigma: []float64{r, az, el}, Clutter: clutter,
		Pos: [3]float64{east, 0, 0}, RMax: &rmax, MinEl: &minEl}
}

func (m *maker) twoRadars(late, biased bool, n int) {
	s := &m.w.Scenario
	s.Area, s.GOSPA.C = [2][2]float64{{-75e3, 75e3}, {-75e3, 75e3}}, 1000
	a, b := radarAt("R1", -25e3, 4, 0.9, 50, 0.2, 0.5, 5, 40e3, 0), radarAt("R2", 25e3, 5, 0.85, 80, 0.3, 0.7, 8, 40e3, 0)
	b.offset = 1.7
	if biased {
		b.Clock, b.bias, b.latency = 0.3, [2]float64{150, 0.4}, [2]float64{0.2, 3}
	}
	if late {
		b.latency = [2]float64{0.2, 28}
	}
	s.Sensors = []Sensor{a, b}
	m.drones(n*3/5, 5e3)
	m.cruise(n-n*3/5, 40.2e3)
}

func (m *maker) between(a, b float64) float64 { return a + (b-a)*m.g.Float64() }

func line(p, v [3]float64, from float64) func(float64) [3]float64 {
	return func(t float64) [3]float64 {
		return [3]float64{p[0] + v[0]*(t-from), p[1] + v[1]*(t-from), p[2] + v[2]*(t-from)}
	}
}

// drones fly straight in two streams that cross near the middle.
func (m *maker) drones(n int, spread float64) {
	for range n {
		heading := m.g.NormFloat64() * 2.5 * math.Pi / 180
		if m.g.IntN(2) == 0 {
			heading += math.Pi / 2
		}
		speed := 50 + 3*m.g.NormFloat64()
		p := [3]float64{spread * m.g.NormFloat64(), spread * m.g.NormFloat64(), m.between(100, 1500)}
		v := [3]float64{speed * math.Cos(heading), speed * math.Sin(heading), 0}
		m.crafts = append(m.crafts, craft{m.between(0, 40), m.length, line(p, v, 150)})
	}
}

// pairs fly side by side at one speed, and cross at a small angle.
func (m *maker) pairs(n int) {
	for i := range n {
		speed, heading := 50+3*m.g.NormFloat64(), 2*math.Pi*m.g.Float64()
		p := [3]float64{5e3 * m.g.NormFloat64(), 5e3 * m.g.NormFloat64(), 500}
		from := m.between(0, 20)
		for side := range 2 {
			h := heading + float64(side)*(0.08+0.01*float64(i))
			m.crafts = append(m.crafts, craft{from, m.length, line(p, [3]float64{speed * math.Cos(h), speed * math.Sin(h), 0}, 150)})
		}
	}
}

// crowd fills the area with what flies straight at all speeds.
func (m *maker) crowd(n int, half float64) {
	for range n {
		speed, heading := m.between(30, 250), 2*math.Pi*m.g.Float64()
		p := [3]float64{m.between(-half, half), m.between(-half, half), 1000}
		m.crafts = append(m.crafts, craft{0, m.length, line(p, [3]float64{speed * math.Cos(heading), speed * math.Sin(heading), 0}, 30)})
	}
}

// leg is a stretch flown at one rate of turn.
type leg struct {
	from, rate, heading float64
	p                   [3]float64
}

func (l *leg) at(t, speed float64) (p [3]float64, heading float64) {
	dt := t - l.from
	p, heading = l.p, l.heading+l.rate*dt
	if math.Abs(l.rate) < 1e-9 {
		p[0] += speed * dt * math.Cos(l.heading)
		p[1] += speed * dt * math.Sin(l.heading)
		return p, heading
	}
	p[0] += speed / l.rate * (math.Sin(heading) - math.Sin(l.heading))
	p[1] -= speed / l.rate * (math.Cos(heading) - math.Cos(l.heading))
	return p, heading
}

// cruise missiles come from a ring towards the middle and turn now and then.
func (m *maker) cruise(n int, ring float64) {
	for range n {
		a, speed, from := 2*math.Pi*m.g.Float64(), 240+10*m.g.NormFloat64(), m.between(0, 32)
		l := leg{from: from, heading: a + math.Pi + 0.35*m.g.NormFloat64(),
			p: [3]float64{ring * math.Cos(a), ring * math.Sin(a), m.between(60, 250)}}
		legs := []leg{l}
		for turning := false; l.from < m.length; turning = !turning {
			lasts, rate := m.between(30, 80), 0.0
			if len(legs) > 1 && turning {
				lasts, rate = m.between(10, 30), m.between(1, 3)*math.Pi/180
				if m.g.IntN(2) == 0 {
					rate = -rate
				}
			}
			legs[len(legs)-1].rate = rate
			p, h := legs[len(legs)-1].at(l.from+lasts, speed)
			l = leg{from: l.from + lasts, heading: h, p: p}
			legs = append(legs, l)
		}
		m.crafts = append(m.crafts, craft{from, m.length, func(t float64) [3]float64 {
			k := sort.Search(len(legs), func(i int) bool { return legs[i].from > t }) - 1
			p, _ := legs[max(k, 0)].at(t, speed)
			return p
		}})
	}
}

// arcs fall freely from their launch to the ground.
func (m *maker) arcs(n int) {
	for range n {
		a, r := 0.5*m.g.NormFloat64(), m.between(50e3, 105e3)
		start := [2]float64{r * math.Cos(a), r * math.Sin(a)}
		aim := [2]float64{10e3 * m.g.NormFloat64(), 8e3 * m.g.NormFloat64()}
		climb := m.between(540, 730)
		flight := 2 * climb / 9.81
		from := m.between(0, 40)
		m.crafts = append(m.crafts, craft{from, from + flight, func(t float64) [3]float64 {
			dt := t - from
			return [3]float64{start[0] + (aim[0]-start[0])*dt/flight, start[1] + (aim[1]-start[1])*dt/flight, climb*dt - 9.81/2*dt*dt}
		}})
	}
}

// launches fly under power for half a minute, then fall freely; others cruise among them.
func (m *maker) launches(n int) {
	m.cruise(n, 60e3)
	for range n {
		a, push, burn := 2*math.Pi*m.g.Float64(), m.between(28, 40), m.between(22, 32)
		up := m.between(50, 60) * math.Pi / 180
		p := [3]float64{60e3 * math.Cos(a), 60e3 * math.Sin(a), 200}
		out := [3]float64{-math.Cos(a) * math.Cos(up), -math.Sin(a) * math.Cos(up), math.Sin(up)}
		from := m.between(20, 60)
		at := func(t float64) [3]float64 {
			dt := t - from
			powered := math.Min(dt, burn)
			free := math.Max(dt-burn, 0)
			var q [3]float64
			for k := range 3 {
				acc := push * out[k]
				q[k] = p[k] + acc*powered*powered/2 + acc*burn*free
			}
			q[2] -= 9.81 / 2 * free * free
			return q
		}
		till := from + burn
		for till < m.length && at(till)[2] > 0 {
			till += 0.5
		}
		m.crafts = append(m.crafts, craft{from, till, at})
	}
}

// reentries fall from high above through the air, which brakes each according to its shape.
func (m *maker) reentries(n int) {
	const step = 0.05
	for range n {
		a, r := 2*math.Pi*m.g.Float64(), m.between(90e3, 130e3)
		climb, flat, shape := m.between(500, 900), m.between(500, 800), m.between(4e3, 12e3)
		p := [3]float64{r * math.Cos(a), r * math.Sin(a), 15e3}
		toward := a + math.Pi + 0.2*m.g.NormFloat64()
		v := [3]float64{flat * math.Cos(toward), flat * math.Sin(toward), climb}
		from := m.between(0, 40)
		var at [][3]float64
		for t := 0.0; t < m.length && p[2] > 0; t += step {
			at = append(at, p)
			brake := 1.225 * math.Exp(-p[2]/8500) * math.Sqrt(v[0]*v[0]+v[1]*v[1]+v[2]*v[2]) / (2 * shape)
			for k := range 3 {
				p[k] += v[k] * step
				v[k] -= brake * v[k] * step
			}
			v[2] -= 9.81 * step
		}
		m.crafts = append(m.crafts, craft{from, from + float64(len(at)-1)*step, func(t float64) [3]float64 {
			return at[min(max(int(math.Round((t-from)/step)), 0), len(at)-1)]
		}})
	}
}

// look lets every sensor look at its times.
func (m *maker) look() {
	s := &m.w.Scenario
	type scan struct {
		at     float64
		sensor *Sensor
	}
	var scans []scan
	for i := range s.Sensors {
		r := &s.Sensors[i]
		for k := 0; r.offset+float64(k)*r.Period <= m.length+1e-9; k++ {
			scans = append(scans, scan{r.offset + float64(k)*r.Period, r})
		}
	}
	sort.SliceStable(scans, func(i, j int) bool { return scans[i].at < scans[j].at })
	for k, sc := range scans {
		late := sc.sensor.latency[0] + (sc.sensor.latency[1]-sc.sensor.latency[0])*m.g.Float64()
		from := len(m.w.Detections)
		add := func(v [3]float64) {
			m.w.Detections = append(m.w.Detections, Detection{Scan: k, At: sc.at + sc.sensor.Clock, Arrived: sc.at + late, Sensor: sc.sensor.Name, Kind: sc.sensor.Kind, M: v})
		}
		var here []place
		for id, f := range m.crafts {
			if sc.at < f.from || sc.at > f.till {
				continue
			}
			p := f.at(sc.at)
			here = append(here, place{id: strconv.Itoa(id), at: p})
			if v, ok := m.measure(sc.sensor, p); ok {
				add(v)
			}
		}
		m.w.truth[stamp(sc.at)] = here
		for range m.poisson(sc.sensor.Clutter) {
			add(m.clutter(sc.sensor))
		}
		got := m.w.Detections[from:]
		m.g.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	}
	slices.SortStableFunc(m.w.Detections, func(a, b Detection) int {
		switch {
		case a.Arrived < b.Arrived:
			return -1
		case a.Arrived > b.Arrived:
			return 1
		}
		return 0
	})
}

func (m *maker) measure(r *Sensor, p [3]float64) (v [3]float64, ok bool) {
	d := [3]float64{p[0] - r.Pos[0], p[1] - r.Pos[1], p[2] - r.Pos[2]}
	n := m.g.NormFloat64
	if r.Kind == pos2d {
		a := m.w.Scenario.Area
		inside := p[0] > a[0][0] && p[0] < a[0][1] && p[1] > a[1][0] && p[1] < a[1][1]
		return [3]float64{p[0] + r.Sigma[0]*n(), p[1] + r.Sigma[1]*n()}, inside && m.g.Float64() < r.Pd
	}
	rng := math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2])
	az, el := math.Atan2(d[0], d[1])*180/math.Pi, math.Asin(d[2]/rng)*180/math.Pi
	if rng > *r.RMax || el < *r.MinEl || m.g.Float64() >= r.Pd {
		return v, false
	}
	v = [3]float64{rng + r.bias[0] + r.Sigma[0]*n(), math.Mod(az+r.bias[1]+r.Sigma[1]*n()+360, 360), el + r.Sigma[2]*n()}
	return v, v[0] > 0
}

func (m *maker) clutter(r *Sensor) [3]float64 {
	if r.Kind == pos2d {
		a := m.w.Scenario.Area
		return [3]float64{m.between(a[0][0], a[0][1]), m.between(a[1][0], a[1][1])}
	}
	return [3]float64{m.between(1000, *r.RMax), m.between(0, 360), m.between(*r.MinEl, 20)}
}

// poisson draws by halves for large means, so that the exponential does not vanish.
func (m *maker) poisson(mean float64) int {
	n := 0
	for ; mean > 30; mean -= 30 {
		n += m.poisson(30)
	}
	for p := m.g.Float64(); p > math.Exp(-mean); p *= m.g.Float64() {
		n++
	}
	return n
}
