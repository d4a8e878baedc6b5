// Package build makes zone sets and basemaps from published data.
//
// In: settlements, the outline of a country, a table of its provinces; the contents of the
// packages named in zones/SOURCES.md. Out: zones that divide the country without gap or
// overlap, and a line for each thing that was mended or left out. It never reads a file and
// is no part of the core: nothing that decides a warning depends on it.
package build

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// Country is what zones are made from.
type Country struct {
	Places    []Place
	Outline   geo.MultiPolygon
	Provinces []Province
}

const (
	// snapWithin is how far outside the outline a settlement may be said to lie and still
	// belong to the country: outlines are coarser than settlements.
	snapWithin geo.Metres = 15_000
	// snapInside is how far inside the outline such a settlement's zone is centred.
	snapInside geo.Metres = 200
	// sameWithin is how near to each other two settlements are one.
	sameWithin geo.Metres = 50
)

// MiddlePrefix stands before the id of the capital that a zone of the middle level is
// named after.
const MiddlePrefix = "M-"

// Zones divides the country: level 1 the provinces, level 2 the settlements nearest to one
// second-order capital of a province, level 3 the settlements, each with the places that
// are nearer to it than to any other. The zones of a level meet without gap or overlap. The
// second result has a line for each settlement that was moved, joined or left out.
func Zones(c Country) ([]zone.Zone, []string, error) {
	places, notes, err := settle(c)
	if err != nil {
		return nil, notes, err
	}
	bounds := c.Outline.Bounds()
	on := plane{cos: math.Cos(((bounds.South + bounds.North) / 2).Radians())}
	sites := make([]spot, len(places))
	for i, p := range places {
		sites[i] = on.spot(p.centre)
	}
	pieces, err := divide(sites, c.Outline, on)
	if err != nil {
		return nil, notes, err
	}
	b := builder{country: c, places: places, pieces: pieces}
	zones, err := b.zones()
	return zones, notes, err
}

// settled is a place with the centre of its zone and what it belongs to.
type settled struct {
	Place
	centre   geo.Point
	aliases  []string
	province int // index in Country.Provinces
	capital  int // index of the settled place that its middle zone is named after
}

// settle sorts the places, moves those just outside in, joins those at one place, and
// finds each one's province and nearest capital.
func settle(c Country) ([]settled, []string, error) {
	province := map[string]int{}
	for i, p := range c.Provinces {
		province[p.Admin] = i
	}
	shape := geo.NewShape(c.Outline)
	var out []settled
	var notes []string
	places := slices.Clone(c.Places)
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.Population, a.Population), cmp.Compare(a.ID, b.ID))
	})
	for _, p := range places {
		i, ok := province[p.Admin]
		if !ok {
			return nil, notes, fmt.Errorf("build: place %s: no province has admin code %q", p.title(), p.Admin)
		}
		s := settled{Place: p, centre: p.At, province: i}
		if off := shape.DistanceTo(p.At); off > snapWithin {
			notes = append(notes, fmt.Sprintf("%s: %.1f km outside the outline: left out", p.title(), off/1000))
			continue
		} else if off > 0 {
			s.centre, ok = inward(shape, p.At, off)
			if !ok {
				notes = append(notes, p.title()+": no room inside the outline: left out")
				continue
			}
			notes = append(notes, fmt.Sprintf("%s: %.1f km outside the outline: its zone begins at the shore", p.title(), off/1000))
		}
		if k := slices.IndexFunc(out, func(o settled) bool { return near(o.centre, s.centre) }); k >= 0 {
			out[k].Population += p.Population
			out[k].aliases = append(out[k].aliases, string(p.ID))
			notes = append(notes, fmt.Sprintf("%s: at the same place as %s: joined", p.title(), out[k].ID))
			continue
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, notes, fmt.Errorf("build: none of the places is inside the outline")
	}
	slices.SortFunc(out, func(a, b settled) int { return cmp.Compare(a.ID, b.ID) })
	for k := 1; k < len(out); k++ {
		if out[k].ID == out[k-1].ID {
			return nil, notes, fmt.Errorf("build: place %s: id twice", out[k].ID)
		}
	}
	capitals(out)
	return out, notes, nil
}

// title is the id with a name, for a person.
func (p Place) title() string {
	z := zone.Zone{ID: p.ID, Names: p.Names}
	if n := z.Name("en"); n != string(p.ID) {
		return string(p.ID) + " " + n
	}
	return string(p.ID)
}

