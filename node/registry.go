package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/health"
	"tocsin/zones"
)

// rememberedSets bounds the zone sets that are known besides the one in force.
const rememberedSets = 8

// registry is the zone set in force and those that were before it: an alert is drawn with
// the shapes it was made of. It belongs to the goroutine that watches the folder; current
// may be read by any.
type registry struct {
	current atomic.Pointer[sets]
}

// sets is the one in force and, by version, all that are still known.
type sets struct {
	inForce *zone.Set
	known   []*zone.Set // newest first; inForce is one of them
}

func (r *registry) now() *zone.Set { return r.current.Load().inForce }

// of is the set of a version, the one in force where it is not known any more.
func (r *registry) of(version string) *zone.Set {
	all := r.current.Load()
	for _, s := range all.known {
		if s.Version() == version {
			return s
		}
	}
	return all.inForce
}

func (r *registry) use(s *zone.Set) {
	next := &sets{inForce: s, known: []*zone.Set{s}}
	if old := r.current.Load(); old != nil {
		next.known = append(next.known, old.known[:min(len(old.known), rememberedSets)]...)
	}
	r.current.Store(next)
}

// openSet reads the set to begin with: the one that `tocsin zones import` put into the data
// folder, or else what the configuration names.
func (n *Node) openSet() error {
	set, err := zones.StoreIn(n.cfg.Data).Current()
	switch {
	case errors.Is(err, zones.ErrNone):
		if set, err = openZones(n.cfg.Zones); err == nil {
			if failed := zones.StoreIn(n.cfg.Data).Configure(set); failed != nil {
				n.log.Warn("zones: " + failed.Error()) // a later set will know less of this one
			}
		}
	case err == nil:
		n.log.Info("zones: the imported set is used", "version", set.Version(), "instead of", n.cfg.Zones)
	}
	if err != nil {
		return err
	}
	n.before = n.setBefore(set.Version())
	n.sets.use(n.withHistory(set))
	return nil
}

// setBefore is the set that was in force before the one of a version, as the journal tells;
// nil where there was none or it was not kept.
func (n *Node) setBefore(version string) *zone.Set {
	for _, v := range slices.Backward(n.memory.sets) {
		if v == version {
			continue
		}
		set, err := zones.StoreIn(n.cfg.Data).Open(v)
		if err != nil {
			n.log.Warn("zones: " + err.Error())
			return nil
		}
		return set
	}
	return nil
}

// warnedOver is the set that what is in force was said over. Where another one was put in force
// between two starts, the core begins with it and is then given the new one, as a running one
// is: by their ground, and not by their names, the places that were warned stay so.
func (n *Node) warnedOver() *zone.Set {
	if last := len(n.memory.sets) - 1; n.before != nil && n.memory.sets[last] == n.before.Version() {
		return n.before
	}
	return n.sets.now()
}

// withHistory lets the set know the ids of the one before, and, where a warning that is in
// force or told names one that neither has, of earlier ones: such a place is warned by its
// parent, and its end is told in its region.
func (n *Node) withHistory(set *zone.Set) *zone.Set {
	var earlier []*zone.Set
	if n.before != nil {
		earlier = append(earlier, n.before)
		set = set.Remember(earlier...)
	}
	if !strange(set, n.memory.ledger.Restored(n.cfg.now()).Warnings) {
		return set
	}
	store := zones.StoreIn(n.cfg.Data)
	versions, err := store.Versions()
	if err != nil {
		n.log.Warn("zones: " + err.Error())
	}
	// The newest first, then what the journal does not tell of.
	newest := slices.Clone(n.memory.sets)
	slices.Reverse(newest)
	for _, v := range append(newest, versions...) {
		if len(earlier) == rememberedSets {
			break
		}
		if v == set.Version() || slices.ContainsFunc(earlier, func(s *zone.Set) bool { return s.Version() == v }) {
			continue
		}
		if one, err := store.Open(v); err == nil {
			earlier = append(earlier, one)
		} else {
			n.log.Warn("zones: " + err.Error())
		}
	}
	return set.Remember(earlier...)
}

// strange reports whether a zone in force or ended is unknown to the set.
func strange(set *zone.Set, warnings []warning.Warning) bool {
	unknown := func(id zone.ID) bool { _, _, ok := set.Resolve(id); return !ok }
	return slices.ContainsFunc(warnings, func(w warning.Warning) bool {
		return slices.ContainsFunc(w.Zones, func(z warning.ZoneState) bool { return unknown(z.Zone) }) ||
			slices.ContainsFunc(w.Ended, func(z warning.EndedZone) bool { return unknown(z.Zone) })
	})
}

// watchSet takes up a set that was imported while the system runs. It returns what it saw of
// the folder, so that nothing is read twice.
func (n *Node) watchSet(ctx context.Context, seen string) string {
	pointer, err := os.ReadFile(filepath.Join(zones.StoreIn(n.cfg.Data).Dir, "current"))
	if err != nil || string(pointer) == seen {
		return seen
	}
	set, err := zones.StoreIn(n.cfg.Data).Current()
	old := n.sets.now()
	if err == nil && set.Version() != old.Version() {
		set = set.Remember(old)
		err = n.changeSet(ctx, set, old)
	}
	told := health.Condition{Name: "zones-unreadable", Raised: err != nil, At: time.Now().UTC()}
	if err != nil {
		told.Detail = err.Error() + "; the set before stays in force"
	}
	n.condition(told)
	return string(pointer)
}

// changeSet puts another set in force everywhere: keys, desk, public registry, board, core.
func (n *Node) changeSet(ctx context.Context, set, old *zone.Set) error {
	signer, err := n.ring.Signer(set)
	if err != nil {
		return fmt.Errorf("node: zones: %w", err)
	}
	if err := n.grants.move(n.ring, set); err != nil {
		return fmt.Errorf("node: zones: %w", err)
	}
	if err := n.gateway.SetZones(set, old); err != nil {
		return err
	}
	n.sets.use(set)
	n.signing.Store(&signing{signer, set})
	n.log.Info("zones: another set is in force", "version", set.Version(), "before", old.Version())
	select {
	case n.loop.sets <- newSet{set: set, signer: signer}:
	case <-ctx.Done():
	}
	return nil
}
