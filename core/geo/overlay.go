package geo

import (
	"math"
	"math/big"
	"slices"
)

// Two shapes are compared by laying all their edges over each other: each edge is cut
// where another one meets it, and for each piece it is found out whether the places just
// left and right of it are in the one shape and in the other. What holds for the sides of
// all pieces holds for the plane, so nothing depends on how the shapes were drawn.

// overlayBudget bounds the work of laying two shapes over each other, in pairs of edges
// looked at: ten times what two countries need, and a second at most. A question that needs
// whole numbers without bound costs as much as longCost of them.
const (
	overlayBudget = 30_000_000
	longCost      = 30
)

// cut is a place on an edge from a to b: a + num/den (b-a), 0 < num < den; at is the same
// place rounded, alike for both edges that meet there.
type cut struct {
	num, den *big.Int
	at       vertex
}

func (c cut) compare(d cut) int {
	return new(big.Int).Mul(c.num, d.den).Cmp(new(big.Int).Mul(d.num, c.den))
}

// mediant lies between two cuts, and stays short.
func mediant(c, d cut) cut {
	return cut{num: new(big.Int).Add(c.num, d.num), den: new(big.Int).Add(c.den, d.den)}
}

func (c cut) float() float64 {
	f, _ := new(big.Rat).SetFrac(c.num, c.den).Float64()
	return f
}

// turnValue is the cross product whose sign is turn(a, b, c). The vertices are whole.
func turnValue(a, b, c vertex) *big.Int {
	p := new(big.Int).Mul(big.NewInt(int64(b.x-a.x)), big.NewInt(int64(c.y-a.y)))
	q := new(big.Int).Mul(big.NewInt(int64(c.x-a.x)), big.NewInt(int64(b.y-a.y)))
	return p.Sub(p, q)
}

// probe is a place strictly inside a piece of the edge from a to b.
type probe struct {
	a, b     vertex
	from, to vertex // ends of the piece, rounded where it is a cut
	near     vertex // the place, exact where at is nil, else within 1
	at       *cut
	budget   *int
}

// above says whether c is north of the place beside the probe, left or right of it by
// less than anything.
func (p *probe) above(c vertex, left bool) bool {
	d := c.y - p.near.y
	if p.at != nil && math.Abs(d) < 4 {
		*p.budget -= longCost
		rest := new(big.Int).Sub(p.at.den, p.at.num)
		y := rest.Mul(rest, big.NewInt(int64(p.a.y)))
		y.Add(y, new(big.Int).Mul(p.at.num, big.NewInt(int64(p.b.y))))
		d = float64(new(big.Int).Mul(p.at.den, big.NewInt(int64(c.y))).Cmp(y))
	}
	if d != 0 {
		return d > 0
	}
	// Level with it: the place is moved north where the edge runs east and it is left.
	east := p.b.x - p.a.x
	return east != 0 && (east > 0) != left
}

// side is 1 where the place beside the probe lies left of the line from c to d, -1 right.
func (p *probe) side(c, d vertex, left bool) int {
	if s := p.sideOf(c, d); s != 0 {
		return s
	}
	// On the line: the normal of the edge decides.
	nx, ny := p.a.y-p.b.y, p.b.x-p.a.x
	s := compareProducts(d.x-c.x, ny, d.y-c.y, nx)
	if !left {
		s = -s
	}
	return s
}

// sideOf is turn(c, d, probe).
func (p *probe) sideOf(c, d vertex) int {
	if p.at == nil {
		return turn(c, d, p.near)
	}
	a, b := turn(c, d, p.a), turn(c, d, p.b)
	if a*b >= 0 {
		return max(min(a+b, 1), -1)
	}
	*p.budget -= longCost
	v := new(big.Int).Sub(p.at.den, p.at.num)
	v.Mul(v, turnValue(c, d, p.a))
	return v.Add(v, new(big.Int).Mul(p.at.num, turnValue(c, d, p.b))).Sign()
}

