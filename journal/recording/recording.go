// Package recording keeps the newest inputs of the core in a bounded number of files, so that
// a night can be replayed.
//
// In: opaque bytes, each with its time. Out: the same bytes in the order of writing. It never
// waits for the disk, never grows beyond its bounds (the oldest segment goes, and that is
// counted), and is never what a restart depends on: that is the journal. Its newest records
// may be lost in a power cut; what is torn or missing is counted and passed over on reading.
//
// A body that is too long for one record is written as several, its parts, and given back whole.
//
// The folder holds segments named NUMBER-SALT.rec: NUMBER twelve decimal digits that grow,
// SALT sixteen hexadecimal digits that the checksums of the segment's records begin with. The
// salt stands in the name so that no lost first page can take a segment with it.
package recording

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tocsin/journal/internal/frame"
)

// Bounds.
const (
	MaxBody         = 64 << 20  // bytes of one body
	maxRecord       = 1 << 20   // bytes of one record: a body longer than that has parts
	maxSegmentBytes = 256 << 20 // and what Read takes of a foreign file
	minSegmentBytes = 2 * maxRecord
	maxSegments     = 100_000
	maxNumber       = 900_000_000_000 // leaves room to count on behind any file that is believed
)

// ErrInvalid says that a body is longer than MaxBody, or than half of what the recording may
// hold, or that Options are out of bounds.
var ErrInvalid = errors.New("outside the bounds of the recording")

// Options of Open. The zero value keeps at most 1 GiB.
type Options struct {
	SegmentBytes int // of one file: 2 MiB to 256 MiB; 16 MiB if 0
	Segments     int // how many files: 2 to 100,000; 64 if 0
}

// Stats are counts since Open, and what is there now, for metrics.
type Stats struct {
	Records int64 // bodies written
	Lost    int64 // refused or failed: not in the recording
	Dropped int64 // segments deleted because of the bounds, or by DropOldest
	Bytes   int64 // on disk now
}

// Recording is an open recording. Its methods may be called from many goroutines. Only one
// process may have a folder open for writing; the journal's lock sees to that.
type Recording struct {
	mu       sync.Mutex
	dir      string
	opts     Options
	segments []segment // oldest first; the last is being written if file is not nil
	file     *os.File
	number   uint64 // of the last record in file
	stats    Stats
	scratch  []byte
	part     []byte // room for a record
	bodies   uint64 // how many of several parts were begun
	closed   bool
}

type segment struct {
	name   string
	number uint64
	salt   uint64
	bytes  int64
}

// Open opens the recording in dir, making the folder if it does not exist, and deletes what
// is over the bounds. Writing begins a new segment; none is continued.
func Open(dir string, opts Options) (*Recording, error) {
	opts.SegmentBytes, opts.Segments = cmp.Or(opts.SegmentBytes, 16<<20), cmp.Or(opts.Segments, 64)
	if opts.SegmentBytes < minSegmentBytes || opts.SegmentBytes > maxSegmentBytes || opts.Segments < 2 || opts.Segments > maxSegments {
		return nil, fmt.Errorf("recording: open: %d segments of %d bytes: %w", opts.Segments, opts.SegmentBytes, ErrInvalid)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("recording: open: %w", err)
	}
	segments, err := list(dir)
	if err != nil {
		return nil, fmt.Errorf("recording: open: %w", err)
	}
	r := &Recording{dir: dir, opts: opts, segments: segments}
	for _, s := range segments {
		r.stats.Bytes += s.bytes
	}
	if err := r.bound(0); err != nil {
		return nil, fmt.Errorf("recording: open: %w", err)
	}
	return r, nil
}

// list returns the segments of a folder, oldest first. Other files are not ours and left alone.
func list(dir string) ([]segment, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []segment
	for _, n := range names {
		s, ok := parseName(n.Name())
		if !ok || !n.Type().IsRegular() {
			continue
		}
		info, err := n.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // dropped while we looked
		}
		if err != nil {
			return nil, err
		}
		s.bytes = info.Size()
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b segment) int { return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.salt, b.salt)) })
	return out, nil
}

const nameLength = 12 + 1 + 16 + 4

func (s segment) fileName() string { return fmt.Sprintf("%012d-%016x.rec", s.number, s.salt) }

func parseName(name string) (segment, bool) {
	stem, isRec := strings.CutSuffix(name, ".rec")
	number, salt, _ := strings.Cut(stem, "-")
	if !isRec || len(name) != nameLength || len(number) != 12 {
		return segment{}, false
	}
	n, err1 := strconv.ParseUint(number, 10, 64)
	x, err2 := strconv.ParseUint(salt, 16, 64)
	s := segment{name: name, number: n, salt: x}
	return s, err1 == nil && err2 == nil && n <= maxNumber && s.fileName() == name
}

