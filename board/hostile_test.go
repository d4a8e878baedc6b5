package board

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
)

// target is a client in the middle of its life, with lines that it would take.
type target struct {
	w     *world
	lines [][]byte // frames, then the key list
	keys  []byte
}

func newTarget(t tb) *target {
	w := newWorld(t)
	g := &target{w: w}
	add := func(frames []Frame, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			g.lines = append(g.lines, f.Line)
		}
	}
	add(w.pub.Tick(t0))
	add(w.pub.Apply(t0, "w1", []alert.Item{shelter(class.Drone, t0, "a1", "b1")}))
	add(w.pub.Apply(t0.Add(time.Second), "w1", []alert.Item{ended(warning.AllClear, class.Drone, t0, "a1"), shelter(class.Rocket, t0, "b1", "b2")}))
	add(w.pub.Tick(t0.Add(10 * time.Second)))
	for _, r := range w.pub.Regions() {
		b, beat, err := w.pub.Snapshot(r)
		add([]Frame{b, beat}, err)
	}
	g.keys = w.keys(t)
	g.lines = append(g.lines, g.keys)
	return g
}

// client is a fresh one that would take any of the lines or fetch for it.
func (g *target) client(t tb) *Client { return g.w.client(t, g.w.pub.Regions()...) }

func (g *target) known(line []byte) bool {
	for _, l := range g.lines {
		if bytes.Equal(l, line) {
			return true
		}
	}
	return false
}

const wireAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// mutate changes a line in one of the ways a line can be changed.
func (g *target) mutate(r *rand.Rand) []byte {
	line := bytes.Clone(g.lines[r.IntN(len(g.lines))])
	other := g.lines[r.IntN(len(g.lines))]
	for range 1 + r.IntN(3) {
		if len(line) == 0 {
			return line
		}
		i := r.IntN(len(line))
		switch r.IntN(10) {
		case 0, 1, 2:
			line[i] = wireAlphabet[r.IntN(len(wireAlphabet))]
		case 3:
			line[i] ^= 1 << r.IntN(8)
		case 4:
			line = append(line[:i], line[i+1:]...)
		case 5:
			line = append(line[:i], append([]byte{wireAlphabet[r.IntN(len(wireAlphabet))]}, line[i:]...)...)
		case 6:
			line = line[:i]
		case 7: // a part of another line
			parts, others := bytes.Split(line, []byte(".")), bytes.Split(other, []byte("."))
			parts[r.IntN(len(parts))] = others[r.IntN(len(others))]
			line = bytes.Join(parts, []byte("."))
		case 8: // a stretch of another line at the same place
			n := min(r.IntN(64), len(line)-i, max(0, len(other)-i))
			copy(line[i:i+n], other[min(i, len(other)):])
		case 9: // the payload read, changed and written again
			line = rewrite(line, r)
		}
	}
	return line
}

// rewrite changes a byte of the payload behind its base64.
func rewrite(line []byte, r *rand.Rand) []byte {
	tok, err := split(line)
	if err != nil || len(tok.payload) == 0 {
		return line
	}
	payload := bytes.Clone(tok.payload)
	payload[r.IntN(len(payload))] = byte(' ' + r.IntN(95))
	parts := bytes.Split(line, []byte("."))
	parts[1] = b64.AppendEncode(nil, payload)
	return bytes.Join(parts, []byte("."))
}

// mutations is how many lines the mutation test tries: a few in every run, as many as
// TOCSIN_MUTATIONS says in a long one.
func mutations(t *testing.T) int {
	n := 30_000
	if s := os.Getenv("TOCSIN_MUTATIONS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// No mutation of a signed line is accepted, and none changes anything.
func TestMutationsAreRefused(t *testing.T) {
	g := newTarget(t)
	workers := runtime.GOMAXPROCS(0)
	each := mutations(t)/workers + 1
	var wait sync.WaitGroup
	for w := range workers {
		c := g.client(t)
		wait.Add(1)
		go func() {
			defer wait.Done()
			r := rand.New(rand.NewPCG(1, uint64(w)))
			verdicts := map[Verdict]int{}
			now := t0.Add(11 * time.Second)
			for range each {
				line := g.mutate(r)
				if g.known(line) {
					continue
				}
				v := c.Take(line, now)
				verdicts[v]++
				if v.Accepted() {
					t.Errorf("accepted as %s: %s", v, line)
					return
				}
				if v := c.Keys(line, now); v == Taken {
					t.Errorf("taken as a key list: %s", line)
					return
				}
			}
			if len(c.State(now)) != 0 || !c.Deaf(now) {
				t.Error("something refused has changed something")
			}
			t.Logf("%d lines: %v", each, verdicts)
		}()
	}
	wait.Wait()
}

// Each of the lines is good as it is: else the mutations would prove nothing.
func TestTargetsAreGood(t *testing.T) {
	g := newTarget(t)
	for i, line := range g.lines {
		c := g.client(t)
		if v := c.Take(line, t0); !v.Accepted() && !bytes.Equal(line, g.keys) {
			t.Errorf("line %d: %s", i, v)
		}
	}
	if v := g.client(t).Keys(g.keys, t0); v != Taken {
		t.Errorf("the key list: %s", v)
	}
}

func FuzzClientTake(f *testing.F) {
	g := newTarget(f)
	for _, line := range g.lines {
		f.Add(line)
	}
	for _, s := range []string{"", ".", "..", "a.b.c", strings.Repeat(".", 100)} {
		f.Add([]byte(s))
	}
	list, err := ReadKeys(g.keys)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c := NewClient(public(g.w.root), alert.Exercise, g.w.pub.Regions()...)
		c.Trust(list) // instrumented cryptography is slow: no more of it than there must be
		if v := c.Take(line, t0); v.Accepted() && !g.known(line) {
			t.Fatalf("accepted as %s", v)
		}
		if v := c.Keys(line, t0); v == Taken && !bytes.Equal(line, g.keys) {
			t.Fatal("taken as a key list")
		}
	})
}

