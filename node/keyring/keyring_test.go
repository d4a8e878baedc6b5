package keyring

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
	"tocsin/core/class"
	"tocsin/core/geo"
	"tocsin/core/zone"
)

var t0 = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func made(t *testing.T, universe alert.Universe) (*Ring, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := Init(dir, universe, t0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r, dir
}

// beat is the simplest frame there is.
func beat(t *testing.T, r *Ring, at time.Time) []byte {
	t.Helper()
	s, err := r.Signer(nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Sign(board.Payload{
		Universe: r.Universe(), Region: board.Whole, Kind: board.Beat, Seq: 1, At: at,
		Digest: strings.Repeat("0", 64), Picture: board.PictureLive, Next: at.Add(11 * time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f.Line
}

func TestInit(t *testing.T) {
	r, dir := made(t, alert.Live)
	if again, err := Open(dir, alert.Live); err != nil || again.RootText() != r.RootText() {
		t.Fatalf("open: %v", err)
	}
	if _, err := Init(dir, alert.Live, t0, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("init twice: %v", err)
	}
	if _, err := Init(dir, alert.Exercise, t0, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("init as the other universe: %v", err)
	}
	if _, err := Open(dir, alert.Exercise); !errors.Is(err, ErrUniverse) {
		t.Errorf("open as the other universe: %v", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && strings.HasSuffix(path, ".key") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if err == nil && d.IsDir() && path != dir && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLiveNeedsInit(t *testing.T) {
	if _, err := Open(t.TempDir(), alert.Live); !errors.Is(err, ErrNoKeys) {
		t.Errorf("open: %v", err)
	}
	if _, err := OpenOrInit(t.TempDir(), alert.Live, t0); !errors.Is(err, ErrNoKeys) {
		t.Errorf("open or init: %v", err)
	}
	if _, err := OpenOrInit(t.TempDir(), alert.Exercise, t0); err != nil {
		t.Errorf("an exercise: %v", err)
	}
}

// No file of one fresh install has 16 bytes of a secret in common with one of another.
func TestTwoInstallsShareNoSecret(t *testing.T) {
	secrets := func() map[string]bool {
		r, dir := made(t, alert.Live)
		r, token, err := r.AddToken(t0, "army", []string{Declare}, board.Everything(), 0)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]bool{token: true, r.RootText(): true, r.Tokens()[0].Hash: true}
		root, err := r.rootKey("")
		if err != nil {
			t.Fatal(err)
		}
		out[string(root.Seed())] = true
		for _, k := range r.keys {
			out[string(k.Private.Seed())], out[k.Kid] = true, true
		}
		files, err := filepath.Glob(filepath.Join(Folder(dir), "*.key"))
		if err != nil || len(files) != 2 {
			t.Fatalf("key files %v, %v", files, err)
		}
		return out
	}
	first := secrets()
	for s := range secrets() {
		if first[s] {
			t.Errorf("two installs share %q", s)
		}
	}
}

func TestInitGoesOnAfterACut(t *testing.T) {
	for _, gone := range [][]string{{rootPublicName}, {rootPublicName, listName}} {
		r, dir := made(t, alert.Live)
		for _, name := range gone {
			if err := os.Remove(filepath.Join(Folder(dir), name)); err != nil {
				t.Fatal(err)
			}
		}
		again, err := Init(dir, alert.Live, t0.Add(time.Hour), Options{})
		if err != nil {
			t.Fatalf("without %v: %v", gone, err)
		}
		if again.RootText() != r.RootText() {
			t.Errorf("without %v: a root key was thrown away", gone)
		}
		if len(gone) == 1 && !bytes.Equal(again.Line(), r.Line()) {
			t.Error("a list that the root signed was thrown away")
		}
	}
}

// Over a rotation every frame is taken by a client that fetches every 30 s, whose clock is
// up to five minutes off, and the new key takes over.
func TestRotationRefusesNoValidFrame(t *testing.T) {
	for _, off := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		r, _ := made(t, alert.Live)
		old := r.keys[0].Kid
		v := board.NewVerifier(r.Root(), alert.Live)
		var next *Ring
		var kid string
		signers := map[string]int{}
		step := 7 * time.Second
		for at := t0; at.Before(t0.Add(30 * time.Hour)); at = at.Add(step) {
			if next == nil && at.After(t0.Add(time.Hour)) {
				var err error
				if next, kid, err = r.Rotate(at, Options{}); err != nil {
					t.Fatal(err)
				}
				r = next
			}
			if at.Sub(t0) > 80*time.Minute {
				step = 7 * time.Minute
			}
			if at.Sub(t0)%(28*time.Second) == 0 || step > time.Minute { // the fetch of the list
				if got := v.Keys(r.Line()); got != board.Taken {
					t.Fatalf("key list: %s", got)
				}
			}
			line := beat(t, r, at)
			if _, got := v.Verify(line, at.Add(off), nil); got != board.Taken {
				t.Fatalf("clock %v off, %v after the start: %s", off, at.Sub(t0), got)
			}
			s, _ := r.Signer(nil)
			signers[s.Kid(board.Whole, at)]++
		}
		if signers[old] == 0 || signers[kid] == 0 || len(signers) != 2 {
			t.Errorf("signed by %v, want both %s and %s", signers, old, kid)
		}
	}
}

func TestRevoke(t *testing.T) {
	r, dir := made(t, alert.Live)
	thief := beat(t, r, t0.Add(time.Minute))
	kid := r.keys[0].Kid
	next, made, err := r.Revoke(t0.Add(time.Minute), kid, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if made == "" || made == kid || !next.Signs(made) || next.Signs(kid) {
		t.Fatalf("the only key was revoked; %q took its place", made)
	}
	if _, err := os.Stat(keyFile(dir, kid)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the private half is still here: %v", err)
	}
	v := board.NewVerifier(next.Root(), alert.Live)
	if got := v.Keys(next.Line()); got != board.Taken {
		t.Fatal(got)
	}
	at := t0.Add(61 * time.Second)
	if _, got := v.Verify(thief, at, nil); got != board.RevokedKey {
		t.Errorf("a frame of the revoked key: %s", got)
	}
	if _, got := v.Verify(beat(t, next, at), at, nil); got != board.Taken {
		t.Errorf("a frame of the new key: %s", got)
	}
	if _, _, err := next.Revoke(at, "AAAAAAAAAAAAAAAA", Options{}); !errors.Is(err, ErrNoKey) {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestRootTakenOffline(t *testing.T) {
	r, dir := made(t, alert.Live)
	away := filepath.Join(t.TempDir(), "root.key")
	if err := os.Rename(RootFile(dir), away); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, alert.Live); err != nil {
		t.Errorf("open without the root key: %v", err)
	}
	if r.RootHere() {
		t.Error("the root key is said to be here")
	}
	if _, _, err := r.Rotate(t0, Options{}); !errors.Is(err, ErrNoRoot) {
		t.Errorf("rotate without the root key: %v", err)
	}
	if _, _, err := r.Rotate(t0, Options{RootFile: away}); err != nil {
		t.Errorf("rotate with the root key from elsewhere: %v", err)
	}
	other, otherDir := made(t, alert.Live)
	if _, _, err := other.Rotate(t0, Options{RootFile: away}); err == nil {
		t.Error("the root key of another installation was taken")
	}
	_ = otherDir
	exercise, _ := made(t, alert.Exercise)
	if _, _, err := exercise.Rotate(t0, Options{RootFile: away}); !errors.Is(err, ErrUniverse) {
		t.Errorf("the root key of the other universe: %v", err)
	}
}

func TestOpenRefusesWhatWasTamperedWith(t *testing.T) {
	stranger, strangerDir := made(t, alert.Live)
	_ = stranger
	for _, c := range []struct {
		name string
		do   func(t *testing.T, dir string, r *Ring)
	}{
		{"list of another", func(t *testing.T, dir string, _ *Ring) { copyFile(t, strangerDir, dir, listName) }},
		{"list cut", func(t *testing.T, dir string, r *Ring) { put(t, dir, listName, r.Line()[:len(r.Line())/2]) }},
		{"list empty", func(t *testing.T, dir string, _ *Ring) { put(t, dir, listName, nil) }},
		{"root of another", func(t *testing.T, dir string, _ *Ring) { copyFile(t, strangerDir, dir, rootPublicName) }},
		{"root not JSON", func(t *testing.T, dir string, _ *Ring) { put(t, dir, rootPublicName, []byte("x")) }},
		{"root with more", func(t *testing.T, dir string, r *Ring) {
			put(t, dir, rootPublicName, []byte(`{"universe":"live","x":"`+r.RootText()+`","more":1}`))
		}},
		{"board key of another", func(t *testing.T, dir string, r *Ring) {
			from, err := os.ReadFile(keyFile(strangerDir, stranger.keys[0].Kid))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(keyFile(dir, r.keys[0].Kid), from, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"tokens not JSON", func(t *testing.T, dir string, _ *Ring) { put(t, dir, tokensName, []byte("[")) }},
		{"tokens of the other universe", func(t *testing.T, dir string, _ *Ring) {
			put(t, dir, tokensName, []byte(`{"universe":"exercise","tokens":[]}`))
		}},
		{"a file without end", func(t *testing.T, dir string, _ *Ring) { put(t, dir, listName, make([]byte, maxFile+1)) }},
	} {
		r, dir := made(t, alert.Live)
		c.do(t, dir, r)
		got, err := Open(dir, alert.Live)
		if err == nil && c.name != "board key of another" {
			t.Errorf("%s: opened", c.name)
		}
		if c.name == "board key of another" && err == nil {
			if _, err := got.Signer(nil); err == nil {
				t.Errorf("%s: it signs", c.name)
			}
		}
	}
}

func copyFile(t *testing.T, from, to, name string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Folder(from), name))
	if err != nil {
		t.Fatal(err)
	}
	put(t, to, name, b)
}

func put(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(Folder(dir), name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsAreClosedToOthers(t *testing.T) {
	r, dir := made(t, alert.Live)
	file := keyFile(dir, r.keys[0].Kid)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, alert.Live); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestReload(t *testing.T) {
	r, dir := made(t, alert.Live)
	if _, changed, err := r.Reload(); changed || err != nil {
		t.Fatalf("changed %v, %v", changed, err)
	}
	other, err := Open(dir, alert.Live)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Rotate(t0.Add(time.Hour), Options{}); err != nil {
		t.Fatal(err)
	}
	next, changed, err := r.Reload()
	if !changed || err != nil || next.List().Serial != 2 || len(next.keys) != 2 {
		t.Fatalf("changed %v, %v, serial %d", changed, err, next.List().Serial)
	}
	if _, _, err := next.AddToken(t0, "army", []string{Read}, board.Everything(), 0); err != nil {
		t.Fatal(err)
	}
	if third, changed, err := next.Reload(); !changed || err != nil || len(third.Tokens()) != 1 {
		t.Fatalf("changed %v, %v", changed, err)
	}
}

func TestOldKeysAreForgotten(t *testing.T) {
	r, _ := made(t, alert.Live)
	at := t0
	for range 20 {
		at = at.Add(40 * 24 * time.Hour)
		next, _, err := r.Rotate(at, Options{})
		if err != nil {
			t.Fatal(err)
		}
		r = next
	}
	if n := len(r.List().Keys); n > 4 {
		t.Errorf("%d keys on the list after 20 rotations", n)
	}
}

func TestTokens(t *testing.T) {
	r, dir := made(t, alert.Live)
	r, secret, err := r.AddToken(t0, "army", []string{Declare, End}, board.Jurisdiction{Regions: []string{"UA59"}, Classes: []string{"*"}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r, other, err := r.AddToken(t0, "police", []string{Read}, board.Everything(), 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Check(t0.Add(time.Minute), secret)
	if err != nil || got.Name != "army" || !got.May(Declare) || got.May(Observe) || got.Jurisdiction.Regions[0] != "UA59" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "tocsin_", secret[:len(secret)-1], secret + "A", strings.TrimPrefix(secret, tokenPrefix), "x" + secret,
		strings.Replace(secret, secret[20:21], next(secret[20:21]), 1), r.Tokens()[0].Hash, tokenPrefix + r.Tokens()[0].Hash,
		tokenPrefix + strings.Repeat("A", 43), strings.Repeat("A", 1<<20), secret + "\n", tokenPrefix + strings.Repeat("=", 44),
	} {
		if _, err := r.Check(t0, bad); !errors.Is(err, ErrToken) {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
	if _, err := r.Check(t0.Add(time.Hour), secret); !errors.Is(err, ErrTokenOver) {
		t.Errorf("after its time: %v", err)
	}
	if _, _, err := r.AddToken(t0, "army", []string{Read}, board.Everything(), 0); !errors.Is(err, ErrExists) {
		t.Errorf("a name twice: %v", err)
	}
	for _, c := range []struct {
		name   string
		scopes []string
	}{{"", []string{Read}}, {"a b", []string{Read}}, {"x", nil}, {"x", []string{"all"}}, {strings.Repeat("x", 65), []string{Read}}} {
		if _, _, err := r.AddToken(t0, c.name, c.scopes, board.Everything(), 0); err == nil {
			t.Errorf("token %q with %v was made", c.name, c.scopes)
		}
	}
	b, err := os.ReadFile(filepath.Join(Folder(dir), tokensName))
	if err != nil || bytes.Contains(b, []byte(strings.TrimPrefix(secret, tokenPrefix))) {
		t.Errorf("the secret is in the file, %v", err)
	}
	if r, err = r.RemoveToken("army"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(t0, secret); !errors.Is(err, ErrToken) {
		t.Errorf("after its removal: %v", err)
	}
	if _, err := r.Check(t0, other); err != nil {
		t.Errorf("the other token: %v", err)
	}
}

func next(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}

// squares is a zone set of squares of a degree: the zone at x, y.
func squares(t *testing.T, at map[zone.ID][2]float64) *zone.Set {
	t.Helper()
	var zones []zone.Zone
	for id, xy := range at {
		zones = append(zones, zone.Zone{ID: id, Level: 1, Names: map[string]string{"en": string(id)},
			Shape: geo.MultiPolygon{{Outer: square(xy[0], xy[1], 1)}}})
	}
	s, err := zone.NewSet(zones)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func square(x, y, size float64) geo.Ring {
	p := func(x, y float64) geo.Point { return geo.Point{Lat: geo.Degrees(y), Lon: geo.Degrees(x)} }
	return geo.Ring{p(x, y), p(x+size, y), p(x+size, y+size), p(x, y+size), p(x, y)}
}

func TestPolygonAtTheSigner(t *testing.T) {
	set := squares(t, map[zone.ID][2]float64{"in": {1, 1}, "on-the-border": {0, 0}, "half": {2.5, 1}, "out": {8, 8}})
	polygon := []byte(`[[[[0,0],[3,0],[3,3],[0,3],[0,0]]]]`)
	j := board.Jurisdiction{Regions: []string{"*"}, Classes: []string{"drone"}, Polygon: polygon}
	dir := t.TempDir()
	r, err := Init(dir, alert.Live, t0, Options{Jurisdiction: &j})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Signer(set)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[zone.ID]bool{"in": true, "on-the-border": true, "half": false, "out": false, "unknown": false} {
		if got := s.Permits(board.Whole, t0, class.Drone, id); got != want {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
		_, err := s.Sign(board.Payload{
			Universe: alert.Live, Region: board.Whole, Kind: board.Change, Seq: 2, Prev: 1, At: t0, Next: t0,
			Items: []alert.Item{{Stage: 2, Threat: class.Drone, Since: t0, Until: t0, Alert: "a", Zones: []zone.ID{id}, Text: "t"}},
		})
		if (err == nil) != want || err != nil && !errors.Is(err, board.ErrJurisdiction) {
			t.Errorf("%s: sign: %v", id, err)
		}
	}
	if s.Permits(board.Whole, t0, class.Rocket, "in") {
		t.Error("another class is permitted")
	}
	if none, err := r.Signer(nil); err != nil || none.Permits(board.Whole, t0, class.Drone, "in") {
		t.Errorf("without zones: permitted, or %v", err)
	}
	if again, err := Open(dir, alert.Live); err != nil || string(again.List().Keys[0].Jurisdiction.Polygon) != string(polygon) {
		t.Errorf("the polygon on the list: %v", err)
	}
}

func TestPolygonsThatAreRefused(t *testing.T) {
	for _, p := range []string{
		`{}`, `[[[0,0],[1,0],[1,1],[0,0]]]`, `[[[[0,0],[1,0],[1,1]]]]`, `[[[[0,0],[1,1],[1,0],[0,1],[0,0]]]]`, `[[[[0],[1],[2],[0]]]]`,
		`[[[[0,0],[200,0],[200,1],[0,0]]]]`, `[[]]`, `[[[]]]`, `[[[["0","0"]]]]`, `[[[[0,0],[1,0],[0,0]]]]`, `[[[[1e999,0],[1,0],[1,1],[1e999,0]]]]`,
		`[[[[0,0],[1,0],[1,1],[0,0]]]] ` + `x`,
	} {
		if _, err := ParsePolygon([]byte(p)); err == nil {
			t.Errorf("%s was taken", p)
		}
	}
	for _, p := range []string{``, `[]`, ` [] `, `[[[[0,0],[1,0],[1,1],[0,0]]]]`} {
		if _, err := ParsePolygon([]byte(p)); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestAdmit(t *testing.T) {
	r, _ := made(t, alert.Live)
	pub, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	j := board.Jurisdiction{Regions: []string{"UA59"}, Classes: []string{"*"}}
	r, kid, err := r.Admit(t0, pub, Options{Jurisdiction: &j})
	if err != nil {
		t.Fatal(err)
	}
	k, ok := r.List().Find(kid)
	if !ok || r.Signs(kid) {
		t.Fatal("it is not on the list, or signs here")
	}
	s, err := board.NewSigner([]board.SigningKey{{Key: k, Private: private}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Sign(board.Payload{Universe: alert.Live, Region: "UA59", Kind: board.Change, Seq: 2, Prev: 1, At: t0, Next: t0})
	if err != nil {
		t.Fatal(err)
	}
	v := board.NewVerifier(r.Root(), alert.Live)
	v.Keys(r.Line())
	if _, got := v.Verify(f.Line, t0, nil); got != board.Taken {
		t.Error(got)
	}
	if _, _, err := r.Admit(t0, pub, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("twice: %v", err)
	}
	if _, made, err := r.Revoke(t0, kid, Options{}); err != nil || made != "" {
		t.Errorf("revoked: %q, %v", made, err)
	}
}

func FuzzParsePolygon(f *testing.F) {
	for _, p := range []string{``, `[]`, `[[[[0,0],[1,0],[1,1],[0,0]]]]`, `[[[[179,0],[-179,0],[-179,1],[179,0]]]]`, `[[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]]`} {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParsePolygon(b)
		if err != nil || m == nil {
			return
		}
		if s := geo.NewShape(m); !s.Within(s) {
			t.Errorf("%s does not lie in itself", b)
		}
	})
}

// TestKidsAreNoFlags: a kid can stand on the command line as it is.
func TestKidsAreNoFlags(t *testing.T) {
	now := time.Now()
	for range 1000 {
		k, err := newKey(now, now, time.Hour, board.Everything())
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(k.Kid, "-") {
			t.Fatalf("kid %s", k.Kid)
		}
	}
}
