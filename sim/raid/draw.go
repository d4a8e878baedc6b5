package raid

import (
	"math"
	"math/rand/v2"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/zone"
)

// geography is what differs between countries: from where things come, how far, and what
// kinds of raid there are.
type geography struct {
	axes    [][2]float64 // bearings, degrees, from the country towards where attacks come from
	near    [2]float64   // metres from launch to aim of rockets
	far     [2]float64   // of ballistic missiles
	spread  float64      // metres, how far apart the aims of one raid lie
	spacing float64      // metres between radars
	kinds   []kind
}

// kind is a kind of raid and how often it is drawn.
type kind struct {
	name  string
	share float64
	parts []func(*drawer)
	edge  bool // its aims lie near the country's border
}

var geographies = map[string]geography{
	"ua": {
		axes: [][2]float64{{10, 80}, {60, 120}, {120, 190}},
		near: [2]float64{15e3, 60e3}, far: [2]float64{120e3, 600e3}, spread: 70e3, spacing: 105e3,
		kinds: []kind{
			{"drones", 0.28, []func(*drawer){(*drawer).swarm, (*drawer).swarm, (*drawer).strays}, false},
			{"cruise missiles", 0.14, []func(*drawer){(*drawer).cruise, (*drawer).cruise}, false},
			{"ballistic missiles", 0.13, []func(*drawer){(*drawer).salvo}, false},
			{"mixed", 0.20, []func(*drawer){(*drawer).swarm, (*drawer).cruise, (*drawer).salvo}, false},
			{"glide bombs", 0.12, []func(*drawer){(*drawer).bombers, (*drawer).strays}, true},
			{"rockets", 0.06, []func(*drawer){(*drawer).rockets}, true},
			{"no attack", 0.07, []func(*drawer){(*drawer).feint}, false},
		},
	},
	"il": {
		axes: [][2]float64{{-30, 50}, {60, 110}, {150, 190}, {200, 260}},
		near: [2]float64{6e3, 75e3}, far: [2]float64{900e3, 1900e3}, spread: 30e3, spacing: 70e3,
		kinds: []kind{
			{"rockets", 0.36, []func(*drawer){(*drawer).rockets, (*drawer).rockets}, true},
			{"ballistic missiles", 0.20, []func(*drawer){(*drawer).salvo}, false},
			{"drones", 0.16, []func(*drawer){(*drawer).swarm, (*drawer).strays}, false},
			{"mixed", 0.16, []func(*drawer){(*drawer).rockets, (*drawer).swarm, (*drawer).cruise, (*drawer).salvo}, true},
			{"cruise missiles", 0.06, []func(*drawer){(*drawer).cruise}, false},
			{"no attack", 0.06, []func(*drawer){(*drawer).feint}, false},
		},
	},
}

// mostObjects bounds one raid.
const mostObjects = 80

// drawer is a raid being drawn.
type drawer struct {
	geography
	zones *zone.Set
	rng   *rand.Rand
	out   *Raid
	kind  kind
	axis  float64 // radians
	group int
}

func (d *drawer) draw() error {
	d.pickKind()
	if err := d.pickFocus(); err != nil {
		return err
	}
	d.out.Name = d.kind.name
	for _, part := range d.kind.parts {
		d.group++
		part(d)
	}
	d.others()
	d.out.Lasts = 0
	for i := range d.out.Objects {
		o := &d.out.Objects[i]
		o.settle()
		if o.Role.Hostile() {
			d.out.Lasts = max(d.out.Lasts, o.Ends())
		}
	}
	d.out.Lasts = min(d.out.Lasts+quietTail, Longest).Truncate(time.Second)
	d.network()
	return nil
}

func (d *drawer) pickKind() {
	at, sum := d.rng.Float64(), 0.0
	for _, k := range d.kinds {
		d.kind = k
		if sum += k.share; at < sum {
			return
		}
	}
}

