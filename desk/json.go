package desk

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a body: how deep it may nest (a command needs three), and of how many values
// it may be.
const (
	maxDepth  = 8
	maxValues = 6000
)

// kind is what a JSON value is.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

var kindNames = [...]string{"null", "true or false", "a number", "a text", "a list", "an object"}

func (k kind) String() string { return kindNames[k] }

// value is one JSON value as it was written: nothing is converted before it is known what
// it should be.
type value struct {
	kind     kind
	text     string // of a text, decoded; of a number, as written
	names    []string
	elements []value // of a list; of an object, beside its names
}

// fault is what is wrong with a body, by the path of the member: "observe.fix.lat".
type fault struct {
	field string
	what  string
}

// whole is the field of a fault that is of no member.
const whole = "body"

// reader reads RFC 8259 strictly: UTF-8 without byte order mark or lone surrogate, no
// member twice, a bounded depth, nothing after the value. It takes memory in proportion to
// the text.
type reader struct {
	b     []byte
	i     int
	path  []string
	depth int
	count int // of values
}

// parse reads one value with nothing around it but white space.
func parse(b []byte) (value, *fault) {
	if !utf8.Valid(b) {
		return value{}, &fault{whole, "is not UTF-8"}
	}
	r := &reader{b: b}
	v, f := r.value()
	if f != nil {
		return value{}, f
	}
	if r.space(); r.i != len(r.b) {
		return value{}, &fault{whole, fmt.Sprintf("goes on after its end, at byte %d", r.i)}
	}
	return v, nil
}

func (r *reader) fault(format string, args ...any) *fault {
	return &fault{field(r.path...), fmt.Sprintf(format, args...) + fmt.Sprintf(" (byte %d)", r.i)}
}

// field is the name of a member by its path.
func field(path ...string) string {
	name := ""
	for _, p := range path {
		if p = clip(p); name == "" {
			name = p
		} else if p != "" {
			name += "." + p
		}
	}
	if name == "" {
		return whole
	}
	return name
}

// clip keeps what a stranger calls a thing short.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func (r *reader) space() {
	for r.i < len(r.b) && (r.b[r.i] == ' ' || r.b[r.i] == '\t' || r.b[r.i] == '\n' || r.b[r.i] == '\r') {
		r.i++
	}
}

// peek is the first byte of the next token; 0 at the end.
func (r *reader) peek() byte {
	if r.space(); r.i < len(r.b) {
		return r.b[r.i]
	}
	return 0
}

func (r *reader) value() (value, *fault) {
	if r.depth++; r.depth > maxDepth {
		return value{}, r.fault("is nested more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	if r.count++; r.count > maxValues {
		return value{}, r.fault("has over %d values; name regions in place of zones, or give several commands", maxValues)
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object()
	case c == '[':
		return r.list()
	case c == '"':
		s, f := r.string()
		return value{kind: text, text: s}, f
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 0 && r.i == len(r.b):
		return value{}, r.fault("ends too early")
	}
	for _, word := range [...]string{"null", "true", "false"} {
		if bytes.HasPrefix(r.b[r.i:], []byte(word)) {
			r.i += len(word)
			if word == "null" {
				return value{kind: null}, nil
			}
			return value{kind: boolean}, nil
		}
	}
	return value{}, r.fault("is not JSON")
}

func (r *reader) object() (value, *fault) {
	v := value{kind: object}
	seen := map[string]bool{}
	r.i++
	if r.peek() == '}' {
		r.i++
		return v, nil
	}
	for {
		if r.peek() != '"' {
			return v, r.fault("is not JSON: the name of a member is missing")
		}
		name, f := r.string()
		if f != nil {
			return v, f
		}
		r.path = append(r.path, name)
		if seen[name] {
			return v, r.fault("stands twice")
		}
		seen[name] = true
		if r.peek() != ':' {
			return v, r.fault("is not JSON: there is no colon after the name")
		}
		r.i++
		member, f := r.value()
		if f != nil {
			return v, f
		}
		r.path = r.path[:len(r.path)-1]
		v.names, v.elements = append(v.names, name), append(v.elements, member)
		switch r.peek() {
		case ',':
			r.i++
		case '}':
			r.i++
			return v, nil
		default:
			return v, r.fault("is not JSON: there is no comma and no end after a member")
		}
	}
}

func (r *reader) list() (value, *fault) {
	v := value{kind: array}
	r.i++
	if r.peek() == ']' {
		r.i++
		return v, nil
	}
	for {
		e, f := r.value()
		if f != nil {
			return v, f
		}
		v.elements = append(v.elements, e)
		switch r.peek() {
		case ',':
			r.i++
		case ']':
			r.i++
			return v, nil
		default:
			return v, r.fault("is not JSON: there is no comma and no end in a list")
		}
	}
}

// number reads what RFC 8259 calls one: no plus, no leading zero, no NaN.
func (r *reader) number() (value, *fault) {
	from := r.i
	digits := func() bool {
		n := r.i
		for r.i < len(r.b) && r.b[r.i] >= '0' && r.b[r.i] <= '9' {
			r.i++
		}
		return r.i > n
	}
	if r.b[r.i] == '-' {
		r.i++
	}
	first := r.i
	ok := digits() && (r.b[first] != '0' || r.i == first+1)
	if ok && r.i < len(r.b) && r.b[r.i] == '.' {
		r.i++
		ok = digits()
	}
	if ok && r.i < len(r.b) && (r.b[r.i] == 'e' || r.b[r.i] == 'E') {
		if r.i++; r.i < len(r.b) && (r.b[r.i] == '+' || r.b[r.i] == '-') {
			r.i++
		}
		ok = digits()
	}
	if !ok {
		return value{}, r.fault("is not a number of JSON")
	}
	return value{kind: number, text: string(r.b[from:r.i])}, nil
}

// string reads a text; r stands on its first quote.
func (r *reader) string() (string, *fault) {
	r.i++
	var out []byte
	for r.i < len(r.b) {
		c := r.b[r.i]
		r.i++
		switch {
		case c == '"':
			return string(out), nil
		case c < ' ':
			return "", r.fault("has a control character in a text")
		case c == '\\':
			var f *fault
			if out, f = r.escape(out); f != nil {
				return "", f
			}
		default:
			out = append(out, c)
		}
	}
	return "", r.fault("has a text without end")
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (r *reader) escape(out []byte) ([]byte, *fault) {
	if r.i == len(r.b) {
		return nil, r.fault("has a text without end")
	}
	c := r.b[r.i]
	r.i++
	if plain, ok := escapes[c]; ok {
		return append(out, plain), nil
	}
	if c != 'u' {
		return nil, r.fault("has an unknown escape in a text")
	}
	one, ok := r.hex4()
	if !ok {
		return nil, r.fault("has an escape without four hexadecimal digits")
	}
	if !utf16.IsSurrogate(one) {
		return utf8.AppendRune(out, one), nil
	}
	if len(r.b)-r.i >= 2 && r.b[r.i] == '\\' && r.b[r.i+1] == 'u' {
		r.i += 2
		if two, ok := r.hex4(); ok {
			if both := utf16.DecodeRune(one, two); both != utf8.RuneError {
				return utf8.AppendRune(out, both), nil
			}
		}
	}
	return nil, r.fault("has half a character in a text (a lone surrogate)")
}

func (r *reader) hex4() (rune, bool) {
	if len(r.b)-r.i < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.b[r.i:r.i+4]), 16, 16)
	r.i += 4
	return rune(n), err == nil
}
