package board

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// payloadOf reads a frame that is known to be good.
func payloadOf(t tb, f Frame) Payload {
	t.Helper()
	tok, err := split(f.Line)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode(tok.payload)
	if err != nil {
		t.Fatalf("%v: %s", err, tok.payload)
	}
	return p
}

// A change for four zones with one item has at most 600 bytes, whatever is in it.
func TestFourZonesIn600Bytes(t *testing.T) {
	const id zone.ID = "UA05020030010063857" // 19 characters, as KATOTTG codes have
	it := alert.Item{
		Stage: warning.Shelter, Threat: class.BallisticMissile, Sure: warning.Medium, Since: t0, Until: t0.Add(time.Hour),
		Arrival: alert.Arrival{Earliest: t0, Likely: t0}, Alert: "wmi4k2x9a8q7w6e5.12", Text: "shelter-ballistic-missile",
		Zones: []zone.ID{id[:18] + "1", id[:18] + "2", id[:18] + "3", id[:18] + "4"},
	}
	p := Payload{
		Universe: alert.Exercise, Region: string(id), Kind: Change, Seq: 1_000_000_001, Prev: 1_000_000_000, At: t0, Items: []alert.Item{it}, Next: t0,
	}
	if n := len(p.Encode()); n > 600 {
		t.Errorf("%d bytes: %s", n, p.Encode())
	}
}

func TestEncodeDecode(t *testing.T) {
	odd := shelter(class.Rocket, t0, "a\"1", "a\\2", "aшд", "a🚀")
	odd.Text = "shelter-\u2028<&>"
	slices.Sort(odd.Zones)
	for _, p := range []Payload{
		{Universe: alert.Live, Region: Whole, Kind: Board, Seq: 7, At: t0, Items: []alert.Item{odd, ended(warning.Expired, class.Drone, t0, "b")}, Picture: PictureNone, Set: "s", Next: t0},
		{Universe: alert.Exercise, Region: "A", Kind: Change, Seq: 8, Prev: 7, At: t0, Items: []alert.Item{}, Next: t0},
		{Universe: alert.Exercise, Region: Test, Kind: Beat, Seq: 8, At: t0, Active: 3, Digest: digestOf(nil), Picture: PictureLive, Next: t0},
	} {
		got, err := Decode(p.Encode())
		if err != nil {
			t.Fatalf("%v: %s", err, p.Encode())
		}
		if !bytes.Equal(got.Encode(), p.Encode()) {
			t.Errorf("decoded\n%s, want\n%s", got.Encode(), p.Encode())
		}
	}
}

// Of two threats to one zone the graver is shown: stage, earlier arrival, the list.
func TestComposition(t *testing.T) {
	later := func(it alert.Item, d time.Duration) alert.Item {
		it.Arrival.Earliest, it.Arrival.Likely = it.Arrival.Earliest.Add(d), it.Arrival.Likely.Add(d)
		return it
	}
	unknown := func(it alert.Item) alert.Item { it.Arrival = alert.Arrival{}; return it }
	prepare := func(it alert.Item) alert.Item {
		it.Stage, it.Text = warning.Prepare, "prepare-"+it.Threat.String()
		return it
	}
	drone, rocket := shelter(class.Drone, t0, "a1"), shelter(class.Rocket, t0, "a1")
	for _, c := range []struct {
		name      string
		one, two  alert.Item
		want      class.Class
		wantStage warning.Stage
	}{
		{"stage before arrival", drone, prepare(later(rocket, -time.Minute)), class.Drone, warning.Shelter},
		{"earlier arrival before the list", later(drone, -time.Second), rocket, class.Drone, warning.Shelter},
		{"the list", drone, rocket, class.Rocket, warning.Shelter},
		{"known arrival before unknown", drone, unknown(rocket), class.Drone, warning.Shelter},
		{"the list, both unknown", unknown(drone), unknown(rocket), class.Rocket, warning.Shelter},
		{"what holds before what ended", drone, ended(warning.AllClear, class.Rocket, t0.Add(time.Minute), "a1"), class.Drone, warning.Shelter},
		{"the later end", ended(warning.AllClear, class.Rocket, t0, "a1"), ended(warning.Cancelled, class.Drone, t0.Add(time.Second), "a1"), class.Drone, warning.Quiet},
		{"unknown before safe", ended(warning.AllClear, class.Rocket, t0, "a1"), ended(warning.Expired, class.Drone, t0, "a1"), class.Drone, warning.Quiet},
	} {
		for _, order := range [][2]alert.Item{{c.one, c.two}, {c.two, c.one}} {
			w := newWorld(t)
			must(w.pub.Apply(t0, "w1", order[:1]))
			must(w.pub.Apply(t0, "w2", order[1:]))
			b, _, err := w.pub.Snapshot("A")
			if err != nil {
				t.Fatal(err)
			}
			items := payloadOf(t, b).Items
			if len(items) != 1 || items[0].Threat != c.want || items[0].Stage != c.wantStage {
				t.Errorf("%s: %+v", c.name, items)
			}
		}
	}
}

