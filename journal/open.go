package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	fileName      = "journal.db"
	witnessName   = "head"
	applicationID = 0x54636a31 // "Tcj1", in the file's header
	maxRow        = MaxBody + 4096
	readerCount   = 4
	busyMillis    = 2000
)

// pragmas are set on the writing connection, in this order. page_size must come before the
// file has a page. Checkpoints are ours to order (see checkpoint), because SQLite's automatic
// ones swallow the error of their sync.
var pragmas = []string{
	"page_size=4096",
	fmt.Sprintf("busy_timeout=%d", busyMillis),
	"journal_mode=WAL",
	"synchronous=FULL",
	"fullfsync=1",
	"checkpoint_fullfsync=1",
	"wal_autocheckpoint=0",
	fmt.Sprintf("journal_size_limit=%d", walBytes),
	"cache_size=-4096", // KiB
	"mmap_size=0",      // a disk error under a memory map kills the process
	"trusted_schema=0",
}

const schema = `
CREATE TABLE entries (
	position INTEGER PRIMARY KEY,
	at       INTEGER NOT NULL, -- milliseconds since 1970 UTC
	kind     TEXT    NOT NULL,
	body     BLOB    NOT NULL,
	previous BLOB    NOT NULL, -- hash of the entry before
	hash     BLOB    NOT NULL  -- SHA-256, see journal/entry.go
) STRICT;
CREATE TABLE head (
	one       INTEGER PRIMARY KEY CHECK (one = 1),
	statement BLOB NOT NULL    -- of the newest entry, see journal/head.go
) STRICT;
CREATE TABLE strays (          -- rows found behind the end, put aside
	position INTEGER, at INTEGER, kind ANY, body ANY, previous ANY, hash ANY
) STRICT;`

// Open opens the journal in dir, making folder and files that do not exist, and takes the
// folder's lock; if another process has it the error is a *HeldError. A file that is not a
// journal, or that SQLite cannot read at all, is a *CorruptError; see Options.PutAside. A
// journal whose end is damaged is opened; see Damage. A disk without any room gives ErrFull only if SQLite cannot
// so much as open the files.
//
// What the write-ahead log holds is written to the file and synced before it is served: after
// a failed sync the log's pages in memory may be all there is. Only on a full disk, or while
// another program reads the file, that is left for later.
func Open(ctx context.Context, dir string, opts Options) (*Journal, error) {
	if opts.Queue <= 0 {
		opts.Queue = 1024
	}
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{
		lock:    lock,
		queue:   make(chan *Pending, opts.Queue),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
		grown:   make(chan struct{}),
	}
	err = j.open(ctx, dir)
	if opts.PutAside && isDamage(err) {
		err = j.begin(ctx, dir, err)
	}
	if err != nil {
		switch code := sqliteCode(err); {
		case isDamage(err):
			err = &CorruptError{What: err.Error()}
		case code == sqlite3.SQLITE_FULL, code == sqlite3.SQLITE_IOERR_SHMSIZE, isNoSpace(err):
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		return nil, errors.Join(fmt.Errorf("journal: open %s: %w", dir, err), j.release(), j.lock.Close())
	}
	go j.write()
	return j, nil
}

// begin puts a file aside that SQLite cannot read, for the reason cause, and opens a new one.
func (j *Journal) begin(ctx context.Context, dir string, cause error) error {
	if err := j.release(); err != nil {
		return err
	}
	*j = Journal{lock: j.lock, queue: j.queue, closing: j.closing, stopped: j.stopped, grown: j.grown}
	aside := fmt.Sprintf("%s.%d", fileName, time.Now().UnixMilli())
	for _, part := range []string{"", "-wal", "-shm"} {
		err := os.Rename(filepath.Join(dir, fileName+part), filepath.Join(dir, aside+part))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := j.open(ctx, dir); err != nil {
		return err
	}
	j.damage = &CorruptError{Position: 1, Next: j.head.position + 1, What: fmt.Sprintf("the file could not be read and was put aside as %s: %v", aside, cause)}
	return nil
}

func (j *Journal) open(ctx context.Context, dir string) (err error) {
	path := filepath.Join(dir, fileName)
	// Made here and not by SQLite, whose files would be readable by everyone.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return err
	}
	if j.witness, err = openSlots(filepath.Join(dir, witnessName)); err != nil {
		return err
	}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path)}).String()
	if j.writer, err = sql.Open("sqlite", name+"?_txlock=immediate"); err != nil {
		return err
	}
	j.writer.SetMaxOpenConns(1)
	if j.conn, err = j.writer.Conn(ctx); err != nil {
		return err
	}
	if err := j.prepare(ctx); err != nil {
		return err
	}
	j.readers, err = sql.Open("sqlite", fmt.Sprintf("%s?_pragma=busy_timeout(%d)&_pragma=query_only(1)&_pragma=mmap_size(0)&_pragma=cache_size(-1024)&_pragma=trusted_schema(0)", name, busyMillis))
	if err != nil {
		return err
	}
	j.readers.SetMaxOpenConns(readerCount)
	j.readers.SetMaxIdleConns(readerCount)
	if err := errors.Join(syncDir(dir), syncDir(filepath.Dir(filepath.Clean(dir)))); err != nil {
		return err
	}
	// On a full disk, or while another program reads the file, this is left for later.
	if _, err := j.checkpoint(ctx, "RESTART"); errors.Is(err, ErrBroken) || ctx.Err() != nil {
		return err
	}
	if err := j.findHead(ctx); err != nil {
		return err
	}
	if j.insertion, err = j.conn.PrepareContext(ctx, "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6)"); err != nil {
		return err
	}
	j.heading, err = j.conn.PrepareContext(ctx, "INSERT OR REPLACE INTO head VALUES (1, ?1)")
	return err
}

