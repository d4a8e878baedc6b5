package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A slots is the head of a file in which one small statement is replaced again and again
// without a moment at which none is whole: two places, a disk block apart, written in turn.
// The whole one with the higher generation counts.
//
//	0  8  magic "TcSlot1\n"
//	8  8  generation
//	16 40 statement
//	56 4  CRC-32C of the 56 bytes before
//
// All numbers are big-endian. It is not safe for use by several goroutines.
type slots struct {
	f          *os.File
	generation uint64
	statement  [statementSize]byte
	whole      bool // a statement was found, or has been written
	dirty      bool // there were bytes and none were whole
}

const (
	slotMagic     = "TcSlot1\n"
	statementSize = 40
	slotSize      = 8 + 8 + statementSize + 4
	slotStride    = 4096
	slotsEnd      = 2 * slotStride
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openSlots opens or makes the file and reads its head. The file is then at least slotsEnd
// long, so that later writes need no room on a full disk; if there is none now, that fails.
func openSlots(path string) (*slots, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	head := make([]byte, slotsEnd)
	n, err := io.ReadFull(io.NewSectionReader(f, 0, slotsEnd), head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		_, err = f.WriteAt(head[n:], int64(n))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &slots{f: f, dirty: len(bytes.Trim(head, "\x00")) > 0}
	for at := 0; at < slotsEnd; at += slotStride {
		s.consider(head[at : at+slotSize])
	}
	s.dirty = s.dirty && !s.whole
	return s, nil
}

func (s *slots) consider(b []byte) {
	generation := binary.BigEndian.Uint64(b[8:])
	sum := crc32.Checksum(b[:slotSize-4], castagnoli)
	if string(b[:8]) != slotMagic || binary.BigEndian.Uint32(b[slotSize-4:]) != sum || (s.whole && generation < s.generation) {
		return
	}
	s.generation, s.whole = generation, true
	copy(s.statement[:], b[16:])
}

// write replaces the statement; it is not synced.
func (s *slots) write(statement [statementSize]byte) error {
	b := make([]byte, 0, slotSize)
	b = append(b, slotMagic...)
	b = binary.BigEndian.AppendUint64(b, s.generation+1)
	b = append(b, statement[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := s.f.WriteAt(b, int64((s.generation+1)%2)*slotStride); err != nil {
		return fmt.Errorf("journal: write %s: %w", s.f.Name(), err)
	}
	s.generation, s.statement, s.whole = s.generation+1, statement, true
	return nil
}
