package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/health"
	"tocsin/journal"
)

// answer is one append of a fake disk.
type answer struct {
	done chan struct{}
	err  error
}

func (a *answer) Done() <-chan struct{}             { return a.done }
func (a *answer) Result() (journal.Position, error) { <-a.done; return 0, a.err }

// disk is a journal that answers as told: each append after delay, with the error that
// fails gives for it.
type disk struct {
	delay time.Duration
	fails func(entries []journal.New) error
	block bool     // Start itself does not return: its queue is full
	kept  []string // in the order they were handed over
	size  int      // of the largest append
}

func (d *disk) Start(ctx context.Context, entries ...journal.New) (pending, error) {
	if d.block {
		<-ctx.Done()
		return nil, fmt.Errorf("journal: append: %w", ctx.Err())
	}
	d.size = max(d.size, len(entries))
	a := &answer{done: make(chan struct{})}
	if d.fails != nil {
		a.err = d.fails(entries)
	}
	if a.err == nil {
		for _, e := range entries {
			d.kept = append(d.kept, string(e.Body))
		}
	}
	if d.delay == 0 { // answered by the time it is asked, however busy the machine is
		close(a.done)
	} else {
		time.AfterFunc(d.delay, func() { close(a.done) })
	}
	return a, nil
}

// paper is a spoken.log.
type paper struct {
	lines  []string
	resets int
	err    error
}

func (p *paper) Append(entries ...journal.New) error {
	if p.err != nil {
		return p.err
	}
	if len(entries) > journal.MaxAppend {
		return journal.ErrInvalid
	}
	for _, e := range entries {
		p.lines = append(p.lines, string(e.Body))
	}
	return nil
}

func (p *paper) Reset() error { p.lines = nil; p.resets++; return p.err }

// decisions are entries that tell themselves apart.
func decisions(from, n int) []journal.New {
	var all []journal.New
	for i := range n {
		all = append(all, journal.New{At: time.Now(), Kind: "decision", Body: []byte(fmt.Sprintf("%05d", from+i))})
	}
	return all
}

func bodies(from, n int) []string {
	var all []string
	for _, e := range decisions(from, n) {
		all = append(all, string(e.Body))
	}
	return all
}

// raisedBy is what a keeper has raised and not cleared, by name.
func raisedBy(k *keeper, held *health.Board) string {
	for _, c := range k.conditions() {
		held.Put(c)
	}
	var names []string
	for _, c := range held.Raised() {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ")
}

// onFakes is a keeper on fakes, in a bubble of its own time.
func onFakes(t *testing.T, story func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d, p, held := &disk{}, &paper{}, health.NewBoard(100)
		k := &keeper{store: d, spoken: p}
		story(t, k, d, p, func() string { return raisedBy(k, held) })
	})
}

func keep(t *testing.T, k *keeper, entries []journal.New, want bool) (took time.Duration) {
	t.Helper()
	began := time.Now()
	committed, err := k.keep(began, entries)
	if err != nil || committed != want {
		t.Errorf("committed %v, want %v: %v", committed, want, err)
	}
	return time.Since(began)
}

func tend(t *testing.T, k *keeper) (took time.Duration) {
	t.Helper()
	began := time.Now()
	if err := k.tend(began); err != nil {
		t.Error(err)
	}
	return time.Since(began)
}

func TestKeeperCommitsFirst(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		d.delay = patience - time.Millisecond
		if took := keep(t, k, decisions(0, 3), true); took != d.delay {
			t.Errorf("it spoke after %s, before the disk had answered", took)
		}
		if !slices.Equal(d.kept, bodies(0, 3)) || len(p.lines) != 0 || k.waiting() || raised() != "" {
			t.Errorf("kept %v, aside %v", d.kept, p.lines)
		}
		if took := keep(t, k, nil, true); took != 0 {
			t.Errorf("nothing took %s", took)
		}
	})
}

