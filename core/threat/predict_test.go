package threat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track"
	"tocsin/core/zone"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// checkerboard makes n by n square zones of the given width, their middle at 50 N 30 E.
// Zone ids are rRRcCC, rows from the south, columns from the west.
func checkerboard(t testing.TB, n int, metres float64) *zone.Set {
	t.Helper()
	high := metres / metresPerDegree
	wide := high / math.Cos(50*degree)
	var zones []zone.Zone
	for r := range n {
		for c := range n {
			south, west := 50+(float64(r)-float64(n)/2)*high, 30+(float64(c)-float64(n)/2)*wide
			p := func(y, x float64) geo.Point { return geo.Point{Lat: geo.Degrees(y), Lon: geo.Degrees(x)} }
			ring := geo.Ring{p(south, west), p(south, west+wide), p(south+high, west+wide), p(south+high, west), p(south, west)}
			id := zone.ID(fmt.Sprintf("r%03dc%03d", r, c))
			zones = append(zones, zone.Zone{ID: id, Level: 1, Names: map[string]string{"en": string(id)},
				Shape: geo.MultiPolygon{{Outer: ring}}, Label: p(south+high/2, west+wide/2)})
		}
	}
	s, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// flying is a confirmed track at a place (metres east, north of 50 N 30 E) with a
// velocity (east, north, up) and standard deviations of position and velocity.
func flying(c class.Class, east, north, height float64, v [3]float64, sp, sv float64) track.Track {
	middle := geo.NewENU(geo.Position{Point: geo.Point{Lat: 50, Lon: 30}})
	p := middle.From([3]float64{east, north, 0}).Position()
	p.Height = geo.Metres(height)
	tr := track.Track{ID: "t1", Revision: 3, At: noon, SeenAt: noon, Status: track.Confirmed, Class: class.Of(c), Existence: 0.99, Updates: 9,
		Sources: []track.Contribution{{Source: "a", Kind: "asterix"}, {Source: "b", Kind: "asterix"}, {Source: "c", Kind: "acoustic"}}}
	tr.Modes.Steady = 1
	tr.State.Position = p.ECEF()
	tr.State.Velocity = geo.NewENU(p).FromVelocity(v)
	for i := range 3 {
		tr.State.Covariance[i][i], tr.State.Covariance[i+3][i+3] = sp*sp, sv*sv
	}
	return tr
}

func chance(f Forecast, id zone.ID) float64 {
	for _, r := range f.Reaches {
		if r.Zone == id {
			return r.P
		}
	}
	return 0
}

// A drone flies north, 30 km south of a town (ten minutes at 50 m/s). Zones are 10 km wide.
func TestDroneAhead(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	f := Predict(flying(class.Drone, 0, -30e3, 400, [3]float64{0, 50, 0}, 60, 1.5), zones, m, "")
	town := chance(f, "r010c010")
	if town < 0.2 {
		t.Errorf("the town ten minutes ahead has p %.3f, want 0.2 at least", town)
	}
	if p := chance(f, "r007c010"); p < 0.99 {
		t.Errorf("the zone it is over has p %.3f", p)
	}
	for _, id := range []zone.ID{"r005c010", "r004c010", "r003c009", "r005c012", "r007c015"} {
		if p := chance(f, id); p > 0.05 {
			t.Errorf("zone %s behind or abeam has p %.3f, want below 0.05", id, p)
		}
	}
	several := 0
	for _, r := range f.Reaches {
		if r.P >= 0.2 {
			several++
		}
		if a := r.Arrival; !a.Known() || a.Likely.Before(a.Earliest) || a.Latest.Before(a.Likely) || a.Earliest.Before(noon) {
			t.Errorf("zone %s: arrival %v", r.Zone, a)
		}
	}
	if several > 12 {
		t.Errorf("%d zones of 10 km have p of 0.2 or more: not a few along its path", several)
	}
	if likely := arrivalAt(f, "r010c010").Likely.Sub(noon); likely < 7*time.Minute || likely > 11*time.Minute {
		t.Errorf("the border 25 km ahead is likely reached after %s, want about 8 min 20 s", likely)
	}
	if f.Sensors != 2 || !reflect.DeepEqual(f.Kinds, []string{"acoustic", "asterix"}) {
		t.Errorf("kinds of sensor: %d %v", f.Sensors, f.Kinds)
	}
}

func arrivalAt(f Forecast, id zone.ID) Arrival {
	for _, r := range f.Reaches {
		if r.Zone == id {
			return r.Arrival
		}
	}
	return Arrival{}
}

// One that has turned away no longer threatens the town.
func TestTurnedAway(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	f := Predict(flying(class.CruiseMissile, 0, -30e3, 100, [3]float64{0, -230, 0}, 60, 3), zones, m, "")
	if p := chance(f, "r010c010"); p > 0.01 {
		t.Errorf("the town behind has p %.3f", p)
	}
	f = Predict(flying(class.CruiseMissile, 0, -30e3, 100, [3]float64{230, 0, 0}, 60, 3), zones, m, "")
	if p := chance(f, "r010c010"); p > 0.1 {
		t.Errorf("the town abeam has p %.3f", p)
	}
}

// A body in free fall without air comes down where the parabola ends.
func TestFallMeetsTheParabola(t *testing.T) {
	zones := checkerboard(t, 41, 5e3)
	m := DefaultModels().On(zones)
	h := m.Habit(class.BallisticMissile)
	h.Drag = 0
	m = m.With(class.BallisticMissile, h).On(zones)
	tr := flying(class.BallisticMissile, 0, -60e3, 20e3, [3]float64{0, 600, 300}, 5, 0.1)
	tr.Modes = track.Modes{Ballistic: 1}
	f := Predict(tr, zones, m, "")
	after := (300 + math.Sqrt(300*300+2*gravity*20e3)) / gravity
	north := -60e3 + 600*after // curvature and rotation move it by less than a zone
	row := int(math.Floor(north/5e3 + 20.5))
	best := Reach{}
	sum := 0.0
	for _, r := range f.Reaches {
		sum += r.P
		if r.P > best.P {
			best = r
		}
	}
	if got := int(best.Zone[1]-'0')*100 + int(best.Zone[2]-'0')*10 + int(best.Zone[3]-'0'); got < row-1 || got > row+1 || best.P < 0.5 {
		t.Errorf("best %s with %.2f, want row %d", best.Zone, best.P, row)
	}
	if math.Abs(sum-1) > 0.02 {
		t.Errorf("an impact is in one zone: the sum is %.3f", sum)
	}
	if d := best.Arrival.Likely.Sub(noon).Seconds() - after; math.Abs(d) > 3 {
		t.Errorf("impact %.1f s off the parabola's", d)
	}
}

func TestSameArgumentsSameForecast(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	m := DefaultModels().On(zones)
	tr := flying(class.Drone, 0, -30e3, 400, [3]float64{0, 50, 0}, 60, 1.5)
	tr.Class = class.Mix{class.Drone: 0.5, class.CruiseMissile: 0.2, class.Rocket: 0.3}
	a := Predict(tr, zones, m, "")
	b := Predict(tr, zones, DefaultModels(), "") // its own raster
	if !reflect.DeepEqual(a, b) {
		t.Error("two forecasts of the same differ")
	}
	for i := 1; i < len(a.Reaches); i++ {
		if a.Reaches[i].Zone <= a.Reaches[i-1].Zone {
			t.Fatalf("zones are not ascending: %s after %s", a.Reaches[i].Zone, a.Reaches[i-1].Zone)
		}
	}
	for _, r := range a.Reaches {
		if r.P < Negligible || r.P > 1 {
			t.Errorf("zone %s has p %v", r.Zone, r.P)
		}
	}
}

func TestEndedReachesNothing(t *testing.T) {
	zones := checkerboard(t, 5, 10e3)
	tr := flying(class.Drone, 0, 0, 400, [3]float64{0, 50, 0}, 60, 1.5)
	tr.Status, tr.Reason = track.Ended, track.Landed
	if f := Predict(tr, zones, Models{}, ""); len(f.Reaches) != 0 || f.Reason != track.Landed {
		t.Errorf("forecast of an ended track: %+v", f)
	}
}

// truth flies one object as a habit says, by a random source of its own, and returns
// the zones it passes over within the horizon.
func truth(rng *rand.Rand, h Habit, tr track.Track, zones *zone.Set) map[zone.ID]bool {
	p := tr.State.Position.Position()
	v := geo.NewENU(p).ToVelocity(tr.State.Velocity)
	speed := math.Hypot(v[0], v[1]) * math.Exp(h.Speed*rng.NormFloat64())
	held := math.Atan2(v[0], v[1])
	course := held + h.Wander*degree*rng.NormFloat64()
	end := math.Min(rng.ExpFloat64()*h.Far/speed, h.Horizon.Seconds())
	next := rng.ExpFloat64() / (h.Turns / 60)
	out := map[zone.ID]bool{}
	const dt = 4.0
	for t := 0.0; t < end; t += dt {
		if t > next {
			course = held + math.Hypot(h.Turn, h.Wander)*degree*rng.NormFloat64()
			next = t + rng.ExpFloat64()/(h.Turns/60)
		}
		if i, ok := zones.IndexAt(p.Point); ok {
			out[zones.ByIndex(i).ID] = true
		}
		p.Point = geo.Destination(p.Point, geo.FromRadians(course), geo.Metres(speed*dt))
	}
	return out
}

// Against flights by the same habits but with another walk and exact zones: what is
// said to happen with probability p happens in a share of about p of the cases.
func TestCalibratedOnItsOwnHabits(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: takes seconds")
	}
	zones := checkerboard(t, 24, 8e3)
	m := DefaultModels().On(zones)
	rng := rand.New(rand.NewPCG(7, 11))
	var said, happened, cases [10]float64
	for i := range 120 {
		c := class.Drone
		v := 50.0
		if i%2 == 0 {
			c, v = class.CruiseMissile, 220
		}
		course := rng.Float64() * 2 * math.Pi
		tr := flying(c, rng.Float64()*60e3-30e3, rng.Float64()*60e3-30e3, 200, [3]float64{v * math.Sin(course), v * math.Cos(course), 0}, 1, 0.01)
		tr.ID = track.ID(fmt.Sprint(i))
		f := Predict(tr, zones, m, "")
		got := truth(rng, m.Habit(c), tr, zones)
		for _, r := range f.Reaches {
			k := min(int(r.P*10), 9)
			said[k] += r.P
			cases[k]++
			if got[r.Zone] {
				happened[k]++
			}
		}
	}
	for k := range cases {
		if cases[k] < 200 {
			continue
		}
		if p, q := said[k]/cases[k], happened[k]/cases[k]; math.Abs(p-q) > 0.06 {
			t.Errorf("of %.0f zones with p about %.3f a share of %.3f was reached", cases[k], p, q)
		}
	}
}

