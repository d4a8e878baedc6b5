package threat

import (
	"math"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// CueKind is the one kind of sensor in a forecast that rests on a launch cue alone: it can
// have people prepare, never shelter, and it is no evidence that a danger is over.
const CueKind = "cue"

// Launch is a launch that somebody reported and nothing has been seen of yet. ID names the
// forecast as a track's would; Trust is the probability that there was one.
type Launch struct {
	ID    track.ID
	Area  geo.Circle
	At    time.Time
	Says  class.Mix
	Trust float64
}

// outing is what is known of one launch of a class before anything is seen: how far it
// comes, how fast, and at how many different places the objects of one launch are sent.
type outing struct {
	near, far  float64 // metres
	slow, fast float64 // metres per second, over the ground, launch to end
	aims       float64
}

// outings: the shortest and the longest range of the types in use that are fired at towns,
// and the mean speeds that go with them.
var outings = [class.Count]outing{
	class.Unknown:          {near: 0, far: 100e3, slow: 50, fast: 700, aims: 1},
	class.BallisticMissile: {near: 40e3, far: 700e3, slow: 500, fast: 1700, aims: 2},
	class.CruiseMissile:    {near: 20e3, far: 900e3, slow: 180, fast: 280, aims: 3},
	class.Rocket:           {near: 4e3, far: 80e3, slow: 250, fast: 700, aims: 4},
	class.Drone:            {near: 10e3, far: 600e3, slow: 35, fast: 70, aims: 4},
	class.GlideBomb:        {near: 15e3, far: 75e3, slow: 170, fast: 280, aims: 2},
	class.Aircraft:         {near: 0, far: 400e3, slow: 100, fast: 280, aims: 1},
}

// Expect forecasts a launch at a time: the zones that its class may reach from there, each
// as likely as people live there and as it is wide, and when. A zone whose latest arrival
// is past is not named; a launch that names none any more is over. What is not said of its
// class is taken for class.Unknown. It is a pure function.
func Expect(l Launch, now time.Time, zones *zone.Set, models Models) Forecast {
	mix := l.Says.Normal()
	if !mix.Said() {
		mix = class.Of(class.Unknown)
	}
	f := Forecast{
		Track: l.ID, Revision: 1, At: now, SeenAt: l.At, Class: mix, Existence: min(max(l.Trust, 0), 1), Status: Confirmed,
		Updates: 1, Sensors: 1, Kinds: []string{CueKind}, Evidence: []string{l.At.UTC().Format("15:04:05.000") + " launch cue"},
	}
	centre, radius := l.Area.Centre, float64(l.Area.Radius)
	if zones == nil || zones.Len() == 0 || !centre.Valid() || !(radius >= 0 && radius < 1e6) || math.IsNaN(l.Trust) {
		return f
	}
	g := models.filled().over(zones)
	far := make([]float64, zones.Len())
	for i := range far {
		far[i] = float64(geo.Distance(centre, zones.ByIndex(i).Label))
	}
	p := make([]float64, len(far))
	window := make([][2]float64, len(far)) // seconds after the launch
	for c, m := range mix {
		if m < least {
			continue
		}
		o := &outings[c]
		inRange := func(d float64) bool { return d >= o.near-radius && d <= o.far+radius }
		sum := 0.0
		for i, d := range far {
			if inRange(d) {
				sum += g.appeal(zones, i)
			}
		}
		for i, d := range far {
			if !inRange(d) {
				continue
			}
			// One aim after another misses it.
			p[i] += m * (1 - math.Pow(1-g.appeal(zones, i)/sum, o.aims))
			early, late := math.Max(d-radius, 0)/o.fast, (d+radius)/o.slow
			if window[i] == [2]float64{} || early < window[i][0] {
				window[i][0] = early
			}
			window[i][1] = math.Max(window[i][1], late)
		}
	}
	for i := range p {
		latest := moment(l.At, window[i][1])
		if p[i] < Negligible || latest.Before(now) {
			continue
		}
		middle := math.Sqrt(math.Max(window[i][0], 1) * window[i][1])
		f.Reaches = append(f.Reaches, Reach{Zone: zones.ByIndex(i).ID, P: math.Min(p[i], 1),
			Arrival: Arrival{Earliest: moment(l.At, window[i][0]), Likely: moment(l.At, math.Max(middle, window[i][0])), Latest: latest}})
		f.Horizon = max(f.Horizon, latest.Sub(now))
	}
	return f
}

// appeal is how much a zone draws what is sent somewhere: as attract has it, times its width.
func (g *Ground) appeal(zones *zone.Set, i int) float64 {
	return float64(g.draws[i+1]) * math.Sqrt(math.Max(float64(zones.Shape(i).Area()), 1))
}

// Explains reports whether a track may be what was launched: it was first seen after the
// launch, no farther away than the class comes in that time, and is not of a class that
// the launch excludes.
func (l Launch) Explains(tr *track.Track) bool {
	age := tr.At.Sub(l.At).Seconds()
	if tr.Since.Before(l.At.Add(-earlySight)) || age < -earlySight.Seconds() {
		return false
	}
	mix := l.Says.Normal()
	fits, fastest := 0.0, 0.0
	for c, m := range mix {
		if m > 0 {
			fits += tr.Class[c]
			fastest = math.Max(fastest, outings[c].fast)
		}
	}
	if !mix.Said() {
		fits, fastest = 1, outings[class.BallisticMissile].fast
	}
	at := tr.State.Position.Position().Point
	off := float64(geo.Distance(l.Area.Centre, at))
	return fits >= 0.2 && off <= float64(l.Area.Radius)+fastest*math.Max(age, 0)+nearSight
}

// What a report of a launch may be off by: seconds, metres.
const (
	earlySight = 15 * time.Second
	nearSight  = 5e3
)
