package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/sim/history"
	"tocsin/sim/replay"
)

// replayed is the report, as --json prints it. Durations are milliseconds.
type replayed struct {
	File   string  `json:"file"`
	Speed  string  `json:"speed"`
	Set    string  `json:"set"`
	Alarms int     `json:"alarms"`
	Used   int     `json:"rows_used"`
	Took   float64 `json:"took_ms"`
	history.History
	Figures  replay.Figures `json:"figures"`
	Given    commandsGiven  `json:"given"`
	Door     *latency       `json:"door_to_answer"`
	Frame    *latency       `json:"door_to_signed_frame,omitempty"` // as verified by a follower on loopback
	Follower *replay.Heard  `json:"follower,omitempty"`
	Late     float64        `json:"late_ms"`
}

type commandsGiven struct {
	Commands int            `json:"commands"`
	Declared int            `json:"declared"`
	Extended int            `json:"extended"`
	Ended    int            `json:"ended"`
	CutOff   int            `json:"cut_off"`
	Refusals map[string]int `json:"refused"`
	Refused  []string       `json:"refusals"`
}

// latency is quantiles in milliseconds.
type latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func latencyOf(all []time.Duration) *latency {
	if len(all) == 0 {
		return nil
	}
	return &latency{len(all), milliseconds(replay.Quantile(all, 0.5)), milliseconds(replay.Quantile(all, 0.99)), milliseconds(replay.Quantile(all, 1))}
}

func (p *replayPlan) report(r replayCmd, out *replay.Outcome) replayed {
	whole := *p.history
	whole.Alarms = p.alarms
	return replayed{
		File: r.File, Speed: r.Speed, Set: p.set.Version(), Alarms: len(p.alarms), Used: whole.Used(), Took: milliseconds(out.Took),
		History: whole, Figures: p.figures,
		Given: commandsGiven{out.Commands, out.Declared, out.Extended, out.Ended, out.CutOff, out.Refusals, append([]string{}, out.Refused...)},
		Door:  latencyOf(out.Latency), Frame: latencyOf(p.samples), Follower: p.heard, Late: milliseconds(out.Late),
	}
}

// printedNames and printedFaults bound what the text lists; --json has all.
const (
	printedNames  = 20
	printedFaults = 20
)

func (r replayed) print(c *console, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(c.out).Encode(r)
	}
	var b strings.Builder
	line := func(name, format string, v ...any) {
		fmt.Fprintf(&b, "%-22s "+format+"\n", append([]any{name}, v...)...)
	}
	line("history", "%s, %s", shownName(r.File), r.Format)
	line("zone set", "%s", r.Set)
	line("rows", "%d in the file, %d of them in what was replayed", r.Rows, r.Used)
	line("time", "%s to %s", r.Figures.From.Format(time.RFC3339), r.Figures.To.Format(time.RFC3339))
	line("alarms", "%d", r.Alarms)
	line("zones", "%d warned at least once, at most %d at once (%s)", r.Figures.Zones, r.Figures.AtOnce.Count, r.Figures.AtOnce.At.Format(time.RFC3339))
	line("zone changes", "%d", r.Figures.Changes)
	line("  in one second", "%d (%s)", r.Figures.PerSecond.Count, r.Figures.PerSecond.At.Format(time.RFC3339))
	line("  in one minute", "%d (%s)", r.Figures.PerMinute.Count, r.Figures.PerMinute.At.Format(time.RFC3339))
	line("commands", "%d taken: %d declared, %d extended, %d ended", r.Given.Commands, r.Given.Declared, r.Given.Extended, r.Given.Ended)
	if r.Given.CutOff > 0 {
		line("cut off", "%d alarms that go on in the file: cancelled at the end of the replay, not all-clear", r.Given.CutOff)
	}
	took := time.Duration(r.Took * float64(time.Millisecond))
	line("took", "%s, %.0f commands and %.0f zone changes a second", took.Round(time.Millisecond), float64(r.Given.Commands)/took.Seconds(), float64(r.Figures.Changes)/took.Seconds())
	if r.Door != nil {
		line("door to answer", "p50 %.2f ms, p99 %.2f ms, at most %.1f ms (%d)", r.Door.P50, r.Door.P99, r.Door.Max, r.Door.Count)
	}
	if r.Frame != nil {
		line("door to signed frame", "p50 %.2f ms, p99 %.2f ms, at most %.1f ms (%d), received and verified over loopback", r.Frame.P50, r.Frame.P99, r.Frame.Max, r.Frame.Count)
	}
	if r.Follower != nil {
		refused := 0
		for _, n := range r.Follower.Refused {
			refused += n
		}
		line("follower", "%d changes, %d missed, %d twice, %d frames refused", r.Follower.Changes, r.Follower.Gaps, r.Follower.Again, refused)
	}
	if r.Speed != "max" {
		line("late", "at most %.0f ms behind the recording", r.Late)
	}
	r.doubts(&b)
	_, err := io.WriteString(c.out, b.String())
	return err
}

// doubts lists what is no alarm, what was mended, and what was not taken.
func (r replayed) doubts(b *strings.Builder) {
	for _, what := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(b, "skipped: %d rows, %s\n", r.Skipped[what], what)
	}
	for _, rule := range []history.Rule{history.Unknown, history.Widened, history.Partly, history.Renamed, history.Spelling} {
		names, rows := 0, 0
		for _, n := range r.Names {
			if n.Rule == rule {
				names, rows = names+1, rows+n.Rows
			}
		}
		if names == 0 {
			continue
		}
		fmt.Fprintf(b, "places %s: %d names in %d rows\n", ruleWords[rule], names, rows)
		shown := 0
		for _, n := range r.Names {
			if n.Rule != rule || shown == printedNames {
				continue
			}
			shown++
			fmt.Fprintf(b, "  %d rows: %s", n.Rows, n.Text)
			if n.Zones > 0 {
				fmt.Fprintf(b, " (%d zones)", n.Zones)
			}
			b.WriteByte('\n')
		}
		if names > shown {
			fmt.Fprintf(b, "  and %d more; --json names them\n", names-shown)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Counts)) {
		fmt.Fprintf(b, "rows with a fault of the kind %s: %d%s\n", kind, r.Counts[kind], clockWords[kind])
	}
	for i, f := range r.Faults {
		if i == printedFaults {
			fmt.Fprintf(b, "  and more; --json names them\n")
			break
		}
		fmt.Fprintf(b, "  %s\n", f)
	}
	for _, field := range slices.Sorted(maps.Keys(r.Given.Refusals)) {
		fmt.Fprintf(b, "refused by the door: %d, for %s\n", r.Given.Refusals[field], field)
	}
	for i, s := range r.Given.Refused {
		if i == printedFaults {
			break
		}
		fmt.Fprintf(b, "  %s\n", s)
	}
}

// clockWords say by which rule a local time is read that a clock change made doubtful: whoever
// compares a replay with the file must know which hour was taken.
var clockWords = map[string]string{
	history.TwiceHour: "; an hour that was twice is read as the first of the two, or as the second where the first is before the row above",
	history.LostHour:  "; an hour that the clocks skipped is read as by a clock that was not put forward",
}

// ruleWords say what a rule means to who reads a report.
var ruleWords = map[history.Rule]string{
	history.Unknown:  "that the zone set does not know, and nobody was warned of",
	history.Widened:  "that stand for a larger area that the set knows, so that more were warned",
	history.Partly:   "of which but one of two is known",
	history.Renamed:  "that are called otherwise now",
	history.Spelling: "found by a rule of spelling",
}
