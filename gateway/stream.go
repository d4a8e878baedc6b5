package gateway

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
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
)

// subscriber is one reader of the stream. Its queue is filled under the gateway's lock
// and emptied by its own request.
type subscriber struct {
	regions []string
	queue   chan []byte
	gone    chan struct{}
	why     string
}

// offer queues the events of its regions; a reader whose queue is full is let go, for
// a stream with a hole would be worse than a new one.
func (s *subscriber) offer(events []event) {
	for _, e := range events {
		if !slices.Contains(s.regions, e.region) {
			continue
		}
		select {
		case s.queue <- e.bytes:
		default:
			s.leave(leftSlow)
			return
		}
	}
}

func (s *subscriber) leave(why string) {
	select {
	case <-s.gone:
	default:
		s.why = why
		close(s.gone)
	}
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
	n.etag = fmt.Sprintf(`"%s-%d-%x"`, s.Region, s.Board.Seq, tail(s.Beat.Line))
	return n
}

// tail is the end of a line's signature, which differs for every frame.
func tail(line []byte) []byte { return line[max(0, len(line)-12):] }

// maxRegions bounds how many chains one stream may follow.
const maxRegions = 64

// regionsOf reads the regions asked for, the whole country where none is named.
func (g *Gateway) regionsOf(w http.ResponseWriter, r *http.Request, most int) ([]string, bool) {
	asked := r.URL.Query()["region"]
	if len(asked) == 0 {
		asked = []string{"*"}
	}
	if len(asked) > most {
		problem(w, http.StatusBadRequest, "too many regions", fmt.Sprintf("At most %d here.", most))
		return nil, false
	}
	asked = slices.Compact(slices.Sorted(slices.Values(asked)))
	if !g.ready.Load() {
		w.Header().Set("Retry-After", "1")
		problem(w, http.StatusServiceUnavailable, "not ready", "The first board is not signed yet. Ask again in a second.")
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
	s, first, ok := g.subscribe(regions)
	if !ok {
		g.metrics.refused.Inc()
		w.Header().Set("Retry-After", strconv.Itoa(2+rand.IntN(8)))
		problem(w, http.StatusServiceUnavailable, "no place left", "This gateway holds as many streams as it can. Come back in some seconds, or read /v1/board.")
		return
	}
	defer g.unsubscribe(s)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Time{}) // a reader says nothing more, for as long as it likes
	write := func(b []byte) bool {
		control.SetWriteDeadline(time.Now().Add(g.cfg.WriteTimeout))
		if _, err := w.Write(b); err != nil {
			return false
		}
		return len(s.queue) > 0 || control.Flush() == nil
	}
	// A herd that lost its gateway comes back spread over four seconds.
	if !write(append([]byte(fmt.Sprintf("retry: %d\n\n", 1000+rand.IntN(4000))), first...)) || control.Flush() != nil {
		return
	}
	for {
		select {
		case b := <-s.queue:
			if !write(b) {
				return
			}
		case <-s.gone:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// subscribe takes the snapshot and the place in the queue in one moment, so that no
// frame falls between them.
func (g *Gateway) subscribe(regions []string) (*subscriber, []byte, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || len(g.subscribers) >= g.cfg.Subscribers {
		return nil, nil, false
	}
	s := &subscriber{regions: regions, queue: make(chan []byte, g.cfg.Backlog), gone: make(chan struct{})}
	var first []byte
	for _, region := range regions {
		first = append(first, g.chains[region].event...)
	}
	g.subscribers[s] = struct{}{}
	g.metrics.subscribers.Set(float64(len(g.subscribers)))
	return s, first, true
}

func (g *Gateway) unsubscribe(s *subscriber) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.subscribers, s)
	g.metrics.subscribers.Set(float64(len(g.subscribers)))
	if s.why == leftSlow {
		g.metrics.slow.Inc()
	}
}
