package sim

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/core/alert"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// Run is one world run through the core.
type Run struct {
	world    *World
	zones    *zone.Set
	policy   warning.Policy
	core     *pipeline.Pipeline
	clock    pipeline.Clock
	ledger   pipeline.Ledger
	starts   int
	silent   map[int]bool
	commands int

	at   time.Duration // true time since the start
	last time.Duration // true time of the clock's last reading
	jump time.Duration // how far the wall clock is off
	// Seen is called after every step, if set.
	Seen  func(now time.Time, in pipeline.Input, out []pipeline.Change)
	trace []string
}

// NewRun makes the core of a world: the zones and policy are those that the world
// names, read by the caller. It words its alerts in English alone.
func NewRun(w *World, zones *zone.Set, policy warning.Policy) *Run {
	return &Run{world: w, zones: zones, policy: policy, silent: map[int]bool{}}
}

// start makes a core and gives it what the one before it kept.
func (r *Run) start() {
	r.starts++
	r.core = pipeline.New(pipeline.Config{
		Alert: alert.Config{
			Universe: alert.Exercise, Sender: "exercise@tocsin.example", Languages: []string{"en"}, Location: time.UTC,
		},
		Zones: r.zones, Policy: r.policy, Sources: r.world.Sources(),
		TrackPrefix: fmt.Sprintf("%c", 'A'+(r.starts-1)%26),
	})
	r.step(r.ledger.Restored(r.now()))
}

// now reads the simulated wall clock.
func (r *Run) now() time.Time {
	t, step := r.clock.Now(r.world.Start.Add(r.at+r.jump), r.at-r.last)
	r.last = r.at
	if step != 0 {
		r.say(t, fmt.Sprintf("clock stepped by %s", step))
	}
	return t
}

func (r *Run) say(now time.Time, line string) {
	since := now.Sub(r.world.Start)
	r.trace = append(r.trace, fmt.Sprintf("%02d:%04.1f %s", int(since.Minutes()), (since%time.Minute).Seconds(), line))
}

// step gives the core one input and writes what changed into the trace.
func (r *Run) step(in pipeline.Input) {
	now := r.now()
	out := r.core.Step(now, in)
	for _, c := range out {
		if kind, body, ok, err := pipeline.Entry(c); err != nil {
			r.say(now, "not kept: "+err.Error())
		} else if ok {
			if err := r.ledger.Fold(kind, body); err != nil {
				r.say(now, "not read back: "+err.Error())
			}
		}
		switch c := c.(type) {
		case pipeline.TrackUpdated, pipeline.Forecast:
			continue
		case pipeline.WarningChanged:
			if c.ArrivalOnly {
				continue
			}
		}
		r.say(now, c.String())
	}
	if r.Seen != nil {
		r.Seen(now, in, out)
	}
}

// To runs the world to its end and returns the trace, a line a change.
func (r *Run) To() []string {
	flights := r.world.Flights()
	looks, words := r.world.Looks(flights), r.world.Words(flights)
	events := slices.Clone(r.world.Events)
	slices.SortStableFunc(events, func(a, b Event) int { return int(a.At - b.At) })
	r.start()
	for len(looks) > 0 || len(words) > 0 || len(events) > 0 {
		next := r.world.Lasts
		if len(looks) > 0 {
			next = min(next, looks[0].SentAt)
		}
		if len(words) > 0 {
			next = min(next, words[0].SentAt)
		}
		if len(events) > 0 {
			next = min(next, events[0].At)
		}
		r.wait(next)
		switch {
		case len(events) > 0 && events[0].At <= next:
			r.happen(events[0])
			events = events[1:]
		case len(looks) > 0 && looks[0].SentAt <= next:
			r.observe(looks[0])
			looks = looks[1:]
		case len(words) > 0 && words[0].SentAt <= next:
			o := words[0].Observation
			o.ReceivedAt = r.now()
			r.step(pipeline.Observed{Observation: o})
			words = words[1:]
		default:
			return r.trace
		}
	}
	r.wait(r.world.Lasts)
	return r.trace
}

// wait lets time pass, stepping the core whenever it asks to be.
func (r *Run) wait(until time.Duration) {
	for {
		due, ok := r.core.Next()
		if !ok {
			break
		}
		// A due time in the past is due now; the core must not be able to hold the world.
		at := max(due.Sub(r.world.Start)-r.jump, r.at)
		if at >= until {
			break
		}
		r.at = max(at, r.at+time.Millisecond)
		r.step(pipeline.Ticked{})
	}
	r.at = until
}

func (r *Run) observe(l Look) {
	if r.silent[l.Radar] {
		return
	}
	received := r.now()
	for _, o := range r.world.Observations(l, received) {
		r.step(pipeline.Observed{Observation: o})
	}
}

func (r *Run) happen(e Event) {
	radar := func(id string) int {
		return slices.IndexFunc(r.world.Radars, func(x Radar) bool { return x.ID == id })
	}
	switch {
	case e.Kill != "":
		r.say(r.now(), "the feed of "+e.Kill+" dies")
		r.silent[radar(e.Kill)] = true
	case e.Revive != "":
		r.say(r.now(), "the feed of "+e.Revive+" lives")
		delete(r.silent, radar(e.Revive))
	case e.Restart:
		r.say(r.now(), "restart")
		r.start()
	case e.Clock != 0:
		r.jump += e.Clock
	case e.Command != nil:
		r.commands++
		c := warning.Command{
			ID: fmt.Sprintf("scenario-%d", r.commands), Action: warning.EndsZone, Reason: e.Command.Reason,
			By: warning.Issuer{Kind: warning.ByOperator, Name: "scenario"},
		}
		if err := c.End.UnmarshalText([]byte(e.Command.End)); err != nil {
			r.say(r.now(), err.Error())
			return
		}
		for _, z := range e.Command.Zones {
			c.Zones = append(c.Zones, zone.ID(z))
		}
		for _, z := range e.Command.Regions {
			c.Regions = append(c.Regions, zone.ID(z))
		}
		r.say(r.now(), "an operator says "+e.Command.End)
		r.step(pipeline.Commanded{Command: c})
	}
}

// mark parts a scenario file's world from its trace.
const mark = "-- trace --\n"

// Split parts a scenario file into the world's text and the trace it must give.
func Split(file []byte) (world []byte, trace []string) {
	text, rest, found := bytes.Cut(file, []byte(mark))
	if !found {
		return file, nil
	}
	return text, strings.FieldsFunc(string(rest), func(c rune) bool { return c == '\n' })
}

// Join is the file again with a new trace.
func Join(world []byte, trace []string) []byte {
	var b bytes.Buffer
	b.Write(bytes.TrimRight(world, "\n"))
	b.WriteString("\n" + mark)
	for _, line := range trace {
		b.WriteString(line + "\n")
	}
	return b.Bytes()
}
