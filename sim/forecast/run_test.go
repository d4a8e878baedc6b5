package forecast

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/track"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/tracking"
)

var kyiv = geo.Point{Lat: 50.45, Lon: 30.52}

// squares are n by n zones of some metres around a place, named by row and column.
func squares(t *testing.T, middle geo.Point, n int, metres float64) *zone.Set {
	t.Helper()
	var zones []zone.Zone
	corner := func(r, c int) geo.Point {
		north := geo.Destination(middle, 0, geo.Metres((float64(r)-float64(n)/2)*metres))
		if r < n/2 {
			north = geo.Destination(middle, 180, geo.Metres((float64(n)/2-float64(r))*metres))
		}
		lon := float64(middle.Lon) + (float64(c)-float64(n)/2)*metres/(111320*math.Cos(float64(middle.Lat)*math.Pi/180))
		return geo.Point{Lat: north.Lat, Lon: geo.Degrees(lon)}
	}
	for r := range n {
		for c := range n {
			ring := geo.Ring{corner(r, c), corner(r, c+1), corner(r+1, c+1), corner(r+1, c), corner(r, c)}
			id := zone.ID(fmt.Sprintf("r%02dc%02d", r, c))
			zones = append(zones, zone.Zone{ID: id, Level: 1, Names: map[string]string{"en": string(id)}, Shape: geo.MultiPolygon{{Outer: ring}}})
		}
	}
	s, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eastward is a scenario folder: one object flies east along y = 0 at 200 m/s from x = -30 km.
func eastward(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	head := `{"name":"eastward","area":[[-50000,50000],[-50000,50000]],"gospa":{"c":500,"p":2,"alpha":2},
		"sensors":[{"name":"P","kind":"rae","period":2,"pd":0.9,"sigma":[20,0.05,0.05],"clutter":1,"pos":[0,0,0],"rmax":90000,"clock":0}]}`
	det := "det,scan,t,t_recv,sensor,kind,m1,m2,m3\n"
	for i := range 60 {
		x := -30000 + 400*float64(i) + 1
		at := strconv.Itoa(2 * i)
		az := 90.0
		if x < 0 {
			az = 270
		}
		el := math.Atan2(600, math.Abs(x)) * 180 / math.Pi
		det += fmt.Sprintf("%d,%d,%s,%s,P,rae,%.2f,%.3f,%.4f\n", i, i, at, at, math.Hypot(x, 600), az, el)
	}
	for name, text := range map[string]string{"scenario.json": head, "detections.csv": det} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func rows(t *testing.T, b []byte) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, rec := range all[1:] {
		m := map[string]string{}
		for i, h := range all[0] {
			m[h] = rec[i]
		}
		out = append(out, m)
	}
	return out
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What is said of the zone ahead is right in place and time, in the scenario's seconds,
// and the same run gives the same bytes.
func TestRunSaysWhereAndWhen(t *testing.T) {
	job := Job{Scenario: eastward(t), Origin: kyiv, Zones: squares(t, kyiv, 12, 8e3), Policy: warning.DefaultPolicy(), Every: 4 * time.Second}
	var out, again bytes.Buffer
	done, err := Run(context.Background(), job, &out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), job, &again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("two runs of the same differ")
	}
	if !strings.HasPrefix(out.String(), Head+"\n") {
		t.Fatalf("begins with %.60q", out.String())
	}
	if done.Steps != 31 || done.Rows != strings.Count(out.String(), "\n")-1 {
		t.Errorf("outcome %+v", done)
	}
	seen, sheltered := false, false
	last := -1.0
	for _, r := range rows(t, out.Bytes()) {
		at := number(t, r["t"])
		if at < last {
			t.Fatalf("step %v after %v", at, last)
		}
		last = at
		p := number(t, r["p"])
		if r["track"] != "" && !(p > 0.001 && p <= 1) || r["track"] == "" && r["stage"] == "quiet" {
			t.Errorf("row %v", r)
		}
		if r["track"] == "" {
			continue
		}
		early, likely, late := number(t, r["earliest"]), number(t, r["likely"]), number(t, r["latest"])
		if early > likely || likely > late || early < at-1 {
			t.Errorf("arrival of row %v", r)
		}
		// At 60 s the object is at x = -18 km: the zone from 0 to 8 km is reached at 150 s.
		if at == 60 && (r["zone"] == "r06c06" || r["zone"] == "r05c06") {
			seen = seen || (p > 0.3 && math.Abs(likely-150) < 15)
			sheltered = sheltered || r["stage"] == "shelter"
		}
	}
	if !seen || !sheltered {
		t.Errorf("the zone ahead: seen in time %v, sheltered %v", seen, sheltered)
	}
}

func TestRunRefuses(t *testing.T) {
	set := squares(t, kyiv, 2, 8e3)
	for name, job := range map[string]Job{
		"no zones":    {Scenario: eastward(t), Origin: kyiv},
		"no place":    {Scenario: eastward(t), Origin: geo.Point{Lat: 91}, Zones: set},
		"back":        {Scenario: eastward(t), Origin: kyiv, Zones: set, Every: -1},
		"too often":   {Scenario: eastward(t), Origin: kyiv, Zones: set, Every: time.Microsecond},
		"no scenario": {Scenario: t.TempDir(), Origin: kyiv, Zones: set},
	} {
		if _, err := Run(context.Background(), job, &bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(gone, Job{Scenario: eastward(t), Origin: kyiv, Zones: set, Policy: warning.DefaultPolicy()}, &bytes.Buffer{}); err == nil {
		t.Error("a cancelled run ended well")
	}
}

// A place keeps distance and direction from the origin, a velocity its direction towards
// the next place, a covariance its spread.
func TestGroundKeepsTheMotion(t *testing.T) {
	play, err := tracking.NewPlay(eastward(t))
	if err != nil {
		t.Fatal(err)
	}
	plane := geo.NewENU(tracking.Origin)
	for _, origin := range []geo.Point{kyiv, {Lat: -33.9, Lon: 151.2}, {Lat: 66, Lon: 179.9}} {
		g := ground{origin: origin, local: play.Local}
		for _, c := range [][4]float64{{70e3, 40e3, 200, 50}, {-90e3, 10e3, 0, 250}, {0, 0, -100, 0}, {1e3, -120e3, 30, -40}} {
			state := func(x, y float64) track.Track {
				var tr track.Track
				tr.State.Position = plane.From([3]float64{x, y, 900})
				tr.State.Velocity = plane.FromVelocity([3]float64{c[2], c[3], 5})
				for i := range 6 {
					tr.State.Covariance[i][i] = float64(1 + i)
				}
				return g.track(tr)
			}
			a, b := state(c[0], c[1]), state(c[0]+c[2], c[1]+c[3])
			p, q := a.State.Position.Position(), b.State.Position.Position()
			if d := float64(geo.Distance(origin, p.Point)); math.Abs(d-math.Hypot(c[0], c[1])) > 1 {
				t.Errorf("%v from %v lies %.0f m off", c, origin, d)
			}
			v := geo.NewENU(p).ToVelocity(a.State.Velocity)
			flown := geo.NewENU(p).To(q.ECEF())
			for i := range 2 {
				if math.Abs(v[i]-flown[i]) > 0.02*math.Hypot(c[2], c[3])+0.1 {
					t.Errorf("%v at %v: velocity %v, flown in a second %v", c, origin, v, flown)
				}
			}
			if math.Abs(v[2]-5) > 1e-6 {
				t.Errorf("climb %v", v[2])
			}
			sum := 0.0
			for i := range 6 {
				sum += a.State.Covariance[i][i]
			}
			if math.Abs(sum-21) > 1e-9 {
				t.Errorf("spread %v", sum)
			}
		}
	}
}
