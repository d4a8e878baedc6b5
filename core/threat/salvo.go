package threat

import (
	"math"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/track"
)

// Salvos says which tracks fly together: of one kind, near to each other, at about one
// speed and course. What was planned for one of them was planned for all, so their futures
// turn alike (Predict), and what they mean for a zone together (Together) is less than if each flew for
// itself. The zero value knows none. It belongs to one caller at a time; what it says
// depends only on what it was asked, in its order.
type Salvos struct {
	flyers map[track.ID]*flyer
	cells  map[cell][]*flyer // by where they were last, in the order in which they came
}

// flyer is a track as it was last asked for.
type flyer struct {
	id, salvo track.ID
	class     class.Class
	state     track.State
	speed     float64
	cell      cell
}

// cell is a cube of space.
type cell [3]int32

const (
	// cellSize is its edge in metres, and so the farthest that two of a salvo are apart.
	cellSize = 20e3
	// Members are apart by at most so many seconds of their flight and so many metres,
	// differ in course by at most so many degrees and in speed by such a share.
	togetherFor, togetherWithin = 60.0, 5000.0
	togetherCourse              = 30.0
	togetherSpeed               = 0.2
	// mostBeside bounds with how many others of a cell a track is compared.
	mostBeside = 64
	// mostFlyers bounds what is remembered. Beyond it all is forgotten.
	mostFlyers = 50_000
)

// Of is the salvo that a track flies in, named after the track that was first in it; empty
// where it flies alone. A track that ended is forgotten.
func (s *Salvos) Of(tr *track.Track) track.ID {
	if s.flyers == nil || len(s.flyers) >= mostFlyers {
		s.flyers, s.cells = map[track.ID]*flyer{}, map[cell][]*flyer{}
	}
	f := s.flyers[tr.ID]
	if tr.Status == track.Ended {
		if f != nil {
			s.leave(f)
			delete(s.flyers, tr.ID)
		}
		return ""
	}
	if f == nil {
		f = &flyer{id: tr.ID, salvo: tr.ID}
		s.flyers[tr.ID] = f
	} else {
		s.leave(f)
	}
	f.class, f.state, f.speed = tr.Class.Best(), tr.State, speedOf(tr)
	f.cell = cellOf(tr.State.Position)
	beside := s.beside(f)
	s.cells[f.cell] = append(s.cells[f.cell], f)
	if beside == nil {
		f.salvo = f.id
		return ""
	}
	f.salvo = beside.salvo
	return f.salvo
}

// beside is a member of the track's own salvo near it, else the first that it could have
// come with.
func (s *Salvos) beside(f *flyer) *flyer {
	if !(f.speed > 1) { // what stands still flies with nobody
		return nil
	}
	var other *flyer
	for x := f.cell[0] - 1; x <= f.cell[0]+1; x++ {
		for y := f.cell[1] - 1; y <= f.cell[1]+1; y++ {
			for z := f.cell[2] - 1; z <= f.cell[2]+1; z++ {
				in := s.cells[cell{x, y, z}]
				for _, o := range in[:min(len(in), mostBeside)] {
					if !f.with(o) {
						continue
					}
					if o.salvo == f.salvo {
						return o
					}
					if other == nil {
						other = o
					}
				}
			}
		}
	}
	return other
}

// with reports whether two may have been sent together.
func (f *flyer) with(o *flyer) bool {
	if f.class != o.class || math.Abs(f.speed-o.speed) > togetherSpeed*f.speed {
		return false
	}
	apart, dot := 0.0, 0.0
	for i := range 3 {
		d := f.state.Position[i] - o.state.Position[i]
		apart += d * d
		dot += f.state.Velocity[i] * o.state.Velocity[i]
	}
	within := min(togetherFor*f.speed+togetherWithin, cellSize)
	return apart <= within*within && dot >= f.speed*o.speed*math.Cos(togetherCourse*degree)
}

func (s *Salvos) leave(f *flyer) {
	in := s.cells[f.cell]
	for i, o := range in {
		if o == f {
			in = append(in[:i], in[i+1:]...)
			break
		}
	}
	if len(in) == 0 {
		delete(s.cells, f.cell)
		return
	}
	s.cells[f.cell] = in
}

func cellOf(p geo.ECEF) (c cell) {
	for i := range c {
		c[i] = int32(math.Floor(min(max(p[i]/cellSize, -1e6), 1e6)))
	}
	return c
}
