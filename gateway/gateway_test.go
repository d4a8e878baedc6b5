package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/zone"
	"tocsin/web"
)

func decode64(b []byte) ([]byte, error) { return base64.RawURLEncoding.DecodeString(string(b)) }

// ready is a world that has said something and is in every route.
func ready(t *testing.T) *world {
	w := newWorld(t, squares(t, 3, nil), nil)
	w.g.SetKeys(w.list())
	w.tick()
	w.warn("n0001")
	return w
}

// TestRoutes: every address of docs/contract.md, with its headers, by GET and HEAD.
func TestRoutes(t *testing.T) {
	w := ready(t)
	version := w.set.Version()
	for _, c := range []struct {
		target, kind, cache string
		status              int
	}{
		{"/v1/board", "application/jose", "public, max-age=2", 200},
		{"/v1/board?region=*", "application/jose", "public, max-age=2", 200},
		{"/v1/board?region=north", "application/jose", "public, max-age=2", 200},
		{"/v1/board?region=test", "application/jose", "public, max-age=2", 200},
		{"/v1/active", "application/json", "public, max-age=1", 200},
		{"/v1/keys", "application/jose", "public, max-age=5", 200},
		{"/v1/zones", "application/json", "public, max-age=5", 200},
		{"/v1/zones/" + version, "application/geo+json", "public, max-age=31536000, immutable", 200},
		{"/v1/cap.atom", "application/atom+xml; charset=utf-8", "public, max-age=2", 200},
		{"/v1/cap/w1.1.xml", "application/cap+xml", "public, max-age=31536000, immutable", 200},
		{"/", "text/html; charset=utf-8", "public, max-age=2", 200},
		{"/?lang=he", "text/html; charset=utf-8", "public, max-age=2", 200},
		{"/index.html", "text/html; charset=utf-8", "public, max-age=2", 200},
		{"/app.webmanifest", "application/manifest+json", "public, max-age=300", 200},

		{"/v1/board?region=nowhere", "application/problem+json", "no-store", 404},
		{"/v1/board?region=", "application/problem+json", "no-store", 404},
		{"/v1/board?region=north&region=south", "application/problem+json", "no-store", 400},
		{"/v1/board?regoin=north", "application/problem+json", "no-store", 400},
		{"/v1/board?region=%zz", "application/problem+json", "no-store", 400},
		{"/v1/board?region=a;b", "application/problem+json", "no-store", 400},
		{"/v1/stream?region=nowhere", "application/problem+json", "no-store", 404},
		{"/v1/stream?" + strings.Repeat("region=north&", 65), "application/problem+json", "no-store", 400},
		{"/v1/board?region=" + strings.Repeat("x", 9<<10), "application/problem+json", "no-store", 414},
		{"/v1/zones/0123456789abcdef", "application/problem+json", "no-store", 404},
		{"/v1/zones/" + version + "/diff", "application/problem+json", "no-store", 404},
		{"/v1/cap/w1.1", "application/problem+json", "no-store", 404},
		{"/v1/cap/w1.2.xml", "application/problem+json", "no-store", 404},
		{"/v1/cap/..%2f..%2fkeys%2froot.key.xml", "application/problem+json", "no-store", 404},
		{"/v1/cap/%00.xml", "application/problem+json", "no-store", 404},
		{"/v1/nothing", "application/problem+json", "no-store", 404},
		{"/assets/", "application/problem+json", "no-store", 404},
		{"/assets/..%2f..%2fcsp.txt", "application/problem+json", "no-store", 404},
		{"/.gitkeep/x", "application/problem+json", "no-store", 404},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			rec := w.get(method, c.target)
			h := rec.Header()
			if rec.Code != c.status || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.cache {
				t.Errorf("%s %.60s: %d, %q, %q", method, c.target, rec.Code, h.Get("Content-Type"), h.Get("Cache-Control"))
			}
			if cors := h.Get("Access-Control-Allow-Origin"); (cors == "*") != strings.HasPrefix(c.target, "/v1/") {
				t.Errorf("%s %.60s: CORS %q", method, c.target, cors)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s %.60s: %v", method, c.target, h)
			}
			if c.status != 200 {
				var p struct {
					Status        int
					Title, Detail string
				}
				if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || p.Status != c.status || p.Title == "" || p.Detail == "" {
					t.Errorf("%.60s: %v: %s", c.target, err, rec.Body)
				}
			}
		}
	}
}

