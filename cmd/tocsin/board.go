package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
)

type boardCmd struct {
	Verify boardVerifyCmd `cmd:"" help:"Verify frames of the board from standard input."`
}

type boardVerifyCmd struct {
	Keys string `placeholder:"FILE" help:"The key list, as GET /v1/keys gives it. Without --root it is believed as it is."`
	Root string `placeholder:"X" help:"The root key (base64url of its 32 bytes), by which key lists are verified."`
	At   string `placeholder:"TIME" help:"The client's own time (RFC 3339), or signed: judge each frame at the time it says it was signed. By default now."`
	JSON bool   `name:"json" help:"One JSON object a frame."`
}

// Help is the example that --help prints.
func (boardVerifyCmd) Help() string {
	return `Reads frames, one a line, and prints one line each: the verdict of the contract, then region, kind, number, time.
Frames of one region are judged in their order, as a client would. Lines of a stream (data: FRAME) are taken
apart, key lists among the frames are taken. Exit code 1 if any frame is not taken or there is none.
Examples:
  curl -s https://example.gov/v1/keys >keys.jws
  curl -s https://example.gov/v1/board | tocsin board verify --keys keys.jws --root X
  tocsin board verify --keys keys.jws --at signed <recorded-frames.txt`
}

// maxChains bounds the regions one run looks at.
const maxChains = 10_000

// verifying is the state of one run.
type verifying struct {
	cmd     boardVerifyCmd
	console *console
	root    ed25519.PublicKey
	keys    []byte         // the newest list, as a line
	trusted *board.KeyList // the list believed as it is, where there is no root
	worlds  []alert.Universe
	clients map[string]*board.Client
	at      time.Time
	frames  int
	bad     bool
}

// Run judges line after line.
func (k boardVerifyCmd) Run(c *console) error {
	v := &verifying{cmd: k, console: c, clients: map[string]*board.Client{}}
	if err := v.prepare(); err != nil {
		return err
	}
	in := bufio.NewReaderSize(c.in, 64<<10)
	for n := 1; ; n++ {
		line, err := readLineBounded(c.ctx, in, board.MaxFrame+len("data: "))
		if line = frameIn(line); len(line) > 0 {
			if err := v.judge(n, line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("board verify: standard input: line %d: %w", n, err)
		}
	}
	if v.frames == 0 {
		fmt.Fprintln(c.err, "tocsin: board verify: there was no frame on standard input, so nothing is verified. Give it frames, one a line, such as GET /v1/board answers")
	}
	if v.bad || v.frames == 0 {
		return errNo
	}
	return nil
}

func (v *verifying) prepare() error {
	k := v.cmd
	if k.Root == "" && k.Keys == "" {
		return usageError("board verify: say by which root key (--root X) or which key list (--keys FILE)")
	}
	if k.At != "" && k.At != "signed" {
		at, err := time.Parse(time.RFC3339, k.At)
		if err != nil {
			return usageError("board verify: --at %s: not a time like 2026-11-22T12:00:00Z", k.At)
		}
		v.at = at
	}
	if k.Root != "" {
		root, err := parseRoot(k.Root)
		if err != nil {
			return usageError("board verify: --root: %v", err)
		}
		v.root = root
	}
	if k.Keys == "" {
		return nil
	}
	b, err := readFile(v.console, k.Keys, board.MaxFrame)
	if err != nil {
		return fileError("board verify", k.Keys, err)
	}
	line := bytes.TrimSpace(b)
	if v.root == nil {
		if v.trusted, err = board.ReadKeys(line); err != nil {
			return fmt.Errorf("board verify: %s: it is no key list as GET /v1/keys answers it: %w", shownName(k.Keys), err)
		}
		fmt.Fprintf(v.console.err, "tocsin: board verify: %s is believed as it is; with --root X it is verified too\n", k.Keys)
		return nil
	}
	if _, verdict := universeOf(line, v.root); verdict != board.Taken {
		return fmt.Errorf("board verify: %s: the key list is not the root's: %s", k.Keys, verdict)
	}
	v.keys = line
	return nil
}

// universeOf verifies a key list of either universe.
func universeOf(line []byte, root ed25519.PublicKey) (*board.KeyList, board.Verdict) {
	l, verdict := board.VerifyKeys(line, root, alert.Live)
	if verdict == board.WrongUniverse {
		return board.VerifyKeys(line, root, alert.Exercise)
	}
	return l, verdict
}

func parseRoot(s string) (ed25519.PublicKey, error) {
	x, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(x) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%q is not base64url of 32 bytes", s)
	}
	return x, nil
}

