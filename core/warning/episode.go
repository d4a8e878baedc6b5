package warning

import (
	"cmp"
	"maps"
	"slices"
	"time"
	"tocsin/core/threat"

	"tocsin/core/zone"
)

// MaxNamed is how many causes a warning names in writing, those that are over left out
// first. All of them count.
const MaxNamed = 128

// episode is a warning at work: what is so now, beside what was last spoken.
type episode struct {
	id       ID
	since    time.Time
	by       Issuer
	reason   string
	auto     bool
	members  []*member // in force, ascending by zone
	ended    map[zone.ID]EndedZone
	causes   []Cause
	lost     int // members that only lost causes keep
	blind    int // members that wait for a sensor
	said     Warning
	revision int

	untold  bool // in Book.untold
	waiting bool // in Book.pending
	loud    bool // what changed is more than arrival and sureness
	urgent  bool // a stage began in it
	touched map[zone.ID]bool
	left    []zone.ID // ended since last spoken
}

// open starts a warning.
func (b *Book) open(by Issuer, auto bool, reason string) *episode {
	e := &episode{
		id: b.newID(), since: b.now, by: by, auto: auto, reason: reason,
		ended: map[zone.ID]EndedZone{}, touched: map[zone.ID]bool{},
	}
	b.enter(e)
	return e
}

// enter puts a warning in its place by Since, then ID.
func (b *Book) enter(e *episode) {
	b.byID[e.id] = e
	i, _ := slices.BinarySearchFunc(b.episodes, e, older)
	b.episodes = slices.Insert(b.episodes, i, e)
}

func older(x, y *episode) int {
	return cmp.Or(x.since.Compare(y.since), cmp.Compare(x.id, y.id))
}

// homeOf finds the warning that takes the zones of a track: the oldest automatic one that
// holds one of its zones, or did within the policy's rearm, or has it as a cause; else a new
// one. Within a step the answer stays, while there is room.
func (b *Book) homeOf(s *subject) *episode {
	if e := s.home; e != nil && s.homeStep.Equal(b.now) && e.room() && (len(e.members) > 0 || e.revision == 0) {
		return e
	}
	var home *episode
	look := func(p *place) {
		if p.auto == nil || !p.auto.ep.room() {
			return
		}
		if e := p.auto.ep; home == nil || older(e, home) < 0 {
			home = e
		}
	}
	for _, p := range s.reaches {
		look(p)
	}
	for _, p := range s.causeOf {
		look(p)
	}
	for _, e := range b.episodes {
		if home != nil && older(home, e) < 0 {
			break
		}
		if e.auto && e.room() && b.rearms(e, s) {
			home = e
			break
		}
	}
	if home == nil {
		home = b.open(Issuer{Kind: ByPolicy}, true, "")
	}
	s.home, s.homeStep = home, b.now
	return home
}

// rearms reports whether a zone that the track reaches has left a warning so lately, by
// evidence or by time, that what comes now belongs to it. What a person called a mistake is
// over.
func (b *Book) rearms(e *episode, s *subject) bool {
	for _, p := range s.reaches {
		z, left := e.ended[p.id]
		if left && z.End != Cancelled && b.now.Sub(z.At) < b.policy.Rearm {
			return true
		}
	}
	return false
}

func (e *episode) room() bool { return e.size() < MaxZones }

func (e *episode) find(id zone.ID) (int, bool) {
	return slices.BinarySearchFunc(e.members, id, func(m *member, id zone.ID) int { return cmp.Compare(m.st.Zone, id) })
}

// add takes a zone into a warning; if it had left it, it is back.
func (e *episode) add(m *member) {
	i, _ := e.find(m.st.Zone)
	e.members = slices.Insert(e.members, i, m)
	delete(e.ended, m.st.Zone)
	e.left = slices.DeleteFunc(e.left, func(id zone.ID) bool { return id == m.st.Zone })
}

// move is the one way from one life to the next.
func (b *Book) move(m *member, to life, by mover) bool {
	if !allowed(m.life, to, by) {
		b.raise("step-refused", string(m.st.Zone), true, m.life.String()+" to "+to.String(), 0)
		return false
	}
	m.life = to
	return true
}

