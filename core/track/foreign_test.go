package track

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

// foreign is another system's tracker: a Kalman filter per axis of constant velocity over
// plots of its own, which says what it believes after each of them.
type foreign struct {
	x, v, pp, pv, vv [3]float64
	looks            int
}

func (f *foreign) see(place [3]float64, sigma, noise, dt float64, g *rand.Rand) {
	r := sigma * sigma
	for i := range 3 {
		z := place[i] + sigma*g.NormFloat64()
		if f.looks == 0 {
			f.x[i], f.pp[i], f.vv[i] = z, r, 300*300
			continue
		}
		f.x[i] += dt * f.v[i]
		f.pp[i] += 2*dt*f.pv[i] + dt*dt*f.vv[i] + noise*dt*dt*dt/3
		f.pv[i] += dt*f.vv[i] + noise*dt*dt/2
		f.vv[i] += noise * dt
		k, l, nu := f.pp[i]/(f.pp[i]+r), f.pv[i]/(f.pp[i]+r), z-f.x[i]
		f.x[i] += k * nu
		f.v[i] += l * nu
		f.vv[i] -= l * f.pv[i]
		f.pp[i] -= k * f.pp[i]
		f.pv[i] -= k * f.pv[i]
	}
	f.looks++
}

func (f *foreign) says() observation.SensorTrack {
	out := observation.SensorTrack{Position: geo.NewENU(here).From(f.x).Position(), Velocity: f.v, HasVelocity: true}
	for i := range 3 {
		c := &out.Covariance
		c[i][i], c[i][i+3], c[i+3][i], c[i+3][i+3] = f.pp[i], f.pv[i], f.pv[i], f.vv[i]
	}
	return out
}

// What another system's tracker says is its belief, not a plot: its errors go on from one
// report to the next. Our picture of it must know how good it is, whatever that tracker
// assumes of how things fly, and however often it speaks.
func TestForeignTrackIsNotCountedTwice(t *testing.T) {
	for _, noise := range []float64{0.1, 1, 20} {
		for _, period := range []float64{2, 4, 10} {
			t.Run(fmt.Sprintf("noise %g every %g s", noise, period), func(t *testing.T) {
				s := observation.Source{ID: "f", Kind: "cat062", Period: time.Duration(period * float64(time.Second)), Detection: 0.9, Clutter: 0.1}
				sum, n := 0.0, 0
				for run := range 60 {
					g := rand.New(rand.NewPCG(uint64(run), 11))
					p := NewPicture(Config{Sources: []observation.Source{s}})
					m := mover{p: [3]float64{-6e3, -3e3, 3000}, v: [3]float64{80, -30, 0}}
					var f foreign
					at := 0.0
					for range 30 {
						f.see(m.at(at), 120, noise, period, g)
						if f.looks > 3 { // it confirms its own
							o := observed(s, at, f.says())
							o.Key = "7"
							p.Observe(after(at), o)
						}
						at += period
					}
					at -= period
					for _, tr := range p.Tracks(after(at)) {
						frame := geo.NewENU(here)
						truth, v := frame.From(m.at(at)), frame.FromVelocity(m.v)
						var d [6]float64
						for i := range 3 {
							d[i], d[i+3] = tr.State.Position[i]-truth[i], tr.State.Velocity[i]-v[i]
						}
						sum += mahalanobis(tr.State.Covariance, d)
						n++
					}
				}
				if mean := sum / float64(n); n != 60 || mean < 1.5 || mean > 7 || math.IsNaN(mean) {
					t.Errorf("mean normalised error squared %.2f over %d tracks, want at most about 6", mean, n)
				} else {
					t.Logf("%.2f", mean)
				}
			})
		}
	}
}

// A source's own name for an object counts for more than a plot without one that came
// before it in the same look and lies as well.
func TestNameBeforeNameless(t *testing.T) {
	s := places()
	s.Clutter = 10
	p := NewPicture(Config{Sources: []observation.Source{s}})
	g := rng()
	m := mover{p: [3]float64{0, 0, 0}, v: [3]float64{60, 0, 0}}
	for k := range 12 {
		at := 4 * float64(k)
		q := m.at(at)
		o := observed(s, at, placeAt([3]float64{q[0] + 50*g.NormFloat64(), q[1] + 50*g.NormFloat64(), 0}))
		o.Key = "7"
		if k > 2 {
			p.Observe(after(at), observed(s, at, placeAt([3]float64{q[0], q[1] + 90, 0})))
		}
		p.Observe(after(at), o)
	}
	trs := p.Tracks(after(44))
	if len(trs) == 0 {
		t.Fatal("no track")
	}
	for _, o := range trs[0].Recent {
		if o.Key != "7" {
			t.Fatalf("the track rests on a plot that its source did not name: %+v", o)
		}
	}
}
