package keyring

import (
	"encoding/json"
	"fmt"
	"sync"

	"tocsin/board"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/zone"
)

// maxVertices bounds a jurisdiction's polygon: the borders of a country at ten metres.
const maxVertices = 200_000

// Shapes is where zones lie; *zone.Set is one.
type Shapes interface {
	Index(id zone.ID) (int, bool)
	Shape(index int) *geo.Shape
}

// ParsePolygon reads the coordinates of a GeoJSON MultiPolygon and refuses what is not
// fit to be a border: open, flat or crossing rings, places that are none. Nothing, or an
// empty array, is everywhere: nil.
func ParsePolygon(coordinates []byte) (geo.MultiPolygon, error) {
	if (board.Jurisdiction{Polygon: coordinates}).Everywhere() {
		return nil, nil
	}
	var raw [][][][]float64
	if err := json.Unmarshal(coordinates, &raw); err != nil {
		return nil, fmt.Errorf("keyring: polygon: not the coordinates of a MultiPolygon: %w", err)
	}
	var m geo.MultiPolygon
	vertices := 0
	for i, rings := range raw {
		var p geo.Polygon
		for j, points := range rings {
			ring := make(geo.Ring, 0, len(points))
			for _, xy := range points {
				if len(xy) < 2 || len(xy) > 3 {
					return nil, fmt.Errorf("keyring: polygon %d, ring %d: a place of %d numbers", i, j, len(xy))
				}
				ring = append(ring, geo.Point{Lat: geo.Degrees(xy[1]), Lon: geo.Degrees(xy[0])})
			}
			if vertices += len(ring); vertices > maxVertices {
				return nil, fmt.Errorf("keyring: polygon: over %d places", maxVertices)
			}
			if j == 0 {
				p.Outer = ring
			} else {
				p.Holes = append(p.Holes, ring)
			}
		}
		m = append(m, p)
	}
	for _, f := range m.Check() {
		if !f.Flaw.Harmless() {
			return nil, fmt.Errorf("keyring: polygon %d, ring %d, at %v, %v: %s", f.Polygon, f.Ring, f.At.Lat, f.At.Lon, f.Flaw)
		}
	}
	if geo.NewShape(m).Empty() {
		return nil, fmt.Errorf("keyring: polygon: it holds nothing; leave it empty for everywhere")
	}
	return m, nil
}

// Area is a jurisdiction made ready to be asked. It is safe for several goroutines.
type Area struct {
	jurisdiction board.Jurisdiction
	shape        *geo.Shape // nil: everywhere
	zones        Shapes
	mu           sync.Mutex
	within       map[zone.ID]bool
}

// NewArea reads a jurisdiction. zones may be nil where it has no polygon; a zone that is
// not among them lies in no polygon.
func NewArea(j board.Jurisdiction, zones Shapes) (*Area, error) {
	m, err := ParsePolygon(j.Polygon)
	if err != nil {
		return nil, err
	}
	a := &Area{jurisdiction: j, zones: zones, within: map[zone.ID]bool{}}
	if m != nil {
		a.shape = geo.NewShape(m)
	}
	return a, nil
}

// Within reports whether the whole of a zone lies in the polygon, its border included.
func (a *Area) Within(id zone.ID) bool {
	if a.shape == nil {
		return true
	}
	if a.zones == nil {
		return false
	}
	index, known := a.zones.Index(id)
	if !known {
		return a.holds(id)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	in, asked := a.within[id]
	if !asked {
		in = a.zones.Shape(index).Within(a.shape)
		a.within[id] = in // bounded by the zones of the set
	}
	return in
}

// remembering is what a zone set knows of ids that only an earlier one had.
type remembering interface {
	Resolve(id zone.ID) (known zone.ID, coarser, ok bool)
	Leaves(id zone.ID) []zone.ID
}

// holds reports whether all that an id stands for now lies in the polygon: the end of a zone
// whose id is gone is signed by who may speak of the ground it was.
func (a *Area) holds(id zone.ID) bool {
	set, ok := a.zones.(remembering)
	if !ok {
		return false
	}
	held, _, ok := set.Resolve(id)
	if !ok {
		return false
	}
	leaves := set.Leaves(held)
	for _, leaf := range leaves {
		if _, known := a.zones.Index(leaf); !known || !a.Within(leaf) {
			return false
		}
	}
	return len(leaves) > 0
}

// Allows reports whether a class may be warned of in a zone of a region.
func (a *Area) Allows(region zone.ID, c class.Class, id zone.ID) bool {
	return a.jurisdiction.Region(string(region)) && a.jurisdiction.Class(c) && a.Within(id)
}

// Permit is board.Permit for the keys of a list.
type Permit struct{ areas map[string]*Area }

// NewPermit makes the keys' polygons ready.
func NewPermit(list *board.KeyList, zones Shapes) (*Permit, error) {
	p := &Permit{areas: map[string]*Area{}}
	for _, k := range list.Keys {
		a, err := NewArea(k.Jurisdiction, zones)
		if err != nil {
			return nil, fmt.Errorf("keyring: key %s: %w", k.Kid, err)
		}
		p.areas[k.Kid] = a
	}
	return p, nil
}

// Within reports whether a zone lies in the polygon of a key; no key, no polygon.
func (p *Permit) Within(kid string, id zone.ID) bool {
	a := p.areas[kid]
	return a != nil && a.Within(id)
}
