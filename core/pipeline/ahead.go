package pipeline

import (
	"time"

	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// ahead is the forecasts of a step: the most urgent ones, as many as a decision can wait
// for. The others are made in the next steps, which are due at once.
type ahead struct {
	queue  threat.Queue
	salvos threat.Salvos
	lanes  [lanes]*threat.Forecaster // a workspace for each that works side by side
}

const (
	// mostAhead is how many tracks are forecast in one step. It bounds how long one input
	// keeps the next one waiting: fifty forecasts take two processors about ten
	// milliseconds.
	mostAhead = 48
	// lanes is how many forecasts can be made side by side.
	lanes = 4
)

// use lays zones under the forecasts; those made over others are void.
func (a *ahead) use(zones *zone.Set, models threat.Models) {
	for i := range a.lanes {
		a.lanes[i] = threat.NewForecaster(zones, models)
	}
	a.queue.Forget()
}

// follow tells of the tracks that changed and forecasts those whose turn it is, each as it
// is after its last change. A track that goes on as forecast is not forecast again.
func (a *ahead) follow(now time.Time, out []Change, moved []track.Change, each func(n int, do func(i int))) ([]Change, []threat.Forecast) {
	for _, m := range moved {
		switch m.Kind {
		case track.WasConfirmed:
			out = append(out, TrackConfirmed{m.Track})
		case track.WasEnded:
			out = append(out, TrackEnded{m.Track})
		default:
			out = append(out, TrackUpdated{m.Track})
		}
		a.queue.Offer(now, m.Track)
	}
	tracks := a.queue.Take(now, mostAhead)
	salvos := make([]track.ID, len(tracks))
	for i := range tracks {
		salvos[i] = a.salvos.Of(&tracks[i])
	}
	forecasts := make([]threat.Forecast, len(tracks))
	each(min(lanes, len(tracks)), func(lane int) {
		for i := lane; i < len(tracks); i += lanes {
			forecasts[i] = a.lanes[lane].Predict(&tracks[i], salvos[i])
		}
	})
	for _, f := range forecasts {
		out = append(out, Forecast{f})
	}
	return out, forecasts
}

// inOrder is Each of a configuration that says none.
func inOrder(n int, do func(i int)) {
	for i := range n {
		do(i)
	}
}
