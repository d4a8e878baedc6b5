package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/core/alert"
	"tocsin/core/warning"
)

// Kinds of journal entries that hold the core's truth.
const (
	KindDecision = "decision"
	KindAlert    = "alert"
	KindCommand  = "command"
)

// Decision is the journal's form of a WarningChanged.
type Decision struct {
	Warning     warning.Warning `json:"warning"`
	Touched     []string        `json:"touched,omitempty"`
	ArrivalOnly bool            `json:"arrival_only,omitempty"`
}

// Entry gives the journal's kind and body of a change; false where it is not kept.
func Entry(c Change) (kind string, body []byte, ok bool, err error) {
	switch c := c.(type) {
	case WarningChanged:
		d := Decision{Warning: c.Warning, ArrivalOnly: c.ArrivalOnly}
		for _, id := range c.Touched {
			d.Touched = append(d.Touched, string(id))
		}
		body, err = json.Marshal(d)
		return KindDecision, body, true, err
	case AlertReady:
		body, err = json.Marshal(c.Alert)
		return KindAlert, body, true, err
	default:
		return "", nil, false, nil
	}
}

// Ledger folds what was kept back into what the core needs after a restart. The zero
// value is ready. An entry folded twice counts once.
type Ledger struct {
	warnings map[warning.ID]warning.Warning
	alerts   map[warning.ID][]alert.Alert
	commands []string
}

// Fold takes one entry, in the order they were kept. Kinds it does not know are not its.
func (l *Ledger) Fold(kind string, body []byte) error {
	switch kind {
	case KindDecision:
		var d Decision
		if err := json.Unmarshal(body, &d); err != nil {
			return fmt.Errorf("pipeline: decision: %w", err)
		}
		if l.warnings == nil {
			l.warnings = map[warning.ID]warning.Warning{}
		}
		if held, ok := l.warnings[d.Warning.ID]; !ok || held.Revision <= d.Warning.Revision {
			l.warnings[d.Warning.ID] = d.Warning
		}
	case KindAlert:
		var a alert.Alert
		if err := json.Unmarshal(body, &a); err != nil {
			return fmt.Errorf("pipeline: alert: %w", err)
		}
		if l.alerts == nil {
			l.alerts = map[warning.ID][]alert.Alert{}
		}
		chain := l.alerts[a.Warning]
		if slices.ContainsFunc(chain, func(b alert.Alert) bool { return b.ID == a.ID }) {
			return nil
		}
		if chain = append(chain, a); len(chain) > longestChain {
			chain = slices.Delete(chain, 0, len(chain)-longestChain)
		}
		l.alerts[a.Warning] = chain
	case KindCommand:
		var c warning.Command
		if err := json.Unmarshal(body, &c); err != nil {
			return fmt.Errorf("pipeline: command: %w", err)
		}
		l.commands = append(l.commands, c.ID)
	}
	return nil
}

// Restored is the input for the core at now: warnings in force, and those over for
// less than an hour; ordered by id.
func (l *Ledger) Restored(now time.Time) Restored {
	var r Restored
	for id, w := range l.warnings {
		if w.Over() && now.Sub(w.At) > remembered {
			delete(l.warnings, id)
			delete(l.alerts, id)
			continue
		}
		r.Warnings = append(r.Warnings, w)
	}
	slices.SortFunc(r.Warnings, func(a, b warning.Warning) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, w := range r.Warnings {
		r.Alerts = append(r.Alerts, l.alerts[w.ID]...)
	}
	r.Commands = l.commands
	return r
}
