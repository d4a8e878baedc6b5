package main

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"tocsin/core/geo"
	"tocsin/scenarios"
	"tocsin/sim"
)

// count is how many lines of a trace hold every one of the words.
func count(trace []string, words ...string) int {
	n := 0
	for _, line := range trace {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			n++
		}
	}
	return n
}

// after is the part of a trace behind the first line with a word.
func after(trace []string, word string) []string {
	i := slices.IndexFunc(trace, func(line string) bool { return strings.Contains(line, word) })
	return trace[i+1:]
}

// promises are what each scenario is there to show, whatever the figures in its trace.
// A trace alone would let a wrong one be written down as right.
var promises = map[string]func(t *testing.T, trace []string){
	"ballistic-arc.txt": func(t *testing.T, trace []string) {
		if count(trace, "confirmed ballistic-missile") == 0 || count(trace, "warning", "shelter ballistic-missile") == 0 {
			t.Error("nobody is sent to shelter from a ballistic missile")
		}
	},
	"citizens-report.txt": func(t *testing.T, trace []string) {
		if count(trace, "warning ", "prepare drone") == 0 {
			t.Error("what many citizens agree on prepares nobody")
		}
		if count(trace, "shelter") > 0 {
			t.Error("citizens alone send people to shelter")
		}
	},
	"clock-jump.txt": func(t *testing.T, trace []string) {
		if count(trace, "clock stepped by") != 2 {
			t.Error("the jumps of the clock are not seen")
		}
		if count(trace, "expired") > 0 {
			t.Error("a warning expires by the jump")
		}
		if count(after(trace, "clock stepped by 40s"), "warning", "shelter") == 0 {
			t.Error("after the jumps nothing is warned any more")
		}
	},
	"clutter-only.txt": func(t *testing.T, trace []string) {
		if count(trace, "warning ") > 0 {
			t.Error("false plots warn")
		}
	},
	"cruise-turns-away.txt": func(t *testing.T, trace []string) {
		if count(trace, "shelter cruise-missile") == 0 || count(trace, "all-clear") == 0 {
			t.Error("no shelter, or no all-clear after it turned")
		}
	},
	"drone-over-the-sea.txt": func(t *testing.T, trace []string) {
		if count(trace, "ended drone", "lost") == 0 {
			t.Error("the drone is not lost")
		}
		if lost := after(trace, "ended drone"); count(lost, "warning", "until") == 0 {
			t.Error("losing the drone ended the warning")
		}
		if count(trace, "expired") > 0 {
			t.Error("a zone that a live radar covers expires")
		}
	},
	"feed-dies.txt": func(t *testing.T, trace []string) {
		blind := after(trace, "dies")
		blind = blind[:slices.IndexFunc(blind, func(line string) bool { return strings.Contains(line, "lives") })]
		if count(blind, "all-clear") > 0 || count(blind, "expired") > 0 {
			t.Error("a dead feed ends a warning")
		}
		if count(blind, "condition raised") == 0 {
			t.Error("nobody is told that a warning rests on a dead feed")
		}
	},
	"friendly-crossing.txt": func(t *testing.T, trace []string) {
		if count(trace, "confirmed") < 2 || count(trace, "warning ") > 0 {
			t.Error("the friendly ones are not seen, or warn")
		}
	},
	"heard-not-seen.txt": func(t *testing.T, trace []string) {
		if n := count(trace, "confirmed drone"); n < 1 || n > 2 || count(trace, "shelter drone") == 0 {
			t.Error("what is only heard is not one track, or shelters nobody")
		}
	},
	"one-drone.txt": func(t *testing.T, trace []string) {
		if count(trace, "confirmed") != 1 || count(trace, "shelter drone") == 0 || count(trace, "all-clear drone") == 0 {
			t.Error("not one track, a shelter and an all-clear")
		}
	},
	"operator-cancels.txt": func(t *testing.T, trace []string) {
		if count(trace, "cancelled drone") == 0 || count(trace, "alert", " cancel ") == 0 {
			t.Error("the cancel is not said")
		}
	},
	"passed.txt": func(t *testing.T, trace []string) {
		if count(trace, "all-clear drone") == 0 {
			t.Error("no all-clear after the last one passed")
		}
	},
	"raid-of-50.txt": func(t *testing.T, trace []string) {
		if n := count(trace, " confirmed "); n < 40 {
			t.Errorf("%d tracks for fifty objects", n)
		}
	},
	"restart.txt": func(t *testing.T, trace []string) {
		ends := []string{"all-clear", "cancelled", "expired"}
		soon := after(trace, "restart")
		for _, line := range soon[:min(6, len(soon))] {
			for _, end := range ends {
				if strings.Contains(line, end) {
					t.Errorf("the restart ends something: %s", line)
				}
			}
		}
		if count(soon, " alert alert ") > 0 || count(soon, "alert ", " alert refs 0") > 0 {
			t.Error("the restart begins the warning anew")
		}
	},
	"rocket-20-seconds.txt": func(t *testing.T, trace []string) {
		if !strings.HasPrefix(trace[1], "00:2") || count(trace[:2], "shelter rocket") != 1 {
			t.Errorf("no shelter within seconds of the launch: %s", trace[1])
		}
	},
	"rumour.txt": func(t *testing.T, trace []string) {
		if count(trace, "confirmed") > 0 || count(trace, "warning ") > 0 {
			t.Error("a lie that is told a thousand times is believed")
		}
	},
	"salvo-30.txt": func(t *testing.T, trace []string) {
		if n := count(trace, " confirmed "); n < 24 {
			t.Errorf("%d tracks for thirty rockets", n)
		}
	},
	"two-radars.txt": func(t *testing.T, trace []string) {
		if count(trace, " confirmed ") != 1 {
			t.Error("one drone, seen by two radars, is not one track")
		}
	},
}

