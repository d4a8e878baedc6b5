package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/health"
	"tocsin/journal"
)

// patience is how long a decision waits for the disk before it is spoken all the same.
const patience = 250 * time.Millisecond

// backlogLimit bounds the entries that wait for room on the disk.
const backlogLimit = 20_000

// pending is an append on its way to the disk.
type pending interface {
	Done() <-chan struct{}
	Result() (journal.Position, error)
}

// store is the journal as the keeper needs it.
type store interface {
	Start(ctx context.Context, entries ...journal.New) (pending, error)
}

// aside is spoken.log as the keeper needs it.
type aside interface {
	Append(entries ...journal.New) error
	Reset() error
}

// durable adapts the journal to store: a nil *Pending must not become a non-nil pending.
type durable struct{ *journal.Journal }

func (d durable) Start(ctx context.Context, entries ...journal.New) (pending, error) {
	p, err := d.Journal.Start(ctx, entries...)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// keeper commits first and never waits long. It belongs to the node's loop.
type keeper struct {
	store  store
	spoken aside

	late    []pending     // handed over, spoken before they were on disk
	backlog []journal.New // refused for want of room; kept as soon as there is some
	lost    int           // entries that neither disk nor backlog could hold
	aside   bool          // spoken.log holds something
	notes   []health.Condition
	now     time.Time
}

// keep makes entries durable, or, where the disk is late or full, sets them aside in
// spoken.log. It returns within the patience whatever the disk does; then the caller
// speaks. committed says whether the entries are on disk. An error is a disk that
// failed: the caller speaks and the process ends.
func (k *keeper) keep(now time.Time, entries []journal.New) (committed bool, err error) {
	k.now = now
	if len(entries) == 0 {
		return true, nil
	}
	if len(k.backlog) > 0 { // order: what waits for room goes first
		k.setAside(entries)
		k.queue(entries)
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := k.store.Start(ctx, entries...)
	if err != nil {
		return false, k.refused(entries, err)
	}
	select {
	case <-p.Done():
		if _, err := p.Result(); err != nil {
			return false, k.refused(entries, err)
		}
		k.note("journal-slow", false, "")
		return true, nil
	case <-ctx.Done():
		k.setAside(entries)
		k.late = append(k.late, p)
		k.note("journal-slow", true, fmt.Sprintf("no answer from the disk in %s; spoken before it was kept", patience))
		return false, nil
	}
}

// refused sorts a failed append: no room waits, a broken disk ends the process.
func (k *keeper) refused(entries []journal.New, err error) error {
	k.setAside(entries)
	if errors.Is(err, journal.ErrBroken) || errors.Is(err, journal.ErrClosed) {
		return fmt.Errorf("node: journal: %w", err)
	}
	k.queue(entries)
	name := "journal-refused"
	if errors.Is(err, journal.ErrFull) {
		name = "journal-full"
	}
	k.note(name, true, err.Error())
	return nil
}

func (k *keeper) setAside(entries []journal.New) {
	k.aside = true
	if err := k.spoken.Append(entries...); err != nil {
		k.note("spoken-log-failed", true, err.Error())
	}
}

func (k *keeper) queue(entries []journal.New) {
	room := max(backlogLimit-len(k.backlog), 0)
	if len(entries) > room {
		k.lost += len(entries) - room
		k.note("journal-entries-lost", true, fmt.Sprintf("%d entries found no place on disk or in memory", k.lost))
		entries = entries[:room]
	}
	k.backlog = append(k.backlog, entries...)
}

// waiting reports whether tend has something to do.
func (k *keeper) waiting() bool { return len(k.late) > 0 || len(k.backlog) > 0 || k.aside }

// tend looks after what is late and tries what was refused once more; the loop calls it
// every second while something waits. An error is a disk that failed.
func (k *keeper) tend(now time.Time) error {
	k.now = now
	for len(k.late) > 0 {
		select {
		case <-k.late[0].Done():
		default:
			return nil
		}
		if _, err := k.late[0].Result(); err != nil && (errors.Is(err, journal.ErrBroken) || errors.Is(err, journal.ErrClosed)) {
			return fmt.Errorf("node: journal: %w", err)
		} else if err != nil {
			// Its entries are in spoken.log, which now stays until the next start reads it.
			k.note("journal-full", true, err.Error())
			k.lost++
		}
		k.late = k.late[1:]
	}
	if len(k.backlog) > 0 {
		if err := k.drain(); err != nil {
			return err
		}
	}
	if len(k.backlog) == 0 && len(k.late) == 0 && k.aside && k.lost == 0 {
		if err := k.spoken.Reset(); err != nil {
			k.note("spoken-log-failed", true, err.Error())
			return nil
		}
		k.aside = false
		for _, name := range []string{"journal-full", "journal-refused", "journal-slow", "spoken-log-failed"} {
			k.note(name, false, "")
		}
	}
	return nil
}

// drainBatch bounds one attempt to keep what waits for room.
const drainBatch = 256

func (k *keeper) drain() error {
	for len(k.backlog) > 0 {
		batch := k.backlog[:min(drainBatch, len(k.backlog))]
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		p, err := k.store.Start(ctx, batch...)
		if err == nil {
			select {
			case <-p.Done():
				_, err = p.Result()
			case <-ctx.Done():
				k.late = append(k.late, p)
				k.backlog = k.backlog[len(batch):]
				cancel()
				return nil
			}
		}
		cancel()
		switch {
		case errors.Is(err, journal.ErrBroken) || errors.Is(err, journal.ErrClosed):
			return fmt.Errorf("node: journal: %w", err)
		case err != nil:
			return nil // still no room; tried again in a second
		}
		k.backlog = k.backlog[len(batch):]
	}
	k.backlog = nil
	return nil
}

func (k *keeper) note(name string, raised bool, detail string) {
	k.notes = append(k.notes, health.Condition{Name: name, Raised: raised, At: k.now, Detail: detail, Count: k.lost})
}

// conditions hands over what was noted since the last call.
func (k *keeper) conditions() []health.Condition {
	notes := k.notes
	k.notes = nil
	return notes
}
