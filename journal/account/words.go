package account

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tocsin/core/warning"
)

const form = "2006-01-02 15:04:05Z"

func clock(t time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return t.UTC().Format(form)
}

// Words is the account for a person, in lines.
func (a Account) Words() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	place := string(a.Zone)
	if a.Name != "" {
		place = a.Name + " (" + place + ")"
	}
	switch {
	case a.Expired:
		say("%s at %s: NO NEWS. Its warning ran until %s and the journal tells no end: unknown, not safe.", place, clock(a.At), clock(a.Warnings[0].State.Until))
	case a.Shown != "":
		say("%s at %s: %s, threat %s, by the warning %s.", place, clock(a.At), strings.ToUpper(a.Stage.String()), a.Threat, a.Shown)
	case len(a.Warnings) == 0:
		say("%s at %s: QUIET. No warning of this zone is in the journal up to then.", place, clock(a.At))
	default:
		say("%s at %s: QUIET. The last warning that held it:", place, clock(a.At))
	}
	for _, t := range a.Warnings {
		b.WriteByte('\n')
		t.words(say)
	}
	b.WriteByte('\n')
	if a.Entries == 0 {
		say("The journal has no entry up to then.")
	} else {
		say("From %d entries of the journal, the newest of %s.", a.Entries, clock(a.Last))
	}
	if a.Left > 0 {
		say("%d steps, commands or alerts are over the bounds of an account and left out.", a.Left)
	}
	if a.Faults > 0 {
		say("%d entries could not be read; something may be missing here.", a.Faults)
	}
	return b.String()
}

func (t Told) words(say func(string, ...any)) {
	who := "decided by the policy"
	if t.By.Kind != warning.ByPolicy {
		who = fmt.Sprintf("declared by the %s %s", t.By.Kind, t.By.Name)
	}
	say("Warning %s, %s at %s", t.ID, who, clock(t.Since))
	if t.Reason != "" {
		say("  reason: %s", t.Reason)
	}
	s := t.State
	say("  here: %s, threat %s (sure: %s), since %s, until %s", s.Stage, s.Threat, s.Sure, clock(s.Since), clock(s.Until))
	if s.Arrival.Known() {
		say("  arrival: %s to %s, likely %s", clock(s.Arrival.Earliest), clock(s.Arrival.Latest), clock(s.Arrival.Likely))
	}
	say("  rule: %s", s.Basis.Rule)
	for _, name := range slices.Sorted(maps.Keys(s.Basis.Figures)) {
		say("    %s: %.4g", name, s.Basis.Figures[name])
	}
	if t.Policy != "" {
		say("  policy: %s", t.Policy)
	}
	t.because(say)
	if l := t.Left; l != nil {
		say("  left at %s: %s, by %s: %s", clock(l.At), l.End, issuer(l.By), l.Why)
		if l.Under != "" {
			say("    not said in public: the warning %s still held the zone", l.Under)
		}
	}
	for _, line := range t.course() {
		say("  %s", line)
	}
}

// course is what was commanded, decided and said, in the order of the journal.
func (t Told) course() []string {
	type told struct {
		position int64
		words    string
	}
	var all []told
	for _, c := range t.Commands {
		all = append(all, told{c.Position, c.words()})
	}
	for _, x := range t.Steps {
		all = append(all, told{x.Position, x.words()})
	}
	for _, x := range t.Alerts {
		all = append(all, told{x.Position, x.words()})
	}
	slices.SortStableFunc(all, func(a, b told) int { return cmp.Compare(a.position, b.position) })
	lines := make([]string, len(all))
	for i, one := range all {
		lines[i] = fmt.Sprintf("%s [entry %d]", one.words, one.position)
	}
	return lines
}

func (x Step) words() string {
	if x.End != warning.NotEnded {
		return fmt.Sprintf("%s  step %d: %s", clock(x.At), x.Revision, x.End)
	}
	return fmt.Sprintf("%s  step %d: %s, threat %s, until %s, by the rule %s", clock(x.At), x.Revision, x.Stage, x.Threat, clock(x.Until), x.Rule)
}

func (x Alert) words() string {
	line := fmt.Sprintf("%s  alert %s (%s) on the board", clock(x.Sent), x.ID, x.Kind)
	for _, r := range x.Receipts {
		line += fmt.Sprintf("; %s: %s at %s", r.Channel, r.State, clock(r.At))
		if r.Reason != "" {
			line += " (" + r.Reason + ")"
		}
	}
	return line
}

func (c Command) words() string {
	line := fmt.Sprintf("%s  command %s: %s by %s", clock(c.At), c.ID, c.Action, issuer(c.By))
	if !c.Until.IsZero() {
		line += " until " + clock(c.Until)
	}
	if c.End != warning.NotEnded {
		line += ", " + c.End.String()
	}
	if c.Reason != "" {
		line += "; " + c.Reason
	}
	if c.Refused != "" {
		line += "; refused: " + c.Refused
	}
	return line
}

// because names what the warning is about, as far as it concerns the zone.
func (t Told) because(say func(string, ...any)) {
	for _, c := range t.Causes {
		switch here := t.State.Basis.Causes; {
		case c.Declared != "":
			say("  cause: the command %s", c.Declared)
			continue
		case len(here) > 0 && !slices.Contains(here, c.Track):
			continue
		}
		line := fmt.Sprintf("  cause: track %s, %s, last observed %s", c.Track, c.Threat, clock(c.SeenAt))
		if c.Lost {
			line += ", lost"
		}
		if c.Over != "" {
			line += ", over: " + c.Over
		}
		say("%s", line)
		for _, e := range c.Evidence {
			say("    observed: %s", e)
		}
	}
}

func issuer(i warning.Issuer) string {
	if i.Name == "" {
		return "the " + i.Kind.String()
	}
	return fmt.Sprintf("the %s %s", i.Kind, i.Name)
}
