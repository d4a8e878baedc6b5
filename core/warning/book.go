package warning

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/core/zone"
	"tocsin/health"
)

// Bounds of a book. At each of them something is said (a condition) and nothing that is
// warned is let go.
const (
	// MaxZones is how many zones one warning holds, ended ones included; what is over goes
	// to a further warning.
	MaxZones = 2048
	// MaxWarnings is how many warnings a book holds, those that ended in the last hour
	// included. The oldest of those that are over are forgotten first; where all are in
	// force, a declare is refused, and the policy's zones go to the newest warning that has
	// room.
	MaxWarnings = 4096
	// maxTracks is how many tracks are followed; those over it are not heard.
	maxTracks = 50_000
	// maxCauses is how many tracks one zone, and one warning in writing, names.
	maxCauses = 64
	// maxEvidence and maxLine bound what is kept of a track's evidence.
	maxEvidence, maxLine = 8, 240
	// maxCommands is how many ids of commands are remembered, the oldest forgotten first.
	maxCommands = 16_384
)

// What time does to a warning.
const (
	// extension is how long a zone stays warned without news; it is extended when less than
	// a third of it is left, so that a long warning has one CAP Update in ten minutes.
	extension = 15 * time.Minute
	// grid is what an automatic until is rounded up to, so that zones share one and the
	// board's items are few.
	grid = 5 * time.Minute
	// tick is the least time between two changes of a warning, arrivalTick between two
	// that say nothing but an arrival.
	tick        = time.Second
	arrivalTick = 10 * time.Second
	// remembered is how long a warning that is over is kept, as the board keeps its ends.
	remembered = time.Hour
	// settle is how long after a restart nothing is taken for evidence: tracks must first
	// have had time to form again.
	settle = 30 * time.Second
)

// Options are what the book knows of the world besides zones and policy.
type Options struct {
	// Shelter is the time to reach shelter where the zone set states none; 0 is 120 s.
	Shelter time.Duration
	// Delivery is the time from decision to the citizen; 0 is 15 s.
	Delivery time.Duration
}

// Book is the core's state of all warnings. It is not safe for concurrent use: one loop
// owns it. Times it is given may repeat but are taken as never going back.
type Book struct {
	zones  *zone.Set
	policy Policy
	opts   Options

	now      time.Time
	cover    threat.Coverage
	settled  time.Time // before it nothing is evidence
	tracks   map[threat.TrackID]*subject
	orphans  map[threat.TrackID][]*place // where a track is a cause that is not heard of (yet)
	places   map[zone.ID]*place
	dirty    []*place
	timer    timer
	episodes []*episode // ascending Since, then ID
	byID     map[ID]*episode
	pending  []*episode // changed and not yet spoken
	untold   []*episode // whose conditions changed
	opened   time.Time  // when a warning was last opened, and the last suffix then
	suffix   int
	forgot   time.Time // when what is over was last let go
	taken    ledger
	raised   map[string]health.Condition // ours, by key
	out      []health.Condition          // ours, not yet drained
	feeds    []string                    // what of others is not well
	asking   []*place                    // what waits for a person, ascending
	asked    bool                        // whether anything did when it was last told

	any      threat.Together // workspace of judge
	together [class.Count]threat.Together
}

// NewBook makes a book without warnings.
func NewBook(zones *zone.Set, p Policy, o Options) *Book {
	if o.Shelter == 0 {
		o.Shelter = 120 * time.Second
	}
	if o.Delivery == 0 {
		o.Delivery = 15 * time.Second
	}
	return &Book{
		zones: zones, policy: p, opts: o,
		tracks: map[threat.TrackID]*subject{}, orphans: map[threat.TrackID][]*place{}, places: map[zone.ID]*place{}, byID: map[ID]*episode{},
		raised: map[string]health.Condition{},
	}
}

// Weigh is told what changed and says which warnings did, in the order of their Since,
// then ID. Forecasts are those that changed since the last call, in any fixed order: the
// book keeps the last of each track. Conditions are those of others that are raised
// now: they are named where a warning outlives what it is about, and decide nothing.
func (b *Book) Weigh(now time.Time, forecasts []threat.Forecast, cover threat.Coverage, conditions []health.Condition) []Change {
	b.advance(now)
	b.cover = cover
	b.hear(conditions)
	for _, f := range forecasts {
		b.take(f)
	}
	for _, p := range b.timer.due(b.now) {
		p.pressing = true
		b.mark(p)
	}
	b.weighMarked(mostWeighed)
	changes := b.speak(false)
	b.tellAll()
	if b.now.Sub(b.forgot) >= time.Minute {
		b.forget()
	}
	return changes
}

// mostWeighed is how many places in which nothing presses are weighed in one call. One
// forecast of a missile touches thousands; where it can begin a stage it is weighed at once,
// and the others, where it only adds to what is so or is far below anything, must not keep
// the next observation waiting. They follow in the next calls, which are due at once.
const mostWeighed = 64

// everything weighs all that is marked.
const everything = math.MaxInt

// weighMarked evaluates the places where something may have changed: those that press, and
// at most so many others, the longest waiting first; ascending.
func (b *Book) weighMarked(most int) {
	now := b.dirty
	b.dirty = nil
	if len(now) > most {
		var later []*place
		rest := 0
		now = slices.DeleteFunc(now, func(p *place) bool {
			if p.pressing {
				return false
			}
			if rest++; rest > most {
				later = append(later, p)
				return true
			}
			return false
		})
		b.dirty = later
	}
	slices.SortFunc(now, byZone)
	for _, p := range now {
		p.marked, p.pressing = false, false
		b.evaluate(p)
		b.retire(p)
	}
	b.askPersons()
}

