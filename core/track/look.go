package track

import (
	"slices"
	"time"
)

// look is one pass of one source over one object: the belief it started from, and the
// plots that might be the object. Each plot is assigned at once; when a later plot of
// the same look makes another assignment better, the objects concerned go back to the
// belief the look started from. After the last plot of a scan the result is that of
// one global assignment of the scan, whatever the order in which its plots came.
//
// An object keeps its last looks in the order of their times. A plot that comes late
// gets its look where it belongs, and the looks after it are run again from there: the
// belief is then what it would be had the plot come in time.
type look struct {
	source *source
	from   time.Time
	prior  memory
	plots  []*plot
	chosen *plot
	after  float64 // log-odds of existence when it was done, before later misses
	used   bool    // it has been run before
}

// maxLooks bounds what is kept for late plots, besides their age.
const maxLooks = 20

// lookFor returns the look a plot belongs to, or nil and the belief a new one would
// start from, with its place among the looks. No belief: the plot is too old.
func (o *object) lookFor(pl *plot) (l *look, base *memory, slot int) {
	slot = len(o.looks)
	base = &o.memory
	for i := len(o.looks) - 1; i >= 0; i-- {
		k := o.looks[i]
		if k.source == pl.source && absolute(pl.at.Sub(k.from)) < pl.source.window {
			if pl.at.Before(k.prior.at) {
				return nil, nil, 0
			}
			return k, &k.prior, i
		}
		if k.from.After(pl.at) {
			base, slot = &k.prior, i
		}
	}
	if pl.at.Before(base.at) {
		return nil, nil, 0
	}
	return nil, base, slot
}

// open adds a look at its place, and forgets those that are older than keep.
func (o *object) open(pl *plot, base *memory, slot int, keep time.Duration) *look {
	l := &look{source: pl.source, from: pl.at, prior: *base, after: base.logOdds}
	old := 0
	for old < slot && (o.at.Sub(o.looks[old].from) > keep || len(o.looks)-old >= maxLooks) {
		old++
	}
	o.looks = slices.Delete(o.looks, 0, old)
	slot -= old
	o.looks = slices.Insert(o.looks, slot, l)
	return l
}

// rerun makes the object's belief again, from a look on.
func (o *object) rerun(l *look) {
	i := slices.Index(o.looks, l)
	if i < 0 {
		return
	}
	missed := o.logOdds - o.looks[len(o.looks)-1].after
	m := l.prior
	if l.used || i < len(o.looks)-1 { // what is behind the end of recent has been handed out
		m.recent = m.recent[:len(m.recent):len(m.recent)]
	}
	before := 0.0 // after of the look before, as it was
	for k := i; k < len(o.looks); k++ {
		at := o.looks[k]
		if k > i {
			m.logOdds += at.prior.logOdds - before
			at.prior = m
		}
		before = at.after
		if at.chosen != nil {
			m.take(o, at.chosen)
		}
		at.after, at.used = m.logOdds, true
	}
	m.logOdds += missed
	o.memory = m
	o.cache.valid = false
}

// take corrects the belief with a plot that is not older than it.
func (m *memory) take(o *object, q *plot) {
	c := o.ahead(m, q.at)
	var rows [6]row
	n, scale := q.g.rows(m.frame, &c.one, &rows)
	m.blend = c.blend
	ll := m.blend.correct(rows[:n]) + scale
	if q.at.After(m.at) {
		m.at = q.at
	}
	o.stamps++
	m.stamp = o.stamps
	m.absorb(q, ll)
	m.trace()
}
