package asterix

import (
	"math"
	"strconv"
	"strings"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

// maxLast bounds how many tracks of one source are remembered for their end.
const maxLast = 8192

// track maps a record of category 062 (EUROCONTROL-SPEC-0149-9): the state of a track that
// a foreign tracker keeps.
func (h *hearing) track() {
	if h.is("080", "SIM") && !h.Simulated {
		h.turn.Simulated++
		h.simulated.Add(h.received, 1, simulatedDetail, h.note)
		return
	}
	ended := h.is("080", "TSE")
	if h.is("080", "CST") && !ended { // a prediction: no new measurement is in it
		h.turn.Coasted++
		return
	}
	key := ""
	if n, ok := h.r.Uint("040"); ok {
		key = strconv.FormatUint(n, 10)
	}
	t, ok := h.trackState()
	if !ok && ended && key != "" { // the last report of a track may say no place
		t, ok = h.last[key]
	}
	if !ok {
		h.turn.Unusable++
		return
	}
	t.Ended = ended
	h.remember(key, t)
	h.say(observation.Observation{Key: key, ObservedAt: h.when("070"), Identity: h.trackIdentity(), Evidence: h.trackEvidence(), Body: t})
}

func (h *hearing) remember(key string, t observation.SensorTrack) {
	_, known := h.last[key]
	switch {
	case key == "":
	case t.Ended:
		delete(h.last, key)
	case known || len(h.last) < maxLast:
		h.last[key] = t
	}
}

// trackState is place, velocity and their errors.
func (h *hearing) trackState() (observation.SensorTrack, bool) {
	var t observation.SensorTrack
	lat, ok := h.r.Float("105", "LAT")
	lon, _ := h.r.Float("105", "LON")
	t.Position.Point = geo.Point{Lat: geo.Degrees(lat), Lon: geo.Degrees(lon)}
	if !ok { // in the tracker's plane, whose origin is the registered site
		x, inPlane := h.r.Float("100", "X")
		y, _ := h.r.Float("100", "Y")
		if !inPlane {
			return t, false
		}
		t.Position.Point = geo.Destination(h.Site.Point, geo.FromRadians(math.Atan2(x, y)).Normal(), geo.Metres(math.Hypot(x, y)))
	}
	if !t.Position.Point.Valid() {
		return t, false
	}
	h.trackErrors(&t)
	var deviation geo.Metres
	t.Position.Height, deviation = h.trackHeight()
	t.Covariance[2][2] = float64(deviation * deviation)
	if vx, ok := h.r.Float("185", "VX"); ok { // north is that of the target's place
		vy, _ := h.r.Float("185", "VY")
		climb, known := h.r.Float("220")
		t.Velocity, t.HasVelocity = [3]float64{vx, vy, climb * foot / 60}, true
		up := climbError
		if known {
			up = climbError / 4
		}
		t.Covariance[5][5] = up * up
	}
	return t, true
}

// trackErrors are those of I062/500, or as registered.
func (h *hearing) trackErrors(t *observation.SensorTrack) {
	east, north := math.Max(float64(h.Errors.Range), 1), math.Max(float64(h.Errors.Range), 1)
	if h.Errors.Range <= 0 {
		east, north = trackError, trackError
	}
	if x, ok := h.r.Float("500", "APC", "X"); ok {
		y, _ := h.r.Float("500", "APC", "Y")
		east, north = math.Max(x, 1), math.Max(y, 1)
		if c, ok := h.r.Float("500", "COV"); ok {
			// It is the root of the covariance with its sign; no more than the two allow.
			cov := math.Copysign(math.Min(c*c, 0.99*east*north), c)
			t.Covariance[0][1], t.Covariance[1][0] = cov, cov
		}
	} else if lat, ok := h.r.Float("500", "APW", "LAT"); ok {
		lon, _ := h.r.Float("500", "APW", "LON")
		const degree = 60 * nauticalMile
		north = math.Max(lat*degree, 1)
		east = math.Max(lon*degree*math.Cos(t.Position.Lat.Radians()), 1)
	}
	t.Covariance[0][0], t.Covariance[1][1] = east*east, north*north
	vx, vy := velocityError, velocityError
	if x, ok := h.r.Float("500", "ATV", "X"); ok {
		y, _ := h.r.Float("500", "ATV", "Y")
		vx, vy = math.Max(x, 0.5), math.Max(y, 0.5)
	}
	t.Covariance[3][3], t.Covariance[4][4] = vx*vx, vy*vy
}

// trackHeight takes the geometric altitude, which is over the ellipsoid, before the
// measured and the calculated flight level.
func (h *hearing) trackHeight() (height, deviation geo.Metres) {
	if feet, ok := h.r.Float("130"); ok {
		deviation = geo.Metres(pressureError)
		if sigma, ok := h.r.Float("500", "AGA"); ok {
			deviation = geo.Metres(math.Max(sigma*foot, 5))
		}
		return geo.Metres(feet * foot), deviation
	}
	level, ok := h.r.Float("136")
	if !ok {
		level, ok = h.r.Float("135", "CTB")
	}
	if !ok {
		return bandMiddle, bandDeviation
	}
	return pressureHeight(level)
}

func (h *hearing) trackIdentity() observation.Identity {
	id := observation.Identity{Answer: h.answer()}
	id.Mode3A, id.HasMode3A = h.mode3A("060")
	if address, ok := h.r.Uint("380", "ADR"); ok {
		id.Address = uint32(address)
	}
	for _, path := range [][]string{{"380", "ID"}, {"245", "CHR"}} {
		if flight, ok := h.r.Text(path...); ok && id.Flight == "" {
			id.Flight = strings.TrimSpace(flight)
		}
	}
	return id
}

func (h *hearing) trackEvidence() string {
	words := []string{"track"}
	if h.is("080", "MON") {
		words = append(words, "of one sensor")
	}
	if h.is("080", "CNF") {
		words = append(words, "tentative")
	}
	return strings.Join(words, " ")
}
