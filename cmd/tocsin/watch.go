package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

type watchCmd struct {
	URL    string   `arg:"" help:"Where the service is, such as https://example.gov."`
	Zone   []string `placeholder:"ID" help:"Show this zone alone. It is matched here; the service is not told. May be repeated."`
	Region []string `placeholder:"ID" help:"Follow this region's chain, or test; by default the whole country (*). May be repeated."`
	Root   string   `placeholder:"X" help:"The root key to trust (base64url of its 32 bytes). Without it the one that the page names is trusted, with a warning."`
	Once   bool     `help:"Print what holds now and end."`
	JSON   bool     `name:"json" help:"One JSON object a line."`
}

// Help is the example that --help prints.
func (watchCmd) Help() string {
	return `Follows the board as a citizen's device does: nothing is shown before its signature is verified. Prints a line when a
zone is warned, ends, or has no news; says DEAF when the service is not heard, and clock? when clocks are
apart. Once it was answered it reconnects by itself. Exit code 1 if the service could not be verified or anything it sent was forged.
Examples:
  tocsin watch http://localhost:8080
  tocsin watch https://example.gov --root X --zone UA59020030000031457
  tocsin watch https://example.gov --root X --region test`
}

// The watcher's own patience.
const (
	keysEvery    = 30 * time.Second // as the contract says
	keysAtLeast  = 5 * time.Second
	boardAtLeast = time.Second
	silence      = 45 * time.Second // a connection that says nothing for so long is given up
	onceWithin   = 30 * time.Second
	slowest      = 30 * time.Second // between two attempts to connect
	maxKept      = 1000             // changes kept while their board is fetched
)

// watcher is the state of one run. One goroutine owns it.
type watcher struct {
	cmd      watchCmd
	console  *console
	service  *service
	universe alert.Universe
	client   *board.Client
	regions  []string

	keysAt  time.Time
	boardAt map[string]time.Time
	kept    map[string][][]byte
	shown   map[string]string
	deaf    bool
	heard   bool
	clock   bool
	forged  int
}

// Run follows until it is interrupted.
func (k watchCmd) Run(c *console) error {
	base, err := url.Parse(k.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return usageError("watch: %q is not an address like https://example.gov", k.URL)
	}
	w := &watcher{
		cmd: k, console: c, service: newService(base), regions: k.Region,
		boardAt: map[string]time.Time{}, kept: map[string][][]byte{}, shown: map[string]string{},
	}
	if len(w.regions) == 0 {
		w.regions = []string{board.Whole}
	}
	if err := w.pin(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	if err := w.follow(ctx); err != nil {
		return err
	}
	if w.forged > 0 || !w.heard {
		return errNo
	}
	return nil
}

// pin finds the root key and the first key list.
func (w *watcher) pin() error {
	root, err := w.root()
	if err != nil {
		return err
	}
	line, err := w.service.get(w.console.ctx, "v1/keys", nil)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	line = trimLine(line)
	list, verdict := universeOf(line, root)
	if verdict != board.Taken {
		return fmt.Errorf("watch: the service's key list is not signed by the root key %s: %s. What it says cannot be believed", board.Kid(root), verdict)
	}
	w.universe = list.Universe
	w.client = board.NewClient(root, list.Universe, w.regions...)
	now := time.Now()
	w.keysAt = now
	w.client.Keys(line, now)
	fmt.Fprintf(w.console.err, "tocsin: watching %s, universe %s, root key %s, key list %d\n", w.cmd.URL, list.Universe, board.Kid(root), list.Serial)
	if slices.Contains(w.regions, board.Test) {
		fmt.Fprintf(w.console.err, "tocsin: the chain test warns zone %s for the first 20 seconds of every minute; nothing it says is real\n", zone.TestZone)
	}
	return nil
}

func (w *watcher) root() (ed25519.PublicKey, error) {
	if w.cmd.Root != "" {
		root, err := parseRoot(w.cmd.Root)
		if err != nil {
			return nil, usageError("watch: --root: %v", err)
		}
		return root, nil
	}
	page, err := w.service.get(w.console.ctx, "", nil)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	text, err := rootOnPage(page)
	if err != nil {
		return nil, fmt.Errorf("watch: no --root was given, and %s does not name its root key: %w", w.cmd.URL, err)
	}
	root, err := parseRoot(text)
	if err != nil {
		return nil, fmt.Errorf("watch: the root key on the page: %w", err)
	}
	fmt.Fprintf(w.console.err, `tocsin: warning: trusting the root key that the page names, on first use. Compare its fingerprint
with one you have from the authority by another way, then say --root %s
  fingerprint %s
`, base64.RawURLEncoding.EncodeToString(root), board.Kid(root))
	return root, nil
}

// follow connects again and again until the context ends, or --once is answered.
func (w *watcher) follow(ctx context.Context) error {
	started := time.Now()
	failures := 0
	for {
		err := w.connection(ctx, started, &failures)
		if errors.Is(err, errDone) {
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			fmt.Fprintf(w.console.err, "tocsin: watch: %s; connecting again\n", plain(err))
		}
		failures++
		if err := w.pause(ctx, started, w.service.backoff(failures)); err != nil {
			return nil
		}
	}
}

// errDone is that --once has its answer, yes or no.
var errDone = errors.New("done")

// pause waits, and still says what time alone changes.
func (w *watcher) pause(ctx context.Context, started time.Time, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case now := <-tick.C:
			if err := w.look(now, started); err != nil {
				return err
			}
		}
	}
}

