package tracking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"tocsin/core/observation"
	"tocsin/core/track/registration"
)

// wrong is what is wrong with a sensor of a made scenario: metres, degrees, degrees, seconds.
type wrong struct{ rng, az, el, clock float64 }

// made is a scenario made in memory from a seed.
type made struct {
	scenario   Scenario
	detections []Detection
	truth      map[int64][]place
	extra      []observation.Source
	spoken     []spoken // what sources say that are not in detections
}

// spoken is an observation and the scenario time at which it arrives.
type spoken struct {
	arrived float64
	o       observation.Observation
}

// flyer is one made object: it flies from a place with a velocity, and turns.
type flyer struct {
	from  float64
	at, v [3]float64
	turns []turn
}

// turn is a rate of turn, radians a second, from a time on.
type turn struct{ from, rate float64 }

// path is the places of a flyer every tenth of a second.
type path struct {
	from float64
	at   [][3]float64
	v    [][3]float64
}

const pathStep = 0.1

func (f flyer) fly(till float64) path {
	p := path{from: f.from}
	at, v := f.at, f.v
	for t := f.from; t <= till+pathStep; t += pathStep {
		p.at, p.v = append(p.at, at), append(p.v, v)
		rate := 0.0
		for _, u := range f.turns {
			if t >= u.from {
				rate = u.rate
			}
		}
		s, c := math.Sincos(rate * pathStep)
		v[0], v[1] = v[0]*c-v[1]*s, v[0]*s+v[1]*c
		for i := range at {
			at[i] += v[i] * pathStep
		}
	}
	return p
}

// when is the place at a time; false before it flies.
func (p *path) when(t float64) ([3]float64, bool) {
	if t < p.from {
		return [3]float64{}, false
	}
	i := min(int((t-p.from)/pathStep), len(p.at)-1)
	dt := t - p.from - float64(i)*pathStep
	at := p.at[i]
	for k := range at {
		at[k] += p.v[i][k] * dt
	}
	return at, true
}

// raid is thirteen drones in the middle and seven weaving cruise missiles, as in the
// scenario e_two_radars_20.
func raid(g *rand.Rand, till float64) []path {
	var out []path
	u := func(lo, hi float64) float64 { return lo + (hi-lo)*g.Float64() }
	for i := range 20 {
		f := flyer{from: u(0, 40)}
		course := u(0, 2*math.Pi)
		speed := u(46, 54)
		f.at = [3]float64{u(-12e3, 12e3), u(-11e3, 11e3), u(500, 1500)}
		if i >= 13 {
			speed = u(220, 255)
			f.at = [3]float64{-40e3 * math.Sin(course), -40e3 * math.Cos(course), u(100, 300)}
			for t := f.from + u(10, 40); t < till; t += u(20, 60) {
				f.turns = append(f.turns, turn{t, u(-0.06, 0.06)}, turn{t + u(5, 15), 0})
			}
		}
		f.v = [3]float64{speed * math.Sin(course), speed * math.Cos(course), 0}
		out = append(out, f.fly(till))
	}
	return out
}

