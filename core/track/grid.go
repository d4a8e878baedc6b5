package track

import (
	"cmp"
	"math"
	"slices"
)

// grid finds the objects whose reach may hold a place. Each object stands in the few
// cells its reach touches, at the level where cells are about as large as the reach. Cells
// share buckets by a hash: what stands in another cell of the same bucket is told apart
// by its circle.
type grid struct {
	levels [gridLevels]*[buckets][]resident // nil until something stands there
	count  [gridLevels]int                  // objects at each level
	marks  uint64
}

const (
	bucketBits = 13
	buckets    = 1 << bucketBits
)

type cell [3]int32

// bucket is where the residents of a cell are.
func (c cell) bucket() uint64 {
	h := uint64(uint32(c[0]))*0x9E3779B97F4A7C15 ^ uint64(uint32(c[1]))*0xC2B2AE3D27D4EB4F ^ uint64(uint32(c[2]))*0x165667B19E3779F9
	return (h ^ h>>29) * 0x9E3779B97F4A7C15 >> (64 - bucketBits)
}

// resident is an object in a cell, with the circle it may be in beside it: most objects of
// a cell are passed over without being touched.
type resident struct {
	object *object
	circle
}

type circle struct{ x, y, z, radius float32 }

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
	level   int
	lo, hi  cell
	in      bool
	n       int
	buckets [mostCells]uint16 // those of its cells, each once
	circle  circle
}

// mostCells is how many cells a reach, which is no larger than a cell, can touch.
const mostCells = 27

// touch lists the buckets of the cells from lo to hi: two cells may share one.
func (f *footprint) touch() {
	f.n = 0
	for x := f.lo[0]; x <= f.hi[0]; x++ {
		for y := f.lo[1]; y <= f.hi[1]; y++ {
			for z := f.lo[2]; z <= f.hi[2]; z++ {
				b := uint16(cell{x, y, z}.bucket())
				if f.n < mostCells && !slices.Contains(f.buckets[:f.n], b) {
					f.buckets[f.n] = b
					f.n++
				}
			}
		}
	}
}

func newGrid() *grid { return &grid{} }

// empty takes everything out, and keeps the room.
func (g *grid) empty() *grid {
	for level, m := range g.levels {
		if g.count[level] == 0 {
			continue
		}
		g.count[level] = 0
		for i, in := range m {
			clear(in)
			m[i] = in[:0]
		}
	}
	return g
}

func sizeAt(level int) float64 { return cellSize * float64(int(1)<<(2*level)) }

func cellOf(p vec3, size float64) cell {
	return cell{int32(math.Floor(p[0] / size)), int32(math.Floor(p[1] / size)), int32(math.Floor(p[2] / size))}
}

// place puts an object where its reach is: centre on the sphere, radius in metres. Without
// a grid the object only knows where it would stand.
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
	f := &o.foot
	if moved := !f.in || f.level != level || f.lo != lo || f.hi != hi; moved {
		g.remove(o)
		f.level, f.lo, f.hi, f.in = level, lo, hi, true
		f.touch()
		f.circle = round
		g.put(o)
		return
	}
	f.circle = round
	if g == nil {
		return
	}
	m := g.levels[level]
	for _, b := range f.buckets[:f.n] {
		m[b][find(m[b], o)].circle = round
	}
}

// put enters an object, which is in no cell, where its footprint says.
func (g *grid) put(o *object) {
	if g == nil {
		return
	}
	f := &o.foot
	if g.levels[f.level] == nil {
		g.levels[f.level] = new([buckets][]resident)
	}
	m := g.levels[f.level]
	g.count[f.level]++
	for _, b := range f.buckets[:f.n] {
		m[b] = append(m[b], resident{o, f.circle})
	}
}

func find(in []resident, o *object) int {
	for i := range in {
		if in[i].object == o {
			return i
		}
	}
	return -1
}

func (g *grid) remove(o *object) {
	f := &o.foot
	if !f.in {
		return
	}
	f.in = false
	if g == nil {
		return
	}
	m := g.levels[f.level]
	g.count[f.level]--
	for _, b := range f.buckets[:f.n] {
		in := m[b]
		i := find(in, o)
		in[i] = in[len(in)-1]
		in[len(in)-1] = resident{}
		m[b] = in[:len(in)-1]
	}
}

// covers reports whether a circle around a centre on the sphere lies within the footprint.
func (f *footprint) covers(centre vec3, radius float64) bool {
	d := vec3{centre[0] - float64(f.circle.x), centre[1] - float64(f.circle.y), centre[2] - float64(f.circle.z)}
	slack := float64(f.circle.radius) - radius - 2
	return f.in && slack >= 0 && dot(d, d) <= slack*slack
}

// near appends the objects that may reach into a ball, each once, oldest first.
func (g *grid) near(centre vec3, radius float64, out []*object) []*object {
	g.marks++
	px, py, pz, pr := float32(centre[0]), float32(centre[1]), float32(centre[2]), float32(radius)
	for level, m := range g.levels {
		if g.count[level] == 0 {
			continue
		}
		size := sizeAt(level)
		lo := cellOf(vec3{centre[0] - radius, centre[1] - radius, centre[2] - radius}, size)
		hi := cellOf(vec3{centre[0] + radius, centre[1] + radius, centre[2] + radius}, size)
		for x := lo[0]; x <= hi[0]; x++ {
			for y := lo[1]; y <= hi[1]; y++ {
				for z := lo[2]; z <= hi[2]; z++ {
					in := m[cell{x, y, z}.bucket()]
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
