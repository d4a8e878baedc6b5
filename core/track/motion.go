package track

import "math"

type vec3 = [3]float64
type mat3 = [3][3]float64

// state is one Gaussian belief in a track's own frame (metres east, north, up of its
// anchor): mean position and velocity, and the covariance in 3x3 blocks.
type state struct {
	p, v       vec3
	pp, pv, vv mat3
}

// The motion models. A turn holds its rate to one side; two of them bracket what
// cruise missiles and drones fly, because the side is not known beforehand.
const (
	quiet = iota
	steady
	left
	right
	ballistic
	driven
	braked
	modeCount
)

// model is what one motion model assumes. Noise is the spectral density of a white
// acceleration, in m²/s³, across and along the horizon and up.
type model struct {
	flat, up float64            // process noise, horizontal and vertical
	turn     float64            // radians per second, positive to the left (anticlockwise)
	falls    bool               // gravity acts
	driven   bool               // a motor drives it along its path
	braked   bool               // and the air brakes it
	sleeps   bool               // it is not run while nothing speaks for it
	stay     float64            // seconds until it is left, on average
	to       [modeCount]float64 // where it goes when left; sums to one
	first    float64            // weight when nothing but one measurement is known
	speed    float64            // standard deviation of each horizontal velocity component then
	climb    float64            // the same for the vertical one
}

const degree = math.Pi / 180

// models: why these figures. Quiet: on autopilot in still air speed and course hold
// within a few tenths of a metre per second in a minute. Steady: gusts and trimming move
// the speed by a metre per second in ten seconds. Turns: standard rate is 3 degrees per
// second, terrain-following missiles turn slower; noise covers what lies between.
// Ballistic: after burn-out only drag is unknown, and high up there is none. Driven: while
// the motor burns. Braked: falling freely, up or down, where there is air. The first speeds make each model its own hypothesis about what was seen: something
// slow, or something fast.
var models = [modeCount]model{
	quiet:     {flat: 0.0005, up: 0.001, stay: 250, to: [modeCount]float64{steady: 0.3, left: 0.33, right: 0.33, ballistic: 0.04}, first: 0.42, speed: 50, climb: 8},
	steady:    {flat: 0.05, up: 0.05, stay: 30, to: [modeCount]float64{quiet: 0.53, left: 0.2, right: 0.2, ballistic: 0.03, driven: 0.03, braked: 0.01}, first: 0.46, speed: 170, climb: 20},
	left:      {flat: 12, up: 4, turn: 1.9 * degree, sleeps: true, stay: 15, to: [modeCount]float64{steady: 0.78, right: 0.2, ballistic: 0.02}},
	right:     {flat: 12, up: 4, turn: -1.9 * degree, sleeps: true, stay: 15, to: [modeCount]float64{steady: 0.78, left: 0.2, ballistic: 0.02}},
	ballistic: {flat: 0.05, up: 0.05, falls: true, sleeps: true, stay: 120, to: [modeCount]float64{steady: 0.3, left: 0.1, right: 0.1, driven: 0.2, braked: 0.3}, first: 0.12, speed: 700, climb: 600},
	driven:    {flat: 150, up: 150, driven: true, sleeps: true, stay: 20, to: [modeCount]float64{ballistic: 0.5, braked: 0.3, steady: 0.2}},
	braked:    {flat: 0.05, up: 0.05, falls: true, braked: true, sleeps: true, stay: 30, to: [modeCount]float64{ballistic: 0.8, steady: 0.2}},
}

const (
	gravity     = 9.80665  // m/s² at the ground
	earthRadius = 6371e3   // m, for what needs no ellipsoid
	earthSpin   = 7.292e-5 // rad/s
)

// agile is the speed, in m/s, at which the noise of the turning models is as stated.
const agile = 200.0

// predict moves a belief forward by dt seconds under one model. A negative dt is
// taken as zero.
func (s *state) predict(m *model, w *world, dt float64) {
	if !(dt > 0) {
		return
	}
	if m.turn != 0 {
		s.turn(m.turn, dt)
	} else {
		s.drift(dt)
	}
	if m.falls {
		a := w.pull(s.p, s.v)
		for i := range 3 {
			s.p[i] += a[i] * dt * dt / 2
			s.v[i] += a[i] * dt
		}
	}
	if m.driven {
		s.pushed(dt)
	}
	if m.braked {
		s.braked(dt)
	}
	agility := 1.0
	if m.turn != 0 { // what turns at a rate is thrown sideways the more, the faster it flies
		agility = min(max((s.v[0]*s.v[0]+s.v[1]*s.v[1])/(agile*agile), 0.05), 4)
	}
	s.shake(m.flat*agility, m.up*agility, dt)
}

