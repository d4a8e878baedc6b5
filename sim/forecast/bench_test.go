package forecast

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/raid"
	"tocsin/sim/tracking"
)

var (
	raids  = flag.Int("raids", 0, "raids a country and generator that the forecast is measured on; 0: none")
	offset = flag.Uint64("from", 1, "the first of their seeds")
	only   = flag.String("only", "", "measure these alone: words of country, generator and kind of raid, with commas")
	blame  = flag.Int("blame", 0, "list so many of the tracks and moments that cost most")
)

var countries = []struct {
	id    string
	files []string
}{
	{"ua", []string{"ua-oblasts.geojson", "ua-raions.geojson", "ua-hromadas.geojson"}},
	{"il", []string{"il-areas.geojson"}},
}

// The whole way, from the plots of raids that another physics made to what is written:
// what is said to happen with probability p happens in a share of about p of the cases.
// `make bench-forecast` runs it.
func TestBenchForecast(t *testing.T) {
	if *raids == 0 {
		t.Skip("takes minutes: say -raids N, or make bench-forecast")
	}
	for _, country := range countries {
		for _, generator := range []string{"raid", "plain"} {
			if !chosen(country.id) || !chosen(generator) {
				continue
			}
			zones := sharedZones(t, country.files)
			whole, kinds := newFigures(), map[string]*figures{}
			for n := range uint64(*raids) {
				w, ok := draw(t, generator, *offset+n, country.id, zones)
				if !ok || !chosen(w.name) {
					continue
				}
				if kinds[w.name] == nil {
					kinds[w.name] = newFigures()
				}
				judge(t, w, zones, whole, kinds[w.name])
			}
			t.Logf("%s %s: %s", country.id, generator, whole)
			for _, name := range kindNames(kinds) {
				t.Logf("  %s %s %s: %s", country.id, generator, name, kinds[name].line())
			}
			slices.SortFunc(whole.blamed, func(a, b blamed) int { return int(math.Copysign(1, b.cost-a.cost)) })
			for _, b := range whole.blamed[:min(*blame, len(whole.blamed))] {
				t.Logf("    %.2f %s", b.cost, b.text)
			}
		}
	}
}

// chosen reports whether a word is not excluded by -only.
func chosen(word string) bool {
	if *only == "" {
		return true
	}
	group := 0
	for k, words := range [][]string{{"ua", "il"}, {"raid", "plain"}} {
		if slices.Contains(words, word) {
			group = k + 1
		}
	}
	asked := false
	for _, w := range strings.Split(*only, ",") {
		if w == word {
			return true
		}
		g := 0
		for k, words := range [][]string{{"ua", "il"}, {"raid", "plain"}} {
			if slices.Contains(words, w) {
				g = k + 1
			}
		}
		asked = asked || g == group
	}
	return !asked
}

func kindNames[V any](kinds map[string]V) []string { return slices.Sorted(maps.Keys(kinds)) }

// attack is one raid as a folder, with its truth.
type attack struct {
	name     string
	seed     uint64
	dir      string
	origin   geo.Point
	lasts    float64 // seconds
	objects  int
	of       func(object int) (class.Class, bool) // what it is, and whether it is hostile
	where    func(object int, t float64) (geo.Point, bool)
	passages []passage
}

// passage is one object over one zone, or down in it.
type passage struct {
	object, zone int
	enter, leave float64
}

