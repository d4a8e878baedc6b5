package board

import (
	"maps"
	"slices"
	"time"

	"tocsin/core/zone"
)

// Active is the body of GET /v1/active: unsigned JSON of the whole country for dashboards.
func (p *Publisher) Active(now time.Time) []byte {
	p.tell(now)
	c := p.named[Whole]
	c.refresh()
	b := appendMember([]byte{'{'}, "universe", string(p.universe))
	b = appendTime(append(b, `,"at":`...), p.now)
	b = appendMember(append(b, ','), "picture", string(p.picture))
	b = appendMember(append(b, ','), "set", p.zones.Version())
	b = append(b, `,"zones":[`...)
	first := true
	for _, id := range c.ids {
		s := c.zones[id]
		if s.stale(p.now) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = p.appendActive(b, id, s)
	}
	return append(b, "]}"...)
}

func (p *Publisher) appendActive(b []byte, id zone.ID, s said) []byte {
	b = appendMember(append(b, '{'), "id", string(id))
	b = append(b, `,"names":{`...)
	z, _ := p.zones.Get(id)
	for i, lang := range slices.Sorted(maps.Keys(z.Names)) {
		if i > 0 {
			b = append(b, ',')
		}
		name := lang
		if name == zone.Unlabelled {
			name = "und" // BCP 47: undetermined
		}
		b = appendText(b, name)
		b = appendText(append(b, ':'), z.Names[lang])
	}
	b = appendMember(append(b, "},"...), "region", string(p.zones.Region(id)))
	it := s.item(nil)
	return append(appendItemMembers(append(b, ','), &it, false), '}')
}
