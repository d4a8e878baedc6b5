package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/gateway"
	"tocsin/health"
	"tocsin/journal"
)

// Bounds of what waits for the loop. What is over is counted and told: observations are
// shed, for the next look repeats them; commands wait for their caller's deadline.
const (
	observationQueue = 16_384
	commandQueue     = 64
	receiptQueue     = 4_096
)

// upkeep is how often the loop looks after what nobody asks for: reservations, what is
// late, conditions.
const upkeep = time.Second

// publisher is the public side as the loop needs it.
type publisher interface {
	Publish(gateway.Update)
}

// loop is the one owner of the core, the board and the keeper.
type loop struct {
	core       *pipeline.Pipeline
	clock      pipeline.Clock
	board      *board.Publisher
	within     func(now time.Time, a alert.Alert) (alert.Alert, bool) // what channels may have of an alert
	withheld   map[warning.ID]bool                                    // those that notSigned is raised for
	regions    []string
	keeper     keeper
	recorder   *recorder // nil: nothing is recorded
	out        publisher
	outboxes   []outbox
	health     *health.Board
	metrics    *metrics
	log        *slog.Logger
	wall       func() time.Time
	read       time.Time // when the clock was read last, with its monotonic reading
	picture    board.Picture
	refresh    map[string]bool // chains whose snapshot is stale
	staleSince time.Time       // when something was said that snapshots do not have; zero: nothing
	moments    map[string]health.Condition
	shed       *atomic.Int64 // observations dropped since the last upkeep
	reserving  *reserving

	observations chan observation.Observation
	commands     chan request
	receipts     chan alert.Receipt
	conditions   chan health.Condition
	signers      chan *board.Signer
	sets         chan newSet
	policies     chan pipeline.PolicyChanged
	broken       chan error    // a disk that failed under someone else
	ended        chan struct{} // closed when run returns
	inForce      inForce
	proposed     proposed
}

// outbox is a channel's queue as the loop needs it.
type outbox interface {
	Name() string
	Offer(alert.Alert) error
	Waiting() (count int, since time.Time)
}

// request is a command that is already kept, waiting for its answer.
type request struct {
	order  pipeline.Order
	answer chan pipeline.Answer // nil: nobody waits; else it has room for one
}

// reserving is a reservation on its way to the disk.
type reserving struct {
	reservation board.Reservation
	pending     pending
}

// now reads the clock: wall time that never goes back.
func (l *loop) now() time.Time {
	wall := l.wall()
	elapsed := time.Duration(0)
	if !l.read.IsZero() {
		elapsed = wall.Sub(l.read) // monotonic where the reading has it
	}
	l.read = wall
	now, step := l.clock.Now(wall.Round(0), elapsed)
	if step != 0 {
		l.moment(health.Condition{Name: "clock-step", At: now, Detail: fmt.Sprintf("the wall clock jumped by %s", step)})
	}
	return now
}

