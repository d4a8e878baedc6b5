package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"tocsin/node"
	"tocsin/node/keyring"
)

// orderly is how long a running system may take to end: readers are let go, what is decided
// is kept. After that it is ended, which it must survive at any instant anyway.
const orderly = 5 * time.Second

type serveCmd struct {
	Config string `help:"The configuration, tocsin.yaml. Without one: data in ./tocsin-data, public on :8080, desk on 127.0.0.1:8081." placeholder:"FILE"`
	Debug  bool   `help:"Log tracks too. They are secret: never to a log that leaves the house."`
}

// Help is the example that --help prints.
func (serveCmd) Help() string {
	return "The real thing. The live universe is refused until `tocsin init` made keys.\nExample:\n  tocsin init --data ./tocsin-data && tocsin serve --config tocsin.yaml"
}

// Run serves until it is told to stop.
func (s serveCmd) Run(c *console) error {
	cfg := node.Defaults()
	if s.Config != "" {
		var err error
		if cfg, err = node.ReadConfig(s.Config); err != nil {
			return err
		}
	}
	cfg.Revision = programRevision()
	level := slog.LevelInfo
	if s.Debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level}))
	c.patience.Store(int64(orderly))
	n, err := node.Open(c.ctx, cfg, log)
	switch {
	case errors.Is(err, keyring.ErrNoKeys):
		return fmt.Errorf("serve: there are no keys in %s.\nWithout keys nothing can be signed, and nobody would believe it. Make them once with `tocsin init --data %s`, keep root.key off this machine, start again", cfg.Data, cfg.Data)
	case err != nil:
		return err
	}
	fmt.Fprintf(c.err, "tocsin: %s universe, public on http://%s, desk on http://%s, root key %s\n", cfg.Universe, n.PublicAddress(), n.DeskAddress(), n.Root())
	return n.Run(c.ctx)
}

// temporary makes a data folder that is gone when the returned function is called.
func temporary() (string, func(), error) {
	dir, err := os.MkdirTemp("", "tocsin-demo-*")
	if err != nil {
		return "", nil, err
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}
