package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// revision is what the Makefile's build says of itself, for trees that Go takes no revision
// from (a worktree, a build without version control): the linker sets it.
var revision string

// Help is the example that --help prints.
func (versionCmd) Help() string { return "Example:\n  tocsin version" }

// Run prints one line: version, revision, contract.
func (versionCmd) Run(c *console) error {
	version, of := "unreleased", cmp.Or(programRevision(), "unknown revision")
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		version = b.Main.Version
	}
	_, err := fmt.Fprintf(c.out, "tocsin %s (%s), contract v1\n", version, of)
	return err
}

// programRevision is the revision that this program was built of, or nothing.
func programRevision() string {
	if revision != "" {
		return revision
	}
	if b, ok := debug.ReadBuildInfo(); ok {
		return built(b.Settings)
	}
	return ""
}

// built is the revision that Go itself put into the program, or nothing.
func built(settings []debug.BuildSetting) string {
	of, dirty := "", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			of = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if of == "" {
		return ""
	}
	return of + dirty
}
