package zone

import (
	"strings"
	"testing"

	"tocsin/core/geo"
)

func readShared(t testing.TB, names ...string) (*Set, Report) {
	t.Helper()
	var files []File
	for _, n := range names {
		files = append(files, shared(t, n))
	}
	return ReadSet(files, Limits{})
}

func ukraine(t testing.TB) *Set {
	t.Helper()
	s, r := readShared(t, "ua-oblasts.geojson", "ua-raions.geojson", "ua-hromadas.geojson")
	if r.Bad() {
		t.Fatal(r.Defects)
	}
	return s
}

func TestUkraineAsItIs(t *testing.T) {
	s := ukraine(t)
	if s.Len() != 1469+5+2+10 { // hromadas, remainders, Kyiv and Sevastopol, raions of Crimea
		t.Errorf("%d leaves", s.Len())
	}
	if n := len(s.Regions()); n != 27 {
		t.Errorf("%d regions", n)
	}
	for _, c := range []struct {
		name     string
		lat, lon geo.Degrees
		region   ID
		level    int
	}{
		{"Kyiv, its own parent", 50.45, 30.52, "UA80000000000093317", 3},
		{"Sevastopol", 44.6, 33.53, "UA85000000000065278", 3},
		{"Simferopol, in a raion without hromadas", 44.95, 34.1, "UA01000000000013043", 2},
		{"Lviv", 49.84, 24.03, "UA46000000000026241", 3},
	} {
		z, ok := s.At(geo.Point{Lat: c.lat, Lon: c.lon})
		if !ok || s.Region(z.ID) != c.region || z.Level != c.level {
			t.Errorf("%s: %s of level %d in %s", c.name, z.ID, z.Level, s.Region(z.ID))
		}
	}
	if _, ok := s.At(geo.Point{Lat: 44.5, Lon: 31}); ok {
		t.Error("the Black Sea belongs to a zone")
	}
	if got := s.Leaves("UA80000000000093317"); len(got) != 1 {
		t.Errorf("Kyiv stands for %v", got)
	}
}

func TestUkraineHasNoDefect(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: takes seconds")
	}
	r := Check([]File{shared(t, "ua-oblasts.geojson"), shared(t, "ua-raions.geojson"), shared(t, "ua-hromadas.geojson")}, Limits{}, nil)
	if r.Bad() {
		t.Error(r.Defects)
	}
	text := remarks(r)
	for _, never := range []string{"overlaps", "children outside", "parents not covered"} {
		if strings.Contains(text, never) {
			t.Errorf("%s in\n%s", never, text)
		}
	}
	if !strings.Contains(text, "parent not in these files: 27") {
		t.Error(text)
	}
}

func TestIsraelAsItIs(t *testing.T) {
	s, r := readShared(t, "il-areas.geojson")
	if r.Bad() {
		t.Fatal(r.Defects)
	}
	if s.Len() != 1449 || len(s.Regions()) != 1 || s.Regions()[0] != Everywhere {
		t.Errorf("%d leaves, regions %v", s.Len(), s.Regions())
	}
	zero := 0
	for i := range s.Len() {
		z := s.ByIndex(i)
		if z.ShelterKnown && z.Shelter == 0 {
			zero++
		}
	}
	if zero == 0 {
		t.Error("no area with a shelter time of 0: it was taken as unknown")
	}
	if z, ok := s.At(geo.Point{Lat: 31.95, Lon: 34.88}); !ok {
		t.Error("a place on a road belongs to no area")
	} else if z.Name("he") == string(z.ID) {
		t.Errorf("%s has no Hebrew name", z.ID)
	}
}
