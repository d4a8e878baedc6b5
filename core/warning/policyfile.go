package warning

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tocsin/core/class"
)

// Bounds of a policy file. The one that ships has under 8 KiB.
const (
	maxPolicy  = 64 << 10
	maxVersion = 40 // bytes of its name
)

// surest is the highest probability that may be asked for: a track's existence and the
// share of its futures in one zone are both under one, so that a rule above it would start
// when people already see the danger, or never.
const surest = 0.95

// Defaults for what a policy file may leave out.
var (
	defaultYoung = Young{Updates: 3, Sensors: 2, People: 1_000_000}
	defaultRearm = 10 * time.Minute
)

// ReadPolicy reads a policy file strictly. An unknown or repeated key, a missing rule, a
// figure out of its range and rules that contradict each other are errors that name the
// line and the reason. A rule that is not written is not known to be meant: it is never
// filled in; version, young and rearm may be left out.
func ReadPolicy(file []byte) (Policy, error) {
	p, err := readPolicy(file)
	if err != nil {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	sum := sha256.Sum256(file)
	p.Hash = hex.EncodeToString(sum[:])
	return p, nil
}

func readPolicy(file []byte) (Policy, error) {
	if len(file) > maxPolicy {
		return Policy{}, fmt.Errorf("%d bytes: at most %d are read", len(file), maxPolicy)
	}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(file))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return Policy{}, errors.New("the file is empty")
	case err != nil:
		return Policy{}, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Policy{}, errors.New("more than one document in the file")
	}
	if len(doc.Content) != 1 {
		return Policy{}, errors.New("the file is empty")
	}
	return policyOf(entry{node: doc.Content[0]})
}

// entry is one value of the file, with the keys that led to it.
type entry struct {
	node *yaml.Node
	path string
}

func (e entry) errorf(format string, args ...any) error {
	where := fmt.Sprintf("line %d: ", e.node.Line)
	if e.path != "" {
		where += e.path + ": "
	}
	return errors.New(where + fmt.Sprintf(format, args...))
}

// fields takes a mapping apart. Every key must be one of must or may, once; all of must
// have to be there.
func (e entry) fields(must []string, may ...string) (map[string]entry, error) {
	n := e.node
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return nil, e.errorf("here must be the keys %s", strings.Join(must, ", "))
	}
	out := map[string]entry{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		at := entry{node: k, path: e.path}
		if !slices.Contains(must, k.Value) && !slices.Contains(may, k.Value) {
			return nil, at.errorf("%q is no key here; known are %s", clip(k.Value, 40), strings.Join(append(slices.Clone(must), may...), ", "))
		}
		if _, twice := out[k.Value]; twice {
			return nil, at.errorf("%q stands here twice", k.Value)
		}
		path := k.Value
		if e.path != "" {
			path = e.path + ": " + k.Value
		}
		out[k.Value] = entry{node: v, path: path}
	}
	for _, name := range must {
		if _, ok := out[name]; !ok {
			return nil, e.errorf("%s is missing", name)
		}
	}
	return out, nil
}

// scalar is a value that is a word or a figure, as it is written.
func (e entry) scalar() (string, error) {
	n := e.node
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return "", e.errorf("here must be one value")
	}
	return n.Value, nil
}

func (e entry) number() (float64, error) {
	text, err := e.scalar()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, e.errorf("%q is not a number", clip(text, 40))
	}
	return v, nil
}

func (e entry) count(most int) (int, error) {
	v, err := e.number()
	if err == nil && (v != math.Trunc(v) || v < 0 || v > float64(most)) {
		err = e.errorf("%v is not a whole number from 0 to %d", v, most)
	}
	return int(v), err
}

// duration reads a span from 0 to most.
func (e entry) duration(most time.Duration) (time.Duration, error) {
	text, err := e.scalar()
	if err != nil {
		return 0, err
	}
	d, err := e.span(text)
	if err == nil && d > most {
		err = e.errorf("%s is over %s", text, brief(most))
	}
	return d, err
}

func (e entry) span(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, e.errorf("%q is not a duration such as 90s, 15m or 3h", clip(text, 40))
	}
	if d < 0 {
		return 0, e.errorf("%s is below zero", text)
	}
	return d, nil
}

// reader keeps the first error of several values read in a row.
type reader struct{ err error }

func read[T any](r *reader, e entry, of func(entry) (T, error)) T {
	var zero T
	if r.err != nil {
		return zero
	}
	v, err := of(e)
	if err != nil {
		r.err = err
		return zero
	}
	return v
}

func upTo(most time.Duration) func(entry) (time.Duration, error) {
	return func(e entry) (time.Duration, error) { return e.duration(most) }
}

func policyOf(top entry) (Policy, error) {
	p := Policy{Young: defaultYoung, Rearm: defaultRearm}
	f, err := top.fields([]string{"longest", "respect", "unidentified", "threats"}, "version", "young", "rearm")
	if err != nil {
		return p, err
	}
	var r reader
	p.Longest = read(&r, f["longest"], upTo(24*time.Hour))
	if r.err == nil && p.Longest < 10*time.Minute {
		return p, f["longest"].errorf("%s is under 10m", p.Longest)
	}
	p.Respect = read(&r, f["respect"], upTo(6*time.Hour))
	p.Unidentified = read(&r, f["unidentified"], entry.unidentified)
	if e, ok := f["version"]; ok {
		p.Version = read(&r, e, entry.version)
	}
	if e, ok := f["young"]; ok {
		p.Young = read(&r, e, entry.young)
	}
	if e, ok := f["rearm"]; ok {
		p.Rearm = read(&r, e, upTo(time.Hour))
	}
	if r.err != nil {
		return p, r.err
	}
	return p, p.readThreats(f["threats"])
}

