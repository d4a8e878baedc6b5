package warning

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// step is one thing that happens to a book, made before it runs so that it can run twice.
type step struct {
	after    time.Duration
	forecast *threat.Forecast // times are offsets from the step, in seconds after start
	cover    int              // 0 as before, 1 all, 2 nothing
	command  *Command
	restart  bool
}

func drawSteps(rt *rapid.T) []step {
	zones := []zone.ID{"a", "b", "c", "d", "e", "f"}
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
		s := step{after: time.Duration(rapid.IntRange(0, 240_000).Draw(rt, "after_ms")) * time.Millisecond}
		switch k := rapid.IntRange(0, 19).Draw(rt, "kind"); {
		case k < 14:
			s.forecast = drawForecast(rt, zones)
		case k < 16:
			s.cover = rapid.IntRange(1, 2).Draw(rt, "cover")
		case k < 18:
			s.command = drawCommand(rt, zones)
		case k < 19:
			s.restart = true
		}
		return s
	}), 1, 60).Draw(rt, "steps")
}

func drawForecast(rt *rapid.T, zones []zone.ID) *threat.Forecast {
	f := &threat.Forecast{
		Track: track.ID(fmt.Sprintf("T%d", rapid.IntRange(0, 4).Draw(rt, "track"))), Horizon: 30 * time.Minute,
		Existence: rapid.Float64Range(0, 1).Draw(rt, "existence"), Updates: rapid.IntRange(1, 30).Draw(rt, "updates"),
		Sensors: 1, Kinds: []string{rapid.SampledFrom([]string{"asterix", "report"}).Draw(rt, "kind")},
		Status:   rapid.SampledFrom([]track.Status{track.Confirmed, track.Confirmed, track.Confirmed, track.Coasting, track.Ended, track.Tentative}).Draw(rt, "status"),
		Standing: rapid.SampledFrom([]observation.Allegiance{observation.Unstated, observation.Unstated, observation.Foe, observation.Friend}).Draw(rt, "standing"),
		Class:    class.Of(rapid.SampledFrom(slices.Collect(func(y func(class.Class) bool) { a := class.All(); slices.Values(a[:])(y) })).Draw(rt, "class")),
	}
	if f.Status == track.Ended {
		f.Reason = rapid.SampledFrom([]track.Reason{track.Landed, track.Lost, track.Merged}).Draw(rt, "reason")
		f.Into = "T0"
		return f
	}
	for _, z := range zones {
		if rapid.Bool().Draw(rt, "reaches") {
			at := rapid.IntRange(-60, 1800).Draw(rt, "earliest")
			f.Reaches = append(f.Reaches, threat.Reach{Zone: z, P: rapid.Float64Range(0, 1).Draw(rt, "p"), Arrival: threat.Arrival{
				Earliest: start.Add(time.Duration(at) * time.Second), Likely: start.Add(time.Duration(at+30) * time.Second),
				Latest: start.Add(time.Duration(at+60+rapid.IntRange(0, 600).Draw(rt, "spread")) * time.Second),
			}})
		}
	}
	return f
}

func drawCommand(rt *rapid.T, zones []zone.ID) *Command {
	c := &Command{
		ID: fmt.Sprintf("c%d", rapid.IntRange(0, 1000).Draw(rt, "id")), By: Issuer{ByAuthority, "duty"},
		Action: rapid.SampledFrom([]Action{Declare, Extend, EndsZone, "nonsense"}).Draw(rt, "action"),
		Stage:  rapid.SampledFrom([]Stage{Quiet, Prepare, Shelter}).Draw(rt, "stage"),
		End:    rapid.SampledFrom([]End{AllClear, Cancelled, Expired}).Draw(rt, "end"),
		Threat: class.Drone,
		Until:  start.Add(time.Duration(rapid.IntRange(-10, 7200).Draw(rt, "until")) * time.Second),
	}
	for _, z := range zones {
		if rapid.IntRange(0, 2).Draw(rt, "named") == 0 {
			c.Zones = append(c.Zones, z)
		}
	}
	return c
}

