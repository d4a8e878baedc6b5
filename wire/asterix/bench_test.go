package asterix

import (
	"testing"
)

// plots is a datagram as a busy radar sends it: Mode S plots with track data.
func plots(b *testing.B) []byte {
	build, err := NewBuilder(48, "1.31")
	if err != nil {
		b.Fatal(err)
	}
	var records []Record
	for i := range 24 {
		build.Reset()
		build.Uint(25, "010", "SAC").Uint(12, "010", "SIC").Float(27354.5+float64(i)/8, "140").Uint(5, "020", "TYP").
			Float(20+float64(i)*4, "040", "RHO").Float(float64(i)*14, "040", "THETA").Text("4512", "070", "MODE3A").
			Float(330, "090", "FL").Uint(0x3c660c+uint64(i), "220").Text("DLH65A", "240").
			Uint(0xc0780031bc0000, "250", "0", "MBDATA").Uint(4, "250", "0", "BDS1").
			Uint(3563, "161", "TRN").Float(0.12, "200", "GSP").Float(124, "200", "HDG").Uint(2, "170", "RAD").
			Uint(0, "170", "TRE").Uint(1, "230", "COM")
		r, err := build.Record()
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, r)
	}
	return encoded(b, records)
}

// tracks is a datagram as a tracker sends it, with what aircraft say of themselves.
func tracks(b *testing.B) []byte {
	build, err := NewBuilder(62, "1.19")
	if err != nil {
		b.Fatal(err)
	}
	var records []Record
	for i := range 10 {
		build.Reset()
		build.Uint(25, "010", "SAC").Uint(12, "010", "SIC").Float(27354.5+float64(i)/8, "070").
			Float(50+float64(i)/10, "105", "LAT").Float(30+float64(i)/10, "105", "LON").
			Float(1000, "100", "X").Float(-1000, "100", "Y").Float(200, "185", "VX").Float(-20, "185", "VY").
			Text("4512", "060", "MODE3A").Text("DLH65A", "245", "CHR").Uint(0x3c660c, "380", "ADR").
			Float(270, "380", "MHG").Float(35000, "380", "SAL", "ALT").Uint(300, "380", "IAR").Uint(1000+uint64(i), "040").
			Uint(1, "080", "CNF").Uint(0, "080", "TSE").Uint(2, "290", "PSR").Uint(2, "290", "SSR").
			Float(330, "136").Float(35000, "130").Float(330, "135", "CTB").Float(100, "220").
			Uint(3, "500", "APC", "X").Uint(3, "500", "APC", "Y").Uint(4, "500", "AGA")
		r, err := build.Record()
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, r)
	}
	return encoded(b, records)
}

func encoded(b *testing.B, records []Record) []byte {
	out, err := Encode(records...)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func benchmarkDecode(b *testing.B, datagram []byte, read func(*Record) float64) {
	d, err := NewDecoder(nil)
	if err != nil {
		b.Fatal(err)
	}
	records, faults := d.Decode(datagram)
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	count := len(records)
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	sum := 0.0
	for b.Loop() {
		records, _ := d.Decode(datagram)
		for i := range records {
			sum += read(&records[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/record")
	if sum < 0 {
		b.Fatal("sum")
	}
}

func none(*Record) float64 { return 0 }

// readPlot reads what sensor/asterix needs of a plot.
func readPlot(r *Record) float64 {
	sum := 0.0
	for _, path := range [][2]string{{"010", "SAC"}, {"010", "SIC"}, {"020", "TYP"}, {"020", "SIM"}, {"020", "TST"},
		{"040", "RHO"}, {"040", "THETA"}, {"070", "MODE3A"}, {"090", "FL"}, {"110", "3DH"}, {"161", "TRN"}} {
		x, _ := r.Float(path[0], path[1])
		sum += x
	}
	x, _ := r.Float("140")
	y, _ := r.Float("220")
	return sum + x + y
}

func readTrack(r *Record) float64 {
	sum := 0.0
	for _, path := range [][2]string{{"010", "SAC"}, {"010", "SIC"}, {"105", "LAT"}, {"105", "LON"}, {"185", "VX"}, {"185", "VY"},
		{"060", "MODE3A"}, {"380", "ADR"}, {"080", "TSE"}, {"080", "CNF"}} {
		x, _ := r.Float(path[0], path[1])
		sum += x
	}
	x, _ := r.Float("500", "APC", "X")
	y, _ := r.Float("130")
	return sum + x + y + 1e6
}

func all(r *Record) float64 {
	sum := 0.0
	for v := range r.Items() {
		sum += sumOf(v)
	}
	return sum + 1e12
}

func sumOf(v Value) float64 {
	if v.node.kind == element {
		return v.Float()
	}
	sum := 0.0
	for kid := range v.All() {
		sum += sumOf(kid)
	}
	return sum
}

func BenchmarkDecode048(b *testing.B)         { benchmarkDecode(b, plots(b), none) }
func BenchmarkDecode048ReadPlot(b *testing.B) { benchmarkDecode(b, plots(b), readPlot) }
func BenchmarkDecode048ReadAll(b *testing.B)  { benchmarkDecode(b, plots(b), all) }
func BenchmarkDecode062(b *testing.B)         { benchmarkDecode(b, tracks(b), none) }
func BenchmarkDecode062ReadTrack(b *testing.B) {
	benchmarkDecode(b, tracks(b), readTrack)
}
func BenchmarkDecode062ReadAll(b *testing.B) { benchmarkDecode(b, tracks(b), all) }

func BenchmarkJSON048(b *testing.B) {
	var line []byte
	benchmarkDecode(b, plots(b), func(r *Record) float64 {
		line = r.AppendJSON(line[:0])
		return float64(len(line))
	})
}

// What a process pays once, on its first record.
func BenchmarkTables(b *testing.B) {
	files, err := tableFiles.ReadDir("tables")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c := &catalogue{categories: map[uint8]*category{}}
		for _, f := range files {
			text, err := tableFiles.ReadFile("tables/" + f.Name())
			if err != nil {
				b.Fatal(err)
			}
			if err := c.load(string(text)); err != nil {
				b.Fatal(err)
			}
		}
	}
}
