package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func capFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(Folder(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func signs(t *testing.T, dir string, now time.Time) string {
	t.Helper()
	all, err := ReadCAP(dir)
	if err != nil {
		t.Fatal(err)
	}
	k, err := all.Signing(now)
	if err != nil {
		t.Fatal(err)
	}
	return k.ID
}

// TestCAPKey: made once, read back, closed to others; what cannot be read is not written over.
func TestCAPKey(t *testing.T) {
	dir, now := capFolder(t), time.Now()
	key, cert := filepath.Join(Folder(dir), "cap.key.pem"), filepath.Join(Folder(dir), "cap.cert.pem")
	first, err := OpenCAP(dir, "warnings@example", now)
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	again, err := OpenCAP(dir, "warnings@example", now)
	if err != nil || !SameCAP(first, again) || again[0].Cert.Subject.CommonName != "warnings@example" {
		t.Errorf("read back: %v", err)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v, %v", info.Mode(), err)
	}
	if err := os.Remove(cert); err != nil { // as if it had ended between the two files
		t.Fatal(err)
	}
	other, err := OpenCAP(dir, "warnings@example", now)
	if err != nil || SameCAP(first, other) {
		t.Errorf("half a pair: %v", err)
	}
	whole, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"empty": {}, "text": []byte("no certificate"), "cut": whole[:len(whole)/2], "a key": secret} {
		if err := os.WriteFile(cert, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenCAP(dir, "warnings@example", now); err == nil {
			t.Errorf("%s as certificate is taken", name)
		}
		if got, err := os.ReadFile(cert); err != nil || string(got) != string(b) {
			t.Errorf("%s was written over: %v", name, err)
		}
	}
}

// TestCAPKeyRotation: the new key is there at once and signs after the overlap; a revoked one
// signs no more, and there is always one that does.
func TestCAPKeyRotation(t *testing.T) {
	dir, now := capFolder(t), time.Now()
	all, err := OpenCAP(dir, "warnings@example", now)
	if err != nil {
		t.Fatal(err)
	}
	first := all[0].ID
	second, err := RotateCAP(dir, "", now, time.Hour)
	if err != nil || second.ID == first || second.Cert.Subject.CommonName != "warnings@example" {
		t.Fatalf("%+v, %v", second, err)
	}
	for after, want := range map[time.Duration]string{0: first, 59 * time.Minute: first, 61 * time.Minute: second.ID, 20 * 365 * 24 * time.Hour: second.ID} {
		if got := signs(t, dir, now.Add(after)); got != want {
			t.Errorf("after %s %s signs, want %s", after, got, want)
		}
	}
	if _, err := RevokeCAP(dir, "nothing", now); !errors.Is(err, ErrNoKey) {
		t.Errorf("to revoke what is none: %v", err)
	}
	third, err := RevokeCAP(dir, first, now) // the second does not sign yet
	if err != nil || third.ID == "" || signs(t, dir, now) != third.ID || signs(t, dir, now.Add(2*time.Hour)) != second.ID {
		t.Errorf("revoked before the next signs: %+v, %v", third.ID, err)
	}
	if made, err := RevokeCAP(dir, third.ID, now.Add(2*time.Hour)); err != nil || made.ID != "" {
		t.Errorf("another signs, and %s was made: %v", made.ID, err)
	}
	left, err := filepath.Glob(filepath.Join(Folder(dir), "cap*"))
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, f := range left {
		if strings.HasSuffix(f, capKeyEnd) {
			keys++
		}
	}
	if keys != 1 || len(left) != 4 { // one pair, two certificates of revoked ones
		t.Errorf("left are %v", left)
	}
}
