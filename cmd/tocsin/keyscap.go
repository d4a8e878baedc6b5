package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"tocsin/node/keyring"
)

// keysCapCmd are the keys of the XML signature in CAP documents.
type keysCapCmd struct {
	List   capListCmd   `cmd:"" help:"List the keys that sign CAP documents, and where their certificates are."`
	Rotate capRotateCmd `cmd:"" help:"Make a new key for CAP documents; it signs after an overlap."`
	Revoke capRevokeCmd `cmd:"" help:"Destroy a key of CAP documents, at once."`
}

type capListCmd struct {
	folderFlag
	JSON bool `name:"json" help:"One JSON object a key."`
}

// Help is the example that --help prints.
func (capListCmd) Help() string { return "Example:\n  tocsin keys cap list" }

// listedCAPKey is the --json form of one.
type listedCAPKey struct {
	ID    string    `json:"id"`
	State string    `json:"state"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	File  string    `json:"certificate"`
}

// Run prints the keys.
func (k capListCmd) Run(c *console) error {
	// A folder without keys is not one whose list is empty.
	if _, err := k.open(); err != nil {
		return fmt.Errorf("keys cap list: %w", err)
	}
	all, err := keyring.ReadCAP(k.Data)
	if err != nil {
		return fmt.Errorf("keys cap list: %w", err)
	}
	now := time.Now()
	signs, _ := all.Signing(now) // none: none is marked
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if !k.JSON {
		fmt.Fprintln(t, "KEY\tSTATE\tFROM\tUNTIL\tCERTIFICATE")
	}
	for _, one := range all {
		l := listedCAPKey{one.ID, "signed before", one.Cert.NotBefore.UTC(), one.Cert.NotAfter.UTC(), one.File}
		switch {
		case one.ID == signs.ID:
			l.State = "signs"
		case now.Before(l.From):
			l.State = "to come"
		}
		if k.JSON {
			if err := json.NewEncoder(c.out).Encode(l); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.ID, l.State, l.From.Format(time.RFC3339), l.Until.Format(time.RFC3339), l.File)
	}
	return t.Flush()
}

type capRotateCmd struct {
	folderFlag
	Overlap time.Duration `placeholder:"24h" help:"How long the old key signs on, while receivers take the new certificate; by default 24 hours."`
	Sender  string        `placeholder:"NAME" help:"The name in the certificate; by default that of the key before."`
}

// Help is the example that --help prints.
func (capRotateCmd) Help() string {
	return `Give the new certificate to those who check your CAP documents before the overlap is over. What the old key signed is
still good by the old certificate. A running server takes it over by itself.
Example:
  tocsin keys cap rotate --overlap 72h`
}

// Run makes the key and prints its id.
func (k capRotateCmd) Run(c *console) error {
	if k.Overlap < 0 {
		return usageError("--overlap: a time below zero")
	}
	if _, err := k.open(); err != nil {
		return fmt.Errorf("keys cap rotate: %w", err)
	}
	before, err := keyring.ReadCAP(k.Data)
	if err != nil {
		return fmt.Errorf("keys cap rotate: %w", err)
	}
	if len(before) == 0 && k.Sender == "" {
		return usageError("--sender is needed: there is no key before whose name could be taken; `tocsin serve` makes the first one by itself")
	}
	made, err := keyring.RotateCAP(k.Data, k.Sender, time.Now(), k.Overlap)
	if err != nil {
		return fmt.Errorf("keys cap rotate: %w", err)
	}
	_, err = fmt.Fprintln(c.out, made.ID)
	fmt.Fprintf(c.err, "Key %s signs from %s on. Its certificate for receivers: %s\n", made.ID, made.Cert.NotBefore.UTC().Format(time.RFC3339), made.File)
	return err
}

type capRevokeCmd struct {
	ID string `arg:"" help:"The key's id, as tocsin keys cap list prints it."`
	folderFlag
}

// Help is the example that --help prints.
func (capRevokeCmd) Help() string {
	return `Its private half is destroyed and its certificate put aside; tell receivers to trust it no more, for XML signatures know
no revocation. Where no other key signs, a new one is made, which signs at once.
Example:
  tocsin keys cap revoke 3f1c2ab94d0e77aa`
}

// Run revokes the key and prints the id of the one that took its place, if one was made.
func (k capRevokeCmd) Run(c *console) error {
	made, err := keyring.RevokeCAP(k.Data, k.ID, time.Now())
	if errors.Is(err, keyring.ErrNoKey) {
		return fmt.Errorf("keys cap revoke: there is no key %s; `tocsin keys cap list --data %s` shows what there is", shownName(k.ID), shownName(k.Data))
	}
	if err != nil {
		return fmt.Errorf("keys cap revoke: %w", err)
	}
	fmt.Fprintf(c.err, "Key %s signs no more.\n", k.ID)
	if made.ID != "" {
		_, err = fmt.Fprintln(c.out, made.ID)
		fmt.Fprintf(c.err, "Key %s took its place and signs now. Its certificate for receivers: %s\n", made.ID, made.File)
	}
	return err
}
