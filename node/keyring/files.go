package keyring

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
)

const (
	rootPublicName = "root.json"
	listName       = "list.jws"
	tokensName     = "tokens.json"
	lockName       = "lock"

	maxFile = 4 << 20 // bytes of any file here
)

const (
	whatRoot  = "root"
	whatBoard = "board"
)

// secret is a private key as it lies in a file of mode 0600.
type secret struct {
	What     string         `json:"what"`
	Universe alert.Universe `json:"universe"`
	Kid      string         `json:"kid"`
	Seed     string         `json:"seed"` // base64url of 32 bytes
	SignFrom time.Time      `json:"sign_from,omitzero"`
}

type rootPublic struct {
	Universe alert.Universe `json:"universe"`
	X        string         `json:"x"`
}

func keyFile(dir, kid string) string { return filepath.Join(Folder(dir), "board-"+kid+".key") }

func writeKey(dir string, universe alert.Universe, k board.SigningKey) error {
	return writeSecret(keyFile(dir, k.Kid), whatBoard, universe, k.Private, k.SignFrom)
}

func writeSecret(file, what string, universe alert.Universe, private ed25519.PrivateKey, signFrom time.Time) error {
	pub, _ := private.Public().(ed25519.PublicKey)
	b, err := json.Marshal(secret{
		What: what, Universe: universe, Kid: board.Kid(pub),
		Seed: base64.RawURLEncoding.EncodeToString(private.Seed()), SignFrom: signFrom.UTC(),
	})
	if err != nil {
		return err
	}
	return writeFile(file, append(b, '\n'), 0o600)
}

// readSecret reads a private key and closes its file to others where it stood open.
func readSecret(file, what string, universe alert.Universe) (ed25519.PrivateKey, time.Time, error) {
	b, err := readFile(file)
	if err != nil {
		return nil, time.Time{}, err
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o077 != 0 {
		_ = os.Chmod(file, 0o600) // on a file system without modes there is nothing to close
	}
	var s secret
	if err := strict(b, &s); err != nil {
		return nil, time.Time{}, fmt.Errorf("%s: %w", file, err)
	}
	seed, err := base64.RawURLEncoding.Strict().DecodeString(s.Seed)
	switch {
	case err != nil || len(seed) != ed25519.SeedSize:
		return nil, time.Time{}, fmt.Errorf("%s: the seed is not 32 bytes of base64url", file)
	case s.What != what:
		return nil, time.Time{}, fmt.Errorf("%s: a %s key, not a %s key", file, s.What, what)
	case s.Universe != universe:
		return nil, time.Time{}, fmt.Errorf("%s: of %s: %w", file, s.Universe, ErrUniverse)
	}
	private := ed25519.NewKeyFromSeed(seed)
	if pub, _ := private.Public().(ed25519.PublicKey); board.Kid(pub) != s.Kid {
		return nil, time.Time{}, fmt.Errorf("%s: the key is not the one it names", file)
	}
	return private, s.SignFrom, nil
}

func writeRootPublic(dir string, universe alert.Universe, pub ed25519.PublicKey) error {
	b, err := json.Marshal(rootPublic{universe, base64.RawURLEncoding.EncodeToString(pub)})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(Folder(dir), rootPublicName), append(b, '\n'), 0o644)
}

func readRootPublic(dir string) (ed25519.PublicKey, alert.Universe, error) {
	file := filepath.Join(Folder(dir), rootPublicName)
	b, err := readFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("keyring: open %s: %w", Folder(dir), ErrNoKeys)
	}
	if err != nil {
		return nil, "", fmt.Errorf("keyring: open: %w", err)
	}
	var r rootPublic
	if err := strict(b, &r); err != nil {
		return nil, "", fmt.Errorf("keyring: open %s: %w", file, err)
	}
	x, err := base64.RawURLEncoding.Strict().DecodeString(r.X)
	if err != nil || len(x) != ed25519.PublicKeySize || (r.Universe != alert.Live && r.Universe != alert.Exercise) {
		return nil, "", fmt.Errorf("keyring: open %s: not a public root key", file)
	}
	return x, r.Universe, nil
}

// strict reads JSON with no unknown member and nothing after it.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something after the end")
	}
	return nil
}

func readLine(file string) ([]byte, error) {
	b, err := readFile(file)
	return bytes.TrimRight(b, "\n"), err
}

func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s: over %d bytes", file, maxFile)
	}
	return b, err
}

// writeFile puts a file in place at once: a new one is written and synced beside it, takes
// its name, and the folder is synced. After a cut there is the old file or the new.
func writeFile(file string, b []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), file); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// destroy overwrites a private key and removes it. On a disk that copies on write the
// bytes can stay; the key is revoked all the same.
func destroy(file string) error {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, info.Size()))
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(file)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

// lock keeps two programs from changing the folder at once; the second waits.
func lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(Folder(dir), lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keyring: lock: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keyring: lock: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil // closing gives the lock back
}

// stamp tells whether the files that others change are as they were.
type stamp [2]struct {
	at   time.Time
	size int64
	file uint64
}

func stampOf(dir string) stamp {
	var s stamp
	for i, name := range [...]string{listName, tokensName} {
		if info, err := os.Stat(filepath.Join(Folder(dir), name)); err == nil {
			s[i].at, s[i].size = info.ModTime(), info.Size()
			if sys, ok := info.Sys().(*syscall.Stat_t); ok {
				s[i].file = sys.Ino
			}
		}
	}
	return s
}
