package rerun

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"tocsin/core/pipeline"
	"tocsin/journal"
)

// bodiesKept bounds the bytes of what a core decided that are kept to show a difference:
// the first one is what matters, and what is behind it follows from it.
const bodiesKept = 64 << 20

// run is one core from its beginning on.
type run struct {
	core    *pipeline.Pipeline
	start   Start
	journal journal.Position // the newest before it
	number  uint64           // of the last input
	last    time.Time        // its time
	given   []decided
	bytes   int
	orderly bool
	gap     bool
	until   bool
	passed  bool
}

// decided is one entry that the core would have kept.
type decided struct {
	input uint64
	at    time.Time
	kind  string
	key   string
	sum   [sha256.Size]byte
	body  []byte // nil where there was no room for it
	found bool
}

// owed is a decision that its own part of the journal does not have.
type owed struct {
	run  *run
	it   decided
	tail bool // at the very end of a process that did not end orderly
}

// entry is one of the journal's.
type entry struct {
	at       time.Time
	kind     string
	position journal.Position
	sum      [sha256.Size]byte
	taken    bool
	key      string // where the replay gave nothing that is the same; else empty
	body     []byte // likewise, of the first ones
}

// shownBodies is how many of the journal's bodies are kept to show a difference.
const shownBodies = 100

func sumOf(kind string, body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(kind+"\x00"), body...))
}

// over reports whether nothing more is given to the core.
func (u *run) over() bool { return u.core == nil || u.start.Stopped != "" }

// stop ends the replay of a start, and says why.
func (u *run) stop(why string) {
	if u.start.Stopped == "" && !u.passed {
		u.start.Stopped = why
	}
}

// ended takes the last line of a process that closed its recording.
func (u *run) ended(e pipeline.Ended) {
	if u.over() {
		return
	}
	if e.Number != u.number {
		u.gap = true
		u.stop(fmt.Sprintf("input %s is missing in the recording, at its end", numbers(u.number+1, e.Number)))
		return
	}
	u.orderly = e.Orderly
}

func (u *run) give(x pipeline.Recorded, kind, key string, body []byte) {
	d := decided{input: x.Number, at: x.Now, kind: kind, key: key, sum: sumOf(kind, body)}
	if u.bytes += len(body); u.bytes <= bodiesKept {
		d.body = body
	}
	u.given = append(u.given, d)
}

// count is where a kind is counted, in a start and in the whole.
func (r *replay) count(u *run, kind string, add func(*Count)) {
	if kind == pipeline.KindAlert {
		add(&u.start.Alerts)
		add(&r.report.Alerts)
		return
	}
	add(&u.start.Decisions)
	add(&r.report.Decisions)
}

// newest is behind every position that a journal has.
const newest journal.Position = math.MaxInt64

// finish compares what a core decided with its part of the journal: behind its beginning, up
// to that of the next one, or up to the newest.
func (r *replay) finish(ctx context.Context, to journal.Position) error {
	u := r.run
	if u == nil {
		return nil
	}
	r.run = nil
	defer func() { r.report.Starts = append(r.report.Starts, u.start) }()
	if u.start.Passed = u.passed; u.passed {
		u.start.End = "passed"
		return nil
	}
	switch {
	case u.until:
		u.start.End = "until"
	case u.start.Stopped != "":
		u.start.End = "stopped"
	case u.orderly:
		u.start.End = "orderly"
	default:
		u.start.End = "killed"
	}
	if u.core == nil {
		return nil
	}
	u.core = nil
	kept, err := r.kept(ctx, u, to)
	if err != nil {
		return err
	}
	r.match(u, kept)
	r.left(u, kept)
	return nil
}

// kept are the journal's decisions and alerts of the part of a core, in its order.
func (r *replay) kept(ctx context.Context, u *run, to journal.Position) ([]entry, error) {
	given := map[[sha256.Size]byte]bool{}
	for _, d := range u.given {
		given[d.sum] = true
	}
	var out []entry
	bodies := 0
	enough := errors.New("enough")
	for from := u.journal + 1; ; {
		err := r.job.Journal.Read(ctx, from, func(e journal.Entry) error {
			if e.Position > to {
				return enough
			}
			if e.Kind == pipeline.KindDecision || e.Kind == pipeline.KindAlert {
				x := entry{at: e.At, kind: e.Kind, position: e.Position, sum: sumOf(e.Kind, e.Body)}
				if !given[x.sum] {
					x.key = cmp.Or(keyIn(e.Kind, e.Body), "?")
					if bodies++; bodies <= shownBodies {
						x.body = e.Body
					}
				}
				out = append(out, x)
			}
			return nil
		})
		var corrupt *journal.CorruptError
		switch {
		case err == nil, errors.Is(err, enough):
			return out, nil
		case !errors.As(err, &corrupt):
			return nil, fmt.Errorf("rerun: %w", err)
		}
		if said := corrupt.Error(); len(r.report.JournalDamaged) < 20 && !slices.Contains(r.report.JournalDamaged, said) {
			r.report.JournalDamaged = append(r.report.JournalDamaged, said)
		}
		if corrupt.Next <= from || corrupt.Next > to {
			return out, nil
		}
		from = corrupt.Next
	}
}

