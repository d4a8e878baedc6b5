package vectors

import (
	"strings"
	"time"
)

// entry is one key of a list, in force over all scripts unless changed.
func (m *maker) entry(name string) object {
	return m.entryFor(name, start.Add(-24*time.Hour), start.Add(24*time.Hour), []string{"*"}, []string{"*"})
}

func (m *maker) entryFor(name string, from, until time.Time, regions, classes []string) object {
	return object{
		{"kid", m.kid(name)}, {"x", m.x(name)}, {"from", from}, {"until", until},
		{"jurisdiction", object{{"regions", regions}, {"classes", classes}, {"polygon", raw("[]")}}},
	}
}

func (m *maker) list(serial int, revoked []string, keys ...object) object {
	return object{
		{"universe", universe}, {"kind", "keys"}, {"serial", serial}, {"at", start.Add(-time.Hour)}, {"root", m.kid("root")},
		{"keys", keys}, {"revoked", revoked},
	}
}

func (m *maker) addList(name string, p object) { m.addLine(name, m.signBy("root", p)) }

func (m *maker) addLine(name, line string) { m.file.Keys[name] = Line{Head: line} }

// keyLists makes the root and the lists that scripts begin with.
func (m *maker) keyLists() {
	m.file.Roots["main"] = m.x("root")
	all := []string{"*"}
	m.addList("main", m.list(7, []string{m.kid("revoked"), m.kid("revoked-alone")},
		m.entry("main"),
		m.entry("revoked"),
		m.entryFor("past", start.Add(-48*time.Hour), start.Add(-24*time.Hour), all, all),
		m.entryFor("future", start.Add(24*time.Hour), start.Add(48*time.Hour), all, all),
		m.entryFor("short", at(60), at(120), all, all),
		m.entryFor("regional", start.Add(-24*time.Hour), start.Add(24*time.Hour), []string{"UA59", "UA63"}, all),
		m.entryFor("drones", start.Add(-24*time.Hour), start.Add(24*time.Hour), all, []string{"drone", "glide-bomb"}),
		m.entryFor("nothing", start.Add(-24*time.Hour), start.Add(24*time.Hour), []string{}, []string{}),
	))
}

// forged is frames by those who may not.
func (m *maker) forged() {
	it := shelter("ballistic-missile", at(0), "UA-1")
	board := m.board("*", 7, at(0), it)
	m.refused("forged/stranger", "by a key that is on no list", m.signBy("stranger", board), "unknown-key")
	m.refused("forged/stranger-as-main", "by a stranger under the name of a known key", m.seal("stranger", m.header("main"), text(board)), "bad-signature")
	m.refused("forged/root", "the root never signs a board", m.signBy("root", board), "unknown-key")
	m.refused("forged/past-as-main", "by another known key under the name of a known one", m.seal("past", m.header("main"), text(board)), "bad-signature")
	m.refused("forged/kid-unknown", "by a known key under an unknown name", m.seal("main", m.header("stranger"), text(board)), "unknown-key")
	m.refused("forged/kid-not-base64", "a kid of 16 characters that can be none", m.seal("main", strings.Replace(m.header("main"), m.kid("main"), "****************", 1), text(board)), "unknown-key")
	m.refused("forged/no-signature", "a signature of zeros", zeroSignature(m.sign(board)), "bad-signature")
	m.refused("forged/revoked-alone", "a kid that is in revoked alone is unknown", m.signBy("revoked-alone", board), "unknown-key")
	m.refused("forged/revoked-bad-signature", "under the name of a revoked key, badly signed", m.seal("stranger", m.header("revoked"), text(board)), "bad-signature")
	m.refused("forged/raw-payload", "the signature is over the payload alone", overPayloadAlone(m, board), "bad-signature")
	for _, kind := range []object{m.change("*", 8, 7, at(1), it), m.beat("*", 7, at(1))} {
		s := m.script("forged/"+kind.get("kind").(string), "forged after a good board: nothing changes")
		s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
		s.take(m.seal("stranger", m.header("main"), text(kind)), after(at(1)), "bad-signature")
		l := s.look(at(2))
		l.State, l.Seq = &[]Zone{}, map[string]int64{"*": 7}
	}
	s := m.bare("forged/no-list-yet", "a good frame before any key list")
	s.take(m.sign(board), at(1), "unknown-key")
	s.keys("main", at(2), "taken")
	s.take(m.sign(board), at(2), "taken")

	// Checks in their order: what is wrong first decides.
	for _, f := range []struct{ name, about, line, verdict string }{
		{"signature-before-payload", "badly signed nonsense", m.seal("stranger", m.header("main"), "nonsense"), "bad-signature"},
		{"key-before-payload", "nonsense by a stranger", m.signBy("stranger", object{}), "unknown-key"},
		{"payload-before-revoked", "nonsense by a revoked key", m.signBy("revoked", object{}), "malformed"},
		{"universe-before-region", "of the other universe and region", m.sign(m.board("UA59", 7, at(0)).with("universe", "live")), "wrong-universe"},
		{"region-before-revoked", "of another region by a revoked key", m.signBy("revoked", m.board("UA59", 7, at(0))), "wrong-region"},
		{"revoked-before-force", "by a revoked key, signed before it was in force", m.signBy("revoked", m.board("*", 7, at(-48*3600))), "revoked-key"},
		{"force-before-jurisdiction", "by a key without jurisdiction, signed before it was in force", m.signBy("nothing", m.board("*", 7, at(-48*3600))), "key-not-in-force"},
	} {
		m.refused("forged/order-"+f.name, f.about, f.line, f.verdict)
	}
}

