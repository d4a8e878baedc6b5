package pipeline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
	"tocsin/wire/hostile"
)

// known is a world that has Ukraine's zones and the time zones of this machine.
func known(t testing.TB) pipeline.World {
	t.Helper()
	set := ukraine(t)
	return pipeline.World{
		Sets: func(version string) (*zone.Set, error) {
			if version != set.Version() {
				return nil, errors.New("not kept: " + version)
			}
			return set, nil
		},
		Location: time.LoadLocation,
	}
}

func recorded(t testing.TB, r pipeline.Recorded) []byte {
	t.Helper()
	b, err := r.Append(nil)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return b
}

func readBack(t testing.TB, b []byte) pipeline.Recorded {
	t.Helper()
	r, err := pipeline.ReadRecorded(b, known(t))
	if err != nil {
		t.Fatalf("%.300s: %v", b, err)
	}
	return r
}

// TestARecordingGivesTheSameChanges: cores that are made and fed from the written form of
// what others were made of and given, decide the same byte for byte: radars, a restart, a
// person's commands, sound and citizens.
func TestARecordingGivesTheSameChanges(t *testing.T) {
	for name, lasts := range map[string]time.Duration{
		"restart": 5 * time.Minute, "operator-cancels": 4 * time.Minute, "heard-not-seen": 3 * time.Minute, "rumour": 2 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t, name, lasts)
			inputs, want := run(t, w)
			var got bytes.Buffer
			var core *pipeline.Pipeline
			starts := 0
			kinds := map[string]int{}
			for i, in := range inputs {
				if _, begins := in.in.(pipeline.Restored); begins {
					b, err := pipeline.BeginningOf(config(t, w.Sources(), string(rune('A'+starts))), nil)
					if err != nil {
						t.Fatal(err)
					}
					cfg, err := readBack(t, recorded(t, pipeline.Recorded{Beginning: &b})).Beginning.Config(known(t))
					if err != nil {
						t.Fatal(err)
					}
					core = pipeline.New(cfg)
					starts++
				}
				r := readBack(t, recorded(t, pipeline.Recorded{Number: uint64(i + 1), Now: in.now, Input: in.in}))
				if r.Number != uint64(i+1) {
					t.Fatalf("input %d came back as %d", i+1, r.Number)
				}
				kinds[reflect.TypeOf(r.Input).Name()]++
				write(t, &got, r.Now, core.Step(r.Now, r.Input))
			}
			if !bytes.Equal(want, got.Bytes()) {
				t.Error(difference(want, got.Bytes()))
			}
			if kinds["Observed"] < 20 {
				t.Errorf("the world gave %v: it proves nothing", kinds)
			}
		})
	}
}

