package rerun

import (
	"fmt"
	"strings"
	"time"
)

// Report is what came of a replay.
type Report struct {
	Starts    []Start     `json:"starts"`
	Inputs    int         `json:"inputs"` // that a core was given again
	Decisions Count       `json:"decisions"`
	Alerts    Count       `json:"alerts"`
	Headless  Headless    `json:"headless"`
	Recording State       `json:"recording"`
	First     *Difference `json:"first_difference,omitempty"`
	// JournalDamaged is what the journal says of itself where it is not whole.
	JournalDamaged []string      `json:"journal_damaged,omitempty"`
	Took           time.Duration `json:"took_ns"`
}

// Count is how entries of one kind compare.
type Count struct {
	Equal     int `json:"equal"`
	Different int `json:"different"` // other bytes, or on one side alone
	// Open could not be compared: decided or kept at the very end of a process that was
	// killed or still runs, or behind a gap.
	Open int `json:"not_comparable"`
	// Late are those of the equal that were kept later than their turn: the disk had no room.
	Late int `json:"kept_late,omitempty"`
}

// Start is one process: from its beginning to its end, or to where it cannot be replayed.
type Start struct {
	Start        int       `json:"start"`
	At           time.Time `json:"at"`
	Program      string    `json:"program"`
	OtherProgram bool      `json:"other_program"` // than the one that replays
	Zones        string    `json:"zones"`
	Policy       string    `json:"policy"`
	Inputs       int       `json:"inputs"`
	First        time.Time `json:"first,omitzero"`
	Last         time.Time `json:"last,omitzero"`
	// Stopped says why it is not replayed from Last on; Skipped are the inputs behind.
	Stopped string `json:"stopped,omitempty"`
	Skipped int    `json:"skipped,omitempty"`
	// Passed: it ended before what was asked for.
	Passed bool `json:"passed,omitempty"`
	// End is orderly, killed (or still running), stopped or until.
	End       string `json:"end"`
	Decisions Count  `json:"decisions"`
	Alerts    Count  `json:"alerts"`
}

// Headless are inputs whose start is not in the recording any more.
type Headless struct {
	Inputs int       `json:"inputs"`
	From   time.Time `json:"from,omitzero"`
	To     time.Time `json:"to,omitzero"`
}

func (h *Headless) see(at time.Time) {
	h.Inputs++
	if at.IsZero() {
		return
	}
	if h.From.IsZero() {
		h.From = at
	}
	h.To = at
}

// State is the recording itself.
type State struct {
	Segments int   `json:"segments"`
	Missing  int64 `json:"records_missing"`
	Torn     int64 `json:"bodies_torn"`
	Damaged  int   `json:"batches_damaged"`
}

// Difference is what the replay gave, and what the journal has in its place; one of the two
// is empty where there is nothing in its place. Both are cut around the first byte that
// differs.
type Difference struct {
	Start   int       `json:"start"`
	Input   uint64    `json:"input,omitempty"` // its number; 0: of no input
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Key     string    `json:"key"`
	Replay  string    `json:"replay"`
	Journal string    `json:"journal"`
	// Position is that of the journal's entry.
	Position int64 `json:"position,omitempty"`
}

// Compared is how many entries were held against each other.
func (r *Report) Compared() int {
	return r.Decisions.Equal + r.Alerts.Equal + r.Different()
}

// Different is how many did not come out the same.
func (r *Report) Different() int { return r.Decisions.Different + r.Alerts.Different }

// Gaps are the starts that could not be replayed to their end though their beginning is
// there.
func (r *Report) Gaps() int {
	n := 0
	for _, s := range r.Starts {
		if s.Stopped != "" {
			n++
		}
	}
	return n
}

// Proven reports whether something was compared, everything of it was equal, and no start
// that could have been replayed was cut short.
func (r *Report) Proven() bool { return r.Compared() > 0 && r.Different() == 0 && r.Gaps() == 0 }

// shortened is how much of a text a difference shows, in bytes.
const shortened = 240

// around cuts two texts to where they part.
func around(a, b []byte) (string, string) {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(0, at-shortened/3)
	return cut(a, from), cut(b, from)
}

func cut(text []byte, from int) string {
	if len(text) == 0 {
		return ""
	}
	from = min(from, len(text))
	to := min(len(text), from+shortened)
	s := strings.ToValidUTF8(string(text[from:to]), "?")
	if from > 0 {
		s = "..." + s
	}
	if to < len(text) {
		s += fmt.Sprintf("... (%d bytes)", len(text))
	}
	return s
}
