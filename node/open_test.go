package node

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/core/alert"
	"tocsin/journal"
	"tocsin/node/keyring"
)

// good is a configuration as the rules have it, in lines that the tests replace.
const good = `universe: exercise
data: ./data
public: {listen: "127.0.0.1:0", tls: {cert: "", key: ""}}
desk: {listen: "127.0.0.1:0"}
zones: [ua]
languages: [uk, en]
sender: exercise@tocsin.example
timezone: Europe/Kyiv
sources:
  - id: radar-north
    kind: asterix
    listen: "udp://127.0.0.1:8600"
    sac: 25
    sic: 12
    editions: {"048": "1.31", "034": "1.29"}
    site: {lat: 50.9, lon: 31.2, height: 180}
    errors: {range: 50, azimuth: 0.1, time: 0.2}
    coverage: {range: 200000, floor: 300}
    period: 4s
    trust: 0.9
    detection: 0.8
    clutter: 5
`

// TestConfigurationsAreRefused: each with the field that is wrong, in words.
func TestConfigurationsAreRefused(t *testing.T) {
	if _, err := parseConfig([]byte(good)); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	twice := "  - id: radar-north\n" + good[strings.Index(good, "    kind:"):]
	cases := []struct{ old, new, names string }{
		{"universe: exercise", "universe: test", "universe"},
		{"universe: exercise", "universe: Live", "universe"},
		{"data: ./data", `data: ""`, "data"},
		{`public: {listen: "127.0.0.1:0"`, `public: {listen: "127.0.0.1"`, "public.listen"},
		{`public: {listen: "127.0.0.1:0"`, `public: {listen: "127.0.0.1:99999"`, "public.listen"},
		{`public: {listen: "127.0.0.1:0"`, `public: {listen: ":http"`, "public.listen"},
		{`desk: {listen: "127.0.0.1:0"`, `desk: {listen: ""`, "desk.listen"},
		{`tls: {cert: ""`, `tls: {cert: "x.pem"`, "public.tls"},
		{"zones: [ua]", "zones: []", "zones"},
		{"zones: [ua]", "zones: [" + strings.Repeat("a,", 200) + "b]", "zones"},
		{"languages: [uk, en]", "languages: []", "languages"},
		{"sender: exercise@tocsin.example", "sender: two words", "sender"},
		{"sender: exercise@tocsin.example", "sender: a<b", "sender"},
		{"sender: exercise@tocsin.example", "sender: \"a\\tb\"", "sender"},
		{"sender: exercise@tocsin.example", "", "sender"},
		{"timezone: Europe/Kyiv", "timezone: Europe/Nowhere", "timezone"},
		{"timezone: Europe/Kyiv", "timezone: ../../etc/passwd", "timezone"},
		{"id: radar-north", `id: ""`, "id"},
		{"id: radar-north", "id: " + strings.Repeat("x", 65), "id"},
		{"kind: asterix", "kind: magic", "kind"},
		{`listen: "udp://127.0.0.1:8600"`, `listen: "tcp://127.0.0.1:8600"`, "listen"},
		{`listen: "udp://127.0.0.1:8600"`, `listen: "udp://127.0.0.1"`, "listen"},
		{`listen: "udp://127.0.0.1:8600"`, `listen: "udp://%zz:1"`, "listen"},
		{"sac: 25", "sac: 256", "line 13"},
		{"sac: 25", "sac: -1", "line 13"},
		{"sac: 25", "sak: 25", "sak"},
		{`"048": "1.31"`, `"048": "9.9"`, "editions"},
		{`"048": "1.31"`, `"999": "1.0"`, "editions"},
		{"site: {lat: 50.9, lon: 31.2, height: 180}", "", "site"},
		{"lat: 50.9", "lat: 91", "site"},
		{"lat: 50.9", "lat: .nan", "site"},
		{"height: 180", "height: .inf", "height"},
		{"range: 50", "range: 0", "errors"},
		{"range: 50", "range: .nan", "errors"},
		{"azimuth: 0.1", "azimuth: -1", "errors"},
		{"time: 0.2", "time: .inf", "errors"},
		{"range: 200000", "range: .inf", "coverage"},
		{"range: 200000", "range: 0", "coverage"},
		{"floor: 300", "floor: .nan", "coverage"},
		{"period: 4s", "period: 2m", "period"},
		{"period: 4s", "period: 4", "line 19"},
		{"trust: 0.9", "trust: .nan", "trust"},
		{"detection: 0.8", "detection: 1.1", "detection"},
		{"clutter: 5", "clutter: -1", "clutter"},
		{"clutter: 5", "clutter: 5\n    simulated: perhaps", "line 23"},
		{"clutter: 5\n", "clutter: 5\n" + twice, "radar-north stands twice"},
		{"universe: exercise", "universe: live\nname: x", ""},
		{"clutter: 5\n", "clutter: 5\n---\nuniverse: live\n", "more than one document"},
		{"data: ./data", "data: ./data\ndata: ./other", "line 3"},
		{"data: ./data", "data: [1, 2]", "line 2"},
		{"data: ./data", "data: &a [*a]", ""},
	}
	if len(cases) < 25 {
		t.Fatal("too few")
	}
	for _, c := range cases {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%q is not in the good configuration", c.old)
		}
		_, err := parseConfig([]byte(text))
		if c.names == "" {
			continue // only: it must not panic
		}
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v; it must name %q", c.new, err, c.names)
		}
	}
	live := strings.Replace(strings.Replace(good, "universe: exercise", "universe: live", 1), "clutter: 5", "clutter: 5\n    simulated: true", 1)
	if _, err := parseConfig([]byte(live)); err == nil || !strings.Contains(err.Error(), "simulated") {
		t.Errorf("simulated plots in the live universe: %v", err)
	}
}

