package main

import (
	"fmt"
	"os"
	"path/filepath"

	"tocsin/vectors"
)

type vectorsCmd struct {
	Seed uint64 `default:"1" help:"The seed of the keys and of what is drawn at random; the published vectors are of seed 1."`
	Out  string `required:"" placeholder:"DIR" help:"The folder to write v1.json to; it is made if need be."`
}

// Help is the example that --help prints.
func (vectorsCmd) Help() string {
	return `Writes the vectors of the public contract: scripts of frames, good and bad in every way, with the verdict that
any client must give to each. The same seed gives the same bytes. vectors/README.md says how to run them.
Example:
  tocsin vectors --seed 1 --out vectors`
}

// Run writes the file and says what is in it.
func (k vectorsCmd) Run(c *console) error {
	f := vectors.Make(k.Seed)
	b, err := f.Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(k.Out, 0o755); err != nil {
		return fileError("vectors", k.Out, err)
	}
	name := filepath.Join(k.Out, "v1.json")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		return fileError("vectors", name, err)
	}
	verdicts := map[string]int{}
	for _, s := range f.Scripts {
		for _, step := range s.Steps {
			if step.Verdict != "" {
				verdicts[step.Verdict]++
			}
		}
	}
	_, err = fmt.Fprintf(c.out, "%s: %d scripts, %d bytes; verdicts: %v\n", name, len(f.Scripts), len(b), verdicts)
	return err
}
