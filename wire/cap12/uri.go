package cap12

import (
	"net/netip"
	"strings"
)

// uri reads an absolute URI; where relative ones are allowed, any reference.
func (c *checker) uri(n *node, relative bool) string {
	s := trim(c.optional(n))
	if s == "" {
		return ""
	}
	what := n.local + " must be an absolute URI"
	if relative {
		what = n.local + " must be a URI"
	}
	broken, loose := brokenURI(s, relative)
	switch {
	case broken != "":
		c.bad(RuleURI, n, s, what+": "+broken)
	case loose:
		c.odd(OddURI, n, s, "the schema takes such characters, RFC 3986 wants them escaped")
	}
	return s
}

// brokenURI says what of RFC 3986 a URI breaks, "" where nothing. Beyond that RFC it lets
// through what XSD's anyURI has escaped by its reader: characters beyond ASCII (RFC 3987),
// and nine and white space that no URI may have, for which loose is true.
func brokenURI(s string, relative bool) (what string, loose bool) {
	rest, fragment, _ := strings.Cut(s, "#")
	rest, query, _ := strings.Cut(rest, "?")
	scheme, path, hasScheme := strings.Cut(rest, ":")
	if !hasScheme || !isScheme(scheme) {
		// In a relative one, the first segment must not look like a scheme (clause 4.2).
		if first, _, _ := strings.Cut(rest, "/"); !relative || strings.Contains(first, ":") {
			return "it has no scheme", false
		}
		path = rest
	} else if path == "" {
		return "nothing follows the scheme", false
	}
	if host, ok := strings.CutPrefix(path, "//"); ok {
		authority, _, _ := strings.Cut(host, "/")
		if what = brokenAuthority(authority); what != "" {
			return what, false
		}
		path = host[len(authority):]
	}
	for _, part := range []struct{ name, text, also string }{
		{"path", path, ":@/" + anyURISpace}, {"query", query, ":@/?" + anyURISpace}, {"fragment", fragment, ":@/?" + anyURISpace},
	} {
		if what = brokenPart(part.text, part.also); what != "" {
			return what + " in its " + part.name, false
		}
	}
	return "", strings.ContainsAny(s, anyURIOnly+anyURISpace)
}

// anyURIOnly are the characters that XSD 1.0 part 2, clause 3.2.17 takes and escapes.
const anyURIOnly = "<>\"{}|\\^`"

// anyURISpace is the white space that it takes too, escaped as one space. Deviation: not in
// an authority, which no escape of a space can name.
const anyURISpace = " \t\r\n"

// brokenAuthority says what is wrong with userinfo@host:port (clause 3.2). Deviation: an
// empty port is refused, and one over 65535, which the RFC's grammar has: libxml2 refuses
// the one, and nothing connects to the other.
func brokenAuthority(s string) string {
	host := s
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		if what := brokenPart(s[:i], ":"); what != "" {
			return what + " before its host"
		}
		host = s[i+1:]
	}
	port, hasPort := "", false
	if inside, ok := strings.CutPrefix(host, "["); ok {
		literal, after, closed := strings.Cut(inside, "]")
		if !closed || !isLiteral(literal) {
			return "its host is not an IP address in brackets"
		}
		if port, hasPort = strings.CutPrefix(after, ":"); !hasPort && after != "" {
			return "something follows the brackets of its host"
		}
	} else {
		host, port, hasPort = strings.Cut(host, ":")
		if what := brokenPart(host, ""); what != "" {
			return what + " in its host"
		}
	}
	if hasPort && !isPort(port) {
		return "its port is not a number up to 65535"
	}
	return ""
}

func isPort(s string) bool {
	n := 0
	for i := range len(s) {
		if n = n*10 + int(digit(s[i])); digit(s[i]) > 9 || n > 65535 {
			return false
		}
	}
	return s != ""
}

// isLiteral is IPv6address or IPvFuture (clause 3.2.2); zones of an address are not in it.
func isLiteral(s string) bool {
	if s != "" && (s[0] == 'v' || s[0] == 'V') {
		version, address, ok := strings.Cut(s[1:], ".")
		for i := range len(version) {
			ok = ok && digit(version[i]) < 16
		}
		return ok && version != "" && address != "" && brokenPart(address, ":") == "" &&
			!strings.ContainsAny(address, "%"+anyURIOnly) && isASCII(address)
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.Zone() == ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func isScheme(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && (i == 0 || strings.IndexByte("0123456789+-.", s[i]) < 0) {
			return false
		}
	}
	return s != ""
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// brokenPart finds what is neither unreserved, nor sub-delims, nor percent-encoded, nor
// among the other characters that may stand there.
func brokenPart(s, also string) string {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isLetter(c) || c >= '0' && c <= '9' || c >= 0x80:
		case c == '%':
			if i+2 >= len(s) || digit(s[i+1]) > 15 || digit(s[i+2]) > 15 {
				return "a % without two hexadecimal digits"
			}
		case strings.IndexByte("-._~!$&'()*+,;="+also+anyURIOnly, c) < 0:
			return "a character that may not stand there"
		}
	}
	return ""
}