func draw(t *testing.T, generator string, seed uint64, country string, zones *zone.Set) (attack, bool) {
	t.Helper()
	if generator == "plain" {
		return drawPlain(t, seed, country, zones), true
	}
	r, err := raid.Draw(seed, country, zones)
	if errors.Is(err, raid.ErrNoRaid) {
		return attack{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	w := attack{name: r.Name, seed: seed, dir: t.TempDir(), lasts: r.Lasts.Seconds(), objects: len(r.Objects)}
	if w.origin, err = r.Folder(w.dir); err != nil {
		t.Fatal(err)
	}
	w.of = func(i int) (class.Class, bool) { return r.Objects[i].Class, r.Objects[i].Role.Hostile() }
	w.where = func(i int, at float64) (geo.Point, bool) {
		p, ok := r.Objects[i].Position(tracking.Moment(at).Sub(tracking.Moment(0)))
		return p.Point, ok
	}
	for _, p := range r.Truth().Passages {
		w.passages = append(w.passages, passage{p.Object, p.Zone, p.Enter.Seconds(), p.Leave.Seconds()})
	}
	return w, true
}

func sharedZones(t *testing.T, names []string) *zone.Set {
	t.Helper()
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	var files []zone.File
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(root, "data/zones", name))
		if err != nil {
			t.Skipf("zones: %v", err)
		}
		files = append(files, zone.File{Name: name, Data: b})
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	if report.Bad() {
		t.Fatal("the shared zones have defects")
	}
	return set
}

var leads = [2]float64{120, 600}

const benchEvery = 20.0 // seconds

// of nothing that flies, and of what flies and is no threat, beside the classes.
const (
	ofNothing = int(class.Count) + iota
	ofOurs
	kindCount
)

func kindWord(k int) string {
	switch k {
	case ofNothing:
		return "false"
	case ofOurs:
		return "no threat"
	default:
		return class.Class(k).String()
	}
}

// tally is Brier's score of one lead, and the reliability diagram.
type tally struct {
	square, base          float64
	hits, cases           float64 // of the raid at hand
	unsaid                float64 // happened, and nothing was said of the zone
	said, happened, count [10]float64
}

func (f *tally) enter(p, y float64) {
	f.square += (p - y) * (p - y)
	f.hits += y
	if p > threat.Negligible {
		b := min(int(p*10), 9)
		f.said[b] += p
		f.happened[b] += y
		f.count[b]++
	}
}

// close ends a raid: its own mean rate, said in every case, has this error.
func (f *tally) close() {
	if f.cases > 0 {
		f.base += f.hits * (1 - f.hits/f.cases)
	}
	f.hits, f.cases = 0, 0
}

func (f *tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "skill %.2f (%.0f of %.0f, %.0f unsaid)", 1-f.square/f.base, f.square, f.base, f.unsaid)
	for i, n := range f.count {
		if n > 0 {
			fmt.Fprintf(&b, " %.2f/%.2f(%.0f)", f.said[i]/n, f.happened[i]/n, n)
		}
	}
	return b.String()
}

type times struct{ inside, early, late, near, soon float64 }

func (f *times) String() string {
	n := f.inside + f.early + f.late
	return fmt.Sprintf("arrivals inside %.2f early %.2f late %.2f of %.0f; within 20 s of likely at 2 min %.2f of %.0f", f.inside/n, f.early/n, f.late/n, n, f.near/f.soon, f.soon)
}

func (f *times) enter(a threat.Arrival, actual, at float64) {
	e, l, z := tracking.Seconds(a.Earliest), tracking.Seconds(a.Likely), tracking.Seconds(a.Latest)
	switch {
	case actual < e-0.5:
		f.early++
	case actual > z+0.5:
		f.late++
	default:
		f.inside++
	}
	if lead := actual - at; lead > 100 && lead <= 140 {
		f.soon++
		if math.Abs(actual-l) <= 20 {
			f.near++
		}
	}
}

// figures are what the forecasts of many raids came to.
type figures struct {
	whole   [len(leads)]tally
	classes [kindCount][len(leads)]tally
	arrive  [kindCount]times
	blamed  []blamed
}

type blamed struct {
	cost float64
	text string
}

func newFigures() *figures { return &figures{} }

func (f *figures) line() string {
	return fmt.Sprintf("2min skill %.2f, 10min %.2f", 1-f.whole[0].square/f.whole[0].base, 1-f.whole[1].square/f.whole[1].base)
}

func (f *figures) String() string {
	var b strings.Builder
	var all times
	for k, lead := range leads {
		fmt.Fprintf(&b, "\n  %2.0f min %s", lead/60, &f.whole[k])
	}
	for c := range kindCount {
		a := f.arrive[c]
		all.inside, all.early, all.late, all.near, all.soon = all.inside+a.inside, all.early+a.early, all.late+a.late, all.near+a.near, all.soon+a.soon
	}
	fmt.Fprintf(&b, "\n  %s", &all)
	for c := range kindCount {
		if f.classes[c][1].square == 0 {
			continue
		}
		for k, lead := range leads {
			fmt.Fprintf(&b, "\n    %s %.0f min %s", kindWord(c), lead/60, &f.classes[c][k])
		}
		if f.arrive[c].soon > 0 {
			fmt.Fprintf(&b, "\n      %s", &f.arrive[c])
		}
	}
	return b.String()
}