// Next is when Weigh must be called even if nothing else happens; false: no need.
func (b *Book) Next() (time.Time, bool) {
	next, ok := b.timer.next()
	for _, e := range b.pending {
		if at := e.speakAt(); !ok || at.Before(next) {
			next, ok = at, true
		}
	}
	if len(b.dirty) > 0 || ok && next.Before(b.now) {
		return b.now, true
	}
	return next, ok
}

// Conditions returns the book's own conditions that changed since the last call.
func (b *Book) Conditions() []health.Condition {
	out := b.out
	b.out = nil
	return out
}

// Warnings returns every warning in force and those that ended in the last hour, as last
// spoken, in the order of their Since, then ID.
func (b *Book) Warnings() []Warning {
	out := make([]Warning, 0, len(b.episodes))
	for _, e := range b.episodes {
		if e.revision > 0 {
			out = append(out, e.said.clone())
		}
	}
	return out
}

// Warning returns one warning as last spoken.
func (b *Book) Warning(id ID) (Warning, bool) {
	e, ok := b.byID[id]
	if !ok || e.revision == 0 {
		return Warning{}, false
	}
	return e.said.clone(), true
}

// Policy returns the policy in force.
func (b *Book) Policy() Policy { return b.policy }

// SetPolicy changes the rules. What is in force stays in force until its end under the
// new rules.
func (b *Book) SetPolicy(now time.Time, p Policy) []Change {
	b.advance(now)
	b.policy = p
	for _, id := range slices.Sorted(maps.Keys(b.tracks)) {
		b.judgeTrack(b.tracks[id])
		b.bound(b.tracks[id])
	}
	for _, id := range slices.Sorted(maps.Keys(b.places)) {
		b.mark(b.places[id])
	}
	b.weighMarked(everything)
	changes := b.speak(false)
	b.tellAll()
	return changes
}

func (b *Book) advance(now time.Time) {
	if now = stamp(now); now.After(b.now) {
		b.now = now
	}
}

// stamp brings a time to what is stored and sent: UTC, whole milliseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// mark has a place evaluated in this step.
func (b *Book) mark(p *place) {
	if !p.marked {
		p.marked = true
		b.dirty = append(b.dirty, p)
	}
}

// place returns the book's record of a zone, making it where there is none.
func (b *Book) place(id zone.ID) *place {
	p := b.places[id]
	if p == nil {
		p = &place{id: id}
		b.describe(p)
		b.places[id] = p
	}
	return p
}

// unknownPeople is how many live in a zone of which that is not known.
const unknownPeople = 5_000

// describe takes over what the set says of a zone.
func (b *Book) describe(p *place) {
	p.shelter, p.people, p.across = b.opts.Shelter, unknownPeople, 0
	z, ok := b.zones.Get(p.id)
	if ok && z.ShelterKnown {
		p.shelter = z.Shelter
	}
	if ok && z.PopulationKnown {
		p.people = z.Population
	}
}

// retire drops the record of a zone that nothing threatens, warns or remembers.
func (b *Book) retire(p *place) {
	if p.idle() && !p.marked && !b.letOut(p) {
		b.timer.drop(p)
		delete(b.places, p.id)
	}
}

// newID makes the id of a warning that starts now: unique over restarts because time
// does not go back, and within a millisecond by a suffix.
func (b *Book) newID() ID {
	if !b.now.Equal(b.opened) {
		b.opened, b.suffix = b.now, 0
	}
	stem := "w" + strconv.FormatInt(b.now.UnixMilli(), 36)
	for {
		id := ID(stem)
		if b.suffix++; b.suffix > 1 {
			id = ID(stem + "-" + strconv.Itoa(b.suffix))
		}
		if b.byID[id] == nil {
			return id
		}
	}
}

// forget lets go of warnings that have been over for an hour, and of the oldest that are
// over where there are too many.
func (b *Book) forget() {
	b.forgot = b.now
	excess := len(b.episodes) - MaxWarnings
	b.episodes = slices.DeleteFunc(b.episodes, func(e *episode) bool {
		if len(e.members) > 0 || e.waiting {
			return false
		}
		old := !e.said.At.Add(remembered).After(b.now)
		if old || excess > 0 {
			excess--
			delete(b.byID, e.id)
			return true
		}
		return false
	})
	b.forgetUnknown()
}

// maxRaised bounds the conditions that are raised at a time.
const maxRaised = 8192

// raise states one of the book's own conditions; what is already so is not said again,
// unless its count changed.
func (b *Book) raise(name, subject string, on bool, detail string, count int) {
	c := health.Condition{Name: name, Subject: subject, Raised: on, At: b.now, Detail: detail, Count: count}
	old, was := b.raised[c.Key()]
	if on == was && (!on || old.Count == count) || on && !was && len(b.raised) >= maxRaised {
		return
	}
	if on {
		b.raised[c.Key()] = c
	} else {
		c.Detail, c.Count = "", 0
		delete(b.raised, c.Key())
	}
	b.out = append(b.out, c)
}

// maxFeeds is how many conditions of others are looked at.
const maxFeeds = 64

// hear keeps the names of what of others is not well.
func (b *Book) hear(cs []health.Condition) {
	b.feeds = b.feeds[:0]
	for _, c := range cs {
		if c.Raised && len(b.feeds) < maxFeeds {
			b.feeds = append(b.feeds, c.Name+" "+c.Subject)
		}
	}
}
