package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin/wire/hostile"
)

type file struct {
	Name  string        `yaml:"name"`
	Count int           `yaml:"count"`
	Wait  time.Duration `yaml:"wait"`
	List  []string      `yaml:"list"`
	Inner struct {
		On bool `yaml:"on"`
	} `yaml:"inner"`
}

func TestRead(t *testing.T) {
	f := file{Count: 7}
	if err := Read([]byte("name: &n a\nlist: [*n, b]\nwait: 90s\ninner: {on: true}\n"), &f); err != nil || f.Name != "a" || f.Count != 7 || f.List[0] != "a" || f.Wait != 90*time.Second || !f.Inner.On {
		t.Errorf("%v: %+v", err, f)
	}
	for text, says := range map[string]string{
		"nam: a":                        `line 1: there is no key "nam" here`,
		"name: a\nnam: b\ncount: x":     `line 2: there is no key "nam" here; look at its spelling and how far it is indented; line 3: "x" stands where a number belongs`,
		"inner: {on: maybe}":            `line 1: "maybe" stands where true or false belongs`,
		"inner: 5":                      `line 1: "5" stands where keys and values belong`,
		"list: a":                       `line 1: "a" stands where a list belongs`,
		"list: {a: b}":                  `keys and values stand where`,
		"name: [a]":                     `a list stands where`,
		"wait: soon":                    `"soon" is no length of time`,
		"name: a\n\ncount: 1\nname: b":  `line 4: the key "name" stands twice; first in line 1`,
		"[a]: b":                        `a list or a mapping stands where a key belongs`,
		"name: a\n---\nname: b":         "more than one document",
		"name: a\n\tcount: 1":           "line 2: it is not YAML: a tab",
		"name: \"a":                     "it is not YAML",
		"name: a: b":                    "it is not YAML: a second colon",
		"list: [a":                      "it is not YAML",
		"\x00":                          "it is not a text file",
		"name: \xc3\x28":                "it is not a text file in UTF-8",
		strings.Repeat("[", 300):        "nested deeper",
		strings.Repeat("- ", 100) + "a": "nested deeper",
	} {
		err := Read([]byte(text), &file{})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "yaml:") || strings.Contains(err.Error(), "unmarshal") {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
	if err := Read(nil, &file{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	if err := Read([]byte("# a comment\n"), &file{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("a comment alone: %v", err)
	}
}

// What the library alone takes quadratic time or memory for.
func TestBombs(t *testing.T) {
	var keys, laughs strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 8 {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), i)
	}
	var seeds [][]byte
	for _, text := range []string{strings.Repeat("name: a\n", 20_000), keys.String(), laughs.String(), strings.Repeat("{a: ", 5000), "name: &a [*a, *a]\n"} {
		seeds = append(seeds, []byte(text))
	}
	if _, err := hostile.Try(hostile.Decoder{Name: "bombs", Seeds: seeds, Decode: func(b []byte) bool { return Read(b, &file{}) == nil }}, 0); err != nil {
		t.Error(err)
	}
}

func TestMutations(t *testing.T) {
	seeds := [][]byte{[]byte("name: &n a\nlist: [*n, b]\nwait: 90s\ninner: {on: true}\n"), []byte("# comment\nname: |\n  several\n  lines\nlist:\n  - 'a'\n  - \"b\\n\"\ncount: 0x1F\n")}
	hostile.Run(t, hostile.Decoder{Name: "wire/strictyaml", Seeds: seeds, Decode: func(b []byte) bool { return Read(b, &file{}) == nil }})
}
