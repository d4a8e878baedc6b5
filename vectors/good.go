package vectors

import (
	"fmt"
	"strings"
	"time"
)

var (
	threats  = []string{"ballistic-missile", "cruise-missile", "rocket", "drone", "glide-bomb", "aircraft", "unknown"}
	ends     = []string{"all-clear", "cancelled", "expired"}
	pictures = []string{"live", "partial", "none"}
)

// showOfEnd is what a person is shown of an end.
func showOfEnd(end string) string {
	if end == "expired" {
		return "no-news"
	}
	return end
}

// good are frames of every kind that must be taken.
func (m *maker) good() {
	s := m.script("good/board-empty", "a board on which nothing is warned")
	s.take(m.sign(m.board("*", 7, at(1))), after(at(1)), "taken")
	l := s.look(at(2))
	l.State, l.Seq, l.Picture, l.Deaf = &[]Zone{}, map[string]int64{"*": 7}, map[string]string{"*": "live"}, map[string]bool{"*": false}

	for _, threat := range threats {
		it := shelter(threat, at(0), "UA-1", "UA-2")
		s = m.script("good/board-shelter-"+threat, "a board with two zones in shelter")
		s.take(m.sign(m.board("*", 7, at(1), it)), after(at(1)), "taken")
		s.shows(at(2), shown("*", "shelter", it)...)

		it = warned("prepare", threat, at(1), "UA-1")
		s = m.script("good/change-prepare-"+threat, "a change to an empty board, and the beat that agrees")
		s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
		s.take(m.sign(m.change("*", 8, 7, at(1), it)), after(at(1)), "taken")
		s.take(m.sign(m.beat("*", 8, at(2), it)), after(at(2)), "taken")
		s.shows(at(3), shown("*", "prepare", it)...)
	}
	for _, end := range ends {
		it, over := shelter("drone", at(0), "UA-1"), ended(end, "drone", at(60), "UA-1")
		s = m.script("good/ends-"+end, "a shelter and its end")
		s.take(m.sign(m.board("*", 7, at(1), it)), after(at(1)), "taken")
		s.take(m.sign(m.change("*", 8, 7, at(60), over)), after(at(60)), "taken")
		s.take(m.sign(m.beat("*", 8, at(61))), after(at(61)), "taken")
		s.shows(at(61), shown("*", showOfEnd(end), over)...)
		s.shows(at(60+59*60), shown("*", showOfEnd(end), over)...)
		s.shows(at(60 + 61*60))
	}
	for _, p := range pictures {
		s = m.script("good/picture-"+p, "the picture follows the newest frame that speaks of it")
		s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
		s.take(m.sign(m.beat("*", 7, at(1)).with("picture", p)), after(at(1)), "taken")
		s.look(at(2)).Picture = map[string]string{"*": p}
		s.take(m.sign(m.change("*", 8, 7, at(3))), after(at(3)), "taken")
		s.look(at(4)).Picture = map[string]string{"*": p}
	}
	for _, sure := range []string{"low", "medium", "high"} {
		it := shelter("rocket", at(0), "UA-1").with("sure", sure)
		s = m.script("good/sure-"+sure, "each word on how sure it is")
		s.take(m.sign(m.board("*", 7, at(1), it)), after(at(1)), "taken")
		s.shows(at(2), shown("*", "shelter", it)...)
	}
	m.goodLife()
}

