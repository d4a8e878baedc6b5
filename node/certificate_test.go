package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/node/keyring"
)

// issue writes a certificate of its own, with a name and an end, and its key.
func issue(t *testing.T, files TLS, name string, ends time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: ends,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{files.Key: {Type: "PRIVATE KEY", Bytes: secret}, files.Cert: {Type: "CERTIFICATE", Bytes: cert}} {
		err := os.WriteFile(name+".new", pem.EncodeToMemory(block), 0o600)
		if err == nil {
			err = os.Rename(name+".new", name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestACertificateIsRenewed: a client that connects sees the pair that lies there now; one
// that does not belong together changes nothing and is told.
func TestACertificateIsRenewed(t *testing.T) {
	leavesNothing(t)
	o := newOffice(t)
	dir := t.TempDir()
	o.cfg.Public.TLS = TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	issue(t, o.cfg.Public.TLS, "first", time.Now().AddDate(1, 0, 0))
	n, _ := o.run(t)
	shown := func() string {
		conn, err := tls.Dial("tcp", n.PublicAddress(), &tls.Config{InsecureSkipVerify: true}) // what is shown is what is tested
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := shown(); got != "first" {
		t.Fatalf("shown is %q", got)
	}
	issue(t, o.cfg.Public.TLS, "second", time.Now().Add(24*time.Hour))
	until(t, "the renewed certificate", func() bool { return shown() == "second" })
	until(t, "that it ends soon", func() bool { return raised(n, "tls-ends") != "" })
	issue(t, TLS{Cert: o.cfg.Public.TLS.Cert, Key: filepath.Join(dir, "elsewhere.pem")}, "third", time.Now().AddDate(1, 0, 0))
	until(t, "that the pair is none", func() bool { return strings.Contains(raised(n, "tls-refused"), "cert.pem") })
	if got := shown(); got != "second" {
		t.Errorf("after a pair that is none %q is shown", got)
	}
	if err := os.Rename(filepath.Join(dir, "elsewhere.pem"), o.cfg.Public.TLS.Key); err != nil {
		t.Fatal(err)
	}
	until(t, "the third certificate", func() bool {
		return shown() == "third" && raised(n, "tls-refused") == "" && raised(n, "tls-ends") == ""
	})
}

// TestACAPKeyIsRotated: documents are signed by the key whose time has come, while it runs.
func TestACAPKeyIsRotated(t *testing.T) {
	o := newOffice(t)
	n, _ := o.run(t)
	before := *n.sign.Load()
	made, err := keyring.RotateCAP(o.cfg.Data, "", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the new key", func() bool { return len(*n.sign.Load()) == 2 })
	if k, err := n.sign.Load().Signing(time.Now()); err != nil || k.ID != before[0].ID {
		t.Errorf("%s signs before its time: %v", k.ID, err)
	}
	took, err := keyring.RevokeCAP(o.cfg.Data, before[0].ID, time.Now())
	if err != nil || took.ID == made.ID {
		t.Fatal(took.ID, err)
	}
	until(t, "the one that took its place", func() bool {
		k, err := n.sign.Load().Signing(time.Now())
		return err == nil && k.ID == took.ID
	})
}
