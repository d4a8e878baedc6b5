// Package scorecard measures the whole way, from plots to warnings, on simulated raids
// with their truth, and what a policy costs and saves.
//
// In: seeds, a country, zones, policies. Out: a Report: figures, as a table, as JSON, as
// one page of HTML. Raids run through the real core (core/pipeline) in the raid's own time;
// the core never sees the truth. Every figure's formula is in docs/scorecard.md.
package scorecard

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/sim/raid"
)

// Policy is a policy with the name under which it is reported.
type Policy struct {
	Name   string
	Policy warning.Policy
}

// Job is what is measured.
type Job struct {
	Country  string // ua or il: the geography of the raids
	Zones    *zone.Set
	From, To uint64 // seeds, both included
	Policies []Policy
	// Workers run raids side by side; 0: one a processor. What comes of it is the same.
	Workers int
	// Progress, if not nil, is called after each raid, from several goroutines but never at once.
	Progress func(done, total int)
}

// MostSeeds and MostPolicies bound one run.
const (
	MostSeeds    = 10_000
	MostPolicies = 16
)

// Run plays every raid under every policy and returns the figures. What is forecast is
// computed once a raid; each policy decides on the same forecasts.
func Run(ctx context.Context, job Job) (*Report, error) {
	switch {
	case job.To < job.From || job.To-job.From >= MostSeeds:
		return nil, fmt.Errorf("scorecard: seeds %d to %d are not 1 to %d seeds", job.From, job.To, MostSeeds)
	case len(job.Policies) == 0 || len(job.Policies) > MostPolicies:
		return nil, fmt.Errorf("scorecard: %d policies are not between 1 and %d", len(job.Policies), MostPolicies)
	case job.Zones == nil || job.Zones.Len() == 0:
		return nil, errors.New("scorecard: no zones")
	}
	n := int(job.To-job.From) + 1
	ground := survey(job.Zones)
	scores, errs := make([]*score, n), make([]error, n)
	workers := job.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	next := make(chan int)
	var wait sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range min(workers, n) {
		wait.Go(func() {
			for i := range next {
				scores[i], errs[i] = one(job, ground, job.From+uint64(i))
				mu.Lock()
				if done++; job.Progress != nil {
					job.Progress(done, n)
				}
				mu.Unlock()
			}
		})
	}
	var err error
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			err = ctx.Err()
			break feed
		}
	}
	close(next)
	wait.Wait()
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	total := newScore(len(job.Policies))
	for _, s := range scores { // in order of seed, whoever was first
		total.add(s)
	}
	return total.report(job), nil
}

// one plays and scores one raid.
func one(job Job, ground *ground, seed uint64) (*score, error) {
	r, err := raid.Draw(seed, job.Country, job.Zones)
	if errors.Is(err, raid.ErrNoRaid) {
		return newScore(len(job.Policies)), nil
	}
	if err != nil {
		return nil, err
	}
	p := newPlay(r, ground, job.Policies)
	p.run()
	return p.score(), nil
}
