package cap12

import (
	"strings"
	"unicode/utf8"
)

// The scanner cuts a document into tags, text and the rest, as XML 1.0 (fifth edition)
// with Namespaces says, less what a CAP document has no business with: document type
// declarations, entities other than the five of XML itself, encodings other than UTF-8.
//
// It is our own because encoding/xml is too kind to be a gate: it takes repeated
// attributes, a surrogate as a character reference, content after the root, a DOCTYPE,
// and nesting without end. The fuzz test holds it against encoding/xml all the same:
// what passes here must read the same there.

// kind is what a token is.
type kind uint8

const (
	tokenEnd     kind = iota // the document is over
	tokenOpen                // <name ...>; selfClosed where it is <name .../>
	tokenClose               // </name>
	tokenText                // text or CDATA, references resolved
	tokenComment             // <!-- -->
	tokenPI                  // <?target ...?>
)

// token is one piece of a document. Names are as written, prefix and local part.
type token struct {
	kind       kind
	prefix     string
	local      string
	attrs      []attr // valid until the next token
	selfClosed bool
	text       string
	at, end    int // byte offsets in the document
}

// attr is an attribute; space is filled in when namespaces are resolved.
type attr struct {
	prefix, local, value string
	space                string
}

// fault is why a document cannot be read any further.
type fault struct {
	rule  Rule
	what  string
	value string
	at    int // byte offset
}

const maxAttrs = 32 // of one element; CAP has none but declarations

// scanner reads one document from front to back.
type scanner struct {
	doc   string
	pos   int
	attrs []attr
}

// newScanner checks what holds for the whole document (size, encoding, characters) and
// stands behind the byte order mark and the XML declaration.
func newScanner(doc string) (*scanner, *fault) {
	if len(doc) > MaxSize {
		return nil, &fault{rule: RuleSize, what: "a document has at most 16 MiB"}
	}
	if name := wideEncoding(doc); name != "" {
		return nil, &fault{rule: RuleEncoding, what: "the document must be in UTF-8, UTF-16, US-ASCII or ISO-8859-1", value: name}
	}
	s := &scanner{doc: doc}
	s.pos = len(s.doc) - len(strings.TrimPrefix(s.doc, "\uFEFF"))
	if f := s.declaration(); f != nil {
		return nil, f
	}
	if f := checkCharacters(s.doc); f != nil {
		return nil, f
	}
	return s, nil
}

// declaration reads <?xml version="1.0" encoding="UTF-8" standalone="no"?> if it is there.
func (s *scanner) declaration() *fault {
	rest := s.doc[s.pos:]
	if !strings.HasPrefix(rest, "<?xml") || len(rest) == 5 || !isSpace(rest[5]) {
		return nil
	}
	start := s.pos
	s.pos += 5
	bad := func() *fault { return s.fault(RuleSyntax, "the XML declaration is malformed", start) }
	order := []string{"version", "encoding", "standalone"}
	for {
		spaced := s.space()
		if s.take("?>") {
			if order[0] == "version" {
				return bad()
			}
			return nil
		}
		prefix, name, ok := s.name()
		if !ok || prefix != "" || !spaced {
			return bad()
		}
		for len(order) > 0 && order[0] != name {
			if order[0] == "version" {
				return bad()
			}
			order = order[1:]
		}
		if len(order) == 0 {
			return bad()
		}
		order = append(order[1:], "")
		value, ok := s.quoted()
		if !ok {
			return bad()
		}
		switch {
		case name == "version" && value != "1.0":
			return &fault{rule: RuleSyntax, what: "the document must be XML 1.0", value: value, at: start}
		case name == "encoding" && !strings.EqualFold(value, "UTF-8"):
			return &fault{rule: RuleEncoding, what: "the document must be in UTF-8, UTF-16, US-ASCII or ISO-8859-1", value: value, at: start}
		case name == "standalone" && value != "yes" && value != "no":
			return bad()
		}
	}
}

