package node

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The siege as tests run it is of a system that may open few files, so that few attackers
// are enough. `go test ./node -run Siege -v -attackers 5000 -files 4000 -siegezones 30000` is of 3,000 places.
var (
	attackers  = flag.Int("attackers", 1200, "connections that attack the public listener at once")
	files      = flag.Int("files", 900, "files that the attacked system may open")
	siegeZones = flag.Int("siegezones", 3000, "zones of the attacked system")
)

// filesEnv bounds the files of a child.
const filesEnv = "TOCSIN_TEST_FILES"

func boundFiles(t *testing.T, n string) {
	if n == "" {
		return
	}
	var r syscall.Rlimit
	if _, err := fmt.Sscan(n, &r.Cur); err != nil {
		t.Fatal(err)
	}
	r.Max = r.Cur
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
}

// streetOf is a file of zones side by side, in one region.
func streetOf(t *testing.T, n int) string {
	t.Helper()
	const perRow = 300
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	rows := (n + perRow - 1) / perRow
	square := func(id, parent string, level int, south, west, north, east float64) {
		fmt.Fprintf(&b, `{"type":"Feature","properties":{"id":%q,"level":%d,"parent":%q,"name:en":%q},"geometry":{"type":"Polygon","coordinates":[[[%.3f,%.3f],[%.3f,%.3f],[%.3f,%.3f],[%.3f,%.3f],[%.3f,%.3f]]]}}`,
			id, level, parent, "Zone "+id, west, south, east, south, east, north, west, north, west, south)
	}
	square("all", "", 1, 40, 30, 40+0.02*float64(rows), 30+0.02*perRow)
	for i := range n {
		south, west := 40+0.02*float64(i/perRow), 30+0.02*float64(i%perRow)
		b.WriteString(",\n")
		square(fmt.Sprintf("z%05d", i), "all", 2, south, west, south+0.02, west+0.02)
	}
	b.WriteString("]}")
	file := filepath.Join(t.TempDir(), "street.geojson")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// besieged is a running system, and where its public asks.
type besieged struct {
	t        *testing.T
	life     *child
	public   string
	registry string // the path of the largest answer
}

func besiege(t *testing.T) *besieged {
	o := newOffice(t)
	o.cfg.Public.Listen, o.cfg.Desk.Listen = freePort(t, "tcp"), freePort(t, "tcp")
	o.cfg.Zones = []string{streetOf(t, *siegeZones)}
	t.Setenv(filesEnv, fmt.Sprint(*files))
	b := &besieged{t: t, life: startChild(t, o.cfg), public: o.cfg.Public.Listen}
	t.Cleanup(func() { b.life.kill(t) })
	var summary string
	await(t, b.life, "it answers", func() bool {
		res, err := http.Get("http://" + b.public + "/v1/zones")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		summary = string(body)
		return res.StatusCode == http.StatusOK
	})
	_, version, _ := strings.Cut(summary, `"version":"`)
	version, _, _ = strings.Cut(version, `"`)
	b.registry = "/v1/zones/" + version
	a := &authority{office: o, desk: o.cfg.Desk.Listen}
	body := fmt.Sprintf(`{"id":"all","action":"declare","regions":["all"],"stage":"shelter","threat":"drone","until":%q,"reason":"a siege"}`,
		time.Now().Add(2*time.Hour).UTC().Format(time.RFC3339Nano))
	if status, answer := a.send(t, body); status != http.StatusCreated {
		t.Fatalf("%d %s", status, answer)
	}
	return b
}

// from dials as somebody of another address of this machine.
func (b *besieged) from(ctx context.Context, a, c, d byte) (*net.TCPConn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, a, c, d)}, Timeout: 10 * time.Second, Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
	}}
	if d == 1 { // a phone, which takes what comes
		dialer.Control = nil
	}
	conn, err := dialer.DialContext(ctx, "tcp4", b.public)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// phone asks for the board as a newcomer, then for the stream, and tells how long each took
// until it was there: the board whole, of the stream the first frame.
func (b *besieged) phone(limit time.Duration) (board, stream time.Duration, err error) {
	var took [2]time.Duration
	for i, path := range []string{"/v1/board", "/v1/stream"} {
		began := time.Now()
		for try := 0; ; try++ { // a phone that was let go comes back, as its client does
			if err = b.hears(path, began.Add(limit)); err == nil {
				break
			}
			if time.Since(began) > limit || errors.Is(err, errFull) && try == 2 {
				return took[0], took[1], fmt.Errorf("%s, %d tries: %w", path, try+1, err)
			}
		}
		took[i] = time.Since(began)
	}
	return took[0], took[1], nil
}

