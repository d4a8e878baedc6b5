package threat

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"tocsin/core/class"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// named is a drone at a place and velocity in metres.
func named(id string, east, north float64, v [3]float64) track.Track {
	tr := flying(class.Drone, east, north, 400, v, 60, 1.5)
	tr.ID = track.ID(id)
	return tr
}

// Who flies together is told by kind, place, speed and course; a salvo outlives the track
// that it is named after, and who turns off is alone again.
func TestSalvos(t *testing.T) {
	var s Salvos
	of := func(tr track.Track) track.ID { return s.Of(&tr) }
	north := [3]float64{0, 50, 0}
	for _, step := range []struct {
		what string
		tr   track.Track
		want track.ID
	}{
		{"the first", named("a", 0, 0, north), ""},
		{"beside it", named("b", 3000, -2000, north), "a"},
		{"the first, again", named("a", 0, 500, north), "a"},
		{"beside the second", named("c", 10e3, -4000, north), "a"},
		{"far off", named("d", 60e3, 0, north), ""},
		{"the other way", named("e", 1000, 0, [3]float64{0, -50, 0}), ""},
		{"much faster", named("f", 1000, 0, [3]float64{0, 90, 0}), ""},
		{"standing still", named("g", 1000, 0, [3]float64{}), ""},
	} {
		if got := of(step.tr); got != step.want {
			t.Errorf("%s is in salvo %q, not %q", step.what, got, step.want)
		}
	}
	missile := named("h", 1000, 0, north)
	missile.Class = class.Of(class.CruiseMissile)
	if got := of(missile); got != "" {
		t.Errorf("another kind is in salvo %q", got)
	}
	gone := named("a", 0, 1000, north)
	gone.Status = track.Ended
	of(gone)
	if got := of(named("c", 10e3, -3000, north)); got != "a" {
		t.Errorf("when the first is gone the rest is in salvo %q", got)
	}
	if got := of(named("c", 60e3, 40e3, [3]float64{50, 0, 0})); got != "" {
		t.Errorf("who turned off is in salvo %q", got)
	}
	if len(s.flyers) != 7 || s.flyers["a"] != nil {
		t.Errorf("%d tracks are remembered", len(s.flyers))
	}
	n := 0
	for _, in := range s.cells {
		n += len(in)
	}
	if n != len(s.flyers) {
		t.Errorf("%d tracks in cells, %d remembered", n, len(s.flyers))
	}
}

// Futures of a salvo that share a lot share the route; the others do not, and what is
// measured of each stays its own: alone or in a salvo a track reaches a zone as probably.
func TestSalvoSharesItsRoute(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	m.Futures = 512
	lots := func(id, salvo string) (out map[string]uint64) {
		tr := named(id, 0, -60e3, [3]float64{0, 50, 0})
		out = map[string]uint64{}
		for _, r := range Predict(tr, zones, m, track.ID(salvo)).Reaches {
			out[string(r.Zone)] = r.Lots
		}
		return out
	}
	const shared = 0x5555555555555555 // every second lot
	agree := func(a, b map[string]uint64, of uint64) (share float64) {
		same, all := 0, 0
		for z, x := range a {
			for k := range Lots {
				if bit := uint64(1) << k; of&bit != 0 && x&bit != 0 {
					all++
					if b[z]&bit != 0 {
						same++
					}
				}
			}
		}
		return float64(same) / float64(all)
	}
	a, b, c := lots("a", "s"), lots("b", "s"), lots("c", "")
	in, out, alone := agree(a, b, shared), agree(a, b, ^uint64(shared)), agree(a, c, shared)
	if in < out+0.15 || in < alone+0.15 {
		t.Errorf("lots agree %.2f in what a salvo shares, %.2f in what it does not, %.2f with one that flies alone", in, out, alone)
	}
	for _, id := range []zone.ID{"r010c010", "r009c010", "r010c011", "r012c010"} {
		p, q := 0.0, 0.0
		for i := range 40 {
			tr := named(fmt.Sprint(i), 0, -40e3, [3]float64{0, 50, 0})
			p += chance(Predict(tr, zones, m, ""), id) / 40
			q += chance(Predict(tr, zones, m, track.ID(fmt.Sprint("s", i))), id) / 40
		}
		if math.Abs(p-q) > 0.02 {
			t.Errorf("zone %s: %.3f alone, %.3f in a salvo", id, p, q)
		}
	}
}

// What is known of any: never less than the likeliest of them, nor more than if each flew for
// itself, but for what a lot cannot hold; alone exactly that; never less with one more.
func TestTogether(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var one Together
		one.Reset()
		apart, most, before := 1.0, 0.0, 1.0
		for range rapid.IntRange(1, 50).Draw(rt, "n") {
			salvo := track.ID(rapid.SampledFrom([]string{"", "s", "t"}).Draw(rt, "salvo"))
			lots := rapid.Uint64().Draw(rt, "lots")
			p := rapid.Float64Range(0, 1).Draw(rt, "p")
			one.Add(salvo, lots, p)
			apart *= 1 - p
			most = max(most, p)
			none := one.None()
			if none > before+1e-12 {
				rt.Fatalf("one more makes it safer: %v after %v", none, before)
			}
			if none > 1-most+1e-9 || none < 0 {
				rt.Fatalf("none %v, though one alone leaves %v", none, 1-most)
			}
			before = none
		}
		one.Reset()
		if one.None() != 1 {
			rt.Fatal("not empty after Reset")
		}
	})
	var same, other Together
	same.Reset()
	other.Reset()
	for range 10 {
		same.Add("s", 0xff, 0.1)
		other.Add("", 0xff, 0.1)
	}
	if p := 1 - same.None(); math.Abs(p-0.125) > 0.002 { // all in eight of 64 lots, nearly sure there
		t.Errorf("ten on one route: %.4f", p)
	}
	if p := 1 - other.None(); math.Abs(p-0.6513) > 1e-3 {
		t.Errorf("ten apart: %.4f", p)
	}
}

func BenchmarkSalvos(b *testing.B) {
	var s Salvos
	var all []track.Track
	for i := range 10_000 {
		tr := named(fmt.Sprint(i), float64(i%100)*1000, float64(i/100)*1000, [3]float64{0, 50, 0})
		all = append(all, tr)
		s.Of(&tr)
	}
	for i := 0; b.Loop(); i++ {
		s.Of(&all[i%len(all)])
	}
}
