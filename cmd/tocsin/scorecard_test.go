package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/core/warning"
)

func TestScorecard(t *testing.T) {
	dir := t.TempDir()
	policy, page := filepath.Join(dir, "own.yaml"), filepath.Join(dir, "report.html")
	if err := os.WriteFile(policy, warning.ShippedPolicy(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	c := &console{ctx: context.Background(), out: &out, err: &errs}
	if err := (scorecardCmd{Country: "il", Seeds: "9", Policy: []string{policy}, HTML: page, JSON: true}).Run(c); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Seeds    [2]int
		Policies []struct{ Name, Hash string }
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Seeds != [2]int{9, 9} || len(got.Policies) != 1 || got.Policies[0].Name != "own.yaml" || got.Policies[0].Hash != warning.DefaultPolicy().Hash {
		t.Errorf("the figures are of %+v", got)
	}
	b, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(b, []byte("own.yaml")) {
		t.Errorf("the page: %v, %d bytes", err, len(b))
	}
}

func TestScorecardFolders(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	c := &console{ctx: context.Background(), out: &out, err: &errs}
	if err := (scorecardCmd{Country: "il", Seeds: "9-9", Folders: dir}).Run(c); err != nil {
		t.Fatal(err)
	}
	raid, _, _ := strings.Cut(out.String(), "\t")
	if err := (trackCmd{Scenario: raid, Out: filepath.Join(dir, "tracks.csv")}).Run(c); err != nil {
		t.Errorf("tracking what was written: %v", err)
	}
}

func TestScorecardMisuse(t *testing.T) {
	for _, args := range [][]string{{"--seeds", "5-1"}, {"--seeds", "x"}, {"--seeds", "1-"}, {"--seeds", "0-10000"}, {"--country", "xx"}} {
		var out, errs bytes.Buffer
		if code := run(&console{ctx: context.Background(), out: &out, err: &errs}, append([]string{"scorecard"}, args...)); code != 2 || errs.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, errs.String())
		}
	}
	var out, errs bytes.Buffer
	if code := run(&console{ctx: context.Background(), out: &out, err: &errs}, []string{"scorecard", "--policy", filepath.Join(t.TempDir(), "none.yaml")}); code != 1 {
		t.Errorf("a missing policy: exit %d, %q", code, errs.String())
	}
}