// A zone whose graver warning ends goes on with the other, and only the last end is one.
func TestOneOfTwoWarningsEnds(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	must(w.pub.Tick(t0))
	w.fetch(t, c, Whole, t0)
	steps := []struct {
		by   warning.ID
		item alert.Item
		want string
	}{
		{"w1", shelter(class.Rocket, t0, "a1"), "*/a1 warned shelter rocket ;"},
		{"w2", shelter(class.Drone, t0, "a1"), "*/a1 warned shelter rocket ;"},
		{"w1", ended(warning.AllClear, class.Rocket, t0.Add(2*time.Second), "a1"), "*/a1 warned shelter drone ;"},
		{"w2", ended(warning.Cancelled, class.Drone, t0.Add(3*time.Second), "a1"), "*/a1 ended quiet drone cancelled;"},
	}
	for i, s := range steps {
		now := t0.Add(time.Duration(i) * time.Second)
		for _, f := range must(w.pub.Apply(now, s.by, []alert.Item{s.item})) {
			if f.Region == Whole {
				if v := c.Take(f.Line, now); v != Taken {
					t.Fatalf("step %d: %s", i, v)
				}
			}
		}
		if got := shown(c, now); got != s.want {
			t.Errorf("step %d: %q, want %q", i, got, s.want)
		}
	}
}

// Silence of the core is never an all-clear.
func TestForgottenZoneExpires(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	must(w.pub.Tick(t0))
	w.fetch(t, c, Whole, t0)
	must(w.pub.Apply(t0, "w1", []alert.Item{shelter(class.Drone, t0, "a1", "a2")}))
	must(w.pub.Apply(t0.Add(time.Second), "w1", []alert.Item{shelter(class.Drone, t0, "a2")}))
	w.fetch(t, c, Whole, t0.Add(time.Second))
	if got, want := shown(c, t0.Add(time.Second)), "*/a1 no-news quiet drone expired;*/a2 warned shelter drone ;"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
}

func TestEndsStayAnHour(t *testing.T) {
	w := newWorld(t)
	must(w.pub.Apply(t0, "w1", []alert.Item{ended(warning.AllClear, class.Drone, t0, "a1")}))
	onBoard := func(now time.Time) int {
		must(w.pub.Tick(now))
		b, _, err := w.pub.Snapshot("A")
		if err != nil {
			t.Fatal(err)
		}
		return len(payloadOf(t, b).Items)
	}
	if n := onBoard(t0.Add(KeepEnds - time.Millisecond)); n != 1 {
		t.Errorf("%d items just before the hour", n)
	}
	if n := onBoard(t0.Add(KeepEnds + BeatEvery)); n != 0 {
		t.Errorf("%d items after the hour", n)
	}
	if len(w.pub.claims)+len(w.pub.of)+len(w.pub.regions) != 0 {
		t.Errorf("something is held of a warning that is over: %v %v %v", w.pub.claims, w.pub.of, w.pub.regions)
	}
}