// beside says whether the place beside the probe is inside the line, by the even-odd rule.
func (o *outline) beside(p *probe, left bool) bool {
	return o.besideRun(len(o.levels)-1, 0, p, left)
}

func (o *outline) besideRun(level, i int, p *probe, left bool) bool {
	const slack = 2 // more than near is off
	b, at := &o.levels[level][i], p.near
	if at.y < b.minY-slack || at.y > b.maxY+slack || at.x > b.maxX+slack {
		return false
	}
	first, end := o.run(level, i)
	if at.x < b.minX-slack {
		return p.above(o.v[first], left) != p.above(o.v[end], left)
	}
	odd := false
	if level > 0 {
		for j := i * fan; j < min((i+1)*fan, len(o.levels[level-1])); j++ {
			odd = odd != o.besideRun(level-1, j, p, left)
		}
		return odd
	}
	*p.budget -= end - first
	high := p.above(o.v[first], left)
	for e := first; e < end; e++ {
		next := p.above(o.v[e+1], left)
		if high != next {
			odd = odd != ((p.side(o.v[e], o.v[e+1], left) > 0) == next)
		}
		high = next
	}
	return odd
}

// copies counts the edges of the lines that run through the probe along its own edge,
// itself included.
func (p *probe) copies(lines []*outline) int {
	n := 0
	here := box{p.near.x - 2, p.near.y - 2, p.near.x + 2, p.near.y + 2}
	for _, o := range lines {
		o.near(here, func(first, end int) bool {
			*p.budget -= end - first
			for e := first; e < end; e++ {
				c, d := o.v[e], o.v[e+1]
				if c != d && edgeBox(c, d).meets(here) && turn(p.a, p.b, c) == 0 && turn(p.a, p.b, d) == 0 {
					n++
				}
			}
			return true
		})
	}
	return max(n, 1)
}

// layer is one shape on the map at which two are laid over each other.
type layer struct {
	parts []part
	lines []*outline
}

// beside says whether the place beside the probe is in the layer.
func (l *layer) beside(p *probe, left bool) bool {
	for i := range l.parts {
		if l.parts[i].beside(p, left) {
			return true
		}
	}
	return false
}

func (p *part) beside(at *probe, left bool) bool {
	if !p.rings[0].beside(at, left) {
		return false
	}
	for _, hole := range p.rings[1:] {
		if hole.beside(at, left) {
			return false
		}
	}
	return true
}

// lay returns the parts of s, at every turn, whose bounds meet b.
func (s *Shape) lay(b box) layer {
	var l layer
	for _, by := range turns {
		if !s.bounds.shift(by).meets(b) {
			continue
		}
		for _, p := range s.parts {
			if !p.bounds.shift(by).meets(b) {
				continue
			}
			p = p.shifted(by)
			l.parts = append(l.parts, p)
			l.lines = append(l.lines, p.rings...)
		}
	}
	return l
}

func (p part) shifted(by float64) part {
	if by == 0 {
		return p
	}
	q := part{bounds: p.bounds.shift(by)}
	for _, r := range p.rings {
		q.rings = append(q.rings, r.shifted(by))
	}
	return q
}

// walk cuts the edges of one layer, as far as they meet limit, by all edges of both, and
// calls visit for each piece with what is known of the other layer left [0] and right [1]
// of it, until visit says false or the budget is spent; then walk says false too. The piece
// is visit's for the call alone.
func walk(own, other *layer, limit box, budget *int, visit func(p *probe, other [2]bool) bool) bool {
	var p probe // one for all pieces: as each its own they are most of what a check allocates
	for _, line := range own.lines {
		// Along edges that meet nothing of the other layer its answer stays the same.
		known, answer, last := false, false, 0
		sound := line.near(limit, func(first, end int) bool {
			known = known && first == last
			last = end
			for e := first; e < end; e++ {
				a, b := line.v[e], line.v[e+1]
				if a == b {
					continue
				}
				if !edgeBox(a, b).meets(limit) {
					known = false
					continue
				}
				cuts, met := cutEdge(a, b, nil, other.lines, budget)
				cuts, _ = cutEdge(a, b, cuts, own.lines, budget)
				if *budget -= longCost * len(cuts); *budget < 0 {
					return false
				}
				for i := range len(cuts) + 1 {
					p = pieceOf(a, b, cuts, i, budget)
					var in [2]bool
					switch {
					case met:
						in = [2]bool{other.beside(&p, true), other.beside(&p, false)}
					case known:
						in = [2]bool{answer, answer}
					default:
						known, answer = true, other.beside(&p, true)
						in = [2]bool{answer, answer}
					}
					if !visit(&p, in) || *budget < 0 {
						return false
					}
				}
				known = known && !met
			}
			return true
		})
		if !sound {
			return false
		}
	}
	return true
}

