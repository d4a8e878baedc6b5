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
	var ll [modeCount]float64
	top := math.Inf(-1)
	for j := range b.m {
		l, _ := b.m[j].correct(rows)
		ll[j] = l + math.Log(b.w[j])
		top = math.Max(top, ll[j])
	}
	sum := 0.0
	for j := range ll {
		ll[j] = math.Exp(ll[j] - top)
		sum += ll[j]
	}
	for j := range ll {
		b.w[j] = math.Max(ll[j]/sum, floorWeight)
	}
	return top + math.Log(sum)
}

// floorWeight keeps a model that is out of favour alive, so that it can come back.
const floorWeight = 1e-5

// likelihood is what correct would return, without changing anything, and the
// smallest squared normalised innovation of any model that counts.
func (b *blend) likelihood(rows []row) (logLikelihood, d2 float64) {
	var ll [modeCount]float64
	top := math.Inf(-1)
	d2 = math.Inf(1)
	for j := range b.m {
		if b.w[j] < small {
			ll[j] = math.Inf(-1)
			continue
		}
		l, d := b.m[j].innovation(rows)
		ll[j] = l + math.Log(b.w[j])
		top = math.Max(top, ll[j])
		d2 = math.Min(d2, d)
	}
	sum := 0.0
	for _, l := range ll {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum), d2
}

// innovation is the likelihood of rows by the joint innovation covariance.
func (s *state) innovation(rows []row) (logLikelihood, d2 float64) {
	const most = 6
	n := min(len(rows), most)
	var g, h [most]vec3
	var nu [most]float64
	var c [most][most]float64
	for k := range n {
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
		for l := 0; l <= k; l++ {
			c[k][l] = dot(rows[l].at, g[k])
			if rows[l].moving {
				if !r.moving {
					h[k] = applyT(&s.pv, r.at)
				}
				c[k][l] += dot(rows[l].rate, h[k])
			}
		}
		c[k][k] += r.r
	}
	// Cholesky in place, and forward substitution.
	for k := range n {
		for l := 0; l < k; l++ {
			sum := c[k][l]
			for i := 0; i < l; i++ {
				sum -= c[k][i] * c[l][i]
			}
			c[k][l] = sum / c[l][l]
			nu[k] -= c[k][l] * nu[l]
		}
		sum := c[k][k]
		for i := 0; i < k; i++ {
			sum -= c[k][i] * c[k][i]
		}
		c[k][k] = math.Sqrt(math.Max(sum, 1e-6))
		nu[k] /= c[k][k]
		d2 += nu[k] * nu[k]
		logLikelihood -= nu[k]*nu[k]/2 + math.Log(c[k][k]) + halfLog2Pi
	}
	return logLikelihood, d2
}
