package threat

import (
	"tocsin/core/observation"
	"tocsin/core/track"
)

// The words of the rooms above that a Forecast is made of, so that whoever reads one
// needs no door but this.
type (
	// TrackID names the track that was forecast.
	TrackID = track.ID
	// Standing is whose the object is believed to be.
	Standing = observation.Allegiance
)

// Where the track that was forecast is in its life, and why it ended.
const (
	Tentative = track.Tentative
	Confirmed = track.Confirmed
	Coasting  = track.Coasting
	Ended     = track.Ended

	Landed = track.Landed
	Lost   = track.Lost
	Merged = track.Merged
)

// Whose the object is believed to be.
const (
	Unstated = observation.Unstated
	Friend   = observation.Friend
	Neutral  = observation.Neutral
	Foe      = observation.Foe
)
