package pipeline

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// kept is one entry of a journal.
type kept struct {
	kind string
	body []byte
}

func entryOf(t testing.TB, kind string, v any) kept {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return kept{kind, b}
}

func decisionAt(id string, revision int, at time.Time, zones ...zone.ID) Decision {
	w := warning.Warning{ID: warning.ID(id), Revision: revision, At: at, Since: noon}
	for _, z := range zones {
		w.Zones = append(w.Zones, warning.ZoneState{Zone: z, Stage: warning.Shelter, Threat: class.Drone, Since: noon, Until: at.Add(time.Hour)})
	}
	return Decision{Warning: w}
}

func alertAt(id string, revision int, at time.Time) alert.Alert {
	return alert.Alert{ID: alert.ID(fmt.Sprintf("%s.%d", id, revision)), Warning: warning.ID(id), Sent: at, Expires: at.Add(time.Hour)}
}

// story is a journal: three warnings, ten revisions each, two commands of which one was
// not answered.
func story(t testing.TB) []kept {
	var all []kept
	for r := 1; r <= 10; r++ {
		for _, id := range []string{"wa", "wb", "wc"} {
			at := noon.Add(time.Duration(r) * time.Minute)
			all = append(all, entryOf(t, KindDecision, decisionAt(id, r, at, "z1", "z2")), entryOf(t, KindAlert, alertAt(id, r, at)))
		}
	}
	return append(all,
		entryOf(t, KindCommand, warning.Command{ID: "z-first", Action: warning.Declare}),
		entryOf(t, KindCommand, warning.Command{ID: "answered", Action: warning.EndsZone}),
		entryOf(t, KindAnswer, Answer{Command: "answered"}),
		entryOf(t, KindCommand, warning.Command{ID: "refused", Action: warning.EndsZone}),
		entryOf(t, KindAnswer, Answer{Command: "refused", Field: "end", Refused: "no"}),
		entryOf(t, KindCommand, warning.Command{ID: "a-second", Action: warning.EndsZone}),
		kept{"numbers", []byte(`{"at":"2026-11-22T12:00:00Z"}`)}, kept{"of a later version", []byte("\x00\xff")},
	)
}

func folded(t testing.TB, entries ...kept) *Ledger {
	t.Helper()
	var l Ledger
	for _, e := range entries {
		if err := l.Fold(e.kind, e.body); err != nil {
			t.Fatalf("%s %s: %v", e.kind, e.body, err)
		}
	}
	return &l
}

// shown is everything that a ledger gives back.
func shown(t testing.TB, l *Ledger, now time.Time) string {
	t.Helper()
	unanswered := l.Unanswered()
	b, err := json.MarshalIndent([]any{l.Restored(now), unanswered}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLedgerFoldsTwiceAsOnce(t *testing.T) {
	all, now := story(t), noon.Add(20*time.Minute)
	want := shown(t, folded(t, all...), now)
	if got := shown(t, folded(t, slices.Concat(all, all)...), now); got != want {
		t.Errorf("folded twice:\n%s\nonce:\n%s", got, want)
	}
	for _, s := range []string{`"wa.1"`, `"wc.10"`, `"a-second"`, `"z-first"`, `"answered"`} {
		if !strings.Contains(want, s) {
			t.Errorf("%s is not in what was folded", s)
		}
	}
	if strings.Contains(want, `"refused"`) {
		t.Error("a refused command is remembered as taken")
	}
}

// TestLedgerTakesRevisionsOutOfOrder: what waited for room comes to the journal late.
func TestLedgerTakesRevisionsOutOfOrder(t *testing.T) {
	all, now := story(t), noon.Add(20*time.Minute)
	want := folded(t, all...).Restored(now)
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		got := folded(t, all...).Restored(now)
		slices.Sort(got.Commands)
		if x, y := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); x != y {
			t.Fatalf("%.500s\nwant\n%.500s", x, y)
		}
	}
	for _, w := range want.Warnings {
		if w.Revision != 10 {
			t.Errorf("%s came back at revision %d", w.ID, w.Revision)
		}
	}
}

func TestLedgerGivesCommandsInTheOrderGiven(t *testing.T) {
	var ids []string
	for _, c := range folded(t, story(t)...).Unanswered() {
		ids = append(ids, c.ID)
	}
	if want := []string{"z-first", "a-second"}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
}