// connection follows one stream to its end.
func (w *watcher) connection(ctx context.Context, started time.Time, failures *int) error {
	ctx, stop := context.WithCancel(ctx)
	lines := make(chan []byte, 64)
	ended := make(chan error, 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		ended <- w.service.stream(ctx, w.regions, lines)
	}()
	defer func() {
		stop()
		<-gone
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line := <-lines:
			last = time.Now()
			if w.take(ctx, line, last) {
				*failures = 0
			}
			if err := w.look(last, started); err != nil {
				return err
			}
		case err := <-ended:
			return err
		case now := <-tick.C:
			if now.Sub(w.keysAt) >= keysEvery {
				w.fetchKeys(ctx, now)
			}
			if err := w.look(now, started); err != nil {
				return err
			}
			if now.Sub(last) > silence {
				return fmt.Errorf("%s said nothing for %s", w.cmd.URL, silence)
			}
		}
	}
}

// take judges a line and does what the verdict asks for.
func (w *watcher) take(ctx context.Context, line []byte, now time.Time) bool {
	v := w.client.Take(line, now)
	if v == board.UnknownKey && now.Sub(w.keysAt) >= keysAtLeast {
		w.fetchKeys(ctx, now)
		v = w.client.Take(line, now)
	}
	switch {
	case v == board.Fetch:
		p, _ := w.client.Verify(line, now)
		if p.Kind == board.Change && len(w.kept[p.Region]) < maxKept {
			w.kept[p.Region] = append(w.kept[p.Region], line)
		}
		w.fetchBoard(ctx, p.Region, now)
	case v == board.WrongRegion, v == board.Replay, v == board.Rollback:
		// Not now or not for here: caches and reconnections do that.
	case !v.Accepted():
		w.forged++
		fmt.Fprintf(w.console.err, "tocsin: watch: refused a frame: %s\n", v)
	}
	return v.Accepted()
}

func (w *watcher) fetchKeys(ctx context.Context, now time.Time) {
	w.keysAt = now
	line, err := w.service.get(ctx, "v1/keys", nil)
	if err != nil {
		return // the stream says what is wrong; the list held is good until its keys end
	}
	if v := w.client.Keys(trimLine(line), now); v != board.Taken {
		w.forged++
		fmt.Fprintf(w.console.err, "tocsin: watch: refused a key list: %s\n", v)
	}
}

// fetchBoard brings a chain up to date: the board, the changes kept meanwhile, the beat.
func (w *watcher) fetchBoard(ctx context.Context, region string, now time.Time) {
	if now.Sub(w.boardAt[region]) < boardAtLeast {
		return
	}
	w.boardAt[region] = now
	body, err := w.service.get(ctx, "v1/board", url.Values{"region": {region}})
	if err != nil {
		return
	}
	kept := w.kept[region]
	w.kept[region] = nil
	first := true
	for line := range strings.Lines(string(body)) {
		if v := w.client.Take([]byte(strings.TrimRight(line, "\r\n")), now); !v.Accepted() && v != board.Replay && v != board.Rollback {
			w.forged++
			fmt.Fprintf(w.console.err, "tocsin: watch: refused a frame: %s\n", v)
		}
		if first {
			for _, change := range kept {
				w.client.Take(change, now)
			}
		}
		first = false
	}
}

// look says what is new at a time.
func (w *watcher) look(now, started time.Time) error {
	deaf := w.client.Deaf(now, w.regions...)
	w.heard = w.heard || !deaf
	if w.cmd.Once {
		switch {
		case !deaf && w.agreed():
			w.say(now)
			return errDone
		case now.Sub(started) > onceWithin:
			fmt.Fprintf(w.console.err, "tocsin: watch: no verified board within %s\n", onceWithin)
			w.heard = false
			return errDone
		}
		return nil
	}
	if deaf != w.deaf && (w.heard || now.Sub(started) > board.Patience) {
		w.deaf = deaf
		if deaf {
			w.line(now, watched{Show: "deaf"}, "DEAF: no connection to the warning service; what is shown is old")
		} else {
			w.line(now, watched{Show: "heard"}, "heard again")
		}
	}
	if clock := w.client.Clock(w.regions...); clock != w.clock {
		w.clock = clock
		if clock {
			w.line(now, watched{Show: "clock"}, "clock? the frames are signed more than 5 minutes from this machine's clock")
		} else {
			w.line(now, watched{Show: "clock-right"}, "the clocks agree again")
		}
	}
	w.say(now)
	return nil
}

