package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/gateway"
	"tocsin/sim"
)

// national is a node over the 1,469 zones of Ukraine.
func national(b *testing.B, sources []Source) (*Node, Config) {
	b.Helper()
	cfg := Defaults()
	cfg.Universe, cfg.Data = alert.Exercise, b.TempDir()
	cfg.Sender, cfg.Public.Listen, cfg.Desk.Listen = "exercise@tocsin.example", "127.0.0.1:0", "127.0.0.1:0"
	cfg.Sources = sources
	n, err := Open(b.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { n.Close() })
	return n, cfg
}

// swarm is a world of so many drones that come from all sides, in lines abreast, at a town in
// the north of Ukraine.
func swarm(b *testing.B, objects int) *sim.World {
	b.Helper()
	const lat, lon = 50.9, 34.2
	sides := min(objects, 10)
	var lines strings.Builder
	for i := range sides {
		turn := 2 * math.Pi * float64(i) / float64(sides)
		fmt.Fprintf(&lines, "  - {id: line%d, class: drone, speed: 50, copies: %d, spacing: 700, route: [[%.3f, %.3f, 900], [%.3f, %.3f, 900]]}\n",
			i, objects/sides, lat+0.5*math.Cos(turn), lon+0.8*math.Sin(turn), lat-0.3*math.Cos(turn), lon-0.5*math.Sin(turn))
	}
	w, err := sim.Read([]byte(fmt.Sprintf(`
about: a swarm from all sides
seed: 3
start: 2026-11-22T12:00:00Z
lasts: 60s
zones: ua
radars:
  - {id: radar, site: [%g, %g, 190], sac: 25, sic: 12, period: 4s, range: 250000, floor: 0, noise: {range: 50, azimuth: 0.1, height: 100}, detection: 0.95, clutter: 4}
objects:
%s`, lat, lon, lines.String())))
	if err != nil {
		b.Fatal(err)
	}
	return w
}

// timed is the public side as it is, with the moment at which it was given the last frames.
type timed struct {
	inner  publisher
	frames int
	at     time.Time
}

func (t *timed) Publish(u gateway.Update) {
	t.inner.Publish(u)
	if t.frames += len(u.Frames); len(u.Frames) > 0 {
		t.at = time.Now()
	}
}

// radarAt is the first radar of a world as the source whose datagrams come to an address.
func radarAt(w *sim.World, address string) Source {
	r := w.Radars[0]
	return Source{
		ID: r.ID, Kind: "asterix", Listen: "udp://" + address, SAC: r.SAC, SIC: r.SIC,
		Site: &Site{Lat: r.Site[0], Lon: r.Site[1], Height: r.Site[2]}, Errors: Errors{Range: 50, Azimuth: 0.1, Time: 0.02},
		Coverage: Coverage{Range: r.Range}, Period: Duration(r.Period), Clutter: r.Clutter, Detection: r.Detection, Simulated: true,
	}
}

// BenchmarkBytesToFrame is the whole way in one process, with the journal on disk: a sector's
// datagrams are given to the feed's socket, decoded, followed, weighed, kept, signed, and the
// time is taken from the datagrams to the last frame that came of them. Reported are those
// times, and how long each sector took to be done with.
func BenchmarkBytesToFrame(b *testing.B) {
	for _, objects := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(objects), func(b *testing.B) {
			var speaking, all []time.Duration
			for b.Loop() {
				w := swarm(b, objects)
				address := freePort(b, "udp")
				n, _ := national(b, []Source{radarAt(w, address)})
				one, more := fromBytes(b, n, w, address)
				speaking, all = append(speaking, one...), append(all, more...)
				if err := n.Close(); err != nil {
					b.Fatal(err)
				}
			}
			percentiles(b, "frame", speaking)
			percentiles(b, "sector", all)
			b.ReportMetric(0, "ns/op") // a whole raid: says nothing
		})
	}
}

