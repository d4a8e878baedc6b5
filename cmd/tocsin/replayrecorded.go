package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/core/zone"
	"tocsin/journal"
	"tocsin/journal/rerun"
	"tocsin/node"
	"tocsin/zones"
)

// recordedFormat is the --format of a data folder's own recording.
const recordedFormat = "tocsin"

// recorded replays the recording of a data folder and holds it against its journal.
func (r replayCmd) recorded(c *console) error {
	job, err := r.recordedJob()
	if err != nil {
		return err
	}
	if info, err := os.Stat(r.File); err != nil || !info.IsDir() {
		return fmt.Errorf("replay: %s: it is no data folder; --format tocsin takes the folder that a system runs on, with its recording and its journal", shownName(r.File))
	}
	if _, err := os.Stat(filepath.Join(r.File, rerun.Folder)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replay: %s: there is no recording in it: `tocsin serve` and `tocsin demo --data` make one: %w", shownName(r.File), errNo)
	}
	if job.Journal, err = openJournal(c, "replay:", r.File); err != nil {
		return err
	}
	defer job.Journal.Close() // read only: nothing can be lost
	if r.Trace {
		job.Trace = func(start int, now time.Time, change string) {
			fmt.Fprintf(c.out, "%d %s %s\n", start, now.Format("2006-01-02T15:04:05.000Z"), change)
		}
	}
	bar := newProgress(c, "replaying the recording")
	job.Progress = bar.show
	report, err := rerun.Run(c.ctx, job)
	bar.clear()
	if err != nil {
		return err
	}
	if r.JSON {
		err = json.NewEncoder(c.out).Encode(report)
	} else {
		_, err = fmt.Fprint(c.out, recordedWords(report, job.Journal.Held()))
	}
	if err == nil && !report.Proven() {
		err = errNo
	}
	return err
}

// recordedJob is what the command line means with a recording.
func (r replayCmd) recordedJob() (rerun.Job, error) {
	job := rerun.Job{Data: r.File, Program: node.Program(programRevision()), Each: node.SideBySide, Sets: setsOf(r.File)}
	for _, wrong := range []struct {
		said bool
		flag string
		why  string
	}{
		{r.Speed != "max", "--speed", "a recording is replayed in its own time, as fast as the core goes"},
		{r.To != "" || r.Token != "", "--to", "a recording is never given to a running system: what it holds is what sensors and people said then, and a system that took it for now would warn of it"},
		{r.Listen != "", "--listen", "a recording is replayed without a page: nothing of it may be taken for a warning in force"},
		{r.Data != "", "--data", "nothing is kept of it: the folder to replay is the argument itself"},
		{len(r.Zones) > 0, "--zones", "the zone sets are those that were in force, from the folder"},
		{r.Board, "--board-only", "no channel speaks"},
		{r.JSON && r.Trace, "--json and --trace", "they do not go together: the trace is lines for people"},
		{r.File == "-", "-", "a recording is a folder with a journal beside it"},
	} {
		if wrong.said {
			return job, usageError("replay: %s with --format tocsin: %s", wrong.flag, wrong.why)
		}
	}
	var err error
	if job.From, err = timeFlag("replay", "--from", r.From); err == nil {
		job.Until, err = timeFlag("replay", "--until", r.Until)
	}
	if err == nil && !job.Until.IsZero() && !job.From.Before(job.Until) {
		err = usageError("replay: --until must be after --from")
	}
	return job, err
}

// timeFlag reads a time of the command line; none is the zero time.
func timeFlag(command, flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usageError("%s: %s %s: it is no time such as 2022-10-10T03:00:00Z", command, flag, text)
	}
	return at, nil
}

