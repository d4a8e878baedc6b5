// Package threat forecasts: from a track to a probability and an arrival time per zone.
//
// In: a track, the zones, the models of what each class can do. Out: a Forecast;
// and, from the sources that are alive, a Coverage. It never decides a stage.
package threat

import (
	"time"

	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/track"
	"tocsin/core/zone"
)

// Arrival is when a zone may be reached: the 5 %, 50 % and 95 % quantiles, given
// that it is reached. The zero value is "unknown".
type Arrival struct {
	Earliest time.Time `json:"earliest,omitzero"`
	Likely   time.Time `json:"likely,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
}

// Known reports whether there is an arrival at all.
func (a Arrival) Known() bool { return !a.Earliest.IsZero() }

// Reach is one track and one zone: the probability that the zone is reached within
// the horizon, and when.
type Reach struct {
	Zone    zone.ID `json:"zone"`
	P       float64 `json:"p"`
	Arrival Arrival `json:"arrival"`
	// Lots is in which of the lots of its futures the zone is reached, a bit each. Of tracks of
	// one salvo the same lot holds the same plan: see Together.
	Lots uint64 `json:"lots,omitempty"`
}

// Lots is into how many lots the futures of a track are divided.
const Lots = 64

// Forecast is what one revision of one track may reach. Reaches are in ascending
// order of zone id and leave out zones of a probability below Negligible: a zone
// that is not named is not threatened by this track as it is now seen.
type Forecast struct {
	Track     track.ID               `json:"track"`
	Revision  int                    `json:"revision"`
	At        time.Time              `json:"at"`
	SeenAt    time.Time              `json:"seen_at"` // when the track was last observed
	Horizon   time.Duration          `json:"horizon"`
	Class     class.Mix              `json:"class"`
	Existence float64                `json:"existence"`
	Status    track.Status           `json:"status"`
	Reason    track.Reason           `json:"reason,omitempty"`
	Into      track.ID               `json:"into,omitempty"`
	Updates   int                    `json:"updates"`
	Sensors   int                    `json:"sensors"`         // how many kinds of sensor contribute
	Kinds     []string               `json:"kinds,omitempty"` // those kinds (observation.Source.Kind), ascending; bounded
	Standing  observation.Allegiance `json:"standing"`
	// Salvo is the salvo that it flies in, empty where it flies alone (Salvos).
	Salvo   track.ID `json:"salvo,omitempty"`
	Reaches []Reach  `json:"reaches"`
	// Evidence is what the track rests on, one line an observation, for explain; bounded.
	Evidence []string `json:"evidence,omitempty"`
}

// Negligible is the probability below which a reach is left out.
const Negligible = 0.001

// Coverage says per zone and class whether a live source could confirm or refute an
// object there. The zero value covers nothing.
type Coverage struct {
	covered map[zone.ID]view // by live sources
	dark    map[zone.ID]view // by registered ones that are not alive
	any     bool
	whole   bool
}

// Covers reports whether a live source could see an object of class c over zone id.
func (c Coverage) Covers(id zone.ID, k class.Class) bool {
	return k.Valid() && c.covered[id].classes[k]
}

// Watches reports whether zone id is in the picture at all: a live source could see, from the
// height of an aircraft up, what comes to it. It says nothing of what flies low there.
func (c Coverage) Watches(id zone.ID) bool { return c.covered[id].high }

// Blinded reports whether a source that is not alive now could see an object of class k over
// zone id, and no live one can: the eyes that would have seen it there are lost.
func (c Coverage) Blinded(id zone.ID, k class.Class) bool {
	return k.Valid() && c.dark[id].classes[k] && !c.covered[id].classes[k]
}

// Picture is the contract's one word for the whole country.
type Picture string

// Live: every source alive. Partial: some. None: no source alive.
const (
	PictureLive    Picture = "live"
	PicturePartial Picture = "partial"
	PictureNone    Picture = "none"
)

// Picture says how much of what is registered is alive.
func (c Coverage) Picture() Picture {
	switch {
	case c.whole:
		return PictureLive
	case c.any:
		return PicturePartial
	default:
		return PictureNone
	}
}
