package cap12

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrUnsigned is wrapped where a document carries no XML signature.
var ErrUnsigned = errors.New("no signature")

// ErrUnverified is wrapped where a signature is there and does not hold, or is made in
// a way that is not accepted.
var ErrUnverified = errors.New("signature not verified")

func unverified(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnverified, fmt.Sprintf(format, args...))
}

const excC14nNamespace = "http://www.w3.org/2001/10/xml-exc-c14n#"

// The algorithms that are accepted (XML Signature 1.1, clause 6; RFC 9231). What is
// not here is refused, above all SHA-1, MD5, DSA, HMAC and every transform that could
// make the signed content differ from the document.
var (
	signatureMethods = map[string]struct {
		hash  crypto.Hash
		ecdsa bool
	}{
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256":   {crypto.SHA256, false},
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384":   {crypto.SHA384, false},
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512":   {crypto.SHA512, false},
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": {crypto.SHA256, true},
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": {crypto.SHA384, true},
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": {crypto.SHA512, true},
	}
	digestMethods = map[string]crypto.Hash{
		"http://www.w3.org/2001/04/xmlenc#sha256":       crypto.SHA256,
		"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
		"http://www.w3.org/2001/04/xmlenc#sha512":       crypto.SHA512,
	}
)

// method is an algorithm with the only parameter any of them may have here.
type method struct {
	algorithm string
	prefixes  string // InclusiveNamespaces PrefixList of exclusive canonicalization
}

// signedInfo is what a signature says it signs, and how.
type signedInfo struct {
	canonical  method
	signature  string
	transforms []method
	digest     string
	value      []byte
}

// signature is a Signature element that has the one shape we accept.
type signature struct {
	info         signedInfo
	value        []byte
	certificates [][]byte // DER, from KeyInfo: a hint, never trusted
}

// readSignature holds a Signature element to the one shape that is accepted: nothing
// optional but KeyInfo, nothing repeated but certificates, no comments to hide in.
func readSignature(n *node) (signature, error) {
	if err := plain(n); err != nil {
		return signature{}, err
	}
	parts, err := sequence(n, "SignedInfo", "SignatureValue", "KeyInfo?")
	if err != nil {
		return signature{}, err
	}
	var s signature
	if s.info, err = readSignedInfo(parts[0]); err != nil {
		return signature{}, err
	}
	if s.value, err = octets(parts[1]); err != nil {
		return signature{}, err
	}
	if len(parts) == 3 {
		s.certificates, err = readKeyInfo(parts[2])
	}
	return s, err
}

func readSignedInfo(n *node) (signedInfo, error) {
	var s signedInfo
	parts, err := sequence(n, "CanonicalizationMethod", "SignatureMethod", "Reference")
	if err != nil {
		return s, err
	}
	if s.canonical, err = readMethod(parts[0]); err != nil {
		return s, err
	}
	signed, err := readMethod(parts[1])
	if err != nil {
		return s, err
	}
	s.signature = signed.algorithm
	return s, s.reference(parts[2])
}

// reference reads the one Reference, which must be to the whole document.
func (s *signedInfo) reference(n *node) error {
	uri, there := "", false
	for _, a := range n.attrs {
		if a.local == "URI" {
			uri, there = a.value, true
		}
	}
	if !there || uri != "" {
		return unverified("the reference is not to the whole document but to %q", clip(uri, 40))
	}
	parts, err := sequence(n, "Transforms", "DigestMethod", "DigestValue")
	if err != nil {
		return err
	}
	if len(parts[0].children) == 0 || len(parts[0].children) > 2 {
		return unverified("%d transforms; one or two are accepted", len(parts[0].children))
	}
	for _, t := range parts[0].children {
		if t.space != dsigNamespace || t.local != "Transform" {
			return unverified("Transforms holds a %s", clip(t.local, 40))
		}
		m, err := readMethod(t)
		if err != nil {
			return err
		}
		s.transforms = append(s.transforms, m)
	}
	digested, err := readMethod(parts[1])
	if err != nil {
		return err
	}
	s.digest = digested.algorithm
	s.value, err = octets(parts[2])
	return err
}

// readMethod reads an Algorithm attribute, and the prefix list of exclusive
// canonicalization; any other parameter is refused.
func readMethod(n *node) (method, error) {
	var m method
	for _, a := range n.attrs {
		if a.local == "Algorithm" {
			m.algorithm = a.value
		}
	}
	if len(n.children) == 0 && blank(n.text) {
		return m, nil
	}
	exclusive := strings.TrimSuffix(m.algorithm, "WithComments") == excC14nNamespace
	if !exclusive || len(n.children) != 1 || !blank(n.text) {
		return m, unverified("%s has parameters", n.local)
	}
	c := n.children[0]
	if c.space != excC14nNamespace || c.local != "InclusiveNamespaces" || len(c.children) > 0 || len(c.attrs) != 1 || c.attrs[0].local != "PrefixList" {
		return m, unverified("%s has parameters", n.local)
	}
	m.prefixes = c.attrs[0].value
	return m, nil
}

// readKeyInfo collects the certificates in KeyInfo; whatever else is there is not used.
func readKeyInfo(n *node) ([][]byte, error) {
	var list [][]byte
	for _, data := range n.children {
		if data.space != dsigNamespace || data.local != "X509Data" {
			continue
		}
		for _, c := range data.children {
			if c.space != dsigNamespace || c.local != "X509Certificate" {
				continue
			}
			der, err := octets(c)
			if err != nil {
				return nil, err
			}
			list = append(list, der)
		}
	}
	return list, nil
}

// sequence gives the children of n, which must be these of the signature namespace, in
// this order; one that ends in ? may be absent.
func sequence(n *node, names ...string) ([]*node, error) {
	if !blank(n.text) {
		return nil, unverified("%s holds text", n.local)
	}
	for i, name := range names {
		name, optional := strings.CutSuffix(name, "?")
		if i >= len(n.children) {
			if optional {
				return n.children, nil
			}
			return nil, unverified("%s lacks %s", n.local, name)
		}
		if c := n.children[i]; c.local != name || c.space != dsigNamespace {
			return nil, unverified("%s holds %s where %s belongs", n.local, clip(c.local, 40), name)
		}
	}
	if extra := len(n.children) - len(names); extra > 0 {
		return nil, unverified("%s holds %s more than it may", n.local, clip(n.children[len(names)].local, 40))
	}
	return n.children, nil
}

// plain refuses comments and processing instructions anywhere in a signature, and
// attributes that mean nothing here.
func plain(n *node) error {
	if n.remarked {
		return unverified("a comment or processing instruction stands in %s", clip(n.local, 40))
	}
	for _, a := range n.attrs {
		switch a.local {
		case "Id", "Algorithm", "URI", "Type", "PrefixList":
			if a.space == "" {
				continue
			}
		}
		return unverified("%s has an attribute %s", clip(n.local, 40), clip(a.local, 40))
	}
	for _, c := range n.children {
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}

// octets reads base64, with white space in it, and nothing but.
func octets(n *node) ([]byte, error) {
	if len(n.children) > 0 {
		return nil, unverified("%s holds elements", n.local)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(pack(n.text))
	if err != nil || len(b) == 0 {
		return nil, unverified("%s is not base64", n.local)
	}
	return b, nil
}
