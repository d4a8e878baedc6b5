package zone

import (
	"errors"
	"fmt"
	"strconv"

	"tocsin/core/geo"
)

// coordinates reads the nested arrays of a geometry. The text is known to be sound JSON
// (encoding/json looked at it); what may be wrong is what stands where. It is read here
// and not by encoding/json to say where, and to allocate no slice per point.
type coordinates struct {
	text []byte
	at   int
	left *int // points that may still be read
}

var errSpent = errors.New("too many points")

func (c *coordinates) space() {
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return
		}
	}
}

func (c *coordinates) open() bool {
	c.space()
	if c.at >= len(c.text) || c.text[c.at] != '[' {
		return false
	}
	c.at++
	return true
}

// more says whether another element follows, and steps to it or past the end.
func (c *coordinates) more() bool {
	c.space()
	if c.at >= len(c.text) {
		return false
	}
	switch c.text[c.at] {
	case ']':
		c.at++
		return false
	case ',':
		c.at++
	}
	return true
}

func (c *coordinates) multi() (geo.MultiPolygon, error) {
	if !c.open() {
		return nil, errors.New("not polygons: coordinates are not an array")
	}
	var m geo.MultiPolygon
	for c.more() {
		p, err := c.polygon(fmt.Sprintf("polygon %d", len(m)+1))
		if err != nil {
			return nil, err
		}
		m = append(m, p)
	}
	return m, nil
}

func (c *coordinates) polygon(place string) (geo.Polygon, error) {
	var p geo.Polygon
	if !c.open() {
		return p, fmt.Errorf("not polygons: %s is not an array", place)
	}
	n := 0
	for c.more() {
		n++
		r, err := c.ring(place, n)
		if err != nil {
			return p, err
		}
		if n == 1 {
			p.Outer = r
		} else {
			p.Holes = append(p.Holes, r)
		}
	}
	return p, nil
}

func (c *coordinates) ring(place string, ring int) (geo.Ring, error) {
	if !c.open() {
		return nil, fmt.Errorf("not polygons: %s, ring %d is not an array", place, ring)
	}
	var r geo.Ring
	for c.more() {
		if *c.left--; *c.left < 0 {
			return nil, errSpent
		}
		p, err := c.point()
		if err != nil {
			return nil, fmt.Errorf("%s, ring %d, point %d: %w", place, ring, len(r)+1, err)
		}
		r = append(r, p)
	}
	return r, nil
}

// point reads longitude and latitude; a height, or what else follows, is passed over.
func (c *coordinates) point() (geo.Point, error) {
	if !c.open() {
		return geo.Point{}, errors.New("not a position")
	}
	var v [2]float64
	n := 0
	for c.more() {
		f, err := c.number()
		if err != nil {
			return geo.Point{}, err
		}
		if n < len(v) {
			v[n] = f
		}
		n++
	}
	if n < len(v) {
		return geo.Point{}, errors.New("not a position: fewer than two numbers")
	}
	return written(geo.Point{Lon: geo.Degrees(v[0]), Lat: geo.Degrees(v[1])}), nil
}

func (c *coordinates) number() (float64, error) {
	c.space()
	start := c.at
	for c.at < len(c.text) {
		switch b := c.text[c.at]; {
		case b >= '0' && b <= '9', b == '-', b == '+', b == '.', b == 'e', b == 'E':
			c.at++
			continue
		}
		break
	}
	f, err := strconv.ParseFloat(string(c.text[start:c.at]), 64)
	if err != nil {
		return 0, errors.New("coordinate not a number")
	}
	return f, nil
}