func (m *maker) goodLife() {
	a, b := warned("prepare", "drone", at(1), "UA-1", "UA-2"), shelter("drone", at(2), "UA-2")
	s := m.script("good/prepare-then-shelter", "a change says something new of one zone of two; of the other nothing changes")
	s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
	s.take(m.sign(m.change("*", 8, 7, at(1), a)), after(at(1)), "taken")
	s.take(m.sign(m.change("*", 9, 8, at(2), b)), after(at(2)), "taken")
	left := a.with("zones", []string{"UA-1"})
	s.take(m.sign(m.beat("*", 9, at(3), left, b)), after(at(3)), "taken")
	s.shows(at(4), append(shown("*", "prepare", left), shown("*", "shelter", b)...)...)

	over := ended("all-clear", "drone", at(10), "UA-1")
	again := shelter("rocket", at(20), "UA-1").with("alert", "w2.1")
	s = m.script("good/warned-again", "a zone that ended is warned again")
	s.take(m.sign(m.board("*", 7, at(10), over)), after(at(10)), "taken")
	s.shows(at(11), shown("*", "all-clear", over)...)
	s.take(m.sign(m.change("*", 8, 7, at(20), again)), after(at(20)), "taken")
	s.shows(at(21), shown("*", "shelter", again)...)

	first, second := shelter("drone", at(0), "UA-1"), shelter("drone", at(0), "UA-2")
	s = m.script("good/split-change", "a change in two frames of one moment")
	s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
	s.take(m.sign(m.change("*", 8, 7, at(1), first)), after(at(1)), "taken")
	s.take(m.sign(m.change("*", 9, 8, at(1.001), second)), after(at(1)), "taken")
	s.shows(at(2), append(shown("*", "shelter", first), shown("*", "shelter", second)...)...)

	s = m.script("good/seq-jumps", "numbers may jump, as after a restart")
	s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
	s.take(m.sign(m.change("*", 1<<40, 7, at(1), first)), after(at(1)), "taken")
	s.take(m.sign(m.board("*", 1<<53-1, at(2), first)), after(at(2)), "taken")
	s.look(at(3)).Seq = map[string]int64{"*": 1<<53 - 1}

	s = m.script("good/seq-zero", "the first number may be 0")
	s.take(m.sign(m.board("*", 0, at(0))), after(at(0)), "taken")
	s.take(m.sign(m.change("*", 1, 0, at(1), first)), after(at(1)), "taken")

	s = m.script("good/board-again", "a board with the number held is taken")
	line := m.sign(m.board("*", 7, at(0), first))
	s.take(line, after(at(0)), "taken")
	s.take(line, at(1), "taken")
	s.shows(at(2), shown("*", "shelter", first)...)

	s = m.script("good/two-regions", "two chains, each with its own numbers", "UA59", "UA63")
	s.take(m.sign(m.board("UA59", 7, at(0), first)), after(at(0)), "taken")
	s.take(m.sign(m.board("UA63", 3, at(0), second)), after(at(0)), "taken")
	s.take(m.sign(m.beat("UA59", 7, at(1), first)), after(at(1)), "taken")
	s.take(m.sign(m.beat("UA63", 3, at(1), second)), after(at(1)), "taken")
	s.look(at(2)).Seq = map[string]int64{"UA59": 7, "UA63": 3}
	s.shows(at(2), append(shown("UA59", "shelter", first), shown("UA63", "shelter", second)...)...)

	test := shelter("unknown", at(0), "TEST").without("arrival").with("until", at(40))
	over = ended("all-clear", "unknown", at(20), "TEST")
	s = m.script("good/test-chain", "the chain that anyone can follow to prove their own path", "test")
	s.take(m.sign(m.board("test", 7, at(1), test)), after(at(1)), "taken")
	s.take(m.sign(m.change("test", 8, 7, at(20), over)), after(at(20)), "taken")
	s.take(m.sign(m.beat("test", 8, at(21))), after(at(21)), "taken")
	s.shows(at(22), shown("test", "all-clear", over)...)
	m.testMinutes()
}

