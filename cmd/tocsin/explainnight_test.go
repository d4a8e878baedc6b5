package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/journal/account"
	"tocsin/sim/replay"
)

// spoken is one word on a place, as a verifying client took it from the stream.
type spoken struct {
	alert alert.ID
	stage warning.Stage
	end   warning.End
	at    time.Time
}

// TestExplainWhileItRuns: a history is replayed into a running system. Of each word that a
// verifying client took from its stream on one place, explain says from the folder that is in
// use who declared it, by which row of the file, and that this went out then.
func TestExplainWhileItRuns(t *testing.T) {
	n, token := running(t, alert.Exercise)
	root, err := base64.RawURLEncoding.DecodeString(n.Root())
	if err != nil {
		t.Fatal(err)
	}
	kyiv, ok := gazetteer(t).Ukrainian("Kyiv City", "", "")
	if ok {
		t.Fatal("exchanged columns")
	}
	place := gazetteer(t).Leaves(kyiv)[0]
	follower := replay.NewFollower(&url.URL{Scheme: "http", Host: n.PublicAddress()}, root, alert.Exercise, time.Now)
	var heard []spoken
	follower.Changed = func(p board.Payload) {
		for _, it := range p.Items {
			for _, id := range it.Zones {
				if id == place {
					heard = append(heard, spoken{it.Alert, it.Stage, it.End, p.At})
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
	if code, out, problems := runLine(t, "", "replay", smallHistory(t), "--format", "ua-official", "--speed", "1800", "--to", "http://"+n.DeskAddress(), "--token", token); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, problems)
	}
	limit, done := context.WithTimeout(ctx, 10*time.Second)
	defer done()
	if err := follower.Wait(limit, func(_ replay.Heard, state []board.Zone) bool { return len(state) > 0 && inShelter(state, nil) }); err != nil {
		t.Fatalf("not all is over: %v", err)
	}
	rows := []string{"small.csv line 2: Kyiv City", "small.csv line 2: ended", "small.csv line 5: Kyiv City", "small.csv line 5: ended"}
	if len(heard) != len(rows) {
		t.Fatalf("heard %+v", heard)
	}
	for i, said := range heard {
		at := []string{"explain", "--at", "50.45,30.52", "--data", filepath.Dir(token), "--time", said.at.Format(time.RFC3339Nano)}
		code, out, problems := runLine(t, "", at...)
		if code != 0 || !strings.Contains(out, rows[i]) || !strings.Contains(out, "by the authority replayer") || !strings.Contains(out, string(said.alert)+" (") {
			t.Errorf("%s of %s: exit %d\n%s%s", rows[i], said.at, code, out, problems)
		}
		_, out, _ = runLine(t, "", append(at, "--json")...)
		var a account.Account
		if err := json.Unmarshal([]byte(out), &a); err != nil {
			t.Fatal(err)
		}
		if shelter := said.end == warning.NotEnded; (a.Stage == warning.Shelter) != shelter {
			t.Errorf("%s: explained as %s", said.at, a.Stage)
		}
		sent := time.Time{}
		for _, w := range a.Warnings {
			for _, x := range w.Alerts {
				if x.ID == said.alert {
					sent = x.Sent
				}
			}
		}
		if late := said.at.Sub(sent); late < 0 || late > 2*time.Second {
			t.Errorf("%s: explain says that %s went out at %s", said.at, said.alert, sent)
		}
	}
}
