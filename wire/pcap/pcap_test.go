package pcap

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

var captured = time.Date(2026, 11, 22, 23, 59, 59, 123456000, time.UTC)

func serialize(t testing.TB, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, parts...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(buf.Bytes())
}

func ip4() *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Id: 7, Protocol: layers.IPProtocolUDP, SrcIP: net.IPv4(10, 0, 0, 1).To4(),
		DstIP: net.IPv4(239, 1, 1, 1).To4()}
}

func ip6() *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: net.ParseIP("2001:db8::1"),
		DstIP: net.ParseIP("ff0e::1")}
}

func udp() *layers.UDP { return &layers.UDP{SrcPort: 20000, DstPort: 8600} }

func ethernet(next layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{1, 0, 0x5e, 1, 1, 1}, EthernetType: next}
}

var word = gopacket.Payload("radar bytes")

// capture writes frames as tcpdump would.
func capture(t testing.TB, link layers.LinkType, frames ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriter(&out)
	if err := w.WriteFileHeader(65536, link); err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: captured, CaptureLength: len(f), Length: len(f)}, f); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func read(t testing.TB, file []byte) ([]Datagram, *Reader, error) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, nil, err
	}
	var out []Datagram
	for {
		d, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, r, nil
		}
		if err != nil {
			return out, r, err
		}
		out = append(out, d)
	}
}

func TestEveryWayToUDP(t *testing.T) {
	v4 := serialize(t, ip4(), udp(), word)
	v6 := serialize(t, ip6(), udp(), word)
	cooked := append([]byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0}, v4...)
	cooked2 := append([]byte{8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}, v4...)
	hop := append([]byte{17, 0, 1, 4, 0, 0, 0, 0}, serialize(t, udp(), word)...)
	hopped := ip6()
	hopped.NextHeader = layers.IPProtocolIPv6HopByHop
	for _, c := range []struct {
		name  string
		link  layers.LinkType
		frame []byte
		v6    bool
	}{
		{"ethernet", layers.LinkTypeEthernet, serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(), udp(), word), false},
		{"ethernet padded", layers.LinkTypeEthernet, append(serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(), udp(), word), make([]byte, 9)...), false},
		{"ethernet v6", layers.LinkTypeEthernet, serialize(t, ethernet(layers.EthernetTypeIPv6), ip6(), udp(), word), true},
		{"vlan", layers.LinkTypeEthernet, serialize(t, ethernet(layers.EthernetTypeDot1Q),
			&layers.Dot1Q{VLANIdentifier: 5, Type: layers.EthernetTypeIPv4}, ip4(), udp(), word), false},
		{"vlan in vlan", layers.LinkTypeEthernet, serialize(t, ethernet(layers.EthernetTypeQinQ),
			&layers.Dot1Q{VLANIdentifier: 5, Type: layers.EthernetTypeDot1Q},
			&layers.Dot1Q{VLANIdentifier: 6, Type: layers.EthernetTypeIPv6}, ip6(), udp(), word), true},
		{"cooked", layers.LinkTypeLinuxSLL, cooked, false},
		{"cooked v2", layers.LinkTypeLinuxSLL2, cooked2, false},
		{"raw", layers.LinkTypeRaw, v4, false},
		{"raw v6", layers.LinkTypeRaw, v6, true},
		{"raw of BSD", 12, v4, false},
		{"IPv4", layers.LinkTypeIPv4, v4, false},
		{"IPv6", layers.LinkTypeIPv6, v6, true},
		{"loopback", layers.LinkTypeNull, append([]byte{2, 0, 0, 0}, v4...), false},
		{"hop by hop", layers.LinkTypeRaw, serialize(t, hopped, gopacket.Payload(hop)), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, r, err := read(t, capture(t, c.link, c.frame))
			if err != nil || len(got) != 1 || len(r.Faults()) > 0 {
				t.Fatalf("%v, %v, %v", got, r.Faults(), err)
			}
			src, dst := "10.0.0.1:20000", "239.1.1.1:8600"
			if c.v6 {
				src, dst = "[2001:db8::1]:20000", "[ff0e::1]:8600"
			}
			d := got[0]
			if string(d.Payload) != string(word) || d.Src.String() != src || d.Dst.String() != dst || d.Frame != 1 || !d.At.Equal(captured) {
				t.Errorf("%+v %q", d, d.Payload)
			}
		})
	}
}

