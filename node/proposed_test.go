package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/core/warning"
	"tocsin/desk"
)

// modeOffice is an office whose policy has one mode for everything.
func modeOffice(t *testing.T, mode string) office {
	t.Helper()
	o := newOffice(t)
	o.cfg.Policy = filepath.Join(t.TempDir(), "policy.yaml")
	b := bytes.ReplaceAll(warning.ShippedPolicy(), []byte("mode: automatic"), []byte("mode: "+mode))
	if bytes.Equal(b, warning.ShippedPolicy()) {
		t.Fatal("the shipped policy has no mode to change")
	}
	if err := os.WriteFile(o.cfg.Policy, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// proposals is what GET /v1/proposals tells.
func (s *stage) proposals() []desk.Proposal {
	s.t.Helper()
	req := httptest.NewRequest("GET", "/v1/proposals", nil)
	req.Header.Set("Authorization", "Bearer "+s.o.secrets["national"])
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, req)
	var all desk.Proposals
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || w.Code != 200 {
		s.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return all.Proposals
}

// waits reports whether a step to shelter in zone a is proposed.
func (s *stage) waits() bool {
	s.t.Helper()
	for _, p := range s.proposals() {
		for _, id := range p.Zones {
			if id == "a" && p.Stage == warning.Shelter {
				return true
			}
		}
	}
	return false
}

// TestAVetoStopsAShelter: and it holds while the same track comes nearer.
func TestAVetoStopsAShelter(t *testing.T) {
	s := onStage(t, modeOffice(t, "veto 10s"))
	on := s.flyUntil(s.waits)
	p := s.proposals()[0]
	if p.Mode != "veto" || p.SecondsLeft == nil || *p.SecondsLeft <= 0 || *p.SecondsLeft > 10 || p.Spoken == nil || p.Threat.String() != "cruise-missile" {
		t.Errorf("proposed is %+v", p)
	}
	// Zones further on wait to be told to prepare: that is its own condition.
	open := func() (n int) {
		for _, c := range s.raised("veto-open") {
			if strings.HasPrefix(c.Subject, "shelter ") {
				n++
			}
		}
		return n
	}
	if open() != 1 {
		t.Errorf("raised are %v", s.n.loop.health.Raised())
	}
	on()
	if later := s.proposals()[0]; *later.SecondsLeft > *p.SecondsLeft-1 {
		t.Errorf("two seconds later %v are left, of %v", *later.SecondsLeft, *p.SecondsLeft)
	}
	if got := s.shown("a"); got != "nothing" {
		t.Fatalf("it was spoken before its time: %s", got)
	}
	a := s.command(`"action":"veto","regions":["north","south"],"stage":"shelter","reason":"our own"`)
	if len(a.Warnings) != 0 || s.waits() || open() != 0 {
		t.Errorf("after the veto: %+v, %v", a, s.n.loop.health.Raised())
	}
	for range 10 {
		on()
		if strings.HasPrefix(s.shown("a"), "shelter") || s.waits() {
			t.Fatalf("it came back: %s, %v", s.shown("a"), s.proposals())
		}
	}
	s.ids++
	if status, got := s.o.ask(t, s.h, "national", fmt.Sprintf(`{"id":"s%d","action":"veto","zones":["a"],"stage":"shelter","reason":"our own"}`, s.ids)); status != 422 || !strings.Contains(got, `"field":"zones"`) {
		t.Errorf("a second veto: %d %s", status, got)
	}
}

// TestSilenceLetsItThrough: what nobody says no to is spoken after its time, and not before.
func TestSilenceLetsItThrough(t *testing.T) {
	s := onStage(t, modeOffice(t, "veto 6s"))
	on := s.flyUntil(s.waits)
	on()
	on()
	if got := s.shown("a"); got != "nothing" {
		t.Errorf("after 4 s of 6: %s", got)
	}
	on()
	if got := s.shown("a"); got != "shelter cruise-missile" {
		t.Errorf("after 6 s of 6: %s; %v", got, s.proposals())
	}
}

// TestItWaitsToBeConfirmed: however long, and the word of a person has it spoken at once.
func TestItWaitsToBeConfirmed(t *testing.T) {
	s := onStage(t, modeOffice(t, "confirm"))
	on := s.flyUntil(s.waits)
	for range 12 {
		on()
	}
	if p := s.proposals()[0]; s.shown("a") != "nothing" || p.Mode != "confirm" || p.SecondsLeft != nil || len(s.raised("confirm-needed")) == 0 {
		t.Fatalf("nobody said yes: %s; %+v; %v", s.shown("a"), p, s.n.loop.health.Raised())
	}
	s.ids++
	body := fmt.Sprintf(`{"id":"s%d","action":"confirm","zones":["a"],"stage":"shelter"}`, s.ids)
	if status, got := s.o.ask(t, s.h, "north-office", strings.Replace(body, `"a"`, `"e"`, 1)); status != 403 {
		t.Errorf("a place of another office: %d %s", status, got)
	}
	status, first := s.o.ask(t, s.h, "north-office", body)
	var a desk.Answer
	if err := json.Unmarshal([]byte(first), &a); err != nil || status != 201 || len(a.Warnings) != 1 || len(a.Alerts) != 1 {
		t.Fatalf("%d %s", status, first)
	}
	if got := s.shown("a"); got != "shelter cruise-missile" || s.waits() {
		t.Errorf("confirmed: %s; %v", got, s.proposals())
	}
	if status, again := s.o.ask(t, s.h, "north-office", body); status != 201 || again != first {
		t.Errorf("the repeat: %d %s", status, again)
	}
}

// TestAProposalOverARestart: it is not spoken by the restart, an answer to it that was kept
// and not carried out is not taken for one to the next, and it is proposed anew with all of
// its time.
func TestAProposalOverARestart(t *testing.T) {
	o := modeOffice(t, "veto 20s")
	s := onStage(t, o)
	on := s.flyUntil(s.waits)
	on()
	at := s.now
	kept := `{"id":"k1","action":"confirm","zones":["a"],"stage":"shelter"}`
	if status, _ := o.ask(t, o.door(t, s.n, func() time.Time { return s.now }, keeping{s.n}), "national", kept); status != 504 {
		t.Fatalf("kept and not carried out: %d", status)
	}
	if err := s.n.Close(); err != nil {
		t.Fatal(err)
	}

	s = onStage(t, o)
	s.now = at.Add(30 * time.Second) // its time would be over
	s.ids = 1000
	s.h = o.door(t, s.n, func() time.Time { return s.now }, s)
	s.pass(5 * time.Second)
	if got := s.shown("a"); got != "nothing" || s.waits() {
		t.Fatalf("after the restart: %s; %v", got, s.proposals())
	}
	if status, got := o.ask(t, s.n.desk.server.Handler, "national", kept); status != 422 || !strings.Contains(got, `"field":"zones"`) {
		t.Errorf("the answer to what is gone: %d %s", status, got)
	}
	on = s.flyUntil(s.waits)
	for range 9 {
		on()
	}
	if got := s.shown("a"); got != "nothing" {
		t.Errorf("after 18 s of 20: %s", got)
	}
	on()
	on() // what was proposed between two looks has its 20 s too
	if got := s.shown("a"); got != "shelter cruise-missile" {
		t.Errorf("after 22 s: %s", got)
	}
}
