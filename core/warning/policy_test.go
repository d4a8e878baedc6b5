package warning

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
)

func TestDefaultPolicy(t *testing.T) {
	p, err := ReadPolicy(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if p.Version != "shipped 3" || p.Rearm != 10*time.Minute || p.Young != (Young{Updates: 3, Sensors: 2, People: 1_000_000}) {
		t.Errorf("policy %+v", p)
	}
	if p.Longest != 3*time.Hour || p.Respect != 10*time.Minute || p.Unidentified != (Unidentified{}) || len(p.Hash) != 64 {
		t.Errorf("policy %+v", p)
	}
	quick := map[class.Class]bool{class.Rocket: true, class.BallisticMissile: true, class.GlideBomb: true}
	ballistic := map[class.Class]bool{class.Rocket: true, class.BallisticMissile: true}
	for _, c := range class.All() {
		stay := 3 * time.Minute
		if ballistic[c] {
			stay = 10 * time.Minute
		}
		prepare := Rule{Probability: 0.05, Lead: 15 * time.Minute, Clear: 0.25, Hold: 5 * time.Minute, Stay: stay}
		if quick[c] {
			prepare.Hold = 2 * time.Minute
		}
		if got := p.Rule(c, Prepare); got != prepare {
			t.Errorf("%s prepare %+v", c, got)
		}
		shelter := Rule{Probability: 0.2, Lead: 2 * time.Minute, Clear: 0.25, Hold: 5 * time.Minute, Stay: stay}
		if quick[c] {
			shelter.Probability, shelter.Lead, shelter.Hold, shelter.AtOnce = 0.05, 0, 2*time.Minute, true
		}
		if got := p.Rule(c, Shelter); got != shelter {
			t.Errorf("%s shelter %+v", c, got)
		}
	}
	if p.Rule(class.Drone, Quiet) != (Rule{}) || p.Rule(99, Shelter) != (Rule{}) {
		t.Error("there is a rule for what there is not")
	}
}

// TestSparingPolicy: the example is the policy that ships but for what it says it changes.
func TestSparingPolicy(t *testing.T) {
	file, err := os.ReadFile("../../examples/policy-sparing.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadPolicy(file)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultPolicy()
	want.Version, want.Hash = "sparing 2", got.Hash
	want.Young = Young{Updates: 8, Sensors: 2, People: 20_000, Last: 30 * time.Second}
	for i := range want.Rules {
		if r := &want.Rules[i][Shelter-1]; !r.AtOnce {
			r.Lead, r.Clear = time.Minute, 0.4
		}
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestReadPolicyModes(t *testing.T) {
	for text, want := range map[string]Mode{
		"automatic": {}, "confirm": {Confirm: true}, "veto 10s": {Veto: 10 * time.Second}, "veto 10 s": {Veto: 10 * time.Second},
	} {
		p, err := ReadPolicy([]byte(strings.ReplaceAll(string(shipped), "mode: automatic", "mode: "+text)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := p.Rule(class.Drone, Shelter).Mode; got != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
	left := regexp.MustCompile(`(?m)^(version|young|rearm):.*\n`).ReplaceAllString(string(shipped), "")
	if p, err := ReadPolicy([]byte(left)); err != nil || p.Young != defaultYoung || p.Rearm != defaultRearm || p.Version != "" {
		t.Errorf("what may be left out: %+v %v", p, err)
	}
	if p, err := ReadPolicy([]byte(left + "young: unbounded\nrearm: 0s\n")); err != nil || p.Young != (Young{}) || p.Rearm != 0 {
		t.Errorf("what may be taken off: %+v %v", p, err)
	}
	for text, want := range map[string]Unidentified{
		"by class": {}, "ignore": {Ignore: true}, "drone": {As: class.Drone, Fixed: true},
	} {
		p, err := ReadPolicy([]byte(strings.Replace(string(shipped), "unidentified: by class", "unidentified: "+text, 1)))
		if err != nil || p.Unidentified != want {
			t.Errorf("%s: %+v %v", text, p.Unidentified, err)
		}
	}
}

// TestReadPolicyRefuses changes the file that ships in one place each.
func TestReadPolicyRefuses(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(string(shipped), old, new, 1) }
	for name, c := range map[string]struct{ text, says string }{
		"empty":                 {"", "empty"},
		"not yaml":              {"\t{", "policy:"},
		"unknown key":           {swap("longest:", "longst: 1h\nlongest:"), `line 29: "longst" is no key here`},
		"unknown rule key":      {swap("hold: 2m", "hold: 2m, holt: 3m"), `line 43: threats: ballistic-missile: prepare: "holt" is no key here`},
		"twice":                 {swap("longest:", "longest: 1h\nlongest:"), `line 30: "longest" stands here twice`},
		"two documents":         {string(shipped) + "\n---\nlongest: 3h\n", "more than one document"},
		"missing longest":       {swap("longest:", "#"), "longest"},
		"missing class":         {swap("  rocket:\n", "  #\n"), "line 42: threats: rocket is missing"},
		"missing stage":         {swap("    shelter: {probability: 0.2", "    #"), "shelter"},
		"missing hold":          {swap(", hold: 2m", ""), "ballistic-missile: prepare"},
		"probability 0":         {swap("probability: 0.05", "probability: 0"), "probability"},
		"probability 2":         {swap("probability: 0.05", "probability: 2"), "probability"},
		"probability nan":       {swap("probability: 0.05", "probability: .nan"), "probability"},
		"clear 1":               {swap("clear: 0.25", "clear: 1"), "clear"},
		"negative":              {swap("hold: 2m", "hold: -2m"), "below zero"},
		"no unit":               {swap("hold: 2m", "hold: 2"), "not a duration"},
		"lead":                  {swap("lead: at once", "lead: soon"), "not a duration"},
		"mode":                  {swap("mode: automatic", "mode: perhaps"), `"perhaps"`},
		"veto too long":         {swap("mode: automatic", "mode: veto 1h"), "between 1s and 1m"},
		"mode list":             {swap("mode: automatic", "mode: [confirm]"), "mode: here must be one value"},
		"unidentified":          {swap("by class", "by chance"), "unidentified"},
		"longest":               {swap("longest: 3h", "longest: 1m"), "longest"},
		"respect":               {swap("respect: 10m", "respect: 100h"), "respect"},
		"lead too long":         {swap("lead: 15m", "lead: 100h"), "prepare: lead: 100h is over 6h"},
		"prepare above shelter": {swap("prepare: {probability: 0.05", "prepare: {probability: 0.06"), "its probability 0.06 is above the shelter's 0.05"},
		"prepare after shelter": {swap("prepare: {probability: 0.05, lead: 15m, clear: 0.25, hold: 5m, stay: 3m", "prepare: {probability: 0.05, lead: 1m, clear: 0.25, hold: 5m, stay: 3m"), "its lead 1m is shorter than the shelter's 2m"},
		"never starts":          {swap("shelter: {probability: 0.2", "shelter: {probability: 0.99"), "0.99 is above 0.95"},
		"never clears":          {swap("longest: 3h", "longest: 12m"), "nothing could be cleared"},
		"young people":          {swap("people: 1000000", "people: -1"), "young: people: -1 is not a whole number"},
		"young key":             {swap("people: 1000000", "persons: 1"), `young: "persons" is no key here`},
		"version":               {swap("version: shipped 3", "version: \"a\\nb\""), "a version has 1 to 40"},
		"rearm":                 {swap("rearm: 10m", "rearm: 2h"), "rearm: 2h is over 1h"},
		"a list":                {"- a\n- b\n", "line 1: here must be the keys longest"},
		"merge":                 {swap("longest: 3h", "<<: *x"), "x"},
		"long":                  {string(shipped) + strings.Repeat("#", maxPolicy), "bytes"},
	} {
		_, err := ReadPolicy([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func FuzzReadPolicy(f *testing.F) {
	f.Add(shipped)
	f.Add([]byte("longest: &a 3h\nrespect: *a\n"))
	f.Add([]byte("threats: {drone: {prepare: {mode: veto }}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadPolicy(b)
		if err != nil {
			return
		}
		for _, c := range class.All() {
			for _, s := range []Stage{Prepare, Shelter} {
				if r := p.Rule(c, s); !(r.Probability > 0) || !(r.Clear > 0) || r.Hold < 0 || r.Stay < 0 || r.Lead < 0 {
					t.Fatalf("%s %s: %+v", c, s, r)
				}
			}
		}
	})
}
