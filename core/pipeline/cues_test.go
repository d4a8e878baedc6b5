package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/threat"
	"tocsin/core/warning"
)

// launched is a core with a person's desk and a radar that sees nothing, and the cue that
// rockets were launched behind the border.
func launched(t *testing.T) (*pipeline.Pipeline, pipeline.Observed) {
	t.Helper()
	site := geo.Position{Point: geo.Point{Lat: 51, Lon: 34.9}, Height: 200}
	core := pipeline.New(config(t, []observation.Source{
		{ID: "desk", Kind: "authority", Trust: 0.95},
		{ID: "radar", Kind: "asterix", HasSite: true, Site: site, Period: 4 * time.Second, Detection: 0.95, Coverage: observation.Coverage{Range: 300e3, Floor: 50}},
	}, "t"))
	core.Step(start, pipeline.Restored{})
	core.Step(start, looked(start))
	return core, pipeline.Observed{Observation: observation.Observation{
		Source: "desk", ObservedAt: start.Add(time.Minute), ReceivedAt: start.Add(time.Minute), Says: class.Of(class.Rocket),
		Body: observation.Cue{Area: geo.Circle{Centre: geo.Point{Lat: 51.45, Lon: 35.2}, Radius: 1500}, LaunchedAt: start.Add(time.Minute)},
	}}
}

func looked(at time.Time) pipeline.Observed {
	return pipeline.Observed{Observation: observation.Observation{Source: "radar", ObservedAt: at, ReceivedAt: at, Body: observation.Absence{}}}
}

// A launch that was reported and not seen has people prepare, never shelter; when its time
// is over and a radar that would see it sees nothing, it ends with an all-clear.
func TestCueAloneIsForPrepare(t *testing.T) {
	core, cue := launched(t)
	changes := core.Step(start.Add(time.Minute), cue)
	prepared := 0
	ended := map[warning.End]int{}
	inForce := 0
	see := func(changes []pipeline.Change) {
		for _, c := range changes {
			w, ok := c.(pipeline.WarningChanged)
			if !ok {
				continue
			}
			inForce = len(w.Warning.Zones)
			for _, z := range w.Warning.Zones {
				if z.Stage != warning.Prepare || z.Threat != class.Rocket || z.Sure != warning.Low {
					t.Fatalf("zone %s: %s %s %s by a cue alone", z.Zone, z.Stage, z.Threat, z.Sure)
				}
				prepared++
			}
			for _, z := range w.Warning.Ended {
				ended[z.End]++
			}
		}
	}
	see(changes)
	if prepared < 3 {
		t.Fatalf("%d zones prepare", prepared)
	}
	for s := 64; s < 1500; s += 4 {
		at := start.Add(time.Duration(s) * time.Second)
		see(core.Step(at, looked(at)))
	}
	if inForce != 0 || ended[warning.AllClear] == 0 || ended[warning.Expired] > 0 {
		t.Errorf("%d zones in force after twenty minutes; ended %v", inForce, ended)
	}
}

// Without a radar that is alive nothing clears.
func TestCueWithoutPictureDoesNotClear(t *testing.T) {
	core, cue := launched(t)
	core.Step(start.Add(time.Minute), cue)
	for s := 70; s < 1500; s += 10 {
		for _, c := range core.Step(start.Add(time.Duration(s)*time.Second), pipeline.Ticked{}) {
			if w, ok := c.(pipeline.WarningChanged); ok && len(w.Warning.Ended) > 0 {
				t.Fatalf("ended: %+v", w.Warning.Ended[0])
			}
		}
	}
}

// The track, when it comes, takes over: the cue's forecast ends as merged into it.
func TestTrackTakesOverTheCue(t *testing.T) {
	core, cue := launched(t)
	core.Step(start.Add(time.Minute), cue)
	for k := range 8 {
		at := start.Add(time.Minute + time.Duration(10+k)*time.Second)
		o := observation.Observation{Source: "radar", Key: "7", ObservedAt: at, ReceivedAt: at, Says: class.Of(class.Rocket)}
		b := observation.SensorTrack{Position: geo.Position{Point: geo.Point{Lat: 51.42 - 0.003*geo.Degrees(k), Lon: 35.2}, Height: geo.Metres(4000 + 250*k)},
			HasVelocity: true, Velocity: [3]float64{0, -333, 250}}
		for i := range 3 {
			b.Covariance[i][i], b.Covariance[i+3][i+3] = 50*50, 5*5
		}
		o.Body = b
		for _, c := range core.Step(at, pipeline.Observed{Observation: o}) {
			f, ok := c.(pipeline.Forecast)
			if ok && strings.HasPrefix(string(f.Forecast.Track), "cue-") && f.Forecast.Status == threat.Ended {
				if f.Forecast.Reason != threat.Merged || f.Forecast.Into == "" {
					t.Errorf("the cue ended as %s into %q", f.Forecast.Reason, f.Forecast.Into)
				}
				return
			}
		}
	}
	t.Error("no track took over")
}

// Words of a source that nobody registered, and of long ago, are no cue.
func TestCueOfNobody(t *testing.T) {
	core, cue := launched(t)
	unknown, old := cue, cue
	unknown.Observation.Source = "somebody"
	old.Observation.Body = observation.Cue{Area: geo.Circle{Centre: geo.Point{Lat: 51.45, Lon: 35.2}, Radius: 1500}, LaunchedAt: start.Add(-time.Hour)}
	for _, in := range []pipeline.Observed{unknown, old} {
		for _, c := range core.Step(start.Add(time.Minute), in) {
			if _, ok := c.(pipeline.WarningChanged); ok {
				t.Error("a warning")
			}
		}
	}
}
