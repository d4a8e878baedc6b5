package cap12

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// oddity is a warning, and how a good document comes by it.
type oddity struct {
	rule Rule
	make edit
}

// oddities are all that is valid and warned of, by what is odd.
func oddities(good string) map[string]oddity {
	info := good[strings.Index(good, "  <info>"):strings.Index(good, "</alert>")]
	area := good[strings.Index(good, "    <area>"):strings.Index(good, "  </info>")]
	const expires = "<expires>2026-11-21T21:44:00+02:00</expires>"
	past := swap(expires, "<expires>2026-11-21T21:00:00+02:00</expires>")
	references := func(what string) edit {
		return swap(">Alert<", ">Update<").then(before("<incidents>", "<references>"+what+"</references>"))
	}
	resource := func(inside string) edit {
		return before("<area>", "<resource><resourceDesc>Map</resourceDesc><mimeType>image/png</mimeType>"+inside+"</resource>")
	}
	return map[string]oddity{
		"empty note":                   {OddEmpty, before("<incidents>", "<note/>")},
		"empty language is en-US":      {OddEmpty, swap("<language>en<", "<language><")},
		"empty parameter":              {OddEmpty, before("<area>", "<parameter><valueName>a</valueName><value/></parameter>")},
		"UTC with a plus":              {OddOffset, swap("2026-11-21T21:14:07+02:00", "2026-11-21T19:14:07+00:00")},
		"UTC with a plus, referred to": {OddOffset, references(goldenSender + ",tocsin-6,2026-11-21T18:00:00+00:00")},
		"exercise without a name":      {OddNote, swap("Actual", "Exercise")},
		"error without a reason":       {OddNote, references("a,b,2026-11-21T18:00:00-00:00").then(swap(">Update<", ">Error<"))},
		"headline of 161":              {OddHeadline, swap("Attack drone: take shelter now", strings.Repeat("ї", 161))},
		"no info":                      {OddNoInfo, swap(info, "")},
		"no area":                      {OddNoArea, swap(area, "")},
		"area in words":                {OddNoShape, swap(area, "<area><areaDesc>The coast</areaDesc></area>")},
		"area in codes":                {OddGeocode, swap("<polygon>"+square1+"</polygon>", "")},
		"no expires":                   {OddNoExpires, swap(expires, "")},
		"expired when it cancels":      {OddExpired, past.then(references("a,b,2026-11-21T18:00:00-00:00")).then(swap(">Update<", ">Cancel<"))},
		"expired when all is clear":    {OddExpired, past.then(swap(">Shelter<", ">AllClear<"))},
		"expired when past":            {OddExpired, past.then(swap(">Immediate<", ">Past<"))},
		"over before it begins":        {OddOnset, swap("<onset>2026-11-21T21:19:30", "<onset>2026-11-21T22:19:30")},
		"assess in public":             {OddAssess, swap(">Shelter<", ">Assess<")},
		"markup":                       {OddMarkup, swap("An attack drone may", "An attack drone&lt;br/> may")},
		"refers to itself":             {OddSelf, references(goldenSender + ",tocsin-7-1,2026-11-21T21:14:07+02:00")},
		"refers to the future":         {OddLater, references(goldenSender + ",tocsin-7-2,2026-11-21T21:14:08+02:00")},
		"resource without contents":    {OddResource, resource("")},
		"digest in another notation":   {OddDigest, resource("<uri>https://example.gov/map.png</uri><digest>2jmj7l5rSw0yVb/vlWAYkK/YBwk=</digest>")},
		"size of other content":        {OddSize, resource("<size>999</size><derefUri>AAEC</derefUri>")},
		"a space in a URI":             {OddURI, swap("example.gov/en", "example.gov/Fire map.html")},
		"a bar in a URI":               {OddURI, swap("example.gov/en", "example.gov/en|uk")},
		"a polygon of one point":       {OddPolygonFlat, swap(square1, "46.515,30.703 46.515,30.703 46.515,30.703 46.515,30.703")},
		"a polygon there and back":     {OddPolygonFlat, swap(square1, "46.51,30.71 46.52,30.72 46.53,30.73 46.51,30.71")},
		"a bow tie":                    {OddPolygonCrossed, swap(square1, "46.51,30.70 46.52,30.72 46.52,30.70 46.51,30.72 46.51,30.70")},
		"signature":                    {OddSigned, before("</alert>", `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>`)},
		"two signatures":               {OddSignatures, before("</alert>", strings.Repeat(`<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>`, 2))},
		"UTF-16":                       {OddEncoding, inUTF16},
		"UTF-16, little end first":     {OddEncoding, func(good string) []byte { return swapped(inUTF16(good)) }},
		"ISO-8859-1":                   {OddEncoding, inLatin1},
		"SAME in lower case":           {OddValueName, before("<area>", "<parameter><valueName>same</valueName><value>CAE</value></parameter>")},
		"FIPS with periods":            {OddValueName, swap("<geocode>", "<geocode><valueName>F.I.P.S.</valueName><value>006109</value></geocode><geocode>")},
		"restriction of public":        {OddUnrestricted, swap("</scope>", "</scope><restriction>officers</restriction>")},
		"no words for the event":       {OddSilent, swap("<event>Attack drone<", "<event> <")},
		"a code without a name":        {OddSilent, swap("<valueName>tocsin:threat<", "<valueName><")},
		"an area without words":        {OddSilent, swap("Приморське", "")},
		"a resource without words":     {OddSilent, before("<area>", "<resource><resourceDesc/><mimeType>image/png</mimeType><uri>https://example.gov/map.png</uri></resource>")},
		"over before it is sent":       {OddExpires, past},
		"over before it takes effect":  {OddExpires, swap("<effective>2026-11-21T21:14:07", "<effective>2026-11-21T22:14:07").then(swap("<onset>2026-11-21T21:19:30+02:00</onset>", ""))},
		"over in another zone":         {OddExpires, swap(expires, "<expires>2026-11-21T21:44:00+03:00</expires>")},
		"a geocode without a code":     {OddGeocodeEmpty, swap("UA-1", "")},
		"stylesheet":                   {OddInstruction, before("<alert", "<?xml-stylesheet href='cap.xsl'?>")},
	}
}

