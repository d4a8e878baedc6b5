package scorecard

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/raid"
)

// play is one raid run through the core under the first policy, while a book for each
// further policy decides on the same forecasts.
type play struct {
	raid     *raid.Raid
	truth    raid.Truth
	ground   *ground
	core     *pipeline.Pipeline
	policies []Policy
	books    []*warning.Book // of the policies after the first
	logs     []*stagelog     // one a policy
	tracks   map[track.ID]*seenTrack
	facts    facts
	verify   verification
}

// seenTrack is a track as it was last told, with its forecast.
type seenTrack struct {
	track    track.Track
	forecast threat.Forecast
	object   int // what it really is: in Raid.Objects, -1 for nothing
	at       time.Duration
}

// facts are what the raid itself allowed, by object or by passage.
type facts struct {
	plots   [][3]time.Duration // when the first three plots of an object came; never where there was none
	tracked []time.Duration    // when a confirmed track of the object was first there
	best    []float64          // per passage: the greatest probability said of it before it came
}

// never is later than any raid.
const never = 1000 * time.Hour

// step is the time between two moments at which forecasts are verified.
const step = 30 * time.Second

func newPlay(r *raid.Raid, g *ground, policies []Policy) *play {
	p := &play{raid: r, ground: g, truth: r.Truth(), policies: policies, tracks: map[track.ID]*seenTrack{}}
	p.core = pipeline.New(pipeline.Config{
		Alert: alert.Config{
			Universe: alert.Exercise, Sender: "exercise@tocsin.example", Languages: []string{"en"}, Location: time.UTC,
		},
		Zones: r.Zones, Policy: policies[0].Policy, Sources: r.Sources(), TrackPrefix: "A",
	})
	for i, policy := range policies {
		p.logs = append(p.logs, newStagelog(r.Zones))
		if i > 0 {
			p.books = append(p.books, warning.NewBook(r.Zones, policy.Policy, warning.Options{}))
		}
	}
	p.facts = facts{
		plots:   make([][3]time.Duration, len(r.Objects)),
		tracked: make([]time.Duration, len(r.Objects)),
		best:    make([]float64, len(p.truth.Passages)),
	}
	for i := range r.Objects {
		p.facts.plots[i], p.facts.tracked[i] = [3]time.Duration{never, never, never}, never
	}
	p.verify = newVerification(p)
	return p
}

// run plays the raid to its end.
func (p *play) run() {
	p.feed(0, pipeline.Restored{})
	next := step
	for _, l := range p.raid.Looks() {
		for ; next < l.SentAt; next += step {
			p.wait(next)
			p.verify.moment(p, next)
		}
		p.wait(l.SentAt)
		p.sight(l)
		in := pipeline.Observed{Observation: l.Observations[0], More: l.Observations[1:]}
		p.feed(l.SentAt, in)
	}
	for ; next <= p.raid.Lasts; next += step {
		p.wait(next)
		p.verify.moment(p, next)
	}
	p.wait(p.raid.Lasts)
	for _, l := range p.logs {
		l.close(p.raid.Lasts)
	}
}

// wait steps the core, and each book, whenever they asked to be until then.
func (p *play) wait(until time.Duration) {
	last := time.Duration(-1)
	for {
		due, ok := p.core.Next()
		at := max(due.Sub(raid.Start), last+time.Millisecond)
		if !ok || at >= until {
			break
		}
		last = at
		p.feed(at, pipeline.Ticked{})
	}
	for i := range p.books {
		p.remind(i, until)
	}
}

// remind weighs a book whenever it asked to be until then.
func (p *play) remind(i int, until time.Duration) {
	last := time.Duration(-1)
	for {
		due, ok := p.books[i].Next()
		at := max(due.Sub(raid.Start), last+time.Millisecond)
		if !ok || at >= until {
			return
		}
		last = at
		p.decide(i, at, nil)
	}
}

func (p *play) decide(i int, at time.Duration, forecasts []threat.Forecast) {
	for _, c := range p.books[i].Weigh(raid.Start.Add(at), forecasts, p.core.Coverage(), nil) {
		p.logs[i+1].take(at, c.Warning)
	}
}

