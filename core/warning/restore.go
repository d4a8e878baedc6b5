package warning

import (
	"cmp"
	"maps"
	"slices"
	"time"
	"tocsin/core/threat"

	"tocsin/core/zone"
)

// Restore takes up the last revision of every warning in force, and of those that ended
// within the last hour, after a restart. It comes before anything else. It changes and
// says nothing: what was in force stays so, with its causes lost until tracks form again;
// for the settling time nothing is evidence of an end.
//
// What a restart forgets can only make a warning longer: for how long a danger has been
// gone (the hold time starts anew), by how little an arrival had moved since it was said,
// and that a person's end holds against a track, where the track comes back under another
// id. A zone that the set no longer has is warned as SetZones would, at the next Weigh.
func (b *Book) Restore(now time.Time, ws []Warning) {
	b.advance(now)
	b.settled = b.now.Add(settle)
	ordered := slices.Clone(ws)
	slices.SortFunc(ordered, func(x, y Warning) int {
		if c := x.Since.Compare(y.Since); c != 0 {
			return c
		}
		return cmp.Compare(x.ID, y.ID)
	})
	for _, w := range ordered {
		if b.byID[w.ID] == nil {
			b.restore(w)
		}
	}
	for _, e := range slices.Clone(b.episodes) {
		for _, m := range slices.Clone(e.members) {
			b.rehome(m)
		}
	}
	for _, e := range b.episodes {
		for _, id := range slices.Sorted(maps.Keys(e.ended)) {
			if _, ok := b.zones.Index(id); !ok && b.toldOf(e.ended[id]) {
				b.raise("zone-unknown", string(id), true, "is not in the zone set any more, and was warned: "+e.ended[id].Why, 0)
			}
		}
	}
	for _, p := range b.dirty {
		p.marked = false
		b.timer.set(p, b.now)
	}
	b.dirty = nil
}

// toldOf reports whether an end is still told in public.
func (b *Book) toldOf(z EndedZone) bool { return z.At.Add(remembered).After(b.now) }

// forgetUnknown clears zone-unknown for ids that nothing in force or told has any more.
func (b *Book) forgetUnknown() {
	held := map[string]bool{}
	for _, e := range b.episodes {
		for _, m := range e.members {
			held[string(m.st.Zone)] = true
		}
		for id, z := range e.ended {
			held[string(id)] = held[string(id)] || b.toldOf(z)
		}
	}
	b.clearRaised("zone-unknown", func(id string) bool { return !held[id] })
}

// rehome takes over a restored zone whose id the set does not have.
func (b *Book) rehome(m *member) {
	id := m.st.Zone
	if _, ok := b.zones.Index(id); ok {
		return
	}
	known, _, ok := b.zones.Resolve(id)
	if !ok {
		b.raise("zone-unknown", string(id), true, "is warned, but nothing is known of where it is: it stays under its id", 0)
		return
	}
	to := b.zones.Leaves(known)
	b.raise("zone-unknown", string(id), true, "is not in the zone set: warned in its place "+listed(to), len(to))
	b.carryOver(m, to, false)
}

func (b *Book) restore(w Warning) {
	w = w.clone()
	e := &episode{
		id: w.ID, since: stamp(w.Since), by: w.By, reason: w.Reason, auto: w.By.Kind == ByPolicy,
		causes: slices.Clone(w.Causes), said: w, revision: max(w.Revision, 1),
		ended: map[zone.ID]EndedZone{}, touched: map[zone.ID]bool{},
	}
	b.enter(e)
	for _, z := range w.Zones {
		if z.Stage != Prepare && z.Stage != Shelter {
			continue
		}
		b.restoreZone(e, z)
	}
	for _, z := range w.Ended {
		e.ended[z.Zone] = z
		if e.auto && z.End == AllClear && z.By.Kind == ByPolicy && z.At.Add(b.policy.Rearm).After(b.now) {
			b.letOutOf(z.Zone, stamp(z.At))
		}
		until := z.At.Add(b.policy.Respect)
		if !e.auto || z.By.Kind == ByPolicy || !until.After(b.now) {
			continue
		}
		p := b.place(z.Zone)
		for _, id := range z.Basis.Causes {
			if len(p.respects) < maxCauses {
				p.respects = append(p.respects, respect{track: threat.TrackID(id), stage: z.Stage, until: until})
			}
		}
		b.mark(p)
	}
}

func (b *Book) restoreZone(e *episode, z ZoneState) {
	p := b.place(z.Zone)
	m := &member{ep: e, at: p, st: z, life: lifeOf(z.Stage)}
	if !e.auto {
		p.declared = append(p.declared, m)
	} else if p.auto != nil {
		return // the older warning has it; a journal that says otherwise was not ours
	} else {
		p.auto = m
		b.restoreCauses(e, m)
	}
	e.add(m)
	b.mark(p)
}

func (b *Book) restoreCauses(e *episode, m *member) {
	m.st.Due = b.latestOf(e, m)
	names := m.st.Basis.Causes
	if len(names) > maxCauses {
		names = names[:maxCauses]
	}
	for _, name := range names {
		c := cause{track: threat.TrackID(name), class: m.st.Threat, latest: m.st.Due, seenAt: b.now, left: 1, heeded: b.now}
		if i := slices.IndexFunc(e.causes, func(k Cause) bool { return k.Track == name }); i >= 0 {
			c.class = e.causes[i].Threat
			if e.causes[i].Lost { // else it may have been seen until the restart
				c.seenAt = stamp(e.causes[i].SeenAt)
			}
		}
		m.causes = append(m.causes, c)
		if s := b.tracks[c.track]; s != nil {
			s.causeOf = with(s.causeOf, m.at)
		} else {
			b.orphans[c.track] = with(b.orphans[c.track], m.at)
		}
	}
	if len(m.causes) == 0 { // never taken for a warning without a cause, which would be over at once
		m.folded = cause{class: m.st.Threat, latest: m.st.Due, seenAt: b.now}
	}
}