// fragments4 cuts a datagram at the given offsets.
func fragments4(t testing.TB, payload []byte, cuts ...int) [][]byte {
	segment := serialize(t, udp(), gopacket.Payload(payload))
	var out [][]byte
	start := 0
	for _, cut := range append(cuts, len(segment)) {
		ip := ip4()
		ip.FragOffset = uint16(start / 8)
		if cut < len(segment) {
			ip.Flags = layers.IPv4MoreFragments
		}
		out = append(out, serialize(t, ip, gopacket.Payload(segment[start:cut])))
		start = cut
	}
	return out
}

func TestFragments(t *testing.T) {
	payload := bytes.Repeat([]byte("0123456789abcdef"), 300)
	f := fragments4(t, payload, 1480, 2960, 4440)
	other := fragments4(t, bytes.Repeat([]byte("x"), len(payload)), 1480, 2960, 4440)
	longer := fragments4(t, append(payload, 1, 2, 3), 1480, 2960, 4440)
	segment6 := serialize(t, udp(), gopacket.Payload(payload))
	var f6 [][]byte
	for at := 0; at < len(segment6); at += 1232 {
		end := min(at+1232, len(segment6))
		more := byte(0)
		if end < len(segment6) {
			more = 1
		}
		head := []byte{17, 0, byte(at >> 8), byte(at) | more, 0, 0, 0, 9}
		ip := ip6()
		ip.NextHeader = layers.IPProtocolIPv6Fragment
		f6 = append(f6, serialize(t, ip, gopacket.Payload(append(head, segment6[at:end]...))))
	}
	for _, c := range []struct {
		name   string
		frames [][]byte
		want   int
		fault  error
	}{
		{"in order", f, 1, nil},
		{"backwards", [][]byte{f[3], f[2], f[1], f[0]}, 1, nil},
		{"one twice", [][]byte{f[0], f[1], f[1], f[2], f[3]}, 1, nil},
		{"v6", f6, 1, nil},
		{"v6 last first", append([][]byte{f6[len(f6)-1]}, f6[:len(f6)-1]...), 1, nil},
		{"one missing", [][]byte{f[0], f[2], f[3]}, 0, ErrMissing},
		{"contradiction", [][]byte{f[0], f[1], other[1], f[2], f[3]}, 0, ErrConflict},
		{"two ends", [][]byte{f[3], longer[3], f[1]}, 0, ErrConflict},
		{"beyond the end", [][]byte{f[1], fragments4(t, payload[:100])[0]}, 1, ErrMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, r, err := read(t, capture(t, layers.LinkTypeRaw, c.frames...))
			if err != nil || len(got) != c.want {
				t.Fatalf("%d datagrams, %v, %v", len(got), r.Faults(), err)
			}
			if c.fault == nil && (len(r.Faults()) > 0 || !bytes.Equal(got[0].Payload, payload)) {
				t.Errorf("faults %v, %d octets", r.Faults(), len(got[0].Payload))
			}
			if c.fault != nil && (len(r.Faults()) == 0 || !errors.Is(r.Faults()[0], c.fault)) {
				t.Errorf("faults %v", r.Faults())
			}
		})
	}
}

