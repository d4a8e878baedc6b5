package track

import (
	"math"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track/registration"
	"tocsin/health"
)

// sampled is how many tracks are held out to registration in one sweep.
const sampled = 64

// registry is the picture's hold on registration.
type registry struct {
	registrar *registration.Registrar
	turn      int // where the next sweep goes on
	samples   []registration.Sample
}

// Registration is what is believed to be wrong with each sensor, in order of id. It is for
// operators: it never leaves the house.
func (p *Picture) Registration() []registration.Bias { return p.registry.registrar.Figures() }

// watch tells registration which sensors there are.
func (p *Picture) watch() {
	if p.registry.registrar == nil {
		p.registry.registrar = registration.New()
	}
	var sensors []registration.Sensor
	for _, s := range p.order {
		switch {
		case s.reg.Kind == cooperativeKind:
			sensors = append(sensors, registration.Sensor{ID: s.reg.ID, Truth: true})
		case s.site != nil:
			sensors = append(sensors, registration.Sensor{ID: s.reg.ID, Site: s.site.origin, Axes: s.site.rot, Errors: s.reg.Errors, Period: time.Duration(s.period)})
		}
	}
	p.registry.registrar.SetSensors(sensors)
	p.adopt()
}

const cooperativeKind = "adsb"

// adopt takes over what registration believes now.
func (p *Picture) adopt() {
	steps := map[string]registration.Step{}
	for _, s := range p.order {
		old := s.bias
		s.errors, s.bias = s.reg.Errors, registration.Bias{}
		b, ok := p.registry.registrar.Of(s.reg.ID)
		if !ok || !b.Shown {
			b = registration.Bias{}
		}
		if step := b.Since(old); step != (registration.Step{}) {
			steps[s.reg.ID] = step
		}
		if !b.Shown {
			continue
		}
		s.bias = b
		s.errors.Range = hypot(s.errors.Range, b.Errors.Range)
		s.errors.Azimuth = hypot(s.errors.Azimuth, b.Errors.Azimuth)
		s.errors.Elevation = hypot(s.errors.Elevation, b.Errors.Tilt)
		s.errors.Time = time.Duration(math.Hypot(float64(s.errors.Time), float64(b.Errors.Clock)))
	}
	if len(steps) > 0 {
		p.shift(steps)
	}
}

func hypot[T ~float64](a, b T) T { return T(math.Hypot(float64(a), float64(b))) }

// taken is an observation with its sensor's bias taken off.
func (s *source) taken(o *observation.Observation) *observation.Observation {
	if !s.bias.Shown {
		return o
	}
	c := *o
	c.ObservedAt = o.ObservedAt.Add(-s.bias.Clock)
	if b, ok := o.Body.(observation.Plot); ok {
		b.Range -= s.bias.Range
		b.Azimuth -= s.bias.Azimuth
		b.Elevation -= s.bias.Tilt
		c.Body = b
	}
	return &c
}

const (
	pairEvery    = 2   // sweeps between two looks at tracks that one sensor alone sees
	alone        = 256 // of those tracks are looked at
	settledEvery = 16  // sweeps between two looks at sensors that are known well and fit
	carryEvery   = 4   // sweeps between two reckonings of what one track inherits
)

// register lets registration learn from some of the tracks that two sensors see, and takes
// over what it found.
func (p *Picture) register(now time.Time) {
	g := &p.registry
	if !g.registrar.Ready() {
		return
	}
	if p.seconds%settledEvery == 0 || !g.registrar.Settled() {
		p.learn(now)
	}
	for _, ob := range p.engine.objects {
		if !ob.gone && (p.seconds+ob.born)%carryEvery == 0 && ob.id != "" {
			p.carry(ob)
		}
	}
}

// learn holds some tracks out to registration and takes over what it found.
func (p *Picture) learn(now time.Time) {
	g := &p.registry
	g.samples = g.samples[:0]
	n, seen := len(p.engine.objects), 0
	for ; seen < n && len(g.samples) < sampled; seen++ {
		if ob := p.engine.objects[(g.turn+seen)%n]; !ob.gone && ob.id != "" && ob.count > 1 {
			g.samples = append(g.samples, ob.sample())
		}
	}
	if n > 0 {
		g.turn = (g.turn + seen) % n
	}
	learned := g.registrar.Learn(now, g.samples)
	if p.seconds%pairEvery == 0 {
		learned += g.registrar.Pair(now, p.alone())
	}
	if learned > 0 {
		p.adopt()
	}
	for _, f := range g.registrar.Faults() {
		p.faults.set(health.Condition{Name: f.Name, Subject: f.Sensor, Raised: f.Raised, At: now, Detail: f.Detail})
	}
}

