package presence

import (
	"math"

	"tocsin/core/class"
	"tocsin/core/observation"
)

// moments are the mean of (x, y, vx, vy) and the lower root of its covariance.
func (c *cloud) moments() (mean [4]float64, root [4][4]float64) {
	cov := c.covariance(&mean)
	for i := range 4 {
		for j := 0; j <= i; j++ {
			s := cov[i][j]
			for k := range j {
				s -= root[i][k] * root[j][k]
			}
			switch {
			case i == j:
				root[i][i] = math.Sqrt(math.Max(s, 1e-6))
			default:
				root[i][j] = s / root[j][j]
			}
		}
	}
	return mean, root
}

func (c *cloud) covariance(mean *[4]float64) (cov [4][4]float64) {
	for i := range c.points {
		q := &c.points[i]
		for k, v := range [4]float64{q.p[0], q.p[1], q.v[0], q.v[1]} {
			mean[k] += q.w * v
		}
	}
	for i := range c.points {
		q := &c.points[i]
		d := [4]float64{q.p[0] - mean[0], q.p[1] - mean[1], q.v[0] - mean[2], q.v[1] - mean[3]}
		for a := range d {
			for b := range d {
				cov[a][b] += q.w * d[a] * d[b]
			}
		}
	}
	return cov
}

// note remembers a supporting observation and its source.
func (c *cloud) note(e *evidence) {
	c.updates++
	if e.at.After(c.seenAt) {
		c.seenAt = e.at
	}
	c.source(Contribution{Source: e.source, Kind: e.kind, LastAt: e.at, trust: e.registered})
	next := make([]observation.Observation, 0, maxRecent)
	next = append(next, c.recent[max(0, len(c.recent)-maxRecent+1):]...)
	c.recent = append(next, e.o)
	if e.says.Said() {
		for i, p := range e.says {
			c.says[i] += p
		}
	}
}

// source notes a contribution. Where there is no room the longest silent one of a kind
// that others share goes, so that no kind is ever lost to a crowd of another.
func (c *cloud) source(s Contribution) {
	for i := range c.sources {
		if o := &c.sources[i]; o.Source == s.Source {
			if s.LastAt.After(o.LastAt) {
				o.LastAt = s.LastAt
			}
			return
		}
	}
	if len(c.sources) < maxSources {
		c.sources = append(c.sources, s)
		return
	}
	oldest := -1
	for i, o := range c.sources {
		shared := o.Kind == s.Kind
		for j := range c.sources {
			shared = shared || j != i && c.sources[j].Kind == o.Kind
		}
		if shared && (oldest < 0 || o.LastAt.Before(c.sources[oldest].LastAt)) {
			oldest = i
		}
	}
	if oldest >= 0 {
		c.sources[oldest] = s
	}
}

// support counts the clusters that have added something: of all kinds, and of citizens.
func (c *cloud) support() (all, crowd int) {
	const something = 0.2
	for i := range c.clusters {
		if k := &c.clusters[i]; k.odds > something {
			all++
			if k.kind == Crowd {
				crowd++
			}
		}
	}
	return all, crowd
}

// settle makes a cloud firm that deserves it. It stays so.
func (c *cloud) settle() {
	all, crowd := c.support()
	enough := all >= 2 && crowd < all || crowd >= 3
	c.firm = c.firm || enough && c.odds >= sure && c.radius < vague
}

// candidate is the cloud as others see it.
func (c *cloud) candidate() Candidate {
	var mean [4]float64
	flat := c.covariance(&mean)
	up := typical
	if !c.flat {
		up -= (mean[0]*mean[0] + mean[1]*mean[1]) / (2 * 6371e3)
	}
	all, _ := c.support()
	out := Candidate{
		Number: c.number, At: c.at, Existence: 1 / (1 + math.Exp(-c.odds)), Clusters: all, Updates: c.updates,
		Class: c.class(), Since: c.since, SeenAt: c.seenAt,
		Sources:  append([]Contribution(nil), c.sources...),
		Recent:   c.recent[:len(c.recent):len(c.recent)],
		Position: c.frame.From([3]float64{mean[0], mean[1], up}),
		Velocity: c.frame.FromVelocity([3]float64{mean[2], mean[3], 0}),
	}
	// Rows of the local covariance: x, y, up, and their rates.
	at := [4]int{0, 1, 3, 4}
	var local [6][6]float64
	for i := range at {
		for j := range at {
			local[at[i]][at[j]] = flat[i][j]
		}
	}
	local[2][2], local[5][5] = unsureUp*unsureUp, unsureRise*unsureRise
	for a := 0; a < 6; a += 3 {
		for b := 0; b < 6; b += 3 {
			var block [3][3]float64
			for i := range 3 {
				for j := range 3 {
					block[i][j] = local[a+i][b+j]
				}
			}
			block = c.frame.FromCovariance(block)
			for i := range 3 {
				for j := range 3 {
					out.Covariance[a+i][b+j] = block[i][j]
				}
			}
		}
	}
	return out
}

// class is what flies so fast, as far as the points agree, and what the sources said.
func (c *cloud) class() (mix class.Mix) {
	mix[class.Unknown] = 0.1
	for i := range c.points {
		q := &c.points[i]
		switch s := math.Hypot(q.v[0], q.v[1]); {
		case s < 75:
			mix[class.Drone] += q.w
		case s < 150:
			mix[class.Drone] += 0.6 * q.w
			mix[class.CruiseMissile] += 0.1 * q.w
			mix[class.Aircraft] += 0.3 * q.w
		default:
			mix[class.CruiseMissile] += 0.7 * q.w
			mix[class.Aircraft] += 0.3 * q.w
		}
	}
	if said := c.says.Normal(); said.Said() {
		const doubt = 0.1 // of what is left of a class that nobody named
		for i := range mix {
			mix[i] *= said[i] + doubt
		}
	}
	return mix.Normal()
}
