package threat

import (
	"math"
)

// fly plays one future of a level or gliding flight: legs of constant course, a new one
// at random times, until the horizon or the flight's own end.
func (e *ensemble) fly(h *Habit) {
	u := e.seq.next()
	x := e.draw(u)
	speed := math.Hypot(x[3], x[4])
	measured := math.Hypot(e.mean[3], e.mean[4])
	speed *= math.Exp(h.Speed * u.normal(6))
	speed = min(max(speed, math.Min(h.Slowest, measured)), math.Max(h.Fastest, measured))
	held := math.Atan2(x[3], x[4])
	course := held + h.Wander*degree*u.normal(7)
	limit := math.Min(-math.Log(1-u.at(8))*h.Far/math.Max(speed, 1), h.Horizon.Seconds())
	if h.Glides {
		down := math.Max(-e.mean[5], 10)
		limit = math.Min(limit, math.Max(e.height, 50)/down*math.Exp(0.25*u.normal(8)))
	}
	w := walker{e: e, lat: float64(e.origin.Lat) + x[1]/metresPerDegree, lon: float64(e.origin.Lon)}
	w.lon += x[0] / (metresPerDegree * math.Max(math.Cos(w.lat*degree), leastCos))
	rate := h.Turns / 60
	now := 0.0
	if e.turning > 0 && u.at(9) < e.turning { // a turn is on: where it ends is not known
		course += h.Turn * degree * u.normal(10)
	}
	for n := 0; now < limit; n++ {
		end := limit
		if rate > 0 && n < mostLegs {
			end = math.Min(limit, now-math.Log(1-u.at(11+2*n))/rate)
		}
		w.leg(course, speed, now, end)
		now = end
		if n < mostLegs {
			course = held + math.Hypot(h.Turn, h.Wander)*degree*u.normal(12+2*n)
		}
	}
}

// mostLegs bounds the turns of one future.
const mostLegs = 6

const degree = math.Pi / 180

// walker goes over the raster.
type walker struct {
	e        *ensemble
	lat, lon float64
}

// leg walks one leg, in strides as long as the ground is the same all around.
func (w *walker) leg(course, speed, now, end float64) {
	g := w.e.ground
	sin, cos := math.Sincos(course)
	north := cos / metresPerDegree
	cell := g.step * metresPerDegree
	if g.cols == 0 || !(speed > 0.5) {
		return
	}
	sinLat, cosLat := math.Sincos(w.lat * degree)
	cosLat = max(cosLat, leastCos)
	for left := (end - now) * speed; left > 0; {
		cells, set := w.look()
		w.e.reached(set, end-left/speed)
		stride := min(cells*cell, left)
		w.lat += stride * north
		w.lon += stride * sin / (metresPerDegree * cosLat)
		cosLat = max(cosLat-sinLat*stride*north*degree, leastCos)
		left -= stride
	}
}

// leastCos keeps steps near the poles finite.
const leastCos = 0.02

// look returns the set of zones under the walker and how many cells it may stride
// without meeting another.
func (w *walker) look() (stride float64, set int32) {
	g := w.e.ground
	x := g.eastOf(w.lon) / g.wide
	y := (w.lat - g.south) / g.step
	if x < 0 || y < 0 || x >= float64(g.cols) || y >= float64(g.rows) {
		off := max(-x, x-float64(g.cols), -y, y-float64(g.rows))
		return max(off*0.7, 0.7), 0
	}
	i := int(y)*g.cols + int(x)
	return max(float64(g.clear[i])-0.5, 0.7), g.over[i]
}

const (
	gravity     = 9.80665
	earthRadius = 6371e3
	earthSpin   = 7.292e-5
	longestFall = 1200.0 // seconds
)

// fall plays n futures of a body in free fall: it is flown to the ground once as
// measured and once with each uncertain figure changed by a standard deviation, and the
// places of impact are spread accordingly.
func (e *ensemble) fall(h *Habit, n int) {
	const figures = 8 // six of the state, drag, burning
	base, ok := e.impact(h, [figures]float64{})
	if !ok {
		return
	}
	var slope [figures][3]float64
	for k := range figures {
		var d [figures]float64
		d[k] = 1
		up, okUp := e.impact(h, d)
		d[k] = -1
		down, okDown := e.impact(h, d)
		if !okUp || !okDown {
			continue
		}
		for i := range 3 {
			slope[k][i] = (up[i] - down[i]) / 2
		}
	}
	for range n {
		e.future++
		u := e.seq.next()
		at := base
		for k := range figures {
			z := u.normal(k)
			for i := range 3 {
				at[i] += slope[k][i] * z
			}
		}
		e.strike(at)
	}
}

