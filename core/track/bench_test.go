package track

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"tocsin/core/observation"
)

// BenchmarkScan is one look of a radar at so many objects, a fifth as many false plots
// among them.
func BenchmarkScan(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := radar("r", 0)
			s.Clutter = float64(n) / 5
			s.Coverage.Range = 300e3
			g := rand.New(rand.NewPCG(1, 1))
			var ms []mover
			for range n {
				ms = append(ms, mover{p: [3]float64{400e3 * (g.Float64() - 0.5), 400e3 * (g.Float64() - 0.5), 9000},
					v: [3]float64{200 * (g.Float64() - 0.5), 200 * (g.Float64() - 0.5), 0}})
			}
			p := NewPicture(Config{Sources: []observation.Source{s}})
			at := 0.0
			feed := func(os []observation.Observation) {
				for _, o := range os {
					p.Observe(after(at), o)
				}
			}
			looks := func() []observation.Observation {
				at += 4
				var os []observation.Observation
				for _, m := range ms {
					if g.Float64() < 0.9 {
						os = append(os, observed(s, at, plotOf(s, m.at(at), g)))
					}
				}
				for range n / 5 {
					os = append(os, observed(s, at, plotOf(s, [3]float64{400e3 * (g.Float64() - 0.5), 400e3 * (g.Float64() - 0.5), 8000 * g.Float64()}, g)))
				}
				return append(os, observed(s, at, observation.Absence{}))
			}
			for range 6 {
				feed(looks())
			}
			b.ReportAllocs()
			var took time.Duration // of the processor: the machine may have others to serve
			for b.Loop() {
				b.StopTimer()
				os := looks()
				b.StartTimer()
				t0 := processorTime()
				feed(os)
				took += processorTime() - t0
			}
			b.ReportMetric(float64(p.engine.firm), "tracks")
			b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "cpu-ms/scan")
		})
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
