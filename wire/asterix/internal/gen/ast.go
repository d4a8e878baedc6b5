package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// document is one .ast file: an edition of a category, or of the reserved
// expansion field of one.
type document struct {
	category  string
	edition   string
	expansion *item // of a ref document; nil otherwise
	items     []*item
	uaps      []uap
	selector  string // item path whose value picks the UAP; empty where there is one UAP
	choices   []string
}

type uap struct {
	name  string // empty where there is one UAP
	slots []string
}

// item is a named (or, inside a repetition, nameless) piece of structure.
type item struct {
	name    string
	kind    string // element, group, extended, repetitive, compound, explicit, spare, fx, empty
	arg     string // bits of element and spare; count form of repetitive; form of compound, explicit
	kids    []*item
	content *content
}

type content struct {
	kind     string // raw, table, ascii, icao, octal, bds, integer, quantity, case
	signed   bool
	lsb      string
	unit     string
	limits   []string
	meanings []string // "value text"
	register string   // bds
	selector string   // case: name of the sibling that decides
	values   []string // case: one a choice, "" for the default
	choices  []*content
}

// line is a line of an .ast file with the deeper ones below it.
type line struct {
	text string
	kids []*line
}

// prose are the blocks that no codec needs.
var prose = map[string]bool{"definition": true, "description": true, "remark": true, "preamble": true}

func parse(text string) (*document, error) {
	root := outline(text)
	doc := &document{}
	for _, l := range root.kids {
		word, rest, _ := strings.Cut(l.text, " ")
		var err error
		switch word {
		case "asterix", "ref":
			doc.category, _, _ = strings.Cut(rest, " ")
		case "edition":
			doc.edition = rest
		case "date", "preamble":
		case "items":
			doc.items, err = parseItems(l.kids)
		case "compound": // the body of a ref
			doc.expansion, err = parseStructure("", []*line{l}, "RE")
		case "uap":
			doc.uaps = []uap{{slots: slots(l.kids)}}
		case "uaps":
			err = doc.variations(l.kids)
		default:
			err = fmt.Errorf("unknown section %q", l.text)
		}
		if err != nil {
			return nil, err
		}
	}
	if doc.category == "" || doc.edition == "" {
		return nil, fmt.Errorf("no category or edition")
	}
	return doc, nil
}

// outline turns indentation into a tree.
func outline(text string) *line {
	root := &line{}
	type level struct {
		indent int
		at     *line
	}
	stack := []level{{-1, root}}
	for _, s := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(s)
		if trimmed == "" {
			continue
		}
		indent := len(s) - len(strings.TrimLeft(s, " "))
		for stack[len(stack)-1].indent >= indent {
			stack = stack[:len(stack)-1]
		}
		l := &line{text: trimmed}
		parent := stack[len(stack)-1].at
		parent.kids = append(parent.kids, l)
		stack = append(stack, level{indent, l})
	}
	return root
}

func slots(lines []*line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.text)
	}
	return out
}

func (doc *document) variations(lines []*line) error {
	for _, l := range lines {
		switch {
		case l.text == "variations":
			for _, v := range l.kids {
				doc.uaps = append(doc.uaps, uap{name: v.text, slots: slots(v.kids)})
			}
		case strings.HasPrefix(l.text, "case "):
			doc.selector = strings.TrimPrefix(l.text, "case ")
			for _, c := range l.kids {
				value, name, ok := strings.Cut(c.text, ": ")
				if !ok {
					return fmt.Errorf("uap choice %q", c.text)
				}
				doc.choices = append(doc.choices, value+"="+name)
			}
		default:
			return fmt.Errorf("uaps: unknown %q", l.text)
		}
	}
	return nil
}

var titled = regexp.MustCompile(`^(\S+) ".*"$`)

