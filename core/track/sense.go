package track

import (
	"fmt"
	"math"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track/presence"
	"tocsin/health"
)

// senses is the picture's hold on what is only heard, seen or pointed at. Such tracks are
// kept apart from those of plots: no plot corrects one, so that a stray one cannot make a
// radar's track of a rumour. When a track of plots is the same object, it goes on as that.
type senses struct {
	field *presence.Field
	held  []*sensed // firm candidates, in the order in which they became so
	told  int       // observations shed when that was last told
}

// sensed is a firm candidate as a track.
type sensed struct {
	number  uint64
	track   Track
	twin    ID  // the track of plots it was last found to be
	twinned int // how often in a row
	toldAt  time.Time
	spread  float64
}

const (
	senseEvery  = 5 * time.Second  // between two updates of a track that nothing new is heard of
	senseQuiet  = 45 * time.Second // unheard, after which it coasts
	tooHigh     = 3500.0           // metres; what is known to fly higher is not what is heard on the ground
	heardAs     = 0.3              // how well a track must explain an observation to be its cause
	overGates   = 12.0             // squared normalised distance, in four dimensions, of one object
	overTimes   = 4                // sweeps in a row that must find a track of plots to be the same
	earshot     = 25e3             // metres around a place within which a track can be its cause
	leastUnsure = 100.0
	leastPin    = 500.0 // metres around a citizen's pin on a map
)

// sense takes what is presence's, and reports whether that is all there is to it.
func (p *Picture) sense(now time.Time, s *source, o *observation.Observation) bool {
	listens := s.reg.Kind == presence.Acoustic || s.reg.Kind == presence.Crowd
	switch b := o.Body.(type) {
	case observation.Presence:
	case observation.Cue:
		return false
	case observation.Fix:
		if s.reg.Kind != presence.Crowd {
			return false
		}
		// A citizen's pin on a map is no measurement: it may not correct what a radar follows.
		around := 2 * math.Sqrt(math.Max(b.Covariance[0][0], b.Covariance[1][1]))
		o.Body = observation.Presence{At: b.Position.Point, Reach: geo.Metres(math.Max(around, leastPin))}
	case observation.Bearing:
		if !listens {
			return false // light does not lag: it corrects a track that it meets
		}
	case observation.Absence:
		if listens || s.points {
			p.hear(now, s, o)
		}
		return listens
	default:
		if s.reg.Kind == presence.Crowd {
			p.faults.refused(now, s.reg.ID, fmt.Sprintf("citizens make no %T", b))
			return true
		}
		return false
	}
	p.hear(now, s, o)
	return true
}

// hear gives an observation to the field, unless a track of plots is its cause.
func (p *Picture) hear(now time.Time, s *source, o *observation.Observation) {
	_, silent := o.Body.(observation.Absence)
	if !silent {
		s.points = true
		if p.explained(s, o) {
			s.heardAt(now)
			return
		}
	}
	err := p.senses.field.Hear(now, &s.reg, o)
	switch {
	case err == nil:
		s.heardAt(now)
	case !silent || s.reg.Kind == presence.Acoustic || s.reg.Kind == presence.Crowd:
		p.faults.refused(now, s.reg.ID, err.Error())
	}
}

// explained reports whether a confirmed track of plots, of what is not shown to be
// friendly, is where the observation says that something is.
func (p *Picture) explained(s *source, o *observation.Observation) bool {
	place, ok := presence.Place(&s.reg, o)
	if !ok {
		return false
	}
	p.engine.found = p.engine.grid.near(onSphere(place), earshot, p.engine.found[:0])
	for _, ob := range p.engine.found {
		if ob.gone || ob.id == "" || !ob.audible() {
			continue
		}
		one := ob.blend.one()
		if presence.Agrees(&s.reg, o, ob.frame.from(one.p), applyT(&ob.frame.rot, one.v), ob.at.time()) > heardAs {
			return true
		}
	}
	return false
}

// audible reports whether the object may be what is heard or seen from the ground.
func (ob *object) audible() bool {
	one := ob.blend.one()
	if ob.depths >= 2 && ob.frame.height(one.p)-2*math.Sqrt(one.pp[2][2]) > tooHigh {
		return false
	}
	standing := ob.verdict(&one).Standing
	return standing != observation.Friend && standing != observation.Neutral
}

// tickSenses lets time pass for what is heard, and returns what changed.
func (p *Picture) tickSenses(now time.Time) (changes []Change) {
	g := &p.senses
	if g.idle() {
		return nil
	}
	candidates := g.field.Tick(now)
	byNumber := make(map[uint64]*presence.Candidate, len(candidates))
	for i := range candidates {
		byNumber[candidates[i].Number] = &candidates[i]
	}
	kept := g.held[:0]
	for _, h := range g.held {
		c, change := p.held(now, h, byNumber[h.number])
		delete(byNumber, h.number) // the others are new
		if change {
			changes = append(changes, c)
		}
		if h.track.Status != Ended {
			kept = append(kept, h)
		}
	}
	clear(g.held[len(kept):])
	g.held = kept
	for i := range candidates {
		if c := &candidates[i]; byNumber[c.Number] != nil {
			changes = append(changes, p.firmed(now, c))
		}
	}
	p.distrust(now)
	return changes
}

// firmed makes a track of a candidate that deserves it.
func (p *Picture) firmed(now time.Time, c *presence.Candidate) Change {
	p.named++
	h := &sensed{number: c.Number, toldAt: now}
	h.track = Track{ID: p.id(p.named), Status: Confirmed, Since: c.Since}
	h.take(c)
	p.senses.held = append(p.senses.held, h)
	return Change{Kind: WasConfirmed, Track: h.export(c.At)}
}

