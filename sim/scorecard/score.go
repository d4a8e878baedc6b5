package scorecard

import (
	"tocsin/core/class"
)

// score is the sums of one raid, or of many.
type score struct {
	raids     map[string]float64 // by kind
	objects   [class.Count]float64
	untracked [class.Count]float64 // hostile objects with three plots and no track
	tracked   [class.Count]float64
	whole     [len(leads)]tally
	classes   [class.Count + 1][len(leads)]tally
	arrive    [class.Count]arrivals
	far       [class.Count]arrivals
	region    burden
	middle    burden
	circle    burden
	decisions []decision // one a policy
}

func newScore(policies int) *score {
	return &score{raids: map[string]float64{}, decisions: make([]decision, policies)}
}

// score is the sums of a raid that was played.
func (p *play) score() *score {
	s := newScore(len(p.policies))
	s.raids[p.raid.Name]++
	for i := range p.raid.Objects {
		o := &p.raid.Objects[i]
		if !o.Role.Hostile() {
			continue
		}
		s.objects[o.Class]++
		switch {
		case p.facts.tracked[i] != never:
			s.tracked[o.Class]++
		case p.facts.plots[i][2] != never:
			s.untracked[o.Class]++
		}
	}
	v := &p.verify
	for k := range leads {
		v.whole[k].refer()
		for c := range v.classes {
			v.classes[c][k].refer()
		}
	}
	s.whole, s.classes, s.arrive, s.far = v.whole, v.classes, v.arrive, v.far
	s.region, s.middle, s.circle = p.blankets()
	for i := range p.policies {
		s.decisions[i] = p.judge(p.logs[i], p.policies[i].Policy)
	}
	return s
}

func (s *score) add(u *score) {
	for name, n := range u.raids {
		s.raids[name] += n
	}
	for c := range class.Count {
		s.objects[c] += u.objects[c]
		s.untracked[c] += u.untracked[c]
		s.tracked[c] += u.tracked[c]
		s.arrive[c].add(&u.arrive[c])
		s.far[c].add(&u.far[c])
	}
	for k := range leads {
		s.whole[k].add(&u.whole[k])
		for c := range s.classes {
			s.classes[c][k].add(&u.classes[c][k])
		}
	}
	s.region.add(u.region)
	s.middle.add(u.middle)
	s.circle.add(u.circle)
	for i := range s.decisions {
		s.decisions[i].add(&u.decisions[i])
	}
}

func (a *arrivals) add(u *arrivals) {
	a.inside, a.early, a.late = a.inside+u.inside, a.early+u.early, a.late+u.late
	a.off = append(a.off, u.off...)
}