// end takes a zone out of a warning.
func (b *Book) end(m *member, e End, by mover, who Issuer, why string) {
	if !b.move(m, lifeAfter(e), by) {
		return
	}
	m.ep.settle(m, by)
	b.setLost(m, false)
	b.setBlind(m, false)
	b.detach(m)
	m.ep.ended[m.st.Zone] = EndedZone{ZoneState: m.st, End: e, At: b.now, By: who, Why: clip(why, 2*maxLine)}
	m.ep.left = append(m.ep.left, m.st.Zone)
	b.touch(m, true)
}

// detach unties a member from its place, its causes and its warning.
func (b *Book) detach(m *member) {
	p := m.at
	if p.auto == m {
		p.auto = nil
	}
	p.declared = slices.DeleteFunc(p.declared, func(x *member) bool { return x == m })
	b.release(m)
	if i, ok := m.ep.find(m.st.Zone); ok {
		m.ep.members = slices.Delete(m.ep.members, i, i+1)
	}
}

// touch notes that a zone of a warning changed; loud is more than arrival and sureness.
func (b *Book) touch(m *member, loud bool) {
	e := m.ep
	e.touched[m.st.Zone] = true
	e.loud = e.loud || loud
	if !e.waiting {
		e.waiting = true
		b.pending = append(b.pending, e)
	}
}

// speakAt is when what changed may be said: at once for a new warning, else so long after
// the last change that there is one alert per warning and tick.
func (e *episode) speakAt() time.Time {
	switch {
	case e.revision == 0:
		return e.since
	case e.loud:
		return e.said.At.Add(tick)
	default:
		return e.said.At.Add(arrivalTick)
	}
}

// mostSaid is how many zones' worth of warnings that tell no new danger are said in one
// call. To word thousands of zones again takes longer than anyone in danger should wait for
// what is behind it: what is over the bound is said in the next calls, which are due at once.
const mostSaid = 2048

// speak says what may be said now: all in which a stage began; of the others as many as the
// bound allows, the longest waiting first. A person's hand is said at once.
func (b *Book) speak(atOnce bool) []Change {
	if len(b.pending) == 0 {
		return nil
	}
	slices.SortFunc(b.pending, older)
	var out []Change
	var later []*episode
	waits := b.overBound(atOnce)
	for _, e := range b.pending {
		if waits[e] || !atOnce && e.speakAt().After(b.now) {
			later = append(later, e)
			continue
		}
		out = append(out, b.say(e))
	}
	b.pending = later
	return out
}

// overBound is which of the pending warnings could be said now and must wait for the next
// call; the first is never among them.
func (b *Book) overBound(atOnce bool) map[*episode]bool {
	if atOnce {
		return nil
	}
	zones := 0
	var calm []*episode
	for _, e := range b.pending {
		if !e.urgent && !e.speakAt().After(b.now) {
			calm = append(calm, e)
			zones += e.size()
		}
	}
	if zones <= mostSaid {
		return nil
	}
	slices.SortStableFunc(calm, func(x, y *episode) int { return x.speakAt().Compare(y.speakAt()) })
	waits := map[*episode]bool{}
	said := 0
	for i, e := range calm {
		if said += e.size(); i > 0 && said > mostSaid {
			waits[e] = true
		}
	}
	return waits
}

// size is how many zones there are to speak of.
func (e *episode) size() int { return len(e.members) + len(e.ended) }

// say makes the next revision of a warning.
func (b *Book) say(e *episode) Change {
	e.revision++
	arrivalOnly := !e.loud && e.revision > 1
	for _, m := range e.members {
		if m.fresh {
			m.st.Since, m.fresh = b.now, false
		}
	}
	for _, id := range e.left {
		z := e.ended[id]
		z.At = b.now
		if p := b.places[id]; p != nil {
			z.Under, _ = p.held(e)
		}
		if e.auto && z.End == AllClear && z.By.Kind == ByPolicy {
			b.letOutOf(id, b.now)
		}
		e.ended[id] = z
	}
	b.recount(e)
	w := Warning{
		ID: e.id, Revision: e.revision, At: b.now, Since: e.since, By: e.by, Reason: e.reason, Policy: b.policy.Hash,
		Causes: slices.Clone(e.causes), Zones: make([]ZoneState, 0, len(e.members)),
	}
	for _, m := range e.members {
		w.Zones = append(w.Zones, m.st)
	}
	for _, id := range slices.Sorted(maps.Keys(e.ended)) {
		w.Ended = append(w.Ended, e.ended[id])
	}
	touched := make([]zone.ID, 0, len(e.touched))
	for id := range e.touched {
		touched = append(touched, id)
	}
	slices.Sort(touched)
	e.said, e.loud, e.urgent, e.waiting, e.left = w, false, false, false, nil
	clear(e.touched)
	return Change{Warning: w.clone(), Touched: touched, ArrivalOnly: arrivalOnly}
}

