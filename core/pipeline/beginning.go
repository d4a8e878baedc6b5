package pipeline

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"tocsin/core/alert"
	"tocsin/core/observation"
	"tocsin/core/threat"
)

// Beginning is everything that a core was made with, as plain data: the first line of what
// is recorded of it. Each of a Config is left out, for what comes of it is the same.
type Beginning struct {
	// At is when it was made, Program what it ran in, in words: two that differ need not
	// decide alike.
	At      time.Time `json:"at"`
	Program string    `json:"program"`
	// Start counts the starts on a data folder. Journal is the newest position of its journal
	// before this one: what stands behind it was decided by this core or by a later one.
	Start   int   `json:"start"`
	Journal int64 `json:"journal"`

	Universe  alert.Universe       `json:"universe"`
	Sender    string               `json:"sender"`
	Name      map[string]string    `json:"name,omitempty"`
	Languages []string             `json:"languages"`
	Timezone  string               `json:"timezone"`
	Zones     setForm              `json:"zones"`
	Policy    policyForm           `json:"policy"`
	Sources   []observation.Source `json:"sources"`
	Prefix    string               `json:"prefix"`
}

// BeginningOf writes down a configuration; file is what its policy was read from, nil for
// the one that ships. ErrInexact is one that would not come back as it is.
func BeginningOf(cfg Config, file []byte) (Beginning, error) {
	policy, err := formOfPolicy(cfg.Policy, file)
	if err == nil && cfg.Models != (threat.Models{}) {
		err = fmt.Errorf("models other than the usual: %w", ErrInexact)
	}
	if err != nil {
		return Beginning{}, fmt.Errorf("pipeline: beginning: %w", err)
	}
	location := cfg.Alert.Location
	if location == nil {
		location = time.UTC
	}
	return Beginning{
		Universe: cfg.Alert.Universe, Sender: cfg.Alert.Sender, Name: cfg.Alert.Name, Languages: cfg.Alert.Languages, Timezone: location.String(),
		Zones: formOfSet(cfg.Zones), Policy: *policy, Sources: cfg.Sources, Prefix: cfg.TrackPrefix,
	}, nil
}

// Config is what the core was made with.
func (b Beginning) Config(w World) (Config, error) {
	cfg := Config{
		Alert:   alert.Config{Universe: b.Universe, Sender: b.Sender, Name: b.Name, Languages: b.Languages},
		Sources: b.Sources, TrackPrefix: b.Prefix,
	}
	var err error
	if w.Location == nil {
		return cfg, errors.New("pipeline: beginning: no time zones are known")
	}
	if cfg.Alert.Location, err = w.Location(b.Timezone); err == nil {
		cfg.Alert, err = cfg.Alert.Prepare()
	}
	if err == nil {
		cfg.Policy, err = b.Policy.policy()
	}
	if err == nil {
		cfg.Zones, err = b.Zones.set(w)
	}
	if err != nil {
		return cfg, fmt.Errorf("pipeline: beginning: %w", err)
	}
	return cfg, nil
}

// ZoneSet is the version of the zone set that it began with, PolicyHash the policy's.
func (b Beginning) ZoneSet() string { return b.Zones.Version }

// PolicyHash is the hash of the policy that it began with.
func (b Beginning) PolicyHash() string { return b.Policy.Hash }

// exact reports whether a Beginning comes back from its line as it is. There is one a start,
// so that it can be tried.
func (b Beginning) exact() error {
	text, err := Recorded{Beginning: &b}.marshal()
	if err != nil {
		return err
	}
	back, err := readRecorded(text, World{})
	if err == nil && !reflect.DeepEqual(*back.Beginning, b) {
		err = errors.New("it does not come back as it was")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInexact, err)
	}
	return nil
}
