package sensor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tocsin/core/observation"
	"tocsin/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a sensor whose lives are written down.
type script struct {
	lives []func(ctx context.Context, emit func(observation.Observation)) error
	mu    sync.Mutex
	begun []time.Time
	heard time.Time
}

func (s *script) Run(ctx context.Context, emit func(observation.Observation)) error {
	s.mu.Lock()
	n := len(s.begun)
	s.begun = append(s.begun, time.Now())
	s.mu.Unlock()
	return s.lives[min(n, len(s.lives)-1)](ctx, emit)
}

func (s *script) Heard(string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// pass lets the bubble's time go by.
func pass(d time.Duration) { <-time.After(d) }

type notes struct {
	mu  sync.Mutex
	all []health.Condition
}

func (n *notes) take(c health.Condition) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, c)
}

func (n *notes) words() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for _, c := range n.all {
		sign := "-"
		if c.Raised {
			sign = "+"
		}
		out = append(out, sign+c.Name+" "+c.Subject)
	}
	return strings.Join(out, ", ")
}

func blockUntilEnd(ctx context.Context, _ func(observation.Observation)) error {
	<-ctx.Done()
	return ctx.Err()
}

func fail(context.Context, func(observation.Observation)) error { return errors.New("socket gone") }

// keep runs Keep inside a bubble and gives back how to end it.
func keep(t *testing.T, s Sensor, o Options, emit func(observation.Observation)) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Keep(ctx, s, o, emit)
	}()
	return func() {
		cancel()
		<-done
	}
}

func TestFailedSensorIsStartedAgainAfterGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n notes
		s := &script{lives: []func(context.Context, func(observation.Observation)) error{fail}}
		end := keep(t, s, Options{Feed: "f", Note: n.take, Seed: 1}, nil)
		pass(10 * time.Minute)
		end()
		if len(s.begun) < 20 || len(s.begun) > 60 {
			t.Errorf("%d starts in ten minutes", len(s.begun))
		}
		for i := 1; i < len(s.begun); i++ {
			pause := s.begun[i].Sub(s.begun[i-1])
			full := min(firstPause<<min(i-1, 20), longPause)
			if pause < full/2 || pause > full*3/2 {
				t.Errorf("pause %d: %s, want about %s", i, pause, full)
			}
		}
		if len(n.all) != len(s.begun) || n.all[2].Count != 3 || !strings.Contains(n.all[2].Detail, "socket gone") {
			t.Errorf("%d conditions, %+v", len(n.all), n.all[2])
		}
	})
}

func TestLongLifeForgetsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := func(ctx context.Context, emit func(observation.Observation)) error {
			emit(observation.Observation{Source: "r"})
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Minute):
			}
			return nil
		}
		var n notes
		s := &script{lives: []func(context.Context, func(observation.Observation)) error{fail, fail, fail, fail, live, blockUntilEnd}}
		got := 0
		end := keep(t, s, Options{Feed: "f", Sources: []Source{{ID: "r", Period: time.Hour}}, Note: n.take},
			func(observation.Observation) { got++ })
		pass(10 * time.Minute)
		end()
		if pause := s.begun[5].Sub(s.begun[4]) - 2*time.Minute; pause > firstPause*3/2 {
			t.Errorf("pause after a long life: %s", pause)
		}
		want := "+feed-failed f, +feed-failed f, +feed-failed f, +feed-failed f, -feed-failed f, +feed-failed f"
		if got != 1 || n.words() != want {
			t.Errorf("%d observations, %s", got, n.words())
		}
	})
}

func TestPanicIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n notes
		boom := func(context.Context, func(observation.Observation)) error { panic("index out of range") }
		s := &script{lives: []func(context.Context, func(observation.Observation)) error{boom, blockUntilEnd}}
		end := keep(t, s, Options{Feed: "f", Note: n.take}, nil)
		pass(time.Minute)
		end()
		if len(s.begun) != 2 || n.words() != "+feed-failed f" || !strings.Contains(n.all[0].Detail, "index out of range") {
			t.Errorf("%d lives, %s", len(s.begun), n.words())
		}
	})
}

func TestSilenceIsRaisedAndCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var n notes
		s := &script{lives: []func(context.Context, func(observation.Observation)) error{
			func(ctx context.Context, emit func(observation.Observation)) error {
				ticker := time.NewTicker(4 * time.Second)
				defer ticker.Stop()
				for {
					select {
					case <-ctx.Done():
						return nil
					case now := <-ticker.C:
						if at := now.Sub(began); at < time.Minute || at > 2*time.Minute {
							emit(observation.Observation{Source: "talks"})
						}
						emit(observation.Observation{Source: "stranger"})
					}
				}
			}}}
		o := Options{Feed: "f", Sources: []Source{{ID: "talks", Period: 4 * time.Second}, {ID: "mute"}}, Note: n.take}
		end := keep(t, s, o, func(observation.Observation) {})
		pass(3 * time.Minute)
		end()
		if want := "+feed-silent mute, +feed-silent talks, -feed-silent talks"; n.words() != want {
			t.Fatalf("got %s, want %s", n.words(), want)
		}
		if at := n.all[0].At.Sub(began); at < 20*time.Second || at > 22*time.Second {
			t.Errorf("silence from the start told after %s", at)
		}
		if at := n.all[1].At.Sub(began); at < 75*time.Second || at > 80*time.Second {
			t.Errorf("silence told after %s", at)
		}
	})
}

func TestSignOfLifeWithoutObservation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n notes
		s := &script{lives: []func(context.Context, func(observation.Observation)) error{blockUntilEnd}}
		end := keep(t, s, Options{Feed: "f", Sources: []Source{{ID: "r"}}, Note: n.take}, nil)
		pass(30 * time.Second)
		s.mu.Lock()
		s.heard = time.Now()
		s.mu.Unlock()
		pass(5 * time.Second)
		if want := "+feed-silent r, -feed-silent r"; n.words() != want {
			t.Errorf("got %s, want %s", n.words(), want)
		}
		end()
	})
}

func TestFloodIsDroppedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n notes
		got := 0
		s := &script{lives: []func(context.Context, func(observation.Observation)) error{
			func(ctx context.Context, emit func(observation.Observation)) error {
				for range 1000 {
					emit(observation.Observation{Source: "r"})
				}
				pass(time.Second)
				for range 5 {
					emit(observation.Observation{Source: "r"})
				}
				<-ctx.Done()
				return nil
			}}}
		end := keep(t, s, Options{Feed: "f", Rate: 10, Note: n.take}, func(observation.Observation) { got++ })
		pass(3 * time.Minute)
		end()
		if got != 15 {
			t.Errorf("%d passed", got)
		}
		if want := "+feed-flood f, +feed-flood f, -feed-flood f"; n.words() != want || n.all[1].Count != 990 {
			t.Errorf("%s, %+v", n.words(), n.all)
		}
	})
}

func TestWordsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("ж", 1000)
		var got observation.Observation
		s := &script{lives: []func(context.Context, func(observation.Observation)) error{
			func(ctx context.Context, emit func(observation.Observation)) error {
				emit(observation.Observation{Key: long, Evidence: long, Identity: observation.Identity{Flight: long}})
				<-ctx.Done()
				return nil
			}}}
		end := keep(t, s, Options{}, func(o observation.Observation) { got = o })
		synctest.Wait()
		end()
		if len(got.Key) != maxKey || len(got.Evidence) != maxEvidence || len(got.Identity.Flight) != maxFlight {
			t.Errorf("%d, %d, %d octets", len(got.Key), len(got.Evidence), len(got.Identity.Flight))
		}
		if cut("a"+long, 4) != "aж" || cut("ab", 4) != "ab" {
			t.Errorf("cut %q", cut("a"+long, 4))
		}
	})
}

func TestCounter(t *testing.T) {
	c := Counter{Name: "n", Subject: "s"}
	var n notes
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	c.Tick(at, n.take)
	for i := range 100 {
		c.Add(at.Add(time.Duration(i)*time.Second), 2, func() string { return fmt.Sprint(i) }, n.take)
	}
	c.Tick(at.Add(100*time.Second), n.take)
	c.Tick(at.Add(158*time.Second), n.take)
	c.Tick(at.Add(159*time.Second), n.take)
	c.Tick(at.Add(300*time.Second), n.take)
	if len(n.all) != 12 || c.Total() != 200 {
		t.Fatalf("%d conditions, %d counted", len(n.all), c.Total())
	}
	if first, tenth, last := n.all[0], n.all[9], n.all[11]; first.Count != 2 || tenth.Detail != "90" || tenth.Count != 182 || last.Raised || last.Count != 200 {
		t.Errorf("%+v, %+v, %+v", first, tenth, last)
	}
}
