// Package observation is one statement of one source about one object at one time.
//
// In: what an edge decoded. Out: Observation and Source values that the core can
// trust to be bounded and finite (Check). It never tracks, fuses or judges.
package observation

import (
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
)

// Observation is what one source said about one object at one time. Exactly one
// Body is set. ObservedAt is the sensor's own time of the measurement, ReceivedAt
// when our edge had it; both are UTC.
type Observation struct {
	Source     string    `json:"source"`
	Key        string    `json:"key,omitempty"` // the source's own name for the object, or empty
	ObservedAt time.Time `json:"observed_at"`
	ReceivedAt time.Time `json:"received_at"`
	Body       Body      `json:"-"`
	Identity   Identity  `json:"identity,omitzero"`
	Says       class.Mix `json:"says,omitzero"` // what the source says it is; all zero: nothing
	Evidence   string    `json:"evidence,omitempty"`
}

// Body is the closed set of what can be said: Plot, Fix, SensorTrack, Bearing,
// Presence, Cue, Cooperative or Absence.
type Body interface{ body() }

// Plot is one radar report in the source's own polar frame, not yet followed.
// Range is the slant range; Azimuth is clockwise from true north at the site.
type Plot struct {
	Range     geo.Metres  `json:"range"`
	Azimuth   geo.Degrees `json:"azimuth"`
	Elevation geo.Degrees `json:"elevation,omitempty"`
	// HasElevation says that Elevation was measured.
	HasElevation bool `json:"has_elevation,omitempty"`
	// Height is above the ellipsoid, HeightError one standard deviation of it;
	// HasHeight says that they are known. Without them the height is unknown in a band.
	Height      geo.Metres `json:"height,omitempty"`
	HeightError geo.Metres `json:"height_error,omitempty"`
	HasHeight   bool       `json:"has_height,omitempty"`
	// Doppler is the range rate, positive away from the radar.
	Doppler    geo.MetresPerSecond `json:"doppler,omitempty"`
	HasDoppler bool                `json:"has_doppler,omitempty"`
}

// Fix is a position with its error. Covariance is in the local east, north, up
// frame at Position, in square metres.
type Fix struct {
	Position   geo.Position  `json:"position"`
	Covariance [3][3]float64 `json:"covariance"`
}

// SensorTrack is a track that the sensor keeps itself. Velocity is east, north, up
// in metres per second; Covariance is of (east, north, up, and their rates).
// Ended says that the sensor gave the track up.
type SensorTrack struct {
	Position    geo.Position  `json:"position"`
	Velocity    [3]float64    `json:"velocity"`
	HasVelocity bool          `json:"has_velocity,omitempty"`
	Covariance  [6][6]float64 `json:"covariance"`
	Ended       bool          `json:"ended,omitempty"`
}

// Bearing is a direction without range, from the source's site or From where the
// source moves. Width is one standard deviation.
type Bearing struct {
	From         geo.Position `json:"from,omitzero"`
	HasFrom      bool         `json:"has_from,omitempty"`
	Azimuth      geo.Degrees  `json:"azimuth"`
	Elevation    geo.Degrees  `json:"elevation,omitempty"`
	HasElevation bool         `json:"has_elevation,omitempty"`
	Width        geo.Degrees  `json:"width"`
}

// Presence is "heard or seen within Reach of At".
type Presence struct {
	At    geo.Point  `json:"at"`
	Reach geo.Metres `json:"reach"`
}

// Cue is a launch: something of a kind was launched in an area at a time.
type Cue struct {
	Area       geo.Circle `json:"area"`
	LaunchedAt time.Time  `json:"launched_at"`
}

// Cooperative is an aircraft's own report of where it is. Velocity is east, north,
// up in metres per second.
type Cooperative struct {
	Position    geo.Position `json:"position"`
	Error       geo.Metres   `json:"error"` // one standard deviation, horizontal
	Velocity    [3]float64   `json:"velocity"`
	HasVelocity bool         `json:"has_velocity,omitempty"`
}

// Absence is "looked and saw nothing more": the source finished looking over its
// registered coverage, or over the sector From..To (clockwise) where Sector is set,
// at ObservedAt. It is what turns silence into evidence.
type Absence struct {
	Sector bool        `json:"sector,omitempty"`
	From   geo.Degrees `json:"from,omitempty"`
	To     geo.Degrees `json:"to,omitempty"`
}

func (Plot) body()        {}
func (Fix) body()         {}
func (SensorTrack) body() {}
func (Bearing) body()     {}
func (Presence) body()    {}
func (Cue) body()         {}
func (Cooperative) body() {}
func (Absence) body()     {}

// Allegiance is what a source or a person says of whose an object is.
type Allegiance uint8

// Neutral is civil: an airliner, a police helicopter.
const (
	Unstated Allegiance = iota
	Friend
	Neutral
	Foe
)

// Identity is what is known of whose an object is. The zero value is nothing.
type Identity struct {
	Answer Allegiance `json:"answer,omitempty"` // friend-or-foe answer, or a person's word
	// Mode3A is the SSR code as its four octal digits read as a number (07700 octal), valid if HasMode3A.
	Mode3A    uint16 `json:"mode_3a,omitempty"`
	HasMode3A bool   `json:"has_mode_3a,omitempty"`
	Address   uint32 `json:"address,omitempty"` // Mode S 24-bit address; 0 is none
	Flight    string `json:"flight,omitempty"`  // callsign, trimmed
	Word      bool   `json:"word,omitempty"`    // Answer is an operator's or authority's word
}

// Said reports whether anything is known.
func (i Identity) Said() bool { return i != Identity{} }

// Source is a registered source: where it stands, how well it measures, what it can see.
type Source struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // "asterix", "authority", ...: what makes two sources different kinds of sensor
	// Site is where it stands; HasSite is false for sources without a place of their own.
	Site    geo.Position  `json:"site,omitzero"`
	HasSite bool          `json:"has_site,omitempty"`
	Period  time.Duration `json:"period"` // between two looks at one place; silence of several periods is deafness
	Errors  Errors        `json:"errors"`
	// Trust is the probability that what it says exists, does. 0 is taken as 0.9.
	Trust float64 `json:"trust,omitempty"`
	// Detection is the probability to see what is there, per look. 0 is taken as 0.8.
	Detection float64 `json:"detection,omitempty"`
	// Clutter is the expected count of false plots per look over the whole coverage.
	Clutter  float64  `json:"clutter,omitempty"`
	Coverage Coverage `json:"coverage"`
	// Confusion is how often it says one class of another. Zero: it is taken at its word.
	Confusion Confusion `json:"confusion,omitzero"`
}

// Errors are standard deviations as registered.
type Errors struct {
	Range     geo.Metres  `json:"range"`
	Azimuth   geo.Degrees `json:"azimuth"`
	Elevation geo.Degrees `json:"elevation,omitempty"`
	// Height is that of a height the radar measures itself; 0: it follows from Elevation.
	Height geo.Metres    `json:"height,omitempty"`
	Time   time.Duration `json:"time"`
}

// Coverage is the space a source can see: within Range of its site and above Floor,
// which is height over the ground at the site. A zero Range sees nothing.
type Coverage struct {
	Range geo.Metres `json:"range"`
	Floor geo.Metres `json:"floor"`
}