// quoted reads = and a quoted value, without resolving anything in it.
func (s *scanner) quoted() (string, bool) {
	s.space()
	if !s.take("=") {
		return "", false
	}
	s.space()
	if s.pos >= len(s.doc) || s.doc[s.pos] != '"' && s.doc[s.pos] != '\'' {
		return "", false
	}
	quote := s.doc[s.pos : s.pos+1]
	value, _, ok := strings.Cut(s.doc[s.pos+1:], quote)
	if !ok {
		return "", false
	}
	s.pos += len(value) + 2
	return value, true
}

// next reads one token.
func (s *scanner) next() (token, *fault) {
	t := token{at: s.pos}
	if s.pos >= len(s.doc) {
		t.end = s.pos
		return t, nil
	}
	var f *fault
	rest := s.doc[s.pos:]
	switch {
	case rest[0] != '<':
		f = s.text(&t)
	case strings.HasPrefix(rest, "</"):
		f = s.close(&t)
	case strings.HasPrefix(rest, "<?"):
		f = s.instruction(&t)
	case strings.HasPrefix(rest, "<!--"):
		f = s.comment(&t)
	case strings.HasPrefix(rest, "<![CDATA["):
		f = s.cdata(&t)
	case strings.HasPrefix(rest, "<!"):
		if strings.HasPrefix(rest, "<!DOCTYPE") {
			return t, s.fault(RuleDoctype, "a document type declaration is not allowed", s.pos)
		}
		f = s.fault(RuleSyntax, "the markup is malformed", s.pos)
	default:
		f = s.open(&t)
	}
	t.end = s.pos
	return t, f
}

// text reads up to the next tag.
func (s *scanner) text(t *token) *fault {
	t.kind = tokenText
	raw := s.doc[s.pos:]
	if i := strings.IndexByte(raw, '<'); i >= 0 {
		raw = raw[:i]
	}
	if i := strings.Index(raw, "]]>"); i >= 0 {
		return s.fault(RuleSyntax, "]]> must not stand in text", s.pos+i)
	}
	text, f := s.resolve(raw, false)
	t.text = text
	s.pos += len(raw)
	return f
}

func (s *scanner) cdata(t *token) *fault {
	t.kind = tokenText
	raw, _, ok := strings.Cut(s.doc[s.pos+len("<![CDATA["):], "]]>")
	if !ok {
		return s.fault(RuleSyntax, "a CDATA section does not end", s.pos)
	}
	t.text = lineEnds(raw)
	s.pos += len("<![CDATA[") + len(raw) + len("]]>")
	return nil
}

func (s *scanner) comment(t *token) *fault {
	t.kind = tokenComment
	raw, _, ok := strings.Cut(s.doc[s.pos+len("<!--"):], "--")
	end := s.pos + len("<!--") + len(raw) + len("--")
	if !ok || end >= len(s.doc) || s.doc[end] != '>' {
		return s.fault(RuleSyntax, "a comment does not end, or has -- inside", s.pos)
	}
	s.pos = end + 1
	return nil
}

func (s *scanner) instruction(t *token) *fault {
	t.kind = tokenPI
	start := s.pos
	s.pos += len("<?")
	prefix, local, ok := s.name()
	if !ok || prefix != "" || strings.EqualFold(local, "xml") {
		return s.fault(RuleSyntax, "a processing instruction is malformed", start)
	}
	raw, _, ok := strings.Cut(s.doc[s.pos:], "?>")
	if !ok || raw != "" && !isSpace(raw[0]) {
		return s.fault(RuleSyntax, "a processing instruction is malformed", start)
	}
	t.local, t.text = local, lineEnds(strings.TrimLeft(raw, " \t\r\n"))
	s.pos += len(raw) + len("?>")
	return nil
}

func (s *scanner) close(t *token) *fault {
	t.kind = tokenClose
	start := s.pos
	s.pos += len("</")
	var ok bool
	if t.prefix, t.local, ok = s.name(); !ok {
		return s.fault(RuleSyntax, "an end tag is malformed", start)
	}
	s.space()
	if !s.take(">") {
		return s.fault(RuleSyntax, "an end tag is malformed", start)
	}
	return nil
}

