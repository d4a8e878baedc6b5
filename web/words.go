package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The words of the page, one file a language; the front end is built from the same files.
//
//go:embed phrases
var phrases embed.FS

// Words are those of the page's words, in one language, that are said without script. What
// stands in braces is filled in by Fill.
type Words struct {
	Language     string `json:"language"` // its own name
	Dir          string `json:"dir"`      // ltr or rtl
	Exercise     string `json:"exercise"`
	ExerciseNote string `json:"exerciseNote"`
	Title        string `json:"title"`

	Threats      map[string]string `json:"threats"`
	Headlines    map[string]string `json:"headlines"`    // by key of the pre-agreed text
	Instructions map[string]string `json:"instructions"` // by what Instruction names
	Picture      map[string]string `json:"picture"`

	When struct {
		Since      string `json:"since"`
		Until      string `json:"until"`
		NoTime     string `json:"noTime"` // to reach a shelter, and what to do then
		NoTimeText string `json:"noTimeText"`
		// NoTimeReady is what to do there while one is to be ready.
		NoTimeReady string `json:"noTimeReady"`
	} `json:"when"`
	List struct {
		Title  string            `json:"title"`
		Empty  string            `json:"empty"`
		Groups map[string]string `json:"groups"`
	} `json:"list"`
	Plain struct {
		None   string `json:"none"`
		Made   string `json:"made"`
		Trust  string `json:"trust"`
		Again  string `json:"again"`
		Others string `json:"others"`
	} `json:"plain"`
}

// Phrasebook is the words of every language.
type Phrasebook struct {
	Codes       []string // of the languages, in the order they are offered
	words       map[string]Words
	instruction map[string]string
}

// Phrases reads the words; an error names the file and the text that is missing.
func Phrases() (*Phrasebook, error) {
	b := &Phrasebook{Codes: []string{"uk", "en", "he", "ar", "ru"}, words: map[string]Words{}}
	if err := readJSON("texts", &b.instruction); err != nil {
		return nil, err
	}
	for _, code := range b.Codes {
		var w Words
		if err := readJSON(code, &w); err != nil {
			return nil, err
		}
		if err := b.whole(w); err != nil {
			return nil, fmt.Errorf("web: phrases/%s.json: %w", code, err)
		}
		b.words[code] = w
	}
	return b, nil
}

func readJSON(name string, into any) error {
	text, err := phrases.ReadFile("phrases/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("web: phrases/%s.json: %w", name, err)
	}
	return nil
}

// whole reports what is missing of the words that are said without script.
func (b *Phrasebook) whole(w Words) error {
	if w.Dir != "ltr" && w.Dir != "rtl" {
		return errors.New("dir: must be ltr or rtl")
	}
	for name, text := range map[string]string{
		"language": w.Language, "exercise": w.Exercise, "exerciseNote": w.ExerciseNote, "title": w.Title,
		"when.since": w.When.Since, "when.until": w.When.Until, "when.noTime": w.When.NoTime, "when.noTimeText": w.When.NoTimeText, "when.noTimeReady": w.When.NoTimeReady,
		"list.title": w.List.Title, "list.empty": w.List.Empty,
		"plain.none": w.Plain.None, "plain.made": w.Plain.Made, "plain.trust": w.Plain.Trust, "plain.again": w.Plain.Again, "plain.others": w.Plain.Others,
	} {
		if text == "" {
			return fmt.Errorf("%s: missing", name)
		}
	}
	for key, what := range b.instruction {
		if w.Headlines[key] == "" {
			return fmt.Errorf("headlines.%s: missing", key)
		}
		if w.Instructions[what] == "" {
			return fmt.Errorf("instructions.%s: missing", what)
		}
	}
	return nil
}

// In returns the words of a language; false where the page does not speak it.
func (b *Phrasebook) In(code string) (Words, bool) {
	w, ok := b.words[code]
	return w, ok
}

// Text is a pre-agreed text by its key: what it is, and what people do. False where the key
// is not agreed yet.
func (b *Phrasebook) Text(w Words, key string) (headline, instruction string, ok bool) {
	headline, ok = w.Headlines[key]
	return headline, w.Instructions[b.instruction[key]], ok
}

// Fill puts a word into a sentence: {name} becomes value.
func Fill(text, name, value string) string { return strings.ReplaceAll(text, "{"+name+"}", value) }
