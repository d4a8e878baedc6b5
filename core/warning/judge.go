package warning

import (
	"math"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
)

// verdict is what all tracks together mean for one zone at one moment.
type verdict struct {
	score   [2]float64 // per stage: at 1 and above it starts
	p       float64    // that the zone is reached by anything that counts
	threat  class.Class
	arrival threat.Arrival
	sure    Sure
	lead    *subject  // the track that is shown
	gateAt  time.Time // when a stage may open by time alone; zero: none will
	figures figuresOf // of the track that is shown
}

type figuresOf struct{ existence, updates, kinds float64 }

// judge weighs what threatens a place.
//
// The tracks are other objects, each of which reaches the zone or not: that none does is
// the product, so that fifty drones with one chance in fifty are the danger they are. (The
// greatest alone would be blind to a raid; the sum would exceed one.) Of a salvo each is as
// likely to follow the common plan as one of its own (threat.Together). What differs between
// classes is the probability that starts a stage; a track that may be a rocket or a drone
// counts for each by its share. So per class the probability that the zone is reached is
// measured in units of that class's threshold, and the sum over the classes starts the
// stage at one: with one class this is just "probability at least threshold".
func (b *Book) judge(p *place) verdict {
	v := verdict{}
	b.any.Reset()
	for s := range 2 {
		b.resetTogether()
		stage := Stage(s + 1)
		for _, x := range p.parts {
			if !b.counts(p, x, stage) {
				continue
			}
			if stage == Prepare {
				b.any.Add(x.s.f.Salvo, x.lots, x.weight())
			}
			b.share(p, x, stage, &v.gateAt)
		}
		for c := range b.together {
			v.score[s] += (1 - b.together[c].None()) / b.policy.Rules[c][s].Probability
		}
	}
	v.p = 1 - b.any.None()
	b.show(p, &v)
	return v
}

// resetTogether empties what judge, still and leftOf reckon with, by class.
func (b *Book) resetTogether() {
	for c := range b.together {
		b.together[c].Reset()
	}
}

// share enters one track's part for one stage.
func (b *Book) share(p *place, x part, stage Stage, gateAt *time.Time) {
	w, left := x.weight(), b.left(p, x)
	for c, m := range x.s.mix {
		if m == 0 {
			continue
		}
		r := &b.policy.Rules[c][stage-1]
		if r.AtOnce || left <= r.Lead {
			b.together[c].Add(x.s.f.Salvo, x.lots, w*m)
		} else if opens := b.now.Add(left - r.Lead); gateAt.IsZero() || opens.Before(*gateAt) {
			*gateAt = opens
		}
	}
}

// left is how long it is until people have to go: so long before the earliest arrival that the
// news can travel and they can reach shelter. A part may start a stage once that is at most the
// policy's lead. Of an unknown arrival nothing is left.
func (b *Book) left(p *place, x part) time.Duration {
	if !x.arrival.Known() {
		return 0
	}
	return x.arrival.Earliest.Sub(b.now) - p.shelter - b.opts.Delivery
}

// counts reports whether a part counts for a stage.
func (b *Book) counts(p *place, x part, stage Stage) bool {
	if !x.s.threat || x.weight() < dust || b.heldBack(p, x) || stage == Shelter && x.s.crowd {
		return false
	}
	if r := x.s.spared; r != nil && b.now.Before(r.until) && stage <= r.stage {
		return false
	}
	for _, r := range p.respects {
		if r.track == x.s.id && b.now.Before(r.until) && stage <= r.stage {
			return false
		}
	}
	return true
}

// still is how much of the danger that keeps a stage up is left, in units of its clear
// level: below 1 it speaks for the end. Lead and respect play no part in it.
func (b *Book) still(p *place, stage Stage) float64 {
	b.resetTogether()
	for _, x := range p.parts {
		if w := x.weight(); x.s.threat && w >= dust {
			b.addStill(x, w)
		}
	}
	return b.sumStill(stage)
}

func (b *Book) addStill(x part, w float64) {
	for c, m := range x.s.mix {
		if m > 0 {
			b.together[c].Add(x.s.f.Salvo, x.lots, w*m)
		}
	}
}

func (b *Book) sumStill(stage Stage) (sum float64) {
	for c := range b.together {
		r := b.policy.Rules[c][stage-1]
		sum += (1 - b.together[c].None()) / (r.Probability * r.Clear)
	}
	return sum
}

// stillOf is still for one track alone.
func (b *Book) stillOf(x part, stage Stage) float64 {
	w := x.weight()
	if !x.s.threat || w < dust {
		return 0
	}
	return w * x.s.keeps[stage-1]
}

// show picks the threat and the arrival that people are told: of the tracks that alone
// would start the stage (or, where none would, of those that add a quarter of the most),
// the one that arrives first, then the graver class. The interval ends with the latest of
// them.
func (b *Book) show(p *place, v *verdict) {
	stage := Prepare
	if v.score[1] >= 1 {
		stage = Shelter
	}
	top := 0.0
	for _, x := range p.parts {
		if b.counts(p, x, stage) {
			top = math.Max(top, b.alone(x, stage))
		}
	}
	bar := math.Min(1, top)
	if top < 1 {
		bar = top / 4
	}
	for _, x := range p.parts {
		if top == 0 || !b.counts(p, x, stage) || b.alone(x, stage) < bar {
			continue
		}
		end := latest(v.arrival.Latest, x.arrival.Latest)
		if v.lead == nil || Graver(seen(x), ZoneState{Threat: v.threat, Arrival: v.arrival}) {
			v.lead, v.threat, v.arrival = x.s, x.s.class, x.arrival
			v.figures = figuresOf{x.s.f.Existence, float64(x.s.f.Updates), float64(max(x.s.f.Sensors, len(x.s.f.Kinds)))}
		}
		if v.arrival.Known() {
			v.arrival.Latest = end
		}
		v.sure = max(v.sure, sureOf(x, v.p))
	}
}

func seen(x part) ZoneState { return ZoneState{Threat: x.s.class, Arrival: x.arrival} }

// alone is the score that one track alone would have for a stage, whatever the time left.
func (b *Book) alone(x part, stage Stage) float64 { return x.weight() * x.s.starts[stage-1] }

// sureOf says in the contract's words how well founded a warning is: high is a track
// beyond doubt, seen often or by two kinds of sensor, that more likely than not reaches
// the zone. What only citizens report is low.
func sureOf(x part, p float64) Sure {
	f := x.s.f
	often := f.Updates >= 8 || f.Sensors >= 2
	switch {
	case x.s.crowd:
		return Low
	case p >= 0.5 && f.Existence >= 0.95 && often:
		return High
	case p >= 0.15 && f.Existence >= 0.8 && (f.Updates >= 4 || f.Sensors >= 2):
		return Medium
	default:
		return Low
	}
}
