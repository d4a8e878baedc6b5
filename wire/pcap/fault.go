package pcap

import (
	"errors"
	"fmt"
)

// What can be wrong with a frame. Fault.Err is one of these.
var (
	ErrLink     = errors.New("link type not understood")
	ErrFrame    = errors.New("frame does not decode")
	ErrCut      = errors.New("cut short by the capture")
	ErrMissing  = errors.New("fragments missing")
	ErrConflict = errors.New("fragments contradict each other")
	ErrCrowded  = errors.New("too many datagrams in fragments at once")
)

// Fault is one kind of thing wrong, how often, and where first.
type Fault struct {
	Err   error
	Frame int // the first, from 1
	Count int
}

// Error is one line.
func (f Fault) Error() string {
	if f.Count == 1 {
		return fmt.Sprintf("pcap: frame %d: %v", f.Frame, f.Err)
	}
	return fmt.Sprintf("pcap: frame %d and %d more: %v", f.Frame, f.Count-1, f.Err)
}

// Unwrap lets callers ask errors.Is(f, ErrCut).
func (f Fault) Unwrap() error { return f.Err }

func (r *Reader) fault(frame int, err error) {
	for i := range r.faults {
		if r.faults[i].Err == err {
			r.faults[i].Count++
			return
		}
	}
	r.faults = append(r.faults, Fault{err, frame, 1})
}

// Faults are what has been found wrong so far, by kind, in the order of first sight.
func (r *Reader) Faults() []Fault { return append([]Fault(nil), r.faults...) }
