package board

import (
	"testing"
	"time"
)

// TestYoungKeys: a key that was just put on the list does not sign while another can; where all
// are young it is the one that was known first, so that two rotations in a row lose nobody.
func TestYoungKeys(t *testing.T) {
	at := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	key := func(name string, from, until time.Duration, known time.Duration) SigningKey {
		k := keyOf(name)
		return SigningKey{Private: k, SignFrom: at.Add(known), Key: Key{
			Kid: Kid(public(k)), X: public(k), From: at.Add(from), Until: at.Add(until), Jurisdiction: Everything(),
		}}
	}
	old, first, second := key("old", -time.Hour, time.Minute, -time.Hour), key("first", -time.Hour, time.Hour, 2*time.Minute), key("second", -time.Hour, time.Hour, 3*time.Minute)
	s, err := NewSigner([]SigningKey{second, old, first}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  SigningKey
	}{{0, old}, {90 * time.Second, first}, {2 * time.Minute, first}, {150 * time.Second, first}, {3 * time.Minute, second}} {
		if got := s.Kid(Whole, at.Add(c.after)); got != c.want.Kid {
			t.Errorf("after %s it is %s that signs", c.after, got)
		}
	}
}
