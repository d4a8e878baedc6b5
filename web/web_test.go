package web

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// pages are all the index files the gateway may be given, by where they stand; the
// source of the built page is among them so that a clean clone tests it as well.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	read := func(name string, tree fs.FS, path string) {
		b, err := fs.ReadFile(tree, path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found[name] = string(b)
	}
	read("placeholder", placeholder, "placeholder/"+Index)
	read("source", os.DirFS("public"), Index)
	if Built() {
		read("built", Files(), Index)
	}
	return found
}

func TestMarksStandExactlyOnce(t *testing.T) {
	for name, page := range pages(t) {
		for _, mark := range []string{LanguageMark, ConfigMark, ActiveMark} {
			if n := strings.Count(page, mark); n != 1 {
				t.Errorf("%s: %s stands %d times, want once", name, mark, n)
			}
		}
		want := `<script type="application/json" id="tocsin">` + ConfigMark + `</script>`
		if !strings.Contains(page, want) {
			t.Errorf("%s: the configuration is not the body of its element", name)
		}
	}
}

// The policy forbids inline code; a page that has some would be dead in a browser.
func TestPageKeepsItsPolicy(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:\s+type="module")?\s*>`)
	foreign := regexp.MustCompile(`(?i)(?:src|href)="(?:https?:)?//`)
	for name, page := range pages(t) {
		if found := inline.FindString(page); found != "" {
			t.Errorf("%s: inline code %q", name, found)
		}
		if found := foreign.FindString(page); found != "" {
			t.Errorf("%s: leaves the origin: %q", name, found)
		}
	}
}

func TestFilesHasAnIndex(t *testing.T) {
	if _, err := fs.Stat(Files(), Index); err != nil {
		t.Fatal(err)
	}
}

func TestPolicyIsOneLine(t *testing.T) {
	p := Policy()
	if strings.ContainsAny(p, "\r\n") || !strings.HasPrefix(p, "default-src 'none';") || strings.Contains(p, "unsafe") {
		t.Errorf("policy %q", p)
	}
}