// prepare sets up the writing connection and the tables.
func (j *Journal) prepare(ctx context.Context) error {
	if _, err := sqlite.Limit(j.conn, sqlite3.SQLITE_LIMIT_LENGTH, maxRow); err != nil {
		return err
	}
	for _, p := range pragmas {
		if _, err := j.conn.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	var mode string
	if err := j.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("this file system cannot carry a write-ahead log (journal mode %s)", mode)
	}
	// Kept when the last connection closes, so that the next start needs no new room.
	if err := j.conn.Raw(func(c any) error {
		_, err := c.(sqlite.FileControl).FileControlPersistWAL("main", 1)
		return err
	}); err != nil {
		return err
	}
	var id, tables int
	if err := j.conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if err := j.conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	switch {
	case id == applicationID:
		return nil
	case id != 0 || tables != 0:
		return &CorruptError{What: fmt.Sprintf("%s is not a journal (application id %#x, %d tables)", fileName, id, tables)}
	}
	return j.transact(ctx, func() error {
		_, err := j.conn.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA application_id=%d;", applicationID))
		return err
	})
}

// transact runs do in one transaction. An error means that it was rolled back, or that the
// connection is of no more use.
func (j *Journal) transact(ctx context.Context, do func() error) error {
	if _, err := j.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		if _, err = j.conn.ExecContext(ctx, "COMMIT"); err == nil {
			return nil
		}
	}
	// Some errors have rolled back already; then this one fails and means nothing.
	_, _ = j.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}

// release closes the files, as far as they were opened; the lock stays.
func (j *Journal) release() error {
	var errs []error
	if j.readers != nil {
		errs = append(errs, j.readers.Close())
	}
	for _, s := range []*sql.Stmt{j.insertion, j.heading} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if j.conn != nil {
		errs = append(errs, j.conn.Close())
	}
	if j.writer != nil {
		errs = append(errs, j.writer.Close())
	}
	if j.witness != nil {
		errs = append(errs, j.witness.f.Close())
	}
	return errors.Join(errs...)
}
