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
}

// Outbox is one channel's queue: alerts leave it in the order they came, each
// retried until it is delivered, final, or its time has run out.
type Outbox struct {
	name    string
	channel Channel
	options Options

	mu      sync.Mutex
	waiting []alert.Alert
	wake    chan struct{}
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

// Offer queues an alert and never waits. ErrFull means that the channel has not
// delivered for so long that the caller must raise a condition.
func (b *Outbox) Offer(a alert.Alert) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) >= b.options.Queue {
		return fmt.Errorf("%w: %s holds %d alerts", ErrFull, b.name, len(b.waiting))
	}
	b.waiting = append(b.waiting, a)
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return nil
}

// Waiting is how many alerts are queued.
func (b *Outbox) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

// Run delivers until the context ends. receipt is called for every alert at least
// once, from this goroutine.
func (b *Outbox) Run(ctx context.Context, receipt func(alert.Receipt)) {
	for {
		a, ok := b.next()
		if !ok {
			select {
			case <-ctx.Done():
				return
			case <-b.wake:
			}
			continue
		}
		receipt(b.deliver(ctx, a))
		if ctx.Err() != nil {
			return
		}
	}
}

func (b *Outbox) next() (alert.Alert, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return alert.Alert{}, false
	}
	a := b.waiting[0]
	b.waiting = b.waiting[1:]
	return a, true
}

// deliver tries one alert until it is through, final or expired.
func (b *Outbox) deliver(ctx context.Context, a alert.Alert) alert.Receipt {
	pause := b.options.Backoff
	for {
		attempt, cancel := context.WithTimeout(ctx, b.options.Attempt)
		r, err := b.attempt(attempt, a)
		cancel()
		if err == nil {
			return r
		}
		now := time.Now()
		if errors.Is(err, ErrFinal) || ctx.Err() != nil || now.After(a.Expires) {
			return alert.Receipt{Channel: b.name, Alert: a.ID, State: alert.Failed, Reason: err.Error(), At: now.UTC()}
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, 30*time.Second)
	}
}

// attempt calls the channel and turns its panic into a failed attempt: one broken
// channel must not take the others with it.
func (b *Outbox) attempt(ctx context.Context, a alert.Alert) (r alert.Receipt, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("channel: %s: panic: %v", b.name, p)
		}
	}()
	return b.channel.Deliver(ctx, a)
}
