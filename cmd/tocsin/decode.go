package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tocsin/wire/asterix"
	"tocsin/wire/pcap"
)

type decodeCmd struct {
	Asterix decodeAsterixCmd `cmd:"" help:"Decode ASTERIX from a capture or a file of data blocks to JSON lines."`
}

type decodeAsterixCmd struct {
	File    string   `arg:"" help:"A pcap or pcapng capture, or the data blocks themselves; - is standard input."`
	Edition []string `placeholder:"048=1.32" help:"Edition of a category, and with a plus that of its expansion field (048=1.32+1.13). May be repeated."`
	Port    []uint16 `placeholder:"N" help:"Of a capture, only what was sent to this UDP port. May be repeated."`
}

// Help is the example that --help prints.
func (decodeAsterixCmd) Help() string {
	var editions []string
	for _, c := range asterix.Categories() {
		editions = append(editions, fmt.Sprintf("  %03d: %s (default %s)", c, strings.Join(asterix.Known(c), ", "), asterix.Default(c)))
	}
	return `Prints one JSON object a record, its items named as in the specification: raw value, physical value with
unit, meaning. Of a capture each line also says frame, time, source and destination; "offset" is the place
in the datagram, or in the file of data blocks. What does not decode is listed at the end on standard
error. Exit code 0 also with faults, 1 if nothing could be decoded.
Editions known (the octets do not say which was used):
` + strings.Join(editions, "\n") + `
Example:
  tocsin decode asterix recording.pcap --edition 048=1.30 --port 8600`
}

// maxFaultLines bounds what is kept for the end; what is beyond is counted.
const maxFaultLines = 1000

// asterixDecoding is the state of one run.
type asterixDecoding struct {
	console *console
	decoder *asterix.Decoder
	out     *bufio.Writer
	line    []byte
	records int
	faults  []string
	beyond  int
}

// Run decodes one file as it is read; it never holds more than one datagram or block.
func (k decodeAsterixCmd) Run(c *console) error {
	written := map[string]string{}
	for _, e := range k.Edition {
		category, edition, ok := strings.Cut(e, "=")
		if _, twice := written[category]; !ok || twice {
			return usageError("decode asterix: --edition %s: write one CATEGORY=EDITION each, such as 048=1.32", e)
		}
		written[category] = edition
	}
	editions, err := asterix.ParseEditions(written)
	if err != nil {
		return usageError("decode asterix: --edition: %v", err)
	}
	decoder, err := asterix.NewDecoder(editions)
	if err != nil {
		return usageError("decode asterix: --edition: %v", err)
	}
	in := c.in
	if k.File != "-" {
		f, err := openFile(k.File)
		if err != nil {
			return fileError("decode asterix", k.File, err)
		}
		defer f.Close()
		in = f
	}
	d := &asterixDecoding{console: c, decoder: decoder, out: bufio.NewWriterSize(c.out, 64<<10)}
	buffered := bufio.NewReaderSize(in, 64<<10)
	head, err := buffered.Peek(4)
	switch {
	case len(head) == 0 && !errors.Is(err, io.EOF):
		return fileError("decode asterix", k.File, err)
	case len(head) == 0:
		return fileError("decode asterix", k.File, errors.New("it is empty"))
	case pcap.IsCapture(head):
		err = d.capture(buffered, k.Port)
	case len(k.Port) > 0:
		return usageError("decode asterix: --port is for captures, and %s is none", k.File)
	default:
		err = d.blocks(buffered)
	}
	if flushed := d.out.Flush(); flushed != nil {
		return fmt.Errorf("decode asterix: write: %w", flushed)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return d.end(k.File)
}

// capture decodes every UDP payload of a capture.
func (d *asterixDecoding) capture(in io.Reader, ports []uint16) error {
	r, err := pcap.NewReader(in)
	if err != nil {
		d.fault("%v", err)
		return nil
	}
	for d.console.ctx.Err() == nil {
		packet, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.fault("%v; what came before it is decoded", err)
			break
		}
		if len(ports) > 0 && !slices.Contains(ports, packet.Dst.Port()) {
			continue
		}
		head := fmt.Sprintf(`{"frame":%d,`, packet.Frame)
		if !packet.At.IsZero() {
			head += fmt.Sprintf(`"time":%q,`, packet.At.UTC().Format(time.RFC3339Nano))
		}
		head += fmt.Sprintf(`"source":%q,"destination":%q,`, packet.Src, packet.Dst)
		if err := d.datagram(packet.Payload, head, fmt.Sprintf("frame %d: ", packet.Frame), 0); err != nil {
			return err
		}
	}
	for _, f := range r.Faults() {
		d.fault("%v", f)
	}
	return d.console.ctx.Err()
}

// blocks decodes a stream of data blocks, one at a time.
func (d *asterixDecoding) blocks(in *bufio.Reader) error {
	block := make([]byte, 3, asterix.MaxBlock)
	for at := 0; d.console.ctx.Err() == nil; {
		block = block[:3]
		n, err := io.ReadFull(in, block)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			length := int(binary.BigEndian.Uint16(block[1:]))
			block = block[:max(3, length)]
			var m int
			m, err = io.ReadFull(in, block[3:])
			n += m
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("decode asterix: read: %w", err)
		}
		if failed := d.datagram(block[:n], "{", "", at); failed != nil {
			return failed
		}
		if err != nil || binary.BigEndian.Uint16(block[1:]) < 3 {
			return nil // the decoder has said so as a fault
		}
		at += n
	}
	return d.console.ctx.Err()
}

// datagram prints the records of some octets that stand at an offset.
func (d *asterixDecoding) datagram(b []byte, head, where string, at int) error {
	records, faults := d.decoder.Decode(b)
	for _, f := range faults {
		f.Offset += at
		d.fault("%s%v", where, f)
	}
	for i := range records {
		d.records++
		r := &records[i]
		r.Offset += at
		d.line = append(r.AppendMembers(append(d.line[:0], head...)), '}', '\n')
		if _, err := d.out.Write(d.line); err != nil {
			return fmt.Errorf("decode asterix: write: %w", err)
		}
	}
	return nil
}

func (d *asterixDecoding) fault(format string, args ...any) {
	if len(d.faults) == maxFaultLines {
		d.beyond++
		return
	}
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

func (d *asterixDecoding) end(file string) error {
	for _, f := range d.faults {
		fmt.Fprintln(d.console.err, f)
	}
	if d.beyond > 0 {
		fmt.Fprintf(d.console.err, "and %d faults more\n", d.beyond)
	}
	if d.records > 0 {
		return nil
	}
	fmt.Fprintf(d.console.err, "tocsin: decode asterix: no record could be decoded in %s: it holds no ASTERIX, or another edition than was said (--edition), or another port (--port)\n", file)
	return errNo
}
