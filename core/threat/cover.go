package threat

import (
	"math"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// Cover tells for every leaf zone and class whether a live source could confirm or
// refute an object there: the zone's label is within the source's range, and the height
// at which the class typically flies is above what the source sees down to there, the
// radio horizon over an earth of 4/3 radius included.
func Cover(live []track.Live, zones *zone.Set) Coverage {
	var c Coverage
	var sites []track.Live
	dead := false
	for _, l := range live {
		switch {
		case !l.Source.HasSite || !(l.Source.Coverage.Range > 0):
			// It watches nothing, a person at the desk: neither its words nor its silence
			// say that there is a picture.
		case l.Alive:
			sites = append(sites, l)
		default:
			dead = true
		}
	}
	c.any, c.whole = len(sites) > 0, len(sites) > 0 && !dead
	if zones == nil || len(sites) == 0 {
		return c
	}
	c.covered = make(map[zone.ID][class.Count]bool, zones.Len())
	places := make([]geo.ECEF, len(sites))
	for i, l := range sites {
		places[i] = l.Source.Site.ECEF()
	}
	for i := range zones.Len() {
		z := zones.ByIndex(i)
		at := geo.Position{Point: z.Label}.ECEF()
		var seen [class.Count]bool
		some := false
		for k, l := range sites {
			d := distance(at, places[k])
			if d > float64(l.Source.Coverage.Range) {
				continue
			}
			floor := float64(l.Source.Coverage.Floor) + d*d/(2*earthRadius*4/3)
			for _, cl := range class.All() {
				if defaults[cl].Height >= floor {
					seen[cl], some = true, true
				}
			}
		}
		if some {
			c.covered[z.ID] = seen
		}
	}
	return c
}

func distance(a, b geo.ECEF) float64 {
	x, y, z := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return math.Sqrt(x*x + y*y + z*z)
}
