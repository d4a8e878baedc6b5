package warning

import (
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/core/track"
)

// TestDangerFirst: where warnings of thousands of zones are all due to be said again, a new
// danger is said in the same call, and of them no more than the bound; the others follow in
// the next calls, which are due at once, and none is passed over.
func TestDangerFirst(t *testing.T) {
	zones := manyZones(t, 5000)
	cover := covered(zones)
	over := func(id string, from, to int, now time.Time) threat.Forecast {
		f := threat.Forecast{Track: track.ID(id), At: now, SeenAt: now, Existence: 1, Status: track.Confirmed, Updates: 10, Sensors: 1, Class: class.Of(class.Drone)}
		for i := from; i < to; i++ {
			at := now.Add(5 * time.Minute)
			f.Reaches = append(f.Reaches, threat.Reach{Zone: zones.ByIndex(i).ID, P: 0.9, Arrival: threat.Arrival{Earliest: at, Likely: at, Latest: at.Add(time.Minute)}})
		}
		return f
	}
	b := NewBook(zones, DefaultPolicy(), Options{})
	all := func(now time.Time) []threat.Forecast {
		return []threat.Forecast{over("A", 0, 1500, now), over("B", 1500, 3000, now), over("C", 3000, 4500, now)}
	}
	if cs := b.Weigh(start, all(start), cover, nil); len(cs) != 3 {
		t.Fatalf("%d warnings began, want 3", len(cs))
	}
	now := start.Add(11 * time.Minute) // their untils are to be extended
	cs := b.Weigh(now, append(all(now), over("D", 4600, 4700, now)), cover, nil)
	if len(cs) != 2 || cs[0].Warning.Revision != 2 || cs[1].Warning.Revision != 1 {
		t.Fatalf("%d said, want one again and the new one", len(cs))
	}
	said := map[ID]bool{cs[0].Warning.ID: true}
	for range 2 {
		if next, ok := b.Next(); !ok || next.After(now) {
			t.Fatalf("the rest is due at %v, now %v", next, now)
		}
		cs = b.Weigh(now, nil, cover, nil)
		if len(cs) != 1 || said[cs[0].Warning.ID] || cs[0].Warning.Revision != 2 {
			t.Fatalf("said %d: %v", len(cs), said)
		}
		said[cs[0].Warning.ID] = true
	}
	if cs = b.Weigh(now, nil, cover, nil); len(cs) != 0 {
		t.Errorf("said once more: %d", len(cs))
	}
}