// pickFocus finds the zone that the raid is about: one of those with many people more
// often, and near the border where the kind of raid asks for it.
func (d *drawer) pickFocus() error {
	for range 400 {
		axis := d.axes[d.rng.IntN(len(d.axes))]
		d.axis = uniform(d.rng, axis[0], axis[1]) * degree
		best := d.rng.IntN(d.zones.Len())
		for range 2 {
			if i := d.rng.IntN(d.zones.Len()); d.zones.ByIndex(i).Population > d.zones.ByIndex(best).Population {
				best = i
			}
		}
		d.out.Focus = d.zones.ByIndex(best).Label
		if _, ok := d.frontier(d.out.Focus, d.axis, 0.7*d.near[1]); ok || !d.kind.edge {
			return nil
		}
	}
	return ErrNoRaid
}

// frontier is how far the country reaches from a place along a bearing; false where that
// is farther than most.
func (d *drawer) frontier(from geo.Point, bearing, most float64) (float64, bool) {
	const stride, beyond = 2500.0, 5 // so many strides without a zone are not a gap between two
	sin, cos := math.Sincos(bearing)
	outside := 0
	for s := 0.0; s < most+(beyond+1)*stride; s += stride {
		p := ahead(from, s*sin, s*cos)
		if len(zonesAt(d.zones, p)) > 0 {
			outside = 0
			continue
		}
		if outside++; outside == beyond {
			edge := s - (beyond-1)*stride
			return edge, edge <= most
		}
	}
	return most, false
}

// zonesAt is the leaves that hold a place.
func zonesAt(zones *zone.Set, p geo.Point) []int {
	var in []int
	zones.InBox(geo.Box{South: p.Lat, North: p.Lat, West: p.Lon, East: p.Lon}, func(i int) {
		if zones.Shape(i).Contains(p) {
			in = append(in, i)
		}
	})
	return in
}

// aim is a place near the focus, in a zone.
func (d *drawer) aim() geo.Point {
	for range 50 {
		p := aside(d.rng, d.out.Focus, d.spread*0.6)
		if in := zonesAt(d.zones, p); len(in) > 0 {
			if chance(d.rng, 0.5) { // at the middle of the place rather than anywhere in it
				return aside(d.rng, d.zones.ByIndex(in[0]).Label, 1500)
			}
			return p
		}
	}
	return d.out.Focus
}

// begins is when a part of the raid begins.
func (d *drawer) begins() time.Duration {
	return time.Duration(uniform(d.rng, 20, 420) * float64(time.Second)).Round(100 * time.Millisecond)
}

func (d *drawer) add(o Object) {
	if len(d.out.Objects) >= mostObjects || len(o.path) < 2 {
		return
	}
	o.ID, o.Group = len(d.out.Objects), d.group
	d.out.Objects = append(d.out.Objects, o)
}

// back is a place so far from another against the raid's axis, give or take.
func (d *drawer) back(from geo.Point, far, spread float64) geo.Point {
	b := d.axis + spread*d.rng.NormFloat64()
	return ahead(from, far*math.Sin(b), far*math.Cos(b))
}

// later is a moment after t, spread over some seconds.
func (d *drawer) later(t time.Duration, most float64) time.Duration {
	return t + time.Duration(uniform(d.rng, 0, most)*float64(time.Second)).Round(100*time.Millisecond)
}