// A beat every ten seconds and chain, and never one later than was promised.
func TestBeats(t *testing.T) {
	w := newWorld(t)
	last, promised := map[string]time.Time{}, map[string]time.Time{}
	beats := map[string]int{}
	end := t0.Add(10 * time.Minute)
	for now := t0; now.Before(end); {
		for _, f := range must(w.pub.Tick(now)) {
			p := payloadOf(t, f)
			if was, had := last[f.Region]; had && !p.At.After(was) {
				t.Fatalf("%s: at %v after %v", f.Region, p.At, was)
			}
			if due, had := promised[f.Region]; had && p.At.After(due) {
				t.Errorf("%s: at %v, promised by %v", f.Region, p.At, due)
			}
			last[f.Region], promised[f.Region] = p.At, p.Next
			if f.Kind == Beat {
				beats[f.Region]++
			}
		}
		w.reserve(now)
		next := w.pub.Next()
		if !next.After(now) {
			t.Fatalf("next %v is not after %v", next, now)
		}
		now = next
	}
	for _, r := range w.pub.Regions() {
		if n := beats[r]; n < 60 || n > 62 {
			t.Errorf("%s: %d beats in ten minutes", r, n)
		}
	}
}

func TestTestChain(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, Test)
	must(w.pub.Tick(t0))
	w.fetch(t, c, Test, t0)
	for now := t0; now.Before(t0.Add(5 * time.Minute)); now = now.Add(250 * time.Millisecond) {
		if now.Before(w.pub.Next()) && now != t0 {
			// Nothing is due: nothing may be missed.
		} else {
			for _, f := range must(w.pub.Tick(now)) {
				if f.Region == Test {
					if v := c.Take(f.Line, now); v != Taken {
						t.Fatalf("%v: %s %s", now, f.Kind, v)
					}
				}
			}
		}
		want := "test/TEST warned shelter unknown ;"
		if now.Second() >= 20 {
			want = "test/TEST ended quiet unknown all-clear;"
		}
		if got := shown(c, now); got != want {
			t.Fatalf("%v: %q, want %q", now, got, want)
		}
	}
	b, _, err := w.pub.Snapshot(Whole)
	if err != nil || len(payloadOf(t, b).Items) != 0 {
		t.Errorf("the test chain is on the board of the country, or %v", err)
	}
}

// In either universe, over restarts and a clock that jumps, the test chain goes on with
// numbers that only grow, and is no part of what is said of the country.
func TestTestChainGoesOn(t *testing.T) {
	for _, universe := range []alert.Universe{alert.Live, alert.Exercise} {
		w := newWorld(t)
		w.list.Universe = universe
		c := NewClient(public(w.root), universe, Test)
		if v := c.Keys(w.keys(t), t0); v != Taken {
			t.Fatal(v)
		}
		now, seq := t0, int64(0)
		for start := range 6 {
			p, err := NewPublisher(Config{Universe: universe, Zones: w.zones, Signer: w.signer}, w.past)
			if err != nil {
				t.Fatal(err)
			}
			w.pub = p
			w.reserve(now)
			for range 300 {
				for _, f := range must(p.Tick(now)) {
					if pay := payloadOf(t, f); f.Region != Test && (len(pay.Items) > 0 || pay.Active > 0) {
						t.Fatalf("%s says %+v", f.Region, pay)
					} else if f.Region != Test {
						continue
					}
					if f.Kind == Change && f.Seq <= seq || len(f.Line) > 900 {
						t.Fatalf("start %d: seq %d after %d, %d bytes", start, f.Seq, seq, len(f.Line))
					}
					seq = f.Seq
					// After a restart the board is fetched, and the frames before it are replays.
					if v := c.Take(f.Line, now); v == Fetch {
						w.fetch(t, c, Test, now)
					} else if v != Taken && v != Replay {
						t.Fatalf("start %d, %v: %s", start, now, v)
					}
				}
				want := "test/TEST warned shelter unknown ;"
				if now.Second() >= 20 {
					want = "test/TEST ended quiet unknown all-clear;"
				}
				if got := shown(c, now); got != want {
					t.Fatalf("%s, start %d, %v: %q, want %q", universe, start, now, got, want)
				}
				if active := string(p.Active(now)); strings.Contains(active, "TEST") || !strings.HasSuffix(active, `"zones":[]}`) {
					t.Fatalf("/v1/active: %s", active)
				}
				now = now.Add(700 * time.Millisecond)
				w.reserve(now)
			}
			now = now.Add(time.Duration(start*start) * 17 * time.Minute) // it was down, or the clock jumped
		}
		if frames, err := w.pub.Apply(now, "w1", []alert.Item{shelter(class.Drone, now, zone.TestZone)}); len(frames) != 0 || err == nil {
			t.Errorf("a warning of the test zone: %d frames, %v", len(frames), err)
		}
	}
}

