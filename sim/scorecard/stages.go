package scorecard

import (
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// span is a stage of a zone from a time to a time. Open: it was in force when the raid's
// end came.
type span struct {
	stage    warning.Stage
	threat   class.Class // as it was when the stage began
	from, to time.Duration
	open     bool
}

// said is what one warning says of a zone.
type said struct {
	stage  warning.Stage
	threat class.Class
}

// stagelog is which stage was in force where, over a raid. Where several warnings hold a
// zone the graver stage counts.
type stagelog struct {
	zones *zone.Set
	held  map[warning.ID]map[int]said
	now   []said
	since []time.Duration
	spans [][]span // per leaf index, in order of time
}

func newStagelog(zones *zone.Set) *stagelog {
	n := zones.Len()
	return &stagelog{zones: zones, held: map[warning.ID]map[int]said{}, now: make([]said, n), since: make([]time.Duration, n), spans: make([][]span, n)}
}

// take enters a warning as it is from a time on.
func (l *stagelog) take(at time.Duration, w warning.Warning) {
	old := l.held[w.ID]
	held := make(map[int]said, len(w.Zones))
	for _, z := range w.Zones {
		if i, ok := l.zones.Index(z.Zone); ok {
			held[i] = said{z.Stage, z.Threat}
		}
	}
	l.held[w.ID] = held
	for i := range old {
		if _, still := held[i]; !still {
			l.set(at, i)
		}
	}
	for i := range held {
		l.set(at, i)
	}
}

// set brings a zone to the gravest stage that any warning holds it in.
func (l *stagelog) set(at time.Duration, i int) {
	var new said
	for _, held := range l.held {
		if h := held[i]; h.stage > new.stage || h.stage == new.stage && h.threat.Rank() < new.threat.Rank() {
			new = h
		}
	}
	old := l.now[i]
	if new.stage == old.stage {
		return
	}
	if old.stage != warning.Quiet && at > l.since[i] {
		l.spans[i] = append(l.spans[i], span{stage: old.stage, threat: old.threat, from: l.since[i], to: at})
	}
	l.now[i], l.since[i] = new, at
}

// close ends the log with the raid.
func (l *stagelog) close(at time.Duration) {
	for i, s := range l.now {
		if s.stage != warning.Quiet && at > l.since[i] {
			l.spans[i] = append(l.spans[i], span{stage: s.stage, threat: s.threat, from: l.since[i], to: at, open: true})
		}
	}
}
