package track

import "math"

const (
	twinEvery  = 5    // sweeps between two comparisons of one object with its neighbours
	twinTimes  = 3    // comparisons in a row that must find the same
	twinGate   = 9.0  // squared normalised difference of position and velocity
	twinWithin = 2000 // metres of uncertainty beyond which nothing is said to be the same
)

// merge ends a confirmed object that is a second track of an older one: the two have
// been at one place with one velocity for several comparisons, and no source has seen
// both in one look. The older one lives on.
func (e *engine) merge(now tick, ob *object) bool {
	if e.sweeps%twinEvery != ob.born%twinEvery {
		return false
	}
	twin := e.twin(now, ob)
	if twin == nil || twin != ob.twin {
		ob.twin, ob.twinned = twin, 1
		return false
	}
	if ob.twinned++; ob.twinned < twinTimes {
		return false
	}
	for k, holder := range e.byKey {
		if holder == ob {
			e.byKey[k] = twin
		}
	}
	ob.into, ob.twin = twin.id, twin
	e.end(ob, now, Merged)
	return true
}

// twin is the oldest confirmed object that may be the same as this younger one.
func (e *engine) twin(now tick, ob *object) *object {
	dt := (now - ob.at).seconds()
	p, sigma := ob.reckon(dt)
	if sigma > twinWithin {
		return nil
	}
	e.found = e.grid.near(onSphere(ob.frame.from(p)), 4*sigma, e.found[:0])
	var at *state
	for _, other := range e.found {
		if other.born >= ob.born || other.status == Tentative || other.gone || apart(ob, other) {
			continue
		}
		if at == nil {
			s := e.moved(ob, &ob.memory, now, false).one()
			at = &s
		}
		c := e.moved(other, &other.memory, now, false).one()
		r, shift := between(other.frame, ob.frame)
		his := c.rotated(&r, shift)
		if his.pp[0][0]+his.pp[1][1] > twinWithin*twinWithin {
			continue // what has not been seen for long is near everything
		}
		if difference(at, &his) < twinGate {
			return other
		}
	}
	return nil
}

// apart reports whether a source has seen both in one look, and so knows them for two.
func apart(a, b *object) bool {
	for _, p := range a.parts[:a.count] {
		if last := b.lastSeenBy(p.source); last != 0 && absolute(last-p.lastAt) < p.source.window {
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