// latestOf is the latest arrival in a restored zone, with what it may have moved since it
// was written down.
func (b *Book) latestOf(e *episode, m *member) time.Time {
	if m.st.Due.IsZero() {
		return time.Time{}
	}
	return stamp(m.st.Due).Add(arrivalTick + slack(m.st.Due, e.said.At))
}

// SetZones changes the zone set. Every warned place stays warned: what has its id still
// keeps it; for an id that is gone the zones that now cover it are warned in its place, as
// it was, and a condition is raised.
func (b *Book) SetZones(now time.Time, set *zone.Set) []Change {
	b.advance(now)
	b.weighMarked(everything) // while its places are those of the set before
	old := b.zones
	b.zones = set
	b.settled = latest(b.settled, b.now.Add(settle)) // forecasts over the new set must come first
	b.clearRaised("zone-unknown", func(id string) bool { _, known := set.Index(zone.ID(id)); return known })
	for _, s := range b.tracks {
		s.reaches = nil
	}
	ids := make([]zone.ID, 0, len(b.places))
	for id := range b.places {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		b.resettle(old, b.places[id])
	}
	b.weighMarked(everything)
	changes := b.speak(true)
	b.tellAll()
	return changes
}

// clearRaised clears the conditions of a name whose subject is over.
func (b *Book) clearRaised(name string, over func(subject string) bool) {
	var subjects []string
	for _, c := range b.raised {
		if c.Name == name && over(c.Subject) {
			subjects = append(subjects, c.Subject)
		}
	}
	slices.Sort(subjects)
	for _, s := range subjects {
		b.raise(name, s, false, "", 0)
	}
}

// resettle takes one place over into the new set.
func (b *Book) resettle(old *zone.Set, p *place) {
	p.parts = nil
	held := slices.Clone(p.declared)
	if p.auto != nil {
		held = append(held, p.auto)
	}
	_, stays := b.zones.Index(p.id)
	if len(held) > 0 {
		to := zone.Carry(old, b.zones, p.id)
		to = slices.DeleteFunc(to, func(id zone.ID) bool { return id == p.id })
		if !stays {
			b.raise("zone-unknown", string(p.id), true, "is not in the new zone set: warned in its place "+listed(to), len(to))
		}
		for _, m := range held {
			b.carryOver(m, to, stays)
		}
	}
	if stays {
		b.describe(p)
		b.mark(p)
		return
	}
	b.withdraw(p)
	p.respects = nil
	b.retire(p)
}

// carryOver warns more zones as one is, and takes that one out where its id is gone.
func (b *Book) carryOver(m *member, to []zone.ID, stays bool) {
	for _, id := range to {
		p := b.place(id)
		b.mark(p)
		if m.ep.auto && p.auto != nil {
			b.merge(p.auto, m)
			continue
		}
		e := b.withRoom(m.ep)
		if _, in := e.find(id); in {
			continue
		}
		n := &member{ep: e, at: p, st: m.st, life: m.life}
		n.st.Zone = id
		if e.auto {
			p.auto = n
			b.inherit(n, m)
		} else {
			p.declared = append(p.declared, n)
		}
		e.add(n)
		b.touch(n, true)
	}
	if !stays {
		b.end(m, Expired, clock, Issuer{}, "its id is not in the zone set any more: warned in its place "+listed(to))
	}
}

// merge makes a zone that is warned at least as gravely, and as long, as another.
func (b *Book) merge(heir, m *member) {
	if m.st.Stage > heir.st.Stage && b.move(heir, lifeOf(m.st.Stage), policy) {
		heir.st.Stage, heir.st.Threat, heir.st.Since, heir.fresh = m.st.Stage, m.st.Threat, b.now, true
		b.touch(heir, true)
	}
	if m.st.Until.After(heir.st.Until) {
		heir.st.Until = m.st.Until
		b.touch(heir, true)
	}
	b.inherit(heir, m)
}

// withRoom returns the warning, or, where it is full, the newest one beside it.
func (b *Book) withRoom(e *episode) *episode {
	if e.room() {
		return e
	}
	for i := len(b.episodes) - 1; i >= 0; i-- {
		if x := b.episodes[i]; x.since.Equal(b.now) && x.auto == e.auto && x.by == e.by && x.room() {
			return x
		}
	}
	beside := b.open(e.by, e.auto, e.reason)
	beside.causes = slices.Clone(e.causes)
	return beside
}

// inherit gives one zone the causes of another.
func (b *Book) inherit(heir, m *member) {
	for c := range m.each {
		if c.track == "" || len(heir.causes) >= maxCauses {
			heir.folded = cause{class: c.class, latest: latest(heir.folded.latest, c.latest), seenAt: latest(heir.folded.seenAt, c.seenAt)}
			continue
		}
		if heir.cause(c.track) >= 0 {
			continue
		}
		heir.causes = append(heir.causes, *c)
		if s := b.tracks[c.track]; s != nil {
			s.causeOf = with(s.causeOf, heir.at)
		} else {
			b.orphans[c.track] = with(b.orphans[c.track], heir.at)
		}
	}
}
