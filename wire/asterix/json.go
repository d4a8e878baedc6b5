package asterix

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
)

// AppendJSON appends the record as one JSON object without a line end, its keys in the
// order of the record:
//
//	{"category":48,"edition":"1.31","offset":3,"I048/040":{"RHO":{"raw":50607,"value":197.68359375,"unit":"NM"},...}}
//
// An element is an object: "raw" is the number its bits encode (signed where it is
// signed; wider than 53 bits, hexadecimal digits in a string), "value" with "unit" the
// physical value or the characters, "meaning" what the specification's table says. A group
// or compound is an object of its parts, a repetition an array, an explicit field without
// a table {"hex":...} with its length octet left off.
func (r *Record) AppendJSON(out []byte) []byte {
	return append(r.AppendMembers(append(out, '{')), '}')
}

// AppendMembers appends the members of that object without its braces, for a line that
// says more.
func (r *Record) AppendMembers(out []byte) []byte {
	out = fmt.Appendf(out, `"category":%d,"edition":%q,"offset":%d`, r.Category, r.Edition, r.Offset)
	for i := range r.items {
		out = fmt.Appendf(out, `,"I%03d/%s":`, r.Category, r.items[i].node.name)
		out = r.items[i].AppendJSON(out)
	}
	return out
}

// MarshalJSON is AppendJSON for package encoding/json.
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

// MarshalJSON is AppendJSON for package encoding/json.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the value as it stands in a record's JSON.
func (v Value) AppendJSON(out []byte) []byte {
	if v.node == nil {
		return append(out, "null"...)
	}
	switch v.node.kind {
	case element:
		return v.element(out)
	case repetitive, repeated:
		out = append(out, '[')
		comma := false
		for kid := range v.All() {
			if comma {
				out = append(out, ',')
			}
			out, comma = kid.AppendJSON(out), true
		}
		return append(out, ']')
	case explicit:
		if len(v.node.kids) == 0 {
			return fmt.Appendf(out, `{"hex":"%x"}`, v.span[1:])
		}
	}
	out = append(out, '{')
	comma := false
	for kid := range v.All() {
		if comma {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, kid.node.name...)
		out = append(out, '"', ':')
		out, comma = kid.AppendJSON(out), true
	}
	return append(out, '}')
}

func (v Value) element(out []byte) []byte {
	out = append(out, `{"raw":`...)
	c := v.content()
	if v.node.bits > 53 {
		out = append(out, '"')
		out = v.appendHex(out)
		out = append(out, '"')
	} else {
		out = strconv.AppendInt(out, v.Int(), 10)
	}
	switch c.enc {
	case number:
		out = append(out, `,"value":`...)
		out = appendFloat(out, v.Float())
		if c.unit != "" {
			out = append(out, `,"unit":`...)
			out = appendText(out, c.unit)
		}
	case icao, ascii, octal:
		out = append(out, `,"value":`...)
		out = appendText(out, v.Text())
	case table:
		if m := v.Meaning(); m != "" {
			out = append(out, `,"meaning":`...)
			out = appendText(out, m)
		}
	}
	return append(out, '}')
}

// appendHex writes all the bits, from the first, in as many digits as they need.
func (v Value) appendHex(out []byte) []byte {
	if v.node.bits > 64 {
		return hex.AppendEncode(out, v.Octets())
	}
	return fmt.Appendf(out, "%0*x", (v.node.bits+3)/4, v.Uint())
}

// appendText writes a JSON string; s is valid UTF-8.
func appendText(out []byte, s string) []byte {
	out = append(out, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < 0x20 || c == 0x7f:
			out = fmt.Appendf(out, "\\u%04x", c)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

// appendFloat writes the shortest decimal that reads back as x.
func appendFloat(out []byte, x float64) []byte {
	if a := math.Abs(x); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(out, x, 'e', -1, 64)
	}
	return strconv.AppendFloat(out, x, 'f', -1, 64)
}
