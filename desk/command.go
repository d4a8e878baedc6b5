package desk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// Bounds of what a command says.
const (
	maxID     = 64   // characters of a command's id
	maxWarned = 20   // of a warning's id
	maxZone   = 128  // bytes of a zone's or region's id
	maxReason = 1000 // bytes
	maxWords  = 280  // bytes
	// Ahead is how far ahead an until may lie: what lasts longer is extended, so that no
	// forgotten warning stands for days.
	Ahead = 24 * time.Hour
	// Apart is how far a caller's clock may be from ours.
	Apart = 5 * time.Minute
)

// Command is the body of POST /v1/commands. A client may make it and marshal it.
type Command struct {
	// ID is the caller's own, 1 to 64 of A-Z a-z 0-9 . _ : / -; ids of all tokens are one space.
	ID      string         `json:"id"`
	Action  warning.Action `json:"action"`
	Warning warning.ID     `json:"warning,omitempty"`
	Zones   []zone.ID      `json:"zones,omitempty"`
	Regions []zone.ID      `json:"regions,omitempty"`
	Stage   warning.Stage  `json:"stage,omitempty"`
	Threat  *class.Class   `json:"threat,omitempty"`
	Until   time.Time      `json:"until,omitzero"`
	End     warning.End    `json:"end,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	// Sent is the caller's clock when the command was sent. It is no part of the content.
	Sent    time.Time `json:"sent,omitzero"`
	Observe *Observe  `json:"observe,omitempty"`
	// Universe is the one that the command is meant for: in the other it is refused. Empty is
	// whichever takes it.
	Universe alert.Universe `json:"universe,omitempty"`
}

// members says which of a command's members an action must have and may have, beside id,
// action, sent and universe.
type members struct{ must, may []string }

// takes is the whole of what each action takes; its keys are the actions of the door.
var takes = map[warning.Action]members{
	warning.Declare:  {must: []string{"stage", "threat", "until", "reason"}, may: []string{"zones", "regions"}},
	warning.Extend:   {must: []string{"until"}, may: []string{"warning", "zones", "regions", "reason"}},
	warning.EndsZone: {must: []string{"end", "reason"}, may: []string{"warning", "zones", "regions"}},
	pipeline.Observe: {must: []string{"observe"}},
	warning.Confirm:  {must: []string{"stage"}, may: []string{"zones", "regions", "reason"}},
	warning.Veto:     {must: []string{"stage", "reason"}, may: []string{"zones", "regions"}},
}

// Actions lists what the door takes, in the contract's order.
func Actions() []warning.Action {
	return []warning.Action{warning.Declare, warning.Extend, warning.EndsZone, pipeline.Observe, warning.Confirm, warning.Veto}
}

// decode reads a command strictly: its form, and nothing that depends on the time, on the
// zones or on who asks.
func decode(b []byte) (Command, *fault) {
	var c Command
	v, f := parse(b)
	if f != nil {
		return c, f
	}
	has, f := v.members("", map[string]func(value) *fault{
		"id":      func(v value) (f *fault) { c.ID, f = v.token("id", maxID); return f },
		"action":  func(v value) (f *fault) { return v.action(&c.Action) },
		"warning": func(v value) *fault { s, f := v.token("warning", maxWarned); c.Warning = warning.ID(s); return f },
		"zones":   func(v value) (f *fault) { c.Zones, f = v.ids("zones"); return f },
		"regions": func(v value) (f *fault) { c.Regions, f = v.ids("regions"); return f },
		"stage":   func(v value) *fault { return v.stage(&c.Stage) },
		"threat":  func(v value) *fault { c.Threat = new(class.Class); return v.class("threat", c.Threat) },
		"until":   func(v value) (f *fault) { c.Until, f = v.time("until"); return f },
		"end":     func(v value) *fault { return v.end(&c.End) },
		"reason":  func(v value) (f *fault) { c.Reason, f = v.words("reason", maxReason); return f },
		"sent":    func(v value) (f *fault) { c.Sent, f = v.time("sent"); return f },
		"observe": func(v value) (f *fault) { c.Observe, f = v.observe(); return f },
		"universe": func(v value) *fault {
			s, f := v.oneOf("universe", []string{string(alert.Live), string(alert.Exercise)})
			c.Universe = alert.Universe(s)
			return f
		},
	})
	if f != nil {
		return c, f
	}
	// The order of places says nothing, and is no part of the content.
	slices.Sort(c.Zones)
	slices.Sort(c.Regions)
	c.Zones, c.Regions = slices.Compact(c.Zones), slices.Compact(c.Regions)
	return c, c.complete(has)
}

// always are the members that every action may have.
var always = []string{"id", "action", "sent", "universe"}

// complete refuses what is missing and what has no meaning in the action.
func (c *Command) complete(has []string) *fault {
	for _, name := range []string{"id", "action"} {
		if !slices.Contains(has, name) {
			return &fault{name, "is missing"}
		}
	}
	m := takes[c.Action]
	for _, name := range m.must {
		if !slices.Contains(has, name) {
			return &fault{name, fmt.Sprintf("is missing; %s needs %s", c.Action, list(m.must))}
		}
	}
	for _, name := range has {
		if !slices.Contains(always, name) && !slices.Contains(m.must, name) && !slices.Contains(m.may, name) {
			return &fault{name, fmt.Sprintf("has no meaning in %s; leave it out", c.Action)}
		}
	}
	switch {
	case c.Action == pipeline.Observe:
		return nil
	case len(c.Zones)+len(c.Regions) > 0 || c.Warning != "":
		return nil
	case !slices.Contains(m.may, "warning"):
		return &fault{"zones", "is missing; name zones, regions, or both"}
	default:
		return &fault{"zones", "is missing; name a warning, zones or regions"}
	}
}

// content is a digest of what a token asked for, the same for the same meaning: written
// with other white space, order of members or places, or offset of times. When it was sent is no part
// of it, so that a repeat may say so anew.
func (c Command) content(by string) string {
	c.Sent = time.Time{}
	b, err := json.Marshal(struct {
		By      string  `json:"by"`
		Command Command `json:"command"`
	}{by, c})
	if err != nil { // every number in it is finite and every name is of its list
		return ""
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func list(words []string) string {
	out := ""
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out += " and "
		default:
			out += ", "
		}
		out += w
	}
	return out
}
