package board

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin/core/class"
	"tocsin/core/zone"
)

// Permit answers the polygon part of a jurisdiction: does a zone lie within the polygon
// of key kid. It is asked only for keys that have one. An unknown zone lies nowhere.
type Permit interface {
	Within(kid string, id zone.ID) bool
}

// SigningKey is a board key with its private half. SignFrom is when it is known widely
// enough to be preferred to an older one; before, it signs only where no other can. The
// zero value is from the beginning.
type SigningKey struct {
	Key
	Private  ed25519.PrivateKey
	SignFrom time.Time
}

// Why a payload is not signed.
var (
	ErrNoKey        = errors.New("no key in force may sign this chain")
	ErrJurisdiction = errors.New("outside the jurisdiction of the key in force")
)

// Signer signs payloads with the keys it holds, and refuses what their jurisdiction does
// not cover. It is immutable: a rotation or revocation makes a new one.
type Signer struct {
	keys   []SigningKey // the broadest first, then the newest
	permit Permit
}

// NewSigner takes the keys to sign with; revoked ones are left out. permit may be nil
// where no key has a polygon: a key with a polygon then signs no zone at all.
func NewSigner(keys []SigningKey, revoked []string, permit Permit) (*Signer, error) {
	s := &Signer{permit: permit}
	for _, k := range keys {
		if len(k.Private) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("board: signer: key %s: not an Ed25519 key", k.Kid)
		}
		pub, _ := k.Private.Public().(ed25519.PublicKey)
		if k.Kid != Kid(pub) || !pub.Equal(k.X) {
			return nil, fmt.Errorf("board: signer: key %s: its halves do not belong together", k.Kid)
		}
		if !slices.Contains(revoked, k.Kid) {
			s.keys = append(s.keys, k)
		}
	}
	slices.SortStableFunc(s.keys, func(a, b SigningKey) int {
		return cmp.Or(-cmp.Compare(a.breadth(), b.breadth()), b.SignFrom.Compare(a.SignFrom), b.From.Compare(a.From), cmp.Compare(a.Kid, b.Kid))
	})
	return s, nil
}

// breadest is the breadth of a key without limits.
const breadest = 2

// breadth counts in how many ways a key is without limits.
func (k SigningKey) breadth() int {
	n := 0
	if slices.Contains(k.Jurisdiction.Classes, Any) {
		n++
	}
	if k.Jurisdiction.Everywhere() {
		n++
	}
	return n
}

// key returns the key that signs a chain at a time: of those in force the broadest, then
// the newest that may be preferred, then the one that was known first.
func (s *Signer) key(region string, at time.Time) (SigningKey, bool) {
	best := -1
	for i, k := range s.keys {
		if !k.InForce(at) || !k.Jurisdiction.Region(region) {
			continue
		}
		if best >= 0 && k.breadth() < s.keys[best].breadth() {
			break
		}
		if !at.Before(k.SignFrom) {
			return k, true
		}
		best = i // the later in the order, the longer it has been on the list
	}
	if best < 0 {
		return SigningKey{}, false
	}
	return s.keys[best], true
}

// unlimited reports whether the key that signs the whole country may say everything of
// everywhere.
func (s *Signer) unlimited(at time.Time) bool {
	k, ok := s.key(Whole, at)
	return ok && k.breadth() == breadest
}

// Speaks reports whether a chain is among what the keys held may sign at some time.
func (s *Signer) Speaks(region string) bool {
	return slices.ContainsFunc(s.keys, func(k SigningKey) bool { return k.Jurisdiction.Region(region) })
}

// Kid returns the id of the key that signs a chain at a time; empty where none may.
func (s *Signer) Kid(region string, at time.Time) string {
	k, ok := s.key(region, at)
	if !ok {
		return ""
	}
	return k.Kid
}

// Until returns how long from at the chain can be signed without a gap by the keys held.
func (s *Signer) Until(region string, at time.Time) time.Time {
	for range len(s.keys) + 1 {
		longest := at
		for _, k := range s.keys {
			if k.InForce(at) && k.Jurisdiction.Region(region) && k.Until.After(longest) {
				longest = k.Until
			}
		}
		if longest.Equal(at) {
			break
		}
		at = longest
	}
	return at
}

// Permits reports whether a class in a zone may be signed in a chain at a time.
func (s *Signer) Permits(region string, at time.Time, c class.Class, id zone.ID) bool {
	k, ok := s.key(region, at)
	return ok && s.within(&k, region, c, id)
}

func (s *Signer) within(k *SigningKey, region string, c class.Class, id zone.ID) bool {
	if region == Test || id == zone.TestZone {
		return region == Test && id == zone.TestZone
	}
	return k.Jurisdiction.Class(c) &&
		(k.Jurisdiction.Everywhere() || s.permit != nil && s.permit.Within(k.Kid, id))
}

// Sign makes the frame of a payload. Whatever was checked before is checked again here:
// nothing is signed that the key may not say.
func (s *Signer) Sign(p Payload) (Frame, error) {
	k, ok := s.key(p.Region, p.At)
	if !ok {
		return Frame{}, fmt.Errorf("board: sign %s: %w", p.Region, ErrNoKey)
	}
	for i := range p.Items {
		for _, id := range p.Items[i].Zones {
			if !s.within(&k, p.Region, p.Items[i].Threat, id) {
				return Frame{}, fmt.Errorf("board: sign %s: zone %s, %s: %w", p.Region, id, p.Items[i].Threat, ErrJurisdiction)
			}
		}
	}
	payload := p.Encode()
	if lineLength(len(payload)) > MaxFrame {
		return Frame{}, fmt.Errorf("board: sign %s: %w", p.Region, errOversize)
	}
	return Frame{Region: p.Region, Kind: p.Kind, Seq: p.Seq, At: p.At, Line: sign(k.Kid, k.Private, payload)}, nil
}

var errOversize = errors.New("the frame does not fit 1 MiB")
