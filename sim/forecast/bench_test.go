package forecast

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/raid"
)

var raids = flag.Int("raids", 0, "raids a country that the forecast is measured on; 0: none")

// The whole way, from the plots of raids that another physics made to the rows of the
// file: what is said to happen with probability p happens in a share of about p of the
// cases. `make bench-forecast` runs it.
func TestBenchForecast(t *testing.T) {
	if *raids == 0 {
		t.Skip("takes minutes: say -raids N, or make bench-forecast")
	}
	for _, country := range []struct {
		id    string
		files []string
	}{
		{"ua", []string{"ua-oblasts.geojson", "ua-raions.geojson", "ua-hromadas.geojson"}},
		{"il", []string{"il-areas.geojson"}},
	} {
		zones := sharedZones(t, country.files)
		whole, kinds := &figures{}, map[string]*figures{}
		for seed := range uint64(*raids) {
			r, err := raid.Draw(seed+1, country.id, zones)
			if errors.Is(err, raid.ErrNoRaid) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			origin, err := r.Folder(dir)
			if err != nil {
				t.Fatal(err)
			}
			job := Job{Scenario: dir, Origin: origin, Zones: zones, Policy: warning.DefaultPolicy(), Every: 20 * time.Second}
			var out bytes.Buffer
			if _, err := Run(context.Background(), job, &out); err != nil {
				t.Fatal(err)
			}
			if kinds[r.Name] == nil {
				kinds[r.Name] = &figures{}
			}
			judge(t, r, zones, rows(t, out.Bytes()), whole, kinds[r.Name])
		}
		t.Logf("%s: %s", country.id, whole)
		for _, name := range []string{"drones", "cruise missiles", "ballistic missiles", "mixed", "glide bombs", "rockets", "no attack"} {
			if kinds[name] != nil {
				t.Logf("  %s %s: %s", country.id, name, kinds[name])
			}
		}
	}
}

func sharedZones(t *testing.T, names []string) *zone.Set {
	t.Helper()
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	var files []zone.File
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(root, "data/zones", name))
		if err != nil {
			t.Skipf("zones: %v", err)
		}
		files = append(files, zone.File{Name: name, Data: b})
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	if report.Bad() {
		t.Fatal("the shared zones have defects")
	}
	return set
}

var leads = [2]float64{120, 600}

// figures are what the forecasts of many raids came to.
type figures struct {
	said, happened, cases [2][10]float64
	square, base          [2]float64
	inside, early, late   float64
	near, soon            float64
}

func (f *figures) String() string {
	var b strings.Builder
	for k, lead := range leads {
		fmt.Fprintf(&b, "%.0fmin skill %.2f", lead/60, 1-f.square[k]/f.base[k])
		for i := range f.cases[k] {
			if f.cases[k][i] > 0 {
				fmt.Fprintf(&b, " %.2f/%.2f(%.0f)", f.said[k][i]/f.cases[k][i], f.happened[k][i]/f.cases[k][i], f.cases[k][i])
			}
		}
		b.WriteString("; ")
	}
	n := f.inside + f.early + f.late
	fmt.Fprintf(&b, "arrivals inside %.2f early %.2f late %.2f of %.0f; within 20 s of likely at 2 min %.2f of %.0f", f.inside/n, f.early/n, f.late/n, n, f.near/f.soon, f.soon)
	return b.String()
}

// part is the share of an arrival's probability before a moment.
func part(e, l, z, until float64) float64 {
	side := z - l
	if until < l {
		side = l - e
	}
	if side <= 0 {
		if until < l {
			return 0
		}
		return 1
	}
	return min(max(0.5+0.45*(until-l)/side, 0), 1)
}

// judge scores one raid's rows.
func judge(t *testing.T, r *raid.Raid, zones *zone.Set, all []map[string]string, to ...*figures) {
	t.Helper()
	truth := r.Truth()
	regions := map[zone.ID]bool{}
	for _, p := range truth.Passages {
		regions[zones.Region(zones.ByIndex(p.Zone).ID)] = true
	}
	count := 0.0
	for i := range zones.Len() {
		if regions[zones.Region(zones.ByIndex(i).ID)] {
			count++
		}
	}
	var hits, n [2]float64
	for from := 0; from < len(all); {
		at := number(t, all[from]["t"])
		none := map[zone.ID]*[2]float64{}
		best := map[zone.ID]map[string]string{}
		end := from
		for ; end < len(all) && all[end]["t"] == all[from]["t"]; end++ {
			row := all[end]
			if row["track"] == "" {
				continue
			}
			id, p := zone.ID(row["zone"]), number(t, row["p"])
			if none[id] == nil {
				none[id] = &[2]float64{1, 1}
			}
			e, l, z := number(t, row["earliest"]), number(t, row["likely"]), number(t, row["latest"])
			for k, lead := range leads {
				none[id][k] *= 1 - p*part(e, l, z, at+lead)
			}
			if best[id] == nil || number(t, best[id]["p"]) < p {
				best[id] = row
			}
		}
		from = end
		if at+leads[1] > r.Lasts.Seconds() {
			break
		}
		happens := [2]map[zone.ID]bool{{}, {}}
		first := map[zone.ID]float64{}
		for _, p := range truth.Passages {
			id := zones.ByIndex(p.Zone).ID
			for k, lead := range leads {
				if p.Enter.Seconds() <= at+lead && p.Leave.Seconds() >= at {
					happens[k][id] = true
				}
			}
			if a := p.Enter.Seconds(); a > at && (first[id] == 0 || a < first[id]) {
				first[id] = a
			}
		}
		ids := make([]zone.ID, 0, len(none))
		for id := range none {
			ids = append(ids, id)
		}
		for id := range happens[1] {
			if none[id] == nil {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		for _, id := range ids {
			for k := range leads {
				p, y := 0.0, 0.0
				if none[id] != nil {
					p = 1 - none[id][k]
				}
				if happens[k][id] {
					y = 1
				}
				hits[k] += y
				for _, f := range to {
					f.square[k] += (p - y) * (p - y)
					if p > 0.001 {
						b := min(int(p*10), 9)
						f.said[k][b] += p
						f.happened[k][b] += y
						f.cases[k][b]++
					}
				}
			}
			if row, a := best[id], first[id]; row != nil && a > 0 && a-at <= leads[1] && number(t, row["p"]) > 0.02 {
				for _, f := range to {
					f.arrive(number(t, row["earliest"]), number(t, row["likely"]), number(t, row["latest"]), a, at)
				}
			}
		}
		for k := range leads {
			n[k] += count
		}
	}
	for k := range leads {
		for _, f := range to {
			if n[k] > 0 {
				f.base[k] += hits[k] * (1 - hits[k]/n[k])
			}
		}
	}
}

func (f *figures) arrive(e, l, z, actual, at float64) {
	switch {
	case actual < e-0.5:
		f.early++
	case actual > z+0.5:
		f.late++
	default:
		f.inside++
	}
	if lead := actual - at; lead > 100 && lead <= 140 {
		f.soon++
		if math.Abs(actual-l) <= 20 {
			f.near++
		}
	}
}
