package asterix

import (
	"encoding/binary"
	"fmt"
)

// Encode writes records as data blocks, in order. Neighbours of the same category and
// edition share a block, as long as its 16-bit length holds them.
func Encode(records ...Record) ([]byte, error) {
	out, err := datagrams(0, MaxBlock, records)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out[0], nil
}

// Datagrams writes records as Encode does, cut into pieces of at most limit octets, each
// one decodable by itself. A record that does not fit one is an error.
func Datagrams(limit int, records ...Record) ([][]byte, error) {
	return datagrams(limit, min(limit, MaxBlock), records)
}

// datagrams cuts at limit octets a datagram (0: none) and at most block octets a block.
func datagrams(limit, block int, records []Record) ([][]byte, error) {
	var out [][]byte
	var now []byte
	start := -1 // of the open block in now
	flush := func() {
		if len(now) > 0 {
			out = append(out, now)
			now, start = nil, -1
		}
	}
	for i := range records {
		r := &records[i]
		if len(r.items) == 0 {
			return nil, fmt.Errorf("asterix: encode record %d: %w", i, ErrEmpty)
		}
		size := r.size()
		if size+3 > block {
			return nil, fmt.Errorf("asterix: encode record %d: %w: %d octets, at most %d", i, ErrLength, size, block-3)
		}
		fresh := start < 0 || now[start] != r.Category || records[i-1].Edition != r.Edition || len(now)-start+size > block
		need := len(now) + size
		if fresh {
			need += 3
		}
		if limit > 0 && need > limit {
			flush()
			fresh = true
		}
		if fresh {
			start = len(now)
			now = append(now, r.Category, 0, 0)
		}
		now = r.append(now)
		binary.BigEndian.PutUint16(now[start+1:], uint16(len(now)-start))
	}
	flush()
	return out, nil
}

// size is that of the record on the wire.
func (r *Record) size() int {
	n := r.items[len(r.items)-1].frn/7 + 1
	for i := range r.items {
		n += len(r.items[i].span)
	}
	return n
}

// append writes the FSPEC, in its shortest form, and the items.
func (r *Record) append(out []byte) []byte {
	start := len(out)
	octets := r.items[len(r.items)-1].frn/7 + 1
	for i := range octets {
		fx := byte(1)
		if i == octets-1 {
			fx = 0
		}
		out = append(out, fx)
	}
	for i := range r.items {
		frn := r.items[i].frn
		out[start+frn/7] |= 0x80 >> (frn % 7)
	}
	for i := range r.items {
		out = append(out, r.items[i].span...)
	}
	return out
}
