package track

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/core/class"
	"tocsin/core/observation"
)

// confusing takes drones for aircraft and the other way round, as measured.
func confusing(id string) *observation.Source {
	s := &observation.Source{ID: id}
	for k := range s.Confusion {
		s.Confusion[k] = class.Of(class.Class(k))
	}
	s.Confusion[class.Drone] = class.Mix{class.Drone: 0.8, class.Aircraft: 0.15, class.Unknown: 0.05}
	s.Confusion[class.Aircraft] = class.Mix{class.Aircraft: 0.7, class.Drone: 0.25, class.Unknown: 0.05}
	s.Confusion[class.Unknown] = class.Mix{class.Unknown: 0.6, class.Drone: 0.2, class.Aircraft: 0.2}
	return s
}

// drawn is one of the classes as a mix has them.
func drawn(m class.Mix, g *rand.Rand) class.Class {
	at := g.Float64()
	for c, p := range m {
		if at -= p; at < 0 {
			return class.Class(c)
		}
	}
	return class.Unknown
}

// reliability is, by tenths of what was believed, how often it was so.
type reliability [10]struct{ n, believed, so float64 }

func (r *reliability) add(p float64, so bool) {
	b := &r[min(int(p*10), 9)]
	b.n++
	b.believed += p
	if so {
		b.so++
	}
}

// What is believed of the class happens as often as it is believed, where the source errs as
// its matrix has it: of what it says once, of what it says again and again of one object
// whose look deceives it for good, and of two such sources.
func TestWordsAreCalibrated(t *testing.T) {
	prior := class.Mix{class.Drone: 0.5, class.Aircraft: 0.4, class.Unknown: 0.1}
	for _, test := range []struct {
		name           string
		repeat, voices int
	}{{"once", 1, 1}, {"again and again", 20, 1}, {"two sources", 10, 2}} {
		t.Run(test.name, func(t *testing.T) {
			g := rand.New(rand.NewPCG(5, 7))
			var r reliability
			for range 20_000 {
				is := drawn(prior, g)
				var l lore
				for v := range test.voices {
					s := confusing(fmt.Sprint("s", v))
					says := class.Of(drawn(s.Confusion[is], g))
					for range test.repeat {
						l.hear(s, says)
					}
				}
				for c, p := range l.words.weigh(prior).Normal() {
					r.add(p, is == class.Class(c))
				}
			}
			bins := 0
			for _, b := range r {
				if b.n < 500 {
					continue
				}
				bins++
				if d := b.so/b.n - b.believed/b.n; math.Abs(d) > 0.03 {
					t.Errorf("believed %.3f, happened %.3f of %.0f", b.believed/b.n, b.so/b.n, b.n)
				}
				t.Logf("believed %.3f, happened %.3f of %.0f", b.believed/b.n, b.so/b.n, b.n)
			}
			if bins < 4 {
				t.Errorf("only %d tenths have anything in them", bins)
			}
		})
	}
}

// A source whose words err anew each time says more than we take: what is believed to be
// likely must happen at least as often.
func TestWordsThatErrAnewAreNotOverrated(t *testing.T) {
	prior := class.Mix{class.Drone: 0.5, class.Aircraft: 0.4, class.Unknown: 0.1}
	g, s := rand.New(rand.NewPCG(11, 13)), confusing("s")
	var r reliability
	for range 20_000 {
		is := drawn(prior, g)
		var l lore
		for range 20 {
			l.hear(s, class.Of(drawn(s.Confusion[is], g)))
		}
		for c, p := range l.words.weigh(prior).Normal() {
			r.add(p, is == class.Class(c))
		}
	}
	checked := 0
	for _, b := range r[6:] {
		if b.n < 500 {
			continue
		}
		checked++
		if b.so/b.n < b.believed/b.n-0.02 {
			t.Errorf("believed %.3f, happened %.3f of %.0f", b.believed/b.n, b.so/b.n, b.n)
		}
	}
	if checked < 2 {
		t.Error("nothing was likely")
	}
}

