package track

import (
	"math"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

const (
	sure      = 3.0  // log-odds of existence at which a track is confirmed: 95 %
	doubtful  = 2.0  // by how much it falls below what it started from until a tentative one is dropped
	refuted   = -2.2 // at which a confirmed one is lost: 10 %
	lostFrom  = 30e3 // metres of uncertainty beyond which a track says nothing any more
	coastFrom = 3    // periods unseen after which a track coasts
)

// start begins an object from a plot that is nobody's. What has no place, or a place
// too vague, starts nothing: that is counted.
func (p *Picture) start(now time.Time, q *plot) []Change {
	if q.g.kind == angular {
		p.hear(now, q.source, &q.o)
		return nil
	}
	if t, ok := q.o.Body.(observation.SensorTrack); ok && t.Ended {
		return nil
	}
	if len(p.objects)-p.firm >= p.config.MaxTentative {
		p.faults.full(now, "tentative", p.config.MaxTentative)
		return nil
	}
	p.births++
	ob := &object{born: p.births, since: q.at, cradle: q.source}
	ob.frame = p.earth.at(q.g.guess)
	ob.blend = q.g.belief(ob.frame)
	ob.at, ob.seenAt, ob.updates = q.at, q.at, 1
	likely := births * p.cueFactor(q)
	ob.logOdds = math.Log(q.source.trust * likely / (likely*(1-q.source.trust) + q.source.noise))
	ob.firstOdds = ob.logOdds
	if q.g.hasEl || q.g.hasHeight {
		ob.depths = 1
	}
	ob.credit(q.source, q.at)
	ob.remember(q.o)
	ob.heed(q)
	if c := p.nearCue(q); c != nil {
		ob.hear(c.says)
	}
	ob.clutter = q.clutter
	ob.trace()
	p.objects = append(p.objects, ob)
	q.started = ob
	if q.o.Key != "" && q.g.kind == cartesian {
		p.byKey[key{q.o.Source, q.o.Key}] = ob
	}
	return p.report(now, []*object{ob})
}

// forget takes an object out that never became anything.
func (p *Picture) forget(ob *object) {
	ob.gone = true
	p.bury(ob)
}

// bury cuts what a gone object holds of others.
func (p *Picture) bury(ob *object) {
	p.grid.remove(ob)
	ob.look, ob.looks, ob.twin = nil, nil, nil
}

// confirm makes a tentative object a track, if it is sure enough of it.
func (p *Picture) confirm(now time.Time, ob *object) bool {
	if ob.updates < p.config.Looks || ob.logOdds < sure {
		return false
	}
	if p.firm >= p.config.MaxTracks {
		p.faults.full(now, "confirmed", p.config.MaxTracks)
		return false
	}
	p.firm++
	p.name(ob)
	ob.status = Confirmed
	return true
}

// locate puts an object into the grid for the time until it is likely seen again.
func (p *Picture) locate(ob *object) {
	if ob.reanchor(p.earth) {
		ob.trace()
	}
	ahead := math.Min(math.Max(2*ob.period().Seconds(), 4), 20)
	p.locateFor(ob, 0, ahead)
	ob.footTill = ob.at.Add(time.Duration(ahead * float64(time.Second)))
}

// locateFor covers the places where the object may be between from and till seconds
// after its belief.
func (p *Picture) locateFor(ob *object, from, till float64) {
	c := &ob.outline
	if speed := math.Hypot(c.v[0], c.v[1]); speed > slow { // late plots lie behind it
		from -= p.config.Late.Seconds() * (speed - slow) / speed
	}
	mid := (from + till) / 2
	centre := vec3{c.p[0] + c.v[0]*mid, c.p[1] + c.v[1]*mid, 0}
	radius := math.Hypot(c.v[0], c.v[1])*(till-from)/2 + c.radius(till) + 100
	p.grid.place(ob, onSphere(ob.frame.from(centre)), radius)
}

// sweep does what time alone does, at most once a second.
func (p *Picture) sweep(now time.Time) []Change {
	if p.next.IsZero() || now.Before(p.next) {
		return nil
	}
	p.next = now.Add(sweepEvery)
	p.sweeps++
	var changes []Change
	kept := p.objects[:0]
	for _, ob := range p.objects {
		if !ob.gone {
			changes = append(changes, p.age(now, ob)...)
		}
		if ob.gone {
			p.bury(ob)
			continue
		}
		kept = append(kept, ob)
	}
	for i := len(kept); i < len(p.objects); i++ {
		p.objects[i] = nil
	}
	p.objects = kept
	p.dropStale(now)
	p.register(now)
	changes = append(changes, p.tickSenses(now)...)
	return changes
}

// dropStale forgets keys of objects that are gone, and cues that are over.
func (p *Picture) dropStale(now time.Time) {
	for k, ob := range p.byKey {
		if ob.gone {
			delete(p.byKey, k)
		}
	}
	kept := p.cues[:0]
	for _, c := range p.cues {
		if now.Sub(c.at) < cueLife {
			kept = append(kept, c)
		}
	}
	p.cues = kept
}

// age decides what becomes of an object as time passes.
func (p *Picture) age(now time.Time, ob *object) []Change {
	unseen := now.Sub(ob.seenAt)
	if ob.id == "" {
		if ob.logOdds < ob.firstOdds-doubtful || unseen > max(4*ob.period(), 10*time.Second) {
			ob.gone = true
		}
		return nil
	}
	if why := p.over(now, ob, unseen); why != NoReason {
		return p.end(ob, now, why)
	}
	if merged := p.merge(now, ob); merged != nil {
		return merged
	}
	if now.After(ob.footTill) {
		till := now.Sub(ob.at).Seconds() + 8
		p.locateFor(ob, till-8, till)
		ob.footTill = now.Add(8 * time.Second)
	}
	if ob.status == Confirmed && unseen > max(coastFrom*ob.period(), 5*time.Second) {
		ob.status = Coasting
		ob.revision++
		return []Change{{Kind: WasUpdated, Track: ob.export(now)}}
	}
	return nil
}

// over says why a confirmed track is no more, if it is not.
func (p *Picture) over(now time.Time, ob *object, unseen time.Duration) Reason {
	if unseen > 2*time.Second && ob.landed(now) {
		return Landed
	}
	if ob.logOdds < refuted || unseen > p.config.Coast {
		return Lost
	}
	if unseen > 30*time.Second && ob.spreadAt(now.Sub(ob.at).Seconds(), 0.2) > lostFrom {
		return Lost
	}
	return NoReason
}

func (p *Picture) end(ob *object, now time.Time, why Reason) []Change {
	ob.gone, ob.status, ob.reason = true, Ended, why
	ob.revision++
	p.firm--
	return []Change{{Kind: WasEnded, Track: ob.export(now)}}
}

// landed reports whether the object, falling, must have met the ground by now: its
// height is below zero by three standard deviations, and that is known to a kilometre or two.
func (ob *object) landed(now time.Time) bool {
	if ob.depths < 2 || ob.blend.w[ballistic] < 0.5 && ob.blend.one().v[2] > -30 {
		return false
	}
	b := ob.blend
	b.predict(&ob.frame.world, now.Sub(ob.at).Seconds())
	s := b.one()
	sigma := math.Sqrt(s.pp[2][2])
	return s.v[2] < 0 && sigma < 5000 && ob.frame.height(s.p)+3*sigma < 0
}

// absent takes a source's word that it has looked and saw nothing more.
func (p *Picture) absent(now time.Time, s *source, at time.Time, b observation.Absence) []Change {
	if s.site == nil || b.Sector && !finite(float64(b.From), float64(b.To)) {
		return nil
	}
	var changes []Change
	for _, ob := range p.objects {
		if ob.gone || at.Before(ob.since) {
			continue
		}
		fresh := at.Add(-s.period * 3 / 4)
		if ob.lastSeenBy(s).After(fresh) || ob.missedBy(s).After(fresh) {
			continue
		}
		c := ob.ahead(&ob.memory, at)
		if b.Sector && !inSector(s, ob.frame.from(c.one.p), b) {
			continue
		}
		seen := s.sees(p.earth, ob.frame.from(c.one.p))
		if seen == 0 {
			continue
		}
		ob.miss(s, at)
		ob.logOdds += math.Log1p(-seen * ob.inside(c, s, at))
		if ob.id != "" && ob.logOdds < refuted {
			changes = append(changes, p.end(ob, now, Lost)...)
			p.bury(ob)
		}
	}
	return changes
}

// inside is how much of the belief a look can really refute: the wider the belief, the
// likelier that the object was outside what was looked at.
func (ob *object) inside(c *forecastCache, s *source, _ time.Time) float64 {
	sigma := math.Sqrt(math.Max(c.one.pp[0][0], c.one.pp[1][1]))
	return 1 / (1 + sigma/math.Max(s.reach()/4, 1))
}

// missedBy and miss keep the last look that counted against the object.
func (ob *object) missedBy(s *source) time.Time {
	if ob.missSource == s {
		return ob.missed
	}
	return time.Time{}
}

func (ob *object) miss(s *source, at time.Time) { ob.missSource, ob.missed = s, at }

func inSector(s *source, place geo.ECEF, b observation.Absence) bool {
	d := s.site.to(place)
	az := math.Atan2(d[0], d[1]) / degree
	span := math.Mod(float64(b.To-b.From)+720, 360)
	off := math.Mod(az-float64(b.From)+720, 360)
	return off <= span
}