// What the test chain costs a system in which nothing happens: two changes and six beats a
// minute.
func BenchmarkTestChainMinute(b *testing.B) {
	w := newWorld(b)
	now := t0
	for b.Loop() {
		for end := now.Add(time.Minute); now.Before(end); now = w.pub.Next() {
			must(w.pub.Tick(now))
		}
	}
}

// No number and no time is spoken twice over restarts, whatever the clock does.
func TestNumbersGrowOverRestarts(t *testing.T) {
	w := newWorld(t)
	seq, at := map[string]int64{}, map[string]time.Time{}
	now := t0
	for start := range 40 {
		for i := range 30 {
			items := []alert.Item{shelter(class.Drone, now, "a1", zone.ID(fmt.Sprintf("b%d", i)))}
			for _, f := range append(must(w.pub.Apply(now, "w1", items)), must(w.pub.Tick(now))...) {
				p := payloadOf(t, f)
				if f.Kind == Change && p.Seq <= seq[f.Region] || p.Seq < seq[f.Region] {
					t.Fatalf("start %d: %s %s: seq %d after %d", start, f.Region, f.Kind, p.Seq, seq[f.Region])
				}
				if !p.At.After(at[f.Region]) {
					t.Fatalf("start %d: %s: at %v after %v", start, f.Region, p.At, at[f.Region])
				}
				seq[f.Region], at[f.Region] = p.Seq, p.At
			}
			now = now.Add(time.Duration(i) * 300 * time.Millisecond)
			w.reserve(now)
			if w.pub.Overdrawn() {
				t.Fatalf("start %d: overdrawn", start)
			}
		}
		if start%3 == 0 {
			now = now.Add(-time.Hour) // the machine came up with a wrong clock
		}
		w.start(t, now)
	}
}

// A restart at any moment signs less than half a minute ahead of the clock, and later than all
// before: what is reserved for that is one entry in ten seconds, without the numbers.
func TestRestartIsNearTheClock(t *testing.T) {
	w := newWorld(t)
	now, last, kept, long := t0, time.Time{}, 0, 0
	for second := range 600 {
		now = now.Add(time.Second)
		if r, due := w.pub.Reserve(now); due {
			w.past.Add(r)
			w.pub.Reserved(r)
			if kept++; len(r.UpTo) > 0 {
				long++
			}
		}
		if second%97 == 50 {
			w.start(t, now)
			long, kept = 0, 0
		}
		if second%97 == 49 && (kept > 10 || long > 0) {
			t.Errorf("second %d: %d reservations, %d of them with numbers", second, kept, long)
		}
		frames, err := w.pub.Tick(now)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			if f.Region != Whole || f.Kind == Board {
				continue
			}
			if !f.At.After(last) || f.At.Sub(now) > 30*time.Second {
				t.Fatalf("second %d: at %v by a clock of %v, after %v", second, f.At, now, last)
			}
			last = f.At
		}
	}
	if last.IsZero() {
		t.Error("nothing was said")
	}
}

