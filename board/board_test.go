package board

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// tb is what *testing.T, *testing.B and *rapid.T have in common here.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

var t0 = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func keyOf(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func signingKey(name string, from, until time.Time, j Jurisdiction) SigningKey {
	k := keyOf(name)
	return SigningKey{Key: Key{Kid: Kid(public(k)), X: public(k), From: from, Until: until, Jurisdiction: j}, Private: k}
}

// country is a zone set of two regions for tests: zones a... are in A, b... in B.
type country struct{ version string }

func (c country) Version() string    { return c.version }
func (c country) Regions() []zone.ID { return []zone.ID{"A", "B"} }
func (c country) Region(id zone.ID) zone.ID {
	switch id[0] {
	case 'a':
		return "A"
	case 'b':
		return "B"
	}
	return zone.Everywhere
}
func (c country) Get(id zone.ID) (zone.Zone, bool) {
	return zone.Zone{ID: id, Names: map[string]string{"en": "Zone " + string(id), "uk": "Зона " + string(id)}}, true
}

// world is a publisher with its keys.
type world struct {
	root   ed25519.PrivateKey
	list   KeyList
	signer *Signer
	pub    *Publisher
	past   Reservation
	zones  Zones
}

func newWorld(t tb) *world {
	t.Helper()
	k := signingKey("board", t0.Add(-time.Hour), t0.Add(1000*time.Hour), Everything())
	w := &world{root: keyOf("root"), zones: country{"set1"}}
	w.list = KeyList{Universe: alert.Exercise, Serial: 1, At: t0, Keys: []Key{k.Key}, Revoked: []string{}}
	var err error
	if w.signer, err = NewSigner([]SigningKey{k}, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.start(t, t0)
	return w
}

// start is a start of the program: what is durable is all it knows.
func (w *world) start(t tb, now time.Time) {
	t.Helper()
	p, err := NewPublisher(Config{Universe: alert.Exercise, Zones: w.zones, Signer: w.signer, Picture: PictureLive}, w.past)
	if err != nil {
		t.Fatal(err)
	}
	w.pub = p
	w.reserve(now)
}

func (w *world) reserve(now time.Time) {
	if r, due := w.pub.Reserve(now); due {
		w.past.Add(r)
		w.pub.Reserved(r)
	}
}

func (w *world) keys(t tb) []byte {
	t.Helper()
	line, err := w.list.Sign(w.root)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func (w *world) client(t tb, regions ...string) *Client {
	t.Helper()
	c := NewClient(public(w.root), alert.Exercise, regions...)
	if v := c.Keys(w.keys(t), t0); v != Taken {
		t.Fatal(v)
	}
	return c
}

// fetch gives a client the board and the beat of a chain.
func (w *world) fetch(t tb, c *Client, region string, now time.Time) {
	t.Helper()
	b, beat, err := w.pub.Snapshot(region)
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Take(b.Line, now); v != Taken {
		t.Fatalf("board of %s: %s", region, v)
	}
	if v := c.Take(beat.Line, now); v != Taken && v != Replay { // it may have been heard already
		t.Fatalf("beat of %s: %s", region, v)
	}
}

func shelter(threat class.Class, since time.Time, zones ...zone.ID) alert.Item {
	slices.Sort(zones)
	return alert.Item{
		Stage: warning.Shelter, Threat: threat, Sure: warning.High, Since: since, Until: since.Add(30 * time.Minute),
		Arrival: alert.Arrival{Earliest: since.Add(3 * time.Minute), Likely: since.Add(5 * time.Minute)},
		Alert:   "w1.1", Zones: zones, Text: "shelter-" + threat.String(),
	}
}

func ended(end warning.End, threat class.Class, at time.Time, zones ...zone.ID) alert.Item {
	slices.Sort(zones)
	return alert.Item{
		Stage: warning.Quiet, Threat: threat, Sure: warning.High, Since: at, Until: at.Add(10 * time.Minute),
		Alert: "w1.2", Zones: zones, End: end, Text: end.String(),
	}
}

func shown(c *Client, now time.Time) string {
	s := ""
	for _, z := range c.State(now) {
		s += fmt.Sprintf("%s/%s %s %s %s %s;", z.Region, z.Zone, z.Show, z.Item.Stage, z.Item.Threat, z.Item.End)
	}
	return s
}

func TestLifeOfAWarning(t *testing.T) {
	w := newWorld(t)
	c, ca := w.client(t), w.client(t, "A", Test)
	must(w.pub.Tick(t0))
	w.fetch(t, c, Whole, t0)
	w.fetch(t, ca, "A", t0)
	w.fetch(t, ca, Test, t0)

	now := t0.Add(time.Second)
	all := must(w.pub.Apply(now, "w1", []alert.Item{shelter(class.Drone, now, "a1", "b1")}))
	if len(all) != 3 {
		t.Fatalf("%d frames, want one for *, A and B", len(all))
	}
	for _, f := range all {
		switch v := c.Take(f.Line, now); {
		case f.Region == Whole && v != Taken, f.Region != Whole && v != WrongRegion:
			t.Errorf("%s: %s", f.Region, v)
		}
		ca.Take(f.Line, now)
	}
	if got, want := shown(c, now), "*/a1 warned shelter drone ;*/b1 warned shelter drone ;"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
	if got, want := shown(ca, now), "A/a1 warned shelter drone ;test/TEST warned shelter unknown ;"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
	now = now.Add(time.Minute)
	for _, f := range must(w.pub.Apply(now, "w1", []alert.Item{
		ended(warning.AllClear, class.Drone, now, "a1"), shelter(class.Drone, t0.Add(time.Second), "b1"),
	})) {
		c.Take(f.Line, now)
	}
	if got, want := shown(c, now), "*/a1 ended quiet drone all-clear;*/b1 warned shelter drone ;"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
	if got, want := shown(c, t0.Add(40*time.Minute)), "*/a1 ended quiet drone all-clear;*/b1 no-news shelter drone ;"; got != want {
		t.Errorf("after until: shown %q, want %q", got, want)
	}
	if c.Deaf(now.Add(5 * time.Second)) {
		t.Error("deaf while frames come")
	}
	if !c.Deaf(now.Add(40 * time.Second)) {
		t.Error("not deaf after 40 s of silence")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func zoneID(i int) zone.ID { return zone.ID(fmt.Sprintf("a%018d", i)) }
