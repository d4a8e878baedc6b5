package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tocsin/journal/internal/frame"
)

const (
	spokenName = "spoken.log"
	// spokenReserve is set aside when the file is made, so that there is a place to write
	// to when the disk is full: the hour it is for.
	spokenReserve = 4 << 20
	// spokenLimit is where Append gives up with ErrFull.
	spokenLimit = 64 << 20
	// spokenRecord is the longest body of a record: length of the kind, kind, body.
	spokenRecord = 1 + MaxKind + MaxBody
)

// Spoken is the file of what had to be said before its commit was certain: entries written
// with one write(2) and not synced, so that a disk which does not answer delays nothing. It
// outlives the death of the process; a power cut may take its newest records, which are
// framed so that a torn one is known for what it is.
//
// At the next start the node takes Read's entries into the journal and calls Reset. Dying in
// between, or before Reset is on disk, means that they are read once more: entries carry ids
// of their own, and what is known already is passed over.
//
// Its methods may be called from many goroutines. Only the process that holds the journal's
// folder may have it open.
type Spoken struct {
	mu      sync.Mutex
	slots   *slots
	salt    uint64
	found   frame.Found // what was there at open and is still unread or not reset
	end     int64       // where the next record goes
	number  uint64      // of the last record
	lost    int         // records known lost in ways that frame cannot count
	reserve int64       // bytes that the file keeps when it is empty
	scratch []byte
}

// SpokenState is what waits in a Spoken to be taken into the journal.
type SpokenState struct {
	Records int   // whole ones
	Missing int   // records known to have been written and not whole: at least so many
	Bytes   int64 // of the file in use, at most 64 MiB
}

// OpenSpoken opens spoken.log in dir, making it if it does not exist, with 4 MiB set aside
// if the disk has them. On a disk without any room a new file gives ErrFull; one that was
// made before opens.
func OpenSpoken(dir string) (*Spoken, error) { return openSpoken(dir, spokenReserve) }

func openSpoken(dir string, reserve int64) (*Spoken, error) {
	s := &Spoken{end: slotsEnd, reserve: reserve}
	if err := s.open(dir); err != nil {
		if isNoSpace(err) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		if s.slots != nil {
			err = errors.Join(err, s.slots.f.Close())
		}
		return nil, fmt.Errorf("journal: spoken: open: %w", err)
	}
	return s, nil
}

func (s *Spoken) open(dir string) (err error) {
	if s.slots, err = openSlots(filepath.Join(dir, spokenName)); err != nil {
		return err
	}
	if s.slots.whole {
		s.salt = binary.BigEndian.Uint64(s.slots.statement[:])
		b, err := s.bytes()
		if err != nil {
			return err
		}
		s.found, _ = frame.Scan(b, s.salt, spokenRecord, func(frame.Record) error { return nil })
		s.end, s.number = slotsEnd+int64(s.found.End), s.found.Last
	} else {
		if s.slots.dirty {
			s.lost = 1 // a head there was, and what it vouched for cannot be told any more
		}
		if err := s.begin(); err != nil {
			return err
		}
	}
	if err := s.setAside(); err != nil && !isNoSpace(err) {
		return err
	}
	return syncDir(dir)
}

// setAside makes the file at least as long as its reserve, of blocks that are really its own.
func (s *Spoken) setAside() error {
	info, err := s.slots.f.Stat()
	if err != nil || info.Size() >= s.reserve {
		return err
	}
	if _, err := s.slots.f.WriteAt(make([]byte, s.reserve-info.Size()), info.Size()); err != nil {
		return err
	}
	return s.slots.f.Sync()
}

// begin starts an empty log: with a new salt nothing written before is a record any more.
func (s *Spoken) begin() error {
	var statement [statementSize]byte
	rand.Read(statement[:8])
	if err := s.slots.write(statement); err != nil {
		return err
	}
	s.salt = binary.BigEndian.Uint64(statement[:])
	s.found, s.end, s.number = frame.Found{}, slotsEnd, 0
	return s.slots.f.Sync()
}

