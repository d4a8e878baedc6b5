package zone

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"tocsin/core/geo"
)

// slight is the share of a zone's area under which a difference to its parent or its
// neighbours is rounding of coordinates, and not worth a remark.
const slight = 1e-6

// Check reads files as Read does and adds the figures that need all zones together:
// overlaps and gaps per level, children outside their parent, sums of people. It takes
// some seconds for a country; progress, which may be nil, is called with what is done.
func Check(files []File, limits Limits, progress func(done, total int)) Report {
	zones, report := Read(files, limits)
	if report.Bad() {
		return report
	}
	s := newSet(zones)
	report.Leaves, report.Version = s.Len(), s.Version()
	f := figures{zones: s.zones, report: &report, progress: progress}
	f.run()
	return report
}

type figures struct {
	zones    []Zone
	shapes   []*geo.Shape
	report   *Report
	progress func(done, total int)
	done     int
	spent    int // overlaps that were given up
}

// maxSpent is after how many overlaps given up no more are measured.
const maxSpent = 10

// step tells of one more zone looked at; each is looked at for overlaps and for gaps, and
// what its children take is nothing beside that.
func (f *figures) step(n int) {
	f.done += n
	if f.progress != nil {
		f.progress(f.done, 2*len(f.zones))
	}
}

func (f *figures) run() {
	levels := map[int][]int{}
	for i, z := range f.zones {
		f.shapes = append(f.shapes, geo.NewShape(z.Shape))
		levels[z.Level] = append(levels[z.Level], i)
	}
	for _, level := range slices.Sorted(maps.Keys(levels)) {
		f.neighbourhood(level, levels[level])
		f.people(level, levels[level])
	}
	f.families()
}

func km2(a geo.SquareMetres) string { return fmt.Sprintf("%.3g km²", float64(a)/1e6) }

// worst keeps remarks in order of falling area.
type worst struct {
	area  geo.SquareMetres
	where string
}

// list makes one remark of them.
func (f *figures) list(what string, found []worst) {
	if len(found) == 0 {
		return
	}
	slices.SortStableFunc(found, func(a, b worst) int { return cmp.Compare(b.area, a.area) })
	var total geo.SquareMetres
	for _, w := range found {
		total += w.area
	}
	what = fmt.Sprintf("%s, %s in all", what, km2(total))
	for _, w := range found {
		f.report.remark(what, fmt.Sprintf("%s %s", w.where, km2(w.area)))
	}
}

// neighbourhood looks for what neighbours of one level do to each other.
func (f *figures) neighbourhood(level int, zones []int) {
	shapes := make([]*geo.Shape, len(zones))
	for k, i := range zones {
		shapes[k] = f.shapes[i]
	}
	near, whole := geo.Neighbours(shapes)
	if !whole {
		f.report.remark(fmt.Sprintf("level %d: too many zones lie over each other to measure all overlaps and gaps", level), "")
	}
	var found []worst
	for k, others := range near {
		for _, l := range others {
			if l > k && f.spent < maxSpent {
				found = f.overlap(zones[k], zones[l], found)
			}
		}
		f.step(1)
	}
	f.list(fmt.Sprintf("level %d: overlaps", level), found)
	gaps, whole := geo.Gaps(shapes)
	if !whole {
		f.report.remark(fmt.Sprintf("level %d: zones too intricate to look for all gaps", level), "")
	}
	found = nil
	for _, g := range gaps {
		found = append(found, worst{g.Area, "near " + at(g.At)})
	}
	f.step(len(zones))
	f.list(fmt.Sprintf("level %d: gaps between zones", level), found)
}

func (f *figures) overlap(i, j int, found []worst) []worst {
	area := f.shapes[i].OverlapArea(f.shapes[j])
	if math.IsNaN(float64(area)) {
		f.spent++
		f.report.remark("zones too intricate to measure their overlap", fmt.Sprintf("%s with %s", f.zones[i].ID, f.zones[j].ID))
		return found
	}
	if area <= slight*min(f.shapes[i].Area(), f.shapes[j].Area()) {
		return found
	}
	return append(found, worst{area, fmt.Sprintf("%s with %s", f.zones[i].ID, f.zones[j].ID)})
}

func (f *figures) people(level int, zones []int) {
	sum, known := 0, 0
	for _, i := range zones {
		if f.zones[i].PopulationKnown {
			sum += f.zones[i].Population
			known++
		}
	}
	if known > 0 {
		f.report.Remarks = append(f.report.Remarks, Remark{
			What: fmt.Sprintf("level %d: %d people in zones that state it", level, sum), Count: known})
	}
}

// families compares each zone with the zones that name it as parent.
func (f *figures) families() {
	records := map[ID][]int{} // ascending by level
	for i, z := range f.zones {
		records[z.ID] = append(records[z.ID], i)
	}
	kids := map[int][]int{}
	for i, z := range f.zones {
		if z.Parent == z.ID {
			continue
		}
		// Of a parent at several levels, the finest above the child.
		above := -1
		for _, j := range records[z.Parent] {
			if f.zones[j].Level < z.Level {
				above = j
			}
		}
		if above >= 0 {
			kids[above] = append(kids[above], i)
		}
	}
	var outside, bare []worst
	for _, p := range slices.Sorted(maps.Keys(kids)) {
		parent := f.zones[p]
		var covered geo.SquareMetres
		people, counted := 0, true
		for _, k := range kids[p] {
			shared := f.shapes[k].Area()
			if !f.shapes[k].Within(f.shapes[p]) {
				whole := shared
				if shared = f.shapes[k].OverlapArea(f.shapes[p]); math.IsNaN(float64(shared)) {
					shared = 0
				}
				if whole-shared > slight*whole {
					outside = append(outside, worst{whole - shared, fmt.Sprintf("%s of %s", f.zones[k].ID, parent.ID)})
				}
			}
			covered += shared
			people += f.zones[k].Population
			counted = counted && f.zones[k].PopulationKnown
		}
		if rest := f.shapes[p].Area() - covered; rest > slight*f.shapes[p].Area() {
			bare = append(bare, worst{rest, string(parent.ID)})
		}
		if counted && parent.PopulationKnown && people != parent.Population {
			f.report.remark("people of the children and of the parent differ",
				fmt.Sprintf("%s: %d and %d", parent.ID, people, parent.Population))
		}
	}
	f.list("children outside their parent", outside)
	f.list("parents not covered by their children", bare)
}
