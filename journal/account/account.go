// Package account tells from what the journal kept why one place was in its stage at one time.
//
// In: a zone, a time, the journal's entries in their order. Out: an account: the warnings that
// held the zone, who or what stood behind each, with the rows, observations and figures they
// rest on, the commands, what was said when, and what became of it. It is for the desk and
// for inquiries and is never public. It decides nothing, and it guesses nothing: what the
// journal does not tell is not in it.
package account

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tocsin/core/alert"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// Bounds. What is over them is counted in Account.Left.
const (
	maxTold     = 32     // warnings that are over; the newest are kept
	maxHeld     = 4096   // warnings in force that hold one zone
	maxSteps    = 500    // of one warning: steps, commands, alerts each
	maxWaiting  = 20_000 // commands whose answer was not read yet
	maxReceipts = 20
)

// Account is the answer to "why is, or was, this place in this stage".
type Account struct {
	Zone   zone.ID `json:"zone"`
	Name   string  `json:"name,omitempty"`
	Region zone.ID `json:"region,omitempty"`
	// At is the time that is asked for; zero: the newest entry.
	At     time.Time     `json:"at"`
	Stage  warning.Stage `json:"stage"`
	Threat string        `json:"threat,omitempty"`
	// Expired: its until was past at that time and the journal tells no end: unknown, not safe.
	Expired bool       `json:"expired,omitempty"`
	Shown   warning.ID `json:"shown,omitempty"` // whose stage it is, the gravest
	// Warnings are those that held it then, gravest first; where none did, the newest that had.
	Warnings []Told `json:"warnings"`
	// Entries is how many the journal has up to then, and Last the newest of them.
	Entries int       `json:"entries"`
	Last    time.Time `json:"last"`
	Left    int       `json:"left_out,omitempty"` // of commands, steps and alerts over the bounds
	Faults  int       `json:"unreadable,omitempty"`
}

// Told is one warning as it concerns the zone.
type Told struct {
	ID       warning.ID        `json:"id"`
	By       warning.Issuer    `json:"by"`
	Since    time.Time         `json:"since"`
	Reason   string            `json:"reason,omitempty"`
	Policy   string            `json:"policy"`
	State    warning.ZoneState `json:"state"` // as it was then, or when it left
	Causes   []warning.Cause   `json:"causes,omitempty"`
	Left     *Left             `json:"left,omitempty"` // the zone had left it
	Steps    []Step            `json:"steps"`
	Commands []Command         `json:"commands"`
	Alerts   []Alert           `json:"alerts"`
}

// Left is how a zone left a warning.
type Left struct {
	End   warning.End    `json:"end"`
	At    time.Time      `json:"at"`
	By    warning.Issuer `json:"by"`
	Why   string         `json:"why"`
	Under warning.ID     `json:"under,omitempty"` // another held it: the end was not said
}

// Step is one change of the zone in a warning.
type Step struct {
	Revision int           `json:"revision"`
	At       time.Time     `json:"at"`
	Position int64         `json:"position"`
	Stage    warning.Stage `json:"stage"`
	Threat   string        `json:"threat"`
	Until    time.Time     `json:"until,omitzero"`
	End      warning.End   `json:"end,omitempty"`
	Rule     string        `json:"rule,omitempty"`
}

// Command is a person's hand on a warning, and what became of it.
type Command struct {
	ID       string         `json:"id"`
	Position int64          `json:"position"`
	At       time.Time      `json:"at"`
	Action   warning.Action `json:"action"`
	By       warning.Issuer `json:"by"`
	Reason   string         `json:"reason,omitempty"`
	Until    time.Time      `json:"until,omitzero"`
	End      warning.End    `json:"end,omitempty"`
	Refused  string         `json:"refused,omitempty"`
}

// Alert is what was said of the zone at one moment.
type Alert struct {
	ID       alert.ID        `json:"id"`
	Kind     alert.Kind      `json:"kind"`
	Sent     time.Time       `json:"sent"`
	Position int64           `json:"position"`
	Receipts []alert.Receipt `json:"receipts"` // of channels; the board has none
}

