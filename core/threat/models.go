package threat

import (
	"time"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// Habit is what a forecast assumes of one class.
type Habit struct {
	// Horizon is how far ahead a level flight is forecast. A fall is forecast to its end.
	Horizon time.Duration
	// Turns is how often, per minute, a new leg begins; Turn the standard deviation, in
	// degrees, of the new leg's course around the course now held.
	Turns, Turn float64
	// Wander is the standard deviation, in degrees, of the course that is really flown
	// around the one that is measured.
	Wander float64
	// Speed is the standard deviation of the speed that will be flown, as a share of
	// what is measured; Slowest and Fastest bound it, in metres per second.
	Speed            float64
	Slowest, Fastest float64
	// Far is the mean distance, in metres, after which the flight ends: it has reached
	// what it was sent to, or fallen.
	Far float64
	// Falls marks free fall with drag; Drag is the ballistic coefficient's inverse
	// c·A/m in m²/kg, DragSpread its relative uncertainty.
	Falls            bool
	Drag, DragSpread float64
	// Glides marks a descent at about the present angle to the ground.
	Glides bool
	// Height is the height over the ground, in metres, under which a sensor must be able to
	// see over a zone if it is to confirm or refute the class there. It is where most of
	// them fly, not where the lowest do.
	Height float64
}

// Models are the assumptions per class. The zero value means the defaults.
type Models struct {
	habits [class.Count]Habit
	set    bool
	ground *Ground
	// Futures is how many futures a forecast is made of. 0: 256.
	Futures int
}

// defaults: why these figures. Horizons are what the policy can use (prepare looks 15
// min ahead) and what motion still says something about. A drone's route has a few
// way-points an hour; a cruise missile turns about once in two minutes, by tens of
// degrees; an aircraft under control seldom. Rockets have c·A/m of 1e-4 to 5e-4, heavy
// ballistic missiles 5e-5 to 2e-4 m²/kg.
var defaults = [class.Count]Habit{
	class.Unknown:          {Horizon: 15 * time.Minute, Turns: 0.25, Turn: 40, Wander: 4, Speed: 0.08, Slowest: 15, Fastest: 1500, Far: 200e3, Height: 500},
	class.BallisticMissile: {Falls: true, Drag: 1e-4, DragSpread: 0.6, Height: 20000},
	class.CruiseMissile:    {Horizon: 15 * time.Minute, Turns: 0.3, Turn: 35, Wander: 2.5, Speed: 0.04, Slowest: 120, Fastest: 1000, Far: 400e3, Height: 500},
	class.Rocket:           {Falls: true, Drag: 2.5e-4, DragSpread: 0.6, Height: 5000},
	class.Drone:            {Horizon: 20 * time.Minute, Turns: 0.12, Turn: 35, Wander: 3, Speed: 0.06, Slowest: 15, Fastest: 180, Far: 150e3, Height: 800},
	class.GlideBomb:        {Glides: true, Horizon: 6 * time.Minute, Turns: 0.1, Turn: 10, Wander: 2, Speed: 0.1, Slowest: 80, Fastest: 350, Far: 80e3, Height: 4000},
	class.Aircraft:         {Horizon: 15 * time.Minute, Turns: 0.3, Turn: 50, Wander: 3, Speed: 0.05, Slowest: 30, Fastest: 700, Far: 300e3, Height: 3000},
}

// DefaultModels are the models that ship.
func DefaultModels() Models { return Models{habits: defaults, set: true} }

// With returns the models with another habit for one class.
func (m Models) With(c class.Class, h Habit) Models {
	m = m.filled()
	if c.Valid() {
		m.habits[c] = h
	}
	return m
}

// Habit returns what is assumed of a class.
func (m Models) Habit(c class.Class) Habit {
	if !c.Valid() {
		c = class.Unknown
	}
	return m.filled().habits[c]
}

// On returns the models with the raster of a zone set, so that Predict need not make
// one each time. Do it once for each version of the zones.
func (m Models) On(zones *zone.Set) Models {
	m = m.filled()
	m.ground = Survey(zones)
	return m
}

func (m Models) filled() Models {
	if !m.set {
		m.habits, m.set = defaults, true
	}
	if m.Futures <= 0 {
		m.Futures = 256
	}
	m.Futures = min(max(m.Futures, 32), 8192)
	return m
}

// over returns the raster for these zones.
func (m Models) over(zones *zone.Set) *Ground {
	if m.ground != nil && zones != nil && m.ground.version == zones.Version() {
		return m.ground
	}
	return Survey(zones)
}
