package geo

import (
	"math"
	"slices"
)

// outline is one closed line on the grid, with boxes over runs of its edges so that
// questions about a place look only at the edges near it. Edge i goes from v[i] to
// v[i+1]; the last vertex repeats the first.
type outline struct {
	v      []vertex
	bounds box
	// levels[0] has a box for each run of runEdges edges, levels[k] one for each run of
	// fan boxes of levels[k-1]; the last level has one box.
	levels [][]box
	// For tests in metres: the places of the vertices, and for each box of each level a disc
	// around the vertices of its run. Only the lines of a Shape have them.
	places []ECEF
	discs  [][]disc
}

// disc is a vertex and how far from it, in metres, the other vertices of its run are.
type disc struct {
	centre ECEF
	radius float64
}

const (
	runEdges = 8
	fan      = 4
)

// newOutline lays a ring on the grid. An edge of more than half a turn, but less than a
// whole one, goes the short way over the antimeridian; where that does not close the ring
// (it goes around a pole) the ring is taken as it is written. A ring that is not closed
// is closed. nil for a ring without a point.
func newOutline(r Ring) *outline {
	if len(r) == 0 {
		return nil
	}
	v := make([]vertex, 0, len(r)+1)
	for _, p := range r {
		v = append(v, toGrid(p))
	}
	if v[0] != v[len(v)-1] {
		v = append(v, v[0])
	}
	unroll(v)
	o := &outline{v: v}
	o.index()
	return o
}

// unroll makes the x of a line that crosses the antimeridian continuous; it says false,
// and changes nothing, where the line would not close.
func unroll(v []vertex) bool {
	shift, crossed := 0.0, false
	for i := 1; i < len(v); i++ {
		if s := stepOver(v[i-1], v[i]); s != 0 {
			shift += s
			crossed = true
		}
	}
	if !crossed {
		return true
	}
	if shift != 0 {
		return false
	}
	last := v[0]
	for i := 1; i < len(v); i++ {
		shift += stepOver(last, v[i])
		last = v[i]
		v[i].x += shift
	}
	return true
}

// stepOver is what must be added to b so that the edge from a goes the short way.
func stepOver(a, b vertex) float64 {
	switch d := b.x - a.x; {
	case d > gridHalf && d < gridTurn:
		return -gridTurn
	case d < -gridHalf && d > -gridTurn:
		return gridTurn
	}
	return 0
}

// shifted returns the line a number of turns farther east.
func (o *outline) shifted(by float64) *outline {
	v := slices.Clone(o.v)
	for i := range v {
		v[i].x += by
	}
	s := &outline{v: v, places: o.places, discs: o.discs}
	s.index()
	return s
}

// locateVertices fills in what tests in metres need.
func (o *outline) locateVertices() {
	o.places = make([]ECEF, len(o.v))
	for i, v := range o.v {
		o.places[i] = Position{Point: v.point()}.ECEF()
	}
	o.discs = make([][]disc, len(o.levels))
	for level, boxes := range o.levels {
		for i := range boxes {
			first, end := o.run(level, i)
			d := disc{centre: o.places[(first+end)/2]}
			for _, p := range o.places[first : end+1] {
				d.radius = max(d.radius, math.Hypot(math.Hypot(p[0]-d.centre[0], p[1]-d.centre[1]), p[2]-d.centre[2]))
			}
			o.discs[level] = append(o.discs[level], d)
		}
	}
}

func (o *outline) edges() int { return len(o.v) - 1 }

func (o *outline) index() {
	n := o.edges()
	runs := make([]box, 0, n/runEdges+1)
	for i := 0; i < n; i += runEdges {
		b := noBox
		for _, v := range o.v[i : min(i+runEdges, n)+1] {
			b = b.with(v)
		}
		runs = append(runs, b)
	}
	if len(runs) == 0 { // a single point
		runs = append(runs, noBox.with(o.v[0]))
	}
	o.levels = append(o.levels[:0], runs)
	for len(runs) > 1 {
		up := make([]box, 0, len(runs)/fan+1)
		for i := 0; i < len(runs); i += fan {
			b := noBox
			for _, c := range runs[i:min(i+fan, len(runs))] {
				b = b.union(c)
			}
			up = append(up, b)
		}
		o.levels = append(o.levels, up)
		runs = up
	}
	o.bounds = runs[0]
}

// run returns the edges under box i of a level: from first up to, not with, end.
func (o *outline) run(level, i int) (first, end int) {
	size := runEdges
	for range level {
		size *= fan
	}
	return i * size, min((i+1)*size, o.edges())
}

// near calls visit for the runs of edges whose box meets b, in order along the line,
// until visit says false; then near does too.
func (o *outline) near(b box, visit func(first, end int) bool) bool {
	return o.descend(len(o.levels)-1, 0, b, visit)
}

func (o *outline) descend(level, i int, b box, visit func(first, end int) bool) bool {
	if !o.levels[level][i].meets(b) {
		return true
	}
	if level == 0 {
		return visit(o.run(0, i))
	}
	for j := i * fan; j < min((i+1)*fan, len(o.levels[level-1])); j++ {
		if !o.descend(level-1, j, b, visit) {
			return false
		}
	}
	return true
}

// place is where a point lies relative to a closed line.
type place int

const (
	outside place = iota
	border
	inside
)

// locate counts by the even-odd rule the edges that a ray from p to the east crosses.
func (o *outline) locate(p vertex) place {
	if !o.bounds.contains(p) {
		return outside
	}
	odd, on := o.ray(len(o.levels)-1, 0, p)
	switch {
	case on:
		return border
	case odd:
		return inside
	}
	return outside
}

func (o *outline) ray(level, i int, p vertex) (odd, on bool) {
	b := o.levels[level][i]
	if p.y < b.minY || p.y > b.maxY || p.x > b.maxX {
		return false, false
	}
	first, end := o.run(level, i)
	if p.x < b.minX {
		// The whole run lies east of p: only its ends decide how often it is crossed.
		return (o.v[first].y > p.y) != (o.v[end].y > p.y), false
	}
	if level > 0 {
		for j := i * fan; j < min((i+1)*fan, len(o.levels[level-1])); j++ {
			more, hit := o.ray(level-1, j, p)
			if hit {
				return false, true
			}
			odd = odd != more
		}
		return odd, false
	}
	for e := first; e < end; e++ {
		a, c := o.v[e], o.v[e+1]
		if max(a.x, c.x) < p.x {
			continue
		}
		if (a.y > p.y) != (c.y > p.y) {
			side := turn(a, c, p)
			if side == 0 {
				return false, true
			}
			odd = odd != ((side > 0) == (c.y > a.y))
		} else if (a.y == p.y || c.y == p.y) && turn(a, c, p) == 0 && between(a, c, p) {
			return false, true
		}
	}
	return odd, false
}
