package board

import (
	"cmp"
	"crypto/ed25519"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// maxHeld bounds the zones of one chain; a change that would go over it means: fetch the
// board, which cannot.
const maxHeld = 100_000

// Show is what a client shows of a zone that is not simply quiet.
type Show string

// Warned: the item holds. Ended: it has ended, the item says how. NoNews: its time is up
// or the board lost it without an end; unknown, never safe.
const (
	Warned Show = "warned"
	Ended  Show = "ended"
	NoNews Show = "no-news"
)

// Zone is one zone of one chain as a client shows it. Item is the last that was said of
// it and has no Zones.
type Zone struct {
	Region string
	Zone   zone.ID
	Show   Show
	Item   alert.Item
}

// Client is the contract's client rules as a state machine without I/O: lines and times
// in, verdicts and state out. It is not safe for use by several goroutines at once.
type Client struct {
	verifier *Verifier
	chains   map[string]*held
}

// held is what a client holds of one chain.
type held struct {
	has     bool // a board was taken
	seq     int64
	ordered time.Time // the greatest at of the beats and changes accepted, but those that led to a fetch
	newest  time.Time // the greatest at of all
	due     time.Time // by the client's clock: the next frame comes not later
	clock   bool      // the newest frame was far from it
	behind  time.Time // since when what is held is not proved to be what holds; zero: it is
	zones   map[zone.ID]alert.Item
	lost    map[zone.ID]loss
	picture Picture
	set     string
	by      map[string]struct{} // the kids whose word counted in any of this
}

// loss is a zone that vanished from the board without an end, seen at the client's time.
type loss struct {
	item alert.Item
	at   time.Time
}

func newHeld() *held {
	return &held{zones: map[zone.ID]alert.Item{}, lost: map[zone.ID]loss{}, by: map[string]struct{}{}}
}

// NewClient follows the given regions of a universe, or Whole where none is given.
func NewClient(root ed25519.PublicKey, universe alert.Universe, regions ...string) *Client {
	c := &Client{verifier: NewVerifier(root, universe), chains: map[string]*held{}}
	if len(regions) == 0 {
		regions = []string{Whole}
	}
	for _, r := range regions {
		c.chains[r] = newHeld()
	}
	return c
}

// Keys judges a key list at the client's time now; one that is refused changes nothing.
func (c *Client) Keys(line []byte, now time.Time) Verdict {
	v := c.verifier.Keys(line)
	if v != Taken {
		return v
	}
	list := c.verifier.Held()
	for _, h := range c.chains {
		for kid := range h.by {
			if list.RevokedKey(kid) {
				h.disown(now)
				break
			}
		}
	}
	return Taken
}

// disown forgets numbers and times that a revoked key can have set: whoever stole it could
// have set them so high that nothing honest would ever be taken again. What was said of
// zones stays until the board that must be fetched now says otherwise.
func (h *held) disown(now time.Time) {
	h.has, h.seq = false, 0
	h.ordered, h.newest = time.Time{}, time.Time{}
	h.by = map[string]struct{}{}
	h.late(now)
}

func (h *held) late(now time.Time) {
	if h.behind.IsZero() {
		h.behind = now
	}
}

// KeyList returns the key list in use, nil before the first.
func (c *Client) KeyList() *KeyList { return c.verifier.Held() }

// Take gives one line its verdict at the client's time now, and applies it if it is Taken.
func (c *Client) Take(line []byte, now time.Time) Verdict {
	p, kid, v := c.verifier.verify(line, now, func(region string) bool { return c.chains[region] != nil })
	if v != Taken {
		return v
	}
	h := c.chains[p.Region]
	if v = h.take(&p, now); !v.Accepted() {
		return v
	}
	h.by[kid] = struct{}{}
	switch {
	case v == Fetch:
		h.late(now)
	case v == Taken && p.Kind == Beat: // nothing less proves that what is held is what holds
		h.behind = time.Time{}
	}
	h.hear(&p, now)
	return v
}

// hear notes that the chain was heard. Only a frame newer than all before says anything
// about now: else the same line, played again and again, would keep a client content.
func (h *held) hear(p *Payload, now time.Time) {
	if !p.At.After(h.newest) {
		return
	}
	h.newest = p.At
	apart := p.At.Sub(now)
	h.clock = apart > ClockApart || apart < -ClockApart
	h.due = now.Add(p.Next.Sub(p.At))
	if !h.clock { // with clocks far apart only the length of the promised silence means anything
		h.due = earlier(h.due, p.Next)
	}
	if p.Kind != Change {
		h.picture = p.Picture
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// take judges the order of a verified frame and applies it.
func (h *held) take(p *Payload, now time.Time) Verdict {
	if p.Kind == Board {
		if h.has && p.Seq < h.seq {
			return Rollback
		}
		h.board(p, now)
		return Taken
	}
	if !p.At.After(h.ordered) {
		return Replay
	}
	if p.Kind == Beat {
		if !h.has || p.Seq != h.seq || p.Digest != digestOf(h.zones) || p.Active != activeIn(h.zones) {
			return Fetch // its at does not count: it may be given again after the board
		}
		h.ordered = p.At
		return Taken
	}
	switch {
	case h.has && p.Seq <= h.seq:
		h.ordered = p.At
		return Old
	case !h.has || p.Prev != h.seq || !h.room(p):
		return Fetch // the same
	}
	h.ordered, h.seq = p.At, p.Seq
	for _, it := range p.Items {
		h.put(it)
	}
	return Taken
}

func (h *held) room(p *Payload) bool {
	n := len(h.zones)
	for i := range p.Items {
		n += len(p.Items[i].Zones)
	}
	return n <= maxHeld
}

func (h *held) board(p *Payload, now time.Time) {
	before := h.zones
	h.has, h.seq, h.set = true, p.Seq, p.Set
	h.zones = make(map[zone.ID]alert.Item, len(before))
	for _, it := range p.Items {
		h.put(it)
	}
	for id, it := range before {
		if _, still := h.zones[id]; !still && it.End == warning.NotEnded && len(h.lost) < maxHeld {
			h.lost[id] = loss{it, now}
		}
	}
	for id, l := range h.lost {
		if !now.Before(l.at.Add(KeepEnds)) {
			delete(h.lost, id)
		}
	}
}

func (h *held) put(it alert.Item) {
	zones := it.Zones
	it.Zones = nil
	for _, id := range zones {
		h.zones[id] = it
		delete(h.lost, id)
	}
}

// State returns the zones that are not simply quiet, ascending by region and zone.
func (c *Client) State(now time.Time) []Zone {
	var out []Zone
	for region, h := range c.chains {
		for id, it := range h.zones {
			if show := showOf(it, now); show != "" {
				out = append(out, Zone{region, id, show, it})
			}
		}
		for id, l := range h.lost {
			if now.Before(l.at.Add(KeepEnds)) {
				out = append(out, Zone{region, id, NoNews, l.item})
			}
		}
	}
	slices.SortFunc(out, func(a, b Zone) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Zone, b.Zone))
	})
	return out
}

