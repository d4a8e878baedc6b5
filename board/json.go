package board

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The strict reader of RFC 8259: UTF-8, no byte order mark, no member twice, no lone
// surrogate, a bounded depth, nothing after the value. It reads members by their exact
// name, unlike encoding/json, and never allocates more than the text is long.

const (
	maxDepth   = 16
	maxInteger = 1<<53 - 1 // what every client's numbers hold exactly
)

var errJSON = errors.New("not the JSON of the contract")

type jsonReader struct {
	b     []byte
	i     int
	depth int
}

// readJSON reads one value with nothing around it but white space.
func readJSON(b []byte, value func(*jsonReader) error) error {
	if !utf8.Valid(b) {
		return fmt.Errorf("%w: not UTF-8", errJSON)
	}
	r := &jsonReader{b: b}
	if err := value(r); err != nil {
		return err
	}
	if r.space(); r.i != len(r.b) {
		return r.fault("something after the end")
	}
	return nil
}

func (r *jsonReader) fault(what string) error {
	return fmt.Errorf("%w: byte %d: %s", errJSON, r.i, what)
}

func (r *jsonReader) space() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return
		}
	}
}

// peek is the first byte of the next token; 0 at the end.
func (r *jsonReader) peek() byte {
	r.space()
	if r.i == len(r.b) {
		return 0
	}
	return r.b[r.i]
}

func (r *jsonReader) take(c byte) error {
	if r.peek() != c || c == 0 {
		return r.fault(fmt.Sprintf("no %q", c))
	}
	r.i++
	return nil
}

func (r *jsonReader) enter(c byte) error {
	if r.depth++; r.depth > maxDepth {
		return r.fault("too deep")
	}
	return r.take(c)
}

// object calls member with each name; member must read the value.
func (r *jsonReader) object(member func(name string) error) error {
	if err := r.enter('{'); err != nil {
		return err
	}
	defer func() { r.depth-- }()
	if r.peek() == '}' {
		r.i++
		return nil
	}
	var seen names
	for {
		name, err := r.text()
		if err != nil {
			return err
		}
		if !seen.add(name) {
			return r.fault("a member twice")
		}
		if err := r.take(':'); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if r.peek() != ',' {
			return r.take('}')
		}
		r.i++
	}
}

// names is a small set: a list as long as that is the faster, then a map.
type names struct {
	few  []string
	many map[string]struct{}
}

func (n *names) add(name string) bool {
	if n.many != nil {
		if _, twice := n.many[name]; twice {
			return false
		}
		n.many[name] = struct{}{}
		return true
	}
	for _, other := range n.few {
		if other == name {
			return false
		}
	}
	if n.few = append(n.few, name); len(n.few) > 24 {
		n.many = make(map[string]struct{}, 64)
		for _, name := range n.few {
			n.many[name] = struct{}{}
		}
	}
	return true
}

// array calls element for each; element must read the value.
func (r *jsonReader) array(element func() error) error {
	if err := r.enter('['); err != nil {
		return err
	}
	defer func() { r.depth-- }()
	if r.peek() == ']' {
		r.i++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if r.peek() != ',' {
			return r.take(']')
		}
		r.i++
	}
}

// text reads a string.
func (r *jsonReader) text() (string, error) {
	if err := r.take('"'); err != nil {
		return "", err
	}
	from := r.i
	for r.i < len(r.b) {
		switch c := r.b[r.i]; {
		case c == '"':
			r.i++
			return string(r.b[from : r.i-1]), nil
		case c == '\\':
			return r.escaped(from)
		case c < ' ':
			return "", r.fault("a control character in a string")
		}
		r.i++
	}
	return "", r.fault("a string without end")
}

// escaped goes on where the first backslash of a string stands.
func (r *jsonReader) escaped(from int) (string, error) {
	out := append([]byte(nil), r.b[from:r.i]...)
	for r.i < len(r.b) {
		c := r.b[r.i]
		r.i++
		switch {
		case c == '"':
			return string(out), nil
		case c < ' ':
			return "", r.fault("a control character in a string")
		case c != '\\':
			out = append(out, c)
		default:
			var err error
			if out, err = r.escape(out); err != nil {
				return "", err
			}
		}
	}
	return "", r.fault("a string without end")
}

