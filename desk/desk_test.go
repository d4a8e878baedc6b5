package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the time of every test: that of the examples of the contract.
var noon = time.Date(2026, 11, 22, 13, 58, 30, 0, time.UTC)

// square is a zone of a tenth of a degree.
func square(id, parent zone.ID, level, x, w int) zone.Zone {
	west, east := geo.Degrees(34)+geo.Degrees(x)/10, geo.Degrees(34)+geo.Degrees(x+w)/10
	return zone.Zone{
		ID: id, Level: level, Parent: parent, Names: map[string]string{"en": "Zone " + string(id)},
		Shape: geo.MultiPolygon{{Outer: geo.Ring{
			{Lat: 50, Lon: west}, {Lat: 50, Lon: east}, {Lat: 50.1, Lon: east}, {Lat: 50.1, Lon: west}, {Lat: 50, Lon: west},
		}}},
		Label: geo.Point{Lat: 50.05, Lon: (west + east) / 2},
	}
}

// country has the regions UA59 (zones UA-1 and UA-2) and UA63 (UA-3).
func country(t testing.TB) *zone.Set {
	t.Helper()
	s, err := zone.NewSet([]zone.Zone{
		square("UA59", "", 1, 0, 2), square("UA63", "", 1, 2, 1),
		square("UA-1", "UA59", 2, 0, 1), square("UA-2", "UA59", 2, 1, 1), square("UA-3", "UA63", 2, 2, 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bounds is an Area by lists.
type bounds struct {
	regions []zone.ID
	classes []class.Class
	zones   []zone.ID
}

func has[T comparable](all []T, one T) bool {
	for _, a := range all {
		if a == one {
			return true
		}
	}
	return len(all) == 0
}

func (b bounds) Region(id zone.ID) bool   { return has(b.regions, id) }
func (b bounds) Class(c class.Class) bool { return has(b.classes, c) }
func (b bounds) Within(id zone.ID) bool   { return has(b.zones, id) }

// keys are the keys of a board by lists, until a time.
type keys struct {
	bounds
	until time.Time
}

func (k keys) Permits(at time.Time, c class.Class, id zone.ID) bool {
	return at.Before(k.until) && k.Class(c) && k.Within(id)
}

func (k keys) Until(at time.Time, _ zone.ID) time.Time {
	if k.until.After(at) {
		return k.until
	}
	return at
}

// people are the tokens of the tests; a secret is its name.
type people map[string]Grant

func (p people) Grant(_ time.Time, secret string) (Grant, error) {
	g, ok := p[secret]
	switch {
	case secret == "over":
		return g, ErrTokenOver
	case !ok:
		return g, ErrToken
	}
	g.Name, g.Source = secret, secret
	return g, nil
}

var all = []string{ScopeDeclare, ScopeExtend, ScopeEnd, ScopeObserve, ScopeConfirm, ScopeVeto, ScopeRead}

func tokens() people {
	return people{
		"national":    {Scopes: all, Everything: true},
		"reader":      {Scopes: []string{ScopeRead}, Everything: true},
		"operator":    {Scopes: []string{ScopeEnd, ScopeExtend}, Everything: true},
		"sumy-oblast": {Scopes: all, Area: bounds{regions: []zone.ID{"UA59"}}},
		"town":        {Scopes: all, Area: bounds{zones: []zone.ID{"UA-1"}}},
		"air":         {Scopes: all, Area: bounds{classes: []class.Class{class.CruiseMissile}}},
	}
}

// carrier stands for journal and core: it counts, and answers as it is told to.
type carrier struct {
	mu     sync.Mutex
	orders []pipeline.Order
	err    error
	refuse *warning.RefusedError
	hold   chan struct{} // where not nil: carried out once it is closed
}

func (c *carrier) Carry(_ context.Context, o pipeline.Order) (pipeline.Answer, error) {
	if c.hold != nil {
		<-c.hold
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders = append(c.orders, o)
	a := pipeline.Answer{Command: o.ID, Position: int64(len(c.orders))}
	if c.refuse != nil {
		a.Field, a.Refused = c.refuse.Field, c.refuse.Why
	} else if o.Said == nil {
		a.Warnings, a.Alerts = []warning.ID{"wmi4k2x9b"}, []alert.ID{"wmi4k2x9b.1"}
	}
	return a, c.err
}

func (c *carrier) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.orders)
}

func (c *carrier) last() pipeline.Order {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.orders[len(c.orders)-1]
}

// inForce is one automatic warning of drones: UA-1 in shelter, UA-2 in prepare.
func inForce() []warning.Warning {
	since := noon.Add(-510 * time.Second)
	z := func(id zone.ID, s warning.Stage) warning.ZoneState {
		return warning.ZoneState{Zone: id, Stage: s, Threat: class.Drone, Since: since, Until: since.Add(30 * time.Minute)}
	}
	return []warning.Warning{{
		ID: "wmi4k2x9a", Revision: 1, At: since, Since: since, Causes: []warning.Cause{{Track: "t1-1", Threat: class.Drone}},
		Zones: []warning.ZoneState{z("UA-1", warning.Shelter), z("UA-2", warning.Prepare)},
	}, {ID: "wover", At: since, Since: since}}
}

// proposals are shelter from drones in UA-2, which a veto can stop for 7 s more, and from
// rockets in UA-3, which waits for a person.
func proposals() []warning.Proposal {
	return []warning.Proposal{
		{Stage: warning.Shelter, Threat: class.Drone, Since: noon.Add(-3 * time.Second), SpokenAt: noon.Add(7 * time.Second), Zones: []zone.ID{"UA-2"}},
		{Stage: warning.Shelter, Threat: class.Rocket, Since: noon.Add(-20 * time.Second), Zones: []zone.ID{"UA-3"}},
	}
}

// place is a desk on loopback.
type place struct {
	t       testing.TB
	url     string
	carrier *carrier
	desk    *Desk
	noted   []health.Condition
	client  *http.Client
}

func open(t testing.TB, change func(*Config)) *place {
	t.Helper()
	set := country(t)
	p := &place{t: t, carrier: &carrier{}}
	cfg := Config{
		Universe: alert.Exercise, Grants: tokens(), Carrier: p.carrier, Zones: func() *zone.Set { return set }, Warnings: inForce,
		Proposals: proposals,
		Signing:   func() Signing { return keys{until: noon.AddDate(1, 0, 0)} },
		Conditions: func() []health.Condition {
			return []health.Condition{{Name: "feed-silent", Subject: "radar-north", Raised: true, At: noon.Add(-210 * time.Second), Detail: "nothing for 20s"}}
		},
		Note:     func(c health.Condition) { p.noted = append(p.noted, c) },
		Registry: prometheus.NewRegistry(), Now: func() time.Time { return noon },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "tocsin_alerts_total 0") }),
		Rate:    1e6, Burst: 1e6, Slow: -1,
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if p.desk, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.desk)
	p.url, p.client = server.URL, server.Client()
	t.Cleanup(server.Close)
	return p
}