// fromBytes plays a world into a node and gives the time of each sector.
func fromBytes(b *testing.B, n *Node, w *sim.World, address string) (speaking, all []time.Duration) {
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	out := &timed{inner: n.loop.out}
	n.loop.out = out
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	for _, f := range n.sensors {
		group.Go(func() {
			if err := f.Run(ctx, func(o observation.Observation) { n.loop.observations <- o }); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
		})
	}
	conn, err := net.Dial("udp4", address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	wait(b, conn, n)
	sent := n.sensors[0].Stats().Datagrams
	start := time.Now()
	wire, err := sim.NewWire(w, start)
	if err != nil {
		b.Fatal(err)
	}
	// The loop's clock is the world's, so that 32 s of raid take as long as the work does.
	now := start
	n.loop.wall, n.loop.read = func() time.Time { return now }, time.Time{}
	for _, l := range w.Looks(w.Flights()) {
		datagrams, err := wire.Datagrams(l)
		if err != nil {
			b.Fatal(err)
		}
		now = start.Add(l.SentAt).Round(0)
		if err := n.loop.step(n.loop.now(), pipeline.Ticked{}); err != nil {
			b.Fatal(err)
		}
		frames, began := out.frames, time.Now()
		for _, d := range datagrams {
			if _, err := conn.Write(d); err != nil {
				b.Fatal(err)
			}
		}
		sent += len(datagrams)
		for limit := time.Now().Add(10 * time.Second); ; {
			// A datagram is counted when all that it made was handed over.
			if heard := n.sensors[0].Stats().Datagrams; heard >= sent && len(n.loop.observations) == 0 {
				break
			}
			select {
			case o := <-n.loop.observations:
				if err := n.loop.step(n.loop.now(), pipeline.Observed{Observation: o, More: n.loop.waiting()}); err != nil {
					b.Fatal(err)
				}
			case <-time.After(20 * time.Microsecond):
				if time.Now().After(limit) {
					b.Fatal("the feed lost datagrams")
				}
			}
		}
		took := time.Since(began)
		if out.frames > frames {
			speaking = append(speaking, out.at.Sub(began))
		}
		if l.SentAt > 12*time.Second { // before that tracks are not confirmed
			all = append(all, took)
		}
	}
	return speaking, all
}

// wait sends until the feed hears: its socket is then open.
func wait(b *testing.B, conn net.Conn, n *Node) {
	b.Helper()
	for range 2000 {
		if _, err := conn.Write([]byte{0}); err == nil && n.sensors[0].Stats().Datagrams > 0 {
			for heard := 0; heard != n.sensors[0].Stats().Datagrams; <-time.After(20 * time.Millisecond) {
				heard = n.sensors[0].Stats().Datagrams
			}
			return
		}
		<-time.After(time.Millisecond)
	}
	b.Fatal("the feed does not hear")
}

// percentiles gives the middle and the end of some times.
func percentiles(b *testing.B, what string, all []time.Duration) {
	b.Helper()
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	ms := func(p float64) float64 { return float64(all[int(p*float64(len(all)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(0.5), what+"-p50-ms")
	b.ReportMetric(ms(0.99), what+"-p99-ms")
	b.ReportMetric(float64(len(all)), what+"s")
}

// BenchmarkStart is from the start of a process's work to the first board over HTTP: keys
// made, journal there, the shipped zones.
func BenchmarkStart(b *testing.B) {
	first, cfg := national(b, nil)
	if err := first.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n, err := Open(b.Context(), cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- n.Run(ctx) }()
		resp, err := http.Get("http://" + n.PublicAddress() + "/v1/board")
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(err, resp)
		}
		b.StopTimer()
		resp.Body.Close()
		stop()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	http.DefaultClient.CloseIdleConnections()
}

// BenchmarkProcessStart is from starting a process to the first board over HTTP.
func BenchmarkProcessStart(b *testing.B) {
	first, cfg := national(b, nil)
	if err := first.Close(); err != nil {
		b.Fatal(err)
	}
	cfg.Public.Listen, cfg.Desk.Listen = freePort(b, "tcp"), freePort(b, "tcp")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for b.Loop() {
		life := startChild(b, cfg)
		for {
			resp, err := client.Get("http://" + cfg.Public.Listen + "/v1/board")
			if err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					break
				}
			}
			<-time.After(time.Millisecond)
		}
		b.StopTimer()
		life.kill(b)
		b.StartTimer()
	}
}

// BenchmarkDecisionToFrame is a decision about one zone with so many others warned. The frame
// times are from the decision kept, signed and handed to the readers; an operation is also the
// snapshots of its chains.
func BenchmarkDecisionToFrame(b *testing.B) {
	for _, zones := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(zones), func(b *testing.B) {
			n, _ := national(b, nil)
			l := n.loop
			now := l.now()
			until := now.Add(time.Hour)
			var ids []zone.ID
			for i := range zones {
				ids = append(ids, n.sets.now().ByIndex(i).ID)
			}
			mustCommand(b, l, declaredBy("all", until, ids...))
			last := n.sets.now().ByIndex(n.sets.now().Len() - 1).ID
			k := 0
			out := &timed{inner: l.out}
			l.out = out
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				k++
				began := time.Now()
				c := declaredBy(fmt.Sprint("c", k), until.Add(time.Duration(k)*time.Second), last)
				if k > 1 {
					c = request{order: pipeline.Order{Command: warning.Command{
						ID: fmt.Sprint("c", k), Action: warning.Extend, By: warning.Issuer{Kind: warning.ByAuthority, Name: "a"},
						Zones: []zone.ID{last}, Until: until.Add(time.Duration(k) * time.Second),
					}}}
				}
				mustCommand(b, l, c)
				took = append(took, out.at.Sub(began))
			}
			percentiles(b, "frame", took)
		})
	}
}

