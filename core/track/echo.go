package track

import (
	"math"

	"tocsin/core/geo"
)

// echoes notices what is said twice: a datagram that came by two ways, a recording that
// is played into a live feed. It remembers the last plots, bounded, and forgets one
// that is in the way of another.
type echoes [mostEchoes]echo

const mostEchoes = 1 << 13

// echo is what two plots have in common only if they are one.
type echo struct {
	at     tick
	source *source
	guess  geo.ECEF
	key    string
}

// again reports whether a plot has been said before, and remembers it.
func (e *echoes) again(q *plot) bool {
	now := echo{q.at, q.source, q.g.guess, q.o.Key}
	if q.g.kind == angular { // they all come from the same place
		now.guess = geo.ECEF{q.g.az, q.g.el, q.g.guess[0]}
	}
	h := uint64(now.at)
	for _, v := range now.guess {
		h = (h ^ math.Float64bits(v)) * 0x9E3779B97F4A7C15
	}
	slot := &e[h>>(64-13)]
	if *slot == now {
		return true
	}
	*slot = now
	return false
}
