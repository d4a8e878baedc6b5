package cap12

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Sign puts an enveloped XML signature at the end of a CAP document (clause 3.3,
// digital signatures): RSA-SHA256 over the exclusive canonical form, with cert in
// KeyInfo. The document's own bytes stay as they are. key must be an RSA key of at
// least 2048 bits that belongs to cert, and cert valid when the alert says it is sent;
// ECDSA is refused because goxmldsig writes it in a form that xmlsec1 does not read.
// The result has been through Verify. A document that is signed already is refused.
func Sign(doc []byte, key crypto.Signer, cert *x509.Certificate) ([]byte, error) {
	signed, err := sign(doc, key, cert)
	if err != nil {
		return nil, fmt.Errorf("cap12: sign: %w", err)
	}
	if _, err := Verify(signed, cert, time.Time{}); err != nil {
		return nil, fmt.Errorf("cap12: sign: the result: %w", err)
	}
	return signed, nil
}

func sign(doc []byte, key crypto.Signer, cert *x509.Certificate) ([]byte, error) {
	if _, ok := key.Public().(*rsa.PublicKey); !ok {
		return nil, errors.New("the key is not RSA")
	}
	if !matches(key, cert) {
		return nil, errors.New("the key is not the certificate's")
	}
	if err := checkKey(cert); err != nil {
		return nil, err
	}
	r := read(doc)
	if err := r.report.Err(); err != nil {
		return nil, err
	}
	if len(r.signatures) > 0 {
		return nil, errors.New("the document is signed already")
	}
	if r.text != string(doc) {
		return nil, errors.New("the document is not in UTF-8; write it in UTF-8 before it is signed")
	}
	if r.document.outside {
		return nil, errors.New("a processing instruction stands outside the alert")
	}
	signing, err := dsig.NewSigningContext(key, [][]byte{cert.Raw})
	if err != nil {
		return nil, err
	}
	signing.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	element, err := signing.ConstructSignature(treeOf(string(doc)).Root(), true)
	if err != nil {
		return nil, err
	}
	out := etree.NewDocument()
	out.SetRoot(element)
	signature, err := out.WriteToBytes()
	if err != nil {
		return nil, err
	}
	return slices.Insert(slices.Clone(doc), r.document.root.closeAt, signature...), nil
}
