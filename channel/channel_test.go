package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/core/alert"
	"tocsin/core/warning"
)

// double is a channel that does what the test says, and notes what it was given and when.
type double struct {
	do    func(ctx context.Context, a alert.Alert) error
	mu    sync.Mutex
	tried []string
	at    []time.Duration
	began time.Time
}

func (d *double) Deliver(ctx context.Context, a alert.Alert) (alert.Receipt, error) {
	d.mu.Lock()
	d.tried = append(d.tried, string(a.ID))
	d.at = append(d.at, time.Since(d.began))
	d.mu.Unlock()
	if d.do != nil {
		if err := d.do(ctx, a); err != nil {
			return alert.Receipt{}, err
		}
	}
	return alert.Receipt{Channel: "double", Alert: a.ID, State: alert.Accepted, At: time.Now()}, nil
}

// names are the alerts it was given so far, in order.
func (d *double) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.tried)
}

// alertOf is the n-th alert of a warning, good for a lifetime.
func alertOf(w string, n int, life time.Duration) alert.Alert {
	return alert.Alert{ID: alert.ID(fmt.Sprintf("%s.%d", w, n)), Warning: warning.ID(w), Expires: time.Now().Add(life)}
}

// outcome runs an outbox in a bubble of its own time until the test's story is over.
func outcome(t *testing.T, d *double, o Options, story func(b *Outbox)) (receipts []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d.began = time.Now()
		b := NewOutbox("double", d, o)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.Run(ctx, func(r alert.Receipt) {
				receipts = append(receipts, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Alert, r.State, r.Reason)))
			})
		}()
		story(b)
		stop()
		<-done
	})
	return receipts
}

// pass lets the time of a bubble go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func offer(t *testing.T, b *Outbox, all ...alert.Alert) {
	t.Helper()
	for _, a := range all {
		if err := b.Offer(a); err != nil {
			t.Error(err)
		}
	}
}

func TestOutboxKeepsOrder(t *testing.T) {
	d := &double{}
	var want []string
	receipts := outcome(t, d, Options{}, func(b *Outbox) {
		for i := range 100 {
			a := alertOf(fmt.Sprint("w", i%7), i, time.Hour)
			want = append(want, string(a.ID))
			offer(t, b, a)
		}
		synctest.Wait()
		if n, since := b.Waiting(); n != 0 || !since.IsZero() {
			t.Errorf("%d are left, since %s", n, since)
		}
	})
	if !slices.Equal(d.tried, want) || len(receipts) != 100 {
		t.Errorf("%d receipts, tried %v", len(receipts), d.tried)
	}
}

// TestOutboxRetries: with pauses that double, until it is through.
func TestOutboxRetries(t *testing.T) {
	down := errors.New("line is down")
	d := &double{}
	d.do = func(context.Context, alert.Alert) error {
		if len(d.names()) < 11 {
			return down
		}
		return nil
	}
	receipts := outcome(t, d, Options{}, func(b *Outbox) {
		offer(t, b, alertOf("w", 1, time.Hour))
		pass(10 * time.Minute)
	})
	if want := []string{"w.1 accepted"}; !slices.Equal(receipts, want) {
		t.Errorf("%v", receipts)
	}
	var pauses []time.Duration
	for i := 1; i < len(d.at); i++ {
		pauses = append(pauses, d.at[i]-d.at[i-1])
	}
	ms := time.Millisecond
	if want := []time.Duration{250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 8000 * ms, 16000 * ms, 30000 * ms, 30000 * ms, 30000 * ms}; !slices.Equal(pauses, want) {
		t.Errorf("pauses %v", pauses)
	}
}

func TestOutboxGivesUpWhatIsFinal(t *testing.T) {
	d := &double{do: func(_ context.Context, a alert.Alert) error {
		if a.ID == "w.1" {
			return fmt.Errorf("number is not ours: %w", ErrFinal)
		}
		return nil
	}}
	receipts := outcome(t, d, Options{}, func(b *Outbox) {
		offer(t, b, alertOf("w", 1, time.Hour), alertOf("w", 2, time.Hour))
		synctest.Wait()
	})
	if want := []string{"w.1 failed number is not ours: not deliverable", "w.2 accepted"}; !slices.Equal(receipts, want) {
		t.Errorf("%v", receipts)
	}
}

// TestOutboxOutlivesPanics: and a warning whose alert breaks the channel holds up only its
// own: the others are spoken at once.
func TestOutboxOutlivesPanics(t *testing.T) {
	d := &double{do: func(_ context.Context, a alert.Alert) error {
		if strings.HasPrefix(string(a.ID), "poison") {
			panic("index out of range")
		}
		return nil
	}}
	receipts := outcome(t, d, Options{}, func(b *Outbox) {
		offer(t, b, alertOf("poison", 1, time.Minute), alertOf("poison", 2, 5*time.Minute), alertOf("w", 1, time.Hour))
		synctest.Wait()
		if tried := d.names(); !slices.Equal(tried, []string{"poison.1", "w.1"}) {
			t.Errorf("tried %v", tried)
		}
		pass(time.Hour)
	})
	if len(receipts) != 3 || receipts[0] != "w.1 accepted" {
		t.Fatalf("%v", receipts)
	}
	for i, id := range []string{"poison.1", "poison.2"} {
		if want := id + " failed its time ran out: channel: double: panic: index out of range"; receipts[i+1] != want {
			t.Errorf("%q", receipts[i+1])
		}
	}
}

