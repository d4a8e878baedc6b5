package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/desk"
	"tocsin/sim/history"
)

var noon = time.Date(2022, 10, 10, 12, 0, 0, 0, time.UTC)

// book is a door that keeps what it is given.
type book struct {
	mu     sync.Mutex
	clock  *Clock
	log    []string
	untils map[warning.ID]time.Time
	of     map[warning.ID]desk.Warning
	also   []warning.ID // other warnings that change in the same step
	refuse func(c desk.Command) error
	broken error
}

func newBook(c *Clock) *book {
	return &book{clock: c, untils: map[warning.ID]time.Time{}, of: map[warning.ID]desk.Warning{}}
}

func (b *book) Give(_ context.Context, c desk.Command) (desk.Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	if b.broken != nil {
		return desk.Answer{}, b.broken
	}
	if c.Universe != alert.Exercise {
		return desk.Answer{}, fmt.Errorf("%s says the universe %q", c.ID, c.Universe)
	}
	if b.refuse != nil {
		if err := b.refuse(c); err != nil {
			return desk.Answer{}, err
		}
	}
	id := c.Warning
	if c.Action == warning.Declare {
		id = warning.ID(fmt.Sprint("w", len(b.of)+1))
		b.of[id] = desk.Warning{ID: id, By: warning.Issuer{Kind: warning.ByAuthority}, Reason: c.Reason}
	} else if until, ok := b.untils[id]; !ok || !until.After(now) {
		return desk.Answer{}, fmt.Errorf("%s of %s at %s: its until was %s", c.Action, id, now, until)
	}
	where := ""
	for _, z := range append(slices.Clone(c.Zones), c.Regions...) {
		where += " " + string(z)
	}
	b.log = append(b.log, fmt.Sprintf("%s %s %s%s", now.Sub(noon), c.Action, id, where))
	b.untils[id] = c.Until
	if c.Action == warning.EndsZone {
		delete(b.untils, id)
	}
	return desk.Answer{ID: c.ID, Accepted: true, Warnings: append([]warning.ID{id}, b.also...)}, nil
}

func (b *book) Warnings(context.Context) ([]desk.Warning, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []desk.Warning{{ID: "other", By: warning.Issuer{Kind: warning.ByPolicy}}}
	for _, w := range b.of {
		out = append(out, w)
	}
	return out, nil
}

func said(t *testing.T, format history.Format, rows ...string) []history.Alarm {
	t.Helper()
	var zones []zone.Zone
	for i, name := range []string{"א", "ב"} {
		id := zone.ID([]string{"A", "B"}[i])
		x := geo.Degrees(30 + float64(i)/10)
		ring := []geo.Point{{Lat: 50, Lon: x}, {Lat: 50, Lon: x + 0.1}, {Lat: 50.1, Lon: x + 0.1}, {Lat: 50.1, Lon: x}, {Lat: 50, Lon: x}}
		zones = append(zones, zone.Zone{ID: id, Level: 1, Names: map[string]string{"he": name, "en": string(id) + " oblast"}, Shape: geo.MultiPolygon{{Outer: ring}}})
	}
	set, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	header := "oblast,raion,hromada,started_at,finished_at\n"
	if format == history.ILAlerts {
		header = "data,date,time,category\n"
	}
	h, err := history.Read(strings.NewReader(header+strings.Join(rows, "\n")), format, history.NewGazetteer(set, nil))
	if err != nil || len(h.Faults) > 0 {
		t.Fatal(err, h.Faults)
	}
	return h.Alarms
}

