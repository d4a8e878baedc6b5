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
)

// flight is a scenario folder of our own: two objects crossing, no clutter.
func flight(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"scenario.json": `{"name":"flight","area":[[-9000,9000],[-9000,9000]],"gospa":{"c":500,"p":2,"alpha":2},
			"sensors":[{"name":"P","kind":"pos2d","period":2,"pd":0.9,"sigma":[20,20],"clutter":1,"pos":[0,0,0],"clock":0}]}`,
	}
	det, truth := "det,scan,t,t_recv,sensor,kind,m1,m2,m3\n", "t,id,class,x,y,z,vx,vy,vz\n"
	for i := range 30 {
		at, x := itoa(2*i), itoa(-3000+200*i)
		y := itoa(3000 - 200*i)
		scan := itoa(i)
		det += "0," + scan + "," + at + "," + at + ",P,pos2d," + x + ",0,\n1," + scan + "," + at + "," + at + ",P,pos2d,1000," + y + ",\n"
		truth += at + ",a,drone," + x + ",0,500,100,0,0\n" + at + ",b,drone,1000," + y + ",500,0,-100,0\n"
	}
	files["detections.csv"], files["truth.csv"] = det, truth
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func itoa(i int) string { b, _ := json.Marshal(i); return string(b) }

func TestTrackAndScore(t *testing.T) {
	dir := flight(t)
	var out, errs bytes.Buffer
	c := &console{ctx: context.Background(), out: &out, err: &errs}
	file := filepath.Join(t.TempDir(), "tracks.csv")
	if err := (trackCmd{Scenario: dir, Out: file}).Run(c); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "30 scans") {
		t.Errorf("track printed %q", out.String())
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(string(b), "\n"); head != "t,track,x,y,z,vx,vy,vz,sx,sy,sz,class,existence" {
		t.Errorf("columns are %q", head)
	}
	out.Reset()
	if err := (scoreCmd{Scenario: dir, Tracks: file, JSON: true}).Run(c); err != nil {
		t.Fatal(err)
	}
	var s struct {
		Completeness float64 `json:"completeness"`
		Switches     int     `json:"id_switches"`
		Confirm      float64 `json:"confirm_latency_s_median"`
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Completeness < 0.9 || s.Switches != 0 || s.Confirm > 4 {
		t.Errorf("score %s", out.String())
	}
}

func TestTrackNeedsAScenario(t *testing.T) {
	c := &console{ctx: context.Background(), out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	out := filepath.Join(t.TempDir(), "x.csv")
	if err := (trackCmd{Scenario: t.TempDir(), Out: out}).Run(c); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without scenario.json: %v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file of tracks was left behind")
	}
}
