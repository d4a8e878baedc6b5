package raid

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"tocsin/core/class"
	"tocsin/core/geo"
)

// Folder writes the raid as a tracking scenario folder (scenario.json, detections.csv,
// truth.csv, labels.csv, impacts.csv) and, beside it, reached.csv: which zone was reached,
// when, by what. The folder's world is flat: x and y are metres east and north of the
// focus along the ground, z is height; what the radars see (horizon, obstacles, fading) is
// that of the round world, and every plot of a turn is of the turn's end. Launch cues and
// identities have no place in that format and are left out. It returns the place that the
// folder's zero stands for.
func (r *Raid) Folder(dir string) (origin geo.Point, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return r.Focus, fmt.Errorf("raid: folder: %w", err)
	}
	f := folder{raid: r, dir: dir}
	f.scan()
	for _, write := range []func() error{f.scenario, f.detections, f.truth, f.impacts, f.reached} {
		if err := write(); err != nil {
			return r.Focus, fmt.Errorf("raid: folder: %w", err)
		}
	}
	return r.Focus, nil
}

// flat is a position in the folder's metres.
func (r *Raid) flat(p geo.Position) [3]float64 {
	far := float64(geo.Distance(r.Focus, p.Point))
	sin, cos := math.Sincos(geo.Bearing(r.Focus, p.Point).Radians())
	return [3]float64{far * sin, far * cos, float64(p.Height)}
}

// folder is a raid while it is written.
type folder struct {
	raid  *Raid
	dir   string
	scans []scan
}

// scan is one turn of one radar, as of one moment.
type scan struct {
	radar  int
	at     time.Duration
	plots  [][3]float64 // range, azimuth, elevation in the flat world
	object []int
}

func (f *folder) scan() {
	r := f.raid
	for i := range r.Radars {
		d := &r.Radars[i]
		rng := rand.New(rand.NewPCG(r.Seed, 1<<32+uint64(i)))
		frame := geo.NewENU(d.Site)
		site := r.flat(d.Site)
		for at := d.Phase.Truncate(100 * time.Millisecond); at <= r.Lasts && (d.Dies == 0 || at <= d.Dies); at += d.Period {
			s := scan{radar: i, at: at}
			for n := range r.Objects {
				o := &r.Objects[n]
				p, ok := o.Position(at)
				if !ok || !d.above(polar(frame.To(p.ECEF())), float64(p.Height)) {
					continue
				}
				q := r.flat(p)
				if m, ok := d.measure(rng, o, polar([3]float64{q[0] - site[0], q[1] - site[1], q[2] - site[2]})); ok {
					s.plots, s.object = append(s.plots, m), append(s.object, n)
				}
			}
			for range poisson(rng, d.Clutter) {
				s.plots, s.object = append(s.plots, d.falsePlot(rng, 360*rng.Float64())), append(s.object, -1)
			}
			f.scans = append(f.scans, s)
		}
	}
	slices.SortStableFunc(f.scans, func(a, b scan) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.radar, b.radar)) })
}