// share is the part of an arrival's probability before a moment: a line through its
// quantiles, and on beyond them.
func share(a threat.Arrival, until float64) float64 {
	if !a.Known() {
		return 1
	}
	x := until - tracking.Seconds(a.Likely)
	side := a.Latest.Sub(a.Likely).Seconds()
	if x < 0 {
		side = a.Likely.Sub(a.Earliest).Seconds()
	}
	if side <= 0 {
		if x < 0 {
			return 0
		}
		return 1
	}
	return min(max(0.5+0.45*x/side, 0), 1)
}

// judge scores one raid over the zones of the regions that it touches.
func judge(t *testing.T, w attack, zones *zone.Set, to ...*figures) {
	t.Helper()
	regions := map[zone.ID]bool{}
	for _, p := range w.passages {
		regions[zones.Region(zones.ByIndex(p.zone).ID)] = true
	}
	j := judgement{w: w, zones: zones, to: to, touched: map[int]bool{}}
	for i := range zones.Len() {
		if regions[zones.Region(zones.ByIndex(i).ID)] {
			j.touched[i] = true
		}
	}
	play, err := tracking.NewPlay(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(Job{Scenario: w.dir, Origin: w.origin, Zones: zones, Policy: warning.DefaultPolicy()}, play, nil)
	for at := 0.0; at+leads[0] <= w.lasts; at += benchEvery {
		if err := r.feed(at, func(time.Time, []track.Change) {}); err != nil {
			t.Fatal(err)
		}
		j.moment(r, at)
	}
	for _, f := range to {
		for k := range leads {
			f.whole[k].close()
			for c := range kindCount {
				f.classes[c][k].close()
			}
		}
	}
}

// judgement is one raid while it is scored.
type judgement struct {
	w       attack
	zones   *zone.Set
	to      []*figures
	touched map[int]bool
}

type pair struct{ object, zone int }

// nearest is the object that a track is of, within 3 km; -1: none.
func (j *judgement) nearest(tr *track.Track, at float64) int {
	here := tr.State.Position.Position().Point
	best, object := 3000.0, -1
	for i := range j.w.objects {
		p, ok := j.w.where(i, at)
		if !ok {
			p, ok = j.w.where(i, at-15) // it has just come down
		}
		if ok {
			if d := float64(geo.Distance(here, p)); d < best {
				best, object = d, i
			}
		}
	}
	return object
}

func (j *judgement) kind(object int) int {
	if object < 0 {
		return ofNothing
	}
	c, hostile := j.w.of(object)
	if !hostile {
		return ofOurs
	}
	return int(c)
}

func (j *judgement) moment(r *run, at float64) {
	var happens [len(leads)]map[pair]bool
	first := map[pair]float64{}
	for k, lead := range leads {
		happens[k] = map[pair]bool{}
		for _, p := range j.w.passages {
			if p.enter <= at+lead && p.leave >= at {
				happens[k][pair{p.object, p.zone}] = true
			}
		}
	}
	for _, p := range j.w.passages {
		id := pair{p.object, p.zone}
		if p.enter > at && p.enter <= at+leads[1] && (first[id] == 0 || p.enter < first[id]) {
			first[id] = p.enter
		}
	}
	var none [len(leads)]map[pair]float64
	for k := range none {
		none[k] = map[pair]float64{}
	}
	tracked := map[int]bool{}
	timed := map[pair]threat.Reach{}
	for _, tr := range r.play.Picture().Tracks(tracking.Moment(at)) {
		f := r.predict(tr)
		laid := r.ground.track(tr)
		object := j.nearest(&laid, at)
		tracked[object] = true
		var cost [len(leads)]float64
		for _, reach := range f.Reaches {
			z, _ := j.zones.Index(reach.Zone)
			if !j.touched[z] {
				continue
			}
			id := pair{object, z}
			p := reach.P * f.Existence
			if old, ok := timed[id]; !ok || reach.P > old.P {
				timed[id] = reach
			}
			for k, lead := range leads {
				q := p * share(reach.Arrival, at+lead)
				y := 0.0
				if happens[k][id] {
					y = 1
				}
				cost[k] += (q - y) * (q - y)
				if old, ok := none[k][id]; ok {
					none[k][id] = old * (1 - q)
				} else {
					none[k][id] = 1 - q
				}
			}
		}
		if *blame > 0 {
			j.to[0].blamed = append(j.to[0].blamed, blamed{cost[0], fmt.Sprintf("seed %d %s t %.0f track %s object %d %s: unseen %.0f updates %d e %.2f, height %.0f v %.0f up %.0f, %s, modes %.2f; 10 min %.1f",
				j.w.seed, j.w.name, at, tr.ID, object, kindWord(j.kind(object)), tr.At.Sub(tr.SeenAt).Seconds(), tr.Updates, f.Existence,
				float64(laid.State.Position.Position().Height), speedOf(&laid), climbOf(&laid), mixText(tr.Class), tr.Modes, cost[1])})
		}
	}
	for id, a := range first {
		if reach, ok := timed[id]; ok && reach.P > 0.02 {
			for _, f := range j.to {
				f.arrive[j.kind(id.object)].enter(reach.Arrival, a, at)
			}
		}
	}
	for k, lead := range leads {
		if at+lead <= j.w.lasts {
			j.score(k, happens[k], none[k], tracked)
		}
	}
}

// score enters one moment and lead: per object and zone, and per zone.
func (j *judgement) score(k int, happens map[pair]bool, none map[pair]float64, tracked map[int]bool) {
	zone, reached := map[int]float64{}, map[int]bool{}
	for _, id := range orderedPairs(none) {
		if _, ok := zone[id.zone]; !ok {
			zone[id.zone] = 1
		}
		zone[id.zone] *= none[id]
		j.enter(k, j.kind(id.object), 1-none[id], happens[id])
	}
	for id := range happens {
		if !j.touched[id.zone] {
			continue
		}
		reached[id.zone] = true
		if _, said := none[id]; !said && tracked[id.object] {
			j.enter(k, j.kind(id.object), 0, true)
		}
	}
	for z := range reached {
		if _, said := zone[z]; !said {
			j.enter(k, -1, 0, true)
			for _, f := range j.to {
				f.whole[k].unsaid++
			}
		}
	}
	for z := range j.zones.Len() {
		if none, said := zone[z]; said {
			j.enter(k, -1, 1-none, reached[z])
		}
	}
	for _, f := range j.to {
		f.whole[k].cases += float64(len(j.touched))
		for object := range tracked {
			f.classes[j.kind(object)][k].cases += float64(len(j.touched))
		}
	}
}

// enter counts a case of a kind; -1 is the whole.
func (j *judgement) enter(k, kind int, p float64, happened bool) {
	y := 0.0
	if happened {
		y = 1
	}
	for _, f := range j.to {
		if kind < 0 {
			f.whole[k].enter(p, y)
			continue
		}
		f.classes[kind][k].enter(p, y)
	}
}

func orderedPairs(m map[pair]float64) []pair {
	keys := make([]pair, 0, len(m))
	for id := range m {
		keys = append(keys, id)
	}
	slices.SortFunc(keys, func(a, b pair) int {
		if a.zone != b.zone {
			return a.zone - b.zone
		}
		return a.object - b.object
	})
	return keys
}

func speedOf(tr *track.Track) float64 {
	v := tr.State.Velocity
	return math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
}

func climbOf(tr *track.Track) float64 {
	return geo.NewENU(tr.State.Position.Position()).ToVelocity(tr.State.Velocity)[2]
}

func mixText(m class.Mix) string {
	var b strings.Builder
	for _, c := range class.All() {
		if m[c] >= 0.01 {
			fmt.Fprintf(&b, "%s %.2f ", c, m[c])
		}
	}
	return strings.TrimSpace(b.String())
}
