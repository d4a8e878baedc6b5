package sim

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

// Bounds of what listens and reports.
const (
	MaxListeners = 1_000
	MaxReports   = 100_000
	MaxCopies    = 10_000
)

// Net is acoustic nodes in rows and columns around a place. A node hears what flies low
// within Reach of it, as old as the sound needs; False is the share of looks at which it
// hears what is not there.
type Net struct {
	ID        string        `yaml:"id"`
	At        [2]float64    `yaml:"at"`
	Rows      int           `yaml:"rows"`
	Columns   int           `yaml:"columns"`
	Spacing   float64       `yaml:"spacing"`
	Reach     float64       `yaml:"reach"`
	Period    time.Duration `yaml:"period"`
	Detection float64       `yaml:"detection"`
	False     float64       `yaml:"false"`
}

// Citizens report what flies low within Reach of them, PerMinute reports an object, up to
// Delay late.
type Citizens struct {
	ID        string        `yaml:"id"`
	Reach     float64       `yaml:"reach"`
	PerMinute float64       `yaml:"per_minute"`
	Delay     time.Duration `yaml:"delay"`
	Trust     float64       `yaml:"trust"`
	Lies      []Lie         `yaml:"lies"`
}

// Lie is one false report, told Copies times from places near one another under as many
// names, within Lasts.
type Lie struct {
	At     time.Duration `yaml:"at"`
	Place  [2]float64    `yaml:"place"`
	Copies int           `yaml:"copies"`
	Lasts  time.Duration `yaml:"lasts"`
}

// Word is what a listener or a citizen says, and when it arrives after the scenario's start.
type Word struct {
	SentAt      time.Duration
	Observation observation.Observation
}

const (
	audible  = 3000.0 // metres of height above which nothing is heard on the ground
	soundWay = 340.0  // m/s
)

func (n *Net) check() error {
	switch {
	case n.ID == "":
		return errors.New("id: missing")
	case !point(n.At[0], n.At[1]).Valid():
		return errors.New("at: not a latitude, longitude")
	case n.Rows < 1 || n.Columns < 1 || n.Rows > MaxListeners || n.Columns > MaxListeners || n.Rows*n.Columns > MaxListeners:
		return fmt.Errorf("rows, columns: not between 1 and %d nodes", MaxListeners)
	case !(n.Spacing > 0 && n.Spacing <= 50e3) || !(n.Reach > 0 && n.Reach <= 20e3):
		return errors.New("spacing, reach: not between 0 and 50000, 20000 m")
	case n.Period < time.Second || n.Period > time.Minute:
		return fmt.Errorf("period: %s is not between 1s and 1m", n.Period)
	case !(n.Detection > 0 && n.Detection <= 1) || !(n.False >= 0 && n.False < 1):
		return errors.New("detection, false: not probabilities")
	}
	return nil
}

func (c *Citizens) check(lasts time.Duration) error {
	copies := 0
	for _, l := range c.Lies {
		if l.Copies < 1 || l.Copies > MaxCopies || l.At < 0 || l.At > lasts || l.Lasts < 0 || !point(l.Place[0], l.Place[1]).Valid() {
			return fmt.Errorf("lies: at %s: time, place or copies are out of bounds", l.At)
		}
		copies += l.Copies
	}
	switch {
	case c.ID == "":
		return errors.New("id: missing")
	case !(c.Reach > 0 && c.Reach <= 20e3):
		return fmt.Errorf("reach: %g is not between 0 and 20000 m", c.Reach)
	case !(c.PerMinute >= 0 && c.PerMinute <= 600) || c.PerMinute*lasts.Minutes()+float64(copies) > MaxReports:
		return fmt.Errorf("per_minute, lies: more than %d reports", MaxReports)
	case c.Delay < 0 || c.Delay > 30*time.Second:
		return fmt.Errorf("delay: %s is not between 0 and 30s", c.Delay)
	case !(c.Trust > 0 && c.Trust < 1):
		return fmt.Errorf("trust: %g is not a probability", c.Trust)
	}
	return nil
}

// checkListeners checks what listens and reports; ids are those that are taken.
func (w *World) checkListeners(ids map[string]bool) error {
	nodes := 0
	for i := range w.Nets {
		n := &w.Nets[i]
		if err := n.check(); err != nil {
			return fmt.Errorf("listeners: %q: %w", n.ID, err)
		}
		nodes += n.Rows * n.Columns
		if ids[n.ID] || nodes > MaxListeners {
			return fmt.Errorf("listeners: %q stands twice, or there are more than %d nodes", n.ID, MaxListeners)
		}
		ids[n.ID] = true
	}
	for i := range w.Citizens {
		c := &w.Citizens[i]
		if err := c.check(w.Lasts); err != nil {
			return fmt.Errorf("citizens: %q: %w", c.ID, err)
		}
		if ids[c.ID] {
			return fmt.Errorf("citizens: %q stands twice", c.ID)
		}
		ids[c.ID] = true
	}
	return nil
}

