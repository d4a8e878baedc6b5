package build

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tidwall/rtree"

	"tocsin/core/geo"
)

// The pieces of a map are kept as walls between numbered cells on a grid of 1e-5 degrees,
// about a metre. Every shape at every level is made of the same pieces, so neighbours have
// their border in common, point by point, and nothing lies between or under two of them.

// node is a place on that grid: longitude and latitude times nodesPerDegree.
type node struct{ x, y int64 }

const nodesPerDegree = 1e5

func (n node) point() geo.Point {
	return geo.Point{Lon: geo.Degrees(float64(n.x) / nodesPerDegree), Lat: geo.Degrees(float64(n.y) / nodesPerDegree)}
}

// piece is a wall on the grid.
type piece struct {
	from, to    node
	left, right int
}

// plane turns places into spots and back.
type plane struct{ cos float64 }

func (p plane) spot(at geo.Point) spot { return spot{float64(at.Lon) * p.cos, float64(at.Lat)} }

func (p plane) node(s spot) node {
	return node{int64(math.Round(s.x / p.cos * nodesPerDegree)), int64(math.Round(s.y * nodesPerDegree))}
}

func (p plane) point(s spot) geo.Point {
	return geo.Point{Lon: geo.Degrees(s.x / p.cos), Lat: geo.Degrees(s.y)}
}

// divide gives every place inside the outline to the nearest site, and returns the walls
// between the cells and to the outside.
func divide(sites []spot, outline geo.MultiPolygon, on plane) ([]piece, error) {
	bounds := outline.Bounds()
	const margin = 1 // degrees: the frame must hold every site
	low := on.spot(geo.Point{Lat: bounds.South - margin, Lon: bounds.West - margin})
	high := on.spot(geo.Point{Lat: bounds.North + margin, Lon: bounds.East + margin})
	walls, err := voronoi(sites, low, high)
	if err != nil {
		return nil, err
	}
	d := cutter{on: on, inside: geo.NewShape(outline), sites: sites}
	for i, s := range sites {
		d.near.Insert([2]float64{s.x, s.y}, [2]float64{s.x, s.y}, i)
	}
	for _, p := range outline {
		for _, r := range append([]geo.Ring{p.Outer}, p.Holes...) {
			d.shore(r)
		}
	}
	var out []piece
	for _, w := range walls {
		out = d.wall(out, w)
	}
	for i := range d.shores {
		out = d.shoreline(out, &d.shores[i])
	}
	return sound(out)
}

// shore is one edge of the outline with the places where walls meet it.
type shore struct {
	from, to spot
	cuts     []cutPlace
}

type cutPlace struct {
	along float64
	at    spot
}

type cutter struct {
	on     plane
	inside *geo.Shape
	sites  []spot
	near   rtree.RTreeG[int]
	shores []shore
	tree   rtree.RTreeG[int]
}

func (d *cutter) shore(r geo.Ring) {
	for k := 1; k < len(r); k++ {
		a, b := d.on.spot(r[k-1]), d.on.spot(r[k])
		if a == b {
			continue
		}
		d.tree.Insert([2]float64{min(a.x, b.x), min(a.y, b.y)}, [2]float64{max(a.x, b.x), max(a.y, b.y)}, len(d.shores))
		d.shores = append(d.shores, shore{from: a, to: b})
	}
}

// wall adds the stretches of a wall that are inside the outline.
func (d *cutter) wall(out []piece, w wall) []piece {
	cuts := []cutPlace{{0, w.from}, {1, w.to}}
	low := [2]float64{min(w.from.x, w.to.x), min(w.from.y, w.to.y)}
	high := [2]float64{max(w.from.x, w.to.x), max(w.from.y, w.to.y)}
	d.tree.Search(low, high, func(_, _ [2]float64, i int) bool {
		s := &d.shores[i]
		t, u, ok := crossing(w.from, w.to, s.from, s.to)
		if ok {
			at := s.from.to(s.to, u)
			cuts = append(cuts, cutPlace{t, at})
			s.cuts = append(s.cuts, cutPlace{u, at})
		}
		return true
	})
	slices.SortStableFunc(cuts, byAlong)
	for k := 1; k < len(cuts); k++ {
		middle := w.from.to(w.to, (cuts[k-1].along+cuts[k].along)/2)
		if d.inside.Contains(d.on.point(middle)) {
			out = append(out, piece{d.on.node(cuts[k-1].at), d.on.node(cuts[k].at), w.left, w.right})
		}
	}
	return out
}

func byAlong(a, b cutPlace) int { return cmp.Compare(a.along, b.along) }

// crossing tells where two segments cross, as shares of their lengths.
func crossing(a, b, c, e spot) (t, u float64, ok bool) {
	den := b.sub(a).cross(e.sub(c))
	if den == 0 {
		return 0, 0, false
	}
	t = c.sub(a).cross(e.sub(c)) / den
	u = c.sub(a).cross(b.sub(a)) / den
	return t, u, t >= 0 && t <= 1 && u >= 0 && u <= 1
}

// shoreline adds the stretches of an outline's edge, each with the cell it bounds.
func (d *cutter) shoreline(out []piece, s *shore) []piece {
	cuts := append([]cutPlace{{0, s.from}, {1, s.to}}, s.cuts...)
	slices.SortStableFunc(cuts, byAlong)
	for k := 1; k < len(cuts); k++ {
		if cuts[k-1].along == cuts[k].along {
			continue
		}
		middle := s.from.to(s.to, (cuts[k-1].along+cuts[k].along)/2)
		p := piece{d.on.node(cuts[k-1].at), d.on.node(cuts[k].at), outside, outside}
		// A hair to either side tells which is the inside.
		hair := s.to.sub(s.from)
		length := math.Hypot(hair.x, hair.y)
		hair = spot{-hair.y / length * 1e-9, hair.x / length * 1e-9}
		left := d.inside.Contains(d.on.point(spot{middle.x + hair.x, middle.y + hair.y}))
		right := d.inside.Contains(d.on.point(spot{middle.x - hair.x, middle.y - hair.y}))
		if left == right {
			continue // an edge between two parts, or a spike
		}
		if cell := d.nearest(middle); left {
			p.left = cell
		} else {
			p.right = cell
		}
		out = append(out, p)
	}
	return out
}

func (d *cutter) nearest(s spot) int {
	best := outside
	at := [2]float64{s.x, s.y}
	d.near.Nearby(rtree.BoxDist[float64, int](at, at, nil), func(_, _ [2]float64, i int, _ float64) bool {
		best = i
		return false
	})
	return best
}

// sound drops pieces that rounding made nothing of, and looks whether every cell's border
// still closes: as many of its pieces must end as begin at each place.
func sound(pieces []piece) ([]piece, error) {
	pieces = slices.DeleteFunc(pieces, func(p piece) bool { return p.from == p.to || p.left == p.right })
	type key struct {
		at   node
		cell int
	}
	sum := map[key]int{}
	for _, p := range pieces {
		sum[key{p.from, p.left}]++
		sum[key{p.to, p.left}]--
		sum[key{p.to, p.right}]++
		sum[key{p.from, p.right}]--
	}
	for _, p := range pieces {
		for _, cell := range [...]int{p.left, p.right} {
			if sum[key{p.from, cell}] != 0 {
				return nil, fmt.Errorf("build: the border of cell %d does not close at %v", cell, p.from.point())
			}
		}
	}
	return pieces, nil
}
