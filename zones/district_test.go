package zones

import (
	"testing"

	"tocsin/core/zone"
)

// TestDistrictsAreOfTheSet: each zone of the Israeli set lies in exactly one district, and a
// district has no other.
func TestDistrictsAreOfTheSet(t *testing.T) {
	set := open(t, "il")
	districts, err := Districts("il")
	if err != nil || len(districts) < 20 {
		t.Fatalf("%d districts, %v", len(districts), err)
	}
	in := map[zone.ID]string{}
	for name, ids := range districts {
		for _, id := range ids {
			if _, known := set.Index(id); !known || in[id] != "" {
				t.Errorf("%s of %s: known %v, also of %q", id, name, known, in[id])
			}
			in[id] = name
		}
	}
	if len(in) != set.Len() {
		t.Errorf("%d of %d zones lie in a district", len(in), set.Len())
	}
	if d, err := Districts("ua"); err != nil || d != nil {
		t.Errorf("ua: %v, %v", d, err)
	}
}
