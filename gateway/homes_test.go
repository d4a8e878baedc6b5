package gateway

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestHomeOf(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:1:2::3", "2001:db8:1:ffff:9::", true},
		{"2001:db8:1::", "2001:db8:2::", false},
		{"fe80::1%eth0", "fe80::2", true},
	} {
		a, b := HomeOf(netip.MustParseAddr(c.a)), HomeOf(netip.MustParseAddr(c.b))
		if (a == b) != c.same {
			t.Errorf("%s and %s: %s, %s", c.a, c.b, a, b)
		}
	}
	if HomeOf(netip.Addr{}).IsValid() {
		t.Error("no address has a home")
	}
}

// TestHomes: whoever comes and goes, who yields is of a largest home, and never of one that
// is a family or no more than twice the newcomer's.
func TestHomes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, there := NewHomes[int](), map[int]netip.Prefix{}
		held := func(p netip.Prefix) (n int) {
			for _, of := range there {
				if of == p {
					n++
				}
			}
			return n
		}
		street := make([]netip.Prefix, rapid.IntRange(1, 4).Draw(t, "homes"))
		for i := range street {
			street[i] = HomeOf(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
		}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			p, one := rapid.SampledFrom(street).Draw(t, "home"), rapid.IntRange(0, 59).Draw(t, "who")
			if rapid.IntRange(0, 3).Draw(t, "what") > 0 {
				if _, in := there[one]; !in {
					h.Enter(p, one)
					there[one] = p
				}
			} else if of, in := there[one]; in {
				h.Leave(of, one)
				h.Leave(of, one) // again is nothing
				delete(there, one)
			}
		}
		most := 0
		for _, p := range street {
			most = max(most, held(p))
		}
		for _, p := range street {
			if h.Held(p) != held(p) {
				t.Fatalf("%s holds %d, said %d", p, held(p), h.Held(p))
			}
			one, yields := h.Yields(p)
			if want := most > Family && most > 2*held(p); yields != want || yields && held(there[one]) != most {
				t.Fatalf("yields %t, want %t; of a home of %d, the largest is %d", yields, want, held(there[one]), most)
			}
		}
		for one, p := range there {
			h.Leave(p, one)
		}
		if len(h.of) != 0 || len(h.bySize) != 0 || h.most != 0 {
			t.Fatalf("something is left: %v %v %d", h.of, h.bySize, h.most)
		}
	})
}
