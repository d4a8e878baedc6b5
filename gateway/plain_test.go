package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tocsin/core/zone"
)

// TestLanguage: what the address asks for, else what the browser prefers, else the
// deployment's first; whatever else stands there is passed over.
func TestLanguage(t *testing.T) {
	w := ready(t)
	for _, c := range []struct{ asked, accepted, want string }{
		{"", "", "uk"},
		{"he", "ru", "he"},
		{"", "he-IL,he;q=0.9,en;q=0.5", "he"},
		{"", "de-DE, en;q=0.3, ru ; q=0.4", "ru"},
		{"", "en;q=0, ru;q=0.1", "ru"},
		{"", "en;q=x, AR-eg;q=0.2", "ar"},
		{"", "*, de", "uk"},
		{"xx", "de", "uk"},
		{`"><script>`, "../../etc", "uk"},
		{"", strings.Repeat("de,", 1000) + "he", "uk"},
		{"", ";q=1,;;,,q=;en;q=1;q=2", "uk"},
	} {
		if got := w.g.page.language(c.asked, c.accepted); got != c.want {
			t.Errorf("?lang=%s, Accept-Language %.40s: %s, want %s", c.asked, c.accepted, got, c.want)
		}
		r := w.get("GET", "/?lang="+strings.NewReplacer(`"`, "%22", ">", "%3E", "<", "%3C").Replace(c.asked), "Accept-Language", c.accepted)
		if h := r.Header(); h.Get("Content-Language") != c.want || !strings.Contains(h.Get("Vary"), "Accept-Language") {
			t.Errorf("?lang=%s: %v", c.asked, h)
		}
	}
}

