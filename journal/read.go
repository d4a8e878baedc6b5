package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Bounds of what is read at once. Nothing of SQLite is held while yield runs, so that a slow
// reader delays neither the writer nor the folding of the write-ahead log.
const (
	pageRows  = 256
	pageBytes = 4 << 20
)

// row is an entry as it came from the file, before it is believed.
type row struct {
	entry Entry
	fault string // why it cannot be one
}

// Read yields the entries from a position (1 for all) up to the newest of this moment, in
// order. The body is yield's. If yield returns an error, Read ends with that error as it is.
//
// Each entry's hash is computed anew, and from the second on also compared with what the
// next one says of it; what is not right ends Read with a *CorruptError. Whoever wants what
// is left behind it calls Read again from CorruptError.Next. Positions below 1 are ErrInvalid;
// one behind the end yields nothing.
func (j *Journal) Read(ctx context.Context, from Position, yield func(Entry) error) error {
	end, _ := j.Head()
	_, err := j.read(ctx, head{position: from - 1}, end, yield)
	return err
}

// Follow does what Read does and then goes on with new entries as they are kept, until ctx
// ends, yield returns an error, or the journal is closed or broken: it always returns an
// error. A slow follower misses nothing; it reads from the file.
func (j *Journal) Follow(ctx context.Context, from Position, yield func(Entry) error) error {
	seen := head{position: from - 1}
	for {
		end, grown, broken := j.state()
		var err error
		if seen, err = j.read(ctx, seen, end.position, yield); err != nil {
			return err
		}
		if broken != nil {
			return fmt.Errorf("journal: follow: %w", broken)
		}
		select {
		case <-grown:
		case <-j.stopped:
			if now, _ := j.Head(); now == end.position {
				return fmt.Errorf("journal: follow: %w", ErrClosed)
			}
		case <-ctx.Done():
			return fmt.Errorf("journal: follow: %w", ctx.Err())
		}
	}
}

// read yields what stands behind seen, up to end, and returns the last entry it yielded. A
// zero hash in seen means that the entry before is not known.
func (j *Journal) read(ctx context.Context, seen head, end Position, yield func(Entry) error) (head, error) {
	if seen.position < 0 {
		return seen, fmt.Errorf("journal: read: position %d: %w", seen.position+1, ErrInvalid)
	}
	for seen.position < end {
		page, err := j.page(ctx, seen.position+1, end)
		for _, r := range page {
			if err := follows(r, seen); err != nil {
				return seen, err
			}
			if err := yield(r.entry); err != nil {
				return seen, err
			}
			seen = head{r.entry.Position, r.entry.Hash}
		}
		if err == nil && len(page) == 0 {
			err = missing(seen.position+1, end+1)
		}
		if err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// follows says whether a row is what it claims to be and stands right behind seen.
func follows(r row, seen head) error {
	at := seen.position + 1
	if r.entry.Position > at {
		return missing(at, r.entry.Position)
	}
	if err := r.check(); err != nil {
		return err
	}
	first := at == 1
	if (first && r.entry.Previous != [32]byte{}) || (!first && seen.hash != [32]byte{} && r.entry.Previous != seen.hash) {
		return &CorruptError{Position: at, Next: at + 1, What: "it does not follow the entry before it"}
	}
	return nil
}

// check says whether the row proves itself.
func (r row) check() error {
	fault := r.fault
	if fault == "" && r.entry.sum() != r.entry.Hash {
		fault = "its content does not have its hash"
	}
	if fault == "" {
		return nil
	}
	return &CorruptError{Position: r.entry.Position, Next: r.entry.Position + 1, What: fault}
}

func missing(from, next Position) *CorruptError {
	return &CorruptError{Position: from, Next: next, What: fmt.Sprintf("%d entries are missing", next-from)}
}

// page reads some rows on a connection for reading.
func (j *Journal) page(ctx context.Context, from, to Position) (page []row, err error) {
	conn, err := j.readers.Conn(ctx)
	if err == nil {
		defer func() { err = errors.Join(err, conn.Close()) }()
		// A damaged length must not cost a gigabyte.
		if _, err = sqlite.Limit(conn, sqlite3.SQLITE_LIMIT_LENGTH, maxRow); err == nil {
			page, err = readPage(ctx, conn, from, to)
		}
	}
	if err != nil && !errors.Is(err, ErrCorrupt) && ctx.Err() == nil {
		select {
		case <-j.closing: // database/sql has no error of its own to tell this by
			err = fmt.Errorf("journal: read: %w", ErrClosed)
		default:
		}
	}
	return page, err
}

// readPage reads rows from from to to, both included, up to the bounds of a page. With an
// error come the rows before it.
func readPage(ctx context.Context, conn *sql.Conn, from, to Position) (page []row, err error) {
	rows, err := conn.QueryContext(ctx,
		"SELECT position, at, kind, body, previous, hash FROM entries WHERE position BETWEEN ?1 AND ?2 ORDER BY position LIMIT ?3",
		int64(from), int64(to), pageRows)
	if err != nil {
		return nil, readError(ctx, from, err)
	}
	defer rows.Close()
	for size := 0; size < pageBytes && rows.Next(); {
		r, err := scan(rows)
		if err != nil {
			return page, readError(ctx, from, err)
		}
		page, from = append(page, r), r.entry.Position+1
		size += len(r.entry.Body)
	}
	if err := rows.Err(); err != nil {
		return page, readError(ctx, from, err)
	}
	return page, nil
}

// scan takes a row apart without believing the types of its columns: a flipped bit changes
// those too.
func scan(rows *sql.Rows) (row, error) {
	var position, at, kind, body, previous, hash any
	if err := rows.Scan(&position, &at, &kind, &body, &previous, &hash); err != nil {
		return row{}, err
	}
	var r row
	n, isInt := position.(int64)
	millis, isTime := at.(int64)
	text, isText := kind.(string)
	bytes, isBytes := body.([]byte)
	prior, isPrior := previous.([]byte)
	sum, isSum := hash.([]byte)
	r.entry = Entry{Position: Position(n), At: time.UnixMilli(millis).UTC(), Kind: text, Body: bytes}
	switch {
	case !isInt || !isTime || !isText || !isBytes || !isPrior || !isSum, len(prior) != 32, len(sum) != 32, !isKind(text):
		r.fault = "its columns are not those of an entry"
	default:
		r.entry.Previous, r.entry.Hash = [32]byte(prior), [32]byte(sum)
	}
	return r, nil
}

// readError tells damage from what hinders reading now.
func readError(ctx context.Context, at Position, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("journal: read: %w", ctx.Err())
	case isDamage(err):
		return &CorruptError{Position: at, Next: at + 1, What: err.Error()}
	}
	return fmt.Errorf("journal: read: position %d: %w", at, err)
}