// alone samples tracks that rest on one sensor although another sees where they are.
func (p *Picture) alone() []registration.Sample {
	g := &p.registry
	g.samples = g.samples[:0]
	for _, ob := range p.engine.objects {
		if ob.gone || ob.id == "" || ob.count == 0 || len(g.samples) >= alone {
			continue
		}
		own := g.registrar.Owner(ob.recents())
		if own == "" {
			continue
		}
		place := ob.frame.from(ob.blend.one().p)
		for _, s := range p.order {
			if s.reg.ID != own && s.sees(p.earth, place) > 0 {
				g.samples = append(g.samples, ob.sample())
				break
			}
		}
	}
	return g.samples
}

func (ob *object) sample() registration.Sample {
	s := ob.blend.one()
	return registration.Sample{
		Track: ob.born, At: ob.at.time(), Position: ob.frame.from(s.p), Velocity: applyT(&ob.frame.rot, s.v),
		Recent: ob.recents(), Depth: math.Sqrt(s.pp[2][2]),
	}
}

// holding is who a track rests on, in what shares, and where it is.
type holding struct {
	place    geo.ECEF
	velocity vec3
	names    [maxParts]string
	shares   [maxParts]float64
	n        int
}

func (ob *object) holding() (h holding) {
	s := ob.blend.one()
	h.place, h.velocity = ob.frame.from(s.p), applyT(&ob.frame.rot, s.v)
	total := 0.0
	for _, part := range ob.parts[:ob.count] {
		src := part.source
		if src.site == nil || ob.at-part.lastAt > 3*src.period {
			continue
		}
		r := norm(src.site.to(h.place))
		sr, sa := math.Max(float64(src.reg.Errors.Range), leastRangeError), r*math.Max(float64(src.reg.Errors.Azimuth)*degree, leastAngleError)
		h.names[h.n], h.shares[h.n] = src.reg.ID, 1/((sr*sr+sa*sa)*src.period.seconds())
		total += h.shares[h.n]
		h.n++
	}
	for i := range h.n {
		h.shares[i] /= total
	}
	return h
}

// carry notes how much of the uncertainty of its sensors' biases a track inherits.
func (p *Picture) carry(ob *object) {
	h := ob.holding()
	ob.carried = p.registry.registrar.Carried(h.place, h.velocity, h.names[:h.n], h.shares[:h.n])
}

// shift moves every track by what its sensors' biases have changed, in the picture as it
// is and in those kept of the past; what was said since is read again.
func (p *Picture) shift(steps map[string]registration.Step) {
	p.engine.shift(p.registry.registrar, steps)
	for _, c := range p.past.points {
		c.engine.shift(p.registry.registrar, steps)
	}
	for i := range p.past.entries {
		n := &p.past.entries[i]
		if _, ok := steps[n.source.reg.ID]; !ok || n.plot == nil {
			continue
		}
		q := *n.plot // the one that was may be in a look
		q.edges = nil
		taken := n.source.taken(q.o)
		if q.g.read(taken, n.source, p.earth) != nil {
			continue // what could be read with one bias and not with another stays as it was
		}
		q.at = tickOf(taken.ObservedAt)
		q.registered = n.source.logClutter(&q.g)
		n.at, n.plot = q.at, &q
	}
	p.past.sort()
}

func (e *engine) shift(registrar *registration.Registrar, steps map[string]registration.Step) {
	for _, ob := range e.objects {
		if ob.gone {
			continue
		}
		h := ob.holding()
		var by [maxParts]registration.Step
		rests := false
		for i, name := range h.names[:h.n] {
			step, ok := steps[name]
			by[i], rests = step, rests || ok
		}
		if !rests {
			continue
		}
		d := apply(&ob.frame.rot, registrar.Shift(h.place, h.velocity, h.names[:h.n], h.shares[:h.n], by[:h.n]))
		for j := range ob.blend.m {
			for k := range d {
				ob.blend.m[j].p[k] += d[k]
			}
		}
		e.close(ob)
		e.stamps++
		ob.stamp = e.stamps
		ob.trace()
		e.locate(ob)
	}
}
