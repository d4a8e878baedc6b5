package scorecard

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"figure":      figure,
	"percent":     percent,
	"count":       count,
	"reliability": reliabilityPlot,
	"bars":        burdenPlot,
	"margins":     marginPlot,
	"minutes":     func(s int) int { return s / 60 },
	"first":       func(hash string) string { return hash[:min(12, len(hash))] },
	"raids":       raidsInWords,
}).Parse(page))

// HTML is the report as one page: it needs no script and no other file.
func (r *Report) HTML() []byte {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, r); err != nil {
		// The template is part of the program and its test fills every field of it.
		panic("scorecard: the page: " + err.Error())
	}
	return b.Bytes()
}

func percent(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100**v)
}

// count writes a large number with its thousands apart.
func count(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

func raidsInWords(raids map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(raids)) {
		parts = append(parts, fmt.Sprintf("%d × %s", raids[k], k))
	}
	return strings.Join(parts, ", ")
}

// svg is a drawing under way. All it is given is numbers and words of ours or escaped.
type svg struct{ b strings.Builder }

func (s *svg) open(w, h int, title string) {
	fmt.Fprintf(&s.b, `<svg viewBox="0 0 %d %d" width="%d" role="img" xmlns="http://www.w3.org/2000/svg"><title>%s</title>`, w, h, w, template.HTMLEscapeString(title))
}

func (s *svg) line(x1, y1, x2, y2 float64, kind string) {
	fmt.Fprintf(&s.b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, kind, x1, y1, x2, y2)
}

func (s *svg) text(x, y float64, anchor, text string) {
	fmt.Fprintf(&s.b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, template.HTMLEscapeString(text))
}

func (s *svg) bar(x, y, w, h float64, kind string) {
	fmt.Fprintf(&s.b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, kind, x, y, max(w, 0.5), h)
}

func (s *svg) close() template.HTML {
	s.b.WriteString("</svg>")
	return template.HTML(s.b.String())
}

// reliabilityPlot draws what was said against what happened: on the diagonal both agree.
// A dot's area grows with its cases; pale dots have too few for the goal to hold of them.
func reliabilityPlot(title string, l Lead) template.HTML {
	const left, top, size = 44.0, 10.0, 190.0
	var s svg
	s.open(250, 246, fmt.Sprintf("%s, %d minutes ahead: probability said and share observed", title, l.Seconds/60))
	x := func(p float64) float64 { return left + size*p }
	y := func(p float64) float64 { return top + size*(1-p) }
	fmt.Fprintf(&s.b, `<polygon class="band" points="%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f"/>`,
		x(0), y(0), x(0), y(0.05), x(0.95), y(1), x(1), y(1), x(1), y(0.95), x(0.05), y(0))
	s.line(x(0), y(0), x(1), y(1), "ideal")
	s.line(x(0), y(0), x(1), y(0), "axis")
	s.line(x(0), y(0), x(0), y(1), "axis")
	for _, v := range []float64{0, 0.5, 1} {
		s.text(x(v), y(0)+14, "middle", fmt.Sprintf("%g", v))
		s.text(x(0)-6, y(v)+4, "end", fmt.Sprintf("%g", v))
	}
	s.text(x(0.5), y(0)+30, "middle", "said")
	s.text(x(0)+6, top+10, "start", "observed")
	for _, b := range l.Reliability {
		kind, radius := "few", 3.0
		if b.Cases > enough {
			kind = "many"
			for n := b.Cases; n > enough && radius < 9; n /= 4 {
				radius += 1.2
			}
		}
		fmt.Fprintf(&s.b, `<circle class="%s" cx="%.1f" cy="%.1f" r="%.1f"><title>said %.2f, observed %.2f, %d cases</title></circle>`,
			kind, x(b.Said), y(b.Observed), radius, b.Said, b.Observed, b.Cases)
	}
	return s.close()
}

// burdenPlot draws person-minutes in shelter where nothing came: of each policy and of the
// blanket alarms, to one scale.
func burdenPlot(r *Report) template.HTML {
	const left, wide, high = 190.0, 430.0, 26.0
	all := slices.Clone(r.Blankets)
	for i := range r.Policies {
		b := r.Policies[i].Burden
		all = append(all, b)
	}
	most := 1.0
	for _, b := range all {
		most = max(most, b.Unreached)
	}
	var s svg
	s.open(int(left+wide)+110, int(high)*len(all)+8, "person-minutes in shelter in zones that were not reached")
	for i, b := range all {
		y := float64(i)*high + 4
		kind := "blanket"
		if i >= len(r.Blankets) {
			kind = "ours"
		}
		s.text(left-8, y+15, "end", b.Of)
		s.bar(left, y+2, wide*b.Unreached/most, high-8, kind)
		s.bar(left, y+2, wide*b.Far/most, high-8, kind+" far")
		s.text(left+wide*b.Unreached/most+6, y+15, "start", count(b.Unreached))
	}
	return s.close()
}

// marginPlot draws how much time was left over, per class: 5 to 95 % as a line, the middle
// half as a bar, the median as a mark.
func marginPlot(classes []ReachedClass) template.HTML {
	const left, wide, high, low, top = 130.0, 460.0, 26.0, -180.0, 900.0
	x := func(v float64) float64 { return left + wide*(min(max(v, low), top)-low)/(top-low) }
	var s svg
	bottom := high*float64(len(classes)) + 4
	s.open(int(left+wide)+30, int(bottom)+24, "seconds left after people have reached shelter, by class")
	for v := -180.0; v <= top; v += 180 {
		kind := "grid"
		if v == 0 {
			kind = "axis"
		}
		s.line(x(v), 0, x(v), bottom, kind)
		s.text(x(v), bottom+15, "middle", fmt.Sprintf("%g min", v/60))
	}
	for i, c := range classes {
		y := float64(i)*high + high/2
		s.text(left-8, y+4, "end", c.Class)
		if m := c.Margin; m != nil {
			s.line(x(m.P5), y, x(m.P95), y, "axis")
			s.bar(x(m.P25), y-6, x(m.P75)-x(m.P25), 12, "ours")
			s.line(x(m.P50), y-9, x(m.P50), y+9, "median")
		}
	}
	return s.close()
}
