package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// programEnv makes of the test's own executable the program, so that real processes are
// tried with real signals.
const programEnv = "TOCSIN_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is one run of the program.
type process struct {
	*exec.Cmd
	said *bytes.Buffer
	done chan error
}

func start(t *testing.T, in io.Reader, args ...string) *process {
	t.Helper()
	p := &process{exec.CommandContext(t.Context(), os.Args[0], args...), &bytes.Buffer{}, make(chan error, 1)}
	p.Env = append(os.Environ(), programEnv+"=1")
	p.Stdin, p.Stdout, p.Stderr = in, p.said, p.said
	p.WaitDelay = time.Second
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.Wait() }()
	return p
}

// end waits for the program and answers with its exit code; it is given far longer than it
// may take, for the machine may have other work.
func (p *process) end(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
		return p.ProcessState.ExitCode()
	case <-time.After(within):
		_ = p.Process.Kill()
		<-p.done
		t.Fatalf("%v: did not end within %s\n%s", p.Args[1:], within, p.said)
	}
	return -1
}

// A line without end is no reason to read for ever.
func TestEndlessInput(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Skip("no /dev/zero here")
	}
	defer zero.Close()
	root := strings.Repeat("A", 43)
	p := start(t, zero, "board", "verify", "--root", root)
	if code := p.end(t, 30*time.Second); code != 1 || !strings.Contains(p.said.String(), "has no end") {
		t.Errorf("exit %d\n%s", code, p.said)
	}
}

// Every command ends within a second of its signal, also one that waits where nothing comes;
// four are allowed here, for a machine with other work.
func TestSignals(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	nothing, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { writer.Close(); nothing.Close() })
	out := filepath.Join(dir, "out")
	lines := map[string][]string{
		"decode":       {"decode", "asterix", fifo},
		"decode stdin": {"decode", "asterix", "-"},
		"cap check":    {"cap", "check", fifo},
		"watch":        {"watch", "http://" + silent.Addr().String()},
		"board verify": {"board", "verify", "--root", strings.Repeat("A", 43)},
		"zones check":  {"zones", "check", fifo},
		"zones build":  {"zones", "build", "--places", fifo, "--outline", fifo, "--oblasts", fifo, "-o", out},
		"sim":          {"sim", fifo},
		"score":        {"score", "--scenario", dir, fifo},
		"serve":        {"serve", "--config", fifo},
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for name, args := range lines {
			t.Run(fmt.Sprint(name, " ", signal), func(t *testing.T) {
				t.Parallel()
				p := start(t, nothing, args...)
				// Time to come to where it waits; one that has not even set its handler ends by the signal.
				<-time.After(300 * time.Millisecond)
				sent := time.Now()
				if err := p.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				code := p.end(t, 20*time.Second)
				if took := time.Since(sent); took > 4*time.Second || code != 1 || !strings.Contains(p.said.String(), "interrupted") {
					t.Errorf("ended after %s with %d: %s", took, code, p.said)
				}
			})
		}
	}
}

// A radar that speaks to a group is heard by the program as it is built, over the loopback
// interface, and /metrics says so.
func TestMulticastServe(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo here")
	}
	send, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer send.Close()
	conn := ipv4.NewPacketConn(send)
	if err := conn.SetMulticastInterface(lo); err != nil {
		t.Skipf("this machine does not send multicast on lo: %v", err)
	}
	port, err := freePort() // not the sender's own, which is taken
	if err != nil {
		t.Fatal(err)
	}
	group := &net.UDPAddr{IP: net.IPv4(239, 1, 1, 1), Port: port}
	if _, err := send.WriteTo([]byte{0}, group); err != nil {
		t.Skipf("this machine does not send multicast on lo: %v", err)
	}
	desk := freeTCP(t)
	config := zoneFile(t, "tocsin.yaml", fmt.Sprintf(`universe: exercise
data: ./data
public: {listen: "127.0.0.1:0"}
desk: {listen: %q}
zones: [il]
languages: [en]
sender: exercise@tocsin.example
timezone: Asia/Jerusalem
sources:
  - {id: radar, kind: asterix, listen: "udp://239.1.1.1:%d?interface=lo", sac: 25, sic: 1, site: {lat: 32, lon: 35, height: 100}, errors: {range: 50, azimuth: 0.1}, coverage: {range: 100000, floor: 100}}
`, desk, port))
	p := start(t, nil, "serve", "--config", config)
	block, err := hex.DecodeString("300006801901" + "300006801902") // one of ours, one of nobody's
	if err != nil {
		t.Fatal(err)
	}
	heard := regexp.MustCompile(`(?m)^tocsin_feed_records_total\{feed="1"\} [1-9]`)
	stranger := regexp.MustCompile(`(?m)^tocsin_feed_faults_total\{feed="1",reason="unknown-source"\} [1-9]`)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for text := ""; !heard.MatchString(text) || !stranger.MatchString(text); {
		select {
		case <-deadline:
			t.Fatalf("the group was not heard\n%s\n%s", text, p.said)
		case <-p.done:
			t.Fatalf("it ended\n%s", p.said)
		case <-tick.C:
		}
		if _, err := send.WriteTo(block, group); err != nil {
			t.Fatal(err)
		}
		if resp, err := http.Get("http://" + desk + "/metrics"); err == nil {
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			text = string(b)
		}
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t, 30*time.Second); code != 0 {
		t.Errorf("exit %d\n%s", code, p.said)
	}
}

func freeTCP(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