// cutEdge adds the places where lines meet the edge from a to b between its ends, in
// order, and says whether any of them meets it at all.
func cutEdge(a, b vertex, cuts []cut, lines []*outline, budget *int) ([]cut, bool) {
	met := false
	edge := edgeBox(a, b)
	before := len(cuts)
	for _, o := range lines {
		o.near(edge, func(first, end int) bool {
			*budget -= end - first
			for e := first; e < end; e++ {
				c, d := o.v[e], o.v[e+1]
				switch meet(a, b, c, d) {
				case apart:
					continue
				case cross:
					p := turnValue(c, d, a)
					q := new(big.Int).Sub(p, turnValue(c, d, b))
					if q.Sign() < 0 {
						p.Neg(p)
						q.Neg(q)
					}
					cuts = append(cuts, cut{p, q, crossing(a, b, c, d)})
				case touch, overlap:
					cuts = cutAt(a, b, c, cuts)
					cuts = cutAt(a, b, d, cuts)
				}
				met = true
			}
			return *budget >= 0
		})
	}
	if len(cuts) > before && len(cuts) > 1 {
		slices.SortFunc(cuts, cut.compare)
		cuts = slices.CompactFunc(cuts, func(c, d cut) bool { return c.compare(d) == 0 })
	}
	return cuts, met
}

// cutAt adds c if it lies on the edge between its ends.
func cutAt(a, b, c vertex, cuts []cut) []cut {
	if c == a || c == b || turn(a, b, c) != 0 || !between(a, b, c) {
		return cuts
	}
	num, den := math.Abs(c.x-a.x), math.Abs(b.x-a.x)
	if den == 0 {
		num, den = math.Abs(c.y-a.y), math.Abs(b.y-a.y)
	}
	return append(cuts, cut{big.NewInt(int64(num)), big.NewInt(int64(den)), c})
}

// pieceOf returns a probe in piece i of an edge with these cuts.
func pieceOf(a, b vertex, cuts []cut, i int, budget *int) probe {
	if len(cuts) == 0 {
		return probe{a: a, b: b, from: a, to: b, near: vertex{(a.x + b.x) / 2, (a.y + b.y) / 2}, budget: budget}
	}
	low, high := cut{big.NewInt(0), big.NewInt(1), a}, cut{big.NewInt(1), big.NewInt(1), b}
	if i > 0 {
		low = cuts[i-1]
	}
	if i < len(cuts) {
		high = cuts[i]
	}
	at := mediant(low, high)
	t := at.float()
	return probe{a: a, b: b, from: low.at, to: high.at, at: &at, budget: budget,
		near: vertex{a.x + float64(t*(b.x-a.x)), a.y + float64(t*(b.y-a.y))}}
}

