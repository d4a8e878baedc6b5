package board

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// grace is what a frame's next allows the beat to be late.
const grace = time.Second

// Zones is what the board asks of the zone set; *zone.Set is one.
type Zones interface {
	Version() string
	Regions() []zone.ID
	Region(zone.ID) zone.ID
	Get(zone.ID) (zone.Zone, bool)
}

// Config is what a Publisher is made of. Universe, Zones and Signer must be given.
type Config struct {
	Universe alert.Universe
	Zones    Zones
	Signer   *Signer
	Picture  Picture       // zero: none
	Beat     time.Duration // between two beats of a chain; zero: BeatEvery
}

// Publisher makes all frames of one universe. It is a pure object without a goroutine:
// one loop owns it and brings the time. Each method that speaks returns the frames in the
// order they are to be published; an error says what could not be signed, and then the
// frames that could be are returned all the same.
type Publisher struct {
	universe alert.Universe
	zones    Zones
	signer   *Signer
	picture  Picture
	beat     time.Duration

	now     time.Time
	purge   time.Time
	claims  map[zone.ID][]claim
	of      map[warning.ID][]zone.ID
	regions map[zone.ID][]string // the chains of a zone besides Whole, all it ever had while it was stated
	chains  []*chain             // in a fixed order; Whole first
	named   map[string]*chain

	past  Reservation // durable
	first int64       // number of a chain of which none is reserved
	began time.Time   // nothing was said later by an earlier run
}

// claim is what one warning says of one zone.
type claim struct {
	by warning.ID
	said
}

// NewPublisher goes on where past says that an earlier run can have been: past is the
// newest durable reservation, zero for the first run ever. Nothing should be published
// before a reservation was made durable; see Reserve.
func NewPublisher(cfg Config, past Reservation) (*Publisher, error) {
	if cfg.Zones == nil || cfg.Signer == nil || (cfg.Universe != alert.Live && cfg.Universe != alert.Exercise) {
		return nil, errors.New("board: publisher: universe, zones and signer must be given")
	}
	p := &Publisher{
		universe: cfg.Universe, zones: cfg.Zones, signer: cfg.Signer, picture: cfg.Picture, beat: cfg.Beat,
		claims: map[zone.ID][]claim{}, of: map[warning.ID][]zone.ID{}, regions: map[zone.ID][]string{},
		named: map[string]*chain{}, past: past.clone(), first: past.UpTo[Unnamed] + 1, began: past.At,
	}
	if !p.picture.Valid() {
		p.picture = PictureNone
	}
	if p.beat <= 0 {
		p.beat = BeatEvery
	}
	p.addChains()
	return p, nil
}

func (p *Publisher) addChains() {
	p.addChain(Whole)
	for _, r := range p.zones.Regions() {
		p.addChain(string(r))
	}
	p.addChain(Test)
}

func (p *Publisher) addChain(region string) {
	if p.named[region] != nil || !Name(region) {
		return
	}
	c := &chain{region: region, seq: p.first, at: p.began, zones: map[zone.ID]said{}}
	if upTo, named := p.past.UpTo[region]; named {
		c.seq = upTo + 1
	}
	p.chains = append(p.chains, c)
	p.named[region] = c
}

// Restore says again, silently, what a warning said before a restart. It is for before
// the first Tick: clients learn of it by the board that the first beat makes them fetch.
func (p *Publisher) Restore(now time.Time, id warning.ID, items []alert.Item) error {
	touched, err := p.claim(now, id, items)
	for _, z := range touched {
		for _, c := range p.chainsOf(z) {
			p.settle(c, z, now)
		}
	}
	return err
}

// Apply takes what a whole warning says from now on, its ended zones included, and says
// what changed by it: in the chain of the whole country and in those of the regions
// touched. A zone that the warning held and says nothing of any more is said to have
// expired: silence is never an all-clear.
func (p *Publisher) Apply(now time.Time, id warning.ID, items []alert.Item) ([]Frame, error) {
	touched, err := p.claim(now, id, items)
	frames, unsaid := p.say(now, touched)
	return frames, errors.Join(err, unsaid)
}

// claim keeps what a warning says and returns the zones it touches, ascending.
func (p *Publisher) claim(now time.Time, id warning.ID, items []alert.Item) ([]zone.ID, error) {
	p.tell(now)
	says, err := flatten(id, items)
	var touched []zone.ID
	for _, z := range p.of[id] {
		old, had := p.claimOf(z, id)
		if _, still := says[z]; still || !had {
			continue
		}
		if old.active() {
			says[z] = old.expired(p.now)
		} else {
			says[z] = old // an end is kept for its time, whatever the warning forgets
		}
	}
	zones := make([]zone.ID, 0, len(says))
	for z, s := range says {
		zones = append(zones, z)
		if old, had := p.claimOf(z, id); !had || old != s {
			p.setClaim(z, id, s)
			touched = append(touched, z)
		}
		p.joinRegion(z)
	}
	slices.Sort(zones)
	slices.Sort(touched)
	p.of[id] = zones
	return touched, err
}

