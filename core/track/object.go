package track

import (
	"math"
	"time"

	"tocsin/core/class"
	"tocsin/core/observation"
)

// object is a track as the picture works on it. What one observation can change, and a
// better assignment of the same look can undo, is in memory.
type object struct {
	memory
	id         ID // empty until confirmed
	born       uint64
	status     Status
	reason     Reason
	into       ID
	revision   int
	since      time.Time
	firstOdds  float64 // log-odds of existence when it started
	cradle     *source // the source whose look started it
	look       *look   // the one in which plots compete
	looks      []*look // the last ones, by time
	stamps     uint64  // beliefs made so far
	cache      forecastCache
	foot       footprint
	footTill   time.Time
	mark       uint64
	missed     time.Time // the last look that counted as a miss, and whose
	missSource *source
	gone       bool
	carried    mat3    // covariance of place, earth-fixed: what its sensors' biases may be
	twin       *object // the older one it was last found to be the same as
	twinned    int     // how often in a row
}

// memory is the undoable part of an object.
type memory struct {
	stamp   uint64    // tells beliefs of one object apart
	at      time.Time // of the belief
	frame   *frame
	blend   blend
	logOdds float64 // of existence
	updates int
	seenAt  time.Time
	parts   [maxParts]part
	count   int // of parts
	recent  []observation.Observation
	says    class.Mix // product of what sources said; all zero: nothing
	creed   creed
	outline outline
	clutter float64 // flatClutter of the first plot
	depths  int     // updates that measured the height
}

// part is one source's contribution.
type part struct {
	source *source
	lastAt time.Time
}

const (
	maxParts  = 8
	maxRecent = 8
)

// forecastCache is the belief moved to the time of the look at hand, so that each plot
// of a scan does not move it again.
type forecastCache struct {
	at    time.Time
	base  uint64 // stamp of the belief it was moved from
	valid bool
	blend blend
	one   state
}

// ahead returns the belief from which this look starts, moved to t.
func (o *object) ahead(base *memory, t time.Time) *forecastCache {
	c := &o.cache
	if c.valid && c.at.Equal(t) && c.base == base.stamp {
		return c
	}
	c.blend = base.blend
	c.blend.predict(&base.frame.world, t.Sub(base.at).Seconds())
	if base.depths == 0 {
		c.blend.bandHeight(base.frame)
	}
	c.one = c.blend.one()
	c.at, c.base, c.valid = t, base.stamp, true
	return c
}

// lastSeenBy is when a source last contributed; zero: never.
func (m *memory) lastSeenBy(s *source) time.Time {
	for _, p := range m.parts[:m.count] {
		if p.source == s {
			return p.lastAt
		}
	}
	return time.Time{}
}

// credit notes that a source contributed; beyond maxParts the longest silent goes.
func (m *memory) credit(s *source, t time.Time) {
	oldest := 0
	for i := range m.parts[:m.count] {
		if m.parts[i].source == s {
			m.parts[i].lastAt = t
			return
		}
		if m.parts[i].lastAt.Before(m.parts[oldest].lastAt) {
			oldest = i
		}
	}
	if m.count < maxParts {
		oldest = m.count
		m.count++
	}
	m.parts[oldest] = part{s, t}
}

// remember keeps an observation among the recent ones. Slices handed out before are not
// written to again: entries are only ever added behind the end of every copy.
func (m *memory) remember(o observation.Observation) {
	if len(m.recent) < cap(m.recent) {
		m.recent = append(m.recent, o)
		return
	}
	keep := m.recent[max(0, len(m.recent)-maxRecent+1):]
	size := 4 * maxRecent
	if len(m.recent) < 3 {
		size = 4 // most never get further
	}
	next := make([]observation.Observation, 0, size)
	next = append(next, keep...)
	m.recent = append(next, o)
}

func (m *memory) recents() []observation.Observation {
	r := m.recent[max(0, len(m.recent)-maxRecent):]
	return r[:len(r):len(r)]
}

// existence is the probability that there is an object at all.
func (m *memory) existence() float64 { return 1 / (1 + math.Exp(-m.logOdds)) }

// reanchor gives an object that has wandered a frame near it, and says whether it did.
func (o *object) reanchor(e earth) bool {
	at := o.outline.p
	if e.plane != nil || math.Hypot(at[0], at[1]) < roam {
		return false
	}
	next := e.at(o.frame.from(vec3{at[0], at[1], 0}))
	r, shift := between(o.frame, next)
	for j := range o.blend.m {
		o.blend.m[j] = o.blend.m[j].rotated(&r, shift)
	}
	o.frame = next
	o.cache.valid = false
	return true
}

// period is the shortest period of the sources that see the object.
func (m *memory) period() time.Duration {
	p := time.Duration(math.MaxInt64)
	for _, c := range m.parts[:m.count] {
		p = min(p, c.source.period)
	}
	if m.count == 0 {
		return defaultPeriod
	}
	return p
}

// spreadAt is the standard deviation of the horizontal position dt seconds after the
// belief, of the widest model that counts.
func (m *memory) spreadAt(dt, least float64) float64 {
	most := 0.0
	for j := range m.blend.m {
		if m.blend.w[j] < least {
			continue
		}
		s := &m.blend.m[j]
		for i := range 2 {
			v := s.pp[i][i] + 2*dt*s.pv[i][i] + dt*dt*s.vv[i][i] + models[j].flat*dt*dt*dt/3
			most = math.Max(most, v)
		}
	}
	return math.Sqrt(most)
}
