package track

import "slices"

// How tracks keep their names through a replay.
//
// An id is not the engine's: no checkpoint holds one, and nothing that an engine does in a
// replay gives, changes or ends one. Ids stand only on the confirmed objects of the engine that
// has been told, and for those this holds before and after every call:
//
//	the ids told and not told ended are those of the confirmed objects of p.engine, one each.
//
// An id enters by baptise alone, which counts and so never gives one twice, and is told
// confirmed there; it leaves by being told ended, and the object that had it is then gone or
// of an engine that is thrown away. A replay makes another engine without a name in it, and
// reconcile hands the old one's names over: each to at most one object, none to a tentative
// one. Whatever a replay makes of the past (an end that moves or never was, a track
// that is tentative again, two that swap their plots), an id that has been told ended stands
// nowhere from where it could come back: what lives on, or is confirmed once more, is baptised.

// reconcile hands the ids of the engine whose tracks were told over to the one that a replay
// made, and returns the changes that lead from the one picture to the other: tracks keep
// their ids through the observations they rest on, what is gone has ended, what ended stays ended.
// What ended comes last, so that a track it merged into has been told.
func (p *Picture) reconcile(old *engine) []Change {
	was := p.handOver(old)
	var changes []Change
	for _, o := range p.engine.objects {
		if o.status == Tentative || o.gone {
			continue
		}
		before := was[o]
		if before == nil {
			p.baptise(o)
			o.revision = 1
			changes = append(changes, Change{Kind: WasConfirmed, Track: o.export(o.at)})
			continue
		}
		o.revision = before.revision
		if !o.same(before) {
			o.revision++
			changes = append(changes, Change{Kind: WasUpdated, Track: o.export(o.at)})
		}
	}
	return append(changes, p.endOthers(old)...)
}

// handOver gives the confirmed objects of the new engine the ids that are theirs, and
// returns for each of these the object that had it: the one that began with the same
// observation, else the one with most of its last observations that is still to be had.
func (p *Picture) handOver(old *engine) map[*object]*object {
	founded, owner := map[uint64]*object{}, map[uint64]*object{}
	for _, o := range old.objects {
		if o.id == "" || o.gone {
			continue
		}
		founded[o.founder], owner[o.founder] = o, o
		for _, seq := range o.members() {
			owner[seq] = o
		}
	}
	was, taken := map[*object]*object{}, map[*object]bool{}
	give := func(o, from *object) {
		o.id, was[o], taken[from] = from.id, from, true
		if o.founder != from.founder {
			delete(p.past.given, from.founder)
			p.past.given[o.founder] = o.id
		}
	}
	var others []*object
	for _, o := range p.engine.objects {
		switch from := founded[o.founder]; {
		case o.status == Tentative || o.gone:
		case from != nil:
			give(o, from)
		default:
			others = append(others, o)
		}
	}
	for _, o := range others {
		if from := o.heir(owner, taken); from != nil {
			give(o, from)
		}
	}
	return was
}

// members are the last observations that an object rests on.
func (m *memory) members() []uint64 { return m.seqs[:min(m.updates, maxRecent)] }

// heir is the told object most of whose observations this one has now, of those whose ids
// are still to be had; of equals the oldest.
func (o *object) heir(owner map[uint64]*object, taken map[*object]bool) *object {
	var best *object
	most := 0
	votes := map[*object]int{}
	for _, seq := range append(slices.Clone(o.members()), o.founder) {
		was := owner[seq]
		if was == nil || taken[was] {
			continue
		}
		votes[was]++
		if n := votes[was]; n > most || n == most && was.born < best.born {
			best, most = was, n
		}
	}
	return best
}

// same reports whether two objects say the same to the last bit.
func (o *object) same(was *object) bool {
	if !o.lore.equal(was.lore) {
		return false
	}
	return o.at == was.at && o.since == was.since && o.updates == was.updates && o.status == was.status && o.logOdds == was.logOdds &&
		slices.Equal(o.parts[:o.count], was.parts[:was.count]) && o.blend.equal(&was.blend)
}

// endOthers ends the told tracks whose ids nobody has taken over, in the order of their birth.
func (p *Picture) endOthers(old *engine) []Change {
	ended, rests, alive := map[uint64]*object{}, map[uint64]*object{}, map[ID]bool{}
	for _, o := range p.past.over {
		ended[o.founder] = o
	}
	p.past.over = p.past.over[:0]
	for _, o := range p.engine.objects {
		if o.id == "" || o.gone {
			continue
		}
		alive[o.id] = true
		for _, seq := range o.members() {
			rests[seq] = o
		}
	}
	var changes []Change
	for _, o := range old.objects {
		if o.id == "" || o.gone || alive[o.id] {
			continue
		}
		last := *o
		last.status, last.gone = Ended, true
		last.reason, last.into = o.fate(ended, rests)
		last.revision++
		changes = append(changes, Change{Kind: WasEnded, Track: last.export(max(p.engine.head, last.at))})
	}
	return changes
}

// fate is why a told track is not there any more: as the replay had it end, or because
// another has its observations; else it is lost.
func (o *object) fate(ended, rests map[uint64]*object) (Reason, ID) {
	if e := ended[o.founder]; e != nil {
		for e.reason == Merged && e.twin != nil && e.twin.born < e.born { // into an older one, which may have ended since
			e = e.twin
		}
		if e.id != "" && !e.gone {
			return Merged, e.id
		}
		if e.reason != NoReason && e.reason != Merged {
			return e.reason, ""
		}
	}
	for i := range o.members() {
		if heir := rests[o.seqs[(o.updates-1-i)%maxRecent]]; heir != nil { // the newest first
			return Merged, heir.id
		}
	}
	return Lost, ""
}
