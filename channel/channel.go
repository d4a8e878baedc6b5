// Package channel is the edge out: what every way of dissemination has in common.
//
// In: alerts that are already committed. Out: receipts. Queue, order, retry and
// deadline are done here once; one folder below is one channel with one method. It
// never decides, never rewords, and no channel knows another.
package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tocsin/core/alert"
)

// Channel delivers one alert and answers with a receipt. It returns within the
// context's deadline. An error is a failed attempt; Final wraps one that no retry mends.
type Channel interface {
	Deliver(ctx context.Context, a alert.Alert) (alert.Receipt, error)
}

// ErrFinal is a delivery that a retry will not mend; wrap it to say why.
var ErrFinal = errors.New("not deliverable")

// ErrFull is an outbox that cannot take one more alert.
var ErrFull = errors.New("channel: outbox is full")

// Options of an outbox. Zero values take the defaults named.
type Options struct {
	Attempt time.Duration // limit of one attempt; 0 is 5 s
	Backoff time.Duration // pause after the first failed attempt, doubled up to 30 s; 0 is 250 ms
	Queue   int           // alerts waiting; 0 is 10,000
	// Expired delivers also what has expired before its first attempt: for a channel that
	// is an archive. Any other must not sound what is over.
	Expired bool
}

// longestPause bounds the pause between two attempts.
const longestPause = 30 * time.Second

// Outbox is one channel's queue. The alerts of one warning leave it in the order they
// came, each retried until it is delivered, final, or its time has run out; one that does
// not get through holds up no other warning's.
type Outbox struct {
	name    string
	channel Channel
	options Options

	mu      sync.Mutex
	waiting []*waiting // in the order they came; the one being tried among them
	wake    chan struct{}
}

// waiting is one alert on its way.
type waiting struct {
	alert   alert.Alert
	offered time.Time
	due     time.Time // of the next attempt; zero: at once
	pause   time.Duration
}

// NewOutbox makes the queue of one channel.
func NewOutbox(name string, c Channel, o Options) *Outbox {
	if o.Attempt <= 0 {
		o.Attempt = 5 * time.Second
	}
	if o.Backoff <= 0 {
		o.Backoff = 250 * time.Millisecond
	}
	if o.Queue <= 0 {
		o.Queue = 10_000
	}
	return &Outbox{name: name, channel: c, options: o, wake: make(chan struct{}, 1)}
}

// Name is the channel's.
func (b *Outbox) Name() string { return b.name }

// Offer queues an alert and never waits. ErrFull means that the channel has not
// delivered for so long that the caller must raise a condition.
func (b *Outbox) Offer(a alert.Alert) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) >= b.options.Queue {
		return fmt.Errorf("%w: %s holds %d alerts", ErrFull, b.name, len(b.waiting))
	}
	b.waiting = append(b.waiting, &waiting{alert: a, offered: time.Now(), pause: b.options.Backoff})
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return nil
}

// Waiting is how many alerts are on their way, and since when the oldest of them is; the
// zero time where there is none. It may be called from any goroutine.
func (b *Outbox) Waiting() (count int, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 {
		since = b.waiting[0].offered
	}
	return len(b.waiting), since
}

// Run delivers until the context ends. receipt is called once for every alert that left,
// from this goroutine: what is still waiting when the context ends gets none.
func (b *Outbox) Run(ctx context.Context, receipt func(alert.Receipt)) {
	timer := time.NewTimer(longestPause)
	defer timer.Stop()
	for ctx.Err() == nil {
		w, wait := b.next(time.Now())
		if w == nil {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
			case <-b.wake:
			case <-timer.C:
			}
			continue
		}
		if r, done := b.deliver(ctx, w); done {
			b.drop(w)
			receipt(r)
		}
	}
}

// next is the alert to be tried now, or how long there is none: of those that are the
// oldest of their warning one that was never tried, else the one that is due the longest.
// So what does not get through takes no turn from what has just come.
func (b *Outbox) next(now time.Time) (*waiting, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := map[string]bool{}
	var best *waiting
	for _, w := range b.waiting {
		id := string(w.alert.Warning)
		if held[id] {
			continue
		}
		if w.due.IsZero() {
			return w, 0
		}
		held[id] = true
		if best == nil || w.due.Before(best.due) {
			best = w
		}
	}
	switch {
	case best == nil:
		return nil, longestPause
	case best.due.After(now):
		return nil, best.due.Sub(now)
	}
	return best, 0
}

func (b *Outbox) drop(w *waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.waiting, w)
	b.waiting = slices.Delete(b.waiting, i, i+1)
}

// deliver tries an alert once. done: it is through, final or expired; else it is due again.
func (b *Outbox) deliver(ctx context.Context, w *waiting) (r alert.Receipt, done bool) {
	failed := func(reason string) (alert.Receipt, bool) {
		return alert.Receipt{Channel: b.name, Alert: w.alert.ID, State: alert.Failed, Reason: reason, At: time.Now().UTC()}, true
	}
	expires := w.alert.Expires
	if over := !time.Now().Before(expires); over && !b.options.Expired {
		return failed("its time ran out before it could be tried")
	}
	r, err := b.attempt(ctx, w.alert)
	now := time.Now()
	switch {
	case err == nil:
		return r, true
	case errors.Is(err, ErrFinal):
		return failed(err.Error())
	case ctx.Err() != nil:
		return alert.Receipt{}, false
	}
	w.due = now.Add(w.pause)
	w.pause = min(2*w.pause, longestPause)
	if !w.due.Before(expires) {
		return failed("its time ran out: " + err.Error())
	}
	return alert.Receipt{}, false
}

// attempt calls the channel and turns its panic into a failed attempt: one broken
// channel must not take the others with it.
func (b *Outbox) attempt(ctx context.Context, a alert.Alert) (r alert.Receipt, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.options.Attempt)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("channel: %s: panic: %v", b.name, p)
		}
	}()
	return b.channel.Deliver(ctx, a)
}