func TestReservationsAreAskedForEarly(t *testing.T) {
	w := newWorld(t)
	if _, due := w.pub.Reserve(t0); due {
		t.Error("asked again at once")
	}
	if r, due := w.pub.Reserve(t0.Add(ahead/2 + time.Second)); !due || !r.At.After(t0.Add(ahead)) {
		t.Errorf("after half of the time: %v, %v", r, due)
	}
	w.pub.named["A"].seq += block/2 + 1
	r, due := w.pub.Reserve(t0)
	if !due || r.UpTo["A"] <= w.past.UpTo["A"] {
		t.Errorf("after half of the numbers: %v, %v", r, due)
	}
	if len(r.UpTo) != 1 {
		t.Errorf("a chain that needs none is named: %v", r.UpTo)
	}
	w.pub.named["A"].seq += block
	if !w.pub.Overdrawn() {
		t.Error("not overdrawn")
	}
	w.pub.Reserved(r)
	w.pub.Reserved(Reservation{At: t0, UpTo: map[string]int64{"A": 1}}) // an old one, late
	if w.pub.past.UpTo["A"] != r.UpTo["A"] || !w.pub.past.At.Equal(r.At) {
		t.Error("an old reservation took a newer one back")
	}
}

// A change that does not fit 16 KiB becomes several, the gravest first, and together they
// say everything.
func TestSplitChanges(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	must(w.pub.Tick(t0))
	w.fetch(t, c, Whole, t0)
	var far, near, over []zone.ID
	for i := range 2000 {
		id := zone.ID(fmt.Sprintf("UA0502003001006%04d", i))
		switch i % 4 {
		case 0:
			near = append(near, id)
		case 1:
			over = append(over, id)
		default:
			far = append(far, id)
		}
	}
	prepare := shelter(class.Drone, t0, far...)
	prepare.Stage, prepare.Text = warning.Prepare, "prepare-drone"
	frames := must(w.pub.Apply(t0, "w1", []alert.Item{ended(warning.AllClear, class.Drone, t0, over...), prepare, shelter(class.Rocket, t0, near...)}))
	if len(frames) < 4 {
		t.Fatalf("%d frames", len(frames))
	}
	rank := 2
	for i, f := range frames {
		if len(f.Line) > MaxChange {
			t.Errorf("frame %d has %d bytes", i, len(f.Line))
		}
		if i < len(frames)-1 && len(f.Line) < MaxChange*9/10 {
			t.Errorf("frame %d has only %d bytes", i, len(f.Line))
		}
		for _, it := range payloadOf(t, f).Items {
			if int(it.Stage) > rank {
				t.Errorf("frame %d: %s after something less grave", i, it.Stage)
			}
			rank = int(it.Stage)
		}
		if v := c.Take(f.Line, t0); v != Taken {
			t.Fatalf("frame %d: %s", i, v)
		}
	}
	if n := len(c.State(t0)); n != 2000 {
		t.Errorf("%d zones shown", n)
	}
	_, beat, err := w.pub.Snapshot(Whole)
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Take(beat.Line, t0); v != Taken {
		t.Errorf("the beat: %s", v)
	}
}

// 30,000 zones with an arrival each do not fit a board; without arrivals they do.
func TestBoardTooLarge(t *testing.T) {
	w := newWorld(t)
	var items []alert.Item
	for i := range 30_000 {
		it := shelter(class.Drone, t0, zone.ID(fmt.Sprintf("UA0502003001%07d", i)))
		it.Arrival.Earliest = it.Arrival.Earliest.Add(time.Duration(i) * time.Second)
		items = append(items, it)
	}
	must(w.pub.Apply(t0, "w1", items))
	b, beat, err := w.pub.Snapshot(Whole)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Line) > MaxFrame {
		t.Errorf("%d bytes", len(b.Line))
	}
	c := w.client(t)
	if v := c.Take(b.Line, t0); v != Taken {
		t.Fatal(v)
	}
	if v := c.Take(beat.Line, t0); v != Taken {
		t.Errorf("the beat: %s", v)
	}
	if n := len(c.State(t0)); n != 30_000 {
		t.Errorf("%d zones shown", n)
	}
	for i := range items {
		items[i].Until = items[i].Until.Add(time.Duration(i) * time.Second)
	}
	must(w.pub.Apply(t0, "w1", items))
	if _, _, err := w.pub.Snapshot(Whole); !errors.Is(err, errOversize) {
		t.Errorf("a board that cannot fit: %v", err)
	}
	if _, _, err := w.pub.Snapshot(Test); err != nil {
		t.Errorf("another chain: %v", err)
	}
}

