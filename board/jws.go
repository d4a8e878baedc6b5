package board

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// A compact JWS (RFC 7515) with Ed25519 (RFC 8037) whose protected header is, byte for
// byte, headerStart, a key id, headerEnd. There is one way to write a frame, so there is
// nothing in it that could be changed without breaking it.
const (
	headerStart = `{"alg":"EdDSA","kid":"`
	headerEnd   = `"}`
	kidLength   = 16
)

// b64 refuses stray bits in the last character.
var b64 = base64.RawURLEncoding.Strict()

var errForm = errors.New("not a compact JWS of the contract")

// Kid names a public key: 16 characters of the base64url of the SHA-256 of its 32 bytes.
func Kid(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return b64.EncodeToString(sum[:])[:kidLength]
}

// sign makes the line of a payload.
func sign(kid string, private ed25519.PrivateKey, payload []byte) []byte {
	header := headerStart + kid + headerEnd
	line := make([]byte, 0, lineLength(len(payload)))
	line = b64.AppendEncode(line, []byte(header))
	line = append(line, '.')
	line = b64.AppendEncode(line, payload)
	signature := ed25519.Sign(private, line)
	line = append(line, '.')
	return b64.AppendEncode(line, signature)
}

// lineLength is how long the line of a payload is.
func lineLength(payload int) int {
	return b64.EncodedLen(len(headerStart)+kidLength+len(headerEnd)) + 1 + b64.EncodedLen(payload) + 1 + b64.EncodedLen(ed25519.SignatureSize)
}

// token is a line taken apart; nothing in it is verified.
type token struct {
	kid       string
	signed    []byte // the part of the line that the signature is over
	payload   []byte
	signature []byte
}

// split takes a line apart. Everything but the payload's content is checked for form.
func split(line []byte) (token, error) {
	first := bytes.IndexByte(line, '.')
	last := bytes.LastIndexByte(line, '.')
	if first < 0 || first == last {
		return token{}, errForm
	}
	var t token
	header, err := decode64(line[:first])
	if err != nil {
		return token{}, err
	}
	if len(header) != len(headerStart)+kidLength+len(headerEnd) ||
		!bytes.HasPrefix(header, []byte(headerStart)) || !bytes.HasSuffix(header, []byte(headerEnd)) {
		return token{}, errForm
	}
	t.kid = string(header[len(headerStart) : len(headerStart)+kidLength])
	if t.payload, err = decode64(line[first+1 : last]); err != nil {
		return token{}, err
	}
	if t.signature, err = decode64(line[last+1:]); err != nil {
		return token{}, err
	}
	if len(t.signature) != ed25519.SignatureSize {
		return token{}, errForm
	}
	t.signed = line[:last]
	return t, nil
}

// decode64 reads canonical, unpadded base64url. The library passes over line ends, which
// the contract does not.
func decode64(b []byte) ([]byte, error) {
	if bytes.ContainsAny(b, "\r\n") {
		return nil, errForm
	}
	out := make([]byte, b64.DecodedLen(len(b)))
	n, err := b64.Decode(out, b)
	if err != nil {
		return nil, errForm
	}
	return out[:n], nil
}
