package main

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/node"
	"tocsin/node/keyring"
	"tocsin/sim/history"
	"tocsin/sim/replay"
)

// small is a history by hand: in the first hour Kyiv twice, and its oblast around it.
const small = `oblast,raion,hromada,level,started_at,finished_at,source
Kyiv City,,,oblast,2022-10-10 03:00:00+00:00,2022-10-10 03:20:00+00:00,official
Kyivska oblast,,,oblast,2022-10-10 03:05:00+00:00,2022-10-10 03:40:00+00:00,official
Kyivska oblast,Buchanskyi raion,Nowhere terytorialna hromada,hromada,2022-10-10 03:10:00+00:00,2022-10-10 03:50:00+00:00,official
Kyiv City,,,oblast,2022-10-10 03:30:00+00:00,2022-10-10 04:00:00+00:00,official
Atlantis,,,oblast,2022-10-10 03:30:00+00:00,2022-10-10 04:00:00+00:00,official
`

func smallHistory(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.csv")
	if err := os.WriteFile(path, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// running is a system of a universe, as `tocsin serve` runs it, with a token.
func running(t *testing.T, universe alert.Universe) (n *node.Node, token string) {
	t.Helper()
	cfg := node.Defaults()
	cfg.Universe, cfg.Data, cfg.Sender = universe, t.TempDir(), "exercise@tocsin.example"
	cfg.Public.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0"
	ring, err := keyring.Init(cfg.Data, universe, time.Now(), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := ring.AddToken(time.Now(), "replayer", keyring.Scopes(), board.Everything(), 0)
	if err != nil {
		t.Fatal(err)
	}
	token = filepath.Join(cfg.Data, "token.txt")
	if err := os.WriteFile(token, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err = node.Open(t.Context(), cfg, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return n, token
}

// TestNightOnAScreen: a night replayed into a running system, beside a verifying client on its
// stream: zone by zone what is told is what the file says, change by change; nothing is
// missed, nothing said twice.
func TestNightOnAScreen(t *testing.T) {
	n, token := running(t, alert.Exercise)
	root, err := base64.RawURLEncoding.DecodeString(n.Root())
	if err != nil {
		t.Fatal(err)
	}
	follower := replay.NewFollower(&url.URL{Scheme: "http", Host: n.PublicAddress()}, root, alert.Exercise, time.Now)
	told := map[zone.ID][]bool{}
	follower.Changed = func(p board.Payload) {
		for _, it := range p.Items {
			for _, id := range it.Zones {
				warned := it.End == warning.NotEnded
				if all := told[id]; len(all) == 0 || all[len(all)-1] != warned {
					told[id] = append(told[id], warned)
				}
			}
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() { defer close(gone); follower.Run(ctx) }()
	defer func() { stop(); <-gone }()
	if err := follower.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	file := smallHistory(t)
	code, out, problems := runLine(t, "", "replay", file, "--format", "ua-official", "--speed", "1800", "--to", "http://"+n.DeskAddress(), "--token", token)
	if code != 0 || !strings.Contains(out, "3 declared") || !strings.Contains(out, "1 rows: Atlantis") {
		t.Fatalf("exit %d\n%s%s", code, out, problems)
	}
	places := gazetteer(t)
	h, err := history.Read(strings.NewReader(small), history.UAOfficial, places)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	kyiv, _ := places.Ukrainian("Kyiv City", "", "")
	oblast, _ := places.Ukrainian("Kyivska oblast", "", "")
	limit, done := context.WithTimeout(ctx, 10*time.Second)
	defer done()
	if err := follower.Wait(limit, func(_ replay.Heard, state []board.Zone) bool { return inShelter(state, nil) && len(state) > 0 }); err != nil {
		t.Fatalf("not all is over: %v", err)
	}
	stop()
	<-gone
	for _, id := range places.Leaves(kyiv) {
		if want++; !same(told[id], true, false, true, false) {
			t.Errorf("Kyiv was told %v", told[id])
		}
	}
	for _, id := range places.Leaves(oblast) { // its two alarms overlap: one time of shelter
		if want++; !same(told[id], true, false) {
			t.Errorf("%s was told %v", id, told[id])
		}
	}
	if heard := follower.Heard(); len(told) != want || heard.Gaps+heard.Again > 0 || len(heard.Refused) > 0 || len(h.Alarms) != 3 {
		t.Errorf("%d zones told of, want %d; %d alarms; %+v", len(told), want, len(h.Alarms), heard)
	}
}

func same(got []bool, want ...bool) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

func gazetteer(t *testing.T) *history.Gazetteer {
	t.Helper()
	c := &console{ctx: t.Context(), in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	p, err := replayCmd{Format: "ua-official", Speed: "max"}.plan(c)
	if err != nil {
		t.Fatal(err)
	}
	return p.places
}

// TestNoReplayIntoLive: a live system refuses every command of a replay, and says nothing.
func TestNoReplayIntoLive(t *testing.T) {
	n, token := running(t, alert.Live)
	code, out, problems := runLine(t, "", "replay", smallHistory(t), "--format", "ua-official", "--speed", "max", "--to", "http://"+n.DeskAddress(), "--token", token)
	if code != 1 || !strings.Contains(out, "0 declared") || !strings.Contains(out, "refused by the door: 3, for universe") {
		t.Errorf("exit %d\n%s%s", code, out, problems)
	}
}

// TestExplainAReplay: of a replayed night the journal tells who declared, by which row, and
// what went out; before, in and after the alarm; also while the folder is held.
func TestExplainAReplay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "night")
	if code, out, problems := runLine(t, "", "replay", smallHistory(t), "--format", "ua-official", "--data", dir); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, problems)
	}
	for at, want := range map[string][]string{
		"2022-10-10T02:59:59Z": {"Kyiv", "QUIET. No warning"},
		"2022-10-10T03:10:00Z": {"SHELTER, threat unknown", "declared by the authority replay", "small.csv line 2: Kyiv City", ": declare by the authority replay until 2022-10-10 09:01:00Z", "on the board"},
		"2022-10-10T03:25:00Z": {"QUIET", "all-clear", "small.csv line 2: ended 2022-10-10T03:20:00Z"},
		"2022-10-10T03:35:00Z": {"SHELTER", "small.csv line 5: Kyiv City"},
	} {
		code, out, problems := runLine(t, "", "explain", "--at", "50.45,30.52", "--time", at, "--data", dir)
		if code != 0 {
			t.Errorf("%s: exit %d: %s", at, code, problems)
		}
		for _, s := range want {
			if !strings.Contains(out, s) {
				t.Errorf("%s: %q is not in\n%s", at, s, out)
			}
		}
	}
	code, out, _ := runLine(t, "", "explain", "--at", "50.45,30.52", "--time", "2022-10-10T03:10:00Z", "--data", dir, "--json")
	if code != 0 || !strings.Contains(out, `"action":"declare"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, problems := runLine(t, "", "explain", "--at", "0,0", "--data", dir); code != 1 || !strings.Contains(problems, "no zone") {
		t.Errorf("in the sea: exit %d, %s", code, problems)
	}
	if code, _, problems := runLine(t, "", "explain", "--at", "50.45,30.52", "--data", t.TempDir()); code != 1 || !strings.Contains(problems, "no journal") {
		t.Errorf("an empty folder: exit %d, %s", code, problems)
	}
	if code, _, _ := runLine(t, "", "explain", "--at", "north", "--data", dir); code != 2 {
		t.Errorf("no place: exit %d", code)
	}
}
