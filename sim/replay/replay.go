// Package replay gives the alarms of a history to a system's door, at the time and in the
// order in which they were given.
//
// In: alarms, the pace (the recording's own time, the machine's at some speed, or as fast as
// the door takes them), a door. Out: commands (declare, extend, end) with the row of the file
// that each rests on in its reason; figures of what was given and how long it took; and, by a
// follower that verifies every frame, what a citizen's device was told. It never speaks to a
// live system: each command says that it is meant for an exercise. It never ends a warning
// that it did not declare.
package replay

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/desk"
	"tocsin/sim/history"
)

// Options of a replay. The zero value is usable.
type Options struct {
	File   string // whose rows the reasons name; only the last part of its path is told
	AtOnce int    // commands of one moment that are given side by side; 0 is 1
	// Progress is told how many of all commands known ahead are given, and what time of the
	// recording it is.
	Progress func(done, total int, at time.Time)
	// Moment is called when everything of one moment of the recording has been answered.
	Moment func(at time.Time) error
	// Given is called with each command that was taken, from several goroutines.
	Given func(c desk.Command, a desk.Answer, began, answered time.Time)
}

// How long a warning is declared for. A person does not know the end when it begins: it is
// declared for hold and extended when a third of that is left. An Israeli alarm is declared
// for as long as its authority's rule says. grace is added for what the way takes.
const (
	hold  = 6 * time.Hour
	grace = time.Minute
)

// refusalsNamed bounds how many refusals are told one by one.
const refusalsNamed = 100

// Outcome is what became of a replay.
type Outcome struct {
	Commands int            // that the door took
	Declared int            // of them
	Extended int            // of them
	Ended    int            // of them
	CutOff   int            // alarms that go on in the file after the replay's end: cancelled, never an all-clear
	Refused  []string       // with the line of the file; bounded
	Refusals map[string]int // by field
	Latency  []time.Duration
	Late     time.Duration // how far at most a moment was behind its time
	Took     time.Duration
}

// kind orders the commands of one moment: what begins goes before what ends, so that a place
// whose next alarm begins as one ends stays warned.
type kind int

const (
	begins kind = iota
	again
	ends
)

// act is one command that is known ahead.
type act struct {
	at    time.Time
	kind  kind
	alarm int
	row   int // of the alarm's, for again
}

// player is the state of one replay.
type player struct {
	alarms []history.Alarm
	pace   Pace
	door   Door
	o      Options
	run    string // part of every command's id
	file   string
	state  []state
	open   []int // alarms that are declared and not ended, in the order they began

	mu  sync.Mutex
	out Outcome
}

// state is one alarm's.
type state struct {
	warnings []warning.ID // none: refused, or not declared yet
	until    time.Time    // as it was last said
	last     time.Time    // of the recording: when the row came that it rests on
	times    int          // extended
}

// Run plays the alarms, which must be in the order of their start. An error is the door's or
// ctx's; then what is still in force of it is cancelled, as far as the door answers.
func Run(ctx context.Context, alarms []history.Alarm, pace Pace, door Door, o Options) (*Outcome, error) {
	var salt [6]byte
	rand.Read(salt[:])
	o.AtOnce = max(o.AtOnce, 1)
	p := &player{
		alarms: alarms, pace: pace, door: door, o: o, run: hex.EncodeToString(salt[:]), file: fileName(o.File),
		state: make([]state, len(alarms)), out: Outcome{Refusals: map[string]int{}},
	}
	began := time.Now()
	err := p.play(ctx, acts(alarms))
	if err != nil {
		p.cancel(ctx)
	}
	p.out.Took = time.Since(began)
	return &p.out, err
}

// fileName is a file's name as a reason can tell it.
func fileName(path string) string {
	name := plain(filepath.Base(path))
	if len(name) > 100 {
		name = strings.ToValidUTF8(name[:100], "")
	}
	return name
}

// plain is a text without characters that are not seen: the door takes none.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsGraphic(c) && c != unicode.ReplacementChar {
			return c
		}
		return -1
	}, s)
}

// acts lists what is known ahead, in the order of the recording.
func acts(alarms []history.Alarm) []act {
	var all []act
	for i, a := range alarms {
		all = append(all, act{a.Start, begins, i, 0}, act{a.End, ends, i, 0})
		last := a.Start
		for row, r := range a.Rows {
			if r.At.After(last) && r.At.Before(a.End) {
				all = append(all, act{r.At, again, i, row})
				last = r.At
			}
		}
	}
	slices.SortStableFunc(all, func(a, b act) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.alarm, b.alarm))
	})
	return all
}

