package node

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"tocsin/board"
	"tocsin/core/pipeline"
	"tocsin/journal"
)

// Kinds of journal entries that are the node's own.
const (
	kindNumbers = "numbers" // a board.Reservation
	kindStart   = "start"   // a process began
)

// memory is what a start reads back: the journal, then spoken.log.
type memory struct {
	ledger  pipeline.Ledger
	numbers board.Reservation
	read    int // entries read from the journal
	adopted int // entries taken over from spoken.log
	starts  int // how often a process began on this folder
	damage  []error
}

// remember reads everything kept, checks every hash, and takes what was spoken before it
// was kept into the journal. What is damaged is passed over and told: a warning system
// that does not start is worse than one that says what it misses.
func remember(ctx context.Context, j *journal.Journal, spoken *journal.Spoken) (*memory, error) {
	m := &memory{}
	if d := j.Damage(); d != nil {
		m.damage = append(m.damage, d)
	}
	kept := map[[32]byte]bool{} // of the newest entries, against adopting one twice
	var order [][32]byte
	for from := journal.Position(1); ; {
		err := j.Read(ctx, from, func(e journal.Entry) error {
			m.read++
			key := contentKey(e.Kind, e.Body)
			if !kept[key] {
				kept[key] = true
				order = append(order, key)
			}
			if len(order) > 1<<16 { // spoken.log holds at most what one outage spoke
				delete(kept, order[0])
				order = order[1:]
			}
			if err := m.fold(int64(e.Position), e.Kind, e.Body); err != nil {
				m.damage = append(m.damage, fmt.Errorf("position %d: %w", e.Position, err))
			}
			return nil
		})
		var corrupt *journal.CorruptError
		if errors.As(err, &corrupt) {
			m.damage = append(m.damage, corrupt)
			if corrupt.Next <= from {
				break
			}
			from = corrupt.Next
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("node: journal: %w", err)
		}
		break
	}
	return m, m.adopt(ctx, j, spoken, kept)
}

func contentKey(kind string, body []byte) [32]byte {
	return sha256.Sum256(append([]byte(kind+"\x00"), body...))
}

// adopt takes spoken.log into the journal and empties it. Entries are known by their
// content, so that a crash in between adopts nothing twice.
func (m *memory) adopt(ctx context.Context, j *journal.Journal, spoken *journal.Spoken, kept map[[32]byte]bool) error {
	var fresh []journal.New
	err := spoken.Read(func(n journal.New) error {
		if key := contentKey(n.Kind, n.Body); !kept[key] {
			kept[key] = true
			fresh = append(fresh, n)
		}
		return nil
	})
	if err != nil {
		m.damage = append(m.damage, err)
	}
	for _, n := range fresh {
		if err := m.fold(0, n.Kind, n.Body); err != nil {
			m.damage = append(m.damage, fmt.Errorf("spoken.log: %w", err))
		}
	}
	m.adopted = len(fresh)
	for len(fresh) > 0 {
		batch := fresh[:min(drainBatch, len(fresh))]
		if _, err := j.Append(ctx, batch...); err != nil {
			// Still no room: the log stays, and the next start reads it again.
			m.damage = append(m.damage, fmt.Errorf("spoken.log: not taken over: %w", err))
			return nil
		}
		fresh = fresh[len(batch):]
	}
	if spoken.State().Records > 0 {
		if err := spoken.Reset(); err != nil {
			m.damage = append(m.damage, err)
		}
	}
	return nil
}

func (m *memory) fold(position int64, kind string, body []byte) error {
	switch kind {
	case kindNumbers:
		var r board.Reservation
		if err := json.Unmarshal(body, &r); err != nil {
			return fmt.Errorf("node: numbers: %w", err)
		}
		m.numbers = r
		return nil
	case kindStart:
		m.starts++
		return nil
	default:
		return m.ledger.FoldAt(position, kind, body)
	}
}
