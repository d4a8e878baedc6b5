package geo

import "math"

// ECEF returns the position in earth-centred, earth-fixed metres.
func (p Position) ECEF() ECEF {
	sinLat, cosLat := math.Sincos(p.Lat.Radians())
	sinLon, cosLon := math.Sincos(p.Lon.Radians())
	n := wgs84A / math.Sqrt(1-wgs84E2*sinLat*sinLat)
	h := float64(p.Height)
	return ECEF{
		(n + h) * cosLat * cosLon,
		(n + h) * cosLat * sinLon,
		(n*(1-wgs84E2) + h) * sinLat,
	}
}

// Position returns latitude, longitude and ellipsoidal height, within 1 µm from 100 km
// below the ellipsoid to 50,000 km above it (Bowring 1976, iterated). Within 43 km of
// the earth's centre the latitude is not defined: any of the possible ones is returned.
func (e ECEF) Position() Position {
	const second = wgs84E2 / (1 - wgs84E2)
	r := math.Hypot(e[0], e[1])
	lon := math.Atan2(e[1], e[0])
	sinB, cosB := unit(e[2]*wgs84A, r*wgs84B)
	var sin, cos float64
	for range 3 {
		sin, cos = unit(e[2]+second*wgs84B*sinB*sinB*sinB, r-wgs84E2*wgs84A*cosB*cosB*cosB)
		sinB, cosB = unit((1-wgs84F)*sin, cos)
	}
	n := wgs84A / math.Sqrt(1-wgs84E2*sin*sin)
	h := r*cos + e[2]*sin - n*(1-wgs84E2*sin*sin)
	return Position{
		Point:  Point{Lat: FromRadians(math.Atan2(sin, cos)), Lon: FromRadians(lon)},
		Height: Metres(h),
	}
}

// unit returns sine and cosine of the angle whose tangent is y/x; of 0, 0 it is 0.
func unit(y, x float64) (sin, cos float64) {
	n := math.Hypot(x, y)
	if n == 0 {
		return 0, 1
	}
	return y / n, x / n
}

// ENU is a local frame: metres east, north and up of its origin, on the tangent plane
// there. The zero value is not usable: make one with NewENU.
type ENU struct {
	Origin Position
	centre ECEF
	rows   [3][3]float64
}

// NewENU returns the frame at a position.
func NewENU(origin Position) ENU {
	sinLat, cosLat := math.Sincos(origin.Lat.Radians())
	sinLon, cosLon := math.Sincos(origin.Lon.Radians())
	return ENU{
		Origin: origin,
		centre: origin.ECEF(),
		rows: [3][3]float64{
			{-sinLon, cosLon, 0},
			{-sinLat * cosLon, -sinLat * sinLon, cosLat},
			{cosLat * cosLon, cosLat * sinLon, sinLat},
		},
	}
}

// To returns a place as metres east, north and up of the origin.
func (f ENU) To(e ECEF) [3]float64 {
	return f.ToVelocity([3]float64{e[0] - f.centre[0], e[1] - f.centre[1], e[2] - f.centre[2]})
}

// From returns the place that is so many metres east, north and up of the origin.
func (f ENU) From(v [3]float64) ECEF {
	d := f.FromVelocity(v)
	return ECEF{f.centre[0] + d[0], f.centre[1] + d[1], f.centre[2] + d[2]}
}

// ToVelocity turns a difference or a velocity of the earth-fixed frame into this one.
func (f ENU) ToVelocity(v [3]float64) [3]float64 {
	var out [3]float64
	for i, row := range f.rows {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

// FromVelocity turns a difference or a velocity of this frame into the earth-fixed one.
func (f ENU) FromVelocity(v [3]float64) [3]float64 {
	var out [3]float64
	for i := range 3 {
		out[i] = f.rows[0][i]*v[0] + f.rows[1][i]*v[1] + f.rows[2][i]*v[2]
	}
	return out
}

// Rotation returns the matrix R that turns earth-fixed differences into local ones
// (rows east, north, up). Its transpose is its inverse; a covariance turns as R C Rᵀ.
func (f ENU) Rotation() [3][3]float64 { return f.rows }

// ToCovariance turns a covariance of the earth-fixed frame into this one.
func (f ENU) ToCovariance(c [3][3]float64) [3][3]float64 { return sandwich(f.rows, c) }

// FromCovariance turns a covariance of this frame into the earth-fixed one.
func (f ENU) FromCovariance(c [3][3]float64) [3][3]float64 {
	var back [3][3]float64
	for i := range 3 {
		for j := range 3 {
			back[i][j] = f.rows[j][i]
		}
	}
	return sandwich(back, c)
}

// sandwich returns r c rᵀ.
func sandwich(r, c [3][3]float64) [3][3]float64 {
	var half, out [3][3]float64
	for i := range 3 {
		for j := range 3 {
			half[i][j] = r[i][0]*c[0][j] + r[i][1]*c[1][j] + r[i][2]*c[2][j]
		}
	}
	for i := range 3 {
		for j := range 3 {
			out[i][j] = half[i][0]*r[j][0] + half[i][1]*r[j][1] + half[i][2]*r[j][2]
		}
	}
	return out
}
