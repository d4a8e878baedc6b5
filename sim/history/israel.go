package history

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tocsin/core/zone"
)

// renamedIL are places whose names changed since the row, or are written otherwise than any
// rule tells, and what they are called now.
var renamedIL = map[string]string{
	"שהם": "שוהם", "דניאל": "כפר דניאל", "מודיעין": "מודיעין מכבים רעות", "שדה אברהם": "שדי אברהם",
	"מעלה שומרון": "קרני שומרון", "קדימה": "קדימה צורן", "צורן": "קדימה צורן",
	"פרדס חנה": "פרדס חנה כרכור", "כרכור": "פרדס חנה כרכור", "קלע": "קלע אלון",
	"אזור תעשייה אכזיב מילואות": "איזור תעשייה מילואות צפון",
}

// districtsIL are larger areas under names that they no longer have, and the one that has most
// of their ground now. It is a judgement by the map, for rows of before 2019 that name an
// area by a number.
var districtsIL = map[string]string{
	"מרחב אשקלון": "מערב לכיש", "אשקלון": "מערב לכיש", "מרחב אשדוד": "לכיש", "אשדוד": "לכיש",
	"מרחב באר שבע": "מרכז הנגב", "באר שבע": "מרכז הנגב", "נגב": "דרום הנגב", "שפלה": "השפלה",
	"מעלה אדומים": "יהודה", "הקריות": "קריות", "עמק חפר": "חפר", "עמק יזרעאל": "העמקים",
}

// drillsIL begin the names under which drills and tests stand among the missiles: "manual
// test", and "national: enter shelter" of the national drill on 2 June 2015.
var drillsIL = []string{"בדיקה ידנית", "ארצי-היכנסו למרחב מוגן"}

func drill(names string) bool {
	return slices.ContainsFunc(drillsIL, func(s string) bool { return strings.HasPrefix(names, s) })
}

// israel is the set's places by name.
type israel struct {
	exact              map[string]zone.ID   // Hebrew, as it is written
	zones              map[string][]zone.ID // by letters, in every language
	parts              map[string][]zone.ID // towns by letters: the zones "town - part"; and each of "one, other"
	byLetters, byWords []spelled            // Hebrew, ascending
	known              map[string]Place     // what was found
}

// spelled is a zone's name in one of the two forms in which names are compared.
type spelled struct {
	name string
	id   zone.ID
}

// respelt are spellings of a word that stand for each other, inside a name.
var respelt = strings.NewReplacer("קרית", "קריית", "איזור", "אזור")

// dispersed are what names of places of the Negev carry for the dwellings around them.
var dispersed = regexp.MustCompile(`\s+(והפזורה|ופזורה)$|^פזורה\s+`)

func hebrew(name string) string { return letters(respelt.Replace(name)) }

func newIsrael(set *zone.Set) *israel {
	il := &israel{exact: map[string]zone.ID{}, zones: map[string][]zone.ID{}, parts: map[string][]zone.ID{}, known: map[string]Place{}}
	for i := range set.Len() {
		z := set.ByIndex(i)
		for _, name := range z.Names {
			il.put(il.zones, name, z.ID)
		}
		for _, name := range z.Aliases {
			il.put(il.zones, name, z.ID)
		}
		name := z.Name("he")
		il.exact[name] = z.ID
		il.byLetters = append(il.byLetters, spelled{hebrew(name), z.ID})
		il.byWords = append(il.byWords, spelled{words(respelt.Replace(name)), z.ID})
		if town, _, both := strings.Cut(name, " -"); both {
			il.put(il.parts, town, z.ID)
			continue
		}
		if one := strings.Split(name, ","); len(one) > 1 {
			for _, part := range one {
				if utf8.RuneCountInString(letters(part)) >= 3 {
					il.put(il.parts, part, z.ID)
				}
			}
		}
	}
	for _, all := range [][]spelled{il.byLetters, il.byWords} {
		slices.SortFunc(all, func(a, b spelled) int { return strings.Compare(a.name, b.name) })
	}
	return il
}

