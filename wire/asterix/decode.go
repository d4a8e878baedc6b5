// Package asterix reads and writes EUROCONTROL ASTERIX: data blocks of surveillance
// records, as radars and trackers send them over UDP.
//
// In: octets, and which edition of each category they follow (Editions), which the octets
// do not say. Out: Records whose items are looked up by the specification's names, and
// Faults for what could not be decoded; and the way back, octets from values (Builder,
// Encode). It is driven by tables of the item definitions and knows no item by itself.
// It never judges what a value means, and never drops anything in silence.
//
// Sources: EUROCONTROL-SPEC-0149 (part 1 for the structures; parts 2b, 4, 9, 10, 11 and
// others for the items, appendices for the expansion fields), taken as facts from
// asterix-specs (BSD-3-Clause).
//
// # What is kept after a fault
//
// A record has no length of its own: where it cannot be followed to its end, it and what
// comes after it in its data block are lost, the records before it and the other blocks
// are kept. A block that is cut short keeps its whole records. Two faults lose nothing: an
// extension octet that the edition does not know is read over, and a reserved expansion
// field (which has a length) that does not decode stays as its octets.
//
// # Deviations
//
// Random field sequencing is read, never written. Trailing zero octets of an FSPEC are
// read, never written. Value limits of the specification are checked in writing only: a
// received value outside them is given as it is.
package asterix

import "encoding/binary"

// MaxBlock is the longest data block that its 16-bit length can say.
const MaxBlock = 65535

// Decode decodes one datagram: data blocks one after another, of any category. The
// records refer to b and to nothing else.
func Decode(b []byte, e Editions) ([]Record, []Fault) {
	d := Decoder{editions: e}
	return d.Decode(b)
}

// Decoder decodes many datagrams of one feed with little allocation. It is not safe for
// concurrent use. The zero value decodes with all defaults.
type Decoder struct {
	editions Editions
	formats  [256]struct {
		format
		err error
	}
	known [256]bool

	records []Record
	items   []Item
	faults  []Fault
	notes   []problem
	beyond  int
}

// NewDecoder makes a decoder for a feed. The error names an edition that is not known.
func NewDecoder(e Editions) (*Decoder, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	return &Decoder{editions: e}, nil
}

// Decode decodes one datagram. What it returns refers to b and to the decoder's own
// space: it is valid until the next call. At most MaxFaults faults are listed, the last
// saying how many more there were.
func (d *Decoder) Decode(b []byte) ([]Record, []Fault) {
	d.records, d.items, d.faults, d.beyond = d.records[:0], d.items[:0], d.faults[:0], 0
	for at := 0; at < len(b); {
		rest := b[at:]
		if len(rest) < 3 {
			d.fault(Fault{Category: rest[0], Offset: at, Err: ErrTruncated, Wanted: 3, Had: len(rest)})
			break
		}
		category, length := rest[0], int(binary.BigEndian.Uint16(rest[1:]))
		if length < 3 {
			d.fault(Fault{Category: category, Offset: at + 1, Err: ErrLength, Wanted: 3, Had: length})
			break
		}
		if length > len(rest) {
			d.fault(Fault{Category: category, Offset: at, Err: ErrTruncated, Wanted: length, Had: len(rest), Kept: true})
			length = len(rest)
		}
		d.block(category, b[:at+length], at+3)
		at += length
	}
	if d.beyond > 0 {
		d.faults[MaxFaults-1] = Fault{Err: ErrMore, Had: d.beyond + 1}
	}
	return d.records, d.faults
}

func (d *Decoder) fault(f Fault) {
	if len(d.faults) == MaxFaults {
		d.beyond++
		return
	}
	d.faults = append(d.faults, f)
}

func (d *Decoder) format(category uint8) (format, error) {
	f := &d.formats[category]
	if !d.known[category] {
		f.format, f.err = lookup(category, d.editions[category])
		d.known[category] = true
	}
	return f.format, f.err
}

// block decodes the records in b[at:].
func (d *Decoder) block(category uint8, b []byte, at int) {
	f, err := d.format(category)
	if err != nil {
		fault := Fault{Category: category, Edition: d.editions[category], Offset: at - 3, Err: ErrCategory}
		if Default(category) != "" {
			fault.Err = ErrEdition
		}
		d.fault(fault)
		return
	}
	for at < len(b) {
		end, ok := d.record(f, b, at)
		if !ok {
			return
		}
		at = end
	}
}

// record decodes the record at b[at:] and answers where it ends.
func (d *Decoder) record(f format, b []byte, at int) (int, bool) {
	first := len(d.items)
	end, p := d.fields(f, b, at, first)
	if p == nil && len(d.items) == first {
		p = &problem{err: ErrEmpty, at: at}
	}
	if p != nil {
		d.items = d.items[:first]
		d.fault(Fault{Category: f.category, Edition: f.edition, Item: p.path, Offset: p.at, Err: p.err,
			Wanted: p.wanted, Had: p.had})
		return 0, false
	}
	d.records = append(d.records, Record{Category: f.category, Edition: f.edition, Offset: at, format: f,
		items: d.items[first:len(d.items):len(d.items)]})
	return end, true
}

