package board

import (
	"maps"
	"time"
)

const (
	// block is how many numbers of a chain are reserved at once. They are as good as free:
	// at a hundred changes a second a block lasts three hours.
	block = 1 << 20
	// ahead is how far into the future times are reserved, anew when half of it is left. A
	// restart signs that far ahead of the clock at most, and a frame of the future looks like
	// a wrong clock to whoever compares. Shorter costs the disk more often: this is one short
	// entry in ten seconds.
	ahead = 20 * time.Second
	// margin is what a chain that is ahead of the clock, as after a crash, has reserved
	// beyond its newest time: it goes on by a millisecond a frame. With more of it a program
	// that crashes again and again would run away from the clock.
	margin = time.Second
)

// Reservation is what may have been spoken: in each chain no number above UpTo, and
// nothing later than At. One that does not name a chain says nothing new of it: what holds
// is the greatest of all that were made durable, and a restart goes on above that, so that
// no number and no time is ever used twice. A chain that none of them names has none above
// UpTo[Unnamed].
type Reservation struct {
	At   time.Time        `json:"at"`
	UpTo map[string]int64 `json:"up_to,omitempty"` // by chain
}

// Unnamed, in UpTo, stands for every chain of which no reservation is durable yet. A chain that a new
// zone set brings speaks at once, while the disk is still asked for a block of its own: it
// begins in this one, of which each process has a new one before it says anything.
const Unnamed = ""

// Add takes another reservation that is durable too. They may come in any order: what was
// written late must not take numbers back.
func (r *Reservation) Add(other Reservation) {
	if other.At.After(r.At) {
		r.At = other.At
	}
	if r.UpTo == nil {
		r.UpTo = map[string]int64{}
	}
	for region, n := range other.UpTo {
		r.UpTo[region] = max(r.UpTo[region], n)
	}
}

func (r Reservation) clone() Reservation {
	return Reservation{At: r.At, UpTo: maps.Clone(r.UpTo)}
}

// Reserve returns the reservation to make durable next; false while the one held is more
// than half free. It is asked early enough to be written off the critical path. When it
// is durable, give it to Reserved. At the very start do both before anything is published.
func (p *Publisher) Reserve(now time.Time) (Reservation, bool) {
	p.tell(now)
	next := Reservation{At: p.past.At, UpTo: map[string]int64{}}
	due := false
	latest := p.now
	if p.past.UpTo[Unnamed]-p.first < block/2 {
		next.UpTo[Unnamed] = p.first + block
		due = true
	}
	for _, c := range p.chains {
		if p.past.UpTo[c.region]-c.seq < block/2 {
			next.UpTo[c.region] = c.seq + block
			due = true
		}
		if c.at.After(latest) {
			latest = c.at
		}
	}
	if next.At.Sub(p.now) < ahead/2 || next.At.Sub(latest) < margin/2 {
		if next.At = p.now.Add(ahead); next.At.Before(latest.Add(margin)) {
			next.At = latest.Add(margin)
		}
		due = true
	}
	return next, due
}

// Reserved says that a reservation is durable.
func (p *Publisher) Reserved(r Reservation) { p.past.Add(r) }

// Overdrawn reports whether something was said above what is reserved: a restart now
// could say a number twice. It is spoken all the same, because late is lost, and is a
// condition.
func (p *Publisher) Overdrawn() bool {
	for _, c := range p.chains {
		upTo, named := p.past.UpTo[c.region]
		if !named {
			upTo = p.past.UpTo[Unnamed]
		}
		if c.seq > upTo || c.at.After(p.past.At) {
			return true
		}
	}
	return false
}