// strike counts an impact: metres east and north of the origin, seconds from now.
func (e *ensemble) strike(at [3]float64) {
	bearing := math.Atan2(at[0], at[1])
	arc := math.Hypot(at[0], at[1]) / earthRadius
	lat0 := float64(e.origin.Lat) * degree
	sinLat := math.Sin(lat0)*math.Cos(arc) + math.Cos(lat0)*math.Sin(arc)*math.Cos(bearing)
	lat := math.Asin(min(max(sinLat, -1), 1))
	lon := math.Atan2(math.Sin(bearing)*math.Sin(arc)*math.Cos(lat0), math.Cos(arc)-math.Sin(lat0)*sinLat)
	w := walker{e: e, lat: lat / degree, lon: float64(e.origin.Lon) + lon/degree}
	_, set := w.look()
	e.reached(set, math.Max(at[2], 0))
	e.horizon = max(e.horizon, seconds(at[2]))
}

// impact flies the body to the ground and returns where, in metres east and north of
// the origin along the ground, and when. d are deviations in standard deviations.
func (e *ensemble) impact(h *Habit, d [8]float64) (out [3]float64, ok bool) {
	x := e.mean
	for i := range 6 {
		for k := 0; k <= i; k++ {
			x[i] += e.root[i][k] * d[k]
		}
	}
	drag := h.Drag * math.Exp(h.DragSpread*d[6])
	// A body that may still burn gains speed: by a tenth of it, in doubt.
	burn := 1 + 0.1*e.climbs*d[7]*boost(x[5])
	p := [3]float64{x[0], x[1], earthRadius + math.Max(e.height+x[2], 0)}
	v := [3]float64{x[3] * burn, x[4] * burn, x[5] * burn}
	sin, cos := math.Sincos(float64(e.origin.Lat) * degree)
	spin := [3]float64{0, earthSpin * cos, earthSpin * sin}
	for t := 0.0; t < longestFall; {
		r := math.Sqrt(p[0]*p[0] + p[1]*p[1] + p[2]*p[2])
		height := r - earthRadius
		dt := min(max(height/2000, 0.25), 2)
		a := pull(p, v, r, drag, spin)
		mid, vm := p, v
		for i := range 3 {
			mid[i] += v[i]*dt/2 + a[i]*dt*dt/8
			vm[i] += a[i] * dt / 2
		}
		rm := math.Sqrt(mid[0]*mid[0] + mid[1]*mid[1] + mid[2]*mid[2])
		a = pull(mid, vm, rm, drag, spin)
		last := p
		for i := range 3 {
			p[i] += vm[i] * dt
			v[i] += a[i] * dt
		}
		t += dt
		rn := math.Sqrt(p[0]*p[0] + p[1]*p[1] + p[2]*p[2])
		if rn <= earthRadius {
			share := 1.0
			if r > rn {
				share = min(max((r-earthRadius)/(r-rn), 0), 1)
			}
			for i := range 3 {
				p[i] = last[i] + (p[i]-last[i])*share
			}
			flat := math.Hypot(p[0], p[1])
			along := earthRadius * math.Atan2(flat, p[2])
			if flat > 0 {
				out[0], out[1] = p[0]/flat*along, p[1]/flat*along
			}
			out[2] = t - dt*(1-share)
			return out, true
		}
	}
	return out, false
}

// boost is how likely, for a body climbing so fast, it is that its motor still burns.
func boost(climb float64) float64 { return min(max(climb/200, 0), 1) }

// pull is gravity, drag in the standard air, and the Coriolis force.
func pull(p, v [3]float64, r, drag float64, spin [3]float64) (a [3]float64) {
	g := gravity * (earthRadius / r) * (earthRadius / r)
	speed := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	rho := 1.225 * math.Exp(-math.Max(r-earthRadius, 0)/8000)
	k := rho * drag * speed / 2
	for i := range 3 {
		a[i] = -g*p[i]/r - k*v[i]
	}
	a[0] -= 2 * (spin[1]*v[2] - spin[2]*v[1])
	a[1] -= 2 * (spin[2]*v[0] - spin[0]*v[2])
	a[2] -= 2 * (spin[0]*v[1] - spin[1]*v[0])
	return a
}
