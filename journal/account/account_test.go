package account

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/scenarios"
	"tocsin/sim"
	"tocsin/zones"
)

var noon = time.Date(2022, 10, 10, 12, 0, 0, 0, time.UTC)

// entries is a journal by hand.
type entries struct {
	t   *testing.T
	l   *Ledger
	pos int64
}

func (e *entries) put(at time.Time, kind string, v any) {
	e.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		e.t.Fatal(err)
	}
	e.pos++
	if err := e.l.Fold(e.pos, at, kind, b); err != nil {
		e.t.Error(err)
	}
}

func decision(id warning.ID, revision int, at time.Time, stage warning.Stage, end warning.End) pipeline.Decision {
	z := warning.ZoneState{Zone: "Z", Stage: stage, Threat: class.Drone, Since: at, Until: at.Add(time.Hour), Basis: warning.Basis{Rule: "declared", Causes: []string{"c" + string(id)}}}
	w := warning.Warning{ID: id, Revision: revision, At: at, Since: noon, By: warning.Issuer{Kind: warning.ByAuthority, Name: "office"}, Reason: "line 7", Policy: "hash",
		Causes: []warning.Cause{{Declared: "c" + string(id), Threat: class.Drone}}}
	if end == warning.NotEnded {
		w.Zones = []warning.ZoneState{z}
	} else {
		w.Ended = []warning.EndedZone{{ZoneState: z, End: end, At: at, By: w.By, Why: "line 9"}}
	}
	return pipeline.Decision{Warning: w}
}

// story tells of two warnings of Z, one that ends, and of another zone.
func story(t *testing.T, at time.Time) Account {
	e := &entries{t: t, l: New("Z", at)}
	order := func(id string, action warning.Action, w warning.ID) pipeline.Order {
		return pipeline.Order{Command: warning.Command{ID: id, Action: action, Warning: w, By: warning.Issuer{Kind: warning.ByAuthority, Name: "office"}, Reason: "row " + id}}
	}
	m := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	e.put(m(0), pipeline.KindCommand, order("cw1", warning.Declare, ""))
	e.put(m(0), pipeline.KindAnswer, pipeline.Answer{Command: "cw1", Warnings: []warning.ID{"w1"}})
	e.put(m(0), pipeline.KindDecision, decision("w1", 1, m(0), warning.Prepare, warning.NotEnded))
	e.put(m(0), pipeline.KindAlert, alert.Alert{ID: "w1.1", Warning: "w1", Kind: alert.KindAlert, Sent: m(0), Items: []alert.Item{{Zones: []zone.ID{"Y", "Z"}}}})
	e.put(m(0), pipeline.KindReceipt, alert.Receipt{Channel: "feed", Alert: "w1.1", State: alert.Broadcast, At: m(0)})
	e.put(m(1), pipeline.KindCommand, order("other", warning.Declare, ""))
	e.put(m(1), pipeline.KindAnswer, pipeline.Answer{Command: "other", Warnings: []warning.ID{"w9"}})
	e.put(m(1), "of a later version", "Z")
	e.put(m(2), pipeline.KindDecision, decision("w2", 1, m(2), warning.Shelter, warning.NotEnded))
	e.put(m(3), pipeline.KindCommand, order("x1", warning.EndsZone, "w2"))
	e.put(m(3), pipeline.KindAnswer, pipeline.Answer{Command: "x1", Warnings: []warning.ID{"w1", "w2"}}) // w1 changed beside it
	e.put(m(3), pipeline.KindDecision, decision("w2", 2, m(3), warning.Shelter, warning.AllClear))
	e.put(m(4), pipeline.KindDecision, decision("w1", 2, m(4), warning.Prepare, warning.Cancelled))
	if err := e.l.Fold(99, m(0), pipeline.KindDecision, []byte(`{"warning": "Z"`)); err == nil && (at.IsZero() || !at.Before(noon)) {
		t.Error("half an entry was read")
	}
	return e.l.Account()
}

