package zones

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tocsin/core/zone"
)

// Store is the folder of an installation's zone sets: one file for each version, written
// once and never changed, a pointer to the imported one that is in force, and one to the set
// of the configuration, which is in force as long as none was imported.
type Store struct {
	Dir string // DATA/zones
}

// ErrNone is what Current answers before anything was imported.
var ErrNone = errors.New("no zone set imported")

const (
	pointer    = "current"
	configured = "configured"
	versionExt = ".geojson"
)

var isVersion = regexp.MustCompile(`^[0-9a-f]{16}$`)

// StoreIn returns the store of a data folder.
func StoreIn(data string) Store { return Store{Dir: filepath.Join(data, "zones")} }

// Import keeps the set and puts it in force; it returns the set that was in force before, of
// an import or of the configuration, or nil. What is on disk afterwards is whole whatever happens meanwhile.
func (st Store) Import(s *zone.Set) (before *zone.Set, err error) {
	if err := os.MkdirAll(st.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("zones: import: %w", err)
	}
	before, err = st.Current()
	if errors.Is(err, ErrNone) {
		before, err = st.named(configured)
	}
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	if err := st.Keep(s); err != nil {
		return nil, err
	}
	if err := writeWhole(filepath.Join(st.Dir, pointer), []byte(s.Version()+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("zones: import: %w", err)
	}
	return before, nil
}

// Configure keeps the set that a configuration names and that is in force where none was
// imported, so that a later set knows what its ids were and `zones import` what it follows.
func (st Store) Configure(s *zone.Set) error {
	if err := st.Keep(s); err != nil {
		return err
	}
	path, line := filepath.Join(st.Dir, configured), s.Version()+"\n"
	if held, err := os.ReadFile(path); err == nil && string(held) == line {
		return nil
	}
	if err := writeWhole(path, []byte(line), 0o644); err != nil {
		return fmt.Errorf("zones: configure: %w", err)
	}
	return nil
}

// Keep keeps the set as a version without putting it in force.
func (st Store) Keep(s *zone.Set) error {
	if err := os.MkdirAll(st.Dir, 0o755); err != nil {
		return fmt.Errorf("zones: keep: %w", err)
	}
	path := filepath.Join(st.Dir, s.Version()+versionExt)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeWhole(path, s.GeoJSON(), 0o444); err != nil {
		return fmt.Errorf("zones: keep: %w", err)
	}
	return nil
}

// Current returns the set in force, or ErrNone.
func (st Store) Current() (*zone.Set, error) { return st.named(pointer) }

// named returns the set that a pointer names, or ErrNone.
func (st Store) named(by string) (*zone.Set, error) {
	b, err := os.ReadFile(filepath.Join(st.Dir, by))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("zones: %s: %w", st.Dir, ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("zones: %s: %w", by, err)
	}
	return st.Open(strings.TrimSpace(string(b)))
}

// Open returns the set of a version. A file whose content is not what its name says is
// refused: it was changed after it was written.
func (st Store) Open(version string) (*zone.Set, error) {
	if !isVersion.MatchString(version) {
		return nil, fmt.Errorf("zones: version %q: not 16 hexadecimal digits", version)
	}
	name := version + versionExt
	b, err := os.ReadFile(filepath.Join(st.Dir, name))
	if err != nil {
		return nil, fmt.Errorf("zones: version %s: %w", version, err)
	}
	s, report := zone.ReadSet([]zone.File{{Name: name, Data: b}}, zone.Limits{})
	if report.Bad() {
		return nil, fmt.Errorf("zones: version %s: %s", version, report.Defects[0])
	}
	if s.Version() != version {
		return nil, fmt.Errorf("zones: version %s: the file holds version %s: it was changed after import; import the set again", version, s.Version())
	}
	return s, nil
}

// Versions lists the versions kept, ascending by name.
func (st Store) Versions() ([]string, error) {
	entries, err := os.ReadDir(st.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("zones: versions: %w", err)
	}
	var out []string
	for _, e := range entries {
		v, ok := strings.CutSuffix(e.Name(), versionExt)
		if ok && isVersion.MatchString(v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out, nil
}

// writeWhole writes a file that is either not there, as it was, or whole and on disk.
func writeWhole(path string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already where the rename was done
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
