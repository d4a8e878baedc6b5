package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"tocsin/board"
)

// event is one frame as bytes of the stream, encoded once for all readers.
type event struct {
	region string
	bytes  []byte
}

// Why a reader was let go.
const (
	leftClosing = "closing"
	leftSlow    = "slow"
	leftYielded = "yielded"
)

// subscriber is one reader of the stream. Its queue is filled under the gateway's lock
// and emptied by its own request.
type subscriber struct {
	regions []string
	home    netip.Prefix
	limit   int
	wake    chan struct{} // has room for one: something is to be taken

	mu    sync.Mutex
	queue [][]byte
	why   string // why it is let go; empty while it is not
}

// offer queues the events of its regions; a reader whose queue is full is let go, for
// a stream with a hole would be worse than a new one.
func (s *subscriber) offer(events []event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := false
	for _, e := range events {
		switch {
		case s.why != "" || !slices.Contains(s.regions, e.region):
			continue
		case len(s.queue) >= s.limit:
			s.queue, s.why = nil, leftSlow
		default:
			s.queue = append(s.queue, e.bytes)
		}
		fresh = true
	}
	if fresh {
		s.notify()
	}
}

func (s *subscriber) notify() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// leave lets the reader go; what is queued is still written.
func (s *subscriber) leave(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == "" {
		s.why = why
	}
	s.notify()
}

// take hands over what is queued, and why nothing more will come.
func (s *subscriber) take() (queue [][]byte, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue, s.queue = s.queue, nil
	return queue, s.why
}

// encodeEvent writes one frame as a Server-Sent Event (WHATWG HTML, 9.2).
func encodeEvent(f board.Frame) []byte {
	b := make([]byte, 0, len(f.Line)+len(f.Region)+40)
	b = append(b, "id: "...)
	b = append(b, f.Region...)
	b = append(b, '/')
	b = strconv.AppendInt(b, f.Seq, 10)
	b = append(b, "\ndata: "...)
	b = append(b, f.Line...)
	return append(b, "\n\n"...)
}

func encodeNewest(s Snapshot) *newest {
	n := &newest{snapshot: s}
	n.lines = slices.Concat(s.Board.Line, []byte("\n"), s.Beat.Line, []byte("\n"))
	n.event = slices.Concat(encodeEvent(s.Board), encodeEvent(s.Beat))
	n.etag = tagOf(n.lines)
	return n
}

// tagOf is the entity tag of some bytes.
func tagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// maxRegions bounds how many chains one stream may follow.
const maxRegions = 64

// regionsOf reads the regions asked for, the whole country where none is named.
func (g *Gateway) regionsOf(w http.ResponseWriter, r *http.Request, most int) ([]string, bool) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		problem(w, http.StatusBadRequest, "not a query", "It must be of the form region=ID&region=ID2.")
		return nil, false
	}
	for name := range query {
		if name != "region" {
			// Not passed over: who misspells it would follow another chain than he thinks.
			problem(w, http.StatusBadRequest, "no such parameter", "Only region is known here.")
			return nil, false
		}
	}
	asked := query["region"]
	if len(asked) == 0 {
		asked = []string{board.Whole}
	}
	if len(asked) > most {
		problem(w, http.StatusBadRequest, "too many regions", fmt.Sprintf("At most %d here.", most))
		return nil, false
	}
	asked = slices.Compact(slices.Sorted(slices.Values(asked)))
	if !g.ready.Load() {
		notReady(w)
		return nil, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, region := range asked {
		if g.chains[region] == nil {
			problem(w, http.StatusNotFound, "no such region", "The regions are those of /v1/zones, * for the whole country, test for the test chain.")
			return nil, false
		}
	}
	return asked, true
}

func (g *Gateway) serveStream(w http.ResponseWriter, r *http.Request) {
	regions, ok := g.regionsOf(w, r, maxRegions)
	if !ok {
		return
	}
	h := w.Header()
	if r.Method == http.MethodHead { // a stream without a body would never end
		streamHeader(h)
		return
	}
	s, first, ok := g.subscribe(regions, r.RemoteAddr)
	if !ok {
		g.metrics.refused.Inc()
		h.Set("Retry-After", strconv.Itoa(2+rand.IntN(8)))
		problem(w, http.StatusServiceUnavailable, "no place left", "This gateway holds as many streams as it can. Come back in some seconds, or read /v1/board.")
		return
	}
	defer g.unsubscribe(s)
	streamHeader(h)
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // a reader says nothing more, for as long as it likes
	// A herd that lost its gateway comes back spread over four seconds.
	if !g.write(s, w, control, []byte(fmt.Sprintf("retry: %d\n\n", 1000+rand.IntN(4000)))) || !g.write(s, w, control, first...) {
		return
	}
	for {
		queue, why := s.take()
		switch {
		case len(queue) > 0:
			if !g.write(s, w, control, queue...) {
				return
			}
		case why != "":
			return
		default:
			select {
			case <-s.wake:
			case <-r.Context().Done():
				return
			}
		}
	}
}

func streamHeader(h http.Header) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
}

// keepsUp reports whether a reader is still worth writing to: not once its queue ran over, or
// its place is another's.
func (s *subscriber) keepsUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why != leftSlow && s.why != leftYielded
}

// write writes and flushes in the time that a reader is given; one that takes longer is
// let go.
func (g *Gateway) write(s *subscriber, w http.ResponseWriter, control *http.ResponseController, all ...[]byte) bool {
	var err error
	for _, b := range all {
		if err = g.pieces(w, b, s.keepsUp); err != nil {
			break
		}
	}
	if err == nil {
		err = control.Flush()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.leave(leftSlow)
	}
	return err == nil
}

// subscribe takes the snapshot, what was said since, and the place in the queue in one
// moment, so that no frame falls between them.
func (g *Gateway) subscribe(regions []string, from string) (*subscriber, [][]byte, bool) {
	at, _ := netip.ParseAddrPort(from) // of none: a home like another
	home := HomeOf(at.Addr())
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, nil, false
	}
	s := &subscriber{regions: regions, home: home, limit: g.cfg.Backlog, wake: make(chan struct{}, 1)}
	var first [][]byte
	for _, region := range regions {
		n := g.chains[region]
		if n.behind {
			return nil, nil, false
		}
		first = append(append(first, n.event), n.since...)
	}
	if len(g.subscribers) >= g.cfg.Subscribers {
		one, yields := g.homes.Yields(home)
		if !yields {
			return nil, nil, false
		}
		one.leave(leftYielded)
		g.remove(one)
		g.metrics.yielded.Inc()
	}
	g.subscribers[s] = struct{}{}
	g.homes.Enter(home, s)
	g.metrics.subscribers.Set(float64(len(g.subscribers)))
	return s, first, true
}

// remove frees a place; one that was freed before is passed over.
func (g *Gateway) remove(s *subscriber) {
	delete(g.subscribers, s)
	g.homes.Leave(s.home, s)
}

func (g *Gateway) unsubscribe(s *subscriber) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(s)
	g.metrics.subscribers.Set(float64(len(g.subscribers)))
	if _, why := s.take(); why == leftSlow {
		g.metrics.slow.Inc()
	}
}
