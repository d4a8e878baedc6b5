package asterix

import "fmt"

// layout gives every part its place and checks what the codec relies on: fixed
// layouts end on octets, names are unique, nothing wide is unaligned.
func layout(n *node) error {
	switch n.kind {
	case element:
		if n.bits%8 != 0 {
			return fmt.Errorf("%s: %d bits do not end on an octet", n.name, n.bits)
		}
		return nil
	case group:
		if err := place(n, 0); err != nil {
			return err
		}
		if n.bits%8 != 0 {
			return fmt.Errorf("%s: %d bits do not end on an octet", n.name, n.bits)
		}
		return nil
	case extended:
		return layoutExtended(n)
	case repetitive:
		return layout(n.kids[0])
	case repeated:
		kid := n.kids[0]
		if kid.kind != element && kid.kind != group {
			return fmt.Errorf("%s: repetition by FX of a structure without fixed size", n.name)
		}
		if err := place(kid, 0); err != nil {
			return err
		}
		if (kid.bits+1)%8 != 0 {
			return fmt.Errorf("%s: %d bits and FX do not end on an octet", n.name, kid.bits)
		}
		return nil
	case compound, compound8:
		if err := unique(n); err != nil {
			return err
		}
		for _, kid := range n.kids {
			if kid == nil {
				continue
			}
			if err := layout(kid); err != nil {
				return fmt.Errorf("%s/%w", n.name, err)
			}
		}
		return nil
	}
	return nil // explicit: only octets
}

// place puts an element or group at an offset and sums up its size.
func place(n *node, off int) error {
	n.off = off
	if n.kind == element {
		if n.bits > 64 && (off%8 != 0 || n.bits%8 != 0) {
			return fmt.Errorf("%s: %d bits not on octets", n.name, n.bits)
		}
		return nil
	}
	if n.kind != group {
		return fmt.Errorf("%s: a structure without fixed size in a fixed layout", n.name)
	}
	n.bits = 0
	for _, kid := range n.kids {
		if kid == nil {
			return fmt.Errorf("%s: an empty slot in a group", n.name)
		}
		if err := place(kid, off+n.bits); err != nil {
			return err
		}
		n.bits += kid.bits
	}
	return bind(n)
}

func layoutExtended(n *node) error {
	off := 0
	for i, kid := range n.kids {
		if kid == nil { // an FX bit
			off++
			if off%8 != 0 {
				return fmt.Errorf("%s: FX bit not at the end of an octet", n.name)
			}
			n.ends = append(n.ends, off/8)
			n.open = i == len(n.kids)-1
			continue
		}
		if err := place(kid, off); err != nil {
			return err
		}
		off += kid.bits
	}
	if !n.open {
		if off%8 != 0 {
			return fmt.Errorf("%s: last part does not end on an octet", n.name)
		}
		n.ends = append(n.ends, off/8)
	}
	n.kids = withoutFX(n.kids)
	return bind(n)
}

func withoutFX(kids []*node) []*node {
	var out []*node
	for _, k := range kids {
		if k != nil {
			out = append(out, k)
		}
	}
	return out
}

// bind finds the sibling that a choice looks at.
func bind(n *node) error {
	if err := unique(n); err != nil {
		return err
	}
	for _, kid := range n.kids {
		if kid.what == nil || kid.what.enc != choice {
			continue
		}
		kid.what.by = find(n.kids, kid.what.sibling)
		if kid.what.by == nil || kid.what.by.kind != element {
			return fmt.Errorf("%s: no sibling %q to choose by", kid.name, kid.what.sibling)
		}
	}
	return nil
}

func unique(n *node) error {
	seen := map[string]bool{}
	for _, kid := range n.kids {
		if kid == nil || kid.name == "" {
			continue
		}
		if seen[kid.name] {
			return fmt.Errorf("%s: two parts named %q", n.name, kid.name)
		}
		seen[kid.name] = true
	}
	return nil
}

// find looks among named parts; spares have no name.
func find(kids []*node, name string) *node {
	for _, k := range kids {
		if k != nil && k.name == name && name != "" {
			return k
		}
	}
	return nil
}
