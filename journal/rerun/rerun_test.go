package rerun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/journal"
	"tocsin/journal/recording"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var night = time.Date(2026, 11, 22, 3, 12, 0, 0, time.UTC)

// squares are four zones in a row.
func squares(t *testing.T) *zone.Set {
	t.Helper()
	var all []zone.Zone
	for i, id := range []zone.ID{"a", "b", "c", "d"} {
		west := geo.Degrees(34 + 0.1*float64(i))
		ring := geo.Ring{{Lat: 50, Lon: west}, {Lat: 50, Lon: west + 0.1}, {Lat: 50.1, Lon: west + 0.1}, {Lat: 50.1, Lon: west}, {Lat: 50, Lon: west}}
		all = append(all, zone.Zone{ID: id, Names: map[string]string{"en": string(id)}, Shape: geo.MultiPolygon{{Outer: ring}}})
	}
	set, err := zone.NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// folder is a data folder in the making: what is recorded, and what is kept.
type folder struct {
	t    *testing.T
	data string
	set  *zone.Set
	rec  *recording.Recording
	kept []journal.New
	core *pipeline.Pipeline
	n    uint64
	now  time.Time
	pack recording.Packer
}

func newFolder(t *testing.T) *folder {
	f := &folder{t: t, data: t.TempDir(), set: squares(t), now: night}
	var err error
	if f.rec, err = recording.Open(filepath.Join(f.data, Folder), recording.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.rec.Close() })
	return f
}

func (f *folder) line(mark recording.Mark, r pipeline.Recorded) {
	f.t.Helper()
	b, err := r.Append(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.rec.Write(f.now, f.pack.Pack(mark, append(b, '\n'))); err != nil {
		f.t.Fatal(err)
	}
}

// begin makes a core, as a process does that starts.
func (f *folder) begin(start int) {
	f.t.Helper()
	cfg := pipeline.Config{
		Alert: alert.Config{Universe: alert.Exercise, Sender: "a@example", Languages: []string{"en"}, Location: time.UTC},
		Zones: f.set, Policy: warning.DefaultPolicy(), TrackPrefix: fmt.Sprint("t", start, "-"),
	}
	b, err := pipeline.BeginningOf(cfg, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	b.At, b.Start, b.Journal, b.Program = f.now, start, int64(len(f.kept)), "this"
	f.line(recording.Begins, pipeline.Recorded{Beginning: &b})
	f.core, f.n = pipeline.New(cfg), 0
	f.give(pipeline.Restored{})
}

// give gives the core an input and returns what is to be kept of it.
func (f *folder) give(in pipeline.Input) (keep []journal.New) {
	f.t.Helper()
	f.n++
	f.now = f.now.Add(time.Second)
	f.line(recording.GoesOn, pipeline.Recorded{Number: f.n, Now: f.now, Input: in})
	for _, c := range f.core.Step(f.now, in) {
		if kind, body, ok, err := pipeline.Entry(c); err != nil {
			f.t.Fatal(err)
		} else if ok {
			keep = append(keep, journal.New{At: f.now, Kind: kind, Body: body})
		}
	}
	return keep
}

func (f *folder) declare(id string, zones ...zone.ID) []journal.New {
	f.t.Helper()
	keep := f.give(pipeline.Commanded{Command: warning.Command{
		ID: id, Action: warning.Declare, By: warning.Issuer{Kind: warning.ByAuthority, Name: "a"}, Zones: zones, Stage: warning.Shelter,
		Threat: class.Rocket, Until: night.Add(time.Hour), Reason: "seen",
	}})
	if len(keep) != 2 {
		f.t.Fatalf("a declaration gave %d entries", len(keep))
	}
	return keep
}

func (f *folder) keep(entries ...journal.New) { f.kept = append(f.kept, entries...) }

func (f *folder) end(orderly bool) {
	f.line(recording.GoesOn, pipeline.Recorded{Ended: &pipeline.Ended{Number: f.n, Orderly: orderly}})
}

// replay writes the journal and holds the recording against it.
func (f *folder) replay(edit func(*Job)) *Report {
	f.t.Helper()
	j, err := journal.Open(f.t.Context(), f.data, journal.Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range f.kept {
		if _, err := j.Append(f.t.Context(), e); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		f.t.Fatal(err)
	}
	r, err := journal.OpenReader(f.t.Context(), f.data)
	if err != nil {
		f.t.Fatal(err)
	}
	defer r.Close()
	job := Job{Data: f.data, Journal: r, Program: "this", Sets: func(v string) (*zone.Set, error) {
		if v != f.set.Version() {
			return nil, errors.New("another set")
		}
		return f.set, nil
	}}
	if edit != nil {
		edit(&job)
	}
	report, err := Run(f.t.Context(), job)
	if err != nil {
		f.t.Fatal(err)
	}
	return report
}

// TestWhatComesOut: each way in which recording and journal can be to each other.
func TestWhatComesOut(t *testing.T) {
	other := func(e journal.New, old, new string) journal.New {
		e.Body = bytes.Replace(e.Body, []byte(old), []byte(new), 1)
		return e
	}
	cases := []struct {
		name      string
		make      func(f *folder)
		equal     int // of decisions and alerts together
		different int
		open      int
		proven    bool
		says      string // in the report as JSON
	}{
		{"all equal", func(f *folder) {
			f.begin(1)
			f.keep(journal.New{At: f.now, Kind: "start", Body: []byte("{}")})
			f.keep(f.declare("1", "a")...)
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 4, 0, 0, true, `"end":"orderly"`},
		{"two starts", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")...)
			f.begin(2)
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 4, 0, 0, true, `"end":"killed"`},
		{"a byte of an alert", func(f *folder) {
			f.begin(1)
			k := f.declare("1", "a")
			f.keep(k[0], other(k[1], `"zone":"a"`, `"zone":"d"`))
			f.end(true)
		}, 1, 1, 0, false, `zone\":\"d\"`},
		{"not kept", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")[0])
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 3, 1, 0, false, `"journal":""`},
		{"kept and not decided", func(f *folder) {
			f.begin(1)
			k := f.declare("1", "a")
			f.keep(k...)
			f.keep(other(k[1], `"id":"`, `"id":"x`))
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 4, 1, 0, false, `"replay":""`},
		{"kept twice", func(f *folder) {
			f.begin(1)
			k := f.declare("1", "a")
			f.keep(slices.Concat(k, k)...)
			f.end(true)
		}, 2, 0, 0, true, ""},
		{"kept late", func(f *folder) {
			f.begin(1)
			k := f.declare("1", "a")
			f.keep(f.declare("2", "b")...)
			f.keep(k...)
			f.end(true)
		}, 4, 0, 0, true, `"kept_late":1`},
		{"kept by the next start", func(f *folder) {
			f.begin(1)
			k := f.declare("1", "a")
			f.begin(2)
			f.keep(k...)
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 4, 0, 0, true, `"kept_late":1`},
		{"killed before it was kept", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")...)
			f.declare("2", "b")
		}, 2, 0, 2, true, `"end":"killed"`},
		{"killed before it was recorded", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")...)
			e := f.kept[1]
			e.At = f.now.Add(time.Second)
			f.keep(other(e, `"id":"`, `"id":"x`))
		}, 2, 0, 1, true, ""},
		{"killed, and one before is missing", func(f *folder) {
			f.begin(1)
			f.declare("1", "a")
			f.keep(f.declare("2", "b")...)
		}, 2, 2, 0, false, ""},
		{"a gap", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")...)
			f.n++
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 2, 0, 2, false, `input 3 is missing`},
		{"a gap at the end", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")...)
			f.n += 2
			f.end(true)
		}, 2, 0, 0, false, `input 3 to 4 is missing in the recording, at its end`},
		{"no beginning", func(f *folder) {
			f.begin(1)
			f.kept, f.rec = nil, f.afresh()
			f.keep(f.declare("1", "a")...)
			f.begin(2)
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 2, 0, 0, true, `"headless":{"inputs":1`},
		{"nothing at all", func(*folder) {}, 0, 0, 0, false, `"starts":[]`},
		{"another set of zones", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")...)
			f.set = &zone.Set{}
		}, 0, 0, 0, false, `another set`},
		{"bytes that are no batch", func(f *folder) {
			f.begin(1)
			f.keep(f.declare("1", "a")...)
			if err := f.rec.Write(f.now, []byte("Inot packed")); err != nil {
				f.t.Fatal(err)
			}
			f.keep(f.declare("2", "b")...)
			f.end(true)
		}, 4, 0, 0, true, `"batches_damaged":1`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFolder(t)
			c.make(f)
			r := f.replay(nil)
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if equal, open := r.Decisions.Equal+r.Alerts.Equal, r.Decisions.Open+r.Alerts.Open; equal != c.equal || r.Different() != c.different || open != c.open || r.Proven() != c.proven {
				t.Errorf("%d equal, %d different, %d open, proven %t\n%s", equal, r.Different(), open, r.Proven(), text)
			}
			if !strings.Contains(string(text), c.says) {
				t.Errorf("does not say %s\n%s", c.says, text)
			}
			if (r.First != nil) != (c.different > 0) {
				t.Errorf("first difference: %+v", r.First)
			}
			sum := Count{}
			for _, s := range r.Starts {
				sum.Equal += s.Decisions.Equal + s.Alerts.Equal
				sum.Different += s.Decisions.Different + s.Alerts.Different
				sum.Open += s.Decisions.Open + s.Alerts.Open
			}
			if sum.Equal != c.equal || sum.Different != c.different || sum.Open != c.open {
				t.Errorf("the starts together: %+v", sum)
			}
		})
	}
}

// afresh is another recording in place of what was recorded so far.
func (f *folder) afresh() *recording.Recording {
	f.t.Helper()
	if err := f.rec.Close(); err != nil {
		f.t.Fatal(err)
	}
	f.data = f.t.TempDir()
	rec, err := recording.Open(filepath.Join(f.data, Folder), recording.Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { rec.Close() })
	return rec
}

// A part of a night, its trace, and an end by the caller.
func TestBounds(t *testing.T) {
	f := newFolder(t)
	f.begin(1)
	f.keep(f.declare("1", "a")...)
	between := f.now.Add(time.Second)
	f.keep(f.declare("2", "b")...)
	f.end(true)
	var lines []string
	r := f.replay(func(j *Job) {
		j.From = between
		j.Trace = func(start int, now time.Time, change string) {
			lines = append(lines, fmt.Sprint(start, " ", now.Sub(night), " ", change))
		}
		j.Progress = func(done, total int) {
			if done < 1 || done > total {
				t.Errorf("%d of %d", done, total)
			}
		}
	})
	if !r.Proven() || r.Compared() != 2 || len(lines) != 2 || !strings.HasPrefix(lines[0], "1 3s warning ") || !strings.HasPrefix(lines[1], "1 3s alert ") {
		t.Errorf("from the second on: %+v\n%q", r, lines)
	}
	f.kept = nil // they are in the journal
	if r := f.replay(func(j *Job) { j.Until = between }); !r.Proven() || r.Compared() != 2 || r.Starts[0].End != "until" {
		t.Errorf("up to the second: %+v", r)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	reader, err := journal.OpenReader(t.Context(), f.data)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := Run(ctx, Job{Data: f.data, Journal: reader}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
	if _, err := Run(t.Context(), Job{Data: t.TempDir(), Journal: reader}); err == nil {
		t.Error("no recording is no error")
	}
}

func TestAround(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, c := range []struct{ a, b, wantA, wantB string }{
		{"one", "two", "one", "two"},
		{"", "two", "", "two"},
		{"same", "same and more", "same", "same and more"},
		{long + "a" + long, long + "b" + long, "a", "b"},
	} {
		a, b := around([]byte(c.a), []byte(c.b))
		if !strings.Contains(a, c.wantA) || !strings.Contains(b, c.wantB) || len(a) > shortened+30 || len(b) > shortened+30 {
			t.Errorf("%.20q and %.20q: %q and %q", c.a, c.b, a, b)
		}
	}
}
