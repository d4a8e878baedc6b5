package desk

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/pipeline"
	"tocsin/core/warning"
)

func TestTheFirstAnswerIsGivenAgain(t *testing.T) {
	p := open(t, nil)
	status, _, first := p.command("national", declare)
	same := ` { "reason" : "drones seen", "action":"declare","until":"2026-11-22T16:30:00.0001+02:00","zones":["UA\u002d1"],"threat":"drone","stage":"shelter","id":"c1","sent":"2026-11-22T13:58:00Z" } `
	again, no, second := p.command("national", same)
	if status != 201 || again != 201 || fmt.Sprint(first) != fmt.Sprint(second) || p.carrier.count() != 1 {
		t.Errorf("%v, then %d %v %+v; carried out %d times", first, again, second, no, p.carrier.count())
	}
	for _, other := range []string{
		swap(t, declare, "shelter", "prepare"), swap(t, declare, "14:30:00Z", "14:30:00.001Z"), swap(t, declare, "drones seen", "drones  seen"),
		swap(t, declare, `["UA-1"]`, `["UA-1","UA-2"]`), swap(t, fix, "c4", "c1"),
	} {
		if status, no, _ := p.command("national", other); status != http.StatusConflict || no.Field != "id" {
			t.Errorf("%s: %d %+v", other, status, no)
		}
	}
	if status, _, _ := p.command("sumy-oblast", declare); status != http.StatusConflict {
		t.Errorf("another token's repeat: %d", status)
	}
	if p.carrier.count() != 1 {
		t.Errorf("carried out %d times", p.carrier.count())
	}
}

// TestARepeatOutlivesItsTime: the answer is the first one even when until has passed.
func TestARepeatOutlivesItsTime(t *testing.T) {
	now := noon
	p := open(t, func(c *Config) { c.Now = func() time.Time { return now } })
	p.command("national", declare)
	now = noon.Add(3 * time.Hour)
	if status, no, _ := p.command("national", declare); status != http.StatusCreated {
		t.Errorf("%d %+v", status, no)
	}
	if status, no, _ := p.command("national", swap(t, declare, "c1", "c9")); status != 422 || no.Field != "until" {
		t.Errorf("a new one in the past: %d %+v", status, no)
	}
}

func TestARefusalOfTheCoreIsGivenAgain(t *testing.T) {
	p := open(t, nil)
	p.carrier.refuse = &warning.RefusedError{Field: "zones", Why: "nothing is in force there"}
	for range 2 {
		status, no, _ := p.command("national", end)
		if status != 422 || no.Field != "zones" || no.Detail != "zones nothing is in force there." {
			t.Errorf("%d %+v", status, no)
		}
	}
	if p.carrier.count() != 1 {
		t.Errorf("carried out %d times", p.carrier.count())
	}
	p.carrier.refuse = nil
	one := `{"id":"c7","action":"declare","zones":["UA-2","UA-1","UA-2"],"regions":["UA63","UA59"],"stage":"shelter","threat":"drone","until":"2026-11-22T14:30:00Z","reason":"seen"}`
	same := swap(t, swap(t, one, `["UA-2","UA-1","UA-2"]`, `["UA-1","UA-2"]`), `["UA63","UA59"]`, `["UA59","UA63"]`)
	_, _, first := p.command("national", one)
	if status, _, again := p.command("national", same); status != 201 || again.Position != first.Position || p.carrier.count() != 2 {
		t.Errorf("the same places in another order: %d, carried out %d times", status, p.carrier.count())
	}
	p.carrier.refuse = &warning.RefusedError{Field: "id", Why: "was taken with other content"}
	if status, _, _ := p.command("national", swap(t, end, "c3", "c9")); status != http.StatusConflict {
		t.Errorf("an id that only the core knows: %d", status)
	}
}

// TestWhatIsNotKeptIsNotDone: 503, and the same id may be tried again.
func TestWhatIsNotKeptIsNotDone(t *testing.T) {
	p := open(t, nil)
	for _, err := range []error{ErrNotKept, context.DeadlineExceeded} {
		p.carrier.err = err
		res, _ := p.ask("POST", "/v1/commands", "national", declare)
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("%v: %d", err, res.StatusCode)
		}
	}
	p.carrier.err = nil
	if status, no, _ := p.command("national", declare); status != 201 {
		t.Errorf("once there is room: %d %+v", status, no)
	}
	p.carrier.err = ErrUnanswered
	for range 2 {
		if status, _, _ := p.command("national", end); status != http.StatusGatewayTimeout {
			t.Errorf("kept and not carried out: %d", status)
		}
	}
	if p.carrier.count() != 4 {
		t.Errorf("carried out %d times", p.carrier.count())
	}
}

