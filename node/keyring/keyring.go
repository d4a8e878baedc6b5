// Package keyring keeps the keys of one universe in its data folder: the root, the board
// keys, the list of keys that the root signs, the desk's tokens.
//
// In: a data folder, commands (make, rotate, revoke, admit a token), the time. Out: the
// signed key list as it is published, a signer, an answer to "whose token is this". Every
// file is written whole, synced and put in place at once, so that a cut leaves the old or
// the new. It never mixes universes, never prints a secret, and works without the root
// key for everything but changing the list.
package keyring

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
)

const (
	// Valid is how long a board key is in force unless said otherwise.
	Valid = 400 * 24 * time.Hour
	// Overlap is how long the old key stays in force at a rotation: what it signed is
	// still taken from caches and copies on the way.
	Overlap = 24 * time.Hour
	// backdate puts the beginning of a key before its making: devices whose clocks are
	// behind must not refuse it.
	backdate = time.Hour
	// spread is how long a new key is on the list before it signs while an older one can:
	// clients fetch the list every 30 s, and programs look at this folder every few.
	spread = 2 * time.Minute
	// remember is how long a key that is over stays on the list.
	remember = 30 * 24 * time.Hour
)

// What can be asked for.
var (
	ErrNoKeys   = errors.New("there are no keys: `tocsin init` makes them")
	ErrExists   = errors.New("there are keys already")
	ErrUniverse = errors.New("the keys here are of the other universe")
	ErrNoRoot   = errors.New("the root key is not here: put root.key back, or name its file")
	ErrNoKey    = errors.New("no such key")
)

// Ring is what a data folder's keys are at one moment. It is not changed, so several
// goroutines may use it at once; the methods that change the folder return the next one.
type Ring struct {
	dir      string
	root     ed25519.PublicKey
	universe alert.Universe
	line     []byte // the signed list
	list     *board.KeyList
	keys     []board.SigningKey
	tokens   []Token
	stamp    stamp
}

// Options are what a new board key is to be; the zero value is a key for everything,
// valid for Valid.
type Options struct {
	Jurisdiction *board.Jurisdiction // nil: everything, or at a rotation that of the key before
	Valid        time.Duration
	Overlap      time.Duration // at a rotation; zero is Overlap
	RootFile     string        // where the root key is; empty: in the folder
}

func (o Options) valid() time.Duration {
	if o.Valid > 0 {
		return o.Valid
	}
	return Valid
}

func (o Options) overlap() time.Duration {
	if o.Overlap > 0 {
		return o.Overlap
	}
	return Overlap
}

// Folder is where the keys of a data folder are.
func Folder(dir string) string { return filepath.Join(dir, "keys") }

// RootFile is the one file that can be taken offline. It is needed again only to rotate
// and revoke.
func RootFile(dir string) string { return filepath.Join(Folder(dir), "root.key") }

