package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/zone"
	"tocsin/zones"
)

// square is a zone of a tenth of a degree, the nth in its row.
func square(n int, properties string) string {
	west := 30 + float64(n)/10
	return fmt.Sprintf(`{"type":"Feature","properties":{%s},"geometry":{"type":"Polygon","coordinates":[[[%g,50],[%g,50],[%g,50.1],[%g,50.1],[%g,50]]]}}`,
		properties, west, west+0.1, west+0.1, west, west)
}

func set(t testing.TB, features ...string) (*zone.Set, []byte) {
	t.Helper()
	b := []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`)
	s, report := zone.ReadSet([]zone.File{{Name: "test", Data: b}}, zone.Limits{})
	if report.Bad() {
		t.Fatal(report.Defects)
	}
	return s, b
}

// ukrainian is an oblast with two raions and a few hromadas, two of one name.
func ukrainian(t testing.TB) *Gazetteer {
	all := []string{
		square(0, `"id":"UA48000000000039575","level":1,"name_en":"Mykolaivska oblast"`),
		square(0, `"id":"R1","level":2,"parent":"UA48000000000039575","name_en":"Pervomaiskyi raion"`),
		square(1, `"id":"R2","level":2,"parent":"UA48000000000039575","name_en":"Zviahelskyi raion"`),
		square(20, `"id":"UA80000000000093317","level":1,"name_en":"Kyiv City"`),
		square(0, `"id":"H1","level":3,"parent":"R1","name_en":"Pervomaiska city hromada"`),
		square(1, `"id":"H2","level":3,"parent":"R2","name_en":"Pervomaiska settlement hromada"`),
		square(2, `"id":"H3","level":3,"parent":"R1","name_en":"Kryvoozerska village hromada"`),
		square(3, `"id":"H4","level":3,"parent":"R1","name_en":"Same village hromada"`),
		square(4, `"id":"H5","level":3,"parent":"R1","name_en":"Same settlement hromada"`),
	}
	s, _ := set(t, all...)
	return NewGazetteer(s, nil)
}

func israeli(t testing.TB) *Gazetteer {
	s, b := set(t,
		square(0, `"id":"IL-1","name_he":"אשקלון - צפון","district_he":"מערב לכיש"`),
		square(1, `"id":"IL-2","name_he":"אשקלון - דרום","district_he":"מערב לכיש"`),
		square(2, `"id":"IL-3","name_he":"שדרות, איבים","district_he":"עוטף עזה","zone_he":"עוטף"`),
		square(3, `"id":"IL-4","name_he":"ניר עם","district_he":"עוטף עזה"`),
		square(4, `"id":"IL-5","name_he":"ג'ת","district_he":"ואדי ערה"`),
		square(5, `"id":"IL-6","name_he":"גת","district_he":"לכיש"`),
		square(6, `"id":"IL-7","name_he":"אשדוד -יא,יב,טו,יז,מרינה,סיטי","district_he":"לכיש"`),
		square(7, `"id":"IL-8","name_he":"בת ים"`),
		square(8, `"id":"IL-9","name_he":"לקיה"`),
		square(9, `"id":"IL-10","name_he":"שוהם"`),
		square(10, `"id":"IL-11","name_he":"תקומה"`),
		square(11, `"id":"IL-12","name_he":"מסעדה","district_he":"גולן צפון"`),
		square(12, `"id":"IL-13","name_he":"חספין","district_he":"גולן דרום"`),
	)
	d, err := Districts(b)
	if err != nil {
		t.Fatal(err)
	}
	return NewGazetteer(s, d)
}

func TestUkrainianPlaces(t *testing.T) {
	g := ukrainian(t)
	const oblast = "Mykolaivska oblast"
	for _, c := range []struct {
		oblast, raion, hromada string
		rule                   Rule
		want                   string
	}{
		{oblast, "", "", Written, "UA48000000000039575"},
		{"mykolaivska  OBLAST", "", "", Written, "UA48000000000039575"},
		{"Kyiv City", "", "", Written, "UA80000000000093317"},
		{oblast, "Pervomaiskyi raion", "", Written, "R1"},
		{oblast, "Novohrad-Volynskyi raion", "", Renamed, "R2"},
		{oblast, "Pervomaiskyi raion", "m. Pervomaisk ta Pervomaiska terytorialna hromada", Written, "H1"},
		{oblast, "Novohrad-Volynskyi raion", "Pervomaiska terytorialna hromada", Written, "H2"},
		{oblast, "", "Pervomaiska terytorialna hromada", Written, "H2"}, // not "m.": not the city's
		{oblast, "Pervomaiskyi raion", "Kryvoozerska terytorialna hromada", Written, "H3"},
		{oblast, "Pervomaiskyi raion", "Same terytorialna hromada", Widened, "R1"}, // two are called so
		{oblast, "Pervomaiskyi raion", "Nowhere terytorialna hromada", Widened, "R1"},
		{oblast, "Nowhere raion", "Nowhere terytorialna hromada", Widened, "UA48000000000039575"},
		{oblast, "Nowhere raion", "", Widened, "UA48000000000039575"},
		{"Nowhere oblast", "", "", Unknown, ""},
		{"", "", "", Unknown, ""},
	} {
		p, exchanged := g.Ukrainian(c.oblast, c.raion, c.hromada)
		if p.Rule != c.rule || p.Label() != c.want || exchanged {
			t.Errorf("%s / %s / %s: %s by %q, want %s by %q", c.oblast, c.raion, c.hromada, p.Label(), p.Rule, c.want, c.rule)
		}
	}
	if p, exchanged := g.Ukrainian("Pervomaiskyi raion", oblast, "Kryvoozerska terytorialna hromada"); p.Label() != "H3" || !exchanged {
		t.Errorf("exchanged columns: %v %v", p, exchanged)
	}
}

func TestIsraeliPlaces(t *testing.T) {
	g := israeli(t)
	for row, want := range map[string]string{
		"אשקלון - צפון":        "as written IL-1",
		"אשקלון":               "spelling IL-1 IL-2",
		"אשקלון - מרכז":        "widened IL-1 IL-2",
		"שדרות, איבים, ניר עם": "as written IL-3; as written IL-4",
		"איבים":                "spelling IL-3",
		"ניר-עם":               "as written IL-4",
		"גת":                   "as written IL-6",
		"ג'ת":                  "as written IL-5",
		"אשדוד -יא,יב,טו,יז,מרינה,סיט, גת": "spelling IL-7; as written IL-6",
		"בת-ים":              "as written IL-8",
		"לקיה והפזורה":       "spelling IL-9",
		"פזורה לקיה":         "spelling IL-9",
		"שהם":                "renamed IL-10",
		"תקומה ולקיה":        "spelling IL-9 IL-11",
		"תקומה וחוות יזרעם":  "partly IL-11",
		"עוטף עזה 224":       "widened IL-3 IL-4",
		"עוטף עזה":           "as written IL-3 IL-4",
		"מרחב אשקלון 247":    "widened IL-1 IL-2",
		"גולן 3":             "widened IL-12 IL-13", // divided since
		"ואדי 3":             "unknown",             // one district begins so: it may be another
		"באר שבע 288, בת ים": "unknown; as written IL-8",
		"אין מקום כזה":       "unknown",
		",,":                 "",
	} {
		var got []string
		for _, n := range g.Israeli(row) {
			s := string(n.Place.Rule)
			for _, id := range n.Place.Zones {
				s += " " + string(id)
			}
			got = append(got, s)
		}
		ids := strings.Join(got, "; ")
		if sorted(ids) != sorted(want) {
			t.Errorf("%s: %s, want %s", row, ids, want)
		}
	}
}

// sorted makes the order of ids within a place no matter.
func sorted(s string) string {
	parts := strings.Split(s, "; ")
	for i := range parts {
		words := strings.Fields(parts[i])
		slices.Sort(words)
		parts[i] = strings.Join(words, " ")
	}
	return strings.Join(parts, "; ")
}

const uaHeader = "oblast,raion,hromada,level,started_at,finished_at,source\n"

// TestBadUkrainianRows: each bad row is named with its line and why, and the rest goes on.
func TestBadUkrainianRows(t *testing.T) {
	const good = "Mykolaivska oblast,,,oblast,2022-03-15 16:10:34+00:00,2022-03-15 16:50:07+00:00,official"
	text := "\ufeff" + uaHeader + strings.Join([]string{
		good, // line 2
		"Kyiv City,,,oblast,2022-03-15 17:00:00+00:00,2022-03-15 16:00:00+00:00,official",
		"Kyiv City,,,oblast,2022-03-15 17:00:00+00:00,2022-03-15 17:00:00+00:00,official",
		"Kyiv City,,,oblast,2022-03-32 17:00:00+00:00,2022-03-15 17:00:00+00:00,official",
		"Kyiv City,,,oblast,2022-03-15 17:00:00+00:00,,official",
		"Kyiv City,,",
		"\xca\xe8\xbf\xe2,,,oblast,2022-03-15 17:00:00+00:00,2022-03-15 18:00:00+00:00,official", // windows-1251
		"Kyiv\x00City,,,oblast,2022-03-15 17:00:00+00:00,2022-03-15 18:00:00+00:00,official",
		strings.Repeat("x", 1<<20),
		`"Kyiv City,,,oblast,2022-03-15 17:00:00+00:00,2022-03-15 18:00:00+00:00,official`,
		strings.TrimSuffix(uaHeader, "\n"),
		"",
		"\ufeffKyiv City,,,oblast,2022-03-15T15:00:00+02:00,2022-03-15T18:00:00Z,official",
		"Kyiv City,,,oblast,2022-03-15 18:00:00,2022-03-15 19:00:00,official\r",
		"Atlantis,,,oblast,2022-03-15 20:00:00+00:00,2022-03-15 21:00:00+00:00,official",
		"Kyiv City,,,oblast,0022-03-15 20:00:00+00:00,2022-03-15 21:00:00+00:00,official",
	}, "\n")
	h, err := Read(strings.NewReader(text), UAOfficial, ukrainian(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range h.Faults {
		got = append(got, fmt.Sprintf("%d %s %v", f.Line, f.Kind, f.Used))
	}
	want := []string{
		"3 time false", "4 time false", "5 time false", "6 time false", "7 columns false", "8 text false", "9 text false", "10 length false", "11 text false",
		"12 remark true", "14 order true", "15 remark true", "15 remark true", "17 time false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults\n%v\nwant\n%v\n%v", got, want, h.Faults)
	}
	// Of Kyiv two rows touch: 13 to 18 h and 18 to 19 h are one alarm.
	if len(h.Alarms) != 2 || h.Alarms[0].Place.Label() != "UA80000000000093317" || h.Alarms[0].End.Sub(h.Alarms[0].Start) != 6*time.Hour || len(h.Alarms[0].Rows) != 2 {
		t.Errorf("%d alarms: %+v", len(h.Alarms), h.Alarms)
	}
	if n := h.Names[len(h.Names)-1]; n != (Name{"Atlantis", Unknown, 0, 1}) {
		t.Errorf("what is not known: %+v", n)
	}
	if h.Rows != 14 {
		t.Errorf("%d rows", h.Rows)
	}
}