// TestOnlyReading: nothing else is done here, at any address.
func TestOnlyReading(t *testing.T) {
	w := ready(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
		for _, target := range []string{"/", "/v1/board", "/v1/stream", "/v1/commands", "/v1/keys", "/x"} {
			if rec := w.get(method, target); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, target, rec.Code, rec.Header().Get("Allow"))
			}
		}
	}
}

// TestBeforeTheFirstBoard: nothing is made up; the page says that there is no news.
func TestBeforeTheFirstBoard(t *testing.T) {
	w := newWorld(t, squares(t, 1, nil), nil)
	for _, target := range []string{"/v1/board", "/v1/stream", "/v1/active", "/v1/keys", "/v1/board?region=nowhere"} {
		if rec := w.get("GET", target); rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: %d, Retry-After %q", target, rec.Code, rec.Header().Get("Retry-After"))
		}
	}
	if body := w.get("GET", "/").Body.String(); !strings.Contains(body, "Звісток ще немає") {
		t.Errorf("the page: %s", body)
	}
}

// TestBoardIsTwoLines: the signed board and a beat that agrees with it, and nothing again
// for who has them.
func TestBoardIsTwoLines(t *testing.T) {
	w := ready(t)
	rec := w.get("GET", "/v1/board?region=north")
	lines := bytes.Split(bytes.TrimSuffix(rec.Body.Bytes(), []byte("\n")), []byte("\n"))
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	c := w.client("north")
	for i, line := range lines {
		if v := c.Take(line, w.now); v != board.Taken {
			t.Errorf("line %d: %s", i+1, v)
		}
	}
	if state := c.State(w.now); len(state) != 1 || state[0].Zone != "n0001" {
		t.Errorf("%v", state)
	}
	tag := rec.Header().Get("ETag")
	for held, want := range map[string]int{
		tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, strings.Trim(tag, `"`): 200, "": 200,
	} {
		again := w.get("GET", "/v1/board?region=north", "If-None-Match", held)
		if again.Code != want || again.Code == 304 && again.Body.Len() > 0 || again.Header().Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d, %d bytes", held, again.Code, again.Body.Len())
		}
	}
	w.warn("n0002")
	if again := w.get("GET", "/v1/board?region=north", "If-None-Match", tag); again.Code != 200 {
		t.Errorf("a board that changed: %d", again.Code)
	}
	w.tick()
	tag = w.get("GET", "/v1/board").Header().Get("ETag")
	if w.tick(); w.get("GET", "/v1/board").Header().Get("ETag") == tag {
		t.Error("another beat has the tag of the one before")
	}
}

func TestKeysAndActive(t *testing.T) {
	w := ready(t)
	if _, v := board.VerifyKeys(bytes.TrimSuffix(w.get("GET", "/v1/keys").Body.Bytes(), []byte("\n")), public(keyOf("root")), "exercise"); v != board.Taken {
		t.Error(v)
	}
	var active struct {
		Universe, Picture, Set string
		At                     time.Time
		Zones                  []struct {
			ID, Region, Stage, Threat, Sure, Alert, Text string
			Names                                        map[string]string
		}
	}
	d := json.NewDecoder(w.get("GET", "/v1/active").Body)
	if err := d.Decode(&active); err != nil {
		t.Fatal(err)
	}
	z := active.Zones[0]
	if active.Universe != "exercise" || active.Set != w.set.Version() || len(active.Zones) != 1 || z.ID != "n0001" || z.Region != "north" ||
		z.Stage != "shelter" || z.Names["uk"] != "Зона n0001" || z.Alert != "w-n0001.1" || z.Text != "shelter-drone" {
		t.Errorf("%+v", active)
	}
}

