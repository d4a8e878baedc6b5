package build

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Districts makes the table of larger areas that cities.json of pikud-haoref-api 4 names of
// its places: a line for each with its Hebrew name and, after a comma, the ids of the zones
// that Areas makes of them, apart by spaces; ascending. The zones themselves are of one level:
// a district is only what older rows of a history name, and nobody subscribes to one.
func Districts(cities []byte) ([]byte, error) {
	var list []struct {
		ID    int
		Zone  string
		Value string
	}
	if err := decode(cities, &list); err != nil {
		return nil, fmt.Errorf("build: cities.json: %w", err)
	}
	of, seen := map[string][]int{}, map[int]bool{}
	for _, c := range list {
		name := strings.TrimSpace(c.Zone)
		if c.Value == "all" || seen[c.ID] || name == "" {
			continue
		}
		if strings.ContainsAny(name, ",\n\r\"") {
			return nil, fmt.Errorf("build: cities.json: %d: the district %q has a comma or a line in it", c.ID, name)
		}
		seen[c.ID] = true
		of[name] = append(of[name], segmentBase+c.ID)
	}
	type line struct {
		name string
		ids  []int
	}
	var all []line
	for name, ids := range of {
		slices.Sort(ids)
		all = append(all, line{name, ids})
	}
	slices.SortFunc(all, func(a, b line) int { return cmp.Compare(a.name, b.name) })
	var b strings.Builder
	b.WriteString("name_he,zones\n")
	for _, l := range all {
		b.WriteString(l.name + ",")
		for i, id := range l.ids {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "IL-%d", id)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String()), nil
}
