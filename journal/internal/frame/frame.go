// Package frame writes and finds opaque records in a file that may end, or have holes,
// anywhere: what a process wrote without waiting for the disk, and a power cut.
//
// In: bodies with a time and a number, or the bytes of such a file. Out: the bytes of one
// record, or every record that is whole and what is missing between them. It never opens a
// file, never trusts a length before its checksum, and never takes bytes inside a body for
// a record: checksums are salted with a number that only the file's own head knows.
package frame

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// HeaderSize is how many bytes a record has before its body.
//
//	0  4  magic "TcF1"
//	4  4  length of the body
//	8  8  number of the record in its file: 1, 2, 3 ...
//	16 8  time, milliseconds since 1970 UTC
//	24 4  CRC-32C of the salt and the body
//	28 4  CRC-32C of the salt and the 28 bytes before
//
// All numbers are big-endian.
const HeaderSize = 32

const magic = "TcF1"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Record is one record. At is in milliseconds since 1970 UTC.
type Record struct {
	Number uint64
	At     int64
	Body   []byte
}

// Append appends the record's bytes to dst.
func Append(dst []byte, salt uint64, r Record) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Body)))
	dst = binary.BigEndian.AppendUint64(dst, r.Number)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.At))
	dst = binary.BigEndian.AppendUint32(dst, checksum(salt, r.Body))
	dst = binary.BigEndian.AppendUint32(dst, checksum(salt, dst[start:]))
	return append(dst, r.Body...)
}

// Found says what Scan saw. Last is the highest number any whole header bore; Whole of them
// had their whole body; End is the offset behind the last whole record, 0 if there was none.
// Numbers begin at 1, so Last - Whole records are known to be missing. What was cut off before
// its header was whole, behind the last record, leaves nothing to be known by.
type Found struct {
	Whole uint64
	Last  uint64
	End   int
}

// Missing is how many records are known to have been written and are not whole.
func (f Found) Missing() uint64 { return f.Last - f.Whole }

// Scan calls yield for every whole record of b in order, until yield returns an error, which
// it returns. A body longer than limit is not a record. Bytes that are no record are passed
// over up to the next whole header, in time proportional to len(b). The body handed to yield
// lies in b.
func Scan(b []byte, salt uint64, limit int, yield func(Record) error) (Found, error) {
	var found Found
	for at := 0; ; {
		skip := bytes.Index(b[at:], []byte(magic))
		if skip < 0 || len(b)-at-skip < HeaderSize {
			return found, nil
		}
		at += skip
		head := b[at : at+HeaderSize]
		number := binary.BigEndian.Uint64(head[8:])
		length := int64(binary.BigEndian.Uint32(head[4:]))
		// A number that does not grow is left over from before the place was
		// written again: it was seen where it stood first, or given up.
		if checksum(salt, head[:28]) != binary.BigEndian.Uint32(head[28:]) || length > int64(limit) || number <= found.Last {
			at++
			continue
		}
		found.Last = number
		at += HeaderSize
		if length > int64(len(b)-at) {
			continue
		}
		body := b[at : at+int(length) : at+int(length)]
		if checksum(salt, body) != binary.BigEndian.Uint32(head[24:]) {
			continue
		}
		at += int(length)
		found.Whole, found.End = found.Whole+1, at
		if err := yield(Record{Number: number, At: int64(binary.BigEndian.Uint64(head[16:])), Body: body}); err != nil {
			return found, err
		}
	}
}

func checksum(salt uint64, b []byte) uint32 {
	var s [8]byte
	binary.BigEndian.PutUint64(s[:], salt)
	return crc32.Update(crc32.Checksum(s[:], castagnoli), castagnoli, b)
}