// ask sends a request; the header holds pairs.
func (p *place) ask(method, path, token, body string, header ...string) (*http.Response, []byte) {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if method != "GET" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res, b
}

func (p *place) command(token, body string) (int, Problem, Answer) {
	p.t.Helper()
	res, b := p.ask("POST", "/v1/commands", token, body)
	var no Problem
	var yes Answer
	if res.StatusCode == http.StatusCreated {
		if err := json.Unmarshal(b, &yes); err != nil {
			p.t.Fatalf("%s: %v", b, err)
		}
		return res.StatusCode, no, yes
	}
	if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
		p.t.Errorf("%d came as %s: %s", res.StatusCode, got, b)
	}
	if err := json.Unmarshal(b, &no); err != nil {
		p.t.Fatalf("%s: %v", b, err)
	}
	if no.Status != res.StatusCode || no.Detail == "" || no.Title == "" {
		p.t.Errorf("problem of %d: %s", res.StatusCode, b)
	}
	return res.StatusCode, no, yes
}

// Good commands, with one member to be changed by the tables.
const (
	declare = `{"id":"c1","action":"declare","zones":["UA-1"],"stage":"shelter","threat":"drone","until":"2026-11-22T14:30:00Z","reason":"drones seen"}`
	extend  = `{"id":"c2","action":"extend","warning":"wmi4k2x9a","until":"2026-11-22T15:00:00Z"}`
	end     = `{"id":"c3","action":"end","zones":["UA-1"],"end":"all-clear","reason":"debris found"}`
	fix     = `{"id":"c4","action":"observe","observe":{"fix":{"lat":50.9,"lon":34.8,"error":2000},"says":"drone","at":"2026-11-22T13:58:20Z"}}`
	bearing = `{"id":"c5","action":"observe","observe":{"bearing":{"lat":50.9,"lon":34.8,"azimuth":90,"width":5},"at":"2026-11-22T13:58:20Z"}}`
	cue     = `{"id":"c6","action":"observe","observe":{"cue":{"lat":50.9,"lon":34.8,"radius":5000,"at":"2026-11-22T13:57:00Z"}}}`
)

// swap replaces one text in a good command; the test fails where it is not there.
func swap(t testing.TB, in, old, new string) string {
	t.Helper()
	if !strings.Contains(in, old) {
		t.Fatalf("%s has no %s", in, old)
	}
	return strings.Replace(in, old, new, 1)
}

