package geo

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzShapes: whatever the coordinates, nothing panics, nothing runs away, and what is said
// to be sound behaves so.
func FuzzShapes(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 10, 0, 10, 10, 0, 10}, uint8(5))
	f.Add([]byte{0, 0, 200, 200, 200, 0, 0, 200, 0, 0, 5, 5, 9, 5, 9, 9}, uint8(5))
	f.Add([]byte{127, 127, 128, 128, 127, 128, 255, 1, 254, 254, 3, 3}, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, ringLength uint8) {
		if len(b) > 400 {
			return
		}
		var rings []Ring
		var r Ring
		for i := 0; i+1 < len(b); i += 2 {
			r = append(r, Point{Lon: odd(b[i], 200), Lat: odd(b[i+1], 100)})
			if len(r) > int(ringLength%20) {
				rings = append(rings, append(r, r[0]))
				r = nil
			}
		}
		var m, n MultiPolygon
		for i, r := range rings {
			switch {
			case i%3 == 0:
				m = append(m, Polygon{Outer: r})
			case i%3 == 1:
				m[len(m)-1].Holes = append(m[len(m)-1].Holes, r)
			default:
				n = append(n, Polygon{Outer: r})
			}
		}
		sound := true
		for _, f := range m.Check() {
			sound = sound && f.Flaw.Harmless()
		}
		s, u := NewShape(m), NewShape(n)
		s.Within(u)
		s.Overlaps(u)
		s.Intersects(u)
		s.Inside()
		s.DistanceTo(u.Centre())
		Gaps([]*Shape{s, u})
		e := Ellipse{Centre: u.Centre(), SemiMajor: 1e5, SemiMinor: 1e4, Bearing: 30}.Footprint()
		s.Meets(&e)
		shared := s.OverlapArea(u)
		if math.IsNaN(float64(shared)) {
			t.Fatalf("overlap of %v and %v is no number", m, n)
		}
		if sound && len(m) > 0 && s.Area() > 1 && !s.Within(s) {
			t.Fatalf("%v is not within itself", m)
		}
	})
}

// odd turns a byte into a coordinate: most on a coarse grid, some no numbers at all.
func odd(b byte, limit float64) Degrees {
	switch b {
	case 255:
		return Degrees(math.NaN())
	case 254:
		return Degrees(math.Inf(1))
	case 253:
		return Degrees(math.Float64frombits(binary.LittleEndian.Uint64([]byte{1, 0, 0, 0, 0, 0, 0, b})))
	}
	return Degrees((float64(b) - 126) / 126 * limit)
}

func BenchmarkWithin(b *testing.B) {
	country, zone := rounded(0.5, 4000), rounded(0.1, 300)
	b.Run("inside", func(b *testing.B) {
		for b.Loop() {
			if !zone.Within(country) {
				b.Fatal("not within")
			}
		}
	})
	b.Run("itself", func(b *testing.B) {
		for b.Loop() {
			if !zone.Within(zone) {
				b.Fatal("not within")
			}
		}
	})
}

func rounded(radius float64, n int) *Shape {
	var r Ring
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		r = append(r, Point{Lon: Degrees(30 + radius*cos), Lat: Degrees(50 + radius*sin)})
	}
	return NewShape(MultiPolygon{{Outer: append(r, r[0])}})
}
