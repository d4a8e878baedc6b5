package cap12

import (
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// xmlsec1 must verify what we sign, and the schema must take it; so must we.
func TestSignedAlertsVerifyElsewhere(t *testing.T) {
	program := judge(t, "xmlsec1")
	_, cert := authority().pemFiles(t)
	dir := t.TempDir()
	for name, a := range golden() {
		doc, err := a.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := Sign(doc, authority().key, authority().cert)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file := filepath.Join(dir, name+".xml")
		write(t, file, signed)
		if out, err := exec.Command(program, "--verify", "--pubkey-cert-pem", cert, file).CombinedOutput(); err != nil {
			t.Errorf("%s: xmlsec1: %v\n%s", name, err, out)
		}
		if valid := xmllint(t, file); !valid[file] {
			t.Errorf("%s: xmllint refuses the signed document", name)
		}
		got, err := Verify(signed, authority().cert, time.Time{})
		if diff := unlike(a, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
		if r := Check(signed); !r.Valid() || !strings.Contains(fmt.Sprint(rulesOf(r.Warnings)), string(OddSigned)) {
			t.Errorf("%s: a signed alert must be valid, with a word on its signature: %+v", name, r)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	a := golden()["alert"]
	doc, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Sign(doc, authority().key, authority().cert)
	if err != nil {
		t.Fatal(err)
	}
	late := a
	late.Sent = late.Sent.AddDate(1, 0, 0)
	late.Infos = nil
	lateDoc, err := late.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		doc []byte
		by  identity
	}{
		"signed already":            {signed, authority()},
		"another's key":             {doc, identity{stranger().key, authority().cert}},
		"a weak key":                {doc, weakling()},
		"an ECDSA key":              {doc, curved()},
		"not CAP":                   {[]byte("<alert/>"), authority()},
		"certificate over by then":  {lateDoc, authority()},
		"instruction outside alert": {[]byte(strings.Replace(string(doc), "<alert", "<?style x?><alert", 1)), authority()},
	} {
		if _, err := Sign(c.doc, c.by.key, c.by.cert); err == nil {
			t.Errorf("%s: signed all the same", name)
		}
	}
}

// Other agencies sign in other ways: xmlsec1 signs in each, we verify.
func TestVerifyWhatOthersSign(t *testing.T) {
	program := judge(t, "xmlsec1")
	const (
		exc   = "http://www.w3.org/2001/10/xml-exc-c14n#"
		c10   = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
		c11   = "http://www.w3.org/2006/12/xml-c14n11"
		more  = "http://www.w3.org/2001/04/xmldsig-more#"
		enc   = "http://www.w3.org/2001/04/xmlenc#"
		plain = ""
	)
	for _, c := range []struct {
		name, c14n, transform, method, digest string
		by                                    identity
	}{
		{"exclusive", exc, exc, more + "rsa-sha256", enc + "sha256", authority()},
		{"exclusive with comments", exc + "WithComments", exc + "WithComments", more + "rsa-sha256", enc + "sha256", authority()},
		{"inclusive 1.0", c10, c10, more + "rsa-sha256", enc + "sha256", authority()},
		{"inclusive 1.0 with comments", c10 + "#WithComments", c10 + "#WithComments", more + "rsa-sha256", enc + "sha256", authority()},
		{"inclusive 1.1", c11, c11, more + "rsa-sha384", more + "sha384", authority()},
		{"no canonicalization named", c10, plain, more + "rsa-sha256", enc + "sha256", authority()},
		{"mixed", exc, c10, more + "rsa-sha512", enc + "sha512", authority()},
		{"ECDSA", exc, exc, more + "ecdsa-sha256", enc + "sha256", curved()},
	} {
		for form, dress := range dresses() {
			t.Run(c.name+"/"+form, func(t *testing.T) {
				want := golden()["apostrophes-and-markup"]
				doc, err := want.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				signed := signElsewhere(t, program, dress(string(doc)), c.by, signatureTemplate(c.c14n, c.transform, c.method, c.digest))
				got, err := Verify(signed, c.by.cert, time.Time{})
				if diff := unlike(want, got); err != nil || diff != "" {
					t.Errorf("%v %s\n%s", err, diff, signed)
				}
			})
		}
	}
}

// dresses are ways to write the same alert, which canonical forms must see through.
func dresses() map[string]func(string) string {
	return map[string]func(string) string{
		"plain": func(doc string) string { return doc },
		"prefixed": func(doc string) string {
			doc = strings.Replace(doc, `<alert xmlns=`, `<alert xmlns:zz="urn:z" xmlns:cap=`, 1)
			doc = strings.ReplaceAll(strings.ReplaceAll(doc, "</", "</cap:"), "\n<alert", "\n<cap:alert")
			for _, line := range strings.Split(doc, "\n") {
				if open := strings.TrimLeft(line, " "); strings.HasPrefix(open, "<") && !strings.HasPrefix(open, "</") && strings.HasPrefix(line, " ") {
					doc = strings.Replace(doc, "\n"+line+"\n", "\n"+strings.Replace(line, "<", "<cap:", 1)+"\n", 1)
				}
			}
			return strings.ReplaceAll(doc, "<description>", "<cap:description>")
		},
		"odd": func(doc string) string {
			doc = strings.Replace(doc, "<alert ", "<?xml-stylesheet href='a.xsl'?>\n<!-- front --><alert xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'\n xsi:schemaLocation = 'urn:oasis:names:tc:emergency:cap:1.2\n\tCAP-v1.2.xsd&#9;&#xD;&quot;' ", 1)
			doc = strings.Replace(doc, "<status>", "<!-- in <between> --><?pi  with data ?><?pi?><status >", 1)
			doc = strings.Replace(doc, "tocsin-8-1", "tocsin<!-- cut -->-8<![CDATA[-1]]>", 1)
			return strings.Replace(doc, "Drone", "<![CDATA[D]]>&#114;&#x6f;ne", 1) + "<!-- back --><?end?>\n"
		},
		"carriage returns": func(doc string) string { return "\uFEFF" + strings.ReplaceAll(doc, "\n  ", "\r\n  ") },
	}
}

// signatureTemplate is a Signature for xmlsec1 to fill in.
func signatureTemplate(c14n, transform, method, digest string) string {
	second := ""
	if transform != "" {
		second = `<ds:Transform Algorithm="` + transform + `"/>`
	}
	return `<ds:Signature xmlns:ds="` + dsigNamespace + `"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="` + c14n + `"/><ds:SignatureMethod Algorithm="` + method + `"/>
<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="` + dsigNamespace + `enveloped-signature"/>` + second + `</ds:Transforms>
<ds:DigestMethod Algorithm="` + digest + `"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>
<ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>`
}

// signElsewhere has xmlsec1 sign doc with the template put at the end of the alert.
func signElsewhere(t testing.TB, program, doc string, by identity, template string) []byte {
	t.Helper()
	end := strings.LastIndex(doc, "</")
	dir := t.TempDir()
	from, to := filepath.Join(dir, "template.xml"), filepath.Join(dir, "signed.xml")
	write(t, from, []byte(doc[:end]+template+"\n"+doc[end:]))
	key, cert := by.pemFiles(t)
	out, err := exec.Command(program, "--sign", "--privkey-pem", key+","+cert, "--output", to, from).CombinedOutput()
	if err != nil {
		t.Fatalf("xmlsec1 does not sign: %v\n%s", err, out)
	}
	return read1(t, to)
}

func TestVerifyLooksAtTime(t *testing.T) {
	doc, err := golden()["alert"].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Sign(doc, authority().key, authority().cert)
	if err != nil {
		t.Fatal(err)
	}
	from, to := authority().cert.NotBefore, authority().cert.NotAfter
	for _, c := range []struct {
		at time.Time
		ok bool
	}{
		{time.Time{}, true}, // the alert's own
		{from, true}, {to, true},
		{from.Add(-time.Second), false}, {to.Add(time.Second), false},
	} {
		if _, err := Verify(signed, authority().cert, c.at); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrUnverified) {
			t.Errorf("at %v: %v", c.at, err)
		}
	}
	if _, err := Verify(doc, authority().cert, time.Time{}); !errors.Is(err, ErrUnsigned) {
		t.Errorf("an alert without signature: %v", err)
	}
	if _, err := Verify(signed, stranger().cert, time.Time{}); !errors.Is(err, ErrUnverified) {
		t.Errorf("with another's certificate: %v", err)
	}
	if _, err := Verify(signed, nil, time.Time{}); !errors.Is(err, ErrUnverified) {
		t.Errorf("with no certificate: %v", err)
	}
	if _, err := Verify([]byte("<a/>"), authority().cert, time.Time{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("not CAP: %v", err)
	}
}

// The signed files were made once, by xmlsec1 and by Sign, with a key that is gone:
// they must verify for ever. -update makes new ones where they do not.
func TestSignedFiles(t *testing.T) {
	made := map[string]struct{ alert, dress, c14n string }{
		"ours":               {"alert", "", ""},
		"all-clear":          {"all-clear", "", ""},
		"exclusive-prefixed": {"apostrophes-and-markup", "prefixed", "http://www.w3.org/2001/10/xml-exc-c14n#"},
		"inclusive-odd":      {"apostrophes-and-markup", "odd", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
	}
	file := func(name string) string { return filepath.Join("testdata", "signed", name) }
	ok := func() error {
		for name, m := range made {
			got, err := Verify(read1(t, file(name+".xml")), signedCertificate(t), time.Time{})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if diff := unlike(golden()[m.alert], got); diff != "" {
				return fmt.Errorf("%s: %s", name, diff)
			}
		}
		return nil
	}
	if _, err := os.Stat(file("cert.pem")); *update && (err != nil || ok() != nil) {
		by := authority()
		write(t, file("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.cert.Raw}))
		for name, m := range made {
			doc, err := golden()[m.alert].Marshal()
			if err != nil {
				t.Fatal(err)
			}
			signed := doc
			if m.c14n == "" {
				signed = mustSign(t, string(doc), by)
			} else {
				template := signatureTemplate(m.c14n, m.c14n, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256")
				signed = signElsewhere(t, judge(t, "xmlsec1"), dresses()[m.dress](string(doc)), by, template)
			}
			write(t, file(name+".xml"), signed)
		}
	}
	if err := ok(); err != nil {
		t.Error(err)
	}
	if n := len(folder(t, file("*.xml"))); n != len(made) {
		t.Errorf("%d files for %d", n, len(made))
	}
}
