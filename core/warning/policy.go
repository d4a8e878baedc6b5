package warning

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tocsin/core/class"
)

// Policy is the authority's rules, read from one versioned file. It is a value and safe
// to share.
type Policy struct {
	// Hash names the file's exact bytes: SHA-256 in hexadecimal.
	Hash string
	// Longest is how long a warning outlives the last sight of what it is about.
	Longest time.Duration
	// Respect is how long a person's end holds against the same track.
	Respect time.Duration
	// Unidentified is what a track is taken for that nobody vouched for.
	Unidentified Unidentified
	// Rules are per class and stage; see Rule.
	Rules [class.Count][2]Rule
}

// Rule returns the rule of a class and a stage in force, Prepare or Shelter.
func (p Policy) Rule(c class.Class, s Stage) Rule {
	if !c.Valid() || s == Quiet || s > Shelter {
		return Rule{}
	}
	return p.Rules[c][s-1]
}

// Rule is when one stage starts and ends for one class.
type Rule struct {
	Probability float64       // that starts it, above 0, at most 1
	AtOnce      bool          // whatever time is left; Lead is 0 then
	Lead        time.Duration // before arrival, on top of shelter and delivery time
	Clear       float64       // as a fraction of Probability, above 0, below 1
	Hold        time.Duration // how long it must be clear
	Stay        time.Duration // the shortest time the stage lasts
	Mode        Mode
}

// Mode is what a decision of the policy needs before it is spoken. The zero value is
// automatic. Confirm waits for a person; a Veto lets a person say no for that long.
type Mode struct {
	Confirm bool
	Veto    time.Duration
}

// Automatic reports whether the decision is spoken at once.
func (m Mode) Automatic() bool { return m == Mode{} }

// Unidentified is what a track is taken for that nobody vouched for. The zero value
// takes it by its class.
type Unidentified struct {
	Ignore bool
	As     class.Class
	Fixed  bool // take it as As, whatever its class
}

//go:embed policy.yaml
var shipped []byte

// DefaultPolicy is the policy that ships.
func DefaultPolicy() Policy {
	p, err := ReadPolicy(shipped)
	if err != nil {
		// The file is part of the program and TestDefaultPolicy reads it: this cannot happen
		// in a program that was tested, and no warning can be given without a policy.
		panic("warning: the policy that ships: " + err.Error())
	}
	return p
}

// ShippedPolicy returns the bytes of the policy that ships, for an authority to start from.
func ShippedPolicy() []byte { return bytes.Clone(shipped) }

// maxPolicy is how long a policy file may be; the one that ships has under 4 KiB.
const maxPolicy = 64 << 10

// The file's form. Pointers tell what is missing from what is zero.
type policyFile struct {
	Longest      *span         `yaml:"longest"`
	Respect      *span         `yaml:"respect"`
	Unidentified *unidentified `yaml:"unidentified"`
	Threats      *struct {
		BallisticMissile *stagesFile `yaml:"ballistic-missile"`
		CruiseMissile    *stagesFile `yaml:"cruise-missile"`
		Rocket           *stagesFile `yaml:"rocket"`
		Drone            *stagesFile `yaml:"drone"`
		GlideBomb        *stagesFile `yaml:"glide-bomb"`
		Aircraft         *stagesFile `yaml:"aircraft"`
		Unknown          *stagesFile `yaml:"unknown"`
	} `yaml:"threats"`
}

type stagesFile struct {
	Prepare *ruleFile `yaml:"prepare"`
	Shelter *ruleFile `yaml:"shelter"`
}

type ruleFile struct {
	Probability *float64 `yaml:"probability"`
	Lead        *lead    `yaml:"lead"`
	Clear       *float64 `yaml:"clear"`
	Hold        *span    `yaml:"hold"`
	Stay        *span    `yaml:"stay"`
	Mode        *mode    `yaml:"mode"`
}

type (
	span         time.Duration
	unidentified Unidentified
	mode         Mode
	lead         struct {
		atOnce bool
		span   time.Duration
	}
)

// ReadPolicy reads a policy file strictly: an unknown or repeated key, a missing rule and
// a figure out of its range are errors that name the line or the rule. It never fills in
// a default: a rule that is not written is not known to be meant.
func ReadPolicy(file []byte) (Policy, error) {
	if len(file) > maxPolicy {
		return Policy{}, fmt.Errorf("policy: %d bytes: at most %d are read", len(file), maxPolicy)
	}
	var f policyFile
	d := yaml.NewDecoder(bytes.NewReader(file))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		if errors.Is(err, io.EOF) {
			return Policy{}, errors.New("policy: the file is empty")
		}
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Policy{}, errors.New("policy: more than one document in the file")
	}
	p, err := f.policy()
	if err != nil {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	sum := sha256.Sum256(file)
	p.Hash = hex.EncodeToString(sum[:])
	return p, nil
}

