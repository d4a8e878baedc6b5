package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/threat"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/wire/cap12"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shared finds the fixtures beside the project, or skips naming what is absent.
func shared(t *testing.T, path ...string) string {
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	full := filepath.Join(append([]string{root}, path...)...)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("absent: shared/%s (set TOCSIN_SHARED)", filepath.Join(path...))
	}
	return full
}

// someZones are four squares with names in every language, one with markup in its name
// and one with an apostrophe, with shelter times known in two.
func someZones(t testing.TB) *zone.Set {
	t.Helper()
	names := [][]string{ // en, uk, he, ar, ru
		{"Sumy", "Суми", "סומי", "سومي", "Сумы"}, {"Okhtyrka", "Охтирка", "אוחטירקה", "أوختيركا", "Ахтырка"},
		{"Nova Kam'yanka", "Нова Кам’янка", "נובה קמיאנקה", "نوفا كاميانكا", "Новая Каменка"},
		{"<East & West>", "<Схід і Захід>", "<מזרח ומערב>", "<شرق وغرب>", "<Восток и Запад>"},
	}
	var zs []zone.Zone
	for i, n := range names {
		lat, lon := geo.Degrees(50), 30+geo.Degrees(i)/10
		z := zone.Zone{
			ID: zone.ID(fmt.Sprintf("UA5902001000%07d", i)), Level: 1,
			Names: map[string]string{"en": n[0], "uk": n[1], "he": n[2], "ar": n[3], "ru": n[4]},
			Shape: geo.MultiPolygon{{Outer: geo.Ring{{Lat: lat, Lon: lon}, {Lat: lat, Lon: lon + 0.1}, {Lat: lat + 0.1, Lon: lon + 0.1}, {Lat: lat + 0.1, Lon: lon}, {Lat: lat, Lon: lon}}}},
			Label: geo.Point{Lat: lat + 0.05, Lon: lon + 0.05},
		}
		if i < 2 {
			z.Shelter, z.ShelterKnown = time.Duration(i+1)*45*time.Second, true
		}
		zs = append(zs, z)
	}
	s, err := zone.NewSet(zs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func config(t testing.TB, u Universe, languages ...string) Config {
	t.Helper()
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		kyiv = time.FixedZone("EET", 2*3600)
	}
	c, err := Config{Universe: u, Sender: "warnings@example.gov", Languages: languages, Location: kyiv,
		Name: map[string]string{"en": "State Emergency Service"}}.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// warn is a warning of zones of the set, all in one state.
func warn(zones *zone.Set, revision int, s warning.Stage, c class.Class, n int) warning.Change {
	w := warning.Warning{
		ID: "wmwrsbk00", Revision: revision, At: start, Since: start,
		Causes: []warning.Cause{{Track: "secret-7", Threat: c, Evidence: []string{"secret plot"}}},
	}
	var touched []zone.ID
	for i := range n {
		z := zones.ByIndex(i).ID
		w.Zones = append(w.Zones, warning.ZoneState{
			Zone: z, Stage: s, Threat: c, Sure: warning.High, Since: start, Until: start.Add(30 * time.Minute),
			Arrival: threat.Arrival{Earliest: start.Add(3 * time.Minute), Likely: start.Add(4 * time.Minute), Latest: start.Add(6 * time.Minute)},
			Basis:   warning.Basis{Rule: "secret rule", Causes: []string{"secret-7"}},
		})
		touched = append(touched, z)
	}
	return warning.Change{Warning: w, Touched: touched}
}

// leave ends the first n zones in force, as the book would.
func leave(c warning.Change, n int, e warning.End, at time.Time) warning.Change {
	w := c.Warning
	w.Revision++
	w.At = at
	var touched []zone.ID
	w.Ended = slices.Clone(w.Ended)
	for _, z := range w.Zones[:n] {
		w.Ended = append(w.Ended, warning.EndedZone{ZoneState: z, End: e, At: at, Why: "for the test"})
		touched = append(touched, z.Zone)
	}
	w.Zones = slices.Clone(w.Zones[n:])
	return warning.Change{Warning: w, Touched: touched}
}

// TestChain follows one warning from its first alert to its end.
func TestChain(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Live, "uk", "en")
	var chain []Alert
	say := func(c warning.Change, at time.Time) Alert {
		t.Helper()
		a, err := Compose(c, zones, cfg, chain, at)
		if err != nil {
			t.Fatal(err)
		}
		checkCAP(t, a, zones, cfg)
		chain = append(chain, a)
		return a
	}
	c := warn(zones, 1, warning.Shelter, class.Drone, 4)
	a := say(c, start)
	if a.Kind != KindAlert || a.ID != "wmwrsbk00.1" || len(a.References) != 0 || len(a.Items) != 1 || len(a.Texts) != 2 || len(a.Areas) != 4 {
		t.Fatalf("the first alert %+v", a)
	}
	if !a.Expires.Equal(start.Add(30*time.Minute)) || a.Note != "" || a.Warning != "wmwrsbk00" || a.Set != zones.Version() {
		t.Fatalf("the first alert %+v", a)
	}

	// One zone all clear, one cancelled, in one change: never mixed in one text.
	at := start.Add(5 * time.Minute)
	c = leave(c, 1, warning.AllClear, at)
	first := c.Touched
	c = leave(c, 1, warning.Cancelled, at)
	c.Touched = append(first, c.Touched...)
	a = say(c, at)
	if a.Kind != KindUpdate || len(a.References) != 1 || len(a.Items) != 3 || len(a.Texts) != 6 {
		t.Fatalf("the mixed update: kind %s, %d references, %d items, %d texts", a.Kind, len(a.References), len(a.Items), len(a.Texts))
	}
	keys := []string{a.Items[0].Text, a.Items[1].Text, a.Items[2].Text}
	if !slices.Equal(keys, []string{"shelter-drone", "all-clear", "cancelled"}) {
		t.Fatalf("items %v", keys)
	}
	if !strings.Contains(a.Note, "by mistake") {
		t.Errorf("note %q", a.Note)
	}

	// What left is not said again, and an expiry says nothing by itself.
	at = start.Add(6 * time.Minute)
	c = leave(c, 1, warning.Expired, at)
	if _, err := Compose(warning.Change{Warning: leave(c, 1, warning.Expired, at).Warning, Touched: c.Touched}, zones, cfg, chain, at); !errors.Is(err, ErrNothingToSay) {
		t.Fatalf("an expiry is said: %v", err)
	}
	a = say(c, at)
	if len(a.Items) != 1 || len(a.References) != 2 {
		t.Fatalf("after an expiry: items %+v", a.Items)
	}

	at = start.Add(7 * time.Minute)
	c = leave(c, 1, warning.AllClear, at)
	a = say(c, at)
	if a.Kind != KindUpdate || len(a.Items) != 1 || a.Items[0].End != warning.AllClear || !a.Expires.Equal(at.Add(KeepEnds)) || len(a.References) != 3 {
		t.Fatalf("the last all-clear %+v", a)
	}
}

func TestCancel(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Exercise, "en")
	c := warn(zones, 1, warning.Prepare, class.Rocket, 3)
	first, err := Compose(c, zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	at := start.Add(time.Minute)
	c = leave(c, 3, warning.Cancelled, at)
	if _, err := Compose(c, zones, cfg, nil, at); !errors.Is(err, ErrNothingToSay) {
		t.Errorf("what was never said is taken back: %v", err)
	}
	a, err := Compose(c, zones, cfg, []Alert{first}, at)
	if err != nil {
		t.Fatal(err)
	}
	if a.Kind != KindCancel || len(a.Areas) != 3 || !strings.Contains(a.Note, "mistake") || !strings.Contains(a.Note, "exercise") {
		t.Errorf("cancel %+v", a)
	}
	checkCAP(t, a, zones, cfg)
}

// TestHeldElsewhere: who may not come out is not told on the board that a warning ended; a
// reader of CAP is told that this one is withdrawn, and to follow the other.
func TestHeldElsewhere(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Live, "en")
	c := leave(warn(zones, 1, warning.Shelter, class.Drone, 2), 2, warning.AllClear, start)
	c.Warning.Ended[0].Under = "wother"
	a, err := Compose(c, zones, cfg, nil, start)
	if err != nil || len(a.Areas) != 1 || len(Items(c.Warning, "x")[0].Zones) != 1 {
		t.Fatalf("%+v %v", a, err)
	}
	c.Warning.Ended[1].Under = "wother"
	if _, err := Compose(c, zones, cfg, nil, start); !errors.Is(err, ErrNothingToSay) || len(Items(c.Warning, "x")) != 0 {
		t.Fatal(err)
	}
	first, err := Compose(warn(zones, 1, warning.Shelter, class.Drone, 2), zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	a, err = Compose(c, zones, cfg, []Alert{first}, start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if a.Kind != KindCancel || len(a.Areas) != 2 || len(a.References) != 1 || strings.Contains(a.Note, "mistake") || !strings.Contains(a.Note, "another warning is in force") {
		t.Errorf("withdrawn: %+v", a)
	}
	if text := a.Texts[0]; !strings.Contains(text.Description, "not an all-clear") || strings.Contains(text.Instruction, "leave") {
		t.Errorf("withdrawn in words: %+v", text)
	}
	checkCAP(t, a, zones, cfg)
	doc, err := CAP(a, zones, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r := doc.Infos[0].ResponseTypes; len(r) != 1 || r[0] != cap12.ResponseMonitor || !slices.Contains(doc.Code, "withdrawn") {
		t.Errorf("withdrawn in CAP: %+v", doc)
	}
	kept, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back Alert
	if err := json.Unmarshal(kept, &back); err != nil {
		t.Fatal(err)
	}
	if _, err := CAP(back, zones, cfg); err != nil {
		t.Errorf("as the journal keeps it: %v", err)
	}
}

func TestReferencesAreBounded(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Live, "en")
	var chain []Alert
	for i := range 100 {
		chain = append(chain, Alert{ID: ID(fmt.Sprintf("w.%d", i)), Sent: start, Expires: start.Add(time.Duration(i) * time.Minute)})
	}
	at := start.Add(50 * time.Minute)
	c := warn(zones, 101, warning.Shelter, class.Drone, 1)
	c.Warning.Zones[0].Until = at.Add(time.Hour)
	a, err := Compose(c, zones, cfg, chain, at)
	if err != nil || len(a.References) != MaxReferences || a.References[MaxReferences-1].ID != "w.99" {
		t.Fatalf("%d references, %v", len(a.References), err)
	}
	a, err = Compose(c, zones, cfg, chain[:3], at) // all expired: still the last one
	if err != nil || len(a.References) != 1 || a.References[0].ID != "w.2" || a.Kind != KindUpdate {
		t.Fatalf("%+v, %v", a.References, err)
	}
}

func TestManyUntilsShareOne(t *testing.T) {
	var its []Item
	for i := range maxUntils + 1 {
		its = append(its, Item{Stage: warning.Shelter, Text: "shelter-drone", Until: start.Add(time.Duration(i) * time.Minute)})
	}
	its = append(its, Item{End: warning.AllClear, Text: "all-clear", Until: start})
	shareUntils(its)
	for _, it := range its[:maxUntils+1] {
		if !it.Until.Equal(start.Add(maxUntils * time.Minute)) {
			t.Errorf("until %s", it.Until)
		}
	}
	if !its[maxUntils+1].Until.Equal(start) {
		t.Error("an end got another until")
	}
}

func TestConfigRefuses(t *testing.T) {
	good := Config{Universe: Live, Sender: "a@b", Languages: []string{"en"}}
	for name, f := range map[string]func(*Config){
		"universe":    func(c *Config) { c.Universe = "test" },
		"no sender":   func(c *Config) { c.Sender = "" },
		"sender":      func(c *Config) { c.Sender = "a b" },
		"no language": func(c *Config) { c.Languages = nil },
		"language":    func(c *Config) { c.Languages = []string{"en", "tlh"} },
		"path":        func(c *Config) { c.Languages = []string{"../words"} },
	} {
		c := good
		f(&c)
		if _, err := c.Prepare(); err == nil {
			t.Errorf("%s is taken", name)
		}
		if _, err := Compose(warn(someZones(t), 1, warning.Shelter, class.Drone, 1), someZones(t), c, nil, start); err == nil {
			t.Errorf("%s: composed", name)
		}
	}
}

func TestUntilInThePastIsNotWritten(t *testing.T) {
	zones := someZones(t)
	c := warn(zones, 1, warning.Shelter, class.Drone, 1)
	_, err := Compose(c, zones, config(t, Live, "en"), nil, start.Add(time.Hour))
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Field != "until" {
		t.Fatal(err)
	}
}

// TestNothingSecret: an alert has no place for a track, and none comes through.
func TestNothingSecret(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Live, Languages()...)
	a, err := Compose(warn(zones, 1, warning.Shelter, class.Drone, 4), zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(a)
	doc := capBytes(t, a, zones, cfg)
	if strings.Contains(string(b), "secret") || strings.Contains(string(doc), "secret") {
		t.Error("a track, its evidence or a basis is public")
	}
}

func TestAlertRoundTrip(t *testing.T) {
	zones := someZones(t)
	cfg := config(t, Live, Languages()...)
	first, err := Compose(warn(zones, 1, warning.Shelter, class.Drone, 4), zones, cfg, nil, start)
	if err != nil {
		t.Fatal(err)
	}
	c := leave(warn(zones, 1, warning.Shelter, class.Drone, 4), 2, warning.AllClear, start.Add(time.Minute))
	second, err := Compose(c, zones, cfg, []Alert{first}, start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Alert{first, second} {
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back Alert
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		again, _ := json.Marshal(back)
		if string(again) != string(b) {
			t.Errorf("does not come back:\n%s\n%s", b, again)
		}
		if x, y := capBytes(t, a, zones, cfg), capBytes(t, back, zones, cfg); string(x) != string(y) {
			t.Error("another document after the journal")
		}
	}
}