func TestGoodCommands(t *testing.T) {
	p := open(t, nil)
	for i, body := range []string{declare, extend, end, fix, bearing, cue} {
		status, no, yes := p.command("national", body)
		if status != http.StatusCreated || !yes.Accepted || yes.ID != fmt.Sprintf("c%d", i+1) || yes.Position != int64(i+1) || yes.Warnings == nil || yes.Alerts == nil {
			t.Errorf("%s: %d %+v %+v", body, status, no, yes)
		}
	}
}

// refusals are faults, one each: what is changed in a good command, and what it is refused with.
var refusals = []struct {
	body, old, new string
	token          string // "" is national
	status         int
	field          string
}{
	// What is not JSON.
	{declare, declare, ``, "", 400, "body"},
	{declare, declare, `{`, "", 400, "body"},
	{declare, declare, `[]`, "", 400, "body"},
	{declare, declare, `null`, "", 400, "body"},
	{declare, `"drones seen"}`, `"drones seen"} {}`, "", 400, "body"},
	{declare, `"drones seen"}`, `"drones seen"},`, "", 400, "body"},
	{declare, `{"id"`, "\ufeff{\"id\"", "", 400, "body"},
	{declare, `drones`, "dr\xffones", "", 400, "body"},
	{declare, `drones`, `dr\ud800ones`, "", 400, "reason"},
	{declare, `drones`, `dr\qones`, "", 400, "reason"},
	{declare, `drones`, "dr\nones", "", 400, "reason"},
	{declare, `"zones":["UA-1"]`, `"zones":["UA-1",]`, "", 400, "zones"},
	{declare, `"zones":["UA-1"]`, `"zones":` + strings.Repeat("[", 20), "", 400, "zones"},
	{declare, `"zones":["UA-1"]`, `"zones":` + strings.Repeat("[", 30_000), "", 400, "zones"},
	{declare, `"zones":["UA-1"]`, `"zones":["UA-1"` + strings.Repeat(`,"UA-1"`, 6000) + `]`, "", 400, "zones"},
	{fix, `"lat":50.9`, `"lat":NaN`, "", 400, "observe.fix.lat"},
	{fix, `"lat":50.9`, `"lat":+50.9`, "", 400, "observe.fix.lat"},
	{fix, `"lat":50.9`, `"lat":050.9`, "", 400, "observe.fix.lat"},
	{fix, `"lat":50.9`, `"lat":Infinity`, "", 400, "observe.fix.lat"},
	// Members.
	{declare, `"stage"`, `"stagge"`, "", 400, "stagge"},
	{declare, `"stage"`, `"Stage"`, "", 400, "Stage"},
	{declare, `"reason"`, `"id":"c9","reason"`, "", 400, "id"},
	{fix, `"lon"`, `"lat":1,"lon"`, "", 400, "observe.fix.lat"},
	{fix, `"lon"`, `"speed":1,"lon"`, "", 400, "observe.fix.speed"},
	{declare, `"id":"c1",`, ``, "", 400, "id"},
	{declare, `"action":"declare",`, ``, "", 400, "action"},
	{declare, `"stage":"shelter",`, ``, "", 400, "stage"},
	{declare, `"threat":"drone",`, ``, "", 400, "threat"},
	{declare, `"until":"2026-11-22T14:30:00Z",`, ``, "", 400, "until"},
	{declare, `,"reason":"drones seen"`, ``, "", 400, "reason"},
	{declare, `"zones":["UA-1"],`, ``, "", 400, "zones"},
	{declare, `"stage"`, `"warning":"w1","stage"`, "", 400, "warning"},
	{declare, `"stage"`, `"end":"cancelled","stage"`, "", 400, "end"},
	{extend, `,"until":"2026-11-22T15:00:00Z"`, ``, "", 400, "until"},
	{extend, `"warning":"wmi4k2x9a",`, ``, "", 400, "zones"},
	{extend, `"until"`, `"stage":"shelter","until"`, "", 400, "stage"},
	{end, `"end":"all-clear",`, ``, "", 400, "end"},
	{end, `,"reason":"debris found"`, ``, "", 400, "reason"},
	{end, `"reason"`, `"until":"2026-11-22T15:00:00Z","reason"`, "", 400, "until"},
	{fix, `"observe":{`, `"reason":"x","observe":{`, "", 400, "reason"},
	{fix, `,"at":"2026-11-22T13:58:20Z"`, ``, "", 400, "observe.at"},
	{fix, `"lat":50.9,`, ``, "", 400, "observe.fix.lat"},
	{fix, `"lon":34.8,`, ``, "", 400, "observe.fix.lon"},
	{fix, `,"error":2000`, ``, "", 400, "observe.fix.error"},
	{bearing, `,"width":5`, ``, "", 400, "observe.bearing.width"},
	{bearing, `"azimuth":90,`, ``, "", 400, "observe.bearing.azimuth"},
	{cue, `,"at":"2026-11-22T13:57:00Z"`, ``, "", 400, "observe.cue.at"},
	{cue, `"radius":5000,`, ``, "", 400, "observe.cue.radius"},
	{cue, `{"cue"`, `{"at":"2026-11-22T13:57:00Z","cue"`, "", 400, "observe.at"},
	{cue, `{"cue"`, `{"fix":{"lat":1,"lon":1,"error":5},"cue"`, "", 400, "observe"},
	{fix, `"fix":{"lat":50.9,"lon":34.8,"error":2000},`, ``, "", 400, "observe"},
	// Types.
	{declare, `"c1"`, `1`, "", 400, "id"},
	{declare, `"declare"`, `null`, "", 400, "action"},
	{declare, `["UA-1"]`, `"UA-1"`, "", 400, "zones"},
	{declare, `["UA-1"]`, `["UA-1",5]`, "", 400, "zones"},
	{declare, `["UA-1"]`, `{}`, "", 400, "zones"},
	{declare, `"zones":["UA-1"]`, `"regions":true`, "", 400, "regions"},
	{declare, `"shelter"`, `2`, "", 400, "stage"},
	{declare, `"2026-11-22T14:30:00Z"`, `1795357800`, "", 400, "until"},
	{declare, `"drones seen"`, `["drones seen"]`, "", 400, "reason"},
	{fix, `"lat":50.9`, `"lat":"50.9"`, "", 400, "observe.fix.lat"},
	{fix, `{"lat":50.9,"lon":34.8,"error":2000}`, `null`, "", 400, "observe.fix"},
	// Bounds and lists.
	{declare, `"c1"`, `""`, "", 400, "id"},
	{declare, `"c1"`, `"` + strings.Repeat("c", 65) + `"`, "", 400, "id"},
	{declare, `"c1"`, `"c 1"`, "", 400, "id"},
	{declare, `"c1"`, `"c\u0000"`, "", 400, "id"},
	{declare, `"c1"`, `"сумська"`, "", 400, "id"},
	{declare, `"declare"`, `"cancel"`, "", 400, "action"},
	{declare, `["UA-1"]`, `[]`, "", 400, "zones"},
	{declare, `["UA-1"]`, `[""]`, "", 400, "zones"},
	{declare, `["UA-1"]`, `["UA\u0007"]`, "", 400, "zones"},
	{declare, `"shelter"`, `"quiet"`, "", 400, "stage"},
	{declare, `"shelter"`, `"SHELTER"`, "", 400, "stage"},
	{declare, `"drone"`, `"ufo"`, "", 400, "threat"},
	{end, `"all-clear"`, `"expired"`, "", 400, "end"},
	{end, `"all-clear"`, `""`, "", 400, "end"},
	{declare, `"2026-11-22T14:30:00Z"`, `"tomorrow"`, "", 400, "until"},
	{declare, `"2026-11-22T14:30:00Z"`, `"2026-11-31T14:30:00Z"`, "", 400, "until"},
	{declare, `"2026-11-22T14:30:00Z"`, `"2026-11-22T14:30:00"`, "", 400, "until"},
	{declare, `"2026-11-22T14:30:00Z"`, `"2026-11-22 14:30:00Z"`, "", 400, "until"},
	{declare, `"2026-11-22T14:30:00Z"`, `"0000-01-01T00:00:00Z"`, "", 400, "until"},
	{declare, `drones seen`, ``, "", 400, "reason"},
	{declare, `drones seen`, `   `, "", 400, "reason"},
	{declare, `drones seen`, strings.Repeat("x", maxReason+1), "", 400, "reason"},
	{declare, `drones seen`, `dr\u0000nes`, "", 400, "reason"},
	{declare, `drones seen`, `two\nlines`, "", 400, "reason"},
	{declare, `drones seen`, `\u202eneht`, "", 400, "reason"},
	{declare, `drones seen`, `a\u0085b`, "", 400, "reason"},
	{fix, `"lat":50.9`, `"lat":90.001`, "", 400, "observe.fix.lat"},
	{fix, `"lat":50.9`, `"lat":1e400`, "", 400, "observe.fix.lat"},
	{fix, `"lon":34.8`, `"lon":-181`, "", 400, "observe.fix.lon"},
	{fix, `"error":2000`, `"error":0`, "", 400, "observe.fix.error"},
	{fix, `"error":2000`, `"error":-5`, "", 400, "observe.fix.error"},
	{fix, `"error":2000`, `"error":1e9`, "", 400, "observe.fix.error"},
	{fix, `"error"`, `"height":1e6,"error"`, "", 400, "observe.fix.height"},
	{fix, `"drone"`, `"dragon"`, "", 400, "observe.says"},
	{fix, `"says"`, `"words":"` + strings.Repeat("x", maxReason+1) + `","says"`, "", 400, "observe.words"},
	{bearing, `"azimuth":90`, `"azimuth":361`, "", 400, "observe.bearing.azimuth"},
	{bearing, `"width":5`, `"width":0`, "", 400, "observe.bearing.width"},
	{cue, `"radius":5000`, `"radius":1e7`, "", 400, "observe.cue.radius"},
	// Times.
	{declare, `14:30:00Z`, `13:00:00Z`, "", 422, "until"},
	{declare, `14:30:00Z`, `13:58:30Z`, "", 422, "until"},
	{declare, `14:30:00Z`, `14:30:00+02:00`, "", 422, "until"},
	{declare, `"2026-11-22T14:30:00Z"`, `"2026-11-23T13:58:30.001Z"`, "", 422, "until"},
	{declare, `"stage"`, `"sent":"2026-11-22T13:53:29Z","stage"`, "", 422, "sent"},
	{declare, `"stage"`, `"universe":"live","stage"`, "", 422, "universe"},
	{declare, `"stage"`, `"universe":"test","stage"`, "", 400, "universe"},
	{declare, `"stage"`, `"sent":"2026-11-22T14:03:31Z","stage"`, "", 422, "sent"},
	{fix, `13:58:20Z`, `13:58:36Z`, "", 422, "observe.at"},
	{fix, `13:58:20Z`, `13:53:29Z`, "", 422, "observe.at"},
	{strings.Replace(fix, "drone", "ballistic-missile", 1), `13:58:20Z`, `13:55:00Z`, "", 422, "observe.at"},
	{strings.Replace(bearing, `"at"`, `"says":"rocket","at"`, 1), `13:58:20Z`, `13:55:00Z`, "", 422, "observe.at"},
	{cue, `13:57:00Z`, `13:53:29Z`, "", 422, "observe.cue.at"},
	{cue, `13:57:00Z`, `13:59:00Z`, "", 422, "observe.cue.at"},
	// Places.
	{declare, `["UA-1"]`, `["UA-1","UA-77"]`, "", 422, "zones"},
	{declare, `"zones":["UA-1"]`, `"regions":["UA77"]`, "", 422, "regions"},
	{extend, `wmi4k2x9a`, `wnone`, "", 422, "warning"},
	{extend, `wmi4k2x9a`, `wover`, "", 422, "warning"},
	{end, `"UA-1"`, `"UA-77"`, "", 422, "zones"},
	// Who may.
	{declare, `drone"`, `drone"`, "reader", 403, "action"},
	{declare, `drone"`, `drone"`, "operator", 403, "action"},
	{declare, `"UA-1"`, `"UA-3"`, "sumy-oblast", 403, "zones"},
	{declare, `"UA-1"`, `"UA-1","UA63"`, "sumy-oblast", 403, "zones"},
	{declare, `"zones":["UA-1"]`, `"regions":["*"]`, "sumy-oblast", 403, "regions"},
	{declare, `"zones":["UA-1"]`, `"regions":["UA59"]`, "town", 403, "regions"},
	{declare, `drone"`, `drone"`, "air", 403, "threat"},
	{extend, `wmi4k2x9a`, `wmi4k2x9a`, "town", 403, "warning"},
	{extend, `wmi4k2x9a`, `wmi4k2x9a`, "air", 403, "warning"},
	{end, `"UA-1"`, `"UA-1"`, "air", 403, "zones"},
	{end, `"zones":["UA-1"]`, `"regions":["UA59"]`, "air", 403, "regions"},
	{end, `"UA-1"`, `"UA-3"`, "sumy-oblast", 403, "zones"},
	{fix, `"drone"`, `"drone"`, "air", 403, "observe.says"},
	{fix, `"says":"drone",`, ``, "air", 403, "observe.says"},
	{cue, `"radius":5000`, `"radius":5000`, "air", 403, "observe.says"},
	{fix, `"lat":50.9,"lon":34.8`, `"lat":50.9,"lon":24.0`, "sumy-oblast", 403, "observe.fix"},
	{bearing, `"lat":50.9`, `"lat":-50.9`, "sumy-oblast", 403, "observe.bearing"},
	{cue, `"lat":50.9`, `"lat":20.9`, "sumy-oblast", 403, "observe.cue"},
	{declare, `drone"`, `drone"`, "nobody", 401, "Authorization"},
	{declare, `drone"`, `drone"`, "over", 401, "Authorization"},
	{declare, `drone"`, `drone"`, strings.Repeat("x", 300), 401, "Authorization"},
}

