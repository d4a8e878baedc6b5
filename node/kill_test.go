package node

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/journal"
	"tocsin/node/keyring"
	"tocsin/wire/cap12"
)

var kills = flag.Int("kills", 20, "how often TestKilledAtAnyInstant kills the system")

// citizen follows the stream over all the lives of the system, and holds what it says
// against what it said before.
type citizen struct {
	t      *testing.T
	cfg    Config
	client *board.Client

	mu      sync.Mutex
	said    map[string][32]byte // by chain and number: the change
	newest  map[string]time.Time
	alerts  map[alert.ID]bool
	warned  map[string]warning.ID // by chain and zone
	frames  int
	changes int
	boards  int
	faults  []string
}

func newCitizen(t *testing.T, cfg Config, root string) *citizen {
	key, err := base64.RawURLEncoding.DecodeString(root)
	if err != nil {
		t.Fatal(err)
	}
	return &citizen{
		t: t, cfg: cfg, client: board.NewClient(ed25519.PublicKey(key), cfg.Universe, "*", "north", "south", "far"),
		said: map[string][32]byte{}, newest: map[string]time.Time{}, alerts: map[alert.ID]bool{}, warned: map[string]warning.ID{},
	}
}

func (c *citizen) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// follow reads until the context ends, and comes back whenever the stream does.
func (c *citizen) follow(ctx context.Context) {
	transport := &http.Transport{DisableKeepAlives: true}
	for ctx.Err() == nil {
		c.read(ctx, transport)
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (c *citizen) get(ctx context.Context, transport http.RoundTripper, path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.cfg.Public.Listen+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := transport.RoundTrip(r)
	if err == nil && resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		err = errors.New(resp.Status)
	}
	return resp, err
}

func (c *citizen) read(ctx context.Context, transport http.RoundTripper) {
	keys, err := c.get(ctx, transport, "/v1/keys")
	if err != nil {
		return
	}
	list, err := io.ReadAll(keys.Body)
	keys.Body.Close()
	if err != nil {
		return
	}
	resp, err := c.get(ctx, transport, "/v1/stream?region=*&region=north&region=south&region=far")
	if err != nil {
		return
	}
	defer resp.Body.Close()
	c.mu.Lock()
	if v := c.client.Keys(bytes.TrimSpace(list), time.Now()); v != board.Taken {
		c.fault("keys: %s", v)
	}
	c.mu.Unlock()
	lines := bufio.NewReaderSize(resp.Body, board.MaxFrame+100)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return // a torn line is not acted on
		}
		if frame, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			c.take(bytes.TrimSuffix(frame, []byte("\n")))
		}
	}
}

func (c *citizen) take(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	p, v := c.client.Verify(line, now)
	if v != board.Taken {
		c.fault("a frame is %s", v)
		return
	}
	c.frames++
	if last := c.newest[p.Region]; p.At.Before(last) {
		c.fault("%s: at went back from %s to %s", p.Region, last, p.At)
	}
	c.newest[p.Region] = p.At
	if v := c.client.Take(line, now); v != board.Taken {
		c.fault("%s %s %d is %s", p.Region, p.Kind, p.Seq, v)
	}
	if p.Kind == board.Change {
		c.changes++
		key := fmt.Sprintf("%s/%d", p.Region, p.Seq)
		sum := sha256.Sum256(line)
		if old, twice := c.said[key]; twice && old != sum {
			c.fault("%s was said twice with other content", key)
		}
		c.said[key] = sum
	}
	if p.Kind == board.Board {
		c.boards++
	}
	for _, it := range p.Items {
		c.alerts[it.Alert] = true
	}
	c.continues(now)
}

// continues holds the state against what was in force before: here nothing ever ends, so
// that every zone once warned stays warned, by the warning that took it.
func (c *citizen) continues(now time.Time) {
	held := map[string]board.Zone{}
	for _, z := range c.client.State(now) {
		held[z.Region+"/"+string(z.Zone)] = z
	}
	for key, by := range c.warned {
		z, there := held[key]
		switch {
		case !there || z.Show != board.Warned:
			c.fault("%s was warned by %s and is now %q %s", key, by, z.Show, z.Item.End)
			delete(c.warned, key)
		case warningOf(z.Item.Alert) != by && z.Zone != declaredZone:
			c.fault("%s was warned by %s and is now by %s", key, by, z.Item.Alert)
			c.warned[key] = warningOf(z.Item.Alert)
		}
	}
	for key, z := range held {
		if z.Show == board.Warned {
			c.warned[key] = warningOf(z.Item.Alert)
		}
	}
}

