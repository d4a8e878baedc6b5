package track

import (
	"fmt"
	"math"
	"slices"
)

// ground is what the picture learns of one source as it goes: how many plots that were
// nobody's it gives, and where, against how many it is registered to give.
type ground struct {
	source *source
	whole  tally
	cells  [grounds]tally
	young  int // tentative objects it has started
}

// tally counts plots that were nobody's in one cell, and how many there should have
// been; both fade. Apart from them it counts those that have begun an object that may
// still become a track: a raid that comes all at once is no clutter, and what was false is
// known a look later. Until then it makes nothing harder to follow, only harder to believe,
// or a flood of false plots would invent tracks before it is known for one.
type tally struct {
	at              tick
	seen, predicted float64
	waiting         float64
}

const (
	rings, wedges = 8, 16
	grounds       = rings * wedges
	fade          = 120.0 // seconds after which a count has faded to a third
	trusting      = 12.0  // plots by which the registered density is believed at first
	leastClutter  = 1.0   // of what is registered: plots that false tracks have taken are not counted, so less is never sure
	mostClutter   = 100.0
	wild          = 5.0 // times its registered false plots: then the source is named
	wildFrom      = 60  // false plots, at least
)

// groundOf is what is learned of a source, from now on if nothing is yet.
func (e *engine) groundOf(s *source) *ground {
	for i := range e.learned {
		if e.learned[i].source == s {
			return &e.learned[i]
		}
	}
	e.learned = append(e.learned, ground{source: s})
	return &e.learned[len(e.learned)-1]
}

// cellOf is the cell of a source's ground in which a sighting is: rings of equal width
// around its site, or around the middle of its coverage, cut into wedges.
func (s *source) cellOf(g *sighting) (cell int, share float64) {
	d, az := g.rng*math.Cos(g.el), g.az
	if g.kind != polar {
		if s.site == nil {
			return 0, 1.0 / grounds
		}
		p := s.site.to(g.guess)
		d, az = length(p[0], p[1]), math.Atan2(p[0], p[1])
	}
	ring := min(int(rings*d/s.reach()), rings-1)
	turn := az / (2 * math.Pi)
	wedge := int(wedges*(turn-math.Floor(turn))) % wedges
	share = 1.0 / grounds // a radar's false plots lie evenly in range and azimuth
	if g.kind != polar {
		share = float64(2*ring+1) / (rings * rings) / wedges
	}
	return max(ring, 0)*wedges + wedge, share
}

// weather brings the clutter around a plot up to date and sets what it must stand out from.
func (e *engine) weather(q *plot) {
	s := q.source
	cell, share := s.cellOf(&q.g)
	gr := e.groundOf(s)
	t := &gr.cells[cell]
	q.cell, q.share = cell, share
	gr.whole.pass(e.since(q.at), q.at, s.noise/s.period.seconds())
	t.pass(e.since(q.at), q.at, s.noise*share/s.period.seconds())
	whole := gr.whole.ratio(1)
	q.factor = min(max(t.ratio(whole), leastClutter), mostClutter)
	q.g.logClutter = q.registered + math.Log(q.factor)
	q.clutter = flatClutter(&q.g)
}

// pass brings a tally to now, from when it began if it is new: so many false plots a
// second are registered.
func (t *tally) pass(began, now tick, rate float64) {
	if t.at == 0 {
		t.at = began
	}
	if dt := (now - t.at).seconds(); dt > 0 {
		keep := math.Exp(-dt / fade)
		t.seen *= keep
		t.predicted = t.predicted*keep + rate*fade*(1-keep)
		t.at = now
	}
}

// ratio is what is seen over what is registered, where that is known to be first.
func (t *tally) ratio(first float64) float64 {
	return (trusting*first + t.seen) / (trusting + t.predicted)
}

// doubt is how much more false plots than the factor of a plot says there are around it,
// were all that is young false. One look's worth of them always is.
func (e *engine) doubt(q *plot) float64 {
	gr, s := e.groundOf(q.source), q.source
	whole := gr.whole.worst(1, s.noise)
	return max(gr.cells[q.cell].worst(whole, s.noise*q.share)/q.factor, 1)
}

// worst is what ratio would be were all that is young false.
func (t *tally) worst(first, due float64) float64 {
	return (trusting*first + t.seen + t.waiting) / (trusting + t.predicted + due)
}

// since is when the engine began, for what is first asked of now.
func (e *engine) since(now tick) tick {
	if e.began == 0 {
		e.began = now
	}
	return e.began
}

// What the plot that began an object counts as.
const (
	uncounted = iota
	undecided // it may still become a track
	nobodys   // false, as it seems
)

// count makes the plot that began an object count as what it is now taken for.
func (e *engine) count(ob *object, as int) {
	if ob.counted == as {
		return
	}
	gr := e.groundOf(ob.cradle)
	for _, t := range []*tally{&gr.whole, &gr.cells[ob.cell]} {
		switch ob.counted {
		case undecided:
			t.waiting--
		case nobodys:
			t.seen = max(t.seen-1, 0)
		}
		switch as {
		case undecided:
			t.waiting++
		case nobodys:
			t.seen++
		}
	}
	ob.counted = as
}

// countDead counts all plots of an object that never was one as false.
func (e *engine) countDead(ob *object) {
	e.count(ob, nobodys)
	gr, more := e.groundOf(ob.cradle), float64(ob.updates-1)
	gr.whole.seen += more
	gr.cells[ob.cell].seen += more
}

// takeStock names the sources that give far more false plots than they are registered to.
func (e *engine) takeStock(now tick) {
	if e.sweeps%stockEvery != 0 {
		return
	}
	for i := range e.learned {
		gr := &e.learned[i]
		if t := &gr.whole; t.seen > wildFrom && t.ratio(1) > wild {
			e.raise(now, "source-clutter", gr.source.reg.ID,
				fmt.Sprintf("gives %.0f times as many false plots as it is registered to; they count the less", t.ratio(1)))
		}
	}
}

// stockEvery is how many sweeps lie between two looks at who gives too much.
const stockEvery = 10

// crowded reports whether a source has started all the objects that one may: others
// must find room too.
func (e *engine) crowded(s *source) bool {
	bound := e.set.config.MaxTentative
	if len(e.set.sources()) > 1 {
		bound /= 2
	}
	return e.groundOf(s).young >= bound
}

// copyLearned is what a clone learns on from.
func (e *engine) copyLearned() []ground { return slices.Clone(e.learned) }
