package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tocsin/core/zone"
	"tocsin/zones"
	"tocsin/zones/build"
)

// zonesCmd is the commands about zone sets.
type zonesCmd struct {
	Check  zonesCheckCmd  `cmd:"" help:"Say what is wrong with a zone set, and what its author should look at."`
	Import zonesImportCmd `cmd:"" help:"Check a zone set and put it in force."`
	Build  zonesBuildCmd  `cmd:"" help:"Make a zone set from settlements, an outline and a table of provinces."`
	Diff   zonesDiffCmd   `cmd:"" help:"Say what changed from one zone set to another."`
}

const (
	// maxZoneFile bounds one file that a command reads; the sets of whole countries that
	// are known take 5 MB.
	maxZoneFile = 256 << 20
	// maxShown bounds the lines of one list on a terminal; --json has all.
	maxShown = 20
)

// readZoneFiles reads files whole; the errors name command and file.
func readZoneFiles(c *console, command string, paths []string) ([]zone.File, error) {
	var out []zone.File
	for _, p := range paths {
		b, err := readFile(c, p, maxZoneFile)
		if err != nil {
			return nil, fileError(command, p, err)
		}
		out = append(out, zone.File{Name: filepath.Base(p), Data: b})
	}
	return out, nil
}

type zonesCheckCmd struct {
	Files []string `arg:"" name:"file" help:"GeoJSON files; all levels of one set together."`
	JSON  bool     `name:"json" help:"Print the report as JSON."`
}

// Help is the example that --help prints.
func (zonesCheckCmd) Help() string {
	return "Example:\n  tocsin zones check oblasts.geojson raions.geojson hromadas.geojson\n\nExits 1 where the set has a defect: then nothing of it can be used."
}

// Run prints the report of a set.
func (k zonesCheckCmd) Run(c *console) error {
	files, err := readZoneFiles(c, "zones check", k.Files)
	if err != nil {
		return err
	}
	bar := newProgress(c, "checking")
	report := zone.Check(files, zone.Limits{}, bar.show)
	bar.clear()
	if err := printReport(c, &report, k.JSON); err != nil {
		return err
	}
	if report.Bad() {
		return errNo
	}
	return nil
}

