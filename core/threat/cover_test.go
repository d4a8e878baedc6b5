package threat

import (
	"testing"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// TestEyes: what a live sensor sees from aircraft height up is watched; what only a dead one
// would see is blinded, and what another still sees is not.
func TestEyes(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	sensor := func(id string, floor, reach geo.Metres, alive bool) track.Live {
		return track.Live{Alive: alive, Source: observation.Source{ID: id, HasSite: true, Site: geo.Position{Point: geo.Point{Lat: 50, Lon: 30}},
			Coverage: observation.Coverage{Range: reach, Floor: floor}}}
	}
	const middle, off = zone.ID("r010c010"), zone.ID("r010c016") // 60 km
	for _, x := range []struct {
		name             string
		live             []track.Live
		at               zone.ID
		watched, blinded bool
	}{
		{"a low sensor", []track.Live{sensor("low", 0, 70e3, true)}, middle, true, false},
		{"a high sensor", []track.Live{sensor("high", 2000, 70e3, true)}, middle, true, false},
		{"one for what falls", []track.Live{sensor("space", 4000, 70e3, true)}, middle, false, false},
		{"out of range", []track.Live{sensor("low", 0, 50e3, true)}, off, false, false},
		{"nothing", nil, middle, false, false},
		{"a dead low sensor under a high one", []track.Live{sensor("low", 0, 70e3, false), sensor("high", 2000, 70e3, true)}, middle, true, true},
		{"its range ends before", []track.Live{sensor("low", 0, 50e3, false), sensor("high", 2000, 70e3, true)}, off, true, false},
		{"another sees as low", []track.Live{sensor("low", 0, 70e3, false), sensor("low too", 0, 70e3, true)}, middle, true, false},
		{"only dead ones", []track.Live{sensor("low", 0, 70e3, false)}, middle, false, false},
	} {
		c := Cover(x.live, zones)
		if w, b := c.Watches(x.at), c.Blinded(x.at, class.CruiseMissile); w != x.watched || b != x.blinded {
			t.Errorf("%s: watched %v, blinded %v; want %v, %v", x.name, w, b, x.watched, x.blinded)
		}
	}
}
