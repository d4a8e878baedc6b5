package cap12

import (
	"strings"
	"testing"
)

// RFC 3986, clause by clause; what it has as examples is taken.
func TestURISyntax(t *testing.T) {
	for _, s := range []string{
		"ftp://ftp.is.co.za/rfc/rfc1808.txt", "http://www.ietf.org/rfc/rfc2396.txt", "ldap://[2001:db8::7]/c=GB?objectClass?one",
		"mailto:John.Doe@example.com", "news:comp.infosystems.www.servers.unix", "tel:+1-816-555-1212", "telnet://192.0.2.16:80/",
		"urn:oasis:names:specification:docbook:dtd:xml:4.1.2", "foo://example.com:8042/over/there?name=ferret#nose",
		"http://a", "http://a?", "http://a#", "http://a/;p?q", "file:///etc/hosts", "http://[v7.a:b]/", "http://[::ffff:192.0.2.1]/", "a:b:c", "http://h:65535", "x:/a//b",
	} {
		if what, loose := brokenURI(s, false); what != "" || loose {
			t.Errorf("%s: refused: %s, %v", s, what, loose)
		}
	}
	for _, s := range []string{"http://h/a b", "http://h/a\n  b", "http://h/?a b", "http://h/#a b", "http://h/{a}", "urn:a b"} {
		if what, loose := brokenURI(s, false); what != "" || !loose {
			t.Errorf("%s: refused, or not remarked on: %s", s, what)
		}
	}
	for _, s := range []string{"map.png", "../map.png", "//h/p", "/p:q", "./a:b", "?q", "#f", "%41"} {
		if what, _ := brokenURI(s, true); what != "" {
			t.Errorf("%s: refused though it may be relative: %s", s, what)
		}
		if what, _ := brokenURI(s, false); what == "" {
			t.Errorf("%s: taken for absolute", s)
		}
	}
	for _, s := range []string{
		"http://h:port/", "http://h:/", "http://h:65536/", "http://h:" + strings.Repeat("9", 100), "http://h:-1/", "http://h:80:80/",
		"http://[::1", "http://[::1]x/", "http://[::1%eth0]/", "http://[::1%25eth0]/", "http://[1.2.3.4]/", "http://[]/", "http://[v.a]/", "http://[v7.]/", "http://[v7.%41]/", "http://::1/",
		"http://h?q[]", "http://h/[", "http://h/a#b#c", "http://x/%zz", "http://x/%4", "http://x/%", "http://%zz/", "http://x?%", "http://x#%a", "http://a@b@c/",
		"http:", "://h", "1a:b", "-a:b", "a b:c", "http://a b/", "http://u v@h/", "http://h:8 0/", "http://h/a\x7fb", "h\u00e9:a",
	} {
		for _, relative := range []bool{false, true} {
			if what, _ := brokenURI(s, relative); what == "" {
				t.Errorf("%s: taken (relative %v)", s, relative)
			}
		}
	}
}
