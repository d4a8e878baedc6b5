package asterix

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed tables/*.txt
var tableFiles embed.FS

// Editions says which edition of its specification each category is decoded with: the
// octets do not say. A category that is not named takes its default (see Default); nil
// is all defaults. The value is an edition ("1.31"), or two with a plus: that of the
// category and that of its reserved expansion field ("1.31+1.12"; the newest known
// where nothing is said).
type Editions map[uint8]string

// defaults are the newest editions that tshark 4.0 knows as well, so that a feed read
// without configuration can be checked by an independent decoder; where it knows none
// of ours, our newest.
var defaults = map[uint8]string{
	1: "1.4", 2: "1.2", 15: "1.2", 19: "1.3", 20: "1.11", 21: "2.7", 34: "1.29",
	48: "1.31", 62: "1.19", 63: "1.6", 65: "1.5", 240: "1.3",
}

// Default is the edition taken for a category that is not configured; empty if the
// category is unknown.
func Default(category uint8) string { return defaults[category] }

// Categories lists the categories that have tables, ascending.
func Categories() []uint8 {
	return slices.Sorted(maps.Keys(catalog().categories))
}

// Known lists the editions of a category that have tables, oldest first.
func Known(category uint8) []string {
	c := catalog().categories[category]
	if c == nil {
		return nil
	}
	return slices.Clone(c.order)
}

// KnownExpansions lists the editions of a category's reserved expansion field, oldest first.
func KnownExpansions(category uint8) []string {
	c := catalog().categories[category]
	if c == nil {
		return nil
	}
	return slices.Clone(c.expansionOrder)
}

// ParseEditions reads editions as people write them, "048" or "48" to "1.31" or "1.31+1.12",
// and checks that they are known.
func ParseEditions(written map[string]string) (Editions, error) {
	e := Editions{}
	for _, category := range slices.Sorted(maps.Keys(written)) {
		n, err := strconv.ParseUint(category, 10, 8)
		if err != nil {
			return nil, fmt.Errorf("asterix: %q is no category: %w", category, ErrCategory)
		}
		if _, twice := e[uint8(n)]; twice {
			return nil, fmt.Errorf("asterix: category %03d has two editions", n)
		}
		if written[category] == "" {
			return nil, fmt.Errorf("asterix: category %03d: %w %q", n, ErrEdition, "")
		}
		e[uint8(n)] = written[category]
	}
	return e, e.Check()
}

// Check says whether every edition named is known.
func (e Editions) Check() error {
	for _, category := range slices.Sorted(maps.Keys(e)) {
		if _, err := lookup(category, e[category]); err != nil {
			return err
		}
	}
	return nil
}

// category is everything known about one.
type category struct {
	order          []string
	editions       map[string]*spec
	expansionOrder []string
	expansions     map[string]*node // the whole RE item, by edition
}

// spec is one edition of one category.
type spec struct {
	category uint8
	edition  string
	items    map[string]*node
	uaps     map[string]*profile
	only     *profile // where there is one UAP
	by       []string // else: the field that decides, and what by its value
	choices  map[uint64]*profile
}

// profile is a user application profile: what each bit of a record's FSPEC announces.
type profile struct {
	slots []slot
}

// slot is one FSPEC bit: an item, random field sequencing, or (both zero) unused.
type slot struct {
	item *node
	rfs  bool
}

// format is what one feed decodes a category with.
type format struct {
	*spec
	expansion *node // nil where there is no table for the RE field
}

type catalogue struct {
	categories map[uint8]*category
}

// catalog reads the embedded tables once. They are part of the program, so a defect
// in them is a defect of the program.
var catalog = sync.OnceValue(func() *catalogue {
	c := &catalogue{categories: map[uint8]*category{}}
	files, err := tableFiles.ReadDir("tables")
	if err != nil {
		panic("asterix: embedded tables: " + err.Error())
	}
	for _, f := range files {
		text, err := tableFiles.ReadFile("tables/" + f.Name())
		if err == nil {
			err = c.load(string(text))
		}
		if err != nil {
			panic("asterix: embedded table " + f.Name() + ": " + err.Error())
		}
	}
	return c
})

func (c *catalogue) load(text string) error {
	cat := &category{editions: map[string]*spec{}, expansions: map[string]*node{}}
	var number uint8
	r := &reader{meanings: map[string]map[uint64]string{}}
	for _, s := range statements(text) {
		var err error
		switch s.words[0] {
		case "category":
			var n uint64
			n, err = strconv.ParseUint(s.words[1], 10, 8)
			number = uint8(n)
			c.categories[number] = cat
		case "editions":
			cat.order = s.words[1:]
			for _, e := range cat.order {
				cat.editions[e] = &spec{category: number, edition: e,
					items: map[string]*node{}, uaps: map[string]*profile{}}
			}
		case "expansions":
			cat.expansionOrder = s.words[1:]
		case "table":
			err = r.table(s)
		case "item":
			err = cat.item(r, s)
		case "uap":
			err = cat.uap(s)
		case "select":
			err = cat.selection(s)
		case "expansion":
			err = cat.expansion(r, s)
		default:
			err = fmt.Errorf("unknown statement %q", s.words[0])
		}
		if err != nil {
			return err
		}
	}
	return cat.finish()
}

// of resolves "*" or "1.29,1.30" to specs.
func (c *category) of(editions string) []*spec {
	var out []*spec
	for _, e := range c.order {
		if editions == "*" || slices.Contains(strings.Split(editions, ","), e) {
			out = append(out, c.editions[e])
		}
	}
	return out
}

func (c *category) item(r *reader, s statement) error {
	n, err := r.structure(s, 3, s.words[1])
	if err != nil {
		return err
	}
	for _, sp := range c.of(s.words[2]) {
		sp.items[n.name] = n
	}
	return nil
}

func (c *category) uap(s statement) error {
	for _, sp := range c.of(s.words[2]) {
		p := &profile{}
		for _, name := range s.words[3:] {
			sl := slot{item: sp.items[name], rfs: name == "rfs"}
			if sl.item == nil && !sl.rfs && name != "-" {
				return fmt.Errorf("uap: no item %q in edition %s", name, sp.edition)
			}
			p.slots = append(p.slots, sl)
		}
		sp.uaps[s.words[1]] = p
		sp.only = p
	}
	return nil
}

func (c *category) selection(s statement) error {
	for _, sp := range c.of(s.words[2]) {
		sp.only = nil
		sp.by = strings.Split(s.words[1], "/")
		sp.choices = map[uint64]*profile{}
		for _, w := range s.words[3:] {
			value, name, _ := strings.Cut(w, "=")
			v, err := strconv.ParseUint(value, 10, 32)
			if err != nil || sp.uaps[name] == nil {
				return fmt.Errorf("select: %q", w)
			}
			sp.choices[v] = sp.uaps[name]
		}
	}
	return nil
}

func (c *category) expansion(r *reader, s statement) error {
	body, err := r.structure(s, 2, "")
	if err != nil {
		return err
	}
	for _, e := range c.expansionOrder {
		if s.words[1] == "*" || slices.Contains(strings.Split(s.words[1], ","), e) {
			c.expansions[e] = &node{name: "RE", kind: explicit, kids: []*node{body}}
		}
	}
	return nil
}

// finish checks that a record can be read up to the field that picks its UAP
// without knowing which it will be.
func (c *category) finish() error {
	for _, sp := range c.editions {
		if sp.only != nil {
			continue
		}
		if len(sp.choices) == 0 {
			return fmt.Errorf("edition %s has no uap", sp.edition)
		}
		first := sp.choices[0]
		for _, p := range sp.choices {
			for i, sl := range first.slots {
				if i >= len(p.slots) || p.slots[i] != sl {
					return fmt.Errorf("edition %s: uaps part before %s", sp.edition, sp.by[0])
				}
				if sl.item != nil && sl.item.name == sp.by[0] {
					break
				}
			}
		}
	}
	return nil
}

// lookup resolves what Editions says of one category. The error is one of the sentinels.
func lookup(number uint8, edition string) (format, error) {
	c := catalog().categories[number]
	if c == nil {
		return format{}, fmt.Errorf("asterix: category %03d: %w", number, ErrCategory)
	}
	if edition == "" {
		edition = defaults[number]
	}
	edition, expansion, chosen := strings.Cut(edition, "+")
	f := format{spec: c.editions[edition]}
	if f.spec == nil {
		return format{}, fmt.Errorf("asterix: category %03d: %w %q (known: %s)", number, ErrEdition, edition,
			strings.Join(c.order, ", "))
	}
	if !chosen && len(c.expansionOrder) > 0 {
		expansion = c.expansionOrder[len(c.expansionOrder)-1]
	}
	f.expansion = c.expansions[expansion]
	if chosen && f.expansion == nil {
		return format{}, fmt.Errorf("asterix: category %03d: %w %q of the expansion field (known: %s)", number, ErrEdition,
			expansion, strings.Join(c.expansionOrder, ", "))
	}
	return f, nil
}
