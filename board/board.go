// Package board is the public state: what is warned, signed, numbered and confirmed
// every ten seconds, so that anyone can carry it and nobody on the way is trusted.
//
// In: what each warning says (alert items), the time, the keys; or, for a client, lines
// that came from anywhere. Out: frames, each the exact signed bytes of one line; or, for
// a client, one verdict a line and the state to show. It never reads a clock, does I/O or
// starts a goroutine; it has nothing that could carry a track or a sensor; and it never
// turns silence into an all-clear.
//
// The public contract of all this is docs/contract.md.
package board

import (
	"time"

	"tocsin/core/alert"
	"tocsin/core/zone"
)

// Bounds of the contract.
const (
	// MaxFrame is the longest line a client reads, in bytes.
	MaxFrame = 1 << 20
	// MaxChange is the longest line of a change, in bytes; what does not fit becomes several.
	MaxChange = 16 << 10
	// BeatEvery is the time between two beats of a chain.
	BeatEvery = 10 * time.Second
	// KeepEnds is how long an ended zone stays on the board.
	KeepEnds = 60 * time.Minute
	// Patience is how long past its due time a chain may be silent before it is deaf.
	Patience = 20 * time.Second
	// ClockApart is how far a frame may be from the client's clock without a flag.
	ClockApart = 5 * time.Minute
)

// The chains that are not a region of the zone set.
const (
	Whole = string(zone.Everywhere) // the whole country
	Test  = string(zone.TestRegion)
)

// Kind is what a frame is.
type Kind string

// Board is the whole state of a chain, Change what changed, Beat that nothing did.
const (
	Board  Kind = "board"
	Change Kind = "change"
	Beat   Kind = "beat"
)

// Picture is the contract's one word for the whole country: is there a picture at all.
type Picture string

// The three words. The zero value is not one of them.
const (
	PictureLive    Picture = "live"
	PicturePartial Picture = "partial"
	PictureNone    Picture = "none"
)

// Valid reports whether p is one of the contract's words.
func (p Picture) Valid() bool {
	return p == PictureLive || p == PicturePartial || p == PictureNone
}

// Frame is one line as it was signed, with what it is beside it. Line has no line end, is
// never encoded again on the way, and must not be changed.
type Frame struct {
	Region string
	Kind   Kind
	Seq    int64
	At     time.Time
	Line   []byte
}

// Empty reports whether there is no frame at all.
func (f Frame) Empty() bool { return len(f.Line) == 0 }

// Payload is what a frame says. Times are UTC with milliseconds.
type Payload struct {
	Universe alert.Universe
	Region   string
	Kind     Kind
	Seq      int64
	Prev     int64 // change only
	At       time.Time
	Items    []alert.Item // board and change; zones ascending, a zone in at most one item
	Active   int          // beat: zones that are not quiet
	Digest   string       // beat
	Picture  Picture      // board and beat
	Set      string       // board: version of the zone set
	Next     time.Time    // the next frame of the chain comes not later
}
