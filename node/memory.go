package node

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/board"
	"tocsin/core/pipeline"
	"tocsin/journal"
)

// Kinds of journal entries that are the node's own.
const (
	kindNumbers = "numbers" // a board.Reservation
	kindStart   = "start"   // a process began
	kindSet     = "set"     // another zone set came into force
)

// memory is what a start reads back: the journal, then spoken.log.
type memory struct {
	ledger  pipeline.Ledger
	numbers board.Reservation
	sets    []string      // versions of the zone sets that were in force, the newest last; bounded
	newest  time.Time     // when the newest entry was made
	starts  int           // number of the newest start on this folder
	adopted int           // entries of spoken.log that the journal did not have
	untaken []journal.New // those of them that it had no room for
	damage  []error       // bounded
	damages int
}

// damagesKept bounds what is told one by one of a damaged journal.
const damagesKept = 20

func (m *memory) damaged(err error) {
	if m.damages++; len(m.damage) < damagesKept {
		m.damage = append(m.damage, err)
	}
}

// adoptedWithin is how many of the journal's newest entries are compared with spoken.log:
// far more than one outage speaks.
const adoptedWithin = 1 << 16

// remember reads everything kept, checks every hash, and takes what was spoken before it
// was kept into the journal. What is damaged is passed over and told: a warning system
// that does not start is worse than one that says what it misses.
func remember(ctx context.Context, j *journal.Journal, spoken *journal.Spoken) (*memory, error) {
	m := &memory{}
	if d := j.Damage(); d != nil {
		m.damaged(d)
	}
	known := map[[32]byte]bool{} // of the newest entries, against adopting one twice
	var order [][32]byte
	for from := journal.Position(1); from > 0; {
		err := j.Read(ctx, from, func(e journal.Entry) error {
			key := contentKey(e.Kind, e.Body)
			if !known[key] {
				known[key] = true
				order = append(order, key)
			}
			if len(order) > adoptedWithin {
				delete(known, order[0])
				order = order[1:]
			}
			if err := m.fold(int64(e.Position), e.At, e.Kind, e.Body); err != nil {
				m.damaged(fmt.Errorf("position %d: %w", e.Position, err))
			}
			return nil
		})
		var corrupt *journal.CorruptError
		switch {
		case errors.As(err, &corrupt):
			m.damaged(corrupt)
			if corrupt.Next <= from {
				return m, m.adopt(ctx, j, spoken, known)
			}
			from = corrupt.Next
		case err != nil:
			return nil, fmt.Errorf("node: journal: %w", err)
		default:
			from = 0
		}
	}
	return m, m.adopt(ctx, j, spoken, known)
}

func contentKey(kind string, body []byte) [32]byte {
	return sha256.Sum256(append([]byte(kind+"\x00"), body...))
}

// adopt takes spoken.log into the journal and empties it. Entries are known by their
// content, so that a crash in between adopts nothing twice. What the journal has no room
// for is left to the keeper, and the log as it is.
func (m *memory) adopt(ctx context.Context, j *journal.Journal, spoken *journal.Spoken, known map[[32]byte]bool) error {
	var fresh []journal.New
	err := spoken.Read(func(n journal.New) error {
		if key := contentKey(n.Kind, n.Body); !known[key] {
			known[key] = true
			fresh = append(fresh, n)
		}
		return nil
	})
	if err != nil {
		m.damaged(err)
	}
	state := spoken.State()
	if state.Missing > 0 {
		m.damaged(fmt.Errorf("spoken.log: %d records are torn or missing", state.Missing))
	}
	for _, n := range fresh {
		if err := m.fold(0, n.At, n.Kind, n.Body); err != nil {
			m.damaged(fmt.Errorf("spoken.log: %w", err))
		}
	}
	m.adopted = len(fresh)
	for i, part := range parts(fresh) {
		if _, err := j.Append(ctx, part...); err != nil {
			if isBroken(err) || ctx.Err() != nil {
				return fmt.Errorf("node: spoken.log: %w", err)
			}
			m.untaken = slices.Concat(parts(fresh)[i:]...)
			return nil
		}
	}
	if state.Records+state.Missing > 0 {
		if err := spoken.Reset(); err != nil {
			m.damaged(err)
		}
	}
	return nil
}

// beginning is the journal's form of a start.
type beginning struct {
	Start    int    `json:"start"` // no two are alike, so that none is taken for another
	Restored int    `json:"restored"`
	Adopted  int    `json:"adopted"`
	Set      string `json:"set"`
}

// changedSet is the journal's form of another zone set that came into force.
type changedSet struct {
	Set string `json:"set"`
	At  string `json:"at"` // no two are alike, so that none is taken for another
}

// inForce notes the version of a zone set; one that comes back is the newest again.
func (m *memory) inForce(version string) {
	if version == "" {
		return
	}
	m.sets = append(slices.DeleteFunc(m.sets, func(v string) bool { return v == version }), version)
	if len(m.sets) > rememberedSets {
		m.sets = slices.Delete(m.sets, 0, 1)
	}
}

func (m *memory) fold(position int64, at time.Time, kind string, body []byte) error {
	if at.After(m.newest) {
		m.newest = at
	}
	switch kind {
	case kindNumbers:
		var r board.Reservation
		if err := json.Unmarshal(body, &r); err != nil {
			return fmt.Errorf("node: numbers: %w", err)
		}
		m.numbers.Add(r)
		return nil
	case kindStart:
		var b beginning
		if err := json.Unmarshal(body, &b); err != nil {
			return fmt.Errorf("node: start: %w", err)
		}
		m.starts = max(m.starts+1, b.Start)
		m.inForce(b.Set)
		return nil
	case kindSet:
		var c changedSet
		if err := json.Unmarshal(body, &c); err != nil {
			return fmt.Errorf("node: set: %w", err)
		}
		m.inForce(c.Set)
		return nil
	default:
		return m.ledger.FoldAt(position, kind, body)
	}
}

// leap is how far ahead of what can have been said a damaged memory begins.
const leap = 2 * time.Minute

// doubt goes on where nothing said before can be above, after damage that can have taken the
// newest reservation with it: clients refuse a number or a time below what they hold. A
// chain uses far less than a number each microsecond, so that the clock is above all.
func (m *memory) doubt(now time.Time, regions []string) {
	if m.damages == 0 {
		return
	}
	r := board.Reservation{At: now.Add(leap), UpTo: map[string]int64{}}
	r.UpTo[board.Unnamed] = now.UnixMicro()
	for _, region := range regions {
		r.UpTo[region] = now.UnixMicro()
	}
	m.numbers.Add(r)
	m.starts = max(m.starts, int(now.Unix()))
}
