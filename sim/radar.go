package sim

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
)

// Resolutions of ASTERIX category 048, so that an observation is the same whether
// it went straight into the core or over the wire: I048/040 RHO 1/256 NM and THETA
// 360/2^16 degrees, I048/140 1/128 s, I048/110 25 ft.
const (
	rangeStep  = 1852.0 / 256
	turnStep   = 360.0 / 65536
	heightStep = 25 * 0.3048
	timeStep   = time.Second / 128
)

// sectors is how many looks one turn of an antenna is told in.
const sectors = 8

// Look is what one radar says at the end of one sector: its plots, and that it looked.
type Look struct {
	Radar  int           // index into World.Radars
	SentAt time.Duration // true time after the scenario's start
	North  bool          // the sector begins at true north
	From   geo.Degrees
	To     geo.Degrees
	Plots  []Plot
}

// Plot is one simulated plot, in steps of the wire's resolution.
type Plot struct {
	Object    int           // index into the flights; -1 is clutter
	At        time.Duration // the radar's own clock, after the scenario's start
	Rho       uint16        // I048/040, 1/256 NM
	Theta     uint16        // I048/040, 360/65536 degrees
	Height    int16         // I048/110, 25 ft; valid where HasHeight
	HasHeight bool
}

// Looks is everything the radars say, in order of time. It depends on the world
// alone: the same seed, the same looks.
func (w *World) Looks(flights []Flight) []Look {
	var all []Look
	for i := range w.Radars {
		all = append(all, w.looksOf(i, flights)...)
	}
	slices.SortStableFunc(all, func(a, b Look) int { return cmp.Compare(a.SentAt, b.SentAt) })
	return all
}

func (w *World) looksOf(i int, flights []Flight) []Look {
	r := w.Radars[i]
	rng := rand.New(rand.NewPCG(w.Seed, uint64(i)+1))
	frame := geo.NewENU(r.position())
	sector := r.Period / sectors
	width := 360.0 / sectors
	var looks []Look
	for k := 0; time.Duration(k+1)*sector <= w.Lasts; k++ {
		from := float64(k%sectors) * width
		look := Look{
			Radar: i, SentAt: time.Duration(k+1) * sector, North: k%sectors == 0,
			From: geo.Degrees(from), To: geo.Degrees(math.Mod(from+width, 360)),
		}
		began := time.Duration(k) * sector
		for n := range flights {
			if p, ok := r.see(n, &flights[n], frame, began, from, width, rng); ok {
				look.Plots = append(look.Plots, p)
			}
		}
		for range poisson(rng, r.Clutter/sectors) {
			look.Plots = append(look.Plots, r.falsePlot(began, sector, from, width, rng))
		}
		looks = append(looks, look)
	}
	return looks
}

// see asks whether the beam that sweeps one sector meets the object, and what it measures.
func (r Radar) see(n int, f *Flight, frame geo.ENU, began time.Duration, from, width float64, rng *rand.Rand) (Plot, bool) {
	sector := r.Period / sectors
	pos, ok := f.At(began + sector/2)
	if !ok {
		return Plot{}, false
	}
	_, azimuth, _ := polar(frame.To(pos))
	into := math.Mod(azimuth-from+360, 360)
	if into >= width {
		return Plot{}, false
	}
	at := began + time.Duration(into/width*float64(sector))
	if pos, ok = f.At(at); !ok {
		return Plot{}, false
	}
	reach, azimuth, ground := polar(frame.To(pos))
	height := float64(pos.Position().Height)
	if reach > r.Range || !r.overHorizon(ground, height) || rng.Float64() >= r.Detection {
		return Plot{}, false
	}
	p := r.measure(at, reach+rng.NormFloat64()*r.Noise.Range+r.Bias.Range, azimuth+rng.NormFloat64()*r.Noise.Azimuth+r.Bias.Azimuth)
	p.Object = n
	if r.Noise.Height > 0 {
		// Fourteen bits of 25 ft end at 62 km: above it the radar says no height.
		steps := math.Round((height + rng.NormFloat64()*r.Noise.Height) / heightStep)
		if steps > -8192 && steps < 8191 {
			p.Height, p.HasHeight = int16(steps), true
		}
	}
	return p, true
}

