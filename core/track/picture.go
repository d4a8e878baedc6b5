package track

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/health"
)

// Config says what a picture is made for. The zero value works and knows no source.
type Config struct {
	// Sources are those that may speak. An observation of another is counted and named, and not used.
	Sources []observation.Source
	// Prefix stands before the number in each track's id. Give every start of the
	// process its own, so that no id is used twice. Empty: "t".
	Prefix string
	// Coast is how long a confirmed track is kept unseen where no source looks. 0: 10 minutes.
	Coast time.Duration
	// Late is how much later than ObservedAt an observation may come and still be used. 0: 30 seconds.
	Late time.Duration
	// MaxTracks bounds confirmed tracks, MaxTentative those not yet confirmed. 0: 20,000 each.
	MaxTracks, MaxTentative int
	// Looks is how many observations a track needs before it is confirmed. 0: 3, or 2 that
	// leave no doubt.
	Looks int
	// Flat makes the world a plane, the tangent plane at this place: for scenarios that
	// are given in flat local metres. nil: the earth.
	Flat *geo.Position
}

func (c Config) filled() Config {
	if c.Prefix == "" {
		c.Prefix = "t"
	}
	if c.Coast <= 0 {
		c.Coast = 10 * time.Minute
	}
	if c.Late <= 0 {
		c.Late = 30 * time.Second
	}
	if c.MaxTracks <= 0 {
		c.MaxTracks = 20000
	}
	if c.MaxTentative <= 0 {
		c.MaxTentative = 20000
	}
	return c
}

// Picture is everything that is followed. It is a value machine: the same calls in the
// same order give the same changes. It is not safe for concurrent use.
type Picture struct {
	config  Config
	earth   earth
	sources map[string]*source
	order   []*source // by id
	set     *setting  // of the engine
	engine  *engine
	past    past
	arrived uint64 // observations taken
	named   uint64 // ids given
	due     tick   // when time alone is looked at next
	faults  faults
	echoes  *echoes
	now     time.Time // of the last call
	seconds uint64    // full ones that have been looked at

	registry registry
	senses   senses
}

// NewPicture returns an empty picture.
func NewPicture(c Config) *Picture {
	p := &Picture{config: c.filled(), sources: map[string]*source{}, echoes: new(echoes)}
	p.earth = newEarth(c.Flat)
	p.past.given = map[uint64]ID{}
	p.set = &setting{config: p.config, earth: p.earth, faults: &p.faults, name: p.name, ended: p.ended, sources: func() []*source { return p.order }, unmatched: func(q *plot) { p.hear(p.now, q.source, q.o) }}
	p.engine = newEngine(p.set)
	p.senses = newSenses(c.Flat)
	p.SetSources(c.Sources)
	return p
}

// SetSources replaces the registered sources. Tracks stay; a source that is gone no
// longer confirms or refutes, one whose registration is unchanged keeps what is known of
// it. Of an id that stands twice the first counts, and the other is named (source-twice).
func (p *Picture) SetSources(sources []observation.Source) {
	next := make(map[string]*source, len(sources))
	for _, reg := range sources {
		if _, twice := next[reg.ID]; twice {
			p.faults.raise(p.engine.head.time(), "source-twice", reg.ID, "two sources are registered with this id; the first counts")
			continue
		}
		if old, ok := p.sources[reg.ID]; ok && old.reg == reg {
			next[reg.ID] = old
			continue
		}
		s := newSource(reg, p.earth)
		if old, ok := p.sources[reg.ID]; ok {
			s.lastAt, s.heard = old.lastAt, old.heard
		}
		next[reg.ID] = s
	}
	p.sources = next
	p.order = p.order[:0]
	for _, reg := range sources {
		if s := next[reg.ID]; s != nil {
			p.order = append(p.order, s)
			delete(next, reg.ID) // a repeated id counts once
		}
	}
	sort.Slice(p.order, func(i, j int) bool { return p.order[i].reg.ID < p.order[j].reg.ID })
	for _, s := range p.order {
		next[s.reg.ID] = s
	}
	p.watch()
}

// soonest is how far ahead of now a sensor's clock may be.
const soonest = 5 * time.Second

// Observe takes one observation and returns the confirmed tracks that it changed, in
// the order in which the tracks were born. now never steps back.
//
// What each body does: Plot, Fix, SensorTrack and Cooperative correct an object or start
// one; one with a Key goes to the object that had the key before, unless it is nowhere
// near. Bearing corrects an object. Presence, and a Bearing that meets none, are gathered
// (package presence): two sources that know nothing of one another make a track of them.
// Cue makes new objects near it likelier and of its kind. Absence lowers the existence of
// what the source should have seen.
//
// An observation may come up to Config.Late after it was observed: the picture is then
// what it would be had it come in its time (see the package comment). Later ones are
// counted (observation-late) and not used; so are those that cannot be measured with
// (observation-refused), those of unknown sources (source-unknown), those said twice
// (observation-repeated), and what would start more objects than one source may
// (source-flood). What is not used is no sign of life either: a source all of whose
// observations are refused sees nothing for us, and the picture must not be called live for it.
func (p *Picture) Observe(now time.Time, o observation.Observation) []Change {
	now = now.UTC().Round(0)
	p.let(now)
	s := p.sources[o.Source]
	if s == nil {
		p.faults.unknown(now, o.Source)
		return p.told()
	}
	if n, ok := p.entry(now, s, &o); ok {
		s.heardAt(now)
		p.bring(tickOf(now), n)
	}
	return p.told()
}

// told hands out what has changed since it last did.
func (p *Picture) told() []Change {
	if len(p.set.told) == 0 {
		return nil
	}
	out := slices.Clone(p.set.told)
	clear(p.set.told)
	p.set.told = p.set.told[:0]
	return out
}