// TestLedgerIsBounded: years of journal leave what is in force, the last hour, and bounds.
func TestLedgerIsBounded(t *testing.T) {
	var l Ledger
	at := noon
	for i := range 3 * sweepEvery {
		id := fmt.Sprint("w", i)
		at = at.Add(time.Minute)
		for _, e := range []kept{
			entryOf(t, KindDecision, decisionAt(id, 1, at, "z1")), entryOf(t, KindAlert, alertAt(id, 1, at)),
			entryOf(t, KindDecision, decisionAt(id, 2, at)), // over
			entryOf(t, KindCommand, warning.Command{ID: id}), entryOf(t, KindAnswer, Answer{Command: id}),
		} {
			if err := l.Fold(e.kind, e.body); err != nil {
				t.Fatal(err)
			}
		}
		if len(l.warnings) > sweepEvery+61 || len(l.alerts) > sweepEvery+61 || len(l.answers) > answeredLimit+1 || len(l.commands) > 1 {
			t.Fatalf("after %d warnings the ledger holds %d, %d chains, %d answers", i, len(l.warnings), len(l.alerts), len(l.answers))
		}
	}
	if r := l.Restored(at); len(r.Warnings) != 61 || len(r.Alerts) != 61 {
		t.Errorf("%d warnings and %d alerts of the last hour, want 61 each", len(r.Warnings), len(r.Alerts))
	}
	forLong := folded(t, entryOf(t, KindDecision, decisionAt("old", 1, noon, "z")))
	if r := forLong.Restored(noon.AddDate(1, 0, 0)); len(r.Warnings) != 1 {
		t.Error("a warning in force was forgotten for its age")
	}
	long := folded(t, entryOf(t, KindDecision, decisionAt("long", 1, noon, "z")))
	for r := range 3 * longestChain {
		e := entryOf(t, KindAlert, alertAt("long", r, noon.Add(time.Duration(r)*time.Second)))
		if err := long.Fold(e.kind, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if r := long.Restored(noon); len(r.Alerts) != longestChain || r.Alerts[longestChain-1].ID != alert.ID(fmt.Sprintf("long.%d", 3*longestChain-1)) {
		t.Errorf("a long chain came back with %d alerts, not with its last %d", len(r.Alerts), longestChain)
	}
}

func TestLedgerRefusesWhatSaysNothing(t *testing.T) {
	for _, kind := range []string{KindDecision, KindAlert, KindCommand, KindAnswer} {
		for _, body := range []string{"", "null", "{}", "[]", "1", `"x"`, `{"warning":{"id":7}}`, `{"warning":{"zones":[{"stage":"loud"}]}}`, "{", `{"id":""}`} {
			var l Ledger
			if err := l.Fold(kind, []byte(body)); err == nil || !strings.HasPrefix(err.Error(), "pipeline: "+kind+": ") {
				t.Errorf("%s %q: %v", kind, body, err)
			}
			if r := l.Restored(noon); len(r.Warnings)+len(r.Alerts)+len(r.Commands)+len(l.Unanswered()) != 0 {
				t.Errorf("%s %q left %+v", kind, body, r)
			}
		}
	}
}

// FuzzLedger: whatever is in a journal, reading it back neither panics nor gives what has
// no name, and what it gives goes through a core.
func FuzzLedger(f *testing.F) {
	for _, e := range story(f) {
		f.Add(e.kind, e.body)
	}
	f.Add(KindDecision, []byte(`{"warning":{"id":"w","zones":[{"zone":"","stage":"quiet"},{"zone":"a","stage":"shelter","until":"9999-12-31T23:59:59Z"}],"ended":[{"zone":"a"}]}}`))
	f.Add(KindAlert, []byte(`{"id":"w.1","warning":"w","items":[{"zones":null}],"references":[{}]}`))
	set, err := zone.NewSet([]zone.Zone{{
		ID: "z1", Level: 1, Names: map[string]string{"en": "One"}, Label: geo.Point{Lat: 50.05, Lon: 30.05},
		Shape: geo.MultiPolygon{{Outer: geo.Ring{{Lat: 50, Lon: 30}, {Lat: 50, Lon: 30.1}, {Lat: 50.1, Lon: 30.1}, {Lat: 50.1, Lon: 30}, {Lat: 50, Lon: 30}}}},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		l := folded(t, story(t)[:6]...)
		if err := l.Fold(kind, body); err != nil {
			return
		}
		r := l.Restored(noon.Add(time.Minute))
		for _, w := range r.Warnings {
			if w.ID == "" {
				t.Fatal("a warning without an id")
			}
		}
		core := New(Config{
			Alert: alert.Config{Universe: alert.Exercise, Sender: "a@b", Languages: []string{"en"}},
			Zones: set, Policy: warning.DefaultPolicy(),
		})
		core.Step(noon, r)
		core.Step(noon.Add(time.Second), Ticked{})
	})
}
