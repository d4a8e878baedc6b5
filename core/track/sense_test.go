package track

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track/presence"
)

// ears are listeners around here, five kilometres apart.
func ears() (out []observation.Source) {
	for i := range 25 {
		at := geo.NewENU(here).From([3]float64{float64(i%5-2) * 5e3, float64(i/5-2) * 5e3, 0}).Position()
		out = append(out, observation.Source{ID: fmt.Sprintf("ear-%02d", i), Kind: presence.Acoustic, Site: at, HasSite: true,
			Period: 5 * time.Second, Detection: 0.8, Trust: 0.85, Coverage: observation.Coverage{Range: 5000}})
	}
	return out
}

// heard lets the listeners speak at a second: who hears the mover, and who hears nothing.
func heard(p *Picture, sources []observation.Source, t float64, g *rand.Rand, m mover) (out []Change) {
	for i, s := range sources {
		if int(t)%5 != i%5 {
			continue
		}
		site := geo.NewENU(here).To(s.Site.ECEF())
		at := m.at(t)
		o := observed(s, t, observation.Absence{})
		if math.Hypot(at[0]-site[0], at[1]-site[1]) < 5000 && g.Float64() < 0.8 {
			o.Body = observation.Presence{At: s.Site.Point, Reach: 5000}
		}
		out = append(out, p.Observe(after(t), o)...)
	}
	return append(out, p.Tick(after(t))...)
}

// What was only heard goes on as the radar's track when a radar sees it; there are never two.
func TestHeardIsHandedOver(t *testing.T) {
	s := radar("r", 0)
	s.Coverage.Range = 8e3
	sources := append(ears(), s)
	p := NewPicture(Config{Sources: sources})
	g := rng()
	m := mover{p: [3]float64{-14e3, 1000, 400}, v: [3]float64{50, 0, 0}}
	var ended []Track
	heardID := ID("")
	for sec := 0.0; sec < 400; sec++ {
		changes := heard(p, sources[:25], sec, g, m)
		if at := m.at(sec); int(sec)%4 == 0 && math.Hypot(at[0], at[1]) < 8e3 {
			changes = append(changes, scan(p, s, sec, g, m)...)
		}
		for _, c := range changes {
			if c.Kind == WasConfirmed && heardID == "" {
				heardID = c.Track.ID
				if c.Track.Sources[0].Kind != presence.Acoustic {
					t.Fatalf("first confirmed %+v", c.Track)
				}
			}
			if c.Kind == WasEnded {
				ended = append(ended, c.Track)
			}
		}
	}
	if heardID == "" || len(ended) != 1 || ended[0].ID != heardID || ended[0].Reason != Merged || ended[0].Into == "" {
		t.Fatalf("heard as %q; ended %+v", heardID, ended)
	}
	trs := p.Tracks(after(400))
	if len(trs) != 1 || trs[0].ID != ended[0].Into || off(trs[0], m.at(400)) > 300 {
		t.Fatalf("%d tracks are left", len(trs))
	}
}

// What a radar follows and people hear is one object. An airliner far above is not what they hear.
func TestHeardIsExplained(t *testing.T) {
	for _, c := range []struct {
		height float64
		tracks int
	}{{600, 1}, {9000, 2}} {
		s := radar("r", 0)
		sources := append(ears(), s)
		p := NewPicture(Config{Sources: sources})
		g := rng()
		low, seen := mover{p: [3]float64{-5e3, 0, 500}, v: [3]float64{50, 0, 0}}, mover{p: [3]float64{-5e3, 0, c.height}, v: [3]float64{50, 0, 0}}
		for sec := 0.0; sec < 120; sec++ {
			if int(sec)%4 == 0 {
				scan(p, s, sec, g, seen)
			}
			if sec > 16 {
				heard(p, sources[:25], sec, g, low)
			}
		}
		if trs := p.Tracks(after(120)); len(trs) != c.tracks {
			t.Errorf("radar's at %.0f m: %d tracks, want %d", c.height, len(trs), c.tracks)
		}
	}
}

// However many plots fall into a rumour, it stays citizens' alone: none of them corrects it.
func TestStrayPlotsDoNotVouchForARumour(t *testing.T) {
	s := radar("r", 0)
	s.Clutter = 60
	crowd := observation.Source{ID: "citizens", Kind: presence.Crowd, Trust: 0.75, Period: time.Minute}
	p := NewPicture(Config{Sources: []observation.Source{s, crowd}})
	g := rng()
	confirmed := false
	for sec := 0.0; sec < 200; sec++ {
		if int(sec)%4 == 0 {
			for range 60 {
				place := [3]float64{20e3 * (g.Float64() - 0.5), 20e3 * (g.Float64() - 0.5), 500}
				p.Observe(after(sec), observed(s, sec, plotOf(s, place, g)))
			}
			p.Observe(after(sec), observed(s, sec, observation.Absence{}))
		}
		if int(sec)%10 == 0 {
			for k := range 5 {
				a := float64(k) * 1.26
				at := geo.NewENU(here).From([3]float64{2e3 * math.Sin(a), 2e3 * math.Cos(a), 0}).Position()
				o := observed(crowd, sec, observation.Presence{At: at.Point, Reach: 3000})
				o.Key = fmt.Sprint(k)
				p.Observe(after(sec), o)
			}
		}
		for _, tr := range p.Tracks(after(sec)) {
			kinds := map[string]bool{}
			for _, c := range tr.Sources {
				kinds[c.Kind] = true
			}
			if kinds[presence.Crowd] {
				confirmed = true
				if len(kinds) != 1 {
					t.Fatalf("after %.0f s a rumour rests on %v", sec, kinds)
				}
			}
		}
	}
	if !confirmed {
		t.Error("the citizens made no track: it proves nothing")
	}
}

// A direction finder corrects a track that it points at, and starts none alone.
func TestBearingAlone(t *testing.T) {
	f := radar("f", 0)
	f.Kind = "direction-finder"
	p := NewPicture(Config{Sources: []observation.Source{f}})
	for sec := 0.0; sec < 60; sec += 2 {
		p.Observe(after(sec), observed(f, sec, observation.Bearing{Azimuth: 30, Width: 2}))
	}
	if trs := p.Tracks(after(60)); len(trs) != 0 {
		t.Errorf("one finder alone makes %d tracks", len(trs))
	}
	if _, ok := p.Next(); !ok {
		t.Error("what is heard is not waited for")
	}
}