// held is what becomes of a track of presence; no candidate: it is lost.
func (p *Picture) held(now time.Time, h *sensed, c *presence.Candidate) (Change, bool) {
	if c == nil {
		h.track.Status, h.track.Reason = Ended, Lost
		h.track.Revision++
		return Change{Kind: WasEnded, Track: h.export(now)}, true
	}
	news := c.Updates != h.track.Updates
	h.take(c)
	if into := p.overtaken(h, c); into != nil {
		p.senses.field.Absorb(h.number)
		h.track.Status, h.track.Reason, h.track.Into = Ended, Merged, into.id
		h.track.Revision++
		return Change{Kind: WasEnded, Track: h.export(now)}, true
	}
	was := h.track.Status
	h.track.Status = Confirmed
	if now.Sub(c.SeenAt) > senseQuiet {
		h.track.Status = Coasting
	}
	if !news && was == h.track.Status && now.Sub(h.toldAt) < senseEvery {
		return Change{}, false
	}
	h.toldAt = now
	h.track.Revision++
	return Change{Kind: WasUpdated, Track: h.export(c.At)}, true
}

// take copies a candidate into the track.
func (h *sensed) take(c *presence.Candidate) {
	t := &h.track
	t.At, t.State = c.At, State{Position: c.Position, Velocity: c.Velocity, Covariance: c.Covariance}
	t.Modes, t.Class, t.Existence = Modes{Steady: 0.7, Manoeuvre: 0.3}, c.Class, c.Existence
	t.Updates, t.SeenAt = c.Updates, c.SeenAt
	t.Recent = make([]*observation.Observation, len(c.Recent))
	for i := range c.Recent {
		t.Recent[i] = &c.Recent[i]
	}
	t.Sources = make([]Contribution, len(c.Sources))
	for i, s := range c.Sources {
		t.Sources[i] = Contribution{Source: s.Source, Kind: s.Kind, LastAt: s.LastAt}
	}
	h.spread = math.Sqrt(c.Covariance[0][0] + c.Covariance[1][1] + c.Covariance[2][2])
}

// export is the track as it is believed at a time, in a straight line from when it was.
func (h *sensed) export(at time.Time) Track {
	t := h.track
	dt := at.Sub(t.At).Seconds()
	for i := range 3 {
		t.State.Position[i] += t.State.Velocity[i] * dt
	}
	t.At = at
	t.Sources = append([]Contribution(nil), t.Sources...)
	return t
}

// overtaken is the track of plots that has been the same object for several sweeps.
func (p *Picture) overtaken(h *sensed, c *presence.Candidate) *object {
	var found *object
	p.engine.found = p.engine.grid.near(onSphere(c.Position), min(3*h.spread, widest/2), p.engine.found[:0])
	for _, ob := range p.engine.found {
		if ob.gone || ob.id == "" || ob.status != Confirmed || !ob.audible() {
			continue
		}
		if ob.distance(c) < overGates {
			found = ob
			break
		}
	}
	if found == nil || found.id != h.twin {
		h.twin, h.twinned = "", 1
		if found != nil {
			h.twin = found.id
		}
		return nil
	}
	if h.twinned++; h.twinned < overTimes {
		return nil
	}
	return found
}

// distance is the squared normalised difference of a track and a candidate over the ground,
// in place and velocity; correlations would make it smaller.
func (ob *object) distance(c *presence.Candidate) (d2 float64) {
	b := ob.blend
	b.predict(&ob.frame.world, (tickOf(c.At) - ob.at).seconds(), true)
	one := b.one()
	at := ob.frame.to(c.Position)
	v := apply(&ob.frame.rot, c.Velocity)
	var pp, vv mat3
	for i := range 3 {
		for j := range 3 {
			pp[i][j], vv[i][j] = c.Covariance[i][j], c.Covariance[i+3][j+3]
		}
	}
	half := times(&ob.frame.rot, &pp)
	pp = timesT(&half, &ob.frame.rot)
	half = times(&ob.frame.rot, &vv)
	vv = timesT(&half, &ob.frame.rot)
	for i := range 2 {
		dp, dv := at[i]-one.p[i], v[i]-one.v[i]
		d2 += dp*dp/(pp[i][i]+one.pp[i][i]+leastUnsure) + dv*dv/(vv[i][i]+one.vv[i][i]+1)
	}
	return d2
}

// distrust tells of sources that nobody bears out, and of what was too much to weigh.
func (p *Picture) distrust(now time.Time) {
	g := &p.senses
	for _, d := range g.field.Distrusts() {
		p.faults.set(health.Condition{Name: "source-distrusted", Subject: d.Source, Raised: d.Gone, At: now, Count: d.Alone,
			Detail: fmt.Sprintf("what it reports is borne out by nobody who could: trusted %.2f of 1", d.Trust)})
	}
	if g.field.Shed > g.told {
		p.faults.set(health.Condition{Name: "observation-shed", Subject: "presence", Raised: true, At: now, Count: g.field.Shed - g.told,
			Detail: "more words of presence within a second than are weighed"})
		g.told = g.field.Shed
	}
}

// sensedTracks are the tracks of presence as they are believed at a time.
func (p *Picture) sensedTracks(at time.Time) (out []Track) {
	for _, h := range p.senses.held {
		out = append(out, h.export(at))
	}
	return out
}

func (g *senses) idle() bool { return g.field.Idle() && len(g.held) == 0 }

func newSenses(flat *geo.Position) senses {
	return senses{field: presence.New(presence.Config{Flat: flat})}
}
