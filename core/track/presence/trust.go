package presence

import "time"

// trust is what a source, or one citizen, has earned: how often others bore out what it
// said, and how often it stood alone while others listened and heard nothing.
type trust struct {
	registered float64
	right      float64
	alone      float64
	gone       bool
}

const (
	patience   = 8.0  // words that the registered trust is worth
	leastTrust = 0.1  // below which nobody falls, so that it can be won back
	mostTrust  = 0.97 // above which nobody rises
	mostCounts = 40.0 // beyond which old words are forgotten
	goneBelow  = 0.4  // share of the registered trust at which a source is named
	blameEvery = time.Minute
)

// name is under which a source's trust is kept: each citizen's under their own key, and
// what has none is taken as registered. The lies of one must not silence all.
func (e *evidence) name() (string, bool) {
	if e.kind != Crowd {
		return e.source, true
	}
	return e.source + "\x00" + e.o.Key, e.o.Key != ""
}

func (t *trust) value() float64 {
	v := (t.registered*patience + t.right) / (patience + t.right + t.alone)
	return min(max(v, leastTrust), mostTrust)
}

func (f *Field) trustOf(e *evidence) float64 {
	name, known := e.name()
	if t := f.trusts[name]; known && t != nil {
		return t.value()
	}
	return min(max(e.registered, leastTrust), mostTrust)
}

// earn changes what the sources of a cloud have earned.
func (f *Field) earn(c *cloud, right, alone float64) {
	seen := map[string]bool{}
	for i := range c.recent {
		o := &c.recent[i]
		e := evidence{source: o.Source, o: *o}
		from := c.sourceOf(o.Source)
		e.kind = from.Kind
		name, known := e.name()
		if !known || seen[name] {
			continue
		}
		seen[name] = true
		t := f.trusts[name]
		if t == nil {
			if len(f.trusts) >= maxTrusts {
				continue
			}
			t = &trust{registered: from.trust}
			f.trusts[name] = t
		}
		t.right, t.alone = t.right+right, t.alone+alone
		if sum := t.right + t.alone; sum > mostCounts {
			t.right, t.alone = t.right*mostCounts/sum, t.alone*mostCounts/sum
		}
		f.tell(o.Source, t, e.kind == Crowd)
	}
}

// tell names a source whose trust has gone, and again when it is back. Citizens are not named.
func (f *Field) tell(source string, t *trust, crowd bool) {
	v := t.value()
	switch {
	case crowd || len(f.told) >= maxClusters:
	case !t.gone && v < goneBelow*t.registered:
		t.gone = true
		f.told = append(f.told, Distrust{Source: source, Gone: true, Trust: v, Alone: int(t.alone)})
	case t.gone && v > 1.5*goneBelow*t.registered:
		t.gone = false
		f.told = append(f.told, Distrust{Source: source, Trust: v})
	}
}

// credit is for a cloud that was right.
func (f *Field) credit(c *cloud) {
	if !c.praised {
		c.praised = true
		f.earn(c, 1, 0)
	}
}

// corroborate looks, once in a while, at who bears out a cloud.
func (f *Field) corroborate(c *cloud, now time.Time) {
	c.settle()
	switch {
	case c.firm:
		f.credit(c)
	case now.Sub(c.alone) >= blameEvery:
		c.alone = now
		f.blame(c)
	}
}

// judge is for a cloud that ended.
func (f *Field) judge(c *cloud) {
	if !c.firm {
		f.blame(c)
	}
}

// blame counts against the only source of a cloud where others listened and heard nothing.
func (f *Field) blame(c *cloud) {
	if all, _ := c.support(); all > 1 || !c.denied() {
		return
	}
	f.earn(c, 0, 1)
}

// denied reports whether somebody in whose reach the cloud is heard nothing.
func (c *cloud) denied() bool {
	for i := range c.clusters {
		if k := &c.clusters[i]; k.odds < 0 {
			return true
		}
	}
	return false
}

func (c *cloud) sourceOf(id string) (s Contribution) {
	for _, s := range c.sources {
		if s.Source == id {
			return s
		}
	}
	return Contribution{Source: id, trust: defaultTrust}
}
