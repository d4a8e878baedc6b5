package cap12

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyText is text as people write it and as they should not: markup, quotes, line
// ends, every script. It has something in it besides white space.
func anyText(t *rapid.T, label string) string {
	s := rapid.StringOf(rapid.OneOf(
		rapid.RuneFrom([]rune("<>&'\"]]>\r\n\t -;,")),
		rapid.RuneFrom([]rune("aZ09їєאבغ中🚨\u200f\u00a0\ufffd\u0085\ud7ff\U0010fffd")),
	)).Draw(t, label)
	if blank(s) {
		return s + "x"
	}
	return s
}

func maybeText(t *rapid.T, label string) string {
	if rapid.Bool().Draw(t, label+"?") {
		return anyText(t, label)
	}
	return ""
}

func anyWord(t *rapid.T, label string) string {
	return rapid.StringMatching(`[a-zA-Z0-9@.:/'"-]{1,20}`).Draw(t, label)
}

// anyTime is a time in any zone that CAP can write.
func anyTime(t *rapid.T, label string, from, to int64) time.Time {
	zone := time.UTC
	if minutes := rapid.IntRange(-14*60, 14*60).Draw(t, label+" zone"); minutes != 0 {
		zone = time.FixedZone("", minutes*60)
	}
	return time.Unix(rapid.Int64Range(from, to).Draw(t, label), 0).In(zone)
}

func few[T any](t *rapid.T, label string, least int, one func(*rapid.T, string) T) []T {
	var list []T
	for i := range rapid.IntRange(least, least+2).Draw(t, label) {
		list = append(list, one(t, fmt.Sprintf("%s %d", label, i)))
	}
	return list
}

func oneOf[T any](list []T) func(*rapid.T, string) T {
	return func(t *rapid.T, label string) T { return rapid.SampledFrom(list).Draw(t, label) }
}

func anyMember(t *rapid.T, label string) string {
	return strings.ReplaceAll(anyText(t, label), `"`, "") + "m"
}

func anyValue(t *rapid.T, label string) Value {
	return Value{anyText(t, label+" name"), anyText(t, label+" value")}
}

func anyPoint(t *rapid.T, label string) Point {
	return Point{rapid.Float64Range(-90, 90).Draw(t, label+" lat"), rapid.Float64Range(-180, 180).Draw(t, label+" lon")}
}

func anyArea(t *rapid.T, label string) Area {
	a := Area{
		Desc: anyText(t, label),
		Polygons: few(t, label+" polygons", 0, func(t *rapid.T, label string) Polygon {
			p := few(t, label, 3, anyPoint)
			return append(p, p[0])
		}),
		Circles: few(t, label+" circles", 0, func(t *rapid.T, label string) Circle {
			return Circle{anyPoint(t, label), rapid.Float64Range(0, 20000).Draw(t, label)}
		}),
		Geocodes: few(t, label+" geocodes", 0, anyValue),
	}
	if rapid.Bool().Draw(t, label+" high") {
		// In thousandths: maxDigits refuses an altitude in the billionths of a foot.
		thousandths := rapid.IntRange(-1e6, 1e8).Draw(t, label+" altitude")
		low := float64(thousandths) / 1000
		high := float64(thousandths+rapid.IntRange(0, 1e8).Draw(t, label+" thickness")) / 1000
		a.Altitude, a.Ceiling = &low, &high
	}
	return a
}

func anyResource(t *rapid.T, label string) Resource {
	return Resource{
		Desc: anyText(t, label), MIMEType: "image/png", Size: rapid.Int64Min(0).Draw(t, label+" size"),
		URI: "https://example.gov/?a=1&b=<" + anyWord(t, label+" uri"), DerefURI: rapid.SampledFrom([]string{"", "AAEC", "AAE="}).Draw(t, label+" content"),
		Digest: maybeText(t, label+" digest"),
	}
}

func anyInfo(sent time.Time) func(t *rapid.T, label string) Info {
	return func(t *rapid.T, label string) Info {
		i := Info{
			Language:      rapid.SampledFrom([]string{"", "en", "uk", "he-IL", "zh-Hant-TW", "x-our-own"}).Draw(t, label+" language"),
			Categories:    few(t, label+" categories", 1, oneOf(categories)),
			Event:         anyText(t, label+" event"),
			ResponseTypes: few(t, label+" responses", 0, oneOf(responseTypes)),
			Urgency:       oneOf(urgencies)(t, label+" urgency"), Severity: oneOf(severities)(t, label+" severity"), Certainty: oneOf(certainties)(t, label+" certainty"),
			Audience: maybeText(t, label+" audience"), EventCodes: few(t, label+" codes", 0, anyValue),
			SenderName: maybeText(t, label+" name"), Headline: maybeText(t, label+" headline"), Description: maybeText(t, label+" description"),
			Instruction: maybeText(t, label+" instruction"), Contact: maybeText(t, label+" contact"),
			Parameters: few(t, label+" parameters", 0, anyValue), Resources: few(t, label+" resources", 0, anyResource), Areas: few(t, label+" areas", 0, anyArea),
		}
		if rapid.Bool().Draw(t, label+" timed") {
			i.Effective = anyTime(t, label+" effective", sent.Unix(), sent.Unix()+1e6)
			i.Onset = anyTime(t, label+" onset", 0, 4e9)
			i.Expires = anyTime(t, label+" expires", i.Effective.Unix(), i.Effective.Unix()+1e6)
		}
		return i
	}
}

