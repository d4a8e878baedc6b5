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

// How a cause is over of which nothing says that it is down: it is seen to go elsewhere, or
// was when it was lost. By itself it would not keep anybody in shelter; many such together
// do (leftOf).
const (
	passed = "passed"
	slight = "elsewhere when lost"
)

// lostOver is for a cause that is not seen now. It is over if the latest time of its arrival
// is past and a sensor that would see it there sees nothing; if by what its class can do it
// has come and gone; or if it was seen to go elsewhere when it was lost. That it is lost is no
// evidence.
func (b *Book) lostOver(m *member, c *cause) string {
	if !c.latest.IsZero() && !c.latest.After(b.now) {
		if b.cover.Covers(m.st.Zone, c.class) {
			return "due"
		}
		if at, bounded := b.goneBy(m, c); bounded && !at.After(b.now) && b.inPicture(m.st.Zone, c.class) {
			return "due"
		}
	}
	if c.known() && c.left*b.keeps(c.mix, m.st.Stage) < 1 {
		return slight
	}
	return ""
}

// fades is how long it takes until only half of a danger that is seen to go elsewhere is
// reckoned with: one look that says so, just before the object is lost, is not believed at once.
const fades = 20 * time.Second

// heed keeps what is left of a cause: the probability that the zone is reached, as of the last
// forecasts of the track when it was seen. What is not seen loses nothing.
func (c *cause) heed(s *subject, p float64, now time.Time) {
	left, at := p*s.f.Existence, s.f.SeenAt
	if !c.heeded.IsZero() {
		kept := c.left
		if s.alive(now) && at.After(c.heeded) && s.f.At.Sub(at) <= time.Second {
			kept *= math.Exp2(-at.Sub(c.heeded).Seconds() / fades.Seconds())
		}
		left, at = max(left, kept), latest(at, c.heeded)
	}
	c.left, c.heeded = left, at
	if !c.mix.Said() {
		c.mix = s.mix
	}
}

// known reports whether it is known what is left of a cause; after a restart it is not, until
// its track is there again.
func (c *cause) known() bool { return !c.heeded.IsZero() && c.mix.Said() }

// leftOf is how much of the danger that keeps a zone in its stage is left, in units of the
// clear level: of what is seen, and of each cause that was lost and is not over but for going
// elsewhere when it was lost, as it was when it was last seen.
func (b *Book) leftOf(m *member) float64 {
	b.resetTogether()
	for _, x := range m.at.parts {
		w := x.weight()
		if i := m.cause(x.s.id); i >= 0 && m.causes[i].over == slight {
			w = max(w, m.causes[i].left)
		}
		if x.s.threat && w >= dust {
			b.addStill(x, w)
		}
	}
	for i := range m.causes {
		c := &m.causes[i]
		if _, counted := m.at.find(c.track); !counted && c.over == slight && c.left >= dust {
			for k, share := range c.mix {
				b.together[k].Add("", 0, c.left*share)
			}
		}
	}
	return b.sumStill(m.st.Stage)
}
