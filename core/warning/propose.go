package warning

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"tocsin/core/threat"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// asked is what waits for a person in one place, in a mode that is not automatic.
type asked struct {
	stage  Stage // Quiet: nothing
	threat class.Class
	mode   Mode
	since  time.Time
	at     time.Time // when a veto runs out and it is spoken; zero: never by itself
	yes    mover     // a person who confirmed it; 0: nobody has
}

// doubled is how much of what starts it makes those be ready again who were let out within
// the policy's rearm: what swings about the threshold would have them doubt the next word. It
// holds back no shelter.
const doubled = 2

// bar is the score from which on a stage starts in a place.
func (b *Book) bar(p *place, s Stage) float64 {
	if s == Prepare && p.auto == nil && b.letOut(p) {
		return doubled * full
	}
	return full
}

// letOutOf takes down that the policy told people in a zone that it is over.
func (b *Book) letOutOf(id zone.ID, at time.Time) {
	p := b.place(id)
	p.letOutAt = latest(p.letOutAt, at)
	if again := p.letOutAt.Add(b.policy.Rearm); p.slot == 0 || again.Before(p.due) {
		b.timer.set(p, again)
	}
}

// letOut reports whether people in a place were let out by the policy within its rearm.
func (b *Book) letOut(p *place) bool {
	return !p.letOutAt.IsZero() && b.now.Before(p.letOutAt.Add(b.policy.Rearm))
}

// granted is the gravest stage above the one in force that the scores want and that the
// policy's mode lets be spoken now, and who lets it.
func (b *Book) granted(p *place, v *verdict) (Stage, mover) {
	have := Quiet
	if p.auto != nil {
		have = p.auto.st.Stage
	}
	want := Quiet
	for s := Shelter; s > have; s-- {
		if v.score[s-1] >= b.bar(p, s) {
			want = s
			break
		}
	}
	if want == Quiet || want < p.ask.stage || p.ask.stage <= have {
		b.withdraw(p)
	}
	for s := want; s > have; s-- {
		if v.score[s-1] < b.bar(p, s) {
			continue
		}
		if by, ok := b.mayStart(p, s, v.threat); ok {
			return s, by
		}
	}
	return Quiet, 0
}

// mayStart reports whether a stage may be spoken now; if not, it is proposed.
func (b *Book) mayStart(p *place, s Stage, c class.Class) (mover, bool) {
	mode := b.policy.Rule(c, s).Mode
	if mode.Automatic() {
		return policy, true
	}
	if p.ask.stage < s || p.ask.mode != mode {
		b.withdraw(p)
		p.ask = asked{stage: s, threat: c, mode: mode, since: b.now}
		if mode.Veto > 0 {
			p.ask.at = b.now.Add(mode.Veto)
		}
		b.asking = with(b.asking, p)
		return 0, false
	}
	switch {
	case p.ask.stage > s:
		return 0, false // the graver one is what is asked
	case p.ask.yes != 0:
		return p.ask.yes, true
	case mode.Veto > 0 && !b.now.Before(p.ask.at):
		return policy, true
	}
	return 0, false
}

// Proposal is what the policy would say in some zones, and a person is asked about first.
type Proposal struct {
	Stage  Stage
	Threat class.Class
	Since  time.Time
	// SpokenAt is when it is spoken unless a person says no; zero: only if a person says yes.
	SpokenAt time.Time
	Zones    []zone.ID // ascending
}

