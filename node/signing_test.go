package node

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/health"
	"tocsin/node/keyring"
)

// limited is a jurisdiction of cruise missiles in a, b and the west half of c.
func limited() *board.Jurisdiction {
	j := board.Everything()
	j.Classes = []string{"cruise-missile"}
	j.Polygon = []byte(`[[[[33.9,49.9],[34.25,49.9],[34.25,50.2],[33.9,50.2],[33.9,49.9]]]]`)
	return &j
}

func (s *stage) raised(name string) (out []health.Condition) {
	for _, c := range s.n.loop.health.Raised() {
		if c.Name == name {
			out = append(out, c)
		}
	}
	return out
}

// upkeep does what time asks for, as the loop does.
func (s *stage) upkeep() {
	s.t.Helper()
	kept := s.now
	s.now = s.now.Add(2 * time.Second)
	if err := s.n.loop.due(&kept); err != nil {
		s.t.Fatal(err)
	}
}

// TestTheBoardsKeyAtTheDoor: what the key of the board may not sign is refused at the door.
// What the policy warns of beyond it is a condition as long as it lasts, and neither on the
// board nor in a CAP document.
func TestTheBoardsKeyAtTheDoor(t *testing.T) {
	s := newStageOf(t, keyring.Options{Jurisdiction: limited(), Valid: 48 * time.Hour})
	until := s.now.Add(time.Hour).Format(time.RFC3339Nano)
	for body, want := range map[string]string{
		`"zones":["a","b"],"threat":"drone"`:          `"field":"threat"`,
		`"zones":["a","c"],"threat":"cruise-missile"`: `"field":"zones"`,
		`"regions":["south"],"threat":"unknown"`:      `"field":"regions"`,
	} {
		s.ids++
		status, got := s.o.ask(t, s.h, "national", fmt.Sprintf(`{"id":"r%d","action":"declare",%s,"stage":"shelter","until":%q,"reason":"seen"}`, s.ids, body, until))
		if status != 403 || !strings.Contains(got, want) {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
	s.ids++
	late := fmt.Sprintf(`{"id":"r%d","action":"extend","zones":["a"],"until":%q}`, s.ids, s.now.Add(23*time.Hour).Format(time.RFC3339Nano))
	s.command(`"action":"declare","zones":["a"],"stage":"prepare","threat":"cruise-missile","until":%q,"reason":"seen"`, until)
	if status, got := s.o.ask(t, s.h, "national", late); status != 201 {
		t.Errorf("within the key's time: %d %s", status, got)
	}
	s.upkeep()
	if got := s.raised(notSigned); len(got) != 0 {
		t.Errorf("all is signed, and raised is %v", got)
	}

	s.fly()
	for zoneOf(s.automatic(), "c").Zone == "" {
		s.pass(time.Second)
	}
	w := s.automatic()
	s.upkeep()
	if got := s.raised(notSigned); len(got) != 1 || got[0].Subject != string(w.ID) || !strings.Contains(got[0].Detail, "the first c") {
		t.Errorf("c is on no device, and raised is %v", got)
	}
	if got := s.shown("a") + ", " + s.shown("c"); got != "shelter cruise-missile, nothing" {
		t.Errorf("shown are %s", got)
	}
	s.now = s.now.Add(5 * time.Minute)
	s.upkeep()
	if len(s.raised(notSigned)) != 1 {
		t.Error("it lasts, and the condition does not")
	}
	documents := s.documents()
	if !strings.Contains(documents, "<value>a</value>") || strings.Contains(documents, "<value>c</value>") || strings.Contains(documents, "<areaDesc>c<") {
		t.Errorf("the CAP documents do not say a, or say c")
	}
	s.command(`"action":"end","warning":%q,"end":"cancelled","reason":"it was ours"`, w.ID)
	s.upkeep()
	if got := s.raised(notSigned); len(got) != 0 {
		t.Errorf("it has ended, and raised is %v", got)
	}
}

// documents are the CAP documents that were said, one after another.
func (s *stage) documents() string {
	s.t.Helper()
	var all strings.Builder
	for _, a := range s.said {
		b, err := s.n.writeCAP(a)
		if err != nil {
			s.t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
