package history

import (
	"slices"
	"strings"
	"unicode"

	"tocsin/core/zone"
)

// Rule is how a place of a file was found in the zone set.
type Rule string

// The rules, in the order in which they are tried.
const (
	Written  Rule = "as written" // a zone's or region's name, but for case and punctuation
	Spelling Rule = "spelling"   // by a rule of spelling: a suffix, a cut name, a town's parts
	Renamed  Rule = "renamed"    // by the tables of names that changed
	Partly   Rule = "partly"     // one of the two places that it names; the other is not known
	Widened  Rule = "widened"    // the nearest place that holds it and is known: more are warned
	Unknown  Rule = "unknown"    // nothing that holds it is known: nobody is warned of it
)

// Place is what a name stands for. The zero value stands for nothing.
type Place struct {
	Zones   []zone.ID // as a command names them, ascending
	Regions []zone.ID
	Count   int // leaf zones it stands for
	Rule    Rule
	key     string
}

// Label is a short name of the place: its first id, and how many more there are.
func (p Place) Label() string {
	all := slices.Concat(p.Regions, p.Zones)
	if len(all) == 0 {
		return ""
	}
	s := string(all[0])
	if len(all) > 1 {
		s += "+"
	}
	return s
}

// Gazetteer finds places by name in one zone set. Its methods give the same for the same
// names; it may be used by one goroutine at a time.
type Gazetteer struct {
	set       *zone.Set
	districts map[string][]zone.ID // Israeli, by letters
	ua        *ukraine
	il        *israel
}

// NewGazetteer makes a gazetteer. Districts are the names of larger areas that the set itself
// has not, with the zones in each; see Districts.
func NewGazetteer(set *zone.Set, districts map[string][]zone.ID) *Gazetteer {
	g := &Gazetteer{set: set, districts: map[string][]zone.ID{}}
	for name, zones := range districts {
		var known []zone.ID
		for _, id := range zones {
			if _, leaf := set.Index(id); leaf {
				known = append(known, id)
			}
		}
		if len(known) > 0 {
			g.districts[letters(name)] = known
		}
	}
	return g
}

// Leaves are the zones that a place stands for, ascending.
func (g *Gazetteer) Leaves(p Place) []zone.ID {
	var out []zone.ID
	for _, id := range slices.Concat(p.Regions, p.Zones) {
		out = append(out, g.set.Leaves(id)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// region is the place of a zone that holds others, or of one that is its own.
func (g *Gazetteer) region(rule Rule, id zone.ID) Place {
	p := Place{Regions: []zone.ID{id}, Rule: rule}
	if _, leaf := g.set.Index(id); leaf {
		p.Regions, p.Zones = nil, []zone.ID{id}
	}
	return g.sealed(p)
}

// leaves is the place of some leaf zones.
func (g *Gazetteer) leaves(rule Rule, zones ...zone.ID) Place {
	zones = slices.Clone(zones)
	slices.Sort(zones)
	return g.sealed(Place{Zones: slices.Compact(zones), Rule: rule})
}

func (g *Gazetteer) sealed(p Place) Place {
	all := g.Leaves(p)
	p.Count, p.key = len(all), ids(all)
	if p.Count == 0 {
		return Place{Rule: Unknown}
	}
	return p
}

// letters is what two spellings of a name have in common: its letters and figures.
func letters(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, name)
}

// words is a name in lower case, with one space for whatever stands between its words and
// without apostrophes and quotation marks.
func words(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsLetter(c), unicode.IsDigit(c):
			return unicode.ToLower(c)
		case strings.ContainsRune("'\"`’‘”“ʼ״׳´", c):
			return -1
		}
		return ' '
	}, name)
	return strings.Join(strings.Fields(name), " ")
}