// TestOrderAndUpkeep: what begins goes before what ends in the same moment; what lasts long
// is extended before it runs out, also between moments; each warning is ended by its own id.
func TestOrderAndUpkeep(t *testing.T) {
	alarms := said(t, history.UAOfficial,
		"A oblast,,,2022-10-10 12:00:00+00:00,2022-10-10 13:00:00+00:00",
		"B oblast,,,2022-10-10 13:00:00+00:00,2022-10-11 01:00:00+00:00",
	)
	c := NewClock(noon)
	b := newBook(c)
	out, err := Run(t.Context(), alarms, c, b, Options{File: "dir/a\nb.csv"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"0s declare w1 A", "1h0m0s declare w2 B", "1h0m0s end w1", "5h0m40s extend w2", "9h1m20s extend w2", "13h0m0s end w2"}
	if !slices.Equal(b.log, want) {
		t.Errorf("%q\nwant\n%q", b.log, want)
	}
	if out.Commands != 6 || out.Declared != 2 || out.Extended != 2 || out.Ended != 2 || len(out.Latency) != 6 {
		t.Errorf("%+v", out)
	}
	if r := b.of["w1"].Reason; r != "ab.csv line 2: A oblast, 2022-10-10T12:00:00Z" {
		t.Errorf("reason %q", r)
	}
}

// TestRowsExtend: each later row of an Israeli alarm is an extension with its own line.
func TestRowsExtend(t *testing.T) {
	alarms := said(t, history.ILAlerts, "א,10.10.2022,15:00:00,1", "א,10.10.2022,15:00:00,1", "א,10.10.2022,15:08:00,1", "ב,10.10.2022,15:09:00,2")
	c := NewClock(noon)
	b := newBook(c)
	if _, err := Run(t.Context(), alarms, c, b, Options{AtOnce: 4}); err != nil {
		t.Fatal(err)
	}
	want := []string{"0s declare w1 A", "8m0s extend w1", "9m0s declare w2 B", "18m0s end w1", "19m0s end w2"}
	if !slices.Equal(b.log, want) {
		t.Errorf("%q\nwant\n%q", b.log, want)
	}
	if alarms[0].Threat != class.Rocket || alarms[1].Threat != class.Aircraft {
		t.Errorf("threats %s, %s", alarms[0].Threat, alarms[1].Threat)
	}
}

// TestOnlyItsOwn: where other warnings change in the step of a declaration they are not ended.
func TestOnlyItsOwn(t *testing.T) {
	c := NewClock(noon)
	b := newBook(c)
	b.also = []warning.ID{"other"}
	if _, err := Run(t.Context(), said(t, history.UAOfficial, "A oblast,,,2022-10-10 12:00:00+00:00,2022-10-10 13:00:00+00:00"), c, b, Options{}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0s declare w1 A", "1h0m0s end w1"}; !slices.Equal(b.log, want) {
		t.Errorf("%q", b.log)
	}
}

// TestRefusedGoesOn: a refused alarm is told with its line; the rest is played.
func TestRefusedGoesOn(t *testing.T) {
	c := NewClock(noon)
	b := newBook(c)
	b.refuse = func(c desk.Command) error {
		if len(c.Zones) > 0 && c.Zones[0] == "A" || len(c.Regions) > 0 && c.Regions[0] == "A" {
			return &Refusal{Status: 403, Field: "zones", Detail: "not yours"}
		}
		return nil
	}
	out, err := Run(t.Context(), said(t, history.UAOfficial,
		"A oblast,,,2022-10-10 12:00:00+00:00,2022-10-10 22:00:00+00:00",
		"B oblast,,,2022-10-10 12:30:00+00:00,2022-10-10 13:30:00+00:00"), c, b, Options{})
	if err != nil || out.Refusals["zones"] != 1 || len(out.Refused) != 1 || !strings.HasPrefix(out.Refused[0], "line 2: declare") || out.Declared != 1 || out.Ended != 1 {
		t.Errorf("%v %+v", err, out)
	}
}

// TestBrokenOff: a replay that is interrupted takes back what is in force of it.
func TestBrokenOff(t *testing.T) {
	c := NewClock(noon)
	b := newBook(c)
	ctx, stop := context.WithCancel(t.Context())
	_, err := Run(ctx, said(t, history.UAOfficial,
		"A oblast,,,2022-10-10 12:00:00+00:00,2022-10-10 13:00:00+00:00",
		"B oblast,,,2022-10-10 12:30:00+00:00,2022-10-10 13:30:00+00:00"), c, b,
		Options{Moment: func(at time.Time) error {
			if at.Equal(noon.Add(30 * time.Minute)) {
				stop()
			}
			return nil
		}})
	if !errors.Is(err, context.Canceled) || len(b.untils) != 0 {
		t.Errorf("%v; in force %v", err, b.untils)
	}
	b.broken = errors.New("gone")
	if _, err := Run(t.Context(), said(t, history.UAOfficial, "A oblast,,,2022-10-10 12:00:00+00:00,2022-10-10 13:00:00+00:00"), c, b, Options{}); !errors.Is(err, b.broken) {
		t.Errorf("a door that is gone: %v", err)
	}
}

// ledger is a book that keeps how warnings were ended.
type ledger struct {
	*book
	how []desk.Command
}

func (e *ledger) Give(ctx context.Context, c desk.Command) (desk.Answer, error) {
	if c.Action == warning.EndsZone {
		e.how = append(e.how, c)
	}
	return e.book.Give(ctx, c)
}

// TestCutOffIsNoAllClear: where a replay ends before the alarm does, the file has no end to tell.
func TestCutOffIsNoAllClear(t *testing.T) {
	c := NewClock(noon)
	door := &ledger{book: newBook(c)}
	h := history.History{Alarms: said(t, history.UAOfficial,
		"A oblast,,,2022-10-10 12:00:00+00:00,2022-10-10 14:00:00+00:00",
		"B oblast,,,2022-10-10 12:10:00+00:00,2022-10-10 12:40:00+00:00")}
	out, err := Run(t.Context(), h.Between(time.Time{}, noon.Add(time.Hour)), c, door, Options{File: "night.csv"})
	if err != nil || out.CutOff != 1 || len(door.how) != 2 {
		t.Fatal(err, out, door.how)
	}
	if b, a := door.how[0], door.how[1]; b.End != warning.AllClear || a.End != warning.Cancelled ||
		!strings.Contains(a.Reason, "night.csv line 2: the replay ends at 2022-10-10T13:00:00Z, the alarm at 2022-10-10T14:00:00Z") {
		t.Errorf("ended by %+v, then %+v", b, a)
	}
}

// TestDeskGivesAgain: where the door is busy, or the connection breaks, the same command is
// given again with the same id; a refusal is not.
func TestDeskGivesAgain(t *testing.T) {
	var ids []string
	answers := []int{429, 0, 201, 422, 401}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c desk.Command
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil || r.Header.Get("Authorization") != "Bearer secret" {
			t.Error(err, r.Header)
		}
		ids = append(ids, c.ID)
		status := answers[0]
		answers = answers[1:]
		switch status {
		case 0:
			panic(http.ErrAbortHandler)
		case 201:
			w.WriteHeader(201)
			fmt.Fprintf(w, `{"id":%q,"accepted":true,"warnings":["w"],"alerts":[],"position":7}`, c.ID)
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"detail":"because","field":"zones"}`)
		}
	}))
	defer s.Close()
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDesk(base, "secret", 1)
	defer d.Close()
	a, err := d.Give(t.Context(), desk.Command{ID: "one"})
	if err != nil || !a.Accepted || a.Position != 7 {
		t.Errorf("%+v %v", a, err)
	}
	var no *Refusal
	if _, err := d.Give(t.Context(), desk.Command{ID: "two"}); !errors.As(err, &no) || no.Field != "zones" || no.Detail != "because" {
		t.Errorf("a refusal: %v", err)
	}
	if _, err := d.Give(t.Context(), desk.Command{ID: "three"}); err == nil || errors.As(err, &no) {
		t.Error("a wrong token is no error")
	}
	if want := []string{"one", "one", "one", "two", "three"}; !slices.Equal(ids, want) {
		t.Errorf("given %q", ids)
	}
}

// TestMeasure: changes of zones, not of alarms.
func TestMeasure(t *testing.T) {
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	alarms := []history.Alarm{{Start: at(0), End: at(10)}, {Start: at(5), End: at(20)}, {Start: at(5), End: at(20)}}
	leaves := [][]zone.ID{{"a", "b"}, {"b"}, {"c"}}
	n := 0
	order := []int{0, 1, 2, 0, 1, 2} // they start at 0, 5, 5 and end at 10, 20, 20
	f := Measure(alarms, func(history.Place) []zone.ID { n++; return leaves[order[n-1]] }, at(20))
	if f.Zones != 3 || f.Changes != 4 || f.AtOnce.Count != 3 || f.PerSecond.Count != 2 || !f.From.Equal(at(0)) || !f.To.Equal(at(20)) {
		t.Errorf("%+v", f)
	}
}
