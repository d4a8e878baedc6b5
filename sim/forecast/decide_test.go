package forecast

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/track"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/tracking"
)

var policyFiles = flag.String("policies", "", "policy files, with commas, to decide beside the one that ships")

// The decision over the whole way, from plots without identities to stages: what is missed,
// and what it costs in zones that nothing reaches, against an alarm for whole regions that
// knows what will come, and against straight cones before the tracks. `make bench-forecast`
// runs it.
func TestBenchDecision(t *testing.T) {
	if *raids == 0 {
		t.Skip("takes minutes: say -raids N, or make bench-forecast")
	}
	names, policies := benchPolicies(t)
	names = append(names, "cones")
	for _, country := range countries {
		for _, generator := range []string{"raid", "plain"} {
			if !chosen(country.id) || !chosen(generator) {
				continue
			}
			zones := sharedZones(t, country.files)
			whole, kinds := make([]toll, len(names)), map[string][]toll{}
			for n := range uint64(*raids) {
				w, ok := draw(t, generator, *offset+n, country.id, zones)
				if !ok || !chosen(w.name) {
					continue
				}
				if kinds[w.name] == nil {
					kinds[w.name] = make([]toll, len(names))
				}
				for i, one := range decideOn(t, w, zones, policies) {
					whole[i].add(one)
					kinds[w.name][i].add(one)
				}
			}
			for i, name := range names {
				t.Logf("%s %s, %s: %s", country.id, generator, name, &whole[i])
				for _, kind := range kindNames(kinds) {
					t.Logf("    %s: %s", kind, &kinds[kind][i])
				}
			}
		}
	}
}

func benchPolicies(t *testing.T) (names []string, policies []warning.Policy) {
	t.Helper()
	names, policies = []string{"shipped"}, []warning.Policy{warning.DefaultPolicy()}
	for _, name := range strings.FieldsFunc(*policyFiles, func(r rune) bool { return r == ',' }) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := warning.ReadPolicy(b)
		if err != nil {
			t.Fatal(err)
		}
		names, policies = append(names, filepath.Base(name)), append(policies, p)
	}
	return names, policies
}

// toll is what a way to decide did on raids. An event is a zone reached: passages that begin
// within three minutes of the end of those before are one.
type toll struct {
	events, missed         float64 // not in shelter when it came
	tracked, missedTracked float64 // of them those whose object had a track 15 s before
	late                   float64 // in shelter, but for less than people there need, and 15 s
	unreached, region      float64 // person-minutes in zones that nothing reached; of the regional alarm
	shelters, open         float64 // begun; not over at the end
	flips, hours           float64 // begun within 15 minutes of an end; zone-hours in shelter
}

func (c *toll) add(d toll) {
	for _, p := range [...][2]*float64{
		{&c.events, &d.events}, {&c.missed, &d.missed}, {&c.tracked, &d.tracked}, {&c.missedTracked, &d.missedTracked}, {&c.late, &d.late},
		{&c.unreached, &d.unreached}, {&c.region, &d.region}, {&c.shelters, &d.shelters}, {&c.open, &d.open}, {&c.flips, &d.flips}, {&c.hours, &d.hours},
	} {
		*p[0] += *p[1]
	}
}

func (c *toll) String() string {
	return fmt.Sprintf("%.0f events, missed %.3f, of tracked %.4f (%.0f of %.0f), late %.3f; not reached, against region %.3f; %.0f shelters, %.0f open at the end; flips %.3f per zone-hour of %.0f",
		c.events, c.missed/c.events, c.missedTracked/c.tracked, c.missedTracked, c.tracked, c.late/c.events, c.unreached/c.region, c.shelters, c.open, c.flips/c.hours, c.hours)
}

const (
	decideEvery = 2.0   // seconds
	soonAgain   = 900.0 // seconds in which a shelter after a shelter is a flip
	coneFor     = 60.0  // seconds that a cone's alarm stays on
)

