// Package forecast runs a tracking scenario through picture, forecast and decision, and
// writes what was said of which zone at which step.
//
// In: a scenario folder, whose local metres are laid on the earth at an origin, a zone
// set, a policy. Out: rows of a CSV file. It never sees the truth of a scenario, and the
// same arguments give the same bytes.
package forecast

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"tocsin/core/geo"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/tracking"
)

// Job is what a run is made of.
type Job struct {
	Scenario string // folder: scenario.json, detections.csv or detections.csv.gz
	Origin   geo.Point
	Zones    *zone.Set
	Policy   warning.Policy
	Every    time.Duration // between two steps that are written; 0 is 5 s
	Models   threat.Models // the zero value is the defaults
	// Progress, if not nil, is called with how many detections are done.
	Progress func(done, total int)
}

// Head is the first line of what is written. t and the three arrivals are seconds of the
// scenario; p is the probability that the object exists and reaches the zone.
const Head = "t,track,zone,p,earliest,likely,latest,stage"

// Outcome is what a run came to.
type Outcome struct {
	Steps     int
	Rows      int
	Forecasts int           // made in all
	Mean      time.Duration // wall time of one forecast
}

const (
	defaultEvery = 5 * time.Second
	mostSteps    = 100_000
)

// Run plays the scenario and writes, at every step from 0 to the last detection's
// arrival, a row for each track and zone with a probability over threat.Negligible, and
// one without a track for each other zone that has a stage.
func Run(ctx context.Context, job Job, out io.Writer) (Outcome, error) {
	if job.Every == 0 {
		job.Every = defaultEvery
	}
	switch {
	case job.Every < 0:
		return Outcome{}, errors.New("forecast: the time between steps is below zero")
	case !job.Origin.Valid():
		return Outcome{}, fmt.Errorf("forecast: origin %v,%v is no place", job.Origin.Lat, job.Origin.Lon)
	case job.Zones == nil || job.Zones.Len() == 0:
		return Outcome{}, errors.New("forecast: no zones")
	}
	play, err := tracking.NewPlay(job.Scenario)
	if err != nil {
		return Outcome{}, err
	}
	every := job.Every.Seconds()
	steps := int(math.Ceil(play.Ends()/every-1e-9)) + 1
	if steps > mostSteps {
		return Outcome{}, fmt.Errorf("forecast: %d steps are more than %d: choose a longer time between them", steps, mostSteps)
	}
	r := newRun(job, play, out)
	total := play.Left()
	r.line(Head)
	for k := range steps {
		if err := ctx.Err(); err != nil {
			return r.outcome, err
		}
		t := float64(k) * every
		if err := r.until(t); err != nil {
			return r.outcome, err
		}
		r.step(t)
		if job.Progress != nil {
			job.Progress(total-play.Left(), total)
		}
	}
	r.outcome.Steps = steps
	if r.outcome.Forecasts > 0 {
		r.outcome.Mean = r.took / time.Duration(r.outcome.Forecasts)
	}
	if err := r.out.Flush(); err != nil {
		return r.outcome, fmt.Errorf("forecast: write: %w", err)
	}
	return r.outcome, nil
}

// run is a run under way.
type run struct {
	play    *tracking.Play
	ground  ground
	sites   map[string][3]float64
	zones   *zone.Set
	models  threat.Models
	futures *threat.Forecaster
	queue   threat.Queue
	salvos  threat.Salvos
	book    *warning.Book
	cover   threat.Coverage
	alive   []bool
	stages  map[zone.ID]warning.Stage
	out     *bufio.Writer
	buf     []byte
	outcome Outcome
	took    time.Duration
}

func newRun(job Job, play *tracking.Play, out io.Writer) *run {
	r := &run{
		play: play, ground: ground{origin: job.Origin, local: play.Local}, sites: map[string][3]float64{},
		zones: job.Zones, models: job.Models.On(job.Zones),
		book: warning.NewBook(job.Zones, job.Policy, warning.Options{}),
		out:  bufio.NewWriterSize(out, 1<<16),
	}
	r.models.Flat = true
	r.futures = threat.NewForecaster(job.Zones, r.models)
	for _, s := range play.Sensors() {
		r.sites[s.Name] = s.Pos
	}
	return r
}

