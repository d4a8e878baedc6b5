package desk

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLimiter: over any time a key gets at most its burst and its rate, and what it is told
// to wait is enough.
func TestLimiter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate, burst := rapid.Float64Range(0.1, 50).Draw(t, "rate"), float64(rapid.IntRange(1, 20).Draw(t, "burst"))
		l := newLimiter(rate, burst, 3)
		now, taken, waits := noon, 0, time.Duration(-1)
		for range rapid.IntRange(1, 200).Draw(t, "asks") {
			step := time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond
			if waits >= 0 && rapid.Bool().Draw(t, "obey") {
				step = waits
			}
			obeyed := waits >= 0 && step >= waits
			now = now.Add(step)
			wait, ok := l.take("k", now)
			if obeyed && !ok {
				t.Fatalf("told to wait %s, and refused after %s", waits, step)
			}
			waits = -1
			if !ok {
				if waits = wait; wait <= 0 {
					t.Fatal("refused without a wait")
				}
				continue
			}
			if taken++; float64(taken) > burst+now.Sub(noon).Seconds()*rate+1e-6 {
				t.Fatalf("%d were taken in %s", taken, now.Sub(noon))
			}
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(1, 2, 10)
	for i := range 100 {
		l.take(fmt.Sprint(i), noon)
	}
	if len(l.of) != 10 {
		t.Errorf("%d keys are held", len(l.of))
	}
	if _, ok := l.take("late", noon.Add(10*time.Second)); !ok || len(l.of) != 1 {
		t.Errorf("those that are full again are let go: %d are held", len(l.of))
	}
	if _, ok := l.take("late", noon.Add(-time.Hour)); !ok {
		t.Error("a clock that goes back takes nothing away")
	}
}

func TestATokenThatAsksTooOften(t *testing.T) {
	p := open(t, func(c *Config) { c.Rate, c.Burst = 1, 3 })
	for i := range 5 {
		res, b := p.ask("GET", "/v1/warnings", "reader", "")
		if over := i >= 3; over != (res.StatusCode == http.StatusTooManyRequests) || over && res.Header.Get("Retry-After") != "1" {
			t.Errorf("request %d: %d %s", i, res.StatusCode, b)
		}
	}
	if status, no, _ := p.command("national", declare); status != 201 {
		t.Errorf("another token is made to wait: %d %+v", status, no)
	}
}

func TestWrongTokensAreCountedAndTold(t *testing.T) {
	now := noon
	p := open(t, func(c *Config) { c.Now = func() time.Time { return now } })
	many := 0
	for range wrongBurst + 5 {
		if res, _ := p.ask("GET", "/v1/warnings", "nobody", ""); res.StatusCode == http.StatusTooManyRequests {
			many++
		}
	}
	if many != 5 || len(p.noted) != 1 || !p.noted[0].Raised {
		t.Errorf("%d were refused at once, noted %v", many, p.noted)
	}
	if status, no, _ := p.command("national", declare); status != 201 {
		t.Errorf("a right token is made to wait for wrong ones: %d %+v", status, no)
	}
	now = noon.Add(time.Minute)
	p.ask("GET", "/v1/warnings", "reader", "")
	if len(p.noted) != 2 || p.noted[1].Raised {
		t.Errorf("it is over and not told: %v", p.noted)
	}
}

func TestWrongTokensAreSlow(t *testing.T) {
	p := open(t, func(c *Config) { c.Slow = 50 * time.Millisecond })
	started := time.Now()
	p.ask("GET", "/v1/warnings", "nobody", "")
	if d := time.Since(started); d < 50*time.Millisecond {
		t.Errorf("answered after %s", d)
	}
}

// TestTooManyAtOnce: what is over the bound is refused at once, and nothing of it is done.
func TestTooManyAtOnce(t *testing.T) {
	p := open(t, func(c *Config) { c.Requests = 3 })
	p.carrier.hold = make(chan struct{})
	var group sync.WaitGroup
	for i := range 3 {
		group.Go(func() {
			if status, no, _ := p.command("national", swap(t, declare, "c1", fmt.Sprint("h", i))); status != 201 {
				t.Errorf("one within the bound: %d %+v", status, no)
			}
		})
	}
	for len(p.desk.requests) < 3 {
		runtime.Gosched() // a request here would take the place of one of the three
	}
	res, _ := p.ask("POST", "/v1/commands", "national", declare)
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("the fourth: %d", res.StatusCode)
	}
	close(p.carrier.hold)
	group.Wait()
	if p.carrier.count() != 3 {
		t.Errorf("carried out %d", p.carrier.count())
	}
}