func warningOf(a alert.ID) warning.ID {
	id, _, _ := strings.Cut(string(a), ".")
	return warning.ID(id)
}

func (c *citizen) seen() (frames, changes, boards, zones int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames, c.changes, c.boards, len(c.warned)
}

// TestKilledAtAnyInstant is issue 2 item 6: whatever the instant of a kill -9, nothing that was
// said is lost, said again in other words, or ended by the restart.
func TestKilledAtAnyInstant(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills a process many times")
	}
	leavesNothing(t)
	o := newOffice(t)
	o.cfg.Zones = []string{field(t)}
	cfg := raided(t, o)
	world := raidWorld(t)
	first := o.open(t) // makes keys and folder
	root := first.Root()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	c := newCitizen(t, cfg, root)
	group.Go(func() { fly(ctx, t, world, strings.TrimPrefix(cfg.Sources[0].Listen, "udp://")) })
	group.Go(func() { c.follow(ctx) })
	authority := &authority{office: o, desk: cfg.Desk.Listen, answers: map[string]string{}}
	archive := map[string][]byte{}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for i := range *kills {
		life := startChild(t, cfg)
		_, _, before, _ := c.seen()
		want := 0
		if i == 0 {
			want = 1 // the first life goes on until the raid is warned of
		}
		if i%4 == 3 { // also while it starts
			<-time.After(time.Duration(random.IntN(300)) * time.Millisecond)
			life.kill(t)
			continue
		}
		await(t, life, fmt.Sprintf("life %d speaks", i+1), func() bool {
			_, _, boards, warned := c.seen()
			return boards >= before+4 && warned >= want
		})
		authority.give(t, i)
		collect(t, cfg, archive)
		<-time.After(time.Duration(random.IntN(2000)) * time.Millisecond)
		life.kill(t)
	}
	stop()
	group.Wait()
	c.judge(t)
	if c.changes < *kills/2 || len(c.warned) < 50 || len(c.alerts) < 5 {
		t.Error("too little happened: it proves nothing")
	}
	whatWasKept(t, o, c, authority, archive)
}

// judge tells what the citizen found wrong.
func (c *citizen) judge(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range c.faults {
		if i == 20 {
			t.Errorf("and %d more", len(c.faults)-i)
			break
		}
		t.Error(f)
	}
	if c.client.Clock() {
		t.Errorf("frames are signed far from the clock: the newest at %s", c.newest["*"])
	}
	t.Logf("%d frames, %d changes, %d boards, %d zones warned, %d alerts", c.frames, c.changes, c.boards, len(c.warned), len(c.alerts))
}

// declaredZone is far from the raid; each declaration about it is a warning of its own.
const declaredZone = "apart"

// authority declares, and gives every command of an earlier life again.
type authority struct {
	office  office
	desk    string
	answers map[string]string
	bodies  []string
}

func (a *authority) give(t *testing.T, i int) {
	t.Helper()
	if len(a.bodies) > 0 {
		body := a.bodies[i%len(a.bodies)]
		status, answer := a.send(t, body)
		if status != http.StatusCreated || answer != a.answers[body] {
			t.Errorf("a command given again: %d %s; the first answer was %s", status, answer, a.answers[body])
		}
	}
	if i%3 != 0 { // not so many that they end one another's zones
		return
	}
	body := declareZones(fmt.Sprint("c", i), fmt.Sprintf("%q", declaredZone), "prepare", time.Now().Add(time.Hour))
	if status, answer := a.send(t, body); status == http.StatusCreated {
		a.answers[body] = answer
		a.bodies = append(a.bodies, body)
	} else {
		t.Errorf("a declaration: %d %s", status, answer)
	}
}

func (a *authority) send(t *testing.T, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+a.desk+"/v1/commands", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.office.secrets["national"])
	req.Header.Set("Content-Type", "application/json")
	return send(t, req)
}

