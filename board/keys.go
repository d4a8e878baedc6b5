package board

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tocsin/core/alert"
	"tocsin/core/class"
)

// maxKeys bounds a key list.
const maxKeys = 1000

// Any is the jurisdiction over all regions or all classes.
const Any = "*"

// Jurisdiction is what a key may sign. Any alone in Regions or Classes is all.
type Jurisdiction struct {
	Regions []string
	Classes []string
	// Polygon is the exact JSON of a GeoJSON MultiPolygon's coordinates; empty or [] is
	// everywhere. It is for the door and the signer, see Permit.
	Polygon []byte
}

// Everything is the jurisdiction without limits.
func Everything() Jurisdiction {
	return Jurisdiction{Regions: []string{Any}, Classes: []string{Any}}
}

// Region reports whether a chain may be signed. Any key may sign the test chain.
func (j Jurisdiction) Region(region string) bool {
	return region == Test || slices.Contains(j.Regions, Any) || region != Whole && slices.Contains(j.Regions, region)
}

// Class reports whether a class may be signed.
func (j Jurisdiction) Class(c class.Class) bool {
	return slices.Contains(j.Classes, Any) || slices.Contains(j.Classes, c.String())
}

// Everywhere reports whether there is no polygon to keep within.
func (j Jurisdiction) Everywhere() bool {
	p := bytes.TrimSpace(j.Polygon)
	return len(p) == 0 || string(p) == "[]"
}

// Key is one board key of the list.
type Key struct {
	Kid          string
	X            ed25519.PublicKey
	From, Until  time.Time // in force from From until, not with, Until
	Jurisdiction Jurisdiction
}

// InForce reports whether the key may be used at a time, revocation apart.
func (k Key) InForce(at time.Time) bool { return !at.Before(k.From) && at.Before(k.Until) }

// KeyList is what the root key says of the board keys.
type KeyList struct {
	Universe alert.Universe
	Serial   int64 // only grows
	At       time.Time
	Root     string // kid of the root
	Keys     []Key
	Revoked  []string // kids; a revoked key stays in Keys, so that it is known as such
}

// Find returns the key of a kid.
func (l *KeyList) Find(kid string) (Key, bool) {
	for _, k := range l.Keys {
		if k.Kid == kid {
			return k, true
		}
	}
	return Key{}, false
}

// RevokedKey reports whether a kid was revoked.
func (l *KeyList) RevokedKey(kid string) bool { return slices.Contains(l.Revoked, kid) }

// Sign makes the line of GET /v1/keys. Root is filled in.
func (l KeyList) Sign(root ed25519.PrivateKey) ([]byte, error) {
	pub, ok := root.Public().(ed25519.PublicKey)
	if !ok || len(root) != ed25519.PrivateKeySize {
		return nil, errors.New("board: keys: the root is not an Ed25519 key")
	}
	l.Root = Kid(pub)
	line := sign(l.Root, root, l.encode())
	// What would not be taken is not given out.
	if _, v := VerifyKeys(line, pub, l.Universe); v != Taken {
		return nil, fmt.Errorf("board: keys: serial %d: clients would find it %s", l.Serial, v)
	}
	return line, nil
}

func (l KeyList) encode() []byte {
	b := appendMember([]byte{'{'}, "universe", string(l.Universe))
	b = append(b, `,"kind":"keys","serial":`...)
	b = strconv.AppendInt(b, l.Serial, 10)
	b = appendTime(append(b, `,"at":`...), l.At)
	b = appendMember(append(b, ','), "root", l.Root)
	b = append(b, `,"keys":[`...)
	for i, k := range l.Keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(append(b, '{'), "kid", k.Kid)
		b = appendMember(append(b, ','), "x", b64.EncodeToString(k.X))
		b = appendTime(append(b, `,"from":`...), k.From)
		b = appendTime(append(b, `,"until":`...), k.Until)
		b = appendTexts(append(b, `,"jurisdiction":{"regions":`...), k.Jurisdiction.Regions)
		b = appendTexts(append(b, `,"classes":`...), k.Jurisdiction.Classes)
		b = append(b, `,"polygon":`...)
		if k.Jurisdiction.Everywhere() {
			b = append(b, '[', ']')
		} else {
			b = append(b, k.Jurisdiction.Polygon...)
		}
		b = append(b, '}', '}')
	}
	b = appendTexts(append(b, `],"revoked":`...), l.Revoked)
	return append(b, '}')
}

func appendTexts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