func TestFragmentsAreBounded(t *testing.T) {
	var frames [][]byte
	for i := range 3 * maxPartial {
		ip := ip4()
		ip.Id, ip.Flags = uint16(i), layers.IPv4MoreFragments
		frames = append(frames, serialize(t, ip, gopacket.Payload(make([]byte, 1480))))
	}
	_, r, err := read(t, capture(t, layers.LinkTypeRaw, frames...))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[error]int{}
	for _, f := range r.Faults() {
		counts[f.Err] = f.Count
	}
	if counts[ErrCrowded] != 2*maxPartial || counts[ErrMissing] != maxPartial {
		t.Errorf("faults %v", r.Faults())
	}
	var p fragments
	lost := 0
	fault := func(int, error) { lost++ }
	p.add(piece{key: key{id: 1}, at: captured, more: true, octets: make([]byte, 8)}, fault)
	p.add(piece{key: key{id: 2}, at: captured.Add(time.Minute), more: true, octets: make([]byte, 8)}, fault)
	if lost != 1 || len(p.partials) != 1 {
		t.Errorf("%d lost, %d held after a minute", lost, len(p.partials))
	}
}

func TestFaultsAreCounted(t *testing.T) {
	whole := serialize(t, ip4(), udp(), word)
	arp := serialize(t, ethernet(layers.EthernetTypeARP), &layers.ARP{AddrType: 1, Protocol: 0x800, HwAddressSize: 6,
		ProtAddressSize: 4, Operation: 1, SourceHwAddress: make([]byte, 6), SourceProtAddress: make([]byte, 4),
		DstHwAddress: make([]byte, 6), DstProtAddress: make([]byte, 4)})
	tcp := ip4()
	tcp.Protocol = layers.IPProtocolTCP
	for _, c := range []struct {
		name      string
		link      layers.LinkType
		frame     []byte
		datagrams int
		fault     error
	}{
		{"strange link", 250, whole, 0, ErrLink},
		{"link beyond the table", 60000, whole, 0, ErrLink},
		{"no IP version", layers.LinkTypeIPv4, []byte{0x15, 0}, 0, ErrFrame},
		{"short UDP", layers.LinkTypeRaw, serialize(t, ip4(), gopacket.Payload("1234")), 0, ErrFrame},
		{"UDP shorter than itself", layers.LinkTypeRaw, serialize(t, ip4(), gopacket.Payload("\x00\x01\x00\x02\x00\x07\x00\x00")), 0, ErrFrame},
		{"cut", layers.LinkTypeRaw, whole[:len(whole)-3], 1, ErrCut},
		{"ARP", layers.LinkTypeEthernet, arp, 0, nil},
		{"TCP", layers.LinkTypeRaw, serialize(t, tcp, &layers.TCP{}), 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, r, err := read(t, capture(t, c.link, c.frame, c.frame))
			if err != nil || len(got) != 2*c.datagrams {
				t.Fatalf("%d datagrams, %v", len(got), err)
			}
			if c.fault == nil {
				if len(r.Faults()) != 0 || r.Passed() != 2 {
					t.Errorf("faults %v, %d passed", r.Faults(), r.Passed())
				}
				return
			}
			if f := r.Faults(); len(f) != 1 || !errors.Is(f[0], c.fault) || f[0].Count != 2 || f[0].Frame != 1 {
				t.Errorf("faults %v", f)
			}
		})
	}
}

func TestDamagedFilesKeepWhatCameBefore(t *testing.T) {
	good := serialize(t, ip4(), udp(), word)
	file := capture(t, layers.LinkTypeRaw, good, good)
	got, _, err := read(t, file[:len(file)-5])
	if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "frame 2") {
		t.Errorf("cut file: %d datagrams, %v", len(got), err)
	}
	huge := bytes.Clone(file)
	binary.LittleEndian.PutUint32(huge[24+16+len(good)+8:], 1<<31-1)
	if got, _, err := read(t, huge); len(got) != 1 || err == nil {
		t.Errorf("huge frame: %d datagrams, %v", len(got), err)
	}
	for _, s := range []string{"", "\x1f", "\x1f\x8b", "\x1f\x8bxxxxxxxx", "hello, world", "\x0a\x0d\x0d\x0a", "\xa1\xb2\xc3\xd4"} {
		if got, _, err := read(t, []byte(s)); err == nil {
			t.Errorf("%q: %d datagrams and no error", s, len(got))
		}
	}
	if IsCapture([]byte{48, 0, 20, 0xf0}) || !IsCapture(file) || IsCapture([]byte{0xa1}) {
		t.Error("captures are not told from the rest")
	}
}

