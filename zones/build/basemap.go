package build

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"tocsin/core/geo"
)

// mapGrid is the precision of a basemap's coordinates: 1e-3 degrees is under a pixel at
// the zoom levels it is drawn for.
const mapGrid = 1e3

// Basemap is the files of one map, by name without extension.
type Basemap map[string][]byte

// Label is a place name on a map.
type Label struct {
	At         geo.Point
	Names      map[string]string // language to name; "" is the name where nothing else is known
	Population int
	Capital    bool
	Minor      bool // drawn only in the country the map is of
}

// Rank orders labels for a map: 1 is drawn first, 5 only when near.
func (l Label) Rank() int {
	switch {
	case l.Capital || l.Population >= 1_000_000:
		return 1
	case l.Population >= 250_000:
		return 2
	case l.Population >= 50_000:
		return 3
	case l.Population >= 10_000:
		return 4
	}
	return 5
}

// Draw makes the files of a map: land, borders, lakes, places, each a FeatureCollection cut
// to the box.
func Draw(land *Atlas, countries *Atlas, lakes []Lake, labels []Label, box geo.Box, local string) Basemap {
	m := Basemap{}
	var b drawing
	for _, p := range land.Land() {
		if text := polygonText(clipPolygon(p, box)); text != "" {
			b.feature(nil, "Polygon", text)
		}
	}
	m["land"] = b.bytes()
	b = drawing{}
	for _, line := range countries.Borders() {
		for _, l := range clipLine(line, box) {
			b.feature(nil, "LineString", lineText(l))
		}
	}
	m["borders"] = b.bytes()
	b = drawing{}
	for _, l := range lakes {
		b.feature([]property{{"name", l.Local}, {"name_en", l.Name}}, "Polygon", polygonText(l.shape()))
	}
	m["lakes"] = b.bytes()
	m["places"] = drawLabels(labels, box, local)
	return m
}

func drawLabels(labels []Label, box geo.Box, local string) []byte {
	labels = slices.Clone(labels)
	slices.SortStableFunc(labels, func(a, b Label) int {
		return cmp.Or(cmp.Compare(a.Rank(), b.Rank()), cmp.Compare(b.Population, a.Population),
			cmp.Compare(a.Names["en"], b.Names["en"]), cmp.Compare(a.At.Lon, b.At.Lon))
	})
	var b drawing
	for _, l := range labels {
		if !box.Contains(l.At) || l.Minor && l.Rank() > 3 {
			continue
		}
		shown := l.Names[local]
		if shown == "" {
			shown = cmp.Or(l.Names[""], l.Names["en"])
		}
		p := []property{{"name", shown}, {"name_en", cmp.Or(l.Names["en"], l.Names[""])}}
		if n := l.Names[local]; n != "" {
			p = append(p, property{"name_" + local, n})
		}
		p = append(p, property{"rank", strconv.Itoa(l.Rank())})
		if l.Capital {
			p = append(p, property{"capital", "1"})
		}
		b.feature(p, "Point", pointText(l.At))
	}
	return b.bytes()
}

type property struct{ key, value string }

// drawing writes a FeatureCollection, one feature a line.
type drawing struct{ text bytes.Buffer }

func (d *drawing) feature(properties []property, kind, coordinates string) {
	if d.text.Len() > 0 {
		d.text.WriteString(",\n")
	}
	d.text.WriteString(`{"type":"Feature","properties":{`)
	for i, p := range properties {
		if i > 0 {
			d.text.WriteByte(',')
		}
		value := quote(p.value)
		if p.key == "rank" || p.key == "capital" || p.key == "population" || strings.HasSuffix(p.key, "_approximate") {
			value = p.value
		}
		fmt.Fprintf(&d.text, "%s:%s", quote(p.key), value)
	}
	fmt.Fprintf(&d.text, `},"geometry":{"type":%s,"coordinates":%s}}`, quote(kind), coordinates)
}

func (d *drawing) bytes() []byte {
	return []byte(`{"type":"FeatureCollection","features":[` + "\n" + d.text.String() + "\n]}\n")
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return `""`
	}
	return string(b)
}

func onGrid(d geo.Degrees) string {
	return strconv.FormatFloat(math.Round(float64(d)*mapGrid)/mapGrid+0, 'f', -1, 64)
}

func pointText(p geo.Point) string { return "[" + onGrid(p.Lon) + "," + onGrid(p.Lat) + "]" }

// lineText writes a line without points that the grid makes one.
func lineText(r geo.Ring) string {
	var out []string
	for _, p := range r {
		if t := pointText(p); len(out) == 0 || out[len(out)-1] != t {
			out = append(out, t)
		}
	}
	return "[" + strings.Join(out, ",") + "]"
}

