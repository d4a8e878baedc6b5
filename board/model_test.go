package board

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// model is what the warnings say, kept as simply as can be, and everyone who listens.
type model struct {
	w     *world
	now   time.Time
	says  map[warning.ID]map[zone.ID]alert.Item
	ears  []*ear
	last  map[string]time.Time // greatest at of each chain's beats and changes
	seq   map[string]int64
	zones []zone.ID
}

// ear is a client with a path that may lose frames.
type ear struct {
	client  *Client
	regions []string
	lossy   bool
	gone    map[string]bool // chains whose board must be fetched
}

func newModel(t *rapid.T) *model {
	m := &model{
		w: newWorld(t), now: t0, says: map[warning.ID]map[zone.ID]alert.Item{},
		last: map[string]time.Time{}, seq: map[string]int64{},
		zones: []zone.ID{"a1", "a2", "a3", "b1", "b2", "b3", "n1"}, // n1 is in no region
	}
	for _, e := range []*ear{{regions: []string{Whole}}, {regions: []string{"A", Test}}, {regions: []string{Whole, "B"}, lossy: true}} {
		e.client, e.gone = m.w.client(t, e.regions...), map[string]bool{}
		m.ears = append(m.ears, e)
	}
	m.tick(t)
	for _, e := range m.ears {
		for _, r := range e.regions {
			m.w.fetch(t, e.client, r, m.now)
		}
	}
	return m
}

// statement draws what one warning says of one zone.
func (m *model) statement(t *rapid.T, id zone.ID) alert.Item {
	since := m.now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "since")) * time.Second).Truncate(time.Second)
	it := shelter(rapid.SampledFrom([]class.Class{class.Drone, class.Rocket, class.Unknown}).Draw(t, "class"), since, id)
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0, 1:
	case 2:
		it.Stage, it.Text = warning.Prepare, "prepare"
	case 3:
		it.Arrival = alert.Arrival{}
	default:
		it = ended(rapid.SampledFrom([]warning.End{warning.AllClear, warning.Cancelled, warning.Expired}).Draw(t, "end"), it.Threat, m.now, id)
	}
	it.Until = m.now.Add(time.Duration(rapid.IntRange(1, 120).Draw(t, "until")) * time.Minute).Truncate(time.Millisecond)
	return it
}

func (m *model) apply(t *rapid.T) {
	id := warning.ID(fmt.Sprintf("w%d", rapid.IntRange(1, 4).Draw(t, "warning")))
	if m.says[id] == nil {
		m.says[id] = map[zone.ID]alert.Item{}
	}
	var items []alert.Item
	for _, z := range m.zones {
		old, had := m.says[id][z]
		switch {
		case rapid.Bool().Draw(t, "change"):
			it := m.statement(t, z)
			m.says[id][z] = it
			items = append(items, it)
		case had && old.End == warning.NotEnded && rapid.IntRange(0, 9).Draw(t, "forget") == 0:
			// The core forgets a zone that is warned: that is an expiry.
			old.Stage, old.End, old.Since, old.Arrival = warning.Quiet, warning.Expired, m.now, alert.Arrival{}
			m.says[id][z] = old
		case had:
			items = append(items, old)
		}
	}
	frames, err := m.w.pub.Apply(m.now, id, items)
	m.send(t, frames, err)
}

func (m *model) tick(t *rapid.T) {
	frames, err := m.w.pub.Tick(m.now)
	m.send(t, frames, err)
	m.w.reserve(m.now)
}

// send gives frames to everyone, after checking what holds for all of them.
func (m *model) send(t *rapid.T, frames []Frame, err error) {
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if !f.At.After(m.last[f.Region]) || f.Seq < m.seq[f.Region] || f.Kind == Change && f.Seq == m.seq[f.Region] {
			t.Fatalf("%s %s %d at %v after %d at %v", f.Region, f.Kind, f.Seq, f.At, m.seq[f.Region], m.last[f.Region])
		}
		if f.Kind == Change && len(f.Line) > MaxChange {
			t.Fatalf("a change of %d bytes", len(f.Line))
		}
		m.last[f.Region], m.seq[f.Region] = f.At, f.Seq
		for _, e := range m.ears {
			if e.lossy && rapid.IntRange(0, 2).Draw(t, "lost") == 0 {
				continue
			}
			e.hear(t, f, m.now)
		}
	}
	for _, e := range m.ears {
		for _, r := range slices.Sorted(maps.Keys(e.gone)) {
			m.w.pub.tell(m.now)
			m.w.fetch(t, e.client, r, m.now)
			_, beat, _ := m.w.pub.Snapshot(r)
			m.last[r] = beat.At
		}
		clear(e.gone)
	}
}

func (e *ear) hear(t *rapid.T, f Frame, now time.Time) {
	switch v := e.client.Take(f.Line, now); v {
	case Taken, Old:
	case Fetch:
		e.gone[f.Region] = true
	case WrongRegion:
		if slices.Contains(e.regions, f.Region) {
			t.Fatalf("%s refused as %s", f.Region, v)
		}
	default:
		t.Fatalf("%s %s %d: %s", f.Region, f.Kind, f.Seq, v)
	}
}

