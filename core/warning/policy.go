package warning

import (
	"bytes"
	_ "embed"
	"time"

	"tocsin/core/class"
)

// Policy is the authority's rules, read from one versioned file. It is a value and safe
// to share.
type Policy struct {
	// Hash names the file's exact bytes: SHA-256 in hexadecimal.
	Hash string
	// Version is what the authority calls this edition of its file; empty where it says nothing.
	Version string
	// Longest is how long a warning outlives the last sight of what it is about.
	Longest time.Duration
	// Respect is how long a person's end holds against the same track.
	Respect time.Duration
	// Unidentified is what a track is taken for that nobody vouched for.
	Unidentified Unidentified
	// Young bounds the area that one track may warn before it has been seen often.
	Young Young
	// Rearm is for how long after a zone's all-clear or expiry the next danger there belongs
	// to the same warning: a salvo in waves is one episode.
	Rearm time.Duration
	// Rules are per class and stage; see Rule.
	Rules [class.Count][2]Rule
}

// Rule returns the rule of a class and a stage in force, Prepare or Shelter.
func (p Policy) Rule(c class.Class, s Stage) Rule {
	if !c.Valid() || s == Quiet || s > Shelter {
		return Rule{}
	}
	return p.Rules[c][s-1]
}

// Rule is when one stage starts and ends for one class.
type Rule struct {
	Probability float64       // that starts it, above 0, at most 1
	AtOnce      bool          // whatever time is left; Lead is 0 then
	Lead        time.Duration // before arrival, on top of shelter and delivery time
	Clear       float64       // as a fraction of Probability, above 0, below 1
	Hold        time.Duration // how long it must be clear
	Stay        time.Duration // the shortest time the stage lasts
	Mode        Mode
}

// Mode is what a decision of the policy needs before it is spoken. The zero value is
// automatic. Confirm waits for a person; a Veto lets a person say no for that long.
type Mode struct {
	Confirm bool
	Veto    time.Duration
}

// Automatic reports whether the decision is spoken at once.
func (m Mode) Automatic() bool { return m == Mode{} }

// Unidentified is what a track is taken for that nobody vouched for. The zero value
// takes it by its class.
type Unidentified struct {
	Ignore bool
	As     class.Class
	Fixed  bool // take it as As, whatever its class
}

// Young is the bound on a young track: one with fewer updates than Updates and seen by
// fewer kinds of sensor than Sensors. It warns by itself the zones it most probably reaches,
// up to People of them who live there, at least one zone; the rest waits for the next look
// or for a person. The zero value bounds nothing.
//
// With Last above 0 what waits is let go when people can wait no longer: so long before the
// earliest arrival, on top of delivery and the time to reach shelter, or where the arrival is
// not known. Then no zone is excepted.
type Young struct {
	Updates int
	Sensors int
	People  int
	Last    time.Duration
}

//go:embed policy.yaml
var shipped []byte

// DefaultPolicy is the policy that ships.
func DefaultPolicy() Policy {
	p, err := ReadPolicy(shipped)
	if err != nil {
		// The file is part of the program and TestDefaultPolicy reads it: this cannot happen
		// in a program that was tested, and no warning can be given without a policy.
		panic("warning: the policy that ships: " + err.Error())
	}
	return p
}

// ShippedPolicy returns the bytes of the policy that ships, for an authority to start from.
func ShippedPolicy() []byte { return bytes.Clone(shipped) }
