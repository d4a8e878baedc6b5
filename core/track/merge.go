package track

import (
	"math"
	"time"
)

const (
	twinEvery  = 5    // sweeps between two comparisons of one object with its neighbours
	twinTimes  = 3    // comparisons in a row that must find the same
	twinGate   = 9.0  // squared normalised difference of position and velocity
	twinWithin = 2000 // metres of uncertainty beyond which nothing is said to be the same
)

// merge ends a confirmed object that is a second track of an older one: the two have
// been at one place with one velocity for several comparisons, and no source has seen
// both in one look. The older one lives on.
func (p *Picture) merge(now time.Time, ob *object) []Change {
	if p.sweeps%twinEvery != ob.born%twinEvery {
		return nil
	}
	twin := p.twin(now, ob)
	if twin == nil || twin != ob.twin {
		ob.twin, ob.twinned = twin, 1
		return nil
	}
	if ob.twinned++; ob.twinned < twinTimes {
		return nil
	}
	for k, holder := range p.byKey {
		if holder == ob {
			p.byKey[k] = twin
		}
	}
	ob.into = twin.id
	return p.end(ob, now, Merged)
}

// twin is the oldest confirmed object that may be the same as this younger one.
func (p *Picture) twin(now time.Time, ob *object) *object {
	mine := ob.ahead(&ob.memory, now)
	if mine.one.pp[0][0]+mine.one.pp[1][1] > twinWithin*twinWithin {
		return nil
	}
	at := mine.one
	p.found = p.grid.near(onSphere(ob.frame.from(at.p)), 3*math.Sqrt(at.pp[0][0]+at.pp[1][1]), p.found[:0])
	for _, other := range p.found {
		if other.born >= ob.born || other.id == "" || other.gone || apart(ob, other) {
			continue
		}
		c := other.ahead(&other.memory, now)
		r, shift := between(other.frame, ob.frame)
		his := c.one.rotated(&r, shift)
		if his.pp[0][0]+his.pp[1][1] > twinWithin*twinWithin {
			continue // what has not been seen for long is near everything
		}
		if difference(&at, &his) < twinGate {
			return other
		}
	}
	return nil
}

// apart reports whether a source has seen both in one look, and so knows them for two.
func apart(a, b *object) bool {
	for _, p := range a.parts[:a.count] {
		if last := b.lastSeenBy(p.source); !last.IsZero() && absolute(last.Sub(p.lastAt)) < p.source.window {
			return true
		}
	}
	return false
}

// difference is the squared normalised difference of two independent beliefs, axis by
// axis of position and velocity; correlations would make it smaller.
func difference(a, b *state) (d2 float64) {
	for i := range 3 {
		dp, dv := a.p[i]-b.p[i], a.v[i]-b.v[i]
		d2 += dp*dp/math.Max(a.pp[i][i]+b.pp[i][i], 1) + dv*dv/math.Max(a.vv[i][i]+b.vv[i][i], 0.1)
	}
	return d2
}