// TestRefusals: each fault is refused with its status and its field, and nothing is done.
func TestRefusals(t *testing.T) {
	for _, test := range refusals {
		p := open(t, nil)
		token := test.token
		if token == "" {
			token = "national"
		}
		body := swap(t, test.body, test.old, test.new)
		status, no, _ := p.command(token, body)
		if status != test.status || no.Field != test.field {
			t.Errorf("%.300s\n  got %d %q (%s), want %d %q", body, status, no.Field, no.Detail, test.status, test.field)
		}
		if n := p.carrier.count(); n != 0 {
			t.Errorf("%.300s\n  was carried out", body)
		}
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	p := open(t, nil)
	for _, test := range []struct {
		name, method, path, token, body string
		header                          []string
		status                          int
		field                           string
	}{
		{"no token", "POST", "/v1/commands", "", declare, nil, 401, "Authorization"},
		{"another scheme", "POST", "/v1/commands", "", declare, []string{"Authorization", "Basic bmF0aW9uYWw6"}, 401, "Authorization"},
		{"an empty token", "POST", "/v1/commands", "", declare, []string{"Authorization", "Bearer "}, 401, "Authorization"},
		{"another type", "POST", "/v1/commands", "national", declare, []string{"Content-Type", "text/plain"}, 415, "Content-Type"},
		{"a form", "POST", "/v1/commands", "national", declare, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "Content-Type"},
		{"another character set", "POST", "/v1/commands", "national", declare, []string{"Content-Type", "application/json; charset=utf-16"}, 415, "Content-Type"},
		{"an encoding", "POST", "/v1/commands", "national", declare, []string{"Content-Encoding", "gzip"}, 415, "Content-Encoding"},
		{"too large", "POST", "/v1/commands", "national", `{"id":"` + strings.Repeat("x", maxBody) + `"}`, nil, 413, "body"},
		{"another method", "PUT", "/v1/commands", "national", declare, nil, 405, ""},
		{"reading commands", "GET", "/v1/commands", "national", "", nil, 405, ""},
		{"writing warnings", "POST", "/v1/warnings", "national", declare, nil, 405, ""},
		{"nothing", "GET", "/v1/tracks", "national", "", nil, 404, ""},
		{"no scope to read", "GET", "/v1/warnings", "operator", "", nil, 403, "Authorization"},
		{"conditions without a token", "GET", "/v1/conditions", "", "", nil, 401, "Authorization"},
	} {
		res, b := p.ask(test.method, test.path, test.token, test.body, test.header...)
		var no Problem
		if err := json.Unmarshal(b, &no); err != nil || res.StatusCode != test.status || no.Field != test.field || no.Status != test.status {
			t.Errorf("%s: %d %s", test.name, res.StatusCode, b)
		}
		if res.StatusCode == 405 && res.Header.Get("Allow") == "" {
			t.Errorf("%s: what is allowed is not said", test.name)
		}
	}
	if p.carrier.count() != 0 {
		t.Error("something was carried out")
	}
}

// TestWhatIsHandedOn: the order has what was meant, and who meant it.
func TestWhatIsHandedOn(t *testing.T) {
	p := open(t, nil)
	p.command("national", declare)
	if o := p.carrier.last(); o.By != (warning.Issuer{Kind: warning.ByAuthority, Name: "national"}) || o.Action != warning.Declare ||
		o.Stage != warning.Shelter || o.Threat != class.Drone || !o.Until.Equal(noon.Add(31*time.Minute+30*time.Second)) || o.Reason != "drones seen" || o.Content == "" {
		t.Errorf("declare: %+v", o)
	}
	p.command("operator", extend)
	if o := p.carrier.last(); o.By.Kind != warning.ByOperator || len(o.Zones) != 0 {
		t.Errorf("extend by an operator without limits: %+v", o)
	}
	p.command("sumy-oblast", swap(t, extend, "c2", "c2b"))
	if o := p.carrier.last(); fmt.Sprint(o.Zones) != "[UA-1 UA-2]" || o.Warning != "wmi4k2x9a" {
		t.Errorf("a token with limits is held to the zones that were in force: %+v", o)
	}
}

// TestObservations: words become what the core knows how to weigh.
func TestObservations(t *testing.T) {
	p := open(t, nil)
	p.command("national", swap(t, fix, `"says"`, `"words":"heard","says"`))
	o := p.carrier.last()
	in, ok := o.Input().(pipeline.Observed)
	if !ok || in.Observation.Source != "national" || in.Observation.Evidence != "heard" || in.Observation.Says.Best() != class.Drone || !in.Observation.ReceivedAt.Equal(noon) {
		t.Fatalf("fix: %+v", o)
	}
	if o.Said.Fix == nil || o.Said.Fix.Covariance[0][0] != 2000*2000 || o.Said.Fix.Covariance[2][2] < 3000*3000 {
		t.Errorf("a fix without height is anywhere in the band: %+v", o.Said.Fix)
	}
	kept, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back pipeline.Order
	if err := json.Unmarshal(kept, &back); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v", back.Input()) != fmt.Sprintf("%+v", in) {
		t.Errorf("what is kept is not what was given:\n%+v\n%+v", back.Input(), in)
	}
	p.command("national", swap(t, swap(t, fix, "c4", "c4b"), "13:58:20Z", "13:57:30Z"))
	if o := p.carrier.last(); !o.Said.ObservedAt.Equal(noon) || o.Said.Fix.Covariance[0][0] <= 3600*3600 {
		t.Errorf("a drone seen a minute ago may be 3.6 km on: %+v", o.Said)
	}
	p.command("national", swap(t, swap(t, bearing, "c5", "c5b"), "13:58:20Z", "13:58:00Z"))
	if o := p.carrier.last(); o.Said.Bearing == nil || !(o.Said.Bearing.Width > 5) || !o.Said.Bearing.HasFrom || o.Said.Says.Said() {
		t.Errorf("bearing: %+v", o.Said)
	}
	p.command("national", cue)
	if o := p.carrier.last(); o.Said.Cue == nil || !o.Said.Cue.LaunchedAt.Equal(noon.Add(-90*time.Second)) {
		t.Errorf("cue: %+v", o.Said)
	}
}

