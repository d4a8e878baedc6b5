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

	"github.com/alecthomas/kong"

	"tocsin/core/zone"
	"tocsin/zones"
)

// runZones runs one command line of `tocsin zones`.
func runZones(t *testing.T, args ...string) (out, problems string, err error) {
	t.Helper()
	var cmds struct {
		Zones zonesCmd `cmd:""`
	}
	parser, perr := kong.New(&cmds, kong.Exit(func(int) {}))
	if perr != nil {
		t.Fatal(perr)
	}
	k, perr := parser.Parse(append([]string{"zones"}, args...))
	if perr != nil {
		t.Fatal(perr)
	}
	var o, e bytes.Buffer
	err = k.Run(&console{ctx: context.Background(), in: strings.NewReader(""), out: &o, err: &e})
	return o.String(), e.String(), err
}

func zoneFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	twoZones = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"id":"a","name_en":"Alpha"},"geometry":{"type":"Polygon","coordinates":[[[30,50],[31,50],[31,51],[30,51],[30,50]]]}},
{"type":"Feature","properties":{"id":"b","name_en":"Beta"},"geometry":{"type":"Polygon","coordinates":[[[31,50],[32,50],[32,51],[31,51],[31,50]]]}}]}`
	badZones = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Polygon","coordinates":[[[30,50],[31,50],[31,51],[30,51]]]}},
{"type":"Feature","properties":{"id":"a"},"geometry":{"type":"Polygon","coordinates":[[[30,50],[31,51],[31,50],[30,51],[30,50]]]}}]}`
)

