package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/replay"
)

// sharedData is a file of the fixtures beside the project.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	base := os.Getenv("TOCSIN_SHARED")
	if base == "" {
		base = filepath.Join("..", "..", "..", "shared")
	}
	path, err := filepath.Abs(filepath.Join(base, "data", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is absent", name)
	}
	return path
}

// a real night, and the zones that an authority would bring.
type night struct{ file, format, zones, from, until string }

var nights = map[string]night{
	"ua": {"history/ua-official-2022-03_2023-11.csv.gz", "ua-official", "zones/ua-oblasts.geojson zones/ua-raions.geojson zones/ua-hromadas.geojson", "2022-10-10T03:50:00Z", "2022-10-10T08:10:00Z"},
	"il": {"history/il-alerts-2014_2023.csv.gz", "il-alerts", "zones/il-areas.geojson", "2023-10-07T03:28:00Z", "2023-10-07T03:34:00Z"},
}

func (n night) command(t *testing.T) replayCmd {
	r := replayCmd{File: sharedData(t, n.file), Format: n.format, Speed: "max", From: n.from, Until: n.until}
	for z := range strings.FieldsSeq(n.zones) {
		r.Zones = append(r.Zones, sharedData(t, z))
	}
	return r
}

// said is one row as a few lines of another hand read it: zones, from, until.
type saidRow struct {
	zones       []zone.ID
	from, until time.Time
}

// byHand reads a history without the reader: places by the names that the zone files state,
// and where those do not tell, by the gazetteer, whose rules have tests of their own.
func byHand(t *testing.T, r replayCmd, p *replayPlan) []saidRow {
	t.Helper()
	f, err := os.Open(r.File)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	named := namesIn(t, r.Zones)
	jerusalem, err := time.LoadLocation("Asia/Jerusalem")
	if err != nil {
		t.Fatal(err)
	}
	var out []saidRow
	for _, row := range rows[1:] {
		if r.Format == "ua-official" {
			from, err1 := time.Parse("2006-01-02 15:04:05-07:00", row[4])
			until, err2 := time.Parse("2006-01-02 15:04:05-07:00", row[5])
			if err1 != nil || err2 != nil {
				t.Fatal(row)
			}
			var ids []zone.ID
			if id := named[row[0]]; row[1] == "" && id != "" {
				ids = p.set.Leaves(id)
			} else if id := named[row[0]+"/"+row[1]]; row[2] == "" && id != "" {
				ids = p.set.Leaves(id)
			} else {
				place, _ := p.places.Ukrainian(row[0], row[1], row[2])
				ids = p.places.Leaves(place)
			}
			out = append(out, saidRow{ids, from, until})
			continue
		}
		at, err := time.ParseInLocation("02.01.2006 15:04:05", row[1]+" "+row[2], jerusalem)
		if err != nil {
			t.Fatal(row)
		}
		if row[4] != "1" && row[4] != "2" || strings.HasPrefix(row[0], "בדיקה ידנית") || strings.HasPrefix(row[0], "ארצי") {
			continue
		}
		ids := []zone.ID{named[row[0]]}
		if ids[0] == "" {
			ids = nil
			for _, one := range p.places.Israeli(row[0]) {
				ids = append(ids, p.places.Leaves(one.Place)...)
			}
		}
		out = append(out, saidRow{ids, at, at.Add(10 * time.Minute)})
	}
	return out
}

// namesIn are the ids of zones by name: an area, an oblast, an oblast and its raion.
func namesIn(t *testing.T, files []string) map[string]zone.ID {
	t.Helper()
	type properties struct {
		ID       zone.ID `json:"id"`
		Level    int     `json:"level"`
		Parent   zone.ID `json:"parent"`
		He       string  `json:"name_he"`
		En       string  `json:"name_en"`
		Oblast   zone.ID `json:"oblast"`
		District string  `json:"district_he"`
	}
	names, oblasts := map[string]zone.ID{}, map[zone.ID]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all struct {
			Features []struct {
				Properties properties `json:"properties"`
			} `json:"features"`
		}
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for _, f := range all.Features {
			switch z := f.Properties; {
			case z.He != "":
				names[z.He] = z.ID
			case z.Level == 1:
				names[z.En], oblasts[z.ID] = z.ID, z.En
			case z.Level == 2:
				names[oblasts[z.Oblast]+"/"+z.En] = z.ID
			}
		}
	}
	return names
}

