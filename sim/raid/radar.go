package raid

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/observation"
)

// Radar is a surveillance radar that measures range, azimuth and elevation. What an
// authority would register of it is in Source; the rest is what it does not know.
type Radar struct {
	ID        string
	Site      geo.Position
	Period    time.Duration // one turn
	Range     float64       // metres, instrumented
	Mast      float64       // metres of the antenna over the land around
	Sigma     [3]float64    // metres, degrees, degrees
	Bias      [2]float64    // metres, degrees
	Detection float64       // of what is near
	Clutter   float64       // false plots a turn
	Latency   time.Duration
	Phase     time.Duration
	Dies      time.Duration // its feed is dead from here on; 0: never
	mask      [masks]float64
	patches   []patch
}

// masks is how many sectors of the horizon have an obstacle of their own height, degrees.
const masks = 24

// patch is a place where false plots crowd: a town, a hill, birds, wind turbines.
type patch struct{ reach, azimuth, wide float64 }

// sectors is how many looks one turn is told in.
const sectors = 4

// network puts radars around the focus: a few large ones on a loose grid, some small ones
// that watch low between them.
func (d *drawer) network() {
	rng := d.rng
	centre := d.out.Focus
	for row := -1; row <= 1; row++ {
		for col := -1; col <= 1; col++ {
			if (row != 0 || col != 0) && chance(rng, 0.35) {
				continue
			}
			e, n := (float64(col)+0.5*float64(row))*d.spacing, 0.87*float64(row)*d.spacing
			site := aside(rng, ahead(centre, e, n), 0.18*d.spacing)
			d.radar(site, chance(rng, 0.3))
		}
	}
	for range between(rng, 1, 4) {
		d.radar(aside(rng, centre, 0.6*d.spacing), true)
	}
	if chance(rng, 0.2) {
		r := &d.out.Radars[rng.IntN(len(d.out.Radars))]
		r.Dies = time.Duration(uniform(rng, 0.2, 0.8) * float64(d.out.Lasts)).Truncate(time.Second)
	}
}

func (d *drawer) radar(site geo.Point, small bool) {
	rng := d.rng
	r := Radar{
		ID:        "radar-" + string(rune('a'+len(d.out.Radars))),
		Site:      geo.Position{Point: site, Height: geo.Metres(uniform(rng, 60, 350))},
		Period:    time.Duration(between(rng, 4, 10)) * time.Second,
		Range:     uniform(rng, 150e3, 250e3),
		Sigma:     [3]float64{uniform(rng, 40, 140), uniform(rng, 0.08, 0.3), uniform(rng, 0.3, 0.9)},
		Detection: uniform(rng, 0.82, 0.96),
		Clutter:   uniform(rng, 0.5, 6),
	}
	if small {
		r.Period = time.Duration(between(rng, 2, 4)) * time.Second
		r.Range = uniform(rng, 40e3, 80e3)
		r.Sigma = [3]float64{uniform(rng, 20, 60), uniform(rng, 0.2, 0.6), uniform(rng, 0.5, 1.2)}
	}
	r.Mast = uniform(rng, 10, 60)
	r.Bias = [2]float64{0.3 * r.Sigma[0] * rng.NormFloat64(), 0.2 * r.Sigma[1] * rng.NormFloat64()}
	r.Latency = time.Duration(uniform(rng, 100, 900)) * time.Millisecond
	r.Phase = time.Duration(uniform(rng, 0, r.Period.Seconds())*1000) * time.Millisecond
	for i := range r.mask {
		r.mask[i] = 0.12 * rng.NormFloat64() // half of the horizon is free
		if chance(rng, 0.06) {
			r.mask[i] = uniform(rng, 0.5, 3)
		}
	}
	for range between(rng, 0, 3) {
		r.patches = append(r.patches, patch{uniform(rng, 5e3, 0.6*r.Range), uniform(rng, 0, 360), uniform(rng, 1e3, 5e3)})
	}
	d.out.Radars = append(d.out.Radars, r)
}

// Cues is the source that tells of launches, from far above. It has no place of its own.
const Cues = "launches"

