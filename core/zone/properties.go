package zone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"tocsin/core/geo"
)

const (
	maxName    = 300 // bytes of a name or alias
	maxAliases = 1000
)

// properties reads a feature's words and numbers. A member that is null counts as absent.
type properties struct {
	raw     map[string]json.RawMessage
	defects []string
}

func (p *properties) bad(key, why string) {
	p.defects = append(p.defects, fmt.Sprintf("%s %s", key, why))
}

func (p *properties) get(key string) (json.RawMessage, bool) {
	v, ok := p.raw[key]
	if !ok || bytes.Equal(v, []byte("null")) {
		return nil, false
	}
	return v, true
}

// zone reads what zones.md names; all other properties are the authority's own affair.
func (p *properties) zone() Zone {
	z := Zone{Level: 1, Names: map[string]string{}}
	z.ID = ID(p.word("id"))
	z.Parent = ID(p.word("parent"))
	z.Region = ID(p.word("region"))
	if v, ok := p.number("level", 1, MaxLevel); ok {
		z.Level = int(v)
		if v != math.Trunc(v) {
			p.bad("level", "is not a whole number")
		}
	}
	if v, ok := p.number("population", 0, MaxPopulation); ok {
		z.Population, z.PopulationKnown = int(math.Round(v)), true
	}
	if v, ok := p.number("shelter_s", 0, MaxShelter.Seconds()); ok {
		z.Shelter, z.ShelterKnown = time.Duration(math.Round(v*1000))*time.Millisecond, true
	}
	for _, key := range slices.Sorted(maps.Keys(p.raw)) {
		switch lang, ok := nameLanguage(key); {
		case ok:
			if s := p.word(key); s != "" {
				z.Names[lang] = s
			}
		case strings.HasPrefix(key, "name_") && strings.HasSuffix(key, "_approximate"):
			lang, ok := nameLanguage(strings.TrimSuffix(key, "_approximate"))
			if ok && bytes.Equal(p.raw[key], []byte("true")) {
				z.Approximate = append(z.Approximate, lang)
			}
		}
	}
	slices.Sort(z.Approximate)
	z.Aliases = p.words("aliases")
	return z
}

// nameLanguage says which language a property names a zone in: "name", "name_uk",
// "name_zh-Hant".
func nameLanguage(key string) (string, bool) {
	if key == "name" {
		return Unlabelled, true
	}
	lang, ok := strings.CutPrefix(key, "name_")
	if !ok {
		return "", false
	}
	for i, sub := range strings.Split(lang, "-") {
		if len(sub) > 8 || len(sub) == 0 || i == 0 && (len(sub) < 2 || len(sub) > 3) {
			return "", false
		}
		for _, c := range sub {
			if !(c >= 'a' && c <= 'z') && (i == 0 || !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')) {
				return "", false
			}
		}
	}
	return lang, true
}

// word reads a text, or a whole number as a text.
func (p *properties) word(key string) string {
	v, ok := p.get(key)
	if !ok {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		if i := bytes.IndexFunc(v, func(c rune) bool { return c < '0' || c > '9' }); i >= 0 {
			p.bad(key, "is not a text")
			return ""
		}
		s = string(v)
	}
	if why := badText(s); why != "" {
		p.bad(key, why)
		return ""
	}
	return s
}

func badText(s string) string {
	if len(s) > maxName {
		return fmt.Sprintf("is longer than %d bytes", maxName)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "contains a control character"
	}
	return ""
}

func (p *properties) words(key string) []string {
	v, ok := p.get(key)
	if !ok {
		return nil
	}
	var list []string
	if json.Unmarshal(v, &list) != nil {
		p.bad(key, "is not a list of texts")
		return nil
	}
	if len(list) > maxAliases {
		p.bad(key, fmt.Sprintf("has more than %d entries", maxAliases))
		return nil
	}
	for _, s := range list {
		if why := badText(s); why != "" {
			p.bad(key, "entry "+why)
			return nil
		}
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == "" })
}

func (p *properties) number(key string, low, high float64) (float64, bool) {
	v, ok := p.get(key)
	if !ok {
		return 0, false
	}
	var n float64
	if json.Unmarshal(v, &n) != nil {
		p.bad(key, "is not a number")
		return 0, false
	}
	if n < low || n > high {
		p.bad(key, fmt.Sprintf("%v is not from %v to %v", n, low, high))
		return 0, false
	}
	return n, true
}

// label is where the authority wants the name; anything unusable counts as nothing said.
func (p *properties) label() (geo.Point, bool) {
	var at geo.Point
	lat, ok1 := p.get("lat")
	lon, ok2 := p.get("lon")
	if !ok1 || !ok2 || json.Unmarshal(lat, &at.Lat) != nil || json.Unmarshal(lon, &at.Lon) != nil {
		return geo.Point{}, false
	}
	return at, at.Valid()
}
