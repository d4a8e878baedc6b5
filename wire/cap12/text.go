package cap12

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
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

// splitQuoted is the reverse of joinQuoted. It is false where quotes do not pair, or
// do not stand at the ends of a member, or enclose nothing.
func splitQuoted(s string) (list []string, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return list, true
		}
		var item string
		if s[0] == '"' {
			item, s, ok = strings.Cut(s[1:], `"`)
			if !ok || item == "" || s != "" && !isSpace(s[0]) {
				return nil, false
			}
		} else {
			item = s
			if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
				item = s[:i]
			}
			s = s[len(item):]
			if strings.IndexByte(item, '"') >= 0 {
				return nil, false
			}
		}
		list = append(list, item)
	}
}

// parseTime reads YYYY-MM-DDThh:mm:ss and a numeric offset, the only form CAP has
// (clause 3.3.2). The offset is kept. What xs:dateTime allows besides, 24:00:00, is read.
func parseTime(s string) (t time.Time, broken Rule, what string) {
	if n := len(s); n > 0 && (s[n-1] >= 'a' && s[n-1] <= 'z' || s[n-1] >= 'A' && s[n-1] <= 'Z') {
		return t, RuleZulu, "a time zone must be an offset, not a letter; UTC is -00:00"
	}
	const form = "0000-00-00T00:00:00+00:00"
	if len(s) != len(form) {
		return t, RuleTime, "a time must be YYYY-MM-DDThh:mm:ss and an offset"
	}
	for i := range len(form) {
		ok := s[i] == form[i]
		switch form[i] {
		case '0':
			ok = s[i] >= '0' && s[i] <= '9'
		case '+':
			ok = s[i] == '+' || s[i] == '-'
		}
		if !ok {
			return t, RuleTime, "a time must be YYYY-MM-DDThh:mm:ss and an offset"
		}
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	year, month, day := two(0)*100+two(2), time.Month(two(5)), two(8)
	hour, minute, second := two(11), two(14), two(17)
	offset := two(20)*3600 + two(23)*60
	midnight := hour == 24 && minute == 0 && second == 0
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if year == 0 || date.Month() != month || date.Day() != day || hour > 23 && !midnight ||
		minute > 59 || second > 59 || two(23) > 59 || offset > 14*3600 {
		return t, RuleTimeValue, "there is no such day, time or offset"
	}
	zone := time.UTC
	if offset != 0 {
		if s[19] == '-' {
			offset = -offset
		}
		zone = time.FixedZone("", offset)
	}
	t = time.Date(year, month, day, hour, minute, second, 0, zone)
	if t.IsZero() || t.Year() > 9999 {
		return time.Time{}, RuleTimeValue, "the time is beyond what can be written"
	}
	return t, "", ""
}

// parsePoint reads "latitude,longitude".
func parsePoint(s string) (Point, bool) {
	lat, lon, ok := strings.Cut(s, ",")
	if !ok {
		return Point{}, false
	}
	y, ok1 := parseDecimal(lat)
	x, ok2 := parseDecimal(lon)
	return Point{Lat: y, Lon: x}, ok1 && ok2
}

// parseDecimal reads a number of digits with at most one point and a sign, as
// xs:decimal: no exponent, no infinity.
func parseDecimal(s string) (float64, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] != '.' && (digits[i] < '0' || digits[i] > '9') {
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil
}

// pack takes the white space out of base64, where it means nothing.
func pack(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && isSpace(byte(r)) {
			return -1
		}
		return r
	}, s)
}
