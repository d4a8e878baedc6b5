// Package arch holds the house to its plan: which room may import which, and that the
// core is pure. It parses the source in process, so that the test cache sees every file.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "tocsin"

// coreRooms in the order data flows.
var coreRooms = []string{
	"core/geo", "core/class", "core/observation", "core/zone", "core/track/registration", "core/track/presence", "core/track", "core/threat",
	"core/warning", "core/alert", "core/pipeline",
}

// mayImport is the table of ARCHITECTURE.md: a room, and the rooms of ours it may import. A
// name that ends in /* stands for every package below. Rooms not named here may not exist.
var mayImport = map[string][]string{
	"core/geo":          {},
	"core/class":        {},
	"health":            {},
	"journal":           {"health"},
	"journal/account":   {"core/*", "journal"},
	"journal/recording": {"health", "journal"},
	"journal/rerun":     {"core/*", "journal", "journal/recording"},
	"wire/asterix":      {"health"},
	"wire/cap12":        {},
	"wire/pcap":         {},
	"wire/hostile":      {},
	"wire/strictyaml":   {},
	"core/observation":  {"core/geo", "core/class"},
	"core/zone":         {"core/geo"},
	"core/track":        {"core/geo", "core/class", "core/observation", "core/track/*", "health"},
	"core/threat":       {"core/geo", "core/class", "core/observation", "core/zone", "core/track", "health"},
	"core/warning":      {"core/geo", "core/class", "core/zone", "core/threat", "health"},
	"core/alert":        {"core/geo", "core/class", "core/zone", "core/warning", "wire/cap12"},
	"core/pipeline":     {"core/*", "health"},
	"board":             {"core/class", "core/zone", "core/warning", "core/alert"},
	"sensor":            {"core/geo", "core/class", "core/observation", "health"},
	"sensor/asterix":    {"core/geo", "core/class", "core/observation", "health", "sensor", "wire/asterix"},
	"channel":           {"core/class", "core/zone", "core/alert", "board", "journal", "health"},
	"channel/feed":      {"core/class", "core/zone", "core/alert", "board", "journal", "health", "channel", "wire/cap12"},
	"gateway":           {"core/geo", "core/class", "core/zone", "core/alert", "board", "health", "bus", "web"},
	"desk":              {"core/*", "board", "journal", "health", "bus", "web"},
	"web":               {},
	"zones":             {"core/geo", "core/zone"},
	"zones/build":       {"core/geo", "core/zone"},
	"vectors":           {},
	"scenarios":         {},
	"zones/make":        {"core/geo", "core/zone", "zones/build"},
	"sim":               {"core/*", "board", "journal", "wire/asterix", "wire/strictyaml", "zones"},
	"sim/history":       {"core/class", "core/zone"},
	"sim/replay":        {"core/*", "board", "desk", "sim/history"},
	"sim/tracking":      {"core/*"},
	"sim/forecast":      {"core/*", "sim/tracking"},
	"sim/raid":          {"core/*"},
	"sim/scorecard":     {"core/*", "sim/raid"},
	"node/keyring":      {"core/geo", "core/class", "core/zone", "core/alert", "board"},
	"node":              {"*"},
	"cmd/tocsin":        {"node", "node/keyring", "sim", "sim/*", "wire/*", "board", "core/*", "zones", "zones/build", "scenarios", "journal", "journal/account", "journal/rerun", "desk", "vectors"},

	"core/track/registration": {"core/geo", "core/observation"},
	"core/track/presence":     {"core/geo", "core/class", "core/observation"},
}

// subordinate packages are part of the room above them.
func room(dir string) string {
	if i := strings.Index(dir, "/internal"); i >= 0 {
		return dir[:i]
	}
	return dir
}

func allowed(patterns []string, dir string) bool {
	for _, p := range patterns {
		if p == "*" || p == dir {
			return true
		}
		if base, ok := strings.CutSuffix(p, "/*"); ok && strings.HasPrefix(dir, base+"/") {
			return true
		}
	}
	return false
}

