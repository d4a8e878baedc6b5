// Package warning decides: it holds the policy and the whole life of every warning.
//
// In: forecasts, coverage, health, commands and the time. Out: warnings that
// changed. It never words a text, never speaks, and never takes silence, expiry or
// a restart for an all-clear.
//
// # One zone
//
// The steps a zone may take are one table (life.go). The policy starts a stage when the
// probability that anything reaches the zone is high enough and it is time (judge.go),
// and ends it only on evidence: each track that was a cause is landed, shown to be
// friendly, seen elsewhere, or unseen past its latest arrival with a sensor looking; what
// is left is below the clear level; that holds for the hold time; the minimum stay is
// over; and a live sensor covers the zone (weigh.go). While a cause lasts, or is lost, the
// until is extended, up to the policy's longest after it was last seen.
//
// # Which warning takes a zone
//
// A track whose threatened zones touch no automatic warning starts a new one. Otherwise it
// joins the oldest (by Since, then ID) that holds one of them, or did within the policy's
// rearm, or has the track as a cause. A zone stays with the warning that took it first, and warnings never
// merge. A warning that is full (MaxZones) is passed over.
//
// # Declared beside automatic
//
// A zone is in at most one automatic warning, and in any number of declared ones beside
// it. They do not know of each other: an end of one never ends another, and neither
// changes the other's until. What is shown is the graver (Graver). An end in one while
// another holds the zone is written down with that other's ID (EndedZone.Under) and not
// said: nobody there may come out yet. A declared warning ends by a person or by its until,
// never by the policy.
//
// # A person's hand
//
// A command is spoken at once. Extend moves an until later, never earlier, and holds off
// expiry, not evidence: an automatic zone may still be cleared before. A person's end of an
// automatic zone holds there against its tracks for the policy's respect, unless their
// stage would be graver than the one ended; and where a whole warning is cancelled (it was
// a mistake) it holds for these tracks everywhere.
package warning

import (
	"fmt"
	"time"

	"tocsin/core/class"
	"tocsin/core/threat"
	"tocsin/core/zone"
)

// ID names a warning, stable for the episode and never used again. It holds no
// space, comma, '<' or '&', and at most 20 characters.
type ID string

// Stage is what people in a zone do.
type Stage uint8

// Quiet: nothing. Prepare: stay near shelter. Shelter: go now, stay until told.
const (
	Quiet Stage = iota
	Prepare
	Shelter
)

var stageNames = []string{"quiet", "prepare", "shelter"}

func (s Stage) String() string { return text(stageNames, int(s)) }

// MarshalText writes the contract's name.
func (s Stage) MarshalText() ([]byte, error) { return marshal(stageNames, int(s), "stage") }

// UnmarshalText reads the contract's name.
func (s *Stage) UnmarshalText(b []byte) error {
	i, err := unmarshal(stageNames, b, "stage")
	*s = Stage(i)
	return err
}

// End is how a zone left a warning. The three are never mixed.
type End uint8

// AllClear: danger has passed. Cancelled: it was our mistake. Expired: no news came
// in time; unknown, not safe.
const (
	NotEnded End = iota
	AllClear
	Cancelled
	Expired
)

var endNames = []string{"", "all-clear", "cancelled", "expired"}

func (e End) String() string { return text(endNames, int(e)) }

// MarshalText writes the contract's name; NotEnded is empty.
func (e End) MarshalText() ([]byte, error) { return marshal(endNames, int(e), "end") }

// UnmarshalText reads the contract's name.
func (e *End) UnmarshalText(b []byte) error {
	i, err := unmarshal(endNames, b, "end")
	*e = End(i)
	return err
}

// Sure is how sure we are, in the contract's words.
type Sure uint8

// Low is the zero value: nothing is claimed that was not computed.
const (
	Low Sure = iota
	Medium
	High
)

var sureNames = []string{"low", "medium", "high"}

func (s Sure) String() string { return text(sureNames, int(s)) }

// MarshalText writes the contract's name.
func (s Sure) MarshalText() ([]byte, error) { return marshal(sureNames, int(s), "sureness") }

// UnmarshalText reads the contract's name.
func (s *Sure) UnmarshalText(b []byte) error {
	i, err := unmarshal(sureNames, b, "sureness")
	*s = Sure(i)
	return err
}

// By is who stands behind a decision.
type By uint8

// Policy is the automatic decision; an Operator ends or extends; an Authority is
// the legal sender and declares.
const (
	ByPolicy By = iota
	ByOperator
	ByAuthority
)

var byNames = []string{"policy", "operator", "authority"}

func (b By) String() string { return text(byNames, int(b)) }

// MarshalText writes the name.
func (b By) MarshalText() ([]byte, error) { return marshal(byNames, int(b), "issuer kind") }

// UnmarshalText reads the name.
func (b *By) UnmarshalText(t []byte) error {
	i, err := unmarshal(byNames, t, "issuer kind")
	*b = By(i)
	return err
}

// Issuer is the person or rule behind a decision, by name.
type Issuer struct {
	Kind By     `json:"kind"`
	Name string `json:"name,omitempty"` // the token's or authority's id; empty for the policy
}

