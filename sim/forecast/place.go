package forecast

import (
	"math"

	"tocsin/core/geo"
	"tocsin/core/track"
)

// ground lays a scenario's flat local metres on the earth: a place keeps its distance
// and its direction from the origin (azimuthal equidistant) and its height.
type ground struct {
	origin geo.Point
	local  func(track.State) (position, velocity [3]float64, rotation [3][3]float64)
}

// farthest is how many metres from the origin a place may be; beyond it, it is laid there.
const farthest = 5_000_000

// at is where metres east, north and up of the origin lie, and the angle, in radians
// clockwise, by which north on the plane differs from north there.
func (g *ground) at(p [3]float64) (geo.Position, float64) {
	d := math.Min(math.Hypot(p[0], p[1]), farthest)
	to := geo.FromRadians(math.Atan2(p[0], p[1])).Normal()
	place := geo.Destination(g.origin, to, geo.Metres(d))
	turn := 0.0
	if d > 1 {
		turn = math.Remainder((geo.Bearing(place, g.origin) + 180 - to).Radians(), 2*math.Pi)
	}
	return geo.Position{Point: place, Height: geo.Metres(p[2])}, turn
}

// track lays a track on the earth. It shares nothing with the original that is written to.
func (g *ground) track(tr track.Track) track.Track {
	position, velocity, flat := g.local(tr.State)
	place, turn := g.at(position)
	there := geo.NewENU(place)
	sin, cos := math.Sincos(turn)
	// A direction on the plane, seen from there, is turned clockwise by turn.
	v := [3]float64{velocity[0]*cos + velocity[1]*sin, velocity[1]*cos - velocity[0]*sin, velocity[2]}
	tr.State.Position, tr.State.Velocity = place.ECEF(), there.FromVelocity(v)
	turned := flat
	for j := range 3 {
		turned[0][j] = flat[0][j]*cos + flat[1][j]*sin
		turned[1][j] = flat[1][j]*cos - flat[0][j]*sin
	}
	rows := there.Rotation()
	var whole [3][3]float64 // from the plane's earth-fixed axes to the earth's
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				whole[i][j] += rows[k][i] * turned[k][j]
			}
		}
	}
	tr.State.Covariance = turnedBy(&whole, &tr.State.Covariance)
	return tr
}

// turnedBy is the covariance of (position, velocity) in axes turned by r.
func turnedBy(r *[3][3]float64, c *[6][6]float64) (out [6][6]float64) {
	var half [6][6]float64
	for a := 0; a < 6; a += 3 {
		for i := range 3 {
			for j := range 6 {
				for k := range 3 {
					half[a+i][j] += r[i][k] * c[a+k][j]
				}
			}
		}
	}
	for i := range 6 {
		for b := 0; b < 6; b += 3 {
			for j := range 3 {
				for k := range 3 {
					out[i][b+j] += half[i][b+k] * r[j][k]
				}
			}
		}
	}
	return out
}

// sources are the registered sources with their sites laid on the earth.
func (g *ground) sources(live []track.Live, sites map[string][3]float64) []track.Live {
	for i := range live {
		s := &live[i].Source
		s.Site, _ = g.at(sites[s.ID])
	}
	return live
}
