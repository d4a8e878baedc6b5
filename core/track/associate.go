package track

import (
	"math"
	"sort"
	"time"

	"tocsin/core/observation"
)

// plot is one observation while its look is open.
type plot struct {
	o       observation.Observation
	g       sighting
	source  *source
	at      time.Time
	clutter float64 // flatClutter
	edges   []edge
	taken   *object // assigned to
	started *object // or started by it
}

// edge says that a plot may be an object of an open look, and how much is gained by it
// over calling the plot false and the object missed (log-likelihood ratio).
type edge struct {
	object *object
	look   *look
	gain   float64
}

func (e edge) open() bool { return e.object.look == e.look && !e.object.gone }

// gates are the squared normalised innovations beyond which a plot is not the object,
// per number of rows: once in 10,000 true plots.
var gates = [7]float64{0, 15.1, 18.4, 21.1, 23.5, 25.7, 27.9}

// most bounds the plots and the objects that are assigned together; beyond it a new
// plot takes the best object that is free.
const most = 48

// take associates one measurement.
func (p *Picture) take(now time.Time, s *source, o *observation.Observation, g sighting) []Change {
	pl := &plot{o: *o, g: g, source: s, at: g.at, clutter: flatClutter(s, &g)}
	if c, ok := p.keyed(now, pl); ok {
		return c
	}
	for _, ob := range p.candidates(now, &g) {
		p.tryEdge(ob, pl)
	}
	if len(pl.edges) == 0 {
		return p.start(now, pl)
	}
	for _, e := range pl.edges {
		e.look.plots = append(e.look.plots, pl)
	}
	return p.settle(now, pl)
}

// candidates lists the objects near a sighting, oldest first. Of one that comes late the
// objects may have flown on; those that fly faster than allowed for here have a
// footprint that reaches back (Picture.locateFor).
func (p *Picture) candidates(now time.Time, g *sighting) []*object {
	radius := g.spread
	if age := now.Sub(g.at).Seconds(); age > punctual {
		radius += slow * age
	}
	if g.kind == angular || !(radius < widest) {
		return p.objects
	}
	p.found = p.grid.near(onSphere(g.guess), radius, p.found[:0])
	return p.found
}

const (
	punctual = 1.0   // seconds; what is not older is not late
	slow     = 300.0 // m/s, allowed for where a late plot is looked for
)

// tryEdge adds an edge from the plot to the object if it may be its plot.
func (p *Picture) tryEdge(ob *object, pl *plot) {
	if ob.gone || (ob.cradle == pl.source && absolute(pl.at.Sub(ob.since)) < pl.source.window) {
		return
	}
	if dt := pl.at.Sub(ob.at).Seconds(); dt >= pl.source.window.Seconds() && ob.farFrom(&ob.memory, pl, dt) {
		return // the commonest case, before anything is looked up
	}
	l, base, slot := ob.lookFor(pl)
	if base == nil {
		return
	}
	gain, ok := p.gain(ob, base, pl)
	if !ok {
		return
	}
	if l == nil {
		l = ob.open(pl, base, slot, p.config.Late)
	}
	ob.look = l
	pl.edges = append(pl.edges, edge{ob, l, gain})
}

// gain is what is gained by taking the plot for the object, from the belief base.
func (p *Picture) gain(ob *object, base *memory, pl *plot) (float64, bool) {
	dt := pl.at.Sub(base.at).Seconds()
	if far := ob.farFrom(base, pl, dt); far {
		return 0, false
	}
	c := ob.ahead(base, pl.at)
	var rows [6]row
	n, scale := pl.g.rows(base.frame, &c.one, &rows)
	ll, d2 := c.blend.likelihood(rows[:n])
	if !(d2 < gates[n]) {
		return 0, false
	}
	exists := math.Max(base.existence(), leastClaim)
	detect := pl.source.detect
	gain := ll + scale + math.Log(detect*exists) - math.Log1p(-exists*detect) -
		pl.source.logClutter(&pl.g) - math.Log1p(births/pl.source.noise)
	return gain, gain > 0
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
	return d2 > reach*reach || base.updates == 1 && base.tooFaint(pl, d2, dt)
}

func absolute(d time.Duration) time.Duration { return max(d, -d) }

// settle assigns a plot and all that compete with it.
func (p *Picture) settle(now time.Time, pl *plot) []Change {
	plots, objects := cluster(pl)
	if len(plots) > most || len(objects) > most {
		return p.settleGreedily(now, pl)
	}
	if len(plots) == 1 {
		best := pl.edges[0]
		for _, e := range pl.edges[1:] {
			if e.gain > best.gain {
				best = e
			}
		}
		return p.give(now, []*plot{pl}, []*object{best.object})
	}
	column := make(map[*object]int, len(objects))
	for j, ob := range objects {
		column[ob] = j
	}
	gain := make([][]float64, len(plots))
	for i, q := range plots {
		gain[i] = make([]float64, len(objects))
		for _, e := range q.edges {
			if e.open() {
				gain[i][column[e.object]] = e.gain
			}
		}
	}
	to := make([]*object, len(plots))
	for i, j := range assign(gain, len(objects)) {
		if j >= 0 {
			to[i] = objects[j]
		}
	}
	return p.give(now, plots, to)
}

func (p *Picture) settleGreedily(now time.Time, pl *plot) []Change {
	var best *object
	top := 0.0
	for _, e := range pl.edges {
		if e.look.chosen == nil && e.gain > top {
			best, top = e.object, e.gain
		}
	}
	return p.give(now, []*plot{pl}, []*object{best})
}

