package warning

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// TestHostileForecasts: what is not a number or not a time never stops the book, never
// ends a warning, and what it says can always be written down.
func TestHostileForecasts(t *testing.T) {
	times := []time.Time{{}, start, start.Add(1 << 62), time.Unix(1<<40, 0), time.Unix(-1<<40, 0), start.Add(-time.Hour)}
	numbers := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 2, 0.5}
	w := newWorld(t, fewZones(t), DefaultPolicy())
	w.see("good", class.Drone, w.in("a", 0.9, 300, 400))
	w.weigh("good")
	for i, at := range times {
		for k, x := range numbers {
			f := threat.Forecast{
				Track: "bad", At: at, SeenAt: at, Status: track.Status(k), Reason: track.Reason(i), Into: "bad", Existence: x,
				Class: class.Mix{x, x, x, x, x, x, x}, Updates: -1, Sensors: -5, Horizon: -1,
				Evidence: []string{strings.Repeat("\xff", 1000), "", "x", "x", "x", "x", "x", "x", "x", "x"},
			}
			for _, z := range []zone.ID{"a", "a", "", "nowhere", "b", "north"} {
				f.Reaches = append(f.Reaches, threat.Reach{Zone: z, P: x, Arrival: threat.Arrival{Earliest: at, Likely: times[(i+k)%len(times)], Latest: times[(i+1)%len(times)]}})
			}
			w.keep(w.book.Weigh(w.now, []threat.Forecast{f}, w.cover, nil))
			w.now = w.now.Add(time.Second)
		}
	}
	for _, x := range w.book.Warnings() {
		for _, z := range x.Zones {
			if z.Zone == "a" && z.Stage == Shelter {
				return
			}
		}
	}
	t.Error("a is not in shelter any more")
}

// TestBoundsHold: more tracks, zones and commands than are kept.
func TestBoundsHold(t *testing.T) {
	var zs []zone.Zone
	for i := range MaxZones + 50 {
		zs = append(zs, square(zone.ID("z"+string(rune('a'+i/676))+string(rune('a'+i/26%26))+string(rune('a'+i%26))), "", 1, i%100, i/100, 1, 1))
	}
	zones := newSet(t, zs...)
	w := newWorld(t, zones, DefaultPolicy())
	var reaches []threat.Reach
	for i := range zones.Len() {
		reaches = append(reaches, w.in(zones.ByIndex(i).ID, 0.9, 300, 400))
	}
	for i := range maxCauses + 20 {
		w.see("T"+string(rune('A'+i/26))+string(rune('A'+i%26)), class.Drone, reaches...)
	}
	var ids []string
	for id := range w.tracks {
		ids = append(ids, string(id))
	}
	w.weigh(ids...)
	total := 0
	for _, e := range w.book.episodes {
		if len(e.members) > MaxZones || len(e.causes) > MaxNamed {
			t.Errorf("%s: %d zones, %d causes", e.id, len(e.members), len(e.causes))
		}
		for _, m := range e.members {
			if len(m.causes) > maxCauses || len(m.st.Basis.Causes) > maxCauses {
				t.Fatalf("%s: %d causes", m.st.Zone, len(m.causes))
			}
			if m.folded.seenAt.IsZero() {
				t.Fatalf("%s: what is over the bound is forgotten", m.st.Zone)
			}
		}
		total += len(e.members)
	}
	if total != zones.Len() || len(w.book.episodes) != 2 {
		t.Errorf("%d of %d zones in %d warnings", total, zones.Len(), len(w.book.episodes))
	}
	cs, err := w.book.Command(w.now, Command{ID: "c", Action: Declare, By: Issuer{ByAuthority, "x"}, Regions: []zone.ID{"*"},
		Stage: Shelter, Threat: class.Drone, Until: w.now.Add(time.Hour)})
	if err != nil || len(cs) != 2 {
		t.Errorf("the whole country is %d warnings: %v", len(cs), err)
	}
	for i := range maxCommands + 10 {
		w.book.Remember(strings.Repeat("r", 1+i%40) + string(rune('0'+i%10)) + time.Duration(i).String())
	}
	if n := len(w.book.taken.order); n != maxCommands || len(w.book.taken.digest) != n {
		t.Errorf("%d commands remembered", n)
	}
}