// A new zone set keeps every warned place warned, also for who follows the old region.
func TestZonesChange(t *testing.T) {
	w := newWorld(t)
	c, ca := w.client(t), w.client(t, "A")
	must(w.pub.Tick(t0))
	must(w.pub.Apply(t0, "w1", []alert.Item{shelter(class.Drone, t0, "a1")}))
	w.fetch(t, c, Whole, t0)
	w.fetch(t, ca, "A", t0)
	must(w.pub.SetZones(t0.Add(time.Second), moved{country{"set2"}}))
	now := t0.Add(2 * time.Second)
	told := false
	for _, f := range must(w.pub.Tick(now)) {
		if f.Region == Whole && f.Kind == Beat {
			told = c.Take(f.Line, now) == Fetch
		}
	}
	if !told {
		t.Error("no client was told to fetch the board")
	}
	w.fetch(t, c, Whole, now)
	w.fetch(t, ca, "A", now)
	cb := w.client(t, "B")
	w.fetch(t, cb, "B", now)
	if c.Set(Whole) != "set2" {
		t.Errorf("set %s", c.Set(Whole))
	}
	for name, got := range map[string]string{"*": shown(c, now), "A": shown(ca, now), "B": shown(cb, now)} {
		if got != name+"/a1 warned shelter drone ;" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, f := range must(w.pub.Apply(now.Add(time.Second), "w1", []alert.Item{ended(warning.AllClear, class.Drone, now, "a1")})) {
		for _, client := range []*Client{c, ca, cb} {
			client.Take(f.Line, now.Add(time.Second))
		}
	}
	for name, got := range map[string]string{"*": shown(c, now), "A": shown(ca, now), "B": shown(cb, now)} {
		if got != name+"/a1 ended quiet drone all-clear;" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// moved has all zones in B.
type moved struct{ country }

func (moved) Region(zone.ID) zone.ID { return "B" }

// What the keys may not say is refused, named, and taken back where it was said.
func TestSignerWithLessJurisdiction(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	must(w.pub.Tick(t0))
	must(w.pub.Apply(t0, "w1", []alert.Item{shelter(class.Drone, t0, "a1"), shelter(class.Rocket, t0, "b1")}))
	w.fetch(t, c, Whole, t0)
	only := signingKey("only", t0.Add(-time.Hour), t0.Add(time.Hour), Jurisdiction{Regions: []string{Any}, Classes: []string{"drone"}})
	s, err := NewSigner([]SigningKey{only}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.list.Serial, w.list.Keys = 2, append(w.list.Keys, only.Key)
	c.Keys(w.keys(t), t0)
	if got := w.pub.Withheld(t0); len(got) != 0 {
		t.Errorf("withheld under a key for everything: %v", got)
	}
	must(w.pub.SetSigner(t0.Add(time.Second), s))
	if got, want := w.pub.Withheld(t0.Add(time.Second)), []Withheld{{"w1", 1, "b1", class.Rocket}}; !slices.Equal(got, want) {
		t.Errorf("withheld %v, want %v", got, want)
	}
	w.fetch(t, c, Whole, t0.Add(2*time.Second))
	if got, want := shown(c, t0.Add(2*time.Second)), "*/a1 warned shelter drone ;*/b1 no-news shelter rocket ;"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
	must(w.pub.Apply(t0.Add(3*time.Second), "w2", []alert.Item{shelter(class.Rocket, t0, "a2")}))
	if got, want := w.pub.Withheld(t0.Add(3*time.Second)), []Withheld{{"w1", 1, "b1", class.Rocket}, {"w2", 1, "a2", class.Rocket}}; !slices.Equal(got, want) {
		t.Errorf("withheld %v, want %v", got, want)
	}
	must(w.pub.Apply(t0.Add(4*time.Second), "w2", []alert.Item{ended(warning.Cancelled, class.Rocket, t0.Add(4*time.Second), "a2")}))
	if got := w.pub.Withheld(t0.Add(4 * time.Second)); len(got) != 1 || got[0].Warning != "w1" {
		t.Errorf("it has ended, and is withheld: %v", got)
	}
	regional := signingKey("regional", t0.Add(-time.Hour), t0.Add(time.Hour), Jurisdiction{Regions: []string{"A"}, Classes: []string{Any}})
	if s, err = NewSigner([]SigningKey{regional}, nil, nil); err != nil {
		t.Fatal(err)
	}
	must(w.pub.SetSigner(t0.Add(5*time.Second), s))
	if got, want := w.pub.Withheld(t0.Add(5*time.Second)), []Withheld{{"w1", 1, "b1", class.Rocket}}; !slices.Equal(got, want) {
		t.Errorf("withheld %v, want %v: a1 is said in its region", got, want)
	}
	for id, want := range map[zone.ID]bool{"a1": true, "a2": true, "b1": false, "b2": false} {
		if w.pub.Permits(t0.Add(5*time.Second), class.Rocket, id) != want {
			t.Errorf("may be said of %s: %v", id, !want)
		}
	}
	for _, f := range must(w.pub.Tick(t0.Add(20 * time.Second))) {
		if f.Region != "A" && f.Region != Test {
			t.Errorf("a key for A spoke for %s", f.Region)
		}
	}
	if _, _, err := w.pub.Snapshot(Whole); !errors.Is(err, ErrNoKey) {
		t.Errorf("board of the country: %v", err)
	}
	if _, _, err := w.pub.Snapshot("nowhere"); !errors.Is(err, ErrNoRegion) {
		t.Errorf("board of nowhere: %v", err)
	}
}

// A detail that is wrong does not keep a warning from being shown.
func TestItemsOutOfForm(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	must(w.pub.Tick(t0))
	it := shelter(99, t0, "a1")
	it.Alert, it.Text, it.Sure = "", "", 9
	it.Since, it.Until = time.Time{}, time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	quiet := shelter(class.Drone, t0, "a2")
	quiet.Stage = warning.Quiet
	nowhere := shelter(class.Drone, t0, "", "a\n", "a3")
	_, err := w.pub.Apply(t0, "w1", []alert.Item{it, quiet, nowhere})
	if err == nil {
		t.Error("nobody is told")
	}
	w.fetch(t, c, Whole, t0)
	if got, want := shown(c, t0), "*/a1 warned shelter unknown ;*/a3 warned shelter drone ;"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
}

func TestActive(t *testing.T) {
	w := newWorld(t)
	must(w.pub.Apply(t0, "w1", []alert.Item{shelter(class.Drone, t0, "a1"), ended(warning.AllClear, class.Drone, t0, "b1")}))
	want := `{"universe":"exercise","at":"2026-11-22T12:00:01.000Z","picture":"live","set":"set1","zones":[` +
		`{"id":"a1","names":{"en":"Zone a1","uk":"Зона a1"},"region":"A","stage":"shelter","threat":"drone","sure":"high","since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:30:00.000Z","arrival":{"earliest":"2026-11-22T12:03:00.000Z","likely":"2026-11-22T12:05:00.000Z"},"alert":"w1.1","text":"shelter-drone"},` +
		`{"id":"b1","names":{"en":"Zone b1","uk":"Зона b1"},"region":"B","stage":"quiet","threat":"drone","sure":"high","since":"2026-11-22T12:00:00.000Z","until":"2026-11-22T12:10:00.000Z","alert":"w1.2","end":"all-clear","text":"all-clear"}]}`
	if got := string(w.pub.Active(t0.Add(time.Second))); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// TestWhatMayNotBeSaidTakesNothingWithIt: a graver warning outside the key's jurisdiction is
// told as withheld, and does not silence a lesser one that may be said.
func TestWhatMayNotBeSaidTakesNothingWithIt(t *testing.T) {
	w := newWorld(t)
	k := signingKey("drones", t0.Add(-time.Hour), t0.Add(time.Hour), Jurisdiction{Regions: []string{Any}, Classes: []string{class.Drone.String()}})
	signer, err := NewSigner([]SigningKey{k}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.signer = signer
	w.list.Keys = []Key{k.Key}
	w.past = Reservation{}
	w.start(t, t0)
	c := w.client(t, Whole)
	if _, err := w.pub.Apply(t0, "w1", []alert.Item{shelter(class.Drone, t0, "a1")}); err != nil {
		t.Fatal(err)
	}
	graver := shelter(class.Rocket, t0, "a1", "a2")
	graver.Alert = "w2.1"
	must(w.pub.Apply(t0.Add(time.Second), "w2", []alert.Item{graver}))
	if got, want := w.pub.Withheld(t0.Add(time.Second)), []Withheld{{"w2", 2, "a1", class.Rocket}}; !slices.Equal(got, want) {
		t.Errorf("withheld %v, want %v", got, want)
	}
	if _, err := w.pub.Tick(t0.Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	w.fetch(t, c, Whole, t0.Add(2*time.Second))
	state := c.State(t0.Add(3 * time.Second))
	if len(state) != 1 || state[0].Zone != "a1" || state[0].Item.Threat != class.Drone || state[0].Item.Stage != warning.Shelter {
		t.Errorf("the warning that may be said is %v", state)
	}
}

// TestSmallChangesAreSmall: up to four zones, however different, go out in frames of at most
// 600 bytes.
func TestSmallChangesAreSmall(t *testing.T) {
	w := newWorld(t)
	var items []alert.Item
	for i := range 4 {
		it := shelter(class.BallisticMissile, t0.Add(time.Duration(i)*time.Second), zoneID(i))
		it.Alert = "wmi4k2x9a.12"
		items = append(items, it)
	}
	frames, err := w.pub.Apply(t0, "w1", items)
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) < 4 {
		t.Fatalf("%d frames for four items", len(frames))
	}
	for _, f := range frames {
		p := payloadOf(t, f)
		if n := len(p.Encode()); n > 600 {
			t.Errorf("%d bytes: %s", n, p.Encode())
		}
	}
}

// grown is a set with more regions: c... are in C, d... in D, and so on.
type grown struct {
	country
	last byte
}

func (g grown) Regions() (all []zone.ID) {
	for r := byte('A'); r <= g.last; r++ {
		all = append(all, zone.ID(r))
	}
	return all
}

func (g grown) Region(id zone.ID) zone.ID {
	if r := id[0] - 'a' + 'A'; r <= g.last {
		return zone.ID(r)
	}
	return zone.Everywhere
}

// A chain that a new zone set brings speaks at once, and the program dies before the disk was
// asked for numbers of it: the next start goes on above all that was said, and whoever
// followed the chain takes what comes.
func TestNewChainsGrowOverRestarts(t *testing.T) {
	w := newWorld(t)
	now := t0
	for start := range 12 {
		now = now.Add(time.Second)
		w.zones = grown{country{fmt.Sprint("set", start)}, byte('C' + start)}
		region := string(rune('C' + start))
		must(w.pub.SetZones(now, w.zones))
		c := w.client(t, region)
		w.fetch(t, c, region, now)
		place := zone.ID(string(rune('c'+start)) + "1")
		for i := range 7 {
			now = now.Add(10 * time.Millisecond)
			item := shelter(class.Drone, now, place)
			item.Sure = warning.Sure(i % 3)
			for _, f := range must(w.pub.Apply(now, "w1", []alert.Item{item})) {
				if f.Region == region {
					c.Take(f.Line, now)
				}
			}
			if w.pub.Overdrawn() {
				t.Fatalf("start %d: a new chain speaks above what is reserved", start)
			}
		}
		now = now.Add(time.Second)
		w.start(t, now) // nothing was made durable since the chain began
		must(w.pub.Tick(now))
		f, _, err := w.pub.Snapshot(region)
		if err != nil {
			t.Fatal(err)
		}
		if v := c.Take(f.Line, now); v != Taken {
			t.Fatalf("start %d: the board after the restart is %s", start, v)
		}
		now = now.Add(10 * time.Millisecond)
		taken := false
		for _, f := range must(w.pub.Apply(now, "w2", []alert.Item{shelter(class.Rocket, now, place)})) {
			if f.Region == region {
				taken = c.Take(f.Line, now) == Taken
			}
		}
		if !taken {
			t.Fatalf("start %d: a shelter after the restart is not taken", start)
		}
	}
}
