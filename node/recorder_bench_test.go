package node

import (
	"fmt"
	"testing"
	"time"

	"tocsin/core/pipeline"
	"tocsin/journal/rerun"
	"tocsin/zones"

	"tocsin/journal"
)

// BenchmarkRecording is BenchmarkBytesToFrame with and without the recorder, by turns in one
// run, what a swarm leaves on disk, and how fast it is replayed.
func BenchmarkRecording(b *testing.B) {
	for _, objects := range []int{100, 1000} {
		b.Run(fmt.Sprint(objects), func(b *testing.B) {
			var frames, sectors [2][]time.Duration // without, with
			for b.Loop() {
				for i := range frames {
					w := swarm(b, objects)
					address := freePort(b, "udp")
					n, cfg := national(b, []Source{radarAt(w, address)})
					writes := n.loop.recorder
					if i == 0 {
						n.loop.recorder = nil
					}
					one, all := fromBytes(b, n, w, address)
					frames[i], sectors[i] = append(frames[i], one...), append(sectors[i], all...)
					n.loop.recorder = writes
					if err := n.Close(); err != nil {
						b.Fatal(err)
					}
					if i == 1 {
						b.ReportMetric(float64(writes.lost.Load()), "lost")
						b.ReportMetric(float64(writes.to.Stats().Bytes)/1e6*float64(time.Hour/w.Lasts), "MB/hour")
						again(b, cfg.Data)
					}
				}
			}
			for i, name := range []string{"unrecorded", "recorded"} {
				percentiles(b, name+"-frame", frames[i])
				percentiles(b, name+"-sector", sectors[i])
			}
			b.ReportMetric(0, "ns/op") // a whole raid: says nothing
		})
	}
}

// again replays a folder and tells how fast.
func again(b *testing.B, data string) {
	b.Helper()
	j, err := journal.OpenReader(b.Context(), data)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	r, err := rerun.Run(b.Context(), rerun.Job{Data: data, Journal: j, Sets: zones.StoreIn(data).Open, Program: Program(""), Each: SideBySide})
	if err != nil || !r.Proven() {
		b.Fatalf("%+v, first difference %+v, %v", r, r.First, err)
	}
	b.ReportMetric(float64(r.Inputs)/r.Took.Seconds(), "replayed-inputs/s")
	b.ReportMetric(r.Starts[0].Last.Sub(r.Starts[0].First).Seconds()/r.Took.Seconds(), "replay-times-faster")
}

// BenchmarkTake is what the loop itself pays for an input: the handing over.
func BenchmarkTake(b *testing.B) {
	r := &recorder{queue: make(chan given, recorderQueue)}
	now := time.Now().Round(0)
	var in pipeline.Input = pipeline.Ticked{}
	for b.Loop() {
		r.take(now, in)
		<-r.queue
	}
}
