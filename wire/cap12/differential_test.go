package cap12

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tocsin/wire/hostile"
)

// Values at the edge of what the schema's types take, on both sides of it.
var edgeValues = map[string][]string{
	"uri": {
		"", " ", "http://h:port/", "http://h:/", "http://h:0/", "http://h:99999/", "http://h:99999999999/", "http://[::1", "http://[::1]", "http://[::1]]", "http://h?q[]", "http://h#[", "http://h/a#b#c",
		"http://x/%zz", "http://x/%", "http://x/%41", "http:", "http://", "a:", ":", "//h", "map.png", "1:2", "http://a b/", "http://h/a|b", "http://h/<>", "http://\\\\h", "http://приклад.укр/", "mailto:a@b",
		"urn:a:b", "http://u@h@i/", "http://h//", "a://:80", "http://h\n", "\thttp://h ", "http://[v1.x]/", "http://[x]/", "http://%41/", "http://h?%", "http://h#%zz", "http:?q", "a:#", "http://h/\u00a0",
	},
	"language": {"", " ", "en", " en ", "e n", "en-", "-en", "en--us", "en-US", "en_US", "i-klingon", "x-a", "abcdefghi", "en-abcdefghi", "uk-Cyrl-UA", "en-1", "1-en", "\u0456", "en\u00a0", "q"},
	"time": {
		"", " ", "2026-11-21T21:14:07+02:00", " 2026-11-21T21:14:07+02:00\n", "2026-11-21T24:00:00+02:00", "2026-11-21T24:00:01+02:00", "2026-02-29T00:00:00-00:00", "2028-02-29T00:00:00-00:00", "2100-02-29T00:00:00-00:00",
		"0000-01-01T00:00:00-00:00", "9999-12-31T24:00:00-00:00", "9999-12-31T23:59:59-14:00", "2026-11-21T21:14:60+02:00", "2026-11-21T21:60:00+02:00", "2026-11-21T21:14:07+14:00", "2026-11-21T21:14:07+14:01",
		"2026-11-21T21:14:07-14:59", "2026-11-21T21:14:07+02:60", "2026-13-01T00:00:00+00:00", "2026-00-01T00:00:00+00:00", "2026-01-00T00:00:00+00:00", "2026-04-31T00:00:00+00:00", "2026-11-21T21:14:07Z", "2026-11-21T21:14:07.0+02:00",
		"12026-11-21T21:14:07+02:00", "-2026-11-21T21:14:07+02:00", "2026-11-21t21:14:07+02:00", "2026-11-21T21:14:07", "٢٠٢٦-11-21T21:14:07+02:00",
	},
	"number": {
		"", " ", "0", "-0", "+0", "+-1", "--1", "1.", ".1", ".", "+.", "-.5", "1e3", "NaN", "INF", "1_000", "0x10", " 7 ", "7 7", "1,5", "1..2", "00012.500", "١", strings.Repeat("9", 18), strings.Repeat("9", 19),
		"9223372036854775808", strings.Repeat("9", 24), strings.Repeat("9", 25), "0." + strings.Repeat("3", 30), strings.Repeat("0", 40) + "1", strings.Repeat("1", 400),
	},
	"word": {"", " ", "Actual", "actual", " Actual", "Actual\n", "Alert", "Public", "Safety", "CBRNE", "Shelter", "AllClear", "None", "Immediate", "Extreme", "Likely", "Very Likely", "Unknown", "Past", "Аctual", "Error", "Private"},
	"text": {"", " ", "a", "&lt;", "<![CDATA[ ]]>", "<!-- -->", "<?a?>", "<b/>", "\u00a0", "&#x20;", "&#13;", "&nbsp;"},
}

// typed says which of them an element is to be given.
var typed = map[string]string{
	"web": "uri", "uri": "uri", "language": "language", "sent": "time", "effective": "time", "onset": "time", "expires": "time", "size": "number", "altitude": "number", "ceiling": "number",
	"status": "word", "msgType": "word", "scope": "word", "category": "word", "responseType": "word", "urgency": "word", "severity": "word", "certainty": "word",
}

var leaf = regexp.MustCompile(`<(\w+)>([^<]*)</\w+>`)

