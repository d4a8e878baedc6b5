package arch

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// forbidden packages have no place in the core: clocks are arguments, and I/O, locks,
// logs and the outside world belong to the edges.
var forbidden = []string{
	"os", "io/fs", "io/ioutil", "net", "net/", "sync", "sync/", "log", "log/", "syscall", "os/", "runtime", "runtime/",
	"crypto/rand", "context", "plugin", "unsafe", "database/", "testing", "C",
}

// impureCalls are functions of otherwise pure packages that read the world.
var impureCalls = map[string][]string{
	"time":         {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "LoadLocation"},
	"fmt":          {"Print", "Println", "Printf", "Scan", "Scanln", "Scanf"},
	"math/rand":    {"*"},
	"math/rand/v2": {"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN", "Uint", "N", "Float32", "Float64", "NormFloat64", "ExpFloat64", "Perm", "Shuffle"},
	"maps":         {"Keys", "Values", "All"}, // allowed where slices.Sorted takes them at once
}

// checker looks for impurity in one package of the core.
type checker struct {
	set   *token.FileSet
	info  *types.Info
	found []string
}

func (c *checker) report(at ast.Node, format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf("%s: %s", c.set.Position(at.Pos()), fmt.Sprintf(format, args...)))
}

func (c *checker) file(f *ast.File) {
	for _, im := range f.Imports {
		p := strings.Trim(im.Path.Value, `"`)
		for _, bad := range forbidden {
			if p == bad || (strings.HasSuffix(bad, "/") && strings.HasPrefix(p, bad)) {
				c.report(im, "the core may not import %s", p)
			}
		}
	}
	var sorted []ast.Node // calls of maps.Keys and the like that are sorted at once
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			c.report(n, "the core starts no goroutine")
		case *ast.SelectStmt, *ast.SendStmt:
			c.report(n, "the core has no channels")
		case *ast.ChanType:
			c.report(n, "the core has no channels")
		case *ast.CallExpr:
			if c.isCall(n, "slices", "Sorted", "SortedFunc", "SortedStableFunc") && len(n.Args) > 0 {
				sorted = append(sorted, n.Args[0])
			}
			c.call(n, slices.Contains(sorted, ast.Node(n)))
		case *ast.FuncDecl:
			if n.Body != nil {
				c.ranges(n.Body)
			}
		case *ast.GenDecl:
			if n.Tok == token.VAR {
				c.packageVariables(f, n)
			}
		}
		return true
	})
}

// packageVariables refuses variables of the package that something assigns to.
func (c *checker) packageVariables(f *ast.File, d *ast.GenDecl) {
	if !slices.Contains(f.Decls, ast.Decl(d)) {
		return
	}
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if ok && len(v.Values) == 0 && !embedded(d) {
			for _, name := range v.Names {
				c.report(name, "package variable %s has no value and so can only change", name.Name)
			}
		}
	}
}

func embedded(d *ast.GenDecl) bool {
	return d.Doc != nil && slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") })
}

// function is the package path and name of the function that is called.
func (c *checker) function(call *ast.CallExpr) (pkg, name string) {
	fun := ast.Unparen(call.Fun)
	if ix, ok := fun.(*ast.IndexExpr); ok {
		fun = ix.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	if p, ok := c.info.Uses[id].(*types.PkgName); ok {
		return p.Imported().Path(), sel.Sel.Name
	}
	return "", ""
}

func (c *checker) isCall(call *ast.CallExpr, pkg string, names ...string) bool {
	p, n := c.function(call)
	return p == pkg && slices.Contains(names, n)
}

func (c *checker) call(call *ast.CallExpr, sorted bool) {
	pkg, name := c.function(call)
	bad := impureCalls[pkg]
	if len(bad) == 0 || (bad[0] != "*" && !slices.Contains(bad, name)) {
		return
	}
	if pkg == "maps" && sorted {
		return
	}
	c.report(call, "the core may not call %s.%s", pkg, name)
}

// ranges looks at every loop over a map in a function: its order must not leave.
func (c *checker) ranges(body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		loop, ok := n.(*ast.RangeStmt)
		if !ok {
			return true
		}
		t := c.info.TypeOf(loop.X)
		if t == nil {
			c.report(loop, "what is ranged over has no known type")
			return true
		}
		if _, isMap := t.Underlying().(*types.Map); isMap {
			c.mapLoop(loop, body)
		}
		return true
	})
}