func showOf(it alert.Item, now time.Time) Show {
	switch {
	case it.End == warning.Expired && now.Before(it.Since.Add(KeepEnds)):
		return NoNews
	case it.End != warning.NotEnded && now.Before(it.Since.Add(KeepEnds)):
		return Ended
	case it.End != warning.NotEnded:
		return ""
	case !now.Before(it.Until):
		return NoNews
	}
	return Warned
}

// Deaf reports whether a chain is silent past its due time, or could not be brought up to
// date for as long as that, or never said anything: of the regions given, or, where none
// is, of all but the test chain.
func (c *Client) Deaf(now time.Time, regions ...string) bool {
	return c.any(regions, func(h *held) bool {
		return now.After(h.due.Add(Patience)) || !h.behind.IsZero() && now.After(h.behind.Add(Patience))
	})
}

// Clock reports whether the newest frame of a chain was far from the client's clock; of
// which chains is as in Deaf.
func (c *Client) Clock(regions ...string) bool {
	return c.any(regions, func(h *held) bool { return h.clock })
}

func (c *Client) any(regions []string, holds func(*held) bool) bool {
	for region, h := range c.chains {
		if len(regions) == 0 && region == Test || len(regions) > 0 && !slices.Contains(regions, region) {
			continue
		}
		if holds(h) {
			return true
		}
	}
	return false
}

// Seq returns the number held of a chain; false before its first board.
func (c *Client) Seq(region string) (int64, bool) {
	h := c.chains[region]
	if h == nil {
		return 0, false
	}
	return h.seq, h.has
}

// Picture returns the newest word of a chain on whether there is a picture; empty before
// its first frame.
func (c *Client) Picture(region string) Picture {
	if h := c.chains[region]; h != nil {
		return h.picture
	}
	return ""
}

// Set returns the version of the zone set that a chain's ids are of; empty before its
// first board.
func (c *Client) Set(region string) string {
	if h := c.chains[region]; h != nil {
		return h.set
	}
	return ""
}

// Verify judges a line as Take does, but for its order, and applies nothing.
func (c *Client) Verify(line []byte, now time.Time) (Payload, Verdict) {
	return c.verifier.Verify(line, now, func(region string) bool { return c.chains[region] != nil })
}
