package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"time"

	"tocsin/core/alert"
	"tocsin/core/observation"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
)

// MaxRecorded bounds one line of a recording: a memory of tens of thousands of warned zones
// has several MiB.
const MaxRecorded = 64 << 20

// ErrInexact says that a recording has no exact form for a value: not a number, infinite, a
// zero below zero, a text that is not UTF-8, a time that cannot be written, a policy without
// its file. It is not recorded, and the reader finds the gap by the numbers.
var ErrInexact = errors.New("cannot be recorded exactly")

// Recorded is one line of a recording of the core's inputs. Exactly one of Input, Beginning
// and Ended is set.
//
// Its form is JSON, for it must be read in years, by other revisions of this program and by
// people. Go writes a finite number in the fewest digits that give the same one back.
type Recorded struct {
	// Number counts the inputs of a core from 1 on, recorded or not: what is missing shows.
	Number uint64
	Now    time.Time // that Step was given, to the nanosecond
	Input  Input

	Beginning *Beginning
	Ended     *Ended
}

// Ended says that a recording is whole up to an input, the last that the core was given.
// Orderly: the process ended because it was told to, and kept everything before.
type Ended struct {
	Number  uint64 `json:"n"`
	Orderly bool   `json:"orderly"`
}

// World is what a recording only names: zone sets by version, time zones by name.
type World struct {
	Sets     func(version string) (*zone.Set, error)
	Location func(name string) (*time.Location, error)
}

// line is the form of a Recorded.
type line struct {
	Number uint64 `json:"n,omitempty"`
	Now    int64  `json:"now,omitempty"` // nanoseconds since 1970 UTC

	Restored  *restoredForm     `json:"restored,omitempty"`
	Observed  []observedForm    `json:"observed,omitempty"`
	Commanded *warning.Command  `json:"commanded,omitempty"`
	Received  *alert.Receipt    `json:"received,omitempty"`
	Health    *health.Condition `json:"health,omitempty"`
	Policy    *policyForm       `json:"policy,omitempty"`
	Zones     *setForm          `json:"zones,omitempty"`
	Ticked    *struct{}         `json:"ticked,omitempty"`

	Beginning *Beginning `json:"beginning,omitempty"`
	Ended     *Ended     `json:"ended,omitempty"`
}

type restoredForm struct {
	Warnings []warning.Warning `json:"warnings"`
	Alerts   []alert.Alert     `json:"alerts"`
	Commands []string          `json:"commands"`
}

// observedForm is an observation with its body beside it, under the name of its kind.
type observedForm struct {
	observation.Observation
	Plot        *observation.Plot        `json:"plot,omitempty"`
	Fix         *observation.Fix         `json:"fix,omitempty"`
	SensorTrack *observation.SensorTrack `json:"sensor_track,omitempty"`
	Bearing     *observation.Bearing     `json:"bearing,omitempty"`
	Presence    *observation.Presence    `json:"presence,omitempty"`
	Cue         *observation.Cue         `json:"cue,omitempty"`
	Cooperative *observation.Cooperative `json:"cooperative,omitempty"`
	Absence     *observation.Absence     `json:"absence,omitempty"`
}

// policyForm is a policy: the bytes of its file, and their hash, which stands in every
// decision made under it.
type policyForm struct {
	Hash string `json:"hash"`
	File []byte `json:"file"`
}

// setForm is a zone set by its version, with what it knows of ids that are gone.
type setForm struct {
	Version string              `json:"version"`
	Memory  map[zone.ID]zone.ID `json:"memory,omitempty"`
}

// Append appends the line of r to dst, without a line feed. ErrInexact is a value that would
// not come back as it is; then dst is returned as it was.
func (r Recorded) Append(dst []byte) ([]byte, error) {
	var err error
	if r.Beginning != nil {
		err = r.Beginning.exact()
	}
	var b []byte
	if err == nil {
		b, err = r.marshal()
	}
	if err != nil {
		return dst, fmt.Errorf("pipeline: record: %w", err)
	}
	return append(dst, b...), nil
}

