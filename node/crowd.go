package node

import (
	"container/list"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"tocsin/health"
)

// crowd is a listener that holds a bounded number of connections and never keeps a newcomer
// waiting for the sake of one that rests: at the bound the connection that has rested longest
// is closed. A connection rests while no handler serves it: idle, or with a request whose head
// has not come to its end. Only where all are being served does Accept wait.
type crowd struct {
	net.Listener
	limit int

	mu      sync.Mutex
	room    sync.Cond // mu: something was closed, or rests
	held    map[*guest]struct{}
	fresh   list.List // resting, never answered or sent away; the longest first
	known   list.List // resting, answered before and asked to stay; the longest first
	evicted int
	closed  bool
}

// guest is one connection of a crowd; its fields are under the crowd's lock.
type guest struct {
	*net.TCPConn
	of      *crowd
	serving int
	rests   *list.Element // its place in fresh or known; nil while it is served
}

func newCrowd(l net.Listener, limit int) *crowd {
	c := &crowd{Listener: l, limit: limit, held: map[*guest]struct{}{}}
	c.room.L = &c.mu
	return c
}

// Accept is of net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("node: accept: %T is no TCP connection", conn)
	}
	c.mu.Lock()
	for len(c.held) >= c.limit && !c.closed {
		oldest := c.oldest()
		if oldest == nil {
			c.room.Wait()
			continue
		}
		c.evicted++
		c.forget(oldest)
		// Nothing waits to be sent on it that closing could wait for.
		oldest.TCPConn.Close()
	}
	defer c.mu.Unlock()
	if c.closed {
		tcp.Close()
		return nil, net.ErrClosed
	}
	g := &guest{TCPConn: tcp, of: c}
	c.held[g] = struct{}{}
	g.rests = c.fresh.PushBack(g)
	return g, nil
}

// oldest is who has to go. Whoever was answered before goes last; but newcomers have a quarter
// of the room for themselves, or they would push out one another before they are heard.
func (c *crowd) oldest() *guest {
	from := &c.known
	if c.fresh.Len() > c.limit/4 || from.Len() == 0 {
		from = &c.fresh
	}
	if first := from.Front(); first != nil {
		return first.Value.(*guest)
	}
	return nil
}

// forget lets go of a connection that is, or is about to be, closed.
func (c *crowd) forget(g *guest) {
	if _, held := c.held[g]; !held {
		return
	}
	delete(c.held, g)
	c.rise(g)
	c.room.Signal()
}

// rise takes a connection out of those that rest.
func (c *crowd) rise(g *guest) {
	if g.rests != nil {
		c.fresh.Remove(g.rests) // each list leaves alone what is the other's
		c.known.Remove(g.rests)
		g.rests = nil
	}
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

// enter tells that a handler serves the connection.
func (g *guest) enter() {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	g.serving++
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
		g.rests = g.of.known.PushBack(g)
	} else {
		g.rests = g.of.fresh.PushBack(g)
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
		g.enter()
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
			told.Detail = fmt.Sprintf("more connections came than the %d that are held: those that said nothing for longest were closed; someone may be trying to shut the door", c.limit)
		case told.Raised && calm >= crowdCalm:
			told.Raised, told.Count, told.Detail = false, 0, ""
		default:
			continue
		}
		told.At = time.Now().UTC()
		note(told)
	}
}
