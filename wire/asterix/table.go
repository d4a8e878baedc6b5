package asterix

import (
	"fmt"
	"strconv"
	"strings"
)

// The table files are read by this strict reader once a process, on first use. Their
// form is ours (internal/gen writes it):
//
//	table N            meanings, one indented line a value
//	item NAME EDS ...  a structure; EDS is "*" or editions with commas
//	uap NAME EDS ...   the slots of a user application profile
//	select PATH EDS    which UAP by the value of a field
//	expansion EDS ...  the reserved expansion field
//
// A structure is NAME:BITS:CONTENT (element), .BITS (spare), "-" (an FX bit, or an
// unused slot of a compound), or NAME=form( parts ).

type kind uint8

const (
	element kind = iota
	group
	extended   // parts, each ending in an FX bit
	compound   // an FSPEC of its own, then the parts it announces
	compound8  // a compound whose FSPEC is one octet without FX
	repetitive // a count of one octet, then so many
	repeated   // as many as FX bits say
	explicit   // its own length in the first octet
)

// node is one piece of structure. Nodes are shared and never change once read.
type node struct {
	name string
	kind kind
	off  int     // bits from the start of the fixed layout it stands in
	bits int     // size in bits; 0 where it depends on the octets
	kids []*node // compound: nil for an unused slot
	ends []int   // extended: octets at the end of each part
	open bool    // extended: the last part ends in an FX bit as well
	what *content
}

type encoding uint8

const (
	raw encoding = iota
	table
	ascii
	icao
	octal
	bds
	number
	choice // hangs on a sibling
)

type content struct {
	enc      encoding
	signed   bool
	quantity bool // has an LSB; else a plain integer
	num, den float64
	unit     string
	limits   []limit
	meanings map[uint64]string
	register string // bds, where the definition fixes it
	sibling  string // choice
	by       *node  // choice: the sibling, found once the group is whole
	choices  map[uint64]*content
	other    *content
}

type limit struct {
	sign  string
	value float64
	text  string
}

// statement is one unindented line of a table file with the indented ones after it.
type statement struct {
	words []string
	lines []string
}

func statements(text string) []statement {
	var out []statement
	for _, l := range strings.Split(text, "\n") {
		switch {
		case l == "" || l[0] == '#':
		case l[0] == ' ' && len(out) > 0:
			out[len(out)-1].lines = append(out[len(out)-1].lines, l[1:])
		default:
			out = append(out, statement{words: strings.Fields(l)})
		}
	}
	return out
}

// reader holds what later statements of one file refer to.
type reader struct {
	meanings map[string]map[uint64]string
	tokens   []string
}

func (r *reader) table(s statement) error {
	m := make(map[uint64]string, len(s.lines))
	for _, l := range s.lines {
		value, text, _ := strings.Cut(l, " ")
		v, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return fmt.Errorf("table %q: %w", l, err)
		}
		m[v] = text
	}
	r.meanings[s.words[1]] = m
	return nil
}

// structure reads one whole structure from the words after skip and the lines below.
func (r *reader) structure(s statement, skip int, name string) (*node, error) {
	r.tokens = append(r.tokens[:0], s.words[skip:]...)
	for _, l := range s.lines {
		r.tokens = append(r.tokens, strings.Fields(l)...)
	}
	n, err := r.node()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(r.tokens) > 0 {
		return nil, fmt.Errorf("%s: %q left over", name, r.tokens[0])
	}
	n.name = name
	return n, layout(n)
}

func (r *reader) next() (string, error) {
	if len(r.tokens) == 0 {
		return "", fmt.Errorf("structure not closed")
	}
	t := r.tokens[0]
	r.tokens = r.tokens[1:]
	return t, nil
}

var forms = map[string]kind{
	"group(": group, "ext(": extended, "comp(": compound, "comp8(": compound8, "rep1(": repetitive, "repfx(": repeated,
}

