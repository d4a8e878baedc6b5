package recording

import (
	"encoding/binary"

	"tocsin/journal/internal/frame"
)

// A record begins with what it is: a whole body behind it, or a part of one. A part's head
// has, behind that byte and big-endian, the number of the body since the recording was
// opened, 8 bytes, the part's place from 0 on and how many parts there are, 2 bytes each.
const (
	whole    byte = 'w'
	part     byte = 'p'
	partSize      = 1 + 8 + 2 + 2
	maxPart       = maxRecord - partSize
)

func partHead(dst []byte, body uint64, place, count int) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, part), body)
	dst = binary.BigEndian.AppendUint16(dst, uint16(place))
	return binary.BigEndian.AppendUint16(dst, uint16(count))
}

// joiner makes bodies of records. Parts of one body stand one behind the other; what breaks
// that is a body that is torn.
type joiner struct {
	found *Found
	held  []byte
	body  uint64
	at    int64
	next  int // the part that is waited for; 0: none
	count int
}

// take gives the body that a record makes whole. It may lie in the record, or be the
// receiver's for good.
func (j *joiner) take(r frame.Record) (body []byte, ok bool) {
	if len(r.Body) > 0 && r.Body[0] == whole {
		j.drop()
		j.found.Records++
		return r.Body[1:], true
	}
	if len(r.Body) <= partSize || r.Body[0] != part {
		j.drop()
		j.found.Torn++
		return nil, false
	}
	of := binary.BigEndian.Uint64(r.Body[1:])
	place, count := int(binary.BigEndian.Uint16(r.Body[9:])), int(binary.BigEndian.Uint16(r.Body[11:]))
	switch {
	case j.next > 0 && of == j.body && place == j.next && count == j.count && r.At == j.at: // it goes on
	case place == 0 && count > 1 && count <= MaxBody/maxPart+1:
		j.drop()
		j.held, j.body, j.at, j.next, j.count = make([]byte, 0, 2*maxPart), of, r.At, 0, count
	default: // those before it are missing; the body is counted once
		j.drop()
		if of != j.body || r.At != j.at {
			j.found.Torn++
			j.body, j.at = of, r.At
		}
		return nil, false
	}
	if len(j.held)+len(r.Body)-partSize > MaxBody {
		j.drop()
		return nil, false
	}
	j.held = append(j.held, r.Body[partSize:]...)
	if j.next++; j.next < j.count {
		return nil, false
	}
	body, j.held, j.next = j.held, nil, 0
	j.found.Records++
	return body, true
}

// drop gives up a body that was begun.
func (j *joiner) drop() {
	if j.next > 0 {
		j.found.Torn++
	}
	j.held, j.next = nil, 0
}
