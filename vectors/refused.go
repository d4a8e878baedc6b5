package vectors

import (
	"fmt"
	"strings"
)

// form is lines that are no compact JWS of the contract.
func (m *maker) form() {
	good := m.sign(m.board("*", 7, at(0), shelter("drone", at(0), "UA-1")))
	part := strings.Split(good, ".")
	h, p, s := part[0], part[1], part[2]
	none := b64(nil)
	for _, f := range []struct{ name, about, line string }{
		{"empty", "an empty line", ""},
		{"dot", "one dot", "."},
		{"dots", "two dots and nothing else", ".."},
		{"no-signature-part", "two parts", h + "." + p},
		{"four-parts", "four parts", good + "." + s},
		{"five-parts", "as many parts as a JWE", good + ".."},
		{"leading-dot", "a dot before", "." + good},
		{"trailing-dot", "a dot after", good + "."},
		{"trailing-line-end", "with its line end", good + "\n"},
		{"trailing-return", "with a carriage return", good + "\r"},
		{"leading-space", "a space before", " " + good},
		{"inner-line-end", "a line end inside the payload", h + "." + p[:40] + "\n" + p[40:] + "." + s},
		{"inner-space", "a space inside the payload", h + "." + p[:40] + " " + p[40:] + "." + s},
		{"no-payload", "an empty payload", m.seal("main", m.header("main"), "")},
		{"no-header", "an empty header", none + "." + p + "." + s},
		{"no-signature", "an empty signature", h + "." + p + "."},
		{"short-signature", "a signature of 63 bytes", h + "." + p + "." + s[:84]},
		{"long-signature", "a signature of 66 bytes", h + "." + p + "." + s[:84] + "AAAA"},
		{"padded-header", "a padded header", h + "==." + p + "." + s},
		{"padded-signature", "a padded signature", good + "=="},
		{"stray-bits-signature", "stray bits in the last character of the signature", good[:len(good)-1] + next64(good[len(good)-1])},
		{"stray-bits-header", "stray bits in the last character of the header", strayHeader(m, p)},
		{"plus", "a character of plain base64: +", h + "." + p[:40] + "+" + p[41:] + "." + s},
		{"slash", "a character of plain base64: /", h + "." + p[:40] + "/" + p[41:] + "." + s},
		{"not-ascii", "a character that is not ASCII", h + "." + p[:40] + "é" + p[41:] + "." + s},
		{"nul", "a NUL", h + "." + p[:40] + "\x00" + p[41:] + "." + s},
		{"length-1-mod-4", "a part whose length cannot be", h + "." + lengthOne(p) + "." + s},
		{"json-serialization", "the JSON form of JWS", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, h, p, s)},
		{"unencoded", "the payload as it is", h + "." + text(m.board("*", 7, at(0))) + "." + s},
		{"html", "a page of a captive portal", "<!DOCTYPE html><title>Log in</title>"},
		{"sse", "a line of the stream with its field name", "data: " + good},
	} {
		m.refused("form/"+f.name, f.about, f.line, "malformed")
	}
}