// setsOf finds zone sets by version: those that the data folder has kept, then those that
// ship with this program.
func setsOf(data string) func(version string) (*zone.Set, error) {
	return func(version string) (*zone.Set, error) {
		set, err := zones.StoreIn(data).Open(version)
		if err == nil {
			return set, nil
		}
		for _, name := range zones.Names() {
			if shipped, failed := zones.Open(name); failed == nil && shipped.Version() == version {
				return shipped, nil
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the zone set %s, which was in force, is not in %s and does not ship with this program", version, filepath.Join(data, "zones"))
		}
		return nil, err
	}
}

// recordedWords is the report for people.
func recordedWords(r *rerun.Report, held bool) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }
	if h := r.Headless; h.Inputs > 0 {
		say("%d inputs up to %s belong to a start whose beginning is not in the recording any more: the oldest segments are dropped. They cannot be compared.", h.Inputs, at(h.To))
	}
	for _, s := range r.Starts {
		if s.Passed {
			continue
		}
		say("start %d, %s: zone set %s, policy %.12s, %s", s.Start, at(s.At), s.Zones, s.Policy, s.Program)
		if s.OtherProgram {
			say("  this program is another one (%s): where it decides otherwise, that need not be wrong", node.Program(programRevision()))
		}
		if s.Inputs > 0 {
			say("  %d inputs, %s to %s", s.Inputs, at(s.First), at(s.Last))
		}
		if s.Stopped != "" && s.Inputs > 0 {
			say("  from %s on it cannot be compared (%d inputs): %s", at(s.Last), s.Skipped, s.Stopped)
		} else if s.Stopped != "" {
			say("  it cannot be compared (%d inputs): %s", s.Skipped, s.Stopped)
		} else if s.End == "killed" && !held {
			say("  it ended without closing its recording: the last moments may be in one of recording and journal alone")
		}
		say("  decisions %s; alerts %s", countWords(s.Decisions), countWords(s.Alerts))
	}
	if s := r.Recording; s.Missing+s.Torn+int64(s.Damaged) > 0 {
		say("the recording is damaged: %d records are missing, %d bodies torn, %d batches cannot be read", s.Missing, s.Torn, s.Damaged)
	}
	for _, d := range r.JournalDamaged {
		say("the journal is damaged: %s", d)
	}
	if d := r.First; d != nil {
		say("first difference: start %d, %s, %s %s%s", d.Start, at(d.At), d.Kind, d.Key, inputWords(d.Input))
		say("  the replay gave:  %s", nothingOr(d.Replay))
		say("  the journal has:  %s", nothingOr(d.Journal))
	}
	starts := len(slices.DeleteFunc(slices.Clone(r.Starts), func(s rerun.Start) bool { return s.Passed }))
	say("%d starts, %d inputs in %.1f s (%.0f a second): decisions %s; alerts %s", starts, r.Inputs, r.Took.Seconds(),
		float64(r.Inputs)/max(r.Took.Seconds(), 1e-9), countWords(r.Decisions), countWords(r.Alerts))
	say("%s", verdictOf(r))
	return b.String()
}

func verdictOf(r *rerun.Report) string {
	switch {
	case r.Compared() == 0:
		return "NOTHING COULD BE COMPARED"
	case r.Different() > 0:
		return fmt.Sprintf("DIFFERENT: %d of %d decisions and alerts are not what the journal has kept", r.Different(), r.Compared())
	case r.Gaps() > 0:
		return fmt.Sprintf("EQUAL AS FAR AS IT GOES: what could be compared is the same byte for byte, and %d starts could not be replayed to their end", r.Gaps())
	}
	return "EQUAL: everything that could be compared is the same byte for byte"
}

func inputWords(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", at input %d", n)
}

func nothingOr(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

func countWords(c rerun.Count) string {
	s := fmt.Sprintf("%d equal, %d different", c.Equal, c.Different)
	if c.Open > 0 {
		s += fmt.Sprintf(", %d not comparable", c.Open)
	}
	if c.Late > 0 {
		s += fmt.Sprintf(" (%d of the equal were kept later than their turn)", c.Late)
	}
	return s
}

// openJournal opens the journal of a data folder to read, and says in words where it cannot.
func openJournal(c *console, where, data string) (*journal.Reader, error) {
	r, err := journal.OpenReader(c.ctx, data)
	switch {
	case errors.Is(err, journal.ErrNoJournal):
		return nil, fmt.Errorf("%s %s: there is no journal in it; name the folder that the system runs on: %w", where, shownName(data), errNo)
	case errors.Is(err, journal.ErrCorrupt):
		return nil, fmt.Errorf("%s %s: its journal is damaged: %w", where, shownName(data), err)
	case err != nil:
		return nil, fmt.Errorf("%s %s: the journal cannot be read now; this user needs to read and write the folder, or a copy of it to read: %w", where, shownName(data), err)
	}
	return r, nil
}
