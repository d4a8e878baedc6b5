package cap12

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dsig "github.com/russellhaering/goxmldsig"
)

// signedAlert is a golden alert as signed by the authority.
func signedAlert(t testing.TB) (Alert, string) {
	t.Helper()
	a := golden()["alert"]
	doc, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Sign(doc, authority().key, authority().cert)
	if err != nil {
		t.Fatal(err)
	}
	return a, string(signed)
}

// parts takes a signed document apart: the alert before the signature, the signature,
// and what follows it.
func parts(signed string) (front, signature, back string) {
	i := strings.Index(signed, "<ds:Signature ")
	j := strings.Index(signed, "</ds:Signature>") + len("</ds:Signature>")
	return signed[:i], signed[i:j], signed[j:]
}

// Every copy with a byte changed is refused, or says the same as the original.
func TestVerifyRefusesEveryChangedByte(t *testing.T) {
	want, signed := signedAlert(t)
	cert := authority().cert
	accepted := 0
	for i := range len(signed) {
		// A neighbour in the alphabet, and by turns the other case or what separates tokens.
		for _, c := range []byte{signed[i] ^ 1, [...]byte{signed[i] ^ 0x20, ' ', '<'}[i%3]} {
			if c == signed[i] {
				continue
			}
			b := []byte(signed)
			b[i] = c
			got, err := Verify(b, cert, time.Time{})
			if err == nil {
				accepted++
				if diff := unlike(want, got); diff != "" {
					t.Fatalf("byte %d, %q for %q: accepted and different: %s", i, c, signed[i], diff)
				}
			}
		}
	}
	// White space inside tags and letter case in "UTF-8" is all that does not matter.
	t.Logf("of %d changed copies %d say the same and were accepted", 2*len(signed), accepted)
	if accepted > 60 {
		t.Errorf("%d changed copies were accepted", accepted)
	}
	for _, cut := range []int{0, 1, 10, 100, 1000, 3000, len(signed) - 3} {
		if _, err := Verify([]byte(signed[:cut]), cert, time.Time{}); err == nil {
			t.Errorf("the first %d bytes alone are accepted", cut)
		}
		if _, err := Verify([]byte(signed[:cut]+signed[cut+1:]), cert, time.Time{}); err == nil && signed[cut] != ' ' {
			t.Errorf("accepted without byte %d", cut)
		}
	}
}

