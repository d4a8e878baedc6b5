package warning

import (
	"cmp"
	"slices"
	"time"
	"tocsin/core/threat"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// place is what the book knows of one zone: what threatens it and which warnings hold it.
type place struct {
	id       zone.ID
	shelter  time.Duration // to reach shelter
	people   int           // who live there
	across   float64       // metres, as a circle of its area; 0: not worked out yet
	parts    []part        // ascending by track
	auto     *member       // in the one automatic warning that holds it
	declared []*member     // in declared ones, in the order they came
	respects []respect     // bounded by maxCauses
	ask      asked
	marked   bool
	letOutAt time.Time // when the policy last told people here that it is over; zero: not lately
	pressing bool      // what changed may begin a stage, or its time has come: not to be left for later
	due      time.Time // when to look again, while slot > 0
	slot     int       // in the timer, from 1
}

func (p *place) find(id threat.TrackID) (int, bool) {
	return slices.BinarySearchFunc(p.parts, id, func(x part, id threat.TrackID) int { return cmp.Compare(x.s.id, id) })
}

func (p *place) put(x part) {
	i, found := p.find(x.s.id)
	if found {
		p.parts[i] = x
		return
	}
	p.parts = slices.Insert(p.parts, i, x)
}

func (p *place) drop(id threat.TrackID) {
	if i, found := p.find(id); found {
		p.parts = slices.Delete(p.parts, i, i+1)
	}
}

// idle reports that there is nothing to know of the place.
func (p *place) idle() bool {
	return len(p.parts) == 0 && p.auto == nil && len(p.declared) == 0 && len(p.respects) == 0
}

// held reports which other warning holds the place, the gravest of them.
func (p *place) held(but *episode) (ID, bool) {
	var top *member
	for _, m := range append([]*member{p.auto}, p.declared...) {
		if m == nil || m.ep == but || !m.life.inForce() {
			continue
		}
		if top == nil || Graver(m.st, top.st) {
			top = m
		}
	}
	if top == nil {
		return "", false
	}
	return top.ep.id, true
}

// Graver reports whether a is shown rather than b, of two states of one zone: stage
// first, then earlier arrival (a known one before an unknown one), then the contract's
// order of threats.
func Graver(a, b ZoneState) bool {
	if a.Stage != b.Stage {
		return a.Stage > b.Stage
	}
	if a.Arrival.Known() != b.Arrival.Known() {
		return a.Arrival.Known()
	}
	if !a.Arrival.Earliest.Equal(b.Arrival.Earliest) {
		return a.Arrival.Earliest.Before(b.Arrival.Earliest)
	}
	return a.Threat.Rank() < b.Threat.Rank()
}

// member is one zone in one warning, as it is now; what was spoken is in the episode.
type member struct {
	ep    *episode
	at    *place
	life  life
	fresh bool // its stage is not spoken yet
	st    ZoneState

	// Of automatic warnings only.
	causes  []cause   // in the order they came; bounded by maxCauses
	folded  cause     // causes over the bound, as one that is lost from the start
	clearAt time.Time // since when everything speaks for its end; zero: it does not
	lost    bool      // only causes that are lost keep it
	blind   bool      // everything speaks for its end, but no live sensor covers it
}

// cause is one track that threatens, or threatened, one zone of a warning.
type cause struct {
	track  threat.TrackID
	class  class.Class
	mix    class.Mix // what it may be, when it last threatened; zero: not known
	latest time.Time // of its arrival when it last threatened; zero: unknown
	seenAt time.Time
	left   float64   // probability that it is there and reaches the zone, as last seen; see heed
	heeded time.Time // when left was last brought up to date; zero: never, it is not known
	over   string    // how it is over, or empty
}

func (m *member) cause(id threat.TrackID) int {
	return slices.IndexFunc(m.causes, func(c cause) bool { return c.track == id })
}

// each yields every cause, the folded ones as one.
func (m *member) each(yield func(*cause) bool) {
	for i := range m.causes {
		if !yield(&m.causes[i]) {
			return
		}
	}
	if !m.folded.seenAt.IsZero() {
		yield(&m.folded)
	}
}

// involve makes a track that threatens a zone in force a cause of its warning there, and
// keeps what is known of it current.
func (b *Book) involve(m *member, x part) {
	i := m.cause(x.s.id)
	fresh := i < 0
	if fresh {
		i = b.addCause(m, x)
	}
	if i < 0 {
		return
	}
	c := &m.causes[i]
	c.class, c.mix, c.seenAt = x.s.class, x.s.mix, latest(c.seenAt, stamp(x.s.f.SeenAt))
	// What is drawn on from a sighting long ago lies so wide that a hundredth of it is over
	// every zone around: once that is all, when it was to come by stands.
	if x.arrival.Known() && (fresh || x.s.alive(b.now) || b.stillOf(x, m.st.Stage) >= 1) {
		c.latest = x.arrival.Latest
	}
}

// addCause returns the index of the new cause, or -1 where it was folded: then the zone
// keeps the latest arrival of all that were, and waits for that.
func (b *Book) addCause(m *member, x part) int {
	if len(m.causes) >= maxCauses {
		m.folded.seenAt = latest(m.folded.seenAt, stamp(x.s.f.SeenAt))
		if x.arrival.Latest.After(m.folded.latest) {
			m.folded.latest = x.arrival.Latest
		}
		return -1
	}
	m.causes = append(m.causes, cause{track: x.s.id})
	x.s.causeOf = with(x.s.causeOf, m.at)
	b.nameCauses(m)
	m.ep.involve(x.s)
	return len(m.causes) - 1
}

// nameCauses writes down what a zone's causes are, so that the journal knows it: after a
// restart they are waited for.
func (b *Book) nameCauses(m *member) {
	names := make([]string, len(m.causes))
	for i, c := range m.causes {
		names[i] = string(c.track)
	}
	m.st.Basis.Causes = names
	b.touch(m, false)
}

// release unties a zone that leaves a warning from its causes.
func (b *Book) release(m *member) {
	for _, c := range m.causes {
		s := b.tracks[c.track]
		if s == nil {
			b.unorphan(c.track, m.at)
			continue
		}
		s.causeOf = without(s.causeOf, m.at)
		if len(s.causeOf) == 0 && s.f.Status == threat.Ended {
			delete(b.tracks, s.id)
		}
	}
	m.causes, m.folded = nil, cause{}
}

func (b *Book) unorphan(id threat.TrackID, p *place) {
	if rest := without(b.orphans[id], p); len(rest) > 0 {
		b.orphans[id] = rest
	} else {
		delete(b.orphans, id)
	}
}

// with and without keep a set of places in ascending order.
func with(ps []*place, p *place) []*place {
	if i, found := slices.BinarySearchFunc(ps, p, byZone); !found {
		return slices.Insert(ps, i, p)
	}
	return ps
}

func without(ps []*place, p *place) []*place {
	if i, found := slices.BinarySearchFunc(ps, p, byZone); found {
		return slices.Delete(ps, i, i+1)
	}
	return ps
}

func byZone(x, y *place) int { return cmp.Compare(x.id, y.id) }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
