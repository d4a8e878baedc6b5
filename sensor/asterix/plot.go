package asterix

import (
	"math"
	"strconv"
	"strings"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

// plot maps a record of category 048 (EUROCONTROL-SPEC-0149-4): one report of one turn of
// one radar.
func (h *hearing) plot() {
	if h.status.inhibited {
		h.turn.Inhibited++
		return
	}
	typ, described := h.r.Uint("020", "TYP")
	switch {
	case h.is("020", "RAB"): // a transponder on a mast, by which the radar checks itself
		h.turn.Monitor++
		return
	case h.is("020", "TST") && !h.Simulated:
		h.turn.Test++
		h.simulated.Add(h.received, 1, simulatedDetail, h.note)
		return
	case h.is("020", "SIM") && !h.Simulated:
		h.turn.Simulated++
		h.simulated.Add(h.received, 1, simulatedDetail, h.note)
		return
	case described && typ == 0: // a track predicted on, not seen this turn
		h.turn.NoDetection++
		return
	}
	o := observation.Observation{ObservedAt: h.when("140"), Key: h.plotKey(), Identity: h.plotIdentity(), Evidence: h.plotEvidence(typ)}
	if reach, azimuth, ok := h.polar(); ok {
		p := observation.Plot{Range: reach, Azimuth: azimuth}
		p.Height, p.HeightError, p.HasHeight = h.aircraftHeight(reach)
		p.Doppler, p.HasDoppler = h.doppler()
		o.Body = p
	} else if t, ok := h.localTrack(); ok {
		o.Body = t
	} else {
		h.turn.Unusable++
		return
	}
	h.say(o)
}

func simulatedDetail() string {
	return "it sends simulated or test reports, which are set aside outside an exercise"
}

// polar is the measured position. A range beyond what I048/040 can say stands in the
// expansion field (I048/020 ERR, I048/RE/ERR).
func (h *hearing) polar() (geo.Metres, geo.Degrees, bool) {
	rho, ok := h.r.Float("040", "RHO")
	theta, _ := h.r.Float("040", "THETA")
	if h.is("020", "ERR") {
		rho, ok = h.r.Float("RE", "ERR")
		ok = ok && h.r.Has("040")
	}
	return geo.Metres(rho * nauticalMile), geo.Degrees(theta), ok && rho > 0
}

// doppler is the calculated radial speed; the specification recommends positive for away,
// as ours is. The raw speeds are ambiguous and not taken.
func (h *hearing) doppler() (geo.MetresPerSecond, bool) {
	v, ok := h.r.Float("120", "CAL", "CAL")
	return geo.MetresPerSecond(v), ok && !h.is("120", "CAL", "D")
}

// plotKey is the radar's own track number; the two processing chains number for themselves.
func (h *hearing) plotKey() string {
	n, ok := h.r.Uint("161", "TRN")
	if !ok {
		return ""
	}
	key := strconv.FormatUint(n, 10)
	if h.is("020", "RDP") {
		return key + "/2"
	}
	return key
}

// friendly are the answers that say friend without a doubt. An unknown answer or none says
// nothing of an object.
var friendly = map[uint8][]struct {
	path []string
	is   uint64
}{
	48: {
		{[]string{"020", "FOEFRI"}, 1}, {[]string{"RE", "M4E", "FOEFRI"}, 3},
		{[]string{"RE", "MD5", "SUM", "ID"}, 1}, {[]string{"RE", "MD5", "SUM", "DA"}, 1},
		{[]string{"RE", "M5N", "SUM", "ID"}, 1}, {[]string{"RE", "M5N", "SUM", "DA"}, 1},
	},
	62: {
		{[]string{"080", "MD4"}, 1}, {[]string{"080", "MD5"}, 1},
		{[]string{"110", "SUM", "ID"}, 1}, {[]string{"110", "SUM", "DA"}, 1},
	},
}

func (h *hearing) answer() observation.Allegiance {
	for _, f := range friendly[h.r.Category] {
		if x, ok := h.r.Uint(f.path...); ok && x == f.is {
			return observation.Friend
		}
	}
	return observation.Unstated
}

func (h *hearing) plotIdentity() observation.Identity {
	id := observation.Identity{Answer: h.answer()}
	id.Mode3A, id.HasMode3A = h.mode3A("070")
	if address, ok := h.r.Uint("220"); ok {
		id.Address = uint32(address)
	}
	if flight, ok := h.r.Text("240"); ok {
		id.Flight = strings.TrimSpace(flight)
	}
	return id
}

// mode3A is a code that was validated and not garbled.
func (h *hearing) mode3A(item string) (uint16, bool) {
	code, ok := h.r.Uint(item, "MODE3A")
	if !ok || h.is(item, "V") || h.is(item, "G") {
		return 0, false
	}
	return uint16(code), true
}

var reportTypes = [8]string{"", "PSR", "SSR", "SSR+PSR", "Mode S all-call", "Mode S roll-call", "Mode S all-call+PSR", "Mode S roll-call+PSR"}

// plotEvidence is what a person may ask of a plot later: how it was seen, how strongly, and
// what the radar itself doubts about it.
func (h *hearing) plotEvidence(typ uint64) string {
	var room [96]byte
	b := append(room[:0], reportTypes[typ&7]...)
	amplitude := "PAM"
	if !h.r.Has("130", "PAM") {
		amplitude = "SAM"
	}
	if dBm, ok := h.r.Int("130", amplitude); ok {
		b = append(b, ' ')
		b = strconv.AppendInt(b, dBm, 10)
		b = append(b, " dBm"...)
	}
	if h.is("170", "CNF") {
		b = append(b, " tentative"...)
	}
	if h.is("170", "GHO") {
		b = append(b, " ghost"...)
	}
	if codes, ok := h.r.At("030"); ok {
		b = append(b, " flags"...)
		for i := range min(codes.Len(), 8) {
			b = append(b, ' ')
			b = strconv.AppendUint(b, codes.Index(i).Uint(), 10)
		}
	}
	return strings.TrimSpace(string(b))
}

// localTrack is a report that has only what the radar's own tracker calculated: I048/042
// with I048/200, I048/210.
func (h *hearing) localTrack() (observation.SensorTrack, bool) {
	x, ok := h.r.Float("042", "X")
	y, _ := h.r.Float("042", "Y")
	if !ok {
		return observation.SensorTrack{}, false
	}
	ground := math.Hypot(x, y) * nauticalMile
	height, deviation, known := h.aircraftHeight(geo.Metres(ground))
	if known && !h.is("170", "TCC") { // the plane of slant ranges
		up := float64(height - h.Site.Height)
		ground = math.Sqrt(math.Max(0, ground*ground-up*up))
	}
	if !known {
		height, deviation = bandMiddle, bandDeviation
	}
	at := geo.Destination(h.Site.Point, geo.FromRadians(math.Atan2(x, y)).Normal(), geo.Metres(ground))
	t := observation.SensorTrack{Position: geo.Position{Point: at, Height: height}, Ended: h.is("170", "TRE")}
	sx, sy := h.planeErrors(ground)
	t.Covariance[0][0], t.Covariance[1][1], t.Covariance[2][2] = sx*sx, sy*sy, float64(deviation*deviation)
	if speed, ok := h.r.Float("200", "GSP"); ok {
		heading, _ := h.r.Float("200", "HDG")
		sin, cos := math.Sincos(heading * math.Pi / 180)
		v := speed * nauticalMile
		t.Velocity, t.HasVelocity = [3]float64{v * sin, v * cos, 0}, true
		sv := velocityError
		if sigma, ok := h.r.Float("210", "SIGV"); ok {
			turn, _ := h.r.Float("210", "SIGH")
			sv = math.Max(math.Hypot(sigma*nauticalMile, v*turn*math.Pi/180), 1)
		}
		t.Covariance[3][3], t.Covariance[4][4], t.Covariance[5][5] = sv*sv, sv*sv, climbError*climbError
	}
	return t, true
}

// Standard deviations where nobody says them.
const (
	bandMiddle    = 6000.0        // of the band of heights in which an object flies whose height is unknown
	bandDeviation = 12000.0 / 3.4 // of a height anywhere in it
	velocityError = 10.0          // metres a second
	climbError    = 20.0          // metres a second
	trackError    = 200.0         // metres
)

// planeErrors are east and north, from I048/210 or as registered.
func (h *hearing) planeErrors(ground float64) (east, north float64) {
	if sx, ok := h.r.Float("210", "SIGX"); ok {
		sy, _ := h.r.Float("210", "SIGY")
		return math.Max(sx*nauticalMile, 10), math.Max(sy*nauticalMile, 10)
	}
	s := math.Hypot(float64(h.Errors.Range), ground*h.Errors.Azimuth.Radians())
	if s == 0 {
		s = trackError
	}
	return s, s
}
