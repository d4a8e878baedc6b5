package build

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tocsin/core/geo"
)

// shapes draws the borders of groups of cells: group says which one a cell belongs to (a
// number from 0 to n-1), or outside.
func shapes(pieces []piece, n int, group func(cell int) int) ([]geo.MultiPolygon, error) {
	of := func(cell int) int {
		if cell == outside {
			return outside
		}
		return group(cell)
	}
	borders := make([][][2]node, n)
	for _, p := range pieces {
		left, right := of(p.left), of(p.right)
		if left == right {
			continue
		}
		if left != outside {
			borders[left] = append(borders[left], [2]node{p.from, p.to})
		}
		if right != outside {
			borders[right] = append(borders[right], [2]node{p.to, p.from})
		}
	}
	out := make([]geo.MultiPolygon, n)
	for i, b := range borders {
		m, err := enclose(b)
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}

// enclose makes polygons of directed stretches of border whose inside lies left of them.
func enclose(stretches [][2]node) (geo.MultiPolygon, error) {
	from := map[node][]int{}
	for i, s := range stretches {
		from[s[0]] = append(from[s[0]], i)
	}
	used := make([]bool, len(stretches))
	var loops [][]node
	for first := range stretches {
		var line []node
		at := first
		for !used[at] {
			used[at] = true
			line = append(line, stretches[at][0])
			next := turnLeft(stretches, from[stretches[at][1]], at, used)
			if next < 0 {
				break
			}
			at = next
		}
		if len(line) == 0 {
			continue
		}
		if stretches[at][1] != line[0] {
			return nil, fmt.Errorf("build: a border does not close at %v", stretches[at][1].point())
		}
		loops = append(loops, simple(line)...)
	}
	return nest(loops), nil
}

// turnLeft is the stretch that goes on around the same inside: the first one clockwise
// from the way back. -1 where the border closes.
func turnLeft(stretches [][2]node, next []int, at int, used []bool) int {
	s := stretches[at]
	back := math.Atan2(float64(s[0].y-s[1].y), float64(s[0].x-s[1].x))
	best, least := -1, math.Inf(1)
	for _, i := range next {
		if used[i] {
			continue
		}
		n := stretches[i]
		turned := math.Mod(back-math.Atan2(float64(n[1].y-n[0].y), float64(n[1].x-n[0].x))+4*math.Pi, 2*math.Pi)
		if turned == 0 {
			turned = 2 * math.Pi
		}
		if turned < least {
			best, least = i, turned
		}
	}
	return best
}

// simple splits a line where it comes back to a place, so that no ring touches itself, and
// leaves out what encloses nothing.
func simple(line []node) [][]node {
	var out [][]node
	seen := map[node]int{}
	var open []node
	for _, n := range line {
		if k, again := seen[n]; again {
			loop := slices.Clone(open[k:])
			for _, m := range loop {
				delete(seen, m)
			}
			open = open[:k]
			out = append(out, loop)
		}
		seen[n] = len(open)
		open = append(open, n)
	}
	out = append(out, open)
	return slices.DeleteFunc(out, func(l []node) bool { return twiceArea(l) == 0 })
}

// twiceArea is positive for a loop that runs counterclockwise.
func twiceArea(l []node) int64 {
	var sum int64
	for k, a := range l {
		b := l[(k+1)%len(l)]
		// Relative to the first node the products stay far below 2^63.
		sum += (a.x-l[0].x)*(b.y-l[0].y) - (b.x-l[0].x)*(a.y-l[0].y)
	}
	return sum
}

// nest sorts loops into outer rings and the holes in them.
func nest(loops [][]node) geo.MultiPolygon {
	slices.SortStableFunc(loops, func(a, b []node) int { return cmp.Compare(twiceArea(b), twiceArea(a)) })
	var m geo.MultiPolygon
	var outers []*geo.Shape
	for _, l := range loops {
		ring := make(geo.Ring, 0, len(l)+1)
		for _, n := range l {
			ring = append(ring, n.point())
		}
		ring = append(ring, ring[0])
		if twiceArea(l) > 0 {
			m = append(m, geo.Polygon{Outer: ring})
			outers = append(outers, geo.NewShape(geo.MultiPolygon{{Outer: ring}}))
			continue
		}
		hole := geo.NewShape(geo.MultiPolygon{{Outer: ring}})
		// The smallest outer ring around it: they are in order of falling area.
		for k := len(outers) - 1; k >= 0; k-- {
			if hole.Within(outers[k]) {
				m[k].Holes = append(m[k].Holes, ring)
				break
			}
		}
	}
	return m
}
