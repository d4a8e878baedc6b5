package health

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// prefix stands before the name of every metric of ours.
const prefix = "tocsin_"

// LatencyBuckets are the upper bounds, in seconds, for the times of this house: from half a
// millisecond (a commit on a good disk) over 0.25 (where speaking no longer waits for the
// disk) to ten seconds (a beat). The caller may change its copy.
func LatencyBuckets() []float64 {
	return []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
}

// Metrics makes metrics on one registry. A name that is refused (malformed, taken by a
// metric of another shape) is kept as an error, told by Err once all are made; the metric
// returned in that case works and is merely not shown. Label values must come from closed
// lists (a channel's name, a reason), never from a stranger: each is kept for ever.
type Metrics struct {
	registry prometheus.Registerer
	errs     []error
}

// NewMetrics makes metrics on the given registry; there is no default one.
func NewMetrics(registry prometheus.Registerer) *Metrics { return &Metrics{registry: registry} }

// Err returns every refusal so far, nil if there was none.
func (m *Metrics) Err() error { return errors.Join(m.errs...) }

// Counter makes a count that only grows. By convention its name ends in _total; the name
// is given without the house's prefix.
func (m *Metrics) Counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	m.register(name, c)
	return c
}

// Gauge makes a number that goes up and down.
func (m *Metrics) Gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
	m.register(name, g)
	return g
}

// Histogram makes a distribution; buckets are upper bounds in the unit the name ends in,
// LatencyBuckets if nil.
func (m *Metrics) Histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	if buckets == nil {
		buckets = LatencyBuckets()
	}
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
	m.register(name, h)
	return h
}

// CounterFunc shows a count that a room keeps itself; read is called at each scrape, from
// any goroutine, and must not block.
func (m *Metrics) CounterFunc(name, help string, read func() float64) {
	m.register(name, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, read))
}

// GaugeFunc shows a number that a room keeps itself, on the terms of CounterFunc.
func (m *Metrics) GaugeFunc(name, help string, read func() float64) {
	m.register(name, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, read))
}

// Conditions shows how many conditions of each name the board holds, as
// tocsin_condition_raised{name}. Subjects are left out: /metrics may be read by more people
// than the desk, and a name per subject has no bound.
func (m *Metrics) Conditions(b *Board) {
	m.register("condition_raised", conditions{b, prometheus.NewDesc(prefix+"condition_raised",
		"Conditions raised now, by name.", []string{"name"}, nil)})
}

func (m *Metrics) register(name string, c prometheus.Collector) {
	if err := m.registry.Register(c); err != nil {
		m.errs = append(m.errs, fmt.Errorf("health: metric %s: %w", name, err))
	}
}

// conditions reads a board at each scrape.
type conditions struct {
	board *Board
	desc  *prometheus.Desc
}

func (c conditions) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

func (c conditions) Collect(out chan<- prometheus.Metric) {
	counts := make(map[string]int)
	for _, raised := range c.board.Raised() {
		counts[raised.Name]++
	}
	for name, n := range counts {
		out <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n), name)
	}
}
