package geo

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The expected values are GeographicLib's (GeodSolve), which is right to nanometres.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		name    string
		a, b    Point
		metres  float64
		bearing float64
		within  float64
	}{
		{"New York to London", Point{Lat: 40.6, Lon: -73.8}, Point{Lat: 51.6, Lon: -0.5}, 5551759.400, 51.198882846, 0.001},
		{"over the antimeridian", Point{Lat: 0, Lon: 179.5}, Point{Lat: 0, Lon: -179.5}, 111319.4908, 90, 0.001},
		{"along a meridian", Point{Lat: 0, Lon: 30}, Point{Lat: 90, Lon: 30}, 10001965.7293, 0, 0.001},
		{"from pole to pole", Point{Lat: -90, Lon: 0}, Point{Lat: 90, Lon: 0}, 20003931.4586, 0, 0.006 * 20003931},
		{"nearly opposite", Point{Lat: -41.32, Lon: 174.81}, Point{Lat: 40.96, Lon: -5.50}, 19959679.267, math.NaN(), 0.006 * 19959679},
		{"one place", Point{Lat: 50, Lon: 30}, Point{Lat: 50, Lon: 30}, 0, 0, 0},
		{"a turn apart in longitude", Point{Lat: 50, Lon: -180}, Point{Lat: 50, Lon: 180}, 0, 0, 0.001},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := float64(Distance(c.a, c.b)); !(math.Abs(got-c.metres) <= c.within) {
				t.Errorf("distance %.4f m, want %.4f m", got, c.metres)
			}
			if got := float64(Bearing(c.a, c.b)); !math.IsNaN(c.bearing) && math.Abs(got-c.bearing) > 1e-6 && c.metres < 1.99e7 {
				t.Errorf("bearing %.9f°, want %.9f°", got, c.bearing)
			}
		})
	}
}

func anyPoint(t *rapid.T, label string) Point {
	return Point{
		Lat: Degrees(rapid.Float64Range(-89, 89).Draw(t, label+" lat")),
		Lon: Degrees(rapid.Float64Range(-180, 180).Draw(t, label+" lon")),
	}
}

func TestDestinationAndDistanceAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPoint(t, "p")
		bearing := Degrees(rapid.Float64Range(0, 359.99).Draw(t, "bearing"))
		d := Metres(rapid.Float64Range(1, 15_000_000).Draw(t, "distance"))
		q := Destination(p, bearing, d)
		if !q.Valid() {
			t.Fatalf("no place: %v", q)
		}
		if got := Distance(p, q); math.Abs(float64(got-d)) > 0.002 {
			t.Fatalf("went %v m, came %v m", d, got)
		}
		turned := math.Abs(math.Remainder(float64(Bearing(p, q)-bearing), 360))
		if turned*math.Pi/180*float64(d) > 0.01 {
			t.Fatalf("left at %v°, looking back %v°", bearing, Bearing(p, q))
		}
	})
}

func TestNormal(t *testing.T) {
	for in, want := range map[Degrees]Degrees{0: 0, 360: 0, -1: 359, 725: 5, -1e-18: 0, -360: 0} {
		if got := in.Normal(); got != want {
			t.Errorf("%v: %v, want %v", in, got, want)
		}
	}
	if got := Degrees(math.Inf(1)).Normal(); !math.IsNaN(float64(got)) {
		t.Errorf("infinity: %v", got)
	}
}

func TestECEF(t *testing.T) {
	for _, c := range []struct {
		p    Position
		want ECEF
	}{
		{Position{}, ECEF{6378137, 0, 0}},
		{Position{Point: Point{Lon: 90}, Height: 100}, ECEF{0, 6378237, 0}},
		{Position{Point: Point{Lat: 90}}, ECEF{0, 0, 6356752.314245}},
		// GeographicLib, CartConvert of 33.3 44.4 6000.
		{Position{Point: Point{Lat: 33.3, Lon: 44.4}, Height: 6000}, ECEF{3816209.60, 3737108.55, 3485109.57}},
	} {
		got := c.p.ECEF()
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 0.01 {
				t.Errorf("%v: %.3f, want %.3f", c.p, got, c.want)
				break
			}
		}
	}
}

func TestFramesTurnBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Position{Point: anyPoint(t, "p"), Height: Metres(rapid.Float64Range(-100_000, 50_000_000).Draw(t, "height"))}
		e := p.ECEF()
		if back := e.Position().ECEF(); apartBy(e, back) > 1e-6 {
			t.Fatalf("%v came back %v m away", p, apartBy(e, back))
		}
		f := NewENU(Position{Point: anyPoint(t, "origin")})
		if back := f.From(f.To(e)); apartBy(e, back) > 1e-6 {
			t.Fatalf("local and back: %v m", apartBy(e, back))
		}
		v := [3]float64{e[0] / 1e4, e[1] / 1e4, e[2] / 1e4}
		if back := f.FromVelocity(f.ToVelocity(v)); apartBy(v, back) > 1e-9 {
			t.Fatalf("velocity and back: %v", apartBy(v, back))
		}
	})
}

func apartBy(a, b [3]float64) float64 {
	return math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2])
}

func TestENU(t *testing.T) {
	origin := Position{Point: Point{Lat: 50, Lon: 30}, Height: 120}
	f := NewENU(origin)
	if got := f.To(origin.ECEF()); apartBy(got, [3]float64{}) > 1e-9 {
		t.Errorf("the origin is at %v", got)
	}
	up := origin
	up.Height += 1000
	if got := f.To(up.ECEF()); apartBy(got, [3]float64{0, 0, 1000}) > 1e-6 {
		t.Errorf("1,000 m above: %v", got)
	}
	east := Position{Point: Destination(origin.Point, 90, 1000), Height: 120}
	if got := f.To(east.ECEF()); apartBy(got, [3]float64{1000, 0, 0}) > 0.1 {
		t.Errorf("1,000 m east: %v", got)
	}
	// A covariance along local axes is diagonal there and comes back.
	local := [3][3]float64{{4, 0, 0}, {0, 9, 0}, {0, 0, 25}}
	back := f.ToCovariance(f.FromCovariance(local))
	for i := range 3 {
		for j := range 3 {
			if math.Abs(back[i][j]-local[i][j]) > 1e-12 {
				t.Fatalf("covariance came back as %v", back)
			}
		}
	}
	if r := f.Rotation(); apartBy(r[2], [3]float64{math.Cos(50*math.Pi/180) * math.Cos(30*math.Pi/180), math.Cos(50*math.Pi/180) * math.Sin(30*math.Pi/180), math.Sin(50 * math.Pi / 180)}) > 1e-12 {
		t.Errorf("up is %v", r[2])
	}
}
