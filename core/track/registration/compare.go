package registration

import (
	"cmp"
	"math"
	"time"

	"tocsin/core/observation"
)

// comparison is one plot of a sensor held against where another sensor's plots before and
// after it say that the object was. z is linear in the states of the two: z = at x + noise
// of unit variance.
type comparison struct {
	when    time.Time
	sensors [2]int
	z       vec3
	at      [3][2 * each]float64
}

// order is by content, so that nothing depends on the order of samples.
func (c comparison) order(d comparison) int {
	for _, v := range []int{c.when.Compare(d.when), cmp.Compare(c.sensors[0], d.sensors[0]), cmp.Compare(c.sensors[1], d.sensors[1])} {
		if v != 0 {
			return v
		}
	}
	for i := range 3 {
		if v := cmp.Compare(c.z[i], d.z[i]); v != 0 {
			return v
		}
	}
	return 0
}

const (
	mostRecent   = 16
	longestGap   = 12 * time.Second // between the two plots that one is held against
	swerve       = 10.0             // m/s² of acceleration that is not seen between two plots, one standard deviation
	reused       = 2.0              // a plot serves in up to three comparisons, which are taken for independent
	leastRange   = 5.0
	leastAngle   = 0.02 * degree
	leastDepth   = 300.0
	farthest     = 1e6
	shakyClock   = 0.2  // seconds by which an aircraft's own report may be stamped amiss
	fastest      = 1e4  // m/s
	steepest     = 1.45 // radians of elevation above which an azimuth says nothing
	leastOwnHome = 30.0 // metres, the least error of an aircraft's own report
)

// point is one observation as a place in the earth-fixed frame, with its error and how it
// changes with the sensor's biases.
type point struct {
	sensor int
	at     time.Time
	place  vec3
	cov    spread
	by     [each]vec3
}

// fresh makes the comparisons a sample gives that have not been made before.
func (r *Registrar) fresh(s *Sample) {
	since, later := r.used[s.Track], 0
	for i := range s.Recent {
		if s.Recent[i].ObservedAt.After(since) {
			later++
		}
	}
	if later < 2 { // one to compare, and one behind it
		return
	}
	newest := r.compare(s, since)
	if newest.IsZero() {
		return
	}
	if _, known := r.used[s.Track]; known || len(r.used) < 4*maxTracks {
		r.used[s.Track] = newest
	}
}

// compare adds the comparisons a sample gives to the batch, of plots later than since, and
// returns the time of the latest of them; zero: none.
func (r *Registrar) compare(s *Sample, since time.Time) (newest time.Time) {
	if !s.sane() {
		return newest
	}
	var points [mostRecent]point
	n := 0
	first, several := -1, false
	for i := max(0, len(s.Recent)-mostRecent); i < len(s.Recent); i++ {
		o := s.Recent[i]
		k, ok := r.index[o.Source]
		if !ok || !r.place(&points[n], k, o, s) {
			continue
		}
		for j := n; j > 0 && points[j].at.Before(points[j-1].at); j-- {
			points[j], points[j-1] = points[j-1], points[j]
		}
		if first < 0 {
			first = k
		}
		several = several || k != first
		n++
	}
	if !several {
		return newest
	}
	for i := 1; i < n-1; i++ {
		if !points[i].at.After(since) {
			continue
		}
		if r.between(points[:n], i, s) && points[i].at.After(newest) {
			newest = points[i].at
		}
	}
	return newest
}

func (s *Sample) sane() bool {
	return finite(s.Velocity[0], s.Velocity[1], s.Velocity[2], s.Position[0], s.Position[1], s.Position[2], s.Depth) && norm(s.Velocity) < fastest
}

// between holds the plot i against each other sensor that has one before and one after it.
func (r *Registrar) between(points []point, i int, s *Sample) (found bool) {
	b := &points[i]
	if r.sensors[b.sensor].Truth {
		return false // an own report is what others are held against
	}
	for j := i - 1; j >= 0; j-- {
		a1 := &points[j]
		if a1.sensor == b.sensor || b.at.Sub(a1.at) > longestGap {
			continue
		}
		newer := false
		for k := j + 1; k < i; k++ {
			newer = newer || points[k].sensor == a1.sensor
		}
		if newer {
			continue
		}
		for k := i + 1; k < len(points); k++ {
			a2 := &points[k]
			if a2.sensor != a1.sensor {
				continue
			}
			if a2.at.Sub(a1.at) <= longestGap && len(r.batch) < 2*perLearn {
				found = r.hold(a1, b, a2, s) || found
			}
			break
		}
	}
	return found
}

