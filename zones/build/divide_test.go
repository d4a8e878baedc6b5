package build

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

func ring(points ...float64) geo.Ring {
	var r geo.Ring
	for i := 0; i+1 < len(points); i += 2 {
		r = append(r, geo.Point{Lon: geo.Degrees(points[i]), Lat: geo.Degrees(points[i+1])})
	}
	return append(r, r[0])
}

// outlines to divide: plain, with a bay and a hole, in two parts.
var outlines = []geo.MultiPolygon{
	{{Outer: ring(30, 48, 32, 48, 32, 50, 30, 50)}},
	{{Outer: ring(30, 48, 32, 48, 31.2, 48.7, 32, 49, 32, 50, 30, 50, 30.3, 49.1), Holes: []geo.Ring{ring(30.9, 49.2, 31.3, 49.1, 31.1, 49.6)}}},
	{{Outer: ring(30, 48, 30.8, 48, 30.9, 50, 30, 50)}, {Outer: ring(31.1, 48.1, 32, 48, 32, 50, 31.3, 49.8)}},
}

func anyCountry(t *rapid.T) Country {
	c := Country{Outline: outlines[rapid.IntRange(0, len(outlines)-1).Draw(t, "outline")]}
	n := rapid.IntRange(1, 60).Draw(t, "n")
	// On a coarse lattice many sites lie on one circle, and many walls meet in one place.
	lattice := rapid.SampledFrom([]float64{0.1, 0.05, 0.0001}).Draw(t, "lattice")
	seen := map[[2]int]bool{}
	for range n {
		x := rapid.IntRange(0, int(2/lattice)).Draw(t, "x")
		y := rapid.IntRange(0, int(2/lattice)).Draw(t, "y")
		if seen[[2]int{x, y}] {
			continue
		}
		seen[[2]int{x, y}] = true
		i := len(c.Places)
		c.Places = append(c.Places, Place{
			ID: zone.ID(fmt.Sprintf("p%03d", i)), Admin: fmt.Sprint(i % 3), Capital: i%5 < 2, Population: 1000 - i,
			Names: map[string]string{"en": fmt.Sprint("Place ", i)},
			At:    geo.Point{Lon: geo.Degrees(30 + float64(x)*lattice), Lat: geo.Degrees(48 + float64(y)*lattice)},
		})
	}
	for i := range min(3, len(c.Places)) {
		c.Provinces = append(c.Provinces, Province{Admin: fmt.Sprint(i), ID: zone.ID(fmt.Sprint("P", i)), Names: map[string]string{"en": fmt.Sprint("Province ", i)}})
	}
	return c
}

func TestDivisionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCountry(t)
		zones, notes, err := Zones(c)
		if err != nil {
			if strings.Contains(err.Error(), "none of the places") || strings.Contains(err.Error(), "no place of it is left") {
				return
			}
			t.Fatal(err)
		}
		set, err := zone.NewSet(zones)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(c.Places) - leftOut(notes); set.Len() != want {
			t.Fatalf("%d leaves of %d places, %q", set.Len(), len(c.Places), notes)
		}
		sum := map[int]float64{}
		set.All(func(z zone.Zone) bool {
			sum[z.Level] += float64(z.Shape.Area())
			return true
		})
		whole := float64(c.Outline.Area())
		for level := 1; level <= 3; level++ {
			// Where walls meet the outline it is rounded to the grid of a metre.
			if math.Abs(sum[level]/whole-1) > 1e-5 {
				t.Fatalf("level %d covers %.9f of the country", level, sum[level]/whole)
			}
		}
		r := zone.Check([]zone.File{{Name: "f", Data: set.GeoJSON()}}, zone.Limits{}, nil)
		for _, m := range r.Remarks {
			for _, never := range []string{"overlaps", "outside", "not covered", "differ"} {
				if strings.Contains(m.What, never) {
					t.Fatalf("%s", m)
				}
			}
			if strings.Contains(m.What, "gaps") && len(c.Outline[0].Holes) == 0 {
				t.Fatalf("%s", m)
			}
		}
		checkNearest(t, c, set)
	})
}

func leftOut(notes []string) int {
	n := 0
	for _, note := range notes {
		if strings.Contains(note, "left out") || strings.Contains(note, "joined") {
			n++
		}
	}
	return n
}