// entry makes of an observation what the engine takes; what it cannot take is counted.
func (p *Picture) entry(now time.Time, s *source, o *observation.Observation) (entry, bool) {
	n := entry{source: s}
	switch age := now.Sub(o.ObservedAt); {
	case o.Body == nil:
		p.faults.refused(now, s.reg.ID, "no body")
		return n, false
	case age > p.config.Late:
		p.faults.late(now, s.reg.ID, age)
		return n, false
	case age < -soonest:
		p.faults.refused(now, s.reg.ID, "observed in the future")
		return n, false
	}
	if p.due == 0 {
		p.due = tickOf(now) - tickOf(now)%sweepEvery + sweepEvery
	}
	if p.sense(now, s, o) {
		return n, false
	}
	n.at = tickOf(o.ObservedAt.Add(-s.bias.Clock))
	switch b := o.Body.(type) {
	case observation.Absence:
		if b.Sector && !finite(float64(b.From), float64(b.To)) {
			p.faults.refused(now, s.reg.ID, "sector is not usable")
			return n, false
		}
		n.absent = &b
	case observation.Cue:
		c, ok := newCue(tickOf(now), s, o, b)
		if !ok {
			p.faults.refused(now, s.reg.ID, "launch cue is not usable")
			return n, false
		}
		n.cue = c
	default:
		o.ObservedAt = o.ObservedAt.UTC().Round(0)
		q := p.past.plot()
		q.o, q.source, q.at = o, s, n.at
		if err := q.g.read(s.taken(o), s, p.earth); err != nil {
			p.faults.refused(now, s.reg.ID, err.Error())
			return n, false
		}
		if p.echoes.again(q) {
			p.faults.raise(now, "observation-repeated", s.reg.ID, "said twice; the second time is not used")
			return n, false
		}
		q.registered = s.logClutter(&q.g)
		n.plot = q
	}
	p.arrived++
	n.seq = p.arrived
	if n.plot != nil {
		n.plot.seq = n.seq
	}
	return n, true
}

// Tick lets time pass and returns the confirmed tracks that changed by it alone.
func (p *Picture) Tick(now time.Time) []Change {
	p.let(now.UTC().Round(0))
	return p.told()
}

// Next is when time alone may change something: call Tick then. False: nothing is followed.
func (p *Picture) Next() (time.Time, bool) {
	return p.due.time(), p.due != 0 && (len(p.engine.objects) > 0 || p.past.stale() || !p.senses.idle())
}

// Live lists the registered sources by id, and which of them are alive.
func (p *Picture) Live(now time.Time) []Live {
	out := make([]Live, 0, len(p.order))
	for _, s := range p.order {
		out = append(out, Live{Source: s.reg, Alive: !s.deaf(now), LastAt: s.lastAt})
	}
	return out
}

// Conditions returns what has been found not well since the last call, in order of name and subject.
func (p *Picture) Conditions() []health.Condition { return p.faults.drain() }

// Tracks returns every confirmed track as it is believed to be at a time, in the order
// in which they were born: for a time that is past, as far as it is kept, as all that
// has been said since about that time has it. It changes nothing.
func (p *Picture) Tracks(at time.Time) []Track {
	t := tickOf(at.UTC().Round(0))
	e := p.asOf(t)
	out := make([]Track, 0, e.firm)
	for _, o := range e.objects {
		if o.id != "" && !o.gone {
			out = append(out, o.export(t))
		}
	}
	return append(out, p.sensedTracks(at)...)
}

// faults gathers conditions, bounded by name and subject.
type faults struct {
	open map[string]*health.Condition
}

const (
	maxFaults  = 64
	maxSubject = 64
)

func (f *faults) raise(now time.Time, name, subject, detail string) {
	if len(subject) > maxSubject {
		subject = subject[:maxSubject]
	}
	c := health.Condition{Name: name, Subject: subject, Raised: true, At: now, Detail: detail, Count: 1}
	if f.open == nil {
		f.open = map[string]*health.Condition{}
	}
	if old, ok := f.open[c.Key()]; ok {
		old.Count++
		old.At, old.Detail = now, detail
		return
	}
	if len(f.open) >= maxFaults {
		c.Subject, c.Detail = "others", "more subjects than are listed"
		if old, ok := f.open[c.Key()]; ok {
			old.Count++
			old.At = now
			return
		}
		if len(f.open) >= maxFaults+8 {
			return
		}
	}
	f.open[c.Key()] = &c
}

// set keeps a condition as it is, raised or cleared; beyond the bound it is not kept.
func (f *faults) set(c health.Condition) {
	if f.open == nil {
		f.open = map[string]*health.Condition{}
	}
	if f.open[c.Key()] != nil || len(f.open) < maxFaults {
		f.open[c.Key()] = &c
	}
}

func (f *faults) unknown(now time.Time, id string) {
	f.raise(now, "source-unknown", id, "observations of a source that is not registered are not used")
}

func (f *faults) refused(now time.Time, id, why string) {
	f.raise(now, "observation-refused", id, why)
}

func (f *faults) late(now time.Time, id string, age time.Duration) {
	f.raise(now, "observation-late", id, fmt.Sprintf("came %s after it was observed", age.Round(time.Second)))
}

func (f *faults) full(now time.Time, what string, bound int) {
	f.raise(now, "track-table-full", what, fmt.Sprintf("%d %s tracks are the bound; new ones are not started", bound, what))
}

func (f *faults) drain() []health.Condition {
	out := make([]health.Condition, 0, len(f.open))
	for _, c := range f.open {
		out = append(out, *c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key() < out[j].Key() })
	f.open = nil
	return out
}