func printReport(c *console, r *zone.Report, asJSON bool) error {
	if asJSON {
		return printJSON(c.out, r)
	}
	var err error
	say := func(format string, args ...any) {
		_, e := fmt.Fprintf(c.out, format, args...)
		err = errors.Join(err, e)
	}
	for _, d := range r.Defects {
		say("defect: %s\n", reworded(d.String()))
	}
	if r.More > 0 {
		say("defect: and %d more\n", r.More)
	}
	for _, m := range r.Remarks {
		say("remark: %s\n", m)
	}
	if r.Bad() {
		say("refused: %s; mend them and check again\n", counted(r.Count(), "defect")+" in "+counted(r.Zones, "zone"))
	} else {
		say("ok: %d zones, %d of them leaves, version %s\n", r.Zones, r.Leaves, r.Version)
	}
	return err
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

type zonesImportCmd struct {
	Files []string `arg:"" name:"file" help:"GeoJSON files; all levels of one set together."`
	Data  string   `default:"./tocsin-data" help:"The data folder."`
	JSON  bool     `name:"json" help:"Print the difference to the set before as JSON."`
}

// Help is the example that --help prints.
func (zonesImportCmd) Help() string {
	return "Example:\n  tocsin zones import --data ./tocsin-data ua.geojson\n\nThe set is kept as a version of its own; the versions before it stay."
}

// Run keeps a set and says what changed.
func (k zonesImportCmd) Run(c *console) error {
	files, err := readZoneFiles(c, "zones import", k.Files)
	if err != nil {
		return err
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	if report.Bad() {
		if err := printReport(c, &report, k.JSON); err != nil {
			return err
		}
		return errNo
	}
	store := zones.StoreIn(k.Data)
	before, err := store.Import(set)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.err, "imported %d zones (%d leaves) as version %s into %s\n", report.Zones, set.Len(), set.Version(), store.Dir)
	if before == nil {
		fmt.Fprintln(c.err, "there was no set before")
		if k.JSON {
			return printJSON(c.out, struct {
				To string `json:"to"`
			}{set.Version()})
		}
		return nil
	}
	d := zone.Diff(before, set)
	fmt.Fprintf(c.err, "the set before was version %s: %d of its %d zones are gone, %d are new\n",
		before.Version(), len(d.Removed), records(before), len(d.Added))
	return printDifference(c, d, k.JSON)
}

// records is how many zones a set has, of all levels.
func records(s *zone.Set) int {
	n := 0
	for range s.All {
		n++
	}
	return n
}

type zonesBuildCmd struct {
	Places  string `required:"" help:"Settlements: GeoJSON points with id, admin, feature, population, name_<lang>."`
	Outline string `required:"" help:"The country: GeoJSON polygons."`
	Oblasts string `required:"" help:"Provinces: a table with the columns admin, id, name_<lang>, aliases."`
	Out     string `short:"o" required:"" help:"The file to write."`
}

// Help is the example that --help prints.
func (zonesBuildCmd) Help() string {
	return "Example:\n  tocsin zones build --places places.geojson --outline outline.geojson --oblasts oblasts.csv -o zones.geojson\n\nEach place of the country comes to its nearest settlement; one line is printed for each settlement that was moved, joined or left out."
}

// Run makes a set and writes it.
func (k zonesBuildCmd) Run(c *console) error {
	var text [3][]byte
	for i, path := range [...]string{k.Places, k.Outline, k.Oblasts} {
		b, err := readFile(c, path, maxZoneFile)
		if err != nil {
			return fileError("zones build", path, err)
		}
		text[i] = b
	}
	var country build.Country
	var err error
	if country.Places, err = build.ReadPlaces(text[0]); err != nil {
		return fmt.Errorf("%s: %w", shownName(k.Places), err)
	}
	if country.Outline, err = build.ReadOutline(text[1]); err != nil {
		return fmt.Errorf("%s: %w", shownName(k.Outline), err)
	}
	if country.Provinces, err = build.ReadProvinces(text[2]); err != nil {
		return fmt.Errorf("%s: %w", shownName(k.Oblasts), err)
	}
	list, notes, err := build.Zones(country)
	for _, n := range notes {
		if _, err := fmt.Fprintln(c.out, n); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	set, err := zone.NewSet(list)
	if err != nil {
		return err
	}
	if err := writeFile(c, k.Out, func(w io.Writer) error {
		_, err := w.Write(set.GeoJSON())
		return err
	}); err != nil {
		return fileError("zones build", k.Out, err)
	}
	_, err = fmt.Fprintf(c.out, "built %d zones, %d of them leaves, version %s\n", len(list), set.Len(), set.Version())
	return err
}

type zonesDiffCmd struct {
	Old  string `arg:"" help:"The set before: a GeoJSON file, or the name of a shipped set (il, ua)."`
	New  string `arg:"" help:"The set after: likewise."`
	JSON bool   `name:"json" help:"Print the difference as JSON."`
}

// Help is the example that --help prints.
func (zonesDiffCmd) Help() string {
	return "Example:\n  tocsin zones diff 2025.geojson 2026.geojson\n\nExits 0 whether or not something changed."
}

// Run prints what changed.
func (k zonesDiffCmd) Run(c *console) error {
	old, err := openSet(c, k.Old)
	if err != nil {
		return err
	}
	set, err := openSet(c, k.New)
	if err != nil {
		return err
	}
	return printDifference(c, zone.Diff(old, set), k.JSON)
}

// openSet reads a set of one file, or a shipped one.
func openSet(c *console, name string) (*zone.Set, error) {
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		if set, err := zones.Open(name); err == nil {
			return set, nil
		}
	}
	files, err := readZoneFiles(c, "zones diff", []string{name})
	if err != nil {
		return nil, err
	}
	set, report := zone.ReadSet(files, zone.Limits{})
	if report.Bad() {
		if err := printReport(c, &report, false); err != nil {
			return nil, err
		}
		return nil, errNo
	}
	return set, nil
}

func printDifference(c *console, d zone.Difference, asJSON bool) error {
	if asJSON {
		return printJSON(c.out, d)
	}
	var lines []string
	list := func(what string, n int, line func(i int) string) {
		for i := range min(n, maxShown) {
			lines = append(lines, what+" "+line(i))
		}
		if n > maxShown {
			lines = append(lines, fmt.Sprintf("%s ... and %d more", what, n-maxShown))
		}
	}
	name := func(e zone.Entry) string { return fmt.Sprintf("%s %s (level %d)", e.ID, e.Name, e.Level) }
	differs := func(r []zone.Rewording) func(int) string {
		return func(i int) string {
			return fmt.Sprintf("%s: %s %q -> %q", name(r[i].Entry), r[i].What, r[i].Old, r[i].New)
		}
	}
	list("added", len(d.Added), func(i int) string { return name(d.Added[i]) })
	list("removed", len(d.Removed), func(i int) string { return name(d.Removed[i]) })
	list("renamed", len(d.Renamed), differs(d.Renamed))
	list("reshaped", len(d.Reshaped), func(i int) string {
		r := d.Reshaped[i]
		return fmt.Sprintf("%s: lost %.4g km², gained %.4g km²", name(r.Entry), float64(r.Lost)/1e6, float64(r.Gained)/1e6)
	})
	list("reparented", len(d.Reparented), differs(d.Reparented))
	list("restated", len(d.Restated), differs(d.Restated))
	lines = append(lines, fmt.Sprintf("%s -> %s: %d added, %d removed, %d renamed, %d reshaped, %d reparented, %d restated",
		d.From, d.To, len(d.Added), len(d.Removed), len(d.Renamed), len(d.Reshaped), len(d.Reparented), len(d.Restated)))
	for _, l := range lines {
		if _, err := fmt.Fprintln(c.out, l); err != nil {
			return err
		}
	}
	return nil
}
