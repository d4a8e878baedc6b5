package alert

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/core/class"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// Bounds of an alert.
const (
	// MaxReferences is how many earlier alerts one names, the newest of those that have not
	// expired: at one update in ten minutes that is over five hours, longer than any of them
	// holds.
	MaxReferences = 32
	// maxID is what the shortest channels can carry.
	maxID = 28
	// A headline names headlined places, a description described ones, and counts the
	// rest; the areas name them all. maxName is how many characters of a name are used.
	headlined, described, maxName = 3, 40, 80
	// maxUntils is how many different untils of one stage and threat are worded apart; over
	// it they share the latest.
	maxUntils = 8
)

// ErrNothingToSay is a change that makes no CAP message: zones that expired (their alert's
// own expiry has said so), or what was never said.
var ErrNothingToSay = errors.New("alert: nothing to say")

// Config is who speaks, and how.
type Config struct {
	Universe  Universe
	Sender    string            // CAP sender; no space, comma, '<' or '&'
	Name      map[string]string // the sender's name by language; empty: Sender stands for it
	Languages []string          // in the order of preference
	Location  *time.Location    // whose time is written in the texts; nil is UTC

	words map[string]*words
}

// Prepare checks the configuration and reads its templates once; without it every Compose
// does. The error is a *MissingError where a language or a template is not there.
func (c Config) Prepare() (Config, error) {
	if c.Universe != Live && c.Universe != Exercise {
		return c, fmt.Errorf("alert: universe: %q is neither live nor exercise", clip(string(c.Universe), 16))
	}
	if c.Sender == "" || strings.ContainsAny(c.Sender, " \t\r\n,<&") {
		return c, errors.New("alert: sender: must be there, without space, comma, '<' or '&'")
	}
	if len(c.Languages) == 0 {
		return c, &MissingError{Template: "all", Field: "language"}
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
	c.words = make(map[string]*words, len(c.Languages))
	for _, l := range c.Languages {
		w, err := readWords(l)
		if err != nil {
			return c, err
		}
		c.words[l] = w
	}
	return c, nil
}

// Compose words a change as one CAP message: everything that is in force of the warning,
// and the zones that left it now. Chain are the warning's earlier alerts, oldest first.
// ErrNothingToSay is a change without a message; a *MissingError one that would lack what,
// where, what to do or until when, and is not written.
func Compose(c warning.Change, zones *zone.Set, cfg Config, chain []Alert, now time.Time) (Alert, error) {
	if cfg.words == nil {
		var err error
		if cfg, err = cfg.Prepare(); err != nil {
			return Alert{}, err
		}
	}
	w := c.Warning
	a := Alert{
		ID: ID(string(w.ID) + "." + strconv.Itoa(w.Revision)), Universe: cfg.Universe, Sender: cfg.Sender,
		Sent: stamp(now), Set: zones.Version(), Warning: w.ID,
	}
	if len(a.ID) > maxID {
		return Alert{}, fmt.Errorf("alert: id: %q is over %d characters", clip(string(a.ID), 40), maxID)
	}
	left := func(z warning.EndedZone) bool {
		_, touched := slices.BinarySearch(c.Touched, z.Zone)
		return touched && z.End != warning.Expired
	}
	a.References = references(chain, a.Sent)
	a.Items = items(w, a.ID, left)
	if len(a.References) > 0 {
		a.Items = append(a.Items, withdrawn(w, a.ID, left)...)
	}
	if len(a.Items) == 0 {
		return Alert{}, ErrNothingToSay
	}
	a.Kind = kind(a, w)
	if a.Kind == KindCancel && len(a.References) == 0 {
		return Alert{}, ErrNothingToSay // what was never said need not be taken back
	}
	shareUntils(a.Items)
	for _, it := range a.Items {
		a.Expires = later(a.Expires, it.Until)
	}
	if !a.Expires.After(a.Sent) {
		return Alert{}, &MissingError{cfg.Languages[0], a.Items[0].Text, "until"}
	}
	if err := a.word(zones, cfg); err != nil {
		return Alert{}, err
	}
	a.name(zones, cfg)
	a.Note = note(a)
	return a, nil
}

// kind is what an alert does to those before it.
func kind(a Alert, w warning.Warning) Kind {
	mistaken := len(w.Zones) == 0
	for _, z := range w.Ended {
		mistaken = mistaken && (z.End == warning.Cancelled || z.Under != "")
	}
	switch {
	case mistaken:
		return KindCancel
	case len(a.References) == 0:
		return KindAlert
	default:
		return KindUpdate
	}
}

// references are the earlier alerts that still hold, or else the last one.
func references(chain []Alert, sent time.Time) []Reference {
	var out []Reference
	for i, a := range chain {
		if a.Expires.After(sent) || i == len(chain)-1 {
			out = append(out, Reference{a.ID, a.Sent})
		}
	}
	if len(out) > MaxReferences {
		out = out[len(out)-MaxReferences:]
	}
	return out
}

// shareUntils gives the items of one text the latest until where they have too many.
func shareUntils(items []Item) {
	untils := map[string]map[time.Time]bool{}
	last := map[string]time.Time{}
	for _, it := range items {
		if untils[it.Text] == nil {
			untils[it.Text] = map[time.Time]bool{}
		}
		untils[it.Text][it.Until] = true
		last[it.Text] = later(last[it.Text], it.Until)
	}
	for i, it := range items {
		if it.End == warning.NotEnded && len(untils[it.Text]) > maxUntils {
			items[i].Until = last[it.Text]
		}
	}
}

// group is what one text speaks of.
type group struct {
	stage  warning.Stage
	threat class.Class
	end    warning.End
	gone   bool      // withdrawn
	since  time.Time // the earliest
	until  time.Time
	zones  []zone.ID // ascending
}

// groups gathers the items that share their words, in the order of the items.
func (a Alert) groups() []group {
	var out []group
	for _, it := range a.Items {
		i := slices.IndexFunc(out, func(g group) bool {
			return g.stage == it.Stage && g.threat == it.Threat && g.end == it.End && g.gone == it.Withdrawn && g.until.Equal(it.Until)
		})
		if i < 0 {
			i = len(out)
			out = append(out, group{stage: it.Stage, threat: it.Threat, end: it.End, gone: it.Withdrawn, since: it.Since, until: it.Until})
		}
		if it.Since.Before(out[i].since) {
			out[i].since = it.Since
		}
		out[i].zones = append(out[i].zones, it.Zones...)
	}
	for i := range out {
		slices.Sort(out[i].zones)
	}
	return out
}

// word writes the texts, one per language and group.
func (a *Alert) word(zones *zone.Set, cfg Config) error {
	for _, g := range a.groups() {
		for _, l := range cfg.Languages {
			t := cfg.words[l].text(g, zones, a.Sent, cfg.Location)
			if cfg.Universe == Exercise {
				t.Headline = fill(cfg.words[l].Exercise, "{headline}", t.Headline)
			}
			if err := t.check(); err != nil {
				return err
			}
			a.Texts = append(a.Texts, t)
		}
	}
	return nil
}

// text words one group in one language.
func (w *words) text(g group, zones *zone.Set, now time.Time, where *time.Location) Text {
	t := Text{Language: w.Language, Stage: g.stage, End: g.end, Withdrawn: g.gone, Threat: g.threat, Until: g.until}
	event, n := w.threat(g.threat, g.stage)
	t.Event = event
	few, many := w.places(g.zones, zones, headlined), w.places(g.zones, zones, described)
	if g.end != warning.NotEnded {
		e := w.end(g.end)
		if g.gone {
			e = w.Ends.Withdrawn
		}
		t.Headline = fill(e.Headline, "{places}", few)
		t.Description = sentences(e.What, fill(e.Where, "{places}", many), fill(e.Until, "{since}", w.at(g.since, now, where)))
		t.Instruction = e.Do
		return t
	}
	s := w.stage(g.stage)
	t.Headline = fill(n.Headline, "{places}", few)
	t.Description = sentences(n.What, fill(s.Where, "{places}", many), fill(s.Until, "{until}", w.at(g.until, now, where)))
	t.Instruction = sentences(s.Do, w.reach(s, g.zones, zones))
	return t
}

// places names the first of the zones in the order of their names, and counts the rest
// where they are more than one.
func (w *words) places(ids []zone.ID, zones *zone.Set, most int) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = clip(strings.Join(strings.Fields(zones.Name(id, w.Language)), " "), maxName)
	}
	slices.Sort(names)
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return fill(w.More, "{names}", strings.Join(names[:most], ", "), "{count}", strconv.Itoa(len(names)-most))
}