// lostDetail says what the operator should know, with the feeds that are not well.
func (b *Book) lostDetail() string {
	names := slices.Sorted(slices.Values(b.feeds))
	s := "what it is about is not seen now; it is extended until the policy's longest and can be ended by an operator"
	for i, n := range names {
		if i == 4 {
			break
		}
		s += "; " + clip(n, 60)
	}
	return s
}

// clone copies a warning but for each Basis, which is never changed once it is made.
func (w Warning) clone() Warning {
	w.Causes, w.Zones, w.Ended = slices.Clone(w.Causes), slices.Clone(w.Zones), slices.Clone(w.Ended)
	return w
}

// involve names a track among the causes of a warning.
func (e *episode) involve(s *subject) {
	for i := range e.causes {
		if e.causes[i].Track == string(s.id) {
			return
		}
	}
	if len(e.causes) >= MaxNamed {
		i := slices.IndexFunc(e.causes, func(c Cause) bool { return c.Over != "" })
		if i < 0 {
			return
		}
		e.causes = slices.Delete(e.causes, i, i+1)
	}
	e.causes = append(e.causes, Cause{Track: string(s.id), Threat: s.class})
}

// recount brings the causes of a warning up to what its zones know of them.
func (b *Book) recount(e *episode) {
	if !e.auto {
		return
	}
	over := map[threat.TrackID]string{} // empty: open in some zone
	for _, m := range e.members {
		for _, c := range m.causes {
			if was, ok := over[c.track]; !ok || was != "" {
				over[c.track] = c.over
			}
		}
	}
	for i := range e.causes {
		c := &e.causes[i]
		s := b.tracks[threat.TrackID(c.Track)]
		why, held := over[threat.TrackID(c.Track)]
		c.Lost = false
		if held {
			c.Over = why
			c.Lost = why == "" && (s == nil || !s.alive(b.now))
		}
		if s != nil {
			c.Threat, c.SeenAt = s.class, stamp(s.f.SeenAt)
			if len(s.f.Evidence) > 0 {
				c.Evidence = s.f.Evidence
			}
		}
	}
}

// settle writes down how the causes of a zone that leaves were over; where others still
// hold them, recount says otherwise.
func (e *episode) settle(m *member, by mover) {
	for i := range e.causes {
		k := m.cause(threat.TrackID(e.causes[i].Track))
		if k < 0 {
			continue
		}
		e.causes[i].Over = m.causes[k].over
		if by&persons != 0 {
			e.causes[i].Over = "operator"
		}
	}
}

// setLost and setBlind keep count of a warning's zones that stand on memory, or wait for
// a sensor, and have it told where that begins or ends.
func (b *Book) setLost(m *member, on bool)  { b.set(m.ep, &m.lost, on, &m.ep.lost) }
func (b *Book) setBlind(m *member, on bool) { b.set(m.ep, &m.blind, on, &m.ep.blind) }

func (b *Book) set(e *episode, flag *bool, on bool, count *int) {
	if *flag == on {
		return
	}
	*flag = on
	if on {
		*count++
	} else {
		*count--
	}
	if !e.untold {
		e.untold = true
		b.untold = append(b.untold, e)
	}
}

// tellAll raises and clears the conditions of the warnings whose counts changed.
func (b *Book) tellAll() {
	for _, e := range b.untold {
		e.untold = false
		b.raise("warning-on-lost-cause", string(e.id), e.lost > 0, b.lostDetail(), 0)
		b.raise("warning-uncovered", string(e.id), e.blind > 0,
			"its causes are over, but no live sensor covers some of its zones: it will expire, not clear; an operator can end it", 0)
	}
	b.untold = nil
}

// declaredCause is what a declared warning is about.
func declaredCause(c Command) []Cause {
	return []Cause{{Declared: c.ID, Threat: c.Threat}}
}
