package warning

import (
	"math"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/core/zone"
)

// dust is the probability below which one track does not count towards a zone. Forecasts
// are calibrated to a few hundredths: without a floor a hundred tracks that each almost
// certainly pass elsewhere would add up to a warning.
const dust = 0.01

// reportKind is the kind of source whose words are a citizen's (observation.Source.Kind).
// They can have a zone prepared, but never sheltered, and they are never evidence that a
// danger is over.
const reportKind = "report"

// presses is the part of what starts a stage from which on one track is weighed at once.
const presses = 0.5

// maxStale is how long a track may go unseen and still be evidence of where it is, where
// the picture does not itself say that it coasts.
const maxStale = time.Minute

// subject is one track as the book sees it.
type subject struct {
	id       threat.TrackID
	f        threat.Forecast
	mix      class.Mix   // what the policy takes it for; sums to one
	class    class.Class // the likeliest of mix, changing only when another is clearly likelier
	starts   [2]float64  // per stage: what a probability of one scores, see alone
	keeps    [2]float64  // the same in units of the clear level, see stillOf
	threat   bool        // it counts: confirmed, and not shown to be friendly
	crowd    bool        // nothing but citizens' reports or a launch cue contribute
	let      bool        // a person said that it is real, though it is young
	spared   *respect    // a person cancelled all there was of it
	reaches  []*place    // where it has a part, ascending
	causeOf  []*place    // where it is a cause, ascending
	home     *episode    // the warning that takes its zones in this step
	homeStep time.Time   // and which step that was
}

// part is what one track adds to one zone's danger.
type part struct {
	s       *subject
	p       float64 // that it is reached, if the object exists
	lots    uint64  // in which of its futures, see threat.Reach
	arrival threat.Arrival
	waits   bool // beyond what a young track may warn by itself
}

// weight is the probability that the object is there and reaches the zone.
func (x part) weight() float64 { return x.p * x.s.f.Existence }

// respect is a person's end that holds against the same track, up to a stage.
type respect struct {
	track threat.TrackID
	stage Stage
	until time.Time
}

// take enters one forecast.
func (b *Book) take(f threat.Forecast) {
	s := b.tracks[f.Track]
	unheard := s == nil && f.Status == threat.Ended && len(b.orphans[f.Track]) == 0
	if f.Status == threat.Tentative || unheard {
		return
	}
	if s == nil {
		full := len(b.tracks) >= maxTracks
		b.raise("tracks-shed", "", full, "more tracks than are followed: the newest are not heard", 0)
		if full {
			return
		}
		s = &subject{id: f.Track, causeOf: b.orphans[f.Track]}
		delete(b.orphans, f.Track)
		b.tracks[f.Track] = s
	}
	f.Existence = probability(f.Existence)
	f.SeenAt = b.near(f.SeenAt)
	reaches := f.Reaches
	f.Reaches = nil // kept by place
	f.Evidence = cutEvidence(f.Evidence)
	s.f = f
	b.judgeTrack(s)
	if f.Status == threat.Ended {
		reaches = nil
	}
	b.spread(s, reaches)
	for _, p := range s.causeOf {
		b.mark(p)
	}
	if f.Status != threat.Ended {
		return
	}
	if f.Reason == threat.Merged {
		b.handOver(s, f.Into)
	}
	if len(s.causeOf) == 0 {
		delete(b.tracks, s.id)
	}
}

// judgeTrack decides what a track counts as (rules.md, "Which track is a threat").
func (b *Book) judgeTrack(s *subject) {
	f := s.f
	s.mix = f.Class.Normal()
	if !s.mix.Said() {
		s.mix = class.Of(class.Unknown)
	}
	s.threat = f.Status == threat.Confirmed || f.Status == threat.Coasting
	switch f.Standing {
	case threat.Friend, threat.Neutral:
		s.threat = false
	case threat.Unstated:
		u := b.policy.Unidentified
		s.threat = s.threat && !u.Ignore
		if u.Fixed {
			s.mix = class.Of(u.As)
		}
	}
	for stage := range s.starts {
		s.starts[stage] = 0
		for c, m := range s.mix {
			s.starts[stage] += m / b.policy.Rules[c][stage].Probability
		}
		s.keeps[stage] = b.keeps(s.mix, Stage(stage+1))
	}
	s.crowd = len(f.Kinds) > 0 && !slices.ContainsFunc(f.Kinds, func(k string) bool { return k != reportKind && k != threat.CueKind })
	// A class that two sources argue about must not change the words on every phone with
	// each plot: another one must be half as likely again.
	if best := s.mix.Best(); s.f.Updates <= 1 || s.mix[best] > 1.5*s.mix[s.class] {
		s.class = best
	}
}

