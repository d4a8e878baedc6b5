package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Help is the example that --help prints.
func (versionCmd) Help() string { return "Example:\n  tocsin version" }

// Run prints one line: version, revision, contract.
func (versionCmd) Run(c *console) error {
	version, revision := "unreleased", "unknown revision"
	if b, ok := debug.ReadBuildInfo(); ok {
		if b.Main.Version != "" && b.Main.Version != "(devel)" {
			version = b.Main.Version
		}
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = s.Value[:12]
			}
		}
	}
	_, err := fmt.Fprintf(c.out, "tocsin %s (%s), contract v1\n", version, revision)
	return err
}
