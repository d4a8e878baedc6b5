package cap12

import (
	"slices"
	"strconv"
	"strings"
)

// Namespaces that matter to the reader.
const (
	dsigNamespace  = "http://www.w3.org/2000/09/xmldsig#"
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// node is one element: its expanded name, what is in it, where it stands.
type node struct {
	space, local string
	attrs        []attr // without namespace declarations
	children     []*node
	text         string           // all text directly inside, joined, less the white space around child elements
	more         *strings.Builder // text while it comes in several pieces
	parent       *node
	at           int  // byte offset of <name
	closeAt      int  // byte offset of </name, or of <name/>
	skip         bool // structure found it out of place: its contents are not judged
	remarked     bool // a comment or processing instruction stands directly inside
}

// document is what a well-formed document comes to.
type document struct {
	root         *node
	instructions int  // how many processing instructions
	instructedAt int  // byte offset of the first
	outside      bool // one stands before or after the root
}

// readTree reads a whole document. The tree is bounded by MaxElements and MaxDepth,
// its text by the document's size.
func readTree(doc string) (document, *fault) {
	s, f := newScanner(doc)
	if f != nil {
		return document{}, f
	}
	t := tree{scanner: s}
	for {
		tok, f := s.next()
		if f != nil {
			return document{}, f
		}
		if tok.kind == tokenEnd {
			break
		}
		if f := t.add(tok); f != nil {
			return document{}, f
		}
	}
	switch {
	case t.open != nil:
		return document{}, s.fault(RuleSyntax, "the document ends within <"+clip(t.open.local, 40)+">", len(s.doc))
	case t.doc.root == nil:
		return document{}, s.fault(RuleSyntax, "the document has no element", len(s.doc))
	}
	return t.doc, nil
}

// tree builds a document out of tokens.
type tree struct {
	scanner  *scanner
	doc      document
	open     *node // the innermost open element
	depth    int
	count    int
	tags     []tag  // of the open elements, to match end tags
	spare    []node // nodes are allocated by the hundred
	bindings []binding
	marks    []int // len(bindings) before each open element
}

// tag is a name as written.
type tag struct{ prefix, local string }

// binding is one namespace declaration in scope; the last one of a prefix counts.
type binding struct{ prefix, space string }

func (t *tree) add(tok token) *fault {
	switch tok.kind {
	case tokenOpen:
		return t.start(tok)
	case tokenClose:
		return t.finish(tok)
	case tokenText:
		return t.characters(tok)
	case tokenPI:
		if f := t.counted(tok); f != nil {
			return f
		}
		if t.doc.instructions == 0 {
			t.doc.instructedAt = tok.at
		}
		t.doc.instructions++
		t.doc.outside = t.doc.outside || t.open == nil
	}
	if t.open != nil {
		t.open.remarked = true
	}
	return nil
}

// counted bounds what takes more memory than its length.
func (t *tree) counted(tok token) *fault {
	t.count++
	if t.count > MaxElements {
		return t.scanner.fault(RuleElements, "a document has at most 200000 elements and processing instructions", tok.at)
	}
	return nil
}

func (t *tree) start(tok token) *fault {
	if t.open == nil && t.doc.root != nil {
		return t.scanner.fault(RuleTrailing, "nothing may follow the root element", tok.at)
	}
	if f := t.counted(tok); f != nil {
		return f
	}
	if t.depth == MaxDepth {
		return t.scanner.fault(RuleDepth, "elements may be nested at most 16 deep", tok.at)
	}
	t.marks = append(t.marks, len(t.bindings))
	if len(t.spare) == 0 {
		t.spare = make([]node, 100)
	}
	n := &t.spare[0]
	t.spare = t.spare[1:]
	n.local, n.parent, n.at, n.closeAt = tok.local, t.open, tok.at, tok.at
	if f := t.declare(tok); f != nil {
		return f
	}
	var ok bool
	if n.space, ok = t.lookup(tok.prefix); !ok {
		return t.scanner.fault(RuleNamespace, "the namespace prefix is not declared", tok.at)
	}
	if f := t.attributes(n, tok); f != nil {
		return f
	}
	if t.open == nil {
		t.doc.root = n
	} else {
		t.open.children = append(t.open.children, n)
		if t.open.more == nil && blank(t.open.text) {
			t.open.text = "" // indentation
		}
	}
	if tok.selfClosed {
		t.leave()
		return nil
	}
	t.open = n
	t.depth++
	t.tags = append(t.tags, tag{tok.prefix, tok.local})
	return nil
}

func (t *tree) finish(tok token) *fault {
	if t.open == nil {
		if t.doc.root != nil {
			return t.scanner.fault(RuleTrailing, "nothing may follow the root element", tok.at)
		}
		return t.scanner.fault(RuleSyntax, "an end tag without its start", tok.at)
	}
	if t.tags[len(t.tags)-1] != (tag{tok.prefix, tok.local}) {
		return t.scanner.fault(RuleSyntax, "the end tag does not match <"+clip(t.open.local, 40)+">", tok.at)
	}
	t.tags = t.tags[:len(t.tags)-1]
	if t.open.more != nil {
		t.open.text, t.open.more = t.open.more.String(), nil
	}
	t.open.closeAt = tok.at
	t.open = t.open.parent
	t.depth--
	t.leave()
	return nil
}

// leave drops the namespace declarations of an element that is over.
func (t *tree) leave() {
	last := len(t.marks) - 1
	t.bindings = t.bindings[:t.marks[last]]
	t.marks = t.marks[:last]
}

func (t *tree) characters(tok token) *fault {
	if n := t.open; n != nil {
		switch {
		case len(n.children) > 0 && blank(tok.text):
		case n.more != nil:
			n.more.WriteString(tok.text)
		case n.text == "":
			n.text = tok.text
		default:
			n.more = new(strings.Builder)
			n.more.WriteString(n.text)
			n.more.WriteString(tok.text)
		}
		return nil
	}
	// A CDATA section is not white space, even an empty one.
	if blank(t.scanner.doc[tok.at:tok.end]) {
		return nil
	}
	if t.doc.root != nil {
		return t.scanner.fault(RuleTrailing, "nothing may follow the root element", tok.at)
	}
	return t.scanner.fault(RuleSyntax, "text stands before the root element", tok.at)
}

// declare takes the namespace declarations of a tag (Namespaces in XML 1.0, clause 3).
func (t *tree) declare(tok token) *fault {
	for _, a := range tok.attrs {
		prefix, declares := a.local, a.prefix == "xmlns"
		if a.prefix == "" && a.local == "xmlns" {
			prefix, declares = "", true
		}
		if !declares {
			continue
		}
		reserved := prefix == "xmlns" || a.value == xmlnsNamespace || (prefix == "xml") != (a.value == xmlNamespace)
		if reserved || prefix != "" && a.value == "" {
			return t.scanner.fault(RuleNamespace, "the namespace declaration is not allowed", tok.at)
		}
		t.bindings = append(t.bindings, binding{prefix, a.value})
	}
	return nil
}

// attributes resolves what is left of a tag's attributes.
func (t *tree) attributes(n *node, tok token) *fault {
	for _, a := range tok.attrs {
		if a.prefix == "xmlns" || a.prefix == "" && a.local == "xmlns" {
			continue
		}
		if a.prefix != "" {
			var ok bool
			if a.space, ok = t.lookup(a.prefix); !ok {
				return t.scanner.fault(RuleNamespace, "the namespace prefix is not declared", tok.at)
			}
		}
		if slices.ContainsFunc(n.attrs, func(b attr) bool { return a.space == b.space && a.local == b.local }) {
			return t.scanner.fault(RuleSyntax, "an attribute stands twice in one tag", tok.at)
		}
		n.attrs = append(n.attrs, a)
	}
	return nil
}

// lookup finds the namespace of a prefix; the empty prefix is always bound.
func (t *tree) lookup(prefix string) (string, bool) {
	for _, b := range slices.Backward(t.bindings) {
		if b.prefix == prefix {
			return b.space, true
		}
	}
	if prefix == "xml" {
		return xmlNamespace, true
	}
	return "", prefix == ""
}

// path names an element for people: alert/info[2]/area[1]/polygon. A number is given
// where there is more than one of the name.
func (n *node) path() string {
	if n.parent == nil {
		return clip(n.local, 60)
	}
	step, before, found, after := clip(n.local, 60), 0, false, false
	for _, c := range n.parent.children {
		switch {
		case c == n:
			found = true
		case c.local != n.local:
		case found:
			after = true
		default:
			before++
		}
		if after {
			break
		}
	}
	if before > 0 || after {
		step += "[" + strconv.Itoa(before+1) + "]"
	}
	return n.parent.path() + "/" + step
}

// child is the first child of the name in the node's own namespace, or nil.
func (n *node) child(local string) *node {
	for _, c := range n.children {
		if c.local == local && c.space == n.space {
			return c
		}
	}
	return nil
}
