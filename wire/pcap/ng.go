package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// pcapng is read here and not by pcapgo, which keeps every interface, name and secret of a
// file and follows a wrong length out of its block: on a hostile file its memory is not bounded.

// Block types (draft-ietf-opsawg-pcapng, section 10.1).
const (
	sectionHeader  = 0x0a0d0d0a
	interfaceBlock = 1
	oldPacket      = 2
	simplePacket   = 3
	enhancedPacket = 6
)

const (
	maxBlock      = 1 << 20
	maxInterfaces = 1024 // a section; later ones are an error
	byteOrder     = 0x1a2b3c4d
)

var errBlock = errors.New("block with an impossible length")

// netInterface is what a packet needs to know of where it was captured.
type netInterface struct {
	link   layers.LinkType
	snap   int
	ticks  float64 // a second
	offset int64   // seconds
}

// sections reads the blocks of a pcapng stream.
type sections struct {
	in         *bufio.Reader
	order      binary.ByteOrder
	interfaces []netInterface
	block      []byte
}

// next answers with the next packet.
func (s *sections) next() (frame, error) {
	for {
		kind, body, err := s.read()
		if err != nil {
			return frame{}, err
		}
		switch kind {
		case interfaceBlock:
			if err := s.addInterface(body); err != nil {
				return frame{}, err
			}
		case enhancedPacket, oldPacket:
			return s.packet(kind, body)
		case simplePacket:
			return s.simple(body)
		}
	}
}

// read answers with one block's type and body, which is valid until the next call.
func (s *sections) read() (uint32, []byte, error) {
	var head [12]byte
	if _, err := io.ReadFull(s.in, head[:8]); err != nil {
		return 0, nil, err // io.EOF where the file ends between blocks
	}
	if binary.BigEndian.Uint32(head[:]) == sectionHeader {
		if _, err := io.ReadFull(s.in, head[8:]); err != nil {
			return 0, nil, io.ErrUnexpectedEOF
		}
		switch uint32(byteOrder) {
		case binary.BigEndian.Uint32(head[8:]):
			s.order = binary.BigEndian
		case binary.LittleEndian.Uint32(head[8:]):
			s.order = binary.LittleEndian
		default:
			return 0, nil, fmt.Errorf("section without a byte order: %w", ErrFormat)
		}
		s.interfaces = s.interfaces[:0]
		return sectionHeader, nil, s.body(s.order.Uint32(head[4:]), 12)
	}
	if s.order == nil {
		return 0, nil, ErrFormat
	}
	err := s.body(s.order.Uint32(head[4:]), 8)
	return s.order.Uint32(head[:]), s.block, err
}

// body reads the rest of a block of which some octets were read, and checks its end.
func (s *sections) body(length uint32, read int) error {
	if length < uint32(read)+4 || length%4 != 0 || length > maxBlock {
		return fmt.Errorf("%w: %d", errBlock, length)
	}
	n := int(length) - read
	if cap(s.block) < n {
		s.block = make([]byte, n)
	}
	s.block = s.block[:n]
	if _, err := io.ReadFull(s.in, s.block); err != nil {
		return io.ErrUnexpectedEOF
	}
	if s.order.Uint32(s.block[n-4:]) != length {
		return fmt.Errorf("%w: %d at its end", errBlock, s.order.Uint32(s.block[n-4:]))
	}
	s.block = s.block[:n-4]
	return nil
}

func (s *sections) addInterface(b []byte) error {
	if len(b) < 8 || len(s.interfaces) == maxInterfaces {
		return fmt.Errorf("interface %d: %w", len(s.interfaces), errBlock)
	}
	n := netInterface{link: layers.LinkType(s.order.Uint16(b)), snap: int(s.order.Uint32(b[4:])), ticks: 1e6}
	for b = b[8:]; len(b) >= 4; {
		code, length := s.order.Uint16(b), int(s.order.Uint16(b[2:]))
		if code == 0 || 4+length > len(b) {
			break
		}
		value := b[4 : 4+length]
		switch {
		case code == 9 && length >= 1: // if_tsresol: a negative power of 10, or of 2
			base := 10.0
			if value[0]&0x80 != 0 {
				base = 2
			}
			n.ticks = math.Pow(base, float64(value[0]&0x7f))
		case code == 14 && length >= 8: // if_tsoffset
			n.offset = int64(s.order.Uint64(value))
		}
		b = b[min(len(b), 4+(length+3)/4*4):]
	}
	s.interfaces = append(s.interfaces, n)
	return nil
}

// packet reads an enhanced packet block, or the obsolete packet block, which differs in
// the size of the interface's number.
func (s *sections) packet(kind uint32, b []byte) (frame, error) {
	if len(b) < 20 {
		return frame{}, errBlock
	}
	at := s.order.Uint32(b)
	if kind == oldPacket {
		at = uint32(s.order.Uint16(b))
	}
	captured, length := s.order.Uint32(b[12:]), s.order.Uint32(b[16:])
	if uint64(at) >= uint64(len(s.interfaces)) {
		return frame{}, fmt.Errorf("interface %d of %d: %w", at, len(s.interfaces), errBlock)
	}
	if uint64(captured) > uint64(len(b)-20) || captured > MaxFrame {
		return frame{}, fmt.Errorf("%d octets captured: %w", captured, errBlock)
	}
	n := s.interfaces[at]
	stamp := uint64(s.order.Uint32(b[4:]))<<32 | uint64(s.order.Uint32(b[8:]))
	octets := append([]byte(nil), b[20:20+captured]...)
	return frame{n.link, n.time(stamp), octets, int(max(length, captured))}, nil
}

func (s *sections) simple(b []byte) (frame, error) {
	if len(b) < 4 || len(s.interfaces) == 0 {
		return frame{}, errBlock
	}
	n := s.interfaces[0]
	length := int(s.order.Uint32(b))
	captured := min(length, len(b)-4, MaxFrame)
	if n.snap > 0 {
		captured = min(captured, n.snap)
	}
	return frame{n.link, time.Time{}, append([]byte(nil), b[4:4+captured]...), length}, nil
}

// time turns a stamp into UTC; zero where it is beyond the years that can be written.
func (n netInterface) time(stamp uint64) time.Time {
	var seconds, nanos float64
	switch n.ticks {
	case 1e6, 1e9: // exactly
		ticks := uint64(n.ticks)
		seconds, nanos = float64(stamp/ticks), float64(stamp%ticks*(1e9/ticks))
	default:
		whole, part := math.Modf(float64(stamp) / n.ticks)
		seconds, nanos = whole, part*1e9
	}
	seconds += float64(n.offset)
	if math.Abs(seconds) > 1<<37 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), int64(nanos)).UTC()
}
