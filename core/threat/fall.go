package threat

import "math"

// What a fall depends on beside where the body is over the ground, which moves its end as
// far: height, velocity, drag and whether its motor still burns.
const (
	fHeight = iota
	fEast
	fNorth
	fUp
	fDrag
	fBurn
	figures
)

// longestFall, in seconds, is that of a missile of the longest range.
const longestFall = 1800.0

// fall plays n futures of a body in free fall. It is flown to the ground once as measured
// and once more with each figure changed, and the ends are spread accordingly: along
// straight lines for what is measured, along a bent one for the drag, which is hardly known.
func (e *ensemble) fall(h *Habit, n int) {
	base, ok := e.impact(h, [figures]float64{})
	if !ok {
		return
	}
	var slope, bend [figures][3]float64
	for k, by := range e.deviations() {
		if by == 0 {
			continue
		}
		var d [figures]float64
		d[k] = by
		up, okUp := e.impact(h, d)
		if !okUp {
			continue
		}
		for i := range 3 {
			slope[k][i] = (up[i] - base[i]) / by
		}
		if k != fDrag {
			continue
		}
		d[k] = -by
		if down, ok := e.impact(h, d); ok {
			for i := range 3 {
				slope[k][i] = (up[i] - down[i]) / 2
				bend[k][i] = (up[i]+down[i])/2 - base[i]
			}
		}
	}
	for range n {
		u := e.throw()
		x := e.draw(u)
		at := [3]float64{base[0] + x[0], base[1] + x[1], base[2]}
		d := [figures]float64{x[2] - e.mean[2], x[3] - e.mean[3], x[4] - e.mean[4], x[5] - e.mean[5], u.normal(dSpeed), u.normal(dCourse)}
		for k := range figures {
			for i := range 3 {
				at[i] += slope[k][i]*d[k] + bend[k][i]*d[k]*d[k]
			}
		}
		e.strike(at, h.Radius)
	}
}

// deviations are by how much each figure is changed: metres and metres per second about as
// uncertain as they are, and one standard deviation of what is assumed. 0: not at all.
func (e *ensemble) deviations() (d [figures]float64) {
	spread := func(i int) float64 {
		sum := 0.0
		for k := 0; k <= i; k++ {
			sum += e.root[i][k] * e.root[i][k]
		}
		return math.Sqrt(sum)
	}
	for k, i := range [...]int{fHeight: 2, fEast: 3, fNorth: 4, fUp: 5} {
		d[k] = math.Min(spread(i), 1000)
	}
	d[fDrag] = 1
	if e.climbs*boost(e.mean[5]) > 0.05 {
		d[fBurn] = 1
	}
	return d
}

// strike counts an end: metres east and north of the origin, seconds from now.
func (e *ensemble) strike(at [3]float64, radius float64) {
	after := math.Max(at[2], 0)
	if !(math.Abs(at[0])+math.Abs(at[1])+after < 1e8) {
		return
	}
	east, north := e.onPlane(at[0], at[1])
	set, free := e.where.look(east, north)
	e.reached(set, after, e.weight)
	more := radius - Beside
	for k := 0; k < len(around) && more > 0 && free < more+e.where.cell; k++ {
		set, _ := e.where.look(east+more*around[k][0], north+more*around[k][1])
		e.reached(set, after, e.weight)
	}
	e.horizon = max(e.horizon, seconds(after))
}

// around are directions in which the ground near an end is looked at.
var around = [...][2]float64{{1, 0}, {0.5, 0.866}, {-0.5, 0.866}, {-1, 0}, {-0.5, -0.866}, {0.5, -0.866}}

// onPlane turns metres along the ground, in a direction from the origin, into the lay's
// metres, which count east along the parallel: the same but for far ends.
func (e *ensemble) onPlane(x, y float64) (east, north float64) {
	arc := math.Hypot(x, y) / earthRadius
	if arc < 0.03 {
		return x, y
	}
	bearing := math.Atan2(x, y)
	sin0, cos0 := math.Sincos(float64(e.origin.Lat) * degree)
	sinArc, cosArc := math.Sincos(arc)
	sinLat := sin0*cosArc + cos0*sinArc*math.Cos(bearing)
	lat := math.Asin(min(max(sinLat, -1), 1))
	lon := math.Atan2(math.Sin(bearing)*sinArc*cos0, cosArc-sin0*sinLat)
	l := &e.where
	if l.columns == 0 {
		return x, y
	}
	// What look will make of it again.
	dx := lon / degree / e.ground.wide
	dy := (lat/degree - float64(e.origin.Lat)) / e.ground.step
	north = dy / l.rows
	for range 3 {
		east = dx / (l.columns * (1 + l.widen*north))
		north = dy/l.rows + l.bend*east*east
	}
	return east, north
}

