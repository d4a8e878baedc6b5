package presence

import (
	"math"
	"math/rand/v2"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

const (
	points     = 800 // of a cloud
	sure       = 3.0 // log-odds at which there is something: 95 %
	vague      = 6e3 // metres of standard deviation beyond which a cloud is no place
	lostAt     = 25e3
	mostOdds   = 6.0
	unlikely   = -2.0  // log-odds at which a cloud that is not firm is dropped
	crowdOdds  = 3.2   // that citizens alone can add up to
	again      = 5.0   // seconds within which the same from the same place is a copy
	near       = 1e3   // metres within which two sources are one cluster
	cruising   = 240.0 // seconds an object keeps its course, on average
	typical    = 500.0 // metres of height of what is heard or seen from the ground
	unsureUp   = 400.0
	unsureRise = 5.0
	heardFor   = 90.0 // seconds in which an opinion that there is something loses half its weight
	silentFor  = 15.0 // and one that there is nothing
	tentatives = 60 * time.Second
	forgotten  = 40 * time.Second // unheard, after which a firm cloud must still be likelier than not
	faint      = 0.5
	confirmeds = 90 * time.Second
)

// point is one guess of where the object is and how it flies.
type point struct {
	p, v vec2
	w    float64
}

// cluster is sources of one kind at one place: together they weigh as one.
type cluster struct {
	kind   string
	place  vec2
	odds   float64 // what it has added
	lastAt time.Time
}

// cloud is one candidate.
type cloud struct {
	number   uint64
	frame    geo.ENU
	origin   geo.ECEF
	flat     bool
	at       time.Time
	points   [points]point
	odds     float64
	clusters []cluster
	sources  []Contribution
	recent   []observation.Observation
	says     class.Mix // sum of what was said
	updates  int
	since    time.Time
	seenAt   time.Time
	firm     bool
	gone     bool
	alone    time.Time // when the only source of it was last blamed
	praised  bool
	random   *rand.Rand
	centre   vec2
	radius   float64
}

// newCloud draws the points from where one observation says that something is.
func newCloud(number uint64, flat *geo.Position, e *evidence) *cloud {
	c := &cloud{number: number, at: e.at, since: e.at, alone: e.at, random: rand.New(rand.NewPCG(number, 0x70cc51))}
	at := e.place.Position()
	at.Height = 0
	c.frame = geo.NewENU(at)
	if flat != nil {
		c.frame, c.flat = geo.NewENU(*flat), true
	}
	from := c.view(e).from
	turn := c.turn(e)
	for i := range c.points {
		u := (float64(i) + c.random.Float64()) / points
		var d, a float64
		if e.bearing {
			d = e.reach * math.Sqrt(u) // even over the wedge
			a = e.azimuth + turn + e.width*c.random.NormFloat64()
		} else {
			d = e.reach * math.Sqrt(u)
			a = 2 * math.Pi * c.random.Float64()
		}
		q := &c.points[i]
		q.v = c.speed()
		q.p = vec2{from[0] + d*math.Sin(a), from[1] + d*math.Cos(a)}
		if e.heard > 0 { // by now it has flown on
			tau := e.heard * d / sound
			q.p[0] += q.v[0] * tau
			q.p[1] += q.v[1] * tau
		}
		q.w = 1.0 / points
	}
	c.bounds()
	c.hear(e, 1)
	return c
}

// speed draws a velocity of what is heard or seen from the ground: propeller drones, now
// and then a jet one or a cruise missile.
func (c *cloud) speed() vec2 {
	s := 30 + 35*c.random.Float64()
	switch u := c.random.Float64(); {
	case u > 0.88:
		s = 160 + 110*c.random.Float64()
	case u > 0.72:
		s = 65 + 95*c.random.Float64()
	}
	a := 2 * math.Pi * c.random.Float64()
	return vec2{s * math.Sin(a), s * math.Cos(a)}
}

// view is evidence in the cloud's frame.
func (c *cloud) view(e *evidence) view {
	at := c.frame.To(e.place)
	return view{evidence: e, from: vec2{at[0], at[1]}, turn: c.turn(e)}
}

// turn is by how much north at the place of the evidence differs from the frame's.
func (c *cloud) turn(e *evidence) float64 {
	if c.flat {
		return 0
	}
	there, here := e.place.Position(), c.frame.Origin
	return float64(there.Lon-here.Lon) * degree * math.Sin(float64(there.Lat+here.Lat)/2*degree)
}

// bounds keeps where the cloud is, roughly.
func (c *cloud) bounds() {
	c.centre, c.radius = vec2{}, 0
	for i := range c.points {
		q := &c.points[i]
		c.centre[0] += q.w * q.p[0]
		c.centre[1] += q.w * q.p[1]
	}
	for i := range c.points {
		q := &c.points[i]
		c.radius += q.w * (math.Pow(q.p[0]-c.centre[0], 2) + math.Pow(q.p[1]-c.centre[1], 2))
	}
	c.radius = math.Sqrt(c.radius)
}

// fit is the share of the cloud that agrees with the evidence.
func (c *cloud) fit(e *evidence) (fit float64) {
	w := c.view(e)
	far := math.Hypot(w.from[0]-c.centre[0], w.from[1]-c.centre[1])
	if far > 1.5*e.reach+4*c.radius+5e3 {
		return 0
	}
	dt := c.at.Sub(e.at).Seconds()
	sum := 0.0
	for i := 0; i < points; i += sample {
		q := &c.points[i]
		fit += q.w * w.agrees(q.p, q.v, dt)
		sum += q.w
	}
	return fit / math.Max(sum, 1e-200)
}

const sample = 4 // of so many points one is asked for the fit

// telling is how much likelier the evidence is if there is an object in the cloud than if
// there is none, on a scale where 1 is as much as a source's word can be worth: a false
// bearing points anywhere, and a false hearing is rare.
func (e *evidence) telling(fit float64) float64 {
	rare := 4.0
	if e.bearing {
		rare = min(math.Sqrt(2*math.Pi)/e.width, 40)
	}
	return min(rare*fit, 1)
}

// hear lets the evidence count. It returns false for a copy: the same, from the same place,
// within seconds.
func (c *cloud) hear(e *evidence, fit float64) bool {
	if e.at.After(c.at) {
		c.to(e.at)
	}
	w := c.view(e)
	k := c.cluster(w.kind, &w)
	if k == nil {
		return false
	}
	// A cluster has one opinion, its newest: its thousandth word is worth what its first was.
	k.odds = math.Max(e.weight()+math.Log(math.Max(e.telling(fit), 1e-3)), k.odds)
	k.odds = math.Min(k.odds, e.weight())
	c.reckon()
	c.update(func(q *point, dt float64) float64 {
		return 1 - e.trust + e.trust*w.agrees(q.p, q.v, dt)
	}, e.at)
	c.note(e)
	return true
}

// reckon adds up the opinions of the clusters, those of citizens up to a bound of their own.
func (c *cloud) reckon() {
	crowd := 0.0
	c.odds = 0
	for i := range c.clusters {
		if k := &c.clusters[i]; k.kind == Crowd {
			crowd += k.odds
		} else {
			c.odds += k.odds
		}
	}
	c.odds = math.Min(c.odds+math.Min(crowd, crowdOdds), mostOdds)
}

// fade lets opinions age: that something was heard says for minutes that there is
// something, that nothing was heard says so only for moments, because the object moves.
func (c *cloud) fade(dt float64) {
	heard, silent := math.Exp2(-dt/heardFor), math.Exp2(-dt/silentFor)
	kept := c.clusters[:0]
	for _, k := range c.clusters {
		if k.odds < 0 {
			k.odds *= silent
		} else {
			k.odds *= heard
		}
		if math.Abs(k.odds) > 0.02 || c.at.Sub(k.lastAt).Seconds() < again {
			kept = append(kept, k)
		}
	}
	c.clusters = kept
	c.reckon()
}

// cluster is the one the evidence belongs to, new if there is none; nil if it is a copy.
func (c *cloud) cluster(kind string, w *view) *cluster {
	var free *cluster
	for i := range c.clusters {
		k := &c.clusters[i]
		if k.kind != kind || math.Hypot(k.place[0]-w.from[0], k.place[1]-w.from[1]) > near {
			continue
		}
		if math.Abs(w.at.Sub(k.lastAt).Seconds()) < again {
			return nil
		}
		free = k
		break
	}
	if free == nil {
		if len(c.clusters) < maxClusters {
			c.clusters = append(c.clusters, cluster{})
		}
		free = &c.clusters[len(c.clusters)-1]
		for i := range c.clusters { // the faintest makes room
			if k := &c.clusters[i]; math.Abs(k.odds) < math.Abs(free.odds) {
				free = k
			}
		}
		*free = cluster{kind: kind, place: w.from}
	}
	if w.at.After(free.lastAt) {
		free.lastAt = w.at
	}
	return free
}

// hearNothing lets it count that a source in whose reach the cloud is heard nothing.
func (c *cloud) hearNothing(e *evidence) {
	fit := c.fit(e)
	if fit < 0.05 {
		return
	}
	w := c.view(e)
	k := c.cluster(silent+w.kind, &w)
	if k == nil {
		return
	}
	loss := math.Log1p(-e.trust * e.detect * fit)
	k.odds = math.Max(k.odds+loss, -0.6*math.Max(e.weight(), 0))
	c.reckon()
	c.update(func(q *point, dt float64) float64 { return 1 - e.trust*e.detect*w.agrees(q.p, q.v, dt) }, e.at)
}

// silent marks the clusters of what was not heard.
const silent = "silent "

// update weighs the points.
func (c *cloud) update(like func(q *point, dt float64) float64, at time.Time) {
	dt := c.at.Sub(at).Seconds()
	sum, squares := 0.0, 0.0
	for i := range c.points {
		q := &c.points[i]
		q.w *= like(q, dt)
		sum += q.w
	}
	if !(sum > 1e-200) {
		for i := range c.points {
			c.points[i].w = 1.0 / points
		}
		return
	}
	for i := range c.points {
		q := &c.points[i]
		q.w /= sum
		squares += q.w * q.w
	}
	if squares*points > 2 {
		c.resample()
	}
	c.bounds()
}

// resample draws the points anew, each as often as it weighs, and moves them a little, so
// that they do not become one (regularised, with a tenth of the cloud's own spread).
func (c *cloud) resample() {
	_, root := c.moments()
	old := c.points
	u, sum, k := c.random.Float64()/points, old[0].w, 0
	for i := range c.points {
		for sum < u && k < points-1 {
			k++
			sum += old[k].w
		}
		q := old[k]
		var z [4]float64
		for j := range z {
			z[j] = roughen * c.random.NormFloat64()
		}
		for a := range 2 {
			for b := range 4 {
				q.p[a] += root[a][b] * z[b]
				q.v[a] += root[a+2][b] * z[b]
			}
		}
		q.w = 1.0 / points
		c.points[i] = q
		u += 1.0 / points
	}
}

const roughen = 0.1

// to moves the cloud to a time. It does not go back.
func (c *cloud) to(t time.Time) {
	dt := t.Sub(c.at).Seconds()
	if !(dt > 0) {
		return
	}
	c.at = t
	if dt > 600 {
		dt = 600
	}
	turning := -math.Expm1(-dt / cruising)
	wobble := 0.02 * math.Sqrt(dt) // radians of course, and share of speed, per root of a second
	for i := range c.points {
		q := &c.points[i]
		q.p[0] += q.v[0] * dt
		q.p[1] += q.v[1] * dt
		a := wobble * c.random.NormFloat64()
		if c.random.Float64() < turning {
			a = math.Pi / 2 * c.random.NormFloat64()
		}
		s, k := math.Sincos(a)
		g := 1 + 0.3*wobble*c.random.NormFloat64()
		q.v = vec2{g * (q.v[0]*k + q.v[1]*s), g * (q.v[1]*k - q.v[0]*s)}
	}
	c.fade(dt)
	c.bounds()
}

// over reports whether nothing is left to follow.
func (c *cloud) over(now time.Time) bool {
	quiet := now.Sub(c.seenAt)
	if c.firm {
		return quiet > confirmeds || quiet > forgotten && c.odds < faint || c.odds < unlikely || c.radius > lostAt
	}
	return quiet > tentatives || c.odds < unlikely
}

const together = 1.5 // deviations within which two clouds may be one object

// same reports whether a younger cloud is the same object as this one.
func (c *cloud) same(o *cloud) bool {
	shift := c.frame.To(o.frame.From([3]float64{o.centre[0], o.centre[1], 0}))
	d := math.Hypot(shift[0]-c.centre[0], shift[1]-c.centre[1])
	if d > together*math.Hypot(c.radius, o.radius) || o.radius > 4*c.radius && !o.firm {
		return false
	}
	a, _ := c.moments()
	b, _ := o.moments()
	return math.Hypot(a[2]-b[2], a[3]-b[3]) < 40
}

// adopt takes over who heard a younger cloud that is the same object.
func (c *cloud) adopt(o *cloud) {
	for i := range o.sources {
		c.source(o.sources[i])
	}
	if o.seenAt.After(c.seenAt) {
		c.seenAt = o.seenAt
	}
}
