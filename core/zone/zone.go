// Package zone holds the named places that can be warned.
//
// In: zones as an authority's GeoJSON states them (bytes, never a file). Out: a checked,
// immutable, versioned Set that tells which zone a place is in, which zones an ellipse
// reaches, and what a zone is called; the defects and remarks of what was read; what
// changed between two sets and where a warned place went. It never reads a file, never
// drops an unknown id in silence, and knows nothing of warnings.
package zone

import (
	"maps"
	"slices"
	"time"

	"tocsin/core/geo"
)

// ID names a zone for ever. It is never a name that people read.
type ID string

// Everywhere is the region of a set without regions: the whole country.
const Everywhere ID = "*"

// Reserved ids belong to the test chain of the board and to the whole country; no zone of
// a set may have one.
const (
	TestZone   ID = "TEST"
	TestRegion ID = "test"
)

// Unlabelled is the language of a name given without one.
const Unlabelled = ""

// Zone is a named place that can be warned, or a coarser place that holds such ones.
type Zone struct {
	ID     ID
	Level  int // 1 is the coarsest
	Parent ID  // empty, or the zone at a coarser level; itself where a place is its own parent
	Region ID  // as the authority states it; empty: the ancestor of level 1. See Set.Region.

	Names       map[string]string // language (uk, en, he ...) to name; Unlabelled where none was said
	Approximate []string          // languages whose name was derived by rule, ascending
	Aliases     []string          // other ids and spellings that mean this zone

	Population      int // people; 0 also where not known
	PopulationKnown bool
	Shelter         time.Duration // how long people there need to reach shelter; 0 is a real value
	ShelterKnown    bool

	Shape geo.MultiPolygon
	Label geo.Point // where to write its name
}

// Name returns the zone's name in a language, else in the one of the same letters (Ukrainian for
// Russian and the other way round), else in English, else the unlabelled one,
// else in the first language it has, else its id.
func (z Zone) Name(lang string) string {
	for _, l := range [...]string{lang, sameLetters(lang), "en", Unlabelled} {
		if n := z.Names[l]; n != "" {
			return n
		}
	}
	for _, l := range z.Languages() {
		if n := z.Names[l]; n != "" {
			return n
		}
	}
	return string(z.ID)
}

// sameLetters is the language whose letters the reader of another reads too; empty for none.
func sameLetters(lang string) string {
	switch lang {
	case "ru":
		return "uk"
	case "uk":
		return "ru"
	}
	return ""
}

// Languages lists the languages the zone has a name in, ascending.
func (z Zone) Languages() []string {
	return slices.Sorted(maps.Keys(z.Names))
}

// clone returns a copy that shares nothing that can be changed, except the coordinates.
func (z Zone) clone() Zone {
	z.Names = maps.Clone(z.Names)
	z.Approximate = slices.Clone(z.Approximate)
	z.Aliases = slices.Clone(z.Aliases)
	z.Shape = slices.Clone(z.Shape)
	return z
}
