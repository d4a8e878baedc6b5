package track

import (
	"math"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track/registration"
)

// source is a registered source and what the picture keeps of it.
type source struct {
	reg    observation.Source
	site   *frame // nil: it has no place of its own
	period tick
	window tick // plots of one source closer than this in time see one object at most once
	detect float64
	trust  float64
	noise  float64 // false plots per look
	lastAt time.Time
	heard  bool
	points bool               // it has said that something is there, without a place
	errors observation.Errors // as registered, and what is left of the bias
	bias   registration.Bias

	logDetect float64
	logNoise  float64
}

const (
	defaultPeriod    = 10 * time.Second
	defaultDetection = 0.8
	defaultTrust     = 0.9
	defaultClutter   = 2.0 // per look, where nothing is registered
	defaultRange     = 200e3
	births           = 1.0         // new objects per look that a source may see
	deepest          = 12e3        // metres of height in which things fly that have no height given
	swathe           = 20 * degree // elevation over which false plots are spread
	longestWindow    = 2 * time.Second
	deafAfter        = 3 // periods without a word
	shortestDeaf     = 15 * time.Second
)

func newSource(reg observation.Source, e earth) *source {
	s := &source{reg: reg, period: ticks(reg.Period), detect: reg.Detection, trust: reg.Trust, noise: reg.Clutter}
	if reg.HasSite && finitePosition(reg.Site) {
		s.site = e.site(reg.Site)
	}
	if s.period <= 0 {
		s.period = ticks(defaultPeriod)
	}
	s.period = min(s.period, ticks(time.Hour))
	s.window = min(s.period/2, ticks(longestWindow))
	s.detect = within(s.detect, 0.05, 0.995, defaultDetection)
	s.trust = within(s.trust, 0.01, 0.999, defaultTrust)
	s.noise = within(s.noise, 0.01, 1e6, defaultClutter)
	s.logDetect, s.logNoise = math.Log(s.detect), math.Log(s.noise)
	return s
}

// within keeps a registered figure between bounds; what is not said, or is no number, is the default.
func within(v, low, high, otherwise float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return otherwise
	}
	return min(max(v, low), high)
}

func (s *source) reach() float64 {
	return within(float64(s.reg.Coverage.Range), 100, 1e7, defaultRange)
}

// heardAt notes an observation that could be used.
func (s *source) heardAt(now time.Time) { s.lastAt, s.heard = now, true }

// deaf reports whether a source has been silent for several of its periods.
func (s *source) deaf(now time.Time) bool {
	return !s.heard || now.Sub(s.lastAt) > max(deafAfter*time.Duration(s.period), shortestDeaf)
}

// sees is the probability that a look of this source detects an object at a place.
func (s *source) sees(e earth, place geo.ECEF) float64 {
	if s.site == nil || !(s.reg.Coverage.Range > 0) {
		return 0
	}
	p := s.site.to(place)
	d := norm(p)
	if d > float64(s.reg.Coverage.Range) {
		return 0
	}
	if e.height(place) < s.floor(e, p) {
		return 0
	}
	return s.detect
}

// floor is the least height, above the ground of the world, that the source sees at a
// place given in its own axes: its registered floor, and the radio horizon over an
// earth of 4/3 radius.
func (s *source) floor(e earth, p vec3) float64 {
	low := float64(s.reg.Coverage.Floor) + float64(s.reg.Site.Height)
	if e.plane != nil {
		return float64(s.reg.Coverage.Floor)
	}
	flat := math.Hypot(p[0], p[1])
	return low + flat*flat/(2*earthRadius*4/3)
}

// logClutter is the logarithm of the density of false plots at a sighting, per unit of
// what its rows measure.
func (s *source) logClutter(g *sighting) float64 {
	d := s.logNoise
	switch g.kind {
	case polar:
		d -= math.Log(s.reach() * 2 * math.Pi * math.Max(g.rng*math.Cos(g.el), 10))
		if g.hasEl {
			d -= math.Log(swathe * g.rng)
		}
	default:
		d -= math.Log(math.Pi * s.reach() * s.reach())
		if g.hasHeight {
			d -= math.Log(deepest)
		}
	}
	if g.kind == polar && g.hasHeight {
		d -= math.Log(deepest)
	}
	if g.hasDoppler {
		d -= math.Log(600)
	}
	if g.hasVelocity {
		d -= 3 * math.Log(600)
	}
	return d
}

func finite(vs ...float64) bool {
	for _, v := range vs {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func finitePosition(p geo.Position) bool {
	return finite(float64(p.Lat), float64(p.Lon), float64(p.Height)) && math.Abs(float64(p.Lat)) <= 90 &&
		math.Abs(float64(p.Lon)) <= 360 && p.Height > -20e3 && p.Height < 2e6
}
