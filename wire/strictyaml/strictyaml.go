// Package strictyaml reads files that people write in YAML: configuration, scenarios.
//
// In: the bytes of one file, and a struct that says what may stand in it. Out: the struct
// filled, or an error in the words of who wrote the file, with its line. It never takes a key
// that the struct has not, a key twice, or a second document, and its cost is bounded by the
// length of the file: go.yaml.in/yaml alone compares each key with each other.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrEmpty is a file in which nothing stands.
var ErrEmpty = errors.New("it is empty")

// Bounds of a file. What people write is far below them.
const (
	maxDepth  = 32
	maxNodes  = 100_000 // aliases count as what they stand for
	maxKeys   = 1000    // of one mapping
	maxFaults = 5       // that are named
)

// Read reads one document into a pointer to a struct, on top of what stands there.
func Read(b []byte, into any) error {
	if err := checkBrackets(b); err != nil {
		return err
	}
	var document yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&document); errors.Is(err, io.EOF) {
		return ErrEmpty
	} else if err != nil {
		return words(err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("it has more than one document (a line ---); write one")
	}
	c := check{}
	if err := c.node(&document, 0); err != nil {
		return err
	}
	d = yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return words(err)
	}
	return nil
}

// checkBrackets refuses what nests without end before the parser, which looks back over all
// that is open at each step, sees it. A bracket in a text counts too: nobody writes so many.
func checkBrackets(b []byte) error {
	depth, most := 0, 8*maxDepth
	for _, c := range b {
		switch c {
		case '[', '{':
			if depth++; depth > most {
				return fmt.Errorf("it is nested deeper than %d brackets", most)
			}
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	return nil
}

// check walks over a document once.
type check struct{ nodes int }

func (c *check) node(n *yaml.Node, depth int) error {
	if c.nodes++; c.nodes > maxNodes {
		return fmt.Errorf("line %d: it holds more than %d values", n.Line, maxNodes)
	}
	if depth > maxDepth {
		return fmt.Errorf("line %d: it is nested deeper than %d", n.Line, maxDepth)
	}
	if n.Kind == yaml.AliasNode {
		return c.node(n.Alias, depth+1)
	}
	if n.Kind == yaml.MappingNode {
		if err := once(n); err != nil {
			return err
		}
	}
	for _, child := range n.Content {
		if err := c.node(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// once sees that no key of a mapping stands twice.
func once(n *yaml.Node) error {
	if len(n.Content) > 2*maxKeys {
		return fmt.Errorf("line %d: over %d keys stand beside each other", n.Line, maxKeys)
	}
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a list or a mapping stands where a key belongs", key.Line)
		}
		if first, twice := seen[key.Value]; twice {
			return fmt.Errorf("line %d: the key %q stands twice; first in line %d", key.Line, key.Value, first)
		}
		seen[key.Value] = key.Line
	}
	return nil
}

// words is an error of the library in words.
func words(err error) error {
	var several *yaml.TypeError
	if !errors.As(err, &several) {
		return errors.New(reword(err.Error()))
	}
	faults := several.Errors
	more := ""
	if n := len(faults) - maxFaults; n > 0 {
		faults, more = faults[:maxFaults], fmt.Sprintf("; and %d more", n)
	}
	said := make([]string, len(faults))
	for i, f := range faults {
		said[i] = reword(f)
	}
	return errors.New(strings.Join(said, "; ") + more)
}

func reword(text string) string {
	for _, w := range wordings {
		text = w.from.ReplaceAllString(text, w.to)
	}
	return text
}

type wording struct {
	from *regexp.Regexp
	to   string
}

func word(from, to string) wording { return wording{regexp.MustCompile(`(?s)` + from), to} }

const line = `^(?:yaml: )?(line \d+: )?`

// wordings turn the library's words into ours; it has no types to tell its errors by.
var wordings = []wording{
	word(`field (\S+) not found in type \S+`, `there is no key "$1" here; look at its spelling and how far it is indented`),
	word("cannot unmarshal !!\\S+ `([^`]*)` into uint8", "\"$1\" stands where a whole number from 0 to 255 belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into (?:u?int|float)\\d*", "\"$1\" stands where a number belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into bool", "\"$1\" stands where true or false belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into string", "\"$1\" stands where text belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into time\\.Duration", "\"$1\" is no length of time such as 90s or 10m"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into time\\.Time", "\"$1\" is no time such as 2026-11-22T12:00:00Z"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into \\[\\S+", "\"$1\" stands where a list belongs"),
	word("cannot unmarshal !!\\S+ `([^`]*)` into .*", "\"$1\" stands where keys and values belong"),
	word(`cannot unmarshal !!map into (?:string|u?int\d*|float\d+|bool)`, `keys and values stand where one value belongs`),
	word(`cannot unmarshal !!map into .*`, `keys and values stand where something else belongs`),
	word(`cannot unmarshal !!seq into .*`, `a list stands where something else belongs`),
	word(line+`did not find expected .*`, `${1}it is not YAML: the indentation or a bracket before this place is wrong`),
	word(line+`mapping values are not allowed in this context`, `${1}it is not YAML: a second colon, or wrong indentation`),
	word(line+`found a tab character.*`, `${1}it is not YAML: a tab in the indentation; use spaces`),
	word(line+`found character that cannot start any token`, `${1}it is not YAML: a character that begins nothing; a tab or a quote may be missing`),
	word(line+`control characters are not allowed`, `${1}it is not a text file`),
	word(`^yaml: (?:offset \d+: )?(?:invalid|incomplete|unexpected) .*(?:UTF-8|UTF-16|Unicode|octet|character|surrogate).*`, `it is not a text file in UTF-8`),
	word(`^yaml: (line \d+: )?`, `${1}it is not YAML: `),
}
