package cap12

import (
	"bytes"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// canonicalizer is the canonical form an algorithm names. The forms with comments are
// the same as those without here: the reference "" leaves comments out of what is
// signed (XML Signature, clause 4.4.3.3), and a signature with a comment inside is refused.
func canonicalizer(algorithm, prefixes string) (dsig.Canonicalizer, bool) {
	switch strings.TrimSuffix(algorithm, "WithComments") {
	case "http://www.w3.org/2001/10/xml-exc-c14n#":
		return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes), true
	case "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#":
		return dsig.MakeC14N10RecCanonicalizer(), true
	case "http://www.w3.org/2006/12/xml-c14n11", "http://www.w3.org/2006/12/xml-c14n11#":
		return dsig.MakeC14N11Canonicalizer(), true
	}
	return nil, false
}

// treeOf is a document as goxmldsig wants it, made with our own scanner: what is
// canonicalized is what our reader saw, down to white space in attributes, which
// encoding/xml does not normalize. Comments are left out. The document must have
// been through read, so it has no faults and is not too deep.
func treeOf(doc string) *etree.Document {
	tree := etree.NewDocument()
	open := &tree.Element
	var text strings.Builder // of one text node, however many pieces it comes in
	s, f := newScanner(doc)
	for f == nil {
		var t token
		if t, f = s.next(); f != nil || t.kind == tokenEnd {
			break
		}
		if text.Len() > 0 && t.kind != tokenText && t.kind != tokenComment {
			open.CreateText(text.String())
			text.Reset()
		}
		switch t.kind {
		case tokenOpen:
			n := open.CreateElement(qualified(t.prefix, t.local))
			for _, a := range t.attrs {
				n.CreateAttr(qualified(a.prefix, a.local), a.value)
			}
			if !t.selfClosed {
				open = n
			}
		case tokenClose:
			open = open.Parent()
		case tokenText:
			if open.Parent() != nil { // white space around the root belongs to nothing
				text.WriteString(t.text)
			}
		case tokenPI:
			open.CreateProcInst(t.local, t.text)
		}
	}
	return tree
}

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

// canonicalDocument is the canonical form of a whole document: goxmldsig's of the root
// element, and the processing instructions around it, which belong to what is signed
// (Canonical XML 1.0, clause 2.3).
func canonicalDocument(tree *etree.Document, form dsig.Canonicalizer) ([]byte, error) {
	root := tree.Root()
	var front, back bytes.Buffer
	behind := false
	for _, child := range tree.Child {
		if child == etree.Token(root) {
			behind = true
		}
		pi, ok := child.(*etree.ProcInst)
		switch {
		case !ok:
		case behind:
			back.WriteByte('\n')
			pi.WriteTo(&back, &tree.WriteSettings)
		default:
			pi.WriteTo(&front, &tree.WriteSettings)
			front.WriteByte('\n')
		}
	}
	middle, err := form.Canonicalize(root.Copy())
	if err != nil {
		return nil, err
	}
	return append(append(front.Bytes(), middle...), back.Bytes()...), nil
}
