package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// decodeASTERIX runs the command on a file of octets and answers with exit code, output, errors.
func decodeASTERIX(t *testing.T, octets string, args ...string) (int, string, string) {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(octets, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "blocks.bin")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return runDecode(t, append([]string{"decode", "asterix", name}, args...)...)
}

// runDecode is the decode command by itself, with the exit code that the program would give.
func runDecode(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var out, problems bytes.Buffer
	c := &console{ctx: context.Background(), in: strings.NewReader(""), out: &out, err: &problems}
	var cmds struct {
		Decode decodeCmd `cmd:""`
	}
	exit := -1
	parser, err := kong.New(&cmds, kong.Writers(c.out, c.err), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := parser.Parse(args)
	switch {
	case exit >= 0:
		return exit, out.String(), problems.String()
	case err != nil:
		return 2, out.String(), err.Error()
	}
	code := exitCode(c, ctx.Run(c))
	return code, out.String(), problems.String()
}

func TestDecodeASTERIXBlocks(t *testing.T) {
	code, out, problems := decodeASTERIX(t, "300006 80 1901 07000480 30000a a0 1902 80 2c 00 00", "--edition", "048=1.32")
	want := `{"category":48,"edition":"1.32","offset":3,"I048/010":{"SAC":{"raw":25},"SIC":{"raw":1}}}` + "\n" +
		`{"category":48,"edition":"1.32","offset":13,"I048/010":{"SAC":{"raw":25},"SIC":{"raw":2}},"I048/020":`
	if code != 0 || !strings.HasPrefix(out, want) || strings.Count(out, "\n") != 2 {
		t.Errorf("exit %d\n%s", code, out)
	}
	for _, fault := range []string{"category 007 at octet 6: unknown category", "I048/070 at octet 19: truncated"} {
		if !strings.Contains(problems, fault) {
			t.Errorf("no %q in\n%s", fault, problems)
		}
	}
}

func TestDecodeASTERIXExitCodes(t *testing.T) {
	for _, c := range []struct {
		name, octets string
		args         []string
		code         int
		says         string
	}{
		{"nothing decodes", "070004 80", nil, 1, "no record could be decoded"},
		{"empty", "", nil, 1, "empty"},
		{"text", hex.EncodeToString([]byte("hello, world")), nil, 1, "no record"},
		{"header cut", "30", nil, 1, "truncated"},
		{"unknown edition", "300006801901", []string{"--edition", "048=9.9"}, 2, "known: 1.29, 1.30, 1.31, 1.32"},
		{"unknown category", "300006801901", []string{"--edition", "007=1.0"}, 2, "unknown category"},
		{"no edition", "300006801901", []string{"--edition", "048"}, 2, "CATEGORY=EDITION"},
		{"twice", "300006801901", []string{"--edition", "048=1.31", "--edition", "048=1.32"}, 2, "one"},
		{"twice in two spellings", "300006801901", []string{"--edition", "048=1.31", "--edition", "48=1.32"}, 2, "two editions"},
		{"port of no capture", "300006801901", []string{"--port", "8600"}, 2, "--port"},
		{"port too large", "300006801901", []string{"--port", "86000"}, 2, "port"},
		{"capture cut in its header", "d4c3b2a1", nil, 1, "no record"},
	} {
		code, out, problems := decodeASTERIX(t, c.octets, c.args...)
		if code != c.code || out != "" || !strings.Contains(problems, c.says) {
			t.Errorf("%s: exit %d, out %q, problems %q", c.name, code, out, problems)
		}
	}
	if code, _, _ := runDecode(t, "decode", "asterix", filepath.Join(t.TempDir(), "absent")); code != 1 {
		t.Errorf("absent file: exit %d", code)
	}
	if code, _, _ := runDecode(t, "decode", "asterix"); code != 2 {
		t.Errorf("no file: exit %d", code)
	}
	if code, out, _ := runDecode(t, "decode", "asterix", "--help"); code != 0 || !strings.Contains(out, "Example:") {
		t.Errorf("help: exit %d\n%s", code, out)
	}
}

// More faults than are listed are counted, and the memory for them is bounded.
func TestDecodeASTERIXManyFaults(t *testing.T) {
	code, _, problems := decodeASTERIX(t, "300006801901"+strings.Repeat("07000480", maxFaultLines+500))
	if lines := strings.Count(problems, "\n"); code != 0 || lines != maxFaultLines+1 || !strings.Contains(problems, "and 500 faults more") {
		t.Errorf("exit %d, %d lines, %.200s", code, lines, problems[max(0, len(problems)-200):])
	}
}

func TestDecodeASTERIXRecording(t *testing.T) {
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	recording := filepath.Join(root, "fixtures", "asterix", "cat_034_048.pcap")
	if _, err := os.Stat(recording); err != nil {
		t.Skip("fixture absent: asterix/cat_034_048.pcap")
	}
	code, out, problems := runDecode(t, "decode", "asterix", recording)
	if code != 0 || problems != "" || strings.Count(out, "\n") != 162 {
		t.Fatalf("exit %d, %d lines, %s", code, strings.Count(out, "\n"), problems)
	}
	var first struct {
		Frame    int
		Time     string
		Source   string
		Category int
		Position struct {
			RHO struct {
				Raw   int
				Value float64
				Unit  string
			}
		} `json:"I048/040"`
	}
	line, _, _ := strings.Cut(out, "\n")
	if err := json.Unmarshal([]byte(line), &first); err != nil {
		t.Fatal(err)
	}
	if first.Frame != 1 || first.Time != "2016-05-05T07:35:56.50891Z" || first.Source != "10.17.58.184:21124" || first.Category != 48 ||
		first.Position.RHO.Raw != 50607 || first.Position.RHO.Value != 197.68359375 || first.Position.RHO.Unit != "NM" {
		t.Errorf("first line %s", line)
	}
	_, some, _ := runDecode(t, "decode", "asterix", recording, "--port", "21131", "--port", "22131")
	if n := strings.Count(some, "\n"); n == 0 || n >= 162 {
		t.Errorf("%d lines of two ports", n)
	}
}
