package tracking

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/core/track"
)

// Origin is where the scenarios' flat local metres are placed: their plane is the
// tangent plane of the ellipsoid here, x east, y north, z up. The picture is told that
// the world is flat (track.Config.Flat), so that no curvature enters the figures.
var Origin = geo.Position{Point: geo.Point{Lat: 50, Lon: 30}}

// epoch is the scenarios' zero of time.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func moment(t float64) time.Time { return epoch.Add(time.Duration(math.Round(t * 1e9))) }

// Cost is what a run took.
type Cost struct {
	Scans    int
	Mean     time.Duration // process time a scan
	P99, Max time.Duration
	Tracks   int // rows written
}

// Sources registers a scenario's sensors.
func Sources(s Scenario) []observation.Source {
	frame := geo.NewENU(Origin)
	var out []observation.Source
	for _, r := range s.Sensors {
		src := observation.Source{
			ID: r.Name, Kind: r.Kind, HasSite: true, Site: frame.From(r.Pos).Position(),
			Period: time.Duration(r.Period * float64(time.Second)), Detection: r.Pd, Clutter: math.Max(r.Clutter, 0.01),
		}
		if r.Kind == rae {
			src.Errors = observation.Errors{Range: geo.Metres(r.Sigma[0]), Azimuth: geo.Degrees(r.Sigma[1]), Elevation: geo.Degrees(r.Sigma[2])}
			if r.RMax != nil {
				src.Coverage.Range = geo.Metres(*r.RMax)
			}
		} else {
			// The picture spreads false plots over a disc; the scenario over a rectangle. The
			// disc around it is larger, so the count grows with it to keep the density.
			wide, high := s.Area[0][1]-s.Area[0][0], s.Area[1][1]-s.Area[1][0]
			radius := math.Hypot(wide, high) / 2
			src.Coverage.Range = geo.Metres(radius)
			src.Clutter *= math.Pi * radius * radius / (wide * high)
		}
		out = append(out, src)
	}
	return out
}

// player feeds detections to a picture.
type player struct {
	scenario Scenario
	sensors  map[string]Sensor
	frame    geo.ENU
	picture  *track.Picture
	changes  []track.Change
}

func newPlayer(s Scenario) *player {
	p := &player{scenario: s, sensors: map[string]Sensor{}, frame: geo.NewENU(Origin)}
	for _, r := range s.Sensors {
		p.sensors[r.Name] = r
	}
	p.picture = track.NewPicture(track.Config{Sources: Sources(s), Flat: &Origin})
	return p
}

// scan feeds the detections of one scan, and the sensor's word that it saw nothing more.
// It returns what changed, which holds until the next scan.
func (p *player) scan(ds []Detection) ([]track.Change, error) {
	now := moment(ds[0].Arrived)
	changes := p.changes[:0]
	for _, d := range ds {
		o, err := p.observation(d)
		if err != nil {
			return changes, err
		}
		changes = append(changes, p.picture.Observe(now, o)...)
	}
	done := observation.Observation{Source: ds[0].Sensor, ObservedAt: moment(ds[0].At), ReceivedAt: now, Body: observation.Absence{}}
	p.changes = append(changes, p.picture.Observe(now, done)...)
	return p.changes, nil
}

func (p *player) observation(d Detection) (observation.Observation, error) {
	o := observation.Observation{Source: d.Sensor, ObservedAt: moment(d.At), ReceivedAt: moment(d.Arrived)}
	r, ok := p.sensors[d.Sensor]
	if !ok {
		return o, fmt.Errorf("tracking: detections: sensor %q is not in scenario.json", d.Sensor)
	}
	switch d.Kind {
	case rae:
		o.Body = observation.Plot{Range: geo.Metres(d.M[0]), Azimuth: geo.Degrees(d.M[1]), Elevation: geo.Degrees(d.M[2]), HasElevation: true}
	case pos2d:
		at := p.frame.From([3]float64{d.M[0], d.M[1], 0})
		o.Body = observation.Fix{Position: at.Position(), Covariance: [3][3]float64{
			{r.Sigma[0] * r.Sigma[0]}, {0, r.Sigma[1] * r.Sigma[1]}, {0, 0, 1e8}}} // height unknown
	default:
		return o, fmt.Errorf("tracking: detections: kind %q, want pos2d or rae", d.Kind)
	}
	return o, nil
}

