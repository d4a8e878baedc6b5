package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

func TestLanguages(t *testing.T) {
	if got := Languages(); !slices.Equal(got, []string{"ar", "en", "he", "ru", "uk"}) {
		t.Errorf("languages %v", got)
	}
}

// TestTemplates words every stage, threat and end in every language, with one zone, with
// many, with and without a shelter time.
func TestTemplates(t *testing.T) {
	zones := someZones(t)
	var all []zone.ID
	for i := range zones.Len() {
		all = append(all, zones.ByIndex(i).ID)
	}
	where := time.FixedZone("", 2*3600)
	for _, l := range Languages() {
		w, err := readWords(l)
		if err != nil {
			t.Fatal(err)
		}
		headlines := map[string]string{}
		check := func(name string, g group) {
			t.Helper()
			text := w.text(g, zones, start, where)
			for field, s := range map[string]string{"event": text.Event, "headline": text.Headline, "description": text.Description, "instruction": text.Instruction} {
				if strings.TrimSpace(s) == "" || strings.ContainsAny(s, "{}") || strings.Contains(s, "  ") || strings.Contains(s, "..") || !utf8.ValidString(s) {
					t.Errorf("%s %s: %s %q", l, name, field, s)
				}
			}
			place := zones.Name(g.zones[0], l)
			if len(g.zones) == 1 && !strings.Contains(text.Headline, place) || !strings.Contains(text.Description, place) {
				t.Errorf("%s %s: does not say where: %q", l, name, text.Headline)
			}
			if !strings.Contains(text.Description, "14:") {
				t.Errorf("%s %s: no local time: %q", l, name, text.Description)
			}
			if n := utf8.RuneCountInString(text.Headline); len(g.zones) == 1 && n > 160 {
				t.Errorf("%s %s: headline of %d characters", l, name, n)
			}
			if other, twice := headlines[text.Headline]; twice && len(g.zones) == 1 {
				t.Errorf("%s: %s and %s have one headline", l, name, other)
			}
			headlines[text.Headline] = name
		}
		for _, c := range class.All() {
			for _, s := range []warning.Stage{warning.Prepare, warning.Shelter} {
				check(fmt.Sprint(s, c), group{stage: s, threat: c, until: start.Add(30 * time.Minute), zones: all[:1]})
				check(fmt.Sprint(s, c, " many"), group{stage: s, threat: c, until: start.Add(30 * time.Minute), zones: all})
				check(fmt.Sprint(s, c, " unknown"), group{stage: s, threat: c, until: start.Add(30 * time.Minute), zones: all[2:3]})
			}
		}
		for _, e := range []warning.End{warning.AllClear, warning.Cancelled, warning.Expired} {
			check(e.String(), group{end: e, threat: class.Drone, since: start, until: start.Add(time.Hour), zones: all[:1]})
		}
		if s := fill(w.Exercise, "{headline}", "X"); !strings.HasSuffix(s, "X") || len(s) < 4 {
			t.Errorf("%s: exercise %q", l, s)
		}
	}
}

