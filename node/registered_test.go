package node

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/core/track/registration"
	"tocsin/health"
)

// What is known of a sensor is shown, what is not known is not, and what is gone goes.
func TestRegisteredSensorsAreShown(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newMetrics(health.NewMetrics(registry))
	shown := func() map[string]float64 {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, f := range families {
			if name := f.GetName(); name == "tocsin_sensor_bias" || name == "tocsin_sensor_bias_error" {
				for _, v := range f.GetMetric() {
					out[fmt.Sprint(name, " ", v.GetLabel()[1].GetValue(), " ", v.GetLabel()[0].GetValue())] = v.GetGauge().GetValue()
				}
			}
		}
		return out
	}
	m.registered([]registration.Bias{
		{Sensor: "north", Shown: true, Pairs: 40, Range: 150, Azimuth: 0.4, Errors: registration.Errors{Range: 10}},
		{Sensor: "unknown"},
	})
	got := shown()
	if len(got) != 8 || got["tocsin_sensor_bias north range"] != 150 || got["tocsin_sensor_bias north azimuth"] != 0.4 || got["tocsin_sensor_bias_error north range"] != 10 {
		t.Errorf("shown: %v", got)
	}
	m.registered(nil)
	if got := shown(); len(got) != 0 {
		t.Errorf("of sensors that are gone: %v", got)
	}
}
