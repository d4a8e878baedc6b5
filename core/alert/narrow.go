package alert

import (
	"time"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// Narrow is an alert without the zones and threats that its sender may not speak of, worded
// anew; the alert itself where that is all of them. zones is the set that it was made of.
// The error is ErrNothingToSay where nothing is left, else that of a text that is missing.
// What the alert refers to is left as it is: a reader passes over what it never had.
func Narrow(a Alert, may func(class.Class, zone.ID) bool, zones *zone.Set, cfg Config) (Alert, error) {
	var items []Item
	dropped := false
	for _, it := range a.Items {
		var kept []zone.ID
		for _, id := range it.Zones {
			if may(it.Threat, id) {
				kept = append(kept, id)
			}
		}
		dropped = dropped || len(kept) < len(it.Zones)
		if it.Zones = kept; len(kept) > 0 {
			items = append(items, it)
		}
	}
	switch {
	case !dropped:
		return a, nil
	case len(items) == 0:
		return Alert{}, ErrNothingToSay
	}
	if cfg.words == nil {
		var err error
		if cfg, err = cfg.Prepare(); err != nil {
			return Alert{}, err
		}
	}
	a.Items, a.Texts, a.Areas, a.Expires = items, nil, nil, time.Time{}
	for _, it := range items {
		a.Expires = later(a.Expires, it.Until)
	}
	if err := a.word(zones, cfg); err != nil {
		return Alert{}, err
	}
	a.name(zones, cfg)
	a.Note = note(a)
	return a, nil
}
