package pipeline

import (
	"errors"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/observation"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/track/registration"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
)

// Config is what the core is made with. All of it is required but Models and
// TrackPrefix; a zero Models is the documented defaults.
type Config struct {
	Alert   alert.Config
	Zones   *zone.Set
	Policy  warning.Policy
	Sources []observation.Source
	Models  threat.Models
	// TrackPrefix begins every track's id; it differs from one start to the next, so
	// that no id is used again after a restart.
	TrackPrefix string
	// Each calls do with 0 to n-1, in any order or side by side, and returns when all calls
	// have; nil is one after the other. What comes of it is the same.
	Each func(n int, do func(i int))
}

// longestChain bounds how many alerts of one warning are remembered for references.
const longestChain = 200

// chain is what was spoken of one warning.
type chain struct {
	alerts []alert.Alert // oldest first
	overAt time.Time     // zero while it is in force
	// unwritten: the last alert could not be worded, and the condition is raised.
	unwritten bool
}

// Pipeline is the core's whole state. It belongs to one caller at a time.
type Pipeline struct {
	cfg     Config
	now     time.Time // never goes back
	zones   *zone.Set
	picture *track.Picture
	book    *warning.Book
	chains  map[warning.ID]*chain
	cover   threat.Coverage
	alive   []bool // of the sources, when cover was made
	edge    []health.Condition

	punctual punctual
	ahead    ahead
	cues     cues
}

// New makes a core that knows nothing yet: give it Restored first.
func New(cfg Config) *Pipeline {
	if cfg.Each == nil {
		cfg.Each = inOrder
	}
	if ready, err := cfg.Alert.Prepare(); err == nil {
		cfg.Alert = ready // else each alert says what is missing
	}
	p := &Pipeline{
		cfg:     cfg,
		picture: track.NewPicture(track.Config{Sources: cfg.Sources, Prefix: cfg.TrackPrefix}),
		book:    warning.NewBook(cfg.Zones, cfg.Policy, warning.Options{}),
		chains:  map[warning.ID]*chain{},
	}
	p.useZones(cfg.Zones)
	return p
}

// useZones lays the zones under the forecasts and forgets the coverage made for others.
func (p *Pipeline) useZones(zones *zone.Set) {
	p.zones, p.alive = zones, nil
	p.cfg.Models = p.cfg.Models.On(zones)
	p.cover = threat.Cover(nil, zones)
	p.ahead.use(zones, p.cfg.Models)
}

// Step takes one input at a time and returns what changed, in this order: the refusal of
// a command, tracks, forecasts, warnings each with its alert, conditions. A
// now before an earlier one counts as that earlier one.
func (p *Pipeline) Step(now time.Time, in Input) []Change {
	if now.Before(p.now) {
		now = p.now
	}
	p.now = now
	var out []Change
	var moved []track.Change
	var decided []warning.Change
	switch in := in.(type) {
	case Restored:
		p.restore(now, in)
	case Observed:
		moved = p.picture.Observe(now, p.punctual.stamp(now, in.Observation))
		p.cues.hear(now, in.Observation, p.cfg.Sources)
		for _, o := range in.More {
			p.cues.hear(now, o, p.cfg.Sources)
			moved = append(moved, p.picture.Observe(now, p.punctual.stamp(now, o))...)
		}
	case Commanded:
		var err error
		if decided, err = p.book.Command(now, in.Command); err != nil {
			out = append(out, refusal(in.Command.ID, err))
		}
	case Received, Ticked:
	case Health:
		p.note(in.Condition)
	case PolicyChanged:
		p.cfg.Policy = in.Policy
		decided = p.book.SetPolicy(now, in.Policy)
	case ZonesChanged:
		p.useZones(in.Zones)
		decided = p.book.SetZones(now, in.Zones)
	}
	if due, ok := p.picture.Next(); ok && !now.Before(due) {
		moved = append(moved, p.picture.Tick(now)...)
	}
	out, forecasts := p.ahead.follow(now, out, moved, p.cfg.Each)
	for _, f := range p.cues.step(now, moved, p.zones, p.cfg.Models) {
		out, forecasts = append(out, Forecast{f}), append(forecasts, f)
	}
	p.look(now)
	decided = append(decided, p.book.Weigh(now, forecasts, p.cover, p.edge)...)
	for _, c := range decided {
		out = p.word(now, out, c)
	}
	for _, c := range slices.Concat(p.punctual.conditions(), p.picture.Conditions()) {
		out = append(out, Condition{c})
	}
	for _, c := range p.book.Conditions() {
		out = append(out, Condition{c})
	}
	return out
}

// Next is when the core wants to be stepped with Ticked if nothing else comes.
func (p *Pipeline) Next() (time.Time, bool) {
	a, okA := p.picture.Next()
	b, okB := p.book.Next()
	switch {
	case p.ahead.queue.Waiting() > 0:
		return p.now, true
	}
	if at, ok := p.cues.next(); ok && (!okB || at.Before(b)) {
		b, okB = at, true
	}
	switch {
	case okA && (!okB || a.Before(b)):
		return a, true
	default:
		return b, okB
	}
}

