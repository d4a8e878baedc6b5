package desk

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// Time is a time as every answer writes it: RFC 3339 in UTC with exactly three decimals.
type Time time.Time

// MarshalText writes it; what is finer than a millisecond is cut off.
func (t Time) MarshalText() ([]byte, error) { return []byte(stamp(time.Time(t))), nil }

// UnmarshalText reads RFC 3339.
func (t *Time) UnmarshalText(b []byte) error { return (*time.Time)(t).UnmarshalText(b) }

// Warnings is the body of GET /v1/warnings, in the order in which they began.
type Warnings struct {
	At       Time      `json:"at"`
	Warnings []Warning `json:"warnings"`
}

// Warning is one warning in force. It tells how many causes it has and not which: a track
// does not leave the core.
type Warning struct {
	ID       warning.ID     `json:"id"`
	Revision int            `json:"revision"`
	Since    Time           `json:"since"`
	Changed  Time           `json:"changed"`
	Until    Time           `json:"until"` // the latest of its zones
	By       warning.Issuer `json:"by"`
	Reason   string         `json:"reason,omitempty"`
	Causes   int            `json:"causes"`
	Threats  []class.Class  `json:"threats"` // gravest first
	Prepare  []zone.ID      `json:"prepare"`
	Shelter  []zone.ID      `json:"shelter"`
}

func view(w warning.Warning) Warning {
	v := Warning{
		ID: w.ID, Revision: w.Revision, Since: Time(w.Since), Changed: Time(w.At), By: w.By, Reason: w.Reason,
		Causes: len(w.Causes), Threats: []class.Class{}, Prepare: []zone.ID{}, Shelter: []zone.ID{},
	}
	for _, z := range w.Zones {
		if z.Until.After(time.Time(v.Until)) {
			v.Until = Time(z.Until)
		}
		if !slices.Contains(v.Threats, z.Threat) {
			v.Threats = append(v.Threats, z.Threat)
		}
		if z.Stage == warning.Shelter {
			v.Shelter = append(v.Shelter, z.Zone)
		} else {
			v.Prepare = append(v.Prepare, z.Zone)
		}
	}
	slices.SortFunc(v.Threats, func(a, b class.Class) int { return a.Rank() - b.Rank() })
	return v
}

func (d *Desk) serveWarnings(w http.ResponseWriter, _ *http.Request) {
	out := Warnings{At: Time(d.cfg.Now()), Warnings: []Warning{}}
	for _, one := range d.cfg.Warnings() {
		if !one.Over() {
			out.Warnings = append(out.Warnings, view(one))
		}
	}
	slices.SortFunc(out.Warnings, func(a, b Warning) int {
		if c := time.Time(a.Since).Compare(time.Time(b.Since)); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	write(w, http.StatusOK, "application/json", out)
}

// Conditions is the body of GET /v1/conditions: what of ours is not well.
type Conditions struct {
	At         Time        `json:"at"`
	Conditions []Condition `json:"conditions"`
}

// Condition is one of them, raised.
type Condition struct {
	Name    string `json:"name"`
	Subject string `json:"subject,omitempty"`
	Raised  bool   `json:"raised"`
	At      Time   `json:"at"`
	Detail  string `json:"detail,omitempty"`
	Count   int    `json:"count,omitempty"`
}

func (d *Desk) serveConditions(w http.ResponseWriter, _ *http.Request) {
	out := Conditions{At: Time(d.cfg.Now()), Conditions: []Condition{}}
	for _, c := range d.cfg.Conditions() {
		out.Conditions = append(out.Conditions, Condition{c.Name, c.Subject, c.Raised, Time(c.At), c.Detail, c.Count})
	}
	write(w, http.StatusOK, "application/json", out)
}