// testMinutes are two minutes of the test chain, by a key that may sign nothing else, beside
// the country's chain, which knows nothing of it.
func (m *maker) testMinutes() {
	s := m.script("good/test-minutes", "two minutes of the test chain beside the whole country, in which nothing is warned", "*", "test")
	s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
	s.take(m.signBy("nothing", m.board("test", 40, at(0))), after(at(0)), "taken")
	for minute := range 2 {
		from, seq := float64(60*minute), 40+2*minute
		test := shelter("unknown", at(from), "TEST").without("arrival").with("until", at(from+40)).with("alert", fmt.Sprintf("test-20261122T12%02d", minute))
		over := ended("all-clear", "unknown", at(from+20), "TEST").with("until", at(from+40))
		s.take(m.signBy("nothing", m.change("test", seq+1, seq, at(from+0.05), test)), after(at(from+0.05)), "taken")
		s.take(m.signBy("nothing", m.beat("test", seq+1, at(from+10), test)), after(at(from+10)), "taken")
		s.take(m.sign(m.beat("*", 7, at(from+10))), after(at(from+10)), "taken")
		s.shows(at(from+19), shown("test", "shelter", test)...)
		s.take(m.signBy("nothing", m.change("test", seq+2, seq+1, at(from+20), over)), after(at(from+20)), "taken")
		s.take(m.signBy("nothing", m.beat("test", seq+2, at(from+50))), after(at(from+50)), "taken")
		s.shows(at(from+59), shown("test", "all-clear", over)...)
	}
	test := shelter("unknown", at(120), "TEST").without("arrival").with("until", at(160))
	s.take(m.signBy("nothing", m.change("test", 45, 44, at(120), test)), after(at(120)), "taken")
	s.shows(at(160), shown("test", "no-news", test)...)
	s.look(at(160)).Deaf = map[string]bool{"*": true, "test": true}
}

// goodForms are written in ways that are allowed.
func (m *maker) goodForms() {
	it := shelter("drone", at(0), "UA-1")
	deep := raw(strings.Repeat("[", 15) + strings.Repeat("]", 15))
	odd := raw(`{"a":[1,-2.5e+3,true,false,null,"\u00e9\ud83d\ude80\/"],"b":{}}`)
	board := m.board("*", 7, at(0), it)
	for _, g := range []struct {
		name, about string
		payload     string
	}{
		{"unknown-member", "a member unknown to the contract is ignored", text(board.and("new", odd))},
		{"unknown-item-member", "also in an item", text(board.with("items", []object{it.and("new", odd)}))},
		{"unknown-arrival-member", "also in an arrival", text(board.with("items", []object{it.with("arrival", it.get("arrival").(object).and("latest", odd))}))},
		{"deep", "16 levels, the deepest there may be", text(board.and("new", deep))},
		{"other-order", "members in another order", text(reversed(board))},
		{"white-space", "white space between the tokens", " \t\r\n" + strings.NewReplacer(`":`, "\" : ", `,"`, " ,\n\t\"").Replace(text(board)) + "\n"},
		{"escapes", "names and words written with escapes", strings.NewReplacer(`"universe"`, `"\u0075niverse"`, `"UA-1"`, `"U\u0041-1"`, `"drone"`, `"\u0064rone"`).Replace(text(board))},
		{"no-arrival", "an item whose arrival is unknown", text(board.with("items", []object{it.without("arrival")}))},
		{"member-of-another-kind", "a member that this kind does not use, in its form", text(board.and("prev", 3).and("active", 9))},
		{"next-before-at", "a next that was late already", text(board.with("next", at(-1)))},
		{"name-in-any-case", "a name that differs in case is another, unknown name", text(board.and("Region", "UA59").and("SEQ", raw(`"x"`)))},
		{"text-unknown", "a text key that is not agreed yet", text(board.with("items", []object{it.with("text", "shelter-drone-at-night")}))},
		{"millisecond", "times to the millisecond", text(board.with("at", at(0.001)))},
		{"longest-names", "a name of 128 bytes", text(board.with("set", strings.Repeat("s", 128)))},
		{"unknown-number", "a number beyond all bounds in an unknown member", text(board.and("new", raw("-1e999")))},
		{"leap-day", "the 29th of February in a leap year", text(board.with("items", []object{it.with("since", raw(`"2024-02-29T23:59:59.999Z"`))}))},
	} {
		s := m.script("good/form-"+g.name, g.about)
		s.take(m.seal("main", m.header("main"), g.payload), after(at(0)), "taken")
		s.shows(at(1), shown("*", "shelter", it)...)
	}
	ids := []string{"A", "Z", "a", "é", "שדרות", "\uffee", "🚀"}
	many := shelter("drone", at(0), ids...)
	s := m.script("good/form-bytewise", "zones are in the order of their UTF-8 bytes, in items and in the digest; not of UTF-16")
	s.take(m.sign(m.board("*", 7, at(0), many)), after(at(0)), "taken")
	s.take(m.sign(m.beat("*", 7, at(1), many)), after(at(1)), "taken")
	s.shows(at(2), shown("*", "shelter", many)...)

	var items []object
	var want []Zone
	for i := range 40 {
		one := shelter(threats[i%len(threats)], at(float64(-i)), fmt.Sprintf("UA-%02d", i))
		items, want = append(items, one), append(want, shown("*", "shelter", one)...)
	}
	s = m.script("good/form-many-items", "40 items")
	s.take(m.sign(m.board("*", 7, at(0), items...)), after(at(0)), "taken")
	s.take(m.sign(m.beat("*", 7, at(1), items...)), after(at(1)), "taken")
	s.shows(at(2), want...)
}

