package track

import "math"

// blend is the belief of one track: a Gaussian per motion model with its weight
// (interacting multiple models, Blom and Bar-Shalom 1988). A model of weight zero is
// asleep: nothing speaks for it, its Gaussian means nothing, and it costs nothing.
type blend struct {
	w [modeCount]float64
	m [modeCount]state
}

const (
	small   = 2e-3 // the weight below which a model's share in another is not worth computing
	asleep  = 3e-3 // the weight below which a model that may sleep does
	feeble  = 1e-4 // the weight below which one that may not is never let fall
	surpass = 0.0  // how many standard deviations a squared innovation may be above its mean before sleepers wake
)

// startles reports whether a squared normalised innovation of n rows is more than
// the models that are awake would let one expect: then all are asked.
func startles(d2 float64, n int) bool {
	return d2 > float64(n)+surpass*math.Sqrt(2*float64(n))
}

// take makes b the same belief as c; what sleeps there is not copied.
func (b *blend) take(c *blend) {
	b.w = c.w
	for j := range c.w {
		if c.w[j] > 0 {
			b.m[j] = c.m[j]
		}
	}
}

// equal reports whether two beliefs are the same to the last bit; what sleeps does not count.
func (b *blend) equal(c *blend) bool {
	if b.w != c.w {
		return false
	}
	for j := range b.w {
		if b.w[j] > 0 && b.m[j] != c.m[j] {
			return false
		}
	}
	return true
}

// calm reports whether a model is asleep.
func (b *blend) calm() bool {
	for j := range b.w {
		if b.w[j] == 0 {
			return true
		}
	}
	return false
}

// predict moves the belief forward by dt seconds; all wakes the models that sleep.
func (b *blend) predict(w *world, dt float64, all bool) {
	if !(dt > 0) {
		return
	}
	b.mix(dt, all)
	b.flow(w, dt)
}

// flow moves each model's belief forward by itself.
func (b *blend) flow(w *world, dt float64) {
	if !(dt > 0) {
		return
	}
	for j := range b.m {
		if b.w[j] > 0 {
			b.m[j].predict(&models[j], w, dt)
		}
	}
}

// mix lets the models start from what the others believe, as far as a jump from one to
// the other is likely.
func (b *blend) mix(dt float64, all bool) {
	var leave, weight [modeCount]float64
	for i := range b.w {
		if b.w[i] > 0 {
			leave[i] = lapse(dt / models[i].stay)
		}
	}
	climb := b.chief().v[2]
	var mixed [modeCount]state
	var isMixed [modeCount]bool
	total := 0.0
	for j := range b.w {
		if b.w[j] == 0 && (!all || !models[j].possible(climb)) {
			continue
		}
		var share [modeCount]float64
		sum := 0.0
		for i := range b.w {
			share[i] = leave[i] * models[i].to[j] * b.w[i]
			if i == j {
				share[i] += (1 - leave[i]) * b.w[i]
			}
			sum += share[i]
		}
		weight[j] = sum
		total += sum
		if b.w[j] > 0 && sum-share[j] < small*sum || !(sum > 0) {
			continue // it starts from itself
		}
		for i := range share {
			share[i] /= sum
		}
		b.merged(&share, &mixed[j])
		isMixed[j] = true
	}
	for j := range b.w {
		b.w[j] = weight[j] / total
		if isMixed[j] {
			b.m[j] = mixed[j]
		}
	}
}

// possible reports whether a sleeping model is worth waking for what climbs at this rate: no
// motor drives what does not climb, and what the air brakes was thrown up or comes down.
func (m *model) possible(climb float64) bool {
	switch {
	case m.driven:
		return climb > 10
	case m.braked:
		return math.Abs(climb) > 100
	}
	return true
}

// lapse is 1 - exp(-x), without the exponential where two terms are as good.
func lapse(x float64) float64 {
	if x < 0.05 {
		return x * (1 - x/2)
	}
	return -math.Expm1(-x)
}

// merged is the one Gaussian with the mean and covariance of the models' mixture at
// the given weights, which sum to one.
func (b *blend) merged(share *[modeCount]float64, out *state) {
	best, total, count := 0, 0.0, 0
	for i, c := range share {
		if c < small {
			continue
		}
		total += c
		count++
		if c > share[best] {
			best = i
		}
	}
	if count <= 1 {
		*out = b.m[best]
		return
	}
	*out = state{}
	for i, c := range share {
		if c < small {
			continue
		}
		m := &b.m[i]
		c /= total
		for k := range 3 {
			out.p[k] += c * m.p[k]
			out.v[k] += c * m.v[k]
		}
	}
	for i, c := range share {
		if c < small {
			continue
		}
		out.spread(&b.m[i], c/total)
	}
}

