package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/core/zone"
	"tocsin/zones"
)

// square is a zone file of one parent and its children, side by side.
func square(t *testing.T, children ...string) *zone.Set {
	t.Helper()
	feature := func(id, parent string, level int, west, east float64) string {
		return fmt.Sprintf(`{"type":"Feature","properties":{"id":%q,"level":%d,"parent":%q,"name_en":%q,"name_uk":%q},"geometry":{"type":"Polygon","coordinates":[[[%g,50],[%g,50],[%g,51],[%g,51],[%g,50]]]}}`,
			id, level, parent, id, id, west, east, east, west, west)
	}
	text := `{"type":"FeatureCollection","features":[` + feature("P", "", 1, 30, 32)
	for i, id := range children {
		width := 2 / float64(len(children))
		text += "," + feature(id, "P", 2, 30+width*float64(i), 30+width*float64(i+1))
	}
	set, report := zone.ReadSet([]zone.File{{Name: "test", Data: []byte(text + "]}")}}, zone.Limits{})
	if report.Bad() {
		t.Fatal(report.Defects)
	}
	return set
}

// active is the stage by zone that /v1/active tells.
func active(t *testing.T, n *Node) map[zone.ID]string {
	t.Helper()
	answer, err := http.Get("http://" + n.PublicAddress() + "/v1/active")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	var view struct {
		Set   string `json:"set"`
		Zones []struct {
			ID    zone.ID `json:"id"`
			Stage string  `json:"stage"`
		} `json:"zones"`
	}
	if err := json.Unmarshal(b, &view); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	all := map[zone.ID]string{"set": view.Set}
	for _, z := range view.Zones {
		all[z.ID] = z.Stage
	}
	return all
}

// TestAnImportedSetKeepsEveryPlaceWarned: a set imported while a warning is in force, over
// the folder as `tocsin zones import` does it, live and over a restart.
func TestAnImportedSetKeepsEveryPlaceWarned(t *testing.T) {
	cfg := Defaults()
	cfg.Universe, cfg.Data = alert.Exercise, t.TempDir()
	cfg.Public.Listen, cfg.Desk.Listen = "127.0.0.1:0", "127.0.0.1:0"
	first, second := square(t, "A", "B"), square(t, "A", "C", "D")
	store := zones.StoreIn(cfg.Data)
	if _, err := store.Import(first); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	n, err := Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	order := pipeline.Order{Command: warning.Command{
		ID: "c1", Action: warning.Declare, By: warning.Issuer{Kind: warning.ByAuthority, Name: "test"},
		Zones: []zone.ID{"B"}, Stage: warning.Shelter, Until: time.Now().Add(time.Hour), Reason: "test",
	}}
	if answer, err := n.Carry(ctx, order); err != nil || answer.Refused != "" {
		t.Fatalf("declare: %+v, %v", answer, err)
	}
	if got := active(t, n); got["B"] != "shelter" || string(got["set"]) != first.Version() {
		t.Fatalf("before the change: %v", got)
	}
	if _, err := store.Import(second); err != nil {
		t.Fatal(err)
	}
	deadline := time.NewTimer(30 * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for n.sets.now().Version() != second.Version() || string(active(t, n)["set"]) != second.Version() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatal("the imported set was not taken up")
		}
	}
	// B is gone; the land it was is now under C and D.
	covered := func(n *Node) bool {
		got := active(t, n)
		return slices.ContainsFunc([]zone.ID{"C", "D", "P"}, func(id zone.ID) bool { return got[id] == "shelter" }) || got["B"] == "shelter"
	}
	for !covered(n) {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("after the change nobody is warned: %v", active(t, n))
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	again, err := Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- again.Run(ctx) }()
	for {
		answer, err := http.Get("http://" + again.PublicAddress() + "/v1/active")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		<-look.C
	}
	if !covered(again) {
		t.Errorf("after a restart nobody is warned: %v", active(t, again))
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
