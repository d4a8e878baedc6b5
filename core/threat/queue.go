package threat

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/track"
)

// Queue says which tracks are to be forecast anew, and in which order. A track that goes
// on as its last forecast was made for needs none: times of arrival are absolute, so the
// old forecast remains true. What is offered and not taken waits; a newer state of the
// same track takes its place, so there is never more than one a track. The zero value is
// an empty queue. It belongs to one caller at a time; what it does depends only on what it
// was given, in its order.
type Queue struct {
	made    map[track.ID]made
	waiting map[track.ID]*waiter
}

// made is what a track's last forecast was made from.
type made struct {
	at        time.Time
	state     track.State
	status    track.Status
	standing  Standing
	mix       class.Mix
	existence float64
	turning   float64
	sources   int
	merged    track.ID
}

type waiter struct {
	track    track.Track
	since    time.Time // when it began to wait
	young    bool
	speed    float64
	priority int
}

// What a forecast is good for.
const (
	// goodFor is how long at most, quickFor what is fast: it is out of a zone sooner.
	goodFor, quickFor = 12 * time.Second, 6 * time.Second
	quick             = 120.0 // metres per second
	// youngUpdates is how many observations a track rests on that is still forecast with each.
	youngUpdates = 8
	// drift is how many metres from where it was expected a track may be, and be bound to be
	// in driftAfter seconds.
	drift, driftAfter = 400.0, 60.0
	// mostMade bounds what is remembered. Beyond it all is forgotten and forecast anew.
	mostMade = 50_000
	// longestWait lets nothing be passed over for ever.
	longestWait = 5 * time.Second
)

// Offer tells of a track's newest state at a time. A track that ended is always forecast.
func (q *Queue) Offer(now time.Time, tr track.Track) {
	if q.waiting == nil {
		q.made, q.waiting = map[track.ID]made{}, map[track.ID]*waiter{}
	}
	m, known := q.made[tr.ID]
	if known && !m.stale(&tr) {
		if q.waiting[tr.ID] != nil {
			q.waiting[tr.ID].track = tr
		}
		return
	}
	w := &waiter{track: tr, since: now, young: tr.Updates <= youngUpdates || !known, speed: speedOf(&tr)}
	if old := q.waiting[tr.ID]; old != nil {
		w.since, w.young = old.since, w.young || old.young
	}
	q.waiting[tr.ID] = w
}

// stale reports whether a track needs a new forecast.
func (m *made) stale(tr *track.Track) bool {
	age := tr.At.Sub(m.at)
	good := goodFor
	if speedOf(tr) > quick {
		good = quickFor
	}
	switch {
	case tr.Status != m.status || tr.Identity.Standing != m.standing || tr.Into != m.merged || len(tr.Sources) != m.sources:
		return true
	case tr.Updates <= youngUpdates || age >= good || age < 0:
		return true
	case tr.Modes.Ballistic > 0.2:
		return true // what falls is judged by its last second
	case math.Abs(tr.Existence-m.existence) > 0.1 || math.Abs(tr.Modes.Manoeuvre-m.turning) > 0.2:
		return true
	}
	for c := range tr.Class {
		if math.Abs(tr.Class[c]-m.mix[c]) > 0.1 {
			return true
		}
	}
	sum := 0.0
	for i := range 3 {
		off := tr.State.Position[i] - m.state.Position[i] - m.state.Velocity[i]*age.Seconds()
		off += (tr.State.Velocity[i] - m.state.Velocity[i]) * driftAfter
		sum += off * off
	}
	return !(sum <= drift*drift)
}

func speedOf(tr *track.Track) float64 {
	v := tr.State.Velocity
	return math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
}

// Waiting is how many tracks wait.
func (q *Queue) Waiting() int { return len(q.waiting) }

// Take removes at most n tracks that are to be forecast now, the most urgent first: those
// that ended, those that have waited too long, young ones, then the fastest.
func (q *Queue) Take(now time.Time, n int) []track.Track {
	if len(q.waiting) == 0 || n <= 0 {
		return nil
	}
	all := make([]*waiter, 0, len(q.waiting))
	for _, w := range q.waiting {
		switch {
		case w.track.Status == track.Ended:
			w.priority = 0
		case now.Sub(w.since) >= longestWait:
			w.priority = 1
		case w.young:
			w.priority = 2
		default:
			w.priority = 3
		}
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *waiter) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(b.speed, a.speed), cmp.Compare(a.track.ID, b.track.ID))
	})
	all = all[:min(n, len(all))]
	out := make([]track.Track, len(all))
	if len(q.made)+len(all) > mostMade {
		clear(q.made)
	}
	for i, w := range all {
		tr := w.track
		out[i] = tr
		delete(q.waiting, tr.ID)
		if tr.Status == track.Ended {
			delete(q.made, tr.ID)
			continue
		}
		q.made[tr.ID] = made{
			at: tr.At, state: tr.State, status: tr.Status, standing: tr.Identity.Standing, mix: tr.Class,
			existence: tr.Existence, turning: tr.Modes.Manoeuvre, sources: len(tr.Sources), merged: tr.Into,
		}
	}
	return out
}

// Forget lets every track be forecast anew when it is next offered: the zones are others.
func (q *Queue) Forget() { clear(q.made) }
