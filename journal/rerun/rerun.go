// Package rerun makes the core anew from a recording, gives it what it was given, and holds
// what it decides against what the journal has kept.
//
// In: a data folder's recording and journal, the zone sets by version. Out: a Report: what
// came out byte for byte the same, what did not, and what cannot be compared, and why. It
// changes nothing, speaks to nobody, and never takes what it could not compare for equal.
//
// # What can be compared
//
// A core is replayed from its Beginning, the first line that a process records. Where that
// was dropped with the oldest segments, nothing of the process can be compared. Inputs have
// numbers: behind the first that is missing the core would be another one, and nothing is
// compared until the next start. A process that was killed leaves a recording that ends up
// to a second before its last decisions, or decisions that were never kept: both lie at its
// very end, and are told apart from differences.
package rerun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tocsin/core/pipeline"
	"tocsin/core/zone"
	"tocsin/journal"
	"tocsin/journal/recording"
)

// Folder is the recording's in a data folder.
const Folder = "recording"

// maxBatch bounds what a batch may unpack to: one line of the longest kind and a batch.
const maxBatch = pipeline.MaxRecorded + 1<<20

// Job is what is to be replayed.
type Job struct {
	Data    string          // the data folder; a system may be running on it
	Journal *journal.Reader // its journal
	// Sets gives a zone set by its version.
	Sets func(version string) (*zone.Set, error)
	// Program is what replays, in the words of a Beginning.
	Program string
	// From and Until bound what is compared and traced; zero: everything. The replay itself
	// begins with the start before From.
	From, Until time.Time
	// Each is the core's; nil: one after the other.
	Each func(n int, do func(i int))
	// Trace is given each change that a scenario's trace would show; nil: nobody asks.
	Trace func(start int, now time.Time, change string)
	// Progress is told how many batches are done; nil: nobody asks.
	Progress func(done, total int)
}

// replay is one run over a recording.
type replay struct {
	job    Job
	world  pipeline.World
	report *Report
	starts []first
	run    *run // the core that is being replayed; nil: none was begun
	owed   []owed
	next   int // of starts
}

// first is a Beginning as it was found before anything is replayed.
type first struct {
	at      time.Time
	journal journal.Position
}

// Run replays. An error is a recording or a journal that cannot be read at all.
func Run(ctx context.Context, job Job) (*Report, error) {
	began := time.Now()
	sets := map[string]*zone.Set{}
	r := &replay{job: job, report: &Report{Starts: []Start{}}, world: pipeline.World{
		Location: time.LoadLocation,
		Sets: func(version string) (*zone.Set, error) {
			if s := sets[version]; s != nil {
				return s, nil
			}
			s, err := job.Sets(version)
			if err == nil {
				sets[version] = s
			}
			return s, err
		},
	}}
	total, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	done := 0
	found, err := recording.Read(ctx, filepath.Join(job.Data, Folder), time.Time{}, time.Time{}, func(_ time.Time, packed []byte) error {
		if done++; job.Progress != nil {
			job.Progress(done, max(done, total))
		}
		return r.batch(ctx, packed)
	})
	if err != nil && !errors.Is(err, errUntil) {
		return nil, fmt.Errorf("rerun: %w", err)
	}
	r.report.Recording.Segments, r.report.Recording.Missing, r.report.Recording.Torn = found.Segments, found.Missing, found.Torn
	if err := r.finish(ctx, newest); err != nil {
		return nil, err
	}
	r.settle()
	r.report.Took = time.Since(began)
	return r.report, nil
}

