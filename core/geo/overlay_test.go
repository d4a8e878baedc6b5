package geo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The second algorithm: the plane is cut into slabs at every x where an edge begins, ends
// or meets another, each slab's middle line into stretches at every edge; one place of each
// stretch is looked up in both shapes by counting edges below it. All in exact fractions of
// small whole numbers. It has nothing in common with walking along edges.

type fraction struct{ n, d int64 } // d > 0

func frac(n, d int64) fraction {
	if d < 0 {
		n, d = -n, -d
	}
	g := gcd(max(n, -n), d)
	return fraction{n / g, d / g}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, 1)
}

func (a fraction) cmp(b fraction) int {
	switch l, r := a.n*b.d, b.n*a.d; {
	case l < r:
		return -1
	case l > r:
		return 1
	}
	return 0
}

func middle(a, b fraction) fraction { return frac(a.n*b.d+b.n*a.d, 2*a.d*b.d) }

type whole struct{ x, y int64 }

type wholeRing []whole // closed

type wholePolygon []wholeRing // the first is the outer one

type wholeShape []wholePolygon

func (s wholeShape) edges() (out [][2]whole) {
	for _, p := range s {
		for _, r := range p {
			for i := 1; i < len(r); i++ {
				if r[i] != r[i-1] {
					out = append(out, [2]whole{r[i-1], r[i]})
				}
			}
		}
	}
	return out
}

// yAt is where an edge that is not vertical meets x.
func yAt(e [2]whole, x fraction) fraction {
	a, b := e[0], e[1]
	// y = a.y + (x - a.x)(b.y - a.y)/(b.x - a.x)
	dx, dy := b.x-a.x, b.y-a.y
	return frac(a.y*x.d*dx+(x.n-a.x*x.d)*dy, x.d*dx)
}

func (r wholeRing) covers(x, y fraction) bool {
	odd := false
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		if (frac(a.x, 1).cmp(x) > 0) != (frac(b.x, 1).cmp(x) > 0) && yAt([2]whole{a, b}, x).cmp(y) < 0 {
			odd = !odd
		}
	}
	return odd
}

// covers is for places on no edge.
func (s wholeShape) covers(x, y fraction) bool {
	for _, p := range s {
		if !p[0].covers(x, y) {
			continue
		}
		if !slices.ContainsFunc(p[1:], func(h wholeRing) bool { return h.covers(x, y) }) {
			return true
		}
	}
	return false
}

// columns lists the x at which the edges begin, end or meet, ascending.
func columns(edges [][2]whole) []fraction {
	var xs []fraction
	for i, e := range edges {
		xs = append(xs, frac(e[0].x, 1), frac(e[1].x, 1))
		for _, f := range edges[:i] {
			d1x, d1y, d2x, d2y := e[1].x-e[0].x, e[1].y-e[0].y, f[1].x-f[0].x, f[1].y-f[0].y
			den := d1x*d2y - d1y*d2x
			if den == 0 {
				continue
			}
			t := (f[0].x-e[0].x)*d2y - (f[0].y-e[0].y)*d2x
			u := (f[0].x-e[0].x)*d1y - (f[0].y-e[0].y)*d1x
			if den < 0 {
				den, t, u = -den, -t, -u
			}
			if t >= 0 && t <= den && u >= 0 && u <= den {
				xs = append(xs, frac(e[0].x*den+t*d1x, den))
			}
		}
	}
	slices.SortFunc(xs, fraction.cmp)
	return slices.Compact(xs)
}

// faces calls visit with one place inside every face of the map of all edges.
func faces(edges [][2]whole, visit func(x, y fraction) bool) bool {
	xs := columns(edges)
	for i := 1; i < len(xs); i++ {
		x := middle(xs[i-1], xs[i])
		var ys []fraction
		for _, e := range edges {
			if (frac(e[0].x, 1).cmp(x) > 0) != (frac(e[1].x, 1).cmp(x) > 0) {
				ys = append(ys, yAt(e, x))
			}
		}
		slices.SortFunc(ys, fraction.cmp)
		ys = slices.Compact(ys)
		for k := 1; k < len(ys); k++ {
			if !visit(x, middle(ys[k-1], ys[k])) {
				return false
			}
		}
	}
	return true
}

// bySlabs says whether z lies in j, whether they share an area, and whether z has any.
func bySlabs(z, j wholeShape) (within, overlaps, any bool) {
	within = true
	faces(append(z.edges(), j.edges()...), func(x, y fraction) bool {
		if z.covers(x, y) {
			any = true
			in := j.covers(x, y)
			within, overlaps = within && in, overlaps || in
		}
		return within || !overlaps
	})
	return within && any, overlaps, any
}