// places are where the nodes of a net stand, north-west first.
func (n *Net) places() (out []geo.Point) {
	frame := geo.NewENU(geo.Position{Point: point(n.At[0], n.At[1])})
	for row := range n.Rows {
		for col := range n.Columns {
			at := frame.From([3]float64{(float64(col) - float64(n.Columns-1)/2) * n.Spacing, (float64(n.Rows-1)/2 - float64(row)) * n.Spacing, 0})
			out = append(out, at.Position().Point)
		}
	}
	return out
}

func (n *Net) name(i int) string { return fmt.Sprintf("%s-%d", n.ID, i+1) }

// listenerSources registers what listens and reports.
func (w *World) listenerSources() (all []observation.Source) {
	for i := range w.Nets {
		n := &w.Nets[i]
		for k, at := range n.places() {
			all = append(all, observation.Source{ID: n.name(k), Kind: "acoustic", Site: geo.Position{Point: at}, HasSite: true, Period: n.Period,
				Trust: 0.85, Detection: n.Detection, Coverage: observation.Coverage{Range: geo.Metres(n.Reach)}})
		}
	}
	for _, c := range w.Citizens {
		all = append(all, observation.Source{ID: c.ID, Kind: "report", Period: time.Minute, Trust: c.Trust})
	}
	return all
}

// Words is everything that is heard and reported, in order of time. It depends on the world
// alone.
func (w *World) Words(flights []Flight) (all []Word) {
	rng := rand.New(rand.NewPCG(w.Seed, 0x3a75))
	for i := range w.Nets {
		all = w.heard(all, &w.Nets[i], flights, rng)
	}
	for i := range w.Citizens {
		all = w.reported(all, &w.Citizens[i], flights, rng)
	}
	slices.SortStableFunc(all, func(a, b Word) int { return cmp.Compare(a.SentAt, b.SentAt) })
	return all
}

func (w *World) heard(all []Word, n *Net, flights []Flight, rng *rand.Rand) []Word {
	for k, at := range n.places() {
		ear := geo.Position{Point: at}.ECEF()
		for t := time.Duration(rng.Float64() * float64(n.Period)); t <= w.Lasts; t += n.Period {
			hears := rng.Float64() < n.False
			for i := range flights {
				hears = flights[i].heardAt(ear, t, n.Reach) && rng.Float64() < n.Detection || hears
			}
			o := observation.Observation{Source: n.name(k), ObservedAt: w.Start.Add(t), Body: observation.Absence{}}
			if hears {
				o.Body = observation.Presence{At: at, Reach: geo.Metres(n.Reach)}
			}
			all = append(all, Word{SentAt: t + 200*time.Millisecond, Observation: o})
		}
	}
	return all
}

// heardAt reports whether the sound that is at a place at t left the object within reach.
func (f *Flight) heardAt(ear geo.ECEF, t time.Duration, reach float64) bool {
	left := t
	for range 20 {
		at, ok := f.At(left)
		if !ok || float64(at.Position().Height) > audible {
			return false
		}
		d := math.Hypot(at[0]-ear[0], math.Hypot(at[1]-ear[1], at[2]-ear[2]))
		next := t - time.Duration(d/soundWay*float64(time.Second))
		if d > 2*reach {
			return false
		}
		if (next - left).Abs() < 10*time.Millisecond {
			return d <= reach
		}
		left = next
	}
	return false
}

func (w *World) reported(all []Word, c *Citizens, flights []Flight, rng *rand.Rand) []Word {
	say := func(t time.Duration, at geo.Point) {
		if t > w.Lasts {
			return
		}
		o := observation.Observation{Source: c.ID, Key: fmt.Sprintf("citizen-%d", len(all)), ObservedAt: w.Start.Add(t),
			Body: observation.Presence{At: at, Reach: geo.Metres(c.Reach)}}
		all = append(all, Word{SentAt: t + time.Duration(rng.Float64()*float64(c.Delay)), Observation: o})
	}
	for i := range flights {
		for range poisson(rng, c.PerMinute*w.Lasts.Minutes()) {
			t := time.Duration(rng.Float64() * float64(w.Lasts))
			pos, ok := flights[i].At(t)
			if !ok {
				continue
			}
			p := pos.Position()
			if float64(p.Height) <= audible {
				say(t, geo.Destination(p.Point, geo.Degrees(360*rng.Float64()), geo.Metres(c.Reach*math.Sqrt(rng.Float64()))))
			}
		}
	}
	for _, l := range c.Lies {
		for range l.Copies {
			say(l.At+time.Duration(rng.Float64()*float64(l.Lasts)), geo.Destination(point(l.Place[0], l.Place[1]), geo.Degrees(360*rng.Float64()), geo.Metres(200*rng.Float64())))
		}
	}
	return all
}