// TestKeeperOnASlowDisk: spoken after the patience and marked; the next ones do not wait as
// long; when the disk has answered, spoken.log is empty and nothing is raised.
func TestKeeperOnASlowDisk(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		d.delay = 3 * time.Second
		if took := keep(t, k, decisions(0, 2), false); took != patience {
			t.Errorf("spoken after %s", took)
		}
		if got := raised(); got != journalSlow || !slices.Equal(p.lines, bodies(0, 2)) {
			t.Errorf("raised %q, aside %v", got, p.lines)
		}
		for i := range 20 {
			if took := keep(t, k, decisions(2+i, 1), false); took > hurry {
				t.Errorf("decision %d waited %s for a disk that does not answer", i, took)
			}
		}
		if tend(t, k); p.resets != 0 || len(p.lines) != 22 {
			t.Errorf("%d resets, %d aside before the disk answered", p.resets, len(p.lines))
		}
		<-time.After(4 * time.Second)
		tend(t, k)
		if got := raised(); got != "" || k.waiting() || p.resets != 1 || !slices.Equal(d.kept, bodies(0, 22)) {
			t.Errorf("afterwards: raised %q, waiting %v, %d resets, kept %v", got, k.waiting(), p.resets, d.kept)
		}
		d.delay = 0
		keep(t, k, decisions(22, 1), true)
	})
}

// TestKeeperWhoseJournalIsStuck: Start itself blocks; the order is kept through the backlog.
func TestKeeperWhoseJournalIsStuck(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		d.block = true
		if took := keep(t, k, decisions(0, 2), false); took != patience {
			t.Errorf("spoken after %s", took)
		}
		if took := keep(t, k, decisions(2, 2), false); took != 0 {
			t.Errorf("the second waited %s", took)
		}
		if got := raised(); got != journalRefused {
			t.Errorf("raised %q", got)
		}
		if took := tend(t, k); took > patience {
			t.Errorf("tend held the loop for %s", took)
		}
		d.block = false
		keep(t, k, decisions(4, 1), false)
		tend(t, k)
		if !slices.Equal(d.kept, bodies(0, 5)) || p.resets != 1 || raised() != "" {
			t.Errorf("kept %v", d.kept)
		}
	})
}

// TestKeeperOnAFullDisk: everything is spoken, set aside and kept in order once there is room.
func TestKeeperOnAFullDisk(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		full := fmt.Errorf("no space: %w", journal.ErrFull)
		d.fails = func([]journal.New) error { return full }
		for i := range 1000 {
			if took := keep(t, k, decisions(i, 1), false); took > patience {
				t.Fatalf("a full disk cost %s", took)
			}
			if i%100 == 0 {
				tend(t, k)
			}
		}
		if got := raised(); got != journalFull || !slices.Equal(p.lines, bodies(0, 1000)) || len(d.kept) != 0 {
			t.Errorf("raised %q, %d aside", got, len(p.lines))
		}
		d.fails, d.delay = nil, 100*time.Millisecond
		if took := tend(t, k); took > patience {
			t.Errorf("the backlog held the loop for %s", took)
		}
		keep(t, k, decisions(1000, 1), false)
		for k.waiting() {
			<-time.After(time.Second)
			tend(t, k)
		}
		if !slices.Equal(d.kept, bodies(0, 1001)) || p.resets != 1 || raised() != "" {
			t.Errorf("%d kept, %d resets", len(d.kept), p.resets)
		}
	})
}

// TestKeeperKeepsWhatWasLateAndThenRefused: late, and when the answer came it was no.
func TestKeeperKeepsWhatWasLateAndThenRefused(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		d.delay, d.fails = time.Second, func([]journal.New) error { return journal.ErrFull }
		keep(t, k, decisions(0, 2), false)
		keep(t, k, decisions(2, 2), false)
		<-time.After(2 * time.Second)
		d.fails, d.delay = nil, 0
		keep(t, k, decisions(4, 1), false) // behind those that were refused
		if got := raised(); !strings.Contains(got, journalFull) {
			t.Errorf("raised %q", got)
		}
		tend(t, k)
		if !slices.Equal(d.kept, bodies(0, 5)) || k.lost != 0 || p.resets != 1 || raised() != "" {
			t.Errorf("kept %v, %d lost, %d resets", d.kept, k.lost, p.resets)
		}
	})
}

