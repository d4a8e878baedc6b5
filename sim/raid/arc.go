package raid

import (
	"math"
	"math/rand/v2"
	"time"

	"tocsin/core/geo"
)

// missile is what flies an arc: a motor that burns for a while in a fixed direction, then
// free flight with drag to the ground. It is flown in earth-fixed coordinates.
type missile struct {
	burn      float64 // seconds
	elevation float64 // of the thrust, radians
	drag      float64 // area over mass, m²/kg; the coefficient depends on the Mach number
	// A body that steers on its way down: from what height, how hard (m/s²), which way.
	below, pull, way float64
}

const (
	arcStep   = 500 * time.Millisecond
	substeps  = 2
	mu        = 3.986004418e14 // WGS84
	spin      = 7.292115e-5
	tallest   = 2e6
	longestGo = 1800.0 // seconds of flight
)

// coefficient of drag of a slender body by Mach number (a curve of the common shape: rises
// through the speed of sound, falls off above).
func coefficient(speed float64) float64 {
	m := speed / 310
	switch {
	case m < 0.8:
		return 0.22
	case m < 1.2:
		return 0.22 + (m-0.8)/0.4*0.33
	default:
		return 0.18 + 0.37*1.2/m
	}
}

// arc flies to aim, or as near as its motor can be set; nil where it cannot.
func arc(m missile, from, aim geo.Point) []geo.Position {
	far := float64(geo.Distance(from, aim))
	bearing := geo.Bearing(from, aim).Radians()
	// The thrust is found by bisection on the range, the bearing by what it missed sideways.
	straight := m
	straight.pull = 0
	low, high := 1.0, 800.0
	thrust, course := 0.0, bearing
	for range 40 {
		thrust = (low + high) / 2
		end, ok := straight.fly(from, thrust, course, nil)
		if !ok || float64(geo.Distance(from, end)) > far {
			high = thrust
		} else {
			low = thrust
		}
		if ok && high-low < 1 {
			course += angle(bearing - geo.Bearing(from, end).Radians())
		}
		if high-low < 1e-4*thrust {
			break
		}
	}
	end, ok := straight.fly(from, thrust, course, nil)
	if !ok || float64(geo.Distance(end, aim)) > 0.02*far+300 {
		return nil
	}
	var path []geo.Position
	if _, ok := m.fly(from, thrust, course, &path); !ok {
		return nil
	}
	return path
}

// fly integrates one flight; thrust is the motor's acceleration. It returns where it comes
// down; false where it does not within the bounds.
func (m missile) fly(from geo.Point, thrust, course float64, keep *[]geo.Position) (geo.Point, bool) {
	start := geo.Position{Point: from, Height: 1}
	frame := geo.NewENU(start)
	sinE, cosE := math.Sincos(m.elevation)
	sinC, cosC := math.Sincos(course)
	push := frame.FromVelocity([3]float64{sinC * cosE * thrust, cosC * cosE * thrust, sinE * thrust})
	p, v := [3]float64(start.ECEF()), [3]float64{}
	dt := arcStep.Seconds() / substeps
	last := start
	if keep != nil {
		*keep = append(*keep, start)
	}
	falling := false
	for n := 1; float64(n)*dt < longestGo; n++ {
		t := float64(n-1) * dt
		share := clamp((m.burn-t)/dt, 0, 1) // of this step under thrust
		a := m.force(p, v, float64(last.Height), push, share, falling)
		var mp, mv [3]float64
		for k := range 3 {
			mp[k], mv[k] = p[k]+v[k]*dt/2, v[k]+a[k]*dt/2
		}
		a = m.force(mp, mv, float64(last.Height), push, share, falling)
		for k := range 3 {
			p[k] += mv[k] * dt
			v[k] += a[k] * dt
		}
		now := geo.ECEF(p).Position()
		falling = now.Height < last.Height
		if now.Height > tallest {
			return geo.Point{}, false
		}
		if keep != nil && n%substeps == 0 {
			*keep = append(*keep, now)
		}
		if now.Height <= 0 {
			f := clamp(float64(last.Height/(last.Height-now.Height)), 0, 1)
			ground := mix(last, now, f)
			if keep != nil { // the last sample is where it hits
				if n%substeps == 0 {
					(*keep)[len(*keep)-1] = ground
				} else {
					*keep = append(*keep, ground)
				}
			}
			return ground.Point, true
		}
		last = now
	}
	return geo.Point{}, false
}

// force is the acceleration by gravity, the turning earth, drag, thrust and steering.
func (m missile) force(p, v [3]float64, height float64, push [3]float64, share float64, falling bool) (a [3]float64) {
	r2 := p[0]*p[0] + p[1]*p[1] + p[2]*p[2]
	r := math.Sqrt(r2)
	speed := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	k := density(height) * m.drag * coefficient(speed) * speed / 2
	for i := range 3 {
		a[i] = -mu*p[i]/(r2*r) - k*v[i] + push[i]*share
	}
	a[0] += spin*spin*p[0] + 2*spin*v[1]
	a[1] += spin*spin*p[1] - 2*spin*v[0]
	if m.pull > 0 && falling && height < m.below && height > 2000 && speed > 100 {
		// At right angles to the flight: up along the earth's radius and sideways, by way.
		up := [3]float64{p[0] / r, p[1] / r, p[2] / r}
		side := [3]float64{v[1]*up[2] - v[2]*up[1], v[2]*up[0] - v[0]*up[2], v[0]*up[1] - v[1]*up[0]}
		n := math.Sqrt(side[0]*side[0]+side[1]*side[1]+side[2]*side[2]) + 1e-9
		lift := [3]float64{(side[1]*v[2] - side[2]*v[1]) / (n * speed), (side[2]*v[0] - side[0]*v[2]) / (n * speed), (side[0]*v[1] - side[1]*v[0]) / (n * speed)}
		sin, cos := math.Sincos(m.way)
		for i := range 3 {
			a[i] += m.pull * (sin*side[i]/n + cos*lift[i])
		}
	}
	return a
}

// ballistic draws a heavy missile.
func ballistic(rng *rand.Rand, far float64) missile {
	m := missile{
		burn:      clamp(20+far/1000*0.12+6*rng.NormFloat64(), 12, 130),
		elevation: uniform(rng, 42, 62) * degree,
		drag:      uniform(rng, 1.2e-4, 5e-4),
	}
	if chance(rng, 0.3) {
		m.below, m.pull, m.way = uniform(rng, 12e3, 35e3), uniform(rng, 3, 20), uniform(rng, -math.Pi, math.Pi)
	}
	return m
}

// rocket draws an unguided rocket of artillery.
func rocket(rng *rand.Rand) missile {
	return missile{
		burn:      uniform(rng, 0.8, 4),
		elevation: uniform(rng, 28, 58) * degree,
		drag:      uniform(rng, 1.5e-4, 6e-4),
	}
}
