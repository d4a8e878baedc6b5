package zone

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tocsin/core/geo"
)

func TestLeavesAndRegions(t *testing.T) {
	s := country(t)
	for _, c := range []struct {
		id     ID
		leaves []ID
		region ID
	}{
		{"A", []ID{"A11", "A12", "A2"}, "A"},
		{"A1", []ID{"A11", "A12"}, "A"},
		{"A2", []ID{"A2"}, "A"},
		{"A12", []ID{"A12"}, "A"},
		{"K", []ID{"K"}, "K"},
		{"X", []ID{"A11", "A12", "A2", "K"}, Everywhere}, // a parent outside the set holds what names it
		{Everywhere, []ID{"A11", "A12", "A2", "K"}, Everywhere},
		{"nowhere", nil, Everywhere},
	} {
		if got := s.Leaves(c.id); !slices.Equal(got, c.leaves) {
			t.Errorf("%s: leaves %v, want %v", c.id, got, c.leaves)
		}
		if got := s.Region(c.id); got != c.region {
			t.Errorf("%s: region %s, want %s", c.id, got, c.region)
		}
	}
	if got := s.Regions(); !slices.Equal(got, []ID{"A", "K"}) {
		t.Errorf("regions %v", got)
	}
	if s.Len() != 4 {
		t.Errorf("%d leaves", s.Len())
	}
	for i := range s.Len() {
		z := s.ByIndex(i)
		if k, ok := s.Index(z.ID); !ok || k != i {
			t.Errorf("%s: index %d %v, want %d", z.ID, k, ok, i)
		}
		if i > 0 && s.ByIndex(i-1).ID >= z.ID {
			t.Errorf("%s does not follow %s", z.ID, s.ByIndex(i-1).ID)
		}
	}
	if z, ok := s.Get("K"); !ok || z.Level != 3 {
		t.Errorf("K: %+v", z)
	}
	if _, ok := s.Index("A1"); ok {
		t.Error("a parent has no index")
	}
}

