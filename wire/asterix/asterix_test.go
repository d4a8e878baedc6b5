package asterix

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plot is a Mode S roll-call report of a real radar, whose values were read by hand.
const plot = "30 0030 fdf702 19c9 356d4d a0 c5aff1e0 0200 0528 3c660c 10c236d41820 01c0780031bc000040 0deb 07b9582e 4100 20f5"

func TestPlotIsReadByName(t *testing.T) {
	records, faults := Decode(octets(t, plot), Editions{48: "1.21"})
	if len(records) != 0 || len(faults) != 1 || !errors.Is(faults[0], ErrEdition) {
		t.Fatalf("unknown edition: %v, %v", records, faults)
	}
	records, faults = Decode(octets(t, plot), nil)
	if len(records) != 1 || len(faults) != 0 {
		t.Fatalf("%v %v", records, faults)
	}
	r := &records[0]
	if r.Category != 48 || r.Edition != "1.31" || r.Offset != 3 {
		t.Errorf("head %d %s %d", r.Category, r.Edition, r.Offset)
	}
	for _, c := range []struct {
		path string
		want float64
		unit string
	}{
		{"010/SAC", 25, ""}, {"010/SIC", 201, ""}, {"140", 27354.6015625, "s"}, {"020/TYP", 5, ""},
		{"040/RHO", 197.68359375, "NM"}, {"040/THETA", 340.13671875, "°"}, {"070/MODE3A", 0o1000, ""},
		{"090/FL", 330, "FL"}, {"220", 0x3c660c, ""}, {"161/TRN", 3563, ""}, {"250/0/BDS1", 4, ""},
		{"200/HDG", 124.002685546875, "°"}, {"170/CNF", 0, ""}, {"170/TRE", 0, ""},
	} {
		v, ok := r.At(strings.Split(c.path, "/")...)
		if !ok || v.Float() != c.want || v.Unit() != c.unit {
			t.Errorf("%s = %v %q, %v; want %v %q", c.path, v.Float(), v.Unit(), ok, c.want, c.unit)
		}
	}
	for _, path := range []string{"020/TST", "042", "040/rho", "040/RHO/X", "250/1", "250/-1", "", "040/"} {
		if r.Has(strings.Split(path, "/")...) {
			t.Errorf("has %q", path)
		}
	}
	if s, _ := r.Text("240"); s != "DLH65A  " {
		t.Errorf("240 = %q", s)
	}
	if s, _ := r.Text("070", "MODE3A"); s != "1000" {
		t.Errorf("070 = %q", s)
	}
	if v, _ := r.At("020", "TYP"); v.Meaning() != "Single ModeS Roll-Call" {
		t.Errorf("meaning %q", v.Meaning())
	}
}

