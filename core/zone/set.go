package zone

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidwall/rtree"

	"tocsin/core/geo"
)

// Set is a registry of zones, all levels together. It is immutable and safe to share.
//
// Its leaves are what is warned: the zones that no other zone names as parent, which is
// the finest zone at each place. Leaves have an index, their rank in ascending order of
// id, so that what is kept per zone can be an array. Zones that are handed out share their
// coordinates and maps with the set and must not be changed.
type Set struct {
	version string
	zones   []Zone             // ascending by id, then level
	finest  map[ID]int         // index in zones of the finest record of an id
	leaves  []int              // indices in zones, ascending by id
	rank    map[ID]int         // index of a leaf
	under   map[ID][]int       // leaf indices under each id that is not a leaf, and each region
	region  map[ID]ID          // of every id
	regions []ID               // ascending
	alias   map[string]ID      // other ids and spellings
	shapes  []*geo.Shape       // by leaf index
	levels  []int              // by leaf index
	areas   []geo.SquareMetres // by leaf index
	tree    rtree.RTreeG[int]  // leaf indices by bounds
	gone    map[ID]ID          // ids of earlier sets to the known zone or region that held them
}

// ErrDefects is what NewSet's error wraps where zones are not fit to be a set.
var ErrDefects = errors.New("defects")

// NewSet makes a set of zones; it refuses what Read would refuse, naming the first
// defects. It takes over the zones and what they hold. A level of 0 becomes 1, a zero
// Label a place within the zone.
func NewSet(zones []Zone) (*Set, error) {
	for i := range zones {
		zones[i].Level = max(zones[i].Level, 1)
	}
	var report Report
	inspect(zones, nil, nil, &report)
	if report.Bad() {
		return nil, fmt.Errorf("zone: set: %w: %s", ErrDefects, report.summary(3))
	}
	for i := range zones {
		if zones[i].Label == (geo.Point{}) {
			zones[i].Label = geo.NewShape(zones[i].Shape).Inside()
		}
	}
	return newSet(zones), nil
}

// newSet makes a set of inspected zones.
func newSet(zones []Zone) *Set {
	s := &Set{
		zones:  slices.Clone(zones),
		finest: make(map[ID]int, len(zones)),
		rank:   map[ID]int{},
		under:  map[ID][]int{},
		region: map[ID]ID{},
		alias:  map[string]ID{},
		gone:   map[ID]ID{},
	}
	slices.SortFunc(s.zones, byID)
	parents := map[ID]bool{}
	for i, z := range s.zones {
		s.finest[z.ID] = i
		if z.Parent != z.ID {
			parents[z.Parent] = true
		}
	}
	s.nameRegions()
	for i, z := range s.zones {
		if s.finest[z.ID] == i && !parents[z.ID] {
			s.addLeaf(i)
		}
	}
	s.nameAliases()
	s.version = fingerprint(s.zones)
	return s
}

func (s *Set) addLeaf(i int) {
	z := s.zones[i]
	index := len(s.leaves)
	s.leaves = append(s.leaves, i)
	s.rank[z.ID] = index
	shape := geo.NewShape(z.Shape)
	s.shapes = append(s.shapes, shape)
	s.levels = append(s.levels, z.Level)
	s.areas = append(s.areas, shape.Area())
	b := shape.Bounds()
	east := b.East
	if b.West > b.East {
		east += 360
	}
	// The tree holds degrees, the shapes a grid of 1e-12 of them: no place may fall between.
	const slack = 1e-11
	s.tree.Insert([2]float64{float64(b.West) - slack, float64(b.South) - slack},
		[2]float64{float64(east) + slack, float64(b.North) + slack}, index)
	for _, up := range s.ancestors(z.ID) {
		s.under[up] = append(s.under[up], index)
	}
	r := s.region[z.ID]
	if at, found := slices.BinarySearch(s.regions, r); !found {
		s.regions = slices.Insert(s.regions, at, r)
	}
	if held := s.under[r]; r != z.ID && (len(held) == 0 || held[len(held)-1] != index) {
		s.under[r] = append(held, index)
	}
}

// ancestors lists the zones above a zone, the nearest first, those that are not in the set
// included. No cycle survives inspect.
func (s *Set) ancestors(id ID) []ID {
	var up []ID
	for {
		next, ok := s.parent(id)
		if !ok {
			return up
		}
		up = append(up, next)
		id = next
	}
}

// parent is the zone above: of an id at several levels, what its finest record says that
// is not the id itself.
func (s *Set) parent(id ID) (ID, bool) {
	i, ok := s.finest[id]
	if !ok {
		return "", false
	}
	for ; i >= 0 && s.zones[i].ID == id; i-- {
		if p := s.zones[i].Parent; p != "" && p != id {
			return p, true
		}
	}
	return "", false
}

// nameRegions gives every id its region: what it or an ancestor states, else its ancestor
// of level 1. Where all zones are of one level, level 1 names no region.
func (s *Set) nameRegions() {
	flat := true
	for _, z := range s.zones {
		flat = flat && z.Level == s.zones[0].Level
	}
	for _, z := range s.zones {
		if _, done := s.region[z.ID]; !done {
			s.region[z.ID] = s.findRegion(z.ID, flat)
		}
	}
}

func (s *Set) findRegion(id ID, flat bool) ID {
	chain := append([]ID{id}, s.ancestors(id)...)
	for _, up := range chain {
		if i, ok := s.finest[up]; ok && s.zones[i].Region != "" {
			return s.zones[i].Region
		}
	}
	if flat {
		return Everywhere
	}
	for _, up := range chain {
		if _, ok := s.record(up, 1); ok {
			return up
		}
	}
	return Everywhere
}

