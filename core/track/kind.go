package track

import (
	"math"

	"tocsin/core/class"
)

// band is a range of a quantity with soft edges of the given width.
type band struct{ low, high, width float64 }

// density is how likely a value known to sigma is, per unit, if all values of the band are
// alike: a narrow band that holds the value says more than a wide one.
func (b band) density(v, sigma float64) float64 {
	s := math.Sqrt(2*(b.width*b.width+sigma*sigma)) + 1e-9
	return math.Max(erf((b.high-v)/s)-erf((b.low-v)/s), 0) / (2 * (b.high - b.low))
}

// erf is math.Erf, which far out is one to within 1e-10.
func erf(x float64) float64 {
	if x > 4.6 {
		return 1
	}
	if x < -4.6 {
		return -1
	}
	return math.Erf(x)
}

// path is how a class climbs and comes down.
type path uint8

const (
	level  path = iota // keeps its height, but for a few legs
	glides             // comes down all the way
	thrown             // falls freely: up and down as its speed has it
)

// habit is how objects of one class move: what the picture expects of each before it
// has seen anything else, and what it compares with what it sees.
type habit struct {
	class  class.Class
	prior  float64
	speed  band // metres per second; of what is thrown, what it would have at the ground
	height band // metres
	path   path
	climb  float64 // of what flies level: metres per second up and down, standard deviation
	dives  band    // of what flies level: its few legs up and down
}

// habits is the table of what moves how. Sources: open literature on the types in use
// (one-way attack drones 40 to 70 m/s, jet ones to 150; subsonic cruise missiles 180 to
// 280 m/s below 1,000 m, supersonic ones to 900; glide bombs released at 8 to 12 km;
// artillery rockets 250 to 1,000 m/s; ballistic missiles from 700 m/s up). A class may stand
// more than once; its lines add up.
var habits = []habit{
	{class: class.Drone, prior: 0.24, speed: band{25, 75, 10}, height: band{0, 3500, 400}, climb: 4, dives: band{-70, 20, 5}},
	{class: class.Drone, prior: 0.08, speed: band{70, 170, 15}, height: band{0, 4000, 500}, climb: 6, dives: band{-100, 30, 5}},
	{class: class.CruiseMissile, prior: 0.19, speed: band{170, 290, 20}, height: band{0, 1000, 250}, climb: 8, dives: band{-200, 70, 10}},
	// On its way it may fly higher, and over mountains its height is the ground's too.
	{class: class.CruiseMissile, prior: 0.03, speed: band{170, 290, 20}, height: band{0, 6000, 500}, climb: 8, dives: band{-200, 70, 10}},
	{class: class.CruiseMissile, prior: 0.005, speed: band{300, 1000, 60}, height: band{0, 20000, 3000}, climb: 20, dives: band{-600, 200, 20}},
	{class: class.Aircraft, prior: 0.16, speed: band{60, 320, 20}, height: band{500, 13000, 500}, climb: 8, dives: band{-60, 50, 10}},
	{class: class.GlideBomb, prior: 0.08, speed: band{130, 330, 25}, height: band{0, 12500, 800}, path: glides, dives: band{-110, -5, 15}},
	{class: class.Rocket, prior: 0.10, speed: band{200, 950, 60}, height: band{0, 25000, 3000}, path: thrown},
	{class: class.BallisticMissile, prior: 0.10, speed: band{700, 5000, 150}, height: band{0, 300000, 20000}, path: thrown},
}

const (
	// unknownPrior is the weight left for what is on no line of the table: any speed to
	// fastest, any height to highest, up or down as it likes.
	unknownPrior = 0.02
	// diving is the share of level flight that climbs or comes down.
	diving = 0.12
	// unseenGlide is what is left of a glide's weight where no height says that it comes down.
	unseenGlide = 0.3
	// A model of the filter says no more than this against what it does not describe well:
	// air brakes what is thrown, and what flies level turns and dives.
	leastThrown, leastLevel = 0.5, 0.02
)

// stranger is what an object on no line of the table may do.
var stranger = habit{class: class.Unknown, prior: unknownPrior, speed: band{0, 2000, 100}, height: band{0, 30000, 3000}, climb: 100, dives: band{-500, 300, 50}}

// saysFloor is how much of each class is left when a source says that it is another.
const saysFloor = 0.03

// gait is what of an object's motion tells classes apart.
type gait struct {
	speed, speedSigma   float64 // over the ground where no height is known
	height, heightSigma float64
	climb, climbSigma   float64
	highest, steepest   float64 // what it surely was
	heights             bool
	falling             float64 // weight of free fall against what it has before anything is seen; 1: says nothing
	powered             float64 // the same of all else
}

