package geo

import (
	"cmp"
	"slices"
)

// flawAtTouch tells what is wrong with a line that meets itself only at points of its own:
// it crosses itself there where its inside changes from one of its sides to the other; it is
// degenerate where all of it is run through more than once; else it only touches itself.
func flawAtTouch(o *outline) (vertex, Flaw) {
	budget := overlayBudget
	lines := []*outline{o}
	known, left := false, false
	for e := range o.edges() {
		a, b := o.v[e], o.v[e+1]
		if a == b {
			continue
		}
		cuts, _ := cutEdge(a, b, nil, lines, &budget)
		for i := range len(cuts) + 1 {
			p := pieceOf(a, b, cuts, i, &budget)
			if p.copies(lines) > 1 {
				continue // a stretch run twice has no inside of its own
			}
			in := o.beside(&p, true)
			if known && in != left {
				return p.from, FlawCross
			}
			known, left = true, in
		}
	}
	if !known {
		return o.v[0], FlawDegenerate
	}
	return vertex{}, FlawTouch
}

// pairs looks for places where two rings of the zone meet.
func (c *checker) pairs() {
	order := c.turned()
	slices.SortStableFunc(order, func(a, b checkedRing) int { return cmp.Compare(a.line.bounds.minX, b.line.bounds.minX) })
	told := map[[2]int]bool{}
	for i := range order {
		for j := i + 1; j < len(order); j++ {
			a, b := &order[i], &order[j]
			if b.line.bounds.minX > a.line.bounds.maxX {
				break
			}
			c.budget--
			if !a.line.bounds.meets(b.line.bounds) || a.polygon == b.polygon && a.ring == b.ring {
				continue
			}
			if a.polygon == b.polygon && b.ring == 0 {
				a, b = b, a // a hole is judged by its outer ring
			}
			at, flaw := c.pair(a, b)
			if key := [2]int{b.polygon, b.ring}; flaw != 0 && !told[key] {
				told[key] = true
				c.fault(flaw, b.polygon, b.ring, at.point())
			}
			if c.budget <= 0 {
				c.fault(FlawIntricate, b.polygon, b.ring, b.line.v[0].point())
				return
			}
		}
	}
	c.holes()
}

// turned lists the rings; where one reaches over the antimeridian, those at its other side
// are there a second time, a turn to the east.
func (c *checker) turned() []checkedRing {
	order := slices.Clone(c.rings)
	east := -gridTurn
	for i, r := range order {
		if r.line.bounds.minX < -gridHalf {
			order[i].line = r.line.shifted(gridTurn)
		}
		east = max(east, order[i].line.bounds.maxX)
	}
	for _, r := range order {
		if r.line.bounds.minX+gridTurn < east {
			r.line = r.line.shifted(gridTurn)
			order = append(order, r)
		}
	}
	return order
}

// pair tells whether b crosses a.
func (c *checker) pair(a, b *checkedRing) (vertex, Flaw) {
	met := false
	var at vertex
	lines := b.line
	sound := lines.near(a.line.bounds, func(first, end int) bool {
		for e := first; e < end; e++ {
			p, q := lines.v[e], lines.v[e+1]
			if !a.line.near(edgeBox(p, q), func(first, end int) bool {
				c.budget -= end - first
				for k := first; k < end; k++ {
					switch meet(p, q, a.line.v[k], a.line.v[k+1]) {
					case cross:
						at = crossing(p, q, a.line.v[k], a.line.v[k+1])
						return false
					case touch, overlap:
						met = true
					}
				}
				return c.budget > 0
			}) {
				return false
			}
		}
		return true
	})
	switch {
	case !sound && c.budget <= 0:
		return vertex{}, 0
	case !sound:
		return at, FlawCrossRing
	case !met:
		return vertex{}, 0
	}
	return c.touching(a, b)
}

// touching tells of rings that meet only at points of their own whether b goes through a:
// then one stretch of it is inside and another outside.
func (c *checker) touching(a, b *checkedRing) (vertex, Flaw) {
	own, other := layer{lines: []*outline{b.line}}, layer{
		parts: []part{{rings: []*outline{a.line}, bounds: a.line.bounds}},
		lines: []*outline{a.line},
	}
	known, inside := false, false
	var at vertex
	budget := overlayBudget
	crossed := !walk(&own, &other, b.line.bounds, &budget, func(p *probe, in [2]bool) bool {
		if in[0] != in[1] {
			return true // along a itself
		}
		if known && in[0] != inside {
			at = p.from
			return false
		}
		known, inside = true, in[0]
		return true
	})
	if crossed {
		return at, FlawCrossRing
	}
	return vertex{}, 0
}

// holes looks for holes that cut nothing out of their polygon, and for one that cuts all.
func (c *checker) holes() {
	outer := map[int]*outline{}
	for _, r := range c.rings {
		if r.ring == 0 {
			outer[r.polygon] = r.line
		}
	}
	for _, r := range c.rings {
		o := outer[r.polygon]
		if r.ring == 0 || o == nil {
			continue
		}
		a := Shape{parts: []part{{rings: []*outline{o}, bounds: o.bounds}}, bounds: o.bounds}
		b := Shape{parts: []part{{rings: []*outline{r.line}, bounds: r.line.bounds}}, bounds: r.line.bounds}
		switch {
		case !a.Overlaps(&b):
			c.fault(FlawHoleOutside, r.polygon, r.ring, r.line.v[0].point())
		case a.Within(&b):
			c.fault(FlawDegenerate, r.polygon, r.ring, r.line.v[0].point())
		}
	}
}
