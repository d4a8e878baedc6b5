package warning

import (
	"strings"
	"testing"
)

// TestLife holds the whole table against what the rules say in words, written down a
// second time.
func TestLife(t *testing.T) {
	want := map[string]string{
		"quiet prepare":     "policy operator authority",
		"quiet shelter":     "policy operator authority",
		"prepare shelter":   "policy operator authority",
		"prepare all-clear": "policy operator authority",
		"prepare cancelled": "operator authority",
		"prepare expired":   "clock",
		"shelter all-clear": "policy operator authority",
		"shelter cancelled": "operator authority",
		"shelter expired":   "clock",
		"all-clear quiet":   "clock", "cancelled quiet": "clock", "expired quiet": "clock",
		"all-clear prepare": "policy operator authority", "all-clear shelter": "policy operator authority",
		"cancelled prepare": "policy operator authority", "cancelled shelter": "policy operator authority",
		"expired prepare": "policy operator authority", "expired shelter": "policy operator authority",
	}
	movers := map[string]mover{"policy": policy, "operator": operator, "authority": authority, "clock": clock}
	for from := range lives {
		for to := range lives {
			step := from.String() + " " + to.String()
			for name, m := range movers {
				says := strings.Contains(" "+want[step]+" ", " "+name+" ")
				if got := allowed(from, to, m); got != says {
					t.Errorf("%s by %s: allowed %v, want %v", step, name, got, says)
				}
			}
		}
		if allowed(from, lives, policy) || allowed(lives, from, policy) {
			t.Errorf("a life that there is not is allowed with %s", from)
		}
	}
}

func TestMoveRefusesWhatTheTableDoesNotHold(t *testing.T) {
	b := NewBook(fewZones(t), DefaultPolicy(), Options{})
	m := &member{life: sheltering, st: ZoneState{Zone: "a"}}
	if b.move(m, preparing, policy) || m.life != sheltering {
		t.Fatal("a zone stepped down from shelter")
	}
	if cs := b.Conditions(); len(cs) != 1 || cs[0].Name != "step-refused" {
		t.Fatalf("conditions %v", cs)
	}
}

func TestStagesAndEndsHaveLives(t *testing.T) {
	for s, l := range map[Stage]life{Quiet: quiet, Prepare: preparing, Shelter: sheltering, 9: quiet} {
		if lifeOf(s) != l {
			t.Errorf("%s is life %s", s, lifeOf(s))
		}
	}
	for e, l := range map[End]life{NotEnded: quiet, AllClear: cleared, Cancelled: cancelled, Expired: expired} {
		if lifeAfter(e) != l {
			t.Errorf("%s leads to %s", e, lifeAfter(e))
		}
	}
}
