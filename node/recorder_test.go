package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/journal"
	"tocsin/journal/recording"
	"tocsin/journal/rerun"
	"tocsin/zones"
)

// replayed holds the recording of a folder against the journal of another, or of the same.
func replayed(t *testing.T, data, kept string) *rerun.Report {
	t.Helper()
	j, err := journal.OpenReader(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	r, err := rerun.Run(t.Context(), rerun.Job{Data: data, Journal: j, Sets: zones.StoreIn(kept).Open, Program: Program("")})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// planted is a copy of a folder's recording with its lines as edit leaves them; nil leaves
// one out.
func planted(t *testing.T, data string, edit func(line []byte) []byte) string {
	t.Helper()
	copied := t.TempDir()
	to, err := recording.Open(filepath.Join(copied, recordingFolder), recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	var p recording.Packer
	_, err = recording.Read(t.Context(), filepath.Join(data, recordingFolder), time.Time{}, time.Time{}, func(at time.Time, packed []byte) error {
		text, err := recording.Unpack(packed, maxLine)
		if err != nil {
			return err
		}
		var out []byte
		for line := range bytes.Lines(text) {
			if line = edit(bytes.TrimSuffix(line, []byte("\n"))); line != nil {
				out = append(append(out, line...), '\n')
			}
		}
		if len(out) == 0 {
			return nil
		}
		return to.Write(at, p.Pack(recording.MarkOf(packed), out))
	})
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

const maxLine = 1 << 24

// renumbered numbers the inputs anew, as a forger would who left one out.
func renumbered(leave int) func(line []byte) []byte {
	n, seen := 0, 0
	return func(line []byte) []byte {
		var x map[string]json.RawMessage
		if json.Unmarshal(line, &x) != nil {
			return line
		}
		switch {
		case x["beginning"] != nil:
			n = 0
			return line
		case x["ended"] != nil:
			return fmt.Appendf(nil, `{"ended":{"n":%d,"orderly":true}}`, n)
		}
		if bytes.Contains(x["observed"], []byte(`"plot":{`)) {
			if seen++; seen == leave {
				return nil
			}
		}
		n++
		_, rest, _ := bytes.Cut(line, []byte(","))
		return fmt.Appendf(nil, `{"n":%d,%s`, n, rest)
	}
}

// night is a folder with two starts: raided, commanded, killed, with another policy, another
// zone set, raided again and ended in order.
func night(t *testing.T) Config {
	o := newOffice(t)
	o.cfg.Zones = []string{field(t)}
	cfg := raided(t, o)
	cfg.Policy = filepath.Join(t.TempDir(), "policy.yaml")
	policy := warning.ShippedPolicy()
	write := func(b []byte) {
		if err := os.WriteFile(cfg.Policy, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(policy)
	world := raidWorld(t)
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	life := startChild(t, cfg)
	await(t, life, "the start", func() bool { return asked("http://"+cfg.Public.Listen+"/v1/board", "") != "" })
	group.Go(func() { fly(ctx, t, world, strings.TrimPrefix(cfg.Sources[0].Listen, "udp://")) })
	warned := func() int {
		n := 0
		for _, s := range stated(cfg, "*") {
			if s == "shelter" {
				n++
			}
		}
		return n
	}
	await(t, life, "the raid is warned of", func() bool { return warned() > 3 })
	if status, got := o.post(t, cfg, declareZones("n1", `"apart"`, "shelter", time.Now().Add(time.Hour))); status != 201 {
		t.Fatalf("%d %s", status, got)
	}
	if status, _ := o.post(t, cfg, declareZones("n2", `"nowhere"`, "shelter", time.Now().Add(time.Hour))); status != 422 {
		t.Fatalf("a zone that is none: %d", status)
	}
	said := fmt.Sprintf(`{"id":"n3","action":"observe","observe":{"cue":{"lat":50.1,"lon":33.9,"radius":5000,"at":%q},"says":"drone"}}`, time.Now().UTC().Format(time.RFC3339))
	if status, got := o.post(t, cfg, said); status != 201 {
		t.Fatalf("%d %s", status, got)
	}
	write(bytes.Replace(policy, []byte("version: shipped 3"), []byte("version: ours 1"), 1))
	await(t, life, "the other policy", func() bool {
		return strings.Contains(asked("http://"+cfg.Desk.Listen+"/metrics", o.secrets["national"]), `version="ours 1"`)
	})
	b, err := os.ReadFile(o.cfg.Zones[0])
	if err != nil {
		t.Fatal(err)
	}
	renamed := filepath.Join(t.TempDir(), "other.geojson")
	if err := os.WriteFile(renamed, bytes.ReplaceAll(b, []byte(`"apart"`), []byte(`"aside"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := openZones([]string{renamed})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zones.StoreIn(cfg.Data).Import(set); err != nil {
		t.Fatal(err)
	}
	await(t, life, "the other zones", func() bool { return stated(cfg, "*")["aside"] == "shelter" })
	<-time.After(5 * time.Second) // in which the raid goes on
	life.kill(t)

	_, end := running(t, cfg)
	until(t, "the raid after the restart", func() bool { return warned() > 3 })
	if status, got := o.post(t, cfg, `{"id":"n4","action":"end","zones":["aside"],"end":"cancelled","reason":"a drill of another town"}`); status != 201 {
		t.Errorf("%d %s", status, got)
	}
	<-time.After(1500 * time.Millisecond)
	end()
	return cfg
}

// TestARecordedNightIsReplayed: what was decided over commands, another policy, another zone
// set, a kill -9 and a restart comes out again byte for byte; and what is changed in what
// was recorded is found and named.
func TestARecordedNightIsReplayed(t *testing.T) {
	if testing.Short() {
		t.Skip("flies a raid over a real system for half a minute")
	}
	leavesNothing(t)
	cfg := night(t)
	whole := replayed(t, cfg.Data, cfg.Data)
	t.Logf("%d inputs, decisions %+v, alerts %+v, %v", whole.Inputs, whole.Decisions, whole.Alerts, whole.Took)
	if !whole.Proven() || len(whole.Starts) != 2 || whole.Starts[0].End != "killed" || whole.Starts[1].End != "orderly" || whole.Headless.Inputs > 0 {
		t.Fatalf("%+v\nfirst difference %+v", whole, whole.First)
	}
	if whole.Alerts.Equal < 10 || whole.Decisions.Equal < 10 || whole.Starts[1].Alerts.Equal < 2 || whole.Starts[1].Alerts.Open+whole.Starts[1].Decisions.Open > 0 {
		t.Errorf("too little happened: %+v", whole)
	}
	kinds := map[string]int{}
	planted(t, cfg.Data, func(line []byte) []byte {
		for _, kind := range []string{"restored", "observed", "commanded", "received", "health", "policy", "zones", "ticked", "ended"} {
			if bytes.Contains(line[:min(len(line), 60)], []byte(`"`+kind+`":`)) {
				kinds[kind]++
			}
		}
		return line
	})
	for kind, least := range map[string]int{"restored": 2, "observed": 50, "commanded": 2, "received": 2, "policy": 1, "zones": 1, "ticked": 5, "ended": 1} {
		if kinds[kind] < least {
			t.Errorf("%d of %s were recorded: %v", kinds[kind], kind, kinds)
		}
	}
	t.Run("planted", func(t *testing.T) { plantedChanges(t, cfg, whole) })
}

func plantedChanges(t *testing.T, cfg Config, whole *rerun.Report) {
	nth := func(what string, n int, edit func([]byte) []byte) func([]byte) []byte {
		seen := 0
		return func(line []byte) []byte {
			if bytes.Contains(line, []byte(what)) {
				if seen++; seen == n {
					return edit(line)
				}
			}
			return line
		}
	}
	other := bytes.Replace(warning.ShippedPolicy(), []byte("longest: 3h"), []byte("longest: 2h"), 1)
	p, err := warning.ReadPolicy(other)
	if err != nil || bytes.Equal(other, warning.ShippedPolicy()) {
		t.Fatal("the planted policy is none: ", err)
	}
	text, err := json.Marshal(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func([]byte) []byte
		says string // of why a start is stopped; empty: a difference is found
	}{
		"one observation altered": {nth(`"plot":{`, 4, func(line []byte) []byte {
			at := bytes.Index(line, []byte(`"azimuth":`)) + len(`"azimuth":`)
			return slices.Concat(line[:at], []byte("1"), line[at:])
		}), ""},
		"one input left out":                  {nth(`"observed":`, 20, func([]byte) []byte { return nil }), "is missing in the recording"},
		"one left out and the numbers mended": {renumbered(4), ""},
		"another policy": {nth(`{"beginning":`, 1, func(line []byte) []byte {
			b, err := pipeline.ReadRecorded(line, pipeline.World{})
			if err != nil {
				t.Fatal(err)
			}
			was, err := json.Marshal(b.Beginning.Policy)
			if err != nil {
				t.Fatal(err)
			}
			return bytes.Replace(line, was, fmt.Appendf(nil, `{"hash":%q,"file":%s}`, p.Hash, text), 1)
		}), ""},
		"another command": {nth(`"commanded":`, 1, func(line []byte) []byte {
			return bytes.Replace(line, []byte(`"stage":"shelter"`), []byte(`"stage":"prepare"`), 1)
		}), ""},
		"a line that is none": {nth(`"observed":`, 20, func([]byte) []byte { return []byte(`{"n":x`) }), "invalid character"},
		"nothing changed":     {func(line []byte) []byte { return line }, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			r := replayed(t, planted(t, cfg.Data, c.edit), cfg.Data)
			switch stopped := r.Starts[0].Stopped; {
			case c.says == "-":
				if !r.Proven() { // a copy without a change is what the original is
					t.Errorf("%+v", r)
				}
			case c.says != "":
				if !strings.Contains(stopped, c.says) || r.Proven() || r.Different() > 0 || r.Gaps() != 1 || r.Starts[0].Skipped == 0 || r.Starts[1].Stopped != "" {
					t.Errorf("%+v, first difference %+v", r.Starts, r.First)
				}
			case r.First == nil || r.First.Replay == "" && r.First.Journal == "" || r.Proven() || r.Different() == 0 || r.First.Start != 1:
				t.Errorf("not found: %+v, first difference %+v", r.Starts, r.First)
			default:
				t.Logf("%s %s at input %d: %d different\n%s\n%s", r.First.Kind, r.First.Key, r.First.Input, r.Different(), r.First.Replay, r.First.Journal)
			}
		})
	}
	t.Run("the beginning gone", func(t *testing.T) {
		r := replayed(t, planted(t, cfg.Data, nth(`{"beginning":`, 1, func([]byte) []byte { return nil })), cfg.Data)
		if r.Headless.Inputs != whole.Starts[0].Inputs || len(r.Starts) != 1 || !r.Proven() || r.Alerts.Equal != whole.Starts[1].Alerts.Equal {
			t.Errorf("%+v", r)
		}
	})
	t.Run("no zones", func(t *testing.T) {
		j, err := journal.OpenReader(t.Context(), cfg.Data)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		r, err := rerun.Run(t.Context(), rerun.Job{Data: cfg.Data, Journal: j, Sets: zones.StoreIn(t.TempDir()).Open, Program: "another"})
		if err != nil || r.Proven() || r.Compared() > 0 || len(r.Starts) != 2 || !strings.Contains(r.Starts[0].Stopped, whole.Starts[0].Zones) || !r.Starts[1].OtherProgram {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("a part of it", func(t *testing.T) {
		j, err := journal.OpenReader(t.Context(), cfg.Data)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		lines := 0
		second := whole.Starts[1]
		job := rerun.Job{Data: cfg.Data, Journal: j, Sets: zones.StoreIn(cfg.Data).Open, From: second.At, Trace: func(start int, _ time.Time, change string) {
			if lines++; start != second.Start || change == "" {
				t.Errorf("traced: start %d %s", start, change)
			}
		}}
		r, err := rerun.Run(t.Context(), job)
		if err != nil || !r.Proven() || !r.Starts[0].Passed || r.Alerts.Equal != second.Alerts.Equal || lines < r.Alerts.Equal {
			t.Errorf("from the second start: %+v, %d lines, %v", r, lines, err)
		}
		job.From, job.Until, job.Trace = time.Time{}, second.At, nil
		r, err = rerun.Run(t.Context(), job)
		if err != nil || !r.Proven() || r.Alerts.Equal != whole.Starts[0].Alerts.Equal {
			t.Errorf("up to the second start: %+v, %v", r, err)
		}
	})
}

// TestTheRecorderNeverWaits: what finds no place is counted and told once, the loop goes on,
// and the reader finds the gap.
func TestTheRecorderNeverWaits(t *testing.T) {
	leavesNothing(t)
	o := newOffice(t)
	n := o.open(t)
	r := n.loop.recorder
	now := time.Now().Round(0)
	if c, missing := r.tell(now, false); missing {
		t.Errorf("told without a cause: %v", c)
	}
	before := r.number
	many := pipeline.Observed{More: make([]observation.Observation, recorderObservations)}
	r.take(now, many) // more than may ever wait
	r.take(now, pipeline.Ticked{})
	c, missing := r.tell(now, false)
	if !missing || c.Count != 1 || !strings.Contains(c.Detail, "more came than can be written down") {
		t.Errorf("told: %v %v", c, missing)
	}
	if c, missing := r.tell(now, false); missing {
		t.Errorf("told twice: %v", c)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if got := replayed(t, o.cfg.Data, o.cfg.Data); len(got.Starts) != 1 || !strings.Contains(got.Starts[0].Stopped, fmt.Sprintf("input %d is missing", before+1)) || got.Starts[0].Skipped != 1 {
		t.Errorf("%+v", got)
	}
}

// TestTheRecordingGivesWay: while the journal has no room, the recording drops its oldest
// segments and writes nothing; and a folder that cannot be recorded in keeps nobody from
// warning.
func TestTheRecordingGivesWay(t *testing.T) {
	leavesNothing(t)
	o := newOffice(t)
	folder := filepath.Join(o.cfg.Data, recordingFolder)
	for range 4 { // four starts, four segments
		if err := o.open(t).Close(); err != nil {
			t.Fatal(err)
		}
	}
	n := o.open(t)
	r := n.loop.recorder
	segments := func() int {
		all, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	first := segments()
	now := time.Now().Round(0)
	until(t, "only the newest segment", func() bool { r.tell(now, true); return segments() == 1 })
	before := r.lost.Load() // the start's own inputs may be lost, and told of, already
	r.take(now, pipeline.Ticked{})
	until(t, "the loss", func() bool { return r.lost.Load() > before })
	if c, missing := r.tell(now, false); first != 5 || !missing || !strings.Contains(c.Detail, "the journal goes first") {
		t.Errorf("of %d segments; told: %v", first, c)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	n = o.open(t)
	defer n.Close()
	if got := raised(n, notRecorded); !strings.Contains(got, "nothing can be replayed of this start") {
		t.Errorf("raised: %q", got)
	}
	if err := n.loop.step(n.loop.now(), pipeline.Ticked{}); err != nil {
		t.Error(err)
	}
}
