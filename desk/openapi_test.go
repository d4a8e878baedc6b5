package desk

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"tocsin/core/warning"
)

// node is one value of the document, with its members in their order.
type node struct{ *yaml.Node }

func document(t testing.TB) node {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(openapi, &n); err != nil {
		t.Fatal(err)
	}
	return node{n.Content[0]}
}

// each calls yield with each member in the document's order.
func (n node) each(yield func(string, node) bool) {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !yield(n.Content[i].Value, node{n.Content[i+1]}) {
			return
		}
	}
}

func (n node) at(path ...string) node {
	for _, p := range path {
		found := node{}
		for name, v := range n.each {
			if name == p {
				found = v
			}
		}
		n = found
	}
	return n
}

func (n node) texts() (out []string) {
	if n.Node != nil {
		for _, c := range n.Content {
			out = append(out, c.Value)
		}
	}
	return out
}

func (n node) any(t testing.TB) (v any) {
	t.Helper()
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// json is the value as JSON; it decodes into what encoding/json would give.
func (n node) json(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(n.any(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wire is what each schema of an object stands for.
var wire = map[string]any{
	"Command": Command{}, "Observe": Observe{}, "Fix": Fix{}, "Bearing": Bearing{}, "Cue": Cue{}, "Answer": Answer{}, "Problem": Problem{},
	"Warnings": Warnings{}, "Warning": Warning{}, "Issuer": warning.Issuer{}, "Conditions": Conditions{}, "Condition": Condition{}, "Proposals": Proposals{}, "Proposal": Proposal{},
}

// TestSchemas: every member of a schema is a field and every field a member; what may be
// left out is not required, and all else is; the types agree.
func TestSchemas(t *testing.T) {
	schemas := document(t).at("components", "schemas")
	seen := 0
	for name, schema := range schemas.each {
		if schema.at("type").Value != "object" {
			continue
		}
		seen++
		v, known := wire[name]
		if !known {
			t.Errorf("schema %s stands for nothing", name)
			continue
		}
		required := schema.at("required").texts()
		members := map[string]node{}
		for m, s := range schema.at("properties").each {
			members[m] = s
		}
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			f := typ.Field(i)
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			m, there := members[tag]
			if !there {
				t.Errorf("%s: the field %s is not in the document", name, tag)
				continue
			}
			delete(members, tag)
			if must := !strings.Contains(options, "omit"); must != slices.Contains(required, tag) {
				t.Errorf("%s.%s: required in the document: %v, in the code: %v", name, tag, !must, must)
			}
			if got, want := schemaType(m), jsonType(f.Type); got != want {
				t.Errorf("%s.%s: %s in the document, %s in the code", name, tag, got, want)
			}
		}
		for m := range members {
			t.Errorf("%s: the member %s of the document is no field", name, m)
		}
	}
	if seen != len(wire) {
		t.Errorf("%d schemas of objects in the document, %d in the code", seen, len(wire))
	}
}

func schemaType(n node) string {
	if ref := n.at("$ref"); ref.Node != nil {
		name := ref.Value[strings.LastIndexByte(ref.Value, '/')+1:]
		if name == "Threat" {
			return "string"
		}
		return name
	}
	if n.at("type").Value == "array" {
		return "array of " + schemaType(n.at("items"))
	}
	return n.at("type").Value
}

func jsonType(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, text := reflect.PointerTo(t).MethodByName("UnmarshalText")
	switch {
	case text || t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Slice:
		return "array of " + jsonType(t.Elem())
	case t.Kind() == reflect.Struct:
		return t.Name()
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Float64:
		return "number"
	}
	return "integer"
}

func TestListsOfNames(t *testing.T) {
	schemas := document(t).at("components", "schemas")
	var actions, kinds []string
	for _, a := range Actions() {
		actions = append(actions, string(a))
		if scopes[a] == "" || len(takes[a].must) == 0 {
			t.Errorf("action %s has no scope or takes nothing", a)
		}
	}
	for b := warning.ByPolicy; b <= warning.ByAuthority; b++ {
		kinds = append(kinds, b.String())
	}
	if len(takes) != len(actions) || len(scopes) != len(actions) {
		t.Error("there are actions beside the list")
	}
	for _, test := range []struct {
		at   node
		want []string
	}{
		{schemas.at("Command", "properties", "action"), actions},
		{schemas.at("Command", "properties", "stage"), stages},
		{schemas.at("Command", "properties", "end"), ends},
		{schemas.at("Threat"), threats()},
		{schemas.at("Issuer", "properties", "kind"), kinds},
		{schemas.at("Proposal", "properties", "mode"), []string{modeConfirm, modeVeto}},
		{schemas.at("Proposal", "properties", "stage"), stages},
	} {
		if got := test.at.at("enum").texts(); !slices.Equal(got, test.want) {
			t.Errorf("the document has %v, the code %v", got, test.want)
		}
	}
}

// TestBounds: what the document says is the least and the most is taken, what is beyond it is not.
func TestBounds(t *testing.T) {
	schemas := document(t).at("components", "schemas")
	good := map[string]string{"Fix": fix, "Bearing": bearing, "Cue": cue}
	tried := 0
	for name, body := range good {
		for m, s := range schemas.at(name, "properties").each {
			if s.at("type").Value != "number" {
				continue
			}
			member := regexp.MustCompile(`"` + m + `":[0-9.]+`)
			if !member.MatchString(body) {
				body = strings.Replace(body, `"lat"`, `"`+m+`":1,"lat"`, 1)
			}
			var low, high float64
			fmt.Sscan(s.at("minimum").Value, &low)
			fmt.Sscan(s.at("maximum").Value, &high)
			for v, ok := range map[float64]bool{low: true, high: true, low - 0.05: false, high + 0.05: false} {
				tried++
				if _, f := decode([]byte(member.ReplaceAllString(body, fmt.Sprintf(`"%s":%v`, m, v)))); (f == nil) != ok {
					t.Errorf("%s.%s = %v: %+v", name, m, v, f)
				}
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d bounds were found", tried)
	}
	for _, test := range []struct {
		at   node
		want int
	}{
		{schemas.at("Command", "properties", "id"), maxID}, {schemas.at("Command", "properties", "warning"), maxWarned},
		{schemas.at("Command", "properties", "reason"), maxReason}, {schemas.at("Observe", "properties", "words"), maxWords},
		{schemas.at("Command", "properties", "zones", "items"), maxZone}, {schemas.at("Command", "properties", "regions", "items"), maxZone},
	} {
		if got := test.at.at("maxLength").Value; got != fmt.Sprint(test.want) {
			t.Errorf("maxLength %s in the document, %d in the code", got, test.want)
		}
	}
}

// TestRoutes: the document's routes are the code's, with every other method refused.
func TestRoutes(t *testing.T) {
	p := open(t, nil)
	var code, doc []string
	for _, r := range p.desk.table() {
		code = append(code, r.method+" "+r.path)
	}
	for path, item := range document(t).at("paths").each {
		methods := map[string]bool{}
		for m := range item.each {
			m = strings.ToUpper(m)
			methods[m] = true
			doc = append(doc, m+" "+path)
		}
		for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			res, _ := p.ask(m, path, "national", "")
			if other := res.StatusCode == http.StatusMethodNotAllowed; other == methods[m] || res.StatusCode == http.StatusNotFound {
				t.Errorf("%s %s: %d", m, path, res.StatusCode)
			}
		}
		if open := path == "/metrics" || path == "/v1/openapi.yaml"; !open {
			res, _ := p.ask(slices.Sorted(maps.Keys(methods))[0], path, "", "{}")
			if res.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s without a token: %d", path, res.StatusCode)
			}
		}
	}
	slices.Sort(code)
	slices.Sort(doc)
	if !slices.Equal(code, doc) {
		t.Errorf("the document has %v, the code %v", doc, code)
	}
	for path, item := range document(t).at("paths").each {
		for m, operation := range item.each {
			if operation.at("responses", "405").Node == nil {
				t.Errorf("%s: the refusal of other methods is not in the document", path)
			}
			res, b := p.ask("DELETE", path, "national", "")
			example := document(t).at("components", "responses", "Method", "content", "application/problem+json", "examples", m, "value")
			compare(t, "DELETE "+path, example.json(t), b)
			if want := map[string]string{"get": "GET, HEAD", "post": "POST"}[m]; res.Header.Get("Allow") != want || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("DELETE %s: Allow %q", path, res.Header.Get("Allow"))
			}
		}
		if path == "/metrics" {
			continue // Prometheus sends what it is configured with
		}
		for m := range item.each {
			if res, b := p.ask(strings.ToUpper(m), path+"?dry_run=1", "national", declare); res.StatusCode != 400 || !strings.Contains(string(b), `"field":"dry_run"`) {
				t.Errorf("%s with a query: %d %s", path, res.StatusCode, b)
			}
		}
	}
	if p.carrier.count() != 0 {
		t.Error("a command with a query was carried out")
	}
	if res, b := p.ask("GET", "/v1/openapi.yaml", "", ""); res.StatusCode != 200 || string(b) != string(openapi) {
		t.Error("the document is not served as it is")
	}
}

// TestExamples asks every example of the document, in its order, of one desk.
func TestExamples(t *testing.T) {
	p := open(t, nil)
	post := document(t).at("paths", "/v1/commands", "post")
	asked := 0
	for name, example := range post.at("requestBody", "content", "application/json", "examples").each {
		token := "national"
		if x := example.at("x-token"); x.Node != nil {
			token = x.Value
		}
		res, b := p.ask("POST", "/v1/commands", token, example.at("value").json(t))
		asked++
		documented := 0
		for status, r := range post.at("responses").each {
			for media, content := range r.at("content").each {
				want := content.at("examples", name, "value")
				if want.Node == nil {
					continue
				}
				documented++
				if status != fmt.Sprint(res.StatusCode) || media != res.Header.Get("Content-Type") {
					t.Errorf("%s: %d %s, documented as %s %s: %s", name, res.StatusCode, res.Header.Get("Content-Type"), status, media, b)
				}
				compare(t, name, want.json(t), b)
			}
		}
		if documented != 1 {
			t.Errorf("%s has %d answers in the document", name, documented)
		}
	}
	for _, path := range []string{"/v1/warnings", "/v1/proposals", "/v1/conditions"} {
		res, b := p.ask("GET", path, "reader", "")
		for _, at := range regexp.MustCompile(`"[0-9]{4}-[^"]*"`).FindAllString(string(b), -1) {
			if !regexp.MustCompile(`^"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"$`).MatchString(at) {
				t.Errorf("%s: the time %s is not in UTC with milliseconds", path, at)
			}
		}
		want := document(t).at("paths", path, "get", "responses", "200", "content", "application/json", "examples", "one", "value")
		if res.StatusCode != 200 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
		asked++
		compare(t, path, want.json(t), b)
	}
	if asked < 12 {
		t.Errorf("only %d examples were found", asked)
	}
}

// compare wants the same JSON; of an answer the same id and members, for what it names is
// the core's.
func compare(t *testing.T, name, want string, got []byte) {
	t.Helper()
	var w, g map[string]any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %s: %v", name, got, err)
	}
	if w["accepted"] == true {
		if w["id"] != g["id"] || g["accepted"] != true || !slices.Equal(slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(g))) {
			t.Errorf("%s: got %s, documented as %s", name, got, want)
		}
		return
	}
	if !reflect.DeepEqual(w, g) {
		t.Errorf("%s: got %s, documented as %s", name, got, want)
	}
}