func FuzzDecode(f *testing.F) {
	g := newTarget(f)
	for _, line := range g.lines {
		tok, err := split(line)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(tok.payload)
	}
	f.Add([]byte(`{"universe":"live","region":"*","kind":"beat","seq":0,"at":"2026-11-22T12:00:00.000Z","x":[{"y":-1.5e9}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := readJSON(b, (*jsonReader).skip); err == nil && !json.Valid(b) {
			t.Fatalf("taken for JSON: %q", b)
		}
		p, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(p.Encode())
		if err != nil {
			t.Fatalf("%v: %s", err, p.Encode())
		}
		if !bytes.Equal(again.Encode(), p.Encode()) {
			t.Fatalf("%s and %s", again.Encode(), p.Encode())
		}
	})
}

func FuzzKeyList(f *testing.F) {
	g := newTarget(f)
	tok, err := split(g.keys)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tok.payload)
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := decodeKeys(b)
		if err != nil {
			return
		}
		again, err := decodeKeys(l.encode())
		if err != nil {
			t.Fatalf("%v: %s", err, l.encode())
		}
		if !bytes.Equal(again.encode(), l.encode()) {
			t.Fatalf("%s and %s", again.encode(), l.encode())
		}
	})
}

// What the strict reader takes, encoding/json takes with the same meaning; what it
// refuses is refused for a rule of the contract.
func TestStrictJSON(t *testing.T) {
	for _, good := range []string{
		`{}`, `[]`, `0`, `-0`, `1.5e-9`, `""`, `"\u00e9\ud83d\ude80\b\f\n\r\t\/\\\""`, ` [ 1 , {"a":null} ] `, `{"a":{"a":1},"b":{"a":1}}`,
		strings.Repeat("[", 16) + strings.Repeat("]", 16), `{"":1}`, "\t\r\n true",
	} {
		if err := readJSON([]byte(good), (*jsonReader).skip); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		``, ` `, `{`, `[1,]`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `01`, `+1`, `.5`, `1.`, `1e`, `-`, `tru`, `nul`, `True`, `"`, `"\`, `"\u12`, `"\ud800"`, `"\ud800\u0041"`,
		`"\udc00"`, "\"\x01\"", "\"\xff\"", `[1 2]`, `1 2`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "\ufeff1", strings.Repeat("[", 17) + strings.Repeat("]", 17),
		`"\x41"`, `]`, `}`, `,`, `:`, "1\x00", `[[]`, `{"a":}`,
	} {
		if err := readJSON([]byte(bad), (*jsonReader).skip); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A payload costs no more than its length, however it is made.
func TestHostilePayloads(t *testing.T) {
	big := 700_000
	for name, b := range map[string]string{
		"nested":         strings.Repeat("[", big),
		"nested objects": strings.Repeat(`{"a":`, big/5),
		"names":          manyNames(big / 12),
		"escapes":        `{"x":"` + strings.Repeat(`\u0041`, big/6) + `"}`,
		"digits":         `{"seq":` + strings.Repeat("9", big) + `}`,
		"zones":          `{"items":[{"zones":[` + strings.Repeat(`"a",`, big/4) + `"a"]}]}`,
		"items":          `{"items":[` + strings.Repeat(`{},`, big/3) + `{}]}`,
	} {
		started := time.Now()
		if _, err := Decode([]byte(b)); err == nil {
			t.Errorf("%s was taken", name)
		}
		if d := time.Since(started); d > 5*time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

func manyNames(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		b.WriteString(`"` + strconv.Itoa(i) + `":1,`)
	}
	b.WriteString(`"0":1}`)
	return b.String()
}

func BenchmarkSign(b *testing.B) {
	w := newWorld(b)
	p := Payload{
		Universe: alert.Exercise, Region: Whole, Kind: Change, Seq: 8, Prev: 7, At: t0, Next: t0,
		Items: []alert.Item{shelter(class.Drone, t0, "UA05020030010063851", "UA05020030010063852", "UA05020030010063853", "UA05020030010063854")},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.signer.Sign(p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	c := w.client(b)
	f, err := w.signer.Sign(Payload{
		Universe: alert.Exercise, Region: Whole, Kind: Change, Seq: 8, Prev: 7, At: t0, Next: t0,
		Items: []alert.Item{shelter(class.Drone, t0, "UA05020030010063851", "UA05020030010063852", "UA05020030010063853", "UA05020030010063854")},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, v := c.Verify(f.Line, t0); v != Taken {
			b.Fatal(v)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

// BenchmarkApply is one zone of a raid over 1,469 that changes, to frames of two chains.
func BenchmarkApply(b *testing.B) {
	w := newWorld(b)
	var items []alert.Item
	for i := range 1469 {
		it := shelter(class.Drone, t0)
		it.Zones = append(it.Zones, zoneID(i))
		it.Arrival.Earliest = it.Arrival.Earliest.Add(time.Duration(i/10) * time.Second)
		items = append(items, it)
	}
	if _, err := w.pub.Apply(t0, "w1", items); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		items[n%len(items)].Until = items[n%len(items)].Until.Add(time.Second)
		if frames, err := w.pub.Apply(t0, "w1", items); err != nil || len(frames) != 2 {
			b.Fatal(err, len(frames))
		}
	}
}