func (b *besieged) hears(path string, until time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	conn, err := b.from(ctx, 0, 0, 1)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(until)
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "" {
		return errFull
	}
	if res.StatusCode != http.StatusOK { // its body is left: closing it would read it to the end
		return fmt.Errorf("%s", res.Status)
	}
	if path == "/v1/board" {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: ") {
			return nil
		}
	}
	return fmt.Errorf("no frame: %w", io.ErrUnexpectedEOF)
}

// errFull is that all places are taken, and who holds one may.
var errFull = errors.New("told to come back")

// assault is one way of attacking: what an attacker does with a connection. It comes back
// when the connection ended, or the siege.
type assault struct {
	name string
	each int  // how many are of one address; 0: all
	part int  // the attackers are divided by it; 0: all
	full bool // no address holds more than a family, so that no stream gives way to another
	do   func(ctx context.Context, b *besieged, conn net.Conn)
}

// hang waits until the connection is closed by the other side, or the siege ends, reading nothing.
func hang(ctx context.Context, conn net.Conn) {
	tick := time.NewTicker(200 * time.Millisecond * time.Duration(1+*attackers/1200)) // else looking takes the machine
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if tcp, ok := conn.(*net.TCPConn); ok && hungUp(tcp) {
				return
			}
		}
	}
}

// hungUp reports whether a connection was reset or closed, with whatever is unread on it.
func hungUp(tcp *net.TCPConn) bool {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true
	}
	over := false
	err = raw.Control(func(fd uintptr) {
		state, err := syscall.GetsockoptInt(int(fd), syscall.SOL_TCP, syscall.TCP_INFO)
		over = err != nil || state&0xff != 1 // the first octet of tcp_info is the state; 1 is established
	})
	return over || err != nil
}

func ask(path string) func(context.Context, *besieged, net.Conn) {
	return func(ctx context.Context, b *besieged, conn net.Conn) {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", cmp.Or(path, b.registry))
		hang(ctx, conn)
	}
}

// repeat says one thing again and again, each pause, while it is taken.
func repeat(first, again string, pause time.Duration) func(context.Context, *besieged, net.Conn) {
	return func(ctx context.Context, _ *besieged, conn net.Conn) {
		fmt.Fprint(conn, first)
		tick := time.NewTicker(max(pause, time.Microsecond))
		defer tick.Stop()
		for ctx.Err() == nil {
			conn.SetWriteDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(conn, again); err != nil {
				return
			}
			if pause > 0 {
				<-tick.C
			}
		}
	}
}