// flatten gives each zone its gravest item. What has no form in the contract is named; it
// is mended where people are warned all the same, and left out only where it says nothing
// or of nowhere.
func flatten(id warning.ID, items []alert.Item) (map[zone.ID]said, error) {
	says := map[zone.ID]said{}
	var err error
	for i := range items {
		s := saidOf(&items[i])
		if (s.stage == warning.Quiet) == s.active() || s.stage > warning.Shelter || s.end > warning.Expired {
			err = errors.Join(err, fmt.Errorf("board: warning %s: stage %s with end %q: not an item of the contract", id, s.stage, s.end))
			continue
		}
		if mended := s.mended(id); mended != s {
			err = errors.Join(err, fmt.Errorf("board: warning %s: an item without alert, text, threat or time of the contract was mended", id))
			s = mended
		}
		for _, z := range items[i].Zones {
			if !Name(string(z)) || z == zone.TestZone {
				err = errors.Join(err, fmt.Errorf("board: warning %s: zone %q: not an id of a place", id, z))
				continue
			}
			if other, twice := says[z]; !twice || graver(s, other) < 0 {
				says[z] = s
			}
		}
	}
	return says, err
}

func (p *Publisher) claimOf(z zone.ID, id warning.ID) (said, bool) {
	for _, c := range p.claims[z] {
		if c.by == id {
			return c.said, true
		}
	}
	return said{}, false
}

func (p *Publisher) setClaim(z zone.ID, id warning.ID, s said) {
	for i, c := range p.claims[z] {
		if c.by == id {
			p.claims[z][i].said = s
			return
		}
	}
	p.claims[z] = append(p.claims[z], claim{id, s})
}

// compose is what a chain says of a zone: the gravest of what its warnings say and the key
// in force may sign. What is withheld for want of a key (see Withheld) must not take with it
// what may be said.
func (p *Publisher) compose(c *chain, z zone.ID, now time.Time) (best said, found bool) {
	for _, one := range p.claims[z] {
		if one.stale(p.now) || (found && graver(one.said, best) >= 0) || !p.signer.Permits(c.region, c.next(now), one.threat, z) {
			continue
		}
		best, found = one.said, true
	}
	return best, found
}

// joinRegion notes the region of a zone. A zone that moved to another region stays in the
// old chain too, so that whoever follows that is told how it ends.
func (p *Publisher) joinRegion(z zone.ID) {
	r := string(p.zones.Region(z))
	if r != Whole && r != Test && p.named[r] != nil && !slices.Contains(p.regions[z], r) {
		p.regions[z] = append(p.regions[z], r)
	}
}

func (p *Publisher) chainsOf(z zone.ID) []*chain {
	out := []*chain{p.named[Whole]}
	for _, r := range p.regions[z] {
		out = append(out, p.named[r])
	}
	return out
}

// say brings the chains up to date for the zones touched and says what changed.
func (p *Publisher) say(now time.Time, touched []zone.ID) ([]Frame, error) {
	p.tell(now)
	changed := map[*chain][]zone.ID{}
	for _, z := range touched {
		for _, c := range p.chainsOf(z) {
			if p.settle(c, z, now) {
				changed[c] = append(changed[c], z)
			}
		}
	}
	var frames []Frame
	var err error
	for _, c := range p.chains {
		more, unsigned := p.change(c, changed[c])
		frames, err = append(frames, more...), errors.Join(err, unsigned)
	}
	return frames, err
}

// settle makes a chain's word on a zone what the warnings say; true: there is something to
// say.
func (p *Publisher) settle(c *chain, z zone.ID, now time.Time) (fresh bool) {
	want, some := p.compose(c, z, now)
	had, was := c.zones[z]
	switch {
	case some && was && had == want:
		return false
	case some:
		c.zones[z] = want
		c.dirty = true
		return true
	case was:
		delete(c.zones, z)
		c.dirty = true
		// Nothing in a change can take back a word without an end: a number is left out,
		// so that clients fetch the board, which is without it.
		c.gap = c.gap || had.active()
	}
	return false
}

// change says what changed in a chain; zones are ascending.
func (p *Publisher) change(c *chain, zones []zone.ID) ([]Frame, error) {
	if c.gap {
		c.gap = false
		c.seq++
		c.due = earlier(c.due, p.now) // the beat that tells of it is due now
	}
	if len(zones) == 0 {
		return nil, nil
	}
	if !p.signer.Speaks(c.region) {
		return nil, nil
	}
	var frames []Frame
	var err error
	packs := pack(group(zones, c.zones))
	if len(zones) <= smallChange {
		packs = apart(packs)
	}
	for _, items := range packs {
		pay := p.payload(c, Change, c.stamp(p.now))
		pay.Prev, pay.Seq, pay.Items = c.seq, c.seq+1, items
		c.seq++
		f, unsigned := p.signer.Sign(pay)
		if err = errors.Join(err, unsigned); unsigned == nil {
			frames = append(frames, f)
		}
	}
	return frames, err
}

// smallChange is up to how many zones a change is told item by item: each such frame fits
// the 600 bytes that the narrowest bearers carry.
const smallChange = 4

// apart gives each item a frame of its own.
func apart(packs [][]alert.Item) [][]alert.Item {
	var out [][]alert.Item
	for _, items := range packs {
		for i := range items {
			out = append(out, items[i:i+1])
		}
	}
	return out
}

func (p *Publisher) payload(c *chain, kind Kind, at time.Time) Payload {
	return Payload{
		Universe: p.universe, Region: c.region, Kind: kind, Seq: c.seq, At: at,
		Picture: p.picture, Set: p.zones.Version(), Next: at.Add(p.beat + grace),
	}
}

// tell brings the publisher's time on; it never goes back.
func (p *Publisher) tell(now time.Time) {
	if now = stamp(now); now.After(p.now) {
		p.now = now
	}
}
