package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"tocsin/sim/tracking"
)

type scoreCmd struct {
	Scenario string `required:"" placeholder:"DIR" help:"Scenario folder: scenario.json and truth.csv or truth.csv.gz."`
	Tracks   string `arg:"" placeholder:"TRACKS.csv" help:"Tracks to score: columns t, track, x, y, and if there are z and sx; .gz too; - is standard input."`
	JSON     bool   `name:"json" help:"One JSON object."`
}

// Help is the example that --help prints.
func (scoreCmd) Help() string {
	return "Example:\n  tocsin score --scenario fixtures/tracking/a_crossing_10 tracks.csv"
}

// Run prints how well the tracks agree with the truth.
func (s scoreCmd) Run(c *console) error {
	if err := scenarioFolder("score", s.Scenario); err != nil {
		return err
	}
	in, err := openTracks(c, s.Tracks)
	if err != nil {
		return err
	}
	defer in.Close()
	score, err := tracking.Evaluate(s.Scenario, in)
	if err != nil {
		return fmt.Errorf("score: %s in %s: %w", shownName(s.Tracks), shownName(s.Scenario), err)
	}
	if s.JSON {
		return json.NewEncoder(c.out).Encode(score)
	}
	var b strings.Builder
	line := func(name, format string, v ...any) {
		fmt.Fprintf(&b, "%-20s "+format+"\n", append([]any{name}, v...)...)
	}
	line("scenario", "%s (%d epochs)", score.Scenario, score.Epochs)
	line("GOSPA", "%.1f", score.GOSPA)
	line("OSPA", "%.1f", score.OSPA)
	line("completeness", "%.4f", score.Completeness)
	line("spurious share", "%.4f", score.Spurious)
	line("identity switches", "%d", score.Switches)
	line("never tracked", "%d", score.Never)
	line("RMSE", "%.1f m", score.RMSE)
	line("2-sigma coverage", "%.3f", score.Cover)
	line("confirmation delay", "%.1f s", score.Confirm)
	_, err = io.WriteString(c.out, b.String())
	return err
}

func openTracks(c *console, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(c.in), nil
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, fileError("score", name, syscall.EISDIR)
	}
	in, err := tracking.Open(name)
	if err != nil {
		return nil, fileError("score", name, err)
	}
	return in, nil
}
