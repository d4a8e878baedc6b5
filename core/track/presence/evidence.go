package presence

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

const (
	degree = math.Pi / 180
	sound  = 340.0 // m/s

	leastReach    = 200.0
	mostReach     = 40e3
	leastWidth    = 1.0  // degrees
	mostWidth     = 45.0 // beyond it a bearing says nothing
	farBearing    = 25e3 // metres a bearing reaches where nothing is registered
	softEdge      = 0.15 // of the reach over which hearing fades
	wind          = 0.05 // share by which the speed of sound may be off
	crowdMoment   = 8.0  // seconds by which a citizen's "now" is off
	nodeMoment    = 0.5  // and a machine's
	crowdTrust    = 0.6  // of a citizen where nothing is registered
	defaultTrust  = 0.85
	defaultDetect = 0.8
)

// errUnusable says why an observation is not usable.
type errUnusable string

func (e errUnusable) Error() string { return "presence: " + string(e) }

// evidence is an observation as a cloud needs it.
type evidence struct {
	source, kind string
	at           time.Time
	place        geo.ECEF // of who hears or points
	absent       bool
	bearing      bool
	azimuth      float64 // radians, clockwise from north
	width        float64 // radians, one standard deviation
	reach        float64 // metres within which something is heard, or as far as a bearing reaches
	moment       float64 // seconds by which the time is uncertain
	heard        float64 // share of the way of sound by which the words are old: 0 light, 1 sound, between: not known
	unsureHeard  float64 // standard deviation of that share
	trust        float64 // probability that there is what is said
	registered   float64 // trust as registered
	detect       float64
	says         class.Mix
	o            observation.Observation
}

// read takes an observation for evidence, or says why it cannot be.
func read(s *observation.Source, o *observation.Observation) (e evidence, err error) {
	e = evidence{source: s.ID, kind: s.Kind, at: o.ObservedAt, moment: nodeMoment, says: s.Confusion.Means(o.Says).Normal(), o: *o, detect: defaultDetect}
	if s.Detection > 0 && s.Detection < 1 {
		e.detect = s.Detection
	}
	e.registered = defaultTrust
	switch s.Kind {
	case Acoustic:
		e.heard, e.unsureHeard = 1, wind
	case Crowd:
		e.moment, e.registered = crowdMoment, crowdTrust
		e.heard, e.unsureHeard = 0.5, 0.3
	}
	if s.Trust > 0 && s.Trust < 1 {
		e.registered = s.Trust
	}
	e.moment = math.Hypot(e.moment, min(max(s.Errors.Time.Seconds(), 0), 60))
	site, sited := s.Site, s.HasSite
	coverage := float64(s.Coverage.Range)
	switch b := o.Body.(type) {
	case observation.Presence:
		site, sited, e.reach = geo.Position{Point: b.At}, true, float64(b.Reach)
	case observation.Bearing:
		if b.HasFrom {
			site, sited = b.From, true
		}
		e.bearing, e.azimuth, e.width = true, float64(b.Azimuth)*degree, float64(b.Width)*degree
		if e.reach = coverage; !(coverage > 0) {
			e.reach = farBearing
		}
		if !finite(e.azimuth, e.width) || math.Abs(float64(b.Azimuth)) > 720 || e.width > mostWidth*degree {
			return e, errUnusable("bearing is not usable")
		}
		e.width = math.Max(e.width, leastWidth*degree)
	case observation.Absence:
		e.absent, e.reach = true, coverage
		if b.Sector || !(coverage > 0) {
			return e, errUnusable("absence over no circle is not usable")
		}
	default:
		return e, errUnusable(fmt.Sprintf("%T is not for presence", o.Body))
	}
	if !sited || !site.Valid() || !finite(float64(site.Height)) || math.Abs(float64(site.Height)) > 20e3 {
		return e, errUnusable("no place")
	}
	if !finite(e.reach) || e.reach <= 0 || e.reach > 4*mostReach {
		return e, errUnusable("reach is not usable")
	}
	e.reach = min(max(e.reach, leastReach), mostReach)
	e.place = site.ECEF()
	return e, nil
}

