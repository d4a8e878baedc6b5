package board

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"tocsin/core/alert"
	"tocsin/core/warning"
	"tocsin/core/zone"
)

// digestOf is the contract's digest over the zones that are not quiet.
func digestOf(zones map[zone.ID]alert.Item) string {
	var text []byte
	for _, id := range slices.Sorted(maps.Keys(zones)) {
		if it := zones[id]; it.End == warning.NotEnded {
			text = appendDigestLine(text, id, &it)
		}
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// appendDigestLine is id, TAB, stage, TAB, threat, TAB, until, LF.
func appendDigestLine(b []byte, id zone.ID, it *alert.Item) []byte {
	b = append(append(b, id...), '\t')
	b = append(append(b, it.Stage.String()...), '\t')
	b = append(append(b, it.Threat.String()...), '\t')
	b = it.Until.UTC().AppendFormat(b, timeForm)
	return append(b, '\n')
}

func activeIn(zones map[zone.ID]alert.Item) int {
	n := 0
	for _, it := range zones {
		if it.End == warning.NotEnded {
			n++
		}
	}
	return n
}
