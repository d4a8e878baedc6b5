package track

import "math"

// blend is the belief of one track: a Gaussian per motion model with its weight
// (interacting multiple models, Blom and Bar-Shalom 1988).
type blend struct {
	w [modeCount]float64
	m [modeCount]state
}

// small is the weight below which a model's share in another is not worth computing.
const small = 1e-4

// jumps returns the probability of going from model i to model j within dt seconds.
func jumps(dt float64) (t [modeCount][modeCount]float64) {
	for i := range models {
		go_ := -math.Expm1(-dt / models[i].stay)
		for j := range models {
			t[i][j] = go_ * models[i].to[j]
		}
		t[i][i] += 1 - go_
	}
	return t
}

// predict moves the belief forward by dt seconds.
func (b *blend) predict(w *world, dt float64) {
	if !(dt > 0) {
		return
	}
	b.mix(dt)
	for j := range b.m {
		b.m[j].predict(&models[j], w, dt)
	}
}

// mix lets the models start from what the others believe, as far as a jump from one to
// the other is likely.
func (b *blend) mix(dt float64) {
	t := jumps(dt)
	var next blend
	for j := range modeCount {
		var share [modeCount]float64
		sum := 0.0
		for i := range modeCount {
			share[i] = t[i][j] * b.w[i]
			sum += share[i]
		}
		next.w[j] = sum
		if !(sum > 0) {
			next.m[j] = b.m[j]
			continue
		}
		for i := range share {
			share[i] /= sum
		}
		b.merged(&share, &next.m[j])
	}
	*b = next
}

// merged is the one Gaussian with the mean and covariance of the models' mixture at
// the given weights, which sum to one.
func (b *blend) merged(share *[modeCount]float64, out *state) {
	*out = state{}
	total := 0.0
	for i, c := range share {
		if c < small {
			continue
		}
		total += c
		m := &b.m[i]
		for k := range 3 {
			out.p[k] += c * m.p[k]
			out.v[k] += c * m.v[k]
		}
	}
	for k := range 3 {
		out.p[k] /= total
		out.v[k] /= total
	}
	for i, c := range share {
		if c < small {
			continue
		}
		c /= total
		m := &b.m[i]
		var dp, dv vec3
		for k := range 3 {
			dp[k] = m.p[k] - out.p[k]
			dv[k] = m.v[k] - out.v[k]
		}
		for k := range 3 {
			for l := range 3 {
				out.pp[k][l] += c * (m.pp[k][l] + dp[k]*dp[l])
				out.pv[k][l] += c * (m.pv[k][l] + dp[k]*dv[l])
				out.vv[k][l] += c * (m.vv[k][l] + dv[k]*dv[l])
			}
		}
	}
}

// one is the whole belief as one Gaussian.
func (b *blend) one() (s state) {
	b.merged(&b.w, &s)
	return s
}

// correct applies a measurement and returns the logarithm of its likelihood.
func (b *blend) correct(rows []row) float64 {
	var d2, like [modeCount]float64
	least := math.Inf(1)
	for j := range b.m {
		d2[j], like[j] = b.m[j].correct(rows)
		least = min(least, d2[j])
	}
	sum := 0.0
	for j := range like {
		like[j] = b.w[j] * math.Exp((least-d2[j])/2) / like[j]
		sum += like[j]
	}
	for j := range like {
		b.w[j] = max(like[j]/sum, floorWeight)
	}
	return math.Log(sum) - least/2 - float64(len(rows))*halfLog2Pi
}

// floorWeight keeps a model that is out of favour alive, so that it can come back.
const floorWeight = 1e-5

// likelihood is what correct would return, without changing anything, and the
// smallest squared normalised innovation of any model that counts.
func (b *blend) likelihood(rows []row) (logLikelihood, d2 float64) {
	sum := 0.0
	d2 = math.Inf(1)
	for j := range b.m {
		if b.w[j] < small {
			continue
		}
		d, det := b.m[j].innovation(rows)
		if d < d2 {
			d2 = d
		}
		if d < 200 {
			sum += b.w[j] * math.Exp(-d/2) / det
		}
	}
	return math.Log(sum) - float64(len(rows))*halfLog2Pi, d2
}

// innovation returns the squared normalised innovation of rows and the root of the
// determinant of their innovation covariance.
func (s *state) innovation(rows []row) (d2, rootDet float64) {
	const most = 6
	var g, h [most]vec3
	var nu [most]float64
	var c [most][most]float64
	rootDet = 1
	for k := range min(len(rows), most) {
		r := &rows[k]
		g[k] = apply(&s.pp, r.at)
		nu[k] = r.z - dot(r.at, s.p)
		if r.moving {
			gv := apply(&s.pv, r.rate)
			h[k] = applyT(&s.pv, r.at)
			hv := apply(&s.vv, r.rate)
			for i := range 3 {
				g[k][i] += gv[i]
				h[k][i] += hv[i]
			}
			nu[k] -= dot(r.rate, s.v)
		}
		// Row k of the covariance, and at once of its Cholesky factor. Rows that measure
		// the velocity stand behind the others, so h[k] is there where it is needed.
		for l := 0; l <= k; l++ {
			sum := dot(rows[l].at, g[k])
			if rows[l].moving {
				sum += dot(rows[l].rate, h[k])
			}
			if l == k {
				sum += r.r
			}
			for i := 0; i < l; i++ {
				sum -= c[k][i] * c[l][i]
			}
			if l < k {
				c[k][l] = sum / c[l][l]
				nu[k] -= c[k][l] * nu[l]
				continue
			}
			c[k][k] = math.Sqrt(max(sum, 1e-6))
		}
		nu[k] /= c[k][k]
		d2 += nu[k] * nu[k]
		rootDet *= c[k][k]
	}
	return d2, rootDet
}
