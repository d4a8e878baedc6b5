package zone

import (
	"fmt"
	"strings"

	"tocsin/core/geo"
)

// maxDefects bounds the defects that a report names; the rest are counted.
const maxDefects = 1000

// maxExamples bounds the examples of one remark.
const maxExamples = 10

// Defect refuses a set.
type Defect struct {
	File  string `json:"file,omitempty"`
	ID    ID     `json:"id,omitempty"`    // the zone, where it could be read
	Place string `json:"place,omitempty"` // where: a feature, ring, point, or coordinates
	What  string `json:"what"`
}

func (d Defect) String() string {
	var b strings.Builder
	for _, s := range [...]string{d.File, string(d.ID), d.Place} {
		if s != "" {
			b.WriteString(s)
			b.WriteString(": ")
		}
	}
	b.WriteString(d.What)
	return b.String()
}

// Remark is a figure that its author should look at; it refuses nothing.
type Remark struct {
	What     string   `json:"what"`
	Count    int      `json:"count"`
	Examples []string `json:"examples,omitempty"` // at most ten
}

func (r Remark) String() string {
	s := fmt.Sprintf("%s: %d", r.What, r.Count)
	if len(r.Examples) > 0 {
		s += " (" + strings.Join(r.Examples, "; ")
		if r.Count > len(r.Examples) {
			s += "; ..."
		}
		s += ")"
	}
	return s
}

// Report is what reading or checking zones found.
type Report struct {
	Zones   int      `json:"zones"`
	Leaves  int      `json:"leaves"`
	Version string   `json:"version,omitempty"` // of the set, where there is no defect
	Defects []Defect `json:"defects"`
	More    int      `json:"more_defects,omitempty"` // defects beyond those named
	Remarks []Remark `json:"remarks"`

	index map[string]int // remark by What
}

// Bad says whether the set is refused.
func (r *Report) Bad() bool { return len(r.Defects) > 0 }

// Count is the number of defects, named or not.
func (r *Report) Count() int { return len(r.Defects) + r.More }

func (r *Report) defect(d Defect) {
	if len(r.Defects) >= maxDefects {
		r.More++
		return
	}
	d.File, d.Place, d.What = printable(d.File), printable(d.Place), printable(d.What)
	d.ID = ID(printable(string(d.ID)))
	r.Defects = append(r.Defects, d)
}

// remark counts one more of its kind.
func (r *Report) remark(what, example string) {
	if r.index == nil {
		r.index = map[string]int{}
	}
	i, ok := r.index[what]
	if !ok {
		i = len(r.Remarks)
		r.index[what] = i
		r.Remarks = append(r.Remarks, Remark{What: what})
	}
	r.Remarks[i].Count++
	if example != "" && len(r.Remarks[i].Examples) < maxExamples {
		r.Remarks[i].Examples = append(r.Remarks[i].Examples, printable(example))
	}
}

func (r *Report) summary(n int) string {
	var out []string
	for i, d := range r.Defects {
		if i == n {
			break
		}
		out = append(out, d.String())
	}
	s := strings.Join(out, "; ")
	if more := r.Count() - len(out); more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

// printable cuts a foreign text short and leaves no control character in it: a report is
// read on a terminal.
func printable(s string) string {
	const most = 200
	var b strings.Builder
	for _, c := range s {
		if b.Len() >= most {
			b.WriteString("...")
			break
		}
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			c = '\uFFFD'
		}
		b.WriteRune(c)
	}
	return b.String()
}

func at(p geo.Point) string { return fmt.Sprintf("%.6f,%.6f", float64(p.Lat), float64(p.Lon)) }
