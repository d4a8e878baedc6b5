package threat

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// around16 is sixteen zones of a degree around a place, also over the antimeridian or up to a pole.
func around16(t *testing.T, lat, lon float64) *zone.Set {
	t.Helper()
	var zones []zone.Zone
	for k := range 16 {
		south, west := lat+float64(k/4)-2, lon+float64(k%4)-2
		p := func(y, x float64) geo.Point {
			return geo.Point{Lat: geo.Degrees(min(max(y, -90), 90)), Lon: geo.Degrees(math.Remainder(x, 360))}
		}
		ring := geo.Ring{p(south, west), p(south, west+1), p(south+1, west+1), p(south+1, west), p(south, west)}
		zones = append(zones, zone.Zone{ID: zone.ID(rune('a' + k)), Level: 1, Names: map[string]string{"en": "z"}, Shape: geo.MultiPolygon{{Outer: ring}}})
	}
	s, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Near a pole and over the antimeridian the zone under the object is reached now.
func TestAtTheEdgesOfTheMap(t *testing.T) {
	for _, place := range []geo.Point{{Lat: 20, Lon: 180}, {Lat: 87.4, Lon: 10}, {Lat: -87.4, Lon: -179.9}, {Lat: 0.5, Lon: -180}} {
		zones := around16(t, float64(place.Lat), float64(place.Lon))
		under := geo.Point{Lat: place.Lat + 0.5, Lon: geo.Degrees(math.Remainder(float64(place.Lon)+0.5, 360))}
		i, ok := zones.IndexAt(under)
		if !ok {
			t.Fatalf("%v is in no zone", under)
		}
		for _, c := range []class.Class{class.Drone, class.CruiseMissile} {
			var tr track.Track
			at := geo.Position{Point: under, Height: 500}
			tr.ID, tr.At, tr.Status, tr.Class = "x", noon, track.Confirmed, class.Of(c)
			tr.State.Position, tr.State.Velocity = at.ECEF(), geo.NewENU(at).FromVelocity([3]float64{100, 20, 0})
			tr.State.Covariance[0][0] = 100
			if p := chance(Predict(tr, zones, Models{}, ""), zones.ByIndex(i).ID); p < 0.95 {
				t.Errorf("%s at %v: the zone under it has p %.3f", c, under, p)
			}
		}
	}
}

// What a workspace was used for before changes nothing.
func TestWorkspaceForgets(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	used := NewForecaster(zones, m)
	for i := range 12 {
		tr := flying(class.All()[i%class.Count], float64(i)*3e3, -30e3, 4000, [3]float64{30 * float64(i%3), 50 + 40*float64(i), -60}, 200, 5)
		tr.ID = track.ID(fmt.Sprint(i))
		salvo := track.ID([]string{"", "0"}[i%2])
		if got, want := used.Predict(&tr, salvo), Predict(tr, zones, m, salvo); !reflect.DeepEqual(got, want) {
			t.Fatalf("track %d: a used workspace and a new one differ", i)
		}
	}
	used.e.future = math.MaxUint32 - 100 // the numbers of futures begin anew
	tr := flying(class.Drone, 0, -30e3, 400, [3]float64{0, 50, 0}, 60, 1.5)
	if !reflect.DeepEqual(used.Predict(&tr, ""), Predict(tr, zones, m, "")) {
		t.Error("after the numbers began anew a forecast differs")
	}
}

// A better known state of the same object, and one more look that agrees, do not lower
// the probability of the zone that it flies at.
func TestMoreEvidenceDoesNotLower(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	f := NewForecaster(zones, DefaultModels().On(zones))
	last := 0.0
	for _, spread := range []float64{12, 6, 3, 1} {
		tr := flying(class.Drone, 0, -25e3, 400, [3]float64{0, 50, 0}, 40*spread, spread)
		p := chance(f.Predict(&tr, ""), "r010c010")
		if p < last-0.03 {
			t.Errorf("with a velocity known to %g m/s p falls from %.3f to %.3f", spread, last, p)
		}
		last = p
	}
}

func TestExpect(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	l := Launch{ID: "cue-1", At: noon, Says: class.Of(class.Rocket), Trust: 0.9, Area: geo.Circle{Centre: geo.Point{Lat: 50, Lon: 30}, Radius: 500}}
	f := Expect(l, noon.Add(time.Second), zones, m)
	sum := 0.0
	for _, r := range f.Reaches {
		sum += r.P
		i, _ := zones.Index(r.Zone)
		d := float64(geo.Distance(l.Area.Centre, zones.ByIndex(i).Label))
		if d < 3.4e3 || d > 81e3 {
			t.Errorf("zone %s, %.0f m away, is in a rocket's reach", r.Zone, d)
		}
		after := r.Arrival.Likely.Sub(noon).Seconds()
		if r.Arrival.Latest.Before(r.Arrival.Likely) || r.Arrival.Likely.Before(r.Arrival.Earliest) || after < d/800-2 || after > d/200+5 {
			t.Errorf("zone %s, %.0f m away: arrival after %.0f s", r.Zone, d, after)
		}
	}
	if sum < 3.5 || sum > 4.1 || f.Kinds[0] != CueKind {
		t.Errorf("a launch at four places: the sum is %.2f, kinds %v", sum, f.Kinds)
	}
	if late := Expect(l, noon.Add(10*time.Minute), zones, m); len(late.Reaches) != 0 {
		t.Errorf("ten minutes later %d zones may be reached", len(late.Reaches))
	}
	for _, bad := range []Launch{
		{Area: geo.Circle{Centre: geo.Point{Lat: geo.Degrees(math.NaN())}}},
		{Area: geo.Circle{Radius: geo.Metres(math.Inf(1))}},
		{Trust: math.NaN()},
		{Area: geo.Circle{Radius: -1}},
	} {
		if f := Expect(bad, noon, zones, m); len(f.Reaches) != 0 {
			t.Errorf("%+v reaches %d zones", bad, len(f.Reaches))
		}
	}
	tr := flying(class.Rocket, 0, 3e3, 3000, [3]float64{0, 300, 200}, 50, 5)
	tr.Since, tr.At = noon.Add(5*time.Second), noon.Add(12*time.Second)
	if !l.Explains(&tr) {
		t.Error("a rocket near the place soon after is not explained")
	}
	far, drone, before := tr, tr, tr
	far.State.Position = geo.Position{Point: geo.Point{Lat: 51, Lon: 30}}.ECEF()
	drone.Class = class.Of(class.Drone)
	before.Since = noon.Add(-time.Minute)
	for name, x := range map[string]track.Track{"far away": far, "of another class": drone, "seen before": before} {
		if l.Explains(&x) {
			t.Errorf("a track %s is explained", name)
		}
	}
}