func reversed(o object) object {
	out := make(object, 0, len(o))
	for i := len(o) - 1; i >= 0; i-- {
		out = append(out, o[i])
	}
	return out
}

// time is what clocks do to a frame.
func (m *maker) time() {
	it := shelter("drone", at(0), "UA-1")
	line := m.sign(m.board("*", 7, at(0), it))
	for _, c := range []struct {
		name  string
		now   time.Time
		clock bool
	}{
		{"behind-5-min", at(-300), false},
		{"behind-over-5-min", at(-300.001), true},
		{"behind-a-day", at(-86400), true},
		{"ahead-5-min", at(300), false},
		{"ahead-over-5-min", at(300.001), true},
	} {
		s := m.script("time/clock-"+c.name, "the client's clock is "+c.name+": taken and shown, flagged over 5 minutes")
		s.takeLine(Line{Head: line}, c.now, "taken", c.clock)
		s.look(c.now).Clock = map[string]bool{"*": c.clock}
		s.shows(c.now, shown("*", "shelter", it)...)
	}
	s := m.script("time/expired", "until has come: no news, never all-clear")
	s.take(line, after(at(0)), "taken")
	s.shows(at(30*60-0.001), shown("*", "shelter", it)...)
	s.shows(at(30*60), shown("*", "no-news", it)...)
	s.shows(at(10*3600), shown("*", "no-news", it)...)

	s = m.script("time/expired-on-arrival", "an old board: taken, flagged, and nothing on it holds any more")
	s.flagged(line, at(3600), "taken")
	s.shows(at(3600), shown("*", "no-news", it)...)

	s = m.script("time/extended", "a change with a later until goes on warning")
	s.take(line, after(at(0)), "taken")
	longer := it.with("until", at(3600))
	s.take(m.sign(m.change("*", 8, 7, at(60), longer)), after(at(60)), "taken")
	s.shows(at(40*60), shown("*", "shelter", longer)...)

	s = m.script("time/extended-after-expiry", "what had expired is warned again by a later until")
	s.take(line, after(at(0)), "taken")
	s.shows(at(31*60), shown("*", "no-news", it)...)
	s.take(m.sign(m.change("*", 8, 7, at(31*60), longer)), after(at(31*60)), "taken")
	s.shows(at(32*60), shown("*", "shelter", longer)...)

	s = m.script("time/future", "signed an hour ahead: taken, flagged; what comes after it must be later still")
	s.flagged(m.sign(m.board("*", 7, at(3600))), at(0), "taken")
	s.flagged(m.sign(m.beat("*", 7, at(3601))), at(1), "taken")
	s.take(m.sign(m.beat("*", 7, at(2))), after(at(2)), "replay")
	s.flagged(m.sign(m.beat("*", 7, at(3602))), at(3), "taken")

	s = m.script("time/clock-comes-right", "the flag is that of the newest frame")
	s.flagged(line, at(-400), "taken")
	s.look(at(-400)).Clock = map[string]bool{"*": true}
	s.take(m.sign(m.beat("*", 7, at(10), it)), after(at(10)), "taken")
	s.look(at(11)).Clock = map[string]bool{"*": false}
	s.flagged(line, at(400), "taken") // an older frame says nothing about now
	s.look(at(400)).Clock = map[string]bool{"*": false}
}