// source is one parsed file of the house.
type source struct {
	dir  string
	name string
	file *ast.File
}

// parse reads every Go file below root that is not a test, in order of path.
func parse(t *testing.T, set *token.FileSet, root string, tests bool) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if p != root && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || (!tests && strings.HasSuffix(base, "_test.go")) {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, p, b, parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		all = append(all, source{dir: filepath.ToSlash(dir), name: filepath.ToSlash(filepath.Join(dir, base)), file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// violations of the import table.
func importViolations(sources []source) []string {
	var found []string
	for _, s := range sources {
		if s.dir == "." {
			continue
		}
		own := room(s.dir)
		table, known := mayImport[own]
		if !known {
			found = append(found, fmt.Sprintf("%s: room %s is not in the table", s.name, own))
			continue
		}
		for _, im := range s.file.Imports {
			p := strings.Trim(im.Path.Value, `"`)
			dir, ours := strings.CutPrefix(p, module+"/")
			if !ours || room(dir) == own || allowed(table, room(dir)) {
				continue
			}
			found = append(found, fmt.Sprintf("%s: %s may not import %s", s.name, own, dir))
		}
		if pkg := s.file.Name.Name; pkg != "main" && own != "cmd/tocsin" && path.Base(s.dir) != pkg && !strings.HasSuffix(pkg, "_test") {
			found = append(found, fmt.Sprintf("%s: package %s stands in folder %s", s.name, pkg, s.dir))
		}
	}
	return found
}

func TestImports(t *testing.T) {
	sources := parse(t, token.NewFileSet(), ".", false)
	if len(sources) < 20 {
		t.Fatalf("only %d files were found: the walk is broken", len(sources))
	}
	for _, v := range importViolations(sources) {
		t.Error(v)
	}
}

// TestImportsSeesViolations plants one of each kind and wants each found.
func TestImportsSeesViolations(t *testing.T) {
	plant := []struct{ dir, text, want string }{
		{"core/track", "package track\nimport _ \"tocsin/core/warning\"", "core/track may not import core/warning"},
		{"channel/feed", "package feed\nimport _ \"tocsin/core/track\"", "channel/feed may not import core/track"},
		{"core/zone", "package zone\nimport _ \"tocsin/health\"", "core/zone may not import health"},
		{"gateway", "package gateway\nimport _ \"tocsin/core/warning\"", "gateway may not import core/warning"},
		{"helper", "package helper", "room helper is not in the table"},
		{"desk", "package desk\nimport _ \"tocsin/node\"", "desk may not import node"},
		{"core/geo", "package maths", "package maths stands in folder core/geo"},
	}
	for _, p := range plant {
		file, err := parser.ParseFile(token.NewFileSet(), "planted.go", p.text, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := importViolations([]source{{dir: p.dir, name: p.dir + "/planted.go", file: file}})
		if !slices.ContainsFunc(got, func(v string) bool { return strings.Contains(v, p.want) }) {
			t.Errorf("%s: planted %q was not found, only %q", p.dir, p.want, got)
		}
	}
	ok, err := parser.ParseFile(token.NewFileSet(), "fine.go", "package track\nimport _ \"tocsin/core/geo\"", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := importViolations([]source{{dir: "core/track", name: "core/track/fine.go", file: ok}}); len(got) != 0 {
		t.Errorf("what is allowed was refused: %q", got)
	}
}

// TestTableHasNoGhosts: a room in the table that is not in the house is a plan, not a fact.
func TestTableHasNoGhosts(t *testing.T) {
	here := map[string]bool{}
	for _, s := range parse(t, token.NewFileSet(), ".", false) {
		here[room(s.dir)] = true
	}
	for name := range mayImport {
		if !here[name] {
			t.Errorf("the table names %s, which is not there", name)
		}
	}
}
