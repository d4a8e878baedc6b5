// Package alert words a warning at one moment, as CAP content in every language.
//
// In: a warning that changed, the zones' names, the templates. Out: an Alert, its
// board items, its CAP 1.2 document. It has no field that could carry a track, a
// sensor, or a position that is not a zone, and it never decides anything.
package alert

import (
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// ID is a CAP identifier: no space, comma, '<' or '&'; at most 28 characters.
type ID string

// Universe is live or exercise. Nothing moves from one to the other.
type Universe string

// The two universes of the contract.
const (
	Live     Universe = "live"
	Exercise Universe = "exercise"
)

// Kind is the CAP msgType.
type Kind string

// The kinds we issue.
const (
	KindAlert  Kind = "alert"
	KindUpdate Kind = "update"
	KindCancel Kind = "cancel"
)

// Reference names an earlier alert of the same sender.
type Reference struct {
	ID   ID        `json:"id"`
	Sent time.Time `json:"sent"`
}

// Arrival is the part of an arrival that is public; absent times are unknown.
type Arrival struct {
	Earliest time.Time `json:"earliest,omitzero"`
	Likely   time.Time `json:"likely,omitzero"`
}

// Item is one statement of the public board: these zones, this stage, until then.
// Its JSON is the contract's. End is set only where it ends, and then Stage is quiet.
type Item struct {
	Stage   warning.Stage `json:"stage"`
	Threat  class.Class   `json:"threat"`
	Sure    warning.Sure  `json:"sure"`
	Since   time.Time     `json:"since"`
	Until   time.Time     `json:"until"`
	Arrival Arrival       `json:"arrival,omitzero"`
	Alert   ID            `json:"alert"`
	Zones   []zone.ID     `json:"zones"`
	End     warning.End   `json:"end,omitempty"`
	Text    string        `json:"text"` // key of the pre-agreed text
	// Withdrawn is an end in this warning alone: another one holds the zones, and nobody there
	// may come out. It is said in CAP, whose readers follow one warning at a time, never on
	// the board.
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// Text is the words of one stage (or end) in one language, for the items of that stage,
// threat, end and until. None may be empty.
type Text struct {
	Language    string        `json:"language"`
	Stage       warning.Stage `json:"stage"`
	End         warning.End   `json:"end,omitempty"`
	Withdrawn   bool          `json:"withdrawn,omitempty"` // see Item
	Threat      class.Class   `json:"threat"`
	Until       time.Time     `json:"until"`
	Event       string        `json:"event"`
	Headline    string        `json:"headline"`
	Description string        `json:"description"`
	Instruction string        `json:"instruction"`
}

// Area is one zone of the alert by name; its shape is looked up in the zone set of
// version Set when the CAP document is written.
type Area struct {
	Zone  zone.ID           `json:"zone"`
	Names map[string]string `json:"names"` // by language
}

// Alert is one CAP message about a warning at one moment.
type Alert struct {
	ID         ID          `json:"id"`
	Universe   Universe    `json:"universe"`
	Kind       Kind        `json:"kind"`
	Sender     string      `json:"sender"`
	Sent       time.Time   `json:"sent"`
	Expires    time.Time   `json:"expires"` // the latest until of its items
	References []Reference `json:"references,omitempty"`
	Items      []Item      `json:"items"`
	Texts      []Text      `json:"texts"`
	Areas      []Area      `json:"areas"`
	Set        string      `json:"set"` // version of the zone set
	Warning    warning.ID  `json:"warning"`
	Note       string      `json:"note,omitempty"`
}

// State is how far a channel got with an alert.
type State string

// Unknown is a value: a channel that cannot tell says so.
const (
	Queued    State = "queued"
	Accepted  State = "accepted"
	Broadcast State = "broadcast"
	Confirmed State = "confirmed"
	Failed    State = "failed"
	Unknown   State = "unknown"
)

// Receipt is what a channel answers for one alert.
type Receipt struct {
	Channel string            `json:"channel"`
	Alert   ID                `json:"alert"`
	State   State             `json:"state"`
	Reason  string            `json:"reason,omitempty"`
	At      time.Time         `json:"at"`
	Areas   map[zone.ID]State `json:"areas,omitempty"` // where the channel tells them apart
}