// only is the one of them whose name begins so; empty where none or several do.
func only(all []spelled, begins string) zone.ID {
	i, _ := slices.BinarySearchFunc(all, begins, func(s spelled, b string) int { return strings.Compare(s.name, b) })
	if i == len(all) || !strings.HasPrefix(all[i].name, begins) || i+1 < len(all) && strings.HasPrefix(all[i+1].name, begins) {
		return ""
	}
	return all[i].id
}

func (il *israel) put(into map[string][]zone.ID, name string, id zone.ID) {
	key := hebrew(name)
	if key != "" && !slices.Contains(into[key], id) {
		into[key] = append(into[key], id)
	}
}

// Named is one place of a row, as it is written there.
type Named struct {
	Text  string
	Place Place
}

// Israeli finds the places of a row: names between commas, of which some have commas
// themselves. The longest that is known is taken first.
func (g *Gazetteer) Israeli(row string) []Named {
	if g.il == nil {
		g.il = newIsrael(g.set)
	}
	pieces := strings.SplitN(row, ",", maxPlaces)
	var out []Named
	for i := 0; i < len(pieces); {
		n := min(len(pieces)-i, maxPieces)
		for ; n > 1; n-- {
			if whole := strings.TrimSpace(strings.Join(pieces[i:i+n], ",")); g.il.has(whole) {
				break
			}
		}
		if text := strings.TrimSpace(strings.Join(pieces[i:i+n], ",")); text != "" {
			out = append(out, Named{text, g.israeli(text)})
		}
		i += n
	}
	return out
}

// maxPlaces bounds what one row names; what is over it is one name, and not known.
const maxPlaces = 300

// maxPieces is how many commas one name can have, and one more.
const maxPieces = 8

// has reports whether a text with commas is one name, the end of which may be cut off.
func (il *israel) has(text string) bool {
	key := hebrew(text)
	if len(il.zones[key]) > 0 {
		return true
	}
	return il.begins(key, longEnough) != ""
}

// How many letters a name must have in common with a zone's to be taken for it: one that ends
// with a word, and one that is cut inside a word.
const (
	longWords  = 8
	longEnough = 14
)

// begins is the one zone whose name begins so and goes on; empty where none or several do.
func (il *israel) begins(key string, least int) zone.ID {
	if utf8.RuneCountInString(key) < least {
		return ""
	}
	return only(il.byLetters, key)
}

// israeli finds one name.
func (g *Gazetteer) israeli(name string) Place {
	if p, known := g.il.known[name]; known {
		return p
	}
	p := g.look(name)
	if len(g.il.known) < maxFaults {
		g.il.known[name] = p
	}
	return p
}

func (g *Gazetteer) look(name string) Place {
	il := g.il
	if p, ok := g.exactly(name); ok {
		return p
	}
	if now, ok := renamedIL[respelt.Replace(name)]; ok {
		if p, ok := g.exactly(now); ok {
			return p.by(Renamed)
		}
	}
	if short := dispersed.ReplaceAllString(name, ""); short != name && !numbered.MatchString(name) {
		if p, ok := g.exactly(short); ok {
			return p.by(Spelling)
		}
	}
	if p, ok := g.joined(name); ok {
		return p
	}
	if id := g.begun(name); id != "" {
		return g.leaves(Spelling, id)
	}
	if town, rest, both := strings.Cut(name, " -"); both {
		if all := il.parts[hebrew(town)]; len(all) > 0 {
			return g.leaves(Widened, all...)
		}
		if p, ok := g.exactly(rest); ok {
			return p.by(Spelling)
		}
	}
	if p, ok := g.district(name); ok {
		return p
	}
	return Place{Rule: Unknown}
}

func (p Place) by(r Rule) Place {
	p.Rule = r
	return p
}

// exactly finds a zone's name, a town that is several zones, or one of "one, other".
func (g *Gazetteer) exactly(name string) (Place, bool) {
	if id, ok := g.il.exact[name]; ok { // two names may have the same letters
		return g.leaves(Written, id), true
	}
	key := hebrew(name)
	if all := g.il.zones[key]; len(all) == 1 {
		return g.leaves(Written, all...), true
	}
	if all := g.il.parts[key]; len(all) > 0 {
		return g.leaves(Spelling, all...), true
	}
	return Place{}, false
}

