package cap12

import (
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzParse holds the reader to: no panic; Parse and Check agree; what is taken can be
// written, and reads back the same; encoding/xml sees the same elements and text.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"good", "bad", "signed"} {
		for _, file := range folder(f, filepath.Join("testdata", pattern, "*.xml")) {
			f.Add(read1(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, _, err := Parse(b)
		if r := Check(b); r.Valid() != (err == nil) {
			t.Fatalf("Check says %v, Parse %v", r, err)
		}
		if d, fault := readTree(string(b)); fault == nil {
			var ours strings.Builder
			outline(d.root, &ours)
			theirs, xmlErr := outlineElsewhere(b)
			// encoding/xml follows the fourth edition in names beyond ASCII.
			if xmlErr == nil && theirs != ours.String() || xmlErr != nil && ascii(b) {
				t.Fatalf("read as %s, by encoding/xml as %s (%v)", ours.String(), theirs, xmlErr)
			}
		}
		if err != nil {
			return
		}
		again, err := a.Marshal()
		if err != nil {
			t.Fatalf("taken and not written: %v", err)
		}
		b2, _, err := Parse(again)
		if diff := unlike(a, b2); err != nil || diff != "" {
			t.Fatalf("read back: %v %s", err, diff)
		}
	})
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// FuzzVerify holds Verify to: no panic; what verifies is one of the alerts that were
// signed. The key of the signed files was thrown away after they were made.
func FuzzVerify(f *testing.F) {
	cert := signedCertificate(f)
	for _, file := range folder(f, filepath.Join("testdata", "signed", "*.xml")) {
		b := read1(f, file)
		f.Add(b)
		front, signature, back := parts(string(b))
		f.Add([]byte(front + signature + signature + back))
		f.Add([]byte(front + back + signature))
		f.Add([]byte(front + strings.Replace(signature, `URI=""`, `URI="#a"`, 1) + back))
	}
	known := golden()
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Verify(b, cert, time.Time{})
		if err != nil {
			return
		}
		for _, a := range known {
			if unlike(a, got) == "" {
				return
			}
		}
		t.Fatalf("verified, and never signed: %+v", got)
	})
}

func signedCertificate(t testing.TB) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(read1(t, filepath.Join("testdata", "signed", "cert.pem")))
	if block == nil {
		t.Fatal("testdata/signed/cert.pem holds no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