// The raster says of nearly every place what the exact index says.
func TestRasterAgreesWithTheIndex(t *testing.T) {
	zones := checkerboard(t, 12, 7e3)
	g := Survey(zones)
	rng := rand.New(rand.NewPCG(1, 2))
	wrong, n := 0, 20000
	for range n {
		p := geo.Point{Lat: geo.Degrees(49.7 + 0.6*rng.Float64()), Lon: geo.Degrees(29.6 + 0.8*rng.Float64())}
		var want, got []int32
		zones.InCircle(geo.Circle{Centre: p, Radius: Beside}, func(i int) { want = append(want, int32(i)) })
		if r, c, ok := g.cellAt(p); ok {
			got = g.of(g.cells[g.cell(r, c)] & setMask)
		}
		if !slices.Equal(want, got) {
			wrong++
		}
	}
	if share := float64(wrong) / float64(n); share > 0.12 {
		t.Errorf("the raster differs at %.3f of all places", share)
	}
	for i := range zones.Len() {
		if r, c, ok := g.cellAt(zones.ByIndex(i).Label); !ok || !slices.Equal(g.of(g.cells[g.cell(r, c)]&setMask), []int32{int32(i)}) {
			t.Fatalf("zone %d is not in its own middle", i)
		}
	}
}

func TestCover(t *testing.T) {
	zones := checkerboard(t, 21, 10e3)
	site := geo.Position{Point: geo.Point{Lat: 50, Lon: 30}, Height: 50}
	radar := track.Live{Alive: true, Source: observation.Source{ID: "r", Kind: "asterix", Site: site, HasSite: true,
		Coverage: observation.Coverage{Range: 70e3, Floor: 460}}}
	c := Cover([]track.Live{radar}, zones)
	if c.Picture() != PictureLive {
		t.Errorf("picture %s", c.Picture())
	}
	for _, test := range []struct {
		id   zone.ID
		c    class.Class
		want bool
	}{
		{"r010c010", class.Drone, true},
		{"r010c010", class.CruiseMissile, true},
		{"r010c013", class.CruiseMissile, false}, // 30 km off: 53 m of horizon over the floor of 460 m
		{"r010c013", class.Drone, true},
		{"r010c016", class.CruiseMissile, false}, // 60 km: 212 m more
		{"r010c016", class.Aircraft, true},
		{"r010c020", class.BallisticMissile, false}, // out of range
	} {
		if got := c.Covers(test.id, test.c); got != test.want {
			t.Errorf("%s over %s: %v, want %v", test.c, test.id, got, test.want)
		}
	}
	dead := radar
	dead.Alive = false
	if p := Cover([]track.Live{radar, dead}, zones).Picture(); p != PicturePartial {
		t.Errorf("one of two: %s", p)
	}
	if c := Cover([]track.Live{dead}, zones); c.Picture() != PictureNone || c.Covers("r010c010", class.Drone) {
		t.Error("a dead source covers something")
	}
	if c := Cover(nil, zones); c.Picture() != PictureNone {
		t.Errorf("no source: %s", c.Picture())
	}
}

