package cap12

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// What the sweep finds is what looking at every pair finds.
func TestCrossesAsEveryPairSays(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	crossing, plain := 0, 0
	for range 3000 {
		var p Polygon
		for range 4 + r.IntN(5) {
			p = append(p, Point{float64(r.IntN(9)), float64(r.IntN(9))})
		}
		p = append(p, p[0])
		want := false
		for i := 1; i < len(p); i++ {
			for j := 1; j < i; j++ {
				a, b, c, d := p[i-1], p[i], p[j-1], p[j]
				want = want || side(a, b, c)*side(a, b, d) < 0 && side(c, d, a)*side(c, d, b) < 0
			}
		}
		if want {
			crossing++
		} else {
			plain++
		}
		if got, _ := p.crosses(maxPairs); got != want {
			t.Fatalf("%v: crosses %v, every pair says %v", p, got, want)
		}
	}
	if crossing < 100 || plain < 100 {
		t.Errorf("%d cross, %d do not: that says nothing", crossing, plain)
	}
}

// Edges that all run side by side cost a bounded number of looks, and that is said, once.
func TestCrossingsAreBounded(t *testing.T) {
	var p Polygon
	for i := range 10_000 {
		lat := 40 + float64(i)/10_000
		p = append(p, Point{lat, 30}, Point{lat, 31})
	}
	p = append(p, Point{50, 40}, Point{30, 40}, p[0])
	a := golden()["alert"]
	a.Infos = a.Infos[:1]
	a.Infos[0].Areas[0].Polygons = []Polygon{p, p, p}
	b, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{}
	for range 3 {
		c.shape(&node{local: "polygon"}, p)
	}
	if c.pairs != maxPairs {
		t.Errorf("%d pairs of edges looked at, want %d", c.pairs, maxPairs)
	}
	if r := Check(b); !r.Valid() || len(r.Warnings) != 1 || r.Warnings[0].Rule != OddPolygonUnlooked {
		t.Errorf("%+v", r)
	}
}

// The polygons of a nationwide alert, as shipped sets have them, are looked at to the last.
func TestNationwideIsLookedAt(t *testing.T) {
	var areas []Area
	for i := range 1486 {
		a := square(fmt.Sprintf("Z-%d", i), "Zone", 46+float64(i/40)/50, 30+float64(i%40)/50)
		round := Polygon{}
		for k := range 80 { // a saw-toothed ring
			q := a.Polygons[0][k/20]
			next := a.Polygons[0][k/20+1]
			f := float64(k%20) / 20
			round = append(round, Point{q.Lat + f*(next.Lat-q.Lat) + float64(k%2)/1e4, q.Lon + f*(next.Lon-q.Lon) + float64(k%2)/1e4})
		}
		a.Polygons = []Polygon{append(round, round[0])}
		areas = append(areas, a)
	}
	alert := goldenAlert("tocsin-12-1")
	for _, language := range strings.Fields("en uk he ar ru") {
		i := shelterInfo(areas...)
		i.Language = language
		alert.Infos = append(alert.Infos, i)
	}
	b, err := alert.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if r := Check(b); slices.Contains(rulesOf(r.Warnings), OddPolygonUnlooked) || !r.Valid() {
		t.Errorf("%d bytes: %v, %v", len(b), rulesOf(r.Warnings), r.Err())
	}
}
