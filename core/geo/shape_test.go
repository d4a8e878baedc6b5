package geo

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// slowTurn is turn in whole numbers without bound.
func slowTurn(a, b, c vertex) int {
	whole := func(f float64) *big.Int { n, _ := big.NewFloat(f * 2).Int(nil); return n } // halves too
	sub := func(x, y *big.Int) *big.Int { return new(big.Int).Sub(x, y) }
	p := new(big.Int).Mul(sub(whole(b.x), whole(a.x)), sub(whole(c.y), whole(a.y)))
	q := new(big.Int).Mul(sub(whole(c.x), whole(a.x)), sub(whole(b.y), whole(a.y)))
	return p.Cmp(q)
}

func TestTurnIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	straight := 0
	for range 200_000 {
		a := vertex{float64(r.Int64N(1e15)) - 5e14, float64(r.Int64N(2e14)) - 1e14}
		b := vertex{float64(r.Int64N(1e15)) - 5e14, float64(r.Int64N(2e14)) - 1e14}
		// A place on the line, or a step beside it: where rounding would guess.
		t0 := r.Float64()*3 - 1
		c := vertex{math.Round(a.x + t0*(b.x-a.x)), math.Round(a.y + t0*(b.y-a.y))}
		switch r.IntN(4) {
		case 0:
			c.x++
		case 1:
			c.y--
		case 2:
			c = vertex{2*b.x - a.x, 2*b.y - a.y} // exactly on it
		}
		want := slowTurn(a, b, c)
		if got := turn(a, b, c); got != want {
			t.Fatalf("turn(%v, %v, %v) = %d, want %d", a, b, c, got, want)
		}
		if want == 0 {
			straight++
		}
	}
	if straight < 10_000 {
		t.Errorf("only %d of the places were on the line", straight)
	}
}

func TestMeet(t *testing.T) {
	v := func(x, y float64) vertex { return vertex{x, y} }
	for _, c := range []struct {
		name       string
		a, b, c, d vertex
		want       contact
	}{
		{"cross", v(0, 0), v(4, 4), v(0, 4), v(4, 0), cross},
		{"end on the middle", v(0, 0), v(4, 4), v(2, 2), v(4, 0), touch},
		{"ends meet", v(0, 0), v(4, 4), v(4, 4), v(8, 0), touch},
		{"end on the line, not on the segment", v(0, 0), v(2, 2), v(3, 3), v(4, 0), apart},
		{"one line, apart", v(0, 0), v(1, 1), v(2, 2), v(3, 3), apart},
		{"one line, ends meet", v(0, 0), v(1, 1), v(1, 1), v(3, 3), touch},
		{"one line, a stretch", v(0, 0), v(2, 2), v(1, 1), v(3, 3), overlap},
		{"one line, one in the other", v(0, 0), v(9, 0), v(3, 0), v(6, 0), overlap},
		{"upright, a stretch", v(1, 0), v(1, 5), v(1, 4), v(1, 9), overlap},
		{"parallel", v(0, 0), v(2, 2), v(0, 1), v(2, 3), apart},
		{"a point on a segment", v(1, 1), v(1, 1), v(0, 0), v(2, 2), touch},
		{"a point beside it", v(1, 2), v(1, 2), v(0, 0), v(2, 2), apart},
	} {
		for _, s := range [][4]vertex{{c.a, c.b, c.c, c.d}, {c.b, c.a, c.c, c.d}, {c.c, c.d, c.a, c.b}, {c.d, c.c, c.b, c.a}} {
			if got := meet(s[0], s[1], s[2], s[3]); got != c.want {
				t.Errorf("%s: %v: %d, want %d", c.name, s, got, c.want)
			}
		}
	}
}

// slowLocate is even-odd over every edge, without boxes over runs.
func slowLocate(o *outline, p vertex) place {
	odd := false
	for i := range o.edges() {
		a, b := o.v[i], o.v[i+1]
		if slowTurn(a, b, p) == 0 && between(a, b, p) {
			return border
		}
		if (a.y > p.y) != (b.y > p.y) && (slowTurn(a, b, p) > 0) == (b.y > a.y) {
			odd = !odd
		}
	}
	if odd {
		return inside
	}
	return outside
}

func TestLocateAgainstEveryEdge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 120).Draw(t, "n")
		side := rapid.IntRange(3, 40).Draw(t, "side") // small: many level edges and hits
		var r Ring
		for range n {
			r = append(r, Point{Lon: Degrees(rapid.IntRange(0, side).Draw(t, "x")), Lat: Degrees(rapid.IntRange(0, side).Draw(t, "y"))})
		}
		o := newOutline(append(r, r[0]))
		for range 30 {
			p := toGrid(Point{Lon: Degrees(rapid.IntRange(-1, side+1).Draw(t, "px")), Lat: Degrees(rapid.IntRange(-1, side+1).Draw(t, "py"))})
			if got, want := o.locate(p), slowLocate(o, p); got != want {
				t.Fatalf("%v in %v: %d, want %d", p, r, got, want)
			}
		}
	})
}

