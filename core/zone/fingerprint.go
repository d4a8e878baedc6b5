package zone

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"

	"tocsin/core/geo"
)

// fingerprint hashes records in the order given: every field, lengths before contents.
func fingerprint(zones []Zone) string {
	p := printer{h: sha256.New()}
	p.number(int64(len(zones)))
	for _, z := range zones {
		p.zone(z)
	}
	return hex.EncodeToString(p.h.Sum(nil)[:8])
}

type printer struct {
	h   hash.Hash
	buf []byte
}

func (p *printer) zone(z Zone) {
	p.text(string(z.ID))
	p.number(int64(z.Level))
	p.text(string(z.Parent))
	p.text(string(z.Region))
	p.number(int64(len(z.Names)))
	for _, l := range z.Languages() {
		p.text(l)
		p.text(z.Names[l])
	}
	p.texts(z.Approximate)
	p.texts(z.Aliases)
	p.optional(int64(z.Population), z.PopulationKnown)
	p.optional(int64(z.Shelter), z.ShelterKnown)
	p.number(int64(len(z.Shape)))
	for _, poly := range z.Shape {
		p.number(int64(len(poly.Holes)))
		p.ring(poly.Outer)
		for _, hole := range poly.Holes {
			p.ring(hole)
		}
	}
	p.point(z.Label)
	p.flush()
}

func (p *printer) flush() {
	p.h.Write(p.buf)
	p.buf = p.buf[:0]
}

func (p *printer) number(n int64) { p.buf = binary.BigEndian.AppendUint64(p.buf, uint64(n)) }

func (p *printer) text(s string) {
	p.number(int64(len(s)))
	p.buf = append(p.buf, s...)
}

func (p *printer) texts(list []string) {
	p.number(int64(len(list)))
	for _, s := range list {
		p.text(s)
	}
}

func (p *printer) optional(n int64, known bool) {
	if !known {
		n = -1
	}
	p.number(n)
}

func (p *printer) ring(r geo.Ring) {
	p.number(int64(len(r)))
	for _, v := range r {
		p.point(v)
	}
}

func (p *printer) point(v geo.Point) {
	p.number(int64(math.Round(float64(v.Lat) * 1e12)))
	p.number(int64(math.Round(float64(v.Lon) * 1e12)))
}