// record finds an id at a level.
func (s *Set) record(id ID, level int) (int, bool) {
	return slices.BinarySearchFunc(s.zones, Zone{ID: id, Level: level}, byID)
}

// nameAliases lets a spelling mean a zone, unless it is an id or two zones claim it.
func (s *Set) nameAliases() {
	twice := map[string]bool{}
	for _, z := range s.zones {
		for _, a := range z.Aliases {
			if _, isID := s.finest[ID(a)]; isID {
				continue
			}
			if other, taken := s.alias[a]; taken && other != z.ID {
				twice[a] = true
			}
			s.alias[a] = z.ID
		}
	}
	for a := range twice {
		delete(s.alias, a)
	}
}

// Version is a short fingerprint of everything in the set: equal sets have equal versions.
func (s *Set) Version() string { return s.version }

// Len is the number of leaves.
func (s *Set) Len() int { return len(s.leaves) }

// ByIndex returns a leaf; the index must be from 0 to Len()-1.
func (s *Set) ByIndex(i int) Zone { return s.zones[s.leaves[i]] }

// Shape returns the prepared shape of a leaf; the index must be from 0 to Len()-1.
func (s *Set) Shape(i int) *geo.Shape { return s.shapes[i] }

// Index returns the index of a leaf; false for any other id.
func (s *Set) Index(id ID) (int, bool) {
	i, ok := s.rank[id]
	return i, ok
}

// Get returns the zone of an id, leaf or not; of an id at several levels the finest record.
func (s *Set) Get(id ID) (Zone, bool) {
	i, ok := s.finest[id]
	if !ok {
		return Zone{}, false
	}
	return s.zones[i], true
}

// All calls yield for every record, ascending by id and level, until it says false.
func (s *Set) All(yield func(Zone) bool) {
	for _, z := range s.zones {
		if !yield(z) {
			return
		}
	}
}

// Parent returns the zone or region directly above, which need not be in the set.
func (s *Set) Parent(id ID) (ID, bool) { return s.parent(id) }

// Region returns the region of a zone: what the zone or an ancestor states, else its
// ancestor of level 1; of an id that only an earlier set had (see Remember) the region of
// what holds it now; Everywhere in a flat set and for an unknown id.
func (s *Set) Region(id ID) ID {
	if r, ok := s.region[id]; ok {
		return r
	}
	if up, gone := s.gone[id]; gone {
		if r, ok := s.region[up]; ok {
			return r
		}
		if slices.Contains(s.regions, up) {
			return up
		}
	}
	return Everywhere
}

// Regions lists the regions of the leaves, ascending.
func (s *Set) Regions() []ID { return slices.Clone(s.regions) }

// Leaves lists the leaves that an id stands for, ascending: itself, those under a parent
// or in a region, or all for Everywhere. Empty for an unknown id.
func (s *Set) Leaves(id ID) []ID {
	if _, ok := s.rank[id]; ok {
		return []ID{id}
	}
	var out []ID
	if id == Everywhere {
		for _, i := range s.leaves {
			out = append(out, s.zones[i].ID)
		}
		return out
	}
	for _, i := range s.under[id] {
		out = append(out, s.zones[s.leaves[i]].ID)
	}
	return out
}

// Name returns what a zone is called in a language, by the fallbacks of Zone.Name; an
// unknown id is its own name.
func (s *Set) Name(id ID, lang string) string {
	z, ok := s.Get(id)
	if !ok {
		return string(id)
	}
	return z.Name(lang)
}

// Resolve finds what to warn for an id that may be unknown: a leaf (parent false), or a
// coarser zone or region that holds it (parent true): because the id names that, or
// because an earlier set had the id there (see Remember). Aliases count. ok is false only
// where nothing is known of the id: then the caller must refuse it or warn Everywhere,
// and raise a condition; it must not drop it.
func (s *Set) Resolve(id ID) (known ID, parent, ok bool) {
	for _, try := range [...]ID{id, s.alias[string(id)], s.gone[id]} {
		if try == "" {
			continue
		}
		if _, leaf := s.rank[try]; leaf {
			return try, false, true
		}
		if len(s.under[try]) > 0 || try == Everywhere {
			return try, true, true
		}
	}
	return "", false, false
}

// Gone reports whether an id is none of this set's, and is known by an earlier one alone:
// what Resolve gives for it then is more ground than it was. That is right for who warns,
// and wrong for who ends.
func (s *Set) Gone(id ID) bool {
	for _, try := range [...]ID{id, s.alias[string(id)]} {
		if _, leaf := s.rank[try]; leaf || len(s.under[try]) > 0 || try == Everywhere {
			return false
		}
	}
	return s.gone[id] != ""
}

// Remember returns the set with the memory of earlier ones, the newest first: Resolve then
// knows the ids that they had and this one has not, by the nearest ancestor that is still
// known, or Everywhere.
func (s *Set) Remember(earlier ...*Set) *Set {
	out := *s
	out.gone = map[ID]ID{}
	for _, old := range earlier {
		for _, z := range old.zones {
			if _, known := s.finest[z.ID]; known || out.gone[z.ID] != "" {
				continue
			}
			out.gone[z.ID] = s.stillKnown(old, z.ID)
		}
		for id, held := range old.gone {
			if _, known := s.finest[id]; !known && out.gone[id] == "" {
				out.gone[id] = s.stillKnown(old, held)
			}
		}
	}
	return &out
}

func (s *Set) stillKnown(old *Set, id ID) ID {
	for _, up := range append(old.ancestors(id), old.Region(id)) {
		if _, leaf := s.rank[up]; leaf || len(s.under[up]) > 0 {
			return up
		}
	}
	return Everywhere
}
