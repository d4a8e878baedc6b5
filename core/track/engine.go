package track

import "tocsin/core/observation"

// engine is the picture's state at one moment of observed time. It takes observations in
// the order of their times, and only so; Picture brings them into it.
type engine struct {
	set     *setting
	head    tick // the time up to which everything has been taken
	border  tick // the next time at which looks close and time alone is looked at
	objects []*object
	grid    *grid
	byKey   map[key]*object
	cues    []cue
	births  uint64
	sweeps  uint64
	stamps  uint64
	looks   uint64
	firm    int // confirmed objects
	learned []ground
	late    newcomers
	began   tick

	block   []object               // of a clone: where its objects are
	free    []*object              // objects to be used again
	found   []*object              // scratch
	ahead   *[predictions]forecast // shared with clones: it is found by object
	plots   []*plot                // scratch
	loads   []*object
	touched []*object
	solver  solver
}

// setting is what an engine is given and never changes, but for what it tells.
type setting struct {
	config  Config
	earth   earth
	faults  *faults
	name    func(*object) // gives an object that was confirmed its id
	ended   func(*object) // hears of every confirmed object that ends
	sources func() []*source
	// unmatched takes a direction in which nothing is that is followed.
	unmatched func(*plot)
	told      []Change
	silent    bool // what is replayed has been counted before, and is reported afterwards
}

// key is a source's own name for an object.
type key struct{ source, name string }

// entry is one thing that a source said, as the picture keeps it for as long as something
// earlier may still come.
type entry struct {
	at     tick
	seq    uint64 // by arrival
	source *source
	plot   *plot // or:
	absent *observation.Absence
	cue    *cue
}

// before is the order in which entries are taken: by time, then by source, an absence
// after the plots it concludes. Plots of one source at one time keep the order of
// arrival, which does not matter (see look).
func (a *entry) before(b *entry) bool {
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.source.reg.ID != b.source.reg.ID:
		return a.source.reg.ID < b.source.reg.ID
	}
	return a.absent == nil && b.absent != nil
}

func newEngine(set *setting) *engine {
	return &engine{set: set, grid: newGrid(), byKey: map[key]*object{}, ahead: new([predictions]forecast)}
}

const (
	sweepEvery = second
	// patience is how long after a moment what was observed then has usually come. Time
	// alone is looked at so much later, so that what comes at the usual pace finds the
	// picture as it was.
	patience = second
)

// take brings the engine to an entry's time and takes it.
func (e *engine) take(n *entry) {
	e.advance(n.at)
	e.head = max(e.head, n.at)
	switch {
	case n.cue != nil:
		e.cued(n.cue)
	case n.absent != nil:
		e.absent(n.source, n.at, *n.absent)
	default:
		n.plot.reset()
		e.associate(n.plot)
	}
}

// advance lets time pass up to t: at every border on the way the looks close and
// what time alone does is done. Borders are full seconds, whatever comes and goes, so
// that the same observations give the same picture.
func (e *engine) advance(t tick) {
	if e.border == 0 {
		e.border = t - t%sweepEvery + sweepEvery
		return
	}
	for e.border <= t {
		if len(e.objects) == 0 && len(e.cues) == 0 { // nothing to be done on the way
			e.border = t - t%sweepEvery + sweepEvery
			break
		}
		e.sweep(e.border)
		e.border += sweepEvery
	}
}

// clone is a copy that shares nothing that either will write to, has no ids, and takes
// nothing until it is woken. Looks must be closed. Its objects are put into the block, if
// they have room there.
func (e *engine) clone(block []object) *engine {
	c := &engine{set: e.set, head: e.head, border: e.border, births: e.births, sweeps: e.sweeps, stamps: e.stamps,
		looks: e.looks, firm: e.firm, ahead: e.ahead, learned: e.copyLearned(), late: e.late, began: e.began, byKey: make(map[key]*object, len(e.byKey)),
		cues: append([]cue(nil), e.cues...)}
	c.objects, c.block = e.copyObjects(block)
	for k, o := range e.byKey {
		if !o.gone {
			c.byKey[k] = c.objects[e.place(o)]
		}
	}
	return c
}

// wake is a copy of a sleeping engine that can take what comes, over an empty grid.
func (e *engine) wake(g *grid) *engine {
	c := e.clone(nil)
	c.grid, c.block = g, nil
	for _, o := range c.objects {
		if o.foot.in {
			g.put(o)
		}
	}
	return c
}

// place is the index of an object, found by its birth.
func (e *engine) place(o *object) int {
	lo, hi := 0, len(e.objects)
	for lo < hi {
		mid := (lo + hi) / 2
		if e.objects[mid].born < o.born {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// copyObjects copies the objects into one block and lets them know each other there.
func (e *engine) copyObjects(block []object) ([]*object, []object) {
	n := len(e.objects)
	if cap(block) < n {
		block = make([]object, n, n+n/8)
	}
	clear(block[n:cap(block)])
	block = block[:n]
	out := make([]*object, len(e.objects))
	for i, o := range e.objects {
		n := &block[i]
		*n = *o
		n.prior, n.look, n.mark, n.id, n.revision = nil, look{}, 0, "", 0
		out[i] = n
	}
	for i, o := range e.objects {
		if o.twin != nil && !o.twin.gone {
			out[i].twin = out[e.place(o.twin)]
		} else {
			out[i].twin = nil
		}
	}
	return out, block
}

// forecast is a belief moved to the time of the look at hand, so that each plot of a scan
// does not move it again.
type forecast struct {
	object *object
	stamp  uint64
	at     tick
	all    bool
	blend  blend
}

// predictions is how many beliefs are kept moved: a few objects at a time compete for
// the plots of a moment.
const predictions = 256

// moved returns a belief of an object moved to t, with all models awake or those that are.
func (e *engine) moved(o *object, m *memory, t tick, all bool) *blend {
	slot := (o.born * 2) % predictions
	if all {
		slot++
	}
	f := &e.ahead[slot]
	if f.object == o && f.stamp == m.stamp && f.at == t && f.all == all {
		return &f.blend
	}
	f.object, f.stamp, f.at, f.all = o, m.stamp, t, all
	f.blend.take(&m.blend)
	dt := (t - m.at).seconds()
	if m.updates == 1 { // the models know the same and start alike: nothing is to be mixed
		f.blend.flow(&m.frame.world, dt)
	} else {
		f.blend.predict(&m.frame.world, dt, all)
	}
	if m.depths == 0 {
		f.blend.bandHeight(m.frame)
	}
	return &f.blend
}

// raise counts what cannot be used, once.
func (e *engine) raise(now tick, name, subject, detail string) {
	if !e.set.silent {
		e.set.faults.raise(now.time(), name, subject, detail)
	}
}

// full counts what a bound keeps out.
func (e *engine) full(now tick, what string, bound int) {
	if !e.set.silent {
		e.set.faults.full(now.time(), what, bound)
	}
}
