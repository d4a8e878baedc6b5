// Package journal is the durable memory of the house: an ordered, hash-chained log of what
// was decided, commanded and said, and spoken.log beside it for what had to be said before
// the disk had answered.
//
// In: entries (a time, a kind, opaque bytes). Out: the same entries in order, each proved by
// its own hash and by the hash of the one before. It never knows what is in an entry, never
// says that something is kept before it is on disk, never hides that something is missing,
// and never goes on after the disk failed.
//
// The folder of a journal holds
//
//	lock           taken by the one process that may use the folder; says who that is
//	journal.db     SQLite: table entries, and table head with the newest position and hash
//	journal.db-wal, journal.db-shm
//	head           the newest position and hash once more, outside SQLite and unsynced
//	spoken.log     see Spoken
//
// What is detected. A flipped bit in any column of any entry, an entry exchanged, moved or
// taken out: by Read, at that entry. A cut tail, which a chain cannot show: by Open, because
// the table head or the file head know of later entries; so also a lost write-ahead log, a
// disk that lied about a sync, and an older copy put in place of the file. Not detected: all
// files of the folder replaced by an older copy of all of them, and changes by someone who
// computes the hashes anew. Against those the board's signatures and whoever keeps a later
// hash must speak.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// Options of Open. The zero value is ready for use.
type Options struct {
	Queue int // appends that may wait to be taken up before Start blocks; 1024 if 0
	// PutAside makes Open rename a file that SQLite cannot read at all, and begin a new
	// one, instead of refusing: a program that cannot remember is better than none. Damage
	// says so, and positions go on behind those that the file head knows of.
	PutAside bool
}

// Journal is an open journal. Its methods may be called from many goroutines.
type Journal struct {
	lock    *os.File
	writer  *sql.DB   // of one connection:
	conn    *sql.Conn // the only one that writes; the writing goroutine's
	readers *sql.DB
	// prepared on conn:
	insertion, heading *sql.Stmt

	witness *slots // file head; the writing goroutine's
	damage  *CorruptError

	queue   chan *Pending
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed once nothing is taken up any more
	once    sync.Once
	err     error // of Close

	mu     sync.Mutex
	head   head
	grown  chan struct{} // closed and replaced when head moves
	broken error

	stats counters
}

// head is the newest entry; zero if there is none.
type head struct {
	position Position
	hash     [32]byte
}

// counters are what Stats shows.
type counters struct {
	entries, commits, refused, checkpoints, witnessFailures atomic.Int64
}

// Stats are counts since Open, for metrics.
type Stats struct {
	Entries         int64 // kept
	Commits         int64 // synced transactions; fewer than appends when those come together
	Refused         int64 // appends that were not kept: full, broken, or the file busy
	Checkpoints     int64 // times the write-ahead log was emptied into the file
	WitnessFailures int64 // times the file head could not be written; the entries are kept
	Queued          int64 // appends waiting now
}

// Stats returns the counts now; it does not block.
func (j *Journal) Stats() Stats {
	return Stats{
		Entries: j.stats.entries.Load(), Commits: j.stats.commits.Load(), Refused: j.stats.refused.Load(),
		Checkpoints: j.stats.checkpoints.Load(), WitnessFailures: j.stats.witnessFailures.Load(),
		Queued: int64(len(j.queue)),
	}
}

// Head returns the newest position that is on disk and its hash; 0 and zero if there is none.
func (j *Journal) Head() (Position, [32]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head.position, j.head.hash
}

// Damage returns what Open found wrong at the end of the journal, nil if nothing was. New
// entries then go on behind the highest position that was ever known, so that what is missing
// stays visible as a gap; Read tells of it and CorruptError.Next says how to go on.
func (j *Journal) Damage() *CorruptError { return j.damage }

// state returns the head, a channel that is closed when the head moves or the journal
// breaks, and why the journal is broken.
func (j *Journal) state() (head, <-chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head, j.grown, j.broken
}

