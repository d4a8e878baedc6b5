package cap12

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// at is a time of the evening the golden alerts are about, in Kyiv.
func at(clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-21 "+clock, time.FixedZone("", 2*3600))
	if err != nil {
		panic(err)
	}
	return t
}

const goldenSender = "warnings@example.gov"

// square is a zone as an area: a box of about a kilometre around a point.
func square(id, name string, lat, lon float64) Area {
	round := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
	n, s, e, w := round(lat+0.005), round(lat-0.005), round(lon+0.007), round(lon-0.007)
	return Area{
		Desc:     name,
		Polygons: []Polygon{{{s, w}, {s, e}, {n, e}, {n, w}, {s, w}}},
		Geocodes: []Value{{"tocsin:zone", id}},
	}
}

// shelterInfo is what a shelter warning says of its areas; more languages start from a copy.
func shelterInfo(areas ...Area) Info {
	return Info{
		Language:      "en",
		Categories:    []Category{CategorySafety, CategorySecurity},
		Event:         "Attack drone",
		ResponseTypes: []ResponseType{ResponseShelter},
		Urgency:       UrgencyImmediate,
		Severity:      SeverityExtreme,
		Certainty:     CertaintyLikely,
		EventCodes:    []Value{{"tocsin:threat", "drone"}},
		Effective:     at("21:14:07"),
		Onset:         at("21:19:30"),
		Expires:       at("21:44:00"),
		SenderName:    "Civil Protection of Example",
		Headline:      "Attack drone: take shelter now",
		Description:   "An attack drone may reach this place from 21:19.",
		Instruction:   "Go to the nearest shelter and stay there until the all-clear.",
		Web:           "https://warnings.example.gov/en",
		Areas:         areas,
	}
}

func inUkrainian(i Info) Info {
	i.Language = "uk"
	i.Event = "Ударний дрон"
	i.SenderName = "Цивільний захист"
	i.Headline = "Ударний дрон: негайно в укриття"
	i.Description = "Ударний дрон може досягти цього місця з 21:19."
	i.Instruction = "Ідіть у найближче укриття і залишайтеся там до відбою."
	i.Web = "https://warnings.example.gov/uk"
	return i
}

func clearInfo(areas ...Area) Info {
	i := shelterInfo(areas...)
	i.ResponseTypes = []ResponseType{ResponseAllClear}
	i.Urgency, i.Severity, i.Certainty = UrgencyPast, SeverityMinor, CertaintyObserved
	i.Onset = time.Time{}
	i.Headline = "All clear: the danger has passed"
	i.Description = "The attack drone has left the area."
	i.Instruction = "You may come out."
	return i
}

func goldenAlert(id string, infos ...Info) Alert {
	return Alert{
		Identifier: id,
		Sender:     goldenSender,
		Sent:       at("21:14:07"),
		Status:     StatusActual,
		MsgType:    MsgAlert,
		Scope:      ScopePublic,
		Code:       []string{"tocsin:stage:shelter", "tocsin:threat:drone"},
		Incidents:  []string{"w-2026-11-21-0007"},
		Infos:      infos,
	}
}

// after is a later message of type m about what the earlier ones said.
func after(clock string, m MsgType, id string, earlier []Alert, infos ...Info) Alert {
	a := goldenAlert(id, infos...)
	a.MsgType, a.Sent = m, at(clock)
	for _, e := range earlier {
		a.References = append(a.References, Reference{e.Sender, e.Identifier, e.Sent})
	}
	return a
}