// shake adds what a white acceleration of these densities does in dt seconds.
func (s *state) shake(flat, up, dt float64) {
	for i, q := range [3]float64{flat, flat, up} {
		s.pp[i][i] += q * dt * dt * dt / 3
		s.pv[i][i] += q * dt * dt / 2
		s.vv[i][i] += q * dt
	}
}

const (
	push     = 33.0  // m/s² along the path while a motor burns, weight taken off: most give 20 to 50
	airAtSea = 1.225 // kg/m³
	airScale = 9e3   // m in which the air thins to a third, near enough from the ground to 20 km
	slender  = 8e3   // kg/m² of mass by area and drag: rockets 5,000 to 16,000, warheads from 4,000 up
	unsure   = 0.5   // how much of the air's braking is not known
)

// pushed adds what a motor does: it pushes along the path, harder or less hard, for some
// seconds more.
func (s *state) pushed(dt float64) {
	speed := norm(s.v)
	if !(speed > 1) {
		return
	}
	burns := min(dt, models[driven].stay)
	for i := range 3 {
		gained := push / speed * s.v[i] * burns
		s.p[i] += gained * (dt - burns/2)
		s.v[i] += gained
	}
}

// braked adds what the air does: it slows along the path, the more the lower and faster,
// and by how much is only roughly known.
func (s *state) braked(dt float64) {
	speed := norm(s.v)
	if !(speed > 1) {
		return
	}
	a := airAtSea * math.Exp(-math.Max(s.p[2], 0)/airScale) * speed * speed / (2 * slender)
	a = min(a, speed/2/dt) // it never turns about
	for i := range 3 {
		b := a / speed * s.v[i]
		s.p[i] -= b * dt * dt / 2
		s.v[i] -= b * dt
	}
	q := unsure * unsure * a * a * dt
	s.shake(q, q, dt)
}

// drift is motion at constant velocity.
func (s *state) drift(dt float64) {
	for i := range 3 {
		s.p[i] += s.v[i] * dt
		a, vv := &s.pp[i], &s.vv[i]
		a[0] += dt * (s.pv[i][0] + s.pv[0][i] + dt*vv[0])
		a[1] += dt * (s.pv[i][1] + s.pv[1][i] + dt*vv[1])
		a[2] += dt * (s.pv[i][2] + s.pv[2][i] + dt*vv[2])
	}
	for i := range 3 {
		less(&s.pv[i], -dt, &s.vv[i])
	}
}

// turn is motion at a constant rate of turn in the horizontal plane.
func (s *state) turn(rate, dt float64) {
	sin, cos := math.Sincos(rate * dt)
	a, b := sin/rate, (1-cos)/rate
	move := mat3{{a, -b, 0}, {b, a, 0}, {0, 0, dt}}
	spin := mat3{{cos, -sin, 0}, {sin, cos, 0}, {0, 0, 1}}
	mv := apply(&move, s.v)
	for i := range 3 {
		s.p[i] += mv[i]
	}
	s.v = apply(&spin, s.v)
	// pp += A·pvᵀ + pv·Aᵀ + A·vv·Aᵀ ; pv = (pv + A·vv)·Bᵀ ; vv = B·vv·Bᵀ
	avv := times(&move, &s.vv)
	half := timesT(&s.pv, &move)
	full := timesT(&avv, &move)
	for i := range 3 {
		for j := range 3 {
			s.pp[i][j] += half[i][j] + half[j][i] + full[i][j]
			avv[i][j] += s.pv[i][j]
		}
	}
	s.pv = timesT(&avv, &spin)
	bvv := times(&spin, &s.vv)
	s.vv = timesT(&bvv, &spin)
}

