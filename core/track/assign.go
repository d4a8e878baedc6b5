package track

import "math"

// assign picks for each plot one object or none so that the sum of gains is greatest.
// gain[i][j] is that of plot i with object j; zero or less is never taken. The result
// is the object's index per plot, or -1. (Kuhn 1955 by shortest augmenting paths, after
// Jonker and Volgenant 1987; n plots, m objects: O(n²(n+m)).)
func assign(gain [][]float64, m int) []int {
	n := len(gain)
	cols := m + n // each plot has a column of its own that means "none", gain zero
	cost := func(i, j int) float64 {
		if j < m {
			if gain[i][j] > 0 {
				return -gain[i][j]
			}
			return math.Inf(1)
		}
		if j-m == i {
			return 0
		}
		return math.Inf(1)
	}
	u, v := make([]float64, n+1), make([]float64, cols+1)
	owner, way := make([]int, cols+1), make([]int, cols+1)
	least, used := make([]float64, cols+1), make([]bool, cols+1)
	for i := 1; i <= n; i++ {
		owner[0] = i
		for j := range least {
			least[j], used[j] = math.Inf(1), false
		}
		j0 := 0
		for owner[j0] != 0 {
			used[j0] = true
			i0, delta, j1 := owner[j0], math.Inf(1), -1
			for j := 1; j <= cols; j++ {
				if used[j] {
					continue
				}
				if c := cost(i0-1, j-1) - u[i0] - v[j]; c < least[j] {
					least[j], way[j] = c, j0
				}
				if least[j] < delta {
					delta, j1 = least[j], j
				}
			}
			for j := 0; j <= cols; j++ {
				if used[j] {
					u[owner[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			j0 = j1
		}
		for j0 != 0 {
			owner[j0] = owner[way[j0]]
			j0 = way[j0]
		}
	}
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	for j := 1; j <= m; j++ {
		if owner[j] > 0 {
			out[owner[j]-1] = j - 1
		}
	}
	return out
}
