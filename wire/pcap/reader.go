// Package pcap takes UDP datagrams out of capture files.
//
// In: a pcap or pcapng stream, gzipped or not, of Ethernet (with VLANs), Linux cooked, PPP,
// loopback or raw IP frames. Out: Datagrams in order, IP fragments put together again, and
// Faults, counted by kind, for frames that should have held one and could not be read. It
// reads as it goes, holds a bounded amount whatever the file says, and knows nothing of
// what is in a datagram.
//
// Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, RFC 791, RFC 8200, RFC 768.
package pcap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// MaxFrame is the longest captured frame that is read: the limit of libpcap and Wireshark.
const MaxFrame = 262144

// ErrFormat is wrapped where a stream is no capture at all.
var ErrFormat = errors.New("not a pcap or pcapng file")

// Datagram is one UDP datagram. Payload belongs to the receiver.
type Datagram struct {
	Frame    int       // number of the frame that completed it, from 1
	At       time.Time // when it was captured; zero where the file does not say
	Src, Dst netip.AddrPort
	Payload  []byte
}

// Reader reads one capture. It is not safe for concurrent use.
type Reader struct {
	next   func() (frame, error)
	number int
	pieces fragments
	faults []Fault
	passed int
}

// frame is one captured frame as the file has it.
type frame struct {
	link   layers.LinkType
	at     time.Time
	octets []byte
	length int // on the wire, at least len(octets)
}

// IsCapture says whether a stream that begins so is meant to be a capture. Four octets are enough.
func IsCapture(head []byte) bool {
	if len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b {
		return true
	}
	if len(head) < 4 {
		return false
	}
	switch binary.BigEndian.Uint32(head) {
	case 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, sectionHeader:
		return true
	}
	return false
}

// NewReader begins to read a capture.
func NewReader(in io.Reader) (*Reader, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, err := buffered.Peek(4)
	if err == nil && head[0] == 0x1f && head[1] == 0x8b {
		zipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("pcap: open gzip: %w", err)
		}
		buffered = bufio.NewReaderSize(zipped, 64<<10)
	}
	head, err = buffered.Peek(4)
	if err != nil || !IsCapture(head) || head[0] == 0x1f {
		return nil, fmt.Errorf("pcap: %w", ErrFormat)
	}
	r := &Reader{}
	if bytes.Equal(head, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		r.next = (&sections{in: buffered}).next
		return r, nil
	}
	classic, err := pcapgo.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("pcap: read header: %w", err)
	}
	classic.SetSnaplen(MaxFrame)
	r.next = func() (frame, error) {
		octets, info, err := classic.ReadPacketData()
		return frame{classic.LinkType(), info.Timestamp, octets, info.Length}, err
	}
	return r, nil
}

// Next answers with the next datagram, io.EOF at the end of the capture, or, where the
// file is damaged so that no more frames can be found in it, an error that says from which on.
func (r *Reader) Next() (Datagram, error) {
	for {
		f, err := r.next()
		if errors.Is(err, io.EOF) {
			r.pieces.flush(r.fault)
			return Datagram{}, io.EOF
		}
		if err != nil {
			r.pieces.flush(r.fault)
			return Datagram{}, fmt.Errorf("pcap: read frame %d: %w", r.number+1, err)
		}
		r.number++
		if d, ok := r.datagram(f); ok {
			return d, nil
		}
	}
}

// Frames is how many frames have been read.
func (r *Reader) Frames() int { return r.number }

// Passed is how many frames held no UDP, and no fault.
func (r *Reader) Passed() int { return r.passed }

// decoders are the link types understood, with what decodes them.
var decoders = map[layers.LinkType]gopacket.Decoder{
	layers.LinkTypeNull: layers.LinkTypeNull, layers.LinkTypeLoop: layers.LinkTypeLoop,
	layers.LinkTypeEthernet: layers.LinkTypeEthernet, layers.LinkTypePPP: layers.LinkTypePPP,
	layers.LinkTypeLinuxSLL: layers.LinkTypeLinuxSLL, layers.LinkTypeLinuxSLL2: layers.LinkTypeLinuxSLL2,
	12: layers.LinkTypeRaw, 14: layers.LinkTypeRaw, layers.LinkTypeRaw: layers.LinkTypeRaw,
	layers.LinkTypeIPv4: layers.LayerTypeIPv4, layers.LinkTypeIPv6: layers.LayerTypeIPv6,
}