// goldenOfOneInfo is the golden alert in one language.
func goldenOfOneInfo(t *testing.T) string {
	t.Helper()
	a := golden()["alert"]
	a.Infos = a.Infos[:1]
	b, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each warning is given for what it is about, alone, and the document stays valid.
func TestWarnings(t *testing.T) {
	good := goldenOfOneInfo(t)
	var taken [][]byte
	resource := func(inside string) edit {
		return before("<area>", "<resource><resourceDesc>Map</resourceDesc><mimeType>image/png</mimeType>"+inside+"</resource>")
	}
	for name, c := range oddities(good) {
		doc := c.make(good)
		taken = append(taken, doc)
		r := Check(doc)
		if !r.Valid() || !slices.Equal(rulesOf(r.Warnings), []Rule{c.rule}) {
			t.Errorf("%s: want %s alone, got %+v", name, c.rule, r)
		}
	}
	// What is allowed and ordinary is not remarked on.
	for name, make := range map[string]edit{
		"a type on its own line":        before("<area>", "<resource><resourceDesc>Map</resourceDesc><mimeType>\n  image/png\n</mimeType><uri>https://example.gov/map.png</uri></resource>"),
		"US-ASCII":                      func(good string) []byte { return []byte(onlyASCII(strings.Replace(good, "UTF-8", "us-ascii", 1))) },
		"schema location":               swap("<alert ", `<alert xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:oasis:names:tc:emergency:cap:1.2 cap.xsd" `),
		"addresses in public":           swap("</scope>", "</scope><addresses>a@example.gov</addresses>"),
		"headline of 160":               swap("Attack drone: take shelter now", strings.Repeat("ї", 160)),
		"white space in a time":         swap("2026-11-21T21:14:07+02:00", "\n 2026-11-21T21:14:07+02:00 "),
		"midnight as 24:00":             swap("2026-11-21T21:44:00+02:00", "2026-11-21T24:00:00+02:00"),
		"leap day":                      swap("2026-11-21T21:44:00+02:00", "2028-02-29T21:44:00+02:00"),
		"polygon over several lines":    swap(" 46.515,30.717", "\n\t46.515,30.717"),
		"polygon at the pole":           swap(square1, "90,180 90,-180 -90,-180 90.0,+180"),
		"altitude alone":                before("</area>", "<altitude>-10.5</altitude>"),
		"content for one-way links":     resource("<uri>map.png</uri><derefUri>AAEC\nAwQ=</derefUri>"),
		"content of its size":           resource("<size>3</size><derefUri>AAEC</derefUri><digest>0c7a623fd2bbc05b06423be359e4021d36e721ad</digest>"),
		"content of about its size":     resource("<size>31</size><derefUri>" + strings.Repeat("AAEC", 10) + "</derefUri>"),
		"a square with a hole":          swap(square1, "46,30 46,34 50,34 50,30 46,30 47,31 49,31 49,33 47,33 47,31 46,30"),
		"a triangle of a metre":         swap(square1, "46.5,30.7 46.5,30.70001 46.50001,30.7 46.5,30.7"),
		"an address in brackets":        swap("https://warnings.example.gov/en", "https://duty:a%20b@[2001:db8::1]:8443/?q=/?#/?"),
		"letters beyond ASCII in a URI": swap("example.gov/en", "приклад.укр/тривога"),
		"mail":                          swap("https://warnings.example.gov/en", "mailto:duty@example.gov"),
		"apostrophe entity":             swap("Attack drone<", "Attack &apos;drone&#39;<"),
		"less-than in prose":            swap("An attack drone may", "Within &lt; 5 min a drone may"),
		"language with a script":        swap("<language>en<", "<language>zh-Hant-TW<"),
	} {
		doc := make(good)
		taken = append(taken, doc)
		if r := Check(doc); !r.Valid() || len(r.Warnings) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// The schema takes all of them too.
	dir := t.TempDir()
	var files []string
	for i, doc := range taken {
		files = append(files, filepath.Join(dir, fmt.Sprintf("%d.xml", i)))
		write(t, files[i], doc)
	}
	for f, valid := range xmllint(t, files...) {
		if !valid {
			t.Errorf("xmllint refuses\n%s", read1(t, f))
		}
	}
}

// What is only warned of in others' documents is refused in ours, wherever it stands, also
// behind more warnings than are kept.
func TestOursIsHeldToMore(t *testing.T) {
	good := goldenOfOneInfo(t)
	tried := map[Rule]bool{}
	for name, c := range oddities(good) {
		a, _, err := Parse(c.make(good))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		strict := slices.Contains(notOurs[:], c.rule)
		tried[c.rule] = tried[c.rule] || strict
		if _, err := a.Marshal(); (err != nil) != strict || strict && !strings.Contains(err.Error(), string(c.rule)) {
			t.Errorf("%s: written: %v", name, err)
		}
	}
	for _, rule := range notOurs {
		if !tried[rule] {
			t.Errorf("nothing tries %s", rule)
		}
	}
	many := golden()["hundred-zones"]
	areas := many.Infos[0].Areas
	for i := range areas {
		areas[i].Polygons, areas[i].Circles = nil, nil
	}
	areas = append(slices.Clone(areas), areas...)
	if many.Infos[0].Areas = areas; len(areas) <= maxRemarks {
		t.Fatal("too few areas to hide behind")
	}
	if _, err := many.Marshal(); err != nil {
		t.Fatal(err)
	}
	areas[len(areas)-1].Desc = ""
	if _, err := many.Marshal(); err == nil {
		t.Error("an area without words is written behind a hundred warnings")
	}
}

// A remark says where: path, line and value as they are in the document.
func TestRemarkSaysWhere(t *testing.T) {
	b := string(read1(t, "testdata/good/hundred-zones.xml"))
	lines := strings.Split(b, "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "Z-041") })
	b = strings.Replace(b, "Z-041", "", 1)
	r := Check([]byte(b))
	want := Remark{Rule: OddGeocodeEmpty, What: "a geocode without a code names no place", Path: "alert/info/area[42]/geocode/value", Line: at + 1}
	if len(r.Warnings) != 1 || r.Warnings[0] != want {
		t.Fatalf("got %+v, want %+v", r.Warnings, want)
	}
	if s := r.Warnings[0].String(); s != fmt.Sprintf("geocode: a geocode without a code names no place, at alert/info/area[42]/geocode/value, line %d", at+1) {
		t.Error(s)
	}
	// Every area spoiled: a hundred defects are kept, the rest counted.
	b = strings.ReplaceAll(b, "<areaDesc>Zone", "<areaDesc>?</areaDesc><circle>x</circle><circle>y</circle><areaDesc>Zone")
	if r := Check([]byte(b)); len(r.Defects) != maxRemarks || r.Omitted == 0 || !strings.Contains(r.Err().Error(), "and 95 more") {
		t.Errorf("%d defects, %d omitted: %v", len(r.Defects), r.Omitted, r.Err())
	}
}

// swapped is UTF-16 with the other octet first.
func swapped(b []byte) []byte {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return b
}

// onlyASCII writes what is beyond ASCII as character references.
func onlyASCII(doc string) string {
	var b strings.Builder
	for _, r := range doc {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// inLatin1 is a document in ISO-8859-1 with a character of it.
func inLatin1(good string) []byte {
	doc := onlyASCII(strings.Replace(good, "UTF-8", "ISO-8859-1", 1))
	return []byte(strings.Replace(doc, "Attack drone<", "Attack drone, caf\xE9<", 1))
}

// A document in another encoding says the same as in UTF-8.
func TestEncodingsSayTheSame(t *testing.T) {
	good, err := golden()["alert"].Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string][]byte{"UTF-16": inUTF16(string(good)), "UTF-16LE": swapped(inUTF16(string(good))), "US-ASCII": []byte(onlyASCII(strings.Replace(string(good), "UTF-8", "US-ASCII", 1)))} {
		got, _, err := Parse(doc)
		if diff := unlike(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	accented, _, err := Parse(inLatin1(string(good)))
	if err != nil || accented.Infos[0].Event != "Attack drone, café" && accented.Infos[len(accented.Infos)-1].Event != "Attack drone, café" {
		t.Errorf("ISO-8859-1: %v, %+v", err, accented.Infos)
	}
}