// Ledger takes the entries. Make it with New.
type Ledger struct {
	zone   zone.ID
	quoted []byte
	at     time.Time
	out    Account

	told     map[warning.ID]*Told
	over     []warning.ID              // those the zone left, the oldest first
	waiting  map[string]pipeline.Order // commands by id
	when     map[string]time.Time      // they were kept
	order    []string                  // of waiting
	answers  map[warning.ID][]Command  // to commands that changed a warning that is not told yet
	latest   []warning.ID              // of answers
	receipts map[alert.ID]*alertOf     // alerts by id
	queue    []alert.ID                // of receipts
}

type alertOf struct {
	told *Told
	at   int
}

// New begins an account of a zone at a time; zero is whenever the entries end.
func New(z zone.ID, at time.Time) *Ledger {
	return &Ledger{
		zone: z, quoted: []byte(strconv.Quote(string(z))), at: at, out: Account{Zone: z, At: at},
		told: map[warning.ID]*Told{}, waiting: map[string]pipeline.Order{}, when: map[string]time.Time{},
		answers: map[warning.ID][]Command{}, receipts: map[alert.ID]*alertOf{},
	}
}

// Fold takes one entry, in the order they were kept. An error is an entry that says nothing
// usable; it is counted and changes nothing.
func (l *Ledger) Fold(position int64, at time.Time, kind string, body []byte) error {
	if !l.at.IsZero() && at.After(l.at) {
		return nil
	}
	l.out.Entries++
	if at.After(l.out.Last) {
		l.out.Last = at
	}
	var err error
	switch kind {
	case pipeline.KindDecision:
		if bytes.Contains(body, l.quoted) {
			err = fold(body, func(d pipeline.Decision) { l.decision(position, d) })
		}
	case pipeline.KindCommand:
		err = fold(body, func(o pipeline.Order) { l.command(position, at, o) })
	case pipeline.KindAnswer:
		err = fold(body, l.answer)
	case pipeline.KindAlert:
		if bytes.Contains(body, l.quoted) {
			err = fold(body, func(a alert.Alert) { l.alert(position, a) })
		}
	case pipeline.KindReceipt:
		err = fold(body, l.receipt)
	}
	if err != nil {
		l.out.Faults++
		return fmt.Errorf("account: position %d: %s: %w", position, kind, err)
	}
	return nil
}

func fold[T any](body []byte, take func(T)) error {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	take(v)
	return nil
}

func (l *Ledger) decision(position int64, d pipeline.Decision) {
	w := d.Warning
	i := slices.IndexFunc(w.Zones, func(z warning.ZoneState) bool { return z.Zone == l.zone })
	e := slices.IndexFunc(w.Ended, func(z warning.EndedZone) bool { return z.Zone == l.zone })
	if i < 0 && e < 0 {
		return
	}
	t := l.told[w.ID]
	if t == nil {
		if len(l.told) >= maxHeld+maxTold {
			l.out.Left++
			return
		}
		t = &Told{ID: w.ID, By: w.By, Since: w.Since, Reason: w.Reason, Steps: []Step{}, Commands: l.answers[w.ID], Alerts: []Alert{}}
		if t.Commands == nil {
			t.Commands = []Command{}
		}
		delete(l.answers, w.ID)
		l.told[w.ID] = t
	}
	t.Policy, t.Causes = w.Policy, w.Causes
	s := Step{Revision: w.Revision, At: w.At, Position: position}
	was := t.Left
	if i >= 0 {
		t.State, t.Left = w.Zones[i], nil
		s.Until = t.State.Until
	} else {
		z := w.Ended[e]
		t.State = z.ZoneState
		t.Left = &Left{End: z.End, At: z.At, By: z.By, Why: z.Why, Under: z.Under}
		s.End = z.End
	}
	s.Stage, s.Threat, s.Rule = t.State.Stage, t.State.Threat.String(), t.State.Basis.Rule
	if t.Left != nil {
		s.Stage = warning.Quiet
	}
	l.step(t, s)
	switch {
	case was == nil && t.Left != nil:
		l.leave(w.ID)
	case was != nil && t.Left == nil:
		l.over = slices.DeleteFunc(l.over, func(id warning.ID) bool { return id == w.ID })
	}
}

// step keeps a step that says something new of the zone.
func (l *Ledger) step(t *Told, s Step) {
	if n := len(t.Steps); n > 0 {
		last := t.Steps[n-1]
		last.Revision, last.At, last.Position = s.Revision, s.At, s.Position
		if last == s {
			return
		}
		if n >= maxSteps {
			l.out.Left++
			t.Steps = slices.Delete(t.Steps, 1, 2) // the first and the newest stay
		}
	}
	t.Steps = append(t.Steps, s)
}