// polygonText leaves out rings that the grid makes a point or a line; it is empty where
// nothing is left.
func polygonText(p geo.Polygon) string {
	var out []string
	for i, r := range append([]geo.Ring{p.Outer}, p.Holes...) {
		text := lineText(r)
		if strings.Count(text, "[") < 5 { // the ring's own and four points
			if i == 0 {
				return ""
			}
			continue
		}
		out = append(out, text)
	}
	return "[" + strings.Join(out, ",") + "]"
}

// clipPolygon cuts a polygon to a box that does not cross the antimeridian (Sutherland and
// Hodgman, 1974). Where it leaves the box more than once its border runs along the box's.
func clipPolygon(p geo.Polygon, box geo.Box) geo.Polygon {
	out := geo.Polygon{Outer: clipRing(p.Outer, box)}
	for _, h := range p.Holes {
		if h := clipRing(h, box); len(h) > 0 {
			out.Holes = append(out.Holes, h)
		}
	}
	return out
}

func clipRing(r geo.Ring, box geo.Box) geo.Ring {
	if len(r) == 0 {
		return nil
	}
	r = r[:len(r)-1]
	for side := range 4 {
		var out geo.Ring
		for i, b := range r {
			a := r[(i+len(r)-1)%len(r)]
			da, db := depth(a, box, side), depth(b, box, side)
			if (da < 0) != (db < 0) {
				out = append(out, between(a, b, da/(da-db)))
			}
			if db >= 0 {
				out = append(out, b)
			}
		}
		if r = out; len(r) == 0 {
			return nil
		}
	}
	return append(r, r[0])
}

// depth is how far a point is on the inner side of one side of a box.
func depth(p geo.Point, box geo.Box, side int) float64 {
	switch side {
	case 0:
		return float64(p.Lon - box.West)
	case 1:
		return float64(box.East - p.Lon)
	case 2:
		return float64(p.Lat - box.South)
	}
	return float64(box.North - p.Lat)
}

// clipLine returns the stretches of a line that are in the box (Liang and Barsky, 1984).
func clipLine(r geo.Ring, box geo.Box) []geo.Ring {
	var out []geo.Ring
	var open geo.Ring
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		from, to := 0.0, 1.0
		for side := range 4 {
			da, db := depth(a, box, side), depth(b, box, side)
			switch {
			case da < 0 && db < 0:
				to = -1
			case da < 0:
				from = max(from, da/(da-db))
			case db < 0:
				to = min(to, da/(da-db))
			}
		}
		if from > to {
			continue
		}
		if len(open) == 0 || from > 0 {
			if len(open) > 1 {
				out = append(out, open)
			}
			open = geo.Ring{between(a, b, from)}
		}
		open = append(open, between(a, b, to))
		if to < 1 {
			out = append(out, open)
			open = nil
		}
	}
	if len(open) > 1 {
		out = append(out, open)
	}
	return out
}

func between(a, b geo.Point, t float64) geo.Point {
	return geo.Point{Lat: a.Lat + geo.Degrees(t)*(b.Lat-a.Lat), Lon: a.Lon + geo.Degrees(t)*(b.Lon-a.Lon)}
}

// Lake is a lake as a line with a width.
type Lake struct {
	Map, Name, Local string
	line             []geo.Point
	half             []geo.Metres
}

// ReadLakes reads lakes.csv.
func ReadLakes(data []byte) ([]Lake, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("build: lakes: %w", err)
	}
	var out []Lake
	for i, row := range rows {
		if i == 0 {
			continue
		}
		var v [3]float64
		for k := range v {
			if v[k], err = strconv.ParseFloat(row[3+k], 64); err != nil {
				return nil, fmt.Errorf("build: lakes: row %d: %w", i, err)
			}
		}
		if len(out) == 0 || out[len(out)-1].Map != row[0] || out[len(out)-1].Name != row[1] {
			out = append(out, Lake{Map: row[0], Name: row[1], Local: row[2]})
		}
		l := &out[len(out)-1]
		l.line = append(l.line, geo.Point{Lat: geo.Degrees(v[0]), Lon: geo.Degrees(v[1])})
		l.half = append(l.half, geo.Metres(v[2]*1000))
	}
	return out, nil
}

// shape goes down one shore and up the other.
func (l Lake) shape() geo.Polygon {
	var left, right geo.Ring
	last := len(l.line) - 1
	for i, p := range l.line {
		along := geo.Bearing(l.line[max(i-1, 0)], l.line[min(i+1, last)])
		left = append(left, geo.Destination(p, along-90, l.half[i]))
		right = append(right, geo.Destination(p, along+90, l.half[i]))
	}
	slices.Reverse(right)
	r := append(left, right...)
	r = append(r, r[0])
	return geo.MultiPolygon{{Outer: r}}.Wound()[0]
}