// mapLoop allows a loop over a map whose effect does not depend on its order: it fills
// or empties maps, counts, takes a least or greatest, answers a constant, or collects
// what the same function sorts afterwards.
func (c *checker) mapLoop(loop *ast.RangeStmt, body *ast.BlockStmt) {
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			c.mapLoopAssign(n, loop, body)
		case *ast.ReturnStmt:
			for _, r := range n.Results {
				if !constant(c.info, r) {
					c.report(n, "returns what depends on map order")
				}
			}
		case *ast.ExprStmt:
			if call, ok := n.X.(*ast.CallExpr); ok && !c.isBuiltin(call, "delete", "clear") {
				c.report(n, "calls something in map order")
			}
		case *ast.BranchStmt:
			if n.Tok == token.BREAK && loop.Key != nil && !isBlank(loop.Key) {
				c.report(n, "stops at whichever comes first in map order")
			}
		}
		return true
	})
}

func (c *checker) mapLoopAssign(a *ast.AssignStmt, loop *ast.RangeStmt, body *ast.BlockStmt) {
	for i, left := range a.Lhs {
		switch left := ast.Unparen(left).(type) {
		case *ast.IndexExpr: // into a map, or an array indexed by something of its own
			continue
		case *ast.Ident:
			if left.Name == "_" || c.declaredIn(left, loop) {
				continue
			}
			if a.Tok == token.ADD_ASSIGN || a.Tok == token.SUB_ASSIGN || a.Tok == token.OR_ASSIGN {
				if b, ok := c.info.TypeOf(left).Underlying().(*types.Basic); ok && b.Info()&(types.IsInteger|types.IsBoolean) != 0 {
					continue
				}
				c.report(a, "adds to %s in map order", left.Name)
				continue
			}
			if i < len(a.Rhs) && (constant(c.info, a.Rhs[i]) || c.extreme(a.Rhs[i])) {
				continue
			}
			if c.sortedAfter(left, loop, body) {
				continue
			}
			c.report(a, "assigns %s in map order", left.Name)
		default:
			if i < len(a.Rhs) && constant(c.info, a.Rhs[i]) {
				continue
			}
			c.report(a, "assigns in map order")
		}
	}
}

// extreme reports whether an expression is the least or greatest of things.
func (c *checker) extreme(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && c.isBuiltin(call, "min", "max")
}

func (c *checker) isBuiltin(call *ast.CallExpr, names ...string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok || !slices.Contains(names, id.Name) {
		return false
	}
	_, builtin := c.info.Uses[id].(*types.Builtin)
	return builtin
}

func (c *checker) declaredIn(id *ast.Ident, loop *ast.RangeStmt) bool {
	o := c.info.ObjectOf(id)
	return o != nil && o.Pos() >= loop.Pos() && o.Pos() < loop.End()
}

// sortedAfter reports whether the function sorts the variable after the loop.
func (c *checker) sortedAfter(id *ast.Ident, loop *ast.RangeStmt, body *ast.BlockStmt) bool {
	o, found := c.info.ObjectOf(id), false
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() < loop.End() {
			return true
		}
		pkg, name := c.function(call)
		if pkg != "sort" && !(pkg == "slices" && strings.HasPrefix(name, "Sort")) {
			return true
		}
		for _, arg := range call.Args {
			if a, ok := ast.Unparen(arg).(*ast.Ident); ok && c.info.ObjectOf(a) == o {
				found = true
			}
		}
		return true
	})
	return found
}