// bound deletes the oldest segments until need more bytes and one more segment fit. The one
// that is being written stays.
func (r *Recording) bound(need int64) error {
	limit := int64(r.opts.SegmentBytes) * int64(r.opts.Segments)
	for len(r.segments) > 0 && (len(r.segments) >= r.opts.Segments || r.stats.Bytes+need > limit) {
		if err := r.dropOldest(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recording) dropOldest() error {
	oldest := r.segments[0]
	if err := os.Remove(filepath.Join(r.dir, oldest.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.segments = r.segments[1:]
	r.stats.Bytes -= oldest.bytes
	r.stats.Dropped++
	return nil
}

// DropOldest deletes the oldest segment to make room on a full disk for what matters more, and
// reports whether there was one. The one that is being written stays.
func (r *Recording) DropOldest() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.segments) == 0 || (r.file != nil && len(r.segments) == 1) {
		return false
	}
	return r.dropOldest() == nil
}

// Write records body, which stays the caller's, at a time that is kept in whole milliseconds
// UTC. It returns when the kernel has it. After an error this record is not in the recording
// (counted as Lost) and the next may be tried.
func (r *Recording) Write(at time.Time, body []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.body(at, body); err != nil {
		r.stats.Lost++
		return fmt.Errorf("recording: write: %w", err)
	}
	r.stats.Records++
	return nil
}

// body writes a body in as many records as it needs.
func (r *Recording) body(at time.Time, body []byte) error {
	if limit := min(MaxBody, r.opts.SegmentBytes*r.opts.Segments/2); len(body) > limit {
		return fmt.Errorf("%d bytes, at most %d are taken: %w", len(body), limit, ErrInvalid)
	}
	count := (len(body) + maxPart - 1) / maxPart
	if count <= 1 {
		return r.write(at, append(append(r.part[:0], whole), body...))
	}
	r.bodies++
	for i := range count {
		rest := body[i*maxPart:]
		record := partHead(r.part[:0], r.bodies, i, count)
		if err := r.write(at, append(record, rest[:min(maxPart, len(rest))]...)); err != nil {
			return err
		}
	}
	return nil
}

// write writes one record.
func (r *Recording) write(at time.Time, record []byte) error {
	r.part = record[:0]
	if r.closed {
		return os.ErrClosed
	}
	need := int64(frame.HeaderSize + len(record))
	if r.file == nil || r.segments[len(r.segments)-1].bytes+need > int64(r.opts.SegmentBytes) {
		if err := r.rotate(); err != nil {
			return err
		}
	}
	current := &r.segments[len(r.segments)-1]
	r.scratch = frame.Append(r.scratch[:0], current.salt, frame.Record{Number: r.number + 1, At: at.UnixMilli(), Body: record})
	n, err := r.file.WriteAt(r.scratch, current.bytes)
	if err != nil {
		// What was written in part is written over by the next, or is torn.
		return err
	}
	r.number++
	current.bytes += int64(n)
	r.stats.Bytes += int64(n)
	return nil
}

// rotate begins a new segment.
func (r *Recording) rotate() error {
	if r.file != nil {
		err := r.file.Close()
		r.file = nil
		if err != nil {
			return err
		}
	}
	if err := r.bound(int64(r.opts.SegmentBytes)); err != nil {
		return err
	}
	var salt [8]byte
	rand.Read(salt[:])
	next := segment{number: 1, salt: binary.BigEndian.Uint64(salt[:])}
	if len(r.segments) > 0 {
		next.number = r.segments[len(r.segments)-1].number + 1
	}
	next.name = next.fileName()
	f, err := os.OpenFile(filepath.Join(r.dir, next.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	r.file, r.number, r.segments = f, 0, append(r.segments, next)
	return nil
}

// Stats returns the counts now.
func (r *Recording) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Close ends writing. It does not sync. Calling it again does nothing.
func (r *Recording) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	if err != nil {
		return fmt.Errorf("recording: close: %w", err)
	}
	return nil
}

// Found says what Read came across.
type Found struct {
	Segments int   // read
	Records  int64 // bodies that are whole, of any time
	Missing  int64 // records known to have been written and not whole: at least so many
	Torn     int64 // bodies of which parts are there and parts are not
}

// Read yields the bodies of a folder whose time is at or after from and before to (no end if
// to is zero), in the order of writing. It may run while the folder is written; segments that
// are dropped meanwhile are passed over. The body is yield's. It ends when yield returns an
// error, with that error, or when ctx ends. It takes as much memory as one segment and one body.
func Read(ctx context.Context, dir string, from, to time.Time, yield func(at time.Time, body []byte) error) (Found, error) {
	var found Found
	segments, err := list(dir)
	if err != nil {
		return found, fmt.Errorf("recording: read: %w", err)
	}
	parts := joiner{found: &found}
	for _, s := range segments {
		if err := ctx.Err(); err != nil {
			return found, fmt.Errorf("recording: read: %w", err)
		}
		b, err := load(filepath.Join(dir, s.name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return found, fmt.Errorf("recording: read: %w", err)
		}
		seen, err := frame.Scan(b, s.salt, maxRecord, func(r frame.Record) error {
			body, ok := parts.take(r)
			at := time.UnixMilli(r.At).UTC()
			if !ok || at.Before(from) || (!to.IsZero() && !at.Before(to)) {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("recording: read: %w", err)
			}
			return yield(at, body)
		})
		found.Segments++
		found.Missing += int64(seen.Missing())
		if err != nil {
			return found, err
		}
	}
	parts.drop()
	return found, nil
}

func load(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSegmentBytes))
	return b, errors.Join(err, f.Close())
}
