package track

import (
	"slices"
	"strconv"
	"time"
)

// past is what is kept so that something late can be taken where it belongs: everything
// that was said within the time that something may still come, and the engine as it was
// at some moments of that time.
type past struct {
	entries []entry // in their order
	points  []checkpoint
	// forgotten: something has been dropped; nothing older than the first checkpoint can be taken.
	forgotten bool
	// pending: from which entry on the engine is not what it would be; none is the number of entries.
	from      int
	waiting   int
	since     tick // when the first of those waiting came
	lateUntil tick // until then what comes late is expected to go on
	// given is by which id what began with an observation was told last, ended or not, for
	// questions about a time that is past. No id stands in it twice.
	given map[uint64]ID
	over  []*object // confirmed ones that ended in a replay

	spare struct { // what was dropped, to be used again
		plots  []*plot
		blocks [][]object
	}
}

// checkpoint is the engine before anything observed at or after its time.
type checkpoint struct {
	at     tick
	engine *engine
}

const (
	// mostKept bounds the entries kept, besides their age. Beyond it the oldest go and
	// what is later than they are is refused.
	mostKept = 400_000
	// dense and rare are the least times between two checkpoints, while things come late and while nothing does.
	dense, rare = second, 8 * second
	lateSpell   = 60 * second
	// cheap is how many entries, or objects divided by 8, are replayed at once for one
	// that came late; a dearer replay waits for more, up to waits.
	cheap = 32
	waits = second / 4
	// mostSparePlots and mostSpareBlocks bound what is kept to be used again.
	mostSparePlots, mostSpareBlocks = 1 << 15, 2
)

// stale reports whether something that came late waits to be taken.
func (h *past) stale() bool { return h.waiting > 0 }

// let lets time pass up to now.
func (p *Picture) let(now time.Time) {
	p.now = now
	t := tickOf(now)
	if p.due == 0 || t < p.due {
		return
	}
	p.due = t - t%sweepEvery + sweepEvery
	p.catchUp(t, false)
	if head := t - patience; head > p.engine.head {
		p.pass(head)
		p.engine.head = head
	}
	p.forget(t)
	p.seconds++
	p.register(now)
	p.set.told = append(p.set.told, p.tickSenses(now)...)
}

// pass lets the engine's time pass, and keeps it as it is at some borders.
func (p *Picture) pass(t tick) {
	e := p.engine
	if len(e.objects) == 0 && len(e.cues) == 0 {
		e.advance(t)
		return
	}
	for e.border != 0 && e.border <= t {
		border := e.border
		e.advance(border)
		p.keep(border)
	}
	e.advance(t)
}

// keep makes a checkpoint at a border, if one is due.
func (p *Picture) keep(border tick) {
	h := &p.past
	apart := rare
	if border < h.lateUntil {
		apart = dense
	}
	if n := len(h.points); n > 0 && border-h.points[n-1].at < apart {
		return
	}
	h.points = append(h.points, checkpoint{border, p.engine.clone(h.block())})
	h.thin(border)
}

// thin drops checkpoints so that those that stay stand the further apart the older they are.
func (h *past) thin(now tick) {
	kept := h.points[:0]
	for i, c := range h.points {
		if i > 0 && i+1 < len(h.points) {
			if gap := h.points[i+1].at - kept[len(kept)-1].at; gap < (now-c.at)/2 {
				h.recycle(c.engine)
				continue
			}
		}
		kept = append(kept, c)
	}
	clear(h.points[len(kept):])
	h.points = kept
}

// recycle keeps the objects of a checkpoint that is dropped to be written over: nothing but
// the checkpoint knows them.
func (h *past) recycle(e *engine) {
	if len(h.spare.blocks) < mostSpareBlocks {
		h.spare.blocks = append(h.spare.blocks, e.block)
	}
}

// block is room for the objects of a checkpoint, if there is any.
func (h *past) block() (b []object) {
	if n := len(h.spare.blocks); n > 0 {
		b, h.spare.blocks = h.spare.blocks[n-1], h.spare.blocks[:n-1]
	}
	return b
}

// plot is an empty one. Those that were dropped with their entries are used again: they are
// older than the first checkpoint, and no look that is open holds one from before a checkpoint.
func (h *past) plot() *plot {
	n := len(h.spare.plots)
	if n == 0 {
		return new(plot)
	}
	q := h.spare.plots[n-1]
	h.spare.plots = h.spare.plots[:n-1]
	return q
}

// bring takes an entry into the picture: at once where nothing after it has been taken.
func (p *Picture) bring(now tick, n entry) {
	h := &p.past
	if k := len(h.entries); n.at >= p.engine.head && (k == 0 || !n.before(&h.entries[k-1])) && h.waiting == 0 {
		p.pass(n.at)
		p.engine.take(&n)
		h.entries = append(h.entries, n)
		return
	}
	if oldest := p.oldest(); n.at < oldest {
		p.faults.late(now.time(), n.source.reg.ID, time.Duration(now-n.at))
		return
	}
	i, _ := slices.BinarySearchFunc(h.entries, n, func(a, b entry) int {
		if b.before(&a) {
			return 1
		}
		return -1
	})
	h.entries = slices.Insert(h.entries, i, n)
	if h.waiting == 0 {
		h.from, h.since = i, now
	}
	h.from = min(h.from, i)
	h.waiting++
	h.lateUntil = max(h.lateUntil, p.engine.head+lateSpell)
	p.catchUp(now, n.absent != nil)
}

// sort puts the entries in order again after the times of some have changed.
func (h *past) sort() {
	slices.SortStableFunc(h.entries, func(a, b entry) int {
		switch {
		case a.before(&b):
			return -1
		case b.before(&a):
			return 1
		}
		return 0
	})
	if h.waiting > 0 {
		h.from = 0 // whatever waits may have moved
	}
}

