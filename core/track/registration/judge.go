package registration

import (
	"fmt"
	"math"
	"time"
)

const (
	gate     = 22.0 // squared normalised innovation of three rows beyond which a comparison does not fit
	doubtful = 11.0 // beyond which it counts less
	memory   = 0.04 // weight of one comparison in the running share of misfits
	restless = 0.5  // share of misfits at which what is known is doubted
)

// innovation is what a comparison says beyond what is believed, its covariance's root, and
// how far off that is, squared and normalised. ok is false where it cannot be computed.
func (r *Registrar) innovation(c *comparison) (m measurement, l mat3, d2 float64, ok bool) {
	m = measurement{nu: c.z, sensors: c.sensors[:]}
	for row := range 3 {
		m.at[row] = c.at[row][:]
		for j, k := range c.sensors {
			for s := range each {
				m.nu[row] -= c.at[row][j*each+s] * r.filter.x[k*each+s]
			}
		}
	}
	s := r.filter.innovation(&m)
	if l, ok = s.root(); !ok {
		return m, l, 0, false
	}
	w := whitened(&l, m.nu)
	return m, l, dot(w, w), true
}

// learn takes one comparison.
func (r *Registrar) learn(c *comparison) {
	m, l, d2, ok := r.innovation(c)
	if !ok {
		return
	}
	fits := d2 < gate
	for _, k := range c.sensors {
		one := &r.sensors[k]
		miss := 0.0
		if !fits {
			miss = 1
		}
		one.tried++
		one.misfit += memory * (miss - one.misfit)
		if fits {
			one.pairs++
		}
	}
	if !fits {
		return
	}
	if d2 > doubtful { // as if its noise were larger, by what it is off
		k := math.Sqrt(doubtful / d2)
		for row := range 3 {
			m.nu[row] *= k
			for i := range m.at[row] {
				m.at[row][i] *= k
			}
		}
		s := r.filter.innovation(&m)
		if l, ok = s.root(); !ok {
			return
		}
	}
	r.filter.correct(&m, &l)
}

// Fault is one thing to tell an operator: that a sensor is off, or fits nobody.
type Fault struct {
	Name, Sensor, Detail string
	Raised               bool
}

// Names of faults.
const (
	Biased    = "sensor-biased"    // a bias is beyond doubt, or has moved; it is taken off
	Disagrees = "sensor-disagrees" // what it reports does not fit what the others do
)

// Faults are what is to be told since the last call, in the order in which it was found.
func (r *Registrar) Faults() []Fault {
	out := r.faults
	r.faults = nil
	return out
}

// judge looks at every sensor after a batch.
func (r *Registrar) judge(now time.Time) {
	worst := 0.0
	for i := range r.sensors {
		worst = math.Max(worst, r.sensors[i].misfit)
	}
	for i := range r.sensors {
		s := &r.sensors[i]
		if s.Truth {
			continue
		}
		r.doubt(s, i, worst)
		r.show(s, i)
		r.tell(s)
	}
}

// doubt names a sensor whose comparisons mostly do not fit, unless another is the worse,
// and makes room for a bias that has jumped.
func (r *Registrar) doubt(s *sensor, i int, worst float64) {
	switch {
	case s.misfit > restless && s.misfit > worst-0.1 && s.tried >= settle:
		s.tried = 0
		r.filter.widen(i, 1)
		if !s.amiss {
			s.amiss = true
			r.say(Fault{Name: Disagrees, Sensor: s.ID, Raised: true,
				Detail: fmt.Sprintf("%.0f %% of what it shares with other sensors does not fit; its bias is estimated anew", 100*s.misfit)})
		}
	case s.amiss && s.misfit < restless/4:
		s.amiss = false
		r.say(Fault{Name: Disagrees, Sensor: s.ID})
	}
}

// settle is how many comparisons a sensor is given before its misfits are judged again.
const settle = 40

// show decides whether there is a bias, and what is taken off: of each kind as much as
// there is likely to be of it (a bias of exactly none against one as large as the prior;
// Dickey 1971).
func (r *Registrar) show(s *sensor, i int) {
	x, sd, prior := r.filter.of(i), r.filter.deviations(i), r.filter.prior[i]
	most := 0.0
	for k := range each {
		ratio := likelyBiased * sd[k] / prior[k] * math.Exp(math.Min(x[k]*x[k]/(2*sd[k]*sd[k]), 50))
		s.biased[k] = ratio / (1 + ratio)
		most = math.Max(most, ratio)
	}
	switch {
	case most > beyondDoubt:
		s.shown = true
	case most < 1:
		s.shown = false
	}
	stale := false
	for k := range each {
		off := s.biased[k]*x[k] - s.applied[k]
		stale = stale || off*off > restep*restep*sd[k]*sd[k]
	}
	for k := range each {
		b := s.biased[k]
		switch {
		case !s.shown:
			s.applied[k] = 0
		case stale:
			s.applied[k] = b * x[k]
		}
		off := x[k] - s.applied[k]
		s.left[k] = b*(sd[k]*sd[k]+off*off) + (1-b)*s.applied[k]*s.applied[k]
	}
}

// restep is by how many deviations the estimate leaves what is taken off before that
// follows: each step moves every track that rests on the sensor.
const restep = 0.7

const likelyBiased = 1.0 / 3 // odds, before anything is seen, that a sensor has a bias of one kind

const beyondDoubt = 100.0 // odds at which a bias is taken off

// tell raises the condition of a biased sensor, again when the bias has moved by more than
// an operator would let pass, and clears it when there is none.
func (r *Registrar) tell(s *sensor) {
	if !s.shown {
		if s.raised {
			s.raised = false
			r.say(Fault{Name: Biased, Sensor: s.ID})
		}
		return
	}
	moved := !s.raised
	for k := range each {
		step := math.Abs(s.applied[k] - s.told[k])
		moved = moved || step > worthTelling[k] && step > 3*math.Sqrt(s.left[k])
	}
	if !moved {
		return
	}
	s.raised, s.told = true, s.applied
	r.say(Fault{Name: Biased, Sensor: s.ID, Raised: true,
		Detail: fmt.Sprintf("off by %.0f m in range, %.2f degrees in azimuth, %.2f in elevation, %.2f s in time, from %d comparisons; it is taken off",
			s.applied[inRange], s.applied[inAzimuth]/degree, s.applied[inTilt]/degree, s.applied[inClock], s.pairs)})
}

// worthTelling is how far a bias moves before it is told again.
var worthTelling = [each]float64{inRange: 50, inAzimuth: 0.1 * degree, inTilt: 0.1 * degree, inClock: 0.1}

const mostFaults = 64

func (r *Registrar) say(f Fault) {
	if len(r.faults) < mostFaults {
		r.faults = append(r.faults, f)
	}
}
