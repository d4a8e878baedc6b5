package gateway

import (
	"net/http"
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
	serveTagged(w, r, n.etag, n.lines)
}

// serveTagged answers 304 where the asker holds these very bytes.
func serveTagged(w http.ResponseWriter, r *http.Request, etag string, body []byte) {
	w.Header().Set("ETag", etag)
	for _, held := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		if held = strings.TrimSpace(held); held == "*" || strings.TrimPrefix(held, "W/") == strings.TrimPrefix(etag, "W/") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	serveBytes(w, body)
}

// slowest is the speed at which a large file is still delivered to the end, in bytes a
// second; quick is the time that even the smallest answer is given.
const (
	slowest = 8 << 10
	quick   = 30 * time.Second
)

// serveBytes answers with a body whose length is known, and gives a slow line its time.
func serveBytes(w http.ResponseWriter, body []byte) {
	// Without effect where the connection knows no deadlines.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(quick + time.Duration(len(body)/slowest)*time.Second))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
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
	serveBytes(w, *body)
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
	serveBytes(w, append((*line)[:len(*line):len(*line)], '\n'))
}

func (g *Gateway) serveAtom(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/atom+xml; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=2")
	serveBytes(w, g.cfg.Feed.Atom())
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
	serveBytes(w, doc)
}

type metrics struct {
	requests, frames, refused, slow prometheus.Counter
	subscribers                     prometheus.Gauge
}

func (m *metrics) register(to prometheus.Registerer) error {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tocsin", Subsystem: "gateway", Name: name, Help: help})
	}
	m.requests = counter("requests_total", "Requests of the public.")
	m.frames = counter("frames_total", "Frames published.")
	m.refused = counter("streams_refused_total", "Streams refused because all places were taken.")
	m.slow = counter("streams_slow_total", "Readers let go because they did not keep up.")
	m.subscribers = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "tocsin", Subsystem: "gateway", Name: "streams", Help: "Streams held now."})
	for _, c := range []prometheus.Collector{m.requests, m.frames, m.refused, m.slow, m.subscribers} {
		if err := to.Register(c); err != nil {
			return err
		}
	}
	return nil
}