// spread adds the covariance of one part of a mixture around the mean.
func (s *state) spread(m *state, c float64) {
	var dp, dv vec3
	for k := range 3 {
		dp[k] = m.p[k] - s.p[k]
		dv[k] = m.v[k] - s.v[k]
	}
	for k := range 3 {
		a, b := &s.pp[k], &m.pp[k]
		a[0] += c * (b[0] + dp[k]*dp[0])
		a[1] += c * (b[1] + dp[k]*dp[1])
		a[2] += c * (b[2] + dp[k]*dp[2])
		a, b = &s.pv[k], &m.pv[k]
		a[0] += c * (b[0] + dp[k]*dv[0])
		a[1] += c * (b[1] + dp[k]*dv[1])
		a[2] += c * (b[2] + dp[k]*dv[2])
		a, b = &s.vv[k], &m.vv[k]
		a[0] += c * (b[0] + dv[k]*dv[0])
		a[1] += c * (b[1] + dv[k]*dv[1])
		a[2] += c * (b[2] + dv[k]*dv[2])
	}
}

// one is the whole belief as one Gaussian.
func (b *blend) one() (s state) {
	b.merged(&b.w, &s)
	return s
}

// chief is the Gaussian of the model that counts most.
func (b *blend) chief() *state {
	best := 0
	for j := range b.w {
		if b.w[j] > b.w[best] {
			best = j
		}
	}
	return &b.m[best]
}

// correct applies a measurement and returns the logarithm of its likelihood. Models for
// which nothing speaks any more fall asleep, if they may.
func (b *blend) correct(rows []row, sleep bool) float64 {
	var d2, like [modeCount]float64
	least := math.Inf(1)
	for j := range b.m {
		if b.w[j] == 0 {
			continue
		}
		d2[j], like[j] = b.m[j].correct(rows)
		least = min(least, d2[j])
	}
	sum := 0.0
	for j := range like {
		if b.w[j] > 0 {
			like[j] = b.w[j] * math.Exp((least-d2[j])/2) / like[j]
			sum += like[j]
		}
	}
	kept := 0.0
	for j := range like {
		if b.w[j] == 0 {
			continue
		}
		w := like[j] / sum
		switch {
		case models[j].sleeps && sleep && w < asleep:
			w = 0
		default:
			w = max(w, feeble)
		}
		b.w[j] = w
		kept += w
	}
	for j := range b.w {
		b.w[j] /= kept
	}
	return math.Log(sum) - least/2 - float64(len(rows))*halfLog2Pi
}

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
	if len(rows) == 2 && !rows[1].moving {
		return s.innovationOfTwo(&rows[0], &rows[1])
	}
	var g, h [mostRows]vec3
	var nu [mostRows]float64
	var c [mostRows][mostRows]float64
	det := 1.0
	for k := range min(len(rows), mostRows) {
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
		// Row k of the covariance, and at once of its factor. Rows that measure
		// the velocity stand behind the others, so h[k] is there where it is needed.
		for l := 0; l <= k; l++ {
			sum := dot(rows[l].at, g[k])
			if rows[l].moving {
				sum += dot(rows[l].rate, h[k])
			}
			for i := 0; i < l; i++ {
				sum -= c[k][i] * c[l][i] * c[i][i]
			}
			if l < k {
				c[k][l] = sum / c[l][l]
				nu[k] -= c[k][l] * nu[l]
				continue
			}
			c[k][k] = max(sum+r.r, 1e-6)
		}
		d2 += nu[k] * nu[k] / c[k][k]
		det *= c[k][k]
	}
	return d2, math.Sqrt(det)
}

// innovationOfTwo is innovation for two rows of place, which most measurements are.
func (s *state) innovationOfTwo(a, b *row) (d2, rootDet float64) {
	g := apply(&s.pp, a.at)
	aa := max(dot(a.at, g)+a.r, 1e-6)
	gain := dot(b.at, g) / aa
	h := apply(&s.pp, b.at)
	bb := max(dot(b.at, h)-gain*gain*aa+b.r, 1e-6)
	na := a.z - dot(a.at, s.p)
	nb := b.z - dot(b.at, s.p) - gain*na
	return na*na/aa + nb*nb/bb, math.Sqrt(aa * bb)
}
