package alert

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/wire/cap12"
)

func capBytes(t *testing.T, a Alert, zones *zone.Set, cfg Config) []byte {
	t.Helper()
	c, err := CAP(a, zones, cfg)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkCAP holds a document against our own rules, and against the schema where xmllint
// and the schema are there.
func checkCAP(t *testing.T, a Alert, zones *zone.Set, cfg Config) []byte {
	t.Helper()
	b := capBytes(t, a, zones, cfg)
	r := cap12.Check(b)
	odd := slices.DeleteFunc(r.Warnings, func(w cap12.Remark) bool { return w.Rule == cap12.OddMarkup }) // a name has it
	if !r.Valid() || len(odd) > 0 {
		t.Errorf("defects %v, warnings %v", r.Defects, odd)
	}
	if bytes.Contains(b, []byte("+00:00")) || !bytes.Contains(b, []byte("-00:00")) {
		t.Error("times are not in UTC as CAP writes it")
	}
	return b
}

// TestSchema has xmllint judge alerts of every kind, stage and threat in every language.
func TestSchema(t *testing.T) {
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("absent: xmllint")
	}
	schema := shared(t, "fixtures", "cap", "xsd", "CAP-v1.2.xsd")
	zones := someZones(t)
	dir := t.TempDir()
	files := []string{"--noout", "--schema", schema}
	write := func(a Alert, cfg Config) {
		file := filepath.Join(dir, fmt.Sprintf("%03d.xml", len(files)))
		if err := os.WriteFile(file, checkCAP(t, a, zones, cfg), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for _, u := range []Universe{Live, Exercise} {
		cfg := config(t, u, Languages()...)
		for _, c := range class.All() {
			for _, s := range []warning.Stage{warning.Prepare, warning.Shelter} {
				change := warn(zones, 1, s, c, 4)
				first, err := Compose(change, zones, cfg, nil, start)
				if err != nil {
					t.Fatal(err)
				}
				write(first, cfg)
				for _, e := range []warning.End{warning.AllClear, warning.Cancelled} {
					next, err := Compose(leave(change, 4, e, start.Add(time.Minute)), zones, cfg, []Alert{first}, start.Add(time.Minute))
					if err != nil {
						t.Fatal(err)
					}
					write(next, cfg)
				}
			}
		}
	}
	if out, err := exec.Command(lint, files...).CombinedOutput(); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}

// TestCAPSaysWhatTheContractSays.
func TestCAPSaysWhatTheContractSays(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Exercise, "uk", "en")
	change := warn(zones, 1, warning.Shelter, class.Drone, 2)
	a, err := Compose(change, zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	c, err := CAP(a, zones, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if c.Status != cap12.StatusExercise || c.Scope != cap12.ScopePublic || !strings.Contains(c.Note, "exercise") ||
		c.Code[0] != "shelter-drone" || c.Incidents[0] != "wmwrsbk00" || len(c.Infos) != 2 {
		t.Errorf("%+v", c)
	}
	i := c.Infos[1]
	if i.Language != "en" || i.SenderName != "State Emergency Service" || i.Categories[0] != cap12.CategorySafety || i.Categories[1] != cap12.CategorySecurity ||
		i.ResponseTypes[0] != cap12.ResponseShelter || i.Urgency != cap12.UrgencyImmediate || i.Severity != cap12.SeverityExtreme || i.Certainty != cap12.CertaintyObserved {
		t.Errorf("%+v", i)
	}
	if !strings.HasPrefix(i.Headline, "EXERCISE. ") || len(i.Areas) != 2 || i.Areas[0].Geocodes[0] != (cap12.Value{Name: "tocsin:zone", Value: string(zones.ByIndex(0).ID)}) ||
		len(i.Areas[0].Polygons) != 1 || i.Areas[0].Desc != "Sumy" {
		t.Errorf("%q %+v", i.Headline, i.Areas)
	}
	if c.Infos[0].SenderName != "warnings@example.gov" {
		t.Errorf("a sender without a name: %q", c.Infos[0].SenderName)
	}
	for _, g := range []struct {
		stage     warning.Stage
		end       warning.End
		sure      warning.Sure
		response  cap12.ResponseType
		urgency   cap12.Urgency
		severity  cap12.Severity
		certainty cap12.Certainty
	}{
		{warning.Prepare, 0, warning.Low, cap12.ResponsePrepare, cap12.UrgencyExpected, cap12.SeveritySevere, cap12.CertaintyPossible},
		{warning.Prepare, 0, warning.High, cap12.ResponsePrepare, cap12.UrgencyExpected, cap12.SeveritySevere, cap12.CertaintyLikely},
		{warning.Shelter, 0, warning.Medium, cap12.ResponseShelter, cap12.UrgencyImmediate, cap12.SeverityExtreme, cap12.CertaintyLikely},
		{warning.Quiet, warning.AllClear, warning.High, cap12.ResponseAllClear, cap12.UrgencyPast, cap12.SeverityMinor, cap12.CertaintyObserved},
		{warning.Quiet, warning.Cancelled, warning.High, cap12.ResponseNone, cap12.UrgencyPast, cap12.SeverityMinor, cap12.CertaintyUnlikely},
	} {
		var i cap12.Info
		grade(&i, Text{Stage: g.stage, End: g.end}, g.sure)
		if i.ResponseTypes[0] != g.response || i.Urgency != g.urgency || i.Severity != g.severity || i.Certainty != g.certainty {
			t.Errorf("%+v: %+v", g, i)
		}
	}
}

func TestCAPRefuses(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Live, "en")
	good, err := Compose(warn(zones, 1, warning.Shelter, class.Drone, 2), zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(*Alert){
		"kind":    func(a *Alert) { a.Kind = "x" },
		"no text": func(a *Alert) { a.Texts = nil },
		"no item": func(a *Alert) { a.Items = nil },
	} {
		a := good
		f(&a)
		if _, err := CAP(a, zones, cfg); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	// A zone that the set does not have any more keeps its code and name.
	other, err := zone.NewSet([]zone.Zone{zones.ByIndex(3)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := CAP(good, other, cfg)
	if err != nil || c.Infos[0].Areas[0].Desc != "Sumy" || len(c.Infos[0].Areas[0].Polygons) != 0 {
		t.Errorf("%+v %v", c, err)
	}
}

// TestNarrow: what the sender may not speak of is in no area, text or item of the document;
// what is left is whole, and its bounds are its own.
func TestNarrow(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Live, "en", "uk")
	c := warn(zones, 1, warning.Shelter, class.Drone, 3)
	c.Warning.Zones[1].Threat = class.Rocket
	c.Warning.Zones[1].Until = start.Add(2 * time.Hour)
	a, err := Compose(c, zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	all := func(class.Class, zone.ID) bool { return true }
	if same, err := Narrow(a, all, zones, cfg); err != nil || !slices.EqualFunc(same.Texts, a.Texts, func(x, y Text) bool { return x == y }) || len(same.Areas) != 3 {
		t.Errorf("nothing was to be left out: %+v, %v", same, err)
	}
	if _, err := Narrow(a, func(class.Class, zone.ID) bool { return false }, zones, cfg); !errors.Is(err, ErrNothingToSay) {
		t.Errorf("nothing is left: %v", err)
	}
	out := zones.ByIndex(0)
	left, err := Narrow(a, func(c class.Class, id zone.ID) bool { return c == class.Drone && id != out.ID }, zones, cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := checkCAP(t, left, zones, cfg)
	for _, word := range []string{"Sumy", "Суми", "Okhtyrka", "rocket", string(out.ID)} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("%q is still in it:\n%s", word, b)
		}
	}
	if !bytes.Contains(b, []byte("Kam&apos;yanka")) && !bytes.Contains(b, []byte("Kam&#39;yanka")) && !bytes.Contains(b, []byte("Kam'yanka")) {
		t.Errorf("what may be said is not:\n%s", b)
	}
	if !left.Expires.Equal(start.Add(30*time.Minute)) || left.ID != a.ID || len(left.Areas) != 1 || len(a.Areas) != 3 {
		t.Errorf("left is %+v", left)
	}
}

// TestNationwide is the largest alert there is: every hromada of Ukraine in five languages.
func TestNationwide(t *testing.T) {
	var files []zone.File
	for _, name := range []string{"ua-oblasts.geojson", "ua-raions.geojson", "ua-hromadas.geojson"} {
		b, err := os.ReadFile(shared(t, "data", "zones", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, zone.File{Name: name, Data: b})
	}
	zones, report := zone.ReadSet(files, zone.Limits{})
	if zones == nil {
		t.Fatalf("%+v", report)
	}
	cfg := config(t, Live, Languages()...)
	a, err := Compose(warn(zones, 1, warning.Shelter, class.CruiseMissile, zones.Len()), zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	b := checkCAP(t, a, zones, cfg)
	t.Logf("%d zones, %d languages, at most %d points a ring: %d bytes", zones.Len(), len(cfg.Languages), ringLimit(a, zones), len(b))
}

// TestOutwardHoldsAll: whatever the ring, what it held is held by what is drawn, in few
// points.
func TestOutwardHoldsAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(5, 300).Draw(rt, "corners")
		limit := rapid.IntRange(minRing, 64).Draw(rt, "limit")
		r := make(geo.Ring, 0, n+1)
		for i := range n { // a star: simple, with bays
			a := 2 * math.Pi * float64(i) / float64(n)
			d := rapid.Float64Range(0.2, 1).Draw(rt, "radius")
			r = append(r, geo.Point{Lat: geo.Degrees(50 + d*math.Sin(a)), Lon: geo.Degrees(30 + d*math.Cos(a))})
		}
		if rapid.Bool().Draw(rt, "clockwise") {
			for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
				r[i], r[j] = r[j], r[i]
			}
		}
		r = append(r, r[0])
		got := outward(r, limit)
		if len(got) > max(limit, 4) && len(got) != len(r) || got[0] != got[len(got)-1] || len(got) < 4 {
			rt.Fatalf("%d points of %d, limit %d", len(got), len(r), limit)
		}
		if len(got) > limit && len(r) > limit {
			rt.Fatalf("%d points, limit %d", len(got), limit)
		}
		for i := range r[:len(r)-1] {
			for _, p := range []geo.Point{r[i], {Lat: (r[i].Lat + r[i+1].Lat) / 2, Lon: (r[i].Lon + r[i+1].Lon) / 2}} {
				if !inside(got, p) {
					rt.Fatalf("%v fell out of %v", p, got)
				}
			}
		}
		for i := 0; i+1 < len(got); i++ {
			for j := i + 2; j+1 < len(got); j++ {
				if (i > 0 || j+2 < len(got)) && cross(got[i], got[i+1], got[j], got[j+1]) {
					rt.Fatalf("it crosses itself: %v", got)
				}
			}
		}
	})
}

// inside is ray casting with a hair's breadth of tolerance at the border.
func inside(r geo.Ring, p geo.Point) bool {
	odd := false
	for i := 0; i+1 < len(r); i++ {
		a, b := r[i], r[i+1]
		if d := turn(a, b, p); math.Abs(d) < 1e-9 &&
			min(a.Lon, b.Lon)-1e-9 <= p.Lon && p.Lon <= max(a.Lon, b.Lon)+1e-9 && min(a.Lat, b.Lat)-1e-9 <= p.Lat && p.Lat <= max(a.Lat, b.Lat)+1e-9 {
			return true
		}
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) && p.Lon < a.Lon+(b.Lon-a.Lon)*(p.Lat-a.Lat)/(b.Lat-a.Lat) {
			odd = !odd
		}
	}
	return odd
}

func cross(a, b, c, d geo.Point) bool {
	const eps = 1e-12
	return turn(a, b, c)*turn(a, b, d) < -eps && turn(c, d, a)*turn(c, d, b) < -eps
}
