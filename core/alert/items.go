package alert

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// KeepEnds is how long an end is said on the board, and how long an alert about an end
// holds.
const KeepEnds = time.Hour

// timeForm is the contract's: RFC 3339 in UTC with exactly three decimals.
const timeForm = "2006-01-02T15:04:05.000Z"

// Items is what the board says of a whole warning: one item per stage, threat, sureness,
// times and end, with its zones ascending. A zone that left while another warning held it
// is not in it, nor is an end of more than an hour before.
func Items(w warning.Warning, last ID) []Item {
	return items(w, last, func(z warning.EndedZone) bool { return z.At.Add(KeepEnds).After(w.At) })
}

func items(w warning.Warning, last ID, said func(warning.EndedZone) bool) []Item {
	type key struct {
		stage           warning.Stage
		threat          class.Class
		sure            warning.Sure
		end             warning.End
		since, until    int64
		earliest, liked int64
	}
	at := map[key]int{}
	var out []Item
	put := func(it Item, id zone.ID) {
		k := key{it.Stage, it.Threat, it.Sure, it.End, it.Since.UnixMilli(), it.Until.UnixMilli(),
			it.Arrival.Earliest.UnixMilli(), it.Arrival.Likely.UnixMilli()}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			it.Text, it.Alert = TextKey(it.Stage, it.Threat, it.End), last
			out = append(out, it)
		}
		out[i].Zones = append(out[i].Zones, id)
	}
	for _, z := range w.Zones {
		put(Item{
			Stage: z.Stage, Threat: z.Threat, Sure: z.Sure, Since: stamp(z.Since), Until: stamp(z.Until),
			Arrival: Arrival{Earliest: stamp(z.Arrival.Earliest), Likely: stamp(z.Arrival.Likely)},
		}, z.Zone)
	}
	for _, z := range w.Ended {
		if z.Under == "" && said(z) {
			put(Item{
				Stage: warning.Quiet, Threat: z.Threat, Sure: z.Sure, Since: stamp(z.At), Until: stamp(z.At.Add(KeepEnds)), End: z.End,
			}, z.Zone)
		}
	}
	for i := range out {
		slices.Sort(out[i].Zones)
	}
	slices.SortFunc(out, compareItems)
	return out
}

// withdrawn is what is said of a warning that is over where others still hold its zones: a
// reader of CAP that follows this warning alone must not keep it until it expires.
func withdrawn(w warning.Warning, id ID, said func(warning.EndedZone) bool) []Item {
	if !w.Over() {
		return nil // the update that follows supersedes what was said of them
	}
	var out []Item
	for _, z := range w.Ended {
		if z.Under == "" || !said(z) {
			continue
		}
		i := slices.IndexFunc(out, func(it Item) bool { return it.Threat == z.Threat })
		if i < 0 {
			i = len(out)
			out = append(out, Item{
				Stage: warning.Quiet, Threat: z.Threat, Sure: z.Sure, Since: stamp(z.At), Until: stamp(z.At.Add(KeepEnds)),
				End: warning.Cancelled, Withdrawn: true, Text: withdrawnText, Alert: id,
			})
		}
		out[i].Zones = append(out[i].Zones, z.Zone)
	}
	return out
}

// withdrawnText is the key of the text of what is withdrawn.
const withdrawnText = "withdrawn"

// compareItems orders what is graver before what is not, and is total: no two items of a
// warning share their first zone.
func compareItems(a, b Item) int {
	return cmp.Or(
		cmp.Compare(b.Stage, a.Stage), cmp.Compare(a.Threat.Rank(), b.Threat.Rank()), cmp.Compare(a.End, b.End),
		a.Since.Compare(b.Since), a.Until.Compare(b.Until), cmp.Compare(a.Zones[0], b.Zones[0]))
}

// TextKey names the pre-agreed text that devices hold: "shelter-drone", or the end.
func TextKey(s warning.Stage, c class.Class, e warning.End) string {
	if e != warning.NotEnded {
		return e.String()
	}
	return s.String() + "-" + c.String()
}

func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// Time is a time as the contract writes it.
type Time time.Time

// MarshalJSON writes RFC 3339 in UTC with exactly three decimals.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(t).UTC().AppendFormat([]byte{'"'}, timeForm+`"`)), nil
}

// MarshalJSON writes the contract's item: arrival only where both its times are known, end
// only where there is one.
func (it Item) MarshalJSON() ([]byte, error) {
	type arrival struct {
		Earliest Time `json:"earliest"`
		Likely   Time `json:"likely"`
	}
	said := struct {
		Stage     warning.Stage `json:"stage"`
		Threat    class.Class   `json:"threat"`
		Sure      warning.Sure  `json:"sure"`
		Since     Time          `json:"since"`
		Until     Time          `json:"until"`
		Arrival   *arrival      `json:"arrival,omitempty"`
		Alert     ID            `json:"alert"`
		Zones     []zone.ID     `json:"zones"`
		End       warning.End   `json:"end,omitempty"`
		Text      string        `json:"text"`
		Withdrawn bool          `json:"withdrawn,omitempty"`
	}{it.Stage, it.Threat, it.Sure, Time(it.Since), Time(it.Until), nil, it.Alert, it.Zones, it.End, it.Text, it.Withdrawn}
	if !it.Arrival.Earliest.IsZero() && !it.Arrival.Likely.IsZero() {
		said.Arrival = &arrival{Time(it.Arrival.Earliest), Time(it.Arrival.Likely)}
	}
	if said.Zones == nil {
		said.Zones = []zone.ID{}
	}
	return json.Marshal(said)
}
