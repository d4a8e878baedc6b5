package asterix

import "iter"

// Record is one record of a data block: what one report says. It is a view of the
// octets it was decoded from, or of those a Builder made; it never changes.
type Record struct {
	Category uint8
	Edition  string
	Offset   int // of the record in what was decoded; 0 where it was built
	format   format
	items    []Item // by field reference number
}

// Item is one item of a record: a Value that knows its place.
type Item struct {
	Value
	frn int // place in the profile, from 0
}

// Items yields the items in the order of the record.
func (r *Record) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for i := range r.items {
			if !yield(r.items[i].Value) {
				return
			}
		}
	}
}

// Clone copies the record and its octets away from what it was decoded from.
func (r *Record) Clone() Record {
	out := *r
	out.items = make([]Item, len(r.items))
	size := 0
	for _, it := range r.items {
		size += len(it.span)
	}
	octets := make([]byte, 0, size)
	for i, it := range r.items {
		octets = append(octets, it.span...)
		it.span = octets[len(octets)-len(it.span) : len(octets) : len(octets)]
		out.items[i] = it
	}
	return out
}

// At looks up an item, or a field in it, by the specification's names: At("040"),
// At("040", "RHO"), At("RE", "MD5", "SUM", "M5"); within a repetition by number from 0:
// At("250", "0", "BDS1"). It is false where the record does not have it.
func (r *Record) At(path ...string) (Value, bool) {
	if len(path) == 0 {
		return Value{}, false
	}
	for i := range r.items {
		if r.items[i].node.name == path[0] {
			return r.items[i].At(path[1:]...)
		}
	}
	return Value{}, false
}

// Has says whether the record has an item or field.
func (r *Record) Has(path ...string) bool {
	_, ok := r.At(path...)
	return ok
}

// Uint is the bits of a field as an unsigned number; see Value.Uint.
func (r *Record) Uint(path ...string) (uint64, bool) {
	v, ok := r.At(path...)
	return v.Uint(), ok
}

// Int is the bits of a field as the number they encode, signed where the field is; see Value.Int.
func (r *Record) Int(path ...string) (int64, bool) {
	v, ok := r.At(path...)
	return v.Int(), ok
}

// Float is the physical value of a field in its unit; see Value.Float.
func (r *Record) Float(path ...string) (float64, bool) {
	v, ok := r.At(path...)
	return v.Float(), ok
}

// Text is the characters of a field; see Value.Text.
func (r *Record) Text(path ...string) (string, bool) {
	v, ok := r.At(path...)
	return v.Text(), ok
}
