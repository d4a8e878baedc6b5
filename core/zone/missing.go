package zone

import (
	"fmt"
	"maps"
	"slices"
)

// remarkMissing tells what an authority may have forgotten.
func remarkMissing(zones []Zone, r *Report) {
	ids := make(map[ID]bool, len(zones))
	languages := map[string]bool{}
	people := false
	for _, z := range zones {
		ids[z.ID] = true
		for l := range z.Names {
			languages[l] = true
		}
		people = people || z.PopulationKnown
	}
	parents := map[ID]bool{}
	for _, z := range zones {
		if z.Parent != z.ID {
			parents[z.Parent] = true
		}
	}
	order := slices.Sorted(maps.Keys(languages))
	for _, z := range zones {
		if z.Parent != "" && !ids[z.Parent] {
			r.remark("parent not in these files", fmt.Sprintf("%s: %s", z.ID, z.Parent))
		}
		if len(z.Names) == 0 {
			r.remark("no name in any language", string(z.ID))
		}
		for _, l := range order {
			if z.Names[l] == "" && len(z.Names) > 0 {
				r.remark(fmt.Sprintf("no name in %q", l), string(z.ID))
			}
		}
		if parents[z.ID] {
			continue
		}
		if !z.ShelterKnown {
			r.remark("no shelter time (the default will be used)", string(z.ID))
		}
		if people && !z.PopulationKnown {
			r.remark("no population, where others have one", string(z.ID))
		}
	}
}
