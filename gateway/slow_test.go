package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"tocsin/core/zone"
)

// dialNarrow opens a connection whose reader's own system holds next to nothing.
func dialNarrow(t *testing.T, to, path string) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	return bufio.NewReaderSize(conn, 4<<10)
}

// slowly takes a piece in every moment, until as much came as is wanted or it ends.
func slowly(r io.Reader, want int) (got int, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for drop := make([]byte, 24<<10); got < want && err == nil; <-tick.C {
		var n int
		n, err = io.ReadFull(r, drop)
		got += n
	}
	return got, err
}

// TestSlowReaderIsServed: who takes what comes has all of it, however often one write's time
// goes by meanwhile: a large file, and the board at the beginning of a stream.
func TestSlowReaderIsServed(t *testing.T) {
	const limit = 200 * time.Millisecond
	w := newWorld(t, squares(t, 2500, nil), func(c *Config) { c.WriteTimeout = limit })
	w.tick()
	var all []zone.ID
	for k := range 2500 {
		all = append(all, zone.ID(fmt.Sprintf("n%04d", k)), zone.ID(fmt.Sprintf("s%04d", k)))
	}
	w.warn(all...)
	to := w.serve(nil).Listener.Addr().String()
	for path, size := range map[string]int{"/v1/zones/" + w.set.Version(): len(w.g.zones.Load().plain), "/v1/stream?region=*": len(w.g.chains["*"].event)} {
		began := time.Now()
		r := dialNarrow(t, to, path)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := slowly(res.Body, size-24<<10); got < size-24<<10 {
			t.Errorf("%s: %d of %d octets after %s: %v", path, got, size, time.Since(began), err)
		}
	}
}

// TestWhoReadsNothingIsLetGo: soon, however large the answer is.
func TestWhoReadsNothingIsLetGo(t *testing.T) {
	w := newWorld(t, squares(t, 2500, nil), func(c *Config) { c.WriteTimeout = 100 * time.Millisecond })
	w.tick()
	ended := make(chan struct{}, 1)
	server := w.serve(func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			ended <- struct{}{}
		}
	})
	dialNarrow(t, server.Listener.Addr().String(), "/v1/zones/"+w.set.Version())
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("it holds its connection still")
	}
}

// TestPlacesOfOneAddress: all places are one address's; another has one all the same, and a
// third of the first is told to wait.
func TestPlacesOfOneAddress(t *testing.T) {
	w := newWorld(t, squares(t, 1, nil), func(c *Config) { c.Subscribers = Family + 2 })
	w.tick()
	var held []*subscriber
	take := func(from string) bool {
		s, _, ok := w.g.subscribe([]string{"*"}, from)
		if ok {
			held = append(held, s)
		}
		return ok
	}
	for i := range Family + 2 {
		if !take(fmt.Sprintf("192.0.2.1:%d", 1000+i)) {
			t.Fatalf("place %d was refused", i)
		}
	}
	if take("192.0.2.1:9") {
		t.Error("one more of the same address had a place")
	}
	if !take("192.0.2.2:9") || !take("[2001:db8::1]:9") {
		t.Error("another address had none")
	}
	if take("192.0.2.3:9") {
		t.Error("a family had to give way")
	}
	if yielded := valueOf(t, w.g.metrics.yielded); yielded != 2 || w.g.Subscribers() != Family+2 {
		t.Errorf("%v gave way, %d are there", yielded, w.g.Subscribers())
	}
	for _, s := range held {
		w.g.unsubscribe(s)
	}
	if w.g.Subscribers() != 0 || w.g.homes.Held(held[0].home) != 0 {
		t.Error("somebody is left")
	}
}
