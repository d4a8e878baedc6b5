package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/core/alert"
	"tocsin/node/keyring"
	"tocsin/zones"
)

// keysRun runs a command and returns what it said.
func keysRun(t *testing.T, want int, args ...string) string {
	t.Helper()
	out := newOutput()
	if code := boardRun(context.Background(), t, "", out, args...); code != want {
		t.Fatalf("%v: exit %d, want %d: %s%s", args, code, want, out, out.complaint.String())
	}
	return out.String()
}

func TestKeysLife(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keysRun(t, 1, "keys", "list", "--data", dir)
	if s := keysRun(t, 0, "init", "--data", dir); !strings.HasPrefix(s, "root ") {
		t.Errorf("init says %q", s)
	}
	keysRun(t, 1, "init", "--data", dir)
	keysRun(t, 1, "init", "--data", dir, "--universe", "exercise")
	keysRun(t, 2, "init", "--data", dir, "--universe", "test")
	r, err := keyring.Open(dir, alert.Live)
	if err != nil {
		t.Fatal(err)
	}
	first := r.List().Keys[0].Kid

	away := filepath.Join(t.TempDir(), "root.key")
	if err := os.Rename(keyring.RootFile(dir), away); err != nil {
		t.Fatal(err)
	}
	keysRun(t, 1, "keys", "rotate", "--data", dir)
	second := strings.TrimSpace(keysRun(t, 0, "keys", "rotate", "--data", dir, "--root-key", away))
	var listed listedKeys
	if err := json.Unmarshal([]byte(keysRun(t, 0, "keys", "list", "--data", dir, "--json")), &listed); err != nil {
		t.Fatal(err)
	}
	if listed.Serial != 2 || len(listed.Keys) != 2 || listed.RootHere || listed.Keys[0].State != "signs" || listed.Keys[1].Kid != second {
		t.Errorf("%+v", listed)
	}
	keysRun(t, 1, "keys", "revoke", "nothing", "--data", dir, "--root-key", away)
	keysRun(t, 0, "keys", "revoke", first, "--data", dir, "--root-key", away)
	if s := keysRun(t, 0, "keys", "list", "--data", dir); !strings.Contains(s, first+"  revoked") || !strings.Contains(s, second+"  signs") {
		t.Errorf("after the revocation:\n%s", s)
	}
	if third := strings.TrimSpace(keysRun(t, 0, "keys", "revoke", second, "--data", dir, "--root-key", away)); third == "" {
		t.Error("the last key was revoked and none took its place")
	}
	keysRun(t, 0, "keys", "admit", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "--region", "UA59", "--data", dir, "--root-key", away)
	keysRun(t, 2, "keys", "admit", "short", "--data", dir, "--root-key", away)
}