func (m *memory) gait(s *state) gait {
	g := gait{
		height: m.frame.height(s.p), heightSigma: math.Sqrt(math.Max(s.pp[2][2], 0)),
		climb: s.v[2], climbSigma: math.Sqrt(math.Max(s.vv[2][2], 0)),
		highest: m.highest, steepest: m.steepest, heights: m.depths >= 2, falling: 1, powered: 1,
	}
	flat := math.Hypot(s.v[0], s.v[1])
	g.speedSigma = math.Sqrt(math.Max((s.vv[0][0]+s.vv[1][1])/2, 0))
	g.speed = flat
	if g.heights {
		g.speed = norm(s.v)
		if g.speed > 1 { // of the climb as far as it is part of the speed
			up := s.v[2] / g.speed
			g.speedSigma = math.Sqrt((1-up*up)*g.speedSigma*g.speedSigma + up*up*g.climbSigma*g.climbSigma)
		}
		first := models[ballistic].first
		thrown := m.blend.falls() + m.blend.w[driven]
		g.falling = math.Max(thrown/first, leastThrown)
		g.powered = math.Max((1-thrown)/(1-first), leastLevel)
	}
	return g
}

// recall keeps what tells classes apart long after it was seen: what was high is no cruise
// missile, and what climbed like a stone was thrown.
func (m *memory) recall() {
	if m.depths < 3 {
		return
	}
	s := m.blend.chief()
	m.highest = max(m.highest, m.frame.height(s.p)-surely*math.Sqrt(max(s.pp[2][2], 0)))
	m.steepest = max(m.steepest, s.v[2]-surely*math.Sqrt(max(s.vv[2][2], 0)))
}

// surely is how many standard deviations make something sure.
const surely = 3.0

// likelihood is how likely such a gait is for what moves like this.
func (h *habit) likelihood(g *gait) float64 {
	if !g.heights {
		switch h.path {
		case thrown: // a part of its speed is upwards
			return band{0.7 * h.speed.low, h.speed.high, h.speed.width}.density(g.speed, g.speedSigma)
		case glides:
			return unseenGlide * h.speed.density(g.speed, g.speedSigma)
		default:
			return h.speed.density(g.speed, g.speedSigma)
		}
	}
	at := h.height.density(g.height, g.heightSigma) * beyond(g.highest, h.height)
	if h.path != thrown {
		at *= beyond(g.steepest, h.dives)
	}
	switch h.path {
	case thrown:
		ground := math.Sqrt(g.speed*g.speed + 2*gravity*math.Max(g.height, 0))
		most := math.Max(g.speed, 50)
		return at * h.speed.density(ground, g.speedSigma) * band{-most, most, 0.1 * most}.density(g.climb, g.climbSigma) * g.falling
	case glides:
		return at * h.speed.density(g.speed, g.speedSigma) * h.dives.density(g.climb, g.climbSigma) * g.powered
	default:
		s2 := h.climb*h.climb + g.climbSigma*g.climbSigma
		keeps := math.Exp(-g.climb*g.climb/(2*s2)) / math.Sqrt(2*math.Pi*s2)
		return at * h.speed.density(g.speed, g.speedSigma) * ((1-diving)*keeps + diving*h.dives.density(g.climb, g.climbSigma)) * g.powered
	}
}

// beyond is how likely a value over a band's upper edge is, against one within it.
func beyond(v float64, b band) float64 {
	off := max(v-b.high, 0) / b.width
	if off == 0 {
		return 1
	}
	return max(math.Exp(-off*off/2), farBeyond)
}

// farBeyond is left of a class for what was once measured to be out of its band: once may be wrong.
const farBeyond = 0.001

// kind is the class as motion and the sources' words have it.
func (m *memory) kind(s *state) class.Mix {
	g := m.gait(s)
	var mix class.Mix
	mix[class.Unknown] = stranger.prior * stranger.likelihood(&g)
	for i := range habits {
		mix[habits[i].class] += habits[i].prior * habits[i].likelihood(&g)
	}
	if !mix.Said() { // nothing at all moves so
		mix[class.Unknown] = 1
	}
	if m.lore != nil && m.lore.says.Said() {
		for i := range mix {
			mix[i] *= m.lore.says[i] + saysFloor
		}
	}
	if m.lore != nil && m.lore.words != nil {
		mix = m.lore.words.weigh(mix)
	}
	return mix.Normal()
}