// Proposals is what waits for a person; see warning.Book.Proposals.
func (p *Pipeline) Proposals() []warning.Proposal { return p.book.Proposals() }

// Coverage is what the warnings were last weighed with.
func (p *Pipeline) Coverage() threat.Coverage { return p.cover }

// Picture is the contract's word for how much of what is registered is alive.
func (p *Pipeline) Picture() threat.Picture { return p.cover.Picture() }

// Registration is what is believed to be wrong with each sensor. It is for operators alone.
func (p *Pipeline) Registration() []registration.Bias { return p.picture.Registration() }

// look makes the coverage anew where a source died or came back.
func (p *Pipeline) look(now time.Time) {
	live := p.picture.Live(now)
	alive := make([]bool, len(live))
	for i, l := range live {
		alive[i] = l.Alive
	}
	if p.alive != nil && slices.Equal(alive, p.alive) {
		return
	}
	p.alive = alive
	p.cover = threat.Cover(live, p.zones)
}

// note keeps the edges' conditions that are raised.
func (p *Pipeline) note(c health.Condition) {
	p.edge = slices.DeleteFunc(p.edge, func(old health.Condition) bool { return old.Key() == c.Key() })
	if c.Raised && len(p.edge) < 1000 {
		p.edge = append(p.edge, c)
	}
}

func refusal(id string, err error) Change {
	var refused *warning.RefusedError
	if errors.As(err, &refused) {
		return Refused{Command: id, Field: refused.Field, Why: refused.Why}
	}
	return Refused{Command: id, Field: "", Why: err.Error()}
}

// word makes of a decision what leaves the core: the board's items and, unless only
// an arrival changed, an alert.
func (p *Pipeline) word(now time.Time, out []Change, c warning.Change) []Change {
	ch := p.chains[c.Warning.ID]
	if ch == nil {
		ch = &chain{}
		p.chains[c.Warning.ID] = ch
	}
	ch.overAt = time.Time{}
	if c.Warning.Over() {
		ch.overAt = now
	}
	changed := WarningChanged{Warning: c.Warning, Touched: c.Touched, ArrivalOnly: c.ArrivalOnly}
	var a alert.Alert
	spoken := false
	if !c.ArrivalOnly {
		var err error
		a, err = alert.Compose(c, p.zones, p.cfg.Alert, ch.alerts, now)
		switch {
		case errors.Is(err, alert.ErrNothingToSay):
		case err != nil:
			// The board still says it: a missing text must not silence a warning.
			ch.unwritten = true
			out = append(out, notWritten(c.Warning.ID, now, err.Error()))
		default:
			spoken = true
			if ch.unwritten {
				ch.unwritten = false
				out = append(out, notWritten(c.Warning.ID, now, ""))
			}
			if ch.alerts = append(ch.alerts, a); len(ch.alerts) > longestChain {
				ch.alerts = slices.Delete(ch.alerts, 0, len(ch.alerts)-longestChain)
			}
		}
	}
	changed.Items = alert.Items(c.Warning, LastAlert(c.Warning.ID, ch.alerts))
	out = append(out, changed)
	if spoken {
		out = append(out, AlertReady{a})
	}
	return p.forget(now, out)
}

// notWritten raises the condition that an alert could not be worded, or clears it where
// there is nothing to say.
func notWritten(id warning.ID, now time.Time, why string) Change {
	return Condition{health.Condition{Name: "alert-not-written", Subject: string(id), Raised: why != "", At: now, Detail: why}}
}

// remembered is how long the chain of a warning that is over is kept.
const remembered = time.Hour

// forget lets go of what is long over, and of what was wrong with it.
func (p *Pipeline) forget(now time.Time, out []Change) []Change {
	var unwritten []warning.ID
	for id, ch := range p.chains {
		if ch.overAt.IsZero() || now.Sub(ch.overAt) <= remembered {
			continue
		}
		if ch.unwritten {
			unwritten = append(unwritten, id)
		}
		delete(p.chains, id)
	}
	slices.Sort(unwritten)
	for _, id := range unwritten {
		out = append(out, notWritten(id, now, ""))
	}
	return out
}

func (p *Pipeline) restore(now time.Time, in Restored) {
	p.book.Restore(now, in.Warnings)
	p.book.Remember(in.Commands...)
	for _, w := range in.Warnings {
		ch := &chain{}
		if w.Over() {
			ch.overAt = w.At
		}
		p.chains[w.ID] = ch
	}
	for _, a := range in.Alerts {
		if ch := p.chains[a.Warning]; ch != nil {
			ch.alerts = append(ch.alerts, a)
		}
	}
}
