package vectors

import "time"

// order is what numbers do to boards and changes.
func (m *maker) order() {
	a, b := shelter("drone", at(0), "UA-1"), shelter("rocket", at(0), "UA-2")
	board := m.sign(m.board("*", 7, at(0), a))

	s := m.script("order/rollback", "a board below the number held")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.board("*", 6, at(1))), after(at(1)), "rollback")
	s.take(m.sign(m.board("*", 0, at(2))), after(at(2)), "rollback")
	s.shows(at(3), shown("*", "shelter", a)...)

	s = m.script("order/rollback-after-change", "the number held is that of the newest change")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.change("*", 8, 7, at(1), b)), after(at(1)), "taken")
	s.take(board, after(at(2)), "rollback")
	s.shows(at(3), append(shown("*", "shelter", a), shown("*", "shelter", b)...)...)

	s = m.script("order/rollback-of-an-end", "an old board cannot end a warning")
	quiet := m.sign(m.board("*", 5, at(-60)))
	s.take(board, after(at(0)), "taken")
	s.take(quiet, after(at(1)), "rollback")
	s.shows(at(2), shown("*", "shelter", a)...)

	s = m.script("order/rollback-of-a-warning", "an old board cannot bring back a warning that ended")
	over := ended("all-clear", "drone", at(10), "UA-1")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.change("*", 8, 7, at(10), over)), after(at(10)), "taken")
	s.take(board, after(at(11)), "rollback")
	s.shows(at(12), shown("*", "all-clear", over)...)

	m.replays(a, b)
	m.gaps(a, b)
	m.places(a, b)
	m.lost()
}

// replays is old changes played again.
func (m *maker) replays(a, b object) {
	board := m.sign(m.board("*", 7, at(0), a))
	change := m.sign(m.change("*", 8, 7, at(1), b))
	s := m.script("order/replayed-change", "a change once more")
	s.take(board, after(at(0)), "taken")
	s.take(change, after(at(1)), "taken")
	s.take(change, after(at(2)), "replay")
	s.look(at(3)).Seq = map[string]int64{"*": 8}

	s = m.script("order/replayed-change-after-end", "an old warning cannot be played again")
	s.take(m.sign(m.board("*", 7, at(0))), after(at(0)), "taken")
	s.take(change, after(at(1)), "taken")
	end := ended("cancelled", "rocket", at(5), "UA-2")
	s.take(m.sign(m.change("*", 9, 8, at(5), end)), after(at(5)), "taken")
	s.take(change, after(at(6)), "replay")
	s.shows(at(7), shown("*", "cancelled", end)...)

	s = m.script("order/replayed-end", "an old end cannot be played again")
	all := ended("all-clear", "drone", at(5), "UA-1")
	line := m.sign(m.change("*", 8, 7, at(5), all))
	again := shelter("drone", at(9), "UA-1").with("alert", "w2.1")
	s.take(board, after(at(0)), "taken")
	s.take(line, after(at(5)), "taken")
	s.take(m.sign(m.change("*", 9, 8, at(9), again)), after(at(9)), "taken")
	s.take(line, after(at(10)), "replay")
	s.shows(at(11), shown("*", "shelter", again)...)

}

// gaps is changes that do not follow on what is held.
func (m *maker) gaps(a, b object) {
	board := m.sign(m.board("*", 7, at(0), a))
	s := m.script("order/gap", "a change whose prev is above the number held: nothing of it is applied")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.change("*", 9, 8, at(2), b)), after(at(2)), "fetch")
	l := s.look(at(3))
	zones := shown("*", "shelter", a)
	l.State, l.Seq = &zones, map[string]int64{"*": 7}

	s = m.script("order/gap-then-board", "the board that was fetched closes the gap; the change is old then")
	gapped := m.sign(m.change("*", 9, 8, at(2), b))
	s.take(board, after(at(0)), "taken")
	s.take(gapped, after(at(2)), "fetch")
	s.take(m.sign(m.board("*", 9, at(2), a, b)), after(at(3)), "taken")
	s.take(gapped, after(at(4)), "old")
	s.take(m.sign(m.beat("*", 9, at(5), a, b)), after(at(5)), "taken")

	s = m.script("order/gap-kept-change", "a change that came before the board it needs is given again after it")
	s.take(board, after(at(0)), "taken")
	s.take(gapped, after(at(2)), "fetch")
	s.take(m.sign(m.board("*", 8, at(1.5), a)), after(at(3)), "taken")
	s.take(gapped, after(at(4)), "taken")
	s.shows(at(5), append(shown("*", "shelter", a), shown("*", "shelter", b)...)...)

	s = m.script("order/overlap", "a change that begins below the number held and ends above it")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.change("*", 8, 5, at(1), b)), after(at(1)), "fetch")

}