// pairOfRadars is the family of e_two_radars: the same two radars, other raids, other biases.
func pairOfRadars(seed uint64, off [2]wrong) made {
	g := rand.New(rand.NewPCG(seed, 77))
	const lasts = 300.0
	rmax, low := 40e3, 0.0
	m := made{truth: map[int64][]place{}}
	m.scenario.Name = fmt.Sprintf("pair_%d", seed)
	m.scenario.Area = [2][2]float64{{-75e3, 75e3}, {-75e3, 75e3}}
	m.scenario.GOSPA.C, m.scenario.GOSPA.P, m.scenario.GOSPA.Alpha = 1000, 2, 2
	m.scenario.Sensors = []Sensor{
		{Name: "R1", Kind: rae, Period: 4, Pd: 0.9, Sigma: []float64{50, 0.2, 0.5}, Clutter: 5, Pos: [3]float64{-25e3, 0, 0}, RMax: &rmax, MinEl: &low, Clock: off[0].clock},
		{Name: "R2", Kind: rae, Period: 5, Pd: 0.85, Sigma: []float64{80, 0.3, 0.7}, Clutter: 8, Pos: [3]float64{25e3, 0, 0}, RMax: &rmax, MinEl: &low, Clock: off[1].clock},
	}
	starts := []float64{0, 1.7}
	paths := raid(g, lasts)
	scanNo := 0
	for k, r := range m.scenario.Sensors {
		for t := starts[k]; t <= lasts; t += r.Period {
			m.scan(g, r, off[k], paths, t, scanNo)
			scanNo++
		}
	}
	sort.SliceStable(m.detections, func(i, j int) bool { return m.detections[i].Arrived < m.detections[j].Arrived })
	return m
}

// scan adds what one radar reports at a true time, and the truth then.
func (m *made) scan(g *rand.Rand, r Sensor, off wrong, paths []path, t float64, number int) {
	arrived := t + 0.2*g.Float64()
	say := func(d [3]float64) {
		rng := math.Sqrt(d[0]*d[0] + d[1]*d[1] + d[2]*d[2])
		el := math.Asin(d[2]/rng)/math.Pi*180 + off.el + r.Sigma[2]*g.NormFloat64()
		az := math.Atan2(d[0], d[1])/math.Pi*180 + off.az + r.Sigma[1]*g.NormFloat64()
		m.detections = append(m.detections, Detection{Scan: number, At: math.Round((t+off.clock)*1000) / 1000, Arrived: arrived, Sensor: r.Name, Kind: rae,
			M: [3]float64{rng + off.rng + r.Sigma[0]*g.NormFloat64(), math.Mod(az+360, 360), el}})
	}
	var seen []place
	for i := range paths {
		at, ok := paths[i].when(t)
		if !ok {
			continue
		}
		d := [3]float64{at[0] - r.Pos[0], at[1] - r.Pos[1], at[2] - r.Pos[2]}
		seen = append(seen, place{id: fmt.Sprint(i), at: at})
		if math.Hypot(d[0], math.Hypot(d[1], d[2])) < *r.RMax && g.Float64() < r.Pd {
			say(d)
		}
	}
	for n := poisson(g, r.Clutter); n > 0; n-- {
		a, far := 2*math.Pi*g.Float64(), *r.RMax*math.Sqrt(g.Float64())
		say([3]float64{far * math.Sin(a), far * math.Cos(a), far * math.Tan(20*math.Pi/180*g.Float64())})
	}
	m.truth[stamp(t)] = seen
}

func poisson(g *rand.Rand, mean float64) int {
	n, p := 0, math.Exp(-mean)
	for sum, u := p, g.Float64(); u > sum && n < 1000; sum += p {
		n++
		p *= mean / float64(n)
	}
	return n
}

// play runs a made scenario and scores it. The player is returned for what it has learned.
func (m made) play(t testing.TB) (Score, *player, time.Duration) {
	t.Helper()
	p := newPlayer(m.scenario)
	p.picture.SetSources(append(Sources(m.scenario), m.extra...))
	found := map[int64][]place{}
	var cost time.Duration
	next := 0
	for i := 0; i < len(m.detections); {
		j := i
		for j < len(m.detections) && m.detections[j].Scan == m.detections[i].Scan {
			j++
		}
		before := processTime()
		for ; next < len(m.spoken) && m.spoken[next].arrived <= m.detections[i].Arrived; next++ {
			p.picture.Observe(moment(m.spoken[next].arrived), m.spoken[next].o)
		}
		if _, err := p.scan(m.detections[i:j]); err != nil {
			t.Fatal(err)
		}
		cost += processTime() - before
		at := m.detections[i].At
		delete(found, stamp(at)) // of two scans stamped alike the later one counts, as in Run
		for _, row := range p.rows(m.detections[i].Sensor, at) {
			if err := collect(found, true)([]string{row[0], row[1], row[2], row[3], row[4], row[8]}); err != nil {
				t.Fatal(err)
			}
		}
		i = j
	}
	return evaluate(m.scenario, m.truth, found), p, cost
}

