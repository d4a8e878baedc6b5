package pipeline

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"tocsin/core/observation"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// cues are the launches that were reported and of which nothing has been seen yet. Each is
// a forecast of its own, which ends when a track takes over or when its time is over.
type cues struct {
	open    []threat.Launch // oldest first
	aheadAt time.Time       // when they were last forecast
}

const (
	// mostCues bounds the launches that wait; beyond it the oldest is given up, as lost.
	mostCues = 32
	// cueEvery is how often they are forecast anew, to let go of zones whose time is over.
	cueEvery = 15 * time.Second
	// oldCue is how long ago a launch may have been when it is reported.
	oldCue = 30 * time.Minute
	// cueTrust is the probability that there was a launch, where a source states no trust.
	cueTrust = 0.9
)

// hear takes launches out of what was observed, from registered sources.
func (c *cues) hear(now time.Time, o observation.Observation, sources []observation.Source) {
	b, ok := o.Body.(observation.Cue)
	i := slices.IndexFunc(sources, func(s observation.Source) bool { return s.ID == o.Source })
	if age := now.Sub(b.LaunchedAt); !ok || i < 0 || age > oldCue || age < -time.Minute {
		return
	}
	trust := sources[i].Trust
	if !(trust > 0 && trust <= 1) {
		trust = cueTrust
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %v", o.Source, b.LaunchedAt.UnixMilli(), b.Area)
	l := threat.Launch{ID: track.ID(fmt.Sprintf("cue-%012x", h.Sum64()>>16)), Area: b.Area, At: b.LaunchedAt,
		Says: sources[i].Confusion.Means(o.Says), Trust: trust}
	if !slices.ContainsFunc(c.open, func(old threat.Launch) bool { return old.ID == l.ID }) {
		c.open = append(c.open, l)
		c.aheadAt = time.Time{}
	}
}

// step forecasts the launches, when it is time, and ends those that a track took over or
// that can reach nothing any more.
func (c *cues) step(now time.Time, moved []track.Change, zones *zone.Set, models threat.Models) (out []threat.Forecast) {
	c.open = slices.DeleteFunc(c.open, func(l threat.Launch) bool {
		for i := range moved {
			if tr := &moved[i].Track; tr.Status == track.Confirmed && l.Explains(tr) {
				out = append(out, threat.Forecast{Track: l.ID, Revision: 2, At: now, SeenAt: l.At, Status: threat.Ended, Reason: threat.Merged,
					Into: tr.ID, Kinds: []string{threat.CueKind}})
				return true
			}
		}
		return false
	})
	if len(c.open) == 0 || now.Before(c.aheadAt.Add(cueEvery)) {
		return out
	}
	c.aheadAt = now
	extra := len(c.open) - mostCues
	kept := c.open[:0]
	for i, l := range c.open {
		f := threat.Expect(l, now, zones, models)
		if i < extra || len(f.Reaches) == 0 {
			f.Status, f.Reason, f.Reaches = threat.Ended, threat.Lost, nil
		} else {
			kept = append(kept, l)
		}
		out = append(out, f)
	}
	c.open = kept
	return out
}

// next is when they are to be forecast anew.
func (c *cues) next() (time.Time, bool) { return c.aheadAt.Add(cueEvery), len(c.open) > 0 }
