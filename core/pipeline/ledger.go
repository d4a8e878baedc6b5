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
	KindAnswer   = "answer"
)

// Decision is the journal's form of a WarningChanged.
type Decision struct {
	Warning     warning.Warning `json:"warning"`
	Touched     []string        `json:"touched,omitempty"`
	ArrivalOnly bool            `json:"arrival_only,omitempty"`
}

// Answer is what became of a command: accepted, or refused with the field that is wrong.
// Warnings are those it changed, Alerts what was said of them.
type Answer struct {
	Command  string       `json:"command"`
	Field    string       `json:"field,omitempty"`
	Refused  string       `json:"refused,omitempty"`
	Warnings []warning.ID `json:"warnings,omitempty"`
	Alerts   []alert.ID   `json:"alerts,omitempty"`
}

// AnswerOf reads the answer to a command from what its step gave.
func AnswerOf(command string, out []Change) Answer {
	a := Answer{Command: command}
	for _, c := range out {
		switch c := c.(type) {
		case Refused:
			a.Field, a.Refused = c.Field, c.Why
		case WarningChanged:
			if !c.ArrivalOnly && !slices.Contains(a.Warnings, c.Warning.ID) {
				a.Warnings = append(a.Warnings, c.Warning.ID)
			}
		case AlertReady:
			a.Alerts = append(a.Alerts, c.Alert.ID)
		}
	}
	return a
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
	commands map[string]warning.Command // kept and not answered
	answered []string                   // oldest first
}

// answeredLimit bounds how many answered commands are remembered by id.
const answeredLimit = 10_000

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
		if l.commands == nil {
			l.commands = map[string]warning.Command{}
		}
		l.commands[c.ID] = c
	case KindAnswer:
		var a Answer
		if err := json.Unmarshal(body, &a); err != nil {
			return fmt.Errorf("pipeline: answer: %w", err)
		}
		delete(l.commands, a.Command)
		if l.answered = append(l.answered, a.Command); len(l.answered) > answeredLimit {
			l.answered = slices.Delete(l.answered, 0, len(l.answered)-answeredLimit)
		}
	}
	return nil
}

// Unanswered are the commands that were kept and whose answer was not, by id: the
// process ended in between, and they are still to be carried out.
func (l *Ledger) Unanswered() []warning.Command {
	var all []warning.Command
	for _, c := range l.commands {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b warning.Command) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Restored is the input for the core at now: warnings in force, and those over for
// less than an hour; ordered by id.
func (l *Ledger) Restored(now time.Time) Restored {
	var warnings []warning.Warning
	for id, w := range l.warnings {
		if w.Over() && now.Sub(w.At) > remembered {
			delete(l.warnings, id)
			delete(l.alerts, id)
			continue
		}
		warnings = append(warnings, w)
	}
	slices.SortFunc(warnings, func(a, b warning.Warning) int { return strings.Compare(string(a.ID), string(b.ID)) })
	r := Restored{Warnings: warnings, Commands: slices.Clone(l.answered)}
	for _, w := range warnings {
		chain := slices.Clone(l.alerts[w.ID])
		slices.SortStableFunc(chain, func(a, b alert.Alert) int { return a.Sent.Compare(b.Sent) })
		r.Alerts = append(r.Alerts, chain...)
	}
	return r
}
