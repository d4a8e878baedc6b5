package tracking

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// outcome plays a world and scores what comes of it.
func outcome(t testing.TB, w *World) (Cost, Score) {
	t.Helper()
	var b bytes.Buffer
	cost, err := w.Run(context.Background(), &b, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Evaluate(&b)
	if err != nil {
		t.Fatal(err)
	}
	return cost, s
}

// Bounds that every world of a family keeps to, whatever its seed.
func TestFamiliesOnOtherSeeds(t *testing.T) {
	for _, test := range []struct {
		family             string
		completeness, spur float64
		cover              [2]float64
		confirm            float64
	}{
		{"a_crossing_10", 0.96, 0.01, [2]float64{0.93, 0.985}, 5},
		{"a_crossing_50", 0.96, 0.01, [2]float64{0.94, 0.985}, 4},
		{"b_cruise_10", 0.95, 0.01, [2]float64{0.92, 0.98}, 4},
		{"c_ballistic_5", 0.95, 0.01, [2]float64{0.92, 0.99}, 5},
		{"e_two_radars_20", 0.9, 0.02, [2]float64{0.93, 0.985}, 6},
		{"same_speed", 0.96, 0.01, [2]float64{0.93, 0.99}, 4},
		{"late_two_radars", 0.85, 0.05, [2]float64{0.9, 1}, 20},
	} {
		for seed := uint64(1); seed <= 2; seed++ {
			w, err := Make(test.family, seed)
			if err != nil {
				t.Fatal(err)
			}
			_, s := outcome(t, w)
			t.Logf("%s seed %d: GOSPA %.0f completeness %.3f spurious %.4f switches %d RMSE %.1f cover %.3f confirm %.1f",
				test.family, seed, s.GOSPA, s.Completeness, s.Spurious, s.Switches, s.RMSE, s.Cover, s.Confirm)
			if s.Completeness < test.completeness || s.Spurious > test.spur || s.Cover < test.cover[0] || s.Cover > test.cover[1] || s.Confirm > test.confirm || s.Never > 0 {
				t.Errorf("%s seed %d is out of its bounds %+v", test.family, seed, test)
			}
		}
	}
}

// What a motor drives and what the air brakes is followed through both: few tracks of one
// object, and the picture knows how good it is.
func TestMotorAndAir(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		for _, test := range []struct {
			family   string
			switches int
			spur     float64
			cover    [2]float64
		}{
			{"launch", 8, 0.03, [2]float64{0.92, 0.985}},
			{"reentry", 1, 0.02, [2]float64{0.92, 0.985}},
		} {
			w, err := Make(test.family, seed)
			if err != nil {
				t.Fatal(err)
			}
			_, s := outcome(t, w)
			t.Logf("%s seed %d: GOSPA %.0f completeness %.3f spurious %.4f switches %d cover %.3f", test.family, seed, s.GOSPA, s.Completeness, s.Spurious, s.Switches, s.Cover)
			if s.Switches > test.switches || s.Spurious > test.spur || s.Cover < test.cover[0] || s.Cover > test.cover[1] {
				t.Errorf("%s seed %d is out of its bounds %+v", test.family, seed, test)
			}
		}
	}
}

// A world is the same for the same seed, and another for another.
func TestMakeIsDeterministic(t *testing.T) {
	for _, f := range Families {
		if strings.HasPrefix(f, "crowd") {
			continue
		}
		a, err := Make(f, 1)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := Make(f, 1)
		c, _ := Make(f, 2)
		if fmt.Sprint(a.Detections) != fmt.Sprint(b.Detections) || fmt.Sprint(a.Detections) == fmt.Sprint(c.Detections) {
			t.Errorf("%s: seeds do not decide", f)
		}
	}
	if _, err := Make("a_crossing_0", 1); err == nil {
		t.Error("a family that is none is made")
	}
}

