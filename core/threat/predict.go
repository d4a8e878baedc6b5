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
// P is the probability that the object passes over or hits the zone within the horizon,
// if it exists. A track that has ended reaches nothing.
func Predict(tr track.Track, zones *zone.Set, models Models, seed uint64) Forecast {
	models = models.filled()
	f := Forecast{
		Track: tr.ID, Revision: tr.Revision, At: tr.At, SeenAt: tr.SeenAt,
		Class: tr.Class, Existence: tr.Existence, Status: tr.Status, Reason: tr.Reason, Into: tr.Into,
		Updates: tr.Updates, Standing: tr.Identity.Standing,
		Kinds: kinds(tr.Sources), Evidence: evidence(tr),
	}
	f.Sensors = len(f.Kinds)
	if tr.Status == track.Ended || zones == nil || zones.Len() == 0 || !sane(&tr.State) {
		return f
	}
	e := newEnsemble(&tr, models.over(zones), models, seed)
	e.play()
	f.Horizon = e.horizon
	f.Reaches = e.reaches(zones, tr.At)
	return f
}

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
func evidence(tr track.Track) []string {
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

// ensemble is the futures of one track and what they have reached.
type ensemble struct {
	models  Models
	ground  *Ground
	origin  geo.Position
	frame   geo.ENU
	height  float64
	mean    [6]float64 // position (relative to origin) and velocity, east, north, up
	root    [6][6]float64
	mix     class.Mix
	turning float64
	climbs  float64 // weight of what is not free fall, for a body that may still burn
	horizon time.Duration
	seq     sequence
	visits  []visit
	seen    []int32 // per set of zones: the last future that was counted there
	entered []int32 // per zone: the same
	future  int32   // from 1
	weight  float64
}

// visit is one future in one zone for the first time.
type visit struct {
	zone   int32
	after  float32 // seconds
	weight float32
}

func newEnsemble(tr *track.Track, ground *Ground, models Models, seed uint64) *ensemble {
	e := &ensemble{models: models, ground: ground, mix: tr.Class.Normal(), seq: newSequence(seed)}
	if !e.mix.Said() {
		e.mix = class.Of(class.Unknown)
	}
	e.origin = tr.State.Position.Position()
	e.height = float64(e.origin.Height)
	e.frame = geo.NewENU(e.origin)
	v := e.frame.ToVelocity(tr.State.Velocity)
	copy(e.mean[3:], v[:])
	r := e.frame.Rotation()
	cov := turned(&r, &tr.State.Covariance)
	e.root = cholesky(&cov)
	e.turning = min(max(tr.Modes.Manoeuvre, 0), 1)
	e.climbs = min(max(1-tr.Modes.Ballistic, 0), 1)
	e.seen, e.entered = make([]int32, len(ground.sets)), make([]int32, ground.zones)
	e.visits = make([]visit, 0, 8*models.Futures)
	return e
}

// play divides the futures among the classes by their weight, each at least a few.
func (e *ensemble) play() {
	for _, c := range class.All() {
		p := e.mix[c]
		if p < 0.02 {
			continue
		}
		n := max(int(math.Round(p*float64(e.models.Futures))), 24)
		e.weight = p / float64(n)
		h := &e.models.habits[c]
		if h.Falls {
			e.fall(h, n)
			continue
		}
		e.horizon = max(e.horizon, h.Horizon)
		for range n {
			e.future++
			e.fly(h)
		}
	}
}

// reached counts a future over a cell's zones, each zone once.
func (e *ensemble) reached(set int32, after float64) {
	if set == 0 || e.seen[set] == e.future {
		return
	}
	e.seen[set] = e.future
	for _, z := range e.ground.sets[set] {
		if e.entered[z] != e.future {
			e.entered[z] = e.future
			e.visits = append(e.visits, visit{zone: z, after: float32(after), weight: float32(e.weight)})
		}
	}
}

// reaches turns the visits into one Reach per zone, in ascending order of zone.
func (e *ensemble) reaches(zones *zone.Set, at time.Time) []Reach {
	byZone := make([]int32, len(e.entered)+1) // where each zone's visits begin
	for _, v := range e.visits {
		byZone[v.zone+1]++
	}
	for i := 1; i < len(byZone); i++ {
		byZone[i] += byZone[i-1]
	}
	fill := slices.Clone(byZone)
	sorted := make([]visit, len(e.visits))
	for _, v := range e.visits {
		sorted[fill[v.zone]] = v
		fill[v.zone]++
	}
	var out []Reach
	for z := range len(e.entered) {
		of := sorted[byZone[z]:byZone[z+1]]
		p := 0.0
		for _, v := range of {
			p += float64(v.weight)
		}
		if p >= Negligible {
			out = append(out, Reach{Zone: zones.ByIndex(z).ID, P: math.Min(p, 1), Arrival: arrival(of, p, at)})
		}
	}
	return out
}

// arrival is the quantiles of visits whose weights sum to p, from a histogram.
func arrival(of []visit, p float64, at time.Time) Arrival {
	const bins = 64
	first, last := of[0].after, of[0].after
	for _, v := range of {
		first, last = min(first, v.after), max(last, v.after)
	}
	width := float64(last-first) / bins
	var count [bins]float64
	for _, v := range of {
		k := 0
		if width > 0 {
			k = min(int(float64(v.after-first)/width), bins-1)
		}
		count[k] += float64(v.weight)
	}
	var out [3]time.Time
	k, sum := 0, 0.0
	for i, q := range [3]float64{0.05, 0.5, 0.95} {
		for k < bins-1 && sum+count[k] < q*p {
			sum += count[k]
			k++
		}
		share := 0.0
		if count[k] > 0 {
			share = min(max((q*p-sum)/count[k], 0), 1)
		}
		out[i] = moment(at, float64(first)+(float64(k)+share)*width)
	}
	return Arrival{Earliest: out[0], Likely: out[1], Latest: out[2]}
}

func moment(at time.Time, seconds float64) time.Time {
	return at.Add(time.Duration(seconds * float64(time.Second))).Round(time.Millisecond)
}
