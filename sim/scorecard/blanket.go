package scorecard

import (
	"cmp"
	"slices"
	"time"

	"tocsin/core/geo"
	"tocsin/sim/raid"
)

// Figures of the blanket alarms that are compared with. They know the truth and follow it:
// real ones are given for more, and last longer.
const (
	blanketAhead = 10 * time.Minute // before a slow object is over the area, if it is seen by then
	blanketStay  = 5 * time.Minute  // after the last is over it
	circleRadius = geo.Metres(30e3)
)

// burden is person-minutes: all, those in zones not reached, and those in zones neither
// reached nor passed low nearby.
type burden struct{ all, unreached, far float64 }

func (b *burden) add(u burden) {
	b.all, b.unreached, b.far = b.all+u.all, b.unreached+u.unreached, b.far+u.far
}

// alarm is a time during which an alarm is on.
type alarm struct{ from, to time.Duration }

// blankets are what alarms for whole regions, for areas of the middle level, and for a
// circle around each object would have cost.
func (p *play) blankets() (region, middle, circle burden) {
	region = p.cost(p.areas(p.ground.region), p.ground.region)
	middle = p.cost(p.areas(p.ground.middle), p.ground.middle)
	own := make([]int, p.raid.Zones.Len())
	for i := range own {
		own[i] = i
	}
	return region, middle, p.cost(p.circles(), own)
}

// areas is when each area, numbered by group, has an alarm: from ten minutes before an
// object is over it (of one that comes down on it: from its first plot), but not before
// that object's first plot, until five minutes after.
func (p *play) areas(group []int) map[int][]alarm {
	on := map[int][]alarm{}
	for _, pass := range p.truth.Passages {
		o := &p.raid.Objects[pass.Object]
		from := min(p.facts.plots[pass.Object][0], pass.Enter)
		if raid.Effects(o.Class).Passing {
			from = max(from, pass.Enter-blanketAhead)
		}
		g := group[pass.Zone]
		on[g] = append(on[g], alarm{from, min(pass.Leave+blanketStay, p.raid.Lasts)})
	}
	return on
}

// circles is when each zone has an alarm because a hostile object that has been seen is
// within the radius, or will come down within it.
func (p *play) circles() map[int][]alarm {
	on := map[int][]alarm{}
	enter := func(at geo.Point, from, to time.Duration) {
		p.raid.Zones.InCircle(geo.Circle{Centre: at, Radius: circleRadius}, func(z int) {
			on[z] = append(on[z], alarm{from, min(to+blanketStay, p.raid.Lasts)})
		})
	}
	for i := range p.raid.Objects {
		o := &p.raid.Objects[i]
		from := p.facts.plots[i][0]
		if !o.Role.Hostile() || from == never {
			continue
		}
		if raid.Effects(o.Class).Passing {
			for at := from; at < min(o.Ends(), p.raid.Lasts); at += step {
				if pos, ok := o.Position(at); ok {
					enter(pos.Point, at, at+step)
				}
			}
		} else if pos, ok := o.Position(o.Ends() - 1); ok {
			enter(pos.Point, from, o.Ends())
		}
	}
	return on
}

// cost is the person-minutes of alarms of areas.
func (p *play) cost(on map[int][]alarm, group []int) burden {
	minutes := map[int]float64{}
	for g, alarms := range on {
		minutes[g] = together(alarms).Minutes()
	}
	reached := make([]bool, len(group))
	for _, pass := range p.truth.Passages {
		reached[pass.Zone] = true
	}
	var b burden
	for z, g := range group {
		m := minutes[g] * p.ground.people[z]
		b.all += m
		if !reached[z] {
			b.unreached += m
			if !p.truth.Near[z] {
				b.far += m
			}
		}
	}
	return b
}

// together is how long at least one of the alarms is on. It sorts them.
func together(alarms []alarm) time.Duration {
	slices.SortFunc(alarms, func(a, b alarm) int { return cmp.Compare(a.from, b.from) })
	var sum, end time.Duration
	for i, a := range alarms {
		if i == 0 || a.from > end {
			end = a.from
		}
		if a.to > end {
			sum += a.to - end
			end = a.to
		}
	}
	return sum
}
