package cap12

import (
	"fmt"
	"slices"
	"strings"
)

// maxRemarks bounds the defects and the warnings that are kept; the rest is counted.
const maxRemarks = 100

// notOurs are the warnings that are defects in a document of ours.
var notOurs = [...]Rule{OddSilent, OddUnrestricted, OddExpires, OddGeocodeEmpty}

// checker collects remarks on one document.
type checker struct {
	doc    string
	own    bool // the document is ours: what is in notOurs is a defect
	report Report
	// Line numbers are counted on from the last one asked for, mostly forwards.
	countedTo, counted int
	// Pairs of edges looked at for crossings, and whether it was said that no more are.
	pairs    int
	unlooked bool
}

// bad records a defect of n; odd records a warning.
func (c *checker) bad(rule Rule, n *node, value, what string) {
	if len(c.report.Defects) == maxRemarks {
		c.report.Omitted++
		return
	}
	c.report.Defects = append(c.report.Defects, c.remark(rule, n, value, what))
}

func (c *checker) odd(rule Rule, n *node, value, what string) {
	if c.own && slices.Contains(notOurs[:], rule) {
		c.bad(rule, n, value, what)
		return
	}
	if len(c.report.Warnings) == maxRemarks {
		c.report.Omitted++
		return
	}
	c.report.Warnings = append(c.report.Warnings, c.remark(rule, n, value, what))
}

func (c *checker) remark(rule Rule, n *node, value, what string) Remark {
	return Remark{Rule: rule, What: what, Path: n.path(), Value: clip(value, 80), Line: c.line(n.at)}
}

// fault records why the document could not be read to its end.
func (c *checker) fault(f *fault) {
	c.report.Defects = append(c.report.Defects, Remark{Rule: f.rule, What: f.what, Value: f.value, Line: c.line(f.at)})
}

// line is the line of a byte offset, from 1.
func (c *checker) line(at int) int {
	at = min(at, len(c.doc))
	if at < c.countedTo {
		c.countedTo, c.counted = 0, 0
	}
	c.counted += strings.Count(c.doc[c.countedTo:at], "\n")
	c.countedTo = at
	return 1 + c.counted
}

// full reports whether looking on is of no use: no more defects are kept.
func (c *checker) full() bool { return len(c.report.Defects) == maxRemarks }

// root holds the root element to being CAP 1.2's alert; older versions are named.
func (c *checker) root(n *node) bool {
	switch {
	case n.space == Namespace && n.local == "alert":
		return true
	case n.space == "urn:oasis:names:tc:emergency:cap:1.1":
		c.bad(RuleVersion, n, n.space, "this is CAP 1.1, only CAP 1.2 is read")
	case n.space == "http://www.incident.com/cap/1.0":
		c.bad(RuleVersion, n, n.space, "this is CAP 1.0, only CAP 1.2 is read")
	default:
		c.bad(RuleRoot, n, "{"+clip(n.space, 60)+"}"+clip(n.local, 60), "the root element must be alert of "+Namespace)
	}
	return false
}

// structure holds n and all below it to the schema: which elements, in which order, how
// many; no attributes, no stray text. What breaks it is marked to be skipped by the
// rules on contents, so that one fault gives one defect.
func (c *checker) structure(n *node, model []element) {
	c.attributes(n)
	if model == nil {
		for _, child := range n.children {
			c.bad(RuleNested, child, "", "only text belongs in "+n.local)
			n.skip = true
		}
		return
	}
	if !blank(n.text) {
		c.bad(RuleStrayText, n, trim(n.text), "only elements belong in "+n.local)
	}
	counts := make([]int, len(model))
	last := 0
	for _, child := range n.children {
		if c.full() {
			c.report.Omitted++
			return
		}
		if child.space != Namespace {
			c.bad(RuleForeign, child, child.space, "the element is not of CAP's namespace")
			child.skip = true
			continue
		}
		i := find(model, child.local)
		if i < 0 {
			c.bad(RuleUnknown, child, "", n.local+" has no such element")
			child.skip = true
			continue
		}
		counts[i]++
		switch {
		case counts[i] > 1 && !model[i].repeats:
			c.bad(RuleRepeated, child, child.text, "the element may stand only once")
			child.skip = true
		case i < last:
			c.bad(RuleOrder, child, "", fmt.Sprintf("the element must stand before %s", model[last].name))
		default:
			last = i
		}
		c.structure(child, model[i].contains)
	}
	for i, e := range model {
		if e.required && counts[i] == 0 {
			c.bad(RuleMissing, n, "", e.name+" is missing")
		}
	}
}

// attributes holds an element to having none but the schema's location, which XML
// Schema allows anywhere. Deviation: it would allow xsi:type too, which could only
// repeat the type that the schema gives.
func (c *checker) attributes(n *node) {
	for _, a := range n.attrs {
		if a.space == xsiNamespace && (a.local == "schemaLocation" || a.local == "noNamespaceSchemaLocation") {
			continue
		}
		c.bad(RuleAttribute, n, a.local+`="`+a.value+`"`, "CAP elements have no attributes")
	}
}

// signatures takes the XML signatures off the end of an alert, where alone they may
// stand, and returns them; what is in them is verify.go's business.
func (c *checker) signatures(alert *node) []*node {
	end := len(alert.children)
	for end > 0 && alert.children[end-1].space == dsigNamespace {
		end--
	}
	found := alert.children[end:]
	alert.children = slices.Clip(alert.children[:end])
	for _, n := range found {
		if n.local != "Signature" {
			c.bad(RuleSignature, n, n.local, "of XML-Signature only Signature may stand in an alert")
		}
	}
	switch {
	case len(found) > 1:
		c.odd(OddSignatures, found[1], "", "an alert has one signature at most; which one counts is not defined")
	case len(found) == 1:
		c.odd(OddSigned, found[0], "", "the alert is signed; the signature was not verified")
	}
	return found
}