func (j *Journal) advance(to head) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.head = to
	close(j.grown)
	j.grown = make(chan struct{})
}

func (j *Journal) breakDown(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = err
		close(j.grown)
		j.grown = make(chan struct{})
	}
}

// Pending is an append that has been handed over.
type Pending struct {
	entries  []New
	size     int
	claim    atomic.Int32 // 0 waiting, 1 being written, 2 withdrawn
	done     chan struct{}
	position Position
	err      error
}

// Done is closed once the outcome is certain.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Result returns, once Done is closed, what Append would have returned. Before that it blocks.
func (p *Pending) Result() (Position, error) {
	<-p.done
	return p.position, p.err
}

// take is how the writer and a caller who gives up agree on who was first.
func (p *Pending) take() bool     { return p.claim.CompareAndSwap(0, 1) }
func (p *Pending) withdraw() bool { return p.claim.CompareAndSwap(0, 2) }

func (p *Pending) settle(position Position, err error) {
	p.position, p.err = position, err
	close(p.done)
}

// Start hands entries over and returns without waiting for the disk: what is started first
// has the lower positions. It blocks only while Options.Queue others wait, until ctx ends; an
// error means that nothing is or will be kept. Once started, entries are not called back by
// ctx. Whoever cannot wait for Pending.Done for longer than a while speaks, writes them to
// Spoken, and leaves the Pending to come.
func (j *Journal) Start(ctx context.Context, entries ...New) (*Pending, error) {
	size, err := check(entries)
	if err != nil {
		return nil, err
	}
	p := &Pending{entries: entries, size: size, done: make(chan struct{})}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("journal: append: %w", err)
	}
	select {
	case <-j.closing:
		return nil, fmt.Errorf("journal: append: %w", ErrClosed)
	default:
	}
	select {
	case j.queue <- p:
	case <-j.closing:
		return nil, fmt.Errorf("journal: append: %w", ErrClosed)
	case <-ctx.Done():
		return nil, fmt.Errorf("journal: append: %w", ctx.Err())
	}
	select {
	case <-j.stopped: // perhaps too late to be seen by the writer; if so, it never will be
		if p.withdraw() {
			return nil, fmt.Errorf("journal: append: %w", ErrClosed)
		}
	default:
	}
	return p, nil
}

// Append keeps the entries, all or none, and returns the position of the last one when they
// are on disk; the others stand right before it. Callers that come together share a sync.
//
// When ctx ends before the writer has taken the entries up they are withdrawn: nothing is
// kept and the error is ctx's. Once taken up, Append waits for the outcome in spite of ctx,
// for as long as the disk takes: it never returns with the outcome unknown, except with
// ErrBroken. Whoever must not wait uses Start.
//
// Errors: ErrInvalid, ErrFull, ErrBroken, ErrClosed, ctx's, and SQLite's if another program
// holds the file; see there for what each means.
func (j *Journal) Append(ctx context.Context, entries ...New) (Position, error) {
	p, err := j.Start(ctx, entries...)
	if err != nil {
		return 0, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		if p.withdraw() {
			return 0, fmt.Errorf("journal: append: %w", ctx.Err())
		}
	}
	return p.Result()
}

// Close commits what was handed over, folds the write-ahead log into the file and gives up
// the folder. It waits for the disk as long as the disk takes. A second call returns what the
// first did.
func (j *Journal) Close() error {
	j.once.Do(func() {
		close(j.closing)
		<-j.stopped
		var errs []error
		if _, _, broken := j.state(); broken == nil {
			if _, err := j.checkpoint(context.Background(), "PASSIVE"); errors.Is(err, ErrBroken) {
				errs = append(errs, err)
			}
			errs = append(errs, j.witness.f.Sync())
		}
		if err := errors.Join(append(errs, j.release(), j.lock.Close())...); err != nil {
			j.err = fmt.Errorf("journal: close: %w", err)
		}
	})
	return j.err
}
