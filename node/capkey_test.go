package node

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/node/keyring"
)

// TestCAPKey: made once and read back; what is cut short is made anew, what is damaged or
// does not belong together is refused and never written over.
func TestCAPKey(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	if err := os.MkdirAll(keyring.Folder(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	key, cert := filepath.Join(keyring.Folder(dir), "cap.key.pem"), filepath.Join(keyring.Folder(dir), "cap.cert.pem")
	first, err := openCAPKey(dir, "warnings@example", now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openCAPKey(dir, "warnings@example", now)
	if err != nil || !again.cert.Equal(first.cert) || again.cert.Subject.CommonName != "warnings@example" {
		t.Errorf("read back: %v", err)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v, %v", info.Mode(), err)
	}
	if err := os.Remove(cert); err != nil { // as if it had ended between the two files
		t.Fatal(err)
	}
	other, err := openCAPKey(dir, "warnings@example", now)
	if err != nil || other.cert.Equal(first.cert) {
		t.Errorf("half a pair: %v", err)
	}
	whole, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"empty": {}, "text": []byte("no certificate"), "cut": whole[:len(whole)/2], "a key": mustRead(t, key)} {
		if err := os.WriteFile(cert, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openCAPKey(dir, "warnings@example", now); err == nil {
			t.Errorf("%s as certificate is taken", name)
		}
		if got := mustRead(t, cert); string(got) != string(b) {
			t.Errorf("%s was written over", name)
		}
	}
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