// Two radars of which one or both are off are nearly as good as two that are not, whatever
// is wrong, on other raids than those of the fixtures; and the picture knows how good it is.
// most is the largest share by which GOSPA may be worse on average: only where the bias is
// so large that the two radars' plots do not meet before it is known is it above 15 %.
func TestBiasedPairs(t *testing.T) {
	cases := []struct {
		name string
		off  [2]wrong
		most float64
	}{
		{"as in e_two_radars_biased", [2]wrong{{}, {150, 0.4, 0, 0.3}}, 1.10},
		{"range 50 m", [2]wrong{{}, {50, 0, 0, 0}}, 1.05},
		{"range -500 m", [2]wrong{{}, {-500, 0, 0, 0}}, 1.15},
		{"azimuth 1 degree", [2]wrong{{}, {0, 1, 0, 0}}, 1.10},
		{"clock 1 s", [2]wrong{{}, {0, 0, 0, 1}}, 1.10},
		{"all at once, large", [2]wrong{{}, {400, -0.8, 0.3, -0.7}}, 1.15},
		{"both radars", [2]wrong{{200, -0.4, 0, -0.3}, {-150, 0.3, 0, 0.3}}, 1.15},
		{"the better radar", [2]wrong{{300, 0.5, 0, 0.5}, {}}, 1.15},
		{"range 50 m, azimuth 0.1, clock 0.1", [2]wrong{{}, {50, 0.1, 0, 0.1}}, 1.05},
	}
	const seeds = 3
	var base [seeds]Score
	mean := Score{}
	for seed := range base {
		base[seed], _, _ = pairOfRadars(uint64(seed), [2]wrong{}).play(t)
		mean.GOSPA += base[seed].GOSPA / seeds
		mean.Cover += base[seed].Cover / seeds
	}
	t.Logf("%-36s gospa %.0f cover %.3f", "no bias", mean.GOSPA, mean.Cover)
	for _, c := range cases {
		var ratio, cover, rmse float64
		switches := 0
		for seed := range base {
			s, p, _ := pairOfRadars(uint64(seed), c.off).play(t)
			ratio += s.GOSPA / base[seed].GOSPA / seeds
			cover += s.Cover / seeds
			rmse += s.RMSE / seeds
			switches += s.Switches
			for i, b := range p.picture.Registration() {
				settled(t, fmt.Sprintf("%s, seed %d, %s", c.name, seed, b.Sensor), b, c.off[i])
			}
		}
		t.Logf("%-36s gospa x %.2f cover %.3f rmse %.0f switches %d", c.name, ratio, cover, rmse, switches)
		if ratio > c.most {
			t.Errorf("%s: GOSPA is %.2f times that without bias, want %.2f", c.name, ratio, c.most)
		}
		if cover < 0.92 || cover > 0.975 {
			t.Errorf("%s: coverage %.3f", c.name, cover)
		}
	}
}

// settled checks that a bias was found, as far as it can be (clocks only between sensors).
func settled(t *testing.T, what string, b registration.Bias, want wrong) {
	t.Helper()
	large := math.Abs(want.rng) >= 100 || math.Abs(want.az) >= 0.3
	if large && !b.Shown {
		t.Errorf("%s: the bias was not shown: %+v", what, b)
	}
	if b.Shown && (math.Abs(float64(b.Range)-want.rng) > 60 || math.Abs(float64(b.Azimuth)-want.az) > 0.12) {
		t.Errorf("%s: found %+v, want %+v", what, b, want)
	}
}
