package threat

import (
	"math/bits"

	"tocsin/core/track"
)

// Together is the probability that none of several objects reaches a zone. Those that fly
// each for itself are independent; those of a salvo are so only within each lot of futures,
// in which they fly the same plan: that one passes by says then that the others do. Adding
// an object never makes it more. The zero value is not ready: Reset first.
type Together struct {
	none   float64
	salvos []planned
}

// planned is one salvo: that none of it reaches the zone, by lot.
type planned struct {
	id      track.ID
	members int
	none    [Lots]float64
}

// mostTogether bounds the members of a salvo that are taken together; the others count as
// if they flew alone, which is never less of a danger. Where so many come, little is left to
// doubt.
const mostTogether = 32

// Reset empties it, and keeps its space.
func (t *Together) Reset() { t.none, t.salvos = 1, t.salvos[:0] }

// Add adds an object that reaches the zone with probability p, in these lots of its futures.
func (t *Together) Add(salvo track.ID, lots uint64, p float64) {
	if salvo == "" || lots == 0 {
		t.none *= 1 - p
		return
	}
	s := t.planned(salvo)
	if s == nil || s.members >= mostTogether {
		t.none *= 1 - p
		return
	}
	s.members++
	// The probability lies in the lots that reach the zone, the same in each; what finds no
	// place there, because a lot cannot hold more than one, in the others.
	of := float64(bits.OnesCount64(lots))
	in, out := p*Lots/of, 0.0
	if in > 1 {
		in, out = 1, (p*Lots-of)/max(Lots-of, 1)
	}
	for k := range s.none {
		if lots>>k&1 == 1 {
			s.none[k] *= 1 - in
		} else {
			s.none[k] *= 1 - min(out, 1)
		}
	}
}

// mostSalvos bounds the salvos over one zone that are told apart.
const mostSalvos = 16

func (t *Together) planned(id track.ID) *planned {
	for i := range t.salvos {
		if t.salvos[i].id == id {
			return &t.salvos[i]
		}
	}
	if len(t.salvos) >= mostSalvos {
		return nil
	}
	t.salvos = append(t.salvos, planned{id: id})
	s := &t.salvos[len(t.salvos)-1]
	for k := range s.none {
		s.none[k] = 1
	}
	return s
}

// None is the probability that none of them reaches the zone.
func (t *Together) None() float64 {
	none := t.none
	for i := range t.salvos {
		sum := 0.0
		for _, x := range t.salvos[i].none {
			sum += x
		}
		none *= sum / Lots
	}
	return none
}
