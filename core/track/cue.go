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
	at    time.Time
	place vec3 // on the sphere
	area  float64
	says  class.Mix
}

const (
	maxCues   = 64
	cueLife   = 5 * time.Minute
	cueSpeed  = 2500.0 // metres per second at which what was launched may have come
	cueWeight = 20.0   // how much likelier a new object is near a cue
)

// cued keeps a launch; beyond maxCues the oldest goes.
func (p *Picture) cued(now time.Time, s *source, o *observation.Observation, b observation.Cue) {
	at := geo.Position{Point: b.Area.Centre}
	age := now.Sub(b.LaunchedAt)
	if !finitePosition(at) || !finite(float64(b.Area.Radius)) || b.Area.Radius < 0 || age > cueLife || age < -soonest {
		p.faults.refused(now, s.reg.ID, "launch cue is not usable")
		return
	}
	if len(p.cues) >= maxCues {
		p.cues = p.cues[1:]
	}
	p.cues = append(p.cues, cue{at: b.LaunchedAt.UTC().Round(0), place: onSphere(at.ECEF()), area: float64(b.Area.Radius), says: o.Says.Normal()})
}

// near returns the cue a plot fits, or nil.
func (p *Picture) nearCue(q *plot) *cue {
	place := onSphere(q.g.guess)
	for i := range p.cues {
		c := &p.cues[i]
		dt := q.at.Sub(c.at).Seconds()
		d := vec3{place[0] - c.place[0], place[1] - c.place[1], place[2] - c.place[2]}
		if dt > -10 && norm(d) < c.area+cueSpeed*math.Max(dt, 0)+2000 {
			return c
		}
	}
	return nil
}

func (p *Picture) cueFactor(q *plot) float64 {
	if p.nearCue(q) != nil {
		return cueWeight
	}
	return 1
}
