package desk

import (
	"net/http"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// signed refuses to declare what the keys of the board may not sign: a 201 for a warning that
// no device is told of would be the worst answer there is.
func (d *Desk) signed(now time.Time, c Command, a asked) *refusal {
	s := d.cfg.Signing()
	for _, named := range []struct {
		field string
		ids   []zone.ID
	}{{"zones", a.zones}, {"regions", a.regions}} {
		var out []zone.ID
		for _, id := range named.ids {
			if !s.Permits(now, *c.Threat, id) {
				out = append(out, id)
			}
		}
		if len(out) > 0 {
			return unsigned(s, now, named.field, *c.Threat, out)
		}
		if r := lasts(s, now, c.Until, named.ids); r != nil {
			return r
		}
	}
	return nil
}

// unsigned says which part of the keys' jurisdiction stands against a warning.
func unsigned(s Signing, now time.Time, field string, threat class.Class, out []zone.ID) *refusal {
	slices.Sort(out)
	out = slices.Compact(out)
	if !s.Until(now, out[0]).After(now) {
		return refuse(http.StatusForbidden, field, "means %s, for which no key of the board is in force: no device would be told; `tocsin keys rotate` makes a key", places(out))
	}
	for _, other := range class.All() {
		if other != threat && s.Permits(now, other, out[0]) {
			return refuse(http.StatusForbidden, "threat", "is %s, of which no key of the board may warn: no device would be told; `tocsin keys list` shows what the keys may say", threat)
		}
	}
	return refuse(http.StatusForbidden, field, "means %s, outside the jurisdiction of the board's keys: no device would be told; name places within it, or have the authority warn whose key covers them", places(out))
}

// lasts refuses an until beyond the time for which there are keys.
func lasts(s Signing, now, until time.Time, ids []zone.ID) *refusal {
	for _, id := range ids {
		if end := s.Until(now, id); until.After(end) {
			return refuse(http.StatusUnprocessableEntity, "until", "is later than %s, when the last key of the board for %q ends: name an earlier one, or have a new key made (`tocsin keys rotate`)", stamp(end), clip(string(id)))
		}
	}
	return nil
}

// extended refuses an extension of which nothing would be on any device. What is beside it is
// extended: it must not be taken back with it.
func (d *Desk) extended(now time.Time, c Command, a asked, meant []warning.ZoneState) *refusal {
	if c.Action != warning.Extend {
		return nil
	}
	s := d.cfg.Signing()
	in := map[zone.ID]bool{}
	for _, id := range slices.Concat(a.zones, a.regions) {
		in[id] = true
	}
	var out, can []zone.ID
	var threat class.Class
	for _, z := range meant {
		if len(in) > 0 && !in[z.Zone] {
			continue
		}
		if s.Permits(now, z.Threat, z.Zone) {
			can = append(can, z.Zone)
		} else {
			out, threat = append(out, z.Zone), z.Threat
		}
	}
	field := "warning"
	switch {
	case len(c.Zones) > 0:
		field = "zones"
	case len(c.Regions) > 0:
		field = "regions"
	}
	if len(can) == 0 && len(out) > 0 {
		return refuse(http.StatusForbidden, field, "means %s, warned of %s, which no key of the board may sign: it is on no device, and would not be; `tocsin keys list` shows what the keys may say", places(out), threat)
	}
	return lasts(s, now, c.Until, can)
}