// textsOf are the lines of a page as a browser without script reads them: the parser is an
// independent one.
func textsOf(t *testing.T, page []byte) (lang, dir string, lines []string) {
	t.Helper()
	doc, err := html.ParseWithOptions(bytes.NewReader(page), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	var text func(n *html.Node) string
	text = func(n *html.Node) string {
		if n.Type == html.TextNode {
			return n.Data
		}
		var all string
		for c := range n.ChildNodes() {
			all += text(c)
		}
		return all
	}
	for n := range doc.Descendants() {
		switch n.Data {
		case "html":
			for _, a := range n.Attr {
				switch a.Key {
				case "lang":
					lang = a.Val
				case "dir":
					dir = a.Val
				}
			}
		case "p", "li", "h1", "h2", "h3":
			if n.Type == html.ElementNode && n.FirstChild != nil && (n.FirstChild.Data != "a") {
				lines = append(lines, strings.TrimSpace(text(n)))
			}
		}
	}
	return lang, dir, lines
}

// TestTheListWithoutScript: in every language the warned zones, what to do and how old it is.
func TestTheListWithoutScript(t *testing.T) {
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	w := newWorld(t, squares(t, 3, nil), func(c *Config) { c.Location = kyiv })
	w.tick()
	w.warn("n0001", "n0002", "s0000")
	for _, code := range w.g.page.book.Codes {
		words, _ := w.g.page.book.In(code)
		lang, dir, lines := textsOf(t, w.get("GET", "/", "Accept-Language", code).Body.Bytes())
		if lang != code || dir != words.Dir {
			t.Errorf("%s: said to be %s, %s", code, lang, dir)
		}
		all := strings.Join(lines, "\n")
		until := w.now.Add(time.Hour).In(kyiv).Format("15:04")
		for _, want := range []string{
			w.now.In(kyiv).Format("2006-01-02 15:04:05"), "(UTC+02:00)", words.Headlines["shelter-drone"], words.Instructions["inside"],
			"▲ " + words.List.Groups["shelter"], until, words.Plain.Trust, words.ExerciseNote, words.Picture["live"],
		} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no %q in\n%s", code, want, all)
			}
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, words.Exercise) {
				t.Errorf("%s: a line of an exercise that does not say so: %q", code, line)
			}
			if strings.ContainsAny(line, "{}") {
				t.Errorf("%s: a hole: %q", code, line)
			}
		}
	}
	if page := w.get("GET", "/?lang=he").Body.String(); !strings.Contains(page, `<html lang="he" dir="rtl" data-universe="exercise">`) {
		t.Errorf("an exercise has the colours of a warning:\n%.300s", page)
	}
	_, _, lines := textsOf(t, w.get("GET", "/?lang=en").Body.Bytes())
	if all := strings.Join(lines, "\n"); !strings.Contains(all, "EXERCISE Zone north: Zone n0001, Zone n0002. In force until ") {
		t.Errorf("the zones of one region:\n%s", all)
	}
	// The page's script reads which zone each name is of.
	body := w.get("GET", "/?lang=en").Body.String()
	for _, want := range []string{`<b data-zone="north">Zone north</b>: <span data-zone="n0001">Zone n0001</span>, <span data-zone="n0002">Zone n0002</span>`, `<span data-zone="s0000">`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

// TestNobodyIsSentWhereThereIsNoTime: a zone whose shelter time is none is told so, and not to
// walk to a shelter; the zones beside it are told to go.
func TestNobodyIsSentWhereThereIsNoTime(t *testing.T) {
	w := newWorld(t, squares(t, 2, nil), nil)
	w.tick()
	w.warn("n0000", "n0001")
	for _, code := range w.g.page.book.Codes {
		words, _ := w.g.page.book.In(code)
		_, _, lines := textsOf(t, w.get("GET", "/", "Accept-Language", code).Body.Bytes())
		all := strings.Join(lines, "\n")
		none, sent := strings.Index(all, words.When.NoTime+"\n"), strings.Index(all, words.Instructions["inside"])
		for zone, want := range map[string]bool{"n0000": true, "n0001": false} {
			at := strings.Index(all, zone)
			if at < 0 || none < 0 || sent < 0 || (none < at && (sent > at || none > sent)) != want {
				t.Errorf("%s: %s is not told what it should be:\n%s", code, zone, all)
			}
		}
		if !strings.Contains(all, words.When.NoTimeText) || strings.Contains(all, words.When.NoTimeReady) {
			t.Errorf("%s: no %q in\n%s", code, words.When.NoTimeText, all)
		}
		// Who is to be ready there is in a shelter before the warning comes.
		var zones []activeZone
		for _, id := range []zone.ID{"n0000", "n0001"} {
			zones = append(zones, activeZone{ID: id, Region: "north", Stage: "prepare", Threat: "rocket", Text: "prepare-rocket", Since: w.now, Until: w.now.Add(time.Hour)})
		}
		state, err := json.Marshal(activeView{Universe: "exercise", At: w.now, Picture: "live", Zones: zones})
		if err != nil {
			t.Fatal(err)
		}
		_, _, lines = textsOf(t, w.g.page.inWords(state, words, code))
		first, second, both := strings.Cut(strings.Join(lines, "\n"), "n0000")
		if !both || !strings.Contains(first, words.When.NoTimeReady) || strings.Contains(first, words.Instructions["ready-fast"]) || !strings.Contains(second, words.Instructions["ready-fast"]) {
			t.Errorf("%s: to be ready where there is no time:\n%s", code, strings.Join(lines, "\n"))
		}
	}
}

// TestRunOutIsNoNews: a warning whose time is over is not known to be safe, and no warning.
func TestRunOutIsNoNews(t *testing.T) {
	w := newWorld(t, squares(t, 1, nil), nil)
	at := w.now
	zoneOf := func(id, stage, end string, until time.Time) activeZone {
		return activeZone{ID: zone.ID(id), Region: "north", Stage: stage, Threat: "rocket", Text: "of-later", End: end, Since: at, Until: until}
	}
	state, err := json.Marshal(activeView{Universe: "exercise", At: at, Picture: "none", Zones: []activeZone{
		zoneOf("over", "shelter", "", at), zoneOf("holds", "shelter", "", at.Add(time.Second)), zoneOf("lost", "quiet", "expired", at.Add(time.Hour)),
		zoneOf("mistake", "quiet", "cancelled", at.Add(time.Hour)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	words, _ := w.g.page.book.In("en")
	_, _, lines := textsOf(t, w.g.page.inWords(state, words, "en"))
	all := strings.Join(lines, "\n")
	shelter, rest, _ := strings.Cut(all, "? No news")
	if !strings.Contains(shelter, "Rockets: take shelter now") || !strings.Contains(shelter, ": holds.") || strings.Contains(shelter, "over.") ||
		!strings.Contains(rest, "not known whether it is safe") || !strings.Contains(rest, ": lost, over.") || !strings.Contains(rest, "our mistake") {
		t.Errorf("%s", all)
	}
	if !strings.Contains(all, words.Picture["none"]) || strings.Contains(all, words.List.Empty) {
		t.Errorf("%s", all)
	}
}

// TestAWholeCountryIsBounded: the list names at most so many, says how many are left, and
// is small on the line.
func TestAWholeCountryIsBounded(t *testing.T) {
	w := newWorld(t, squares(t, 1500, nil), nil)
	w.tick()
	var ids []zone.ID
	for _, side := range []string{"n", "s"} {
		for i := range 1500 {
			ids = append(ids, zone.ID(fmt.Sprintf("%s%04d", side, i)))
		}
	}
	w.warn(ids...)
	plain, packed := w.get("GET", "/?lang=en"), w.get("GET", "/?lang=en", "Accept-Encoding", "gzip")
	if n := strings.Count(plain.Body.String(), "Zone n"); n > listedZones || !strings.Contains(plain.Body.String(), "Places not listed here: 1000.") {
		t.Errorf("%d zones named", n)
	}
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() > 20<<10 {
		t.Errorf("%d bytes as %q", packed.Body.Len(), packed.Header().Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, plain.Body.Bytes()) {
		t.Errorf("packed it is another page: %v", err)
	}
}

// TestThePageIsCached: the same state is the same page, another state another; and what a
// device keeps to open offline holds nothing that grows old.
func TestThePageIsCached(t *testing.T) {
	w := ready(t)
	tag := w.get("GET", "/").Header().Get("ETag")
	if again := w.get("GET", "/", "If-None-Match", tag); again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("%d", again.Code)
	}
	if w.get("GET", "/?lang=ar").Header().Get("ETag") == tag {
		t.Error("another language has the same tag")
	}
	shell := w.get("GET", "/index.html")
	w.warn("s0001")
	if again := w.get("GET", "/", "If-None-Match", tag); again.Code != 200 || !strings.Contains(again.Body.String(), "s0001") {
		t.Errorf("another state: %d", again.Code)
	}
	later := w.get("GET", "/index.html")
	if shell.Body.String() != later.Body.String() || strings.Contains(later.Body.String(), "0001") || strings.Contains(later.Body.String(), "20") && strings.Contains(later.Body.String(), "<time") {
		t.Errorf("the page without a list:\n%s", later.Body)
	}
}

// TestManifest: an installed exercise is called one.
func TestManifest(t *testing.T) {
	var m struct {
		Name  string
		Icons []struct{ Src string }
	}
	w := ready(t)
	if err := json.Unmarshal(w.get("GET", "/app.webmanifest").Body.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if m.Name != `НАВЧАННЯ: <b>"Tocsin"</b>` || len(m.Icons) != 2 || m.Icons[0].Src != "/exercise-192.png" {
		t.Errorf("%+v", m)
	}
}
