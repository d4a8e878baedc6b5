// Package track keeps the fused picture: it associates observations, starts tracks,
// filters, confirms, coasts and ends them.
//
// In: observations and the time. Out: tracks that changed, and which sources are
// alive. It never forecasts where a track goes and never decides who is warned.
//
// # What comes late
//
// Everything said within Config.Late is kept, with copies of the picture at some moments
// of that time. What comes late is put where it belongs, and all that was observed since
// is taken again from the copy before it: the picture is then what it would be had
// everything come in order. A replay that is dear waits up to a quarter of a second, so that
// one serves many.
//
// What has been told stays told; a replay tells how the picture now differs from it, and
// nothing else. A track that rests on the same observations as before keeps its id (by the
// first of them, else by most of the last eight). One whose belief is another is WasUpdated,
// with a higher revision and possibly an earlier At; one that is new is WasConfirmed; one of
// which nothing is left is WasEnded: Merged into the track that has its observations
// now, else for the reason that the replay found, else Lost. What has ended stays ended: if
// its observations make a track again, that has a new id. All this is determined by the
// calls and their order alone.
//
// Time alone is looked at in steps of a full second of observed time, one second
// behind now, so that what comes at the usual pace finds the picture as it was.
package track

import (
	"fmt"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

// ID names a track, stable for its life and never used again by a later one.
type ID string

// Status is where a track is in its life.
type Status uint8

// A track starts tentative; Coasting is confirmed and unseen for longer than its
// sources' periods allow. Ended is final.
const (
	Tentative Status = iota
	Confirmed
	Coasting
	Ended
)

var statusNames = [...]string{"tentative", "confirmed", "coasting", "ended"}

func (s Status) String() string { return nameOf(statusNames[:], int(s)) }

// MarshalText writes the name.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reason says why a track ended. Landed is the only one that is evidence
// that the danger is over; Lost and Never are not.
type Reason uint8

// Landed: its trajectory came to the ground. Lost: unseen for too long. Merged: it
// was a second track of the same object, which lives on as Into.
const (
	NoReason Reason = iota
	Landed
	Lost
	Merged
)

var reasonNames = [...]string{"", "landed", "lost", "merged"}

func (r Reason) String() string { return nameOf(reasonNames[:], int(r)) }

// MarshalText writes the name.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func nameOf(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("?%d", i)
	}
	return names[i]
}

// State is where an object is and how it moves, in ECEF metres and metres per
// second. Covariance is of (x, y, z, vx, vy, vz).
type State struct {
	Position   geo.ECEF      `json:"position"`
	Velocity   [3]float64    `json:"velocity"`
	Covariance [6][6]float64 `json:"covariance"`
}

// Identity is what is believed of whose the object is, and why. Standing is the
// verdict by the order of evidence in rules.md: a person's word, a friend-or-foe
// answer, a matching cooperative report, Mode 3/A.
type Identity struct {
	Standing observation.Allegiance `json:"standing"`
	Known    observation.Identity   `json:"known,omitzero"`
	Evidence []string               `json:"evidence,omitempty"` // bounded; one line each
}

// Contribution is one source's part in a track.
type Contribution struct {
	Source string    `json:"source"`
	Kind   string    `json:"kind"`
	LastAt time.Time `json:"last_at"`
}

// Modes are the weights of the motion models that explain the track; they sum to one.
type Modes struct {
	Steady    float64 `json:"steady"`
	Manoeuvre float64 `json:"manoeuvre"`
	Ballistic float64 `json:"ballistic"`
}

// Track is our fused belief about one object at At.
type Track struct {
	ID        ID             `json:"id"`
	Revision  int            `json:"revision"` // grows with each change
	At        time.Time      `json:"at"`
	Status    Status         `json:"status"`
	Reason    Reason         `json:"reason,omitempty"` // set when Status is Ended
	Into      ID             `json:"into,omitempty"`   // set when Reason is Merged
	State     State          `json:"state"`
	Modes     Modes          `json:"modes"`
	Class     class.Mix      `json:"class"`
	Existence float64        `json:"existence"` // 0 to 1
	Identity  Identity       `json:"identity"`
	Updates   int            `json:"updates"` // how many observations it rests on
	Sources   []Contribution `json:"sources"`
	Since     time.Time      `json:"since"`
	SeenAt    time.Time      `json:"seen_at"` // when it was last observed
	// Missed is in how many looks since then sources that had been seeing it did not.
	Missed int `json:"missed,omitempty"`
	// Recent are the last observations it rests on, oldest first, at most 8. They are shared
	// between revisions and never written again: read them only.
	Recent []*observation.Observation `json:"-"`
}

// Kind says what happened to a track.
type Kind uint8

// One change a track and step at most, the strongest of these.
const (
	WasUpdated Kind = iota
	WasConfirmed
	WasEnded
)

// Change is one track that changed. The Track is a copy that belongs to the receiver.
type Change struct {
	Kind  Kind
	Track Track
}

// Live is one registered source and whether it is alive: it has said something,
// if only an Absence, within a few of its periods.
type Live struct {
	Source observation.Source
	Alive  bool
	LastAt time.Time // zero: never heard
}
