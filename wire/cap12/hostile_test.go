package cap12

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"tocsin/wire/hostile"
)

// Documents made to cost more than their length. Each must be answered in time and
// memory that its length explains.
func TestHostileDocuments(t *testing.T) {
	b, err := golden()["alert"].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	big := func(s string) string { return many(MaxSize/8/len(s), s) }
	for name, c := range map[string]struct {
		make edit
		rule Rule // "" where the document is valid
	}{
		"a million levels":        {whole("<alert xmlns='" + Namespace + "'>" + many(1_000_000, "<a>")), RuleDepth},
		"too long":                {whole(good + many(MaxSize, " ")), RuleSize},
		"elements without number": {before("<status>", many(MaxElements, "<a/>")), RuleElements},
		"wrong elements":          {before("<status>", many(MaxElements-100, "\n<a/>")), RuleUnknown},
		"text in pieces":          {swap("<event>Attack drone<", "<event>"+big("a<!---->")+"<"), ""},
		"text in CDATA pieces":    {swap("<event>Attack drone<", "<event>"+big("<![CDATA[a]]>")+"<"), ""},
		"references":              {swap("<event>Attack drone<", "<event>"+big("&#x1F6A8;")+"<"), ""},
		"instructions":            {before("<status>", many(MaxElements, "<?a?>")), RuleElements},
		"a long attribute":        {swap("<status>", "<status a='"+big("&amp;")+"'>"), RuleAttribute},
		"a long name":             {before("<status>", "<"+big("a")+"/>"), RuleUnknown},
		"a long prefix":           {before("<status>", "<"+big("a")+":b/>"), RuleNamespace},
		"a long number":           {swap("46.515,", "46.515"+big("0")+","), ""},
		"a polygon of a million":  {swap("46.515,30.703 ", "46.515,30.703 "+big("46.515,30.703 ")), ""},
		"infos":                   {before("<info>", many(MaxElements-1000, "<info/>")), RuleMissing},
		"signatures":              {before("</alert>", many(MaxElements-1000, "<Signature xmlns='"+dsigNamespace+"'/>")), ""},
		"white space":             {before("<status>", big("\r\n")), ""},
		"addresses":               {before("<code>", "<addresses>"+big(`"a b" `)+"</addresses>"), ""},
		"open quotes":             {before("<code>", "<addresses>"+big(`"`)+"</addresses>"), RuleQuotes},
		"references to nothing":   {before("<incidents>", "<references>"+big("a ")+"</references>"), RuleReference},
		"commas":                  {before("<incidents>", "<references>"+big(",")+"</references>"), RuleReference},
		"less-than signs":         {whole(big("<")), RuleSyntax},
		"an open comment":         {whole("<!--" + big("-")), RuleSyntax},
		"an open CDATA":           {whole("<a><![CDATA[" + big("]")), RuleSyntax},
		"an open tag":             {whole("<a " + big("a=''")), RuleSyntax},
		"ampersands":              {whole("<a>" + big("&")), RuleSyntax},
		"a billion laughs":        {whole("<!DOCTYPE a [<!ENTITY a '" + many(1000, "&b;") + "'>]><a>&a;</a>"), RuleDoctype},
	} {
		doc := c.make(good)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		r := Check(doc)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		switch {
		case c.rule == "" && !r.Valid():
			t.Errorf("%s: %v", name, r.Err())
		case c.rule != "" && (r.Valid() || r.Defects[0].Rule != c.rule):
			t.Errorf("%s: want %s, got %v", name, c.rule, r.Err())
		}
		if took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 10*uint64(len(doc))+64<<20 {
			t.Errorf("%s: %d bytes allocated for %d", name, spent, len(doc))
		}
		if _, err := Verify(doc, authority().cert, time.Time{}); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
}

// Each golden alert with each prefix of it cut off, and each byte doubled: no panic,
// and never taken for whole.
func TestTruncated(t *testing.T) {
	b := read1(t, "testdata/good/apostrophes-and-markup.xml")
	for i := range len(b) - 1 {
		if Check(b[:i]).Valid() {
			t.Errorf("the first %d bytes are taken for the whole", i)
		}
		Check(append(b[:i+1:i+1], b[i:]...))
	}
}

// Good documents, mutated: no panic in reader or verifier, and Check, Parse and Verify of one
// mind. TOCSIN_MUTATIONS says how many.
func TestMutatedDocuments(t *testing.T) {
	cert := signedCertificate(t)
	var seeds [][]byte
	for _, pattern := range []string{"good/alert.xml", "good/apostrophes-and-markup.xml", "good/update-widens.xml", "signed/*.xml"} {
		for _, file := range folder(t, filepath.Join("testdata", pattern)) {
			seeds = append(seeds, read1(t, file))
		}
	}
	o := hostile.Run(t, hostile.Decoder{Name: "wire/cap12", Seeds: seeds, Decode: func(b []byte) bool {
		ok := Check(b).Valid()
		if _, _, err := Parse(b); (err == nil) != ok {
			t.Errorf("Check says %v, Parse %v, of\n%s", ok, err, b)
		}
		if _, err := Verify(b, cert, time.Time{}); err == nil && !ok {
			t.Errorf("verified and not valid:\n%s", b)
		}
		return ok
	}})
	if o.Taken == 0 || o.Taken == o.Inputs {
		t.Error("the mutations say nothing")
	}
}

// outline is a document as element names and text, for comparing readers.
func outline(n *node, b *strings.Builder) {
	fmt.Fprintf(b, "<%s %s>", flat.Replace(n.space), n.local)
	if len(n.children) == 0 {
		b.WriteString(n.text)
	}
	for _, c := range n.children {
		outline(c, b)
	}
	b.WriteString("</>")
}

// encoding/xml does not turn white space in attributes into spaces.
var flat = strings.NewReplacer("\r", " ", "\n", " ", "\t", " ")

// outlineElsewhere is the same by encoding/xml.
func outlineElsewhere(doc []byte) (string, error) {
	type open struct {
		parent bool
		text   strings.Builder
	}
	var b strings.Builder
	var stack []*open
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(string(doc), "\uFEFF")))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch x := token.(type) {
		case xml.StartElement:
			if len(stack) > 0 {
				stack[len(stack)-1].parent = true
			}
			stack = append(stack, &open{})
			fmt.Fprintf(&b, "<%s %s>", flat.Replace(x.Name.Space), x.Name.Local)
		case xml.EndElement:
			if last := stack[len(stack)-1]; !last.parent {
				b.WriteString(last.text.String())
			}
			b.WriteString("</>")
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text.Write(x)
			}
		}
	}
}