// TestStatuses: the statuses of a command in the document are those that the tests of this
// package see.
func TestStatuses(t *testing.T) {
	var got []string
	for status := range document(t).at("paths", "/v1/commands", "post", "responses").each {
		got = append(got, status)
	}
	if want := "201 400 401 403 405 408 409 413 415 422 429 503 504"; strings.Join(got, " ") != want {
		t.Errorf("the document has %v, the tests %s", got, want)
	}
}

// TestContract asks every example of the public contract.
func TestContract(t *testing.T) {
	b, err := os.ReadFile("../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	_, door, _ := strings.Cut(string(b), "## The authority's door")
	p := open(t, nil)
	asked := 0
	for line := range strings.Lines(door) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, `{"id"`) && strings.Contains(line, `"action"`):
			asked++
			if status, no, _ := p.command("national", line); status != http.StatusCreated {
				t.Errorf("%s: %d %+v", line, status, no)
			}
		case strings.HasPrefix(line, `{"id"`):
			asked++
			_, got := p.ask("POST", "/v1/commands", "national", `{"id":"c-2026-001","action":"declare","regions":["UA59"],"stage":"shelter","threat":"cruise-missile","until":"2026-11-22T14:00:00.000Z","reason":"launches seen"}`)
			compare(t, "the contract's answer", line, got)
		}
	}
	if asked != 7 {
		t.Errorf("%d examples were found", asked)
	}
}