func zeroSignature(line string) string {
	i := strings.LastIndexByte(line, '.')
	return line[:i+1] + b64(make([]byte, 64))
}

func overPayloadAlone(m *maker, p object) string {
	parts := strings.Split(m.sealText("main", text(p)), ".")
	return b64([]byte(m.header("main"))) + "." + b64([]byte(text(p))) + "." + parts[len(parts)-1]
}

// flip changes one bit in a part of a line, keeping its form.
func flip(line, part string) string {
	dots := [2]int{strings.IndexByte(line, '.'), strings.LastIndexByte(line, '.')}
	at := map[string]int{"payload": dots[0] + 9, "signature": dots[1] + 9}[part]
	return line[:at] + next64(line[at]) + line[at+1:]
}

// altered is good frames changed on the way.
func (m *maker) altered() {
	it := shelter("drone", at(0), "UA-1")
	board, quiet := m.sign(m.board("*", 7, at(0), it)), m.sign(m.board("*", 9, at(2)))
	parts, other := strings.Split(board, "."), strings.Split(quiet, ".")
	edit := func(from, to string) string {
		p := strings.Replace(text(m.board("*", 7, at(0), it)), from, to, 1)
		return parts[0] + "." + b64([]byte(p)) + "." + parts[2]
	}
	for _, f := range []struct{ name, about, line string }{
		{"payload-bit", "one bit of the payload", flip(board, "payload")},
		{"signature-bit", "one bit of the signature", flip(board, "signature")},
		{"detached", "without its payload", parts[0] + ".." + parts[2]},
		{"payload-swapped", "the payload of another frame", parts[0] + "." + other[1] + "." + parts[2]},
		{"signature-swapped", "the signature of another frame", parts[0] + "." + parts[1] + "." + other[2]},
		{"stage", "shelter made prepare", edit(`"stage":"shelter"`, `"stage":"prepare"`)},
		{"zone", "another zone", edit("UA-1", "UA-2")},
		{"until", "another until", edit("12:30:00.000Z", "12:00:01.000Z")},
		{"seq", "another number", edit(`"seq":7`, `"seq":8`)},
		{"region", "another region", edit(`"region":"*"`, `"region":"UA59"`)},
		{"universe", "the other universe", edit("exercise", "live")},
		{"at", "signed later", edit(`"at":"2026-11-22T12:00:00`, `"at":"2026-11-22T12:01:00`)},
		{"threat", "another threat", edit(`"threat":"drone"`, `"threat":"rocket"`)},
		{"white-space", "a space more", edit(`{"universe"`, `{ "universe"`)},
		{"member-added", "an unknown member more", edit(`{"universe"`, `{"x":1,"universe"`)},
		{"item-removed", "without its item", edit(text([]object{it}), "[]")},
		{"cut-payload", "the end of the payload cut off", parts[0] + "." + parts[1][:len(parts[1])/8*4] + "." + parts[2]},
		{"signature-s", "a multiple of the group's order added to the signature's second half", addOrder(board)},
	} {
		m.refused("altered/"+f.name, f.about, f.line, "bad-signature")
	}
	for i := range 12 {
		at1 := m.rand.IntN(len(parts[1]) - 2)
		line := parts[0] + "." + parts[1][:at1] + next64(parts[1][at1]) + parts[1][at1+1:] + "." + parts[2]
		m.refused("altered/random-"+string(rune('a'+i)), "one bit of the payload, anywhere", line, "bad-signature")
	}
}