func TestRegionsByProperty(t *testing.T) {
	flat, err := NewSet([]Zone{{ID: "a", Shape: rect(0, 0, 1, 1)}, {ID: "b", Shape: rect(1, 0, 2, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := flat.Regions(); !slices.Equal(got, []ID{Everywhere}) {
		t.Errorf("a flat set has the regions %v", got)
	}
	stated, err := NewSet([]Zone{
		{ID: "a", Region: "north", Shape: rect(0, 0, 1, 1)}, {ID: "b", Region: "south", Shape: rect(1, 0, 2, 1)},
		{ID: "c", Shape: rect(2, 0, 3, 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := stated.Regions(); !slices.Equal(got, []ID{Everywhere, "north", "south"}) {
		t.Errorf("regions %v", got)
	}
	if got := stated.Leaves("north"); !slices.Equal(got, []ID{"a"}) {
		t.Errorf("north: %v", got)
	}
	// What a parent states holds for its children.
	below, err := NewSet([]Zone{
		{ID: "p", Level: 1, Region: "east", Shape: rect(0, 0, 1, 1)},
		{ID: "q", Level: 2, Parent: "p", Shape: rect(0, 0, 1, 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := below.Region("q"); got != "east" {
		t.Errorf("region %s", got)
	}
}

func TestNames(t *testing.T) {
	s := country(t)
	for _, c := range []struct {
		id         ID
		lang, want string
	}{
		{"A", "uk", "Альфа"}, {"A", "he", "Alpha"}, {"A2", "uk", "second"}, {"A11", "en", "Перша"},
		{"A12", "en", "A12"}, {"nowhere", "en", "nowhere"},
		// Russian and Ukrainian readers read each other's letters; of no other two languages is that so.
		{"A", "ru", "Альфа"}, {"A", "ar", "Alpha"},
	} {
		if got := s.Name(c.id, c.lang); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.id, c.lang, got, c.want)
		}
	}
}

func TestAt(t *testing.T) {
	s := country(t)
	p := func(lat, lon float64) geo.Point { return geo.Point{Lat: geo.Degrees(lat), Lon: geo.Degrees(lon)} }
	for _, c := range []struct {
		name string
		p    geo.Point
		want ID
	}{
		{"in a zone", p(50.5, 30.2), "A11"},
		{"in a district without zones", p(50.5, 31.5), "A2"},
		{"in one id at three levels", p(50.5, 32.5), "K"},
		{"on a border: the lower id of equal ones", p(50.5, 30.5), "A11"},
		{"on a border: the finer level", p(50.5, 31), "A12"},
		{"on the outer border", p(50, 30), "A11"},
		{"4 km outside", p(49.964, 30.2), "A11"},
		{"6 km outside", p(49.946, 30.2), ""},
		{"4.9 km east", geo.Destination(p(50.5, 33), 90, 4900), "K"},
		{"5.1 km east", geo.Destination(p(50.5, 33), 90, 5100), ""},
		{"no place", geo.Point{Lat: 91}, ""},
	} {
		z, ok := s.At(c.p)
		if ok != (c.want != "") || z.ID != c.want {
			t.Errorf("%s: %q %v, want %q", c.name, z.ID, ok, c.want)
		}
	}
}

// The smaller of two zones that hold a place is the finer one.
func TestAtOverlap(t *testing.T) {
	s, err := NewSet([]Zone{{ID: "a", Shape: rect(30, 50, 31, 51)}, {ID: "b", Shape: rect(30.4, 50.4, 30.6, 50.6)}})
	if err != nil {
		t.Fatal(err)
	}
	if z, _ := s.At(geo.Point{Lat: 50.5, Lon: 30.5}); z.ID != "b" {
		t.Errorf("%s", z.ID)
	}
}

func TestQueriesAgainstEveryZone(t *testing.T) {
	zones := grid(20)
	// Some over the antimeridian, and one with two parts at its two sides.
	for i := range zones[:100] {
		for k := range zones[i].Shape[0].Outer {
			p := &zones[i].Shape[0].Outer[k]
			if p.Lon += 157.5; p.Lon > 180 {
				p.Lon -= 360
			}
		}
	}
	s, err := NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	found := 0
	for range 3000 {
		z := s.ByIndex(r.IntN(s.Len()))
		p := geo.Destination(z.Label, geo.Degrees(r.Float64()*360), geo.Metres(r.Float64()*60_000))
		e := geo.Ellipse{Centre: p, SemiMajor: geo.Metres(r.Float64() * 150_000), Bearing: geo.Degrees(r.Float64() * 360)}
		e.SemiMinor = e.SemiMajor * geo.Metres(r.Float64())
		var want, wantCircle []ID
		c := geo.Circle{Centre: p, Radius: e.SemiMinor}
		f, g := e.Footprint(), c.Footprint()
		for i := range s.Len() {
			if s.Shape(i).Meets(&f) {
				want = append(want, s.ByIndex(i).ID)
			}
			if s.Shape(i).Meets(&g) {
				wantCircle = append(wantCircle, s.ByIndex(i).ID)
			}
		}
		found += len(want)
		if got := ids(s, func(y func(int)) { s.InEllipse(e, y) }); !slices.Equal(got, want) {
			t.Fatalf("%+v: %v, want %v", e, got, want)
		}
		if got := ids(s, func(y func(int)) { s.InCircle(c, y) }); !slices.Equal(got, wantCircle) {
			t.Fatalf("%+v: %v, want %v", c, got, wantCircle)
		}
		var wantAt ID
		for i := range s.Len() {
			if s.Shape(i).Contains(p) {
				wantAt = s.ByIndex(i).ID
				break
			}
		}
		got, ok := s.At(p)
		if wantAt != "" && got.ID != wantAt {
			t.Fatalf("%v: %q, want %q", p, got.ID, wantAt)
		}
		if wantAt == "" {
			nearest := geo.Metres(1e9)
			for i := range s.Len() {
				nearest = min(nearest, s.Shape(i).DistanceTo(p))
			}
			if ok != (nearest <= Nearby) {
				t.Fatalf("%v: %v, but the nearest zone is %v m away", p, ok, nearest)
			}
			if i, _ := s.Index(got.ID); ok && s.Shape(i).DistanceTo(p) > nearest+1e-6 {
				t.Fatalf("%v: %s is not the nearest", p, got.ID)
			}
		}
	}
	if found < 3000 {
		t.Errorf("the ellipses met only %d zones", found)
	}
	box := geo.Box{South: 40, North: 60, West: 179, East: -179}
	if got := ids(s, func(y func(int)) { s.InBox(box, y) }); len(got) == 0 || !slices.IsSorted(got) {
		t.Errorf("over the antimeridian: %v", got)
	}
}

func TestResolve(t *testing.T) {
	s := country(t)
	check := func(s *Set, id, want ID, parent, ok bool) {
		t.Helper()
		got, p, o := s.Resolve(id)
		if got != want || p != parent || o != ok {
			t.Errorf("%s: %q %v %v, want %q %v %v", id, got, p, o, want, parent, ok)
		}
	}
	check(s, "A11", "A11", false, true)
	check(s, "A1", "A1", true, true)
	check(s, "first", "A11", false, true)
	check(s, "X", "X", true, true)
	check(s, Everywhere, Everywhere, true, true)
	check(s, "gone", "", false, false)
	check(s, "", "", false, false)

	// A new set without A12, then one without district A1 at all: what was known is still
	// resolved, to the nearest place above it that is left.
	var second, third []Zone
	s.All(func(z Zone) bool {
		if z.ID != "A12" {
			second = append(second, z)
		}
		if z.ID != "A12" && z.ID != "A11" && z.ID != "A1" {
			third = append(third, z)
		}
		return true
	})
	s2, err := NewSet(second)
	if err != nil {
		t.Fatal(err)
	}
	check(s2, "A12", "", false, false)
	s2 = s2.Remember(s)
	check(s2, "A12", "A1", true, true)
	s3, err := NewSet(third)
	if err != nil {
		t.Fatal(err)
	}
	s3 = s3.Remember(s2)
	check(s3, "A12", "A", true, true)
	check(s3, "A11", "A", true, true)
	check(s3, "gone", "", false, false)
	// Nothing above it is left: the whole country.
	s4, err := NewSet([]Zone{{ID: "B", Shape: rect(40, 50, 41, 51)}})
	if err != nil {
		t.Fatal(err)
	}
	check(s4.Remember(s3), "A11", Everywhere, true, true)
}

func TestAliasesOfTwoZonesMeanNeither(t *testing.T) {
	s, err := NewSet([]Zone{
		{ID: "a", Shape: rect(0, 0, 1, 1), Aliases: []string{"both", "b", "only"}},
		{ID: "b", Shape: rect(1, 0, 2, 1), Aliases: []string{"both"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := s.Resolve("both"); ok {
		t.Error("a spelling of two zones means neither")
	}
	if got, _, _ := s.Resolve("b"); got != "b" {
		t.Errorf("an id is not overruled by an alias: %s", got)
	}
	if got, _, _ := s.Resolve("only"); got != "a" {
		t.Errorf("only: %s", got)
	}
}

func TestNewSetRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		zones []Zone
		want  string
	}{
		{"nothing", nil, "no zones"},
		{"no id", []Zone{{Shape: rect(0, 0, 1, 1)}}, "id is missing"},
		{"reserved", []Zone{{ID: "TEST", Shape: rect(0, 0, 1, 1)}}, "reserved"},
		{"a tab in an id", []Zone{{ID: "a\tb", Shape: rect(0, 0, 1, 1)}}, "unprintable"},
		{"twice", []Zone{{ID: "a", Shape: rect(0, 0, 1, 1)}, {ID: "a", Shape: rect(0, 0, 1, 1)}}, "id twice at level 1"},
		{"no shape", []Zone{{ID: "a"}}, "no polygon"},
		{"cycle", []Zone{{ID: "a", Parent: "b", Shape: rect(0, 0, 1, 1)}, {ID: "b", Parent: "a", Shape: rect(0, 0, 1, 1)}}, "cycle of parents: a > b > a"},
		{"a language that is none", []Zone{{ID: "a", Names: map[string]string{"../x": "y"}, Shape: rect(0, 0, 1, 1)}}, "not a language"},
		{"label", []Zone{{ID: "a", Label: geo.Point{Lat: 99}, Shape: rect(0, 0, 1, 1)}}, "label"},
	} {
		_, err := NewSet(c.zones)
		if !errors.Is(err, ErrDefects) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestVersion(t *testing.T) {
	a, b := country(t), country(t)
	if a.Version() != b.Version() || len(a.Version()) != 16 {
		t.Errorf("versions %q and %q", a.Version(), b.Version())
	}
	seen := map[string]string{a.Version(): "as it is"}
	change := func(name string, f func(z *Zone)) {
		var zones []Zone
		a.All(func(z Zone) bool {
			z = z.clone()
			if z.ID == "A11" {
				f(&z)
			}
			zones = append(zones, z)
			return true
		})
		s, err := NewSet(zones)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, same := seen[s.Version()]; same {
			t.Errorf("%s has the version of %s", name, other)
		}
		seen[s.Version()] = name
	}
	change("name", func(z *Zone) { z.Names["uk"] = "Інша" })
	change("parent", func(z *Zone) { z.Parent = "A2" })
	change("region", func(z *Zone) { z.Region = "R" })
	change("people", func(z *Zone) { z.PopulationKnown = true })
	change("shelter", func(z *Zone) { z.ShelterKnown = true })
	change("alias", func(z *Zone) { z.Aliases = nil })
	change("label", func(z *Zone) { z.Label.Lat += 1e-9 })
	change("approximate", func(z *Zone) { z.Approximate = []string{"uk"} })
	change("shape", func(z *Zone) { z.Shape = rect(30, 50, 30.5000001, 51) })
	change("level", func(z *Zone) { z.Level = 4 })
}