// feed steps the core with one input and takes down what changed.
func (p *play) feed(at time.Duration, in pipeline.Input) {
	for i := range p.books {
		p.remind(i, at)
	}
	forecasts := p.take(at, p.core.Step(raid.Start.Add(at), in))
	for i := range p.books {
		p.decide(i, at, forecasts)
	}
}

// take takes down what changed in a step, and returns the forecasts. They follow all tracks
// of a step, and may come in a later one than the track they are of.
func (p *play) take(at time.Duration, changes []pipeline.Change) (forecasts []threat.Forecast) {
	for _, c := range changes {
		switch c := c.(type) {
		case pipeline.TrackConfirmed:
			p.follow(at, c.Track)
		case pipeline.TrackUpdated:
			p.follow(at, c.Track)
		case pipeline.TrackEnded:
			delete(p.tracks, c.Track.ID)
		case pipeline.Forecast:
			forecasts = append(forecasts, c.Forecast)
			p.foresee(at, c.Forecast)
		case pipeline.WarningChanged:
			if !c.ArrivalOnly {
				p.logs[0].take(at, c.Warning)
			}
		}
	}
	return forecasts
}

// sight takes down when the first plots of each object came.
func (p *play) sight(l raid.Look) {
	if l.Source == raid.Cues {
		return
	}
	for _, o := range l.Objects {
		if o < 0 {
			continue
		}
		for k := range p.facts.plots[o] {
			if p.facts.plots[o][k] == never {
				p.facts.plots[o][k] = l.SentAt
				break
			}
		}
	}
}

// follow keeps a track as it was last told, and finds out what it really is.
func (p *play) follow(at time.Duration, tr track.Track) {
	s := p.tracks[tr.ID]
	if s == nil {
		s = &seenTrack{at: -never}
		p.tracks[tr.ID] = s
	}
	s.track = tr
	if at-s.at >= 5*time.Second {
		s.object, s.at = p.identify(tr), at
	}
	if s.object >= 0 {
		p.facts.tracked[s.object] = min(p.facts.tracked[s.object], at)
	}
}

// foresee keeps a track's newest forecast.
func (p *play) foresee(at time.Duration, f threat.Forecast) {
	s := p.tracks[f.Track]
	if s == nil { // of a track that ended, or of a launch cue
		return
	}
	s.forecast = f
	if s.object >= 0 && counts(f.Standing) {
		p.foretold(at, s)
	}
}

// counts reports whether a track of this standing is a threat at all.
func counts(a observation.Allegiance) bool {
	return a != observation.Friend && a != observation.Neutral
}

// foretold keeps what was said of passages that are still to come.
func (p *play) foretold(at time.Duration, s *seenTrack) {
	for i, pass := range p.truth.Passages {
		if pass.Object != s.object || pass.Enter < at {
			continue
		}
		if q := probability(&s.forecast, p.raid.Zones.ByIndex(pass.Zone).ID); q > p.facts.best[i] {
			p.facts.best[i] = q
		}
	}
}

// probability is what a forecast says of a zone, the track's existence included.
func probability(f *threat.Forecast, id zone.ID) float64 {
	r, _ := reachOf(f, id)
	return r.P * f.Existence
}

func reachOf(f *threat.Forecast, id zone.ID) (threat.Reach, bool) {
	i, ok := slices.BinarySearchFunc(f.Reaches, id, func(r threat.Reach, id zone.ID) int { return cmp.Compare(r.Zone, id) })
	if !ok {
		return threat.Reach{}, false
	}
	return f.Reaches[i], true
}

// identify is the object nearest to a track at the track's own time, within 3 km; -1 where
// there is none.
func (p *play) identify(tr track.Track) int {
	at := tr.At.Sub(raid.Start)
	here := tr.State.Position
	best, nearest := -1, 3000.0
	for i := range p.raid.Objects {
		q, ok := p.raid.Objects[i].Where(at)
		if !ok {
			continue
		}
		if d := apart(here, q); d < nearest {
			best, nearest = i, d
		}
	}
	return best
}

func apart(a, b geo.ECEF) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}
