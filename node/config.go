// Package node is the wiring: configuration, start, stop, and the one loop that owns
// the core.
//
// In: a configuration, a data folder, the edges. Out: a running system that commits,
// signs and speaks what the core decides. It holds no rule of its own about tracks,
// zones or warnings.
package node

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tocsin/core/alert"
	"tocsin/core/geo"
	"tocsin/core/observation"
	wire "tocsin/wire/asterix"
	"tocsin/wire/strictyaml"
)

// Config is tocsin.yaml, read strictly. Paths are taken from the file's own folder.
type Config struct {
	Universe  alert.Universe `yaml:"universe"`
	Data      string         `yaml:"data"`
	Public    Public         `yaml:"public"`
	Desk      Desk           `yaml:"desk"`
	Zones     []string       `yaml:"zones"` // GeoJSON files, levels together; or one shipped set, "ua" or "il"
	Languages []string       `yaml:"languages"`
	Sender    string         `yaml:"sender"`
	Name      string         `yaml:"name"`     // who warns, in words, for the page
	Timezone  string         `yaml:"timezone"` // of the times in the texts, IANA name
	Basemap   string         `yaml:"basemap"`  // a folder of the page's own basemaps
	Policy    string         `yaml:"policy"`
	Sources   []Source       `yaml:"sources"`
	Replay    *Replay        `yaml:"-"` // not of the file: `tocsin replay` sets it
	Revision  string         `yaml:"-"` // of the program, for the recording
}

// Replay makes a system live in the time of a recording. An exercise only.
type Replay struct {
	// Clock is the recording's time, read in place of the machine's. It never goes back; where
	// it jumps, what is due is done at its next reading.
	Clock func() time.Time
	// Rate is how many requests a second one token may make at the desk: a replay gives the
	// commands of years.
	Rate float64
	// BoardOnly leaves the other channels out: signing a CAP document takes longer than all
	// else of a warning, and nobody asks for those of years at once.
	BoardOnly bool
}

// Public is where citizens ask.
type Public struct {
	Listen string `yaml:"listen"`
	TLS    TLS    `yaml:"tls"`
}

// TLS is a certificate and its key, PEM files; both empty: plain HTTP.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Desk is where operators and authorities come in. Never the public port.
type Desk struct {
	Listen string `yaml:"listen"`
}

// Source is one feed.
type Source struct {
	ID        string            `yaml:"id"`
	Kind      string            `yaml:"kind"`
	Listen    string            `yaml:"listen"`
	SAC       uint8             `yaml:"sac"`
	SIC       uint8             `yaml:"sic"`
	Editions  map[string]string `yaml:"editions"`
	Site      *Site             `yaml:"site"`
	Errors    Errors            `yaml:"errors"`
	Coverage  Coverage          `yaml:"coverage"`
	Period    Duration          `yaml:"period"`    // one turn of the antenna; default 4s
	Trust     float64           `yaml:"trust"`     // default 0.9
	Detection float64           `yaml:"detection"` // default 0.8
	Clutter   float64           `yaml:"clutter"`   // false plots a turn; default 5
	// Simulated lets through plots that say they are simulated. Exercises only.
	Simulated bool `yaml:"simulated"`
	// Says is how often it says one class of another; left out: it is taken at its word.
	Says Says `yaml:"says"`
}

// Site is where a sensor stands.
type Site struct {
	Lat    float64 `yaml:"lat"`
	Lon    float64 `yaml:"lon"`
	Height float64 `yaml:"height"`
}

// Errors are standard deviations: metres, degrees, seconds.
type Errors struct {
	Range   float64 `yaml:"range"`
	Azimuth float64 `yaml:"azimuth"`
	Time    float64 `yaml:"time"`
	// Of a radar that measures height: either of the two, degrees or metres; 0.3 degrees if neither.
	Elevation float64 `yaml:"elevation"`
	Height    float64 `yaml:"height"`
}

// Coverage is metres; Floor is height above ground at the site.
type Coverage struct {
	Range float64 `yaml:"range"`
	Floor float64 `yaml:"floor"`
}

// Duration is a length of time as Go writes it: 90s, 10m.
type Duration time.Duration

// UnmarshalYAML reads 90s, 10m, 1h30m.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no length of time such as 90s or 10m", n.Line, n.Value)
	}
	*d = Duration(v)
	return nil
}

