package track

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

// hostile reads anything at all from bytes.
type hostile struct{ b []byte }

func (h *hostile) byte() byte {
	if len(h.b) == 0 {
		return 0
	}
	v := h.b[0]
	h.b = h.b[1:]
	return v
}

// number is often near what a sensor says, and sometimes anything.
func (h *hostile) number(scale float64) float64 {
	switch k := h.byte(); {
	case k < 200:
		return (float64(h.byte()) - 100) / 100 * scale
	case k < 205:
		return math.NaN()
	case k < 210:
		return math.Inf(int(k) - 207)
	case k < 215:
		return 0
	default:
		var raw [8]byte
		for i := range raw {
			raw[i] = h.byte()
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(raw[:]))
	}
}

func (h *hostile) time(now time.Time) time.Time {
	switch k := h.byte(); {
	case k < 220:
		return now.Add(-time.Duration(k) * 20 * time.Millisecond)
	case k < 225:
		return time.Time{}
	case k < 230:
		return time.Unix(1<<40, 0)
	default:
		return now.Add(time.Duration(h.number(60) * 1e9))
	}
}

func (h *hostile) place() geo.Position {
	return geo.Position{Point: geo.Point{Lat: geo.Degrees(50 + h.number(0.3)), Lon: geo.Degrees(30 + h.number(0.3))}, Height: geo.Metres(h.number(9000))}
}

func (h *hostile) body() observation.Body {
	n := h.number
	switch h.byte() % 9 {
	case 0, 1:
		return observation.Plot{Range: geo.Metres(n(50e3)), Azimuth: geo.Degrees(n(360)), Elevation: geo.Degrees(n(20)), HasElevation: h.byte()%2 == 0,
			Height: geo.Metres(n(9000)), HeightError: geo.Metres(n(100)), HasHeight: h.byte()%3 == 0, Doppler: geo.MetresPerSecond(n(300)), HasDoppler: h.byte()%3 == 0}
	case 2:
		f := observation.Fix{Position: h.place()}
		for i := range 3 {
			for j := range 3 {
				f.Covariance[i][j] = n(1e4)
			}
		}
		return f
	case 3:
		s := observation.SensorTrack{Position: h.place(), Velocity: [3]float64{n(300), n(300), n(30)}, HasVelocity: h.byte()%2 == 0, Ended: h.byte()%8 == 0}
		for i := range 6 {
			s.Covariance[i][i] = n(1e4)
		}
		return s
	case 4:
		return observation.Bearing{From: h.place(), HasFrom: h.byte()%2 == 0, Azimuth: geo.Degrees(n(360)), Elevation: geo.Degrees(n(90)), HasElevation: h.byte()%2 == 0, Width: geo.Degrees(n(5))}
	case 5:
		return observation.Presence{At: h.place().Point, Reach: geo.Metres(n(5000))}
	case 6:
		return observation.Cue{Area: geo.Circle{Centre: h.place().Point, Radius: geo.Metres(n(5000))}, LaunchedAt: time.Unix(int64(n(1e9)), 0)}
	case 7:
		return observation.Cooperative{Position: h.place(), Error: geo.Metres(n(100)), Velocity: [3]float64{n(300), n(300), n(30)}, HasVelocity: h.byte()%2 == 0}
	default:
		return observation.Absence{Sector: h.byte()%2 == 0, From: geo.Degrees(n(360)), To: geo.Degrees(n(360))}
	}
}