// place puts the small grid somewhere on the earth: west of the antimeridian to east of it
// where lon is near 180.
func (s wholeShape) place(lon, lat, step float64) MultiPolygon {
	var m MultiPolygon
	for _, p := range s {
		var out Polygon
		for i, r := range p {
			var ring Ring
			for _, w := range r {
				x := lon + float64(w.x)*step
				if x > 180 {
					x -= 360
				}
				ring = append(ring, Point{Lon: Degrees(x), Lat: Degrees(lat + float64(w.y)*step)})
			}
			if i == 0 {
				out.Outer = ring
			} else {
				out.Holes = append(out.Holes, ring)
			}
		}
		m = append(m, out)
	}
	return m
}

const gridSide = 6

// tiles is a random union of unit squares: rings that touch at corners, holes, holes that
// touch the outside, parts that share only a corner.
func tiles(r *rand.Rand, fill float64) wholeShape {
	var on [4][4]bool
	for x := range on {
		for y := range on[x] {
			on[x][y] = r.Float64() < fill
		}
	}
	var s wholeShape
	for x := range on {
		for y := range on[x] {
			if on[x][y] {
				a, b := int64(x), int64(y)
				s = append(s, wholePolygon{{{a, b}, {a + 1, b}, {a + 1, b + 1}, {a, b + 1}, {a, b}}})
			}
		}
	}
	return s
}

// knot is a random closed line: crossing itself, touching itself, or neither.
func knot(r *rand.Rand, n int) wholeRing {
	var out wholeRing
	for range n {
		out = append(out, whole{r.Int64N(gridSide + 1), r.Int64N(gridSide + 1)})
	}
	return append(out, out[0])
}

// frame is a rectangle with a smaller one cut out of it.
func frame(r *rand.Rand) wholePolygon {
	x1, x2 := span(r)
	y1, y2 := span(r)
	p := wholePolygon{rectangle(x1, y1, x2, y2)}
	if x2-x1 > 1 && y2-y1 > 1 && r.IntN(2) == 0 {
		hx := x1 + r.Int64N(x2-x1)
		hy := y1 + r.Int64N(y2-y1)
		p = append(p, rectangle(hx, hy, hx+1+r.Int64N(x2-hx), hy+1+r.Int64N(y2-hy)))
	}
	return p
}

func span(r *rand.Rand) (int64, int64) {
	a := r.Int64N(gridSide)
	return a, a + 1 + r.Int64N(gridSide-a)
}

func rectangle(x1, y1, x2, y2 int64) wholeRing {
	return wholeRing{{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}, {x1, y1}}
}

func randomShape(r *rand.Rand) wholeShape {
	switch r.IntN(5) {
	case 0:
		return wholeShape{frame(r)}
	case 1:
		return wholeShape{frame(r), frame(r)}
	case 2:
		return wholeShape{{knot(r, 3)}}
	case 3:
		return wholeShape{{knot(r, 3+r.IntN(4))}, frame(r)}
	}
	return wholeShape{{knot(r, 3+r.IntN(5)), knot(r, 3)}}
}

func TestWithinAgainstSlabs(t *testing.T) {
	pairs := 100_000
	if testing.Short() {
		pairs = 10_000
	}
	r := rand.New(rand.NewPCG(1, 2))
	counted := map[string]int{}
	for n := 0; n < pairs; {
		var z, j wholeShape
		switch r.IntN(6) {
		case 0:
			z, j = tiles(r, 0.1), tiles(r, 0.9)
		case 1:
			z, j = wholeShape{frame(r)}, tiles(r, 0.95)
		case 2: // a part of the other
			j = randomShape(r)
			z = j[:1+r.IntN(len(j))]
		default:
			z, j = randomShape(r), randomShape(r)
		}
		if len(z) == 0 || len(j) == 0 {
			continue
		}
		want, wantOverlap, any := bySlabs(z, j)
		if !any {
			continue
		}
		n++
		// Every pair somewhere, every tenth over the antimeridian too.
		places := [...]struct{ lon, lat, step float64 }{{30, 50, 0.1}, {179.7, -10, 0.1}}
		for _, at := range places[:1+1/(1+n%10)] {
			zs, js := NewShape(z.place(at.lon, at.lat, at.step)), NewShape(j.place(at.lon, at.lat, at.step))
			if got := zs.Within(js); got != want {
				t.Fatalf("pair %d at %v: within: %v, by slabs %v\nz %v\nj %v", n, at, got, want, z, j)
			}
			if got := zs.Overlaps(js); got != wantOverlap {
				t.Fatalf("pair %d at %v: overlaps: %v, by slabs %v\nz %v\nj %v", n, at, got, wantOverlap, z, j)
			}
		}
		counted[fmt.Sprintf("within %v", want)]++
	}
	if counted["within true"] < pairs/20 || counted["within false"] < pairs/20 {
		t.Errorf("the pairs say too little: %v", counted)
	}
}