func (f policyFile) policy() (Policy, error) {
	var p Policy
	if f.Longest == nil || f.Respect == nil || f.Unidentified == nil || f.Threats == nil {
		return p, errors.New("longest, respect, unidentified and threats must all be there")
	}
	p.Longest, p.Respect = time.Duration(*f.Longest), time.Duration(*f.Respect)
	p.Unidentified = Unidentified(*f.Unidentified)
	if p.Longest < 10*time.Minute || p.Longest > 24*time.Hour {
		return p, fmt.Errorf("longest: %s is not between 10m and 24h", p.Longest)
	}
	if p.Respect > 6*time.Hour {
		return p, fmt.Errorf("respect: %s is over 6h", p.Respect)
	}
	t := f.Threats
	per := [class.Count]*stagesFile{
		class.Unknown: t.Unknown, class.BallisticMissile: t.BallisticMissile, class.CruiseMissile: t.CruiseMissile,
		class.Rocket: t.Rocket, class.Drone: t.Drone, class.GlideBomb: t.GlideBomb, class.Aircraft: t.Aircraft,
	}
	for _, c := range class.All() {
		if per[c] == nil {
			return p, fmt.Errorf("threats: %s is missing", c)
		}
		for i, r := range [...]*ruleFile{per[c].Prepare, per[c].Shelter} {
			rule, err := r.rule()
			if err != nil {
				return p, fmt.Errorf("threats: %s: %s: %w", c, Stage(i+1), err)
			}
			p.Rules[c][i] = rule
		}
	}
	return p, nil
}

func (r *ruleFile) rule() (Rule, error) {
	if r == nil {
		return Rule{}, errors.New("is missing")
	}
	if r.Probability == nil || r.Lead == nil || r.Clear == nil || r.Hold == nil || r.Stay == nil || r.Mode == nil {
		return Rule{}, errors.New("probability, lead, clear, hold, stay and mode must all be there")
	}
	if !(*r.Probability > 0 && *r.Probability <= 1) {
		return Rule{}, fmt.Errorf("probability: %v is not above 0 and at most 1", *r.Probability)
	}
	if !(*r.Clear > 0 && *r.Clear < 1) {
		return Rule{}, fmt.Errorf("clear: %v is not between 0 and 1", *r.Clear)
	}
	if r.Lead.span > 6*time.Hour || *r.Hold > span(time.Hour) || *r.Stay > span(6*time.Hour) {
		return Rule{}, errors.New("lead and stay are at most 6h, hold at most 1h")
	}
	return Rule{
		Probability: *r.Probability, AtOnce: r.Lead.atOnce, Lead: r.Lead.span, Clear: *r.Clear,
		Hold: time.Duration(*r.Hold), Stay: time.Duration(*r.Stay), Mode: Mode(*r.Mode),
	}, nil
}

// UnmarshalYAML reads a duration that is not below zero.
func (s *span) UnmarshalYAML(n *yaml.Node) error {
	d, err := duration(n, n.Value)
	*s = span(d)
	return err
}

// UnmarshalYAML reads "at once" or a duration.
func (l *lead) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == "at once" {
		*l = lead{atOnce: true}
		return nil
	}
	d, err := duration(n, n.Value)
	*l = lead{span: d}
	return err
}

// UnmarshalYAML reads "automatic", "confirm" or "veto" with a duration.
func (m *mode) UnmarshalYAML(n *yaml.Node) error {
	v := n.Value
	switch rest, veto := strings.CutPrefix(v, "veto "); {
	case n.Kind != yaml.ScalarNode:
		return fmt.Errorf("line %d: not a mode", n.Line)
	case v == "automatic":
		*m = mode{}
	case v == "confirm":
		*m = mode{Confirm: true}
	case veto:
		d, err := duration(n, strings.ReplaceAll(rest, " ", ""))
		if err != nil {
			return err
		}
		if d < time.Second || d > time.Minute {
			return fmt.Errorf("line %d: veto: %s is not between 1s and 1m", n.Line, d)
		}
		*m = mode{Veto: d}
	default:
		return fmt.Errorf("line %d: %q is not automatic, confirm or veto with a duration", n.Line, clip(v, 40))
	}
	return nil
}

// UnmarshalYAML reads "by class", "ignore" or the name of a threat.
func (u *unidentified) UnmarshalYAML(n *yaml.Node) error {
	switch {
	case n.Kind != yaml.ScalarNode:
		return fmt.Errorf("line %d: unidentified: not a word", n.Line)
	case n.Value == "by class":
		*u = unidentified{}
		return nil
	case n.Value == "ignore":
		*u = unidentified{Ignore: true}
		return nil
	}
	c, err := class.Parse(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: unidentified: %q is not by class, ignore or a threat", n.Line, clip(n.Value, 40))
	}
	*u = unidentified{As: c, Fixed: true}
	return nil
}

func duration(n *yaml.Node, text string) (time.Duration, error) {
	if n.Kind != yaml.ScalarNode {
		return 0, fmt.Errorf("line %d: not a duration", n.Line)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("line %d: %q is not a duration such as 90s, 15m or 3h", n.Line, clip(text, 40))
	}
	if d < 0 {
		return 0, fmt.Errorf("line %d: %s is below zero", n.Line, d)
	}
	return d, nil
}

// clip bounds a stranger's words for a message, at a character's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
