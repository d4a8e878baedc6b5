package history

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tocsin/core/class"
)

// ukrainian takes a row of oblast, raion, hromada, started_at, finished_at.
func (r *reader) ukrainian(n int, f []string) {
	from, err := r.offset(n, "started_at", f[3])
	if err != nil {
		r.fault(n, BadTime, false, "%v", err)
		return
	}
	to, err := r.offset(n, "finished_at", f[4])
	if err != nil {
		r.fault(n, BadTime, false, "%v", err)
		return
	}
	if !to.After(from) {
		r.fault(n, BadTime, false, "it ends at %s and starts at %s", f[4], f[3])
		return
	}
	switch lasts := to.Sub(from); {
	case lasts > longestAlarm:
		r.fault(n, BadTime, false, "it lasts %d days, from %s to %s; is the year right?", int(lasts.Hours()/24), f[3], f[4])
		return
	case lasts > longAlarm:
		r.fault(n, TooLong, true, "it lasts %d days, from %s to %s", int(lasts.Hours()/24), f[3], f[4])
	}
	r.follow(n, from)
	p, exchanged := r.places.Ukrainian(f[0], f[1], f[2])
	if exchanged {
		r.fault(n, Exchanged, true, "oblast %q and raion %q stand in each other's column", f[0], f[1])
	}
	var parts []string
	for _, s := range f[:3] {
		if s != "" {
			parts = append(parts, s)
		}
	}
	r.say(n, strings.Join(parts, " / "), p, class.Unknown, from, to)
}

// offset reads a time with its offset; one without is UTC, and noted.
func (r *reader) offset(n int, column, s string) (time.Time, error) {
	for _, form := range [...]string{"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(form, s); err == nil {
			return plausible(column, t.UTC())
		}
	}
	for _, form := range [...]string{time.DateTime, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(form, s); err == nil {
			r.fault(n, Remark, true, "%s %s has no offset and is taken as UTC", column, s)
			return plausible(column, t)
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no time such as 2022-03-15 16:10:34+00:00", column, clip(s))
}

// plausible refuses years in which nobody gave an alarm that is in a file.
func plausible(column string, t time.Time) (time.Time, error) {
	if t.Year() < 1970 || t.Year() > 2199 {
		return t, fmt.Errorf("%s is in the year %d", column, t.Year())
	}
	return t, nil
}

// israeli takes a row of data, date, time, category.
func (r *reader) israeli(n int, f []string) {
	category, err := strconv.Atoi(f[3])
	if err != nil {
		r.fault(n, BadColumns, false, "the category %q is no number", clip(f[3]))
		return
	}
	threat := class.Rocket
	switch {
	case category == 1:
	case category == 2:
		threat = class.Aircraft
	case category == 13 || category == 14:
		r.h.Skipped[fmt.Sprintf("category %d, update", category)]++
		return
	case category >= 15:
		r.h.Skipped[fmt.Sprintf("category %d, drill", category)]++
		return
	default:
		r.h.Skipped[fmt.Sprintf("category %d, not of missiles or aircraft", category)]++
		return
	}
	at, err := r.jerusalem(n, f[1], f[2])
	if err != nil {
		r.fault(n, BadTime, false, "%v", err)
		return
	}
	if drill(f[0]) {
		r.h.Skipped["by name a drill or test: "+f[0]]++
		return
	}
	if f[0] == "" {
		r.fault(n, BadColumns, false, "it names no place")
		return
	}
	for _, named := range r.places.Israeli(f[0]) {
		r.say(n, named.Text, named.Place, threat, at, at.Add(Stay))
	}
}

// jerusalem reads a local time. In the hour that clocks skip in spring it is read as by a
// clock that was not put forward; in the one that comes twice in autumn the first is meant,
// unless the row above is later than that.
func (r *reader) jerusalem(n int, date, clock string) (time.Time, error) {
	wall, err := time.Parse("02.01.2006 15:04:05", date+" "+clock)
	if err != nil {
		return wall, fmt.Errorf("date %q and time %q are none such as 07.10.2023 06:29:00", clip(date), clip(clock))
	}
	if wall, err = plausible("date", wall); err != nil {
		return wall, err
	}
	_, before := wall.Add(-36 * time.Hour).In(r.local).Zone()
	_, after := wall.Add(36 * time.Hour).In(r.local).Zone()
	first := wall.Add(-time.Duration(before) * time.Second)
	second := wall.Add(-time.Duration(after) * time.Second)
	at, which := first, "first"
	switch a, b := shows(first.In(r.local), wall), shows(second.In(r.local), wall); {
	case first.Equal(second):
	case a && b:
		if first.Before(r.before) && !second.Before(r.before) {
			at, which = second, "second, since the first is before the row above"
		}
		r.fault(n, TwiceHour, true, "%s %s was twice in Jerusalem; read as %s, the %s", date, clock, at.Format(time.RFC3339), which)
	case b:
		at = second
	case !a:
		r.fault(n, LostHour, true, "%s %s never was in Jerusalem, where the clocks skipped it; read as %s", date, clock, at.Format(time.RFC3339))
	}
	r.follow(n, at)
	return at, nil
}

// shows reports whether a clock shows the figures of another.
func shows(local, figures time.Time) bool {
	return local.Format(time.DateTime) == figures.Format(time.DateTime)
}

// clip bounds what a fault quotes.
func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:60], "") + "…"
}