// checkNearest asks at places of a lattice whether the zone is that of the nearest site.
func checkNearest(t *rapid.T, c Country, set *zone.Set) {
	cos := math.Cos(49 * math.Pi / 180)
	distance := func(a, b geo.Point) float64 {
		return math.Hypot(float64(a.Lon-b.Lon)*cos, float64(a.Lat-b.Lat))
	}
	shape := geo.NewShape(c.Outline)
	for x := 0.013; x < 2; x += 0.171 {
		for y := 0.017; y < 2; y += 0.173 {
			p := geo.Point{Lon: geo.Degrees(30 + x), Lat: geo.Degrees(48 + y)}
			if !shape.Contains(p) || shape.BorderDistance(p, 1e6) < 10 {
				continue
			}
			got, ok := set.At(p)
			if !ok {
				t.Fatalf("%v is in no zone", p)
			}
			nearest := math.Inf(1)
			for i := range set.Len() {
				nearest = min(nearest, distance(p, set.ByIndex(i).Label))
			}
			// On the grid of a metre the walls are off by a metre.
			if d := distance(p, got.Label); d > nearest+5e-5 {
				t.Fatalf("%v belongs to %s at %v, but the nearest is at %v", p, got.ID, d, nearest)
			}
		}
	}
}

func TestSettle(t *testing.T) {
	at := func(lon, lat float64) geo.Point { return geo.Point{Lon: geo.Degrees(lon), Lat: geo.Degrees(lat)} }
	c := Country{
		Outline:   outlines[0],
		Provinces: []Province{{Admin: "1", ID: "P1"}, {Admin: "2", ID: "P2"}},
		Places: []Place{
			{ID: "in", Admin: "1", Population: 10, At: at(31, 49)},
			{ID: "shore", Admin: "2", Population: 9, At: at(32.01, 49)},
			{ID: "far", Admin: "2", Population: 8, At: at(33, 49)},
			{ID: "twin", Admin: "1", Population: 7, At: at(31.0001, 49)},
			{ID: "seat", Admin: "1", Capital: true, Population: 1, At: at(30.5, 48.5)},
		},
	}
	zones, notes, err := Zones(c)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(notes, "\n")
	for _, want := range []string{"shore: 0.7 km outside the outline: its zone begins at the shore", "far: 73.2 km outside the outline: left out", "twin: at the same place as in: joined"} {
		if !strings.Contains(text, want) {
			t.Errorf("no note %q in\n%s", want, text)
		}
	}
	set, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 3 {
		t.Errorf("%d leaves", set.Len())
	}
	if z, _ := set.Get("in"); z.Population != 17 || z.Parent != "M-seat" || !z.Shape.Contains(z.Label) {
		t.Errorf("in: %+v", z)
	}
	if id, _, ok := set.Resolve("twin"); !ok || id != "in" {
		t.Errorf("twin stands for %q", id)
	}
	if z, _ := set.Get("shore"); z.Parent != "M-shore" || !z.Shape.Contains(z.Label) || z.Label.Lon >= 32 {
		t.Errorf("shore: %+v", z)
	}
	if z, _ := set.Get("P1"); z.Population != 18 || set.Region("in") != "P1" {
		t.Errorf("P1: %d people; in is in %s", z.Population, set.Region("in"))
	}
	c.Places[0].Admin = "9"
	if _, _, err := Zones(c); err == nil || !strings.Contains(err.Error(), `no province has admin code "9"`) {
		t.Errorf("unknown province: %v", err)
	}
}

func BenchmarkZones(b *testing.B) {
	c := Country{Outline: outlines[1], Provinces: []Province{{Admin: "0", ID: "P"}}}
	for i := range 2000 {
		c.Places = append(c.Places, Place{ID: zone.ID(fmt.Sprintf("p%05d", i)), Admin: "0",
			At: geo.Point{Lon: geo.Degrees(30 + float64(i*7919%2000)/1000), Lat: geo.Degrees(48 + float64(i*104729%1999)/1000)}})
	}
	for b.Loop() {
		if _, _, err := Zones(c); err != nil {
			b.Fatal(err)
		}
	}
}
