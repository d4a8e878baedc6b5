package track

import "math"

// outline is where, on the ground, a plot may be that belongs to a belief: a circle
// that moves and grows. It is what is asked first; the gate decides.
type outline struct {
	p, v [2]float64 // metres and metres per second in the object's frame
	a, b float64    // radius: metres, and metres per second
}

const (
	gateSigmas = 4.7  // beyond it no gate is passed
	swerve     = 12.0 // m/s², beyond what the models already reckon with
)

// radius is that of the circle dt seconds after the belief.
func (c *outline) radius(dt float64) float64 { return c.a + c.b*dt + swerve/2*dt*dt }

// trace draws the outline of the belief.
func (o *object) trace() {
	m := &o.memory
	c := outline{}
	for j, w := range m.blend.w {
		if w == 0 {
			continue
		}
		s := &m.blend.m[j]
		for i := range 2 {
			c.p[i] += w * s.p[i]
			c.v[i] += w * s.v[i]
		}
	}
	for j, w := range m.blend.w {
		if w < small {
			continue
		}
		s := &m.blend.m[j]
		sigmas := gateSigmas
		if m.updates == 1 {
			sigmas = o.youngGate(j)
		}
		if sigmas == 0 {
			continue
		}
		sp, sv := math.Sqrt(max(s.pp[0][0], s.pp[1][1])), math.Sqrt(max(s.vv[0][0], s.vv[1][1]))
		c.a = max(c.a, length(s.p[0]-c.p[0], s.p[1]-c.p[1])+sigmas*sp)
		c.b = max(c.b, length(s.v[0]-c.v[0], s.v[1]-c.v[1])+sigmas*sv)
	}
	m.outline = c
}

// length is the hypotenuse of numbers that are nowhere near the bounds of what a float holds.
func length(x, y float64) float64 { return math.Sqrt(x*x + y*y) }

// youngGate is how many standard deviations from a first plot a second one may be for
// model j, so that taking both for one object is likelier than taking them for clutter:
// in dense clutter a fast object must come near where a slow one would.
func (o *object) youngGate(j int) float64 {
	m := &o.memory
	if math.IsInf(o.clutter, 0) {
		return gateSigmas
	}
	s := &m.blend.m[j]
	dt := m.parts[0].source.period.seconds() / 2
	v := 2*max(s.pp[0][0], s.pp[1][1]) + dt*dt*max(s.vv[0][0], s.vv[1][1])
	const models, odds = 5, leastClaim / (1 - leastClaim)
	g2 := 2 * (math.Log(m.blend.w[j]*models*odds/(2*math.Pi*v)) - o.clutter)
	return math.Sqrt(min(max(g2, 0), gateSigmas*gateSigmas))
}

// tooFaint reports whether a second plot, so far from the first, is surely likelier to
// be clutter: by the first speeds alone, before any filter runs.
func (o *object) tooFaint(m *memory, pl *plot, d2, dt float64) bool {
	if math.IsInf(pl.clutter, 0) {
		return false
	}
	const margin = 1.5 // in the logarithm: what the estimate here may be off
	s := &m.blend.m[steady]
	own := max(s.pp[0][0], s.pp[1][1]) + pl.g.spread*pl.g.spread/16
	sum := 0.0
	for j := range models {
		v := own + dt*dt*models[j].speed*models[j].speed
		if x := d2 / (2 * v); x < 30 {
			sum += m.blend.w[j] / (2 * math.Pi * v) * math.Exp(-x)
		}
	}
	const odds = leastClaim / (1 - leastClaim)
	return !(math.Log(sum*odds) > pl.clutter-margin)
}

// flatClutter is the logarithm of the density of clutter on the ground that a first plot
// must stand out from; the third dimension, where it is measured, helps by at most its
// own precision.
func flatClutter(g *sighting) float64 {
	switch {
	case g.hasVelocity || g.hasDoppler:
		return math.Inf(-1)
	case g.kind == polar && (g.hasEl || g.hasHeight):
		return g.logClutter + math.Log(2.5*g.depth)
	case g.kind == cartesian && g.hasHeight:
		return g.logClutter + math.Log(2.5*math.Sqrt(g.cov[2][2]))
	}
	return g.logClutter
}
