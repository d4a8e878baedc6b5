package raid

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/zone"
)

// Effect is what it means for a class to reach a zone.
type Effect struct {
	// Passing: a zone is reached by what flies over it. Otherwise only by what comes down
	// on it. What is shot down or fails always reaches where it falls.
	Passing bool
	// Within is how far outside a zone's border still counts, in metres.
	Within geo.Metres
}

// Effects are per class: drones and cruise missiles over a place may come down on it at
// any moment, and what is shot at them does; arcs and glides are a danger where they end, as
// far as a warhead of their size hurts people in the open. Definition and distances are those
// that core/threat forecasts by: this much must be common, or the two speak of different things.
func Effects(c class.Class) Effect {
	switch c {
	case class.BallisticMissile:
		return Effect{Within: 400}
	case class.Rocket:
		return Effect{Within: 250}
	case class.GlideBomb:
		return Effect{Within: 300}
	default:
		return Effect{Passing: true, Within: 100}
	}
}

// Figures of a near miss: a zone that was not reached but passed so near, so low.
const (
	NearBy geo.Metres = 1000
	Low    geo.Metres = 1000
)

// Passage is one object in one zone: it was over it (or came down on it) from Enter to Leave.
type Passage struct {
	Object int
	Zone   int // leaf index
	Enter  time.Duration
	Leave  time.Duration
}

// Truth is what really happened.
type Truth struct {
	// Passages are in order of Enter, then zone, then object.
	Passages []Passage
	// Near says per leaf index whether a hostile object passed low nearby or came down
	// nearby. Reached zones are near too.
	Near []bool
}

// Truth works out which zones were reached, when.
func (r *Raid) Truth() Truth {
	t := Truth{Near: make([]bool, r.Zones.Len())}
	for i := range r.Objects {
		o := &r.Objects[i]
		if !o.Role.Hostile() || len(o.path) < 2 {
			continue
		}
		w := watcher{raid: r, object: o, out: &t, open: map[int]int{}}
		w.follow()
	}
	slices.SortFunc(t.Passages, func(a, b Passage) int {
		return cmp.Or(cmp.Compare(a.Enter, b.Enter), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Object, b.Object))
	})
	return t
}

// watcher follows one object over the zones.
type watcher struct {
	raid   *Raid
	object *Object
	out    *Truth
	open   map[int]int // zone to its passage that lasts
}

// Strides between two looks at the ground, in metres.
const (
	passStride = 120.0
	nearStride = 300.0
)

func (w *watcher) follow() {
	o := w.object
	effect := Effects(o.Class)
	near := math.Inf(1) // metres flown since the last look for near misses
	for i := 0; i+1 < len(o.path); i++ {
		a, b := o.path[i], o.path[i+1]
		e, n := towards(a.Point, b.Point)
		far := math.Hypot(e, n)
		steps := 1
		if effect.Passing {
			steps = max(int(math.Ceil(far/passStride)), 1)
		}
		for k := range steps {
			p := mix(a, b, float64(k)/float64(steps))
			at := o.At + time.Duration(i)*o.step + o.step*time.Duration(k)/time.Duration(steps)
			if effect.Passing {
				w.see(p.Point, at, effect.Within)
			}
			if near += far / float64(steps); near >= nearStride && p.Height < Low {
				near = 0
				w.nearby(p.Point)
			}
		}
	}
	if o.Fate == Hit || o.Fate == Downed {
		last := o.path[len(o.path)-1].Point
		w.see(last, o.Ends(), effect.Within)
		w.nearby(last)
	}
}

// see counts the zones that are reached from a place.
func (w *watcher) see(p geo.Point, at time.Duration, within geo.Metres) {
	for _, z := range zonesWithin(w.raid.Zones, p, within) {
		w.out.Near[z] = true
		if k, ok := w.open[z]; ok && at-w.out.Passages[k].Leave <= gap {
			w.out.Passages[k].Leave = at
			continue
		}
		w.open[z] = len(w.out.Passages)
		w.out.Passages = append(w.out.Passages, Passage{Object: w.object.ID, Zone: z, Enter: at, Leave: at})
	}
}

// gap is how long an object may be out of a zone for it to be one passage.
const gap = 3 * time.Minute

func (w *watcher) nearby(p geo.Point) {
	w.raid.Zones.InCircle(geo.Circle{Centre: p, Radius: NearBy}, func(z int) { w.out.Near[z] = true })
}

func zonesWithin(zones *zone.Set, p geo.Point, within geo.Metres) []int {
	if within <= 0 {
		return zonesAt(zones, p)
	}
	var in []int
	zones.InCircle(geo.Circle{Centre: p, Radius: within}, func(z int) { in = append(in, z) })
	return in
}
