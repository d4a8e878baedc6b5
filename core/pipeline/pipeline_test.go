package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
	"tocsin/scenarios"
	"tocsin/sim"
	"tocsin/zones"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var shipped = sync.OnceValues(func() (*zone.Set, error) { return zones.Open("ua") })

func ukraine(t testing.TB) *zone.Set {
	t.Helper()
	set, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// world reads a shipped scenario, cut to the first part of it.
func world(t testing.TB, name string, lasts time.Duration) *sim.World {
	t.Helper()
	b, err := scenarios.Files.ReadFile(name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := sim.Split(b)
	w, err := sim.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	w.Lasts = min(w.Lasts, lasts)
	w.Events = slices.DeleteFunc(w.Events, func(e sim.Event) bool { return e.At > w.Lasts })
	return w
}

// input is one step as it was given.
type input struct {
	now time.Time
	in  pipeline.Input
}

// run plays a world and gives its inputs and everything that came of them, as bytes.
func run(t testing.TB, w *sim.World) ([]input, []byte) {
	t.Helper()
	var inputs []input
	var out bytes.Buffer
	r := sim.NewRun(w, ukraine(t), warning.DefaultPolicy())
	r.Seen = func(now time.Time, in pipeline.Input, changes []pipeline.Change) {
		inputs = append(inputs, input{now, in})
		write(t, &out, now, changes)
	}
	r.To()
	return inputs, out.Bytes()
}

func write(t testing.TB, out *bytes.Buffer, now time.Time, changes []pipeline.Change) {
	t.Helper()
	for _, c := range changes {
		whole, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%s: %v", c, err)
		}
		fmt.Fprintf(out, "%s %T %s\n%s\n", now.Format(time.RFC3339Nano), c, c, whole)
	}
}

func config(t testing.TB, sources []observation.Source, prefix string) pipeline.Config {
	return pipeline.Config{
		Alert: alert.Config{
			Universe: alert.Exercise, Sender: "exercise@tocsin.example", Languages: []string{"en"}, Location: time.UTC,
		},
		Zones: ukraine(t), Policy: warning.DefaultPolicy(), Sources: sources, TrackPrefix: prefix,
	}
}

// TestSameInputsSameChanges: a second run of a world, and a replay of its inputs alone, give
// the same bytes; also over a restart, where the new core gets only what was kept.
func TestSameInputsSameChanges(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"two-radars": 4 * time.Minute, "restart": 6 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := world(t, name, lasts)
			inputs, first := run(t, w)
			if _, second := run(t, w); !bytes.Equal(first, second) {
				t.Fatal(difference(first, second))
			}
			if !bytes.Contains(first, []byte("AlertReady")) {
				t.Fatal("the world gave no alert: it proves nothing")
			}
			var again bytes.Buffer
			var core *pipeline.Pipeline
			starts := 0
			for _, i := range inputs {
				if _, begins := i.in.(pipeline.Restored); begins {
					core = pipeline.New(config(t, w.Sources(), string(rune('A'+starts))))
					starts++
				}
				write(t, &again, i.now, core.Step(i.now, i.in))
			}
			if !bytes.Equal(first, again.Bytes()) {
				t.Fatal(difference(first, again.Bytes()))
			}
		})
	}
}

// TestTogetherAsOneByOne: observations taken together, and forecasts made side by side, give
// the same as one after the other: forecasts byte for byte, tracks, and the places warned.
func TestTogetherAsOneByOne(t *testing.T) {
	w := world(t, "two-radars", 3*time.Minute)
	inputs, _ := run(t, w)
	play := func(each func(int, func(int)), together int) (out []pipeline.Change) {
		cfg := config(t, w.Sources(), "A")
		cfg.Each = each
		core := pipeline.New(cfg)
		var batch []observation.Observation
		for i, in := range inputs {
			o, is := in.in.(pipeline.Observed)
			if !is {
				out = append(out, core.Step(in.now, in.in)...)
				continue
			}
			batch = append(batch, o.Observation)
			if len(batch) == together || i+1 == len(inputs) || !inputs[i+1].now.Equal(in.now) {
				out = append(out, core.Step(in.now, pipeline.Observed{Observation: batch[0], More: batch[1:]})...)
				batch = nil
			}
		}
		return out
	}
	backwards := func(n int, do func(int)) {
		for i := n - 1; i >= 0; i-- {
			do(i)
		}
	}
	var one, other bytes.Buffer
	write(t, &one, start, play(nil, 50))
	write(t, &other, start, play(backwards, 50))
	if !bytes.Equal(one.Bytes(), other.Bytes()) {
		t.Error("the order of forecasting shows: " + difference(one.Bytes(), other.Bytes()))
	}
	warned := func(out []pipeline.Change) (ids []string, tracks int) {
		for _, c := range only[pipeline.WarningChanged](out) {
			for _, z := range c.Warning.Zones {
				if !slices.Contains(ids, string(z.Zone)) {
					ids = append(ids, string(z.Zone))
				}
			}
		}
		slices.Sort(ids)
		return ids, len(only[pipeline.TrackConfirmed](out))
	}
	alone, tracks := warned(play(nil, 1))
	both, same := warned(play(nil, 50))
	if len(alone) == 0 || !slices.Equal(alone, both) || tracks != same {
		t.Errorf("one by one %d tracks warn of %v, together %d of %v", tracks, alone, same, both)
	}
}

