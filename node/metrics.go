package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/core/warning"
	"tocsin/health"
)

// metrics are what /metrics of the desk tells of the loop.
type metrics struct {
	alerts          prometheus.Counter
	frames          prometheus.Counter
	shed            prometheus.Counter
	receiptsDropped prometheus.Counter
	stepSeconds     prometheus.Observer
	keepSeconds     prometheus.Observer
	policyInfo      *prometheus.GaugeVec
}

func newMetrics(m *health.Metrics) *metrics {
	return &metrics{
		alerts:          m.Counter("alerts_total", "Alerts spoken.").WithLabelValues(),
		frames:          m.Counter("frames_total", "Frames signed and published.").WithLabelValues(),
		shed:            m.Counter("observations_shed_total", "Observations dropped because the core could not keep up.").WithLabelValues(),
		receiptsDropped: m.Counter("receipts_dropped_total", "Receipts dropped because the core could not keep up.").WithLabelValues(),
		stepSeconds:     m.Histogram("observation_seconds", "From an observation taken up to everything it changed spoken.", nil).WithLabelValues(),
		keepSeconds:     m.Histogram("commit_seconds", "How long a decision waited for the disk.", nil).WithLabelValues(),
		policyInfo:      m.Gauge("policy_info", "The policy in force: 1, with its version and the hash of its file.", "version", "hash"),
	}
}

func (m *metrics) observation(d time.Duration) { m.stepSeconds.Observe(d.Seconds()) }

func (m *metrics) committed(d time.Duration) { m.keepSeconds.Observe(d.Seconds()) }

// policy shows the one in force; there is one at a time.
func (m *metrics) policy(p warning.Policy) {
	m.policyInfo.Reset()
	m.policyInfo.WithLabelValues(p.Version, p.Hash).Set(1)
}