// TestAccountAtTimes: the stage, and what stands behind it, at each moment.
func TestAccountAtTimes(t *testing.T) {
	for minutes, want := range map[int]struct {
		stage warning.Stage
		shown warning.ID
		told  []warning.ID
	}{
		-1: {warning.Quiet, "", nil},
		0:  {warning.Prepare, "w1", []warning.ID{"w1"}},
		2:  {warning.Shelter, "w2", []warning.ID{"w2", "w1"}},
		3:  {warning.Prepare, "w1", []warning.ID{"w1"}},
		4:  {warning.Quiet, "", []warning.ID{"w1"}},
	} {
		a := story(t, noon.Add(time.Duration(minutes)*time.Minute))
		var told []warning.ID
		for _, w := range a.Warnings {
			told = append(told, w.ID)
		}
		if a.Stage != want.stage || a.Shown != want.shown || !slices.Equal(told, want.told) {
			t.Errorf("%d min: %s by %q, told %v; want %+v", minutes, a.Stage, a.Shown, told, want)
		}
	}
	a := story(t, time.Time{})
	if a.Faults != 1 || a.Entries != 14 || !a.At.Equal(noon.Add(4*time.Minute)) {
		t.Errorf("%+v", a)
	}
	w := a.Warnings[0]
	if len(w.Commands) != 1 || w.Commands[0].ID != "cw1" || w.Commands[0].Reason != "row cw1" || w.Commands[0].Position != 1 {
		t.Errorf("commands %+v", w.Commands)
	}
	if len(w.Alerts) != 1 || len(w.Alerts[0].Receipts) != 1 || w.Alerts[0].Receipts[0].Channel != "feed" || len(w.Steps) != 2 || w.Left == nil || w.Left.End != warning.Cancelled {
		t.Errorf("%+v", w)
	}
	words := a.Words()
	for _, s := range []string{"QUIET", "declared by the authority office", "line 7", "command cw1", "feed: broadcast", "left at 2022-10-10 12:04:00Z: cancelled, by the authority office: line 9", "1 entries could not be read"} {
		if !strings.Contains(words, s) {
			t.Errorf("%q is not in\n%s", s, words)
		}
	}
	// Command, step and what was said of it follow each other as they did.
	if order := regexp.MustCompile(`(?m)^  2022.*\[entry (\d+)\]$`).FindAllStringSubmatch(words, -1); len(order) != 4 ||
		!slices.IsSortedFunc(order, func(a, b []string) int { return cmp.Or(cmp.Compare(len(a[1]), len(b[1])), cmp.Compare(a[1], b[1])) }) {
		t.Errorf("not in the order of the journal: %v\n%s", order, words)
	}
	if words := New("Z", noon).Account().Words(); !strings.Contains(words, "The journal has no entry up to then.") {
		t.Errorf("an empty journal:\n%s", words)
	}
	late := New("Z", noon.Add(3*time.Hour))
	e := &entries{t: t, l: late}
	e.put(noon, pipeline.KindDecision, decision("w1", 1, noon, warning.Shelter, warning.NotEnded))
	if a := late.Account(); !a.Expired || a.Stage != warning.Quiet || !strings.Contains(a.Words(), "NO NEWS") || strings.Contains(a.Words(), "QUIET") {
		t.Errorf("past its until: %s", a.Words())
	}
}

// TestAutomatic: of a decision of the policy the account has rule, figures, tracks and policy,
// and only the tracks that concern the zone.
func TestAutomatic(t *testing.T) {
	b, err := scenarios.Files.ReadFile("two-radars.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := sim.Split(b)
	w, err := sim.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	w.Lasts = min(w.Lasts, 4*time.Minute)
	w.Events = slices.DeleteFunc(w.Events, func(e sim.Event) bool { return e.At > w.Lasts })
	set, err := zones.Open(w.Zones)
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		at   time.Time
		kind string
		body []byte
	}
	var kept []entry
	var first zone.ID
	r := sim.NewRun(w, set, warning.DefaultPolicy())
	r.Seen = func(now time.Time, _ pipeline.Input, changes []pipeline.Change) {
		for _, c := range changes {
			if d, is := c.(pipeline.WarningChanged); is && first == "" && len(d.Warning.Zones) > 0 {
				first = d.Warning.Zones[0].Zone
			}
			if kind, body, ok, err := pipeline.Entry(c); ok && err == nil {
				kept = append(kept, entry{now, kind, body})
			}
		}
	}
	r.To()
	if first == "" {
		t.Fatal("the world warned of nothing: it proves nothing")
	}
	l := New(first, time.Time{})
	for i, e := range kept {
		if err := l.Fold(int64(i+1), e.at, e.kind, e.body); err != nil {
			t.Fatal(err)
		}
	}
	a := l.Account()
	if len(a.Warnings) == 0 {
		t.Fatal("nothing is told")
	}
	told := a.Warnings[0]
	words := a.Words()
	if told.By.Kind != warning.ByPolicy || told.Policy == "" || told.State.Basis.Rule == "" || len(told.State.Basis.Figures) == 0 || len(told.State.Basis.Causes) == 0 || len(told.Alerts) == 0 {
		t.Errorf("%+v", told)
	}
	for _, s := range []string{"decided by the policy", "rule: " + told.State.Basis.Rule, "cause: track " + told.State.Basis.Causes[0], "policy: " + told.Policy, "alert " + string(told.Alerts[0].ID)} {
		if !strings.Contains(words, s) {
			t.Errorf("%q is not in\n%s", s, words)
		}
	}
}
