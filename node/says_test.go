package node

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tocsin/core/class"
)

// confusing goes on where good ends, in its line 23.
const confusing = `    says:
      ballistic-missile: {ballistic-missile: 1}
      cruise-missile: {cruise-missile: 0.9, unknown: 0.1}
      rocket: {rocket: 0.9, unknown: 0.1}
      drone: {drone: 0.8, aircraft: 0.15, unknown: 0.05}
      glide-bomb: {glide-bomb: 0.9, unknown: 0.1}
      aircraft: {aircraft: 0.7, drone: 0.3}
      unknown: {unknown: 1}
`

func TestSaysIsRead(t *testing.T) {
	c, err := parseConfig([]byte(good + confusing))
	if err != nil {
		t.Fatal(err)
	}
	got := c.Sources[0].Observed().Confusion
	want := class.Mix{class.Drone: 0.8, class.Aircraft: 0.15, class.Unknown: 0.05}
	if got[class.Drone] != want || got[class.Aircraft][class.Drone] != 0.3 || got.Check() != nil {
		t.Errorf("read as %v", got)
	}
	if c, err = parseConfig([]byte(good)); err != nil || c.Sources[0].Observed().Confusion.Given() {
		t.Errorf("none was given: %v", err)
	}
}

// TestLiarRowsAreRefused: with line, and in words.
func TestLiarRowsAreRefused(t *testing.T) {
	cases := []struct{ old, new, names string }{
		{"drone: 0.8,", "drone: -0.8,", `line 27: says: drone: drone: "-0.8" is no probability`},
		{"drone: 0.8,", "drone: 0.7,", "line 27: says: drone: its figures sum to 0.9; they must sum to 1"},
		{"drone: 0.8,", "drone: .nan,", `line 27: says: drone: drone: ".nan" is no probability`},
		{"drone: 0.8,", "drone: NaN,", `line 27: says: drone: drone: "NaN" is no probability`},
		{"drone: 0.8,", "drone: Inf,", `line 27: says: drone: drone: "Inf" is no probability`},
		{"drone: 0.8,", "drone: [0.8],", "line 27: says: drone: drone"},
		{"drone: 0.8,", "drone: 0.8, drone: 0.8,", "line 27"},
		{"drone: 0.8,", "balloon: 0.8,", `line 27: says: "balloon" is no class`},
		{"      rocket:", "      balloon:", `line 26: says: "balloon" is no class`},
		{"      rocket: {rocket: 0.9, unknown: 0.1}\n", "", "says: the row of rocket is missing"},
		{"{unknown: 1}", "{}", "line 30: says: unknown: missing"},
		{"{unknown: 1}", "1", "line 30: says: classes and how often"},
		{"{unknown: 1}", "{<<: {unknown: 1}}", "line 30"},
	}
	for _, c := range cases {
		text := strings.Replace(confusing, c.old, c.new, 1)
		if text == confusing {
			t.Fatalf("%q is not there", c.old)
		}
		if _, err := parseConfig([]byte(good + text)); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v; it must say %q", c.new, err, c.names)
		}
	}
	file := filepath.Join(t.TempDir(), "tocsin.yaml")
	if err := os.WriteFile(file, []byte(good+strings.Replace(confusing, "0.8", "2", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadConfig(file); err == nil || !strings.Contains(err.Error(), file+": line 27: ") {
		t.Errorf("%v; it must name the file and the line", err)
	}
	made, err := parseConfig([]byte(good + confusing))
	if err != nil {
		t.Fatal(err)
	}
	made.Sources[0].Says[class.Drone][class.Rocket] = 0.5
	if err := made.Check(); err == nil || !strings.Contains(err.Error(), "says: drone") {
		t.Errorf("a configuration made in the program: %v", err)
	}
}

// TestExampleSays: what the example shows as a comment is taken.
func TestExampleSays(t *testing.T) {
	b, err := os.ReadFile("../examples/tocsin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, found := strings.Cut(string(b), "    # says:\n")
	if !found {
		t.Fatal("the example shows no says")
	}
	shown = regexp.MustCompile(`(?m)^    # `).ReplaceAllString(shown, "    ")
	c, err := parseConfig([]byte(good + "    says:\n" + shown))
	if err != nil || !c.Sources[0].Observed().Confusion.Given() {
		t.Errorf("%v", err)
	}
}
