package node

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/journal"
)

// folder is a data folder with its journal and spoken.log open.
type folder struct {
	t       *testing.T
	dir     string
	journal *journal.Journal
	spoken  *journal.Spoken
}

func openFolder(t *testing.T, dir string) *folder {
	t.Helper()
	f := &folder{t: t, dir: dir}
	var err error
	if f.journal, err = journal.Open(t.Context(), dir, journal.Options{PutAside: true}); err != nil {
		t.Fatal(err)
	}
	if f.spoken, err = journal.OpenSpoken(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

func (f *folder) close() {
	if err := f.spoken.Close(); err != nil {
		f.t.Error(err)
	}
	if err := f.journal.Close(); err != nil {
		f.t.Error(err)
	}
}

func (f *folder) again() *folder { f.close(); return openFolder(f.t, f.dir) }

func (f *folder) remember() *memory {
	f.t.Helper()
	m, err := remember(f.t.Context(), f.journal, f.spoken)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

func (f *folder) keep(entries ...journal.New) {
	f.t.Helper()
	if _, err := f.journal.Append(f.t.Context(), entries...); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) speak(entries ...journal.New) {
	f.t.Helper()
	if err := f.spoken.Append(entries...); err != nil {
		f.t.Fatal(err)
	}
}

func entry(t *testing.T, kind string, v any) journal.New {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return journal.New{At: time.Now(), Kind: kind, Body: b}
}

func decided(t *testing.T, id string, revision int) journal.New {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return entry(t, pipeline.KindDecision, pipeline.Decision{Warning: warning.Warning{
		ID: warning.ID(id), Revision: revision, At: now, Since: now,
		Zones: []warning.ZoneState{{Zone: "a", Stage: warning.Shelter, Since: now, Until: now.Add(time.Hour)}},
	}})
}

func revisions(m *memory) string {
	var all []string
	for _, w := range m.ledger.Restored(time.Now()).Warnings {
		all = append(all, fmt.Sprintf("%s.%d", w.ID, w.Revision))
	}
	return strings.Join(all, " ")
}

// TestSpokenLogIsTakenIn: once, also where the process dies between taking in and emptying,
// and where the journal had part of it after all.
func TestSpokenLogIsTakenIn(t *testing.T) {
	f := openFolder(t, t.TempDir())
	both := decided(t, "w1", 2)
	f.keep(decided(t, "w1", 1), both)
	f.speak(both, decided(t, "w1", 3), decided(t, "w2", 1))
	f = f.again()
	m := f.remember()
	if got := revisions(m); got != "w1.3 w2.1" || m.adopted != 2 || m.damages != 0 {
		t.Errorf("%s, %d adopted, %v", got, m.adopted, m.damage)
	}
	if at, _ := f.journal.Head(); at != 4 || f.spoken.State().Records != 0 {
		t.Errorf("journal at %d, %d in spoken.log", at, f.spoken.State().Records)
	}
	// As if it had died before the log was emptied.
	f.speak(both)
	f = f.again()
	if m = f.remember(); revisions(m) != "w1.3 w2.1" || m.adopted != 0 {
		t.Errorf("%s, %d adopted again", revisions(m), m.adopted)
	}
	if at, _ := f.journal.Head(); at != 4 {
		t.Errorf("journal at %d", at)
	}
}

// TestNumbersNeverGoBack: whatever order reservations are read in.
func TestNumbersNeverGoBack(t *testing.T) {
	f := openFolder(t, t.TempDir())
	now := time.Now().UTC().Truncate(time.Millisecond)
	f.keep(entry(t, kindNumbers, board.Reservation{At: now.Add(time.Hour), UpTo: map[string]int64{"*": 100, "north": 7}}))
	f.speak(entry(t, kindNumbers, board.Reservation{At: now, UpTo: map[string]int64{"*": 50, "north": 9, "south": 3}}))
	m := f.remember()
	if n := m.numbers; n.UpTo["*"] != 100 || n.UpTo["north"] != 9 || n.UpTo["south"] != 3 || !n.At.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", n)
	}
}

// TestStartsAreCounted: no two are alike, also those that only spoken.log has.
func TestStartsAreCounted(t *testing.T) {
	f := openFolder(t, t.TempDir())
	f.keep(entry(t, kindStart, beginning{Start: 1}), journal.New{At: time.Now(), Kind: kindStart, Body: []byte(`{"restored":0}`)})
	f.speak(entry(t, kindStart, beginning{Start: 3}))
	if m := f.remember(); m.starts != 3 {
		t.Errorf("%d starts", m.starts)
	}
}

// TestDamageIsToldAndPassedOver: a flipped bit costs its entry, not the start; and then
// numbers go on above all that was ever said.
func TestDamageIsToldAndPassedOver(t *testing.T) {
	f := openFolder(t, t.TempDir())
	f.keep(decided(t, "first", 1))
	marked := decided(t, "marked-for-damage", 1)
	f.keep(marked)
	f.keep(decided(t, "last", 1))
	f.close()
	name := filepath.Join(f.dir, "journal.db")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(b), "marked-for-damage")
	if at < 0 {
		t.Fatal("the entry is not in the file")
	}
	b[at] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f = openFolder(t, f.dir)
	m := f.remember()
	if got := revisions(m); got != "first.1 last.1" || m.damages == 0 {
		t.Errorf("%s, damage %v", got, m.damage)
	}
	now := time.Now()
	m.doubt(now, []string{"*", "north"})
	if m.numbers.UpTo["north"] < now.UnixMicro() || m.numbers.UpTo["*"] >= 1<<53 || m.numbers.At.Before(now.Add(leap)) || m.starts < int(now.Unix()) {
		t.Errorf("%+v, start %d", m.numbers, m.starts)
	}
}

// TestUnreadableJournalIsPutAside: better a program that cannot remember than none, and what
// spoken.log has is still taken in.
func TestUnreadableJournalIsPutAside(t *testing.T) {
	f := openFolder(t, t.TempDir())
	f.keep(decided(t, "w1", 1))
	f.speak(decided(t, "w2", 1))
	f.close()
	if err := os.WriteFile(filepath.Join(f.dir, "journal.db"), slices.Repeat([]byte("not a database. "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	f = openFolder(t, f.dir)
	if m := f.remember(); revisions(m) != "w2.1" || m.damages == 0 || m.adopted != 1 {
		t.Errorf("%s, damage %v", revisions(m), m.damage)
	}
	aside, err := filepath.Glob(filepath.Join(f.dir, "journal.db.*"))
	if err != nil || len(aside) == 0 {
		t.Errorf("nothing was put aside: %v", err)
	}
}

// TestHostileEntriesAreDamage: entries that are not ours cost nothing but a word.
func TestHostileEntriesAreDamage(t *testing.T) {
	f := openFolder(t, t.TempDir())
	for _, kind := range []string{kindNumbers, kindStart, pipeline.KindDecision, pipeline.KindAlert, pipeline.KindCommand, pipeline.KindAnswer} {
		for _, body := range []string{"", "[]", `"x"`, `{"up_to":[]}`, `{"start":"x"}`, "\x00\xff", strings.Repeat("[", 100_000)} {
			f.keep(journal.New{At: time.Now(), Kind: kind, Body: []byte(body)})
		}
	}
	f.keep(decided(t, "w1", 1))
	m := f.remember()
	if revisions(m) != "w1.1" || m.damages < 30 || len(m.damage) > damagesKept {
		t.Errorf("%s, %d damages, %d told", revisions(m), m.damages, len(m.damage))
	}
}