func FuzzPredict(f *testing.F) {
	zones := checkerboard(f, 6, 10e3)
	m := DefaultModels().On(zones)
	m.Futures = 32
	f.Add(0.0, 0.0, 400.0, 0.0, 50.0, 0.0, 100.0, 2.0, uint8(4), "t1", "")
	f.Add(math.NaN(), 1e300, -1e9, math.Inf(1), 1e9, -1e9, -5.0, math.Inf(-1), uint8(1), "", "t2")
	f.Add(1e7, 1e7, 5e5, 7000.0, 0.0, -7000.0, 1e6, 1e4, uint8(3), "t3", "t3")
	f.Fuzz(func(t *testing.T, e, n, h, ve, vn, vu, sp, sv float64, c uint8, id, salvo string) {
		tr := flying(class.Class(int(c)%class.Count), 0, 0, 400, [3]float64{ve, vn, vu}, sp, sv)
		tr.State.Position[0] += e
		tr.State.Position[1] += n
		tr.State.Position[2] += h
		tr.ID = track.ID(id)
		got := Predict(tr, zones, m, track.ID(salvo))
		for _, r := range got.Reaches {
			if !(r.P >= Negligible && r.P <= 1) || r.Arrival.Latest.Before(r.Arrival.Earliest) {
				t.Fatalf("reach %+v", r)
			}
		}
	})
}