// Columns are the head of a file of tracks.
var Columns = []string{"t", "track", "x", "y", "z", "vx", "vy", "vz", "sx", "sy", "sz", "class", "existence"}

// Run plays a scenario folder through a picture and writes the confirmed tracks after
// each scan, in the order of the scans' times. Of two scans stamped alike the later one
// to arrive is written, which knows what both saw: a track is at one place at one time.
// progress, if not nil, is called with how many detections are done.
func Run(ctx context.Context, dir string, out io.Writer, progress func(done, total int)) (Cost, error) {
	w, err := Read(dir, false)
	if err != nil {
		return Cost{}, err
	}
	return w.Run(ctx, out, progress)
}

// Run is the same for a world in memory.
func (world *World) Run(ctx context.Context, out io.Writer, progress func(done, total int)) (Cost, error) {
	s, ds := world.Scenario, world.Detections
	w := csv.NewWriter(out)
	if err := w.Write(Columns); err != nil {
		return Cost{}, fmt.Errorf("tracking: write: %w", err)
	}
	p := newPlayer(s)
	var cost Cost
	var took []time.Duration
	written := map[int64][][]string{}
	for i := 0; i < len(ds); {
		if err := ctx.Err(); err != nil {
			return cost, err
		}
		j := i
		for j < len(ds) && ds[j].Scan == ds[i].Scan && ds[j].Sensor == ds[i].Sensor {
			j++
		}
		before := processTime()
		if _, err := p.scan(ds[i:j]); err != nil {
			return cost, err
		}
		took = append(took, processTime()-before)
		written[stamp(ds[i].At)] = p.rows(ds[i].Sensor, ds[i].At)
		i = j
		if progress != nil {
			progress(i, len(ds))
		}
	}
	for _, at := range slices.Sorted(maps.Keys(written)) {
		cost.Tracks += len(written[at])
		if err := w.WriteAll(written[at]); err != nil {
			return cost, fmt.Errorf("tracking: write: %w", err)
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return cost, fmt.Errorf("tracking: write: %w", err)
	}
	cost.summarise(took)
	return cost, nil
}

func (c *Cost) summarise(took []time.Duration) {
	c.Scans = len(took)
	if c.Scans == 0 {
		return
	}
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	slices.Sort(took)
	c.Mean = sum / time.Duration(c.Scans)
	c.P99, c.Max = took[min(c.Scans*99/100, c.Scans-1)], took[c.Scans-1]
}

// vague is the standard deviation of position, in metres, beyond which a track that is
// not seen is kept but not written: it is no statement of a place any more.
const vague = 1500.0

// rows are the tracks at a scan's time that are likelier than not to be there, in the
// scenario's local metres.
func (p *player) rows(sensor string, t float64) [][]string {
	at := moment(t)
	for _, b := range p.picture.Registration() {
		if b.Sensor == sensor && b.Shown {
			at = at.Add(-b.Clock)
		}
	}
	var out [][]string
	for _, tr := range p.picture.Tracks(at) {
		pos := p.frame.To(tr.State.Position)
		vel := p.frame.ToVelocity(tr.State.Velocity)
		var pp [3][3]float64
		for i := range 3 {
			for j := range 3 {
				pp[i][j] = tr.State.Covariance[i][j]
			}
		}
		pp = p.frame.ToCovariance(pp)
		wide := math.Sqrt(math.Max(pp[0][0], pp[1][1]))
		under := !p.scenario.Flat() && tr.Modes.Ballistic > 0.5 && pos[2] < 0 // it has come down; the track ends when that is sure
		if tr.Existence < 0.5 || wide > vague || under {
			continue
		}
		f := func(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
		out = append(out, []string{strconv.FormatFloat(t, 'f', -1, 64), string(tr.ID),
			f(pos[0]), f(pos[1]), f(pos[2]), f(vel[0]), f(vel[1]), f(vel[2]),
			f(math.Sqrt(pp[0][0])), f(math.Sqrt(pp[1][1])), f(math.Sqrt(pp[2][2])),
			bestClass(tr.Class), strconv.FormatFloat(tr.Existence, 'f', 4, 64)})
	}
	return out
}

func bestClass(m class.Mix) string { return m.Best().String() }
