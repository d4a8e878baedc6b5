package keyring

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// CAP documents carry an RSA signature, for those who expect one; the board is the anchor.
// The keys' certificates are their own, and a receiver pins them by hand: so a new one is
// there for a while before it signs, and an old one is good for what it signed to its end.
const (
	capKeyBits = 3072
	capValid   = 10 * 365 * 24 * time.Hour
	// CAPOverlap is how long a new CAP key is there before it signs, unless said otherwise.
	CAPOverlap = 24 * time.Hour

	capFirst      = "cap" // the stem of the first pair's files
	capKeyEnd     = ".key.pem"
	capCertEnd    = ".cert.pem"
	capRevokedEnd = ".cert.revoked.pem"
	maxCAPKeys    = 64
)

// CAPKey signs CAP documents from its certificate's beginning on.
type CAPKey struct {
	ID   string // the first 16 hexadecimal digits of SHA-256 over the certificate
	Key  crypto.Signer
	Cert *x509.Certificate
	File string // of the certificate
}

// CAPKeys are the pairs of a folder, the newest first. They are not changed.
type CAPKeys []CAPKey

// Signing is the key that signs at a time: the newest that has begun and not ended; where
// all have ended, the newest that had begun: an alert with an old signature is better than
// none. ErrNoKey where there is none.
func (all CAPKeys) Signing(now time.Time) (CAPKey, error) {
	for _, ended := range []bool{false, true} {
		for _, k := range all {
			if !now.Before(k.Cert.NotBefore) && (ended || now.Before(k.Cert.NotAfter)) {
				return k, nil
			}
		}
	}
	return CAPKey{}, fmt.Errorf("keyring: cap: %w", ErrNoKey)
}

