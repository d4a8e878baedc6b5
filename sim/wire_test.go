package sim

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/core/observation"
	"tocsin/wire/asterix"
)

// scenarios are the worlds of the repository.
func scenarios(t testing.TB) map[string]*World {
	t.Helper()
	names, err := filepath.Glob("../scenarios/*.txt")
	if err != nil || len(names) < 12 {
		t.Fatalf("%d scenarios, want at least 12: %v", len(names), err)
	}
	all := map[string]*World{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := Split(b)
		w, err := Read(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[filepath.Base(name)] = w
	}
	return all
}

// TestWireSaysWhatTheLookSays: a plot is the same over the wire and straight.
func TestWireSaysWhatTheLookSays(t *testing.T) {
	plots := 0
	for name, w := range scenarios(t) {
		wire, err := NewWire(w, w.Start)
		if err != nil {
			t.Fatal(err)
		}
		looks := w.Looks(w.Flights())
		for _, l := range looks[:min(len(looks), 400)] {
			datagrams, err := wire.Datagrams(l)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var records []asterix.Record
			for _, d := range datagrams {
				if len(d) > datagramLimit {
					t.Fatalf("%s: a datagram of %d bytes", name, len(d))
				}
				got, faults := asterix.Decode(d, nil)
				if len(faults) > 0 {
					t.Fatalf("%s: %v", name, faults)
				}
				for _, r := range got {
					records = append(records, r.Clone())
				}
			}
			straight := w.Observations(l, w.Start)
			if len(records) != len(straight) {
				t.Fatalf("%s: %d records for %d observations", name, len(records), len(straight))
			}
			for i, o := range straight {
				p, ok := o.Body.(observation.Plot)
				if !ok {
					continue
				}
				plots++
				compare(t, name, records[i], o, p)
			}
		}
	}
	if plots < 1000 {
		t.Fatalf("only %d plots were compared", plots)
	}
}

func compare(t *testing.T, name string, r asterix.Record, o observation.Observation, p observation.Plot) {
	t.Helper()
	near := func(what string, got, want, within float64) {
		if d := got - want; d > within || d < -within {
			t.Errorf("%s: %s is %v on the wire, %v straight", name, what, got, want)
		}
	}
	rho, _ := r.Float("040", "RHO")
	theta, _ := r.Float("040", "THETA")
	near("range", rho*1852, float64(p.Range), 0.01)
	near("azimuth", theta, float64(p.Azimuth), 1e-6)
	if height, ok := r.Float("110", "3DH"); ok != p.HasHeight {
		t.Errorf("%s: height there on the wire: %v, straight: %v", name, ok, p.HasHeight)
	} else if ok {
		near("height", height*0.3048, float64(p.Height), 0.01)
	}
	at, _ := r.Float("140")
	day := o.ObservedAt.Truncate(24 * time.Hour)
	near("time", at, o.ObservedAt.Sub(day).Seconds(), 0.005)
	if sim, _ := r.Uint("020", "SIM"); sim != 1 {
		t.Errorf("%s: a simulated plot does not say so", name)
	}
	friend, _ := r.Uint("020", "FOEFRI")
	if (friend == 1) != (o.Identity.Answer == observation.Friend) {
		t.Errorf("%s: friendly on the wire: %v", name, friend == 1)
	}
}

// TestReadRefuses: one fault each, and the error names its place.
func TestReadRefuses(t *testing.T) {
	const good = "about: x\nstart: 2026-01-01T00:00:00Z\nlasts: 1m\nzones: ua\nradars:\n  - {id: r, site: [50, 30, 100], period: 4s, range: 100000, noise: {range: 50, azimuth: 0.1}, detection: 0.9}\n"
	if _, err := Read([]byte(good)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	bad := map[string]string{
		"unknown key":        good + "wind: 3\n",
		"two documents":      good + "---\nabout: y\n",
		"no radar":           "about: x\nstart: 2026-01-01T00:00:00Z\nlasts: 1m\nzones: ua\n",
		"endless":            "about: x\nstart: 2026-01-01T00:00:00Z\nlasts: 1000000h\nzones: ua\nradars: []\n",
		"unknown zones":      "about: x\nstart: 2026-01-01T00:00:00Z\nlasts: 1m\nzones: atlantis\nradars: []\n",
		"unknown class":      good + "objects:\n  - {id: o, class: kite, speed: 3, route: [[50, 30, 1], [51, 30, 1]]}\n",
		"too many copies":    good + "objects:\n  - {id: o, class: drone, speed: 3, copies: 30000, route: [[50, 30, 1], [51, 30, 1]]}\n",
		"copies without end": good + "objects:\n  - {id: o, class: drone, speed: 3, route: [[50, 30, 1], [51, 30, 1]]}\n  - {id: p, class: drone, speed: 3, copies: 9223372036854775807, route: [[50, 30, 1], [51, 30, 1]]}\n",
		"one point":          good + "objects:\n  - {id: o, class: drone, speed: 3, route: [[50, 30, 1]]}\n",
		"no such radar":      good + "events:\n  - {at: 10s, kill: nobody}\n",
		"two things at once": good + "events:\n  - {at: 10s, kill: r, restart: true}\n",
		"after the end":      good + "events:\n  - {at: 10m, restart: true}\n",
		"not yaml":           "\x00\x01",
		"too large":          string(make([]byte, MaxBytes+1)),
	}
	for name, text := range bad {
		if _, err := Read([]byte(text)); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

// TestArcsLandWhereTheySay: shooting finds the impact point, and energy is kept.
func TestArcsLandWhereTheySay(t *testing.T) {
	w := scenarios(t)["ballistic-arc.txt"]
	f := w.Flights()[0]
	end := f.path[len(f.path)-1].Position()
	if h := float64(end.Height); h < -50 || h > 50 {
		t.Errorf("the arc ends at a height of %.1f m", h)
	}
	top := 0.0
	for _, p := range f.path {
		top = max(top, float64(p.Position().Height))
	}
	// In vacuum over a flat earth the top of an arc of T seconds is g T²/8.
	if want := 9.8 * 240 * 240 / 8; top < 0.95*want || top > 1.1*want {
		t.Errorf("the arc rises to %.0f m, want about %.0f", top, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("about: x\nstart: 2026-01-01T00:00:00Z\nlasts: 1m\nzones: ua\nradars:\n  - {id: r, site: [50, 30, 100], period: 4s, range: 100000, noise: {range: 50, azimuth: 0.1}, detection: 0.9}\n"))
	f.Add([]byte("objects:\n  - {id: o, copies: 9, arc: {launch: [1, 2], impact: [3, 4], flight: 20s}}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := Read(b)
		if err == nil && (len(w.Objects) > MaxObjects || len(w.Radars) > MaxRadars) {
			t.Fatal("bounds are not held")
		}
	})
}