// order is by content, so that the order of arrival within a second does not matter.
func (e *evidence) order(o evidence) int {
	for _, v := range []int{
		e.at.Compare(o.at), strings.Compare(e.source, o.source), cmp.Compare(e.place[0], o.place[0]), cmp.Compare(e.place[1], o.place[1]),
		cmp.Compare(e.azimuth, o.azimuth), cmp.Compare(e.reach, o.reach), cmp.Compare(e.width, o.width), strings.Compare(e.o.Key, o.o.Key),
	} {
		if v != 0 {
			return v
		}
	}
	if e.absent != o.absent {
		if e.absent {
			return 1
		}
		return -1
	}
	return 0
}

// weight is the log-odds that one word of the source is worth: nothing of one that nobody
// trusts, never less.
func (e *evidence) weight() float64 { return -math.Log1p(-e.trust) }

// view is evidence in a cloud's frame.
type view struct {
	*evidence
	from vec2 // of who hears, metres east and north
	turn float64
}

// agrees is how well, from 0 to 1, the evidence goes with an object that is at p with
// velocity v dt seconds after the evidence was observed.
func (w *view) agrees(p, v vec2, dt float64) float64 {
	x, y := p[0]-v[0]*dt-w.from[0], p[1]-v[1]*dt-w.from[1] // where it was when it was observed
	speed := math.Hypot(v[0], v[1])
	if w.heard > 0 {
		tau := w.heard * travel(x, y, v)
		x, y = x-v[0]*tau, y-v[1]*tau
	}
	d := math.Hypot(x, y)
	blur := speed * math.Hypot(w.moment, w.unsureHeard*d/sound)
	edge := math.Hypot(softEdge*w.reach, blur) * 0.6
	in := 1 / (1 + math.Exp((d-w.reach)/edge))
	if !w.bearing {
		return in
	}
	off := math.Remainder(math.Atan2(x, y)-w.azimuth-w.turn, 2*math.Pi)
	sigma := math.Hypot(w.width, blur/math.Max(d, 100))
	return in * math.Exp(-off*off/(2*sigma*sigma))
}

// travel is how long ago the sound left that is heard now at the origin, of what is now at
// x, y with velocity v: |x - v tau| = sound tau. What outruns its sound is taken to fly
// just below its speed: before it has passed nothing is heard of it at all.
func travel(x, y float64, v vec2) float64 {
	v2 := v[0]*v[0] + v[1]*v[1]
	const fastest = 0.9 * sound
	if v2 > fastest*fastest {
		k := fastest / math.Sqrt(v2)
		v, v2 = vec2{v[0] * k, v[1] * k}, fastest*fastest
	}
	along := v[0]*x + v[1]*y
	a := sound*sound - v2
	return (-along + math.Sqrt(along*along+a*(x*x+y*y))) / a
}

// Place is where the source of an observation stands, if it is one for a Field.
func Place(s *observation.Source, o *observation.Observation) (geo.ECEF, bool) {
	e, err := read(s, o)
	return e.place, err == nil
}

// Agrees is how well, from 0 to 1, an observation goes with an object that is at a place
// with an earth-fixed velocity at a time. What is not for a Field agrees with nothing.
func Agrees(s *observation.Source, o *observation.Observation, place geo.ECEF, velocity [3]float64, at time.Time) float64 {
	e, err := read(s, o)
	if err != nil {
		return 0
	}
	frame := geo.NewENU(e.place.Position())
	p, v := frame.To(place), frame.ToVelocity(velocity)
	w := view{evidence: &e}
	return w.agrees(vec2{p[0], p[1]}, vec2{v[0], v[1]}, at.Sub(e.at).Seconds())
}
