package board

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// chain is what is said of one region.
type chain struct {
	region string
	seq    int64     // the newest number
	at     time.Time // the greatest that was signed
	zones  map[zone.ID]said
	gap    bool // the next number is to be left out

	dirty   bool // zones changed since digest and items were computed
	ids     []zone.ID
	digest  string
	active  int
	renewed bool // the cached board says what holds

	due         time.Time // of the next beat; zero before the first
	board, said Frame     // newest board and beat
	saidPicture Picture
	saidKid     string
}

// next is what stamp would give.
func (c *chain) next(now time.Time) time.Time {
	if now = stamp(now); now.After(c.at) {
		return now
	}
	return c.at.Add(time.Millisecond)
}

// stamp is the at of the next beat or change: it grows, whatever the clock does.
func (c *chain) stamp(now time.Time) time.Time {
	c.at = c.next(now)
	return c.at
}

// refresh computes what depends on the zones.
func (c *chain) refresh() {
	if !c.dirty && c.digest != "" {
		return
	}
	c.ids = slices.AppendSeq(c.ids[:0], maps.Keys(c.zones))
	slices.Sort(c.ids)
	c.active = 0
	var text []byte
	for _, id := range c.ids {
		if s := c.zones[id]; s.active() {
			it := s.item(nil)
			text = appendDigestLine(text, id, &it)
			c.active++
		}
	}
	sum := sha256.Sum256(text)
	c.digest = hex.EncodeToString(sum[:])
	c.dirty, c.renewed = false, false
}

// Tick says what is due by time alone: beats, the test chain. It also forgets ends whose
// time on the board is over.
func (p *Publisher) Tick(now time.Time) ([]Frame, error) {
	p.tell(now)
	frames, err := p.forget()
	tested, untested := p.test()
	frames, err = append(frames, tested...), errors.Join(err, untested)
	for i, c := range p.chains {
		if p.now.Before(c.due) || !p.signer.Speaks(c.region) {
			continue
		}
		if c.due.IsZero() {
			// The first beats come at once, the later ones spread over the time between two.
			c.due = p.now.Add(p.beat * time.Duration(i+1) / time.Duration(len(p.chains)))
		} else if c.due = c.due.Add(p.beat); !c.due.After(p.now) {
			c.due = p.now.Add(p.beat)
		}
		if err1 := p.sayBeat(c); err1 != nil {
			err = errors.Join(err, err1)
			continue
		}
		frames = append(frames, c.said)
	}
	return frames, err
}

func (p *Publisher) sayBeat(c *chain) error {
	c.refresh()
	at := c.stamp(p.now)
	pay := p.payload(c, Beat, at)
	pay.Active, pay.Digest = c.active, c.digest
	f, err := p.signer.Sign(pay)
	if err != nil {
		return err
	}
	c.said, c.saidPicture, c.saidKid = f, p.picture, p.signer.Kid(c.region, at)
	return nil
}

// Next is when Tick is due.
func (p *Publisher) Next() time.Time {
	next := p.now.Truncate(time.Minute).Add(testShelter)
	if !next.After(p.now) {
		next = next.Add(time.Minute - testShelter)
	}
	for _, c := range p.chains {
		if c.due.Before(next) && p.signer.Speaks(c.region) {
			next = c.due
		}
	}
	return next
}

// forget drops ends that were on the board long enough, and warnings that say nothing more.
func (p *Publisher) forget() ([]Frame, error) {
	if p.now.Before(p.purge) {
		return nil, nil
	}
	p.purge = p.now.Add(p.beat)
	var touched []zone.ID
	for z, claims := range p.claims {
		kept := slices.DeleteFunc(claims, func(c claim) bool { return c.stale(p.now) })
		if len(kept) == len(claims) {
			continue
		}
		touched = append(touched, z)
		if p.claims[z] = kept; len(kept) == 0 {
			delete(p.claims, z)
		}
	}
	if len(touched) == 0 {
		return nil, nil
	}
	for id, zones := range p.of {
		kept := slices.DeleteFunc(zones, func(z zone.ID) bool { _, still := p.claimOf(z, id); return !still })
		if p.of[id] = kept; len(kept) == 0 {
			delete(p.of, id)
		}
	}
	slices.Sort(touched)
	frames, err := p.say(p.now, touched)
	for _, z := range touched {
		if len(p.claims[z]) == 0 {
			delete(p.regions, z)
		}
	}
	return frames, err
}

