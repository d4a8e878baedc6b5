package threat

import (
	"math"

	"tocsin/core/geo"
)

const (
	gravity     = 9.80665
	earthRadius = 6371e3
	earthSpin   = 7.292e-5
	degree      = math.Pi / 180
	// leastCos keeps what is near the poles finite.
	leastCos = 0.02
)

// lay lays metres east and north of a place on the raster. A straight line there is a
// great circle through the place, within a few hundred metres out to 300 km.
type lay struct {
	ground     *Ground
	column     float64 // of the place
	row        float64
	rows       float64 // a metre north
	columns    float64 // a metre east, on the parallel of the place
	bend       float64 // metres that a great circle falls towards the equator, per metre² east
	widen      float64 // how much wider a metre east is in columns, per metre north
	cell       float64 // metres
	top, right float64 // of the raster
}

func newLay(g *Ground, at geo.Point) lay {
	l := lay{ground: g, cell: g.step * metresPerDegree, top: float64(g.rows), right: float64(g.cols)}
	if g.cols == 0 {
		return l
	}
	sin, cos := math.Sincos(float64(at.Lat) * degree)
	cos = math.Max(cos, leastCos)
	l.column = g.eastOf(float64(at.Lon)) / g.wide
	l.row = (float64(at.Lat) - g.south) / g.step
	l.rows = 1 / (metresPerDegree * g.step)
	l.columns = 1 / (metresPerDegree * cos * g.wide)
	l.bend = sin / cos / (2 * earthRadius)
	l.widen = sin / cos / earthRadius
	return l
}

// look returns the set of zones at a place, and how many metres around it are the same.
func (l *lay) look(east, north float64) (s set, free float64) {
	g := l.ground
	x := l.column + east*l.columns*(1+l.widen*north)
	y := l.row + (north-l.bend*east*east)*l.rows
	if !(x >= 0 && y >= 0 && x < l.right && y < l.top) {
		off := max(-x, x-l.right, -y, y-l.top)
		return 0, off * l.cell * 0.7
	}
	v := g.cells[g.cell(int(y), int(x))]
	return v & setMask, (float64(v>>clearShift) - 0.5) * l.cell
}

// turned is the covariance in axes turned by r.
func turned(r *[3][3]float64, c *[6][6]float64) (out [6][6]float64) {
	var half [6][6]float64
	for a := 0; a < 6; a += 3 {
		for i := range 3 {
			for j := range 6 {
				half[a+i][j] = r[i][0]*c[a][j] + r[i][1]*c[a+1][j] + r[i][2]*c[a+2][j]
			}
		}
	}
	for i := range 6 {
		for b := 0; b < 6; b += 3 {
			for j := range 3 {
				out[i][b+j] = half[i][b]*r[j][0] + half[i][b+1]*r[j][1] + half[i][b+2]*r[j][2]
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

// draw is a position and velocity from the track's belief.
func (e *ensemble) draw(u throw) (x [6]float64) {
	var z [6]float64
	for k := range z {
		z[k] = u.normal(dState + k)
	}
	for i := range x {
		sum := e.mean[i]
		for k := 0; k <= i; k++ {
			sum += e.root[i][k] * z[k]
		}
		x[i] = sum
	}
	return x
}
