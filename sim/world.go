// Package sim is a world in text: zones, radars, objects, feeds that die, clocks
// that jump. It is for scenarios, load and scorecards.
//
// In: a scenario file. Out: what each radar would have said, look by look, either
// as observations or as ASTERIX datagrams; and, run through the core, the trace. It
// never touches a live system: everything it makes is marked as simulated.
package sim

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/wire/strictyaml"
)

// Bounds of a scenario: one that asks for more is refused.
const (
	MaxBytes   = 1 << 20
	MaxRadars  = 64
	MaxObjects = 20_000
	MaxLegs    = 1_000
	MaxLasts   = 12 * time.Hour
	MaxClutter = 10_000
)

// World is one scenario, read and checked.
type World struct {
	About    string        `yaml:"about"`
	Seed     uint64        `yaml:"seed"`
	Start    time.Time     `yaml:"start"`
	Lasts    time.Duration `yaml:"lasts"`
	Zones    string        `yaml:"zones"`  // a shipped set: ua or il
	Policy   string        `yaml:"policy"` // policy text of its own; empty: the shipped defaults
	Radars   []Radar       `yaml:"radars"`
	Nets     []Net         `yaml:"listeners"`
	Citizens []Citizens    `yaml:"citizens"`
	Objects  []Object      `yaml:"objects"`
	Events   []Event       `yaml:"events"`
}

// Radar is a simulated surveillance radar. Site is latitude, longitude, height in
// metres. Noise and Bias are metres and degrees.
type Radar struct {
	ID        string        `yaml:"id"`
	Site      [3]float64    `yaml:"site"`
	SAC       uint8         `yaml:"sac"`
	SIC       uint8         `yaml:"sic"`
	Period    time.Duration `yaml:"period"` // one turn of the antenna
	Range     float64       `yaml:"range"`
	Floor     float64       `yaml:"floor"` // over the site
	Hill      float64       `yaml:"hill"`  // how far the site is over the land around
	Noise     Noise         `yaml:"noise"`
	Bias      Noise         `yaml:"bias"`
	Detection float64       `yaml:"detection"`
	Clutter   float64       `yaml:"clutter"` // false plots a turn, Poisson
	Clock     time.Duration `yaml:"clock"`   // how far its clock is ahead
}

// Noise is standard deviations. A Height of 0 means that the radar measures none.
type Noise struct {
	Range   float64 `yaml:"range"`
	Azimuth float64 `yaml:"azimuth"`
	Height  float64 `yaml:"height"`
}

// Object is one thing that flies. Either Route (latitude, longitude, height in
// metres; Speed in metres per second along it) or Arc is given.
type Object struct {
	ID       string        `yaml:"id"`
	Class    class.Class   `yaml:"-"`
	Kind     string        `yaml:"class"`
	At       time.Duration `yaml:"at"`
	Speed    float64       `yaml:"speed"`
	Route    [][3]float64  `yaml:"route"`
	Turn     float64       `yaml:"turn"` // largest rate of turn, degrees per second; 0: by class
	Arc      *Arc          `yaml:"arc"`
	Answer   string        `yaml:"answer"` // friend, or nothing
	Mode3A   string        `yaml:"mode_3a"`
	Address  uint32        `yaml:"address"`
	Flight   string        `yaml:"flight"`
	Copies   int           `yaml:"copies"`  // this many of it, side by side
	Spacing  float64       `yaml:"spacing"` // metres between copies
	Interval time.Duration `yaml:"interval"`
}

// Arc is a ballistic flight without thrust, from launch to impact in Flight.
type Arc struct {
	Launch [2]float64    `yaml:"launch"`
	Impact [2]float64    `yaml:"impact"`
	Flight time.Duration `yaml:"flight"`
}

// Event is one thing that happens to the system itself. Exactly one is set.
type Event struct {
	At      time.Duration `yaml:"at"`
	Kill    string        `yaml:"kill"`    // this radar's feed dies
	Revive  string        `yaml:"revive"`  // and lives again
	Restart bool          `yaml:"restart"` // the system ends and starts again from what it kept
	Clock   time.Duration `yaml:"clock"`   // the system's wall clock jumps by this
	Command *Command      `yaml:"command"`
}

