package track

import (
	"math"
	"slices"

	"tocsin/core/observation"
)

// plot is one observation that measures.
type plot struct {
	o       *observation.Observation
	g       sighting
	source  *source
	at      tick
	seq     uint64  // by arrival
	clutter float64 // flatClutter

	registered, factor float64 // logarithm of the registered density of false plots here, and how far it is off
	cell               int     // of the source's ground
	share              float64 // of the false plots that come in the cell

	edges   []edge
	first   [1]edge // room for the only edge that most have
	taken   *object // assigned to
	started *object // or started by it
	column  int     // scratch of cluster
	marked  bool
}

func (q *plot) reset() {
	clear(q.edges)
	if q.edges == nil {
		q.edges = q.first[:0]
	}
	q.edges, q.taken, q.started, q.marked = q.edges[:0], nil, nil, false
}

// edge says that a plot may be an object of an open look, and how much is gained by it
// over calling the plot false and the object missed (log-likelihood ratio).
type edge struct {
	object *object
	serial uint64 // of the look
	gain   float64
	all    bool // models that sleep were asked
}

func (e edge) open() bool { return e.object.look.serial == e.serial && !e.object.gone }

// gates are the squared normalised innovations beyond which a plot is not the object,
// per number of rows: once in 10,000 true plots.
var gates = [mostRows + 1]float64{0, 15.1, 18.4, 21.1, 23.5, 25.7, 27.9}

// most bounds the plots and the objects that are assigned together; beyond it a new
// plot takes the best object that is free.
const most = 48

// associate takes one measurement.
func (e *engine) associate(pl *plot) {
	e.weather(pl)
	if e.keyed(pl) {
		return
	}
	for _, ob := range e.candidates(pl) {
		e.tryEdge(ob, pl)
	}
	switch len(pl.edges) {
	case 0:
		e.start(pl)
		return
	case 1:
		if ob := pl.edges[0].object; len(ob.look.plots) == 1 { // nobody else competes
			e.apply(ob, pl, pl.edges[0].all)
			e.shadow(ob, pl)
			e.reportOne(ob)
			return
		}
	}
	e.settle(pl)
}

// candidates lists the objects near a sighting, oldest first.
func (e *engine) candidates(q *plot) []*object {
	g := &q.g
	if g.kind == angular || !(g.spread < widest) {
		return e.objects
	}
	e.found = e.grid.near(onSphere(g.guess), g.spread, e.found[:0])
	return e.found
}

// tryEdge adds an edge from the plot to the object if it may be its plot.
func (e *engine) tryEdge(ob *object, pl *plot) {
	if ob.gone || (ob.cradle == pl.source && pl.at-ob.since < pl.source.window) {
		return
	}
	base, opened := &ob.memory, false
	if l := &ob.look; l.source == pl.source && pl.at-l.from < pl.source.window {
		base, opened = ob.prior, true
	}
	dt := (pl.at - base.at).seconds()
	if ob.farFrom(base, pl, dt) {
		return
	}
	if !opened {
		if last := ob.lastSeenBy(pl.source); last != 0 && pl.at-last < pl.source.window {
			return // it has its plot of this look
		}
	}
	gain, all, ok := e.gain(ob, base, pl)
	if !ok {
		return
	}
	if !opened {
		e.open(ob, pl)
	}
	ob.look.plots = append(ob.look.plots, pl)
	pl.edges = append(pl.edges, edge{ob, ob.look.serial, gain, all})
}

// open begins a look over an object.
func (e *engine) open(ob *object, pl *plot) {
	if ob.prior == nil {
		ob.prior = new(memory)
	}
	ob.prior.take(&ob.memory)
	e.looks++
	clear(ob.look.plots)
	ob.look = look{source: pl.source, from: pl.at, serial: e.looks, plots: ob.look.plots[:0]}
}

// weigh compares a plot with a belief: how likely it is there, and its squared
// normalised innovation, in n rows. Models that sleep are asked, which is said, where those
// that are awake did not expect it.
func (e *engine) weigh(ob *object, base *memory, pl *plot) (logLikelihood, d2 float64, n int, all bool) {
	var rows [mostRows]row
	all = base.updates < settled
	for {
		b := e.moved(ob, base, pl.at, all)
		n, scale := pl.g.rows(base.frame, b.chief(), &rows)
		ll, d2 := b.likelihood(rows[:n])
		if all || !startles(d2, n) || !b.calm() {
			return ll + scale, d2, n, all
		}
		all = true
	}
}

// settled is how many updates it takes until models may sleep.
const settled = 4

// gain is what is gained by taking the plot for the object, from the belief base.
func (e *engine) gain(ob *object, base *memory, pl *plot) (gain float64, all, ok bool) {
	ll, d2, n, all := e.weigh(ob, base, pl)
	if !(d2 < gates[n]) {
		return 0, all, false
	}
	exists := math.Max(base.existence(), leastClaim/ob.factor)
	detect := pl.source.detect
	gain = ll + math.Log(detect*exists/((1-exists*detect)*(1+births/(pl.source.noise*pl.factor)))) - pl.g.logClutter
	return gain, all, gain > 0
}

