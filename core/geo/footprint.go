package geo

import "math"

// Distances between a place and the shapes around it are taken on the plane about that
// place which keeps every distance and direction from it (azimuthal equidistant), made
// from the tangent plane by a series: within 1e-5 of the length up to 1,000 km, 1e-3 up to
// 3,000 km. Straight edges are straight on it; the bend of an edge of 10 km is 2 m at 50°.

// longestAxis is the greatest half axis that is tested as an ellipse; a longer one is cut
// down to it.
const longestAxis = 5_000_000

// shortestAxis keeps an ellipse without width from dividing by nothing.
const shortestAxis = 0.001

// plane turns places into metres east and north of its centre.
type plane struct {
	centre      ECEF
	east, north [3]float64
	up          [3]float64
	curve       float64 // 1 / R², R the mean radius of curvature at the centre
}

func newPlane(p Point) plane {
	f := NewENU(Position{Point: p})
	sin := math.Sin(p.Lat.Radians())
	w := 1 - wgs84E2*sin*sin
	r2 := wgs84A * wgs84A * (1 - wgs84E2) / (w * w)
	return plane{centre: f.centre, east: f.rows[0], north: f.rows[1], up: f.rows[2], curve: 1 / r2}
}

// at returns metres east and north; a place on the far half of the earth is put at
// 10,000 km, in its direction.
func (l *plane) at(p *ECEF) (e, n float64) {
	dx, dy, dz := p[0]-l.centre[0], p[1]-l.centre[1], p[2]-l.centre[2]
	e = l.east[0]*dx + l.east[1]*dy + l.east[2]*dz
	n = l.north[0]*dx + l.north[1]*dy + l.north[2]*dz
	s := (e*e + n*n) * l.curve
	if s > 0.25 { // beyond 30° of arc the series is too short
		return l.far(e, n, l.up[0]*dx+l.up[1]*dy+l.up[2]*dz)
	}
	// asin(x)/x = 1 + x²/6 + 3x⁴/40 + 15x⁶/336 + 105x⁸/3456 ...
	k := 1 + s*(1.0/6+s*(3.0/40+s*(15.0/336+s*(105.0/3456))))
	return e * k, n * k
}

func (l *plane) far(e, n, up float64) (float64, float64) {
	r := 1 / math.Sqrt(l.curve)
	h := math.Hypot(e, n)
	if h == 0 {
		return math.Pi * r, 0
	}
	k := math.Atan2(h, r+up) * r / h
	return e * k, n * k
}

// Footprint is an ellipse made ready to be tested against many shapes: the tests are made
// in the space where it is the unit circle.
type Footprint struct {
	plane
	middle vertex
	bounds box // in grid units; x may pass the antimeridian
	// across and along turn metres east and north into that space.
	across, along [2]float64
	// stretch bounds how long a metre may become in that space; 0 where the footprint is too
	// large to say.
	stretch float64
	valid   bool
}

// largestPruned is the greatest half axis at which the plane's distortion stays within the
// hundredth that stretch allows for.
const largestPruned = 1_000_000

// Footprint prepares the ellipse. One whose centre or axes are no finite numbers, or with
// a negative axis, meets nothing. An axis over 5,000 km counts as 5,000 km, one under a
// millimetre as a millimetre.
func (e Ellipse) Footprint() Footprint {
	a, b := float64(e.SemiMajor), float64(e.SemiMinor)
	sin, cos := math.Sincos(e.Bearing.Radians())
	if !e.Centre.Valid() || !(a >= 0) || !(b >= 0) || math.IsNaN(sin) {
		return Footprint{}
	}
	a = min(max(a, shortestAxis), longestAxis)
	b = min(max(b, shortestAxis), longestAxis)
	f := Footprint{
		plane:  newPlane(e.Centre),
		middle: toGrid(e.Centre),
		along:  [2]float64{sin / a, cos / a},
		across: [2]float64{cos / b, -sin / b},
		valid:  true,
	}
	if max(a, b) <= largestPruned {
		f.stretch = 1.01 / min(a, b)
	}
	f.bounds = reach(e.Centre, math.Hypot(a*sin, b*cos), math.Hypot(a*cos, b*sin), max(a, b))
	return f
}

// Footprint prepares the circle; see Ellipse.Footprint.
func (c Circle) Footprint() Footprint {
	return Ellipse{Centre: c.Centre, SemiMajor: c.Radius, SemiMinor: c.Radius}.Footprint()
}

// reach is a box around everything within so many metres east or west, north or south,
// and not farther than far.
func reach(p Point, east, north, far float64) box {
	lat := p.Lat.Radians()
	// The shortest radii of the ellipsoid and a thousandth more make angles too large
	// rather than too small.
	const slack = 1.001
	angle := min(far/wgs84B*slack*1.005, math.Pi)
	// Going east on the plane leaves the parallel towards the equator.
	bend := 0.0
	ew := min(east/wgs84B*slack, math.Pi)
	if t := math.Abs(math.Tan(lat)); ew < 1 && t*ew < 1 {
		bend = ew * ew * t
	} else {
		bend = angle
	}
	ns := north/wgs84B*slack*1.005 + bend
	if ns > angle {
		ns = angle
	}
	top, bottom := lat+ns, lat-ns
	c := middleBox(p)
	c.minY = math.Max(-90, float64(FromRadians(bottom)))*gridPerDegree - 1
	c.maxY = math.Min(90, float64(FromRadians(top)))*gridPerDegree + 1
	polar := max(math.Abs(top), math.Abs(bottom))
	if polar >= math.Pi/2-1e-6 || math.Sin(ew) >= math.Cos(polar) || ew > 1 {
		c.minX, c.maxX = -2*gridTurn, 2*gridTurn
		return c
	}
	turn := float64(FromRadians(math.Asin(math.Sin(ew)/math.Cos(polar))))*gridPerDegree + 1
	c.minX -= turn
	c.maxX += turn
	return c
}