// node reads one token and what belongs to it. A spare is an element without a name or
// content; "-" and ")" are nil, told apart by the caller's peek.
func (r *reader) node() (*node, error) {
	t, err := r.next()
	if err != nil {
		return nil, err
	}
	name, form, named := strings.Cut(t, "=")
	if !named || strings.Contains(name, ":") {
		name, form = "", t
	}
	if k, ok := forms[form]; ok {
		return r.kids(&node{name: name, kind: k})
	}
	if form == "re" || form == "sp" {
		return &node{name: name, kind: explicit}, nil
	}
	if spare, ok := strings.CutPrefix(t, "."); ok {
		bits, err := strconv.Atoi(spare)
		return &node{kind: element, bits: bits}, err
	}
	f := strings.SplitN(t, ":", 3)
	if len(f) != 3 {
		return nil, fmt.Errorf("unknown word %q", t)
	}
	bits, err := strconv.Atoi(f[1])
	if err != nil || bits < 1 {
		return nil, fmt.Errorf("size in %q", t)
	}
	c, err := r.content(f[2])
	return &node{name: f[0], kind: element, bits: bits, what: c}, err
}

func (r *reader) kids(n *node) (*node, error) {
	for {
		if len(r.tokens) == 0 {
			return nil, fmt.Errorf("%s: structure not closed", n.name)
		}
		switch r.tokens[0] {
		case ")":
			r.tokens = r.tokens[1:]
			return n, nil
		case "-":
			r.tokens = r.tokens[1:]
			n.kids = append(n.kids, nil)
		default:
			kid, err := r.node()
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		}
	}
}

func (r *reader) content(s string) (*content, error) {
	switch s {
	case "raw":
		return &content{enc: raw}, nil
	case "ascii":
		return &content{enc: ascii}, nil
	case "icao":
		return &content{enc: icao}, nil
	case "octal":
		return &content{enc: octal}, nil
	}
	if m, ok := r.meanings[strings.TrimPrefix(s, "m")]; ok && s[0] == 'm' {
		return &content{enc: table, meanings: m}, nil
	}
	if register, ok := strings.CutPrefix(s, "bds"); ok {
		return &content{enc: bds, register: register}, nil
	}
	if rest, ok := strings.CutPrefix(s, "case|"); ok {
		return r.choice(rest)
	}
	if s[0] == 'u' || s[0] == 's' {
		return numeric(s)
	}
	return nil, fmt.Errorf("unknown content %q", s)
}

func (r *reader) choice(s string) (*content, error) {
	f := strings.Split(s, "|")
	c := &content{enc: choice, sibling: f[0], choices: map[uint64]*content{}}
	for _, alternative := range f[1:] {
		value, text, _ := strings.Cut(alternative, "=")
		got, err := r.content(text)
		if err != nil {
			return nil, err
		}
		if value == "" {
			c.other = got
			continue
		}
		v, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("choice %q: %w", alternative, err)
		}
		c.choices[v] = got
	}
	if c.other == nil {
		return nil, fmt.Errorf("choice %q without a default", s)
	}
	return c, nil
}

// numeric reads u, s, u*LSB:UNIT or u*LSB:UNIT:LIMITS.
func numeric(s string) (*content, error) {
	f := strings.Split(s, ":")
	c := &content{enc: number, signed: s[0] == 's', num: 1, den: 1}
	if lsb, ok := strings.CutPrefix(f[0][1:], "*"); ok {
		c.quantity = true
		above, below, _ := strings.Cut(lsb, "/")
		if below == "" {
			below = "1"
		}
		var err error
		if c.num, err = power(above); err != nil {
			return nil, err
		}
		if c.den, err = power(below); err != nil {
			return nil, err
		}
	}
	if len(f) > 1 {
		c.unit = f[1]
	}
	if len(f) > 2 {
		for _, l := range strings.Split(f[2], ",") {
			sign := l[:len(l)-len(strings.TrimLeft(l, "<>="))]
			value, err := fraction(l[len(sign):])
			if err != nil {
				return nil, err
			}
			c.limits = append(c.limits, limit{sign, value, l})
		}
	}
	return c, nil
}

// fraction reads 12, -1.5, 10^3 or 32767/4.
func fraction(s string) (float64, error) {
	above, below, ok := strings.Cut(s, "/")
	x, err := power(above)
	if !ok || err != nil {
		return x, err
	}
	y, err := power(below)
	return x / y, err
}

func power(s string) (float64, error) {
	base, exponent, ok := strings.Cut(s, "^")
	x, err := strconv.ParseFloat(base, 64)
	if !ok || err != nil {
		return x, err
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return 0, fmt.Errorf("power %q: %w", s, err)
	}
	out := 1.0
	for range n {
		out *= x
	}
	return out, nil
}