func difference(a, b []byte) string {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return fmt.Sprintf("line %d:\n%.600s\n%.600s", i, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(x), len(y))
}

// hand is a core under a person's hand alone: no source, no track.
type hand struct {
	t      *testing.T
	core   *pipeline.Pipeline
	ledger pipeline.Ledger
	now    time.Time
	starts int
}

func newHand(t *testing.T) *hand {
	h := &hand{t: t, now: start}
	h.restart()
	return h
}

func (h *hand) restart() []pipeline.Change {
	h.starts++
	h.core = pipeline.New(config(h.t, nil, fmt.Sprint(h.starts)))
	return h.step(h.ledger.Restored(h.now))
}

func (h *hand) step(in pipeline.Input) []pipeline.Change {
	h.t.Helper()
	out := h.core.Step(h.now, in)
	for _, c := range out {
		kind, body, kept, err := pipeline.Entry(c)
		if err != nil {
			h.t.Fatal(err)
		}
		if kept {
			if err := h.ledger.Fold(kind, body); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return out
}

func declare(id string, until time.Time, ids ...zone.ID) warning.Command {
	return warning.Command{
		ID: id, Action: warning.Declare, By: warning.Issuer{Kind: warning.ByAuthority, Name: "authority"},
		Zones: ids, Stage: warning.Shelter, Threat: class.CruiseMissile, Until: until, Reason: "launches seen",
	}
}

func zonesOf(t testing.TB, n int) []zone.ID {
	set := ukraine(t)
	var ids []zone.ID
	for i := range n {
		ids = append(ids, set.ByIndex(i).ID)
	}
	return ids
}

func only[C pipeline.Change](out []pipeline.Change) []C {
	var all []C
	for _, c := range out {
		if c, ok := c.(C); ok {
			all = append(all, c)
		}
	}
	return all
}

// TestRestoredContinuesEveryWarning: after a restart from what was kept every warning is in
// force as it was, nothing is said again, and the chain of references goes on.
func TestRestoredContinuesEveryWarning(t *testing.T) {
	h := newHand(t)
	ids := zonesOf(t, 6)
	var first []alert.ID
	for i, id := range ids {
		out := h.step(pipeline.Commanded{Command: declare(fmt.Sprint("c", i), start.Add(time.Hour), id)})
		alerts := only[pipeline.AlertReady](out)
		if len(alerts) != 1 {
			t.Fatalf("%d alerts of one declaration: %v", len(alerts), out)
		}
		first = append(first, alerts[0].Alert.ID)
		h.now = h.now.Add(2 * time.Second)
	}
	before := h.ledger.Restored(h.now)
	for range 3 {
		h.now = h.now.Add(time.Minute)
		for _, c := range h.restart() {
			if _, bad := c.(pipeline.Condition); !bad {
				t.Errorf("a restart said %s", c)
			}
		}
		if after := h.ledger.Restored(h.now); !equalJSON(t, before.Warnings, after.Warnings) || len(after.Alerts) != len(ids) {
			t.Fatal("a restart changed what is in force")
		}
	}
	extend := warning.Command{
		ID: "longer", Action: warning.Extend, By: warning.Issuer{Kind: warning.ByAuthority, Name: "authority"},
		Zones: ids, Until: start.Add(2 * time.Hour),
	}
	out := h.step(pipeline.Commanded{Command: extend})
	alerts := only[pipeline.AlertReady](out)
	if len(alerts) != len(ids) {
		t.Fatalf("%d of %d warnings were there to extend: %v", len(alerts), len(ids), out)
	}
	for _, a := range alerts {
		if len(a.Alert.References) != 1 || !slices.Contains(first, a.Alert.References[0].ID) || a.Alert.Kind != alert.KindUpdate {
			t.Errorf("%s does not continue its chain: %v", a, a.Alert.References)
		}
	}
	h.now = start.Add(2*time.Hour + time.Second)
	for range 100 {
		due, ok := h.core.Next()
		if !ok || due.After(h.now) {
			break
		}
		h.step(pipeline.Ticked{})
	}
	for _, w := range h.ledger.Restored(h.now).Warnings {
		if !w.Over() || w.Ended[0].End != warning.Expired {
			t.Errorf("%s: until is past: zones %v, ended %v", w.ID, w.Zones, w.Ended)
		}
	}
}

func equalJSON(t testing.TB, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(x, y)
}

// TestCommandIsTakenOnce: also over a restart, where only its answer tells; a refused one may
// be tried again.
func TestCommandIsTakenOnce(t *testing.T) {
	h := newHand(t)
	ids := zonesOf(t, 1)
	give := func(c warning.Command) pipeline.Answer {
		t.Helper()
		body, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.ledger.Fold(pipeline.KindCommand, body); err != nil {
			t.Fatal(err)
		}
		out := h.step(pipeline.Commanded{Command: c})
		answer := pipeline.AnswerOf(c.ID, out)
		if body, err = json.Marshal(answer); err != nil {
			t.Fatal(err)
		}
		if err := h.ledger.Fold(pipeline.KindAnswer, body); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if a := give(declare("once", start.Add(time.Hour), ids...)); a.Refused != "" || len(a.Warnings) != 1 || len(a.Alerts) != 1 {
		t.Fatalf("%+v", a)
	}
	if a := give(declare("wrong", start.Add(time.Hour), "no-such-zone")); a.Refused == "" || a.Field != "zones" {
		t.Fatalf("%+v", a)
	}
	h.now = h.now.Add(time.Minute)
	h.restart()
	if a := give(declare("once", start.Add(time.Hour), ids...)); a.Refused != "" || len(a.Warnings) != 0 {
		t.Errorf("taken twice over a restart: %+v", a)
	}
	if a := give(declare("wrong", start.Add(time.Hour), "no-such-zone")); a.Refused == "" {
		t.Errorf("what was refused before a restart is accepted after it: %+v", a)
	}
}

// TestZonesChangedKeepsWarnedPlaces: a warned zone whose id is gone is warned under the
// ids that now cover it, and none of its people are told anything else.
func TestZonesChangedKeepsWarnedPlaces(t *testing.T) {
	square := func(id zone.ID, lon, wide float64) zone.Zone {
		a, b := geo.Degrees(lon), geo.Degrees(lon+wide)
		return zone.Zone{
			ID: id, Level: 1, Names: map[string]string{"en": "Zone " + string(id)}, Label: geo.Point{Lat: 50.05, Lon: (a + b) / 2},
			Shape: geo.MultiPolygon{{Outer: geo.Ring{{Lat: 50, Lon: a}, {Lat: 50, Lon: b}, {Lat: 50.1, Lon: b}, {Lat: 50.1, Lon: a}, {Lat: 50, Lon: a}}}},
		}
	}
	set := func(all ...zone.Zone) *zone.Set {
		s, err := zone.NewSet(all)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := set(square("stays", 30, 0.1), square("splits", 30.1, 0.2))
	cfg := config(t, nil, "t")
	cfg.Zones = old
	core := pipeline.New(cfg)
	core.Step(start, pipeline.Restored{})
	until := start.Add(time.Hour)
	core.Step(start, pipeline.Commanded{Command: declare("c", until, "stays", "splits")})
	out := core.Step(start.Add(time.Minute), pipeline.ZonesChanged{Zones: set(square("stays", 30, 0.1), square("left", 30.1, 0.1), square("right", 30.2, 0.1))})
	changed := only[pipeline.WarningChanged](out)
	if len(changed) == 0 {
		t.Fatalf("nothing was said of the new ids: %v", out)
	}
	last := changed[len(changed)-1].Warning
	var warned []zone.ID
	for _, z := range last.Zones {
		warned = append(warned, z.Zone)
		if z.Stage != warning.Shelter || !z.Until.Equal(until) {
			t.Errorf("%s is %s until %s", z.Zone, z.Stage, z.Until)
		}
	}
	if want := []zone.ID{"left", "right", "stays"}; !slices.Equal(warned, want) {
		t.Errorf("warned are %v, want %v", warned, want)
	}
	alerts := only[pipeline.AlertReady](out)
	if len(alerts) == 0 || alerts[len(alerts)-1].Alert.Set == old.Version() {
		t.Errorf("no alert about the new set: %v", alerts)
	}
}

// TestAlertThatCannotBeWrittenStillWarns: the board is told under an id that no alert has,
// the operator is told why, and told again when it is well.
func TestAlertThatCannotBeWrittenStillWarns(t *testing.T) {
	cfg := config(t, nil, "t")
	cfg.Alert.Languages = []string{"xx"} // no such texts
	core := pipeline.New(cfg)
	core.Step(start, pipeline.Restored{})
	out := core.Step(start, pipeline.Commanded{Command: declare("c", start.Add(time.Hour), zonesOf(t, 1)...)})
	changed, conditions := only[pipeline.WarningChanged](out), only[pipeline.Condition](out)
	if len(changed) != 1 || len(only[pipeline.AlertReady](out)) != 0 {
		t.Fatalf("%v", out)
	}
	w := changed[0].Warning
	if want := alert.ID(w.ID) + ".0"; len(changed[0].Items) != 1 || changed[0].Items[0].Alert != want {
		t.Errorf("items %+v, want them under %s", changed[0].Items, want)
	}
	if len(conditions) == 0 || conditions[0].Condition.Name != "alert-not-written" || !conditions[0].Condition.Raised {
		t.Errorf("conditions %v", conditions)
	}
}

// TestTimeNeverGoesBack: a step with an earlier time counts as the latest one.
func TestTimeNeverGoesBack(t *testing.T) {
	h := newHand(t)
	h.now = start.Add(time.Hour)
	h.step(pipeline.Ticked{})
	h.now = start
	out := h.step(pipeline.Commanded{Command: declare("c", start.Add(2*time.Hour), zonesOf(t, 1)...)})
	if w := only[pipeline.WarningChanged](out)[0].Warning; !w.Since.Equal(start.Add(time.Hour)) {
		t.Errorf("a warning began at %s", w.Since)
	}
}

// TestEdgeConditionsAreBounded: a storm of conditions from the edges does not grow the core.
func TestEdgeConditionsAreBounded(t *testing.T) {
	h := newHand(t)
	for i := range 5000 {
		out := h.step(pipeline.Health{Condition: health.Condition{Name: "feed-silent", Subject: fmt.Sprint(i), Raised: true, At: h.now}})
		if len(out) > 0 && strings.Contains(out[0].String(), "warning") {
			t.Fatal("a condition made a warning")
		}
	}
}

// TestEveryChainEnds: two declared warnings hold one zone and are taken back one after the
// other. Whoever follows either of them in CAP is told that it ended, also the one of which
// nothing was said on the board because the other still held the zone.
func TestEveryChainEnds(t *testing.T) {
	h := newHand(t)
	ids := zonesOf(t, 1)
	last := map[warning.ID]alert.Alert{}
	keep := func(out []pipeline.Change) {
		for _, c := range only[pipeline.AlertReady](out) {
			last[c.Alert.Warning] = c.Alert
		}
	}
	for _, id := range []string{"x1", "x2"} {
		keep(h.step(pipeline.Commanded{Command: declare(id, start.Add(2*time.Hour), ids...)}))
	}
	if len(last) != 2 {
		t.Fatalf("%d warnings were declared", len(last))
	}
	for i, id := range slices.Sorted(maps.Keys(last)) {
		keep(h.step(pipeline.Commanded{Command: warning.Command{
			ID: fmt.Sprint("end", i), Action: warning.EndsZone, By: warning.Issuer{Kind: warning.ByAuthority, Name: "test"}, Warning: id, End: warning.Cancelled,
		}}))
	}
	for id, a := range last {
		if a.Kind != alert.KindCancel {
			t.Errorf("%s stands in CAP as %s %s", id, a.Kind, a.ID)
		}
	}
}
