package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/journal/rerun"
)

// TestReplayOfTheDemo: what the demonstration decided is decided again, while it runs and
// after it ended.
func TestReplayOfTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the demonstration for some seconds")
	}
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, nil, "demo", "--data", data, "--listen", "127.0.0.1:0", "--desk", "127.0.0.1:0")
	running := func() (int, rerun.Report, string) {
		var r rerun.Report
		code, out, problems := runLine(t, "", "replay", data, "--format", "tocsin", "--json")
		if out != "" {
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
		}
		return code, r, problems
	}
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	deadline := time.After(90 * time.Second)
	for {
		select {
		case <-deadline:
			t.Fatalf("no alert was replayed\n%s", p.said)
		case <-p.done:
			t.Fatalf("it ended\n%s", p.said)
		case <-tick.C:
		}
		code, r, problems := running()
		if r.Different() > 0 || r.Gaps() > 0 {
			t.Fatalf("while it runs: exit %d, %+v, first difference %+v\n%s", code, r, r.First, problems)
		}
		if r.Alerts.Equal > 1 {
			if code != 0 {
				t.Errorf("while it runs: exit %d\n%s", code, problems)
			}
			break
		}
		if code != 1 && r.Compared() == 0 {
			t.Errorf("nothing was compared, and the exit is %d", code)
		}
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t, 30*time.Second); code != 0 {
		t.Errorf("the demonstration: exit %d\n%s", code, p.said)
	}
	code, r, problems := running()
	if code != 0 || !r.Proven() || len(r.Starts) != 1 || r.Starts[0].End != "orderly" || r.Alerts.Open+r.Decisions.Open > 0 || r.Starts[0].OtherProgram {
		t.Errorf("after its end: exit %d, %+v\n%s", code, r, problems)
	}
	code, out, problems := runLine(t, "", "replay", data, "--format", "tocsin", "--trace")
	if code != 0 || strings.Count(out, " alert ") < r.Alerts.Equal || !strings.Contains(out, " confirmed ") || !strings.Contains(out, "EQUAL: everything") {
		t.Errorf("traced: exit %d\n%s\n%s", code, out, problems)
	}
	code, out, _ = runLine(t, "", "replay", data, "--format", "tocsin", "--from", "2100-01-01T00:00:00Z")
	if code != 1 || !strings.Contains(out, "NOTHING COULD BE COMPARED") {
		t.Errorf("of another century: exit %d\n%s", code, out)
	}
	// Zone sets that ship are found without the folder's copy.
	if err := os.RemoveAll(filepath.Join(data, "zones")); err != nil {
		t.Fatal(err)
	}
	if code, again, problems := running(); code != 0 || again.Alerts.Equal != r.Alerts.Equal {
		t.Errorf("without the folder's zones: exit %d\n%s", code, problems)
	}
	if err := os.RemoveAll(filepath.Join(data, rerun.Folder)); err != nil {
		t.Fatal(err)
	}
	if code, _, problems := runLine(t, "", "replay", data, "--format", "tocsin"); code != 1 || !strings.Contains(problems, "there is no recording in it") {
		t.Errorf("without a recording: exit %d\n%s", code, problems)
	}
}

// What cannot be meant with a recording is said, with why.
func TestReplayOfARecordingIsNoReplayOfAlarms(t *testing.T) {
	for line, says := range map[string]string{
		"--speed 10":                           "in its own time",
		"--to http://127.0.0.1:8081 --token x": "never given to a running system",
		"--token x":                            "never given to a running system",
		"--listen 127.0.0.1:0":                 "without a page",
		"--data x":                             "the folder to replay is the argument",
		"--zones x.geojson":                    "those that were in force",
		"--board-only":                         "no channel speaks",
		"--json --trace":                       "do not go together",
		"--from yesterday":                     "it is no time",
		"--until 2026-11-22":                   "it is no time",
		"--from 2026-11-22T01:00:00Z --until 2026-11-22T00:00:00Z": "must be after",
	} {
		code, _, problems := runLine(t, "", append([]string{"replay", t.TempDir(), "--format", "tocsin"}, strings.Fields(line)...)...)
		if code != 2 || !strings.Contains(problems, says) {
			t.Errorf("%s: exit %d, %s", line, code, problems)
		}
	}
	if code, _, problems := runLine(t, "", "replay", "x.csv", "--format", "ua-official", "--trace"); code != 2 || !strings.Contains(problems, "--trace is of") {
		t.Errorf("a trace of alarms: exit %d, %s", code, problems)
	}
}
