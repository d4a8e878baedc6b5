package track

import (
	"math"

	"tocsin/core/class"
)

// band is a range of a quantity with soft edges: full inside, and outside falling like
// a Gaussian of the given width.
type band struct{ low, high, width float64 }

// fits is the relative likelihood of a value known to sigma.
func (b band) fits(v, sigma float64) float64 {
	off := max(b.low-v, v-b.high)
	if off <= 0 {
		return 1
	}
	w2 := b.width*b.width + sigma*sigma
	return math.Exp(-off * off / (2 * w2))
}

// habit is how objects of one class move: what the picture expects of each before it
// has seen anything else, and what it compares with what it sees.
type habit struct {
	class     class.Class
	prior     float64
	speed     band // metres per second, over the ground and up together
	height    band // metres
	ballistic bool // falls freely after its motor is out
	descends  bool // comes down steadily all the way
}

// habits is the table of what moves how. Sources: open literature on the types in use
// (one-way attack drones 40 to 70 m/s, jet ones to 150; subsonic cruise missiles 180 to
// 280 m/s below 1,000 m, supersonic ones to 900; glide bombs released at 8 to 12 km;
// artillery rockets 300 to 1,000 m/s; ballistic missiles from 800 m/s up). A class may stand
// more than once; the best of its lines counts.
var habits = []habit{
	{class: class.Drone, prior: 0.30, speed: band{22, 75, 14}, height: band{0, 4000, 1200}},
	{class: class.Drone, prior: 0.20, speed: band{75, 150, 20}, height: band{0, 5000, 1200}},
	{class: class.CruiseMissile, prior: 0.25, speed: band{160, 300, 30}, height: band{0, 1500, 700}},
	{class: class.CruiseMissile, prior: 0.03, speed: band{300, 1000, 60}, height: band{0, 20000, 4000}},
	{class: class.Aircraft, prior: 0.20, speed: band{55, 270, 30}, height: band{1500, 13000, 800}},
	{class: class.GlideBomb, prior: 0.10, speed: band{120, 320, 30}, height: band{0, 12000, 1500}, descends: true},
	{class: class.Rocket, prior: 0.15, speed: band{150, 900, 100}, height: band{0, 40000, 8000}, ballistic: true},
	{class: class.BallisticMissile, prior: 0.15, speed: band{800, 5000, 150}, height: band{0, 400000, 50000}, ballistic: true},
}

// unknownPrior is the weight left for what is on no line of the table.
const unknownPrior = 0.02

// saysFloor is how much of each class is left when a source says that it is another.
const saysFloor = 0.03

// kind is the class as motion and the sources' words have it.
func (m *memory) kind(s *state) class.Mix {
	speed := norm(s.v)
	sigma := math.Sqrt(math.Max((s.vv[0][0]+s.vv[1][1]+s.vv[2][2])/3, 0))
	known := m.depths >= 2
	falling := m.blend.w[ballistic]
	if !known {
		falling = 0.3 // without heights, free fall and level flight look alike
	}
	height, sigmaH := m.frame.height(s.p), math.Sqrt(s.pp[2][2])
	descent := 1 / (1 + math.Exp((s.v[2]+18)/6)) // near one below 30 m/s down
	var mix class.Mix
	mix[class.Unknown] = unknownPrior
	for _, h := range habits {
		f := h.prior * h.speed.fits(speed, sigma)
		if known {
			f *= h.height.fits(height, sigmaH)
		}
		switch {
		case h.ballistic:
			f *= math.Max(falling, 0.01)
		case h.descends && known:
			f *= math.Max(1-falling, 0.01) * math.Max(descent, 0.02)
		case h.descends:
			f *= 0.1
		case known:
			f *= math.Max(1-falling, 0.01) * math.Max(1-descent, 0.05)
		default:
			f *= 1 - falling
		}
		mix[h.class] = math.Max(mix[h.class], f)
	}
	if m.lore != nil && m.lore.says.Said() {
		for i := range mix {
			mix[i] *= m.lore.says[i] + saysFloor
		}
	}
	return mix.Normal()
}

// hear takes what a source says the object is: half of what was said before stays.
func (l *lore) hear(says class.Mix) {
	if !says.Said() {
		return
	}
	says = says.Normal()
	if !l.says.Said() {
		l.says = says
		return
	}
	for i := range says {
		l.says[i] = (l.says[i] + says[i]) / 2
	}
}
