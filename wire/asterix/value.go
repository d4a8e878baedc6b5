package asterix

import (
	"encoding/binary"
	"encoding/hex"
	"iter"
	"strconv"
)

// Value is an item or a part of one: an element, or a structure of further values. It is
// a view of octets that were checked to hold it. The zero value is of nothing and
// answers zeros.
type Value struct {
	node *node
	span []byte // the octets of the fixed layout it stands in, or its own
}

// Name is what the specification calls it: "040", "RHO"; empty for the nameless ones
// (a single element, a repetition).
func (v Value) Name() string {
	if v.node == nil {
		return ""
	}
	return v.node.name
}

// At looks up a part by names, and by numbers from 0 within a repetition. With no names it
// is the value itself.
func (v Value) At(path ...string) (Value, bool) {
	if v.node == nil {
		return Value{}, false
	}
	for _, name := range path {
		var ok bool
		if v, ok = v.part(name); !ok {
			return Value{}, false
		}
	}
	return v, true
}

func (v Value) part(name string) (Value, bool) {
	switch v.node.kind {
	case group, extended:
		for _, kid := range v.node.kids {
			if kid.name == name && name != "" {
				return Value{kid, v.span}, kid.off+kid.bits <= len(v.span)*8
			}
		}
	case compound, compound8:
		for kid := range v.parts() {
			if kid.node.name == name {
				return kid, true
			}
		}
	case repetitive, repeated:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= v.Len() {
			return Value{}, false
		}
		return v.Index(i), true
	case explicit:
		if len(v.node.kids) == 1 {
			return Value{v.node.kids[0], v.span[1:]}.part(name)
		}
	}
	return Value{}, false
}

// Len is how many times a repetition repeats; 0 for what is none.
func (v Value) Len() int {
	switch {
	case v.node == nil:
		return 0
	case v.node.kind == repetitive:
		return int(v.span[0])
	case v.node.kind == repeated:
		return len(v.span) * 8 / (v.node.kids[0].bits + 1)
	}
	return 0
}

// Index is one of a repetition, from 0 to Len()-1.
func (v Value) Index(i int) Value {
	kid := v.node.kids[0]
	if v.node.kind == repeated {
		size := (kid.bits + 1) / 8
		return Value{kid, v.span[i*size : (i+1)*size]}
	}
	if kid.bits > 0 {
		size := kid.bits / 8
		return Value{kid, v.span[1+i*size : 1+(i+1)*size]}
	}
	at := 1
	for range i {
		at += sized(kid, v.span[at:])
	}
	return Value{kid, v.span[at : at+sized(kid, v.span[at:])]}
}

// sized measures what has been measured before.
func sized(n *node, b []byte) int {
	if n.bits > 0 {
		return n.bits / 8
	}
	var notes []problem
	size, p := measure(n, b, &notes)
	if p != nil {
		return 0
	}
	return size
}

// All yields the parts of a structure in order, without spare bits: the members of a
// group, the members present of an extended or compound item, the repetitions.
func (v Value) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.node == nil {
			return
		}
		switch v.node.kind {
		case group, extended:
			for _, kid := range v.node.kids {
				if kid.name == "" || kid.off+kid.bits > len(v.span)*8 {
					continue
				}
				if !yield(Value{kid, v.span}) {
					return
				}
			}
		case compound, compound8:
			v.parts()(yield)
		case repetitive, repeated:
			for i := range v.Len() {
				if !yield(v.Index(i)) {
					return
				}
			}
		case explicit:
			if len(v.node.kids) == 1 {
				Value{v.node.kids[0], v.span[1:]}.All()(yield)
			}
		}
	}
}

// parts yields what a compound announces.
func (v Value) parts() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		end, per := 1, 8
		if v.node.kind == compound {
			per = 7
			for v.span[end-1]&1 != 0 {
				end++
			}
		}
		for o, bits := range v.span[:end] {
			if per == 7 {
				bits &^= 1
			}
			for i := o * per; bits != 0; i++ {
				set := bits&0x80 != 0
				bits <<= 1
				if !set {
					continue
				}
				kid := v.node.kids[i]
				size := sized(kid, v.span[end:])
				if !yield(Value{kid, v.span[end : end+size]}) {
					return
				}
				end += size
			}
		}
	}
}

