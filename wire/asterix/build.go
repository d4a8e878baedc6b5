package asterix

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrValue is wrapped by the errors of a Builder: no such field, a value outside what its
// bits or its specification allow.
var ErrValue = errors.New("value not allowed")

// Builder makes a record from values. Each setter names a field by its path, as Record.At
// does, creates the structures on the way (extension octets, announcements of a compound,
// the next repetition) and leaves what is not set zero. The first error is kept and
// answered by Record. It is not safe for concurrent use.
type Builder struct {
	format format
	in     *profile
	octets [][]byte // by field reference number; nil is absent
	err    error
}

// NewBuilder begins a record of an edition as Editions writes it; "" is the default.
func NewBuilder(category uint8, edition string) (*Builder, error) {
	f, err := lookup(category, edition)
	if err != nil {
		return nil, err
	}
	b := &Builder{format: f}
	b.Reset()
	return b, nil
}

// Reset begins the next record of the same edition.
func (b *Builder) Reset() {
	b.in, b.err = b.format.only, nil
	if b.in == nil {
		b.in = b.format.choices[0]
	}
	b.octets = make([][]byte, len(b.in.slots))
}

// Record answers with what was set since the last Reset, or the first error.
func (b *Builder) Record() (Record, error) {
	if b.err != nil {
		return Record{}, b.err
	}
	r := Record{Category: b.format.category, Edition: b.format.edition, format: b.format}
	for frn, octets := range b.octets {
		if octets != nil {
			r.items = append(r.items, Item{Value{b.form(frn), octets}, frn})
		}
	}
	if len(r.items) == 0 {
		return Record{}, fmt.Errorf("asterix: build category %03d: %w", r.Category, ErrEmpty)
	}
	return r.Clone(), nil
}

// form is the structure of a slot, with the expansion field opened where it has a table.
func (b *Builder) form(frn int) *node {
	n := b.in.slots[frn].item
	if n.kind == explicit && n.name == "RE" && b.format.expansion != nil {
		return b.format.expansion
	}
	return n
}

// Uint sets the bits of a field.
func (b *Builder) Uint(x uint64, path ...string) *Builder {
	return b.set(path, func(n *node, span []byte) error {
		if n.bits > 64 || n.bits < 64 && x>>n.bits != 0 {
			return fmt.Errorf("%w: %d does not fit %d bits", ErrValue, x, n.bits)
		}
		v := Value{n, span}
		store(span, n.off, n.bits, x)
		return v.limits()
	})
}

// Float sets the physical value of a number, in the unit of the specification, to the
// nearest step.
func (b *Builder) Float(x float64, path ...string) *Builder {
	return b.set(path, func(n *node, span []byte) error {
		v := Value{n, span}
		c := v.content()
		if c.enc != number || n.bits > 53 {
			return fmt.Errorf("%w: not a number", ErrValue)
		}
		step := math.Round(x * c.den / c.num)
		low, high := 0.0, math.Ldexp(1, n.bits)-1
		if c.signed {
			low, high = -math.Ldexp(1, n.bits-1), math.Ldexp(1, n.bits-1)-1
		}
		if !(step >= low && step <= high) {
			return fmt.Errorf("%w: %g %s is not in %g to %g", ErrValue, x, c.unit, low*c.num/c.den, high*c.num/c.den)
		}
		store(span, n.off, n.bits, uint64(int64(step)))
		return v.limits()
	})
}

// limits checks the value that stands in the octets against the specification's.
func (v Value) limits() error {
	c := v.content()
	if c == nil {
		return nil
	}
	x := v.Float()
	for _, l := range c.limits {
		ok := l.sign == "<" && x < l.value || l.sign == "<=" && x <= l.value ||
			l.sign == ">" && x > l.value || l.sign == ">=" && x >= l.value
		if !ok {
			return fmt.Errorf("%w: %g %s is not %s", ErrValue, x, c.unit, l.text)
		}
	}
	return nil
}

// Text sets a text element, padded with spaces: letters, digits and space in six bits,
// printable ASCII, or exactly as many octal digits as there are.
func (b *Builder) Text(s string, path ...string) *Builder {
	return b.set(path, func(n *node, span []byte) error {
		c := Value{n, span}.content()
		bits := map[encoding]int{icao: 6, ascii: 8, octal: 3}[c.enc]
		if bits == 0 {
			return fmt.Errorf("%w: not a text", ErrValue)
		}
		size := n.bits / bits
		if len(s) > size || c.enc == octal && len(s) != size {
			return fmt.Errorf("%w: %q has not %d characters", ErrValue, s, size)
		}
		s += strings.Repeat(" ", size-len(s))
		for i := range size {
			x, ok := character(c.enc, s[i])
			if !ok {
				return fmt.Errorf("%w: character %q", ErrValue, s[i])
			}
			store(span, n.off+i*bits, bits, x)
		}
		return nil
	})
}

