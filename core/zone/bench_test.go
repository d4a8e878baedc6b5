package zone

import (
	"math/rand/v2"
	"testing"

	"tocsin/core/geo"
)

func places(s *Set, n int) []geo.Point {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]geo.Point, n)
	for i := range out {
		z := s.ByIndex(r.IntN(s.Len()))
		out[i] = geo.Destination(z.Label, geo.Degrees(r.Float64()*360), geo.Metres(r.Float64()*8000))
	}
	return out
}

func benchmark(b *testing.B, s *Set) {
	at := places(s, 4096)
	b.Run("At", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			s.IndexAt(at[i%len(at)])
			i++
		}
	})
	for _, size := range [...]struct {
		name         string
		major, minor geo.Metres
	}{{"8x30km", 30_000, 8_000}, {"40x150km", 150_000, 40_000}} {
		b.Run("Ellipse"+size.name, func(b *testing.B) {
			b.ReportAllocs()
			i, found := 0, 0
			for b.Loop() {
				e := geo.Ellipse{Centre: at[i%len(at)], SemiMajor: size.major, SemiMinor: size.minor, Bearing: geo.Degrees(i % 360)}
				s.InEllipse(e, func(int) { found++ })
				i++
			}
			b.ReportMetric(float64(found)/float64(b.N), "zones/op")
		})
	}
}

func BenchmarkUkraine(b *testing.B) { benchmark(b, ukraine(b)) }

func Benchmark30000(b *testing.B) { benchmark(b, mustSet(b, grid(173)...)) }

func BenchmarkNewSet(b *testing.B) {
	for b.Loop() {
		mustSet(b, grid(173)...)
	}
}

func BenchmarkRead(b *testing.B) {
	files := []File{shared(b, "ua-oblasts.geojson"), shared(b, "ua-raions.geojson"), shared(b, "ua-hromadas.geojson")}
	size := 0
	for _, f := range files {
		size += len(f.Data)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		if _, r := ReadSet(files, Limits{}); r.Bad() {
			b.Fatal(r.Defects)
		}
	}
}
