package track

import (
	"tocsin/core/class"
	"tocsin/core/observation"
)

// words are what sources with a confusion matrix say that one object is, the last to be
// heard first.
type words [maxWords]word

// word is what one source says of it by now.
type word struct {
	source string    // empty: none
	said   class.Mix // the mean of what it said, the last counting half
	means  class.Mix // how likely that is under each class
}

// maxWords is how many sources' words one object keeps; beyond it the source longest unheard
// gives way.
const maxWords = 4

// hear takes what a source says the object is: half of what was said before stays.
//
// A source with a confusion matrix is one witness, however often it speaks: what makes it
// take a drone for an aircraft (aspect, engine, a habit of its classifier) lasts from word to
// word, so that a hundred words of it are nearer to one word than to a hundred. Its words are
// averaged, and their likelihood is that of one word of the mean: of a source that always says
// the same exactly that of its first word, and of one that errs anew each time less than what
// its words would carry, never more. Sources count as independent of each other.
func (l *lore) hear(s *observation.Source, says class.Mix) {
	says = says.Normal()
	if !says.Said() { // nor if what was said is no probability
		return
	}
	if !s.Confusion.Given() {
		l.says = halfway(l.says, says)
		return
	}
	next := words{}
	if l.words != nil {
		next = *l.words
	}
	next.hear(s, says)
	l.words = &next
}

func (w *words) hear(s *observation.Source, says class.Mix) {
	at := 0
	for at < maxWords-1 && w[at].source != "" && w[at].source != s.ID {
		at++
	}
	var before class.Mix
	if w[at].source == s.ID {
		before = w[at].said
	}
	copy(w[1:at+1], w[:at])
	said := halfway(before, says)
	w[0] = word{source: s.ID, said: said, means: s.Confusion.Means(said)}
}

// weigh is Bayes: what is believed besides, by how likely the words are under each class.
func (w *words) weigh(mix class.Mix) class.Mix {
	mix = mix.Normal()
	for i := range w {
		if w[i].source == "" {
			break
		}
		for c := range mix {
			mix[c] *= w[i].means[c]
		}
	}
	return mix
}

// halfway is the mean of what was said before, if anything was, and what is said now.
func halfway(before, now class.Mix) class.Mix {
	if !before.Said() {
		return now
	}
	for i := range now {
		now[i] = (before[i] + now[i]) / 2
	}
	return now
}

// equal reports whether both say the same; either may be nil.
func (l *lore) equal(other *lore) bool {
	if l == nil || other == nil || l == other {
		return l == other
	}
	if l.says != other.says || l.creed != other.creed {
		return false
	}
	return l.words == other.words || l.words != nil && other.words != nil && *l.words == *other.words
}
