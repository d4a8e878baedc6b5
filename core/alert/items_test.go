package alert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// TestItemJSON is the contract's item, byte for byte.
func TestItemJSON(t *testing.T) {
	zones := someZones(t)
	c := warn(zones, 3, warning.Shelter, class.Drone, 2)
	c.Warning.Zones[1].Arrival = threat.Arrival{}
	c = leave(c, 0, warning.NotEnded, start.Add(1500*time.Millisecond))
	b, err := json.Marshal(Items(c.Warning, "wmwrsbk00.3"))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"stage":"shelter","threat":"drone","sure":"high","since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:30:00.000Z",` +
		`"arrival":{"earliest":"2026-11-22T12:03:00.000Z","likely":"2026-11-22T12:04:00.000Z"},"alert":"wmwrsbk00.3",` +
		`"zones":["UA59020010000000000"],"text":"shelter-drone"},` +
		`{"stage":"shelter","threat":"drone","sure":"high","since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:30:00.000Z",` +
		`"alert":"wmwrsbk00.3","zones":["UA59020010000000001"],"text":"shelter-drone"}]`
	if string(b) != want {
		t.Errorf("items\n%s\nwant\n%s", b, want)
	}
	b, _ = json.Marshal(Items(leave(c, 2, warning.Expired, start.Add(time.Minute)).Warning, "x"))
	want = `[{"stage":"quiet","threat":"drone","sure":"high","since":"2026-11-22T12:01:00.000Z","until":"2026-11-22T13:01:00.000Z",` +
		`"alert":"x","zones":["UA59020010000000000","UA59020010000000001"],"end":"expired","text":"expired"}]`
	if string(b) != want {
		t.Errorf("ended items\n%s\nwant\n%s", b, want)
	}
}

// TestFourZonesFitAFrame: the longest item of four zones, with what a frame has around it.
func TestFourZonesFitAFrame(t *testing.T) {
	zones := someZones(t)
	c := warn(zones, 1, warning.Prepare, class.BallisticMissile, 4)
	for i := range c.Warning.Zones {
		c.Warning.Zones[i].Sure = warning.Medium
	}
	items, err := json.Marshal(Items(c.Warning, "wmwrsbk00-12345.12345"))
	if err != nil {
		t.Fatal(err)
	}
	payload := fmt.Sprintf(`{"universe":"exercise","region":"UA59020010000000000","kind":"change","seq":9007199254740991,"prev":9007199254740990,`+
		`"at":"2026-11-22T12:00:00.000Z","items":%s,"next":"2026-11-22T12:00:10.000Z"}`, items)
	if len(payload) > 600 {
		t.Errorf("%d bytes: %s", len(payload), payload)
	}
}

func TestOldEndsAreNotSaid(t *testing.T) {
	zones := someZones(t)
	c := leave(warn(zones, 1, warning.Shelter, class.Drone, 2), 1, warning.AllClear, start)
	c.Warning.At = start.Add(KeepEnds - time.Millisecond)
	if n := len(Items(c.Warning, "x")); n != 2 {
		t.Errorf("%d items within the hour", n)
	}
	c.Warning.At = start.Add(KeepEnds)
	if n := len(Items(c.Warning, "x")); n != 1 {
		t.Errorf("%d items after the hour", n)
	}
}

// TestItemsSayEveryZoneOnce: whatever the states, every zone is in one item that says what
// the warning says of it, in an order that does not depend on anything else.
func TestItemsSayEveryZoneOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := warning.Warning{ID: "w", At: start}
		for i := range rapid.IntRange(0, 40).Draw(rt, "zones") {
			z := warning.ZoneState{
				Zone: zone.ID(fmt.Sprintf("z%02d", i)), Stage: warning.Stage(rapid.IntRange(1, 2).Draw(rt, "stage")),
				Threat: class.Class(rapid.IntRange(0, 2).Draw(rt, "threat")), Sure: warning.Sure(rapid.IntRange(0, 2).Draw(rt, "sure")),
				Since: start, Until: start.Add(time.Duration(rapid.IntRange(1, 2).Draw(rt, "until")) * time.Minute),
			}
			if rapid.Bool().Draw(rt, "ended") {
				w.Ended = append(w.Ended, warning.EndedZone{ZoneState: z, End: warning.End(rapid.IntRange(1, 3).Draw(rt, "end")), At: start})
			} else {
				w.Zones = append(w.Zones, z)
			}
		}
		its := Items(w, "w.1")
		seen := map[zone.ID]Item{}
		for i, it := range its {
			if !slices.IsSorted(it.Zones) || len(it.Zones) == 0 || i > 0 && compareItems(its[i-1], it) >= 0 {
				rt.Fatalf("items are not in order: %+v", its)
			}
			for _, z := range it.Zones {
				if _, twice := seen[z]; twice {
					rt.Fatalf("%s twice", z)
				}
				seen[z] = it
			}
		}
		if len(seen) != len(w.Zones)+len(w.Ended) {
			rt.Fatalf("%d of %d zones", len(seen), len(w.Zones)+len(w.Ended))
		}
		for _, z := range w.Zones {
			if it := seen[z.Zone]; it.Stage != z.Stage || it.Threat != z.Threat || it.Sure != z.Sure || !it.Until.Equal(z.Until) || it.End != 0 {
				rt.Fatalf("%+v says of %+v", it, z)
			}
		}
		for _, z := range w.Ended {
			if it := seen[z.Zone]; it.Stage != warning.Quiet || it.End != z.End || it.Text != z.End.String() {
				rt.Fatalf("%+v says of %+v", it, z)
			}
		}
	})
}

func TestTextKeys(t *testing.T) {
	keys := map[string]bool{}
	for _, c := range class.All() {
		for _, s := range []warning.Stage{warning.Prepare, warning.Shelter} {
			keys[TextKey(s, c, warning.NotEnded)] = true
		}
	}
	if len(keys) != 14 || !keys["shelter-drone"] || !keys["prepare-rocket"] {
		t.Errorf("keys %v", keys)
	}
	for _, e := range []warning.End{warning.AllClear, warning.Cancelled, warning.Expired} {
		if k := TextKey(warning.Quiet, class.Drone, e); k != e.String() || strings.Contains(k, "drone") {
			t.Errorf("key %q", k)
		}
	}
}
