// Package history reads alarms as they really happened: the published histories of alarms
// that an authority gave, row by row.
//
// In: the bytes of a history in one of the formats below, and the zone set over which it is
// to be read. Out: alarms (a place, a threat, from, to, the rows they rest on), and by name
// and with counts everything that is no alarm: rows that cannot be read, each with its line
// and why; rows that are no warning of the public; places that the set does not know. It
// never drops a row or a place in silence, never guesses a place that no rule here names, and
// reads no file and no clock.
//
// # Ukraine (ua-official)
//
// Columns by name: oblast, raion, hromada, started_at, finished_at; others are passed over.
// Times carry their offset. A row is of the finest place it names. Rows of one place that
// overlap or touch are one alarm. The threat is not said: unknown. A row of over three months
// is taken for a mistyped year and left out.
//
// # Israel (il-alerts)
//
// Columns by name: data (the places), date and time (Asia/Jerusalem), category. `alertDate`
// differs by seconds in most rows and is not read. Category 1 is rockets and missiles (read
// as rocket, the first of the two in the authority's own words), 2 hostile aircraft; 13, 14
// (updates) and 15 and above (drills) are skipped, others are no such warning: both are
// counted. There are no ends: an alarm lasts Stay from its last row. In the early years a row
// names several places.
package history

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// Format is one of the histories' forms.
type Format string

// The formats that are read.
const (
	UAOfficial Format = "ua-official"
	ILAlerts   Format = "il-alerts"
)

// Stay is how long an Israeli alarm lasts from its last row.
const Stay = 10 * time.Minute

// Bounds. A row over the line's bound is a fault; the others end the reading.
const (
	maxBytes  = 256 << 20 // of a history, unpacked
	maxLine   = 16 << 10  // bytes of one row
	maxRows   = 1_000_000
	maxSaid   = 2_000_000 // places that rows name
	maxNames  = 50_000    // different names; the rest is counted as one
	maxFaults = 10_000    // named one by one; the rest is counted
	maxText   = 200       // bytes of a row that are kept as evidence
)

// Bounds of time. The longest alarm of the published histories lasts three days and a half, and
// their longest silence some months. What goes on for years all the same is written in rows of
// less.
const (
	longAlarm    = 7 * 24 * time.Hour   // an alarm over it is named
	longestAlarm = 92 * 24 * time.Hour  // over it the row is left out: a year is easily mistyped
	silence      = 400 * 24 * time.Hour // between two rows: it is named
	few          = 10                   // so many rows beyond a silence, and no more than one to ten of the others, are left out
)

// ErrUnreadable is a file of which no row can be read: a column is missing, or it is another
// kind of file.
var ErrUnreadable = errors.New("this is no such history")

// Row is one row of the file as evidence of an alarm.
type Row struct {
	Line  int       // of the file, from 1, the header included
	At    time.Time // when it says the alarm was given
	Until time.Time // when it says it was over, or by the authority's rule was
	Text  string    // the place as it is written there
}

// Alarm is one alarm of one place, from Start to, not with, End.
type Alarm struct {
	Place  Place
	Threat class.Class
	Start  time.Time
	End    time.Time
	Rows   []Row // ascending by time; the first began it
	// GoesOn is when the alarm ended, where Between cut it off before that; else zero.
	GoesOn time.Time
	stays  bool
}

// Stays reports whether the alarm has no end in the file and lasts Stay from its last row.
func (a Alarm) Stays() bool { return a.stays }

// Kinds of faults. Of those marked so the row is used all the same.
const (
	BadText    = "text"         // not UTF-8, a NUL, a quotation that does not end
	BadLength  = "length"       // a line over the bound
	BadColumns = "columns"      // more or fewer fields than the header
	BadTime    = "time"         // no time, an end that is not after its start or is months after it
	Alone      = "alone"        // over a year from all but a few rows
	TooLong    = "long"         // used: an alarm of over a week
	OutOfOrder = "order"        // used: before the row above it
	LostHour   = "lost-hour"    // used: a local time that the clocks skipped
	TwiceHour  = "doubled-hour" // used: a local time that was twice
	Exchanged  = "exchanged"    // used: two columns stand in each other's place
	Remark     = "remark"       // used: anything else that was mended
)

// Fault is what is wrong with one row.
type Fault struct {
	Line int    `json:"line"`
	Kind string `json:"kind"`
	What string `json:"what"`
	Used bool   `json:"used"` // the row counts all the same
}

func (f Fault) String() string {
	s := fmt.Sprintf("line %d: %s", f.Line, f.What)
	if !f.Used {
		s += "; the row is left out"
	}
	return s
}

// Name is a place as the file writes it, and what became of it.
type Name struct {
	Text  string `json:"name"`
	Rule  Rule   `json:"rule"`
	Zones int    `json:"zones"` // that it stands for; 0: it is not known
	Rows  int    `json:"rows"`
}

