package zone

import (
	"math"
	"slices"
	"testing"

	"tocsin/core/geo"
)

func mustSet(t testing.TB, zones ...Zone) *Set {
	t.Helper()
	s, err := NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDiff(t *testing.T) {
	old := mustSet(t,
		Zone{ID: "gone", Shape: rect(0, 0, 1, 1), Names: map[string]string{"en": "Gone"}},
		Zone{ID: "same", Shape: rect(1, 0, 2, 1)},
		Zone{ID: "up", Shape: rect(2, 0, 4, 1), Level: 1},
		Zone{ID: "z", Level: 2, Parent: "up", Region: "n", Shape: rect(2, 0, 3, 1), Names: map[string]string{"en": "Old", "uk": "Стара"}, Label: geo.Point{Lat: 0.5, Lon: 2.5}, Shelter: 1e9, ShelterKnown: true},
	)
	new := mustSet(t,
		Zone{ID: "came", Shape: rect(5, 0, 6, 1)},
		Zone{ID: "same", Shape: rect(1, 0, 2, 1)},
		Zone{ID: "up", Shape: rect(2, 0, 4, 1), Level: 1},
		Zone{ID: "z", Level: 2, Parent: "same", Region: "s", Shape: rect(2.5, 0, 4, 1), Names: map[string]string{"en": "New", "he": "x"}, Label: geo.Point{Lat: 0.5, Lon: 2.6}},
	)
	d := Diff(old, new)
	if d.From != old.Version() || d.To != new.Version() || d.Empty() {
		t.Errorf("%+v", d)
	}
	if len(d.Added) != 1 || d.Added[0].ID != "came" || len(d.Removed) != 1 || d.Removed[0] != (Entry{"gone", 1, "Gone"}) {
		t.Errorf("added %v, removed %v", d.Added, d.Removed)
	}
	var what []string
	for _, r := range slices.Concat(d.Renamed, d.Reparented, d.Restated) {
		what = append(what, r.What+":"+r.Old+">"+r.New)
	}
	want := []string{"name_en:Old>New", "name_he:>x", "name_uk:Стара>", "parent:up>same", "region:n>s", "shelter_s:1>", "lon:2.5>2.6"}
	if len(what) != len(want) {
		t.Fatalf("%v, want %v", what, want)
	}
	for i := range want {
		if what[i] != want[i] {
			t.Errorf("%q, want %q", what[i], want[i])
		}
	}
	lost, gained := rect(2, 0, 2.5, 1).Area(), rect(3, 0, 4, 1).Area()
	if len(d.Reshaped) != 1 || math.Abs(float64(d.Reshaped[0].Lost-lost)) > 1 || math.Abs(float64(d.Reshaped[0].Gained-gained)) > 1 {
		t.Errorf("reshaped %+v, want %v lost and %v gained", d.Reshaped, lost, gained)
	}
	if !Diff(old, old).Empty() {
		t.Error("a set differs from itself")
	}
}

func TestCarry(t *testing.T) {
	old := mustSet(t,
		Zone{ID: "P", Level: 1, Shape: rect(30, 50, 34, 51)},
		Zone{ID: "a", Level: 2, Parent: "P", Shape: rect(30, 50, 31, 51)},
		Zone{ID: "b", Level: 2, Parent: "P", Shape: rect(31, 50, 32, 51)},
		Zone{ID: "c", Level: 2, Parent: "P", Shape: rect(32, 50, 33, 51)},
		Zone{ID: "d", Level: 2, Parent: "P", Shape: rect(33, 50, 34, 51)},
		Zone{ID: "far", Level: 1, Shape: rect(10, 10, 11, 11)},
	)
	new := mustSet(t,
		Zone{ID: "P", Level: 1, Shape: rect(30, 50, 34, 51)},
		Zone{ID: "a", Level: 2, Parent: "P", Shape: rect(30, 50, 30.6, 51)},  // gave its east to b
		Zone{ID: "b", Level: 2, Parent: "P", Shape: rect(30.6, 50, 32, 51)},  // grew
		Zone{ID: "c1", Level: 2, Parent: "P", Shape: rect(32, 50, 32.5, 51)}, // c was split
		Zone{ID: "c2", Level: 2, Parent: "P", Shape: rect(32.5, 50, 33, 51)},
		// d is gone and its land in no zone
	)
	for _, c := range []struct {
		id   ID
		want []ID
	}{
		{"a", []ID{"a", "b"}},
		{"b", []ID{"b"}},
		{"c", []ID{"c1", "c2"}},
		{"d", []ID{"a", "b", "c1", "c2"}}, // its parent
		{"P", []ID{"a", "b", "c1", "c2"}},
		{"far", []ID{"a", "b", "c1", "c2"}},     // nothing of it is known: everywhere
		{"unknown", []ID{"a", "b", "c1", "c2"}}, // likewise
	} {
		if got := Carry(old, new, c.id); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.id, got, c.want)
		}
		if got := Carry(new, new, c.id); len(new.Leaves(c.id)) > 0 && !slices.Equal(got, new.Leaves(c.id)) {
			t.Errorf("%s in the same set: %v", c.id, got)
		}
	}
}

// However a map is drawn anew, every place of a warned zone lies in a zone that is warned.
func TestCarryKeepsEveryPlace(t *testing.T) {
	old := mustSet(t, grid(12)...)
	new := mustSet(t, grid(17)...)
	for i := range old.Len() {
		warned := Carry(old, new, old.ByIndex(i).ID)
		for _, p := range old.ByIndex(i).Shape[0].Outer {
			// A little inside, towards the label.
			l := old.ByIndex(i).Label
			p.Lat += (l.Lat - p.Lat) / 50
			p.Lon += (l.Lon - p.Lon) / 50
			z, ok := new.At(p)
			if !ok || !old.Shape(i).Contains(p) {
				continue
			}
			k, _ := new.Index(z.ID)
			if new.Shape(k).Contains(p) && !slices.Contains(warned, z.ID) {
				t.Fatalf("%v was warned with %s, is in %s now, and warned are %v", p, old.ByIndex(i).ID, z.ID, warned)
			}
		}
	}
}
