package tracking

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fixtures finds the shared scenarios, or skips.
func fixtures(t testing.TB) string {
	t.Helper()
	shared := os.Getenv("TOCSIN_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(shared, "fixtures", "tracking")
	if _, err := os.Stat(filepath.Join(dir, "PEERS.md")); err != nil {
		t.Skipf("shared fixtures/tracking is absent: %v", err)
	}
	return dir
}

// A scorer of ours must give the peers' tracks the figures the peers were given.
func TestScoreAgreesWithPeers(t *testing.T) {
	dir := fixtures(t)
	files, _ := filepath.Glob(filepath.Join(dir, "peer-tracks", "*.csv.gz"))
	if len(files) == 0 {
		t.Fatal("no peer tracks")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csv.gz")
		t.Run(name, func(t *testing.T) {
			scenario, _, _ := strings.Cut(name, ".")
			f, err := Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := Evaluate(filepath.Join(dir, scenario), f)
			if err != nil {
				t.Fatal(err)
			}
			var want Score
			b, err := os.ReadFile(strings.TrimSuffix(file, ".csv.gz") + ".score.json")
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			same := func(what string, got, want, within float64) {
				if math.Abs(got-want) > within {
					t.Errorf("%s = %v, want %v", what, got, want)
				}
			}
			same("gospa", got.GOSPA, want.GOSPA, 0.051)
			same("ospa", got.OSPA, want.OSPA, 0.051)
			same("missed", got.Missed, want.Missed, 0.0051)
			same("false", got.False, want.False, 0.0051)
			same("completeness", got.Completeness, want.Completeness, 0.000051)
			same("spurious", got.Spurious, want.Spurious, 0.000051)
			same("switches", float64(got.Switches), float64(want.Switches), 0)
			same("never", float64(got.Never), float64(want.Never), 0)
			same("rmse", got.RMSE, want.RMSE, 0.051)
			same("cover", got.Cover, want.Cover, 0.00051)
			same("confirm", got.Confirm, want.Confirm, 0.0001)
		})
	}
}

// peers are the best peer's figures of PEERS.md, per scenario: the least GOSPA and the
// fewest identity switches of any row.
var peers = []struct {
	name     string
	gospa    float64
	switches int
}{
	{"a_crossing_10", 158, 0},
	{"a_crossing_50", 342, 0},
	{"a_crossing_100", 503, 0},
	{"b_cruise_10", 400, 0},
	{"b_cruise_50", 978, 11},
	{"c_ballistic_5", 486, 0},
	{"c_ballistic_20", 1264, 0},
	{"d_clutter_20", 274, 5},
	{"e_two_radars_20", 1120, 1},
	{"e_two_radars_biased_20", 1624, 4},
}

// The picture is not worse than the best peer in any scenario, better by a tenth in
// most, and hardly disturbed by a biased radar.
func TestAgainstPeers(t *testing.T) {
	dir := fixtures(t)
	better := 0
	got := map[string]Score{}
	for _, peer := range peers {
		var b bytes.Buffer
		cost, err := Run(context.Background(), filepath.Join(dir, peer.name), &b, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Evaluate(filepath.Join(dir, peer.name), &b)
		if err != nil {
			t.Fatal(err)
		}
		got[peer.name] = s
		t.Logf("%-24s cpu %.3f p99 %.3f ms | gospa %.0f (peer %.0f) ospa %.0f compl %.3f spur %.4f sw %d never %d rmse %.1f cover %.3f confirm %.1f",
			s.Scenario, float64(cost.Mean.Microseconds())/1000, float64(cost.P99.Microseconds())/1000,
			s.GOSPA, peer.gospa, s.OSPA, s.Completeness, s.Spurious, s.Switches, s.Never, s.RMSE, s.Cover, s.Confirm)
		if s.GOSPA > peer.gospa {
			t.Errorf("%s: GOSPA %.0f, the best peer's is %.0f", peer.name, s.GOSPA, peer.gospa)
		}
		if s.GOSPA <= 0.9*peer.gospa {
			better++
		}
		if s.Switches > max(peer.switches, 1) {
			t.Errorf("%s: %d identity switches, the best peer has %d", peer.name, s.Switches, peer.switches)
		}
		if s.Spurious > 0.01 || s.Never > 0 {
			t.Errorf("%s: spurious share %.4f, never tracked %d", peer.name, s.Spurious, s.Never)
		}
	}
	if better < 8 {
		t.Errorf("better by a tenth in %d of %d scenarios", better, len(peers))
	}
	if a, b := got["e_two_radars_20"].GOSPA, got["e_two_radars_biased_20"].GOSPA; b > 1.15*a {
		t.Errorf("a biased radar takes GOSPA from %.0f to %.0f", a, b)
	}
}

// The same scenario gives the same bytes.
func TestRunIsDeterministic(t *testing.T) {
	dir := filepath.Join(fixtures(t), "e_two_radars_20")
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		if _, err := Run(context.Background(), dir, out, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two runs differ")
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkScenario gives the processor time a scan takes, garbage collection included: the
// mean, and least-ms/scan, the mean of the least that each scan took in any of the runs, which
// what else the machine does lengthens less.
func BenchmarkScenario(b *testing.B) {
	dir := fixtures(b)
	for _, name := range []string{"a_crossing_100", "d_clutter_20"} {
		w, err := Read(filepath.Join(dir, name), false)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) { benchWorld(b, w) })
	}
	w, err := Make("crowd_10000", 1)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("crowd_10000", func(b *testing.B) { benchWorld(b, w) })
}

func benchWorld(b *testing.B, w *World) {
	ds := w.Detections
	b.ReportAllocs()
	var least []time.Duration
	var sum time.Duration
	runs := 0
	for b.Loop() {
		p := newPlayer(w.Scenario)
		for i, k := 0, 0; i < len(ds); k++ {
			j := i
			for j < len(ds) && ds[j].Scan == ds[i].Scan && ds[j].Sensor == ds[i].Sensor {
				j++
			}
			before := processTime()
			if _, err := p.scan(ds[i:j]); err != nil {
				b.Fatal(err)
			}
			took := processTime() - before
			if k == len(least) {
				least = append(least, took)
			}
			least[k] = min(least[k], took)
			sum += took
			i = j
		}
		runs++
	}
	var floor time.Duration
	for _, d := range least {
		floor += d
	}
	b.ReportMetric(ms(floor)/float64(len(least)), "least-ms/scan")
	b.ReportMetric(ms(sum)/float64(runs*len(least)), "cpu-ms/scan")
}
