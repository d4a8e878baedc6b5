package gateway

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// registry is one immutable version of the zones, written out once.
type registry struct {
	version string
	summary []byte
	packed  []byte // gzip of the GeoJSON
	plain   []byte
	diff    []byte // nil where there was none before
}

type feature struct {
	Type       string     `json:"type"`
	Properties properties `json:"properties"`
	Geometry   geometry   `json:"geometry"`
}

type properties struct {
	ID       zone.ID           `json:"id"`
	Level    int               `json:"level"`
	Parent   zone.ID           `json:"parent,omitempty"`
	Region   zone.ID           `json:"region"`
	Names    map[string]string `json:"names"`
	Leaf     bool              `json:"leaf"`
	Label    [2]float64        `json:"label"`
	ShelterS *int              `json:"shelter_s,omitempty"`
}

type geometry struct {
	Type        string           `json:"type"`
	Coordinates [][][][2]float64 `json:"coordinates"`
}

func newRegistry(set, before *zone.Set) (*registry, error) {
	r := &registry{version: set.Version()}
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	levels, languages, first := map[int]bool{}, map[string]bool{}, true
	zones := slices.Collect(set.All)
	slices.SortStableFunc(zones, func(a, b zone.Zone) int { return cmp.Compare(a.Level, b.Level) }) // ids ascend already
	for _, z := range zones {
		levels[z.Level] = true
		for lang := range z.Names {
			languages[lang] = true
		}
		line, err := json.Marshal(featureOf(set, z))
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", z.ID, err)
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.WriteByte('\n')
		b.Write(line)
	}
	b.WriteString("\n]}\n")
	r.plain = b.Bytes()
	var err error
	if r.packed, err = pack(r.plain); err != nil {
		return nil, err
	}
	previous, diff := "", ""
	if before != nil && before.Version() != set.Version() {
		previous, diff = before.Version(), "/v1/zones/"+r.version+"/diff"
		if r.diff, err = json.Marshal(difference(before, set)); err != nil {
			return nil, err
		}
	}
	r.summary, err = json.Marshal(struct {
		Version   string   `json:"version"`
		Zones     int      `json:"zones"`
		Levels    []int    `json:"levels"`
		Languages []string `json:"languages"`
		URL       string   `json:"url"`
		Before    string   `json:"before"`
		Diff      string   `json:"diff"`
	}{r.version, set.Len(), slices.Sorted(maps.Keys(levels)), slices.Sorted(maps.Keys(languages)), "/v1/zones/" + r.version, previous, diff})
	return r, err
}

// change is one zone that is not as it was, in the contract's words.
type change struct {
	ID   zone.ID  `json:"id"`
	What []string `json:"what"`
}

// difference is what changed between two versions, in the contract's form.
func difference(before, set *zone.Set) any {
	d := zone.Diff(before, set)
	what := map[zone.ID][]string{}
	note := func(id zone.ID, word string) {
		if !slices.Contains(what[id], word) {
			what[id] = append(what[id], word)
		}
	}
	for _, r := range d.Renamed {
		note(r.ID, "name")
	}
	for _, r := range d.Reshaped {
		note(r.ID, "shape")
	}
	for _, r := range d.Reparented {
		note(r.ID, "parent")
	}
	for _, r := range d.Restated {
		if r.What == "shelter_s" || r.What == "population" {
			note(r.ID, r.What)
		}
	}
	changed := []change{}
	for _, id := range slices.Sorted(maps.Keys(what)) {
		slices.Sort(what[id])
		changed = append(changed, change{id, what[id]})
	}
	return struct {
		From    string    `json:"from"`
		To      string    `json:"to"`
		Added   []zone.ID `json:"added"`
		Removed []zone.ID `json:"removed"`
		Changed []change  `json:"changed"`
	}{d.From, d.To, idsOf(d.Added), idsOf(d.Removed), changed}
}

func idsOf(entries []zone.Entry) []zone.ID {
	ids := []zone.ID{}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// pack compresses with gzip.
func pack(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func featureOf(set *zone.Set, z zone.Zone) feature {
	p := properties{
		ID: z.ID, Level: z.Level, Parent: z.Parent, Region: set.Region(z.ID), Names: z.Names,
		Label: lonLat(z.Label),
	}
	if i, ok := set.Index(z.ID); ok && set.ByIndex(i).Level == z.Level {
		p.Leaf = true
	}
	if z.ShelterKnown {
		s := int(z.Shelter.Seconds())
		p.ShelterS = &s
	}
	g := geometry{Type: "MultiPolygon"}
	for _, poly := range z.Shape {
		rings := [][][2]float64{ringOf(poly.Outer)}
		for _, hole := range poly.Holes {
			rings = append(rings, ringOf(hole))
		}
		g.Coordinates = append(g.Coordinates, rings)
	}
	return feature{Type: "Feature", Properties: p, Geometry: g}
}

func ringOf(r geo.Ring) [][2]float64 {
	all := make([][2]float64, len(r))
	for i, p := range r {
		all[i] = lonLat(p)
	}
	return all
}

func lonLat(p geo.Point) [2]float64 { return [2]float64{float64(p.Lon), float64(p.Lat)} }

func (g *Gateway) serveZones(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=5")
	g.serveBytes(w, g.zones.Load().summary)
}

func (g *Gateway) serveRegistry(w http.ResponseWriter, r *http.Request) {
	z := g.zones.Load()
	if r.PathValue("version") != z.version {
		problem(w, http.StatusNotFound, "no such version of the zones", "The version in force is in /v1/zones.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/geo+json")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if packs(r) {
		h.Set("Content-Encoding", "gzip")
		g.serveBytes(w, z.packed)
		return
	}
	g.serveBytes(w, z.plain)
}

func (g *Gateway) serveDiff(w http.ResponseWriter, r *http.Request) {
	z := g.zones.Load()
	if r.PathValue("version") != z.version || z.diff == nil {
		problem(w, http.StatusNotFound, "no such difference", "The version in force, and whether there was one before, is in /v1/zones.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	g.serveBytes(w, z.diff)
}
