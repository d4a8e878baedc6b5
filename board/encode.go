package board

import (
	"strconv"
	"time"
	"unicode/utf8"

	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// timeForm is RFC 3339 in UTC with exactly three decimals.
const timeForm = "2006-01-02T15:04:05.000Z"

// Encode writes a payload: one JSON object without white space, members in the order of
// the contract's table.
func (p Payload) Encode() []byte {
	b := make([]byte, 0, 256+256*len(p.Items))
	b = appendMember(append(b, '{'), "universe", string(p.Universe))
	b = appendMember(append(b, ','), "region", p.Region)
	b = appendMember(append(b, ','), "kind", string(p.Kind))
	b = strconv.AppendInt(append(b, `,"seq":`...), p.Seq, 10)
	if p.Kind == Change {
		b = strconv.AppendInt(append(b, `,"prev":`...), p.Prev, 10)
	}
	b = appendTime(append(b, `,"at":`...), p.At)
	if p.Kind == Beat {
		b = strconv.AppendInt(append(b, `,"active":`...), int64(p.Active), 10)
		b = appendMember(append(b, ','), "digest", p.Digest)
	} else {
		b = append(b, `,"items":[`...)
		for i := range p.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendItem(b, &p.Items[i])
		}
		b = append(b, ']')
	}
	if p.Kind != Change {
		b = appendMember(append(b, ','), "picture", string(p.Picture))
	}
	if p.Kind == Board {
		b = appendMember(append(b, ','), "set", p.Set)
	}
	b = appendTime(append(b, `,"next":`...), p.Next)
	return append(b, '}')
}

func appendItem(b []byte, it *alert.Item) []byte {
	return append(appendItemMembers(append(b, '{'), it, true), '}')
}

// appendItemMembers writes an item without its braces.
func appendItemMembers(b []byte, it *alert.Item, withZones bool) []byte {
	b = appendMember(b, "stage", it.Stage.String())
	b = appendMember(append(b, ','), "threat", it.Threat.String())
	b = appendMember(append(b, ','), "sure", it.Sure.String())
	b = appendTime(append(b, `,"since":`...), it.Since)
	b = appendTime(append(b, `,"until":`...), it.Until)
	if arrivalKnown(it.Arrival) {
		b = appendTime(append(b, `,"arrival":{"earliest":`...), it.Arrival.Earliest)
		b = appendTime(append(b, `,"likely":`...), it.Arrival.Likely)
		b = append(b, '}')
	}
	b = appendMember(append(b, ','), "alert", string(it.Alert))
	if withZones {
		b = append(b, `,"zones":[`...)
		for i, id := range it.Zones {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, string(id))
		}
		b = append(b, ']')
	}
	if it.End != warning.NotEnded {
		b = appendMember(append(b, ','), "end", it.End.String())
	}
	return appendMember(append(b, ','), "text", it.Text)
}

// arrivalKnown: an arrival is public only where both of its times are known.
func arrivalKnown(a alert.Arrival) bool { return !a.Earliest.IsZero() && !a.Likely.IsZero() }

// itemLength is the length of an item's JSON without its zones.
func itemLength(it alert.Item) int {
	it.Zones = nil
	return len(appendItem(nil, &it))
}

// zoneLength is what one more zone adds to an item, its comma included.
func zoneLength(id zone.ID) int { return len(appendText(nil, string(id))) + 1 }

func appendMember(b []byte, name, value string) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendText(b, value)
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeForm)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // bytes that are no UTF-8 become the replacement character
			i += n
			continue
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}

// stamp is t as the contract writes it: UTC, whole milliseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