// OpenCAP reads the pairs of a folder. Where none can sign, it makes one that can; files that
// are there and cannot be read are an error, and are left as they are.
func OpenCAP(dir, sender string, now time.Time) (CAPKeys, error) {
	all, err := ReadCAP(dir)
	if err != nil {
		return nil, err
	}
	if _, err := all.Signing(now); err == nil {
		return all, nil
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := makeCAP(dir, sender, now.Add(-backdate), now); err != nil {
		return nil, err
	}
	return ReadCAP(dir)
}

// ReadCAP is OpenCAP that makes nothing. A certificate whose key is elsewhere is passed over.
func ReadCAP(dir string) (CAPKeys, error) {
	files, err := filepath.Glob(filepath.Join(Folder(dir), capFirst+"*"+capCertEnd))
	if err != nil {
		return nil, fmt.Errorf("keyring: cap: %w", err)
	}
	if len(files) > maxCAPKeys {
		return nil, fmt.Errorf("keyring: cap: over %d certificates in %s: move the old ones away", maxCAPKeys, Folder(dir))
	}
	var all CAPKeys
	for _, file := range files {
		k, err := readCAP(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("keyring: cap: %w", err)
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b CAPKey) int {
		if c := b.Cert.NotBefore.Compare(a.Cert.NotBefore); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, nil
}

// RotateCAP makes a pair that signs after the overlap (zero: CAPOverlap); until then the one
// before does. Receivers have that long to take its certificate.
func RotateCAP(dir, sender string, now time.Time, overlap time.Duration) (CAPKey, error) {
	if overlap <= 0 {
		overlap = CAPOverlap
	}
	unlock, err := lock(dir)
	if err != nil {
		return CAPKey{}, err
	}
	defer unlock()
	before, err := ReadCAP(dir)
	if err != nil {
		return CAPKey{}, err
	}
	from := now.Add(overlap)
	if signs, err := before.Signing(now); err != nil {
		from = now.Add(-backdate)
	} else if sender == "" {
		sender = signs.Cert.Subject.CommonName
	}
	return newCAP(dir, sender, from, now, before)
}

// RevokeCAP destroys the private half of a CAP key and puts its certificate aside, so that it
// signs no more. Where no other can sign now, a new one is made, which signs at once: it is
// returned, else a zero one.
func RevokeCAP(dir, id string, now time.Time) (CAPKey, error) {
	unlock, err := lock(dir)
	if err != nil {
		return CAPKey{}, err
	}
	defer unlock()
	all, err := ReadCAP(dir)
	if err != nil {
		return CAPKey{}, err
	}
	i := slices.IndexFunc(all, func(k CAPKey) bool { return k.ID == id })
	if i < 0 {
		return CAPKey{}, fmt.Errorf("keyring: cap key %s: %w", id, ErrNoKey)
	}
	gone, stem := all[i], strings.TrimSuffix(all[i].File, capCertEnd)
	if err := destroy(stem + capKeyEnd); err != nil {
		return CAPKey{}, fmt.Errorf("keyring: cap: revoke %s: its private half is still here: %w", id, err)
	}
	if err := os.Rename(gone.File, stem+"-"+id+capRevokedEnd); err != nil {
		return CAPKey{}, fmt.Errorf("keyring: cap: revoke %s: %w", id, err)
	}
	left := slices.Delete(slices.Clone(all), i, i+1)
	if k, err := left.Signing(now); err == nil && now.Before(k.Cert.NotAfter) {
		return CAPKey{}, nil
	}
	return newCAP(dir, gone.Cert.Subject.CommonName, now.Add(-backdate), now, left)
}

// newCAP makes a pair and finds it among those that are there then.
func newCAP(dir, sender string, from, now time.Time, before CAPKeys) (CAPKey, error) {
	if err := makeCAP(dir, sender, from, now); err != nil {
		return CAPKey{}, err
	}
	after, err := ReadCAP(dir)
	if err != nil {
		return CAPKey{}, err
	}
	for _, k := range after {
		if !slices.ContainsFunc(before, func(old CAPKey) bool { return old.ID == k.ID }) {
			return k, nil
		}
	}
	return CAPKey{}, fmt.Errorf("keyring: cap: %w", ErrNoKey)
}

// makeCAP writes a pair whose certificate begins at from. The certificate goes last: with it
// the pair is whole.
func makeCAP(dir, sender string, from, now time.Time) error {
	key, err := rsa.GenerateKey(rand.Reader, capKeyBits)
	if err != nil {
		return fmt.Errorf("keyring: cap key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fmt.Errorf("keyring: cap key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: sender}, NotBefore: from, NotAfter: now.Add(capValid),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("keyring: cap certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("keyring: cap key: %w", err)
	}
	stem := filepath.Join(Folder(dir), capFirst)
	if _, err := os.Lstat(stem + capCertEnd); !errors.Is(err, os.ErrNotExist) {
		stem += "-" + hex.EncodeToString(serial.Bytes())
	}
	if err := writeFile(stem+capKeyEnd, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return fmt.Errorf("keyring: cap key: %w", err)
	}
	if err := writeFile(stem+capCertEnd, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return fmt.Errorf("keyring: cap certificate: %w", err)
	}
	return nil
}

// readCAP reads the pair of a certificate's file.
func readCAP(file string) (CAPKey, error) {
	keyFile := strings.TrimSuffix(file, capCertEnd) + capKeyEnd
	certPEM, err := readFile(file)
	if err != nil {
		return CAPKey{}, err
	}
	keyPEM, err := readFile(keyFile)
	if err != nil {
		return CAPKey{}, err
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return CAPKey{}, fmt.Errorf("%s or %s is not PEM", keyFile, file)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return CAPKey{}, fmt.Errorf("%s: %w", file, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return CAPKey{}, fmt.Errorf("%s: %w", keyFile, err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok || !private.PublicKey.Equal(cert.PublicKey) {
		return CAPKey{}, fmt.Errorf("%s and %s do not belong together", keyFile, file)
	}
	sum := sha256.Sum256(cert.Raw)
	return CAPKey{ID: hex.EncodeToString(sum[:8]), Key: private, Cert: cert, File: file}, nil
}

// SameCAP reports whether two readings of a folder found the same certificates.
func SameCAP(a, b CAPKeys) bool {
	return slices.EqualFunc(a, b, func(x, y CAPKey) bool { return bytes.Equal(x.Cert.Raw, y.Cert.Raw) })
}
