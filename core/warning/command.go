package warning

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tocsin/core/zone"
)

// Bounds of a command.
const (
	maxID     = 64
	maxReason = 1000
	// maxAhead is how far ahead a person may set an until: what lasts longer is extended, so
	// that no forgotten warning stands for weeks.
	maxAhead = 72 * time.Hour
	// maxAsked is how many zones and regions a command may name.
	maxAsked = 50_000
)

// ledger remembers which commands were taken, the oldest forgotten first.
type ledger struct {
	digest map[string][sha256.Size]byte // zero: taken before a restart, content not known
	order  []string
}

func (l *ledger) add(id string, digest [sha256.Size]byte) {
	if l.digest == nil {
		l.digest = map[string][sha256.Size]byte{}
	}
	if _, known := l.digest[id]; !known {
		l.order = append(l.order, id)
	}
	l.digest[id] = digest
	if len(l.order) > maxCommands {
		delete(l.digest, l.order[0])
		l.order = slices.Delete(l.order, 0, 1)
	}
}

// Remember tells the book which commands were taken before a restart, oldest first. Such
// an id is taken as repeated, whatever its content: the desk keeps contents.
func (b *Book) Remember(ids ...string) {
	for _, id := range ids {
		if _, known := b.taken.digest[id]; !known && id != "" && len(id) <= maxID {
			b.taken.add(id, [sha256.Size]byte{})
		}
	}
}

// Command carries out a person's command, at once. A *RefusedError names the field that
// is wrong; then nothing changed. A command that was taken before changes nothing and is
// no error; its id with other content is refused.
func (b *Book) Command(now time.Time, c Command) ([]Change, error) {
	b.advance(now)
	c.Until = stamp(c.Until)
	digest, err := c.check()
	if err != nil {
		return nil, err
	}
	if was, known := b.taken.digest[c.ID]; known {
		if was != digest && was != [sha256.Size]byte{} {
			return nil, &RefusedError{"id", "was taken with other content"}
		}
		return nil, nil
	}
	ids, err := b.zonesOf(c)
	if err != nil {
		return nil, err
	}
	switch c.Action {
	case Declare:
		err = b.declare(c, ids)
	case Extend:
		err = b.extend(c, ids)
	case EndsZone:
		err = b.endAll(c, ids)
	case Confirm, Veto:
		err = b.answer(c, ids)
	}
	if err != nil {
		return nil, err
	}
	b.taken.add(c.ID, digest)
	b.weighMarked(everything)
	changes := b.speak(true)
	b.tellAll()
	return changes, nil
}

// check refuses what is wrong with a command whatever is in force.
func (c Command) check() (digest [sha256.Size]byte, err error) {
	refuse := func(field, why string, args ...any) error { return &RefusedError{field, fmt.Sprintf(why, args...)} }
	switch {
	case c.ID == "" || len(c.ID) > maxID:
		return digest, refuse("id", "must have 1 to %d characters", maxID)
	case c.By.Kind != ByOperator && c.By.Kind != ByAuthority:
		return digest, refuse("by", "a command is a person's")
	case c.By.Name == "" || len(c.By.Name) > maxID:
		return digest, refuse("by", "must be named in 1 to %d characters", maxID)
	case c.Until.Year() > 9999:
		return digest, refuse("until", "is no time that can be written")
	case len(c.Reason) > maxReason:
		return digest, refuse("reason", "is over %d bytes", maxReason)
	case len(c.Zones) > maxAsked:
		return digest, refuse("zones", "are over %d", maxAsked)
	case len(c.Regions) > maxAsked:
		return digest, refuse("regions", "are over %d", maxAsked)
	}
	switch c.Action {
	case Declare:
		err = c.checkDeclare()
	case EndsZone:
		if c.End != AllClear && c.End != Cancelled {
			err = refuse("end", "must be all-clear or cancelled")
		}
	case Extend, Confirm, Veto:
	default:
		err = refuse("action", "must be declare, extend, end, confirm or veto")
	}
	if err != nil {
		return digest, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return digest, refuse("id", "cannot be kept: %v", err)
	}
	return sha256.Sum256(text), nil
}

func (c Command) checkDeclare() error {
	switch {
	case c.By.Kind != ByAuthority:
		return &RefusedError{"by", "only an authority declares"}
	case c.Warning != "":
		return &RefusedError{"warning", "a declaration opens its own"}
	case c.Stage != Prepare && c.Stage != Shelter:
		return &RefusedError{"stage", "must be prepare or shelter"}
	case !c.Threat.Valid():
		return &RefusedError{"threat", "is none of the contract's"}
	}
	return nil
}

