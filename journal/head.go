package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// statement is a head in bytes, as the file head and the table head state it: position,
// 8 bytes big-endian, and hash. The table's has a CRC-32C behind it; the file has its own.
func (h head) statement() (s [statementSize]byte) {
	binary.BigEndian.PutUint64(s[:], uint64(h.position))
	copy(s[8:], h.hash[:])
	return s
}

func (h head) row() []byte {
	s := h.statement()
	return binary.BigEndian.AppendUint32(s[:], crc32.Checksum(s[:], castagnoli))
}

func headOf(statement [statementSize]byte) (h head) {
	h.position = Position(binary.BigEndian.Uint64(statement[:]))
	copy(h.hash[:], statement[8:])
	return h
}

// headOfRow is zero if the bytes are not what was written.
func headOfRow(b []byte) head {
	if len(b) != statementSize+4 || crc32.Checksum(b[:statementSize], castagnoli) != binary.BigEndian.Uint32(b[statementSize:]) {
		return head{}
	}
	return headOf([statementSize]byte(b))
}

// findHead finds the highest position that anything proves was written, and whether what
// should end there is there.
func (j *Journal) findHead(ctx context.Context) error {
	var b []byte
	err := j.conn.QueryRowContext(ctx, "SELECT statement FROM head WHERE one = 1").Scan(&b)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	stated := headOfRow(b)
	var known head
	if j.witness.whole {
		known = headOf(j.witness.statement)
	}
	var last Position
	if err := j.conn.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM entries").Scan(&last); err != nil {
		return err
	}
	end := stated
	if known.position > end.position {
		end = known
	}
	if end.position == 0 && last > 0 {
		if end, err = j.lastWhole(ctx, last); err != nil {
			return err
		}
	}
	j.head = end
	if j.damage, err = j.examine(ctx, stated, known, last); err != nil || last <= end.position {
		return err
	}
	// Behind the end stands what was never committed by this program. It would be in the
	// way of the next entry, and it is evidence.
	return j.transact(ctx, func() error {
		_, err := j.conn.ExecContext(ctx, "INSERT INTO strays SELECT position, at, kind, body, previous, hash FROM entries WHERE position > ?1", end.position)
		if err == nil {
			_, err = j.conn.ExecContext(ctx, "DELETE FROM entries WHERE position > ?1", end.position)
		}
		return err
	})
}

// lastWhole is the highest entry that proves itself, for when nothing else tells the end.
func (j *Journal) lastWhole(ctx context.Context, last Position) (head, error) {
	for last > 0 {
		e, err := j.one(ctx, last)
		if err == nil {
			return head{e.Position, e.Hash}, nil
		}
		if !errors.Is(err, ErrCorrupt) {
			return head{}, err
		}
		if err := j.conn.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM entries WHERE position < ?1", last).Scan(&last); err != nil {
			return head{}, err
		}
	}
	return head{}, nil
}

// examine compares the entries with what the table head and the file head state, and returns
// the first thing that is wrong.
func (j *Journal) examine(ctx context.Context, stated, known head, last Position) (*CorruptError, error) {
	for _, claim := range []struct {
		by   string
		head head
	}{{"the table head", stated}, {"the file head", known}} {
		switch {
		case claim.head.position == 0:
			continue
		case claim.head.position > last:
			return &CorruptError{Position: last + 1, Next: claim.head.position + 1,
				What: fmt.Sprintf("%s knows of entries up to %d, and the last one here is %d", claim.by, claim.head.position, last)}, nil
		}
		e, err := j.one(ctx, claim.head.position)
		var corrupt *CorruptError
		switch {
		case errors.As(err, &corrupt):
			return corrupt, nil
		case err != nil:
			return nil, err
		case e.Hash != claim.head.hash:
			return &CorruptError{Position: e.Position, Next: e.Position + 1, What: claim.by + " knows of another entry at this place"}, nil
		}
	}
	if stated.position == 0 && last > 0 {
		return &CorruptError{Position: last, Next: last + 1, What: "the table head is missing or altered"}, nil
	}
	if last > j.head.position {
		return &CorruptError{Position: j.head.position + 1, Next: j.head.position + 1,
			What: fmt.Sprintf("rows up to %d stand behind the end, %d, and were put aside", last, j.head.position)}, nil
	}
	return nil, nil
}

// one reads and checks a single entry on the writing connection.
func (j *Journal) one(ctx context.Context, at Position) (Entry, error) {
	page, err := readPage(ctx, j.conn, at, at)
	if err != nil {
		return Entry{}, err
	}
	if len(page) == 0 {
		return Entry{}, missing(at, at+1)
	}
	return page[0].entry, page[0].check()
}
