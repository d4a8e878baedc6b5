package board

import (
	"encoding"
	"fmt"
	"time"

	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// Bounds of what a payload may hold besides its length.
const (
	maxName = 128 // bytes of a region, a zone id, an alert id, a text key, a set version
)

// The members of the contract's tables, as bits, to know which were there.
const (
	hasUniverse = 1 << iota
	hasRegion
	hasKind
	hasSeq
	hasPrev
	hasAt
	hasItems
	hasActive
	hasDigest
	hasPicture
	hasSet
	hasNext
)

const hasAlways = hasUniverse | hasRegion | hasKind | hasSeq | hasAt | hasNext

var hasOfKind = map[Kind]int{
	Board:  hasAlways | hasItems | hasPicture | hasSet,
	Change: hasAlways | hasItems | hasPrev,
	Beat:   hasAlways | hasActive | hasDigest | hasPicture,
}

// Decode reads a payload strictly: every member of the contract's table has its form,
// wherever it stands; unknown members are passed over.
func Decode(b []byte) (Payload, error) {
	var p Payload
	has := 0
	err := readJSON(b, func(r *jsonReader) error {
		return r.object(func(name string) error {
			bit, err := p.member(r, name)
			has |= bit
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	})
	if err != nil {
		return Payload{}, fmt.Errorf("board: payload: %w", err)
	}
	if err := p.check(has); err != nil {
		return Payload{}, fmt.Errorf("board: payload: %w", err)
	}
	return p, nil
}

func (p *Payload) member(r *jsonReader, name string) (int, error) {
	var err error
	switch name {
	case "universe":
		p.Universe, err = word(r, alert.Live, alert.Exercise)
		return hasUniverse, err
	case "region":
		p.Region, err = r.name()
		return hasRegion, err
	case "kind":
		p.Kind, err = word(r, Board, Change, Beat)
		return hasKind, err
	case "seq":
		p.Seq, err = r.integer()
		return hasSeq, err
	case "prev":
		p.Prev, err = r.integer()
		return hasPrev, err
	case "at":
		p.At, err = r.time()
		return hasAt, err
	case "items":
		p.Items, err = r.items()
		return hasItems, err
	case "active":
		var n int64
		n, err = r.integer()
		p.Active = int(n)
		return hasActive, err
	case "digest":
		p.Digest, err = r.digest()
		return hasDigest, err
	case "picture":
		p.Picture, err = word(r, PictureLive, PicturePartial, PictureNone)
		return hasPicture, err
	case "set":
		p.Set, err = r.name()
		return hasSet, err
	case "next":
		p.Next, err = r.time()
		return hasNext, err
	}
	return 0, r.skip()
}

func (p *Payload) check(has int) error {
	if missing := hasOfKind[p.Kind] &^ has; missing != 0 || has&hasKind == 0 {
		return fmt.Errorf("%w: a member is missing", errJSON)
	}
	if p.Kind == Change && p.Prev >= p.Seq {
		return fmt.Errorf("%w: prev is not below seq", errJSON)
	}
	// What does not belong to the kind is ignored, like an unknown member.
	if p.Kind == Beat {
		p.Items = nil
	} else {
		p.Active, p.Digest = 0, ""
	}
	if p.Kind != Change {
		p.Prev = 0
	} else {
		p.Picture = ""
	}
	if p.Kind != Board {
		p.Set = ""
	}
	return nil
}

// word reads one of a few words.
func word[W ~string](r *jsonReader, of ...W) (W, error) {
	s, err := r.text()
	if err != nil {
		return "", err
	}
	for _, w := range of {
		if string(w) == s {
			return w, nil
		}
	}
	return "", r.fault("not one of the words")
}

// name reads an id: 1 to 128 bytes without control characters.
func (r *jsonReader) name() (string, error) {
	s, err := r.text()
	if err != nil {
		return "", err
	}
	if !Name(s) {
		return "", r.fault("not an id")
	}
	return s, nil
}

// Name reports whether s can be an id on the board: 1 to 128 bytes, no control characters.
func Name(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func (r *jsonReader) time() (time.Time, error) {
	s, err := r.text()
	if err != nil {
		return time.Time{}, err
	}
	t, err := parseTime(s)
	if err != nil {
		return time.Time{}, r.fault("not a time in UTC with milliseconds")
	}
	return t, nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(timeForm, s)
	if err != nil {
		return time.Time{}, err
	}
	// Parse takes forms that are near ours, such as a comma for the point.
	if t.Format(timeForm) != s {
		return time.Time{}, fmt.Errorf("%w: %q is not written as a time of the contract", errJSON, s)
	}
	return t, nil
}

func (r *jsonReader) digest() (string, error) {
	s, err := r.text()
	if err != nil {
		return "", err
	}
	if len(s) != 64 {
		return "", r.fault("not a digest")
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", r.fault("not a digest")
		}
	}
	return s, nil
}

// items reads the items of one frame; a zone is in at most one of them.
func (r *jsonReader) items() ([]alert.Item, error) {
	out := []alert.Item{}
	seen := map[zone.ID]struct{}{}
	err := r.array(func() error {
		it, err := r.item()
		if err != nil {
			return err
		}
		for _, id := range it.Zones {
			if _, twice := seen[id]; twice {
				return r.fault("a zone in two items")
			}
			seen[id] = struct{}{}
		}
		out = append(out, it)
		return nil
	})
	return out, err
}

const (
	hasStage = 1 << iota
	hasThreat
	hasSure
	hasSince
	hasUntil
	hasAlert
	hasZones
	hasText
	hasItem = hasStage | hasThreat | hasSure | hasSince | hasUntil | hasAlert | hasZones | hasText
)

func (r *jsonReader) item() (alert.Item, error) {
	var it alert.Item
	has := 0
	err := r.object(func(name string) error {
		bit, err := r.itemMember(&it, name)
		has |= bit
		return err
	})
	switch {
	case err != nil:
		return it, err
	case has&hasItem != hasItem:
		return it, r.fault("a member of an item is missing")
	case (it.End != warning.NotEnded) != (it.Stage == warning.Quiet):
		return it, r.fault("quiet and an end belong together")
	}
	return it, nil
}

func (r *jsonReader) itemMember(it *alert.Item, name string) (int, error) {
	var err error
	switch name {
	case "stage":
		return hasStage, r.named(&it.Stage)
	case "threat":
		return hasThreat, r.named(&it.Threat)
	case "sure":
		return hasSure, r.named(&it.Sure)
	case "end":
		if err := r.named(&it.End); err != nil {
			return 0, err
		}
		if it.End == warning.NotEnded { // the empty word is not on the contract's list
			return 0, r.fault("an end without a name")
		}
		return 0, nil
	case "since":
		it.Since, err = r.time()
		return hasSince, err
	case "until":
		it.Until, err = r.time()
		return hasUntil, err
	case "arrival":
		it.Arrival, err = r.arrival()
		return 0, err
	case "alert":
		var s string
		s, err = r.name()
		it.Alert = alert.ID(s)
		return hasAlert, err
	case "zones":
		it.Zones, err = r.zones()
		return hasZones, err
	case "text":
		it.Text, err = r.name()
		return hasText, err
	}
	return 0, r.skip()
}

func (r *jsonReader) named(into encoding.TextUnmarshaler) error {
	s, err := r.text()
	if err != nil {
		return err
	}
	if err := into.UnmarshalText([]byte(s)); err != nil {
		return r.fault("not one of the words")
	}
	return nil
}

func (r *jsonReader) arrival() (alert.Arrival, error) {
	var a alert.Arrival
	has := 0
	err := r.object(func(name string) error {
		var err error
		switch name {
		case "earliest":
			has |= 1
			a.Earliest, err = r.time()
		case "likely":
			has |= 2
			a.Likely, err = r.time()
		default:
			err = r.skip()
		}
		return err
	})
	if err == nil && has != 3 {
		err = r.fault("an arrival without both of its times")
	}
	return a, err
}

func (r *jsonReader) zones() ([]zone.ID, error) {
	var out []zone.ID
	err := r.array(func() error {
		s, err := r.name()
		if err != nil {
			return err
		}
		if n := len(out); n > 0 && out[n-1] >= zone.ID(s) {
			return r.fault("zones that are not in ascending order")
		}
		out = append(out, zone.ID(s))
		return nil
	})
	if err == nil && len(out) == 0 {
		err = r.fault("an item without zones")
	}
	return out, err
}
