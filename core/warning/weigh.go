package warning

import (
	"fmt"
	"math"
	"time"

	"tocsin/core/threat"
)

// full is a score of one, less what floating point may lose on the way to it.
const full = 1 - 1e-9

const (
	// lostAfter is how long all that threatens a zone may be unseen before the operator is
	// told that the warning stands on memory.
	lostAfter = 30 * time.Second
	// recheck is how often a zone that only waits for a sensor to cover it is looked at.
	recheck = time.Second
	// patience is how often one is that waits for a lost cause to be seen due.
	patience = 10 * time.Second
	// causeBar is the part of a stage's clear level from which on a track is a cause.
	causeBar = 0.25
)

// evaluate brings everything known of one place up to now: it starts, escalates, extends,
// ends and expires, and sets when to look again.
func (b *Book) evaluate(p *place) {
	for i := len(p.declared) - 1; i >= 0; i-- {
		if m := p.declared[i]; !m.st.Until.After(b.now) {
			b.end(m, Expired, clock, Issuer{}, "its time ran out")
		}
	}
	p.forgetRespects(b.now)
	v := b.judge(p)
	if p.auto == nil {
		b.consider(p, &v)
	} else {
		b.escalate(p.auto, &v)
	}
	look := soonest{now: b.now}
	if m := p.auto; m != nil {
		b.involveAll(m)
		b.retell(m, &v)
		b.keep(m, &look)
	}
	b.lookAgain(p, &v, &look)
	b.timer.set(p, look.at)
}

// consider starts a stage in a zone that no automatic warning holds.
func (b *Book) consider(p *place, v *verdict) {
	stage, by := b.granted(p, v)
	if stage == Quiet {
		return
	}
	e := b.homeOf(v.lead)
	m := &member{ep: e, at: p, st: ZoneState{Zone: p.id}}
	if was, ok := e.ended[p.id]; ok {
		m.life = lifeAfter(was.End)
	}
	if !b.move(m, lifeOf(stage), by) {
		return
	}
	p.auto = m
	e.add(m)
	b.startStage(m, stage, v)
}

// escalate takes a prepared zone to shelter.
func (b *Book) escalate(m *member, v *verdict) {
	stage, by := b.granted(m.at, v)
	if stage > m.st.Stage && b.move(m, lifeOf(stage), by) {
		b.startStage(m, stage, v)
	}
}

// startStage writes down what a stage starts with. Since is set again when it is spoken.
func (b *Book) startStage(m *member, stage Stage, v *verdict) {
	m.st.Stage, m.st.Threat, m.st.Sure = stage, v.threat, v.sure
	m.st.Since, m.fresh = b.now, true
	m.st.Arrival = b.rounded(v.arrival)
	m.clearAt = time.Time{}
	m.st.Basis = Basis{Rule: stage.String() + "-" + v.threat.String(), Figures: b.figures(m.at, stage, v), Causes: m.st.Basis.Causes}
	m.st.Until = latest(m.st.Until, b.wanted(m))
	if m.at.ask.stage <= stage {
		b.withdraw(m.at)
	}
	m.ep.urgent = true
	b.touch(m, true)
}

// figures are what explain prints, rounded so that processors agree.
func (b *Book) figures(p *place, stage Stage, v *verdict) map[string]float64 {
	r := b.policy.Rule(v.threat, stage)
	f := map[string]float64{
		"probability": v.p, "threshold": r.Probability, "score": v.score[stage-1],
		"existence": v.figures.existence, "updates": v.figures.updates, "sensors": v.figures.kinds,
		"shelter_s": p.shelter.Seconds(), "delivery_s": b.opts.Delivery.Seconds(),
	}
	if v.arrival.Known() {
		f["left_s"] = v.arrival.Earliest.Sub(b.now).Seconds()
	}
	if !r.AtOnce {
		f["lead_s"] = r.Lead.Seconds()
	}
	for k, x := range f {
		f[k] = math.Round(x*1e4) / 1e4
	}
	return f
}

// involveAll makes causes of the tracks that threaten a zone in force.
func (b *Book) involveAll(m *member) {
	for _, x := range m.at.parts {
		if b.stillOf(x, m.st.Stage) >= causeBar {
			b.involve(m, x)
		}
	}
}

// retell says arrival, sureness and threat again where they changed enough.
func (b *Book) retell(m *member, v *verdict) {
	if v.lead == nil || b.still(m.at, m.st.Stage) < full {
		return // what is left is not what people are in shelter for
	}
	if v.threat != m.st.Threat && b.overtakes(m, v) {
		m.st.Threat, m.st.Arrival = v.threat, b.rounded(v.arrival)
		b.touch(m, true)
	}
	if v.sure > m.st.Sure { // it only grows within a stage: people need not know each doubt
		m.st.Sure = v.sure
		b.touch(m, false)
	}
	if moved(m.st.Arrival, v.arrival, b.now) {
		m.st.Arrival = b.rounded(v.arrival)
		b.touch(m, false)
	}
}

