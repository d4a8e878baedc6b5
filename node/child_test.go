package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/sim"
)

// childEnv holds the configuration of a process that is there to be killed.
const childEnv = "TOCSIN_TEST_CHILD"

// TestChild is no test: it is the system that the kill tests run in another process.
func TestChild(t *testing.T) {
	text := os.Getenv(childEnv)
	if text == "" {
		t.Skip("only as the child of another test")
	}
	boundFiles(t, os.Getenv(filesEnv))
	var cfg Config
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		t.Fatal(err)
	}
	n, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// child is one life of the system.
type child struct {
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan error
}

func startChild(t testing.TB, cfg Config) *child {
	t.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.timeout=10m"), log: &bytes.Buffer{}, done: make(chan error, 1)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	c.cmd.Stderr, c.cmd.Stdout = c.log, c.log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.done <- c.cmd.Wait() }()
	return c
}

// kill ends it as a power switch on the process would, and waits until it is gone.
func (c *child) kill(t testing.TB) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatalf("it was gone before it was killed: %v\n%s", err, c.log)
	}
	<-c.done
}

// freePort is a loopback port that nobody has, so that every life has the same one.
func freePort(t testing.TB, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// raid is a world over the field of zones: drones and a missile that wander over it for ever,
// seen by a radar that turns twice a second.
const raid = `
about: drones and a missile wander over a field of small zones
seed: 5
start: 2026-11-22T12:00:00Z
lasts: 30m
zones: ua
radars:
  - {id: radar, site: [50.1, 33.8, 100], sac: 25, sic: 12, period: 500ms, range: 100000, floor: 0, noise: {range: 30, azimuth: 0.05, height: 50}, detection: 0.95, clutter: 1}
objects:
  - {id: drone, class: drone, speed: 55, copies: 3, spacing: 4000, interval: 5s,
     route: [[50.02, 33.92, 800], [50.15, 34.48, 800], [50.08, 34.02, 800], [50.13, 34.35, 800], [50.07, 34.02, 800], [50.02, 34.3, 800]]}
  - {id: missile, class: cruise-missile, at: 8s, speed: 230,
     route: [[50.18, 33.9, 400], [50.02, 34.5, 400], [50.18, 33.95, 400], [50.02, 34.5, 400], [50.18, 33.95, 400], [50.02, 34.5, 400], [50.18, 33.95, 400], [50.02, 34.5, 400], [50.18, 33.95, 400]]}
`

// raidWorld is that world, read.
func raidWorld(t testing.TB) *sim.World {
	t.Helper()
	text, _ := sim.Split([]byte(raid))
	w, err := sim.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// field is a file of small zones, so that something changes with every turn of the radar:
// thirty by ten of 0.02 degrees in the regions north and south, and one far away.
func field(t testing.TB) string {
	t.Helper()
	var features []string
	add := func(id, parent string, level int, south, west, high, wide float64) {
		north, east := south+high, west+wide
		features = append(features, fmt.Sprintf(`{"type":"Feature","properties":{"id":%q,"level":%d,"parent":%q,"name:en":%q},"geometry":{"type":"Polygon","coordinates":[[[%.2f,%.2f],[%.2f,%.2f],[%.2f,%.2f],[%.2f,%.2f],[%.2f,%.2f]]]}}`,
			id, level, parent, "Zone "+id, west, south, east, south, east, north, west, north, west, south))
	}
	add("far", "", 1, 45, 30, 0.1, 0.1)
	add(declaredZone, "far", 2, 45, 30, 0.1, 0.1)
	for half, region := range []string{"south", "north"} {
		south := 50 + 0.1*float64(half)
		add(region, "", 1, south, 34, 0.1, 0.6)
		for y := range 5 {
			for x := range 30 {
				add(fmt.Sprintf("%c%d%02d", region[0], y, x), region, 2, south+0.02*float64(y), 34+0.02*float64(x), 0.02, 0.02)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "field.geojson")
	if err := os.WriteFile(file, []byte(`{"type":"FeatureCollection","features":[`+strings.Join(features, ",\n")+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// fly sends what the world's radar sees, when it sees it, until the context ends.
func fly(ctx context.Context, t *testing.T, w *sim.World, to string) {
	conn, err := net.Dial("udp4", to)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	wire, err := sim.NewWire(w, time.Now())
	if err != nil {
		t.Error(err)
		return
	}
	began := time.Now()
	for _, l := range w.Looks(w.Flights()) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(began.Add(l.SentAt))):
		}
		datagrams, err := wire.Datagrams(l)
		if err != nil {
			t.Error(err)
			return
		}
		for _, b := range datagrams {
			_, _ = conn.Write(b) // while nobody listens it is lost, as on any network
		}
	}
}

// raided is a configuration on a data folder of its own, with that radar.
func raided(t *testing.T, o office) Config {
	cfg := o.cfg
	cfg.Public.Listen, cfg.Desk.Listen = freePort(t, "tcp"), freePort(t, "tcp")
	cfg.Sources = []Source{{
		ID: "radar", Kind: "asterix", Listen: "udp://" + freePort(t, "udp"), SAC: 25, SIC: 12,
		Site: &Site{Lat: 50.1, Lon: 33.8, Height: 100}, Errors: Errors{Range: 30, Azimuth: 0.05, Time: 0.02},
		Coverage: Coverage{Range: 100_000}, Period: Duration(500 * time.Millisecond), Clutter: 1, Detection: 0.95, Simulated: true,
	}}
	return cfg
}

// await waits until something holds, as long as the child lives.
func await(t *testing.T, life *child, what string, holds func() bool) {
	t.Helper()
	limit := time.After(40 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case err := <-life.done:
			t.Fatalf("%s: it ended by itself: %v\n%s", what, err, life.log)
		case <-limit:
			life.kill(t)
			t.Fatalf("not in 40 s: %s\n%s", what, life.log)
		}
	}
}
