package track

import (
	"fmt"

	"tocsin/core/observation"
)

// Weight of evidence, in the order of rules.md.
const (
	noEvidence = iota
	byCode     // Mode 3/A
	byReport   // its own report, matching in place and speed
	byAnswer   // friend-or-foe answer
	byWord     // a person's
)

// creed is what is believed of whose an object is.
type creed struct {
	weight   int
	standing observation.Allegiance
	known    observation.Identity
	evidence [maxEvidence]string
	lines    int
}

const (
	maxEvidence = 6
	maxFlight   = 16
)

// Codes that say that something is wrong, not that all is well.
const (
	hijack    = 0o7500
	radioLost = 0o7600
	emergency = 0o7700
)

// heed takes what an associated observation says besides its measurement.
func (m *memory) heed(q *plot) {
	_, own := q.o.Body.(observation.Cooperative)
	if !own && !q.o.Says.Said() && q.o.Identity == (observation.Identity{}) {
		return
	}
	next := &lore{}
	if m.lore != nil {
		*next = *m.lore
	}
	next.hear(&q.source.reg, q.o.Says)
	next.creed.heed(q)
	m.lore = next
}

// told takes what a launch nearby makes of it.
func (m *memory) told(c *cue) {
	if !c.says.Said() {
		return
	}
	next := &lore{}
	if m.lore != nil {
		*next = *m.lore
	}
	next.hear(&c.source.reg, c.says)
	m.lore = next
}

func (c *creed) heed(q *plot) {
	id := q.o.Identity
	if len(id.Flight) > maxFlight {
		id.Flight = id.Flight[:maxFlight]
	}
	if id.Address != 0 {
		c.known.Address = id.Address
	}
	if id.Flight != "" {
		c.known.Flight = id.Flight
	}
	if id.HasMode3A {
		c.known.Mode3A, c.known.HasMode3A = id.Mode3A, true
	}
	if id.Answer != observation.Unstated {
		weight, line := byAnswer, "friend-or-foe answer"
		if id.Word {
			weight, line = byWord, "a person's word"
		}
		c.take(weight, id.Answer, line+": "+allegiance(id.Answer)+" by "+q.o.Source)
		c.known.Answer, c.known.Word = id.Answer, id.Word
	}
	if _, ok := q.o.Body.(observation.Cooperative); ok {
		c.take(byReport, observation.Neutral, fmt.Sprintf("its own report %06x %s matches in place and speed", id.Address, id.Flight))
	}
	if id.HasMode3A {
		switch id.Mode3A {
		case 0, hijack, radioLost, emergency:
		default:
			c.take(byCode, observation.Neutral, fmt.Sprintf("Mode 3/A %04o", id.Mode3A))
		}
	}
}

// take lets evidence count if nothing weightier does; of equal weight the newer counts.
func (c *creed) take(weight int, standing observation.Allegiance, line string) {
	if weight >= c.weight {
		c.weight, c.standing = weight, standing
	}
	for _, old := range c.evidence[:c.lines] {
		if old == line {
			return
		}
	}
	if c.lines == maxEvidence {
		copy(c.evidence[:], c.evidence[1:])
		c.lines--
	}
	c.evidence[c.lines] = line
	c.lines++
}

func allegiance(a observation.Allegiance) string {
	switch a {
	case observation.Friend:
		return "friend"
	case observation.Neutral:
		return "neutral"
	case observation.Foe:
		return "foe"
	default:
		return "unstated"
	}
}

const (
	dive      = -60.0 // metres per second; an emergency descent is 40
	diveBelow = 9e3   // metres
	tooFast   = 400.0 // metres per second
)

// verdict is the identity as far as the motion does not belie it: what an object says
// of itself is not believed of one that dives at the ground or outruns any airliner.
func (m *memory) verdict(s *state) Identity {
	if m.lore == nil {
		return Identity{}
	}
	c := &m.lore.creed
	id := Identity{Standing: c.standing, Known: c.known}
	if c.lines > 0 {
		id.Evidence = append(make([]string, 0, c.lines+1), c.evidence[:c.lines]...)
	}
	if c.weight == noEvidence || c.weight >= byAnswer {
		return id
	}
	switch {
	case m.depths >= 2 && s.v[2] < dive && m.frame.height(s.p) < diveBelow:
		id.Standing = observation.Unstated
		id.Evidence = append(id.Evidence, fmt.Sprintf("not believed: comes down at %.0f m/s", -s.v[2]))
	case norm(s.v) > tooFast:
		id.Standing = observation.Unstated
		id.Evidence = append(id.Evidence, fmt.Sprintf("not believed: flies at %.0f m/s", norm(s.v)))
	}
	return id
}