func character(enc encoding, c byte) (uint64, bool) {
	switch {
	case enc == octal:
		return uint64(c - '0'), c >= '0' && c <= '7'
	case enc == ascii:
		return uint64(c), c >= ' ' && c < 0x7f
	case c >= 'A' && c <= 'Z':
		return uint64(c - 'A' + 1), true
	}
	return uint64(c), c == ' ' || c >= '0' && c <= '9'
}

// Octets sets the exact octets of a whole item or compound part, with its lengths and
// counts, or of a field wider than 64 bits.
func (b *Builder) Octets(x []byte, path ...string) *Builder {
	if b.err != nil {
		return b
	}
	frn, err := b.slot(path)
	if err == nil {
		b.octets[frn], err = replace(b.form(frn), b.octets[frn], path[1:], x)
	}
	b.keep(path, err)
	return b
}

func (b *Builder) set(path []string, write func(*node, []byte) error) *Builder {
	if b.err != nil {
		return b
	}
	frn, err := b.slot(path)
	if err == nil {
		b.octets[frn], err = put(b.form(frn), b.octets[frn], path[1:], write)
	}
	b.keep(path, err)
	if b.err == nil && len(b.format.by) > 0 && strings.Join(path, "/") == strings.Join(b.format.by, "/") {
		b.choose(frn)
	}
	return b
}

func (b *Builder) keep(path []string, err error) {
	if err != nil {
		b.err = fmt.Errorf("asterix: build I%03d/%s: %w", b.format.category, strings.Join(path, "/"), err)
	}
}

// choose takes the profile that the field just set asks for, while nothing that the
// profiles disagree on has been set.
func (b *Builder) choose(frn int) {
	v, _ := Value{b.form(frn), b.octets[frn]}.At(b.format.by[1:]...)
	next := b.format.choices[v.Uint()]
	if next == nil || next == b.in {
		return
	}
	for i, octets := range b.octets {
		if octets != nil && (i >= len(next.slots) || next.slots[i] != b.in.slots[i]) {
			b.keep(b.format.by, fmt.Errorf("%w: it must be set before %s", ErrValue, b.in.slots[i].item.name))
			return
		}
	}
	b.in = next
	b.octets = append(b.octets, make([][]byte, max(0, len(next.slots)-len(b.octets)))...)[:len(next.slots)]
}

