package asterix

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/health"
	wire "tocsin/wire/asterix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var site = geo.Position{Point: geo.Point{Lat: 50, Lon: 30}, Height: 180}

func radar() Config {
	return Config{ID: "north", Listen: "udp://127.0.0.1:0", SAC: 25, SIC: 12, Site: site, Period: 4 * time.Second,
		Errors:   observation.Errors{Range: 50, Azimuth: 0.1, Time: 200 * time.Millisecond},
		Coverage: observation.Coverage{Range: 200_000, Floor: 300}}
}

// bench is a feed with what came out of it.
type bench struct {
	t    *testing.T
	feed *Feed
	mu   sync.Mutex
	got  []observation.Observation
	said []health.Condition
}

func newBench(t *testing.T, configs ...Config) *bench {
	t.Helper()
	b := &bench{t: t}
	if len(configs) == 0 {
		configs = []Config{radar()}
	}
	feeds, err := Feeds(configs, func(c health.Condition) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.said = append(b.said, c)
	})
	if err != nil {
		t.Fatal(err)
	}
	b.feed = feeds[0]
	return b
}

func (b *bench) take(o observation.Observation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, o)
}

// count is how many observations have come, for tests with sockets.
func (b *bench) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got)
}

// set is one field of a record to be: a number of a physical value, or uint64 bits, or text.
type set struct {
	path  string
	value any
}

