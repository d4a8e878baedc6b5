package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"tocsin/board"
	"tocsin/node/keyring"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List the board keys and say which signs."`
	Rotate keysRotateCmd `cmd:"" help:"Put a new board key in force, with an overlap."`
	Revoke keysRevokeCmd `cmd:"" help:"Take a board key out of force for ever, at once."`
	Admit  keysAdmitCmd  `cmd:"" help:"Put the public board key of another installation on the list."`
	Cap    keysCapCmd    `cmd:"" help:"The keys of the XML signature in CAP documents."`
	Token  keysTokenCmd  `cmd:"" help:"The tokens of the desk's door."`
}

type keysTokenCmd struct {
	List   tokenListCmd   `cmd:"" help:"List the tokens; never their secrets."`
	Add    tokenAddCmd    `cmd:"" help:"Make a token and print its secret, once."`
	Remove tokenRemoveCmd `cmd:"" help:"Take a token out of force."`
}

// folderFlag is whose keys.
type folderFlag struct {
	Data string `default:"./tocsin-data" placeholder:"DIR" help:"The data folder."`
}

func (f folderFlag) open() (*keyring.Ring, error) {
	r, err := keyring.Open(f.Data, "")
	if errors.Is(err, keyring.ErrNoKeys) {
		return nil, fmt.Errorf("%s has no keys. `tocsin init --data %s` makes them", f.Data, f.Data)
	}
	return r, err
}

// rootFlag is where the root key is.
type rootFlag struct {
	RootKey string `placeholder:"FILE" help:"The root key's file, where it is not in the data folder."`
}

type keysListCmd struct {
	folderFlag
	JSON bool `name:"json" help:"One JSON object."`
}

// Help is the example that --help prints.
func (keysListCmd) Help() string {
	return "Example:\n  tocsin keys list --data ./tocsin-data"
}