// oldest is the time before which nothing can be taken any more.
func (p *Picture) oldest() tick {
	if p.past.forgotten {
		return p.past.points[0].at
	}
	return 0 // everything since the start is kept
}

// catchUp makes the engine what it would be had everything come in its time, unless
// that is dear and can wait a little for more to come.
func (p *Picture) catchUp(now tick, must bool) {
	h := &p.past
	if h.waiting == 0 {
		return
	}
	at := h.entries[h.from].at
	k := p.pointBefore(at)
	first := 0
	if k >= 0 {
		first = h.index(h.points[k].at)
	}
	if dear := len(h.entries) - first + len(p.engine.objects)/8; !must && dear > cheap*h.waiting && now-h.since < waits {
		return
	}
	h.waiting = 0
	p.set.told = append(p.set.told, p.replay(k, first)...)
}

// pointBefore is the last checkpoint that knows nothing from t on; -1: the beginning.
func (p *Picture) pointBefore(t tick) int {
	k := len(p.past.points) - 1
	for k >= 0 && p.past.points[k].at > t {
		k--
	}
	return k
}

// index is the first entry observed at or after t.
func (h *past) index(t tick) int {
	i, _ := slices.BinarySearchFunc(h.entries, t, func(n entry, t tick) int {
		if n.at < t {
			return -1
		}
		return 1
	})
	return i
}

// replay takes the entries from the first on again, starting from a checkpoint, and
// returns how the picture differs from the one that was told.
func (p *Picture) replay(k, first int) []Change {
	h := &p.past
	old, till := p.engine, p.engine.head
	if k >= 0 {
		p.engine = h.points[k].engine.wake(old.grid.empty())
	} else {
		p.engine = newEngine(p.set)
	}
	for _, c := range h.points[k+1:] {
		h.recycle(c.engine)
	}
	clear(h.points[k+1:])
	h.points = h.points[:k+1]
	p.set.silent = true
	for i := first; i < len(h.entries); i++ {
		n := &h.entries[i]
		p.pass(n.at)
		p.engine.take(n)
	}
	if till > p.engine.head {
		p.pass(till)
		p.engine.head = till
	}
	p.set.silent = false
	return p.reconcile(old)
}

// asOf is the engine as it is at a time: the one that is, or for a past time one made for
// the question, whose objects have the ids by which they were told last. What was never
// told has none.
func (p *Picture) asOf(t tick) *engine {
	if t >= p.engine.head && p.past.waiting == 0 {
		return p.engine
	}
	k := p.pointBefore(t)
	set := *p.set
	set.silent = true
	set.name = func(*object) {}
	set.ended = func(*object) {}
	e, first := newEngine(&set), 0
	if k >= 0 {
		e = p.past.points[k].engine.wake(newGrid())
		e.set = &set
		first = p.past.index(p.past.points[k].at)
	} else if p.past.forgotten {
		return e // longer ago than is kept
	}
	for i := first; i < len(p.past.entries) && p.past.entries[i].at <= t; i++ {
		n := p.past.entries[i]
		if n.plot != nil { // what the picture itself has assigned stays as it is
			q := *n.plot
			q.edges = nil
			n.plot = &q
			if q.g.from == &p.past.entries[i].plot.g.own {
				n.plot.g.from = &n.plot.g.own
			}
		}
		e.take(&n)
	}
	for _, o := range e.objects {
		if o.status != Tentative {
			o.id = p.past.given[o.founder]
		}
	}
	return e
}

// forget drops what is older than anything that may still come.
func (p *Picture) forget(now tick) {
	h := &p.past
	before := now - ticks(p.config.Late) - ticks(soonest)
	k := p.pointBefore(before)
	if over := len(h.entries) - mostKept; over > 0 {
		k = max(k, p.pointBefore(h.entries[over].at))
	}
	if k <= 0 {
		return
	}
	h.forgotten = true
	for _, c := range h.points[:k] {
		h.recycle(c.engine)
	}
	h.points = slices.Delete(h.points, 0, k)
	drop := h.index(h.points[0].at)
	for i := range h.entries[:drop] {
		if q := h.entries[i].plot; q != nil && len(h.spare.plots) < mostSparePlots {
			q.reset()
			*q = plot{edges: q.edges}
			h.spare.plots = append(h.spare.plots, q)
		}
	}
	h.entries = slices.Delete(h.entries, 0, drop)
	h.from -= min(drop, h.from)
	if len(h.given) > 4*(p.engine.firm+1000) {
		h.prune(p.engine)
	}
}

// prune forgets the ids given to what is no longer followed in any checkpoint.
func (h *past) prune(e *engine) {
	alive := make(map[uint64]ID, e.firm)
	for _, of := range append([]checkpoint{{engine: e}}, h.points...) {
		for _, o := range of.engine.objects {
			if id, ok := h.given[o.founder]; ok {
				alive[o.founder] = id
			}
		}
	}
	h.given = alive
}

// name gives an object that was confirmed an id; in a replay that is reconcile's.
func (p *Picture) name(o *object) {
	if !p.set.silent {
		p.baptise(o)
	}
}

// baptise gives an object an id that nothing has had before.
func (p *Picture) baptise(o *object) {
	p.named++
	o.id = p.id(p.named)
	p.past.given[o.founder] = o.id
}

func (p *Picture) id(n uint64) ID { return ID(p.config.Prefix + strconv.FormatUint(n, 10)) }

// ended hears of confirmed objects that end.
func (p *Picture) ended(o *object) {
	if p.set.silent {
		p.past.over = append(p.past.over, o)
	}
}
