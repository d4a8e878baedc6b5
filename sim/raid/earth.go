package raid

import (
	"math"
	"math/rand/v2"

	"tocsin/core/geo"
)

const degree = math.Pi / 180

// WGS84, in metres.
const (
	equator  = 6378137.0
	flatness = 1 / 298.257223563
)

// ahead moves a place by metres east and north, by the ellipsoid's radii of curvature
// there. Good to a metre over the hundreds of metres of one step.
func ahead(p geo.Point, east, north float64) geo.Point {
	const e2 = flatness * (2 - flatness)
	sin, cos := math.Sincos(float64(p.Lat) * degree)
	w := math.Sqrt(1 - e2*sin*sin)
	p.Lat += geo.Degrees(north / (equator * (1 - e2) / (w * w * w)) / degree)
	p.Lon += geo.Degrees(east / (equator / w * math.Max(cos, 0.01)) / degree)
	return p
}

// towards is the way from a to b in metres east and north, on the plane at a. Over some
// hundred kilometres it is a course to steer by, not a survey.
func towards(a, b geo.Point) (east, north float64) {
	cos := math.Cos((float64(a.Lat) + float64(b.Lat)) / 2 * degree)
	return float64(b.Lon-a.Lon) * degree * equator * cos, float64(b.Lat-a.Lat) * degree * equator * (1 - flatness)
}

// angle brings an angle into -π to π.
func angle(a float64) float64 { return math.Remainder(a, 2*math.Pi) }

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(high, v)) }

// uniform is a number between a and b.
func uniform(rng *rand.Rand, a, b float64) float64 { return a + (b-a)*rng.Float64() }

// between is a whole number from a to b.
func between(rng *rand.Rand, a, b int) int { return a + rng.IntN(b-a+1) }

// chance is true with probability p.
func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }

// aside is a place near p: normal, with a standard deviation in metres each way.
func aside(rng *rand.Rand, p geo.Point, sd float64) geo.Point {
	return ahead(p, rng.NormFloat64()*sd, rng.NormFloat64()*sd)
}

// density of the air by the layers of the US Standard Atmosphere 1976, in kg/m³.
func density(height float64) float64 {
	switch h := math.Max(height, 0); {
	case h < 11e3:
		return 1.225 * math.Pow(1-2.25577e-5*h, 4.25588)
	case h < 25e3:
		return 0.36391 * math.Exp(-(h-11e3)/6341.6)
	case h < 90e3:
		return 0.04008 * math.Exp(-(h-25e3)/7200)
	default:
		return 0
	}
}