func TestJSONLine(t *testing.T) {
	records, _ := Decode(octets(t, "30 0016 f1010104 19c9 356d4d a0 c5aff1e0 05 deadbeef"), nil)
	if len(records) != 1 {
		t.Fatal("not decoded")
	}
	got := string(records[0].AppendJSON(nil))
	want := `{"category":48,"edition":"1.31","offset":3,"I048/010":{"SAC":{"raw":25},"SIC":{"raw":201}},` +
		`"I048/140":{"raw":3501389,"value":27354.6015625,"unit":"s"},` +
		`"I048/020":{"TYP":{"raw":5,"meaning":"Single ModeS Roll-Call"},"SIM":{"raw":0,"meaning":"Actual target report"},` +
		`"RDP":{"raw":0,"meaning":"Report from RDP Chain 1"},"SPI":{"raw":0,"meaning":"Absence of SPI"},` +
		`"RAB":{"raw":0,"meaning":"Report from aircraft transponder"}},` +
		`"I048/040":{"RHO":{"raw":50607,"value":197.68359375,"unit":"NM"},"THETA":{"raw":61920,"value":340.13671875,"unit":"°"}},` +
		`"I048/SP":{"hex":"deadbeef"}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFaultsKeepWhatTheFormatAllows(t *testing.T) {
	const good, head = "30 0006 80 1901", "asterix: category 048 edition 1.31"
	for _, c := range []struct {
		name, in string
		records  int
		want     []string
	}{
		{"good", good, 1, nil},
		{"no records", "30 0003", 0, nil},
		{"header cut", good + "30 00", 1, []string{"asterix: category 048 at octet 6: truncated (3 wanted, 2 there); record lost"}},
		{"length below header", good + "30 0002 80", 1,
			[]string{"asterix: category 048 at octet 7: impossible length (3 wanted, 2 there); record lost"}},
		{"block cut", "30 0009 80 1901 80 19", 1, []string{
			"asterix: category 048 at octet 0: truncated (9 wanted, 8 there); the rest is kept",
			head + ": I048/010 at octet 7: truncated (2 wanted, 1 there); record lost"}},
		{"second record bad, next block good", "30 0009 80 1901 010101" + good, 2,
			[]string{head + " at octet 9: truncated (1 wanted, 0 there); record lost"}},
		{"unknown category", "07 0006 80 1901" + good, 1,
			[]string{"asterix: category 007 at octet 0: unknown category; record lost"}},
		{"empty record", "30 0004 00" + good, 1, []string{head + " at octet 3: record without items; record lost"}},
		{"unused slot", "3e 0007 c0 1901 00" + good, 1,
			[]string{"asterix: category 062 edition 1.19 at octet 3: announces an unused field; record lost"}},
		{"beyond the profile", "22 000a 01 01 80 00 190101" + good, 1,
			[]string{"asterix: category 034 edition 1.29 at octet 5: announces an unused field; record lost"}},
		{"unknown extension", "30 0008 20 a1 01 01 01", 0,
			[]string{head + ": I048/020 at octet 8: truncated (1 wanted, 0 there); record lost"}},
		{"extension of a newer edition", "30 0009 20 a1 01 01 01 00", 1,
			[]string{head + ": I048/020 at octet 7: extension unknown in edition; the rest is kept"}},
		{"compound part cut", "30 0009 02 fe 01010101", 0,
			[]string{head + ": I048/130/PAM at octet 9: truncated (1 wanted, 0 there); record lost"}},
		{"explicit of no length", "30 0008 01010104 00", 0,
			[]string{head + ": I048/SP at octet 7: impossible length (1 wanted, 0 there); record lost"}},
		{"expansion that does not decode", "30 000a 01010102 03 8001", 1,
			[]string{head + ": I048/RE/MD5 at octet 10: expansion field does not decode (1 wanted, 0 there); the rest is kept"}},
		{"expansion with more than it says", "30 000a 01010102 03 0001", 1,
			[]string{head + ": I048/RE at octet 8: expansion field does not decode (1 wanted, 2 there); the rest is kept"}},
		{"repetition cut", "30 0009 01 20 02 0102", 0, []string{
			"asterix: category 048 at octet 0: truncated (9 wanted, 8 there); the rest is kept",
			head + ": I048/250 at octet 5: truncated (17 wanted, 3 there); record lost"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			records, faults := Decode(octets(t, c.in), nil)
			if len(records) != c.records {
				t.Errorf("%d records, want %d", len(records), c.records)
			}
			if c.want == nil {
				return
			}
			if len(faults) != len(c.want) {
				t.Fatalf("faults %v", faults)
			}
			for i, f := range faults {
				if f.Error() != c.want[i] {
					t.Errorf("got  %s\nwant %s", f, c.want[i])
				}
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	_, faults := Decode(bytes.Repeat(octets(t, "07 0003"), 1000), nil)
	if len(faults) != MaxFaults {
		t.Fatalf("%d faults", len(faults))
	}
	last := faults[MaxFaults-1]
	if !errors.Is(last, ErrMore) || last.Had != 1000-MaxFaults+1 {
		t.Errorf("last fault %v", last)
	}
}

func TestTwoProfiles(t *testing.T) {
	track, faults := Decode(octets(t, "01 000d f0 1901 80 0123 00010002"), nil)
	if len(track) != 1 || len(faults) != 0 || !track[0].Has("161") {
		t.Fatalf("track %v %v", track, faults)
	}
	plot, faults := Decode(octets(t, "01 000d f0 1901 00 00010002 0123"), nil)
	if len(plot) != 1 || len(faults) != 0 || !plot[0].Has("070") {
		t.Fatalf("plot %v %v", plot, faults)
	}
	if _, faults = Decode(octets(t, "01 000a b0 1901 00010002"), nil); len(faults) != 1 || !errors.Is(faults[0], ErrProfile) {
		t.Errorf("undecided %v", faults)
	}
}

func TestRandomFieldSequencing(t *testing.T) {
	in := octets(t, "02 000e 81 02 1901 03 02 01 04 000080 03 40")
	in[2] = byte(len(in))
	records, faults := Decode(in, nil)
	if len(records) != 1 || len(faults) != 0 {
		t.Fatalf("%v %v", records, faults)
	}
	var names []string
	for v := range records[0].Items() {
		names = append(names, v.Name())
	}
	if got := strings.Join(names, " "); got != "010 000 020 030" {
		t.Errorf("items %q", got)
	}
	plain, err := Encode(records...)
	if err != nil || hex.EncodeToString(plain) != "02000bf019010140000080" {
		t.Errorf("written %x, %v", plain, err)
	}
	twice := octets(t, "02 0000 81 02 1901 01 01 0203")
	twice[2] = byte(len(twice))
	if _, faults := Decode(twice, nil); len(faults) != 1 || !errors.Is(faults[0], ErrTwice) {
		t.Errorf("twice %v", faults)
	}
}

// EUROCONTROL-SPEC-0149-9, I062/510: a repetition of system unit and track number, each three
// octets with an FX bit at the end.
func TestComposedTrackNumber(t *testing.T) {
	records, faults := Decode(octets(t, "3e 0010 01010108 | 0a 0003 | 14 0005 | 1e 0006"), nil)
	if len(records) != 1 || len(faults) != 0 {
		t.Fatalf("%v %v", records, faults)
	}
	v, _ := records[0].At("510")
	if v.Len() != 3 {
		t.Fatalf("%d repetitions", v.Len())
	}
	for i, want := range [][2]uint64{{10, 1}, {20, 2}, {30, 3}} {
		unit, _ := v.Index(i).At("IDENT")
		number, _ := v.Index(i).At("TRACK")
		if got := [2]uint64{unit.Uint(), number.Uint()}; got != want {
			t.Errorf("repetition %d: %v, want %v", i, got, want)
		}
	}
}

// What is encoded decodes to the same, at every edition, item by item; and what is in the
// shortest form encodes to the same octets.
func TestRoundTrip(t *testing.T) {
	all := formats(t)
	rapid.Check(t, func(t *rapid.T) {
		f := all[rapid.IntRange(0, len(all)-1).Draw(t, "format")]
		r := newRandom(rapid.Uint64().Draw(t, "seed"))
		var in []Record
		for range rapid.IntRange(1, 5).Draw(t, "records") {
			in = append(in, r.record(f, -1))
		}
		b, err := Encode(in...)
		if err != nil {
			t.Fatal(err)
		}
		out, faults := Decode(b, Editions{f.category: f.edition})
		if len(faults) > 0 || len(out) != len(in) {
			t.Fatalf("category %d edition %s: %d of %d records, %v\n%x", f.category, f.edition, len(out), len(in), faults, b)
		}
		for i := range in {
			same(t, &in[i], &out[i])
			if !json.Valid(out[i].AppendJSON(nil)) {
				t.Fatalf("not JSON: %s", out[i].AppendJSON(nil))
			}
		}
		again, err := Encode(out...)
		if err != nil || !bytes.Equal(b, again) {
			t.Fatalf("again %x, first %x, %v", again, b, err)
		}
	})
}

func same(t interface{ Fatalf(string, ...any) }, a, b *Record) {
	if len(a.items) != len(b.items) {
		t.Fatalf("%d items, %d items", len(a.items), len(b.items))
	}
	for i := range a.items {
		if a.items[i].node != b.items[i].node || !bytes.Equal(a.items[i].span, b.items[i].span) {
			t.Fatalf("I%03d/%s: %x, %x", a.Category, a.items[i].Name(), a.items[i].span, b.items[i].span)
		}
	}
}

// A record taken apart field by field and built again from the values is the same.
func TestBuildFromValues(t *testing.T) {
	all := formats(t)
	rapid.Check(t, func(t *rapid.T) {
		f := all[rapid.IntRange(0, len(all)-1).Draw(t, "format")]
		in := newRandom(rapid.Uint64().Draw(t, "seed")).record(f, -1)
		b, err := NewBuilder(f.category, f.edition)
		if err != nil {
			t.Fatal(err)
		}
		rebuildFrom(b, &in)
		out, err := b.Record()
		if err != nil {
			t.Fatal(err)
		}
		same(t, &in, &out)
	})
}

func rebuildFrom(b *Builder, in *Record) {
	if by := b.format.by; len(by) > 0 {
		x, _ := in.Uint(by...)
		b.Uint(x, by...)
	}
	for v := range in.Items() {
		empty := v.node.kind == explicit && len(v.node.kids) == 0
		leaves(v, []string{v.Name()}, func(path []string, leaf Value) {
			empty = false
			switch c := leaf.content(); {
			case leaf.node.bits > 64:
				b.Octets(leaf.Octets(), path...)
			case c.enc == icao || c.enc == ascii || c.enc == octal:
				b.Text(leaf.Text(), path...)
			case c.enc == number && leaf.node.bits <= 53:
				b.Float(leaf.Float(), path...)
			default:
				b.Uint(leaf.Uint(), path...)
			}
		})
		// What announces nothing, or repeats nothing, has no field to set.
		if empty || !bytes.Equal(b.octets[frnOf(in, v)], v.span) {
			b.Octets(v.Octets(), v.Name())
		}
	}
}

func frnOf(r *Record, v Value) int {
	for _, it := range r.items {
		if it.node == v.node {
			return it.frn
		}
	}
	return -1
}

func TestBuilderRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Builder)
	}{
		{"unknown item", func(b *Builder) { b.Uint(1, "999") }},
		{"no path", func(b *Builder) { b.Uint(1) }},
		{"unknown field", func(b *Builder) { b.Uint(1, "010", "XXX") }},
		{"structure as number", func(b *Builder) { b.Uint(1, "010") }},
		{"too many bits", func(b *Builder) { b.Uint(256, "010", "SAC") }},
		{"range too far", func(b *Builder) { b.Float(256, "040", "RHO") }},
		{"negative range", func(b *Builder) { b.Float(-1, "040", "RHO") }},
		{"not a number", func(b *Builder) { b.Float(math.NaN(), "040", "RHO") }},
		{"outside the specification", func(b *Builder) { b.Float(86400, "140") }},
		{"float of a table", func(b *Builder) { b.Float(1, "020", "TYP") }},
		{"letters in octal", func(b *Builder) { b.Text("12x4", "070", "MODE3A") }},
		{"short octal", func(b *Builder) { b.Text("123", "070", "MODE3A") }},
		{"long callsign", func(b *Builder) { b.Text("ABCDEFGHI", "240") }},
		{"small letters", func(b *Builder) { b.Text("abc", "240") }},
		{"text of a number", func(b *Builder) { b.Text("1", "140") }},
		{"repetition out of order", func(b *Builder) { b.Uint(1, "250", "1", "BDS1") }},
		{"repetition by name", func(b *Builder) { b.Uint(1, "250", "x", "BDS1") }},
		{"short octets", func(b *Builder) { b.Octets([]byte{1}, "010") }},
		{"long octets", func(b *Builder) { b.Octets([]byte{1, 2, 3}, "010") }},
		{"octets of a small field", func(b *Builder) { b.Octets([]byte{1}, "010", "SAC") }},
		{"special purpose by field", func(b *Builder) { b.Uint(1, "SP", "X") }},
		{"nothing", func(b *Builder) {}},
	} {
		b, err := NewBuilder(48, "")
		if err != nil {
			t.Fatal(err)
		}
		c.set(b)
		b.Uint(1, "010", "SIC")
		if c.name == "nothing" {
			b.Reset()
		}
		if r, err := b.Record(); err == nil {
			t.Errorf("%s: built %s", c.name, r.AppendJSON(nil))
		} else if c.name != "nothing" && !errors.Is(err, ErrValue) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, bad := range []string{"9.9", "1.31+9.9", "+", "1.31+"} {
		if _, err := NewBuilder(48, bad); !errors.Is(err, ErrEdition) {
			t.Errorf("edition %q: %v", bad, err)
		}
	}
	for _, bad := range []map[string]string{{"x": "1.31"}, {"300": "1"}, {"48": "1.31", "048": "1.30"}, {"048": ""}, {"048": "1.1"}} {
		if e, err := ParseEditions(bad); err == nil {
			t.Errorf("%v: read as %v", bad, e)
		}
	}
	if e, err := ParseEditions(map[string]string{"048": "1.32+1.13", "62": "1.21"}); err != nil || e[48] != "1.32+1.13" || e[62] != "1.21" {
		t.Errorf("editions %v, %v", e, err)
	}
	if _, err := NewDecoder(Editions{7: "1.0"}); !errors.Is(err, ErrCategory) {
		t.Errorf("category: %v", err)
	}
	if _, err := NewBuilder(48, "1.29+1.11"); err != nil {
		t.Error(err)
	}
}

func TestEncodeSplits(t *testing.T) {
	records, _ := Decode(octets(t, plot), nil)
	many := make([]Record, 3000)
	for i := range many {
		many[i] = records[0]
	}
	b, err := Encode(many...)
	if err != nil {
		t.Fatal(err)
	}
	if b[1] < 0xff || len(b) < 3000*45+6 {
		t.Errorf("first block %x, %d octets", b[:3], len(b))
	}
	if out, faults := Decode(b, nil); len(out) != 3000 || len(faults) != 0 {
		t.Errorf("%d records back, %v", len(out), faults)
	}
	pieces, err := Datagrams(1400, many...)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, p := range pieces {
		out, faults := Decode(p, nil)
		if total += len(out); len(p) > 1400 || len(faults) > 0 || len(out) == 0 {
			t.Fatalf("piece of %d octets, %d records, %v", len(p), len(out), faults)
		}
	}
	if total != 3000 {
		t.Errorf("%d records in pieces", total)
	}
	for _, limit := range []int{-1, 0, 47} {
		if _, err := Datagrams(limit, many[0]); !errors.Is(err, ErrLength) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	if _, err := Encode(Record{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	if b, err := Encode(); b != nil || err != nil {
		t.Errorf("none: %v %v", b, err)
	}
}

// A decoder's next call takes back what it gave; Clone is what to keep.
func TestDecoderReuse(t *testing.T) {
	d, err := NewDecoder(nil)
	if err != nil {
		t.Fatal(err)
	}
	in := octets(t, plot)
	records, _ := d.Decode(in)
	kept := records[0].Clone()
	clear(in)
	d.Decode(octets(t, "22 0006 80 0000"))
	if x, _ := kept.Uint("010", "SIC"); x != 201 {
		t.Errorf("clone changed: %d", x)
	}
}

func TestLoadAndStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 64).Draw(t, "bits")
		off := rapid.IntRange(0, 100).Draw(t, "off")
		x := rapid.Uint64().Draw(t, "x")
		b := bytes.Repeat([]byte{rapid.SampledFrom([]byte{0, 0xff}).Draw(t, "ground")}, (off+n+7)/8)
		store(b, off, n, x)
		want := x
		if n < 64 {
			want &= 1<<n - 1
		}
		if got := load(b, off, n); got != want {
			t.Fatalf("%d bits at %d: %x, want %x", n, off, got, want)
		}
	})
	if len(icaoAlphabet) != 64 {
		t.Errorf("alphabet of %d", len(icaoAlphabet))
	}
}

func TestTablesRefuseNonsense(t *testing.T) {
	for name, text := range map[string]string{
		"statement":  "category 001\neditions 1\nnonsense\n",
		"word":       "category 001\neditions 1\nitem 010 * wrong\n",
		"open":       "category 001\neditions 1\nitem 010 * group( A:8:raw\n",
		"bits":       "category 001\neditions 1\nitem 010 * group( A:7:raw )\n",
		"fx":         "category 001\neditions 1\nitem 010 * ext( A:6:raw - )\n",
		"content":    "category 001\neditions 1\nitem 010 * :8:what\n",
		"twice":      "category 001\neditions 1\nitem 010 * group( A:8:raw A:8:raw )\n",
		"left over":  "category 001\neditions 1\nitem 010 * :8:raw :8:raw\n",
		"no uap":     "category 001\neditions 1\nitem 010 * :8:raw\n",
		"uap":        "category 001\neditions 1\nuap only * 010\n",
		"unaligned":  "category 001\neditions 1\nitem 010 * group( A:4:raw B:72:raw .4 )\n",
		"choice":     "category 001\neditions 1\nitem 010 * group( A:8:case|B|0=raw|=raw )\n",
		"table":      "category 001\neditions 1\ntable 1\n x y\n",
		"no default": "category 001\neditions 1\nitem 010 * group( B:8:raw A:8:case|B|0=raw )\n",
	} {
		c := &catalogue{categories: map[uint8]*category{}}
		if err := c.load(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