// Cause is what a warning is about: a track or a declared cause. Over says that it
// no longer threatens, with the evidence; a Lost cause is not over.
type Cause struct {
	Track    string      `json:"track,omitempty"`
	Declared string      `json:"declared,omitempty"` // the command's id
	Threat   class.Class `json:"threat"`
	Over     string      `json:"over,omitempty"` // passed, landed, due, friendly, policy
	Lost     bool        `json:"lost,omitempty"`
	SeenAt   time.Time   `json:"seen_at,omitzero"` // when the track was last observed
	// Evidence is what it rests on, one line an observation; bounded.
	Evidence []string `json:"evidence,omitempty"`
}

// Basis is what explain prints for one zone: the rule, its figures, the causes.
// It is for the desk and the journal and never leaves the house.
type Basis struct {
	Rule    string             `json:"rule"`
	Figures map[string]float64 `json:"figures,omitempty"`
	Causes  []string           `json:"causes,omitempty"` // track ids or command ids
}

// ZoneState is one zone inside a warning.
type ZoneState struct {
	Zone    zone.ID        `json:"zone"`
	Stage   Stage          `json:"stage"` // Prepare or Shelter
	Threat  class.Class    `json:"threat"`
	Sure    Sure           `json:"sure"`
	Since   time.Time      `json:"since"` // start of this stage
	Until   time.Time      `json:"until"` // hard expiry
	Arrival threat.Arrival `json:"arrival,omitzero"`
	// Due is the latest arrival of everything that may still come, seen or lost; zero where
	// that is not known. It is not public: after a restart it is what is waited for.
	Due   time.Time `json:"due,omitzero"`
	Basis Basis     `json:"basis"`
}

// EndedZone is a zone that left, as it last was, how, and by whom. Under names another
// warning that still held the zone at that moment: then nobody there may come out, and
// the end is not said in public.
type EndedZone struct {
	ZoneState
	End   End       `json:"end"`
	At    time.Time `json:"ended_at"`
	By    Issuer    `json:"ended_by"`
	Why   string    `json:"why"` // one line
	Under ID        `json:"under,omitempty"`
}

// Warning is the decision and its whole life at one moment. Zones and Ended are in
// ascending zone order; a zone is in at most one of them, and Ended keeps a zone for
// the life of the warning (until it is warned again). When Zones is empty the
// warning is over.
type Warning struct {
	ID       ID          `json:"id"`
	Revision int         `json:"revision"` // grows with each change
	At       time.Time   `json:"at"`
	Since    time.Time   `json:"since"`
	Causes   []Cause     `json:"causes"`
	Zones    []ZoneState `json:"zones"`
	Ended    []EndedZone `json:"ended,omitempty"`
	Policy   string      `json:"policy"` // hash of the policy file it was decided under
	By       Issuer      `json:"by"`
	Reason   string      `json:"reason,omitempty"` // a declarer's words
}

// Over reports whether no zone is left in it.
func (w Warning) Over() bool { return len(w.Zones) == 0 }

// Change is one warning that changed. Touched are the zones that did, ascending;
// ArrivalOnly says that nothing but arrivals or sureness changed: the board says so, CAP
// does not.
type Change struct {
	Warning     Warning
	Touched     []zone.ID
	ArrivalOnly bool
}

// Action is what a command does.
type Action string

// The authority's door, less observe (which enters as an observation). Confirm and Veto
// answer what a policy proposes in a mode that is not automatic.
const (
	Declare  Action = "declare"
	Extend   Action = "extend"
	EndsZone Action = "end"
	Confirm  Action = "confirm"
	Veto     Action = "veto"
)

// Command is a person's hand on the warnings. Declare names Zones or Regions (or
// both), Stage, Threat, Until and Reason. Extend and End name a Warning, or Zones
// or Regions (every warning in force there), or both (those zones of that warning), and
// Until or End. Confirm and Veto name Zones or Regions, and the Stage they are about: what
// is proposed there beside it is not answered (Quiet: whatever is proposed there).
type Command struct {
	ID      string      `json:"id"`
	Action  Action      `json:"action"`
	By      Issuer      `json:"by"`
	Warning ID          `json:"warning,omitempty"`
	Zones   []zone.ID   `json:"zones,omitempty"`
	Regions []zone.ID   `json:"regions,omitempty"`
	Stage   Stage       `json:"stage,omitempty"`
	Threat  class.Class `json:"threat,omitempty"`
	Until   time.Time   `json:"until,omitzero"`
	End     End         `json:"end,omitempty"`
	Reason  string      `json:"reason,omitempty"`
}

// RefusedError is a command that is not taken, with the field that is wrong.
type RefusedError struct{ Field, Why string }

func (e *RefusedError) Error() string { return fmt.Sprintf("warning: %s: %s", e.Field, e.Why) }

func text(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("?%d", i)
	}
	return names[i]
}

func marshal(names []string, i int, what string) ([]byte, error) {
	if i < 0 || i >= len(names) {
		return nil, fmt.Errorf("warning: %d is no %s", i, what)
	}
	return []byte(names[i]), nil
}

func unmarshal(names []string, b []byte, what string) (int, error) {
	for i, n := range names {
		if n == string(b) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("warning: %q is no %s", b, what)
}