func middleBox(p Point) box {
	v := toGrid(p)
	return box{v.x, v.y, v.x, v.y}
}

// unit turns a place into the space where the footprint is the unit circle.
func (f *Footprint) unit(p *ECEF) (x, y float64) {
	e, n := f.at(p)
	return f.along[0]*e + f.along[1]*n, f.across[0]*e + f.across[1]*n
}

// Meets says whether the footprint and the shape share a point.
func (s *Shape) Meets(f *Footprint) bool {
	if !f.valid {
		return false
	}
	for _, by := range turns {
		b := f.bounds.shift(by)
		if !s.bounds.meets(b) {
			continue
		}
		centre := vertex{f.middle.x + by, f.middle.y}
		for i := range s.parts {
			p := &s.parts[i]
			if !p.bounds.meets(b) {
				continue
			}
			if p.bordersMeet(f, b) || p.locate(centre) != outside {
				return true
			}
		}
	}
	return false
}

func (p *part) bordersMeet(f *Footprint, b box) bool {
	for _, r := range p.rings {
		if r.edgesMeet(len(r.levels)-1, 0, f, b) {
			return true
		}
	}
	return false
}

func (o *outline) edgesMeet(level, i int, f *Footprint, b box) bool {
	if !o.levels[level][i].meets(b) {
		return false
	}
	d := &o.discs[level][i]
	x, y := f.unit(&d.centre)
	q := x*x + y*y
	if q <= 1 {
		return true
	}
	if far := 1 + d.radius*f.stretch; f.stretch > 0 && q > far*far {
		return false
	}
	if level > 0 {
		for j := i * fan; j < min((i+1)*fan, len(o.levels[level-1])); j++ {
			if o.edgesMeet(level-1, j, f, b) {
				return true
			}
		}
		return false
	}
	first, end := o.run(0, i)
	x, y = f.unit(&o.places[first])
	if x*x+y*y <= 1 {
		return true
	}
	for e := first; e < end; e++ {
		nx, ny := f.unit(&o.places[e+1])
		if nx*nx+ny*ny <= 1 || toOrigin(x, y, nx, ny) <= 1 {
			return true
		}
		x, y = nx, ny
	}
	return false
}

// toOrigin is the square of the distance from 0, 0 to a segment.
func toOrigin(ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	t := -(ax*dx + ay*dy)
	length := dx*dx + dy*dy
	if t <= 0 || length == 0 {
		return ax*ax + ay*ay
	}
	if t >= length {
		return bx*bx + by*by
	}
	c := ax*by - ay*bx
	return c * c / length
}

// DistanceTo is the distance from a point to the shape: 0 in it or on its border, and
// +Inf to an empty shape.
func (s *Shape) DistanceTo(p Point) Metres {
	if s.Contains(p) {
		return 0
	}
	return s.BorderDistance(p, Metres(math.Inf(1)))
}

// BorderDistance is the distance from a point, inside or outside, to the nearest border,
// or +Inf where that is more than limit.
func (s *Shape) BorderDistance(p Point, limit Metres) Metres {
	l := newPlane(p)
	best := float64(limit) * float64(limit)
	around := noBox
	if limit < longestAxis {
		around = reach(p, float64(limit), float64(limit), float64(limit))
	}
	found := false
	for _, by := range turns {
		b := around.shift(by)
		if limit >= longestAxis {
			b = s.bounds
		}
		if !s.bounds.meets(b) {
			continue
		}
		for i := range s.parts {
			if s.parts[i].bounds.meets(b) && s.parts[i].borderNear(&l, b, &best) {
				found = true
			}
		}
	}
	if !found {
		return Metres(math.Inf(1))
	}
	return Metres(math.Sqrt(best))
}

// borderNear lowers best, a squared distance, to that of the part's nearest edge in b.
func (p *part) borderNear(l *plane, b box, best *float64) bool {
	found := false
	for _, r := range p.rings {
		r.near(b, func(first, end int) bool {
			ax, ay := l.at(&r.places[first])
			for e := first; e < end; e++ {
				bx, by := l.at(&r.places[e+1])
				if d := toOrigin(ax, ay, bx, by); d <= *best {
					*best, found = d, true
				}
				ax, ay = bx, by
			}
			return true
		})
	}
	return found
}

// Intersects says whether the ellipse and the polygons share a point. For many ellipses or
// many shapes use Footprint and Shape.Meets.
func (e Ellipse) Intersects(m MultiPolygon) bool {
	f := e.Footprint()
	return NewShape(m).Meets(&f)
}

// Intersects says whether the circle and the polygons share a point.
func (c Circle) Intersects(m MultiPolygon) bool {
	f := c.Footprint()
	return NewShape(m).Meets(&f)
}

// DistanceTo is the distance from a point to the polygons; see Shape.DistanceTo.
func (m MultiPolygon) DistanceTo(p Point) Metres { return NewShape(m).DistanceTo(p) }

// Bounds is a box around the footprint, a little larger than it; that of a footprint that
// meets nothing contains nothing.
func (f *Footprint) Bounds() Box {
	if !f.valid {
		return Box{South: 90, North: -90}
	}
	b := Box{South: Degrees(f.bounds.minY / gridPerDegree), North: Degrees(f.bounds.maxY / gridPerDegree), West: -180, East: 180}
	if f.bounds.maxX-f.bounds.minX < gridTurn {
		b.West = vertex{x: f.bounds.minX}.point().Lon
		b.East = vertex{x: f.bounds.maxX}.point().Lon
	}
	return b
}