func TestGzip(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(capture(t, layers.LinkTypeRaw, serialize(t, ip4(), udp(), word))); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got, _, err := read(t, zipped.Bytes()); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// block writes a pcapng block.
func block(order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	b := order.AppendUint32(nil, kind)
	b = order.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return order.AppendUint32(b, uint32(len(body)+12))
}

func ngFile(order binary.AppendByteOrder, options []byte, stamp uint64, inside []byte) []byte {
	head := order.AppendUint16(order.AppendUint16(order.AppendUint32(nil, byteOrder), 1), 0)
	out := block(order, sectionHeader, append(head, bytes.Repeat([]byte{0xff}, 8)...))
	iface := order.AppendUint32(order.AppendUint16(order.AppendUint16(nil, uint16(layers.LinkTypeRaw)), 0), 0)
	out = append(out, block(order, interfaceBlock, append(iface, options...))...)
	out = append(out, block(order, 4, []byte("names"))...) // skipped
	packet := order.AppendUint32(nil, 0)
	packet = order.AppendUint32(order.AppendUint32(packet, uint32(stamp>>32)), uint32(stamp))
	packet = order.AppendUint32(order.AppendUint32(packet, uint32(len(inside))), uint32(len(inside)))
	out = append(out, block(order, enhancedPacket, append(packet, inside...))...)
	return append(out, block(order, simplePacket, append(order.AppendUint32(nil, uint32(len(inside))), inside...))...)
}

func TestNextGeneration(t *testing.T) {
	data := serialize(t, ip4(), udp(), word)
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		option := func(code uint16, value ...byte) []byte {
			b := order.AppendUint16(order.AppendUint16(nil, code), uint16(len(value)))
			return append(append(b, value...), make([]byte, (4-len(value)%4)%4)...)
		}
		for name, c := range map[string]struct {
			options []byte
			stamp   uint64
		}{
			"microseconds": {nil, uint64(captured.UnixMicro())},
			"nanoseconds":  {option(9, 9), uint64(captured.UnixNano())},
			"halves":       {option(9, 0x81), uint64(captured.Unix() * 2)},
			"offset":       {order.AppendUint64(option(14)[:0:0], 0), uint64(captured.UnixMicro())},
			"comment":      {append(option(1, 'h', 'i'), option(0)...), uint64(captured.UnixMicro())},
		} {
			got, r, err := read(t, ngFile(order, c.options, c.stamp, data))
			if err != nil || len(got) != 2 || len(r.Faults()) > 0 {
				t.Fatalf("%s: %v %v", name, got, err)
			}
			if d := captured.Sub(got[0].At); d < 0 || d >= time.Second || name != "halves" && d != 0 {
				t.Errorf("%s: %v, want %v", name, got[0].At, captured)
			}
			if !got[1].At.IsZero() || string(got[1].Payload) != string(word) {
				t.Errorf("%s: simple packet %+v", name, got[1])
			}
		}
	}
	file := ngFile(binary.LittleEndian, nil, 0, data)
	if got, _, err := read(t, append(file, file...)); err != nil || len(got) != 4 {
		t.Errorf("two sections: %d, %v", len(got), err)
	}
	for i := range len(file) - 1 {
		if i%4 == 0 {
			continue
		}
		if _, _, err := read(t, file[:i]); err == nil {
			t.Fatalf("cut at %d: no error", i)
		}
	}
}

