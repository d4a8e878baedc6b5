package zone

import (
	"fmt"
	"strings"
	"testing"
)

func remarks(r Report) string {
	var out []string
	for _, m := range r.Remarks {
		out = append(out, m.String())
	}
	return strings.Join(out, "\n")
}

func TestFigures(t *testing.T) {
	s := mustSet(t,
		Zone{ID: "P", Level: 1, Shape: rect(30, 50, 33, 51), PopulationKnown: true, Population: 10},
		Zone{ID: "a", Level: 2, Parent: "P", Shape: rect(30, 50, 31.1, 51), PopulationKnown: true, Population: 3},
		Zone{ID: "b", Level: 2, Parent: "P", Shape: rect(31, 50, 32, 51), PopulationKnown: true, Population: 4},
		Zone{ID: "c", Level: 2, Parent: "P", Shape: rect(32.5, 50, 33.5, 51), PopulationKnown: true, Population: 4},
	)
	last := 0
	r := Check([]File{{"f", s.GeoJSON()}}, Limits{}, func(done, total int) {
		if done < last || done > total {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	})
	if r.Bad() || r.Version != s.Version() || r.Leaves != 3 {
		t.Fatalf("%+v", r)
	}
	text := remarks(r)
	tenth, half := rect(31, 50, 31.1, 51).Area(), rect(33, 50, 33.5, 51).Area()
	for _, want := range []string{
		fmt.Sprintf("level 2: overlaps, %s in all: 1 (a with b %s)", km2(tenth), km2(tenth)),
		fmt.Sprintf("children outside their parent, %s in all: 1 (c of P %s)", km2(half), km2(half)),
		"parents not covered by their children",
		"level 1: 10 people in zones that state it: 1",
		"level 2: 11 people in zones that state it: 3",
		"people of the children and of the parent differ: 1 (P: 11 and 10)",
		"no shelter time (the default will be used): 3",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no remark %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "gaps") {
		t.Errorf("the open gap between b and c is no enclosed one:\n%s", text)
	}
}

func TestFiguresOfASoundSet(t *testing.T) {
	s := mustSet(t, grid(15)...)
	text := remarks(Check([]File{{"f", s.GeoJSON()}}, Limits{}, nil))
	// Points along a side are rounded on their own, so slivers of some 1e-15 are there, and
	// are no remark.
	for _, never := range []string{"overlaps", "outside", "gaps"} {
		if strings.Contains(text, never) {
			t.Errorf("%s in\n%s", never, text)
		}
	}
	holed := grid(15)
	holed = append(holed[:112], holed[113:]...) // the middle one
	text = remarks(Check([]File{{"f", mustSet(t, holed...).GeoJSON()}}, Limits{}, nil))
	if !strings.Contains(text, "level 1: gaps between zones") {
		t.Errorf("the missing zone is not seen as a gap:\n%s", text)
	}
}
