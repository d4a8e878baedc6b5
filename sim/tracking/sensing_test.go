package tracking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track"
	"tocsin/core/track/presence"
)

// hearing is a made scenario of sources that have no range: what they say, and the truth.
type hearing struct {
	sources []observation.Source
	spoken  []spoken
	paths   []path
	lasts   float64
}

func (h *hearing) say(arrived float64, o observation.Observation) {
	o.ReceivedAt = moment(arrived)
	h.spoken = append(h.spoken, spoken{arrived, o})
}

func spot(x, y float64) geo.Position {
	p := geo.NewENU(Origin).From([3]float64{x, y, 0}).Position()
	p.Height = 0
	return p
}

// passing are drones that fly straight through the area, well apart.
func passing(g *rand.Rand, n int, lasts float64) (out []path) {
	for i := range n {
		course := 2 * math.Pi * g.Float64()
		speed := 42 + 18*g.Float64()
		off := (float64(i)-float64(n-1)/2)*14e3 + 2e3*(g.Float64()-0.5)
		back := speed * lasts / 2
		course = math.Mod(course, 0.6) // more or less northwards, side by side
		s, c := math.Sincos(course)
		f := flyer{at: [3]float64{off - back*s, -back * c, 400}, v: [3]float64{speed * s, speed * c, 0}}
		out = append(out, f.fly(lasts))
	}
	return out
}

// emitted is when the sound left a flyer that is heard at a place at t.
func emitted(p *path, t, x, y float64) float64 {
	te := t
	for range 40 {
		at, ok := p.when(math.Max(te, 0))
		if !ok {
			return t
		}
		te = t - math.Hypot(math.Hypot(at[0]-x, at[1]-y), at[2])/340
	}
	return te
}

// acousticNet is nodes 6 km apart that hear for 5 km, one false hearing in a hundred looks;
// what they hear is as old as the sound needs.
func acousticNet(seed uint64) hearing {
	g := rand.New(rand.NewPCG(seed, 11))
	h := hearing{lasts: 600}
	h.paths = passing(g, 2, h.lasts)
	for i := range 49 {
		x, y := float64(i%7-3)*6e3, float64(i/7-3)*6e3
		s := observation.Source{ID: fmt.Sprintf("ear-%02d", i), Kind: presence.Acoustic, Site: spot(x, y), HasSite: true, Period: 5 * time.Second,
			Detection: 0.8, Trust: 0.85, Coverage: observation.Coverage{Range: 5000}}
		h.sources = append(h.sources, s)
		for t := float64(i%5) + g.Float64()*0.2; t < h.lasts; t += 5 {
			o := observation.Observation{Source: s.ID, ObservedAt: moment(t), Body: observation.Absence{}}
			for k := range h.paths {
				at, ok := h.paths[k].when(math.Max(emitted(&h.paths[k], t, x, y), 0))
				if ok && math.Hypot(at[0]-x, at[1]-y) < 5000*(1+0.1*g.NormFloat64()) && g.Float64() < 0.8 {
					o.Body = observation.Presence{At: s.Site.Point, Reach: 5000}
				}
			}
			if g.Float64() < 0.01 {
				o.Body = observation.Presence{At: s.Site.Point, Reach: 5000}
			}
			h.say(t+0.3, o)
		}
	}
	return h
}

// finders is three direction finders with 3 degrees of error on one or two drones.
func finders(seed uint64, drones int) hearing {
	g := rand.New(rand.NewPCG(seed, 12))
	h := hearing{lasts: 500}
	h.paths = passing(g, drones, h.lasts)
	for i, at := range [][2]float64{{-16e3, -6e3}, {14e3, -9e3}, {-2e3, 17e3}, {20e3, 12e3}} {
		s := observation.Source{ID: fmt.Sprintf("finder-%d", i), Kind: "direction-finder", Site: spot(at[0], at[1]), HasSite: true, Period: 4 * time.Second,
			Detection: 0.8, Trust: 0.9, Coverage: observation.Coverage{Range: 30e3}}
		h.sources = append(h.sources, s)
		for t := float64(i); t < h.lasts; t += 4 {
			for k := range h.paths {
				p, ok := h.paths[k].when(t)
				if !ok || math.Hypot(p[0]-at[0], p[1]-at[1]) > 30e3 || g.Float64() > 0.8 {
					continue
				}
				az := math.Atan2(p[0]-at[0], p[1]-at[1])*180/math.Pi + 3*g.NormFloat64()
				h.say(t+0.2, observation.Observation{Source: s.ID, ObservedAt: moment(t), Body: observation.Bearing{Azimuth: geo.Degrees(az), Width: 3}})
			}
		}
	}
	return h
}