// agreed reports whether every chain has its board.
func (w *watcher) agreed() bool {
	for _, r := range w.regions {
		if _, has := w.client.Seq(r); !has {
			return false
		}
	}
	return true
}

// watched is the --json form of one line.
type watched struct {
	At       string         `json:"at"`
	Universe alert.Universe `json:"universe"`
	Region   string         `json:"region,omitempty"`
	Zone     string         `json:"zone,omitempty"`
	Show     string         `json:"show"`
	Stage    string         `json:"stage,omitempty"`
	Threat   string         `json:"threat,omitempty"`
	Sure     string         `json:"sure,omitempty"`
	Since    string         `json:"since,omitempty"`
	Until    string         `json:"until,omitempty"`
	Earliest string         `json:"earliest,omitempty"`
	Likely   string         `json:"likely,omitempty"`
	Alert    string         `json:"alert,omitempty"`
}

// say prints the zones whose word is new.
func (w *watcher) say(now time.Time) {
	state := w.client.State(now)
	slices.SortStableFunc(state, func(a, b board.Zone) int { return cmp.Compare(gravity(a), gravity(b)) })
	here := map[string]bool{}
	for _, z := range state {
		if len(w.cmd.Zone) > 0 && !slices.Contains(w.cmd.Zone, string(z.Zone)) {
			continue
		}
		key := z.Region + "\t" + string(z.Zone)
		text, j := zoneLine(z)
		here[key] = true
		if w.shown[key] != text {
			w.shown[key] = text
			w.line(now, j, text)
		}
	}
	for key := range w.shown {
		if !here[key] {
			delete(w.shown, key)
			region, id, _ := strings.Cut(key, "\t")
			w.line(now, watched{Region: region, Zone: id, Show: "quiet"}, id+" quiet")
		}
	}
}

func gravity(z board.Zone) int {
	switch {
	case z.Show == board.Warned && z.Item.Stage == warning.Shelter:
		return 0
	case z.Show == board.Warned:
		return 1
	case z.Show == board.NoNews:
		return 2
	}
	return 3
}

const hourMinute = "15:04:05Z"

func zoneLine(z board.Zone) (string, watched) {
	it := z.Item
	j := watched{
		Region: z.Region, Zone: string(z.Zone), Show: string(z.Show), Stage: it.Stage.String(), Threat: it.Threat.String(), Sure: it.Sure.String(),
		Since: jsonTime(it.Since), Until: jsonTime(it.Until), Earliest: jsonTime(it.Arrival.Earliest), Likely: jsonTime(it.Arrival.Likely), Alert: string(it.Alert),
	}
	switch z.Show {
	case board.Warned:
		j.Show = it.Stage.String()
		text := fmt.Sprintf("%s %s %s (sure: %s) until %s", z.Zone, strings.ToUpper(j.Show), j.Threat, j.Sure, it.Until.Format(hourMinute))
		if !it.Arrival.Earliest.IsZero() {
			text += fmt.Sprintf(", arrival from %s, likely %s", it.Arrival.Earliest.Format(hourMinute), it.Arrival.Likely.Format(hourMinute))
		}
		return text, j
	case board.Ended:
		j.Show = it.End.String()
		return fmt.Sprintf("%s %s since %s", z.Zone, j.Show, it.Since.Format(hourMinute)), j
	}
	was := it.Stage.String()
	if it.Stage == warning.Quiet { // the server says that it expired: what it was is not said any more
		was = "warned of"
	}
	return fmt.Sprintf("%s NO NEWS: was %s %s; unknown, not safe", z.Zone, was, it.Threat), j
}

func jsonTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func (w *watcher) line(now time.Time, j watched, text string) {
	if w.cmd.JSON {
		j.At, j.Universe = jsonTime(now), w.universe
		_ = json.NewEncoder(w.console.out).Encode(j) // a closed pipe ends the program by its signal
		return
	}
	if j.Region == board.Test {
		text = "ONLY A TEST " + text
	}
	if w.universe == alert.Exercise {
		text = "EXERCISE " + text
	}
	fmt.Fprintf(w.console.out, "%s %s\n", now.UTC().Format(hourMinute), text)
}

// jittered is a random duration from half of d to d.
func jittered(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }
