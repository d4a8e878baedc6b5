package sensor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"tocsin/core/observation"
	"tocsin/health"
)

// Names of the conditions that Keep raises. The subject is the feed's name for the first
// and last, the source's id for the others.
const (
	FeedFailed = "feed-failed" // it ended; it is started again after a while
	FeedSilent = "feed-silent" // no sign of life for several periods
	FeedFlood  = "feed-flood"  // more observations than Options.Rate: the rest is dropped
)

// Bounds of the back-off between two starts.
const (
	firstPause = 250 * time.Millisecond
	longPause  = 30 * time.Second
	settled    = time.Minute // a feed that ran so long starts again without delay
)

// Bounds of what an observation may carry in words.
const (
	maxKey      = 64
	maxFlight   = 16
	maxEvidence = 256
)

// Source is one source whose life is watched.
type Source struct {
	ID     string
	Period time.Duration // between two looks; 0 is taken as 4 s
}

// Options say how a sensor is kept. Zero values are usable.
type Options struct {
	Feed    string   // its name, for conditions
	Sources []Source // who speaks through it
	Silent  int      // periods without a sign of life that are silence; 0 is 5
	Rate    int      // observations a second that are let through; 0 is 20,000
	Seed    uint64   // of the jitter; feeds of different seeds do not start in step
	// Note takes conditions, one at a time and in order; nil drops them. It must not block for long.
	Note func(health.Condition)
}

// Keep runs a sensor until the context ends, and starts it again whenever it fails, ends or
// panics, with a pause that doubles from a quarter of a second to 30 s. It returns once the
// context has ended and the sensor with it.
func Keep(ctx context.Context, s Sensor, o Options, emit func(observation.Observation)) {
	k := newKeeper(s, o, emit)
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch.Go(func() { k.watch(ctx) })
	pause := firstPause
	for ctx.Err() == nil {
		started := time.Now()
		err := k.run(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			err = errors.New("it ended by itself")
		}
		if time.Since(started) >= settled {
			pause = firstPause
		}
		k.failed(err)
		timer := time.NewTimer(pause/2 + time.Duration(k.jitter.Int64N(int64(pause))))
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		pause = min(2*pause, longPause)
	}
}

type keeper struct {
	sensor Sensor
	Options
	emit   func(observation.Observation)
	jitter *rand.Rand

	mu       sync.Mutex // also held while conditions are told, so that they come in order
	sources  map[string]*watched
	failures int
	down     bool
	flood    Counter
	budget   float64
	refilled time.Time
	doubtful time.Time // until then no Absence is passed on
}

// watched is a source as far as its life goes.
type watched struct {
	Source
	heard  time.Time
	silent bool
}

func newKeeper(s Sensor, o Options, emit func(observation.Observation)) *keeper {
	if o.Silent <= 0 {
		o.Silent = 5
	}
	if o.Rate <= 0 {
		o.Rate = 20_000
	}
	if o.Note == nil {
		o.Note = func(health.Condition) {}
	}
	now := time.Now()
	k := &keeper{sensor: s, Options: o, emit: emit, jitter: rand.New(rand.NewPCG(o.Seed, uint64(now.UnixNano()))),
		sources: map[string]*watched{}, budget: float64(o.Rate), refilled: now,
		flood: Counter{Name: FeedFlood, Subject: o.Feed}}
	for _, src := range o.Sources {
		if src.Period <= 0 {
			src.Period = 4 * time.Second
		}
		k.sources[src.ID] = &watched{Source: src, heard: now}
	}
	return k
}

// run is one life of the sensor. A panic in it is a failure like another: a feed that is
// fed what its decoder cannot bear must not end the warnings of all the others.
func (k *keeper) run(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return k.sensor.Run(ctx, k.take)
}

func (k *keeper) failed(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failures++
	k.down = true
	k.Note(health.Condition{Name: FeedFailed, Subject: k.Feed, Raised: true, At: time.Now().UTC(), Detail: err.Error(), Count: k.failures})
}

// take is the emit that the sensor sees.
func (k *keeper) take(o observation.Observation) {
	o.Key, o.Evidence, o.Identity.Flight = cut(o.Key, maxKey), cut(o.Evidence, maxEvidence), cut(o.Identity.Flight, maxFlight)
	_, absence := o.Body.(observation.Absence)
	if k.admit(o.Source, absence, time.Now().UTC()) {
		k.emit(o)
	}
}

// floodHolds is how long after a drop nothing is said to be absent: it may have been what was dropped.
const floodHolds = 30 * time.Second

// admit notes a sign of life and says whether the rate allows one more.
func (k *keeper) admit(source string, absence bool, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.alive(k.sources[source], now, now)
	k.budget = min(float64(k.Rate), k.budget+now.Sub(k.refilled).Seconds()*float64(k.Rate))
	k.refilled = now
	if absence && now.Before(k.doubtful) {
		return false
	}
	if k.budget < 1 {
		k.doubtful = now.Add(floodHolds)
		k.flood.Add(now, 1, k.floodDetail, k.Note)
		return false
	}
	k.budget--
	return true
}

func (k *keeper) floodDetail() string {
	return fmt.Sprintf("over %d observations a second: the rest is dropped", k.Rate)
}

// alive takes a sign of life that was given at a time. The lock is held; w is nil for a
// source that is not watched.
func (k *keeper) alive(w *watched, at, now time.Time) {
	if w == nil || !at.After(w.heard) {
		return
	}
	w.heard = at
	if k.down {
		k.down = false
		k.Note(health.Condition{Name: FeedFailed, Subject: k.Feed, At: now, Count: k.failures})
	}
	if w.silent && now.Sub(at) < k.silence(w) {
		w.silent = false
		k.Note(health.Condition{Name: FeedSilent, Subject: w.ID, At: now})
	}
}

func (k *keeper) silence(w *watched) time.Duration { return w.Period * time.Duration(k.Silent) }

// watch looks for silence until the context ends.
func (k *keeper) watch(ctx context.Context) {
	every := time.Second
	for _, w := range k.sources {
		every = max(min(every, w.Period/2), 10*time.Millisecond)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			k.look(time.Now().UTC())
		}
	}
}

func (k *keeper) look(now time.Time) {
	hearer, hears := k.sensor.(Hearer)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flood.Tick(now, k.Note)
	for _, src := range k.Sources {
		w := k.sources[src.ID]
		if hears {
			k.alive(w, hearer.Heard(src.ID), now)
		}
		quiet := now.Sub(w.heard)
		if w.silent || quiet < k.silence(w) {
			continue
		}
		w.silent = true
		k.Note(health.Condition{Name: FeedSilent, Subject: src.ID, Raised: true, At: now,
			Detail: fmt.Sprintf("no sign of life for %s: where only this source sees, nothing is seen", quiet.Round(100*time.Millisecond))})
	}
}

// cut keeps at most n bytes, whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
