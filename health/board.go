package health

import (
	"sort"
	"strings"
	"sync"
)

// Overflow is the condition a full Board holds beside its limit: conditions were
// raised that it had no room for. Its Count says how often.
const Overflow = "conditions-dropped"

// Bounds of the text of one held condition, in bytes. Subjects and details may carry
// words of strangers (a feed's name, a peer's answer); what is longer is cut.
const (
	maxName    = 64
	maxSubject = 256
	maxDetail  = 1024
)

// Board holds the conditions that are raised now, at most limit of them. It may be used
// from many goroutines and never blocks for longer than a copy. Make one with NewBoard.
type Board struct {
	mu      sync.Mutex
	limit   int
	raised  map[string]Condition
	dropped Condition // Overflow; Raised once the limit has been met
}

// NewBoard makes a Board for at most limit conditions; 1 if limit is smaller.
func NewBoard(limit int) *Board {
	return &Board{limit: max(limit, 1), raised: make(map[string]Condition), dropped: Condition{Name: Overflow}}
}

// Put takes one condition, raised or cleared, and reports whether that changed what is
// raised: true for a first raise and for the clear of something raised; a repeat replaces
// what is held and is no change. At the limit a new condition is not held, Overflow is
// raised in its place, and Put still reports true, so that it is logged at least.
func (b *Board) Put(c Condition) (changed bool) {
	c.Name, c.Subject, c.Detail = cut(c.Name, maxName), cut(c.Subject, maxSubject), cut(c.Detail, maxDetail)
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Name == Overflow { // the board's own word; it is cleared by being seen
		if changed = b.dropped.Raised && !c.Raised; changed {
			b.dropped = Condition{Name: Overflow}
		}
		return changed
	}
	key := c.Key()
	_, held := b.raised[key]
	if !c.Raised {
		delete(b.raised, key)
		return held
	}
	if !held && len(b.raised) >= b.limit {
		b.dropped.Raised, b.dropped.At, b.dropped.Detail = true, c.At, c.Name
		b.dropped.Count++
		return true
	}
	b.raised[key] = c
	return !held
}

// Raised returns what is raised now, in order of name and subject. The slice is the caller's.
func (b *Board) Raised() []Condition {
	b.mu.Lock()
	out := make([]Condition, 0, len(b.raised)+1)
	for _, c := range b.raised {
		out = append(out, c)
	}
	if b.dropped.Raised {
		out = append(out, b.dropped)
	}
	b.mu.Unlock()
	sort.Slice(out, func(i, j int) bool { return out[i].Key() < out[j].Key() })
	return out
}

// Has reports whether the condition of this name and subject is raised.
func (b *Board) Has(name, subject string) bool {
	key := Condition{Name: cut(name, maxName), Subject: cut(subject, maxSubject)}.Key()
	b.mu.Lock()
	defer b.mu.Unlock()
	_, held := b.raised[key]
	return held || (name == Overflow && b.dropped.Raised)
}

// cut keeps at most n bytes of s, as valid UTF-8 and without NUL (which parts name from
// subject in a key); what is not a character, or was cut in two, becomes a question mark.
func cut(s string, n int) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s[:min(len(s), n)], "?"), "\x00", "?")
}
