package node

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/board"
	"tocsin/health"
	"tocsin/node/keyring"
)

// dial opens a connection that is closed with the test.
func dial(t testing.TB, to string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// doorOf serves a handler behind a door of a number of connections.
func doorOf(t *testing.T, connections int, h http.Handler) *door {
	t.Helper()
	d, err := openDoor(t.Context(), "desk", "127.0.0.1:0", TLS{}, connections, bounded(h))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.serve(ctx, func(health.Condition) {}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestCrowdDoesNotShutTheDoor: 300 that say nothing, 800 that never end their heads and 300
// that hang on after an answer are more than the desk holds; a token is answered all the same.
func TestCrowdDoesNotShutTheDoor(t *testing.T) {
	leavesNothing(t)
	o := newOffice(t)
	n, end := o.run(t)
	defer end()
	for range 300 {
		fmt.Fprint(dial(t, n.DeskAddress()), "GET /v1/openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	for range 300 {
		dial(t, n.DeskAddress())
	}
	for range 800 {
		fmt.Fprint(dial(t, n.DeskAddress()), "POST /v1/commands HTTP/1.1\r\nHost: x\r\n")
	}
	for i := range 5 {
		began := time.Now()
		status, body := o.give(t, n, "national", declareZones(fmt.Sprint("flood-", i), `"a"`, "shelter", time.Now().Add(time.Hour)))
		if took := time.Since(began); status != http.StatusCreated || took > time.Second {
			t.Errorf("declare %d: %d after %s: %s", i, status, took, body)
		}
	}
	if n.desk.crowd.evictions() == 0 {
		t.Error("nobody had to go: this was no crowd")
	}
}

// TestCrowdOfAuthorities: 400 declare at once on connections they kept, four with each of 100
// tokens (to make a token costs as much as there are already).
// `go test ./node -v -run CrowdOfAuthorities` shows how long they waited.
func TestCrowdOfAuthorities(t *testing.T) {
	leavesNothing(t)
	const many, tokens = 400, 100
	o := newOffice(t)
	ring, err := keyring.Open(o.cfg.Data, o.cfg.Universe)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tokens {
		name := fmt.Sprint("office-", i)
		if ring, o.secrets[name], err = ring.AddToken(time.Now(), name, keyring.Scopes(), board.Everything(), 0); err != nil {
			t.Fatal(err)
		}
	}
	n, end := o.run(t)
	defer end()
	transport := &http.Transport{MaxIdleConnsPerHost: many}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ask := func(i int, method, path, body string) int {
		req, err := http.NewRequest(method, "http://"+n.DeskAddress()+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		req.Header.Set("Authorization", "Bearer "+o.secrets[fmt.Sprint("office-", i%tokens)])
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer res.Body.Close()
		io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	took := make([]time.Duration, many)
	all := func(do func(i int)) {
		var group sync.WaitGroup
		for i := range many {
			group.Go(func() { do(i) })
		}
		group.Wait()
	}
	all(func(i int) { ask(i, "GET", "/v1/warnings", "") })
	until := time.Now().Add(time.Hour)
	all(func(i int) {
		began := time.Now()
		id := string(rune('a' + i%6))
		status := 0
		for range 5 { // a slow machine answers 504, and the same id is given again
			if status = ask(i, "POST", "/v1/commands", declareZones(fmt.Sprint("d-", i), `"`+id+`"`, "shelter", until)); status != http.StatusGatewayTimeout {
				break
			}
		}
		if status != http.StatusCreated {
			t.Errorf("office %d: %d", i, status)
		}
		took[i] = time.Since(began)
	})
	slices.SortFunc(took, cmp.Compare[time.Duration])
	t.Logf("%d declared at once: p50 %s, p99 %s, last %s", many, took[many/2], took[many*99/100], took[many-1])
}

// TestCrowdLetsGoOfWhoRests: whoever is served stays; where all are, a newcomer waits.
func TestCrowdLetsGoOfWhoRests(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	d := doorOf(t, 4, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			entered <- struct{}{}
			<-finish
		}
	}))
	to := d.listener.Addr().String()
	served := make([]net.Conn, 3)
	for i := range served {
		served[i] = dial(t, to)
		fmt.Fprint(served[i], "GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
		<-entered
	}
	for range 20 { // the one place that is left goes from hand to hand
		conn := dial(t, to)
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		hears(t, conn)
	}
	last := dial(t, to)
	fmt.Fprint(last, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	late := dial(t, to) // all four are served
	fmt.Fprint(late, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if before := d.crowd.evictions(); before != 20 {
		t.Errorf("%d had to go, not 20", before)
	}
	close(finish)
	hears(t, late)
	for _, conn := range append(served, last)[1:] {
		hears(t, conn)
	}
}

func hears(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}

// TestCrowdKeepsWhoWasAnswered: those who were asked to stay outlive strangers beyond a
// quarter of the room.
func TestCrowdKeepsWhoWasAnswered(t *testing.T) {
	d := doorOf(t, 8, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	to := d.listener.Addr().String()
	kept := dial(t, to)
	for range 2 {
		fmt.Fprint(kept, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		hears(t, kept)
		for range 50 {
			fmt.Fprint(dial(t, to), "POST / HTTP/1.1\r\n")
		}
		last := dial(t, to) // once it is answered, those before it were accepted
		fmt.Fprint(last, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		hears(t, last)
	}
	fmt.Fprint(kept, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	hears(t, kept)
}

// TestIdleCallerGoneIsNotServed: the whole request came, and its caller left before anybody
// took it up; what it asked is not done.
func TestIdleCallerGoneIsNotServed(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{})
	read := make(chan error, 1)
	d := doorOf(t, 4, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-left
		_, err := io.ReadAll(r.Body)
		read <- err
	}))
	for _, stays := range []bool{true, false} {
		conn := dial(t, d.listener.Addr().String())
		fmt.Fprint(conn, "POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
		<-entered
		if !stays {
			conn.Close()
		}
		left <- struct{}{}
		if err := <-read; (err == nil) != stays {
			t.Errorf("the caller stays: %v; the body: %v", stays, err)
		}
	}
}

// TestCrowdIsTold: raised with how many had to go, and over after a while.
func TestCrowdIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(nil, 10)
		var mu sync.Mutex
		var told []health.Condition
		ctx, stop := context.WithCancel(t.Context())
		go c.watch(ctx, "desk", func(h health.Condition) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, h)
		})
		evict := func(n int, wait time.Duration) {
			c.mu.Lock()
			c.evicted += n
			c.mu.Unlock()
			<-time.After(wait)
			synctest.Wait()
		}
		evict(3, 1500*time.Millisecond)
		evict(2, crowdCalm+2*time.Second)
		evict(7, crowdCheck)
		stop()
		synctest.Wait()
		var got []string
		for _, h := range told {
			got = append(got, fmt.Sprintf("%s%t%d", h.Name, h.Raised, h.Count))
		}
		if want := "desk-crowdedtrue3 desk-crowdedtrue5 desk-crowdedfalse0 desk-crowdedtrue7"; strings.Join(got, " ") != want {
			t.Errorf("told %v, not %s", got, want)
		}
	})
}
