package pipeline_test

import (
	"bytes"
	"testing"
	"time"

	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
)

// confusing is a source's matrix with figures that have no short binary form.
var confusing = observation.Confusion{
	class.Unknown:          {class.Unknown: 1},
	class.BallisticMissile: {class.BallisticMissile: 0.9, class.Rocket: 0.1},
	class.CruiseMissile:    {class.CruiseMissile: 1.0 / 3, class.Aircraft: 2.0 / 3},
	class.Rocket:           {class.Rocket: 0.7, class.BallisticMissile: 0.3},
	class.Drone:            {class.Drone: 0.8, class.Aircraft: 0.15, class.Unknown: 0.05},
	class.GlideBomb:        {class.GlideBomb: 1},
	class.Aircraft:         {class.Aircraft: 0.7, class.Drone: 0.3},
}

// TestConfusionIsRecorded: a night of sources that confuse classes is made anew byte for byte
// from what was recorded of it, and is another without their matrices.
func TestConfusionIsRecorded(t *testing.T) {
	w := world(t, "restart", 2*time.Minute)
	inputs, _ := run(t, w)
	sources := w.Sources()
	for i := range sources {
		sources[i].Confusion = confusing
	}
	recordedOf := func(sources []observation.Source) *pipeline.Pipeline {
		b, err := pipeline.BeginningOf(config(t, sources, "A"), nil)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := readBack(t, recorded(t, pipeline.Recorded{Beginning: &b})).Beginning.Config(known(t))
		if err != nil {
			t.Fatal(err)
		}
		return pipeline.New(cfg)
	}
	first, again, plain := pipeline.New(config(t, sources, "A")), recordedOf(sources), recordedOf(w.Sources())
	var want, got, other bytes.Buffer
	for i, in := range inputs {
		if o, ok := in.in.(pipeline.Observed); ok {
			o.Observation.Says = class.Of(class.Aircraft)
			in.in = o
		}
		r := readBack(t, recorded(t, pipeline.Recorded{Number: uint64(i + 1), Now: in.now, Input: in.in}))
		write(t, &want, in.now, first.Step(in.now, in.in))
		write(t, &got, r.Now, again.Step(r.Now, r.Input))
		write(t, &other, r.Now, plain.Step(r.Now, r.Input))
	}
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Error(difference(want.Bytes(), got.Bytes()))
	}
	if bytes.Equal(want.Bytes(), other.Bytes()) {
		t.Error("the matrix changed nothing: it proves nothing")
	}
}

// TestCueIsWeighedByTheMatrix: who is known to call rockets ballistic missiles has people
// near the launch told of rockets.
func TestCueIsWeighedByTheMatrix(t *testing.T) {
	rockets := func(c observation.Confusion) (told int) {
		core := pipeline.New(config(t, []observation.Source{{ID: "desk", Kind: "authority", Trust: 0.95, Confusion: c}}, "t"))
		core.Step(start, pipeline.Restored{})
		_, cue := launched(t)
		cue.Observation.Says = class.Of(class.BallisticMissile)
		for _, change := range core.Step(start.Add(time.Minute), cue) {
			if w, ok := change.(pipeline.WarningChanged); ok {
				for _, z := range w.Warning.Zones {
					if z.Threat == class.Rocket {
						told++
					}
				}
			}
		}
		return told
	}
	c := confusing
	c[class.Rocket] = class.Mix{class.BallisticMissile: 1}
	c[class.BallisticMissile] = class.Mix{class.BallisticMissile: 0.02, class.Rocket: 0.98}
	if plain, weighed := rockets(observation.Confusion{}), rockets(c); plain > 0 || weighed < 3 {
		t.Errorf("%d zones are told of rockets at its word, %d by the matrix", plain, weighed)
	}
}
