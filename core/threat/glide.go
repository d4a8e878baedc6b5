package threat

import "math"

// Of what glides: how far it comes for each metre of height, at most and at least, and
// the standard deviation of where it ends against where its path points, as a share.
const (
	farGlide, nearGlide = 9.0, 1.0
	glideSpread         = 0.08
	// It comes down the steeper the nearer the end: by so much, at least and at most, sooner
	// than its present path would.
	bendLeast, bendMost = 0.7, 1.04
	// What it can come for each metre of height, as drawn: the middle, and the logarithm's
	// standard deviation.
	ratioMiddle, ratioSpread = 5.6, 0.25
	// blindReach is the mean distance, in metres, to the end of what falls or glides from a
	// height that nobody knows.
	blindReach = 25e3
)

// glide plays n futures of a descent to one place: ahead, where the path comes to the
// ground, and somewhat beside it. A body that does not yet come down may come as far as
// its height carries it.
func (e *ensemble) glide(h *Habit, n int) {
	height := math.Max(e.height, 50)
	for range n {
		u := e.throw()
		x := e.draw(u)
		speed := math.Hypot(x[3], x[4])
		course := math.Atan2(x[3], x[4]) + math.Hypot(h.Wander, h.Turn)*degree*u.normal(dCourse)
		var reach float64
		if e.blind {
			reach = blindReach * u.wait(dEnd)
		} else {
			// Between straight ahead as it comes down now and as far as it can come: the less
			// sure the present descent is, the more the latter.
			down := math.Max(-x[5], 0)
			slope := min(max(speed/math.Max(down, speed/farGlide), nearGlide), farGlide)
			slope *= bendLeast + (bendMost-bendLeast)*u.at(dAim)
			slope = math.Min(slope, ratioMiddle*math.Exp(ratioSpread*u.normal(dRoute)))
			reach = math.Max(height+x[2], 20) * slope * math.Exp(glideSpread*u.normal(dEnd))
		}
		after := reach / math.Max(speed*math.Exp(h.Speed*u.normal(dSpeed)), 20)
		sin, cos := math.Sincos(course)
		e.strike([3]float64{x[0] + reach*sin, x[1] + reach*cos, math.Min(after, longestFall)}, h.Radius)
	}
}
