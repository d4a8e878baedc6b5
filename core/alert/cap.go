package alert

import (
	"fmt"
	"slices"
	"time"

	"tocsin/core/geo"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/wire/cap12"
)

// GeocodeZone is the valueName of the geocode that carries a zone id.
const GeocodeZone = "tocsin:zone"

// CAP writes an alert as a CAP 1.2 message, the infos in the order of the texts: one per
// language and stage, threat, until or end. Zones are the set whose version the alert
// names: shapes are looked up there; a zone that is not in it has its code and name alone.
// The shapes of a document that would be too large are drawn coarser, never smaller: see
// outward.
func CAP(a Alert, zones *zone.Set, cfg Config) (cap12.Alert, error) {
	msg, ok := map[Kind]cap12.MsgType{KindAlert: cap12.MsgAlert, KindUpdate: cap12.MsgUpdate, KindCancel: cap12.MsgCancel}[a.Kind]
	if !ok {
		return cap12.Alert{}, fmt.Errorf("alert: %s: kind %q is none of CAP's", a.ID, clip(string(a.Kind), 16))
	}
	status := cap12.StatusActual
	if a.Universe != Live {
		status = cap12.StatusExercise
	}
	out := cap12.Alert{
		Identifier: string(a.ID), Sender: a.Sender, Sent: a.Sent.UTC(), Status: status, MsgType: msg, Scope: cap12.ScopePublic,
		Note: a.Note, Incidents: []string{string(a.Warning)},
	}
	for _, it := range a.Items {
		if !slices.Contains(out.Code, it.Text) {
			out.Code = append(out.Code, it.Text)
		}
	}
	for _, r := range a.References {
		out.References = append(out.References, cap12.Reference{Sender: a.Sender, Identifier: string(r.ID), Sent: r.Sent.UTC()})
	}
	d := drawing{zones: zones, limit: ringLimit(a, zones), drawn: map[zone.ID][]cap12.Polygon{}}
	for _, t := range a.Texts {
		info, err := a.info(t, &d, cfg)
		if err != nil {
			return cap12.Alert{}, err
		}
		out.Infos = append(out.Infos, info)
	}
	if len(out.Infos) == 0 {
		return cap12.Alert{}, fmt.Errorf("alert: %s: no text", a.ID)
	}
	return out, nil
}

// info is one text with the areas it speaks of.
func (a Alert) info(t Text, d *drawing, cfg Config) (cap12.Info, error) {
	var about []Item
	for _, it := range a.Items {
		if it.Stage == t.Stage && it.Threat == t.Threat && it.End == t.End && it.Withdrawn == t.Withdrawn && it.Until.Equal(t.Until) {
			about = append(about, it)
		}
	}
	if len(about) == 0 {
		return cap12.Info{}, fmt.Errorf("alert: %s: text %s speaks of no item", a.ID, TextKey(t.Stage, t.Threat, t.End))
	}
	key := TextKey(t.Stage, t.Threat, t.End)
	if t.Withdrawn {
		key = withdrawnText
	}
	sure, onset := about[0].Sure, about[0].Since
	info := cap12.Info{
		Language: t.Language, Categories: []cap12.Category{cap12.CategorySafety, cap12.CategorySecurity}, Event: t.Event,
		EventCodes: []cap12.Value{{Name: "tocsin:threat", Value: t.Threat.String()}},
		Effective:  a.Sent.UTC(), Expires: ceilSecond(t.Until), SenderName: cfg.Name[t.Language],
		Headline: t.Headline, Description: t.Description, Instruction: t.Instruction,
	}
	for _, it := range about {
		sure = max(sure, it.Sure)
		if it.Since.Before(onset) {
			onset = it.Since
		}
		for _, id := range it.Zones {
			info.Areas = append(info.Areas, d.area(id, a.nameOf(id, t.Language)))
		}
	}
	slices.SortFunc(info.Areas, func(x, y cap12.Area) int {
		return slices.CompareFunc(x.Geocodes, y.Geocodes, func(p, q cap12.Value) int { return compareText(p.Value, q.Value) })
	})
	if info.SenderName == "" {
		info.SenderName = a.Sender
	}
	info.Onset = onset.UTC()
	info.Parameters = []cap12.Value{
		{Name: "tocsin:stage", Value: t.Stage.String()}, {Name: "tocsin:threat", Value: t.Threat.String()},
		{Name: "tocsin:sure", Value: sure.String()}, {Name: "tocsin:text", Value: key},
	}
	if t.End != warning.NotEnded {
		info.Parameters = append(info.Parameters, cap12.Value{Name: "tocsin:end", Value: t.End.String()})
	}
	grade(&info, t, sure)
	return info, nil
}

