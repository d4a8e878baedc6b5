package cap12

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// spoiled is one way to spoil the golden alert, the rule that must find it, and whether
// the official schema, as xmllint reads it, finds it too.
type spoiled struct {
	rule Rule
	xsd  bool // xmllint refuses it as well
	make edit
}

// edit makes a bad document out of a good one.
type edit func(good string) []byte

func (e edit) then(next edit) edit { return func(good string) []byte { return next(string(e(good))) } }

// swap replaces one piece of the document, which must be there, once.
func swap(from, to string) edit {
	return func(good string) []byte {
		if strings.Count(good, from) == 0 {
			panic("the golden alert has no " + from)
		}
		return []byte(strings.Replace(good, from, to, 1))
	}
}

// before puts a piece before another.
func before(mark, piece string) edit { return swap(mark, piece+mark) }

// whole replaces the whole document.
func whole(doc string) edit { return func(string) []byte { return []byte(doc) } }

const square1 = "46.515,30.703 46.515,30.717 46.525,30.717 46.525,30.703 46.515,30.703"

// spoils is one fault a file. The golden alert they start from is "alert".
func spoils() map[string]spoiled {
	const sent = "<sent>2026-11-21T21:14:07+02:00</sent>"
	const expires = "<expires>2026-11-21T21:44:00+02:00</expires>"
	update := "<msgType>Update</msgType>"
	resource := func(inside string) edit {
		return before("<area>", "<resource><resourceDesc>Map</resourceDesc>"+inside+"</resource>")
	}
	return map[string]spoiled{
		// The XML itself.
		"empty":                    {RuleSyntax, true, whole("")},
		"cut-off":                  {RuleSyntax, true, func(good string) []byte { return []byte(good[:len(good)/2]) }},
		"end-tag-of-another":       {RuleSyntax, true, swap("</status>", "</state>")},
		"attribute-twice":          {RuleSyntax, true, swap("<alert ", `<alert xmlns:a="a" xmlns:a="a" `)},
		"attribute-not-quoted":     {RuleSyntax, true, swap("<status>", "<status a=b>")},
		"ampersand-bare":           {RuleSyntax, true, swap("Attack drone<", "Attack & drone<")},
		"surrogate-reference":      {RuleSyntax, true, swap("Attack drone<", "Attack&#xD800;drone<")},
		"zero-reference":           {RuleSyntax, true, swap("Attack drone<", "Attack&#0;drone<")},
		"cdata-end-in-text":        {RuleSyntax, true, swap("Attack drone<", "Attack ]]> drone<")},
		"comment-with-two-hyphens": {RuleSyntax, true, before("<status>", "<!-- a -- b -->")},
		"xml-1-1":                  {RuleSyntax, false, swap(`version="1.0"`, `version="1.1"`)},
		"declaration-not-first":    {RuleSyntax, true, func(good string) []byte { return []byte("\n" + good) }},
		"text-before-root":         {RuleSyntax, true, before("<alert", "warning ")},
		"control-character":        {RuleCharacter, true, swap("Attack drone<", "Attack\x07drone<")},
		"no-character":             {RuleCharacter, true, swap("Attack drone<", "Attack\uFFFEdrone<")},
		"not-utf-8":                {RuleEncoding, true, swap("Attack drone<", "Attack\xE9drone<")},
		"declared-latin-1":         {RuleEncoding, false, swap("UTF-8", "ISO-8859-1")},
		"declared-ascii":           {RuleEncoding, true, swap("UTF-8", "US-ASCII")},
		"declared-windows-1251":    {RuleEncoding, false, swap("UTF-8", "windows-1251")},
		"declared-utf-16":          {RuleEncoding, true, swap("UTF-8", "UTF-16")},
		"utf-16-declared-latin-1":  {RuleEncoding, true, func(good string) []byte { return inUTF16(strings.Replace(good, "UTF-8", "ISO-8859-1", 1)) }},
		"utf-16-half-a-pair":       {RuleEncoding, false, func(good string) []byte { return append(inUTF16(good), 0xD8, 0x00) }},
		"utf-16-odd":               {RuleEncoding, false, func(good string) []byte { return append(inUTF16(good), 0x00) }},
		"doctype":                  {RuleDoctype, false, before("<alert", "<!DOCTYPE alert>\n")},
		"doctype-with-entities":    {RuleDoctype, false, before("<alert", "<!DOCTYPE alert [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n")},
		"entity-of-html":           {RuleEntity, true, swap("Attack drone<", "Attack&nbsp;drone<")},
		"prefix-not-declared":      {RuleNamespace, true, before("<incidents>", "<cap:note>x</cap:note>")},
		"prefix-declared-empty":    {RuleNamespace, false, swap("<alert ", `<alert xmlns:a="" `)},
		"second-root":              {RuleTrailing, true, func(good string) []byte { return []byte(good + "<alert/>") }},
		"text-after-root":          {RuleTrailing, true, func(good string) []byte { return []byte(good + "stop") }},
		"nested-too-deep":          {RuleDepth, true, before("<status>", strings.Repeat("<a>", MaxDepth+1)+strings.Repeat("</a>", MaxDepth+1))},
		"attributes-too-many":      {RuleSize, false, swap("<alert ", "<alert"+manyAttributes()+" ")},

		// Structure.
		"root-of-another-kind":      {RuleRoot, true, whole(`<rss version="2.0"><channel/></rss>`)},
		"no-namespace":              {RuleRoot, true, swap(` xmlns="`+Namespace+`"`, "")},
		"namespace-in-capitals":     {RuleRoot, true, swap(Namespace, strings.ToUpper(Namespace))},
		"cap-1-1":                   {RuleVersion, true, swap("cap:1.2", "cap:1.1")},
		"cap-1-0":                   {RuleVersion, true, swap(Namespace, "http://www.incident.com/cap/1.0")},
		"foreign-element":           {RuleForeign, true, before("<status>", `<status xmlns="urn:example">Actual</status>`)},
		"element-without-namespace": {RuleForeign, true, before("<status>", `<status xmlns="">Actual</status>`)},
		"signature-not-last":        {RuleForeign, true, before("<status>", `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>`)},
		"signature-of-another-name": {RuleSignature, false, before("</alert>", `<Object xmlns="http://www.w3.org/2000/09/xmldsig#"/>`)},
		"unknown-element":           {RuleUnknown, true, before("<status>", "<password>x</password>")},
		"element-in-capitals":       {RuleUnknown, true, before("<status>", "<Status>Actual</Status>")},
		"polygon-outside-area":      {RuleUnknown, true, before("<area>", "<polygon>"+square1+"</polygon>")},
		"element-out-of-order":      {RuleOrder, true, swap("<scope>Public</scope>", "").then(before("<status>", "<scope>Public</scope>"))},
		"codes-apart":               {RuleOrder, true, before("<info>", "<code>late</code>")},
		"status-twice":              {RuleRepeated, true, before("<msgType>", "<status>Test</status>")},
		"identifier-twice":          {RuleRepeated, true, before("<sender>", "<identifier>other</identifier>")},
		"headline-twice":            {RuleRepeated, true, before("<description>", "<headline>Nothing to fear</headline>")},
		"no-identifier":             {RuleMissing, true, swap("<identifier>tocsin-7-1</identifier>", "")},
		"no-sender":                 {RuleMissing, true, swap("<sender>"+goldenSender+"</sender>", "")},
		"no-sent":                   {RuleMissing, true, swap(sent, "")},
		"no-category":               {RuleMissing, true, swap("<category>Safety</category>", "").then(swap("<category>Security</category>", ""))},
		"no-event":                  {RuleMissing, true, swap("<event>Attack drone</event>", "")},
		"no-urgency":                {RuleMissing, true, swap("<urgency>Immediate</urgency>", "")},
		"no-area-description":       {RuleMissing, true, swap("<areaDesc>Приморське</areaDesc>", "")},
		"no-value":                  {RuleMissing, true, swap("<value>drone</value>", "")},
		"no-mime-type":              {RuleMissing, true, resource("<uri>https://example.gov/map.png</uri>")},
		"element-in-text":           {RuleNested, true, swap("Attack drone<", "Attack <b>drone</b><")},
		"text-between-elements":     {RuleStrayText, true, before("<status>", "shelter ")},
		"attribute":                 {RuleAttribute, true, swap("<status>", `<status lang="en">`)},
		"attribute-xml-lang":        {RuleAttribute, true, swap("<headline>", `<headline xml:lang="en">`)},
		"attribute-type":            {RuleAttribute, false, swap("<event>", `<event xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema" i:type="x:string">`)},
		"attribute-nil":             {RuleAttribute, true, swap("<headline>Attack drone: take shelter now", `<headline xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">`)},

		// Contents of the alert.
		"identifier-with-space":          {RuleIdentifier, false, swap("tocsin-7-1", "tocsin 7 1")},
		"identifier-with-comma":          {RuleIdentifier, false, swap("tocsin-7-1", "tocsin,7")},
		"identifier-with-less-than":      {RuleIdentifier, false, swap("tocsin-7-1", "tocsin&lt;7")},
		"identifier-with-ampersand":      {RuleIdentifier, false, swap("tocsin-7-1", "tocsin&amp;7")},
		"identifier-with-no-break-space": {RuleIdentifier, false, swap("tocsin-7-1", "tocsin\u00a07")},
		"sender-with-ideographic-space":  {RuleSender, false, swap(goldenSender, "a\u3000b@example.gov")},
		"references-with-no-break-space": {RuleReference, false, before("<incidents>", "<references>"+goldenSender+",tocsin\u00a06,2026-11-21T18:00:00+02:00</references>")},
		"identifier-on-its-own-line":     {RuleIdentifier, false, swap("tocsin-7-1", "\n  tocsin-7-1\n  ")},
		"sender-blank":                   {RuleEmpty, false, swap(goldenSender, " ")},
		"identifier-empty":               {RuleEmpty, false, swap("tocsin-7-1", "")},
		"sender-with-space":              {RuleSender, false, swap(goldenSender, "Civil Protection")},
		"sender-with-comma":              {RuleSender, false, swap(goldenSender, "a@example.gov,b@example.gov")},
		"sent-in-zulu":                   {RuleZulu, true, swap(sent, "<sent>2026-11-21T19:14:07Z</sent>")},
		"sent-without-offset":            {RuleTime, true, swap(sent, "<sent>2026-11-21T19:14:07</sent>")},
		"sent-with-fraction":             {RuleTime, true, swap(sent, "<sent>2026-11-21T19:14:07.250+02:00</sent>")},
		"sent-with-a-space":              {RuleTime, true, swap(sent, "<sent>2026-11-21 21:14:07+02:00</sent>")},
		"sent-with-comma-offset":         {RuleTime, true, swap(sent, "<sent>2026-11-21T21:14:07,02:00</sent>")},
		"sent-on-no-day":                 {RuleTimeValue, true, swap(sent, "<sent>2026-02-30T21:14:07+02:00</sent>")},
		"sent-in-no-zone":                {RuleTimeValue, true, swap(sent, "<sent>2026-11-21T21:14:07+14:30</sent>")},
		"expires-in-zulu":                {RuleZulu, true, swap(expires, "<expires>2026-11-21T19:44:00Z</expires>")},
		"status-unknown":                 {RuleEnum, true, swap("Actual", "Real")},
		"status-in-lower-case":           {RuleEnum, true, swap("Actual", "actual")},
		"status-with-space":              {RuleEnum, true, swap("Actual", " Actual ")},
		"message-type-unknown":           {RuleEnum, true, swap(">Alert<", ">Warning<")},
		"scope-unknown":                  {RuleEnum, true, swap("Public", "Everyone")},
		"restricted-without-restriction": {RuleRestriction, false, swap("Public", "Restricted")},
		"private-without-addresses":      {RuleAddresses, false, swap("Public", "Private")},
		"private-with-empty-addresses":   {RuleAddresses, false, swap("Public</scope>", "Private</scope><addresses> </addresses>")},
		"addresses-with-open-quote":      {RuleQuotes, false, swap("</scope>", `</scope><addresses>a@example.gov "the duty officer</addresses>`)},
		"incidents-with-open-quote":      {RuleQuotes, false, swap("<incidents>", `<incidents>"`)},
		"update-without-references":      {RuleReferences, false, swap("<msgType>Alert</msgType>", update)},
		"cancel-without-references":      {RuleReferences, false, swap(">Alert<", ">Cancel<")},
		"ack-without-references":         {RuleReferences, false, swap(">Alert<", ">Ack<")},
		"error-without-references":       {RuleReferences, false, swap(">Alert<", ">Error<").then(before("<incidents>", "<note>why</note>"))},
		"references-of-two-parts":        {RuleReference, false, before("<incidents>", "<references>"+goldenSender+",tocsin-6-1</references>")},
		"references-with-spaces":         {RuleReference, false, before("<incidents>", "<references>"+goldenSender+", tocsin-6-1, 2026-11-21T20:00:00+02:00</references>")},
		"references-in-zulu":             {RuleZulu, false, before("<incidents>", "<references>"+goldenSender+",tocsin-6-1,2026-11-21T18:00:00Z</references>")},

		// Contents of an info.
		"language-with-underscore":  {RuleLanguage, true, swap("<language>en<", "<language>en_US<")},
		"language-as-a-word":        {RuleLanguage, false, swap("<language>en<", "<language>english<")},
		"category-unknown":          {RuleEnum, true, swap(">Safety<", ">War<")},
		"response-unknown":          {RuleEnum, true, swap(">Shelter<", ">Run<")},
		"urgency-unknown":           {RuleEnum, true, swap(">Immediate<", ">Now<")},
		"severity-unknown":          {RuleEnum, true, swap(">Extreme<", ">Red<")},
		"certainty-of-cap-1-0":      {RuleEnum, true, swap("<certainty>Likely<", "<certainty>Very Likely<")},
		"web-relative":              {RuleURI, false, swap("https://warnings.example.gov/en", "warnings/en")},
		"web-without-scheme":        {RuleURI, false, swap("https://warnings.example.gov/en", "www.example.gov")},
		"web-port-in-letters":       {RuleURI, true, swap("warnings.example.gov/en", "warnings.example.gov:port/")},
		"web-bracket-open":          {RuleURI, true, swap("warnings.example.gov/en", "[::1")},
		"web-bracket-in-query":      {RuleURI, true, swap("warnings.example.gov/en", "h?q[]")},
		"web-fragment-twice":        {RuleURI, true, swap("warnings.example.gov/en", "h/a#b#c")},
		"web-escape-of-no-octet":    {RuleURI, true, swap("warnings.example.gov/en", "x/%zz")},
		"language-blank":            {RuleLanguage, true, swap("<language>en<", "<language> <")},
		"mime-type-without-subtype": {RuleMIME, false, resource("<mimeType>image</mimeType><uri>https://example.gov/map.png</uri>")},
		"mime-type-empty":           {RuleEmpty, false, resource("<mimeType/><uri>https://example.gov/map.png</uri>")},
		"size-in-words":             {RuleByteCount, true, resource("<mimeType>image/png</mimeType><size>20 kB</size><uri>https://example.gov/map.png</uri>")},
		"size-negative":             {RuleByteCount, false, resource("<mimeType>image/png</mimeType><size>-1</size><uri>https://example.gov/map.png</uri>")},
		"resource-uri-relative":     {RuleURI, false, resource("<mimeType>image/png</mimeType><uri>map.png</uri>")},
		"deref-uri-not-base64":      {RuleDeref, false, resource("<mimeType>image/png</mimeType><derefUri>a picture!</derefUri>")},

		"source-with-an-element":      {RuleNested, true, before("<scope>", "<source>the <b>duty</b> officer</source>")},
		"audience-with-an-element":    {RuleNested, true, swap("</certainty>", "</certainty><audience>all<br/></audience>")},
		"sender-name-with-an-element": {RuleNested, true, swap("</senderName>", "<b/></senderName>")},
		"instruction-with-an-element": {RuleNested, true, swap("</instruction>", "<br/></instruction>")},
		"contact-with-an-element":     {RuleNested, true, swap("</web>", "</web><contact>112<br/></contact>")},
		"digest-of-something-else":    {RuleDigest, false, resource("<mimeType>image/png</mimeType><size>3</size><derefUri>AAEC</derefUri><digest>" + strings.Repeat("0", 40) + "</digest>")},

		// Contents of an area.
		"polygon-open":                 {RulePolygonOpen, false, swap(" 46.515,30.703</", " 46.515,30.7031</")},
		"polygon-of-three":             {RulePolygonPoints, false, swap(square1, "46.5,30.7 46.6,30.7 46.5,30.7")},
		"polygon-empty":                {RulePolygonPoints, false, swap(square1, "")},
		"polygon-with-spaced-pairs":    {RulePolygonForm, false, swap("46.515,30.717", "46.515, 30.717")},
		"polygon-with-semicolons":      {RulePolygonForm, false, swap(square1, strings.ReplaceAll(square1, " ", ";"))},
		"polygon-in-minutes":           {RulePolygonForm, false, swap(square1, strings.ReplaceAll(square1, "46.515", "46°31'"))},
		"polygon-with-heights":         {RulePolygonForm, false, swap(square1, strings.ReplaceAll(square1, "46.515,30.703", "46.515,30.703,0"))},
		"polygon-with-exponent":        {RulePolygonForm, false, swap(square1, strings.ReplaceAll(square1, "46.515", "4.6515e1"))},
		"polygon-with-no-break-spaces": {RulePolygonForm, false, swap(square1, strings.ReplaceAll(square1, " ", "\u00a0"))},
		"polygon-not-a-number":         {RulePolygonForm, false, swap(square1, strings.ReplaceAll(square1, "46.515", "NaN"))},
		"latitude-130":                 {RuleCoordinates, false, swap(square1, strings.ReplaceAll(square1, "46.5", "130.5"))},
		"longitude-200":                {RuleCoordinates, false, swap(square1, strings.ReplaceAll(square1, ",30.7", ",200.7"))},
		"circle-without-radius":        {RuleCircleForm, false, before("<geocode>", "<circle>46.5,30.7</circle>")},
		"circle-with-commas":           {RuleCircleForm, false, before("<geocode>", "<circle>46.5,30.7,2.5</circle>")},
		"circle-radius-negative":       {RuleCircleRadius, false, before("<geocode>", "<circle>46.5,30.7 -2.5</circle>")},
		"circle-latitude-91":           {RuleCoordinates, false, before("<geocode>", "<circle>91,30.7 2.5</circle>")},
		"altitude-of-25-digits":        {RuleAltitude, true, before("</area>", "<altitude>"+strings.Repeat("9", 25)+"</altitude>")},
		"altitude-in-words":            {RuleAltitude, true, before("</area>", "<altitude>low</altitude>")},
		"ceiling-without-altitude":     {RuleCeiling, false, before("</area>", "<ceiling>3000</ceiling>")},
		"ceiling-below-altitude":       {RuleCeilingBelow, false, before("</area>", "<altitude>3000</altitude><ceiling>1000</ceiling>")},
	}
}

