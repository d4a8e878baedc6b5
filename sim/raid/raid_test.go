package raid

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/zone"
	"tocsin/sim/tracking"
	"tocsin/zones"
)

func country(t testing.TB, name string) *zone.Set {
	t.Helper()
	set, err := zones.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func drawn(t testing.TB, seed uint64, name string, set *zone.Set) *Raid {
	t.Helper()
	r, err := Draw(seed, name, set)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fingerprint is of everything that a raid says and of what is true of it.
func fingerprint(r *Raid) uint64 {
	h := fnv.New64a()
	for _, l := range r.Looks() {
		fmt.Fprintln(h, l.Source, l.SentAt, l.Objects, l.Observations)
	}
	fmt.Fprintln(h, r.Truth().Passages)
	return h.Sum64()
}

func TestSameSeedSameRaid(t *testing.T) {
	for _, name := range []string{"ua", "il"} {
		set := country(t, name)
		a, b, c := fingerprint(drawn(t, 12, name, set)), fingerprint(drawn(t, 12, name, set)), fingerprint(drawn(t, 8, name, set))
		if a != b {
			t.Errorf("%s: two raids of one seed differ", name)
		}
		if a == c {
			t.Errorf("%s: two seeds give one raid", name)
		}
	}
}

// TestEverythingIsDrawn: over some seeds every class, role and fate comes up, within the
// bounds of what such a thing can do.
func TestEverythingIsDrawn(t *testing.T) {
	fastest := map[class.Class]float64{class.Drone: 230, class.CruiseMissile: 320, class.Aircraft: 340, class.GlideBomb: 340, class.Rocket: 1800, class.BallisticMissile: 6500}
	for _, name := range []string{"ua", "il"} {
		set := country(t, name)
		seen := map[string]int{}
		for seed := uint64(1); seed <= 20; seed++ {
			r := drawn(t, seed, name, set)
			if r.Lasts > Longest || len(r.Objects) > mostObjects || len(r.Radars) == 0 {
				t.Fatalf("%s %d: %s, %d objects, %d radars", name, seed, r.Lasts, len(r.Objects), len(r.Radars))
			}
			for i := range r.Objects {
				o := &r.Objects[i]
				seen[o.Class.String()]++
				seen[o.Role.String()]++
				seen[o.Fate.String()]++
				top := 0.0
				for k := 1; k < len(o.ecef); k++ {
					a, b := o.ecef[k-1], o.ecef[k]
					d := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
					top = math.Max(top, d/o.step.Seconds())
				}
				if top > fastest[o.Class] {
					t.Errorf("%s %d: %s %d flies at %.0f m/s", name, seed, o.Class, i, top)
				}
				last := o.path[len(o.path)-1]
				if o.Fate != Left && math.Abs(float64(last.Height)) > 1 {
					t.Errorf("%s %d: %s %d %s ends %.0f m over the ground", name, seed, o.Class, i, o.Fate, last.Height)
				}
				if o.Fate == Hit && o.Role == Attack {
					if off := geo.Distance(last.Point, o.Target); off > 60e3 || o.Class == class.Drone && off > 2500 {
						t.Errorf("%s %d: %s %d hits %.0f m from what it was sent to", name, seed, o.Class, i, off)
					}
				}
			}
		}
		for _, want := range []string{"drone", "cruise-missile", "rocket", "ballistic-missile", "attack", "decoy", "carrier", "civil", "friend", "hit", "downed", "left"} {
			if seen[want] == 0 {
				t.Errorf("%s: no %s in twenty raids: %v", name, want, seen)
			}
		}
	}
}

// TestArcInVacuum: without air, with a short burn and over a short way, a body flies as the
// schoolbook says: range is v² sin 2a / g, time 2 v sin a / g.
func TestArcInVacuum(t *testing.T) {
	from := geo.Point{Lat: 0.01, Lon: 30}
	m := missile{burn: 1, elevation: 45 * degree}
	for _, far := range []float64{5e3, 20e3} {
		aim := ahead(from, 0, far)
		path := arc(m, from, aim)
		if path == nil {
			t.Fatalf("%.0f m: no arc", far)
		}
		g := 9.780 // at the equator
		want := 2 * math.Sqrt(far*g) * math.Sin(45*degree) / g
		if took := float64(len(path)-1) * arcStep.Seconds(); math.Abs(took-want) > 0.02*want+1 {
			t.Errorf("%.0f m: takes %.1f s, want %.1f", far, took, want)
		}
		top := 0.0
		for _, p := range path {
			top = math.Max(top, float64(p.Height))
		}
		if math.Abs(top-far/4) > 0.02*far/4+20 {
			t.Errorf("%.0f m: rises to %.0f m, want %.0f", far, top, far/4)
		}
		if off := float64(geo.Distance(path[len(path)-1].Point, aim)); off > 0.02*far {
			t.Errorf("%.0f m: hits %.0f m off", far, off)
		}
	}
}

// TestStepAgreesWithGeodesics: a step by radii of curvature is where the geodesic goes.
func TestStepAgreesWithGeodesics(t *testing.T) {
	for _, lat := range []geo.Degrees{-60, 0, 31.5, 49} {
		p := geo.Point{Lat: lat, Lon: 35}
		for b := geo.Degrees(0); b < 360; b += 45 {
			sin, cos := math.Sincos(b.Radians())
			if off := geo.Distance(ahead(p, 300*sin, 300*cos), geo.Destination(p, b, 300)); off > 0.05 {
				t.Errorf("at %v°, bearing %v: %.3f m off in 300", lat, b, off)
			}
		}
	}
}

// strip is three zones of 10 km from west to east.
func strip(t testing.TB) *zone.Set {
	t.Helper()
	var all []zone.Zone
	for i := range 3 {
		sw, ne := ahead(geo.Point{Lat: 50, Lon: 30}, float64(i)*10e3, 0), ahead(geo.Point{Lat: 50, Lon: 30}, float64(i+1)*10e3, 10e3)
		all = append(all, zone.Zone{ID: zone.ID('a' + rune(i)), Level: 1, Shape: geo.MultiPolygon{{Outer: geo.Ring{
			sw, {Lat: sw.Lat, Lon: ne.Lon}, ne, {Lat: ne.Lat, Lon: sw.Lon}, sw}}}})
	}
	set, err := zone.NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// straight is an object that flies east along the strip at 100 m/s from 1 km before it.
func straight(c class.Class, fate Fate, north, height, far float64) Object {
	o := Object{Class: c, Fate: fate, step: time.Second, At: 10 * time.Second}
	for s := 0.0; s <= far; s += 100 {
		o.path = append(o.path, geo.Position{Point: ahead(geo.Point{Lat: 50, Lon: 30}, s-1000, north), Height: geo.Metres(height)})
	}
	o.settle()
	return o
}

func TestTruth(t *testing.T) {
	set := strip(t)
	cases := []struct {
		name   string
		object Object
		role   Role
		enter  []int // seconds, per zone; -1: not reached
		near   string
	}{
		{"a drone over two zones", straight(class.Drone, Left, 5000, 500, 15000), Attack, []int{20, 120, -1}, "ab"},
		{"a drone shot down over the second", straight(class.Drone, Downed, 5000, 500, 12000), Attack, []int{20, 120, -1}, "ab"},
		{"a drone low beside them", straight(class.Drone, Left, -600, 500, 15000), Attack, []int{-1, -1, -1}, "ab"},
		{"a drone high beside them", straight(class.Drone, Left, -600, 2000, 15000), Attack, []int{-1, -1, -1}, ""},
		{"a drone low, too far", straight(class.Drone, Left, -1500, 500, 15000), Attack, []int{-1, -1, -1}, ""},
		{"a rocket that ends in the second", straight(class.Rocket, Hit, 5000, 3000, 16000), Attack, []int{-1, 170, -1}, "b"},
		{"an airliner", straight(class.Aircraft, Left, 5000, 500, 15000), Civil, []int{-1, -1, -1}, ""},
	}
	for _, test := range cases {
		test.object.Role = test.role
		r := &Raid{Zones: set, Objects: []Object{test.object}, Lasts: Longest}
		tr := r.Truth()
		got := []int{-1, -1, -1}
		for _, p := range tr.Passages {
			got[p.Zone] = int(math.Round(p.Enter.Seconds()))
			if p.Leave < p.Enter {
				t.Errorf("%s: leaves before it enters", test.name)
			}
		}
		near := ""
		for i, is := range tr.Near {
			if is {
				near += string(set.ByIndex(i).ID)
			}
		}
		for i := range got {
			if d := got[i] - test.enter[i]; d < -2 || d > 2 {
				t.Errorf("%s: zones entered at %v s, want %v", test.name, got, test.enter)
				break
			}
		}
		if near != test.near {
			t.Errorf("%s: near %q, want %q", test.name, near, test.near)
		}
	}
}

// TestRadar: what lies under the horizon is not seen; what is seen is where it is, with the
// errors that are registered; a dead radar is silent.
func TestRadar(t *testing.T) {
	site := geo.Position{Point: geo.Point{Lat: 50, Lon: 30}, Height: 100}
	radar := Radar{ID: "r", Site: site, Period: 4 * time.Second, Range: 200e3, Mast: 20, Sigma: [3]float64{100, 0.2, 0.5}, Detection: 0.9, Dies: 40 * time.Minute}
	still := func(far, height float64) Object {
		o := Object{Class: class.Aircraft, step: time.Minute}
		p := geo.Position{Point: geo.Destination(site.Point, 90, geo.Metres(far)), Height: geo.Metres(height)}
		for range 61 {
			o.path = append(o.path, p)
		}
		o.settle()
		return o
	}
	r := &Raid{Zones: strip(t), Lasts: Longest, Radars: []Radar{radar},
		// The horizon of a mast of 20 m is 18 km, that of 100 m is 41 km.
		Objects: []Object{still(50e3, 100), still(70e3, 100), still(100e3, 3000)}}
	var count [3]int
	var sum, square [3]float64
	frame := geo.NewENU(site)
	for _, l := range r.Looks() {
		if l.SentAt > radar.Dies {
			t.Fatalf("a dead radar speaks at %s", l.SentAt)
		}
		for k, o := range l.Objects {
			count[o]++
			p := l.Observations[k].Body.(observation.Plot)
			m := polar(frame.To(r.Objects[o].ecef[0]))
			for i, e := range [3]float64{float64(p.Range) - m[0], float64(p.Azimuth) - m[1], float64(p.Elevation) - m[2]} {
				sum[i] += e / radar.Sigma[i]
				square[i] += e * e / radar.Sigma[i] / radar.Sigma[i]
			}
		}
	}
	if count[1] != 0 {
		t.Errorf("%d plots from under the horizon", count[1])
	}
	turns := 40.0 * 60 / 4
	for _, i := range []int{0, 2} {
		if share := float64(count[i]) / turns; share < 0.85 || share > 0.95 {
			t.Errorf("object %d is seen in %.2f of the turns, registered 0.9", i, share)
		}
	}
	n := float64(count[0] + count[2])
	for i := range 3 {
		if mean, sd := sum[i]/n, math.Sqrt(square[i]/n); math.Abs(mean) > 0.15 || sd < 0.9 || sd > 1.1 {
			t.Errorf("measure %d: errors have mean %.2f and deviation %.2f of what is registered", i, mean, sd)
		}
	}
}

// TestFolder: what is written is read by the tracker's own reader, and is of this raid.
func TestFolder(t *testing.T) {
	r := drawn(t, 2, "ua", country(t, "ua"))
	dir := t.TempDir()
	if _, err := r.Folder(dir); err != nil {
		t.Fatal(err)
	}
	s, err := tracking.Load(dir)
	if err != nil || len(s.Sensors) != len(r.Radars) {
		t.Fatalf("%v: %d sensors of %d", err, len(s.Sensors), len(r.Radars))
	}
	ds, err := tracking.Detections(dir)
	if err != nil || len(ds) < 100 {
		t.Fatalf("%v: %d detections", err, len(ds))
	}
	truth, err := os.ReadFile(filepath.Join(dir, "reached.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(truth), "\n"); lines != len(r.Truth().Passages)+1 {
		t.Errorf("reached.csv has %d lines for %d passages", lines, len(r.Truth().Passages))
	}
}

func TestDrawRefuses(t *testing.T) {
	if _, err := Draw(1, "nowhere", strip(t)); err == nil {
		t.Error("an unknown country was taken")
	}
	if _, err := Draw(1, "ua", nil); err == nil {
		t.Error("no zones were taken")
	}
	for seed := range uint64(20) { // a handful of zones is enough, or is refused; it never hangs
		if r, err := Draw(seed, "il", strip(t)); err == nil && r.Lasts <= 0 {
			t.Errorf("seed %d lasts %s", seed, r.Lasts)
		}
	}
}

func TestPoisson(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sum := 0
	for range 20000 {
		sum += poisson(rng, 1.5)
	}
	if mean := float64(sum) / 20000; math.Abs(mean-1.5) > 0.05 {
		t.Errorf("mean %.3f of 1.5", mean)
	}
}
