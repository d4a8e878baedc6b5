package desk

import (
	"fmt"
	"math"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
)

// Observe is what a person saw, heard or was told, as data. It has exactly one of Fix,
// Bearing and Cue.
type Observe struct {
	Fix     *Fix     `json:"fix,omitempty"`
	Bearing *Bearing `json:"bearing,omitempty"`
	Cue     *Cue     `json:"cue,omitempty"`
	// Says is what it is; nothing where that is not known.
	Says *class.Class `json:"says,omitempty"`
	// At is when it was so, for Fix and Bearing; Cue has its own.
	At    time.Time `json:"at,omitzero"`
	Words string    `json:"words,omitempty"`
}

// Fix is a place: degrees, and metres. Error is one standard deviation on the ground.
type Fix struct {
	Lat    float64  `json:"lat"`
	Lon    float64  `json:"lon"`
	Height *float64 `json:"height,omitempty"` // above the ellipsoid
	Error  float64  `json:"error"`
}

// Bearing is a direction seen from a place, in degrees clockwise from true north. Width is
// one standard deviation.
type Bearing struct {
	Lat     float64 `json:"lat"`
	Lon     float64 `json:"lon"`
	Azimuth float64 `json:"azimuth"`
	Width   float64 `json:"width"`
}

// Cue is a launch: something took off within Radius metres of a place, At.
type Cue struct {
	Lat    float64   `json:"lat"`
	Lon    float64   `json:"lon"`
	Radius float64   `json:"radius"`
	At     time.Time `json:"at"`
}

// where is the place that an observation names, the member that names it, and how far from
// a token's places it may be.
func (o *Observe) where() (field string, at geo.Point, within geo.Metres) {
	point := func(lat, lon float64) geo.Point { return geo.Point{Lat: geo.Degrees(lat), Lon: geo.Degrees(lon)} }
	switch {
	case o.Fix != nil:
		return "observe.fix", point(o.Fix.Lat, o.Fix.Lon), sight
	case o.Bearing != nil:
		return "observe.bearing", point(o.Bearing.Lat, o.Bearing.Lon), sight
	default:
		return "observe.cue", point(o.Cue.Lat, o.Cue.Lon), launch
	}
}

// Bounds of what a person can mean, in metres and degrees.
const (
	lowest    = -500
	highest   = 100_000
	maxError  = 50_000
	maxWidth  = 60
	maxRadius = 200_000
)

func degrees(out *float64, name string, low, high float64) func(value) *fault {
	return func(v value) (f *fault) { *out, f = v.number(name, "degrees", low, high); return f }
}

func metres(out *float64, name string, low, high float64) func(value) *fault {
	return func(v value) (f *fault) { *out, f = v.number(name, "metres", low, high); return f }
}

// needs refuses an object without one of its members.
func needs(path string, has []string, must ...string) *fault {
	for _, name := range must {
		if !slices.Contains(has, name) {
			return &fault{field(path, name), "is missing"}
		}
	}
	return nil
}

func (v value) observe() (*Observe, *fault) {
	o := &Observe{}
	has, f := v.members("observe", map[string]func(value) *fault{
		"fix":     func(v value) (f *fault) { o.Fix, f = v.fix(); return f },
		"bearing": func(v value) (f *fault) { o.Bearing, f = v.bearing(); return f },
		"cue":     func(v value) (f *fault) { o.Cue, f = v.cue(); return f },
		"says":    func(v value) *fault { o.Says = new(class.Class); return v.class("observe.says", o.Says) },
		"at":      func(v value) (f *fault) { o.At, f = v.time("observe.at"); return f },
		"words":   func(v value) (f *fault) { o.Words, f = v.words("observe.words", maxWords); return f },
	})
	if f != nil {
		return nil, f
	}
	bodies := 0
	for _, there := range []bool{o.Fix != nil, o.Bearing != nil, o.Cue != nil} {
		if there {
			bodies++
		}
	}
	switch {
	case bodies != 1:
		return nil, &fault{"observe", fmt.Sprintf("must have exactly one of fix, bearing and cue; it has %d", bodies)}
	case o.Cue != nil && !o.At.IsZero():
		return nil, &fault{"observe.at", "has no meaning beside a cue, which has its own; leave it out"}
	case o.Cue == nil:
		return o, needs("observe", has, "at")
	}
	return o, nil
}

func (v value) fix() (*Fix, *fault) {
	x := &Fix{}
	has, f := v.members("observe.fix", map[string]func(value) *fault{
		"lat": degrees(&x.Lat, "observe.fix.lat", -90, 90),
		"lon": degrees(&x.Lon, "observe.fix.lon", -180, 180),
		"height": func(v value) *fault {
			x.Height = new(float64)
			return metres(x.Height, "observe.fix.height", lowest, highest)(v)
		},
		"error": metres(&x.Error, "observe.fix.error", 1, maxError),
	})
	if f != nil {
		return nil, f
	}
	return x, needs("observe.fix", has, "lat", "lon", "error")
}

