package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/gateway"
	"tocsin/journal"
)

// public is the public side: it counts what it is given.
type public struct {
	kinds map[board.Kind]int
	after func(board.Frame)
}

func (p *public) Publish(u gateway.Update) {
	for _, f := range u.Frames {
		if p.kinds == nil {
			p.kinds = map[board.Kind]int{}
		}
		p.kinds[f.Kind]++
		if p.after != nil {
			p.after(f)
		}
	}
}

// loopOf is the loop of a node that does not run, with a clock and a public side of the
// test's.
func loopOf(t *testing.T) (*loop, *public, *time.Time) {
	t.Helper()
	n := newOffice(t).open(t)
	now := time.Now().Round(0)
	out := &public{}
	n.loop.wall, n.loop.out, n.loop.read = func() time.Time { return now }, out, time.Time{}
	return n.loop, out, &now
}

func declared(id string, until time.Time, ids ...zone.ID) request {
	return request{order: pipeline.Order{Command: warning.Command{
		ID: id, Action: warning.Declare, By: warning.Issuer{Kind: warning.ByAuthority, Name: "authority"},
		Zones: ids, Stage: warning.Shelter, Threat: class.CruiseMissile, Until: until, Reason: "launches seen",
	}}, answer: make(chan pipeline.Answer, 1)}
}

// TestBeatsInAFlood: while plots come faster than they are taken up, the beats go out all the
// same: else every client would be told that it is deaf.
func TestBeatsInAFlood(t *testing.T) {
	l, out, now := loopOf(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	plot := observation.Observation{Source: "stranger", ObservedAt: *now, ReceivedAt: *now}
	began, flood := *now, 2*time.Minute
	l.wall = func() time.Time {
		*now = now.Add(20 * time.Millisecond) // each look at the clock
		for len(l.observations) < 2*together {
			l.observations <- plot
		}
		if now.Sub(began) > flood {
			stop()
		}
		return *now
	}
	if err := l.run(ctx); err != nil {
		t.Fatal(err)
	}
	if want := 3 * int(flood/board.BeatEvery) * 9 / 10; out.kinds[board.Beat] < want {
		t.Errorf("in %s of flood %d beats of four chains, want %d", flood, out.kinds[board.Beat], want)
	}
}

// unwanted is a channel that must be given nothing.
type unwanted struct{ t *testing.T }

func (u unwanted) Name() string              { return "unwanted" }
func (u unwanted) Waiting() (int, time.Time) { return 0, time.Time{} }
func (u unwanted) Offer(a alert.Alert) error { u.t.Errorf("a channel was given %s", a.ID); return nil }

// TestTheTestChainIsOnTheBoardAlone: it is said every minute; no channel and no entry of the
// journal has it, but for the numbers reserved for it.
func TestTheTestChainIsOnTheBoardAlone(t *testing.T) {
	l, out, now := loopOf(t)
	kept := &disk{}
	l.keeper = keeper{store: kept, spoken: &paper{}}
	l.outboxes = []outbox{unwanted{t}}
	changes := 0
	out.after = func(f board.Frame) {
		if f.Kind == board.Change && f.Region == board.Test {
			changes++
		} else if f.Kind == board.Change {
			t.Errorf("a change of %s", f.Region)
		}
	}
	since := *now
	for end := now.Add(5 * time.Minute); now.Before(end); *now = now.Add(time.Second) {
		if err := l.due(&since); err != nil {
			t.Fatal(err)
		}
	}
	if changes < 10 {
		t.Errorf("%d changes in five minutes", changes)
	}
	for _, e := range kept.kept {
		var numbers board.Reservation
		body := json.NewDecoder(strings.NewReader(e))
		body.DisallowUnknownFields()
		if err := body.Decode(&numbers); err != nil || numbers.At.IsZero() || strings.Contains(e, string(zone.TestZone)) {
			t.Errorf("kept: %s: %v", e, err)
		}
	}
	if len(kept.kept) == 0 {
		t.Error("not even numbers were kept")
	}
}

// TestABrokenDiskIsSpokenThrough: what was decided is said and set aside, then the loop ends
// with the reason.
func TestABrokenDiskIsSpokenThrough(t *testing.T) {
	l, out, now := loopOf(t)
	paper := &paper{}
	l.keeper = keeper{store: &disk{fails: func([]journal.New) error { return fmt.Errorf("i/o error: %w", journal.ErrBroken) }}, spoken: paper}
	l.commands <- declared("c", now.Add(time.Hour), "a")
	if err := l.run(t.Context()); !errors.Is(err, journal.ErrBroken) {
		t.Fatalf("%v", err)
	}
	if out.kinds[board.Change] == 0 {
		t.Error("it ended without speaking")
	}
	if all := strings.Join(paper.lines, "\n"); !strings.Contains(all, `"command":"c"`) || !strings.Contains(all, `"stage":"shelter"`) {
		t.Errorf("aside: %s", all)
	}
}

// TestReservationsThatFail: a disk that breaks under a reservation ends the loop; one that has
// no room for it is told of, and told well again.
func TestReservationsThatFail(t *testing.T) {
	l, _, now := loopOf(t)
	full := &disk{fails: func([]journal.New) error { return journal.ErrFull }}
	l.keeper = keeper{store: full, spoken: &paper{}}
	kept := *now
	step := func(d time.Duration) error { *now = now.Add(d); return l.due(&kept) }
	for range 200 {
		if err := step(upkeep); err != nil {
			t.Fatal(err)
		}
	}
	if !l.health.Has("numbers-overdrawn", "") {
		t.Error("times were used that are not reserved, and nobody is told")
	}
	full.fails = nil
	for range 50 {
		if err := step(upkeep); err != nil {
			t.Fatal(err)
		}
	}
	if l.health.Has("numbers-overdrawn", "") {
		t.Error("it stays raised")
	}
	full.fails = func([]journal.New) error { return journal.ErrBroken }
	var err error
	for range 1000 {
		if err = step(upkeep); err != nil {
			break
		}
	}
	if !errors.Is(err, journal.ErrBroken) {
		t.Errorf("a broken disk under a reservation: %v", err)
	}
}

// TestReservationsWithoutAnswer: a disk that neither takes nor refuses is told of as well.
func TestReservationsWithoutAnswer(t *testing.T) {
	l, _, now := loopOf(t)
	l.keeper = keeper{store: &disk{delay: time.Hour}, spoken: &paper{}}
	kept := *now
	for range 200 {
		*now = now.Add(upkeep)
		if err := l.due(&kept); err != nil {
			t.Fatal(err)
		}
	}
	if !l.health.Has("numbers-overdrawn", "") {
		t.Error("times were used that are not reserved, and nobody is told")
	}
}

// TestMomentsPass: a condition that is a moment is seen, and over after a while.
func TestMomentsPass(t *testing.T) {
	l, _, now := loopOf(t)
	l.now()
	*now = now.Add(-time.Hour)
	l.now()
	l.shed.Add(7)
	kept := *now
	for i := range 200 {
		*now = now.Add(time.Second)
		if err := l.due(&kept); err != nil {
			t.Fatal(err)
		}
		if i == 5 && !(l.health.Has("clock-step", "") && l.health.Has("observations-shed", "")) {
			t.Errorf("raised are %v", l.health.Raised())
		}
	}
	if l.health.Has("clock-step", "") || l.health.Has("observations-shed", "") {
		t.Errorf("still raised: %v", l.health.Raised())
	}
}
