package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"tocsin/core/warning"
	"tocsin/sim"
	"tocsin/zones"
)

type simCmd struct {
	Files  []string `arg:"" name:"file" help:"Scenario files."`
	Check  bool     `help:"Compare with the trace in the file; exit 1 where they differ." xor:"mode"`
	Update bool     `help:"Rewrite the trace in the file." xor:"mode"`
	JSON   bool     `name:"json" help:"One JSON object a file."`
}

// Help is the example that --help prints.
func (simCmd) Help() string {
	return "Runs worlds in text through the core, in their own time, and prints what changed.\nExample:\n  tocsin sim --check scenarios/*.txt"
}

// simResult is the --json form of one file.
type simResult struct {
	File  string   `json:"file"`
	Trace []string `json:"trace,omitempty"`
	Same  *bool    `json:"same,omitempty"`
}

// Run runs each file.
func (s simCmd) Run(c *console) error {
	different := 0
	for _, name := range s.Files {
		file, err := readFile(c, name, 4*sim.MaxBytes)
		if err != nil {
			return fileError("sim", name, err)
		}
		text, want := sim.Split(file)
		got, err := runScenario(text)
		if err != nil {
			return fmt.Errorf("sim: %s: %w", shownName(name), err)
		}
		result := simResult{File: name, Trace: got}
		switch {
		case s.Update:
			if err := os.WriteFile(name, sim.Join(text, got), 0o644); err != nil {
				return fileError("sim", name, err)
			}
			fmt.Fprintf(c.err, "%s: %d lines\n", name, len(got))
		case s.Check:
			same := slices.Equal(got, want)
			result.Same = &same
			if !same {
				different++
				fmt.Fprintf(c.err, "%s: %s\n", name, firstDifference(want, got))
			} else if !s.JSON {
				fmt.Fprintf(c.out, "%s: same\n", name)
			}
		case !s.JSON:
			fmt.Fprintf(c.out, "# %s\n%s\n", name, strings.Join(got, "\n"))
		}
		if s.JSON {
			if err := json.NewEncoder(c.out).Encode(result); err != nil {
				return err
			}
		}
	}
	if different > 0 {
		fmt.Fprintf(c.err, "tocsin: sim: %d of %d scenarios gave another trace; see what changed with `tocsin sim FILE`, keep it with --update\n", different, len(s.Files))
		return errNo
	}
	return nil
}

// runScenario runs one world's text over the shipped zone set it names.
func runScenario(text []byte) ([]string, error) {
	w, err := sim.Read(text)
	if err != nil {
		return nil, err
	}
	set, err := zones.Open(w.Zones)
	if err != nil {
		return nil, err
	}
	policy := warning.DefaultPolicy()
	if w.Policy != "" {
		if policy, err = warning.ReadPolicy([]byte(w.Policy)); err != nil {
			return nil, err
		}
	}
	return sim.NewRun(w, set, policy).To(), nil
}

func firstDifference(want, got []string) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("line %d of the trace\n  is in the file: %s\n  came out:       %s", i+1, want[i], got[i])
		}
	}
	return fmt.Sprintf("the file has %d lines, %d came out", len(want), len(got))
}
