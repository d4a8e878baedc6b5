package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tocsin/core/zone"
	"tocsin/journal"
	"tocsin/journal/account"
	"tocsin/zones"
)

type explainCmd struct {
	At   string `required:"" help:"The place." placeholder:"LAT,LON"`
	Time string `help:"The moment, such as 2022-10-10T05:30:00Z; by default the newest that the journal tells of." placeholder:"TIME"`
	Data string `default:"./tocsin-data" help:"The data folder; the system may be running on it."`
	Lang string `default:"en" help:"The language of the zone's name."`
	JSON bool   `name:"json" help:"One JSON object."`
}

// Help is the example that --help prints.
func (explainCmd) Help() string {
	return `Why a place is or was in its stage: the warning, who declared it or what was observed, the rule, its figures and the policy's
hash, each command with the row it rests on, what was said when. It reads the journal and changes nothing. What it prints holds
what never goes out of the house: it is for the desk and for inquiries.
Example:
  tocsin explain --at 50.45,30.52 --time 2022-10-10T05:30:00Z --data ./tocsin-data`
}

// Run prints the account of one place at one time.
func (e explainCmd) Run(c *console) error {
	point, err := parsePoint(e.At)
	if err != nil {
		return usageError("explain: --at: %v", err)
	}
	var at time.Time
	if e.Time != "" {
		if at, err = time.Parse(time.RFC3339, e.Time); err != nil {
			return usageError("explain: --time %s: it is no time such as 2022-10-10T05:30:00Z", e.Time)
		}
	}
	if info, err := os.Stat(e.Data); err != nil || !info.IsDir() {
		return fmt.Errorf("explain: --data %s: it is no data folder; `tocsin serve` makes one, and `tocsin replay --data` keeps one", shownName(e.Data))
	}
	r, err := openJournal(c, "explain: --data", e.Data)
	if err != nil {
		return err
	}
	defer r.Close() // read only: nothing can be lost
	set, err := e.set(c, r, at)
	if err != nil {
		return err
	}
	z, ok := set.At(point)
	if !ok {
		return fmt.Errorf("explain: %s lies in no zone of the set %s, and within 5 km of none: %w", e.At, set.Version(), errNo)
	}
	ledger := account.New(z.ID, at)
	bar := newProgress(c, "reading the journal")
	err = everything(c, r, func(x journal.Entry) {
		bar.show(int(x.Position), 0)
		_ = ledger.Fold(int64(x.Position), x.At, x.Kind, x.Body) // counted in the account
	})
	bar.clear()
	if err != nil {
		return err
	}
	out := ledger.Account()
	out.Name, out.Region = z.Name(e.Lang), set.Region(z.ID)
	if e.JSON {
		return json.NewEncoder(c.out).Encode(out)
	}
	_, err = io.WriteString(c.out, out.Words())
	return err
}

// everything gives each entry, passing over what is damaged and telling of it.
func everything(c *console, r *journal.Reader, yield func(journal.Entry)) error {
	for from := journal.Position(1); from > 0; {
		err := r.Read(c.ctx, from, func(x journal.Entry) error { yield(x); return nil })
		var corrupt *journal.CorruptError
		switch {
		case errors.As(err, &corrupt):
			fmt.Fprintf(c.err, "tocsin: explain: %v; what is behind it is read all the same\n", corrupt)
			if corrupt.Next <= from {
				return nil
			}
			from = corrupt.Next
		case err != nil:
			return fmt.Errorf("explain: %w", err)
		default:
			return nil
		}
	}
	return nil
}

// set is the zone set that was in force at a time: the one that the last start up to it
// names, or the one imported.
func (e explainCmd) set(c *console, r *journal.Reader, at time.Time) (*zone.Set, error) {
	store := zones.StoreIn(e.Data)
	if versions, err := store.Versions(); err == nil && len(versions) == 1 {
		return store.Open(versions[0])
	}
	version := ""
	err := everything(c, r, func(x journal.Entry) {
		var start struct {
			Set string `json:"set"`
		}
		if x.Kind == "start" && (version == "" || at.IsZero() || !x.At.After(at)) && json.Unmarshal(x.Body, &start) == nil && start.Set != "" {
			version = start.Set
		}
	})
	if err != nil {
		return nil, err
	}
	if version == "" {
		return store.Current()
	}
	set, err := store.Open(version)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("explain: the zone set %s, which was in force, is not in %s: %w", version, filepath.Join(e.Data, "zones"), errNo)
	}
	return set, err
}