// Sources are the radars, and the source of launch cues, as an authority would register
// them: without biases, obstacles, patches or what they see worse than they say.
func (r *Raid) Sources() []observation.Source {
	var all []observation.Source
	for i := range r.Radars {
		d := &r.Radars[i]
		all = append(all, observation.Source{
			ID: d.ID, Kind: "asterix", Site: d.Site, HasSite: true, Period: d.Period,
			Errors: observation.Errors{
				Range: geo.Metres(d.Sigma[0]), Azimuth: geo.Degrees(d.Sigma[1]), Elevation: geo.Degrees(d.Sigma[2]),
				Time: 10 * time.Millisecond,
			},
			Trust: 0.95, Detection: d.Detection, Clutter: d.Clutter,
			Coverage: observation.Coverage{Range: geo.Metres(d.Range), Floor: 0},
		})
	}
	return append(all, observation.Source{ID: Cues, Kind: "launch", Trust: 0.95})
}

// Look is what one source says at one moment, and, beside it, of which objects: the place
// in Raid.Objects, or -1 for a false plot. The absence at its end has no entry there.
type Look struct {
	Source       string
	SentAt       time.Duration // when our edge has it, after the raid's start
	Observations []observation.Observation
	Objects      []int
}

// Looks is everything that is said, in order of time.
func (r *Raid) Looks() []Look {
	var all []Look
	for i := range r.Radars {
		all = append(all, r.looksOf(i)...)
	}
	all = append(all, r.cues()...)
	slices.SortStableFunc(all, func(a, b Look) int {
		return cmp.Or(cmp.Compare(a.SentAt, b.SentAt), cmp.Compare(a.Source, b.Source))
	})
	return all
}

func (r *Raid) looksOf(i int) []Look {
	d := &r.Radars[i]
	rng := rand.New(rand.NewPCG(r.Seed, uint64(i)+1))
	frame := geo.NewENU(d.Site)
	sector := d.Period / sectors
	width := 360.0 / sectors
	var looks []Look
	for k := 0; ; k++ {
		began := d.Phase + time.Duration(k)*sector
		sent := began + sector + d.Latency
		if sent > r.Lasts || d.Dies > 0 && sent > d.Dies {
			return looks
		}
		from := float64(k%sectors) * width
		look := Look{Source: d.ID, SentAt: sent}
		received := Start.Add(sent)
		add := func(at time.Duration, m [3]float64, id observation.Identity, object int) {
			look.Observations = append(look.Observations, observation.Observation{
				Source: d.ID, ObservedAt: Start.Add(at).Truncate(time.Millisecond), ReceivedAt: received, Identity: id,
				Body: observation.Plot{Range: geo.Metres(m[0]), Azimuth: geo.Degrees(m[1]).Normal(), Elevation: geo.Degrees(m[2]), HasElevation: true},
			})
			look.Objects = append(look.Objects, object)
		}
		for n := range r.Objects {
			o := &r.Objects[n]
			if at, m, ok := d.meet(o, frame, began, from, width); ok {
				if m, ok = d.measure(rng, o, m); ok {
					add(at, m, o.identity(rng), n)
				}
			}
		}
		for range poisson(rng, d.Clutter/sectors) {
			part := rng.Float64()
			add(began+time.Duration(part*float64(sector)), d.falsePlot(rng, from+part*width), observation.Identity{}, -1)
		}
		look.Observations = append(look.Observations, observation.Observation{
			Source: d.ID, ObservedAt: Start.Add(began + sector), ReceivedAt: received,
			Body: observation.Absence{Sector: true, From: geo.Degrees(from), To: geo.Degrees(math.Mod(from+width, 360))},
		})
		looks = append(looks, look)
	}
}

// meet is when in one sector the beam meets the object, and where that is from here:
// range, azimuth, elevation; false where it does not.
func (d *Radar) meet(o *Object, frame geo.ENU, began time.Duration, from, width float64) (time.Duration, [3]float64, bool) {
	sector := d.Period / sectors
	p, ok := o.Where(began + sector/2)
	if !ok {
		return 0, [3]float64{}, false
	}
	m := polar(frame.To(p))
	into := math.Mod(m[1]-from+360, 360)
	if into >= width {
		return 0, m, false
	}
	at := began + time.Duration(into/width*float64(sector))
	if p, ok = o.Where(at); !ok {
		return 0, m, false
	}
	m = polar(frame.To(p))
	return at, m, d.above(m, float64(p.Position().Height))
}

