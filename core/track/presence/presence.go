// Package presence makes tracks of what says only that something is there: acoustic nodes
// that hear, direction finders that point, citizens that report.
//
// In: Presence, Bearing and Absence observations with the source that made them. Out:
// candidates for tracks, each with a place, a velocity and an honest covariance, and the
// sources whose trust has gone. It never knows of plots, and never takes one source's word,
// however often it is said, for that of two.
//
// Each candidate is a cloud of weighted points: where the object may be, and how it may
// fly. A cloud is an existence grid whose cells go where they are needed: a bearing makes
// it a wedge, a second one cuts the wedge to where both agree, and what is heard is held
// against where the object was when it made the sound. The sum of its evidence is the
// log-odds that there is an object at all.
package presence

import (
	"math"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

type vec2 = [2]float64

// Kinds of source that are treated in a way of their own (observation.Source.Kind).
const (
	Acoustic = "acoustic" // hears: its words are about where the object was when the sound left it
	Crowd    = "report"   // citizens: may have heard or seen, may have looked at the clock late
)

// Config says what a Field works on. The zero value works on the earth.
type Config struct {
	// Flat makes the world a plane, the tangent plane at this place. nil: the earth.
	Flat *geo.Position
	// Late is how old an observation may be. 0: 30 seconds.
	Late time.Duration
}

// Bounds of a Field.
const (
	MaxClouds   = 128
	maxClusters = 24 // of one cloud
	maxSources  = 8  // named with one cloud
	maxRecent   = 8
	maxWords    = 1024
	maxTrusts   = 4096
	hearings    = 512 // observations waiting for one Tick; more are counted and not weighed
	fromOne     = 128 // of them from one source
)

// Contribution is a source's part in a candidate.
type Contribution struct {
	Source, Kind string
	LastAt       time.Time
	trust        float64 // as registered
}

// Candidate is a firm cloud as it was believed at At: two clusters of sources that know
// nothing of one another (three where all are citizens) leave little doubt that something
// is there, and the place is known well enough. Position and Velocity are earth-fixed,
// Covariance is of (x, y, z, vx, vy, vz).
type Candidate struct {
	Number     uint64
	At         time.Time
	Position   geo.ECEF
	Velocity   [3]float64
	Covariance [6][6]float64
	Existence  float64
	Clusters   int // how many independent clusters of sources support it
	Updates    int // how many observations were weighed
	Class      class.Mix
	Sources    []Contribution // at most 8, of every kind at least one
	Recent     []observation.Observation
	Since      time.Time
	SeenAt     time.Time // the last supporting observation
}

// Distrust is a source that nobody bears out.
type Distrust struct {
	Source string
	Gone   bool // its trust has gone; false: it is back
	Trust  float64
	Alone  int // how often nobody bore it out
}

// Field holds the clouds. Make one with New. The same calls in the same order give the
// same answers; it is not safe for concurrent use.
type Field struct {
	config  Config
	clouds  []*cloud
	births  uint64
	trusts  map[string]*trust
	told    []Distrust
	words   []word // of the last seconds
	ticks   int
	Copies  int // observations that said again what had just been said from the same place
	Shed    int // observations not weighed because there were too many
	pending []evidence
}

// New returns a Field in which nothing is.
func New(c Config) *Field {
	if c.Late <= 0 {
		c.Late = 30 * time.Second
	}
	return &Field{config: c, trusts: map[string]*trust{}}
}

// Hear takes a Presence, a Bearing or an Absence of a source. It is weighed at the next
// Tick: within one second the order in which observations come changes nothing. An error
// says why an observation is not usable.
func (f *Field) Hear(now time.Time, s *observation.Source, o *observation.Observation) error {
	e, err := read(s, o)
	if err != nil {
		return err
	}
	if age := now.Sub(e.at); age > f.config.Late || age < -f.config.Late {
		return errUnusable("its time is not now")
	}
	same := 0
	for i := range f.pending {
		if p := &f.pending[i]; p.source == e.source {
			same++
			if p.order(e) == 0 {
				f.Copies++
				return nil
			}
		}
	}
	if len(f.pending) >= hearings || same >= fromOne {
		f.Shed++
		return nil
	}
	f.pending = append(f.pending, e)
	return nil
}

// Idle reports whether there is nothing to tick for.
func (f *Field) Idle() bool { return len(f.clouds) == 0 && len(f.pending) == 0 }

// Tick weighs what was heard since the last one and lets time pass. It returns the firm
// candidates, oldest first; one that is not among them any more has ended. Call it every
// second or so; now never steps back.
func (f *Field) Tick(now time.Time) []Candidate {
	slices.SortFunc(f.pending, func(a, b evidence) int { return a.order(b) })
	for i := range f.pending {
		f.weigh(&f.pending[i])
	}
	clear(f.pending)
	f.pending = f.pending[:0]
	kept := f.clouds[:0]
	for _, c := range f.clouds {
		if now.Sub(c.at) >= stride {
			c.to(now)
		}
		if c.over(now) {
			f.judge(c)
			continue
		}
		kept = append(kept, c)
	}
	clear(f.clouds[len(kept):])
	f.clouds = kept
	if f.ticks++; f.ticks%uniteEvery == 0 {
		f.unite()
	}
	var out []Candidate
	for _, c := range f.clouds {
		f.corroborate(c, now)
		if c.firm {
			out = append(out, c.candidate())
		}
	}
	return out
}

const (
	stride     = 4 * time.Second // in which clouds that nothing is heard of are moved
	uniteEvery = 4               // ticks between two looks for clouds that are one
)

// Absorb ends a cloud because a better track is the same object. Those who heard it were right.
func (f *Field) Absorb(number uint64) {
	for i, c := range f.clouds {
		if c.number == number {
			f.credit(c)
			f.clouds = slices.Delete(f.clouds, i, i+1)
			return
		}
	}
}

// Distrusts are the sources whose trust went or came back since the last call.
func (f *Field) Distrusts() []Distrust {
	out := f.told
	f.told = nil
	return out
}

// weigh finds the cloud that an observation is best explained by and lets it count there,
// or starts one.
func (f *Field) weigh(e *evidence) {
	e.trust = f.trustOf(e)
	if f.repeated(e) {
		f.Copies++
		return
	}
	if e.absent {
		for _, c := range f.clouds {
			c.hearNothing(e)
		}
		return
	}
	var best *cloud
	top := 0.0
	for _, c := range f.clouds {
		fit := c.fit(e)
		if e.telling(fit) < leastFit {
			continue
		}
		// One of which much was heard is likelier to be what is heard again.
		if score := fit * math.Sqrt(float64(min(c.updates, wellHeard))); score > top {
			best, top = c, score
		}
	}
	if best == nil {
		if e.trust > goneBelow*e.registered { // what has lost its trust still bears out others
			f.start(e)
		}
		return
	}
	if !best.hear(e, best.fit(e)) {
		f.Copies++
	}
}

// word is who has just said what.
type word struct {
	kind    string
	place   geo.ECEF
	absent  bool
	bearing bool
	azimuth float64
	at      time.Time
}

// repeated reports whether the same was said from the same place within seconds, and
// remembers it if not: a thousand copies of one word are one word.
func (f *Field) repeated(e *evidence) bool {
	kept := f.words[:0]
	for _, w := range f.words {
		if e.at.Sub(w.at).Seconds() < again {
			kept = append(kept, w)
		}
	}
	f.words = kept
	for _, w := range f.words {
		apart := math.Hypot(w.place[0]-e.place[0], math.Hypot(w.place[1]-e.place[1], w.place[2]-e.place[2]))
		turned := math.Abs(math.Remainder(w.azimuth-e.azimuth, 2*math.Pi))
		if w.kind == e.kind && w.absent == e.absent && w.bearing == e.bearing && apart < near && (!e.bearing || turned < 3*e.width) &&
			math.Abs(e.at.Sub(w.at).Seconds()) < again {
			return true
		}
	}
	if len(f.words) < maxWords {
		f.words = append(f.words, word{e.kind, e.place, e.absent, e.bearing, e.azimuth, e.at})
	}
	return false
}

// leastFit is how telling an observation must be for a cloud to count there.
const leastFit = 0.3

const wellHeard = 64 // updates beyond which more make a cloud no likelier

// start begins a cloud. Where there are too many the least likely one makes room.
func (f *Field) start(e *evidence) {
	if len(f.clouds) >= MaxClouds {
		least := 0
		for i, c := range f.clouds {
			if c.odds < f.clouds[least].odds {
				least = i
			}
		}
		if c := f.clouds[least]; c.firm || c.odds >= e.weight() {
			f.Shed++
			return
		}
		f.clouds = slices.Delete(f.clouds, least, least+1)
	}
	f.births++
	f.clouds = append(f.clouds, newCloud(f.births, f.config.Flat, e))
}

// unite ends a younger cloud that is where an older one is.
func (f *Field) unite() {
	kept := f.clouds[:0]
	for i, c := range f.clouds {
		same := false
		for _, o := range f.clouds[:i] {
			if !o.gone && o.same(c) {
				o.adopt(c)
				same = true
				break
			}
		}
		if same {
			c.gone = true
			continue
		}
		kept = append(kept, c)
	}
	clear(f.clouds[len(kept):])
	f.clouds = kept
}

func finite(vs ...float64) bool {
	for _, v := range vs {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