// frameIn is the frame of a line; nothing where it has none.
func frameIn(line []byte) []byte {
	line = bytes.TrimRight(line, "\r\n")
	if rest, ok := bytes.CutPrefix(line, []byte("data:")); ok {
		return bytes.TrimPrefix(rest, []byte(" "))
	}
	for _, field := range []string{":", "id:", "retry:", "event:"} {
		if bytes.HasPrefix(line, []byte(field)) {
			return nil
		}
	}
	return line
}

// judged is the --json form of one frame.
type judged struct {
	Line    int           `json:"line"`
	Verdict board.Verdict `json:"verdict"`
	Region  string        `json:"region,omitempty"`
	Kind    board.Kind    `json:"kind,omitempty"`
	Seq     int64         `json:"seq,omitempty"`
	At      *time.Time    `json:"at,omitempty"`
	Items   int           `json:"items,omitempty"`
	Clock   bool          `json:"clock,omitempty"`
}

func (v *verifying) judge(n int, line []byte) error {
	if v.root != nil {
		if l, verdict := universeOf(line, v.root); verdict == board.Taken {
			v.keys = bytes.Clone(line)
			for region, c := range v.clients {
				if got := c.Keys(v.keys, v.now(l.At)); got != board.Taken {
					fmt.Fprintf(v.console.err, "tocsin: board verify: line %d: key list for %s: %s\n", n, region, got)
					v.bad = true
				}
			}
			return nil
		}
	}
	v.frames++
	p, verdict := v.verdict(line)
	v.bad = v.bad || !verdict.Accepted()
	out := judged{Line: n, Verdict: verdict}
	if verdict.Accepted() {
		out.Region, out.Kind, out.Seq, out.At, out.Items = p.Region, p.Kind, p.Seq, &p.At, len(p.Items)
		out.Clock = p.At.Sub(v.now(p.At)).Abs() > board.ClockApart
	}
	return v.print(out)
}

func (v *verifying) now(signed time.Time) time.Time {
	switch {
	case v.cmd.At == "signed":
		return signed
	case v.at.IsZero():
		return time.Now()
	}
	return v.at
}

// verdict is what a client that follows the frame's own region would say.
func (v *verifying) verdict(line []byte) (board.Payload, board.Verdict) {
	list := v.trusted
	if v.root != nil && v.keys != nil {
		list, _ = universeOf(v.keys, v.root)
	}
	if list == nil {
		return board.Payload{}, board.UnknownKey
	}
	// What the frame says of its own region and time is believed only to choose the client
	// and the clock that then judge it.
	all := board.NewVerifier(v.root, list.Universe)
	all.Trust(list)
	p, verdict := all.Verify(line, v.now(list.At), nil)
	now := v.now(p.At)
	if verdict == board.KeyNotInForce && v.cmd.At == "signed" {
		p, verdict = all.Verify(line, now, nil)
	}
	if verdict != board.Taken {
		return p, verdict
	}
	c := v.clients[p.Region]
	if c == nil {
		if len(v.clients) >= maxChains {
			return p, board.WrongRegion
		}
		c = board.NewClient(v.root, list.Universe, p.Region)
		v.clients[p.Region] = c
	}
	c.Trust(list)
	return p, c.Take(line, now)
}

func (v *verifying) print(j judged) error {
	if v.cmd.JSON {
		return json.NewEncoder(v.console.out).Encode(j)
	}
	if j.At == nil {
		_, err := fmt.Fprintf(v.console.out, "%s\n", j.Verdict)
		return err
	}
	clock := ""
	if j.Clock {
		clock = " clock?"
	}
	_, err := fmt.Fprintf(v.console.out, "%s %s %s %d at %s, %d items%s\n", j.Verdict, j.Region, j.Kind, j.Seq, j.At.Format("2006-01-02T15:04:05.000Z"), j.Items, clock)
	return err
}

// errEndless is a line that does not come to its end.
var errEndless = errors.New("a line of over 16 MiB has no end; these are no frames")

// readLineBounded reads a line with its end; of a longer one what is beyond the bound and
// one byte is dropped, so that it is still seen to be too long. A line that goes on and on is
// given up.
func readLineBounded(ctx context.Context, r *bufio.Reader, most int) ([]byte, error) {
	const endless = 16 << 20
	var line []byte
	for read := 0; ; {
		part, err := r.ReadSlice('\n')
		line = append(line, part[:min(len(part), max(0, most+2-len(line)))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if read += len(part); read > endless {
			return nil, errEndless
		}
	}
}