// FuzzObserve: whatever sources say, and whenever, nothing panics, every track stays
// finite, its covariance that of something, and the bounds hold.
func FuzzObserve(f *testing.F) {
	f.Add([]byte("a plot, another plot, and then something else entirely"))
	seed := rand.New(rand.NewPCG(1, 1))
	for range 8 {
		b := make([]byte, 600)
		for i := range b {
			b[i] = byte(seed.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(fz)
}

func fz(t *testing.T, b []byte) {
	{
		h := &hostile{b}
		odd := radar("odd", 5e3)
		odd.Errors = observation.Errors{Range: geo.Metres(h.number(100)), Azimuth: geo.Degrees(h.number(1)), Time: time.Duration(h.number(1e9))}
		odd.Clutter, odd.Detection, odd.Trust = h.number(10), h.number(1), h.number(1)
		odd.Coverage = observation.Coverage{Range: geo.Metres(h.number(1e5)), Floor: geo.Metres(h.number(100))}
		odd.Period = time.Duration(h.number(1e10))
		p := NewPicture(Config{Sources: []observation.Source{radar("r", 0), odd, {ID: "bare"}}, MaxTracks: 5, MaxTentative: 20, Looks: 1 + int(h.byte()%3)})
		now := noon
		for len(h.b) > 0 {
			now = now.Add(time.Duration(h.byte()) * 10 * time.Millisecond)
			o := observation.Observation{Source: []string{"r", "odd", "bare", "none"}[h.byte()%4], ObservedAt: h.time(now), ReceivedAt: now, Body: h.body()}
			if h.byte()%4 == 0 {
				o.Key = string('a' + rune(h.byte()%3))
			}
			for i := range o.Says {
				if h.byte()%16 == 0 {
					o.Says[i] = h.number(1)
				}
			}
			for _, c := range p.Observe(now, o) {
				finiteTrack(t, c.Track)
			}
		}
		for range 5 {
			now = now.Add(40 * time.Second)
			for _, c := range p.Tick(now) {
				finiteTrack(t, c.Track)
			}
		}
		for _, tr := range p.Tracks(now) {
			finiteTrack(t, tr)
		}
		if e := p.engine; e.firm > 5 || len(e.objects)-e.firm > 20+5 {
			t.Fatalf("%d confirmed, %d in all", e.firm, len(e.objects))
		}
	}
}

func finiteTrack(t rapid.TB, tr Track) {
	t.Helper()
	if tr.ID == "" || !(tr.Existence >= 0 && tr.Existence <= 1) || len(tr.Recent) > maxRecent || len(tr.Sources) > maxParts {
		t.Fatalf("track %+v", tr)
	}
	for i := range 6 {
		if v := tr.State.Covariance[i][i]; !finite(v) || v < -1e-3 {
			t.Fatalf("variance %d is %v", i, v)
		}
	}
	if !finite(tr.State.Position[0], tr.State.Position[1], tr.State.Position[2], tr.State.Velocity[0], tr.State.Velocity[1], tr.State.Velocity[2]) {
		t.Fatalf("state %+v", tr.State)
	}
	sum := 0.0
	for _, v := range tr.Class {
		sum += v
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Fatalf("class %v", tr.Class)
	}
}

// assign finds what trying everything finds.
func TestAssignIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(1, 5).Draw(t, "plots"), rapid.IntRange(1, 5).Draw(t, "objects")
		var s solver
		table := s.table(n, m)
		gain := make([][]float64, n)
		for i := range gain {
			gain[i] = table[i*m : (i+1)*m]
			for j := range gain[i] {
				gain[i][j] = rapid.Float64Range(-5, 20).Draw(t, "gain")
			}
		}
		var best func(i int, used int) float64
		best = func(i, used int) float64 {
			if i == n {
				return 0
			}
			top := best(i+1, used)
			for j := range m {
				if used&(1<<j) == 0 && gain[i][j] > 0 {
					top = math.Max(top, gain[i][j]+best(i+1, used|1<<j))
				}
			}
			return top
		}
		got, taken := 0.0, map[int]bool{}
		for i, j := range s.assign(n, m) {
			if j < 0 {
				continue
			}
			if taken[j] {
				t.Fatalf("object %d twice", j)
			}
			taken[j] = true
			got += gain[i][j]
		}
		if want := best(0, 0); math.Abs(got-want) > 1e-9 {
			t.Fatalf("gain %v, best is %v", got, want)
		}
	})
}

// Every plot of a look is of one object at most, and every object has one at most.
func TestOnePlotOneObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := radar("r", 0)
		p := NewPicture(Config{Sources: []observation.Source{s}})
		g := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n := rapid.IntRange(1, 12).Draw(t, "objects")
		var ms []mover
		for range n {
			ms = append(ms, mover{p: [3]float64{20e3 + 1500*g.Float64(), 1500 * g.Float64(), 800}, v: [3]float64{100*g.Float64() - 50, 100*g.Float64() - 50, 0}})
		}
		for i := range 8 {
			scan(p, s, float64(i)*4, g, ms...)
			used := 0
			for _, o := range p.engine.objects {
				if !o.gone && o.seenAt == tickOf(after(float64(i)*4)) {
					used++
				}
			}
			if used != n {
				t.Fatalf("look %d: %d objects have a plot, of %d plots", i, used, n)
			}
		}
	})
}

// The table of classes names what moves as each class does.
func TestKinds(t *testing.T) {
	for _, test := range []struct {
		speed, height, climb, falling float64
		want                          class.Class
	}{
		{50, 500, 0, 0.01, class.Drone},
		{120, 800, 0, 0.01, class.Drone},
		{230, 80, 0, 0.01, class.CruiseMissile},
		{230, 10500, 0, 0.01, class.Aircraft},
		{240, 6000, -70, 0.02, class.GlideBomb},
		{500, 8000, 100, 0.97, class.Rocket},
		{1800, 60000, -400, 0.99, class.BallisticMissile},
	} {
		m := memory{fact: fact{frame: newFrame(here), depths: 9}}
		m.blend.w = [modeCount]float64{steady: 1 - test.falling, ballistic: test.falling}
		s := state{p: vec3{0, 0, test.height}, v: vec3{math.Sqrt(test.speed*test.speed - test.climb*test.climb), 0, test.climb}}
		if got := m.kind(&s); got.Best() != test.want || got[test.want] < 0.4 {
			t.Errorf("%.0f m/s at %.0f m, climbing %.0f m/s, falling %.2f: %s (%.2f), want %s", test.speed, test.height, test.climb, test.falling, got.Best(), got[got.Best()], test.want)
		}
	}
}

// What an object surely did before tells its class when its motion of the moment does not.
func TestKindsRemember(t *testing.T) {
	kind := func(highest, steepest float64, v vec3, height float64) class.Mix {
		m := memory{fact: fact{frame: newFrame(here), depths: 9, highest: highest, steepest: steepest}}
		m.blend.w[steady] = 1
		return m.kind(&state{p: vec3{0, 0, height}, v: v})
	}
	low := vec3{210, 0, -45}
	if got := kind(0, 0, low, 700); got[class.CruiseMissile] < got[class.GlideBomb] {
		t.Errorf("low and coming down, of unknown past: %v", got)
	}
	if got := kind(9000, 0, low, 700); got.Best() != class.GlideBomb {
		t.Errorf("low and coming down, once at 9 km: %s", got.Best())
	}
	top := vec3{260, 0, 5}
	if got := kind(3000, 10, top, 3300); got.Best() != class.Aircraft {
		t.Errorf("level at 3 km, never steep: %s", got.Best())
	}
	if got := kind(3000, 180, top, 3300); got.Best() != class.Rocket {
		t.Errorf("level at 3 km, having climbed at 180 m/s: %s", got.Best())
	}
}
