// Package gateway is the public side: the stream of the board to citizens.
//
// In: frames already signed, snapshots to hand to newcomers, the CAP feed, the zone
// registry. Out: HTTP as docs/contract.md has it. It never signs, never decides, and
// has nothing of tracks or sensors to give away; nobody here is asked who they are.
package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/board"
	"tocsin/core/zone"
)

// Feed is the CAP side, kept by the feed channel. Both are called from many requests
// at once; what they return is not changed afterwards.
type Feed interface {
	Atom() []byte
	Document(id string) ([]byte, bool)
}

// Snapshot is what a newcomer to one chain is given.
type Snapshot struct {
	Region string
	Board  board.Frame
	Beat   board.Frame
}

// Update is one step of the public state: frames for those who follow, snapshots that
// have all frames published with them and before, and the body of /v1/active. A chain's
// snapshot may come later than its frames: newcomers get the last one and the frames since.
type Update struct {
	Frames    []board.Frame
	Snapshots []Snapshot
	Active    []byte // nil: as before
}

// Page is what the citizens' page is told in its first bytes.
type Page struct {
	Universe  string        `json:"universe"`
	Root      string        `json:"root"` // base64url of the root key
	Languages []string      `json:"languages"`
	Basemap   string        `json:"basemap"` // a folder of the page's own files
	Bounds    [2][2]float64 `json:"bounds"`  // [[west, south], [east, north]]
	Name      string        `json:"name"`
}

// Config is what a gateway is made with. Zero bounds take the defaults named.
type Config struct {
	Page     Page
	Zones    *zone.Set
	Feed     Feed
	Registry prometheus.Registerer
	// Location is of the times that are said in words; nil is UTC.
	Location *time.Location
	// Subscribers bounds the streams held at once; 0 is 15,000. For one more one of the address
	// that holds most is let go; where none holds more than others, it is told 503.
	Subscribers int
	// Backlog bounds the frames waiting for one slow reader; 0 is 256. At the bound the
	// reader is let go: it comes back and is given the board.
	Backlog int
	// WriteTimeout bounds how long a reader may take for a piece of 16 KiB; 0 is 10 s.
	WriteTimeout time.Duration
}

// Gateway answers the public's requests. Publish and SetKeys belong to one caller at a
// time; ServeHTTP to any number.
type Gateway struct {
	cfg     Config
	mux     *http.ServeMux
	keys    atomic.Pointer[[]byte]
	zones   atomic.Pointer[registry]
	active  atomic.Pointer[[]byte]
	ready   atomic.Bool
	page    *page
	metrics metrics

	mu          sync.Mutex
	chains      map[string]*newest
	subscribers map[*subscriber]struct{}
	homes       *Homes[*subscriber]
	closed      bool
}

// newest is what a chain's newcomer gets, already encoded.
type newest struct {
	snapshot Snapshot
	lines    []byte // the two lines of /v1/board
	event    []byte // the same as stream events
	etag     string
	since    [][]byte // events of the frames after it
	behind   bool     // more of them than are held: nobody can begin here
}

// sinceLimit bounds the frames that a snapshot may be behind.
const sinceLimit = 4096

func (n *newest) follow(event []byte) {
	if n.behind = n.behind || len(n.since) == sinceLimit; n.behind {
		n.since = nil
		return
	}
	n.since = append(n.since, event)
}

// New makes a gateway that answers 503 until the first Publish.
func New(cfg Config) (*Gateway, error) {
	if cfg.Subscribers <= 0 {
		cfg.Subscribers = 15_000
	}
	if cfg.Backlog <= 0 {
		cfg.Backlog = 256
	}
	if cfg.WriteTimeout <= 0 {
		cfg.WriteTimeout = 10 * time.Second
	}
	if cfg.Feed == nil || cfg.Zones == nil || cfg.Registry == nil {
		return nil, errors.New("gateway: feed, zones and registry are required")
	}
	g := &Gateway{cfg: cfg, chains: map[string]*newest{}, subscribers: map[*subscriber]struct{}{}, homes: NewHomes[*subscriber]()}
	var err error
	if g.page, err = newPage(cfg.Page, cfg.Zones, cfg.Location); err != nil {
		return nil, fmt.Errorf("gateway: page: %w", err)
	}
	if err := g.SetZones(cfg.Zones, nil); err != nil {
		return nil, err
	}
	if err := g.metrics.register(cfg.Registry); err != nil {
		return nil, fmt.Errorf("gateway: metrics: %w", err)
	}
	g.routes()
	return g, nil
}

