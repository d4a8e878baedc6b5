package tracking

import (
	"io"
	"math"
	"slices"
	"sort"
)

// Score is how well tracks agree with the truth, by the rules of the scenarios.
type Score struct {
	Scenario     string  `json:"scenario"`
	Epochs       int     `json:"epochs"`
	GOSPA        float64 `json:"gospa_mean"`
	OSPA         float64 `json:"ospa_mean"`
	Missed       float64 `json:"missed_per_scan"`
	False        float64 `json:"false_per_scan"`
	Completeness float64 `json:"completeness"`
	Spurious     float64 `json:"spurious_share"`
	Switches     int     `json:"id_switches"`
	Never        int     `json:"never_tracked"`
	RMSE         float64 `json:"rmse_m"`
	Cover        float64 `json:"cover_2sigma_x"`
	Confirm      float64 `json:"confirm_latency_s_median"`
}

// place is one object, or one track, at one time.
type place struct {
	id string
	at [3]float64
	sx float64
}

// stamp is a time rounded to a millisecond, to be compared.
func stamp(t float64) int64 { return int64(math.Round(t * 1000)) }

// Evaluate scores a file of tracks against a scenario folder's truth.
func Evaluate(dir string, tracks io.Reader) (Score, error) {
	w := &World{truth: map[int64][]place{}}
	var err error
	if w.Scenario, err = Load(dir); err != nil {
		return Score{}, err
	}
	if err := w.readTruth(dir); err != nil {
		return Score{}, err
	}
	return w.Evaluate(tracks)
}

// Evaluate scores a file of tracks against the truth of the world.
func (w *World) Evaluate(tracks io.Reader) (Score, error) {
	found := map[int64][]place{}
	if err := readTable(tracks, "tracks", []string{"t", "track", "x", "y", "z?", "sx?"}, collect(found, true)); err != nil {
		return Score{}, err
	}
	return evaluate(w.Scenario, w.truth, found), nil
}

func collect(into map[int64][]place, sigma bool) func([]string) error {
	return func(v []string) error {
		var t float64
		p := place{id: v[1]}
		if err := floats([]string{v[0], v[2], v[3], v[4]}, &t, &p.at[0], &p.at[1], &p.at[2]); err != nil {
			return err
		}
		if sigma {
			if err := floats(v[5:6], &p.sx); err != nil {
				return err
			}
		}
		into[stamp(t)] = append(into[stamp(t)], p)
		return nil
	}
}

// tally sums over the epochs.
type tally struct {
	gospa, ospa           float64
	objects, tracks       int
	pairs                 int
	squares               float64
	covered, coverable    int
	switches              int
	first, paired         map[string]int64
	last                  map[string]string
	missed, falseCount    int
	dimensions            int
	cut, power, halfOfCut float64
}

func evaluate(s Scenario, truth, found map[int64][]place) Score {
	t := tally{first: map[string]int64{}, paired: map[string]int64{}, last: map[string]string{}, dimensions: 3,
		cut: s.GOSPA.C, power: s.GOSPA.P}
	if s.Flat() {
		t.dimensions = 2
	}
	t.halfOfCut = math.Pow(t.cut, t.power) / 2
	epochs := make([]int64, 0, len(truth))
	for e := range truth {
		epochs = append(epochs, e)
	}
	slices.Sort(epochs)
	for _, e := range epochs {
		t.epoch(e, truth[e], stamped(s, found, e))
	}
	n := float64(len(epochs))
	out := Score{
		Scenario: s.Name, Epochs: len(epochs), GOSPA: t.gospa / n, OSPA: t.ospa / n,
		Missed: float64(t.missed) / n, False: float64(t.falseCount) / n,
		Completeness: ratio(float64(t.pairs), float64(t.objects)), Spurious: ratio(float64(t.falseCount), float64(t.tracks)),
		Switches: t.switches, RMSE: math.Sqrt(ratio(t.squares, float64(t.pairs))), Cover: ratio(float64(t.covered), float64(t.coverable)),
	}
	var delays []float64
	for id, first := range t.first {
		if p, ok := t.paired[id]; ok {
			delays = append(delays, float64(p-first)/1000)
		} else {
			out.Never++
		}
	}
	out.Confirm = median(delays)
	return out
}