// polar is slant range, azimuth from true north and ground range in the radar's frame.
func polar(v [3]float64) (reach, azimuth, ground float64) {
	ground = math.Hypot(v[0], v[1])
	azimuth = math.Mod(math.Atan2(v[0], v[1])*180/math.Pi+360, 360)
	return math.Hypot(ground, v[2]), azimuth, ground
}

// overHorizon uses the standard atmosphere's four thirds of the earth's radius, an
// antenna 20 m over its site, the height of the land around, and the registered floor.
func (r Radar) overHorizon(ground, height float64) bool {
	const radius, mast = 6_371_000 * 4.0 / 3, 20.0
	land := r.Site[2] - r.Hill
	horizon := math.Sqrt(2*radius*(r.Hill+mast)) + math.Sqrt(2*radius*math.Max(height-land, 0))
	return height-r.Site[2] >= r.Floor && ground <= horizon
}

func (r Radar) measure(at time.Duration, reach, azimuth float64) Plot {
	return Plot{
		At:    (at + r.Clock).Round(timeStep),
		Rho:   uint16(math.Max(1, math.Min(math.Round(reach/rangeStep), 65535))),
		Theta: uint16(int64(math.Round(math.Mod(azimuth+720, 360)/turnStep)) & 0xffff),
	}
}

func (r Radar) falsePlot(began, sector time.Duration, from, width float64, rng *rand.Rand) Plot {
	part := rng.Float64()
	p := r.measure(began+time.Duration(part*float64(sector)), r.Range*math.Sqrt(rng.Float64()), from+part*width)
	p.Object = -1
	if r.Noise.Height > 0 {
		p.Height, p.HasHeight = int16(rng.Float64()*8000/heightStep), true
	}
	return p
}

// poisson draws by Knuth's product method; means here are small.
func poisson(rng *rand.Rand, mean float64) int {
	limit, product := math.Exp(-math.Min(mean, 500)), 1.0
	for n := 0; ; n++ {
		if product *= rng.Float64(); product <= limit {
			return n
		}
	}
}

// Observations are the plots and the finished look as a decoder of ours would give
// them, received at a wall time.
func (w *World) Observations(l Look, received time.Time) []observation.Observation {
	r := w.Radars[l.Radar]
	all := make([]observation.Observation, 0, len(l.Plots)+1)
	for _, p := range l.Plots {
		body := observation.Plot{
			Range:   geo.Metres(float64(p.Rho) * rangeStep),
			Azimuth: geo.Degrees(float64(p.Theta) * turnStep),
		}
		if p.HasHeight {
			body.Height, body.HasHeight = geo.Metres(float64(p.Height)*heightStep), true
			body.HeightError = geo.Metres(r.Noise.Height)
		}
		o := observation.Observation{Source: r.ID, ObservedAt: w.Start.Add(p.At), ReceivedAt: received, Body: body}
		if p.Object >= 0 {
			o.Identity = w.Objects[p.Object].identity()
		}
		all = append(all, o)
	}
	return append(all, observation.Observation{
		Source: r.ID, ObservedAt: w.Start.Add(l.SentAt + r.Clock), ReceivedAt: received,
		Body: observation.Absence{Sector: true, From: l.From, To: l.To},
	})
}

// identity is what a radar with an interrogator learns of the object.
func (o Object) identity() observation.Identity {
	id := observation.Identity{Address: o.Address, Flight: o.Flight}
	if o.Answer == "friend" {
		id.Answer = observation.Friend
	}
	if code, ok := o.mode3A(); ok {
		id.Mode3A, id.HasMode3A = code, true
	}
	return id
}

// mode3A reads the four octal digits.
func (o Object) mode3A() (uint16, bool) {
	if len(o.Mode3A) != 4 {
		return 0, false
	}
	var code uint16
	for _, c := range []byte(o.Mode3A) {
		if c < '0' || c > '7' {
			return 0, false
		}
		code = code<<3 | uint16(c-'0')
	}
	return code, true
}
