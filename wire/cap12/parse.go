package cap12

import "fmt"

// Parse reads one document. The remarks are warnings: what is odd, and still allowed.
// A document with any defect gives no alert and an error that wraps ErrInvalid and
// names the first ones. A signature is not looked at: see Verify.
func Parse(b []byte) (Alert, []Remark, error) {
	r := read(b)
	if err := r.report.Err(); err != nil {
		return Alert{}, r.report.Warnings, fmt.Errorf("cap12: read: %w", err)
	}
	return r.alert, r.report.Warnings, nil
}

// Check reads one document and says everything that is wrong or odd in it: of faults
// in the XML itself the first, of all others each. It never panics and takes time and
// memory in proportion to the document, which is refused unread beyond MaxSize.
func Check(b []byte) Report { return read(b).report }

// reading is all that one pass over a document gives. Alert and signatures mean
// nothing where the report has defects.
type reading struct {
	alert      Alert
	report     Report
	signatures []*node
	document   document
	text       string // the document in UTF-8
}

func read(b []byte) reading { return readAs(b, false) }

// readAs is read, of a document of our own or of somebody else's.
func readAs(b []byte, own bool) reading {
	doc, from, f := decoded(b)
	c := checker{doc: doc, own: own, report: Report{Defects: []Remark{}, Warnings: []Remark{}}}
	if f != nil {
		c.fault(f)
		return reading{report: c.report}
	}
	d, f := readTree(c.doc)
	if f != nil {
		c.fault(f)
		return reading{report: c.report}
	}
	if !c.root(d.root) {
		return reading{report: c.report}
	}
	if from != "" {
		c.report.Warnings = append(c.report.Warnings, Remark{
			Rule: OddEncoding, What: "the document is not in UTF-8; many recipients read nothing else", Value: from, Line: 1,
		})
	}
	if d.instructions > 0 {
		c.report.Warnings = append(c.report.Warnings, Remark{
			Rule: OddInstruction, What: "processing instructions are ignored", Line: c.line(d.instructedAt),
		})
	}
	signatures := c.signatures(d.root)
	c.structure(d.root, alertModel)
	var alert Alert
	if !c.full() {
		alert = c.alert(d.root)
	}
	return reading{alert: alert, report: c.report, signatures: signatures, document: d, text: doc}
}
