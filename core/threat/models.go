package threat

import (
	"time"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// Habit is what a forecast assumes of one class: how it moves, and when a zone counts as
// reached by it.
type Habit struct {
	// Horizon is how far ahead a level flight is forecast. A fall is forecast to its end.
	Horizon time.Duration
	// Turns is how often, per minute, a new leg begins; Turn the standard deviation, in
	// degrees, of a leg's course around the course to where the object is sent.
	Turns, Turn float64
	// Strays is the share of new legs that may go anywhere: back, or round in a loop.
	Strays float64
	// Wander is the standard deviation, in degrees, of the course that is really flown
	// around the one that is measured.
	Wander float64
	// Speed is the standard deviation of the speed that will be flown, as a share of
	// what is measured; Slowest and Fastest bound it, in metres per second.
	Speed            float64
	Slowest, Fastest float64
	// Far is the mean distance, in metres, after which the flight ends: it has reached
	// what it was sent to, or fallen. Over places where many people live it ends sooner.
	Far float64
	// Harmless is the share of such objects, high up and of nobody knows whose, that mean no
	// harm: airliners and our own whose answers are missing. Low down it is half of that.
	Harmless float64
	// Falls marks free fall with drag; Drag is the ballistic coefficient's inverse
	// c·A/m in m²/kg, DragSpread the standard deviation of its logarithm.
	Falls            bool
	Drag, DragSpread float64
	// Glides marks a descent to one place at about the present angle.
	Glides bool
	// Radius is, of what falls or glides to one place, how many metres around that place
	// count as reached. What flies level reaches the ground it passes over. Neither is less
	// than Beside.
	Radius float64
	// Height is the height over the ground, in metres, under which a sensor must be able to
	// see over a zone if it is to confirm or refute the class there. It is where most of
	// them fly, not where the lowest do.
	Height float64
}

// ends reports whether only the ground at the end of the flight is reached.
func (h *Habit) ends() bool { return h.Falls || h.Glides }

// Models are the assumptions per class. The zero value means the defaults.
type Models struct {
	habits [class.Count]Habit
	set    bool
	ground *Ground
	// Futures is how many futures a forecast is made of, 32 to 512. 0: 256.
	Futures int
	// Flat makes the world a plane that stands still, for scenarios that are given so: what
	// falls feels neither the earth's curve nor its turning.
	Flat bool
}

// defaults: why these figures. Horizons are what the policy can use (prepare looks 15
// min ahead) and what motion still says something about. A drone's route has a few
// way-points an hour; a cruise missile turns about once in three minutes, by tens of
// degrees; an aircraft under control seldom. Rockets have c·A/m of 5e-5 to 5e-4, heavy
// ballistic missiles 1e-5 to 2e-4 m²/kg.
//
// What "reached" means: a drone, a cruise missile or an aircraft can come down, be shot
// down or let something go anywhere on its way, so a zone is reached when it passes over
// the zone's ground; what falls or glides does harm where it ends and nowhere before, so a
// zone is reached when the end lies in it or within the radius in which a warhead of its
// size hurts people in the open.
var defaults = [class.Count]Habit{
	class.Unknown:          {Horizon: 15 * time.Minute, Turns: 0.25, Turn: 25, Strays: 0.02, Wander: 4, Speed: 0.08, Slowest: 15, Fastest: 1500, Far: 200e3, Height: 500},
	class.BallisticMissile: {Falls: true, Drag: 4e-5, DragSpread: 1, Radius: 400, Height: 20000},
	class.CruiseMissile:    {Horizon: 15 * time.Minute, Turns: 0.35, Turn: 22, Strays: 0.01, Wander: 2, Speed: 0.03, Slowest: 120, Fastest: 1000, Far: 400e3, Height: 500},
	class.Rocket:           {Falls: true, Drag: 6e-5, DragSpread: 1.1, Radius: 250, Height: 5000},
	class.Drone:            {Horizon: 20 * time.Minute, Turns: 0.08, Turn: 22, Strays: 0.01, Wander: 2.5, Speed: 0.04, Slowest: 15, Fastest: 180, Far: 150e3, Height: 800},
	class.GlideBomb:        {Glides: true, Horizon: 8 * time.Minute, Wander: 3, Speed: 0.08, Slowest: 80, Fastest: 350, Radius: 300, Height: 4000},
	class.Aircraft:         {Horizon: 15 * time.Minute, Turns: 0.25, Turn: 30, Strays: 0.05, Wander: 2.5, Speed: 0.04, Slowest: 30, Fastest: 700, Far: 300e3, Height: 3000, Harmless: 0.8},
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
	m.Futures = min(max(m.Futures, 32), mostFutures)
	return m
}

// over returns the raster for these zones.
func (m Models) over(zones *zone.Set) *Ground {
	if m.ground != nil && zones != nil && m.ground.version == zones.Version() {
		return m.ground
	}
	return Survey(zones)
}