// rockets is a salvo of artillery rockets from one place at a few aims.
func (d *drawer) rockets() {
	rng := d.rng
	aim, edge := d.aim(), d.near[1]
	for range 60 {
		if e, ok := d.frontier(aim, d.axis, 0.85*d.near[1]); ok {
			edge = e
			break
		}
		aim = d.aim()
	}
	far := math.Max(edge+uniform(rng, 1e3, 8e3), d.near[0])
	from := ahead(aim, far*math.Sin(d.axis), far*math.Cos(d.axis))
	model := rocket(rng)
	count := between(rng, 1, 12)
	if chance(rng, 0.2) {
		count = between(rng, 12, 28)
	}
	at := d.begins()
	scatter := far * uniform(rng, 0.008, 0.035)
	for range count {
		m := model
		m.drag *= math.Exp(0.05 * rng.NormFloat64())
		to := aside(rng, aim, scatter)
		path := arc(m, aside(rng, from, 60), to)
		d.add(Object{Class: class.Rocket, Role: Attack, At: at, Target: to, Fate: Hit, step: arcStep, path: path})
		at = d.later(at, 3).Truncate(100*time.Millisecond) + 200*time.Millisecond
	}
}

// salvo is a few ballistic missiles within minutes.
func (d *drawer) salvo() {
	rng := d.rng
	at := d.begins()
	count := between(rng, 1, 5)
	if chance(rng, 0.25) {
		count = between(rng, 5, 14)
	}
	far := uniform(rng, d.far[0], d.far[1])
	aim := d.aim()
	if edge, _ := d.frontier(aim, d.axis, d.far[1]); edge > far-20e3 {
		far = edge + uniform(rng, 20e3, 120e3)
	}
	from := d.back(aim, far, 0.05)
	for range count {
		if chance(rng, 0.35) {
			aim = d.aim()
		}
		to := aside(rng, aim, uniform(rng, 60, 1200))
		site := aside(rng, from, 15e3)
		path := arc(ballistic(rng, float64(geo.Distance(site, to))), site, to)
		d.add(Object{Class: class.BallisticMissile, Role: Attack, At: at, Target: to, Fate: Hit, step: arcStep, path: path})
		at = d.later(at, 50)
	}
}

// swarm is drones that come together along a route of a few turns, each with errors and
// intentions of its own.
func (d *drawer) swarm() {
	rng := d.rng
	count := between(rng, 2, 9)
	if chance(rng, 0.2) {
		count = between(rng, 9, 22)
	}
	far := uniform(rng, 45e3, 115e3)
	aim := d.aim()
	from := d.back(aim, far, 0.3)
	speed := uniform(rng, 42, 62)
	if chance(rng, 0.12) { // with a jet engine
		speed = uniform(rng, 85, 150)
	}
	height := uniform(rng, 150, 2600)
	way := d.route(from, aim, between(rng, 1, 4), 0.16*far, height)
	width := uniform(rng, 300, 5000)
	at := d.begins()
	for range count {
		to := aim
		if chance(rng, 0.4) {
			to = d.aim()
		}
		d.drone(way, to, speed*math.Exp(0.03*rng.NormFloat64()), width, d.later(at, 240))
	}
}

// route is a way of some bends from a place to an aim; the last point is the aim.
func (d *drawer) route(from, aim geo.Point, bends int, wide, height float64) []waypoint {
	rng := d.rng
	e, n := towards(from, aim)
	far := math.Hypot(e, n)
	way := []waypoint{{at: from, height: height}}
	for i := range bends {
		along := (float64(i) + uniform(rng, 0.6, 1.2)) / (float64(bends) + 0.6)
		across := wide * rng.NormFloat64()
		p := ahead(from, e*along+n/far*across, n*along-e/far*across)
		way = append(way, waypoint{at: p, height: height * math.Exp(0.2*rng.NormFloat64())})
	}
	return append(way, waypoint{at: aim, height: height})
}

