package geo

import "math"

// Shape is a MultiPolygon made ready for many questions. It is immutable and safe to
// share. A polygon's border belongs to it, and so does that of its holes; polygons that
// touch or overlap are one area. Edges are straight in latitude and longitude
// (RFC 7946, 3.1.1), and cross the antimeridian where that is the shorter way.
type Shape struct {
	parts  []part
	bounds box
}

// part is one polygon: rings[0] is the outer one.
type part struct {
	rings  []*outline
	bounds box
}

// NewShape prepares a MultiPolygon, which it does not keep. Rings without a point are
// left out. Use MultiPolygon.Check on what comes from outside: a ring that crosses itself
// is taken by the even-odd rule.
func NewShape(m MultiPolygon) *Shape {
	s := &Shape{bounds: noBox}
	for _, p := range m {
		s.add(p)
	}
	return s
}

func (s *Shape) add(p Polygon) {
	outer := newOutline(p.Outer)
	if outer == nil {
		return
	}
	pt := part{rings: []*outline{outer}, bounds: outer.bounds}
	for _, h := range p.Holes {
		if hole := newOutline(h); hole != nil {
			hole.moveTo(outer.bounds)
			pt.rings = append(pt.rings, hole)
		}
	}
	for _, r := range pt.rings {
		r.locateVertices()
	}
	s.parts = append(s.parts, pt)
	s.bounds = s.bounds.union(pt.bounds)
}

// moveTo shifts a hole by whole turns to where its outer ring was unrolled.
func (o *outline) moveTo(b box) {
	for _, by := range [...]float64{gridTurn, -gridTurn} {
		if !o.bounds.meets(b) && o.bounds.shift(by).meets(b) {
			*o = *o.shifted(by)
			return
		}
	}
}

// turns are the shifts under which one place, or another shape, may meet a shape.
var turns = [...]float64{0, gridTurn, -gridTurn}

// Empty says whether there is nothing in the shape.
func (s *Shape) Empty() bool { return len(s.parts) == 0 }

// Vertices is the number of points in all rings.
func (s *Shape) Vertices() int {
	n := 0
	for _, p := range s.parts {
		for _, r := range p.rings {
			n += len(r.v)
		}
	}
	return n
}

// Contains says whether the point is in the shape or on its border.
func (s *Shape) Contains(p Point) bool {
	v := toGrid(p)
	for _, by := range turns {
		if w := (vertex{v.x + by, v.y}); s.bounds.contains(w) && s.locate(w) != outside {
			return true
		}
	}
	return false
}

// locate tells where a place of the grid lies. On the border between two parts counts
// as border.
func (s *Shape) locate(v vertex) place {
	best := outside
	for i := range s.parts {
		if at := s.parts[i].locate(v); at > best {
			best = at
		}
	}
	return best
}

func (p *part) locate(v vertex) place {
	at := p.rings[0].locate(v)
	if at == outside {
		return outside
	}
	for _, hole := range p.rings[1:] {
		switch hole.locate(v) {
		case inside:
			return outside
		case border:
			at = border
		}
	}
	return at
}

// Bounds is the smallest box around the shape; West > East where it crosses the
// antimeridian. The bounds of an empty shape are South 90, North -90, which contain nothing.
func (s *Shape) Bounds() Box {
	if s.bounds.empty() {
		return Box{South: 90, North: -90}
	}
	b := Box{South: Degrees(s.bounds.minY / gridPerDegree), North: Degrees(s.bounds.maxY / gridPerDegree)}
	if s.bounds.maxX-s.bounds.minX >= gridTurn {
		b.West, b.East = -180, 180
		return b
	}
	b.West = vertex{x: s.bounds.minX}.point().Lon
	b.East = vertex{x: s.bounds.maxX}.point().Lon
	return b
}

// Centre is the middle of the bounds.
func (s *Shape) Centre() Point {
	return vertex{(s.bounds.minX + s.bounds.maxX) / 2, (s.bounds.minY + s.bounds.maxY) / 2}.point()
}

// SquareMetres is an area.
type SquareMetres float64

// Area is the area on the ellipsoid, holes taken off; parts that overlap count twice. For
// edges under 10° it is within a millionth.
func (s *Shape) Area() SquareMetres {
	var sum float64
	for i := range s.parts {
		for j, r := range s.parts[i].rings {
			a := math.Abs(r.area())
			if j > 0 {
				a = -a
			}
			sum += a
		}
	}
	return SquareMetres(sum)
}

// area is positive for a line that runs counterclockwise.
func (o *outline) area() float64 {
	var sum float64
	for i := 1; i < len(o.v); i++ {
		sum += strip(o.v[i-1], o.v[i])
	}
	return sum * (math.Pi / 180 / gridPerDegree)
}

// strip is the area between an edge and the equator, per radian of a grid unit, positive
// for one that runs west on the northern half (Simpson's rule).
func strip(a, b vertex) float64 {
	if a.x == b.x {
		return 0
	}
	return (a.x - b.x) * (authalic(a.y) + 4*authalic((a.y+b.y)/2) + authalic(b.y)) / 6
}

// authalic is the area between the equator and a latitude (on the grid) per radian of
// longitude (Snyder, Map Projections, USGS 1395, 3-12).
func authalic(y float64) float64 {
	e := math.Sqrt(wgs84E2)
	sin := math.Sin(y / gridPerDegree * (math.Pi / 180))
	q := (1 - wgs84E2) * (sin/(1-wgs84E2*sin*sin) + math.Atanh(e*sin)/e)
	return wgs84A * wgs84A / 2 * q
}

// Contains says whether the point is in the polygon or on its border. For many questions
// of one polygon make a Shape.
func (p Polygon) Contains(q Point) bool { return NewShape(MultiPolygon{p}).Contains(q) }

// Contains says whether the point is in one of the polygons or on a border.
func (m MultiPolygon) Contains(q Point) bool { return NewShape(m).Contains(q) }

// Bounds is the smallest box around the polygons; see Shape.Bounds.
func (m MultiPolygon) Bounds() Box { return NewShape(m).Bounds() }

// Area is the area on the ellipsoid; see Shape.Area.
func (m MultiPolygon) Area() SquareMetres { return NewShape(m).Area() }

// Contains says whether the point is in the box or on its border.
func (b Box) Contains(p Point) bool {
	if p.Lat < b.South || p.Lat > b.North {
		return false
	}
	if b.West > b.East {
		return p.Lon >= b.West || p.Lon <= b.East
	}
	return p.Lon >= b.West && p.Lon <= b.East
}

// Intersects says whether two boxes share a point.
func (b Box) Intersects(c Box) bool {
	if b.North < c.South || c.North < b.South || b.South > b.North || c.South > c.North {
		return false
	}
	for _, by := range [...]Degrees{0, 360, -360} {
		if b.West <= c.east()+by && c.West+by <= b.east() {
			return true
		}
	}
	return false
}

// east is the eastern border, past 180 where the box crosses the antimeridian.
func (b Box) east() Degrees {
	if b.West > b.East {
		return b.East + 360
	}
	return b.East
}
