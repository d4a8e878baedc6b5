package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tocsin/core/geo"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/forecast"
)

type forecastCmd struct {
	Scenario string        `required:"" placeholder:"DIR" help:"Scenario folder: scenario.json and detections.csv or detections.csv.gz."`
	Zones    string        `required:"" placeholder:"FILE" help:"Zone set: GeoJSON."`
	Origin   string        `required:"" placeholder:"LAT,LON" help:"Where the scenario's local metres have their zero."`
	Out      string        `required:"" placeholder:"FILE.csv" help:"Where to write the forecasts."`
	Every    time.Duration `default:"5s" help:"Time between two steps that are written."`
	Policy   string        `placeholder:"FILE" help:"Policy that decides the stages; none: the one that ships."`
	JSON     bool          `name:"json" help:"Print what was done as one JSON object."`
}

// Help is the example that --help prints.
func (forecastCmd) Help() string {
	return "Example:\n  tocsin forecast --scenario fixtures/tracking/b_cruise_10 --zones data/zones/ua-hromadas.geojson --origin 50.45,30.52 --out forecast.csv\n\n" +
		"Columns: " + forecast.Head + ". t, earliest, likely and latest are seconds of the scenario; p is the probability that the object exists and reaches the zone. " +
		"A zone that has a stage and no track over 0.001 stands in a row without a track. Places keep their distance and direction from the origin."
}

// forecastDone is the --json form of what a run came to.
type forecastDone struct {
	Scenario  string  `json:"scenario"`
	Steps     int     `json:"steps"`
	Rows      int     `json:"rows"`
	Forecasts int     `json:"forecasts"`
	Mean      float64 `json:"ms_per_forecast_mean"`
}

// Run plays the scenario and writes the file whole or not at all.
func (f forecastCmd) Run(c *console) error {
	job, err := f.job(c)
	if err != nil {
		return err
	}
	set, report, err := f.set(c)
	if err != nil {
		return err
	}
	if report.Bad() {
		if err := printReport(c, &report, false); err != nil {
			return err
		}
		return errNo
	}
	job.Zones = set
	p := newProgress(c, "detections")
	job.Progress = p.show
	done, err := f.write(c, job)
	p.clear()
	if err != nil {
		return err
	}
	out := forecastDone{filepath.Base(filepath.Clean(f.Scenario)), done.Steps, done.Rows, done.Forecasts, float64(done.Mean) / float64(time.Millisecond)}
	if f.JSON {
		return json.NewEncoder(c.out).Encode(out)
	}
	_, err = fmt.Fprintf(c.out, "%s: %d steps, %d rows, %d forecasts of %.3f ms each\n", out.Scenario, out.Steps, out.Rows, out.Forecasts, out.Mean)
	return err
}

func (f forecastCmd) job(c *console) (forecast.Job, error) {
	job := forecast.Job{Scenario: f.Scenario, Every: f.Every, Policy: warning.DefaultPolicy()}
	origin, err := parsePoint(f.Origin)
	if err != nil {
		return job, usageError("forecast: --origin: %v", err)
	}
	if f.Every <= 0 {
		return job, usageError("forecast: --every: %s is not a time over zero", f.Every)
	}
	job.Origin = origin
	if f.Policy == "" {
		return job, nil
	}
	b, err := readFile(c, f.Policy, 1<<20)
	if err != nil {
		return job, fileError("forecast", f.Policy, err)
	}
	if job.Policy, err = warning.ReadPolicy(b); err != nil {
		return job, fmt.Errorf("forecast: %s: %w", f.Policy, err)
	}
	return job, nil
}

func (f forecastCmd) set(c *console) (*zone.Set, zone.Report, error) {
	files, err := readZoneFiles(c, "forecast", []string{f.Zones})
	if err != nil {
		return nil, zone.Report{}, err
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	return set, report, nil
}

// write makes the file whole or not at all.
func (f forecastCmd) write(c *console, job forecast.Job) (forecast.Outcome, error) {
	if err := scenarioFolder("forecast", f.Scenario); err != nil {
		return forecast.Outcome{}, err
	}
	var done forecast.Outcome
	err := writeFile(c, f.Out, func(w io.Writer) error {
		var err error
		done, err = forecast.Run(c.ctx, job, w)
		return err
	})
	if err != nil {
		return done, fileError("forecast", f.Out, err)
	}
	return done, nil
}

// parsePoint reads LAT,LON in degrees.
func parsePoint(s string) (geo.Point, error) {
	a, b, ok := strings.Cut(s, ",")
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	p := geo.Point{Lat: geo.Degrees(lat), Lon: geo.Degrees(lon)}
	if !ok || err1 != nil || err2 != nil || !p.Valid() {
		return p, fmt.Errorf("%q is not LAT,LON in degrees, such as 50.45,30.52", s)
	}
	return p, nil
}