// overtakes reports whether another threat is to be shown: it comes clearly earlier, or
// what was shown threatens no more.
func (b *Book) overtakes(m *member, v *verdict) bool {
	if v.arrival.Known() && v.arrival.Earliest.Add(arrivalTick).Before(m.st.Arrival.Earliest) {
		return true
	}
	for _, x := range m.at.parts {
		if x.s.class == m.st.Threat && b.stillOf(x, m.st.Stage) >= 1 {
			return false
		}
	}
	return true
}

// moved reports whether an arrival is worth saying again: its earliest moved by more than
// 10 s and 20 % of what was left. One that is at hand, before and now, is not.
func moved(said, is threat.Arrival, now time.Time) bool {
	if !is.Known() || !said.Known() {
		return is.Known()
	}
	if !said.Earliest.After(now) && !is.Earliest.After(now.Add(arrivalTick)) {
		return false
	}
	return is.Earliest.Sub(said.Earliest).Abs() > slack(said.Earliest, now)
}

// slack is by how much a time may move without being said again.
func slack(t, now time.Time) time.Duration { return max(10*time.Second, t.Sub(now)/5) }

// rounded makes the zones of one wave share their times, so that the board's items are
// few, without promising time that is not there: the earliest is rounded down, the latest
// up, in steps that grow with what is left.
func (b *Book) rounded(a threat.Arrival) threat.Arrival {
	if !a.Known() {
		return a
	}
	step := time.Second
	switch left := a.Earliest.Sub(b.now); {
	case left > 5*time.Minute:
		step = 10 * time.Second
	case left > time.Minute:
		step = 5 * time.Second
	}
	return threat.Arrival{
		Earliest: a.Earliest.Truncate(step),
		Likely:   a.Likely.Truncate(step),
		Latest:   ceil(a.Latest, step),
	}
}

func ceil(t time.Time, step time.Duration) time.Time {
	if down := t.Truncate(step); !down.Equal(t) {
		return down.Add(step)
	}
	return t
}

// ending is the rule that a zone ends by: of what is shown and of every cause the longest
// hold and stay. Else a drone beside a rocket would end the rocket's shelter sooner than the
// rocket alone would have.
func (b *Book) ending(m *member) Rule {
	r := b.policy.Rule(m.st.Threat, m.st.Stage)
	for c := range m.each {
		one := b.policy.Rule(c.class, m.st.Stage)
		r.Hold, r.Stay = max(r.Hold, one.Hold), max(r.Stay, one.Stay)
	}
	return r
}

// keep extends, ends or expires a zone of an automatic warning.
func (b *Book) keep(m *member, look *soonest) {
	r := b.ending(m)
	over, seen := b.overAll(m, look)
	over = over && b.leftOf(m) < full
	if !over {
		m.clearAt = time.Time{}
	} else if m.clearAt.IsZero() {
		m.clearAt = b.now
	}
	b.foresee(m)
	covered := b.inPicture(m.st.Zone, m.st.Threat)
	ready := latest(m.clearAt.Add(r.Hold), m.st.Since.Add(r.Stay))
	ripe := over && !b.now.Before(ready)
	if ripe && covered {
		b.end(m, AllClear, policy, Issuer{}, b.whyOver(m))
		return
	}
	b.setBlind(m, ripe)
	b.setLost(m, !over && b.now.Sub(seen) >= lostAfter && !b.now.Before(b.settled))
	limit := seen.Add(b.policy.Longest)
	if over {
		limit = b.now.Add(b.policy.Longest)
	}
	if m.st.Until.Sub(b.now) <= extension/3 && !ripe {
		if want := earliest(b.wanted(m), limit); want.After(m.st.Until) {
			m.st.Until = stamp(want)
			b.touch(m, true)
		}
	}
	if !m.st.Until.After(b.now) {
		why := "nothing was seen of its cause for " + b.policy.Longest.String()
		if ripe {
			why = "its causes are over, but no live sensor covers the zone"
		}
		b.end(m, Expired, clock, Issuer{}, why)
		return
	}
	look.add(m.st.Until)
	look.add(m.st.Until.Add(-extension / 3))
	look.add(ready)
	look.add(seen.Add(lostAfter))
	look.add(b.settled)
	if ripe {
		look.add(b.now.Add(recheck))
	}
}

