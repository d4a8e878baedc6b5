package build

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tidwall/rtree"
)

// spot is a place on the plane on which a country is divided: x is longitude times the
// cosine of a middle latitude, y latitude, both in degrees, so that distances near that
// latitude compare as they do on the ground.
type spot struct{ x, y float64 }

func (a spot) sub(b spot) spot           { return spot{a.x - b.x, a.y - b.y} }
func (a spot) dot(b spot) float64        { return a.x*b.x + a.y*b.y }
func (a spot) cross(b spot) float64      { return a.x*b.y - a.y*b.x }
func (a spot) square(b spot) float64     { d := a.sub(b); return d.dot(d) }
func (a spot) to(b spot, t float64) spot { return spot{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)} }

// wall is a straight piece of border between two cells, with the site whose cell is left
// and right of it; outside is where there is none.
type wall struct {
	from, to    spot
	left, right int
}

// outside is the cell beyond the division's limit.
const outside = -1

// corner is a vertex of a cell while it is cut: after it the cell's border is shared with
// neighbour next, before it with last. Neighbours from -1 down are the sides of the frame.
type corner struct {
	at         spot
	last, next int
}

// welding is how far apart two computations of one corner may come to lie: under a
// hundredth of a millimetre.
const welding = 1e-10

// voronoi divides the frame among sites: each place belongs to the nearest one. It returns
// the walls between cells (the frame itself is none). Sites must be at least welding apart
// and inside the frame.
func voronoi(sites []spot, low, high spot) ([]wall, error) {
	var tree rtree.RTreeG[int]
	for i, s := range sites {
		tree.Insert([2]float64{s.x, s.y}, [2]float64{s.x, s.y}, i)
	}
	v := division{sites: sites, low: low, high: high}
	for i := range sites {
		if err := v.cell(i, &tree); err != nil {
			return nil, err
		}
	}
	v.weld()
	return v.walls, nil
}

type division struct {
	sites     []spot
	low, high spot
	walls     []wall
}

// cell cuts the cell of one site out of the frame, by its neighbours from near to far,
// until none can reach it.
func (v *division) cell(i int, tree *rtree.RTreeG[int]) error {
	s := v.sites[i]
	frame := []corner{
		{v.low, -4, -1}, {spot{v.high.x, v.low.y}, -1, -2}, {v.high, -2, -3}, {spot{v.low.x, v.high.y}, -3, -4},
	}
	cell := frame
	var failed error
	at := [2]float64{s.x, s.y}
	tree.Nearby(rtree.BoxDist[float64, int](at, at, nil), func(_, _ [2]float64, j int, squared float64) bool {
		if j == i {
			return true
		}
		if squared < welding*welding {
			failed = fmt.Errorf("build: sites %d and %d are one place", i, j)
			return false
		}
		reach := 0.0
		for _, c := range cell {
			reach = max(reach, s.square(c.at))
		}
		if squared > 4*reach {
			return false
		}
		cell = v.clip(cell, i, j)
		return len(cell) > 0
	})
	if failed != nil {
		return failed
	}
	for k, c := range cell {
		d := cell[(k+1)%len(cell)]
		// Each wall is taken from the lower of its two cells; a cell runs counterclockwise.
		if c.next > i && c.at != d.at {
			v.walls = append(v.walls, wall{from: c.at, to: d.at, left: i, right: c.next})
		}
	}
	return nil
}

// clip keeps what of a convex cell of site i is nearer to i than to j.
func (v *division) clip(cell []corner, i, j int) []corner {
	a, b := v.sites[i], v.sites[j]
	away := func(p spot) float64 { return p.square(a) - p.square(b) } // > 0: nearer to b
	var out []corner
	for k, c := range cell {
		d := cell[(k+1)%len(cell)]
		dc, dd := away(c.at), away(d.at)
		if dc <= 0 {
			out = append(out, c)
		}
		switch {
		case dc <= 0 && dd > 0:
			out = append(out, corner{v.meeting(i, c.next, j, c.at, d.at, dc, dd), c.next, j})
		case dc > 0 && dd <= 0:
			out = append(out, corner{v.meeting(i, c.next, j, c.at, d.at, dc, dd), j, c.next})
		}
	}
	return out
}

// meeting is where the wall of i to k is cut by j. Between three sites it is computed from
// them alone, in one order, so that all three cells have the same corner.
func (v *division) meeting(i, k, j int, c, d spot, dc, dd float64) spot {
	if k < 0 {
		return c.to(d, dc/(dc-dd))
	}
	t := []int{i, j, k}
	slices.Sort(t)
	a, b, e := v.sites[t[0]], v.sites[t[1]].sub(v.sites[t[0]]), v.sites[t[2]].sub(v.sites[t[0]])
	den := 2 * b.cross(e)
	if math.Abs(den) < 1e-18 {
		return c.to(d, dc/(dc-dd))
	}
	bb, ee := b.dot(b), e.dot(e)
	return spot{a.x + (e.y*bb-b.y*ee)/den, a.y + (b.x*ee-e.x*bb)/den}
}

// weld makes corners that are one place one place: where four sites lie on a circle, each
// cell may have found it from another three.
func (v *division) weld() {
	type end struct {
		wall int
		to   bool
		at   spot
	}
	ends := make([]end, 0, 2*len(v.walls))
	for i, w := range v.walls {
		ends = append(ends, end{i, false, w.from}, end{i, true, w.to})
	}
	slices.SortFunc(ends, func(a, b end) int {
		return cmp.Or(cmp.Compare(a.at.x, b.at.x), cmp.Compare(a.at.y, b.at.y), cmp.Compare(a.wall, b.wall))
	})
	for k := range ends {
		for b := k - 1; b >= 0 && ends[k].at.x-ends[b].at.x <= welding; b-- {
			if math.Abs(ends[k].at.y-ends[b].at.y) <= welding {
				ends[k].at = ends[b].at
				break
			}
		}
		if e := ends[k]; e.to {
			v.walls[e.wall].to = e.at
		} else {
			v.walls[e.wall].from = e.at
		}
	}
	v.walls = slices.DeleteFunc(v.walls, func(w wall) bool { return w.from == w.to })
}
