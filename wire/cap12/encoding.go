package cap12

import (
	"encoding/binary"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// CAP 1.2 says only that a message is an XML 1.0 document (clause 4.2), and so leaves its
// encoding to that: every processor must read UTF-8 and UTF-16, the latter with a byte order
// mark (XML 1.0, 4.3.3), and may read others by their registered name. Read here besides are
// US-ASCII, which is UTF-8 as it stands, and ISO-8859-1, whose octets are code points. All
// else is refused by name: a reader that guesses shows people what nobody wrote.
//
// What comes out is the same document in UTF-8, and everything after this sees only that.

// declared is an XML declaration's encoding; the second group is its name.
var declared = regexp.MustCompile(`^(\x{FEFF}?<\?xml[ \t\r\n][^<>]{0,100}?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["'])([A-Za-z][A-Za-z0-9._-]{0,40})["']`)

// decoded is a document's text in UTF-8 and the name of the encoding it came in, which is
// empty for UTF-8.
func decoded(b []byte) (doc, from string, f *fault) {
	doc = string(b[:min(len(b), MaxSize+1)])
	if len(b) > MaxSize {
		return doc, "", &fault{rule: RuleSize, what: "a document has at most 16 MiB"}
	}
	big := strings.HasPrefix(doc, "\xFE\xFF")
	if wide := big || strings.HasPrefix(doc, "\xFF\xFE") && !strings.HasPrefix(doc, "\xFF\xFE\x00\x00"); wide {
		return fromUTF16(b, big)
	}
	m := declared.FindStringSubmatchIndex(doc)
	if m == nil {
		return doc, "", nil
	}
	switch name := strings.ToUpper(doc[m[4]:m[5]]); name {
	case "US-ASCII", "ASCII":
		if i := strings.IndexFunc(doc, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
			return doc, "", &fault{rule: RuleEncoding, what: "the document says that it is in " + name + " and has other characters", value: clip(doc[i:], 10), at: i}
		}
		return redeclared(doc), "", nil
	case "ISO-8859-1", "LATIN1", "ISO_8859-1":
		return fromLatin1(doc)
	}
	return doc, "", nil // UTF-8, or what the scanner refuses by its name
}

// fromLatin1 turns octets into the code points they are. Those of the C1 controls are in no
// text: a document that has them is in Windows-1252 or UTF-8 and says otherwise.
func fromLatin1(doc string) (string, string, *fault) {
	var b strings.Builder
	b.Grow(len(doc) + len(doc)/8)
	for i := range len(doc) {
		c := doc[i]
		if c >= 0x80 && c < 0xA0 {
			return doc, "", &fault{rule: RuleEncoding, what: "the document says that it is in ISO-8859-1 and is not", value: doc[i : i+1], at: i}
		}
		b.WriteRune(rune(c))
	}
	return redeclared(b.String()), "ISO-8859-1", nil
}

// fromUTF16 reads what stands after a byte order mark.
func fromUTF16(b []byte, big bool) (string, string, *fault) {
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	bad := func(i int) (string, string, *fault) {
		return "", "", &fault{rule: RuleEncoding, what: "the document is not the UTF-16 that its byte order mark promises", at: i}
	}
	if len(b)%2 != 0 {
		return bad(0)
	}
	var out strings.Builder
	out.Grow(len(b))
	for i := 2; i < len(b); i += 2 {
		r := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			if i+4 > len(b) {
				return bad(0)
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(b[i+2:]))); r == utf8.RuneError {
				return bad(0)
			}
			i += 2
		}
		out.WriteRune(r)
	}
	doc := out.String()
	if m := declared.FindStringSubmatch(doc); m != nil && !strings.EqualFold(m[2], "UTF-16") {
		return "", "", &fault{rule: RuleEncoding, what: "the document begins in UTF-16 and says that it is in another encoding", value: m[2]}
	}
	return redeclared(doc), "UTF-16", nil
}

// redeclared is a document whose XML declaration says UTF-8, which it now is.
func redeclared(doc string) string {
	m := declared.FindStringSubmatchIndex(doc)
	if m == nil {
		return doc
	}
	return doc[:m[4]] + "UTF-8" + doc[m[5]:]
}
