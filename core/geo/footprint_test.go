package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// blob is a polygon with n points around a place, about so many metres across.
func blob(r *rand.Rand, centre Point, across float64, n int) MultiPolygon {
	var ring Ring
	for i := range n {
		d := across / 2 * (0.4 + 0.6*r.Float64())
		ring = append(ring, Destination(centre, Degrees(360*float64(i)/float64(n)), Metres(d)))
	}
	return MultiPolygon{{Outer: append(ring, ring[0])}}
}

// slowDistance is the distance to the nearest of many places along the border, or 0 inside.
func slowDistance(m MultiPolygon, p Point) float64 {
	if m.Contains(p) {
		return 0
	}
	best := math.Inf(1)
	for _, poly := range m {
		for i := 1; i < len(poly.Outer); i++ {
			a, b := poly.Outer[i-1], poly.Outer[i]
			const steps = 200
			for k := range steps + 1 {
				t := Degrees(k) / steps
				q := Point{Lat: a.Lat + t*(b.Lat-a.Lat), Lon: a.Lon + t*Degrees(math.Remainder(float64(b.Lon-a.Lon), 360))}
				best = min(best, float64(Distance(p, q)))
			}
		}
	}
	return best
}

func TestDistanceToAgainstGeodesics(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for n := range 300 {
		centre := Point{Lat: Degrees(r.Float64()*140 - 70), Lon: Degrees(r.Float64()*360 - 180)}
		if n%3 == 0 {
			centre.Lon = 180
		}
		m := blob(r, centre, 20_000, 3+r.IntN(12))
		p := Destination(centre, Degrees(r.Float64()*360), Metres(r.Float64()*100_000))
		got, want := float64(m.DistanceTo(p)), slowDistance(m, p)
		// The border is sampled every 100 m at most, and edges of 10 km bend by metres.
		if math.Abs(got-want) > 10+want*1e-3 {
			t.Fatalf("%v to %v: %v m, by geodesics %v m", p, m, got, want)
		}
		if limit := Metres(want * 0.9); want > 100 && !math.IsInf(float64(NewShape(m).BorderDistance(p, limit)), 1) {
			t.Fatalf("found a border within %v m of %v", limit, p)
		}
		if got := float64(NewShape(m).BorderDistance(p, Metres(want*1.1+20))); want > 0 && math.Abs(got-want) > 10+want*1e-3 {
			t.Fatalf("with a limit: %v m, by geodesics %v m", got, want)
		}
	}
}

func TestCircleAgainstDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	met := 0
	for range 800 {
		centre := Point{Lat: Degrees(r.Float64()*150 - 75), Lon: Degrees(r.Float64()*360 - 180)}
		m := blob(r, centre, 30_000, 3+r.IntN(20))
		p := Destination(centre, Degrees(r.Float64()*360), Metres(r.Float64()*400_000))
		d := m.DistanceTo(p)
		for _, f := range [...]Metres{0.5, 0.999, 1.001, 2} {
			if d == 0 {
				continue
			}
			want := f > 1
			if got := (Circle{Centre: p, Radius: d * f}).Intersects(m); got != want {
				t.Fatalf("%v m of %v away: circle of %v m: %v", d, m, d*f, got)
			}
			met++
		}
	}
	if met < 2000 {
		t.Errorf("only %d comparisons", met)
	}
}

// onEllipse tells by distance and bearing whether a place is in an ellipse.
func onEllipse(e Ellipse, p Point) float64 {
	d := float64(Distance(e.Centre, p))
	a := (Bearing(e.Centre, p) - e.Bearing).Radians()
	return math.Hypot(d*math.Cos(a)/float64(e.SemiMajor), d*math.Sin(a)/float64(e.SemiMinor))
}

func TestEllipseAgainstPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	hits, misses := 0, 0
	for range 1000 {
		centre := Point{Lat: Degrees(r.Float64()*140 - 70), Lon: Degrees(r.Float64()*360 - 180)}
		m := blob(r, centre, 40_000, 3+r.IntN(20))
		e := Ellipse{
			Centre:    Destination(centre, Degrees(r.Float64()*360), Metres(r.Float64()*120_000)),
			SemiMajor: Metres(1000 + r.Float64()*150_000), Bearing: Degrees(r.Float64() * 360),
		}
		e.SemiMinor = e.SemiMajor * Metres(0.02+0.9*r.Float64())
		least := math.Inf(1)
		if m.Contains(e.Centre) {
			least = 0
		}
		for i := 1; i < len(m[0].Outer); i++ {
			a, b := m[0].Outer[i-1], m[0].Outer[i]
			const steps = 60
			for k := range steps + 1 {
				t := Degrees(k) / steps
				least = min(least, onEllipse(e, Point{Lat: a.Lat + t*(b.Lat-a.Lat), Lon: a.Lon + t*Degrees(math.Remainder(float64(b.Lon-a.Lon), 360))}))
			}
		}
		got := e.Intersects(m)
		// Sampling sees a little less than there is; near the border it decides nothing.
		step := 40_000 / 3 / 60 / float64(e.SemiMinor) * 4
		if least < 0.999 && !got || least > 1.001+step && got {
			t.Fatalf("%+v and %v: %v, the nearest place at %v of the ellipse", e, m, got, least)
		}
		if got {
			hits++
		} else {
			misses++
		}
		f := e.Footprint()
		if box := f.Bounds(); !got {
			continue
		} else if !box.Intersects(m.Bounds()) {
			t.Fatalf("%+v: bounds %v miss what it meets: %v", e, box, m.Bounds())
		}
	}
	if hits < 200 || misses < 200 {
		t.Errorf("%d hits, %d misses", hits, misses)
	}
}

// Every place of an ellipse is in its bounds, also near a pole.
func TestFootprintBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Ellipse{
			Centre:    Point{Lat: Degrees(rapid.Float64Range(-90, 90).Draw(t, "lat")), Lon: Degrees(rapid.Float64Range(-180, 180).Draw(t, "lon"))},
			SemiMajor: Metres(rapid.Float64Range(1, 3_000_000).Draw(t, "a")),
			Bearing:   Degrees(rapid.Float64Range(0, 360).Draw(t, "bearing")),
		}
		e.SemiMinor = e.SemiMajor * Metres(rapid.Float64Range(0.01, 1).Draw(t, "ratio"))
		f := e.Footprint()
		box := f.Bounds()
		for k := range 72 {
			angle := float64(k) * math.Pi / 36
			x, y := float64(e.SemiMajor)*math.Cos(angle), float64(e.SemiMinor)*math.Sin(angle)
			p := Destination(e.Centre, e.Bearing+FromRadians(math.Atan2(y, x)), Metres(math.Hypot(x, y)))
			if !box.Contains(p) {
				t.Fatalf("%+v: %v is in it, but not in %v", e, p, box)
			}
		}
	})
}

func TestUnusableEllipsesMeetNothing(t *testing.T) {
	world := MultiPolygon{{Outer: square(-180, -90, 180, 90)}}
	nan := math.NaN()
	for _, e := range []Ellipse{
		{SemiMajor: Metres(nan), SemiMinor: 1},
		{SemiMajor: 1, SemiMinor: Metres(nan)},
		{SemiMajor: -1, SemiMinor: 1},
		{Centre: Point{Lat: Degrees(nan)}, SemiMajor: 1, SemiMinor: 1},
		{Centre: Point{Lat: 91}, SemiMajor: 1, SemiMinor: 1},
		{SemiMajor: 1, SemiMinor: 1, Bearing: Degrees(math.Inf(1))},
	} {
		if e.Intersects(world) {
			t.Errorf("%+v meets the world", e)
		}
	}
	if !(Ellipse{SemiMajor: 0, SemiMinor: 0}).Intersects(world) {
		t.Error("a point meets the world")
	}
	if !(Ellipse{SemiMajor: Metres(math.Inf(1)), SemiMinor: Metres(math.Inf(1))}).Intersects(MultiPolygon{{Outer: square(10, 10, 11, 11)}}) {
		t.Error("an ellipse without end meets what is near")
	}
}