func apply(m *mat3, v vec3) vec3 {
	return vec3{
		m[0][0]*v[0] + m[0][1]*v[1] + m[0][2]*v[2],
		m[1][0]*v[0] + m[1][1]*v[1] + m[1][2]*v[2],
		m[2][0]*v[0] + m[2][1]*v[1] + m[2][2]*v[2],
	}
}

// applyT returns mᵀ v.
func applyT(m *mat3, v vec3) vec3 {
	return vec3{
		m[0][0]*v[0] + m[1][0]*v[1] + m[2][0]*v[2],
		m[0][1]*v[0] + m[1][1]*v[1] + m[2][1]*v[2],
		m[0][2]*v[0] + m[1][2]*v[1] + m[2][2]*v[2],
	}
}

func times(a, b *mat3) (c mat3) {
	for i := range 3 {
		for j := range 3 {
			c[i][j] = a[i][0]*b[0][j] + a[i][1]*b[1][j] + a[i][2]*b[2][j]
		}
	}
	return c
}

// timesT returns a bᵀ.
func timesT(a, b *mat3) (c mat3) {
	for i := range 3 {
		for j := range 3 {
			c[i][j] = a[i][0]*b[j][0] + a[i][1]*b[j][1] + a[i][2]*b[j][2]
		}
	}
	return c
}

func dot(a, b vec3) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func norm(a vec3) float64 { return math.Sqrt(dot(a, a)) }

// rotated returns the belief in axes turned by r (x' = r x + shift).
func (s *state) rotated(r *mat3, shift vec3) state {
	turn := func(m *mat3) mat3 { h := times(r, m); return timesT(&h, r) }
	p := apply(r, s.p)
	for i := range 3 {
		p[i] += shift[i]
	}
	return state{p: p, v: apply(r, s.v), pp: turn(&s.pp), pv: turn(&s.pv), vv: turn(&s.vv)}
}

// row is one scalar measurement: z = at·p + rate·v + noise of variance r.
type row struct {
	at, rate vec3
	moving   bool // rate is not zero
	z, r     float64
}

// mostRows bounds the rows of one measurement: a place and a velocity.
const mostRows = 6

const halfLog2Pi = 0.9189385332046727

// correct applies independent rows one after the other and returns the squared
// normalised innovation and the root of the determinant of its covariance.
func (s *state) correct(rows []row) (d2, rootDet float64) {
	det := 1.0
	for k := range rows {
		r := &rows[k]
		g := apply(&s.pp, r.at)
		h := applyT(&s.pv, r.at)
		nu := r.z - dot(r.at, s.p)
		sigma := dot(r.at, g) + r.r
		if r.moving {
			gv := apply(&s.pv, r.rate)
			hv := apply(&s.vv, r.rate)
			for i := range 3 {
				g[i] += gv[i]
				h[i] += hv[i]
			}
			nu -= dot(r.rate, s.v)
			sigma = dot(r.at, g) + dot(r.rate, h) + r.r
		}
		inv := 1 / sigma
		for i := range 3 {
			gi, hi := g[i]*inv, h[i]*inv
			s.p[i] += gi * nu
			s.v[i] += hi * nu
			less(&s.pp[i], gi, &g)
			less(&s.pv[i], gi, &h)
			less(&s.vv[i], hi, &h)
		}
		d2 += nu * nu * inv
		det *= sigma
	}
	return d2, math.Sqrt(det)
}

func less(a *vec3, k float64, b *vec3) {
	a[0] -= k * b[0]
	a[1] -= k * b[1]
	a[2] -= k * b[2]
}

// world is the ground a frame stands on: round and turning, or flat.
type world struct {
	flat bool
	spin vec3 // the earth's rotation in the frame's axes, rad/s
}

// pull is the acceleration of a falling body: gravity and the Coriolis force.
func (w *world) pull(p, v vec3) vec3 {
	if w.flat {
		return vec3{0, 0, -gravity}
	}
	ratio := earthRadius / (earthRadius + math.Max(p[2], -1e4))
	g := gravity * ratio * ratio
	return vec3{
		-g*p[0]/earthRadius - 2*(w.spin[1]*v[2]-w.spin[2]*v[1]),
		-g*p[1]/earthRadius - 2*(w.spin[2]*v[0]-w.spin[0]*v[2]),
		-g - 2*(w.spin[0]*v[1]-w.spin[1]*v[0]),
	}
}