// truth is what the file says of each moment, kept up from moment to moment.
type truth struct {
	rows []saidRow // by from
	next int
	open []saidRow
}

// at is the zones that are warned at a moment; moments must not go back.
func (t *truth) at(now time.Time) map[zone.ID]bool {
	for ; t.next < len(t.rows) && !t.rows[t.next].from.After(now); t.next++ {
		t.open = append(t.open, t.rows[t.next])
	}
	t.open = slices.DeleteFunc(t.open, func(r saidRow) bool { return !now.Before(r.until) })
	warned := map[zone.ID]bool{}
	for _, r := range t.open {
		for _, id := range r.zones {
			warned[id] = true
		}
	}
	return warned
}

func newTruth(rows []saidRow, from, until time.Time) *truth {
	var in []saidRow
	for _, r := range rows {
		if !until.IsZero() && r.until.After(until) {
			r.until = until
		}
		if !r.until.Before(from) && (until.IsZero() || r.from.Before(until)) {
			in = append(in, r)
		}
	}
	slices.SortStableFunc(in, func(a, b saidRow) int { return a.from.Compare(b.from) })
	return &truth{rows: in}
}

// inShelter compares what a client shows with what should be.
func inShelter(state []board.Zone, want map[zone.ID]bool) bool {
	n := 0
	for _, z := range state {
		if z.Show != board.Warned {
			continue
		}
		if !want[z.Zone] || z.Item.Stage != warning.Shelter {
			return false
		}
		n++
	}
	return n == len(want)
}

// TestBoardIsTheFile: at every moment of a replay at full speed the board that a verifying
// client holds is the one that the file says; and nothing was missed or said twice.
// TOCSIN_WHOLE_HISTORIES=1 does it for both files whole, which takes long; see `make histories`.
func TestBoardIsTheFile(t *testing.T) {
	for name, n := range nights {
		t.Run(name, func(t *testing.T) {
			r := n.command(t)
			if os.Getenv("TOCSIN_WHOLE_HISTORIES") != "" {
				r.From, r.Until, r.Board = "", "", true
			}
			var out bytes.Buffer
			c := &console{ctx: t.Context(), in: strings.NewReader(""), out: &out, err: io.Discard}
			p, err := r.plan(c)
			if err != nil {
				t.Fatal(err)
			}
			if p.history, err = r.read(c, p.places); err != nil {
				t.Fatal(err)
			}
			p.alarms = p.history.Between(p.from, p.until)
			p.figures = replay.Measure(p.alarms, p.places.Leaves, p.from, p.until)
			file := newTruth(byHand(t, r, p), p.figures.From, p.until)
			moments := 0
			p.moment = func(f *replay.Follower, at time.Time) error {
				want := file.at(at)
				limit, stop := context.WithTimeout(t.Context(), 20*time.Second)
				defer stop()
				var last []board.Zone
				err := f.Wait(limit, func(_ replay.Heard, state []board.Zone) bool { last = state; return inShelter(state, want) })
				moments++
				if err != nil {
					return fmt.Errorf("%s: the file warns %d zones: %s", at, len(want), unlike(last, want))
				}
				return nil
			}
			result, err := r.alone(c, p)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.report(r, result).print(c, false); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d moments\n%s", moments, &out)
			if moments < 20 || len(result.Refusals) > 0 || result.Declared != len(p.alarms) || result.Ended != result.Declared {
				t.Errorf("%d moments, refused %v, %d of %d alarms declared, %d ended", moments, result.Refusals, result.Declared, len(p.alarms), result.Ended)
			}
			if h := p.heard; h.Gaps > 0 || h.Again > 0 || len(h.Refused) > 0 || h.Streams != 1 {
				t.Errorf("the follower heard %+v", h)
			}
		})
	}
}

func unlike(state []board.Zone, want map[zone.ID]bool) string {
	shown := map[zone.ID]bool{}
	var more, less []string
	for _, z := range state {
		if z.Show == board.Warned {
			shown[z.Zone] = true
			if !want[z.Zone] {
				more = append(more, string(z.Zone))
			}
		}
	}
	for id := range want {
		if !shown[id] {
			less = append(less, string(id))
		}
	}
	slices.Sort(less)
	return fmt.Sprintf("%d are shown; too many %.20v, missing %.20v", len(shown), more, less)
}
