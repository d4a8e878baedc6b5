package raid

import (
	"math"
	"math/rand/v2"
	"time"

	"tocsin/core/geo"
)

// levelStep is the time between two samples of a level flight.
const levelStep = time.Second

// waypoint is where a pilot steers next, how high, and what it does when it is there.
type waypoint struct {
	at     geo.Point
	height float64
	loops  int // full circles flown there
}

// pilot flies a route: it steers to the next point with a bounded rate of turn, wanders
// about its course and speed as the wind and the autopilot have it, and climbs as it can.
type pilot struct {
	speed    float64 // m/s
	load     float64 // of the turn, in g
	turnMost float64 // radians a second
	climb    float64 // m/s
	wander   float64 // radians, standard deviation of course about what is steered
	gusts    float64 // share of speed, standard deviation
	memory   float64 // seconds over which wander and gusts change
	dive     float64 // metres from the last point at which it goes down; 0: it does not
	downed   float64 // seconds after which it falls; 0: it does not
}

// fly is the path, and whether it came to its last point.
func (p pilot) fly(rng *rand.Rand, route []waypoint, longest time.Duration) ([]geo.Position, Fate) {
	dt := levelStep.Seconds()
	at, height := route[0].at, route[0].height
	e, n := towards(at, route[1].at)
	course := math.Atan2(e, n)
	drift, gust := p.wander*rng.NormFloat64(), p.gusts*rng.NormFloat64()
	keep := math.Exp(-dt / p.memory)
	fresh := math.Sqrt(1 - keep*keep)
	rate := math.Min(p.turnMost, p.load*9.81/p.speed)
	wide := p.speed / rate // the radius of its turn
	side := 1.0
	if chance(rng, 0.5) {
		side = -1
	}
	circling := 0.0 // radians of loops still to fly
	path := []geo.Position{{Point: at, Height: geo.Metres(height)}}
	for k, next := 1, 1; time.Duration(k)*levelStep < longest; k++ {
		if p.downed > 0 && float64(k)*dt >= p.downed {
			return fall(path, p.speed, course), Downed
		}
		drift = drift*keep + p.wander*fresh*rng.NormFloat64()
		gust = gust*keep + p.gusts*fresh*rng.NormFloat64()
		speed := p.speed * math.Max(1+gust, 0.5)
		goal := route[next]
		e, n = towards(at, goal.at)
		left := math.Hypot(e, n)
		final := next == len(route)-1
		if circling > 0 {
			course = angle(course + side*rate*dt)
			circling -= rate * dt
		} else {
			if final {
				drift *= math.Min(1, left/(8*p.speed)) // it homes in
			}
			course = angle(course + clamp(angle(math.Atan2(e, n)+drift-course), -rate*dt, rate*dt))
		}
		want := goal.height
		if final && p.dive > 0 && left < math.Max(p.dive, 1.3*height) {
			want = math.Max(height-height*speed*dt/math.Max(left, speed*dt), 0)
			height = want
		}
		height += clamp(want-height, -p.climb*dt, p.climb*dt)
		step := math.Min(speed*dt, math.Max(left, 1))
		if !final || circling > 0 {
			step = speed * dt
		}
		at = ahead(at, step*math.Sin(course), step*math.Cos(course))
		path = append(path, geo.Position{Point: at, Height: geo.Metres(height)})
		switch {
		case circling > 0:
		case final && (left <= speed*dt || left < 2*wide && missing(at, goal.at, course)):
			if p.dive > 0 {
				return fall(path, speed, course), Hit
			}
			return path, Left
		case !final && left < math.Max(1.5*wide, 2*speed*dt):
			circling = 2 * math.Pi * float64(goal.loops)
			next++
		}
	}
	return path, Left
}

// missing reports whether what flies on this course has the place behind it.
func missing(at, goal geo.Point, course float64) bool {
	e, n := towards(at, goal)
	return e*math.Sin(course)+n*math.Cos(course) < 0
}

// fall ends a path on the ground: what is left of the speed carries it on while it drops.
func fall(path []geo.Position, speed, course float64) []geo.Position {
	last := path[len(path)-1]
	sink := 0.0
	for last.Height > 0 {
		speed *= 0.85
		sink = math.Min(sink+8, 90)
		last.Point = ahead(last.Point, speed*math.Sin(course), speed*math.Cos(course))
		last.Height = geo.Metres(math.Max(float64(last.Height)-sink, 0))
		path = append(path, last)
	}
	return path
}

// glide is the path of a winged bomb from its release to where it hits: it first flies flat,
// then ever steeper, and loses speed; it weaves a little and homes in.
func glide(rng *rand.Rand, from geo.Position, speed, course float64, aim geo.Point) []geo.Position {
	whole := float64(geo.Distance(from.Point, aim))
	bend := uniform(rng, 1.3, 2.3)
	slow := uniform(rng, 0.6, 0.85) // of the speed that is left at the end
	weave, turn := 2*degree*rng.NormFloat64(), uniform(rng, 2, 5)*degree
	period := uniform(rng, 20, 60)
	at, flown := from.Point, 0.0
	path := []geo.Position{from}
	for k := 1; k < 900; k++ {
		e, n := towards(at, aim)
		left := math.Hypot(e, n)
		v := speed * (1 - (1-slow)*math.Min(flown/whole, 1))
		if left <= v {
			return append(path, geo.Position{Point: aim})
		}
		sway := weave * math.Sin(2*math.Pi*float64(k)/period) * math.Min(1, left/5000)
		course = angle(course + clamp(angle(math.Atan2(e, n)+sway-course), -turn, turn))
		at = ahead(at, v*math.Sin(course), v*math.Cos(course))
		flown += v
		share := clamp(1-(left-v)/whole, 0, 1)
		height := float64(from.Height) * (1 - math.Pow(share, bend))
		height = math.Min(height, float64(path[len(path)-1].Height))
		path = append(path, geo.Position{Point: at, Height: geo.Metres(height)})
	}
	return path
}