// foresee keeps Due: it only moves away, and is written down anew when it moves by more
// than its slack, or is not known any more.
func (b *Book) foresee(m *member) {
	due, open := time.Time{}, false
	for c := range m.each {
		if c.over != "" && c.over != passed && c.over != slight {
			continue
		}
		if c.latest.IsZero() {
			due, open = time.Time{}, true
			break
		}
		due, open = latest(due, c.latest), true
	}
	if open && (due.IsZero() != m.st.Due.IsZero() || due.Sub(m.st.Due) > slack(m.st.Due, b.now)) {
		m.st.Due = due
		b.touch(m, false)
	}
}

// wanted is the until that a zone in force should have: far enough for the latest arrival
// with what must follow it, and for news to come.
func (b *Book) wanted(m *member) time.Time {
	r := b.ending(m)
	want := b.now.Add(max(extension, r.Stay+r.Hold))
	if m.st.Arrival.Known() {
		after := earliest(m.st.Arrival.Latest, b.now.Add(b.policy.Longest))
		want = latest(want, after.Add(r.Stay+r.Hold))
	}
	return ceil(want, grid)
}

// overAll judges every cause of a zone: whether all are over, and when one that is not
// was last seen (now, where all are).
func (b *Book) overAll(m *member, look *soonest) (over bool, seen time.Time) {
	over = true
	for c := range m.each {
		c.over = b.overBy(m, c, look)
		if c.over != "" {
			continue
		}
		over = false
		seen = latest(seen, c.seenAt)
		look.add(c.latest)
		if at, bounded := b.goneBy(m, c); bounded {
			look.add(at)
		}
		if !c.latest.After(b.now) {
			look.add(b.now.Add(patience))
		}
	}
	if over {
		seen = b.now
	}
	return over, earliest(seen, b.now)
}

// overBy says by what evidence a cause is over for a zone, or nothing. Silence is not
// evidence, nor are citizens' reports.
func (b *Book) overBy(m *member, c *cause, look *soonest) string {
	s := b.tracks[c.track]
	x, ok := m.at.part(c.track)
	if s != nil {
		c.heed(s, x.p, b.now)
	}
	if b.now.Before(b.settled) {
		return ""
	}
	if s == nil {
		return b.lostOver(m, c)
	}
	if ok && b.stillOf(x, m.st.Stage) >= 1 {
		return ""
	}
	switch {
	case s.f.Status == threat.Ended && s.f.Reason == threat.Landed:
		return "landed"
	case s.f.Status != threat.Ended && (s.f.Standing == threat.Friend || s.f.Standing == threat.Neutral):
		return "friendly"
	case s.f.Status == threat.Confirmed && !s.threat:
		return "policy" // the authority's rules no longer take it for a threat
	case !s.alive(b.now):
		return b.lostOver(m, c)
	}
	look.add(s.f.SeenAt.Add(maxStale + time.Millisecond))
	return passed
}

// whyOver says in a line what the all-clear rests on.
func (b *Book) whyOver(m *member) string {
	why, more := "", 0
	for c := range m.each {
		if len(why) > maxLine {
			more++
			continue
		}
		if why != "" {
			why += ", "
		}
		why += fmt.Sprintf("%s %s", c.track, c.over)
	}
	if more > 0 {
		why += fmt.Sprintf(" and %d more", more)
	}
	if why == "" {
		why = "nothing threatens it"
	}
	return why + "; covered, hold and stay over"
}

// lookAgain adds the times at which something about a place may change by itself.
func (b *Book) lookAgain(p *place, v *verdict, look *soonest) {
	for _, m := range p.declared {
		look.add(m.st.Until)
	}
	for _, r := range p.respects {
		look.add(r.until)
	}
	if p.auto != nil && p.auto.st.Stage == Shelter {
		return
	}
	look.add(v.gateAt)
	look.add(p.ask.at)
	if b.letOut(p) {
		look.add(p.letOutAt.Add(b.policy.Rearm))
	}
	for _, x := range p.parts {
		if x.s.spared != nil {
			look.add(x.s.spared.until)
		}
		if at, known := b.lastMoment(p, x); known {
			look.add(at)
		}
	}
}

// soonest keeps the earliest of the times after now.
type soonest struct{ now, at time.Time }

func (s *soonest) add(t time.Time) {
	if t.After(s.now) && (s.at.IsZero() || t.Before(s.at)) {
		s.at = t
	}
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (p *place) part(id threat.TrackID) (part, bool) {
	i, ok := p.find(id)
	if !ok {
		return part{}, false
	}
	return p.parts[i], true
}

func (p *place) forgetRespects(now time.Time) {
	kept := p.respects[:0]
	for _, r := range p.respects {
		if now.Before(r.until) {
			kept = append(kept, r)
		}
	}
	p.respects = kept
}
