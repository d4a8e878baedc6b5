package pipeline

import (
	"fmt"
	"slices"
	"time"

	"tocsin/core/observation"
	"tocsin/health"
)

// Limits of how far a source's clock and ours may part before its times are not taken
// as they are: a report from the future never is, and one that is late may be so for
// want of a line; only when even the freshest of several are late is it the clock.
const (
	futureAllowed = 500 * time.Millisecond
	lateAllowed   = 25 * time.Second
	freshest      = 8 // how many reports the freshest is sought among
	maxClocks     = 4096
)

// punctual keeps observations of a source usable when its clock, or ours, is wrong: a
// jump of a clock must not blind a sensor. It raises "source-clock" while it does.
type punctual struct {
	sources map[string]*lateness
	notes   []health.Condition
}

// lateness is by how much the newest reports of one source were late.
type lateness struct {
	delays [freshest]time.Duration
	count  int
	wrong  bool
}

// stamp returns the observation with a time that the core can use at now.
func (p *punctual) stamp(now time.Time, o observation.Observation) observation.Observation {
	l := p.sources[o.Source]
	if l == nil {
		if len(p.sources) >= maxClocks {
			return o
		}
		if p.sources == nil {
			p.sources = map[string]*lateness{}
		}
		l = &lateness{}
		p.sources[o.Source] = l
	}
	delay := now.Sub(o.ObservedAt)
	l.delays[l.count%freshest] = delay
	l.count++
	least := slices.Min(l.delays[:min(l.count, freshest)])
	switch {
	case delay < -futureAllowed:
		o.ObservedAt = now
		p.note(l, o.Source, now, true, delay)
	case l.count >= freshest && least > lateAllowed:
		o.ObservedAt = o.ObservedAt.Add(least)
		p.note(l, o.Source, now, true, least)
	case l.count >= freshest && least >= -futureAllowed:
		p.note(l, o.Source, now, false, 0)
	}
	return o
}

func (p *punctual) note(l *lateness, source string, now time.Time, wrong bool, by time.Duration) {
	if l.wrong == wrong {
		return
	}
	l.wrong = wrong
	c := health.Condition{Name: "source-clock", Subject: source, Raised: wrong, At: now}
	if wrong {
		c.Detail = fmt.Sprintf("its clock and ours differ by %s: its times are taken from ours", by.Round(100*time.Millisecond).Abs())
	}
	p.notes = append(p.notes, c)
}

// conditions hands over what was noted since the last call.
func (p *punctual) conditions() []health.Condition {
	notes := p.notes
	p.notes = nil
	return notes
}