// addOrder adds the order of the group to S: the same signature to a careless verifier.
func addOrder(line string) string {
	i := strings.LastIndexByte(line, '.')
	sig := unb64(line[i+1:])
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 16: 0, 31: 0x10}
	carry := 0
	for j := range order {
		sum := int(sig[32+j]) + int(order[j]) + carry
		sig[32+j], carry = byte(sum), sum>>8
	}
	return line[:i+1] + b64(sig)
}

// keysInForce is validity and revocation.
func (m *maker) keysInForce() {
	m.refused("key/revoked", "by a revoked key", m.signBy("revoked", m.board("*", 7, at(0))), "revoked-key")
	m.refused("key/past", "by a key whose time is over", m.signBy("past", m.board("*", 7, at(0))), "key-not-in-force")
	m.refused("key/past-backdated", "by a key whose time is over, signed as if it were not", m.signBy("past", m.board("*", 7, at(-30*3600))), "key-not-in-force")
	m.refused("key/future", "by a key whose time has not come", m.signBy("future", m.board("*", 7, at(0))), "key-not-in-force")
	m.refused("key/future-postdated", "by a key whose time has not come, signed as if it had", m.signBy("future", m.board("*", 7, at(30*3600))), "key-not-in-force")
	for _, f := range []struct {
		name    string
		at, now float64
		verdict string
	}{
		{"at-before-from", 59.999, 61, "key-not-in-force"},
		{"at-on-from", 60, 61, "taken"},
		{"at-before-until", 119.999, 119.999, "taken"},
		{"at-on-until", 120, 119, "key-not-in-force"},
		{"now-before-from", 61, 59.999, "key-not-in-force"},
		{"now-on-from", 61, 60, "taken"},
		{"now-on-until", 119, 120, "key-not-in-force"},
	} {
		s := m.script("key/border-"+f.name, "in force from its first millisecond to the last before until, by at and by the client's clock")
		s.take(m.signBy("short", m.board("*", 7, at(f.at))), at(f.now), f.verdict)
	}
	all := []string{"*"}
	m.addList("overlap", m.list(8, nil, m.entryFor("main", start.Add(-24*time.Hour), at(600), all, all), m.entryFor("next", at(300), at(9000), all, all)))
	s := m.script("key/rotation", "two keys in force for a while: every frame is taken")
	s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
	s.take(m.signBy("next", m.beat("*", 7, at(310))), after(at(310)), "unknown-key")
	s.keys("overlap", at(311), "taken")
	s.take(m.signBy("next", m.beat("*", 7, at(310))), at(311), "taken")
	s.take(m.sign(m.beat("*", 7, at(320))), after(at(320)), "taken")
	s.take(m.signBy("next", m.beat("*", 7, at(330))), after(at(330)), "taken")
	s.take(m.sign(m.beat("*", 7, at(600))), after(at(600)), "key-not-in-force")
	s.take(m.signBy("next", m.beat("*", 7, at(610))), after(at(610)), "taken")
	m.stolen()
}

