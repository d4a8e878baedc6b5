package board

import (
	"cmp"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// Withheld is what a warning in force says and no key held may sign: no device is told.
type Withheld struct {
	Warning warning.ID
	Zones   int     // how many
	First   zone.ID // the first of them, ascending
	Threat  class.Class
}

// Permits reports whether a warning of a class in a zone may be signed at a time in any of
// the zone's chains. What may not is on no device.
func (p *Publisher) Permits(now time.Time, c class.Class, id zone.ID) bool {
	if p.signer.unlimited(now) {
		return true
	}
	for _, chain := range p.chainsOf(id) {
		if p.signer.Permits(chain.region, chain.next(now), c, id) {
			return true
		}
	}
	r := string(p.zones.Region(id)) // of a zone that nothing was said of yet
	chain := p.named[r]
	return chain != nil && r != Test && p.signer.Permits(r, chain.next(now), c, id)
}

// Withheld lists, by warning, what is in force and may not be signed now in any chain.
func (p *Publisher) Withheld(now time.Time) []Withheld {
	if p.signer.unlimited(now) {
		return nil
	}
	of := map[warning.ID]*Withheld{}
	for id, claims := range p.claims {
		for _, one := range claims {
			if !one.active() || p.Permits(now, one.threat, id) {
				continue
			}
			w := of[one.by]
			if w == nil {
				w = &Withheld{Warning: one.by, First: id, Threat: one.threat}
				of[one.by] = w
			}
			if w.Zones++; id < w.First {
				w.First, w.Threat = id, one.threat
			}
		}
	}
	out := make([]Withheld, 0, len(of))
	for _, w := range of {
		out = append(out, *w)
	}
	slices.SortFunc(out, func(a, b Withheld) int { return cmp.Compare(a.Warning, b.Warning) })
	return out
}
