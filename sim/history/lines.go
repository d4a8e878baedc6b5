package history

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/core/class"
)

// scan gives each line with its number, without its end; long says that it was over the
// bound, and then only its beginning is given.
func scan(in io.Reader, each func(n int, text []byte, long bool) error) error {
	b := bufio.NewReaderSize(io.LimitReader(in, maxBytes+1), maxLine)
	read := 0
	for n := 1; ; n++ {
		text, err := b.ReadSlice('\n')
		read += len(text)
		long := errors.Is(err, bufio.ErrBufferFull)
		if long {
			text = slices.Clone(text[:maxText])
			for errors.Is(err, bufio.ErrBufferFull) {
				var more []byte
				more, err = b.ReadSlice('\n')
				read += len(more)
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case read > maxBytes:
			return fmt.Errorf("it is over %d MiB", maxBytes>>20)
		case n > maxRows:
			return fmt.Errorf("it has over %d lines", maxRows)
		case len(text) > 0:
			if err := each(n, bytes.TrimRight(text, "\r\n"), long); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

const mark = "\ufeff" // a byte order mark, where files were put together

// reader is the state of one reading.
type reader struct {
	h       *History
	places  *Gazetteer
	columns []string
	row     func(n int, fields []string)
	at      []int // index of each of columns in a line; nil before the header
	width   int   // fields that a row must have
	fields  int   // of the header
	header  string
	buffer  *bufio.Reader // of the line that is taken apart
	local   *time.Location
	before  time.Time // of the row above
	said    []said
	names   map[string]*Name
}

func (r *reader) fault(n int, kind string, used bool, what string, args ...any) {
	r.h.Counts[kind]++
	if len(r.h.Faults) < maxFaults {
		r.h.Faults = append(r.h.Faults, Fault{Line: n, Kind: kind, What: fmt.Sprintf(what, args...), Used: used})
	}
}

// line takes one line; an error ends the reading.
func (r *reader) line(n int, text []byte, long bool) error {
	if r.at == nil {
		return r.heading(n, text, long)
	}
	if len(bytes.TrimSpace(text)) == 0 && !long {
		return nil
	}
	if string(text) == r.header {
		r.fault(n, Remark, true, "the header stands here again")
		return nil
	}
	r.h.Rows++
	fields, kind, why := r.split(text, long)
	switch {
	case kind != "":
		r.fault(n, kind, false, "%s", why)
	case len(fields) < r.width:
		r.fault(n, BadColumns, false, "it has %d fields and must have %d", len(fields), r.width)
	case len(fields) > r.fields && strings.TrimSpace(strings.Join(fields[r.fields:], "")) != "":
		// A comma that nobody quoted: which of the columns it cut cannot be told.
		r.fault(n, BadColumns, false, "it has %d fields and the header %d", len(fields), r.fields)
	default:
		if len(fields) != r.fields {
			r.fault(n, BadColumns, true, "it has %d fields and the header %d; those that are read are there", len(fields), r.fields)
		}
		picked := make([]string, len(r.at))
		for i, at := range r.at {
			picked[i] = strings.TrimSpace(fields[at])
		}
		r.row(n, picked)
	}
	return nil
}

// heading finds the columns by their names.
func (r *reader) heading(n int, text []byte, long bool) error {
	text = bytes.TrimPrefix(text, []byte(mark))
	if n == 1 && (bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff})) {
		return fmt.Errorf("line 1: it is UTF-16; convert it to UTF-8: %w", ErrUnreadable)
	}
	fields, kind, why := r.split(text, long)
	if kind != "" {
		return fmt.Errorf("line %d: the header: %s: %w", n, why, ErrUnreadable)
	}
	for i := range fields {
		fields[i] = strings.ToLower(strings.TrimSpace(fields[i]))
	}
	var missing []string
	for _, c := range r.columns {
		at := slices.Index(fields, c)
		if at < 0 {
			missing = append(missing, c)
		}
		r.at = append(r.at, at)
		r.width = max(r.width, at+1)
	}
	if len(missing) > 0 {
		return fmt.Errorf("line %d: the column %s is missing; needed are %s: %w", n, strings.Join(missing, ", "), strings.Join(r.columns, ", "), ErrUnreadable)
	}
	r.header, r.fields = string(text), len(fields)
	return nil
}

// split takes a line apart; kind is the fault's where it cannot be.
func (r *reader) split(text []byte, long bool) (fields []string, kind, why string) {
	text = bytes.TrimPrefix(text, []byte(mark))
	switch {
	case long:
		return nil, BadLength, fmt.Sprintf("it is over %d bytes long", maxLine)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, BadText, "it holds a NUL"
	case !utf8.Valid(text):
		return nil, BadText, "it is not UTF-8 (windows-1251, windows-1255 or ISO 8859-8?)"
	}
	// A line at a time, so that no quote swallows the lines below it; with one buffer for
	// all of them, or a file of short lines takes a thousand times its size.
	r.buffer.Reset(bytes.NewReader(text))
	c := csv.NewReader(r.buffer)
	c.FieldsPerRecord = -1
	fields, err := c.Read()
	if err != nil {
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			err = bad.Err
		}
		return nil, BadText, "it is no row of CSV: " + err.Error()
	}
	return fields, "", ""
}

// follow notes a row that is before the one above it.
func (r *reader) follow(n int, at time.Time) {
	if at.Before(r.before) {
		r.fault(n, OutOfOrder, true, "%s is before the row above it, %s", at.Format(time.DateTime), r.before.Format(time.DateTime))
	}
	r.before = at
}

// spell is what rows say between two silences of over a year.
type spell struct{ from, to, rows int }

// spells sorts what rows say by time and finds the silences in it.
func (r *reader) spells() (all []spell, most int) {
	slices.SortStableFunc(r.said, func(a, b said) int { return a.row.At.Compare(b.row.At) })
	for i, s := range r.said {
		if i == 0 || s.row.At.Sub(r.said[i-1].row.At) > silence {
			all = append(all, spell{from: i})
		}
		last := &all[len(all)-1]
		if last.to = i + 1; i == last.from || s.row.Line != r.said[i-1].row.Line {
			last.rows++
		}
		most = max(most, last.rows)
	}
	return all, most
}

// strays names what stands beyond a silence, and leaves out the few rows that do: one mistyped
// year would make a replay of days one of decades.
func (r *reader) strays() {
	spells, most := r.spells()
	if len(spells) < 2 {
		return
	}
	var kept []said
	for _, s := range spells {
		all := r.said[s.from:s.to]
		if s.rows > few || s.rows*few > most {
			if len(kept) > 0 {
				r.fault(all[0].row.Line, Alone, true, "%s is over %d days after the row before it in time", all[0].row.At.UTC().Format(time.DateTime), int(silence.Hours()/24))
			}
			kept = append(kept, all...)
			continue
		}
		for i, one := range all {
			if i == 0 || one.row.Line != all[i-1].row.Line {
				r.fault(one.row.Line, Alone, false, "%s is over %d days from all but a few rows; is the year right?", one.row.At.UTC().Format(time.DateTime), int(silence.Hours()/24))
			}
		}
	}
	r.said = kept
}

// say keeps what a row says of a place, or counts the place among those not known.
func (r *reader) say(n int, text string, p Place, threat class.Class, from, to time.Time) {
	key, shown := text, text
	if _, known := r.names[text]; !known && len(r.names) >= maxNames {
		key, shown = string(p.Rule), fmt.Sprintf("(names after the first %d)", maxNames)
	}
	name := r.names[key]
	if name == nil {
		name = &Name{Text: shown, Rule: p.Rule, Zones: p.Count}
		r.names[key] = name
	}
	name.Rows++
	if p.Rule == Unknown || len(r.said) >= maxSaid {
		return
	}
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	r.said = append(r.said, said{p, threat, r.h.Format == ILAlerts, Row{n, from, to, text}})
}
