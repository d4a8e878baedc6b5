package board

import "fmt"

// ReadKeys reads a key list without asking who signed it. It is for tools whose user
// vouches for the list; a client never does this.
func ReadKeys(line []byte) (*KeyList, error) {
	if len(line) > MaxFrame {
		return nil, fmt.Errorf("board: keys: %s", TooLarge)
	}
	t, err := split(line)
	if err != nil {
		return nil, fmt.Errorf("board: keys: %w", err)
	}
	l, err := decodeKeys(t.payload)
	if err != nil {
		return nil, fmt.Errorf("board: keys: %w", err)
	}
	return l, nil
}

// Trust takes a key list as it is.
func (v *Verifier) Trust(l *KeyList) { v.list = l }

// Trust takes a key list as it is; see ReadKeys.
func (c *Client) Trust(l *KeyList) { c.verifier.Trust(l) }
