package node

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/gateway"
	"tocsin/health"
)

// crowd is a listener that holds a bounded number of connections and keeps a newcomer waiting
// for nobody who can be spared. At the bound somebody is closed for it, in this order: one
// that rests, the longest of all, and of the largest home first; one whose reader has taken
// nothing for a while, the longest first; one of a home that holds far more than the newcomer's; an
// answer that goes on for long. A connection rests while no handler serves it: idle, or with
// a request whose head has not come to its end. Only where nobody can be spared does Accept
// wait, and for one of a home that holds more than a family it does not: that one is sent away.
type crowd struct {
	net.Listener
	limit int
	start time.Time

	mu      sync.Mutex
	room    sync.Cond // mu: something was closed, or rests
	held    map[*guest]struct{}
	homes   *gateway.Homes[*guest]
	fresh   resting // never answered or sent away
	known   resting // answered before and asked to stay
	evicted int
	closed  bool

	swept time.Time // when all were looked at last
	stuck []*guest  // as they were found then; the longest last
	slow  []*guest
}

// How long one is left alone that takes nothing of what is written to it, and one whose
// answer goes on; only a crowd asks. sweepEvery is how often all may be looked at, sweepMost
// how many are remembered of it.
const (
	stuckTime  = 2 * time.Second
	slowTime   = 10 * time.Second
	sweepEvery = 100 * time.Millisecond
	sweepMost  = 512
)

// guest is one connection of a crowd; its fields are under the crowd's lock.
type guest struct {
	*net.TCPConn
	of      *crowd
	home    netip.Prefix
	serving int
	began   time.Time     // when it came to be served
	lasting bool          // what it is served with is meant to go on
	rests   *list.Element // its place in fresh or known; nil while it is served
	atHome  *list.Element // its place among those of its home there
	writing atomic.Int64  // since when, after the crowd's start, one write waits; 0 where none does
}

// resting are connections that rest, the longest first: of all, and by home.
type resting struct {
	list.List
	of map[netip.Prefix]*list.List
}

func newCrowd(l net.Listener, limit int) *crowd {
	c := &crowd{Listener: l, limit: limit, start: time.Now(), held: map[*guest]struct{}{}, homes: gateway.NewHomes[*guest]()}
	c.room.L = &c.mu
	return c
}

// Accept is of net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			conn.Close()
			return nil, fmt.Errorf("node: accept: %T is no TCP connection", conn)
		}
		thrifty(tcp)
		g, err := c.take(tcp)
		if g != nil || err != nil {
			return g, err
		}
	}
}

// take makes room for a connection and holds it; nil where it was sent away.
func (c *crowd) take(tcp *net.TCPConn) (*guest, error) {
	g := &guest{TCPConn: tcp, of: c, home: homeOf(tcp)}
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.held) >= c.limit && !c.closed {
		one := c.spared(g.home)
		if one == nil && c.homes.Held(g.home) > gateway.Family {
			c.evicted++
			reset(tcp)
			return nil, nil
		}
		if one == nil {
			again := time.AfterFunc(sweepEvery, c.room.Broadcast) // somebody may be stuck by then
			c.room.Wait()
			again.Stop()
			continue
		}
		c.evicted++
		c.forget(one)
		reset(one.TCPConn)
	}
	if c.closed {
		tcp.Close()
		return nil, net.ErrClosed
	}
	c.held[g] = struct{}{}
	c.homes.Enter(g.home, g)
	c.rest(&c.fresh, g)
	return g, nil
}

func homeOf(tcp *net.TCPConn) netip.Prefix {
	if a, ok := tcp.RemoteAddr().(*net.TCPAddr); ok {
		return gateway.HomeOf(a.AddrPort().Addr())
	}
	return netip.Prefix{}
}

// reset closes without waiting for what is still to be sent: a reader who takes nothing must
// not keep it in memory either.
func reset(tcp *net.TCPConn) {
	_ = tcp.SetLinger(0)
	tcp.Close()
}