// History is everything that a file says.
type History struct {
	Format  Format         `json:"format"`
	Rows    int            `json:"rows"` // below the header, empty ones left out
	Alarms  []Alarm        `json:"-"`    // by start, then place
	Faults  []Fault        `json:"faults"`
	Counts  map[string]int `json:"fault_counts"` // of all faults, by kind
	Skipped map[string]int `json:"skipped"`      // rows that are no warning, by what they are
	Names   []Name         `json:"names"`        // by rule, then rows
}

// Used counts the rows that an alarm rests on.
func (h *History) Used() int {
	lines := map[int]bool{}
	for _, a := range h.Alarms {
		for _, r := range a.Rows {
			lines[r.Line] = true
		}
	}
	return len(lines)
}

// Span is from the first start to the last end; zero where there is no alarm.
func (h *History) Span() (from, to time.Time) {
	for i, a := range h.Alarms {
		if i == 0 || a.Start.Before(from) {
			from = a.Start
		}
		if a.End.After(to) {
			to = a.End
		}
	}
	return from, to
}

// Between returns the alarms that overlap a time from from to, not with, to, cut to it;
// a zero time is no bound.
func (h *History) Between(from, to time.Time) []Alarm {
	var out []Alarm
	for _, a := range h.Alarms {
		if !from.IsZero() && a.Start.Before(from) {
			a.Start = from
		}
		if !to.IsZero() && a.End.After(to) {
			a.End, a.GoesOn = to, a.End
		}
		if a.Start.Before(a.End) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b Alarm) int { return a.Start.Compare(b.Start) })
	return out
}

// Read reads a history over a gazetteer of its country. An error is a file of which nothing
// can be used, or the reader's own; whatever is wrong with single rows is in the History.
func Read(in io.Reader, format Format, places *Gazetteer) (*History, error) {
	h := &History{Format: format, Counts: map[string]int{}, Skipped: map[string]int{}, Faults: []Fault{}, Names: []Name{}}
	r := &reader{h: h, places: places, names: map[string]*Name{}, buffer: bufio.NewReader(nil)}
	switch format {
	case UAOfficial:
		r.columns, r.row = []string{"oblast", "raion", "hromada", "started_at", "finished_at"}, r.ukrainian
	case ILAlerts:
		r.columns, r.row = []string{"data", "date", "time", "category"}, r.israeli
		var err error
		if r.local, err = time.LoadLocation("Asia/Jerusalem"); err != nil {
			return nil, fmt.Errorf("history: il-alerts: %w", err)
		}
	default:
		return nil, fmt.Errorf("history: %q is none of the formats %s and %s", format, UAOfficial, ILAlerts)
	}
	if err := scan(in, r.line); err != nil {
		return nil, fmt.Errorf("history: %s: %w", format, err)
	}
	if len(r.said) >= maxSaid {
		return nil, fmt.Errorf("history: %s: its rows name over %d places; cut it into years", format, maxSaid)
	}
	if r.at == nil {
		return nil, fmt.Errorf("history: %s: it is empty: %w", format, ErrUnreadable)
	}
	r.strays()
	slices.SortStableFunc(h.Faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	h.Alarms = merge(r.said)
	for _, n := range r.names {
		h.Names = append(h.Names, *n)
	}
	slices.SortFunc(h.Names, func(a, b Name) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), -cmp.Compare(a.Rows, b.Rows), strings.Compare(a.Text, b.Text))
	})
	return h, nil
}

// said is one row's word on one place.
type said struct {
	place  Place
	threat class.Class
	stays  bool
	row    Row
}

// merge makes alarms of what rows say: of one place and threat, what overlaps or touches is
// one.
func merge(all []said) []Alarm {
	slices.SortStableFunc(all, func(a, b said) int {
		return cmp.Or(strings.Compare(a.place.key, b.place.key), cmp.Compare(a.threat, b.threat), a.row.At.Compare(b.row.At), cmp.Compare(a.row.Line, b.row.Line))
	})
	var out []Alarm
	for i, s := range all {
		if i > 0 && all[i-1].place.key == s.place.key && all[i-1].threat == s.threat {
			if last := &out[len(out)-1]; !s.row.At.After(last.End) {
				last.Rows = append(last.Rows, s.row)
				if s.row.Until.After(last.End) {
					last.End = s.row.Until
				}
				continue
			}
		}
		out = append(out, Alarm{Place: s.place, Threat: s.threat, Start: s.row.At, End: s.row.Until, Rows: []Row{s.row}, stays: s.stays})
	}
	slices.SortStableFunc(out, func(a, b Alarm) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Place.key, b.Place.key), cmp.Compare(a.Threat, b.Threat))
	})
	return out
}

// ids joins zone ids to a key.
func ids(all []zone.ID) string {
	var b strings.Builder
	for _, id := range all {
		b.WriteString(string(id))
		b.WriteByte('\t')
	}
	return b.String()
}
