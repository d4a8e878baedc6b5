// Package desk is the side of operators and authorities: commands in, what is in force and
// what is not well out, over HTTP on a port of its own.
//
// In: requests with a token. Out: orders that are checked (form, time, zones, jurisdiction)
// and handed on once each, their answers, and problem documents (RFC 9457) that name the
// field. It never keeps or carries out a command itself, never answers one as accepted that
// was not kept, and tells nothing of tracks or sensors.
package desk

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
)

// Scopes of a token.
const (
	ScopeDeclare = "declare"
	ScopeExtend  = "extend"
	ScopeEnd     = "end"
	ScopeObserve = "observe"
	ScopeConfirm = "confirm"
	ScopeVeto    = "veto"
	ScopeRead    = "read"
)

// scopes is which scope an action needs.
var scopes = map[warning.Action]string{
	warning.Declare: ScopeDeclare, warning.Extend: ScopeExtend, warning.EndsZone: ScopeEnd, pipeline.Observe: ScopeObserve,
	warning.Confirm: ScopeConfirm, warning.Veto: ScopeVeto,
}

// What the rooms behind the desk say. Others are taken as ErrNotKept.
var (
	// ErrToken: the secret is nobody's. ErrTokenOver: it was, or will be.
	ErrToken     = errors.New("no such token")
	ErrTokenOver = errors.New("the token's time is over, or has not come")
	// ErrNotKept: the command could not be kept, and is not carried out.
	ErrNotKept = errors.New("the command could not be kept")
	// ErrUnanswered: the command is kept, and is carried out when the program runs again.
	ErrUnanswered = errors.New("the command is kept and not yet carried out")
)

// Area is where and of what a token may speak.
type Area interface {
	Region(region zone.ID) bool
	Class(c class.Class) bool
	Within(id zone.ID) bool // the whole of a leaf zone lies in the token's polygon
}

// Grant is what a token may do.
type Grant struct {
	Name       string
	Source     string // the registered source that its words enter as
	Scopes     []string
	Everything bool // no limits: Area is not asked and may be nil
	Area       Area
}

// issuer is who stands behind what is done with a token: who may declare is an authority,
// others are operators.
func (g Grant) issuer() warning.Issuer {
	if slices.Contains(g.Scopes, ScopeDeclare) {
		return warning.Issuer{Kind: warning.ByAuthority, Name: g.Name}
	}
	return warning.Issuer{Kind: warning.ByOperator, Name: g.Name}
}

// Grants tells whose a secret is, in a time that does not depend on the secret; the error
// is ErrToken or ErrTokenOver.
type Grants interface {
	Grant(now time.Time, secret string) (Grant, error)
}

// Signing is what the keys of the board may say. What they may not is on no device, whoever
// asks for it.
type Signing interface {
	// Permits reports whether a warning of a class in a zone may be signed at a time.
	Permits(at time.Time, c class.Class, id zone.ID) bool
	// Until is how long from at on something about a zone can be signed without a gap by the
	// keys there are; at itself where it cannot at all.
	Until(at time.Time, id zone.ID) time.Time
}

// Carrier keeps an order and has it carried out. It may take as long as the disk does; ctx
// ends what has not been kept by then. The error is ErrNotKept or ErrUnanswered.
type Carrier interface {
	Carry(ctx context.Context, o pipeline.Order) (pipeline.Answer, error)
}

// Config is what a desk is made with. The functions are called from many requests at once
// and must not block; what they return is not changed afterwards.
type Config struct {
	Universe   alert.Universe // a command that says another is refused
	Grants     Grants
	Carrier    Carrier
	Zones      func() *zone.Set
	Signing    func() Signing
	Warnings   func() []warning.Warning  // those in force, at least
	Proposals  func() []warning.Proposal // what waits for a person
	Conditions func() []health.Condition
	// Note takes what is not well at the door itself.
	Note func(health.Condition)
	// Answered is what was answered before the start, oldest first.
	Answered []pipeline.Answered
	// Metrics answers GET /metrics, without a token: it names no subjects. nil: 404.
	Metrics  http.Handler
	Registry prometheus.Registerer
	Now      func() time.Time // nil is time.Now
	// Requests bounds the requests answered to tokens, and the commands carried out, at once; 0
	// is 512. Strangers bounds those answered to who has no valid token; 0 is 64.
	Requests, Strangers int
	// Rate is how many requests a second a token may make, Burst how many at once; 0 is 20
	// and 100.
	Rate, Burst float64
	// Slow is how long a wrong token waits for its answer; 0 is 300 ms, negative is none.
	Slow time.Duration
	// BodyTime is how long a body may take to come; 0 is 5 s. AnswerTime is how long a
	// caller waits for a command to be carried out; 0 is 10 s.
	BodyTime, AnswerTime time.Duration
}

// Desk answers requests from any number of goroutines.
type Desk struct {
	cfg      Config
	mux      *http.ServeMux
	requests chan struct{}
	strange  chan struct{}
	tokens   *limiter
	wrongs   *limiter
	guessing atomic.Bool // wrongTokens is raised
	commands *once
	metrics  metrics
}

type metrics struct {
	refused *prometheus.CounterVec
	wrong   prometheus.Counter
	seconds *prometheus.HistogramVec
}

