package scorecard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Table is the figures in words and columns, for a terminal.
func (r *Report) Table() string {
	var b strings.Builder
	raids := 0
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(r.Raids)) {
		raids += r.Raids[k]
		kinds = append(kinds, fmt.Sprintf("%d %s", r.Raids[k], k))
	}
	fmt.Fprintf(&b, "%d raids (%s), country %s, seeds %d to %d\n", raids, strings.Join(kinds, ", "), r.Country, r.Seeds[0], r.Seeds[1])
	if !r.People {
		b.WriteString("The zone set counts no people: every zone counts as one person.\n")
	}
	b.WriteString("\nGoals, of the first policy\n")
	t := columns(&b)
	for _, g := range r.Goals {
		mark := "not reached"
		if g.Reached {
			mark = "reached"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", g.What, g.Want, figure(g.Got), mark)
	}
	t.Flush()
	r.tableForecast(&b)
	for i := range r.Policies {
		r.tablePolicy(&b, &r.Policies[i])
	}
	if len(r.Policies) > 1 {
		r.tableRehearsal(&b)
	}
	return b.String()
}

func columns(b *strings.Builder) *tabwriter.Writer { return tabwriter.NewWriter(b, 0, 0, 2, ' ', 0) }

// figure is a number in three digits, or a dash.
func figure(v *float64) string {
	switch {
	case v == nil:
		return "-"
	case *v >= 100 || *v <= -100:
		return fmt.Sprintf("%.0f", *v)
	case *v >= 10 || *v <= -10:
		return fmt.Sprintf("%.1f", *v)
	default:
		return fmt.Sprintf("%.3f", *v)
	}
}

func (r *Report) tableForecast(b *strings.Builder) {
	b.WriteString("\nForecast: zones of the touched regions, every 30 s\n")
	t := columns(b)
	fmt.Fprintln(t, "  of\tlead\tcases\thappened\tBrier\tskill\tworst bin")
	row := func(of string, l Lead) {
		brier := "-"
		if l.Brier != nil {
			brier = fmt.Sprintf("%.5f", *l.Brier)
		}
		fmt.Fprintf(t, "  %s\t%d min\t%d\t%d\t%s\t%s\t%s\n", of, l.Seconds/60, l.Cases, l.Happened, brier, figure(l.Skill), figure(l.Worst))
	}
	for _, l := range r.Forecast.Leads {
		row("all", l)
	}
	for _, c := range r.Forecast.Classes {
		for _, l := range c.Leads {
			row(c.Class, l)
		}
	}
	t.Flush()
	b.WriteString("\nReliability: said / observed (cases)\n")
	t = columns(b)
	bins := func(of string, leads []Lead) {
		for _, l := range leads {
			fmt.Fprintf(t, "  %s\t%d min", of, l.Seconds/60)
			for _, n := range l.Reliability {
				fmt.Fprintf(t, "\t%.2f/%.2f (%d)", n.Said, n.Observed, n.Cases)
			}
			fmt.Fprintln(t)
		}
	}
	bins("all", r.Forecast.Leads)
	for _, c := range r.Forecast.Classes {
		bins(c.Class, c.Leads)
	}
	t.Flush()
	b.WriteString("\nArrival of zones that were reached\n")
	t = columns(b)
	fmt.Fprintln(t, "  of\tat 2 min\tinside\tsooner\tlater\thalf within s\t90 % within s\tup to 10 min\tinside\tsooner\tlater")
	for _, a := range r.Forecast.Arrival {
		x, y := a.At2, a.Before
		fmt.Fprintf(t, "  %s\t%d\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", a.Class, x.Cases, figure(x.Inside), figure(x.Sooner), figure(x.Later), figure(x.Half), figure(x.Most),
			y.Cases, figure(y.Inside), figure(y.Sooner), figure(y.Later))
	}
	t.Flush()
	b.WriteString("\nHostile objects\n")
	t = columns(b)
	fmt.Fprintln(t, "  class\tflown\twith three plots\ttracked")
	for _, o := range r.Objects {
		fmt.Fprintf(t, "  %s\t%d\t%d\t%s\n", o.Class, o.Flown, o.Seen, figure(o.Tracked))
	}
	t.Flush()
}