func parseItems(lines []*line) ([]*item, error) {
	var out []*item
	for _, l := range lines {
		it, err := parseItem(l, "")
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

func parseItem(l *line, path string) (*item, error) {
	switch {
	case l.text == "-":
		return &item{kind: "-"}, nil
	case strings.HasPrefix(l.text, "spare "):
		return &item{kind: "spare", arg: strings.TrimPrefix(l.text, "spare ")}, nil
	}
	m := titled.FindStringSubmatch(l.text)
	if m == nil {
		return nil, fmt.Errorf("%s: unknown line %q", path, l.text)
	}
	if strings.ContainsAny(m[1], ":()|") {
		return nil, fmt.Errorf("%s: name %q would not survive the table", path, m[1])
	}
	return parseStructure(m[1], l.kids, strings.TrimPrefix(path+"/"+m[1], "/"))
}

// parseStructure reads the one structure among lines, which may stand beside prose.
func parseStructure(name string, lines []*line, path string) (*item, error) {
	var body *line
	for _, l := range lines {
		if prose[l.text] {
			continue
		}
		if body != nil {
			return nil, fmt.Errorf("%s: two structures", path)
		}
		body = l
	}
	if body == nil {
		return nil, fmt.Errorf("%s: no structure", path)
	}
	kind, arg, _ := strings.Cut(body.text, " ")
	it := &item{name: name, kind: kind, arg: arg}
	switch kind {
	case "element":
		if len(body.kids) != 1 {
			return nil, fmt.Errorf("%s: element without one content", path)
		}
		bits, err := strconv.Atoi(arg)
		if err != nil {
			return nil, fmt.Errorf("%s: element of %q bits", path, arg)
		}
		it.content, err = parseContent(body.kids[0], path)
		if err != nil {
			return nil, err
		}
		it.content.mend(bits)
		return it, nil
	case "repetitive":
		kid, err := parseStructure("", body.kids, path)
		it.kids = []*item{kid}
		return it, err
	case "group", "extended", "compound":
		for _, l := range body.kids {
			kid, err := parseItem(l, path)
			if err != nil {
				return nil, err
			}
			it.kids = append(it.kids, kid)
		}
		return it, nil
	case "explicit":
		return it, nil
	}
	return nil, fmt.Errorf("%s: unknown structure %q", path, body.text)
}

var number = regexp.MustCompile(`^(unsigned|signed) (integer|quantity (\S+) "([^"]*)")((?: (?:>=|<=|>|<) \S+)*)$`)

func parseContent(l *line, path string) (*content, error) {
	word, rest, _ := strings.Cut(l.text, " ")
	switch word {
	case "raw":
		return &content{kind: "raw"}, nil
	case "bds":
		return &content{kind: "bds", register: rest}, nil
	case "string":
		if rest != "ascii" && rest != "icao" && rest != "octal" {
			return nil, fmt.Errorf("%s: unknown string %q", path, rest)
		}
		return &content{kind: rest}, nil
	case "table":
		return parseMeanings(l, path)
	case "case":
		return parseCase(l, rest, path)
	case "unsigned", "signed":
		m := number.FindStringSubmatch(l.text)
		if m == nil {
			return nil, fmt.Errorf("%s: unknown number %q", path, l.text)
		}
		c := &content{kind: "integer", signed: word == "signed", limits: limits(m[5])}
		if m[3] != "" {
			c.kind, c.lsb, c.unit = "quantity", m[3], m[4]
		}
		if strings.ContainsAny(c.unit, ": ") {
			return nil, fmt.Errorf("%s: unit %q would not survive the table", path, c.unit)
		}
		return c, nil
	}
	return nil, fmt.Errorf("%s: unknown content %q", path, l.text)
}

func parseMeanings(l *line, path string) (*content, error) {
	c := &content{kind: "table"}
	for _, e := range l.kids {
		value, text, ok := strings.Cut(e.text, ":")
		if _, err := strconv.ParseUint(value, 10, 32); err != nil || !ok || len(e.kids) > 0 {
			return nil, fmt.Errorf("%s: table entry %q", path, e.text)
		}
		c.meanings = append(c.meanings, value+" "+strings.TrimSpace(text))
	}
	return c, nil
}

// parseCase reads an encoding that hangs on another field. All those in use look at
// a sibling in the same group, which is all the tables can say.
func parseCase(l *line, selector, path string) (*content, error) {
	group := path[:strings.LastIndex(path, "/")+1]
	name, ok := strings.CutPrefix(selector, group)
	if !ok || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%s: case on %q, which is not a sibling", path, selector)
	}
	c := &content{kind: "case", selector: name}
	for _, k := range l.kids {
		value := strings.TrimSuffix(k.text, ":")
		if value == "default" {
			value = ""
		}
		if len(k.kids) != 1 {
			return nil, fmt.Errorf("%s: case %q without one content", path, k.text)
		}
		choice, err := parseContent(k.kids[0], path)
		if err != nil {
			return nil, err
		}
		c.values = append(c.values, value)
		c.choices = append(c.choices, choice)
	}
	return c, nil
}

// limits reads ">= -90 <= 90".
func limits(s string) []string {
	f := strings.Fields(s)
	var out []string
	for i := 0; i+1 < len(f); i += 2 {
		out = append(out, f[i]+f[i+1])
	}
	return out
}

// mend turns the signs of limits that no value satisfies: the source has a few the wrong
// way round ("<= -90 >= 90", ">= 360" of an azimuth).
func (c *content) mend(bits int) {
	low, high := 0.0, math.Ldexp(1, bits)-1
	if c.signed {
		low, high = -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1)-1
	}
	if c.kind == "quantity" {
		low, high = low*value(c.lsb), high*value(c.lsb)
	}
	for _, l := range c.limits {
		x := value(strings.TrimLeft(l, "<>="))
		if l[0] == '<' {
			high = math.Min(high, x)
		} else {
			low = math.Max(low, x)
		}
	}
	if low <= high {
		return
	}
	turn := strings.NewReplacer("<", ">", ">", "<")
	for i, l := range c.limits {
		c.limits[i] = turn.Replace(l)
	}
}

// value reads 12, 10^3, 32767/4 or 360/2^16.
func value(s string) float64 {
	above, below, ok := strings.Cut(s, "/")
	base, exponent, _ := strings.Cut(above, "^")
	x, _ := strconv.ParseFloat(base, 64)
	if n, err := strconv.Atoi(exponent); err == nil {
		x = math.Pow(x, float64(n))
	}
	if ok {
		return x / value(below)
	}
	return x
}