func (p *Policy) readThreats(e entry) error {
	var names []string
	for _, c := range class.All() {
		names = append(names, c.String())
	}
	threats, err := e.fields(names)
	if err != nil {
		return err
	}
	for _, c := range class.All() {
		at := threats[c.String()]
		stages, err := at.fields([]string{Prepare.String(), Shelter.String()})
		if err != nil {
			return err
		}
		for _, s := range []Stage{Prepare, Shelter} {
			if p.Rules[c][s-1], err = stages[s.String()].rule(p.Longest); err != nil {
				return err
			}
		}
		if err := agree(p.Rule(c, Prepare), p.Rule(c, Shelter), stages[Prepare.String()]); err != nil {
			return err
		}
	}
	return nil
}

// agree refuses a prepare that asks for more than the shelter of the same class: it would
// never be said before it.
func agree(prepare, shelter Rule, at entry) error {
	if prepare.Probability > shelter.Probability {
		return at.errorf("its probability %v is above the shelter's %v: people would be sent to shelter before they are told to be ready", prepare.Probability, shelter.Probability)
	}
	if !prepare.AtOnce && !shelter.AtOnce && prepare.Lead < shelter.Lead {
		return at.errorf("its lead %s is shorter than the shelter's %s: people would be sent to shelter before they are told to be ready", brief(prepare.Lead), brief(shelter.Lead))
	}
	return nil
}

var ruleKeys = []string{"probability", "lead", "clear", "hold", "stay", "mode"}

func (e entry) rule(longest time.Duration) (Rule, error) {
	f, err := e.fields(ruleKeys)
	if err != nil {
		return Rule{}, err
	}
	var r reader
	out := Rule{
		Probability: read(&r, f["probability"], entry.number),
		Clear:       read(&r, f["clear"], entry.number),
		Hold:        read(&r, f["hold"], upTo(time.Hour)),
		Stay:        read(&r, f["stay"], upTo(6*time.Hour)),
		Mode:        read(&r, f["mode"], entry.mode),
	}
	out.AtOnce = f["lead"].node.Value == "at once"
	if !out.AtOnce {
		out.Lead = read(&r, f["lead"], upTo(6*time.Hour))
	}
	switch {
	case r.err != nil:
		return Rule{}, r.err
	case out.Probability <= 0:
		return Rule{}, f["probability"].errorf("%v is not above 0: everything everywhere would be warned for ever", out.Probability)
	case out.Probability > surest:
		return Rule{}, f["probability"].errorf("%v is above %v: no forecast is surer of one zone in time, so the rule would never start", out.Probability, surest)
	case out.Clear <= 0 || out.Clear >= 1:
		return Rule{}, f["clear"].errorf("%v is not between 0 and 1", out.Clear)
	case out.Hold+out.Stay >= longest:
		return Rule{}, e.errorf("hold and stay together are not below longest (%s): nothing could be cleared before it runs out", brief(longest))
	}
	return out, nil
}

// mode reads "automatic", "confirm" or "veto" with a duration.
func (e entry) mode() (Mode, error) {
	text, err := e.scalar()
	if err != nil {
		return Mode{}, err
	}
	switch rest, veto := strings.CutPrefix(text, "veto "); {
	case text == "automatic":
		return Mode{}, nil
	case text == "confirm":
		return Mode{Confirm: true}, nil
	case veto:
		d, err := e.span(strings.ReplaceAll(rest, " ", ""))
		if err == nil && (d < time.Second || d > time.Minute) {
			err = e.errorf("a veto of %s is not between 1s and 1m", d)
		}
		return Mode{Veto: d}, err
	default:
		return Mode{}, e.errorf("%q is not automatic, confirm or veto with a duration", clip(text, 40))
	}
}

// unidentified reads "by class", "ignore" or the name of a threat.
func (e entry) unidentified() (Unidentified, error) {
	text, err := e.scalar()
	switch {
	case err != nil:
		return Unidentified{}, err
	case text == "by class":
		return Unidentified{}, nil
	case text == "ignore":
		return Unidentified{Ignore: true}, nil
	}
	c, err := class.Parse(text)
	if err != nil {
		return Unidentified{}, e.errorf("%q is not by class, ignore or a threat", clip(text, 40))
	}
	return Unidentified{As: c, Fixed: true}, nil
}

func (e entry) young() (Young, error) {
	if text, err := e.scalar(); err == nil && text == "unbounded" {
		return Young{}, nil
	}
	f, err := e.fields([]string{"updates", "sensors", "people"}, "last")
	if err != nil {
		return Young{}, err
	}
	var r reader
	counted := func(most int) func(entry) (int, error) {
		return func(e entry) (int, error) { return e.count(most) }
	}
	y := Young{
		Updates: read(&r, f["updates"], counted(20)),
		Sensors: read(&r, f["sensors"], counted(8)),
		People:  read(&r, f["people"], counted(2_000_000_000)),
	}
	if last, ok := f["last"]; ok {
		y.Last = read(&r, last, upTo(10*time.Minute))
	}
	return y, r.err
}

// versionForm keeps the name of an edition fit for one line of any report.
var versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]*$`)

func (e entry) version() (string, error) {
	text, err := e.scalar()
	if err == nil && (len(text) > maxVersion || !versionForm.MatchString(text)) {
		err = e.errorf("a version has 1 to %d letters, digits, spaces, dots, dashes or underscores", maxVersion)
	}
	return text, err
}

// brief writes a span as it is written in the file: 10m, not 10m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// clip bounds a stranger's words for a message, at a character's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
