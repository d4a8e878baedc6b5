package warning

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tocsin/core/zone"
)

// young reports whether a track is too little seen to warn all that it may reach.
func (b *Book) young(s *subject) bool {
	y := b.policy.Young
	return !s.let && s.f.Updates < y.Updates && s.f.Sensors < y.Sensors
}

// bound marks the zones that a young track may not warn by itself: those after the likeliest
// ones, once the policy's number of people is reached. The likeliest zone is never held
// back, however many live there, unless the policy lets go what waits in time.
func (b *Book) bound(s *subject) {
	type reached struct {
		at   *place
		part int
	}
	order := make([]reached, 0, len(s.reaches))
	young := b.young(s)
	for _, p := range s.reaches {
		i, ok := p.find(s.id)
		if !ok {
			continue
		}
		if p.parts[i].waits && !young {
			b.mark(p)
		}
		p.parts[i].waits = false
		order = append(order, reached{p, i})
	}
	var held []zone.ID
	if young {
		slices.SortFunc(order, func(x, y reached) int {
			return cmp.Or(cmp.Compare(y.at.parts[y.part].p, x.at.parts[x.part].p), cmp.Compare(x.at.id, y.at.id))
		})
		people := 0
		for i, r := range order {
			people += r.at.people
			if i == 0 && b.policy.Young.Last == 0 || people <= b.policy.Young.People {
				continue
			}
			x := &r.at.parts[r.part]
			x.waits = true
			if s.threat && b.alone(*x, Prepare) >= full {
				held = append(held, r.at.id)
			}
		}
	}
	b.raise("young-track", string(s.id), len(held) > 0,
		fmt.Sprintf("seen %d times, so it warns only where it most probably goes; the next look, or a person's confirm, warns %s", s.f.Updates, listed(held)), len(held))
}

// lastMoment is when what a young track holds back in a place is let go, because people there
// could not wait longer; false where the policy knows no such time.
func (b *Book) lastMoment(p *place, x part) (time.Time, bool) {
	last := b.policy.Young.Last
	if !x.waits || last == 0 {
		return time.Time{}, false
	}
	if !x.arrival.Known() {
		return b.now, true
	}
	return x.arrival.Earliest.Add(-p.shelter - b.opts.Delivery - last), true
}

// heldBack reports whether a part is beyond what a young track may warn by itself now.
func (b *Book) heldBack(p *place, x part) bool {
	at, known := b.lastMoment(p, x)
	return x.waits && !(known && !at.After(b.now))
}

// letGo takes a person's word that the young tracks which hold back in a place are real.
func (b *Book) letGo(p *place) bool {
	found := false
	for _, x := range p.parts {
		if x.waits {
			x.s.let, found = true, true
			b.bound(x.s)
		}
	}
	return found
}
