package track

import "math"

// solver finds the best assignment of plots to objects. It keeps its tables from one
// cluster to the next.
type solver struct {
	gain        []float64
	u, v, least []float64
	owner, way  []int
	used        []bool
	out         []int
	m           int
}

// table returns the table of gains, row by row, cleared, for n plots and m objects.
func (s *solver) table(n, m int) []float64 {
	s.gain = cleared(s.gain, n*m)
	return s.gain
}

func cleared[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, 2*n)
	}
	s = s[:n]
	clear(s)
	return s
}

// cost is that of giving plot i column j: an object, or past them the plot's own "none".
func (s *solver) cost(i, j int) float64 {
	if j < s.m {
		if g := s.gain[i*s.m+j]; g > 0 {
			return -g
		}
		return math.Inf(1)
	}
	if j-s.m == i {
		return 0
	}
	return math.Inf(1)
}

// assign picks for each plot one object or none so that the sum of gains is greatest.
// A gain of zero or less is never taken. The result is the object's index per plot, or
// -1, and holds until the next call. (Kuhn 1955 by shortest augmenting paths, after
// Jonker and Volgenant 1987; n plots, m objects: O(n²(n+m)).)
func (s *solver) assign(n, m int) []int {
	s.m = m
	cols := m + n
	s.u, s.v, s.least = cleared(s.u, n+1), cleared(s.v, cols+1), cleared(s.least, cols+1)
	s.owner, s.way, s.used = cleared(s.owner, cols+1), cleared(s.way, cols+1), cleared(s.used, cols+1)
	for i := 1; i <= n; i++ {
		s.augment(i, cols)
	}
	s.out = cleared(s.out, n)
	for i := range s.out {
		s.out[i] = -1
	}
	for j := 1; j <= m; j++ {
		if s.owner[j] > 0 {
			s.out[s.owner[j]-1] = j - 1
		}
	}
	return s.out
}

// augment finds row i a column by the shortest path.
func (s *solver) augment(i, cols int) {
	s.owner[0] = i
	for j := range s.least {
		s.least[j], s.used[j] = math.Inf(1), false
	}
	j0 := 0
	for s.owner[j0] != 0 {
		s.used[j0] = true
		i0, delta, j1 := s.owner[j0], math.Inf(1), -1
		for j := 1; j <= cols; j++ {
			if s.used[j] {
				continue
			}
			if c := s.cost(i0-1, j-1) - s.u[i0] - s.v[j]; c < s.least[j] {
				s.least[j], s.way[j] = c, j0
			}
			if s.least[j] < delta {
				delta, j1 = s.least[j], j
			}
		}
		for j := 0; j <= cols; j++ {
			if s.used[j] {
				s.u[s.owner[j]] += delta
				s.v[j] -= delta
			} else {
				s.least[j] -= delta
			}
		}
		j0 = j1
	}
	for j0 != 0 {
		s.owner[j0] = s.owner[s.way[j0]]
		j0 = s.way[j0]
	}
}