func TestReads(t *testing.T) {
	p := open(t, nil)
	res, b := p.ask("GET", "/v1/warnings", "reader", "")
	if res.StatusCode != 200 || bytes.Contains(b, []byte("t1-1")) || bytes.Contains(b, []byte("wover")) || !bytes.Contains(b, []byte(`"causes":1`)) {
		t.Errorf("warnings: %d %s", res.StatusCode, b)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Error("what operators see must not stay in a cache")
	}
	if res, b = p.ask("GET", "/metrics", "", ""); res.StatusCode != 200 {
		t.Errorf("metrics: %d %s", res.StatusCode, b)
	}
}

func TestRequired(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a desk without anything was made")
	}
}

// TestTheKeysOfTheBoard: what they may not sign is refused, whoever asks: a warning that no
// device is told of is not accepted.
func TestTheKeysOfTheBoard(t *testing.T) {
	signing := keys{bounds{classes: []class.Class{class.Drone}, zones: []zone.ID{"UA-1", "UA-2"}}, noon.Add(2 * time.Hour)}
	p := open(t, func(c *Config) { c.Signing = func() Signing { return signing } })
	ids := 0
	declare := func(places, threat, until string) string {
		ids++
		return `{"id":"k` + fmt.Sprint(ids) + `","action":"declare",` + places + `,"stage":"shelter","threat":"` + threat + `","until":"2026-11-22T` + until + `:00Z","reason":"seen"}`
	}
	for _, test := range []struct {
		body   string
		status int
		field  string
		says   string
	}{
		{declare(`"zones":["UA-1"]`, "drone", "15:00"), 201, "", ""},
		{declare(`"regions":["UA59"]`, "drone", "15:58"), 201, "", ""},
		{declare(`"zones":["UA-1"]`, "rocket", "15:00"), 403, "threat", "is rocket, of which no key of the board may warn"},
		{declare(`"zones":["UA-1","UA-3"]`, "drone", "15:00"), 403, "zones", `"UA-3", outside the jurisdiction of the board's keys`},
		{declare(`"regions":["UA59","UA63"]`, "drone", "15:00"), 403, "regions", `"UA-3", outside`},
		{declare(`"zones":["UA-1"]`, "drone", "16:30"), 422, "until", "2026-11-22T15:58:30.000Z"},
		{`{"id":"e1","action":"extend","warning":"wmi4k2x9a","until":"2026-11-22T15:00:00Z"}`, 201, "", ""},
		{`{"id":"e2","action":"extend","regions":["UA59"],"until":"2026-11-22T16:30:00Z"}`, 422, "until", "ends"},
	} {
		status, no, _ := p.command("national", test.body)
		if status != test.status || no.Field != test.field || !strings.Contains(no.Detail, test.says) {
			t.Errorf("%s: %d %+v", test.body, status, no)
		}
	}
	signing.classes = []class.Class{class.Rocket}
	if status, no, _ := p.command("national", `{"id":"e3","action":"extend","zones":["UA-1"],"until":"2026-11-22T15:00:00Z"}`); status != 403 || no.Field != "zones" {
		t.Errorf("to extend what is on no device: %d %+v", status, no)
	}
	if status, no, _ := p.command("national", `{"id":"e4","action":"end","zones":["UA-1"],"end":"cancelled","reason":"a mistake"}`); status != 201 {
		t.Errorf("to end what is on no device is always taken: %d %+v", status, no)
	}
	signing.classes, signing.until = nil, noon
	if status, no, _ := p.command("national", declare(`"zones":["UA-1"]`, "drone", "15:00")); status != 403 || !strings.Contains(no.Detail, "no key of the board is in force") {
		t.Errorf("without a key in force: %d %+v", status, no)
	}
}