var assaults = []assault{
	{name: "silence", do: func(ctx context.Context, _ *besieged, conn net.Conn) { hang(ctx, conn) }},
	{name: "silence of many addresses", each: 6, do: func(ctx context.Context, _ *besieged, conn net.Conn) { hang(ctx, conn) }},
	{name: "heads that do not end", do: repeat("GET /v1/board HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n", 300*time.Millisecond)},
	{name: "huge heads", part: 20, do: repeat("GET /v1/board HTTP/1.1\r\nHost: x\r\n", "X-A: "+strings.Repeat("b", 4000)+"\r\n", 0)},
	{name: "bodies without end", part: 20, do: repeat("POST /v1/board HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "10\r\n0123456789abcdef\r\n", 0)},
	{name: "the zones, not read", do: ask("")},
	{name: "the zones, not read, of many addresses", each: 6, do: ask("")},
	{name: "the zones, by drops, of many addresses", each: 6, do: func(ctx context.Context, b *besieged, conn net.Conn) {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", b.registry)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for drop := make([]byte, 1000); ctx.Err() == nil; <-tick.C {
			if _, err := conn.Read(drop); err != nil {
				return
			}
		}
	}},
	{name: "the board, asked 200 times on each and not read", do: func(ctx context.Context, _ *besieged, conn net.Conn) {
		fmt.Fprint(conn, strings.Repeat("GET /v1/board HTTP/1.1\r\nHost: x\r\n\r\n", 200))
		hang(ctx, conn)
	}},
	{name: "requests without end", part: 20, do: func(ctx context.Context, _ *besieged, conn net.Conn) {
		go repeat("", strings.Repeat("GET /v1/board HTTP/1.1\r\nHost: x\r\n\r\n", 20), 0)(ctx, nil, conn)
		io.Copy(io.Discard, conn)
	}},
	{name: "streams, not read", do: ask("/v1/stream")},
	{name: "streams, not read, of some addresses", each: 40, do: ask("/v1/stream")},
	{name: "streams, not read, of many addresses", each: 6, full: true, do: ask("/v1/stream")},
	{name: "streams, read, of one address", do: func(_ context.Context, _ *besieged, conn net.Conn) {
		fmt.Fprint(conn, "GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
		io.Copy(io.Discard, conn)
	}},
	{name: "streams that talk on", part: 20, do: repeat("GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n", strings.Repeat("x", 4096), 0)},
}

// attack keeps all attackers at it until it is ended; lost counts connections that were ended
// for them.
func (b *besieged) attack(how assault) (inside, lost *atomic.Int64, end func()) {
	ctx, stop := context.WithCancel(context.Background())
	inside, lost = &atomic.Int64{}, &atomic.Int64{}
	var group sync.WaitGroup
	for i := range *attackers / max(how.part, 1) {
		group.Go(func() {
			a, c, d := byte(1), byte(0), byte(2)
			if how.each > 0 {
				home := i / how.each
				a, c, d = byte(1+home/250/250), byte(home/250%250), byte(2+home%250)
			}
			for ctx.Err() == nil {
				conn, err := b.from(ctx, a, c, d)
				if err != nil {
					continue
				}
				inside.Add(1)
				leave := context.AfterFunc(ctx, func() { conn.Close() })
				how.do(ctx, b, conn)
				leave()
				conn.SetLinger(0)
				conn.Close()
				inside.Add(-1)
				lost.Add(1)
				select { // else those who dial would take the machine that both sides share
				case <-time.After(50 * time.Millisecond * time.Duration(1+*attackers/1200)):
				case <-ctx.Done():
				}
			}
		})
	}
	return inside, lost, func() { stop(); group.Wait() }
}

// phoneWaits is how long an honest phone may wait in a siege: the time that a reader who
// takes nothing is left alone, and as much again on a machine that also runs the attackers.
const phoneWaits = 2*stuckTime + 2*time.Second

// TestSiege: whatever the public's listener is attacked with, a phone beside it has its board and its
// stream. -v shows how long it waited and what the system held in memory.
func TestSiege(t *testing.T) {
	b := besiege(t)
	idle := b.memory()
	t.Logf("alone: %d KiB resident", idle.resident)
	for _, how := range assaults {
		t.Run(how.name, func(t *testing.T) {
			inside, lost, end := b.attack(how)
			defer end()
			until := time.After(2*time.Second + time.Duration(*attackers/2)*time.Millisecond)
			for want := int64(*attackers / max(how.part, 1) / 2); inside.Load() < want; {
				select {
				case <-until:
					t.Fatalf("only %d attackers came in", inside.Load())
				case <-time.After(10 * time.Millisecond):
				}
			}
			var worst [2]time.Duration
			for range 2 {
				board, stream, err := b.phone(phoneWaits)
				if how.full && errors.Is(err, errFull) && board > 0 {
					err, stream = nil, 0 // it is told so at once, and keeps to the board
				}
				if err != nil {
					t.Error(err)
				}
				worst[0], worst[1] = max(worst[0], board), max(worst[1], stream)
			}
			m := b.memory()
			t.Logf("board %s, first frame %s; %d inside, %d ended, %d held; resident %+d KiB, system buffers %d KiB",
				worst[0].Round(time.Millisecond), worst[1].Round(time.Millisecond), inside.Load(), lost.Load(), m.sockets, m.resident-idle.resident, m.buffers)
		})
	}
	select {
	case err := <-b.life.done:
		t.Fatalf("it ended: %v\n%s", err, b.life.log)
	default:
	}
}

// held is what the system takes for its connections: KiB resident and in the system's
// buffers, and how many there are.
type held struct{ resident, buffers, sockets int }

// memory reads what the child holds: resident, and in the buffers of its listener's connections.
func (b *besieged) memory() (m held) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.life.cmd.Process.Pid))
	if err != nil {
		b.t.Fatal(err)
	}
	_, rss, _ := strings.Cut(string(status), "VmRSS:")
	fmt.Sscan(rss, &m.resident)
	_, port, _ := net.SplitHostPort(b.public)
	var number int
	fmt.Sscan(port, &number)
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, line := range strings.Split(string(table), "\n") {
		var n, local, remote, state, queues string
		if fmt.Sscan(line, &n, &local, &remote, &state, &queues); state == "01" && strings.HasSuffix(local, fmt.Sprintf(":%04X", number)) {
			var send, receive int
			fmt.Sscanf(queues, "%x:%x", &send, &receive)
			m.buffers, m.sockets = m.buffers+(send+receive)/1024, m.sockets+1
		}
	}
	return m
}
