package pipeline

import (
	"tocsin/core/observation"
	"tocsin/core/warning"
)

// Observe is the action of an order that is a person's words and no hand on warnings.
const Observe warning.Action = "observe"

// Order is the journal's form of what came in by the authority's door: a command on
// warnings or, where Said is set, words that enter as an observation (then Command has an
// ID, the action Observe and By, and nothing else).
type Order struct {
	warning.Command
	// Content is a digest of what was asked, as it was asked: the same id with another one
	// is another command.
	Content string `json:"content,omitempty"`
	Said    *Said  `json:"said,omitempty"`
	// Position is where the journal keeps it; 0 where that is not known.
	Position int64 `json:"-"`
}

// Said is an observation by a person in a form that can be kept. One of Fix, Bearing and
// Cue is set, and is its body.
type Said struct {
	observation.Observation
	Fix     *observation.Fix     `json:"fix,omitempty"`
	Bearing *observation.Bearing `json:"bearing,omitempty"`
	Cue     *observation.Cue     `json:"cue,omitempty"`
}

// Input is what the core is given for it.
func (o Order) Input() Input {
	if o.Said == nil {
		return Commanded{o.Command}
	}
	said := o.Said.Observation
	// As the journal gives it back: a wall time, without what a clock of this process knows.
	said.ObservedAt, said.ReceivedAt = said.ObservedAt.Round(0), said.ReceivedAt.Round(0)
	switch {
	case o.Said.Fix != nil:
		said.Body = *o.Said.Fix
	case o.Said.Bearing != nil:
		said.Body = *o.Said.Bearing
	case o.Said.Cue != nil:
		cue := *o.Said.Cue
		cue.LaunchedAt = cue.LaunchedAt.Round(0)
		said.Body = cue
	}
	return Observed{Observation: said}
}

// Answered is a command that was carried out or refused: enough to give the answer again,
// and to tell a repeat from other content under the same id. Content is empty where the
// command itself was not read back.
type Answered struct {
	Content string
	Answer  Answer
}
