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
// Warnings are those it changed, Alerts what was said of them. Position is where the
// journal keeps the command; 0 where that is not known.
type Answer struct {
	Command  string       `json:"command"`
	Position int64        `json:"position,omitempty"`
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
	orders   []Order    // kept and not answered, oldest first
	answered []Answered // oldest first
}

// Answered is a command that was carried out or refused: enough to give the answer again,
// and to tell a repeat from other content under the same id. Content is empty where the
// command itself was not read back.
type Answered struct {
	Content string
	Answer  Answer
}

// answeredLimit bounds how many answered commands are remembered.
const answeredLimit = 10_000

// Fold is FoldAt of an entry whose position is not known.
func (l *Ledger) Fold(kind string, body []byte) error { return l.FoldAt(0, kind, body) }

// FoldAt takes one entry and where it is kept, in the order they were kept. Kinds it does
// not know are not its.
func (l *Ledger) FoldAt(position int64, kind string, body []byte) error {
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
		var o Order
		if err := json.Unmarshal(body, &o); err != nil {
			return fmt.Errorf("pipeline: command: %w", err)
		}
		o.Position = position
		l.drop(o.ID)
		l.orders = append(l.orders, o)
	case KindAnswer:
		var a Answer
		if err := json.Unmarshal(body, &a); err != nil {
			return fmt.Errorf("pipeline: answer: %w", err)
		}
		l.answer(a)
	}
	return nil
}

// answer moves a command to the answered ones; the oldest of them are forgotten.
func (l *Ledger) answer(a Answer) {
	for _, old := range l.answered {
		if old.Answer.Command == a.Command && old.Answer.Position == a.Position {
			return
		}
	}
	l.answered = append(l.answered, Answered{Content: l.drop(a.Command), Answer: a})
	if len(l.answered) > answeredLimit {
		l.answered = slices.Delete(l.answered, 0, len(l.answered)-answeredLimit)
	}
}

// drop takes a command out of those without an answer and returns its content.
func (l *Ledger) drop(id string) (content string) {
	l.orders = slices.DeleteFunc(l.orders, func(o Order) bool {
		if o.ID == id {
			content = o.Content
		}
		return o.ID == id
	})
	return content
}

// Unanswered are the commands that were kept and whose answer was not, in the order they
// were kept: the process ended in between, and they are still to be carried out.
func (l *Ledger) Unanswered() []Order { return slices.Clone(l.orders) }

// Answers are the newest answers, oldest first.
func (l *Ledger) Answers() []Answered { return slices.Clone(l.answered) }

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
	r := Restored{Warnings: warnings}
	for _, a := range l.answered {
		r.Commands = append(r.Commands, a.Answer.Command)
	}
	for _, w := range warnings {
		chain := slices.Clone(l.alerts[w.ID])
		slices.SortStableFunc(chain, func(a, b alert.Alert) int { return a.Sent.Compare(b.Sent) })
		r.Alerts = append(r.Alerts, chain...)
	}
	return r
}
