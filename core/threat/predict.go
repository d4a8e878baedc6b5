package threat

import (
	"math"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// Predict forecasts which zones a track may reach, and when. It plays a fixed number of
// futures, spread evenly over what is not known (where and how fast the object really
// is, of which class, when it turns and where to), and counts. It is a pure function:
// the same arguments give the same forecast. seed shifts the futures; give the same for
// all revisions of a track, and its probabilities do not jitter from one to the next.
//
// P is the probability that the object reaches the zone within the horizon, if it exists;
// Habit says what reaching is. A track that has ended reaches nothing.
//
// Who forecasts often keeps a Forecaster, which does the same without making its
// workspace each time.
func Predict(tr track.Track, zones *zone.Set, models Models, salvo track.ID) Forecast {
	return NewForecaster(zones, models).Predict(&tr, salvo)
}

// Forecaster is the workspace of Predict for one zone set. Its results do not depend on
// what it was used for before. It belongs to one caller at a time; make one for each of
// several that work side by side, from Models that have the raster already (Models.On).
type Forecaster struct {
	zones  *zone.Set
	models Models
	e      ensemble
}

// NewForecaster makes a workspace.
func NewForecaster(zones *zone.Set, models Models) *Forecaster {
	f := &Forecaster{zones: zones, models: models.filled()}
	g := f.models.over(zones)
	f.e = ensemble{
		models: f.models, ground: g,
		seen: make([]uint32, len(g.sets)), tally: make([]tally, g.zones),
	}
	return f
}

// Predict is the package's Predict for the forecaster's zones.
func (p *Forecaster) Predict(tr *track.Track, salvo track.ID) Forecast {
	f := Forecast{
		Track: tr.ID, Revision: tr.Revision, At: tr.At, SeenAt: tr.SeenAt,
		Class: tr.Class, Existence: existence(tr), Status: tr.Status, Reason: tr.Reason, Into: tr.Into,
		Updates: tr.Updates, Standing: tr.Identity.Standing, Salvo: salvo,
		Kinds: kinds(tr.Sources), Evidence: evidence(tr),
	}
	f.Sensors = len(f.Kinds)
	if tr.Status == track.Ended || p.zones == nil || p.zones.Len() == 0 || !sane(&tr.State) {
		return f
	}
	e := &p.e
	e.begin(tr, salvo)
	e.play()
	f.Horizon = e.horizon
	f.Reaches = e.reaches(p.zones, tr.At)
	return f
}

// existence is the probability that the object of a track is there, and still flies. The
// track's own rests on what each source is registered to get wrong, which it exceeds: false
// plots come in crowds, so a young track is doubted; what is not seen where it was seen may
// be down, which a filter does not reckon with; and so may be what nobody could see for minutes.
func existence(tr *track.Track) float64 {
	p := min(max(tr.Existence, 0), 1)
	if tr.Status == track.Ended {
		return p
	}
	odds := mostOdds
	for _, y := range youngOdds {
		if tr.Updates <= y.updates {
			odds = y.odds
			break
		}
	}
	if len(tr.Sources) > 1 { // two that err alike at one place are rare
		odds = mostOdds
	}
	odds *= math.Pow(perMiss, float64(min(tr.Missed, mostMisses)))
	unseen := max(tr.At.Sub(tr.SeenAt).Seconds(), 0)
	return max(p*leastLeft, min(p, odds/(1+odds))*math.Exp(-unseen/lostIn))
}

// youngOdds are the odds, by how many observations a track rests on, that it is something,
// whatever the filter says; perMiss is what they lose with each look that does not see it.
// lostIn is in how many seconds unseen all but a third of them are down, or far from where
// they are thought to be: of drones below every horizon, in raids, 11 % after one minute, 38 after
// three, 70 after eight.
// leastLeft is what is left of what was believed: silence alone ends nothing.
var youngOdds = [...]struct {
	updates int
	odds    float64
}{{3, 4}, {5, 15}, {10, 60}}

const (
	mostOdds   = 300.0
	perMiss    = 0.55
	lostIn     = 450.0
	mostMisses = 64
	leastLeft  = 0.15
)

// sane reports whether a state can be computed with.
func sane(s *track.State) bool {
	sum := 0.0
	for i := range 6 {
		for j := range 6 {
			sum += math.Abs(s.Covariance[i][j])
		}
	}
	for i := range 3 {
		sum += math.Abs(s.Position[i]) + math.Abs(s.Velocity[i])
	}
	return sum < 1e18 && math.Hypot(s.Position[0], math.Hypot(s.Position[1], s.Position[2])) > 1e6
}

const (
	mostKinds    = 8
	mostEvidence = 8
	longestLine  = 120
)

func kinds(sources []track.Contribution) []string {
	var out []string
	for _, c := range sources {
		if !slices.Contains(out, c.Kind) && len(out) < mostKinds {
			out = append(out, c.Kind)
		}
	}
	slices.Sort(out)
	return out
}

// evidence is a line for each of the last observations.
func evidence(tr *track.Track) []string {
	recent := tr.Recent[max(0, len(tr.Recent)-mostEvidence):]
	out := make([]string, 0, len(recent))
	for _, o := range recent {
		line := o.ObservedAt.UTC().Format("15:04:05.000") + " " + o.Source + " " + word(o.Body)
		if o.Evidence != "" {
			line += " " + o.Evidence
		}
		if len(line) > longestLine {
			line = line[:longestLine]
		}
		out = append(out, line)
	}
	return out
}

func word(b observation.Body) string {
	switch b.(type) {
	case observation.Plot:
		return "plot"
	case observation.Fix:
		return "fix"
	case observation.SensorTrack:
		return "sensor track"
	case observation.Bearing:
		return "bearing"
	case observation.Presence:
		return "presence"
	case observation.Cooperative:
		return "own report"
	default:
		return "observation"
	}
}

// ensemble is the futures of one track and what they have reached. Its slices are kept
// from one track to the next; what is in them is told apart by the number of the future.
type ensemble struct {
	models Models
	ground *Ground

	origin  geo.Position
	height  float64
	mean    [6]float64 // metres east, north, up of the origin; metres per second
	root    [6][6]float64
	blind   bool // the height is not known
	foe     bool // shown to be hostile
	mix     class.Mix
	turning float64
	climbs  float64 // weight of what is not free fall, for a body that may still burn
	horizon time.Duration
	shift   [dimensions]float32
	common  [dimensions]float32 // shift with the route of the salvo
	where   lay

	visits  []visit
	sorted  []visit
	touched []int32
	seen    []uint32 // per set of several zones: the last future that was counted there
	tally   []tally  // per zone
	future  uint32   // never repeats until it wraps, when what is kept is wiped
	thrown  int      // points of the dice used up
	lot     uint64   // of the future that is played, see Reach.Lots
	weight  float64
}

// tally is what is kept of a zone: the last future that was counted there, and how many
// were of this track; zero between two tracks.
type tally struct {
	last  uint32
	count int32
}

// visit is one future in one zone for the first time.
type visit struct {
	lot    uint64
	zone   int32
	after  float32 // seconds
	weight float32
}

// blindHeight is the standard deviation, in metres, from which on a height is a guess.
const blindHeight = 3000

func (e *ensemble) begin(tr *track.Track, salvo track.ID) {
	e.mix = tr.Class.Normal()
	if !e.mix.Said() {
		e.mix = class.Of(class.Unknown)
	}
	e.origin = tr.State.Position.Position()
	e.height = float64(e.origin.Height)
	frame := geo.NewENU(e.origin)
	e.mean = [6]float64{}
	v := frame.ToVelocity(tr.State.Velocity)
	copy(e.mean[3:], v[:])
	r := frame.Rotation()
	cov := turned(&r, &tr.State.Covariance)
	e.blind = cov[2][2] > blindHeight*blindHeight
	e.foe = tr.Identity.Standing == observation.Foe
	e.root = cholesky(&cov)
	e.turning = min(max(tr.Modes.Manoeuvre, 0), 1)
	e.climbs = min(max(1-tr.Modes.Ballistic, 0), 1)
	e.horizon, e.thrown = 0, 0
	e.shift = shifts(seed(tr.ID))
	e.common = e.shift
	if salvo != "" {
		route := shifts(seed(salvo))
		copy(e.common[dSpeed:], route[dSpeed:])
	}
	e.where = newLay(e.ground, e.origin.Point)
	e.visits, e.touched = e.visits[:0], e.touched[:0]
	if e.future > math.MaxUint32-2*mostFutures {
		clear(e.seen)
		clear(e.tally)
		e.future = 0
	}
}

// least is the share below which a class gets no futures, and fewest how many a class
// gets at least.
const (
	least  = 0.02
	fewest = 16
)

// play divides the futures among the classes by their weight, each at least a few.
func (e *ensemble) play() {
	shares := e.shares()
	for _, c := range class.All() {
		p := shares[c]
		if p < least {
			continue
		}
		n := max(int(math.Round(p*float64(e.models.Futures))), fewest)
		h := &e.models.habits[c]
		e.weight = p * e.means(h) / float64(n)
		switch {
		case h.Falls && !e.blind:
			e.fall(h, n)
		case h.ends():
			e.glide(h, n)
		default:
			e.horizon = max(e.horizon, h.Horizon)
			for i := range n {
				e.fly(h, i)
			}
		}
	}
}

const (
	// strange is the part of what is of no known class that really moves like none.
	strange = 0.25
	// Faster than this, or up or down faster, nothing flies level for long; metres per second.
	notLevel, notLevelUp = 450.0, 90.0
)

// shares is the mix as futures are divided: what is not known is mostly one of what could
// be known, in their proportion; where they say nothing, motion tells what it can be.
func (e *ensemble) shares() class.Mix {
	mix := e.mix
	unknown := mix[class.Unknown]
	spread := 1 - strange
	if unknown > 0.98 {
		spread = 0
	}
	mix[class.Unknown] = unknown * (1 - spread)
	for c := range mix {
		if class.Class(c) != class.Unknown {
			mix[c] += e.mix[c] / math.Max(1-unknown, 1e-9) * unknown * spread
		}
	}
	flat := math.Hypot(e.mean[3], e.mean[4])
	if !e.blind && (math.Hypot(flat, e.mean[5]) > notLevel || math.Abs(e.mean[5]) > notLevelUp) {
		mix[class.Rocket] += 0.8 * mix[class.Unknown]
		mix[class.Unknown] *= 0.2
	}
	return mix
}

// means is the probability that what moves like this class, and is not shown to be
// anybody's, means harm to what it passes: the higher it flies over a place the less.
func (e *ensemble) means(h *Habit) float64 {
	if h.Harmless <= 0 || e.foe {
		return 1
	}
	if e.blind { // nothing says that it is high
		return 1 - h.Harmless*blindHarmless
	}
	low := 1 / (1 + math.Exp((e.height-harmlessFrom)/harmlessOver))
	return 1 - h.Harmless*(1-low/2)
}

// Where, in metres, aircraft begin to fly over places rather than to them, and what is
// left of that doubt where no height is known.
const (
	harmlessFrom, harmlessOver = 4500.0, 800.0
	blindHarmless              = 0.2
)

// throw begins a future and gives its point.
func (e *ensemble) throw() throw {
	e.future++
	n := e.thrown % mostFutures
	e.thrown++
	shift := &e.shift
	e.lot = 1 << (n >> 1 % Lots) // a future and the next, of which only one is played far ahead
	if n>>1&1 == 0 {
		shift = &e.common
	}
	return throw{dice: e.ground.dice, point: &e.ground.dice.points[n], shift: shift}
}

// reached counts a future over a set of zones, each zone once.
func (e *ensemble) reached(s set, after, weight float64) {
	switch {
	case s == 0:
	case int(s) <= len(e.tally):
		e.enter(int32(s)-1, after, weight)
	default:
		k := int(s) - len(e.tally) - 1
		if e.seen[k] == e.future {
			return
		}
		e.seen[k] = e.future
		for _, z := range e.ground.sets[k] {
			e.enter(z, after, weight)
		}
	}
}

func (e *ensemble) enter(z int32, after, weight float64) {
	t := &e.tally[z]
	if t.last == e.future {
		return
	}
	t.last = e.future
	if t.count == 0 {
		e.touched = append(e.touched, z)
	}
	t.count++
	e.visits = append(e.visits, visit{lot: e.lot, zone: z, after: float32(after), weight: float32(weight)})
}

// reaches sums up, in ascending order of zone id, which is that of zone indices.
func (e *ensemble) reaches(zones *zone.Set, at time.Time) []Reach {
	slices.Sort(e.touched)
	if cap(e.sorted) < len(e.visits) {
		e.sorted = make([]visit, len(e.visits), 2*len(e.visits))
	}
	e.sorted = e.sorted[:len(e.visits)]
	next := int32(0) // count becomes where each zone's visits end
	for _, z := range e.touched {
		n := e.tally[z].count
		e.tally[z].count = next
		next += n
	}
	for _, v := range e.visits {
		t := &e.tally[v.zone]
		e.sorted[t.count] = v
		t.count++
	}
	var out []Reach
	from := int32(0)
	for _, z := range e.touched {
		t := &e.tally[z]
		of := e.sorted[from:t.count]
		from, t.count = t.count, 0
		p, lots := 0.0, uint64(0)
		for _, v := range of {
			p += float64(v.weight)
			lots |= v.lot
		}
		if p >= Negligible {
			if out == nil {
				out = make([]Reach, 0, len(e.touched))
			}
			out = append(out, Reach{Zone: zones.ByIndex(int(z)).ID, P: math.Min(p, 1), Lots: lots, Arrival: arrival(of, p, at)})
		}
	}
	return out
}

// arrival is the quantiles of visits whose weights sum to p. It changes their order. A few
// visits say little about the first and the last, so the interval is wider the fewer they are.
func arrival(of []visit, p float64, at time.Time) Arrival {
	var q [3]float64
	if len(of) <= fewVisits {
		q = quantilesOfFew(of, p)
	} else {
		q = quantilesOfMany(of, p)
	}
	wider := padShare + padFew/math.Sqrt(float64(len(of)))
	q[0] = math.Max(q[0]*(1-math.Min(wider, 0.5))-padSeconds, 0)
	q[2] = q[2]*(1+wider) + padSeconds
	return Arrival{Earliest: moment(at, q[0]), Likely: moment(at, q[1]), Latest: moment(at, q[2])}
}

const (
	fewVisits = 24
	// By so much of the time left, and by so many seconds, the interval is wider than the
	// futures: what no future foresaw happens too.
	padShare, padFew, padSeconds = 0.02, 0.25, 1.0
)

var levels = [3]float64{0.05, 0.5, 0.95}

// quantilesOfFew sorts.
func quantilesOfFew(of []visit, p float64) (q [3]float64) {
	for i := 1; i < len(of); i++ {
		for j := i; j > 0 && of[j].after < of[j-1].after; j-- {
			of[j], of[j-1] = of[j-1], of[j]
		}
	}
	k, sum := 0, 0.0
	for i, level := range levels {
		for k < len(of)-1 && sum+float64(of[k].weight) < level*p {
			sum += float64(of[k].weight)
			k++
		}
		q[i] = float64(of[k].after)
	}
	return q
}

// quantilesOfMany makes a histogram.
func quantilesOfMany(of []visit, p float64) (q [3]float64) {
	const bins = 64
	first, last := of[0].after, of[0].after
	for _, v := range of {
		first, last = min(first, v.after), max(last, v.after)
	}
	width := float64(last-first) / bins
	var count [bins]float32
	scale := float32(0)
	if width > 0 {
		scale = float32(1 / width)
	}
	for _, v := range of {
		count[min(int((v.after-first)*scale), bins-1)] += v.weight
	}
	k, sum := 0, 0.0
	for i, level := range levels {
		for k < bins-1 && sum+float64(count[k]) < level*p {
			sum += float64(count[k])
			k++
		}
		share := 0.0
		if count[k] > 0 {
			share = min(max((level*p-sum)/float64(count[k]), 0), 1)
		}
		q[i] = float64(first) + (float64(k)+share)*width
	}
	return q
}

func moment(at time.Time, seconds float64) time.Time {
	return at.Add(time.Duration(seconds * float64(time.Second))).Round(time.Millisecond)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