// Init makes the root and the first board key of a universe. A folder that has keys, of
// whatever universe, is left alone.
func Init(dir string, universe alert.Universe, now time.Time, o Options) (*Ring, error) {
	if universe != alert.Live && universe != alert.Exercise {
		return nil, fmt.Errorf("keyring: init: universe %q: not live or exercise", universe)
	}
	if err := os.MkdirAll(Folder(dir), 0o700); err != nil {
		return nil, fmt.Errorf("keyring: init: %w", err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := os.Lstat(filepath.Join(Folder(dir), rootPublicName)); !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keyring: init %s: %w", Folder(dir), ErrExists)
	}
	root, err := initRoot(dir, universe)
	if err != nil {
		return nil, err
	}
	if err := initList(dir, universe, root, now, o); err != nil {
		return nil, err
	}
	// The public half is written last: with it the folder is whole.
	pub, _ := root.Public().(ed25519.PublicKey)
	if err := writeRootPublic(dir, universe, pub); err != nil {
		return nil, fmt.Errorf("keyring: init: %w", err)
	}
	return Open(dir, universe)
}

// initRoot makes the root key, or goes on with that of an init that was cut short: a root
// key is never overwritten.
func initRoot(dir string, universe alert.Universe) (ed25519.PrivateKey, error) {
	root, _, err := readSecret(RootFile(dir), whatRoot, universe)
	if !errors.Is(err, os.ErrNotExist) {
		if err != nil {
			return nil, fmt.Errorf("keyring: init: %w", err)
		}
		return root, nil
	}
	if _, root, err = ed25519.GenerateKey(nil); err == nil {
		err = writeSecret(RootFile(dir), whatRoot, universe, root, time.Time{})
	}
	if err != nil {
		return nil, fmt.Errorf("keyring: init: %w", err)
	}
	return root, nil
}

// initList makes the first board key and its list, unless the root has signed one already:
// clients take no lower serial.
func initList(dir string, universe alert.Universe, root ed25519.PrivateKey, now time.Time, o Options) error {
	pub, _ := root.Public().(ed25519.PublicKey)
	if line, err := readLine(filepath.Join(Folder(dir), listName)); err == nil {
		if _, v := board.VerifyKeys(line, pub, universe); v == board.Taken {
			return nil
		}
	}
	j := board.Everything()
	if o.Jurisdiction != nil {
		j = *o.Jurisdiction
	}
	if _, err := ParsePolygon(j.Polygon); err != nil {
		return err
	}
	k, err := newKey(now, now, o.valid(), j)
	if err != nil {
		return err
	}
	list := board.KeyList{Universe: universe, Serial: 1, At: now, Keys: []board.Key{k.Key}, Revoked: []string{}}
	line, err := list.Sign(root)
	if err != nil {
		return err
	}
	if err := writeKey(dir, universe, k); err != nil {
		return fmt.Errorf("keyring: init: %w", err)
	}
	if err := writeFile(filepath.Join(Folder(dir), listName), append(line, '\n'), 0o644); err != nil {
		return fmt.Errorf("keyring: init: %w", err)
	}
	return nil
}

// newKey makes a board key that may sign from signFrom.
func newKey(now, signFrom time.Time, valid time.Duration, j board.Jurisdiction) (board.SigningKey, error) {
	pub, private, err := ed25519.GenerateKey(nil)
	// A kid that begins with a dash would be taken for a flag by `tocsin keys revoke KID`,
	// in the hour when that must not fail.
	for err == nil && strings.HasPrefix(board.Kid(pub), "-") {
		pub, private, err = ed25519.GenerateKey(nil)
	}
	if err != nil {
		return board.SigningKey{}, fmt.Errorf("keyring: new key: %w", err)
	}
	now = now.UTC().Truncate(time.Millisecond)
	return board.SigningKey{
		Key:     board.Key{Kid: board.Kid(pub), X: pub, From: now.Add(-backdate), Until: now.Add(valid), Jurisdiction: j},
		Private: private, SignFrom: signFrom,
	}, nil
}

// Open reads the keys of a data folder and checks all of them. universe is what the
// caller is about to be; empty takes whichever it is. A live universe without keys is
// refused with ErrNoKeys, like any other: who wants to be live says so by Init.
func Open(dir string, universe alert.Universe) (*Ring, error) {
	r := &Ring{dir: dir, stamp: stampOf(dir)}
	var err error
	if r.root, r.universe, err = readRootPublic(dir); err != nil {
		return nil, err
	}
	if universe != "" && universe != r.universe {
		return nil, fmt.Errorf("keyring: open %s: they are for %s: %w", Folder(dir), r.universe, ErrUniverse)
	}
	if r.line, err = readLine(filepath.Join(Folder(dir), listName)); err != nil {
		return nil, fmt.Errorf("keyring: open: %w", err)
	}
	var verdict board.Verdict
	if r.list, verdict = board.VerifyKeys(r.line, r.root, r.universe); verdict != board.Taken {
		return nil, fmt.Errorf("keyring: open %s: the key list is not the root's: %s", filepath.Join(Folder(dir), listName), verdict)
	}
	for _, k := range r.list.Keys {
		if _, err := ParsePolygon(k.Jurisdiction.Polygon); err != nil {
			return nil, fmt.Errorf("keyring: open: key %s: %w", k.Kid, err)
		}
		private, signFrom, err := readSecret(keyFile(dir, k.Kid), whatBoard, r.universe)
		if errors.Is(err, os.ErrNotExist) {
			continue // another installation's, or revoked
		}
		if err != nil {
			return nil, fmt.Errorf("keyring: open: key %s: %w", k.Kid, err)
		}
		r.keys = append(r.keys, board.SigningKey{Key: k, Private: private, SignFrom: signFrom})
	}
	if r.tokens, err = readTokens(dir, r.universe); err != nil {
		return nil, err
	}
	return r, nil
}

// OpenOrInit is Open, but an exercise without keys gets them. It is for demonstrations
// and tests; a live universe is never made by the way.
func OpenOrInit(dir string, universe alert.Universe, now time.Time) (*Ring, error) {
	r, err := Open(dir, universe)
	if errors.Is(err, ErrNoKeys) && universe == alert.Exercise {
		return Init(dir, universe, now, Options{})
	}
	return r, err
}

// Changed reports whether another program changed the folder since it was read. It costs two
// looks at the names of files.
func (r *Ring) Changed() bool { return stampOf(r.dir) != r.stamp }

// Reload looks whether another program changed the folder; if so it returns what is there
// now and true. It is cheap where nothing changed.
func (r *Ring) Reload() (*Ring, bool, error) {
	if !r.Changed() {
		return r, false, nil
	}
	next, err := Open(r.dir, r.universe)
	if err != nil {
		return r, false, err
	}
	return next, true, nil
}

// Universe is whose keys these are.
func (r *Ring) Universe() alert.Universe { return r.universe }

// Root is the public root key, which clients pin.
func (r *Ring) Root() ed25519.PublicKey { return r.root }

// RootText is Root as clients are given it: base64url of its 32 bytes.
func (r *Ring) RootText() string { return Text(r.root) }

// Text is a public key as the contract writes it: base64url.
func Text(x ed25519.PublicKey) string { return base64.RawURLEncoding.EncodeToString(x) }

// RootHere reports whether the root key lies in the folder, where it need not be.
func (r *Ring) RootHere() bool {
	_, err := os.Lstat(RootFile(r.dir))
	return err == nil
}

// Line is the signed list as GET /v1/keys gives it, without a line end.
func (r *Ring) Line() []byte { return r.line }

// List is the signed list, read. It must not be changed.
func (r *Ring) List() *board.KeyList { return r.list }

// Signs reports whether the private half of a key is here.
func (r *Ring) Signs(kid string) bool {
	for _, k := range r.keys {
		if k.Kid == kid {
			return true
		}
	}
	return false
}

// Signer signs with the keys of the ring. zones answers where a zone lies; it may be nil
// where no key has a polygon.
func (r *Ring) Signer(zones Shapes) (*board.Signer, error) {
	permit, err := NewPermit(r.list, zones)
	if err != nil {
		return nil, err
	}
	return board.NewSigner(r.keys, r.list.Revoked, permit)
}
