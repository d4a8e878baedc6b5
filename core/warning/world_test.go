package warning

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/zone"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// square is a zone of a tenth of a degree, x and y tenths east and north of 30 E, 50 N.
func square(id, parent zone.ID, level, x, y, w, h int) zone.Zone {
	d := func(n int) geo.Degrees { return geo.Degrees(n) / 10 }
	lat, lon := 50+d(y), 30+d(x)
	return zone.Zone{
		ID: id, Level: level, Parent: parent, Names: map[string]string{"en": "Zone " + string(id)},
		Shape: geo.MultiPolygon{{Outer: geo.Ring{
			{Lat: lat, Lon: lon}, {Lat: lat, Lon: lon + d(w)}, {Lat: lat + d(h), Lon: lon + d(w)}, {Lat: lat + d(h), Lon: lon}, {Lat: lat, Lon: lon},
		}}},
		Label: geo.Point{Lat: lat + d(h)/2, Lon: lon + d(w)/2},
	}
}

func sheltered(z zone.Zone, d time.Duration) zone.Zone {
	z.Shelter, z.ShelterKnown = d, true
	return z
}

// fewZones are a to f in a row, in regions north (a to d) and south (e, f); people in a
// have 15 s to reach shelter.
func fewZones(t testing.TB) *zone.Set {
	return newSet(t,
		square("north", "", 1, 0, 0, 4, 1), square("south", "", 1, 4, 0, 2, 1),
		sheltered(square("a", "north", 2, 0, 0, 1, 1), 15*time.Second), square("b", "north", 2, 1, 0, 1, 1),
		square("c", "north", 2, 2, 0, 1, 1), square("d", "north", 2, 3, 0, 1, 1),
		square("e", "south", 2, 4, 0, 1, 1), square("f", "south", 2, 5, 0, 1, 1))
}