// collect takes the CAP documents there are: one that was there before must be the same.
func collect(t *testing.T, cfg Config, archive map[string][]byte) {
	t.Helper()
	atom := get(t, "http://"+cfg.Public.Listen+"/v1/cap.atom", "")
	for _, part := range strings.Split(atom, `href="/v1/cap/`)[1:] {
		id, _, _ := strings.Cut(part, `.xml"`)
		doc := get(t, "http://"+cfg.Public.Listen+"/v1/cap/"+id+".xml", "")
		if old := archive[id]; old != nil && string(old) != doc {
			t.Errorf("alert %s is now another document", id)
		}
		archive[id] = []byte(doc)
	}
}

// whatWasKept reads the folder as the next start would: the chain is whole, and all that was
// said or answered is in it, once.
func whatWasKept(t *testing.T, o office, c *citizen, a *authority, archive map[string][]byte) {
	t.Helper()
	j, err := journal.Open(t.Context(), o.cfg.Data, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if d := j.Damage(); d != nil {
		t.Error(d)
	}
	alerts := map[alert.ID][]byte{}
	answers := map[string]int{}
	keep := func(kind string, body []byte) {
		switch kind {
		case pipeline.KindAlert:
			var one alert.Alert
			if err := json.Unmarshal(body, &one); err != nil {
				t.Error(err)
			}
			if old, twice := alerts[one.ID]; twice && !bytes.Equal(old, body) {
				t.Errorf("alert %s was issued twice", one.ID)
			}
			alerts[one.ID] = body
		case pipeline.KindAnswer:
			var one pipeline.Answer
			if err := json.Unmarshal(body, &one); err != nil {
				t.Error(err)
			}
			answers[one.Command]++
		}
	}
	if err := j.Read(t.Context(), 1, func(e journal.Entry) error { keep(e.Kind, e.Body); return nil }); err != nil {
		t.Errorf("the chain is not whole: %v", err)
	}
	spoken, err := journal.OpenSpoken(o.cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer spoken.Close()
	if err := spoken.Read(func(n journal.New) error { keep(n.Kind, n.Body); return nil }); err != nil {
		t.Error(err)
	}
	for id := range c.alerts {
		if alerts[id] == nil {
			t.Errorf("alert %s was said and is not kept", id)
		}
	}
	for id := range archive {
		if alerts[alert.ID(id)] == nil {
			t.Errorf("document %s was given out and is not kept", id)
		}
	}
	for _, body := range alerts {
		var one alert.Alert
		if err := json.Unmarshal(body, &one); err != nil {
			t.Fatal(err)
		}
		for _, r := range one.References {
			if alerts[r.ID] == nil || warningOf(r.ID) != one.Warning {
				t.Errorf("alert %s refers to %s, which nobody has", one.ID, r.ID)
			}
		}
		if _, revision, _ := strings.Cut(string(one.ID), "."); revision != "1" && len(one.References) == 0 {
			t.Errorf("alert %s begins a chain anew", one.ID)
		}
	}
	for command, n := range answers {
		if n != 1 {
			t.Errorf("command %s was answered %d times", command, n)
		}
	}
	if len(a.bodies) == 0 || len(archive) == 0 {
		t.Error("nothing was commanded or no document was there: it proves nothing")
	}
	verifyDocuments(t, o.cfg.Data, archive)
}

// verifyDocuments checks the signatures, with xmlsec1 as a second judge where it is.
func verifyDocuments(t *testing.T, data string, archive map[string][]byte) {
	t.Helper()
	keys, err := keyring.ReadCAP(data)
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	names := make([]string, 0, len(archive))
	for id, doc := range archive {
		names = append(names, id)
		if _, err := cap12.Verify(doc, keys[0].Cert, time.Now()); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	tool, err := exec.LookPath("xmlsec1")
	if err != nil {
		t.Log("xmlsec1 is not installed: our own reader alone has judged the signatures")
		return
	}
	slices.Sort(names)
	file := filepath.Join(t.TempDir(), "alert.xml")
	for _, id := range names[:min(len(names), 3)] {
		if err := os.WriteFile(file, archive[id], 0o600); err != nil {
			t.Fatal(err)
		}
		cert := filepath.Join(data, "keys", "cap.cert.pem")
		out, err := exec.Command(tool, "--verify", "--trusted-pem", cert, "--enabled-key-data", "x509,rsa", file).CombinedOutput()
		if err != nil {
			t.Errorf("xmlsec1: %s: %v: %s", id, err, out)
		}
	}
}
