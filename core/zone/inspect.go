package zone

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin/core/geo"
)

const (
	// MaxZones bounds a set; the index is planned for 30,000.
	MaxZones = 100_000
	// MaxLevel is the finest level a zone may state.
	MaxLevel = 9
	// MaxID bounds an id, in bytes: four of them fit a frame of 600 bytes.
	MaxID = 64
	// MaxShelter bounds a shelter time.
	MaxShelter = 24 * time.Hour
	// MaxPopulation bounds the people in a zone.
	MaxPopulation = 10_000_000_000
)

// inspect adds the defects of zones, and the remarks that a look at each zone alone gives;
// it mends what is harmless (winding, see geo.Flaw) in place. files names where each zone
// came from, unread which of them have a shape that is a defect already; both may be nil.
func inspect(zones []Zone, files []string, unread []bool, r *Report) {
	file := func(i int) string {
		if i < len(files) {
			return files[i]
		}
		return ""
	}
	r.Zones = len(zones)
	if len(zones) == 0 && !r.Bad() {
		r.defect(Defect{What: "no zones"})
	}
	if len(zones) > MaxZones {
		r.defect(Defect{What: fmt.Sprintf("%d zones; a set has at most %d", len(zones), MaxZones)})
		return
	}
	seen := make(map[ID]map[int]int, len(zones))
	for i := range zones {
		z := &zones[i]
		told := i < len(unread) && unread[i]
		place := ""
		if !told {
			place = at(z.Label)
		}
		for _, what := range fieldDefects(z) {
			r.defect(Defect{File: file(i), ID: z.ID, Place: place, What: what})
		}
		if seen[z.ID] == nil {
			seen[z.ID] = map[int]int{}
		}
		if first, twice := seen[z.ID][z.Level]; twice {
			what := fmt.Sprintf("id twice at level %d", z.Level)
			if f := file(first); f != "" && f != file(i) {
				what += ", also in " + f
			}
			r.defect(Defect{File: file(i), ID: z.ID, Place: place, What: what})
		}
		seen[z.ID][z.Level] = i
		if !told {
			inspectShape(z, file(i), r)
		}
	}
	inspectParents(zones, file, r)
}

// fieldDefects lists what is wrong with a zone's words and numbers.
func fieldDefects(z *Zone) []string {
	var out []string
	if why := badID(z.ID); why != "" {
		out = append(out, "id "+why)
	}
	if z.Parent != "" {
		if why := badID(z.Parent); why != "" {
			out = append(out, "parent "+why)
		}
	}
	if z.Region != "" && z.Region != Everywhere {
		if why := badID(z.Region); why != "" {
			out = append(out, "region "+why)
		}
	}
	for _, l := range z.Languages() {
		if _, ok := nameLanguage(nameKey(l)); !ok {
			out = append(out, fmt.Sprintf("%q is not a language", l))
		}
		if why := badText(z.Names[l]); why != "" {
			out = append(out, nameKey(l)+" "+why)
		}
	}
	if !z.Label.Valid() {
		out = append(out, "label is not a place")
	}
	if z.Level < 1 || z.Level > MaxLevel {
		out = append(out, fmt.Sprintf("level %d is not from 1 to %d", z.Level, MaxLevel))
	}
	if z.Population < 0 || z.Population > MaxPopulation {
		out = append(out, fmt.Sprintf("population %d is not a number of people", z.Population))
	}
	if z.Shelter < 0 || z.Shelter > MaxShelter {
		out = append(out, fmt.Sprintf("shelter time %s is not from 0 to %s", z.Shelter, MaxShelter))
	}
	return out
}

