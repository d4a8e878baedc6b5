package board

import (
	"crypto/ed25519"
	"time"

	"tocsin/core/alert"
	"tocsin/core/zone"
)

// Verdict is what a client makes of one line, in the contract's words.
type Verdict string

// The verdicts. Taken, Fetch and Old are verified frames; the others are refused and
// change nothing.
const (
	Taken             Verdict = "taken"
	Fetch             Verdict = "fetch"
	Old               Verdict = "old"
	TooLarge          Verdict = "too-large"
	Malformed         Verdict = "malformed"
	UnknownKey        Verdict = "unknown-key"
	BadSignature      Verdict = "bad-signature"
	KeyNotInForce     Verdict = "key-not-in-force"
	RevokedKey        Verdict = "revoked-key"
	WrongUniverse     Verdict = "wrong-universe"
	WrongRegion       Verdict = "wrong-region"
	OutOfJurisdiction Verdict = "out-of-jurisdiction"
	Rollback          Verdict = "rollback"
	Replay            Verdict = "replay"
)

// Accepted reports whether the frame was verified and is in order.
func (v Verdict) Accepted() bool { return v == Taken || v == Fetch || v == Old }

// Verifier checks who signed a line and whether they may: everything but its order. It is
// not safe for use by several goroutines at once.
type Verifier struct {
	root     ed25519.PublicKey
	universe alert.Universe
	list     *KeyList
}

// NewVerifier trusts what the root key says in one universe.
func NewVerifier(root ed25519.PublicKey, universe alert.Universe) *Verifier {
	return &Verifier{root: root, universe: universe}
}

// Keys takes a key list; one that is refused changes nothing.
func (v *Verifier) Keys(line []byte) Verdict {
	l, verdict := VerifyKeys(line, v.root, v.universe)
	if verdict != Taken {
		return verdict
	}
	if v.list != nil && l.Serial < v.list.Serial {
		return Rollback
	}
	v.list = l
	return Taken
}

// Held returns the key list in use, nil before the first.
func (v *Verifier) Held() *KeyList { return v.list }

// Verify checks a line at the client's time now. follows says which chains are meant for
// this client; nil is all. The verdict is Taken where nothing speaks against the frame.
func (v *Verifier) Verify(line []byte, now time.Time, follows func(region string) bool) (Payload, Verdict) {
	p, _, verdict := v.verify(line, now, follows)
	return p, verdict
}

// verify also says whose signature it is.
func (v *Verifier) verify(line []byte, now time.Time, follows func(region string) bool) (Payload, string, Verdict) {
	if len(line) > MaxFrame {
		return Payload{}, "", TooLarge
	}
	t, err := split(line)
	if err != nil {
		return Payload{}, "", Malformed
	}
	if v.list == nil {
		return Payload{}, "", UnknownKey
	}
	key, known := v.list.Find(t.kid)
	if !known {
		return Payload{}, "", UnknownKey
	}
	if !ed25519.Verify(key.X, t.signed, t.signature) {
		return Payload{}, t.kid, BadSignature
	}
	p, err := Decode(t.payload)
	if err != nil {
		return Payload{}, "", Malformed
	}
	switch {
	case p.Universe != v.universe:
		return p, t.kid, WrongUniverse
	case follows != nil && !follows(p.Region):
		return p, t.kid, WrongRegion
	case v.list.RevokedKey(t.kid):
		return p, t.kid, RevokedKey
	case !key.InForce(p.At) || !key.InForce(now):
		return p, t.kid, KeyNotInForce
	case !key.Jurisdiction.allows(&p):
		return p, t.kid, OutOfJurisdiction
	}
	return p, t.kid, Taken
}

// allows is the part of the jurisdiction that every client checks. The test chain, which
// any key may sign, names its own zone alone and no other chain names that: so nobody who
// follows it for a test can be warned of a place by it.
func (j Jurisdiction) allows(p *Payload) bool {
	if !j.Region(p.Region) {
		return false
	}
	for i := range p.Items {
		if p.Region != Test && !j.Class(p.Items[i].Threat) {
			return false
		}
		for _, id := range p.Items[i].Zones {
			if (id == zone.TestZone) != (p.Region == Test) {
				return false
			}
		}
	}
	return true
}
