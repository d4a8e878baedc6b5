package node

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/warning"
)

// TestThePolicyFileIsWatched: a changed file is taken up while the system runs, a refused one
// is named with its line while the one before stays, also over a restart.
func TestThePolicyFileIsWatched(t *testing.T) {
	cfg := Defaults()
	cfg.Universe, cfg.Data = alert.Exercise, t.TempDir()
	cfg.Public.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Policy = filepath.Join(t.TempDir(), "policy.yaml")
	shipped := warning.ShippedPolicy()
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(cfg.Policy, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bad := bytes.Replace(shipped, []byte("longest:"), []byte("longst:"), 1)
	write(bad)
	if _, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), `"longst" is no key here`) {
		t.Fatalf("a first start on a refused policy: %v", err)
	}
	write(shipped)
	n, stop := running(t, cfg)
	write(bytes.Replace(shipped, []byte("version: shipped 3"), []byte("version: ours 1"), 1))
	until(t, "the changed policy", func() bool { return policyInForce(t, n) == "ours 1" })
	write(bad)
	until(t, "the refusal", func() bool { return strings.Contains(raised(n, "policy-refused"), `"longst" is no key here`) })
	if got := policyInForce(t, n); got != "ours 1" {
		t.Errorf("after the refusal %q is in force", got)
	}
	stop()
	n, stop = running(t, cfg)
	defer stop()
	if got := policyInForce(t, n); got != "ours 1" {
		t.Errorf("after the restart %q is in force", got)
	}
	until(t, "the refusal after the restart", func() bool { return raised(n, "policy-refused") != "" })
	write(shipped)
	until(t, "the refusal to be over", func() bool { return raised(n, "policy-refused") == "" && policyInForce(t, n) == "shipped 3" })
}

func running(t *testing.T, cfg Config) (*Node, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	n, err := Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	return n, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("%s did not come", what)
		}
	}
}

// raised is the detail of a condition that is raised now.
func raised(n *Node, name string) string {
	for _, c := range n.loop.health.Raised() {
		if c.Name == name {
			return c.Detail
		}
	}
	return ""
}

// policyInForce is the version of the policy that /metrics names.
func policyInForce(t *testing.T, n *Node) string {
	t.Helper()
	families, err := n.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "tocsin_policy_info" && len(f.GetMetric()) == 1 {
			for _, l := range f.GetMetric()[0].GetLabel() {
				if l.GetName() == "version" {
					return l.GetValue()
				}
			}
		}
	}
	return ""
}
