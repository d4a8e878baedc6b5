package cap12

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the accepted algorithms
	_ "crypto/sha512"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// Verify reads a document that carries an enveloped XML signature (clause 3.3, digital
// signatures) made with the key of cert, and returns the alert that was signed: it is
// parsed from the very bytes whose digest was verified, not from doc.
//
// The certificate must have been valid at the time at; where at is zero, when the alert
// says it was sent. Who signs chooses that time, so a key that was stolen must be
// taken out of use by other means than its certificate's end.
//
// Accepted is one signature, last in the alert, over the whole document, by RSA of 2048
// bits or more or ECDSA on P-256 or larger, with SHA-256 or better; the transforms are
// enveloped-signature and at most one canonicalization. Everything else is refused
// before any of it is computed. A key in KeyInfo is never used; a certificate there
// must be cert.
//
// Errors wrap ErrInvalid (not CAP), ErrUnsigned or ErrUnverified.
func Verify(doc []byte, cert *x509.Certificate, at time.Time) (Alert, error) {
	a, err := verify(doc, cert)
	if err == nil {
		if at.IsZero() {
			at = a.Sent
		}
		err = checkTime(cert, at)
	}
	if err != nil {
		return Alert{}, fmt.Errorf("cap12: verify: %w", err)
	}
	return a, nil
}

func checkTime(cert *x509.Certificate, at time.Time) error {
	if !at.Before(cert.NotBefore) && !at.After(cert.NotAfter) {
		return nil
	}
	text := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return unverified("the certificate is valid from %s to %s, not at %s", text(cert.NotBefore), text(cert.NotAfter), text(at))
}

func verify(doc []byte, cert *x509.Certificate) (Alert, error) {
	if err := checkKey(cert); err != nil {
		return Alert{}, err
	}
	r := read(doc)
	if err := r.report.Err(); err != nil {
		return Alert{}, err
	}
	switch len(r.signatures) {
	case 0:
		return Alert{}, ErrUnsigned
	case 1:
	default:
		return Alert{}, unverified("the document has %d signatures", len(r.signatures))
	}
	claimed, err := readSignature(r.signatures[0])
	if err != nil {
		return Alert{}, err
	}
	if err := checkCertificates(claimed.certificates, cert); err != nil {
		return Alert{}, err
	}
	// From here on the tree is goxmldsig's, made from what our reader read, which has
	// seen to it that the signature is the last element of the root.
	tree := treeOf(r.text)
	elements := tree.Root().ChildElements()
	element := elements[len(elements)-1]
	info, err := verifySignedInfo(element, claimed, cert)
	if err != nil {
		return Alert{}, err
	}
	tree.Root().RemoveChild(element)
	signed, err := signedBytes(tree, info)
	if err != nil {
		return Alert{}, err
	}
	return parseSigned(signed)
}

// checkKey refuses keys that are weak, and certificates that are not for signing.
func checkKey(cert *x509.Certificate) error {
	if cert == nil {
		return unverified("no certificate to verify with")
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < 2048 || n > 16384 {
			return unverified("the certificate's RSA key has %d bits; 2048 to 16384 are accepted", n)
		}
	case *ecdsa.PublicKey:
		if n := key.Curve.Params().BitSize; n < 256 {
			return unverified("the certificate's curve has %d bits; 256 or more are accepted", n)
		}
	default:
		return unverified("the certificate's key is neither RSA nor ECDSA")
	}
	const signing = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if cert.KeyUsage != 0 && cert.KeyUsage&signing == 0 {
		return unverified("the certificate is not for signing documents")
	}
	return nil
}

// checkCertificates refuses a document that says it was signed with another certificate.
func checkCertificates(found [][]byte, cert *x509.Certificate) error {
	for _, der := range found {
		if bytes.Equal(der, cert.Raw) {
			return nil
		}
	}
	if len(found) > 0 {
		return unverified("the document names another certificate")
	}
	return nil
}