func (p *player) play(ctx context.Context, all []act) error {
	for done := 0; done < len(all); {
		at := all[done].at
		if err := p.upkeep(ctx, at); err != nil {
			return err
		}
		due := p.pace.At(at)
		if err := p.pace.Until(ctx, due); err != nil {
			return err
		}
		p.out.Late = max(p.out.Late, p.pace.Now().Sub(due))
		for done < len(all) && all[done].at.Equal(at) {
			same := done
			for same < len(all) && all[same].at.Equal(at) && all[same].kind == all[done].kind {
				same++
			}
			if err := p.together(ctx, all[done:same]); err != nil {
				return err
			}
			done = same
		}
		if p.o.Progress != nil {
			p.o.Progress(done, len(all), at)
		}
		if p.o.Moment != nil {
			if err := p.o.Moment(at); err != nil {
				return err
			}
		}
	}
	return nil
}

// together gives commands of one kind and moment side by side.
func (p *player) together(ctx context.Context, all []act) error {
	var group sync.WaitGroup
	slots := make(chan struct{}, p.o.AtOnce)
	errs := make([]error, len(all))
	for i, a := range all {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = p.do(ctx, a)
		})
	}
	group.Wait()
	for _, a := range all {
		switch {
		case a.kind == begins && len(p.state[a.alarm].warnings) > 0:
			p.open = append(p.open, a.alarm)
		case a.kind == ends:
			p.open = slices.DeleteFunc(p.open, func(i int) bool { return i == a.alarm })
		}
	}
	return errors.Join(errs...)
}

// lead is how long before its until a warning is extended that still lasts.
func (p *player) lead(a history.Alarm) time.Duration {
	if a.Stays() {
		return grace / 2
	}
	return (p.pace.Span(hold) + grace) / 3
}

// upkeep extends, each when it is due, what would run out before a moment of the recording.
func (p *player) upkeep(ctx context.Context, at time.Time) error {
	for {
		next, due := -1, time.Time{}
		for _, i := range p.open {
			if d := p.state[i].until.Add(-p.lead(p.alarms[i])); next < 0 || d.Before(due) {
				next, due = i, d
			}
		}
		if next < 0 || due.After(p.pace.At(at)) {
			return nil
		}
		if err := p.pace.Until(ctx, due); err != nil {
			return err
		}
		a := p.alarms[next]
		p.state[next].until = p.pace.Now().Add(p.pace.Span(hold) + grace)
		reason := fmt.Sprintf("%s line %d: it lasts", p.file, a.Rows[0].Line)
		if err := p.extend(ctx, next, reason); err != nil {
			return err
		}
	}
}

// do gives one command, or one for each of the warnings that a declaration opened.
func (p *player) do(ctx context.Context, x act) error {
	a, s := p.alarms[x.alarm], &p.state[x.alarm]
	switch x.kind {
	case begins:
		s.until = p.until(a, x.at)
		return p.declare(ctx, x.alarm)
	case again:
		row := a.Rows[x.row]
		if until := p.until(a, x.at); until.After(s.until) {
			s.until = until
			return p.extend(ctx, x.alarm, fmt.Sprintf("%s line %d: %s, %s", p.file, row.Line, plain(row.Text), stamp(row.At)))
		}
		return nil
	}
	if !a.GoesOn.IsZero() {
		// The file says nothing of an end here: to let people out would be a lie.
		p.count(&p.out.CutOff)
		return p.finish(ctx, x.alarm, warning.Cancelled, fmt.Sprintf("%s line %d: the replay ends at %s, the alarm at %s", p.file, a.Rows[0].Line, stamp(a.End), stamp(a.GoesOn)))
	}
	return p.finish(ctx, x.alarm, warning.AllClear, p.whyOver(a))
}

func (p *player) whyOver(a history.Alarm) string {
	last := a.Rows[len(a.Rows)-1]
	if a.Stays() {
		return fmt.Sprintf("%s line %d: %s after the last row of the place, at %s", p.file, last.Line, history.Stay, stamp(a.End))
	}
	for _, r := range a.Rows { // of rows that overlap the one that lasted longest tells the end
		if r.Until.Equal(a.End) {
			last = r
		}
	}
	return fmt.Sprintf("%s line %d: ended %s", p.file, last.Line, stamp(a.End))
}

