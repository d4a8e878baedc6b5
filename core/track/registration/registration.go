// Package registration estimates what is wrong with each sensor: its bias in range,
// azimuth and elevation and the offset of its clock, from objects that two sensors see.
//
// In: samples of tracks, each with the last observations it rests on, as the sensors made
// them. Out: per sensor a Bias with its uncertainty, to be taken off its plots; how much
// of that uncertainty a track inherits; conditions. It never changes a track, and it
// never blames a sensor for what no second sensor or cooperative aircraft has shown.
//
// One Kalman filter holds the biases of all sensors together, so that what only their
// difference shows stays uncertain in common. Its measurements are plots of one sensor
// held against the plots of another before and after it: no filter's belief stands
// between them, so nothing that is learned here is learned from itself.
package registration

import (
	"math"
	"slices"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

type (
	vec3 = [3]float64
	mat3 = [3][3]float64
)

// Sensor is one that is watched. Site and Axes (earth-fixed to east, north, up) are the
// frame its polar plots are measured in. Truth says that what it reports are cooperative
// aircraft, whose own positions have no bias; Site and Axes play no part then.
type Sensor struct {
	ID     string
	Site   geo.ECEF
	Axes   mat3
	Errors observation.Errors
	Period time.Duration // between two looks
	Truth  bool
}

// Sample is a track as it is believed to be at At, with the last observations it rests on,
// uncorrected. Track is a number of its own, the same in every sample of it. Velocity is
// earth-fixed; Depth is the standard deviation of the height, in metres.
type Sample struct {
	Track    uint64
	At       time.Time
	Position geo.ECEF
	Velocity vec3
	Depth    float64
	Recent   []*observation.Observation
}

// Bias is what is believed of one sensor. Take Range, Azimuth and Tilt (of its elevation)
// off what it measures, and Clock off its stamps; the Errors are the standard deviations
// left. Shown says that there is a bias beyond doubt: until then all four are zero, and
// the Errors say how far off it may be all the same.
type Bias struct {
	Sensor  string        `json:"sensor"`
	Shown   bool          `json:"shown"`
	Pairs   int           `json:"pairs"` // how many comparisons it rests on; 0: nothing is known
	Range   geo.Metres    `json:"range"`
	Azimuth geo.Degrees   `json:"azimuth"`
	Tilt    geo.Degrees   `json:"elevation"`
	Clock   time.Duration `json:"clock"`
	Errors  Errors        `json:"errors"`
	Misfit  float64       `json:"misfit"` // share of late comparisons that do not fit at all
}

// Errors are standard deviations of a Bias.
type Errors struct {
	Range   geo.Metres    `json:"range"`
	Azimuth geo.Degrees   `json:"azimuth"`
	Tilt    geo.Degrees   `json:"elevation"`
	Clock   time.Duration `json:"clock"`
}

// Bounds. A sensor beyond MaxSensors is not registered; of more tracks than fit the budget
// the others wait for the next call.
const (
	MaxSensors = 32
	perLearn   = 96  // comparisons per call of Learn
	maxTracks  = 512 // remembered for what was used of them
)

const (
	degree = math.Pi / 180
	each   = 4 // states of a sensor
)

// The states of one sensor.
const (
	inRange   = iota // metres
	inAzimuth        // radians
	inTilt           // radians
	inClock          // seconds
)

// sensor is a Sensor and what is kept of it besides the filter.
type sensor struct {
	Sensor
	pairs   int     // comparisons that fitted
	tried   int     // comparisons since its misfits were last judged
	misfit  float64 // running share of comparisons that did not fit
	shown   bool
	applied [each]float64 // what is to be taken off
	left    [each]float64 // variance of what that leaves
	biased  [each]float64 // probability that there is such a bias at all
	told    [each]float64 // the bias the last condition was about
	raised  bool          // that condition is raised
	amiss   bool          // the condition that it fits nobody is raised
}

// Registrar estimates. Make one with New. It is not safe for concurrent use; the same
// calls in the same order give the same answers.
type Registrar struct {
	sensors []sensor
	index   map[string]int
	filter  filter
	used    map[uint64]time.Time // per track: the newest plot compared
	couples map[couple]int       // tracks of one sensor each that may be one object: how often found so
	batch   []comparison
	at      time.Time
	faults  []Fault
}

// New returns a Registrar that knows nothing.
func New() *Registrar {
	return &Registrar{index: map[string]int{}, used: map[uint64]time.Time{}, couples: map[couple]int{}}
}

// SetSensors replaces the sensors. What is known of one whose place, axes and errors have
// not changed is kept; of one that was moved nothing is. Of those beyond MaxSensors nothing
// will be known.
func (r *Registrar) SetSensors(sensors []Sensor) {
	next := make([]sensor, 0, min(len(sensors), MaxSensors))
	from := make([]int, 0, cap(next))
	index := map[string]int{}
	for _, s := range sensors {
		if _, twice := index[s.ID]; twice || len(next) == MaxSensors {
			continue
		}
		old, known := r.index[s.ID]
		index[s.ID] = len(next)
		if known && r.sensors[old].Sensor == s {
			next, from = append(next, r.sensors[old]), append(from, old)
			continue
		}
		next, from = append(next, sensor{Sensor: s}), append(from, -1)
	}
	priors := make([][each]float64, len(next))
	for i := range next {
		priors[i] = prior(&next[i].Sensor)
	}
	r.filter = r.filter.rebuilt(from, priors)
	r.sensors, r.index = next, index
}

// prior is the standard deviation of each bias before anything is seen of it: what radars
// are found to be off when they are first compared, and more where they are registered as
// coarse. Cooperative aircraft are where they say they are.
func prior(s *Sensor) [each]float64 {
	if s.Truth {
		return [each]float64{}
	}
	return [each]float64{
		inRange:   math.Max(300, 3*clean(float64(s.Errors.Range), 1e4)),
		inAzimuth: math.Max(0.6, 2*clean(float64(s.Errors.Azimuth), 5)) * degree,
		inTilt:    math.Max(0.3, 0.7*clean(float64(s.Errors.Elevation), 5)) * degree,
		inClock:   math.Max(0.6, 2*clean(s.Errors.Time.Seconds(), 5)),
	}
}

// clean is a registered figure, or zero if it is none.
func clean(v, most float64) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Min(v, most)
}