// verifySignedInfo verifies the signature over SignedInfo and returns what SignedInfo
// says, read from the bytes that were verified.
func verifySignedInfo(signatureElement *etree.Element, claimed signature, cert *x509.Certificate) (signedInfo, error) {
	form, known := canonicalizer(claimed.info.canonical.algorithm, claimed.info.canonical.prefixes)
	if !known {
		return signedInfo{}, unverified("the canonicalization %q is not accepted", clip(claimed.info.canonical.algorithm, 80))
	}
	scope, err := etreeutils.NSBuildParentContext(signatureElement)
	if err == nil {
		scope, err = scope.SubContext(signatureElement)
	}
	if err != nil {
		return signedInfo{}, unverified("namespaces: %v", err)
	}
	detached, err := etreeutils.NSDetatch(scope, signatureElement.ChildElements()[0])
	if err != nil {
		return signedInfo{}, unverified("namespaces: %v", err)
	}
	canonical, err := form.Canonicalize(detached)
	if err != nil {
		return signedInfo{}, unverified("canonical form: %v", err)
	}
	if err := verifyValue(claimed, canonical, cert); err != nil {
		return signedInfo{}, err
	}
	d, f := readTree(string(canonical))
	if f != nil {
		return signedInfo{}, unverified("the signed information does not read the same twice: %s", f.what)
	}
	if err := plain(d.root); err != nil {
		return signedInfo{}, err
	}
	info, err := readSignedInfo(d.root)
	if err == nil && info.canonical != claimed.info.canonical {
		err = unverified("the signed information does not read the same twice")
	}
	return info, err
}

// verifyValue checks the signature value over bytes with the certificate's key.
func verifyValue(s signature, signed []byte, cert *x509.Certificate) error {
	m, known := signatureMethods[s.info.signature]
	if !known {
		return unverified("the signature algorithm %q is not accepted", clip(s.info.signature, 80))
	}
	h := m.hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if m.ecdsa {
			return unverified("the signature is ECDSA, the certificate's key RSA")
		}
		if rsa.VerifyPKCS1v15(key, m.hash, sum, s.value) != nil {
			return unverified("the signature is not by the certificate's key, or what it signs was altered")
		}
	case *ecdsa.PublicKey:
		if !m.ecdsa {
			return unverified("the signature is RSA, the certificate's key ECDSA")
		}
		// r and s side by side (XML Signature 1.1, clause 6.4.3), not ASN.1.
		size := (key.Curve.Params().BitSize + 7) / 8
		if len(s.value) != 2*size ||
			!ecdsa.Verify(key, sum, new(big.Int).SetBytes(s.value[:size]), new(big.Int).SetBytes(s.value[size:])) {
			return unverified("the signature is not by the certificate's key, or what it signs was altered")
		}
	}
	return nil
}

// signedBytes is the canonical form of a document without its signature, whose digest
// is the one in info.
func signedBytes(tree *etree.Document, info signedInfo) ([]byte, error) {
	if info.transforms[0] != (method{algorithm: string(dsig.EnvelopedSignatureAltorithmId)}) {
		return nil, unverified("the first transform must be enveloped-signature, it is %q", clip(info.transforms[0].algorithm, 80))
	}
	// Without a canonicalization the form is Canonical XML 1.0 (clause 4.4.3.2).
	last := method{algorithm: string(dsig.CanonicalXML10RecAlgorithmId)}
	if len(info.transforms) == 2 {
		last = info.transforms[1]
	}
	form, known := canonicalizer(last.algorithm, last.prefixes)
	if !known {
		return nil, unverified("the transform %q is not accepted", clip(last.algorithm, 80))
	}
	hash, known := digestMethods[info.digest]
	if !known {
		return nil, unverified("the digest algorithm %q is not accepted", clip(info.digest, 80))
	}
	signed, err := canonicalDocument(tree, form)
	if err != nil {
		return nil, unverified("canonical form: %v", err)
	}
	h := hash.New()
	h.Write(signed)
	if !bytes.Equal(h.Sum(nil), info.value) {
		return nil, unverified("the alert was altered after it was signed")
	}
	return signed, nil
}

// parseSigned reads the alert out of verified bytes.
func parseSigned(signed []byte) (Alert, error) {
	r := read(signed)
	if err := r.report.Err(); err != nil {
		return Alert{}, err
	}
	if len(r.signatures) > 0 {
		return Alert{}, unverified("what was signed holds another signature")
	}
	return r.alert, nil
}

// matches reports whether key is the private half of the certificate's key.
func matches(key crypto.Signer, cert *x509.Certificate) bool {
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(key.Public())
}