func (b *Builder) slot(path []string) (int, error) {
	for i, s := range b.in.slots {
		if len(path) > 0 && s.item != nil && s.item.name == path[0] {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: edition %s has no such item here", ErrValue, b.format.edition)
}

var errPath = fmt.Errorf("%w: no such field", ErrValue)

// put writes the field at path inside a structure whose octets are now (nil: not there
// yet) and answers with its new octets.
func put(n *node, now []byte, path []string, write func(*node, []byte) error) ([]byte, error) {
	switch n.kind {
	case element, group:
		if now == nil {
			now = make([]byte, n.bits/8)
		}
		leaf := fixed(n, path)
		if leaf == nil {
			return now, errPath
		}
		return now, write(leaf, now)
	case extended:
		leaf := fixed(n, path)
		if leaf == nil {
			return now, errPath
		}
		now = extend(n, now, leaf)
		return now, write(leaf, now)
	case compound, compound8:
		return rebuild(n, now, path, func(kid *node, was []byte) ([]byte, error) {
			return put(kid, was, path[1:], write)
		})
	case repetitive, repeated:
		return repeat(n, now, path, func(kid *node, was []byte) ([]byte, error) {
			return put(kid, was, path[1:], write)
		})
	}
	return open(n, now, func(body *node, was []byte) ([]byte, error) {
		return put(body, was, path, write)
	})
}

// replace puts exact octets in the place of a whole structure.
func replace(n *node, now []byte, path []string, octets []byte) ([]byte, error) {
	if len(path) == 0 {
		var notes []problem
		size, p := measure(n, octets, &notes)
		if p != nil {
			return now, fmt.Errorf("%w: %w at octet %d", ErrValue, p.err, p.at)
		}
		if size != len(octets) {
			return now, fmt.Errorf("%w: %d octets where the structure has %d", ErrValue, len(octets), size)
		}
		return append([]byte{}, octets...), nil
	}
	down := func(kid *node, was []byte) ([]byte, error) { return replace(kid, was, path[1:], octets) }
	switch n.kind {
	case compound, compound8:
		return rebuild(n, now, path, down)
	case repetitive, repeated:
		return repeat(n, now, path, down)
	case explicit:
		return open(n, now, func(body *node, was []byte) ([]byte, error) { return replace(body, was, path, octets) })
	}
	return put(n, now, path, func(leaf *node, span []byte) error {
		if leaf.bits <= 64 || leaf.bits != len(octets)*8 {
			return fmt.Errorf("%w: %d octets for %d bits", ErrValue, len(octets), leaf.bits)
		}
		copy(span[leaf.off/8:], octets)
		return nil
	})
}

// fixed finds the element at path in a fixed layout.
func fixed(n *node, path []string) *node {
	for _, name := range path {
		if n = find(n.kids, name); n == nil {
			return nil
		}
	}
	if n.kind != element {
		return nil
	}
	return n
}

// extend makes an extended item long enough for a field, with the FX bits on the way.
func extend(n *node, now []byte, leaf *node) []byte {
	for _, end := range n.ends {
		if len(now) < end {
			if len(now) > 0 {
				now[len(now)-1] |= 1
			}
			now = append(now, make([]byte, end-len(now))...)
		}
		if leaf.off+leaf.bits <= end*8 {
			break
		}
	}
	return now
}

// rebuild changes one part of a compound.
func rebuild(n *node, now []byte, path []string, change func(*node, []byte) ([]byte, error)) ([]byte, error) {
	at := -1
	for i, kid := range n.kids {
		if kid != nil && len(path) > 0 && kid.name == path[0] {
			at = i
		}
	}
	if at < 0 {
		return now, errPath
	}
	parts := make([][]byte, len(n.kids))
	if now != nil {
		for p := range (Value{n, now}).parts() {
			parts[index(n.kids, p.node)] = p.span
		}
	}
	changed, err := change(n.kids[at], parts[at])
	if err != nil {
		return now, err
	}
	parts[at] = changed
	per := 7
	if n.kind == compound8 {
		per = 8
	}
	out := announce(parts, per)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out, nil
}

func index(kids []*node, n *node) int {
	for i, k := range kids {
		if k == n {
			return i
		}
	}
	return -1
}

// announce makes the shortest FSPEC for what is there.
func announce(parts [][]byte, per int) []byte {
	spec := []byte{0}
	for i, p := range parts {
		if p == nil {
			continue
		}
		for len(spec) <= i/per {
			spec[len(spec)-1] |= 1
			spec = append(spec, 0)
		}
		spec[i/per] |= 0x80 >> (i % per)
	}
	return spec
}

// repeat changes one repetition, or appends the next.
func repeat(n *node, now []byte, path []string, change func(*node, []byte) ([]byte, error)) ([]byte, error) {
	v := Value{n, now}
	count := 0
	if now != nil {
		count = v.Len()
	}
	if len(path) == 0 {
		return now, errPath
	}
	i, err := strconv.Atoi(path[0])
	if err != nil || i < 0 || i > count || n.kind == repetitive && i > 254 {
		return now, fmt.Errorf("%w: repetition %q of %d", ErrValue, path[0], count)
	}
	if n.kind == repeated {
		return repeatFX(n.kids[0], now, i, change)
	}
	var out []byte
	if i == count {
		count++
	}
	out = append(out, byte(count))
	for j := range count {
		var was []byte
		if now != nil && j < int(now[0]) {
			was = v.Index(j).span
		}
		if j == i {
			if was, err = change(n.kids[0], append([]byte(nil), was...)); err != nil {
				return now, err
			}
		}
		out = append(out, was...)
	}
	return out, nil
}

func repeatFX(kid *node, now []byte, i int, change func(*node, []byte) ([]byte, error)) ([]byte, error) {
	size := (kid.bits + 1) / 8
	if len(now) == i*size {
		if i > 0 {
			now[len(now)-1] |= 1
		}
		now = append(now, make([]byte, size)...)
	}
	_, err := change(kid, now[i*size:(i+1)*size])
	return now, err
}

// open changes the inside of an expansion field.
func open(n *node, now []byte, change func(*node, []byte) ([]byte, error)) ([]byte, error) {
	if len(n.kids) != 1 {
		return now, fmt.Errorf("%w: set as octets only", ErrValue)
	}
	var was []byte
	if now != nil {
		was = now[1:]
	}
	body, err := change(n.kids[0], was)
	if err != nil {
		return now, err
	}
	if len(body) > 254 {
		return now, fmt.Errorf("%w: field of %d octets, at most 255", ErrValue, len(body)+1)
	}
	return append([]byte{byte(len(body) + 1)}, body...), nil
}

// store writes the low n bits of x, at most 64, at bit off.
func store(b []byte, off, n int, x uint64) {
	for i := n - 1; i >= 0; i-- {
		bit := byte(0x80) >> ((off + i) % 8)
		if x&1 != 0 {
			b[(off+i)/8] |= bit
		} else {
			b[(off+i)/8] &^= bit
		}
		x >>= 1
	}
}