// A hundred words of one source are one witness, two sources are two; who changes its mind is heard.
func TestOneSourceIsOneWitness(t *testing.T) {
	flat := class.Mix{class.Drone: 0.5, class.Aircraft: 0.5}
	odds := func(l *lore) float64 { m := l.words.weigh(flat); return m[class.Drone] / m[class.Aircraft] }
	var once, often, two lore
	once.hear(confusing("a"), class.Of(class.Drone))
	for range 100 {
		often.hear(confusing("a"), class.Of(class.Drone))
	}
	two.hear(confusing("a"), class.Of(class.Drone))
	two.hear(confusing("b"), class.Of(class.Drone))
	two.hear(confusing("a"), class.Of(class.Drone))
	if odds(&once) != odds(&often) {
		t.Errorf("one word has odds %v, a hundred %v", odds(&once), odds(&often))
	}
	if got, want := odds(&two), odds(&once)*odds(&once); math.Abs(got/want-1) > 1e-9 {
		t.Errorf("two sources have odds %v, want %v", got, want)
	}
	for range 5 {
		often.hear(confusing("a"), class.Of(class.Aircraft))
	}
	if odds(&often) > 0.5 {
		t.Errorf("it changed its mind five words ago: odds %v", odds(&often))
	}
	if once.says.Said() {
		t.Error("its words were counted a second time, with those of the others")
	}
	for i := range 2 * maxWords {
		two.hear(confusing(fmt.Sprint("s", i)), class.Of(class.Drone))
	}
	if two.words[0].source != fmt.Sprint("s", 2*maxWords-1) || two.words[maxWords-1].source != fmt.Sprint("s", maxWords) {
		t.Errorf("kept are %q to %q", two.words[0].source, two.words[maxWords-1].source)
	}
}

// Whatever is said, and however it moves, the class is a probability, and what was possible
// by its motion stays so: unknown too.
func TestKindIsAlwaysAProbability(t *testing.T) {
	figure := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1, -1, math.NaN(), math.Inf(1), math.MaxFloat64, 1e-320}))
	rapid.Check(t, func(t *rapid.T) {
		m := memory{fact: fact{frame: newFrame(here), depths: 3}}
		m.blend.w[steady] = 1
		var s state
		s.p[2], s.v[0], s.v[2] = rapid.Float64Range(0, 3e5).Draw(t, "height"), rapid.Float64Range(0, 6000).Draw(t, "speed"), rapid.Float64Range(-2000, 2000).Draw(t, "climb")
		before := m.kind(&s)
		for range rapid.IntRange(0, 12).Draw(t, "words") {
			var says class.Mix
			for c := range says {
				says[c] = figure.Draw(t, "says")
			}
			next := lore{}
			if m.lore != nil {
				next = *m.lore
			}
			next.hear(confusing(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "source")), says)
			m.lore = &next
		}
		sum := 0.0
		for c, p := range m.kind(&s) {
			if !(p >= 0 && p <= 1) || before[c] > 1e-100 && p == 0 {
				t.Fatalf("%s has %v, by motion alone %v", class.Class(c), p, before[c])
			}
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("sums to %v", sum)
		}
	})
}

// The registered matrix is what a track's class is made of, from the first plot on.
func TestTrackHeedsTheMatrix(t *testing.T) {
	kind := func(c observation.Confusion) class.Mix {
		s := observation.Source{ID: "f", Kind: "radar", Period: 4 * time.Second, Detection: 0.9, Clutter: 0.1, Confusion: c}
		p := NewPicture(Config{Sources: []observation.Source{s}})
		var last class.Mix
		f, g := foreign{}, rand.New(rand.NewPCG(1, 2))
		for i := range 20 {
			at := after(float64(i) * 4)
			f.see([3]float64{float64(i) * 4 * 90, 0, 2000}, 20, 1, 4, g)
			for _, change := range p.Observe(at, observation.Observation{Source: "f", Key: "k", ObservedAt: at, ReceivedAt: at, Says: class.Of(class.Drone), Body: f.says()}) {
				last = change.Track.Class
			}
		}
		return last
	}
	believed, doubted := kind(observation.Confusion{}), kind(confusing("f").Confusion)
	// By hand: said drone, the floor of 0.03 speaks for an aircraft without the matrix, 0.25 to 0.8 with it.
	odds := func(m class.Mix) float64 { return m[class.Aircraft] / m[class.Drone] }
	want := (0.97*0.25 + 0.03/7) / (0.97*0.8 + 0.03/7) / (0.03 / 1.03)
	if got := odds(doubted) / odds(believed); !(math.Abs(got/want-1) < 1e-6) {
		t.Errorf("the matrix makes an aircraft %.4f times as likely, want %.4f", got, want)
	}
}

// A rewritten past that has a source say something else is another one.
func TestLoreIsComparedByWhatItSays(t *testing.T) {
	of := func(id string, c class.Class) *lore {
		l := &lore{}
		l.hear(confusing(id), class.Of(c))
		return l
	}
	a := of("a", class.Drone)
	if !a.equal(of("a", class.Drone)) || !(*lore)(nil).equal(nil) {
		t.Error("the same words are told apart")
	}
	for _, other := range []*lore{nil, {}, {says: class.Of(class.Drone), words: a.words}, of("b", class.Drone), of("a", class.Aircraft)} {
		if a.equal(other) || other.equal(a) {
			t.Errorf("%v is taken for %v", other, a)
		}
	}
}
