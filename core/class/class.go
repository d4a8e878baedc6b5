// Package class is the contract's one list of threats, and probabilities over it.
//
// In: names as they stand in the public contract. Out: Class and Mix values. The
// list is for ever: a new kind of threat is appended, never inserted.
package class

import (
	"fmt"
	"math"
)

// Class is one kind of threat. The zero value is Unknown.
type Class uint8

// The contract's list. The order of the constants is not the order of gravity: see Rank.
const (
	Unknown Class = iota
	BallisticMissile
	CruiseMissile
	Rocket
	Drone
	GlideBomb
	Aircraft
	Count int = iota // how many classes there are; the length of a Mix
)

var names = [Count]string{"unknown", "ballistic-missile", "cruise-missile", "rocket", "drone", "glide-bomb", "aircraft"}

// All lists the classes in the contract's order, gravest first, Unknown last.
func All() [Count]Class {
	return [Count]Class{BallisticMissile, CruiseMissile, Rocket, Drone, GlideBomb, Aircraft, Unknown}
}

// Valid reports whether c is on the contract's list.
func (c Class) Valid() bool { return int(c) < Count }

// String is the contract's name.
func (c Class) String() string {
	if !c.Valid() {
		return fmt.Sprintf("class(%d)", uint8(c))
	}
	return names[c]
}

// Rank is the place in the contract's order: 0 is shown before 1. Unknown is last.
func (c Class) Rank() int {
	if c == Unknown || !c.Valid() {
		return Count - 1
	}
	return int(c) - 1
}

// Parse reads a contract name, exactly as written there.
func Parse(s string) (Class, error) {
	for i, n := range names {
		if n == s {
			return Class(i), nil
		}
	}
	return Unknown, fmt.Errorf("class: %q is not one of the contract's threats", s)
}

// MarshalText writes the contract's name.
func (c Class) MarshalText() ([]byte, error) {
	if !c.Valid() {
		return nil, fmt.Errorf("class: %d is not one of the contract's threats", uint8(c))
	}
	return []byte(names[c]), nil
}

// UnmarshalText reads a contract name.
func (c *Class) UnmarshalText(b []byte) error {
	got, err := Parse(string(b))
	if err != nil {
		return err
	}
	*c = got
	return nil
}

// Mix is a probability over the classes, indexed by Class; it sums to one, or is
// all zero where nothing is said.
type Mix [Count]float64

// Of is certainty of one class.
func Of(c Class) Mix {
	var m Mix
	m[c] = 1
	return m
}

// Said reports whether the mix says anything at all.
func (m Mix) Said() bool {
	for _, p := range m {
		if p != 0 {
			return true
		}
	}
	return false
}

// Best is the likeliest class; ties go to the graver by Rank. A mix that says nothing is Unknown.
func (m Mix) Best() Class {
	best, top := Unknown, 0.0
	for _, c := range All() {
		if m[c] > top {
			best, top = c, m[c]
		}
	}
	return best
}

// Normal scales the mix to sum to one. A mix with no positive, finite mass says nothing.
func (m Mix) Normal() Mix {
	var sum float64
	for i, p := range m {
		if !(p > 0) || math.IsInf(p, 0) {
			m[i] = 0
			continue
		}
		sum += p
	}
	if sum == 0 || math.IsInf(sum, 0) {
		return Mix{}
	}
	for i := range m {
		m[i] /= sum
	}
	return m
}