// oneOfEach are inputs of every kind, and what a recording has besides.
func oneOfEach(t testing.TB) []pipeline.Recorded {
	now := time.Date(2026, 11, 22, 3, 12, 0, 123_000_001, time.UTC)
	set := ukraine(t)
	id := set.ByIndex(0).ID
	b, err := pipeline.BeginningOf(config(t, []observation.Source{{ID: "radar", Kind: "asterix", HasSite: true, Period: 4 * time.Second, Trust: 0.9, Confusion: confusing}}, "t7-"), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.At, b.Start, b.Journal, b.Program = now, 7, 4711, "a revision"
	policy := bytes.Replace(warning.ShippedPolicy(), []byte("version: shipped 3"), []byte("version: ours 1"), 1)
	p, err := warning.ReadPolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	w := warning.Warning{ID: "w1", Revision: 3, At: now, Since: now, Causes: []warning.Cause{{Track: "t1-4", Threat: class.Drone, SeenAt: now}},
		Zones: []warning.ZoneState{{Zone: id, Stage: warning.Shelter, Since: now, Until: now.Add(time.Hour), Basis: warning.Basis{Rule: "p", Figures: map[string]float64{"p": 0.1 + 0.2}}}}, Policy: p.Hash}
	plot := observation.Observation{Source: "radar", Key: "7", ObservedAt: now.Add(-time.Second), ReceivedAt: now, Says: class.Of(class.Drone), Identity: observation.Identity{Answer: observation.Foe, Mode3A: 0o7700, HasMode3A: true}}
	var heard pipeline.Observed
	for _, body := range []observation.Body{
		observation.Plot{Range: 1e5 / 3, Azimuth: 1.0 / 3, HasHeight: true, Height: 900.1}, observation.Fix{Covariance: [3][3]float64{{1, 0.1, 0}, {0.1, 2, 0}, {0, 0, 3}}},
		observation.SensorTrack{Velocity: [3]float64{1, -2, 0.5}, HasVelocity: true}, observation.Bearing{Azimuth: 359.9, Width: 2}, observation.Presence{Reach: 3000},
		observation.Cue{LaunchedAt: now}, observation.Cooperative{Error: 30}, observation.Absence{Sector: true, From: 45, To: 90}, nil,
	} {
		o := plot
		o.Body = body
		heard.More = append(heard.More, o)
	}
	heard.Observation, heard.More = heard.More[0], heard.More[1:]
	var all []pipeline.Recorded
	for i, in := range []pipeline.Input{
		pipeline.Restored{Warnings: []warning.Warning{w}, Alerts: []alert.Alert{{ID: "w1.3", Warning: "w1", Sent: now, Areas: []alert.Area{{Zone: id, Names: map[string]string{"uk": "Київ \ufffd"}}}}}, Commands: []string{"c1"}},
		heard, pipeline.Observed{Observation: plot},
		pipeline.Commanded{Command: warning.Command{ID: "c2", Action: warning.Declare, By: warning.Issuer{Kind: warning.ByAuthority, Name: "a"}, Zones: []zone.ID{id}, Stage: warning.Prepare, Threat: class.Rocket, Until: now.Add(time.Hour)}},
		pipeline.Received{Receipt: alert.Receipt{Channel: "feed", Alert: "w1.3", State: alert.Accepted, At: now, Areas: map[zone.ID]alert.State{id: alert.Broadcast}}},
		pipeline.Health{Condition: health.Condition{Name: "feed-silent", Subject: "radar", Raised: true, At: now}},
		pipeline.PolicyChanged{Policy: p, File: policy}, pipeline.ZonesChanged{Zones: set.Recall(map[zone.ID]zone.ID{"gone": id})}, pipeline.Ticked{},
	} {
		all = append(all, pipeline.Recorded{Number: uint64(i + 1), Now: now.Add(time.Duration(i)), Input: in})
	}
	return append(all, pipeline.Recorded{Beginning: &b}, pipeline.Recorded{Ended: &pipeline.Ended{Number: 9, Orderly: true}})
}

// Every kind comes back as it was, and is written the same again.
func TestRecordedComesBack(t *testing.T) {
	for _, want := range oneOfEach(t) {
		b := recorded(t, want)
		got := readBack(t, b)
		if again := recorded(t, got); !bytes.Equal(b, again) {
			t.Errorf("written\n%s\nand again\n%s", b, again)
		}
		if z, ok := want.Input.(pipeline.ZonesChanged); ok {
			g := got.Input.(pipeline.ZonesChanged)
			if !reflect.DeepEqual(g.Zones.Memory(), z.Zones.Memory()) || g.Zones.Version() != z.Zones.Version() {
				t.Errorf("a set with the memory %v came back with %v", z.Zones.Memory(), g.Zones.Memory())
			}
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	// Before the year 1970, and to the nanosecond.
	at := pipeline.Recorded{Number: 1, Now: time.Unix(-5, 3).UTC(), Input: pipeline.Ticked{}}
	if got := readBack(t, recorded(t, at)); !got.Now.Equal(at.Now) {
		t.Errorf("%s came back as %s", at.Now, got.Now)
	}
}

// fill puts a random value into everything of v, special ones more often than chance would.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			at := time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()
			switch r.IntN(200) {
			case 0:
				at = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
			case 1:
				at = time.Time{}
			}
			v.Set(reflect.ValueOf(at))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Float64:
		special := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1 + 0.2}
		if x := r.IntN(400); x < len(special) {
			v.SetFloat(special[x])
		} else if x < 200 {
			v.SetFloat(math.Float64frombits(r.Uint64() &^ (1 << 62))) // finite, of any size below two
		}
	case reflect.String:
		special := []string{"plain", "\x00<&>\u2028\ufffd", "\xff", "Київ", `\ufffd`}
		if x := r.IntN(100); x < len(special) {
			v.SetString(special[x])
		}
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int64, reflect.Int:
		v.SetInt(r.Int64())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64N(1 << v.Type().Bits() / 2))
	case reflect.Interface: // the body
		bodies := []any{nil, observation.Plot{}, observation.Fix{}, observation.SensorTrack{}, observation.Bearing{}, observation.Presence{}, observation.Cue{}, observation.Cooperative{}, observation.Absence{}}
		if b := bodies[r.IntN(len(bodies))]; b != nil {
			filled := reflect.New(reflect.TypeOf(b)).Elem()
			fill(r, filled)
			v.Set(filled)
		}
	}
}

