package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/node/keyring"
)

// boardLine is the commands of this file's tests.
type boardLine struct {
	Board   boardCmd   `cmd:""`
	Vectors vectorsCmd `cmd:""`
	Watch   watchCmd   `cmd:""`
	Init    initCmd    `cmd:""`
	Keys    keysCmd    `cmd:""`
}

// boardRun runs a command alone, as the program would; out may be read while it runs.
func boardRun(ctx context.Context, t *testing.T, in string, out *output, args ...string) int {
	t.Helper()
	var line boardLine
	parser, err := kong.New(&line, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	c := &console{ctx: ctx, in: strings.NewReader(in), out: out, err: out.complaint}
	parsed, err := parser.Parse(joined(args))
	if err != nil {
		return exitCode(c, misuse{err.Error()})
	}
	return exitCode(c, parsed.Run(c))
}

// output is a standard output that can be waited on.
type output struct {
	mu        sync.Mutex
	text      strings.Builder
	wrote     chan struct{}
	complaint *output // standard error
}

func newOutput() *output {
	return &output{wrote: make(chan struct{}, 1), complaint: &output{wrote: make(chan struct{}, 1)}}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	select {
	case o.wrote <- struct{}{}:
	default:
	}
	return n, err
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until the output holds a text.
func (o *output) await(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !strings.Contains(o.String(), want) {
		select {
		case <-o.wrote:
		case <-deadline:
			t.Fatalf("no %q in\n%s", want, o)
		}
	}
}

// flat is a zone set of one region for tests.
type flat struct{}

func (flat) Version() string                  { return "set1" }
func (flat) Regions() []zone.ID               { return nil }
func (flat) Region(zone.ID) zone.ID           { return zone.Everywhere }
func (flat) Get(id zone.ID) (zone.Zone, bool) { return zone.Zone{ID: id}, true }
func (flat) Index(zone.ID) (int, bool)        { return 0, false }

// house is a service for tests: a publisher behind HTTP.
type house struct {
	t      *testing.T
	ring   *keyring.Ring
	server *httptest.Server
	mu     sync.Mutex
	pub    *board.Publisher
	subs   map[chan []byte]bool
	spoil  func([]byte) []byte // what the way does to a frame
	gaps   bool                // the stream loses every change
	chain  string              // what a newcomer is given; the whole country unless set
	left   chan struct{}       // a subscriber has gone
}

func newHouse(t *testing.T) *house {
	t.Helper()
	ring, err := keyring.Init(t.TempDir(), alert.Exercise, time.Now(), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, ring: ring, subs: map[chan []byte]bool{}, left: make(chan struct{}, 100), spoil: func(b []byte) []byte { return b }}
	signer, err := ring.Signer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if h.pub, err = board.NewPublisher(board.Config{Universe: alert.Exercise, Zones: flat{}, Signer: signer, Picture: board.PictureLive}, board.Reservation{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.pub.Tick(time.Now()); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<!doctype html><script type="application/json" id="tocsin">{"universe":"exercise","root":%q}</script>`, ring.RootText())
	})
	mux.HandleFunc("GET /v1/keys", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%s\n", ring.Line()) })
	mux.HandleFunc("GET /v1/board", func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range h.snapshot() {
			fmt.Fprintf(w, "%s\n", line)
		}
	})
	mux.HandleFunc("GET /v1/stream", h.stream)
	h.server = httptest.NewServer(mux)
	t.Cleanup(h.server.Close)
	t.Cleanup(h.server.CloseClientConnections)
	return h
}

func (h *house) snapshot() [][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pub.Active(time.Now()) // tells it the time
	b, beat, err := h.pub.Snapshot(cmp.Or(h.chain, board.Whole))
	if err != nil {
		h.t.Error(err)
	}
	return [][]byte{h.spoil(b.Line), h.spoil(beat.Line)}
}

func (h *house) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	sub := make(chan []byte, 100)
	h.mu.Lock()
	h.subs[sub] = true
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.subs, sub)
		h.mu.Unlock()
		h.left <- struct{}{}
	}()
	fmt.Fprint(w, "retry: 20\n\n")
	for _, line := range h.snapshot() {
		fmt.Fprintf(w, "id: */1\ndata: %s\n\n", line)
	}
	for {
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case line := <-sub:
			fmt.Fprintf(w, ": comment\ndata: %s\n\n", line)
		}
	}
}

// apply says something new to everyone.
func (h *house) apply(items ...alert.Item) {
	h.mu.Lock()
	defer h.mu.Unlock()
	frames, err := h.pub.Apply(time.Now(), "w1", items)
	if err != nil {
		h.t.Error(err)
	}
	if h.gaps {
		frames = nil
		_, beat, err := h.pub.Snapshot(board.Whole)
		if err != nil {
			h.t.Error(err)
		}
		frames = append(frames, beat)
	}
	for _, f := range frames {
		for sub := range h.subs {
			sub <- h.spoil(f.Line)
		}
	}
}

// tick brings the service to a time and says what is due then.
func (h *house) tick(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	frames, err := h.pub.Tick(now)
	if err != nil {
		h.t.Error(err)
	}
	for _, f := range frames {
		for sub := range h.subs {
			if f.Region == cmp.Or(h.chain, board.Whole) {
				sub <- f.Line
			}
		}
	}
}

// The test chain is followed as a test, shelter and all-clear, and is no word on the country.
// The service's clock is the test's, so that a minute takes no minute.
func TestWatchTheTestChain(t *testing.T) {
	h := newHouse(t)
	h.chain = board.Test
	minute := time.Now().Truncate(time.Minute).Add(time.Minute)
	h.tick(minute.Add(-5 * time.Second))
	ctx, stop := context.WithCancel(context.Background())
	out, code := newOutput(), make(chan int, 1)
	go func() {
		code <- boardRun(ctx, t, "", out, "watch", h.server.URL, "--root", h.ring.RootText(), "--region", "test")
	}()
	out.await(t, "EXERCISE ONLY A TEST TEST all-clear")
	h.tick(minute)
	out.await(t, "EXERCISE ONLY A TEST TEST SHELTER unknown")
	h.tick(minute.Add(20 * time.Second))
	out.await(t, "TEST all-clear since "+minute.Add(20*time.Second).UTC().Format(hourMinute))
	stop()
	if got := <-code; got != 0 {
		t.Errorf("exit %d: %s", got, out.complaint.String())
	}
	if !strings.Contains(out.complaint.String(), "nothing it says is real") {
		t.Errorf("it does not say that it is no warning: %s", out.complaint.String())
	}
}

func sheltered(zones ...zone.ID) alert.Item {
	now := time.Now()
	return alert.Item{
		Stage: warning.Shelter, Threat: class.Drone, Sure: warning.High, Since: now, Until: now.Add(time.Hour),
		Arrival: alert.Arrival{Earliest: now.Add(time.Minute), Likely: now.Add(2 * time.Minute)},
		Alert:   "w1.1", Zones: zones, Text: "shelter-drone",
	}
}

func cleared(zones ...zone.ID) alert.Item {
	now := time.Now()
	return alert.Item{Threat: class.Drone, Since: now, Until: now.Add(time.Hour), Alert: "w1.2", Zones: zones, End: warning.AllClear, Text: "all-clear"}
}

func TestWatchOnce(t *testing.T) {
	h := newHouse(t)
	h.apply(sheltered("UA-1", "UA-2"))
	out := newOutput()
	if code := boardRun(context.Background(), t, "", out, "watch", h.server.URL, "--once", "--root", h.ring.RootText(), "--zone", "UA-2"); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, out.complaint.String())
	}
	if s := out.String(); !strings.Contains(s, "EXERCISE UA-2 SHELTER drone (sure: high) until ") || strings.Contains(s, "UA-1") {
		t.Errorf("said\n%s", s)
	}
	out = newOutput()
	if code := boardRun(context.Background(), t, "", out, "watch", h.server.URL, "--once", "--json"); code != 0 {
		t.Fatalf("exit %d", code)
	}
	if !strings.Contains(out.complaint.String(), "fingerprint "+board.Kid(h.ring.Root())) || !strings.Contains(out.complaint.String(), "warning: trusting") {
		t.Errorf("trusted on first use without a word: %s", out.complaint.String())
	}
	if s := out.String(); !strings.Contains(s, `"zone":"UA-1","show":"shelter","stage":"shelter","threat":"drone"`) {
		t.Errorf("said\n%s", s)
	}
}

func TestWatchFollows(t *testing.T) {
	for _, gaps := range []bool{false, true} {
		h := newHouse(t)
		h.gaps = gaps
		ctx, stop := context.WithCancel(context.Background())
		out, code := newOutput(), make(chan int, 1)
		h.apply(sheltered("UA-1"))
		go func() { code <- boardRun(ctx, t, "", out, "watch", h.server.URL, "--root", h.ring.RootText()) }()
		out.await(t, "UA-1 SHELTER")
		h.apply(sheltered("UA-1"), sheltered("UA-2"))
		out.await(t, "UA-2 SHELTER")
		h.server.CloseClientConnections()
		<-h.left
		h.apply(cleared("UA-1"), sheltered("UA-2")) // said while nobody listens
		out.await(t, "UA-1 all-clear since ")
		stop()
		if got := <-code; got != 0 {
			t.Errorf("gaps %v: exit %d: %s", gaps, got, out.complaint.String())
		}
	}
}

func TestWatchRefusesForgeries(t *testing.T) {
	h := newHouse(t)
	h.apply(sheltered("UA-1"))
	ctx, stop := context.WithCancel(context.Background())
	out, code := newOutput(), make(chan int, 1)
	go func() { code <- boardRun(ctx, t, "", out, "watch", h.server.URL, "--root", h.ring.RootText()) }()
	out.await(t, "UA-1 SHELTER")
	h.mu.Lock()
	h.spoil = func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)-20] ^= 1 // a letter, a figure, - and _ become others of the alphabet, or not: refused either way
		return b
	}
	h.mu.Unlock()
	h.apply(sheltered("UA-1"), sheltered("UA-3"))
	out.complaint.await(t, "refused a frame")
	stop()
	if got := <-code; got != 1 {
		t.Errorf("exit %d, want 1", got)
	}
	if strings.Contains(out.String(), "UA-3") {
		t.Error("a forged zone was shown")
	}
}

func TestWatchOfWhatCannotBeVerified(t *testing.T) {
	h, other := newHouse(t), newHouse(t)
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{h.server.URL, "--root", other.ring.RootText()}, 1},
		{[]string{h.server.URL, "--root", "short"}, 2},
		{[]string{"example.gov"}, 2},
		{[]string{"ftp://example.gov"}, 2},
		{[]string{h.server.URL + "/nothing/here"}, 1},
	} {
		out := newOutput()
		if code := boardRun(context.Background(), t, "", out, append([]string{"watch", "--once"}, c.args...)...); code != c.code || out.String() != "" {
			t.Errorf("%v: exit %d, want %d: %s", c.args, code, c.code, out)
		}
	}
}

func TestBoardVerify(t *testing.T) {
	h := newHouse(t)
	h.apply(sheltered("UA-1"))
	lines := h.snapshot()
	frames := string(lines[0]) + "\n" + string(lines[1]) + "\n"
	keys := filepath.Join(t.TempDir(), "keys.jws")
	if err := os.WriteFile(keys, append(h.ring.Line(), '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(frames, ".", ".A", 1)
	for _, c := range []struct {
		name, in string
		args     []string
		code     int
		want     string
	}{
		{"root and keys", frames, []string{"--keys", keys, "--root", h.ring.RootText()}, 0, "taken * board"},
		{"keys alone", frames, []string{"--keys", keys}, 0, "taken * beat"},
		{"keys among the frames", string(h.ring.Line()) + "\n" + frames, []string{"--root", h.ring.RootText()}, 0, "taken * beat"},
		{"a stream", "retry: 5\n\n: x\nid: */1\ndata: " + string(lines[0]) + "\n\n", []string{"--keys", keys}, 0, "taken * board"},
		{"as JSON", frames, []string{"--keys", keys, "--json"}, 0, `{"line":1,"verdict":"taken","region":"*","kind":"board"`},
		{"long after, at its own time", frames, []string{"--keys", keys, "--at", "signed"}, 0, "taken"},
		{"years after", frames, []string{"--keys", keys, "--at", "2036-01-01T00:00:00Z"}, 1, "key-not-in-force"},
		{"hours after", frames, []string{"--keys", keys, "--at", time.Now().Add(3 * time.Hour).Format(time.RFC3339)}, 0, "clock?"},
		{"no keys", frames, []string{"--root", h.ring.RootText()}, 1, "unknown-key"},
		{"nothing", "", []string{"--keys", keys}, 1, ""},
		{"noise", "noise\n", []string{"--keys", keys}, 1, "malformed"},
		{"forged", forged, []string{"--keys", keys}, 1, "bad-signature"},
		{"replayed", frames + frames, []string{"--keys", keys}, 1, "replay"},
		{"endless line", strings.Repeat("A", 3<<20) + "\n" + frames, []string{"--keys", keys}, 1, "too-large\ntaken"},
		{"neither root nor keys", frames, nil, 2, ""},
		{"no such time", frames, []string{"--keys", keys, "--at", "noon"}, 2, ""},
		{"no such root", frames, []string{"--root", "x"}, 2, ""},
		{"no such file", frames, []string{"--keys", keys + "x"}, 1, ""},
	} {
		out := newOutput()
		code := boardRun(context.Background(), t, c.in, out, append([]string{"board", "verify"}, c.args...)...)
		if code != c.code || !strings.Contains(out.String(), c.want) || c.want == "" && out.String() != "" {
			t.Errorf("%s: exit %d, want %d:\n%.300s%.300s", c.name, code, c.code, out, out.complaint.String())
		}
	}
}