// spared is who has to go for one of a home; nil where nobody can be spared.
func (c *crowd) spared(newcomer netip.Prefix) *guest {
	one, large := c.homes.Yields(newcomer)
	if large {
		for _, from := range []*resting{&c.fresh, &c.known} {
			if l := from.of[one.home]; l != nil {
				return l.Front().Value.(*guest)
			}
		}
	}
	// Whoever was answered before goes last; but newcomers have a quarter of the room for
	// themselves, or they would push out one another before they are heard.
	from := &c.known
	if c.fresh.Len() > c.limit/4 || from.Len() == 0 {
		from = &c.fresh
	}
	if first := from.Front(); first != nil {
		return first.Value.(*guest)
	}
	if g := c.pick(&c.stuck, (*guest).isStuck); g != nil {
		return g
	}
	if large {
		return one
	}
	return c.pick(&c.slow, (*guest).isSlow)
}

// isStuck reports for how long one write has waited for its reader, where that is too long.
func (g *guest) isStuck(now time.Time) (time.Duration, bool) {
	since := g.writing.Load()
	d := now.Sub(g.of.start) - time.Duration(since)
	return d, since > 0 && d >= stuckTime
}

// isSlow reports for how long an answer has gone on, where that is too long.
func (g *guest) isSlow(now time.Time) (time.Duration, bool) {
	d := now.Sub(g.began)
	return d, g.serving > 0 && !g.lasting && d >= slowTime
}

// pick takes the longest of those that were found, and looks for them anew where none is left.
func (c *crowd) pick(found *[]*guest, is func(*guest, time.Time) (time.Duration, bool)) *guest {
	now := time.Now()
	if len(*found) == 0 && now.Sub(c.swept) >= sweepEvery {
		c.swept = now
		c.stuck, c.slow = c.sweep(now, (*guest).isStuck), c.sweep(now, (*guest).isSlow)
	}
	for len(*found) > 0 {
		last := len(*found) - 1
		g := (*found)[last]
		*found = (*found)[:last]
		_, held := c.held[g]
		if _, still := is(g, now); held && still {
			return g
		}
	}
	return nil
}

// sweep finds those that are as asked, the longest last.
func (c *crowd) sweep(now time.Time, is func(*guest, time.Time) (time.Duration, bool)) []*guest {
	type one struct {
		g *guest
		d time.Duration
	}
	var all []one
	for g := range c.held {
		if d, yes := is(g, now); yes {
			all = append(all, one{g, d})
		}
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Compare(a.d, b.d) })
	all = all[max(len(all)-sweepMost, 0):]
	found := make([]*guest, len(all))
	for i, o := range all {
		found[i] = o.g
	}
	return found
}

// rest puts a connection with those that rest.
func (c *crowd) rest(in *resting, g *guest) {
	g.rests = in.PushBack(g)
	if in.of == nil {
		in.of = map[netip.Prefix]*list.List{}
	}
	if in.of[g.home] == nil {
		in.of[g.home] = list.New()
	}
	g.atHome = in.of[g.home].PushBack(g)
}

// Write is of net.Conn; it is known while a reader keeps it waiting.
func (g *guest) Write(b []byte) (int, error) {
	g.writing.Store(max(int64(time.Since(g.of.start)), 1))
	defer g.writing.Store(0)
	return g.TCPConn.Write(b)
}

// forget lets go of a connection that is, or is about to be, closed.
func (c *crowd) forget(g *guest) {
	if _, held := c.held[g]; !held {
		return
	}
	delete(c.held, g)
	c.homes.Leave(g.home, g)
	c.rise(g)
	c.room.Signal()
}

// rise takes a connection out of those that rest.
func (c *crowd) rise(g *guest) {
	if g.rests == nil {
		return
	}
	for _, in := range []*resting{&c.fresh, &c.known} { // each list leaves alone what is the other's
		in.Remove(g.rests)
		if l := in.of[g.home]; l != nil {
			if l.Remove(g.atHome); l.Len() == 0 {
				delete(in.of, g.home)
			}
		}
	}
	g.rests, g.atHome = nil, nil
}