// same is equality to the bit.
func same(a, b reflect.Value) bool {
	if a.Kind() != b.Kind() || a.Kind() == reflect.Interface && a.IsNil() != b.IsNil() {
		return false
	}
	switch a.Kind() {
	case reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Interface:
		return a.IsNil() || a.Elem().Type() == b.Elem().Type() && same(a.Elem(), b.Elem())
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[time.Time]() {
			return a.Interface() == b.Interface()
		}
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Array:
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// Any observation comes back to the bit, or is refused: none is changed in silence. A field
// that is added to an observation is tried here without a word.
func TestObservationsComeBackOrAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	exact, refused := 0, 0
	for range 10_000 {
		var want observation.Observation
		fill(r, reflect.ValueOf(&want).Elem())
		b, err := pipeline.Recorded{Number: 1, Now: start, Input: pipeline.Observed{Observation: want}}.Append([]byte("x"))
		if err != nil {
			if refused++; !errors.Is(err, pipeline.ErrInexact) || string(b) != "x" {
				t.Fatalf("%+v: %q, %v", want, b, err)
			}
			continue
		}
		exact++
		got, err := pipeline.ReadRecorded(b[1:], known(t))
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if o := got.Input.(pipeline.Observed); !same(reflect.ValueOf(o.Observation), reflect.ValueOf(want)) || len(o.More) > 0 {
			t.Fatalf("%s\ngot  %+v\nwant %+v", b, o.Observation, want)
		}
	}
	if exact < 2000 || refused < 500 {
		t.Errorf("%d came back and %d were refused: it proves little", exact, refused)
	}
}

// What has no exact form is named.
func TestInexact(t *testing.T) {
	changed := warning.DefaultPolicy()
	changed.Longest++
	models := config(t, nil, "A")
	models.Models.Futures = 64
	if _, err := pipeline.BeginningOf(models, nil); !errors.Is(err, pipeline.ErrInexact) {
		t.Errorf("other models: %v", err)
	}
	trust := config(t, []observation.Source{{ID: "a", Trust: math.Copysign(0, -1)}}, "A")
	b, err := pipeline.BeginningOf(trust, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Sources[0].Errors.Range = -0.1
	b.Program = "\xff"
	for name, r := range map[string]pipeline.Recorded{
		"a policy changed by hand":    {Number: 1, Now: start, Input: pipeline.PolicyChanged{Policy: changed}},
		"a policy of another file":    {Number: 1, Now: start, Input: pipeline.PolicyChanged{Policy: warning.DefaultPolicy(), File: []byte("longest: 1h")}},
		"a detail that is no text":    {Number: 1, Now: start, Input: pipeline.Health{Condition: health.Condition{Name: "x", Detail: "\xfe"}}},
		"a time beyond nanoseconds":   {Number: 1, Now: time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC), Input: pipeline.Ticked{}},
		"a beginning that is no text": {Beginning: &b},
		"no input":                    {Number: 1, Now: start},
	} {
		if got, err := r.Append(nil); !errors.Is(err, pipeline.ErrInexact) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// Lines that we did not write are errors that say why.
func TestBadRecordings(t *testing.T) {
	for text, why := range map[string]string{
		``:                               "EOF",
		`{}`:                             "0 things",
		`null`:                           "0 things",
		`[]`:                             "cannot unmarshal",
		`{"n":1,"now":1,"ticked":{}}}`:   "behind the line",
		`{"n":1,"now":1,"ticked":{}} {}`: "behind the line",
		`{"n":1,"now":1,"ticked":{},"ended":{"n":1,"orderly":true}}`: "2 things",
		`{"now":1,"ticked":{}}`:                                                "without a number",
		`{"n":-1,"now":1,"ticked":{}}`:                                         "cannot unmarshal",
		`{"n":1,"now":1,"tocked":{}}`:                                          `unknown field "tocked"`,
		`{"n":1,"now":1,"observed":[]}`:                                        "0 things",
		`{"n":1,"now":1,"observed":[{"source":"a","plot":{},"cue":{}}]}`:       "2 bodies",
		`{"n":1,"now":1,"observed":[{"source":"a"},{"plot":{},"absence":{}}]}`: "2 bodies",
		`{"n":1,"now":1,"observed":[{"source":"a","plot":{"range":1e999}}]}`:   "1e999",
		`{"n":1,"now":1,"zones":{"version":"0123456789abcdef"}}`:               "not kept",
		`{"n":1,"now":1,"policy":{"hash":"x","file":"bm8="}}`:                  "policy",
		`{"n":1,"now":1,"commanded":{"id":"x","stage":"panic"}}`:               "panic",
	} {
		if r, err := pipeline.ReadRecorded([]byte(text), known(t)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %+v, %v; want %q", text, r, err, why)
		}
	}
	file, err := json.Marshal(warning.ShippedPolicy())
	if err != nil {
		t.Fatal(err)
	}
	forged := `{"n":1,"now":1,"policy":{"hash":"00","file":` + string(file) + `}}`
	if _, err := pipeline.ReadRecorded([]byte(forged), known(t)); err == nil || !strings.Contains(err.Error(), "is said to have 00") {
		t.Errorf("a policy under another's hash: %v", err)
	}
	b := *oneOfEach(t)[9].Beginning
	b.Timezone = "Europe/Nowhere"
	if _, err := b.Config(known(t)); err == nil || !strings.Contains(err.Error(), "Nowhere") {
		t.Errorf("a time zone that is none: %v", err)
	}
}

func readRecorded(t testing.TB) func([]byte) bool {
	w := known(t)
	return func(b []byte) bool {
		r, err := pipeline.ReadRecorded(b, w)
		if err == nil && r.Beginning != nil {
			_, err = r.Beginning.Config(w)
		}
		return err == nil
	}
}

// Any line of a recording.
func TestRecordedMutations(t *testing.T) {
	var seeds [][]byte
	for _, r := range oneOfEach(t) {
		seeds = append(seeds, recorded(t, r))
	}
	hostile.Run(t, hostile.Decoder{Name: "core/pipeline recorded", Seeds: seeds, Decode: readRecorded(t)})
}

// What is taken can be written again, and comes back.
func FuzzReadRecorded(f *testing.F) {
	for _, r := range oneOfEach(f) {
		f.Add(recorded(f, r))
	}
	w := known(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := pipeline.ReadRecorded(b, w)
		if err != nil {
			return
		}
		text, err := r.Append(nil)
		if errors.Is(err, pipeline.ErrInexact) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		again, err := pipeline.ReadRecorded(text, w)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if twice, err := again.Append(nil); err != nil || !bytes.Equal(twice, text) {
			t.Fatalf("%s\n%s\n%v", text, twice, err)
		}
	})
}

// BenchmarkRecorded is one plot of a radar, written and read.
func BenchmarkRecorded(b *testing.B) {
	now := start
	in := pipeline.Recorded{Number: 1, Now: now, Input: pipeline.Observed{Observation: observation.Observation{
		Source: "radar-north", Key: "1234", ObservedAt: now.Add(-time.Second / 3), ReceivedAt: now,
		Body: observation.Plot{Range: 81234.5678, Azimuth: 123.456789, HasHeight: true, Height: 1234.5, HeightError: 100},
	}}}
	var line []byte
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			line, _ = in.Append(line[:0])
		}
		b.ReportMetric(float64(len(line)), "bytes")
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := pipeline.ReadRecorded(line, pipeline.World{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