// TestTemplatesRefuse: without any one of its lines a language is not worded at all.
func TestTemplatesRefuse(t *testing.T) {
	b, err := texts.ReadFile("texts/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	tried := 0
	for i, line := range lines {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || value == "" {
			continue
		}
		tried++
		without := strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n")
		_, err := parseWords("en", []byte(without))
		var missing *MissingError
		if !errors.As(err, &missing) {
			t.Errorf("without line %d (%s): %v", i+1, key, err)
		}
	}
	if tried < 40 {
		t.Fatalf("only %d lines tried", tried)
	}
	for name, c := range map[string]struct{ old, new string }{
		"unknown key":     {"language: en", "language: en\nlanguge: en"},
		"no places":       {"All clear: {places}", "All clear"},
		"no until":        {"until {until} or", "or"},
		"another's":       {"language: en", "language: uk"},
		"twice":           {"language: en", "language: en\nlanguage: en"},
		"blank":           {`do: "Go to shelter now.`, `do: " " # "`},
		"headline no how": {"Rocket fire. Take shelter now: {places}", ""},
	} {
		if _, err := parseWords("en", []byte(strings.Replace(string(b), c.old, c.new, 1))); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := parseWords("en", nil); err == nil {
		t.Error("nothing is taken for a language")
	}
}

func FuzzParseWords(f *testing.F) {
	b, err := texts.ReadFile("texts/he.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("language: he\nends: [1]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := parseWords("he", b); err == nil && w.check() != nil {
			t.Fatal("taken, and not complete")
		}
	})
}

func TestDurations(t *testing.T) {
	for l, want := range map[string][]string{ // 1 s, 2 s, 5 s, 15 s, 90 s, 2 min, 5 min, 21 min
		"en": {"1 second", "2 seconds", "5 seconds", "15 seconds", "90 seconds", "2 minutes", "5 minutes", "21 minutes"},
		"uk": {"1 секунда", "2 секунди", "5 секунд", "15 секунд", "90 секунд", "2 хвилини", "5 хвилин", "21 хвилина"},
		"ru": {"1 секунда", "2 секунды", "5 секунд", "15 секунд", "90 секунд", "2 минуты", "5 минут", "21 минута"},
		"he": {"שנייה אחת", "שתי שניות", "5 שניות", "15 שניות", "90 שניות", "שתי דקות", "5 דקות", "21 דקות"},
		"ar": {"ثانية واحدة", "ثانيتان", "5 ثوانٍ", "15 ثانية", "90 ثانية", "دقيقتان", "5 دقائق", "21 دقيقة"},
	} {
		w, err := readWords(l)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range []time.Duration{1, 2, 5, 15, 90, 120, 300, 1260} {
			if got := w.long(d * time.Second); got != want[i] {
				t.Errorf("%s: %ds is %q, want %q", l, d, got, want[i])
			}
		}
	}
}

func TestPluralCategories(t *testing.T) {
	for _, c := range []struct {
		language string
		n        int
		want     string
	}{
		{"uk", 0, "many"}, {"uk", 1, "one"}, {"uk", 4, "few"}, {"uk", 11, "many"}, {"uk", 12, "many"}, {"uk", 14, "many"}, {"uk", 21, "one"}, {"uk", 22, "few"}, {"uk", 111, "many"},
		{"ar", 0, "zero"}, {"ar", 2, "two"}, {"ar", 3, "few"}, {"ar", 10, "few"}, {"ar", 11, "many"}, {"ar", 99, "many"}, {"ar", 100, "other"}, {"ar", 103, "few"},
		{"he", 0, "other"}, {"he", 1, "one"}, {"he", 2, "two"}, {"he", 3, "other"}, {"en", 0, "other"}, {"en", 1, "one"},
	} {
		if got := category(c.language, c.n); got != c.want {
			t.Errorf("%s %d: %s, want %s", c.language, c.n, got, c.want)
		}
	}
}

func TestShelterTimesInWords(t *testing.T) {
	zones := someZones(t)
	w, err := readWords("en")
	if err != nil {
		t.Fatal(err)
	}
	id := func(i int) zone.ID { return zones.ByIndex(i).ID }
	s := w.stage(warning.Shelter)
	for want, ids := range map[string][]zone.ID{
		"Time to reach shelter: 45 seconds.":          {id(0)},
		"Time to reach shelter: at least 45 seconds.": {id(0), id(1), id(2)},
		"": {id(2), id(3)},
	} {
		if got := w.reach(s, ids, zones); got != want {
			t.Errorf("%v: %q, want %q", ids, got, want)
		}
	}
}

func TestLocalTime(t *testing.T) {
	w, err := readWords("en")
	if err != nil {
		t.Fatal(err)
	}
	where := time.FixedZone("", 2*3600)
	if got := w.at(start.Add(time.Hour), start, where); got != "15:00" {
		t.Error(got)
	}
	if got := w.at(start.Add(11*time.Hour), start, where); got != "01:00 on 23 November" {
		t.Error(got)
	}
}

// TestNamesAreNotTemplates: a name with braces stays a name, and a long one is cut.
func TestNamesAreNotTemplates(t *testing.T) {
	zs := []zone.Zone{someZones(t).ByIndex(0)}
	zs[0].Names = map[string]string{"en": "{until} " + strings.Repeat("long ", 40)}
	set, err := zone.NewSet(zs)
	if err != nil {
		t.Fatal(err)
	}
	w, _ := readWords("en")
	text := w.text(group{stage: warning.Shelter, until: start, zones: []zone.ID{zs[0].ID}}, set, start, time.UTC)
	if !strings.Contains(text.Headline, "{until} long") || utf8.RuneCountInString(text.Headline) > 160 {
		t.Error(text.Headline)
	}
}