// near is a cheap test before the exact one: settle asks it of all pairs.
func near(a, b geo.Point) bool {
	const hair = 0.01 // degrees; more than sameWithin up to 80° of latitude
	if math.Abs(float64(a.Lat-b.Lat)) > hair || math.Abs(float64(a.Lon-b.Lon)) > hair {
		return false
	}
	return geo.Distance(a, b) < sameWithin
}

// inward finds a place a little inside the shape near p, which is outside by off.
func inward(s *geo.Shape, p geo.Point, off geo.Metres) (geo.Point, bool) {
	for _, more := range [...]geo.Metres{snapInside, 2 * snapInside, 5 * snapInside} {
		best, depth := geo.Point{}, geo.Metres(0)
		for bearing := geo.Degrees(0); bearing < 360; bearing += 5 {
			q := geo.Destination(p, bearing, off+more)
			if s.Contains(q) {
				if d := s.BorderDistance(q, off+more); d > depth {
					best, depth = q, d
				}
			}
		}
		if depth > 0 {
			return best, true
		}
	}
	return geo.Point{}, false
}

// capitals gives each place the nearest second-order capital of its province; where a
// province has none, its largest place.
func capitals(places []settled) {
	seats := map[int][]int{}
	for i, p := range places {
		if p.Capital {
			seats[p.province] = append(seats[p.province], i)
		}
	}
	for _, p := range places {
		if len(seats[p.province]) > 0 {
			continue
		}
		largest := -1
		for i, q := range places {
			if q.province == p.province && (largest < 0 || q.Population > places[largest].Population) {
				largest = i
			}
		}
		seats[p.province] = []int{largest}
	}
	for i := range places {
		best := geo.Metres(math.Inf(1))
		for _, k := range seats[places[i].province] {
			if d := geo.Distance(places[i].centre, places[k].centre); d < best {
				places[i].capital, best = k, d
			}
		}
	}
}

type builder struct {
	country Country
	places  []settled
	pieces  []piece
}

func (b *builder) zones() ([]zone.Zone, error) {
	provinces, err := shapes(b.pieces, len(b.country.Provinces), func(c int) int { return b.places[c].province })
	if err != nil {
		return nil, err
	}
	middles, err := shapes(b.pieces, len(b.places), func(c int) int { return b.places[c].capital })
	if err != nil {
		return nil, err
	}
	cells, err := shapes(b.pieces, len(b.places), func(c int) int { return c })
	if err != nil {
		return nil, err
	}
	people := map[zone.ID]int{}
	var out []zone.Zone
	for i, p := range b.places {
		if len(cells[i]) == 0 {
			return nil, fmt.Errorf("build: place %s: its zone is smaller than the grid of 1e-5 degrees", p.title())
		}
		parent, top := b.middle(p.capital), b.country.Provinces[p.province].ID
		people[parent] += p.Population
		people[top] += p.Population
		out = append(out, zone.Zone{
			ID: p.ID, Level: 3, Parent: parent,
			Names: maps.Clone(p.Names), Approximate: slices.Clone(p.Approximate), Aliases: p.aliases,
			Population: p.Population, PopulationKnown: p.Population > 0,
			Shape: cells[i], Label: p.centre,
		})
		if p.capital == i {
			out = append(out, zone.Zone{
				ID: parent, Level: 2, Parent: top,
				Names: surroundings(p.Names), Approximate: slices.Clone(p.Approximate),
				Shape: middles[i], Label: p.centre,
			})
		}
	}
	for i, p := range b.country.Provinces {
		if len(provinces[i]) == 0 {
			return nil, fmt.Errorf("build: province %s: no place of it is left", p.ID)
		}
		out = append(out, zone.Zone{
			ID: p.ID, Level: 1, Names: maps.Clone(p.Names), Aliases: slices.Clone(p.Aliases),
			Shape: provinces[i], Label: geo.NewShape(provinces[i]).Inside(),
		})
	}
	for i, z := range out {
		if z.Level < 3 {
			out[i].Population, out[i].PopulationKnown = people[z.ID], true
		}
	}
	return out, nil
}

// surroundings names what lies around a capital, so that it is not taken for the capital.
func surroundings(names map[string]string) map[string]string {
	words := map[string]string{"en": "%s and surroundings", "uk": "%s та околиці"}
	out := map[string]string{}
	for lang, name := range names {
		out[lang] = name
		if w, ok := words[lang]; ok {
			out[lang] = fmt.Sprintf(w, name)
		}
	}
	return out
}

func (b *builder) middle(capital int) zone.ID { return MiddlePrefix + b.places[capital].ID }
