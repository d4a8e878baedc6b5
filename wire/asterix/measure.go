package asterix

// problem is why a structure cannot be measured: at is relative to its first octet.
type problem struct {
	err         error
	path        string
	at          int
	wanted, had int
}

func (p *problem) within(name string, at int) *problem {
	p.at += at
	if name == "" {
		return p
	}
	if p.path != "" {
		p.path = "/" + p.path
	}
	p.path = name + p.path
	return p
}

// measure answers how many octets of b the structure takes, having checked that every
// length in it is there. notes takes extensions that the edition does not know and
// that were read over.
//
// Its time is linear in the octets taken and its depth that of the tables.
func measure(n *node, b []byte, notes *[]problem) (int, *problem) {
	switch n.kind {
	case element, group:
		size := n.bits / 8
		if size > len(b) {
			return 0, &problem{err: ErrTruncated, wanted: size, had: len(b)}
		}
		return size, nil
	case extended:
		return measureExtended(n, b, notes)
	case compound:
		return measureCompound(n, b, notes)
	case compound8:
		if len(b) == 0 {
			return 0, &problem{err: ErrTruncated, wanted: 1}
		}
		return measureKids(n, b, b[:1], 8, notes)
	case repetitive:
		return measureRepetitive(n, b, notes)
	case repeated:
		size := (n.kids[0].bits + 1) / 8
		for end := size; ; end += size {
			if end > len(b) {
				return 0, &problem{err: ErrTruncated, at: end - size, wanted: size, had: len(b) - end + size}
			}
			if b[end-1]&1 == 0 {
				return end, nil
			}
		}
	default:
		return measureExplicit(b)
	}
}

func measureExplicit(b []byte) (int, *problem) {
	if len(b) == 0 {
		return 0, &problem{err: ErrTruncated, wanted: 1}
	}
	size := int(b[0])
	if size < 1 {
		return 0, &problem{err: ErrLength, wanted: 1, had: size}
	}
	if size > len(b) {
		return 0, &problem{err: ErrTruncated, wanted: size, had: len(b)}
	}
	return size, nil
}

// measureExtended follows the FX bits. Beyond the parts that the edition knows each
// extension is one octet: so it is with every extension of the categories here, and so
// an older edition can read over what a newer one appended.
func measureExtended(n *node, b []byte, notes *[]problem) (int, *problem) {
	for i, end := range n.ends {
		if end > len(b) {
			return 0, &problem{err: ErrTruncated, wanted: end, had: len(b)}
		}
		last := i == len(n.ends)-1
		if last && !n.open || b[end-1]&1 == 0 {
			return end, nil
		}
	}
	known := n.ends[len(n.ends)-1]
	end := known
	for {
		if end >= len(b) {
			return 0, &problem{err: ErrTruncated, at: end, wanted: 1}
		}
		end++
		if b[end-1]&1 == 0 {
			break
		}
	}
	*notes = append(*notes, problem{err: ErrExtent, at: known})
	return end, nil
}

func measureRepetitive(n *node, b []byte, notes *[]problem) (int, *problem) {
	if len(b) == 0 {
		return 0, &problem{err: ErrTruncated, wanted: 1}
	}
	count, kid := int(b[0]), n.kids[0]
	if kid.bits > 0 {
		size := 1 + count*kid.bits/8
		if size > len(b) {
			return 0, &problem{err: ErrTruncated, wanted: size, had: len(b)}
		}
		return size, nil
	}
	end := 1
	for range count {
		var p *problem
		if end, p = part(kid, b, end, notes); p != nil {
			return 0, p
		}
	}
	return end, nil
}

func measureCompound(n *node, b []byte, notes *[]problem) (int, *problem) {
	spec := 0
	for {
		if spec >= len(b) {
			return 0, &problem{err: ErrTruncated, at: spec, wanted: 1}
		}
		spec++
		if b[spec-1]&1 == 0 {
			break
		}
	}
	return measureKids(n, b, b[:spec], 7, notes)
}

// measureKids adds up the parts that spec announces, per octet of it.
func measureKids(n *node, b, spec []byte, per int, notes *[]problem) (int, *problem) {
	end := len(spec)
	for o, bits := range spec {
		if per == 7 {
			bits &^= 1
		}
		for i := o * per; bits != 0; i++ {
			set := bits&0x80 != 0
			bits <<= 1
			if !set {
				continue
			}
			if i >= len(n.kids) || n.kids[i] == nil {
				return 0, &problem{err: ErrUnused, at: o}
			}
			var p *problem
			if end, p = part(n.kids[i], b, end, notes); p != nil {
				return 0, p
			}
		}
	}
	return end, nil
}

// part measures a structure at b[at:] within another and answers where it ends; problems
// and notes come out relative to b.
func part(n *node, b []byte, at int, notes *[]problem) (int, *problem) {
	before := len(*notes)
	size, p := measure(n, b[at:], notes)
	if p != nil {
		return 0, p.within(n.name, at)
	}
	for i := range (*notes)[before:] {
		(*notes)[before+i].within(n.name, at)
	}
	return at + size, nil
}
