package desk

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
)

// Warnings is the body of GET /v1/warnings, in the order in which they began.
type Warnings struct {
	At       time.Time `json:"at"`
	Warnings []Warning `json:"warnings"`
}

// Warning is one warning in force. It tells how many causes it has and not which: a track
// does not leave the core.
type Warning struct {
	ID       warning.ID     `json:"id"`
	Revision int            `json:"revision"`
	Since    time.Time      `json:"since"`
	Changed  time.Time      `json:"changed"`
	Until    time.Time      `json:"until"` // the latest of its zones
	By       warning.Issuer `json:"by"`
	Reason   string         `json:"reason,omitempty"`
	Causes   int            `json:"causes"`
	Threats  []class.Class  `json:"threats"` // gravest first
	Prepare  []zone.ID      `json:"prepare"`
	Shelter  []zone.ID      `json:"shelter"`
}

func view(w warning.Warning) Warning {
	v := Warning{
		ID: w.ID, Revision: w.Revision, Since: w.Since, Changed: w.At, By: w.By, Reason: w.Reason,
		Causes: len(w.Causes), Threats: []class.Class{}, Prepare: []zone.ID{}, Shelter: []zone.ID{},
	}
	for _, z := range w.Zones {
		if z.Until.After(v.Until) {
			v.Until = z.Until
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
	out := Warnings{At: d.cfg.Now().UTC().Truncate(time.Millisecond), Warnings: []Warning{}}
	for _, one := range d.cfg.Warnings() {
		if !one.Over() {
			out.Warnings = append(out.Warnings, view(one))
		}
	}
	slices.SortFunc(out.Warnings, func(a, b Warning) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	write(w, http.StatusOK, "application/json", out)
}

// Conditions is the body of GET /v1/conditions: what of ours is not well.
type Conditions struct {
	At         time.Time          `json:"at"`
	Conditions []health.Condition `json:"conditions"`
}

func (d *Desk) serveConditions(w http.ResponseWriter, _ *http.Request) {
	out := Conditions{At: d.cfg.Now().UTC().Truncate(time.Millisecond), Conditions: d.cfg.Conditions()}
	if out.Conditions == nil {
		out.Conditions = []health.Condition{}
	}
	write(w, http.StatusOK, "application/json", out)
}
