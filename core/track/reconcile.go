package track

import "slices"

// reconcile compares the engine after a replay with the one whose tracks were told, and
// returns the changes that lead from the one picture to the other: tracks keep their ids
// through the observations they rest on, what is gone has ended, what ended stays ended.
func (p *Picture) reconcile(old *engine) []Change {
	told := map[ID]*object{}
	owner := map[uint64]*object{}
	for _, o := range old.objects {
		if o.id == "" || o.gone {
			continue
		}
		told[o.id] = o
		owner[o.founder] = o
		for _, seq := range o.members() {
			owner[seq] = o
		}
	}
	held := map[ID]*object{}
	var nameless []*object
	for _, o := range p.engine.objects {
		switch {
		case o.status == Tentative || o.gone:
		case o.id != "" && told[o.id] != nil && held[o.id] == nil:
			held[o.id] = o
		default:
			nameless = append(nameless, o)
		}
	}
	for _, o := range nameless {
		o.id = ""
		if was := o.heir(owner, held); was != nil {
			o.id = was.id
			p.past.given[o.founder] = o.id
			held[o.id] = o
		}
	}
	changes := p.gone(old, held)
	for _, o := range p.engine.objects {
		if o.status == Tentative || o.gone {
			continue
		}
		was := told[o.id]
		if o.id == "" {
			p.baptise(o)
			o.revision = 1
			changes = append(changes, Change{Kind: WasConfirmed, Track: o.export(o.at)})
			continue
		}
		o.revision = was.revision
		if !o.same(was) {
			o.revision++
			changes = append(changes, Change{Kind: WasUpdated, Track: o.export(o.at)})
		}
	}
	return changes
}

// members are the last observations that an object rests on.
func (m *memory) members() []uint64 { return m.seqs[:min(m.updates, maxRecent)] }

// heir is the told track most of whose observations this object has now, if no other
// object has its id.
func (o *object) heir(owner map[uint64]*object, held map[ID]*object) *object {
	var best *object
	most := 0
	votes := map[ID]int{}
	for _, seq := range append(slices.Clone(o.members()), o.founder) {
		was := owner[seq]
		if was == nil || held[was.id] != nil {
			continue
		}
		votes[was.id]++
		if n := votes[was.id]; n > most || n == most && was.born < best.born {
			best, most = was, n
		}
	}
	return best
}

// same reports whether two objects say the same to the last bit.
func (o *object) same(was *object) bool {
	return o.at == was.at && o.updates == was.updates && o.status == was.status && o.logOdds == was.logOdds &&
		o.blend.w == was.blend.w && o.blend.chief().p == was.blend.chief().p && o.blend.chief().v == was.blend.chief().v
}

// gone ends the told tracks that nothing is left of, in the order of their birth.
func (p *Picture) gone(old *engine, held map[ID]*object) []Change {
	var changes []Change
	now := p.engine.head
	ended := map[ID]*object{}
	for _, o := range p.past.over {
		ended[o.id] = o
	}
	rests := map[uint64]*object{}
	for _, o := range p.engine.objects {
		if o.id == "" || o.gone {
			continue
		}
		for _, seq := range o.members() {
			rests[seq] = o
		}
	}
	for _, o := range old.objects {
		if o.id == "" || o.gone || held[o.id] != nil {
			continue
		}
		last := *o
		last.status, last.reason, last.gone = Ended, Lost, true
		last.revision++
		if e := ended[o.id]; e != nil && o.id != "" {
			last.reason = e.reason
			if e.reason == Merged && e.twin != nil {
				last.into = e.twin.id
			}
		} else {
			for _, seq := range o.members() {
				if heir := rests[seq]; heir != nil {
					last.reason, last.into = Merged, heir.id
				}
			}
		}
		if last.reason == Merged && last.into == "" {
			last.reason = Lost
		}
		changes = append(changes, Change{Kind: WasEnded, Track: last.export(max(now, last.at))})
	}
	p.past.over = p.past.over[:0]
	return changes
}
