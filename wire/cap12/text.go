package cap12

import (
	"strconv"
	"strings"
	"time"
)

// String is the reference as CAP writes it: sender,identifier,sent.
func (r Reference) String() string {
	return r.Sender + "," + r.Identifier + "," + formatTime(r.Sent)
}

// String is the polygon as CAP writes it: "lat,lon lat,lon ...".
func (p Polygon) String() string {
	b := make([]byte, 0, 20*len(p))
	for i, q := range p {
		if i > 0 {
			b = append(b, ' ')
		}
		b = q.append(b)
	}
	return string(b)
}

// String is the circle as CAP writes it: "lat,lon radius".
func (c Circle) String() string {
	return string(c.Centre.append(nil)) + " " + number(c.Radius)
}

func (p Point) append(b []byte) []byte {
	b = strconv.AppendFloat(b, p.Lat, 'f', -1, 64)
	b = append(b, ',')
	return strconv.AppendFloat(b, p.Lon, 'f', -1, 64)
}

// number writes the shortest decimal that reads back as the same number.
func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// formatTime writes a time as clause 3.3.2 wants it: a numeric offset, -00:00 for UTC,
// whole seconds. Offsets that are not whole minutes or go beyond 14 hours cannot be
// written and become UTC, which is the same instant.
func formatTime(t time.Time) string {
	_, offset := t.Zone()
	if offset == 0 || offset%60 != 0 || offset < -14*3600 || offset > 14*3600 {
		return t.UTC().Format("2006-01-02T15:04:05") + "-00:00"
	}
	return t.Format("2006-01-02T15:04:05-07:00")
}

// joinQuoted writes a list separated by spaces; members with white space go in double
// quotes (clause 3.2.1, addresses and incidents). A member with a quote inside has no
// form in CAP: what comes of it is refused by the rules.
func joinQuoted(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		if s == "" || strings.ContainsAny(s, " \t\r\n\"") {
			s = `"` + s + `"`
		}
		b.WriteString(s)
	}
	return b.String()
}