// places is whatever else numbers and times say of a frame's place.
func (m *maker) places(a, b object) {
	board := m.sign(m.board("*", 7, at(0), a))
	s := m.script("order/old", "a change at or below the number held, newer than any beat")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.change("*", 6, 5, at(-2), b)), after(at(1)), "old")
	s.take(m.sign(m.change("*", 7, 6, at(-1), b)), after(at(1)), "old")
	s.take(m.sign(m.change("*", 6, 5, at(-2), b)), after(at(2)), "replay")
	s.shows(at(3), shown("*", "shelter", a)...)

	s = m.script("order/change-first", "a change before any board")
	s.take(m.sign(m.change("*", 8, 7, at(1), b)), after(at(1)), "fetch")
	s.untouched(at(2))

	s = m.script("order/beat-first", "a beat before any board")
	s.take(m.sign(m.beat("*", 7, at(1))), after(at(1)), "fetch")
	s.untouched(at(2))

	s = m.script("order/change-not-later", "a change in its place, but not signed later than the beat before it")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.beat("*", 7, at(5), a)), after(at(5)), "taken")
	s.take(m.sign(m.change("*", 8, 7, at(5), b)), after(at(6)), "replay")
	s.take(m.sign(m.change("*", 8, 7, at(5.001), b)), after(at(6)), "taken")

	s = m.script("order/board-does-not-count", "a board signed later than the change after it")
	s.take(m.sign(m.board("*", 7, at(5), a)), after(at(5)), "taken")
	s.take(m.sign(m.change("*", 8, 7, at(4), b)), after(at(6)), "taken")

	s = m.script("order/board-higher", "a board above the number held")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.board("*", 12, at(1), a, b)), after(at(1)), "taken")
	s.take(m.sign(m.change("*", 13, 12, at(2), ended("all-clear", "drone", at(2), "UA-1"))), after(at(2)), "taken")

	s = m.script("order/chains-apart", "the number of one chain says nothing of another", "UA59", "UA63")
	s.take(m.sign(m.board("UA59", 100, at(0))), after(at(0)), "taken")
	s.take(m.sign(m.beat("UA59", 100, at(50))), after(at(50)), "taken")
	s.take(m.sign(m.board("UA63", 3, at(1))), after(at(1)), "taken")
	s.take(m.sign(m.change("UA63", 4, 3, at(2), b)), after(at(2)), "taken")
	s.look(at(51)).Seq = map[string]int64{"UA59": 100, "UA63": 4}
}

// lost is zones that vanish from the board without an end.
func (m *maker) lost() {
	a := shelter("drone", at(0), "UA-1")
	s := m.script("order/vanished", "a warned zone is not on the next board: no news for 60 minutes, never all-clear")
	s.take(m.sign(m.board("*", 7, at(0), a)), at(0), "taken")
	s.take(m.sign(m.board("*", 8, at(60))), at(60), "taken")
	s.shows(at(61), shown("*", "no-news", a)...)
	s.shows(at(60+59*60), shown("*", "no-news", a)...)
	s.shows(at(60 + 60*60))

	s = m.script("order/vanished-and-back", "a vanished zone that is named again")
	again := shelter("drone", at(90), "UA-1")
	s.take(m.sign(m.board("*", 7, at(0), a)), at(0), "taken")
	s.take(m.sign(m.board("*", 8, at(60))), at(60), "taken")
	s.take(m.sign(m.change("*", 9, 8, at(90), again)), at(90), "taken")
	s.shows(at(91), shown("*", "shelter", again)...)

	over := ended("all-clear", "drone", at(0), "UA-1")
	s = m.script("order/end-vanished", "an ended zone may vanish: it is quiet")
	s.take(m.sign(m.board("*", 7, at(0), over)), at(0), "taken")
	s.take(m.sign(m.board("*", 7, at(60))), at(60), "taken")
	s.shows(at(61))
}

