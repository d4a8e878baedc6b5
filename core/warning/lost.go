package warning

import (
	"math"
	"time"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// flight is what bounds how long an object of a class that nobody sees any more can still be
// on its way to a zone, or over it, after the latest arrival that its futures foresaw.
type flight struct {
	// least is added in any case, and grows is the part added of the time between its last
	// sighting and that arrival: the longer ago it was seen, the less its futures know.
	least time.Duration
	grows float64
	// slow is how fast it is at least, in metres per second, while it crosses a zone; 0: it
	// comes down in one place.
	slow float64
}

// flights: a body in free fall or gliding is on the ground when its arc says so; what may be
// off is drag and the angle of the glide. A cruise missile carries fuel for its route: it flies
// on, now and then round a circle of half a minute or two, and cannot wait. A drone circles where it
// likes, and aircraft come back: the futures hold a loop or two, a quarter of an hour more is for
// those that they do not. What may be anything is taken for them.
var flights = [class.Count]flight{
	class.BallisticMissile: {least: time.Minute, grows: 0.1},
	class.Rocket:           {least: time.Minute, grows: 0.1},
	class.GlideBomb:        {least: time.Minute, grows: 0.2},
	class.CruiseMissile:    {least: 2 * time.Minute, grows: 0.15, slow: 150},
	class.Drone:            {least: 15 * time.Minute, grows: 0.3, slow: 35},
	class.Aircraft:         {least: 15 * time.Minute, grows: 0.3, slow: 60},
	class.Unknown:          {least: 15 * time.Minute, grows: 0.3, slow: 35},
}

// mayBe is the share from which on a track may be of a class.
const mayBe = 0.05

// goneBy is when an object that is not seen any more is over for a zone by what its class can
// do, though nothing looks down to where it flies there: all its futures, drawn on from its last
// sighting, have by then come and gone, or come down. False where that is not known: the arrival
// is not, or (after a restart) what it may be.
func (b *Book) goneBy(m *member, c *cause) (time.Time, bool) {
	if c.latest.IsZero() || !c.mix.Said() {
		return time.Time{}, false
	}
	var most time.Duration
	for k, share := range c.mix {
		if share < mayBe {
			continue
		}
		f := &flights[k]
		after := max(f.least, time.Duration(f.grows*float64(c.latest.Sub(c.seenAt))))
		if f.slow > 0 {
			after += time.Duration(b.across(m.at) / f.slow * float64(time.Second))
		}
		most = max(most, after)
	}
	return ceil(c.latest.Add(most), time.Second), true
}

// widest is taken for the width, in metres, of a zone that the set does not know.
const widest = 50e3

// across is the width of a zone: of a circle of its area.
func (b *Book) across(p *place) float64 {
	if p.across == 0 {
		p.across = widest
		if i, ok := b.zones.Index(p.id); ok {
			p.across = 2 * math.Sqrt(float64(b.zones.Shape(i).Area())/math.Pi)
		}
	}
	return p.across
}

// inPicture reports whether a live sensor covers a zone, so that an all-clear may be given there
// on other evidence than a look at it: one that could see the threat over it; or one that sees
// what comes to it at height, where it is not so that the sensor which would see the threat over it
// is lost.
func (b *Book) inPicture(id zone.ID, k class.Class) bool {
	return b.cover.Covers(id, k) || b.cover.Watches(id) && !b.cover.Blinded(id, k)
}

// lostOver is for a cause that is not seen now. It is over if it had been seen away for long
// enough; if the latest time of its arrival is past and a sensor that would see it there sees
// nothing; or if by what its class can do it has come and gone. That it is lost is no evidence.
func (b *Book) lostOver(m *member, c *cause) string {
	if c.away {
		return "passed"
	}
	c.awayAt = time.Time{}
	if c.latest.IsZero() || c.latest.After(b.now) {
		return ""
	}
	if b.cover.Covers(m.st.Zone, c.class) {
		return "due"
	}
	if at, bounded := b.goneBy(m, c); bounded && !at.After(b.now) && b.inPicture(m.st.Zone, c.class) {
		return "due"
	}
	return ""
}
