package replay

import (
	"context"
	"sync/atomic"
	"time"
)

// Pace is how the recording's time becomes the system's.
type Pace interface {
	// Now is the system's time.
	Now() time.Time
	// At is when, in the system's time, a moment of the recording is played.
	At(recorded time.Time) time.Time
	// Span is how long a time of the recording takes.
	Span(recorded time.Duration) time.Duration
	// Until returns at a moment of the system's time, or when ctx ends, with its error.
	Until(ctx context.Context, at time.Time) error
}

// Clock is the recording's time as a system of its own lives in it: it stands still but where
// the replay moves it on. It is the Pace of a replay as fast as the system can take it.
type Clock struct{ now atomic.Int64 } // milliseconds since 1970

// NewClock makes a clock that shows a time.
func NewClock(at time.Time) *Clock {
	c := &Clock{}
	c.now.Store(at.UnixMilli())
	return c
}

// Now is what the clock shows, UTC.
func (c *Clock) Now() time.Time { return time.UnixMilli(c.now.Load()).UTC() }

// At is the moment itself.
func (c *Clock) At(recorded time.Time) time.Time { return recorded }

// Span is the time itself.
func (c *Clock) Span(recorded time.Duration) time.Duration { return recorded }

// Until moves the clock on; never back.
func (c *Clock) Until(ctx context.Context, at time.Time) error {
	if ms := at.UnixMilli(); ms > c.now.Load() {
		c.now.Store(ms)
	}
	return ctx.Err()
}

// Wall plays a recording in the machine's time, so many times as fast as it was.
type Wall struct {
	from, start time.Time
	speed       float64
}

// NewWall begins now with the moment from of the recording; speed is over 0.
func NewWall(from time.Time, speed float64) *Wall {
	return &Wall{from: from, start: time.Now(), speed: speed}
}

// Now is the machine's time.
func (w *Wall) Now() time.Time { return time.Now() }

// At is a moment of the recording as it is played.
func (w *Wall) At(recorded time.Time) time.Time {
	return w.start.Add(w.Span(recorded.Sub(w.from)))
}

// Span is so many times shorter.
func (w *Wall) Span(recorded time.Duration) time.Duration {
	return time.Duration(float64(recorded) / w.speed)
}

// Until waits.
func (w *Wall) Until(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Rush plays a recording into a system that lives in the machine's time as fast as that takes
// it: every moment of the recording is now.
type Rush struct{}

// Now is the machine's time.
func (Rush) Now() time.Time { return time.Now() }

// At is now.
func (Rush) At(time.Time) time.Time { return time.Now() }

// Span is the time itself: what is declared for six hours is over long before.
func (Rush) Span(recorded time.Duration) time.Duration { return recorded }

// Until does not wait.
func (Rush) Until(ctx context.Context, _ time.Time) error { return ctx.Err() }