func TestNextGenerationRefusesNonsense(t *testing.T) {
	order := binary.LittleEndian
	data := serialize(t, ip4(), udp(), word)
	file := ngFile(order, nil, 0, data)
	section := file[:28]
	for name, tail := range map[string][]byte{
		"short block":     order.AppendUint32(order.AppendUint32(nil, 99), 8),
		"odd block":       order.AppendUint32(order.AppendUint32(nil, 99), 15),
		"huge block":      order.AppendUint32(order.AppendUint32(nil, 99), maxBlock+4),
		"other end":       append(order.AppendUint32(order.AppendUint32(nil, 99), 12), 1, 2, 3, 4),
		"no interface":    block(order, enhancedPacket, make([]byte, 20)),
		"simple alone":    block(order, simplePacket, make([]byte, 20)),
		"short interface": block(order, interfaceBlock, make([]byte, 4)),
		"short packet":    block(order, enhancedPacket, make([]byte, 16)),
		"interfaces":      bytes.Repeat(block(order, interfaceBlock, make([]byte, 8)), maxInterfaces+1),
	} {
		if _, _, err := read(t, append(bytes.Clone(section), tail...)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	long := bytes.Clone(file)
	at := len(section) + 20 + 20 // the packet block
	order.PutUint32(long[at+8+12:], 5000)
	if _, _, err := read(t, long); !errors.Is(err, errBlock) {
		t.Errorf("more captured than there is: %v", err)
	}
}

// tshark finds the same datagrams in a recording, as pcap and as pcapng.
func TestTsharkAgrees(t *testing.T) {
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("judge absent: tshark")
	}
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	recording := filepath.Join(root, "fixtures", "asterix", "cat_034_048.pcap")
	if _, err := os.Stat(recording); err != nil {
		t.Skip("fixture absent: asterix/cat_034_048.pcap")
	}
	ng := filepath.Join(t.TempDir(), "copy.pcapng")
	if out, err := exec.Command(path, "-r", recording, "-F", "pcapng", "-w", ng).CombinedOutput(); err != nil {
		t.Fatalf("tshark: %v\n%s", err, out)
	}
	for _, name := range []string{recording, ng} {
		out, err := exec.Command(path, "-n", "-r", name, "-T", "fields", "-E", "separator= ", "-e", "frame.number", "-e", "frame.time_epoch",
			"-e", "ip.src", "-e", "udp.srcport", "-e", "ip.dst", "-e", "udp.dstport", "-e", "udp.payload", "udp").Output()
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := read(t, file)
		if err != nil {
			t.Fatal(err)
		}
		var mine strings.Builder
		for _, d := range got {
			fmt.Fprintf(&mine, "%d %d.%09d %s %d %s %d %x\n", d.Frame, d.At.Unix(), d.At.Nanosecond(), d.Src.Addr(), d.Src.Port(),
				d.Dst.Addr(), d.Dst.Port(), d.Payload)
		}
		if len(got) == 0 || mine.String() != string(out) {
			t.Errorf("%s: %d datagrams\n%.300s\ntshark\n%.300s", filepath.Base(name), len(got), mine.String(), out)
		}
	}
}

// FuzzReader holds what is true of any file: no panic, no more than was in it, and it ends.
func FuzzReader(f *testing.F) {
	data := serialize(f, ip4(), udp(), word)
	f.Add(capture(f, layers.LinkTypeRaw, data))
	f.Add(capture(f, layers.LinkTypeEthernet, serialize(f, ethernet(layers.EthernetTypeIPv6), ip6(), udp(), word)))
	f.Add(capture(f, layers.LinkTypeRaw, fragments4(f, make([]byte, 100), 40, 80)...))
	f.Add(ngFile(binary.BigEndian, nil, 1, data))
	f.Add(ngFile(binary.LittleEndian, nil, 1, data))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1 && file[0] == 0x1f && file[1] == 0x8b {
			return // a zipped file may hold more than its length
		}
		got, r, _ := read(t, file)
		octets := 0
		for _, d := range got {
			octets += len(d.Payload)
		}
		if octets > len(file) {
			t.Fatalf("%d octets out of a file of %d", octets, len(file))
		}
		if r != nil {
			for _, fault := range r.Faults() {
				if fault.Count < 1 || fault.Error() == "" {
					t.Fatalf("fault %+v", fault)
				}
			}
		}
	})
}