// fields reads an FSPEC and the items that it announces. A problem is relative to b.
func (d *Decoder) fields(f format, b []byte, at, first int) (int, *problem) {
	end := at
	for {
		if end >= len(b) {
			return 0, &problem{err: ErrTruncated, at: end, wanted: 1}
		}
		end++
		if b[end-1]&1 == 0 {
			break
		}
	}
	in, decided := f.only, f.only != nil
	if !decided {
		in = f.choices[0] // alike up to the field that decides
	}
	for o, bits := range b[at:end] {
		bits &^= 1
		for i := o * 7; bits != 0; i++ {
			set := bits&0x80 != 0
			bits <<= 1
			if !set {
				continue
			}
			if i >= len(in.slots) || in.slots[i] == (slot{}) {
				return 0, &problem{err: ErrUnused, at: at + o}
			}
			var p *problem
			if in.slots[i].rfs {
				end, p = d.sequence(f, in, b, end, first)
			} else {
				end, p = d.item(f, in, i, b, end, first)
			}
			if p != nil {
				return 0, p
			}
			if !decided {
				if in, decided = f.decide(in, d.items[first:], i); in == nil {
					return 0, &problem{err: ErrProfile, path: f.by[0], at: at}
				}
			}
		}
	}
	return end, nil
}

// decide picks the profile once the field that says which has been read. It is nil where
// the record has gone beyond the place of that field without it.
func (f format) decide(in *profile, items []Item, at int) (*profile, bool) {
	if len(items) == 0 {
		return in, false
	}
	last := items[len(items)-1]
	if last.node.name == f.by[0] {
		v, ok := last.At(f.by[1:]...)
		if !ok {
			return nil, false
		}
		return f.choices[v.Uint()], true
	}
	for i := range in.slots[:at] {
		if in.slots[i].item != nil && in.slots[i].item.name == f.by[0] {
			return nil, false
		}
	}
	return in, false
}

// item measures the item of a slot at b[at:] and keeps it, with faults for what was
// read over. It answers where the item ends.
func (d *Decoder) item(f format, in *profile, frn int, b []byte, at, first int) (int, *problem) {
	n := in.slots[frn].item
	d.notes = d.notes[:0]
	size, p := measure(n, b[at:], &d.notes)
	if p != nil {
		return 0, p.within(n.name, at)
	}
	octets := b[at : at+size : at+size]
	if n.kind == explicit && n.name == "RE" && f.expansion != nil {
		n = d.expand(n, f.expansion, octets)
	}
	for i := range d.notes {
		p := d.notes[i].within(n.name, at)
		d.fault(Fault{Category: f.category, Edition: f.edition, Item: p.path, Offset: p.at, Err: p.err,
			Wanted: p.wanted, Had: p.had, Kept: true})
	}
	d.items = append(d.items, Item{Value: Value{node: n, span: octets}, frn: frn})
	if !settle(d.items[first:]) {
		return 0, &problem{err: ErrTwice, path: n.name, at: at}
	}
	return at + size, nil
}

// expand answers with the structure of an expansion field if its octets follow it to the
// last, else notes why not.
func (d *Decoder) expand(plain, expanded *node, octets []byte) *node {
	used, p := measure(expanded.kids[0], octets[1:], &d.notes)
	for i := range d.notes {
		d.notes[i].at++ // after the length
	}
	if p == nil && used == len(octets)-1 {
		return expanded
	}
	note := problem{err: ErrExpansion, at: 1, wanted: used, had: len(octets) - 1}
	if p != nil {
		note = problem{err: ErrExpansion, path: p.path, at: p.at + 1, wanted: p.wanted, had: p.had}
	}
	d.notes = append(d.notes[:0], note)
	return plain
}

// sequence reads random field sequencing: a count, then so many items, each after its
// reference number. They are put where they stand in the profile.
func (d *Decoder) sequence(f format, in *profile, b []byte, at, first int) (int, *problem) {
	if at >= len(b) {
		return 0, &problem{err: ErrTruncated, path: "RFS", at: at, wanted: 1}
	}
	end := at + 1
	for range int(b[at]) {
		if end >= len(b) {
			return 0, &problem{err: ErrTruncated, path: "RFS", at: end, wanted: 1}
		}
		frn := int(b[end]) - 1
		if frn < 0 || frn >= len(in.slots) || in.slots[frn].item == nil {
			return 0, &problem{err: ErrUnused, path: "RFS", at: end}
		}
		var p *problem
		if end, p = d.item(f, in, frn, b, end+1, first); p != nil {
			return 0, p
		}
	}
	return end, nil
}

// settle moves the last item to its place by reference number; false if it is there already.
func settle(items []Item) bool {
	for i := len(items) - 1; i > 0; i-- {
		switch {
		case items[i-1].frn == items[i].frn:
			return false
		case items[i-1].frn < items[i].frn:
			return true
		}
		items[i-1], items[i] = items[i], items[i-1]
	}
	return true
}