// until feeds every scan that has arrived by t, each with its decision, as a live system
// would.
func (r *run) until(t float64) error { return r.feed(t, r.decide) }

// feed feeds every scan that has arrived by t and gives each with what changed.
func (r *run) feed(t float64, each func(time.Time, []track.Change)) error {
	for at, ok := r.play.Next(); ok && at <= t; at, ok = r.play.Next() {
		changes, err := r.play.Scan()
		if err != nil {
			return err
		}
		each(tracking.Moment(at), changes)
	}
	each(tracking.Moment(t), r.play.Picture().Tick(tracking.Moment(t)))
	return nil
}

// decide forecasts what changed and weighs it.
func (r *run) decide(now time.Time, changes []track.Change) {
	r.book.Weigh(now, r.foresee(now, changes), r.cover, nil)
}

// foresee forecasts what changed and did not go on as forecast, and looks who can see.
func (r *run) foresee(now time.Time, changes []track.Change) []threat.Forecast {
	for _, c := range changes {
		r.queue.Offer(now, c.Track)
	}
	var forecasts []threat.Forecast
	for _, tr := range r.queue.Take(now, r.queue.Waiting()) {
		forecasts = append(forecasts, r.predict(tr))
	}
	live := r.ground.sources(r.play.Picture().Live(now), r.sites)
	alive := make([]bool, len(live))
	for i, l := range live {
		alive[i] = l.Alive
	}
	if r.alive == nil || !slices.Equal(alive, r.alive) {
		r.alive, r.cover = alive, threat.Cover(live, r.zones)
	}
	return forecasts
}

func (r *run) predict(tr track.Track) threat.Forecast {
	began := time.Now()
	laid := r.ground.track(tr)
	f := r.futures.Predict(&laid, r.salvos.Of(&laid))
	r.took += time.Since(began)
	r.outcome.Forecasts++
	return f
}

// step writes what is said at t.
func (r *run) step(t float64) {
	r.stages = map[zone.ID]warning.Stage{}
	for _, w := range r.book.Warnings() {
		for _, z := range w.Zones {
			r.stages[z.Zone] = max(r.stages[z.Zone], z.Stage)
		}
	}
	named := map[zone.ID]bool{}
	for _, tr := range r.play.Picture().Tracks(tracking.Moment(t)) {
		f := r.predict(tr)
		for _, reach := range f.Reaches {
			if p := reach.P * f.Existence; p > threat.Negligible {
				named[reach.Zone] = true
				r.row(t, string(tr.ID), reach.Zone, p, reach.Arrival)
			}
		}
	}
	var rest []zone.ID
	for id := range r.stages {
		if !named[id] {
			rest = append(rest, id)
		}
	}
	slices.Sort(rest)
	for _, id := range rest {
		r.row(t, "", id, 0, threat.Arrival{})
	}
}

func (r *run) row(t float64, tr string, id zone.ID, p float64, a threat.Arrival) {
	b := strconv.AppendFloat(r.buf[:0], math.Round(t*1000)/1000, 'f', -1, 64)
	b = append(b, ',')
	b = append(b, tr...)
	b = append(b, ',')
	b = append(b, id...)
	b = append(b, ',')
	b = strconv.AppendFloat(b, p, 'f', 4, 64)
	for _, at := range [...]time.Time{a.Earliest, a.Likely, a.Latest} {
		b = append(b, ',')
		if a.Known() {
			b = strconv.AppendFloat(b, tracking.Seconds(at), 'f', 1, 64)
		}
	}
	b = append(b, ',')
	b = append(b, r.stages[id].String()...)
	r.buf = b
	r.outcome.Rows++
	r.line(string(b))
}

// line keeps the first error for the flush.
func (r *run) line(s string) {
	r.out.WriteString(s)
	r.out.WriteByte('\n')
}