// stamped are the tracks of a truth epoch: at its time, else at its time plus a sensor's clock.
func stamped(s Scenario, found map[int64][]place, e int64) []place {
	if p := found[e]; len(p) > 0 {
		return p
	}
	for _, r := range s.Sensors {
		if p := found[e+stamp(r.Clock)]; len(p) > 0 {
			return p
		}
	}
	return nil
}

func (t *tally) epoch(e int64, truth, tracks []place) {
	cost := make([][]float64, len(truth))
	for i, o := range truth {
		if _, ok := t.first[o.id]; !ok {
			t.first[o.id] = e
		}
		cost[i] = make([]float64, len(tracks))
		for j, tr := range tracks {
			cost[i][j] = math.Pow(math.Min(t.distance(o, tr), t.cut), t.power)
		}
	}
	pairs, close, capped := 0, 0.0, 0.0
	for i, j := range cheapest(cost, len(tracks)) {
		if j < 0 {
			continue
		}
		capped += cost[i][j]
		d := t.distance(truth[i], tracks[j])
		if d >= t.cut {
			continue
		}
		pairs++
		close += cost[i][j]
		t.pair(e, truth[i], tracks[j], d)
	}
	missed, falseCount := len(truth)-pairs, len(tracks)-pairs
	t.missed += missed
	t.falseCount += falseCount
	t.objects += len(truth)
	t.tracks += len(tracks)
	t.pairs += pairs
	t.gospa += math.Pow(close+t.halfOfCut*float64(missed+falseCount), 1/t.power)
	if larger := max(len(truth), len(tracks)); larger > 0 {
		unequal := float64(larger - min(len(truth), len(tracks)))
		t.ospa += math.Pow((capped+2*t.halfOfCut*unequal)/float64(larger), 1/t.power)
	}
}

func (t *tally) pair(e int64, o, tr place, d float64) {
	t.squares += d * d
	if tr.sx > 0 {
		t.coverable++
		if math.Abs(tr.at[0]-o.at[0]) <= 2*tr.sx {
			t.covered++
		}
	}
	if _, ok := t.paired[o.id]; !ok {
		t.paired[o.id] = e
	}
	if last, ok := t.last[o.id]; ok && last != tr.id {
		t.switches++
	}
	t.last[o.id] = tr.id
}

func (t *tally) distance(a, b place) float64 {
	sum := 0.0
	for k := range t.dimensions {
		d := a.at[k] - b.at[k]
		sum += d * d
	}
	return math.Sqrt(sum)
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sort.Float64s(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// cheapest assigns rows to columns at the least total cost (Hungarian method); where
// there are more rows than columns some get -1.
func cheapest(cost [][]float64, m int) []int {
	n := len(cost)
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	if n == 0 || m == 0 {
		return out
	}
	if n > m {
		flip := make([][]float64, m)
		for j := range flip {
			flip[j] = make([]float64, n)
			for i := range cost {
				flip[j][i] = cost[i][j]
			}
		}
		for j, i := range cheapest(flip, n) {
			out[i] = j
		}
		return out
	}
	u, v := make([]float64, n+1), make([]float64, m+1)
	owner, way := make([]int, m+1), make([]int, m+1)
	for i := 1; i <= n; i++ {
		owner[0] = i
		j0 := 0
		least, used := make([]float64, m+1), make([]bool, m+1)
		for j := range least {
			least[j] = math.Inf(1)
		}
		for owner[j0] != 0 {
			used[j0] = true
			delta, j1 := math.Inf(1), 0
			for j := 1; j <= m; j++ {
				if used[j] {
					continue
				}
				if c := cost[owner[j0]-1][j-1] - u[owner[j0]] - v[j]; c < least[j] {
					least[j], way[j] = c, j0
				}
				if least[j] < delta {
					delta, j1 = least[j], j
				}
			}
			for j := 0; j <= m; j++ {
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
	for j := 1; j <= m; j++ {
		if owner[j] > 0 {
			out[owner[j]-1] = j - 1
		}
	}
	return out
}
