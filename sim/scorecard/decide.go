package scorecard

import (
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/sim/raid"
)

// Figures of the decision's score.
const (
	delivery  = 15 * time.Second // from the decision to the citizen
	oneEvent  = 3 * time.Minute  // passages of a zone nearer than this are one
	againSoon = 15 * time.Minute // a stage taken again so soon after it was left is a flip
)

// cause is why a zone was reached without shelter.
type cause uint8

// unseen: no plot came before. hurried: fewer than three plots came before, or they left
// less than the time to confirm a track. untracked: there were plots and no track. unsaid:
// there was a track, but never the probability that starts a shelter. undecided: it was
// said, and there was no shelter when it came.
const (
	unseen cause = iota
	hurried
	untracked
	unsaid
	undecided
	causes
)

var causeNames = [causes]string{"no plot before it came", "fewer than three plots", "plots, but no track", "track, but probability too low", "probability high enough, but no shelter"}

// outcome counts what became of reached zones.
type outcome struct {
	events, people float64
	warned, safe   float64 // in shelter when it came; and early enough for the shelter time
	warnedPeople   float64
	prepared       float64 // not in shelter, but told to prepare
	missed         [causes]float64
	possible       float64   // events of which a plot came before
	letOut         float64   // events, not warned, whose zone had been in shelter since that plot and was let out
	margins        []float64 // seconds of lead less shelter and delivery time, of the warned
}

func (o *outcome) add(u *outcome) {
	o.events, o.people = o.events+u.events, o.people+u.people
	o.warned, o.safe = o.warned+u.warned, o.safe+u.safe
	o.warnedPeople += u.warnedPeople
	o.prepared += u.prepared
	for i := range o.missed {
		o.missed[i] += u.missed[i]
	}
	o.possible += u.possible
	o.letOut += u.letOut
	o.margins = append(o.margins, u.margins...)
}

// decision is what one policy did in one raid, or in many.
type decision struct {
	whole   outcome
	classes [class.Count]outcome
	// Shelters: one a zone and span. needless: nothing reached it then; bare: nothing
	// passed low nearby in the whole raid either.
	shelters, needless, bare float64
	needlessPeople           float64
	flips, zoneHours         float64
	outAndIn                 float64 // flips that are a shelter after a shelter
	cleared, again           float64 // shelters that ended; of them given again within 15 min
	open                     float64 // shelters that had not ended with the raid
	cost                     burden
	threats                  [class.Count]burden // cost by the threat that was named when the shelter began
	raids                    map[string]burden   // cost by kind of raid
	each                     []Each
	misses                   []Miss // of those something was seen of
}

func (d *decision) add(u *decision) {
	d.whole.add(&u.whole)
	for i := range d.classes {
		d.classes[i].add(&u.classes[i])
	}
	for _, p := range [...][2]*float64{
		{&d.shelters, &u.shelters}, {&d.needless, &u.needless}, {&d.bare, &u.bare},
		{&d.needlessPeople, &u.needlessPeople},
		{&d.flips, &u.flips}, {&d.outAndIn, &u.outAndIn}, {&d.zoneHours, &u.zoneHours}, {&d.cleared, &u.cleared}, {&d.again, &u.again}, {&d.open, &u.open},
	} {
		*p[0] += *p[1]
	}
	d.cost.add(u.cost)
	for i := range d.threats {
		d.threats[i].add(u.threats[i])
	}
	if d.raids == nil {
		d.raids = map[string]burden{}
	}
	for name, b := range u.raids {
		sum := d.raids[name]
		sum.add(b)
		d.raids[name] = sum
	}
	d.each = append(d.each, u.each...)
	d.misses = append(d.misses, u.misses[:min(len(u.misses), mostMisses-len(d.misses))]...)
}

// event is one zone reached: by its first passage, with those that follow closely.
type event struct {
	zone     int
	passages []int // in Truth.Passages
}

// events are the passages of the truth, those of a zone that follow each other closely
// taken together; in order of time.
func events(t raid.Truth) []event {
	var all []event
	last := map[int]int{} // zone to its newest event
	leave := map[int]time.Duration{}
	for i, p := range t.Passages {
		if k, ok := last[p.Zone]; ok && p.Enter <= leave[p.Zone]+oneEvent {
			all[k].passages = append(all[k].passages, i)
		} else {
			last[p.Zone] = len(all)
			all = append(all, event{zone: p.Zone, passages: []int{i}})
		}
		leave[p.Zone] = max(leave[p.Zone], p.Leave)
	}
	return all
}

// judge scores what one policy did.
func (p *play) judge(log *stagelog, policy warning.Policy) decision {
	var d decision
	reached := make([]bool, p.raid.Zones.Len())
	for _, e := range events(p.truth) {
		reached[e.zone] = true
		p.judgeEvent(&d, e, log.spans[e.zone], policy)
	}
	for z, spans := range log.spans {
		p.judgeZone(&d, z, spans, reached[z])
	}
	d.raids = map[string]burden{p.raid.Name: d.cost}
	w := &d.whole
	d.each = []Each{{
		Seed: p.raid.Seed, Raid: p.raid.Name, Objects: len(p.raid.Objects), Events: int(w.events), Missed: int(w.events - w.warned),
		Late: int(w.warned - w.safe), Avoidable: len(d.misses), Shelters: int(d.shelters), Needless: int(d.needless), Unreached: d.cost.unreached, Open: int(d.open),
	}}
	return d
}