// TestProposals: a word on what is proposed is checked against what waits, and for whom.
func TestProposals(t *testing.T) {
	signing := keys{until: noon.AddDate(1, 0, 0)}
	p := open(t, func(c *Config) { c.Signing = func() Signing { return signing } })
	for _, test := range []struct {
		who, body string
		status    int
		field     string
	}{
		{"national", `{"id":"p1","action":"confirm","stage":"shelter","zones":["UA-3"]}`, 201, ""},
		{"national", `{"id":"p2","action":"veto","stage":"shelter","regions":["UA59"],"reason":"ours"}`, 201, ""},
		{"sumy-oblast", `{"id":"p3","action":"veto","stage":"shelter","zones":["UA-2"],"reason":"ours"}`, 201, ""},
		{"national", `{"id":"p4","action":"confirm","stage":"prepare","zones":["UA-3"]}`, 422, "stage"},
		{"national", `{"id":"p5","action":"veto","stage":"shelter","zones":["UA-1"],"reason":"ours"}`, 422, "zones"},
		{"air", `{"id":"p5","action":"confirm","stage":"shelter","zones":["UA-1"]}`, 422, "zones"},
		{"national", `{"id":"p6","action":"confirm","stage":"shelter","zones":["UA-9"]}`, 422, "zones"},
		{"sumy-oblast", `{"id":"p7","action":"confirm","stage":"shelter","zones":["UA-3"]}`, 403, "zones"},
		{"sumy-oblast", `{"id":"p8","action":"veto","stage":"shelter","regions":["UA63"],"reason":"ours"}`, 403, "regions"},
		{"air", `{"id":"p9","action":"veto","stage":"shelter","zones":["UA-2"],"reason":"ours"}`, 403, "zones"},
		{"operator", `{"id":"p10","action":"veto","stage":"shelter","zones":["UA-2"],"reason":"ours"}`, 403, "action"},
		{"national", `{"id":"p11","action":"veto","stage":"shelter","zones":["UA-2"]}`, 400, "reason"},
		{"national", `{"id":"p12","action":"confirm","zones":["UA-3"]}`, 400, "stage"},
		{"national", `{"id":"p13","action":"confirm","stage":"shelter"}`, 400, "zones"},
		{"national", `{"id":"p14","action":"confirm","stage":"quiet","zones":["UA-3"]}`, 400, "stage"},
		{"national", `{"id":"p15","action":"confirm","stage":"shelter","zones":["UA-3"],"threat":"rocket"}`, 400, "threat"},
		{"national", `{"id":"p16","action":"confirm","stage":"shelter","warning":"w1"}`, 400, "warning"},
	} {
		status, no, _ := p.command(test.who, test.body)
		if status != test.status || no.Field != test.field {
			t.Errorf("%s: %d %+v", test.body, status, no)
		}
	}
	if o := p.carrier.last(); p.carrier.count() != 3 || o.Action != warning.Veto || o.Stage != warning.Shelter || o.Reason != "ours" || o.By.Name != "sumy-oblast" {
		t.Errorf("%d were carried out, the last %+v", p.carrier.count(), o)
	}
	if status, _, _ := p.command("national", `{"id":"q0","action":"confirm","stage":"shelter","zones":["UA-1"]}`); status != 201 {
		t.Errorf("to confirm a young track is for the core to judge: %d", status)
	}
	signing.classes = []class.Class{class.Drone}
	if status, no, _ := p.command("national", `{"id":"q1","action":"confirm","stage":"shelter","zones":["UA-3"]}`); status != 403 || no.Field != "zones" {
		t.Errorf("to confirm what no key may sign: %d %+v", status, no)
	}
	if status, _, _ := p.command("national", `{"id":"q2","action":"veto","stage":"shelter","zones":["UA-3"],"reason":"ours"}`); status != 201 {
		t.Errorf("to veto it: %d", status)
	}
}
