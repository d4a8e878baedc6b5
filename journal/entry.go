package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Bounds of what is taken in.
const (
	MaxKind   = 64      // bytes of a kind, which is one or more of a-z 0-9 . - _ /
	MaxBody   = 8 << 20 // bytes of a body
	MaxAppend = 256     // entries of one Append
	maxBatch  = 16 << 20
	maxGroup  = 1024
)

// Position is the place of an entry: 1, 2, 3 ... without gaps. 0 is "before the first".
type Position int64

// New is an entry to be kept. At is stored in whole milliseconds UTC; what is finer is cut
// off. Kind is a short word that the writer and the reader agree on. Body is opaque and may
// be empty. Body belongs to the journal from the moment it is handed over.
type New struct {
	At   time.Time
	Kind string
	Body []byte
}

// Entry is one entry as it was kept. Body is the receiver's.
type Entry struct {
	Position Position
	At       time.Time // UTC, whole milliseconds
	Kind     string
	Body     []byte
	Hash     [32]byte // of everything above and Previous
	Previous [32]byte // Hash of the entry before; zero for the first
}

// hashDomain stands before everything that is hashed, so that no other program's hash of
// other bytes can be taken for one of ours.
const hashDomain = "tocsin journal entry 1\n"

// sum is the entry's hash: SHA-256 over, one after the other,
//
//	the 23 bytes "tocsin journal entry 1\n"
//	the previous entry's hash, 32 bytes
//	position, 8 bytes; time in milliseconds since 1970 UTC, 8 bytes
//	length of the kind, 4 bytes; the kind
//	length of the body, 8 bytes; the body
//
// with all numbers big-endian, negative times in two's complement. Each part has a fixed
// length or its length before it, so no two entries share their bytes.
func (e *Entry) sum() (hash [32]byte) {
	head := make([]byte, 0, len(hashDomain)+32+8+8+4+MaxKind+8)
	head = append(head, hashDomain...)
	head = append(head, e.Previous[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(e.Position))
	head = binary.BigEndian.AppendUint64(head, uint64(e.At.UnixMilli()))
	head = binary.BigEndian.AppendUint32(head, uint32(len(e.Kind)))
	head = append(head, e.Kind...)
	head = binary.BigEndian.AppendUint64(head, uint64(len(e.Body)))
	h := sha256.New()
	h.Write(head)
	h.Write(e.Body)
	h.Sum(hash[:0])
	return hash
}

// check refuses entries outside the bounds.
func check(entries []New) (size int, err error) {
	if len(entries) == 0 || len(entries) > MaxAppend {
		return 0, fmt.Errorf("journal: append: %d entries, 1 to %d are taken: %w", len(entries), MaxAppend, ErrInvalid)
	}
	for i, n := range entries {
		if !isKind(n.Kind) {
			return 0, fmt.Errorf("journal: append: entry %d: kind %.70q: %w", i, n.Kind, ErrInvalid)
		}
		if len(n.Body) > MaxBody {
			return 0, fmt.Errorf("journal: append: entry %d (%s): body of %d bytes, at most %d are taken: %w", i, n.Kind, len(n.Body), MaxBody, ErrInvalid)
		}
		size += len(n.Body)
	}
	if size > maxBatch {
		return 0, fmt.Errorf("journal: append: %d bytes at once, at most %d are taken: %w", size, maxBatch, ErrInvalid)
	}
	return size, nil
}

func isKind(kind string) bool {
	if kind == "" || len(kind) > MaxKind {
		return false
	}
	for i := range len(kind) {
		switch c := kind[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '/':
		default:
			return false
		}
	}
	return true
}