func (p *play) judgeEvent(d *decision, e event, spans []span, policy warning.Policy) {
	first := p.truth.Passages[e.passages[0]]
	kind := p.raid.Objects[first.Object].Class
	people := p.ground.people[e.zone]
	var o outcome
	o.events, o.people = 1, people
	if p.facts.plots[first.Object][0] < first.Enter {
		o.possible = 1
	}
	covered, prepared, let := false, false, 0.0
	for _, s := range spans {
		if s.stage == warning.Shelter && s.to > p.facts.plots[first.Object][0] && s.to <= first.Enter {
			let = 1
		}
		if s.from > first.Enter || s.to < first.Enter {
			continue
		}
		prepared = true
		if s.stage != warning.Shelter {
			continue
		}
		covered = true
		margin := first.Enter - s.from - delivery - p.ground.shelter[e.zone]
		o.margins = append(o.margins, margin.Seconds())
		if margin >= 0 {
			o.safe = 1
		}
		break
	}
	if covered {
		o.warned, o.warnedPeople = 1, people
	} else {
		why := p.why(e, kind, policy)
		o.missed[why] = 1
		o.letOut = let
		if why != unseen {
			d.misses = append(d.misses, p.miss(e, why))
		}
		if prepared {
			o.prepared = 1
		}
	}
	d.whole.add(&o)
	d.classes[kind].add(&o)
}

// mostMisses bounds the list of single misses in a report.
const mostMisses = 500

// miss is what is said of one zone that was reached without shelter.
func (p *play) miss(e event, why cause) Miss {
	i := e.passages[0]
	first := p.truth.Passages[i]
	m := Miss{
		Seed: p.raid.Seed, Raid: p.raid.Name, Zone: string(p.raid.Zones.ByIndex(e.zone).ID), Class: p.raid.Objects[first.Object].Class.String(), Object: first.Object,
		At: first.Enter.Seconds(), Why: causeNames[why], Plot: p.facts.plots[first.Object][0].Seconds(), Said: p.facts.best[i],
	}
	if at := p.facts.tracked[first.Object]; at != never {
		s := at.Seconds()
		m.Tracked = &s
	}
	return m
}

// toConfirm is the least time between a third plot and an arrival in which a track can be
// confirmed and a decision be taken.
const toConfirm = 2 * time.Second

// why is the first thing on the way that was missing when a zone was reached.
func (p *play) why(e event, kind class.Class, policy warning.Policy) cause {
	first := p.truth.Passages[e.passages[0]]
	plots := p.facts.plots[first.Object]
	switch {
	case plots[0] >= first.Enter:
		return unseen
	case plots[2]+toConfirm >= first.Enter:
		return hurried
	case p.facts.tracked[first.Object] >= first.Enter:
		return untracked
	case p.facts.best[e.passages[0]] < policy.Rule(kind, warning.Shelter).Probability:
		return unsaid
	default:
		return undecided
	}
}

// judgeZone scores the life of one zone's warnings.
func (p *play) judgeZone(d *decision, z int, spans []span, reached bool) {
	people := p.ground.people[z]
	for i, s := range spans {
		d.zoneHours += (s.to - s.from).Hours()
		if flipped(spans, i) {
			d.flips++
			if s.stage == warning.Shelter {
				d.outAndIn++
			}
		}
		if s.stage != warning.Shelter {
			continue
		}
		d.shelters++
		if !p.passes(z, s) {
			d.needless++
			d.needlessPeople += people
			if !p.truth.Near[z] {
				d.bare++
			}
		}
		if s.open {
			d.open++
		} else {
			d.cleared++
			if again(spans[i+1:], s.to) {
				d.again++
			}
		}
		minutes := people * (s.to - s.from).Minutes()
		b := burden{all: minutes}
		if !reached {
			b.unreached = minutes
			if !p.truth.Near[z] {
				b.far = minutes
			}
		}
		d.cost.add(b)
		d.threats[s.threat].add(b)
	}
}

// passes reports whether anything reached the zone during a span.
func (p *play) passes(z int, s span) bool {
	return slices.ContainsFunc(p.truth.Passages, func(x raid.Passage) bool {
		return x.Zone == z && x.Enter <= s.to && x.Leave >= s.from
	})
}

// flipped reports whether a span takes up a stage that had been left a short while before.
func flipped(spans []span, i int) bool {
	s := spans[i]
	if i > 0 && spans[i-1].to == s.from && spans[i-1].stage > s.stage {
		return false // a step down
	}
	for k := i - 1; k >= 0 && s.from-spans[k].to <= againSoon; k-- {
		if spans[k].stage >= s.stage {
			return true
		}
	}
	return false
}

// again reports whether a shelter follows within the time of a flip.
func again(rest []span, ended time.Duration) bool {
	for _, s := range rest {
		if s.from-ended > againSoon {
			return false
		}
		if s.stage == warning.Shelter {
			return true
		}
	}
	return false
}