// joined finds "one and other" where that is not one name, both of them or the first.
func (g *Gazetteer) joined(name string) (Place, bool) {
	for at, c := range name {
		if c != ' ' {
			continue
		}
		after, and := strings.CutPrefix(name[at+1:], "ו")
		if !and || utf8.RuneCountInString(after) < 3 {
			continue
		}
		a, okA := g.exactly(name[:at])
		b, okB := g.exactly(after)
		if okA && okB {
			return g.leaves(Spelling, append(g.Leaves(a), g.Leaves(b)...)...), true
		}
		if okA && utf8.RuneCountInString(letters(name[:at])) >= 4 {
			return a.by(Partly), true
		}
	}
	return Place{}, false
}

// numbered is an area that rows of before 2019 name by a district and a number.
var numbered = regexp.MustCompile(`^(.+?)\s+\d{1,3}(\s.*)?$`)

// district finds a larger area by its name; where that has a number, all of the area is
// warned for a part of it.
func (g *Gazetteer) district(name string) (Place, bool) {
	rule := Written
	if m := numbered.FindStringSubmatch(name); m != nil {
		name, rule = m[1], Widened
	}
	if all := g.districts[letters(name)]; len(all) > 0 {
		return g.leaves(rule, all...), true
	}
	if all := g.districts[letters(districtsIL[name])]; len(all) > 0 {
		return g.leaves(Widened, all...), true
	}
	if all := g.divided(letters(name)); len(all) > 0 {
		return g.leaves(Widened, all...), true
	}
	return Place{}, false
}

// divided is the ground of a district that is several now, whose names begin with the one it
// had; nothing where but one does, which may be another altogether.
func (g *Gazetteer) divided(name string) []zone.ID {
	if utf8.RuneCountInString(name) < 4 {
		return nil
	}
	var all []zone.ID
	parts := 0
	for district, ids := range g.districts { // in any order: a place's zones are sorted
		if strings.HasPrefix(district, name) {
			all, parts = append(all, ids...), parts+1
		}
	}
	if parts < 2 {
		return nil
	}
	return all
}

// begun finds the one zone whose name begins with this one, or that this one begins with, at
// the end of a word; or a longer one that is cut inside a word.
func (g *Gazetteer) begun(name string) zone.ID {
	if strings.ContainsFunc(name, unicode.IsDigit) {
		return ""
	}
	key, plain := hebrew(name), words(respelt.Replace(name))
	if id := g.il.begins(key, longEnough); id != "" {
		return id
	}
	if utf8.RuneCountInString(letters(plain)) >= longWords {
		if id := only(g.il.byWords, plain+" "); id != "" {
			return id
		}
	}
	for short := plain; ; { // and the longest name that this one goes on from
		at := strings.LastIndexByte(short, ' ')
		if at < 0 {
			return ""
		}
		short = short[:at]
		if utf8.RuneCountInString(letters(short)) < longWords {
			return ""
		}
		i, found := slices.BinarySearchFunc(g.il.byWords, short, func(s spelled, b string) int { return strings.Compare(s.name, b) })
		if found && (i+1 == len(g.il.byWords) || g.il.byWords[i+1].name != short) {
			return g.il.byWords[i].id
		}
	}
}

// Districts reads the names of the larger areas that an Israeli set's GeoJSON states of its
// zones beside what zones are made of: properties district_he and zone_he. Where both name
// one area the first is meant.
func Districts(geojson []byte) (map[string][]zone.ID, error) {
	var file struct {
		Features []struct {
			Properties struct {
				ID       any    `json:"id"`
				District string `json:"district_he"`
				Zone     string `json:"zone_he"`
			} `json:"properties"`
		} `json:"features"`
	}
	if err := json.Unmarshal(geojson, &file); err != nil {
		return nil, fmt.Errorf("history: districts: %w", err)
	}
	first, second := map[string][]zone.ID{}, map[string][]zone.ID{}
	for _, f := range file.Features {
		id, ok := f.Properties.ID.(string)
		if !ok {
			continue
		}
		if d := f.Properties.District; d != "" {
			first[d] = append(first[d], zone.ID(id))
		}
		if z := f.Properties.Zone; z != "" {
			second[z] = append(second[z], zone.ID(id))
		}
	}
	for name, all := range second {
		if _, taken := first[name]; !taken {
			first[name] = all
		}
	}
	return first, nil
}