// stolen is a key that was revoked after a thief had used it.
func (m *maker) stolen() {
	it := shelter("drone", at(0), "UA-1")
	m.addList("after-theft", m.list(9, []string{m.kid("main")}, m.entry("main"), m.entry("next")))
	s := m.script("key/stolen-seq", "a thief sets the number beyond reach; after the revocation the honest board is taken again")
	s.take(m.sign(m.board("*", 7, at(0), it)), after(at(0)), "taken")
	s.take(m.sign(m.board("*", 1<<53-1, at(1), it)), after(at(1)), "taken")
	s.take(m.signBy("main", m.board("*", 8, at(2), it)), after(at(2)), "rollback")
	s.keys("after-theft", at(3), "taken")
	l := s.look(at(3))
	zones := shown("*", "shelter", it)
	l.State, l.Seq = &zones, map[string]int64{"*": -1}
	s.take(m.sign(m.board("*", 1<<53-1, at(4))), after(at(4)), "revoked-key")
	s.take(m.signBy("next", m.board("*", 9, at(5), it)), after(at(5)), "taken")
	s.take(m.signBy("next", m.beat("*", 9, at(6), it)), after(at(6)), "taken")
	s.look(at(7)).Seq = map[string]int64{"*": 9}

	s = m.script("key/stolen-at", "a thief sets the time beyond reach; after the revocation honest beats are taken again")
	s.take(m.sign(m.board("*", 7, at(0), it)), after(at(0)), "taken")
	s.flagged(m.sign(m.beat("*", 7, at(80000), it)), after(at(1)), "taken")
	s.take(m.sign(m.beat("*", 7, at(2), it)), after(at(2)), "replay")
	s.take(m.sign(m.board("*", 7, at(3), it)), after(at(3)), "taken")
	s.keys("after-theft", at(4), "taken")
	s.take(m.signBy("next", m.board("*", 8, at(5), it)), after(at(5)), "taken")
	s.take(m.signBy("next", m.beat("*", 8, at(6), it)), after(at(6)), "taken")
	s.look(at(7)).Clock = map[string]bool{"*": false}

	m.addList("other-revoked", m.list(9, []string{m.kid("past")}, m.entry("main"), m.entry("past")))
	s = m.script("key/other-revoked", "the revocation of a key that never spoke here changes nothing")
	s.take(m.sign(m.board("*", 7, at(0), it)), after(at(0)), "taken")
	s.keys("other-revoked", at(1), "taken")
	s.look(at(1)).Seq = map[string]int64{"*": 7}
	s.take(m.sign(m.board("*", 6, at(2))), after(at(2)), "rollback")
}