// reach says how long people have to reach shelter, where it is known.
func (w *words) reach(s stageWords, ids []zone.ID, zones *zone.Set) string {
	var least, most time.Duration
	known := false
	for _, id := range ids {
		z, ok := zones.Get(id)
		if !ok || !z.ShelterKnown {
			continue
		}
		if !known || z.Shelter < least {
			least = z.Shelter
		}
		most = max(most, z.Shelter)
		known = true
	}
	switch {
	case !known:
		return ""
	case least < time.Second:
		return s.Nowhere
	case least == most:
		return fill(s.Reach, "{time}", w.long(least))
	default:
		return fill(s.Reach, "{time}", fill(w.Least, "{time}", w.long(least)))
	}
}

func sentences(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// check refuses a text that lacks something people need.
func (t Text) check() error {
	for _, f := range [...]struct{ field, text string }{
		{"event", t.Event}, {"headline", t.Headline}, {"description", t.Description}, {"instruction", t.Instruction},
	} {
		if strings.TrimSpace(f.text) == "" {
			return &MissingError{t.Language, TextKey(t.Stage, t.Threat, t.End), f.field}
		}
	}
	return nil
}

// name lists the areas with their names in every language.
func (a *Alert) name(zones *zone.Set, cfg Config) {
	for _, it := range a.Items {
		for _, id := range it.Zones {
			names := make(map[string]string, len(cfg.Languages))
			for _, l := range cfg.Languages {
				names[l] = zones.Name(id, l)
			}
			a.Areas = append(a.Areas, Area{Zone: id, Names: names})
		}
	}
	slices.SortFunc(a.Areas, func(x, y Area) int { return strings.Compare(string(x.Zone), string(y.Zone)) })
}

// note says in plain words what a reader of the bare message must not miss.
func note(a Alert) string {
	var parts []string
	if a.Universe == Exercise {
		parts = append(parts, "This is an exercise.")
	}
	mistaken := slices.ContainsFunc(a.Items, func(it Item) bool { return it.End == warning.Cancelled && !it.Withdrawn })
	gone := slices.ContainsFunc(a.Items, func(it Item) bool { return it.Withdrawn })
	switch {
	case mistaken && a.Kind == KindCancel && !gone:
		parts = append(parts, "The messages referred to were sent by mistake and are cancelled for all areas repeated here.")
	case mistaken:
		parts = append(parts, "For the areas marked as cancelled the earlier messages were sent by mistake.")
	}
	if gone {
		parts = append(parts, "For the areas marked as withdrawn another warning is in force: follow that one.")
	}
	return strings.Join(parts, " ")
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
