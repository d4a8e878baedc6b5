package pcap

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gopacket/gopacket/layers"

	"tocsin/wire/hostile"
)

// Any file: no panic, it ends, and no more comes out than was in it.
func TestMutations(t *testing.T) {
	data := serialize(t, ip4(), udp(), word)
	seeds := [][]byte{
		capture(t, layers.LinkTypeRaw, data),
		capture(t, layers.LinkTypeEthernet, serialize(t, ethernet(layers.EthernetTypeIPv6), ip6(), udp(), word)),
		capture(t, layers.LinkTypeRaw, fragments4(t, make([]byte, 100), 40, 80)...),
		ngFile(binary.BigEndian, nil, 1, data),
		ngFile(binary.LittleEndian, nil, 1, data),
	}
	hostile.Run(t, hostile.Decoder{Name: "wire/pcap", Seeds: seeds, Decode: func(b []byte) bool {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return false
		}
		n := 0
		for ; err == nil; n++ {
			_, err = r.Next()
		}
		return n > 1
	}})
}