func constant(info *types.Info, e ast.Expr) bool {
	if tv, ok := info.Types[e]; ok && (tv.Value != nil || tv.IsNil()) {
		return true
	}
	lit, ok := e.(*ast.CompositeLit)
	return ok && len(lit.Elts) == 0
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// house resolves imports: ours from the parsed files, the standard library from its
// source, others to an empty package (their types play no part in purity).
type house struct {
	set     *token.FileSet
	sources []source
	std     types.Importer
	made    map[string]*types.Package
	infos   map[string]*types.Info
}

func (h *house) Import(p string) (*types.Package, error) {
	if pkg := h.made[p]; pkg != nil {
		return pkg, nil
	}
	dir, ours := strings.CutPrefix(p, module+"/")
	if ours {
		return h.check(dir), nil
	}
	if first, _, _ := strings.Cut(p, "/"); !strings.Contains(first, ".") {
		pkg, err := h.std.Import(p)
		h.made[p] = pkg
		return pkg, err
	}
	pkg := types.NewPackage(p, p[strings.LastIndex(p, "/")+1:])
	pkg.MarkComplete()
	h.made[p] = pkg
	return pkg, nil
}

// check types one of our packages; errors that come from packages of others are let pass.
func (h *house) check(dir string) *types.Package {
	var files []*ast.File
	for _, s := range h.sources {
		if s.dir == dir {
			files = append(files, s.file)
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	cfg := types.Config{Importer: h, Error: func(error) {}, FakeImportC: true}
	pkg, _ := cfg.Check(module+"/"+dir, h.set, files, info)
	h.made[module+"/"+dir], h.infos[dir] = pkg, info
	return pkg
}

func newHouse(set *token.FileSet, sources []source) *house {
	return &house{
		set: set, sources: sources, std: importer.ForCompiler(set, "source", nil),
		made: map[string]*types.Package{}, infos: map[string]*types.Info{},
	}
}

func impurities(h *house, dir string) []string {
	h.check(dir)
	c := &checker{set: h.set, info: h.infos[dir]}
	for _, s := range h.sources {
		if s.dir == dir {
			c.file(s.file)
		}
	}
	return c.found
}

func TestCoreIsPure(t *testing.T) {
	set := token.NewFileSet()
	h := newHouse(set, parse(t, set, ".", false))
	for _, dir := range coreRooms {
		if !slices.ContainsFunc(h.sources, func(s source) bool { return s.dir == dir }) {
			t.Errorf("%s is not there", dir)
		}
		for _, v := range impurities(h, dir) {
			t.Error(v)
		}
	}
}

// TestPuritySeesViolations plants one of each kind and wants each found, and wants
// what is harmless let pass.
func TestPuritySeesViolations(t *testing.T) {
	bad := map[string]string{
		"clock":             `import "time"; func f() time.Time { return time.Now() }`,
		"clock renamed":     `import tm "time"; func f() tm.Time { return tm.Now() }`,
		"timer":             `import "time"; func f() { <-time.After(1) }`,
		"goroutine":         `func f() { go f() }`,
		"channel":           `func f(c chan int) { c <- 1 }`,
		"lock":              `import "sync"; type t struct{ mu sync.Mutex }`,
		"file":              `import "os"; func f() { os.Exit(1) }`,
		"log":               `import "log/slog"; func f() { slog.Info("x") }`,
		"print":             `import "fmt"; func f() { fmt.Println() }`,
		"random":            `import "math/rand/v2"; func f() float64 { return rand.Float64() }`,
		"variable":          `var last int; func f() { last++ }`,
		"map append":        `func f(m map[string]int) (s []string) { for k := range m { s = append(s, k) }; return s }`,
		"map first":         `func f(m map[string]int) string { for k := range m { return k }; return "" }`,
		"map call":          `func f(m map[string]int, y func(string)) { for k := range m { y(k) } }`,
		"map float sum":     `func f(m map[string]float64) (s float64) { for _, v := range m { s += v }; return s }`,
		"map text":          `func f(m map[string]int) (s string) { for k := range m { s += k }; return s }`,
		"map last":          `func f(m map[string]int) (s string) { for k := range m { s = k }; return s }`,
		"map named type":    `type t map[string]int; func f(m t, y func(string)) { for k := range m { y(k) } }`,
		"map keys":          `import "maps"; func f(m map[string]int, y func(string)) { for k := range maps.Keys(m) { y(k) } }`,
		"map in a closure":  `func f(m map[string]int) func() []string { return func() (s []string) { for k := range m { s = append(s, k) }; return s } }`,
		"sorted another":    `import "slices"; func f(m map[string]int, o []int) (s []string) { for k := range m { s = append(s, k) }; slices.Sort(o); return s }`,
		"sorted beforehand": `import "slices"; func f(m map[string]int) (s []string) { slices.Sort(s); for k := range m { s = append(s, k) }; return s }`,
	}
	good := map[string]string{
		"sorted":      `import "slices"; func f(m map[string]int) (s []string) { for k := range m { s = append(s, k) }; slices.Sort(s); return s }`,
		"sorted keys": `import ("maps"; "slices"); func f(m map[string]int, y func(string)) { for _, k := range slices.Sorted(maps.Keys(m)) { y(k) } }`,
		"map to map":  `func f(m, n map[string]int) { for k, v := range m { n[k] = v } }`,
		"count":       `func f(m map[string]int) (n int) { for _, v := range m { n += v }; return n }`,
		"any":         `func f(m map[string]int) bool { for _, v := range m { if v > 3 { return true } }; return false }`,
		"greatest":    `func f(m map[string]int) (n int) { for _, v := range m { n = max(n, v) }; return n }`,
		"forget":      `func f(m map[string]int) { for k, v := range m { if v == 0 { delete(m, k) } } }`,
		"seeded":      `import "math/rand/v2"; func f(s uint64) float64 { return rand.New(rand.NewPCG(s, s)).Float64() }`,
		"time":        `import "time"; func f(t time.Time) time.Time { return t.Add(time.Second) }`,
		"slice":       `func f(s []int, y func(int)) { for _, v := range s { y(v) } }`,
	}
	check := func(text string) []string {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, "planted.go", "package planted\n"+text, 0)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return impurities(newHouse(set, []source{{dir: "planted", name: "planted.go", file: file}}), "planted")
	}
	for name, text := range bad {
		if len(check(text)) == 0 {
			t.Errorf("%s: the planted violation was not found", name)
		}
	}
	for name, text := range good {
		if got := check(text); len(got) != 0 {
			t.Errorf("%s: harmless, but found %q", name, got)
		}
	}
}