// decideOn plays one raid under each policy, and under cones.
func decideOn(t *testing.T, w attack, zones *zone.Set, policies []warning.Policy) []toll {
	t.Helper()
	play, err := tracking.NewPlay(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(Job{Scenario: w.dir, Origin: w.origin, Zones: zones, Policy: policies[0]}, play, nil)
	books := []*warning.Book{r.book}
	for _, p := range policies[1:] {
		books = append(books, warning.NewBook(zones, p, warning.Options{}))
	}
	d := newDecided(w, zones, len(books)+1)
	for at := 0.0; at <= w.lasts; at += decideEvery {
		err := r.feed(at, func(now time.Time, changes []track.Change) {
			forecasts := r.foresee(now, changes)
			for _, b := range books {
				b.Weigh(now, forecasts, r.cover, nil)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range r.play.Picture().Tracks(tracking.Moment(at)) {
			laid := r.ground.track(tr)
			if o := d.judgement.nearest(&laid, at); o >= 0 && d.seen[o] < 0 {
				d.seen[o] = at
			}
			cone(&laid, zones, func(z int) { d.coned[z] = at })
		}
		for i, b := range books {
			d.shelter(i, at, sheltered(b, zones))
		}
		d.shelter(len(books), at, func(z int) bool { return at-d.coned[z] < coneFor })
		d.reach(at)
	}
	return d.close()
}

// sheltered is which zones are in shelter.
func sheltered(b *warning.Book, zones *zone.Set) func(int) bool {
	on := map[int]bool{}
	for _, w := range b.Warnings() {
		for _, z := range w.Zones {
			if k, ok := zones.Index(z.Zone); ok && z.Stage == warning.Shelter {
				on[k] = true
			}
		}
	}
	return func(z int) bool { return on[z] }
}

// spell is one zone's shelter under one way to decide: since when (below zero: it is not
// in one), when the last ended, and seconds in all.
type spell struct{ since, last, spent float64 }

// decided is one raid while it is played under several ways to decide.
type decided struct {
	judgement
	tolls   []toll
	spells  [][]spell
	seen    []float64 // per object: since when it has had a track, below zero: not yet
	coned   []float64 // per zone: when it last lay in a cone
	left    []float64 // per zone: until when the event at hand lasts
	reached []bool
	next    int // in the passages, which are in order of time
}

func newDecided(w attack, zones *zone.Set, ways int) *decided {
	slices.SortStableFunc(w.passages, func(a, b passage) int { return cmp.Compare(a.enter, b.enter) })
	never := func(n int, at float64) []float64 { return slices.Repeat([]float64{at}, n) }
	d := &decided{
		judgement: judgement{w: w, zones: zones}, tolls: make([]toll, ways), spells: make([][]spell, ways), seen: never(w.objects, -1),
		coned: never(zones.Len(), math.Inf(-1)), left: never(zones.Len(), math.Inf(-1)), reached: make([]bool, zones.Len()),
	}
	for i := range d.spells {
		d.spells[i] = slices.Repeat([]spell{{since: -1, last: math.Inf(-1)}}, zones.Len())
	}
	for _, p := range w.passages {
		d.reached[p.zone] = true
	}
	return d
}

// shelter takes down which zones are in shelter under a way to decide.
func (d *decided) shelter(way int, at float64, on func(int) bool) {
	for z := range d.spells[way] {
		s := &d.spells[way][z]
		switch is := on(z); {
		case is && s.since < 0:
			d.tolls[way].shelters++
			if at-s.last < soonAgain {
				d.tolls[way].flips++
			}
			s.since = at
		case !is && s.since >= 0:
			s.spent += at - s.since
			s.since, s.last = -1, at
		}
	}
}

// reach judges the zones that have been reached by now.
func (d *decided) reach(at float64) {
	for ; d.next < len(d.w.passages) && d.w.passages[d.next].enter <= at; d.next++ {
		p := d.w.passages[d.next]
		same := p.enter <= d.left[p.zone]+180
		d.left[p.zone] = max(d.left[p.zone], p.leave)
		if same {
			continue
		}
		need := 120.0
		if z := d.zones.ByIndex(p.zone); z.ShelterKnown {
			need = z.Shelter.Seconds()
		}
		tracked := d.seen[p.object] >= 0 && d.seen[p.object]+15 <= p.enter
		for i := range d.tolls {
			c, s := &d.tolls[i], d.spells[i][p.zone]
			c.events++
			if tracked {
				c.tracked++
			}
			switch {
			case s.since < 0 && tracked:
				c.missed++
				c.missedTracked++
			case s.since < 0:
				c.missed++
			case p.enter-s.since < need+15:
				c.late++
			}
		}
	}
}

// close ends the raid.
func (d *decided) close() []toll {
	region := d.regional()
	for i := range d.tolls {
		c := &d.tolls[i]
		for z, s := range d.spells[i] {
			if s.since >= 0 {
				s.spent += d.w.lasts - s.since
				c.open++
			}
			c.hours += s.spent / 3600
			if !d.reached[z] {
				c.unreached += s.spent / 60 * d.people(z)
			}
		}
		c.region = region
	}
	return d.tolls
}

// people live in a zone; one where it is not known.
func (d *decided) people(z int) float64 {
	if k := d.zones.ByIndex(z); k.PopulationKnown && k.Population > 0 {
		return float64(k.Population)
	}
	return 1
}

// regional is the person-minutes in zones not reached of an alarm for whole regions, from ten
// minutes before each passage to five after it. Where a set has no regions, squares of half a
// degree stand for them.
func (d *decided) regional() (sum float64) {
	group := func(z int) zone.ID {
		if r := d.zones.Region(d.zones.ByIndex(z).ID); r != zone.Everywhere {
			return r
		}
		p := d.zones.ByIndex(z).Label
		return zone.ID(fmt.Sprint(math.Floor(2*float64(p.Lat)), "/", math.Floor(2*float64(p.Lon))))
	}
	minutes, end := map[zone.ID]float64{}, map[zone.ID]float64{}
	for _, p := range d.w.passages { // in order of time
		g := group(p.zone)
		from, to := max(p.enter-600, end[g]), min(p.leave+300, d.w.lasts)
		minutes[g] += max(to-from, 0) / 60
		end[g] = max(end[g], to)
	}
	for z := range d.zones.Len() {
		if !d.reached[z] {
			sum += minutes[group(z)] * d.people(z)
		}
	}
	return sum
}

// cone is the zones whose middles lie at most ten minutes ahead of a track, within ten
// degrees of its course, or within 3 km of it.
func cone(tr *track.Track, zones *zone.Set, each func(z int)) {
	here := tr.State.Position.Position()
	frame := geo.NewENU(here)
	v := frame.ToVelocity(tr.State.Velocity)
	speed := math.Hypot(v[0], v[1])
	far := min(speed*600, 150e3)
	zones.InCircle(geo.Circle{Centre: here.Point, Radius: geo.Metres(far)}, func(z int) {
		p := frame.To(geo.Position{Point: zones.ByIndex(z).Label, Height: here.Height}.ECEF())
		d := math.Hypot(p[0], p[1])
		if d < 3000 || (p[0]*v[0]+p[1]*v[1])/(d*speed) > math.Cos(10*math.Pi/180) {
			each(z)
		}
	})
}
