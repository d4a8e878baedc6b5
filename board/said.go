package board

import (
	"cmp"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// said is what is said of one zone: an item without its zones, as a value that can be
// compared. Times are Unix milliseconds; an unknown arrival is two zeros.
type said struct {
	stage            warning.Stage
	threat           class.Class
	sure             warning.Sure
	end              warning.End
	since, until     int64
	earliest, likely int64
	alert            alert.ID
	text             string
}

func saidOf(it *alert.Item) said {
	s := said{
		stage: it.Stage, threat: it.Threat, sure: it.Sure, end: it.End,
		since: it.Since.UnixMilli(), until: it.Until.UnixMilli(),
		alert: it.Alert, text: it.Text,
	}
	if arrivalKnown(it.Arrival) {
		s.earliest, s.likely = it.Arrival.Earliest.UnixMilli(), it.Arrival.Likely.UnixMilli()
	}
	return s
}

func (s said) item(zones []zone.ID) alert.Item {
	it := alert.Item{
		Stage: s.stage, Threat: s.threat, Sure: s.sure, End: s.end,
		Since: ofMilli(s.since), Until: ofMilli(s.until),
		Alert: s.alert, Text: s.text, Zones: zones,
	}
	if s.earliest != 0 {
		it.Arrival = alert.Arrival{Earliest: ofMilli(s.earliest), Likely: ofMilli(s.likely)}
	}
	return it
}

func ofMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func (s said) active() bool { return s.end == warning.NotEnded }

// The times that the contract's form can write.
var firstTime, lastTime = time.Unix(0, 0).UnixMilli(), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC).UnixMilli()

// mended is s with what a client would refuse made right: a wrong detail must not keep a
// warning from being shown.
func (s said) mended(id warning.ID) said {
	if !s.threat.Valid() {
		s.threat = class.Unknown
	}
	s.sure = min(s.sure, warning.High)
	if !Name(string(s.alert)) {
		if s.alert = alert.ID(id); !Name(string(id)) {
			s.alert = "unknown"
		}
	}
	if !Name(s.text) {
		if s.text = s.end.String(); s.active() {
			s.text = s.stage.String() + "-" + s.threat.String()
		}
	}
	s.since, s.until = min(max(s.since, firstTime), lastTime), min(max(s.until, firstTime), lastTime)
	if s.earliest != 0 && (s.earliest < firstTime || s.likely > lastTime || s.likely < firstTime || s.earliest > lastTime) {
		s.earliest, s.likely = 0, 0
	}
	return s
}

// stale reports whether an end has been on the board long enough.
func (s said) stale(now time.Time) bool {
	return !s.active() && !now.Before(ofMilli(s.since).Add(KeepEnds))
}

// expired is s as it ends when nobody says how.
func (s said) expired(now time.Time) said {
	s.stage, s.end, s.text = warning.Quiet, warning.Expired, warning.Expired.String()
	s.earliest, s.likely = 0, 0
	s.since = now.UnixMilli()
	return s
}

// caution orders the ends given at the same moment: unknown before safe before mistaken.
var caution = map[warning.End]int{warning.Expired: 2, warning.AllClear: 1, warning.Cancelled: 0}

// graver is negative where a is shown before b: what holds before what ended; stage, then
// earlier arrival, then the contract's order of threats; of two ends the later. What is
// left is only for a fixed order.
func graver(a, b said) int {
	if a.active() != b.active() {
		if a.active() {
			return -1
		}
		return 1
	}
	if !a.active() {
		return cmp.Or(-cmp.Compare(a.since, b.since), -cmp.Compare(caution[a.end], caution[b.end]), rest(a, b))
	}
	return cmp.Or(-cmp.Compare(a.stage, b.stage), arrivesBefore(a, b), cmp.Compare(a.threat.Rank(), b.threat.Rank()), rest(a, b))
}

func arrivesBefore(a, b said) int {
	if known, other := a.earliest != 0, b.earliest != 0; known != other {
		if known {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.earliest, b.earliest)
}

func rest(a, b said) int {
	return cmp.Or(-cmp.Compare(a.until, b.until), -cmp.Compare(a.sure, b.sure), cmp.Compare(a.likely, b.likely),
		cmp.Compare(a.since, b.since), cmp.Compare(a.threat.Rank(), b.threat.Rank()),
		cmp.Compare(a.alert, b.alert), cmp.Compare(a.text, b.text))
}

// group makes items of zones, gravest first; zones must be ascending and be in what.
func group(zones []zone.ID, what map[zone.ID]said) []alert.Item {
	under := map[said][]zone.ID{}
	var order []said
	for _, id := range zones {
		s := what[id]
		if under[s] == nil {
			order = append(order, s)
		}
		under[s] = append(under[s], id)
	}
	slices.SortFunc(order, graver)
	items := make([]alert.Item, len(order))
	for i, s := range order {
		items[i] = s.item(under[s])
	}
	return items
}

// room is how many bytes of items fit a change: what is left of MaxChange after header,
// signature and the members around the items.
var room = b64.DecodedLen(MaxChange-lineLength(0)) - 2*maxName - 300

// pack spreads items over as many lists as it needs so that each fits a change. Items
// stay in order, so what is gravest is said first.
func pack(items []alert.Item) [][]alert.Item {
	var out [][]alert.Item
	var list []alert.Item
	left := room
	for _, it := range items {
		zones, base := it.Zones, itemLength(it)+1
		for len(zones) > 0 {
			n, used := 0, base
			for n < len(zones) && used+zoneLength(zones[n]) <= left {
				used += zoneLength(zones[n])
				n++
			}
			if n == 0 && len(list) > 0 {
				out, list, left = append(out, list), nil, room
				continue
			}
			n = max(n, 1) // one zone always fits: names are bounded
			part := it
			part.Zones = zones[:n:n]
			list = append(list, part)
			left -= used
			zones = zones[n:]
		}
	}
	if len(list) > 0 {
		out = append(out, list)
	}
	return out
}