// Within says whether the whole of s lies in t, borders included: exactly, with holes, with
// parts of t that together cover s, and over the antimeridian. Stretches without area count
// for nothing, and what has no area is within nothing. Where so many edges lie over each
// other that the question is given up, the answer is no.
func (s *Shape) Within(t *Shape) bool {
	if s.Empty() || t.Empty() {
		return false
	}
	own, other := layer{parts: s.parts}, t.lay(s.bounds)
	for i := range s.parts {
		own.lines = append(own.lines, s.parts[i].rings...)
	}
	some, budget := false, overlayBudget
	if !walk(&own, &other, s.bounds, &budget, func(p *probe, in [2]bool) bool {
		for side, left := range [...]bool{true, false} {
			if some && in[side] {
				continue
			}
			if own.beside(p, left) {
				some = true
				if !in[side] {
					return false
				}
			}
		}
		return true
	}) {
		return false
	}
	return some && walk(&other, &own, s.bounds, &budget, func(p *probe, in [2]bool) bool {
		return (!in[0] || other.beside(p, true)) && (!in[1] || other.beside(p, false))
	})
}

// Within says whether the whole of zone lies in jurisdiction; see Shape.Within.
func Within(zone, jurisdiction MultiPolygon) bool {
	return NewShape(zone).Within(NewShape(jurisdiction))
}

// Intersects says whether two shapes share a point; a common border is enough.
func (s *Shape) Intersects(t *Shape) bool {
	own, other := s.lay(s.bounds), t.lay(s.bounds)
	for _, line := range own.lines {
		for e := range line.edges() {
			if meetsAny(line.v[e], line.v[e+1], other.lines) {
				return true
			}
		}
	}
	// No borders meet: one holds the other, or they are apart.
	for i := range own.parts {
		for j := range other.parts {
			if own.parts[i].locate(other.parts[j].rings[0].v[0]) != outside ||
				other.parts[j].locate(own.parts[i].rings[0].v[0]) != outside {
				return true
			}
		}
	}
	return false
}

// meetsAny says whether the segment from a to b has a point in common with a line.
func meetsAny(a, b vertex, lines []*outline) bool {
	for _, o := range lines {
		if !o.near(edgeBox(a, b), func(first, end int) bool {
			for e := first; e < end; e++ {
				if meet(a, b, o.v[e], o.v[e+1]) != apart {
					return false
				}
			}
			return true
		}) {
			return true
		}
	}
	return false
}

// Overlaps says whether two shapes share more than border: an area. Where the question is
// given up (see Within), the answer is yes.
func (s *Shape) Overlaps(t *Shape) bool {
	own, other := s.lay(s.bounds), t.lay(s.bounds)
	budget := overlayBudget
	apart := func(mine *layer) func(p *probe, in [2]bool) bool {
		return func(p *probe, in [2]bool) bool {
			return (!in[0] || !mine.beside(p, true)) && (!in[1] || !mine.beside(p, false))
		}
	}
	return !walk(&own, &other, t.boundsNear(s.bounds), &budget, apart(&own)) || !walk(&other, &own, s.bounds, &budget, apart(&other))
}

// OverlapArea is the area that two shapes share, or NaN where the question is given up (see
// Within).
func (s *Shape) OverlapArea(t *Shape) SquareMetres {
	own, other := s.lay(s.bounds), t.lay(s.bounds)
	budget := overlayBudget
	lines := append(slices.Clone(own.lines), other.lines...)
	var sum float64
	add := func(mine *layer) func(p *probe, in [2]bool) bool {
		return func(p *probe, in [2]bool) bool {
			left := in[0] && mine.beside(p, true)
			right := in[1] && mine.beside(p, false)
			if left != right {
				area := strip(p.from, p.to) / float64(p.copies(lines))
				if right {
					area = -area
				}
				sum += area
			}
			return true
		}
	}
	if !walk(&own, &other, t.boundsNear(s.bounds), &budget, add(&own)) || !walk(&other, &own, s.bounds, &budget, add(&other)) {
		return SquareMetres(math.NaN())
	}
	return SquareMetres(math.Abs(sum) * (math.Pi / 180 / gridPerDegree))
}

// boundsNear returns the bounds of the parts, at every turn, that meet b.
func (s *Shape) boundsNear(b box) box {
	all := noBox
	for _, by := range turns {
		if c := s.bounds.shift(by); c.meets(b) {
			all = all.union(c)
		}
	}
	return all
}
