package keyring

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/board"
	"tocsin/core/alert"
)

// What a token may be used for at the desk's door.
const (
	Declare = "declare"
	Extend  = "extend"
	End     = "end"
	Observe = "observe"
	Confirm = "confirm"
	Veto    = "veto"
	Read    = "read"
)

// Scopes lists them.
func Scopes() []string { return []string{Declare, Extend, End, Observe, Confirm, Veto, Read} }

const (
	tokenBytes  = 32
	tokenPrefix = "tocsin_" // so that a token in the wrong place is known for what it is
	maxTokens   = 10_000
	maxName     = 64
)

// Token is who may do what at the desk's door. The secret itself is kept nowhere.
type Token struct {
	Name         string
	Hash         string // base64url of SHA-256 over the 32 random bytes
	Scopes       []string
	Jurisdiction board.Jurisdiction
	From, Until  time.Time
}

// May reports whether a scope is among the token's.
func (t Token) May(scope string) bool { return slices.Contains(t.Scopes, scope) }

// What a token is refused for.
var (
	ErrToken     = errors.New("no such token")
	ErrTokenOver = errors.New("the token's time is over, or has not come")
)

type tokenFile struct {
	Universe alert.Universe `json:"universe"`
	Tokens   []tokenRecord  `json:"tokens"`
}

// tokenRecord is a Token in its file: the polygon as JSON, not as bytes.
type tokenRecord struct {
	Name    string          `json:"name"`
	Hash    string          `json:"sha256"`
	Scopes  []string        `json:"scopes"`
	Regions []string        `json:"regions"`
	Classes []string        `json:"classes"`
	Polygon json.RawMessage `json:"polygon,omitempty"`
	From    time.Time       `json:"from"`
	Until   time.Time       `json:"until"`
}

// AddToken makes a token and returns its secret, which is shown once and kept nowhere.
// scopes are of Scopes; valid zero is Valid.
func (r *Ring) AddToken(now time.Time, name string, scopes []string, j board.Jurisdiction, valid time.Duration) (*Ring, string, error) {
	if err := checkToken(name, scopes, j); err != nil {
		return nil, "", err
	}
	raw := make([]byte, tokenBytes)
	if _, err := rand.Read(raw); err != nil {
		return nil, "", fmt.Errorf("keyring: token: %w", err)
	}
	sum := sha256.Sum256(raw)
	at := now.UTC().Truncate(time.Millisecond)
	next, err := r.changeTokens(func(tokens []Token) ([]Token, error) {
		if slices.ContainsFunc(tokens, func(t Token) bool { return t.Name == name }) {
			return nil, fmt.Errorf("keyring: token %s: %w", name, ErrExists)
		}
		if len(tokens) >= maxTokens {
			return nil, fmt.Errorf("keyring: token %s: there are %d already", name, maxTokens)
		}
		return append(tokens, Token{
			Name: name, Hash: base64.RawURLEncoding.EncodeToString(sum[:]), Scopes: scopes, Jurisdiction: j,
			From: at, Until: at.Add(Options{Valid: valid}.valid()),
		}), nil
	})
	if err != nil {
		return nil, "", err
	}
	return next, tokenPrefix + base64.RawURLEncoding.EncodeToString(raw), nil
}

// RemoveToken takes a token out of force for ever.
func (r *Ring) RemoveToken(name string) (*Ring, error) {
	return r.changeTokens(func(tokens []Token) ([]Token, error) {
		left := slices.DeleteFunc(slices.Clone(tokens), func(t Token) bool { return t.Name == name })
		if len(left) == len(tokens) {
			return nil, fmt.Errorf("keyring: token %s: %w", name, ErrToken)
		}
		return left, nil
	})
}

// Tokens lists the tokens, by name.
func (r *Ring) Tokens() []Token { return slices.Clone(r.tokens) }

// Check tells whose token a secret is, in a time that does not depend on which, or on how
// much of it is right. The error is ErrToken or ErrTokenOver.
func (r *Ring) Check(now time.Time, secret string) (Token, error) {
	text, _ := strings.CutPrefix(secret, tokenPrefix)
	if len(secret) == len(text) || len(text) != base64.RawURLEncoding.EncodedLen(tokenBytes) || strings.ContainsAny(text, "\r\n") {
		return Token{}, ErrToken // the library would pass over line ends
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tokenBytes {
		return Token{}, ErrToken
	}
	sum := sha256.Sum256(raw)
	hash := []byte(base64.RawURLEncoding.EncodeToString(sum[:]))
	found := -1
	for i := range r.tokens {
		if subtle.ConstantTimeCompare(hash, []byte(r.tokens[i].Hash)) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Token{}, ErrToken
	}
	t := r.tokens[found]
	if now.Before(t.From) || !now.Before(t.Until) {
		return Token{}, ErrTokenOver
	}
	return t, nil
}

func checkToken(name string, scopes []string, j board.Jurisdiction) error {
	if name == "" || len(name) > maxName || strings.IndexFunc(name, func(c rune) bool { return c <= ' ' || c == 0x7f }) >= 0 {
		return fmt.Errorf("keyring: token: the name %q is not 1 to %d characters without space", name, maxName)
	}
	if len(scopes) == 0 {
		return fmt.Errorf("keyring: token %s: it may do nothing; scopes are %s", name, strings.Join(Scopes(), ", "))
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes(), s) {
			return fmt.Errorf("keyring: token %s: %q is no scope; scopes are %s", name, s, strings.Join(Scopes(), ", "))
		}
	}
	_, err := ParsePolygon(j.Polygon)
	return err
}

func (r *Ring) changeTokens(edit func([]Token) ([]Token, error)) (*Ring, error) {
	unlock, err := lock(r.dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	tokens, err := readTokens(r.dir, r.universe)
	if err != nil {
		return nil, err
	}
	if tokens, err = edit(tokens); err != nil {
		return nil, err
	}
	slices.SortFunc(tokens, func(a, b Token) int { return strings.Compare(a.Name, b.Name) })
	f := tokenFile{Universe: r.universe, Tokens: []tokenRecord{}}
	for _, t := range tokens {
		f.Tokens = append(f.Tokens, tokenRecord{t.Name, t.Hash, t.Scopes, t.Jurisdiction.Regions, t.Jurisdiction.Classes, t.Jurisdiction.Polygon, t.From, t.Until})
	}
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, fmt.Errorf("keyring: tokens: %w", err)
	}
	if err := writeFile(filepath.Join(Folder(r.dir), tokensName), append(b, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("keyring: tokens: %w", err)
	}
	return Open(r.dir, r.universe)
}

func readTokens(dir string, universe alert.Universe) ([]Token, error) {
	file := filepath.Join(Folder(dir), tokensName)
	b, err := readFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keyring: tokens: %w", err)
	}
	var f tokenFile
	if err := strict(b, &f); err != nil {
		return nil, fmt.Errorf("keyring: tokens: %s: %w", file, err)
	}
	if f.Universe != universe {
		return nil, fmt.Errorf("keyring: tokens: %s: of %s: %w", file, f.Universe, ErrUniverse)
	}
	var out []Token
	for _, t := range f.Tokens {
		j := board.Jurisdiction{Regions: t.Regions, Classes: t.Classes, Polygon: t.Polygon}
		if err := checkToken(t.Name, t.Scopes, j); err != nil {
			return nil, err
		}
		out = append(out, Token{t.Name, t.Hash, t.Scopes, j, t.From, t.Until})
	}
	return out, nil
}
