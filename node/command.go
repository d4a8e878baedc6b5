package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tocsin/board"
	"tocsin/core/class"
	"tocsin/core/observation"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/desk"
	"tocsin/health"
	"tocsin/journal"
	"tocsin/node/keyring"
)

// Carry keeps an order in the journal, in the caller's goroutine, and then has the loop
// carry it out. It is desk.Carrier: desk.ErrNotKept where it is not on disk and nothing was
// done, desk.ErrUnanswered where it is and the loop ended first; the next start carries it
// out. ctx ends the wait for the disk; what is on disk is waited for to its end.
func (n *Node) Carry(ctx context.Context, o pipeline.Order) (pipeline.Answer, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return pipeline.Answer{}, fmt.Errorf("node: command %s: %w: %w", o.ID, desk.ErrNotKept, err)
	}
	at, err := n.journal.Append(ctx, journal.New{At: n.cfg.now(), Kind: pipeline.KindCommand, Body: body})
	if err != nil {
		n.notKept(err)
		return pipeline.Answer{}, fmt.Errorf("node: command %s: %w: %w", o.ID, desk.ErrNotKept, err)
	}
	if n.refusing.CompareAndSwap(true, false) {
		n.condition(health.Condition{Name: commandsRefused, At: time.Now().UTC()})
	}
	o.Position = int64(at)
	r := request{order: o, answer: make(chan pipeline.Answer, 1)}
	select {
	case n.loop.commands <- r:
	case <-n.loop.ended:
		return pipeline.Answer{}, fmt.Errorf("node: command %s: %w", o.ID, desk.ErrUnanswered)
	}
	select {
	case a := <-r.answer:
		return a, nil
	case <-n.loop.ended:
	}
	select { // it may have been the loop's last
	case a := <-r.answer:
		return a, nil
	default:
		return pipeline.Answer{}, fmt.Errorf("node: command %s: %w", o.ID, desk.ErrUnanswered)
	}
}

// commandsRefused is raised from the first command that is not kept to the next that is.
const commandsRefused = "commands-refused"

// notKept tells of a command that found no place. A disk that failed ends the process: what
// it says next can no longer be believed.
func (n *Node) notKept(err error) {
	if errors.Is(err, journal.ErrBroken) {
		select {
		case n.loop.broken <- fmt.Errorf("node: journal: %w", err):
		default: // told already
		}
	}
	n.condition(health.Condition{Name: commandsRefused, Raised: true, At: time.Now().UTC(), Detail: "a command could not be kept: " + err.Error()})
	n.refusing.Store(true)
}

// openDesk makes the handler of the desk's door.
func (n *Node) openDesk() (http.Handler, error) {
	rate := 0.0 // the desk's own
	if n.cfg.Replay != nil {
		rate = n.cfg.Replay.Rate
	}
	return desk.New(desk.Config{
		Universe: n.cfg.Universe, Now: n.cfg.now, Rate: rate, Burst: rate,
		Grants: n.grants, Carrier: n, Zones: n.sets.now, Signing: func() desk.Signing { return n.signing.Load() },
		Warnings: n.loop.inForce.list, Proposals: n.loop.proposed.list, Conditions: n.loop.health.Raised, Note: n.condition,
		Answered: n.memory.ledger.Answers(), Registry: n.registry,
		Metrics: promhttp.HandlerFor(n.registry, promhttp.HandlerOpts{}),
	})
}

// inForce is what the desk may read of the warnings while the loop owns the core.
type inForce struct {
	mu  sync.Mutex
	all map[warning.ID]warning.Warning
}

func (f *inForce) put(w warning.Warning) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[warning.ID]warning.Warning{}
	}
	if w.Over() {
		delete(f.all, w.ID)
		return
	}
	f.all[w.ID] = w
}

func (f *inForce) list() []warning.Warning {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]warning.Warning, 0, len(f.all))
	for _, w := range f.all {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b warning.Warning) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// proposed is what waits for a person, as the desk may read it while the loop owns the core.
type proposed struct {
	current atomic.Pointer[[]warning.Proposal]
}

// put takes what waits now; it is not changed afterwards.
func (p *proposed) put(all []warning.Proposal) {
	if len(all) > 0 || len(p.list()) > 0 {
		p.current.Store(&all)
	}
}

func (p *proposed) list() []warning.Proposal {
	if all := p.current.Load(); all != nil {
		return *all
	}
	return nil
}

// The core knows its sources from the start on. A token that may observe has one of its
// own; one that came later, or is over the bound, or is called like a sensor, speaks as the
// source of all authorities.
const (
	anyAuthority   = "authority"
	authorityKind  = "authority"
	authorityTrust = 0.9
	ownSources     = 200
)

