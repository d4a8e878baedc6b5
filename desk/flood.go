package desk

import (
	"math"
	"sync"
	"time"
)

// bucket holds what one caller may still ask for.
type bucket struct {
	left float64
	at   time.Time
}

// limiter gives each key a rate and a burst. It holds at most limit keys; beyond it those
// that are full again are let go, and where none is, a new key waits.
type limiter struct {
	rate  float64 // a second
	burst float64
	limit int

	mu sync.Mutex
	of map[string]*bucket
}

func newLimiter(rate, burst float64, limit int) *limiter {
	return &limiter{rate: rate, burst: burst, limit: limit, of: map[string]*bucket{}}
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
		b = &bucket{left: l.burst, at: now}
		l.of[key] = b
	}
	l.fill(b, now)
	if b.left < 1 {
		return time.Duration(math.Ceil((1 - b.left) / l.rate * float64(time.Second))), false
	}
	b.left--
	return 0, true
}

func (l *limiter) fill(b *bucket, now time.Time) {
	if gone := now.Sub(b.at).Seconds(); gone > 0 {
		b.left = min(b.left+gone*l.rate, l.burst)
	}
	b.at = now
}

func (l *limiter) prune(now time.Time) {
	for key, b := range l.of {
		if l.fill(b, now); b.left >= l.burst {
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
	l.fill(b, now)
	return b.left >= l.burst
}
