package sim

import (
	"math"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
)

// Flight is where one object is over its time: truth, for looks and for scores.
type Flight struct {
	Object Object
	step   time.Duration
	path   []geo.ECEF
}

// flightStep is the time between the kept points of a path; between them it is
// interpolated, an error under 1 m at the sharpest turn and under 2 m on an arc.
const flightStep = 500 * time.Millisecond

// Flights are all objects' paths, in the scenario's order.
func (w *World) Flights() []Flight {
	all := make([]Flight, 0, len(w.Objects))
	for _, o := range w.Objects {
		f := Flight{Object: o, step: flightStep}
		if o.Arc != nil {
			f.arc(*o.Arc)
		} else {
			f.route(w.Lasts - o.At)
		}
		all = append(all, f)
	}
	return all
}

// At is where the object is at a time after the scenario's start; false before its
// launch and after its end.
func (f *Flight) At(t time.Duration) (geo.ECEF, bool) {
	since := t - f.Object.At
	if since < 0 {
		return geo.ECEF{}, false
	}
	i := int(since / f.step)
	if i+1 >= len(f.path) {
		return geo.ECEF{}, false
	}
	frac := float64(since%f.step) / float64(f.step)
	a, b := f.path[i], f.path[i+1]
	var p geo.ECEF
	for k := range p {
		p[k] = a[k] + (b[k]-a[k])*frac
	}
	return p, true
}

// Ends is when its path ends, after the scenario's start.
func (f *Flight) Ends() time.Duration {
	return f.Object.At + time.Duration(max(len(f.path)-1, 0))*f.step
}

// turnRate is what each class can turn, degrees per second, where nothing is said.
func turnRate(c class.Class) float64 {
	switch c {
	case class.Drone:
		return 6
	case class.CruiseMissile, class.GlideBomb:
		return 4
	default:
		return 2
	}
}

// route flies the legs with a bounded rate of turn and ends at the last point.
func (f *Flight) route(longest time.Duration) {
	o := f.Object
	rate := o.Turn
	if rate <= 0 {
		rate = turnRate(o.Class)
	}
	dt := f.step.Seconds()
	at := point(o.Route[0][0], o.Route[0][1])
	height := o.Route[0][2]
	heading := geo.Bearing(at, point(o.Route[1][0], o.Route[1][1]))
	next := 1
	// A waypoint inside the turning circle would be circled for ever: all but the last
	// count as reached at twice the radius of the turn.
	step := o.Speed * dt
	wide := math.Max(step, 2*o.Speed/(rate*math.Pi/180))
	for elapsed := time.Duration(0); elapsed <= longest; elapsed += f.step {
		f.path = append(f.path, geo.Position{Point: at, Height: geo.Metres(height)}.ECEF())
		goal := o.Route[next]
		target := point(goal[0], goal[1])
		left := float64(geo.Distance(at, target))
		for left <= step || (next+1 < len(o.Route) && left <= wide) {
			if next++; next == len(o.Route) {
				return
			}
			goal = o.Route[next]
			target = point(goal[0], goal[1])
			left = float64(geo.Distance(at, target))
		}
		want := geo.Bearing(at, target)
		diff := math.Mod(float64(want-heading)+540, 360) - 180
		most := rate * dt
		heading = (heading + geo.Degrees(math.Max(-most, math.Min(most, diff)))).Normal()
		at = geo.Destination(at, heading, geo.Metres(step))
		height += (goal[2] - height) * math.Min(1, step/left)
	}
}

// Gravity and the turning earth, for arcs (WGS84).
const (
	gm    = 3.986004418e14
	omega = 7.292115e-5
)

// acceleration is gravity, Coriolis and centrifugal acceleration in ECEF.
func acceleration(p, v [3]float64) [3]float64 {
	r := math.Sqrt(p[0]*p[0] + p[1]*p[1] + p[2]*p[2])
	k := -gm / (r * r * r)
	return [3]float64{
		k*p[0] + omega*omega*p[0] + 2*omega*v[1],
		k*p[1] + omega*omega*p[1] - 2*omega*v[0],
		k * p[2],
	}
}

// arc finds by shooting the free flight that leaves the launch point and is at the
// impact point after the flight time.
func (f *Flight) arc(a Arc) {
	launch := geo.Position{Point: point(a.Launch[0], a.Launch[1])}.ECEF()
	impact := geo.Position{Point: point(a.Impact[0], a.Impact[1])}.ECEF()
	t := a.Flight.Seconds()
	v := [3]float64{}
	for k := range v {
		v[k] = (impact[k] - launch[k]) / t
	}
	for range 20 {
		end := f.fly(launch, v, a.Flight, false)
		for k := range v {
			v[k] += (impact[k] - end[k]) / t
		}
	}
	f.fly(launch, v, a.Flight, true)
}

// fly integrates a free flight with the midpoint rule and, if asked, keeps its path.
func (f *Flight) fly(p geo.ECEF, v [3]float64, lasts time.Duration, keep bool) geo.ECEF {
	dt := f.step.Seconds()
	for elapsed := time.Duration(0); ; elapsed += f.step {
		if keep {
			f.path = append(f.path, p)
		}
		if elapsed+f.step > lasts {
			return p
		}
		acc := acceleration(p, v)
		var mp, mv [3]float64
		for k := range mp {
			mp[k] = p[k] + v[k]*dt/2
			mv[k] = v[k] + acc[k]*dt/2
		}
		acc = acceleration(mp, mv)
		for k := range p {
			p[k] += mv[k] * dt
			v[k] += acc[k] * dt
		}
	}
}