func square(x1, y1, x2, y2 float64) Ring {
	at := func(x, y float64) Point { return Point{Lon: Degrees(x), Lat: Degrees(y)} }
	return Ring{at(x1, y1), at(x2, y1), at(x2, y2), at(x1, y2), at(x1, y1)}
}

func TestWithinAtBorders(t *testing.T) {
	country := MultiPolygon{{Outer: square(30, 50, 31, 51), Holes: []Ring{square(30.4, 50.4, 30.6, 50.6)}}}
	halves := MultiPolygon{{Outer: square(30, 50, 30.5, 51)}, {Outer: square(30.5, 50, 31, 51)}}
	for _, c := range []struct {
		name string
		z, j MultiPolygon
		want bool
	}{
		{"itself", country, country, true},
		{"touching the border from inside", MultiPolygon{{Outer: square(30, 50, 30.1, 50.1)}}, country, true},
		{"touching the border from outside", MultiPolygon{{Outer: square(29.9, 50, 30, 50.1)}}, country, false},
		{"over the border by the smallest step", MultiPolygon{{Outer: square(30-1e-12, 50, 30.1, 50.1)}}, country, false},
		{"touching the hole", MultiPolygon{{Outer: square(30.6, 50.4, 30.7, 50.6)}}, country, true},
		{"in the hole", MultiPolygon{{Outer: square(30.45, 50.45, 30.5, 50.5)}}, country, false},
		{"filling the hole", MultiPolygon{{Outer: square(30.4, 50.4, 30.6, 50.6)}}, country, false},
		{"around the hole", MultiPolygon{{Outer: square(30.3, 50.3, 30.7, 50.7)}}, country, false},
		{"around the hole, with the same hole", MultiPolygon{{Outer: square(30.3, 50.3, 30.7, 50.7), Holes: []Ring{square(30.4, 50.4, 30.6, 50.6)}}}, country, true},
		{"around the hole, with a larger hole", MultiPolygon{{Outer: square(30.2, 50.2, 30.8, 50.8), Holes: []Ring{square(30.3, 50.3, 30.7, 50.7)}}}, country, true},
		{"over two halves", MultiPolygon{{Outer: square(30.4, 50.2, 30.6, 50.4)}}, halves, true},
		{"a hole's zone as two halves", country, halves, true},
		{"two parts, one outside", MultiPolygon{{Outer: square(30.1, 50.1, 30.2, 50.2)}, {Outer: square(40, 50, 41, 51)}}, country, false},
		{"nothing", nil, country, false},
		{"in nothing", country, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Within(c.z, c.j); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// Decimal coordinates on a slanting border lie on it, though no float64 can say so.
func TestDecimalBorder(t *testing.T) {
	at := func(x, y float64) Point { return Point{Lon: Degrees(x), Lat: Degrees(y)} }
	country := MultiPolygon{{Outer: Ring{at(30, 50), at(31, 50), at(31, 50.3), at(30, 50)}}}
	for k := 1.0; k < 1000; k++ {
		p := at(30+k/1000, 50+3*k/10000)
		z := MultiPolygon{{Outer: Ring{at(30, 50), at(30.5, 50), p, at(30, 50)}}}
		if !Within(z, country) {
			t.Fatalf("%v is on the border, but its zone is not within", p)
		}
		if !country.Contains(p) {
			t.Fatalf("%v is on the border, but not contained", p)
		}
	}
}

func TestWithinCountsOnlyArea(t *testing.T) {
	at := func(x, y float64) Point { return Point{Lon: Degrees(x), Lat: Degrees(y)} }
	country := MultiPolygon{{Outer: square(30, 50, 31, 51)}}
	spike := MultiPolygon{{Outer: Ring{at(30.1, 50.1), at(30.2, 50.1), at(31.1, 50.15), at(30.2, 50.1), at(30.2, 50.2), at(30.1, 50.1)}}}
	if !Within(spike, country) {
		t.Error("a spike without area over the border")
	}
	line := MultiPolygon{{Outer: Ring{at(30.1, 50.1), at(30.2, 50.1), at(30.1, 50.1)}}}
	if Within(line, country) {
		t.Error("a line is within nothing")
	}
}

func TestWithinOverTheAntimeridian(t *testing.T) {
	wrapped := func(x1, y1, x2, y2 float64) MultiPolygon { // written the short way round
		return MultiPolygon{{Outer: square(x1, y1, x2, y2)}}
	}
	cut := func(x1, y1, x2, y2 float64) MultiPolygon { // cut in two as RFC 7946, 3.1.9 asks
		return MultiPolygon{{Outer: square(x1, y1, 180, y2)}, {Outer: square(-180, y1, x2, y2)}}
	}
	for _, j := range []MultiPolygon{wrapped(170, -20, -170, -10), cut(170, -20, -170, -10)} {
		for _, z := range []MultiPolygon{wrapped(175, -18, -175, -12), cut(175, -18, -175, -12), {{Outer: square(-179, -18, -175, -12)}}} {
			if !Within(z, j) {
				t.Errorf("%v not within %v", z, j)
			}
		}
		for _, z := range []MultiPolygon{wrapped(175, -18, -165, -12), cut(165, -18, -175, -12), {{Outer: square(-179, -18, -165, -12)}}} {
			if Within(z, j) {
				t.Errorf("%v within %v", z, j)
			}
		}
		if !j.Contains(Point{Lat: -15, Lon: 180}) || !j.Contains(Point{Lat: -15, Lon: -180}) || j.Contains(Point{Lat: -15, Lon: 0}) {
			t.Error("contains is wrong at 180° or at 0°")
		}
	}
	world := MultiPolygon{{Outer: square(-180, -90, 180, 90)}}
	if !Within(wrapped(170, -20, -170, -10), world) {
		t.Error("not in the world")
	}
}

func TestOverlapAreaOfTiles(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 300 {
		a, b := tiles(r, 0.5), tiles(r, 0.5)
		var want SquareMetres
		for _, p := range a {
			if slices.ContainsFunc(b, func(q wholePolygon) bool { return slices.Equal(p[0], q[0]) }) {
				want += wholeShape{p}.place(30, 50, 0.1).Area()
			}
		}
		got := NewShape(a.place(30, 50, 0.1)).OverlapArea(NewShape(b.place(30, 50, 0.1)))
		if math.Abs(float64(got-want)) > 1e-6*float64(want)+1e-3 {
			t.Fatalf("pair %d: %v m², want %v m²", n, got, want)
		}
	}
}

func TestIntersects(t *testing.T) {
	a := NewShape(MultiPolygon{{Outer: square(30, 50, 31, 51), Holes: []Ring{square(30.4, 50.4, 30.6, 50.6)}}})
	for _, c := range []struct {
		name string
		b    Ring
		want bool
	}{
		{"apart", square(32, 50, 33, 51), false},
		{"a corner in common", square(31, 51, 32, 52), true},
		{"inside", square(30.1, 50.1, 30.2, 50.2), true},
		{"around", square(29, 49, 32, 52), true},
		{"in the hole", square(30.45, 50.45, 30.5, 50.5), false},
		{"in the hole, touching it", square(30.45, 50.45, 30.6, 50.5), true},
		{"across", square(30.5, 49, 30.7, 52), true},
	} {
		b := NewShape(MultiPolygon{{Outer: c.b}})
		if a.Intersects(b) != c.want || b.Intersects(a) != c.want {
			t.Errorf("%s: %v and %v, want %v", c.name, a.Intersects(b), b.Intersects(a), c.want)
		}
	}
}

func TestGaps(t *testing.T) {
	var ring []*Shape // eight of nine squares, the middle one missing
	for x := range 3 {
		for y := range 3 {
			if x != 1 || y != 1 {
				ring = append(ring, NewShape(MultiPolygon{{Outer: square(30+float64(x), 50+float64(y), 31+float64(x), 51+float64(y))}}))
			}
		}
	}
	want := NewShape(MultiPolygon{{Outer: square(31, 51, 32, 52)}}).Area()
	got, _ := Gaps(ring)
	if len(got) != 1 || math.Abs(float64(got[0].Area-want)) > 1 {
		t.Errorf("gaps %v, want one of %v m²", got, want)
	}
	if got, _ := Gaps(slices.Delete(slices.Clone(ring), 6, 7)); len(got) != 0 {
		t.Errorf("an open bay is no gap: %v", got)
	}
	// Neighbours whose common border has other points on each side have a sliver between.
	at := func(x, y float64) Point { return Point{Lon: Degrees(x), Lat: Degrees(y)} }
	left := NewShape(MultiPolygon{{Outer: Ring{at(30, 50), at(31, 50), at(31, 51), at(30, 51), at(30, 50)}}})
	right := NewShape(MultiPolygon{{Outer: Ring{at(31, 50), at(32, 50), at(32, 51), at(31, 51), at(31.001, 50.5), at(31, 50)}}})
	if got, _ := Gaps([]*Shape{left, right}); len(got) != 1 || got[0].Area < 1e6 {
		t.Errorf("the sliver: %v", got)
	}
}