// cluster is every plot and object that competes, directly or through others, with pl,
// in order of arrival and of birth. It stops growing beyond most.
func cluster(pl *plot) ([]*plot, []*object) {
	plots, objects := []*plot{pl}, []*object(nil)
	if len(pl.edges) == 1 && len(pl.edges[0].look.plots) == 1 {
		return plots, []*object{pl.edges[0].object}
	}
	seenPlot, seenObject := map[*plot]bool{pl: true}, map[*object]bool{}
	for i := 0; i < len(plots) && len(plots) <= most && len(objects) <= most; i++ {
		for _, e := range plots[i].edges {
			if !e.open() || seenObject[e.object] {
				continue
			}
			seenObject[e.object] = true
			objects = append(objects, e.object)
			for _, q := range e.look.plots {
				if !seenPlot[q] && q.movable() {
					seenPlot[q] = true
					plots = append(plots, q)
				}
			}
		}
	}
	sort.Slice(objects, func(i, j int) bool { return objects[i].born < objects[j].born })
	return plots, objects
}

// movable reports whether the assignment of a plot may still be changed: the look of
// the object that has it is open, and what it started has not been seen again.
func (q *plot) movable() bool {
	if q.started != nil {
		return q.started.gone || q.started.updates <= 1
	}
	if q.taken == nil {
		return true
	}
	for _, e := range q.edges {
		if e.object == q.taken {
			return e.open()
		}
	}
	return false
}

// give makes plots belong to objects (nil: to none) and returns what changed.
func (p *Picture) give(now time.Time, plots []*plot, to []*object) []Change {
	var touched []*object
	for i, q := range plots { // first take away, so that each object starts from its prior
		if q.taken != nil && q.taken != to[i] {
			ob := q.taken
			ob.look.chosen = nil
			ob.rerun(ob.look)
			touched = append(touched, ob)
			q.taken = nil
		}
	}
	var changes []Change
	for i, q := range plots {
		ob := to[i]
		switch {
		case ob == nil && q.started == nil:
			changes = append(changes, p.start(now, q)...)
		case ob != nil && q.taken == nil:
			if q.started != nil {
				p.forget(q.started)
				q.started = nil
			}
			p.apply(ob, q)
			touched = append(touched, ob)
		}
	}
	return append(changes, p.report(now, touched)...)
}

// report confirms what deserves it and lists the confirmed objects among those touched.
func (p *Picture) report(now time.Time, touched []*object) []Change {
	sort.Slice(touched, func(i, j int) bool { return touched[i].born < touched[j].born })
	var changes []Change
	for i, ob := range touched {
		if i > 0 && ob == touched[i-1] {
			continue
		}
		kind := WasUpdated
		if ob.id == "" {
			if !p.confirm(now, ob) {
				p.locate(ob)
				continue
			}
			kind = WasConfirmed
		} else if ob.status == Coasting {
			ob.status = Confirmed
		}
		p.locate(ob)
		ob.revision++
		changes = append(changes, Change{Kind: kind, Track: ob.export(ob.at)})
	}
	return changes
}

// apply gives a plot to an object.
func (p *Picture) apply(ob *object, q *plot) {
	for _, e := range q.edges {
		if e.object == ob {
			e.look.chosen, q.taken = q, ob
			ob.rerun(e.look)
			return
		}
	}
}

// absorb notes everything of a plot but its measurement.
func (ob *memory) absorb(q *plot, logLikelihood float64) {
	s := q.source
	ob.logOdds += logLikelihood + math.Log(s.detect) - s.logClutter(&q.g)
	ob.logOdds = math.Min(ob.logOdds, surest)
	ob.updates++
	if q.at.After(ob.seenAt) {
		ob.seenAt = q.at
	}
	if q.g.hasEl || q.g.hasHeight {
		ob.depths++
	}
	ob.credit(s, q.at)
	ob.remember(q.o)
	ob.heed(q)
}

// surest bounds the log-odds of existence, so that misses count soon.
const surest = 9.0

// keyed associates by the source's own name for the object: what it called so before is
// taken for the same unless it is nowhere near.
func (p *Picture) keyed(now time.Time, pl *plot) ([]Change, bool) {
	if pl.o.Key == "" || pl.g.kind != cartesian {
		return nil, false
	}
	k := key{pl.o.Source, pl.o.Key}
	ob := p.byKey[k]
	if ob == nil || ob.gone {
		return nil, false
	}
	if t, ok := pl.o.Body.(observation.SensorTrack); ok && t.Ended {
		delete(p.byKey, k)
		return nil, true
	}
	l, base, slot := ob.lookFor(pl)
	if base == nil {
		return nil, true // older than what is kept of the object
	}
	if l != nil && l.chosen != nil {
		return nil, true // said twice
	}
	c := ob.ahead(base, pl.at)
	var rows [6]row
	n, _ := pl.g.rows(base.frame, &c.one, &rows)
	if _, d2 := c.blend.likelihood(rows[:n]); !(d2 < keyGate) {
		delete(p.byKey, k)
		return nil, false
	}
	if l == nil {
		l = ob.open(pl, base, slot, p.config.Late)
	}
	ob.look = l
	pl.edges = []edge{{ob, l, 1}}
	l.plots = []*plot{pl}
	return p.give(now, []*plot{pl}, []*object{ob}), true
}

// keyGate is how far, squared and normalised, the source's own association is believed.
const keyGate = 60.0