// Bounds of a configuration.
const (
	maxConfig    = 1 << 20 // bytes
	maxZoneFiles = 100
	maxSources   = 1000
)

// Defaults is what serve runs without a file: live, no source, the data folder of cli.md.
func Defaults() Config {
	return Config{
		Universe: alert.Live, Data: "./tocsin-data",
		Public: Public{Listen: ":8080"}, Desk: Desk{Listen: "127.0.0.1:8081"},
		Zones: []string{"ua"}, Languages: []string{"uk", "en"}, Sender: "warnings@localhost",
		Name: "Tocsin", Timezone: "Europe/Kyiv", Basemap: "ua",
	}
}

// ReadConfig reads one file strictly: an unknown key is an error with its line.
func ReadConfig(path string) (Config, error) {
	f, err := os.Open(path) // the errors of files name their path
	if err != nil {
		return Config{}, fmt.Errorf("node: configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return Config{}, fmt.Errorf("node: configuration: %w", err)
	}
	if len(b) > maxConfig {
		return Config{}, fmt.Errorf("node: configuration: %s is over %d bytes", path, maxConfig)
	}
	c, err := parseConfig(b)
	if err != nil {
		return Config{}, fmt.Errorf("node: configuration: %s: %w", path, err)
	}
	c.resolve(filepath.Dir(path))
	return c, nil
}

func parseConfig(b []byte) (Config, error) {
	c := Defaults()
	c.Zones, c.Languages, c.Sender = nil, nil, ""
	if err := strictyaml.Read(b, &c); errors.Is(err, strictyaml.ErrEmpty) {
		return Config{}, errors.New("it is empty; universe, zones, languages and sender must stand in it (see examples/tocsin.yaml)")
	} else if err != nil {
		return Config{}, err
	}
	return c, c.Check()
}

// resolve takes relative paths from the file's folder.
func (c *Config) resolve(dir string) {
	for _, p := range []*string{&c.Data, &c.Policy, &c.Public.TLS.Cert, &c.Public.TLS.Key} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for i, z := range c.Zones {
		if !shipped(z) && !filepath.IsAbs(z) {
			c.Zones[i] = filepath.Join(dir, z)
		}
	}
}

// shipped reports whether a zones entry names a set inside the program.
func shipped(name string) bool { return name == "ua" || name == "il" }

// now reads the clock that the system lives by.
func (c *Config) now() time.Time {
	if c.Replay != nil {
		return c.Replay.Clock()
	}
	return time.Now()
}

// Check names the first field that is wrong and what it should be.
func (c *Config) Check() error {
	switch {
	case c.Universe != alert.Live && c.Universe != alert.Exercise:
		return fmt.Errorf("universe: %q is not live or exercise", c.Universe)
	case c.Data == "":
		return errors.New("data: missing; name the folder of journal and keys")
	case len(c.Zones) == 0:
		return errors.New("zones: missing; name GeoJSON files, or ua or il")
	case len(c.Languages) == 0:
		return errors.New("languages: missing; name at least one")
	case len(c.Zones) > maxZoneFiles:
		return fmt.Errorf("zones: %d files are more than %d", len(c.Zones), maxZoneFiles)
	case len(c.Sources) > maxSources:
		return fmt.Errorf("sources: %d are more than %d", len(c.Sources), maxSources)
	case c.Sender == "" || strings.ContainsAny(c.Sender, " \t\r\n,<&"):
		return fmt.Errorf("sender: %q must be there and hold no space, comma, < or &", c.Sender)
	case c.Replay != nil && (c.Universe != alert.Exercise || c.Replay.Clock == nil):
		return errors.New("replay: only in the exercise universe, with a clock")
	case (c.Public.TLS.Cert == "") != (c.Public.TLS.Key == ""):
		return errors.New("public.tls: cert and key go together")
	}
	for _, l := range c.Languages {
		if known := alert.Languages(); !slices.Contains(known, l) {
			return fmt.Errorf("languages: there are no texts in %q; there are %s", l, strings.Join(known, ", "))
		}
	}
	if err := CheckListen(c.Public.Listen); err != nil {
		return fmt.Errorf("public.listen: %w", err)
	}
	if err := CheckListen(c.Desk.Listen); err != nil {
		return fmt.Errorf("desk.listen: %w", err)
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		return fmt.Errorf("timezone: %w", err)
	}
	seen := map[string]bool{}
	for i, s := range c.Sources {
		if err := s.check(); err != nil {
			return fmt.Errorf("sources: number %d (%s): %w", i+1, s.ID, err)
		}
		if seen[s.ID] {
			return fmt.Errorf("sources: %s stands twice", s.ID)
		}
		if s.Simulated && c.Universe != alert.Exercise {
			return fmt.Errorf("sources: %s: simulated: only in the exercise universe", s.ID)
		}
		seen[s.ID] = true
	}
	return nil
}

// CheckListen sees that a text is host:port; the host may be left out.
func CheckListen(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is no host:port such as :8080 or 127.0.0.1:8081", s)
	}
	if _, err = strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: %s is no port; ports are numbers from 1 to 65535", s, port)
	}
	return nil
}