func TestTokenCommands(t *testing.T) {
	dir := t.TempDir()
	keysRun(t, 0, "init", "--data", dir, "--universe", "exercise")
	polygon := filepath.Join(dir, "sumy.geojson")
	for _, c := range []struct {
		text string
		code int
	}{
		{`{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[3,0],[3,3],[0,3],[0,0]]]}}`, 0},
		{`{"type":"MultiPolygon","coordinates":[[[[0,0],[3,0],[3,3],[0,3],[0,0]]]]}`, 0},
		{`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[3,0],[3,3],[0,0]]]}}]}`, 0},
		{`{"type":"FeatureCollection","features":[]}`, 1},
		{`{"type":"Point","coordinates":[0,0]}`, 1},
		{`{"type":"Polygon","coordinates":[[[0,0],[3,3],[3,0],[0,3],[0,0]]]}`, 1},
		{`{"type":"Feature"}`, 1},
		{`not`, 1},
	} {
		if err := os.WriteFile(polygon, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		secret := strings.TrimSpace(keysRun(t, c.code, "keys", "token", "add", "sumy", "--scope", "declare", "--region", "UA59", "--class", "drone", "--polygon", polygon, "--data", dir))
		if c.code != 0 {
			continue
		}
		r, err := keyring.Open(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		tok, err := r.Check(time.Now(), secret)
		if err != nil || tok.Name != "sumy" || tok.Jurisdiction.Everywhere() || tok.Jurisdiction.Classes[0] != "drone" {
			t.Errorf("%+v, %v", tok, err)
		}
		keysRun(t, 1, "keys", "token", "add", "sumy", "--scope", "read", "--data", dir)
		if s := keysRun(t, 0, "keys", "token", "list", "--data", dir); !strings.Contains(s, "sumy") || strings.Contains(s, secret) {
			t.Errorf("listed\n%s", s)
		}
		keysRun(t, 0, "keys", "token", "remove", "sumy", "--data", dir)
		keysRun(t, 1, "keys", "token", "remove", "sumy", "--data", dir)
	}
	keysRun(t, 2, "keys", "token", "add", "x", "--scope", "all", "--data", dir)
	keysRun(t, 2, "keys", "token", "add", "x", "--scope", "read", "--class", "balloon", "--data", dir)
}

// The command writes what is published.
func TestVectorsCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er")
	keysRun(t, 0, "vectors", "--seed", "1", "--out", dir)
	got, err := os.ReadFile(filepath.Join(dir, "v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("..", "..", "vectors", "v1.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("not what vectors/ holds: run `tocsin vectors --seed 1 --out vectors`")
	}
}

// TestRegionsOfATokenAreKnown: a region that no set of the folder has is refused, and those
// that there are, are named; where there is no set, it is said that nothing was checked.
func TestRegionsOfATokenAreKnown(t *testing.T) {
	dir := t.TempDir()
	keysRun(t, 0, "init", "--data", dir, "--universe", "exercise")
	out := newOutput()
	if code := boardRun(context.Background(), t, "", out, "keys", "token", "add", "early", "--scope", "read", "--region", "NOPE", "--data", dir); code != 0 || !strings.Contains(out.complaint.String(), "no zone set yet") {
		t.Errorf("before any set: %d %s", code, out.complaint.String())
	}
	set, err := zones.Open("ua")
	if err != nil {
		t.Fatal(err)
	}
	if err := zones.StoreIn(dir).Keep(set); err != nil {
		t.Fatal(err)
	}
	out = newOutput()
	if code := boardRun(context.Background(), t, "", out, "keys", "token", "add", "late", "--scope", "read", "--region", "NOPE", "--data", dir); code != 2 ||
		!strings.Contains(out.complaint.String(), `"NOPE"`) || !strings.Contains(out.complaint.String(), "UA01000000000013043") {
		t.Errorf("a region that is none: %d %s", code, out.complaint.String())
	}
	keysRun(t, 2, "keys", "rotate", "--region", "NOPE", "--data", dir)
	keysRun(t, 0, "keys", "token", "add", "crimea", "--scope", "read", "--region", "UA01000000000013043", "--data", dir)
	if s := keysRun(t, 0, "keys", "token", "list", "--data", dir); strings.Contains(s, "false") || !strings.Contains(s, "everywhere") {
		t.Errorf("the list is not in words:\n%s", s)
	}
}

// TestCAPKeyCommands: list, rotate, revoke.
func TestCAPKeyCommands(t *testing.T) {
	dir := t.TempDir()
	keysRun(t, 0, "init", "--data", dir, "--universe", "exercise")
	keysRun(t, 2, "keys", "cap", "rotate", "--data", dir)
	first := strings.TrimSpace(keysRun(t, 0, "keys", "cap", "rotate", "--sender", "warnings@example", "--data", dir))
	second := strings.TrimSpace(keysRun(t, 0, "keys", "cap", "rotate", "--overlap", "48h", "--data", dir))
	if s := keysRun(t, 0, "keys", "cap", "list", "--data", dir); !strings.Contains(s, first+"  signs") || !strings.Contains(s, second+"  to come") {
		t.Errorf("listed:\n%s", s)
	}
	keysRun(t, 1, "keys", "cap", "revoke", "nothing", "--data", dir)
	if third := strings.TrimSpace(keysRun(t, 0, "keys", "cap", "revoke", first, "--data", dir)); third == "" || third == second {
		t.Errorf("%q took its place", third)
	}
}