// leave notes that the zone left a warning; the oldest of those are forgotten.
func (l *Ledger) leave(id warning.ID) {
	if l.over = append(l.over, id); len(l.over) > maxTold {
		delete(l.told, l.over[0])
		l.over = l.over[1:]
	}
}

func (l *Ledger) command(position int64, at time.Time, o pipeline.Order) {
	if len(l.order) >= maxWaiting {
		delete(l.waiting, l.order[0])
		delete(l.when, l.order[0])
		l.order = l.order[1:]
	}
	o.Position = position
	o.Content, o.Said, o.Zones, o.Regions = "", nil, nil, nil
	l.waiting[o.ID], l.when[o.ID] = o, at
	l.order = append(l.order, o.ID)
}

func (l *Ledger) answer(a pipeline.Answer) {
	o, known := l.waiting[a.Command]
	if !known {
		return
	}
	at := l.when[a.Command]
	delete(l.waiting, a.Command)
	delete(l.when, a.Command)
	l.order = slices.DeleteFunc(l.order, func(id string) bool { return id == a.Command })
	c := Command{ID: o.ID, Position: o.Position, At: at, Action: o.Action, By: o.By, Reason: o.Reason, Until: o.Until, End: o.End, Refused: a.Refused}
	meant := a.Warnings
	if o.Warning != "" {
		meant = []warning.ID{o.Warning} // others changed in the same step, for another reason
	}
	for _, id := range meant {
		switch t := l.told[id]; {
		case t == nil:
			l.keep(id, c)
		case len(t.Commands) < maxSteps:
			t.Commands = append(t.Commands, c)
		default:
			l.out.Left++
		}
	}
}

// keep remembers a command until the decision that it led to is read.
func (l *Ledger) keep(id warning.ID, c Command) {
	if _, there := l.answers[id]; !there {
		if l.latest = append(l.latest, id); len(l.latest) > maxWaiting {
			delete(l.answers, l.latest[0])
			l.latest = l.latest[1:]
		}
	}
	if len(l.answers[id]) < maxSteps {
		l.answers[id] = append(l.answers[id], c)
	}
}

func (l *Ledger) alert(position int64, a alert.Alert) {
	t := l.told[a.Warning]
	says := slices.ContainsFunc(a.Items, func(it alert.Item) bool { return slices.Contains(it.Zones, l.zone) })
	if t == nil || !says {
		return
	}
	if len(t.Alerts) >= maxSteps {
		l.out.Left++
		return
	}
	t.Alerts = append(t.Alerts, Alert{ID: a.ID, Kind: a.Kind, Sent: a.Sent, Position: position, Receipts: []alert.Receipt{}})
	l.receipts[a.ID] = &alertOf{t, len(t.Alerts) - 1}
	if l.queue = append(l.queue, a.ID); len(l.queue) > maxWaiting {
		delete(l.receipts, l.queue[0])
		l.queue = l.queue[1:]
	}
}

func (l *Ledger) receipt(r alert.Receipt) {
	if of := l.receipts[r.Alert]; of != nil {
		if a := &of.told.Alerts[of.at]; len(a.Receipts) < maxReceipts {
			a.Receipts = append(a.Receipts, r)
		}
	}
}

// Account is what the entries tell.
func (l *Ledger) Account() Account {
	out := l.out
	if out.At.IsZero() {
		out.At = out.Last
	}
	for _, t := range l.told {
		if t.Left == nil {
			out.Warnings = append(out.Warnings, *t)
		}
	}
	slices.SortFunc(out.Warnings, func(a, b Told) int {
		switch {
		case warning.Graver(a.State, b.State):
			return -1
		case warning.Graver(b.State, a.State):
			return 1
		}
		return a.Since.Compare(b.Since)
	})
	if len(out.Warnings) > 0 {
		first := out.Warnings[0]
		out.Stage, out.Threat, out.Shown = first.State.Stage, first.State.Threat.String(), first.ID
		if out.Expired = !first.State.Until.After(out.At); out.Expired {
			out.Stage = warning.Quiet
		}
		return out
	}
	out.Warnings = []Told{}
	if n := len(l.over); n > 0 {
		out.Warnings = append(out.Warnings, *l.told[l.over[n-1]])
	}
	return out
}