// Close is of net.Listener. Connections that were accepted stay.
func (c *crowd) Close() error {
	c.mu.Lock()
	c.closed = true
	c.room.Broadcast()
	c.mu.Unlock()
	return c.Listener.Close()
}

// evictions is how many connections had to go since the start.
func (c *crowd) evictions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.evicted
}

// Close is of net.Conn.
func (g *guest) Close() error {
	g.of.mu.Lock()
	g.of.forget(g)
	g.of.mu.Unlock()
	return g.TCPConn.Close()
}

// enter tells that a handler serves the connection, and whether with what is meant to go on.
func (g *guest) enter(lasting bool) {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	g.serving++
	g.began, g.lasting = time.Now(), lasting
	g.of.rise(g)
}

// leave tells that the handler is done, and whether the connection is to stay.
func (g *guest) leave(stays bool) {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	g.serving--
	if _, held := g.of.held[g]; !held || g.serving > 0 {
		return
	}
	if stays {
		g.of.rest(&g.of.known, g)
	} else {
		g.of.rest(&g.of.fresh, g)
	}
	g.of.room.Signal()
}

// guestKey is where a request finds its connection: net/http has no other way to hand it over.
type guestKey struct{}

// withGuest is http.Server.ConnContext.
func withGuest(ctx context.Context, conn net.Conn) context.Context {
	if over, wrapped := conn.(interface{ NetConn() net.Conn }); wrapped { // TLS
		conn = over.NetConn()
	}
	if g, ok := conn.(*guest); ok {
		return context.WithValue(ctx, guestKey{}, g)
	}
	return ctx
}

// streamPath is the one answer that is meant to go on.
const streamPath = "/v1/stream"

// attended tells a connection when it is served. A request whose caller went away before its
// body had come in whole is not one any more: the body ends with an error, and a handler that
// has not begun does not begin.
func attended(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g, ok := r.Context().Value(guestKey{}).(*guest)
		if !ok {
			h.ServeHTTP(w, r)
			return
		}
		g.enter(r.URL.Path == streamPath)
		defer func() { g.leave(w.Header().Get("Connection") != "close") }()
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &waited{r.Body, r.Context(), g}
		}
		h.ServeHTTP(w, r)
	})
}

// waited is a body whose caller still waits at its end.
type waited struct {
	io.ReadCloser
	ctx context.Context
	of  *guest
}

// Read is of io.Reader.
func (b *waited) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && (b.ctx.Err() != nil || gone(b.of.TCPConn)) {
		err = fmt.Errorf("node: body: the caller went away: %w", io.ErrUnexpectedEOF)
	}
	return n, err
}

// A crowd is looked at every crowdCheck, and is over when nobody had to go for crowdCalm.
const (
	crowdCheck = time.Second
	crowdCalm  = 10 * time.Second
)

// watch raises the condition NAME-crowded while connections have to go, with how many since it
// was raised.
func (c *crowd) watch(ctx context.Context, name string, note func(health.Condition)) {
	tick := time.NewTicker(crowdCheck)
	defer tick.Stop()
	told := health.Condition{Name: name + "-crowded"}
	before, seen, calm := 0, 0, time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		calm += crowdCheck
		now := c.evictions()
		switch {
		case now > seen:
			if !told.Raised {
				before = seen
			}
			seen, calm = now, 0
			told.Raised, told.Count = true, now-before
			told.Detail = fmt.Sprintf("more connections came than the %d that are held: those that rest or read nothing, and those of whoever holds most, were closed; someone may be trying to shut the door", c.limit)
		case told.Raised && calm >= crowdCalm:
			told.Raised, told.Count, told.Detail = false, 0, ""
		default:
			continue
		}
		told.At = time.Now().UTC()
		note(told)
	}
}
