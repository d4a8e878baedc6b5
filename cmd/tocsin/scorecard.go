package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/raid"
	"tocsin/sim/scorecard"
	"tocsin/zones"
)

type scorecardCmd struct {
	Country string   `help:"Geography of the raids, and the shipped zone set: ua or il." enum:"ua,il" default:"ua"`
	Zones   []string `help:"A zone set of your own instead; several files are levels together." placeholder:"FILE" sep:"none"`
	Seeds   string   `help:"Raids to play, as A-B." default:"1-20" placeholder:"A-B"`
	Policy  []string `help:"A policy; give several to compare them on the same raids. Without: the one that ships." placeholder:"FILE" sep:"none"`
	HTML    string   `name:"html" help:"Write a report with plots, one page that needs nothing else." placeholder:"FILE"`
	Folders string   `help:"Do not score: write each raid as a scenario folder with its truth into this folder." placeholder:"DIR"`
	JSON    bool     `name:"json" help:"The figures as JSON."`
}

// Help is the example that --help prints.
func (scorecardCmd) Help() string {
	return "Plays simulated raids, of which the truth is known, through the whole core and says how good forecast and decision were.\n" +
		"Examples:\n  tocsin scorecard --country il --seeds 1-100 --html report.html\n  tocsin scorecard --policy policy.yaml --policy cautious.yaml"
}

// Run plays the raids and prints the figures.
func (s scorecardCmd) Run(c *console) error {
	from, to, err := seedRange(s.Seeds)
	if err != nil {
		return err
	}
	set, err := s.zones(c)
	if err != nil {
		return err
	}
	if s.Folders != "" {
		return s.write(c, set, from, to)
	}
	job := scorecard.Job{Country: s.Country, Zones: set, From: from, To: to}
	if job.Policies, err = s.policies(c); err != nil {
		return err
	}
	p := newProgress(c, "raids")
	job.Progress = p.show
	report, err := scorecard.Run(c.ctx, job)
	p.clear()
	if err != nil {
		return err
	}
	if s.HTML != "" {
		if err := writeFile(c, s.HTML, func(w io.Writer) error { _, err := w.Write(report.HTML()); return err }); err != nil {
			return fileError("scorecard", s.HTML, err)
		}
		fmt.Fprintf(c.err, "the report is in %s\n", s.HTML)
	}
	if s.JSON {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	_, err = fmt.Fprint(c.out, report.Table())
	return err
}

// seedRange reads "A-B" or "A".
func seedRange(s string) (from, to uint64, err error) {
	a, b, two := strings.Cut(s, "-")
	if !two {
		b = a
	}
	from, errA := strconv.ParseUint(a, 10, 63)
	to, errB := strconv.ParseUint(b, 10, 63)
	if errA != nil || errB != nil || to < from || to-from >= scorecard.MostSeeds {
		return 0, 0, usageError("scorecard: --seeds: %q is not A-B, two numbers in order and at most %d apart", s, scorecard.MostSeeds-1)
	}
	return from, to, nil
}

func (s scorecardCmd) zones(c *console) (*zone.Set, error) {
	if len(s.Zones) == 0 {
		return zones.Open(s.Country)
	}
	files, err := readZoneFiles(c, "scorecard", s.Zones)
	if err != nil {
		return nil, err
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	if report.Bad() {
		if err := printReport(c, &report, false); err != nil {
			return nil, err
		}
		return nil, errNo
	}
	return set, nil
}

func (s scorecardCmd) policies(c *console) ([]scorecard.Policy, error) {
	if len(s.Policy) == 0 {
		return []scorecard.Policy{{Name: "as shipped", Policy: warning.DefaultPolicy()}}, nil
	}
	if len(s.Policy) > scorecard.MostPolicies {
		return nil, usageError("scorecard: --policy: %d are more than %d", len(s.Policy), scorecard.MostPolicies)
	}
	var all []scorecard.Policy
	for _, name := range s.Policy {
		b, err := readFile(c, name, 1<<20)
		if err != nil {
			return nil, fileError("scorecard", name, err)
		}
		p, err := warning.ReadPolicy(b)
		if err != nil {
			return nil, fmt.Errorf("scorecard: %s: %w", name, err)
		}
		all = append(all, scorecard.Policy{Name: filepath.Base(name), Policy: p})
	}
	return all, nil
}

// write puts raids into folders that tocsin track and tocsin forecast read.
func (s scorecardCmd) write(c *console, set *zone.Set, from, to uint64) error {
	p := newProgress(c, "raids")
	defer p.clear()
	for seed := from; seed <= to; seed++ {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		r, err := raid.Draw(seed, s.Country, set)
		if err != nil {
			return err
		}
		dir := filepath.Join(s.Folders, fmt.Sprintf("%s-%04d", s.Country, seed))
		origin, err := r.Folder(dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s\t%.6f,%.6f\t%s\n", dir, origin.Lat, origin.Lon, r.Name)
		p.show(int(seed-from)+1, int(to-from)+1)
	}
	return nil
}
