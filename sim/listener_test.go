package sim

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

const heardWorld = `
about: a test
seed: 3
start: 2026-03-01T02:00:00Z
lasts: 5m
zones: ua
listeners:
  - {id: ear, at: [50.7, 34.5], rows: 3, columns: 3, spacing: 5000, reach: 5000, period: 5s, detection: 1, false: 0}
citizens:
  - {id: citizens, reach: 3000, per_minute: 5, delay: 8s, trust: 0.7, lies: [{at: 1m, place: [50.9, 34.8], copies: 40, lasts: 10s}]}
objects:
  - {id: low, class: drone, speed: 50, route: [[50.65, 34.4, 300], [50.75, 34.6, 300]]}
  - {id: high, class: aircraft, speed: 200, route: [[50.65, 34.4, 9000], [50.75, 34.6, 9000]]}
`

// What is heard is where the object was when the sound left it, and never what flies high;
// the same seed says the same.
func TestWords(t *testing.T) {
	w, err := Read([]byte(heardWorld))
	if err != nil {
		t.Fatal(err)
	}
	flights := w.Flights()
	words := w.Words(flights)
	if again := w.Words(w.Flights()); !reflect.DeepEqual(words, again) {
		t.Error("the same world says something else")
	}
	sources := map[string]observation.Source{}
	for _, s := range w.Sources() {
		sources[s.ID] = s
	}
	heard, reports, lies := 0, 0, 0
	for _, x := range words {
		s, known := sources[x.Observation.Source]
		if !known {
			t.Fatalf("%q is not registered", x.Observation.Source)
		}
		b, present := x.Observation.Body.(observation.Presence)
		if !present {
			continue
		}
		if s.Kind == "report" {
			if reports++; geo.Distance(b.At, geo.Point{Lat: 50.9, Lon: 34.8}) < 300 {
				lies++
			}
			continue
		}
		heard++
		at := x.Observation.ObservedAt.Sub(w.Start)
		earlier := at - 15*time.Second // five kilometres of sound, at most
		near := false
		for ; earlier <= at; earlier += 200 * time.Millisecond {
			if p, ok := flights[0].At(earlier); ok && geo.Distance(p.Position().Point, s.Site.Point) < 5100 {
				near = true
			}
		}
		if !near {
			t.Errorf("%s hears at %s what was never near", s.ID, at)
		}
	}
	if heard < 50 || reports < 45 || lies != 40 {
		t.Errorf("%d heard, %d reports, %d lies", heard, reports, lies)
	}
}

func TestListenersAreBounded(t *testing.T) {
	for name, change := range map[string][2]string{
		"too many nodes":     {"rows: 3", "rows: 900"},
		"no probability":     {"detection: 1", "detection: 2"},
		"too many copies":    {"copies: 40", "copies: 40000"},
		"too many reports":   {"per_minute: 5", "per_minute: 1e9"},
		"a name twice":       {"id: citizens", "id: ear"},
		"no trust":           {"trust: 0.7", "trust: 1"},
		"reach of a country": {"reach: 3000", "reach: 1e6"},
	} {
		if _, err := Read([]byte(strings.Replace(heardWorld, change[0], change[1], 1))); err == nil {
			t.Errorf("%s is let pass", name)
		}
	}
}
