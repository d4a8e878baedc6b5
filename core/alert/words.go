package alert

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tocsin/core/class"
	"tocsin/core/warning"
)

//go:embed texts/*.yaml
var texts embed.FS

// Languages lists the languages that alerts can be worded in, ascending.
func Languages() []string {
	files, err := texts.ReadDir("texts")
	if err != nil {
		return nil // the folder is part of the program
	}
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = strings.TrimSuffix(f.Name(), ".yaml")
	}
	return out
}

// MissingError is an alert that is not written because a template says nothing where it
// must: people need to know what, where, what to do and until when.
type MissingError struct {
	Language string
	Template string // shelter, prepare, or an end; with the threat, where it is of one
	Field    string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("alert: %s: %s: %s is missing", e.Language, e.Template, e.Field)
}

// words are the templates of one language. Every sentence stands whole in the file:
// nothing is put together from parts that would have to agree in gender or case.
type words struct {
	Language string `yaml:"language"`
	Exercise string `yaml:"exercise"` // around a headline, in an exercise
	Time     string `yaml:"time"`     // layout of a time of the same day
	Day      string `yaml:"day"`      // layout of a time of another day
	More     string `yaml:"more"`     // after the places that are named
	Least    string `yaml:"least"`    // around a time that is longer in some places
	Seconds  forms  `yaml:"seconds"`
	Minutes  forms  `yaml:"minutes"`
	Stages   struct {
		Prepare stageWords `yaml:"prepare"`
		Shelter stageWords `yaml:"shelter"`
	} `yaml:"stages"`
	Threats struct {
		BallisticMissile threatWords `yaml:"ballistic-missile"`
		CruiseMissile    threatWords `yaml:"cruise-missile"`
		Rocket           threatWords `yaml:"rocket"`
		Drone            threatWords `yaml:"drone"`
		GlideBomb        threatWords `yaml:"glide-bomb"`
		Aircraft         threatWords `yaml:"aircraft"`
		Unknown          threatWords `yaml:"unknown"`
	} `yaml:"threats"`
	Ends struct {
		AllClear  endWords `yaml:"all-clear"`
		Cancelled endWords `yaml:"cancelled"`
		Expired   endWords `yaml:"expired"`
		Withdrawn endWords `yaml:"withdrawn"` // ended here, while another warning is in force
	} `yaml:"ends"`
}

type stageWords struct {
	Where   string `yaml:"where"`
	Until   string `yaml:"until"`
	Do      string `yaml:"do"`
	Reach   string `yaml:"reach"`   // how long it takes to reach shelter
	Nowhere string `yaml:"nowhere"` // where there is no time for it
}

type threatWords struct {
	Event   string   `yaml:"event"`
	Prepare newWords `yaml:"prepare"`
	Shelter newWords `yaml:"shelter"`
}

type newWords struct {
	Headline string `yaml:"headline"`
	What     string `yaml:"what"`
}

type endWords struct {
	Headline string `yaml:"headline"`
	What     string `yaml:"what"`
	Where    string `yaml:"where"`
	Until    string `yaml:"until"`
	Do       string `yaml:"do"`
}

// forms are the plural forms of a unit, by the categories of Unicode CLDR.
type forms struct {
	Zero  string `yaml:"zero"`
	One   string `yaml:"one"`
	Two   string `yaml:"two"`
	Few   string `yaml:"few"`
	Many  string `yaml:"many"`
	Other string `yaml:"other"`
}

// readWords reads one language's templates.
func readWords(language string) (*words, error) {
	if !slices.Contains(Languages(), language) {
		return nil, &MissingError{Language: clip(language, 16), Template: "all", Field: "language"}
	}
	b, err := texts.ReadFile("texts/" + language + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("alert: texts: %w", err)
	}
	return parseWords(language, b)
}

func parseWords(language string, b []byte) (*words, error) {
	var w words
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&w); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("alert: texts: %s: %w", language, err)
	}
	if w.Language != language {
		return nil, &MissingError{language, "all", "language"}
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	return &w, nil
}

