package zone

import (
	"slices"

	"tocsin/core/geo"
)

// Difference is what changed from one set to another. All lists are ascending by id, then
// level; a zone may be in several of the lists of changes.
type Difference struct {
	From       string      `json:"from"` // version
	To         string      `json:"to"`
	Added      []Entry     `json:"added"`
	Removed    []Entry     `json:"removed"`
	Renamed    []Rewording `json:"renamed"`
	Reshaped   []Reshaping `json:"reshaped"`
	Reparented []Rewording `json:"reparented"` // parent or region
	Restated   []Rewording `json:"restated"`   // shelter time, people, aliases, label
}

// Entry names one record of a set.
type Entry struct {
	ID    ID     `json:"id"`
	Level int    `json:"level"`
	Name  string `json:"name"`
}

// Rewording is one property of a record that changed.
type Rewording struct {
	Entry
	What string `json:"what"` // name_uk, parent, shelter_s ...
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Reshaping is a record whose polygons changed.
type Reshaping struct {
	Entry
	Lost   geo.SquareMetres `json:"lost_m2"`   // what it no longer holds
	Gained geo.SquareMetres `json:"gained_m2"` // what it holds now
}

// Empty says whether nothing changed.
func (d Difference) Empty() bool {
	return len(d.Added)+len(d.Removed)+len(d.Renamed)+len(d.Reshaped)+len(d.Reparented)+len(d.Restated) == 0
}

// Diff tells what changed from old to new. A reordering of points alone is a change of
// shape that lost and gained nothing.
func Diff(old, new *Set) Difference {
	d := Difference{From: old.version, To: new.version}
	i, j := 0, 0
	for i < len(old.zones) || j < len(new.zones) {
		switch order := compareHeads(old.zones[i:], new.zones[j:]); {
		case order < 0:
			d.Removed = append(d.Removed, entry(old.zones[i]))
			i++
		case order > 0:
			d.Added = append(d.Added, entry(new.zones[j]))
			j++
		default:
			d.compare(old.zones[i], new.zones[j])
			i++
			j++
		}
	}
	return d
}

// compareHeads orders the first records of two lists; an empty list comes last.
func compareHeads(a, b []Zone) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return byID(a[0], b[0])
}

func entry(z Zone) Entry { return Entry{ID: z.ID, Level: z.Level, Name: z.Name("en")} }

func (d *Difference) compare(old, new Zone) {
	e := entry(new)
	languages := append(old.Languages(), new.Languages()...)
	slices.Sort(languages)
	for _, l := range slices.Compact(languages) {
		if a, b := old.Names[l], new.Names[l]; a != b {
			d.Renamed = append(d.Renamed, Rewording{e, nameKey(l), a, b})
		}
	}
	if old.Parent != new.Parent {
		d.Reparented = append(d.Reparented, Rewording{e, "parent", string(old.Parent), string(new.Parent)})
	}
	if old.Region != new.Region {
		d.Reparented = append(d.Reparented, Rewording{e, "region", string(old.Region), string(new.Region)})
	}
	for k, was := range stated(old) {
		if now := stated(new)[k]; was != now {
			d.Restated = append(d.Restated, Rewording{e, was.key, was.value, now.value})
		}
	}
	if !sameShape(old.Shape, new.Shape) {
		was, now := geo.NewShape(old.Shape), geo.NewShape(new.Shape)
		shared := was.OverlapArea(now)
		d.Reshaped = append(d.Reshaped, Reshaping{e, rest(was, shared), rest(now, shared)})
	}
}

// rest is what of a shape is not shared; what rounding leaves counts as nothing.
func rest(s *geo.Shape, shared geo.SquareMetres) geo.SquareMetres {
	whole := s.Area()
	if r := whole - shared; r > whole*1e-9 {
		return r
	}
	return 0
}

func sameShape(a, b geo.MultiPolygon) bool {
	return slices.EqualFunc(a, b, func(p, q geo.Polygon) bool {
		return slices.Equal(p.Outer, q.Outer) && slices.EqualFunc(p.Holes, q.Holes, func(r, s geo.Ring) bool { return slices.Equal(r, s) })
	})
}

// Carry tells where a warned zone of an old set went: leaves of the new one, ascending,
// that together hold every place of it. A zone that still has its id stays warned; where
// its shape changed or it is gone, every leaf that took more than a millionth of it is
// warned too. Where no leaf did, its nearest known ancestor is, or all leaves: a place
// that was warned is never dropped. An id that neither set knows gives all leaves too.
func Carry(old, new *Set, id ID) []ID {
	if old.version == new.version && len(old.Leaves(id)) > 0 {
		return old.Leaves(id)
	}
	taken := make(bitset, (len(new.leaves)+63)/64)
	for _, leaf := range old.Leaves(id) {
		if !new.carry(old, leaf, taken) {
			new.takeAll(new.stillKnown(old, leaf), taken)
		}
	}
	out := taken.indices()
	if len(out) == 0 {
		known, _, ok := new.Resolve(id)
		if !ok {
			known = Everywhere
		}
		new.takeAll(known, taken)
		out = taken.indices()
	}
	ids := make([]ID, len(out))
	for k, i := range out {
		ids[k] = new.ByIndex(i).ID
	}
	return ids
}

func (s *Set) takeAll(id ID, taken bitset) {
	for _, leaf := range s.Leaves(id) {
		i := s.rank[leaf]
		taken[i/64] |= 1 << (i % 64)
	}
}

// carry marks the leaves that hold a leaf of an old set; false where none does.
func (s *Set) carry(old *Set, leaf ID, taken bitset) bool {
	was := old.shapes[old.rank[leaf]]
	any := false
	if i, ok := s.rank[leaf]; ok {
		taken[i/64] |= 1 << (i % 64)
		any = true
		if sameShape(old.ByIndex(old.rank[leaf]).Shape, s.ByIndex(i).Shape) || was.Within(s.shapes[i]) {
			return true
		}
	}
	least := slight * was.Area()
	for _, i := range s.search(was.Bounds()).indices() {
		if s.shapes[i].OverlapArea(was) > least {
			taken[i/64] |= 1 << (i % 64)
			any = true
		}
	}
	return any
}
