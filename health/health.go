// Package health is the shelf of named conditions: what of ours is not well.
//
// In: what a room noticed. Out: Condition values, and a Board that holds those
// raised now. It never decides what to do about one.
package health

import (
	"fmt"
	"time"
)

// Condition is one named thing that is not well, raised or cleared. Name is a short
// stable word ("feed-silent", "clock-step"); Subject says of what ("radar-north"),
// empty if of the whole. Count is how often so far, where that has a meaning.
type Condition struct {
	Name    string    `json:"name"`
	Subject string    `json:"subject,omitempty"`
	Raised  bool      `json:"raised"`
	At      time.Time `json:"at"`
	Detail  string    `json:"detail,omitempty"`
	Count   int       `json:"count,omitempty"`
}

// Key identifies the condition: a later one with the same key replaces it.
func (c Condition) Key() string { return c.Name + "\x00" + c.Subject }

// String is one line for logs, journal and traces.
func (c Condition) String() string {
	verb := "cleared"
	if c.Raised {
		verb = "raised"
	}
	s := fmt.Sprintf("condition %s %s", verb, c.Name)
	if c.Subject != "" {
		s += " " + c.Subject
	}
	if c.Detail != "" {
		s += ": " + c.Detail
	}
	return s
}