// TestOutboxGivesNewAlertsTheirTurn: a line on which many hang does not keep a new alert
// waiting for longer than the attempt that is under way.
func TestOutboxGivesNewAlertsTheirTurn(t *testing.T) {
	hang := func(ctx context.Context, a alert.Alert) error {
		if a.ID == "fresh.1" {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
	d := &double{do: hang}
	var came time.Duration
	outcome(t, d, Options{}, func(b *Outbox) {
		for i := range 50 {
			offer(t, b, alertOf(fmt.Sprint("stuck", i), 1, time.Hour))
		}
		pass(20 * time.Minute)
		came = time.Since(d.began)
		offer(t, b, alertOf("fresh", 1, time.Hour))
		pass(10 * time.Second)
	})
	i := slices.Index(d.tried, "fresh.1")
	if i < 0 || d.at[i]-came > 5*time.Second {
		t.Errorf("a new alert waited: tried %v", i)
	}
}

// TestOutboxLimitsAttempts: one attempt has its own limit, and an alert its time: no
// pause is made past it.
func TestOutboxLimitsAttempts(t *testing.T) {
	d := &double{do: func(ctx context.Context, _ alert.Alert) error {
		<-ctx.Done()
		return fmt.Errorf("no answer: %w", ctx.Err())
	}}
	var took time.Duration
	receipts := outcome(t, d, Options{Attempt: 2 * time.Second, Backoff: 4 * time.Second}, func(b *Outbox) {
		offer(t, b, alertOf("w", 1, 6*time.Second))
		for n, _ := b.Waiting(); n > 0; n, _ = b.Waiting() {
			pass(100 * time.Millisecond)
		}
		took = time.Since(d.began)
	})
	if want := []string{"w.1 failed its time ran out: no answer: context deadline exceeded"}; !slices.Equal(receipts, want) {
		t.Errorf("%v", receipts)
	}
	if len(d.tried) != 1 || took > 2100*time.Millisecond {
		t.Errorf("%d attempts in %s", len(d.tried), took)
	}
}

// TestOutboxSoundsNothingThatIsOver: what waited past its time is not delivered, but in an
// archive.
func TestOutboxSoundsNothingThatIsOver(t *testing.T) {
	for _, archive := range []bool{false, true} {
		d := &double{}
		receipts := outcome(t, d, Options{Expired: archive}, func(b *Outbox) {
			offer(t, b, alertOf("w", 1, -time.Second))
			synctest.Wait()
		})
		want, tries := "w.1 failed its time ran out before it could be tried", 0
		if archive {
			want, tries = "w.1 accepted", 1
		}
		if !slices.Equal(receipts, []string{want}) || len(d.tried) != tries {
			t.Errorf("archive %v: %v, tried %v", archive, receipts, d.tried)
		}
	}
}

// TestOutboxIsBounded: the queue says that it is full, also while one is being tried, and
// takes again once there is room.
func TestOutboxIsBounded(t *testing.T) {
	release := make(chan struct{})
	d := &double{do: func(context.Context, alert.Alert) error { <-release; return nil }}
	synctest.Test(t, func(t *testing.T) {
		release = make(chan struct{})
		b := NewOutbox("double", d, Options{Queue: 3})
		ctx, stop := context.WithCancel(t.Context())
		go b.Run(ctx, func(alert.Receipt) {})
		for i := range 3 {
			offer(t, b, alertOf("w", i, time.Hour))
			synctest.Wait()
		}
		if err := b.Offer(alertOf("w", 3, time.Hour)); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "double holds 3") {
			t.Errorf("over the bound: %v", err)
		}
		release <- struct{}{}
		synctest.Wait()
		offer(t, b, alertOf("w", 3, time.Hour))
		stop()
		close(release)
		synctest.Wait()
	})
}

// TestOutboxEndsWithItsContext: at once, in an attempt or a pause, and says nothing of what
// it did not deliver: the next start offers it again.
func TestOutboxEndsWithItsContext(t *testing.T) {
	for name, do := range map[string]func(context.Context, alert.Alert) error{
		"in an attempt": func(ctx context.Context, _ alert.Alert) error { <-ctx.Done(); return ctx.Err() },
		"in a pause":    func(context.Context, alert.Alert) error { return errors.New("down") },
	} {
		d := &double{do: do}
		var b *Outbox
		var ended time.Duration
		receipts := outcome(t, d, Options{Backoff: 20 * time.Second, Attempt: 20 * time.Second}, func(o *Outbox) {
			b = o
			offer(t, b, alertOf("w", 1, time.Hour), alertOf("w", 2, time.Hour))
			pass(time.Second)
			ended = time.Since(d.began)
		})
		if n, _ := b.Waiting(); len(receipts) != 0 || n != 2 || ended != time.Second {
			t.Errorf("%s: %d waiting after %s, receipts %v", name, n, ended, receipts)
		}
	}
}
