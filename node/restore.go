package node

import (
	"encoding/json"
	"time"

	"tocsin/core/alert"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/health"
	"tocsin/journal"
)

// clockBehind is by how much the wall clock may be behind the newest entry of the journal
// and still be waited for: a jump back between two starts. More is no clock that was right.
const clockBehind = 10 * time.Minute

// restore gives core, board and feed what was in force, and makes the first numbers
// durable: nothing is spoken before.
func (n *Node) restore() error {
	l := n.loop
	if ahead := n.memory.newest.Sub(l.wall()); ahead > 0 && ahead < clockBehind {
		l.clock.Now(n.memory.newest, 0)
	}
	now := l.now()
	kept := n.memory.ledger.Restored(now)
	chains := map[warning.ID][]alert.Alert{}
	for _, a := range kept.Alerts {
		chains[a.Warning] = append(chains[a.Warning], a)
	}
	for _, w := range kept.Warnings {
		if err := l.board.Restore(now, w.ID, alert.Items(w, pipeline.LastAlert(w.ID, chains[w.ID]))); err != nil {
			n.log.Warn("board: " + err.Error())
		}
		l.inForce.put(w)
		n.log.Info("restored", "warning", w.ID, "revision", w.Revision, "zones", len(w.Zones))
	}
	for _, a := range kept.Alerts {
		if a, ok := n.within(now, a); ok {
			if err := n.feed.Offer(a); err != nil {
				n.log.Warn("feed: " + err.Error())
			}
		}
	}
	for _, err := range n.memory.damage {
		n.log.Error("journal: " + err.Error())
	}
	if n.memory.damages > 0 {
		l.note(health.Condition{
			Name: "journal-damaged", Raised: true, At: now, Count: n.memory.damages,
			Detail: n.memory.damage[0].Error() + "; what could be read back is in force",
		})
	}
	if err := l.step(now, kept); err != nil {
		return err
	}
	if n.warnedOver() != n.sets.now() {
		if err := l.step(now, pipeline.ZonesChanged{Zones: n.sets.now()}); err != nil {
			return err
		}
	}
	if err := n.begin(now, len(kept.Warnings)); err != nil {
		return err
	}
	return n.carryOut(n.memory.ledger.Unanswered())
}

// begin keeps that a process began here, and the first reservation of numbers.
func (n *Node) begin(now time.Time, restored int) error {
	l := n.loop
	body, err := json.Marshal(beginning{
		Start: n.memory.starts + 1, Restored: restored, Adopted: n.memory.adopted, Set: n.sets.now().Version(),
	})
	if err != nil {
		return err
	}
	entries := []journal.New{{At: now, Kind: kindStart, Body: body}}
	r, due := l.board.Reserve(now)
	if due {
		if body, err = json.Marshal(r); err != nil {
			return err
		}
		entries = append(entries, journal.New{At: now, Kind: kindNumbers, Body: body})
	}
	committed, err := l.keeper.keep(now, entries)
	if err != nil {
		return err
	}
	if due && committed {
		l.board.Reserved(r)
	}
	return nil
}

// carryOut does what was commanded and kept before the process ended in between.
func (n *Node) carryOut(orders []pipeline.Order) error {
	for _, o := range orders {
		answer := make(chan pipeline.Answer, 1)
		if err := n.loop.command(request{order: o, answer: answer}); err != nil {
			return err
		}
		body, err := json.Marshal(<-answer)
		if err != nil {
			return err
		}
		if err := n.memory.ledger.Fold(pipeline.KindAnswer, body); err != nil {
			return err
		}
	}
	return nil
}
