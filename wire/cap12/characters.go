package cap12

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// wideEncoding names the 16 or 32 bit encoding that a document starts in, else "".
func wideEncoding(doc string) string {
	for _, w := range []struct{ start, name string }{
		{"\x00\x00\xFE\xFF", "UTF-32"}, {"\xFF\xFE\x00\x00", "UTF-32"}, {"\x00\x00\x00<", "UTF-32"}, {"<\x00\x00\x00", "UTF-32"},
		{"\xFE\xFF", "UTF-16"}, {"\xFF\xFE", "UTF-16"}, {"\x00<", "UTF-16"}, {"<\x00", "UTF-16"},
		{"\x4C\x6F\xA7\x94", "EBCDIC"},
	} {
		if strings.HasPrefix(doc, w.start) {
			return w.name
		}
	}
	return ""
}

// checkCharacters finds bytes that are not UTF-8 and characters that XML has not (clause 2.2).
func checkCharacters(doc string) *fault {
	for i := 0; i < len(doc); {
		c := doc[i]
		if c >= 0x20 && c < utf8.RuneSelf || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(doc[i:])
		if r == utf8.RuneError && n <= 1 {
			return &fault{rule: RuleEncoding, what: "the document must be in UTF-8", value: doc[i : i+1], at: i}
		}
		if !isChar(r) {
			return &fault{rule: RuleCharacter, what: "XML has no such character", value: doc[i : i+n], at: i}
		}
		i += n
	}
	return nil
}

func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// isNameStart and isNameRest are productions 4 and 4a of XML 1.0 beyond ASCII.
func isNameStart(r rune) bool {
	switch {
	case r >= 0xC0 && r <= 0x2FF:
		return r != 0xD7 && r != 0xF7
	case r >= 0x370 && r <= 0x1FFF:
		return r != 0x37E
	}
	return r == 0x200C || r == 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF ||
		r >= 0x3001 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD ||
		r >= 0x10000 && r <= 0xEFFFF
}

func isNameRest(r rune) bool {
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

// reference reads &name; or &#number; at the front of raw: its text and length.
func reference(raw string) (text string, n int, broken Rule) {
	name, _, ok := strings.Cut(raw[1:min(len(raw), 64)], ";")
	if !ok || name == "" {
		return "", 0, RuleSyntax
	}
	n = len(name) + 2
	if digits, ok := strings.CutPrefix(name, "#"); ok {
		base := rune(10)
		if hex, ok := strings.CutPrefix(digits, "x"); ok {
			digits, base = hex, 16
		}
		var r rune
		for i := range len(digits) {
			d := digit(digits[i])
			if d >= base || r > utf8.MaxRune {
				return "", 0, RuleSyntax
			}
			r = r*base + d
		}
		if digits == "" || !isChar(r) {
			return "", 0, RuleSyntax
		}
		return string(r), n, ""
	}
	switch name {
	case "amp":
		return "&", n, ""
	case "lt":
		return "<", n, ""
	case "gt":
		return ">", n, ""
	case "apos":
		return "'", n, ""
	case "quot":
		return `"`, n, ""
	}
	if s := (scanner{doc: name}); s.ncName() != name {
		return "", 0, RuleSyntax
	}
	return "", 0, RuleEntity
}

// digit is the value of a hexadecimal digit, 99 for anything else.
func digit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 99
}

// lineEnds turns CR LF and CR into LF.
func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// blank reports whether text is white space only, or nothing.
func blank(s string) bool { return trim(s) == "" }

// trim and fields know XML's white space only: a no-break space is no separator.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }

func fields(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 0; i < len(s); {
			if isSpace(s[i]) {
				i++
				continue
			}
			start := i
			for i < len(s) && !isSpace(s[i]) {
				i++
			}
			if !yield(s[start:i]) {
				return
			}
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// clip cuts text to at most n bytes and marks the cut; it never cuts inside a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
