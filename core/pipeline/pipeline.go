// Package pipeline is everything of the core behind one door: Step and Next.
//
// In: one input at a time, with the time. Out: what changed, in a fixed order. The
// same inputs in the same order give the same changes, byte for byte. It never
// reads a clock, starts a goroutine, does I/O or signs anything.
package pipeline

import (
	"fmt"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/observation"
	"tocsin/core/threat"
	"tocsin/core/track"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
)

// Input is the closed set of what enters the core.
type Input interface{ input() }

// Restored is the first input after a start: what was in force, from the journal.
type Restored struct {
	// Warnings are the last revision of each warning not yet over, and of those that ended
	// within the last hour (for the board's ends and for re-alerts).
	Warnings []warning.Warning
	// Alerts is per warning the last alerts, oldest first, for the references chain.
	Alerts []alert.Alert
	// Commands are the ids of commands taken before, so that none is taken twice.
	Commands []string
}

// Observed is one observation of a registered source. More are further ones that came with
// it, in their order: all are taken before anything is weighed, so that a look at a thousand
// objects is one decision and not a thousand.
type Observed struct {
	Observation observation.Observation
	More        []observation.Observation
}

// Commanded is a person's hand.
type Commanded struct{ Command warning.Command }

// Received is a channel's receipt.
type Received struct{ Receipt alert.Receipt }

// Health is a condition of the edges that the core should know: a feed that died.
type Health struct{ Condition health.Condition }

// PolicyChanged brings a new policy, already read and checked. File is what it was read
// from, for the recording alone; nil is the one that ships.
type PolicyChanged struct {
	Policy warning.Policy
	File   []byte
}

// ZonesChanged brings a new zone set. Every warned place stays warned.
type ZonesChanged struct{ Zones *zone.Set }

// Ticked is nothing but time passing. Due at Next.
type Ticked struct{}

func (Restored) input()      {}
func (Observed) input()      {}
func (Commanded) input()     {}
func (Received) input()      {}
func (Health) input()        {}
func (PolicyChanged) input() {}
func (ZonesChanged) input()  {}
func (Ticked) input()        {}

// Change is the closed set of what leaves the core.
type Change interface {
	change()
	// String is the one line that logs, journal and scenario traces share.
	String() string
}

// TrackConfirmed is a track that is real from now on.
type TrackConfirmed struct{ Track track.Track }

// TrackUpdated is a confirmed track that moved or coasts.
type TrackUpdated struct{ Track track.Track }

// TrackEnded is a confirmed track that is no more, with its reason.
type TrackEnded struct{ Track track.Track }

// Forecast is what a track may reach.
type Forecast struct{ Forecast threat.Forecast }

// WarningChanged is a decision. Items are what the board says of the whole warning
// from now on, ended zones included. ArrivalOnly: no alert goes with it.
type WarningChanged struct {
	Warning     warning.Warning
	Touched     []zone.ID
	ArrivalOnly bool
	Items       []alert.Item
}

// AlertReady is an alert to be committed, signed and spoken. It follows the
// WarningChanged it belongs to.
type AlertReady struct{ Alert alert.Alert }

// Refused is a command that was not taken.
type Refused struct {
	Command string
	Field   string
	Why     string
}

// Condition is something of ours that is not well, or well again.
type Condition struct{ Condition health.Condition }

func (TrackConfirmed) change() {}
func (TrackUpdated) change()   {}
func (TrackEnded) change()     {}
func (Forecast) change()       {}
func (WarningChanged) change() {}
func (AlertReady) change()     {}
func (Refused) change()        {}
func (Condition) change()      {}

func trackLine(verb string, tr track.Track) string {
	p := tr.State.Position.Position()
	s := fmt.Sprintf("track %s %s %s at %.3f,%.3f p %.2f from %d", tr.ID, verb, tr.Class.Best(), p.Lat, p.Lon, tr.Existence, tr.Updates)
	if tr.Status == track.Ended {
		s += " " + tr.Reason.String()
	}
	return s
}

func (c TrackConfirmed) String() string { return trackLine("confirmed", c.Track) }
func (c TrackUpdated) String() string   { return trackLine("updated", c.Track) }
func (c TrackEnded) String() string     { return trackLine("ended", c.Track) }

func (c Forecast) String() string {
	return fmt.Sprintf("forecast %s.%d reaches %d zones", c.Forecast.Track, c.Forecast.Revision, len(c.Forecast.Reaches))
}

// listed is how many zones a line names before it counts the rest.
const listed = 6

func zoneList(ids []zone.ID) string {
	s := ""
	for i, id := range ids {
		if i == listed {
			return s + fmt.Sprintf(" +%d", len(ids)-listed)
		}
		if i > 0 {
			s += " "
		}
		s += string(id)
	}
	return s
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// String groups what is in force by stage and threat, and tells an end when it comes;
// the board goes on telling it for an hour.
func (c WarningChanged) String() string {
	s := fmt.Sprintf("warning %s.%d", c.Warning.ID, c.Warning.Revision)
	if c.ArrivalOnly {
		return s + " arrival " + zoneList(c.Touched)
	}
	var groups []itemGroup
	for _, it := range c.Items {
		zones := it.Zones
		if it.End != warning.NotEnded {
			zones = slices.DeleteFunc(slices.Clone(zones), func(id zone.ID) bool { return !slices.Contains(c.Touched, id) })
		}
		groups = collect(groups, it, zones)
	}
	for _, g := range groups {
		s += g.String()
	}
	return s
}

// itemGroup is the items of one stage, threat and end, in one line.
type itemGroup struct {
	alert.Item
	last  time.Time // the latest until; Until is the earliest
	zones []zone.ID
}

func collect(groups []itemGroup, it alert.Item, zones []zone.ID) []itemGroup {
	if len(zones) == 0 {
		return groups
	}
	for i := range groups {
		g := &groups[i]
		if g.Stage == it.Stage && g.Threat == it.Threat && g.End == it.End {
			g.zones = append(g.zones, zones...)
			if it.Until.Before(g.Until) {
				g.Until = it.Until
			}
			if it.Until.After(g.last) {
				g.last = it.Until
			}
			return groups
		}
	}
	return append(groups, itemGroup{Item: it, last: it.Until, zones: slices.Clone(zones)})
}

func (g itemGroup) String() string {
	slices.Sort(g.zones)
	if g.End != warning.NotEnded {
		return fmt.Sprintf(" | %s %s: %s", g.End, g.Threat, zoneList(g.zones))
	}
	until := clock(g.Until)
	if !g.last.Equal(g.Until) {
		until += "-" + clock(g.last)
	}
	return fmt.Sprintf(" | %s %s until %s: %s", g.Stage, g.Threat, until, zoneList(g.zones))
}

func (c AlertReady) String() string {
	return fmt.Sprintf("alert %s %s refs %d areas %d expires %s", c.Alert.ID, c.Alert.Kind, len(c.Alert.References), len(c.Alert.Areas), clock(c.Alert.Expires))
}

func (c Refused) String() string {
	return fmt.Sprintf("command %s refused: %s: %s", c.Command, c.Field, c.Why)
}

func (c Condition) String() string { return c.Condition.String() }
