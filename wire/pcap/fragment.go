package pcap

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// Bounds of putting fragments together.
const (
	maxPartial  = 64 // datagrams at once; the oldest goes first
	maxPieces   = 512
	maxSegment  = 65535
	reassembly  = 30 * time.Second // of the capture's time; RFC 8200 4.5 says 60, RFC 791 15
	pieceOctets = 8                // all pieces but the last are multiples of this
)

// key tells datagrams apart while they are in pieces.
type key struct {
	src, dst netip.Addr
	id       uint32
	protocol layers.IPProtocol
}

// piece is what one frame has of a datagram.
type piece struct {
	key    key
	frame  int
	at     time.Time
	offset int
	more   bool
	octets []byte
}

// partial is a datagram of which some pieces are there, in order of offset, not overlapping.
type partial struct {
	key    key
	frame  int // of the first piece to come
	at     time.Time
	pieces []piece
	total  int // 0 until the last piece is there
	have   int
}

// fragments are the datagrams in pieces, oldest first.
type fragments struct{ partials []*partial }

// add takes a piece and answers with the whole segment if it was the last one missing.
// Pieces that are sent twice are taken once; those that contradict others end the datagram.
func (f *fragments) add(p piece, fault func(int, error)) ([]byte, bool) {
	f.expire(p.at, fault)
	at := slices.IndexFunc(f.partials, func(q *partial) bool { return q.key == p.key })
	if at < 0 {
		if len(f.partials) == maxPartial {
			fault(f.partials[0].frame, ErrCrowded)
			f.partials = slices.Delete(f.partials, 0, 1)
		}
		f.partials = append(f.partials, &partial{key: p.key, frame: p.frame, at: p.at})
		at = len(f.partials) - 1
	}
	q := f.partials[at]
	if !q.take(p) {
		fault(p.frame, ErrConflict)
		f.partials = slices.Delete(f.partials, at, at+1)
		return nil, false
	}
	if q.total == 0 || q.have < q.total {
		return nil, false
	}
	f.partials = slices.Delete(f.partials, at, at+1)
	out := make([]byte, 0, q.total)
	for _, p := range q.pieces {
		out = append(out, p.octets...)
	}
	return out, true
}

// take puts a piece in its place; false where it cannot be part of the same datagram.
func (q *partial) take(p piece) bool {
	end := p.offset + len(p.octets)
	switch {
	case len(p.octets) == 0, end > maxSegment, p.more && len(p.octets)%pieceOctets != 0, len(q.pieces) == maxPieces:
		return false
	case !p.more && q.total != 0 && q.total != end, q.total != 0 && end > q.total:
		return false
	}
	at, _ := slices.BinarySearchFunc(q.pieces, p.offset, func(r piece, offset int) int { return r.offset - offset })
	if at < len(q.pieces) && q.pieces[at].offset == p.offset && bytes.Equal(q.pieces[at].octets, p.octets) {
		return p.more == q.pieces[at].more
	}
	if at > 0 && q.pieces[at-1].offset+len(q.pieces[at-1].octets) > p.offset {
		return false
	}
	if at < len(q.pieces) && (end > q.pieces[at].offset || !p.more) {
		return false
	}
	p.octets = bytes.Clone(p.octets) // not to hold the frame
	q.pieces = slices.Insert(q.pieces, at, p)
	q.have += len(p.octets)
	if !p.more {
		q.total = end
	}
	return true
}

// expire gives up datagrams whose first piece is too old.
func (f *fragments) expire(now time.Time, fault func(int, error)) {
	for len(f.partials) > 0 && now.Sub(f.partials[0].at) > reassembly {
		fault(f.partials[0].frame, ErrMissing)
		f.partials = slices.Delete(f.partials, 0, 1)
	}
}

// flush gives up all that is not whole.
func (f *fragments) flush(fault func(int, error)) {
	for _, q := range f.partials {
		fault(q.frame, ErrMissing)
	}
	f.partials = nil
}
