package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tocsin/core/geo"
)

// Atlas is a TopoJSON file of the package world-atlas: countries made of arcs that
// neighbours have in common.
type Atlas struct {
	arcs      []geo.Ring // open lines
	Countries []AtlasCountry
}

// AtlasCountry is one country: for each polygon its rings, each a chain of arcs (the
// complement of an index is the arc backwards).
type AtlasCountry struct {
	Name     string
	polygons [][][]int
}

// maxAtlasPoints bounds the points of all rings: few arcs, named often, could make many.
const maxAtlasPoints = 20_000_000

// ReadAtlas reads a countries or land file of world-atlas 2; object is "countries" or "land".
func ReadAtlas(data []byte, object string) (*Atlas, error) {
	var file struct {
		Objects map[string]struct {
			Geometries []struct {
				Type       string
				Properties struct{ Name string }
				Arcs       json.RawMessage
			}
		}
		Arcs      [][][2]int
		Transform struct{ Scale, Translate [2]float64 }
	}
	if err := decode(data, &file); err != nil {
		return nil, fmt.Errorf("build: atlas: %w", err)
	}
	a := &Atlas{}
	for _, arc := range file.Arcs {
		line := make(geo.Ring, 0, len(arc))
		x, y := 0, 0
		for _, d := range arc {
			x, y = x+d[0], y+d[1]
			line = append(line, geo.Point{
				Lon: geo.Degrees(float64(x)*file.Transform.Scale[0] + file.Transform.Translate[0]),
				Lat: geo.Degrees(float64(y)*file.Transform.Scale[1] + file.Transform.Translate[1]),
			})
		}
		a.arcs = append(a.arcs, line)
	}
	points := 0
	for i, g := range file.Objects[object].Geometries {
		c := AtlasCountry{Name: g.Properties.Name}
		var err error
		switch g.Type {
		case "Polygon":
			c.polygons = make([][][]int, 1)
			err = json.Unmarshal(g.Arcs, &c.polygons[0])
		case "MultiPolygon":
			err = json.Unmarshal(g.Arcs, &c.polygons)
		}
		if err != nil {
			return nil, fmt.Errorf("build: atlas: geometry %d (%s): %w", i+1, c.Name, err)
		}
		for _, ring := range slices.Concat(c.polygons...) {
			for _, k := range ring {
				if arcNumber(k) >= len(a.arcs) || len(a.arcs[arcNumber(k)]) == 0 {
					return nil, fmt.Errorf("build: atlas: geometry %d (%s): no arc %d", i+1, c.Name, k)
				}
				if points += len(a.arcs[arcNumber(k)]); points > maxAtlasPoints {
					return nil, fmt.Errorf("build: atlas: more than %d points", maxAtlasPoints)
				}
			}
		}
		a.Countries = append(a.Countries, c)
	}
	if len(a.Countries) == 0 {
		return nil, fmt.Errorf("build: atlas: no object %q", object)
	}
	return a, nil
}

func arcNumber(k int) int {
	if k < 0 {
		return ^k
	}
	return k
}

func (a *Atlas) line(k int) geo.Ring {
	if k >= 0 {
		return a.arcs[k]
	}
	r := slices.Clone(a.arcs[^k])
	slices.Reverse(r)
	return r
}

// ring joins a chain of arcs.
func (a *Atlas) ring(chain []int) geo.Ring {
	var r geo.Ring
	for _, k := range chain {
		line := a.line(k)
		if len(r) > 0 {
			line = line[1:]
		}
		r = append(r, line...)
	}
	return r
}

// Polygons returns a country's polygons.
func (a *Atlas) Polygons(c AtlasCountry) geo.MultiPolygon {
	var m geo.MultiPolygon
	for _, rings := range c.polygons {
		var p geo.Polygon
		for i, chain := range rings {
			if i == 0 {
				p.Outer = a.ring(chain)
			} else {
				p.Holes = append(p.Holes, a.ring(chain))
			}
		}
		m = append(m, p)
	}
	return m
}

// Move takes the polygon that holds a place from whichever country the atlas gives it to,
// and gives it to another one. The border between the two, which they have as common arcs,
// is then inside that country: see Outline and Borders.
func (a *Atlas) Move(place geo.Point, to string) error {
	dst := slices.IndexFunc(a.Countries, func(c AtlasCountry) bool { return c.Name == to })
	if dst < 0 {
		return fmt.Errorf("build: atlas: no country %q", to)
	}
	for i := range a.Countries {
		c := &a.Countries[i]
		for k, p := range a.Polygons(*c) {
			if !p.Contains(place) {
				continue
			}
			if i != dst {
				a.Countries[dst].polygons = append(a.Countries[dst].polygons, c.polygons[k])
				c.polygons = slices.Delete(slices.Clone(c.polygons), k, k+1)
			}
			return nil
		}
	}
	return errors.New("build: atlas: the place is in no country")
}

// Outline returns a country as one area: arcs that two of its polygons have in common are
// no border.
func (a *Atlas) Outline(name string) (geo.MultiPolygon, error) {
	i := slices.IndexFunc(a.Countries, func(c AtlasCountry) bool { return c.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("build: atlas: no country %q", name)
	}
	times := map[int]int{}
	for _, ring := range slices.Concat(a.Countries[i].polygons...) {
		for _, k := range ring {
			times[arcNumber(k)]++
		}
	}
	var stretches [][2]node
	for _, rings := range a.Countries[i].polygons {
		for j, ring := range rings {
			line := stretchesOf(a, ring, times)
			// The inside must lie left: outer rings counterclockwise, holes clockwise.
			whole := geo.MultiPolygon{{Outer: a.ring(ring)}}
			if wound := whole.Wound(); slices.Equal(wound[0].Outer, whole[0].Outer) != (j == 0) {
				slices.Reverse(line)
				for k := range line {
					line[k][0], line[k][1] = line[k][1], line[k][0]
				}
			}
			stretches = append(stretches, line...)
		}
	}
	return enclose(stretches)
}

func stretchesOf(a *Atlas, ring []int, times map[int]int) [][2]node {
	var out [][2]node
	for _, k := range ring {
		if times[arcNumber(k)] > 1 {
			continue
		}
		line := a.line(k)
		for i := 1; i < len(line); i++ {
			from, to := nodeAt(line[i-1]), nodeAt(line[i])
			if from != to {
				out = append(out, [2]node{from, to})
			}
		}
	}
	return out
}

func nodeAt(p geo.Point) node { return plane{cos: 1}.node(spot{float64(p.Lon), float64(p.Lat)}) }

// Borders returns the arcs that two countries have in common.
func (a *Atlas) Borders() []geo.Ring {
	owners := map[int][]int{}
	for i, c := range a.Countries {
		for _, ring := range slices.Concat(c.polygons...) {
			for _, k := range ring {
				owners[arcNumber(k)] = append(owners[arcNumber(k)], i)
			}
		}
	}
	var out []geo.Ring
	for k, line := range a.arcs {
		if o := owners[k]; len(o) > 1 && slices.ContainsFunc(o, func(i int) bool { return i != o[0] }) {
			out = append(out, line)
		}
	}
	return out
}

// Land returns all polygons of all countries.
func (a *Atlas) Land() geo.MultiPolygon {
	var m geo.MultiPolygon
	for _, c := range a.Countries {
		m = append(m, a.Polygons(c)...)
	}
	return m
}