// The test chain: shelter for the first seconds of every minute, all-clear after.
const (
	testShelter = 20 * time.Second
	testUntil   = 40 * time.Second // of the minute: longer than the shelter, so that its end is said, not guessed
)

func (p *Publisher) test() ([]Frame, error) {
	c := p.named[Test]
	minute := p.now.Truncate(time.Minute)
	s := said{
		stage: warning.Shelter, threat: class.Unknown, sure: warning.High,
		since: minute.UnixMilli(), until: minute.Add(testUntil).UnixMilli(),
		alert: alert.ID("test-" + minute.Format("20060102T1504")), text: "shelter-unknown",
	}
	if !p.now.Before(minute.Add(testShelter)) {
		s.stage, s.end, s.text = warning.Quiet, warning.AllClear, warning.AllClear.String()
		s.since = minute.Add(testShelter).UnixMilli()
	}
	if c.zones[zone.TestZone] == s {
		return nil, nil
	}
	c.zones[zone.TestZone] = s
	c.dirty = true
	return p.change(c, []zone.ID{zone.TestZone})
}

// Snapshot returns the board of a chain and a beat that agrees with it, signed at the time
// the publisher was last told; they are made again only where something changed or they
// are older than a beat. An error where there is no such chain, no key may sign it, or
// the board does not fit 1 MiB.
func (p *Publisher) Snapshot(region string) (board, beat Frame, err error) {
	c := p.named[region]
	if c == nil {
		return Frame{}, Frame{}, fmt.Errorf("board: %w: %q", ErrNoRegion, region)
	}
	c.refresh()
	if !c.renewed || c.board.Seq != c.seq || p.now.Sub(c.board.At) >= p.beat {
		if c.board, err = p.makeBoard(c); err != nil {
			c.renewed = false
			return Frame{}, Frame{}, err
		}
		c.renewed = true
	}
	if c.said.Seq != c.seq || c.saidPicture != p.picture || p.now.Sub(c.said.At) >= p.beat || c.saidKid != p.signer.Kid(region, c.next(p.now)) {
		if err := p.sayBeat(c); err != nil {
			return Frame{}, Frame{}, err
		}
	}
	return c.board, c.said, nil
}

// ErrNoRegion is that a region has no chain.
var ErrNoRegion = errors.New("no such region")

func (p *Publisher) makeBoard(c *chain) (Frame, error) {
	at := stamp(p.now)
	if at.Before(c.at) {
		at = c.at
	}
	pay := p.payload(c, Board, at)
	pay.Items = group(c.ids, c.zones)
	f, err := p.signer.Sign(pay)
	if errors.Is(err, errOversize) {
		// Without arrivals far more zones share an item: who is warned until when goes
		// before how soon.
		plain := make(map[zone.ID]said, len(c.zones))
		for id, s := range c.zones {
			s.earliest, s.likely = 0, 0
			plain[id] = s
		}
		pay.Items = group(c.ids, plain)
		f, err = p.signer.Sign(pay)
	}
	if err == nil {
		c.at = at
	}
	return f, err
}

// Regions lists the chains, the whole country first.
func (p *Publisher) Regions() []string {
	out := make([]string, len(p.chains))
	for i, c := range p.chains {
		out[i] = c.region
	}
	return out
}

// SetPicture says from now on whether there is a picture at all: in the next beat of each
// chain.
func (p *Publisher) SetPicture(pic Picture) {
	if !pic.Valid() || pic == p.picture {
		return
	}
	p.picture = pic
	for _, c := range p.chains {
		c.renewed = false
	}
}

// SetZones changes to another zone set. What is warned stays warned. Clients learn of the
// set by the board that the next beat makes them fetch.
func (p *Publisher) SetZones(now time.Time, zones Zones) ([]Frame, error) {
	p.zones = zones
	p.addChains()
	for z := range p.claims {
		p.joinRegion(z)
	}
	for _, c := range p.chains {
		c.gap, c.renewed = true, false
	}
	return p.say(now, slices.Sorted(maps.Keys(p.claims)))
}

// SetSigner changes to other keys. What they may not sign is said no more.
func (p *Publisher) SetSigner(now time.Time, s *Signer) ([]Frame, error) {
	p.signer = s
	for _, c := range p.chains {
		c.renewed = false
	}
	return p.say(now, slices.Sorted(maps.Keys(p.claims)))
}
