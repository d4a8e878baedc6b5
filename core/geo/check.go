package geo

import (
	"math"
	"slices"
)

// Flaw is what can be wrong with a ring.
type Flaw int

const (
	// FlawNotNumber: a coordinate that is NaN or infinite, or out of range.
	FlawNotNumber Flaw = iota + 1
	// FlawOpen: the last point is not the first.
	FlawOpen
	// FlawDegenerate: fewer than three different points, or no area.
	FlawDegenerate
	// FlawPole: the ring goes around a pole and has no inside on a map.
	FlawPole
	// FlawCross: the ring crosses itself.
	FlawCross
	// FlawCrossRing: the ring crosses another ring of the same zone.
	FlawCrossRing
	// FlawIntricate: so many edges lie over each other that the check was given up.
	FlawIntricate

	// The following ones do no harm.

	// FlawTouch: the ring touches itself.
	FlawTouch
	// FlawWinding: an outer ring that runs clockwise or a hole that does not.
	FlawWinding
	// FlawHoleOutside: a hole that lies outside its polygon and cuts nothing.
	FlawHoleOutside
)

var flawNames = [...]string{
	FlawNotNumber:   "coordinate out of range or not a number",
	FlawOpen:        "ring not closed",
	FlawDegenerate:  "degenerate ring",
	FlawPole:        "ring around a pole",
	FlawCross:       "ring crosses itself",
	FlawCrossRing:   "ring crosses another ring",
	FlawIntricate:   "ring too intricate to check",
	FlawTouch:       "ring touches itself",
	FlawWinding:     "winding",
	FlawHoleOutside: "hole outside its polygon",
}

func (f Flaw) String() string {
	if f <= 0 || int(f) >= len(flawNames) {
		return "unknown flaw"
	}
	return flawNames[f]
}

// Harmless says whether shapes with the flaw are still what their author meant.
func (f Flaw) Harmless() bool { return f >= FlawTouch }

// Fault is one flaw at one place. Polygon and Ring count from 0; ring 0 is the outer one.
type Fault struct {
	Flaw          Flaw
	Polygon, Ring int
	At            Point
}

// checkBudget bounds the pairs of edges that are looked at in one shape: well over what
// any map needs (the largest zones of a country need some thousand), and a fifth of a second
// of work: the mutations came to a whole second with 14 kB of one square walked round again.
const checkBudget = 4_000_000

// Check lists the faults of all rings, at most one of each flaw a ring. Where a ring is
// open, degenerate or has no numbers its crossings are not looked for.
func (m MultiPolygon) Check() []Fault {
	c := checker{budget: checkBudget}
	for i, p := range m {
		for j, r := range append([]Ring{p.Outer}, p.Holes...) {
			c.ring(i, j, r)
		}
	}
	for i := range c.rings {
		c.self(&c.rings[i])
	}
	c.pairs()
	return c.faults
}

type checkedRing struct {
	polygon, ring int
	line          *outline
}

type checker struct {
	rings  []checkedRing
	faults []Fault
	budget int
}

func (c *checker) fault(f Flaw, polygon, ring int, at Point) {
	c.faults = append(c.faults, Fault{Flaw: f, Polygon: polygon, Ring: ring, At: at})
}

// ring looks at what can be seen of one ring alone, and keeps a sound one.
func (c *checker) ring(polygon, ring int, r Ring) {
	for _, p := range r {
		if !p.Valid() {
			c.fault(FlawNotNumber, polygon, ring, p)
			return
		}
	}
	if len(r) == 0 {
		c.fault(FlawDegenerate, polygon, ring, Point{})
		return
	}
	v := make([]vertex, len(r))
	for i, p := range r {
		v[i] = toGrid(p)
	}
	if v[0] != v[len(v)-1] {
		c.fault(FlawOpen, polygon, ring, r[len(r)-1])
		return
	}
	if !unroll(v) {
		c.fault(FlawPole, polygon, ring, r[0])
		return
	}
	line := newOutline(r)
	switch {
	case len(v) < 4 || line.flat():
		c.fault(FlawDegenerate, polygon, ring, r[0])
		return
	case (line.area() < 0) == (ring == 0):
		c.fault(FlawWinding, polygon, ring, r[0])
	}
	c.rings = append(c.rings, checkedRing{polygon, ring, line})
}

