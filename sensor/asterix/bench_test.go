package asterix

import (
	"testing"

	"tocsin/core/observation"
	wire "tocsin/wire/asterix"
)

// Datagram in to observations out, as a busy radar sends them.
func BenchmarkPlots(b *testing.B) {
	feeds, err := Feeds([]Config{radar()}, nil)
	if err != nil {
		b.Fatal(err)
	}
	var records []wire.Record
	for i := range 24 {
		records = append(records, record(b, 48, set{"140", tod(noon)}, set{"020/TYP", 7}, set{"040/RHO", 10.0 + float64(i)},
			set{"040/THETA", 90.0}, set{"070/MODE3A", "4512"}, set{"090/FL", 100.0}, set{"220", 0x3c660c}, set{"240", "DLH65A"},
			set{"161/TRN", i}, set{"130/PAM", 0xb8}))
	}
	datagram := octets(b, records...)
	n := 0
	b.SetBytes(int64(len(datagram)))
	b.ReportAllocs()
	for b.Loop() {
		feeds[0].hear(datagram, noon, func(observation.Observation) { n++ })
	}
	if n != b.N*24 {
		b.Fatalf("%d observations of %d", n, b.N*24)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/plot")
}