func (r *Report) tablePolicy(b *strings.Builder, p *PolicyFigures) {
	fmt.Fprintf(b, "\nDecision: policy %s (%.12s)\n", p.Name, p.Hash)
	t := columns(b)
	fmt.Fprintln(t, "  per\tPOD\tFAR\tCSI")
	fmt.Fprintf(t, "  zone\t%s\t%s\t%s\n", figure(p.Zones.POD), figure(p.Zones.FAR), figure(p.Zones.CSI))
	fmt.Fprintf(t, "  person\t%s\t%s\t%s\n", figure(p.Persons.POD), figure(p.Persons.FAR), figure(p.Persons.CSI))
	t.Flush()
	t = columns(b)
	fmt.Fprintln(t, "  zones reached by\tevents\tin time\tlate\tmissed\tof possible\tof trackable\tmargin s: 5 %\thalf\t95 %\twhy missed")
	row := func(of string, x *Reached) {
		m := "-\t-\t-"
		if x.Margin != nil {
			m = fmt.Sprintf("%.0f\t%.0f\t%.0f", x.Margin.P5, x.Margin.P50, x.Margin.P95)
		}
		var why []string
		for _, w := range causeNames {
			if n := x.Why[w]; n > 0 {
				why = append(why, fmt.Sprintf("%d %s", n, w))
			}
		}
		fmt.Fprintf(t, "  %s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", of, x.Events, figure(x.InTime), figure(x.Late), figure(x.Missed), figure(x.Avoidable), figure(x.Trackable), m, strings.Join(why, "; "))
	}
	row("all", &p.Reached)
	for i := range p.Classes {
		row(p.Classes[i].Class, &p.Classes[i].Reached)
	}
	t.Flush()
	l := p.Life
	fmt.Fprintf(b, "  shelters %d, needless %s (and nothing near %s), flips per zone-hour %s (to shelter %s), again within 15 min %s, not ended %d\n",
		l.Shelters, figure(l.Needless), figure(l.Bare), figure(l.Flips), figure(l.OutAndIn), figure(l.Again), l.Open)
	t = columns(b)
	fmt.Fprintln(t, "  person-minutes in shelter\tall\tnot reached\tneither reached nor near")
	for _, x := range append([]Burden{p.Burden}, r.Blankets...) {
		fmt.Fprintf(t, "  %s\t%.0f\t%.0f\t%.0f\n", x.Of, x.All, x.Unreached, x.Far)
	}
	for _, x := range p.ByThreat {
		fmt.Fprintf(t, "  of it for: %s\t%.0f\t%.0f\t%.0f\n", x.Of, x.All, x.Unreached, x.Far)
	}
	for _, x := range p.ByRaid {
		fmt.Fprintf(t, "  of it in raids of: %s\t%.0f\t%.0f\t%.0f\n", x.Of, x.All, x.Unreached, x.Far)
	}
	for _, x := range p.Against {
		fmt.Fprintf(t, "  as a part of: %s\t%s\t%s\t%s\n", x.Of, figure(x.All), figure(x.Unreached), figure(x.Far))
	}
	t.Flush()
}

// tableRehearsal is what each further policy would have changed against the first.
func (r *Report) tableRehearsal(b *strings.Builder) {
	first := &r.Policies[0]
	fmt.Fprintf(b, "\nOn the same raids, against %s\n", first.Name)
	t := columns(b)
	fmt.Fprintln(t, "  policy\tmissed\tlate\tperson-minutes\tin zones not reached\tneedless shelters\tflips per zone-hour")
	for i := range r.Policies {
		p := &r.Policies[i]
		fmt.Fprintf(t, "  %s\t%s\t%s\t%.0f\t%.0f\t%s\t%s\n", p.Name, figure(p.Reached.Missed), figure(p.Reached.Late), p.Burden.All, p.Burden.Unreached, figure(p.Life.Needless), figure(p.Life.Flips))
	}
	t.Flush()
}
