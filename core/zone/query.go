package zone

import (
	"math"
	"math/bits"

	"tocsin/core/geo"
)

// Nearby is how far from a zone's border a place still belongs to it, if it is in none.
const Nearby geo.Metres = 5000

// At returns the leaf that holds a place, its border included; where several do, the one
// of the finest level, then of the smallest area; where none does, the nearest within
// Nearby.
func (s *Set) At(p geo.Point) (Zone, bool) {
	i, ok := s.IndexAt(p)
	if !ok {
		return Zone{}, false
	}
	return s.ByIndex(i), true
}

// IndexAt is At by index.
func (s *Set) IndexAt(p geo.Point) (int, bool) {
	if !p.Valid() {
		return 0, false
	}
	best := -1
	for _, by := range turns {
		at := [2]float64{float64(p.Lon) + by, float64(p.Lat)}
		s.tree.Search(at, at, func(_, _ [2]float64, i int) bool {
			if (best < 0 || s.finer(i, best)) && s.shapes[i].Contains(p) {
				best = i
			}
			return true
		})
	}
	if best >= 0 {
		return best, true
	}
	return s.nearest(p)
}

// turns are the shifts at which a place may be met by zones over the antimeridian.
var turns = [...]float64{0, 360, -360}

// finer says whether a place that two leaves hold belongs to i: the finer level, then the
// smaller area, then the lower id.
func (s *Set) finer(i, j int) bool {
	if s.levels[i] != s.levels[j] {
		return s.levels[i] > s.levels[j]
	}
	if a, b := s.areas[i], s.areas[j]; a != b {
		return a < b
	}
	return i < j
}

func (s *Set) nearest(p geo.Point) (int, bool) {
	f := geo.Circle{Centre: p, Radius: Nearby}.Footprint()
	best, within := -1, Nearby
	for _, i := range s.search(f.Bounds()).indices() {
		d := s.shapes[i].BorderDistance(p, within)
		if d < within || d == within && best >= 0 && s.finer(i, best) {
			best, within = i, d
		} else if best < 0 && d <= within {
			best, within = i, d
		}
	}
	return best, best >= 0
}

// InEllipse calls yield for the leaves that share a point with the ellipse, in ascending
// order.
func (s *Set) InEllipse(e geo.Ellipse, yield func(index int)) {
	f := e.Footprint()
	s.inFootprint(&f, yield)
}

// InCircle calls yield for the leaves that share a point with the circle, in ascending
// order.
func (s *Set) InCircle(c geo.Circle, yield func(index int)) {
	f := c.Footprint()
	s.inFootprint(&f, yield)
}

func (s *Set) inFootprint(f *geo.Footprint, yield func(index int)) {
	for w, word := range s.search(f.Bounds()) {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			if s.shapes[i].Meets(f) {
				yield(i)
			}
		}
	}
}

// InBox calls yield for the leaves whose bounds meet the box, in ascending order.
func (s *Set) InBox(b geo.Box, yield func(index int)) {
	for _, i := range s.search(b).indices() {
		yield(i)
	}
}

// bitset holds leaf indices: it puts them in order for nothing.
type bitset []uint64

func (s *Set) search(b geo.Box) bitset {
	found := make(bitset, (len(s.leaves)+63)/64)
	west, east := float64(b.West), float64(b.East)
	if west > east {
		east += 360
	}
	if !(b.South <= b.North) || math.IsNaN(west) || math.IsNaN(east) {
		return found
	}
	for _, by := range turns {
		s.tree.Search([2]float64{west + by, float64(b.South)}, [2]float64{east + by, float64(b.North)},
			func(_, _ [2]float64, i int) bool {
				found[i/64] |= 1 << (i % 64)
				return true
			})
	}
	return found
}

func (b bitset) indices() []int {
	var out []int
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			out = append(out, w*64+bits.TrailingZeros64(word))
		}
	}
	return out
}