// datagram finds the datagram that a frame holds or completes.
func (r *Reader) datagram(f frame) (Datagram, bool) {
	decoder := decoders[f.link]
	if decoder == nil {
		r.fault(r.number, ErrLink)
		return Datagram{}, false
	}
	// Lazily: only down to the layers asked for, never into what UDP carries.
	p := gopacket.NewPacket(f.octets, decoder, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	part, ok := network(p)
	if !ok {
		if p.ErrorLayer() != nil {
			r.fault(r.number, ErrFrame)
		} else {
			r.passed++
		}
		return Datagram{}, false
	}
	if part.key.protocol != layers.IPProtocolUDP {
		r.passed++
		return Datagram{}, false
	}
	part.frame, part.at = r.number, f.at
	segment := part.octets
	if part.more || part.offset > 0 {
		if f.length > len(f.octets) {
			r.fault(r.number, ErrCut)
			return Datagram{}, false
		}
		if segment, ok = r.pieces.add(part, r.fault); !ok {
			return Datagram{}, false
		}
	}
	return r.transport(part, segment)
}

// Only the layers on the way to UDP are asked for: a lazy packet decodes until it finds one.
var (
	networkLayers = gopacket.NewLayerClass([]gopacket.LayerType{layers.LayerTypeIPv4, layers.LayerTypeIPv6})
	overIPv6      = gopacket.NewLayerClass([]gopacket.LayerType{layers.LayerTypeIPv6Fragment, layers.LayerTypeUDP,
		layers.LayerTypeTCP, layers.LayerTypeSCTP, layers.LayerTypeICMPv6, layers.LayerTypeGRE, layers.LayerTypeIPSecESP})
)

// network reads the first IP header of a frame.
func network(p gopacket.Packet) (piece, bool) {
	switch ip := p.LayerClass(networkLayers).(type) {
	case *layers.IPv4:
		src, known := netip.AddrFromSlice(ip.SrcIP.To4())
		dst, _ := netip.AddrFromSlice(ip.DstIP.To4())
		if !known { // a header cut short is a layer all the same
			return piece{}, false
		}
		return piece{key: key{src, dst, uint32(ip.Id), ip.Protocol}, offset: int(ip.FragOffset) * 8,
			more: ip.Flags&layers.IPv4MoreFragments != 0, octets: ip.Payload}, true
	case *layers.IPv6:
		src, known := netip.AddrFromSlice(ip.SrcIP.To16())
		dst, _ := netip.AddrFromSlice(ip.DstIP.To16())
		if !known {
			return piece{}, false
		}
		switch over := p.LayerClass(overIPv6).(type) {
		case *layers.IPv6Fragment:
			return piece{key: key{src, dst, over.Identification, over.NextHeader}, offset: int(over.FragmentOffset) * 8,
				more: over.MoreFragments, octets: over.Payload}, true
		case *layers.UDP:
			return piece{key: key{src, dst, 0, layers.IPProtocolUDP}, octets: slices.Concat(over.Contents, over.Payload)}, true
		case nil:
			return piece{}, false
		}
		return piece{key: key{src: src, dst: dst}}, true
	}
	return piece{}, false
}

// transport reads the UDP header (RFC 768). A datagram that the capture cut short is
// given as far as it goes, and counted.
func (r *Reader) transport(part piece, segment []byte) (Datagram, bool) {
	if len(segment) < 8 {
		r.fault(r.number, ErrFrame)
		return Datagram{}, false
	}
	length := int(binary.BigEndian.Uint16(segment[4:]))
	switch {
	case length == 0: // RFC 2675: longer than the field can say
		length = len(segment)
	case length < 8:
		r.fault(r.number, ErrFrame)
		return Datagram{}, false
	case length > len(segment):
		r.fault(r.number, ErrCut)
		length = len(segment)
	}
	return Datagram{
		Frame:   r.number,
		At:      part.at,
		Src:     netip.AddrPortFrom(part.key.src, binary.BigEndian.Uint16(segment)),
		Dst:     netip.AddrPortFrom(part.key.dst, binary.BigEndian.Uint16(segment[2:])),
		Payload: segment[8:length],
	}, true
}