// keeps is what a probability of one, of what may be any of a mix, is in units of the clear level.
func (b *Book) keeps(mix class.Mix, stage Stage) (sum float64) {
	for c, m := range mix {
		r := b.policy.Rules[c][stage-1]
		sum += m / (r.Probability * r.Clear)
	}
	return sum
}

// spread replaces a track's parts in the zones by those of its newest forecast.
func (b *Book) spread(s *subject, reaches []threat.Reach) {
	old := s.reaches
	s.reaches = nil
	for _, r := range reaches {
		p := probability(r.P)
		if p < dust {
			continue
		}
		id, ok := b.known(r.Zone)
		if !ok {
			continue
		}
		at := b.place(id)
		x := part{s: s, p: p, lots: r.Lots, arrival: b.arrival(r.Arrival)}
		at.put(x)
		at.pressing = at.pressing || b.alone(x, Prepare) >= presses
		s.reaches = append(s.reaches, at)
		b.mark(at)
	}
	slices.SortFunc(s.reaches, byZone)
	s.reaches = slices.Compact(s.reaches)
	for _, p := range old {
		if _, still := slices.BinarySearchFunc(s.reaches, p, byZone); !still {
			p.drop(s.id)
			b.mark(p)
		}
	}
	b.bound(s)
}

// known returns the zone to warn for the one a forecast names. Forecast and book have the
// same set, but for the moment in which it changes; then the place goes by what the new
// set knows of the id.
func (b *Book) known(id zone.ID) (zone.ID, bool) {
	if _, ok := b.zones.Index(id); ok {
		return id, true
	}
	if to, coarser, ok := b.zones.Resolve(id); ok && !coarser {
		return to, true
	}
	b.raise("zone-unknown", string(id), true, "a forecast names it, the zone set does not", 0)
	return "", false
}

// handOver makes another track the cause wherever one was: they were the same object.
func (b *Book) handOver(s *subject, into threat.TrackID) {
	if into == "" || into == s.id {
		return
	}
	heir := b.tracks[into]
	for _, p := range s.causeOf {
		m := p.auto
		if m == nil {
			continue
		}
		i := m.cause(s.id)
		if i < 0 {
			continue
		}
		if m.cause(into) >= 0 {
			m.causes = slices.Delete(m.causes, i, i+1)
		} else {
			m.causes[i].track = into
			if heir != nil {
				heir.causeOf = with(heir.causeOf, p)
			} else {
				b.orphans[into] = with(b.orphans[into], p)
			}
		}
		b.nameCauses(m)
		b.mark(p)
	}
	s.causeOf = nil
}

// alive reports whether the track is seen now, so that where it is can be evidence.
func (s *subject) alive(now time.Time) bool {
	return s.f.Status == threat.Confirmed && !s.crowd && now.Sub(s.f.SeenAt) <= maxStale
}

// probability brings a figure into 0 to 1. What is not a number says nothing.
func probability(p float64) float64 {
	if math.IsNaN(p) {
		return 0
	}
	return min(max(p, 0), 1)
}

// far is how far from now a time of a forecast may be and still be meant.
const far = 24 * time.Hour

// near brings a time of the past to what can be written down: not after now, not long ago.
func (b *Book) near(t time.Time) time.Time {
	return earliest(latest(stamp(t), b.now.Add(-far)), b.now)
}

// arrival brings an arrival into order; one that is a day off is not known.
func (b *Book) arrival(a threat.Arrival) threat.Arrival {
	if !a.Known() || a.Earliest.Sub(b.now).Abs() > far || a.Latest.Sub(b.now) > far {
		return threat.Arrival{}
	}
	a.Earliest, a.Likely, a.Latest = stamp(a.Earliest), stamp(a.Likely), stamp(a.Latest)
	a.Likely = latest(a.Likely, a.Earliest)
	a.Latest = latest(a.Latest, a.Likely)
	if a.Latest.Sub(b.now) > far {
		return threat.Arrival{}
	}
	return a
}

func cutEvidence(lines []string) []string {
	if len(lines) > maxEvidence {
		lines = lines[len(lines)-maxEvidence:]
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = clip(l, maxLine)
	}
	return out
}
