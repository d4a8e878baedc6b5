package desk

import (
	"sync"
	"time"
)

// bucket holds what one caller may still ask for, as the time at which it is full again:
// whole nanoseconds, so that who waits as long as told is let in.
type bucket struct {
	full time.Time
	at   time.Time // when it was looked at last
}

// limiter gives each key a rate and a burst. It holds at most limit keys; beyond it those
// that are full again are let go, and where none is, a new key waits.
type limiter struct {
	each  time.Duration // what one costs
	most  time.Duration // what a burst costs
	limit int

	mu sync.Mutex
	of map[string]*bucket
}

// newLimiter makes one of rate a second and a burst of 1 or more at once.
func newLimiter(rate, burst float64, limit int) *limiter {
	each := max(time.Duration(float64(time.Second)/rate), 1)
	return &limiter{each: each, most: time.Duration(max(burst, 1) * float64(each)), limit: limit, of: map[string]*bucket{}}
}

// take takes one of a key at a time; where nothing is left, it tells how long to wait. A
// clock that goes back gives nothing and takes nothing.
func (l *limiter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.of[key]
	if b == nil {
		if len(l.of) >= l.limit {
			l.prune(now)
		}
		if len(l.of) >= l.limit {
			return time.Second, false
		}
		b = &bucket{full: now, at: now}
		l.of[key] = b
	}
	b.look(now)
	if wait := b.full.Add(l.each).Sub(now) - l.most; wait > 0 {
		return wait, false
	}
	b.full = b.full.Add(l.each)
	return 0, true
}

// look brings a bucket to a time.
func (b *bucket) look(now time.Time) {
	if now.Before(b.at) {
		b.full = b.full.Add(now.Sub(b.at))
	}
	if b.at = now; b.full.Before(now) {
		b.full = now
	}
}

func (l *limiter) prune(now time.Time) {
	for key, b := range l.of {
		if b.look(now); !b.full.After(now) {
			delete(l.of, key)
		}
	}
}

// full reports whether a key has not asked for a while.
func (l *limiter) full(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.of[key]
	if b == nil {
		return true
	}
	b.look(now)
	return !b.full.After(now)
}
