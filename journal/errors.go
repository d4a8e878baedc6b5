package journal

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What a caller branches on. An error of Append that is neither ErrBroken nor nil means that
// nothing was kept: the same entries may be given again.
var (
	// ErrFull says that there is no room on the disk, or in spoken.log. Nothing was kept;
	// it may be tried again, and works again once there is room.
	ErrFull = errors.New("disk is full")
	// ErrBroken says that the disk failed. Whether the entries at hand will be there
	// after a restart is not known, and this Journal takes no more: after a failed sync
	// the kernel may call the next one good without having written anything. Speak what
	// is held, end the process, read back what there is.
	ErrBroken = errors.New("disk failed; the journal takes no more until the process is restarted")
	// ErrClosed says that Close was called.
	ErrClosed = errors.New("journal is closed")
	// ErrInvalid says that an entry, or a position, is outside the documented bounds.
	ErrInvalid = errors.New("outside the bounds of the journal")
	// ErrCorrupt says that what is on disk is not what was written; errors.As to
	// *CorruptError says where.
	ErrCorrupt = errors.New("corrupt")
)

// CorruptError says where the journal is not what was written.
type CorruptError struct {
	Position Position // first entry that is missing, altered or out of place; 0 if the file as a whole
	Next     Position // where reading can go on; 0 if nowhere
	What     string
}

// Error says what happened and what it means.
func (e *CorruptError) Error() string {
	if e.Position == 0 {
		return "journal: corrupt: " + e.What
	}
	return fmt.Sprintf("journal: corrupt at position %d: %s", e.Position, e.What)
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// sqliteCode is the extended result code of an error of SQLite, 0 if it is none.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// failure sorts an error of SQLite in a transaction that has been rolled back.
func failure(err error) error {
	switch code := sqliteCode(err); {
	case code == sqlite3.SQLITE_FULL,
		code == sqlite3.SQLITE_IOERR_SHMSIZE: // no room for the index of the write-ahead log
		return fmt.Errorf("%w: %w", ErrFull, err)
	case code&0xff == sqlite3.SQLITE_BUSY, code&0xff == sqlite3.SQLITE_LOCKED:
		return err // another program has the file open and writes; nothing is lost
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// isDamage tells a file that SQLite finds damaged from one that it cannot read now.
func isDamage(err error) bool {
	code := sqliteCode(err) & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_TOOBIG ||
		code == sqlite3.SQLITE_FORMAT || code == sqlite3.SQLITE_SCHEMA || code == sqlite3.SQLITE_ERROR
}
