package registration

import (
	"math"

	"tocsin/core/geo"
)

// Carried is the covariance, earth-fixed, of what the uncertainty of the biases does to a
// track at a place with a velocity that rests on the named sensors, in shares that sum to
// one. Sensors of which nothing is known count as registered right.
func (r *Registrar) Carried(place geo.ECEF, velocity vec3, names []string, shares []float64) (out mat3) {
	const most = 8
	var of [most]int
	var by [most][each]vec3
	n := 0
	for i, name := range names {
		k, ok := r.index[name]
		if !ok || n == most || r.sensors[k].Truth || r.sensors[k].pairs == 0 {
			continue
		}
		of[n] = k
		by[n] = r.sensors[k].pull(place, velocity, shares[i])
		n++
	}
	for i := range n {
		for j := range n {
			for a := range each {
				var u vec3
				for b := range each {
					u = sum(u, scaled(by[j][b], r.together(of[i], a, of[j], b)))
				}
				for x := range 3 {
					for y := range 3 {
						out[x][y] += by[i][a][x] * u[y]
					}
				}
			}
		}
	}
	return out
}

// pull is how a track's place moves with the biases of a sensor that has a share in it.
func (s *sensor) pull(place geo.ECEF, velocity vec3, share float64) (by [each]vec3) {
	d := minus(vec3(place), vec3(s.Site))
	rng := math.Max(norm(d), 10)
	local := apply(&s.Axes, d)
	flat := math.Max(math.Hypot(local[0], local[1]), 10)
	along := scaled(d, 1/rng)
	across := applyT(&s.Axes, vec3{local[1] / flat, -local[0] / flat, 0})
	up := applyT(&s.Axes, vec3{-local[2] * local[0] / (flat * rng), -local[2] * local[1] / (flat * rng), flat / rng})
	by[inRange], by[inAzimuth] = scaled(along, share), scaled(across, share*flat)
	by[inTilt], by[inClock] = scaled(up, share*rng), scaled(velocity, -share)
	return by
}

// together is the second moment of two of the biases that are left when what is applied
// has been taken off: of the filter, as far as there are such biases at all.
func (r *Registrar) together(i, a, j, b int) float64 {
	if i == j && a == b {
		return r.sensors[i].left[a]
	}
	return math.Sqrt(r.sensors[i].biased[a]*r.sensors[j].biased[b]) * r.filter.p[i*each+a][j*each+b]
}

// Shift is how far a track must be moved that rests on the named sensors, in shares that
// sum to one, because what is taken off each has changed by a step (the new bias less the
// old, in the order of the names).
func (r *Registrar) Shift(place geo.ECEF, velocity vec3, names []string, shares []float64, steps []Step) (out vec3) {
	for i, name := range names {
		k, ok := r.index[name]
		if !ok || r.sensors[k].Truth {
			continue
		}
		by := r.sensors[k].pull(place, velocity, shares[i])
		for a := range each {
			out = sum(out, scaled(by[a], -steps[i][a]))
		}
	}
	return out
}

// Step is a change of a Bias: range in metres, azimuth and elevation in radians, clock in seconds.
type Step [each]float64

// Since is the step from an older Bias to this one.
func (b Bias) Since(old Bias) Step {
	return Step{
		inRange: float64(b.Range - old.Range), inAzimuth: float64(b.Azimuth-old.Azimuth) * degree,
		inTilt: float64(b.Tilt-old.Tilt) * degree, inClock: (b.Clock - old.Clock).Seconds(),
	}
}
