package build

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// Rename is a row of a kept table of settlement names.
type Rename struct {
	Ukrainian string
	English   string // empty: GeoNames has it right
}

// ReadRenames reads ua-names.csv, by GeoNames id.
func ReadRenames(data []byte) (map[int64]Rename, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	r.FieldsPerRecord = 3
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("build: names: %w", err)
	}
	out := map[int64]Rename{}
	for i, row := range rows {
		if i == 0 {
			continue
		}
		id, err := strconv.ParseInt(row[0], 10, 64)
		if err != nil || row[1] == "" {
			return nil, fmt.Errorf("build: names: row %d: an id and a Ukrainian name are needed", i)
		}
		if _, twice := out[id]; twice {
			return nil, fmt.Errorf("build: names: row %d: id %d twice", i, id)
		}
		out[id] = Rename{row[1], row[2]}
	}
	return out, nil
}

// crimea is where a settlement's GeoNames name is a Russian form: the codes of the
// Autonomous Republic of Crimea and of Sevastopol.
func crimea(admin string) bool { return admin == "11" || admin == "20" }

// UkrainianPlaces makes the settlements of Ukraine: their ids are UA- and the GeoNames id,
// their Ukrainian names from the kept table, else by rule and marked approximate.
func UkrainianPlaces(cities []City, kept map[int64]Rename) []Place {
	var out []Place
	for _, c := range cities {
		if c.Country != "UA" {
			continue
		}
		p := Place{
			ID:         zone.ID("UA-" + strconv.FormatInt(c.ID, 10)),
			Admin:      c.Admin,
			Capital:    c.Feature == "PPLC" || c.Feature == "PPLA" || c.Feature == "PPLA2",
			Population: c.Population,
			At:         c.At,
		}
		p.Names, p.Approximate = ukrainianNames(c, kept)
		out = append(out, p)
	}
	return out
}

func ukrainianNames(c City, kept map[int64]Rename) (names map[string]string, approximate []string) {
	name := strings.TrimSpace(c.Name)
	if r, ok := kept[c.ID]; ok {
		names = map[string]string{"uk": r.Ukrainian, "en": name}
		if r.English != "" {
			names["en"] = r.English
		}
		return names, nil
	}
	return map[string]string{"uk": Ukrainian(name, crimea(c.Admin)), "en": name}, []string{"uk"}
}

// PlacesGeoJSON writes settlements as ReadPlaces reads them.
func PlacesGeoJSON(places []Place) []byte {
	var d drawing
	for _, p := range places {
		feature := "PPL"
		if p.Capital {
			feature = "PPLA2"
		}
		list := []property{{"id", string(p.ID)}, {"admin", p.Admin}, {"feature", feature}}
		for _, l := range slices.Sorted(maps.Keys(p.Names)) {
			list = append(list, property{"name_" + l, p.Names[l]})
		}
		for _, l := range p.Approximate {
			list = append(list, property{"name_" + l + "_approximate", "true"})
		}
		list = append(list, property{"population", strconv.Itoa(p.Population)})
		at := strconv.FormatFloat(float64(p.At.Lon), 'f', -1, 64) + "," + strconv.FormatFloat(float64(p.At.Lat), 'f', -1, 64)
		d.feature(list, "Point", "["+at+"]")
	}
	return d.bytes()
}

// OutlineGeoJSON writes an outline as ReadOutline reads it.
func OutlineGeoJSON(m geo.MultiPolygon) []byte {
	var d drawing
	for _, p := range m {
		var rings []string
		for _, r := range append([]geo.Ring{p.Outer}, p.Holes...) {
			var points []string
			for _, q := range r {
				points = append(points, "["+strconv.FormatFloat(float64(q.Lon), 'f', -1, 64)+","+strconv.FormatFloat(float64(q.Lat), 'f', -1, 64)+"]")
			}
			rings = append(rings, "["+strings.Join(points, ",")+"]")
		}
		d.feature(nil, "Polygon", "["+strings.Join(rings, ",")+"]")
	}
	return d.bytes()
}

// quarter is the feature code of a part of a city: no name for a map of a country.
const quarter = "PPLX"

// UkrainianLabels are the place names of the Ukrainian map: settlements of Ukraine in
// Ukrainian, larger ones of its neighbours.
func UkrainianLabels(cities []City, kept map[int64]Rename) []Label {
	var out []Label
	for _, c := range cities {
		if c.Feature == quarter {
			continue
		}
		l := Label{At: c.At, Population: c.Population, Capital: c.Feature == "PPLC"}
		if c.Country == "UA" {
			l.Names, _ = ukrainianNames(c, kept)
		} else {
			l.Names, l.Minor = map[string]string{"": c.Name}, true
		}
		out = append(out, l)
	}
	return out
}

// sameTown is how far an area of the alert service may lie from a settlement of GeoNames
// with the same name.
const sameTown geo.Metres = 5000

// IsraeliLabels are the place names of the Israeli map, in Hebrew where an area of the
// alert service has the settlement's English name and is near it.
func IsraeliLabels(cities []City, areas []zone.Zone) []Label {
	byName := map[string][]zone.Zone{}
	for _, z := range areas {
		key := plainName(z.Names["en"])
		byName[key] = append(byName[key], z)
	}
	var out []Label
	for _, c := range cities {
		if c.Feature == quarter {
			continue
		}
		l := Label{At: c.At, Population: c.Population, Capital: c.Feature == "PPLC", Names: map[string]string{"": c.Name}, Minor: c.Country != "IL" && c.Country != "PS"}
		if c.Country == "IL" {
			l.Names["en"] = c.Name
			for _, z := range byName[plainName(c.Name)] {
				if geo.Distance(z.Label, c.At) < sameTown {
					l.Names["he"], _, _ = strings.Cut(z.Names["he"], " - ") // of the quarters of a city, the city
				}
			}
		}
		out = append(out, l)
	}
	return out
}

// plainName makes spellings of one English name comparable.
func plainName(s string) string {
	s = strings.ToLower(s)
	if i := strings.Index(s, " - "); i > 0 { // "Tel Aviv - City Center"
		s = s[:i]
	}
	return strings.Map(func(c rune) rune {
		if c < 'a' || c > 'z' {
			return -1
		}
		return c
	}, s)
}