func TestArea(t *testing.T) {
	// The ellipsoid is 510,065,621.7 km².
	if got := float64(MultiPolygon{{Outer: square(-180, -90, 180, 90)}}.Area()) / 1e6; math.Abs(got-510065621.724) > 1 {
		t.Errorf("the earth: %.1f km²", got)
	}
	whole := MultiPolygon{{Outer: square(30, 50, 31, 51), Holes: []Ring{square(30.4, 50.4, 30.6, 50.6)}}}
	rest := MultiPolygon{{Outer: square(30.4, 50.4, 30.6, 50.6)}}
	full := MultiPolygon{{Outer: square(30, 50, 31, 51)}}
	if got, want := whole.Area()+rest.Area(), full.Area(); math.Abs(float64(got-want)) > 1 {
		t.Errorf("with the hole's area %v m², want %v m²", got, want)
	}
	// A degree of latitude by half a degree of longitude at 50.5°, by the lengths of its sides.
	width := Distance(Point{Lat: 50.5, Lon: 30}, Point{Lat: 50.5, Lon: 31})
	height := Distance(Point{Lat: 50, Lon: 30}, Point{Lat: 51, Lon: 30})
	if got, about := float64(full.Area()), float64(width*height); math.Abs(got/about-1) > 1e-4 {
		t.Errorf("%v m², by its sides about %v m²", got, about)
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		m    MultiPolygon
		want Box
	}{
		{"plain", MultiPolygon{{Outer: square(30, 50, 31, 51)}}, Box{50, 30, 51, 31}},
		{"over the antimeridian", MultiPolygon{{Outer: square(179, -1, -179, 1)}}, Box{-1, 179, 1, -179}},
		{"the world", MultiPolygon{{Outer: square(-180, -90, 180, 90)}}, Box{-90, -180, 90, 180}},
		{"nothing", nil, Box{South: 90, North: -90}},
	} {
		if got := c.m.Bounds(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	over := Box{-1, 179, 1, -179}
	if !over.Contains(Point{Lon: 180}) || !over.Contains(Point{Lon: -179.5}) || over.Contains(Point{Lon: 0}) {
		t.Error("a box over the antimeridian")
	}
	if !over.Intersects(Box{0, -179.5, 2, -170}) || over.Intersects(Box{0, 0, 2, 10}) || over.Intersects(Box{South: 90, North: -90}) {
		t.Error("boxes over the antimeridian")
	}
}

func TestInside(t *testing.T) {
	horseshoe := Ring{{0, 0}, {0, 9}, {9, 9}, {9, 0}, {8, 0}, {8, 8}, {1, 8}, {1, 0}, {0, 0}}
	for _, m := range []MultiPolygon{
		{{Outer: horseshoe}},
		{{Outer: square(30, 50, 31, 51), Holes: []Ring{square(30.2, 50.01, 30.8, 50.99)}}},
		{{Outer: square(1, 1, 1.0001, 1.0001)}, {Outer: square(179, -1, -179, 1)}},
	} {
		p := NewShape(m).Inside()
		if !m.Contains(p) || NewShape(m).BorderDistance(p, Metres(math.Inf(1))) < 1 {
			t.Errorf("%v is not well within %v", p, m)
		}
	}
	if p := NewShape(nil).Inside(); !p.Valid() && !math.IsNaN(float64(p.Lat)) {
		t.Errorf("nothing: %v", p)
	}
}

func TestCheck(t *testing.T) {
	p := func(lon, lat float64) Point { return Point{Lon: Degrees(lon), Lat: Degrees(lat)} }
	one := func(pts ...Point) MultiPolygon { return MultiPolygon{{Outer: pts}} }
	ok := square(0, 0, 10, 10)
	for _, c := range []struct {
		name string
		m    MultiPolygon
		want []Flaw
	}{
		{"sound", MultiPolygon{{Outer: ok, Holes: []Ring{{{1, 1}, {2, 1}, {2, 2}, {1, 2}, {1, 1}}}}}, nil},
		{"clockwise", one(p(0, 0), p(0, 1), p(1, 1), p(1, 0), p(0, 0)), []Flaw{FlawWinding}},
		{"open", one(p(0, 0), p(1, 0), p(1, 1), p(0, 1)), []Flaw{FlawOpen}},
		{"empty", MultiPolygon{{}}, []Flaw{FlawDegenerate}},
		{"two points", one(p(0, 0), p(1, 0), p(0, 0)), []Flaw{FlawDegenerate}},
		{"one line", one(p(0, 0), p(1, 1), p(2, 2), p(0, 0)), []Flaw{FlawDegenerate}},
		{"latitude 91", one(p(0, 0), p(1, 91), p(2, 2), p(0, 0)), []Flaw{FlawNotNumber}},
		{"longitude 181", one(p(0, 0), p(181, 1), p(2, 2), p(0, 0)), []Flaw{FlawNotNumber}},
		{"not a number", one(p(0, 0), p(math.NaN(), 1), p(2, 2), p(0, 0)), []Flaw{FlawNotNumber}},
		{"bow tie", one(p(0, 0), p(2, 2), p(2, 0), p(0, 2), p(0, 0)), []Flaw{FlawCross}},
		{"bow tie with a point at its knot", one(p(0, 0), p(1, 1), p(2, 2), p(2, 0), p(1, 1), p(0, 2), p(0, 0)), []Flaw{FlawCross}},
		{"hourglass, sides only touching", one(p(0, 0), p(2, 0), p(1, 1), p(2, 2), p(0, 2), p(1, 1), p(0, 0)), []Flaw{FlawTouch}},
		{"a point on an own edge", one(p(0, 0), p(4, 0), p(4, 4), p(2, 0), p(0, 4), p(0, 0)), []Flaw{FlawTouch}},
		{"a spike", one(p(0, 0), p(4, 0), p(6, 0), p(4, 0), p(4, 4), p(0, 0)), []Flaw{FlawTouch}},
		{"run through twice", one(p(0, 0), p(1, 0), p(1, 1), p(0, 0), p(1, 0), p(1, 1), p(0, 0)), []Flaw{FlawDegenerate}},
		{"a repeated point", one(p(0, 0), p(1, 0), p(1, 0), p(1, 1), p(0, 0)), nil},
		{"around the pole", one(p(0, 80), p(120, 80), p(-120, 80), p(0, 80)), []Flaw{FlawPole}},
		{"over the antimeridian", one(p(179, 0), p(-179, 0), p(-179, 1), p(179, 1), p(179, 0)), nil},
		{"hole over the border", MultiPolygon{{Outer: ok, Holes: []Ring{{{1, 9}, {2, 9}, {2, 11}, {1, 11}, {1, 9}}}}}, []Flaw{FlawCrossRing}},
		{"hole over the border at its own points", MultiPolygon{{Outer: square(0, 0, 10, 10), Holes: []Ring{{p(4, 10), p(5, 9), p(6, 10), p(5, 11), p(4, 10)}}}}, []Flaw{FlawCrossRing, FlawWinding}},
		{"hole touching the border", MultiPolygon{{Outer: ok, Holes: []Ring{{p(5, 10), p(4, 9), p(6, 9), p(5, 10)}}}}, []Flaw{FlawWinding}},
		{"hole outside", MultiPolygon{{Outer: ok, Holes: []Ring{square(20, 20, 21, 21)}}}, []Flaw{FlawWinding, FlawHoleOutside}},
		{"hole that is all", MultiPolygon{{Outer: ok, Holes: []Ring{ok}}}, []Flaw{FlawWinding, FlawDegenerate}},
		{"parts that overlap", MultiPolygon{{Outer: ok}, {Outer: square(5, 5, 15, 15)}}, []Flaw{FlawCrossRing}},
		{"parts that touch", MultiPolygon{{Outer: ok}, {Outer: square(10, 0, 20, 10)}}, nil},
		{"parts that overlap over the antimeridian", MultiPolygon{{Outer: square(175, 0, -175, 10)}, {Outer: square(-178, 5, -170, 15)}}, []Flaw{FlawCrossRing}},
		{"two flaws", MultiPolygon{{Outer: Ring{p(0, 0), p(1, 0)}}, {Outer: Ring{p(0, 0), p(2, 2), p(2, 0), p(0, 2), p(0, 0)}}}, []Flaw{FlawOpen, FlawCross}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := map[Flaw]int{}
			for _, f := range c.m.Check() {
				got[f.Flaw]++
			}
			want := map[Flaw]int{}
			for _, f := range c.want {
				want[f]++
			}
			if len(got) != len(want) {
				t.Fatalf("%v, want %v", c.m.Check(), c.want)
			}
			for f, n := range want {
				if got[f] != n {
					t.Fatalf("%v, want %v", c.m.Check(), c.want)
				}
			}
			for _, q := range c.m.Wound().Check() {
				if q.Flaw == FlawWinding && got[FlawCross] == 0 {
					t.Errorf("still wound the other way: %v", q)
				}
			}
		})
	}
}

// A comb of long teeth whose boxes all lie over each other is given up in bounded time.
func TestCheckIsBounded(t *testing.T) {
	var r Ring
	const teeth = 40_000
	for i := range teeth {
		x := Degrees(float64(i) * 1e-5)
		r = append(r, Point{Lon: x, Lat: x}, Point{Lon: x + 10, Lat: x + 80})
	}
	r = append(r, Point{Lon: 20, Lat: -1}, r[0])
	for _, f := range (MultiPolygon{{Outer: r}}).Check() {
		if f.Flaw == FlawIntricate {
			return
		}
	}
	t.Error("the comb was not given up")
}
