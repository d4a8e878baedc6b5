package node

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/core/track/registration"
	"tocsin/core/warning"
	"tocsin/health"
	"tocsin/sensor/asterix"
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
	refused         *prometheus.CounterVec
	bias, biasError *prometheus.GaugeVec
}

func newMetrics(m *health.Metrics) *metrics {
	return &metrics{
		alerts:          m.Counter("alerts_total", "Alerts spoken.").WithLabelValues(),
		frames:          m.Counter("frames_total", "Frames signed and published.").WithLabelValues(),
		shed:            m.Counter("observations_shed_total", "Observations dropped because the core could not keep up.").WithLabelValues(),
		receiptsDropped: m.Counter("receipts_dropped_total", "Receipts dropped because the core could not keep up.").WithLabelValues(),
		stepSeconds:     m.Histogram("observation_seconds", "From an observation taken up to everything it changed spoken.", nil).WithLabelValues(),
		refused:         m.Counter("observations_refused_total", "Observations that the core did not use, by reason. Conditions name the source.", "reason"),
		keepSeconds:     m.Histogram("commit_seconds", "How long a decision waited for the disk.", nil).WithLabelValues(),
		bias: m.Gauge("sensor_bias", "What a sensor is found to be off by and is corrected for; zero until that is beyond doubt. "+
			"Range in metres, azimuth and elevation in degrees, clock in seconds.", "source", "of"),
		biasError:  m.Gauge("sensor_bias_error", "The standard deviation of what is left of a sensor's bias, in the same units.", "source", "of"),
		policyInfo: m.Gauge("policy_info", "The policy in force: 1, with its version and the hash of its file.", "version", "hash"),
	}
}

// registered shows what is believed of the sensors.
func (m *metrics) registered(all []registration.Bias) {
	m.bias.Reset()
	m.biasError.Reset()
	for _, b := range all {
		if b.Pairs == 0 {
			continue // nothing is known: no figure is better than a false zero
		}
		for of, v := range map[string][2]float64{
			"range": {float64(b.Range), float64(b.Errors.Range)}, "azimuth": {float64(b.Azimuth), float64(b.Errors.Azimuth)},
			"elevation": {float64(b.Tilt), float64(b.Errors.Tilt)}, "clock": {b.Clock.Seconds(), b.Errors.Clock.Seconds()},
		} {
			m.bias.WithLabelValues(b.Sensor, of).Set(v[0])
			m.biasError.WithLabelValues(b.Sensor, of).Set(v[1])
		}
	}
}

func (m *metrics) observation(d time.Duration) { m.stepSeconds.Observe(d.Seconds()) }

func (m *metrics) committed(d time.Duration) { m.keepSeconds.Observe(d.Seconds()) }

// policy shows the one in force; there is one at a time.
func (m *metrics) policy(p warning.Policy) {
	m.policyInfo.Reset()
	m.policyInfo.WithLabelValues(p.Version, p.Hash).Set(1)
}

// refusals are the conditions by which the core says that it did not use an observation.
var refusals = map[string]string{"observation-refused": "refused", "observation-late": "late", "source-unknown": "unknown-source"}

// told counts what a condition of the core says of observations.
func (m *metrics) told(c health.Condition) {
	if reason, counts := refusals[c.Name]; counts && c.Raised {
		m.refused.WithLabelValues(reason).Add(float64(max(1, c.Count)))
	}
}

// feedMetrics shows what each feed has counted since the start. They tell a feed that is
// silent from one that talks and is not understood. A feed is named by its number in the
// configuration: /metrics is read without a token, and names no subject.
type feedMetrics struct {
	feeds []*asterix.Feed
	now   func() time.Time
}

var (
	feedLabels       = []string{"feed"}
	feedDatagrams    = prometheus.NewDesc("tocsin_feed_datagrams_total", "Datagrams heard.", feedLabels, nil)
	feedBytes        = prometheus.NewDesc("tocsin_feed_bytes_total", "Octets of the datagrams heard.", feedLabels, nil)
	feedRecords      = prometheus.NewDesc("tocsin_feed_records_total", "Records decoded.", feedLabels, nil)
	feedObservations = prometheus.NewDesc("tocsin_feed_observations_total", "Observations made and handed to the core.", feedLabels, nil)
	feedFaults       = prometheus.NewDesc("tocsin_feed_faults_total", "What was heard and made no observation, by reason.", []string{"feed", "reason"}, nil)
	feedAge          = prometheus.NewDesc("tocsin_feed_last_observation_age_seconds", "How old the last observation is; absent while there was none.", feedLabels, nil)
)

// Describe is of prometheus.Collector.
func (m feedMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{feedDatagrams, feedBytes, feedRecords, feedObservations, feedFaults, feedAge} {
		out <- d
	}
}

// Collect is of prometheus.Collector.
func (m feedMetrics) Collect(out chan<- prometheus.Metric) {
	for i, f := range m.feeds {
		s, name := f.Stats(), strconv.Itoa(i+1)
		count := func(d *prometheus.Desc, n int, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{name}, labels...)...)
		}
		count(feedDatagrams, s.Datagrams)
		count(feedBytes, s.Bytes)
		count(feedRecords, s.Records)
		count(feedObservations, s.Observations)
		for _, r := range []struct {
			reason string
			n      int
		}{
			{"decode", s.Faults}, {"unknown-source", s.Unknown}, {"overrun", s.Overrun}, {"no-detection", s.NoDetection}, {"simulated", s.Simulated},
			{"test", s.Test}, {"monitor", s.Monitor}, {"coasted", s.Coasted}, {"inhibited", s.Inhibited}, {"unusable", s.Unusable}, {"other", s.Other},
		} {
			count(feedFaults, r.n, r.reason)
		}
		if !s.LastAt.IsZero() {
			out <- prometheus.MustNewConstMetric(feedAge, prometheus.GaugeValue, max(0, m.now().Sub(s.LastAt).Seconds()), name)
		}
	}
}
