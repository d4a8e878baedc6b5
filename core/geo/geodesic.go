package geo

import "math"

// The WGS84 ellipsoid (NIMA TR8350.2, third edition, table 3.1).
const (
	wgs84A  = 6378137.0
	wgs84F  = 1 / 298.257223563
	wgs84B  = wgs84A * (1 - wgs84F)
	wgs84E2 = wgs84F * (2 - wgs84F)
	// wgs84R is the mean radius (2a+b)/3, for what needs no ellipsoid.
	wgs84R = (2*wgs84A + wgs84B) / 3
)

const (
	// geodesicSteps bounds both of Vincenty's iterations; ordinary pairs need 3 to 5.
	geodesicSteps = 100
	// geodesicClose is the change of longitude or arc, in radians, at which they stop: 6 µm.
	geodesicClose = 1e-12
)

// Radians returns the angle in radians.
func (d Degrees) Radians() float64 { return float64(d) * (math.Pi / 180) }

// FromRadians returns an angle given in radians.
func FromRadians(r float64) Degrees { return Degrees(r * (180 / math.Pi)) }

// Normal returns the angle between 0 (inclusive) and 360 (exclusive). An angle that
// is not a finite number is returned as NaN.
func (d Degrees) Normal() Degrees {
	r := math.Mod(float64(d), 360)
	if r < 0 {
		r += 360
	}
	if r >= 360 { // a tiny negative angle plus 360 rounds to 360
		r = 0
	}
	return Degrees(r)
}

// Valid says whether the latitude is a number from -90 to 90 and the longitude a
// number from -180 to 180.
func (p Point) Valid() bool {
	return p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180
}

// Distance is the length of the geodesic between two points on the WGS84 ellipsoid
// (Vincenty's inverse formula, Survey Review 23(176), 1975): within 1 mm, except for
// points within half a degree of opposite sides of the earth, where the formula does
// not settle and the great circle on the mean sphere is returned (within 0.6 %).
// Coordinates that are no numbers give NaN.
func Distance(a, b Point) Metres {
	d, _ := inverse(a, b)
	return d
}

// Bearing is the direction in which the geodesic from a to b leaves a, clockwise from
// true north, between 0 and 360. It is 0 where the points are one.
func Bearing(a, b Point) Degrees {
	_, bearing := inverse(a, b)
	return bearing
}

func inverse(a, b Point) (Metres, Degrees) {
	if a == b {
		return 0, 0
	}
	lon := math.Remainder(float64(b.Lon-a.Lon), 360) * (math.Pi / 180)
	sinU1, cosU1 := reduced(a.Lat)
	sinU2, cosU2 := reduced(b.Lat)
	lambda := lon
	for range geodesicSteps {
		sinL, cosL := math.Sincos(lambda)
		across := cosU2 * sinL
		along := cosU1*sinU2 - sinU1*cosU2*cosL
		sinS := math.Hypot(across, along)
		if sinS == 0 {
			return 0, 0
		}
		cosS := sinU1*sinU2 + cosU1*cosU2*cosL
		sigma := math.Atan2(sinS, cosS)
		sinA := cosU1 * cosU2 * sinL / sinS
		cos2A := 1 - sinA*sinA
		cos2M := 0.0 // along the equator the term it stands in vanishes
		if cos2A > 1e-15 {
			cos2M = cosS - 2*sinU1*sinU2/cos2A
		}
		c := wgs84F / 16 * cos2A * (4 + wgs84F*(4-3*cos2A))
		next := lon + (1-c)*wgs84F*sinA*(sigma+c*sinS*(cos2M+c*cosS*(2*cos2M*cos2M-1)))
		if math.Abs(next) > math.Pi || math.IsNaN(next) {
			break
		}
		if math.Abs(next-lambda) < geodesicClose {
			scale, swing := series(cos2A, sinS, cosS, cos2M)
			sinL, cosL = math.Sincos(next)
			bearing := math.Atan2(cosU2*sinL, cosU1*sinU2-sinU1*cosU2*cosL)
			return Metres(wgs84B * scale * (sigma - swing)), FromRadians(bearing).Normal()
		}
		lambda = next
	}
	return sphere(a, b, lon)
}

// reduced returns sine and cosine of the reduced latitude, tan U = (1-f) tan φ.
func reduced(lat Degrees) (sin, cos float64) {
	s, c := math.Sincos(lat.Radians())
	s *= 1 - wgs84F
	n := math.Hypot(s, c)
	return s / n, c / n
}

// series returns Vincenty's A and Δσ.
func series(cos2A, sinS, cosS, cos2M float64) (scale, swing float64) {
	u2 := cos2A * (wgs84A*wgs84A - wgs84B*wgs84B) / (wgs84B * wgs84B)
	scale = 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
	b := u2 / 1024 * (256 + u2*(-128+u2*(74-47*u2)))
	swing = b * sinS * (cos2M + b/4*(cosS*(2*cos2M*cos2M-1)-
		b/6*cos2M*(4*sinS*sinS-3)*(4*cos2M*cos2M-3)))
	return scale, swing
}

func sphere(a, b Point, lon float64) (Metres, Degrees) {
	sin1, cos1 := math.Sincos(a.Lat.Radians())
	sin2, cos2 := math.Sincos(b.Lat.Radians())
	sinL, cosL := math.Sincos(lon)
	across, along := cos2*sinL, cos1*sin2-sin1*cos2*cosL
	arc := math.Atan2(math.Hypot(across, along), sin1*sin2+cos1*cos2*cosL)
	return Metres(wgs84R * arc), FromRadians(math.Atan2(across, along)).Normal()
}

// Destination is the point reached from p by going the distance along the geodesic
// that leaves it at the bearing (Vincenty's direct formula), within 1 mm. A negative
// distance goes backwards. The longitude is between -180 and 180.
func Destination(p Point, bearing Degrees, distance Metres) Point {
	sin1, cos1 := math.Sincos(bearing.Radians())
	sinU1, cosU1 := reduced(p.Lat)
	sigma1 := math.Atan2(sinU1, cosU1*cos1)
	sinA := cosU1 * sin1
	cos2A := 1 - sinA*sinA
	u2 := cos2A * (wgs84A*wgs84A - wgs84B*wgs84B) / (wgs84B * wgs84B)
	scale := 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
	first := float64(distance) / (wgs84B * scale)
	sigma := first
	var sinS, cosS, cos2M float64
	for range geodesicSteps {
		cos2M = math.Cos(2*sigma1 + sigma)
		sinS, cosS = math.Sincos(sigma)
		_, swing := series(cos2A, sinS, cosS, cos2M)
		last := sigma
		sigma = first + swing
		if math.Abs(sigma-last) < geodesicClose {
			break
		}
	}
	sinS, cosS = math.Sincos(sigma)
	cos2M = math.Cos(2*sigma1 + sigma)
	across := sinU1*sinS - cosU1*cosS*cos1
	lat := math.Atan2(sinU1*cosS+cosU1*sinS*cos1, (1-wgs84F)*math.Hypot(sinA, across))
	lambda := math.Atan2(sinS*sin1, cosU1*cosS-sinU1*sinS*cos1)
	c := wgs84F / 16 * cos2A * (4 + wgs84F*(4-3*cos2A))
	lon := lambda - (1-c)*wgs84F*sinA*(sigma+c*sinS*(cos2M+c*cosS*(2*cos2M*cos2M-1)))
	return Point{Lat: FromRadians(lat), Lon: Degrees(math.Remainder(float64(p.Lon+FromRadians(lon)), 360))}
}