// badID says why an id cannot be one: it must pass through CAP, the board's digest and a
// command line unchanged.
func badID(id ID) string {
	s := string(id)
	switch {
	case s == "":
		return "is missing"
	case len(s) > MaxID:
		return fmt.Sprintf("is longer than %d bytes", MaxID)
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case id == Everywhere || id == TestZone || id == TestRegion:
		return fmt.Sprintf("%q is reserved", s)
	case strings.ContainsAny(s, `<>&",`):
		return fmt.Sprintf("%q contains one of < > & \" ,", s)
	}
	for _, c := range s {
		if unicode.IsSpace(c) || !unicode.IsPrint(c) {
			return fmt.Sprintf("%q contains a space or an unprintable character", s)
		}
	}
	return ""
}

func inspectShape(z *Zone, file string, r *Report) {
	if len(z.Shape) == 0 {
		r.defect(Defect{File: file, ID: z.ID, What: "no polygon"})
		return
	}
	turned := false
	for _, f := range z.Shape.Check() {
		place := fmt.Sprintf("polygon %d, ring %d, near %s", f.Polygon+1, f.Ring+1, at(f.At))
		switch {
		case !f.Flaw.Harmless():
			r.defect(Defect{File: file, ID: z.ID, Place: place, What: f.Flaw.String()})
		case f.Flaw == geo.FlawWinding:
			turned = true
			r.remark("rings wound the other way round (mended)", string(z.ID)+": "+place)
		case f.Flaw == geo.FlawTouch:
			r.remark("rings that touch themselves", string(z.ID)+": "+place)
		case f.Flaw == geo.FlawHoleOutside:
			r.remark("holes outside their polygon (they cut nothing)", string(z.ID)+": "+place)
		}
	}
	if turned {
		z.Shape = z.Shape.Wound()
	}
	if i, over := overAntimeridian(z.Shape); over {
		r.remark("zones with an edge of more than half a turn (taken the short way, over the antimeridian; cut them there if that is meant)",
			fmt.Sprintf("%s: polygon %d", z.ID, i+1))
	}
}

// overAntimeridian is the first polygon with an edge of more than half a turn. RFC 7946 (3.1.9)
// asks for a cut at the antimeridian instead, because such an edge can mean either way.
func overAntimeridian(m geo.MultiPolygon) (polygon int, over bool) {
	for i, p := range m {
		for _, ring := range append([]geo.Ring{p.Outer}, p.Holes...) {
			for k := 1; k < len(ring); k++ {
				if d := ring[k].Lon - ring[k-1].Lon; d > 180 || d < -180 {
					return i, true
				}
			}
		}
	}
	return 0, false
}

// inspectParents looks for cycles: a zone may be its own parent, and no other's ancestor's.
func inspectParents(zones []Zone, file func(int) string, r *Report) {
	up := map[ID][]int{} // records of an id that name another one as parent
	for i, z := range zones {
		if z.Parent != "" && z.Parent != z.ID {
			up[z.ID] = append(up[z.ID], i)
		}
	}
	const open, done = 1, 2
	state := make(map[ID]int, len(zones))
	// An explicit stack: a chain may be as long as the set.
	type step struct {
		id   ID
		next int
	}
	for _, z := range zones {
		if state[z.ID] != 0 {
			continue
		}
		stack := []step{{id: z.ID}}
		state[z.ID] = open
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(up[top.id]) {
				state[top.id] = done
				stack = stack[:len(stack)-1]
				continue
			}
			i := up[top.id][top.next]
			top.next++
			parent := zones[i].Parent
			switch state[parent] {
			case open:
				from := slices.IndexFunc(stack, func(s step) bool { return s.id == parent })
				ids := make([]string, 0, 8)
				for _, s := range stack[from:] {
					if len(ids) == 7 {
						ids = append(ids, "...")
						break
					}
					ids = append(ids, string(s.id))
				}
				r.defect(Defect{File: file(i), ID: zones[i].ID, Place: at(zones[i].Label),
					What: "cycle of parents: " + strings.Join(ids, " > ") + " > " + string(parent)})
			case 0:
				if _, has := up[parent]; has {
					state[parent] = open
					stack = append(stack, step{id: parent})
				}
			}
		}
	}
}

// byID orders records as a set holds them.
func byID(a, b Zone) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Level, b.Level))
}