// TestRefusals names the field each time.
func TestRefusals(t *testing.T) {
	w := newWorld(t, fewZones(t), DefaultPolicy())
	good := Command{ID: "c", Action: Declare, By: Issuer{ByAuthority, "x"}, Zones: []zone.ID{"a"}, Stage: Shelter, Threat: class.Drone, Until: start.Add(time.Hour)}
	for want, f := range map[string]func(*Command){
		"id":      func(c *Command) { c.ID = strings.Repeat("x", maxID+1) },
		"by":      func(c *Command) { c.By = Issuer{} },
		"by ":     func(c *Command) { c.By.Name = "" },
		"by  ":    func(c *Command) { c.By.Kind = ByOperator },
		"action":  func(c *Command) { c.Action = "observe" },
		"zones":   func(c *Command) { c.Zones = nil },
		"zones ":  func(c *Command) { c.Zones = []zone.ID{"nowhere"} },
		"zones  ": func(c *Command) { c.Zones = make([]zone.ID, maxAsked+1) },
		"regions": func(c *Command) { c.Regions = []zone.ID{"nowhere"} },
		"stage":   func(c *Command) { c.Stage = 9 },
		"threat":  func(c *Command) { c.Threat = 99 },
		"until":   func(c *Command) { c.Until = start },
		"until ":  func(c *Command) { c.Until = time.Unix(1<<40, 0) },
		"reason":  func(c *Command) { c.Reason = strings.Repeat("x", maxReason+1) },
		"warning": func(c *Command) { c.Warning = "w" },
		"warning ": func(c *Command) {
			*c = Command{ID: "c", Action: EndsZone, By: c.By, Warning: "w", End: AllClear}
		},
		"end":      func(c *Command) { *c = Command{ID: "c", Action: EndsZone, By: c.By, Zones: c.Zones} },
		"zones   ": func(c *Command) { *c = Command{ID: "c", Action: Confirm, By: c.By, Warning: "w"} },
	} {
		c := good
		f(&c)
		cs, err := w.book.Command(w.now, c)
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Field != strings.TrimSpace(want) || len(cs) > 0 {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := w.book.Command(w.now, good); err != nil { // nothing of the above was taken
		t.Error(err)
	}
	other := good
	other.Reason = "other"
	if _, err := w.book.Command(w.now, other); err == nil {
		t.Error("an id is taken again with other content")
	}
	b := NewBook(w.zones, w.policy, Options{})
	b.Remember("c")
	if cs, err := b.Command(w.now, other); err != nil || len(cs) > 0 {
		t.Errorf("a command of before the restart: %v %v", cs, err)
	}
}

// TestRestoreOfAStrangersJournal: whatever is restored, the book goes on.
func TestRestoreOfAStrangersJournal(t *testing.T) {
	zones := fewZones(t)
	z := ZoneState{Zone: "a", Stage: Shelter, Threat: class.Drone, Since: start, Until: start.Add(-time.Hour)}
	gone := z
	gone.Zone = "gone"
	ws := []Warning{
		{ID: "w1", Revision: 3, At: start, Since: start, Zones: []ZoneState{z, gone}},
		{ID: "w1", Revision: 3, At: start, Since: start, Zones: []ZoneState{z}},
		{ID: "w2", At: start, Since: start, Zones: []ZoneState{z, {Zone: "b", Stage: 9}, {Zone: "c"}}},
		{ID: "w3", At: start.Add(-30 * time.Minute), Since: start.Add(-time.Hour), Ended: []EndedZone{{ZoneState: z, End: Cancelled, At: start, By: Issuer{ByOperator, "x"}}}},
		{},
	}
	b := NewBook(zones, DefaultPolicy(), Options{})
	b.Restore(start, ws)
	for i := range 400 {
		cs := b.Weigh(start.Add(time.Duration(i)*time.Minute), nil, threat.Coverage{}, nil)
		if i == 0 {
			for _, c := range cs {
				for _, e := range c.Warning.Ended {
					if e.At.Equal(start) && e.By == (Issuer{}) && e.End != NotEnded && c.Warning.ID == "w1" {
						t.Errorf("the restart ended %s", e.Zone)
					}
				}
			}
		}
		if _, err := json.Marshal(cs); err != nil {
			t.Fatal(err)
		}
	}
}
