package track

import (
	"math"
	"time"

	"tocsin/core/class"
	"tocsin/core/observation"
)

// tick is a time of the core: nanoseconds since 1970. Differences are taken millions of
// times a second, and time.Time is three words.
type tick int64

func tickOf(t time.Time) tick { return tick(t.UnixNano()) }

func (t tick) time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(t)).UTC()
}

func (t tick) seconds() float64 { return float64(t) / 1e9 }

func ticks(d time.Duration) tick { return tick(d) }

const second = tick(time.Second)

func absolute(d tick) tick { return max(d, -d) }

// object is a track as the engine works on it. What one observation can change, and a
// better assignment of the same look can undo, is in memory.
type object struct {
	// What is asked of everything that is near a plot stands together.
	born   uint64
	mark   uint64
	gone   bool
	status Status
	reason Reason
	cradle *source // the source whose look started it
	since  tick
	look   look // the one in which plots compete
	memory
	prior      *memory // the belief from before the open look
	id         ID      // empty until confirmed
	founder    uint64  // the observation that began it: arrivals are numbered
	into       ID
	revision   int
	firstOdds  float64 // log-odds of existence when it started
	foot       footprint
	footTill   tick
	missedAt   tick // the last look that counted as a miss, and whose
	missSource *source
	carried    mat3    // covariance of place, earth-fixed: what its sensors' biases may be
	twin       *object // the older one it was last found to be the same as
	twinned    int     // how often in a row
	clutter    float64 // flatClutter of the first plot
	factor     float64 // by how much more false plots its source gave there than registered
	cell       int     // where it was on its source's ground
	counted    int     // what the plot that began it counts as there
}

// look is one pass of one source over one object: the belief it started from, and the
// plots that might be the object. Each plot is assigned at once; when a later plot of
// the same look makes another assignment better, the objects concerned go back to the
// belief the look started from. After the last plot of a scan the result is that of
// one global assignment of the scan, whatever the order in which its plots came.
type look struct {
	source *source // nil: none is open
	from   tick
	serial uint64 // tells the looks of one object apart
	plots  []*plot
	chosen *plot
}

// memory is the undoable part of an object.
type memory struct {
	fact
	blend blend
}

// fact is all of a memory but the belief itself.
type fact struct {
	at      tick // of the belief
	frame   *frame
	outline outline
	updates int
	stamp   uint64 // tells beliefs of one object apart
	count   int    // of parts
	parts   [maxParts]part
	logOdds float64 // of existence
	seenAt  tick
	depths  int // updates that measured the height
	// How high it surely was, and how fast it surely climbed: metres, metres per second.
	highest, steepest float64
	missed            int               // looks since seenAt of sources that had been seeing it, and did not
	seqs              [maxRecent]uint64 // the last observations it rests on, in a ring
	recent            [maxRecent]*observation.Observation
	lore              *lore // nil: nothing was said
}

// take makes m the same as n, but for models that sleep.
func (m *memory) take(n *memory) {
	m.fact = n.fact
	m.blend.take(&n.blend)
}

// lore is what was said of an object besides where it is. It is never written to once
// it is made: what is said next makes another.
type lore struct {
	says  class.Mix // of the sources without a confusion matrix, together; all zero: nothing
	words *words    // of those with one; nil: nothing. Never written to once it is made.
	creed creed
}

// part is one source's contribution.
type part struct {
	source *source
	lastAt tick
}

const (
	maxParts  = 8
	maxRecent = 8
)

// lastSeenBy is when a source last contributed; zero: never.
func (m *memory) lastSeenBy(s *source) tick {
	for i := range m.parts[:m.count] {
		if m.parts[i].source == s {
			return m.parts[i].lastAt
		}
	}
	return 0
}

// credit notes that a source contributed; beyond maxParts the longest silent goes.
func (m *memory) credit(s *source, t tick) {
	oldest := 0
	for i := range m.parts[:m.count] {
		if m.parts[i].source == s {
			m.parts[i].lastAt = t
			return
		}
		if m.parts[i].lastAt < m.parts[oldest].lastAt {
			oldest = i
		}
	}
	if m.count < maxParts {
		oldest = m.count
		m.count++
	}
	m.parts[oldest] = part{s, t}
}

// remember keeps an observation among the recent ones.
func (m *memory) remember(q *plot) {
	m.seqs[m.updates%maxRecent] = q.seq
	m.recent[m.updates%maxRecent] = q.o
}

// recents are the last observations it rests on, oldest first.
func (m *memory) recents() []*observation.Observation {
	n := min(m.updates, maxRecent)
	out := make([]*observation.Observation, n)
	for i := range out {
		out[i] = m.recent[(m.updates-n+i)%maxRecent]
	}
	return out
}

// existence is the probability that there is an object at all.
func (m *memory) existence() float64 { return 1 / (1 + math.Exp(-m.logOdds)) }

// reanchor gives an object that has wandered a frame near it, and says whether it did.
func (o *object) reanchor(e earth) bool {
	at := o.outline.p
	if e.plane != nil || at[0]*at[0]+at[1]*at[1] < roam*roam {
		return false
	}
	next := e.at(o.frame.from(vec3{at[0], at[1], 0}))
	r, shift := between(o.frame, next)
	for j := range o.blend.m {
		if o.blend.w[j] > 0 {
			o.blend.m[j] = o.blend.m[j].rotated(&r, shift)
		}
	}
	o.frame = next
	o.stamp = 0
	return true
}

// period is the shortest period of the sources that see the object.
func (m *memory) period() tick {
	p := tick(math.MaxInt64)
	for i := range m.parts[:m.count] {
		p = min(p, m.parts[i].source.period)
	}
	if m.count == 0 {
		return ticks(defaultPeriod)
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

// reckon is roughly where the object is dt seconds after its belief, and how sure that
// is: what is asked of everything that is followed must be cheap.
func (m *memory) reckon(dt float64) (p vec3, sigma float64) {
	s := m.blend.chief()
	for k := range 3 {
		p[k] = s.p[k] + s.v[k]*dt
	}
	v := 0.0
	for i := range 2 {
		v = max(v, s.pp[i][i]+2*dt*s.pv[i][i]+dt*dt*s.vv[i][i])
	}
	return p, math.Sqrt(max(v, 0))
}
