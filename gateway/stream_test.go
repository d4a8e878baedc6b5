package gateway

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"tocsin/board"
	"tocsin/core/zone"
)

// valueOf is what a counter shows.
func valueOf(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// TestStreamBegins: retry, then for each region the board and the beat; then what comes.
func TestStreamBegins(t *testing.T) {
	w := ready(t)
	server := w.serve(nil)
	s := follow(t, server.URL+"/v1/stream?region=south&region=north")
	c := w.client("north", "south")
	for i, want := range []board.Kind{board.Board, board.Beat, board.Board, board.Beat} {
		id, line := s.next(t)
		p := decode(t, line)
		if p.Kind != want || id != fmt.Sprintf("%s/%d", p.Region, p.Seq) {
			t.Errorf("frame %d: %s %s", i, id, p.Kind)
		}
		if v := c.Take(line, w.now); v != board.Taken {
			t.Errorf("frame %d: %s", i, v)
		}
	}
	w.warn("s0000", "n0000")
	for range 2 {
		if _, line := s.next(t); c.Take(line, w.now) != board.Taken {
			t.Errorf("a change was not taken")
		}
	}
	w.tick()
	for range 2 {
		if _, line := s.next(t); c.Take(line, w.now) != board.Taken {
			t.Errorf("a beat was not taken")
		}
	}
	if state := c.State(w.now); len(state) != 3 {
		t.Errorf("%d zones are warned, want 3", len(state))
	}
}

// TestStreamHasNoGap: readers who come at any moment of a running publication take every
// frame; none has to fetch the board.
func TestStreamHasNoGap(t *testing.T) {
	for _, lag := range []int{1, 7} {
		t.Run(fmt.Sprint("snapshots behind by ", lag-1), func(t *testing.T) { hasNoGap(t, lag) })
	}
}

func hasNoGap(t *testing.T, lag int) {
	w := newWorld(t, squares(t, 40, nil), func(c *Config) { c.Backlog = 1 << 14 })
	w.lag = lag
	w.tick()
	server := w.serve(nil)
	const readers, changes = 24, 300
	begin := make([]chan struct{}, readers)
	var group sync.WaitGroup
	random := rand.New(rand.NewPCG(7, 8))
	at := map[int][]int{}
	for i := range readers {
		begin[i] = make(chan struct{})
		n := random.IntN(changes)
		at[n] = append(at[n], i)
	}
	finished := make(chan struct{})
	verdicts := make([]map[board.Verdict]int, readers)
	states := make([]int, readers)
	clients := make([]*board.Client, readers)
	for i := range readers {
		clients[i], verdicts[i] = w.client(), map[board.Verdict]int{}
	}
	for i := range readers {
		group.Go(func() {
			<-begin[i]
			s := follow(t, server.URL+"/v1/stream")
			for {
				_, line := s.next(t)
				p := decode(t, line)
				verdicts[i][clients[i].Take(line, p.At)]++
				if p.Kind == board.Beat && p.Active == 80 {
					states[i] = len(clients[i].State(p.At))
					return
				}
			}
		})
	}
	for n := range changes {
		for _, i := range at[n] {
			close(begin[i])
		}
		w.warn(zone.ID(fmt.Sprintf("%c%04d", "ns"[n%2], (n/2)%40)))
		if n%50 == 0 {
			w.tick()
		}
	}
	w.tick()
	go func() { group.Wait(); close(finished) }()
	for over := false; !over; {
		select {
		case <-finished:
			over = true
		case <-time.After(50 * time.Millisecond):
			w.tick() // for who came after the last
		}
	}
	for i := range readers {
		for v, n := range verdicts[i] {
			if v != board.Taken {
				t.Errorf("reader %d: %d frames were %s", i, n, v)
			}
		}
		if states[i] != 80 {
			t.Errorf("reader %d shows %d zones, want 80", i, states[i])
		}
	}
}

// TestSlowReaderIsLetGo: and counted, and the others have everything.
func TestSlowReaderIsLetGo(t *testing.T) {
	w := newWorld(t, squares(t, 500, nil), func(c *Config) { c.Backlog = 32 })
	w.tick()
	server := w.serve(nil)
	quick := follow(t, server.URL+"/v1/stream")
	stuck, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	if err := stuck.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(stuck, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	until(t, "both follow", func() bool { return w.g.Subscribers() == 2 })
	var all []zone.ID
	for k := range 500 {
		all = append(all, zone.ID(fmt.Sprintf("n%04d", k)), zone.ID(fmt.Sprintf("s%04d", k)))
	}
	taken := 0
	c := w.client()
	for n := 0; w.g.Subscribers() == 2 && n < 2000; n++ {
		w.warn(all...)
		for {
			_, line := quick.next(t)
			if v := c.Take(line, w.now); v != board.Taken {
				t.Fatalf("the quick reader: %s", v)
			}
			taken++
			if decode(t, line).Kind == board.Change {
				break
			}
		}
	}
	until(t, "one is let go", func() bool { return w.g.Subscribers() == 1 })
	if slow := valueOf(t, w.g.metrics.slow); slow != 1 || taken < 30 {
		t.Errorf("%v were counted as slow; the other took %d frames", slow, taken)
	}
}

// until waits for something that another goroutine is about to do.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

// TestStuckWriteIsLimited: a reader whose line takes nothing is let go by the clock too.
func TestStuckWriteIsLimited(t *testing.T) {
	w := newWorld(t, squares(t, 500, nil), func(c *Config) { c.Backlog, c.WriteTimeout = 1<<20, 200*time.Millisecond })
	w.tick()
	server := w.serve(nil)
	stuck, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	if err := stuck.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(stuck, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	until(t, "it follows", func() bool { return w.g.Subscribers() == 1 })
	var all []zone.ID
	for k := range 500 {
		all = append(all, zone.ID(fmt.Sprintf("n%04d", k)), zone.ID(fmt.Sprintf("s%04d", k)))
	}
	for n := 0; w.g.Subscribers() == 1 && n < 2000; n++ {
		w.warn(all...)
	}
	until(t, "it is let go", func() bool { return w.g.Subscribers() == 0 })
	if slow := valueOf(t, w.g.metrics.slow); slow != 1 {
		t.Errorf("%v were counted as slow", slow)
	}
}

// TestPlacesAreBounded: one more is told when to come back, and has a place once one left.
func TestPlacesAreBounded(t *testing.T) {
	w := newWorld(t, squares(t, 1, nil), func(c *Config) { c.Subscribers = 3 })
	w.tick()
	server := w.serve(nil)
	var held []*stream
	for range 3 {
		held = append(held, follow(t, server.URL+"/v1/stream"))
	}
	until(t, "all places are taken", func() bool { return w.g.Subscribers() == 3 })
	rec := w.get("GET", "/v1/stream")
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("one more: %d, %v", rec.Code, rec.Header())
	}
	if refused := valueOf(t, w.g.metrics.refused); refused != 1 {
		t.Errorf("%v were counted as refused", refused)
	}
	if rec := w.get("GET", "/v1/board"); rec.Code != 200 {
		t.Errorf("the board for all: %d", rec.Code)
	}
	held[0].stop()
	until(t, "one place is free", func() bool { return w.g.Subscribers() == 2 })
	follow(t, server.URL+"/v1/stream").next(t)
}

// TestSnapshotFarBehind: nobody is let in where a hole would be; with the next snapshot all are.
func TestSnapshotFarBehind(t *testing.T) {
	w := newWorld(t, squares(t, 1, nil), nil)
	w.tick()
	w.lag = sinceLimit + 100
	for range sinceLimit + 1 {
		w.warn("n0000")
	}
	if rec := w.get("GET", "/v1/stream"); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", rec.Code)
	}
	if n := len(w.g.chains["*"].since); n != 0 {
		t.Errorf("%d frames are held", n)
	}
	w.lag = 0
	w.tick()
	server := w.serve(nil)
	follow(t, server.URL+"/v1/stream").next(t)
}

// TestHeadOfTheStreamEnds: it has no body, and must not hold a place for ever.
func TestHeadOfTheStreamEnds(t *testing.T) {
	w := ready(t)
	rec := w.get("HEAD", "/v1/stream")
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "text/event-stream" || rec.Body.Len() != 0 || w.g.Subscribers() != 0 {
		t.Errorf("%d, %v", rec.Code, rec.Header())
	}
}

// TestWhatWasSpokenLastIsWritten: when the system ends, because its disk failed, the last
// words still reach those who follow.
func TestWhatWasSpokenLastIsWritten(t *testing.T) {
	for range 20 {
		w := ready(t)
		server := w.serve(nil)
		s := follow(t, server.URL+"/v1/stream?region=north")
		s.next(t)
		s.next(t)
		for range 50 {
			w.warn("n0002")
		}
		w.g.Close()
		got := 0
		for range s.frames {
			got++
		}
		if got != 50 {
			t.Fatalf("%d of the last 50 frames were written", got)
		}
		if rec := w.get("GET", "/v1/stream"); rec.Code != http.StatusServiceUnavailable {
			t.Errorf("after the end: %d", rec.Code)
		}
	}
}

// TestHostileRequests: whatever stands in the first lines, the answer is one of HTTP's, and
// the gateway lives.
func TestHostileRequests(t *testing.T) {
	w := ready(t)
	server := w.serve(nil)
	for _, raw := range []string{
		"GET /v1/board?region=\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "GET \xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /" + strings.Repeat("../", 2000) + "etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/zones/%2e%2e/%2e%2e/keys HTTP/1.1\r\nHost: x\r\n\r\n", "GET //v1//cap//..//keys HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://elsewhere/v1/board HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n\r\n\r\n",
		"GET /v1/board HTTP/1.1\r\nHost: x\r\nIf-None-Match: " + strings.Repeat(`"x",`, 5000) + "\r\n\r\n",
		"GET /v1/board HTTP/1.1\r\nHost: x\r\nAccept-Encoding: " + strings.Repeat("gzip;q=x,", 2000) + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(io.LimitReader(conn, 1<<20))
		conn.Close()
		if len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 ") {
			t.Errorf("%.40q: %.60q", raw, answer)
		}
		if strings.Contains(string(answer), "root:") {
			t.Errorf("%.40q: gave a file away", raw)
		}
	}
	if rec := w.get("GET", "/v1/board"); rec.Code != 200 {
		t.Errorf("afterwards: %d", rec.Code)
	}
}