// run plays steps into a world, calling the book whenever it wants; check runs after each
// call.
func (w *world) run(steps []step, restarts bool, check func()) {
	for _, s := range steps {
		until := w.now.Add(s.after)
		for {
			next, due := w.book.Next()
			if !due || next.After(until) {
				break
			}
			if !next.After(w.now) {
				next = w.now.Add(time.Millisecond)
			}
			w.now = next
			w.weigh()
			check()
		}
		if until.After(w.now) {
			w.now = until
		}
		switch {
		case s.forecast != nil:
			f := *s.forecast
			shift := w.now.Sub(start)
			f.At, f.SeenAt = w.now, w.now
			f.Reaches = slices.Clone(f.Reaches)
			for i := range f.Reaches {
				a := &f.Reaches[i].Arrival
				a.Earliest, a.Likely, a.Latest = a.Earliest.Add(shift), a.Likely.Add(shift), a.Latest.Add(shift)
			}
			if f.Status == track.Tentative { // no word of the picture that a restart would repeat
				w.keep(w.book.Weigh(w.now, []threat.Forecast{f}, w.cover, nil))
				break
			}
			w.tracks[f.Track] = &f
			w.weigh(string(f.Track))
		case s.command != nil:
			cs, _ := w.book.Command(w.now, *s.command)
			w.keep(cs)
		case s.restart && restarts:
			w.restart()
			ids := make([]string, 0, len(w.tracks))
			for id := range w.tracks {
				ids = append(ids, string(id))
			}
			slices.Sort(ids)
			w.weigh(ids...)
		case s.cover == 1:
			w.cover = covered(w.zones)
			w.weigh()
		case s.cover == 2:
			w.cover = threat.Cover(nil, w.zones)
			w.weigh()
		}
		check()
	}
}

// checkBook holds for every book after every call.
func (w *world) checkBook(rt *rapid.T) {
	automatic := map[zone.ID]ID{}
	for _, e := range w.book.episodes {
		if len(e.members)+len(e.ended) > MaxZones {
			rt.Fatalf("%s has %d zones", e.id, len(e.members)+len(e.ended))
		}
		for _, m := range e.members {
			if !m.st.Until.After(w.now) {
				rt.Fatalf("%s in %s: until %s, now %s", m.st.Zone, e.id, m.st.Until, w.now)
			}
			if lifeOf(m.st.Stage) != m.life {
				rt.Fatalf("%s in %s: stage %s, life %s", m.st.Zone, e.id, m.st.Stage, m.life)
			}
			if !e.auto {
				continue
			}
			if other, twice := automatic[m.st.Zone]; twice {
				rt.Fatalf("%s is in %s and %s", m.st.Zone, e.id, other)
			}
			automatic[m.st.Zone] = e.id
			if w.book.places[m.st.Zone] != m.at || m.at.auto != m {
				rt.Fatalf("%s in %s is not in its place", m.st.Zone, e.id)
			}
		}
	}
	if next, ok := w.book.Next(); ok && next.Before(w.now) {
		rt.Fatalf("next %s is past, now %s", next, w.now)
	}
}

// checkClears holds every automatic all-clear against the evidence as the world knows it.
func (w *world) checkClears(rt *rapid.T, from int) {
	for _, c := range w.told[from:] {
		for _, z := range c.Warning.Ended {
			if _, now := slices.BinarySearch(c.Touched, z.Zone); !now || z.End != AllClear || z.By.Kind != ByPolicy {
				continue
			}
			if !w.cover.Covers(z.Zone, z.Threat) {
				rt.Fatalf("%s all clear, and no sensor covers it", z.Zone)
			}
			r := w.policy.Rule(z.Threat, z.Stage)
			if z.At.Sub(z.Since) < r.Stay {
				rt.Fatalf("%s all clear after %s", z.Zone, z.At.Sub(z.Since))
			}
			for _, f := range w.tracks {
				if f.Status != track.Confirmed && f.Status != track.Coasting || f.Standing == observation.Friend {
					continue
				}
				for _, x := range f.Reaches {
					rule := w.policy.Rule(f.Class.Best(), z.Stage)
					if x.Zone == z.Zone && x.P*f.Existence >= rule.Probability*rule.Clear {
						rt.Fatalf("%s all clear while %s reaches it with %.3f", z.Zone, f.Track, x.P*f.Existence)
					}
				}
			}
		}
	}
}

