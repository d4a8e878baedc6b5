package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// runLine is one command line as the program runs it.
func runLine(t *testing.T, in string, args ...string) (code int, out, problems string) {
	t.Helper()
	var o, e bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	code = run(&console{ctx: ctx, in: strings.NewReader(in), out: &o, err: &e}, args)
	return code, o.String(), e.String()
}

// leaks are words of libraries that tell an operator nothing.
var leaks = regexp.MustCompile(`unmarshal|\bEOF\b|no such file or|is a directory|dial tcp|strconv|invalid syntax|not found in type|<nil>|(?:^|: )(?:json|yaml): |goroutine|0x[0-9a-f]{6}|\bopen /|\bread /|%!|\bnode\.|EOL`)

// spoiltFiles are the ways in which a file can be the wrong one.
func spoiltFiles(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return map[string]string{
		"missing": filepath.Join(dir, "missing"),
		"folder":  t.TempDir(),
		"empty":   write("empty", ""),
		"binary":  write("binary", string([]byte{0xC3, 0x28, 0x00, 0xFF, 0xFE, 0x80, 0x81, 0x82, 0x0A, 0x22, 0xE2})),
		"yaml":    write("a.yaml", "universe: live\nzonez: [ua]\nsources:\n  - id: a\n    sac: x\n"),
	}
}

// withFile is each command as it is given one wrong file; those without a file have none.
func withFile(f string, dir string) map[string][][]string {
	out := filepath.Join(dir, "out")
	scenario := sharedScenario()
	all := map[string][][]string{
		"demo":              {{"demo", "--scenario", f}},
		"serve":             {{"serve", "--config", f}},
		"replay":            {{"replay", f, "--format", "tocsin"}, {"replay", f, "--format", "ua-official"}, {"replay", f, "--format", "il-alerts"}, {"replay", "-", "--format", "il-alerts", "--zones", f}},
		"explain":           {{"explain", "--at", "50,30", "--data", f}},
		"sim":               {{"sim", f}, {"sim", "--check", f}},
		"decode asterix":    {{"decode", "asterix", f}},
		"cap check":         {{"cap", "check", f}},
		"cap verify":        {{"cap", "verify", f, "--cert", capFile("signed", "cert.pem")}, {"cap", "verify", capFile("signed", "ours.xml"), "--cert", f}},
		"zones check":       {{"zones", "check", f}},
		"zones import":      {{"zones", "import", "--data", dir, f}},
		"zones build":       {{"zones", "build", "--places", f, "--outline", f, "--oblasts", f, "-o", out}},
		"zones diff":        {{"zones", "diff", f, f}},
		"track":             {{"track", "--scenario", f, "--out", out}},
		"score":             {{"score", "--scenario", f, f}},
		"forecast":          {{"forecast", "--scenario", f, "--zones", f, "--origin", "50,30", "--out", out}},
		"scorecard":         {{"scorecard", "--seeds", "9", "--policy", f}, {"scorecard", "--seeds", "9", "--zones", f}},
		"board verify":      {{"board", "verify", "--keys", f}},
		"keys list":         {{"keys", "list", "--data", f}},
		"keys rotate":       {{"keys", "rotate", "--data", f}},
		"keys revoke":       {{"keys", "revoke", "abc", "--data", f}},
		"keys admit":        {{"keys", "admit", strings.Repeat("A", 43), "--data", f}},
		"keys token list":   {{"keys", "token", "list", "--data", f}},
		"keys cap list":     {{"keys", "cap", "list", "--data", f}},
		"keys cap rotate":   {{"keys", "cap", "rotate", "--data", f}},
		"keys cap revoke":   {{"keys", "cap", "revoke", "abc", "--data", f}},
		"keys token add":    {{"keys", "token", "add", "x", "--scope", "read", "--data", f}},
		"keys token remove": {{"keys", "token", "remove", "x", "--data", f}},
		"init":              {{"init", "--data", filepath.Join(dir, "data"), "--polygon", f}},
		"vectors":           {{"vectors", "--out", filepath.Join(capFile("signed", "ours.xml"), "x")}},
		"watch":             {{"watch", "http://127.0.0.1:1"}},
		"version":           {},
	}
	if scenario != "" {
		all["score"] = append(all["score"], []string{"score", "--scenario", scenario, f})
	}
	return all
}

