package history

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"tocsin/wire/hostile"
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
		accounted(t, b, h, places)
	})
}

// accounted fails where a history is not what the bytes can mean.
func accounted(t *testing.T, b []byte, h *History, places *Gazetteer) {
	t.Helper()
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
}

// Rows mutated: the same holds.
func TestMutatedHistories(t *testing.T) {
	for format, c := range map[Format]struct {
		places *Gazetteer
		rows   string
	}{
		UAOfficial: {ukrainian(t), uaHeader + strings.Repeat("Kyiv City,,,oblast,2022-03-15 16:10:34+00:00,2022-03-15 16:50:07+00:00,official\n", 3)},
		ILAlerts:   {israeli(t), ilHeader + "\"גת, בת ים\",07.10.2023,06:29:00,x,1,x,1,1\nגת,29.10.2023,01:30:00,x,2,x,1,1\n"},
	} {
		o := hostile.Run(t, hostile.Decoder{Name: fmt.Sprint("sim/history ", format), Seeds: [][]byte{[]byte(c.rows)}, Decode: func(b []byte) bool {
			h, err := Read(bytes.NewReader(b), format, c.places)
			if err != nil {
				return false
			}
			accounted(t, b, h, c.places)
			return h.Used() > 0
		}})
		if o.Taken == 0 || o.Taken == o.Inputs {
			t.Error("the mutations say nothing")
		}
	}
}

// Each line costs what it is long: a reader's buffer for every line was 4 KiB of it.
func TestShortLinesAreCheap(t *testing.T) {
	rows := []byte(uaHeader + strings.Repeat("ial\n", 50_000))
	places := ukrainian(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h, err := Read(bytes.NewReader(rows), UAOfficial, places)
	runtime.ReadMemStats(&after)
	if err != nil || h.Counts[BadColumns] != 50_000 {
		t.Fatal(h, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("%d bytes were allocated for %d", took, len(rows))
	}
}