// lists is what a client makes of key lists.
func (m *maker) lists() {
	good := m.list(8, nil, m.entry("main"))
	good7 := m.list(7, nil, m.entry("main"))
	refusedList := func(name, about, line, verdict string) {
		m.addLine(name, line)
		s := m.script("keys/"+name, about)
		s.keys(name, at(1), verdict)
		s.take(m.sign(m.board("*", 7, at(2))), after(at(2)), "taken") // by the list held
	}
	root := func(p object) string { return m.signBy("root", p) }

	m.addList("newer", good)
	s := m.script("keys/newer", "a higher serial is taken, and what it leaves out is unknown")
	s.keys("newer", at(1), "taken")
	s.take(m.signBy("regional", m.board("*", 7, at(2))), after(at(2)), "unknown-key")
	s.keys("main", at(3), "rollback")

	m.addList("same-serial", good7)
	s = m.script("keys/same-serial", "the same serial is taken")
	s.keys("same-serial", at(1), "taken")
	s.keys("main", at(2), "taken")

	refusedList("lower-serial", "a lower serial than the one held", root(m.list(6, nil, m.entry("main"), m.entry("stranger"))), "rollback")
	refusedList("by-stranger", "by a key that is not the root", m.signBy("stranger", good.with("root", m.kid("stranger"))), "unknown-key")
	refusedList("by-board-key", "a board key cannot make key lists", m.signBy("main", good.with("root", m.kid("main"))), "unknown-key")
	refusedList("forged", "by a stranger under the root's name", m.seal("stranger", m.header("root"), text(good)), "bad-signature")
	refusedList("list-altered", "one bit changed", flip(root(good), "payload"), "bad-signature")
	refusedList("other-universe", "of the other universe", root(good.with("universe", "live")), "wrong-universe")
	refusedList("frame", "a frame is no key list", root(m.board("*", 7, at(0))), "malformed")
	refusedList("not-a-jws", "not a JWS", "keys", "malformed")
	refusedList("other-root", "names another root than its signer", root(good.with("root", m.kid("stranger"))), "malformed")
	refusedList("kid-twice", "a key twice", root(m.list(8, nil, m.entry("main"), m.entry("main"))), "malformed")
	refusedList("kid-of-another", "a kid that is not its key's", root(m.list(8, nil, m.entry("stranger").with("kid", m.kid("main")))), "malformed")
	refusedList("x-short", "a key of 31 bytes", root(m.list(8, nil, m.entry("main").with("x", b64(make([]byte, 31))))), "malformed")
	refusedList("x-padded", "a padded key", root(m.list(8, nil, m.entry("main").with("x", m.x("main")+"="))), "malformed")
	refusedList("serial-text", "a serial that is a text", root(good.with("serial", "8")), "malformed")
	refusedList("serial-twice", "a serial twice", root(good.and("serial", 9)), "malformed")
	refusedList("revoked-null", "revoked is null", root(good.with("revoked", raw("null"))), "malformed")
	refusedList("no-polygon", "a jurisdiction without a polygon", root(m.list(8, nil, m.entry("main").with("jurisdiction", object{{"regions", []string{"*"}}, {"classes", []string{"*"}}}))), "malformed")
	for _, name := range []string{"universe", "kind", "serial", "at", "root", "keys", "revoked"} {
		refusedList("without-"+name, "a list without "+name, root(good.without(name)), "malformed")
	}
	for _, name := range []string{"kid", "x", "from", "until", "jurisdiction"} {
		refusedList("key-without-"+name, "a key without "+name, root(m.list(8, nil, m.entry("main").without(name))), "malformed")
	}
	m.file.Keys["over"] = Line{Fill: "A", Times: 1<<20 + 1}
	s = m.script("keys/over", "a list of over 1 MiB")
	s.keys("over", at(1), "too-large")
	s.take(m.sign(m.board("*", 7, at(2))), after(at(2)), "taken")

	m.addList("unknown-members", good.and("x", raw(`{"y":[]}`)).with("keys", []object{m.entry("main").and("x5c", raw("[1.5]"))}))
	s = m.bare("keys/unknown-members", "unknown members are ignored")
	s.keys("unknown-members", at(1), "taken")
	s.take(m.sign(m.board("*", 7, at(2))), after(at(2)), "taken")

	m.addList("polygon", m.list(8, nil, m.entry("main").with("jurisdiction", object{
		{"regions", []string{"*"}}, {"classes", []string{"*"}},
		{"polygon", raw(`[[[[22.1,44.3],[40.3,44.3],[40.3,52.4],[22.1,52.4],[22.1,44.3]]]]`)}})))
	s = m.bare("keys/polygon", "a polygon is for the door and the signer, not for clients")
	s.keys("polygon", at(1), "taken")
	s.take(m.sign(m.board("*", 7, at(2), shelter("drone", at(2), "UA-1"))), after(at(2)), "taken")
}