// mutant is a good document with one or two elements given an edge value, another place, or a
// twin; or none.
func mutant(r *rand.Rand, doc string) string {
	for range 1 + r.IntN(2) {
		all := leaf.FindAllStringSubmatchIndex(doc, -1)
		if len(all) == 0 {
			return doc
		}
		at := all[r.IntN(len(all))]
		name, whole := doc[at[2]:at[3]], doc[at[0]:at[1]]
		kind := typed[name]
		for range 3 { // most elements are texts: draw rather what has a type
			if kind != "" {
				break
			}
			at = all[r.IntN(len(all))]
			name, whole = doc[at[2]:at[3]], doc[at[0]:at[1]]
			kind = typed[name]
		}
		switch r.IntN(12) {
		case 0:
			doc = doc[:at[0]] + doc[at[1]:]
		case 1:
			doc = doc[:at[1]] + whole + doc[at[1]:]
		case 2: // elsewhere
			other := all[r.IntN(len(all))]
			doc = doc[:other[0]] + whole + doc[other[0]:]
		case 3: // a value of the wrong kind
			kinds := []string{"uri", "language", "time", "number", "word", "text"}
			kind = kinds[r.IntN(len(kinds))]
			fallthrough
		default:
			if kind == "" {
				kind = "text"
			}
			value := edgeValues[kind][r.IntN(len(edgeValues[kind]))]
			if kind != "text" {
				value = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;").Replace(value)
				if r.IntN(4) == 0 && value != "" { // one octet of the printable ones more, or another
					i := r.IntN(len(value))
					if value[i] < 0x80 && !strings.ContainsAny(value, "&<") {
						c := string(rune('!' + r.IntN('~'-'!')))
						value = value[:i] + strings.NewReplacer("<", "|", "&", "#").Replace(c) + value[i+r.IntN(2):]
					}
				}
			}
			doc = doc[:at[4]] + value + doc[at[5]:]
		}
	}
	return doc
}

// What the schema refuses, as xmllint reads it, Check never calls valid: good documents with
// everything in them, and many of their mutants.
func TestNoLaxerThanTheSchema(t *testing.T) {
	judge(t, "xmllint")
	const structured, octets = 2000, 200
	a := golden()["alert"]
	low, high := -10.5, 100.25
	for i := range a.Infos {
		a.Infos[i].Areas[0].Altitude, a.Infos[i].Areas[0].Ceiling = &low, &high
		a.Infos[i].Resources = []Resource{{Desc: "Map", MIMEType: "image/png", Size: 3, URI: "map.png", DerefURI: "AAEC"}, {Desc: "Map", MIMEType: "image/png", Size: 4, URI: "https://example.gov/"}}
	}
	full, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	seeds := [][]byte{full, read1(t, "testdata/good/apostrophes-and-markup.xml"), read1(t, "testdata/good/update-shrinks.xml")}
	var docs [][]byte
	r := rand.New(rand.NewPCG(3, 1))
	for i := range structured {
		docs = append(docs, []byte(mutant(r, string(seeds[max(0, i%5-2)]))))
	}
	// Every edge value in the place it was made for, too.
	for name, kind := range typed {
		for _, value := range edgeValues[kind] {
			at := regexp.MustCompile("<" + name + ">[^<]*<")
			if kind == "uri" || kind == "language" || kind == "number" || name == "onset" || name == "status" {
				docs = append(docs, at.ReplaceAll(full, []byte("<"+name+">"+strings.NewReplacer("<", "&lt;", "$", "$$").Replace(value)+"<")))
			}
		}
	}
	for _, doc := range hostile.Inputs("wire/cap12 and its schema", seeds, octets) {
		docs = append(docs, doc)
	}
	dir := t.TempDir()
	var files []string
	for i, doc := range docs {
		files = append(files, filepath.Join(dir, fmt.Sprintf("%d.xml", i)))
		write(t, files[i], doc)
	}
	verdicts := xmllint(t, files...)
	refused, stricter := 0, 0
	for i, f := range files {
		report := Check(docs[i])
		switch {
		case !verdicts[f]:
			refused++
			if report.Valid() {
				t.Errorf("mutant %d: the schema refuses and Check takes a document with%s", i, newLines(docs[i], seeds))
			}
		case !report.Valid():
			stricter++
		}
	}
	if refused < len(docs)/4 || refused+stricter > len(docs)*9/10 {
		t.Errorf("of %d mutants the schema refuses %d, Check %d more: they say nothing", len(docs), refused, stricter)
	}
	t.Logf("of %d mutants the schema refuses %d, Check %d more", len(docs), refused, stricter)
}

// newLines are the lines of a document that no seed has.
func newLines(doc []byte, seeds [][]byte) string {
	old := map[string]bool{}
	for _, s := range seeds {
		for line := range strings.Lines(string(s)) {
			old[line] = true
		}
	}
	var b strings.Builder
	for line := range strings.Lines(string(doc)) {
		if !old[line] {
			b.WriteString("\n\t" + clip(strings.TrimSpace(line), 300))
		}
	}
	return b.String()
}
