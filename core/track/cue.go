package track

import (
	"math"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

// cue is a launch that was reported: objects that start near it soon after are likelier
// to be real, and to be of its kind.
type cue struct {
	source *source
	at     tick
	place  vec3 // on the sphere
	area   float64
	says   class.Mix
}

const (
	maxCues   = 64
	cueLife   = 300 * second
	cueSpeed  = 2500.0 // metres per second at which what was launched may have come
	cueWeight = 20.0   // how much likelier a new object is near a cue
)

// newCue reads a launch, if it can be used.
func newCue(now tick, s *source, o *observation.Observation, b observation.Cue) (*cue, bool) {
	at := geo.Position{Point: b.Area.Centre}
	if !finitePosition(at) || !finite(float64(b.Area.Radius)) || b.Area.Radius < 0 || !usual(b.LaunchedAt) {
		return nil, false
	}
	launched := tickOf(b.LaunchedAt)
	if now-launched > cueLife || launched-now > ticks(soonest) {
		return nil, false
	}
	return &cue{source: s, at: launched, place: onSphere(at.ECEF()), area: float64(b.Area.Radius), says: o.Says.Normal()}, true
}

// cued keeps a launch; beyond maxCues the oldest goes.
func (e *engine) cued(c *cue) {
	if len(e.cues) >= maxCues {
		e.cues = e.cues[:copy(e.cues, e.cues[1:])]
	}
	e.cues = append(e.cues, *c)
}

// near returns the cue a plot fits, or nil.
func (e *engine) nearCue(q *plot) *cue {
	if len(e.cues) == 0 {
		return nil
	}
	place := onSphere(q.g.guess)
	for i := range e.cues {
		c := &e.cues[i]
		dt := (q.at - c.at).seconds()
		d := vec3{place[0] - c.place[0], place[1] - c.place[1], place[2] - c.place[2]}
		if dt > -10 && norm(d) < c.area+cueSpeed*math.Max(dt, 0)+2000 {
			return c
		}
	}
	return nil
}

func (e *engine) cueFactor(q *plot) float64 {
	if e.nearCue(q) != nil {
		return cueWeight
	}
	return 1
}

// usual reports whether a time is one that nanoseconds since 1970 can say.
func usual(t time.Time) bool { return t.Year() > 1970 && t.Year() < 2200 }