func (r Recorded) marshal() ([]byte, error) {
	form, err := r.form()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(form)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrInexact, err)
	case len(b) > MaxRecorded:
		return nil, fmt.Errorf("%d bytes, at most %d are kept: %w", len(b), MaxRecorded, ErrInexact)
	case bytes.Contains(b, []byte(`\ufffd`)):
		// What json writes where a text is not UTF-8; a real U+FFFD is written as it is.
		return nil, fmt.Errorf("a text is not UTF-8: %w", ErrInexact)
	}
	return b, nil
}

func (r Recorded) form() (line, error) {
	if r.Beginning != nil || r.Ended != nil {
		return line{Beginning: r.Beginning, Ended: r.Ended}, nil
	}
	f := line{Number: r.Number}
	var err error
	if f.Now = r.Now.UnixNano(); !time.Unix(0, f.Now).Equal(r.Now) {
		return f, fmt.Errorf("the time %s: %w", r.Now, ErrInexact)
	}
	switch in := r.Input.(type) {
	case Restored:
		f.Restored = &restoredForm{in.Warnings, in.Alerts, in.Commands}
	case Observed:
		f.Observed = make([]observedForm, 1+len(in.More))
		err = f.Observed[0].take(in.Observation)
		for i := range in.More {
			err = errors.Join(err, f.Observed[i+1].take(in.More[i]))
		}
	case Commanded:
		f.Commanded = &in.Command
	case Received:
		f.Received = &in.Receipt
	case Health:
		f.Health = &in.Condition
	case PolicyChanged:
		f.Policy, err = formOfPolicy(in.Policy, in.File)
	case ZonesChanged:
		form := formOfSet(in.Zones)
		f.Zones = &form
	case Ticked:
		f.Ticked = &struct{}{}
	default:
		err = fmt.Errorf("%T: %w", in, ErrInexact)
	}
	return f, err
}

// take puts an observation into its form. The zeros that JSON leaves out must be plain ones.
func (f *observedForm) take(o observation.Observation) error {
	f.Observation = o
	var leftOut []float64
	switch b := o.Body.(type) {
	case nil:
	case observation.Plot:
		f.Plot = &b
		leftOut = []float64{float64(b.Elevation), float64(b.Height), float64(b.HeightError), float64(b.Doppler)}
	case observation.Fix:
		f.Fix = &b
	case observation.SensorTrack:
		f.SensorTrack = &b
	case observation.Bearing:
		f.Bearing = &b
		leftOut = []float64{float64(b.Elevation), float64(b.From.Lat), float64(b.From.Lon), float64(b.From.Height)}
	case observation.Presence:
		f.Presence = &b
	case observation.Cue:
		f.Cue = &b
	case observation.Cooperative:
		f.Cooperative = &b
	case observation.Absence:
		f.Absence = &b
		leftOut = []float64{float64(b.From), float64(b.To)}
	default:
		return fmt.Errorf("a body %T: %w", b, ErrInexact)
	}
	return plainZeros(append(leftOut, o.Says[:]...))
}

func plainZeros(all []float64) error {
	for _, x := range all {
		if x == 0 && math.Signbit(x) {
			return fmt.Errorf("a zero below zero: %w", ErrInexact)
		}
	}
	return nil
}

// observation takes it out again; more than one body is none that we wrote.
func (f *observedForm) observation() (observation.Observation, error) {
	o := f.Observation
	bodies := 0
	put := func(there bool, body func() observation.Body) {
		if there {
			o.Body = body()
			bodies++
		}
	}
	put(f.Plot != nil, func() observation.Body { return *f.Plot })
	put(f.Fix != nil, func() observation.Body { return *f.Fix })
	put(f.SensorTrack != nil, func() observation.Body { return *f.SensorTrack })
	put(f.Bearing != nil, func() observation.Body { return *f.Bearing })
	put(f.Presence != nil, func() observation.Body { return *f.Presence })
	put(f.Cue != nil, func() observation.Body { return *f.Cue })
	put(f.Cooperative != nil, func() observation.Body { return *f.Cooperative })
	put(f.Absence != nil, func() observation.Body { return *f.Absence })
	if bodies > 1 {
		return o, fmt.Errorf("an observation with %d bodies", bodies)
	}
	return o, nil
}