// deaf is when silence must be said.
func (m *maker) deaf() {
	it := shelter("drone", at(0), "UA-1")
	board, beat := m.sign(m.board("*", 7, at(0), it)), m.sign(m.beat("*", 7, at(10), it))

	s := m.script("time/deaf-at-first", "nothing was heard yet")
	s.deaf(at(1), "*", true)

	s = m.script("time/deaf-after-silence", "due at next, deaf 20 s later; the last state is kept")
	s.take(board, at(0), "taken")
	s.deaf(at(31), "*", false)
	s.deaf(at(31.001), "*", true)
	s.shows(at(60), shown("*", "shelter", it)...)
	s.take(beat, at(61), "taken") // 51 s late on the way: it was due at 21
	s.deaf(at(61), "*", true)
	s.take(m.sign(m.beat("*", 7, at(62), it)), at(62), "taken")
	s.deaf(at(62), "*", false)

	s = m.script("time/deaf-clock-behind", "a clock 4 minutes behind must not make the silence longer")
	s.take(board, at(-240), "taken")
	s.deaf(at(-209), "*", false)
	s.deaf(at(-208.999), "*", true)

	s = m.script("time/deaf-clock-far-behind", "with the flag clock only the length of the promised silence counts")
	s.flagged(board, at(-3600), "taken")
	s.deaf(at(-3569), "*", false)
	s.deaf(at(-3568.999), "*", true)

	s = m.script("time/deaf-clock-far-ahead", "the same with a clock far ahead")
	s.flagged(board, at(3600), "taken")
	s.deaf(at(3631), "*", false)
	s.deaf(at(3631.001), "*", true)

	s = m.script("time/deaf-forgeries", "what is refused is no sign of life")
	s.take(board, at(0), "taken")
	s.take(m.signBy("stranger", m.beat("*", 7, at(30), it)), at(30), "unknown-key")
	s.take(flip(beat, "signature"), at(30), "bad-signature")
	s.deaf(at(32), "*", true)

	s = m.script("time/deaf-old-line-again", "one old line, again and again, is no sign of life")
	s.flagged(board, at(3600), "taken")
	s.flagged(board, at(3620), "taken")
	s.flagged(board, at(3632), "taken")
	s.deaf(at(3632), "*", true)

	s = m.script("time/deaf-behind", "beats come, but the board they ask for does not")
	s.take(board, at(0), "taken")
	s.take(m.sign(m.beat("*", 9, at(10), it)), at(10), "fetch")
	s.take(m.sign(m.beat("*", 9, at(20), it)), at(20), "fetch")
	s.deaf(at(30), "*", false)
	s.deaf(at(30.001), "*", true)
	s.take(board, at(31), "taken") // the old board proves nothing
	s.deaf(at(31), "*", true)
	s.take(m.sign(m.board("*", 9, at(32), it)), at(32), "taken")
	s.take(m.sign(m.beat("*", 9, at(33), it)), at(33), "taken")
	s.deaf(at(34), "*", false)

	s = m.script("time/deaf-one-of-two", "each chain for itself", "UA59", "UA63")
	s.take(m.sign(m.board("UA59", 7, at(0))), at(0), "taken")
	s.deaf(at(1), "UA59", false)
	s.deaf(at(1), "UA63", true)
}