// citizens report a drone within 3 km of them, one in a minute and square kilometre or so;
// liars report one that is not there: each lie a thousand times over, from one place.
func citizens(seed uint64, lies int) hearing {
	g := rand.New(rand.NewPCG(seed, 13))
	h := hearing{lasts: 500}
	h.paths = passing(g, 1, h.lasts)
	h.sources = []observation.Source{{ID: "citizens", Kind: presence.Crowd, Period: time.Minute, Trust: 0.75}}
	report := func(t, x, y float64, who string) {
		h.say(t+8*g.Float64(), observation.Observation{Source: "citizens", Key: who, ObservedAt: moment(t), Body: observation.Presence{At: spot(x, y).Point, Reach: 3000}})
	}
	for i := range 150 {
		t := h.lasts * g.Float64()
		at, ok := h.paths[0].when(t)
		if ok {
			a, d := 2*math.Pi*g.Float64(), 2800*math.Sqrt(g.Float64())
			report(t, at[0]+d*math.Sin(a), at[1]+d*math.Cos(a), fmt.Sprint("c", i))
		}
	}
	for i := range lies {
		x, y, t := 40e3*(g.Float64()-0.5), 40e3*(g.Float64()-0.5), h.lasts*g.Float64()
		for k := range 1000 {
			report(t+0.02*float64(k), x+100*g.NormFloat64(), y+100*g.NormFloat64(), fmt.Sprintf("l%d-%d", i, k))
		}
	}
	return h
}

// run plays what is said, and scores the tracks every five seconds; a track counts within
// five kilometres of the object.
func (h *hearing) run() (Score, *track.Picture, time.Duration) {
	sort.SliceStable(h.spoken, func(i, j int) bool { return h.spoken[i].arrived < h.spoken[j].arrived })
	p := track.NewPicture(track.Config{Sources: h.sources, Flat: &Origin})
	frame := geo.NewENU(Origin)
	truth, found := map[int64][]place{}, map[int64][]place{}
	next := 0
	var cost time.Duration
	for t := 0.0; t < h.lasts; t++ {
		before := processTime()
		for ; next < len(h.spoken) && h.spoken[next].arrived <= t; next++ {
			p.Observe(moment(h.spoken[next].arrived), h.spoken[next].o)
		}
		p.Tick(moment(t))
		cost += processTime() - before
		if math.Mod(t, 5) != 0 {
			continue
		}
		for i := range h.paths {
			if at, ok := h.paths[i].when(t); ok && math.Hypot(at[0], at[1]) < 21e3 {
				truth[stamp(t)] = append(truth[stamp(t)], place{id: fmt.Sprint(i), at: at})
			}
		}
		for _, tr := range p.Tracks(moment(t)) {
			at := frame.To(tr.State.Position)
			var pp [3][3]float64
			for i := range 3 {
				for j := range 3 {
					pp[i][j] = tr.State.Covariance[i][j]
				}
			}
			pp = frame.ToCovariance(pp)
			if math.Hypot(at[0], at[1]) < 24e3 && tr.Existence > 0.5 {
				found[stamp(t)] = append(found[stamp(t)], place{id: string(tr.ID), at: at, sx: math.Sqrt(pp[0][0])})
			}
		}
		if len(truth[stamp(t)]) == 0 {
			truth[stamp(t)] = []place{}
		}
	}
	s := Scenario{Sensors: []Sensor{{Kind: pos2d}}}
	s.GOSPA.C, s.GOSPA.P, s.GOSPA.Alpha = 5000, 2, 2
	return evaluate(s, truth, found), p, cost
}

// What has no range makes tracks all the same: near enough, hardly any false, as sure as they are.
func TestSensing(t *testing.T) {
	families := []struct {
		name     string
		make     func(seed uint64) hearing
		complete float64
		spurious float64
		rmse     float64
	}{
		{"acoustic net, two drones", acousticNet, 0.5, 0.2, 2500},
		{"four finders, one drone", func(s uint64) hearing { return finders(s, 1) }, 0.85, 0.1, 1500},
		{"four finders, two drones", func(s uint64) hearing { return finders(s, 2) }, 0.7, 0.25, 1800},
		{"citizens, no lies", func(s uint64) hearing { return citizens(s, 0) }, 0.7, 0.1, 2000},
		{"citizens, 6 lies a thousand times each", func(s uint64) hearing { return citizens(s, 6) }, 0.7, 0.1, 2000},
	}
	for _, f := range families {
		var sum Score
		const seeds = 2
		var cost time.Duration
		for seed := range uint64(seeds) {
			h := f.make(seed)
			s, _, c := h.run()
			sum.GOSPA += s.GOSPA / seeds
			sum.Completeness += s.Completeness / seeds
			sum.Spurious += s.Spurious / seeds
			sum.RMSE += s.RMSE / seeds
			sum.Cover += s.Cover / seeds
			sum.Confirm += s.Confirm / seeds
			sum.Switches += s.Switches
			sum.Never += s.Never
			cost += c / seeds
		}
		t.Logf("%-40s gospa %.0f compl %.3f spur %.3f rmse %.0f cover %.3f confirm %.0f sw %d never %d cpu %v", f.name, sum.GOSPA, sum.Completeness, sum.Spurious,
			sum.RMSE, sum.Cover, sum.Confirm, sum.Switches, sum.Never, cost.Round(time.Millisecond))
		if sum.Completeness < f.complete || sum.Spurious > f.spurious || sum.RMSE > f.rmse || sum.Cover < 0.9 {
			t.Errorf("%s: completeness %.3f, spurious %.3f, RMSE %.0f, coverage %.3f", f.name, sum.Completeness, sum.Spurious, sum.RMSE, sum.Cover)
		}
	}
}