func newSet(t testing.TB, zones ...zone.Zone) *zone.Set {
	t.Helper()
	s, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// covered is the coverage of one sensor that sees everything.
func covered(zones *zone.Set) threat.Coverage {
	return threat.Cover([]track.Live{sensorOver("r", -1e9, true)}, zones)
}

// sensorOver is one sensor that sees everything above a height, or would.
func sensorOver(id string, floor geo.Metres, alive bool) track.Live {
	return track.Live{Alive: alive, Source: observation.Source{
		ID: id, Kind: "asterix", HasSite: true, Site: geo.Position{Point: geo.Point{Lat: 50, Lon: 30}},
		Coverage: observation.Coverage{Range: 2_000_000, Floor: floor},
	}}
}

// world is a book with what a core would give it: forecasts renewed every 10 s for
// tracks that are seen, and a call whenever the book wants one.
type world struct {
	t      testing.TB
	zones  *zone.Set
	policy Policy
	book   *Book
	now    time.Time
	cover  threat.Coverage
	feeds  map[string]bool
	tracks map[track.ID]*threat.Forecast
	last   map[ID]Warning // as the journal has it
	told   []Change
	trace  []string
}

func newWorld(t testing.TB, zones *zone.Set, p Policy) *world {
	return &world{
		t: t, zones: zones, policy: p, book: NewBook(zones, p, Options{}), now: start, cover: covered(zones),
		tracks: map[track.ID]*threat.Forecast{}, last: map[ID]Warning{},
	}
}

// see is a forecast of a well-founded track now.
func (w *world) see(id string, c class.Class, reaches ...threat.Reach) *threat.Forecast {
	slices.SortFunc(reaches, func(a, b threat.Reach) int {
		if a.Zone < b.Zone {
			return -1
		}
		return 1
	})
	f := w.tracks[track.ID(id)]
	if f == nil {
		f = &threat.Forecast{
			Track: track.ID(id), Horizon: 30 * time.Minute, Existence: 1, Status: track.Confirmed, Updates: 10, Sensors: 1,
			Kinds: []string{"asterix"}, Evidence: []string{"plot of " + id},
		}
		w.tracks[f.Track] = f
	}
	f.Revision++
	f.At, f.SeenAt, f.Class, f.Reaches = w.now, w.now, class.Of(c), reaches
	return f
}

// in is a reach from..to from now, in seconds.
func (w *world) in(z zone.ID, p float64, earliest, latest int) threat.Reach {
	at := func(s int) time.Time { return w.now.Add(time.Duration(s) * time.Second) }
	return threat.Reach{Zone: z, P: p, Arrival: threat.Arrival{Earliest: at(earliest), Likely: at((earliest + latest) / 2), Latest: at(latest)}}
}

func (w *world) weigh(ids ...string) []Change {
	var fs []threat.Forecast
	for _, id := range ids {
		fs = append(fs, *w.tracks[track.ID(id)])
	}
	return w.keep(w.book.Weigh(w.now, fs, w.cover, nil))
}

// keep checks what a book says and remembers it as a journal would.
func (w *world) keep(cs []Change) []Change {
	w.t.Helper()
	for _, c := range cs {
		text, err := json.Marshal(c.Warning)
		if err != nil {
			w.t.Fatal(err)
		}
		var back Warning
		if err := json.Unmarshal(text, &back); err != nil {
			w.t.Fatal(err)
		}
		again, _ := json.Marshal(back)
		if string(again) != string(text) {
			w.t.Fatalf("a warning does not come back from JSON:\n%s\n%s", text, again)
		}
		w.checkChange(c)
		w.last[c.Warning.ID] = back
		w.say(changeLine(c))
	}
	for _, c := range w.book.Conditions() {
		w.say(c.String())
	}
	w.told = append(w.told, cs...)
	return cs
}

func (w *world) say(line string) {
	w.trace = append(w.trace, fmt.Sprintf("%s %s", w.now.Sub(start), line))
}

// checkChange holds for every change of every book.
func (w *world) checkChange(c Change) {
	w.t.Helper()
	next := c.Warning
	prev, had := w.last[next.ID]
	if had && next.Revision != prev.Revision+1 {
		w.t.Fatalf("%s: revision %d after %d", next.ID, next.Revision, prev.Revision)
	}
	if !slices.IsSorted(c.Touched) || len(c.Touched) == 0 {
		w.t.Fatalf("%s: touched %v", next.ID, c.Touched)
	}
	ended := map[zone.ID]EndedZone{}
	for _, z := range next.Ended {
		ended[z.Zone] = z
		if z.End == NotEnded || z.Why == "" {
			w.t.Fatalf("%s: %s left without end or reason: %+v", next.ID, z.Zone, z)
		}
	}
	now := map[zone.ID]ZoneState{}
	for _, z := range next.Zones {
		if _, both := ended[z.Zone]; both {
			w.t.Fatalf("%s: %s is in force and ended", next.ID, z.Zone)
		}
		if !z.Until.After(w.now) {
			w.t.Fatalf("%s: %s is in force until %s, now %s", next.ID, z.Zone, z.Until, w.now)
		}
		now[z.Zone] = z
	}
	for _, z := range prev.Zones {
		is, still := now[z.Zone]
		if _, left := ended[z.Zone]; !still && !left && w.known(z.Zone) {
			w.t.Fatalf("%s: %s left without an end", next.ID, z.Zone)
		}
		if still && is.Stage < z.Stage && is.Since.Equal(z.Since) {
			w.t.Fatalf("%s: %s stepped down from %s to %s", next.ID, z.Zone, z.Stage, is.Stage)
		}
	}
}

func (w *world) known(id zone.ID) bool {
	_, ok := w.zones.Index(id)
	return ok
}

// to lets time pass: the book is called when it wants to be, and every 10 s, when tracks
// that are seen are forecast anew.
func (w *world) to(until time.Time) {
	for w.now.Before(until) {
		renew := w.now.Truncate(10 * time.Second).Add(10 * time.Second)
		next, due := w.book.Next()
		if !due || next.After(renew) {
			next = renew
		}
		if next.After(until) {
			next = until
		}
		if next.Equal(w.now) {
			next = w.now.Add(time.Millisecond)
		}
		w.now = next
		if !w.now.Equal(renew) {
			w.weigh()
			continue
		}
		var ids []string
		for id, f := range w.tracks {
			if f.Status == track.Confirmed {
				f.At, f.SeenAt, f.Revision = w.now, w.now, f.Revision+1
				ids = append(ids, string(id))
			}
		}
		slices.Sort(ids)
		w.weigh(ids...)
	}
}

// restart makes a new book from what the journal has. The tracks form again only when the
// test says so.
func (w *world) restart() {
	w.book = NewBook(w.zones, w.policy, Options{})
	var ws []Warning
	for _, x := range w.last {
		ws = append(ws, x)
	}
	w.book.Restore(w.now, ws)
}

// changeLine is one change on one line, with what differs between zones.
func changeLine(c Change) string {
	s := fmt.Sprintf("%s.%d", c.Warning.ID, c.Warning.Revision)
	if c.ArrivalOnly {
		s += " arrival"
	}
	clock := func(t time.Time) string { return t.Format("15:04:05") }
	for _, z := range c.Warning.Zones {
		if _, touched := slices.BinarySearch(c.Touched, z.Zone); !touched {
			continue
		}
		s += fmt.Sprintf(" | %s %s %s %s until %s", z.Zone, z.Stage, z.Threat, z.Sure, clock(z.Until))
		if z.Arrival.Known() {
			s += " arrives " + clock(z.Arrival.Earliest)
		}
	}
	for _, z := range c.Warning.Ended {
		if _, touched := slices.BinarySearch(c.Touched, z.Zone); touched {
			s += fmt.Sprintf(" | %s %s (%s)", z.Zone, z.End, z.Why)
			if z.Under != "" {
				s += " under " + string(z.Under)
			}
		}
	}
	return s
}