// until is how long a warning is declared for at a moment of the recording.
func (p *player) until(a history.Alarm, at time.Time) time.Time {
	lasts := hold
	if a.Stays() {
		lasts = history.Stay
	}
	from := p.pace.At(at)
	if now := p.pace.Now(); now.After(from) {
		from = now // late: it must not have run out when it comes
	}
	return from.Add(p.pace.Span(lasts) + grace).Truncate(time.Millisecond)
}

func (p *player) declare(ctx context.Context, i int) error {
	a, s := p.alarms[i], &p.state[i]
	threat := a.Threat
	c := desk.Command{
		ID: p.id(i, "d"), Action: warning.Declare, Zones: a.Place.Zones, Regions: a.Place.Regions,
		Stage: warning.Shelter, Threat: &threat, Until: s.until,
		Reason: fmt.Sprintf("%s line %d: %s, %s", p.file, a.Rows[0].Line, plain(a.Rows[0].Text), stamp(a.Rows[0].At)),
	}
	answer, err := p.give(ctx, c, a)
	if err != nil || !answer.Accepted {
		return err
	}
	s.warnings, err = p.ours(ctx, c, answer)
	p.count(&p.out.Declared)
	return err
}

// ours tells which of the warnings that changed in the step of a declaration are its own.
func (p *player) ours(ctx context.Context, c desk.Command, answer desk.Answer) ([]warning.ID, error) {
	if len(answer.Warnings) == 1 {
		return answer.Warnings, nil
	}
	all, err := p.door.Warnings(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w; the token needs the scope read", err)
	}
	var out []warning.ID
	for _, w := range all {
		if w.By.Kind == warning.ByAuthority && w.Reason == c.Reason && slices.Contains(answer.Warnings, w.ID) {
			out = append(out, w.ID)
		}
	}
	return out, nil
}

func (p *player) extend(ctx context.Context, i int, reason string) error {
	s := &p.state[i]
	s.times++
	for n, id := range s.warnings {
		c := desk.Command{ID: p.id(i, fmt.Sprintf("e%d.%d", s.times, n)), Action: warning.Extend, Warning: id, Until: s.until, Reason: reason}
		if answer, err := p.give(ctx, c, p.alarms[i]); err != nil {
			return err
		} else if answer.Accepted {
			p.count(&p.out.Extended)
		}
	}
	return nil
}

func (p *player) finish(ctx context.Context, i int, how warning.End, reason string) error {
	s := &p.state[i]
	for n, id := range s.warnings {
		c := desk.Command{ID: p.id(i, fmt.Sprintf("x%d", n)), Action: warning.EndsZone, Warning: id, End: how, Reason: reason}
		if answer, err := p.give(ctx, c, p.alarms[i]); err != nil {
			return err
		} else if answer.Accepted {
			p.count(&p.out.Ended)
		}
	}
	s.warnings = nil
	return nil
}

// cancel takes back what is in force of a replay that is broken off.
func (p *player) cancel(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), giveWithin)
	defer stop()
	for _, i := range p.open {
		if err := p.finish(ctx, i, warning.Cancelled, "the replay was broken off"); err != nil {
			return // the door is gone; what is in force expires
		}
	}
}

func (p *player) id(alarm int, what string) string {
	return fmt.Sprintf("replay/%s/%d/%s", p.run, alarm, what)
}

func (p *player) count(n *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*n++
}

// give gives a command; one that is refused is counted and is no error.
func (p *player) give(ctx context.Context, c desk.Command, a history.Alarm) (desk.Answer, error) {
	c.Universe = alert.Exercise
	began := time.Now()
	answer, err := p.door.Give(ctx, c)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	var no *Refusal
	if errors.As(err, &no) {
		p.out.Refusals[cmp.Or(no.Field, "other")]++
		if len(p.out.Refused) < refusalsNamed {
			p.out.Refused = append(p.out.Refused, fmt.Sprintf("line %d: %s of %s: %v", a.Rows[0].Line, c.Action, a.Rows[0].Text, no))
		}
		return desk.Answer{}, nil
	}
	if err != nil {
		return answer, err
	}
	p.out.Commands++
	p.out.Latency = append(p.out.Latency, now.Sub(began))
	if p.o.Given != nil {
		p.o.Given(c, answer, began, now)
	}
	return answer, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