// TestRestart: what was answered before the start is answered again.
func TestRestart(t *testing.T) {
	var c Command
	var f *fault
	if c, f = decode([]byte(declare)); f != nil {
		t.Fatal(f)
	}
	p := open(t, func(cfg *Config) {
		cfg.Answered = []pipeline.Answered{
			{Content: c.content("national"), Answer: pipeline.Answer{Command: "c1", Position: 17, Warnings: []warning.ID{"wold"}}},
			{Answer: pipeline.Answer{Command: "c2", Position: 18}}, // its command was not read back
		}
	})
	if status, _, yes := p.command("national", declare); status != 201 || yes.Position != 17 || fmt.Sprint(yes.Warnings) != "[wold]" {
		t.Errorf("%d %+v", status, yes)
	}
	if status, _, _ := p.command("national", extend); status != http.StatusConflict {
		t.Errorf("of unknown content: %d", status)
	}
	if p.carrier.count() != 0 {
		t.Error("it was carried out again")
	}
}

// TestEqualIDsAtOnce: however many come together, one is carried out, and all are told.
func TestEqualIDsAtOnce(t *testing.T) {
	p := open(t, nil)
	p.carrier.hold = make(chan struct{})
	const many = 50
	results := make(chan string, many)
	var group sync.WaitGroup
	for range many {
		group.Go(func() {
			status, _, yes := p.command("national", declare)
			results <- fmt.Sprint(status, yes)
		})
	}
	close(p.carrier.hold)
	group.Wait()
	close(results)
	first := <-results
	for r := range results {
		if r != first || !strings.HasPrefix(r, "201") {
			t.Errorf("%s and %s", first, r)
		}
	}
	if p.carrier.count() != 1 {
		t.Errorf("carried out %d times", p.carrier.count())
	}
}

// TestNobodyWaitsForEver: a disk that hangs is told as such; the command goes on, and its
// repeat is told what became of it.
func TestNobodyWaitsForEver(t *testing.T) {
	p := open(t, func(c *Config) { c.AnswerTime = 20 * time.Millisecond })
	p.carrier.hold = make(chan struct{})
	if status, no, _ := p.command("national", declare); status != http.StatusGatewayTimeout || no.ID != "c1" {
		t.Errorf("%d %+v", status, no)
	}
	e, claimed := p.desk.commands.find("c1", mustContent(t, declare))
	if claimed != isAgain {
		t.Fatal("it was forgotten")
	}
	close(p.carrier.hold)
	<-e.done
	if status, _, _ := p.command("national", declare); status != 201 || p.carrier.count() != 1 {
		t.Errorf("the repeat: %d, carried out %d times", status, p.carrier.count())
	}
}

func mustContent(t testing.TB, body string) string {
	t.Helper()
	c, f := decode([]byte(body))
	if f != nil {
		t.Fatal(f)
	}
	return c.content("national")
}

// TestOnceProperty holds the table to a plain model, over any order of commands, ends and
// failures.
func TestOnceProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		o := newOnce(limit, nil)
		type state struct {
			content string
			e       *entry
			running bool
		}
		model := map[string]*state{}
		running := 0
		ids := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		t.Repeat(map[string]func(*rapid.T){
			"command": func(t *rapid.T) {
				id, content := ids.Draw(t, "id"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "content")
				e, got := o.begin(id, content)
				want := isFresh
				switch m := model[id]; {
				case m != nil && m.content != content:
					want = isOther
				case m != nil:
					want = isAgain
				case running >= limit:
					want = isBusy
				}
				if got != want {
					t.Fatalf("%s %s: %d, want %d", id, content, got, want)
				}
				if got == isFresh {
					running++
					model[id] = &state{content: content, e: e, running: true}
				}
				if got == isAgain && e != model[id].e {
					t.Fatal("two entries of one command")
				}
			},
			"settle": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				m := model[id]
				if m == nil || !m.running {
					t.Skip()
				}
				running--
				m.running = false
				if rapid.Bool().Draw(t, "kept") {
					o.settle(id, m.e, pipeline.Answer{Command: id, Position: 1}, nil)
					return
				}
				o.settle(id, m.e, pipeline.Answer{}, ErrNotKept)
				delete(model, id)
			},
			"": func(t *rapid.T) {
				if len(o.entries) != len(model) || len(o.order) != len(model) || o.running != running {
					t.Fatalf("%d entries in %d places, %d running; the model has %d, %d", len(o.entries), len(o.order), o.running, len(model), running)
				}
			},
		})
	})
}

func TestTheOldestAnswerIsForgotten(t *testing.T) {
	o := newOnce(2, nil)
	held, _ := o.begin("held", "x")
	for i := range remembered + 10 {
		id := fmt.Sprint(i)
		e, _ := o.begin(id, "x")
		o.settle(id, e, pipeline.Answer{}, nil)
	}
	if len(o.entries) != remembered || len(o.order) != remembered {
		t.Errorf("%d are remembered", len(o.entries))
	}
	if e, c := o.find("held", "x"); c != isAgain || e != held {
		t.Error("one that is being carried out was forgotten")
	}
	if _, c := o.find("0", "x"); c != isFresh {
		t.Error("the oldest is still there")
	}
	o.settle("held", held, pipeline.Answer{}, nil)
}
