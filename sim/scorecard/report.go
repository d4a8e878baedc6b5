package scorecard

import (
	"maps"
	"math"
	"slices"

	"tocsin/core/class"
)

// Report is the figures. Shares are from 0 to 1; what cannot be said, for want of cases, is
// absent. The formulas are in docs/scorecard.md.
type Report struct {
	Country  string          `json:"country"`
	Zones    string          `json:"zones"` // version of the zone set
	Seeds    [2]uint64       `json:"seeds"`
	People   bool            `json:"people_counted"` // false: every zone counts as one person
	Raids    map[string]int  `json:"raids"`          // by kind
	Objects  []ClassObjects  `json:"objects"`
	Forecast Forecast        `json:"forecast"`
	Blankets []Burden        `json:"blanket_alarms"` // region, middle, circle
	Policies []PolicyFigures `json:"policies"`
	Goals    []Goal          `json:"goals"` // of the first policy
}

// ClassObjects is how many hostile objects of a class flew, and of those seen in at least
// three plots, the share that got a track.
type ClassObjects struct {
	Class   string   `json:"class"`
	Flown   int      `json:"flown"`
	Seen    int      `json:"seen"`
	Tracked *float64 `json:"tracked,omitempty"`
}

// Forecast is how good the forecasts were.
type Forecast struct {
	Leads   []Lead           `json:"leads"`
	Classes []ClassForecast  `json:"classes"`
	Arrival []ArrivalFigures `json:"arrival"`
}

// Lead is the forecasts at one lead time: of whole zones, or of one class's objects.
type Lead struct {
	Seconds     int      `json:"seconds"`
	Cases       int      `json:"cases"` // zones at moments
	Happened    int      `json:"happened"`
	Brier       *float64 `json:"brier,omitempty"`
	Skill       *float64 `json:"skill,omitempty"` // against the raid's own mean rate
	Worst       *float64 `json:"worst,omitempty"` // greatest |observed - said| of a bin with over 200 cases
	Reliability []Bin    `json:"reliability"`
}

// Bin is one range of probability.
type Bin struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Cases    int     `json:"cases"`
	Said     float64 `json:"said"`     // mean
	Observed float64 `json:"observed"` // share in which it happened
}

// ClassForecast is the forecasts of the tracks of one class's objects; "no threat" are
// tracks of nothing hostile.
type ClassForecast struct {
	Class string `json:"class"`
	Leads []Lead `json:"leads"`
}

// ArrivalFigures is how times of arrival were foretold of zones that were reached: at two
// minutes, and at all moments up to ten minutes before.
type ArrivalFigures struct {
	Class  string    `json:"class"` // or "all"
	At2    ArrivalAt `json:"at_2_min"`
	Before ArrivalAt `json:"up_to_10_min"`
}

// ArrivalAt is shares inside, before and after [earliest, latest], and the median and the
// 90 % quantile of |likely - actual| in seconds.
type ArrivalAt struct {
	Cases  int      `json:"cases"`
	Inside *float64 `json:"inside,omitempty"`
	Sooner *float64 `json:"sooner,omitempty"`
	Later  *float64 `json:"later,omitempty"`
	Half   *float64 `json:"half_within_s,omitempty"`
	Most   *float64 `json:"nine_tenths_within_s,omitempty"`
}

// Burden is person-minutes in shelter.
type Burden struct {
	Of        string  `json:"of"`
	All       float64 `json:"all"`
	Unreached float64 `json:"in_zones_not_reached"`
	Far       float64 `json:"in_zones_neither_reached_nor_near"`
}

// PolicyFigures is what one policy did.
type PolicyFigures struct {
	Name     string         `json:"name"`
	Hash     string         `json:"hash"`
	Zones    Verdict        `json:"per_zone"`
	Persons  Verdict        `json:"per_person"`
	Reached  Reached        `json:"reached"`
	Classes  []ReachedClass `json:"classes"`
	Burden   Burden         `json:"person_minutes"`
	ByThreat []Burden       `json:"person_minutes_by_threat"` // named when the shelter began
	ByRaid   []Burden       `json:"person_minutes_by_raid"`
	Against  []Ratio        `json:"against"`
	Life     Life           `json:"life"`
	Each     []Each         `json:"each_raid"`
	Misses   []Miss         `json:"misses"` // bounded
}

// Each is what a policy did in one raid.
type Each struct {
	Seed      uint64  `json:"seed"`
	Raid      string  `json:"raid"`
	Objects   int     `json:"objects"`
	Events    int     `json:"events"`
	Missed    int     `json:"missed"`
	Avoidable int     `json:"missed_of_possible"`
	Late      int     `json:"late"`
	Shelters  int     `json:"shelters"`
	Needless  int     `json:"needless"`
	Open      int     `json:"not_ended"`
	Unreached float64 `json:"person_minutes_not_reached"`
}

