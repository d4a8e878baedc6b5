package cap12

// Parse reads one document. The remarks are warnings: what is odd, and still allowed.
// A document with any defect gives no alert and an error that wraps ErrInvalid.
func Parse(b []byte) (Alert, []Remark, error) {
	return Alert{}, nil, ErrInvalid
}

// Check reads one document and says everything that is wrong or odd with it.
func Check(b []byte) Report {
	return Report{}
}
