package cap12

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is wrapped by every refusal of a document that is not CAP 1.2.
var ErrInvalid = errors.New("not valid CAP 1.2")

// Rule names what a document breaks or what is odd in it: a short stable word.
type Rule string

// Remark is one thing found in a document.
type Remark struct {
	Rule  Rule   `json:"rule"`
	What  string `json:"what"`            // the rule in words
	Path  string `json:"path,omitempty"`  // the element: alert/info[2]/area[1]/polygon[1]
	Value string `json:"value,omitempty"` // the text found there, cut to a readable length
	Line  int    `json:"line,omitempty"`  // line of the element in the document, from 1
}

// String is the remark on one line.
func (r Remark) String() string {
	s := string(r.Rule) + ": " + r.What
	if r.Path != "" {
		s += ", at " + r.Path
	}
	if r.Line > 0 {
		s += fmt.Sprintf(", line %d", r.Line)
	}
	if r.Value != "" {
		s += fmt.Sprintf(", value %q", r.Value)
	}
	return s
}

// Report is what Check found: defects make a document invalid, warnings do not.
type Report struct {
	Defects  []Remark `json:"defects"`
	Warnings []Remark `json:"warnings"`
	Omitted  int      `json:"omitted,omitempty"` // how many more there are at least, beyond a hundred of each
}

// Valid reports whether the document has no defect.
func (r Report) Valid() bool { return len(r.Defects) == 0 }

// Err is nil for a valid document, else an error that wraps ErrInvalid and names the
// first defects.
func (r Report) Err() error {
	if r.Valid() {
		return nil
	}
	const most = 5
	var lines []string
	for _, d := range r.Defects[:min(len(r.Defects), most)] {
		lines = append(lines, d.String())
	}
	if n := len(r.Defects) - most; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(lines, "; "))
}