// drone flies the swarm's way to an aim of its own.
func (d *drawer) drone(way []waypoint, aim geo.Point, speed, width float64, at time.Duration) {
	rng := d.rng
	own := make([]waypoint, len(way))
	for i, w := range way {
		w.at = aside(rng, w.at, width)
		w.height = math.Max(w.height*math.Exp(0.15*rng.NormFloat64()), 60)
		if i > 0 && i < len(way)-1 && chance(rng, 0.12) {
			w.loops = between(rng, 1, 3)
		}
		own[i] = w
	}
	own[len(own)-1].at = aim
	p := pilot{
		speed: speed, load: 0.6, turnMost: uniform(rng, 3, 9) * degree, climb: 4,
		wander: uniform(rng, 1, 4) * degree, gusts: uniform(rng, 0.02, 0.06), memory: uniform(rng, 20, 120), dive: uniform(rng, 800, 4000),
	}
	o := Object{Class: class.Drone, Role: Attack, At: at, Target: aim, step: levelStep}
	switch {
	case chance(rng, 0.22): // a decoy: it flies on past, and falls when its fuel is out
		o.Role = Decoy
		last := own[len(own)-1]
		last.at = aside(rng, d.aim(), 8e3)
		own = append(own, last)
	case chance(rng, 0.08): // turns back
		o.Role = Decoy
		own = append(own[:len(own)-1], waypoint{at: aside(rng, own[0].at, 20e3), height: own[0].height})
		p.dive = 0
	}
	whole := 0.0
	for i := 1; i < len(own); i++ {
		whole += float64(geo.Distance(own[i-1].at, own[i].at))
	}
	if chance(rng, 0.35) {
		p.downed = whole / speed * uniform(rng, 0.25, 1)
	}
	o.path, o.Fate = p.fly(rng, own, Longest)
	d.add(o)
}

// strays are single drones on ways of their own.
func (d *drawer) strays() {
	for range between(d.rng, 0, 4) {
		aim := d.aim()
		from := d.back(aim, uniform(d.rng, 40e3, 100e3), 0.7)
		way := d.route(from, aim, between(d.rng, 1, 5), 12e3, uniform(d.rng, 120, 2800))
		d.drone(way, aim, uniform(d.rng, 40, 65), 500, d.begins())
	}
}

// cruise is cruise missiles at low level along a shared, bent route.
func (d *drawer) cruise() {
	rng := d.rng
	count := between(rng, 1, 6)
	aim := d.aim()
	far := uniform(rng, 110e3, 290e3)
	from := d.back(aim, far, 0.25)
	height := uniform(rng, 50, 400)
	way := d.route(from, aim, between(rng, 1, 5), 0.12*far, height)
	speed := uniform(rng, 195, 275)
	at := d.begins()
	for range count {
		own := make([]waypoint, len(way))
		for i, w := range way {
			w.at = aside(rng, w.at, uniform(rng, 100, 2500))
			if i > 0 && i < len(way)-1 && chance(rng, 0.04) {
				w.loops = 1
			}
			own[i] = w
		}
		to := aim
		if chance(rng, 0.4) {
			to = d.aim()
		}
		own[len(own)-1].at = aside(rng, to, 100)
		p := pilot{
			speed: speed * math.Exp(0.015*rng.NormFloat64()), load: uniform(rng, 1.2, 3), turnMost: 12 * degree, climb: 40,
			wander: uniform(rng, 0.4, 1.5) * degree, gusts: uniform(rng, 0.005, 0.03), memory: uniform(rng, 20, 90), dive: uniform(rng, 1000, 5000),
		}
		if chance(rng, 0.25) {
			p.downed = far / p.speed * uniform(rng, 0.3, 1)
		}
		o := Object{Class: class.CruiseMissile, Role: Attack, At: d.later(at, 60), Target: to, step: levelStep}
		o.path, o.Fate = p.fly(rng, own, Longest)
		d.add(o)
	}
}