func TestInvariants(t *testing.T) {
	zones := fewZones(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, zones, DefaultPolicy())
		steps := drawSteps(rt)
		checked := 0
		w.run(steps, true, func() {
			w.checkBook(rt)
			w.checkClears(rt, checked)
			checked = len(w.told)
		})
		// All comes to an end when nothing is heard any more.
		w.run([]step{{after: 12 * time.Hour}}, false, func() { w.checkBook(rt) })
		for _, x := range w.book.Warnings() {
			if !x.Over() && x.By.Kind != ByPolicy {
				rt.Fatalf("%s has no end", x.ID)
			}
		}
	})
}

// level is a policy under which all classes end alike, so that a shelter that began earlier
// or is shown for another class is not owed another end.
func level() Policy {
	p := DefaultPolicy()
	for c := range p.Rules {
		for s := range p.Rules[c] {
			p.Rules[c][s].Stay = 0
		}
	}
	return p
}

// shelters are the zones in shelter in any warning.
func (w *world) shelters() map[zone.ID]bool {
	out := map[zone.ID]bool{}
	for _, e := range w.book.episodes {
		for _, m := range e.members {
			if m.st.Stage == Shelter {
				out[m.st.Zone] = true
			}
		}
	}
	return out
}

// TestMoreEvidenceNeverRemovesAShelter: beside a book that hears some steps runs one that
// hears, with some of them, of further tracks that threaten; at any time it shelters at least
// the same zones.
func TestMoreEvidenceNeverRemovesAShelter(t *testing.T) {
	zones := fewZones(t)
	rapid.Check(t, func(rt *rapid.T) {
		steps := slices.DeleteFunc(drawSteps(rt), func(s step) bool { return s.command != nil || s.restart })
		extra := make([]*threat.Forecast, len(steps))
		for i := range extra {
			if rapid.IntRange(0, 3).Draw(rt, "more") > 0 {
				continue
			}
			f := drawForecast(rt, []zone.ID{"a", "b", "c", "d", "e", "f"})
			if f.Status == track.Confirmed && f.Standing != observation.Friend {
				f.Track = track.ID(fmt.Sprintf("X%d", i)) // never heard of again: what is lost is no evidence
				extra[i] = f
			}
		}
		less, more := newWorld(t, zones, level()), newWorld(t, zones, level())
		check := func(when string) {
			is := more.shelters()
			for z := range less.shelters() {
				if !is[z] {
					rt.Fatalf("%s: %s is in shelter on less evidence, not on more\n%v\n%v", when, z, less.trace, more.trace)
				}
			}
		}
		for i, s := range steps {
			less.run([]step{s}, false, func() {})
			more.run([]step{s}, false, func() {})
			check(fmt.Sprintf("step %d", i))
			if extra[i] != nil {
				more.run([]step{{forecast: extra[i]}}, false, func() {})
				check(fmt.Sprintf("after more at step %d", i))
			}
		}
		for range 30 {
			less.run([]step{{after: time.Minute}}, false, func() {})
			more.run([]step{{after: time.Minute}}, false, func() {})
			check("afterwards")
		}
	})
}