func (s *scanner) open(t *token) *fault {
	t.kind = tokenOpen
	start := s.pos
	s.pos += len("<")
	var ok bool
	if t.prefix, t.local, ok = s.name(); !ok {
		return s.fault(RuleSyntax, "a tag is malformed", start)
	}
	s.attrs = s.attrs[:0]
	for {
		spaced := s.space()
		switch {
		case s.take(">"):
			t.attrs = s.attrs
			return nil
		case s.take("/>"):
			t.attrs, t.selfClosed = s.attrs, true
			return nil
		case !spaced:
			return s.fault(RuleSyntax, "a tag is malformed", start)
		}
		if f := s.attribute(start); f != nil {
			return f
		}
	}
}

// attribute reads name="value" and keeps it.
func (s *scanner) attribute(start int) *fault {
	at := s.pos
	prefix, local, ok := s.name()
	if !ok {
		return s.fault(RuleSyntax, "a tag is malformed", start)
	}
	raw, ok := s.quoted()
	if !ok || strings.IndexByte(raw, '<') >= 0 {
		return s.fault(RuleSyntax, "an attribute is malformed", at)
	}
	value, f := s.resolve(raw, true)
	if f != nil {
		return f
	}
	for _, a := range s.attrs {
		if a.prefix == prefix && a.local == local {
			return s.fault(RuleSyntax, "an attribute stands twice in one tag", at)
		}
	}
	if len(s.attrs) == maxAttrs {
		return s.fault(RuleSize, "an element has at most 32 attributes", at)
	}
	s.attrs = append(s.attrs, attr{prefix: prefix, local: local, value: value})
	return nil
}

// name reads a qualified name: at most one colon, with a name on each side.
func (s *scanner) name() (prefix, local string, ok bool) {
	first := s.ncName()
	if first == "" {
		return "", "", false
	}
	if !s.take(":") {
		return "", first, true
	}
	second := s.ncName()
	return first, second, second != ""
}

func (s *scanner) ncName() string {
	start := s.pos
	for s.pos < len(s.doc) {
		c := s.doc[s.pos]
		if c < utf8.RuneSelf {
			letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
			if !letter && (s.pos == start || !(c >= '0' && c <= '9' || c == '-' || c == '.')) {
				break
			}
			s.pos++
			continue
		}
		r, n := utf8.DecodeRuneInString(s.doc[s.pos:])
		if !isNameStart(r) && (s.pos == start || !isNameRest(r)) {
			break
		}
		s.pos += n
	}
	return s.doc[start:s.pos]
}

// resolve replaces references and line ends; in an attribute white space becomes spaces
// (clauses 2.11, 3.3.3, 4.1). s.pos stands at or before raw, for the fault's place.
func (s *scanner) resolve(raw string, inAttr bool) (string, *fault) {
	special := "&\r"
	if inAttr {
		special = "&\r\n\t"
	}
	if strings.IndexAny(raw, special) < 0 {
		return raw, nil
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&':
			text, n, rule := reference(raw[i:])
			if rule != "" {
				what := "a reference is malformed or names no XML character"
				if rule == RuleEntity {
					what = "only the entities amp, lt, gt, apos and quot may be used"
				}
				return "", &fault{rule: rule, what: what, value: clip(raw[i:], 20), at: s.pos + i}
			}
			b.WriteString(text)
			i += n
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			i++ // the line feed stands for both
		case c == '\r' && !inAttr:
			b.WriteByte('\n')
			i++
		case inAttr && isSpace(c):
			b.WriteByte(' ')
			i++
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), nil
}

// space skips white space and reports whether there was any.
func (s *scanner) space() bool {
	start := s.pos
	for s.pos < len(s.doc) && isSpace(s.doc[s.pos]) {
		s.pos++
	}
	return s.pos > start
}

// take skips what if it stands next.
func (s *scanner) take(what string) bool {
	if !strings.HasPrefix(s.doc[s.pos:], what) {
		return false
	}
	s.pos += len(what)
	return true
}

func (s *scanner) fault(rule Rule, what string, at int) *fault {
	return &fault{rule: rule, what: what, value: clip(s.doc[min(at, len(s.doc)):], 40), at: at}
}