// flat says whether all points lie on one line.
func (o *outline) flat() bool {
	a := o.v[0]
	var b vertex
	second := false
	for _, v := range o.v {
		if v == a {
			continue
		}
		if !second {
			b, second = v, true
		} else if turn(a, b, v) != 0 {
			return false
		}
	}
	return true
}

// self looks for places where a ring meets itself.
func (c *checker) self(r *checkedRing) {
	o := r.line
	touched := false
	var at vertex
	for i := 0; i < o.edges(); i++ {
		a, b := o.v[i], o.v[i+1]
		if a == b {
			continue
		}
		sound := o.near(edgeBox(a, b), func(first, end int) bool {
			c.budget -= end - first
			for j := max(first, i+1); j < end; j++ {
				switch o.meetOwn(i, j) {
				case cross:
					c.fault(FlawCross, r.polygon, r.ring, crossing(a, b, o.v[j], o.v[j+1]).point())
					return false
				case touch, overlap:
					if !touched {
						touched, at = true, o.v[j]
					}
				}
			}
			return c.budget > 0
		})
		if !sound {
			if c.budget <= 0 {
				c.fault(FlawIntricate, r.polygon, r.ring, a.point())
			}
			return
		}
	}
	if !touched {
		return
	}
	place, flaw := flawAtTouch(o)
	if flaw == FlawTouch {
		place = at
	}
	c.fault(flaw, r.polygon, r.ring, place.point())
}

// meetOwn is meet for two edges of one ring, i < j, without what neighbours must share.
func (o *outline) meetOwn(i, j int) contact {
	a, b, c, d := o.v[i], o.v[i+1], o.v[j], o.v[j+1]
	if c == d {
		return apart
	}
	how := meet(a, b, c, d)
	if how == touch && (b == c && o.joined(i+1, j) || d == a && o.joined(j+1, i+o.edges())) {
		return apart
	}
	return how
}

// joined says whether all vertices from i to j (past the end: from the start again) are
// one place, so that the edges before and after follow each other.
func (o *outline) joined(i, j int) bool {
	n := o.edges()
	if j-i > n {
		return false
	}
	for k := i; k < j; k++ {
		if o.v[k%n] != o.v[(k+1)%n] {
			return false
		}
	}
	return true
}

// crossing is about where two segments that cross do so: the same vertex in whichever
// order and direction they are given.
func crossing(a, b, c, d vertex) vertex {
	if b.before(a) {
		a, b = b, a
	}
	if d.before(c) {
		c, d = d, c
	}
	if c.before(a) || c == a && d.before(b) {
		a, b, c, d = c, d, a, b
	}
	x1, y1, x2, y2 := b.x-a.x, b.y-a.y, d.x-c.x, d.y-c.y
	den := x1*y2 - y1*x2
	if den == 0 {
		return a
	}
	t := ((c.x-a.x)*y2 - (c.y-a.y)*x2) / den
	return vertex{math.Round(a.x + float64(t*x1)), math.Round(a.y + float64(t*y1))}
}

// Wound returns the polygons with outer rings counterclockwise and holes clockwise, as
// RFC 7946 asks. Rings that are turned are copied, the others shared.
func (m MultiPolygon) Wound() MultiPolygon {
	out := make(MultiPolygon, len(m))
	for i, p := range m {
		out[i].Outer = p.Outer.wound(true)
		for _, h := range p.Holes {
			out[i].Holes = append(out[i].Holes, h.wound(false))
		}
	}
	return out
}

func (r Ring) wound(counterclockwise bool) Ring {
	o := newOutline(r)
	if o == nil || (o.area() > 0) == counterclockwise {
		return r
	}
	r = slices.Clone(r)
	slices.Reverse(r)
	return r
}

func (v vertex) before(w vertex) bool { return v.x < w.x || v.x == w.x && v.y < w.y }