// grants is the keyring's tokens as the desk asks for them.
type grants struct {
	current atomic.Pointer[tokens]
	own     map[string]bool // tokens that are sources of their own
	shared  bool            // whether anyAuthority is a source

	mu     sync.Mutex // of what follows, and of changes of current
	zones  *zone.Set
	reread time.Time // when changed files were read last
}

// tokens are those of one ring, with their areas made ready.
type tokens struct {
	ring  *keyring.Ring
	areas map[string]area // by name
}

// move makes the areas anew over another zone set.
func (g *grants) move(ring *keyring.Ring, set *zone.Set) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.zones = set
	return g.take(ring)
}

// newGrants reads the tokens and names those that become sources; sensors has the ids that
// are taken.
func newGrants(ring *keyring.Ring, zones *zone.Set, sensors []observation.Source) (*grants, error) {
	g := &grants{zones: zones, own: map[string]bool{}, shared: true}
	sensor := map[string]bool{}
	for _, s := range sensors {
		sensor[s.ID] = true
	}
	g.shared = !sensor[anyAuthority]
	for _, t := range ring.Tokens() {
		if t.May(keyring.Observe) && !sensor[t.Name] && t.Name != anyAuthority && len(g.own) < ownSources {
			g.own[t.Name] = true
		}
	}
	return g, g.use(ring)
}

// sources are the authorities as the core knows them. They have no place and cover nothing:
// a person's silence says nothing.
func (g *grants) sources() []observation.Source {
	var out []observation.Source
	for name := range g.own {
		out = append(out, observation.Source{ID: name, Kind: authorityKind, Trust: authorityTrust})
	}
	slices.SortFunc(out, func(a, b observation.Source) int { return strings.Compare(a.ID, b.ID) })
	if g.shared {
		out = append(out, observation.Source{ID: anyAuthority, Kind: authorityKind, Trust: authorityTrust})
	}
	return out
}

// use takes up the tokens of a ring.
func (g *grants) use(ring *keyring.Ring) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.take(ring)
}

// rereadEvery is how often changed files are read at most: who changes them all the time must
// not keep the door busy.
const rereadEvery = 200 * time.Millisecond

// fresh are the tokens as the files have them now, so that one that was made is known, and one
// that was removed is not, at the next request. Files that cannot be read leave what was; the
// watch over the keys tells of them.
func (g *grants) fresh() *tokens {
	held := g.current.Load()
	if !held.ring.Changed() {
		return held
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	held = g.current.Load()
	if now := time.Now(); now.Sub(g.reread) >= rereadEvery {
		g.reread = now
		if next, changed, err := held.ring.Reload(); err == nil && changed {
			if g.take(next) == nil {
				return g.current.Load()
			}
		}
	}
	return held
}

func (g *grants) take(ring *keyring.Ring) error {
	t := &tokens{ring: ring, areas: map[string]area{}}
	for _, one := range ring.Tokens() {
		shape, err := keyring.NewArea(one.Jurisdiction, g.zones)
		if err != nil {
			return fmt.Errorf("node: token %s: %w", one.Name, err)
		}
		t.areas[one.Name] = area{one.Jurisdiction, shape}
	}
	g.current.Store(t)
	return nil
}

// Grant tells whose a secret is.
func (g *grants) Grant(now time.Time, secret string) (desk.Grant, error) {
	all := g.fresh()
	t, err := all.ring.Check(now, secret)
	switch {
	case errors.Is(err, keyring.ErrTokenOver):
		return desk.Grant{}, desk.ErrTokenOver
	case err != nil:
		return desk.Grant{}, desk.ErrToken
	}
	source := t.Name
	if !g.own[t.Name] {
		source = anyAuthority
	}
	j := t.Jurisdiction
	return desk.Grant{
		Name: t.Name, Source: source, Scopes: t.Scopes, Area: all.areas[t.Name],
		Everything: slices.Contains(j.Regions, board.Any) && slices.Contains(j.Classes, board.Any) && j.Everywhere(),
	}, nil
}

// area is a token's jurisdiction as the desk asks for it.
type area struct {
	jurisdiction board.Jurisdiction
	shape        *keyring.Area
}

func (a area) Region(id zone.ID) bool   { return a.jurisdiction.Region(string(id)) }
func (a area) Class(c class.Class) bool { return a.jurisdiction.Class(c) }
func (a area) Within(id zone.ID) bool   { return a.shape.Within(id) }
