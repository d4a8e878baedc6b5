package web

import (
	"slices"
	"strings"
	"testing"
)

// Every language says without script all that the others say, with the same holes in it.
func TestPhrasesAreWhole(t *testing.T) {
	b, err := Phrases()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := phrases.ReadDir("phrases")
	if err != nil || len(entries) != len(b.Codes)+1 {
		t.Errorf("%d files for %d languages, %v", len(entries), len(b.Codes), err)
	}
	rtl := []string{"he", "ar"}
	for _, code := range b.Codes {
		w, ok := b.In(code)
		if !ok || slices.Contains(rtl, code) != (w.Dir == "rtl") {
			t.Errorf("%s: %v, %s", code, ok, w.Dir)
		}
		for hole, text := range map[string]string{"time": w.Plain.Made, "n": w.Plain.Others} {
			if !strings.Contains(text, "{"+hole+"}") || strings.Contains(Fill(text, hole, "7"), "{") {
				t.Errorf("%s: %q", code, text)
			}
		}
		for _, key := range []string{"shelter-drone", "prepare-unknown", "all-clear", "cancelled", "expired"} {
			if headline, instruction, ok := b.Text(w, key); !ok || headline == "" || instruction == "" {
				t.Errorf("%s: %s: %q, %q", code, key, headline, instruction)
			}
		}
	}
	if _, ok := b.In("xx"); ok {
		t.Error("a language that nobody speaks")
	}
}

// A file with a missing text is no phrasebook: the program does not start with it.
func TestMissingTextIsNamed(t *testing.T) {
	b, err := Phrases()
	if err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Words){
		"plain.trust: missing":             func(w *Words) { w.Plain.Trust = "" },
		"headlines.shelter-rocket: miss":   func(w *Words) { w.Headlines = clone(w.Headlines, "shelter-rocket") },
		"instructions.ready-fast: missing": func(w *Words) { w.Instructions = clone(w.Instructions, "ready-fast") },
		"dir: must be":                     func(w *Words) { w.Dir = "" },
	} {
		w, _ := b.In("uk")
		spoil(&w)
		if err := b.whole(w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func clone(m map[string]string, without string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		if k != without {
			out[k] = v
		}
	}
	return out
}
