package track

import (
	"fmt"
	"math"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

// What a sighting measures.
const (
	polar     = iota // range and azimuth from a site
	cartesian        // a place
	angular          // azimuth, and elevation, from a place
)

// sighting is the measurement in an observation: numbers with their error.
type sighting struct {
	kind int
	from *frame // axes: of the site (polar, angular) or of the place (cartesian)
	own  frame  // what from is where the observation brings its own place

	rng, az, el            float64 // metres, radians; el is the best guess where it is not measured
	sigmaR, sigmaA, sigmaE float64 // metres, radians, radians
	hasEl                  bool
	height, sigmaH         float64
	hasHeight              bool // cartesian: the vertical is worth having
	doppler                float64
	hasDoppler             bool
	cov                    mat3 // cartesian
	white                  mat3 // the inverse of its Cholesky factor
	logScale               float64
	logClutter             float64 // of the density of false plots where it is
	velocity               vec3
	sigmaV                 float64
	hasVelocity            bool
	sigmaT                 float64  // seconds
	guess                  geo.ECEF // the likeliest place
	spread                 float64  // metres around it on the ground within which it may be
	depth                  float64  // standard deviation of the guess along the unmeasured elevation, metres
}

const (
	leastRangeError  = 5.0
	leastAngleError  = 0.02 * degree
	leastHeightError = 15.0
	dopplerError     = 6.0
	fixDepth         = 3000.0 // a vertical standard deviation beyond which a fix has no height
	farthest         = 5e6    // metres; a slant range beyond it is no measurement
)

// errUnusable says why a body cannot be measured with.
type errUnusable string

func (e errUnusable) Error() string { return string(e) }

// read makes g the measurement in an observation; g stays where it is, for it may hold its own axes.
func (g *sighting) read(o *observation.Observation, s *source, e earth) error {
	*g = sighting{sigmaT: within(s.errors.Time.Seconds(), 0, 10, 0)}
	switch b := o.Body.(type) {
	case observation.Plot:
		return g.plot(&b, s, e)
	case observation.Fix:
		return g.fix(b.Position, b.Covariance, e)
	case observation.SensorTrack:
		var c mat3
		wider := inflation(&b, s.period.seconds())
		for i := range 3 {
			for j := range 3 {
				c[i][j] = wider * b.Covariance[i][j]
			}
		}
		if b.HasVelocity {
			g.velocity, g.hasVelocity = b.Velocity, true
			g.sigmaV = math.Sqrt(wider * (b.Covariance[3][3] + b.Covariance[4][4]) / 2)
		}
		return g.fix(b.Position, c, e)
	case observation.Cooperative:
		r := within(float64(b.Error), 10, 1e5, 100)
		g.velocity, g.hasVelocity, g.sigmaV = b.Velocity, b.HasVelocity, 5
		return g.fix(b.Position, mat3{{r * r}, {0, r * r}, {0, 0, 100 * 100}}, e)
	case observation.Bearing:
		return g.bearing(&b, s, e)
	}
	return errUnusable(fmt.Sprintf("%T is no measurement", o.Body))
}

// inflation is by how much a foreign track's covariance must be widened for its reports to be
// taken as if they were independent. They are not: each is the one before, moved on, and
// corrected by a gain K, so that errors fade as (1-K)^n. Many such reports are worth as many
// independent ones of (2-K)/K times the variance. K follows from the covariance itself: it is
// how much less sure the track was before the report, a period after the one before.
func inflation(b *observation.SensorTrack, period float64) float64 {
	c := &b.Covariance
	p := c[0][0] + c[1][1]
	grown := 2*period*(c[0][3]+c[1][4]) + period*period*(c[3][3]+c[4][4])
	if !(p > 0) || !(grown > 0) { // it does not say how fast it forgets
		return usualInflation
	}
	k := min(max(grown/(p+grown), 1/mostInflation), 1)
	return max((2-k)/k, leastInflation)
}

const (
	usualInflation = 6.0  // a gain of 0.3
	leastInflation = 2.0  // what process noise it assumes is not in its covariance
	mostInflation  = 50.0 // a tracker that all but stands still
)

func (g *sighting) plot(b *observation.Plot, s *source, e earth) error {
	if s.site == nil {
		return errUnusable("source has no registered site")
	}
	if !finite(float64(b.Range), float64(b.Azimuth), float64(b.Elevation), float64(b.Height), float64(b.HeightError), float64(b.Doppler)) {
		return errUnusable("a number is not finite")
	}
	if b.Range <= 0 || b.Range > farthest || math.Abs(float64(b.Azimuth)) > 720 || math.Abs(float64(b.Elevation)) > 90 {
		return errUnusable("out of range")
	}
	g.kind, g.from = polar, s.site
	g.rng, g.az = float64(b.Range), float64(b.Azimuth)*degree
	g.sigmaR = math.Max(float64(s.errors.Range), leastRangeError)
	g.sigmaA = math.Max(float64(s.errors.Azimuth)*degree, leastAngleError)
	g.sigmaE = math.Max(float64(s.errors.Elevation)*degree, leastAngleError)
	if b.HasDoppler && math.Abs(float64(b.Doppler)) < 20e3 {
		g.doppler, g.hasDoppler = float64(b.Doppler), true
	}
	if b.HasHeight && b.Height > -2000 && b.Height < 1e6 {
		g.height, g.hasHeight = float64(b.Height), true
		g.sigmaH = within(float64(b.HeightError), leastHeightError, 20e3, 100)
	}
	switch {
	case b.HasElevation:
		g.el, g.hasEl = float64(b.Elevation)*degree, true
		g.depth = g.rng * g.sigmaE
	case g.hasHeight:
		g.el = g.elevationAt(g.height, s, e)
		g.depth = g.sigmaH / math.Max(math.Cos(g.el), 0.2)
	default:
		top := math.Min(deepest, float64(s.reg.Site.Height)+g.rng)
		g.el = g.elevationAt(top/2, s, e)
		g.depth = math.Max(top, 100) / math.Sqrt(12) / math.Max(math.Cos(g.el), 0.2)
	}
	g.guess = g.from.from(g.pointAt(g.el))
	g.spread = 4*(g.sigmaR+g.rng*g.sigmaA) + 4*g.depth*math.Abs(math.Sin(g.el)) + g.sigmaT*1000
	if !g.hasEl && !g.hasHeight {
		g.spread += g.rng * (1 - math.Cos(2*g.el))
	}
	return nil
}

// elevationAt is the elevation at which the slant range ends at a height.
func (g *sighting) elevationAt(height float64, s *source, e earth) float64 {
	up := height - float64(s.reg.Site.Height)
	if e.plane != nil {
		up = height - e.plane.to(s.site.origin)[2]
	} else {
		up -= g.rng * g.rng / (2 * earthRadius)
	}
	return math.Asin(min(max(up/g.rng, -1), 1))
}

// pointAt is the place at an elevation, in the axes of the site.
func (g *sighting) pointAt(el float64) vec3 {
	sa, ca := math.Sincos(g.az)
	se, ce := math.Sincos(el)
	return vec3{g.rng * ce * sa, g.rng * ce * ca, g.rng * se}
}

func (g *sighting) fix(p geo.Position, cov mat3, e earth) error {
	if !finitePosition(p) {
		return errUnusable("position is not on earth")
	}
	for i := range 3 {
		for j := range i {
			c := (cov[i][j] + cov[j][i]) / 2
			cov[i][j], cov[j][i] = c, c
		}
		if !(cov[i][i] >= 0) || cov[i][i] > 1e12 {
			return errUnusable("covariance is not one")
		}
		cov[i][i] = math.Max(cov[i][i], 25)
	}
	if !finite(g.sigmaV, g.velocity[0], g.velocity[1], g.velocity[2]) || norm(g.velocity) > 20e3 {
		return errUnusable("velocity is not usable")
	}
	g.sigmaV = math.Max(g.sigmaV, 1)
	g.kind, g.cov = cartesian, cov
	g.bring(p, e)
	g.hasHeight = cov[2][2] < fixDepth*fixDepth
	if !g.hasHeight { // somewhere in the band: its middle is the best guess
		up := deepest/2 - e.height(g.from.origin)
		g.from.origin = g.from.from(vec3{0, 0, up})
	}
	g.guess = g.from.origin
	if !g.whiten() {
		return errUnusable("covariance is not one")
	}
	g.spread = 4*math.Sqrt(cov[0][0]+cov[1][1]) + g.sigmaT*1000
	return nil
}

// bring makes the axes those of a place that the observation names.
func (g *sighting) bring(p geo.Position, e earth) {
	e.lay(p, &g.own)
	g.from = &g.own
}

func (g *sighting) bearing(b *observation.Bearing, s *source, e earth) error {
	g.kind, g.from = angular, s.site
	if b.HasFrom {
		if !finitePosition(b.From) {
			return errUnusable("position is not on earth")
		}
		g.bring(b.From, e)
	}
	if g.from == nil || !finite(float64(b.Azimuth), float64(b.Elevation), float64(b.Width)) || math.Abs(float64(b.Azimuth)) > 720 || math.Abs(float64(b.Elevation)) > 90 {
		return errUnusable("bearing is not usable")
	}
	g.az, g.el, g.hasEl = float64(b.Azimuth)*degree, float64(b.Elevation)*degree, b.HasElevation
	g.sigmaA = min(max(float64(b.Width), 0.05), 90) * degree
	g.sigmaE = g.sigmaA
	g.guess = g.from.origin
	return nil
}

// rows are the measurement in a track's frame. near is the track's predicted belief: it
// supplies what the sensor does not measure (the elevation), and the speed for the
// error of the clock. It returns how many rows there are and the logarithm of the
// scale by which the rows' density must be multiplied to be one of the measurement.
func (g *sighting) rows(f *frame, near *state, out *[mostRows]row) (n int, logScale float64) {
	switch g.kind {
	case polar:
		n = g.polarRows(f, near, out)
	case angular:
		n = g.angularRows(f, near, out)
	default:
		n, logScale = g.cartesianRows(f, out)
	}
	if g.sigmaT > 0 {
		for k := range n {
			late := dot(out[k].at, near.v) * g.sigmaT
			out[k].r += late * late
		}
	}
	return n, logScale
}

func (g *sighting) polarRows(f *frame, near *state, out *[mostRows]row) int {
	el, slack := g.el, 0.0
	if !g.hasEl {
		seen := g.from.to(f.from(near.p))
		if d := norm(seen); d > 1 {
			el = math.Asin(min(max(seen[2]/d, -1), 1))
		}
		slack = math.Min(near.pp[2][2], g.depth*g.depth) / (2 * math.Max(g.rng, 100)) // curvature of the sphere of equal range
	}
	r, shift := between(g.from, f)
	sa, ca := math.Sincos(g.az)
	se, ce := math.Sincos(el)
	along := apply(&r, vec3{ce * sa, ce * ca, se})
	across := apply(&r, vec3{ca, -sa, 0})
	site := shift
	sigmaAcross := g.rng * math.Max(ce, 0.02) * g.sigmaA
	turn := g.sigmaA*g.sigmaA*ce*ce + g.sigmaE*g.sigmaE
	if !g.hasEl {
		turn = g.sigmaA * g.sigmaA * ce * ce
	}
	// Given the measured direction, the true place lies behind the tangent plane: by r turn/2.
	bend := g.rng * turn / 2
	out[0] = row{at: along, z: dot(along, site) + g.rng - bend, r: g.sigmaR*g.sigmaR + 2*bend*bend + slack*slack}
	out[1] = row{at: across, z: dot(across, site), r: sigmaAcross * sigmaAcross}
	n := 2
	if g.hasEl {
		up := apply(&r, vec3{-se * sa, -se * ca, ce})
		out[n] = row{at: up, z: dot(up, site), r: g.rng * g.rng * g.sigmaE * g.sigmaE}
		n++
	}
	if g.hasHeight {
		z := g.height - (f.height(near.p) - near.p[2])
		out[n] = row{at: vec3{0, 0, 1}, z: z, r: g.sigmaH * g.sigmaH}
		n++
	}
	if g.hasDoppler {
		out[n] = row{rate: along, moving: true, z: g.doppler, r: dopplerError * dopplerError}
		n++
	}
	return n
}

func (g *sighting) angularRows(f *frame, near *state, out *[mostRows]row) int {
	r, shift := between(g.from, f)
	seen := g.from.to(f.from(near.p))
	rng := math.Max(norm(seen), 50)
	el := math.Asin(min(max(seen[2]/rng, -1), 1))
	sa, ca := math.Sincos(g.az)
	flat := rng * math.Max(math.Cos(el), 0.02)
	across := apply(&r, vec3{ca, -sa, 0})
	out[0] = row{at: across, z: dot(across, shift), r: flat * flat * g.sigmaA * g.sigmaA}
	if !g.hasEl {
		return 1
	}
	se, ce := math.Sincos(g.el)
	up := apply(&r, vec3{-se * sa, -se * ca, ce})
	out[1] = row{at: up, z: dot(up, shift), r: rng * rng * g.sigmaE * g.sigmaE}
	return 2
}

// whiten prepares the inverse of the Cholesky factor of the covariance, of its horizontal
// part where the vertical is not worth having.
func (g *sighting) whiten() bool {
	n := g.places()
	var l mat3
	for i := range n {
		for j := 0; j <= i; j++ {
			sum := g.cov[i][j]
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			if i == j {
				if !(sum > 1e-3) {
					return false
				}
				l[i][i] = math.Sqrt(sum)
				continue
			}
			l[i][j] = sum / l[j][j]
		}
	}
	for i := range n {
		g.white[i][i] = 1 / l[i][i]
		g.logScale -= math.Log(l[i][i])
		for j := range i {
			sum := 0.0
			for k := j; k < i; k++ {
				sum -= l[i][k] * g.white[k][j]
			}
			g.white[i][j] = sum / l[i][i]
		}
	}
	return true
}

// places is how many axes of a place a cartesian sighting measures.
func (g *sighting) places() int {
	if g.hasHeight {
		return 3
	}
	return 2
}

func (g *sighting) cartesianRows(f *frame, out *[mostRows]row) (n int, logScale float64) {
	r, shift := between(g.from, f)
	n = g.places()
	for i := range n {
		at := apply(&r, g.white[i])
		out[i] = row{at: at, z: dot(at, shift), r: 1}
	}
	if g.hasVelocity {
		v := apply(&r, g.velocity)
		for i := range 3 {
			var axis vec3
			axis[i] = 1
			out[n] = row{rate: axis, moving: true, z: v[i], r: g.sigmaV * g.sigmaV}
			n++
		}
	}
	return n, g.logScale
}

// belief makes b, which is empty, what one sighting alone says, under each motion model, in the frame.
func (g *sighting) belief(f *frame, b *blend) {
	r, shift := between(g.from, f)
	var p vec3
	var pp mat3
	if g.kind == polar {
		bend := 1 - (g.sigmaA*g.sigmaA+g.sigmaE*g.sigmaE)/2
		m := g.pointAt(g.el)
		p = apply(&r, vec3{m[0] * bend, m[1] * bend, m[2] * bend})
		sa, ca := math.Sincos(g.az)
		se, ce := math.Sincos(g.el)
		axes := [3]vec3{{ce * sa, ce * ca, se}, {ca, -sa, 0}, {-se * sa, -se * ca, ce}}
		sigma := vec3{g.sigmaR, g.rng * math.Max(ce, 0.02) * g.sigmaA, g.depth}
		for k := range 3 {
			u := apply(&r, axes[k])
			for i := range 3 {
				for j := range 3 {
					pp[i][j] += u[i] * u[j] * sigma[k] * sigma[k]
				}
			}
		}
	} else {
		cov := g.cov
		if !g.hasHeight {
			cov[0][2], cov[1][2], cov[2][0], cov[2][1] = 0, 0, 0, 0
			cov[2][2] = deepest * deepest / 12
		}
		half := times(&r, &cov)
		pp = timesT(&half, &r)
	}
	for i := range 3 {
		p[i] += shift[i]
	}
	for j := range models {
		m := &models[j]
		if m.first == 0 {
			continue // it wakes with the second plot
		}
		s := state{p: p, pp: pp}
		s.vv[0][0], s.vv[1][1], s.vv[2][2] = m.speed*m.speed, m.speed*m.speed, m.climb*m.climb
		b.w[j], b.m[j] = m.first, s
	}
	if g.hasVelocity || g.hasDoppler {
		var rows [mostRows]row
		one := b.one()
		n, _ := g.rows(f, &one, &rows)
		var moving []row
		for _, r := range rows[:n] {
			if r.moving {
				moving = append(moving, r)
			}
		}
		b.correct(moving, false)
	}
}

// bandHeight keeps the height of an object whose height nobody measures within the
// band in which things fly: it pulls a height that has grown less certain than the
// band back to the band's own uncertainty, and no further.
func (b *blend) bandHeight(f *frame) {
	const wide = deepest * deepest / 12
	for j := range b.m {
		s := &b.m[j]
		if b.w[j] == 0 || s.pp[2][2] <= wide*1.001 {
			continue
		}
		r := 1 / (1/wide - 1/s.pp[2][2])
		s.correct([]row{{at: vec3{0, 0, 1}, z: deepest/2 - (f.height(s.p) - s.p[2]), r: r}})
	}
}