// bytes reads the part of the file that holds records.
func (s *Spoken) bytes() ([]byte, error) {
	info, err := s.slots.f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, max(0, min(info.Size(), spokenLimit)-slotsEnd))
	n, err := io.ReadFull(io.NewSectionReader(s.slots.f, slotsEnd, int64(len(b))), b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil // cut by another program in this instant
	}
	return b[:n], err
}

// Append writes the entries, on the terms of Journal.Append for their bounds, and returns when
// the kernel has them: the death of the process loses nothing, a power cut may. ErrFull means
// that neither the disk nor the file's own 64 MiB have room; nothing was written then.
// Whatever the error, what is urgent is to be said all the same.
func (s *Spoken) Append(entries ...New) error {
	if _, err := check(entries); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, number := s.scratch[:0], s.number
	for _, n := range entries {
		number++
		body := make([]byte, 0, 1+len(n.Kind)+len(n.Body))
		body = append(append(append(body, byte(len(n.Kind))), n.Kind...), n.Body...)
		b = frame.Append(b, s.salt, frame.Record{Number: number, At: n.At.UnixMilli(), Body: body})
	}
	if s.end+int64(len(b)) > spokenLimit {
		return fmt.Errorf("journal: spoken: %d bytes are waiting: %w", s.end, ErrFull)
	}
	if cap(b) <= maxBatch/16 {
		s.scratch = b
	}
	if _, err := s.slots.f.WriteAt(b, s.end); err != nil {
		if isNoSpace(err) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		return fmt.Errorf("journal: spoken: %w", err)
	}
	s.end, s.number = s.end+int64(len(b)), number
	s.found.Whole, s.found.Last = s.found.Whole+uint64(len(entries)), number
	return nil
}

// State says what is waiting.
func (s *Spoken) State() SpokenState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SpokenState{Records: int(s.found.Whole), Missing: int(s.found.Missing()) + s.lost, Bytes: s.end}
}

// Read yields every whole entry in the order of writing; what is torn is passed over and
// counted by State. The body is yield's. If yield returns an error, Read ends with it.
func (s *Spoken) Read(yield func(New) error) error {
	s.mu.Lock()
	b, err := s.bytes()
	salt := s.salt
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("journal: spoken: read: %w", err)
	}
	_, err = frame.Scan(b, salt, spokenRecord, func(r frame.Record) error {
		if n, ok := spokenEntry(r); ok {
			return yield(n)
		}
		return nil
	})
	return err
}

// spokenEntry takes a record's body apart: one byte length of the kind, kind, body. The
// checksums bear that we wrote it; what is not an entry all the same is none.
func spokenEntry(r frame.Record) (New, bool) {
	if len(r.Body) == 0 || len(r.Body) < 1+int(r.Body[0]) {
		return New{}, false
	}
	k := 1 + int(r.Body[0])
	n := New{At: time.UnixMilli(r.At).UTC(), Kind: string(r.Body[1:k]), Body: r.Body[k:]}
	return n, isKind(n.Kind) && len(n.Body) <= MaxBody
}

// Reset empties the log, once what was in it is in the journal. When it returns nil that is on
// disk; until then a crash leaves the log as it was or empty. It waits for the disk.
func (s *Spoken) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(); err != nil {
		return fmt.Errorf("journal: spoken: reset: %w", err)
	}
	s.lost = 0
	// Only now: blocks of a log that still counts must not be given back.
	info, err := s.slots.f.Stat()
	if keep := max(s.reserve, slotsEnd); err == nil && info.Size() > keep {
		err = s.slots.f.Truncate(keep)
	}
	if err != nil {
		return fmt.Errorf("journal: spoken: reset: %w", err)
	}
	return nil
}

// Close closes the file; what is in it stays for the next start.
func (s *Spoken) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.slots.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("journal: spoken: close: %w", err)
	}
	return nil
}
