package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/node/keyring"
	"tocsin/zones"
)

// jurisdictionFlags say what a key or a token may speak of.
type jurisdictionFlags struct {
	Region  []string `placeholder:"ID" help:"Only this region; by default all, which the chain of the whole country needs. May be repeated."`
	Class   []string `placeholder:"THREAT" help:"Only this threat (drone, rocket ...); by default all. May be repeated."`
	Polygon string   `placeholder:"FILE" help:"Only zones wholly inside: GeoJSON, a Polygon or MultiPolygon; by default everywhere."`
}

// given reports whether anything was said.
func (f jurisdictionFlags) given() bool {
	return len(f.Region) > 0 || len(f.Class) > 0 || f.Polygon != ""
}

func (f jurisdictionFlags) read() (board.Jurisdiction, error) {
	j := board.Everything()
	if len(f.Region) > 0 {
		j.Regions = f.Region
	}
	for _, c := range f.Class {
		if _, err := class.Parse(c); err != nil {
			return j, usageError("--class %s: not one of the contract's threats", c)
		}
	}
	if len(f.Class) > 0 {
		j.Classes = f.Class
	}
	if f.Polygon == "" {
		return j, nil
	}
	b, err := readFile(nil, f.Polygon, 16<<20)
	if err != nil {
		return j, fileError("--polygon", f.Polygon, err)
	}
	if j.Polygon, err = coordinatesOf(b); err == nil {
		_, err = keyring.ParsePolygon(j.Polygon)
	}
	if err != nil {
		return j, fmt.Errorf("--polygon: %s: %w", shownName(f.Polygon), err)
	}
	return j, nil
}

// regionsKnown refuses a region that no zone set of the data folder has: what is bound to a
// region that is none could never speak, and nobody would know why. Where the folder has no
// set yet, it says that nothing was checked.
func (f jurisdictionFlags) regionsKnown(c *console, data string) error {
	asked := slices.DeleteFunc(slices.Clone(f.Region), func(r string) bool { return r == board.Any })
	if len(asked) == 0 {
		return nil
	}
	store := zones.StoreIn(data)
	versions, err := store.Versions()
	if err != nil {
		return err
	}
	var known []string
	for _, v := range versions {
		set, err := store.Open(v)
		if err != nil {
			return err
		}
		for _, r := range set.Regions() {
			known = append(known, string(r))
		}
	}
	if len(known) == 0 {
		fmt.Fprintf(c.err, "Warning: %s has no zone set yet, so it was not checked that %s is a region.\n", shownName(data), strings.Join(asked, ", "))
		return nil
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, r := range asked {
		if _, there := slices.BinarySearch(known, r); !there {
			const named = 5
			list := strings.Join(known[:min(len(known), named)], ", ")
			if len(known) > named {
				list += fmt.Sprintf(" and %d more", len(known)-named)
			}
			return usageError("--region %q: no zone set of %s has such a region; regions are named by id: %s", r, shownName(data), list)
		}
	}
	return nil
}

// validFor is how long a key or a token is in force: zero, for the default, where nothing is
// said. What is said must be a time in which it can be used.
func validFor(said *time.Duration) (time.Duration, error) {
	switch {
	case said == nil:
		return 0, nil
	case *said <= 0:
		return 0, usageError("--valid %s: it would never be in force; leave it out for 400 days", *said)
	}
	return *said, nil
}

// options are those of a new key.
func (f jurisdictionFlags) options(rootFile string, valid *time.Duration, overlap time.Duration) (keyring.Options, error) {
	o := keyring.Options{RootFile: rootFile, Overlap: overlap}
	if overlap < 0 {
		return o, usageError("--overlap: a time below zero")
	}
	var err error
	if o.Valid, err = validFor(valid); err != nil {
		return o, err
	}
	if f.given() {
		j, err := f.read()
		if err != nil {
			return o, err
		}
		o.Jurisdiction = &j
	}
	return o, nil
}

// coordinatesOf takes the coordinates of a MultiPolygon out of GeoJSON.
func coordinatesOf(b []byte) ([]byte, error) {
	var g struct {
		Type        string            `json:"type"`
		Coordinates json.RawMessage   `json:"coordinates"`
		Geometry    json.RawMessage   `json:"geometry"`
		Features    []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(b, &g); err != nil {
		return nil, fmt.Errorf("not GeoJSON: %w", err)
	}
	switch g.Type {
	case "MultiPolygon":
		return g.Coordinates, nil
	case "Polygon":
		return fmt.Appendf(nil, "[%s]", g.Coordinates), nil
	case "Feature":
		return coordinatesOf(g.Geometry)
	case "FeatureCollection":
		if len(g.Features) == 1 {
			return coordinatesOf(g.Features[0])
		}
		return nil, fmt.Errorf("%d features; a jurisdiction is one", len(g.Features))
	}
	return nil, fmt.Errorf("a %q is neither Polygon nor MultiPolygon", g.Type)
}

type initCmd struct {
	Data     string        `default:"./tocsin-data" placeholder:"DIR" help:"The data folder; it is made if need be."`
	Universe string        `default:"live" enum:"live,exercise" help:"What the folder is for, once and for all: live or exercise."`
	Valid    *time.Duration `placeholder:"9600h" help:"How long the first board key is in force; by default 400 days."`
	jurisdictionFlags
}

// Help is the example that --help prints.
func (initCmd) Help() string {
	return `Makes the root key and the first board key of a universe. The root key signs only the list of board keys: take its
file to a safe place; it is needed again to rotate or revoke. What is printed is public: give it to those who
pin the root key.
Examples:
  tocsin init
  tocsin init --data ./exercise-data --universe exercise`
}

// Run makes the keys and says what to do with them.
func (k initCmd) Run(c *console) error {
	o, err := k.options("", k.Valid, 0)
	if err != nil {
		return err
	}
	r, err := keyring.Init(k.Data, alert.Universe(k.Universe), time.Now(), o)
	if errors.Is(err, keyring.ErrExists) {
		return fmt.Errorf("init: %s has keys already. Nothing was changed. `tocsin keys list --data %s` shows them; for another universe take another folder", k.Data, k.Data)
	}
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	fmt.Fprintf(c.err, `Keys for universe %s are in %s.
Take %s to a safe place, off this machine: whoever has it can make keys that
every device believes. It is needed again for "tocsin keys rotate" and "tocsin keys revoke" (--root-key FILE).
`, r.Universe(), keyring.Folder(k.Data), keyring.RootFile(k.Data))
	_, err = fmt.Fprintf(c.out, "root %s\nfingerprint %s\n", r.RootText(), board.Kid(r.Root()))
	return err
}
