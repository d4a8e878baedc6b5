package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/track/presence"
	"tocsin/core/warning"
)

// TestCitizensAlonePrepare: citizens all along a drone's way, agreeing from a hundred places
// for a quarter of an hour, have zones prepared and never sheltered, from the first report
// to the last. Listeners that hear the same shelter them: the rule, not the track, holds it.
func TestCitizensAlonePrepare(t *testing.T) {
	for _, c := range []struct {
		kind    string
		shelter bool
	}{{presence.Crowd, false}, {presence.Acoustic, true}} {
		t.Run(c.kind, func(t *testing.T) {
			prepared, sheltered := stages(t, c.kind)
			if !prepared && !sheltered {
				t.Fatal("nothing was warned: it proves nothing")
			}
			if sheltered != c.shelter {
				t.Errorf("sheltered: %v, want %v", sheltered, c.shelter)
			}
		})
	}
}

// stages plays a drone's way past sources of a kind and says which stages were spoken.
func stages(t *testing.T, kind string) (prepared, sheltered bool) {
	g := rand.New(rand.NewPCG(3, 3))
	from, towards := geo.Point{Lat: 50.2, Lon: 34.3}, geo.Degrees(20)
	var sources []observation.Source
	if kind == presence.Crowd {
		sources = append(sources, observation.Source{ID: "citizens", Kind: kind, Trust: 0.9, Period: time.Minute})
	}
	var places []geo.Point
	for i := range 40 {
		p := geo.Destination(geo.Destination(from, towards, geo.Metres(float64(i/2)*2500)), towards+90, geo.Metres(float64(i%2*2-1)*1500))
		places = append(places, p)
		if kind != presence.Crowd {
			sources = append(sources, observation.Source{ID: fmt.Sprint("ear-", i), Kind: kind, Site: geo.Position{Point: p}, HasSite: true,
				Trust: 0.9, Detection: 0.8, Period: 5 * time.Second, Coverage: observation.Coverage{Range: 4000}})
		}
	}
	core := pipeline.New(config(t, sources, "A"))
	core.Step(start, pipeline.Restored{})
	for sec := range 600 {
		now := start.Add(time.Duration(sec) * time.Second)
		at := geo.Destination(from, towards, geo.Metres(50*sec))
		for i, p := range places {
			if sec%5 != i%5 || geo.Distance(at, p) > 3500 || g.Float64() > 0.8 {
				continue
			}
			o := observation.Observation{Source: "citizens", Key: fmt.Sprint("c", i), ObservedAt: now, ReceivedAt: now,
				Body: observation.Presence{At: p, Reach: 4000}}
			if kind != presence.Crowd {
				o.Source = fmt.Sprint("ear-", i)
			}
			p, s := spoken(core.Step(now, pipeline.Observed{Observation: o}))
			prepared, sheltered = prepared || p, sheltered || s
		}
		p, s := spoken(core.Step(now, pipeline.Ticked{}))
		prepared, sheltered = prepared || p, sheltered || s
	}
	return prepared, sheltered
}

func spoken(changes []pipeline.Change) (prepared, sheltered bool) {
	for _, c := range changes {
		if w, ok := c.(pipeline.WarningChanged); ok {
			for _, it := range w.Items {
				prepared = prepared || it.Stage == warning.Prepare
				sheltered = sheltered || it.Stage == warning.Shelter
			}
		}
	}
	return prepared, sheltered
}
