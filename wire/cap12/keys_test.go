package cap12

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// identity is a key with its certificate.
type identity struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// The identities of the tests are made when they are first needed. The certificate is
// valid for the month of the golden alerts and no longer.
var (
	authority = sync.OnceValue(func() identity { return certify(rsaKey(2048), 1, certified()) })
	stranger  = sync.OnceValue(func() identity { return certify(rsaKey(2048), 2, certified()) })
	weakling  = sync.OnceValue(func() identity { return certify(rsaKey(1024), 3, certified()) })
	curved    = sync.OnceValue(func() identity { return certify(ecdsaKey(elliptic.P256()), 4, certified()) })
)

func certified() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }

func rsaKey(bits int) crypto.Signer {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

func ecdsaKey(c elliptic.Curve) crypto.Signer {
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func certify(key crypto.Signer, serial int64, from time.Time) identity {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: "warnings.example.gov"},
		NotBefore:    from,
		NotAfter:     from.AddDate(0, 1, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return identity{key, cert}
}

// pemFiles writes key and certificate where xmlsec1 can read them.
func (i identity) pemFiles(t testing.TB) (key, cert string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, cert = filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}))
	return key, cert
}

func write(t testing.TB, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