// within reports whether a number is one, from low to high.
func within(x, low, high float64) bool { return x >= low && x <= high }

func (s Source) check() error {
	u, err := url.Parse(s.Listen)
	switch {
	case s.ID == "" || len(s.ID) > 64:
		return errors.New("id: must have 1 to 64 characters")
	case s.Kind != "asterix":
		return fmt.Errorf("kind: %q is not asterix, the kind of source that this version has", s.Kind)
	case err != nil || u.Scheme != "udp" || u.Port() == "":
		return fmt.Errorf("listen: %q is no udp://HOST:PORT", s.Listen)
	case s.Site == nil:
		return errors.New("site: missing; a radar's plots mean nothing without its place")
	case !(geo.Point{Lat: geo.Degrees(s.Site.Lat), Lon: geo.Degrees(s.Site.Lon)}).Valid():
		return errors.New("site: not a latitude and longitude")
	case !within(s.Site.Height, -500, 50_000):
		return errors.New("site: height must be from -500 to 50000 metres")
	case !within(s.Errors.Range, math.SmallestNonzeroFloat64, 1e6) || !within(s.Errors.Azimuth, math.SmallestNonzeroFloat64, 90):
		return errors.New("errors: range (metres) and azimuth (degrees) must be over 0")
	case !within(s.Errors.Time, 0, 60):
		return errors.New("errors: time must be from 0 to 60 seconds")
	case !within(s.Coverage.Range, math.SmallestNonzeroFloat64, 1e7):
		return errors.New("coverage: range (metres) must be over 0; without coverage nothing is ever cleared")
	case !within(s.Coverage.Floor, -1e5, 1e5):
		return errors.New("coverage: floor must be metres above ground")
	case s.Period < 0 || time.Duration(s.Period) > time.Minute:
		return errors.New("period: must be at most 1m")
	case !within(s.Trust, 0, 1):
		return errors.New("trust: must be a probability, from 0 to 1")
	case !within(s.Detection, 0, 1):
		return errors.New("detection: must be a probability, from 0 to 1")
	case !within(s.Clutter, 0, 1e6):
		return errors.New("clutter: must be a count of plots a turn")
	}
	if err := observation.Confusion(s.Says).Check(); err != nil {
		return fmt.Errorf("says: %w", err)
	}
	if _, err := wire.ParseEditions(s.Editions); err != nil {
		return fmt.Errorf("editions: %w", err)
	}
	return nil
}

// Observed is the source as the core knows it.
func (s Source) Observed() observation.Source {
	o := observation.Source{
		ID: s.ID, Kind: s.Kind, HasSite: true,
		Site: geo.Position{
			Point:  geo.Point{Lat: geo.Degrees(s.Site.Lat), Lon: geo.Degrees(s.Site.Lon)},
			Height: geo.Metres(s.Site.Height),
		},
		Period: time.Duration(s.Period),
		Errors: observation.Errors{
			Range: geo.Metres(s.Errors.Range), Azimuth: geo.Degrees(s.Errors.Azimuth),
			Elevation: geo.Degrees(s.Errors.Elevation), Height: geo.Metres(s.Errors.Height),
			Time: time.Duration(s.Errors.Time * float64(time.Second)),
		},
		Trust: s.Trust, Detection: s.Detection, Clutter: s.Clutter,
		Coverage:  observation.Coverage{Range: geo.Metres(s.Coverage.Range), Floor: geo.Metres(s.Coverage.Floor)},
		Confusion: observation.Confusion(s.Says),
	}
	if o.Period == 0 {
		o.Period = 4 * time.Second
	}
	if o.Clutter == 0 {
		o.Clutter = 5
	}
	return o
}