// grade sets what the contract says each stage and end is in CAP's words.
func grade(info *cap12.Info, t Text, sure warning.Sure) {
	switch {
	case t.Withdrawn:
		info.ResponseTypes = []cap12.ResponseType{cap12.ResponseMonitor}
		info.Urgency, info.Severity, info.Certainty = cap12.UrgencyUnknown, cap12.SeverityUnknown, cap12.CertaintyUnknown
	case t.End == warning.AllClear:
		info.ResponseTypes = []cap12.ResponseType{cap12.ResponseAllClear}
		info.Urgency, info.Severity, info.Certainty = cap12.UrgencyPast, cap12.SeverityMinor, cap12.CertaintyObserved
	case t.End != warning.NotEnded:
		info.ResponseTypes = []cap12.ResponseType{cap12.ResponseNone}
		info.Urgency, info.Severity, info.Certainty = cap12.UrgencyPast, cap12.SeverityMinor, cap12.CertaintyUnlikely
	case t.Stage == warning.Shelter:
		info.ResponseTypes = []cap12.ResponseType{cap12.ResponseShelter}
		info.Urgency, info.Severity, info.Certainty = cap12.UrgencyImmediate, cap12.SeverityExtreme, cap12.CertaintyLikely
		if sure == warning.High {
			info.Certainty = cap12.CertaintyObserved
		}
	default:
		info.ResponseTypes = []cap12.ResponseType{cap12.ResponsePrepare}
		info.Urgency, info.Severity, info.Certainty = cap12.UrgencyExpected, cap12.SeveritySevere, cap12.CertaintyPossible
		if sure != warning.Low {
			info.Certainty = cap12.CertaintyLikely
		}
	}
}

func (a Alert) nameOf(id zone.ID, language string) string {
	i, ok := slices.BinarySearchFunc(a.Areas, id, func(x Area, id zone.ID) int { return compareText(string(x.Zone), string(id)) })
	if ok && a.Areas[i].Names[language] != "" {
		return a.Areas[i].Names[language]
	}
	return string(id)
}

// ceilSecond rounds up: CAP has whole seconds, and a warning is not cut short by them.
func ceilSecond(t time.Time) time.Time {
	if down := t.UTC().Truncate(time.Second); !down.Equal(t) {
		return down.Add(time.Second)
	}
	return t.UTC()
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// drawing makes the areas of one document; a zone's shape is drawn once for all languages.
type drawing struct {
	zones *zone.Set
	limit int // points a ring
	drawn map[zone.ID][]cap12.Polygon
}

func (d *drawing) area(id zone.ID, name string) cap12.Area {
	if _, done := d.drawn[id]; !done {
		d.drawn[id] = d.draw(id)
	}
	return cap12.Area{Desc: name, Polygons: d.drawn[id], Geocodes: []cap12.Value{{Name: GeocodeZone, Value: string(id)}}}
}

// draw gives the outer rings of a zone: CAP has no holes, and a place in one is warned
// with what surrounds it.
func (d *drawing) draw(id zone.ID) []cap12.Polygon {
	z, ok := d.zones.Get(id)
	if !ok {
		return nil
	}
	var out []cap12.Polygon
	for _, p := range z.Shape {
		ring := outward(p.Outer, d.limit)
		line := make(cap12.Polygon, 0, len(ring)+1)
		for _, q := range ring {
			line = append(line, cap12.Point{Lat: float64(q.Lat), Lon: float64(q.Lon)})
		}
		if len(line) < 4 {
			continue
		}
		out = append(out, line)
	}
	return out
}

// Bounds of a document: maxPoints over all languages (some 11 MB of the 16 MiB that CAP
// readers of ours take), and in one ring. Of a ring over maxBays points the bays are not
// looked for: that takes a time that grows with the square.
const maxPoints, maxRing, minRing, maxBays = 600_000, 1_000, 16, 10_000

// ringLimit is how many points a ring may have so that the document stays within bounds.
func ringLimit(a Alert, zones *zone.Set) int {
	languages := map[string]bool{}
	for _, t := range a.Texts {
		languages[t.Language] = true
	}
	var rings []int
	for _, x := range a.Areas {
		if z, ok := zones.Get(x.Zone); ok {
			for _, p := range z.Shape {
				rings = append(rings, len(p.Outer))
			}
		}
	}
	for limit := maxRing; limit > minRing; limit = limit * 3 / 4 {
		sum := 0
		for _, n := range rings {
			sum += min(n, limit)
		}
		if sum*len(languages) <= maxPoints {
			return limit
		}
	}
	return minRing
}

// outward draws a ring with at most limit points so that it holds all that it held before.
// Dropping a point where the outline turns inwards only adds ground, so those go first,
// least ground first; where that is not enough, the convex hull is taken, and of a hull
// that is itself too long the tangents in limit-1 directions. The result is closed.
//
// It works in degrees, as the outline's lines are straight there.
func outward(r geo.Ring, limit int) geo.Ring {
	if len(r) <= limit || len(r) < 4 {
		return r
	}
	pts := slices.Clone(r[:len(r)-1])
	if area(pts) < 0 {
		slices.Reverse(pts)
	}
	if len(pts) <= maxBays {
		pts = fillBays(pts, limit-1)
	}
	if len(pts) > limit-1 {
		pts = hull(pts)
	}
	if len(pts) > limit-1 {
		pts = tangents(pts, limit-1)
	}
	return append(pts, pts[0])
}