// Octets is what it takes on the wire: of a whole item with its lengths and counts, of a
// field wider than 64 bits its own. It is nil for narrower fields of a layout, which
// share octets. It must not be written to.
func (v Value) Octets() []byte {
	switch {
	case v.node == nil:
		return nil
	case v.node.bits > 64:
		return v.span[v.node.off/8 : (v.node.off+v.node.bits)/8]
	case v.node.kind <= group && v.node.bits < len(v.span)*8:
		return nil
	}
	return v.span
}

// content answers how the element is encoded, having looked at the sibling that
// decides where one does; nil for structures.
func (v Value) content() *content {
	if v.node == nil || v.node.what == nil {
		return nil
	}
	c := v.node.what
	if c.enc != choice {
		return c
	}
	if chosen, ok := c.choices[Value{c.by, v.span}.Uint()]; ok {
		return chosen
	}
	return c.other
}

// Uint is the bits of an element as an unsigned number, whatever it encodes; of one
// wider than 64 bits the last 64; 0 for structures.
func (v Value) Uint() uint64 {
	if v.node == nil || v.node.kind != element {
		return 0
	}
	off, n := v.node.off, v.node.bits
	if n > 64 {
		off, n = off+n-64, 64
	}
	return load(v.span, off, n)
}

// load reads n bits, at most 64, from bit off on.
func load(b []byte, off, n int) uint64 {
	b = b[off/8:]
	off %= 8
	var x uint64
	last := (off + n + 7) / 8 // octets touched, at most 9
	if last > 8 {
		x = binary.BigEndian.Uint64(b) << off
		return (x | uint64(b[8])>>(8-off)) >> (64 - n)
	}
	for _, o := range b[:last] {
		x = x<<8 | uint64(o)
	}
	x >>= last*8 - off - n
	if n == 64 {
		return x
	}
	return x & (1<<n - 1)
}

// Int is the number an element encodes before its unit: two's complement where the
// specification says so.
func (v Value) Int() int64 {
	x := v.Uint()
	if c := v.content(); c == nil || !c.signed || v.node.bits >= 64 {
		return int64(x)
	}
	shift := 64 - v.node.bits
	return int64(x<<shift) >> shift
}

// Float is the physical value of a number in Unit(); of other elements their bits as a number.
func (v Value) Float() float64 {
	c := v.content()
	switch {
	case c == nil || c.enc != number:
		return float64(v.Uint())
	case c.signed:
		return float64(v.Int()) * c.num / c.den
	}
	return float64(v.Uint()) * c.num / c.den
}

// Unit is that of Float as the specification writes it ("NM", "FL", "°"), or empty.
func (v Value) Unit() string {
	if c := v.content(); c != nil {
		return c.unit
	}
	return ""
}

// Meaning is what the specification's table says of the value; empty where it says nothing.
func (v Value) Meaning() string {
	if c := v.content(); c != nil && c.enc == table {
		return c.meanings[v.Uint()]
	}
	return ""
}

const icaoAlphabet = " ABCDEFGHIJKLMNOPQRSTUVWXYZ                     0123456789      "

// Text is the characters of a text element as sent, padding included: six-bit characters
// (a code without a character is a space), ASCII (an octet that is none is U+FFFD),
// octal digits; of a BDS register and other elements wider than 64 bits the hexadecimal digits; of others empty.
func (v Value) Text() string {
	c := v.content()
	if c == nil {
		return ""
	}
	n := v.node
	if n.bits > 64 && c.enc != ascii {
		return hex.EncodeToString(v.Octets())
	}
	var out []byte
	switch c.enc {
	case icao:
		for at := 0; at+6 <= n.bits; at += 6 {
			out = append(out, icaoAlphabet[load(v.span, n.off+at, 6)])
		}
	case octal:
		for at := 0; at+3 <= n.bits; at += 3 {
			out = append(out, '0'+byte(load(v.span, n.off+at, 3)))
		}
	case ascii:
		for at := 0; at+8 <= n.bits; at += 8 {
			x := byte(load(v.span, n.off+at, 8))
			if x >= 0x80 {
				out = append(out, "\uFFFD"...)
				continue
			}
			out = append(out, x)
		}
	case bds:
		for at := 0; at+4 <= n.bits; at += 4 {
			out = append(out, "0123456789abcdef"[load(v.span, n.off+at, 4)])
		}
	}
	return string(out)
}
