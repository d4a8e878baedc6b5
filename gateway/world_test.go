package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func keyOf(name string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(sum[:])
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// squares are a country of regions north and south, with so many zones in each.
func squares(t testing.TB, each int, names func(zone.ID) map[string]string) *zone.Set {
	t.Helper()
	if names == nil {
		names = func(id zone.ID) map[string]string {
			return map[string]string{"en": "Zone " + string(id), "uk": "Зона " + string(id)}
		}
	}
	square := func(id, parent zone.ID, level int, lat, lon, high, wide float64) zone.Zone {
		a, b, c, d := geo.Degrees(lat), geo.Degrees(lat+high), geo.Degrees(lon), geo.Degrees(lon+wide)
		return zone.Zone{
			ID: id, Level: level, Parent: parent, Names: names(id), Label: geo.Point{Lat: (a + b) / 2, Lon: (c + d) / 2},
			Shape: geo.MultiPolygon{{Outer: geo.Ring{{Lat: a, Lon: c}, {Lat: a, Lon: d}, {Lat: b, Lon: d}, {Lat: b, Lon: c}, {Lat: a, Lon: c}}}},
		}
	}
	var all []zone.Zone
	width := 0.01 * float64(each)
	for i, region := range []zone.ID{"north", "south"} {
		lat := 50 - 0.1*float64(i)
		all = append(all, square(region, "", 1, lat, 30, 0.1, width))
		for k := range each {
			z := square(zone.ID(fmt.Sprintf("%c%04d", region[0], k)), region, 2, lat, 30+0.01*float64(k), 0.1, 0.01)
			if k == 0 {
				z.Shelter, z.ShelterKnown = 0, true
			}
			all = append(all, z)
		}
	}
	set, err := zone.NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// library is a feed with fixed documents.
type library map[string][]byte

func (l library) Atom() []byte                      { return []byte("<feed xmlns='http://www.w3.org/2005/Atom'/>") }
func (l library) Document(id string) ([]byte, bool) { b, ok := l[id]; return b, ok }

// world is a gateway with a publisher behind it that speaks as the node's loop does.
type world struct {
	t     testing.TB
	set   *zone.Set
	keys  board.KeyList
	pub   *board.Publisher
	g     *Gateway
	now   time.Time
	count int
	lag   int // snapshots come with every lag-th publication only
	said  int
}

func newWorld(t testing.TB, set *zone.Set, change func(*Config)) *world {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	k := keyOf("board")
	key := board.SigningKey{Private: k, Key: board.Key{
		Kid: board.Kid(public(k)), X: public(k), From: now.Add(-time.Hour), Until: now.Add(100 * time.Hour), Jurisdiction: board.Everything(),
	}}
	signer, err := board.NewSigner([]board.SigningKey{key}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, set: set, now: now}
	w.keys = board.KeyList{Universe: alert.Exercise, Serial: 1, At: now, Keys: []board.Key{key.Key}, Revoked: []string{}}
	if w.pub, err = board.NewPublisher(board.Config{Universe: alert.Exercise, Zones: set, Signer: signer, Picture: board.PictureLive}, board.Reservation{}); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Page:  Page{Universe: "exercise", Root: "root", Languages: []string{"uk", "en"}, Basemap: "ua", Name: `<b>"Tocsin"</b>`},
		Zones: set, Feed: library{"w1.1": []byte("<alert/>")}, Registry: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&cfg)
	}
	if w.g, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) list() []byte {
	line, err := w.keys.Sign(keyOf("root"))
	if err != nil {
		w.t.Fatal(err)
	}
	return line
}

func (w *world) client(regions ...string) *board.Client {
	c := board.NewClient(public(keyOf("root")), alert.Exercise, regions...)
	if v := c.Keys(w.list(), w.now); v != board.Taken {
		w.t.Fatal(v)
	}
	return c
}

// publish hands frames to the gateway with the snapshots of all chains.
func (w *world) publish(frames []board.Frame, err error) {
	if err != nil {
		w.t.Error(err)
	}
	w.g.Publish(Update{Frames: frames})
	if w.said++; w.lag > 0 && w.said > 1 && w.said%w.lag != 0 {
		return
	}
	u := Update{Active: w.pub.Active(w.now)}
	for _, region := range w.pub.Regions() {
		b, beat, err := w.pub.Snapshot(region)
		if err != nil {
			w.t.Error(err)
		}
		u.Snapshots = append(u.Snapshots, Snapshot{Region: region, Board: b, Beat: beat})
	}
	w.g.Publish(u)
}

// tick is a beat of all chains.
func (w *world) tick() {
	w.now = w.now.Add(board.BeatEvery)
	w.publish(w.pub.Tick(w.now))
}

// warn says something new of a zone.
func (w *world) warn(ids ...zone.ID) {
	w.count++
	w.now = w.now.Add(time.Millisecond)
	id := warning.ID("w-" + ids[0])
	w.publish(w.pub.Apply(w.now, id, []alert.Item{{
		Stage: warning.Shelter, Threat: class.Drone, Sure: warning.High, Since: w.now, Until: w.now.Add(time.Hour),
		Alert: alert.ID(fmt.Sprintf("%s.%d", id, w.count)), Zones: ids, Text: "shelter-drone",
	}}))
}

// get asks without a network.
func (w *world) get(method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.g.ServeHTTP(rec, r)
	return rec
}

// narrow is a listener whose connections hold little in the system's buffers, so that a
// reader who takes nothing is felt soon.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
	}
	return c, err
}

// serve puts the gateway on loopback; state, if it is not nil, is told of its connections.
func (w *world) serve(state func(net.Conn, http.ConnState)) *httptest.Server {
	s := httptest.NewUnstartedServer(w.g)
	s.Listener = narrow{s.Listener}
	s.Config.ConnState = state
	s.Start()
	w.t.Cleanup(func() { w.g.Close(); s.Close() })
	return s
}

// stream is one reader, by line of the frame.
type stream struct {
	ids    []string
	frames chan [2]string // id and data
	body   io.Closer
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// follow opens a stream and reads it until it ends.
func follow(t testing.TB, url string) *stream {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	s := &stream{frames: make(chan [2]string, 1<<14), body: resp.Body, stop: stop}
	s.done.Go(func() {
		defer close(s.frames)
		defer transport.CloseIdleConnections()
		lines := bufio.NewReaderSize(resp.Body, board.MaxFrame+100)
		id := ""
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimSuffix(line, "\n")
			if v, ok := strings.CutPrefix(line, "id: "); ok {
				id = v
			}
			if v, ok := strings.CutPrefix(line, "data: "); ok {
				s.frames <- [2]string{id, v}
			}
		}
	})
	t.Cleanup(func() { s.stop(); s.body.Close(); s.done.Wait() })
	return s
}

// next waits for the next frame.
func (s *stream) next(t testing.TB) (id string, line []byte) {
	t.Helper()
	select {
	case f, ok := <-s.frames:
		if !ok {
			t.Fatal("the stream ended")
		}
		return f[0], []byte(f[1])
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
	}
	return "", nil
}

func decode(t testing.TB, line []byte) board.Payload {
	t.Helper()
	parts := bytes.Split(line, []byte("."))
	if len(parts) != 3 {
		t.Fatalf("not a compact JWS: %.60s", line)
	}
	b, err := decode64(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	p, err := board.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