// match pairs what is byte for byte the same, each with the first in its order.
func (r *replay) match(u *run, kept []entry) {
	at := map[[sha256.Size]byte][]int{}
	for i, e := range kept {
		at[e.sum] = append(at[e.sum], i)
	}
	highest := journal.Position(0)
	for i := range u.given {
		d := &u.given[i]
		places := at[d.sum]
		if len(places) == 0 {
			continue
		}
		e := &kept[places[0]]
		at[d.sum] = places[1:]
		d.found, e.taken = true, true
		late := e.position < highest
		highest = max(highest, e.position)
		r.count(u, d.kind, func(c *Count) {
			c.Equal++
			if late {
				c.Late++
			}
		})
	}
	for i := range kept {
		// What the replay gave and is there once more was taken from spoken.log twice.
		kept[i].taken = kept[i].taken || kept[i].key == ""
	}
}

// left looks at what found nothing that is the same.
func (r *replay) left(u *run, kept []entry) {
	tail := len(u.given)
	if !u.orderly && !u.gap && !u.until {
		for tail > 0 && !u.given[tail-1].found {
			tail--
		}
	}
	missing := map[string]*decided{}
	for i := range u.given {
		if d := &u.given[i]; !d.found {
			missing[d.kind+" "+d.key] = d
		}
	}
	for i := range kept {
		e := &kept[i]
		if e.taken || !r.shown(e.at) || r.paid(u, e) {
			continue
		}
		d := missing[e.kind+" "+e.key]
		if d == nil && !u.orderly && !e.at.Before(u.last) {
			// Behind the last input that is there: nothing is known of what led to it.
			r.count(u, e.kind, func(c *Count) { c.Open++ })
			continue
		}
		r.count(u, e.kind, func(c *Count) { c.Different++ })
		diff := Difference{Start: u.start.Start, At: e.at, Kind: e.kind, Key: e.key, Position: int64(e.position)}
		if d != nil {
			d.found = true
			diff.Input = d.input
			diff.Replay, diff.Journal = around(d.body, e.body)
		} else {
			diff.Journal = cut(e.body, 0)
		}
		r.differs(diff)
	}
	for i, d := range u.given {
		if !d.found {
			r.owed = append(r.owed, owed{u, d, i >= tail})
		}
	}
}

// paid takes an entry for one that an earlier core owed: it was spoken when the disk had no
// room, and kept by the next process.
func (r *replay) paid(u *run, e *entry) bool {
	i := slices.IndexFunc(r.owed, func(o owed) bool { return o.it.sum == e.sum })
	if i < 0 {
		return false
	}
	o := r.owed[i]
	r.owed = slices.Delete(r.owed, i, i+1)
	r.countOf(o.run, e.kind, func(c *Count) { c.Equal++; c.Late++ })
	return true
}

// countOf is count of a start that is already in the report.
func (r *replay) countOf(u *run, kind string, add func(*Count)) {
	r.count(u, kind, add)
	for i := range r.report.Starts {
		if s := &r.report.Starts[i]; s.At.Equal(u.start.At) && s.Start == u.start.Start {
			s.Decisions, s.Alerts = u.start.Decisions, u.start.Alerts
		}
	}
}

// settle says what is owed still.
func (r *replay) settle() {
	for _, o := range r.owed {
		if o.tail {
			r.countOf(o.run, o.it.kind, func(c *Count) { c.Open++ })
			continue
		}
		r.countOf(o.run, o.it.kind, func(c *Count) { c.Different++ })
		r.differs(Difference{Start: o.run.start.Start, Input: o.it.input, At: o.it.at, Kind: o.it.kind, Key: o.it.key, Replay: cut(o.it.body, 0)})
	}
}

// differs keeps the first difference: the earliest in time.
func (r *replay) differs(d Difference) {
	if f := r.report.First; f == nil || d.At.Before(f.At) {
		r.report.First = &d
	}
}