// ReadRecorded reads one line. A key that is not known, a line that is nothing or two
// things, a policy that is not what its hash says, and a zone set that the world does not
// have are errors.
func ReadRecorded(b []byte, w World) (Recorded, error) {
	r, err := readRecorded(b, w)
	if err != nil {
		return Recorded{}, fmt.Errorf("pipeline: recording: %w", err)
	}
	return r, nil
}

func readRecorded(b []byte, w World) (r Recorded, err error) {
	if len(b) > MaxRecorded {
		return r, fmt.Errorf("a line of %d bytes, at most %d are read", len(b), MaxRecorded)
	}
	var f line
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return r, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("something stands behind the line")
	}
	if n := f.things(); n != 1 {
		return r, fmt.Errorf("a line that is %d things", n)
	}
	switch {
	case f.Beginning != nil:
		r.Beginning = f.Beginning
	case f.Ended != nil:
		r.Ended = f.Ended
	case f.Number == 0:
		return r, errors.New("an input without a number")
	default:
		r.Number, r.Now = f.Number, time.Unix(0, f.Now).UTC()
		r.Input, err = f.input(w)
	}
	return r, err
}

// things is how many of the things that a line can be it is.
func (f *line) things() int {
	n := 0
	for _, there := range []bool{
		f.Restored != nil, len(f.Observed) > 0, f.Commanded != nil, f.Received != nil, f.Health != nil, f.Policy != nil, f.Zones != nil,
		f.Ticked != nil, f.Beginning != nil, f.Ended != nil,
	} {
		if there {
			n++
		}
	}
	return n
}

func (f *line) input(w World) (Input, error) {
	switch {
	case f.Restored != nil:
		return Restored{Warnings: f.Restored.Warnings, Alerts: f.Restored.Alerts, Commands: f.Restored.Commands}, nil
	case f.Commanded != nil:
		return Commanded{*f.Commanded}, nil
	case f.Received != nil:
		return Received{*f.Received}, nil
	case f.Health != nil:
		return Health{*f.Health}, nil
	case f.Policy != nil:
		p, err := f.Policy.policy()
		return PolicyChanged{Policy: p, File: f.Policy.File}, err
	case f.Zones != nil:
		set, err := f.Zones.set(w)
		return ZonesChanged{set}, err
	case f.Ticked != nil:
		return Ticked{}, nil
	}
	first, err := f.Observed[0].observation()
	in := Observed{Observation: first}
	if len(f.Observed) > 1 {
		in.More = make([]observation.Observation, len(f.Observed)-1)
	}
	for i := range in.More {
		if err == nil {
			in.More[i], err = f.Observed[i+1].observation()
		}
	}
	return in, err
}

// formOfPolicy holds a policy against its file; nil is the file that ships.
func formOfPolicy(p warning.Policy, file []byte) (*policyForm, error) {
	if file == nil {
		file = warning.ShippedPolicy()
	}
	f := &policyForm{Hash: p.Hash, File: file}
	back, err := f.policy()
	if err == nil && !reflect.DeepEqual(back, p) {
		err = errors.New("a policy that is not what its file says")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInexact, err)
	}
	return f, nil
}

func (f *policyForm) policy() (warning.Policy, error) {
	p, err := warning.ReadPolicy(f.File)
	if err == nil && p.Hash != f.Hash {
		err = fmt.Errorf("the policy's file has the hash %.12s, and is said to have %.12s", p.Hash, f.Hash)
	}
	return p, err
}

func formOfSet(s *zone.Set) setForm {
	f := setForm{Version: s.Version(), Memory: s.Memory()}
	if len(f.Memory) == 0 {
		f.Memory = nil
	}
	return f
}

func (f *setForm) set(w World) (*zone.Set, error) {
	if w.Sets == nil {
		return nil, fmt.Errorf("no zone sets are known: %s", f.Version)
	}
	set, err := w.Sets(f.Version)
	if err != nil {
		return nil, err
	}
	if set.Version() != f.Version {
		return nil, fmt.Errorf("the zone set %s was given for %s", set.Version(), f.Version)
	}
	return set.Recall(f.Memory), nil
}
