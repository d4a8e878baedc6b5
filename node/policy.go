package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tocsin/core/pipeline"
	"tocsin/core/warning"
	"tocsin/health"
)

// maxPolicyFile is what is read of a policy file; the reader itself takes less.
const maxPolicyFile = 1 << 20

// lastPolicy is the copy of the policy in force, in the data folder.
const lastPolicy = "policy.last.yaml"

// openedPolicy is the policy that a node begins with.
type openedPolicy struct {
	policy  warning.Policy
	text    []byte // of the file it was read from; nil: the shipped one
	refused error  // why the configured file is not the one used
}

// openPolicy reads the policy to begin with: the file that the configuration names, or the
// shipped one where it names none. A file that is refused does not keep a system from
// starting that ran before: the last one that was in force stays.
func openPolicy(cfg Config) (openedPolicy, error) {
	if cfg.Policy == "" {
		return openedPolicy{policy: warning.DefaultPolicy()}, nil
	}
	read := func(name string) (o openedPolicy, err error) {
		if o.text, err = readFile(name, maxPolicyFile); err == nil {
			o.policy, err = usable(name, o.text)
		}
		return o, err
	}
	o, refused := read(cfg.Policy)
	if refused == nil {
		return o, nil
	}
	last, err := read(filepath.Join(cfg.Data, lastPolicy))
	if err != nil {
		return o, fmt.Errorf("node: policy: %w", refused)
	}
	last.refused = refused
	return last, nil
}

// usable reads a policy and says what stands against using it here.
func usable(name string, b []byte) (warning.Policy, error) {
	p, err := warning.ReadPolicy(b)
	if err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// keepPolicy copies the policy in force into the data folder. Where that fails the system
// only starts less surely next time.
func (n *Node) keepPolicy(b []byte) {
	if b == nil {
		return
	}
	name := filepath.Join(n.cfg.Data, lastPolicy)
	err := os.WriteFile(name+".new", b, 0o600)
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		n.log.Warn("policy: no copy of it could be kept: " + err.Error())
	}
}

// policyWatch is what was last seen of the policy file, so that a file is judged once. It
// belongs to the goroutine that watches the folder.
type policyWatch struct {
	seen    string
	missing bool
}

// watchPolicy takes up a policy file that was changed while the system runs. One that is
// refused is named with its line, and the policy in force stays.
func (n *Node) watchPolicy(ctx context.Context) {
	w := &n.policy
	if n.cfg.Policy == "" {
		return
	}
	b, err := readFile(n.cfg.Policy, maxPolicyFile)
	if err == nil && string(b) == w.seen || err != nil && w.missing {
		return
	}
	var p warning.Policy
	if w.missing = err != nil; err == nil {
		w.seen = string(b)
		p, err = usable(n.cfg.Policy, b)
	}
	n.condition(policyTold(err))
	if err != nil {
		return
	}
	n.keepPolicy(b)
	select {
	case n.loop.policies <- pipeline.PolicyChanged{Policy: p, File: b}:
		n.log.Info("policy: another one is in force", "version", p.Version, "hash", p.Hash)
	case <-ctx.Done():
	}
}

// policyTold is the condition that says whether the policy file is the policy in force.
func policyTold(err error) health.Condition {
	told := health.Condition{Name: "policy-refused", Raised: err != nil, At: time.Now().UTC()}
	if err != nil {
		told.Detail = err.Error() + "; the policy before stays in force"
	}
	return told
}
