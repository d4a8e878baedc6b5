package health

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var at = time.Date(2026, 11, 22, 3, 12, 0, 0, time.UTC)

func raise(name, subject string) Condition {
	return Condition{Name: name, Subject: subject, Raised: true, At: at}
}

func clear(name, subject string) Condition { return Condition{Name: name, Subject: subject, At: at} }

func TestBoardHoldsWhatIsRaised(t *testing.T) {
	steps := []struct {
		put     Condition
		changed bool
		held    string
	}{
		{clear("disk-full", ""), false, ""},
		{raise("disk-full", ""), true, "disk-full/"},
		{raise("disk-full", ""), false, "disk-full/"},
		{raise("feed-silent", "radar-south"), true, "disk-full/ feed-silent/radar-south"},
		{raise("feed-silent", "radar-north"), true, "disk-full/ feed-silent/radar-north feed-silent/radar-south"},
		{raise("clock-step", ""), true, "conditions-dropped/ disk-full/ feed-silent/radar-north feed-silent/radar-south"},
		{clear("disk-full", ""), true, "conditions-dropped/ feed-silent/radar-north feed-silent/radar-south"},
		{raise(Overflow, ""), false, "conditions-dropped/ feed-silent/radar-north feed-silent/radar-south"},
		{clear(Overflow, ""), true, "feed-silent/radar-north feed-silent/radar-south"},
		{clear(Overflow, ""), false, "feed-silent/radar-north feed-silent/radar-south"},
		{raise("clock-step", ""), true, "clock-step/ feed-silent/radar-north feed-silent/radar-south"},
	}
	b := NewBoard(3)
	for i, step := range steps {
		if changed := b.Put(step.put); changed != step.changed {
			t.Errorf("step %d, %v: changed %v, want %v", i, step.put, changed, step.changed)
		}
		var held []string
		for _, c := range b.Raised() {
			held = append(held, c.Name+"/"+c.Subject)
			if !b.Has(c.Name, c.Subject) {
				t.Errorf("step %d: %v is raised and Has denies it", i, c)
			}
		}
		if got := strings.Join(held, " "); got != step.held {
			t.Errorf("step %d, %v: held %q, want %q", i, step.put, got, step.held)
		}
	}
	if b.Has("disk-full", "") {
		t.Error("a cleared condition is still held")
	}
}

func TestBoardBoundsStrangersWords(t *testing.T) {
	b := NewBoard(4)
	hostile := Condition{Name: "n", Raised: true, Subject: strings.Repeat("ї", 1000), Detail: "\x00\xff" + strings.Repeat("\xd0", 1<<20)}
	b.Put(hostile)
	b.Put(Condition{Name: "n\x00x", Raised: true})
	b.Put(Condition{Name: "n", Subject: "x", Raised: true})
	got := b.Raised()
	if len(got) != 3 {
		t.Fatalf("held %d, want 3: a NUL in a name must not collide with a subject", len(got))
	}
	for _, c := range got {
		if len(c.Name) > maxName || len(c.Subject) > maxSubject || len(c.Detail) > maxDetail {
			t.Errorf("held %d, %d, %d bytes", len(c.Name), len(c.Subject), len(c.Detail))
		}
		if !utf8.ValidString(c.Subject) || !utf8.ValidString(c.Detail) {
			t.Errorf("held text is not UTF-8: %q", c.Detail[:8])
		}
	}
	if !b.Has("n", hostile.Subject) {
		t.Error("a condition whose subject was cut cannot be asked for")
	}
	hostile.Raised = false
	if !b.Put(hostile) {
		t.Error("a condition whose subject was cut cannot be cleared")
	}
}

func TestBoardFromManyGoroutines(t *testing.T) {
	b := NewBoard(16)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				c := raise("feed-silent", fmt.Sprint((g+i)%40))
				c.Raised = i%3 != 0
				b.Put(c)
				if n := len(b.Raised()); n > 17 {
					t.Errorf("held %d, over the limit", n)
				}
			}
		})
	}
	wg.Wait()
}

func TestConditionString(t *testing.T) {
	c := Condition{Name: "feed-silent", Subject: "radar-north", Raised: true, Detail: "12 s"}
	if got, want := c.String(), "condition raised feed-silent radar-north: 12 s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (Condition{Name: "disk-full"}).String(), "condition cleared disk-full"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMetricsAreShownOnTheGivenRegistry(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg)
	m.Counter("alerts_total", "Alerts.", "kind").WithLabelValues("update").Add(3)
	m.Gauge("connections", "Connections.").WithLabelValues().Set(7)
	m.Histogram("commit_seconds", "Commit.", nil).WithLabelValues().Observe(0.02)
	m.CounterFunc("journal_entries_total", "Entries.", func() float64 { return 11 })
	m.GaugeFunc("journal_queue", "Queue.", func() float64 { return 2 })
	b := NewBoard(8)
	b.Put(raise("feed-silent", "radar-north"))
	b.Put(raise("feed-silent", "radar-south"))
	b.Put(raise("disk-full", ""))
	m.Conditions(b)
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	page := scrape(t, reg)
	for _, want := range []string{
		`tocsin_alerts_total{kind="update"} 3`, `tocsin_connections 7`, `tocsin_journal_entries_total 11`, `tocsin_journal_queue 2`,
		`tocsin_commit_seconds_bucket{le="0.025"} 1`, `tocsin_commit_seconds_bucket{le="0.01"} 0`,
		`tocsin_condition_raised{name="feed-silent"} 2`, `tocsin_condition_raised{name="disk-full"} 1`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, "radar-north") {
		t.Error("the page names a subject")
	}
	b.Put(clear("disk-full", ""))
	if strings.Contains(scrape(t, reg), "disk-full") {
		t.Error("a cleared condition is still shown")
	}
}

func TestMetricsTellWhatIsRefused(t *testing.T) {
	m := NewMetrics(prometheus.NewRegistry())
	m.Counter("alerts_total", "Alerts.")
	m.Gauge("alerts_total", "Alerts again, of another kind.").WithLabelValues().Set(1)
	m.Counter("bad\xffname", "Not a name.").WithLabelValues().Inc()
	err := m.Err()
	if err == nil || !strings.Contains(err.Error(), "alerts_total") || !strings.Contains(err.Error(), "bad") {
		t.Errorf("both refusals must be told, got: %v", err)
	}
}

func scrape(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	var page bytes.Buffer
	rec := httptest.NewRecorder()
	rec.Body = &page
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return page.String()
}
