package registration

import "math"

// filter is the Kalman filter over the biases of all sensors, each of four states.
type filter struct {
	x     []float64
	p     [][]float64
	prior [][each]float64
	gain  [3][]float64 // scratch: P Hᵀ
}

// How fast a bias may move by itself, per root of a second: an antenna that warms up or is
// levelled anew moves 20 m, 0.04 degrees, 0.1 s within an hour or so.
var wander = [each]float64{inRange: 20.0 / 60, inAzimuth: 0.04 * degree / 60, inTilt: 0.04 * degree / 60, inClock: 0.1 / 60}

// commonClock is the standard deviation, in seconds, of the mean of all clocks about true
// time: what no comparison of sensors shows, and what a network's own time is good to.
// Where aircraft say themselves where they are it can be shown, and is taken for less sure.
const (
	commonClock = 0.05
	shownClock  = 0.3
)

// rebuilt is the filter over other sensors: from[i] is what the i-th was, -1 for a new one.
func (f *filter) rebuilt(from []int, priors [][each]float64) filter {
	n := len(from) * each
	next := filter{x: make([]float64, n), p: make([][]float64, n), prior: priors}
	for i := range next.p {
		next.p[i] = make([]float64, n)
	}
	for i := range next.gain {
		next.gain[i] = make([]float64, n)
	}
	fresh := false
	for i, a := range from {
		if a < 0 {
			next.widen(i, 1)
			fresh = true
			continue
		}
		for k := range each {
			next.x[i*each+k] = f.x[a*each+k]
			for j, b := range from {
				for l := range each {
					if b >= 0 {
						next.p[i*each+k][j*each+l] = f.p[a*each+k][b*each+l]
					}
				}
			}
		}
	}
	if fresh {
		next.agreeOnTime()
	}
	return next
}

// agreeOnTime says that the clocks are right on average.
func (f *filter) agreeOnTime() {
	m := measurement{}
	for row := range 3 {
		m.at[row] = make([]float64, len(f.x))
	}
	n, sigma := 0.0, commonClock
	for i, prior := range f.prior {
		m.sensors = append(m.sensors, i)
		if prior[inClock] > 0 {
			n++
		} else {
			sigma = shownClock
		}
	}
	for i, prior := range f.prior {
		if prior[inClock] > 0 {
			m.at[0][i*each+inClock] = 1 / (n * sigma)
			m.nu[0] -= f.x[i*each+inClock] / (n * sigma)
		}
	}
	s := f.innovation(&m)
	if l, ok := s.root(); ok && n > 0 {
		f.correct(&m, &l)
	}
}

// widen makes one sensor's biases as uncertain as they were before anything was seen
// (share 1), or by a share of that more uncertain.
func (f *filter) widen(i int, share float64) {
	for k := range each {
		a := i*each + k
		v := f.prior[i][k] * f.prior[i][k]
		if share >= 1 {
			f.x[a] = 0
			for b := range f.p {
				f.p[a][b], f.p[b][a] = 0, 0
			}
			f.p[a][a] = v
			continue
		}
		f.p[a][a] = math.Min(f.p[a][a]+share*v, v)
	}
}

// drift lets dt seconds pass.
func (f *filter) drift(dt float64) {
	if !(dt > 0) {
		return
	}
	dt = math.Min(dt, 3600)
	for i, prior := range f.prior {
		for k := range each {
			if a := i*each + k; f.p[a][a] < prior[k]*prior[k] {
				f.p[a][a] += wander[k] * wander[k] * dt
			}
		}
	}
}

// of is the estimate of one sensor, deviations its standard deviations.
func (f *filter) of(i int) (x [each]float64) { return [each]float64(f.x[i*each : i*each+each]) }

func (f *filter) deviations(i int) (sd [each]float64) {
	for k := range each {
		sd[k] = math.Sqrt(math.Max(f.p[i*each+k][i*each+k], 0))
	}
	return sd
}

// measurement is three rows of unit variance: nu is what was measured less what the
// estimate says, at is the change of it with the states of the sensors.
type measurement struct {
	nu      vec3
	sensors []int
	at      [3][]float64 // per row, each states per sensor
}

// innovation fills gain with P Hᵀ and returns the covariance of nu.
func (f *filter) innovation(m *measurement) (s spread) {
	for row := range 3 {
		g := f.gain[row]
		for a := range g {
			v := 0.0
			for j, sensor := range m.sensors {
				p := f.p[a][sensor*each : sensor*each+each]
				h := m.at[row][j*each : j*each+each]
				v += p[0]*h[0] + p[1]*h[1] + p[2]*h[2] + p[3]*h[3]
			}
			g[a] = v
		}
	}
	for row := range 3 {
		for col := range 3 {
			for j, sensor := range m.sensors {
				for k := range each {
					s[row][col] += m.at[row][j*each+k] * f.gain[col][sensor*each+k]
				}
			}
		}
		s[row][row]++
	}
	return s
}

// correct takes a measurement whose innovation was just computed. l is the Cholesky factor
// of its covariance. The form P - G S⁻¹ Gᵀ is symmetric by construction.
func (f *filter) correct(m *measurement, l *mat3) {
	n := len(f.x)
	nu := whitened(l, m.nu)
	for a := range n { // gain becomes G L⁻ᵀ
		w := whitened(l, vec3{f.gain[0][a], f.gain[1][a], f.gain[2][a]})
		for row := range 3 {
			f.gain[row][a] = w[row]
		}
	}
	g0, g1, g2 := f.gain[0], f.gain[1], f.gain[2]
	for a := range n {
		f.x[a] += g0[a]*nu[0] + g1[a]*nu[1] + g2[a]*nu[2]
		p := f.p[a]
		for b := 0; b <= a; b++ {
			v := p[b] - g0[a]*g0[b] - g1[a]*g1[b] - g2[a]*g2[b]
			p[b], f.p[b][a] = v, v
		}
		p[a] = math.Max(p[a], 1e-18)
	}
}