// impact flies the body to the ground and returns where, in metres east and north of
// the origin along the ground, and when. d are deviations of the figures.
func (e *ensemble) impact(h *Habit, d [figures]float64) (out [3]float64, ok bool) {
	b := body{drag: h.Drag * math.Exp(h.DragSpread*d[fDrag]), flat: e.models.Flat}
	// A body that may still burn gains speed: by a tenth of it, in doubt.
	burn := 1 + 0.1*e.climbs*d[fBurn]*boost(e.mean[5])
	p := [3]float64{0, 0, earthRadius + math.Max(e.height+d[fHeight], 0)}
	v := [3]float64{(e.mean[3] + d[fEast]) * burn, (e.mean[4] + d[fNorth]) * burn, (e.mean[5] + d[fUp]) * burn}
	sin, cos := math.Sincos(float64(e.origin.Lat) * degree)
	b.spin = [3]float64{0, earthSpin * cos, earthSpin * sin}
	for t := 0.0; t < longestFall; {
		height := b.height(&p)
		dt := stepOf(height, length(v), b.drag)
		last := p
		b.move(&p, &v, dt)
		t += dt
		if now := b.height(&p); now <= 0 {
			share := 1.0
			if height > now {
				share = min(max(height/(height-now), 0), 1)
			}
			for i := range 3 {
				p[i] = last[i] + (p[i]-last[i])*share
			}
			out[0], out[1], out[2] = p[0], p[1], t-dt*(1-share)
			if off := math.Hypot(p[0], p[1]); off > 0 && !b.flat {
				along := earthRadius * math.Atan2(off, p[2])
				out[0], out[1] = p[0]/off*along, p[1]/off*along
			}
			return out, true
		}
	}
	return out, false
}

// stepOf is how many seconds one step of the flight may take: long where there is no air,
// short where it brakes hard, and not far through the ground.
func stepOf(height, speed, drag float64) float64 {
	dt := 8.0
	if brakes := 0.6 * math.Exp(-math.Max(height, 0)/scaleHeight) * drag * speed; brakes > 1e-6 {
		dt = math.Min(dt, 0.25/brakes)
	}
	return min(max(math.Min(dt, height/math.Max(speed, 1)), 0.3), 8)
}

// boost is how likely, for a body climbing so fast, it is that its motor still burns.
func boost(climb float64) float64 { return min(max(climb/200, 0), 1) }

// scaleHeight is the height, in metres, over which the air thins to a third.
const scaleHeight = 8000

// body is what moves in free fall.
type body struct {
	drag float64
	flat bool // over a plane that stands still
	spin [3]float64
}

// height is that over the ground, in metres.
func (b *body) height(p *[3]float64) float64 {
	if b.flat {
		return p[2] - earthRadius
	}
	return length(*p) - earthRadius
}

// move is one step of Runge and Kutta's method of fourth order.
func (b *body) move(p, v *[3]float64, dt float64) {
	a1 := b.pull(*p, *v)
	p2, v2 := ahead(p, v, &a1, dt/2)
	a2 := b.pull(p2, v2)
	p3, v3 := ahead(p, &v2, &a2, dt/2)
	for i := range 3 {
		v3[i] = v[i] + a2[i]*dt/2
	}
	a3 := b.pull(p3, v3)
	p4, v4 := ahead(p, &v3, &a3, dt)
	for i := range 3 {
		v4[i] = v[i] + a3[i]*dt
	}
	a4 := b.pull(p4, v4)
	for i := range 3 {
		p[i] += dt / 6 * (v[i] + 2*v2[i] + 2*v3[i] + v4[i])
		v[i] += dt / 6 * (a1[i] + 2*a2[i] + 2*a3[i] + a4[i])
	}
}

func ahead(p, v, a *[3]float64, dt float64) (q, w [3]float64) {
	for i := range 3 {
		q[i] = p[i] + v[i]*dt
		w[i] = v[i] + a[i]*dt
	}
	return q, w
}

func length(v [3]float64) float64 { return math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2]) }

// pull is gravity, drag in the standard air, and the Coriolis force.
func (b *body) pull(p, v [3]float64) (a [3]float64) {
	if b.flat {
		k := 1.225 * math.Exp(-math.Max(p[2]-earthRadius, 0)/scaleHeight) * b.drag * length(v) / 2
		return [3]float64{-k * v[0], -k * v[1], -k*v[2] - gravity}
	}
	r := length(p)
	g := gravity * (earthRadius / r) * (earthRadius / r)
	rho := 1.225 * math.Exp(-math.Max(r-earthRadius, 0)/scaleHeight)
	k := rho * b.drag * length(v) / 2
	for i := range 3 {
		a[i] = -g*p[i]/r - k*v[i]
	}
	a[0] -= 2 * (b.spin[1]*v[2] - b.spin[2]*v[1])
	a[1] -= 2 * (b.spin[2]*v[0] - b.spin[0]*v[2])
	a[2] -= 2 * (b.spin[0]*v[1] - b.spin[1]*v[0])
	return a
}
