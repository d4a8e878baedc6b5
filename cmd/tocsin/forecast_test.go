package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestForecastCommand(t *testing.T) {
	zones := filepath.Join(t.TempDir(), "zones.geojson")
	square := `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"Z1","level":1,"name_en":"One"},
		"geometry":{"type":"Polygon","coordinates":[[[29.9,49.9],[30.1,49.9],[30.1,50.1],[29.9,50.1],[29.9,49.9]]]}}]}`
	if err := os.WriteFile(zones, []byte(square), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "forecast.csv")
	var stdout, stderr bytes.Buffer
	c := &console{ctx: context.Background(), out: &stdout, err: &stderr}
	args := []string{"forecast", "--scenario", flight(t), "--zones", zones, "--origin", "50,30", "--out", out, "--json"}
	if code := run(c, args); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	var done forecastDone
	if err := json.Unmarshal(stdout.Bytes(), &done); err != nil || done.Steps != 13 || done.Rows == 0 {
		t.Errorf("printed %s (%v)", stdout.String(), err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(string(b), "\n"); head != "t,track,zone,p,earliest,likely,latest,stage" {
		t.Errorf("columns are %q", head)
	}
	if !strings.Contains(string(b), ",Z1,0.9") {
		t.Error("the zone that both objects are over is not nearly certain in any row")
	}
}

func TestForecastCommandRefuses(t *testing.T) {
	dir, out := flight(t), filepath.Join(t.TempDir(), "x.csv")
	for _, f := range []forecastCmd{
		{Scenario: dir, Zones: "none", Origin: "fifty", Out: out, Every: time.Second},
		{Scenario: dir, Zones: "none", Origin: "95,30", Out: out, Every: time.Second},
		{Scenario: dir, Zones: "none", Origin: "50,30", Out: out},
	} {
		var wrong misuse
		if err := f.Run(&console{ctx: context.Background(), out: &bytes.Buffer{}, err: &bytes.Buffer{}}); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v, want a misuse", f, err)
		}
	}
	bad := forecastCmd{Scenario: dir, Zones: "none", Origin: "50,30", Out: out, Every: time.Second}
	if err := bad.Run(&console{ctx: context.Background(), out: &bytes.Buffer{}, err: &bytes.Buffer{}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without zones: %v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was left behind")
	}
}
