package gateway

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func (g *Gateway) serveBoard(w http.ResponseWriter, r *http.Request) {
	regions, ok := g.regionsOf(w, r, 1)
	if !ok {
		return
	}
	g.mu.Lock()
	n := g.chains[regions[0]]
	g.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/jose")
	h.Set("Cache-Control", "public, max-age=2")
	g.serveTagged(w, r, n.etag, n.lines)
}

// serveTagged answers 304 where the asker holds these very bytes.
func (g *Gateway) serveTagged(w http.ResponseWriter, r *http.Request, etag string, body []byte) {
	w.Header().Set("ETag", etag)
	for _, held := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		if held = strings.TrimSpace(held); held == "*" || strings.TrimPrefix(held, "W/") == strings.TrimPrefix(etag, "W/") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	g.serveBytes(w, body)
}

// A reader is told apart from one who takes nothing by what it takes: a piece must be gone
// within Config.WriteTimeout, so that a phone on the slowest line keeps its answer while it
// comes in, and who reads nothing is let go as soon after a large answer as after a small one.
// slowest is the speed at which even the largest answer is delivered to its end, in bytes a
// second; quick is the time that the smallest is given.
const (
	piece   = 16 << 10
	slowest = 2 << 10
	quick   = 30 * time.Second
)

// lasts is the time in which a body has to be taken.
func lasts(body []byte) time.Duration {
	return quick + time.Duration(len(body)/slowest)*time.Second
}

// serveBytes answers with a body whose length is known.
func (g *Gateway) serveBytes(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_ = g.pieces(w, body, nil)
}

// pieces writes a body as fast as its reader takes it, as long as it takes it. Whether to go
// on, if that is given, is asked before each piece.
func (g *Gateway) pieces(w http.ResponseWriter, body []byte, goOn func() bool) error {
	control := http.NewResponseController(w)
	end := time.Now().Add(lasts(body))
	for first := true; first || len(body) > 0; first = false {
		if goOn != nil && !goOn() {
			return os.ErrDeadlineExceeded
		}
		now := time.Now()
		at := now.Add(g.cfg.WriteTimeout)
		if end.Before(at) {
			at = end
		}
		_ = control.SetWriteDeadline(at) // without effect where the connection knows none
		n := min(piece, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	// What is left in buffers is written when the handler is done.
	_ = control.SetWriteDeadline(time.Now().Add(g.cfg.WriteTimeout))
	return nil
}

// packs reports whether the asker takes gzip (RFC 9110, 12.5.3).
func packs(r *http.Request) bool {
	for _, one := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, q, weighed := strings.Cut(strings.ReplaceAll(one, " ", ""), ";q=")
		if weight, err := strconv.ParseFloat(q, 64); name == "gzip" {
			return !weighed || err == nil && weight > 0
		}
	}
	return false
}

func (g *Gateway) serveActive(w http.ResponseWriter, _ *http.Request) {
	body := g.active.Load()
	if body == nil {
		notReady(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=1")
	g.serveBytes(w, *body)
}

func (g *Gateway) serveKeys(w http.ResponseWriter, _ *http.Request) {
	line := g.keys.Load()
	if line == nil {
		notReady(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/jose")
	h.Set("Cache-Control", "public, max-age=5")
	g.serveBytes(w, append((*line)[:len(*line):len(*line)], '\n'))
}

func (g *Gateway) serveAtom(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/atom+xml; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=2")
	g.serveBytes(w, g.cfg.Feed.Atom())
}

func (g *Gateway) serveCAP(w http.ResponseWriter, r *http.Request) {
	id, isXML := strings.CutSuffix(r.PathValue("document"), ".xml")
	doc, ok := g.cfg.Feed.Document(id)
	if !ok || !isXML {
		problem(w, http.StatusNotFound, "no such alert", "The alerts of late are listed in /v1/cap.atom.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/cap+xml")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	g.serveBytes(w, doc)
}

type metrics struct {
	requests, frames, refused, slow, yielded prometheus.Counter
	subscribers                              prometheus.Gauge
}

func (m *metrics) register(to prometheus.Registerer) error {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tocsin", Subsystem: "gateway", Name: name, Help: help})
	}
	m.requests = counter("requests_total", "Requests of the public.")
	m.frames = counter("frames_total", "Frames published.")
	m.refused = counter("streams_refused_total", "Streams refused because all places were taken.")
	m.slow = counter("streams_slow_total", "Readers let go because they did not keep up.")
	m.yielded = counter("streams_yielded_total", "Readers let go because their address held most of all places, and another asked for one.")
	m.subscribers = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "tocsin", Subsystem: "gateway", Name: "streams", Help: "Streams held now."})
	for _, c := range []prometheus.Collector{m.requests, m.frames, m.refused, m.slow, m.yielded, m.subscribers} {
		if err := to.Register(c); err != nil {
			return err
		}
	}
	return nil
}
