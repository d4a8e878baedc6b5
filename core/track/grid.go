package track

import (
	"cmp"
	"math"
	"slices"
)

// grid finds the objects whose reach may hold a place. Each object stands in the few
// cells its reach touches, at the level where cells are about as large as the reach.
type grid struct {
	cells [gridLevels]map[cell][]*object
	marks uint64
}

type cell [3]int32

const (
	gridLevels = 5
	cellSize   = 6e3          // metres, at level 0; each level is four times the one before
	widest     = 4 * cellSize // a search wider than this looks at every object
)

// footprint is where an object stands in the grid.
type footprint struct {
	level  int
	lo, hi cell
	in     bool
	centre vec3
	radius float64
}

func newGrid() *grid {
	g := &grid{}
	for i := range g.cells {
		g.cells[i] = map[cell][]*object{}
	}
	return g
}

func sizeAt(level int) float64 { return cellSize * float64(int(1)<<(2*level)) }

func cellOf(p vec3, size float64) cell {
	return cell{int32(math.Floor(p[0] / size)), int32(math.Floor(p[1] / size)), int32(math.Floor(p[2] / size))}
}

// place puts an object where its reach is: centre on the sphere, radius in metres.
func (g *grid) place(o *object, centre vec3, radius float64) {
	level := 0
	for level < gridLevels-1 && sizeAt(level) < radius {
		level++
	}
	size := sizeAt(level)
	radius = math.Min(radius, size)
	lo := cellOf(vec3{centre[0] - radius, centre[1] - radius, centre[2] - radius}, size)
	hi := cellOf(vec3{centre[0] + radius, centre[1] + radius, centre[2] + radius}, size)
	if f := &o.foot; f.in && f.level == level && f.lo == lo && f.hi == hi {
		f.centre, f.radius = centre, radius
		return
	}
	g.remove(o)
	o.foot = footprint{level: level, lo: lo, hi: hi, in: true, centre: centre, radius: radius}
	each(lo, hi, func(c cell) { g.cells[level][c] = append(g.cells[level][c], o) })
}

func (g *grid) remove(o *object) {
	if !o.foot.in {
		return
	}
	m := g.cells[o.foot.level]
	each(o.foot.lo, o.foot.hi, func(c cell) {
		in := m[c]
		for i, other := range in {
			if other == o {
				in[i] = in[len(in)-1]
				in[len(in)-1] = nil
				in = in[:len(in)-1]
				break
			}
		}
		if len(in) == 0 {
			delete(m, c)
			return
		}
		m[c] = in
	})
	o.foot = footprint{}
}

func each(lo, hi cell, f func(cell)) {
	for x := lo[0]; x <= hi[0]; x++ {
		for y := lo[1]; y <= hi[1]; y++ {
			for z := lo[2]; z <= hi[2]; z++ {
				f(cell{x, y, z})
			}
		}
	}
}

func (f *footprint) meets(centre vec3, radius float64) bool {
	x, y, z := f.centre[0]-centre[0], f.centre[1]-centre[1], f.centre[2]-centre[2]
	reach := f.radius + radius
	return x*x+y*y+z*z <= reach*reach
}

// near appends the objects that may reach into a ball, each once, oldest first.
func (g *grid) near(centre vec3, radius float64, out []*object) []*object {
	g.marks++
	for level, m := range g.cells {
		if len(m) == 0 {
			continue
		}
		size := sizeAt(level)
		lo := cellOf(vec3{centre[0] - radius, centre[1] - radius, centre[2] - radius}, size)
		hi := cellOf(vec3{centre[0] + radius, centre[1] + radius, centre[2] + radius}, size)
		for x := lo[0]; x <= hi[0]; x++ {
			for y := lo[1]; y <= hi[1]; y++ {
				for z := lo[2]; z <= hi[2]; z++ {
					for _, o := range m[cell{x, y, z}] {
						if o.mark == g.marks {
							continue
						}
						o.mark = g.marks
						if o.foot.meets(centre, radius) {
							out = append(out, o)
						}
					}
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b *object) int { return cmp.Compare(a.born, b.born) })
	return out
}
