package scorecard

import "fmt"

// goals are the figures to reach, and whether the first policy reached them.
func goals(r *Report) []Goal {
	var all []Goal
	most := func(what string, got *float64, limit float64) {
		all = append(all, Goal{what, fmt.Sprintf("at most %g", limit), got, got != nil && *got <= limit})
	}
	least := func(what string, got *float64, limit float64) {
		all = append(all, Goal{what, fmt.Sprintf("at least %g", limit), got, got != nil && *got >= limit})
	}
	skills := [len(leads)]float64{0.5, 0.25}
	for k, l := range r.Forecast.Leads {
		least(fmt.Sprintf("Brier skill at %d min", l.Seconds/60), l.Skill, skills[k])
		most(fmt.Sprintf("calibration at %d min: worst bin with over 200 cases", l.Seconds/60), l.Worst, 0.05)
	}
	p := r.Policies[0]
	most("missed zones, of those with a plot before", p.Reached.Avoidable, 0.001)
	region := p.Against[0]
	most("person-minutes in zones not reached, against the region", region.Unreached, 0.1)
	most("person-minutes in zones neither reached nor near, against the region", region.Far, 0.05)
	arrival := r.Forecast.Arrival[0]
	least("arrivals inside [earliest, latest], up to 10 min", arrival.Before.Inside, 0.9)
	most("median of |likely - actual| at 2 min, in seconds", arrival.At2.Half, 20)
	most("flips per zone-hour", p.Life.Flips, 0.1)
	most("shelter again within 15 min of its end", p.Life.Again, 0.01)
	return all
}