func anyAlert(t *rapid.T) Alert {
	a := Alert{
		Identifier: anyWord(t, "identifier"), Sender: anyWord(t, "sender"), Sent: anyTime(t, "sent", 0, 4e9),
		Status: oneOf(statuses)(t, "status"), MsgType: oneOf(msgTypes)(t, "type"), Source: maybeText(t, "source"), Scope: oneOf(scopes)(t, "scope"),
		Addresses: few(t, "addresses", 1, anyMember), Code: few(t, "codes", 0, anyText), Note: maybeText(t, "note"),
		References: few(t, "references", 1, func(t *rapid.T, label string) Reference {
			return Reference{anyWord(t, label+" sender"), anyWord(t, label), anyTime(t, label+" sent", 0, 4e9)}
		}),
		Incidents: few(t, "incidents", 0, anyMember),
	}
	if a.Scope == ScopeRestricted {
		a.Restriction = anyText(t, "restriction")
	}
	a.Infos = few(t, "infos", 0, anyInfo(a.Sent))
	return a
}

// What is written reads back as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAlert(t)
		b, err := a.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Parse(b)
		if diff := unlike(a, got); err != nil || diff != "" {
			t.Fatalf("%v %s\n%s", err, diff, b)
		}
	})
}

// What cannot be put into CAP exactly is not written at all, or, for times, at the same instant.
func TestMarshalRefusesOrBends(t *testing.T) {
	for name, spoil := range map[string]func(*Alert){
		"no identifier":          func(a *Alert) { a.Identifier = "" },
		"no time":                func(a *Alert) { a.Sent = time.Time{} },
		"year 10000":             func(a *Alert) { a.Sent = a.Sent.AddDate(8000, 0, 0) },
		"no status":              func(a *Alert) { a.Status = "" },
		"a status of our own":    func(a *Alert) { a.Status = "Live" },
		"control character":      func(a *Alert) { a.Note = "\x00" },
		"broken UTF-8":           func(a *Alert) { a.Infos[0].Event = "\xff" },
		"quote in an address":    func(a *Alert) { a.Addresses = []string{`a "b" c`} },
		"quotes around one":      func(a *Alert) { a.Addresses = []string{`"a"`} },
		"empty address":          func(a *Alert) { a.Addresses = []string{""} },
		"comma in a reference":   func(a *Alert) { a.References = []Reference{{"a,b", "c", a.Sent}} },
		"space in a reference":   func(a *Alert) { a.References = []Reference{{"a b", "c", a.Sent}} },
		"reference without time": func(a *Alert) { a.References = []Reference{{"a", "c", time.Time{}}} },
		"not a number":           func(a *Alert) { a.Infos[0].Areas[0].Polygons[0][1].Lat = nan() },
		"open polygon":           func(a *Alert) { a.Infos[0].Areas[0].Polygons[0] = a.Infos[0].Areas[0].Polygons[0][1:] },
		"ceiling alone":          func(a *Alert) { x := 1.0; a.Infos[0].Areas[0].Ceiling = &x },
		"no category":            func(a *Alert) { a.Infos[0].Categories = nil },
		"update of nothing":      func(a *Alert) { a.MsgType = MsgUpdate },
	} {
		a := golden()["alert"]
		spoil(&a)
		if b, err := a.Marshal(); err == nil {
			t.Errorf("%s: written as\n%s", name, b)
		}
	}
	a := golden()["alert"]
	want := a.Sent
	for name, sent := range map[string]time.Time{
		"milliseconds":       want.Add(250 * time.Millisecond),
		"a zone of seconds":  want.In(time.FixedZone("LMT", 7324)),
		"a zone beyond 14 h": want.In(time.FixedZone("far", 15*3600)),
	} {
		a.Sent = sent
		b, err := a.Marshal()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _, err := Parse(b); err != nil || !got.Sent.Equal(want) {
			t.Errorf("%s: %v %v", name, got.Sent, err)
		}
	}
}

func nan() float64 { z := 0.0; return z / z }

// What we take, the schema takes: golden alerts with lines dropped, doubled, moved and
// bent at random, judged by both.
func TestWhatWeTakeTheSchemaTakes(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 7))
	dir := t.TempDir()
	var files []string
	taken := map[string]bool{}
	for _, good := range folder(t, "testdata/good/*.xml") {
		doc := read1(t, good)
		for n := range 80 {
			file := filepath.Join(dir, fmt.Sprintf("%s-%d.xml", filepath.Base(good), n))
			b := []byte(bend(r, string(doc)))
			write(t, file, b)
			files = append(files, file)
			taken[file] = Check(b).Valid()
		}
	}
	verdicts := xmllint(t, files...)
	both, ours, schemas := 0, 0, 0
	for _, f := range files {
		switch {
		case taken[f] && verdicts[f]:
			both++
		case taken[f]:
			ours++
			t.Errorf("we take what the schema refuses:\n%s", read1(t, f))
		case verdicts[f]:
			schemas++
		}
	}
	t.Logf("of %d bent alerts both take %d, the schema alone %d, we alone %d", len(files), both, schemas, ours)
	if both == 0 || both == len(files) {
		t.Error("the bending says nothing")
	}
}

// bend changes one or two lines of a document.
func bend(r *rand.Rand, doc string) string {
	lines := strings.Split(doc, "\n")
	for range 1 + r.IntN(2) {
		i, j := 2+r.IntN(len(lines)-3), 2+r.IntN(len(lines)-3)
		switch r.IntN(6) {
		case 0:
			lines = append(lines[:i:i], lines[i+1:]...)
		case 1:
			lines = append(lines[:i:i], append([]string{lines[j]}, lines[i:]...)...)
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
		case 3:
			lines[i] = strings.Replace(lines[i], ">", "> ", 1)
		case 4:
			lines[i] = strings.Replace(lines[i], "0", "7", 1)
		case 5:
			lines[i] = strings.ToLower(lines[i])
		}
	}
	return strings.Join(lines, "\n")
}