// beats is what a beat proves.
func (m *maker) beats() {
	a, b := shelter("drone", at(0), "UA-1"), shelter("rocket", at(0), "UA-2")
	board := m.sign(m.board("*", 7, at(0), a))
	agreed := m.beat("*", 7, at(1), a)

	s := m.script("order/replayed-beat", "a beat once more")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(agreed), after(at(1)), "taken")
	s.take(m.sign(agreed), after(at(2)), "replay")

	s = m.script("order/older-beat", "a beat signed before the newest")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.beat("*", 7, at(20), a)), after(at(20)), "taken")
	s.take(m.sign(agreed), after(at(21)), "replay")

	for _, f := range []struct {
		name, about string
		beat        object
	}{
		{"seq-higher", "a beat of a higher number", m.beat("*", 8, at(1), a)},
		{"seq-lower", "a beat of a lower number", m.beat("*", 6, at(1), a)},
		{"digest", "a digest that differs", agreed.with("digest", m.beat("*", 7, at(1), b).get("digest"))},
		{"digest-empty", "the digest of an empty board", m.beat("*", 7, at(1))},
		{"active", "a count that differs", agreed.with("active", 2)},
		{"stage", "the stage differs", m.beat("*", 7, at(1), a.with("stage", "prepare"))},
		{"threat", "the threat differs", m.beat("*", 7, at(1), a.with("threat", "rocket"))},
		{"until", "the until differs", m.beat("*", 7, at(1), a.with("until", at(1799.999)))},
		{"zone", "the zone differs", m.beat("*", 7, at(1), a.with("zones", []string{"UA-11"}))},
		{"one-more", "one zone more", m.beat("*", 7, at(1), a, b)},
	} {
		s := m.script("order/beat-"+f.name, f.about+": fetch the board, change nothing")
		s.take(board, after(at(0)), "taken")
		s.take(m.sign(f.beat), after(at(1)), "fetch")
		l := s.look(at(2))
		zones := shown("*", "shelter", a)
		l.State, l.Seq = &zones, map[string]int64{"*": 7}
	}

	m.proofs(a, b)
}

// proofs is what a beat proves over time.
func (m *maker) proofs(a, b object) {
	board := m.sign(m.board("*", 7, at(0), a))
	s := m.script("order/beat-again-after-fetch", "the beat that made the client fetch comes again with the board, and proves it")
	told := m.sign(m.beat("*", 8, at(1), a, b))
	s.take(board, after(at(0)), "taken")
	s.take(told, after(at(1)), "fetch")
	s.take(told, after(at(1)), "fetch")
	s.take(m.sign(m.board("*", 8, at(0.5), a, b)), after(at(2)), "taken")
	s.take(told, after(at(2)), "taken")
	s.take(told, after(at(3)), "replay")
	s.take(m.sign(m.beat("*", 7, at(0.9), a)), after(at(4)), "replay")

	over := ended("all-clear", "drone", at(1), "UA-1")
	s = m.script("order/digest-without-ends", "ended zones are not in the digest; an expired one is until its end is said")
	s.take(m.sign(m.board("*", 7, at(1), over, b)), after(at(1)), "taken")
	s.take(m.sign(m.beat("*", 7, at(2), b)), after(at(2)), "taken")
	s.take(m.sign(m.beat("*", 7, at(3600), b)), after(at(3600)), "taken")
	s.shows(at(3600), append(shown("*", "all-clear", over), shown("*", "no-news", b)...)...)

	s = m.script("order/digest-many", "the digest over many zones")
	items := []object{}
	for i, threat := range threats {
		id := string(rune('g' - i))
		items = append(items, shelter(threat, at(float64(i)), id+"1", id+"2", id+"3"))
	}
	s.take(m.sign(m.board("*", 7, at(0), items...)), after(at(0)), "taken")
	s.take(m.sign(m.beat("*", 7, at(1), items...)), after(at(1)), "taken")

	s = m.script("order/fetch-loop", "the board that is fetched is old too: go on fetching")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.beat("*", 9, at(1), a, b)), after(at(1)), "fetch")
	s.take(m.sign(m.board("*", 8, at(0.5), a)), after(at(2)), "taken")
	s.take(m.sign(m.beat("*", 9, at(3), a, b)), after(at(3)), "fetch")
	s.take(m.sign(m.board("*", 9, at(1), a, b)), after(at(4)), "taken")
	s.take(m.sign(m.beat("*", 9, at(5), a, b)), after(at(5)), "taken")

	s = m.script("order/picture-newest", "an older board does not bring back an older picture")
	s.take(board, after(at(0)), "taken")
	s.take(m.sign(m.beat("*", 7, at(20), a).with("picture", "none")), after(at(20)), "taken")
	s.take(board, after(at(21)), "taken")
	s.look(at(21).Add(time.Second)).Picture = map[string]string{"*": "none"}
}
