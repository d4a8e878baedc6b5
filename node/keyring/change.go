package keyring

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tocsin/board"
)

// Rotate puts a new board key on the list and lets those that sign now end after the
// overlap. The new one signs when the list had time to spread; until then, and for what
// is on the way, the old one is in force. It returns the new key's id.
func (r *Ring) Rotate(now time.Time, o Options) (*Ring, string, error) {
	var kid string
	next, err := r.change(now, o, func(now *Ring, list *board.KeyList, at time.Time) (*board.SigningKey, error) {
		k, err := now.successor(list, at, at.Add(spread), o)
		if err != nil {
			return nil, err
		}
		kid = k.Kid
		for i := range list.Keys {
			old := &list.Keys[i]
			if end := at.Add(o.overlap()); now.Signs(old.Kid) && old.Until.After(end) && !list.RevokedKey(old.Kid) {
				old.Until = end
			}
		}
		return &k, nil
	})
	return next, kid, err
}

// Revoke takes a key out of force for ever, at once; its private half, if it is here, is
// destroyed. Where no other key here can sign, a new one is made, which signs at once: it
// returns its id, else an empty one.
func (r *Ring) Revoke(now time.Time, kid string, o Options) (*Ring, string, error) {
	made := ""
	next, err := r.change(now, o, func(now *Ring, list *board.KeyList, at time.Time) (*board.SigningKey, error) {
		if _, known := list.Find(kid); !known {
			return nil, fmt.Errorf("key %s: %w", kid, ErrNoKey)
		}
		if !list.RevokedKey(kid) {
			list.Revoked = append(list.Revoked, kid)
		}
		left := slices.ContainsFunc(list.Keys, func(k board.Key) bool {
			return now.Signs(k.Kid) && k.InForce(at) && !list.RevokedKey(k.Kid)
		})
		if left || !now.Signs(kid) {
			return nil, nil
		}
		k, err := now.successor(list, at, at, o)
		made = k.Kid
		return &k, err
	})
	if err != nil {
		return nil, "", err
	}
	if err := destroy(keyFile(r.dir, kid)); err != nil {
		return next, made, fmt.Errorf("keyring: revoke %s: it is revoked, but its private half is still here: %w", kid, err)
	}
	next, err = Open(r.dir, r.universe)
	return next, made, err
}

// Admit puts a key of another installation on the list: it may sign what its jurisdiction
// says, with a private half that was never here.
func (r *Ring) Admit(now time.Time, x ed25519.PublicKey, o Options) (*Ring, string, error) {
	if len(x) != ed25519.PublicKeySize {
		return nil, "", fmt.Errorf("keyring: admit: a key of %d bytes, not %d", len(x), ed25519.PublicKeySize)
	}
	kid := board.Kid(x)
	next, err := r.change(now, o, func(now *Ring, list *board.KeyList, at time.Time) (*board.SigningKey, error) {
		if _, known := list.Find(kid); known {
			return nil, fmt.Errorf("key %s: %w", kid, ErrExists)
		}
		j := board.Everything()
		if o.Jurisdiction != nil {
			j = *o.Jurisdiction
		}
		list.Keys = append(list.Keys, board.Key{Kid: kid, X: x, From: at.Add(-backdate), Until: at.Add(o.valid()), Jurisdiction: j})
		return nil, nil
	})
	return next, kid, err
}

// change makes the next list from what is in the folder now, under its lock. edit may
// return a key whose private half is to be kept.
func (r *Ring) change(now time.Time, o Options, edit func(now *Ring, list *board.KeyList, at time.Time) (*board.SigningKey, error)) (*Ring, error) {
	if o.Jurisdiction != nil {
		if _, err := ParsePolygon(o.Jurisdiction.Polygon); err != nil {
			return nil, err
		}
	}
	unlock, err := lock(r.dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	current, err := Open(r.dir, r.universe)
	if err != nil {
		return nil, err
	}
	root, err := current.rootKey(o.RootFile)
	if err != nil {
		return nil, err
	}
	at := now.UTC().Truncate(time.Millisecond)
	list := *current.list
	list.Keys, list.Revoked = slices.Clone(list.Keys), slices.Clone(list.Revoked)
	list.Serial, list.At = list.Serial+1, at
	forgetOld(&list, at)
	made, err := edit(current, &list, at)
	if err != nil {
		return nil, fmt.Errorf("keyring: change: %w", err)
	}
	line, err := list.Sign(root)
	if err != nil {
		return nil, err
	}
	// The private half first: a list with a key that nobody can sign with is worse than a
	// key that is on no list.
	if made != nil {
		if err := writeKey(r.dir, r.universe, *made); err != nil {
			return nil, fmt.Errorf("keyring: change: %w", err)
		}
	}
	if err := writeFile(filepath.Join(Folder(r.dir), listName), append(line, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("keyring: change: %w", err)
	}
	return Open(r.dir, r.universe)
}

// successor is a new key with the jurisdiction asked for, or that of the newest key here.
func (r *Ring) successor(list *board.KeyList, at, signFrom time.Time, o Options) (board.SigningKey, error) {
	j := board.Everything()
	var newest time.Time
	for _, k := range list.Keys {
		if r.Signs(k.Kid) && !k.From.Before(newest) {
			newest, j = k.From, k.Jurisdiction
		}
	}
	if o.Jurisdiction != nil {
		j = *o.Jurisdiction
	}
	k, err := newKey(at, signFrom, o.valid(), j)
	if err == nil {
		list.Keys = append(list.Keys, k.Key)
	}
	return k, err
}

// rootKey reads the private root key.
func (r *Ring) rootKey(file string) (ed25519.PrivateKey, error) {
	if file == "" {
		file = RootFile(r.dir)
	}
	private, _, err := readSecret(file, whatRoot, r.universe)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("keyring: %s: %w", file, ErrNoRoot)
	case err != nil:
		return nil, fmt.Errorf("keyring: root: %w", err)
	case !r.root.Equal(private.Public()):
		return nil, fmt.Errorf("keyring: %s: it is the root key of another installation", file)
	}
	return private, nil
}

// forgetOld drops keys that have long been over, and their revocations.
func forgetOld(list *board.KeyList, at time.Time) {
	list.Keys = slices.DeleteFunc(list.Keys, func(k board.Key) bool { return at.After(k.Until.Add(remember)) })
	list.Revoked = slices.DeleteFunc(list.Revoked, func(kid string) bool { _, known := list.Find(kid); return !known })
}
