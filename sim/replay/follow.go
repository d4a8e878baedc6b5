package replay

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
)

// Heard is what a follower made of a stream.
type Heard struct {
	Changes int                   // frames that changed what it holds
	Beats   int                   // that agreed with it
	Boards  int                   // taken: one for each connection, and one for each gap
	Gaps    int                   // times a board had to be fetched because a change was missed
	Again   int                   // changes that it held already
	Refused map[board.Verdict]int // frames that were not believed
	Streams int                   // connections
}

// Follower is a citizen's device: it follows the whole country on the public side, verifies
// every frame, and notes when it first heard of each alert.
type Follower struct {
	base *url.URL
	now  func() time.Time
	http *http.Client
	// Changed is called with each frame that changed what is held, in order.
	Changed func(p board.Payload)

	mu      sync.Mutex
	client  *board.Client
	heard   Heard
	grown   chan struct{} // closed and replaced with each frame
	first   map[alert.ID]time.Time
	order   []alert.ID
	waiting map[alert.ID]time.Time // given at, and not heard of yet
	samples []time.Duration
}

// rememberAlerts bounds the alerts whose time is remembered.
const rememberAlerts = 10_000

// NewFollower follows the public side at a URL. now is the time by which it judges frames.
func NewFollower(base *url.URL, root ed25519.PublicKey, universe alert.Universe, now func() time.Time) *Follower {
	return &Follower{
		base: base, now: now, http: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
		client: board.NewClient(root, universe), heard: Heard{Refused: map[board.Verdict]int{}}, grown: make(chan struct{}),
		first: map[alert.ID]time.Time{}, waiting: map[alert.ID]time.Time{},
	}
}

// Run follows until ctx ends, connecting again where the stream breaks off.
func (f *Follower) Run(ctx context.Context) {
	defer f.http.CloseIdleConnections()
	for ctx.Err() == nil {
		if err := f.stream(ctx); err != nil && sleep(ctx, 200*time.Millisecond) != nil {
			return
		}
	}
}

// Ready waits for the first board.
func (f *Follower) Ready(ctx context.Context) error {
	return f.Wait(ctx, func(h Heard, _ []board.Zone) bool { return h.Boards > 0 })
}

// Settle waits until each alert that was given was heard of, or ctx ends. Of some it never is:
// where a graver one holds the same zones.
func (f *Follower) Settle(ctx context.Context) {
	for {
		f.mu.Lock()
		left, grown := len(f.waiting), f.grown
		f.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return
		}
	}
}

// Wait returns once what is heard and held is as wanted, or ctx ends.
func (f *Follower) Wait(ctx context.Context, wanted func(Heard, []board.Zone) bool) error {
	for {
		f.mu.Lock()
		ok, grown := wanted(f.heard, f.client.State(f.now())), f.grown
		f.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Heard is what was heard until now.
func (f *Follower) Heard() Heard {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard
}

// Given says that a command that began at a time has led to an alert: from then to its first
// verified frame is one sample.
func (f *Follower) Given(id alert.ID, began time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, heard := f.first[id]; heard {
		f.samples = append(f.samples, at.Sub(began))
		return
	}
	if len(f.waiting) < rememberAlerts {
		f.waiting[id] = began
	}
}

// Samples are the times from a command to the first verified frame that came of it, and how
// many commands no frame was heard of.
func (f *Follower) Samples() (all []time.Duration, unheard int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.samples, len(f.waiting)
}

func (f *Follower) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base.JoinPath(path).String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.http.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		err = fmt.Errorf("%s answers %s", path, resp.Status)
	}
	return resp, err
}

// document reads a small document.
func (f *Follower) document(ctx context.Context, path string) ([]byte, error) {
	resp, err := f.get(ctx, path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, 2*board.MaxFrame+2))
}

// stream follows one connection to its end.
func (f *Follower) stream(ctx context.Context) error {
	keys, err := f.document(ctx, "v1/keys")
	if err != nil {
		return err
	}
	f.mu.Lock()
	verdict := f.client.Keys(bytes.TrimRight(keys, "\n"), f.now())
	f.mu.Unlock()
	if verdict != board.Taken {
		return fmt.Errorf("the key list is refused: %s", verdict)
	}
	resp, err := f.get(ctx, "v1/stream")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f.mu.Lock()
	f.heard.Streams++
	f.mu.Unlock()
	in := bufio.NewReaderSize(resp.Body, board.MaxFrame+len("data: \n"))
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return errors.Join(err, ctx.Err())
		}
		if data, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data:")); ok {
			if err := f.line(ctx, bytes.TrimPrefix(data, []byte(" "))); err != nil {
				return err
			}
		}
	}
}

// line judges one frame, and fetches the board where one was missed.
func (f *Follower) line(ctx context.Context, line []byte) error {
	at := time.Now()
	if f.take(line, at) != board.Fetch {
		return nil
	}
	b, err := f.document(ctx, "v1/board")
	if err != nil {
		return err
	}
	for one := range bytes.Lines(b) {
		f.take(bytes.TrimRight(one, "\n"), at)
	}
	return nil
}

func (f *Follower) take(line []byte, at time.Time) board.Verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() {
		close(f.grown)
		f.grown = make(chan struct{})
	}()
	now := f.now()
	p, _ := f.client.Verify(line, now)
	v := f.client.Take(line, now)
	switch {
	case v == board.Taken && p.Kind == board.Change:
		f.heard.Changes++
		f.note(p, at)
		if f.Changed != nil {
			f.Changed(p)
		}
	case v == board.Taken && p.Kind == board.Board:
		f.heard.Boards++
		f.note(p, at)
	case v == board.Taken:
		f.heard.Beats++
	case v == board.Fetch:
		f.heard.Gaps++
	case v == board.Old:
		f.heard.Again++
	case v == board.Replay || v == board.Rollback: // a cache's or a reconnection's
	default:
		f.heard.Refused[v]++
	}
	return v
}

// note keeps when each alert was first heard of.
func (f *Follower) note(p board.Payload, at time.Time) {
	for _, it := range p.Items {
		if _, known := f.first[it.Alert]; known {
			continue
		}
		if began, waits := f.waiting[it.Alert]; waits {
			delete(f.waiting, it.Alert)
			f.samples = append(f.samples, at.Sub(began))
		}
		f.first[it.Alert] = at
		if f.order = append(f.order, it.Alert); len(f.order) > rememberAlerts {
			delete(f.first, f.order[0])
			f.order = f.order[1:]
		}
	}
}