// look goes over the recording for where its cores begin.
func (r *replay) look(ctx context.Context) (batches int, err error) {
	_, err = recording.Read(ctx, filepath.Join(r.job.Data, Folder), time.Time{}, time.Time{}, func(_ time.Time, packed []byte) error {
		batches++
		if recording.MarkOf(packed) != recording.Begins {
			return nil
		}
		text, err := recording.Unpack(packed, maxBatch)
		if err != nil {
			return nil // counted when it is replayed
		}
		one, _, _ := bytes.Cut(text, []byte("\n"))
		if x, err := pipeline.ReadRecorded(one, pipeline.World{}); err == nil && x.Beginning != nil {
			r.starts = append(r.starts, first{x.Beginning.At, journal.Position(x.Beginning.Journal)})
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("rerun: %w", err)
	}
	return batches, nil
}

// errUntil ends the reading where the job does.
var errUntil = errors.New("until")

func (r *replay) batch(ctx context.Context, packed []byte) error {
	text, err := recording.Unpack(packed, maxBatch)
	if err != nil {
		r.report.Recording.Damaged++
		return nil // the numbers tell what is missing
	}
	for len(text) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		one, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		if err := r.line(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) line(ctx context.Context, text []byte) error {
	if r.run != nil && r.run.over() && bytes.HasPrefix(text, []byte(`{"n":`)) {
		r.run.start.Skipped++
		return nil
	}
	x, err := pipeline.ReadRecorded(text, r.world)
	switch {
	case err != nil && r.run == nil:
		r.report.Headless.Inputs++
	case err != nil:
		r.run.stop(err.Error())
		r.run.start.Skipped++
	case x.Beginning != nil:
		if err := r.finish(ctx, journal.Position(x.Beginning.Journal)); err != nil {
			return err
		}
		r.begin(*x.Beginning)
	case r.run == nil:
		r.report.Headless.see(x.Now)
	case x.Ended != nil:
		r.run.ended(*x.Ended)
	default:
		return r.input(x)
	}
	return nil
}

// begin makes a core as it was made.
func (r *replay) begin(b pipeline.Beginning) {
	u := &run{journal: journal.Position(b.Journal), start: Start{
		Start: b.Start, At: b.At, Program: b.Program, Zones: b.ZoneSet(), Policy: b.PolicyHash(), OtherProgram: b.Program != r.job.Program,
	}}
	r.run, r.next = u, r.next+1
	if r.next < len(r.starts) && !r.job.From.IsZero() && !r.starts[r.next].at.After(r.job.From) {
		u.passed = true // the next start is before what is asked for
		return
	}
	cfg, err := b.Config(r.world)
	if err != nil {
		u.stop(err.Error())
		return
	}
	cfg.Each = r.job.Each
	u.core = pipeline.New(cfg)
}

// input gives the core one input.
func (r *replay) input(x pipeline.Recorded) error {
	u := r.run
	if x.Number != u.number+1 {
		u.stop(fmt.Sprintf("input %s is missing in the recording", numbers(u.number+1, x.Number-1)))
		u.gap = true
		u.start.Skipped++
		return nil
	}
	if !r.job.Until.IsZero() && !x.Now.Before(r.job.Until) {
		u.until = true
		return errUntil
	}
	u.number, u.last = x.Number, x.Now
	u.start.Inputs++
	r.report.Inputs++
	if u.start.First.IsZero() {
		u.start.First = x.Now
	}
	u.start.Last = x.Now
	shown := r.shown(x.Now)
	for _, c := range u.core.Step(x.Now, x.Input) {
		if r.job.Trace != nil && shown && traced(c) {
			r.job.Trace(u.start.Start, x.Now, c.String())
		}
		kind, body, kept, err := pipeline.Entry(c)
		if err == nil && kept && shown {
			u.give(x, kind, keyOf(c), body)
		}
	}
	return nil
}

// shown reports whether a moment is asked for.
func (r *replay) shown(at time.Time) bool {
	return !at.Before(r.job.From) && (r.job.Until.IsZero() || at.Before(r.job.Until))
}

func numbers(from, to uint64) string {
	if to <= from {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d to %d", from, to)
}

// traced reports whether a scenario's trace would show it.
func traced(c pipeline.Change) bool {
	switch c := c.(type) {
	case pipeline.TrackUpdated, pipeline.Forecast:
		return false
	case pipeline.WarningChanged:
		return !c.ArrivalOnly
	}
	return true
}

// keyOf names what a change is about: no two of one core share it.
func keyOf(c pipeline.Change) string {
	switch c := c.(type) {
	case pipeline.WarningChanged:
		return fmt.Sprintf("%s.%d", c.Warning.ID, c.Warning.Revision)
	case pipeline.AlertReady:
		return string(c.Alert.ID)
	}
	return ""
}

// keyIn is keyOf of what the journal keeps.
func keyIn(kind string, body []byte) string {
	var named struct {
		ID      string `json:"id"`
		Warning json.RawMessage
	}
	var w struct {
		ID       string `json:"id"`
		Revision int    `json:"revision"`
	}
	if json.Unmarshal(body, &named) != nil {
		return ""
	}
	if kind == pipeline.KindDecision && json.Unmarshal(named.Warning, &w) == nil {
		return fmt.Sprintf("%s.%d", w.ID, w.Revision)
	}
	return named.ID
}