// The same alert written differently verifies: the signature is over what it says.
func TestVerifyTakesTheSameContentInOtherBytes(t *testing.T) {
	want, signed := signedAlert(t)
	for name, doc := range map[string]string{
		"line ends of DOS":   strings.ReplaceAll(signed, "\n", "\r\n"),
		"byte order mark":    "\uFEFF" + signed,
		"comments":           strings.Replace(signed, "<status>Actual", "<!-- a --><status>Act<!-- b -->ual", 1),
		"CDATA":              strings.Replace(signed, "<event>Attack drone<", "<event><![CDATA[Attack]]> drone<", 1),
		"references":         strings.Replace(signed, "Attack drone<", "&#65;ttack&#x20;drone<", 1),
		"space in tags":      strings.Replace(signed, "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">", "<alert\n\txmlns = 'urn:oasis:names:tc:emergency:cap:1.2' >", 1),
		"no XML declaration": signed[strings.Index(signed, "<alert"):],
		"an unused prefix":   strings.Replace(signed, "<alert ", "<alert xmlns:q='urn:q' ", 1),
		"wrapped base64":     strings.Replace(signed, "<ds:SignatureValue>", "<ds:SignatureValue>\n  ", 1),
	} {
		if doc == signed {
			t.Fatalf("%s: not another document", name)
		}
		got, err := Verify([]byte(doc), authority().cert, time.Time{})
		if diff := unlike(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

// Known ways to make a verifier and a reader look at different things.
func TestVerifyRefusesWrapping(t *testing.T) {
	_, signed := signedAlert(t)
	front, signature, back := parts(signed)
	declaration, alert, _ := strings.Cut(front, "\n")
	evil := strings.Replace(strings.Replace(front, "tocsin-7-1", "tocsin-7-9", 1), "take shelter now", "nothing to fear", 1)
	evilAlert := strings.TrimPrefix(evil, declaration+"\n")
	original := alert + back // the signed alert without its signature
	object := func(inside string) string {
		return strings.Replace(signature, "</ds:Signature>", "<ds:Object>"+inside+"</ds:Object></ds:Signature>", 1)
	}
	_, strangers, _ := parts(string(mustSign(t, evil+back, stranger())))
	for name, doc := range map[string]string{
		"signature of another alert":                evil + signature + back,
		"signature before the contents":             strings.Replace(front, "<identifier>", signature+"<identifier>", 1) + back,
		"signature inside info":                     strings.Replace(front, "<language>", signature+"<language>", 1) + back,
		"signature inside an element of ours":       front + "<note>" + signature + "</note>" + back,
		"signature after the alert":                 front + back + signature,
		"signature twice":                           front + signature + signature + back,
		"a stranger's signature first":              evil + strangers + signature + back,
		"a stranger's signature last":               front + signature + strangers + back,
		"a stranger's signature alone":              evil + strangers + back,
		"original in an Object":                     evil + object(original) + back,
		"original in an Object, signature in it":    evil + object(alert+signature+back) + back,
		"original in an own element":                evil + strings.Replace("<wrap>"+original+"</wrap>", "<wrap>", `<wrap xmlns="urn:w">`, 1) + signature + back,
		"original as a second alert":                evil + signature + original + back,
		"original in a note":                        strings.Replace(evil, "<incidents>", "<note>"+original+"</note><incidents>", 1) + signature + back,
		"original after the root":                   evil + signature + back + original,
		"wrapped in an envelope":                    "<envelope>" + alert + signature + back + "</envelope>",
		"wrapped in an envelope of EDXL":            `<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><contentObject>` + alert + signature + back + `</contentObject></EDXLDistribution>`,
		"wrapped in another alert":                  evilAlert + alert + signature + back + back,
		"reference to an Id of ours":                strings.Replace(evil, "<alert ", `<alert Id="x" `, 1) + strings.Replace(object(strings.Replace(original, "<alert ", `<alert Id="x" `, 1)), `URI=""`, `URI="#x"`, 1) + back,
		"reference to the root by XPointer":         front + strings.Replace(signature, `URI=""`, `URI="#xpointer(/)"`, 1) + back,
		"reference to nothing":                      front + strings.Replace(signature, ` URI=""`, ``, 1) + back,
		"reference elsewhere":                       front + strings.Replace(signature, `URI=""`, `URI="http://example.gov/alert.xml"`, 1) + back,
		"second signed information":                 front + strings.Replace(signature, "<ds:SignatureValue>", "<ds:SignedInfo/><ds:SignatureValue>", 1) + back,
		"second signature value":                    front + strings.Replace(signature, "<ds:KeyInfo>", "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:KeyInfo>", 1) + back,
		"empty signature value":                     front + cutBetween(signature, "<ds:SignatureValue>", "</ds:SignatureValue>") + back,
		"no signature value":                        front + strings.Replace(cutBetween(signature, "<ds:SignatureValue>", "</ds:SignatureValue>"), "<ds:SignatureValue></ds:SignatureValue>", "", 1) + back,
		"signed information in a foreign namespace": front + strings.Replace(signature, "<ds:SignedInfo>", `<ds:SignedInfo xmlns:ds="urn:x">`, 1) + back,
		"comment in the digest":                     front + strings.Replace(signature, "<ds:DigestValue>", "<ds:DigestValue><!-- -->", 1) + back,
		"comment in the signature value":            front + strings.Replace(signature, "<ds:SignatureValue>", "<ds:SignatureValue><!-- -->", 1) + back,
		"comment in the identifier, other text":     strings.Replace(front, "tocsin-7-1", "tocsin-7-1<!-- -->9", 1) + signature + back,
		"instruction in the signature":              front + strings.Replace(signature, "<ds:KeyInfo>", "<?x?><ds:KeyInfo>", 1) + back,
		"instruction before the alert":              declaration + "<?xml-stylesheet href='evil.xsl'?>" + alert + signature + back,
		"a stylesheet's entities":                   declaration + "<!DOCTYPE alert [<!ENTITY x 'y'>]>" + alert + signature + back,
		"default attribute from a DOCTYPE":          declaration + "<!DOCTYPE alert [<!ATTLIST alert Id ID 'x'>]>" + alert + signature + back,
		"another namespace for the signature's own": strings.Replace(front, "<alert ", `<alert xmlns:ds="urn:x" `, 1) + strings.Replace(signature, ` xmlns:ds="`+dsigNamespace+`"`, "", 1) + back,
		"another namespace for the alert's inside":  strings.Replace(front, "<info>", `<info xmlns="urn:oasis:names:tc:emergency:cap:1.1">`, 1) + signature + back,
		"a key of the attacker's beside":            evil + strings.Replace(strangers, "<ds:KeyInfo>", "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>"+base64.StdEncoding.EncodeToString(authority().cert.Raw)+"</ds:X509Certificate></ds:X509Data>", 1) + back,
		"a key by its numbers":                      evil + strings.Replace(strangers, "<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>", 1) + back,
		"a key from elsewhere":                      evil + strings.Replace(strangers, "<ds:KeyInfo>", `<ds:KeyInfo><ds:RetrievalMethod URI="http://example.gov/key.pem"/>`, 1) + back,
		"an entity of one's own in a value":         strings.Replace(front, "take shelter now", "take &shelter; now", 1) + signature + back,
		"a comment that cuts the identifier":        strings.Replace(front, "tocsin-7-1", "tocsin-7-9<!--1", 1) + signature + back,
		"CDATA around the original":                 evil + "<![CDATA[" + original + "]]>" + signature + back,
		"another certificate in KeyInfo":            front + strings.Replace(signature, base64.StdEncoding.EncodeToString(authority().cert.Raw), base64.StdEncoding.EncodeToString(stranger().cert.Raw), 1) + back,
		"another status by a second element":        strings.Replace(front, "<msgType>", "<status>Test</status><msgType>", 1) + signature + back,
		"an info more":                              front + front[strings.Index(front, "<info>"):] + signature + back,
		"an info less":                              strings.Replace(front, front[strings.Index(front, "<info>"):], "", 1) + signature + back,
		"polygon moved":                             strings.Replace(front, "46.515,30.703", "46.516,30.703", 2) + signature + back,
	} {
		if doc == signed {
			t.Errorf("%s: changes nothing", name)
		}
		got, err := Verify([]byte(doc), authority().cert, time.Time{})
		if err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
			continue
		}
		if !errors.Is(err, ErrUnverified) && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnsigned) {
			t.Errorf("%s: refused without a reason: %v", name, err)
		}
	}
}

func mustSign(t testing.TB, doc string, by identity) []byte {
	t.Helper()
	signed, err := Sign([]byte(doc), by.key, by.cert)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// cutBetween empties what stands between two marks.
func cutBetween(s, from, to string) string {
	i := strings.Index(s, from) + len(from)
	return s[:i] + s[strings.Index(s, to):]
}

// forged is a Signature over arbitrary signed information with the authority's own
// key: what is refused here is refused for its form, not because a value is wrong.
type forged struct {
	canonical, method string
	reference         string // with %DIGEST% where the digest goes
	hash              crypto.Hash
	sign              func(signed []byte) []byte
}

func honest() forged {
	return forged{
		canonical: `<CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></CanonicalizationMethod>`,
		method:    `<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></SignatureMethod>`,
		reference: `<Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform><Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></Transform></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod><DigestValue>%DIGEST%</DigestValue></Reference>`,
		hash:      crypto.SHA256,
		sign:      rsaSign(crypto.SHA256),
	}
}

func rsaSign(h crypto.Hash) func([]byte) []byte {
	return func(signed []byte) []byte {
		sum := h.New()
		sum.Write(signed)
		value, err := rsa.SignPKCS1v15(rand.Reader, authority().key.(*rsa.PrivateKey), h, sum.Sum(nil))
		if err != nil {
			panic(err)
		}
		return value
	}
}

// put signs doc, which must be in canonical form but for its XML declaration.
func (f forged) put(doc string) []byte {
	_, content, _ := strings.Cut(strings.TrimSuffix(doc, "\n"), "\n")
	h := f.hash.New()
	h.Write([]byte(content))
	digest := base64.StdEncoding.EncodeToString(h.Sum(nil))
	info := f.canonical + f.method + strings.ReplaceAll(f.reference, "%DIGEST%", digest)
	value := f.sign([]byte(`<SignedInfo xmlns="` + dsigNamespace + `">` + info + `</SignedInfo>`))
	signature := `<Signature xmlns="` + dsigNamespace + `"><SignedInfo>` + info + `</SignedInfo><SignatureValue>` +
		base64.StdEncoding.EncodeToString(value) + `</SignatureValue></Signature>`
	return []byte(strings.Replace(doc, "</alert>", signature+"</alert>", 1))
}

func TestVerifyRefusesForms(t *testing.T) {
	b, err := golden()["alert"].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	if _, err := Verify(honest().put(doc), authority().cert, time.Time{}); err != nil {
		t.Fatalf("the honest form: %v", err)
	}
	const (
		old      = "http://www.w3.org/2000/09/xmldsig#"
		more     = "http://www.w3.org/2001/04/xmldsig-more#"
		exc      = `<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></Transform>`
		envelope = `<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform>`
	)
	method := func(algorithm string, h crypto.Hash) func(*forged) {
		return func(f *forged) {
			f.method, f.sign = `<SignatureMethod Algorithm="`+algorithm+`"></SignatureMethod>`, rsaSign(h)
		}
	}
	transforms := func(list string) func(*forged) {
		return func(f *forged) { f.reference = strings.Replace(f.reference, envelope+exc, list, 1) }
	}
	reference := func(from, to string) func(*forged) {
		return func(f *forged) { f.reference = strings.Replace(f.reference, from, to, 1) }
	}
	xpath := `<Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><XPath>not(ancestor-or-self::*)</XPath></Transform>`
	xslt := `<Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><stylesheet xmlns="http://www.w3.org/1999/XSL/Transform"></stylesheet></Transform>`
	filter := `<Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"></Transform>`
	for name, change := range map[string]func(*forged){
		"RSA-SHA1":            method(old+"rsa-sha1", crypto.SHA1),
		"RSA-MD5":             method(more+"rsa-md5", crypto.MD5),
		"DSA":                 method(old+"dsa-sha1", crypto.SHA1),
		"ECDSA by an RSA key": method(more+"ecdsa-sha256", crypto.SHA256),
		"no method":           method("", crypto.SHA256),
		"HMAC with the certificate as its key": func(f *forged) {
			f.method = `<SignatureMethod Algorithm="` + more + `hmac-sha256"></SignatureMethod>`
			f.sign = func(signed []byte) []byte {
				mac := hmac.New(sha256.New, authority().cert.RawSubjectPublicKeyInfo)
				mac.Write(signed)
				return mac.Sum(nil)
			}
		},
		"HMAC cut to nothing": func(f *forged) {
			f.method = `<SignatureMethod Algorithm="` + old + `hmac-sha1"><HMACOutputLength>0</HMACOutputLength></SignatureMethod>`
			f.sign = func([]byte) []byte { return []byte{0} }
		},
		"digest by SHA-1": func(f *forged) {
			f.hash = crypto.SHA1
			reference("http://www.w3.org/2001/04/xmlenc#sha256", old+"sha1")(f)
		},
		"digest by MD5": func(f *forged) {
			f.hash = crypto.MD5
			reference("http://www.w3.org/2001/04/xmlenc#sha256", more+"md5")(f)
		},
		"digest of something else":  reference("%DIGEST%", base64.StdEncoding.EncodeToString(make([]byte, 32))),
		"digest empty":              reference("%DIGEST%", ""),
		"no transforms":             transforms(""),
		"no Transforms":             reference("<Transforms>"+envelope+exc+"</Transforms>", ""),
		"not enveloped":             transforms(exc),
		"enveloped last":            transforms(exc + envelope),
		"three transforms":          transforms(envelope + exc + exc),
		"enveloped twice":           transforms(envelope + envelope),
		"XPath":                     transforms(envelope + xpath),
		"XPath first":               transforms(xpath + exc),
		"XSLT":                      transforms(envelope + xslt),
		"XPath filter":              transforms(envelope + filter),
		"base64 transform":          transforms(envelope + `<Transform Algorithm="` + old + `base64"></Transform>`),
		"unknown transform":         transforms(envelope + `<Transform Algorithm="urn:x"></Transform>`),
		"enveloped with parameters": transforms(strings.Replace(envelope, "></", "><XPath>x</XPath></", 1) + exc),
		"another canonicalization": func(f *forged) {
			f.canonical = strings.Replace(f.canonical, "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2000/09/xmldsig#minimal", 1)
		},
		"a fragment":              reference(`URI=""`, `URI="#a"`),
		"no URI":                  reference(` URI=""`, ``),
		"a manifest's two":        func(f *forged) { f.reference += f.reference },
		"reference of a fragment": func(f *forged) { f.reference += strings.Replace(f.reference, `URI=""`, `URI="#a"`, 1) },
		"no reference":            func(f *forged) { f.reference = "" },
		"an attribute":            reference(`URI=""`, `URI="" x="y"`),
		"a space as URI":          reference(`URI=""`, `URI=" "`),
		"a bare fragment":         reference(`URI=""`, `URI="#"`),
		"XPointer to an id":       reference(`URI=""`, `URI="#xpointer(id('a'))"`),
		"a file":                  reference(`URI=""`, `URI="file:///etc/hostname"`),
		"a prefixed URI":          reference(`URI=""`, `xmlns:x="urn:x" x:URI=""`),
		"a comment in the digest": reference("%DIGEST%", "<!-- -->%DIGEST%"),
		"a comment in the middle": func(f *forged) {
			f.reference = strings.Replace(f.reference, "</Transforms>", "</Transforms><!-- x -->", 1)
		},
		"an instruction":                   func(f *forged) { f.reference = strings.Replace(f.reference, "</Transforms>", "</Transforms><?x?>", 1) },
		"a digest in an element":           reference("%DIGEST%", "<b>%DIGEST%</b>"),
		"a digest and more":                reference("%DIGEST%", "%DIGEST%AAAA"),
		"a digest cut":                     func(f *forged) { f.reference = strings.Replace(f.reference, "%DIGEST%", "AAAA", 1) },
		"a transform of another namespace": reference("<Transforms>", `<Transforms xmlns:x="urn:x"><x:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>`),
		"RSA-PSS":                          method("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", crypto.SHA256),
		"HMAC with the public key in PEM as its key": func(f *forged) {
			f.method = `<SignatureMethod Algorithm="` + more + `hmac-sha256"></SignatureMethod>`
			f.sign = func(signed []byte) []byte {
				mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority().cert.Raw}))
				mac.Write(signed)
				return mac.Sum(nil)
			}
		},
		"no signature at all": func(f *forged) { f.sign = func([]byte) []byte { return nil } },
		"a number of zero":    func(f *forged) { f.sign = func([]byte) []byte { return make([]byte, 256) } },
		"a number of one":     func(f *forged) { f.sign = func([]byte) []byte { return append(make([]byte, 255), 1) } },
		"two digests":         reference("</Reference>", "<DigestValue>%DIGEST%</DigestValue></Reference>"),
	} {
		f := honest()
		change(&f)
		if bytes.Equal(f.put(doc), honest().put(doc)) {
			t.Errorf("%s: changes nothing", name)
		}
		if _, err := Verify(f.put(doc), authority().cert, time.Time{}); !errors.Is(err, ErrUnverified) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys that are too weak, and old algorithms as another program applies them.
func TestVerifyRefusesWeakness(t *testing.T) {
	program := judge(t, "xmlsec1")
	b, err := golden()["alert"].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	const exc, more = "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/04/xmldsig-more#"
	const sha256URI = "http://www.w3.org/2001/04/xmlenc#sha256"
	for name, c := range map[string]struct {
		method, digest string
		by             identity
		tool           bool // xmlsec1 verifies it: it is the algorithm we refuse, not the document
	}{
		"1024 bits":       {more + "rsa-sha256", sha256URI, weakling(), true},
		"RSA-SHA1":        {dsigNamespace + "rsa-sha1", sha256URI, authority(), true},
		"digest by SHA-1": {more + "rsa-sha256", dsigNamespace + "sha1", authority(), true},
	} {
		signed := signElsewhere(t, program, string(b), c.by, signatureTemplate(exc, exc, c.method, c.digest))
		file := filepath.Join(t.TempDir(), "signed.xml")
		write(t, file, signed)
		_, cert := c.by.pemFiles(t)
		out, err := exec.Command(program, "--verify", "--pubkey-cert-pem", cert, file).CombinedOutput()
		if (err == nil) != c.tool {
			t.Errorf("%s: xmlsec1: %v\n%s", name, err, out)
		}
		if _, err := Verify(signed, c.by.cert, time.Time{}); !errors.Is(err, ErrUnverified) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What Verify returns comes from the bytes that were digested and from nowhere else.
func TestVerifiedBytesAreParsedBytes(t *testing.T) {
	want, signed := signedAlert(t)
	r := read([]byte(signed))
	s, err := readSignature(r.signatures[0])
	if err != nil {
		t.Fatal(err)
	}
	tree := treeOf(signed)
	elements := tree.Root().ChildElements()
	tree.Root().RemoveChild(elements[len(elements)-1])
	canonical, err := canonicalDocument(tree, dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(""))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(canonical); !bytes.Equal(sum[:], s.info.value) {
		t.Fatalf("digest %x, want %x", sum, s.info.value)
	}
	got, err := parseSigned(canonical)
	if diff := unlike(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// The hashes that only the forgers use must be linked in for them to forge.
var _, _ = sha1.New, md5.New
