package desk

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// members hands each member of an object to its reader and returns their names. One that
// has no reader is refused.
func (v value) members(path string, read map[string]func(value) *fault) (has []string, f *fault) {
	if v.kind != object {
		return nil, &fault{field(path), fmt.Sprintf("must be an object, not %s", v.kind)}
	}
	for i, name := range v.names {
		one, known := read[name]
		if !known {
			return nil, &fault{field(path, name), "is not known here; look at the spelling, or leave it out"}
		}
		if f := one(v.elements[i]); f != nil {
			return nil, f
		}
	}
	return v.names, nil
}

func (v value) string(name string) (string, *fault) {
	if v.kind != text {
		return "", &fault{name, fmt.Sprintf("must be a text, not %s", v.kind)}
	}
	return v.text, nil
}

// token reads a short name without anything that needs care in a log, an address or XML.
func (v value) token(name string, most int) (string, *fault) {
	s, f := v.string(name)
	if f != nil {
		return "", f
	}
	odd := strings.IndexFunc(s, func(c rune) bool {
		return c > unicode.MaxASCII || !(unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("._:/-", c))
	})
	if s == "" || len(s) > most || odd >= 0 {
		return "", &fault{name, fmt.Sprintf("must have 1 to %d characters of A-Z a-z 0-9 . _ : / -", most)}
	}
	return s, nil
}

// words reads a person's words: some, one line, nothing that hides or turns what is read.
func (v value) words(name string, most int) (string, *fault) {
	s, f := v.string(name)
	switch {
	case f != nil:
		return "", f
	case strings.TrimSpace(s) == "":
		return "", &fault{name, "says nothing; write it in words"}
	case len(s) > most:
		return "", &fault{name, fmt.Sprintf("is over %d bytes; say it shorter", most)}
	case strings.IndexFunc(s, hidden) >= 0:
		return "", &fault{name, "has a control character or a character that turns the direction of text; write it in one plain line"}
	}
	return s, nil
}

// hidden are characters that are not seen but change what is read.
func hidden(c rune) bool {
	return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' || c == '\ufeff' || c == unicode.ReplacementChar ||
		c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069' || c&0xfffe == 0xfffe || c >= '\ufdd0' && c <= '\ufdef'
}

func (v value) ids(name string) ([]zone.ID, *fault) {
	if v.kind != array {
		return nil, &fault{name, fmt.Sprintf("must be a list of ids, not %s", v.kind)}
	}
	if len(v.elements) == 0 {
		return nil, &fault{name, "is empty; name at least one, or leave it out"}
	}
	out := make([]zone.ID, len(v.elements))
	for i, e := range v.elements {
		if e.kind != text || e.text == "" || len(e.text) > maxZone || strings.IndexFunc(e.text, hidden) >= 0 {
			return nil, &fault{name, fmt.Sprintf("must be a list of ids of 1 to %d bytes; number %d is none", maxZone, i+1)}
		}
		out[i] = zone.ID(e.text)
	}
	return out, nil
}

// oneOf reads a name of a closed list.
func (v value) oneOf(name string, all []string) (string, *fault) {
	if v.kind == text && slices.Contains(all, v.text) {
		return v.text, nil
	}
	return "", &fault{name, "must be one of " + strings.Join(all, ", ")}
}

func (v value) action(out *warning.Action) *fault {
	var all []string
	for _, a := range Actions() {
		all = append(all, string(a))
	}
	s, f := v.oneOf("action", all)
	*out = warning.Action(s)
	return f
}

// stages and ends are what a person may ask for.
var (
	stages = []string{warning.Prepare.String(), warning.Shelter.String()}
	ends   = []string{warning.AllClear.String(), warning.Cancelled.String()}
)

func (v value) stage(out *warning.Stage) *fault {
	s, f := v.oneOf("stage", stages)
	if f == nil && out.UnmarshalText([]byte(s)) != nil {
		f = &fault{"stage", "is none"}
	}
	return f
}

func (v value) end(out *warning.End) *fault {
	s, f := v.oneOf("end", ends)
	if f == nil && out.UnmarshalText([]byte(s)) != nil {
		f = &fault{"end", "is none"}
	}
	return f
}

// threats are the names of the contract's list, in its order.
func threats() []string {
	var all []string
	for _, c := range class.All() {
		all = append(all, c.String())
	}
	return all
}

func (v value) class(name string, out *class.Class) *fault {
	s, f := v.oneOf(name, threats())
	if f == nil && out.UnmarshalText([]byte(s)) != nil {
		f = &fault{name, "is none"}
	}
	return f
}

// time reads RFC 3339, with any offset; what is finer than a millisecond is cut off.
func (v value) time(name string) (time.Time, *fault) {
	var t time.Time
	if v.kind != text || len(v.text) > 40 || t.UnmarshalText([]byte(v.text)) != nil || t.Year() < 1970 || t.Year() > 9000 {
		return time.Time{}, &fault{name, "must be a time of RFC 3339, such as 2026-11-22T14:00:00.000Z"}
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// number reads a finite number from low to high, both included.
func (v value) number(name, unit string, low, high float64) (float64, *fault) {
	if v.kind != number {
		return 0, &fault{name, fmt.Sprintf("must be a number, not %s", v.kind)}
	}
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsNaN(n) || n < low || n > high {
		return 0, &fault{name, fmt.Sprintf("must be %v to %v %s", low, high, unit)}
	}
	return n + 0, nil // -0 becomes 0: the same content has one digest
}
