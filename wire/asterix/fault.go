package asterix

import (
	"errors"
	"fmt"
)

// What can be wrong with received octets. Fault.Err is one of these.
var (
	ErrTruncated = errors.New("truncated")                       // octets announced are not there
	ErrLength    = errors.New("impossible length")               // a length too short to hold itself
	ErrCategory  = errors.New("unknown category")                // no table
	ErrEdition   = errors.New("unknown edition")                 // no table for what is configured
	ErrEmpty     = errors.New("record without items")            // an FSPEC of zeros
	ErrUnused    = errors.New("announces an unused field")       // FSPEC bit that means nothing in this edition
	ErrProfile   = errors.New("no field says which profile")     // category with several UAPs
	ErrTwice     = errors.New("item twice in one record")        // only by random field sequencing
	ErrExtent    = errors.New("extension unknown in edition")    // read over, record kept
	ErrExpansion = errors.New("expansion field does not decode") // kept as octets, record kept
	ErrMore      = errors.New("more faults not listed")          // see MaxFaults
)

// MaxFaults bounds the faults that one call of Decode lists. What is beyond is counted
// in the last one, whose Err is ErrMore.
const MaxFaults = 64

// Fault is one thing wrong with what was received.
type Fault struct {
	Category uint8
	Edition  string // empty where none is known
	Item     string // "040", "380/TIS"; empty where it is the block or the FSPEC
	Offset   int    // octets from the start of what was decoded
	Err      error  // one of the sentinels above
	Wanted   int    // octets, where Err is about a length
	Had      int    // octets, where Err is about a length; a count for ErrMore
	// Kept says that the record it is in, or (a truncated block) what was there of it, was
	// decoded all the same.
	Kept bool
}

// Error is one line: category, edition, item, offset, cause, and what became of it.
func (f Fault) Error() string {
	if f.Err == ErrMore {
		return fmt.Sprintf("asterix: %d %v", f.Had, f.Err)
	}
	s := fmt.Sprintf("asterix: category %03d", f.Category)
	if f.Edition != "" {
		s += " edition " + f.Edition
	}
	if f.Item != "" {
		s += fmt.Sprintf(": I%03d/%s", f.Category, f.Item)
	}
	s += fmt.Sprintf(" at octet %d: %v", f.Offset, f.Err)
	if f.Wanted > 0 || errors.Is(f.Err, ErrTruncated) || errors.Is(f.Err, ErrLength) {
		s += fmt.Sprintf(" (%d wanted, %d there)", f.Wanted, f.Had)
	}
	if f.Kept {
		return s + "; the rest is kept"
	}
	return s + "; record lost"
}

// Unwrap lets callers ask errors.Is(f, ErrTruncated).
func (f Fault) Unwrap() error { return f.Err }
