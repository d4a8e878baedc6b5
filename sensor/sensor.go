// Package sensor is the edge in: what every protocol that turns foreign bytes into
// observations has done for it once.
//
// In: a Sensor, one folder a protocol. Out: its observations, bounded in rate and size, and
// conditions for what is not well: a sensor that failed and is started again, a source that
// fell silent, a flood. It never judges what an observation means.
package sensor

import (
	"context"
	"time"

	"tocsin/core/observation"
)

// Sensor is one feed. Run blocks until the context ends or the feed fails, and hands each
// observation to emit from one goroutine; what it hands over is the receiver's. It may be
// called again after it returned.
type Sensor interface {
	Run(ctx context.Context, emit func(observation.Observation)) error
}

// Hearer is what a Sensor may do besides: say when a source last gave a sign of life, be it
// one that makes no observation (a status message). It is called from another goroutine.
type Hearer interface {
	Heard(source string) time.Time
}
