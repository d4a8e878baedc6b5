package node

import (
	"errors"
	"fmt"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
)

// signing is the board's keys over the zones in force, as the desk asks for them. It is not
// changed.
type signing struct {
	signer *board.Signer
	zones  *zone.Set
}

// chains are the chains of the board that a zone is said in.
func (s *signing) chains(id zone.ID) [2]string {
	return [2]string{board.Whole, string(s.zones.Region(id))}
}

// Permits is desk.Signing.
func (s *signing) Permits(at time.Time, c class.Class, id zone.ID) bool {
	for _, chain := range s.chains(id) {
		if s.signer.Permits(chain, at, c, id) {
			return true
		}
	}
	return false
}

// Until is desk.Signing.
func (s *signing) Until(at time.Time, id zone.ID) time.Time {
	end := at
	for _, chain := range s.chains(id) {
		if t := s.signer.Until(chain, at); t.After(end) {
			end = t
		}
	}
	return end
}

// notSigned is raised for each warning as long as some of it is on no device because no key
// of the board may sign it.
const notSigned = "not-signed"

// withheldNamed bounds how many warnings have a condition of their own; the rest is counted.
const withheldNamed = 64

// withhold raises notSigned for what is withheld now, and clears it for what is no more.
func (l *loop) withhold(now time.Time) {
	was := l.withheld
	l.withheld = map[warning.ID]bool{}
	all := l.board.Withheld(now)
	for i, w := range all {
		if i == withheldNamed {
			break
		}
		l.withheld[w.Warning] = true
		l.note(health.Condition{
			Name: notSigned, Subject: string(w.Warning), Raised: true, At: now, Count: w.Zones,
			Detail: fmt.Sprintf("%d zones, the first %s (%s), are warned and on no device: no key of the board in force may sign them; rotate to a key that may, or have another authority warn", w.Zones, w.First, w.Threat),
		})
	}
	for id := range was {
		if !l.withheld[id] {
			l.note(health.Condition{Name: notSigned, Subject: string(id), At: now})
		}
	}
	more := len(all) - len(l.withheld)
	l.note(health.Condition{
		Name: notSigned, Subject: "others", Raised: more > 0, At: now, Count: more,
		Detail: fmt.Sprintf("%d more warnings have zones that no key may sign", more),
	})
}

// within is an alert as the channels may have it: bound by the jurisdiction of the board's
// keys like the board itself. false: nothing of it may be said.
func (n *Node) within(now time.Time, a alert.Alert) (alert.Alert, bool) {
	left, err := alert.Narrow(a, func(c class.Class, id zone.ID) bool { return n.loop.board.Permits(now, c, id) }, n.sets.of(a.Set), n.words)
	if err != nil && !errors.Is(err, alert.ErrNothingToSay) {
		n.loop.moment(health.Condition{Name: "alert-not-written", Subject: string(a.Warning), At: now, Detail: err.Error()})
	}
	return left, err == nil
}