func (f *folder) scenario() error {
	type sensor struct {
		Name    string     `json:"name"`
		Kind    string     `json:"kind"`
		Period  float64    `json:"period"`
		Pd      float64    `json:"pd"`
		Sigma   [3]float64 `json:"sigma"`
		Clutter float64    `json:"clutter"`
		Pos     [3]float64 `json:"pos"`
		RMax    float64    `json:"rmax"`
		MinEl   float64    `json:"min_el"`
		Bias    [3]float64 `json:"bias"`
		Clock   float64    `json:"clock"`
	}
	var s struct {
		Name     string        `json:"name"`
		Seed     uint64        `json:"seed"`
		Duration float64       `json:"duration_s"`
		Scans    int           `json:"scans"`
		Targets  int           `json:"targets"`
		Area     [2][2]float64 `json:"area"`
		GOSPA    struct {
			C     float64 `json:"c"`
			P     float64 `json:"p"`
			Alpha float64 `json:"alpha"`
		} `json:"gospa"`
		Sensors []sensor   `json:"sensors"`
		Origin  [2]float64 `json:"origin"` // latitude, longitude
	}
	r := f.raid
	s.Name, s.Seed, s.Duration, s.Scans, s.Targets = "raid: "+r.Name, r.Seed, r.Lasts.Seconds(), len(f.scans), len(r.Objects)
	s.GOSPA.C, s.GOSPA.P, s.GOSPA.Alpha = 1000, 2, 2
	s.Origin = [2]float64{float64(r.Focus.Lat), float64(r.Focus.Lon)}
	s.Area = [2][2]float64{{-400e3, 400e3}, {-400e3, 400e3}}
	for i := range r.Radars {
		d := &r.Radars[i]
		s.Sensors = append(s.Sensors, sensor{
			Name: d.ID, Kind: "rae", Period: d.Period.Seconds(), Pd: d.Detection, Sigma: d.Sigma, Clutter: d.Clutter,
			Pos: r.flat(d.Site), RMax: d.Range, Bias: [3]float64{d.Bias[0], d.Bias[1], 0},
		})
	}
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.dir, "scenario.json"), append(b, '\n'), 0o644)
}

func (f *folder) detections() error {
	var plots, labels [][]string
	for n, s := range f.scans {
		d := &f.raid.Radars[s.radar]
		for k, m := range s.plots {
			id := strconv.Itoa(len(plots))
			plots = append(plots, []string{id, strconv.Itoa(n), secs(s.at), secs(s.at + d.Latency), d.ID, "rae", num(m[0], 2), num(math.Mod(m[1]+360, 360), 4), num(m[2], 4)})
			labels = append(labels, []string{id, strconv.Itoa(s.object[k])})
		}
	}
	if err := f.table("detections.csv", "det,scan,t,t_recv,sensor,kind,m1,m2,m3", plots); err != nil {
		return err
	}
	return f.table("labels.csv", "det,id", labels)
}

// truth is every object at every moment at which a radar looked.
func (f *folder) truth() error {
	var rows [][]string
	last := time.Duration(-1)
	for _, s := range f.scans {
		if s.at == last {
			continue
		}
		last = s.at
		for n := range f.raid.Objects {
			o := &f.raid.Objects[n]
			p, ok := o.Position(s.at)
			if !ok {
				continue
			}
			v, _ := o.Velocity(s.at)
			x := f.raid.flat(p)
			rows = append(rows, []string{secs(s.at), strconv.Itoa(n), o.Class.String(),
				num(x[0], 2), num(x[1], 2), num(x[2], 2), num(v[0], 2), num(v[1], 2), num(v[2], 2)})
		}
	}
	return f.table("truth.csv", "t,id,class,x,y,z,vx,vy,vz", rows)
}

func (f *folder) impacts() error {
	var rows [][]string
	for n := range f.raid.Objects {
		o := &f.raid.Objects[n]
		if o.Class == class.BallisticMissile || o.Class == class.Rocket {
			x := f.raid.flat(o.path[len(o.path)-1])
			rows = append(rows, []string{strconv.Itoa(n), secs(o.Ends()), num(x[0], 2), num(x[1], 2)})
		}
	}
	return f.table("impacts.csv", "id,t,x,y", rows)
}

func (f *folder) reached() error {
	var rows [][]string
	for _, p := range f.raid.Truth().Passages {
		o := &f.raid.Objects[p.Object]
		rows = append(rows, []string{string(f.raid.Zones.ByIndex(p.Zone).ID), strconv.Itoa(p.Object), o.Class.String(), o.Role.String(), secs(p.Enter), secs(p.Leave)})
	}
	return f.table("reached.csv", "zone,id,class,role,enter,leave", rows)
}

func (f *folder) table(name, head string, rows [][]string) (err error) {
	file, err := os.Create(filepath.Join(f.dir, name))
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, file.Close()) }()
	b := bufio.NewWriter(file)
	if _, err := b.WriteString(head + "\n"); err != nil {
		return err
	}
	if err := csv.NewWriter(b).WriteAll(rows); err != nil {
		return err
	}
	return b.Flush()
}

func secs(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

func num(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
