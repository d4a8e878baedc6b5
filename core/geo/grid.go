package geo

import "math"

// Predicates are exact on a grid of 1e-12 degrees (a ten-thousandth of a millimetre at
// most): coordinates are rounded to it once, and a border written in decimals keeps the
// points that lie on it. Grid coordinates are whole numbers below 2^50, so they and their
// differences are exact in a float64, and the sign of a cross product is found with two
// multiplications and, at a tie, two fused ones. The result is the same on any processor.

const (
	gridPerDegree = 1e12
	gridTurn      = 360 * gridPerDegree
	gridHalf      = 180 * gridPerDegree
)

// vertex is a place on the grid: x east, y north. Midpoints of two vertices may have a
// half; the arithmetic has room for it.
type vertex struct{ x, y float64 }

// toGrid rounds a point to the grid. What is no number or out of range comes to lie at
// the range's edge: such points are refused by Ring.Check, and here must only do no harm.
func toGrid(p Point) vertex {
	return vertex{x: gridCoordinate(float64(p.Lon), 540), y: gridCoordinate(float64(p.Lat), 90)}
}

func gridCoordinate(degrees, limit float64) float64 {
	if !(degrees >= -limit) {
		degrees = -limit
	}
	if degrees > limit {
		degrees = limit
	}
	return math.Round(degrees * gridPerDegree)
}

// point returns the vertex in degrees, its longitude between -180 and 180.
func (v vertex) point() Point {
	x := v.x
	for x > gridHalf {
		x -= gridTurn
	}
	for x < -gridHalf {
		x += gridTurn
	}
	return Point{Lat: Degrees(v.y / gridPerDegree), Lon: Degrees(x / gridPerDegree)}
}

// compareProducts returns the sign of a*b - c*d, exactly. Rounding never reverses an
// order, so unequal rounded products decide; equal ones are told apart by what each lost.
func compareProducts(a, b, c, d float64) int {
	p, q := a*b, c*d
	if p == q {
		p, q = math.FMA(a, b, -p), math.FMA(c, d, -q)
	}
	switch {
	case p > q:
		return 1
	case p < q:
		return -1
	}
	return 0
}

// turn is 1 where c lies left of the line from a to b, -1 right of it, 0 on it.
func turn(a, b, c vertex) int {
	return compareProducts(b.x-a.x, c.y-a.y, c.x-a.x, b.y-a.y)
}

// between says whether c, known to lie on the line through a and b, is on the segment.
func between(a, b, c vertex) bool {
	return min(a.x, b.x) <= c.x && c.x <= max(a.x, b.x) &&
		min(a.y, b.y) <= c.y && c.y <= max(a.y, b.y)
}

// contact is how two segments meet.
type contact int

const (
	apart   contact = iota
	touch           // they share one point, and an end of one of them is there
	overlap         // they share a stretch
	cross           // each goes through the other
)

// meet tells how segment ab meets segment cd. A segment may have length 0.
func meet(a, b, c, d vertex) contact {
	if max(a.x, b.x) < min(c.x, d.x) || max(c.x, d.x) < min(a.x, b.x) ||
		max(a.y, b.y) < min(c.y, d.y) || max(c.y, d.y) < min(a.y, b.y) {
		return apart
	}
	c1, d1 := turn(a, b, c), turn(a, b, d)
	if c1*d1 > 0 {
		return apart
	}
	a1, b1 := turn(c, d, a), turn(c, d, b)
	if a1*b1 > 0 {
		return apart
	}
	if c1*d1 < 0 && a1*b1 < 0 {
		return cross
	}
	if c1 == 0 && d1 == 0 && a1 == 0 && b1 == 0 {
		return along(a, b, c, d)
	}
	// One end lies on the other's line, and the tests above leave no room beside it.
	if c1 == 0 && between(a, b, c) || d1 == 0 && between(a, b, d) ||
		a1 == 0 && between(c, d, a) || b1 == 0 && between(c, d, b) {
		return touch
	}
	return apart
}

// along tells how two segments of one line meet.
func along(a, b, c, d vertex) contact {
	x := min(max(a.x, b.x), max(c.x, d.x)) - max(min(a.x, b.x), min(c.x, d.x))
	y := min(max(a.y, b.y), max(c.y, d.y)) - max(min(a.y, b.y), min(c.y, d.y))
	switch {
	case x < 0 || y < 0:
		return apart
	case x > 0 || y > 0:
		return overlap
	}
	return touch
}

// box is a rectangle on the grid, its borders included.
type box struct{ minX, minY, maxX, maxY float64 }

// noBox contains nothing and adds nothing to a union.
var noBox = box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}

func (b box) with(v vertex) box {
	return box{min(b.minX, v.x), min(b.minY, v.y), max(b.maxX, v.x), max(b.maxY, v.y)}
}

func (b box) union(c box) box {
	return box{min(b.minX, c.minX), min(b.minY, c.minY), max(b.maxX, c.maxX), max(b.maxY, c.maxY)}
}

func (b box) meets(c box) bool {
	return b.minX <= c.maxX && c.minX <= b.maxX && b.minY <= c.maxY && c.minY <= b.maxY
}

func (b box) contains(v vertex) bool {
	return b.minX <= v.x && v.x <= b.maxX && b.minY <= v.y && v.y <= b.maxY
}

func (b box) shift(x float64) box { return box{b.minX + x, b.minY, b.maxX + x, b.maxY} }

func (b box) empty() bool { return !(b.minX <= b.maxX) }

func edgeBox(a, b vertex) box {
	return box{min(a.x, b.x), min(a.y, b.y), max(a.x, b.x), max(a.y, b.y)}
}
