package history

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"
)

func unpack(t testing.TB, r io.Reader) io.Reader {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// FuzzRead: whatever the bytes are, every row is accounted for, every alarm has its place,
// its rows and a time, and no two of one place and threat overlap.
func FuzzRead(f *testing.F) {
	f.Add([]byte(uaHeader+"Kyiv City,,,oblast,2022-03-15 16:10:34+00:00,2022-03-15 16:50:07+00:00,official\n"), false)
	f.Add([]byte(ilHeader+"\"גת, בת ים\",07.10.2023,06:29:00,x,1,x,1,1\nגת,29.10.2023,01:30:00,x,2,x,1,1\n"), true)
	f.Add([]byte("\xff\xfe"), true)
	ua, il := ukrainian(f), israeli(f)
	f.Fuzz(func(t *testing.T, b []byte, israel bool) {
		format, places := UAOfficial, ua
		if israel {
			format, places = ILAlerts, il
		}
		h, err := Read(bytes.NewReader(b), format, places)
		if err != nil {
			return
		}
		last := map[string]Alarm{}
		for _, a := range h.Alarms {
			if len(places.Leaves(a.Place)) == 0 || len(a.Rows) == 0 || !a.End.After(a.Start) || !a.Rows[0].At.Equal(a.Start) {
				t.Fatalf("%+v", a)
			}
			key := a.Place.key + a.Threat.String()
			if before, ok := last[key]; ok && !a.Start.After(before.End) {
				t.Fatalf("%+v overlaps %+v", a, before)
			}
			last[key] = a
		}
		faults := 0
		for _, n := range h.Counts {
			faults += n
		}
		if faults < len(h.Faults) || h.Used() > h.Rows || h.Rows > bytes.Count(b, []byte("\n"))+1 {
			t.Fatalf("%d rows, %d used, %d faults, %d counted", h.Rows, h.Used(), len(h.Faults), faults)
		}
	})
}
