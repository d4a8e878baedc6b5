// Package raid draws simulated raids with their truth, for measuring the whole way from
// plots to warnings.
//
// In: a seed, the geography of a country, a zone set. Out: objects with their paths, what
// each radar says of them look by look, and which zone was really reached when. It never
// asks core/threat how things fly: its physics is written apart from the forecast's and its
// figures are drawn wider, so that a forecast that is calibrated here is not so by
// construction. Nothing it makes can reach a live system.
package raid

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/zone"
)

// Start is the raid's zero of time.
var Start = time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)

// Longest bounds a raid. Objects still in the air then are not followed further.
const Longest = 60 * time.Minute

// quietTail is how long a raid is watched after its last object has come down: for the
// all-clears, and for warnings given again after them.
const quietTail = 13 * time.Minute

// Raid is one raid: what flies, who watches, and what is true. The same seed, geography
// and zones give the same raid.
type Raid struct {
	Seed    uint64
	Name    string // what kind of raid it is: "drones", "rockets", ...
	Lasts   time.Duration
	Zones   *zone.Set
	Focus   geo.Point // what the attack is about
	Objects []Object
	Radars  []Radar
}

// Object is one thing that flies, with its true path.
type Object struct {
	ID     int         // its place in Raid.Objects
	Class  class.Class // what it really is
	Role   Role
	Group  int           // salvo or swarm it belongs to; members share their route
	At     time.Duration // when it is launched, or comes into the world
	Target geo.Point     // what it was sent to, where Role is Attack
	Fate   Fate
	step   time.Duration // between two samples of the path
	path   []geo.Position
	ecef   []geo.ECEF
	code   uint16 // Mode 3/A it answers with; 0: none
	addr   uint32
	friend bool // answers as a friend
}

// Role is why an object is in the air.
type Role uint8

// Attack: to hit something. Decoy: flies like an attack, carries nothing; people cannot
// know. Carrier: a hostile aircraft that releases and turns back. Civil and Friend: no
// threat.
const (
	Attack Role = iota
	Decoy
	Carrier
	Civil
	Friend
)

// String is the word in tables.
func (r Role) String() string {
	return [...]string{"attack", "decoy", "carrier", "civil", "friend"}[min(int(r), 4)]
}

// Hostile reports whether people are to be warned of what it flies over or hits.
func (r Role) Hostile() bool { return r <= Carrier }

// Fate is how an object's path ends.
type Fate uint8

// Hit: at what it was sent to. Downed: shot down or failed on the way; it falls where it
// is. Left: flew away or was still in the air when the raid ended.
const (
	Hit Fate = iota
	Downed
	Left
)

// String is the word in tables.
func (f Fate) String() string { return [...]string{"hit", "downed", "left"}[min(int(f), 2)] }

// Ends is when the path ends, after the raid's start.
func (o *Object) Ends() time.Duration {
	return o.At + time.Duration(max(len(o.path)-1, 0))*o.step
}

// Where is the object at a time after the raid's start; false before it is there and after
// its end.
func (o *Object) Where(t time.Duration) (geo.ECEF, bool) {
	i, f, ok := o.between(t)
	if !ok {
		return geo.ECEF{}, false
	}
	a, b := o.ecef[i], o.ecef[i+1]
	for k := range a {
		a[k] += (b[k] - a[k]) * f
	}
	return a, true
}

// Position is Where in latitude, longitude and height.
func (o *Object) Position(t time.Duration) (geo.Position, bool) {
	i, f, ok := o.between(t)
	if !ok {
		return geo.Position{}, false
	}
	return mix(o.path[i], o.path[i+1], f), true
}

// Velocity is east, north and up in metres per second.
func (o *Object) Velocity(t time.Duration) ([3]float64, bool) {
	i, _, ok := o.between(t)
	if !ok {
		return [3]float64{}, false
	}
	v := geo.NewENU(o.path[i]).To(o.ecef[i+1])
	for k := range v {
		v[k] /= o.step.Seconds()
	}
	return v, true
}

func (o *Object) between(t time.Duration) (i int, f float64, ok bool) {
	since := t - o.At
	if since < 0 {
		return 0, 0, false
	}
	i = int(since / o.step)
	if i+1 >= len(o.path) {
		return 0, 0, false
	}
	return i, float64(since%o.step) / float64(o.step), true
}

func mix(a, b geo.Position, f float64) geo.Position {
	return geo.Position{
		Point:  geo.Point{Lat: a.Lat + (b.Lat-a.Lat)*geo.Degrees(f), Lon: a.Lon + (b.Lon-a.Lon)*geo.Degrees(f)},
		Height: a.Height + (b.Height-a.Height)*geo.Metres(f),
	}
}

// settle finishes a path: it is cut at the raid's longest and turned into ECEF.
func (o *Object) settle() {
	if most := int((Longest - o.At) / o.step); len(o.path) > most {
		o.path, o.Fate = o.path[:max(most, 0)], Left
	}
	o.ecef = make([]geo.ECEF, len(o.path))
	for i, p := range o.path {
		o.ecef[i] = p.ECEF()
	}
}

// ErrNoRaid is what Draw answers where a zone set offers nothing to draw a raid over.
var ErrNoRaid = errors.New("no raid can be drawn over these zones")

// Draw draws the raid of a seed over a zone set in a country's geography, "ua" or "il".
func Draw(seed uint64, country string, zones *zone.Set) (*Raid, error) {
	g, ok := geographies[country]
	if !ok {
		return nil, fmt.Errorf("raid: country %q is not ua or il", country)
	}
	if zones == nil || zones.Len() == 0 {
		return nil, fmt.Errorf("raid: %w", ErrNoRaid)
	}
	d := &drawer{
		geography: g, zones: zones,
		rng: rand.New(rand.NewPCG(seed, 0x7261696400000000)),
		out: &Raid{Seed: seed, Zones: zones},
	}
	if err := d.draw(); err != nil {
		return nil, fmt.Errorf("raid: seed %d: %w", seed, err)
	}
	return d.out, nil
}
