package sim

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"tocsin/core/observation"
	"tocsin/wire/asterix"
)

// datagramLimit keeps a datagram inside one Ethernet frame.
const datagramLimit = 1400

// Wire writes looks as ASTERIX datagrams: category 048 for plots, 034 for the antenna.
// It is not for use from many goroutines.
type Wire struct {
	world   *World
	start   time.Time
	plot    *asterix.Builder
	service *asterix.Builder
}

// NewWire begins a broadcast whose scenario time 0 is start.
func NewWire(w *World, start time.Time) (*Wire, error) {
	plot, err := asterix.NewBuilder(48, asterix.Default(48))
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	service, err := asterix.NewBuilder(34, asterix.Default(34))
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	return &Wire{world: w, start: start, plot: plot, service: service}, nil
}

// Datagrams are what the radar of the look would send at its end.
func (w *Wire) Datagrams(l Look) ([][]byte, error) {
	r := w.world.Radars[l.Radar]
	var records []asterix.Record
	for _, p := range l.Plots {
		record, err := w.record(r, p)
		if err != nil {
			return nil, fmt.Errorf("sim: %s: %w", r.ID, err)
		}
		records = append(records, record)
	}
	crossing := 2 // I034/000: sector crossing
	if l.To == 0 {
		crossing = 1 // north marker
	}
	w.service.Reset()
	w.service.Uint(uint64(r.SAC), "010", "SAC").Uint(uint64(r.SIC), "010", "SIC").Uint(uint64(crossing), "000").
		Float(w.timeOfDay(l.SentAt+r.Clock), "030").Float(r.Period.Seconds(), "041")
	if crossing == 2 {
		w.service.Float(float64(l.To), "020")
	}
	record, err := w.service.Record()
	if err != nil {
		return nil, fmt.Errorf("sim: %s: %w", r.ID, err)
	}
	return asterix.Datagrams(datagramLimit, append(records, record)...)
}

// record is one plot; all of them say that they are simulated (I048/020 SIM).
func (w *Wire) record(r Radar, p Plot) (asterix.Record, error) {
	b := w.plot
	b.Reset()
	b.Uint(uint64(r.SAC), "010", "SAC").Uint(uint64(r.SIC), "010", "SIC").Float(w.timeOfDay(p.At), "140").
		Uint(uint64(p.Rho), "040", "RHO").Uint(uint64(p.Theta), "040", "THETA")
	kind := uint64(1) // primary radar
	var id observation.Identity
	if p.Object >= 0 {
		id = w.world.Objects[p.Object].identity()
	}
	if id.Said() {
		kind = 3 // with an interrogator
	}
	b.Uint(kind, "020", "TYP").Uint(1, "020", "SIM")
	if id.Answer == observation.Friend {
		b.Uint(1, "020", "FOEFRI")
	}
	if p.HasHeight {
		b.Float(float64(p.Height)*25, "110", "3DH")
	}
	if id.HasMode3A {
		b.Text(strconv.FormatUint(uint64(id.Mode3A)|1<<12, 8)[1:], "070", "MODE3A")
	}
	if id.Address != 0 {
		b.Uint(uint64(id.Address), "220")
	}
	return b.Record()
}

// timeOfDay is seconds since midnight UTC, in steps of the wire.
func (w *Wire) timeOfDay(at time.Duration) float64 {
	t := w.start.Add(at).UTC()
	since := t.Sub(t.Truncate(24 * time.Hour)).Seconds()
	return math.Mod(math.Round(since*128)/128, 86400)
}