// listedKey is the --json form of a key.
type listedKey struct {
	Kid     string    `json:"kid"`
	X       string    `json:"x"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	State   string    `json:"state"`
	Here    bool      `json:"here"` // its private half
	Regions []string  `json:"regions"`
	Classes []string  `json:"classes"`
	Polygon bool      `json:"polygon"`
}

type listedKeys struct {
	Universe string      `json:"universe"`
	Root     string      `json:"root"`
	Kid      string      `json:"root_kid"`
	RootHere bool        `json:"root_here"`
	Serial   int64       `json:"serial"`
	Keys     []listedKey `json:"keys"`
}

// Run prints the list.
func (k keysListCmd) Run(c *console) error {
	r, err := k.open()
	if err != nil {
		return fmt.Errorf("keys list: %w", err)
	}
	out, err := describe(r, time.Now())
	if err != nil {
		return fmt.Errorf("keys list: %w", err)
	}
	if k.JSON {
		return json.NewEncoder(c.out).Encode(out)
	}
	fmt.Fprintf(c.out, "universe %s, root %s (fingerprint %s), list %d\n", out.Universe, out.Root, out.Kid, out.Serial)
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tSTATE\tFROM\tUNTIL\tREGIONS\tTHREATS\tWHERE")
	for _, key := range out.Keys {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", key.Kid, key.State, key.From.Format(time.RFC3339), key.Until.Format(time.RFC3339),
			strings.Join(key.Regions, " "), strings.Join(key.Classes, " "), inWords(key.Polygon))
	}
	if out.RootHere {
		fmt.Fprintf(c.err, "tocsin: the root key is on this machine (%s); it is safer elsewhere\n", keyring.RootFile(k.Data))
	}
	return t.Flush()
}

// inWords says where a jurisdiction holds, of the regions it names.
func inWords(polygon bool) string {
	if polygon {
		return "within a polygon"
	}
	return "everywhere"
}

func describe(r *keyring.Ring, now time.Time) (listedKeys, error) {
	list := r.List()
	out := listedKeys{Universe: string(r.Universe()), Root: r.RootText(), Kid: board.Kid(r.Root()), RootHere: r.RootHere(), Serial: list.Serial}
	signer, err := r.Signer(nil)
	if err != nil {
		return out, err
	}
	for _, k := range list.Keys {
		signs := signer.Kid(board.Test, now) == k.Kid
		for _, region := range k.Jurisdiction.Regions {
			if region == board.Any {
				region = board.Whole
			}
			signs = signs || signer.Kid(region, now) == k.Kid
		}
		state := "in force"
		switch {
		case list.RevokedKey(k.Kid):
			state = "revoked"
		case !now.Before(k.Until):
			state = "over"
		case now.Before(k.From):
			state = "to come"
		case signs:
			state = "signs"
		case !r.Signs(k.Kid):
			state = "in force, signs elsewhere"
		}
		out.Keys = append(out.Keys, listedKey{
			Kid: k.Kid, X: keyring.Text(k.X), From: k.From, Until: k.Until, State: state, Here: r.Signs(k.Kid),
			Regions: k.Jurisdiction.Regions, Classes: k.Jurisdiction.Classes, Polygon: !k.Jurisdiction.Everywhere(),
		})
	}
	return out, nil
}

type keysRotateCmd struct {
	folderFlag
	rootFlag
	Valid   *time.Duration `placeholder:"9600h" help:"How long the new key is in force; by default 400 days."`
	Overlap time.Duration `placeholder:"24h" help:"How long the old key stays in force; by default 24 hours."`
	jurisdictionFlags
}

// Help is the example that --help prints.
func (keysRotateCmd) Help() string {
	return `The new key signs after two minutes, when clients know it; the old one stays in force for the overlap, so that no
valid frame is refused. A running server takes it over by itself. Without --region, --class or --polygon the
new key may speak of what the old one may.
Example:
  tocsin keys rotate --root-key /media/safe/root.key`
}

// Run makes the new key and prints its id.
func (k keysRotateCmd) Run(c *console) error {
	o, err := k.options(k.RootKey, k.Valid, k.Overlap)
	if err != nil {
		return err
	}
	r, err := k.open()
	if err != nil {
		return fmt.Errorf("keys rotate: %w", err)
	}
	if err := k.regionsKnown(c, k.Data); err != nil {
		return fmt.Errorf("keys rotate: %w", err)
	}
	next, kid, err := r.Rotate(time.Now(), o)
	if err != nil {
		return fmt.Errorf("keys rotate: %w", err)
	}
	_, err = fmt.Fprintf(c.out, "%s\n", kid)
	when := "in two minutes"
	if k.Overlap > 0 && k.Overlap < 2*time.Minute {
		when = fmt.Sprintf("in %s, when those before it are over; a client that has not fetched the list by then hears nothing until it does, within half a minute", k.Overlap)
	}
	fmt.Fprintf(c.err, "Key %s is on list %d. It signs %s.\n", kid, next.List().Serial, when)
	if s, bad := next.Signer(nil); bad == nil && s.Speaks(board.Whole) {
		if key, _ := next.List().Find(kid); !key.Jurisdiction.Region(board.Whole) {
			fmt.Fprintf(c.err, "Warning: from %s on no key here may speak for the whole country.\n", s.Until(board.Whole, time.Now()).Format(time.RFC3339))
		}
	}
	return err
}

type keysRevokeCmd struct {
	Kid string `arg:"" help:"The key's id, as tocsin keys list prints it."`
	folderFlag
	rootFlag
}

// Help is the example that --help prints.
func (keysRevokeCmd) Help() string {
	return `Clients refuse the key within a minute. Its private half, if it is here, is destroyed. Where no other key is left to
sign, a new one is made, which signs at once.
Example:
  tocsin keys revoke Vq3xk0cYb8mN2f_d --root-key /media/safe/root.key`
}

// Run revokes the key and prints the id of the one that took its place, if one was made.
func (k keysRevokeCmd) Run(c *console) error {
	r, err := k.open()
	if err != nil {
		return fmt.Errorf("keys revoke: %w", err)
	}
	next, made, err := r.Revoke(time.Now(), k.Kid, keyring.Options{RootFile: k.RootKey})
	if errors.Is(err, keyring.ErrNoKey) {
		return fmt.Errorf("keys revoke: there is no key %s; `tocsin keys list --data %s` shows what there is", k.Kid, k.Data)
	}
	if err != nil {
		return fmt.Errorf("keys revoke: %w", err)
	}
	fmt.Fprintf(c.err, "Key %s is revoked by list %d.\n", k.Kid, next.List().Serial)
	if made != "" {
		_, err = fmt.Fprintf(c.out, "%s\n", made)
		fmt.Fprintf(c.err, "Key %s took its place and signs now.\n", made)
	}
	return err
}

type keysAdmitCmd struct {
	X string `arg:"" help:"The public key: base64url of its 32 bytes."`
	folderFlag
	rootFlag
	Valid *time.Duration `placeholder:"9600h" help:"How long the key is in force; by default 400 days."`
	jurisdictionFlags
}

// Help is the example that --help prints.
func (keysAdmitCmd) Help() string {
	return `The key of an authority that signs on its own machine, for its own jurisdiction. The private half never comes here.
Example:
  tocsin keys admit 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo --region UA59 --polygon sumy.geojson`
}

// Run admits the key and prints its id.
func (k keysAdmitCmd) Run(c *console) error {
	x, err := parseRoot(k.X)
	if err != nil {
		return usageError("keys admit: %v", err)
	}
	r, err := k.open()
	if err != nil {
		return fmt.Errorf("keys admit: %w", err)
	}
	o, err := k.options(k.RootKey, k.Valid, 0)
	if err != nil {
		return err
	}
	if err := k.regionsKnown(c, k.Data); err != nil {
		return fmt.Errorf("keys admit: %w", err)
	}
	_, kid, err := r.Admit(time.Now(), x, o)
	if err != nil {
		return fmt.Errorf("keys admit: %w", err)
	}
	_, err = fmt.Fprintf(c.out, "%s\n", kid)
	return err
}

type tokenListCmd struct {
	folderFlag
	JSON bool `name:"json" help:"One JSON object a token."`
}

// Help is the example that --help prints.
func (tokenListCmd) Help() string { return "Example:\n  tocsin keys token list" }

// listedToken is the --json form of a token.
type listedToken struct {
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Regions []string  `json:"regions"`
	Classes []string  `json:"classes"`
	Polygon bool      `json:"polygon"`
}

// Run prints the tokens.
func (k tokenListCmd) Run(c *console) error {
	r, err := k.open()
	if err != nil {
		return fmt.Errorf("keys token list: %w", err)
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	if !k.JSON {
		fmt.Fprintln(t, "NAME\tSCOPES\tUNTIL\tREGIONS\tTHREATS\tWHERE")
	}
	for _, tok := range r.Tokens() {
		l := listedToken{tok.Name, tok.Scopes, tok.From, tok.Until, tok.Jurisdiction.Regions, tok.Jurisdiction.Classes, !tok.Jurisdiction.Everywhere()}
		if k.JSON {
			if err := json.NewEncoder(c.out).Encode(l); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, strings.Join(l.Scopes, " "), l.Until.Format(time.RFC3339),
			strings.Join(l.Regions, " "), strings.Join(l.Classes, " "), inWords(l.Polygon))
	}
	return t.Flush()
}

type tokenAddCmd struct {
	Name string `arg:"" help:"Who it is for: the authority's or operator's name, without space."`
	folderFlag
	Scope []string      `required:"" enum:"declare,extend,end,observe,confirm,veto,read" help:"What it may do: declare, extend, end, observe, confirm, veto, read. May be repeated."`
	Valid *time.Duration `placeholder:"9600h" help:"How long it is in force; by default 400 days."`
	jurisdictionFlags
}

// Help is the example that --help prints.
func (tokenAddCmd) Help() string {
	return `Prints the secret on standard output; it is kept nowhere and cannot be shown again.
Example:
  tocsin keys token add sumy-oblast --scope declare --scope end --region UA59 >sumy.token`
}

// Run makes the token and prints its secret.
func (k tokenAddCmd) Run(c *console) error {
	valid, err := validFor(k.Valid)
	if err != nil {
		return err
	}
	r, err := k.open()
	if err != nil {
		return fmt.Errorf("keys token add: %w", err)
	}
	j, err := k.read()
	if err != nil {
		return err
	}
	if err := k.regionsKnown(c, k.Data); err != nil {
		return fmt.Errorf("keys token add: %w", err)
	}
	_, secret, err := r.AddToken(time.Now(), k.Name, k.Scope, j, valid)
	if errors.Is(err, keyring.ErrExists) {
		return fmt.Errorf("keys token add: there is a token %s already; `tocsin keys token remove %s` takes it out of force", k.Name, k.Name)
	}
	if err != nil {
		return fmt.Errorf("keys token add: %w", err)
	}
	_, err = fmt.Fprintln(c.out, secret)
	return err
}

type tokenRemoveCmd struct {
	Name string `arg:"" help:"The token's name."`
	folderFlag
}

// Help is the example that --help prints.
func (tokenRemoveCmd) Help() string { return "Example:\n  tocsin keys token remove sumy-oblast" }

// Run takes the token out of force.
func (k tokenRemoveCmd) Run(c *console) error {
	r, err := k.open()
	if err != nil {
		return fmt.Errorf("keys token remove: %w", err)
	}
	if _, err := r.RemoveToken(k.Name); err != nil {
		return fmt.Errorf("keys token remove: %w", err)
	}
	fmt.Fprintf(c.err, "Token %s is out of force; a running server knows within seconds.\n", k.Name)
	return nil
}