func TestZonesCheck(t *testing.T) {
	good, bad := zoneFile(t, "good.geojson", twoZones), zoneFile(t, "bad.geojson", badZones)
	out, _, err := runZones(t, "check", good)
	if err != nil || !strings.Contains(out, "ok: 2 zones, 2 of them leaves, version ") || !strings.Contains(out, "remark: no level (taken as 1): 2 (a; b)") {
		t.Errorf("%v\n%s", err, out)
	}
	out, _, err = runZones(t, "check", bad)
	if !errors.Is(err, errNo) {
		t.Errorf("%v", err)
	}
	for _, want := range []string{
		"defect: bad.geojson: a: polygon 1, ring 1, near 51.000000,30.000000: ring not closed",
		"id twice at level 1", "near 50.500000,30.500000: ring crosses itself", "refused: 3 defects",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _, err = runZones(t, "check", "--json", bad)
	var report struct {
		Defects []struct{ ID, Place, What string }
	}
	if jerr := json.Unmarshal([]byte(out), &report); jerr != nil || len(report.Defects) != 3 || !errors.Is(err, errNo) {
		t.Errorf("%v %v\n%s", jerr, err, out)
	}
	if _, _, err = runZones(t, "check", good+".absent"); err == nil || errors.Is(err, errNo) {
		t.Errorf("an absent file: %v", err)
	}
}

func TestZonesImportAndDiff(t *testing.T) {
	data := t.TempDir()
	first := zoneFile(t, "first.geojson", twoZones)
	second := zoneFile(t, "second.geojson", strings.Replace(strings.Replace(twoZones, "Alpha", "Omega", 1), `[[[31,50]`, `[[[31,50],[31.5,49.9]`, 1))
	_, problems, err := runZones(t, "import", "--data", data, first)
	if err != nil || !strings.Contains(problems, "imported 2 zones (2 leaves) as version ") || !strings.Contains(problems, "there was no set before") {
		t.Errorf("%v\n%s", err, problems)
	}
	out, problems, err := runZones(t, "import", "--data", data, second)
	if err != nil || !strings.Contains(problems, ": 0 of its 2 zones are gone, 0 are new") || !strings.Contains(out, `renamed a Omega (level 1): name_en "Alpha" -> "Omega"`) || !strings.Contains(out, "reshaped b Beta (level 1): lost 0 km², gained ") {
		t.Errorf("%v\n%s", err, out)
	}
	current, err := zones.StoreIn(data).Current()
	if err != nil || current.Name("a", "en") != "Omega" {
		t.Errorf("in force: %v", err)
	}
	// A set with a defect changes nothing.
	if _, _, err = runZones(t, "import", "--data", data, zoneFile(t, "bad.geojson", badZones)); !errors.Is(err, errNo) {
		t.Errorf("%v", err)
	}
	if again, err := zones.StoreIn(data).Current(); err != nil || again.Version() != current.Version() {
		t.Errorf("after a refused import: %v", err)
	}
	same, _, err := runZones(t, "diff", second, second)
	if err != nil || !strings.Contains(same, "0 added, 0 removed, 0 renamed, 0 reshaped, 0 reparented, 0 restated") {
		t.Errorf("%v\n%s", err, same)
	}
	out, _, err = runZones(t, "diff", "--json", "il", first)
	var d struct{ Added, Removed []struct{ ID string } }
	if jerr := json.Unmarshal([]byte(out), &d); jerr != nil || err != nil || len(d.Added) != 2 || len(d.Removed) != 1420 {
		t.Errorf("%v %v: %d added, %d removed", jerr, err, len(d.Added), len(d.Removed))
	}
	out, _, err = runZones(t, "diff", "il", first)
	if err != nil || !strings.Contains(out, "removed ... and 1400 more") {
		t.Errorf("%v\n%.500s", err, out)
	}
}

// TestZonesImportAfterAConfiguredSet: the set of the configuration was in force, and is named.
func TestZonesImportAfterAConfiguredSet(t *testing.T) {
	data := t.TempDir()
	il, err := zones.Open("il")
	if err != nil {
		t.Fatal(err)
	}
	ua, err := zones.Open("ua")
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*zone.Set{ua, il, il} { // the last that was configured is the one in force
		if err := zones.StoreIn(data).Configure(set); err != nil {
			t.Fatal(err)
		}
	}
	out, problems, err := runZones(t, "import", "--data", data, zoneFile(t, "own.geojson", twoZones))
	want := "the set before was version " + il.Version() + ": 1420 of its 1420 zones are gone, 2 are new"
	if err != nil || !strings.Contains(problems, want) || strings.Contains(problems, "no set before") || !strings.Contains(out, "2 added, 1420 removed") {
		t.Errorf("%v\n%s\n%.300s", err, problems, out)
	}
}

func TestZonesBuild(t *testing.T) {
	places := zoneFile(t, "places.geojson", `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"id":"p1","admin":"1","feature":"PPLA","name_en":"One","population":10},"geometry":{"type":"Point","coordinates":[30.2,50.5]}},
{"type":"Feature","properties":{"id":"p2","admin":"1","name_en":"Two","population":5},"geometry":{"type":"Point","coordinates":[31.8,50.5]}},
{"type":"Feature","properties":{"id":"p3","admin":"1","name_en":"Three"},"geometry":{"type":"Point","coordinates":[40,50.5]}}]}`)
	outline := zoneFile(t, "outline.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[30,50],[32,50],[32,51],[30,51],[30,50]]]}}]}`)
	table := zoneFile(t, "oblasts.csv", "admin,id,name_en\n1,P,Province\n")
	made := filepath.Join(t.TempDir(), "made.geojson")
	out, _, err := runZones(t, "build", "--places", places, "--outline", outline, "--oblasts", table, "-o", made)
	if err != nil || !strings.Contains(out, "p3 Three: ") || !strings.Contains(out, "left out") || !strings.Contains(out, "built 4 zones, 2 of them leaves") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, _, err = runZones(t, "check", made); err != nil || strings.Contains(out, "overlaps") || strings.Contains(out, "not covered") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, _, err = runZones(t, "build", "--places", table, "--outline", outline, "--oblasts", table, "-o", made); err == nil {
		t.Error("a table was taken for settlements")
	}
}