// restart is a start from what is durable: the reservation and what the warnings say.
func (m *model) restart(t *rapid.T) {
	m.w.start(t, m.now)
	for _, id := range slices.Sorted(maps.Keys(m.says)) {
		var items []alert.Item
		for _, z := range slices.Sorted(maps.Keys(m.says[id])) {
			items = append(items, m.says[id][z])
		}
		if err := m.w.pub.Restore(m.now, id, items); err != nil {
			t.Fatal(err)
		}
	}
	m.tick(t)
}

// want is what a chain's zones must be, by the contract's words.
func (m *model) want(region string) string {
	var out strings.Builder
	for _, z := range m.zones {
		if region != Whole && string(m.w.zones.Region(z)) != region {
			continue
		}
		var live, over []alert.Item
		for _, id := range slices.Sorted(maps.Keys(m.says)) {
			it, has := m.says[id][z]
			switch {
			case has && it.End == warning.NotEnded:
				live = append(live, it)
			case has && m.now.Sub(it.Since) < KeepEnds:
				over = append(over, it)
			}
		}
		slices.SortStableFunc(live, func(a, b alert.Item) int {
			never := t0.AddDate(1000, 0, 0)
			early := func(it alert.Item) time.Time {
				if it.Arrival.Earliest.IsZero() {
					return never
				}
				return it.Arrival.Earliest
			}
			return cmp.Or(int(b.Stage)-int(a.Stage), early(a).Compare(early(b)), a.Threat.Rank()-b.Threat.Rank(), b.Until.Compare(a.Until))
		})
		slices.SortStableFunc(over, func(a, b alert.Item) int {
			order := []warning.End{warning.Expired, warning.AllClear, warning.Cancelled}
			return cmp.Or(b.Since.Compare(a.Since), slices.Index(order, a.End)-slices.Index(order, b.End))
		})
		switch {
		case len(live) > 0 && !m.now.Before(live[0].Until):
			fmt.Fprintf(&out, "%s no-news;", z)
		case len(live) > 0:
			fmt.Fprintf(&out, "%s %s %s until %s;", z, live[0].Stage, live[0].Threat, live[0].Until)
		case len(over) > 0 && over[0].End == warning.Expired:
			fmt.Fprintf(&out, "%s no-news;", z)
		case len(over) > 0:
			fmt.Fprintf(&out, "%s %s;", z, over[0].End)
		}
	}
	return out.String()
}

func (m *model) got(c *Client, region string) string {
	var out strings.Builder
	for _, z := range c.State(m.now) {
		switch {
		case z.Region != region:
		case z.Show == Warned:
			fmt.Fprintf(&out, "%s %s %s until %s;", z.Zone, z.Item.Stage, z.Item.Threat, z.Item.Until)
		case z.Show == Ended:
			fmt.Fprintf(&out, "%s %s;", z.Zone, z.Item.End)
		default:
			fmt.Fprintf(&out, "%s no-news;", z.Zone)
		}
	}
	return out.String()
}

// without is got less the zones without news that want does not name.
func without(got, want string) string {
	var out strings.Builder
	for _, part := range strings.SplitAfter(got, ";") {
		id, show, _ := strings.Cut(part, " ")
		if show != "no-news;" || strings.Contains(want, id+" ") {
			out.WriteString(part)
		}
	}
	return out.String()
}

// Whatever is said, whenever it is restarted, whatever is lost on the way: who follows
// shows what the warnings say.
func TestClientsShowWhatTheWarningsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"apply": m.apply,
			"wait": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 15_000).Draw(t, "ms")) * time.Millisecond)
				m.tick(t)
			},
			"wait long": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
				m.tick(t)
			},
			"restart": m.restart,
			"picture": func(t *rapid.T) {
				m.w.pub.SetPicture(rapid.SampledFrom([]Picture{PictureLive, PicturePartial, PictureNone}).Draw(t, "picture"))
			},
			"": func(t *rapid.T) {
				for i, e := range m.ears {
					if e.lossy {
						continue // it is looked at when it has fetched
					}
					for _, r := range e.regions {
						if r == Test {
							continue
						}
						if got, want := m.got(e.client, r), m.want(r); got != want {
							t.Fatalf("ear %d, %s shows\n%s, want\n%s", i, r, got, want)
						}
					}
				}
			},
		})
		// After the next beat the lossy one knows too.
		m.now = m.now.Add(BeatEvery)
		m.ears[2].lossy = false
		m.tick(t)
		for _, r := range m.ears[2].regions {
			// An end that it missed for its whole hour leaves no news behind, which is right.
			want := m.want(r)
			if got := without(m.got(m.ears[2].client, r), want); got != want {
				t.Fatalf("after its losses %s shows\n%s, want\n%s", r, got, want)
			}
			if m.ears[2].client.Deaf(m.now, r) {
				t.Fatalf("%s: deaf", r)
			}
		}
	})
}