// check refuses templates that would be written without what, where, what to do or until
// when.
func (w *words) check() error {
	type rule struct{ template, field, text, holds string }
	rules := []rule{
		{"all", "exercise", w.Exercise, "{headline}"}, {"all", "time", w.Time, ""}, {"all", "day", w.Day, ""},
		{"all", "more", w.More, "{count}"}, {"all", "least", w.Least, "{time}"},
		{"all", "seconds", w.Seconds.Other, ""}, {"all", "minutes", w.Minutes.Other, ""},
	}
	for _, s := range [...]warning.Stage{warning.Prepare, warning.Shelter} {
		t := w.stage(s)
		rules = append(rules,
			rule{s.String(), "where", t.Where, "{places}"}, rule{s.String(), "until", t.Until, "{until}"},
			rule{s.String(), "do", t.Do, ""}, rule{s.String(), "reach", t.Reach, "{time}"}, rule{s.String(), "nowhere", t.Nowhere, ""})
		for _, c := range class.All() {
			name := s.String() + "-" + c.String()
			event, n := w.threat(c, s)
			rules = append(rules,
				rule{name, "event", event, ""}, rule{name, "headline", n.Headline, "{places}"}, rule{name, "what", n.What, ""})
		}
	}
	ends := map[string]endWords{withdrawnText: w.Ends.Withdrawn}
	for _, e := range [...]warning.End{warning.AllClear, warning.Cancelled, warning.Expired} {
		ends[e.String()] = w.end(e)
	}
	for _, name := range slices.Sorted(maps.Keys(ends)) {
		t := ends[name]
		rules = append(rules,
			rule{name, "headline", t.Headline, "{places}"}, rule{name, "what", t.What, ""},
			rule{name, "where", t.Where, "{places}"}, rule{name, "until", t.Until, "{since}"}, rule{name, "do", t.Do, ""})
	}
	for _, r := range rules {
		if strings.TrimSpace(r.text) == "" || !strings.Contains(r.text, r.holds) {
			return &MissingError{w.Language, r.template, r.field}
		}
	}
	return nil
}

func (w *words) stage(s warning.Stage) stageWords {
	if s == warning.Shelter {
		return w.Stages.Shelter
	}
	return w.Stages.Prepare
}

func (w *words) threat(c class.Class, s warning.Stage) (event string, n newWords) {
	t := w.Threats.Unknown
	switch c {
	case class.BallisticMissile:
		t = w.Threats.BallisticMissile
	case class.CruiseMissile:
		t = w.Threats.CruiseMissile
	case class.Rocket:
		t = w.Threats.Rocket
	case class.Drone:
		t = w.Threats.Drone
	case class.GlideBomb:
		t = w.Threats.GlideBomb
	case class.Aircraft:
		t = w.Threats.Aircraft
	}
	if s == warning.Shelter {
		return t.Event, t.Shelter
	}
	return t.Event, t.Prepare
}

func (w *words) end(e warning.End) endWords {
	switch e {
	case warning.AllClear:
		return w.Ends.AllClear
	case warning.Cancelled:
		return w.Ends.Cancelled
	default:
		return w.Ends.Expired
	}
}

// at writes a time as people there read it; of another day than now, with the date.
func (w *words) at(t, now time.Time, where *time.Location) string {
	t, now = t.In(where), now.In(where)
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format(w.Time)
	}
	return t.Format(w.Day)
}

// long writes a duration: seconds up to two minutes, then minutes, rounded down.
func (w *words) long(d time.Duration) string {
	if n := int(d / time.Second); n < 120 {
		return w.count(n, w.Seconds)
	}
	return w.count(int(d/time.Minute), w.Minutes)
}

func (w *words) count(n int, f forms) string {
	form := map[string]string{"zero": f.Zero, "one": f.One, "two": f.Two, "few": f.Few, "many": f.Many}[category(w.Language, n)]
	if form == "" {
		form = f.Other
	}
	return strings.ReplaceAll(form, "{n}", strconv.Itoa(n))
}

// category is the plural category of a whole number (Unicode CLDR, plural rules).
func category(language string, n int) string {
	switch language {
	case "uk", "ru":
		switch {
		case n%10 == 1 && n%100 != 11:
			return "one"
		case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
			return "few"
		default:
			return "many"
		}
	case "ar":
		switch {
		case n == 0:
			return "zero"
		case n == 1:
			return "one"
		case n == 2:
			return "two"
		case n%100 >= 3 && n%100 <= 10:
			return "few"
		case n%100 >= 11:
			return "many"
		default:
			return "other"
		}
	case "he":
		switch n {
		case 1:
			return "one"
		case 2:
			return "two"
		}
	default:
		if n == 1 {
			return "one"
		}
	}
	return "other"
}

// fill puts values into a template, all at once: a value that looks like a placeholder
// stays what it is.
func fill(template string, pairs ...string) string {
	return strings.TrimSpace(strings.NewReplacer(pairs...).Replace(template))
}

// clip bounds a text at a character's border.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
