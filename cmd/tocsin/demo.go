package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tocsin/core/alert"
	"tocsin/node"
	"tocsin/scenarios"
	"tocsin/sim"
)

type demoCmd struct {
	Country  string `help:"Whose zones and raid: ua or il." enum:"ua,il" default:"ua"`
	Scenario string `help:"Another world in text." placeholder:"FILE"`
	Listen   string `help:"Where the page is." default:"localhost:8080"`
	Desk     string `help:"Where the desk is." default:"127.0.0.1:8081"`
	Once     bool   `help:"End with the scenario; otherwise it begins again."`
	Data     string `help:"Keep the data folder here, for tocsin explain and tocsin replay; made if it is not there." placeholder:"DIR"`
	Debug    bool   `help:"Log tracks too."`
}

// Help is the example that --help prints.
func (demoCmd) Help() string {
	return "A whole system in one process, in the exercise universe, on a temporary data folder: simulated radars send real ASTERIX over loopback.\nExample:\n  tocsin demo --country il"
}

// Run runs the system and its simulated world until it is told to stop.
func (d demoCmd) Run(c *console) error {
	for flag, address := range map[string]string{"--listen": d.Listen, "--desk": d.Desk} {
		if err := node.CheckListen(address); err != nil {
			return usageError("demo: %s: %v", flag, err)
		}
	}
	world, err := d.world(c)
	if err != nil {
		return err
	}
	dir, remove, err := d.folder()
	if err != nil {
		return err
	}
	defer c.atEnd(remove)()
	cfg, err := d.config(world, dir)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if d.Debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level}))
	c.patience.Store(int64(orderly))
	n, err := node.Open(c.ctx, cfg, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "tocsin: EXERCISE. The page is on http://%s, the desk on http://%s. End with Ctrl-C.\n", shown(d.Listen, n.PublicAddress()), n.DeskAddress())
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	var simulated error
	var group sync.WaitGroup
	group.Go(func() {
		defer stop()
		simulated = d.simulate(ctx, c, world, cfg.Sources)
	})
	err = n.Run(ctx)
	stop()
	group.Wait()
	return errors.Join(err, simulated)
}

// folder is the data folder, and what takes it away where it is not to be kept.
func (d demoCmd) folder() (string, func(), error) {
	if d.Data == "" {
		return temporary()
	}
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return "", nil, fileError("demo", d.Data, err)
	}
	return d.Data, func() {}, nil
}

// shown is the address as it was asked for, or, where the port was left to the system, as
// it was bound.
func shown(asked, bound string) string {
	if _, port, err := net.SplitHostPort(asked); err == nil && port != "0" {
		return asked
	}
	return bound
}

func (d demoCmd) world(c *console) (*sim.World, error) {
	if d.Scenario == "" {
		file, err := scenarios.Files.ReadFile("demo/" + d.Country + ".txt")
		if err != nil {
			return nil, err
		}
		text, _ := sim.Split(file)
		return sim.Read(text)
	}
	file, err := readFile(c, d.Scenario, 4*sim.MaxBytes)
	if err != nil {
		return nil, fileError("demo", d.Scenario, err)
	}
	text, _ := sim.Split(file)
	w, err := sim.Read(text)
	if err != nil {
		return nil, fmt.Errorf("demo: %s: %w", shownName(d.Scenario), err)
	}
	return w, nil
}

// config is a system of the exercise universe with one loopback feed a radar.
func (d demoCmd) config(w *sim.World, dir string) (node.Config, error) {
	cfg := node.Defaults()
	cfg.Universe, cfg.Data, cfg.Revision = alert.Exercise, dir, programRevision()
	cfg.Public.Listen, cfg.Desk.Listen = d.Listen, d.Desk
	cfg.Sender, cfg.Name = "exercise@tocsin.example", "Tocsin"
	cfg.Zones, cfg.Basemap = []string{w.Zones}, w.Zones
	cfg.Languages, cfg.Timezone = []string{"uk", "en", "ru"}, "Europe/Kyiv"
	if w.Zones == "il" {
		cfg.Languages, cfg.Timezone = []string{"he", "en", "ar", "ru"}, "Asia/Jerusalem"
	}
	if w.Policy != "" {
		cfg.Policy = filepath.Join(dir, "policy.yaml")
		if err := os.WriteFile(cfg.Policy, []byte(w.Policy), 0o600); err != nil {
			return cfg, fmt.Errorf("demo: %w", err)
		}
	}
	if len(w.Nets)+len(w.Citizens) > 0 {
		return cfg, errors.New("demo: scenario: listeners and citizens are for tocsin sim; the demo sends what radars say over the wire")
	}
	for i, o := range w.Sources() {
		port, err := freePort()
		if err != nil {
			return cfg, err
		}
		r := w.Radars[i]
		cfg.Sources = append(cfg.Sources, node.Source{
			ID: o.ID, Kind: "asterix", Listen: fmt.Sprintf("udp://127.0.0.1:%d", port), SAC: r.SAC, SIC: r.SIC,
			Site:     &node.Site{Lat: r.Site[0], Lon: r.Site[1], Height: r.Site[2]},
			Errors:   node.Errors{Range: r.Noise.Range, Azimuth: r.Noise.Azimuth, Height: r.Noise.Height, Time: 0.02},
			Coverage: node.Coverage{Range: r.Range, Floor: r.Floor}, Period: node.Duration(r.Period),
			Trust: o.Trust, Detection: r.Detection, Clutter: r.Clutter,
			Simulated: true,
		})
	}
	return cfg, nil
}

// freePort asks the system for a UDP port of loopback that nobody has.
func freePort() (int, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("demo: %w", err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// simulate sends what the world's radars see, when they see it, again and again.
func (d demoCmd) simulate(ctx context.Context, c *console, w *sim.World, feeds []node.Source) error {
	var out []net.Conn
	for _, f := range feeds {
		conn, err := net.Dial("udp4", f.Listen[len("udp://"):])
		if err != nil {
			return fmt.Errorf("demo: %s: %w", f.ID, err)
		}
		defer conn.Close()
		out = append(out, conn)
	}
	looks := w.Looks(w.Flights())
	for {
		start := time.Now()
		wire, err := sim.NewWire(w, start)
		if err != nil {
			return err
		}
		for _, l := range looks {
			if !until(ctx, start.Add(l.SentAt)) {
				return nil
			}
			datagrams, err := wire.Datagrams(l)
			if err != nil {
				return err
			}
			for _, b := range datagrams {
				// A datagram that nobody listens to is lost, as on any network; the feed tells.
				_, _ = out[l.Radar].Write(b)
			}
		}
		if d.Once {
			until(ctx, start.Add(w.Lasts))
			return nil
		}
		fmt.Fprintln(c.err, "tocsin: the scenario begins again")
	}
}

// until waits for a time; false where the context ended first.
func until(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