func manyAttributes() string {
	var b strings.Builder
	for i := range maxAttrs {
		fmt.Fprintf(&b, ` xmlns:a%d="urn:a"`, i)
	}
	return b.String()
}

func inUTF16(good string) []byte {
	b := []byte{0xFE, 0xFF}
	for _, u := range utf16.Encode([]rune(strings.Replace(good, "UTF-8", "UTF-16", 1))) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}

// Each bad file has one fault, and it is found by its rule and by no other. What the
// schema lets through is recorded, so that nobody takes the schema for a gate.
func TestBadFiles(t *testing.T) {
	a := golden()["alert"]
	a.Infos = a.Infos[:1] // one info, so that a fault is one
	b, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	good, faults := string(b), spoils()
	var files []string
	for name, s := range faults {
		file := filepath.Join("testdata", "bad", name+".xml")
		files = append(files, file)
		doc := s.make(good)
		if *update {
			if err := os.WriteFile(file, doc, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		onFile := read1(t, file)
		if !bytes.Equal(doc, onFile) {
			t.Errorf("%s is not the golden alert with its fault; -update rewrites it", file)
		}
		r := Check(onFile)
		if got := rulesOf(r.Defects); len(got) != 1 || got[0] != s.rule {
			t.Errorf("%s: found %v, want %s", name, r.Defects, s.rule)
			continue
		}
		if d := r.Defects[0]; d.What == "" || d.Line == 0 {
			t.Errorf("%s: the defect does not say what and where: %+v", name, d)
		}
		if _, _, err := Parse(onFile); err == nil {
			t.Errorf("%s: Parse takes it", name)
		}
	}
	if onDisk := folder(t, "testdata/bad/*.xml"); len(onDisk) != len(faults) {
		t.Errorf("%d files for %d faults", len(onDisk), len(faults))
	}
	verdicts := xmllint(t, files...)
	passed := 0
	for name, s := range faults {
		valid := verdicts[filepath.Join("testdata", "bad", name+".xml")]
		if valid == s.xsd {
			t.Errorf("%s: xmllint says valid %v", name, valid)
		}
		if valid {
			passed++
		}
	}
	t.Logf("%d faults, of which the schema lets %d pass", len(faults), passed)
}
