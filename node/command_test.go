package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/desk"
	"tocsin/gateway"
	"tocsin/health"
	"tocsin/journal"
	"tocsin/node/keyring"
)

// leavesNothing fails a test that leaves a goroutine behind, once all of it is cleaned up.
func leavesNothing(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// row are six zones side by side, a to f, of a tenth of a degree from 34 E, 50 N; a to d
// are the region north, e and f south.
func row(t testing.TB) string {
	t.Helper()
	var features []string
	add := func(id, parent string, level, x, w int) {
		west, east := 34+float64(x)/10, 34+float64(x+w)/10
		features = append(features, fmt.Sprintf(`{"type":"Feature","properties":{"id":%q,"level":%d,"parent":%q,"name:en":%q},"geometry":{"type":"Polygon","coordinates":[[[%g,50],[%g,50],[%g,50.1],[%g,50.1],[%g,50]]]}}`,
			id, level, parent, "Zone "+id, west, east, east, west, west))
	}
	add("north", "", 1, 0, 4)
	add("south", "", 1, 4, 2)
	for i, id := range []string{"a", "b", "c", "d", "e", "f"} {
		parent := "north"
		if i > 3 {
			parent = "south"
		}
		add(id, parent, 2, i, 1)
	}
	file := filepath.Join(t.TempDir(), "zones.geojson")
	body := `{"type":"FeatureCollection","features":[` + strings.Join(features, ",\n") + `]}`
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// office is a data folder with tokens, and what is configured on it.
type office struct {
	cfg     Config
	secrets map[string]string
}

func newOffice(t testing.TB) office { return newOfficeOf(t, keyring.Options{}) }

// newOfficeOf is one whose first board key is as the options say.
func newOfficeOf(t testing.TB, key keyring.Options) office {
	t.Helper()
	o := office{cfg: Defaults(), secrets: map[string]string{}}
	o.cfg.Universe, o.cfg.Data, o.cfg.Zones, o.cfg.Languages = alert.Exercise, t.TempDir(), []string{row(t)}, []string{"en"}
	o.cfg.Sender, o.cfg.Public.Listen, o.cfg.Desk.Listen = "exercise@tocsin.example", "127.0.0.1:0", "127.0.0.1:0"
	ring, err := keyring.Init(o.cfg.Data, alert.Exercise, time.Now(), key)
	if err != nil {
		t.Fatal(err)
	}
	north := board.Jurisdiction{Regions: []string{"north"}, Classes: []string{board.Any}}
	for name, j := range map[string]board.Jurisdiction{"national": board.Everything(), "north-office": north} {
		if ring, o.secrets[name], err = ring.AddToken(time.Now(), name, keyring.Scopes(), j, 0); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o office) open(t testing.TB) *Node {
	t.Helper()
	n, err := Open(t.Context(), o.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// run opens a node and runs it; the returned function ends it and waits.
func (o office) run(t testing.TB) (*Node, func()) {
	t.Helper()
	n := o.open(t)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	over := false
	end := func() {
		if over {
			return
		}
		over = true
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(end)
	return n, end
}

// give sends a command to the desk of a running node.
func (o office) give(t testing.TB, n *Node, who, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+n.DeskAddress()+"/v1/commands", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.secrets[who])
	req.Header.Set("Content-Type", "application/json")
	return send(t, req)
}

func send(t testing.TB, req *http.Request) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func get(t testing.TB, url, secret string) string {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	_, b := send(t, req)
	return b
}

func declareZones(id, zones, stage string, until time.Time) string {
	return fmt.Sprintf(`{"id":%q,"action":"declare","zones":[%s],"stage":%q,"threat":"cruise-missile","until":%q,"reason":"launches seen"}`,
		id, zones, stage, until.UTC().Format(time.RFC3339Nano))
}

// TestACommandOutlivesTheProgram: kept, carried out, said; and after a restart answered
// again, whether or not the program had come to its answer.
func TestACommandOutlivesTheProgram(t *testing.T) {
	leavesNothing(t)
	o := newOffice(t)
	n, end := o.run(t)
	until := time.Now().Add(30 * time.Minute)
	body := declareZones("c1", `"a","b"`, "shelter", until)
	status, first := o.give(t, n, "national", body)
	var a desk.Answer
	if err := json.Unmarshal([]byte(first), &a); err != nil || status != 201 || len(a.Warnings) != 1 || len(a.Alerts) != 1 || a.Position == 0 {
		t.Fatalf("%d %s", status, first)
	}
	if active := get(t, "http://"+n.PublicAddress()+"/v1/active", ""); !strings.Contains(active, `"id":"b"`) || !strings.Contains(active, string(a.Alerts[0])) {
		t.Errorf("what was answered is not said: %s", active)
	}
	if list := get(t, "http://"+n.DeskAddress()+"/v1/warnings", o.secrets["national"]); !strings.Contains(list, `"shelter":["a","b"]`) {
		t.Errorf("operators are told %s", list)
	}
	if status, again := o.give(t, n, "national", body); status != 201 || again != first {
		t.Errorf("the repeat: %d %s, first %s", status, again, first)
	}
	refused := `{"id":"c2","action":"end","zones":["f"],"end":"all-clear","reason":"nothing there"}`
	status, no := o.give(t, n, "national", refused)
	if status != 422 || !strings.Contains(no, `"field":"zones"`) {
		t.Errorf("nothing in force: %d %s", status, no)
	}
	if status, s := o.give(t, n, "north-office", declareZones("c3", `"a","e"`, "shelter", until)); status != 403 || !strings.Contains(s, `\"e\"`) {
		t.Errorf("outside the jurisdiction: %d %s", status, s)
	}
	end()
	unanswered := o.keepUnanswered(t, until)

	n, _ = o.run(t)
	if status, again := o.give(t, n, "national", body); status != 201 || again != first {
		t.Errorf("after a restart: %d %s, first %s", status, again, first)
	}
	if status, again := o.give(t, n, "national", refused); status != 422 || again != no {
		t.Errorf("the refusal after a restart: %d %s, first %s", status, again, no)
	}
	if status, s := o.give(t, n, "national", declareZones("c1", `"c"`, "shelter", until)); status != 409 {
		t.Errorf("other content after a restart: %d %s", status, s)
	}
	active := get(t, "http://"+n.PublicAddress()+"/v1/active", "")
	for _, id := range []string{"a", "b", "d"} {
		if !strings.Contains(active, fmt.Sprintf(`"id":%q`, id)) {
			t.Errorf("after a restart %s is not warned: %s", id, active)
		}
	}
	status, s := o.give(t, n, "national", unanswered)
	if err := json.Unmarshal([]byte(s), &a); err != nil || status != 201 || len(a.Warnings) != 1 || a.Position == 0 {
		t.Errorf("kept and not answered before the restart: %d %s", status, s)
	}
}

// keepUnanswered is a crash between a command kept and its answer: it takes the order that
// the desk makes of a command and only keeps it. It returns the command.
func (o office) keepUnanswered(t testing.TB, until time.Time) string {
	t.Helper()
	n := o.open(t)
	defer n.Close()
	body := declareZones("c9", `"d"`, "shelter", until)
	o.ask(t, o.door(t, n, time.Now, keeping{n}), "national", body)
	return body
}

// keeping keeps an order and then is gone.
type keeping struct{ n *Node }

func (k keeping) Carry(ctx context.Context, o pipeline.Order) (pipeline.Answer, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return pipeline.Answer{}, err
	}
	_, err = k.n.journal.Append(ctx, journal.New{At: time.Now(), Kind: pipeline.KindCommand, Body: b})
	return pipeline.Answer{}, errors.Join(err, desk.ErrUnanswered)
}

// door is a desk on a node, with a clock and a carrier of the test's.
func (o office) door(t testing.TB, n *Node, now func() time.Time, c desk.Carrier) http.Handler {
	t.Helper()
	d, err := desk.New(desk.Config{
		Grants: n.grants, Carrier: c, Zones: n.sets.now, Warnings: n.loop.inForce.list,
		Signing: func() desk.Signing { return n.signing.Load() }, Proposals: n.loop.proposed.list,
		Conditions: n.loop.health.Raised, Note: func(health.Condition) {}, Registry: prometheus.NewRegistry(), Now: now,
		Rate: 1e6, Burst: 1e6,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (o office) ask(t testing.TB, h http.Handler, who, body string) (int, string) {
	t.Helper()
	req := httptest.NewRequest("POST", "/v1/commands", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+o.secrets[who])
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// TestWhatCannotBeKeptIsNotDone: 503, nothing said, and a condition.
func TestWhatCannotBeKeptIsNotDone(t *testing.T) {
	leavesNothing(t)
	o := newOffice(t)
	n := o.open(t)
	if err := n.journal.Close(); err != nil {
		t.Fatal(err)
	}
	status, s := o.ask(t, n.desk.server.Handler, "national", declareZones("c1", `"a"`, "shelter", time.Now().Add(time.Hour)))
	if status != 503 || len(n.loop.commands) != 0 {
		t.Errorf("%d %s; %d commands wait for the loop", status, s, len(n.loop.commands))
	}
	for {
		select {
		case c := <-n.loop.conditions:
			if c.Name != commandsRefused {
				continue
			}
			if !c.Raised {
				t.Errorf("noted %v", c)
			}
		default:
			t.Error("nobody is told")
		}
		return
	}
}

// TestTheLoopEndsFirst: what was kept and not carried out is told as such.
func TestTheLoopEndsFirst(t *testing.T) {
	o := newOffice(t)
	n := o.open(t)
	close(n.loop.ended)
	if _, err := n.Carry(t.Context(), pipeline.Order{Command: warning.Command{ID: "c1"}}); !errors.Is(err, desk.ErrUnanswered) {
		t.Errorf("%v", err)
	}
}

func TestAuthoritiesAreSources(t *testing.T) {
	o := newOffice(t)
	n := o.open(t)
	var ids []string
	for _, s := range n.grants.sources() {
		ids = append(ids, s.ID)
		if s.Kind != authorityKind || s.HasSite || s.Trust != authorityTrust {
			t.Errorf("source %+v", s)
		}
	}
	if want := []string{"national", "north-office", anyAuthority}; !slices.Equal(ids, want) {
		t.Errorf("sources %v, want %v", ids, want)
	}
	ring, secret, err := n.ring.AddToken(time.Now(), "late", []string{keyring.Observe}, board.Everything(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := n.grants.Grant(time.Now(), secret); err != nil || g.Source != anyAuthority || !g.Everything {
		t.Errorf("one that came after the start: %+v, %v", g, err)
	}
	if g, err := n.grants.Grant(time.Now(), o.secrets["north-office"]); err != nil || g.Source != "north-office" || g.Everything || g.Area.Region("south") || !g.Area.Region("north") {
		t.Errorf("one with limits: %+v, %v", g, err)
	}
	if _, err := ring.RemoveToken("late"); err != nil {
		t.Fatal(err)
	}
	until(t, "that a removed token is none", func() bool { // the files were read just now
		_, err := n.grants.Grant(time.Now(), secret)
		return errors.Is(err, desk.ErrToken)
	})
}

// TestThePolygonOfAToken: a zone within it, its border shared, and one that it cuts.
func TestThePolygonOfAToken(t *testing.T) {
	o := newOffice(t)
	n := o.open(t)
	j := board.Everything()
	j.Polygon = []byte(`[[[[34,50],[34.25,50],[34.25,50.1],[34,50.1],[34,50]]]]`) // a, b, and half of c
	ring, secret, err := n.ring.AddToken(time.Now(), "town", []string{keyring.Declare}, j, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.grants.use(ring); err != nil {
		t.Fatal(err)
	}
	o.secrets["town"] = secret
	h := o.door(t, n, time.Now, keeping{n})
	for id, zones := range map[string]string{"within": `"a","b"`, "cut": `"a","c"`, "beyond": `"f"`} {
		want := 403
		if id == "within" {
			want = 504 // kept, and here nobody carries it out
		}
		if status, s := o.ask(t, h, "town", declareZones(id, zones, "shelter", time.Now().Add(time.Hour))); status != want {
			t.Errorf("%s: %d %s", id, status, s)
		}
	}
}

// stage is a node whose clock is the test's: commands go through its desk, and the loop is
// stepped by hand.
type stage struct {
	t   testing.TB
	o   office
	n   *Node
	h   http.Handler
	now time.Time
	out []byte // the body of /v1/active as it was said last
	ids int

	said []alert.Alert // to the channels
}

// Name, Offer and Waiting: the stage is its own channel.
func (s *stage) Name() string              { return "stage" }
func (s *stage) Offer(a alert.Alert) error { s.said = append(s.said, a); return nil }
func (s *stage) Waiting() (int, time.Time) { return 0, time.Time{} }

// Publish takes what is said.
func (s *stage) Publish(u gateway.Update) {
	if u.Active != nil {
		s.out = bytes.Clone(u.Active)
	}
}

// Carry keeps and carries out in the request's goroutine.
func (s *stage) Carry(ctx context.Context, o pipeline.Order) (pipeline.Answer, error) {
	if _, err := (keeping{s.n}).Carry(ctx, o); !errors.Is(err, desk.ErrUnanswered) {
		return pipeline.Answer{}, err
	}
	answer := make(chan pipeline.Answer, 1)
	if err := s.n.loop.command(request{order: o, answer: answer}); err != nil {
		return pipeline.Answer{}, err
	}
	return <-answer, nil
}

func newStage(t testing.TB) *stage { return newStageOf(t, keyring.Options{}) }

func newStageOf(t testing.TB, key keyring.Options) *stage { return onStage(t, newOfficeOf(t, key)) }

func onStage(t testing.TB, o office) *stage {
	// The next whole second: the office's tokens are in force from the moment they were made.
	s := &stage{t: t, o: o, n: o.open(t), now: time.Now().UTC().Add(time.Second).Truncate(time.Second)}
	s.n.loop.wall = func() time.Time { return s.now }
	s.n.loop.out = s
	s.n.loop.outboxes = []outbox{s}
	s.h = o.door(t, s.n, func() time.Time { return s.now }, s)
	return s
}

// pass lets time go by.
func (s *stage) pass(d time.Duration) {
	s.t.Helper()
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(time.Second)
		if err := s.n.loop.step(s.n.loop.now(), pipeline.Ticked{}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stage) command(format string, args ...any) desk.Answer {
	s.t.Helper()
	s.ids++
	body := fmt.Sprintf(`{"id":"s%d",`, s.ids) + fmt.Sprintf(format, args...) + `}`
	status, got := s.o.ask(s.t, s.h, "national", body)
	var a desk.Answer
	if err := json.Unmarshal([]byte(got), &a); err != nil || status != 201 {
		s.t.Fatalf("%s: %d %s", body, status, got)
	}
	return a
}

// shown is what the board says of a zone: stage, threat, end.
func (s *stage) shown(id string) string {
	s.t.Helper()
	if s.out == nil {
		return "nothing"
	}
	var v struct {
		Zones []struct{ ID, Stage, Threat, End string } `json:"zones"`
	}
	if err := json.Unmarshal(s.out, &v); err != nil {
		s.t.Fatal(err)
	}
	for _, z := range v.Zones {
		if z.ID == id {
			return strings.TrimSpace(z.Stage + " " + z.Threat + " " + z.End)
		}
	}
	return "nothing"
}

// automatic is the warning of the policy in force; the test fails where there is none.
func (s *stage) automatic() warning.Warning {
	s.t.Helper()
	for _, w := range s.n.loop.inForce.list() {
		if w.By.Kind == warning.ByPolicy {
			return w
		}
	}
	s.t.Fatal("there is no automatic warning")
	return warning.Warning{}
}

// fly reports a cruise missile by the door every two seconds until the policy warns zone a.
func (s *stage) fly() {
	s.t.Helper()
	s.flyUntil(func() bool { return strings.HasPrefix(s.shown("a"), "shelter") })
}

// flyUntil reports one, at most for half a minute, until something holds; what it returns
// reports it further on.
func (s *stage) flyUntil(holds func() bool) (on func()) {
	s.t.Helper()
	lat, lon := 50.05, 33.6 // 29 km west of a, towards it
	look := func() {
		s.t.Helper()
		s.command(`"action":"observe","observe":{"fix":{"lat":%g,"lon":%g,"height":2000,"error":50},"says":"cruise-missile","at":%q}`,
			lat, lon, s.now.Format(time.RFC3339Nano))
	}
	on = func() {
		s.t.Helper()
		s.pass(2 * time.Second)
		lon += 2 * 240 / 71_500.0
		look()
	}
	look()
	for range 15 {
		if holds() {
			return on
		}
		on()
	}
	s.t.Fatalf("what was observed by the door comes to nothing: %s; %v", s.out, s.n.loop.health.Raised())
	return nil
}

// TestDeclaredBesideAutomatic: docs/warning.md, from the door to the board. Observations by
// the door raise an automatic warning; a declared one comes beside it.
func TestDeclaredBesideAutomatic(t *testing.T) {
	s := newStage(t)
	s.fly()
	auto := s.automatic()
	until := s.now.Add(6 * time.Hour)
	declared := s.command(`"action":"declare","zones":["a","e"],"stage":"prepare","threat":"rocket","until":%q,"reason":"launches seen"`, until.Format(time.RFC3339Nano))

	if got := s.shown("a"); got != "shelter cruise-missile" {
		t.Errorf("the graver stage is shown: %s", got)
	}
	if after := s.automatic(); after.ID != auto.ID || len(declared.Warnings) != 1 || declared.Warnings[0] == auto.ID {
		t.Errorf("each is its own warning: %v beside %v", declared.Warnings, auto.ID)
	}
	i := slices.IndexFunc(auto.Zones, func(z warning.ZoneState) bool { return z.Zone == "a" })
	if was, is := auto.Zones[i].Until, zoneOf(s.automatic(), "a").Until; !was.Equal(is) {
		t.Errorf("a declaration moved the automatic until from %s to %s", was, is)
	}

	s.command(`"action":"end","warning":%q,"end":"cancelled","reason":"it was ours"`, auto.ID)
	if got := s.shown("a"); got != "prepare rocket" {
		t.Errorf("an end in one while another holds the zone is not said: %s", got)
	}
	s.pass(2 * time.Second)
	if got := s.shown("a"); got != "prepare rocket" {
		t.Errorf("a person's end holds against the same track: %s", got)
	}
	s.command(`"action":"end","zones":["a"],"end":"all-clear","reason":"seen to fall"`)
	if got := s.shown("a"); got != "quiet rocket all-clear" {
		t.Errorf("the last that held the zone has ended: %s", got)
	}
	if got := s.shown("e"); got != "prepare rocket" {
		t.Errorf("its other zone stays: %s", got)
	}
	s.pass(10 * time.Second)
	s.command(`"action":"declare","zones":["e"],"stage":"shelter","threat":"drone","until":%q,"reason":"one more"`, s.now.Add(time.Minute).Format(time.RFC3339Nano))
	if got := s.shown("e"); got != "shelter drone" {
		t.Errorf("of two declared ones the graver stage is shown: %s", got)
	}
	s.pass(65 * time.Second)
	if got := s.shown("e"); got != "prepare rocket" {
		t.Errorf("one ran out, the other goes on: %s", got)
	}
	s.command(`"action":"end","regions":["south"],"end":"cancelled","reason":"a mistake"`)
	if got := s.shown("e"); got != "quiet rocket cancelled" {
		t.Errorf("everything in force in a region ends: %s", got)
	}
}

func zoneOf(w warning.Warning, id zone.ID) warning.ZoneState {
	for _, z := range w.Zones {
		if z.Zone == id {
			return z
		}
	}
	return warning.ZoneState{}
}

// watch tells when frames are published.
type watch struct {
	next  publisher
	spoke chan time.Time
}

func (w watch) Publish(u gateway.Update) {
	if len(u.Frames) > 0 {
		select {
		case w.spoke <- time.Now():
		default:
		}
	}
	w.next.Publish(u)
}

// BenchmarkDoorToFrame is from the first byte of a command over loopback to the signed
// frame handed to the gateway: kept on disk, decided, kept again, signed.
func BenchmarkDoorToFrame(b *testing.B) {
	o := newOffice(b)
	n := o.open(b)
	w := watch{next: n.loop.out, spoke: make(chan time.Time, 1)}
	n.loop.out = w
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	server := httptest.NewServer(o.door(b, n, time.Now, n))
	var frames, answers []time.Duration
	for b.Loop() {
		i := len(frames)
		body := declareZones(fmt.Sprint("b", i), `"a"`, "shelter", time.Now().Add(time.Hour))
		if i%2 == 1 {
			body = fmt.Sprintf(`{"id":"b%d","action":"end","zones":["a"],"end":"all-clear","reason":"over"}`, i)
		}
		select { // a beat's frame that came in between
		case <-w.spoke:
		default:
		}
		req, err := http.NewRequest("POST", server.URL, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.URL.Path = "/v1/commands"
		req.Header.Set("Authorization", "Bearer "+o.secrets["national"])
		req.Header.Set("Content-Type", "application/json")
		started := time.Now()
		res, err := server.Client().Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 201 {
			b.Fatal(res.Status, err)
		}
		res.Body.Close()
		answers = append(answers, time.Since(started))
		frames = append(frames, (<-w.spoke).Sub(started))
	}
	server.Close()
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	report(b, "frame", frames)
	report(b, "answer", answers)
}

func report(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[(len(took)-1)*p/100].Microseconds())/1000, fmt.Sprintf("ms/%s-p%d", what, p))
	}
}