// Command is an operator's hand in a scenario: an end for every warning in the zones.
type Command struct {
	End     string   `yaml:"end"`
	Zones   []string `yaml:"zones"`
	Regions []string `yaml:"regions"`
	Reason  string   `yaml:"reason"`
}

// Read reads and checks one scenario's text. Unknown keys are errors with their line.
func Read(b []byte) (*World, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("sim: scenario: %d bytes are more than %d", len(b), MaxBytes)
	}
	var w World
	if err := strictyaml.Read(b, &w); err != nil {
		return nil, fmt.Errorf("sim: scenario: %w", err)
	}
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("sim: scenario: %w", err)
	}
	return &w, nil
}

func (w *World) check() error {
	switch {
	case strings.TrimSpace(w.About) == "":
		return errors.New("about: must say in words what happens")
	case w.Zones != "ua" && w.Zones != "il":
		return fmt.Errorf("zones: %q is not ua or il", w.Zones)
	case w.Start.IsZero():
		return errors.New("start: missing")
	case w.Lasts <= 0 || w.Lasts > MaxLasts:
		return fmt.Errorf("lasts: %s is not between 0 and %s", w.Lasts, MaxLasts)
	case len(w.Radars) > MaxRadars || len(w.Radars)+len(w.Nets)+len(w.Citizens) == 0:
		return fmt.Errorf("radars: %d is not between 1 and %d (0 where there are listeners or citizens)", len(w.Radars), MaxRadars)
	}
	seen := map[string]bool{}
	for i := range w.Radars {
		r := &w.Radars[i]
		if err := r.check(); err != nil {
			return fmt.Errorf("radars: %q: %w", r.ID, err)
		}
		if seen[r.ID] {
			return fmt.Errorf("radars: %q stands twice", r.ID)
		}
		seen[r.ID] = true
	}
	ids := maps.Clone(seen)
	if err := w.checkListeners(ids); err != nil {
		return err
	}
	if err := w.expand(); err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	for i, e := range w.Events {
		if err := e.check(w, seen); err != nil {
			return fmt.Errorf("events: number %d: %w", i+1, err)
		}
	}
	return nil
}

func (r *Radar) check() error {
	p := geo.Point{Lat: geo.Degrees(r.Site[0]), Lon: geo.Degrees(r.Site[1])}
	switch {
	case r.ID == "":
		return errors.New("id: missing")
	case !p.Valid():
		return errors.New("site: not a latitude, longitude, height")
	case r.Period < 500*time.Millisecond || r.Period > time.Minute:
		return fmt.Errorf("period: %s is not between 500ms and 1m", r.Period)
	case !(r.Range > 0 && r.Range <= 470_000): // I048/040 RHO ends at 256 NM
		return fmt.Errorf("range: %g is not between 0 and 470000 m", r.Range)
	case !(r.Hill >= 0 && r.Hill <= 5000):
		return fmt.Errorf("hill: %g is not between 0 and 5000 m", r.Hill)
	case !(r.Detection > 0 && r.Detection <= 1):
		return fmt.Errorf("detection: %g is not a probability over 0", r.Detection)
	case !(r.Clutter >= 0 && r.Clutter <= MaxClutter):
		return fmt.Errorf("clutter: %g is not between 0 and %d", r.Clutter, MaxClutter)
	case !(r.Noise.Range > 0 && r.Noise.Azimuth > 0 && r.Noise.Height >= 0):
		return errors.New("noise: range and azimuth must be over 0")
	}
	return nil
}

// expand checks the objects and writes out their copies.
func (w *World) expand() error {
	var all []Object
	for _, o := range w.Objects {
		if err := o.check(); err != nil {
			return fmt.Errorf("%q: %w", o.ID, err)
		}
		copies := max(o.Copies, 1)
		if copies > MaxObjects-len(all) { // the sum could overflow
			return fmt.Errorf("more than %d", MaxObjects)
		}
		for i := range copies {
			all = append(all, o.copy(i))
		}
	}
	w.Objects = all
	return nil
}