// leastClaim is the existence with which even the youngest object competes for a plot:
// without it nothing would become of a first plot in dense clutter.
const leastClaim = 0.3

// farFrom is the cheap test before the gate.
func (ob *object) farFrom(base *memory, pl *plot, dt float64) bool {
	if pl.g.kind == angular {
		return false
	}
	z := base.frame.to(pl.g.guess)
	c := &base.outline
	dx, dy := z[0]-c.p[0]-c.v[0]*dt, z[1]-c.p[1]-c.v[1]*dt
	reach := c.radius(dt) + pl.g.spread
	d2 := dx*dx + dy*dy
	return d2 > reach*reach || base.updates == 1 && ob.tooFaint(base, pl, d2, dt)
}

// settle assigns a plot and all that compete with it.
func (e *engine) settle(pl *plot) {
	plots, objects := e.cluster(pl)
	if len(plots) > most || len(objects) > most {
		e.settleGreedily(pl)
		return
	}
	to := e.loads[:0]
	if len(plots) == 1 {
		best := pl.edges[0]
		for _, x := range pl.edges[1:] {
			if x.gain > best.gain {
				best = x
			}
		}
		to = append(to, best.object)
	} else {
		to = e.bestOf(plots, objects, to)
	}
	e.loads = to
	e.give(plots, to)
}

// bestOf is the assignment of plots to objects, or to none, with the greatest gain.
func (e *engine) bestOf(plots []*plot, objects []*object, to []*object) []*object {
	gain := e.solver.table(len(plots), len(objects))
	for i, q := range plots {
		for _, x := range q.edges {
			if x.open() {
				if j, ok := slices.BinarySearchFunc(objects, x.object.born, byBirth); ok {
					gain[i*len(objects)+j] = x.gain
				}
			}
		}
	}
	for _, j := range e.solver.assign(len(plots), len(objects)) {
		if j >= 0 {
			to = append(to, objects[j])
		} else {
			to = append(to, nil)
		}
	}
	return to
}

func byBirth(o *object, born uint64) int {
	switch {
	case o.born < born:
		return -1
	case o.born > born:
		return 1
	}
	return 0
}

func (e *engine) settleGreedily(pl *plot) {
	var best *object
	top := 0.0
	for _, x := range pl.edges {
		if x.open() && x.object.look.chosen == nil && x.gain > top {
			best, top = x.object, x.gain
		}
	}
	e.plots, e.loads = append(e.plots[:0], pl), append(e.loads[:0], best)
	e.give(e.plots, e.loads)
}

// cluster is every plot and object that competes, directly or through others, with pl,
// in order of arrival and of birth. It stops growing beyond most.
func (e *engine) cluster(pl *plot) ([]*plot, []*object) {
	e.grid.marks++ // its marks serve here too: no search is under way
	mark := e.grid.marks
	plots, objects := append(e.plots[:0], pl), e.found[:0]
	pl.marked = true
	for i := 0; i < len(plots) && len(plots) <= most && len(objects) <= most; i++ {
		for _, x := range plots[i].edges {
			if !x.open() || x.object.mark == mark {
				continue
			}
			x.object.mark = mark
			objects = append(objects, x.object)
			for _, q := range x.object.look.plots {
				if !q.marked && q.movable() {
					q.marked = true
					plots = append(plots, q)
				}
			}
		}
	}
	for _, q := range plots {
		q.marked = false
	}
	e.plots, e.found = plots, objects
	slices.SortFunc(objects, func(a, b *object) int { return byBirth(a, b.born) })
	return plots, objects
}

// movable reports whether the assignment of a plot may still be changed: the look of
// the object that has it is open, and what it started has not been seen again nor told.
func (q *plot) movable() bool {
	if s := q.started; s != nil && !s.gone && (s.updates > 1 || s.status != Tentative) {
		return false
	}
	if q.taken == nil {
		return true
	}
	for _, x := range q.edges {
		if x.object == q.taken {
			return x.open()
		}
	}
	return false
}

// give makes plots belong to objects (nil: to none).
func (e *engine) give(plots []*plot, to []*object) {
	touched := e.touched[:0]
	for i, q := range plots { // first take away, so that each object starts from its prior
		if q.taken != nil && q.taken != to[i] {
			ob := q.taken
			ob.look.chosen = nil
			ob.memory.take(ob.prior)
			touched = append(touched, ob)
			q.taken = nil
		}
	}
	for i, q := range plots {
		ob := to[i]
		switch {
		case ob == nil && q.started == nil && q.taken == nil:
			e.start(q)
		case ob != nil && q.taken == nil:
			if q.started != nil {
				e.forget(q.started)
				q.started = nil
			}
			e.apply(ob, q, q.awake(ob))
			e.shadow(ob, q)
			touched = append(touched, ob)
		}
	}
	e.touched = touched
	e.report(touched)
}

