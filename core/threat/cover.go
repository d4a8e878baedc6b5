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
	var sites, gone []track.Live
	for _, l := range live {
		switch {
		case !l.Source.HasSite || !(l.Source.Coverage.Range > 0):
			// It watches nothing, a person at the desk: neither its words nor its silence
			// say that there is a picture.
		case l.Alive:
			sites = append(sites, l)
		default:
			gone = append(gone, l)
		}
	}
	c.any, c.whole = len(sites) > 0, len(sites) > 0 && len(gone) == 0
	if zones == nil || len(sites) == 0 {
		return c
	}
	c.covered = overlook(sites, zones)
	c.dark = overlook(gone, zones)
	return c
}

// watchHeight is the height over the ground, in metres, from which down a picture is said to
// have a zone in it at all: what nears it, at the latest what flies high, is seen.
const watchHeight = 3000

// view is what sources could see over a zone: of which class, and whether anything at
// watchHeight.
type view struct {
	classes [class.Count]bool
	high    bool
}

// overlook is what sources could see over each zone, left out where that is nothing.
func overlook(sites []track.Live, zones *zone.Set) map[zone.ID]view {
	if len(sites) == 0 {
		return nil
	}
	views := make(map[zone.ID]view, zones.Len())
	places := make([]geo.ECEF, len(sites))
	for i, l := range sites {
		places[i] = l.Source.Site.ECEF()
	}
	for i := range zones.Len() {
		z := zones.ByIndex(i)
		at := geo.Position{Point: z.Label}.ECEF()
		var v view
		some := false
		for k, l := range sites {
			d := distance(at, places[k])
			if d > float64(l.Source.Coverage.Range) {
				continue
			}
			floor := float64(l.Source.Coverage.Floor) + d*d/(2*earthRadius*4/3)
			if floor <= watchHeight {
				v.high, some = true, true
			}
			for _, cl := range class.All() {
				if defaults[cl].Height >= floor {
					v.classes[cl], some = true, true
				}
			}
		}
		if some {
			views[z.ID] = v
		}
	}
	return views
}

func distance(a, b geo.ECEF) float64 {
	x, y, z := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return math.Sqrt(x*x + y*y + z*z)
}