// TestSeeds prints each family's means over several seeds, for whoever changes the tracker.
// It runs where TOCSIN_SEEDS says which, as 11-16; TOCSIN_FAMILIES names some of the families.
func TestSeeds(t *testing.T) {
	var from, till uint64
	if _, err := fmt.Sscanf(os.Getenv("TOCSIN_SEEDS"), "%d-%d", &from, &till); err != nil || till < from {
		t.Skip("TOCSIN_SEEDS names no seeds, as 11-16")
	}
	families := Families
	if some := os.Getenv("TOCSIN_FAMILIES"); some != "" {
		families = strings.Fields(some)
	}
	for _, f := range families {
		if f == "crowd_10000" { // the scorer's assignment is dense
			continue
		}
		var sum Score
		for seed := from; seed <= till; seed++ {
			w, err := Make(f, seed)
			if err != nil {
				t.Fatal(err)
			}
			_, s := outcome(t, w)
			sum.GOSPA += s.GOSPA
			sum.Completeness += s.Completeness
			sum.Spurious += s.Spurious
			sum.RMSE += s.RMSE
			sum.Cover += s.Cover
			sum.Confirm += s.Confirm
			sum.Switches += s.Switches
			sum.Never += s.Never
		}
		n := float64(till - from + 1)
		t.Logf("%-24s GOSPA %.1f completeness %.4f spurious %.4f switches %d never %d RMSE %.1f cover %.3f confirm %.2f",
			f, sum.GOSPA/n, sum.Completeness/n, sum.Spurious/n, sum.Switches, sum.Never, sum.RMSE/n, sum.Cover/n, sum.Confirm/n)
	}
}

// TestBenchTrack prints the peers' rows and ours, as the table of docs/figures.md. It runs
// for `make bench-track` only, which names the file to write the table into.
func TestBenchTrack(t *testing.T) {
	figures := os.Getenv("TOCSIN_FIGURES")
	if figures == "" {
		t.Skip("TOCSIN_FIGURES names no file: this is for make bench-track")
	}
	dir := fixtures(t)
	rows := peerRows(t, filepath.Join(dir, "PEERS.md"))
	var out strings.Builder
	out.WriteString("| scenario | tracker | scans | CPU ms/scan mean | p99 | GOSPA | OSPA | compl. | spur. | id sw. | RMSE m | 2σ cover | confirm s |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, peer := range peers {
		for _, r := range rows[peer.name] {
			out.WriteString(r + "\n")
		}
		w, err := Read(filepath.Join(dir, peer.name), true)
		if err != nil {
			t.Fatal(err)
		}
		cost, s := outcome(t, w)
		out.WriteString(ourRow(peer.name, cost, s))
	}
	for _, f := range Families {
		w, err := Make(f, 1)
		if err != nil {
			t.Fatal(err)
		}
		if f == "crowd_10000" { // a score of ten thousand by ten thousand would take hours
			cost, err := w.Run(context.Background(), io.Discard, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "| %s, seed 1 | **ours** | %d | %.3g | %.3g | | | | | | | | |\n", f, cost.Scans, ms(cost.Mean), ms(cost.P99))
			continue
		}
		cost, s := outcome(t, w)
		out.WriteString(ourRow(f+", seed 1", cost, s))
	}
	fmt.Print(out.String())
	rewrite(t, figures, out.String())
}

func ourRow(name string, c Cost, s Score) string {
	return fmt.Sprintf("| %s | **ours** | %d | %.3g | %.3g | %.0f | %.0f | %.3f | %.3f | %d | %.1f | %.3f | %.1f |\n",
		name, c.Scans, ms(c.Mean), ms(c.P99), s.GOSPA, s.OSPA, s.Completeness, s.Spurious, s.Switches, s.RMSE, s.Cover, s.Confirm)
}

// peerRows are the lines of the peers' table by scenario.
func peerRows(t *testing.T, file string) map[string][]string {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if f := strings.Split(line, "|"); len(f) > 12 {
			name := strings.TrimSpace(f[1])
			rows[name] = append(rows[name], strings.TrimSpace(line))
		}
	}
	if len(rows) < len(peers) {
		t.Fatalf("%s has rows of %d scenarios", file, len(rows))
	}
	return rows
}

// rewrite puts the table between the marks of the file.
func rewrite(t *testing.T, file, table string) {
	const from, till = "<!-- bench-track -->\n", "<!-- end of bench-track -->"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), from)
	_, tail, ok2 := strings.Cut(rest, till)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the table", file)
	}
	if err := os.WriteFile(file, []byte(head+from+table+till+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}
