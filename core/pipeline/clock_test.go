package pipeline

import (
	"testing"
	"time"
)

// TestClock: the core's time over readings of a wall clock that jumps and creeps. Each
// reading comes elapsed after the one before, and wall is what the clock then says, both as
// durations since the start.
func TestClock(t *testing.T) {
	start := time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC)
	type reading struct{ wall, elapsed, now, step time.Duration }
	s, ms := time.Second, time.Millisecond
	cases := map[string][]reading{
		"steady":           {{0, 0, 0, 0}, {s, s, s, 0}, {2 * s, s, 2 * s, 0}},
		"slewed fast":      {{0, 0, 0, 0}, {1001 * ms, s, 1001 * ms, 0}, {2002 * ms, s, 2002 * ms, 0}},
		"slewed slow":      {{0, 0, 0, 0}, {999 * ms, s, 999 * ms, 0}, {1998 * ms, s, 1998 * ms, 0}},
		"a second is none": {{0, 0, 0, 0}, {2 * s, s, 2 * s, 0}},
		"ahead":            {{0, 0, 0, 0}, {3700 * s, s, 3700 * s, 3699 * s}, {3701 * s, s, 3701 * s, 0}},
		"asleep":           {{0, 0, 0, 0}, {600 * s, 0, 600 * s, 600 * s}},
		"back": { // time goes on, a twentieth slower, until the wall is there again
			{0, 0, 0, 0}, {10 * s, 10 * s, 10 * s, 0}, {s, s, 10950 * ms, -10 * s}, {101 * s, 100 * s, 105950 * ms, 0},
			{201 * s, 100 * s, 201 * s, 0}, {202 * s, s, 202 * s, 0},
		},
		"back by little":  {{0, 0, 0, 0}, {10 * s, 10 * s, 10 * s, 0}, {9900 * ms, 400 * ms, 10380 * ms, 0}, {21900 * ms, 12 * s, 21900 * ms, 0}},
		"back twice":      {{0, 0, 0, 0}, {-10 * s, s, 950 * ms, -11 * s}, {-20 * s, s, 1900 * ms, -11 * s}},
		"read twice":      {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
		"never backwards": {{0, 0, 0, 0}, {s, -5 * s, s, 0}, {s, -5 * s, s, 0}},
		"whole ms":        {{0, 0, 0, 0}, {1500 * time.Microsecond, 1500 * time.Microsecond, ms, 0}, {2100 * time.Microsecond, 600 * time.Microsecond, 2 * ms, 0}},
	}
	for name, readings := range cases {
		t.Run(name, func(t *testing.T) {
			var c Clock
			for i, r := range readings {
				now, step := c.Now(start.Add(r.wall), r.elapsed)
				if !now.Equal(start.Add(r.now)) || step != r.step {
					t.Errorf("reading %d: %s, step %s; want %s, step %s", i, now.Sub(start), step, r.now, r.step)
				}
			}
		})
	}
}

// TestClockGoesOnInSmallSteps: time slowed is slowed alike however often the clock is read.
func TestClockGoesOnInSmallSteps(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var c Clock
	c.Now(start, 0)
	last, wall := start, start.Add(-time.Hour)
	for range 100_000 {
		wall = wall.Add(100 * time.Microsecond)
		now, _ := c.Now(wall, 100*time.Microsecond)
		if now.Before(last) {
			t.Fatalf("%s after %s", now, last)
		}
		last = now
	}
	if went := last.Sub(start); went != 9500*time.Millisecond {
		t.Errorf("in 10 s of a clock an hour behind the core's time went on by %s, want 9.5 s", went)
	}
}