// TestNoZoneFlipsTwiceWithinItsStay: between two starts of a zone by the policy lies at least
// the minimum stay of the first.
func TestNoZoneFlipsTwiceWithinItsStay(t *testing.T) {
	zones := fewZones(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, zones, DefaultPolicy())
		w.run(slices.DeleteFunc(drawSteps(rt), func(s step) bool { return s.command != nil }), true, func() {})
		began, ended := map[zone.ID]ZoneState{}, map[zone.ID]EndedZone{}
		for _, c := range w.told {
			for _, z := range c.Warning.Ended {
				if was, ok := began[z.Zone]; ok && !z.At.Before(was.Since) {
					ended[z.Zone] = z
				}
			}
			for _, z := range c.Warning.Zones {
				was, ok := began[z.Zone]
				if end, over := ended[z.Zone]; ok && over && end.End == AllClear && z.Since.After(end.At) {
					if stay := w.policy.Rule(was.Threat, was.Stage).Stay; z.Since.Sub(was.Since) < stay {
						rt.Fatalf("%s starts at %s and again at %s, its stay is %s", z.Zone, was.Since, z.Since, stay)
					}
				}
				if !ok || !z.Since.Equal(was.Since) {
					began[z.Zone] = z
					delete(ended, z.Zone)
				}
			}
		}
	})
}

// TestDeterminism: the same steps make the same words, byte for byte.
func TestDeterminism(t *testing.T) {
	zones := fewZones(t)
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		var said [2]string
		for i := range said {
			w := newWorld(t, zones, DefaultPolicy())
			w.run(steps, true, func() {})
			b, err := json.Marshal(w.told)
			if err != nil {
				rt.Fatal(err)
			}
			said[i] = string(b) + fmt.Sprint(w.trace)
		}
		if said[0] != said[1] {
			rt.Fatalf("two runs differ:\n%s\n%s", said[0], said[1])
		}
	})
}

// TestRestartKeepsEverything: after a restart at any point every zone that is in force in
// a book that did not restart is so, at least as gravely, in one that did, and a zone that
// was in force then keeps its warning's id and its since. (What was decided but not yet
// spoken, in the last second before, is decided anew.)
func TestRestartKeepsEverything(t *testing.T) {
	zones := fewZones(t)
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		steps = slices.DeleteFunc(steps, func(s step) bool { return s.command != nil && s.command.Action != Declare })
		cut := rapid.IntRange(0, len(steps)).Draw(rt, "cut")
		calm := newWorld(t, zones, DefaultPolicy())
		quietly := []step{{after: 2 * arrivalTick}}
		calm.run(slices.Concat(steps[:cut], quietly), false, func() {})
		torn := newWorld(t, zones, DefaultPolicy())
		torn.run(slices.Concat(steps[:cut], quietly), false, func() {})
		torn.run([]step{{restart: true}}, true, func() {})
		for _, x := range calm.book.Warnings() {
			for _, z := range x.Zones {
				if is := torn.zone(x.ID, z.Zone); is.Stage < z.Stage || !is.Since.Equal(z.Since) {
					rt.Fatalf("%s of %s is gone after the restart", z.Zone, x.ID)
				}
			}
		}
		grave := func(w *world) map[zone.ID]Stage {
			out := map[zone.ID]Stage{}
			for _, e := range w.book.episodes {
				for _, m := range e.members {
					out[m.st.Zone] = max(out[m.st.Zone], m.st.Stage)
				}
			}
			return out
		}
		for _, s := range steps[cut:] {
			calm.run([]step{s}, false, func() {})
			torn.run([]step{s}, false, func() {})
			is := grave(torn)
			for z, stage := range grave(calm) {
				if is[z] < stage {
					rt.Fatalf("%s after the restart: %s, without it %s\n%v\n%v", z, is[z], stage, calm.trace, torn.trace)
				}
			}
		}
	})
}

func (w *world) zone(id ID, z zone.ID) ZoneState {
	x, _ := w.book.Warning(id)
	for _, is := range x.Zones {
		if is.Zone == z {
			return is
		}
	}
	return ZoneState{}
}
