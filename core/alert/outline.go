package alert

import (
	"cmp"
	"container/heap"
	"math"
	"slices"

	"tocsin/core/geo"
)

// turn is twice the area of a triangle, positive where a, b, c turn left.
func turn(a, b, c geo.Point) float64 {
	return float64(b.Lon-a.Lon)*float64(c.Lat-a.Lat) - float64(b.Lat-a.Lat)*float64(c.Lon-a.Lon)
}

// area is twice the area of an open ring, positive where it runs anticlockwise.
func area(pts []geo.Point) float64 {
	sum := 0.0
	for i := 2; i < len(pts); i++ {
		sum += turn(pts[0], pts[i-1], pts[i])
	}
	return sum
}

// bay is a corner where an anticlockwise outline turns inwards, with the ground that is
// added by cutting it off.
type bay struct {
	at     int
	ground float64
}

type bays []bay

func (h bays) Len() int { return len(h) }
func (h bays) Less(i, j int) bool {
	if h[i].ground != h[j].ground {
		return h[i].ground < h[j].ground
	}
	return h[i].at < h[j].at
}
func (h bays) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *bays) Push(x any)   { *h = append(*h, x.(bay)) }
func (h *bays) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// fillBays drops inward corners of an anticlockwise open ring, least ground first, until
// at most most are left or none is inward. A corner stays where another point of the
// outline lies in the triangle that is cut off: cutting there would make it cross itself.
func fillBays(pts []geo.Point, most int) []geo.Point {
	n := len(pts)
	next, prev, gone := make([]int, n), make([]int, n), make([]bool, n)
	for i := range pts {
		next[i], prev[i] = (i+1)%n, (i+n-1)%n
	}
	var todo bays
	look := func(i int) {
		if g := -turn(pts[prev[i]], pts[i], pts[next[i]]); g >= 0 {
			heap.Push(&todo, bay{i, g})
		}
	}
	for i := range pts {
		look(i)
	}
	left := n
	for left > most && left > 3 && len(todo) > 0 {
		b := heap.Pop(&todo).(bay)
		i := b.at
		if gone[i] || -turn(pts[prev[i]], pts[i], pts[next[i]]) != b.ground || crowded(pts, next, prev[i], i, next[i]) {
			continue
		}
		gone[i] = true
		left--
		next[prev[i]], prev[next[i]] = next[i], prev[i]
		look(prev[i])
		look(next[i])
	}
	out := make([]geo.Point, 0, left)
	for i, p := range pts {
		if !gone[i] {
			out = append(out, p)
		}
	}
	return out
}

// crowded reports whether a point of the outline lies in the triangle a, b, c, which turns
// right, or on its border.
func crowded(pts []geo.Point, next []int, a, b, c int) bool {
	for i := next[c]; i != a; i = next[i] {
		p := pts[i]
		if turn(pts[a], pts[b], p) <= 0 && turn(pts[b], pts[c], p) <= 0 && turn(pts[c], pts[a], p) <= 0 {
			return true
		}
	}
	return false
}

// hull is the convex hull, anticlockwise and open (Andrew's monotone chain).
func hull(pts []geo.Point) []geo.Point {
	s := slices.Clone(pts)
	slices.SortFunc(s, func(a, b geo.Point) int { return cmp.Or(cmp.Compare(a.Lon, b.Lon), cmp.Compare(a.Lat, b.Lat)) })
	s = slices.Compact(s)
	if len(s) < 3 {
		return s
	}
	half := func(out []geo.Point, base int, p geo.Point) []geo.Point {
		for len(out) >= base+2 && turn(out[len(out)-2], out[len(out)-1], p) <= 0 {
			out = out[:len(out)-1]
		}
		return append(out, p)
	}
	var out []geo.Point
	for _, p := range s {
		out = half(out, 0, p)
	}
	base := len(out) - 1
	for i := len(s) - 2; i >= 0; i-- {
		out = half(out, base, s[i])
	}
	return out[:len(out)-1]
}

// tangents is a polygon of at most n corners that holds a convex one: where its tangents
// in n directions meet. Corners keep to the globe's range.
func tangents(pts []geo.Point, n int) []geo.Point {
	reach := make([]float64, n)
	for k := range reach {
		x, y := math.Cos(2*math.Pi*float64(k)/float64(n)), math.Sin(2*math.Pi*float64(k)/float64(n))
		reach[k] = math.Inf(-1)
		for _, p := range pts {
			reach[k] = max(reach[k], x*float64(p.Lon)+y*float64(p.Lat))
		}
	}
	out := make([]geo.Point, 0, n)
	step := 2 * math.Pi / float64(n)
	for k := range reach {
		// The lines with normals at k and k+1 steps meet here.
		a, b := step*float64(k), step*float64(k+1)
		ra, rb := reach[k], reach[(k+1)%n]
		det := math.Sin(b - a)
		lon := (ra*math.Sin(b) - rb*math.Sin(a)) / det
		lat := (rb*math.Cos(a) - ra*math.Cos(b)) / det
		out = append(out, geo.Point{Lat: geo.Degrees(min(max(lat, -90), 90)), Lon: geo.Degrees(min(max(lon, -180), 180))})
	}
	return slices.Compact(out)
}
