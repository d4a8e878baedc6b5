package replay

import (
	"cmp"
	"slices"
	"time"

	"tocsin/core/zone"
	"tocsin/sim/history"
)

// Figures are what a history asks of a system, in its own time.
type Figures struct {
	Zones     int       `json:"zones"`   // that were warned at least once
	Changes   int       `json:"changes"` // of a zone, from quiet to warned or back
	PerSecond Peak      `json:"peak_second"`
	PerMinute Peak      `json:"peak_minute"`
	AtOnce    Peak      `json:"peak_warned"` // zones warned at one moment
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
}

// Peak is the most of something, and when.
type Peak struct {
	Count int       `json:"count"`
	At    time.Time `json:"at"`
}

func (p *Peak) see(n int, at time.Time) {
	if n > p.Count {
		p.Count, p.At = n, at
	}
}

// Measure computes the figures of some alarms. What changes at a moment at which they were cut
// out of a history is no change of the night.
func Measure(alarms []history.Alarm, leaves func(history.Place) []zone.ID, cuts ...time.Time) Figures {
	type edge struct {
		at    time.Time
		by    int
		alarm int
	}
	var edges []edge
	for i, a := range alarms {
		edges = append(edges, edge{a.Start, 1, i}, edge{a.End, -1, i})
	}
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(a.at.Compare(b.at), -cmp.Compare(a.by, b.by), cmp.Compare(a.alarm, b.alarm))
	})
	var f Figures
	depth, ever := map[zone.ID]int{}, map[zone.ID]bool{}
	seconds, minutes := map[int64]int{}, map[int64]int{}
	warned := 0
	for _, e := range edges {
		if f.From.IsZero() {
			f.From = e.at
		}
		f.To = e.at
		for _, id := range leaves(alarms[e.alarm].Place) {
			was := depth[id]
			depth[id] += e.by
			if (was > 0) == (depth[id] > 0) {
				continue
			}
			ever[id] = true
			warned += e.by
			if slices.ContainsFunc(cuts, e.at.Equal) {
				continue
			}
			f.Changes++
			seconds[e.at.Unix()]++
			minutes[e.at.Unix()/60]++
			f.PerSecond.see(seconds[e.at.Unix()], e.at.Truncate(time.Second))
			f.PerMinute.see(minutes[e.at.Unix()/60], e.at.Truncate(time.Minute))
		}
		f.AtOnce.see(warned, e.at)
	}
	f.Zones = len(ever)
	return f
}

// Quantile is the value that a share q of all are at or below; 0 of none. It sorts all.
func Quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}
