package cap12

import (
	"cmp"
	"math"
	"slices"
)

// maxPairs bounds the pairs of edges that are looked at for crossings in one document: a
// nationwide alert needs a few million, a hostile one would need the square of its length.
const maxPairs = 20_000_000

// shape remarks on a closed polygon that encloses nothing or crosses itself. Nothing is said
// of one with an edge of more than half a turn, which is meant over the antimeridian or along
// a pole, where the plane is no judge; nor of one that only touches itself, as polygons with
// holes do here.
func (c *checker) shape(n *node, p Polygon) {
	for i := 1; i < len(p); i++ {
		if math.Abs(p[i].Lon-p[i-1].Lon) > 180 {
			return
		}
	}
	if p.flat() {
		c.odd(OddPolygonFlat, n, n.text, "the polygon encloses nothing: its points lie on one line")
		return
	}
	crosses, used := p.crosses(maxPairs - c.pairs)
	c.pairs += used
	switch {
	case crosses:
		c.odd(OddPolygonCrossed, n, n.text, "the polygon crosses itself; what is inside is not defined")
	case c.pairs >= maxPairs && !c.unlooked:
		c.unlooked = true
		c.odd(OddPolygonUnlooked, n, "", "the document has too many edges: from here on polygons were not looked at for crossings")
	}
}

// flat reports whether all points lie on one line, or are one.
func (p Polygon) flat() bool {
	far := p[0]
	for _, q := range p {
		if distance(p[0], q) > distance(p[0], far) {
			far = q
		}
	}
	for _, q := range p {
		if side(p[0], far, q) != 0 {
			return false
		}
	}
	return true
}

func distance(a, b Point) float64 { return math.Abs(a.Lat-b.Lat) + math.Abs(a.Lon-b.Lon) }

// side is 1 where q is left of the line from a to b, -1 where right, 0 on it as far as
// degrees in float64 can tell.
func side(a, b, q Point) int {
	const ulp = 1e-13 // degrees, over the rounding of a coordinate up to 180
	area := (b.Lon-a.Lon)*(q.Lat-a.Lat) - (b.Lat-a.Lat)*(q.Lon-a.Lon)
	if math.Abs(area) <= ulp*(distance(a, b)+distance(a, q)) {
		return 0
	}
	return cmp.Compare(area, 0)
}

type edge struct {
	a, b       Point
	west, east float64
}

// crosses reports whether two edges cross within both, and how many pairs it looked at, at
// most as many as given: edges from west to east, each with those that begin before its end.
func (p Polygon) crosses(most int) (crosses bool, pairs int) {
	edges := make([]edge, 0, len(p))
	for i := 1; i < len(p); i++ {
		if a, b := p[i-1], p[i]; a != b {
			edges = append(edges, edge{a, b, min(a.Lon, b.Lon), max(a.Lon, b.Lon)})
		}
	}
	slices.SortFunc(edges, func(e, f edge) int { return cmp.Compare(e.west, f.west) })
	for i, e := range edges {
		for _, f := range edges[i+1:] {
			if f.west > e.east || pairs >= most {
				break
			}
			pairs++
			if max(e.a.Lat, e.b.Lat) < min(f.a.Lat, f.b.Lat) || max(f.a.Lat, f.b.Lat) < min(e.a.Lat, e.b.Lat) {
				continue
			}
			if side(e.a, e.b, f.a)*side(e.a, e.b, f.b) < 0 && side(f.a, f.b, e.a)*side(f.a, f.b, e.b) < 0 {
				return true, pairs
			}
		}
	}
	return false, pairs
}