// bombers fly up, release glide bombs from a distance, and turn back.
func (d *drawer) bombers() {
	rng := d.rng
	for range between(rng, 1, 3) {
		aim := d.aim()
		reach := uniform(rng, 32e3, 72e3)
		if edge, ok := d.frontier(aim, d.axis, reach); ok {
			reach = math.Max(reach, edge+3e3)
		}
		release := d.back(aim, reach, 0.15)
		height, speed := uniform(rng, 8.5e3, 12.5e3), uniform(rng, 220, 310)
		from := ahead(release, 90e3*math.Sin(d.axis), 90e3*math.Cos(d.axis))
		home := ahead(aside(rng, release, 15e3), 80e3*math.Sin(d.axis), 80e3*math.Cos(d.axis))
		at := d.begins()
		p := pilot{speed: speed, load: 2, turnMost: 4 * degree, climb: 15, wander: 0.7 * degree, gusts: 0.01, memory: 60}
		o := Object{Class: class.Aircraft, Role: Carrier, At: at, step: levelStep}
		turn := waypoint{at: release, height: height}
		o.path, o.Fate = p.fly(rng, []waypoint{{at: from, height: height}, turn, {at: home, height: height}}, Longest)
		d.add(o)
		nearest, k := math.Inf(1), 0
		for i, q := range o.path {
			if s := float64(geo.Distance(q.Point, aim)); s < nearest {
				nearest, k = s, i
			}
		}
		k = max(k-1, 1)
		e, n := towards(o.path[k-1].Point, o.path[k].Point)
		for range between(rng, 1, 4) {
			to := aside(rng, aim, uniform(rng, 50, 900))
			path := glide(rng, o.path[k], speed, math.Atan2(e, n), to)
			d.add(Object{Class: class.GlideBomb, Role: Attack, At: at + time.Duration(k)*levelStep, Target: to, Fate: Hit, step: levelStep, path: path})
			k = min(k+between(rng, 1, 3), len(o.path)-1)
		}
	}
}

// feint is aircraft that come up to the border and turn back.
func (d *drawer) feint() {
	rng := d.rng
	for range between(rng, 1, 4) {
		edge, _ := d.frontier(d.out.Focus, d.axis, 400e3)
		stop := d.back(d.out.Focus, edge+uniform(rng, 8e3, 50e3), 0)
		from := d.back(stop, 110e3, 0.3)
		height := uniform(rng, 3e3, 11e3)
		p := pilot{speed: uniform(rng, 180, 300), load: 2, turnMost: 4 * degree, climb: 15, wander: degree, gusts: 0.01, memory: 60}
		o := Object{Class: class.Aircraft, Role: Carrier, At: d.begins(), step: levelStep}
		o.path, o.Fate = p.fly(rng, []waypoint{{at: from, height: height}, {at: stop, height: height}, {at: aside(rng, from, 20e3), height: height}}, Longest)
		d.add(o)
	}
}

// others are aircraft that are no threat: airliners with a code and an address, our own
// with an answer, and now and then one of ours whose answer fails.
func (d *drawer) others() {
	rng := d.rng
	d.group++
	for i := range between(rng, 0, 4) {
		b := uniform(rng, 0, 2*math.Pi)
		height, speed := uniform(rng, 6e3, 11.5e3), uniform(rng, 190, 250)
		o := Object{Class: class.Aircraft, Role: Civil, step: levelStep, addr: 0x508000 + uint32(rng.IntN(0x8000)), code: uint16(0o1000 + 8*rng.IntN(0o600) + i)}
		if chance(rng, 0.4) {
			o = Object{Class: class.Aircraft, Role: Friend, step: levelStep, friend: !chance(rng, 0.1)}
			height, speed = uniform(rng, 200, 9e3), uniform(rng, 60, 300)
		}
		far := speed * uniform(rng, 300, 1200)
		off := aside(rng, d.out.Focus, 40e3)
		from, to := ahead(off, -far/2*math.Sin(b), -far/2*math.Cos(b)), ahead(off, far/2*math.Sin(b), far/2*math.Cos(b))
		p := pilot{speed: speed, load: 0.6, turnMost: 3 * degree, climb: 10, wander: 0.5 * degree, gusts: 0.01, memory: 60}
		o.At = d.later(0, 900)
		o.path, o.Fate = p.fly(rng, d.route(from, to, between(rng, 0, 2), 10e3, height), Longest)
		d.add(o)
	}
}
