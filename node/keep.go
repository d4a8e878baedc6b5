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

// hurry is how long the next ones wait while the disk owes an answer for longer than that:
// a raid must not be spoken at four decisions a second.
const hurry = 10 * time.Millisecond

// backlogLimit bounds the entries that wait for room on the disk.
const backlogLimit = 20_000

// partBytes bounds one append, besides journal.MaxAppend.
const partBytes = journal.MaxBody

// Conditions of the keeper.
const (
	journalSlow    = "journal-slow"         // the disk is late; what is said is marked
	journalFull    = "journal-full"         // the disk is full; likewise
	journalRefused = "journal-refused"      // the journal takes nothing for another reason
	entriesLost    = "journal-entries-lost" // the journal will not have them before the next start, if ever
	spokenFailed   = "spoken-log-failed"
)

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

// handed is an append that was handed over and not answered yet.
type handed struct {
	pending
	entries []journal.New
}

// keeper commits first and never waits long. It belongs to the node's loop.
type keeper struct {
	store  store
	spoken aside

	late    []handed      // spoken before they were on disk; at most the journal's queue
	backlog []journal.New // refused for want of room; kept as soon as there is some
	lost    int           // entries that found no place on disk or in memory
	aside   bool          // spoken.log holds something
	raised  map[string]bool
	notes   []health.Condition
	now     time.Time
}

