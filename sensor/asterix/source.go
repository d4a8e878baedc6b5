package asterix

import (
	"fmt"
	"math"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/health"
	"tocsin/sensor"
	wire "tocsin/wire/asterix"
)

const (
	nauticalMile = 1852.0
	foot         = 0.3048
	flightLevel  = 100 * foot
)

// source is what a feed knows of one registered source.
type source struct {
	Config
	clock, simulated sensor.Counter
	status           status
	sweep            sweep
	last             map[string]observation.SensorTrack // by key, of tracks not ended
}

func newSource(c Config) *source {
	return &source{
		Config:    c,
		clock:     sensor.Counter{Name: SensorClock, Subject: c.ID},
		simulated: sensor.Counter{Name: SimulatedReports, Subject: c.ID},
		last:      map[string]observation.SensorTrack{},
	}
}

// hearing is one record on its way to an observation.
type hearing struct {
	*source
	r        *wire.Record
	received time.Time
	turn     *Stats
	note     func(health.Condition)
	emit     func(observation.Observation)
}

func (s *source) take(r *wire.Record, received time.Time, turn *Stats, note func(health.Condition), emit func(observation.Observation)) {
	h := hearing{s, r, received, turn, note, emit}
	switch r.Category {
	case 48:
		h.plot()
	case 34:
		h.service()
	case 62:
		h.track()
	default: // 063 and 065 are signs of life, others nothing to us
		turn.Other++
	}
}

// tick lets time pass and answers how many observations it made.
func (s *source) tick(now time.Time, note func(health.Condition), emit func(observation.Observation)) int {
	s.clock.Tick(now, note)
	s.simulated.Tick(now, note)
	return s.sweep.release(now, emit)
}

func (h *hearing) say(o observation.Observation) {
	o.Source, o.ReceivedAt = h.ID, h.received.Round(0)
	h.turn.Observations++
	h.emit(o)
}

func (h *hearing) is(path ...string) bool {
	x, _ := h.r.Uint(path...)
	return x == 1
}

// clockLimit is how far a source's time may be from ours before we do not believe it.
const clockLimit = time.Minute

// when is the time of day in an item, on the day that brings it nearest to its receipt
// (it wraps at midnight UTC). Where it is missing, beyond a day, or further off than
// any delay explains, the time of receipt is taken, and told.
func (h *hearing) when(item string) time.Time {
	raw, ok := h.r.Uint(item)
	switch {
	case h.status.clockInvalid:
		h.clock.Add(h.received, 1, func() string { return "it says that its time source is invalid: the time of receipt is taken" }, h.note)
		return h.received.Round(0)
	case !ok:
		h.clock.Add(h.received, 1, func() string { return "reports without a time: the time of receipt is taken" }, h.note)
		return h.received.Round(0)
	}
	at, off := resolve(raw, h.received)
	if raw >= 86400*128 || off > clockLimit || off < -clockLimit {
		h.clock.Add(h.received, 1, func() string {
			return fmt.Sprintf("its time of day is %s off ours: the time of receipt is taken", off.Round(time.Second))
		}, h.note)
		return h.received.Round(0)
	}
	return at
}

// resolve puts a time of day, in 1/128 s, on the day nearest to a time, and says how far from it.
func resolve(raw uint64, near time.Time) (time.Time, time.Duration) {
	const day = 24 * time.Hour
	at := near.UTC().Truncate(day).Add(time.Duration(raw) * (time.Second / 128))
	off := at.Sub(near)
	switch {
	case off > day/2:
		return at.Add(-day), off - day
	case off < -day/2:
		return at.Add(day), off + day
	}
	return at, off
}

// Height errors, one standard deviation in metres.
const (
	geoidError    = 40.0 // mean sea level against the ellipsoid, which are taken as one
	pressureError = 100.0
	pressureShare = 0.03 // of the height: the air is not standard
	beamError     = 0.3  // degrees of elevation of a 3D radar of which no error is registered
)

// pressureHeight is what a flight level says of the height.
func pressureHeight(level float64) (height, deviation geo.Metres) {
	m := level * flightLevel
	return geo.Metres(m), geo.Metres(math.Hypot(math.Hypot(pressureError, geoidError), pressureShare*m))
}

// aircraftHeight is the height in a 048 report: as the radar measured it, else as the
// transponder said it.
func (h *hearing) aircraftHeight(reach geo.Metres) (height, deviation geo.Metres, ok bool) {
	if feet, ok := h.r.Float("110", "3DH"); ok {
		if registered := float64(h.Errors.Height); registered > 0 {
			return geo.Metres(feet * foot), geo.Metres(math.Hypot(geoidError, registered)), true
		}
		beam := float64(h.Errors.Elevation)
		if beam <= 0 {
			beam = beamError
		}
		return geo.Metres(feet * foot), geo.Metres(math.Hypot(geoidError, float64(reach)*beam*math.Pi/180)), true
	}
	level, ok := h.r.Float("090", "FL")
	if !ok || h.is("090", "V") || h.is("090", "G") {
		return 0, 0, false
	}
	if level > 2048 {
		// Editions before 1.32 do not say that it is two's complement; radars send it so.
		level -= 4096
	}
	height, deviation = pressureHeight(level)
	return height, deviation, true
}
