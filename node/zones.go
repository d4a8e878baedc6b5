package node

import (
	"fmt"
	"io"
	"os"
	"strings"

	"tocsin/core/geo"
	"tocsin/core/zone"
	"tocsin/zones"
)

// Bounds of what an authority brings.
const (
	maxZoneFile = 256 << 20
)

// defectsNamed bounds how many defects of a refused set an error lists.
const defectsNamed = 20

// openZones reads the sets of the configuration: one shipped set, or files together.
func openZones(names []string) (*zone.Set, error) {
	if len(names) == 1 && shipped(names[0]) {
		return zones.Open(names[0])
	}
	var files []zone.File
	for _, name := range names {
		b, err := readFile(name, maxZoneFile)
		if err != nil {
			return nil, fmt.Errorf("node: zones: %w", err)
		}
		files = append(files, zone.File{Name: name, Data: b})
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	if !report.Bad() {
		return set, nil
	}
	var lines []string
	for i, d := range report.Defects {
		if i == defectsNamed {
			lines = append(lines, fmt.Sprintf("and %d more; see `tocsin zones check`", len(report.Defects)-defectsNamed))
			break
		}
		lines = append(lines, d.String())
	}
	return nil, fmt.Errorf("node: zones: the set is refused as a whole:\n  %s", strings.Join(lines, "\n  "))
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: over %d bytes", name, limit)
	}
	return b, nil
}

// bounds is the rectangle of all zones, [[west, south], [east, north]], for the page.
func bounds(set *zone.Set) [2][2]float64 {
	west, south, east, north := 180.0, 90.0, -180.0, -90.0
	see := func(p geo.Point) {
		west, east = min(west, float64(p.Lon)), max(east, float64(p.Lon))
		south, north = min(south, float64(p.Lat)), max(north, float64(p.Lat))
	}
	for z := range set.All {
		for _, poly := range z.Shape {
			for _, p := range poly.Outer {
				see(p)
			}
		}
	}
	return [2][2]float64{{west, south}, {east, north}}
}