// Miss is one zone that was reached without shelter although something had been seen.
// Times are seconds of the raid; Said is the greatest probability said of it before.
type Miss struct {
	Seed    uint64   `json:"seed"`
	Raid    string   `json:"raid"`
	Zone    string   `json:"zone"`
	Class   string   `json:"class"`
	Object  int      `json:"object"`
	At      float64  `json:"at_s"`
	Why     string   `json:"why"`
	Plot    float64  `json:"first_plot_s"`
	Tracked *float64 `json:"tracked_s,omitempty"`
	Said    float64  `json:"said"`
}

// Verdict is probability of detection, false alarm ratio and critical success index.
type Verdict struct {
	POD *float64 `json:"pod,omitempty"`
	FAR *float64 `json:"far,omitempty"`
	CSI *float64 `json:"csi,omitempty"`
}

// Reached is what became of zones that were reached: shares of them.
type Reached struct {
	Events    int            `json:"events"`
	Possible  int            `json:"with_a_plot_before"`
	InTime    *float64       `json:"in_time,omitempty"`
	Late      *float64       `json:"late,omitempty"`
	Missed    *float64       `json:"missed,omitempty"`
	Avoidable *float64       `json:"missed_of_possible,omitempty"`  // missed, of those with a plot before
	Trackable *float64       `json:"missed_of_trackable,omitempty"` // the same of those with three plots in time
	Prepared  int            `json:"missed_but_prepared"`
	LetOut    int            `json:"missed_and_let_out"` // had been in shelter since the object's first plot
	Why       map[string]int `json:"missed_why"`
	Margin    *Quantiles     `json:"margin_s,omitempty"` // lead less shelter and delivery time
}

// Quantiles are of a distribution.
type Quantiles struct {
	P5  float64 `json:"p5"`
	P25 float64 `json:"p25"`
	P50 float64 `json:"p50"`
	P75 float64 `json:"p75"`
	P95 float64 `json:"p95"`
}

// ReachedClass is Reached by the class that came first.
type ReachedClass struct {
	Class string `json:"class"`
	Reached
}

// Ratio is the person-minutes of a policy as a part of those of a blanket alarm.
type Ratio struct {
	Of        string   `json:"of"`
	All       *float64 `json:"all,omitempty"`
	Unreached *float64 `json:"in_zones_not_reached,omitempty"`
	Far       *float64 `json:"in_zones_neither_reached_nor_near,omitempty"`
}

// Life is how warnings came and went.
type Life struct {
	Shelters  int      `json:"shelters"` // one a zone and time
	Needless  *float64 `json:"needless,omitempty"`
	Bare      *float64 `json:"needless_and_nothing_near,omitempty"`
	Flips     *float64 `json:"flips_per_zone_hour,omitempty"`
	OutAndIn  *float64 `json:"flips_to_shelter_per_zone_hour,omitempty"` // of them those to shelter
	ZoneHours float64  `json:"zone_hours"`
	Again     *float64 `json:"again_within_15_min,omitempty"`
	Open      int      `json:"not_ended"`
}

// Goal is one figure to reach.
type Goal struct {
	What    string   `json:"what"`
	Want    string   `json:"want"`
	Got     *float64 `json:"got,omitempty"`
	Reached bool     `json:"reached"`
}

var blanketNames = [3]string{"region", "middle level", "circle of 30 km"}

func (s *score) report(job Job) *Report {
	r := &Report{Country: job.Country, Zones: job.Zones.Version(), Seeds: [2]uint64{job.From, job.To}, Raids: map[string]int{}}
	for name, n := range s.raids {
		r.Raids[name] = int(n)
	}
	r.People = survey(job.Zones).counted
	for _, c := range class.All() {
		if s.objects[c] > 0 {
			seen := s.tracked[c] + s.untracked[c]
			r.Objects = append(r.Objects, ClassObjects{c.String(), int(s.objects[c]), int(seen), ratio(s.tracked[c], seen)})
		}
	}
	r.Forecast = s.forecast()
	blankets := [3]burden{s.region, s.middle, s.circle}
	for i, b := range blankets {
		r.Blankets = append(r.Blankets, b.figures(blanketNames[i]))
	}
	for i, p := range job.Policies {
		d := &s.decisions[i]
		f := d.figures()
		f.Name, f.Hash = p.Name, p.Policy.Hash
		f.Burden.Of = p.Name
		for k, b := range blankets {
			f.Against = append(f.Against, Ratio{blanketNames[k], ratio(d.cost.all, b.all), ratio(d.cost.unreached, b.unreached), ratio(d.cost.far, b.far)})
		}
		r.Policies = append(r.Policies, f)
	}
	r.Goals = goals(r)
	return r
}

func (s *score) forecast() Forecast {
	var f Forecast
	for k := range leads {
		f.Leads = append(f.Leads, s.whole[k].figures(k))
	}
	all := ArrivalFigures{Class: "all"}
	var at2, before arrivals
	for _, c := range class.All() {
		at2.add(&s.arrive[c])
		before.add(&s.far[c])
	}
	all.At2, all.Before = at2.figures(), before.figures()
	f.Arrival = append(f.Arrival, all)
	for _, c := range append(slices.Clone(listed()), class.Class(noThreat)) {
		name := "no threat"
		if c.Valid() {
			name = c.String()
			if len(s.far[c].off) > 0 {
				f.Arrival = append(f.Arrival, ArrivalFigures{name, s.arrive[c].figures(), s.far[c].figures()})
			}
		}
		if s.classes[c][0].cases == 0 {
			continue
		}
		cf := ClassForecast{Class: name}
		for k := range leads {
			cf.Leads = append(cf.Leads, s.classes[c][k].figures(k))
		}
		f.Classes = append(f.Classes, cf)
	}
	return f
}