func (o *Object) check() error {
	c, err := class.Parse(o.Kind)
	if err != nil {
		return err
	}
	o.Class = c
	if o.Answer != "" && o.Answer != "friend" {
		return fmt.Errorf("answer: %q is not friend, the only answer that a radar of category 048 can report", o.Answer)
	}
	if o.Arc != nil {
		if len(o.Route) > 0 || o.Speed != 0 {
			return errors.New("arc: goes without route and speed")
		}
		if o.Arc.Flight < 5*time.Second || o.Arc.Flight > 30*time.Minute {
			return fmt.Errorf("arc: flight: %s is not between 5s and 30m", o.Arc.Flight)
		}
		return nil
	}
	if len(o.Route) < 2 || len(o.Route) > MaxLegs {
		return fmt.Errorf("route: %d points are not between 2 and %d", len(o.Route), MaxLegs)
	}
	if !(o.Speed > 0 && o.Speed <= 2000) {
		return fmt.Errorf("speed: %g is not between 0 and 2000 m/s", o.Speed)
	}
	return nil
}

// copy is the i-th of an object: beside it by i times the spacing, later by i intervals.
func (o Object) copy(i int) Object {
	if i == 0 {
		return o
	}
	o.ID = fmt.Sprintf("%s-%d", o.ID, i+1)
	o.At += time.Duration(i) * o.Interval
	side := geo.Metres(float64((i+1)/2) * o.Spacing)
	if i%2 == 1 {
		side = -side
	}
	if o.Arc != nil {
		a := *o.Arc
		a.Launch, a.Impact = beside(a.Launch, a.Impact, side), beside(a.Impact, a.Launch, -side)
		o.Arc = &a
		return o
	}
	route := make([][3]float64, len(o.Route))
	for k, p := range o.Route {
		towards, s := k+1, side
		if towards == len(o.Route) {
			towards, s = k-1, -side
		}
		q := beside([2]float64{p[0], p[1]}, [2]float64{o.Route[towards][0], o.Route[towards][1]}, s)
		route[k] = [3]float64{q[0], q[1], p[2]}
	}
	o.Route = route
	return o
}

// beside is the point at right angles to the way from a to b.
func beside(a, b [2]float64, by geo.Metres) [2]float64 {
	from, to := point(a[0], a[1]), point(b[0], b[1])
	bearing := geo.Bearing(from, to) + 90
	if by < 0 {
		bearing, by = bearing+180, -by
	}
	p := geo.Destination(from, bearing.Normal(), by)
	return [2]float64{float64(p.Lat), float64(p.Lon)}
}

func point(lat, lon float64) geo.Point {
	return geo.Point{Lat: geo.Degrees(lat), Lon: geo.Degrees(lon)}
}

func (e Event) check(w *World, radars map[string]bool) error {
	set := 0
	for _, is := range []bool{e.Kill != "", e.Revive != "", e.Restart, e.Clock != 0, e.Command != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return errors.New("must have exactly one of kill, revive, restart, clock, command")
	}
	if e.At < 0 || e.At > w.Lasts {
		return fmt.Errorf("at: %s is outside the scenario", e.At)
	}
	for _, id := range []string{e.Kill, e.Revive} {
		if id != "" && !radars[id] {
			return fmt.Errorf("no radar %q", id)
		}
	}
	return nil
}

// Sources are the radars as an authority would register them, with their noise as known
// errors, not with their biases; behind them what listens and reports.
func (w *World) Sources() []observation.Source {
	var all []observation.Source
	for _, r := range w.Radars {
		all = append(all, observation.Source{
			ID: r.ID, Kind: "asterix",
			Site:    r.position(),
			HasSite: true,
			Period:  r.Period,
			Errors: observation.Errors{
				Range:   geo.Metres(math.Max(r.Noise.Range, rangeStep)),
				Azimuth: geo.Degrees(r.Noise.Azimuth),
				Height:  geo.Metres(r.Noise.Height),
				Time:    10 * time.Millisecond,
			},
			Trust: 0.95, Detection: r.Detection, Clutter: r.Clutter,
			Coverage: observation.Coverage{Range: geo.Metres(r.Range), Floor: geo.Metres(r.Floor)},
		})
	}
	return append(all, w.listenerSources()...)
}

func (r Radar) position() geo.Position {
	return geo.Position{Point: point(r.Site[0], r.Site[1]), Height: geo.Metres(r.Site[2])}
}