// FuzzConfig: no text is a panic, and what is accepted is sound.
func FuzzConfig(f *testing.F) {
	f.Add(good)
	f.Add(good + confusing)
	f.Add("a: &x [*x, *x]")
	f.Add("universe: !!binary zzz")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseConfig([]byte(text))
		if err == nil && c.Check() != nil {
			t.Error("accepted, and then not")
		}
	})
}

func TestConfigurationFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tocsin.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(good, "zones: [ua]", "zones: [my/zones.geojson]", 1))
	c, err := ReadConfig(file)
	if err != nil || c.Data != filepath.Join(dir, "data") || c.Zones[0] != filepath.Join(dir, "my/zones.geojson") || c.Public.TLS.Cert != "" {
		t.Errorf("%v: %+v", err, c)
	}
	write(good)
	if c, err = ReadConfig(file); err != nil || c.Zones[0] != "ua" {
		t.Errorf("%v: %+v", err, c.Zones)
	}
	write("# " + strings.Repeat("x", maxConfig))
	if _, err = ReadConfig(file); err == nil || !strings.Contains(err.Error(), "over") {
		t.Errorf("endless: %v", err)
	}
	if _, err = ReadConfig(filepath.Join(dir, "nowhere.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

// TestOpenRefuses: each with what is wrong; and what it had taken is given back, so that the
// mended configuration opens.
func TestOpenRefuses(t *testing.T) {
	leavesNothing(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := filepath.Join(t.TempDir(), "bad.geojson")
	if err := os.WriteFile(bad, []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},"geometry":null}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o := newOffice(t)
	for name, c := range map[string]struct {
		change func(*Config)
		names  string
	}{
		"public port":   {func(c *Config) { c.Public.Listen = taken.Addr().String() }, "public: "},
		"desk port":     {func(c *Config) { c.Desk.Listen = taken.Addr().String() }, "desk: "},
		"no zone file":  {func(c *Config) { c.Zones = []string{"nowhere.geojson"} }, "zones: "},
		"bad zone file": {func(c *Config) { c.Zones = []string{bad} }, "refused as a whole"},
		"policy":        {func(c *Config) { c.Policy = bad }, "policy: "},
		"language":      {func(c *Config) { c.Languages = []string{"xx"} }, "languages: "},
		"universe":      {func(c *Config) { c.Universe = alert.Live }, "keys: "},
		"certificate":   {func(c *Config) { c.Public.TLS = TLS{Cert: bad, Key: bad} }, "tls: "},
		"data":          {func(c *Config) { c.Data = filepath.Join(bad, "x") }, "data: "},
		"check":         {func(c *Config) { c.Sender = "" }, "sender"},
	} {
		cfg := o.cfg
		c.change(&cfg)
		_, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v; it must name %q", name, err, c.names)
		}
	}
	if err := o.open(t).Close(); err != nil {
		t.Errorf("after all these: %v", err)
	}
}

// TestSecondProcessIsToldWhoHoldsIt: issue 2, bad input.
func TestSecondProcessIsToldWhoHoldsIt(t *testing.T) {
	o := newOffice(t)
	o.open(t)
	_, err := Open(t.Context(), o.cfg, slog.New(slog.DiscardHandler))
	var held *journal.HeldError
	if !errors.As(err, &held) || held.PID != os.Getpid() || strings.Count(err.Error(), "stop") != 1 {
		t.Errorf("%v", err)
	}
}

// TestLiveNeedsKeys: the live universe never makes its own.
func TestLiveNeedsKeys(t *testing.T) {
	o := newOffice(t)
	o.cfg.Data, o.cfg.Universe = t.TempDir(), alert.Live
	if _, err := Open(t.Context(), o.cfg, slog.New(slog.DiscardHandler)); !errors.Is(err, keyring.ErrNoKeys) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(keyring.RootFile(o.cfg.Data)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made a root key: %v", err)
	}
}