func listed() []class.Class {
	all := class.All()
	return all[:]
}

// enough is how many cases a bin must have for the goal to hold of it.
const enough = 200

func (t *tally) figures(k int) Lead {
	l := Lead{Seconds: int(leads[k].Seconds()), Cases: int(t.cases), Happened: int(t.happened), Brier: ratio(t.squares, t.cases)}
	if t.reference > 0 {
		skill := 1 - t.squares/t.reference
		l.Skill = &skill
	}
	for i, b := range t.bins {
		if b.cases == 0 {
			continue
		}
		out := Bin{float64(i) / bins, float64(i+1) / bins, int(b.cases), b.said / b.cases, b.happened / b.cases}
		l.Reliability = append(l.Reliability, out)
		if off := math.Abs(out.Said - out.Observed); b.cases > enough && (l.Worst == nil || off > *l.Worst) {
			l.Worst = &off
		}
	}
	return l
}

func (a *arrivals) figures() ArrivalAt {
	n := float64(len(a.off))
	f := ArrivalAt{Cases: len(a.off), Inside: ratio(a.inside, n), Sooner: ratio(a.early, n), Later: ratio(a.late, n)}
	off := make([]float64, len(a.off))
	for i, v := range a.off {
		off[i] = math.Abs(v)
	}
	slices.Sort(off)
	if len(off) > 0 {
		half, most := quantile(off, 0.5), quantile(off, 0.9)
		f.Half, f.Most = &half, &most
	}
	return f
}

func (d *decision) figures() PolicyFigures {
	f := PolicyFigures{
		Zones:   verdict(d.whole.warned, d.whole.events, d.needless),
		Persons: verdict(d.whole.warnedPeople, d.whole.people, d.needlessPeople),
		Reached: d.whole.figures(),
		Burden:  d.cost.figures(""),
		Each:    d.each, Misses: d.misses,
		Life: Life{
			Shelters: int(d.shelters), Needless: ratio(d.needless, d.shelters), Bare: ratio(d.bare, d.shelters),
			Flips: ratio(d.flips, d.zoneHours), OutAndIn: ratio(d.outAndIn, d.zoneHours), ZoneHours: d.zoneHours, Again: ratio(d.again, d.cleared), Open: int(d.open),
		},
	}
	for _, c := range class.All() {
		if d.threats[c].all > 0 {
			f.ByThreat = append(f.ByThreat, d.threats[c].figures(c.String()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.raids)) {
		f.ByRaid = append(f.ByRaid, d.raids[name].figures(name))
	}
	for _, c := range class.All() {
		if d.classes[c].events > 0 {
			f.Classes = append(f.Classes, ReachedClass{c.String(), d.classes[c].figures()})
		}
	}
	return f
}

func (b burden) figures(of string) Burden { return Burden{of, b.all, b.unreached, b.far} }

// verdict is of hits of so many events, and false alarms.
func verdict(hits, events, needless float64) Verdict {
	return Verdict{POD: ratio(hits, events), FAR: ratio(needless, hits+needless), CSI: ratio(hits, events+needless)}
}

func (o *outcome) figures() Reached {
	missed := o.events - o.warned
	r := Reached{
		Events: int(o.events), Possible: int(o.possible), Prepared: int(o.prepared), LetOut: int(o.letOut),
		InTime: ratio(o.safe, o.events), Late: ratio(o.warned-o.safe, o.events), Missed: ratio(missed, o.events),
		Avoidable: ratio(missed-o.missed[unseen], o.possible),
		Trackable: ratio(missed-o.missed[unseen]-o.missed[hurried], o.events-o.missed[unseen]-o.missed[hurried]),
		Why:       map[string]int{},
	}
	for c, n := range o.missed {
		if n > 0 {
			r.Why[causeNames[c]] = int(n)
		}
	}
	if len(o.margins) > 0 {
		m := slices.Sorted(slices.Values(o.margins))
		r.Margin = &Quantiles{quantile(m, 0.05), quantile(m, 0.25), quantile(m, 0.5), quantile(m, 0.75), quantile(m, 0.95)}
	}
	return r
}

// quantile is of sorted values, by the nearest rank.
func quantile(sorted []float64, q float64) float64 {
	return sorted[min(max(int(math.Ceil(q*float64(len(sorted))))-1, 0), len(sorted)-1)]
}

// ratio is a part of a whole; nil where there is none.
func ratio(part, whole float64) *float64 {
	if !(whole > 0) {
		return nil
	}
	r := part / whole
	return &r
}
