package recording

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// ErrPacked is bytes that Pack did not make, or that unpack to more than was allowed.
var ErrPacked = errors.New("not packed as it should be")

// Mark is the first byte of a packed batch.
type Mark byte

// Begins is a batch that can be read without those before it, GoesOn one that cannot.
const (
	Begins Mark = 'B'
	GoesOn Mark = 'I'
)

// MarkOf is the mark of a packed batch; no mark that there is of bytes that are none.
func MarkOf(packed []byte) Mark {
	if len(packed) == 0 {
		return 0
	}
	return Mark(packed[0])
}

// Packer compresses batches, quickly rather than well. It belongs to one goroutine; the zero
// value is ready.
type Packer struct {
	out bytes.Buffer
	w   *flate.Writer
}

// Pack is a batch, compressed, with its mark. It is good until the next one.
func (p *Packer) Pack(mark Mark, batch []byte) []byte {
	p.out.Reset()
	p.out.WriteByte(byte(mark))
	if p.w == nil {
		p.w, _ = flate.NewWriter(&p.out, flate.BestSpeed) // an error is a level that does not exist
	} else {
		p.w.Reset(&p.out)
	}
	// A buffer takes everything, so that neither can be refused.
	_, _ = p.w.Write(batch)
	_ = p.w.Close()
	return p.out.Bytes()
}

// Unpack is the batch that was packed, of at most limit bytes: a few bytes can say a great
// many, and are not believed. The error is an ErrPacked.
func Unpack(packed []byte, limit int) ([]byte, error) {
	if m := MarkOf(packed); m != Begins && m != GoesOn {
		return nil, fmt.Errorf("recording: unpack: no mark: %w", ErrPacked)
	}
	in := bytes.NewReader(packed[1:])
	var out bytes.Buffer
	n, err := out.ReadFrom(io.LimitReader(flate.NewReader(in), int64(limit)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("recording: unpack: %w: %w", ErrPacked, err)
	case n > int64(limit):
		return nil, fmt.Errorf("recording: unpack: over %d bytes: %w", limit, ErrPacked)
	case in.Len() > 0:
		return nil, fmt.Errorf("recording: unpack: %d bytes behind the end: %w", in.Len(), ErrPacked)
	}
	return out.Bytes(), nil
}