// VerifyKeys judges a key list by the pinned root key; the list is nil unless the verdict
// is Taken. Whether it is older than the one held is for the caller.
func VerifyKeys(line []byte, root ed25519.PublicKey, universe alert.Universe) (*KeyList, Verdict) {
	if len(line) > MaxFrame {
		return nil, TooLarge
	}
	t, err := split(line)
	if err != nil {
		return nil, Malformed
	}
	if len(root) != ed25519.PublicKeySize || t.kid != Kid(root) {
		return nil, UnknownKey
	}
	if !ed25519.Verify(root, t.signed, t.signature) {
		return nil, BadSignature
	}
	l, err := decodeKeys(t.payload)
	switch {
	case err != nil || l.Root != t.kid:
		return nil, Malformed
	case l.Universe != universe:
		return nil, WrongUniverse
	}
	return l, Taken
}

func decodeKeys(b []byte) (*KeyList, error) {
	var l KeyList
	has := 0
	err := readJSON(b, func(r *jsonReader) error {
		return r.object(func(name string) error {
			bit, err := l.member(r, name)
			has |= bit
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	})
	if err == nil && has != 1<<7-1 {
		err = fmt.Errorf("%w: a member is missing", errJSON)
	}
	if err != nil {
		return nil, err
	}
	for i, k := range l.Keys {
		if slices.ContainsFunc(l.Keys[:i], func(o Key) bool { return o.Kid == k.Kid }) {
			return nil, fmt.Errorf("%w: key %s twice", errJSON, k.Kid)
		}
	}
	return &l, nil
}

func (l *KeyList) member(r *jsonReader, name string) (int, error) {
	var err error
	switch name {
	case "universe":
		l.Universe, err = word(r, alert.Live, alert.Exercise)
		return 1, err
	case "kind":
		_, err = word(r, "keys")
		return 2, err
	case "serial":
		l.Serial, err = r.integer()
		return 4, err
	case "at":
		l.At, err = r.time()
		return 8, err
	case "root":
		l.Root, err = r.name()
		return 16, err
	case "keys":
		err = r.array(func() error {
			k, err := r.key()
			if l.Keys = append(l.Keys, k); err == nil && len(l.Keys) > maxKeys {
				err = r.fault("too many keys")
			}
			return err
		})
		return 32, err
	case "revoked":
		l.Revoked, err = r.texts()
		return 64, err
	}
	return 0, r.skip()
}

func (r *jsonReader) key() (Key, error) {
	var k Key
	has := 0
	err := r.object(func(name string) error {
		var err error
		switch name {
		case "kid":
			has |= 1
			k.Kid, err = r.name()
		case "x":
			has |= 2
			k.X, err = r.publicKey()
		case "from":
			has |= 4
			k.From, err = r.time()
		case "until":
			has |= 8
			k.Until, err = r.time()
		case "jurisdiction":
			has |= 16
			k.Jurisdiction, err = r.jurisdiction()
		default:
			err = r.skip()
		}
		return err
	})
	switch {
	case err != nil:
		return k, err
	case has != 31:
		return k, r.fault("a member of a key is missing")
	case k.Kid != Kid(k.X):
		return k, r.fault("a kid that is not that of its key")
	}
	return k, nil
}

func (r *jsonReader) publicKey() (ed25519.PublicKey, error) {
	s, err := r.text()
	if err != nil {
		return nil, err
	}
	x, err := decode64([]byte(s))
	if err != nil || len(x) != ed25519.PublicKeySize {
		return nil, r.fault("not a public key")
	}
	return x, nil
}

func (r *jsonReader) jurisdiction() (Jurisdiction, error) {
	var j Jurisdiction
	has := 0
	err := r.object(func(name string) error {
		var err error
		switch name {
		case "regions":
			has |= 1
			j.Regions, err = r.texts()
		case "classes":
			has |= 2
			j.Classes, err = r.texts()
		case "polygon":
			has |= 4
			j.Polygon, err = r.rawArray()
		default:
			err = r.skip()
		}
		return err
	})
	if err == nil && has != 7 {
		err = r.fault("a member of a jurisdiction is missing")
	}
	return j, err
}

// rawArray keeps the exact bytes of an array.
func (r *jsonReader) rawArray() ([]byte, error) {
	if r.peek() != '[' {
		return nil, r.fault("no array")
	}
	from := r.i
	if err := r.skip(); err != nil {
		return nil, err
	}
	return bytes.Clone(r.b[from:r.i]), nil
}

func (r *jsonReader) texts() ([]string, error) {
	out := []string{}
	err := r.array(func() error {
		s, err := r.name()
		out = append(out, s)
		return err
	})
	return out, err
}