// TestRegistry: every feature as the contract has it, in order, packed for who can unpack.
func TestRegistry(t *testing.T) {
	w := ready(t)
	var summary struct {
		Version           string
		Zones             int
		Levels            []int
		Languages         []string
		URL, Before, Diff string
	}
	if err := json.Unmarshal(w.get("GET", "/v1/zones").Body.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Version != w.set.Version() || summary.Zones != 6 || !slices.Equal(summary.Levels, []int{1, 2}) ||
		!slices.Equal(summary.Languages, []string{"en", "uk"}) || summary.URL != "/v1/zones/"+summary.Version || summary.Before+summary.Diff != "" {
		t.Errorf("%+v", summary)
	}
	plain := w.get("GET", summary.URL).Body.Bytes()
	packed := w.get("GET", summary.URL, "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, plain) || packed.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("packed: %v, %d bytes of %d", err, len(b), len(plain))
	}
	for accept, want := range map[string]string{"gzip;q=0": "", "gzip; q=0.5": "gzip", "identity": "", "": "", "x-gzip": "", "GZIPPED": ""} {
		if got := w.get("GET", summary.URL, "Accept-Encoding", accept).Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: %q", accept, got)
		}
	}
	checkRegistry(t, plain, w.set)

	other := squares(t, 4, func(id zone.ID) map[string]string {
		if id == "s0001" {
			return map[string]string{"en": "Renamed", "uk": "Зона s0001"}
		}
		return map[string]string{"en": "Zone " + string(id), "uk": "Зона " + string(id)}
	})
	if err := w.g.SetZones(other, w.set); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(w.get("GET", "/v1/zones").Body.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	var diff struct {
		From, To       string
		Added, Removed []string
		Changed        []struct {
			ID   string
			What []string
		}
	}
	if err := json.Unmarshal(w.get("GET", summary.Diff).Body.Bytes(), &diff); err != nil {
		t.Fatal(err)
	}
	if summary.Before != w.set.Version() || diff.From != w.set.Version() || diff.To != other.Version() || !slices.Equal(diff.Added, []string{"n0003", "s0003"}) || diff.Removed == nil || len(diff.Removed) != 0 {
		t.Errorf("%+v, %+v", summary, diff)
	}
	// The regions grew by a zone each.
	if c := diff.Changed; len(c) != 3 || c[0].ID != "north" || c[0].What[0] != "shape" || c[2].ID != "south" || c[1].ID != "s0001" || !slices.Equal(c[1].What, []string{"name"}) {
		t.Errorf("changed: %v", c)
	}
}

func checkRegistry(t *testing.T, b []byte, set *zone.Set) {
	t.Helper()
	var doc struct {
		Type     string
		Features []struct {
			Type       string
			Properties map[string]json.RawMessage
			Geometry   struct {
				Type        string
				Coordinates [][][][2]float64
			}
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Type != "FeatureCollection" || len(doc.Features) != 8 {
		t.Fatalf("%s of %d features", doc.Type, len(doc.Features))
	}
	last := ""
	for _, f := range doc.Features {
		var id, region, parent string
		var level int
		var leaf bool
		var label [2]float64
		var names map[string]string
		for name, into := range map[string]any{"id": &id, "level": &level, "region": &region, "names": &names, "leaf": &leaf, "label": &label} {
			if err := json.Unmarshal(f.Properties[name], into); err != nil {
				t.Errorf("%s: %s: %v", id, name, err)
			}
		}
		if p, ok := f.Properties["parent"]; ok {
			if err := json.Unmarshal(p, &parent); err != nil {
				t.Error(err)
			}
		}
		if leaf != (level == 2) || leaf == (parent == "") || region == "" || names["en"] == "" || label[0] < 29 || label[1] < 49 {
			t.Errorf("%s: leaf %v, level %d, parent %q, region %q, label %v", id, leaf, level, parent, region, label)
		}
		if shelter, stated := f.Properties["shelter_s"]; stated != strings.HasSuffix(id, "0000") || stated && string(shelter) != "0" {
			t.Errorf("%s: shelter_s %s", id, shelter)
		}
		ring := f.Geometry.Coordinates[0][0]
		if f.Type != "Feature" || f.Geometry.Type != "MultiPolygon" || ring[0] != ring[len(ring)-1] {
			t.Errorf("%s: %s, %v", id, f.Geometry.Type, ring)
		}
		if key := string(rune('0'+level)) + id; key <= last {
			t.Errorf("%s stands after %s", key, last)
		} else {
			last = key
		}
	}
}

// TestPage: its configuration is filled in, hostile names stay text, and it is written once
// for each state.
func TestPage(t *testing.T) {
	hostile := `</li><script>alert("1")</script><img src=x onerror='x'>`
	set := squares(t, 2, func(id zone.ID) map[string]string { return map[string]string{"uk": hostile + string(id)} })
	w := newWorld(t, set, nil)
	w.tick()
	body := w.get("GET", "/").Body.String()
	if strings.Contains(body, web.ConfigMark) || strings.Contains(body, web.ActiveMark) || !strings.Contains(body, "Тривог не оголошено") {
		t.Errorf("%s", body)
	}
	w.warn("n0001")
	body = w.get("GET", "/").Body.String()
	for _, bad := range []string{"<script>alert", "<img", `<b>"Tocsin"`} {
		if strings.Contains(body, bad) {
			t.Errorf("%q stands in the page", bad)
		}
	}
	for _, want := range []string{"&lt;/li&gt;&lt;script&gt;alert(&#34;1&#34;)", "в укриття", `lang="uk"`, `\u003cb\u003e\"Tocsin\"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in the page:\n%s", want, body)
		}
	}
	if csp := w.get("GET", "/").Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	if a, b := w.g.page.whole(w.g.active.Load(), "uk", false), w.g.page.whole(w.g.active.Load(), "uk", false); a != b {
		t.Error("the list is written for every reader")
	}
	allocs := testing.AllocsPerRun(20, func() { w.get("GET", "/") })
	if allocs > 60 {
		t.Errorf("%.0f allocations a page", allocs)
	}
}

// TestFilesOfThePage: each with its type, packed where asked, and not sent again.
func TestFilesOfThePage(t *testing.T) {
	w := ready(t)
	if len(w.g.page.files) == 0 {
		t.Fatal("the page has no files")
	}
	for name, f := range w.g.page.files {
		if strings.HasPrefix(name, ".") {
			continue
		}
		rec := w.get("GET", "/"+strings.ReplaceAll(name, " ", "%20"))
		if rec.Code != 200 || !bytes.Equal(rec.Body.Bytes(), f.plain) || rec.Header().Get("Content-Type") != f.kind {
			t.Errorf("%s: %d, %d bytes", name, rec.Code, rec.Body.Len())
		}
		if again := w.get("GET", "/"+strings.ReplaceAll(name, " ", "%20"), "Accept-Encoding", "gzip", "If-None-Match", rec.Header().Get("ETag")); again.Code != 304 {
			t.Errorf("%s again: %d", name, again.Code)
		}
		if packed := w.get("GET", "/"+strings.ReplaceAll(name, " ", "%20"), "Accept-Encoding", "gzip"); packed.Header().Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, f.plain) {
				t.Errorf("%s: packed otherwise than plain: %v", name, err)
			}
		}
	}
}

// What stands after a question mark is a document of its own for a cache: where nothing is
// asked for, it is refused in words.
func TestUnknownParameters(t *testing.T) {
	w := newWorld(t, squares(t, 1, nil), nil)
	for _, path := range []string{"/v1/active", "/v1/keys", "/v1/zones", "/v1/cap.atom", "/v1/board", "/v1/stream"} {
		for _, query := range []string{"?x=1", "?regoin=UA59", "?"} {
			if query == "?" && (path == "/v1/board" || path == "/v1/stream") {
				continue // no parameter, and theirs may be left out
			}
			rec := httptest.NewRecorder()
			w.g.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path+query, nil))
			if rec.Code != http.StatusBadRequest || rec.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(rec.Body.String(), "parameter") {
				t.Errorf("%s%s: %d %s", path, query, rec.Code, rec.Body)
			}
		}
	}
}