// shadow starts an object from a plot that was given to one which is likelier not to be than
// to be: false plots that happen to lie near would else swallow the first word of what
// has just come. Of the two the next looks decide; both cannot have the same plot again.
func (e *engine) shadow(ob *object, q *plot) {
	if ob.status == Tentative && ob.logOdds < ob.firstOdds+scant {
		e.start(q)
	}
}

// scant is how much the log-odds of existence must grow by a plot for it not to be doubted.
const scant = 1.5

// awake reports whether the models that sleep were asked when the plot was compared with the object.
func (q *plot) awake(ob *object) bool {
	for _, x := range q.edges {
		if x.object == ob {
			return x.all
		}
	}
	return true
}

// report confirms what deserves it and tells of the confirmed objects among those touched.
func (e *engine) report(touched []*object) {
	slices.SortFunc(touched, func(a, b *object) int { return byBirth(a, b.born) })
	for i, ob := range touched {
		if i == 0 || ob != touched[i-1] {
			e.reportOne(ob)
		}
	}
}

func (e *engine) reportOne(ob *object) {
	kind := WasUpdated
	if ob.status == Tentative {
		if !e.confirm(ob) {
			return
		}
		kind = WasConfirmed
	} else if ob.status == Coasting {
		ob.status = Confirmed
	}
	e.tell(kind, ob, ob.at)
}

// tell makes a change of an object known.
func (e *engine) tell(kind Kind, ob *object, at tick) {
	ob.revision++
	if !e.set.silent {
		e.set.told = append(e.set.told, Change{Kind: kind, Track: ob.export(at)})
	}
}

// apply gives a plot to an object, whose belief is that from before the look.
func (e *engine) apply(ob *object, q *plot, all bool) {
	ob.look.chosen, q.taken = q, ob
	m := &ob.memory
	var rows [mostRows]row
	b := e.moved(ob, ob.prior, q.at, all)
	n, scale := q.g.rows(m.frame, b.chief(), &rows)
	m.blend.take(b)
	ll := m.blend.correct(rows[:n], m.updates >= settled) + scale
	m.at = max(m.at, q.at)
	e.stamps++
	m.stamp = e.stamps
	m.absorb(q, ll-math.Log(e.doubt(q)))
	ob.trace()
}

// absorb notes everything of a plot but its measurement.
func (m *memory) absorb(q *plot, logLikelihood float64) {
	s := q.source
	m.logOdds += logLikelihood + s.logDetect - q.g.logClutter
	m.logOdds = math.Min(m.logOdds, surest)
	m.remember(q)
	m.updates++
	m.seenAt = max(m.seenAt, q.at)
	if q.g.hasEl || q.g.hasHeight {
		m.depths++
		m.recall()
	}
	m.missed = 0
	m.credit(s, q.at)
	m.heed(q)
}

// surest bounds the log-odds of existence, so that misses count soon.
const surest = 9.0

// keyed associates by the source's own name for the object: what it called so before is
// taken for the same unless it is nowhere near.
func (e *engine) keyed(pl *plot) bool {
	if pl.o.Key == "" || pl.g.kind != cartesian {
		return false
	}
	k := key{pl.o.Source, pl.o.Key}
	ob := e.byKey[k]
	if ob == nil || ob.gone {
		return false
	}
	if t, ok := pl.o.Body.(observation.SensorTrack); ok && t.Ended {
		delete(e.byKey, k)
		return true
	}
	base := &ob.memory
	var nameless *plot // given to the object in this look, for want of a better one
	if last := ob.lastSeenBy(pl.source); last != 0 && pl.at-last < pl.source.window {
		l := &ob.look
		if l.source != pl.source || l.chosen == nil || l.chosen.o.Key != "" || pl.at-l.from >= pl.source.window {
			return true // said twice
		}
		base, nameless = ob.prior, l.chosen
	}
	_, d2, _, all := e.weigh(ob, base, pl)
	if !(d2 < keyGate) {
		if nameless == nil {
			delete(e.byKey, k)
		}
		return false
	}
	if nameless != nil {
		ob.memory.take(ob.prior)
		nameless.taken = nil
	}
	e.open(ob, pl)
	pl.edges = append(pl.edges, edge{ob, ob.look.serial, keyGain, all})
	ob.look.plots = append(ob.look.plots, pl)
	e.apply(ob, pl, all)
	e.reportOne(ob)
	if nameless != nil {
		e.resettle(nameless)
	}
	return true
}

// resettle finds a plot that was taken away, with the look it was in, another place.
func (e *engine) resettle(q *plot) {
	q.edges = slices.DeleteFunc(q.edges, func(x edge) bool { return !x.open() })
	if len(q.edges) == 0 {
		e.start(q)
		return
	}
	e.settle(q)
}

// keyGate is how far, squared and normalised, the source's own association is believed.
const keyGate = 60.0

// keyGain is what a name counts for: no other plot of the look is worth more.
const keyGain = 1e3
