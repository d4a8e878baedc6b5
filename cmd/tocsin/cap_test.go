package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// capRun runs the cap commands alone, as the program would.
func capRun(t *testing.T, in string, args ...string) (code int, out, complaint string) {
	t.Helper()
	var line struct {
		Cap capCmd `cmd:""`
	}
	parser, err := kong.New(&line, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	c := &console{ctx: context.Background(), in: strings.NewReader(in), out: &o, err: &e}
	parsed, err := parser.Parse(append([]string{"cap"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	return exitCode(c, parsed.Run(c)), o.String(), e.String()
}

func capFile(elem ...string) string {
	return filepath.Join(append([]string{"..", "..", "wire", "cap12", "testdata"}, elem...)...)
}

func TestCapCheck(t *testing.T) {
	good, bad := capFile("good", "alert.xml"), capFile("bad", "polygon-open.xml")
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	none := filepath.Join(folder, "none.xml")
	const open = "bad: polygon-open: a polygon's last pair must equal its first, at alert/info/area/polygon, line 35, value \"46.515,30.703 46.515,30.7031\"\n"
	for _, c := range []struct {
		args []string
		in   string
		code int
		out  string
	}{
		{[]string{good}, "", 0, good + ": ok\n"},
		{[]string{"-"}, string(text), 0, "-: ok\n"},
		{[]string{"-"}, "", 1, "-: bad: xml-syntax: the document has no element, line 1\n"},
		{[]string{bad}, "", 1, bad + ": " + open},
		{[]string{good, bad}, "", 1, good + ": ok\n" + bad + ": " + open},
		{[]string{none, good}, "", 1, none + ": bad: file: there is no such file; look at the spelling and at the folder you are in\n" + good + ": ok\n"},
		{[]string{folder, good}, "", 1, folder + ": bad: file: it is a folder; name a file in it\n" + good + ": ok\n"},
	} {
		code, out, complaint := capRun(t, c.in, append([]string{"check"}, c.args...)...)
		if code != c.code || out != c.out {
			t.Errorf("check %v: %d\n%s(want %d)\n%s%s", c.args, code, out, c.code, c.out, complaint)
		}
	}
	signed := capFile("signed", "ours.xml")
	if code, out, odd := capRun(t, "", "check", signed); code != 0 || out != signed+": ok\n" || !strings.HasPrefix(odd, signed+": warning: signature-unchecked: ") {
		t.Errorf("a signed alert: %d %s%s", code, out, odd)
	}
	several := strings.Replace(string(text), "<status>Actual<", "<status>Ernst<", 1)
	several = strings.Replace(several, "<scope>Public<", "<scope>All<", 1)
	if code, out, odd := capRun(t, several, "check", "-"); code != 1 || strings.Count(out, "\n") != 1 || strings.Count(odd, "-: also bad: value-enum: ") != 1 || strings.Contains(odd, "tocsin:") {
		t.Errorf("two defects: %d %s%s", code, out, odd)
	}
	code, out, _ := capRun(t, "", "check", "--json", good, bad)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var answer capChecked
	if code != 1 || len(lines) != 2 || json.Unmarshal([]byte(lines[1]), &answer) != nil ||
		answer.Valid || answer.File != bad || answer.Defects[0].Rule != "polygon-open" || !strings.Contains(lines[0], `"defects":[]`) {
		t.Errorf("check --json: %d %s", code, out)
	}
}

func TestCapVerify(t *testing.T) {
	signed, cert := capFile("signed", "ours.xml"), capFile("signed", "cert.pem")
	const ok = "ok: \"tocsin-7-1\" of \"warnings@example.gov\", sent 2026-11-21T21:14:07+02:00, signed by \"CN=warnings.example.gov\"\n"
	for _, c := range []struct {
		args []string
		code int
		out  string // its start
	}{
		{[]string{signed, "--cert", cert}, 0, ok},
		{[]string{signed, "--cert", cert, "--at", "2026-11-05T00:00:00Z"}, 0, ok},
		{[]string{signed, "--cert", cert, "--at", "2027-11-05T00:00:00Z"}, 1, "bad: cap12: verify: signature not verified: the certificate is valid from"},
		{[]string{capFile("good", "alert.xml"), "--cert", cert}, 1, "bad: cap12: verify: no signature"},
		{[]string{capFile("bad", "polygon-open.xml"), "--cert", cert}, 1, "bad: cap12: verify: not valid CAP 1.2: polygon-open"},
		{[]string{signed, "--cert", signed}, 1, ""},
		{[]string{signed, "--cert", "none.pem"}, 1, ""},
		{[]string{signed, "--cert", cert, "--at", "yesterday"}, 2, ""},
		{[]string{"none.xml", "--cert", cert}, 1, ""},
		{[]string{signed, "--cert", cert, "--json"}, 0, `{"file":"` + signed + `","verified":true,"identifier":"tocsin-7-1"`},
	} {
		code, out, complaint := capRun(t, "", append([]string{"verify"}, c.args...)...)
		if code != c.code || !strings.HasPrefix(out, c.out) || c.out == "" && complaint == "" {
			t.Errorf("verify %v: %d\n%s%s", c.args, code, out, complaint)
		}
	}
	tampered, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	if code, out, _ := capRun(t, strings.Replace(string(tampered), "take shelter", "stay outside", 1), "verify", "-", "--cert", cert); code != 1 || !strings.Contains(out, "the alert was altered") {
		t.Errorf("a tampered copy: %d %s", code, out)
	}
}