func declaredBy(id string, until time.Time, ids ...zone.ID) request {
	return request{order: pipeline.Order{Command: warning.Command{
		ID: id, Action: warning.Declare, By: warning.Issuer{Kind: warning.ByAuthority, Name: "a"},
		Zones: ids, Stage: warning.Shelter, Threat: class.CruiseMissile, Until: until, Reason: "launches seen",
	}}}
}

func mustCommand(b *testing.B, l *loop, r request) {
	b.Helper()
	r.answer = make(chan pipeline.Answer, 1)
	if err := l.command(r); err != nil {
		b.Fatal(err)
	}
	if a := <-r.answer; a.Refused != "" || len(a.Warnings) == 0 {
		b.Fatal(a)
	}
}

// BenchmarkFanOut is one change to a thousand readers on loopback, until the last has it.
func BenchmarkFanOut(b *testing.B) {
	const readers = 1000
	n, _ := national(b, nil)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	heard := make(chan struct{}, readers)
	var group sync.WaitGroup
	for range readers {
		conn, err := net.Dial("tcp", n.PublicAddress())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		group.Go(func() {
			defer conn.Close()
			buffer := make([]byte, 64<<10)
			for {
				k, err := conn.Read(buffer)
				if err != nil {
					return
				}
				// An event of the chain in one write, as long as nothing else is said.
				if k > 5 && strings.Contains(string(buffer[:k]), "id: */") {
					heard <- struct{}{}
				}
			}
		})
	}
	for range readers {
		<-heard // the board
	}
	last := n.sets.now().ByIndex(0).ID
	k := 0
	for b.Loop() {
		k++
		until := time.Now().Add(time.Hour + time.Duration(k)*time.Second)
		r := declaredBy(fmt.Sprint("c", k), until, last)
		r.answer = make(chan pipeline.Answer, 1)
		n.loop.commands <- r
		for range readers {
			<-heard
		}
		<-r.answer
	}
	b.ReportMetric(readers, "readers")
	stop()
	group.Wait()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
