package cap12

import "fmt"

// Parse reads one document. The remarks are warnings: what is odd, and still allowed.
// A document with any defect gives no alert and an error that wraps ErrInvalid and
// names the first ones.
func Parse(b []byte) (Alert, []Remark, error) {
	a, r, _ := read(b)
	if err := r.Err(); err != nil {
		return Alert{}, r.Warnings, fmt.Errorf("cap12: read: %w", err)
	}
	return a, r.Warnings, nil
}

// Check reads one document and says everything that is wrong or odd in it: of faults
// in the XML itself the first, of all others each. It never panics and takes time and
// memory in proportion to the document, which is refused unread beyond MaxSize.
func Check(b []byte) Report {
	_, r, _ := read(b)
	return r
}

// read gives the alert, what is to be said of it, and the signatures it carries. The
// alert means nothing where the report has defects.
func read(b []byte) (Alert, Report, []*node) {
	c := checker{doc: string(b[:min(len(b), MaxSize+1)])}
	d, f := readTree(c.doc)
	if f != nil {
		c.fault(f)
		return Alert{}, c.report, nil
	}
	if !c.root(d.root) {
		return Alert{}, c.report, nil
	}
	if d.instructions > 0 {
		c.report.Warnings = append(c.report.Warnings, Remark{
			Rule: OddInstruction, What: "processing instructions are ignored", Line: c.line(d.instructedAt),
		})
	}
	signatures := c.signatures(d.root)
	c.structure(d.root, alertModel)
	return c.alert(d.root), c.report, signatures
}
