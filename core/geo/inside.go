package geo

import "slices"

// insideLines is on how many parallels Inside looks for room.
const insideLines = 15

// Inside returns a place well within the shape, where its name can be written: the middle
// of the widest stretch that its largest part has on a few parallels. The centre of the
// bounds where there is none, as in a shape without area.
func (s *Shape) Inside() Point {
	best, width := s.Centre(), 0.0
	var largest *part
	for i := range s.parts {
		p := &s.parts[i]
		if largest == nil || p.bounds.size() > largest.bounds.size() {
			largest = p
		}
	}
	if largest == nil {
		return best
	}
	b := largest.bounds
	for i := 1; i <= insideLines; i++ {
		// Half a step off the grid: no vertex lies on the line.
		y := float64(int64(b.minY+(b.maxY-b.minY)*float64(i)/(insideLines+1))) + 0.5
		at := largest.stretches(y)
		for k := 0; k+1 < len(at); k += 2 {
			// The middle lines are a little better than wider ones at the rim.
			w := (at[k+1] - at[k]) * (1 + float64(min(i, insideLines+1-i))/(insideLines+1))
			if middle := (vertex{(at[k] + at[k+1]) / 2, y}); w > width && largest.locate(middle) == inside {
				best, width = middle.point(), w
			}
		}
	}
	return best
}

func (b box) size() float64 { return (b.maxX - b.minX) * (b.maxY - b.minY) }

// stretches returns where a parallel meets the rings, in order; between an even entry and
// the next one it is inside, if holes do not touch.
func (p *part) stretches(y float64) []float64 {
	var at []float64
	for _, r := range p.rings {
		r.near(box{p.bounds.minX, y, p.bounds.maxX, y}, func(first, end int) bool {
			for e := first; e < end; e++ {
				a, c := r.v[e], r.v[e+1]
				if (a.y > y) != (c.y > y) {
					at = append(at, a.x+float64((c.x-a.x)*((y-a.y)/(c.y-a.y))))
				}
			}
			return true
		})
	}
	slices.Sort(at)
	return at
}