// Bounds of the limiters: wrong tokens are one caller, however many they are.
const (
	maxTokens   = 20_000
	wrongRate   = 5
	wrongBurst  = 20
	everyone    = ""
	wrongTokens = "desk-wrong-tokens"
)

//go:embed openapi.yaml
var openapi []byte

// New makes a desk.
func New(cfg Config) (*Desk, error) {
	if cfg.Grants == nil || cfg.Carrier == nil || cfg.Zones == nil || cfg.Signing == nil || cfg.Warnings == nil || cfg.Proposals == nil || cfg.Conditions == nil || cfg.Note == nil || cfg.Registry == nil {
		return nil, errors.New("desk: grants, carrier, zones, signing, warnings, proposals, conditions, note and registry are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	defaultTo(&cfg.Requests, 512)
	defaultTo(&cfg.Strangers, 64)
	defaultTo(&cfg.Rate, 20)
	defaultTo(&cfg.Burst, 100)
	defaultTo(&cfg.BodyTime, 5*time.Second)
	defaultTo(&cfg.AnswerTime, 10*time.Second)
	if cfg.Slow == 0 {
		cfg.Slow = 300 * time.Millisecond
	}
	d := &Desk{
		cfg: cfg, requests: make(chan struct{}, cfg.Requests), strange: make(chan struct{}, cfg.Strangers),
		tokens: newLimiter(cfg.Rate, cfg.Burst, maxTokens), wrongs: newLimiter(wrongRate, wrongBurst, 1),
		commands: newOnce(cfg.Requests, cfg.Answered),
	}
	m := health.NewMetrics(cfg.Registry)
	d.metrics = metrics{
		refused: m.Counter("desk_refused_total", "Requests that the desk refused, by status.", "status"),
		wrong:   m.Counter("desk_wrong_tokens_total", "Requests with a token that is nobody's or is over.").WithLabelValues(),
		seconds: m.Histogram("desk_command_seconds", "From a command read to its answer.", nil, "action"),
	}
	d.routes()
	return d, m.Err()
}

func defaultTo[T int | float64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// route is one thing that is answered.
type route struct {
	method, path string
	serve        http.HandlerFunc
}

// table is everything that is answered; openapi.yaml has the same.
func (d *Desk) table() []route {
	all := []route{
		{http.MethodPost, "/v1/commands", d.serveCommand},
		{http.MethodGet, "/v1/warnings", d.reading(d.serveWarnings)},
		{http.MethodGet, "/v1/proposals", d.reading(d.serveProposals)},
		{http.MethodGet, "/v1/conditions", d.reading(d.serveConditions)},
		{http.MethodGet, "/v1/openapi.yaml", serveDocument},
	}
	if d.cfg.Metrics != nil {
		all = append(all, route{http.MethodGet, metricsPath, d.cfg.Metrics.ServeHTTP})
	}
	return all
}

func (d *Desk) routes() {
	d.mux = http.NewServeMux()
	for _, r := range d.table() {
		allow := r.method
		if allow == http.MethodGet {
			allow = "GET, HEAD"
		}
		serve := r.serve
		if r.path != metricsPath {
			serve = d.plain(serve)
		}
		d.mux.HandleFunc(r.method+" "+r.path, serve)
		d.mux.HandleFunc(r.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allow)
			d.problem(w, http.StatusMethodNotAllowed, "", "Only "+allow+" is answered here.", "")
		})
	}
	d.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		d.problem(w, http.StatusNotFound, "", "There is nothing here; GET /v1/openapi.yaml says what there is.", "")
	})
}

// strangerTime is how long a caller without a valid token may take to read its answer.
const strangerTime = 5 * time.Second

// metricsPath is asked with whatever query Prometheus is configured to send.
const metricsPath = "/metrics"

// plain refuses a query: who writes ?dry_run=1 must not be taken at the rest of his word.
func (d *Desk) plain(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" && !r.URL.ForceQuery {
			h(w, r)
			return
		}
		name, _, _ := strings.Cut(strings.SplitN(r.URL.RawQuery, "&", 2)[0], "=")
		d.problem(w, http.StatusBadRequest, clip(name), "No path here takes a query; nothing was done. What a command says is in its body.", "")
	}
}

// reading asks for a token that may read.
func (d *Desk) reading(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g, ok := d.admit(w, r)
		if !ok {
			return
		}
		if !slices.Contains(g.Scopes, ScopeRead) {
			d.problem(w, http.StatusForbidden, "Authorization", "The token "+g.Name+" may not read; ask for one with the scope read.", "")
			return
		}
		h(w, r)
	}
}

func serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openapi)
}

// ServeHTTP answers one request.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	places := d.requests
	if !d.known(r) {
		// Who has no token is answered and leaves, and never holds a place that a token needs;
		// nor may it take its time to read the answer.
		h.Set("Connection", "close")
		places = d.strange
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(strangerTime))
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	default:
		h.Set("Connection", "close")
		d.later(w, http.StatusTooManyRequests, time.Second, "Too many requests are being answered; nothing was done. Ask again in a moment, with the same id.", "")
		return
	}
	d.mux.ServeHTTP(w, r)
}
