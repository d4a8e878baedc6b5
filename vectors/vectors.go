// Package vectors makes the published vectors of the public contract: scripts of lines
// with the verdict that every client must give.
//
// In: a seed. Out: the same vectors for the same seed, byte for byte. It shares no code
// with the board that signs or the client that verifies: what is written here is the
// contract once more, so that a mistake in one of them shows. It never touches a real key.
package vectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// File is a set of vectors; README.md says what it means.
type File struct {
	Version int               `json:"version"`
	Seed    uint64            `json:"seed"`
	Roots   map[string]string `json:"roots"`
	Keys    map[string]Line   `json:"keys"`
	Scripts []*Script         `json:"scripts"`
}

// Script is one fresh client and what happens to it.
type Script struct {
	Name     string   `json:"name"`
	About    string   `json:"about"`
	Root     string   `json:"root"`
	Universe string   `json:"universe"`
	Regions  []string `json:"regions"`
	Steps    []Step   `json:"steps"`
}

// Step is exactly one of a key list, a frame and a look.
type Step struct {
	Keys    string `json:"keys,omitempty"`
	Frame   *Line  `json:"frame,omitempty"`
	Now     string `json:"now,omitempty"`
	Verdict string `json:"verdict,omitempty"`
	// Clock is a bool in a frame's step and a map by region in a look.
	Clock any `json:"clock,omitempty"`

	Look    string            `json:"look,omitempty"`
	State   *[]Zone           `json:"state,omitempty"`
	Deaf    map[string]bool   `json:"deaf,omitempty"`
	Seq     map[string]int64  `json:"seq,omitempty"`
	Picture map[string]string `json:"picture,omitempty"`
}

// Zone is one zone as it must be shown.
type Zone struct {
	Region string `json:"region"`
	Zone   string `json:"zone"`
	Show   string `json:"show"`
	Stage  string `json:"stage"`
	Threat string `json:"threat"`
	Until  string `json:"until"`
	Alert  string `json:"alert"`
}

// Line is a line without its line end, written out or as a recipe.
type Line struct {
	Head  string `json:"head"`
	Fill  string `json:"fill"`
	Times int    `json:"times"`
	Tail  string `json:"tail"`
}

// maxLine bounds what a recipe makes, in bytes.
const maxLine = 8 << 20

// Bytes makes the line; an error where the recipe asks for more than 8 MiB.
func (l Line) Bytes() ([]byte, error) {
	if l.Times < 0 || len(l.Fill) > 0 && l.Times > maxLine/len(l.Fill) {
		return nil, fmt.Errorf("vectors: a line of %d times %d bytes", l.Times, len(l.Fill))
	}
	b := append([]byte(l.Head), bytes.Repeat([]byte(l.Fill), l.Times)...)
	return append(b, l.Tail...), nil
}

// MarshalJSON writes a plain line as a string.
func (l Line) MarshalJSON() ([]byte, error) {
	if l.Times == 0 {
		return marshal(l.Head + l.Tail)
	}
	type recipe Line
	return marshal(recipe(l))
}

// UnmarshalJSON reads both forms.
func (l *Line) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*l = Line{}
		return json.Unmarshal(b, &l.Head)
	}
	type recipe Line
	return json.Unmarshal(b, (*recipe)(l))
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// Encode writes the vectors, one script a line so that a diff can be read.
func (f File) Encode() ([]byte, error) {
	scripts := f.Scripts
	f.Scripts = nil
	head, err := marshal(f)
	if err != nil {
		return nil, fmt.Errorf("vectors: encode: %w", err)
	}
	b := bytes.TrimSuffix(head, []byte(`null}`))
	b = append(b, '[')
	for i, s := range scripts {
		line, err := marshal(s)
		if err != nil {
			return nil, fmt.Errorf("vectors: encode %s: %w", s.Name, err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, '\n'), line...)
	}
	return append(b, "\n]}\n"...), nil
}

// Read reads what Encode wrote.
func Read(b []byte) (File, error) {
	var f File
	if err := json.Unmarshal(b, &f); err != nil {
		return File{}, fmt.Errorf("vectors: read: %w", err)
	}
	if f.Version != 1 || len(f.Scripts) == 0 {
		return File{}, fmt.Errorf("vectors: read: version %d with %d scripts", f.Version, len(f.Scripts))
	}
	return f, nil
}

// start is when every script begins.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Make makes the vectors of a seed.
func Make(seed uint64) File {
	m := newMaker(seed)
	m.keyLists()
	for _, part := range []func(){
		m.good, m.goodForms, m.form, m.headerForms, m.payload, m.grammar, m.numbersAndTimes, m.items,
		m.forged, m.altered, m.keysInForce, m.lists, m.jurisdiction, m.elsewhere,
		m.order, m.beats, m.time, m.deaf, m.size,
	} {
		part()
	}
	return m.file
}