// next64 is the character after one of the base64url alphabet: other low bits.
func next64(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

// strayHeader signs a line whose header ends in stray bits, so that only they are wrong.
func strayHeader(m *maker, p string) string {
	h := b64([]byte(m.header("main"))) // 40 bytes: the last character has 4 bits to spare
	return m.sealText("main", h[:len(h)-1]+next64(h[len(h)-1])+"."+p)
}

// lengthOne cuts a part to a length of 1 modulo 4.
func lengthOne(p string) string { return p[:len(p)/4*4-3] }

// headerForms is lines with a header that is not exactly the contract's, well signed.
func (m *maker) headerForms() {
	kid := m.kid("main")
	payload := text(m.board("*", 7, at(0), shelter("drone", at(0), "UA-1")))
	for _, f := range []struct{ name, header string }{
		{"other-order", `{"kid":"` + kid + `","alg":"EdDSA"}`},
		{"white-space", `{"alg": "EdDSA","kid":"` + kid + `"}`},
		{"line-end", m.header("main") + "\n"},
		{"alg-none", `{"alg":"none","kid":"` + kid + `"}`},
		{"alg-hs256", `{"alg":"HS256","kid":"` + kid + `"}`},
		{"alg-es256", `{"alg":"ES256","kid":"` + kid + `"}`},
		{"alg-ed25519", `{"alg":"Ed25519","kid":"` + kid + `"}`},
		{"alg-lower-case", `{"alg":"eddsa","kid":"` + kid + `"}`},
		{"alg-missing", `{"kid":"` + kid + `"}`},
		{"alg-twice", `{"alg":"EdDSA","alg":"EdDSA","kid":"` + kid + `"}`},
		{"kid-missing", `{"alg":"EdDSA"}`},
		{"kid-empty", `{"alg":"EdDSA","kid":""}`},
		{"kid-short", `{"alg":"EdDSA","kid":"` + kid[:15] + `"}`},
		{"kid-long", `{"alg":"EdDSA","kid":"` + kid + `A"}`},
		{"kid-number", `{"alg":"EdDSA","kid":1234567890123456}`},
		{"kid-twice", `{"alg":"EdDSA","kid":"` + kid + `","kid":"` + kid + `"}`},
		{"kid-escaped", `{"alg":"EdDSA","kid":"\u00` + fmt.Sprintf("%02x", kid[0]) + kid[1:] + `"}`},
		{"typ", `{"alg":"EdDSA","kid":"` + kid + `","typ":"JOSE"}`},
		{"crit", `{"alg":"EdDSA","kid":"` + kid + `","crit":["exp"]}`},
		{"b64", `{"alg":"EdDSA","kid":"` + kid + `","b64":true}`},
		{"jwk", `{"alg":"EdDSA","kid":"` + kid + `","jwk":{"kty":"OKP","crv":"Ed25519","x":"` + m.x("stranger") + `"}}`},
		{"jku", `{"alg":"EdDSA","kid":"` + kid + `","jku":"https://example.org/keys"}`},
		{"zip", `{"alg":"EdDSA","kid":"` + kid + `","zip":"DEF"}`},
		{"not-json", "EdDSA " + kid},
		{"array", `["EdDSA","` + kid + `"]`},
		{"byte-order-mark", "\ufeff" + m.header("main")},
		{"something-after", m.header("main") + "{}"},
		{"single-quotes", `{'alg':'EdDSA','kid':'` + kid + `'}`},
		{"alg-escaped", `{"alg":"\u0045dDSA","kid":"` + kid + `"}`},
		{"name-in-other-case", `{"Alg":"EdDSA","kid":"` + kid + `"}`},
	} {
		m.refused("form/header-"+f.name, "a header that is not, byte for byte, the contract's", m.seal("main", f.header, payload), "malformed")
	}
}

// payload takes each member of each kind away, makes it null, gives it a wrong type, says
// it twice.
func (m *maker) payload() {
	it := shelter("drone", at(0), "UA-1")
	kinds := []struct {
		name string
		o    object
	}{
		{"board", m.board("*", 7, at(0), it)},
		{"change", m.change("*", 7, 6, at(0), it)},
		{"beat", m.beat("*", 7, at(0))},
	}
	for _, k := range kinds {
		for _, x := range k.o {
			name := k.name + "-" + x.name
			m.refused("payload/without-"+name, "a "+k.name+" without "+x.name, m.sign(k.o.without(x.name)), "malformed")
			if k.name != "board" && (x.name != "prev" && x.name != "active" && x.name != "digest") {
				continue // the same member is tried on the board
			}
			m.refused("payload/null-"+name, x.name+" is null", m.sign(k.o.with(x.name, raw("null"))), "malformed")
			m.refused("payload/twice-"+name, x.name+" stands twice, the same", m.sign(k.o.and(x.name, x.value)), "malformed")
			wrong := raw(`{}`)
			switch m.rand.IntN(3) {
			case 0:
				wrong = `true`
			case 1:
				wrong = `[7]`
			}
			m.refused("payload/type-"+name, x.name+" is of another type", m.sign(k.o.with(x.name, wrong)), "malformed")
		}
	}
	board := kinds[0].o
	for _, f := range []struct {
		name, about string
		o           object
	}{
		{"universe-unknown", "a universe that is none", board.with("universe", "test")},
		{"universe-empty", "an empty universe", board.with("universe", "")},
		{"universe-case", "a universe in capitals", board.with("universe", "LIVE")},
		{"kind-unknown", "a kind that is none", board.with("kind", "snapshot")},
		{"kind-keys", "a key list is no frame", board.with("kind", "keys")},
		{"region-empty", "an empty region", board.with("region", "")},
		{"region-control", "a control character in a region", board.with("region", "*\n")},
		{"region-long", "a region of 129 bytes", board.with("region", strings.Repeat("r", 129))},
		{"set-empty", "an empty version", board.with("set", "")},
		{"picture-unknown", "a picture that is none", board.with("picture", "full")},
		{"prev-equal", "a change after itself", kinds[1].o.with("prev", 7)},
		{"prev-above", "a change before itself", kinds[1].o.with("prev", 8)},
		{"digest-upper-case", "a digest in capitals", kinds[2].o.with("digest", strings.Repeat("AB", 32))},
		{"digest-short", "a digest of 63 characters", kinds[2].o.with("digest", strings.Repeat("a", 63))},
		{"digest-not-hex", "a digest with a g", kinds[2].o.with("digest", strings.Repeat("g", 64))},
		{"unused-member-wrong", "a member that a beat does not use, of a wrong form", kinds[2].o.and("items", raw(`[{"stage":"panic"}]`))},
		{"unused-prev-wrong", "a member that a board does not use, of a wrong form", board.and("prev", "6")},
		{"twice-differently", "a member twice, the second one graver", board.with("items", []object{}).and("items", []object{it})},
		{"twice-escaped", "a member twice, once with an escape", board.and("region", "*")},
	} {
		p := text(f.o)
		if f.name == "twice-escaped" {
			p = strings.TrimSuffix(p, `"region":"*"}`) + `"\u0072egion":"*"}`
		}
		m.refused("payload/"+f.name, f.about, m.seal("main", m.header("main"), p), "malformed")
	}
}

// grammar is payloads that are no JSON, or none that two readers read alike.
func (m *maker) grammar() {
	board := text(m.board("*", 7, at(0), shelter("drone", at(0), "UA-1")))
	body := strings.TrimSuffix(board, "}")
	for _, f := range []struct{ name, about, payload string }{
		{"not-json", "words", "shelter now"},
		{"array", "an array", "[" + board + "]"},
		{"string", "a string", text(board)},
		{"null", "null", "null"},
		{"number", "a number", "7"},
		{"empty-object", "an empty object", "{}"},
		{"white-space-only", "nothing but white space", "  \n"},
		{"cut", "cut off", board[:len(board)/2]},
		{"two-objects", "two objects", board + board},
		{"something-after", "a word after the end", board + "x"},
		{"nul-after", "a NUL after the end", board + "\x00"},
		{"comma-at-end", "a comma too many", body + ",}"},
		{"comma-in-array", "a comma too many in an array", strings.Replace(board, `["UA-1"]`, `["UA-1",]`, 1)},
		{"comment", "a comment", "/* now */" + board},
		{"single-quotes", "single quotes", strings.ReplaceAll(board, `"`, "'")},
		{"no-quotes", "a name without quotes", strings.Replace(board, `"seq"`, "seq", 1)},
		{"byte-order-mark", "a byte order mark", "\ufeff" + board},
		{"utf-16", "UTF-16", utf16BE(board)},
		{"latin-1", "a byte that is no UTF-8", body + ",\"x\":\"\xe9\"}"},
		{"overlong", "an overlong form", body + ",\"x\":\"\xc0\xaf\"}"},
		{"surrogate-bytes", "a surrogate in UTF-8", body + ",\"x\":\"\xed\xa0\x80\"}"},
		{"lone-surrogate", "a lone surrogate, escaped", body + `,"x":"\ud800"}`},
		{"lone-low-surrogate", "a lone low surrogate, escaped", body + `,"x":"\udc00\ud800"}`},
		{"bad-escape", "an escape that is none", body + `,"x":"\x41"}`},
		{"short-escape", "an escape cut short", body + `,"x":"\u00e"}`},
		{"line-end-in-string", "a line end in a string", body + ",\"x\":\"a\nb\"}"},
		{"tab-in-string", "a tab in a string", body + ",\"x\":\"a\tb\"}"},
		{"no-break-space", "a no-break space between tokens", strings.Replace(board, ",", ",\u00a0", 1)},
		{"nan", "NaN", body + `,"x":NaN}`},
		{"infinity", "Infinity", body + `,"x":-Infinity}`},
		{"true-case", "True", body + `,"x":True}`},
		{"plus", "a plus before a number", body + `,"x":+1}`},
		{"leading-zero", "a leading zero", body + `,"x":01}`},
		{"no-digits-before-point", "no digit before the point", body + `,"x":.5}`},
		{"no-digits-after-point", "no digit after the point", body + `,"x":1.}`},
		{"no-exponent", "an exponent without digits", body + `,"x":1e}`},
		{"hexadecimal", "a hexadecimal number", body + `,"x":0x10}`},
		{"minus-alone", "a minus alone", body + `,"x":-}`},
		{"twice-in-unknown", "a member twice inside an unknown one", body + `,"x":[{"a":1,"a":1}]}`},
		{"proto", "a name that a careless client trips over, twice", body + `,"__proto__":1,"__proto__":2}`},
		{"too-deep", "17 levels", body + `,"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + "}"},
		{"too-deep-objects", "17 levels of objects", body + `,"x":` + strings.Repeat(`{"x":`, 15) + "{}" + strings.Repeat("}", 15) + `,"y":` + strings.Repeat(`{"x":`, 16) + "1" + strings.Repeat("}", 16) + "}"},
		{"mismatched", "a bracket that closes a brace", body + "]"},
		{"no-colon", "no colon", strings.Replace(board, `"seq":7`, `"seq" 7`, 1)},
		{"no-comma", "no comma", strings.Replace(board, `,"seq"`, ` "seq"`, 1)},
		{"name-not-text", "a name that is a number", body + `,1:2}`},
	} {
		m.refused("payload/json-"+f.name, f.about, m.seal("main", m.header("main"), f.payload), "malformed")
	}
}

func utf16BE(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r >> 8))
		b.WriteByte(byte(r))
	}
	return b.String()
}

func (m *maker) numbersAndTimes() {
	board := m.board("*", 7, at(0), shelter("drone", at(0), "UA-1"))
	for _, f := range []struct{ name, seq string }{
		{"negative", "-1"}, {"minus-zero", "-0"}, {"point", "7.0"}, {"fraction", "7.5"}, {"exponent", "7e0"},
		{"beyond-2-53", "9007199254740992"}, {"beyond-2-64", "18446744073709551623"}, {"endless", strings.Repeat("9", 400)}, {"text", `"7"`},
	} {
		m.refused("payload/seq-"+f.name, "a seq that is not written in digits only, or over 2^53-1", m.sign(board.with("seq", raw(f.seq))), "malformed")
	}
	for _, f := range []struct{ name, at string }{
		{"seconds", "2026-11-22T12:00:00Z"},
		{"two-decimals", "2026-11-22T12:00:00.00Z"},
		{"six-decimals", "2026-11-22T12:00:00.000000Z"},
		{"comma", "2026-11-22T12:00:00,000Z"},
		{"offset", "2026-11-22T14:00:00.000+02:00"},
		{"offset-zero", "2026-11-22T12:00:00.000+00:00"},
		{"no-zone", "2026-11-22T12:00:00.000"},
		{"lower-case", "2026-11-22t12:00:00.000z"},
		{"space", "2026-11-22 12:00:00.000Z"},
		{"date-only", "2026-11-22"},
		{"month-13", "2026-13-22T12:00:00.000Z"},
		{"february-30", "2026-02-30T12:00:00.000Z"},
		{"february-29", "2026-02-29T12:00:00.000Z"},
		{"hour-24", "2026-11-22T24:00:00.000Z"},
		{"leap-second", "2026-12-31T23:59:60.000Z"},
		{"year-5-digits", "+12026-11-22T12:00:00.000Z"},
		{"year-2-digits", "26-11-22T12:00:00.000Z"},
		{"day-0", "2026-11-00T12:00:00.000Z"},
		{"white-space", " 2026-11-22T12:00:00.000Z"},
		{"empty", ""},
	} {
		m.refused("payload/at-"+f.name, "a time that is not the contract's: "+f.at, m.sign(board.with("at", f.at)), "malformed")
	}
	m.refused("payload/at-number", "a time as a number", m.sign(board.with("at", raw("1795348800000"))), "malformed")
}

func (m *maker) items() {
	it := shelter("drone", at(0), "UA-1", "UA-2")
	over := ended("all-clear", "drone", at(0), "UA-1")
	put := func(items ...object) string { return m.sign(m.board("*", 7, at(0), items...)) }
	for _, name := range []string{"stage", "threat", "sure", "since", "until", "alert", "zones", "text"} {
		m.refused("payload/item-without-"+name, "an item without "+name, put(it.without(name)), "malformed")
		m.refused("payload/item-null-"+name, "an item whose "+name+" is null", put(it.with(name, raw("null"))), "malformed")
	}
	arrival := it.get("arrival").(object)
	for _, f := range []struct {
		name, about string
		items       []object
	}{
		{"stage-unknown", "a stage that is none", []object{it.with("stage", "panic")}},
		{"stage-case", "a stage in capitals", []object{it.with("stage", "Shelter")}},
		{"threat-unknown", "a threat that is not on the list", []object{it.with("threat", "balloon")}},
		{"sure-unknown", "a word that is none", []object{it.with("sure", "certain")}},
		{"sure-number", "how sure as a number", []object{it.with("sure", raw("0.9"))}},
		{"end-unknown", "an end that is none", []object{over.with("end", "over")}},
		{"end-empty", "an empty end", []object{over.with("end", "")}},
		{"end-null", "an end that is null", []object{it.and("end", raw("null"))}},
		{"end-with-shelter", "an end that does not end", []object{over.with("stage", "shelter")}},
		{"quiet-without-end", "quiet without an end", []object{it.with("stage", "quiet")}},
		{"zones-none", "an item without a zone", []object{it.with("zones", []string{})}},
		{"zones-order", "zones that are not in order", []object{it.with("zones", []string{"UA-2", "UA-1"})}},
		{"zones-order-utf16", "zones in the order of UTF-16", []object{it.with("zones", []string{"🚀", "\uffee"})}},
		{"zones-twice", "a zone twice in an item", []object{it.with("zones", []string{"UA-1", "UA-1"})}},
		{"zone-in-two-items", "a zone in two items", []object{it, warned("prepare", "rocket", at(0), "UA-2", "UA-3")}},
		{"zone-ends-and-holds", "a zone that ends and holds", []object{it, over}},
		{"zone-empty", "an empty zone id", []object{it.with("zones", []string{""})}},
		{"zone-control", "a tab in a zone id", []object{it.with("zones", []string{"UA\t1"})}},
		{"zone-delete", "a DEL in a zone id", []object{it.with("zones", []string{"UA\x7f1"})}},
		{"zone-long", "a zone id of 129 bytes", []object{it.with("zones", []string{strings.Repeat("é", 64) + "x"})}},
		{"zone-number", "a zone id that is a number", []object{it.with("zones", raw("[1]"))}},
		{"zones-text", "zones that are one text", []object{it.with("zones", "UA-1")}},
		{"alert-empty", "an empty alert", []object{it.with("alert", "")}},
		{"text-empty", "an empty text", []object{it.with("text", "")}},
		{"until-seconds", "an until without milliseconds", []object{it.with("until", "2026-11-22T12:30:00Z")}},
		{"arrival-null", "an arrival that is null", []object{it.with("arrival", raw("null"))}},
		{"arrival-empty", "an arrival without times", []object{it.with("arrival", object{})}},
		{"arrival-half", "an arrival with its earliest alone", []object{it.with("arrival", arrival.without("likely"))}},
		{"arrival-late-half", "an arrival with its likely alone", []object{it.with("arrival", arrival.without("earliest"))}},
		{"arrival-text", "an arrival that is a time", []object{it.with("arrival", at(60))}},
		{"member-twice", "a member of an item twice", []object{it.and("until", at(7200))}},
		{"second-wrong", "the second item is wrong: the first is not shown either", []object{it, shelter("rocket", at(0), "UA-3").without("until")}},
	} {
		m.refused("payload/item-"+f.name, f.about, put(f.items...), "malformed")
	}
	m.refused("payload/items-object", "items that are an object", m.sign(m.board("*", 7, at(0)).with("items", object{})), "malformed")
	m.refused("payload/item-not-object", "an item that is a text", m.sign(m.board("*", 7, at(0)).with("items", raw(`["shelter"]`))), "malformed")
}

// size is lines over the bound, and just under it.
func (m *maker) size() {
	s := m.script("size/over", "a line of 1 MiB and one byte")
	s.takeLine(Line{Fill: "A", Times: 1<<20 + 1}, at(1), "too-large", false)
	s.untouched(at(1))
	s = m.script("size/endless", "a line of 8 MiB")
	s.takeLine(Line{Fill: "AAAAAAAA", Times: 1 << 20}, at(1), "too-large", false)
	s.untouched(at(1))
	s = m.script("size/just-not-over", "a line of exactly 1 MiB that is none of ours")
	s.takeLine(Line{Fill: "A", Times: 1 << 20}, at(1), "malformed", false)
	s.untouched(at(1))

	it := shelter("drone", at(0), "UA-1")
	for _, f := range []struct {
		name, about, verdict string
		bytes                int
	}{
		{"greatest", "a board as large as it may be: white space to the last byte", "taken", 1 << 20},
		{"well-signed-over", "well signed, but too large", "too-large", 1<<20 + 4},
	} {
		s = m.script("size/"+f.name, f.about)
		s.takeLine(m.padded(m.board("*", 7, at(0), it), f.bytes), after(at(0)), f.verdict, false)
		if f.verdict == "taken" {
			s.shows(at(1), shown("*", "shelter", it)...)
		} else {
			s.untouched(at(1))
		}
	}
	s = m.script("size/deep", "nested a hundred thousand times")
	s.takeLine(m.nested(100_000), after(at(0)), "malformed", false)
	s.untouched(at(1))
	s = m.script("size/many-parts", "a hundred thousand dots")
	s.takeLine(Line{Fill: ".", Times: 100_000}, at(1), "malformed", false)
	s.untouched(at(1))
}
