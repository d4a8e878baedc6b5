package track

import (
	"cmp"
	"math"
	"slices"
)

// grid finds the objects whose reach may hold a place. Each object stands in the few
// cells its reach touches, at the level where cells are about as large as the reach.
type grid struct {
	cells [gridLevels]map[uint64][]resident
	marks uint64
}

type cell [3]int32

// key packs a cell; the earth is far smaller than 2 to the 21 cells.
func (c cell) key() uint64 {
	const mask = 1<<21 - 1
	return uint64(c[0])&mask | uint64(c[1])&mask<<21 | uint64(c[2])&mask<<42
}

// resident is an object in a cell, with the circle it may be in beside it: most objects of
// a cell are passed over without being touched.
type resident struct {
	object *object
	circle
}

type circle struct{ x, y, z, radius float32 }

func (c circle) of(o *object) resident { return resident{o, c} }

// meets reports whether the circle reaches into a ball.
func (e *circle) meets(x, y, z, radius float32) bool {
	x, y, z, radius = x-e.x, y-e.y, z-e.z, radius+e.radius
	return x*x+y*y+z*z <= radius*radius
}

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
	circle circle
}

func newGrid() *grid {
	g := &grid{}
	for i := range g.cells {
		g.cells[i] = map[uint64][]resident{}
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
	round := circle{float32(centre[0]), float32(centre[1]), float32(centre[2]), float32(radius) + 2} // 2 m: what float32 leaves off
	e := round.of(o)
	m := g.cells[level]
	if f := &o.foot; f.in && f.level == level && f.lo == lo && f.hi == hi {
		each(lo, hi, func(c cell) {
			in := m[c.key()]
			in[find(in, o)] = e
		})
		f.circle = round
		return
	}
	g.remove(o)
	o.foot = footprint{level: level, lo: lo, hi: hi, in: true, circle: round}
	each(lo, hi, func(c cell) { m[c.key()] = append(m[c.key()], e) })
}

// put enters an object, which is in no cell, where its twin of another grid stands.
func (g *grid) put(o *object, f footprint) {
	o.foot = f
	each(f.lo, f.hi, func(c cell) { g.cells[f.level][c.key()] = append(g.cells[f.level][c.key()], f.circle.of(o)) })
}

func find(in []resident, o *object) int {
	return slices.IndexFunc(in, func(e resident) bool { return e.object == o })
}

func (g *grid) remove(o *object) {
	if !o.foot.in {
		return
	}
	m := g.cells[o.foot.level]
	each(o.foot.lo, o.foot.hi, func(c cell) {
		in := m[c.key()]
		i := find(in, o)
		in[i] = in[len(in)-1]
		in[len(in)-1] = resident{}
		in = in[:len(in)-1]
		if len(in) == 0 {
			delete(m, c.key())
			return
		}
		m[c.key()] = in
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

// near appends the objects that may reach into a ball, each once, oldest first.
func (g *grid) near(centre vec3, radius float64, out []*object) []*object {
	g.marks++
	px, py, pz, pr := float32(centre[0]), float32(centre[1]), float32(centre[2]), float32(radius)
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
					in := m[cell{x, y, z}.key()]
					for i := range in {
						e := &in[i]
						if e.meets(px, py, pz, pr) && e.object.mark != g.marks {
							e.object.mark = g.marks
							out = append(out, e.object)
						}
					}
				}
			}
		}
	}
	if len(out) > 1 {
		slices.SortFunc(out, func(a, b *object) int { return cmp.Compare(a.born, b.born) })
	}
	return out
}
