package desk

import (
	"math"
	"net/http"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// proposed checks a person's word on what the policy proposes, against what waits now. What
// is spoken or withdrawn before the command is carried out is refused there.
func (d *Desk) proposed(now time.Time, g Grant, c Command) *refusal {
	set := d.cfg.Zones()
	waits, known := map[zone.ID]warning.Proposal{}, map[zone.ID]bool{}
	for _, p := range d.cfg.Proposals() {
		for _, id := range p.Zones {
			waits[id], known[id] = p, true
		}
	}
	a, r := resolve(set, c, known)
	if r != nil {
		return r
	}
	if r := g.outside(set, "zones", a.zones); r != nil {
		return r
	}
	if r := g.outside(set, "regions", a.regions); r != nil {
		return r
	}
	field := "zones"
	if len(c.Zones) == 0 {
		field = "regions"
	}
	var meant []zone.ID
	other := warning.Quiet
	for _, id := range slices.Concat(a.zones, a.regions) {
		switch p, there := waits[id]; {
		case !there:
		case p.Stage != c.Stage:
			other = p.Stage
		case !g.Everything && !g.Area.Class(p.Threat):
			return refuse(http.StatusForbidden, field, "means %q, where a warning of %s is proposed, of which the token %s may not speak", clip(string(id)), p.Threat, g.Name)
		default:
			meant = append(meant, id)
		}
	}
	switch {
	case len(meant) > 0 && c.Action == warning.Confirm:
		return d.confirmed(now, field, meant, waits)
	case len(meant) > 0:
		return nil
	case c.Action == warning.Confirm && g.Everything && other == warning.Quiet:
		return nil // it may be of a track that is too young to warn alone: the core knows
	case other != warning.Quiet:
		return refuse(http.StatusUnprocessableEntity, "stage", "is %s, and what is proposed there is %s; GET /v1/proposals lists what waits", c.Stage, other)
	}
	return refuse(http.StatusUnprocessableEntity, field, "names places where nothing is proposed: it was spoken, withdrawn or answered already; GET /v1/proposals lists what waits, GET /v1/warnings what is in force")
}

// confirmed refuses to confirm what no device would be told of. What may be said beside it
// must not wait for it.
func (d *Desk) confirmed(now time.Time, field string, meant []zone.ID, waits map[zone.ID]warning.Proposal) *refusal {
	s := d.cfg.Signing()
	if slices.ContainsFunc(meant, func(id zone.ID) bool { return s.Permits(now, waits[id].Threat, id) }) {
		return nil
	}
	return refuse(http.StatusForbidden, field, "means %s, where no key of the board may sign a warning of %s: no device would be told; `tocsin keys list` shows what the keys may say", places(meant), waits[meant[0]].Threat)
}

// Proposals is the body of GET /v1/proposals: what waits for a person, the most urgent first.
type Proposals struct {
	At        Time       `json:"at"`
	Proposals []Proposal `json:"proposals"`
}

// Modes of a proposal: one is spoken only if it is confirmed, the other unless it is vetoed.
const (
	modeConfirm = "confirm"
	modeVeto    = "veto"
)

// Proposal is one step that the policy proposes in some zones.
type Proposal struct {
	Mode   string        `json:"mode"`
	Stage  warning.Stage `json:"stage"`
	Threat class.Class   `json:"threat"`
	Zones  []zone.ID     `json:"zones"`
	Since  Time          `json:"since"`
	// Spoken is when it is spoken unless a person says no, and SecondsLeft how long that is
	// from At; absent where it waits for a confirmation.
	Spoken      *Time    `json:"spoken,omitempty"`
	SecondsLeft *float64 `json:"seconds_left,omitempty"`
}

func (d *Desk) serveProposals(w http.ResponseWriter, _ *http.Request) {
	now := d.cfg.Now()
	out := Proposals{At: Time(now), Proposals: []Proposal{}}
	for _, p := range d.cfg.Proposals() {
		one := Proposal{Mode: modeConfirm, Stage: p.Stage, Threat: p.Threat, Zones: p.Zones, Since: Time(p.Since)}
		if !p.SpokenAt.IsZero() {
			spoken, left := Time(p.SpokenAt), math.Floor(max(p.SpokenAt.Sub(now).Seconds(), 0)*10)/10
			one.Mode, one.Spoken, one.SecondsLeft = modeVeto, &spoken, &left
		}
		out.Proposals = append(out.Proposals, one)
	}
	write(w, http.StatusOK, "application/json", out)
}
