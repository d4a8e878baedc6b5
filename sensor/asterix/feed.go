package asterix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/core/observation"
	"tocsin/health"
	"tocsin/sensor"
	wire "tocsin/wire/asterix"
)

// Names of the conditions that a Feed raises besides those of package sensor. The subject of
// the first three is the feed's name, of the others the source's id.
const (
	SourceUnknown    = "source-unknown"    // reports of nobody registered
	DecodeFaults     = "decode-faults"     // records that do not decode
	FeedOverrun      = "feed-overrun"      // datagrams that the system dropped before they were read
	SensorClock      = "sensor-clock"      // its time cannot be; the time of receipt is taken
	SensorInhibited  = "sensor-inhibited"  // it says that its data shall be discarded, and they are
	SensorDegraded   = "sensor-degraded"   // it says that it does not see all: its silence is no evidence
	SimulatedReports = "simulated-reports" // it sends what it calls simulated or a test; set aside
)

// Stats counts what a feed has done since it was made.
type Stats struct {
	Datagrams, Records, Observations int
	Bytes                            int       // of the datagrams
	Faults                           int       // decoding; each may be a record lost
	Unknown                          int       // records of sources that are not registered
	Overrun                          int       // datagrams dropped by the system, where it tells
	NoDetection                      int       // 048 reports without a detection
	Simulated, Test, Monitor         int       // reports of no real object
	Coasted                          int       // 062 reports of tracks without new measurement
	Inhibited                        int       // reports of a source that says they shall be discarded
	Unusable                         int       // reports without a usable position
	Other                            int       // records of categories that make no observation
	LastAt                           time.Time // when the last observation was made; zero: none yet
}

// Feed listens on one address for the sources registered there. It is a sensor.Sensor and
// a sensor.Hearer.
type Feed struct {
	address  address
	editions wire.Editions
	decoder  *wire.Decoder
	sources  map[identity]*source
	watched  []sensor.Source
	note     func(health.Condition)

	strangers       map[identity]int
	unknown, faulty sensor.Counter
	overrun         sensor.Counter

	mu    sync.Mutex
	heard map[string]time.Time
	stats Stats
}

func newFeed(at address, editions wire.Editions, note func(health.Condition)) (*Feed, error) {
	decoder, err := wire.NewDecoder(editions)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if note == nil {
		note = func(health.Condition) {}
	}
	f := &Feed{address: at, editions: editions, decoder: decoder, sources: map[identity]*source{}, note: note,
		strangers: map[identity]int{}, heard: map[string]time.Time{}}
	f.unknown = sensor.Counter{Name: SourceUnknown, Subject: f.Name()}
	f.faulty = sensor.Counter{Name: DecodeFaults, Subject: f.Name()}
	f.overrun = sensor.Counter{Name: FeedOverrun, Subject: f.Name()}
	return f, nil
}

// Name is the feed's address as configured.
func (f *Feed) Name() string { return f.address.String() }

// Sources are whom to watch for silence.
func (f *Feed) Sources() []sensor.Source { return slices.Clone(f.watched) }

// Heard is when a source last sent a record of any kind; zero if never. It may be called
// from any goroutine.
func (f *Feed) Heard(id string) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard[id]
}

// Stats may be called from any goroutine.
func (f *Feed) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// Run listens until the context ends, or the socket fails.
func (f *Feed) Run(ctx context.Context, emit func(observation.Observation)) error {
	conn, err := listen(ctx, f.address)
	if err != nil {
		return fmt.Errorf("asterix: listen on %s: %w", f.Name(), err)
	}
	return f.serve(ctx, conn, emit)
}

// hear decodes one datagram that came at a time.
func (f *Feed) hear(b []byte, received time.Time, emit func(observation.Observation)) {
	records, faults := f.decoder.Decode(b)
	turn := Stats{Datagrams: 1, Bytes: len(b), Records: len(records)}
	heard := map[*source]bool{}
	for i := range records {
		r := &records[i]
		s := f.sourceOf(r)
		if s == nil {
			turn.Unknown++
			f.stranger(r, received)
			continue
		}
		heard[s] = true
		s.take(r, received, &turn, f.note, emit)
	}
	for _, fault := range faults {
		n := 1
		if fault.Err == wire.ErrMore {
			n = fault.Had
		}
		turn.Faults += n
		f.faulty.Add(received, n, fault.Error, f.note)
		if reports := fault.Category == 48 || fault.Category == 62; reports && losesRecords(fault) {
			f.blind(received, "reports do not decode")
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.add(turn)
	if turn.Observations > 0 {
		f.stats.LastAt = received
	}
	for s := range heard {
		f.heard[s.ID] = received
	}
}

// losesRecords is false for faults after which all that was sent is there.
func losesRecords(f wire.Fault) bool { return !f.Kept || errors.Is(f, wire.ErrTruncated) }

// blind says of all sources here that reports were lost: nobody knows whose.
func (f *Feed) blind(now time.Time, why string) {
	for _, s := range f.sources {
		s.blinded(now, why)
	}
}

// tick lets time pass: what is held back until it is sure, what has become calm.
func (f *Feed) tick(now time.Time, emit func(observation.Observation)) {
	f.unknown.Tick(now, f.note)
	f.faulty.Tick(now, f.note)
	f.overrun.Tick(now, f.note)
	made := 0
	for _, key := range slices.SortedFunc(maps.Keys(f.sources), identity.compare) {
		made += f.sources[key].tick(now, f.note, emit)
	}
	f.mu.Lock()
	f.stats.Observations += made
	if made > 0 {
		f.stats.LastAt = now
	}
	f.mu.Unlock()
}

func (i identity) compare(j identity) int {
	return int(i.sac)<<8 + int(i.sic) - int(j.sac)<<8 - int(j.sic)
}

func (f *Feed) sourceOf(r *wire.Record) *source {
	sac, ok := r.Uint("010", "SAC")
	sic, _ := r.Uint("010", "SIC")
	if !ok {
		return nil
	}
	return f.sources[identity{uint8(sac), uint8(sic)}]
}

// maxStrangers bounds how many unknown sources are told apart.
const maxStrangers = 16

// stranger counts a record of nobody registered, by name.
func (f *Feed) stranger(r *wire.Record, now time.Time) {
	sac, named := r.Uint("010", "SAC")
	sic, _ := r.Uint("010", "SIC")
	if key := (identity{uint8(sac), uint8(sic)}); named {
		if _, known := f.strangers[key]; known || len(f.strangers) < maxStrangers {
			f.strangers[key]++
		}
	}
	f.unknown.Add(now, 1, f.strangersSeen, f.note)
}

func (f *Feed) strangersSeen() string {
	var names []string
	for _, key := range slices.SortedFunc(maps.Keys(f.strangers), identity.compare) {
		names = append(names, fmt.Sprintf("%s (%d)", key, f.strangers[key]))
	}
	if len(names) == 0 {
		return "records that do not say SAC and SIC"
	}
	return "not registered: " + strings.Join(names, ", ")
}

func (s *Stats) add(t Stats) {
	s.Datagrams += t.Datagrams
	s.Bytes += t.Bytes
	s.Records += t.Records
	s.Observations += t.Observations
	s.Faults += t.Faults
	s.Unknown += t.Unknown
	s.Overrun += t.Overrun
	s.NoDetection += t.NoDetection
	s.Simulated += t.Simulated
	s.Test += t.Test
	s.Monitor += t.Monitor
	s.Coasted += t.Coasted
	s.Inhibited += t.Inhibited
	s.Unusable += t.Unusable
	s.Other += t.Other
}
