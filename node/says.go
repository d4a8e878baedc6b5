package node

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"tocsin/core/class"
	"tocsin/core/observation"
)

// Says is a source's confusion matrix: of each real class, how often it says which.
type Says observation.Confusion

// UnmarshalYAML reads rows such as drone: {drone: 0.8, aircraft: 0.15, unknown: 0.05}. Each
// class must have one: what a source says of a class must be measured, not guessed by us.
func (s *Says) UnmarshalYAML(n *yaml.Node) error {
	var out Says
	var given [class.Count]bool
	err := pairs(n, func(of class.Class, row *yaml.Node) error {
		given[of] = true
		err := pairs(row, func(said class.Class, figure *yaml.Node) error {
			v, err := strconv.ParseFloat(figure.Value, 64)
			if figure.Kind != yaml.ScalarNode || err != nil || !within(v, 0, 1) {
				return fmt.Errorf("line %d: says: %s: %s: %q is no probability, from 0 to 1", figure.Line, of, said, figure.Value)
			}
			out[of][said] = v
			return nil
		})
		if err == nil {
			err = observation.CheckRow(out[of])
			if err != nil {
				err = fmt.Errorf("line %d: says: %s: %w", row.Line, of, err)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range class.All() {
		if !given[c] {
			return fmt.Errorf("line %d: says: the row of %s is missing; each class must have one", n.Line, c)
		}
	}
	*s = out
	return nil
}

// pairs visits a mapping from classes.
func pairs(n *yaml.Node, visit func(c class.Class, v *yaml.Node) error) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: says: classes and how often they are said belong here, such as {drone: 0.8, unknown: 0.2}", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		var c class.Class
		if err := c.UnmarshalText([]byte(key.Value)); err != nil {
			return fmt.Errorf("line %d: says: %q is no class; there are %v", key.Line, key.Value, class.All())
		}
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		if err := visit(c, v); err != nil {
			return err
		}
	}
	return nil
}
