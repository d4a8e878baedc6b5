package track

import (
	"math"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

const (
	sure      = 3.0  // log-odds of existence at which a track is confirmed on a quiet night: 95 %
	undoubted = 8.5  // at which it is with one observation fewer than usual: new objects are far rarer on a quiet night than births says
	leastSure = 2.0  // the same where many have come of late: 88 %
	leastDone = 5.0  // and 99.3 %
	doubtful  = 2.5  // by how much it falls below what it started from until a tentative one is dropped
	refuted   = -2.2 // at which a confirmed one is lost: 10 %
	lostFrom  = 30e3 // metres of uncertainty beyond which a track says nothing any more
	coastFrom = 3    // periods unseen after which a track coasts
)

// usualLooks is how many observations a track needs, unless it is said otherwise.
const usualLooks = 3

// start begins an object from a plot that is nobody's. What has no place, or a place
// too vague, starts nothing: that is counted.
func (e *engine) start(q *plot) {
	if q.g.kind == angular {
		if !e.set.silent {
			e.set.unmatched(q)
		}
		return
	}
	if t, ok := q.o.Body.(observation.SensorTrack); ok && t.Ended {
		return
	}
	if len(e.objects)-e.firm >= e.set.config.MaxTentative {
		e.full(q.at, "tentative", e.set.config.MaxTentative)
		return
	}
	if e.crowded(q.source) {
		e.raise(q.at, "source-flood", q.source.reg.ID, "starts more objects than one source may; the rest is not followed")
		return
	}
	e.groundOf(q.source).young++
	e.births++
	e.stamps++
	ob := e.fresh()
	ob.born, ob.founder, ob.since, ob.cradle, ob.clutter, ob.cell, ob.factor = e.births, q.seq, q.at, q.source, q.clutter, q.cell, q.factor
	ob.stamp = e.stamps
	ob.frame = e.set.earth.at(q.g.guess)
	q.g.belief(ob.frame, &ob.blend)
	ob.at, ob.seenAt = q.at, q.at
	likely := births * e.cueFactor(q)
	ob.logOdds = math.Log(q.source.trust * likely / (likely*(1-q.source.trust) + q.source.noise*q.factor*e.doubt(q)))
	e.count(ob, undecided)
	ob.firstOdds = ob.logOdds
	if q.g.hasEl || q.g.hasHeight {
		ob.depths = 1
	}
	ob.credit(q.source, q.at)
	ob.remember(q)
	ob.updates = 1
	ob.heed(q)
	if c := e.nearCue(q); c != nil {
		ob.told(c)
	}
	ob.trace()
	e.objects = append(e.objects, ob)
	e.locate(ob)
	q.started = ob
	if q.o.Key != "" && q.g.kind == cartesian {
		e.byKey[key{q.o.Source, q.o.Key}] = ob
	}
	e.reportOne(ob)
}

// fresh is an empty object, one that was used before if there is one.
func (e *engine) fresh() *object {
	n := len(e.free)
	if n == 0 {
		return &object{}
	}
	ob := e.free[n-1]
	e.free = e.free[:n-1]
	*ob = object{prior: ob.prior, look: look{plots: ob.look.plots}}
	return ob
}

// forget takes an object out that never became anything.
func (e *engine) forget(ob *object) {
	e.count(ob, uncounted)
	ob.gone = true
	e.bury(ob)
}

// bury cuts what a gone object holds of others.
func (e *engine) bury(ob *object) {
	e.grid.remove(ob)
	clear(ob.look.plots)
	ob.look = look{plots: ob.look.plots[:0]}
}

// confirm makes a tentative object a track, if it is sure enough of it.
func (e *engine) confirm(ob *object) bool {
	eased := math.Log1p(2 * e.late.ago(ob.at))
	if !ob.proven(e.set.config.Looks, max(sure-eased, leastSure), max(undoubted-eased, leastDone)) {
		return false
	}
	if e.firm >= e.set.config.MaxTracks {
		e.full(ob.at, "confirmed", e.set.config.MaxTracks)
		return false
	}
	e.firm++
	e.late.add(ob.at)
	ob.status = Confirmed
	e.count(ob, uncounted)
	e.set.name(ob)
	return true
}

// proven reports whether so many observations, and how well they fit, are enough.
func (ob *object) proven(looks int, sure, undoubted float64) bool {
	if looks > 0 {
		return ob.updates >= looks && ob.logOdds >= sure
	}
	return ob.updates >= usualLooks && ob.logOdds >= sure || ob.updates >= usualLooks-1 && ob.logOdds >= undoubted
}

// newcomers counts what was confirmed of late; it fades. With n of them, more are to be
// expected than on a quiet night: by (n+1/2)/(1/2), the rate that Jeffreys' prior leaves.
type newcomers struct {
	at tick
	n  float64
}

// ago is how many there were, as of now.
func (c *newcomers) ago(now tick) float64 {
	if now > c.at {
		c.n *= math.Exp(-(now - c.at).seconds() / fade)
		c.at = now
	}
	return c.n
}

func (c *newcomers) add(now tick) { c.n = c.ago(now) + 1 }

// close ends the look that is open over an object.
func (e *engine) close(ob *object) {
	clear(ob.look.plots)
	ob.look = look{plots: ob.look.plots[:0]}
}

// locate puts an object into the grid for the time until it is likely seen again. While a
// look is open it stays where its belief from before put it: that is what plots of
// the look are compared with.
func (e *engine) locate(ob *object) {
	if ob.reanchor(e.set.earth) {
		e.stamps++
		ob.stamp = e.stamps
		ob.trace()
	}
	period := ob.period()
	if need := min(max(period*3/2, 2*second), 20*second); ob.at+need <= ob.footTill {
		if centre, radius := ob.within(0, need.seconds()); ob.foot.covers(centre, radius) {
			ob.footTill = ob.at + need
			return
		}
	}
	ahead := min(max(3*period, 6*second), 20*second)
	if ob.updates == 1 { // what may still fly at any speed is soon near everything
		ahead = min(max(period*3/2, 2*second), 20*second)
	}
	e.locateFor(ob, 0, ahead.seconds())
	ob.footTill = ob.at + ahead
}

// locateFor covers the places where the object may be between from and till seconds
// after its belief.
func (e *engine) locateFor(ob *object, from, till float64) {
	centre, radius := ob.within(from, till)
	e.grid.place(ob, centre, radius)
}

// within is a circle, on the sphere, in which the object is between from and till seconds
// after its belief.
func (ob *object) within(from, till float64) (centre vec3, radius float64) {
	c := &ob.outline
	mid := (from + till) / 2
	at := vec3{c.p[0] + c.v[0]*mid, c.p[1] + c.v[1]*mid, 0}
	return onSphere(ob.frame.from(at)), length(c.v[0], c.v[1])*(till-from)/2 + c.radius(till) + 100
}

// sweep does what time alone does, and closes every look. Patience is part of it: what
// has not come by border and patience is taken not to come at the usual pace.
func (e *engine) sweep(border tick) {
	now := border + patience
	e.sweeps++
	kept := e.objects[:0]
	for i := range e.learned {
		e.learned[i].young = 0
	}
	for _, ob := range e.objects {
		if !ob.gone {
			e.age(now, ob)
		}
		if ob.gone {
			e.bury(ob)
			if ob.reason == NoReason && len(e.free) < mostFree { // nobody has heard of it
				e.free = append(e.free, ob)
			}
			continue
		}
		if ob.look.source != nil {
			e.close(ob)
			e.locate(ob)
		}
		if ob.status == Tentative {
			e.groundOf(ob.cradle).young++
		}
		kept = append(kept, ob)
	}
	clear(e.objects[len(kept):])
	e.objects = kept
	e.dropStale(border)
	e.takeStock(border)
}

// mostFree bounds the objects kept for use again. They are only taken back when all
// looks are closed: no plot that holds one is asked about it any more.
const mostFree = 8192

// dropStale forgets keys of objects that are gone, and cues that are over.
func (e *engine) dropStale(now tick) {
	for k, ob := range e.byKey {
		if ob.gone {
			delete(e.byKey, k)
		}
	}
	kept := e.cues[:0]
	for _, c := range e.cues {
		if now-c.at < cueLife {
			kept = append(kept, c)
		}
	}
	e.cues = kept
}

// age decides what becomes of an object as time passes.
func (e *engine) age(now tick, ob *object) {
	unseen := now - ob.seenAt
	if ob.status == Tentative {
		if ob.logOdds < ob.firstOdds-doubtful || unseen > max(4*ob.period(), 10*second) {
			ob.gone = true
			e.countDead(ob)
		} else if ob.counted == undecided && unseen > ob.period()*3/2+patience {
			e.count(ob, nobodys)
		}
		if !ob.gone && now > ob.footTill {
			from := now - patience - ob.at
			till := from + min(max(ob.period()*3/2, 2*second), 20*second)
			e.locateFor(ob, from.seconds(), till.seconds())
			ob.footTill = ob.at + till
		}
		return
	}
	if unseen > 2*second {
		if why := e.over(now, ob, unseen); why != NoReason {
			e.end(ob, now, why)
			return
		}
	}
	if e.merge(now, ob) {
		return
	}
	if now > ob.footTill {
		till := (now - ob.at).seconds() + 8
		e.locateFor(ob, till-8, till)
		ob.footTill = now + 8*second
	}
	if ob.status == Confirmed && unseen > max(coastFrom*ob.period(), 5*second) {
		ob.status = Coasting
		e.tell(WasUpdated, ob, now)
	}
}

// over says why a confirmed track is no more, if it is not.
func (e *engine) over(now tick, ob *object, unseen tick) Reason {
	if ob.landed(now) {
		return Landed
	}
	if ob.logOdds < refuted || unseen > ticks(e.set.config.Coast) {
		return Lost
	}
	if unseen > 30*second && ob.spreadAt((now-ob.at).seconds(), 0.2) > lostFrom {
		return Lost
	}
	return NoReason
}

func (e *engine) end(ob *object, now tick, why Reason) {
	ob.gone, ob.status, ob.reason = true, Ended, why
	e.firm--
	e.set.ended(ob)
	e.tell(WasEnded, ob, now)
}

// landed reports whether the object, falling, must have met the ground by now: its
// height is below zero by three standard deviations, and that is known to a kilometre or two.
func (ob *object) landed(now tick) bool {
	if ob.depths < 2 || ob.blend.falls() < 0.5 && ob.blend.chief().v[2] > -30 {
		return false
	}
	b := ob.blend
	b.predict(&ob.frame.world, (now - ob.at).seconds(), true)
	s := b.one()
	sigma := math.Sqrt(s.pp[2][2])
	return s.v[2] < 0 && sigma < 5000 && ob.frame.height(s.p)+3*sigma < 0
}

// absent takes a source's word that it has looked and saw nothing more.
func (e *engine) absent(s *source, at tick, b observation.Absence) {
	if s.site == nil {
		return
	}
	fresh := at - s.period*3/4
	// What reports far more than is there is not believed either that something is not.
	doubt := max(e.groundOf(s).whole.ratio(1), 1)
	for _, ob := range e.objects {
		if ob.gone || at < ob.since || ob.lastSeenBy(s) > fresh || ob.missSource == s && ob.missedAt > fresh {
			continue
		}
		p, sigma := ob.reckon((at - ob.at).seconds())
		place := ob.frame.from(p)
		if b.Sector && !inSector(s, place, b) {
			continue
		}
		seen := s.sees(e.set.earth, place) / doubt
		if seen == 0 {
			continue
		}
		if last := ob.lastSeenBy(s); last != 0 && ob.seenAt-last <= lately*s.period {
			ob.memory.missed++
		}
		ob.missSource, ob.missedAt = s, at
		ob.logOdds += math.Log1p(-seen * refutes(sigma, s))
		if ob.status != Tentative && ob.logOdds < refuted {
			e.end(ob, at, Lost)
			e.bury(ob)
		}
	}
}

// lately is for how many of its periods a source that saw an object is one that sees it.
const lately = 4

// refutes is how much of a belief a look can really refute: the wider the belief, the
// likelier that the object was outside what was looked at.
func refutes(sigma float64, s *source) float64 {
	return 1 / (1 + sigma/math.Max(s.reach()/4, 1))
}

func inSector(s *source, place geo.ECEF, b observation.Absence) bool {
	d := s.site.to(place)
	az := math.Atan2(d[0], d[1]) / degree
	span := math.Mod(float64(b.To-b.From)+720, 360)
	off := math.Mod(az-float64(b.From)+720, 360)
	return off <= span
}
