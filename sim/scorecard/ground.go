package scorecard

import (
	"math"
	"time"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// ground is what is known of the zones apart from any raid, by leaf index.
type ground struct {
	zones   *zone.Set
	people  []float64
	counted bool            // people are counted; else every zone has one
	shelter []time.Duration // that people there need
	region  []int           // group of the zone at the coarse level
	middle  []int           // at the middle one
	in      [2][][]int      // zones of each group, per level
}

// Levels of a blanket alarm.
const (
	byRegion = iota
	byMiddle
)

const (
	defaultShelter = 120 * time.Second
	// Where a set has no levels of its own, squares stand for them: about as large as a
	// district and an alarm zone of the Home Front Command.
	regionSquare = 45e3 // metres
	middleSquare = 25e3
)

func survey(zones *zone.Set) *ground {
	g := &ground{zones: zones}
	n := zones.Len()
	g.people, g.shelter = make([]float64, n), make([]time.Duration, n)
	for i := range n {
		z := zones.ByIndex(i)
		if z.PopulationKnown && z.Population > 0 {
			g.counted = true
		}
		g.people[i], g.shelter[i] = float64(z.Population), defaultShelter
		if z.ShelterKnown {
			g.shelter[i] = z.Shelter
		}
	}
	if !g.counted {
		for i := range g.people {
			g.people[i] = 1
		}
	}
	g.region = g.group(byRegion, func(z zone.Zone) string {
		if r := zones.Region(z.ID); r != zone.Everywhere {
			return string(r)
		}
		return square(z.Label, regionSquare)
	})
	g.middle = g.group(byMiddle, func(z zone.Zone) string {
		region := zones.Region(z.ID)
		if up, ok := zones.Parent(z.ID); ok && up != region {
			return string(up)
		}
		return string(region) + square(z.Label, middleSquare)
	})
	return g
}

// group numbers the names of all leaves.
func (g *ground) group(level int, name func(zone.Zone) string) []int {
	known := map[string]int{}
	of := make([]int, g.zones.Len())
	for i := range of {
		key := name(g.zones.ByIndex(i))
		k, ok := known[key]
		if !ok {
			k = len(known)
			known[key] = k
			g.in[level] = append(g.in[level], nil)
		}
		of[i] = k
		g.in[level][k] = append(g.in[level][k], i)
	}
	return of
}

// square names the square of a grid that a place is in.
func square(p geo.Point, metres float64) string {
	const metresPerDegree = 111195
	row := math.Floor(float64(p.Lat) * metresPerDegree / metres)
	cos := math.Cos((row + 0.5) * metres / metresPerDegree * math.Pi / 180)
	col := math.Floor(float64(p.Lon) * metresPerDegree * math.Max(cos, 0.05) / metres)
	return "/" + string(rune(0x4e00+int(row)&0xfff)) + string(rune(0x4e00+int(col)&0xfff))
}
