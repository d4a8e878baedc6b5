package journal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// walBytes is about how large the write-ahead log gets before it is folded into the
	// file. A checkpoint that finds a reader in its way tries again after as much more.
	walBytes = 4 << 20
	// frameBytes is what a page takes in the log, and commitPages how many pages a small
	// commit touches: a leaf and its parent, and the table head.
	frameBytes  = 4096 + 24
	commitPages = 3
	// walPatience is how many times walBytes the log may take before a checkpoint waits,
	// up to busyMillis, for the readers to let go of it.
	walPatience = 4
)

// write is the one goroutine that writes. It ends when Close was called and nothing waits.
func (j *Journal) write() {
	defer func() {
		close(j.stopped)
		for { // those who came too late; see Start
			select {
			case p := <-j.queue:
				if p.take() {
					p.settle(0, fmt.Errorf("journal: append: %w", ErrClosed))
				}
			default:
				return
			}
		}
	}()
	var carried *Pending
	var unfolded int64 // bytes written since the log was last folded into the file, about
	for {
		first := carried
		if first == nil {
			first = j.next()
		}
		if first == nil {
			return
		}
		var batch []*Pending
		batch, carried = j.gather(first)
		unfolded += j.commit(batch)
		if unfolded >= walBytes {
			unfolded = j.fold()
		}
	}
}

// next waits for an append; nil once Close was called and none is left.
func (j *Journal) next() *Pending {
	select {
	case p := <-j.queue:
		return p
	default:
	}
	select {
	case p := <-j.queue:
		return p
	case <-j.closing:
	}
	select {
	case p := <-j.queue:
		return p
	default:
		return nil
	}
}

// gather takes what else is waiting into the same transaction, up to the bounds of one. What
// no longer fits is carried into the next.
func (j *Journal) gather(first *Pending) (batch []*Pending, carried *Pending) {
	size, count := 0, 0
	for p := first; ; {
		if count > 0 && (size+p.size > maxBatch || count+len(p.entries) > maxGroup) {
			return batch, p
		}
		if p.take() {
			batch = append(batch, p)
			size, count = size+p.size, count+len(p.entries)
		}
		select {
		case p = <-j.queue:
		default:
			return batch, nil
		}
	}
}

// commit keeps the batch in one transaction and tells those who wait. If there is no room for
// all, each is tried alone: a short alert may fit where a long document does not. It returns
// about how many bytes it added to the write-ahead log.
func (j *Journal) commit(batch []*Pending) (written int64) {
	if len(batch) == 0 {
		return 0
	}
	head, _, err := j.state()
	if err == nil {
		head, written, err = j.insert(head, batch)
	}
	switch {
	case err == nil:
		j.kept(head, batch)
		return written
	case errors.Is(err, ErrFull) && len(batch) > 1:
		for _, p := range batch {
			written += j.commit([]*Pending{p})
		}
		return written
	case errors.Is(err, ErrBroken):
		j.breakDown(err)
	}
	for _, p := range batch {
		j.stats.refused.Add(1)
		p.settle(0, fmt.Errorf("journal: append: %w", err))
	}
	return written
}

// kept moves the head and tells those who wait, once the batch is on disk.
func (j *Journal) kept(to head, batch []*Pending) {
	// After the commit and unsynced: the witness may be behind the file after a power
	// cut, never ahead of it, unless the disk lied.
	if err := j.witness.write(to.statement()); err != nil {
		j.stats.witnessFailures.Add(1)
	}
	first, _ := j.Head()
	j.stats.commits.Add(1)
	j.stats.entries.Add(int64(to.position - first))
	j.advance(to)
	for _, p := range batch {
		first += Position(len(p.entries))
		p.settle(first, nil)
	}
}

// insert writes the batch behind head and syncs it. The error is sorted by failure.
func (j *Journal) insert(at head, batch []*Pending) (head, int64, error) {
	ctx := context.Background() // half a transaction is of use to nobody
	written := int64(commitPages * frameBytes)
	err := j.transact(ctx, func() error {
		for _, p := range batch {
			for _, n := range p.entries {
				e := Entry{
					Position: at.position + 1,
					At:       time.UnixMilli(n.At.UnixMilli()),
					Kind:     n.Kind,
					Body:     n.Body,
					Previous: at.hash,
				}
				if e.Body == nil {
					e.Body = []byte{} // nil would be NULL
				}
				e.Hash = e.sum()
				if _, err := j.insertion.ExecContext(ctx,
					int64(e.Position), e.At.UnixMilli(), e.Kind, e.Body, e.Previous[:], e.Hash[:]); err != nil {
					return err
				}
				at = head{e.Position, e.Hash}
				written += int64(len(e.Body)+200) * frameBytes / 4096
			}
		}
		_, err := j.heading.ExecContext(ctx, at.row())
		return err
	})
	if err != nil {
		return head{}, 0, failure(err)
	}
	return at, written, nil
}

// fold writes the write-ahead log into the file when it has grown, and returns what then
// counts as not folded. What cannot be folded now is tried again after half as much more.
func (j *Journal) fold() int64 {
	if _, _, broken := j.state(); broken != nil {
		return 0
	}
	pages, err := j.checkpoint(context.Background(), "PASSIVE")
	if int64(pages)*frameBytes >= walPatience*walBytes && !errors.Is(err, ErrBroken) {
		_, err = j.checkpoint(context.Background(), "RESTART")
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrBroken):
		j.breakDown(err)
	}
	return walBytes / 2
}

// checkpoint writes the log's pages into the file and syncs both; it returns how many pages
// the log has. A full disk is ErrFull, a reader in the way errBusy or SQLITE_BUSY; all three
// leave everything as it was.
func (j *Journal) checkpoint(ctx context.Context, mode string) (pages int, err error) {
	var busy, folded int
	err = j.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &folded)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil:
		return 0, fmt.Errorf("journal: checkpoint: %w", failure(err))
	case busy != 0 || folded < pages:
		return pages, errBusy
	}
	j.stats.checkpoints.Add(1)
	return pages, nil
}

// errBusy says that a checkpoint was not finished because someone reads.
var errBusy = errors.New("journal: checkpoint: readers are in the way")