func (r *jsonReader) escape(out []byte) ([]byte, error) {
	if r.i == len(r.b) {
		return nil, r.fault("a string without end")
	}
	c := r.b[r.i]
	r.i++
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'n':
		return append(out, '\n'), nil
	case 'r':
		return append(out, '\r'), nil
	case 't':
		return append(out, '\t'), nil
	case 'u':
		return r.unicode(out)
	}
	return nil, r.fault("an unknown escape")
}

func (r *jsonReader) unicode(out []byte) ([]byte, error) {
	one, err := r.hex4()
	if err != nil {
		return nil, err
	}
	if !utf16.IsSurrogate(one) {
		return utf8.AppendRune(out, one), nil
	}
	if r.i+2 > len(r.b) || r.b[r.i] != '\\' || r.b[r.i+1] != 'u' {
		return nil, r.fault("a lone surrogate")
	}
	r.i += 2
	two, err := r.hex4()
	if err != nil {
		return nil, err
	}
	both := utf16.DecodeRune(one, two)
	if both == utf8.RuneError {
		return nil, r.fault("a lone surrogate")
	}
	return utf8.AppendRune(out, both), nil
}

func (r *jsonReader) hex4() (rune, error) {
	if r.i+4 > len(r.b) {
		return 0, r.fault("a short escape")
	}
	var v rune
	for _, c := range r.b[r.i : r.i+4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			v = v<<4 | rune(c-'A'+10)
		default:
			return 0, r.fault("an escape that is not hexadecimal")
		}
	}
	r.i += 4
	return v, nil
}

// integer reads a number written in digits only, from 0 to 2^53-1.
func (r *jsonReader) integer() (int64, error) {
	from, end, err := r.number()
	if err != nil {
		return 0, err
	}
	for _, c := range r.b[from:end] {
		if c < '0' || c > '9' {
			return 0, r.fault("a number that is not written in digits only")
		}
	}
	v, err := strconv.ParseInt(string(r.b[from:end]), 10, 64)
	if err != nil || v > maxInteger {
		return 0, r.fault("a number over 2^53-1")
	}
	return v, nil
}

// number passes over a number of the grammar and says where it stood.
func (r *jsonReader) number() (from, end int, err error) {
	r.space()
	from = r.i
	if r.at('-') {
		r.i++
	}
	switch {
	case r.at('0'):
		r.i++
	case !r.digits():
		return 0, 0, r.fault("no number")
	}
	if r.at('.') {
		r.i++
		if !r.digits() {
			return 0, 0, r.fault("no digits after the point")
		}
	}
	if r.at('e') || r.at('E') {
		r.i++
		if r.at('+') || r.at('-') {
			r.i++
		}
		if !r.digits() {
			return 0, 0, r.fault("no digits in the exponent")
		}
	}
	return from, r.i, nil
}

func (r *jsonReader) at(c byte) bool { return r.i < len(r.b) && r.b[r.i] == c }

func (r *jsonReader) digits() bool {
	from := r.i
	for r.i < len(r.b) && r.b[r.i] >= '0' && r.b[r.i] <= '9' {
		r.i++
	}
	return r.i > from
}

// skip passes over any value, as strictly as if it were read.
func (r *jsonReader) skip() error {
	switch r.peek() {
	case '{':
		return r.object(func(string) error { return r.skip() })
	case '[':
		return r.array(r.skip)
	case '"':
		_, err := r.text()
		return err
	case 't':
		return r.word("true")
	case 'f':
		return r.word("false")
	case 'n':
		return r.word("null")
	}
	_, _, err := r.number()
	return err
}

func (r *jsonReader) word(w string) error {
	if len(r.b)-r.i < len(w) || string(r.b[r.i:r.i+len(w)]) != w {
		return r.fault("no value")
	}
	r.i += len(w)
	return nil
}