func sharedScenario() string {
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(root, "fixtures", "tracking", "a_crossing_10")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// commandNames are all commands of the program.
func commandNames(t *testing.T) []string {
	t.Helper()
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, leaf := range parser.Model.Leaves(false) {
		name, _, _ := strings.Cut(leaf.Path(), " <")
		names = append(names, strings.TrimPrefix(name, "tocsin "))
	}
	slices.Sort(names)
	return names
}

// A file that is missing, a folder, empty or something else altogether: exit code 1 from
// every command, one message in words that names the file.
func TestWrongFiles(t *testing.T) {
	for kind, f := range spoiltFiles(t) {
		dir := t.TempDir()
		table := withFile(f, dir)
		for _, name := range commandNames(t) {
			lines, known := table[name]
			if !known {
				t.Errorf("%s: the command is not in the table of this test", name)
			}
			for _, args := range lines {
				code, out, problems := runLine(t, "", args...)
				said := out + problems
				if code != 1 {
					t.Errorf("%s, %s file: exit %d\n%s", name, kind, code, said)
				}
				if leak := leaks.FindString(strings.ReplaceAll(said, f, "F")); leak != "" || said == "" {
					t.Errorf("%s, %s file: says %q in\n%s", name, kind, leak, said)
				}
				if slices.Contains(args, f) && name != "cap verify" && !strings.Contains(said, filepath.Base(f)) {
					t.Errorf("%s, %s file: does not name it:\n%s", name, kind, said)
				}
				if strings.Contains(said, "tocsin: no\n") {
					t.Errorf("%s, %s file: a last line that says nothing:\n%s", name, kind, said)
				}
			}
		}
		left, err := filepath.Glob(filepath.Join(dir, "out*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%s file: left behind: %v %v", kind, left, err)
		}
	}
}

// What cannot be meant shows on the command line alone: exit code 2.
func TestWrongUse(t *testing.T) {
	for _, name := range commandNames(t) {
		args := strings.Fields(name)
		for _, wrong := range [][]string{append(slices.Clone(args), "--nosuch"), append(slices.Clone(args), "--json=perhaps", "a", "b", "c", "d")} {
			code, out, problems := runLine(t, "", wrong...)
			if code != 2 || out != "" || leaks.MatchString(problems) {
				t.Errorf("%v: exit %d\n%s%s", wrong, code, out, problems)
			}
		}
		code, out, _ := runLine(t, "", append(slices.Clone(args), "--help")...)
		if code != 0 || !strings.Contains(out, "Example") {
			t.Errorf("%s --help: exit %d, without an example:\n%s", name, code, out)
		}
	}
	for _, c := range []struct{ line, says string }{
		{"", "which command?"},
		{"nosuch", `"nosuch" is no command`},
		{"cap", "which command?"},
		{"cap check", "something is missing: <file>"},
		{"cap verify x", "something is missing: --cert"},
		{"cap verify x --cert", "--cert: the value after it is missing"},
		{"cap verify x --cert y --at yesterday", "not a time"},
		{"sim a --check --update", "can't be used together"},
		{"demo --listen 127.0.0.1:99999", "99999 is no port"},
		{"demo --listen nonsense", "no host:port"},
		{"demo --country de", "--country must be one of"},
		{"serve extra", `"extra" is no command and no argument`},
		{"zones chek x", `"chek" is no command here; did you mean "check"?`},
		{"decode asterix --edition 048=9.9 x", "unknown edition"},
		{"decode asterix --port 99999 x", "whole number"},
		{"board verify", "--root X"},
		{"board verify --root x", "not base64url"},
		{"watch nonsense", "not an address"},
		{"watch https://127.0.0.1:1 --root abc", "not base64url"},
		{"vectors --seed x --out y", "whole number"},
		{"init --valid x", "no length of time"},
		{"keys token add x --scope fly", "--scope must be one of"},
		{"keys token add x --scope read --valid 0s", "it would never be in force"},
		{"keys token add x --scope read --valid=-5h", "it would never be in force"},
		{"init --valid 0s", "it would never be in force"},
		{"keys rotate --valid=-1h", "it would never be in force"},
	} {
		code, out, problems := runLine(t, "", strings.Fields(c.line)...)
		if code != 2 || out != "" || !strings.Contains(problems, c.says) || leaks.MatchString(problems) {
			t.Errorf("%s: exit %d\n%s%s", c.line, code, out, problems)
		}
	}
}

// A configuration's faults are named with their lines, in words.
func TestConfigurationFaults(t *testing.T) {
	for text, says := range map[string][]string{
		"universe: live\nzonez: [ua]\nsources:\n  - id: a\n    sac: x\n": {`line 2: there is no key "zonez" here`, `; line 5: "x" stands where a whole number from 0 to 255 belongs`},
		"universe: live\n\tzones: x\n":                                   {"line 2: it is not YAML: a tab"},
		"universe: live\nuniverse: live\n":                               {`line 2: the key "universe" stands twice; first in line 1`},
		"universe: [a, b]\n":                                             {"line 1: a list stands where"},
		"zones: ua\n":                                                    {`line 1: "ua" stands where a list belongs`},
		"universe: \"live\n":                                             {"it is not YAML"},
		"universe: live\nzones: [ua]\nsender: a@b.example\nlanguages: [uk, fr]\n": {`languages: there are no texts in "fr"; there are ar, en, he, ru, uk`},
		"universe: dead\n":                      {`universe: "dead" is not live or exercise`},
		"universe: live\n---\nuniverse: live\n": {"more than one document"},
		"universe: live\ndata: d\nzones: [ua]\nlanguages: [en]\nsender: a@b\ntimezone: Mars/Base\n": {`there is no time zone "Mars/Base"`},
	} {
		path := zoneFile(t, "tocsin.yaml", text)
		code, _, problems := runLine(t, "", "serve", "--config", path)
		for _, s := range append(says, path+": ") {
			if code != 1 || !strings.Contains(problems, s) || leaks.MatchString(strings.ReplaceAll(problems, path, "F")) {
				t.Errorf("%q: exit %d, no %q in %s", text, code, s, problems)
			}
		}
	}
}

// A start that is refused leaves no folder behind.
func TestRefusedServeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	code, _, problems := runLine(t, "", "serve")
	if code != 1 || !strings.Contains(problems, "tocsin init") {
		t.Errorf("exit %d %s", code, problems)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
