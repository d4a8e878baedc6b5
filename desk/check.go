package desk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// refusal is why a command is not taken.
type refusal struct {
	status int
	fault
}

func refuse(status int, field, format string, args ...any) *refusal {
	return &refusal{status, fault{field, fmt.Sprintf(format, args...)}}
}

// stamp is a time as the contract writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// named bounds how many places a refusal lists; the rest is counted.
const named = 5

func places(ids []zone.ID) string {
	var out []string
	for _, id := range ids[:min(len(ids), named)] {
		out = append(out, fmt.Sprintf("%q", clip(string(id))))
	}
	s := strings.Join(out, ", ")
	if len(ids) > named {
		s += fmt.Sprintf(" and %d more", len(ids)-named)
	}
	return s
}

// check holds a command of the right form against the time, the zones, what is in force
// and the token, and makes of it what is kept and carried out.
func (d *Desk) check(now time.Time, g Grant, c Command) (pipeline.Order, *refusal) {
	o := pipeline.Order{Content: c.content(g.Name), Command: warning.Command{
		ID: c.ID, Action: c.Action, By: g.issuer(), Warning: c.Warning, Zones: c.Zones, Regions: c.Regions,
		Stage: c.Stage, Until: c.Until, End: c.End, Reason: c.Reason,
	}}
	if c.Threat != nil {
		o.Threat = *c.Threat
	}
	if c.Universe != "" && c.Universe != d.cfg.Universe {
		return o, refuse(http.StatusUnprocessableEntity, "universe", "is %s, and this desk is of the universe %s: nothing passes from one to the other", c.Universe, d.cfg.Universe)
	}
	if r := clocks(now, c); r != nil {
		return o, r
	}
	switch c.Action {
	case pipeline.Observe:
		return o, d.observed(now, g, c, &o)
	case warning.Declare:
		return o, d.declared(now, g, c)
	case warning.Confirm, warning.Veto:
		return o, d.proposed(now, g, c)
	default:
		return o, d.changed(now, g, c, &o)
	}
}

func clocks(now time.Time, c Command) *refusal {
	const wrong = http.StatusUnprocessableEntity
	if !c.Sent.IsZero() {
		if apart := now.Sub(c.Sent).Round(time.Second); apart > Apart || apart < -Apart {
			return refuse(wrong, "sent", "is %s, and here it is %s: the clocks are %s apart; set the wrong one right, for a time in a warning must mean the same to both",
				stamp(c.Sent), stamp(now), apart.Abs())
		}
	}
	if c.Until.IsZero() {
		return nil
	}
	switch {
	case !c.Until.After(now):
		return refuse(wrong, "until", "is %s, which is not in the future: here it is %s", stamp(c.Until), stamp(now))
	case c.Until.Sub(now) > Ahead:
		return refuse(wrong, "until", "is over %s ahead; name an earlier one and extend it while the danger lasts", Ahead)
	}
	return nil
}

// How far from a token's places what it saw may be, and what it was told had been launched: what
// matters comes from outside, but nobody sees across a country.
const (
	sight  geo.Metres = 300e3
	launch geo.Metres = 1_500e3
)

// observed makes the observation. It is bound by the token's threats, and by its places as far
// as one can see from them. What is not said to be of a kind may be of any.
func (d *Desk) observed(now time.Time, g Grant, c Command, o *pipeline.Order) *refusal {
	if !g.Everything {
		says := class.Unknown
		if c.Observe.Says != nil {
			says = *c.Observe.Says
		}
		if !g.Area.Class(says) {
			return refuse(http.StatusForbidden, "observe.says", "is %s, of which this token may not speak", says)
		}
		if field, at, within := c.Observe.where(); !g.near(d.cfg.Zones(), at, within) {
			return refuse(http.StatusForbidden, field, "is over %.0f km from every place of the token %s", float64(within)/1000, g.Name)
		}
	}
	said, f := c.Observe.said(now, g.Source)
	if f != nil {
		return &refusal{http.StatusUnprocessableEntity, *f}
	}
	o.Said = said
	return nil
}

// near reports whether a place of the token lies within a distance of a point.
func (g Grant) near(set *zone.Set, at geo.Point, within geo.Metres) bool {
	for z := range set.All {
		if geo.Distance(at, z.Label) <= within && g.Area.Region(set.Region(z.ID)) && g.Area.Within(z.ID) {
			return true
		}
	}
	return false
}

// asked are the leaves that the zones and the regions of a command stand for.
type asked struct{ zones, regions []zone.ID }

