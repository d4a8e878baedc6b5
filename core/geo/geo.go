// Package geo holds places and distances, with their units.
//
// In: coordinates (WGS84 degrees, ellipsoidal heights in metres). Out: distances,
// bearings, frames (ECEF, local ENU), polygons with exact predicates. It never
// reads a clock or a file and knows nothing of what is at a place.
package geo

// Degrees is an angle: latitude north, longitude east, bearings clockwise from true north.
type Degrees float64

// Metres is a length.
type Metres float64

// MetresPerSecond is a speed.
type MetresPerSecond float64

// Point is a place on the WGS84 ellipsoid. The zero value is a real place (0° N, 0° E):
// "no place" is a (Point, bool), never a zero Point.
type Point struct {
	Lat Degrees `json:"lat"`
	Lon Degrees `json:"lon"`
}

// Position is a Point with its ellipsoidal height.
type Position struct {
	Point
	Height Metres `json:"height"`
}

// ECEF is earth-centred, earth-fixed X, Y, Z in metres (WGS84).
type ECEF [3]float64

// Ring is a closed line: the first point is repeated at the end, as in RFC 7946.
type Ring []Point

// Polygon is one outer ring, less its holes. Winding carries no meaning.
type Polygon struct {
	Outer Ring   `json:"outer"`
	Holes []Ring `json:"holes,omitempty"`
}

// MultiPolygon is the union of its polygons.
type MultiPolygon []Polygon

// Circle is all points within Radius of Centre.
type Circle struct {
	Centre Point  `json:"centre"`
	Radius Metres `json:"radius"`
}

// Ellipse is all points inside the ellipse on the local tangent plane of Centre.
// Bearing is that of the major axis.
type Ellipse struct {
	Centre    Point   `json:"centre"`
	SemiMajor Metres  `json:"semi_major"`
	SemiMinor Metres  `json:"semi_minor"`
	Bearing   Degrees `json:"bearing"`
}

// Box is a rectangle of latitude and longitude. West > East crosses the antimeridian.
type Box struct {
	South, West, North, East Degrees
}
