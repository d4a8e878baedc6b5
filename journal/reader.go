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
	"syscall"
)

// Reader reads a journal without taking its folder: it changes nothing of what is kept, and
// works while another process writes. Its methods may be called from several goroutines.
type Reader struct {
	j    *Journal // of which only the reading side is there
	held bool
}

// ErrNoJournal says that a folder holds no journal.
var ErrNoJournal = errors.New("there is no journal in this folder")

// OpenReader opens the journal in dir to read. Where nobody holds the folder and it cannot be
// written to, it is read as it lies there; a write-ahead log that nobody can fold in then is an
// error, for without it the newest entries would be missing.
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	path, err := filepath.Abs(filepath.Join(dir, fileName))
	if err != nil {
		return nil, fmt.Errorf("journal: read %s: %w", dir, err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("journal: read %s: %w", dir, ErrNoJournal)
	} else if err != nil {
		return nil, fmt.Errorf("journal: read %s: %w", dir, err)
	}
	r := &Reader{j: &Journal{closing: make(chan struct{})}, held: isHeld(dir)}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path)}).String() +
		fmt.Sprintf("?mode=ro&_pragma=busy_timeout(%d)&_pragma=query_only(1)&_pragma=mmap_size(0)&_pragma=trusted_schema(0)", busyMillis)
	if err = r.open(ctx, name); err != nil && !r.held && r.noLog(path) {
		err = r.open(ctx, name+"&immutable=1")
	}
	if err != nil {
		return nil, fmt.Errorf("journal: read %s: %w", dir, err)
	}
	return r, nil
}

// open opens the file and asks it something: SQLite opens nothing before.
func (r *Reader) open(ctx context.Context, name string) error {
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	var id int
	if err = db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err == nil && id != applicationID {
		err = &CorruptError{What: fmt.Sprintf("%s is not a journal (application id %#x)", fileName, id)}
	}
	if err == nil {
		var last int64
		err = db.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM entries").Scan(&last)
	}
	if err != nil {
		if isDamage(err) {
			err = &CorruptError{What: err.Error()}
		}
		return errors.Join(err, db.Close())
	}
	db.SetMaxOpenConns(readerCount)
	r.j.readers = db
	return nil
}

// noLog reports whether the file alone is all there is.
func (r *Reader) noLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

// isHeld reports whether a process holds the folder.
func isHeld(dir string) bool {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return false
	}
	defer f.Close() // gives up the lock too, where nobody had it
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// Held reports whether another process held the folder when it was opened: then more may be
// kept at any moment.
func (r *Reader) Held() bool { return r.held }

// Read is Journal.Read, up to the newest entry of this moment.
func (r *Reader) Read(ctx context.Context, from Position, yield func(Entry) error) error {
	var last int64
	if err := r.j.readers.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM entries").Scan(&last); err != nil {
		return readError(ctx, from, err)
	}
	_, err := r.j.read(ctx, head{position: from - 1}, Position(last), yield)
	return err
}

// Close closes the file.
func (r *Reader) Close() error { return r.j.readers.Close() }
