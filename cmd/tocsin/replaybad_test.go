package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplayNamesBadRows: a history with every kind of bad row is replayed; each is named with
// its line in what the command prints, and the rest goes on.
func TestReplayNamesBadRows(t *testing.T) {
	for name, c := range map[string]struct {
		format string
		lines  []string
		want   []string
		rest   string
	}{
		"ukraine": {"ua-official", []string{
			"oblast,raion,hromada,level,started_at,finished_at,source",
			"Kyiv City,,,oblast,2022-10-10 03:00:00+00:00,2022-10-10 03:20:00+00:00,official",
			"Kyiv City,,",
			"\xca\xe8\xbf\xe2,,,oblast,2022-10-10 04:00:00+00:00,2022-10-10 04:20:00+00:00,official",
			"Sumska oblast,,,oblast,2022-10-10 05:00:00+00:00,2022-10-10 04:00:00+00:00,official",
			"Sumska oblast,,,oblast,2022-10-10 02:00:00+00:00,2022-10-10 02:30:00+00:00,official",
			"Sumska oblast,,,oblast,yesterday,2022-10-10 02:30:00+00:00,official",
			"Atlantis,,,oblast,2022-10-10 05:00:00+00:00,2022-10-10 06:00:00+00:00,official",
			"Sumska oblast,,,oblast,2022-10-10 05:00:00+00:00,2023-10-10 05:30:00+00:00,official", // a year
			"Sumska oblast,,,oblast,2022-10-10 05:00:00+00:00,2022-10-10 05:30:00+00:00,official,more",
		}, []string{
			"line 3: ", "line 4: ", "line 5: it ends at 2022-10-10 04:00:00+00:00 and starts at 2022-10-10 05:00:00+00:00; the row is left out",
			"line 6: ", "line 7: ", "1 rows: Atlantis", "line 9: it lasts 365 days", "line 10: it has 8 fields and the header 7; the row is left out",
			"kind columns: 2", "kind order: 1", "kind text: 1", "kind time: 3",
		}, "4 taken: 2 declared, 0 extended, 2 ended"},
		"israel": {"il-alerts", []string{
			"data,date,time,alertDate,category,category_desc,matrix_id,rid",
			"שדרות,24.03.2023,01:30:00,x,1,x,1,1",
			"שדרות,24.03.2023,02:30:00,x,1,x,1,1", // the clocks went from 2 to 3
			"שדרות,29.10.2023,01:30:00,x,1,x,1,1", // was twice
			"שדרות,29.10.2023,09:30:00,x,15,x,1,1",
			"שדרות,31.02.2023,09:30:00,x,1,x,1,1",
		}, []string{"line 3: 24.03.2023 02:30:00 never was in Jerusalem", "line 4: ", "line 6: ", "skipped: 1 rows, category 15, drill", "kind lost-hour: 1; an hour that the clocks skipped is read as by a clock that was not put forward",
			"kind doubled-hour: 1; an hour that was twice is read as the first of the two, or as the second where the first is before the row above", "was twice in Jerusalem; read as 2023-10-28T22:30:00Z, the first", "kind time: 1"},
			"6 taken: 3 declared, 0 extended, 3 ended"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bad.csv")
			if err := os.WriteFile(file, []byte(strings.Join(c.lines, "\n")), 0o600); err != nil {
				t.Fatal(err)
			}
			code, out, problems := runLine(t, "", "replay", file, "--format", c.format)
			if code != 0 {
				t.Fatalf("exit %d\n%s%s", code, out, problems)
			}
			for _, s := range append(c.want, c.rest) {
				if !strings.Contains(out, s) {
					t.Errorf("%q is not in\n%s", s, out)
				}
			}
			headless := filepath.Join(t.TempDir(), "headless.csv")
			if err := os.WriteFile(headless, []byte(strings.Join(c.lines[1:], "\n")), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, _, problems := runLine(t, "", "replay", headless, "--format", c.format); code != 1 || !strings.Contains(problems, "column") {
				t.Errorf("without its columns: exit %d, %s", code, problems)
			}
		})
	}
}
