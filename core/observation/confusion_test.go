package observation

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"tocsin/core/class"
)

// confusing is a source that takes drones for aircraft, and the other way round.
func confusing() (c Confusion) {
	for k := range c {
		c[k] = class.Of(class.Class(k))
	}
	c[class.Drone] = class.Mix{class.Drone: 0.8, class.Aircraft: 0.15, class.Unknown: 0.05}
	c[class.Aircraft] = class.Mix{class.Aircraft: 0.7, class.Drone: 0.3}
	return c
}

func TestMeans(t *testing.T) {
	c := confusing()
	got := c.Means(class.Of(class.Drone))
	// By hand: 0.97·0.8 + 0.03/7 to 0.97·0.3 + 0.03/7.
	if ratio, want := got[class.Drone]/got[class.Aircraft], (0.97*0.8+0.03/7)/(0.97*0.3+0.03/7); math.Abs(ratio-want) > 1e-12 {
		t.Errorf("drone to aircraft is %v, want %v", ratio, want)
	}
	for k, p := range got {
		if p <= 0 {
			t.Errorf("%s is ruled out by one word", class.Class(k))
		}
	}
	words := class.Mix{class.Drone: 3, class.Rocket: 1}
	if (Confusion{}).Means(words) != words || c.Means(class.Mix{}) != (class.Mix{}) {
		t.Error("without a matrix, or words, something was made of them")
	}
	c[class.Rocket][class.Rocket] = math.NaN()
	if c.Means(words) != words {
		t.Error("a matrix that is none was used")
	}
}

func TestConfusionsAreRefused(t *testing.T) {
	if err := confusing().Check(); err != nil {
		t.Fatal(err)
	}
	if err := (Confusion{}).Check(); err != nil {
		t.Fatalf("none is sound: %v", err)
	}
	for name, spoil := range map[string]func(*Confusion){
		"negative":   func(c *Confusion) { c[class.Drone] = class.Mix{class.Drone: 1.2, class.Aircraft: -0.2} },
		"short":      func(c *Confusion) { c[class.Drone][class.Drone] = 0.7 },
		"long":       func(c *Confusion) { c[class.Drone][class.Drone] = 0.9 },
		"no number":  func(c *Confusion) { c[class.Drone][class.Drone] = math.NaN() },
		"infinite":   func(c *Confusion) { c[class.Drone][class.Drone] = math.Inf(1) },
		"row is out": func(c *Confusion) { c[class.Unknown] = class.Mix{} },
	} {
		c := confusing()
		spoil(&c)
		if c.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Whatever is registered and said, what comes back is a probability, or the words as they were.
func TestMeansIsAlwaysAProbability(t *testing.T) {
	figure := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 1, 1e-320, -1, math.NaN(), math.Inf(1), math.MaxFloat64}))
	rapid.Check(t, func(t *rapid.T) {
		c, scale := Confusion{}, rapid.Bool().Draw(t, "scale")
		for k := range c {
			for w := range c[k] {
				c[k][w] = figure.Draw(t, "cell")
			}
			if scale {
				if c[k] = c[k].Normal(); !c[k].Said() {
					c[k] = class.Of(class.Unknown)
				}
			}
		}
		var words class.Mix
		for w := range words {
			words[w] = figure.Draw(t, "word")
		}
		got := c.Means(words)
		if c.Check() != nil || !words.Normal().Said() {
			return
		}
		sum := 0.0
		for k, p := range got {
			if !(p > 0) {
				t.Fatalf("%s has %v", class.Class(k), p)
			}
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("sums to %v", sum)
		}
	})
}
