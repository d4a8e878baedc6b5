package build

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

const (
	// segmentBase added to a city's id of pikud-haoref-api gives the Home Front Command's
	// own number of the area in all but a handful of cases, so that the ids of this set are
	// those of the authority's.
	segmentBase = 5_000_000
	// roundRadius is drawn around a place that has no usable polygon.
	roundRadius geo.Metres = 500
	roundSides             = 24
)

type city struct {
	ID        int
	Name      string
	NameEn    string `json:"name_en"`
	NameRu    string `json:"name_ru"`
	NameAr    string `json:"name_ar"`
	Countdown *float64
	Lat, Lng  float64
	Value     string
}

// Areas makes zones of cities.json and polygons.json of pikud-haoref-api 4. Each line of
// the second result names one place and what was mended there, by these rules: the entry
// that means all places is no zone; of an id that occurs twice the first entry is the zone
// and the others' names are aliases; a ring that crosses or touches itself becomes the
// rings of all it encloses; points that repeat the one before are dropped; a place without
// a usable polygon becomes a circle of 500 m. A countdown of 0 is a shelter time of 0; one
// that is absent is none.
func Areas(cities, polygons []byte) ([]zone.Zone, []string, error) {
	var list []city
	if err := decode(cities, &list); err != nil {
		return nil, nil, fmt.Errorf("build: cities.json: %w", err)
	}
	var rings map[string][][2]float64
	if err := decode(polygons, &rings); err != nil {
		return nil, nil, fmt.Errorf("build: polygons.json: %w", err)
	}
	m := mender{rings: rings, index: map[int]int{}}
	for _, c := range list {
		if err := m.add(c); err != nil {
			return nil, m.notes, err
		}
	}
	used := map[string]bool{}
	for id := range m.index {
		used[strconv.Itoa(id)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(rings)) {
		if !used[key] {
			m.note(key, "", "polygon of no place: left out")
		}
	}
	return m.zones, m.notes, nil
}

type mender struct {
	rings map[string][][2]float64
	index map[int]int // zone by city id
	zones []zone.Zone
	notes []string
}

func (m *mender) note(id, name, what string) {
	m.notes = append(m.notes, strings.TrimSpace(id+" "+name)+": "+what)
}

func (m *mender) add(c city) error {
	key := strconv.Itoa(c.ID)
	if c.Value == "all" {
		m.note(key, c.NameEn, "means all places: no zone")
		return nil
	}
	if k, twice := m.index[c.ID]; twice {
		first := &m.zones[k]
		m.note(key, c.NameEn, "id twice: the second entry's names become aliases")
		first.Aliases = append(first.Aliases, differing(first, c)...)
		slices.Sort(first.Aliases)
		first.Aliases = slices.Compact(first.Aliases)
		return nil
	}
	z := zone.Zone{
		ID: zone.ID(fmt.Sprintf("IL-%d", segmentBase+c.ID)), Level: 1,
		Names: map[string]string{}, Label: geo.Point{Lat: geo.Degrees(c.Lat), Lon: geo.Degrees(c.Lng)},
	}
	for lang, name := range map[string]string{"he": c.Name, "en": c.NameEn, "ru": c.NameRu, "ar": c.NameAr} {
		if name = strings.TrimSpace(name); name != "" {
			z.Names[lang] = name
		}
	}
	if c.Countdown != nil {
		z.Shelter, z.ShelterKnown = time.Duration(*c.Countdown*float64(time.Second)), true
	}
	if !z.Label.Valid() {
		return fmt.Errorf("build: cities.json: %d %s: no place at %v,%v", c.ID, c.NameEn, c.Lat, c.Lng)
	}
	var err error
	if z.Shape, err = m.shape(key, c, z.Label); err != nil {
		return err
	}
	m.index[c.ID] = len(m.zones)
	m.zones = append(m.zones, z)
	return nil
}

// differing lists the names of a second entry that the first has not.
func differing(first *zone.Zone, c city) []string {
	var out []string
	for _, n := range [...]string{c.Name, c.NameEn, c.NameRu, c.NameAr} {
		n = strings.TrimSpace(n)
		known := n == ""
		for _, l := range first.Languages() {
			known = known || first.Names[l] == n
		}
		if !known {
			out = append(out, n)
		}
	}
	return out
}

// shape takes over a sound ring and mends another one.
func (m *mender) shape(key string, c city, centre geo.Point) (geo.MultiPolygon, error) {
	var r geo.Ring
	repeated := 0
	for _, p := range m.rings[key] { // latitude first
		at := nodeAt(geo.Point{Lat: geo.Degrees(p[0]), Lon: geo.Degrees(p[1])}).point()
		if len(r) > 0 && r[len(r)-1] == at {
			repeated++
			continue
		}
		r = append(r, at)
	}
	if repeated > 0 {
		m.note(key, c.NameEn, fmt.Sprintf("%d points that repeat the one before: dropped", repeated))
	}
	if len(r) > 0 && r[0] != r[len(r)-1] {
		r = append(r, r[0])
		m.note(key, c.NameEn, "ring not closed: closed")
	}
	whole := geo.MultiPolygon{{Outer: r}}.Wound()
	for _, f := range whole.Check() {
		switch f.Flaw {
		case geo.FlawDegenerate:
			m.note(key, c.NameEn, fmt.Sprintf("no usable polygon (%d points): a circle of %.0f m", len(r), roundRadius))
			return round(centre), nil
		case geo.FlawCross, geo.FlawTouch:
			m.note(key, c.NameEn, fmt.Sprintf("%s near %.5f,%.5f: becomes the rings of all it encloses", f.Flaw, f.At.Lat, f.At.Lon))
			return enclosed(r)
		case geo.FlawWinding:
		default:
			return nil, fmt.Errorf("build: polygons.json: %s %s: %s", key, c.NameEn, f.Flaw)
		}
	}
	return whole, nil
}

func round(centre geo.Point) geo.MultiPolygon {
	var r geo.Ring
	for i := range roundSides {
		p := geo.Destination(centre, geo.Degrees(-360*i/roundSides), roundRadius)
		r = append(r, nodeAt(p).point())
	}
	return geo.MultiPolygon{{Outer: append(r, r[0])}}
}

// enclosed makes sound rings of one that meets itself: what it goes around, in whichever
// direction and however often, is inside.
func enclosed(r geo.Ring) (geo.MultiPolygon, error) {
	on := plane{cos: 1}
	var line []spot
	for _, p := range r {
		line = append(line, on.spot(p))
	}
	cuts := make([][]cutPlace, len(line)-1)
	for i := 1; i < len(line); i++ {
		for j := 1; j < len(line); j++ {
			if t, _, ok := crossing(line[i-1], line[i], line[j-1], line[j]); ok && i != j {
				cuts[i-1] = append(cuts[i-1], cutPlace{t, line[i-1].to(line[i], t)})
			}
			if t, ok := on.along(line[i-1], line[i], line[j]); ok {
				cuts[i-1] = append(cuts[i-1], cutPlace{t, line[j]})
			}
		}
	}
	var pieces []piece
	run := map[[4]int64]bool{} // stretches that were run through before, either way
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		at := append([]cutPlace{{0, a}, {1, b}}, cuts[i-1]...)
		slices.SortStableFunc(at, byAlong)
		for k := 1; k < len(at); k++ {
			key := stretchKey(at[k-1].at, at[k].at)
			if run[key] {
				continue
			}
			run[key] = true
			p := piece{on.node(at[k-1].at), on.node(at[k].at), outside, outside}
			middle := a.to(b, (at[k-1].along+at[k].along)/2)
			d := b.sub(a)
			hair := spot{-d.y, d.x}
			length := math.Hypot(hair.x, hair.y)
			hair = spot{hair.x / length * 1e-8, hair.y / length * 1e-8}
			if winding(line, spot{middle.x + hair.x, middle.y + hair.y}) != 0 {
				p.left = 0
			}
			if winding(line, spot{middle.x - hair.x, middle.y - hair.y}) != 0 {
				p.right = 0
			}
			pieces = append(pieces, p)
		}
	}
	pieces, err := sound(pieces)
	if err != nil {
		return nil, err
	}
	out, err := shapes(pieces, 1, func(int) int { return 0 })
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// along says whether c lies on the segment from a to b, as places of the grid, and where:
// segments of one line cross nowhere but must be cut at each other's ends.
func (p plane) along(a, b, c spot) (t float64, ok bool) {
	m, n, o := p.node(a), p.node(b), p.node(c)
	dx, dy, ex, ey := n.x-m.x, n.y-m.y, o.x-m.x, o.y-m.y
	if dx*ey != dy*ex {
		return 0, false
	}
	t = float64(dx*ex+dy*ey) / float64(dx*dx+dy*dy)
	return t, t > 0 && t < 1
}

// stretchKey is the same for a stretch in both directions. It is finer than the grid: what
// only rounding lays upon each other are two sides of a sliver, and both are needed.
func stretchKey(a, b spot) [4]int64 {
	const fine = 1e9
	k := [4]int64{int64(math.Round(a.x * fine)), int64(math.Round(a.y * fine)), int64(math.Round(b.x * fine)), int64(math.Round(b.y * fine))}
	if k[2] < k[0] || k[2] == k[0] && k[3] < k[1] {
		k[0], k[1], k[2], k[3] = k[2], k[3], k[0], k[1]
	}
	return k
}

// winding is how often a closed line goes around a place.
func winding(line []spot, s spot) int {
	n := 0
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		if (a.y > s.y) == (b.y > s.y) {
			continue
		}
		if left := b.sub(a).cross(s.sub(a)) > 0; left == (b.y > a.y) {
			if left {
				n++
			} else {
				n--
			}
		}
	}
	return n
}
