package hostile

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
)

// maxInput bounds what is made of a seed: repeating grows fast, and inputs of a usual length
// find more in the same time.
const maxInput = 256 << 10

// mutator makes one input after another.
type mutator struct {
	seeds [][]byte
	rand  *rand.Rand
}

// Numbers at the edges of what numbers can be, in letters and in octets.
var (
	edgeTexts = strings.Fields("0 -0 1 -1 127 128 255 256 65535 65536 2147483647 -2147483648 4294967295 4294967296 9223372036854775807 " +
		"-9223372036854775808 18446744073709551616 1e308 1e309 -1e309 5e-324 1e-400 0.1 .5 1. 90 90.0000001 180 -180.0001 360 NaN Inf -Infinity 0x10 0777 1_000 ٣")
	edgeOctets = []uint64{0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 63, 1<<64 - 1}
	words      = []string{
		"\x00", "\xff", "\xc3\x28", "\xed\xa0\x80", "\uFEFF", "\u202e", "\r", "\n", "\r\n", "\t", " ", "\"", "'", "\\", "\\u0000", "\\ud800", "`",
		"{", "}", "[", "]", "(", "<", ">", "</", "/>", "<!--", "<![CDATA[", "<!DOCTYPE a>", "&amp;", "&#0;", "&a;", ":", "::", ",", ".", "..", "=", "|", "-", "---\n",
		"null", "true", "NaN", "&a ", "*a", "!!binary ", "<<: *a", "data:", "2026-02-30T25:61:61Z", "9999-12-31T23:59:59.999Z",
	}
	nests = []string{"[", "{\"a\":", "<a>", "(", "- ", "{", "&#", "\\"}
)

// input is one seed, changed in one to five ways.
func (m *mutator) input() []byte {
	b := bytes.Clone(m.seeds[m.rand.IntN(len(m.seeds))])
	for range 1 + m.rand.IntN(5) {
		if b = m.change(b); len(b) > maxInput {
			b = b[:maxInput]
		}
	}
	return b
}

// change makes one change.
func (m *mutator) change(b []byte) []byte {
	if len(b) == 0 {
		return m.insert(b, 0)
	}
	i := m.rand.IntN(len(b))
	j := min(len(b), i+1+m.rand.IntN(1+m.rand.IntN(64)))
	switch m.rand.IntN(16) {
	case 0, 1:
		b[i] ^= 1 << m.rand.IntN(8)
	case 2:
		b[i] = byte(m.rand.Uint32())
	case 3:
		return b[:i]
	case 4:
		return append(b[:i], b[j:]...)
	case 5: // the front of one, the back of another
		other := m.seeds[m.rand.IntN(len(m.seeds))]
		return append(b[:i], other[m.rand.IntN(len(other)+1):]...)
	case 6: // a stretch of another put in
		other := m.seeds[m.rand.IntN(len(m.seeds))]
		from := m.rand.IntN(len(other) + 1)
		return put(b, i, other[from:min(len(other), from+m.rand.IntN(128))])
	case 7:
		return put(b, i, bytes.Repeat(bytes.Clone(b[i:j]), 1+m.rand.IntN(8)))
	case 8: // rarely, very often
		if m.rand.IntN(20) == 0 {
			return put(b, i, bytes.Repeat(bytes.Clone(b[i:j]), 1+m.rand.IntN(2000)))
		}
		return put(b, i, b[i:j])
	case 9, 10:
		return m.number(b, i)
	case 11, 12:
		return m.octets(b, i)
	case 13: // two stretches change places
		k := m.rand.IntN(len(b))
		for n := range min(j-i, len(b)-k) {
			b[i+n], b[k+n] = b[k+n], b[i+n]
		}
		return b
	default:
		return m.insert(b, i)
	}
	return b
}

// insert puts in a word, a few octets, or what nests.
func (m *mutator) insert(b []byte, i int) []byte {
	switch m.rand.IntN(24) {
	case 0:
		return put(b, i, bytes.Repeat([]byte(nests[m.rand.IntN(len(nests))]), 1+m.rand.IntN(20_000)))
	case 1, 2, 3:
		some := make([]byte, 1+m.rand.IntN(8))
		for k := range some {
			some[k] = byte(m.rand.Uint32())
		}
		return put(b, i, some)
	}
	return put(b, i, []byte(words[m.rand.IntN(len(words))]))
}

// number puts a number at the edge in the place of the next one in letters.
func (m *mutator) number(b []byte, i int) []byte {
	start := bytes.IndexAny(b[i:], "0123456789")
	if start < 0 {
		return m.octets(b, i)
	}
	start += i
	end := start
	for end < len(b) && strings.IndexByte("0123456789.eE+-", b[end]) >= 0 {
		end++
	}
	edge := edgeTexts[m.rand.IntN(len(edgeTexts))]
	return append(append(bytes.Clone(b[:start]), edge...), b[end:]...)
}

// octets writes a number at the edge as one, two, four or eight octets, either end first.
func (m *mutator) octets(b []byte, i int) []byte {
	edge := edgeOctets[m.rand.IntN(len(edgeOctets))] + uint64(m.rand.IntN(3)) - 1
	var eight [8]byte
	width := 1 << m.rand.IntN(4)
	if m.rand.IntN(2) == 0 {
		binary.BigEndian.PutUint64(eight[:], edge<<(64-8*width))
	} else {
		binary.LittleEndian.PutUint64(eight[:], edge)
	}
	copy(b[i:], eight[:width])
	return b
}

// put is b with some octets more at a place.
func put(b []byte, i int, some []byte) []byte {
	out := make([]byte, 0, len(b)+len(some))
	return append(append(append(out, b[:i]...), some...), b[i:]...)
}