func (g *Gateway) routes() {
	g.mux = http.NewServeMux()
	g.mux.HandleFunc("GET /v1/board", g.serveBoard)
	g.mux.HandleFunc("GET /v1/stream", g.serveStream)
	g.mux.HandleFunc("GET /v1/active", g.serveActive)
	g.mux.HandleFunc("GET /v1/keys", g.serveKeys)
	g.mux.HandleFunc("GET /v1/zones", g.serveZones)
	g.mux.HandleFunc("GET /v1/zones/{version}", g.serveRegistry)
	g.mux.HandleFunc("GET /v1/zones/{version}/diff", g.serveDiff)
	g.mux.HandleFunc("GET /v1/cap.atom", g.serveAtom)
	g.mux.HandleFunc("GET /v1/cap/{document}", g.serveCAP)
	g.mux.HandleFunc("GET /", g.page.serve(g))
	g.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", "GET, HEAD")
		problem(w, http.StatusMethodNotAllowed, "only GET and HEAD", "This side only speaks. Commands go to the desk's port.")
	})
}

// maxURI bounds what a request may ask in its first line.
const maxURI = 8 << 10

// ServeHTTP answers one request of the public.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if strings.HasPrefix(r.URL.Path, "/v1/") {
		h.Set("Access-Control-Allow-Origin", "*") // all of it is public; errors must be readable too
	}
	g.metrics.requests.Inc()
	if r.ContentLength != 0 { // nothing here takes a body: it is not even read to its end
		h.Set("Connection", "close")
	}
	if len(r.RequestURI) > maxURI {
		problem(w, http.StatusRequestURITooLong, "the address is too long", "Ask for fewer regions.")
		return
	}
	// Not passed over: whatever stands after a question mark makes of one document as many as
	// a cache can hold, and who misspells a parameter is answered another question than asked.
	takes := r.URL.Path == "/v1/board" || r.URL.Path == "/v1/stream"
	if strings.HasPrefix(r.URL.Path, "/v1/") && !takes && (r.URL.RawQuery != "" || r.URL.ForceQuery) {
		problem(w, http.StatusBadRequest, "no such parameter", "This path takes none. Only /v1/board and /v1/stream take region=ID.")
		return
	}
	g.mux.ServeHTTP(w, r)
}

// SetKeys takes the root-signed key list for /v1/keys.
func (g *Gateway) SetKeys(line []byte) { g.keys.Store(&line) }

// SetZones takes a new registry; before is the one it follows, or nil.
func (g *Gateway) SetZones(set, before *zone.Set) error {
	r, err := newRegistry(set, before)
	if err != nil {
		return fmt.Errorf("gateway: zones: %w", err)
	}
	g.zones.Store(r)
	g.page.setZones(set)
	return nil
}

// Publish says what is new to everyone who follows, and keeps what newcomers get. It
// never waits for a reader.
func (g *Gateway) Publish(u Update) {
	fresh := make(map[string]*newest, len(u.Snapshots))
	for _, s := range u.Snapshots {
		fresh[s.Region] = encodeNewest(s)
	}
	events := make([]event, len(u.Frames))
	for i, f := range u.Frames {
		events[i] = event{region: f.Region, bytes: encodeEvent(f)}
	}
	if u.Active != nil {
		g.active.Store(&u.Active)
	}
	g.mu.Lock()
	for _, e := range events {
		if n := g.chains[e.region]; n != nil {
			n.follow(e.bytes)
		}
	}
	for region, n := range fresh {
		g.chains[region] = n
	}
	ready := len(g.chains) > 0
	if len(events) > 0 {
		for s := range g.subscribers {
			s.offer(events)
		}
	}
	g.mu.Unlock()
	g.metrics.frames.Add(float64(len(u.Frames)))
	g.ready.Store(ready)
}

// Close lets every reader go and takes no more.
func (g *Gateway) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for s := range g.subscribers {
		s.leave(leftClosing)
	}
}

// Subscribers is how many streams are held now.
func (g *Gateway) Subscribers() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.subscribers)
}

// notReady answers before the first Publish.
func notReady(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	problem(w, http.StatusServiceUnavailable, "not ready", "The first board is not signed yet. Ask again in a second.")
}

// problem answers with a problem document (RFC 9457).
func problem(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Status int    `json:"status"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}{status, title, detail})
}