// keep makes entries durable, or, where the disk is late or full, sets them aside in
// spoken.log. It returns within the patience whatever the disk does; then the caller
// speaks. committed says whether all entries are on disk. An error is a disk that
// failed: the caller speaks and the process ends.
func (k *keeper) keep(now time.Time, entries []journal.New) (committed bool, err error) {
	k.now = now
	failed := k.reap()
	wait := patience
	if len(k.late) > 0 {
		wait = hurry
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	committed = true
	var under []handed
	for _, part := range parts(entries) {
		if len(k.backlog) > 0 { // order: what waits for room goes first
			k.setAside(part)
			k.queue(part)
			committed = false
			continue
		}
		p, err := k.store.Start(ctx, part...)
		if err != nil {
			failed, committed = errors.Join(failed, k.refused(part, err)), false
			continue
		}
		under = append(under, handed{p, part})
	}
	for _, h := range under {
		if !answered(ctx, h) {
			k.setAside(h.entries)
			k.late = append(k.late, h)
			k.note(journalSlow, true, fmt.Sprintf("no answer from the disk in %s; spoken before it was kept", patience))
			committed = false
		} else if _, err := h.Result(); err != nil {
			failed, committed = errors.Join(failed, k.refused(h.entries, err)), false
		}
	}
	if committed && len(entries) > 0 && len(k.late) == 0 {
		k.note(journalSlow, false, "")
	}
	return committed, failed
}

// answered waits for the disk's answer as long as the context lasts.
func answered(ctx context.Context, p pending) bool {
	select {
	case <-p.Done():
		return true
	case <-ctx.Done():
		return isDone(p) // both at once
	}
}

// parts cuts entries into what one append takes.
func parts(entries []journal.New) [][]journal.New {
	var all [][]journal.New
	from, size := 0, 0
	for i, e := range entries {
		if i > from && (i-from == journal.MaxAppend || size+len(e.Body) > partBytes) {
			all = append(all, entries[from:i])
			from, size = i, 0
		}
		size += len(e.Body)
	}
	if from < len(entries) {
		all = append(all, entries[from:])
	}
	return all
}

// refused sorts a failed append: no room waits, a broken disk ends the process.
func (k *keeper) refused(entries []journal.New, err error) error {
	k.setAside(entries)
	switch {
	case isBroken(err):
		return fmt.Errorf("node: journal: %w", err)
	case errors.Is(err, journal.ErrInvalid): // never: no retry mends it
		k.lose(len(entries), err.Error())
		return nil
	}
	k.note(conditionOf(err), true, err.Error())
	k.queue(entries)
	return nil
}

func conditionOf(err error) string {
	if errors.Is(err, journal.ErrFull) {
		return journalFull
	}
	return journalRefused
}

func isBroken(err error) bool {
	return errors.Is(err, journal.ErrBroken) || errors.Is(err, journal.ErrClosed)
}

func (k *keeper) setAside(entries []journal.New) {
	k.aside = true
	if err := k.spoken.Append(entries...); err != nil {
		k.note(spokenFailed, true, err.Error())
	}
}

func (k *keeper) queue(entries []journal.New) {
	room := min(max(backlogLimit-len(k.backlog), 0), len(entries))
	k.backlog = append(k.backlog, entries[:room]...)
	if room < len(entries) {
		k.lose(len(entries)-room, "no place on disk or in memory")
	}
}

func (k *keeper) lose(n int, why string) {
	k.lost += n
	k.note(entriesLost, true, why+"; spoken.log has them if it could take them, and the next start reads it")
}

// waiting reports whether tend has something to do.
func (k *keeper) waiting() bool { return len(k.late) > 0 || len(k.backlog) > 0 || k.aside }

// tend looks after what is late and tries what was refused once more, within the patience;
// the loop calls it every second while something waits. An error is a disk that failed.
func (k *keeper) tend(now time.Time) error {
	k.now = now
	if err := k.reap(); err != nil {
		return err
	}
	if len(k.late) == 0 {
		if err := k.drain(); err != nil {
			return err
		}
	}
	if len(k.backlog) > 0 || len(k.late) > 0 {
		return nil
	}
	for _, name := range []string{journalFull, journalRefused, journalSlow} {
		k.note(name, false, "")
	}
	if !k.aside || k.lost > 0 {
		return nil // what was lost is in spoken.log alone: it stays until it is read
	}
	if err := k.spoken.Reset(); err != nil {
		k.note(spokenFailed, true, err.Error())
		return nil
	}
	k.aside = false
	k.note(spokenFailed, false, "")
	return nil
}

// reap takes what the disk has answered of what was late; what it had no room for waits in
// front of the backlog.
func (k *keeper) reap() error {
	var again []journal.New
	for len(k.late) > 0 && isDone(k.late[0]) {
		h := k.late[0]
		k.late = k.late[1:]
		switch _, err := h.Result(); {
		case err == nil:
		case isBroken(err):
			return fmt.Errorf("node: journal: %w", err)
		default:
			k.note(conditionOf(err), true, err.Error())
			again = append(again, h.entries...)
		}
	}
	if len(k.late) == 0 {
		k.late = nil
	}
	if len(again) > 0 {
		rest := k.backlog
		k.backlog = nil
		k.queue(again)
		k.queue(rest)
	}
	return nil
}

func isDone(p pending) bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

// drain gives the journal what waits for room, as much as it takes within the patience.
func (k *keeper) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(k.backlog) > 0 && ctx.Err() == nil {
		batch := parts(k.backlog)[0]
		p, err := k.store.Start(ctx, batch...)
		if err == nil && !answered(ctx, p) {
			k.late = append(k.late, handed{p, batch})
			k.backlog = k.backlog[len(batch):]
			return nil
		}
		if err == nil {
			_, err = p.Result()
		}
		switch {
		case err == nil:
		case isBroken(err):
			return fmt.Errorf("node: journal: %w", err)
		case errors.Is(err, journal.ErrInvalid):
			k.lose(len(batch), err.Error())
		default:
			return nil // still no room; tried again in a second
		}
		k.backlog = k.backlog[len(batch):]
	}
	if len(k.backlog) == 0 {
		k.backlog = nil
	}
	return nil
}

// note tells of a condition; what is not raised is not cleared.
func (k *keeper) note(name string, raised bool, detail string) {
	if !raised && !k.raised[name] {
		return
	}
	if k.raised == nil {
		k.raised = map[string]bool{}
	}
	k.raised[name] = raised
	k.notes = append(k.notes, health.Condition{Name: name, Raised: raised, At: k.now, Detail: detail, Count: k.lost})
}

// conditions hands over what was noted since the last call.
func (k *keeper) conditions() []health.Condition {
	notes := k.notes
	k.notes = nil
	return notes
}
