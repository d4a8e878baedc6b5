package threat

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/track"
	"tocsin/core/zone"
)

var flights = flag.Int("flights", 0, "flights a class in the calibration; 0: few, and only what is grossly wrong fails")

// score is what forecasts came to against what happened.
type score struct {
	said, happened, cases [10]float64
	square, base, n       [3]float64 // Brier sums and reference: at 2 min, at 10 min, whole
	inside, arrivals      float64
	close, soon           float64
	early                 float64 // came before the interval
	likelyN, likelyIn     float64 // the same of what was likelier than 0.2
}

var leads = [3]float64{120, 600, 1e9}

// share of an arrival's probability that lies before a time, by its quantiles.
func before(a Arrival, at time.Time, after float64) float64 {
	e, l, z := a.Earliest.Sub(at).Seconds(), a.Likely.Sub(at).Seconds(), a.Latest.Sub(at).Seconds()
	switch {
	case after >= z:
		return 1
	case after >= l:
		return 0.5 + 0.45*(after-l)/math.Max(z-l, 1e-9)
	case after >= e:
		return 0.05 + 0.45*(after-e)/math.Max(l-e, 1e-9)
	default:
		return 0
	}
}

// add scores one forecast over the zones of its region.
func (s *score) add(f Forecast, zones *zone.Set, region []int, got map[int]float64) {
	of := make(map[zone.ID]Reach, len(f.Reaches))
	for _, r := range f.Reaches {
		of[r.Zone] = r
	}
	var hits [3]float64
	for _, i := range region {
		at, was := got[i]
		r := of[zones.ByIndex(i).ID]
		for k, lead := range leads {
			p, y := r.P*before(r.Arrival, f.At, lead), 0.0
			if !r.Arrival.Known() {
				p = 0
			}
			if k == 2 {
				p = r.P
				lead = f.Horizon.Seconds()
			}
			if was && at <= lead {
				y = 1
			}
			s.square[k] += (p - y) * (p - y)
			hits[k] += y
		}
		y := was && at <= f.Horizon.Seconds()
		if r.P >= Negligible {
			b := min(int(r.P*10), 9)
			s.said[b] += r.P
			s.cases[b]++
			if y {
				s.happened[b]++
			}
		}
		if y && r.P >= 0.01 {
			when := f.At.Add(seconds(at))
			s.arrivals++
			if when.Before(r.Arrival.Earliest.Add(-500 * time.Millisecond)) {
				s.early++
			}
			if r.P >= 0.2 {
				s.likelyN++
				if !when.Before(r.Arrival.Earliest.Add(-500*time.Millisecond)) && !when.After(r.Arrival.Latest.Add(500*time.Millisecond)) {
					s.likelyIn++
				}
			}
			if !when.Before(r.Arrival.Earliest.Add(-500*time.Millisecond)) && !when.After(r.Arrival.Latest.Add(500*time.Millisecond)) {
				s.inside++
			}
			if at > 60 && at <= 120 {
				s.soon++
				if when.Sub(r.Arrival.Likely).Abs() <= 20*time.Second {
					s.close++
				}
			}
		}
	}
	for k := range leads {
		n := float64(len(region))
		rate := hits[k] / math.Max(n, 1)
		s.base[k] += n * rate * (1 - rate)
		s.n[k] += n
	}
}

func (s *score) String() string {
	var b strings.Builder
	for k := range s.cases {
		if s.cases[k] > 0 {
			fmt.Fprintf(&b, " %.2f/%.2f(%.0f)", s.said[k]/s.cases[k], s.happened[k]/s.cases[k], s.cases[k])
		}
	}
	return fmt.Sprintf("skill %.2f %.2f %.2f inside %.2f of %.0f (%.2f before it; of likely ones %.2f inside), near likely %.2f of %.0f; said/happened%s",
		1-s.square[0]/s.base[0], 1-s.square[1]/s.base[1], 1-s.square[2]/s.base[2],
		s.inside/s.arrivals, s.arrivals, s.early/s.arrivals, s.likelyIn/s.likelyN, s.close/s.soon, s.soon, b.String())
}

// shared reads zones beside the project, or skips.
func shared(t testing.TB, name string) *zone.Set {
	t.Helper()
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	b, err := os.ReadFile(filepath.Join(root, "data/zones", name))
	if err != nil {
		t.Skipf("zones: %v", err)
	}
	set, report := zone.ReadSet([]zone.File{{Name: name, Data: b}}, zone.Limits{})
	if report.Bad() {
		t.Fatalf("%s has defects", name)
	}
	return set
}

// Against flights by other rules than ours, over real zones: what is said to happen with
// probability p happens in a share of about p of the cases.
func TestCalibration(t *testing.T) {
	n := *flights
	if n == 0 {
		n = 40
	}
	for _, land := range []struct {
		file   string
		middle geo.Point
		half   float64
	}{
		{"ua-hromadas.geojson", geo.Point{Lat: 49.6, Lon: 33}, 180e3},
		{"il-areas.geojson", geo.Point{Lat: 32.4, Lon: 35.05}, 70e3},
	} {
		zones := shared(t, land.file)
		m := DefaultModels().On(zones)
		m.Flat = true // as the flights are
		for _, c := range []class.Class{class.Drone, class.CruiseMissile, class.Aircraft, class.BallisticMissile, class.Rocket, class.GlideBomb} {
			f := newField(zones, land.middle, land.half, uint64(c))
			var whole score
			styles := map[string]*score{}
			for range n {
				fl := f.flight(c)
				if len(fl.path) < 40 {
					continue
				}
				for range 3 {
					at := 10 + f.rng.IntN(len(fl.path)-20)
					tr := f.track(&fl, at)
					tr.ID = track.ID(fmt.Sprint(f.rng.Uint64()))
					fc := Predict(tr, zones, m, "")
					region, got := f.near(fl.path[at], 100e3), f.reached(&fl, at)
					whole.add(fc, zones, region, got)
					if styles[fl.style] == nil {
						styles[fl.style] = &score{}
					}
					styles[fl.style].add(fc, zones, region, got)
				}
			}
			t.Logf("%s %s: %s", land.file[:2], c, whole.String())
			if *flights > 0 {
				for _, style := range []string{"route", "straight", "wanders", "loop", "back"} {
					if s := styles[style]; s != nil {
						t.Logf("      %s: %s", style, s.String())
					}
				}
			}
		}
	}
}
