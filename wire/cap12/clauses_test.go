package cap12

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// clause is one row of docs/cap12.md.
type clause struct {
	element, asked string
	rule           Rule // empty: nobody can judge it
	shown          string
}

// clauses reads the table that people read.
func clauses(t *testing.T) []clause {
	t.Helper()
	var list []clause
	for _, line := range strings.Split(string(read1(t, filepath.Join("..", "..", "docs", "cap12.md"))), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 || cells[0] == "element" || strings.HasPrefix(cells[0], "--") {
			continue
		}
		rule := strings.Trim(cells[2], "`")
		if rule == "-" {
			rule = ""
		}
		list = append(list, clause{cells[0], cells[1], Rule(rule), cells[3]})
	}
	return list
}

// rulesInSource are the rules of rules.go, by what they are called.
func rulesInSource(t *testing.T) map[Rule]bool {
	t.Helper()
	f, err := parser.ParseFile(gotoken.NewFileSet(), "rules.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	rules := map[Rule]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			word, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			rules[Rule(word)] = true
		}
		return true
	})
	return rules
}

// TestEveryClause: the table has every element and every rule, and what it shows breaks the
// rule that it says, and no other.
func TestEveryClause(t *testing.T) {
	good, list, known := goldenOfOneInfo(t), clauses(t), rulesInSource(t)
	bad, odd := spoils(), oddities(good)
	named, held := map[string]bool{}, map[Rule]bool{}
	for _, c := range list {
		named[c.element] = true
		if c.rule == "" {
			if len(c.shown) < 10 {
				t.Errorf("%s: it is not said why nobody can judge that it %s", c.element, c.asked)
			}
			continue
		}
		held[c.rule] = true
		var got Rule
		switch name := strings.Trim(c.shown, "*`"); {
		case strings.HasPrefix(c.shown, "*"):
			got = odd[name].rule
		case strings.HasPrefix(c.shown, "`"): // a test that makes what is too large for a file
			got = c.rule
			if !hasTest(t, name) {
				t.Errorf("%s: there is no %s", c.element, name)
			}
		default:
			got = bad[name].rule
			if _, err := os.Stat(filepath.Join("testdata", "bad", name+".xml")); err != nil {
				t.Error(err)
			}
		}
		if got != c.rule || !known[c.rule] {
			t.Errorf("%s: %s shows %q, not %q", c.element, c.shown, got, c.rule)
		}
	}
	for _, model := range [][]element{alertModel, infoModel, resourceModel, areaModel} {
		for _, e := range model {
			if !named[e.name] {
				t.Errorf("nothing is said of %s", e.name)
			}
		}
	}
	for rule := range known {
		if !held[rule] {
			t.Errorf("no clause names the rule %s", rule)
		}
	}
}

// hasTest reports whether this folder has a test of a name.
func hasTest(t *testing.T, name string) bool {
	t.Helper()
	for _, file := range folder(t, "*_test.go") {
		if strings.Contains(string(read1(t, file)), "func "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
