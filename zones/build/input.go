package build

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// maxPlaces bounds the settlements of one country; a zone set has at most as many zones.
const maxPlaces = zone.MaxZones / 2

// Place is a settlement that becomes a zone.
type Place struct {
	ID          zone.ID
	Admin       string // code of its province, as in the table of provinces
	Capital     bool   // it is the seat of a second-order division, or of a higher one
	Names       map[string]string
	Approximate []string
	Population  int
	At          geo.Point
}

// Province is a row of the table of zones of level 1.
type Province struct {
	Admin   string
	ID      zone.ID
	Names   map[string]string
	Aliases []string
}

// ReadPlaces reads settlements from a GeoJSON file of points. Properties: id, admin,
// feature (a GeoNames code: PPLC, PPLA and PPLA2 are capitals), population, name or
// name_<lang>, name_<lang>_approximate.
func ReadPlaces(data []byte) ([]Place, error) {
	var file struct {
		Type     string
		Features []struct {
			Properties map[string]json.RawMessage
			Geometry   struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := decode(data, &file); err != nil {
		return nil, fmt.Errorf("build: places: %w", err)
	}
	if file.Type != "FeatureCollection" {
		return nil, errors.New("build: places: not a FeatureCollection")
	}
	if len(file.Features) == 0 || len(file.Features) > maxPlaces {
		return nil, fmt.Errorf("build: places: %d of them; from 1 to %d can be divided", len(file.Features), maxPlaces)
	}
	var out []Place
	for i, f := range file.Features {
		p, err := readPlace(f.Properties)
		if err != nil {
			return nil, fmt.Errorf("build: places: feature %d: %w", i+1, err)
		}
		var at []float64
		if json.Unmarshal(f.Geometry.Coordinates, &at) != nil || f.Geometry.Type != "Point" || len(at) < 2 {
			return nil, fmt.Errorf("build: places: feature %d (%s): not a point", i+1, p.ID)
		}
		p.At = geo.Point{Lon: geo.Degrees(at[0]), Lat: geo.Degrees(at[1])}
		if !p.At.Valid() {
			return nil, fmt.Errorf("build: places: feature %d (%s): coordinate out of range", i+1, p.ID)
		}
		out = append(out, p)
	}
	return out, nil
}

func decode(data []byte, into any) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("not JSON of the kind wanted: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end")
	}
	return nil
}

func readPlace(raw map[string]json.RawMessage) (Place, error) {
	p := Place{Names: map[string]string{}}
	for key, v := range raw {
		var text string
		isText := json.Unmarshal(v, &text) == nil
		lang, isName := strings.CutPrefix(key, "name_")
		switch {
		case key == "id" && isText:
			p.ID = zone.ID(text)
		case key == "admin" && isText:
			p.Admin = text
		case key == "feature" && isText:
			p.Capital = text == "PPLC" || text == "PPLA" || text == "PPLA2"
		case key == "population":
			var n float64
			if json.Unmarshal(v, &n) != nil || n < 0 || n > zone.MaxPopulation {
				return p, fmt.Errorf("population %s is not a number of people", v)
			}
			p.Population = int(math.Round(n))
		case key == "name" && isText && text != "":
			p.Names[zone.Unlabelled] = text
		case isName && isText && text != "":
			p.Names[lang] = text
		case isName && strings.HasSuffix(lang, "_approximate") && string(v) == "true":
			p.Approximate = append(p.Approximate, strings.TrimSuffix(lang, "_approximate"))
		}
	}
	slices.Sort(p.Approximate)
	if p.ID == "" {
		return p, errors.New("no id")
	}
	return p, nil
}

// ReadOutline reads the polygons of a country from GeoJSON: a FeatureCollection whose
// features together are the country.
func ReadOutline(data []byte) (geo.MultiPolygon, error) {
	var file struct {
		Type     string
		Features []struct {
			Geometry struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := decode(data, &file); err != nil {
		return nil, fmt.Errorf("build: outline: %w", err)
	}
	var out geo.MultiPolygon
	for i, f := range file.Features {
		var polygons [][][][]float64
		var err error
		switch f.Geometry.Type {
		case "Polygon":
			polygons = make([][][][]float64, 1)
			err = json.Unmarshal(f.Geometry.Coordinates, &polygons[0])
		case "MultiPolygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &polygons)
		default:
			err = fmt.Errorf("geometry is a %q", f.Geometry.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("build: outline: feature %d: not polygons: %w", i+1, err)
		}
		for _, rings := range polygons {
			p, err := polygon(rings)
			if err != nil {
				return nil, fmt.Errorf("build: outline: feature %d: %w", i+1, err)
			}
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("build: outline: no polygon")
	}
	for _, f := range out.Check() {
		if !f.Flaw.Harmless() {
			return nil, fmt.Errorf("build: outline: polygon %d, ring %d: %s near %.5f,%.5f", f.Polygon+1, f.Ring+1, f.Flaw, f.At.Lat, f.At.Lon)
		}
	}
	if b := out.Bounds(); b.West > b.East {
		return nil, errors.New("build: outline: crosses the antimeridian; divide each side on its own")
	}
	return out, nil
}

func polygon(rings [][][]float64) (geo.Polygon, error) {
	var p geo.Polygon
	for i, coordinates := range rings {
		r := make(geo.Ring, 0, len(coordinates))
		for _, c := range coordinates {
			if len(c) < 2 {
				return p, errors.New("a position has fewer than two numbers")
			}
			r = append(r, geo.Point{Lon: geo.Degrees(c[0]), Lat: geo.Degrees(c[1])})
		}
		if i == 0 {
			p.Outer = r
		} else {
			p.Holes = append(p.Holes, r)
		}
	}
	return p, nil
}

// ReadProvinces reads the table of zones of level 1: comma-separated, with a first line
// that names the columns admin, id, name_<lang> (any number), aliases (separated by |).
func ReadProvinces(data []byte) ([]Province, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("build: provinces: %w", err)
	}
	var out []Province
	seen := map[string]bool{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("build: provinces: %w", err)
		}
		p := Province{Names: map[string]string{}}
		for i, column := range head {
			v := strings.TrimSpace(row[i])
			lang, isName := strings.CutPrefix(column, "name_")
			switch {
			case v == "":
			case column == "admin":
				p.Admin = v
			case column == "id":
				p.ID = zone.ID(v)
			case column == "aliases":
				p.Aliases = strings.Split(v, "|")
			case isName:
				p.Names[lang] = v
			}
		}
		if p.Admin == "" || p.ID == "" {
			return nil, fmt.Errorf("build: provinces: row %d: admin and id are needed", len(out)+1)
		}
		if seen[p.Admin] {
			return nil, fmt.Errorf("build: provinces: row %d: admin %q twice", len(out)+1, p.Admin)
		}
		seen[p.Admin] = true
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, errors.New("build: provinces: no row")
	}
	return out, nil
}