func (v value) bearing() (*Bearing, *fault) {
	x := &Bearing{}
	has, f := v.members("observe.bearing", map[string]func(value) *fault{
		"lat":     degrees(&x.Lat, "observe.bearing.lat", -90, 90),
		"lon":     degrees(&x.Lon, "observe.bearing.lon", -180, 180),
		"azimuth": degrees(&x.Azimuth, "observe.bearing.azimuth", 0, 360),
		"width":   degrees(&x.Width, "observe.bearing.width", 0.1, maxWidth),
	})
	if f != nil {
		return nil, f
	}
	return x, needs("observe.bearing", has, "lat", "lon", "azimuth", "width")
}

func (v value) cue() (*Cue, *fault) {
	x := &Cue{}
	has, f := v.members("observe.cue", map[string]func(value) *fault{
		"lat":    degrees(&x.Lat, "observe.cue.lat", -90, 90),
		"lon":    degrees(&x.Lon, "observe.cue.lon", -180, 180),
		"radius": metres(&x.Radius, "observe.cue.radius", 1, maxRadius),
		"at":     func(v value) (f *fault) { x.At, f = v.time("observe.cue.at"); return f },
	})
	if f != nil {
		return nil, f
	}
	return x, needs("observe.cue", has, "lat", "lon", "radius", "at")
}

// The core takes observations up to 30 s late. A person is slower: what is older than
// fresh enters as a word about now, with its error grown by how far such an object flies
// meanwhile.
const (
	fresh    = 20 * time.Second
	stale    = 5 * time.Minute
	early    = 5 * time.Second // how far ahead of ours the clock of who saw it may be
	typical  = 10_000.0        // metres from which a direction is usually taken
	believed = 0.8             // how sure a person's word is of what it was
)

// fastest is how fast an object of a class flies, in metres per second.
var fastest = [class.Count]float64{
	class.Unknown: 270, class.BallisticMissile: 2500, class.CruiseMissile: 270, class.Rocket: 1000,
	class.Drone: 60, class.GlideBomb: 250, class.Aircraft: 250,
}

// said makes the observation of a source, received now.
func (o *Observe) said(now time.Time, source string) (*pipeline.Said, *fault) {
	name, at := "observe.at", o.At
	if o.Cue != nil {
		name, at = "observe.cue.at", o.Cue.At
	}
	age := now.Sub(at)
	switch {
	case age < -early:
		return nil, &fault{name, fmt.Sprintf("is %s ahead of the time here, %s; one of the two clocks is wrong", -age.Round(time.Second), stamp(now))}
	case age > stale:
		return nil, &fault{name, fmt.Sprintf("is over %s ago; say what is so now", stale)}
	}
	s := &pipeline.Said{Observation: observation.Observation{Source: source, ObservedAt: at, ReceivedAt: now, Evidence: o.Words}}
	if at.After(now) {
		s.ObservedAt = now
	}
	kind := class.Unknown
	if o.Says != nil {
		kind = *o.Says
	}
	if kind != class.Unknown {
		s.Says = mostly(kind)
	}
	flown := 0.0
	if age > fresh && o.Cue == nil {
		s.ObservedAt, flown = now, age.Seconds()*fastest[kind]
	}
	switch {
	case o.Cue != nil:
		s.Cue = &observation.Cue{Area: geo.Circle{Centre: point(o.Cue.Lat, o.Cue.Lon), Radius: geo.Metres(o.Cue.Radius)}, LaunchedAt: s.ObservedAt}
	case o.Bearing != nil:
		width := math.Hypot(o.Bearing.Width, math.Atan(flown/typical)*180/math.Pi)
		if width > maxWidth {
			return nil, &fault{name, fmt.Sprintf("is %s ago, and %s has flown anywhere since; say what is so now", age.Round(time.Second), kind)}
		}
		s.Bearing = &observation.Bearing{
			From: geo.Position{Point: point(o.Bearing.Lat, o.Bearing.Lon)}, HasFrom: true,
			Azimuth: geo.Degrees(o.Bearing.Azimuth), Width: geo.Degrees(width),
		}
	default:
		wide := math.Hypot(o.Fix.Error, flown)
		if wide > maxError {
			return nil, &fault{name, fmt.Sprintf("is %s ago, and %s has flown anywhere since; say what is so now", age.Round(time.Second), kind)}
		}
		s.Fix = o.Fix.observed(wide)
	}
	return s, nil
}

// Without a height an object is anywhere in the band in which things fly.
const band = 12_000.0 // metres

func (x *Fix) observed(wide float64) *observation.Fix {
	f := &observation.Fix{Position: geo.Position{Point: point(x.Lat, x.Lon), Height: band / 2}}
	deep := band / math.Sqrt(12)
	if x.Height != nil {
		f.Position.Height = geo.Metres(*x.Height)
		deep = min(max(x.Error, 50), 1000)
	}
	f.Covariance = [3][3]float64{{wide * wide}, {0, wide * wide}, {0, 0, deep * deep}}
	return f
}

func point(lat, lon float64) geo.Point {
	return geo.Point{Lat: geo.Degrees(lat), Lon: geo.Degrees(lon)}
}

// mostly is a person's word for what it is: sure, and yet they may err.
func mostly(c class.Class) class.Mix {
	var m class.Mix
	for i := range m {
		m[i] = (1 - believed) / float64(class.Count-1)
	}
	m[c] = believed
	return m
}