// run owns everything until the context ends or the disk fails.
func (l *loop) run(ctx context.Context) error {
	defer close(l.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	kept := l.now()
	for {
		// What is due by time goes between any two inputs: a flood of plots must not make
		// the beats wait, for then every client would be told that it is deaf.
		wait := l.wait(kept.Add(upkeep))
		if wait <= 0 {
			if err := l.due(&kept); err != nil {
				return err
			}
			wait = l.wait(kept.Add(upkeep))
		}
		timer.Reset(max(wait, time.Millisecond))
		var err error
		select {
		case <-ctx.Done():
			return nil
		case o := <-l.observations:
			started := time.Now()
			err = l.step(l.now(), pipeline.Observed{Observation: o, More: l.waiting()})
			l.metrics.observation(time.Since(started))
		case r := <-l.commands:
			err = l.command(r)
		case err = <-l.broken:
		case r := <-l.receipts:
			l.delivered(r)
			err = l.step(l.now(), pipeline.Received{Receipt: r})
		case c := <-l.conditions:
			l.note(c)
			err = l.step(l.now(), pipeline.Health{Condition: c})
		case s := <-l.signers:
			now := l.now()
			frames, unsigned := l.board.SetSigner(now, s)
			l.unsigned(now, unsigned)
			l.staleAll()
			l.publish(now, frames)
			l.withhold(now)
		case s := <-l.sets:
			err = l.useSet(s)
		case p := <-l.policies:
			l.metrics.policy(p.Policy)
			err = l.step(l.now(), p)
		case <-timer.C:
		}
		if err != nil {
			return err
		}
		if !l.staleSince.IsZero() {
			l.renew(l.now())
		}
	}
}

// together bounds the observations of one step: what is decided about the first of them
// waits for the last.
const together = 256

// waiting are the observations that came while the loop did something else.
func (l *loop) waiting() []observation.Observation {
	n := min(len(l.observations), together-1)
	if n == 0 {
		return nil
	}
	more := make([]observation.Observation, n)
	for i := range more {
		more[i] = <-l.observations // nobody else takes from it
	}
	return more
}

// newSet is a zone set to be put in force, and the keys over it.
type newSet struct {
	set    *zone.Set
	signer *board.Signer
}

// useSet puts another zone set in force. The board goes first, so that what the core moves
// to new zones finds their regions.
func (l *loop) useSet(s newSet) error {
	now := l.now()
	frames, unsigned := l.board.SetZones(now, s.set)
	l.unsigned(now, unsigned)
	more, unsigned := l.board.SetSigner(now, s.signer)
	l.unsigned(now, unsigned)
	l.regions = l.board.Regions()
	l.staleAll()
	l.publish(now, append(frames, more...))
	body, err := json.Marshal(changedSet{Set: s.set.Version(), At: now.UTC().Format(time.RFC3339Nano)})
	if err != nil {
		return fmt.Errorf("node: set: %w", err)
	}
	return l.follow(now, l.give(now, pipeline.ZonesChanged{Zones: s.set}), []journal.New{{At: now, Kind: kindSet, Body: body}})
}

// wait is how long nothing is due.
func (l *loop) wait(next time.Time) time.Duration {
	if due, ok := l.core.Next(); ok && due.Before(next) {
		next = due
	}
	if due := l.board.Next(); due.Before(next) {
		next = due
	}
	return next.Sub(l.now())
}

// due does what time asks for.
func (l *loop) due(kept *time.Time) error {
	now := l.now()
	if due, ok := l.core.Next(); ok && !now.Before(due) {
		if err := l.step(now, pipeline.Ticked{}); err != nil {
			return err
		}
	}
	if due := l.board.Next(); !now.Before(due) {
		frames, err := l.board.Tick(now)
		l.unsigned(now, err)
		l.publish(now, frames)
	}
	if now.Sub(*kept) >= upkeep {
		*kept = now
		return l.keepUp(now)
	}
	return nil
}

// keepUp reserves numbers ahead, looks after what is late, and takes back what was said of
// moments that are over.
func (l *loop) keepUp(now time.Time) error {
	if l.keeper.waiting() {
		if err := l.keeper.tend(now); err != nil {
			return err
		}
	}
	for _, c := range l.keeper.conditions() {
		l.note(c)
	}
	if c, missing := l.recorder.tell(now, l.keeper.raised[journalFull]); missing {
		l.moment(c)
	}
	if err := l.reserve(now); err != nil {
		return err
	}
	l.withhold(now)
	l.metrics.registered(l.core.Registration())
	if n := l.shed.Swap(0); n > 0 {
		l.moment(health.Condition{Name: "observations-shed", At: now, Count: int(n), Detail: "the core cannot keep up; the newest plots were dropped"})
	}
	for _, b := range l.outboxes {
		count, since := b.Waiting()
		l.note(health.Condition{
			Name: "channel-behind", Subject: b.Name(), Raised: count > 0 && now.Sub(since) > behind, At: now, Count: count,
			Detail: fmt.Sprintf("%d alerts wait, the oldest since %s", count, since.UTC().Format(time.TimeOnly)),
		})
	}
	for key, m := range l.moments {
		if now.Sub(m.At) >= momentTime {
			delete(l.moments, key)
			l.note(health.Condition{Name: m.Name, Subject: m.Subject, At: now})
		}
	}
	return nil
}

// behind is how old the oldest alert of a channel's queue may be.
const behind = 30 * time.Second

// momentTime is how long a condition is raised that is one moment, not a state: long
// enough to be seen by whoever scrapes the metrics each minute.
const momentTime = 2 * time.Minute

// moment raises a condition that clears itself.
func (l *loop) moment(c health.Condition) {
	c.Raised = true
	l.moments[c.Key()] = c
	l.note(c)
}

// delivered holds what channels say of the last alert they were given, and keeps it without
// waiting for the disk: nothing depends on it.
func (l *loop) delivered(r alert.Receipt) {
	if body, err := json.Marshal(r); err == nil && !l.keeper.waiting() {
		ctx, cancel := context.WithTimeout(context.Background(), hurry)
		// A disk that is behind or full must not be given more; a receipt that is not kept is
		// told all the same, by the condition.
		_, _ = l.keeper.store.Start(ctx, journal.New{At: l.now(), Kind: pipeline.KindReceipt, Body: body})
		cancel()
	}
	l.note(health.Condition{
		Name: "not-delivered", Subject: r.Channel, Raised: r.State == alert.Failed, At: r.At, Detail: string(r.Alert) + ": " + r.Reason,
	})
}

// reserve makes numbers durable ahead of their use without waiting for the disk. An error
// is a disk that failed.
func (l *loop) reserve(now time.Time) error {
	// Last, and whatever the disk answers: one that never answers is told of too.
	defer func() {
		l.note(health.Condition{
			Name: "numbers-overdrawn", Raised: l.board.Overdrawn(), At: now,
			Detail: "the disk does not take reservations of numbers; a restart now could use one twice",
		})
	}()
	if l.reserving != nil {
		select {
		case <-l.reserving.pending.Done():
		default:
			return nil
		}
		_, err := l.reserving.pending.Result()
		switch {
		case err == nil:
			l.board.Reserved(l.reserving.reservation)
		case isBroken(err):
			return fmt.Errorf("node: journal: %w", err)
		}
		l.reserving = nil
	}
	r, due := l.board.Reserve(now)
	if !due {
		return nil
	}
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("node: numbers: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), hurry)
	defer cancel()
	p, err := l.keeper.store.Start(ctx, journal.New{At: now, Kind: kindNumbers, Body: body})
	if err != nil {
		return nil // tried again in a second; Overdrawn tells if it lasts
	}
	l.reserving = &reserving{reservation: r, pending: p}
	return nil
}

// give gives the core one input. There is no other way to it: what it is given is recorded.
func (l *loop) give(now time.Time, in pipeline.Input) []pipeline.Change {
	l.recorder.take(now, in)
	return l.core.Step(now, in)
}

// step gives the core one input, keeps what it decided, then speaks. An error is a disk
// that failed; everything was spoken before it is returned.
func (l *loop) step(now time.Time, in pipeline.Input) error {
	out := l.give(now, in)
	return l.follow(now, out, nil)
}

// command carries out a command that is already kept, and keeps its answer with what it
// decided, in one piece.
func (l *loop) command(r request) error {
	now := l.now()
	out := l.give(now, r.order.Input())
	answer := pipeline.AnswerOf(r.order.ID, out)
	answer.Position = r.order.Position
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("node: answer: %w", err)
	}
	err = l.follow(now, out, []journal.New{{At: now, Kind: pipeline.KindAnswer, Body: body}})
	if r.answer != nil {
		r.answer <- answer
	}
	return err
}

// follow keeps and speaks what a step gave.
func (l *loop) follow(now time.Time, out []pipeline.Change, entries []journal.New) error {
	for _, c := range out {
		kind, body, kept, err := pipeline.Entry(c)
		if err != nil {
			l.moment(health.Condition{Name: "not-kept", At: now, Detail: err.Error()})
			continue
		}
		if kept {
			entries = append(entries, journal.New{At: now, Kind: kind, Body: body})
		}
	}
	var failed error
	if len(entries) > 0 {
		started := time.Now()
		_, failed = l.keeper.keep(now, entries)
		l.metrics.committed(time.Since(started))
		for _, c := range l.keeper.conditions() {
			l.note(c)
		}
	}
	l.speak(now, out)
	return failed
}

// speak says what changed to everyone it is for.
func (l *loop) speak(now time.Time, out []pipeline.Change) {
	var frames []board.Frame
	said := false
	for _, c := range out {
		switch c := c.(type) {
		case pipeline.WarningChanged:
			said = true
			l.inForce.put(c.Warning)
			more, err := l.board.Apply(now, c.Warning.ID, c.Items)
			l.unsigned(now, err)
			frames = append(frames, more...)
			l.log.Info(c.String())
		case pipeline.AlertReady:
			l.offer(now, c.Alert)
			l.metrics.alerts.Inc()
			l.log.Info(c.String())
		case pipeline.Condition:
			l.metrics.told(c.Condition)
			l.note(c.Condition)
		case pipeline.TrackConfirmed, pipeline.TrackEnded, pipeline.Refused:
			if l.log.Enabled(context.Background(), slog.LevelDebug) {
				l.log.Debug(c.String())
			}
		}
	}
	l.proposed.put(l.core.Proposals())
	if p := board.Picture(l.core.Picture()); p != l.picture {
		l.picture = p
		l.board.SetPicture(p)
		l.staleAll()
		said = true
	}
	if said || len(frames) > 0 {
		l.publish(now, frames)
	}
}

// offer gives an alert to every channel, as far as the keys of the board reach.
func (l *loop) offer(now time.Time, a alert.Alert) {
	a, ok := l.within(now, a)
	if !ok {
		return
	}
	for _, b := range l.outboxes {
		full := health.Condition{Name: "channel-full", Subject: b.Name(), At: now}
		if err := b.Offer(a); err != nil {
			full.Raised, full.Detail = true, err.Error()
		}
		l.note(full)
	}
}

// renewEvery is how old what newcomers and dashboards get may be while inputs wait. What
// follows a chain has its frames at once: they are not kept waiting for it.
const renewEvery = 250 * time.Millisecond

// publish hands frames to the public side, and then what newcomers get.
func (l *loop) publish(now time.Time, frames []board.Frame) {
	for _, f := range frames {
		l.refresh[f.Region] = true
	}
	if len(frames) > 0 {
		l.out.Publish(gateway.Update{Frames: frames})
		l.metrics.frames.Add(float64(len(frames)))
	}
	if l.staleSince.IsZero() {
		l.staleSince = now
	}
	l.renew(now)
}

// renew makes the snapshots that are stale anew, and the body of /v1/active: where nothing
// waits for the loop, or they are as old as they may be.
func (l *loop) renew(now time.Time) {
	if waits := len(l.observations)+len(l.commands) > 0; l.staleSince.IsZero() || waits && now.Sub(l.staleSince) < renewEvery {
		return
	}
	l.staleSince = time.Time{}
	u := gateway.Update{Active: l.board.Active(now)}
	for _, region := range l.regions {
		if !l.refresh[region] {
			continue
		}
		snapshot, beat, err := l.board.Snapshot(region)
		if err != nil {
			l.unsigned(now, err)
			continue
		}
		delete(l.refresh, region)
		u.Snapshots = append(u.Snapshots, gateway.Snapshot{Region: region, Board: snapshot, Beat: beat})
	}
	l.out.Publish(u)
}

func (l *loop) staleAll() {
	for _, region := range l.regions {
		l.refresh[region] = true
	}
}

func (l *loop) unsigned(now time.Time, err error) {
	if err != nil {
		l.moment(health.Condition{Name: notSigned, At: now, Detail: err.Error()})
	}
}

// note holds a condition and logs it when it changes.
func (l *loop) note(c health.Condition) {
	if !l.health.Put(c) {
		return
	}
	if c.Raised {
		l.log.Warn(c.String())
		return
	}
	l.log.Info(c.String())
}