// Proposals is what waits for a person: shelter before prepare, then what is spoken first,
// then the graver threat. It is not kept over a restart: what still threatens then is
// proposed anew, with its whole time for a veto.
func (b *Book) Proposals() []Proposal {
	var out []Proposal
	for _, p := range b.asking {
		i := slices.IndexFunc(out, func(o Proposal) bool {
			return o.Stage == p.ask.stage && o.Threat == p.ask.threat && o.Since.Equal(p.ask.since) && o.SpokenAt.Equal(p.ask.at)
		})
		if i < 0 {
			i = len(out)
			out = append(out, Proposal{Stage: p.ask.stage, Threat: p.ask.threat, Since: p.ask.since, SpokenAt: p.ask.at})
		}
		out[i].Zones = append(out[i].Zones, p.id)
	}
	slices.SortStableFunc(out, func(x, y Proposal) int {
		never := func(p Proposal) int { return map[bool]int{true: 1}[p.SpokenAt.IsZero()] }
		return cmp.Or(cmp.Compare(y.Stage, x.Stage), cmp.Compare(never(x), never(y)), x.SpokenAt.Compare(y.SpokenAt),
			x.Since.Compare(y.Since), cmp.Compare(x.Threat.Rank(), y.Threat.Rank()))
	})
	return out
}

// withdraw takes a proposal back.
func (b *Book) withdraw(p *place) {
	if p.ask.stage != Quiet {
		p.ask = asked{}
		b.asking = without(b.asking, p)
	}
}

// named is how many zones a condition names before it counts the rest.
const named = 8

// askPersons raises "confirm-needed" and "veto-open", one for each stage and threat.
func (b *Book) askPersons() {
	if len(b.asking) == 0 && !b.asked {
		return
	}
	b.asked = len(b.asking) > 0
	for _, stage := range [...]Stage{Prepare, Shelter} {
		for _, c := range class.All() {
			var confirm, veto []zone.ID
			for _, p := range b.asking {
				if p.ask.stage != stage || p.ask.threat != c {
					continue
				}
				if p.ask.mode.Confirm {
					confirm = append(confirm, p.id)
				} else {
					veto = append(veto, p.id)
				}
			}
			subject := stage.String() + " " + c.String()
			b.raise("confirm-needed", subject, len(confirm) > 0, "waits for a person: "+listed(confirm), len(confirm))
			b.raise("veto-open", subject, len(veto) > 0, "will be spoken unless a person says no: "+listed(veto), len(veto))
		}
	}
}

func listed(ids []zone.ID) string {
	s := ""
	for i, id := range ids {
		if i == named {
			return s + fmt.Sprintf(" and %d more", len(ids)-named)
		}
		if i > 0 {
			s += " "
		}
		s += string(id)
	}
	return s
}

// answer is a person's word on what is proposed in some zones.
func (b *Book) answer(c Command, ids []zone.ID) error {
	var found []*place
	other := Quiet
	for _, p := range b.asking {
		if _, in := slices.BinarySearch(ids, p.id); !in {
			continue
		}
		if c.Stage != Quiet && c.Stage != p.ask.stage { // it was about another step
			other = p.ask.stage
			continue
		}
		found = append(found, p)
	}
	grown := false
	for _, id := range ids {
		if p := b.places[id]; p != nil && c.Action == Confirm {
			grown = b.letGo(p) || grown
		}
	}
	switch {
	case len(found) > 0 || grown:
	case other != Quiet:
		return &RefusedError{Field: "stage", Why: fmt.Sprintf("is %s, and what is proposed there is %s", c.Stage, other)}
	default:
		return &RefusedError{Field: "zones", Why: "names places where nothing is proposed"}
	}
	for _, p := range found {
		if c.Action == Confirm {
			p.ask.yes = moverOf(c.By.Kind)
		} else {
			for _, x := range p.parts {
				b.spare(p, x.s.id, p.ask.stage)
			}
			b.withdraw(p)
		}
		b.mark(p)
	}
	return nil
}

// spare has a person's end hold against a track in one place.
func (b *Book) spare(p *place, id threat.TrackID, stage Stage) {
	if b.policy.Respect <= 0 {
		return
	}
	r := respect{track: id, stage: stage, until: b.now.Add(b.policy.Respect)}
	for i := range p.respects {
		if p.respects[i].track == id {
			r.stage = max(r.stage, p.respects[i].stage)
			p.respects[i] = r
			return
		}
	}
	if len(p.respects) < maxCauses {
		p.respects = append(p.respects, r)
	}
}
