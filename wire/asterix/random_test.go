package asterix

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// random makes records out of the tables themselves: every structure, every field, within
// the limits of the specification, spare bits zero.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 48))} }

func (r random) structure(n *node) []byte {
	switch n.kind {
	case element, group:
		b := make([]byte, n.bits/8)
		r.fill(n, b)
		return b
	case extended:
		return r.extended(n)
	case compound, compound8:
		parts := make([][]byte, len(n.kids))
		for i, kid := range n.kids {
			if kid != nil && r.IntN(3) == 0 {
				parts[i] = r.structure(kid)
			}
		}
		per := 7
		if n.kind == compound8 {
			per = 8
		}
		b := announce(parts, per)
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	case repetitive:
		b := []byte{byte(r.IntN(4))}
		for range int(b[0]) {
			b = append(b, r.structure(n.kids[0])...)
		}
		return b
	case repeated:
		size := (n.kids[0].bits + 1) / 8
		var b []byte
		for i := range 1 + r.IntN(4) {
			if i > 0 {
				b[len(b)-1] |= 1
			}
			b = append(b, make([]byte, size)...)
			r.fill(n.kids[0], b[len(b)-size:])
		}
		return b
	}
	var b []byte
	if len(n.kids) == 1 {
		for b = r.structure(n.kids[0]); len(b) > 254; {
			b = r.structure(n.kids[0])
		}
	} else {
		for range r.IntN(9) {
			b = append(b, byte(r.Uint32()))
		}
	}
	return append([]byte{byte(len(b) + 1)}, b...)
}

// extended stops only after a part that has a named field: no other can be built field by field.
func (r random) extended(n *node) []byte {
	var ends []int
	for i, end := range n.ends {
		start := 0
		if i > 0 {
			start = n.ends[i-1]
		}
		for _, kid := range n.kids {
			if kid.name != "" && kid.off >= start*8 && kid.off < end*8 {
				ends = append(ends, i)
				break
			}
		}
	}
	last := ends[r.IntN(len(ends))]
	b := make([]byte, n.ends[last])
	for _, kid := range n.kids {
		if kid.off+kid.bits <= len(b)*8 {
			r.fill(kid, b)
		}
	}
	for _, end := range n.ends[:last] {
		b[end-1] |= 1
	}
	return b
}

func (r random) fill(n *node, b []byte) {
	if n.kind == group {
		for _, kid := range n.kids {
			r.fill(kid, b)
		}
		return
	}
	if n.what == nil { // spare
		return
	}
	for at := 0; at < n.bits; at += 64 {
		store(b, n.off+at, min(64, n.bits-at), r.Uint64())
	}
	v := Value{n, b}
	c := v.content()
	if c.enc == icao || c.enc == ascii {
		bits := map[encoding]int{icao: 6, ascii: 8}[c.enc]
		for at := 0; at+bits <= n.bits; at += bits {
			x, _ := character(c.enc, "ABCXYZ 0189"[r.IntN(11)])
			store(b, n.off+at, bits, x)
		}
	}
	for range 10000 {
		if v.limits() == nil {
			return
		}
		store(b, n.off, n.bits, r.Uint64())
	}
	store(b, n.off, n.bits, 0)
}

// record fills some of the items of a profile; only is the one slot that must be there, -1
// for none.
func (r random) record(f format, only int) Record {
	in := f.only
	var decide []byte
	if in == nil {
		names := []uint64{}
		for v := range f.choices {
			names = append(names, v)
		}
		pick := uint64(r.IntN(len(names)))
		in = f.choices[pick]
		n := f.items[f.by[0]]
		decide = r.structure(n)
		field := fixed(n, f.by[1:])
		store(decide, field.off, field.bits, pick)
	}
	out := Record{Category: f.category, Edition: f.edition, format: f}
	for i, s := range in.slots {
		switch {
		case s.item == nil:
		case decide != nil && s.item.name == f.by[0]:
			out.items = append(out.items, Item{Value{s.item, decide}, i})
		case i == only || r.IntN(4) == 0 || i == 0:
			n := s.item
			if n.kind == explicit && n.name == "RE" && f.expansion != nil {
				n = f.expansion
			}
			out.items = append(out.items, Item{Value{n, r.structure(n)}, i})
		}
	}
	return out
}

// formats is every category at every edition, its expansion field at the newest.
func formats(t testing.TB) []format {
	var out []format
	for _, c := range Categories() {
		for _, e := range Known(c) {
			f, err := lookup(c, e)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, f)
		}
	}
	if len(out) < 24 {
		t.Fatalf("%d editions in the tables", len(out))
	}
	return out
}

// leaves calls do with every element under v and the path to it.
func leaves(v Value, path []string, do func([]string, Value)) {
	switch v.node.kind {
	case element:
		do(path, v)
		return
	case repetitive, repeated:
		for i := range v.Len() {
			leaves(v.Index(i), append(path[:len(path):len(path)], strconv.Itoa(i)), do)
		}
		return
	}
	for kid := range v.All() {
		leaves(kid, append(path[:len(path):len(path)], kid.Name()), do)
	}
}
