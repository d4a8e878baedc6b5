package pipeline_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/zone"
)

// many is a flat country of about n zones of 2.5 km around 50 N 30 E.
func many(t testing.TB, n int) *zone.Set {
	t.Helper()
	side := int(math.Sqrt(float64(n)))
	const high, wide = 2500 / 111195.0, 2500 / 111195.0 / 0.6428
	var all []zone.Zone
	for k := range side * side {
		r, c := k/side, k%side
		south, west := 50+(float64(r)-float64(side)/2)*high, 30+(float64(c)-float64(side)/2)*wide
		p := func(y, x float64) geo.Point { return geo.Point{Lat: geo.Degrees(y), Lon: geo.Degrees(x)} }
		id := zone.ID(fmt.Sprintf("r%03dc%03d", r, c))
		all = append(all, zone.Zone{ID: id, Level: 1, Names: map[string]string{"en": string(id)}, Label: p(south+high/2, west+wide/2),
			Shape: geo.MultiPolygon{{Outer: geo.Ring{p(south, west), p(south, west+wide), p(south+high, west+wide), p(south+high, west), p(south, west)}}}})
	}
	set, err := zone.NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// pair runs on two goroutines, as the node does on two processors.
func pair(n int, do func(i int)) {
	var g sync.WaitGroup
	for w := range min(n, 2) {
		g.Go(func() {
			for i := w; i < n; i += 2 {
				do(i)
			}
		})
	}
	g.Wait()
}

// swarm is objects that fly straight, three drones to a cruise missile, seen every four
// seconds by a sensor that follows them itself.
type swarm struct {
	core *pipeline.Pipeline
	n    int
}

func (s *swarm) seen(i int, at time.Time) observation.Observation {
	after := at.Sub(start).Seconds()
	course := float64(i) * 2.399963 // the golden angle: evenly spread
	speed := 50.0
	says := class.Of(class.Drone)
	if i%4 == 0 {
		speed, says = 220, class.Of(class.CruiseMissile)
	}
	far := 150e3 * math.Sqrt(float64(i)/float64(s.n))
	e, n := far*math.Sin(float64(i)*1.7)+speed*after*math.Sin(course), far*math.Cos(float64(i)*1.7)+speed*after*math.Cos(course)
	at50 := geo.Position{Point: geo.Point{Lat: 50 + geo.Degrees(n/111195), Lon: 30 + geo.Degrees(e/111195/0.6428)}, Height: 500}
	o := observation.Observation{Source: "r", Key: fmt.Sprint(i), ObservedAt: at, ReceivedAt: at, Says: says}
	b := observation.SensorTrack{Position: at50, HasVelocity: true, Velocity: [3]float64{speed * math.Sin(course), speed * math.Cos(course), 0}}
	for k := range 3 {
		b.Covariance[k][k], b.Covariance[k+3][k+3] = 60*60, 2*2
	}
	o.Body = b
	return o
}

// decide gives one input, and then lets the core do all that waits. It returns how long
// the input's own step took, which ends with the decision wherever it can begin a stage, how
// much processor time; and how long until nothing waits, in all zones.
func (s *swarm) decide(now time.Time, in pipeline.Input) (wall, processor, all time.Duration) {
	began, used := time.Now(), processTime()
	s.core.Step(now, in)
	wall, processor = time.Since(began), processTime()-used
	for due, ok := s.core.Next(); ok && !due.After(now); due, ok = s.core.Next() {
		s.core.Step(now, pipeline.Ticked{})
	}
	return wall, processor, time.Since(began)
}

// histogram is how many of the times, which are in order, are below each bound.
func histogram(took []time.Duration) string {
	s := ""
	from := 0
	for _, ms := range []time.Duration{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		n, _ := slices.BinarySearch(took, ms*time.Millisecond)
		s += fmt.Sprintf(" <%d: %d", ms, n-from)
		from = n
	}
	return s + fmt.Sprintf(" more: %d", len(took)-from)
}

// processTime is the processor time this process has used: on a machine that others use it
// says what the wall clock cannot.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecision measures from one observation to its decision, tracks and 29,929 zones
// in force, on two processors: each object is seen every four seconds, one observation a
// step. Its metrics are milliseconds; those of a machine that others use are upper bounds.
func BenchmarkDecision(b *testing.B) {
	zones := many(b, 30_000)
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			cfg := config(b, []observation.Source{{ID: "r", Kind: "sapient", HasSite: true, Site: geo.Position{Point: geo.Point{Lat: 50, Lon: 30}},
				Period: 4 * time.Second, Detection: 0.95, Coverage: observation.Coverage{Range: 400e3}}}, "t")
			cfg.Zones, cfg.Each = zones, pair
			s := swarm{core: pipeline.New(cfg), n: n}
			now := start
			for look := range 4 { // until every track is confirmed, in a few large looks
				now = start.Add(time.Duration(4*look) * time.Second)
				var of []observation.Observation
				for i := range n {
					of = append(of, s.seen(i, now))
				}
				s.decide(now, pipeline.Observed{Observation: of[0], More: of[1:]})
			}
			runtime.GC()
			var wall, used, all []time.Duration
			i := 0
			b.ResetTimer()
			for b.Loop() {
				now = now.Add(4 * time.Second / time.Duration(n))
				w, u, a := s.decide(now, pipeline.Observed{Observation: s.seen(i%n, now)})
				wall, used, all = append(wall, w), append(used, u), append(all, a)
				i++
			}
			for name, took := range map[string][]time.Duration{"": wall, "-processor": used, "-all": all} {
				slices.Sort(took)
				for _, q := range []int{50, 90, 99} {
					b.ReportMetric(took[min(len(took)*q/100, len(took)-1)].Seconds()*1000, fmt.Sprintf("p%d%s-ms", q, name))
				}
				b.ReportMetric(took[len(took)-1].Seconds()*1000, "most"+name+"-ms")
			}
			b.Logf("%d tracks, milliseconds to the decision:%s", n, histogram(wall))
			b.Logf("%d tracks, milliseconds until nothing waits:%s", n, histogram(all))
		})
	}
}
