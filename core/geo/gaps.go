package geo

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidwall/rtree"
)

// gapsBudget bounds the work of Gaps as overlayBudget does that of two shapes.
const gapsBudget = 20 * overlayBudget

// Gap is a place that shapes enclose and none of them covers.
type Gap struct {
	At   Point // on its border
	Area SquareMetres
}

// Gaps lists what the shapes together enclose and do not cover, in order of falling area.
// What is open to the outside is no gap; neither is one under a square millimetre. It says
// false where so many edges lie over each other that some gaps were not looked for.
func Gaps(shapes []*Shape) ([]Gap, bool) {
	t := tracer{from: map[vertex][]int{}, seen: map[[2]vertex]bool{}}
	near, whole := Neighbours(shapes)
	budget := gapsBudget
	for i, s := range shapes {
		own := s.lay(s.bounds)
		var others layer
		for _, j := range near[i] {
			l := shapes[j].lay(s.bounds)
			others.parts = append(others.parts, l.parts...)
			others.lines = append(others.lines, l.lines...)
		}
		whole = walk(&own, &others, s.bounds, &budget, func(p *probe, in [2]bool) bool {
			left := in[0] || own.beside(p, true)
			right := in[1] || own.beside(p, false)
			switch {
			case left && !right:
				t.add(p.from, p.to)
			case right && !left:
				t.add(p.to, p.from)
			}
			return true
		}) && whole
	}
	return t.gaps(), whole
}

// maxNeighbours bounds the pairs of shapes whose bounds meet; on a map each shape has some
// ten neighbours.
const maxNeighbours = 2_000_000

// Neighbours lists for each shape the others whose bounds meet its own, in ascending order;
// false where there are too many to list.
func Neighbours(shapes []*Shape) ([][]int, bool) {
	var tree rtree.RTreeG[int]
	near := make([][]int, len(shapes))
	pairs, whole := 0, true
	for i, s := range shapes {
		if s.Empty() {
			continue
		}
		for _, by := range turns {
			b := s.bounds.shift(by)
			tree.Search([2]float64{b.minX, b.minY}, [2]float64{b.maxX, b.maxY}, func(_, _ [2]float64, j int) bool {
				if pairs++; pairs > maxNeighbours {
					whole = false
					return false
				}
				near[i] = append(near[i], j)
				near[j] = append(near[j], i)
				return true
			})
		}
		tree.Insert([2]float64{s.bounds.minX, s.bounds.minY}, [2]float64{s.bounds.maxX, s.bounds.maxY}, i)
	}
	for i := range near {
		slices.Sort(near[i])
		near[i] = slices.Compact(near[i]) // a shape may be met at two turns
	}
	return near, whole
}

// tracer follows the border of what is covered, which lies left of each stretch.
type tracer struct {
	stretches [][2]vertex
	from      map[vertex][]int
	seen      map[[2]vertex]bool
}

func (t *tracer) add(from, to vertex) {
	key := [2]vertex{from, to}
	if from == to || t.seen[key] {
		return
	}
	t.seen[key] = true
	t.from[from] = append(t.from[from], len(t.stretches))
	t.stretches = append(t.stretches, key)
}

// gaps walks each border with the uncovered side at its right hand; one that runs
// clockwise encloses it. A walk that does not close (two crossings rounded apart) is left.
func (t *tracer) gaps() []Gap {
	used := make([]bool, len(t.stretches))
	var out []Gap
	for first := range t.stretches {
		var line []vertex
		for at := first; at >= 0 && !used[at]; at = t.next(at, used) {
			used[at] = true
			line = append(line, t.stretches[at][0])
		}
		if len(line) < 3 {
			continue
		}
		o := outline{v: append(line, line[0])}
		if area := o.area(); area < -1e-6 {
			out = append(out, Gap{At: line[0].point(), Area: SquareMetres(-area)})
		}
	}
	slices.SortStableFunc(out, func(a, b Gap) int { return cmp.Compare(b.Area, a.Area) })
	return out
}

// next is the stretch that goes on along the same uncovered place: the first one
// counterclockwise from the way back. -1 where there is none.
func (t *tracer) next(at int, used []bool) int {
	s := t.stretches[at]
	back := math.Atan2(s[0].y-s[1].y, s[0].x-s[1].x)
	best, least := -1, math.Inf(1)
	for _, i := range t.from[s[1]] {
		if used[i] {
			continue
		}
		n := t.stretches[i]
		turned := math.Mod(math.Atan2(n[1].y-n[0].y, n[1].x-n[0].x)-back+4*math.Pi, 2*math.Pi)
		if turned < least {
			best, least = i, turned
		}
	}
	return best
}
