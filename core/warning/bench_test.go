package warning

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// manyZones is a grid of n squares.
func manyZones(b testing.TB, n int) *zone.Set {
	zs := make([]zone.Zone, n)
	for i := range zs {
		zs[i] = square(zone.ID(fmt.Sprintf("z%05d", i)), "", 1, i%200, i/200, 1, 1)
	}
	return newSet(b, zs...)
}

// forecastsOver gives each track a stretch of 60 zones.
func forecastsOver(zones *zone.Set, tracks int) []threat.Forecast {
	r := rand.New(rand.NewPCG(1, 2))
	fs := make([]threat.Forecast, tracks)
	for i := range fs {
		f := threat.Forecast{
			Track: track.ID(fmt.Sprintf("T%05d", i)), Existence: 0.99, Status: track.Confirmed, Updates: 10, Sensors: 1,
			Kinds: []string{"asterix"}, Class: class.Mix{class.Drone: 0.8, class.CruiseMissile: 0.2},
		}
		at := r.IntN(zones.Len() - 60)
		for k := range 60 {
			f.Reaches = append(f.Reaches, threat.Reach{Zone: zones.ByIndex(at + k).ID, P: 0.6 / float64(1+k/4)})
		}
		fs[i] = f
	}
	return fs
}

func renew(f *threat.Forecast, now time.Time) {
	f.Revision++
	f.At, f.SeenAt = now, now
	for k := range f.Reaches {
		from := now.Add(time.Duration(60+k*20) * time.Second)
		f.Reaches[k].Arrival = threat.Arrival{Earliest: from, Likely: from.Add(20 * time.Second), Latest: from.Add(time.Minute)}
	}
}

// BenchmarkWeigh is one call with one changed forecast of 60 zones, as one observation
// makes, in a book of 1,000 and 10,000 tracks over 30,000 zones, many of them in force.
func BenchmarkWeigh(b *testing.B) {
	for _, tracks := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("%dTracks30kZones", tracks), func(b *testing.B) {
			zones := manyZones(b, 30_000)
			cover := covered(zones)
			fs := forecastsOver(zones, tracks)
			book := NewBook(zones, DefaultPolicy(), Options{})
			now := start
			for i := range fs {
				renew(&fs[i], now)
			}
			book.Weigh(now, fs, cover, nil)
			b.ReportAllocs()
			worst := time.Duration(0)
			i := 0
			for b.Loop() {
				now = now.Add(time.Second / time.Duration(tracks/10)) // each track every 10 s
				f := &fs[i%tracks]
				renew(f, now)
				i++
				began := time.Now()
				book.Weigh(now, fs[(i-1)%tracks:(i-1)%tracks+1], cover, nil)
				worst = max(worst, time.Since(began))
			}
			force := 0
			for _, e := range book.episodes {
				force += len(e.members)
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(force), "zones-in-force")
		})
	}
}

// BenchmarkRaid is the first call of a raid: 1,000 new tracks at once over 30,000 zones.
func BenchmarkRaid(b *testing.B) {
	zones := manyZones(b, 30_000)
	cover := covered(zones)
	fs := forecastsOver(zones, 1_000)
	for i := range fs {
		renew(&fs[i], start)
	}
	b.ReportAllocs()
	for b.Loop() {
		book := NewBook(zones, DefaultPolicy(), Options{})
		book.Weigh(start, fs, cover, nil)
	}
}