// zonesOf finds the zones that a command means, ascending. None are named where it names
// a warning alone.
func (b *Book) zonesOf(c Command) ([]zone.ID, error) {
	if len(c.Zones)+len(c.Regions) == 0 {
		if c.Warning == "" || c.Action == Confirm || c.Action == Veto {
			return nil, &RefusedError{"zones", "is missing: no place is named"}
		}
		return nil, nil
	}
	var ids []zone.ID
	for _, id := range c.Zones {
		known, coarser, ok := b.zones.Resolve(id)
		switch {
		case (!ok || b.zones.Gone(id)) && b.places[id] != nil:
			ids = append(ids, id) // of an earlier set, and still warned
		case b.zones.Gone(id) && (c.Action == EndsZone || c.Action == Veto):
			return nil, &RefusedError{"zones", fmt.Sprintf("names %q, which the zone set does not have any more: name what is there now", clip(string(id), maxID))}
		case !ok:
			return nil, &RefusedError{"zones", fmt.Sprintf("%q is no zone", clip(string(id), maxID))}
		case coarser:
			ids = append(ids, b.zones.Leaves(known)...)
		default:
			ids = append(ids, known)
		}
		if ok && known != id {
			b.raise("zone-unknown", string(id), true, "is not in the zone set: "+string(known)+" is meant in its place", 0)
		}
	}
	for _, id := range c.Regions {
		leaves := b.zones.Leaves(id)
		if len(leaves) == 0 {
			return nil, &RefusedError{"regions", fmt.Sprintf("%q is no region", clip(string(id), maxID))}
		}
		ids = append(ids, leaves...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// until checks a person's until.
func (b *Book) until(c Command) error {
	switch {
	case !c.Until.After(b.now):
		return &RefusedError{"until", "is not in the future"}
	case c.Until.Sub(b.now) > maxAhead:
		return &RefusedError{"until", fmt.Sprintf("is over %s ahead: extend it then", maxAhead)}
	}
	return nil
}

// declare opens a warning of an authority; more than one where it has too many zones.
func (b *Book) declare(c Command, ids []zone.ID) error {
	if err := b.until(c); err != nil {
		return err
	}
	need := (len(ids) + MaxZones - 1) / MaxZones
	if len(b.episodes)+need > MaxWarnings {
		b.forget()
	}
	if len(b.episodes)+need > MaxWarnings {
		return &RefusedError{"zones", fmt.Sprintf("%d warnings are in force: end some first", len(b.episodes))}
	}
	for part := range slices.Chunk(ids, MaxZones) {
		e := b.open(c.By, false, c.Reason)
		e.causes = declaredCause(c)
		for _, id := range part {
			p := b.place(id)
			m := &member{ep: e, at: p, st: ZoneState{
				Zone: id, Stage: c.Stage, Threat: c.Threat, Sure: High, Since: b.now, Until: c.Until,
				Basis: Basis{Rule: "declared", Causes: []string{c.ID}},
			}}
			if !b.move(m, lifeOf(c.Stage), moverOf(c.By.Kind)) {
				continue
			}
			p.declared = append(p.declared, m)
			e.add(m)
			b.touch(m, true)
			b.mark(p)
		}
	}
	return nil
}

// meant lists the zones in force that a command means, in the order of their warnings.
func (b *Book) meant(c Command, ids []zone.ID) ([]*member, error) {
	if c.Warning != "" {
		e := b.byID[c.Warning]
		if e == nil || len(e.members) == 0 {
			return nil, &RefusedError{"warning", fmt.Sprintf("%q is not in force", clip(string(c.Warning), maxID))}
		}
	}
	var out []*member
	for _, e := range b.episodes {
		if c.Warning != "" && e.id != c.Warning {
			continue
		}
		for _, m := range e.members {
			if _, in := slices.BinarySearch(ids, m.st.Zone); in || len(c.Zones)+len(c.Regions) == 0 {
				out = append(out, m)
			}
		}
	}
	if len(out) == 0 {
		return nil, &RefusedError{"zones", "names places where nothing is in force"}
	}
	return out, nil
}

// extend moves untils later. It never shortens one: what should end, ends.
func (b *Book) extend(c Command, ids []zone.ID) error {
	if err := b.until(c); err != nil {
		return err
	}
	all, err := b.meant(c, ids)
	if err != nil {
		return err
	}
	done := false
	for _, m := range all {
		if c.Until.After(m.st.Until) {
			m.st.Until = c.Until
			b.touch(m, true)
			b.mark(m.at)
			done = true
		}
	}
	if !done {
		return &RefusedError{"until", "is not later than what is in force"}
	}
	return nil
}

// endAll ends zones by a person's word. Of an automatic warning it holds against the same
// tracks: in the zones that it ended; and, where the whole warning was cancelled (it was a
// mistake), everywhere.
func (b *Book) endAll(c Command, ids []zone.ID) error {
	all, err := b.meant(c, ids)
	if err != nil {
		return err
	}
	why := c.Reason
	if why == "" {
		why = c.End.String() + " by " + c.By.Name
	}
	ending := map[*episode]int{}
	gravest := map[*episode]Stage{}
	for _, m := range all {
		ending[m.ep]++
		gravest[m.ep] = max(gravest[m.ep], m.st.Stage)
	}
	for _, m := range all {
		e := m.ep
		if e.auto {
			whole := c.End == Cancelled && ending[e] == len(e.members)
			b.spareAll(m, whole, gravest[e])
			ending[e]--
		}
		p := m.at
		b.end(m, c.End, moverOf(c.By.Kind), c.By, why)
		b.mark(p)
	}
	return nil
}

// spareAll has a person's end of one zone hold against the tracks that are its causes.
func (b *Book) spareAll(m *member, whole bool, gravest Stage) {
	for _, k := range m.causes {
		b.spare(m.at, k.track, m.st.Stage)
		if s := b.tracks[k.track]; s != nil && whole && b.policy.Respect > 0 {
			s.spared = &respect{track: s.id, stage: gravest, until: b.now.Add(b.policy.Respect)}
		}
	}
	for _, x := range m.at.parts {
		b.spare(m.at, x.s.id, m.st.Stage)
	}
}
