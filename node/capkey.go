package node

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"tocsin/node/keyring"
)

// CAP documents carry an RSA signature, for those who expect one; the board is the
// anchor. The key is made at the first start and its certificate is its own.
const (
	capKeyBits  = 3072
	capKeyYears = 10
)

// openCAPKey reads the key and certificate of the folder, or makes them.
func openCAPKey(dir, sender string, now time.Time) (capSigner, error) {
	keyFile, certFile := filepath.Join(keyring.Folder(dir), "cap.key.pem"), filepath.Join(keyring.Folder(dir), "cap.cert.pem")
	s, err := readCAPKey(keyFile, certFile)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	key, err := rsa.GenerateKey(rand.Reader, capKeyBits)
	if err != nil {
		return capSigner{}, fmt.Errorf("cap key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return capSigner{}, fmt.Errorf("cap key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: sender},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(capKeyYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return capSigner{}, fmt.Errorf("cap certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return capSigner{}, fmt.Errorf("cap key: %w", err)
	}
	// The certificate goes last: with it the pair is whole.
	if err := writePEM(keyFile, "PRIVATE KEY", secret, 0o600); err != nil {
		return capSigner{}, err
	}
	if err := writePEM(certFile, "CERTIFICATE", der, 0o644); err != nil {
		return capSigner{}, err
	}
	return readCAPKey(keyFile, certFile)
}

// writePEM writes a file whole: under another name, synced, then put in place.
func writePEM(name, kind string, der []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pem.Encode(f, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func readCAPKey(keyFile, certFile string) (capSigner, error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return capSigner{}, err
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return capSigner{}, err
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return capSigner{}, fmt.Errorf("%s or %s is not PEM", keyFile, certFile)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return capSigner{}, fmt.Errorf("%s: %w", certFile, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return capSigner{}, fmt.Errorf("%s: %w", keyFile, err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok || !private.PublicKey.Equal(cert.PublicKey) {
		return capSigner{}, fmt.Errorf("%s and %s do not belong together", keyFile, certFile)
	}
	return capSigner{key: private, cert: cert}, nil
}
