// Package zones holds the zone sets that ship with the program, and keeps those that an
// authority brings.
//
// In: the name of a country, or a data folder. Out: checked sets. It never changes a set:
// an import is a new version beside the old ones. How the shipped sets were made, and from
// what, is in SOURCES.md; make.sh makes them again.
package zones

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"tocsin/core/zone"
)

//go:embed *.geojson.gz
var shipped embed.FS

// ErrUnknown is what Open answers for a country without a shipped set.
var ErrUnknown = errors.New("no such shipped set")

const shippedExt = ".geojson.gz"

// Names lists the countries with a shipped set, ascending: "il", "ua".
func Names() []string {
	files, err := fs.Glob(shipped, "*"+shippedExt)
	if err != nil { // the pattern is sound
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, shippedExt)
	}
	slices.Sort(files)
	return files
}

// GeoJSON returns the file of a shipped set.
func GeoJSON(name string) ([]byte, error) {
	b, err := shipped.ReadFile(name + shippedExt)
	if err != nil {
		return nil, fmt.Errorf("zones: %q: %w (there are %s)", name, ErrUnknown, strings.Join(Names(), ", "))
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("zones: %s: %w", name, err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("zones: %s: %w", name, err)
	}
	return out, nil
}

// Open returns a shipped set.
func Open(name string) (*zone.Set, error) {
	b, err := GeoJSON(name)
	if err != nil {
		return nil, err
	}
	s, report := zone.ReadSet([]zone.File{{Name: name + shippedExt, Data: b}}, zone.Limits{})
	if report.Bad() {
		return nil, fmt.Errorf("zones: %s: %s", name, report.Defects[0])
	}
	return s, nil
}