// Ready reports whether there is anything to compare.
func (r *Registrar) Ready() bool { return len(r.sensors) > 1 }

// Settled reports whether every sensor that shares something with others is known well and
// fits: then it is enough to look now and then.
func (r *Registrar) Settled() bool {
	const well, fits = 600, 0.1
	known := false
	for i := range r.sensors {
		s := &r.sensors[i]
		if !s.Truth && s.pairs > 0 && (s.pairs < well || s.misfit > fits) {
			return false
		}
		known = known || s.pairs > 0
	}
	return known && len(r.couples) == 0
}

// Learn takes samples at a time, in any order: the order changes nothing. It compares what
// it has not compared before, about perLearn comparisons at most, and returns how many it
// made. A track that one sensor owns teaches nothing: the few plots of another in it are
// those that happened to lie near.
func (r *Registrar) Learn(now time.Time, samples []Sample) int {
	if !r.Ready() {
		return 0
	}
	dt := 0.0
	if !r.at.IsZero() {
		dt = now.Sub(r.at).Seconds()
	}
	r.at = now
	r.filter.drift(dt)
	r.batch = r.batch[:0]
	for i := range samples {
		if len(r.Owner(samples[i].Recent)) == 0 {
			r.fresh(&samples[i])
		}
		if len(r.batch) >= perLearn {
			break
		}
	}
	return r.digest(now)
}

// digest learns from the batch.
func (r *Registrar) digest(now time.Time) int {
	slices.SortFunc(r.batch, comparison.order)
	for i := range r.batch {
		r.learn(&r.batch[i])
	}
	r.forget(now)
	if len(r.batch) > 0 {
		r.judge(now)
	}
	return len(r.batch)
}

// forget lets go of tracks that are long past.
func (r *Registrar) forget(now time.Time) {
	if len(r.used) <= maxTracks {
		return
	}
	for id, at := range r.used {
		if now.Sub(at) > time.Minute {
			delete(r.used, id)
		}
	}
}

// Of is what is believed of one sensor. ok is false for one that is not registered here.
func (r *Registrar) Of(id string) (b Bias, ok bool) {
	i, ok := r.index[id]
	if !ok {
		return Bias{}, false
	}
	return r.bias(i), true
}

func (r *Registrar) bias(i int) Bias {
	s := &r.sensors[i]
	x, sd := s.applied, s.left
	for k := range sd {
		sd[k] = math.Sqrt(sd[k])
	}
	return Bias{
		Sensor: s.ID, Shown: s.shown, Pairs: s.pairs, Misfit: s.misfit,
		Range: geo.Metres(x[inRange]), Azimuth: geo.Degrees(x[inAzimuth] / degree), Tilt: geo.Degrees(x[inTilt] / degree), Clock: seconds(x[inClock]),
		Errors: Errors{
			Range: geo.Metres(sd[inRange]), Azimuth: geo.Degrees(sd[inAzimuth] / degree),
			Tilt: geo.Degrees(sd[inTilt] / degree), Clock: seconds(sd[inClock]),
		},
	}
}

// Figures is every sensor's Bias, in the order in which they were set.
func (r *Registrar) Figures() []Bias {
	out := make([]Bias, len(r.sensors))
	for i := range r.sensors {
		out[i] = r.bias(i)
	}
	return out
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
