package zone

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tocsin/core/geo"
)

func rect(x1, y1, x2, y2 float64) geo.MultiPolygon {
	at := func(x, y float64) geo.Point { return geo.Point{Lon: geo.Degrees(x), Lat: geo.Degrees(y)} }
	return geo.MultiPolygon{{Outer: geo.Ring{at(x1, y1), at(x2, y1), at(x2, y2), at(x1, y2), at(x1, y1)}}}
}

// country is a set of two provinces: A with districts A1 (zones A11, A12) and A2 (without
// zones), and K, one id at three levels and its own parent.
func country(t testing.TB) *Set {
	t.Helper()
	s, err := NewSet([]Zone{
		{ID: "A", Level: 1, Parent: "X", Shape: rect(30, 50, 32, 51), Names: map[string]string{"en": "Alpha", "uk": "Альфа"}},
		{ID: "A1", Level: 2, Parent: "A", Shape: rect(30, 50, 31, 51)},
		{ID: "A2", Level: 2, Parent: "A", Shape: rect(31, 50, 32, 51), Names: map[string]string{"": "second"}},
		{ID: "A11", Level: 3, Parent: "A1", Shape: rect(30, 50, 30.5, 51), Names: map[string]string{"uk": "Перша"}, Aliases: []string{"first"}},
		{ID: "A12", Level: 3, Parent: "A1", Shape: rect(30.5, 50, 31, 51)},
		{ID: "K", Level: 1, Parent: "X", Shape: rect(32, 50, 33, 51)},
		{ID: "K", Level: 2, Parent: "K", Shape: rect(32, 50, 33, 51)},
		{ID: "K", Level: 3, Parent: "K", Shape: rect(32, 50, 33, 51)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shared returns a file of the shared data, or skips and says what is absent.
func shared(t testing.TB, name string) File {
	t.Helper()
	dir := os.Getenv("TOCSIN_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(dir, "data", "zones", name))
	if err != nil {
		t.Skipf("absent: shared data/zones/%s: %v", name, err)
	}
	return File{Name: name, Data: b}
}

// grid is n by n zones of jittered quadrangles that share their corners, with some points
// on each side, as on a real map.
func grid(n int) []Zone {
	const points = 6
	corner := func(i, j int) (float64, float64) {
		jitter := func(k int) float64 { return float64((k*2654435761)%1000)/1000*0.4 - 0.2 }
		return (float64(i) + jitter(i*7919+j*104729)) * 20 / float64(n), (float64(j) + jitter(i*31337+j*271)) * 10 / float64(n)
	}
	var out []Zone
	for i := range n {
		for j := range n {
			var r geo.Ring
			c := [4][2]int{{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}}
			for k := range c {
				ax, ay := corner(c[k][0], c[k][1])
				bx, by := corner(c[(k+1)%4][0], c[(k+1)%4][1])
				for p := range points {
					t := float64(p) / points
					r = append(r, geo.Point{Lon: geo.Degrees(22 + ax + t*(bx-ax)), Lat: geo.Degrees(44 + ay + t*(by-ay))})
				}
			}
			out = append(out, Zone{ID: ID(fmt.Sprintf("Z%05d", i*n+j)), Shape: geo.MultiPolygon{{Outer: append(r, r[0])}}})
		}
	}
	return out
}

func ids(s *Set, each func(func(int))) []ID {
	var out []ID
	each(func(i int) { out = append(out, s.ByIndex(i).ID) })
	return out
}
