package node

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/core/zone"
	"tocsin/zones"
)

// other is the row of zones with b split in b1 and b2, as a file.
func other(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(row(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	at := strings.Index(text, `{"type":"Feature","properties":{"id":"b"`)
	end := at + strings.Index(text[at:], "\n")
	whole := strings.TrimSuffix(text[at:end], ",")
	west := strings.NewReplacer(`"b"`, `"b1"`, "Zone b", "Zone b1", "34.2", "34.15").Replace(whole)
	east := strings.NewReplacer(`"b"`, `"b2"`, "Zone b", "Zone b2", "34.1,", "34.15,").Replace(whole)
	file := filepath.Join(t.TempDir(), "zones.geojson")
	if err := os.WriteFile(file, []byte(text[:at]+west+",\n"+east+text[end-1:]), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// asked is the answer of one GET of a child, or empty where there is none yet.
func asked(url, secret string) string {
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return ""
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	b := make([]byte, 1<<20)
	n := 0
	for n < len(b) {
		m, err := res.Body.Read(b[n:])
		if n += m; err != nil {
			break
		}
	}
	return string(b[:n])
}

// stated is what the board of a region says of each zone: its stage and end.
func stated(cfg Config, region string) map[zone.ID]string {
	line, _, _ := strings.Cut(asked("http://"+cfg.Public.Listen+"/v1/board?region="+region, ""), "\n")
	parts := strings.Split(line, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var board struct {
		Items []struct {
			Stage string    `json:"stage"`
			End   string    `json:"end"`
			Zones []zone.ID `json:"zones"`
		} `json:"items"`
	}
	if json.Unmarshal(payload, &board) != nil {
		return nil
	}
	all := map[zone.ID]string{}
	for _, it := range board.Items {
		for _, id := range it.Zones {
			all[id] = strings.TrimSpace(it.Stage + " " + it.End)
		}
	}
	return all
}

// holdsEverywhere reports whether the country's board and the region's both say it.
func holdsEverywhere(cfg Config, want map[zone.ID]string) bool {
	for _, region := range []string{"*", "north"} {
		got := stated(cfg, region)
		for id, stage := range want {
			if got[id] != stage {
				return false
			}
		}
	}
	return true
}

// TestAnotherSetOverAKill: zone b is in shelter when its id goes. Whatever changes the set, an
// import while it runs or another file in the configuration, and whenever it is killed: who
// was in b is warned under the ids that are there now, the end of b is told for its hour on
// the country's board and on its region's, the condition is raised, and the public registry
// knows the set before.
func TestAnotherSetOverAKill(t *testing.T) {
	for _, how := range []string{"imported", "configured"} {
		t.Run(how, func(t *testing.T) {
			o := newOffice(t)
			cfg := o.cfg
			cfg.Public.Listen, cfg.Desk.Listen = freePort(t, "tcp"), freePort(t, "tcp")
			life := startChild(t, cfg)
			before := "http://" + cfg.Public.Listen + "/v1/zones"
			await(t, life, "the start", func() bool { return stated(cfg, "*") != nil })
			var first struct{ Version string }
			if err := json.Unmarshal([]byte(asked(before, "")), &first); err != nil {
				t.Fatal(err)
			}
			status, got := o.post(t, cfg, declareZones("z1", `"a","b"`, "shelter", time.Now().Add(time.Hour)))
			if status != 201 {
				t.Fatalf("%d %s", status, got)
			}
			// c lies beside b, under the same parent, and has none of its ground.
			want := map[zone.ID]string{"a": "shelter", "b1": "shelter", "b2": "shelter", "b": "quiet expired", "c": ""}
			changed := other(t)
			if how == "imported" {
				set, err := openZones([]string{changed})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := zones.StoreIn(cfg.Data).Import(set); err != nil {
					t.Fatal(err)
				}
				await(t, life, "the import", func() bool { return holdsEverywhere(cfg, want) })
			} else {
				cfg.Zones = []string{changed}
			}
			for range 2 { // the second time nothing but the journal knows how it was
				life.kill(t)
				life = startChild(t, cfg)
				await(t, life, fmt.Sprintf("after a kill, %v on both boards", want), func() bool { return holdsEverywhere(cfg, want) })
				await(t, life, "the condition", func() bool {
					return strings.Contains(asked("http://"+cfg.Desk.Listen+"/v1/conditions", o.secrets["national"]), `"name":"zone-unknown","subject":"b"`)
				})
				var now struct{ Version, Before, Diff string }
				if err := json.Unmarshal([]byte(asked(before, "")), &now); err != nil || now.Before != first.Version || now.Version == first.Version {
					t.Errorf("the registry tells %+v, and before it was %s: %v", now, first.Version, err)
				}
				if diff := asked("http://"+cfg.Public.Listen+now.Diff, ""); !strings.Contains(diff, `"removed":["b"]`) || !strings.Contains(diff, `"b1"`) {
					t.Errorf("the difference: %s", diff)
				}
			}
			// What b was is not all that its parent is: who ends b must not end a with it.
			status, got = o.post(t, cfg, `{"id":"z2","action":"end","zones":["b"],"end":"all-clear","reason":"seen to fall"}`)
			if status != 422 || !strings.Contains(got, `"field":"zones"`) || !holdsEverywhere(cfg, want) {
				t.Errorf("to end it under its old id: %d %s; %v", status, got, stated(cfg, "*"))
			}
			status, got = o.post(t, cfg, declareZones("z3", `"b"`, "prepare", time.Now().Add(time.Hour)))
			if status != 201 || stated(cfg, "north")["c"] == "" {
				t.Errorf("to warn it warns its parent: %d %s; %v", status, got, stated(cfg, "north"))
			}
			life.kill(t)
		})
	}
}

// post gives a command to a child.
func (o office) post(t *testing.T, cfg Config, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+cfg.Desk.Listen+"/v1/commands", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.secrets["national"])
	req.Header.Set("Content-Type", "application/json")
	return send(t, req)
}

// TestTheEndOfAnIDThatIsGone is told for an hour, and then the condition is over with it.
func TestTheEndOfAnIDThatIsGone(t *testing.T) {
	o := newOffice(t)
	s := onStage(t, o)
	s.command(`"action":"declare","zones":["b"],"stage":"shelter","threat":"rocket","until":%q,"reason":"seen"`, s.now.Add(3*time.Hour).Format(time.RFC3339Nano))
	at := s.now
	if err := s.n.Close(); err != nil {
		t.Fatal(err)
	}
	o.cfg.Zones = []string{other(t)}
	s = onStage(t, o)
	if s.now = at.Add(time.Minute); s.n.before == nil {
		t.Error("the set before is forgotten")
	}
	s.h = o.door(t, s.n, func() time.Time { return s.now }, s)
	s.pass(2 * time.Second)
	s.upkeep()
	if got := s.shown("b") + ", " + s.shown("b1") + ", " + s.shown("b2"); got != "quiet rocket expired, shelter rocket, shelter rocket" {
		t.Errorf("shown are %s", got)
	}
	if got := s.raised("zone-unknown"); len(got) != 1 || got[0].Subject != "b" {
		t.Errorf("raised is %v", got)
	}
	for range 62 {
		s.now = s.now.Add(time.Minute)
		s.pass(time.Second)
	}
	s.upkeep()
	if got := s.shown("b") + ", " + s.shown("b1"); got != "nothing, shelter rocket" {
		t.Errorf("an hour later: %s", got)
	}
	if got := s.raised("zone-unknown"); len(got) != 0 {
		t.Errorf("an hour later %v is raised", got)
	}
}