// polar is slant range, azimuth and elevation of a place in a radar's frame.
func polar(v [3]float64) [3]float64 {
	flat := math.Hypot(v[0], v[1])
	return [3]float64{math.Hypot(flat, v[2]), math.Mod(math.Atan2(v[0], v[1])/degree+360, 360), math.Atan2(v[2], flat) / degree}
}

// above reports whether the object is over the radio horizon (an earth of 4/3 radius, the
// land at the site's height less the mast) and over what stands in the way.
func (d *Radar) above(m [3]float64, height float64) bool {
	const radius = 6371e3 * 4 / 3
	flat := m[0] * math.Cos(m[2]*degree)
	if flat > math.Sqrt(2*radius*d.Mast)+math.Sqrt(2*radius*math.Max(height, 0)) {
		return false
	}
	obstacle := d.mask[int(m[1]/360*masks)%masks]
	// The apparent elevation, bent by the air as the larger earth has it.
	seen := math.Atan2(height-float64(d.Site.Height)-flat*flat/(2*radius), flat) / degree
	return obstacle <= 0 || seen > obstacle
}

// echo is how far an object of a class is seen, as a share of the instrumented range: small
// ones fade before it.
func echo(c class.Class) float64 {
	switch c {
	case class.Drone, class.GlideBomb:
		return 1.0
	case class.CruiseMissile, class.Rocket:
		return 1.05
	default:
		return 1.5
	}
}

// measure draws whether the object is detected, and with what errors.
func (d *Radar) measure(rng *rand.Rand, o *Object, m [3]float64) ([3]float64, bool) {
	if m[0] > d.Range {
		return m, false
	}
	fade := math.Exp2(-math.Pow(m[0]/(d.Range*echo(o.Class)), 6))
	if rng.Float64() >= d.Detection*fade {
		return m, false
	}
	m[0] = math.Max(m[0]+d.Bias[0]+d.Sigma[0]*rng.NormFloat64(), 1)
	m[1] += d.Bias[1] + d.Sigma[1]*rng.NormFloat64()
	m[2] = clamp(m[2]+d.Sigma[2]*rng.NormFloat64(), -90, 90)
	return m, true
}

// falsePlot is anywhere in the beam, or in one of the patches.
func (d *Radar) falsePlot(rng *rand.Rand, azimuth float64) [3]float64 {
	for _, p := range d.patches {
		if math.Abs(math.Remainder(p.azimuth-azimuth, 360)) < 90/2 && chance(rng, 0.5) {
			off := p.wide / p.reach / degree
			return [3]float64{math.Max(p.reach+p.wide*rng.NormFloat64(), 500), p.azimuth + off*rng.NormFloat64(), uniform(rng, 0, 3)}
		}
	}
	return [3]float64{math.Max(d.Range*math.Sqrt(rng.Float64()), 500), azimuth, 15 * rng.Float64() * rng.Float64()}
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

// identity is what an interrogator at the radar learns in one look.
func (o *Object) identity(rng *rand.Rand) observation.Identity {
	switch {
	case o.Role == Civil && chance(rng, 0.93):
		return observation.Identity{Mode3A: o.code, HasMode3A: true, Address: o.addr}
	case o.friend && chance(rng, 0.9):
		return observation.Identity{Answer: observation.Friend}
	default:
		return observation.Identity{}
	}
}

// cues tell of most launches of ballistic missiles, half a minute after them.
func (r *Raid) cues() []Look {
	rng := rand.New(rand.NewPCG(r.Seed, 1<<40))
	var looks []Look
	for i := range r.Objects {
		o := &r.Objects[i]
		delay := time.Duration(uniform(rng, 20, 60)*1000) * time.Millisecond
		place := aside(rng, o.path[0].Point, 4e3)
		if o.Class != class.BallisticMissile || !chance(rng, 0.7) || o.At+delay > r.Lasts {
			continue
		}
		at := o.At + delay
		looks = append(looks, Look{Source: Cues, SentAt: at, Objects: []int{i}, Observations: []observation.Observation{{
			Source: Cues, ObservedAt: Start.Add(at), ReceivedAt: Start.Add(at), Says: class.Of(class.BallisticMissile),
			Body: observation.Cue{Area: geo.Circle{Centre: place, Radius: 12e3}, LaunchedAt: Start.Add(o.At)},
		}}})
	}
	return looks
}