// TestImplausibleRows: rows with other numbers of fields than the header, alarms that last for
// months, and rows years away from all others are named with their line; only what can be
// meant is used, and one mistyped year makes no replay of decades.
func TestImplausibleRows(t *testing.T) {
	kyiv := func(from, to, more string) string { return "Kyiv City,,,oblast," + from + "," + to + more }
	const at, end = "2022-03-15 17:00:00+00:00", "2022-03-15 18:00:00+00:00"
	lines := []string{
		kyiv(at, end, ",official"),                                                        // line 2
		kyiv(at, end, ",official,more"),                                                   // a field that no column has
		kyiv(at, end, ",official,,"),                                                      // commas alone
		kyiv(at, end, ""),                                                                 // without its source, which is not read
		kyiv(at, "2023-03-15 18:00:00+00:00", ",official"),                                // a year
		kyiv(at, "2022-04-03 17:00:00+00:00", ",official"),                                // 19 days
		kyiv("2032-03-15 17:00:00+00:00", "2032-03-15 18:00:00+00:00", ",x"),              // ten years later
		kyiv("1972-03-15 17:00:00+00:00", "1972-03-15 18:00:00+00:00", ",x"),              // and fifty before
		"Kyiv, City,,,oblast," + at + "," + end + ",official",                             // a comma that nobody quoted
		`"Kyiv City",,,"oblast","` + at + `","` + end + `","the ""official"" one"` + "\r", // quoted, and none the worse
	}
	for i := range 20 {
		lines = append(lines, kyiv(fmt.Sprintf("2022-05-%02d 17:00:00+00:00", i+1), fmt.Sprintf("2022-05-%02d 18:00:00+00:00", i+1), ",official"))
	}
	h, err := Read(strings.NewReader(uaHeader+strings.Join(lines, "\n")), UAOfficial, ukrainian(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range h.Faults {
		got = append(got, fmt.Sprintf("%d %s %v", f.Line, f.Kind, f.Used))
	}
	want := []string{
		"3 columns false", "4 columns true", "5 columns true", "6 time false", "7 long true", "8 alone false", "9 order true", "9 alone false", "10 columns false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults\n%v\nwant\n%v\n%v", got, want, h.Faults)
	}
	from, to := h.Span()
	if from.Format(time.DateOnly) != "2022-03-15" || to.Format(time.DateOnly) != "2022-05-20" || len(h.Alarms) != 21 {
		t.Errorf("%d alarms from %s to %s", len(h.Alarms), from, to)
	}
}

// TestMistypedYearOfManyPlaces: a row is one slip, however many places it names.
func TestMistypedYearOfManyPlaces(t *testing.T) {
	var b strings.Builder
	b.WriteString(ilHeader)
	for day := range 20 {
		fmt.Fprintf(&b, "שוהם,%02d.10.2023,06:29:00,x,1,x,1,1\n", day+1)
	}
	b.WriteString(`"אשקלון - צפון, אשקלון - דרום, שדרות, ניר עם, גת, ג'ת, בת ים, לקיה, שוהם, תקומה, מסעדה, חספין",07.10.2032,06:29:00,x,1,x,1,1` + "\n")
	h, err := Read(strings.NewReader(b.String()), ILAlerts, israeli(t))
	if err != nil || len(h.Alarms) != 20 || len(h.Faults) != 1 || h.Faults[0].Line != 22 || h.Faults[0].Kind != Alone || h.Faults[0].Used {
		t.Errorf("%v: %d alarms, %v", err, len(h.Alarms), h.Faults)
	}
}

// TestTwoWars: what is years away from the rest and no single slip is used, and named once.
func TestTwoWars(t *testing.T) {
	var b strings.Builder
	b.WriteString(uaHeader)
	for _, year := range []int{2019, 2022} {
		for day := range 5 {
			fmt.Fprintf(&b, "Kyiv City,,,oblast,%d-03-%02d 17:00:00+00:00,%d-03-%02d 18:00:00+00:00,official\n", year, day+1, year, day+1)
		}
	}
	h, err := Read(strings.NewReader(b.String()), UAOfficial, ukrainian(t))
	if err != nil || len(h.Alarms) != 10 || len(h.Faults) != 1 || h.Faults[0].Line != 7 || h.Faults[0].Kind != Alone || !h.Faults[0].Used {
		t.Errorf("%v: %d alarms, %v", err, len(h.Alarms), h.Faults)
	}
}

const ilHeader = "data,date,time,alertDate,category,category_desc,matrix_id,rid\n"

// TestIsraeliTimes: local times, over both changes of the clocks, and how long an alarm lasts.
func TestIsraeliTimes(t *testing.T) {
	row := func(place, date, clock, category string) string {
		return fmt.Sprintf("%s,%s,%s,x,%s,x,1,1", place, date, clock, category)
	}
	text := ilHeader + strings.Join([]string{
		row("גת", "07.10.2023", "06:29:00", "1"), // 2: summer time, 03:29 UTC
		row("גת", "07.10.2023", "06:35:00", "1"),
		row("גת", "07.10.2023", "06:37:00", "2"), // of aircraft: another alarm
		row("גת", "24.03.2023", "02:30:00", "1"), // 5: never was; before the row above
		row("גת", "29.10.2023", "01:30:00", "1"), // 6: was twice; the first is meant
		row("גת", "29.10.2023", "01:50:00", "1"),
		row("גת", "29.10.2023", "01:10:00", "1"), // 8: was twice; after the row above the second is meant
		row("גת", "29.10.2023", "02:00:00", "13"),
		row("גת", "29.10.2023", "02:00:00", "14"),
		row("גת", "29.10.2023", "02:00:00", "15"),
		row("גת", "29.10.2023", "02:00:00", "10"),
		row("גת", "29.10.2023", "02:00:00", "missiles"),
		row("גת", "29.10.2023", "25:00:00", "1"),
		row("", "29.10.2023", "03:00:00", "1"),
		row("בדיקה ידנית 1", "29.10.2023", "03:00:00", "1"),
	}, "\n")
	h, err := Read(strings.NewReader(text), ILAlerts, israeli(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range h.Alarms {
		got = append(got, fmt.Sprintf("%s %s-%s %d", a.Threat, a.Start.UTC().Format("0102T15:04:05"), a.End.UTC().Format("15:04:05"), len(a.Rows)))
	}
	want := []string{
		"rocket 0324T00:30:00-00:40:00 1", "rocket 1007T03:29:00-03:45:00 2", "aircraft 1007T03:37:00-03:47:00 1",
		"rocket 1028T22:30:00-22:40:00 1", "rocket 1028T22:50:00-23:00:00 1", "rocket 1028T23:10:00-23:20:00 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("alarms\n%v\nwant\n%v", got, want)
	}
	var faults []string
	for _, f := range h.Faults {
		faults = append(faults, fmt.Sprintf("%d %s %v", f.Line, f.Kind, f.Used))
	}
	wantFaults := []string{
		"5 lost-hour true", "5 order true", "6 doubled-hour true", "7 doubled-hour true", "8 doubled-hour true",
		"13 columns false", "14 time false", "15 columns false",
	}
	if !slices.Equal(faults, wantFaults) {
		t.Errorf("faults\n%v\nwant\n%v", faults, wantFaults)
	}
	for i, want := range map[int]string{2: "2023-10-28T22:30:00Z, the first", 4: "2023-10-28T23:10:00Z, the second, since the first is before the row above"} {
		if i >= len(h.Faults) || !strings.HasSuffix(h.Faults[i].What, "was twice in Jerusalem; read as "+want) {
			t.Errorf("fault %d does not say by which rule the hour was read: %v", i, h.Faults)
		}
	}
	total := 0
	for _, n := range h.Skipped {
		total += n
	}
	if total != 5 || h.Skipped["category 13, update"] != 1 || h.Skipped["category 15, drill"] != 1 || len(h.Skipped) != 5 {
		t.Errorf("skipped: %v", h.Skipped)
	}
	for _, a := range h.Alarms {
		if !a.Stays() || a.Threat != class.Rocket && a.Threat != class.Aircraft {
			t.Errorf("%+v", a)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"no end":           "oblast,raion,hromada,level,started_at,source\nx,,,,,\n",
		"of another kind":  ilHeader + "x,y,z\n",
		"utf-16":           "\xff\xfeo\x00b\x00l\x00",
		"binary":           "\x00\x01\x02\n",
		"windows-1251":     "\xee\xe1\xeb\xe0\xf1\xf2\xfc,raion\n",
		"a header of 1 MB": strings.Repeat("oblast,", 200_000),
	} {
		if _, err := Read(strings.NewReader(text), UAOfficial, ukrainian(t)); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(strings.NewReader("x"), "csv", ukrainian(t)); err == nil {
		t.Error("an unknown format was read")
	}
}

// TestColumnsByName: in any order and case, with others between.
func TestColumnsByName(t *testing.T) {
	text := "Finished_At,x,hromada,RAION,oblast,started_at\n2022-03-15 17:00:00+00:00,1,,,Kyiv City,2022-03-15 16:00:00+00:00\n"
	h, err := Read(strings.NewReader(text), UAOfficial, ukrainian(t))
	if err != nil || len(h.Alarms) != 1 || h.Alarms[0].Place.Label() != "UA80000000000093317" {
		t.Errorf("%v %+v", err, h)
	}
}

// TestBetween: a night cut out of a history.
func TestBetween(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2022, 3, 15, h, 0, 0, 0, time.UTC) }
	h := &History{Alarms: []Alarm{{Start: at(1), End: at(3)}, {Start: at(2), End: at(9)}, {Start: at(4), End: at(5)}, {Start: at(8), End: at(10)}}}
	got := h.Between(at(3), at(8))
	if len(got) != 2 || !got[0].Start.Equal(at(3)) || !got[0].End.Equal(at(8)) || !got[1].Start.Equal(at(4)) {
		t.Errorf("%+v", got)
	}
	if len(got) == 2 && (!got[0].GoesOn.Equal(at(9)) || !got[1].GoesOn.IsZero()) {
		t.Errorf("what was cut off is not told: %+v", got)
	}
	if len(h.Between(time.Time{}, time.Time{})) != 4 {
		t.Error("without bounds something is missing")
	}
}

// TestShippedHistories holds what the readers make of both files over the shipped sets:
// every row is an alarm's, skipped, at fault, or of a place that is named as not known.
func TestShippedHistories(t *testing.T) {
	for _, c := range []struct {
		file, set string
		format    Format
		rows      int
		unknown   int // rows of places not known
	}{
		{"ua-official-2022-03_2023-11.csv.gz", "ua", UAOfficial, 33066, 0},
		{"il-alerts-2014_2023.csv.gz", "il", ILAlerts, 25401, 230},
	} {
		t.Run(c.set, func(t *testing.T) {
			f := openShared(t, filepath.Join("history", c.file))
			s, err := zones.Open(c.set)
			if err != nil {
				t.Fatal(err)
			}
			districts, err := zones.Districts(c.set)
			if err != nil {
				t.Fatal(err)
			}
			h, err := Read(unpack(t, f), c.format, NewGazetteer(s, districts))
			if err != nil {
				t.Fatal(err)
			}
			skipped, left, unknown := 0, 0, 0
			for _, n := range h.Skipped {
				skipped += n
			}
			for _, f := range h.Faults {
				if !f.Used {
					left++
				}
			}
			for _, n := range h.Names {
				if n.Rule == Unknown {
					unknown += n.Rows
				}
			}
			if h.Rows != c.rows || unknown != c.unknown || left != 0 {
				t.Errorf("%d rows, %d of places not known, %d left out", h.Rows, unknown, left)
			}
			if gone := h.Rows - skipped - h.Used(); gone < 0 || gone > unknown {
				t.Errorf("%d rows are neither an alarm's nor skipped, and %d name a place that is not known", gone, unknown)
			}
		})
	}
}

func openShared(t testing.TB, name string) *os.File {
	t.Helper()
	base := os.Getenv("TOCSIN_SHARED")
	if base == "" {
		base = filepath.Join("..", "..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(base, "data", name))
	if err != nil {
		t.Skipf("%s is absent", name)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
