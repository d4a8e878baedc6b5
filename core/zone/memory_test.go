package zone

import (
	"reflect"
	"testing"
)

// A set's memory is told and taken back: what it knows of ids that are gone, and no more.
func TestMemory(t *testing.T) {
	of := func(east ID) *Set {
		set, err := NewSet([]Zone{
			{ID: "r", Level: 1, Shape: rect(0, 0, 2, 1)}, {ID: "a", Level: 2, Parent: "r", Shape: rect(0, 0, 1, 1)}, {ID: east, Level: 2, Parent: "r", Shape: rect(1, 0, 2, 1)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	old, plain := of("b"), of("c")
	if m := plain.Memory(); len(m) != 0 {
		t.Errorf("a set without a past remembers %v", m)
	}
	with := plain.Remember(old)
	if m := with.Memory(); !reflect.DeepEqual(m, map[ID]ID{"b": "r"}) {
		t.Fatalf("it remembers %v", m)
	}
	m := with.Memory()
	m["a"] = "r" // it has a: that is not gone
	again := plain.Recall(m)
	if known, parent, ok := again.Resolve("b"); known != "r" || !parent || !ok || !again.Gone("b") || again.Gone("a") || again.Version() != plain.Version() {
		t.Errorf("recalled: b is %s, %t, %t; a gone: %t", known, parent, ok, again.Gone("a"))
	}
	m["x"] = "r"
	if again.Gone("x") || with.Gone("x") || plain.Gone("b") {
		t.Error("a set changed with the map that it was given or gave")
	}
	if none := with.Recall(nil); none.Gone("b") || none.Memory() == nil {
		t.Error("recalling nothing is no set without a past")
	}
}

// A set that is kept and opened again is the same to the last bit: what is decided over it
// must not depend on which of the two was used.
func TestKeptSetsAreTheSame(t *testing.T) {
	file := `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","name:en":"A","lat":0.30000000000000004,"lon":0.1},"geometry":{"type":"Polygon",
"coordinates":[[[0.1234567890123456,0.2000000000000001],[1.9999999999999999,0.30000000000000004],[1.7320508075688772,1.4142135623730951],[0.1234567890123456,0.2000000000000001]]]}}]}`
	set, report := ReadSet([]File{{Name: "a.geojson", Data: []byte(file)}}, Limits{})
	if report.Bad() {
		t.Fatal(report.Defects)
	}
	again, report := ReadSet([]File{{Name: "b.geojson", Data: set.GeoJSON()}}, Limits{})
	if report.Bad() {
		t.Fatal(report.Defects)
	}
	if again.Version() != set.Version() || !reflect.DeepEqual(again.zones, set.zones) || !reflect.DeepEqual(again.areas, set.areas) {
		t.Errorf("read  %+v\nagain %+v", set.zones, again.zones)
	}
}
