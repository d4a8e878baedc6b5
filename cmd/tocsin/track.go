package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tocsin/sim/tracking"
)

type trackCmd struct {
	Scenario string `required:"" placeholder:"DIR" help:"Scenario folder: scenario.json and detections.csv or detections.csv.gz."`
	Out      string `required:"" placeholder:"FILE.csv" help:"Where to write the tracks after each scan."`
	JSON     bool   `name:"json" help:"Print the cost as one JSON object."`
}

// Help is the example that --help prints.
func (trackCmd) Help() string {
	return "Example:\n  tocsin track --scenario fixtures/tracking/a_crossing_10 --out tracks.csv\n  tocsin score --scenario fixtures/tracking/a_crossing_10 tracks.csv"
}

// trackCost is the --json form of what a run took.
type trackCost struct {
	Scenario string  `json:"scenario"`
	Scans    int     `json:"scans"`
	Rows     int     `json:"rows"`
	Mean     float64 `json:"cpu_ms_per_scan_mean"`
	P99      float64 `json:"cpu_ms_per_scan_p99"`
	Most     float64 `json:"cpu_ms_per_scan_max"`
}

// Run plays the scenario and prints the processor time a scan took.
func (t trackCmd) Run(c *console) error {
	if err := scenarioFolder("track", t.Scenario); err != nil {
		return err
	}
	p := newProgress(c, "detections")
	var cost tracking.Cost
	err := writeFile(c, t.Out, func(w io.Writer) error {
		var err error
		cost, err = tracking.Run(c.ctx, t.Scenario, w, p.show)
		return err
	})
	p.clear()
	if err != nil {
		return fmt.Errorf("track: %w", err)
	}
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	out := trackCost{filepath.Base(filepath.Clean(t.Scenario)), cost.Scans, cost.Tracks, ms(cost.Mean), ms(cost.P99), ms(cost.Max)}
	if t.JSON {
		return json.NewEncoder(c.out).Encode(out)
	}
	_, err = fmt.Fprintf(c.out, "%s: %d scans, %d rows, processor time a scan: mean %.3f ms, p99 %.3f ms, most %.3f ms\n",
		out.Scenario, out.Scans, out.Rows, out.Mean, out.P99, out.Most)
	return err
}

// scenarioFolder sees that a scenario is a folder, before one of its files is missed.
func scenarioFolder(command, dir string) error {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: --scenario %s: there is no such folder", command, shownName(dir))
	case err != nil:
		return fileError(command+": --scenario", dir, err)
	case !info.IsDir():
		return fmt.Errorf("%s: --scenario %s: it is a file; name the folder that holds scenario.json", command, shownName(dir))
	}
	return nil
}
