package node

import "testing"

// TestExampleIsTaken: the example in the repository is one that works.
func TestExampleIsTaken(t *testing.T) {
	c, err := ReadConfig("../examples/tocsin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Sources) != 1 || c.Sources[0].Observed().Period != 4e9 {
		t.Errorf("the example was read as %+v", c)
	}
}
