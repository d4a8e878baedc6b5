package cap12

import (
	"path/filepath"
	"testing"
	"time"
)

// Figures for docs/figures.md: documents a second, from the bytes to an alert that has
// been held to every rule.
func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"alert", "hundred-zones"} {
		doc := read1(b, filepath.Join("testdata", "good", name+".xml"))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Parse(doc); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b)
		})
	}
}

func BenchmarkMarshal(b *testing.B) {
	for _, name := range []string{"alert", "hundred-zones"} {
		a := golden()[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Marshal(); err != nil {
					b.Fatal(err)
				}
			}
			perSecond(b)
		})
	}
}

func BenchmarkSign(b *testing.B) {
	doc := read1(b, filepath.Join("testdata", "good", "alert.xml"))
	by := authority()
	for b.Loop() {
		if _, err := Sign(doc, by.key, by.cert); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func BenchmarkVerify(b *testing.B) {
	doc, cert := read1(b, filepath.Join("testdata", "signed", "ours.xml")), signedCertificate(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Verify(doc, cert, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func perSecond(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "documents/s") }