// record builds a record of the registered source.
func record(t testing.TB, category uint8, fields ...set) wire.Record {
	t.Helper()
	b, err := wire.NewBuilder(category, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append([]set{{"010/SAC", uint64(25)}, {"010/SIC", uint64(12)}}, fields...) {
		path := strings.Split(f.path, "/")
		switch v := f.value.(type) {
		case float64:
			b.Float(v, path...)
		case uint64:
			b.Uint(v, path...)
		case int:
			b.Uint(uint64(v), path...)
		case string:
			b.Text(v, path...)
		}
	}
	r, err := b.Record()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func octets(t testing.TB, records ...wire.Record) []byte {
	t.Helper()
	b, err := wire.Encode(records...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hear hands records to the feed and answers with what it made of them.
func (b *bench) hear(received time.Time, records ...wire.Record) []observation.Observation {
	b.t.Helper()
	b.got = nil
	b.feed.hear(octets(b.t, records...), received, b.take)
	return b.got
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// tod is a time of day in I0xx/140 and the like.
func tod(at time.Time) float64 { return at.Sub(at.Truncate(24 * time.Hour)).Seconds() }

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestPlot(t *testing.T) {
	b := newBench(t)
	got := b.hear(noon.Add(500*time.Millisecond), record(t, 48, set{"140", tod(noon)}, set{"020/TYP", 7}, set{"040/RHO", 50.0},
		set{"040/THETA", 90.0}, set{"070/MODE3A", "4512"}, set{"090/FL", 100.0}, set{"220", 0x3c660c}, set{"240", "DLH65A"},
		set{"161/TRN", 7}, set{"120/CAL/CAL", -100.0}, set{"130/PAM", 0xb8}, set{"030/0", 19}, set{"020/FOEFRI", 1}))
	if len(got) != 1 {
		t.Fatalf("%d observations, %+v", len(got), b.feed.Stats())
	}
	o := got[0]
	if o.Source != "north" || o.Key != "7" || !o.ObservedAt.Equal(noon) || !o.ReceivedAt.Equal(noon.Add(500*time.Millisecond)) {
		t.Errorf("head %+v", o)
	}
	p, ok := o.Body.(observation.Plot)
	if !ok || p.Range != 50*1852 || p.Azimuth != 90 || !p.HasHeight || !near(float64(p.Height), 3048, 1e-9) ||
		!near(float64(p.HeightError), 141, 1) || !p.HasDoppler || p.Doppler != -100 || p.HasElevation {
		t.Errorf("plot %+v", o.Body)
	}
	want := observation.Identity{Answer: observation.Friend, Mode3A: 0o4512, HasMode3A: true, Address: 0x3c660c, Flight: "DLH65A"}
	if o.Identity != want {
		t.Errorf("identity %+v", o.Identity)
	}
	if o.Evidence != "Mode S roll-call+PSR -72 dBm flags 19" {
		t.Errorf("evidence %q", o.Evidence)
	}
}

func TestPlotWithoutExtras(t *testing.T) {
	b := newBench(t)
	got := b.hear(noon, record(t, 48, set{"140", tod(noon)}, set{"020/TYP", 1}, set{"040/RHO", 10.0}, set{"040/THETA", 359.0}))
	if len(got) != 1 || got[0].Identity.Said() || got[0].Key != "" {
		t.Fatalf("%+v", got)
	}
	if p := got[0].Body.(observation.Plot); p.HasHeight || p.HasDoppler || p.Height != 0 {
		t.Errorf("plot %+v", p)
	}
}

func TestHeights(t *testing.T) {
	base := []set{{"140", tod(noon)}, {"020/TYP", 3}, {"040/RHO", 54.0}, {"040/THETA", 1.0}}
	for name, c := range map[string]struct {
		extra             []set
		height, deviation float64
		none              bool
	}{
		"measured before flight level":   {[]set{{"110/3DH", 10000.0}, {"090/FL", 50.0}}, 3048, 525, false},
		"flight level":                   {[]set{{"090/FL", 300.0}}, 9144, 294, false},
		"below mean sea level":           {[]set{{"090/FL", 0x3ff4}}, -91.44, 108, false},
		"flight level not validated":     {[]set{{"090/FL", 300.0}, {"090/V", 1}}, 0, 0, true},
		"flight level garbled":           {[]set{{"090/FL", 300.0}, {"090/G", 1}}, 0, 0, true},
		"measured though level is doubt": {[]set{{"110/3DH", 500.0}, {"090/FL", 300.0}, {"090/V", 1}}, 152.4, 525, false},
	} {
		got := newBench(t).hear(noon, record(t, 48, append(base[:len(base):len(base)], c.extra...)...))
		p := got[0].Body.(observation.Plot)
		if p.HasHeight == c.none || !near(float64(p.Height), c.height, 0.01) || !near(float64(p.HeightError), c.deviation, 1.5) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestWhatIsNoTargetIsSetAsideAndCounted(t *testing.T) {
	base := []set{{"140", tod(noon)}, {"040/RHO", 54.0}, {"040/THETA", 1.0}}
	with := func(fields ...set) wire.Record {
		return record(t, 48, append(base[:len(base):len(base)], fields...)...)
	}
	b := newBench(t)
	b.hear(noon, with(set{"020/TYP", 0}), with(set{"020/TYP", 1}, set{"020/SIM", 1}), with(set{"020/TYP", 5}, set{"020/RAB", 1}),
		with(set{"020/TYP", 1}, set{"020/TST", 1}), record(t, 48, set{"020/TYP", 1}, set{"140", tod(noon)}),
		record(t, 48, set{"020/TYP", 1}, set{"140", tod(noon)}, set{"040/RHO", 0.0}), record(t, 63), record(t, 65))
	want := Stats{Datagrams: 1, Bytes: 78, Records: 8, NoDetection: 1, Simulated: 1, Monitor: 1, Test: 1, Unusable: 2, Other: 2}
	if got := b.feed.Stats(); got != want || len(b.got) != 0 {
		t.Errorf("%+v, %d observations", got, len(b.got))
	}
	if len(b.said) != 1 || b.said[0].Name != SimulatedReports || b.said[0].Subject != "north" {
		t.Errorf("conditions %v", b.said)
	}
	exercise := radar()
	exercise.Simulated = true
	b = newBench(t, exercise)
	got := b.hear(noon, with(set{"020/TYP", 1}, set{"020/SIM", 1}), with(set{"020/TYP", 1}, set{"020/TST", 1}), with(set{"020/TYP", 5}, set{"020/RAB", 1}))
	if len(got) != 2 || len(b.said) != 0 || b.feed.Stats().Monitor != 1 {
		t.Errorf("exercise: %d observations, %v, %+v", len(got), b.said, b.feed.Stats())
	}
}

func TestExtendedRange(t *testing.T) {
	b := newBench(t)
	base := []set{{"140", tod(noon)}, {"020/TYP", 1}, {"020/ERR", 1}, {"040/RHO", 255.0}, {"040/THETA", 10.0}}
	got := b.hear(noon, record(t, 48, append(base, set{"RE/ERR", 300.0})...), record(t, 48, base...))
	if len(got) != 1 || got[0].Body.(observation.Plot).Range != 300*1852 || b.feed.Stats().Unusable != 1 {
		t.Errorf("%+v, %+v", got, b.feed.Stats())
	}
}

func TestAnswers(t *testing.T) {
	base := []set{{"140", tod(noon)}, {"020/TYP", 5}, {"040/RHO", 54.0}, {"040/THETA", 1.0}}
	for path, answers := range map[string][]observation.Allegiance{
		"020/FOEFRI":    {observation.Unstated, observation.Friend, observation.Unstated, observation.Unstated},
		"RE/M4E/FOEFRI": {observation.Unstated, observation.Unstated, observation.Unstated, observation.Friend},
		"RE/MD5/SUM/ID": {observation.Unstated, observation.Friend},
		"RE/M5N/SUM/DA": {observation.Unstated, observation.Friend},
	} {
		for value, want := range answers {
			got := newBench(t).hear(noon, record(t, 48, append(base[:len(base):len(base)], set{path, value})...))
			if got[0].Identity.Answer != want {
				t.Errorf("%s %d: %v", path, value, got[0].Identity.Answer)
			}
		}
	}
	doubt := newBench(t).hear(noon, record(t, 48, append(base, set{"070/MODE3A", "7700"}, set{"070/G", 1}, set{"020/RDP", 1}, set{"161/TRN", 9})...))
	if doubt[0].Identity.HasMode3A || doubt[0].Key != "9/2" {
		t.Errorf("%+v", doubt[0])
	}
}

func TestTimeOfDayWrapsAtMidnight(t *testing.T) {
	midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		observed, received time.Time
	}{
		{midnight.Add(-time.Second), midnight.Add(time.Second)},
		{midnight.Add(time.Second), midnight.Add(-time.Second)}, // a clock ahead
		{midnight, midnight.Add(3 * time.Second)},
		{midnight.Add(-20 * time.Second), midnight.Add(-19 * time.Second)},
		{noon, noon.Add(10 * time.Second)},
	} {
		b := newBench(t)
		got := b.hear(c.received, record(t, 48, set{"140", tod(c.observed)}, set{"020/TYP", 1}, set{"040/RHO", 5.0}, set{"040/THETA", 1.0}))
		if !got[0].ObservedAt.Equal(c.observed) || len(b.said) != 0 {
			t.Errorf("%s heard at %s: %s, %v", c.observed, c.received, got[0].ObservedAt, b.said)
		}
	}
	for name, fields := range map[string][]set{
		"missing":  {},
		"an hour":  {{"140", tod(noon.Add(time.Hour))}},
		"long ago": {{"140", tod(noon.Add(-2 * time.Minute))}},
	} {
		b := newBench(t)
		got := b.hear(noon, record(t, 48, append(fields, set{"020/TYP", 1}, set{"040/RHO", 5.0}, set{"040/THETA", 1.0})...))
		if !got[0].ObservedAt.Equal(noon) || len(b.said) != 1 || b.said[0].Name != SensorClock {
			t.Errorf("%s: %s, %v", name, got[0].ObservedAt, b.said)
		}
	}
	if at, off := resolve(86400*128-1, midnight); !at.Before(midnight) || off > 0 {
		t.Errorf("last tick of the day: %s", at)
	}
}

func TestUnknownSourcesAreNamed(t *testing.T) {
	b := newBench(t)
	for i := range 40 {
		r := record(t, 48, set{"010/SIC", 100 + i}, set{"020/TYP", 1}, set{"040/RHO", 5.0})
		b.hear(noon.Add(time.Duration(i)*time.Second), r)
	}
	if len(b.got) != 0 || b.feed.Stats().Unknown != 40 || len(b.said) != 4 {
		t.Fatalf("%d observations, %+v, %d conditions", len(b.got), b.feed.Stats(), len(b.said))
	}
	last := b.said[3]
	if last.Name != SourceUnknown || last.Count != 31 || !strings.Contains(last.Detail, "SAC 25 SIC 100 (1)") ||
		strings.Count(last.Detail, "SIC") != maxStrangers {
		t.Errorf("%+v", last)
	}
	b.feed.tick(noon.Add(5*time.Minute), b.take)
	if end := b.said[len(b.said)-1]; end.Raised {
		t.Errorf("not cleared: %+v", end)
	}
}

func TestFaultsAreCountedAndBlind(t *testing.T) {
	b := newBench(t)
	good := octets(t, record(t, 48, set{"140", tod(noon)}, set{"020/TYP", 1}, set{"040/RHO", 5.0}))
	b.feed.hear(append(good, 48, 0, 5, 0x80, 25), noon, b.take)
	if len(b.got) != 1 || b.feed.Stats().Faults != 1 || len(b.said) != 1 || b.said[0].Name != DecodeFaults ||
		!strings.Contains(b.said[0].Detail, "category 048") {
		t.Fatalf("%d observations, %+v, %v", len(b.got), b.feed.Stats(), b.said)
	}
	turn(b, noon, 90)
	if absences(b) != 0 {
		t.Errorf("%d absences while reports do not decode", absences(b))
	}
	turn(b, noon.Add(16*time.Second), 90)
	if absences(b) == 0 {
		t.Error("no absences once they decode again")
	}
}

// turn lets a radar's antenna turn twice from a time, with sector messages every step degrees.
func turn(b *bench, from time.Time, step int, extra ...set) {
	b.t.Helper()
	b.got = nil
	for az := 0; az < 720; az += step {
		at := from.Add(time.Duration(az) * 4 * time.Second / 360)
		fields := append([]set{{"000", sectorCrossing}, {"020", float64(az % 360)}, {"030", tod(at)}}, extra...)
		b.feed.hear(octets(b.t, record(b.t, 34, fields...)), at.Add(100*time.Millisecond), b.take)
		b.feed.tick(at.Add(100*time.Millisecond), b.take)
	}
	b.feed.tick(from.Add(10*time.Second), b.take)
}

func absences(b *bench) int {
	n := 0
	for _, o := range b.got {
		if _, ok := o.Body.(observation.Absence); ok {
			n++
		}
	}
	return n
}

func TestSectorsAreAbsences(t *testing.T) {
	b := newBench(t)
	turn(b, noon, 45)
	if absences(b) != 15 {
		t.Fatalf("%d absences of 15 sectors", absences(b))
	}
	first, last := b.got[0].Body.(observation.Absence), b.got[14].Body.(observation.Absence)
	if first != (observation.Absence{Sector: true, From: 0, To: 45}) || last != (observation.Absence{Sector: true, From: 270, To: 315}) {
		t.Errorf("%+v, %+v", first, last)
	}
	if at := b.got[0].ObservedAt; !near(at.Sub(noon).Seconds(), 0.5, 0.01) || b.got[0].Source != "north" {
		t.Errorf("%+v", b.got[0])
	}
	if wrapped := b.got[7].Body.(observation.Absence); wrapped.From != 315 || wrapped.To != 0 {
		t.Errorf("over north: %+v", wrapped)
	}
}

// A look is told only when its last plots must have come, and not over a gap.
func TestLooksAreHeldAndGapsAreNone(t *testing.T) {
	b := newBench(t)
	cross := func(azimuth float64, after time.Duration) {
		b.feed.hear(octets(t, record(t, 34, set{"000", sectorCrossing}, set{"020", azimuth}, set{"030", tod(noon.Add(after))})), noon.Add(after), b.take)
	}
	cross(0, 0)
	cross(45, 500*time.Millisecond)
	b.feed.tick(noon.Add(1400*time.Millisecond), b.take)
	if len(b.got) != 0 {
		t.Error("told before its plots can have come")
	}
	b.feed.tick(noon.Add(1500*time.Millisecond), b.take)
	if absences(b) != 1 {
		t.Error("never told")
	}
	cross(225, 2500*time.Millisecond) // two sectors lost
	cross(270, 9*time.Second)         // a turn lost
	b.feed.tick(noon.Add(20*time.Second), b.take)
	if absences(b) != 1 {
		t.Errorf("%d absences over gaps", absences(b)-1)
	}
}

func TestNorthMarkersOfARadarWithoutSectors(t *testing.T) {
	b := newBench(t)
	for i := range 3 {
		at := noon.Add(time.Duration(i) * 4 * time.Second)
		b.feed.hear(octets(t, record(t, 34, set{"000", northMarker}, set{"030", tod(at)})), at, b.take)
	}
	b.feed.tick(noon.Add(10*time.Second), b.take)
	if absences(b) != 2 || b.got[0].Body != (observation.Absence{}) || !b.got[0].ObservedAt.Equal(noon.Add(4*time.Second)) {
		t.Errorf("%+v", b.got)
	}
	b = newBench(t)
	turn(b, noon, 90)
	before := absences(b)
	b.feed.hear(octets(t, record(t, 34, set{"000", northMarker}, set{"030", tod(noon.Add(8 * time.Second))})), noon.Add(8*time.Second), b.take)
	b.feed.tick(noon.Add(20*time.Second), b.take)
	if absences(b) != before {
		t.Error("a whole turn besides the sectors")
	}
}

func TestRadarThatIsNotWholeProvesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		field     set
		condition string
	}{
		"inhibited":     {set{"050/COM/NOGO", 1}, SensorInhibited},
		"overloaded":    {set{"050/COM/OVLRDP", 1}, SensorDegraded},
		"link full":     {set{"050/COM/OVLXMT", 1}, SensorDegraded},
		"primary off":   {set{"050/PSR/CHAB", 0}, SensorDegraded},
		"primary full":  {set{"050/PSR/OVL", 1}, SensorDegraded},
		"primary other": {set{"050/SSR/CHAB", 0}, ""},
	} {
		b := newBench(t)
		turn(b, noon, 90, c.field)
		if c.condition == "" {
			if absences(b) == 0 || len(b.said) != 0 {
				t.Errorf("%s: %d absences, %v", name, absences(b), b.said)
			}
			continue
		}
		if absences(b) != 0 || len(b.said) != 1 || b.said[0].Name != c.condition || !b.said[0].Raised || b.said[0].Detail == "" {
			t.Errorf("%s: %d absences, %v", name, absences(b), b.said)
		}
		turn(b, noon.Add(8*time.Second), 90, set{"050/COM/MSC", 1}, set{"050/PSR/CHAB", 3})
		if absences(b) == 0 || len(b.said) != 2 || b.said[1].Raised {
			t.Errorf("%s, whole again: %d absences, %v", name, absences(b), b.said)
		}
	}
	for name, fields := range map[string][]set{
		"filter":  {{"000", filtering}, {"110", 3}},
		"jamming": {{"000", jamming}},
	} {
		b := newBench(t)
		b.hear(noon, record(t, 34, fields...))
		turn(b, noon, 90)
		if absences(b) != 0 || len(b.said) == 0 || b.said[0].Name != SensorDegraded {
			t.Errorf("%s: %d absences, %v", name, absences(b), b.said)
		}
		turn(b, noon.Add(16*time.Second), 90)
		if absences(b) == 0 || b.said[len(b.said)-1].Raised {
			t.Errorf("%s over: %d absences, %v", name, absences(b), b.said)
		}
	}
	b := newBench(t)
	b.hear(noon, record(t, 34, set{"000", northMarker}, set{"050/COM/NOGO", 1}))
	got := b.hear(noon, record(t, 48, set{"020/TYP", 1}, set{"040/RHO", 5.0}))
	if len(got) != 0 || b.feed.Stats().Inhibited != 1 {
		t.Errorf("plots of an inhibited radar: %d, %+v", len(got), b.feed.Stats())
	}
}

func TestInvalidClock(t *testing.T) {
	b := newBench(t)
	b.hear(noon, record(t, 34, set{"000", northMarker}, set{"030", tod(noon)}, set{"050/COM/TSV", 1}))
	got := b.hear(noon.Add(time.Second), record(t, 48, set{"140", tod(noon)}, set{"020/TYP", 1}, set{"040/RHO", 5.0}))
	if !got[0].ObservedAt.Equal(noon.Add(time.Second)) || b.said[len(b.said)-1].Name != SensorClock {
		t.Errorf("%+v, %v", got, b.said)
	}
}

func TestLocalTrackOfARadar(t *testing.T) {
	fields := []set{{"140", tod(noon)}, {"020/TYP", 3}, {"042/X", 30.0}, {"042/Y", 40.0}, {"200/GSP", 0.1}, {"200/HDG", 90.0},
		{"090/FL", 328.125}, {"161/TRN", 5}, {"210/SIGX", 0.1}, {"210/SIGY", 0.2}, {"210/SIGV", 0.002}, {"210/SIGH", 1.0}, {"170/TCC", 0}}
	got := newBench(t).hear(noon, record(t, 48, fields...))
	track, ok := got[0].Body.(observation.SensorTrack)
	if !ok || got[0].Key != "5" || track.Ended {
		t.Fatalf("%+v", got[0])
	}
	slant, up := 50*1852.0, 328.125*30.48-180
	want := math.Sqrt(slant*slant - up*up)
	if d := geo.Distance(site.Point, track.Position.Point); !near(float64(d), want, 1) {
		t.Errorf("ground range %v, want %v", d, want)
	}
	if az := geo.Bearing(site.Point, track.Position.Point); !near(float64(az), 36.87, 0.01) {
		t.Errorf("bearing %v", az)
	}
	if !near(track.Velocity[0], 185.2, 0.1) || !near(track.Velocity[1], 0, 0.1) || !near(math.Sqrt(track.Covariance[0][0]), 185, 10) ||
		!near(math.Sqrt(track.Covariance[3][3]), 4.9, 0.5) {
		t.Errorf("%+v", track)
	}
	ended := newBench(t).hear(noon, record(t, 48, append(fields[:4], set{"170/TRE", 1})...))
	last := ended[0].Body.(observation.SensorTrack)
	if !last.Ended || last.HasVelocity || !near(math.Sqrt(last.Covariance[2][2]), 3529, 1) {
		t.Errorf("%+v", last)
	}
}

func TestForeignTrack(t *testing.T) {
	b := newBench(t)
	got := b.hear(noon, record(t, 62, set{"070", tod(noon.Add(-time.Second))}, set{"105/LAT", 50.5}, set{"105/LON", 30.5}, set{"185/VX", 200.0},
		set{"185/VY", -20.0}, set{"220", 600.0}, set{"060/MODE3A", "1200"}, set{"245/CHR", "AUI1"}, set{"380/ADR", 0x508001}, set{"380/ID", "AUI101"},
		set{"040", 321}, set{"080/CNF", 1}, set{"080/MD5", 1}, set{"130", 10000.0}, set{"135/CTB", 50.0},
		set{"500/APC/X", 100.0}, set{"500/APC/Y", 50.0}, set{"500/COV", 20.0}, set{"500/ATV/X", 3.0}, set{"500/ATV/Y", 4.0}, set{"500/AGA", 100.0}))
	if len(got) != 1 || got[0].Key != "321" || !got[0].ObservedAt.Equal(noon.Add(-time.Second)) {
		t.Fatalf("%+v %+v", got, b.feed.Stats())
	}
	s := got[0].Body.(observation.SensorTrack)
	if !near(float64(s.Position.Lat), 50.5, 1e-5) || !near(float64(s.Position.Lon), 30.5, 1e-5) || !near(float64(s.Position.Height), 3048, 1) ||
		s.Velocity[0] != 200 || s.Velocity[1] != -20 || !near(s.Velocity[2], 3.048, 0.1) {
		t.Errorf("%+v", s)
	}
	c := s.Covariance
	if c[0][0] != 1e4 || c[1][1] != 2500 || c[0][1] != 400 || c[1][0] != 400 || c[3][3] != 9 || c[4][4] != 16 || !near(math.Sqrt(c[2][2]), 30.5, 1) {
		t.Errorf("covariance %v", c)
	}
	if id := got[0].Identity; id.Answer != observation.Friend || id.Mode3A != 0o1200 || id.Address != 0x508001 || id.Flight != "AUI101" {
		t.Errorf("identity %+v", id)
	}
	if got[0].Evidence != "track tentative" {
		t.Errorf("evidence %q", got[0].Evidence)
	}
}

func TestForeignTrackInThePlaneAndItsEnd(t *testing.T) {
	b := newBench(t)
	got := b.hear(noon, record(t, 62, set{"070", tod(noon)}, set{"100/X", 30000.0}, set{"100/Y", 40000.0}, set{"136", 100.0}, set{"040", 9}))
	s := got[0].Body.(observation.SensorTrack)
	if d := geo.Distance(site.Point, s.Position.Point); !near(float64(d), 50000, 1) || s.HasVelocity || !near(float64(s.Position.Height), 3048, 1) {
		t.Errorf("%v, %+v", d, s)
	}
	end := b.hear(noon.Add(4*time.Second), record(t, 62, set{"070", tod(noon.Add(4 * time.Second))}, set{"040", 9}, set{"080/TSE", 1}))
	if len(end) != 1 || !end[0].Body.(observation.SensorTrack).Ended || end[0].Body.(observation.SensorTrack).Position != s.Position {
		t.Errorf("end %+v", end)
	}
	again := b.hear(noon, record(t, 62, set{"040", 9}, set{"080/TSE", 1}), record(t, 62, set{"040", 10}),
		record(t, 62, set{"105/LAT", 50.0}, set{"080/CST", 1}), record(t, 62, set{"105/LAT", 50.0}, set{"080/SIM", 1}))
	if stats := b.feed.Stats(); len(again) != 0 || stats.Unusable != 2 || stats.Coasted != 1 || stats.Simulated != 1 {
		t.Errorf("%d, %+v", len(again), stats)
	}
}

func TestTracksRememberedAreBounded(t *testing.T) {
	b := newBench(t)
	for i := range maxLast + 100 {
		b.hear(noon, record(t, 62, set{"070", tod(noon)}, set{"105/LAT", 50.0}, set{"105/LON", 30.0}, set{"040", i}))
	}
	if n := len(b.feed.sources[identity{25, 12}].last); n != maxLast {
		t.Errorf("%d tracks remembered", n)
	}
}

func TestSourcesShareAnAddress(t *testing.T) {
	second := radar()
	second.ID, second.SIC = "south", 13
	b := newBench(t, radar(), second)
	got := b.hear(noon, record(t, 48, set{"010/SIC", 13}, set{"020/TYP", 1}, set{"040/RHO", 5.0}), record(t, 48, set{"020/TYP", 1}, set{"040/RHO", 5.0}))
	if len(got) != 2 || got[0].Source != "south" || got[1].Source != "north" {
		t.Errorf("%+v", got)
	}
	if b.feed.Heard("south").IsZero() || len(b.feed.Sources()) != 2 {
		t.Error("signs of life are lost")
	}
}

func TestConfigurationsRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no scheme":           func(c *Config) { c.Listen = "127.0.0.1:8600" },
		"tcp":                 func(c *Config) { c.Listen = "tcp://127.0.0.1:8600" },
		"no port":             func(c *Config) { c.Listen = "udp://127.0.0.1" },
		"port":                func(c *Config) { c.Listen = "udp://127.0.0.1:70000" },
		"name":                func(c *Config) { c.Listen = "udp://radar.example:8600" },
		"path":                func(c *Config) { c.Listen = "udp://127.0.0.1:8600/x" },
		"option":              func(c *Config) { c.Listen = "udp://127.0.0.1:8600?ttl=1" },
		"interface":           func(c *Config) { c.Listen = "udp://239.1.1.1:8600?interface=none0" },
		"interface, unicast":  func(c *Config) { c.Listen = "udp://127.0.0.1:8600?interface=lo" },
		"edition":             func(c *Config) { c.Editions = wire.Editions{48: "9.9"} },
		"site":                func(c *Config) { c.Site.Lat = 91 },
		"no id":               func(c *Config) { c.ID = "" },
		"same id":             func(c *Config) { c.SIC = 99 },
		"same name of itself": func(c *Config) { c.ID = "other" },
		"other editions":      func(c *Config) { c.ID, c.SIC, c.Editions = "other", 99, wire.Editions{48: "1.30"} },
	} {
		first, second := radar(), radar()
		change(&second)
		if _, err := Feeds([]Config{first, second}, nil); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	feeds, err := Feeds([]Config{radar(), {ID: "other", Listen: "udp://:8601", Site: site}}, nil)
	if err != nil || len(feeds) != 2 || feeds[1].Name() != "udp://0.0.0.0:8601" {
		t.Errorf("%v, %v", feeds, err)
	}
}

// FuzzHear holds that no datagram makes a feed panic or say numbers that are none.
func FuzzHear(f *testing.F) {
	f.Add(octets(f, record(f, 48, set{"140", tod(noon)}, set{"020/TYP", 7}, set{"040/RHO", 50.0}, set{"042/X", 1.0})))
	f.Add(octets(f, record(f, 48, set{"020/TYP", 7}, set{"042/X", 1.0}, set{"200/GSP", 0.1}, set{"030/0", 1})))
	f.Add(octets(f, record(f, 34, set{"000", 2}, set{"020", 45.0}, set{"030", tod(noon)}, set{"050/COM/NOGO", 1}),
		record(f, 34, set{"000", 2}, set{"020", 90.0}, set{"030", tod(noon.Add(time.Second))})))
	f.Add(octets(f, record(f, 62, set{"105/LAT", 50.0}, set{"040", 1}, set{"080/TSE", 1}, set{"500/APC/X", 1.0}, set{"185/VX", 1.0})))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		feeds, err := Feeds([]Config{radar()}, func(c health.Condition) {
			if len(c.Detail) > 4096 {
				t.Errorf("detail of %d octets", len(c.Detail))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		check := func(o observation.Observation) {
			if o.Source != "north" || o.Body == nil || o.ObservedAt.IsZero() || len(o.Evidence) > 256 || strings.Contains(fmt.Sprint(o.Body), "NaN") {
				t.Errorf("%+v", o)
			}
		}
		for i := range 3 {
			feeds[0].hear(datagram, noon.Add(time.Duration(i)*time.Second), check)
			feeds[0].tick(noon.Add(time.Duration(i)*time.Second), check)
		}
	})
}
