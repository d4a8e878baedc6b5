package threat

import (
	"hash/fnv"
	"math"

	"tocsin/core/track"
)

// dice are evenly spread points in many dimensions, made once: Kronecker's sequence by
// square roots of primes. A forecast shifts them by its seed (Cranley and Patterson
// 1976), so that two tracks have different futures and one track the same from look to
// look. Figures come from tables: a draw costs a few nanoseconds. Safe to share.
type dice struct {
	points [mostFutures][dimensions]float32
	normal [grain]float64
	wait   [grain]float64 // exponential
}

const (
	// dimensions: see the constants below.
	dimensions = 24
	// grain is into how many parts a table divides what is uniform between 0 and 1.
	grain = 4096
	// mostFutures bounds the futures of one forecast.
	mostFutures = 512
)

// What each dimension is for.
const (
	dState  = 0 // six: place and velocity
	dSpeed  = 6
	dCourse = 7
	dEnd    = 8
	dTurnOn = 9
	dTurnBy = 10
	dAim    = 11
	dRoute  = 12
	dWait   = 13
	dLegs   = 14 // two a leg
)

// roots are the fractional parts of the square roots of the first 24 primes.
var roots = [dimensions]float64{
	0.41421356237309515, 0.7320508075688772, 0.2360679774997898, 0.6457513110645907, 0.3166247903553998, 0.6055512754639891,
	0.12310562561766059, 0.358898943540674, 0.7958315233127191, 0.38516480713450374, 0.5677643628300215, 0.08276253029821934,
	0.40312423743284853, 0.5574385243020004, 0.8556546004010439, 0.28010988928051805, 0.6811457478686078, 0.810249675906654,
	0.18535277187245036, 0.42614977317635905, 0.5440037453175304, 0.8881944173155887, 0.11043357914429919, 0.43398113205660316,
}

func newDice() *dice {
	d := &dice{}
	for n := range d.points {
		for k := range d.points[n] {
			v := float64(n+1) * roots[k]
			d.points[n][k] = float32(v - math.Floor(v))
		}
	}
	for i := range grain {
		u := (float64(i) + 0.5) / grain
		if u > 0.5 {
			d.normal[i] = -quantile(1 - u)
		} else {
			d.normal[i] = quantile(u)
		}
		d.wait[i] = -math.Log(1 - u)
	}
	return d
}

// throw is one point of the dice, shifted.
type throw struct {
	dice  *dice
	point *[dimensions]float32
	shift *[dimensions]float32
}

// at is uniform between 0 and 1, exclusive of 1.
func (u throw) at(k int) float64 {
	v := u.point[k] + u.shift[k]
	if v >= 1 {
		v--
	}
	return float64(v)
}

func (u throw) cell(k int) int { return min(int(u.at(k)*grain), grain-1) }

// normalOf is the standard normal figure of what is uniform between 0 and 1.
func (d *dice) normalOf(v float64) float64 { return d.normal[min(max(int(v*grain), 0), grain-1)] }

// normal is standard normal, wait exponential with mean one.
func (u throw) normal(k int) float64 { return u.dice.normal[u.cell(k)] }
func (u throw) wait(k int) float64   { return u.dice.wait[u.cell(k)] }

// seed is a hash of an id.
func seed(id track.ID) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

// shifts are what a seed adds to each dimension, uniform between 0 and 1.
func shifts(seed uint64) (s [dimensions]float32) {
	for i := range s {
		seed += 0x9e3779b97f4a7c15 // splitmix64
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		s[i] = float32((z^z>>31)>>40) / (1 << 24)
	}
	return s
}

// quantile is the lower half of the inverse of the normal distribution, by rational
// functions (Acklam 2003, within 1.2e-9).
func quantile(v float64) float64 {
	const edge = 0.02425
	if v < edge {
		q := math.Sqrt(-2 * math.Log(v))
		return (((((-7.784894002430293e-03*q-3.223964580411365e-01)*q-2.400758277161838e+00)*q-2.549732539343734e+00)*q+4.374664141464968e+00)*q + 2.938163982698783e+00) /
			((((7.784695709041462e-03*q+3.224671290700398e-01)*q+2.445134137142996e+00)*q+3.754408661907416e+00)*q + 1)
	}
	q := v - 0.5
	r := q * q
	return (((((-3.969683028665376e+01*r+2.209460984245205e+02)*r-2.759285104469687e+02)*r+1.383577518672690e+02)*r-3.066479806614716e+01)*r + 2.506628277459239e+00) * q /
		(((((-5.447609879822406e+01*r+1.615858368580409e+02)*r-1.556989798598866e+02)*r+6.680131188771972e+01)*r-1.328068155288572e+01)*r + 1)
}