func BenchmarkPredict(b *testing.B) {
	for _, n := range []int{39, 173} { // about 1,500 and 30,000 zones, of 10 and 2.5 km
		metres := 10e3
		if n > 100 {
			metres = 2.5e3
		}
		zones := checkerboard(b, n, metres)
		m := DefaultModels().On(zones)
		for _, c := range []class.Class{class.Drone, class.CruiseMissile, class.BallisticMissile} {
			v := map[class.Class][3]float64{class.Drone: {0, 50, 0}, class.CruiseMissile: {0, 230, 0}, class.BallisticMissile: {0, 600, 300}}[c]
			b.Run(fmt.Sprintf("%d/%s", zones.Len(), c), func(b *testing.B) {
				tr := flying(c, 0, -150e3, 400, v, 60, 2)
				f := NewForecaster(zones, m)
				b.ReportAllocs()
				n, began := 0, processTime()
				for b.Loop() {
					f.Predict(&tr, "")
					n++
				}
				b.ReportMetric(float64((processTime()-began).Microseconds())/float64(n), "cpu-µs/op")
			})
		}
	}
}

// processTime is the processor time this process has used: on a shared machine it says
// more than the wall clock.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkSurvey(b *testing.B) {
	zones := checkerboard(b, 39, 10e3)
	for b.Loop() {
		Survey(zones)
	}
}
