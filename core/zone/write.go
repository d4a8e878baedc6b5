package zone

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"tocsin/core/geo"
)

// GeoJSON writes the set as one file that Read reads back to a set of the same version:
// one feature a line, ascending by id, then level.
func (s *Set) GeoJSON() []byte {
	b := []byte(`{"type":"FeatureCollection","features":[`)
	for i, z := range s.zones {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '\n')
		b = appendFeature(b, z)
	}
	return append(b, "\n]}\n"...)
}

func appendFeature(b []byte, z Zone) []byte {
	b = append(b, `{"type":"Feature","properties":{"id":`...)
	b = appendText(b, string(z.ID))
	b = append(b, `,"level":`...)
	b = strconv.AppendInt(b, int64(z.Level), 10)
	member := func(key string) {
		b = append(b, ',')
		b = appendText(b, key)
		b = append(b, ':')
	}
	if z.Parent != "" {
		member("parent")
		b = appendText(b, string(z.Parent))
	}
	if z.Region != "" {
		member("region")
		b = appendText(b, string(z.Region))
	}
	for _, l := range z.Languages() {
		member(nameKey(l))
		b = appendText(b, z.Names[l])
	}
	for _, l := range z.Approximate {
		member(nameKey(l) + "_approximate")
		b = append(b, "true"...)
	}
	for _, p := range stated(z) {
		if p.value != "" {
			member(p.key)
			b = append(b, p.value...)
		}
	}
	b = append(b, `},"geometry":{"type":"MultiPolygon","coordinates":[`...)
	for i, p := range z.Shape {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = appendRing(b, p.Outer)
		for _, h := range p.Holes {
			b = append(b, ',')
			b = appendRing(b, h)
		}
		b = append(b, ']')
	}
	return append(b, "]}}"...)
}

// property is one member as it is written.
type property struct{ key, value string }

// stated lists what a zone states beside its names and its place among others, always the
// same keys in the same order; the value is empty where nothing is stated.
func stated(z Zone) []property {
	var people, shelter, aliases string
	if z.PopulationKnown {
		people = strconv.Itoa(z.Population)
	}
	if z.ShelterKnown {
		shelter = strconv.FormatFloat(z.Shelter.Seconds(), 'f', -1, 64)
	}
	if len(z.Aliases) > 0 {
		list := make([]string, len(z.Aliases))
		for i, a := range z.Aliases {
			list[i] = string(appendText(nil, a))
		}
		aliases = "[" + strings.Join(list, ",") + "]"
	}
	return []property{
		{"population", people},
		{"shelter_s", shelter},
		{"aliases", aliases},
		{"lat", degrees(z.Label.Lat)},
		{"lon", degrees(z.Label.Lon)},
	}
}

func nameKey(lang string) string {
	if lang == Unlabelled {
		return "name"
	}
	return "name_" + lang
}

func appendText(b []byte, s string) []byte {
	t, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return append(b, `""`...)
	}
	return append(b, t...)
}

func appendRing(b []byte, r geo.Ring) []byte {
	b = append(b, '[')
	for i, p := range r {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = append(b, degrees(p.Lon)...)
		b = append(b, ',')
		b = append(b, degrees(p.Lat)...)
		b = append(b, ']')
	}
	return append(b, ']')
}

// degrees writes an angle with the 12 decimals at most that count (see package geo).
func degrees(d geo.Degrees) string { return strconv.FormatFloat(float64(counted(d)), 'f', -1, 64) }

// counted is an angle as it is written; it has no zero below zero.
func counted(d geo.Degrees) geo.Degrees { return geo.Degrees(math.Round(float64(d)*1e12)/1e12 + 0) }

// written is a place as it is written: a set that was read and one that was kept and read
// again must give the same forecasts to the last bit.
func written(p geo.Point) geo.Point { return geo.Point{Lat: counted(p.Lat), Lon: counted(p.Lon)} }
