package track

import (
	"math"

	"tocsin/core/geo"
)

// frame is a local frame: metres east, north and up of an anchor.
type frame struct {
	origin geo.ECEF
	rot    mat3 // earth-fixed to local
	world  world
}

func newFrame(at geo.Position) *frame {
	f := &frame{origin: at.ECEF(), rot: geo.NewENU(at).Rotation()}
	f.world.spin = apply(&f.rot, vec3{0, 0, earthSpin})
	return f
}

func (f *frame) to(e geo.ECEF) vec3 {
	return apply(&f.rot, vec3{e[0] - f.origin[0], e[1] - f.origin[1], e[2] - f.origin[2]})
}

func (f *frame) from(p vec3) geo.ECEF {
	d := applyT(&f.rot, p)
	return geo.ECEF{f.origin[0] + d[0], f.origin[1] + d[1], f.origin[2] + d[2]}
}

// height is that of a place above the ground of the frame's world: the ellipsoid,
// within a metre out to 50 km from the anchor, or the plane.
func (f *frame) height(p vec3) float64 {
	if f.world.flat {
		return p[2]
	}
	return p[2] + (p[0]*p[0]+p[1]*p[1])/(2*earthRadius)
}

// between returns the rotation and shift that turn places of one frame into another's.
func between(from, to *frame) (r mat3, shift vec3) {
	if from == to {
		return mat3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, shift
	}
	if from.world.flat && to.world.flat { // everybody's axes are the same
		return mat3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, to.to(from.origin)
	}
	return timesT(&to.rot, &from.rot), to.to(from.origin)
}

// roam is how far from its anchor a track may be before it takes a nearer one, in metres.
const roam = 40e3

// earth gives frames: of the round earth, or always the one of a flat world.
type earth struct{ plane *frame }

func newEarth(flat *geo.Position) earth {
	if flat == nil {
		return earth{}
	}
	f := newFrame(*flat)
	f.world = world{flat: true}
	return earth{plane: f}
}

// at is a frame anchored on the ground under a place.
func (e earth) at(place geo.ECEF) *frame {
	if e.plane != nil {
		return e.plane
	}
	p := place.Position()
	p.Height = 0
	return newFrame(p)
}

// site is the frame of a sensor: its own axes, which in a flat world are everybody's.
func (e earth) site(p geo.Position) *frame {
	f := &frame{}
	e.lay(p, f)
	return f
}

// lay is site into a frame that is there.
func (e earth) lay(p geo.Position, f *frame) {
	if e.plane != nil {
		f.origin, f.rot, f.world = p.ECEF(), e.plane.rot, e.plane.world
		return
	}
	f.origin, f.rot = p.ECEF(), geo.NewENU(p).Rotation()
	f.world.spin = apply(&f.rot, vec3{0, 0, earthSpin})
}

// height is that of any place, not only near an anchor.
func (e earth) height(place geo.ECEF) float64 {
	if e.plane != nil {
		return e.plane.to(place)[2]
	}
	return float64(place.Position().Height)
}

// onSphere is a place brought down to a sphere, where the grid keeps tracks.
func onSphere(e geo.ECEF) vec3 {
	n := math.Sqrt(e[0]*e[0] + e[1]*e[1] + e[2]*e[2])
	if !(n > 0) {
		return vec3{}
	}
	k := earthRadius / n
	return vec3{e[0] * k, e[1] * k, e[2] * k}
}
