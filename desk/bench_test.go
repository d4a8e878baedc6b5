package desk

import (
	"strings"
	"testing"
)

// BenchmarkDecode is the cost of one command, and of the largest bodies that are looked at.
func BenchmarkDecode(b *testing.B) {
	zones := `"UA-1"` + strings.Repeat(`,"UA-1"`, 5900)
	members := `{"id":"c1"` + strings.Repeat(`,"a":1`, 10_000) + `}`
	for name, body := range map[string]string{
		"declare": declare, "zones": strings.Replace(declare, `"UA-1"`, zones, 1), "members": members,
		"lists": strings.Replace(declare, `["UA-1"]`, "["+strings.TrimSuffix(strings.Repeat("[],", 5_900), ",")+"]", 1),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				decode([]byte(body))
			}
		})
	}
}
