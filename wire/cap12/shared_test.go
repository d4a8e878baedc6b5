package cap12

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// shared is the folder of foreign fixtures beside the project, or the test skips.
func shared(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	path := filepath.Join(append([]string{root, "fixtures", "cap"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("shared fixtures absent: %v", err)
	}
	return path
}

// judge is the path of an external program, or the test skips and names it.
func judge(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian: libxml2-utils, xmlsec1)", name)
	}
	return path
}

var xmllintVerdict = regexp.MustCompile(`(?m)^(.*) (validates|fails to validate)$`)

// xmllint runs the schema over files; a file it cannot even read is not valid.
func xmllint(t testing.TB, files ...string) map[string]bool {
	t.Helper()
	program, schema := judge(t, "xmllint"), shared(t, "xsd", "CAP-v1.2.xsd")
	out, err := exec.Command(program, append([]string{"--nonet", "--noout", "--schema", schema}, files...)...).CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	valid := map[string]bool{}
	for _, m := range xmllintVerdict.FindAllStringSubmatch(string(out), -1) {
		valid[m[1]] = m[2] == "validates"
	}
	if len(valid) == 0 && len(files) > 1 {
		t.Fatalf("xmllint gave no verdict at all:\n%s", out)
	}
	return valid
}

// folder lists a folder's files and fails where there are none.
func folder(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files at %s (%v)", pattern, err)
	}
	return files
}

func read1(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
