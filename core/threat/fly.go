package threat

import "math"

// mostLegs bounds the turns of one future.
const mostLegs = 5

// halfFrom is the share of the horizon beyond which only every second future is played on
// and counts for two: far ahead the futures lie so far apart that a zone meets few of
// them, and more would only say more exactly what is not known.
const halfFrom = 0.3

const (
	// comesDown is how many metres down for each one ahead are no mere change of level.
	comesDown = 0.12
	// lastMetres is how far what comes down is off its path at the end.
	lastMetres = 300.0
)

// fly plays the i-th future of a level flight: legs of constant course, a new one at
// random times, until the horizon or the flight's own end.
func (e *ensemble) fly(h *Habit, i int) {
	u := e.throw()
	x := e.draw(u)
	speed, measured := math.Hypot(x[3], x[4]), math.Hypot(e.mean[3], e.mean[4])
	speed *= math.Exp(h.Speed * u.normal(dSpeed))
	speed = min(max(speed, math.Min(h.Slowest, measured)), math.Max(h.Fastest, measured))
	held := math.Atan2(x[3], x[4])
	course := held + h.Wander*degree*u.normal(dCourse)
	w := walk{e: e, east: x[0], north: x[1], speed: speed, weight: e.weight, left: u.wait(dEnd) * h.Far}
	if !e.blind && -x[5] > comesDown*speed { // it is on its way down
		w.left = math.Min(w.left, math.Max(e.height+x[2], 0)/-x[5]*speed+lastMetres)
	}
	limit := h.Horizon.Seconds()
	w.thin = halfFrom * limit
	if i&1 == 1 {
		limit = w.thin
	}
	rate := h.Turns / 60
	if e.turning > 0 && u.at(dTurnOn) < e.turning { // a turn is on: where it ends is not known
		course += h.Turn * degree * u.normal(dTurnBy)
	}
	// The course to where it is sent is not the one it holds; legs lie around the former.
	aim := held + h.Turn*degree*u.normal(dAim)
	for n := 0; w.now < limit && w.left > 0; n++ {
		end := limit
		if rate > 0 && n < mostLegs {
			end = math.Min(limit, w.now+u.wait(dLegs+2*n)/rate)
		}
		w.leg(course, end)
		if n < mostLegs {
			k := u.at(dLegs + 2*n + 1)
			if k < h.Strays {
				course = 2 * math.Pi * k / h.Strays
				aim = course
			} else {
				course = aim + h.Turn*degree*u.dice.normalOf((k-h.Strays)/(1-h.Strays))
			}
		}
	}
}

// walk is one future on its way over the raster.
type walk struct {
	e           *ensemble
	east, north float64
	speed, now  float64
	left        float64 // metres until it ends, on ground that draws as the average does
	weight      float64
	thin        float64 // seconds from which on it counts for two
	thinned     bool
	last        set // where it was, and how many seconds its last stride took
	took        float64
}

// Of a typical zone's width: the shortest stride near ahead, and far ahead. A corner that
// is stepped over is less than what is not known of the way.
const nearStride, farStride = 0.12, 0.35

// leg walks one leg, in strides as long as the ground is the same all around.
func (w *walk) leg(course, end float64) {
	g := w.e.ground
	if g.cols == 0 || !(w.speed > 0.5) {
		w.now = end
		return
	}
	sin, cos := math.Sincos(course)
	near, most := max(0.8*w.e.where.cell, nearStride*g.typical), max(0.8*w.e.where.cell, farStride*g.typical)
	grows := most / w.thin
	slow := 1 / w.speed
	for w.now < end && w.left > 0 {
		if !w.thinned && w.now >= w.thin {
			w.thinned = true
			w.weight *= 2
		}
		s, free := w.e.where.look(w.east, w.north)
		if s != w.last { // it came in somewhere on its last stride
			w.last = s
			w.e.reached(s, w.now-w.took/2, w.weight)
		}
		stride := max(free, min(max(near, grows*w.now), most))
		w.took = stride * slow
		if w.took > end-w.now {
			w.took = end - w.now
			stride = w.took * w.speed
		}
		w.east += stride * sin
		w.north += stride * cos
		w.left -= stride * float64(g.draws[s])
		w.now += w.took + 1e-9
	}
}
