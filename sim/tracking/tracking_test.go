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

func TestReport(t *testing.T) {
	dir := fixtures(t)
	ds, _ := filepath.Glob(filepath.Join(dir, "[a-e]_*"))
	for _, d := range ds {
		var b bytes.Buffer
		cost, err := Run(context.Background(), d, &b, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Evaluate(d, &b)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-24s cpu %.3f p99 %.3f ms | gospa %.0f ospa %.0f compl %.3f spur %.4f sw %d never %d rmse %.1f cover %.3f confirm %.1f | miss %.2f false %.2f", s.Scenario, float64(cost.Mean.Microseconds())/1000, float64(cost.P99.Microseconds())/1000,
			s.GOSPA, s.OSPA, s.Completeness, s.Spurious, s.Switches, s.Never, s.RMSE, s.Cover, s.Confirm, s.Missed, s.False)
	}
}

func BenchmarkScenario(b *testing.B) {
	dir := fixtures(b)
	for _, name := range []string{"a_crossing_100", "d_clutter_20"} {
		b.Run(name, func(b *testing.B) {
			s, err := Load(filepath.Join(dir, name))
			if err != nil {
				b.Fatal(err)
			}
			ds, err := Detections(filepath.Join(dir, name))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			scans := 0
			for b.Loop() {
				p := newPlayer(s)
				for i := 0; i < len(ds); {
					j := i
					for j < len(ds) && ds[j].Scan == ds[i].Scan {
						j++
					}
					if err := p.scan(ds[i:j]); err != nil {
						b.Fatal(err)
					}
					scans++
					i = j
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(scans), "µs/scan")
		})
	}
}
