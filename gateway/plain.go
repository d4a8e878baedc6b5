package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/core/zone"
	"tocsin/web"
)

// exercise is the universe whose page says so in every line.
const exercise = "exercise"

// language is what a reader is spoken to in: what the address asks for, else what the
// browser prefers (RFC 9110, 12.5.4), else the deployment's first, else English.
func (p *page) language(asked, accepted string) string {
	if _, ok := p.book.In(asked); ok {
		return asked
	}
	best, most := "", 0.0
	for i, one := range strings.Split(accepted, ",") {
		if i == maxAccepted {
			break
		}
		tag, q, weighed := strings.Cut(strings.ReplaceAll(one, " ", ""), ";q=")
		weight := 1.0
		if weighed {
			var err error
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		code, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if _, ok := p.book.In(code); ok && weight > most {
			best, most = code, weight
		}
	}
	if best != "" {
		return best
	}
	for _, code := range p.cfg.Languages {
		if _, ok := p.book.In(code); ok {
			return code
		}
	}
	return "en"
}

// maxAccepted bounds the languages that are read of one request.
const maxAccepted = 32

// activeView is the part of /v1/active that a reader without script needs.
type activeView struct {
	Universe string       `json:"universe"`
	At       time.Time    `json:"at"`
	Picture  string       `json:"picture"`
	Zones    []activeZone `json:"zones"`
}

type activeZone struct {
	ID     zone.ID   `json:"id"`
	Region zone.ID   `json:"region"`
	Stage  string    `json:"stage"`
	Threat string    `json:"threat"`
	Text   string    `json:"text"`
	End    string    `json:"end"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

// condition is what people are told of a zone at a time, as every client has it.
func (z activeZone) condition(at time.Time) string {
	switch {
	case z.End == "expired", z.End == "" && !at.Before(z.Until):
		return "no-news"
	case z.End != "":
		return z.End
	}
	return z.Stage
}

// listedZones bounds the list in words; the rest is counted.
const listedZones = 2000

// marks are the shapes of the conditions, the gravest first.
var marks = []struct{ condition, mark string }{
	{"shelter", "▲"}, {"prepare", "◆"}, {"no-news", "?"}, {"all-clear", "✓"}, {"cancelled", "⊘"},
}

// writer writes the list in words.
type writer struct {
	bytes.Buffer
	p     *page
	words web.Words
	lang  string
	left  int // how many more zones may be named
}

// line writes a text in an element; in an exercise it says so first.
func (w *writer) line(element, class, format string, args ...any) {
	if class != "" {
		class = ` class="` + class + `"`
	}
	fmt.Fprintf(w, "<%s%s>", element, class)
	if w.p.cfg.Universe == exercise {
		fmt.Fprintf(w, "<b>%s</b> ", html.EscapeString(w.words.Exercise))
	}
	fmt.Fprintf(w, format, args...)
	element, _, _ = strings.Cut(element, " ")
	fmt.Fprintf(w, "</%s>\n", element)
}

func (w *writer) text(s string) string { return html.EscapeString(s) }

// clock is a time of day where the deployment is.
func (w *writer) clock(t time.Time, form string) string {
	t = t.In(w.p.at)
	return fmt.Sprintf(`<time datetime="%s">%s</time>`, t.UTC().Format(time.RFC3339), t.Format(form))
}

// inWords lists what is warned, and what to do, for readers without script. What it is
// given is this system's own /v1/active; nil where there is none yet.
func (p *page) inWords(active []byte, words web.Words, lang string) []byte {
	w := &writer{p: p, words: words, lang: lang, left: listedZones}
	w.line("h1", "", "%s", w.text(cmp.Or(p.cfg.Name, words.Title)))
	if p.cfg.Universe == exercise {
		w.line("p", "loud", "<strong>%s</strong>", w.text(words.ExerciseNote))
	}
	var view activeView
	if len(active) == 0 || json.Unmarshal(active, &view) != nil {
		w.line("p", "", "%s", w.text(words.Plain.None))
	} else {
		made := web.Fill(w.text(words.Plain.Made), "time", w.clock(view.At, "2006-01-02 15:04:05"))
		w.line("p", "made", `<strong>%s</strong> <bdi dir="ltr">(UTC%s)</bdi>`, made, view.At.In(p.at).Format("-07:00"))
		w.line("p", "", "%s", w.text(words.Picture[view.Picture]))
		w.warned(view)
	}
	w.line("p", "soft", "%s", w.text(words.Plain.Trust))
	w.links()
	return w.Bytes()
}

// warned writes a section for each condition, the gravest first.
func (w *writer) warned(view activeView) {
	w.line("h2", "", "%s", w.text(w.words.List.Title))
	total := 0
	for _, m := range marks {
		var zones []activeZone
		for _, z := range view.Zones {
			if z.condition(view.At) == m.condition {
				zones = append(zones, z)
			}
		}
		if len(zones) == 0 {
			continue
		}
		total += len(zones)
		fmt.Fprintf(w, `<section class="%s">`, m.condition)
		w.line("h3", "", `<span aria-hidden="true">%s</span> %s`, m.mark, w.text(w.words.List.Groups[m.condition]))
		w.texts(m.condition, zones)
		w.WriteString("</section>\n")
	}
	if total == 0 {
		w.line("p", "", "%s", w.text(w.words.List.Empty))
	}
	if over := total - listedZones; over > 0 {
		w.line("p", "", "%s", w.text(web.Fill(w.words.Plain.Others, "n", strconv.Itoa(over))))
	}
}

// told is what zones have in common that are told the same.
type told struct {
	key    string // of the pre-agreed text
	noTime bool   // there is no time to reach a shelter: nobody is sent to one in a warning
}

// told is what is said for a zone under a condition.
func (w *writer) told(condition string, z activeZone) told {
	key := z.Text
	if condition == "no-news" {
		key = "expired"
	} else if _, _, agreed := w.p.book.Text(w.words, key); !agreed {
		key = cmp.Or(z.End, z.Stage+"-"+z.Threat)
	}
	known, _ := w.p.zones.Get(z.ID)
	warned := condition == "shelter" || condition == "prepare"
	return told{key, warned && known.ShelterKnown && known.Shelter == 0}
}

// texts writes what to do once for all zones that are told the same, then the zones.
func (w *writer) texts(condition string, zones []activeZone) {
	var order []told
	byText := map[told][]activeZone{}
	for _, z := range zones {
		t := w.told(condition, z)
		if byText[t] == nil {
			order = append(order, t)
		}
		byText[t] = append(byText[t], z)
	}
	for _, t := range order {
		headline, instruction, _ := w.p.book.Text(w.words, t.key)
		w.line("p", "", "<strong>%s</strong>", w.text(headline))
		switch {
		case t.noTime && condition == "shelter":
			w.line("p", "", "<strong>%s</strong>", w.text(w.words.When.NoTime))
			instruction = w.words.When.NoTimeText
		case t.noTime:
			instruction = w.words.When.NoTimeReady
		}
		w.line("p", "", "%s", w.text(instruction))
		w.regions(condition, byText[t])
	}
}

// regions names the zones, those of one region in one line, with the time that matters.
func (w *writer) regions(condition string, zones []activeZone) {
	slices.SortStableFunc(zones, func(a, b activeZone) int { return cmp.Compare(a.Region, b.Region) })
	w.WriteString("<ul>\n")
	for len(zones) > 0 && w.left > 0 {
		n := 1
		for n < len(zones) && zones[n].Region == zones[0].Region {
			n++
		}
		w.row(condition, zones[:n])
		zones = zones[n:]
	}
	w.WriteString("</ul>\n")
}

// named is a zone's name in an element that says which zone it is: the page's script takes
// these names over, and need not wait for those of all zones.
func (w *writer) named(element string, id zone.ID) string {
	return fmt.Sprintf(`<%s data-zone="%s">%s</%s>`, element, w.text(string(id)), w.text(w.p.zones.Name(id, w.lang)), element)
}

func (w *writer) row(condition string, zones []activeZone) {
	var named []zone.ID
	from, until := zones[0].Since, zones[0].Until
	for _, z := range zones {
		if z.Until.After(until) {
			until = z.Until
		}
		if w.left > 0 {
			w.left--
			named = append(named, z.ID)
		}
	}
	slices.SortStableFunc(named, func(a, b zone.ID) int {
		return cmp.Compare(w.p.zones.Name(a, w.lang), w.p.zones.Name(b, w.lang))
	})
	var names []string
	for _, id := range named {
		names = append(names, w.named("span", id))
	}
	region := ""
	if zones[0].Region != zone.Everywhere {
		region = w.named("b", zones[0].Region) + ": "
	}
	when := web.Fill(w.text(w.words.When.Since), "time", w.clock(from, "15:04"))
	if condition == "shelter" || condition == "prepare" {
		when = web.Fill(w.text(w.words.When.Until), "time", w.clock(until, "15:04"))
	}
	w.line("li", "", "%s%s. %s.", region, strings.Join(names, ", "), when)
}

// links load the list again, and in other languages.
func (w *writer) links() {
	fmt.Fprintf(w, `<p><a href="/?lang=%s">%s</a></p>`, w.lang, w.text(w.words.Plain.Again))
	w.WriteString("\n<p>")
	for _, code := range w.p.book.Codes {
		other, _ := w.p.book.In(code)
		fmt.Fprintf(w, `<a href="/?lang=%s" lang="%s" hreflang="%s">%s</a> `, code, code, code, w.text(other.Language))
	}
	w.WriteString("</p>\n")
}
