package pipeline

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	// KindReceipt is a channel's alert.Receipt: kept for who asks later, never needed to go on.
	KindReceipt = "receipt"
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
// value is ready. An entry folded twice counts once, and the order of two entries about
// different warnings or commands does not matter.
type Ledger struct {
	warnings map[warning.ID]warning.Warning
	alerts   map[warning.ID][]alert.Alert
	newest   time.Time // of the decisions
	folded   int       // decisions since what is long over was let go

	commands []Order             // kept and not answered, oldest first
	answers  map[string]Answered // by command
	answered []string            // oldest first
}

// Bounds of a ledger: a journal is read from its first day on.
const (
	// answeredLimit is how many answered commands are remembered.
	answeredLimit = 10_000
	// sweepEvery is after how many decisions what is long over is let go.
	sweepEvery = 1024
)

// Fold is FoldAt of an entry whose position is not known.
func (l *Ledger) Fold(kind string, body []byte) error { return l.FoldAt(0, kind, body) }

// FoldAt takes one entry and where it is kept, in the order they were kept. Kinds it does
// not know are not its. An error is an entry that says nothing usable; it changes nothing.
func (l *Ledger) FoldAt(position int64, kind string, body []byte) error {
	switch kind {
	case KindDecision:
		return fold(kind, body, l.decision)
	case KindAlert:
		return fold(kind, body, l.alert)
	case KindCommand:
		return fold(kind, body, func(o Order) error { o.Position = position; return l.command(o) })
	case KindAnswer:
		return fold(kind, body, l.answer)
	default:
		return nil
	}
}

var errNoID = errors.New("has no id")

func fold[T any](kind string, body []byte, take func(T) error) error {
	var entry T
	err := json.Unmarshal(body, &entry)
	if err == nil {
		err = take(entry)
	}
	if err != nil {
		return fmt.Errorf("pipeline: %s: %w", kind, err)
	}
	return nil
}

func (l *Ledger) decision(d Decision) error {
	w := d.Warning
	if w.ID == "" {
		return errNoID
	}
	if l.warnings == nil {
		l.warnings = map[warning.ID]warning.Warning{}
	}
	if held, ok := l.warnings[w.ID]; !ok || held.Revision <= w.Revision {
		l.warnings[w.ID] = w
	}
	if w.At.After(l.newest) {
		l.newest = w.At
	}
	if l.folded++; l.folded >= sweepEvery {
		l.folded = 0
		l.sweep(l.newest)
	}
	return nil
}

// sweep lets go of the warnings that are over for longer than anyone asks for.
func (l *Ledger) sweep(now time.Time) {
	for id, w := range l.warnings {
		if w.Over() && now.Sub(w.At) > remembered {
			delete(l.warnings, id)
			delete(l.alerts, id)
		}
	}
}

func (l *Ledger) alert(a alert.Alert) error {
	if a.ID == "" || a.Warning == "" {
		return errNoID
	}
	if l.alerts == nil {
		l.alerts = map[warning.ID][]alert.Alert{}
	}
	chain := l.alerts[a.Warning]
	if slices.ContainsFunc(chain, func(b alert.Alert) bool { return b.ID == a.ID }) {
		return nil
	}
	at, _ := slices.BinarySearchFunc(chain, a, bySent)
	if chain = slices.Insert(chain, at, a); len(chain) > longestChain {
		chain = slices.Delete(chain, 0, len(chain)-longestChain)
	}
	l.alerts[a.Warning] = chain
	return nil
}

// bySent orders the alerts of a warning as they were spoken; no two share their id.
func bySent(a, b alert.Alert) int {
	return cmp.Or(a.Sent.Compare(b.Sent), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
}

func (l *Ledger) command(o Order) error {
	if o.ID == "" {
		return errNoID
	}
	if _, done := l.answers[o.ID]; done || slices.ContainsFunc(l.commands, func(k Order) bool { return k.ID == o.ID }) {
		return nil
	}
	l.commands = append(l.commands, o)
	return nil
}

func (l *Ledger) answer(a Answer) error {
	if a.Command == "" {
		return errNoID
	}
	done := Answered{Answer: a}
	l.commands = slices.DeleteFunc(l.commands, func(o Order) bool {
		if o.ID == a.Command {
			done.Content = o.Content
		}
		return o.ID == a.Command
	})
	if l.answers == nil {
		l.answers = map[string]Answered{}
	}
	switch first, twice := l.answers[a.Command]; {
	case !twice:
		l.answered = append(l.answered, a.Command)
		l.answers[a.Command] = done
	case first.Answer.Refused != "" && a.Refused == "":
		done.Content = first.Content
		l.answers[a.Command] = done
	}
	if len(l.answered) > answeredLimit {
		delete(l.answers, l.answered[0])
		l.answered = l.answered[1:]
	}
	return nil
}

// Unanswered are the commands that were kept and whose answer was not, in the order they
// were given: the process ended in between, and they are still to be carried out.
func (l *Ledger) Unanswered() []Order { return slices.Clone(l.commands) }

// Answers are the newest answers, oldest first.
func (l *Ledger) Answers() []Answered {
	out := make([]Answered, len(l.answered))
	for i, id := range l.answered {
		out[i] = l.answers[id]
	}
	return out
}

// Restored is the input for the core at now: warnings in force, and those over for
// less than an hour; ordered by id.
func (l *Ledger) Restored(now time.Time) Restored {
	l.sweep(now)
	var r Restored
	for _, id := range slices.Sorted(maps.Keys(l.warnings)) {
		r.Warnings = append(r.Warnings, l.warnings[id])
		r.Alerts = append(r.Alerts, l.alerts[id]...)
	}
	for _, id := range l.answered {
		if l.answers[id].Answer.Refused == "" {
			r.Commands = append(r.Commands, id)
		}
	}
	return r
}

// LastAlert is the identifier that the board names for a warning: that of the newest of
// its alerts, oldest first; or, where none could be written, one that no alert ever has.
func LastAlert(id warning.ID, alerts []alert.Alert) alert.ID {
	if n := len(alerts); n > 0 {
		return alerts[n-1].ID
	}
	return alert.ID(id) + ".0"
}