// jurisdiction is what a key in force may say.
func (m *maker) jurisdiction() {
	for _, f := range []struct {
		name, about, by, region string
		items                   []object
		verdict                 string
	}{
		{"region-of-one", "its own region", "regional", "UA59", []object{shelter("rocket", at(0), "UA-1")}, "taken"},
		{"region-other", "another region", "regional", "UA77", nil, "out-of-jurisdiction"},
		{"region-whole", "the whole country needs *", "regional", "*", nil, "out-of-jurisdiction"},
		{"region-test", "any key in force may sign the test chain", "nothing", "test", []object{shelter("rocket", at(0), "TEST")}, "taken"},
		{"test-other-zone", "the test chain names a place that is not its own", "main", "test", []object{shelter("rocket", at(0), "UA-1")}, "out-of-jurisdiction"},
		{"test-zone-and-other", "the test chain names a place beside its own", "main", "test", []object{shelter("rocket", at(0), "TEST", "UA-1")}, "out-of-jurisdiction"},
		{"test-zone-of-whole", "the zone of the test chain in the country's", "main", "*", []object{shelter("rocket", at(0), "TEST")}, "out-of-jurisdiction"},
		{"test-zone-of-region", "the zone of the test chain in a region's", "main", "UA59", []object{shelter("rocket", at(0), "UA-1"), ended("all-clear", "rocket", at(0), "TEST")}, "out-of-jurisdiction"},
		{"class-of-one", "its own classes", "drones", "*", []object{shelter("drone", at(0), "UA-1"), shelter("glide-bomb", at(0), "UA-2")}, "taken"},
		{"class-other", "another class", "drones", "*", []object{shelter("rocket", at(0), "UA-1")}, "out-of-jurisdiction"},
		{"class-one-of-two", "one item of two is of another class", "drones", "*", []object{shelter("drone", at(0), "UA-1"), shelter("rocket", at(0), "UA-2")}, "out-of-jurisdiction"},
		{"class-end", "an end of another class", "drones", "*", []object{ended("all-clear", "rocket", at(0), "UA-1")}, "out-of-jurisdiction"},
		{"class-none", "an empty board needs no class", "drones", "*", nil, "taken"},
		{"nothing", "a key for nothing", "nothing", "*", nil, "out-of-jurisdiction"},
	} {
		s := m.script("jurisdiction/"+f.name, f.about, f.region)
		s.take(m.signBy(f.by, m.board(f.region, 7, at(0), f.items...)), after(at(0)), f.verdict)
		if f.verdict != "taken" {
			s.untouched(at(1))
		}
	}
	s := m.script("jurisdiction/beat", "a beat of a region that is not the key's", "UA77")
	s.take(m.sign(m.board("UA77", 7, at(0))), after(at(0)), "taken")
	s.take(m.signBy("regional", m.beat("UA77", 7, at(1))), after(at(1)), "out-of-jurisdiction")
	s = m.script("jurisdiction/change", "a change of another class after a good board")
	s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
	s.take(m.signBy("drones", m.change("*", 8, 7, at(1), shelter("rocket", at(1), "UA-1"))), after(at(1)), "out-of-jurisdiction")
	l := s.look(at(2))
	l.State, l.Seq = &[]Zone{}, map[string]int64{"*": 7}
}

// elsewhere is good frames that are not for this client.
func (m *maker) elsewhere() {
	it := shelter("drone", at(0), "UA-1")
	m.addList("live", m.list(7, nil, m.entry("main")).with("universe", "live"))
	for _, kind := range []object{m.board("*", 8, at(1), it), m.change("*", 8, 7, at(1), it), m.beat("*", 7, at(1))} {
		name := kind.get("kind").(string)
		s := m.script("universe/live-"+name+"-for-exercise", "a live "+name+" on an exercise device")
		s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
		s.take(m.sign(kind.with("universe", "live")), after(at(1)), "wrong-universe")
		s.shows(at(2))

		s = m.bare("universe/exercise-"+name+"-for-live", "an exercise "+name+" on a live device")
		s.Universe = "live"
		s.keys("live", at(0), "taken")
		s.take(m.sign(m.board("*", 7, at(0)).with("universe", "live")), after(at(0)), "taken")
		s.take(m.sign(kind), after(at(1)), "wrong-universe")
		s.shows(at(2))

		s = m.script("region/other-"+name, "a "+name+" of a region that is not followed", "UA59")
		s.take(m.sign(kind.with("region", "UA63")), after(at(1)), "wrong-region")
		s.untouched(at(2))

		s = m.script("region/whole-"+name, "a "+name+" of the whole country for one who follows a region", "UA59")
		s.take(m.sign(kind), after(at(1)), "wrong-region")
		s.untouched(at(2))

		s = m.script("region/test-"+name, "a "+name+" of the test chain for one who does not follow it")
		s.take(m.sign(kind.with("region", "test")), after(at(1)), "wrong-region")
		s.untouched(at(2))
	}
	s := m.bare("universe/exercise-keys-for-live", "the key list of an exercise on a live device")
	s.Universe = "live"
	s.keys("main", at(0), "wrong-universe")
	s.take(m.sign(m.board("*", 7, at(0)).with("universe", "live")), after(at(0)), "unknown-key")

	s = m.script("region/near-name", "a region whose name begins like the one followed", "UA5")
	s.take(m.sign(m.board("UA59", 7, at(0))), after(at(0)), "wrong-region")
	s = m.script("region/case", "a region whose name differs in case", "UA59")
	s.take(m.sign(m.board("ua59", 7, at(0))), after(at(0)), "wrong-region")
}
