package asterix

import (
	"math"
	"strings"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/health"
)

// status is what a radar says of itself in category 034.
type status struct {
	inhibited    bool // "the data shall be discarded"
	clockInvalid bool
	degraded     string    // why it may not see all that it should; empty if it does
	blindUntil   time.Time // a filter or a jammer was told of
	blind        string
	told         string // the last condition's detail
}

// Message types of I034/000.
const (
	northMarker    = 1
	sectorCrossing = 2
	filtering      = 3
	jamming        = 4
)

// blindFor is how many turns a filter or jamming message holds.
const blindFor = 2

// service maps a record of category 034 (EUROCONTROL-SPEC-0149-2b): where the antenna is,
// and how the radar is. Looking and seeing nothing is evidence only from a radar that is
// whole.
func (h *hearing) service() {
	h.readStatus()
	kind, _ := h.r.Uint("000")
	filter, _ := h.r.Uint("110")
	switch {
	case kind == filtering && hidesPrimary[filter]:
		h.blinded(h.received, "a filter keeps primary plots back")
	case kind == jamming:
		h.blinded(h.received, "it is jammed")
	}
	h.tellStatus()
	if !h.status.sees(h.received) {
		h.sweep = sweep{}
		return
	}
	switch kind {
	case northMarker:
		h.sweep.passNorth(h.when("030"), h.received, h.source)
	case sectorCrossing:
		if azimuth, ok := h.r.Float("020"); ok {
			h.sweep.cross(azimuth, h.when("030"), h.received, h.source)
		}
	}
}

// hidesPrimary are the values of I034/110 that keep back plots of what does not answer.
var hidesPrimary = map[uint64]bool{3: true, 5: true, 7: true, 8: true, 9: true}

// readStatus takes I034/050 where the record has it: a record without it changes nothing.
func (h *hearing) readStatus() {
	if !h.r.Has("050") {
		return
	}
	var why []string
	if h.r.Has("050", "COM") {
		h.status.inhibited = h.is("050", "COM", "NOGO")
		h.status.clockInvalid = h.is("050", "COM", "TSV")
		if h.is("050", "COM", "OVLRDP") {
			why = append(why, "its data processor is overloaded")
		}
		if h.is("050", "COM", "OVLXMT") {
			why = append(why, "its transmission is overloaded")
		}
	}
	if channels, ok := h.r.Uint("050", "PSR", "CHAB"); ok {
		if channels == 0 {
			why = append(why, "its primary radar is off")
		}
		if h.is("050", "PSR", "OVL") {
			why = append(why, "its primary radar is overloaded")
		}
	}
	h.status.degraded = strings.Join(why, ", ")
}

// blinded says that plots may have been lost, for a while: what was not reported may have
// been there.
func (s *source) blinded(now time.Time, why string) {
	s.status.blind, s.status.blindUntil = why, now.Add(blindFor*s.Period)
	s.sweep = sweep{}
}

func (s *status) sees(now time.Time) bool {
	return !s.inhibited && s.degraded == "" && !now.Before(s.blindUntil)
}

// tellStatus raises and clears the conditions of the status when it changes.
func (h *hearing) tellStatus() {
	s := &h.status
	if !h.received.Before(s.blindUntil) {
		s.blind = ""
	}
	told := ""
	if s.inhibited {
		told = "inhibited"
	}
	var why []string
	for _, w := range []string{s.degraded, s.blind} {
		if w != "" {
			why = append(why, w)
		}
	}
	detail := strings.Join(why, ", ")
	if told+detail == s.told {
		return
	}
	was := s.told
	s.told = told + detail
	if strings.HasPrefix(was, "inhibited") != s.inhibited {
		h.note(health.Condition{Name: SensorInhibited, Subject: h.ID, Raised: s.inhibited, At: h.received,
			Detail: "it says that its data shall be discarded, and they are"})
	}
	if strings.TrimPrefix(was, "inhibited") != detail {
		h.note(health.Condition{Name: SensorDegraded, Subject: h.ID, Raised: detail != "", At: h.received, Detail: detail})
	}
}

// sweep follows the antenna, to say afterwards where it has looked.
type sweep struct {
	azimuth float64
	at      time.Time // of the last crossing; zero: unknown
	sectors time.Time // receipt of the last sector message
	north   time.Time // of the last north marker; zero: unknown
	held    []held
}

// held is a look that is over, while its last plots may still be on their way.
type held struct {
	due time.Time
	o   observation.Observation
}

const (
	maxHeld   = 64
	wideGap   = 120.0 // degrees between two crossings beyond which one was lost
	longDelay = 1500 * time.Millisecond
)

// cross takes a sector crossing: from the last one to here the radar has looked.
func (w *sweep) cross(azimuth float64, at, received time.Time, s *source) {
	gap := math.Mod(azimuth-w.azimuth+360, 360)
	apart := at.Sub(w.at)
	if !w.at.IsZero() && gap > 0 && gap <= wideGap && apart > 0 && apart < s.Period {
		w.hold(observation.Absence{Sector: true, From: geo.Degrees(w.azimuth), To: geo.Degrees(azimuth)}, at, received, s)
	}
	w.azimuth, w.at, w.sectors = azimuth, at, received
}

// passNorth takes a north marker. It ends a whole turn of a radar that tells no sectors.
func (w *sweep) passNorth(at, received time.Time, s *source) {
	if !w.sectors.IsZero() && received.Sub(w.sectors) < 2*s.Period {
		return
	}
	if turn := at.Sub(w.north); !w.north.IsZero() && turn > 0 && turn < 2*s.Period {
		w.hold(observation.Absence{}, at, received, s)
	}
	w.north = at
}

func (w *sweep) hold(body observation.Absence, at, received time.Time, s *source) {
	if len(w.held) == maxHeld {
		w.held = append(w.held[:0], w.held[1:]...)
	}
	w.held = append(w.held, held{received.Add(min(s.Period/4, longDelay)),
		observation.Observation{Source: s.ID, ObservedAt: at, ReceivedAt: received.Round(0), Body: body}})
}

// release emits the looks whose plots must have come by now.
func (w *sweep) release(now time.Time, emit func(observation.Observation)) int {
	n := 0
	for n < len(w.held) && !now.Before(w.held[n].due) {
		emit(w.held[n].o)
		n++
	}
	w.held = append(w.held[:0], w.held[n:]...)
	return n
}