// TestKeeperOnABrokenDisk: what is held is set aside and spoken, and then it ends.
func TestKeeperOnABrokenDisk(t *testing.T) {
	broken := fmt.Errorf("i/o error: %w", journal.ErrBroken)
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, _ func() string) {
		d.fails = func([]journal.New) error { return broken }
		if committed, err := k.keep(time.Now(), decisions(0, 2)); committed || !errors.Is(err, journal.ErrBroken) {
			t.Errorf("%v, %v", committed, err)
		}
		if !slices.Equal(p.lines, bodies(0, 2)) {
			t.Errorf("aside %v", p.lines)
		}
	})
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, _ func() string) {
		d.fails, d.delay = func([]journal.New) error { return broken }, time.Second
		keep(t, k, decisions(0, 2), false)
		<-time.After(2 * time.Second)
		if err := k.tend(time.Now()); !errors.Is(err, journal.ErrBroken) || p.resets != 0 {
			t.Errorf("tend: %v, %d resets", err, p.resets)
		}
	})
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, _ func() string) {
		d.fails = func([]journal.New) error { return journal.ErrFull }
		keep(t, k, decisions(0, 2), false)
		d.fails = func([]journal.New) error { return broken }
		if err := k.tend(time.Now()); !errors.Is(err, journal.ErrBroken) || p.resets != 0 {
			t.Errorf("drain: %v, %d resets", err, p.resets)
		}
	})
}

// TestKeeperCountsWhatIsLost: at its bound it says so, with the count, and spoken.log stays
// for the next start.
func TestKeeperCountsWhatIsLost(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		d.fails = func([]journal.New) error { return journal.ErrFull }
		for i := 0; i < backlogLimit+300; i += 100 {
			keep(t, k, decisions(i, 100), false)
		}
		if got := raised(); k.lost != 300 || got != entriesLost+" "+journalFull {
			t.Errorf("%d lost, raised %q", k.lost, got)
		}
		d.fails = nil
		for range 100 {
			tend(t, k)
		}
		if len(d.kept) != backlogLimit || p.resets != 0 || len(p.lines) != backlogLimit+300 || raised() != entriesLost {
			t.Errorf("%d kept, %d resets, raised %q", len(d.kept), p.resets, raised())
		}
	})
}

// TestKeeperCutsWhatIsMuch: a raid decides more in one step than one append takes; and what
// no append can ever take holds up nothing.
func TestKeeperCutsWhatIsMuch(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		keep(t, k, decisions(0, 1000), true)
		if d.size > journal.MaxAppend || !slices.Equal(d.kept, bodies(0, 1000)) {
			t.Errorf("%d at once, %d kept", d.size, len(d.kept))
		}
		large := func() []journal.New {
			return []journal.New{{Kind: "alert", Body: make([]byte, 5<<20)}, {Kind: "alert", Body: make([]byte, 5<<20)}, {Kind: "alert"}}
		}
		if got := parts(large()); len(got) != 2 || len(got[0]) != 1 || len(got[1]) != 2 {
			t.Errorf("cut into %d", len(got))
		}
		d.fails = func(entries []journal.New) error {
			if len(entries[0].Body) > journal.MaxBody {
				return fmt.Errorf("too long: %w", journal.ErrInvalid)
			}
			return nil
		}
		keep(t, k, []journal.New{{Kind: "decision", Body: make([]byte, journal.MaxBody+1)}}, false)
		keep(t, k, decisions(1000, 1), true)
		if k.lost != 1 || len(k.backlog) != 0 || raised() != entriesLost {
			t.Errorf("%d lost, %d wait", k.lost, len(k.backlog))
		}
	})
}

// TestKeeperWithoutAnyPlace: disk and spoken.log both full; it still speaks, and says so.
func TestKeeperWithoutAnyPlace(t *testing.T) {
	onFakes(t, func(t *testing.T, k *keeper, d *disk, p *paper, raised func() string) {
		d.fails, p.err = func([]journal.New) error { return journal.ErrFull }, journal.ErrFull
		keep(t, k, decisions(0, 2), false)
		if got := raised(); got != journalFull+" "+spokenFailed {
			t.Errorf("raised %q", got)
		}
		d.fails, p.err = nil, nil
		tend(t, k)
		if got := raised(); got != "" || !slices.Equal(d.kept, bodies(0, 2)) {
			t.Errorf("raised %q, kept %v", got, d.kept)
		}
	})
}
