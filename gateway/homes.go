package gateway

import "net/netip"

// Family is how many one home may hold without ever being asked to make room for others: what
// the phones and screens of a household have open. A larger one gives way to smaller ones,
// and only where there is no room for all.
const Family = 8

// Homes knows who is there by where they come from, so that at a bound it is the home that
// holds most that gives way, and one address cannot take the places of all. The zero value
// is not usable; NewHomes makes one. It belongs to one caller at a time.
type Homes[T comparable] struct {
	of     map[netip.Prefix]*home[T]
	bySize map[int]map[*home[T]]struct{}
	most   int // the size of the largest
}

type home[T comparable] struct {
	members map[T]struct{}
}

// NewHomes makes one where nobody is yet.
func NewHomes[T comparable]() *Homes[T] {
	return &Homes[T]{of: map[netip.Prefix]*home[T]{}, bySize: map[int]map[*home[T]]struct{}{}}
}

// HomeOf is what is taken for one place on the net: an address, or the /48 that one customer
// of a provider is given at most. A carrier that puts thousands of phones behind one address
// is one home too, which is why a home is never refused while there is room.
func HomeOf(a netip.Addr) netip.Prefix {
	bits := 48
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 32
	}
	p, _ := a.Prefix(bits) // of no address: the zero prefix, a home like another
	return p
}

// Enter adds one to a home; one that is there already stays as it is.
func (h *Homes[T]) Enter(p netip.Prefix, one T) {
	at := h.of[p]
	if at == nil {
		at = &home[T]{members: map[T]struct{}{}}
		h.of[p] = at
	}
	before := len(at.members)
	at.members[one] = struct{}{}
	h.move(at, before)
}

// Leave takes one out of a home; one that is not there is passed over.
func (h *Homes[T]) Leave(p netip.Prefix, one T) {
	at := h.of[p]
	if at == nil {
		return
	}
	before := len(at.members)
	delete(at.members, one)
	h.move(at, before)
	if len(at.members) == 0 {
		delete(h.of, p)
	}
}

// move keeps a home, which has grown or shrunk by one at most, under its size.
func (h *Homes[T]) move(at *home[T], before int) {
	now := len(at.members)
	if now == before {
		return
	}
	if same := h.bySize[before]; same != nil {
		if delete(same, at); len(same) == 0 {
			delete(h.bySize, before)
		}
	}
	if now > 0 {
		if h.bySize[now] == nil {
			h.bySize[now] = map[*home[T]]struct{}{}
		}
		h.bySize[now][at] = struct{}{}
	}
	// Where the largest shrank, it is now of the size below, and so is the largest.
	if now > h.most || before == h.most && h.bySize[h.most] == nil {
		h.most = now
	}
}

// Held is how many a home holds.
func (h *Homes[T]) Held(p netip.Prefix) int {
	if at := h.of[p]; at != nil {
		return len(at.members)
	}
	return 0
}

// Yields names one, by chance, of a home that holds most, if that is more than a family and
// more than twice what the newcomer's home holds; false where none has to give way.
func (h *Homes[T]) Yields(newcomer netip.Prefix) (T, bool) {
	var none T
	if h.most <= Family || h.most <= 2*h.Held(newcomer) {
		return none, false
	}
	for at := range h.bySize[h.most] {
		for one := range at.members {
			return one, true
		}
	}
	return none, false
}