// hold makes the comparison of b with the straight line from a1 to a2.
func (r *Registrar) hold(a1, b, a2 *point, s *Sample) bool {
	gap := a2.at.Sub(a1.at).Seconds()
	if !(gap > 0.1) {
		return false
	}
	w2 := b.at.Sub(a1.at).Seconds() / gap
	w1 := 1 - w2
	d := minus(b.place, sum(scaled(a1.place, w1), scaled(a2.place, w2)))
	var cov spread
	bow := swerve * gap * gap * w1 * w2 / 2
	for i := range 3 {
		for j := range 3 {
			cov[i][j] = reused * (b.cov[i][j] + w1*w1*a1.cov[i][j] + w2*w2*a2.cov[i][j])
		}
		cov[i][i] += bow * bow
	}
	l, ok := cov.root()
	if !ok {
		return false
	}
	c := comparison{when: b.at, sensors: [2]int{b.sensor, a1.sensor}}
	z := d
	for k := range each {
		hb := b.by[k]
		ha := sum(scaled(a1.by[k], -w1), scaled(a2.by[k], -w2))
		xb, xa := r.filter.x[b.sensor*each+k], r.filter.x[a1.sensor*each+k]
		z = sum(z, sum(scaled(hb, xb), scaled(ha, xa)))
		wb, wa := whitened(&l, hb), whitened(&l, ha)
		for row := range 3 {
			c.at[row][k], c.at[row][each+k] = wb[row], wa[row]
		}
	}
	c.z = whitened(&l, z)
	if !finite(c.z[0], c.z[1], c.z[2]) {
		return false
	}
	r.batch = append(r.batch, c)
	return true
}

// place puts an observation into the earth-fixed frame, taken right by what is believed of
// its sensor now.
func (r *Registrar) place(p *point, k int, o *observation.Observation, s *Sample) bool {
	p.sensor, p.at, p.cov = k, o.ObservedAt, spread{}
	switch body := o.Body.(type) {
	case observation.Plot:
		return !r.sensors[k].Truth && r.polar(p, &body, s)
	case observation.Cooperative:
		if !r.sensors[k].Truth {
			return false
		}
		at := body.Position.ECEF()
		p.place, p.by = vec3(at), [each]vec3{}
		e := math.Max(float64(body.Error), leastOwnHome)
		if !finite(at[0], at[1], at[2], e) || e > 2000 {
			return false
		}
		for i := range 3 {
			p.cov[i][i] = e * e
		}
		p.cov.add(s.Velocity, shakyClock*shakyClock)
		return true
	}
	return false
}

func (r *Registrar) polar(p *point, b *observation.Plot, s *Sample) bool {
	k := p.sensor
	site := &r.sensors[k].Sensor
	x := r.filter.x[k*each : k*each+each]
	rng, az, el := float64(b.Range)-x[inRange], float64(b.Azimuth)*degree-x[inAzimuth], float64(b.Elevation)*degree-x[inTilt]
	if !b.HasElevation { // the belief says how high it flies; how well, the depth says
		dt := p.at.Sub(s.At).Seconds()
		d := apply(&site.Axes, minus(sum(vec3(s.Position), scaled(s.Velocity, dt)), vec3(site.Site)))
		el = math.Asin(min(max(d[2]/math.Max(norm(d), 1), -1), 1))
	}
	if !(rng > 10 && rng < farthest) || !finite(az, el) || math.Abs(el) > steepest {
		return false
	}
	sa, ca := math.Sincos(az)
	se, ce := math.Sincos(el)
	along := applyT(&site.Axes, vec3{ce * sa, ce * ca, se})
	across := applyT(&site.Axes, vec3{ca, -sa, 0})
	up := applyT(&site.Axes, vec3{-se * sa, -se * ca, ce})
	p.place = sum(sum(vec3(site.Site), scaled(along, rng)), scaled(s.Velocity, x[inClock]))
	p.by = [each]vec3{inRange: along, inAzimuth: scaled(across, rng*ce), inClock: scaled(s.Velocity, -1)}
	sr := math.Max(clean(float64(site.Errors.Range), 1e4), leastRange)
	sa2 := rng * ce * math.Max(clean(float64(site.Errors.Azimuth), 20)*degree, leastAngle)
	depth := math.Max(s.Depth, leastDepth)
	if b.HasElevation {
		p.by[inTilt] = scaled(up, rng)
		depth = rng * math.Max(clean(float64(site.Errors.Elevation), 20)*degree, leastAngle)
	}
	p.cov.add(along, sr*sr)
	p.cov.add(across, sa2*sa2)
	p.cov.add(up, depth*depth)
	if st := clean(site.Errors.Time.Seconds(), 5); st > 0 {
		p.cov.add(s.Velocity, st*st/4) // registered as one figure: half is taken to vary from plot to plot
	}
	return true
}