// golden is one good alert of every kind that leaves the house.
func golden() map[string]Alert {
	sea, hill := square("UA-1", "Приморське", 46.52, 30.71), square("UA-2", "Горішнє", 46.55, 30.75)
	first := goldenAlert("tocsin-7-1", shelterInfo(sea), inUkrainian(shelterInfo(sea)))
	wider := after("21:16:12", MsgUpdate, "tocsin-7-2", []Alert{first}, shelterInfo(sea, hill), inUkrainian(shelterInfo(sea, hill)))
	fewer := after("21:25:40", MsgUpdate, "tocsin-7-3", []Alert{first, wider}, shelterInfo(hill), clearInfo(sea))
	over := after("21:38:00", MsgUpdate, "tocsin-7-4", []Alert{first, wider, fewer}, clearInfo(sea, hill))
	over.Code = []string{"tocsin:stage:quiet", "tocsin:end:all-clear"}
	wrong := after("21:15:30", MsgCancel, "tocsin-7-5", []Alert{first}, clearInfo(sea))
	wrong.Note = "Issued by mistake: a training flight was taken for an attack drone."

	drill := goldenAlert("tocsin-x-1", shelterInfo(sea))
	drill.Status, drill.Note = StatusExercise, "exercise: autumn drill, this is not a real warning"

	rtl := shelterInfo(square("IL-511", "אשקלון - דרום", 31.65, 34.56))
	rtl.Language, rtl.Event, rtl.SenderName = "he", "רקטה", "פיקוד העורף"
	rtl.Headline = "ירי רקטות: היכנסו למרחב המוגן"
	rtl.Description = "ירי רקטות לעבר אשקלון - דרום (2 רקטות) בשעה 21:14."
	rtl.Instruction = "היכנסו למרחב המוגן ושהו בו עד להודעה \u200fAll-Clear\u200f."
	arabic := rtl
	arabic.Language, arabic.Event, arabic.SenderName = "ar", "صاروخ", "الجبهة الداخلية"
	arabic.Headline = "صواريخ: ادخلوا إلى المكان المحمي"
	arabic.Description, arabic.Instruction = "إطلاق صواريخ نحو عسقلان.", "ابقوا في المكان المحمي حتى إشعار آخر."

	var hundred []Area
	for i := range 100 {
		hundred = append(hundred, square(fmt.Sprintf("Z-%03d", i), fmt.Sprintf("Zone %d", i), 46+float64(i/10)/50, 30+float64(i%10)/50))
	}

	low, high := 0.0, 3280.5
	round := shelterInfo(Area{Desc: "Within 2.5 km of the port", Circles: []Circle{{Point{46.4857, 30.7438}, 2.5}}, Altitude: &low, Ceiling: &high})

	odd := shelterInfo(square("UA-3", "Кам'янка & O'Brien's <Hill>", 48.1, 35.2))
	odd.Event = `Drone <type "A&B">`
	odd.Headline = "Don't stay outside: 5 < 6 && 7 > 6 ]]> &amp;"
	odd.Description = "First line,\n\tsecond line with a tab,\r\nthird after a carriage return.  Two spaces, no-break\u00a0space, 🚨."
	odd.Parameters = []Value{{"quote", `"'`}, {"empty", ""}}
	odd.Resources = []Resource{{Desc: "Map", MIMEType: "image/png", Size: 20480, URI: "https://example.gov/map?a=1&b=2", Digest: strings.Repeat("0a", 20)}}
	names := goldenAlert("tocsin-8-1", odd)
	names.Scope, names.Restriction = ScopeRestricted, "duty officers of Kam'yanka & neighbours"
	names.Addresses = []string{"duty@example.gov", "the duty officer"}
	names.Incidents = []string{"w-8", "river bridge"}
	names.Sent = time.Date(2026, 11, 21, 19, 14, 7, 0, time.UTC)

	return map[string]Alert{
		"alert": first, "update-widens": wider, "update-shrinks": fewer, "all-clear": over, "cancel": wrong,
		"exercise": drill, "right-to-left": goldenAlert("tocsin-9-1", rtl, arabic), "hundred-zones": goldenAlert("tocsin-10-1", shelterInfo(hundred...)),
		"circle": goldenAlert("tocsin-11-1", round), "apostrophes-and-markup": names,
	}
}

func TestGoodFiles(t *testing.T) {
	want := golden()
	for name, a := range want {
		file := filepath.Join("testdata", "good", name+".xml")
		b, err := a.Marshal()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if *update {
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		onFile := read1(t, file)
		if !bytes.Equal(b, onFile) {
			t.Errorf("%s: Marshal no longer gives the file; read the difference, then -update", file)
		}
		got, odd, err := Parse(onFile)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if diff := unlike(a, got); diff != "" {
			t.Errorf("%s: read back differently: %s", file, diff)
		}
		if name != "apostrophes-and-markup" && len(odd) > 0 {
			t.Errorf("%s: our own alert is odd: %v", file, odd)
		}
	}
	files := folder(t, "testdata/good/*.xml")
	if len(files) != len(want) {
		t.Errorf("%d files for %d alerts: %v", len(files), len(want), slices.Sorted(maps.Keys(want)))
	}
	for _, f := range files {
		if valid := xmllint(t, f); !valid[f] {
			t.Errorf("%s: xmllint refuses it", f)
		}
	}
}

// Alerts of other agencies, and the examples of the standard itself.
func TestForeignAlerts(t *testing.T) {
	files := folder(t, filepath.Join(shared(t, "valid-1.2"), "*"))
	odd := map[string][]Rule{
		"canada.cap":                {OddEmpty},
		"australia.cap":             {OddEmpty, OddMarkup},
		"wcatwc-warning.cap":        {OddGeocode, OddHeadline},
		"v1dot2_appendix_adot1.xml": {OddNoShape, OddNoExpires},
		"v1dot2_appendix_adot2.xml": nil,
		"v1dot2_appendix_adot3.xml": {OddNoExpires},
		"v1dot2_appendix_adot4.xml": {OddGeocode, OddNoExpires},
	}
	for _, f := range files {
		a, remarks, err := Parse(read1(t, f))
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if want, known := odd[filepath.Base(f)]; known && !slices.Equal(rulesOf(remarks), sorted(want)) {
			t.Errorf("%s: odd in %v, want %v", f, rulesOf(remarks), want)
		}
		b, err := a.Marshal()
		if err != nil {
			t.Errorf("%s: written again: %v", f, err)
			continue
		}
		again, _, err := Parse(b)
		if diff := unlike(a, again); err != nil || diff != "" {
			t.Errorf("%s: written and read again: %v %s", f, err, diff)
		}
	}
}

func TestOlderVersionsAreNamed(t *testing.T) {
	for _, f := range folder(t, filepath.Join(shared(t, "older"), "*")) {
		version := "this is CAP 1.1"
		if strings.Contains(f, "v1dot0") {
			version = "this is CAP 1.0"
		}
		r := Check(read1(t, f))
		if len(r.Defects) != 1 || r.Defects[0].Rule != RuleVersion || !strings.Contains(r.Defects[0].What, version) {
			t.Errorf("%s: %v", f, r.Defects)
		}
	}
}

// rulesOf is each rule once, sorted.
func rulesOf(remarks []Remark) []Rule {
	var rules []Rule
	for _, r := range remarks {
		rules = append(rules, r.Rule)
	}
	return sorted(rules)
}

func sorted(rules []Rule) []Rule {
	rules = slices.Clone(rules)
	slices.Sort(rules)
	return slices.Compact(rules)
}