// resolve finds what a command names. Where warned is not nil, a zone of an earlier set
// that is still warned counts as known.
func resolve(set *zone.Set, c Command, warned map[zone.ID]bool) (asked, *refusal) {
	var a asked
	var unknown, gone []zone.ID
	ends := c.Action == warning.EndsZone || c.Action == warning.Veto
	for _, id := range c.Zones {
		switch known, coarser, ok := set.Resolve(id); {
		case set.Gone(id) && warned[id]:
			a.zones = append(a.zones, id)
		case set.Gone(id) && ends:
			gone = append(gone, id)
		case ok && coarser:
			a.zones = append(a.zones, set.Leaves(known)...)
		case ok:
			a.zones = append(a.zones, known)
		case warned[id]:
			a.zones = append(a.zones, id)
		default:
			unknown = append(unknown, id)
		}
	}
	if len(gone) > 0 {
		return a, refuse(http.StatusUnprocessableEntity, "zones", "names %s, which the zone set does not have any more, and what took its place is more than it was; name the zones that are there now, as GET /v1/warnings lists them", places(gone))
	}
	if len(unknown) > 0 {
		return a, refuse(http.StatusUnprocessableEntity, "zones", "names %s, which the zone set does not know; the public side lists what there is under /v1/zones", places(unknown))
	}
	for _, id := range c.Regions {
		leaves := set.Leaves(id)
		if len(leaves) == 0 {
			unknown = append(unknown, id)
		}
		a.regions = append(a.regions, leaves...)
	}
	if len(unknown) > 0 {
		return a, refuse(http.StatusUnprocessableEntity, "regions", "names %s, which is no region of the zone set; its regions are %s", places(unknown), places(set.Regions()))
	}
	return a, nil
}

// outside refuses places that a token has no say over.
func (g Grant) outside(set *zone.Set, field string, ids []zone.ID) *refusal {
	if g.Everything {
		return nil
	}
	var out []zone.ID
	for _, id := range ids {
		if !g.Area.Region(set.Region(id)) || !g.Area.Within(id) {
			out = append(out, id)
		}
	}
	if len(out) == 0 {
		return nil
	}
	slices.Sort(out)
	return refuse(http.StatusForbidden, field, "means %s, outside the jurisdiction of the token %s; name places within it", places(slices.Compact(out)), g.Name)
}

func (d *Desk) declared(now time.Time, g Grant, c Command) *refusal {
	if !g.Everything && !g.Area.Class(*c.Threat) {
		return refuse(http.StatusForbidden, "threat", "is %s, of which the token %s may not warn", *c.Threat, g.Name)
	}
	set := d.cfg.Zones()
	a, r := resolve(set, c, nil)
	if r != nil {
		return r
	}
	if r := g.outside(set, "zones", a.zones); r != nil {
		return r
	}
	if r := g.outside(set, "regions", a.regions); r != nil {
		return r
	}
	return d.signed(now, c, a)
}

// changed checks an extension or an end against what is in force now. A token with limits
// that names a warning alone is held to the zones that the warning has now: should it grow
// before the command is carried out, the new zones are not touched.
func (d *Desk) changed(now time.Time, g Grant, c Command, o *pipeline.Order) *refusal {
	set, all := d.cfg.Zones(), d.cfg.Warnings()
	warned := map[zone.ID]bool{}
	found := c.Warning == ""
	var meant []warning.ZoneState
	for _, w := range all {
		if c.Warning != "" && w.ID != c.Warning {
			continue
		}
		found = found || !w.Over()
		for _, z := range w.Zones {
			warned[z.Zone] = true
			meant = append(meant, z)
		}
	}
	if !found {
		return refuse(http.StatusUnprocessableEntity, "warning", "is %q, which is not in force; GET /v1/warnings lists what is", clip(string(c.Warning)))
	}
	a, r := resolve(set, c, warned)
	if r != nil {
		return r
	}
	if r := d.extended(now, c, a, meant); r != nil || g.Everything {
		return r
	}
	if r := g.outside(set, "zones", a.zones); r != nil {
		return r
	}
	if r := g.outside(set, "regions", a.regions); r != nil {
		return r
	}
	if len(c.Zones)+len(c.Regions) == 0 {
		for _, z := range meant {
			a.zones = append(a.zones, z.Zone)
		}
		if r := g.outside(set, "warning", a.zones); r != nil {
			return r
		}
		slices.Sort(a.zones)
		o.Zones = a.zones
	}
	return g.otherThreat(c, a, meant)
}

// otherThreat refuses to touch a zone that is warned of what the token may not speak of.
func (g Grant) otherThreat(c Command, a asked, meant []warning.ZoneState) *refusal {
	in := map[zone.ID]bool{}
	for _, id := range slices.Concat(a.zones, a.regions) {
		in[id] = true
	}
	for _, z := range meant {
		if !in[z.Zone] || g.Area.Class(z.Threat) {
			continue
		}
		field := "warning"
		switch {
		case slices.Contains(a.zones, z.Zone) && len(c.Zones) > 0:
			field = "zones"
		case len(c.Regions) > 0:
			field = "regions"
		}
		return refuse(http.StatusForbidden, field, "means %q, which is warned of %s, of which the token %s may not speak", clip(string(z.Zone)), z.Threat, g.Name)
	}
	return nil
}