// TestScenarios runs every world through the core: the trace in its file to the letter,
// and what it is there to show.
func TestScenarios(t *testing.T) {
	names, err := fs.Glob(scenarios.Files, "*.txt")
	if err != nil || len(names) < 12 {
		t.Fatalf("%d scenarios: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := scenarios.Files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text, want := sim.Split(file)
			got, err := runScenario(text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("another trace than in the file; `make scenarios` rewrites it, read the difference\n%s", firstDifference(want, got))
			}
			promise := promises[path.Base(name)]
			if promise == nil {
				t.Fatal("nothing says what this scenario is there to show")
			}
			promise(t, got)
		})
	}
}

// TestDemonstrations holds the promise of the command line: the first zone is in shelter
// within 30 s, and the raid ends with an all-clear within five minutes.
func TestDemonstrations(t *testing.T) {
	for _, country := range []string{"ua", "il"} {
		t.Run(country, func(t *testing.T) {
			t.Parallel()
			w, err := demoCmd{Country: country}.world(nil)
			if err != nil {
				t.Fatal(err)
			}
			file, err := scenarios.Files.ReadFile("demo/" + country + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			trace, err := runScenario(file)
			if err != nil {
				t.Fatal(err)
			}
			first := slices.IndexFunc(trace, func(line string) bool { return strings.Contains(line, "| shelter") })
			if first < 0 || trace[first] > "00:25" {
				t.Fatalf("no shelter within 25 s: %v", trace[:min(3, len(trace))])
			}
			last := map[string]string{}
			for _, line := range trace {
				if _, rest, ok := strings.Cut(line, " warning "); ok {
					id, _, _ := strings.Cut(rest, ".")
					last[id] = line
				}
			}
			for id, line := range last {
				if strings.Contains(line, "until") || !strings.Contains(line, "all-clear") {
					t.Errorf("warning %s is not cleared after %s: %.200s", id, w.Lasts, line)
				}
			}
		})
	}
}

// TestSimRefuses: wrong files say what is wrong with them, and exit 1; wrong use exits 2.
func TestSimRefuses(t *testing.T) {
	var out, errs bytes.Buffer
	c := &console{ctx: t.Context(), in: strings.NewReader(""), out: &out, err: &errs}
	if code := run(c, []string{"sim", "main.go"}); code != 1 || !strings.Contains(errs.String(), "main.go: line 2: it is not YAML") {
		t.Errorf("a file that is no scenario: exit %d, %s", code, errs.String())
	}
	if code := run(c, []string{"sim"}); code != 2 {
		t.Errorf("no file: exit %d", code)
	}
	if code := run(c, []string{"sim", "--check", "--update", "main.go"}); code != 2 {
		t.Errorf("--check and --update together: exit %d", code)
	}
}

// TestDemoRunsItsScenario: the demonstration is the world that TestDemonstrations runs, with
// that world's policy and its radars registered as they are.
func TestDemoRunsItsScenario(t *testing.T) {
	for _, country := range []string{"ua", "il"} {
		d := demoCmd{Country: country, Listen: "127.0.0.1:0", Desk: "127.0.0.1:0"}
		w, err := d.world(nil)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := d.config(w, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := cfg.Check(); err != nil {
			t.Errorf("%s: %v", country, err)
		}
		policy, err := os.ReadFile(cfg.Policy)
		if err != nil || string(policy) != w.Policy || w.Policy == "" {
			t.Errorf("%s: the demonstration does not run under its scenario's policy: %v", country, err)
		}
		want := w.Sources()
		for i, s := range cfg.Sources {
			got := s.Observed()
			if got.Errors.Height != want[i].Errors.Height || got.Errors.Height == 0 || got.Errors.Range < geo.Metres(w.Radars[i].Noise.Range) ||
				got.Coverage != want[i].Coverage || got.Period != want[i].Period || got.Site != want[i].Site {
				t.Errorf("%s: %s is registered as %+v, it is %+v", country, s.ID, got, want[i])
			}
		}
	}
}
