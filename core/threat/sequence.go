package threat

import (
	"math"
	"time"
)

// sequence is an evenly spread one in many dimensions: Kronecker's, by square roots of
// primes, shifted by the seed (Cranley and Patterson 1976).
type sequence struct {
	shift [dimensions]float64
	n     float64
}

// dimensions: six of the state, speed, course, end, turn on, its size, six legs of two.
const dimensions = 24

// roots are the fractional parts of the square roots of the first 24 primes.
var roots = [dimensions]float64{
	0.41421356237309515, 0.7320508075688772, 0.2360679774997898, 0.6457513110645907, 0.3166247903553998, 0.6055512754639891,
	0.12310562561766059, 0.358898943540674, 0.7958315233127191, 0.38516480713450374, 0.5677643628300215, 0.08276253029821934,
	0.40312423743284853, 0.5574385243020004, 0.8556546004010439, 0.28010988928051805, 0.6811457478686078, 0.810249675906654,
	0.18535277187245036, 0.42614977317635905, 0.5440037453175304, 0.8881944173155887, 0.11043357914429919, 0.43398113205660316,
}

func newSequence(seed uint64) (s sequence) {
	for i := range s.shift {
		seed += 0x9e3779b97f4a7c15 // splitmix64
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		s.shift[i] = float64((z^z>>31)>>11) / (1 << 53)
	}
	return s
}

// point is one of the sequence; figures are taken from it by dimension.
type point struct {
	s *sequence
	n float64
}

func (s *sequence) next() point {
	s.n++
	return point{s, s.n}
}

// at is uniform between 0 and 1, exclusive.
func (p point) at(k int) float64 {
	v := p.s.shift[k] + p.n*roots[k]
	v -= math.Floor(v)
	return min(max(v, 1e-9), 1-1e-9)
}

// normal is standard normal (the inverse by rational functions of Acklam 2003, within 1.2e-9).
func (p point) normal(k int) float64 {
	v := p.at(k)
	if v > 0.5 {
		return -quantile(1 - v)
	}
	return quantile(v)
}

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

// draw is a position and velocity from the track's belief.
func (e *ensemble) draw(u point) (x [6]float64) {
	x = e.mean
	var z [6]float64
	for k := range z {
		z[k] = u.normal(k)
	}
	for i := range x {
		for k := 0; k <= i; k++ {
			x[i] += e.root[i][k] * z[k]
		}
	}
	return x
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// turned is the covariance in axes turned by r.
func turned(r *[3][3]float64, c *[6][6]float64) (out [6][6]float64) {
	for a := 0; a < 6; a += 3 {
		for b := 0; b < 6; b += 3 {
			for i := range 3 {
				for j := range 3 {
					sum := 0.0
					for k := range 3 {
						for l := range 3 {
							sum += r[i][k] * c[a+k][b+l] * r[j][l]
						}
					}
					out[a+i][b+j] = sum
				}
			}
		}
	}
	return out
}

// cholesky is the lower root of a covariance; directions without variance get none.
func cholesky(c *[6][6]float64) (l [6][6]float64) {
	for i := range 6 {
		for j := 0; j <= i; j++ {
			sum := (c[i][j] + c[j][i]) / 2
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			switch {
			case i == j:
				l[i][i] = math.Sqrt(math.Max(sum, 0))
			case l[j][j] > 1e-9:
				l[i][j] = sum / l[j][j]
			}
		}
	}
	return l
}