// TestStrangersTakeNoPlace: who has no token is sent away after the answer, and however many
// there are, one who has is answered, and stays.
func TestStrangersTakeNoPlace(t *testing.T) {
	p := open(t, func(c *Config) { c.Requests, c.Strangers, c.Slow = 1, 2, time.Hour })
	ctx, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { // a wrong token waits for its answer until the caller leaves
			req, _ := http.NewRequestWithContext(ctx, "GET", p.url+"/v1/warnings", nil)
			req.Header.Set("Authorization", "Bearer nobody")
			if res, err := p.client.Do(req); err == nil {
				res.Body.Close()
				t.Error("answered at once")
			}
		})
	}
	for len(p.desk.strange) < 2 {
		runtime.Gosched()
	}
	for _, c := range []struct {
		method, path, token string
		status              int
		close               bool
	}{
		{"GET", "/v1/openapi.yaml", "", 429, true},
		{"POST", "/v1/commands", "nobody", 429, true},
		{"GET", "/v1/warnings", "reader", 200, false},
	} {
		if res, b := p.ask(c.method, c.path, c.token, ""); res.StatusCode != c.status || res.Close != c.close {
			t.Errorf("%s %s: %d, close %t: %s", c.method, c.path, res.StatusCode, res.Close, b)
		}
	}
	if status, no, _ := p.command("national", declare); status != 201 {
		t.Errorf("a token is refused for the sake of strangers: %d %+v", status, no)
	}
	leave()
	group.Wait()
	for len(p.desk.strange) > 0 {
		runtime.Gosched() // the server has yet to see that they left
	}
	if res, _ := p.ask("GET", "/v1/openapi.yaml", "", ""); res.StatusCode != 200 || !res.Close {
		t.Errorf("alone: %d, close %t", res.StatusCode, res.Close)
	}
}

// TestATokenIsAskedForBeforeTheBody: a body that never comes holds nobody up.
func TestATokenIsAskedForBeforeTheBody(t *testing.T) {
	p := open(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{")
	conn.SetReadDeadline(time.Now().Add(2 * time.Second)) // the body's own time is 5 s
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusUnauthorized || !res.Close {
		t.Errorf("%v %v", res, err)
	}
}

// TestManyAuthoritiesAtOnce: 400 declare in the same second, and each is answered.
func TestManyAuthoritiesAtOnce(t *testing.T) {
	p := open(t, func(c *Config) { c.Requests = 512 })
	var group sync.WaitGroup
	for i := range 400 {
		group.Go(func() {
			if status, no, _ := p.command("national", swap(t, declare, "c1", fmt.Sprint("a", i))); status != 201 {
				t.Errorf("%d: %d %+v", i, status, no)
			}
		})
	}
	group.Wait()
	if p.carrier.count() != 400 {
		t.Errorf("carried out %d", p.carrier.count())
	}
}

// raw sends bytes as they are and returns the status line.
func (p *place) raw(send string) string {
	p.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, send); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

const head = "POST /v1/commands HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer national\r\nContent-Type: application/json\r\n"

func TestBodiesWithoutEnd(t *testing.T) {
	p := open(t, func(c *Config) { c.BodyTime = 50 * time.Millisecond })
	for name, test := range map[string]struct{ send, want string }{
		"shorter than it says": {head + "Content-Length: 500\r\n\r\n{\"id\":", "408"},
		"a chunk without end":  {head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n", "408"},
		"longer than allowed":  {head + "Content-Length: 99999999\r\n\r\n" + strings.Repeat(" ", maxBody+1), "413"},
		"chunks without end":   {head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat(" ", 0x1000)+"\r\n", 17), "413"},
	} {
		if got := p.raw(test.send); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if p.carrier.count() != 0 {
		t.Error("something was carried out")
	}
}

// FuzzCommand: whatever comes, the decoder says either a command or a field; and what it
// takes, it takes again with the same content after being written out.
func FuzzCommand(f *testing.F) {
	for _, body := range []string{declare, extend, end, fix, bearing, cue, `{"a":"\ud83d\ude00"}`, `{"id":null}`, strings.Repeat("[", 100), `{"id":"c","observe":{"fix":{"lat":-0.0,"lon":1e-400}}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxBody {
			return
		}
		c, no := decode(b)
		if no != nil {
			if no.field == "" || no.what == "" || len(no.field) > 600 {
				t.Fatalf("refused without a field or a word: %+v", no)
			}
			return
		}
		if takes[c.Action].must == nil || c.ID == "" || len(c.ID) > maxID || len(c.Reason) > maxReason {
			t.Fatalf("taken: %+v", c)
		}
		content := c.content("x")
		if content == "" {
			t.Fatalf("without content: %+v", c)
		}
		again, no := decode(marshal(t, c))
		if no != nil || again.content("x") != content {
			t.Fatalf("not the same again: %s: %+v", marshal(t, c), no)
		}
		if c.Observe != nil {
			if said, no := c.Observe.said(noon, "x"); no == nil && said.Fix == nil && said.Bearing == nil && said.Cue == nil {
				t.Fatalf("said nothing: %+v", c)
			}
		}
	})
}

func marshal(t testing.TB, c Command) []byte {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
